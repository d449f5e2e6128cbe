"""What townships decided, checked: rates by month, orders to put right; agencies; the county's own rate (CASE-08, SUP-02, SUP-03)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.samples import agencies as room
from huimin.samples import checking, drawing, queries
from huimin.samples.models import Agency, Order, SampleRate
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, seen_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.sample_forms import AnswerOrder, EndAgency, NewAgency, NewOrder, Rate, SettleOrder
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.samples import nav

MONTHS = 12
STATES = {"open": "soon", "answered": "soon", "settled": "done"}


@require_safe
@page(guard.SAMPLE_READERS, reads=False)
def ratings(request: Any) -> HttpResponse:
    """Where the township decides: how many of its decisions the county checked, by month, against what it must."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        since = add_months(month_start(on), -MONTHS)
        rows = queries.list_ratings(place.prefix, since, programmes_seen(by))
        names = names_of({row.township for row in rows}, on)
        return Listing(
            "乡镇抽查率", "乡镇自己审核确认的地方，县里每月抽查它的决定，查阅材料或入户；近 12 个月。", "samples",
            [Head("乡镇"), Head("月份", paper=20), Head("决定", "count", 18), Head("抽中", "count", 18), Head("已检查", "count", 18),
             Head("抽查率", paper=24), Head("有问题", "count", 18), Head("没有销号", "count", 20)],
            [_rating(row, names) for row in rows],
            "没有由乡镇决定的申请，或这里的流程没有事后抽查。", nav=nav(by, "sample-ratings"),
            filters=[Filter("place", "地方", place.options, place.code)], seats=["填表人", "负责人"],
        )  # fmt: skip

    return answer_listing(request, build)


def _rating(row: queries.Rating, names: dict[str, str]) -> list[Any]:
    enough = row.rate >= row.percent
    told = f"{row.rate}%，{'已达' if enough else '不足'} {row.percent}%"
    where = reverse("sample", args=[row.draw]) if row.draw else ""
    return [
        Cell(names.get(row.township, row.township), where), f"{row.month:%Y-%m}", row.decided, row.drawn, row.checked,
        Cell(told, tone="done" if enough else "late"), row.wrong, row.orders,
    ]  # fmt: skip


# Orders


@require_safe
@page(guard.SAMPLE_READERS, reads=False)
def orders(request: Any) -> HttpResponse:
    """What townships must put right, by deadline."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(Order.State.choices), "open")
        at = "" if whole else request.GET.get("at", "")
        found = queries.page_orders(place.prefix, state, at, 1000 if whole else 50)
        names = names_of({row.division for row in found}, on)
        return Listing(
            "整改", "事后抽查发现的问题：整改什么、几时前、怎么答复、销号没有。", "samples",
            [Head("乡镇", paper=30), Head("编号", paper=30), Head("整改要求"), Head("发出", "date", 22), Head("期限", "date", 22),
             Head("答复", paper=50), Head("状态", paper=22)],
            [_order(row, names, on) for row in found], "没有这样的整改。", nav=nav(by, "sample-orders"), page=found, across=True,
            filters=[Filter("state", "状态", Order.State.choices, state), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _order(row: Order, names: dict[str, str], on: Any) -> list[Any]:
    late = row.overdue(on)
    state = (
        Cell(f"超期 {(on - row.due_on).days} 天", tone="late")
        if late
        else Cell(row.get_state_display(), tone=STATES[row.state])
    )
    return [
        names.get(row.division, row.division), Cell(row.made.line.number, reverse("sample-order", args=[row.pk])), row.what,
        row.ordered_on, row.due_on, row.answer, state,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.SAMPLE_READERS)
def order(request: Any, number: int) -> HttpResponse:
    """One order: what it is about, its answer; the township answers, the county settles."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = queries.get_order(number)
        names, programmes = names_of({found.division}, on), programme_names()
    answers = may(by, checking.answer_order) and found.state == Order.State.OPEN
    settles = may(by, checking.settle_order) and found.state == Order.State.ANSWERED
    form = (SettleOrder if settles else AnswerOrder)(request.POST or None) if answers or settles else None
    where = reverse("sample-order", args=[number])

    def act() -> Outcome:
        if form is None:
            raise Refusal("这一件现在不由您办", why=found.get_state_display(), remedy="请刷新后查看")
        told = form.cleaned_data
        if settles:
            done = checking.settle_order(
                by=by,
                on=on,
                order_id=number,
                accepted=told["accepted"] == "yes",
                note=told["note"],
                due_on=told["due_on"],
            )
            return Outcome("已销号" if done.state == Order.State.SETTLED else "已退回继续整改", where)
        checking.answer_order(by=by, on=on, order_id=number, answer=told["answer"])
        return Outcome("已报整改情况", where, "县里核对后销号。")

    context = {
        "section": "samples", "nav": nav(by, "sample-orders"), "order": found, "line": found.made.line, "check": found.made,
        "places": names, "names": programmes, "settles": settles, "tone": STATES[found.state], "late": found.overdue(on),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_order.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(checking.order_rectification.posts))  # type: ignore[attr-defined]
