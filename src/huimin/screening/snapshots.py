"""Snapshots: every fact a determination rests on, of one moment, in one file (DET-07, SEC-04).

in    the registry as of a date, as known now; out   columns for the rules engine, and an encrypted Parquet file

People stand in a snapshot by their row id only; no name, number or address is in it. The file is encrypted like the
columns of the database and named by the SHA-256 of its plain Parquet bytes, which stands in the run: the same facts are
one file, and a file that is missing or is not what its name says is told, never used. A fact the dictionary gained
after the file was written is unknown in it.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from huimin.database.personal import PAYLOAD, keyring
from huimin.kernel.ciphers import Unreadable
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.registry.added import added_of
from huimin.rules import Column, Table
from huimin.rules.table import Held, dtype_of

GRANTED = pa.schema(
    {
        "programme": pa.string(), "household": pa.int64(), "person": pa.int64(), "amount_fen": pa.int64(),
        "original_fen": pa.int64(), "since": pa.date32(), "phase_out_since": pa.date32(), "run": pa.int64(),
    }
)  # fmt: skip


class SnapshotMissing(Refusal):
    """The file a run rested on is not there."""


class SnapshotDamaged(Refusal):
    """The file a run rested on is not what the run's digest was made over."""


@dataclass(frozen=True)
class Standing:
    """Who holds one programme, one element a row of its unit: amounts in 分, days since 1970-01-01; 0 is "not"."""

    amount_fen: NDArray[np.int64]
    original_fen: NDArray[np.int64]
    since: NDArray[np.int32]
    phase_out_since: NDArray[np.int32]
    run: NDArray[np.int64]


@dataclass(frozen=True)
class Snapshot:
    """Households by id and members by household and person id, in fact codes; and what is granted to them today.

    `granted` has the columns of GRANTED, `person` 0 for a household's, `original_fen` the amount before a 渐退, `run` the
    run whose proposal was confirmed: without it a run could not be repeated once its proposals are decided.
    """

    households: pa.Table
    members: pa.Table
    granted: pa.Table

    @property
    def household_ids(self) -> NDArray[np.int64]:
        return _numbers(self.households["household_id"])

    @property
    def person_ids(self) -> NDArray[np.int64]:
        return _numbers(self.members["person_id"])

    @property
    def member_households(self) -> NDArray[np.int64]:
        """Household id of every member."""
        return _numbers(self.members["household_id"])

    @property
    def divisions(self) -> list[str]:
        return self.households["division"].to_pylist()

    @property
    def household_facts(self) -> tuple[Fact, ...]:
        """The dictionary's, and those the county had added when the snapshot was made."""
        return HOUSEHOLD_FACTS + added_of(self.households)

    @property
    def person_facts(self) -> tuple[Fact, ...]:
        return PERSON_FACTS + added_of(self.members)

    def standing(self, programme: str, by_person: bool) -> Standing:
        """What every household (or member) of the snapshot holds of this programme."""
        rows = self.granted.filter(pa.compute.equal(self.granted["programme"], programme))
        holders = _numbers(rows["person" if by_person else "household"])
        subjects = self.person_ids if by_person else self.household_ids
        place = places_of(subjects, holders)
        columns = {name: _spread(rows, name, place) for name in GRANTED.names[3:]}
        days = {name: columns.pop(name).astype(np.int32) for name in ("since", "phase_out_since")}
        return Standing(**columns, **days)

    def table(self) -> Table:
        """The columns as the rules engine takes them."""
        offsets = np.searchsorted(self.member_households, self.household_ids, side="left")
        offsets = np.append(offsets, len(self.members)).astype(np.int64)
        return Table(
            _columns_of(self.households, self.household_facts),
            _columns_of(self.members, self.person_facts),
            offsets,
            self._held(),
        )

    def _held(self) -> dict[str, Held]:
        of_person = pa.compute.greater(self.granted["person"], 0)
        found = {}
        for by_person, rows in ((True, of_person), (False, pa.compute.invert(of_person))):
            for code in self.granted.filter(rows)["programme"].unique().to_pylist():
                held = self.standing(code, by_person)
                found[code] = Held(held.original_fen, held.since, held.phase_out_since)
        return found


