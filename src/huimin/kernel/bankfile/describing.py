"""A description of a bank's files (`policy/banks/*.yaml`) into a `Format`, or everything that is wrong with it.

in    the path of a description
out   `Format`; BadDescription with each fault's line, what was found and what would be right

The words a description may use for fields are a fixed vocabulary (VALUES): payment and funds know them by these names,
whatever the bank calls them. Every file of lines ends with totals, because a file without them can be cut unnoticed.
Layouts: `separated` (marks and a separator), `fixed` (fields of a fixed number of bytes), `table` (a line of titles,
as a csv has), `iso20022` (messages; only names, limits and codes are described).
"""

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from huimin.kernel.bankfile.fields import DATE_STYLES, KINDS, Field, rule_of
from huimin.kernel.bankfile.told import BadDescription, Faults, Told, nearest, read_told
from huimin.kernel.errors import BadInput

__all__ = ["BadDescription", "FileKind", "Format", "Record", "read_format", "read_formats"]

LAYOUTS = ("separated", "fixed", "table", "iso20022")
ENCODINGS = ("gbk", "gb18030", "utf-8")
STATES = ("S", "F", "U")
"""Paid, failed, pending: what a bank's own words for a row's outcome come down to."""
_TOTALS = {"rows_count": "总笔数", "amount_fen": "总金额", "sha256": "正文校验码"}
_SUMS = {
    f"{state}_{what}": title + words
    for state, title in (("paid", "成功"), ("failed", "失败"), ("pending", "处理中"))
    for what, words in (("count", "笔数"), ("fen", "金额"))
}
VALUES: dict[str, str] = {
    **_TOTALS, **_SUMS, "batch_no": "批次号", "transfer_no": "划款编号", "check_no": "核验编号", "answer_no": "回盘序号",
    "refusal_no": "拒收序号", "programme_code": "项目编码", "programme_short": "项目简称", "business_date": "业务日期",
    "payer_account": "付款账号", "payer_name": "付款户名", "format_version": "格式版本", "sequence": "序号", "account": "账号",
    "name": "户名", "id_type": "证件类型", "id_number": "证件号码", "row_amount_fen": "金额", "memo": "摘要", "period": "期间",
    "row_id": "行标识", "purpose": "用途", "order_sha256": "原文件校验码", "row_state": "状态", "failure_code": "失败码",
    "failure_reason": "失败原因", "booked_on": "入账日期", "bank_serial": "银行流水号", "refusal_code": "拒收码",
    "refusal_reason": "拒收原因", "refusal_detail": "具体说明", "line_no": "出错行号",
}  # fmt: skip
_NEEDS: dict[str, tuple[set[str], str]] = {
    "payment": (
        {"account", "name", "row_amount_fen", "memo"},
        "代发明细至少有账号、户名、金额、摘要（摘要印在存折上）",
    ),
    "payment_answer": ({"row_amount_fen", "row_state"}, "回盘明细至少有金额和状态"),
    "check": ({"account", "name"}, "核验明细至少有账号和户名"),
    "check_answer": ({"row_state"}, "核验回盘明细至少有状态"),
}
_REFERENCES = {"row_id", "sequence"}
KINDS_OF_FILE = (
    "transfer", "payment", "transfer_answer", "payment_answer", "transfer_refusal", "payment_refusal", "check",
    "check_answer", "check_refusal", "statement",
)  # fmt: skip
_TOP = {
    "format", "version", "title", "layout", "encoding", "line_ending", "separator", "digest", "limits", "forbidden_ranges",
    "trimmed_characters", "types", "fields", "files", "rules", "failure_codes", "refusal_codes", "states",
}  # fmt: skip
_NEEDED = ("format", "version", "title", "limits", "files", "failure_codes")


