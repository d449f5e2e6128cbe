"""Rosters (单项清册): the list, one with its lines by village, compiling, and each step with its check (PAY-01, PAY-02)."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import Period, add_months, parse_period
from huimin.notices.models import Notice, Objection
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.commands import accrue_dues, compile_roster
from huimin.payment.finding_queries import FindingFilter, count_findings, freed_lines
from huimin.payment.models import Roster, RosterLine
from huimin.payment.papers.listing import LINES_MAX, gather_roster
from huimin.payment.queries import (
    EXPORT_MAX,
    STEPS,
    LineFilter,
    RosterFilter,
    Total,
    application_due_on,
    current_quarter,
    get_roster,
    iterate_lines,
    late_parts,
    lines_by_state,
    lines_by_village,
    list_batches_of,
    list_signatures,
    owed_without_roster,
    page_lines,
    page_rosters,
    publish_due_on,
    struck_at_signing,
    total_lines,
    total_rosters,
)
from huimin.policy.models import Programme
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, kept, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.spreadsheet import Column, export
from huimin.workbench.steps import ROSTER_STEPS, Step, find_step, offered, posts_of
from huimin.workbench.views.many import ROSTERS, tickable

WAY = dict(zip(STEPS, ("编制", "公示", "乡镇签批", "部门核定", "财政核定", "资金到位", "送银行", "办结"), strict=True))
FILTERS = ("programme", "state", "place")


@require_safe
@page(guard.PAYERS)
def listing(request: Any) -> HttpResponse:
    names = seen_of(request.actor, programme_names())
    place = chosen_place(request)
    wanted = RosterFilter(
        prefix=place.prefix,
        programme=one_of(request.GET, "programme", names),
        state=one_of(request.GET, "state", Roster.State.values),
        programmes=programmes_seen(request.actor),
    )
    page_of = page_rosters(wanted, request.GET.get("at", ""))
    ticks, steps = tickable(ROSTERS, request.actor, page_of.rows)
    totals = total_rosters(wanted)
    context = {
        "section": "rosters",
        "page": page_of,
        "ticks": ticks,
        "steps": steps,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "programmes": names,
        "place": place,
        "wanted": wanted,
        "states": Roster.State.choices,
        "totals": totals,
        "count": sum(total.count for total in totals),
        "amount_fen": sum(total.amount_fen for total in totals),
        "may_compile": may(request.actor, compile_roster),
        "may_accrue": may(request.actor, accrue_dues),
    }
    return render(request, "workbench/rosters.html", context)


@require_safe
@page(guard.PAYERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One roster: where it stands, its sums by village, its lines, who signed, what may be done with it here."""
    roster = get_roster(number)
    require_seen(request.actor, roster.programme)
    wanted = LineFilter(
        roster=number,
        village=request.GET.get("village", "") if request.GET.get("village", "").isdigit() else "",
        state=one_of(request.GET, "state", RosterLine.State.values),
        text=request.GET.get("q", "").strip()[:40],
    )
    if request.GET.get("export") == "xlsx":
        return _export(request, roster, wanted)
    villages = lines_by_village(number)
    page_of = page_lines(wanted, request.GET.get("at", ""))
    total = total_lines(wanted)
    codes = {row.group_code for row in page_of} | {total.key for total in villages}
    context = {
        "section": "rosters",
        "roster": roster,
        "programme": Programme.objects.get(code=roster.programme),
        "trail": chain_names(roster.division, request.business_date),
        "period": Period(roster.period_from, roster.period_until),
        "words": in_words(roster.sums.amount_fen),
        "way": _way(roster),
        "villages": villages,
        "places": names_of(codes, request.business_date),
        "states": [(total, RosterLine.State(total.key).label) for total in lines_by_state(number)],
        "line_states": RosterLine.State.choices,
        "wanted": wanted,
        "page": page_of,
        "late": late_parts(page_of.rows),
        "freed": freed_lines(page_of.rows),
        "total": total,
        "listed_out": total.listed - total.count,
        "signatures": list_signatures(f"roster:{roster.pk}"),
        "batches": list_batches_of(number),
        "notice": _notice_of(roster),
        "doubts": count_findings(FindingFilter(prefix=request.actor.prefix, roster=number)),
        "steps": offered(ROSTER_STEPS, request.actor, roster),
        "may_print": may(request.actor, gather_roster),
        "too_long": roster.lines_count > LINES_MAX,
        "lines_max": LINES_MAX,
        "query": kept(request.GET, "village", "state", "q"),
    }
    return render(request, "workbench/roster.html", context)