def places_of(subjects: NDArray[np.int64], holders: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every subject the position among the holders, -1 for none."""
    if not len(holders):
        return np.full(len(subjects), -1)
    order = np.argsort(holders)
    places = np.searchsorted(holders[order], subjects)
    places[places == len(holders)] = 0
    return np.where(holders[order][places] == subjects, order[places], -1)


def _spread(rows: pa.Table, name: str, place: NDArray[np.int64]) -> NDArray[np.int64]:
    column = rows[name]
    numbers = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    values = np.append(numbers.fill_null(0).to_numpy().astype(np.int64), 0)  # the last one is for nobody
    return values[place]


def _columns_of(table: pa.Table, facts: tuple[Fact, ...]) -> dict[str, Column]:
    return {fact.code: _column_of(table, fact) for fact in facts if fact.kind is not Kind.TEXT}


def _column_of(table: pa.Table, fact: Fact) -> Column:
    if fact.code not in table.column_names:
        return Column(np.zeros(len(table), dtype_of(fact.kind)), np.zeros(len(table), bool))
    return _column(table[fact.code], fact)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.to_numpy().astype(np.int64, copy=False)


def _column(column: pa.ChunkedArray, fact: Fact) -> Column:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    known = np.asarray(array.is_valid())
    if fact.kind is Kind.CHOICE:
        codes = pa.compute.index_in(array, value_set=pa.array(fact.choices))
        known = known & np.asarray(codes.is_valid())  # a word that is no choice any more says nothing
        return Column(codes.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int8), known)
    if fact.kind is Kind.DATE:
        days = array.cast(pa.date32()).cast(pa.int32()).fill_null(0)
        return Column(days.to_numpy(zero_copy_only=False).astype(np.int32), known)
    if fact.kind is Kind.PLACE:
        array = array.cast(pa.int64())
    if fact.kind is Kind.FLAG:
        return Column(array.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False), known)
    numbers = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return Column(numbers.astype(dtype_of(fact.kind)), known)


def save(snapshot: Snapshot, folder: Path) -> str:
    """Write the snapshot, encrypted, unless it is there; the SHA-256 of its plain bytes, which names the file."""
    plain = _bytes(snapshot)
    sha256 = hashlib.sha256(plain).hexdigest()
    path = folder / f"{sha256}.bin"
    if not _is_there(path, sha256):
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(keyring().encrypt_bytes(plain, PAYLOAD))
        part.rename(path)
    return sha256


def _is_there(path: Path, sha256: str) -> bool:
    try:
        _plain(path, sha256)
    except (SnapshotMissing, SnapshotDamaged):
        return False
    return True


def load(path: Path, sha256: str) -> Snapshot:
    """The snapshot with that digest; SnapshotMissing, SnapshotDamaged."""
    plain = _plain(path, sha256)
    tables, place = [], 0
    while place < len(plain):
        length = int.from_bytes(plain[place : place + 8], "big")
        tables.append(pq.read_table(io.BytesIO(plain[place + 8 : place + 8 + length])))
        place += 8 + length
    return Snapshot(*tables)


def _plain(path: Path, sha256: str) -> bytes:
    remedy = "请从备份恢复快照文件"
    if not path.is_file():
        raise SnapshotMissing(f"快照文件不在：{path.name}", remedy=remedy)
    try:
        plain = keyring().decrypt_bytes(path.read_bytes(), PAYLOAD)
    except Unreadable as unreadable:
        raise SnapshotDamaged(f"快照文件打不开：{path.name}", why="文件被改动或密钥不对", remedy=remedy) from unreadable
    if hashlib.sha256(plain).hexdigest() != sha256:
        raise SnapshotDamaged(f"快照与筛查时的摘要不符：{path.name}", why="文件被改动", remedy=remedy)
    return plain


def _bytes(snapshot: Snapshot) -> bytes:
    """Each table as Parquet with its length before it; the same facts give the same bytes."""
    parts = []
    for table in (snapshot.households, snapshot.members, snapshot.granted):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        parts.append(len(buffer.getvalue()).to_bytes(8, "big") + buffer.getvalue())
    return b"".join(parts)
