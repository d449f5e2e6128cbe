"""Reads of cases: what waits for whom and how long, one case whole, how fast places are; inside `reading(by)` (CASE-05).

Counts are one statement over the index of live cases, however many there are; lists page by key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from huimin.cases.evidence import Held, look_for
from huimin.cases.models import FAR, Case, CaseAct, CaseLine, CasePaper
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.places import Level
from huimin.notices.models import Notice, Objection
from huimin.organisation.acting import Actor
from huimin.organisation.models import Appointment
from huimin.processes.language import Demand, Step
from huimin.processes.models import Process
from huimin.processes.queries import way_of

DUE = {"late": "已超期", "today": "今天到期", "week": "本周到期"}
State = Case.State


@dataclass(frozen=True)
class CaseFilter:
    """Which cases: beneath `prefix`; live ones, those over (`state`), at a step, due in a window, of some processes' steps."""

    prefix: str
    on: date
    programmes: tuple[str, ...] | None = None
    programme: str = ""
    state: str = ""
    step: str = ""
    due: str = ""
    mine: tuple[tuple[int, str], ...] | None = None

    def rows(self) -> QuerySet[Case]:
        first, until = scope_of(self.prefix)
        rows = Case.objects.filter(division__gte=first, division__lt=until)
        rows = rows.filter(state=self.state) if self.state else rows.exclude(step="")
        rows = rows.filter(programme=self.programme) if self.programme else rows
        rows = rows.filter(programme__in=self.programmes) if self.programmes is not None else rows
        rows = rows.filter(step=self.step) if self.step else rows
        rows = rows.filter(_within(self.due, self.on)) if self.due in DUE else rows
        return rows.filter(_of_steps(self.mine)) if self.mine is not None else rows


def _within(window: str, on: date) -> Q:
    sunday = on + timedelta(days=7 - on.isoweekday())
    return {
        "late": Q(step_due_on__lt=on), "today": Q(step_due_on=on),
        "week": Q(step_due_on__gt=on, step_due_on__lte=sunday),
    }[window]  # fmt: skip


def _of_steps(pairs: Sequence[tuple[int, str]]) -> Q:
    found = Q(pk=None)
    for process, step in pairs:
        found |= Q(process=process, step=step)
    return found


def page_cases(wanted: CaseFilter, place: str = "", size: int = SIZE) -> Page[Case]:
    """By deadline, the earliest first; what is over newest first.

    A page is chosen from the cases alone and what they name is read after: joined before, every case of a county's list
    would be looked up for the fifty that are shown.
    """
    order = ("-id",) if wanted.state in (State.GRANTED, *_OVER) else ("step_due_on", "id")
    page = cut(wanted.rows().only("id", "step_due_on"), order, place, size)
    rows = Case.objects.select_related("household", "person", "process").in_bulk([row.pk for row in page.rows])
    return Page([rows[row.pk] for row in page.rows], page.previous, page.next)


_OVER = (State.REFUSED, State.OUT_OF_SCOPE, State.WITHDRAWN)


def processes_in_use() -> dict[int, Process]:
    """Versions in use, and past ones that live cases may still follow."""
    return {row.pk: row for row in Process.objects.order_by("-id")[:400]}


def steps_of(by: Actor, processes: dict[int, Process] | None = None) -> dict[tuple[int, str], Step]:
    """Every step of every version that `by` acts at."""
    found = processes_in_use() if processes is None else processes
    return {
        (number, step.key): step
        for number, row in found.items()
        if row.subject != Process.Subject.PROPOSALS
        for step in way_of(row).steps
        if step.may(by.post, by.level)
    }


@dataclass(frozen=True)
class Waiting:
    """How many cases stand at steps of one name: all, overdue, due today, due in the rest of the week, the earliest day."""

    step: str
    name: str
    count: int
    late: int
    today: int
    week: int
    earliest: date | None


_WAITING = """
SELECT process_id, step, count(*), count(*) FILTER (WHERE step_due_on < %(on)s),
       count(*) FILTER (WHERE step_due_on = %(on)s),
       count(*) FILTER (WHERE step_due_on > %(on)s AND step_due_on <= %(sunday)s), min(step_due_on)
FROM cases_case
WHERE step <> '' AND division >= %(low)s AND division < %(high)s AND process_id = ANY (%(processes)s) AND step = ANY (%(steps)s)
  AND (%(programmes)s::text[] IS NULL OR programme = ANY (%(programmes)s))
GROUP BY 1, 2
"""


