"""Every format this bank can be set to speak, besides the strict reading of its own: orders in, answers out.

in    a description, the bytes of an order; or what an answer says, under the description's names
out   an `Order` in the same shape whatever the format (amounts in 分, days YYYYMMDD); or bytes

Layouts: separated lines (reading is in `reading`), lines of fixed width, a table with titles, and messages of ISO 20022
(`messages`). Inside the bank a row fails with F01 to F11; each format has its own codes for the same reasons.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bank_simulator import messages
from bank_simulator.errors import FileRefused
from bank_simulator.layout import Field, FileKind, Layout, Record, read_layout
from bank_simulator.reading import Order, read_order

REASONS: Mapping[str, str] = read_layout().failure_codes
REFUSALS: Mapping[str, str] = read_layout().refusal_codes


def read_any(layout: Layout, kind: FileKind, number: str, content: bytes) -> Order:
    """The order in `content`; FileRefused."""
    if layout.layout == "separated":
        return read_order(layout, kind, number, content)
    if layout.layout == "iso20022":
        return messages.read_pain001(kind, number, content)
    return _read_lines(layout, kind, number, content)


def _read_lines(layout: Layout, kind: FileKind, number: str, content: bytes) -> Order:
    ending = layout.line_ending.encode()
    if not content.endswith(ending):
        raise FileRefused("X03", "最后一行没有行尾")
    lines = content.split(ending)[:-1]
    heads = 1 if kind.header.fields or layout.layout == "table" else 0
    if len(lines) < heads + 2:
        raise FileRefused("X03", "没有明细或汇总行")
    assert kind.row is not None
    header = _values(layout, kind.header, lines[0], 1) if kind.header.fields else {}
    trailer = _values(layout, kind.trailer, lines[-1], len(lines))
    rows = [_values(layout, kind.row, line, at) for at, line in enumerate(lines[heads:-1], heads + 1)]
    if header.setdefault(kind.number, number) != number:
        raise FileRefused("X09", f"文件名中的编号是 {number}", 1)
    names = kind.row.names
    order = Order(kind, _filled(trailer | header, rows), [[row[name] for name in names] for row in rows], names)
    _check_sums(order, header, trailer)
    return order


def _filled(header: dict[str, str], rows: list[dict[str, str]]) -> dict[str, str]:
    """What other formats say in their header and this one leaves out."""
    amount = str(sum(int(row.get("row_amount_fen", 0)) for row in rows))
    told = {
        "programme_code": "",
        "programme_short": rows[0].get("memo", ""),
        "business_date": "",
        "rows_count": str(len(rows)),
    }
    return told | {"amount_fen": amount, "payer_account": "", "payer_name": ""} | header


def _check_sums(order: Order, header: dict[str, str], trailer: dict[str, str]) -> None:
    count = len(order.rows)
    amount = sum(map(int, order.column("row_amount_fen"))) if "row_amount_fen" in order.names else 0
    for part in (header, trailer):
        if int(part.get("rows_count", count)) != count or int(part.get("amount_fen", amount)) != amount:
            raise FileRefused("X02", f"写的是 {part}，实有 {count} 笔 {amount} 分")


def _values(layout: Layout, record: Record, line: bytes, number: int) -> dict[str, str]:
    try:
        texts = _cut(layout, record, line, number) if layout.layout == "fixed" else _split(layout, record, line, number)
    except UnicodeDecodeError:
        raise FileRefused("X08", f"不是 {layout.encoding.upper()} 编码", number) from None
    values = {}
    for field, text in zip(record.fields, texts, strict=True):
        if not field.rule.fullmatch(text):
            raise FileRefused("X07", f"“{field.title}”应为{field.expected}", number)
        values[field.name] = _plain(field, text)
    return values


def _cut(layout: Layout, record: Record, line: bytes, number: int) -> list[str]:
    mark, width = record.mark.encode(), len(record.mark) + sum(field.width for field in record.fields)
    if len(line) != width or not line.startswith(mark):
        raise FileRefused("X07", f"应为 {width} 个字节、以 {record.mark} 开头", number)
    texts, at = [], len(mark)
    for field in record.fields:
        text = line[at : at + field.width].decode(layout.encoding).rstrip(" ")
        if field.kind in ("int", "yuan") and text:
            text = text.lstrip("0")
            text = "0" + text if not text or text.startswith(".") else text
        texts.append(text)
        at += field.width
    return texts


def _split(layout: Layout, record: Record, line: bytes, number: int) -> list[str]:
    texts = line.decode(layout.encoding).split(layout.separator)
    if record.mark and texts[0] != record.mark:
        raise FileRefused("X07", f"应以 {record.mark} 开头", number)
    texts = texts[1:] if record.mark else texts
    if len(texts) != len(record.fields):
        raise FileRefused("X07", f"应有 {len(record.fields)} 栏，实有 {len(texts)} 栏", number)
    return texts


def _plain(field: Field, text: str) -> str:
    if field.kind == "yuan":
        return str(int(text.replace(".", "")))
    return text.replace("-", "") if field.kind == "date" else text


def name_of(layout: Layout, kind: FileKind, number: str, no: int) -> str:
    return kind.name.format(**{kind.number: number, "answer_no": no, "refusal_no": no})


def render(layout: Layout, kind: FileKind, header: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> bytes:
    """The bytes of an answer that says this."""
    if layout.layout == "iso20022":
        return messages.write_pain002(header, rows)
    amount_fen = sum(int(row.get("row_amount_fen", 0)) for row in rows)
    told = {**header, "rows_count": str(len(rows)), "amount_fen": str(amount_fen), **_sums(rows)}
    if layout.layout == "separated":
        head = [told[name] for name in kind.header.names]
        body = [[_coded(layout, field, row) for field in kind.row.fields] for row in rows] if kind.row else []
        return layout.write(kind, head, body, amount_fen)
    lines = [_line(layout, kind.header, told)] if kind.header.fields else []
    assert kind.row is not None
    if layout.layout == "table":
        lines.append(layout.separator.join(field.title for field in kind.row.fields).encode(layout.encoding))
    lines += [_line(layout, kind.row, row) for row in rows]
    lines.append(_line(layout, kind.trailer, told))
    return b"".join(line + layout.line_ending.encode() for line in lines)


def _sums(rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    sums = {}
    for state, name in (("S", "paid"), ("F", "failed"), ("U", "pending")):
        chosen = [int(row.get("row_amount_fen", 0)) for row in rows if row.get("row_state") == state]
        sums |= {f"{name}_count": str(len(chosen)), f"{name}_fen": str(sum(chosen))}
    return sums


def _coded(layout: Layout, field: Field, row: Mapping[str, str]) -> str:
    """A value in this format's own words."""
    value = row.get(field.name, "")
    if field.name == "row_state":
        return next(code for code, meaning in layout.states.items() if meaning == value)
    if field.name == "failure_code" and value:
        return next((code for code, reason in layout.failure_codes.items() if reason == REASONS[value]), value)
    if field.kind == "yuan" and value.isdigit():
        return f"{int(value) // 100}.{int(value) % 100:02d}"
    if field.kind == "date" and value and field.style == "YYYY-MM-DD":
        return f"{datetime.strptime(value, '%Y%m%d'):%Y-%m-%d}"  # noqa: DTZ007 - a day
    return value


def _line(layout: Layout, record: Record, values: Mapping[str, str]) -> bytes:
    texts = [_coded(layout, field, values) for field in record.fields]
    if layout.layout == "table":
        return layout.separator.join([record.mark, *texts] if record.mark else texts).encode(layout.encoding)
    parts = [record.mark.encode()]
    for field, text in zip(record.fields, texts, strict=True):
        value = text.encode(layout.encoding)
        parts.append(
            value.rjust(field.width, b"0") if field.kind in ("int", "yuan") and text else value.ljust(field.width)
        )
    return b"".join(parts)
