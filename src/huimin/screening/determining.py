"""From a snapshot and the policies in force to proposals: who should enter, leave, get more or less (DET-01, DET-06).

in    a Snapshot (with what is granted today), the programmes in force
out   an Arrow table, one row a proposed change, in the order of households

What is granted and stays the same is not listed. Who holds something and is registered no more (died, left, household
closed) should leave. For what is granted and changes, the row says what changed since it was
determined (screening.reasons). Who is not eligible and has nothing is not listed either: the grounds
of everybody are recomputed from the snapshot whenever asked (screening.explaining). An unknown determination is listed
as unknown and names the missing facts; it can be confirmed by nobody until they are collected.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from huimin.kernel.facts import Fact, Kind
from huimin.rules import Column, Outcome, Programme, Table, evaluate_each, in_order_of_asking, missing_names
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
DIGESTED_AT_ONCE = 1_000  # households whose facts are laid out at a time: so many stay in the cache
LISTED_AT_ONCE = 100_000  # rows of a table: what one programme proposes to a county is hundreds of megabytes
KINDS = ("unknown", "leave", "enter", "phase_out", "increase", "decrease")
Explainer = Callable[[Programme, Ints, Ints, Standing], list[str]]
"""(programme, rows of the households, rows of the subjects, what each of these holds) → the reasons of each, as JSON."""


def no_reasons(programme: Programme, houses: Ints, rows: Ints, held: Standing) -> list[str]:
    return ["[]"] * len(rows)


class Determination:
    """All programmes over one snapshot; `proposals` yields what each of them proposes.

    Memory: the snapshot and its columns; of outcomes only those of the few programmes determined together and those others still ask about.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        on: date,
        programmes: Iterable[Programme],
        explainer: Explainer = no_reasons,
        place: str = "",
    ) -> None:
        self.snapshot, self.on, self.explainer, self.place = snapshot, on, explainer, place
        self.programmes = in_order_of_asking(programmes)
        self.outcomes: dict[str, Outcome] = {}
        self.table: Table = snapshot.table({code for law in self.programmes for code in law.structure.others})
        self.divisions = snapshot.households["division"].combine_chunks()
        self.living = self.table.living((on - date(1970, 1, 1)).days)
        self.people = np.add.reduceat(
            np.append(self.living, False), np.minimum(self.table.offsets[:-1], len(self.living)), dtype=np.int64
        ) * (np.diff(self.table.offsets) > 0)
        self._household_codes = _codes(self.table.households, snapshot.households, snapshot.household_facts)
        self._member_codes = _codes(self.table.members, snapshot.members, snapshot.person_facts)
        self._digests = np.zeros((self.table.household_count, hashlib.sha256().digest_size), np.uint8)
        self._digested = np.zeros(self.table.household_count, np.bool_)

    def proposals(self) -> Iterator[tuple[str, pa.Table]]:
        """(programme, rows) of one programme after another, those asked about with 符合 before those that ask; many in parts."""
        self.table = self.table.completed([fact for law in self.programmes for fact in law.facts_needed])
        for number, (programme, outcome) in enumerate(evaluate_each(self.programmes, self.table, self.on)):
            self.outcomes[programme.code] = outcome
            for table in self._proposed(programme, outcome):
                yield programme.code, table
            asked = {code for later in self.programmes[number + 1 :] for code in later.structure.fits}
            self.outcomes = {code: found for code, found in self.outcomes.items() if code in asked}

    def _proposed(self, programme: Programme, outcome: Outcome) -> Iterator[pa.Table]:
        """What is determined compared with what is granted: one row of COLUMNS a proposed change."""
        by_person = programme.unit == "person"
        rows, held = self._changed(outcome, self.snapshot.standing(programme.code, by_person), by_person)
        for start in range(0, max(len(rows), 1), LISTED_AT_ONCE):
            part = slice(start, start + LISTED_AT_ONCE)
            yield self._listed(programme, outcome, rows[part], held.take(part))
        if gone := self._gone(programme, by_person):
            yield pa.Table.from_pylist(gone, pa.schema(COLUMNS))

    def _gone(self, programme: Programme, by_person: bool) -> list[dict[str, Any]]:
        """Who holds it and is registered no more in `place`: dead, left, household closed. He should leave."""
        granted = self.snapshot.granted
        if not self.place or "division" not in granted.column_names or not len(granted):
            return []
        holder, subjects = (
            ("person", self.snapshot.person_ids) if by_person else ("household", self.snapshot.household_ids)
        )
        here = pc.and_(pc.equal(granted["programme"], programme.code), pc.starts_with(granted["division"], self.place))
        mine = pc.and_(here, pc.equal(pc.greater(granted["person"], 0), by_person))
        missing = pc.invert(pc.is_in(granted[holder], value_set=pa.array(subjects)))
        rows = granted.filter(pc.fill_null(pc.and_(mine, missing), False)).to_pylist()
        rows.sort(key=lambda row: (row["household"], row["person"]))
        return [_leaving(programme, row) for row in rows if row["amount_fen"]]

    def _listed(self, programme: Programme, outcome: Outcome, rows: Ints, held: Standing) -> pa.Table:
        by_person = programme.unit == "person"
        houses = np.searchsorted(self.table.offsets, rows, side="right") - 1 if by_person else rows
        kinds = _kinds(outcome, rows, held)
        phased = kinds == KINDS.index("phase_out")
        count = len(rows)
        columns = {
            "programme": pa.repeat(programme.code, count),
            "version": pa.repeat(programme.version, count),
            "division": self.divisions.take(pa.array(houses)),
            "household_id": self.snapshot.household_ids[houses],
            "person_id": self.snapshot.person_ids[rows] if by_person else pa.nulls(count, pa.int64()),
            "kind": pa.array(KINDS).take(pa.array(kinds)),
            "amount_fen": outcome.amount_fen[rows],
            "previous_fen": held.amount_fen,
            "people": np.ones(count, np.int64) if by_person else self.people[houses],
            "quantity": self._quantities(programme, houses),
            "failed": _by_mask(outcome.failed_mask[rows], lambda mask: _failed(programme, mask)),
            "missing": _by_mask(_missing(outcome, rows), lambda mask: missing_names(programme, mask)),
            "facts_digest": self._facts_digests(houses),
            "reasons": self._reasons(programme, houses, rows, held),
            "phase_out_since": _dates(np.where(phased, held.phase_out_since, 0)),
            "phase_out_months": phase_out_months(programme, self.table, self.on, self.outcomes, rows, phased),
        }
        arrays = [_array(columns[name], kind) for name, kind in COLUMNS.items()]
        return pa.table(arrays, schema=pa.schema(COLUMNS))

    def _changed(self, outcome: Outcome, held: Standing, by_person: bool) -> tuple[Ints, Standing]:
        """The rows that are to be listed, and what each of them holds."""
        rows = np.union1d(np.flatnonzero(outcome.eligible), held.rows)
        held = held.at(rows)
        eligible, paid = outcome.eligible[rows], held.amount_fen > 0
        other = (outcome.amount_fen[rows] != held.amount_fen) | (outcome.phase_out[rows] != (held.phase_out_since > 0))
        chosen = ((eligible == 1) & other) | ((eligible == 0) & paid) | (eligible == -1)
        if by_person:
            chosen &= self.living[rows] | paid  # the dead and departed can be no beneficiaries; a household always can
        return rows[chosen], held.take(chosen)

    def _reasons(self, programme: Programme, houses: Ints, rows: Ints, held: Standing) -> pa.Array | list[str]:
        """Of those who hold something; who enters has nothing that changed."""
        changing = np.flatnonzero(held.amount_fen > 0)
        if not len(changing):
            return pa.repeat("[]", len(rows))
        told = ["[]"] * len(rows)
        reasons = self.explainer(programme, houses[changing], rows[changing], held.take(changing))
        for place, reason in zip(changing.tolist(), reasons, strict=True):
            told[place] = reason
        return told

    def _quantities(self, programme: Programme, houses: Ints) -> pa.Array:
        """The area a per-亩 subsidy is paid for, as a roster prints it; empty for other programmes."""
        areas = [fact for fact in programme.facts_needed if fact.kind is Kind.AREA]
        if len(areas) != 1:
            return pa.repeat("", len(houses))
        hundredths = self.table.households[areas[0].code].values[houses]
        whole, cents = (pa.array(each).cast(pa.string()) for each in np.divmod(hundredths, 100))
        unit = pa.scalar(f" {areas[0].unit}")
        return pc.binary_join_element_wise(whole, ".", pc.utf8_lpad(cents, 2, "0"), unit, "")

    def _facts_digests(self, houses: Ints) -> pa.Array:
        """SHA-256 over the facts of each household and its members, as they stand in the snapshot."""
        new = houses[~self._digested[houses]]
        new = new[np.append(True, new[1:] != new[:-1])[: len(new)]]  # persons of one household stand together
        for start in range(0, len(new), DIGESTED_AT_ONCE):
            self._digest(new[start : start + DIGESTED_AT_ONCE])
        return _hex(self._digests[houses])

    def _digest(self, houses: Ints) -> None:
        own = _rows_as_bytes(self.table.households, self._household_codes, houses)
        theirs = _rows_as_bytes(self.table.members, self._member_codes, members_of(self.table, houses))
        ends = np.cumsum(self.table.offsets[houses + 1] - self.table.offsets[houses]) * theirs.strides[0]
        members, low, found = theirs.reshape(-1).view(np.uint8).data, 0, []
        for facts, high in zip(own, ends.tolist(), strict=True):
            digest = hashlib.sha256(facts)
            digest.update(members[low:high])
            found.append(digest.digest())
            low = high
        self._digests[houses] = np.frombuffer(b"".join(found), np.uint8).reshape(len(houses), -1)
        self._digested[houses] = True


