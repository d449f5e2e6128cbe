"""Where in a sheet the table is: titles above it, heads of one line or two, what is not a row of data (REG-03).

in    a Sheet
out   a Laid: one label a column, the rows of data, and every row that was left out, with the reason

Guarantees: a row with a key (identity number, household number, account) is never left out, but for one right below the
heads that counts the columns; nothing is left out silently. Steps: the best-recognised head among the first rows; merged heads spread over what they cover; below it blank
rows, repeated heads and titles, sums, notes, numbers of columns and units are left out; merged cells in the columns of
the household (one number over five members) are filled down.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from huimin.importing.heads import SEPARATOR, plain_head, recognise
from huimin.importing.reading.sheets import Merge, Sheet

HEAD_SEARCHED_ROWS = 30
_KEYS = frozenset(("household_no", "head_id", "id_number", "holder_id", "account"))
_FILLED = frozenset(
    ("household_no", "head_name", "head_id", "division", "township", "village", "group", "address", "phone")
)
_SUM = re.compile(r"^[（(]?(?:本[页村组户乡镇]*)?(?:小|合|总|累|共)\s*计[)）]?.*$|.+(?:小计|合计)$")
_NOTE = re.compile(
    r"^(?:注|备注|说明|填表|填报|制表|审核|复核|负责人|单位|经办|联系|日期|填写|统计|村委会|乡镇|盖章|此表|以上)"
)
_UNITS = frozenset(
    ("元", "亩", "万元", "个", "人", "头", "辆", "套", "台", "岁", "平方米", "元/年", "元/月", "是/否", "-")
)
_WORDS = {
    "blank": "空行",
    "head": "重复的表头",
    "title": "标题",
    "sum": "小计、合计",
    "note": "说明或签名",
    "units": "栏号或单位",
}


@dataclass(frozen=True)
class LeftOut:
    """A row that is not data: where, why, and how it begins."""

    sheet: str
    row: int
    why: str
    text: str


@dataclass
class Laid:
    """`labels[c]` heads `columns[c]`; `numbers[r]` is the row in the file."""

    sheet: str
    labels: list[str]
    columns: list[pa.ChunkedArray]
    numbers: list[int]
    head_row: int
    left_out: list[LeftOut] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()

    @property
    def rows(self) -> int:
        return len(self.numbers)

    def found(self) -> set[str]:
        """Targets its heads name."""
        return {code for label in self.labels if (code := recognise(label))}


def lay_out(sheet: Sheet, known: frozenset[str] = frozenset()) -> Laid | None:
    """The table of a sheet; None when there is none. `known` are labels that meant something before."""
    top = sheet.top(HEAD_SEARCHED_ROWS + 1)
    at, labels = _head(replace(sheet, merges=_at_the_top(sheet)), top, known)
    if at < 0:
        return None
    columns = [column.slice(at + 1) for column in sheet.columns]
    numbers = sheet.numbers[at + 1 :]
    columns = _filled(columns, labels, numbers, sheet.merges)
    titles = {"".join(each.split()) for row in top[: at + 1] for each in row if each.strip()}
    why = _reasons(columns, labels, titles)
    left_out = [
        LeftOut(sheet.name, numbers[row], _WORDS[why[row]], _begins(columns, row))
        for row in np.flatnonzero(why != "").tolist()
        if why[row] != "blank"
    ]
    kept = pa.array(why == "")
    rows = np.asarray(numbers)[why == ""].tolist()
    hidden = sheet.hidden_rows & frozenset(rows)
    return Laid(
        sheet.name, labels, [column.filter(kept) for column in columns], rows, sheet.numbers[at], left_out, hidden
    )


def _at_the_top(sheet: Sheet) -> list[Merge]:
    """Merged cells that reach into the rows searched for heads and lie over none before them: what a damaged or hostile
    file merges a thousand times over the same cells counts once."""
    rows = np.asarray(sheet.numbers[: HEAD_SEARCHED_ROWS + 1])
    covered = np.zeros((len(rows), len(sheet.columns)), bool)
    found = []
    for each in sheet.merges:
        if each.top <= rows[-1] and each.bottom >= rows[0] and each.left < len(sheet.columns):
            under = covered[slice(*np.searchsorted(rows, (each.top, each.bottom + 1))), each.left : each.right + 1]
            if under.size and not under.any():
                under[...] = True
                found.append(each)
    return found


def _head(sheet: Sheet, top: list[list[str]], known: frozenset[str]) -> tuple[int, list[str]]:
    """(position of the last head row, labels); the fullest early row where none is recognised; -1 for none."""
    best, found = 0.0, (-1, [])
    for at in range(min(len(top), HEAD_SEARCHED_ROWS)):
        one = _labels(sheet, top, at, at)
        score = _score(one, known)
        if score > best:
            best, found = score, (at, one)
        if at + 1 < len(top) and _may_be_second(top[at + 1]):
            two = _labels(sheet, top, at, at + 1)
            if _groups(sheet, top, at) and (score := _score(two, known) + 0.5 * _spreads(sheet, at)) > best:
                best, found = score, (at + 1, two)
    if best >= 2:
        return found
    width = max((sum(1 for each in row if each.strip()) for row in top), default=0)
    for at, row in enumerate(top):
        if width >= 2 and sum(1 for each in row if each.strip()) >= max(2, 0.6 * width):
            return at, _labels(sheet, top, at, at)
    return -1, []


def _score(labels: list[str], known: frozenset[str]) -> float:
    own = {
        label for label in labels if label in known or any(plain_head(each) in known for each in label.split(SEPARATOR))
    }
    return float(len({code for label in labels if (code := recognise(label))} | own))


def _groups(sheet: Sheet, top: list[list[str]], at: int) -> bool:
    """Whether a line names several things; a title above the heads names one."""
    return len({text for text in _spread(sheet, top[at], sheet.numbers[at]) if text.strip()}) > 1


def _spreads(sheet: Sheet, at: int) -> bool:
    """Whether a merged cell of the line lies over several columns."""
    row = sheet.numbers[at]
    return any(each.top <= row <= each.bottom and each.right > each.left for each in sheet.merges)


def _may_be_second(row: list[str]) -> bool:
    """A second line of heads holds words, not data."""
    texts = [each for each in row if each.strip()]
    return bool(texts) and not any(re.search(r"\d{6,}", each) for each in texts)


def _labels(sheet: Sheet, top: list[list[str]], first: int, last: int) -> list[str]:
    """One label a column; the lines of a head of two stand together, equal or merged ones once."""
    lines = [_spread(sheet, top[at], sheet.numbers[at]) for at in range(first, last + 1)]
    labels: list[str] = []
    for texts in zip(*lines, strict=True):
        parts = dict.fromkeys("".join(text.split()) for text in texts if text.strip())
        labels.append(SEPARATOR.join(parts))
    return labels


def _spread(sheet: Sheet, row: list[str], number: int) -> list[str]:
    """The row with merged cells written into every column they cover."""
    spread = list(row)
    for each in sheet.merges:
        if each.top <= number <= each.bottom and each.left < len(spread):
            text = _text_at(sheet, each.top, each.left)
            for column in range(each.left, min(each.right, len(spread) - 1) + 1):
                spread[column] = spread[column] or text
    return spread


def _text_at(sheet: Sheet, number: int, column: int) -> str:
    for at, each in enumerate(sheet.numbers[: HEAD_SEARCHED_ROWS + 1]):
        if each == number and column < len(sheet.columns):
            return sheet.columns[column][at].as_py() or ""
    return ""


def _filled(
    columns: list[pa.ChunkedArray], labels: list[str], numbers: list[int], merges: list[Merge]
) -> list[pa.ChunkedArray]:
    """Cells merged downwards in the columns of the household hold the same in each row."""
    row_of = {number: at for at, number in enumerate(numbers)}
    wanted: dict[int, list[Merge]] = {}
    for each in sorted(merges, key=lambda each: each.top):
        if each.left == each.right and each.bottom > each.top and each.top in row_of and each.left < len(columns):
            below = wanted.setdefault(each.left, [])
            if not below or each.top > below[-1].bottom:  # one over another is no merge of a spreadsheet's
                below.append(each)
    for column, found in wanted.items():
        if recognise(labels[column]) not in _FILLED:
            continue
        texts = columns[column].to_pylist()
        for each in found:
            for at in range(row_of[each.top] + 1, bisect_right(numbers, each.bottom)):
                if texts[at] is None:
                    texts[at] = texts[row_of[each.top]]
        columns = [*columns[:column], pa.chunked_array([texts], pa.string()), *columns[column + 1 :]]
    return columns


def _reasons(columns: list[pa.ChunkedArray], labels: list[str], titles: set[str]) -> NDArray[np.str_]:
    """For every row "" when it is data, else a key of _WORDS."""
    rows = len(columns[0]) if columns else 0
    filled = np.zeros(rows, np.int64)
    keyed = np.zeros(rows, bool)
    for column, label in zip(columns, labels, strict=True):
        there = _there(column)
        filled += there
        if recognise(label) in _KEYS:
            keyed |= there & _has_digits(column)
    why = np.full(rows, "", "U8")
    why[filled == 0] = "blank"
    keyed[:1] &= not _begins_with_numbers(columns)
    for row in np.flatnonzero((filled > 0) & ~keyed).tolist():
        texts = [(at, text) for at, column in enumerate(columns) if (text := (column[row].as_py() or "").strip())]
        why[row] = _reason(texts, labels, titles, len(columns)) if texts else "blank"
    return why


def _reason(texts: list[tuple[int, str]], labels: list[str], titles: set[str], width: int) -> str:
    plain = ["".join(text.split()) for _, text in texts]
    if any(_SUM.match(text) for text in plain[:3]):
        return "sum"
    repeated = sum(1 for (at, _), text in zip(texts, plain, strict=True) if text in labels[at].split(SEPARATOR))
    if repeated * 2 >= len(texts) or (len(texts) > 1 and sum(map(_names_column, plain)) * 2 > len(texts)):
        return "head"
    if plain[0] in titles and len(texts) <= 2:
        return "title"
    if all(text in _UNITS for text in plain) or (len(plain) > 2 and _are_numbers_of_columns(plain)):
        return "units"
    return "note" if _NOTE.match(plain[0]) and len(texts) <= max(3, width // 3) else ""


def _begins_with_numbers(columns: list[pa.ChunkedArray]) -> bool:
    """Whether the first row numbers the columns: it has digits where keys stand, and is no data all the same."""
    texts = ["".join((column[0].as_py() or "").split()) for column in columns if len(column)]
    plain = [text for text in texts if text]
    return len(plain) > 2 and plain[0].strip("()（）甲") in ("", "1") and _are_numbers_of_columns(plain)


def _names_column(text: str) -> bool:
    return bool(recognise(text)) and plain_head(text) != ""


def _are_numbers_of_columns(plain: list[str]) -> bool:
    """`1 2 3 4 …` or `(1) (2) …` under the heads, or letters 甲 乙."""
    numbers = [text.strip("()（）") for text in plain if not re.fullmatch("[甲乙丙丁]", text)]
    return (
        all(each.isdigit() for each in numbers)
        and [int(each) for each in numbers] == list(range(int(numbers[0]), int(numbers[0]) + len(numbers)))
        if numbers
        else True
    )


def _there(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    full = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), False)
    return np.asarray(full.to_numpy())


def _has_digits(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Digits, and no words before them: `共 12 户` is no key."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(column, r"^\P{Han}*[0-9０-９]"), False).to_numpy())


def _begins(columns: list[pa.ChunkedArray], row: int) -> str:
    texts = [text for column in columns if (text := (column[row].as_py() or "").strip())]
    return " ".join(texts)[:40]
