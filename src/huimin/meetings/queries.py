"""Reads of meetings: what waits, lists, one meeting whole, what they came to for a case; inside `reading(by)` (CASE-03).

Counts are one statement over the index of live cases; lists page by key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from huimin.cases.models import Case
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.meetings.delegates import in_force, number_of
from huimin.meetings.models import (
    Checked,
    CollectiveDecision,
    Item,
    Meeting,
    Participant,
    Representative,
    StatutoryNumber,
    Supervisor,
)
from huimin.meetings.steps import demanding
from huimin.meetings.telling import HEAD
from huimin.registry.models import Membership

WAITING_MAX = 300
State = Meeting.State

# Cases at a step that demands a meeting, without a result of this round and on no open agenda.
_WAITING = """
FROM cases_case c
WHERE c.step <> '' AND c.state = 'open' AND c.household_id IS NOT NULL
  AND c.division >= %(low)s AND c.division < %(high)s
  AND c.process_id = ANY (%(processes)s) AND c.step = ANY (%(steps)s)
  AND (c.process_id, c.step) IN (SELECT * FROM unnest(%(processes)s::bigint[], %(steps)s::text[]))
  AND NOT EXISTS (SELECT 1 FROM meetings_item i WHERE i.case_id = c.id AND i.round = c.round AND i.state IN ('waiting', 'judged'))
"""


def _asked(prefix: str) -> dict[str, Any] | None:
    """The parameters of _WAITING; None when no process demands a meeting."""
    pairs = sorted(demanding())
    if not pairs:
        return None
    low, high = scope_of(prefix)
    return {"low": low, "high": high, "processes": [pair[0] for pair in pairs], "steps": [pair[1] for pair in pairs]}


@dataclass(frozen=True)
class VillageWaiting:
    """Cases of a village that wait for a meeting, since when, and the day of the open one, if there is any."""

    village: str
    count: int
    since: date
    meets_on: date | None


def count_waiting_by_village(prefix: str) -> list[VillageWaiting]:
    """Villages with cases that wait, the longest wait first; two statements."""
    asked = _asked(prefix)
    if asked is None:
        return []
    rows = fetch(f"SELECT left(c.division, 12), count(*), min(c.step_since) {_WAITING} GROUP BY 1", asked)
    villages = [row[0] for row in rows]
    open_ = Meeting.objects.filter(division__in=villages, state=State.PLANNED).values_list("division", "meets_on")
    days = dict(open_.order_by("-meets_on"))
    found = [VillageWaiting(village, count, since, days.get(village)) for village, count, since in rows]
    return sorted(found, key=lambda row: (row.since, row.village))


def list_waiting(prefix: str, rows_max: int = WAITING_MAX) -> list[Case]:
    """The cases themselves, the longest wait first."""
    asked = _asked(prefix)
    if asked is None:
        return []
    rows = fetch(f"SELECT c.id {_WAITING} ORDER BY c.step_since, c.id LIMIT {rows_max}", asked)
    cases = Case.objects.filter(pk__in=[number for (number,) in rows]).select_related("household", "person")
    return list(cases.order_by("step_since", "id"))


def heads_of(cases: list[Case]) -> dict[int, str]:
    """Name of the head by household; one query."""
    rows = Membership.objects.filter(
        household__in=[case.household_id for case in cases], relation=HEAD, recorded_to=None, valid_to=None
    )
    return dict(rows.values_list("household_id", "person__name"))


@dataclass(frozen=True)
class MeetingFilter:
    """Which meetings: beneath `prefix`, in a state ("" for all)."""

    prefix: str
    state: str = ""

    def rows(self) -> "QuerySet[Meeting]":
        first, until = scope_of(self.prefix)
        rows = Meeting.objects.filter(division__gte=first, division__lt=until)
        return rows.filter(state=self.state) if self.state else rows


def _counted(rows: "QuerySet[Meeting]") -> "QuerySet[Meeting]":
    return rows.annotate(
        cases=Count("items"), judged=Count("items", filter=Q(items__state__in=("judged", "reopened"))),
        contested=Count("items", filter=Q(items__contested=True)),
    )  # fmt: skip


def page_meetings(wanted: MeetingFilter, place: str = "", size: int = SIZE) -> Page[Meeting]:
    """The newest day first, each with `cases`, `judged`, `contested`."""
    return cut(_counted(wanted.rows()), ("-meets_on", "-id"), place, size)


def iterate_meetings(wanted: MeetingFilter) -> Iterator[Meeting]:
    return _counted(wanted.rows()).order_by("-meets_on", "-id")[:20_000].iterator(1000)


def find_meeting(number: int) -> Meeting | None:
    return Meeting.objects.select_related("signature").filter(pk=number).first()


def list_participants(meeting: Meeting) -> list[Participant]:
    """Representatives by group, then supervisors, then cadres."""
    order = {role: n for n, role in enumerate(Participant.Role.values)}
    rows = Participant.objects.filter(meeting=meeting).order_by("id")[:1000]
    return sorted(rows, key=lambda row: (order[row.role], row.title if row.role == "rep" else "", row.pk))


def list_items(meeting: Meeting) -> list[Item]:
    """In the order of the agenda, with case, household and inquiry."""
    rows = Item.objects.filter(meeting=meeting).select_related(
        "case__household", "case__person", "inquiry__signature", "scrutineer", "caller", "counter", "overseer"
    )
    return list(rows.prefetch_related("recusals__participant").order_by("number"))


def find_item(number: int) -> Item | None:
    rows = Item.objects.select_related("meeting", "case__household", "case__person", "inquiry__signature")
    return rows.filter(pk=number).first()


def list_items_of_case(case: int, rows_max: int = 20) -> list[Item]:
    """What meetings came to for a case, the newest first."""
    rows = Item.objects.filter(case=case).select_related("meeting", "inquiry__signature").order_by("-id")
    return list(rows[:rows_max])


def list_collective(case: int, rows_max: int = 20) -> list[CollectiveDecision]:
    rows = CollectiveDecision.objects.filter(case=case).select_related("signature", "relief").order_by("-id")
    return list(rows[:rows_max])


def count_uninvited(meeting: Meeting) -> int:
    """Who is on the checked lists for the day and not on the register: they came to the list after the invitation."""
    day = meeting.meets_on
    there = Participant.objects.filter(meeting=meeting)
    people = Representative.objects.filter(in_force(day), division=meeting.division, state=Checked.CONFIRMED)
    watching = Supervisor.objects.filter(in_force(day), division=meeting.division)
    return (
        people.exclude(pk__in=there.filter(role="rep").values("representative")).count()
        + watching.exclude(pk__in=there.filter(role="supervisor").values("supervisor")).count()
    )


# -- villages and who speaks for them


@dataclass(frozen=True)
class VillageList:
    """One village: statutory number in force, representatives and supervisors on the day, rows to check."""

    village: str
    number: int | None
    representatives: int
    supervisors: int
    waiting: int

    @property
    def short(self) -> bool:
        return self.number is None or self.representatives < self.number or not self.supervisors


_LISTS = """
SELECT d.code,
  (SELECT n.number FROM meetings_statutorynumber n WHERE n.division = d.code AND n.state = 'confirmed' AND n.valid_from <= %(on)s
   ORDER BY n.valid_from DESC LIMIT 1),
  coalesce(r.there, 0)::int, coalesce(s.there, 0)::int, (coalesce(r.waiting, 0) + coalesce(w.waiting, 0))::int
