"""The register of cards: the bank's files, who received which card, authorities, cooling time (REG-07)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import may, reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.registry.card_queries import last_rule, list_authorities, list_handovers, list_issues, waiting_rule
from huimin.registry.commands import (
    approve_authority,
    hand_over_card,
    issue_cards,
    propose_authority,
    propose_cooling_time,
    refuse_authority,
    revoke_authority,
    settle_cooling_time,
)
from huimin.registry.models import Card, CardAuthority, CardIssue, Household, Membership
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.card_forms import (
    Authority,
    AuthorityVerdict,
    CoolingTime,
    CoolingVerdict,
    HandOver,
    IssueFile,
    Reason,
)
from huimin.workbench.guard import page
from huimin.workbench.issued_files import issued_cards
from huimin.workbench.listing import chosen_place, one_of

HANDED = [("waiting", "待领取"), ("handed", "已领取")]
STANDING = [*CardAuthority.State.choices, ("expired", "已到期")]
ISSUERS = frozenset(issue_cards.posts)  # type: ignore[attr-defined]


@require_safe
@page(guard.PAYERS)
def handovers(request: Any) -> HttpResponse:
    place = chosen_place(request)
    state = one_of(request.GET, "state", dict(HANDED), "waiting")
    page_of = list_handovers(place.prefix, state=state, place=request.GET.get("at", ""))
    context = {
        "section": "handovers", "page": page_of, "place": place, "state": state, "states": HANDED,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "may_hand": may(request.actor, hand_over_card),
        "may_issue": may(request.actor, issue_cards),
    }  # fmt: skip
    return render(request, "workbench/handovers.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(hand_over_card.posts))  # type: ignore[attr-defined]
def hand_over(request: Any, number: int) -> HttpResponse:
    """Register who received a card."""
    with reading(request.actor):
        card = Card.objects.select_related("holder").get(pk=number, recorded_to=None)
        trail = chain_names(card.division, request.business_date)
    form = HandOver(request.POST or None, initial={"handed_on": request.business_date})
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            hand_over_card(by=request.actor, on=request.business_date, card=number, **form.cleaned_data)
            return Outcome(f"已登记{card.holder.name}尾号 {card.account_tail} 的卡", reverse("handovers"))

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error("receiver_number", str(refusal))
    context = {"section": "handovers", "form": form, "card": card, "trail": trail, "back": reverse("handovers")}
    return render(request, "workbench/hand_over.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(ISSUERS)
def issues(request: Any) -> HttpResponse:
    """Take in a bank's file; files taken in before."""
    form = IssueFile(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if getattr(request, "too_large", False):
        form.errors.pop("file", None)
        form.add_error("file", "文件太大，没有接收。请按乡镇分成几个文件")
    elif request.method == "POST" and form.is_valid():
        try:
            return once(request, lambda: _issue(request, form.cleaned_data["file"]))
        except Refusal as refusal:
            form.add_error("file", str(refusal))
    with reading(request.actor):
        page_of = list_issues(request.actor.prefix, place=request.GET.get("at", ""))
        places = names_of({row.division for row in page_of}, request.business_date)
    context = {"section": "handovers", "form": form, "page": page_of, "places": places}
    return render(request, "workbench/card_issues.html", context, status=422 if form.errors else 200)


def _issue(request: Any, file: Any) -> Outcome:
    cards, sha256 = issued_cards(file, file.name)
    made = issue_cards(by=request.actor, on=request.business_date, cards=cards, sha256=sha256, file_name=file.name)
    told = f"新发 {made.issued} 张，已登记 {made.known} 张，转审核 {made.proposed} 张，有误 {len(made.faults)} 行"
    return Outcome(told, reverse("card-issue", args=[made.pk]), "新发的卡在领卡登记里等待领取。")


@require_safe
@page(ISSUERS)
def issue(request: Any, number: int) -> HttpResponse:
    found = CardIssue.objects.get(pk=number)
    return render(request, "workbench/card_issue.html", {"section": "handovers", "issue": found})


@require_safe
@page(guard.PAYERS)
def authorities(request: Any) -> HttpResponse:
    place = chosen_place(request)
    state = one_of(request.GET, "state", dict(STANDING))
    on = request.business_date
    page_of = list_authorities(place.prefix, on, state=state, place=request.GET.get("at", ""))
    context = {
        "section": "authorities", "page": page_of, "place": place, "state": state, "states": STANDING, "on": on,
        "places": names_of({row.division for row in page_of}, on),
    }  # fmt: skip
    return render(request, "workbench/authorities.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_authority.posts))  # type: ignore[attr-defined]
def propose(request: Any, household: int) -> HttpResponse:
    """Record a signed authority for a member of the household."""
    with reading(request.actor):
        home = Household.objects.get(pk=household)
        rows = Membership.objects.filter(household=home, recorded_to=None, valid_to=None).select_related("person")
        members = [(str(row.person_id), f"{row.person.name}（{row.relation}）") for row in rows.order_by("id")]
        trail = chain_names(home.division, request.business_date)
    form = Authority(request.POST or None, members=members, initial={"since": request.business_date})
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            data = form.cleaned_data | {"beneficiary": int(form.cleaned_data["beneficiary"])}
            made = propose_authority(by=request.actor, on=request.business_date, **data)
            where = reverse("authority", args=[made.pk])
            return Outcome("已录入授权", where, "由另一位审核员审核后生效。")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error("agent_number", str(refusal))
    context = {
        "section": "households", "form": form, "household": home, "trail": trail,
        "back": reverse("household", args=[household]),
    }  # fmt: skip
    return render(request, "workbench/authority_propose.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(guard.PAYERS)
def authority(request: Any, number: int) -> HttpResponse:
    """One authority: approved or refused by a reviewer, revoked later."""
    on = request.business_date
    with reading(request.actor):
        found = CardAuthority.objects.select_related("beneficiary", "agent").get(pk=number)
        trail = chain_names(found.division, on)
    decides = found.state == "proposed" and may(request.actor, approve_authority)
    revokes = found.state == "approved" and may(request.actor, revoke_authority)
    form = (AuthorityVerdict if found.state == "proposed" else Reason)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return once(request, lambda: _decide(request, found, form.cleaned_data))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {
        "section": "authorities", "form": form, "row": found, "trail": trail, "decides": decides, "revokes": revokes, "on": on,
    }  # fmt: skip
    return render(request, "workbench/authority.html", context, status=422 if form.errors else 200)


def _decide(request: Any, found: CardAuthority, data: dict[str, str]) -> Outcome:
    act = {"by": request.actor, "on": request.business_date, "authority": found.pk}
    where = reverse("authority", args=[found.pk])
    if found.state != "proposed":
        revoke_authority(**act, refusal=data["refusal"])
        return Outcome("授权已撤销", where, "今后不再发到代领人的账户。")
    if data["outcome"] == "approve":
        approve_authority(**act)
        return Outcome("授权已备案", where, "从开始日期起，补贴发到代领人的账户。")
    refuse_authority(**act, refusal=data["refusal"])
    return Outcome("不予备案", where)


@require_http_methods(["GET", "POST"])
@page(guard.PAYERS | {Post.LEADING_APPROVER})
def cooling(request: Any) -> HttpResponse:
    """The county's cooling time: everybody concerned reads it, the county office proposes it, the approver decides."""
    by = request.actor
    with reading(by):
        rule, waiting = last_rule(by.division), waiting_rule(by.division)
        who = Appointment.objects.filter(pk=waiting.set_by if waiting else 0).select_related("account").first()
    decides = waiting is not None and may(by, settle_cooling_time)
    if decides:
        form: Any = CoolingVerdict(request.POST or None)
    else:
        form = CoolingTime(request.POST or None, initial={"days": rule.cooling_days if rule else 0})
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _settled(request, waiting, form) if decides else _proposed(request, form))
    context = {
        "section": "corrections", "form": form, "rule": rule, "waiting": waiting, "who": who, "decides": decides,
        "may_set": may(by, propose_cooling_time) and waiting is None,
    }  # fmt: skip
    return render(request, "workbench/cooling.html", context, status=422 if form.errors else 200)


def _proposed(request: Any, form: Any) -> Outcome:
    made = propose_cooling_time(by=request.actor, on=request.business_date, **form.cleaned_data)
    return Outcome(
        f"已提出冷静期 {made.cooling_days} 天", reverse("cooling"), "领导小组审批人同意后，对以后审核的账户更正起作用。"
    )


def _settled(request: Any, waiting: Any, form: Any) -> Outcome:
    agreed = form.cleaned_data["outcome"] == "approve"
    made = settle_cooling_time(
        by=request.actor, on=request.business_date, rule=waiting.pk, agreed=agreed, refusal=form.cleaned_data["refusal"]
    )
    what = f"冷静期为 {made.cooling_days} 天" if agreed else "没有同意，冷静期不变"
    return Outcome(what, reverse("cooling"), "对以后审核的账户更正起作用。" if agreed else "提出的人会看到原因。")
