"""Snapshots: every fact a determination rests on, of one moment, in one file (DET-07, SEC-04).

in    the registry as of a date, as known now; out   columns for the rules engine, and an encrypted Parquet file

People stand in a snapshot by their row id only; no name, number or address is in it. The file is encrypted like the
columns of the database and named by the SHA-256 of its plain Parquet bytes, which stands in the run: the same facts are
one file, and a file that is missing or is not what its name says is told, never used. A fact the dictionary gained
after the file was written is unknown in it.
"""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

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
        "division": pa.string(),
    }
)  # fmt: skip


_STANDING = ("amount_fen", "original_fen", "since", "phase_out_since", "run")


class SnapshotMissing(Refusal):
    """The file a run rested on is not there."""


class SnapshotDamaged(Refusal):
    """The file a run rested on is not what the run's digest was made over."""


@dataclass(frozen=True)
class Standing:
    """Who holds one programme: `rows` of its unit, rising, and beside each what is held; elsewhere nothing is.

    Amounts in 分, days since 1970-01-01; 0 is "not".
    """

    rows: NDArray[np.int64]
    amount_fen: NDArray[np.int64]
    original_fen: NDArray[np.int64]
    since: NDArray[np.int32]
    phase_out_since: NDArray[np.int32]
    run: NDArray[np.int64]

    def at(self, rows: NDArray[np.int64]) -> "Standing":
        """One element for each of these rows, which rise; zeros for those that hold nothing."""
        place = np.minimum(np.searchsorted(self.rows, rows), max(len(self.rows) - 1, 0))
        holds = self.rows[place] == rows if len(self.rows) else np.zeros(len(rows), bool)
        spread = {}
        for field in fields(self)[1:]:
            held = getattr(self, field.name)
            spread[field.name] = np.where(holds, held[place], 0) if len(held) else np.zeros(len(rows), held.dtype)
        return Standing(rows, **spread)

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Standing":
        return Standing(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True)
class Snapshot:
    """Households by id and members by household and person id, in fact codes; and what is granted to them today.

    `granted` has the columns of GRANTED (`division` is where the holder is now; older files lack it), `person` 0 for a household's, `original_fen` the amount before a 渐退, `run` the
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
        """Which households (or members) of the snapshot hold this programme, and what."""
        rows = self.granted.filter(pa.compute.equal(self.granted["programme"], programme))
        place = places_of(_numbers(rows["person" if by_person else "household"]), self._subjects(by_person))
        order = np.argsort(place)
        order = order[place[order] >= 0]
        columns = {name: _whole_numbers(rows, name)[order] for name in _STANDING}
        days = {name: columns.pop(name).astype(np.int32) for name in ("since", "phase_out_since")}
        return Standing(place[order], **columns, **days)

    def _subjects(self, by_person: bool) -> NDArray[np.int64]:
        return self.person_ids if by_person else self.household_ids

    def table(self, holding: Collection[str] | None = None, facts: Collection[str] | None = None) -> Table:
        """The columns as the rules engine takes them. None for all: `holding`, the programmes it asks who holds them;
        `facts`, by code."""
        offsets = np.searchsorted(self.member_households, self.household_ids, side="left")
        offsets = np.append(offsets, len(self.members)).astype(np.int64)
        return Table(
            _columns_of(self.households, self.household_facts, facts),
            _columns_of(self.members, self.person_facts, facts),
            offsets,
            self._held(holding),
        )

    def _held(self, holding: Collection[str] | None) -> dict[str, Held]:
        of_person = pa.compute.greater(self.granted["person"], 0)
        found = {}
        for by_person, rows in ((True, of_person), (False, pa.compute.invert(of_person))):
            codes = self.granted.filter(rows)["programme"].unique().to_pylist()
            for code in codes if holding is None else [code for code in codes if code in holding]:
                held, count = self.standing(code, by_person), len(self._subjects(by_person))
                dense = (
                    _dense(held.rows, each, count) for each in (held.original_fen, held.since, held.phase_out_since)
                )
                found[code] = Held(*dense)
        return found


def _dense(rows: NDArray[np.int64], values: NDArray[Any], count: int) -> NDArray[Any]:
    spread = np.zeros(count, values.dtype)
    spread[rows] = values
    return spread


def places_of(subjects: NDArray[np.int64], holders: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every subject the position among the holders, -1 for none."""
    if not len(holders):
        return np.full(len(subjects), -1)
    order = np.argsort(holders)
    places = np.searchsorted(holders[order], subjects)
    places[places == len(holders)] = 0
    return np.where(holders[order][places] == subjects, order[places], -1)


