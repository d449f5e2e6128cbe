"""Reads of draws and checks: what waits for one, what was drawn and found, rates by township and month; inside `reading(by)`.

Whole draws are seen at the county; a township sees the draw, and of its list its own cases. Lists page by key, counts are
one statement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from huimin.cases.models import Case
from huimin.database.bulk import fetch, fetch_one
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.organisation.acting import Actor
from huimin.processes.models import Process
from huimin.processes.queries import way_of
from huimin.samples.models import AFTER_STEP, Agency, Check, Draw, DrawCase, Order
from huimin.samples.seeding import Entry, Published


def count_outstanding(draw: int) -> int:
    """Drawn cases that still wait for a result; counts what the reader sees."""
    return int(fetch_one("SELECT samples_outstanding(%s)", [draw])[0])


_OUTSTANDING = """
SELECT d.id, CASE WHEN d.must + d.quota = (SELECT count(*) FROM samples_drawcase l WHERE l.draw_id = d.id AND l.picked)
                  THEN samples_outstanding(d.id) END
FROM samples_draw d WHERE d.id = ANY (%s)
"""


def outstanding_of(draws: Iterable[int]) -> dict[int, int | None]:
    """The same for many draws that were made; None where the reader does not see all that was drawn. One query."""
    return dict(fetch(_OUTSTANDING, [sorted(set(draws))]))


def page_draws(
    prefix: str, programmes: tuple[str, ...] | None, state: str = "", place: str = "", size: int = SIZE
) -> Page[Draw]:
    """Newest first; those of the office's programmes where it has some of its own."""
    low, high = scope_of(prefix)
    rows = Draw.objects.filter(division__gte=low, division__lt=high) if len(prefix) <= 6 else Draw.objects.all()
    rows = rows.filter(state=state) if state else rows
    if programmes is not None:
        rows = rows.filter(Q(programme__in=programmes) | Q(programme=""))
    return cut(rows, ("-id",), place, size)


def get_draw(number: int) -> Draw:
    """DoesNotExist. Seen from below without its signature, which is the county's."""
    return Draw.objects.get(pk=number)


def page_lines(draw: Draw, picked: bool, place: str = "", size: int = SIZE) -> Page[DrawCase]:
    """The list by case number; the drawn by key."""
    rows = DrawCase.objects.filter(draw=draw).select_related("case", "household", "agency", "check_made")
    return cut(rows.filter(picked=True), ("key", "id"), place, size) if picked else cut(rows, ("number",), place, size)


def get_line(number: int) -> DrawCase:
    rows = DrawCase.objects.select_related("draw", "case", "household", "agency", "check_made__signature")
    return rows.get(pk=number)


def lines_of_case(case: int) -> list[DrawCase]:
    """Every draw the case was on the list of, newest first."""
    rows = DrawCase.objects.filter(case=case).select_related("draw", "agency", "check_made__signature")
    return list(rows.order_by("-id")[:20])


def published(draw: Draw) -> Published:
    """What everybody may have: the whole list, the rule, the number, who was drawn. By who sees the whole list."""
    rows = list(DrawCase.objects.filter(draw=draw).order_by("number").values_list("number", "must", "picked"))
    return Published(
        draw.title, draw.percent, draw.digest, draw.event, draw.event_on, draw.number,
        tuple(Entry(number, must) for number, must, _ in rows), tuple(number for number, _, picked in rows if picked),
    )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Results of one draw: how many of each."""

    true: int = 0
    differs: int = 0
    false: int = 0

    @property
    def all(self) -> int:
        return self.true + self.differs + self.false

    @property
    def wrong(self) -> int:
        return self.differs + self.false


def found_of(draws: Iterable[int]) -> dict[int, Found]:
    """One query, however many draws."""
    rows = fetch(
        "SELECT l.draw_id, count(*) FILTER (WHERE k.result = 'true'), count(*) FILTER (WHERE k.result = 'differs'),"
        " count(*) FILTER (WHERE k.result = 'false') FROM samples_check k JOIN samples_drawcase l ON l.id = k.line_id"
        " WHERE l.draw_id = ANY (%s) GROUP BY 1",
        [sorted(set(draws))],
    )
    return {row[0]: Found(*row[1:]) for row in rows}


@dataclass(frozen=True)
class Undrawn:
    """Cases of one programme at one step that are on no list yet; the earliest day by which one must be done."""

    programme: str
    step: str
    count: int
    due: date | None


_UNDRAWN = """
SELECT c.programme, c.step, count(*), min(c.step_due_on) FROM cases_case c
WHERE c.state = 'open' AND c.step <> '' AND c.step = ANY (%(steps)s) AND c.process_id = ANY (%(processes)s) AND c.household_id IS NOT NULL
  AND c.division >= %(low)s AND c.division < %(high)s AND c.programme = ANY (%(programmes)s)
  AND NOT EXISTS (SELECT 1 FROM samples_drawcase l WHERE l.case_id = c.id AND l.round = c.round AND l.step = c.step)
