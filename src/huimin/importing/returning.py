"""The faulty rows back to who sent them: a workbook like the sent one, faults marked, what to do beside them (REG-03, SEC-04).

in    the sent file, the list of its faults
out   .xlsx: the sheets with faults, their heads, the faulty rows as they were sent, the faulty cells coloured with a note,
      and three columns at the end (原表行号, 错在哪里, 怎么改) which a later import passes over

Every cell is text, so that no number loses digits and nothing runs. It holds plain personal values: whoever takes it
does so by a command that records it.
"""

import io
from collections import defaultdict
from datetime import date

import xlsxwriter

from huimin.audit.models import Event
from huimin.importing import store
from huimin.importing.commands import NotReady, remembered_heads
from huimin.importing.faults import RowFault
from huimin.importing.layout import Laid
from huimin.importing.models import Import
from huimin.importing.plans import make_plan
from huimin.importing.reading import open_file
from huimin.importing.terms import terms_of
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post

MORE_HEADS = ("原表行号", "错在哪里", "怎么改")
_EXCEL_NAME = str.maketrans("", "", "[]:*?/\\")


@command(Post.CLERK, Post.COUNTY_OFFICER)
def take_faults(*, by: Actor, on: date, number: int, purpose: str, mark: str) -> tuple[str, bytes]:
    """(file name, workbook) of an import's faulty rows; an EXPORTED event says who took it and why, and so does `mark` in it."""
    row = Import.objects.filter(pk=number).first()
    faults, _ = store.faults_of(number) if row else ([], [])
    if row is None or not faults:
        raise NotReady("没有有问题的行", why="没有这次导入，或每一行都没有问题", remedy="请从导入记录中重新选择")
    content = store.file_of(number)
    book = write_faults(
        io.BytesIO(content), row.file_name, row.kind, dict(row.mapping), by.office, row.division, faults, mark
    )
    rows = len({(fault.sheet, fault.row) for fault in faults})
    record_event(
        by, Event.Kind.EXPORTED, f"有问题的行：{row.file_name}", {"rows": rows, "import": number, "purpose": purpose}
    )
    return f"{row.file_name.rpartition('.')[0] or row.file_name}-有问题的行.xlsx", book


def write_faults(
    file: io.BytesIO,
    name: str,
    kind: str,
    mapping: dict[str, str],
    office: int | None,
    place: str,
    faults: list[RowFault],
    mark: str = "",
) -> bytes:
    """The workbook of the faulty rows of a file."""
    remembered = remembered_heads(office) if office is not None else {}
    terms = terms_of(place)
    plan = make_plan(open_file(file, name), kind=kind, chosen=mapping, remembered=remembered, terms=terms)
    by_sheet: dict[str, dict[int, list[RowFault]]] = defaultdict(lambda: defaultdict(list))
    for fault in faults:
        by_sheet[fault.sheet][fault.row].append(fault)
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
        "text": book.add_format({"num_format": "@"}),
        "wrong": book.add_format({"num_format": "@", "bg_color": "#FBE0DD"}),
    }
    for laid in plan.laid:
        if laid.sheet in by_sheet:
            _sheet(book, laid, by_sheet[laid.sheet], formats, mark)
    book.set_properties({"comments": mark})
    book.close()
    return made.getvalue()


def _sheet(
    book: xlsxwriter.Workbook, laid: Laid, faults: dict[int, list[RowFault]], formats: dict[str, object], mark: str
) -> None:
    sheet = book.add_worksheet(laid.sheet[:31].translate(_EXCEL_NAME) or None)
    width = len(laid.labels)
    for column, label in enumerate((*laid.labels, *MORE_HEADS)):
        sheet.write_string(0, column, label, formats["head"])
    sheet.set_column(0, width, 16)
    sheet.set_column(width + 1, width + 2, 48)
    sheet.freeze_panes(1, 0)
    at, line = {number: row for row, number in enumerate(laid.numbers)}, 0
    for line, number in enumerate((each for each in sorted(faults) if each in at), 1):
        wrong = {fault.head: fault for fault in faults[number] if fault.column}
        for column, label in enumerate(laid.labels):
            text = laid.columns[column][at[number]].as_py() or ""
            sheet.write_string(line, column, text, formats["wrong" if label and label in wrong else "text"])
            if label and label in wrong:
                sheet.write_comment(line, column, f"{wrong[label].what}。{wrong[label].remedy}")
        sheet.write_string(line, width, str(number), formats["text"])
        sheet.write_string(line, width + 1, "；".join(_what(fault) for fault in faults[number]), formats["text"])
        sheet.write_string(
            line, width + 2, "；".join(dict.fromkeys(f.remedy for f in faults[number] if f.remedy)), formats["text"]
        )
    if mark:
        sheet.set_header("&R&8" + mark.replace("&", "&&")[:240])
        sheet.write_string(line + 1, 0, mark)  # an import passes over it: it begins as notes do


def _what(fault: RowFault) -> str:
    said = fault.what + (f"（{fault.why}）" if fault.why else "")
    return f"{fault.head}：{said}" if fault.column and fault.head else said
