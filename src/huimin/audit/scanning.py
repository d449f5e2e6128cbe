"""Prove that no plain identity number, account or phone stands where it must not (SEC-04).

in    the plain values (any iterable of strings), the database, files and folders
out   a ScanReport: how much was read, and where a value was found; never the value itself

Every column of every table is read, whatever its type, as text (bytes as the ASCII they contain), and so is every file:
as it is, inside zip archives (workbooks) and gzip, and the text of PDFs. A value of 15 or more characters is found
anywhere, also inside a longer run of digits; a shorter one (a phone) only as a whole run, since every eleven digits
occur somewhere in a longer number. In files, digits set apart by single spaces or hyphens are also read joined.
Names are no secrets and are not looked for. Limits: values that were encoded, cut or drawn as pictures are not found.

The files that must hold accounts (the bank's batches) are for the caller to leave out.
"""

import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.db import connections
from psycopg import sql
from pypdf import PdfReader

from huimin.database.bulk import fetch

ALIAS = "maintenance"
WHOLE_BELOW = 15
FOUND_MAX = 200
_CHUNK = 8 << 20
_JOINED = re.compile(rb"(?<=[0-9])[ -](?=[0-9Xx])")


@dataclass
class ScanReport:
    """What was read, and where values were found (`places`, at most FOUND_MAX of them; `found` counts all)."""

    values: int = 0
    tables: int = 0
    files: int = 0
    read_bytes: int = 0
    found: int = 0
    places: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, place: str, count: int) -> None:
        self.found += count
        if count and len(self.places) < FOUND_MAX:
            self.places.append(f"{place}：{count} 处")


class Needles:
    """The plain values, ready to be looked for in bytes."""

    def __init__(self, values: Iterable[str]) -> None:
        spelled = {value.strip().upper().encode() for value in values} - {b""}
        self.whole = {value for value in spelled if len(value) < WHOLE_BELOW}
        self.anywhere = {value for value in spelled if len(value) >= WHOLE_BELOW}
        for value in spelled:
            assert value[:-1].isdigit(), "numbers only: names and addresses are not looked for"
        self.lengths = sorted({len(value) for value in self.anywhere})
        # An identity number may end in X: its run of digits is one shorter.
        self._long = self.lengths[0] - 1 if self.lengths else 1 << 62
        self.shortest = min([*map(len, self.whole), self._long]) if spelled else 0
        self._whole_lengths = np.array(sorted({len(value) for value in self.whole}), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.whole) + len(self.anywhere)

    def count(self, data: bytes) -> int:
        """How often a value occurs in `data`."""
        return sum(self._in_run(data, start, end) for start, end in self._runs(data))

    def _runs(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Runs of digits that are long enough to be, or to hold, a value."""
        if len(data) < self.shortest or not self.shortest:
            return
        digits = np.frombuffer(data, dtype=np.uint8) - np.uint8(48) < 10
        # Where `shortest` digits in a row begin, by halves: nearly no place is left, at the speed of memory.
        rows, width = digits, 1
        while width < self.shortest:
            step = min(width, self.shortest - width)
            rows, width = rows[:-step] & rows[step:], width + step
        starts = np.flatnonzero(rows & ~np.concatenate(([False], digits[: len(rows) - 1])))
        ends = np.flatnonzero(rows & ~np.concatenate((digits[self.shortest :], [False]))) + self.shortest
        lengths = ends - starts
        # A run may begin with the three octal digits of an escaped byte.
        whole = np.isin(lengths, self._whole_lengths) | np.isin(lengths - 3, self._whole_lengths)
        for index in np.flatnonzero((lengths >= self._long) | whole):
            yield int(starts[index]), int(ends[index])

    def _in_run(self, data: bytes, start: int, end: int) -> int:
        run = data[start:end]
        found = run in self.whole
        if data[start - 1 : start] == b"\\":
            found = found or run[3:] in self.whole
        if data[end : end + 1] in (b"X", b"x"):
            run += b"X"
        windows = (run[at : at + length] for length in self.lengths for at in range(len(run) - length + 1))
        return int(found) + sum(window in self.anywhere for window in windows)


def scan_database(values: Iterable[str] | Needles) -> ScanReport:
    """Look for the values in every table of every schema that is not PostgreSQL's own."""
    needles = values if isinstance(values, Needles) else Needles(values)
    report = ScanReport(values=len(needles))
    for schema, table, columns in _tables():
        found = 0
        for chunk in _dump(schema, table, columns):
            report.read_bytes += len(chunk)
            found += needles.count(chunk)
        report.tables += 1
        report.add(f"表 {table}", found)
    return report


def scan_files(values: Iterable[str] | Needles, paths: Iterable[Path], but: Iterable[Path] = ()) -> ScanReport:
    """Look for the values in files, and in every file beneath folders, except beneath `but`."""
    needles = values if isinstance(values, Needles) else Needles(values)
    report = ScanReport(values=len(needles))
    left_out = [path.resolve() for path in but]
    for file in _files(paths):
        if any(file.resolve().is_relative_to(folder) for folder in left_out):
            continue
        report.files += 1
        for name, content in _contents(file.name, file.read_bytes()):
            report.read_bytes += len(content)
            joined = _JOINED.sub(b"", content)
            found = max(needles.count(content), needles.count(joined) if joined != content else 0)
            report.add(f"文件 {file}" + (f" 内 {name}" if name != file.name else ""), found)
    return report


def _tables() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(schema, table, [(column, type)]) of everything that stores rows."""
    rows = fetch(
        """
        SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attnum),
               array_agg(format_type(a.atttypid, NULL) ORDER BY a.attnum)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND n.nspname !~ '^pg_(temp|toast)'
        GROUP BY 1, 2 ORDER BY 1, 2""",
        using=ALIAS,
    )
    return [(schema, table, list(zip(names, kinds, strict=True))) for schema, table, names, kinds in rows]


def _dump(schema: str, table: str, columns: list[tuple[str, str]]) -> Iterator[bytes]:
    """The table as text in pieces that end at a line's end."""
    shown = sql.SQL(", ").join(
        sql.SQL("encode({}, 'escape')" if kind == "bytea" else "{}").format(sql.Identifier(name))
        for name, kind in columns
    )
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(shown, sql.Identifier(schema, table))
    held: list[bytes] = []
    size = 0
    with connections[ALIAS].cursor() as wrapped, wrapped.cursor.copy(query) as copy:
        for line in copy:  # one row a piece
            held.append(bytes(line))
            size += len(line)
            if size > _CHUNK:
                yield b"".join(held)
                held, size = [], 0
    if held:
        yield b"".join(held)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _contents(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file itself and, where it packs others, what it packs."""
    yield name, data
    if data[:2] == b"\x1f\x8b":
        yield from _contents(name.removesuffix(".gz"), gzip.decompress(data))
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from _contents(f"{name}/{member}", archive.read(member))
    elif data[:5] == b"%PDF-":
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
        yield f"{name} 的文字", text.encode()