def _way(roster: Roster) -> list[dict[str, Any]]:
    """The steps with what was done when; the current one is the last that was reached. A reissue rests on those of its origin."""
    dates = {
        Roster.State.COMPILED: roster.compiled_on,
        Roster.State.PUBLISHED: roster.published_on,
        Roster.State.SIGNED: roster.signed_on,
        Roster.State.DEPARTMENT_CONFIRMED: roster.department_on,
        Roster.State.CONFIRMED: roster.finance_on,
    }
    reached = STEPS.index(roster.state) if roster.state in STEPS else -1
    taken_over = list(dates)[1:] if roster.origin_id else []
    return [
        {
            "label": WAY[state],
            "on": dates.get(state) if number <= reached and state not in taken_over else None,
            "taken_over": state in taken_over,
            "tone": "now" if number == reached else "did" if number < reached else "",
        }
        for number, state in enumerate(STEPS)
    ]


def _notice_of(roster: Roster) -> dict[str, Any] | None:
    """How the publicity of a roster stands: notices, last day, objections that wait."""
    notices = Notice.objects.filter(subject=f"roster:{roster.pk}").exclude(state=Notice.State.WITHDRAWN)
    last = notices.order_by("-ends_on").first()
    if last is None:
        return None
    waiting = Objection.objects.filter(notice__in=notices, state=Objection.State.OPEN).count()
    return {"count": notices.count(), "ends_on": last.ends_on, "may_end_on": last.may_end_on, "waiting": waiting}


def _export(request: Any, roster: Roster, wanted: LineFilter) -> HttpResponse:
    if (found := total_lines(wanted).listed) > EXPORT_MAX:
        raise BadInput(
            f"有 {found:,} 行，一个工作簿最多 {EXPORT_MAX:,} 行", where="导出", remedy="请先选一个村，按村导出"
        )
    columns = (
        Column("行号", "text", 8), Column("村（组）", width=18), Column("户编码", width=22), Column("姓名", width=12),
        Column("人口", "text", 8), Column("数量", width=12), Column("本期应发（元）", "fen"), Column("补发（元）", "fen"), Column("前期未编入（元）", "fen"), Column("抵扣（元）", "fen"), Column("金额（元）", "fen"), Column("账户尾号", width=10),
        Column("状态", width=12), Column("缓发原因", width=20),
    )  # fmt: skip
    places: dict[str, str] = {}

    def rows() -> Any:
        for line, arrears_fen, left_fen in iterate_lines(wanted):
            if line.group_code not in places:
                places.update(names_of({line.group_code}, request.business_date) or {line.group_code: line.group_code})
            yield (
                line.line_no, places[line.group_code], line.household.household_no, line.name, line.people,
                line.quantity, line.base_fen, arrears_fen, left_fen, line.withheld_fen, line.amount_fen, line.card.account_tail if line.card else "", line.get_state_display(),
                line.withheld_reason,
            )  # fmt: skip

    name = programme_names().get(roster.programme, roster.programme)
    place = names_of({roster.division}, request.business_date).get(roster.division, roster.division)
    period = Period(roster.period_from, roster.period_until)
    return export(request, f"{place} {name} {period} 清册", columns, rows())


@require_http_methods(["GET", "POST"])
@page(posts_of(ROSTER_STEPS))
def step(request: Any, number: int, key: str) -> HttpResponse:
    """The check before a step of a roster, and the step."""
    chosen = find_step(ROSTER_STEPS, key)
    if chosen is None:
        raise Http404
    if request.method == "POST":
        return once(request, lambda: _take(request, chosen, number))
    roster = get_roster(number)
    lines = total_lines(LineFilter(number, state="returned" if key == "reissue" else ""))
    struck = struck_at_signing(number) if key == "sign" else Total("", 0, 0)
    amount_fen = lines.amount_fen - struck.amount_fen
    context = {
        "section": "rosters",
        "step": chosen,
        "roster": roster,
        "title": programme_names().get(roster.programme, roster.programme),
        "trail": chain_names(roster.division, request.business_date),
        "period": Period(roster.period_from, roster.period_until),
        "lines": lines.count - struck.count,
        "amount_fen": amount_fen,
        "words": in_words(amount_fen),
        "struck": struck,
        "notice": _notice_of(roster),
        "hindrance": chosen.hindrance(request.actor, roster),
        "back": reverse("roster", args=[number]),
    }
    return render(request, "workbench/roster_step.html", context)


