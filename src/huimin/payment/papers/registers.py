"""Registers and labels on paper: sign-in sheets, yearly tables, catalogues, stock lists, boxes (ORG-07, ORG-08, REG-08, REG-10).

in    a `Register` (title, lines above, columns, rows as texts, who signs) or `Label`s; who asks, in `by`
out   PDF/A-2b; who took which paper is remembered (an EXPORTED event)

The rooms and pages gather what it says; here it is only set. Personal values come in masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, reading, record_event
from huimin.payment.papers.sheets import square_code
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import wrappable

ROWS_MAX = 5000
LABELS_MAX = 500
SIGNING_PAD_POINTS = 9.0
"""Room above and below a line that people write into."""


@dataclass(frozen=True)
class Register:
    """`columns`: (head, width in mm, 0 for what is left). `seats`: who signs at the end. `address`: what its code leads to.

    `numbers`: columns set to the right. `unit` stands at the right above the table; `seal` is the unit whose seal goes there.
    """

    title: str
    columns: Sequence[tuple[str, int]]
    rows: Sequence[Sequence[Any]]
    lines: Sequence[str] = ()
    notes: Sequence[str] = ()
    seats: Sequence[str] = ()
    address: str = ""
    across: bool = False
    to_sign: bool = False
    numbers: Sequence[int] = ()
    unit: str = ""
    seal: str = ""


@dataclass(frozen=True)
class Label:
    name: str
    lines: Sequence[str] = field(default_factory=tuple)
    address: str = ""


def register_pdf(register: Register, *, by: Actor, on: date, mark: str = "") -> bytes:
    """The register; BadInput when it is longer than anybody binds. NoFonts, PaperTooLong."""
    if len(register.rows) > ROWS_MAX:
        raise BadInput(f"超过 {ROWS_MAX:,} 行", where=register.title, remedy="请选一个乡镇或村再打印，或导出工作簿")
    _remember(by, register.title, len(register.rows))
    content = {
        "title": register.title, "issuer": by.office_name, "flipped": register.across, "lines": list(register.lines),
        "heads": [head for head, _ in register.columns], "widths": [width for _, width in register.columns],
        "rows": [["" if cell is None else wrappable(str(cell)) for cell in row] for row in register.rows],
        "notes": list(register.notes), "seats": list(register.seats), "printed": f"打印日期 {on}",
        "code": square_code(register.address) if register.address else "",
        "pad": SIGNING_PAD_POINTS if register.to_sign else 4.0, "numbers": list(register.numbers), "unit": register.unit,
        "seal": register.seal,
    }  # fmt: skip
    return typeset("register", content, on=on, mark=mark)


def labels_pdf(labels: Sequence[Label], *, by: Actor, on: date) -> bytes:
    """Labels to stick on boxes and cabinets."""
    if not 0 < len(labels) <= LABELS_MAX:
        raise BadInput("没有标签，或太多", where="标签", remedy=f"请一次打印 1 至 {LABELS_MAX} 张")
    _remember(by, "档案标签", len(labels))
    rows = [{"name": each.name, "lines": list(each.lines), "code": square_code(each.address)} for each in labels]
    return typeset("labels", {"title": "档案标签", "issuer": by.office_name, "labels": rows}, on=on)


def _remember(by: Actor, title: str, rows: int) -> None:
    with reading(by):
        record_event(by, Event.Kind.EXPORTED, f"paper:{title}", {"rows": rows})
