"""From the bytes of an incoming file to an order, or to the one reason why the whole file is refused.

in    bytes as they lay in the inbox, and the number its name gives
out   Order, every field checked against the description; or FileRefused

Checks go from the outside in (whole? decodable? digest? fields? sums?), so that a file cut on its way is called cut and
not wrong. Nothing here knows an account: what depends on the books is judged in `posting`.
"""

import hashlib
from dataclasses import dataclass

from bank_simulator.errors import FileRefused
from bank_simulator.layout import FileKind, Layout, Record, Row


@dataclass(frozen=True)
class Order:
    """A well-formed file: header by field name, rows as text in the order of `names`; amounts in 分, days YYYYMMDD."""

    kind: FileKind
    header: dict[str, str]
    rows: list[Row]
    names: tuple[str, ...]

    @property
    def number(self) -> str:
        return self.header[self.kind.number]

    @property
    def amount_fen(self) -> int:
        return int(self.header.get("amount_fen", 0))

    def column(self, name: str) -> list[str]:
        """The values of one field over all rows."""
        index = self.names.index(name)
        return [row[index] for row in self.rows]


def read_order(layout: Layout, kind: FileKind, number: str, content: bytes) -> Order:
    """The order in `content`, which came under the name of `number`. FileRefused with X02 to X04, X07 to X09, X13, X14."""
    ending = layout.line_ending.encode()
    text = _decoded(layout, content)
    _check_whole(layout, content, ending)
    lines = text.split(layout.line_ending)[:-1]
    trailer = _fields(layout, kind.trailer, lines[-1:], len(lines))[0]
    _check_digest(content, ending, trailer[-1])
    header = _header(layout, kind, lines)
    if header[kind.number] != number:
        raise FileRefused("X09", f"文件名中的编号是 {number}", 1)
    if len(lines) - 2 > layout.rows_max:
        raise FileRefused("X13", f"明细超过 {layout.rows_max} 笔")
    assert kind.row is not None
    order = Order(kind, header, _fields(layout, kind.row, lines[1:-1], 2), kind.row.names)
    _check_rows(order)
    _check_sums(order, trailer)
    return order


def _decoded(layout: Layout, content: bytes) -> str:
    try:
        return content.decode(layout.encoding)
    except UnicodeDecodeError as error:
        if error.end == len(content) and "incomplete" in error.reason:
            raise FileRefused("X03", "文件在一个汉字中间断开") from None
        line_no = content.count(b"\n", 0, error.start) + 1
        raise FileRefused("X08", f"第 {error.start + 1} 个字节不是 {layout.encoding.upper()} 编码", line_no) from None


def _check_whole(layout: Layout, content: bytes, ending: bytes) -> None:
    if not content:
        raise FileRefused("X03", "文件是空的")
    if content.endswith(b"\n") and not content.endswith(ending):
        raise FileRefused("X07", "行尾应为 CRLF")
    if not content.endswith(ending):
        raise FileRefused("X03", "最后一行没有行尾")
    begin = content.rfind(ending, 0, -len(ending)) + len(ending)
    if begin < len(ending) or not content.startswith(b"T" + layout.separator.encode(), begin):
        raise FileRefused("X03", "缺少表头或汇总行")


def _check_digest(content: bytes, ending: bytes, told: str) -> None:
    body_length = content.rfind(ending, 0, -len(ending)) + len(ending)
    found = hashlib.sha256(memoryview(content)[:body_length]).hexdigest()
    if found != told:
        raise FileRefused("X04", f"按收到的内容算得 {found}")


def _header(layout: Layout, kind: FileKind, lines: list[str]) -> dict[str, str]:
    values = lines[0].split(layout.separator)
    if len(values) == len(kind.header.fields) + 1 and values[-1] != layout.version:
        raise FileRefused("X14", f"本行支持 {layout.version}", 1)
    return dict(zip(kind.header.names, _fields(layout, kind.header, lines[:1], 1)[0], strict=True))


def _fields(layout: Layout, record: Record, lines: list[str], first_line_no: int) -> list[Row]:
    """The checked fields of `lines`, without their marks. FileRefused X07 at the first line that breaks a rule."""
    opening = record.mark + layout.separator
    for offset, line in enumerate(lines):
        if not line.startswith(opening):
            raise FileRefused("X07", f"此行的行首标志应为 {record.mark}", first_line_no + offset)
    rows = [line.split(layout.separator)[1:] for line in lines]
    fault = record.find_fault(rows)
    if fault is not None:
        raise FileRefused("X07", fault.what, first_line_no + fault.index)
    return rows


def _check_rows(order: Order) -> None:
    if not order.rows:
        raise FileRefused("X07", "没有明细")
    if order.kind.key == "transfer" and len(order.rows) != 1:
        raise FileRefused("X07", "划款指令只能有一条明细", 3)
    for index, sequence in enumerate(order.column("sequence")):
        if int(sequence) != index + 1:
            raise FileRefused("X07", f"序号应为 {index + 1}", index + 2)
    if order.kind.key == "payment":
        _check_memos(order)


def _check_memos(order: Order) -> None:
    short = order.header["programme_short"]
    for index, memo in enumerate(order.column("memo")):
        if memo != short:
            raise FileRefused("X07", f"摘要应为表头的项目简称“{short}”", index + 2)


def _check_sums(order: Order, trailer: Row) -> None:
    counts = {int(order.header["rows_count"]), int(trailer[0]), len(order.rows)}
    if len(counts) != 1:
        raise FileRefused(
            "X02", f"表头 {order.header['rows_count']} 笔，汇总 {trailer[0]} 笔，实有 {len(order.rows)} 笔"
        )
    if "row_amount_fen" not in order.names:
        return
    amount_fen = sum(map(int, order.column("row_amount_fen")))
    if len({order.amount_fen, int(trailer[1]), amount_fen}) != 1:
        raise FileRefused("X02", f"表头 {order.amount_fen} 分，汇总 {trailer[1]} 分，实有 {amount_fen} 分")
