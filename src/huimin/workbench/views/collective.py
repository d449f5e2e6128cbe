"""一事一议 at the desk: a township's record on a case, and its paper (CASE-01, DET-05)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases.queries import get_case
from huimin.divisions.queries import chain_names
from huimin.meetings import collective as room
from huimin.meetings.models import CollectiveDecision
from huimin.organisation.acting import reading
from huimin.payment.papers.meetings import collective_pdf, gather_collective
from huimin.policy.queries import programme_names
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.meeting_forms import Collective
from huimin.workbench.registers import pdf_answer
from huimin.workbench.views.meetings import answer

Conclusion = CollectiveDecision.Conclusion


@require_http_methods(["GET", "POST"])
@page(frozenset(room.decide_collectively.posts))  # type: ignore[attr-defined]
def record(request: Any, number: int) -> HttpResponse:
    """What the officials held of a case that cannot be judged; with it, where so decided, an emergency relief."""
    by, on = request.actor, request.business_date
    with reading(by):
        case = get_case(number)
        trail, names = chain_names(case.division, on), programme_names()
    form = Collective(request.POST or None, initial={"held_on": on.isoformat(), "basis": room.basis_at(case.division)})

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        told["officials"] = told["officials"].splitlines()
        help_ = {name: told.pop(name) for name in ("cause", "happened_on", "amount")}
        helped = told["conclusion"] == Conclusion.RELIEF
        relief = room.Help(help_["cause"], help_["happened_on"], help_["amount"]) if helped else None
        made = room.decide_collectively(by=by, on=on, case_id=number, told=room.Deliberation(**told), relief=relief)
        then = {
            Conclusion.RELIEF: "急难救助已转乡镇负责人审批，批准后从备用金支付；这件事照常往下办。",
            Conclusion.SETTLED: "请办理家庭变更，依据写这次一事一议；登记后系统重新判断。",
        }.get(Conclusion(made.conclusion), "按现有情况照常办理。")
        return Outcome("已登记一事一议", reverse("case", args=[number]), then)

    context = {"section": "cases", "case": case, "trail": trail, "names": names}
    return answer(request, form, act, "workbench/case_collective.html", context)


@require_safe
@page(frozenset(gather_collective.posts), reads=False)  # type: ignore[attr-defined]
def paper(request: Any, number: int) -> HttpResponse:
    """The record to be signed by who met."""
    with reading(request.actor):
        case = CollectiveDecision.objects.values_list("case_id", flat=True).get(pk=number)
    content = collective_pdf(
        by=request.actor, on=request.business_date, decision=number, mark=printed_by(request, "一事一议存档"),
        address=request.build_absolute_uri(reverse("case", args=[case])),
    )  # fmt: skip
    return pdf_answer(content, f"一事一议{number}")