def _whole_numbers(rows: pa.Table, name: str) -> NDArray[np.int64]:
    column = rows[name]
    numbers = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    return np.asarray(numbers.fill_null(0).to_numpy().astype(np.int64))


def _columns_of(table: pa.Table, facts: tuple[Fact, ...], only: Collection[str] | None) -> dict[str, Column]:
    wanted = [fact for fact in facts if fact.kind is not Kind.TEXT and (only is None or fact.code in only)]
    return {fact.code: _column_of(table, fact) for fact in wanted}


def _column_of(table: pa.Table, fact: Fact) -> Column:
    if fact.code not in table.column_names:
        return Column(np.zeros(len(table), dtype_of(fact.kind)), np.zeros(len(table), bool))
    return _column(table[fact.code], fact)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.to_numpy().astype(np.int64, copy=False)


def _column(column: pa.ChunkedArray, fact: Fact) -> Column:
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()  # one chunk would be copied too
    known = _known(array)
    if fact.kind is Kind.CHOICE:
        codes = _choices(array, fact)
        other = codes < 0  # a word that is no choice any more says nothing
        return Column(np.maximum(codes, 0), known & ~other) if other.any() else Column(codes, known)
    if fact.kind is Kind.PLACE:
        array = array.cast(pa.int64())
    if fact.kind is Kind.FLAG:
        return Column(array.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False), known)
    if fact.kind is Kind.DATE:
        array = array.cast(pa.date32()).view(pa.int32())
    else:
        array = array.cast(pa.from_numpy_dtype(dtype_of(fact.kind)))
    return Column(_values(array, known), known)


def _known(array: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(array.is_valid()) if array.null_count else _everyone(len(array))


@lru_cache(maxsize=2)
def _everyone(rows: int) -> NDArray[np.bool_]:
    """One column for all facts that are known of everybody."""
    found = np.ones(rows, np.bool_)
    found.setflags(write=False)
    return found


def _values(array: pa.Array, known: NDArray[np.bool_]) -> NDArray[Any]:
    """The numbers of the array, 0 for null; the array's own memory where that holds zeros there already."""
    if not array.null_count:
        return np.asarray(array.to_numpy())
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())[array.offset : array.offset + len(array)]
    if values[~known].any():
        return np.asarray(array.fill_null(0).to_numpy())
    return values


def _choices(array: pa.Array, fact: Fact) -> NDArray[np.int8]:
    """Positions in the fact's choices; -1 for what is none, and anything for null."""
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    words = array.dictionary.to_pylist()
    codes = array.indices.cast(pa.int8())
    values = _values(codes, _known(codes))
    if words[: len(fact.choices)] == list(fact.choices) and len(words) == len(fact.choices):
        return values
    place = [fact.choices.index(word) if word in fact.choices else -1 for word in words]
    return np.array([*place, -1], np.int8)[values]


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


@dataclass(frozen=True)
class Stored:
    """A snapshot as it lies in its file, decrypted: a tenth of what it takes as columns."""

    plain: bytes

    def read(self, facts: Collection[str] | None = None) -> Snapshot:
        """The whole, or ids and places and these facts alone."""
        tables, place = [], 0
        while place < len(self.plain):
            length = int.from_bytes(self.plain[place : place + 8], "big")
            file = pq.ParquetFile(pa.BufferReader(memoryview(self.plain)[place + 8 : place + 8 + length]))
            names = file.schema_arrow.names
            kept = (
                names
                if facts is None or len(tables) == _FACT_TABLES
                else [n for n in names if n in facts or n in _KEYS]
            )
            tables.append(file.read(columns=kept).combine_chunks())
            place += 8 + length
        return Snapshot(*tables)


_KEYS = ("household_id", "person_id", "division")
_FACT_TABLES = 2


def load(path: Path, sha256: str) -> Snapshot:
    """The snapshot with that digest; SnapshotMissing, SnapshotDamaged."""
    return open_stored(path, sha256).read()


def open_stored(path: Path, sha256: str) -> Stored:
    """As `load`, to be read in parts."""
    return Stored(_plain(path, sha256))


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
    parts: list[bytes | pa.Buffer] = []
    for table in (snapshot.households, snapshot.members, snapshot.granted):
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", use_dictionary=_words(table))
        parquet = sink.getvalue()
        parts += [len(parquet).to_bytes(8, "big"), parquet]
    return b"".join(parts)


def _words(table: pa.Table) -> list[str]:
    """Columns of few different values: the others gain nothing from being listed first."""
    texts = (pa.types.is_dictionary, pa.types.is_string)
    return [field.name for field in table.schema if any(is_text(field.type) for is_text in texts)]
