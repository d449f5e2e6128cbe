"""What of a roster counts: the one place that says which of its lines are to be paid (PAY-01, PAY-02).

in    rosters, inside `reading(by)` or a command
out   `Sums` of each: what is to be paid (应付), and what stands on it without being paid by it

A line held back (缓发) or moved to a reissue roster (已转重发) stays on the list and under its digest, and is in no sum of what is to
be paid: not on a page, not in words (大写), not on paper, in no application for money. `Roster.amount_fen` is what was compiled. Sums
come from what is kept of villages and states (RosterTally): no line is read. Law: 皖政办〔2008〕23号 附件4 第17–20条.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, Sum

from huimin.payment.models import Roster, RosterLine, RosterTally

COUNTS = "state NOT IN ({})".format(", ".join(f"'{state.value}'" for state in RosterLine.OUT))
"""As SQL, after the name of the table of lines and a point, or without."""
COUNTED = ~Q(state__in=RosterLine.OUT)
"""As a condition on lines or tallies."""

REACHES = f"state <> '{RosterLine.State.WITHHELD.value}'"
"""As SQL: a line whose money goes to its household, by itself or by the reissue that took its place: what a household is told of."""


@dataclass(frozen=True)
class Sums:
    """Lines and 分 that are to be paid; those held back; those that went to a reissue roster."""

    lines: int = 0
    amount_fen: int = 0
    held_lines: int = 0
    held_fen: int = 0
    moved_lines: int = 0
    moved_fen: int = 0


def sums_of(rosters: Iterable[int]) -> dict[int, Sums]:
    """By roster; one query, whatever the number of lines."""
    numbers = list(rosters)
    return {number: Sums(*told) for number, told in _by_kind(numbers).items()}


def _by_kind(numbers: list[int]) -> dict[int, list[int]]:
    first = {"": 0, RosterLine.State.WITHHELD.value: 2, RosterLine.State.REPLACED.value: 4}
    found = {number: [0] * 6 for number in numbers}
    rows = RosterTally.objects.filter(roster__in=numbers).values_list("roster", "state")
    for number, state, lines, fen in rows.annotate(count=Sum("lines"), fen=Sum("amount_fen")):
        at = first[state if state in RosterLine.OUT else ""]
        found[number][at] += lines
        found[number][at + 1] += fen
    return found


def sums_of_roster(roster: int) -> Sums:
    return sums_of([roster])[roster]


def with_sums(rosters: Iterable[Roster]) -> list[Roster]:
    """The rosters, each with what counts of it as `sums`."""
    rows = list(rosters)
    new = [row for row in rows if "sums" not in row.__dict__]
    found = sums_of(row.pk for row in new) if new else {}
    for row in new:
        row.sums = found[row.pk]
    return rows