def _leaving(programme: Programme, row: dict[str, Any]) -> dict[str, Any]:
    """A row of COLUMNS for a holder who is not there any more; its one reason is that."""
    what = "成员" if row["person"] else "户"
    reason = {"of": "member", "name": what, "before": "在册", "after": "不在册", "person": row["person"]}
    return {
        "programme": programme.code, "version": programme.version, "division": row["division"],
        "household_id": row["household"], "person_id": row["person"] or None, "kind": "leave", "amount_fen": 0,
        "previous_fen": row["amount_fen"], "people": 0, "quantity": "", "failed": [], "missing": [], "facts_digest": "",
        "reasons": json.dumps([reason], ensure_ascii=False), "phase_out_since": None, "phase_out_months": None,
    }  # fmt: skip


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


def _hex(digests: NDArray[np.uint8]) -> pa.Array:
    """As text, two digits a byte."""
    count, size = digests.shape
    letters = _TWO_DIGITS[digests]
    ends = pa.py_buffer((np.arange(count + 1) * (2 * size)).astype(np.int32))
    return pa.StringArray.from_buffers(count, ends, pa.py_buffer(letters))


_TWO_DIGITS = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint16)


def _dates(days: Ints) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=days == 0).cast(pa.date32())


def _array(column: pa.Array | Ints | list[Any], kind: pa.DataType) -> pa.Array:
    return column if isinstance(column, pa.Array) else pa.array(column, kind)


def _kinds(outcome: Outcome, rows: Ints, held: Standing) -> Ints:
    """Positions in KINDS; `held` is what each of the rows holds."""
    eligible, amount = outcome.eligible[rows], outcome.amount_fen[rows]
    leaves = (eligible == 0) | (amount == 0)
    tests = [eligible < 0, leaves, held.amount_fen == 0, outcome.phase_out[rows], amount >= held.amount_fen]
    return np.select(tests, range(5), default=5)


def _missing(outcome: Outcome, rows: Ints) -> NDArray[np.uint64]:
    return np.where(outcome.eligible[rows] < 0, outcome.missing_mask[rows], np.uint64(0))


def _by_mask(masks: NDArray[np.uint64], names: Callable[[int], Sequence[str]]) -> pa.Array:
    """The names of every row's mask; masks are few, rows are many."""
    known, positions = np.unique(masks, return_inverse=True)
    lists = pa.array([list(names(int(mask))) for mask in known], pa.list_(pa.string()))
    return lists.take(pa.array(positions))


def _failed(programme: Programme, mask: int) -> tuple[str, ...]:
    return tuple(condition.id for number, condition in enumerate(programme.conditions) if mask >> number & 1)
