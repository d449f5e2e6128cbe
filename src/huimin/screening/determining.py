"""From a snapshot and the policies in force to proposals: who should enter, leave, get more or less (DET-01, DET-06).

in    a Snapshot (with what is granted today), the programmes in force
out   an Arrow table, one row a proposed change, in the order of households

What is granted and stays the same is not listed. Who is not eligible and has nothing is not listed either: the grounds
of everybody are recomputed from the snapshot whenever asked (screening.explaining). An unknown determination is listed
as unknown and names the missing facts; it can be confirmed by nobody until they are collected.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Kind
from huimin.rules import Outcome, Programme, Table, evaluate, missing_names
from huimin.screening.snapshots import Snapshot

Ints = NDArray[np.int64]


# The columns of a table of proposals, in the order and with the names of screening_proposal.
COLUMNS = {
    "programme": pa.string(), "version": pa.string(), "division": pa.string(), "household_id": pa.int64(),
    "person_id": pa.int64(), "kind": pa.string(), "amount_fen": pa.int64(), "previous_fen": pa.int64(),
    "people": pa.int64(), "quantity": pa.string(), "failed": pa.list_(pa.string()), "missing": pa.list_(pa.string()),
    "facts_digest": pa.string(),
}  # fmt: skip
KINDS = ("unknown", "leave", "enter", "increase", "decrease")


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

    def listed(self, programme: Programme, outcome: Outcome) -> pa.Table:
        """What is determined compared with what is granted: one row of COLUMNS a proposed change."""
        by_person = programme.unit == "person"
        subjects = self.snapshot.person_ids if by_person else self.snapshot.household_ids
        previous = _previous(subjects, *self.snapshot.granted_to(programme.code, by_person))
        rows = np.flatnonzero(_changed(outcome, previous, self._counts(by_person)))
        houses = np.searchsorted(self.table.offsets, rows, side="right") - 1 if by_person else rows
        columns = {
            "programme": [programme.code] * len(rows),
            "version": [programme.version] * len(rows),
            "division": [self.divisions[house] for house in houses.tolist()],
            "household_id": self.snapshot.household_ids[houses],
            "person_id": subjects[rows] if by_person else [None] * len(rows),
            "kind": np.array(KINDS)[_kinds(outcome, rows, previous)],
            "amount_fen": outcome.amount_fen[rows],
            "previous_fen": previous[rows],
            "people": np.ones(len(rows), np.int64) if by_person else self.people[houses],
            "quantity": self._quantities(programme, houses),
            "failed": _by_mask(outcome.failed_mask[rows], lambda mask: _failed(programme, mask)),
            "missing": _by_mask(_missing(outcome, rows), lambda mask: missing_names(programme, mask)),
            "facts_digest": [self._facts_digest(house) for house in houses.tolist()],
        }
        return pa.table([pa.array(columns[name], kind) for name, kind in COLUMNS.items()], schema=pa.schema(COLUMNS))

    def _counts(self, by_person: bool) -> NDArray[np.bool_]:
        """Rows that can be a beneficiary at all: living people, any household."""
        return self.living.astype(bool) if by_person else np.ones(self.table.household_count, bool)

    def _quantities(self, programme: Programme, houses: Ints) -> list[str]:
        """The area a per-亩 subsidy is paid for, as a roster prints it; empty for other programmes."""
        areas = [fact for fact in programme.facts_needed if fact.kind is Kind.AREA]
        if len(areas) != 1:
            return [""] * len(houses)
        area = areas[0]
        hundredths = self.table.households[area.code].values[houses].tolist()
        return [f"{each // 100}.{each % 100:02d} {area.unit}" for each in hundredths]

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


def _kinds(outcome: Outcome, rows: Ints, previous: Ints) -> Ints:
    """Positions in KINDS."""
    eligible, amount, before = outcome.eligible[rows], outcome.amount_fen[rows], previous[rows]
    tests = [eligible < 0, (eligible == 0) | (amount == 0), before == 0, amount > before]
    return np.select(tests, range(4), default=4)


def _missing(outcome: Outcome, rows: Ints) -> NDArray[np.uint64]:
    return np.where(outcome.eligible[rows] < 0, outcome.missing_mask[rows], np.uint64(0))


def _by_mask(masks: NDArray[np.uint64], names: Callable[[int], Sequence[str]]) -> list[list[str]]:
    """The names of every row's mask; masks are few, rows are many."""
    known, positions = np.unique(masks, return_inverse=True)
    lists = [list(names(int(mask))) for mask in known]
    return [lists[position] for position in positions.tolist()]


def _failed(programme: Programme, mask: int) -> tuple[str, ...]:
    return tuple(condition.id for number, condition in enumerate(programme.conditions) if mask >> number & 1)
