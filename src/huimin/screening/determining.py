"""From a snapshot and the policies in force to proposals: who should enter, leave, get more or less (DET-01, DET-06).

in    a Snapshot (with what is granted today), the programmes in force
out   an Arrow table, one row a proposed change, in the order of households

What is granted and stays the same is not listed. For what is granted and changes, the row says what changed since it was
determined (screening.reasons). Who is not eligible and has nothing is not listed either: the grounds
of everybody are recomputed from the snapshot whenever asked (screening.explaining). An unknown determination is listed
as unknown and names the missing facts; it can be confirmed by nobody until they are collected.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from huimin.kernel.facts import Fact, Kind
from huimin.rules import Column, Outcome, Programme, Table, evaluate, missing_names
from huimin.rules.gaps import members_of
from huimin.screening.phasing import phase_out_months
from huimin.screening.snapshots import Snapshot, Standing

Ints = NDArray[np.int64]


# The columns of a table of proposals, in the order and with the names of screening_proposal.
COLUMNS = {
    "programme": pa.string(), "version": pa.string(), "division": pa.string(), "household_id": pa.int64(),
    "person_id": pa.int64(), "kind": pa.string(), "amount_fen": pa.int64(), "previous_fen": pa.int64(),
    "people": pa.int64(), "quantity": pa.string(), "failed": pa.list_(pa.string()), "missing": pa.list_(pa.string()),
    "facts_digest": pa.string(), "reasons": pa.string(), "phase_out_since": pa.date32(), "phase_out_months": pa.int64(),
}  # fmt: skip
DIGESTED_AT_ONCE = 20_000  # households whose facts are laid out at a time: all of a county would be gigabytes
KINDS = ("unknown", "leave", "enter", "phase_out", "increase", "decrease")
Explainer = Callable[[Programme, Ints, Ints, Standing], list[str]]
"""(programme, rows of the households, rows of the subjects, what they hold) → the reasons of each, as JSON."""


def no_reasons(programme: Programme, houses: Ints, rows: Ints, held: Standing) -> list[str]:
    return ["[]"] * len(rows)


class Determination:
    """All programmes over one snapshot; `listed` yields the proposals of one programme."""

    def __init__(self, snapshot: Snapshot, on: date, explainer: Explainer = no_reasons) -> None:
        self.snapshot, self.on, self.explainer = snapshot, on, explainer
        self.outcomes: dict[str, Outcome] = {}
        self.table: Table = snapshot.table()
        self.divisions = pa.array(snapshot.divisions)
        self.living = self.table.living((on - date(1970, 1, 1)).days).astype(np.int64)
        self.people = np.add.reduceat(
            np.append(self.living, 0), np.minimum(self.table.offsets[:-1], len(self.living))
        ) * (np.diff(self.table.offsets) > 0)
        self._household_codes = _codes(self.table.households, snapshot.households, snapshot.household_facts)
        self._member_codes = _codes(self.table.members, snapshot.members, snapshot.person_facts)

    def evaluate(self, programme: Programme) -> Outcome:
        """Kept, so that a later programme that asks about this one (符合) need not determine it again."""
        self.table = self.table.completed(programme.facts_needed)
        found = evaluate(programme, self.table, self.on, others=self.outcomes)
        self.outcomes[programme.code] = found
        return found

    def listed(self, programme: Programme, outcome: Outcome) -> pa.Table:
        """What is determined compared with what is granted: one row of COLUMNS a proposed change."""
        by_person = programme.unit == "person"
        subjects = self.snapshot.person_ids if by_person else self.snapshot.household_ids
        held = self.snapshot.standing(programme.code, by_person)
        rows = np.flatnonzero(_changed(outcome, held, self._counts(by_person)))
        houses = np.searchsorted(self.table.offsets, rows, side="right") - 1 if by_person else rows
        kinds = np.array(KINDS)[_kinds(outcome, rows, held)]
        phased = kinds == "phase_out"
        columns = {
            "programme": [programme.code] * len(rows),
            "version": [programme.version] * len(rows),
            "division": self.divisions.take(pa.array(houses)),
            "household_id": self.snapshot.household_ids[houses],
            "person_id": subjects[rows] if by_person else [None] * len(rows),
            "kind": kinds,
            "amount_fen": outcome.amount_fen[rows],
            "previous_fen": held.amount_fen[rows],
            "people": np.ones(len(rows), np.int64) if by_person else self.people[houses],
            "quantity": self._quantities(programme, houses),
            "failed": _by_mask(outcome.failed_mask[rows], lambda mask: _failed(programme, mask)),
            "missing": _by_mask(_missing(outcome, rows), lambda mask: missing_names(programme, mask)),
            "facts_digest": self._facts_digests(houses),
            "reasons": self._reasons(programme, houses, rows, held),
            "phase_out_since": _dates(np.where(phased, held.phase_out_since[rows], 0)),
            "phase_out_months": phase_out_months(programme, self.table, self.on, self.outcomes, rows, phased),
        }
        return pa.table([pa.array(columns[name], kind) for name, kind in COLUMNS.items()], schema=pa.schema(COLUMNS))

    def _reasons(self, programme: Programme, houses: Ints, rows: Ints, held: Standing) -> list[str]:
        """Of those who hold something; who enters has nothing that changed."""
        told = ["[]"] * len(rows)
        changing = np.flatnonzero(held.amount_fen[rows] > 0)
        reasons = self.explainer(programme, houses[changing], rows[changing], held) if len(changing) else []
        for place, reason in zip(changing.tolist(), reasons, strict=True):
            told[place] = reason
        return told

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

    def _facts_digests(self, houses: Ints) -> list[str]:
        """SHA-256 over the facts of each household and its members, as they stand in the snapshot."""
        found: list[str] = []
        for start in range(0, len(houses), DIGESTED_AT_ONCE):
            some = houses[start : start + DIGESTED_AT_ONCE]
            own = _rows_as_bytes(self.table.households, self._household_codes, some)
            theirs = _rows_as_bytes(self.table.members, self._member_codes, members_of(self.table, some))
            ends = np.cumsum(self.table.offsets[some + 1] - self.table.offsets[some]).tolist()
            low = 0
            for facts, high in zip(own, ends, strict=True):
                found.append(hashlib.sha256(facts.tobytes() + theirs[low:high].tobytes()).hexdigest())
                low = high
        return found


def _codes(columns: Mapping[str, Column], stored: pa.Table, facts: Sequence[Fact]) -> list[str]:
    """The facts of the snapshot, in the order they were stored in."""
    known = {fact.code for fact in facts}
    return [code for code in stored.column_names if code in known and code in columns]


def _rows_as_bytes(columns: Mapping[str, Column], codes: Sequence[str], rows: Ints) -> Ints:
    """Every fact and whether it is known, one row a subject."""
    out = np.empty((len(rows), 2 * len(codes)), np.int64)
    for number, code in enumerate(codes):
        values, known = columns[code].values[rows], columns[code].known[rows]
        out[:, 2 * number] = np.where(known, values, 0)
        out[:, 2 * number + 1] = known
    return out


def _dates(days: Ints) -> list[date | None]:
    return [date(1970, 1, 1) + timedelta(day) if day else None for day in days.tolist()]


def _changed(outcome: Outcome, held: Standing, counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    eligible = outcome.eligible == 1
    differs = eligible & ((outcome.amount_fen != held.amount_fen) | (outcome.phase_out != (held.phase_out_since > 0)))
    leaves = (outcome.eligible == 0) & (held.amount_fen > 0)
    return (differs | leaves | (outcome.eligible == -1)) & (counts | (held.amount_fen > 0))


def _kinds(outcome: Outcome, rows: Ints, held: Standing) -> Ints:
    """Positions in KINDS."""
    eligible, amount, before = outcome.eligible[rows], outcome.amount_fen[rows], held.amount_fen[rows]
    leaves = (eligible == 0) | (amount == 0)
    tests = [eligible < 0, leaves, before == 0, outcome.phase_out[rows], amount >= before]
    return np.select(tests, range(5), default=5)


def _missing(outcome: Outcome, rows: Ints) -> NDArray[np.uint64]:
    return np.where(outcome.eligible[rows] < 0, outcome.missing_mask[rows], np.uint64(0))


def _by_mask(masks: NDArray[np.uint64], names: Callable[[int], Sequence[str]]) -> list[list[str]]:
    """The names of every row's mask; masks are few, rows are many."""
    known, positions = np.unique(masks, return_inverse=True)
    lists = [list(names(int(mask))) for mask in known]
    return [lists[position] for position in positions.tolist()]


def _failed(programme: Programme, mask: int) -> tuple[str, ...]:
    return tuple(condition.id for number, condition in enumerate(programme.conditions) if mask >> number & 1)
