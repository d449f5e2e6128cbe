"""Cards: another account proposed by one and approved by another, a card lost or closed (REG-07, PAY-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import may, reading
from huimin.registry.card_queries import last_rule
from huimin.registry.commands import (
    approve_card_correction,
    change_card_state,
    propose_card_correction,
    refuse_card_correction,
    stop_card_correction,
)
from huimin.registry.commands.cards import CardInUse, NotOwnAccount
from huimin.registry.commands.cooling import cooling_days
from huimin.registry.models import Card, CardCorrection, Person
from huimin.registry.queries import list_card_corrections
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.card_forms import Reason
from huimin.workbench.forms import CardAccount, CardState, Verdict
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of


@require_safe
@page(guard.PAYERS)
def corrections(request: Any) -> HttpResponse:
    place = chosen_place(request)
    state = one_of(request.GET, "state", CardCorrection.State.values, CardCorrection.State.PROPOSED)
    page_of = list_card_corrections(place.prefix, state=state, place=request.GET.get("at", ""))
    context = {
        "section": "corrections",
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "place": place,
        "state": state,
        "states": CardCorrection.State.choices,
        "may_approve": may(request.actor, approve_card_correction),
        "may_stop": may(request.actor, stop_card_correction),
        "rule": last_rule(request.actor.division),
    }
    return render(request, "workbench/corrections.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_card_correction.posts))  # type: ignore[attr-defined]
def propose(request: Any, household: int, holder: int, use: str) -> HttpResponse:
    """Propose another account for a holder's card; nothing changes until a second person approves."""
    if use not in Card.Use.values:
        raise Http404
    with reading(request.actor):
        person = Person.objects.get(pk=holder)
        trail = chain_names(person.division, request.business_date)
    form = CardAccount(request.POST or None, initial={"account_name": person.name})
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = propose_card_correction(
                by=request.actor, on=request.business_date, holder=holder, use=use, **form.cleaned_data
            )
            where = reverse("household", args=[household])
            return Outcome(f"已提出账户更正，尾号 {made.account_tail}", where, "由另一位审核员审核后启用。")

        try:
            return once(request, act)
        except NotOwnAccount as refusal:
            form.add_error("account_name", str(refusal))
        except CardInUse as refusal:
            form.add_error("account", str(refusal))
    context = {
        "section": "households",
        "form": form,
        "person": person,
        "trail": trail,
        "use": Card.Use(use).label,
        "back": reverse("household", args=[household]),
    }
    return render(request, "workbench/correction_propose.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(frozenset(approve_card_correction.posts | stop_card_correction.posts))  # type: ignore[attr-defined]
def decide(request: Any, number: int) -> HttpResponse:
    """Approve or refuse a proposed correction; stop an approved one while it cools."""
    with reading(request.actor):
        related = ("holder", "household", "old_card", "new_card")
        correction = CardCorrection.objects.select_related(*related).get(pk=number)
        trail = chain_names(correction.division, request.business_date)
        cooling = cooling_days(correction.division) if correction.old_card_id else 0
    stops = correction.new_card is not None and correction.new_card.state == Card.State.PENDING
    form = (Reason if stops else Verdict)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act = _stop if stops else _decide
        return once(request, lambda: act(request, number, form.cleaned_data))
    context = {
        "section": "corrections", "form": form, "correction": correction, "trail": trail, "stops": stops, "cooling": cooling,
        "may_approve": may(request.actor, approve_card_correction),
    }  # fmt: skip
    return render(request, "workbench/correction.html", context, status=422 if form.errors else 200)


def _stop(request: Any, number: int, data: dict[str, str]) -> Outcome:
    stop_card_correction(by=request.actor, on=request.business_date, correction=number, refusal=data["refusal"])
    return Outcome("已停止启用新账户", reverse("corrections"), "照原账户发放。")


def _decide(request: Any, number: int, data: dict[str, str]) -> Outcome:
    by, on = request.actor, request.business_date
    if data["outcome"] == "approve":
        made = approve_card_correction(by=by, on=on, correction=number)
        if made.effective_on > on:
            return Outcome(f"已审核，{made.effective_on} 启用新账户", reverse("corrections"), "此前照原账户发放。")
        return Outcome("已更正账户", reverse("corrections"), "退汇的行可以由财务结算员重发。")
    refuse_card_correction(by=by, on=on, correction=number, refusal=data["refusal"])
    return Outcome("不予更正，已退回", reverse("corrections"), "原账户不变。")


@require_http_methods(["GET", "POST"])
@page(frozenset(change_card_state.posts))  # type: ignore[attr-defined]
def change(request: Any, number: int) -> HttpResponse:
    """A card is lost, closed, or found again."""
    with reading(request.actor):
        card = Card.objects.select_related("holder").get(pk=number)
        trail = chain_names(card.division, request.business_date)
    form = CardState(request.POST or None)
    back = reverse("household", args=[card.household_id]) if card.household_id else reverse("households")
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            changed = change_card_state(by=request.actor, on=request.business_date, card=number, **form.cleaned_data)
            return Outcome(f"尾号 {changed.account_tail} 的卡已登记为“{changed.get_state_display()}”", back)

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error("state", str(refusal))
    context = {"section": "households", "form": form, "card": card, "trail": trail, "back": back}
    return render(request, "workbench/card.html", context, status=422 if form.errors else 200)