def new_order(request: Any, number: int) -> HttpResponse:
    """After a check of a township's decision that found something wrong."""
    by, on = request.actor, request.business_date
    with reading(by):
        line = queries.get_line(number)
        made = getattr(line, "check_made", None)
    if made is None:
        raise Refusal("这一件还没有检查结果", remedy="请先登记检查结果")
    form = NewOrder(request.POST or None, initial={"what": made.found})

    def act() -> Outcome:
        told = form.cleaned_data
        done = checking.order_rectification(by=by, on=on, check_id=made.pk, what=told["what"], due_on=told["due_on"])
        return Outcome("已发整改通知", reverse("sample-order", args=[done.pk]), "乡镇的工作台上会显示。")

    context = {
        "section": "samples", "title": "限期整改", "button": "发整改通知", "back": reverse("sample-check", args=[number]),
        "lead": f"{line.number}：{made.get_result_display()}。乡镇按期整改、答复，县里核对后销号。",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


# Agencies and the county's own rate


@require_http_methods(["GET", "POST"])
@page(guard.SAMPLE_COUNTY)
def agencies(request: Any) -> HttpResponse:
    """Contracts, what each agency was given and found, what it costs; a new one."""
    by, on = request.actor, request.business_date
    with reading(by):
        works = queries.list_agencies(by.prefix, on)
        shares = queries.list_shares(by.prefix, add_months(month_start(on), -MONTHS))
    form = NewAgency(request.POST or None)

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        made = room.add_agency(by=by, on=on, fee_fen=told.pop("fee"), **told)
        return Outcome(f"已登记{made.name}", reverse("sample-agencies"), "抽签以后可以把抽中的委托给它。")

    context = {
        "section": "samples", "nav": nav(by, "sample-agencies"), "rows": [(work, work.agency.holds(on)) for work in works],
        "shares": shares, "may_add": may(by, room.add_agency), "all": sum(share.count for share in shares),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_agencies.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.end_agency.posts))  # type: ignore[attr-defined]
def end_agency(request: Any, number: int) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        found = Agency.objects.get(pk=number)
    form = EndAgency(request.POST or None)

    def act() -> Outcome:
        room.end_agency(by=by, on=on, agency_id=number, reason=form.cleaned_data["reason"])
        return Outcome(f"已终止{found.name}的合同", reverse("sample-agencies"), "没有交结果的收回县里检查。")

    context = {
        "section": "samples", "title": f"终止{found.name}的合同？", "button": "终止合同", "back": reverse("sample-agencies"),
        "warning": True, "lead": f"合同 {found.contract_no}，{found.valid_to} 到期。还没有结果的件收回，由县里检查或另行委托。",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.SAMPLE_COUNTY)
def rate(request: Any) -> HttpResponse:
    """The county checks more than the process asks, with its paper."""
    by, on = request.actor, request.business_date
    with reading(by):
        names = programme_names()
        rows = list(SampleRate.objects.filter(division=by.division).order_by("-id")[:100])
    form = Rate(request.POST or None, programmes=_choices(by, names))

    def act() -> Outcome:
        drawing.set_rate(by=by, on=on, **form.cleaned_data)
        return Outcome("已保存", reverse("sample-rate"), "以后冻结的名单按较高的比例。")

    context = {
        "section": "samples", "nav": nav(by, "sample-rate"), "rows": rows, "names": names, "may_set": may(by, drawing.set_rate),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_rate.html", context)


def _choices(by: Actor, names: dict[str, str]) -> list[tuple[str, str]]:
    mine = sorted(seen_of(by, names).items(), key=lambda each: each[1])
    return mine if programmes_seen(by) is not None else [("", "所有项目"), *mine]
