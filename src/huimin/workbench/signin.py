"""Coming in and going out: sign-in, lock-out, password, choice of appointment (SEC-01, SEC-02, SEC-08).

The password is checked by Django, failures are counted by django-axes, the address and the posts by
`organisation.entrance`, which records every sign-in and every refusal of a right password.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.commands import WrongPassword, change_password
from huimin.organisation.entrance import authenticate_from, record_signed_out
from huimin.organisation.queries import get_actor
from huimin.workbench.forms import NewPassword, SignIn
from huimin.workbench.guard import open_page, signed_in_page
from huimin.workbench.middleware import APPOINTMENT, remote_address

_REASONS = {
    "idle": "半小时没有操作，系统已自动退出。请重新登录，登录后回到刚才的页面。",
    "address": "您换了网络地址，这个地址没有登记。请在登记的计算机上登录，或请管理员登记新地址。",
    "out": "已退出。",
}


@open_page
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: Any) -> HttpResponse:
    """A wrong password says how many tries are left; a right one from a wrong address is refused and recorded."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect("desk")
    form = SignIn(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = authenticate(request, **form.cleaned_data)
        if account is not None:
            try:
                return _come_in(request, account)
            except Refusal as refusal:
                form.add_error(None, str(refusal))
        else:
            form.add_error("username", _wrong_password(request))
    context = {"form": form, "next": _next(request), "reason": _REASONS.get(request.GET.get("why", ""), "")}
    return render(request, "workbench/sign_in.html", context, status=403 if form.errors else 200)


def _come_in(request: Any, account: Any) -> HttpResponse:
    appointments = authenticate_from(account, remote_address(request), on=request.business_date)
    login(request, account)
    if len(appointments) == 1:
        request.session[APPOINTMENT] = appointments[0].pk
    return redirect(_next(request) or "desk")


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else ""


def _wrong_password(request: Any) -> str:
    left = get_failure_limit(request, None) - getattr(request, "axes_failures_since_start", 0)
    return f"用户名或口令不对，请核对后重新输入。再错 {left} 次将锁定一段时间"


def locked_out(request: HttpRequest, _response: HttpResponse | None, credentials: Any) -> HttpResponse:
    """django-axes calls this while an account is locked from an address; the page says until when."""
    username = (credentials or {}).get("username") or request.POST.get("username", "")
    last = AccessAttempt.objects.filter(username=username, ip_address=remote_address(request)).order_by("-attempt_time")
    cool_off = get_cool_off(request) or timedelta()
    until = (last[0].attempt_time if last else timezone.now()) + cool_off
    context = {"minutes": _minutes_until(until), "until": until, "limit": get_failure_limit(request, None)}
    return render(request, "workbench/locked_out.html", context, status=429)


def _minutes_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - timezone.now()).total_seconds() / 60))


@signed_in_page
@require_POST
def sign_out(request: Any) -> HttpResponse:
    record_signed_out(request.user, remote_address(request))
    logout(request)
    return redirect("/sign-in/?why=out")


@signed_in_page
@never_cache
@sensitive_post_parameters("current", "new", "again")
@require_http_methods(["GET", "POST"])
def password(request: Any) -> HttpResponse:
    """One's own password; an issued one has to be changed here before anything else (SEC-08)."""
    form = NewPassword(request.POST or None)
    if request.method == "POST" and form.is_valid() and request.appointments:
        by = request.actor or get_actor(request.appointments[0], address=remote_address(request))
        try:
            account = change_password(by=by, current=form.cleaned_data["current"], new=form.cleaned_data["new"])
        except WrongPassword as refusal:
            form.add_error("current", str(refusal))
        except BadInput as refusal:
            form.add_error("new", str(refusal))
        else:
            update_session_auth_hash(request, account)
            return redirect("desk")
    status = 422 if form.errors else 200
    return render(
        request, "workbench/password.html", {"form": form, "forced": request.user.must_change_password}, status=status
    )


@signed_in_page
@require_http_methods(["GET", "POST"])
def appointment(request: Any) -> HttpResponse:
    """Which appointment acts, when a person has several; it may be changed at any time."""
    if request.method == "POST":
        chosen = [each for each in request.appointments if str(each.pk) == request.POST.get("appointment")]
        if chosen:
            request.session[APPOINTMENT] = chosen[0].pk
            return redirect("desk")
    return render(request, "workbench/appointment.html", {"choices": request.appointments})
