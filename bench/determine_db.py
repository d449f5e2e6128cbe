"""`determine-db`: the same county from PostgreSQL to stored proposals, by the command that the desk uses.

in    generated columns (bench.columns) put into the registry's tables; the policies of policy/, adopted
out   Results: a screening of the whole county, against moving the columns it reads out of the database and into it again

Timed is `casework.screening.screen` from the request to the finished run: read under row-level security, snapshot written
encrypted and hashed, everybody determined, what is granted compared, proposals stored with their change records. First
everybody who is eligible is proposed, as in a county that begins; then the same again, where nothing is new. In force are
the three programmes of the demonstration. Beside it the limit: PostgreSQL storing the same proposals by itself.

The cluster is private and durable, and removed afterwards. The registry is filled by COPY with triggers off and its
tables' secondary indexes dropped: a screening reads them whole. Personal columns hold a constant.
"""

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv

from bench.columns import population
from bench.instances import private_instance
from bench.measuring import Result, forget_peak, peak_memory_mb
from huimin.database import instance
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.rules import Column, Table

SECONDS_GOAL, MEMORY_GOAL_MB = 20, 2_048
SINCE = "2020-01-01"
COUNTY_PREFIX = "341524"
SLICE_ROWS = 100_000
_TABLES = ("household", "householdfacts", "person", "personfacts", "membership")


def run(households: int) -> Iterator[Result]:
    """The benchmark's lines."""
    with private_instance() as home:
        _prepare(households, home)
        yield _measured()


def _prepare(households: int, home: Path) -> None:
    """Divisions, offices and posts by the demonstration's step; the registry by COPY; the policies by their command."""
    from huimin.demo.granting import adopt
    from huimin.demo.organise import organise
    from huimin.demo.quarter import County

    county = County(people=households, seed=1, home=home)
    organise(county)
    fill_registry(population(households))
    adopt(county)


# -- filling


def fill_registry(table: Table) -> None:
    """Households, people, memberships and their facts, as of a day before the quarter."""
    with psycopg.connect(_superuser(), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        villages = _villages(connection)
        for name in _TABLES:
            _drop_indexes(connection, f"registry_{name}")
        for name, columns in _rows(table, villages):
            _copy(connection, f"registry_{name}", columns)
        connection.execute("VACUUM (ANALYZE)")


def _superuser() -> str:
    return instance.private_cluster().url(os.environ["HUIMIN_DB_NAME"])


def _villages(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute(
        "SELECT code FROM divisions_division WHERE level = 12 AND code LIKE %s ORDER BY code", [COUNTY_PREFIX + "%"]
    ).fetchall()
    return [str(code) for (code,) in found]


def _drop_indexes(connection: psycopg.Connection[Any], table: str) -> None:
    constraints = connection.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('u', 'x')", [table]
    ).fetchall()
    for (name,) in constraints:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary", [table]
    ).fetchall()
    for (name,) in indexes:
        connection.execute(f"DROP INDEX {name}")


