"""Text files of rows (.csv, .txt): which encoding, which separator, then rows (REG-03).

in    bytes
out   one Sheet

UTF-8 (with or without BOM), UTF-16 with BOM, GBK and GB18030 are read exactly; what is none of them is refused, never
guessed. A UTF-8 file that ends inside a character, or text that ends inside quotes, was cut and is refused. `="0123"`,
the trick that keeps a spreadsheet from eating zeros, is the text 0123; any other formula has no value.
"""

import csv
import io
import re
from collections.abc import Iterator

from huimin.importing.reading.sheets import NO_VALUE, Gathering, Limits, Sheet, Unreadable, fit

_SEPARATORS = (",", "\t", ";", "，", "|")
_AS_TEXT = re.compile(r'="([^"]*)"')
_SAMPLE_LINES = 20


def decode(content: bytes, name: str) -> tuple[str, str]:
    """(text, encoding). Unreadable when the bytes are in none of the encodings."""
    if content.startswith(b"\xef\xbb\xbf"):
        return _strict(content[3:], "utf-8", name), "utf-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strict(content, "utf-16", name), "utf-16"
    if b"\0" in content:
        raise Unreadable(
            "不是表格文件", where=name, why="里面是二进制内容", remedy="请从 Excel 或 WPS 另存为 .xlsx 后再选"
        )
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as wrong:
        if wrong.end >= len(content) and wrong.reason == "unexpected end of data" and wrong.start > len(content) - 4:
            early = content[: wrong.start].decode("utf-8")
            if not early.isascii():
                raise _cut(name) from wrong
    return _strict(content, "gb18030", name), "gb18030"


def _strict(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as wrong:
        if wrong.start > len(content) - 5:
            raise _cut(name) from wrong
        raise Unreadable(
            "认不出文字编码",
            where=name,
            why="不是 UTF-8、GBK 或 GB18030",
            remedy="请从 Excel 或 WPS 另存为 .xlsx，或另存为“CSV UTF-8”后再选",
        ) from wrong


def _cut(name: str) -> Unreadable:
    return Unreadable("文件不完整", where=name, why="结尾被截断了", remedy="请重新复制或重新导出整个文件")


def read_text(content: bytes, name: str, limits: Limits) -> list[Sheet]:
    """The one sheet of a text file."""
    text, _ = decode(content, name)
    del content
    gathering = Gathering("表", limits)
    try:
        for number, row in _rows(text, _separator(text), limits):
            gathering.add(number, _cells(row, f"{name}第 {number} 行", limits))
    except csv.Error as wrong:
        why = "引号没有成对" if "end of data" in str(wrong) else "有一格内容异常长，或引号没有成对"
        raise Unreadable(
            "文件不完整", where=name, why=why, remedy="请重新导出整个文件，或另存为 .xlsx 后再选"
        ) from wrong
    return [gathering.done()]


def _separator(text: str) -> str:
    """What splits the first lines most often, and equally often."""
    lines = [line for line in text[:20_000].splitlines()[:_SAMPLE_LINES] if line.strip()]
    counts = {each: [line.count(each) for line in lines] for each in _SEPARATORS}
    return max(_SEPARATORS, key=lambda each: (sum(1 for count in counts[each] if count), sum(counts[each])))


def _rows(text: str, separator: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(max(limits.cell_characters * 4, 10_000))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    for row in reader:
        yield number + 1, row
        number = reader.line_num


def _cells(row: list[str], where: str, limits: Limits) -> dict[int, str]:
    if len(row) > limits.columns and not any(each.strip() for each in row[limits.columns :]):
        row = row[: limits.columns]
    cells = {}
    for at, text in enumerate(row):
        if text:
            cells[at] = _value(fit(text, limits, where))
    return cells


def _value(text: str) -> str:
    if not text.startswith("="):
        return text
    quoted = _AS_TEXT.fullmatch(text)
    return quoted[1] if quoted else NO_VALUE
