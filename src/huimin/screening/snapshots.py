"""Snapshots: every fact a determination rests on, of one moment, in one file (DET-07, SEC-04).

in    the registry as of a date, as known now; out   columns for the rules engine, and an encrypted Parquet file

People stand in a snapshot by their row id only; no name, number or address is in it. The file is encrypted like the
columns of the database; its SHA-256 is over the plain Parquet bytes and stands in the run.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from numpy.typing import NDArray

from huimin.database.personal import PAYLOAD, keyring
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.rules import Column, Table
from huimin.rules.table import dtype_of


@dataclass(frozen=True)
class Snapshot:
    """Households by id and members by household and person id, in fact codes; and what is granted to them today.

    `granted` has the columns programme, household, person (0 for a household's), amount_fen: without it a run could
    not be repeated once its proposals are decided.
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

    def granted_to(self, programme: str, by_person: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(person or household ids, amounts in 分) that hold this programme today."""
        rows = self.granted.filter(pa.compute.equal(self.granted["programme"], programme))
        return _numbers(rows["person" if by_person else "household"]), _numbers(rows["amount_fen"])

    def table(self) -> Table:
        """The columns as the rules engine takes them."""
        offsets = np.searchsorted(self.member_households, self.household_ids, side="left")
        offsets = np.append(offsets, len(self.members)).astype(np.int64)
        return Table(
            {fact.code: _column(self.households[fact.code], fact) for fact in HOUSEHOLD_FACTS},
            {fact.code: _column(self.members[fact.code], fact) for fact in PERSON_FACTS},
            offsets,
        )


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return column.to_numpy().astype(np.int64, copy=False)


def _column(column: pa.ChunkedArray, fact: Fact) -> Column:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    known = np.asarray(array.is_valid())
    if fact.kind is Kind.CHOICE:
        codes = pa.compute.index_in(array, value_set=pa.array(fact.choices)).fill_null(0)
        return Column(codes.to_numpy(zero_copy_only=False).astype(np.int8), known)
    if fact.kind is Kind.DATE:
        days = array.cast(pa.date32()).cast(pa.int32()).fill_null(0)
        return Column(days.to_numpy(zero_copy_only=False).astype(np.int32), known)
    if fact.kind is Kind.FLAG:
        return Column(array.cast(pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False), known)
    numbers = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return Column(numbers.astype(dtype_of(fact.kind)), known)


def save(snapshot: Snapshot, path: Path) -> str:
    """Write the snapshot, encrypted, and return the SHA-256 of its plain bytes."""
    plain = _bytes(snapshot)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(keyring().encrypt_bytes(plain, PAYLOAD))
    part.rename(path)
    return hashlib.sha256(plain).hexdigest()


def load(path: Path) -> tuple[Snapshot, str]:
    """The snapshot and its SHA-256."""
    plain = keyring().decrypt_bytes(path.read_bytes(), PAYLOAD)
    tables, place = [], 0
    while place < len(plain):
        length = int.from_bytes(plain[place : place + 8], "big")
        tables.append(pq.read_table(io.BytesIO(plain[place + 8 : place + 8 + length])))
        place += 8 + length
    return Snapshot(*tables), hashlib.sha256(plain).hexdigest()


def _bytes(snapshot: Snapshot) -> bytes:
    """Each table as Parquet with its length before it; the same facts give the same bytes."""
    parts = []
    for table in (snapshot.households, snapshot.members, snapshot.granted):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        parts.append(len(buffer.getvalue()).to_bytes(8, "big") + buffer.getvalue())
    return b"".join(parts)
