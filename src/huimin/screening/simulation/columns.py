"""A snapshot made ready for counting: the engine's table, who is there, whose household each member is in.

in    a Snapshot and the day
out   `Columns`; its `evaluate` runs all programmes together, one after another, so that memory holds few outcomes
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huimin.rules import Outcome, Programme, Table, evaluate, in_order_of_asking
from huimin.screening.snapshots import Snapshot

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Columns:
    """One snapshot on one day."""

    def __init__(self, snapshot: Snapshot, on: date) -> None:
        self.snapshot, self.on = snapshot, on
        self.table: Table = snapshot.table()

    def evaluate(self, programmes: Sequence[Programme]) -> Iterator[tuple[Programme, Outcome]]:
        """The outcome of each, those asked about with 符合 first; only theirs are kept. Raises what the engine raises."""
        asked = frozenset().union(*(law.structure.fits for law in programmes))
        kept: dict[str, Outcome] = {}
        for law in in_order_of_asking(programmes):
            outcome = evaluate(law, self.table, self.on, others=kept)
            if law.code in asked:
                kept[law.code] = outcome
            yield law, outcome

    @cached_property
    def living(self) -> Flags:
        """Members alive and resident on the day; the language's 成员."""
        day = (self.on - date(1970, 1, 1)).days
        gone = np.zeros(self.table.member_count, bool)
        for code in ("death_date", "moved_out_date"):
            column = self.table.members[code]
            gone |= column.known & (column.values.astype(np.int64) <= day)
        return ~gone

    @cached_property
    def owners(self) -> Ints:
        """The row of the household of every member."""
        return np.repeat(np.arange(self.table.household_count), np.diff(self.table.offsets))

    def owners_of(self, unit: str) -> Ints:
        """The household's row for every row of a programme of this unit."""
        return self.owners if unit == "person" else np.arange(self.table.household_count)

    def counts(self, unit: str) -> Flags:
        """Rows that can be beneficiaries at all: living people, any household."""
        return self.living if unit == "person" else np.ones(self.table.household_count, bool)

    def per_household(self, of_member: NDArray[np.generic]) -> Ints:
        """Sums of a member column by household."""
        sums = np.append(0, np.cumsum(of_member.astype(np.int64)))
        return np.asarray(sums[self.table.offsets[1:]] - sums[self.table.offsets[:-1]], np.int64)