@dataclass(frozen=True)
class Record:
    """One kind of line: its mark ("" where lines carry none) and fields in order."""

    mark: str
    fields: tuple[Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


NO_RECORD = Record("", ())


@dataclass(frozen=True)
class FileKind:
    """One kind of file; refusals have no rows, a table has no header, messages have neither."""

    key: str
    title: str
    name: str
    name_pattern: re.Pattern[str]
    number: str
    header: Record | None
    row: Record | None
    trailer: Record


@dataclass(frozen=True)
class Format:
    """The whole description. `failure_codes` and `refusal_codes` give the bank's reasons in Chinese."""

    key: str
    version: str
    title: str
    layout: str
    encoding: str
    line_ending: str
    separator: str
    bytes_max: int
    rows_max: int
    row_amount_fen_max: int
    files: Mapping[str, FileKind]
    failure_codes: Mapping[str, str]
    refusal_codes: Mapping[str, str]
    states: Mapping[str, str]

    def kind_of(self, file_name: str, *kinds: str) -> FileKind | None:
        """The first of these kinds (any, when none is named) that files of this name are of."""
        for key in kinds or tuple(self.files):
            if key in self.files and self.files[key].name_pattern.fullmatch(file_name):
                return self.files[key]
        return None


def read_format(path: Path) -> Format:
    """The description at `path`; read again when the file changed."""
    return _read_format(path, path.stat().st_mtime_ns)


def read_formats(folder: Path) -> dict[str, Format]:
    """Every description of a folder by its `format`; BadDescription for the first that is wrong."""
    found: dict[str, Format] = {}
    for path in sorted(folder.glob("*.yaml")):
        form = read_format(path)
        if form.key in found:
            raise BadInput(f"两份说明都叫 {form.key}", where=path.name, remedy="请改一份的 format")
        found[form.key] = form
    return found


@lru_cache(maxsize=32)
def _read_format(path: Path, _changed_ns: int) -> Format:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadDescription(path.name, ["文件不是 UTF-8 编码（请另存为 UTF-8）"]) from None
    return _Reader(read_told(text, path.name), path.name).read()


class _Reader:
    """Reads one description; gathers faults and raises them together."""

    def __init__(self, told: Told, name: str) -> None:
        self.told, self.faults = told, Faults(name)

    def read(self) -> Format:
        told = self.told
        self._only(told, _TOP, "说明")
        for key in _NEEDED:
            if key not in told.fields:
                self.faults.add(told.line, f"缺“{key}”这一项")
        layout = self._choice(told, "layout", LAYOUTS, "separated")
        self.layout = layout
        self.faults.close()
        lines = layout != "iso20022"
        encoding = self._choice(told, "encoding", ENCODINGS, "utf-8") if lines else "utf-8"
        limits = told.fields["limits"]
        form = Format(
            key=str(told.fields["format"].value), version=str(told.fields["version"].value),
            title=str(told.fields["title"].value), layout=layout, encoding=encoding,
            line_ending=self._choice(told, "line_ending", ("\r\n", "\n"), "\n"), separator=self._separator(),
            bytes_max=self._number(limits, "file_bytes_max"), rows_max=self._number(limits, "rows_max"),
            row_amount_fen_max=self._number(limits, "row_amount_fen_max"),
            files=self._files(self._fields() if lines else {}, lines), failure_codes=self._codes("failure_codes"),
            refusal_codes=self._codes("refusal_codes"), states=self._states(),
        )  # fmt: skip
        self.faults.close()
        codecs.lookup(form.encoding)
        return form

    def _only(self, told: Told, known: Iterable[str], what: str) -> None:
        for key, each in told.fields.items():
            if key not in known:
                self.faults.add(each.line, f"{what}里没有“{key}”这一项", nearest(key, known))

    def _choice(self, told: Told, key: str, known: tuple[str, ...], default: str) -> str:
        each = told.get(key)
        if each is None:
            return default
        if each.value not in known:
            shown = [repr(one)[1:-1] for one in known]
            self.faults.add(each.line, f"“{key}”写的是 {each.value!r}", f"可写的有：{'、'.join(shown)}")
            return default
        return str(each.value)

    def _separator(self) -> str:
        each = self.told.get("separator")
        wanted = self.layout in ("separated", "table")
        value = str(each.value) if each else ""
        if wanted and (len(value) != 1 or not value.isascii() or value.isalnum()):
            line = each.line if each else self.told.line
            self.faults.add(line, "separator 应是一个 ASCII 标点，如 “|” 或 “,”")
        if not wanted and each is not None:
            self.faults.add(each.line, f"{self.layout} 版式没有分隔符", "删掉 separator")
        return value

    def _number(self, told: Told, key: str) -> int:
        each = told.get(key)
        if each is None or not isinstance(each.value, int) or isinstance(each.value, bool) or each.value <= 0:
            self.faults.add(each.line if each else told.line, f"limits 的 {key} 应是大于 0 的整数")
            return 1
        return each.value

    def _codes(self, key: str) -> dict[str, str]:
        each = self.told.get(key)
        return {str(code): str(words.value) for code, words in each.fields.items()} if each else {}

    def _states(self) -> dict[str, str]:
        each = self.told.get("states")
        if each is None:
            return {state: state for state in STATES}
        for code, meaning in each.fields.items():
            if meaning.value not in STATES:
                self.faults.add(meaning.line, f"states 的“{code}”写的是“{meaning.value}”", "S 成功、F 失败、U 处理中")
        return {code: str(meaning.value) for code, meaning in each.fields.items()}

    def _fields(self) -> dict[str, Field]:
        told = self.told.get("fields")
        if told is None:
            self.faults.add(self.told.line, "缺“fields”这一项", "每个字段写 title、type、max_length、required")
            return {}
        return {name: field for name, spec in told.fields.items() if (field := self._field(name, spec))}

    def _field(self, name: str, spec: Told) -> Field | None:
        before = len(self.faults.found)
        if name not in VALUES:
            self.faults.add(spec.line, f"没有“{name}”这种字段", nearest(name, VALUES))
        known = ("title", "type", "max_length", "required", "min", "pattern", "choices", "width", "style")
        self._only(spec, known, f"字段 {name} ")
        if missing := [key for key in known[:4] if key not in spec.fields]:
            self.faults.add(spec.line, f"字段 {name} 缺 {'、'.join(missing)}")
        kind = str(spec.fields["type"].value) if "type" in spec.fields else ""
        if kind and kind not in KINDS:
            self.faults.add(
                spec.fields["type"].line, f"字段 {name} 的 type 写的是“{kind}”", f"可写的有：{'、'.join(KINDS)}"
            )
        if kind == "choice" and not (spec.get("choices") and spec.fields["choices"].fields):
            self.faults.add(spec.line, f"字段 {name} 没有列出 choices")
        if (style := spec.get("style")) is not None and style.value not in DATE_STYLES:
            self.faults.add(
                style.line, f"字段 {name} 的 style 写的是“{style.value}”", f"可写的有：{'、'.join(DATE_STYLES)}"
            )
        width = spec.get("width")
        if self.layout == "fixed" and (width is None or not isinstance(width.value, int) or width.value <= 0):
            self.faults.add(spec.line, f"字段 {name} 没有 width", "定长文件的每个字段都要写占几个字节")
        if len(self.faults.found) > before:
            return None
        return self._made(name, kind, spec)

    def _made(self, name: str, kind: str, spec: Told) -> Field | None:
        value: dict[str, Any] = spec.value
        forbidden = self.told.get("forbidden_ranges")
        blanks = self.told.get("trimmed_characters")
        rule = rule_of(
            kind, value, [*(forbidden.value if forbidden else [[0, 31], [127, 159]]), *self._separators()],
            blanks.value if blanks else [0x20, 0xA0, 0x3000],
        )  # fmt: skip
        try:
            compiled = re.compile(rule if value["required"] else f"(?:{rule})?", re.DOTALL)
        except re.error:
            self.faults.add(spec.line, f"字段 {name} 的 pattern 不是正则表达式")
            return None
        return Field(
            name, value["title"], kind, value["max_length"], compiled, value.get("width", 0),
            value.get("style", "YYYYMMDD"),
        )  # fmt: skip

    def _separators(self) -> list[tuple[int, int]]:
        """No field may hold the separator; a table's fields no quotes either, which are never needed then."""
        told = self.told.get("separator")
        banned = str(told.value) if told is not None else ""
        banned += '"' if self.layout == "table" else ""
        return [(ord(each), ord(each)) for each in banned]

    def _files(self, fields: dict[str, Field], lines: bool) -> dict[str, FileKind]:
        found = {}
        for key, spec in self.told.fields["files"].fields.items():
            if key not in KINDS_OF_FILE:
                self.faults.add(spec.line, f"没有“{key}”这类文件", nearest(key, KINDS_OF_FILE))
                continue
            known = ("title", "direction", "name", "name_pattern", "number", "header", "row", "trailer")
            self._only(spec, known, f"文件 {key} ")
            needed = ("title", "name", "name_pattern", "number", *(("trailer",) if lines else ()))
            if missing := [each for each in needed if each not in spec.fields]:
                self.faults.add(spec.line, f"文件 {key} 缺 {'、'.join(missing)}", "没有汇总行的文件断了也看不出来")
                continue
            found[key] = self._file(key, spec, fields, lines)
        for needed_kind in ("payment", "payment_answer"):
            if needed_kind not in self.told.fields["files"].fields:
                self.faults.add(self.told.fields["files"].line, f"files 里缺 {needed_kind}")
        return found

    def _file(self, key: str, spec: Told, fields: dict[str, Field], lines: bool) -> FileKind:
        row = self._record(key, "row", spec, fields) if lines else None
        if lines and key in _NEEDS and row is not None:
            needed, words = _NEEDS[key]
            if missing := needed - set(row.names):
                self.faults.add(spec.line, f"文件 {key} 的明细缺 {'、'.join(sorted(missing))}", words)
            if key != "payment" and not _REFERENCES & set(row.names):
                self.faults.add(spec.line, f"文件 {key} 的明细对不回原来的行", "至少有 row_id、sequence 之一")
        return FileKind(
            key=key, title=str(spec.fields["title"].value), name=str(spec.fields["name"].value),
            name_pattern=self._pattern(key, spec.fields["name_pattern"]), number=str(spec.fields["number"].value),
            header=self._record(key, "header", spec, fields) if lines else None, row=row,
            trailer=(self._record(key, "trailer", spec, fields) or NO_RECORD) if lines else NO_RECORD,
        )  # fmt: skip

    def _pattern(self, key: str, told: Told) -> re.Pattern[str]:
        try:
            made = re.compile(str(told.value))
        except re.error:
            self.faults.add(told.line, f"文件 {key} 的 name_pattern 不是正则表达式")
            return re.compile("(?P<number>)")
        if "number" not in made.groupindex:
            self.faults.add(told.line, f"文件 {key} 的 name_pattern 里没有 (?P<number>…)", "编号要能从文件名认出")
        return made

    def _record(self, key: str, part: str, spec: Told, fields: dict[str, Field]) -> Record | None:
        told = spec.get(part)
        if told is None:
            return None
        if self.layout == "table" and part == "header":
            self.faults.add(told.line, f"文件 {key}：table 版式没有表头记录", "编号写在文件名里，第一行是栏目名")
        self._only(told, ("mark", "fields"), f"文件 {key} 的 {part} ")
        names = [str(each.value) for each in told.fields["fields"]] if "fields" in told.fields else []
        if not names:
            self.faults.add(told.line, f"文件 {key} 的 {part} 没有 fields")
        for name in names:
            if name not in self.told.fields.get("fields", told).fields:
                self.faults.add(
                    told.line, f"文件 {key} 的 {part} 用了没有说明的字段“{name}”", nearest(name, self._described())
                )
        mark = told.get("mark")
        if self.layout == "separated" and (mark is None or not str(mark.value)):
            self.faults.add(told.line, f"文件 {key} 的 {part} 没有行首标志 mark")
        return Record(str(mark.value) if mark else "", tuple(fields[name] for name in names if name in fields))

    def _described(self) -> list[str]:
        told = self.told.get("fields")
        return list(told.fields) if told else []