def _take(request: Any, chosen: Step, number: int) -> Outcome:
    made = chosen.act(by=request.actor, on=request.business_date, roster_id=number)
    where = reverse("roster", args=[number])
    if chosen.key == "prepare":
        where = reverse("batch", args=[made.pk])
    if chosen.key == "reissue":
        where = reverse("roster", args=[made.pk])
    return Outcome(chosen.done, where, chosen.then)


@require_http_methods(["GET", "POST"])
@page(frozenset(compile_roster.posts))  # type: ignore[attr-defined]
def compile_(request: Any) -> HttpResponse:
    """What is owed for a period and on no roster yet, by programme; compile one."""
    by: Actor = request.actor
    source = request.POST if request.method == "POST" else request.GET
    period = period_of(source.get("period", ""), request.business_date)
    if request.method == "POST":
        return once(request, lambda: _compile(request, period))
    names = programme_names()
    everything = owed_without_roster(by.prefix, period, request.business_date)
    owed = [each for each in everything if each.programme in by.programmes]
    context = {
        "section": "rosters",
        "period": period,
        "period_text": period_text(period),
        "periods": period_choices(request.business_date),
        "owed": owed,
        "programmes": names,
        "publish_due": publish_due_on(period),
        "application_due": application_due_on(period),
    }
    return render(request, "workbench/compile.html", context)


def _compile(request: Any, period: Period) -> Outcome:
    by = request.actor
    roster = compile_roster(
        by=by,
        on=request.business_date,
        programme=request.POST.get("programme", ""),
        division=by.division,
        period=period,
    )
    what = f"已编制清册：{roster.lines_count:,} 行，合计 ¥{yuan(roster.amount_fen)}"
    return Outcome(what, reverse("roster", args=[roster.pk]), "请核对后由审核员公示。没有可用账户的在待处理里。")


@require_http_methods(["GET", "POST"])
@page(frozenset(accrue_dues.posts))  # type: ignore[attr-defined]
def dues(request: Any) -> HttpResponse:
    """Add what the office's programmes owe for a period; repeating it adds nothing."""
    by: Actor = request.actor
    source = request.POST if request.method == "POST" else request.GET
    period = period_of(source.get("period", ""), request.business_date)
    if request.method == "POST":
        return once(request, lambda: _accrue(request, period))
    names = programme_names()
    owed = {each.programme: each for each in owed_without_roster(by.prefix, period, request.business_date)}
    context = {
        "section": "rosters",
        "period": period,
        "period_text": period_text(period),
        "periods": period_choices(request.business_date),
        "rows": [(code, names[code], owed.get(code)) for code in by.programmes if code in names],
    }
    return render(request, "workbench/dues.html", context)


def _accrue(request: Any, period: Period) -> Outcome:
    programme = request.POST.get("programme", "")
    with reading(request.actor):
        name = programme_names().get(programme)
    if name is None:
        raise Refusal("没有选补贴项目", remedy="请从列表选择")
    added = accrue_dues(by=request.actor, on=request.business_date, programme=programme, period=period)
    what = f"{name}：已生成 {period} 应发 {added:,} 笔" if added else f"{name}：{period}没有新的应发"
    return Outcome(what, reverse("dues") + f"?period={period_text(period)}", "由各乡镇统计员编制清册。")


def period_of(text: str, on: date) -> Period:
    """A quarter, half a year or a year; the current quarter when nothing (or nothing sensible) is asked for."""
    try:
        return parse_period(text, where="期间") if text else current_quarter(on)
    except BadInput:
        return current_quarter(on)


def period_text(period: Period) -> str:
    """`2021Q3`, as addresses name a quarter; `2021-07/2021-12` for what is longer."""
    if period.months == 3:
        return f"{period.start.year}Q{(period.start.month + 2) // 3}"
    return f"{period.start:%Y-%m}/{add_months(period.until, -1):%Y-%m}"


def period_choices(on: date) -> list[tuple[str, str]]:
    """This quarter, the one before and the one after; and for what is paid or told by longer ones, this half-year and year and the last."""
    starts = [add_months(current_quarter(on).start, months) for months in (-3, 0, 3)]
    around = [Period(start, add_months(start, 3)) for start in starts]
    half, year = date(on.year, 1 if on.month < 7 else 7, 1), date(on.year, 1, 1)
    for start, months in ((half, 6), (year, 12)):
        around += [Period(first, add_months(first, months)) for first in (start, add_months(start, -months))]
    return [(period_text(each), str(each)) for each in around]
