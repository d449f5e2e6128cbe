"""Facts a county adds at the desk: what is asked besides the dictionary, proposed and decided by two people (REG-01)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.policy import own_facts
from huimin.policy.models import OwnFact
from huimin.policy.queries import get_shelf, list_own_facts, used_facts
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import DRAFTERS, OWN_FACT_ACTORS, POLICY_READERS, page
from huimin.workbench.own_fact_forms import FIELDS, Decide, Propose

State = OwnFact.State


@require_safe
@page(POLICY_READERS)
def listing(request: Any) -> HttpResponse:
    """What is asked here besides the dictionary, who says so and which programmes use it; and what waits."""
    by, on = request.actor, request.business_date
    proposals = list_own_facts(by.division)
    context = {
        "section": "own-facts",
        "rows": used_facts(get_shelf(by, on)),
        "waiting": [_shown(by, each) for each in proposals if each.state == State.PROPOSED],
        "past": [each for each in proposals if each.state in (State.REFUSED, State.WITHDRAWN)],
        "may_propose": may(by, own_facts.propose_fact),
    }
    return render(request, "workbench/own_facts.html", context)


def _shown(by: Actor, each: OwnFact) -> dict[str, Any]:
    mine = each.proposed_account == by.account
    return {
        "row": each,
        "fact": own_facts.fact_of(each),
        "mine": mine and may(by, own_facts.withdraw_fact),
        "decides": not mine and may(by, own_facts.decide_fact),
    }


@require_http_methods(["GET", "POST"])
@page(DRAFTERS)
def propose(request: Any) -> HttpResponse:
    form = Propose(request.POST or None, initial={"sensitive": "no"})
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = own_facts.propose_fact(
                by=request.actor, on=request.business_date, wanted=form.wanted(), reason=form.cleaned_data["reason"]
            )
            return Outcome(f"已提出“{made.name}”", reverse("own-facts"), "由领导小组审批岗决定；同意以前不登记。")

        try:
            return once(request, act)
        except BadInput as wrong:
            form.add_error(FIELDS.get(wrong.where), Refusal.__str__(wrong))
        except Refusal as refusal:
            form.add_error("name", str(refusal))
    context = {"section": "own-facts", "form": form}
    return render(request, "workbench/own_fact_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(OWN_FACT_ACTORS)
def settle(request: Any, number: int) -> HttpResponse:
    """The proposal in full; the leading group decides, who proposed it may take it back."""
    by: Actor = request.actor
    with reading(by):
        found = OwnFact.objects.filter(pk=number).first()
        if found is None:
            raise Http404
        shown = _shown(by, found)
    waits = found.state == State.PROPOSED
    form = Decide(request.POST or None) if shown["decides"] else None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return once(request, lambda: _settle(request, found, form))
        except BadInput as wrong:
            if form is None:
                raise
            form.add_error("answer" if wrong.where == "理由" else None, Refusal.__str__(wrong))
    context = {"section": "own-facts", "found": found, "shown": shown, "form": form, "waits": waits}
    return render(request, "workbench/own_fact.html", context, status=422 if form and form.errors else 200)


def _settle(request: Any, found: OwnFact, form: Decide | None) -> Outcome:
    who = {"by": request.actor, "on": request.business_date, "fact_id": found.pk}
    where = reverse("own-facts")
    if form is None:
        own_facts.withdraw_fact(**who)
        return Outcome(f"已撤回“{found.name}”", where, "要改的，改好后再提出。")
    agreed = form.cleaned_data["outcome"] == "agreed"
    own_facts.decide_fact(**who, agreed=agreed, answer=form.cleaned_data["answer"])
    if agreed:
        return Outcome(f"“{found.name}”使用中", where, "调查表、导入、名册和政策里从现在起都有这一项。")
    return Outcome(f"不同意增加“{found.name}”", where, "原因已写给提出的人。")
