"""From a snapshot and the policies in force to proposals: who should enter, leave, get more or less (DET-01, DET-06).

in    a Snapshot (with what is granted today), the programmes in force
out   `Listed`, one per proposed change, in the order of households

What is granted and stays the same is not listed. Who is not eligible and has nothing is not listed either: the grounds
of everybody are recomputed from the snapshot whenever asked (screening.explaining). An unknown determination is listed
as unknown and names the missing facts; it can be confirmed by nobody until they are collected.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Kind
from huimin.rules import Outcome, Programme, Table, evaluate, missing_names
from huimin.screening.snapshots import Snapshot

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Listed:
    """One proposal to be."""

    programme: str
    version: str
    division: str
    household: int
    person: int | None
    kind: str
    amount_fen: int
    previous_fen: int
    people: int
    quantity: str
    failed: tuple[str, ...]
    missing: tuple[str, ...]
    facts_digest: str


class Determination:
    """All programmes over one snapshot; `listed` yields the proposals of one programme."""

    def __init__(self, snapshot: Snapshot, on: date) -> None:
        self.snapshot, self.on = snapshot, on
        self.table: Table = snapshot.table()
        self.divisions = snapshot.divisions
        self.living = _living(self.table, on)
        self.people = np.add.reduceat(
            np.append(self.living, 0), np.minimum(self.table.offsets[:-1], len(self.living))
        ) * (np.diff(self.table.offsets) > 0)
        self._household_bytes = _rows_as_bytes(self.table.households, self.table.household_count)
        self._member_bytes = _rows_as_bytes(self.table.members, self.table.member_count)

    def evaluate(self, programme: Programme) -> Outcome:
        return evaluate(programme, self.table, self.on)

    def listed(self, programme: Programme, outcome: Outcome) -> Iterator[Listed]:
        """Compare what is determined with what is granted."""
        by_person = programme.unit == "person"
        subjects = self.snapshot.person_ids if by_person else self.snapshot.household_ids
        previous = _previous(subjects, *self.snapshot.granted_to(programme.code, by_person))
        rows = np.flatnonzero(_changed(outcome, previous, self._counts(by_person)))
        for row in rows.tolist():
            yield self._one(programme, outcome, row, int(previous[row]), by_person)

    def _counts(self, by_person: bool) -> NDArray[np.bool_]:
        """Rows that can be a beneficiary at all: living people, any household."""
        return self.living.astype(bool) if by_person else np.ones(self.table.household_count, bool)

    def _one(self, programme: Programme, outcome: Outcome, row: int, previous: int, by_person: bool) -> Listed:
        household = int(np.searchsorted(self.table.offsets, row, side="right")) - 1 if by_person else row
        eligible, amount = int(outcome.eligible[row]), int(outcome.amount_fen[row])
        return Listed(
            programme=programme.code,
            version=programme.version,
            division=self.divisions[household],
            household=int(self.snapshot.household_ids[household]),
            person=int(self.snapshot.person_ids[row]) if by_person else None,
            kind=_kind(eligible, amount, previous),
            amount_fen=amount,
            previous_fen=previous,
            people=1 if by_person else int(self.people[household]),
            quantity=self._quantity(programme, household),
            failed=_failed(programme, int(outcome.failed_mask[row])),
            missing=tuple(missing_names(programme, int(outcome.missing_mask[row]))) if eligible < 0 else (),
            facts_digest=self._facts_digest(household),
        )

    def _quantity(self, programme: Programme, household: int) -> str:
        """The area a per-亩 subsidy is paid for, as a roster prints it; empty for other programmes."""
        areas = [fact for fact in programme.facts_needed if fact.kind is Kind.AREA]
        if len(areas) != 1:
            return ""
        hundredths = int(self.table.households[areas[0].code].values[household])
        return f"{hundredths // 100}.{hundredths % 100:02d} {areas[0].unit}"

    def _facts_digest(self, household: int) -> str:
        """SHA-256 over the facts of the household and its members, as they stand in the snapshot."""
        low, high = self.table.offsets[household : household + 2]
        return hashlib.sha256(
            self._household_bytes[household].tobytes() + self._member_bytes[low:high].tobytes()
        ).hexdigest()


def _living(table: Table, on: date) -> Ints:
    """1 for members alive and resident on that day, else 0; the language's 成员."""
    day = (on - date(1970, 1, 1)).days
    gone = np.zeros(table.member_count, bool)
    for code in ("death_date", "moved_out_date"):
        column = table.members[code]
        gone |= column.known & (column.values.astype(np.int64) <= day)
    return (~gone).astype(np.int64)


def _rows_as_bytes(columns: object, rows: int) -> Ints:
    """Every fact and whether it is known, one row a subject, in the dictionary's order."""
    facts = [fact for fact in (*HOUSEHOLD_FACTS, *PERSON_FACTS) if fact.code in columns]  # type: ignore[operator]
    out = np.empty((rows, 2 * len(facts)), np.int64)
    for number, fact in enumerate(facts):
        column = columns[fact.code]  # type: ignore[index]
        out[:, 2 * number] = np.where(column.known, column.values, 0)
        out[:, 2 * number + 1] = column.known
    return out


def _previous(subjects: Ints, granted: Ints, amounts: Ints) -> Ints:
    """The granted amount of every subject, 0 where nothing is granted."""
    previous = np.zeros(len(subjects), np.int64)
    if len(granted):
        order = np.argsort(granted)
        places = np.searchsorted(granted[order], subjects)
        places[places == len(granted)] = 0
        hit = granted[order][places] == subjects
        previous[hit] = amounts[order][places][hit]
    return previous


def _changed(outcome: Outcome, previous: Ints, counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    eligible = outcome.eligible == 1
    differs = eligible & (outcome.amount_fen != previous)
    leaves = (outcome.eligible == 0) & (previous > 0)
    return (differs | leaves | (outcome.eligible == -1)) & (counts | (previous > 0))


def _kind(eligible: int, amount: int, previous: int) -> str:
    if eligible < 0:
        return "unknown"
    if not eligible or not amount:
        return "leave"
    if not previous:
        return "enter"
    return "increase" if amount > previous else "decrease"


def _failed(programme: Programme, mask: int) -> tuple[str, ...]:
    return tuple(condition.id for number, condition in enumerate(programme.conditions) if mask >> number & 1)
