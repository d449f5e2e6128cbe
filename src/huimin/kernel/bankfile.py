"""Line files for the agent bank, written and read by their description (docs/formats/rural-bank-batch.yaml). Pure.

in    a format (`read_format`), a kind of file ("payment", "transfer_answer" …), values by field name; or bytes
out   the bytes of a whole file; or `Parsed`: header and rows with whole numbers and dates

A file is a header line, rows, and a trailer with count, sum and SHA-256 over the bytes before it. Always true: what
`write_file` returns, `parse_file` reads back as the same values; a file that is cut, altered, mis-encoded or
miscounted is BadInput that names file, line, column and field, and never shows the value, which may be personal.
Nothing here knows accounts or batches; the bank's own program reads the same description by its own code (PAY-04).

Checks go by column: a field's rule is one regular expression mapped over all its values (100,000 rows in about a
second). A text is checked after decoding, because 0x7C may be the second byte of a Han character in GB18030.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from huimin.kernel.errors import BadInput

Value = str | int | date | None
AMOUNT = "row_amount_fen"


@dataclass(frozen=True)
class Field:
    """One field: how it is written, what it may hold. `kind` is text, int, date or choice."""

    name: str
    title: str
    kind: str
    length_max: int
    rule: re.Pattern[str]

    @property
    def expected(self) -> str:
        return _EXPECTED[self.kind].format(self.length_max)

    def fault(self, column: Sequence[str]) -> int | None:
        """Index of the first value that breaks the rule, or None."""
        if not all(map(self.rule.fullmatch, column)) or max(map(len, column), default=0) > self.length_max:
            return next(n for n, v in enumerate(column) if len(v) > self.length_max or not self.rule.fullmatch(v))
        if self.kind == "date":
            wrong = {text for text in set(column) if text and _day(text) is None}
            return next((n for n, text in enumerate(column) if text in wrong), None)
        return None

    def read(self, column: Sequence[str]) -> list[Any]:
        """Typed values of a checked column; an empty number or date is None, an empty text stays empty."""
        if self.kind == "int":
            return [int(text) if text else None for text in column]
        if self.kind == "date":
            days = {text: _day(text) for text in set(column)}
            return [days[text] for text in column]
        return list(column)

    def write(self, values: Iterable[Value]) -> list[str]:
        """Texts of values, not checked yet; None is empty."""
        if self.kind == "date":
            return [f"{value:%Y%m%d}" if isinstance(value, date) else "" for value in values]
        return ["" if value is None else str(value) for value in values]


@dataclass(frozen=True)
class Record:
    """One kind of line: its mark and fields in order."""

    mark: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class FileKind:
    """One kind of file; refusals have no rows."""

    title: str
    name_pattern: re.Pattern[str]
    number: str
    header: Record
    row: Record | None
    trailer: Record


@dataclass(frozen=True)
class Format:
    """The whole description. `failure_codes` and `refusal_codes` give the bank's reasons in Chinese."""

    version: str
    encoding: str
    line_ending: str
    separator: str
    bytes_max: int
    rows_max: int
    files: Mapping[str, FileKind]
    failure_codes: Mapping[str, str]
    refusal_codes: Mapping[str, str]

    def lines(self, texts: Iterable[str]) -> bytes:
        return "".join(text + self.line_ending for text in texts).encode(self.encoding)


@dataclass(frozen=True)
class Parsed:
    """A file that is whole and well formed: values by field name."""

    kind: str
    header: dict[str, Any]
    rows: list[dict[str, Any]]


