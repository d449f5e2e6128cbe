"""A roster as a workbook (PAY-01): what the screen shows, every digit kept, nothing a spreadsheet would run.

Amounts are numbers with two decimals, sums are made in 分 before they become numbers; household numbers, masked identity
numbers and account tails are text. The header row is frozen and repeats on paper.
"""

import io
from typing import Any

import xlsxwriter

from huimin.kernel.money import in_words
from huimin.organisation.acting import Actor
from huimin.payment.papers.listing import Line, Listing, gather_roster
from huimin.payment.papers.words import day_in_words

_RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_COLUMNS = (
    ("序号", 8), ("村（社区）", 20), ("村民组", 14), ("户号", 22), ("姓名", 14), ("证件号码", 22), ("人口", 8), ("核定数量", 14),
    ("金额（元）", 16), ("账户尾号", 10), ("办理情况", 26),
)  # fmt: skip
_AMOUNT = 8
_HEAD_ROW = 2  # rows above it: title, unit and period


def roster_xlsx(*, by: Actor, roster_id: int) -> bytes:
    """The roster as .xlsx; refused as `roster_pdf` is."""
    return write_workbook(gather_roster(by=by, roster_id=roster_id))


def write_workbook(listing: Listing) -> bytes:
    """The workbook of a gathered roster."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = _formats(book)
    sheet = book.add_worksheet("单项清册")
    _set_up(sheet)
    sheet.write_string(0, 0, plain_text(listing.title), formats["title"])
    unit = f"编制单位：{listing.issuer}　所属期：{listing.period}　清册编号：{listing.roster.pk}　单位：元"
    sheet.write_string(1, 0, plain_text(unit), formats["plain"])
    for number, (title, _) in enumerate(_COLUMNS):
        sheet.write_string(_HEAD_ROW, number, title, formats["head"])
    for row, line in enumerate(listing.lines, _HEAD_ROW + 1):
        _write_line(sheet, row, line, listing, formats)
    _write_totals(sheet, _HEAD_ROW + 1 + len(listing.lines), listing, formats)
    book.close()
    return file.getvalue()


def _formats(book: Any) -> dict[str, Any]:
    return {
        "title": book.add_format({"bold": True, "font_size": 16}),
        "plain": book.add_format({}),
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
        "text": book.add_format({"num_format": "@", "text_wrap": True, "valign": "vcenter"}),
        "count": book.add_format({"num_format": "#,##0", "valign": "vcenter"}),
        "yuan": book.add_format({"num_format": "#,##0.00", "valign": "vcenter"}),
        "sum": book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1}),
    }


def _set_up(sheet: Any) -> None:
    for number, (_, width) in enumerate(_COLUMNS):
        sheet.set_column(number, number, width)
    sheet.freeze_panes(_HEAD_ROW + 1, 0)
    sheet.repeat_rows(_HEAD_ROW)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def _write_line(sheet: Any, row: int, line: Line, listing: Listing, formats: dict[str, Any]) -> None:
    group = listing.name_of(line.place) if len(line.place) > 12 else ""
    values = (
        line.line_no, listing.name_of(line.place[:12]), group, line.household_no, line.name, line.identity, line.people,
        line.quantity, line.amount_fen, line.account_tail, line.standing,
    )  # fmt: skip
    for number, value in enumerate(values):
        if number == _AMOUNT:
            sheet.write_number(row, number, line.amount_fen / 100, formats["yuan"])  # a cell is a double anyway
        elif isinstance(value, int):
            sheet.write_number(row, number, value, formats["count"])
        else:
            sheet.write_string(row, number, plain_text(value), formats["text"])


def _write_totals(sheet: Any, row: int, listing: Listing, formats: dict[str, Any]) -> None:
    roster = listing.roster
    sums = [(f"总计 {roster.lines_count} 笔", roster.amount_fen)]
    if listing.out:
        lines, amount = listing.payable
        sums += [(f"其中{label} {count} 笔", fen) for label, count, fen in listing.out]
        sums.append((f"应付 {lines} 笔", amount))
    paid = sums[-1]
    for label, fen in sums:
        sheet.write_string(row, 0, label, formats["head"])
        sheet.write_number(row, _AMOUNT, fen / 100, formats["sum"])
        if (label, fen) == paid:
            sheet.write_string(row, _AMOUNT + 1, in_words(fen), formats["plain"])
        row += 1
    for seat in listing.seats:
        on = day_in_words(seat.on) if seat.on else ""
        sheet.write_string(row, 0, plain_text(f"{seat.title}：{seat.who}　{seat.office}　{on}"), formats["plain"])
        row += 1
    sheet.write_string(row, 0, f"清册摘要（SHA-256）：{roster.digest}", formats["plain"])


def plain_text(text: str) -> str:
    """Text that no spreadsheet runs, also after saving as CSV: an apostrophe before what would start a formula."""
    return "'" + text if text.startswith(_RUNS_AS_FORMULA) else text