def _rows(table: Table, villages: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(table, its columns) for every table."""
    houses, people = table.household_count, table.member_count
    house_ids, person_ids = np.arange(1, houses + 1), np.arange(1, people + 1)
    place = pa.array(villages).take(pa.array(np.arange(houses) * len(villages) // houses))
    owners = np.repeat(np.arange(houses), np.diff(table.offsets))
    homes = place.take(pa.array(owners))
    held = {"valid_from": SINCE}
    yield "household", {"id": house_ids, "household_no": house_ids.astype(str), "division": place}
    own = _facts(table.households, HOUSEHOLD_FACTS, ())
    yield "householdfacts", {"id": house_ids, "household_id": house_ids, "division": place, **held, **own}
    elsewhere = ("sex", "birth_date", "relation")
    personal = {"name": "某", "id_number_enc": "\\x00", "id_number_hash": "\\x00"}
    born = _facts(table.members, PERSON_FACTS, (), only=("sex", "birth_date"), unknown=False)
    yield "person", {"id": person_ids, "division": homes, **personal, **born}
    facts = _facts(table.members, PERSON_FACTS, elsewhere)
    yield "personfacts", {"id": person_ids, "person_id": person_ids, "division": homes, **held, **facts}
    relation = _facts(table.members, PERSON_FACTS, (), only=("relation",), unknown=False)
    keys = {"id": person_ids, "person_id": person_ids, "household_id": house_ids[owners]}
    yield "membership", {**keys, "division": homes, **held, **relation}


def _facts(
    columns: Any, facts: tuple[Fact, ...], without: tuple[str, ...], *, only: tuple[str, ...] = (), unknown: bool = True
) -> dict[str, pa.Array]:
    """Columns of the table by code, as PostgreSQL takes them."""
    return {
        fact.code: _stored(columns[fact.code], fact, unknown)
        for fact in facts
        if fact.kind is not Kind.TEXT and fact.code not in without and (not only or fact.code in only)
    }


def _stored(column: Column, fact: Fact, unknown: bool) -> pa.Array:
    gaps = ~column.known if unknown else np.zeros(len(column.known), np.bool_)
    if fact.kind is Kind.CHOICE:
        return pa.DictionaryArray.from_arrays(pa.array(column.values, mask=gaps), pa.array(fact.choices)).cast(
            pa.string()
        )
    stored = pa.array(column.values, mask=gaps)
    return stored.cast(pa.date32()) if fact.kind is Kind.DATE else stored


def _copy(connection: psycopg.Connection[Any], table: str, columns: dict[str, Any]) -> None:
    rows = len(columns["id"])
    names = ", ".join(columns)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        for start in range(0, rows, SLICE_ROWS):
            text = io.BytesIO()
            size = min(SLICE_ROWS, rows - start)
            slices = {
                name: pa.repeat(each, size) if isinstance(each, str) else pa.array(each[start : start + size])
                for name, each in columns.items()
            }
            pyarrow.csv.write_csv(pa.table(slices), text, options)
            copy.write(text.getbuffer())


# -- measuring


def _measured() -> Result:
    from huimin.demo import dates
    from huimin.demo.clock import business_day
    from huimin.demo.granting import county_officer

    business_day(dates.SCREENED)
    by = county_officer()
    moved = _seconds_of_moving()
    forget_peak()
    with _watching_postgres() as postgres:
        first, stages, row = _screened(by)
        peak = peak_memory_mb()
        again, _, repeated = _screened(by)
    alone = _seconds_of_storing(by)
    return Result(
        "determine-db",
        f"{row.households:,} 户 {row.people:,} 人，{len(row.versions)} 个项目，{row.listed:,} 条建议入库",
        first, "秒", "同样的列从库中读出、再写入临时表", moved, first / moved,
        f"≤ {SECONDS_GOAL} 秒，≤ {MEMORY_GOAL_MB} MB", first <= SECONDS_GOAL and peak <= MEMORY_GOAL_MB, peak,
        {
            "stages": stages, "again_seconds": again, "again_kept": repeated.kept, "postgres_peak_mb": postgres["peak"],
            "proposals": row.listed, "storing_alone_seconds": alone,
        },
    )  # fmt: skip


def _screened(by: Any) -> tuple[float, dict[str, float], Any]:
    """Seconds of one screening, by stage too, and the finished run."""
    from huimin.casework.screening import screen
    from huimin.demo import dates

    seen: list[tuple[str, float]] = [("开始", time.perf_counter())]

    def watch(job: Any) -> None:
        if job.stage and job.stage != seen[-1][0]:
            seen.append((job.stage, time.perf_counter()))

    row = screen(
        by=by,
        on=dates.SCREENED,
        division=COUNTY_PREFIX + "000000",
        determination_date=dates.DETERMINED_FOR,
        watch=watch,
    )
    ends = [*[at for _, at in seen[1:]], time.perf_counter()]
    stages = {stage: round(end - at, 2) for (stage, at), end in zip(seen, ends, strict=True)}
    return ends[-1] - seen[0][1], stages, row


def _seconds_of_moving() -> float:
    """The columns a screening reads, out by COPY and straight into temporary tables by COPY."""
    began = time.perf_counter()
    for name in ("householdfacts", "personfacts", "membership"):
        with psycopg.connect(_superuser()) as source, psycopg.connect(_superuser()) as target:
            target.execute(f"CREATE TEMPORARY TABLE moved (LIKE registry_{name})")
            with (
                source.cursor() as reading,
                target.cursor() as writing,
                reading.copy(f"COPY registry_{name} TO STDOUT") as out,
                writing.copy("COPY moved FROM STDIN") as into,
            ):
                for block in out:
                    into.write(block)
    return time.perf_counter() - began


def _seconds_of_storing(by: Any) -> float:
    """What PostgreSQL alone needs to store the same proposals with their change records, all in one statement, undone."""
    from django.db import transaction

    from huimin.database.bulk import run, temporary
    from huimin.organisation.acting import reading
    from huimin.screening.models import Proposal

    columns = ", ".join(field.column for field in Proposal._meta.fields if field.column != "id")
    with reading(by):
        temporary("stored", f"SELECT {columns} FROM screening_proposal WHERE state = 'open'")  # noqa: S608
        began = time.perf_counter()
        run(f"INSERT INTO screening_proposal ({columns}) SELECT {columns} FROM stored")  # noqa: S608
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return round(seconds, 2)


@contextmanager
def _watching_postgres() -> Iterator[dict[str, int]]:
    """The peak of what the server's processes hold for themselves, in MB; shared buffers are not counted."""
    found, done = {"peak": 0}, threading.Event()
    main = int((instance.private_cluster().data / "postmaster.pid").read_text().split()[0])

    def watch() -> None:
        while not done.wait(0.2):
            found["peak"] = max(found["peak"], _own_memory_mb(main))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def _own_memory_mb(main: int) -> int:
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if int(fields["PPid"]) == main:
            total += int(fields.get("RssAnon", "0 kB").split()[0])
    return total // 1024
