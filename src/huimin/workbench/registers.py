"""Registers as pages: one description of a list gives the screen, the workbook and the paper, so that they never differ.

in    a `Listing`: heads, rows of cells, filters, where else to go; built inside `reading(actor)` by the page's view
out   the page; with `?export=xlsx` the workbook, recorded; with `?print=pdf` the paper, recorded

`build(whole)` is asked for one page of rows, or for all of them (bounded by its query) to export and print. The paper is
set after the reading transaction has ended.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime

from huimin.audit.models import Signature
from huimin.kernel.money import yuan
from huimin.organisation.acting import reading
from huimin.payment.papers.registers import Register, register_pdf
from huimin.workbench.exporting import printed_by
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets


class Cell(NamedTuple):
    """What stands in a cell; `tone` colours it as a tag (late, soon, done, plain), `sub` is a small line beneath."""

    value: Any
    url: str = ""
    sub: str = ""
    tone: str = ""


class Head(NamedTuple):
    """`kind` as in spreadsheet.Column; `paper` its width in mm on paper: 0 for what is left, −1 to leave it out."""

    title: str
    kind: str = "text"
    paper: int = 0

    @property
    def number(self) -> bool:
        return self.kind in ("fen", "count")


class Filter(NamedTuple):
    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str
    always: bool = False
    """One of the options holds at any time: there is no 全部."""


@dataclass
class Listing:
    """One register: what it is, how it can be narrowed, its rows, and what can be done from here.

    For paper: `lines` above the table, `unit` at its right (单位：元), `notes` and `seats` below, `seal` whose seal goes there.
    `totals` False where the rows hold their own sums; `of_people` False where nobody is asked what for.
    """

    title: str
    lead: str
    section: str
    heads: Sequence[Head]
    rows: Sequence[Sequence[Any]]
    empty: str
    note: str = ""
    nav: Sequence[tuple[str, str, bool]] = ()
    filters: Sequence[Filter] = ()
    figures: Sequence[tuple[str, str, str]] = ()
    acts: Sequence[tuple[str, str]] = ()
    page: Any = None
    seats: Sequence[str] = ()
    lines: Sequence[str] = ()
    across: bool = False
    to_sign: bool = False
    address: str = ""
    notes: Sequence[str] = ()
    unit: str = ""
    seal: str = ""
    of_people: bool = True
    totals: bool = True
    more: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> list[list[tuple[Head, Cell, str]]]:
        """Cells with their heads and how they read on the page."""
        return [
            [
                (head, cell, _words(head.kind, cell.value))
                for head, cell in zip(self.heads, map(_cell, row), strict=True)
            ]
            for row in self.rows
        ]


def signed_lines(*signatures: Signature | None) -> list[str]:
    """For pages and papers: who signed what in which post, on which day, when that was recorded, over which digest."""
    return [
        f"{each.act}：{each.signer}，{each.business_date} 签字（记录于 {localtime(each.signed_at):%Y-%m-%d %H:%M}），摘要 {each.content_digest}"
        for each in signatures
        if each is not None
    ]


LISTED_MAX = 100
"""Rows of a list without pages on the screen; the workbook and the paper have all."""


def shortened(rows: Sequence[Any], whole: bool) -> tuple[Sequence[Any], str]:
    """What the screen shows of a list that is bounded but long, and the words that say so."""
    if whole or len(rows) <= LISTED_MAX:
        return rows, ""
    return rows[:LISTED_MAX], f"列出前 {LISTED_MAX} 行，共 {len(rows):,} 行；请选地方，或导出工作簿看全部。"


def answer_listing(
    request: Any, build: Callable[[bool], Listing], template: str = "workbench/listing.html", **more: Any
) -> HttpResponse:
    """The list as asked for; of a view that is `@page(…, reads=False)`."""
    whole = request.GET.get("export") == "xlsx" or request.GET.get("print") == "pdf"
    with reading(request.actor):
        made = build(whole)
        if request.GET.get("export") == "xlsx":
            return _workbook(request, made)
    if whole:
        return pdf_answer(
            register_pdf(
                paper_of(made), by=request.actor, on=request.business_date, mark=printed_by(request, made.title)
            ),
            made.title,
        )
    context = {"section": made.section, "listing": made, "rows": made.shown(), "page": made.page, **made.more, **more}
    form = more.get("form")
    return render(request, template, context, status=422 if form is not None and form.errors else 200)


def _workbook(request: Any, made: Listing) -> HttpResponse:
    columns = [Column(head.title, head.kind, 24 if head.kind == "text" else 14) for head in made.heads]
    rows = (
        [_of_kind(head, _cell(cell).value) for head, cell in zip(made.heads, row, strict=True)] for row in made.rows
    )
    title = f"{made.title} {request.business_date}"
    return export_sheets(request, title, [Sheet(title, columns, rows, made.totals)], of_people=made.of_people)


def paper_of(made: Listing) -> Register:
    """The same rows for paper, without the columns that are for the screen only."""
    kept = [at for at, head in enumerate(made.heads) if head.paper >= 0]
    return Register(
        title=made.title,
        columns=[(made.heads[at].title, made.heads[at].paper) for at in kept],
        rows=[[_on_paper(made.heads[at], _cell(row[at])) for at in kept] for row in made.rows],
        lines=made.lines, notes=made.notes or [f"共 {len(made.rows):,} 行"], seats=made.seats, across=made.across,
        to_sign=made.to_sign, address=made.address, unit=made.unit, seal=made.seal,
        numbers=[at for at, column in enumerate(kept) if made.heads[column].number],
    )  # fmt: skip


def pdf_answer(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.pdf"
    return response


def _cell(cell: Any) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def _of_kind(head: Head, value: Any) -> Any:
    return value if value is None or head.kind != "text" else str(value)


def _on_paper(head: Head, cell: Cell) -> str:
    words = _words(head.kind, cell.value)
    return f"{words}（{cell.sub}）" if cell.sub else "" if words == "—" else words


def _words(kind: str, value: Any) -> str:
    if value is None or value == "":
        return "—"
    if kind == "fen":
        return yuan(value)
    if kind == "count":
        return f"{value:,}"
    return value.isoformat() if isinstance(value, date) else str(value)
