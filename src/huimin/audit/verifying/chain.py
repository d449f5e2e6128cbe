"""Check the seals, one by one, and the records under them (SEC-05)."""
# ruff: noqa: S608 - SQL is put together from constants only; values are parameters

from collections.abc import Iterator

from huimin.audit.sealing import (
    ALIAS,
    CONTENT,
    LEAF,
    LEAF_BYTES,
    SealRow,
    head_of,
    list_seals,
    mac_of,
    parts_query,
)
from huimin.audit.verifying.report import Kind, Report
from huimin.database.bulk import fetch
from huimin.database.heads import Heads

SEALS_AT_ONCE = 500
RECORDS_AT_ONCE = 1_000_000
_ID = f"('x' || encode(substr(leaves, 1 + i * {LEAF_BYTES}, 8), 'hex'))::bit(64)::bigint"


def check_chain(report: Report, key: bytes, database: str, heads: Heads) -> None:
    """Numbers without a gap, bounds that meet, keyed hashes, heads; then the records of every seal."""
    before: SealRow | None = None
    for seals in _in_groups():
        for row in seals:
            _check_link(report, before, row)
            _check_hash(report, key, database, heads, row)
            before = row
        _check_records(report, {row.number: row for row in seals})
        report.seals += len(seals)
        report.sealed_records += sum(row.changes for row in seals)
    last = before.number if before else 0
    for number in sorted(number for number in heads.chain if number > last):
        report.add(Kind.SEALS_CUT_OFF, "链头文件记有这个封印，数据库中没有", seal=number)


def _in_groups() -> Iterator[list[SealRow]]:
    """Seals in order, in groups small enough for one query over their records."""
    number, group, records = 0, list[SealRow](), 0
    while rows := list_seals(number, SEALS_AT_ONCE):
        for row in rows:
            if group and (records + row.changes > RECORDS_AT_ONCE or len(group) == SEALS_AT_ONCE):
                yield group
                group, records = [], 0
            group.append(row)
            records += row.changes
        number = rows[-1].number
    if group:
        yield group


def _check_link(report: Report, before: SealRow | None, row: SealRow) -> None:
    expected, from_xid, previous = (
        (1, 0, bytes(32)) if before is None else (before.number + 1, before.until_xid, before.mac)
    )
    for number in range(expected, min(row.number, expected + 1000)):
        report.add(Kind.SEAL_MISSING, "编号中断", seal=number)
    if row.number == expected and (row.from_xid != from_xid or row.previous != previous):
        report.add(Kind.SEAL_UNLINKED, f"起点或前一封印与第 {row.number - 1} 号不符", seal=row.number, at=row.sealed_at)


def _check_hash(report: Report, key: bytes, database: str, heads: Heads, row: SealRow) -> None:
    if mac_of(key, row) != row.mac:
        report.add(Kind.SEAL_EDITED, "密钥校验不符", seal=row.number, at=row.sealed_at)
    head = heads.chain.get(row.number)
    if head is not None and head != head_of(row, database):
        report.add(Kind.SEAL_EDITED, "与库外链头不符", seal=row.number, at=row.sealed_at)


def _check_records(report: Report, seals: dict[int, SealRow]) -> None:
    """The content of each seal computed again; where it differs, which records."""
    low, high = min(seals), max(seals)
    rows = fetch(
        f"SELECT seal, {CONTENT}, sum(length(leaves)) / {LEAF_BYTES} FROM"
        f" ({parts_query(_between())}) parts GROUP BY seal",
        [low, high],
        using=ALIAS,
    )
    computed = {seal: (bytes(content), int(count)) for seal, content, count in rows}
    for number, row in seals.items():
        if computed.get(number) != (row.content, row.changes):
            _locate(report, row)


def _between() -> str:
    return "SELECT number, from_xid, until_xid FROM audit_seal WHERE number BETWEEN %s AND %s"


def _locate(report: Report, row: SealRow) -> None:
    """Name the records that differ, by the leaves kept at sealing; these prove themselves by the seal's content."""
    kept = fetch(f"SELECT {CONTENT} FROM audit_sealpart WHERE seal_id = %s", [row.number], using=ALIAS)[0][0]
    if kept is None or bytes(kept) != row.content:
        report.add(Kind.RECORDS_DIFFER, "封印的明细也被改动，无法指明是哪些记录", seal=row.number, at=row.sealed_at)
        return
    found = fetch(_DIFFERENCES, [row.number, row.from_xid, row.until_xid], using=ALIAS)
    for was, now, table, key, at, who in found:
        where = {"seal": row.number, "record": was or now, "table": table, "row": key, "at": at, "who": who}
        if now is None:
            report.add(Kind.RECORD_REMOVED, "封印时有，现在没有", seal=row.number, record=was)
        elif was is None:
            report.add(Kind.RECORD_INSERTED, "封印时没有，现在有", **where)
        else:
            report.add(Kind.RECORD_EDITED, "内容与封印时不同", **where)
    if not found:
        report.add(Kind.RECORDS_DIFFER, "记录的次序或条数与封印不符", seal=row.number, at=row.sealed_at)


_DIFFERENCES = f"""
    WITH kept AS (
        SELECT {_ID} AS id, substr(leaves, 9 + i * {LEAF_BYTES}, 32) AS leaf
        FROM audit_sealpart, generate_series(0, length(leaves) / {LEAF_BYTES} - 1) AS i WHERE seal_id = %s),
    present AS (
        SELECT c.id, {LEAF} AS leaf, c.table_name, c.row_key, to_char(c.at, 'YYYY-MM-DD HH24:MI:SS') AS at, c.appointment
        FROM audit_change c WHERE c.xid >= %s::text::xid8 AND c.xid < %s::text::xid8)
    SELECT kept.id, present.id, table_name, row_key, at, appointment
    FROM kept FULL JOIN present USING (id)
    WHERE kept.leaf IS DISTINCT FROM present.leaf ORDER BY coalesce(kept.id, present.id) LIMIT 100000"""
