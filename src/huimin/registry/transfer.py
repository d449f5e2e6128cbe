"""Columns in and out of PostgreSQL: Arrow tables by COPY as CSV, which both sides read and write fastest.

in    an Arrow table and the PostgreSQL types of its columns; or a query and the Arrow types of its columns
out   a temporary table, dropped at commit; or an Arrow table

Runs on the caller's transaction and its row-level security. Bytes travel as `\\x…` hex text. Null and the empty text
stay apart. Memory: one slice of a table at a time on the way in; the whole result on the way out.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv
from django.db import connections
from psycopg import sql

SLICE_ROWS = 50_000


def copy_in(name: str, table: pa.Table, types: Mapping[str, str], using: str = "default") -> int:
    """Make temporary table `name` with the columns of `table`, as the PostgreSQL `types`; the number of rows."""
    connection = connections[using]
    assert connection.in_atomic_block, "columns are loaded inside a transaction"
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(types[column])) for column in table.column_names
    )
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    with connection.cursor() as wrapped:
        cursor, target = wrapped.cursor, sql.Identifier(name)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(target))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(target, columns))
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(target)) as copy:
            for start in range(0, table.num_rows, SLICE_ROWS):
                text = io.BytesIO()
                pyarrow.csv.write_csv(table.slice(start, SLICE_ROWS), text, options)
                copy.write(text.getbuffer())
        cursor.execute(sql.SQL("ANALYZE {}").format(target))
    return int(table.num_rows)


def copy_out(query: str, parameters: Mapping[str, Any], schema: pa.Schema, using: str = "default") -> pa.Table:
    """The rows of `query` (a SELECT with %(name)s parameters) as columns of `schema`, in its order."""
    connection = connections[using]
    assert connection.in_atomic_block, "columns are read inside a transaction"
    with connection.cursor() as wrapped:
        cursor = wrapped.cursor
        bound = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(_with_values(query, parameters))
        with cursor.copy(bound) as copy:
            return _read(_Stream(iter(copy)), schema)


def hexed(values: list[bytes | None]) -> pa.Array:
    """Bytes as COPY's text form, null for None."""
    return pa.array([None if value is None else "\\x" + value.hex() for value in values], pa.string())


def _with_values(query: str, parameters: Mapping[str, Any]) -> sql.Composed:
    """COPY takes no parameters of its own: values are quoted into the text by psycopg."""
    text = query
    for name in parameters:
        text = text.replace(f"%({name})s", "{" + name + "}")
    return sql.SQL(text).format(**{name: sql.Literal(value) for name, value in parameters.items()})


def _read(stream: "_Stream", schema: pa.Schema) -> pa.Table:
    read = pyarrow.csv.ReadOptions(column_names=schema.names, block_size=4 << 20)
    convert = pyarrow.csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    if not stream.begun():
        return schema.empty_table()
    found = pyarrow.csv.open_csv(stream, read, None, convert).read_all()
    return pa.Table.from_arrays(found.columns, schema=schema)  # with what the schema tells of its columns


class _Stream(io.RawIOBase):
    """The blocks of a COPY as a file to read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._left = blocks, memoryview(b"")

    def begun(self) -> bool:
        """Whether there is anything to read."""
        if not self._left:
            self._left = memoryview(bytes(next(self._blocks, b"")))
        return bool(self._left)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        gathered, wanted = bytearray(), size if size >= 0 else 1 << 62
        while len(gathered) < wanted and self.begun():
            part = self._left[: wanted - len(gathered)]
            gathered += part
            self._left = self._left[len(part) :]
        return bytes(gathered)
