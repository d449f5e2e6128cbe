"""Vouchers by hand: proposed by one person, approved by another, listed with what became of them (LED-02)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.ledger import queries
from huimin.ledger.chart import ACCOUNTS
from huimin.ledger.correcting import State, approve_manual, propose_manual, refuse_manual
from huimin.ledger.models import ManualVoucher
from huimin.organisation.acting import may, reading
from huimin.organisation.models import Appointment
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.book_forms import BY_HAND, Refusal
from huimin.workbench.book_side import books_of
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.templatetags.huimin import money_sign
from huimin.workbench.views.reliefs import _answer as answer_form

_TONES = {State.PROPOSED: "soon", State.APPROVED: "done", State.REFUSED: "late"}


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Everything proposed by hand, newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        state = one_of(request.GET, "state", State.values)
        found = queries.list_manual(by.prefix, state=state, place=request.GET.get("at", ""), size=1000 if whole else 50)
        names = names_of({row.division for row in found}, on)
        rows = [
            [Cell(row.get_kind_display(), reverse("manual-voucher", args=[row.pk])), names.get(row.division, row.division),
             row.summary, row.reason, row.amount_fen, row.proposed_on, Cell(row.get_state_display(), tone=_TONES[row.state])]
            for row in found
        ]  # fmt: skip
        new = [(f"新作：{ManualVoucher.Kind(kind).label}", reverse("manual-new", args=[kind])) for kind in BY_HAND]
        return Listing(
            "手工凭证", "业务产生的凭证自动记账；这里只有更正、调整、核销、利息和期初，一人提出，另一人审定。", "manual-vouchers",
            [Head("种类", paper=24), Head("账簿", paper=24), Head("摘要"), Head("原因", paper=50), Head("金额（元）", "fen", 26),
             Head("提出", "date", 22), Head("状态", paper=20)],
            rows, "没有手工凭证。更正从凭证的页面提出。", filters=[Filter("state", "状态", State.choices, state)], page=found,
            acts=new if may(by, propose_manual) else [], across=True, of_people=False,
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_manual.posts))  # type: ignore[attr-defined]
def new(request: Any, kind: str) -> HttpResponse:
    """Propose a voucher of a listed kind."""
    if kind not in BY_HAND:
        raise Http404
    by, on = request.actor, request.business_date
    with reading(by):
        books, programmes = books_of(by.prefix, on), programme_names()
    form = BY_HAND[kind](request.POST or None, books=books, programmes=programmes)

    def act() -> Outcome:
        made = propose_manual(by=by, on=on, kind=kind, **form.proposal())
        return Outcome("已提出", reverse("manual-voucher", args=[made.pk]), "由另一人审定后记账；审定以前账不变。")

    label = ManualVoucher.Kind(kind).label
    context = {
        "section": "manual-vouchers", "title": f"提出手工凭证：{label}", "button": "提出", "back": reverse("manual-vouchers"),
        "lead": _LEADS[kind],
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


_LEADS = {
    "reclassified": "同一套账里，把一个项目的钱或支出调到另一个项目；科目的总额不变。",
    "written_off": "有批准文件、不再追回的款项。",
    "interest": "凭银行结息单；利息要缴回上级，不能用于发放。",
    "opening": "从旧账接过来的余额，只在这套账还没有记过业务时。",
}


@require_http_methods(["GET", "POST"])
@page(guard.BOOKKEEPERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One proposal: its lines, the voucher it takes back; the second person approves or refuses."""
    by, on = request.actor, request.business_date
    with reading(by):
        try:
            row = queries.get_manual(number)
        except ManualVoucher.DoesNotExist:
            raise Http404 from None
        trail, programmes = chain_names(row.division, on), programme_names()
        vouchers = list(row.vouchers.order_by("pk"))
        people = {
            each.pk: f"{each.office.name} {each.get_post_display()} {each.account.full_name}"
            for each in Appointment.objects.filter(pk__in=[row.proposed_by, row.decided_by or 0]).select_related(
                "account", "office"
            )
        }
    refuses = request.POST.get("act") == "refuse"
    form = Refusal(request.POST if refuses else None)

    def act() -> Outcome:
        where = reverse("manual-voucher", args=[number])
        if refuses:
            refuse_manual(by=by, on=on, manual_id=number, refusal=form.cleaned_data["refusal"])
            return Outcome("已退回，不记账", where)
        made = approve_manual(by=by, on=on, manual_id=number)
        return Outcome(
            f"已审定记账：{'、'.join(f'{each.title} {money_sign(each.amount_fen)}' for each in made)}", where
        )

    mine = row.proposed_by == by.appointment
    context = {
        "section": "manual-vouchers", "row": row, "trail": trail, "vouchers": vouchers, "people": people,
        "lines": [(ACCOUNTS[d], ACCOUNTS[c], fen, programmes.get(p, p), ref) for d, c, fen, p, ref in row.lines],
        "may_decide": row.state == State.PROPOSED and may(by, approve_manual) and not mine, "mine": mine, "form": form,
        "proposed": row.state == State.PROPOSED,
    }  # fmt: skip
    if request.method == "POST":
        return answer_form(request, form if refuses else None, act, "workbench/manual_voucher.html", context)
    return render(request, "workbench/manual_voucher.html", context)