GROUP BY 1, 2 ORDER BY 4, 1
"""


def list_undrawn(by: Actor) -> list[Undrawn]:
    """What waits for a draw, of the office's programmes; one statement."""
    steps: set[str] = set()
    processes: list[int] = []
    for row in Process.objects.filter(subject=Process.Subject.HOUSEHOLD).order_by("-id")[:400]:
        named = {step.key for step in way_of(row).steps if any(each.kind == "抽查" for each in step.demands)}
        steps |= named
        processes += [row.pk] if named else []
    low, high = scope_of(by.prefix)
    asked = {
        "steps": sorted(steps), "processes": processes, "low": low, "high": high, "programmes": list(by.programmes),
    }  # fmt: skip
    rows = fetch(_UNDRAWN, asked)
    return [Undrawn(*row[:3], None if row[3].year == 9999 else row[3]) for row in rows]


@dataclass(frozen=True)
class Rating:
    """One township in one month: decided, checked, found otherwise than true; orders that are open; its draw, if any."""

    township: str
    month: date
    decided: int
    drawn: int
    checked: int
    wrong: int
    orders: int
    draw: int | None
    percent: int

    @property
    def rate(self) -> int:
        """Percent of the decided that were checked, rounded down: 49.9 is not 50."""
        return self.checked * 100 // self.decided if self.decided else 0


_RATED = """
SELECT substr(c.division, 1, 9) || '000', date_trunc('month', c.decided_on)::date, count(*),
       count(l.id) FILTER (WHERE l.picked), count(k.id), count(k.id) FILTER (WHERE k.result <> 'true'),
       count(o.id) FILTER (WHERE o.state <> 'settled'), max(l.draw_id), max(d.percent)
FROM cases_case c
LEFT JOIN samples_drawcase l ON l.case_id = c.id AND l.round = c.round AND l.step = %(step)s
LEFT JOIN samples_draw d ON d.id = l.draw_id
LEFT JOIN samples_check k ON k.line_id = l.id LEFT JOIN samples_order o ON o.made_id = k.id
WHERE c.state IN ('granted', 'refused') AND c.decided_on >= %(since)s AND c.household_id IS NOT NULL
  AND c.division >= %(low)s AND c.division < %(high)s AND c.process_id = ANY (%(processes)s)
  AND (%(programmes)s::text[] IS NULL OR c.programme = ANY (%(programmes)s))
GROUP BY 1, 2 ORDER BY 2 DESC, 1
"""


