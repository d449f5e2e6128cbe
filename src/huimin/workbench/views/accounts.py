"""Accounts: issued with office, post and allowed addresses, reset, stopped, by the administrator of the place (SEC-01)."""

import secrets
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, reading, require_place
from huimin.organisation.commands import (
    appoint,
    end_appointment,
    issue_account,
    reset_password,
    set_active,
    set_networks,
)
from huimin.organisation.models import Account, Office
from huimin.organisation.passwords import hash_password
from huimin.organisation.posts import POSTS_OF, Post
from huimin.organisation.queries import list_accounts, list_appointments
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import Networks, NewAccount, NewAppointment
from huimin.workbench.guard import ADMINISTRATORS, page

OFFICES_MAX = 1000
# Letters and digits that are not taken for one another when read aloud or copied from paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@require_safe
@page(ADMINISTRATORS)
def listing(request: Any) -> HttpResponse:
    starts_with = request.GET.get("q", "").strip()
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    rows = list_accounts(request.actor, starts_with=starts_with, after=number)
    appointments = {each.pk: list_appointments(each, request.business_date) for each in rows}
    context = {
        "section": "accounts",
        "rows": [(each, appointments[each.pk]) for each in rows],
        "asked": starts_with,
        "next": rows[-1].pk if len(rows) == 50 else 0,
    }
    return render(request, "workbench/accounts.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@page(ADMINISTRATORS)
def issue(request: Any) -> HttpResponse:
    """A new account with its first appointment; the issued password is shown once, to be handed over in person."""
    by: Actor = request.actor
    with reading(by):
        offices = _offices(by)
    form = NewAccount(request.POST or None, offices=offices)
    if request.method == "POST" and form.is_valid():
        try:
            return _issue(request, form.cleaned_data)
        except (BadInput, AlreadyDone) as wrong:
            form.add_error("username", str(wrong))
        except Refusal as refusal:
            form.add_error("office", str(refusal))
    context = {"section": "accounts", "form": form}
    return render(request, "workbench/account_issue.html", context, status=422 if form.errors else 200)


def _issue(request: Any, data: dict[str, Any]) -> HttpResponse:
    by, password = request.actor, new_password()
    office, post = data["office"], Post(data["post"])
    with reading(by):
        found = Office.objects.get(pk=office)
    if post not in POSTS_OF[found.kind]:
        has = "、".join(Post(each).label for each in POSTS_OF[found.kind])
        raise Refusal(f"{found.name}没有{post.label}这一岗位", remedy=f"该机构的岗位有：{has}")
    account = issue_account(
        by=by, username=data["username"], full_name=data["full_name"], office=office, networks=data["networks"],
        password_hash=hash_password(password),
    )  # fmt: skip
    appoint(by=by, on=request.business_date, account=account.pk, post=post, office=office)
    return _shown(request, account, password, "已发放账号")


def new_password() -> str:
    """Sixteen characters in groups of four; must be changed at the first sign-in."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def _shown(request: Any, account: Account, password: str, what: str) -> HttpResponse:
    context = {"section": "accounts", "account": account, "password": password, "what": what}
    return render(request, "workbench/account_issued.html", context)


def _offices(by: Actor) -> list[tuple[int, str]]:
    rows = Office.objects.filter(division__startswith=by.prefix, valid_to=None).order_by("level", "division", "id")
    return list(rows.values_list("pk", "name")[:OFFICES_MAX])


@require_safe
@page(ADMINISTRATORS)
def detail(request: Any, number: int) -> HttpResponse:
    account = _account(request.actor, number)
    context = {
        "section": "accounts",
        "account": account,
        "appointments": list_appointments(account, request.business_date),
        "networks": Networks(initial={"networks": "\n".join(account.allowed_networks)}),
        "appointing": NewAppointment(offices=_offices(request.actor)),
    }
    return render(request, "workbench/account.html", context)


def _account(by: Actor, number: int) -> Account:
    account = Account.objects.get(pk=number)
    require_place(by, account.division)
    return account


@never_cache
@require_http_methods(["POST"])
@page(ADMINISTRATORS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on one account; a reset password is shown once."""
    by, on = request.actor, request.business_date
    account = _account(by, number)
    where = reverse("account", args=[number])
    if key == "reset":
        password = new_password()
        reset_password(by=by, account=number, password_hash=hash_password(password))
        return _shown(request, account, password, "已重置口令")
    if key == "networks":
        texts = request.POST.get("networks", "").split()
        return once(
            request, lambda: _told(set_networks(by=by, account=number, networks=texts), "已登记网络地址", where)
        )
    if key in ("stop", "start"):
        active = key == "start"
        what = "已恢复账号" if active else "已停用账号"
        return once(request, lambda: _told(set_active(by=by, account=number, active=active), what, where))
    if key == "appoint":
        form = NewAppointment(request.POST, offices=_offices_in(by))
        if not form.is_valid():
            raise BadInput("没有选机构或岗位", where="任职", remedy="请选好机构和岗位后再提交")
        office, post = form.cleaned_data["office"], Post(form.cleaned_data["post"])
        return once(
            request, lambda: _told(appoint(by=by, on=on, account=number, post=post, office=office), "已任职", where)
        )
    ending = request.POST.get("appointment", "")
    chosen = int(ending) if ending.isdigit() and len(ending) < 19 else 0
    return once(request, lambda: _told(end_appointment(by=by, on=on, appointment=chosen), "已免去岗位", where))


def _offices_in(by: Actor) -> list[tuple[int, str]]:
    with reading(by):
        return _offices(by)


def _told(_done: object, what: str, where: str) -> Outcome:
    return Outcome(what, where)
