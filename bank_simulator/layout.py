"""The file format as data: read once from `policy/banks/*.yaml`, then used to check and to write lines.

Everything is checked by column, not by line: a field's whole rule is one regular expression, mapped over a column of
a hundred thousand values without entering Python code for each.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

DESCRIPTION = Path(__file__).resolve().parents[1] / "policy" / "banks" / "rural-bank-batch.yaml"
ORDER_KINDS = ("transfer", "check", "payment")  # in the order a bank books them: money must arrive before it can leave

Row = Sequence[str]


@dataclass(frozen=True)
class Fault:
    """One value that breaks its field's rule: `index` counts rows from 0."""

    index: int
    field: str
    what: str


@dataclass(frozen=True)
class Field:
    """One field; `rule` is everything its type, length, pattern and choices demand."""

    name: str
    title: str
    rule: re.Pattern[str]
    is_date: bool
    expected: str
    kind: str = "text"
    width: int = 0
    style: str = "YYYYMMDD"

    def faulty_index(self, column: Sequence[str]) -> int | None:
        """The first row whose value breaks the rule, or None."""
        if not all(map(self.rule.fullmatch, column)):
            return next(index for index, value in enumerate(column) if not self.rule.fullmatch(value))
        if not self.is_date:
            return None
        wrong = {day for day in set(column) if day and not is_calendar_day(day)}
        return next((index for index, day in enumerate(column) if day in wrong), None)


