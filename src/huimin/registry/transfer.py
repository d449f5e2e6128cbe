"""Columns in and out of PostgreSQL: Arrow tables by COPY as CSV, which both sides read and write fastest.

in    an Arrow table and the PostgreSQL types of its columns; or a query and the Arrow types of its columns
out   a temporary table, dropped at commit; or an Arrow table

Runs on the caller's transaction and its row-level security. Bytes travel as `\\x…` hex text. Null and the empty text
stay apart. Memory: one slice of a table at a time on the way in; the whole result on the way out.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv
from django.db import connections
from psycopg import sql

SLICE_ROWS = 50_000
BLOCK_BYTES = 4 << 20


def copy_in(name: str, table: pa.Table, types: Mapping[str, str], using: str = "default") -> int:
    """Make temporary table `name` with the columns of `table`, as the PostgreSQL `types`; the number of rows."""
    connection = connections[using]
    assert connection.in_atomic_block, "columns are loaded inside a transaction"
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(types[column])) for column in table.column_names
    )
    with connection.cursor() as wrapped:
        cursor, target = wrapped.cursor, sql.Identifier(name)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(target))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(target, columns))
        copy_texts(name, texts_of(table), using)
        cursor.execute(sql.SQL("ANALYZE {}").format(target))
    return int(table.num_rows)


def texts_of(table: pa.Table) -> Iterator[memoryview]:
    """The rows as CSV, a slice at a time; the same rows are always the same text."""
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    for start in range(0, table.num_rows, SLICE_ROWS):
        text = io.BytesIO()
        pyarrow.csv.write_csv(table.slice(start, SLICE_ROWS), text, options)
        yield text.getbuffer()


def copy_texts(name: str, texts: Iterable[memoryview], using: str = "default") -> None:
    """Rows as CSV into the temporary table `name`, which has their columns in this order."""
    statement = sql.SQL("COPY pg_temp.{} FROM STDIN (FORMAT csv)").format(sql.Identifier(name))
    with connections[using].cursor() as wrapped, wrapped.cursor.copy(statement) as copy:
        for text in texts:
            copy.write(text)


def copy_out(query: str, parameters: Mapping[str, Any], schema: pa.Schema, using: str = "default") -> pa.Table:
    """The rows of `query` (a SELECT with %(name)s parameters) as columns of `schema`, in its order."""
    found = list(copy_batches(query, parameters, schema, using))
    return pa.Table.from_batches(found, schema)  # with what the schema tells of its columns


def copy_batches(
    query: str, parameters: Mapping[str, Any], schema: pa.Schema, using: str = "default"
) -> Iterator[pa.RecordBatch]:
    """As `copy_out`, some ten thousand rows at a time."""
    connection = connections[using]
    assert connection.in_atomic_block, "columns are read inside a transaction"
    with connection.cursor() as wrapped:
        cursor = wrapped.cursor
        bound = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(_with_values(query, parameters))
        with cursor.copy(bound) as copy:
            yield from _read(_Stream(copy), schema)


def hexed(values: list[bytes | None]) -> pa.Array:
    """Bytes as COPY's text form, null for None."""
    return pa.array([None if value is None else "\\x" + value.hex() for value in values], pa.string())


def _with_values(query: str, parameters: Mapping[str, Any]) -> sql.Composed:
    """COPY takes no parameters of its own: values are quoted into the text by psycopg."""
    text = query
    for name in parameters:
        text = text.replace(f"%({name})s", "{" + name + "}")
    return sql.SQL(text).format(**{name: sql.Literal(value) for name, value in parameters.items()})


def _read(stream: "_Stream", schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    # One thread: PostgreSQL and its workers are at it too, and threads cost more here than they win.
    read = pyarrow.csv.ReadOptions(column_names=schema.names, block_size=BLOCK_BYTES, use_threads=False)
    convert = pyarrow.csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    if stream.begun():
        for batch in pyarrow.csv.open_csv(stream, read, None, convert):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


class _Stream(io.RawIOBase):
    """The rows of a COPY as a file to read; they come one by one and are handed on in blocks."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows, self._gathered = iter(rows), bytearray()

    def begun(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._gathered) or self._gather(1)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = size if size >= 0 else 1 << 62
        self._gather(wanted)
        part = bytes(memoryview(self._gathered)[:wanted])
        del self._gathered[:wanted]
        return part

    def _gather(self, wanted: int) -> bool:
        """At least so many bytes, unless the rows end before; whether there are any."""
        gathered = self._gathered
        while len(gathered) < wanted and (row := next(self._rows, None)) is not None:
            gathered += row
        return bool(gathered)
