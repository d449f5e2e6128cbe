"""Lists as .xlsx: the same rows and the same sums as the screen, safe to open, and remembered (SEC-04, SEC-05).

in    a request, a title, columns, rows as the page's query gives them
out   a workbook: numbers of people and cards as text with every digit, amounts as numbers, header row frozen,
      a last row with count and sum, no cell that a spreadsheet would run as a formula

Personal values come masked by the page that exports them; this module writes what it is given. Constant memory.
"""

import tempfile
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import xlsxwriter
from django.http import FileResponse, HttpResponse

from huimin.audit.models import Event
from huimin.organisation.acting import record_event
from huimin.workbench.exporting import Taken, ask_purpose, taken, taken_by

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Column(NamedTuple):
    """`kind` is text, count, fen (分 in, 元 out) or date."""

    title: str
    kind: str = "text"
    width: int = 14


class Sheet(NamedTuple):
    """One sheet of a workbook; `totals` False where adding the rows up would mean nothing."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    totals: bool = True


def export(request: Any, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """The workbook as a download, once it is said what for; an EXPORTED event says who took how many rows of what, and why.

    Inside a transaction. The file says the same, under the table and on every printed page.
    """
    return export_sheets(request, title, [Sheet(title, columns, rows)])


def export_sheets(request: Any, title: str, sheets: Iterable[Sheet], *, of_people: bool = True) -> HttpResponse:
    """As `export`, with several sheets; without rows `of_people` nobody is asked what for."""
    mark = taken(request) if of_people else taken_by(request.actor, "汇总统计")
    if mark is None:
        return ask_purpose(request, title)
    file = tempfile.TemporaryFile()  # noqa: SIM115  the response closes it
    count = write_sheets(file, sheets, mark)
    record_event(request.actor, Event.Kind.EXPORTED, title, {"rows": count, "purpose": mark.purpose})
    file.seek(0)
    response = FileResponse(file, content_type=TYPE)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(title)}.xlsx"
    return response


def write(file: Any, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> int:
    """Write the workbook into `file`; the number of rows."""
    return write_sheets(file, [Sheet(title, columns, rows)])


def write_sheets(file: Any, sheets: Iterable[Sheet], mark: Taken | None = None) -> int:
    """Write the workbook into `file`, with who took it and why; the number of rows of all sheets."""
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = _formats(book)
    line = mark.line if mark else ""
    if mark:
        book.set_properties({"author": mark.who, "comments": line, "created": mark.at.replace(tzinfo=None)})
    count = sum(_write_sheet(book, each, formats, line) for each in sheets)
    book.close()
    return count


def _write_sheet(book: Any, wanted: Sheet, formats: dict[str, Any], mark: str) -> int:
    columns = wanted.columns
    sheet = book.add_worksheet(wanted.title[:31].translate(str.maketrans("", "", "[]:*?/\\")))
    for number, column in enumerate(columns):
        sheet.set_column(number, number, column.width)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_header("&R&8" + mark.replace("&", "&&")[:240])
    sheet.set_footer("&C第 &P 页，共 &N 页")
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column.title, formats["head"])
    count, sums = 0, [0] * len(columns)
    for count, row in enumerate(wanted.rows, 1):
        for number, (column, value) in enumerate(zip(columns, row, strict=True)):
            _cell(sheet, count, number, column, value, formats)
            if column.kind in ("fen", "count") and value is not None:
                sums[number] += value
    if wanted.totals:
        _totals(sheet, count, columns, sums, formats)
    if mark:
        sheet.write_string(count + (2 if wanted.totals else 1), 0, mark)
    return count


def _formats(book: Any) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
        "text": book.add_format({"num_format": "@"}),
        "count": book.add_format({"num_format": "#,##0"}),
        "fen": book.add_format({"num_format": "#,##0.00"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }


def _cell(sheet: Any, row: int, number: int, column: Column, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        sheet.write_blank(row, number, None)
    elif column.kind == "fen":
        sheet.write_number(row, number, value / 100, formats["fen"])  # a cell is a double anyway; sums are made in 分
    elif column.kind == "count":
        sheet.write_number(row, number, value, formats["count"])
    elif column.kind == "date":
        sheet.write_datetime(row, number, value, formats["date"])
    else:
        sheet.write_string(row, number, plain_text(str(value)), formats["text"])


def plain_text(text: str) -> str:
    """Text that no spreadsheet runs, also after saving as CSV: an apostrophe before what would start a formula."""
    return "'" + text if text.startswith(_RUNS_AS_FORMULA) else text


def _totals(sheet: Any, count: int, columns: Sequence[Column], sums: list[int], formats: dict[str, Any]) -> None:
    sheet.write_string(count + 1, 0, f"合计 {count} 行", formats["head"])
    for number, column in enumerate(columns):
        if column.kind == "fen":
            sheet.write_number(count + 1, number, sums[number] / 100, formats["fen"])