def list_ratings(prefix: str, since: date, programmes: tuple[str, ...] | None) -> list[Rating]:
    """Townships and months, the newest first; one statement. Only of processes whose decisions the county checks."""
    rows = list(Process.objects.exclude(subject=Process.Subject.PROPOSALS).order_by("-id")[:400])
    checked = {row.pk: after for row in rows if (after := way_of(row).after)}
    if not checked:
        return []
    low, high = scope_of(prefix)
    asked = {
        "step": AFTER_STEP, "since": since, "low": low, "high": high, "processes": list(checked),
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip
    least = max(after.percent for after in checked.values())
    return [Rating(*row[:8], row[8] or least) for row in fetch(_RATED, asked)]


def decides_below() -> bool:
    """Whether a process is known here whose decisions the county checks afterwards."""
    rows = Process.objects.filter(superseded_at=None).exclude(subject=Process.Subject.PROPOSALS)
    return any(way_of(row).after for row in rows[:400])


def page_waiting(programmes: tuple[str, ...] | None, place: str = "", size: int = SIZE) -> Page[DrawCase]:
    """Drawn cases that wait for their result, the oldest draw first."""
    rows = waiting(programmes).select_related("draw", "case", "household", "agency")
    return cut(rows, ("draw_id", "key", "id"), place, size)


def waiting(programmes: tuple[str, ...] | None) -> "QuerySet[DrawCase]":
    """Drawn cases without a result that still stand where they were drawn."""
    stands = Case.objects.filter(pk=OuterRef("case"), step=OuterRef("step"), round=OuterRef("round"))
    rows = DrawCase.objects.filter(picked=True, draw__state=Draw.State.DRAWN, check_made=None)
    rows = rows.filter(Q(step=AFTER_STEP) | Exists(stands))
    return rows if programmes is None else rows.filter(case__programme__in=programmes)


def count_waiting(programmes: tuple[str, ...] | None) -> int:
    return int(waiting(programmes).count())


@dataclass(frozen=True)
class Work:
    """What one agency was given and did."""

    agency: Agency
    given: int
    done: int
    late: int
    wrong: int

    @property
    def fee_fen(self) -> int:
        """Of the checks it did, by the contract."""
        return self.done * self.agency.fee_fen


_WORK = """
SELECT l.agency_id, count(*), count(k.id), count(*) FILTER (WHERE k.id IS NULL AND l.due_on < %(on)s),
       count(k.id) FILTER (WHERE k.result <> 'true')
FROM samples_drawcase l LEFT JOIN samples_check k ON k.line_id = l.id AND k.agency_id = l.agency_id
WHERE l.agency_id = ANY (%(agencies)s) GROUP BY 1
"""


def list_agencies(prefix: str, on: date, rows_max: int = 200) -> list[Work]:
    """Contracts, those in force in front, with what was given and done; two queries."""
    low, high = scope_of(prefix)
    rows = list(Agency.objects.filter(division__gte=low, division__lt=high).order_by("-valid_to", "id")[:rows_max])
    counts = {row[0]: row[1:] for row in fetch(_WORK, {"on": on, "agencies": [row.pk for row in rows]})}
    found = [Work(row, *counts.get(row.pk, (0, 0, 0, 0))) for row in rows]
    return sorted(found, key=lambda work: not work.agency.holds(on))


def agencies_in_force(prefix: str, on: date) -> list[Agency]:
    return [work.agency for work in list_agencies(prefix, on) if work.agency.holds(on)]


@dataclass(frozen=True)
class Share:
    """Checks made in one way: how many, and how many found something wrong."""

    way: str
    label: str
    count: int
    wrong: int


def list_shares(prefix: str, since: date) -> list[Share]:
    """By whom checks were made since a day; one query."""
    low, high = scope_of(prefix)
    labels: dict[str, str] = {str(key): str(label) for key, label in Check.Way.choices}
    rows = fetch(
        "SELECT way, count(*), count(*) FILTER (WHERE result <> 'true') FROM samples_check"
        " WHERE division >= %s AND division < %s AND recorded_on >= %s GROUP BY 1 ORDER BY 2 DESC",
        [low, high, since],
    )
    return [Share(way, labels[way], count, wrong) for way, count, wrong in rows]


def page_orders(prefix: str, state: str = "", place: str = "", size: int = SIZE) -> Page[Order]:
    """By deadline; what is settled newest first."""
    low, high = scope_of(prefix)
    rows = Order.objects.filter(division__gte=low, division__lt=high).select_related(
        "made__line__case", "made__line__draw"
    )
    rows = rows.filter(state=state) if state else rows
    return cut(rows, ("-id",) if state == Order.State.SETTLED else ("due_on", "id"), place, size)


def get_order(number: int) -> Order:
    return Order.objects.select_related("made__line__case", "made__line__draw", "signature").get(pk=number)


def list_open_orders(prefix: str, states: Sequence[str], rows_max: int = 60) -> list[Order]:
    low, high = scope_of(prefix)
    rows = Order.objects.filter(division__gte=low, division__lt=high, state__in=states)
    return list(rows.order_by("due_on", "id")[:rows_max])


def list_frozen(programmes: tuple[str, ...] | None, rows_max: int = 60) -> list[Draw]:
    """Lists that wait for their number, the earliest day first."""
    rows = Draw.objects.filter(state=Draw.State.FROZEN)
    if programmes is not None:
        rows = rows.filter(Q(programme__in=programmes) | Q(programme=""))
    return list(rows.order_by("event_on", "id")[:rows_max])
