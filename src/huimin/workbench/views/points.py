"""Monitoring points at the desk: notes from the phone, problems on their way, the quarter's reports (ORG-04)."""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.fieldwork import point_queries as queries
from huimin.fieldwork import points as room
from huimin.fieldwork.models import PointNote, PointReport
from huimin.fieldwork.point_queries import NoteFilter
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period, add_months, quarter
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.registry.models import Household
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.field_forms import Answer, NewNote, Reason, Report
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

STATES = [
    ("waiting", "待答复"), ("late", "逾期未答复"), ("answered", "已答复"), ("noted", "只是记录"),
]  # fmt: skip
KINDS = PointNote.Kind.choices
_NAMES_MAX = 2000


def _nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [("points", "民生信息"), ("point-places", "各地"), ("point-reports", "按季上报")]
    return [(label, reverse(route), route == here) for route, label in pages]


@require_safe
@page(guard.FIELD_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """What the villages recorded, the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(STATES))
        kind, at = one_of(request.GET, "kind", dict(KINDS)), one_of(request.GET, "at_level", PointNote.At.values)
        wanted = NoteFilter(place.prefix, kind, "" if state == "late" else state, at, on if state == "late" else None)
        found = None if whole else queries.page_notes(wanted, request.GET.get("at", ""))
        rows = list(queries.iterate_notes(wanted)) if found is None else found.rows
        names = names_of(set(list({row.division for row in rows})[:_NAMES_MAX]), on)
        return Listing(
            "民生信息", "村信息员记录的事；要上级解决的，逐级答复，记录的人看得到。", "points",
            [Head("情况"), Head("类别", paper=26), Head("村", paper=30), Head("发生", "date", 24), Head("状态", paper=30)],
            [_note(row, names, on) for row in rows], "没有这样的信息。村信息员点“记一条”，从手机上也能记。",
            nav=_nav("points"), page=found, seats=["填表人", "负责人"],
            filters=[Filter("state", "状态", STATES, state), Filter("kind", "类别", KINDS, kind),
                     Filter("at_level", "等谁答复", PointNote.At.choices, at), Filter("place", "地方", place.options, place.code)],
            acts=[("记一条", reverse("point-new"))] if may(by, room.record_note) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _note(row: PointNote, names: dict[str, str], on: Any) -> list[Any]:
    told = Cell(row.text[:60], reverse("point", args=[row.pk]), sub="紧急" if row.urgent else "")
    return [told, row.get_kind_display(), names.get(row.division, row.division), row.happened_on, _state(row, on)]


def _state(row: PointNote, on: Any) -> Cell:
    if row.state == PointNote.State.WAITING:
        words = f"等{row.get_stands_at_display()}答复"
        late = row.overdue(on)
        return Cell(words, tone="late" if late else "soon", sub=f"{row.due_on} 前" if row.due_on else "")
    return Cell(row.get_state_display(), tone="done" if row.state == PointNote.State.ANSWERED else "plain")


@require_safe
@page(guard.FIELD_READERS, reads=False)
def places(request: Any) -> HttpResponse:
    """How much each township or village recorded, and what waits."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        digits = int(Level.TOWNSHIP if len(place.prefix) < int(Level.TOWNSHIP) else Level.VILLAGE)
        counts = queries.count_by_village(place.prefix, digits)
        names = names_of(set(counts), on)
        return Listing(
            "各地民生信息", "记录多少，紧急多少，还有多少等答复。", "points",
            [Head("地方"), Head("记录", "count", 26), Head("紧急", "count", 26), Head("待答复", "count", 26)],
            [[Cell(names.get(code, code), f"{reverse('points')}?place={code}"), *numbers] for code, numbers in counts.items()],
            "还没有记录。", nav=_nav("point-places"), filters=[Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.record_note.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    """One note, on a phone in the rain."""
    by, on = request.actor, request.business_date
    form = NewNote(request.POST or None, initial={"happened_on": on.isoformat(), "asks": "no", "urgent": "no"})

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        home = household_of(by, told.pop("household_no"))
        asks, urgent = told.pop("asks") == "yes", told.pop("urgent") == "yes"
        made = room.record_note(by=by, on=on, household=home, asks=asks, urgent=urgent, **told)
        then = "乡镇的工作台会提醒。" if asks else "季末一起上报。"
        return Outcome("已记下", reverse("point", args=[made.pk]), then)

    context = {"section": "points", "title": "记一条民生信息", "button": "记下", "back": reverse("points")}
    return answer_form(request, form, act, "workbench/field_form.html", context)


def household_of(by: Actor, number: str) -> int | None:
    """The household with this number in the place of `by`; None when none was typed."""
    if not number.strip():
        return None
    with reading(by):
        found = (
            Household.objects.filter(household_no=number.strip(), closed_on=None).values_list("pk", flat=True).first()
        )
    if found is None:
        raise BadInput("没有这一户", where="户编码", why="不存在、已注销，或不在您的辖区内", remedy="请从家庭列表核对")
    return int(found)


@require_http_methods(["GET", "POST"])
@page(guard.FIELD_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One note with its way; the level it stands at answers it or hands it up."""
    by, on = request.actor, request.business_date
    with reading(by):
        try:
            row = queries.get_note(number)
        except PointNote.DoesNotExist:
            raise Http404 from None
        steps, trail = queries.list_steps(number), chain_names(row.division, on)
    up = request.POST.get("act") == "up"
    reason, answer = (
        Reason(request.POST if up else None),
        Answer(request.POST if request.method == "POST" and not up else None),
    )

    def act() -> Outcome:
        where = reverse("point", args=[number])
        if up:
            room.escalate_note(by=by, on=on, note=number, **reason.cleaned_data)
            return Outcome("已上转", where, "等上一级答复。")
        room.answer_note(by=by, on=on, note=number, **answer.cleaned_data)
        return Outcome("已答复", where, "记录的信息员会看到。")

    context = {
        "section": "points", "row": row, "steps": steps, "trail": trail, "reason": reason, "answer": answer,
        "may_answer": room.may_answer(by, row), "top": row.stands_at == PointNote.At.ABOVE, "late": row.overdue(on),
        "nav": _nav("points"),
    }  # fmt: skip
    return answer_form(request, reason if up else answer, act, "workbench/point.html", context)


def _quarters(on: Any) -> list[tuple[str, str]]:
    """The quarter of the day and the four before it."""
    start = quarter(on.year, (on.month + 2) // 3).start
    starts = [add_months(start, -3 * back) for back in range(5)]
    return [(f"{each.year}Q{(each.month + 2) // 3}", str(_period(each.year, (each.month + 2) // 3))) for each in starts]


def _period(year: int, number: int) -> Period:
    return quarter(year, number)


def _chosen_quarter(request: Any) -> tuple[int, int]:
    choices = dict(_quarters(request.business_date))
    usual = next(iter(choices))
    year, number = (one_of(request.GET, "quarter", choices, usual) or usual).split("Q")
    return int(year), int(number)


@require_safe
@page(guard.FIELD_READERS, reads=False)
def reports(request: Any) -> HttpResponse:
    """A quarter's reports of the level beneath one's own (a village sees its own): submitted, late, missing."""
    by, on = request.actor, request.business_date
    year, number = _chosen_quarter(request)
    period = quarter(year, number)
    of = Level.TOWNSHIP if by.level < Level.TOWNSHIP else Level.VILLAGE

    def build(whole: bool) -> Listing:
        found = queries.list_reports(by.prefix, of, year, number)
        missing = room.missing_reports(by, of, year, number, on) if by.level < Level.VILLAGE else []
        due = room.report_due_on(by.division, period)
        own = queries.find_report(by.division, year, number)
        names = names_of({row.division for row in found}, on)
        rows = [[Cell(each.name), None, due, None, _missing(due, on)] for each in missing]
        rows += [_report(row, names) for row in found]
        late = sum(row.late for row in found) + (len(missing) if on > due else 0)
        return Listing(
            f"{period}监测信息上报", f"村按季报乡镇，乡镇汇总报县；期限 {due}。", "points",
            [Head("地方"), Head("信息（条）", "count", 26), Head("期限", "date", 26), Head("上报", "date", 26), Head("状态", paper=26)],
            rows, "这一级还没有上报。", nav=_nav("point-reports"), seats=["填表人", "负责人"],
            filters=[Filter("quarter", "季度", _quarters(on), f"{year}Q{number}", True)],
            figures=[("已上报", f"{len(found):,}", ""), ("未上报", f"{len(missing):,}", ""), ("逾期", f"{late:,}", "late" if late else "")],
            acts=_report_acts(by, own, year, number),
        )  # fmt: skip

    return answer_listing(request, build)


def _missing(due: Any, on: Any) -> Cell:
    return Cell("逾期未报", tone="late") if on > due else Cell("未上报", tone="soon")


def _report(row: PointReport, names: dict[str, str]) -> list[Any]:
    state = Cell("逾期上报", tone="late") if row.late else Cell("已上报", tone="done")
    place = Cell(names.get(row.division, row.division), reverse("point-report", args=[row.pk]))
    return [place, row.notes_count, row.due_on, row.submitted_on, state]


def _report_acts(by: Actor, own: PointReport | None, year: int, number: int) -> list[tuple[str, str]]:
    if own is not None:
        return [("本级的上报", reverse("point-report", args=[own.pk]))]
    return [("上报这一季", reverse("point-submit", args=[year, number]))] if may(by, room.submit_report) else []


@require_http_methods(["GET", "POST"])
@page(frozenset(room.submit_report.posts))  # type: ignore[attr-defined]
def submit(request: Any, year: int, number: int) -> HttpResponse:
    """What the report will hold; then it is submitted, signed."""
    if number not in (1, 2, 3, 4):
        raise Http404
    by, on = request.actor, request.business_date
    with reading(by):
        counts = room.counts_of(by, year, number)
        missing = room.missing_reports(by, Level.VILLAGE, year, number, on) if by.level < Level.VILLAGE else []
    form = Report(request.POST or None)

    def act() -> Outcome:
        made = room.submit_report(by=by, on=on, year=year, number=number, **form.cleaned_data)
        return Outcome(f"已上报 {made.notes_count} 条", reverse("point-report", args=[made.pk]), "由您签名，不再变。")

    lead = f"{quarter(year, number)}，共 {sum(each[0] for each in counts.values())} 条。"
    if missing:
        lead += f"还有 {len(missing)} 个村没有上报：{'、'.join(each.name for each in missing[:10])}。"
    context = {
        "section": "points",
        "title": "上报监测信息",
        "lead": lead,
        "button": "签名并上报",
        "back": reverse("point-reports"),
    }
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_safe
@page(guard.FIELD_READERS, reads=False)
def report(request: Any, number: int) -> HttpResponse:
    """One report by kind, as it was signed."""
    with reading(request.actor):
        row = PointReport.objects.select_related("signature").filter(pk=number).first()
        if row is None:
            raise Http404
        place = "".join(chain_names(row.division, request.business_date)[2:])
    return answer_listing(request, _report_listing(row, place), "workbench/point_report.html", report=row)


def _report_listing(row: PointReport, place: str) -> Callable[[bool], Listing]:
    labels = dict(KINDS)

    def build(_: bool) -> Listing:
        return Listing(
            f"{place}{quarter(row.year, row.quarter)}监测信息", f"{row.submitted_on} 上报，期限 {row.due_on}。", "points",
            [Head("类别"), Head("记录", "count", 34), Head("紧急", "count", 34), Head("上报时待答复", "count", 34)],
            [[labels.get(kind, kind), *numbers] for kind, numbers in sorted(row.counts.items())],
            "这一季没有记录。", nav=_nav("point-reports"), seats=["信息员", "负责人（签字）", "日期"],
            lines=[row.text] if row.text else [],
        )  # fmt: skip

    return build
