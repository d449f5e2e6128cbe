"""A sheet once it is read: columns of text, and where each row stood (REG-03).

in    rows of cells as a reader meets them, one after the other
out   a `Sheet`: Arrow columns of text, the number each row had in the file, which rows were hidden, merged cells

Numbers are text here, spelled as a spreadsheet shows them; one with more than fifteen digits is spelled
`3.41524E+17`, because the digits behind the fifteenth are gone. Dates of date cells are `2021-07-01`. A formula is the
value that was saved with it, and NO_VALUE where none was: nothing is computed. Memory: about what the texts take.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from huimin.kernel.errors import BadInput

NO_VALUE = "=?"
"""A formula whose result the file does not hold. No reader of cells takes it for a value."""
SLICE_ROWS = 5_000
MEGABYTE = 1 << 20
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Limits:
    """What a file may be, all its sheets together. Beyond any of these it is refused in a sentence."""

    file_bytes: int = 100 * MEGABYTE
    old_file_bytes: int = 60 * MEGABYTE
    """Of a file .xls; 65,536 rows of 60 columns take less."""
    part_bytes: int = 1024 * MEGABYTE
    swelling: int = 150
    """How many times larger a part of more than 10 MB may become when it is unzipped; a sheet of repeats reaches 60."""
    rows: int = 500_000
    columns: int = 500
    cell_characters: int = 2_000
    text_bytes: int = 400 * MEGABYTE
    """Of all cells of a file together, in UTF-8: one long text, kept once in the file, may stand in a million cells."""
    string_bytes: int = 800 * MEGABYTE
    """Of the texts a workbook keeps for its cells, as they lie in memory."""
    unzipped_bytes: int = 2048 * MEGABYTE
    """Of all parts of a workbook together: sixty parts may lie over the same compressed bytes."""
    sheets: int = 60
    merges: int = 400_000


class Unreadable(BadInput):
    """The file as a whole cannot be taken in."""


@dataclass(frozen=True)
class Merge:
    """Merged cells, first and last row (from 1, as in the file) and column (from 0)."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass
class Sheet:
    """`columns[c][r]` is the text of a cell, null where there is none; `numbers[r]` its row in the file, from 1."""

    name: str
    hidden: bool
    columns: list[pa.ChunkedArray]
    numbers: list[int]
    hidden_rows: frozenset[int] = frozenset()
    merges: list[Merge] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.numbers)

    def top(self, rows: int) -> list[list[str]]:
        """The first rows as lists, "" for an empty cell."""
        cut = [column.slice(0, rows).to_pylist() for column in self.columns]
        return [[column[row] or "" for column in cut] for row in range(min(rows, self.rows))]


@dataclass
class Spent:
    """What the sheets of one file have taken so far."""

    rows: int = 0
    bytes: int = 0
    merges: int = 0


class Gathering:
    """Rows on their way into a sheet; turned into Arrow slice by slice. `spent` is what the file's sheets before it took."""

    def __init__(self, name: str, limits: Limits, spent: Spent | None = None, *, hidden: bool = False) -> None:
        self.name, self.hidden, self.limits, self.spent = storable(name), hidden, limits, spent or Spent()
        self.width = 0
        self.numbers: list[int] = []
        self.hidden_rows: set[int] = set()
        self.merges: list[Merge] = []
        self._waiting: list[Mapping[int, str]] = []
        self._slices: list[list[pa.Array]] = []

    def add(self, number: int, cells: Mapping[int, str], *, hidden: bool = False) -> None:
        """A row with its cells by column; rows without any are left out."""
        if not cells:
            return
        self.spent.rows += 1
        if self.spent.rows > self.limits.rows:
            raise Unreadable(
                f"超过 {self.limits.rows:,} 行", where=self.name, remedy="请按乡镇或村拆成几个文件，分别导入"
            )
        width = max(cells) + 1
        if width > self.width:
            self._require_width(width)
            self.width = width
        if hidden:
            self.hidden_rows.add(number)
        self.numbers.append(number)
        self._waiting.append(cells)
        if len(self._waiting) >= SLICE_ROWS:
            self._cut()

    def merge(self, top: int, bottom: int, left: int, right: int) -> None:
        """Merged cells; those beyond the limit are passed over, as a sheet of data never has so many."""
        self.spent.merges += 1
        if self.spent.merges <= self.limits.merges:
            self.merges.append(Merge(top, bottom, left, right))

    def _require_width(self, width: int) -> None:
        if width > self.limits.columns:
            raise Unreadable(
                f"有 {width:,} 列，最多 {self.limits.columns} 列",
                where=self.name,
                remedy="请删去表格右边多余的列后再导入",
            )

    def _cut(self) -> None:
        rows = self._waiting
        columns = []
        for at in range(self.width):
            column = pa.array([row.get(at) for row in rows], pa.string())
            self.spent.bytes += column.nbytes
            if self.spent.bytes > self.limits.text_bytes:
                raise too_much(self.limits.text_bytes, self.name)
            columns.append(column)
        self._slices.append(columns)
        self._waiting = []

    def done(self) -> Sheet:
        """The sheet; slices that were narrower are filled with nulls."""
        if self._waiting:
            self._cut()
        columns = [pa.chunked_array(self._parts(at), pa.string()) for at in range(self.width)]
        return Sheet(self.name, self.hidden, columns, self.numbers, frozenset(self.hidden_rows), self.merges)

    def _parts(self, at: int) -> Iterable[pa.Array]:
        return [
            part[at] if at < len(part) else pa.nulls(len(part[0]) if part else 0, pa.string()) for part in self._slices
        ]


def fit(text: str, limits: Limits, where: str) -> str:
    """The text as it can be stored; Unreadable when a cell holds a whole document."""
    if len(text) > limits.cell_characters:
        raise Unreadable(
            f"一个单元格里有 {len(text):,} 个字",
            where=where,
            why=f"最多 {limits.cell_characters:,} 个",
            remedy="请改短",
        )
    return storable(text)


def storable(text: str) -> str:
    """Where a file has half a character or none at all stands the mark of a lost one, which no reader of names takes."""
    return _NO_CHARACTER.sub("\ufffd", text)


def too_much(most: int, where: str) -> Unreadable:
    return Unreadable(
        f"内容超过 {most // MEGABYTE} MB",
        where=where,
        why="许多格里是很长的文字",
        remedy="请按乡镇或村拆成几个文件，分别导入",
    )
