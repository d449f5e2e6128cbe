"""Write a file by its description, piece by piece, so that a million rows need no more memory than ten thousand.

in    a format, a kind of file, header values, rows in any number (once through)
out   bytes in a stream, and what was written: how many rows, which sum, the SHA-256 of the whole

The caller states `rows_count` and `amount_fen` in the header; they are held against the rows before the trailer, so
that a file never ends with totals that were reckoned from something else. What fails leaves a stream without trailer:
whoever writes files does so under a temporary name.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

from huimin.kernel.bankfile.describing import FileKind, Format, Record
from huimin.kernel.bankfile.fields import AMOUNT, Field, Value
from huimin.kernel.bankfile.lines import FOR_THE_BANK, encode_lines, title_line
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan

PIECE = 5_000


@dataclass(frozen=True)
class Written:
    """What went into the stream."""

    rows_count: int
    amount_fen: int
    sha256: str


def write_file(form: Format, kind: str, header: Mapping[str, Value], rows: Iterable[Mapping[str, Value]] = ()) -> bytes:
    """The bytes of a file of this kind. BadInput (with line and field) for a value the format cannot carry."""
    sink = BytesIO()
    write_to(sink, form, kind, header, rows)
    return sink.getvalue()


def write_to(
    sink: BinaryIO, form: Format, kind: str, header: Mapping[str, Value], rows: Iterable[Mapping[str, Value]] = ()
) -> Written:
    """The same into a stream."""
    made = form.files[kind]
    out = _Out(sink)
    out.add(_head(form, made, header))
    first_line, count, amount_fen = out.lines + 1, 0, 0
    for piece in _pieces(rows):
        assert made.row is not None
        out.add(_lines(form, made.row, piece, made.title, first_line + count), len(piece))
        count += len(piece)
        amount_fen += sum(fen for row in piece if isinstance(fen := row.get(AMOUNT), int))
    _check_totals(made.title, header, count, amount_fen)
    trailer: dict[str, Value] = {"rows_count": count, "amount_fen": amount_fen, "sha256": out.whole.hexdigest()}
    out.add(_lines(form, made.trailer, [{**header, **trailer}], made.title, first_line + count))
    return Written(count, amount_fen, out.whole.hexdigest())


class _Out:
    """The stream with its digest and the lines so far."""

    def __init__(self, sink: BinaryIO) -> None:
        self.sink, self.whole, self.lines = sink, hashlib.sha256(), 0

    def add(self, data: bytes, lines: int = 1) -> None:
        self.sink.write(data)
        self.whole.update(data)
        self.lines += lines if data else 0


def _head(form: Format, made: FileKind, header: Mapping[str, Value]) -> bytes:
    if form.layout == "table" and made.row is not None:
        return title_line(form, made.row)
    return _lines(form, made.header, [header], made.title, 1) if made.header else b""


def _pieces(rows: Iterable[Mapping[str, Value]]) -> Iterator[list[Mapping[str, Value]]]:
    left = iter(rows)
    while piece := list(islice(left, PIECE)):
        yield piece


def _check_totals(title: str, header: Mapping[str, Value], count: int, amount_fen: int) -> None:
    if "rows_count" in header:
        compare(header["rows_count"], count, f"{title} 表头", "总笔数")
    if "amount_fen" in header:
        compare(header["amount_fen"], amount_fen, f"{title} 表头", "总金额")


def _lines(form: Format, record: Record, rows: Sequence[Mapping[str, Value]], title: str, first_line: int) -> bytes:
    columns = []
    for number, field in enumerate(record.fields, 2 if record.mark else 1):
        column = field.write([row[field.name] for row in rows])
        check_column(field, number, column, title, first_line)
        columns.append(column)
    return encode_lines(form, record, columns, title, first_line)


def check_column(
    field: Field, number: int, column: Sequence[str], name: str, first_line: int, *, came: bool = False
) -> None:
    """BadInput with line and field for the first value that breaks the field's rule; of a file that `came`, with what it says."""
    fault = field.fault(column)
    if fault is not None:
        raise BadInput(
            f"应为{field.expected}", why=field.found(column[fault]) if came else "",
            where=f"{name} 第{first_line + fault}行 第{number}栏 {field.title}",
            remedy=FOR_THE_BANK if came else "请按格式说明更正",
        )  # fmt: skip


def compare(told: Any, found: int, where: str, what: str) -> None:
    if told != found:
        shown, summed = (f"{yuan(n)} 元" if what.endswith("金额") else f"{n:,} 笔" for n in (told, found))
        raise BadInput(f"{what}不符：写的是 {shown}，明细合计 {summed}", where=where, remedy="请重新取得或更正文件")