FROM divisions_division d
LEFT JOIN (SELECT division, count(*) FILTER (WHERE state = 'confirmed' AND valid_from <= %(on)s AND (valid_to IS NULL OR valid_to > %(on)s)) AS there,
           count(*) FILTER (WHERE state = 'proposed') AS waiting FROM meetings_representative
           WHERE division >= %(low)s AND division < %(high)s GROUP BY 1) r ON r.division = d.code
LEFT JOIN (SELECT division, count(*) AS there FROM meetings_supervisor WHERE valid_from <= %(on)s
           AND (valid_to IS NULL OR valid_to > %(on)s) AND division >= %(low)s AND division < %(high)s GROUP BY 1) s ON s.division = d.code
LEFT JOIN (SELECT division, count(*) AS waiting FROM meetings_statutorynumber WHERE state = 'proposed'
           AND division >= %(low)s AND division < %(high)s GROUP BY 1) w ON w.division = d.code
WHERE d.level = 12 AND d.code >= %(low)s AND d.code < %(high)s AND d.valid_from <= %(on)s AND (d.valid_to IS NULL OR d.valid_to > %(on)s)
ORDER BY d.code LIMIT 5000
"""


def list_villages(prefix: str, on: date) -> list[VillageList]:
    """Every village of a place with its list; one statement."""
    low, high = scope_of(prefix)
    return [VillageList(*row) for row in fetch(_LISTS, {"on": on, "low": low, "high": high})]


def list_representatives(village: str, on: date, *, past: bool = False) -> list[Representative]:
    """Of a village, by group: on the list (also those to check), or those who are over."""
    rows = Representative.objects.filter(division=village)
    over = Q(valid_to__lte=on) | Q(state=Checked.REFUSED)
    return list((rows.filter(over) if past else rows.exclude(over)).order_by("group_name", "id")[:1000])


def list_supervisors(village: str, on: date, *, past: bool = False) -> list[Supervisor]:
    rows = Supervisor.objects.filter(division=village)
    return list((rows.filter(valid_to__lte=on) if past else rows.exclude(valid_to__lte=on)).order_by("id")[:200])


def list_numbers(village: str) -> list[StatutoryNumber]:
    """Statutory numbers of a village, the newest first."""
    return list(StatutoryNumber.objects.filter(division=village).order_by("-valid_from", "-id")[:20])


def statutory(village: str, on: date) -> int | None:
    row = number_of(village, on)
    return row.number if row else None


# -- what waits for whom


def count_lists_to_check(prefix: str) -> int:
    """Villages whose number or names wait for a second person."""
    low, high = scope_of(prefix)
    where = {"division__gte": low, "division__lt": high, "state": Checked.PROPOSED}
    names = set(Representative.objects.filter(**where).values_list("division", flat=True).distinct())
    return len(names | set(StatutoryNumber.objects.filter(**where).values_list("division", flat=True)))


def list_open(prefix: str, until: date, rows_max: int = 60) -> list[Meeting]:
    """Meetings to write down: planned ones whose day has come, held ones without minutes; by day."""
    low, high = scope_of(prefix)
    rows = Meeting.objects.filter(division__gte=low, division__lt=high, state__in=(State.PLANNED, State.HELD))
    return list(rows.filter(meets_on__lte=until).order_by("meets_on", "id")[:rows_max])


def contested_items(prefix: str) -> "QuerySet[Item]":
    """Judged against the determination, final, not inquired into, and the case still stands there."""
    low, high = scope_of(prefix)
    rows = Item.objects.filter(division__gte=low, division__lt=high, state=Item.State.JUDGED, contested=True)
    still = rows.filter(case__step=F("step"), case__round=F("round"), case__state=Case.State.OPEN)
    return still.filter(meeting__state=State.RECORDED, inquiry=None)


def list_contested(prefix: str, rows_max: int = 60) -> list[Item]:
    """The longest wait first."""
    rows = contested_items(prefix).select_related("case__household", "case__person", "meeting")
    return list(rows.order_by("judged_on", "id")[:rows_max])