def read_format(path: Path) -> Format:
    """The description at `path`; read again when the file changed."""
    return _read_format(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_format(path: Path, _changed_ns: int) -> Format:
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = {name: _field(name, spec, told) for name, spec in told["fields"].items()}
    return Format(
        version=told["version"],
        encoding=told["encoding"],
        line_ending=told["line_ending"],
        separator=told["separator"],
        bytes_max=told["limits"]["file_bytes_max"],
        rows_max=told["limits"]["rows_max"],
        files={key: _file_kind(spec, fields) for key, spec in told["files"].items()},
        failure_codes=told["failure_codes"],
        refusal_codes=told["refusal_codes"],
    )


def _file_kind(spec: dict[str, Any], fields: dict[str, Field]) -> FileKind:
    def record(part: dict[str, Any]) -> Record:
        return Record(part["mark"], tuple(fields[name] for name in part["fields"]))

    return FileKind(
        title=spec["title"],
        name_pattern=re.compile(spec["name_pattern"]),
        number=spec["number"],
        header=record(spec["header"]),
        row=record(spec["row"]) if "row" in spec else None,
        trailer=record(spec["trailer"]),
    )


def _field(name: str, spec: dict[str, Any], told: dict[str, Any]) -> Field:
    rule = _rule(spec, told)
    rule = rule if spec["required"] else f"(?:{rule})?"
    return Field(name, spec["title"], spec["type"], spec["max_length"], re.compile(rule, re.DOTALL))


def _rule(spec: dict[str, Any], told: dict[str, Any]) -> str:
    if spec["type"] == "int":
        return "[1-9][0-9]*" if spec.get("min", 0) >= 1 else "0|[1-9][0-9]*"
    if spec["type"] == "date":
        return "[0-9]{8}"
    if spec["type"] == "choice":
        return "|".join(re.escape(choice) for choice in spec["choices"])
    if "pattern" in spec:
        return str(spec["pattern"])
    forbidden = "".join(f"{_escape(low)}-{_escape(high)}" for low, high in told["forbidden_ranges"])
    blanks = "".join(_escape(code) for code in told["trimmed_characters"])
    return f"(?![{blanks}])[^{forbidden}]+(?<![{blanks}])"


def _escape(code: int) -> str:
    return f"\\U{code:08x}"


_EXPECTED = {
    "text": "不超过 {} 个字、没有竖线和控制字符、符合规定样式的文本",
    "int": "不超过 {} 位的整数",
    "date": "日历上有的日期 YYYYMMDD",
    "choice": "格式说明列出的取值",
}


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a bank's day, not a moment
    except ValueError:
        return None


def write_file(form: Format, kind: str, header: Mapping[str, Value], rows: Iterable[Mapping[str, Value]] = ()) -> bytes:
    """The bytes of a file of this kind. BadInput (with line and field) for a value the format cannot carry.

    The caller states `rows_count` and `amount_fen` in the header; they are held against the rows before anything is
    returned, so that a file never leaves with a total that was reckoned from something else.
    """
    made = form.files[kind]
    head = _written(form, made.header, [header], made.title, 1)
    body = list(rows)
    written = _written(form, made.row, body, made.title, 2) if made.row else []
    amounts = [row[AMOUNT] for row in body]
    amount_fen = sum(amount for amount in amounts if isinstance(amount, int))
    if "rows_count" in header:
        _compare(header["rows_count"], len(body), f"{made.title} 表头", "总笔数")
        _compare(header["amount_fen"], amount_fen, f"{made.title} 表头", "总金额")
    try:
        content = form.lines([*head, *written])
    except UnicodeEncodeError as wrong:
        line = wrong.object.count(form.line_ending, 0, wrong.start) + 1
        raise BadInput("有无法编码的字符", where=f"{made.title} 第{line}行", remedy="请核对姓名中的字") from None
    trailer: dict[str, Value] = {
        "rows_count": len(body),
        "amount_fen": amount_fen,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return content + form.lines(_written(form, made.trailer, [trailer], made.title, len(body) + 2))


def _written(
    form: Format, record: Record, rows: Sequence[Mapping[str, Value]], title: str, first_line: int
) -> list[str]:
    columns = []
    for number, field in enumerate(record.fields, 2):
        column = field.write([row[field.name] for row in rows])
        _check_column(field, number, column, title, first_line)
        columns.append(column)
    opening = record.mark + form.separator
    return [opening + form.separator.join(values) for values in zip(*columns, strict=True)]


def _check_column(field: Field, number: int, column: Sequence[str], name: str, first_line: int) -> None:
    fault = field.fault(column)
    if fault is not None:
        raise BadInput(
            f"应为{field.expected}",
            where=f"{name} 第{first_line + fault}行 第{number}栏 {field.title}",
            remedy="请按格式说明更正",
        )


def parse_file(form: Format, kind: str, data: bytes, file_name: str) -> Parsed:
    """Header and rows of a file as it came, under the name it came by; BadInput for whatever is wrong with it.

    Checked from the outside in: size, name, wholeness, encoding, digest, fields, numbers, counts and sums, so that a
    file cut on its way is called cut and not wrong.
    """
    made = form.files[kind]
    name = made.name_pattern.fullmatch(file_name)
    if name is None:
        raise BadInput(f"文件名不是{made.title}的样式", where=file_name, remedy="请用银行给出的原文件名")
    lines = _whole_lines(form, made, data, file_name)
    trailer = _fields(form, made.trailer, lines[-1:], file_name, len(lines))[0]
    _check_digest(form, data, trailer["sha256"], file_name)
    _check_version(form, lines[0], file_name)
    header = _fields(form, made.header, lines[:1], file_name, 1)[0]
    if made.row is None and len(lines) > 2:
        raise BadInput("这类文件没有明细", where=f"{file_name} 第2行", remedy="请向银行核对")
    rows = _fields(form, made.row, lines[1:-1], file_name, 2) if made.row else []
    _check_numbers(made, header, name, file_name)
    _check_sums(header, rows, trailer, file_name)
    return Parsed(kind, header, rows)


def _whole_lines(form: Format, made: FileKind, data: bytes, file_name: str) -> list[str]:
    """Decoded lines of a file that begins with a header and ends with a trailer."""
    if len(data) > form.bytes_max:
        raise BadInput(f"文件超过 {form.bytes_max} 字节", where=file_name, remedy="请向银行核对")
    ending = form.line_ending.encode()
    if not data.endswith(ending):
        raise _cut(file_name, "最后一行没有行尾")
    try:
        lines = data.decode(form.encoding).split(form.line_ending)[:-1]
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        raise BadInput(
            f"不是 {form.encoding.upper()} 编码", where=f"{file_name} 第{line}行", remedy="请银行按约定编码重发"
        ) from None
    if not lines[-1].startswith(made.trailer.mark + form.separator):
        raise _cut(file_name, "缺少汇总行")
    if len(lines) < 2 or not lines[0].startswith(made.header.mark + form.separator):
        raise _cut(file_name, "缺少表头行")
    if len(lines) - 2 > form.rows_max:
        raise BadInput(f"明细超过 {form.rows_max} 笔", where=file_name, remedy="请银行分批回盘")
    return lines


def _cut(file_name: str, why: str) -> BadInput:
    return BadInput("文件不完整", where=file_name, why=f"{why}，可能在传送中被截断", remedy="请重新取得完整文件")


def _check_digest(form: Format, data: bytes, told: str, file_name: str) -> None:
    ending = form.line_ending.encode()
    body = data[: data.rfind(ending, 0, -len(ending)) + len(ending)]
    if hashlib.sha256(body).hexdigest() != told:
        raise BadInput("校验码与内容不符", where=f"{file_name} 汇总行", why="内容被改动或损坏", remedy="请重新取得文件")


def _check_version(form: Format, header: str, file_name: str) -> None:
    if header.rsplit(form.separator, 1)[-1] != form.version:
        raise BadInput(
            "格式版本不支持", where=f"{file_name} 第1行", why=f"本系统支持 {form.version}", remedy="请与银行核对版本"
        )


def _fields(form: Format, record: Record, lines: list[str], file_name: str, first_line: int) -> list[dict[str, Any]]:
    """Typed values of lines of one kind."""
    width = len(record.fields) + 1
    split = [line.split(form.separator) for line in lines]
    for number, values in enumerate(split, first_line):
        if len(values) != width or values[0] != record.mark:
            raise BadInput(
                f"应有 {width} 栏，以 {record.mark} 开头；实有 {len(values)} 栏",
                where=f"{file_name} 第{number}行",
                remedy="请按格式说明更正",
            )
    columns = []
    for number, field in enumerate(record.fields, 2):
        column = [values[number - 1] for values in split]
        _check_column(field, number, column, file_name, first_line)
        columns.append(field.read(column))
    names = [field.name for field in record.fields]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _check_numbers(made: FileKind, header: dict[str, Any], name: re.Match[str], file_name: str) -> None:
    """The number (and the answer's number) in the header are those of the file's name."""
    told = {made.number: name["number"]}
    if "answer" in made.name_pattern.groupindex:
        told["answer_no" if "answer_no" in header else "refusal_no"] = name["answer"]
    for field, value in told.items():
        if str(header[field]) != value:
            raise BadInput("表头的编号与文件名不同", where=f"{file_name} 第1行", remedy="请用银行给出的原文件名")


_STATE_SUMS = (("S", "paid", "成功"), ("F", "failed", "失败"), ("U", "pending", "处理中"))


def _check_sums(header: dict[str, Any], rows: list[dict[str, Any]], trailer: dict[str, Any], file_name: str) -> None:
    """Counts and sums of header and trailer are those of the rows, in all and by state."""
    total = sum(row[AMOUNT] for row in rows)
    for part, where in ((header, "表头"), (trailer, "汇总行")):
        if "rows_count" in part:
            _compare(part["rows_count"], len(rows), f"{file_name} {where}", "总笔数")
            _compare(part["amount_fen"], total, f"{file_name} {where}", "总金额")
    if "paid_count" not in header:
        return
    for state, field, title in _STATE_SUMS:
        amounts = [row[AMOUNT] for row in rows if row["row_state"] == state]
        _compare(header[f"{field}_count"], len(amounts), f"{file_name} 表头", f"{title}笔数")
        _compare(header[f"{field}_fen"], sum(amounts), f"{file_name} 表头", f"{title}金额")


def _compare(told: object, found: int, where: str, what: str) -> None:
    if told != found:
        raise BadInput(f"{what}不符：写的是 {told}，明细合计 {found}", where=where, remedy="请重新取得或更正文件")
