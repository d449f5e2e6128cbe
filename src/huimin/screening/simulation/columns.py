"""A snapshot made ready for counting: the engine's table, who is there, whose household each member is in.

in    a Snapshot and the day
out   `Columns`; its `evaluate` runs all programmes, some at a time, so that memory holds few outcomes
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huimin.rules import Outcome, Programme, Table, evaluate_each
from huimin.screening.snapshots import Snapshot

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Columns:
    """One snapshot on one day."""

    def __init__(self, snapshot: Snapshot, on: date) -> None:
        self.snapshot, self.on = snapshot, on
        self.table: Table = snapshot.table()

    def evaluate(
        self,
        programmes: Sequence[Programme],
        kept: dict[str, Outcome] | None = None,
        keep: frozenset[str] = frozenset(),
    ) -> Iterator[tuple[Programme, Outcome]]:
        """The outcome of each, those asked about with 符合 first. Raises what the engine raises.

        `kept`: outcomes that are known, by code; those asked about, and those of `keep`, are added to it, the rest let go.
        """
        kept = {} if kept is None else kept
        keep = keep | asked_by(programmes)
        table = self.table.completed([fact for law in programmes for fact in law.facts_needed])
        for law, outcome in evaluate_each(programmes, table, self.on, others=kept):
            if law.code in keep:
                kept[law.code] = outcome
            yield law, outcome

    @cached_property
    def living(self) -> Flags:
        """Members alive and resident on the day; the language's 成员."""
        return self.table.living((self.on - date(1970, 1, 1)).days)

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


def asked_by(programmes: Iterable[Programme]) -> frozenset[str]:
    """Codes that these ask about with 符合."""
    return frozenset().union(*(law.structure.fits for law in programmes))
