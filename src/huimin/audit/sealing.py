"""Seal what was recorded, so that nobody can change it unnoticed, not even with the database's own password (SEC-05).

in    change records of finished transactions (audit_change), the seal key, the chain heads outside the database
out   seals (audit_seal) with their parts, one after the other; a line in the heads file for each

Always true when `seal` returns:

- Seals are numbered from 1 without a gap; each begins with the transaction where the one before ended, and together
  they cover every record of a transaction below the snapshot's xmin: nothing can still be added to what is sealed.
- A seal's mac is HMAC-SHA-256 over its number, bounds, count, time, content and the seal before; the key never goes to
  the database. The content covers, in the order (transaction, id), SHA-256 of every record; PostgreSQL computes it.
- Every seal of the database stands in the heads file. The database commits first: after a crash between the two the
  next call adds the missing head, once the seal's mac has proved it ours. A file that knows more than the database
  means that seals were cut off, and nothing is sealed on top of that.

Sealing again without new records does nothing; of two sealers one waits for the other. The maintenance role seals: it
alone reads the records of every place, and the application, which people reach from outside, can write no seal.

Terms: a *leaf* is the SHA-256 of one record, a *part* the ids and leaves of up to PART records, the *content* the
SHA-256 over the SHA-256 of the parts.
"""

# ruff: noqa: S608 - SQL is put together from constants of this file only; values are parameters
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections, transaction

from huimin.database import instance
from huimin.database.bulk import fetch, fetch_one, run
from huimin.database.heads import Head, Heads, append_heads, read_heads
from huimin.database.security import PINNED
from huimin.kernel.errors import Refusal

ALIAS = "maintenance"
PART = 4096
LEAF_BYTES = 8 + 32
CONTENT = "sha256(string_agg(sha256(leaves), ''::bytea ORDER BY part))"
BATCH = 100_000
_LOCK = 0x68756D5EA1
_START = bytes(32)

# One record's canonical text, hashed; `c` is audit_change. A later form of it needs a new mark in `mac_of`.
LEAF = """sha256(convert_to(json_build_array(c.xid::text, c.id, c.at, c.table_name, c.row_key, c.operation, c.division,
    c.appointment, c.request, c.before::text, c.after::text, encode(c.digest, 'hex'))::text, 'UTF8'))"""


class ChainBroken(Refusal):
    """The database's seals do not go with the heads file or the key; sealing on would hide it."""


class NoSealKey(Refusal):
    """HUIMIN_SEAL_KEY is not set."""


@dataclass(frozen=True)
class SealRow:
    """One row of audit_seal."""

    number: int
    from_xid: int
    until_xid: int
    changes: int
    content: bytes
    previous: bytes
    sealed_at: str
    mac: bytes


@dataclass(frozen=True)
class Sealed:
    """What one call sealed, and how many records wait because a transaction older than them is still open."""

    seals: int
    changes: int
    unsealed: int
    mended_heads: int


def seal(*, batch: int = BATCH, heads_path: Path | None = None) -> Sealed:
    """Seal everything that can be sealed, in seals of about `batch` records. Raises ChainBroken, NoSealKey."""
    path, key, name = heads_path or instance.heads_file(), seal_key(), database_name()
    seals = changes = 0
    with _one_sealer():
        heads = read_heads(path, name)
        mended = _mend(path, key, heads)
        while (made := _seal_next(key, batch)) is not None:
            append_heads(path, [head_of(made, name)])
            seals, changes = seals + 1, changes + made.changes
        return Sealed(seals, changes, count_unsealed(), mended)


def count_unsealed() -> int:
    """Records that no seal covers yet."""
    return int(
        fetch_one(
            "SELECT count(*) FROM audit_change WHERE xid >= (SELECT coalesce(max(until_xid), '0') FROM audit_seal)",
            using=ALIAS,
        )[0]
    )


def database_name() -> str:
    return str(connections[ALIAS].settings_dict["NAME"])


def seal_key() -> bytes:
    if not settings.SEAL_KEY:
        raise NoSealKey("没有封印密钥", why="环境中没有 HUIMIN_SEAL_KEY", remedy="请先执行 ./huimin db up")
    return bytes.fromhex(settings.SEAL_KEY)


def mac_of(key: bytes, row: SealRow) -> bytes:
    """The keyed hash of a seal; what it covers is what nobody can change."""
    fields = (
        row.number,
        row.from_xid,
        row.until_xid,
        row.changes,
        row.sealed_at,
        row.content.hex(),
        row.previous.hex(),
    )
    return hmac.digest(key, ("huimin seal 1\n" + "\n".join(map(str, fields))).encode(), "sha256")


def head_of(row: SealRow, database: str) -> Head:
    return Head(database, row.number, row.until_xid, row.mac.hex())


def list_seals(after: int, limit: int) -> list[SealRow]:
    """Seals in order from the one after `after`."""
    rows = fetch(
        f"SELECT {_COLUMNS} FROM audit_seal WHERE number > %s ORDER BY number LIMIT %s", [after, limit], using=ALIAS
    )
    return [_row(row) for row in rows]


def pin_session() -> None:
    """Make this transaction write times and bytes as the records' digests need them."""
    assert connections[ALIAS].in_atomic_block
    for name, value in PINNED.items():
        run("SELECT set_config(%s, %s, true)", [name, value], using=ALIAS)


_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""
_COLUMNS = (
    "number, from_xid::text::bigint, until_xid::text::bigint, changes, content, previous,"
    f" {_TIME.format('sealed_at')}, mac"
)


