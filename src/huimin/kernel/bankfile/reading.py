"""Read a file by its description: looked through once from outside in, then its rows piece by piece.

in    a format, a kind of file, a stream that can be rewound, the name it came by
out   `Incoming`: the header at once, rows as they are asked for; BadInput for whatever is wrong

Checked in this order: size, name, wholeness, encoding, digest, version, fields, numbers, counts and sums, so that a
file cut on its way is called cut and not wrong. Counts and sums are known when the last row was read: who stores rows
does so in a transaction that ends after `rows` did.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO

from huimin.kernel.bankfile.describing import FileKind, Format, Record
from huimin.kernel.bankfile.differing import naming_encoding, require_ends, require_no_mark, too_big
from huimin.kernel.bankfile.fields import AMOUNT
from huimin.kernel.bankfile.lines import check_titles, decode_lines, not_encoded
from huimin.kernel.bankfile.writing import PIECE, check_column, compare
from huimin.kernel.errors import BadInput

_BLOCK = 1 << 20
STATE_SUMS = (("S", "paid", "成功"), ("F", "failed", "失败"), ("U", "pending", "处理中"))


@dataclass(frozen=True)
class Parsed:
    """A file that is whole and well formed: values by field name."""

    kind: str
    header: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass
class Incoming:
    """A file whose frame is right. `rows()` gives its rows in pieces, once; sums are checked at their end."""

    form: Format
    kind: FileKind
    name: str
    source: BinaryIO
    sha256: str
    header: dict[str, Any]
    trailer: dict[str, Any]
    rows_count: int
    first_line: int
    sums: dict[str, list[int]] = field(default_factory=dict)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """Pieces of typed rows; BadInput at the first that is wrong, or at the end when the sums are."""
        with naming_encoding(self.form, self.source, self.name):
            yield from self._rows()

    def _rows(self) -> Iterator[list[dict[str, Any]]]:
        record = self.kind.row
        if record is None:
            _check_sums(self)
            return
        self.source.seek(0)
        for _ in range(self.first_line - 1):
            self.source.readline()
        done = 0
        while done < self.rows_count:
            raw = [self.source.readline() for _ in range(min(PIECE, self.rows_count - done))]
            piece = _fields(self.form, record, raw, self.name, self.first_line + done)
            done += len(raw)
            self._add(piece)
            yield piece
        _check_sums(self)

    def _add(self, piece: list[dict[str, Any]]) -> None:
        states = self.form.states
        for row in piece:
            if "row_state" in row:
                row["row_state"] = states.get(row["row_state"], row["row_state"])
            counted = self.sums.setdefault(row.get("row_state", ""), [0, 0])
            counted[0] += 1
            counted[1] += row.get(AMOUNT) or 0


def parse_file(form: Format, kind: str, data: bytes, file_name: str) -> Parsed:
    """Header and rows of a whole file; for files that are small or tests."""
    incoming = open_file(form, kind, BytesIO(data), file_name)
    return Parsed(kind, incoming.header, [row for piece in incoming.rows() for row in piece])


def open_file(form: Format, kind: str, source: BinaryIO, file_name: str) -> Incoming:
    """The file with its frame checked: everything but its rows."""
    made = form.files[kind]
    require_size(form, source, file_name)
    name = require_name(made, file_name)
    with naming_encoding(form, source, file_name):
        return _framed(form, made, source, file_name, name)


def _framed(form: Format, made: FileKind, source: BinaryIO, file_name: str, name: re.Match[str]) -> Incoming:
    seen = _look_through(form, source, file_name)
    titles = form.layout == "table" and made.row is not None
    heads = 1 if titles or made.header else 0
    _require_whole(form, made, seen, heads, file_name)
    trailer = _fields(form, made.trailer, [seen.last], file_name, seen.lines)[0]
    if "sha256" in trailer and trailer["sha256"] != seen.body_sha256:
        raise BadInput("校验码与内容不符", where=f"{file_name} 汇总行", why="内容被改动或损坏", remedy="请重新取得文件")
    if titles:
        assert made.row is not None
        check_titles(form, made.row, seen.first, file_name)
    header = _header(form, made, seen, file_name)
    rows_count = seen.lines - heads - 1
    if made.row is None and rows_count:
        raise BadInput("这类文件没有明细", where=f"{file_name} 第2行", remedy="请向银行核对")
    _check_numbers(made, header, name, file_name)
    return Incoming(form, made, file_name, source, seen.sha256, header, trailer, rows_count, heads + 1)


def require_size(form: Format, source: BinaryIO, file_name: str) -> None:
    """Before a byte is read: a file of gigabytes is not looked at."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    if size > form.bytes_max:
        raise too_big(form.bytes_max, file_name)


def require_name(made: FileKind, file_name: str) -> re.Match[str]:
    name = made.name_pattern.fullmatch(file_name)
    if name is None:
        raise BadInput(f"文件名不是{made.title}的样式", where=file_name, remedy="请用银行给出的原文件名")
    return name


@dataclass(frozen=True)
class _Seen:
    first: bytes
    last: bytes
    lines: int
    sha256: str
    body_sha256: str


