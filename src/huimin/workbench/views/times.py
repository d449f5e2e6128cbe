"""What is late and how long things take: by office, by step, by programme and place; what was told above (CASE-05)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases import escalating, lateness, queries
from huimin.cases.lateness import EscalationFilter
from huimin.cases.models import Case, Escalation
from huimin.cases.queries import CaseFilter
from huimin.divisions.queries import names_of
from huimin.organisation.acting import may, reading
from huimin.policy.queries import programme_names
from huimin.processes.language import LEVEL_WORDS
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.case_forms import TimeRule
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets
from huimin.workbench.views.cases import step_name
from huimin.workbench.views.reliefs import _answer as answer

SPEED_DAYS = 365
LATE_SHOWN, LATE_MAX, ESCALATIONS_MAX = 50, 1000, 1000
ABOVE = Escalation.Above.choices


@require_safe
@page(guard.STAFF)
def times(request: Any) -> HttpResponse:
    """What waits where, what is late, and how long things took: by office and step, by programme and place."""
    by, on, place = request.actor, request.business_date, chosen_place(request)
    seen, whole = programmes_seen(by), request.GET.get("export") == "xlsx"
    load = queries.load_of(place.prefix, on, seen)
    speeds = queries.list_speeds(place.prefix, on - timedelta(days=SPEED_DAYS), seen)
    wanted = CaseFilter(prefix=place.prefix, on=on, due="late", programmes=seen)
    late = queries.page_cases(wanted, size=LATE_MAX if whole else LATE_SHOWN)
    codes = {row.township for row in [*load.offices, *speeds] if row.township} | {row.division for row in late}
    places, names = names_of(codes, on), programme_names()
    if whole:
        return export_sheets(request, f"时限和快慢 {on}", _sheets(load, speeds, late.rows, places, names, on))
    context = {
        "section": "case-times", "place": place, "load": load, "speeds": speeds, "late": late, "places": places,
        "levels": LEVEL_WORDS, "names": names, "steps": {row.pk: step_name(row) for row in late}, "nav": _nav("case-times"),
        "may_escalate": may(by, escalating.escalate_overdue),
    }  # fmt: skip
    return render(request, "workbench/case_times.html", context)


def _sheets(
    load: queries.Load, speeds: Sequence[queries.Speed], late: Sequence[Case], places: dict[str, str],
    names: dict[str, str], on: Any,
) -> list[Sheet]:  # fmt: skip
    counts = [
        Column("在办", "count"),
        Column("已超期", "count"),
        Column("今天到期", "count"),
        Column("本周到期", "count"),
    ]
    offices = [
        (places.get(row.township, "县级"), LEVEL_WORDS[row.level], row.count, row.late, row.today, row.week, row.latest_days)
        for row in load.offices
    ]  # fmt: skip
    steps = [(row.name, row.count, row.late, row.today, row.week, row.earliest) for row in load.steps]
    overdue = [
        (row.number, names.get(row.programme, row.programme), places.get(row.division, row.division), step_name(row),
         row.step_due_on, (on - row.step_due_on).days)
        for row in late
    ]  # fmt: skip
    speed = [
        (names.get(row.programme, row.programme), places.get(row.township, row.township), row.count, f"{row.average:.1f}",
         row.ninth, row.worst, row.late, f"{row.late_percent} %", row.late_acts)
        for row in speeds
    ]  # fmt: skip
    return [
        Sheet("各级各地", [Column("地方", width=20), Column("轮到"), *counts, Column("最长超期（天）", "count", 16)], offices),
        Sheet("各步骤", [Column("步骤", width=24), *counts, Column("最早到期", "date")], steps),
        Sheet("已超期", [Column("编号", width=16), Column("项目", width=20), Column("地方", width=20), Column("停在", width=20),
                         Column("期限", "date"), Column("超期（天）", "count")], overdue),
        Sheet("一年来用了几天", [Column("项目", width=20), Column("乡镇", width=20), Column("办结", "count"), Column("平均（天）"),
                                  Column("九成在（天）内", "count", 16), Column("最长（天）", "count"), Column("有超期的件数", "count", 16),
                                  Column("超期比例"), Column("超期步骤", "count")], speed),
    ]  # fmt: skip


def _nav(here: str) -> list[tuple[str, str, bool]]:
    pages = (("case-times", "时限和快慢"), ("escalations", "督办"), ("time-rule", "几天报县"))
    return [(label, reverse(route), route == here) for route, label in pages]


@require_safe
@page(guard.STAFF, reads=False)
def escalations(request: Any) -> HttpResponse:
    """What was told above because it is late, whom, when, and what was answered."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        standing = one_of(request.GET, "standing", dict(lateness.STANDINGS), lateness.UNANSWERED)
        above = one_of(request.GET, "above", dict(ABOVE))
        wanted = EscalationFilter(place.prefix, on, above, standing, programmes_seen(by))
        found = lateness.page_escalations(
            wanted, "" if whole else request.GET.get("at", ""), ESCALATIONS_MAX if whole else 50
        )
        names, places = programme_names(), names_of({row.division for row in found}, on)
        return Listing(
            "督办", "超期的第二天提醒乡镇负责人，再超几个工作日报县惠民办；谁超期谁写明原因和新的期限，过了还没办成的直接报县。", "case-times",
            [Head("编号", paper=30), Head("项目", paper=30), Head("地方", paper=36), Head("没有按期", paper=30), Head("期限", "date", 22),
             Head("报给"), Head("报的日期", "date", 22), Head("答复"), Head("新的期限", "date", 22), Head("状态", paper=24)],
            [_escalation(row, names, places, on) for row in found], "没有这样的督办。", page=found, across=True, nav=_nav("escalations"),
            filters=[Filter("standing", "状态", lateness.STANDINGS, standing), Filter("above", "报给", ABOVE, above),
                     Filter("place", "地方", place.options, place.code)],
            acts=[("检查超期并督办", reverse("escalate"))] if may(by, escalating.escalate_overdue) else [],
            seats=["填表人", "负责人"],
        )  # fmt: skip

    return answer_listing(request, build)