@dataclass(frozen=True)
class Record:
    """One kind of line: its mark and its fields in order."""

    mark: str
    fields: tuple[Field, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def index(self, name: str) -> int:
        return self.names.index(name)

    def find_fault(self, rows: Sequence[Row]) -> Fault | None:
        """The fault of the earliest row, or None. Rows are without their mark."""
        width = len(self.fields)
        if set(map(len, rows)) - {width}:
            index, row = next((index, row) for index, row in enumerate(rows) if len(row) != width)
            return Fault(index, "", f"应有 {width + 1} 列，实有 {len(row) + 1} 列")
        faults = []
        for field, column in zip(self.fields, zip(*rows, strict=True), strict=False):
            index = field.faulty_index(column)
            if index is not None:
                faults.append(Fault(index, field.name, f"“{field.title}”应为{field.expected}"))
        return min(faults, key=lambda fault: fault.index, default=None)


@dataclass(frozen=True)
class FileKind:
    """One kind of file: what it is called and the records it is made of. Refusals have no rows."""

    key: str
    title: str
    name: str
    name_pattern: re.Pattern[str]
    number: str
    header: Record
    row: Record | None
    trailer: Record


NO_RECORD = Record("", ())


@dataclass(frozen=True)
class Layout:
    """The whole description, with the codes and their Chinese reasons. Messages (iso20022) have no records."""

    key: str
    layout: str
    states: Mapping[str, str]
    version: str
    encoding: str
    line_ending: str
    separator: str
    file_bytes_max: int
    rows_max: int
    row_amount_fen_max: int
    fields: Mapping[str, Field]
    files: Mapping[str, FileKind]
    failure_codes: Mapping[str, str]
    refusal_codes: Mapping[str, str]

    def write(self, kind: FileKind, header: Row, rows: Sequence[Row], amount_fen: int) -> bytes:
        """The bytes of a file. What the format forbids is our own mistake here, since it was checked when it came in."""
        assert kind.header.find_fault([header]) is None, kind.header.find_fault([header])
        assert kind.row is None or kind.row.find_fault(rows) is None, kind.row and kind.row.find_fault(rows)
        lines = [self.separator.join((kind.header.mark, *header))]
        if kind.row is not None:
            opening = kind.row.mark + self.separator
            lines.extend(opening + self.separator.join(row) for row in rows)
        body = self._encode(lines)
        digest = hashlib.sha256(body).hexdigest()
        told = {"rows_count": str(len(rows)), "amount_fen": str(amount_fen), "sha256": digest}
        trailer = self.separator.join((kind.trailer.mark, *(told[name] for name in kind.trailer.names)))
        return body + self._encode([trailer])

    def _encode(self, lines: Iterable[str]) -> bytes:
        return "".join(line + self.line_ending for line in lines).encode(self.encoding)


@cache
def read_layout(path: Path = DESCRIPTION) -> Layout:
    """The description at `path`; a description with a hole fails here with the missing key, before any file is read."""
    with path.open("rb") as stream:
        told = yaml.load(stream, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    fields = {name: _field(name, spec, told) for name, spec in told.get("fields", {}).items()}
    return Layout(
        key=told["format"],
        layout=told.get("layout", "separated"),
        states=told.get("states", {state: state for state in "SFU"}),
        version=told["version"],
        encoding=told.get("encoding", "utf-8"),
        line_ending=told.get("line_ending", "\n"),
        separator=told.get("separator", ""),
        **told["limits"],
        fields=fields,
        files={key: _file_kind(key, spec, fields) for key, spec in told["files"].items()},
        failure_codes=told["failure_codes"],
        refusal_codes=told.get("refusal_codes", {}),
    )


def is_calendar_day(day: str) -> bool:
    """Whether YYYYMMDD is a day that exists."""
    try:
        datetime.strptime(day, "%Y%m%d")  # noqa: DTZ007 - a bank's business day has no time zone
    except ValueError:
        return False
    return True


def _file_kind(key: str, spec: dict[str, Any], fields: dict[str, Field]) -> FileKind:
    return FileKind(
        key=key,
        title=spec["title"],
        name=spec["name"],
        name_pattern=re.compile(spec["name_pattern"]),
        number=spec["number"],
        header=_record(spec["header"], fields) if "header" in spec else NO_RECORD,
        row=_record(spec["row"], fields) if "row" in spec else None,
        trailer=_record(spec["trailer"], fields) if "trailer" in spec else NO_RECORD,
    )


def _record(spec: dict[str, Any], fields: dict[str, Field]) -> Record:
    return Record(spec.get("mark", ""), tuple(fields[name] for name in spec["fields"]))


def _field(name: str, spec: dict[str, Any], told: dict[str, Any]) -> Field:
    length_max = spec["max_length"]
    body = _RULES[spec["type"]](spec, told)
    optional = "" if spec["required"] else "|"
    return Field(
        name=name,
        title=spec["title"],
        # The look-ahead keeps the length a rule of its own, whatever a pattern says.
        rule=re.compile(f"(?=.{{0,{length_max}}}\\Z)(?:{body}{optional})", re.DOTALL),
        is_date=spec["type"] == "date" and spec.get("style", "YYYYMMDD") == "YYYYMMDD",
        expected=_EXPECTED[spec["type"]].format(length_max=length_max) + ("" if spec["required"] else "或空"),
        kind=spec["type"],
        width=spec.get("width", 0),
        style=spec.get("style", "YYYYMMDD"),
    )


def text_rule(told: Mapping[str, Any]) -> str:
    """Any characters but the forbidden ones, not beginning or ending in a blank."""
    allowed = (
        "[^"
        + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in told.get("forbidden_ranges", [[0, 31], [127, 159]]))
        + "]"
    )
    blank = "[" + "".join(f"\\U{code:08x}" for code in told.get("trimmed_characters", [32, 160, 12288])) + "]"
    return f"(?!{blank}){allowed}+(?<!{blank})"


def _int_rule(spec: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    return "[1-9][0-9]*" if spec.get("min", 0) >= 1 else "(?:0|[1-9][0-9]*)"


_RULES = {
    "text": lambda spec, told: f"(?:{spec['pattern']})" if "pattern" in spec else text_rule(told),
    "int": _int_rule,
    "yuan": lambda spec, told: "(?:0|[1-9][0-9]*)\\.[0-9]{2}",
    "date": lambda spec, told: "[0-9]{4}-[0-9]{2}-[0-9]{2}" if spec.get("style") == "YYYY-MM-DD" else "[0-9]{8}",
    "choice": lambda spec, told: "|".join(map(re.escape, spec["choices"])),
}
_EXPECTED = {
    "text": "不超过 {length_max} 个字符、无竖线和控制字符的文本",
    "int": "不超过 {length_max} 位的整数",
    "yuan": "不超过 {length_max} 位、两位小数的元",
    "date": "存在的日期 YYYYMMDD",
    "choice": "规定的取值",
}