def _look_through(form: Format, source: BinaryIO, file_name: str) -> _Seen:
    """One pass: lines, encoding, digests of the whole and of all but the last line."""
    whole = hashlib.sha256()
    ending, lines, first, last = form.line_ending.encode(), 0, b"", b""
    source.seek(0)
    while block := source.readlines(_BLOCK):
        whole.update(last)
        whole.update(b"".join(block[:-1]))
        if not lines:
            first = block[0]
            require_no_mark(form, first, file_name)
        data = b"".join(block)
        require_ends(form, block, data, file_name, lines)
        _require_encoded(form, block, data, file_name, lines)
        lines += len(block)
        last = block[-1]
    if not lines:
        raise _cut(file_name, "文件是空的")
    if not last.endswith(ending):
        raise _cut(file_name, "最后一行没有行尾")
    body = whole.copy()
    whole.update(last)
    return _Seen(first, last, lines, whole.hexdigest(), body.hexdigest())


def _require_encoded(form: Format, block: list[bytes], data: bytes, file_name: str, lines: int) -> None:
    try:
        data.decode(form.encoding)
    except UnicodeDecodeError as wrong:
        at = data.count(b"\n", 0, wrong.start)
        if not data.endswith(form.line_ending.encode()) and at == len(block) - 1:
            raise _cut(file_name, "最后一行没有行尾") from None
        raise not_encoded(form, file_name, lines + at + 1) from None


def _require_whole(form: Format, made: FileKind, seen: _Seen, heads: int, file_name: str) -> None:
    sign = form.separator if form.layout != "fixed" else ""
    if made.trailer.mark and not seen.last.startswith((made.trailer.mark + sign).encode(form.encoding)):
        raise _cut(file_name, "缺少汇总行")
    mark = made.header.mark if made.header else ""
    if seen.lines < heads + 1 or not seen.first.startswith((mark + sign if mark else "").encode(form.encoding)):
        raise _cut(file_name, "缺少表头行")
    if seen.lines - heads - 1 > form.rows_max:
        raise BadInput(f"明细超过 {form.rows_max} 笔", where=file_name, remedy="请银行分批回盘")


def _cut(file_name: str, why: str) -> BadInput:
    told = why if why.startswith("文件") else f"{why}，可能在传送中被截断"
    return BadInput("文件不完整", where=file_name, why=told, remedy="请重新取得完整文件")


def _header(form: Format, made: FileKind, seen: _Seen, file_name: str) -> dict[str, Any]:
    if made.header is None:
        return {}
    if form.layout == "separated" and "format_version" in made.header.names:
        text = seen.first.decode(form.encoding).removesuffix(form.line_ending)
        if text.rsplit(form.separator, 1)[-1] != form.version:
            raise BadInput(
                "格式版本不支持",
                where=f"{file_name} 第1行",
                why=f"本系统支持 {form.version}",
                remedy="请与银行核对版本",
            )
    return _fields(form, made.header, [seen.first], file_name, 1)[0]


def _fields(form: Format, record: Record, raw: list[bytes], file_name: str, first_line: int) -> list[dict[str, Any]]:
    """Typed values of lines of one kind."""
    columns = []
    texts = decode_lines(form, record, raw, file_name, first_line)
    for number, (each, column) in enumerate(zip(record.fields, texts, strict=True), 2 if record.mark else 1):
        check_column(each, number, column, file_name, first_line, came=True)
        columns.append(each.read(column))
    names = record.names
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _check_numbers(made: FileKind, header: dict[str, Any], name: re.Match[str], file_name: str) -> None:
    """The number (and the answer's number) are those of the file's name; a file without a header has them from there."""
    told: dict[str, Any] = {made.number: name["number"]}
    if "answer" in made.name_pattern.groupindex:
        told["refusal_no" if made.key.endswith("_refusal") else "answer_no"] = int(name["answer"])
    for key, value in told.items():
        if header.setdefault(key, value) != value:
            raise BadInput("表头的编号与文件名不同", where=f"{file_name} 第1行", remedy="请用银行给出的原文件名")


def _check_sums(incoming: Incoming) -> None:
    """Counts and sums of header and trailer are those of the rows, in all and by state."""
    count = sum(counted for counted, _ in incoming.sums.values())
    total = sum(fen for _, fen in incoming.sums.values())
    header, name = incoming.header, incoming.name
    for part, where in ((header, "表头"), (incoming.trailer, "汇总行")):
        if "rows_count" in part:
            compare(part["rows_count"], count, f"{name} {where}", "总笔数")
        if "amount_fen" in part:
            compare(part["amount_fen"], total, f"{name} {where}", "总金额")
    for part, where in ((header, "表头"), (incoming.trailer, "汇总行")):
        for state, key, title in STATE_SUMS:
            counted, fen = incoming.sums.get(state, (0, 0))
            if f"{key}_count" in part:
                compare(part[f"{key}_count"], counted, f"{name} {where}", f"{title}笔数")
            if f"{key}_fen" in part:
                compare(part[f"{key}_fen"], fen, f"{name} {where}", f"{title}金额")
