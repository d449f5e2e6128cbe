"""Routes of payment and money that goes back or comes in, at the desk (FUND-02, FUND-05)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.funds import giving_back, routes
from huimin.funds.models import FundingApplication, MoneyMove, PayRoute, SpecialAccount
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.payment import back_queries
from huimin.payment.commands import confirm_giving_back, propose_giving_back
from huimin.policy.queries import programme_names
from huimin.workbench import fund_forms, guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import ids_of, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.templatetags.huimin import money_sign
from huimin.workbench.views.indicators import _places
from huimin.workbench.views.reliefs import _answer as answer

State, Kind = MoneyMove.State, MoneyMove.Kind
_TONES = {State.PROPOSED: "soon", State.CONFIRMED: "done", State.REFUSED: "late"}
_ROUTE_TONES = {"proposed": "soon", "approved": "done", "refused": "late"}


@require_safe
@page(guard.BANK_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """What went back and came in, newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        state = one_of(request.GET, "state", State.values)
        rows = giving_back.list_money(state)
        names, programmes = names_of({row.division for row in rows}, on), programme_names()
        acts = [("缴回不再发放的款", reverse("money-givable"))] if may(by, propose_giving_back) else []
        acts += [("登记拨入、结余或利息缴回", reverse("money-new"))] if may(by, giving_back.propose_money) else []
        return Listing(
            "缴回和拨入", "专户的钱只能发给对象，或原路退回。凭缴款书提出，另一人凭银行回单确认后记账，指标随之退回。", "money",
            [Head("凭据", paper=40), Head("种类", paper=24), Head("专户", paper=24), Head("补贴项目", paper=36),
             Head("金额（元）", "fen", 26), Head("原因"), Head("银行回单", paper=34), Head("状态", paper=20)],
            [
                [Cell(row.document_no, reverse("money-move", args=[row.pk])), row.get_kind_display(),
                 names.get(row.division, row.division), programmes.get(row.programme, row.programme), row.amount_fen, row.reason,
                 Cell(row.receipt_no, sub=row.booked_on.isoformat() if row.booked_on else ""),
                 Cell(row.get_state_display(), tone=_TONES[row.state], sub=row.refusal)]
                for row in rows
            ],
            "没有缴回或拨入。退汇的钱确定不再发放时，由乡镇财务结算员从这里提出缴回。", acts=acts, across=True, of_people=False,
            filters=[Filter("state", "状态", State.choices, state)], unit="单位：元",
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(frozenset(propose_giving_back.posts), reads=False)  # type: ignore[attr-defined]
def givable(request: Any) -> HttpResponse:
    """Applications with money that came back, or was held back after it had arrived."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        rows = back_queries.list_givable(by.prefix)
        names, programmes = names_of({row.division for row in rows}, on), programme_names()
        return Listing(
            "可以缴回的款", "退汇、缓发后还在专户里的钱。账户能更正的去重发；确定不再发放的，选出来缴回。", "money",
            [Head("拨款申请"), Head("乡镇", paper=30), Head("补贴项目", paper=40), Head("年度", paper=16),
             Head("拨付（元）", "fen", 30), Head("退汇、缓发", "count", 22), Head("还在专户（元）", "fen", 30)],
            [
                [Cell(f"第 {row.application} 号", reverse("money-back", args=[row.application])), names.get(row.division, row.division),
                 programmes.get(row.programme, row.programme), str(row.year), row.amount_fen, row.lines, row.lying_fen]
                for row in rows
            ],
            "没有退汇或缓发的款在专户里。", of_people=False, unit="单位：元",
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_giving_back.posts))  # type: ignore[attr-defined]
def back(request: Any, number: int) -> HttpResponse:
    """Pick the lines that will not be paid any more, and say why."""
    by, on = request.actor, request.business_date
    with reading(by):
        application = _application(number)
        lines = back_queries.list_lying(by.prefix, number)
        names, programmes = names_of({application.division}, on), programme_names()
    form = fund_forms.GiveBack(request.POST or None)
    chosen = set(ids_of(request.POST, back_queries.ROWS_MAX))

    def act() -> Outcome:
        if not chosen:
            raise BadInput("没有勾选", where="不再发放的行", remedy="请勾选后再提出")
        move = propose_giving_back(by=by, on=on, application_id=number, line_ids=sorted(chosen), **form.cleaned_data)
        return Outcome(
            f"已提出缴回 {money_sign(move.amount_fen)}", reverse("money-move", args=[move.pk]),
            "凭缴款书到银行办理；县财政凭银行回单确认后记账。",
        )  # fmt: skip

    context = {
        "section": "money", "application": application, "lines": lines, "names": names, "programmes": programmes,
        "chosen": chosen,
    }  # fmt: skip
    return answer(request, form, act, "workbench/money_back.html", context)


def _application(number: int) -> FundingApplication:
    found = FundingApplication.objects.select_related("allotment").filter(pk=number).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@page(frozenset(giving_back.propose_money.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    """Register what goes into a county's account, or a balance or interest that is given up."""
    by, on = request.actor, request.business_date
    with reading(by):
        accounts = SpecialAccount.objects.filter(kind=SpecialAccount.Kind.SPECIAL, division__startswith=by.prefix)
        places = [(row.division, row.name) for row in accounts.order_by("division")]
        programmes = programme_names()
    form = fund_forms.NewMoney(request.POST or None, places=places, programmes=programmes)

    def act() -> Outcome:
        move = giving_back.propose_money(by=by, on=on, **form.told())
        return Outcome(
            f"已登记{move.get_kind_display()} {money_sign(move.amount_fen)}", reverse("money-move", args=[move.pk]),
            "由财政复核放行岗凭银行回单确认后记账。",
        )  # fmt: skip

    context = {
        "section": "money", "title": "登记拨入、结余或利息缴回", "button": "登记", "back": reverse("money"),
        "lead": "拨入：财政专户拨到县级惠民资金专户。结余、利息缴回：专户的钱原路退回财政。",
    }  # fmt: skip
    return answer(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.BANK_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One of them; the second person holds the bank's receipt against it."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = MoneyMove.objects.select_related("application__allotment").filter(pk=number).first()
        if row is None:
            raise Http404
        lines = back_queries.list_named(row.items) if row.items else []
        context = {
            "section": "money", "row": row, "lines": lines, "names": names_of({row.division}, on),
            "programmes": programme_names(), "mine": row.proposed_by == by.appointment,
            "may_decide": row.state == State.PROPOSED and may(by, _decider(row)),
        }  # fmt: skip
    form = fund_forms.ConfirmMoney(request.POST or None)

    def act() -> Outcome:
        refuses = request.POST.get("outcome") == "refuse"
        told = form.cleaned_data
        if refuses and not told["refusal"].strip():
            raise BadInput("没有写退回的原因", where="退回的原因", remedy="请写明哪里不对")
        _decider(row)(by=by, on=on, number=number, **(told if refuses else told | {"refusal": ""}))
        return Outcome("已退回" if refuses else "已确认，凭证已记账", reverse("money-move", args=[number]))

    if request.method == "POST":
        return answer(request, form, act, "workbench/money_move.html", context)
    return render(request, "workbench/money_move.html", context | {"form": form})


def _decider(row: MoneyMove) -> Any:
    return confirm_giving_back if row.kind == Kind.BACK else giving_back.decide_money


@require_safe
@page(guard.BANK_READERS, reads=False)
def pay_routes(request: Any) -> HttpResponse:
    """By which way each programme is paid in each place, from when."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        rows = routes.list_routes()
        names, programmes = names_of({row.division for row in rows}, on), programme_names()
        return Listing(
            "支付方式", "没有另定的，从财政专户拨到乡镇惠民资金专户再发放。离得最近的地方优先，同一地方项目优先于全部。", "pay-routes",
            [Head("地方", paper=36), Head("补贴项目", paper=50), Head("支付方式"), Head("从哪天起", "date", 24), Head("文号", paper=50),
             Head("状态", paper=22)],
            [
                [Cell(names.get(row.division, row.division), reverse("pay-route", args=[row.pk])),
                 programmes.get(row.programme, row.programme) or "全部项目", row.get_route_display(), row.valid_from, row.document_no,
                 Cell(row.get_state_display(), tone=_ROUTE_TONES[row.state], sub=row.refusal)]
                for row in rows
            ],
            "没有另定支付方式，都从财政专户拨到乡镇专户。", of_people=False,
            acts=[("提出支付方式", reverse("pay-route-new"))] if may(by, routes.propose_route) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(routes.propose_route.posts))  # type: ignore[attr-defined]
def route_new(request: Any) -> HttpResponse:
    """Propose a route from a day on."""
    by: Actor = request.actor
    on = request.business_date
    with reading(by):
        places, programmes = [(by.division, by.office_name), *_places(by.division, by.level, on)], programme_names()
    form = fund_forms.NewRoute(
        request.POST or None, places=places, programmes=programmes, initial={"division": by.division, "valid_from": on}
    )

    def act() -> Outcome:
        row = routes.propose_route(by=by, on=on, **form.cleaned_data)
        return Outcome("已提出支付方式", reverse("pay-route", args=[row.pk]), "由财政复核放行岗复核后生效。")

    context = {
        "section": "pay-routes", "title": "提出支付方式", "button": "提出", "back": reverse("pay-routes"),
        "lead": "只影响以后提出的拨款申请；国库集中支付不经过专户，由财政零余额或专户账户直接发到对象。",
    }  # fmt: skip
    return answer(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.BANK_READERS)
def route(request: Any, number: int) -> HttpResponse:
    """One route; the second person holds it against the document."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = PayRoute.objects.filter(pk=number).first()
        if row is None:
            raise Http404
        context = {
            "section": "pay-routes", "row": row, "names": names_of({row.division}, on), "programmes": programme_names(),
            "mine": row.proposed_by == by.appointment,
            "may_decide": row.state == PayRoute.State.PROPOSED and may(by, routes.decide_route),
        }  # fmt: skip
    form = fund_forms.RefuseMany(request.POST or None)

    def act() -> Outcome:
        refusal = form.cleaned_data["refusal"].strip()
        refuses = request.POST.get("outcome") == "refuse"
        if refuses and not refusal:
            raise Refusal("没有写退回的原因", remedy="请写明哪里与文件不一致")
        routes.decide_route(by=by, on=on, number=number, refusal=refusal if refuses else "")
        return Outcome("已退回" if refuses else "支付方式已生效", reverse("pay-routes"))

    if request.method == "POST":
        return answer(request, form, act, "workbench/pay_route.html", context)
    return render(request, "workbench/pay_route.html", context | {"form": form})