def _row(values: tuple[Any, ...]) -> SealRow:
    number, from_xid, until_xid, changes, content, previous, sealed_at, mac = values
    return SealRow(number, from_xid, until_xid, changes, bytes(content), bytes(previous), sealed_at, bytes(mac))


@contextmanager
def _one_sealer() -> Iterator[None]:
    """Held by the session, so that it outlasts the transactions and ends with the process."""
    assert not connections[ALIAS].in_atomic_block, "each seal is a transaction of its own"
    run("SELECT pg_advisory_lock(%s)", [_LOCK], using=ALIAS)
    try:
        yield
    finally:
        run("SELECT pg_advisory_unlock(%s)", [_LOCK], using=ALIAS)


def _mend(path: Path, key: bytes, heads: Heads) -> int:
    """Compare the last head with the database and add heads that a crash kept from the file; how many."""
    last = heads.last
    if last is not None:
        here = list_seals(last.number - 1, 1)
        if not here or here[0].number != last.number or here[0].mac.hex() != last.mac:
            raise ChainBroken(
                "封印链与库外链头不符，停止封印",
                why=f"链头文件记到第 {last.number} 号，数据库中没有这个封印或内容不同",
                remedy="请执行 ./huimin audit verify 查明，并保存现场",
            )
    mended = 0
    for row in _seals_after(last.number if last else 0):
        if mac_of(key, row) != row.mac:
            raise ChainBroken(
                f"第 {row.number} 号封印不是本系统所作",
                why="密钥不符或内容被改动",
                remedy="请执行 ./huimin audit verify",
            )
        append_heads(path, [head_of(row, database_name())])
        mended += 1
    return mended


def _seals_after(number: int) -> Iterator[SealRow]:
    while rows := list_seals(number, 1000):
        yield from rows
        number = rows[-1].number


def _seal_next(key: bytes, batch: int) -> SealRow | None:
    """One more seal, in a transaction; None when nothing is left to seal."""
    with transaction.atomic(using=ALIAS):
        run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", using=ALIAS)
        pin_session()
        number, from_xid, previous = _end_of_chain()
        until_xid = _until(from_xid, batch)
        if until_xid is None:
            return None
        changes, content = _add_parts(number, from_xid, until_xid)
        made = SealRow(number, from_xid, until_xid, changes, content, previous, _now(), b"")
        signed = replace(made, mac=mac_of(key, made))
        _add_seal(signed)
        return signed


def _end_of_chain() -> tuple[int, int, bytes]:
    """Number and first transaction of the next seal, and the mac it follows."""
    rows = fetch(f"SELECT {_COLUMNS} FROM audit_seal ORDER BY number DESC LIMIT 1", using=ALIAS)
    if not rows:
        return 1, 0, _START
    last = _row(rows[0])
    return last.number + 1, last.until_xid, last.mac


def _until(from_xid: int, batch: int) -> int | None:
    """Where a seal from `from_xid` ends: after whole finished transactions of `batch` records or a little more."""
    horizon = "pg_snapshot_xmin(pg_current_snapshot())"
    rows = fetch(
        f"SELECT xid::text::bigint FROM audit_change WHERE xid >= %s::text::xid8 AND xid < {horizon}"
        " ORDER BY xid, id OFFSET %s LIMIT 1",
        [from_xid, batch - 1],
        using=ALIAS,
    )
    if rows:
        return int(rows[0][0]) + 1
    end, count = fetch_one(
        f"SELECT {horizon}::text::bigint, count(*) FROM audit_change WHERE xid >= %s::text::xid8 AND xid < {horizon}",
        [from_xid],
        using=ALIAS,
    )
    return int(end) if count else None


def parts_query(seals: str) -> str:
    """SQL for (seal, part, leaves), computed from the records; `seals` is SQL for (number, from_xid, until_xid)."""
    return f"""
        SELECT seal, part, string_agg(int8send(id) || leaf, ''::bytea ORDER BY place) AS leaves
        FROM (SELECT s.number AS seal, c.id, {LEAF} AS leaf,
                     row_number() OVER in_order AS place, (row_number() OVER in_order - 1) / {PART} AS part
              FROM ({seals}) s JOIN audit_change c ON c.xid >= s.from_xid AND c.xid < s.until_xid
              WINDOW in_order AS (PARTITION BY s.number ORDER BY c.xid, c.id)) AS records
        GROUP BY seal, part"""


def _add_parts(number: int, from_xid: int, until_xid: int) -> tuple[int, bytes]:
    """Write the parts of a new seal; how many records they hold, and their content."""
    one = "SELECT %s::bigint AS number, %s::text::xid8 AS from_xid, %s::text::xid8 AS until_xid"
    run(
        f"INSERT INTO audit_sealpart (seal_id, part, leaves) {parts_query(one)}",
        [number, from_xid, until_xid],
        using=ALIAS,
    )
    changes, content = fetch_one(
        f"SELECT sum(length(leaves)) / {LEAF_BYTES}, {CONTENT} FROM audit_sealpart WHERE seal_id = %s",
        [number],
        using=ALIAS,
    )
    return int(changes), bytes(content)


def _now() -> str:
    """The database's time, in the form that `mac_of` covers."""
    return str(fetch_one(f"SELECT {_TIME.format('clock_timestamp()')}", using=ALIAS)[0])


def _add_seal(row: SealRow) -> None:
    run(
        "INSERT INTO audit_seal (number, from_xid, until_xid, changes, content, previous, mac, sealed_at)"
        " VALUES (%s, %s::text::xid8, %s::text::xid8, %s, %s, %s, %s, (%s || 'Z')::timestamptz)",
        [row.number, row.from_xid, row.until_xid, row.changes, row.content, row.previous, row.mac, row.sealed_at],
        using=ALIAS,
    )