def _escalation(row: Any, names: dict[str, str], places: dict[str, str], on: Any) -> list[Any]:
    case = row.case
    state = Cell("待答复", tone="late")
    if not row.standing:
        state = Cell("已办完", tone="done")
    elif row.answered_on:
        broken = row.promised_on < on
        state = Cell("答复的期限已过" if broken else "已答复，在办", tone="late" if broken else "soon")
    return [
        Cell(case.number, reverse("case", args=[case.pk])), names.get(case.programme, case.programme),
        places.get(row.division, row.division), matter_of(row, case), row.due_on,
        Cell(row.get_above_display(), sub=row.told or "没有人在岗"), row.raised_on,
        Cell(row.reason, sub=row.answerer), row.promised_on, state,
    ]  # fmt: skip


def matter_of(row: Escalation, case: Case) -> str:
    """What should have been done."""
    if row.matter != Escalation.Matter.STEP:
        return row.get_matter_display()
    return queries.way_of(case.process).step(row.step).name


@require_http_methods(["GET", "POST"])
@page(frozenset(escalating.escalate_overdue.posts))  # type: ignore[attr-defined]
def escalate(request: Any) -> HttpResponse:
    """The button beside what runs every day by itself."""
    by, on = request.actor, request.business_date

    def act() -> Outcome:
        raised = escalating.escalate_overdue(by=by, on=on)
        told = f"提醒乡镇负责人 {raised.heads} 件，报县惠民办 {raised.county} 件"
        then = f"{raised.unknown}，报县的天数没有计算。" if raised.unknown else "已报过的不再重复。"
        return Outcome(told, reverse("escalations"), then)

    context = {
        "section": "case-times", "title": "检查超期并督办？", "button": "检查并督办", "back": reverse("escalations"),
        "lead": "把辖区内今天已超期、还没有报过的，报给上一级。后台每天自动检查一次，不必天天来点。",
    }  # fmt: skip
    return answer(request, None, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.STAFF)
def rule(request: Any) -> HttpResponse:
    """After how many working days the county is told; everybody concerned reads it."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = escalating.find_time_rule(by.division)
    days = found.county_days if found else escalating.COUNTY_DAYS
    form = TimeRule(request.POST or None, initial={"county_days": days})

    def act() -> Outcome:
        escalating.set_time_rule(by=by, on=on, **form.cleaned_data)
        return Outcome("已保存", reverse("time-rule"), "从下一次检查起按新的规定报县。")

    context = {
        "section": "case-times", "rule": found, "days": days, "nav": _nav("time-rule"),
        "may_set": may(by, escalating.set_time_rule),
    }  # fmt: skip
    return answer(request, form, act, "workbench/time_rule.html", context)
