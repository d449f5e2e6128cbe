"""Money that came back after it was paid (E05): entered with the bank's slip, confirmed by another person (PAY-06)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.kernel.money import yuan
from huimin.organisation.acting import reading
from huimin.organisation.models import Appointment
from huimin.payment.commands import propose_rebooking, settle_rebooking
from huimin.payment.models import Rebooking
from huimin.payment.queries import get_exception
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.recovery_forms import RebookForm, SettleForm
from huimin.workbench.views.reliefs import _answer as answer_form


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_rebooking.posts))  # type: ignore[attr-defined]
def propose(request: Any, number: int) -> HttpResponse:
    """The money of an exception is in the special account again."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = get_exception(number)
    form = RebookForm(request.POST or None)

    def done() -> Outcome:
        data = form.cleaned_data
        propose_rebooking(by=by, on=on, number=number, came_back_on=data["came_back_on"], basis=data["basis"])
        return Outcome("已登记重新入账", reverse("exceptions"), "由会计或财政复核人员对照银行回单复核后记账。")

    whom = f"{row.line.household.household_no} {row.line.name}，" if row.line else ""
    lead = (
        f"{whom}{yuan(row.amount_fen)} 元，{row.reason}。复核后账上记“发放后退回”，这笔应发重新待发；更正账户后重发。"
    )
    context = {
        "section": "exceptions",
        "title": "钱已退回，重新入账",
        "lead": lead,
        "button": "登记",
        "back": reverse("exceptions"),
    }
    return answer_form(request, form, done, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(settle_rebooking.posts))  # type: ignore[attr-defined]
def settle(request: Any, number: int) -> HttpResponse:
    """The second person's word."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Rebooking.objects.select_related("line__household", "instruction__batch").get(pk=number)
        who = Appointment.objects.select_related("account").get(pk=row.proposed_by).account.full_name
    form = SettleForm(request.POST or None)

    def done() -> Outcome:
        agreed = form.cleaned_data["outcome"] == "agree"
        settle_rebooking(by=by, on=on, number=number, agreed=agreed, refusal=form.cleaned_data["refusal"])
        then = "这笔应发重新待发：更正账户（两人办理）后重发。" if agreed else ""
        return Outcome("已重新入账" if agreed else "已退回", reverse("exceptions"), then)

    lead = (
        f"{row.line.household.household_no} {row.line.name}，{yuan(row.amount_fen)} 元，批次 {row.instruction.batch.batch_no}，"
        f"{row.came_back_on} 退回专户，{row.basis}。{who} {row.proposed_on} 登记。"
    )
    context = {
        "section": "exceptions",
        "title": "复核重新入账",
        "lead": lead,
        "button": "签名，复核",
        "back": reverse("exceptions"),
    }
    return answer_form(request, form, done, "workbench/field_form.html", context)
