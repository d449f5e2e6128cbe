"""Old workbooks (.xls, Excel 95–2003): read with xlrd under our own limits (REG-03, decision 0020).

in    a file in memory
out   its Sheets, hidden ones marked

Nothing is run: formulas give the value saved with them, and none where the program that wrote the file left the sum to
Excel. Refused: a password, macros, files over `Limits.old_file_bytes` (what a file holds takes
several times its size while it is read). One sheet is in memory at a time. Whatever a broken file makes the library
raise is one sentence. Speed: a million cells in two seconds.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import xlrd
from xlrd.compdoc import CompDoc

from huimin.importing.reading.sheets import MEGABYTE, NO_VALUE, Gathering, Limits, Sheet, Spent, Unreadable, fit
from huimin.importing.reading.workbook import DAY_ZERO, DAY_ZERO_1904, Progress, day_of_serial, spelled

_SHEET, _FORMULA, _BEGIN, _END, _PASSWORD, _HAS_MACROS = 0x85, 0x06, 0x809, 0x0A, 0x2F, 0xD3
_MACRO_SHEET, _LEFT_TO_EXCEL, _EMPTY_TEXT, _NO_TEXT = 1, 2, 3, b"\xff\xff"
_SAVE_ANEW = "请在 Excel 或 WPS 中打开，另存为“Excel 工作簿（.xlsx）”后再选"


@dataclass(frozen=True)
class _Record:
    kind: int
    start: int
    size: int


def read_old_workbook(
    file: IO[bytes], name: str, limits: Limits, progress: Progress = lambda done, total: None
) -> list[Sheet]:
    """All worksheets. Unreadable when it has a password or macros, is cut, too old or larger than the limits."""
    content = file.read()
    if len(content) > limits.old_file_bytes:
        most = limits.old_file_bytes // MEGABYTE
        raise Unreadable(
            f"旧格式（.xls）的文件有 {len(content) // MEGABYTE} MB，最多 {most} MB", where=name, remedy=_SAVE_ANEW
        )
    try:
        return _OldWorkbook(content, name, limits, progress).sheets()
    except (Unreadable, MemoryError):
        raise
    except Exception as wrong:  # a broken file makes the library fail in any of a dozen ways; all mean the same
        raise Unreadable(
            "打不开这个文件", where=name, why="文件不完整或已损坏", remedy=f"请重新复制整个文件，或{_SAVE_ANEW[1:]}"
        ) from wrong


class _OldWorkbook:
    def __init__(self, content: bytes, name: str, limits: Limits, progress: Progress) -> None:
        self.name, self.limits, self.progress = name, limits, progress
        self.content, self.spent = content, Spent()
        self.stream = self._stream(content)
        self.starts = list(self._globals())

    def sheets(self) -> list[Sheet]:
        # The library asks the formats for hidden rows, merged cells and which numbers are days.
        book = xlrd.open_workbook(
            file_contents=self.content, formatting_info=True, on_demand=True, ragged_rows=True, logfile=io.StringIO()
        )
        if book.nsheets > self.limits.sheets:
            raise Unreadable(
                f"有 {book.nsheets} 张表", where=self.name, remedy=f"请拆开，每个文件最多 {self.limits.sheets} 张"
            )
        found = []
        for at in range(book.nsheets):
            found.append(self._sheet(book, at))
            book.unload_sheet(at)
            self.progress(at + 1, book.nsheets)
        return found

    def _stream(self, content: bytes) -> bytes:
        """The stream of records; what else lies in the container tells of passwords and macros."""
        names = {each.name.lower() for each in CompDoc(content, logfile=io.StringIO()).dirlist}
        if "encryptedpackage" in names:
            raise self._has_password()
        if "_vba_project_cur" in names:
            raise self._has_macros()
        for name in ("Workbook", "Book"):
            stream = CompDoc(content, logfile=io.StringIO()).get_named_stream(name)
            if stream:
                return bytes(stream)
        raise Unreadable("不是 Excel 工作簿", where=self.name, why="里面没有表", remedy=_SAVE_ANEW)

    def _globals(self) -> Iterator[int]:
        """Where each worksheet begins, in the order of the tabs; refuses what the head of the book tells."""
        for record in self._records(0):
            data = self.stream[record.start : record.start + min(record.size, 8)]
            if record.kind == _PASSWORD:
                raise self._has_password()
            if record.kind == _HAS_MACROS:
                raise self._has_macros()
            if record.kind == _SHEET:
                start, _, kind = struct.unpack("<iBB", data[:6])
                if kind == _MACRO_SHEET:
                    raise self._has_macros()
                if kind == 0:
                    yield start

    def _records(self, start: int) -> Iterator[_Record]:
        """Records from `start` to the end of what begins there, charts within left out."""
        depth, at = 0, start
        while at + 4 <= len(self.stream):
            kind, size = struct.unpack_from("<HH", self.stream, at)
            depth += (kind == _BEGIN) - (kind == _END)
            if depth <= 0:
                return
            if depth == 1:
                yield _Record(kind, at + 4, size)
            at += 4 + size

    def _sheet(self, book: Any, at: int) -> Sheet:
        sheet = book.sheet_by_index(at)
        gathering = Gathering(sheet.name, self.limits, self.spent, hidden=sheet.visibility != 0)
        for top, bottom, left, right in sheet.merged_cells:
            gathering.merge(top + 1, bottom, left, right - 1)
        reading = _Cells(sheet, self._left_to_excel(self.starts[at]), book.datemode == 1, self.limits)
        for row in range(sheet.nrows):
            info = sheet.rowinfo_map.get(row)
            gathering.add(row + 1, reading.of_row(row), hidden=bool(info is not None and info.hidden))
        return gathering.done()

    def _left_to_excel(self, start: int) -> set[tuple[int, int]]:
        """Formulas whose result the writing program left to Excel, or that came to nothing: no value is saved with them."""
        found = set()
        for record in self._records(start):
            if record.kind == _FORMULA and record.size >= 16:
                row, column = struct.unpack_from("<HH", self.stream, record.start)
                value = self.stream[record.start + 6 : record.start + 14]
                (options,) = struct.unpack_from("<H", self.stream, record.start + 14)
                if options & _LEFT_TO_EXCEL or (value.endswith(_NO_TEXT) and value[0] == _EMPTY_TEXT):
                    found.add((row, column))
        return found

    def _has_password(self) -> Unreadable:
        return Unreadable(
            "文件加了密码，打不开",
            where=self.name,
            remedy="请在 Excel 或 WPS 中打开，取消密码（文件—信息—保护工作簿）后另存，再选",
        )

    def _has_macros(self) -> Unreadable:
        return Unreadable(
            "带宏的文件不收",
            where=self.name,
            why="宏是会运行的程序",
            remedy="请另存为“Excel 工作簿（.xlsx）”后再选",
        )


class _Cells:
    """The texts of a row's cells, as a sheet of .xlsx gives them."""

    def __init__(self, sheet: Any, no_value: set[tuple[int, int]], since_1904: bool, limits: Limits) -> None:
        self.sheet, self.no_value, self.limits = sheet, no_value, limits
        self.day_zero = DAY_ZERO_1904 if since_1904 else DAY_ZERO

    def of_row(self, row: int) -> dict[int, str]:
        cells = {}
        for column, (kind, value) in enumerate(zip(self.sheet.row_types(row), self.sheet.row_values(row), strict=True)):
            if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
                continue
            text = NO_VALUE if (row, column) in self.no_value else self._text(kind, value, row)
            if text:
                cells[column] = text
        return cells

    def _text(self, kind: int, value: Any, row: int) -> str:
        if kind == xlrd.XL_CELL_TEXT:
            return fit(value, self.limits, f"{self.sheet.name}第 {row + 1} 行")
        if kind == xlrd.XL_CELL_DATE:
            return day_of_serial(repr(value), self.day_zero)
        if kind == xlrd.XL_CELL_BOOLEAN:
            return "TRUE" if value else "FALSE"
        if kind == xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(value, "#VALUE!"))
        return spelled(repr(value))
