"""The sheet of a draw, to put up: the frozen list before the number, what was drawn after it (CASE-08).

in    a draw
out   PDF/A-2b: how many of how many and why, the list with its digest, the public number, the seed, who is checked, how
      anybody redoes it; case numbers only, no name, no place; 必查 does not say why
"""

from collections.abc import Iterator, Sequence
from datetime import date

from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, reading
from huimin.organisation.models import Appointment
from huimin.payment.papers.registers import Register, register_pdf
from huimin.samples.models import Draw, DrawCase
from huimin.samples.queries import get_draw

ROWS_MAX = 15_000
ACROSS = 3
"""Cases beside each other."""


class TooLong(Refusal):
    """More cases than anybody puts up on a wall."""


def sheet_pdf(*, by: Actor, on: date, draw_id: int, address: str, mark: str = "") -> bytes:
    """TooLong, NoFonts."""
    with reading(by):
        draw = get_draw(draw_id)
        if draw.size > ROWS_MAX:
            raise TooLong(f"名单有 {draw.size:,} 件，一张表印不下", remedy="请公布文件（下载名单和抽签），张贴摘要")
        register = _register(draw, address)
    return register_pdf(register, by=by, on=on, mark=mark)


def _register(draw: Draw, address: str) -> Register:
    drawn = draw.state != Draw.State.FROZEN
    cells = list(_cells(draw, drawn))
    rows = [_row(cells[at : at + ACROSS]) for at in range(0, len(cells), ACROSS)]
    return Register(
        title=f"{'抽签结果' if drawn else '抽查名单'}（第 {draw.pk} 号）",
        columns=[("编号", 0), ("结果" if drawn else "备注", 26)] * ACROSS,
        rows=rows, lines=list(_lines(draw, drawn)), notes=list(_how(draw, drawn)), address=address,
        seats=["冻结名单的人", *(["录入号码的人", "复核抽签的人"] if drawn else [])],
    )  # fmt: skip


def _row(cells: Sequence[tuple[str, str]]) -> list[str]:
    told = [word for cell in cells for word in cell]
    return told + [""] * (2 * ACROSS - len(told))


def _cells(draw: Draw, drawn: bool) -> Iterator[tuple[str, str]]:
    """The whole list by number; behind each whether it is checked. What was found is told to those it concerns."""
    for line in DrawCase.objects.filter(draw=draw).order_by("number").iterator(2000):
        told = "必查" if line.must else "抽中" if line.picked else ""
        yield line.number, told or ("—" if drawn else "")


def _lines(draw: Draw, drawn: bool) -> Iterator[str]:
    yield draw.title
    yield (
        f"名单 {draw.size} 件，其中必查 {draw.must} 件；比例 {draw.percent}%（{draw.basis}），另抽 {draw.quota} 件，"
        f"共检查 {draw.drawn_count} 件"
    )
    yield f"名单摘要（{draw.frozen_on} 冻结）：{draw.digest}"
    for each in draw.skips.order_by("id"):
        yield f"原定 {each.event_on} {each.label}，没有号码：{each.reason}"
    if drawn:
        yield f"公开号码：{draw.event_on} {draw.get_event_display()} {draw.number}（见{draw.first_where}）"
        yield f"种子：{draw.seed}"
        yield f"录入：{_who(draw.first_by)}　复核：{_who(draw.drawn_by)}　抽签日期：{draw.drawn_on}"
    else:
        yield f"将用 {draw.event_on} {draw.get_event_display()}的号码抽签；冻结以后名单一件也不能加减"


def _who(appointment: int | None) -> str:
    row = Appointment.objects.select_related("account", "office").filter(pk=appointment).first()
    return f"{row.office.name} {row.account.full_name}" if row else "—"


def _how(draw: Draw, drawn: bool) -> Iterator[str]:
    event = draw.get_event_display()
    yield "怎么重做：1. 编号从小到大，一行一个（必查的后面加一个制表符和“必查”），全文的 SHA-256 就是名单摘要。"
    yield f"2. 种子 = SHA-256（名单摘要|{event}|{draw.event_on}|{draw.number or '号码'}）。"
    yield f"3. 每一件的次序 = SHA-256（种子:编号），从小到大，不是必查的取前 {draw.quota} 件。"
    if drawn:
        yield f"也可以下载公布的文件，执行 ./huimin sample verify draw-{draw.pk}.txt"
