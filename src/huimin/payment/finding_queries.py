"""Reads of what the check of rosters found; bounded, paged by key, inside `reading(by)` (PAY-01)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count, QuerySet

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.payment.models import Roster, RosterFinding, RosterLine
from huimin.payment.queries import EXPORT_MAX

_WITH = ("line__household", "roster")


@dataclass(frozen=True)
class FindingFilter:
    """Which findings: what is not empty. Those of withdrawn rosters are nobody's matter any more."""

    prefix: str
    roster: int = 0
    kind: str = ""
    state: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[RosterFinding]":
        first, until = scope_of(self.prefix)
        rows = RosterFinding.objects.filter(division__gte=first, division__lt=until)
        rows = rows.exclude(roster__state=Roster.State.WITHDRAWN)
        asked = {"roster": self.roster, "kind": self.kind, "state": self.state}
        rows = rows.filter(**{name: value for name, value in asked.items() if value})
        return rows if self.programmes is None else rows.filter(roster__programme__in=self.programmes)


def page_findings(wanted: FindingFilter, place: str = "", size: int = SIZE) -> Page[RosterFinding]:
    """Newest roster first, in its order."""
    return cut(wanted.rows().select_related(*_WITH), ("-roster_id", "id"), place, size)


def iterate_findings(wanted: FindingFilter) -> Iterator[RosterFinding]:
    return wanted.rows().select_related(*_WITH).order_by("-roster_id", "id")[:EXPORT_MAX].iterator(2000)


def findings_of(ids: list[int]) -> list[RosterFinding]:
    """Those ticked that are seen from here."""
    assert len(ids) <= 1000
    return list(RosterFinding.objects.filter(pk__in=ids).select_related(*_WITH).order_by("roster_id", "id"))


def others_of(rows: list[RosterFinding], state: str) -> list[RosterFinding]:
    """What else is in this state about the same lines."""
    lines = {row.line_id for row in rows if row.line_id}
    others = RosterFinding.objects.filter(line__in=lines, state=state).exclude(pk__in=[row.pk for row in rows])
    return list(others.select_related(*_WITH).order_by("roster_id", "id")[:1000])


# Of held lines that nothing holds any more: the roster that took up what they owe, and whether any of it is still owed.
_AFTER = """
SELECT l.id, (SELECT max(n.roster_id) FROM payment_linedue x JOIN payment_linedue y ON y.due_id = x.due_id AND y.line_id > x.line_id
                JOIN payment_rosterline n ON n.id = y.line_id JOIN payment_roster r ON r.id = n.roster_id AND r.state <> 'withdrawn'
               WHERE x.line_id = l.id),
       EXISTS (SELECT 1 FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id AND d.state = 'owed' AND d.kind <> 'recovery' WHERE x.line_id = l.id)
FROM payment_rosterline l
WHERE l.id = ANY(%s) AND EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state = 'released')
  AND NOT EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state = 'held')
"""


class Freed(NamedTuple):
    """What became of a held line: the roster that took it up, or 0; whether it waits for one."""

    since: bool
    roster: int
    owed: bool


def freed_lines(lines: list[RosterLine]) -> dict[int, Freed]:
    """Of held lines those that were freed since; one query for a page of lines."""
    held = [line.pk for line in lines if line.state == RosterLine.State.WITHHELD]
    return {line: Freed(True, roster or 0, owed) for line, roster, owed in fetch(_AFTER, [held])} if held else {}


def count_findings(wanted: FindingFilter) -> dict[str, int]:
    """By state."""
    return {row["state"]: row["count"] for row in wanted.rows().values("state").annotate(count=Count("id"))}
