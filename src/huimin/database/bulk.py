"""Many rows at once: COPY into a temporary table, then one INSERT … SELECT.

PostgreSQL refuses COPY into a table under row-level security, for its owner too; a temporary table has none. The
INSERT that follows passes every policy, constraint and trigger like any other.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import connections
from psycopg import sql

_PIECE, _FETCHED = 20_000, 5_000


def copy_rows(
    table: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], using: str = "default"
) -> int:
    """Fill temporary `table` (dropped at commit) with `rows`; `columns` are (name, PostgreSQL type) pairs.

    Rows are asked for piece by piece, between two COPYs: they may come from a cursor of the same connection.
    """
    connection = connections[using]
    assert connection.in_atomic_block, "bulk rows are loaded inside a transaction"
    name = sql.Identifier(table)
    fields = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(kind)) for c, kind in columns)
    count = 0
    with connection.cursor() as wrapped:
        cursor = wrapped.cursor
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(name))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(name, fields))
        names = sql.SQL(", ").join(sql.Identifier(c) for c, _ in columns)
        into, kinds, left = (
            sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(name, names),
            [k for _, k in columns],
            iter(rows),
        )
        while piece := list(islice(left, _PIECE)):
            with cursor.copy(into) as copy:
                copy.set_types(kinds)
                for row in piece:
                    copy.write_row(row)
            count += len(piece)
        cursor.execute(sql.SQL("ANALYZE {}").format(name))
    return count


def temporary(name: str, select: str, parameters: dict[str, Any] | None = None, using: str = "default") -> None:
    """Temporary table `name` (dropped at commit) with the rows of `select`, analysed so that what joins it is planned well."""
    assert name.isidentifier()
    with connections[using].cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {select}", parameters)
        cursor.execute(f"ANALYZE {name}")


def run(statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None, using: str = "default") -> int:
    """One set-based statement; the number of rows it touched."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def fetch(
    statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None, using: str = "default"
) -> list[tuple[Any, ...]]:
    """All rows of one bounded query."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def streamed(
    statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None, using: str = "default"
) -> Iterator[tuple[Any, ...]]:
    """Rows through a cursor of the server, inside the caller's transaction: memory does not grow with them."""
    with connections[using].chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        while rows := cursor.fetchmany(_FETCHED):
            yield from rows


def fetch_one(
    statement: str, parameters: Sequence[Any] | dict[str, Any] | None = None, using: str = "default"
) -> tuple[Any, ...]:
    """The one row of a query that always has one (an aggregate, a RETURNING)."""
    rows = fetch(statement, parameters, using)
    assert len(rows) == 1
    return rows[0]