def list_waiting(by: Actor, on: date, programmes: tuple[str, ...] | None = None) -> list[Waiting]:
    """What waits for the post of `by` in its place, step by step; one statement."""
    mine = steps_of(by)
    if not mine:
        return []
    low, high = scope_of(by.prefix)
    asked = {
        "on": on, "sunday": on + timedelta(days=7 - on.isoweekday()), "low": low, "high": high,
        "processes": sorted({number for number, _ in mine}), "steps": sorted({key for _, key in mine}),
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip
    sums: dict[str, list[Any]] = {}
    for process, step, *counts, earliest in fetch(_WAITING, asked):
        if (process, step) in mine:
            before = sums.setdefault(step, [mine[process, step].name, 0, 0, 0, 0, FAR])
            before[1:5] = [a + b for a, b in zip(before[1:5], counts, strict=True)]
            before[5] = min(before[5], earliest)
    rows = [Waiting(step, *told[:5], None if told[5] == FAR else told[5]) for step, told in sums.items()]
    return sorted(rows, key=lambda row: (row.earliest or FAR, row.step))


@dataclass(frozen=True)
class OfficeLoad:
    """What waits at one level of one township (or the county, with an empty code)."""

    township: str
    level: Level
    count: int
    late: int
    today: int
    week: int
    latest_days: int


# Grouped first in the order of the index case_desk, by whole divisions: half of what cutting the township out of each case costs.
_LOAD = """
SELECT substr(division, 1, 9), process_id, step, sum(n)::int, sum(late)::int, sum(today)::int, sum(week)::int, min(first) FROM (
    SELECT division, process_id, step, count(*) AS n, count(*) FILTER (WHERE step_due_on < %(on)s) AS late,
           count(*) FILTER (WHERE step_due_on = %(on)s) AS today,
           count(*) FILTER (WHERE step_due_on > %(on)s AND step_due_on <= %(sunday)s) AS week, min(step_due_on) AS first
    FROM cases_case WHERE step <> '' AND division >= %(low)s AND division < %(high)s
      AND (%(programmes)s::text[] IS NULL OR programme = ANY (%(programmes)s)) GROUP BY process_id, step, division
) AS places GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Load:
    """What is under way beneath a place, put together by office and by step; the most overdue first."""

    offices: list[OfficeLoad]
    steps: list[Waiting]


def load_of(prefix: str, on: date, programmes: tuple[str, ...] | None = None) -> Load:
    """By township and the level that acts now, and by step; one statement."""
    low, high = scope_of(prefix)
    asked = {
        "on": on, "sunday": on + timedelta(days=7 - on.isoweekday()), "low": low, "high": high,
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip
    ways = {number: way_of(row) for number, row in processes_in_use().items()}
    offices: dict[tuple[str, Level], list[Any]] = {}
    steps: dict[tuple[str, str], list[Any]] = {}
    for township, process, step, *counts, earliest in fetch(_LOAD, asked):
        standing = ways[process].step(step)
        level = standing.acting[0].level
        where = ("" if level == Level.COUNTY else township.ljust(12, "0"), level)
        _add(offices.setdefault(where, [0, 0, 0, 0, FAR]), counts, earliest)
        _add(steps.setdefault((step, standing.name), [0, 0, 0, 0, FAR]), counts, earliest)
    by_office = [OfficeLoad(*where, *told[:4], max((on - told[4]).days, 0)) for where, told in offices.items()]
    by_step = [Waiting(*which, *told[:4], None if told[4] == FAR else told[4]) for which, told in steps.items()]
    return Load(
        sorted(by_office, key=lambda row: (-row.late, -row.count, row.township, row.level)),
        sorted(by_step, key=lambda row: (-row.late, row.earliest or FAR, row.step)),
    )


def _add(sums: list[Any], counts: Sequence[int], earliest: date) -> None:
    sums[:4] = [a + b for a, b in zip(sums[:4], counts, strict=True)]
    sums[4] = min(sums[4], earliest)


def load_by_office(prefix: str, on: date) -> list[OfficeLoad]:
    """By township and the level that acts now, the most overdue first."""
    return load_of(prefix, on).offices


@dataclass(frozen=True)
class Speed:
    """How long cases of a programme took at a township, from acceptance to decision, in days: on average, nine of ten, the
    worst; of how many a step was late, and how many steps."""

    programme: str
    township: str
    count: int
    average: float
    ninth: int
    worst: int
    worst_case: int
    late: int
    late_acts: int

    @property
    def late_percent(self) -> int:
        return round(100 * self.late / self.count)


_SPEED = """
WITH ended AS (
    SELECT c.id, c.programme, substr(c.division, 1, 9) AS township, c.decided_on - c.accepted_on AS days
    FROM cases_case c WHERE c.decided_on >= %(since)s AND c.accepted_on IS NOT NULL
      AND c.division >= %(low)s AND c.division < %(high)s
      AND (%(programmes)s::text[] IS NULL OR c.programme = ANY (%(programmes)s))
), late AS (
    SELECT a.case_id, count(*) AS acts FROM cases_caseact a JOIN ended e ON e.id = a.case_id
    WHERE a.acted_on > a.due_on GROUP BY 1
)
SELECT e.programme, e.township, count(*), avg(e.days)::float, percentile_disc(0.9) WITHIN GROUP (ORDER BY e.days),
       max(e.days), (array_agg(e.id ORDER BY e.days DESC, e.id))[1], count(l.acts)::int, coalesce(sum(l.acts), 0)::int
FROM ended e LEFT JOIN late l ON l.case_id = e.id GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 400
"""


def list_speeds(prefix: str, since: date, programmes: tuple[str, ...] | None = None) -> list[Speed]:
    """Programmes and townships, the slowest first, of what was decided since a day; one statement."""
    low, high = scope_of(prefix)
    seen = None if programmes is None else list(programmes)
    rows = fetch(_SPEED, {"since": since, "low": low, "high": high, "programmes": seen})
    return [Speed(row[0], row[1].ljust(12, "0"), *row[2:]) for row in rows]


def _published_as() -> Concat:
    """The subject of a case's notice at the step it stands at, in SQL; as Case.notice_subject says it."""
    text = [Cast(each, CharField()) for each in ("pk", "round")]
    return Concat(Value("case:"), text[0], Value(":"), text[1], Value(":"), "step", output_field=CharField())


def list_to_publish(by: Actor, rows_max: int = 200) -> list[Case]:
    """Cases that `by` should put on notice now, by programme, step and village; those another answers for are his."""
    pairs = [key for key, step in steps_of(by).items() if any(each.kind == "公示" for each in step.demands)]
    first, until = scope_of(by.prefix)
    live = Notice.objects.filter(subject=OuterRef("subject_now")).exclude(state=Notice.State.WITHDRAWN)
    others = Appointment.objects.filter(post=by.post, office=by.office).exclude(pk=by.appointment).values("pk")
    rows = Case.objects.filter(
        _of_steps(pairs), division__gte=first, division__lt=until, state__in=(State.OPEN, State.GRANTED)
    )
    rows = rows.exclude(Q(responsible__in=others) & ~Q(stand_in=by.appointment))
    rows = (
        rows.alias(subject_now=_published_as()).filter(~Exists(live)).select_related("household", "person", "process")
    )
    return list(rows.order_by("programme", "step", "division", "id")[:rows_max])


def list_upheld(by: Actor, rows_max: int = 60) -> list[Case]:
    """Cases at a step of `by` whose notice met an objection that was upheld: they go back, and nowhere else."""
    pairs = [key for key, step in steps_of(by).items() if step.objection]
    first, until = scope_of(by.prefix)
    upheld = Objection.objects.filter(notice__subject=OuterRef("subject_now"), state=Objection.State.UPHELD).exclude(
        notice__state=Notice.State.WITHDRAWN
    )
    rows = Case.objects.filter(_of_steps(pairs), division__gte=first, division__lt=until)
    rows = rows.alias(subject_now=_published_as()).filter(Exists(upheld)).select_related("household", "process")
    return list(rows.order_by("step_since", "id")[:rows_max])


def count_late(prefix: str, on: date) -> int:
    """Live cases past their step's day."""
    return CaseFilter(prefix, on, due="late").rows().count()


def list_owed(prefix: str, rows_max: int = 60) -> list[CasePaper]:
    """Papers that were to follow an emergency, the earliest day first; not of what was given up or refused meanwhile."""
    first, until = scope_of(prefix)
    rows = CasePaper.objects.filter(division__gte=first, division__lt=until, state=CasePaper.State.LATER)
    rows = rows.exclude(case__state__in=_OVER)
    return list(rows.select_related("case__household").order_by("due_on", "id")[:rows_max])


def get_case(number: int) -> Case:
    """One case with what it names; DoesNotExist."""
    return Case.objects.select_related("process", "household", "person", "relief", "declaration").get(pk=number)


def list_cases_of(household: int, rows_max: int = 20) -> list[Case]:
    return list(Case.objects.filter(household=household).select_related("process").order_by("-id")[:rows_max])


def list_acts(case: int) -> list[CaseAct]:
    """Oldest first, with their signatures."""
    return list(CaseAct.objects.filter(case=case).select_related("signature").order_by("id")[:200])


def page_lines(case: int, place: str = "", size: int = SIZE) -> Page[CaseLine]:
    return cut(CaseLine.objects.filter(case=case).select_related("household", "person"), ("id",), place, size)


def slots(case: Case, on: date) -> list[tuple[Demand, Held]]:
    """What the step it stands at must hold, and what is there."""
    if not case.step:
        return []
    step = way_of(case.process).step(case.step)
    return [(demand, look_for(case, step, demand, on)) for demand in step.demands]
