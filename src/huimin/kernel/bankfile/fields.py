"""One value of a file: how it is written, what it may hold. Checked by column, not by line.

A field's whole rule is one regular expression, mapped over a column of values without entering Python code for each
(100,000 rows in about a second). Amounts come in and go out as whole 分, whether the file writes 分 or 元 with two
decimals; a number with an exponent, a sign or a separator fits neither.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

Value = str | int | date | None
AMOUNT = "row_amount_fen"
KINDS = ("text", "int", "yuan", "date", "choice")
DATE_STYLES = {"YYYYMMDD": "%Y%m%d", "YYYY-MM-DD": "%Y-%m-%d"}

_MINUS = ("-", "\u2212", "\uff0d")
_NUMBER_LIKE = re.compile("[-+\u2212\uff0d]?[0-9.,\uff0c]{1,16}(?:[Ee][-+]?[0-9]{1,3})?")
# As long as a number of a person, a card or a telephone: columns may have moved.
_LONG = re.compile("[0-9]{11}")
_EXPECTED = {
    "text": "不超过 {} 个字、没有竖线和控制字符、符合规定样式的文本",
    "int": "不超过 {} 位的整数",
    "yuan": "不超过 {} 位、两位小数的元",
    "date": "日历上有的日期 {}",
    "choice": "格式说明列出的取值",
}


@dataclass(frozen=True)
class Field:
    """`kind` is one of KINDS; `width` its bytes in a line of fixed width; `style` how a date is written."""

    name: str
    title: str
    kind: str
    length_max: int
    rule: re.Pattern[str]
    width: int = 0
    style: str = "YYYYMMDD"

    @property
    def expected(self) -> str:
        return _EXPECTED[self.kind].format(self.style if self.kind == "date" else self.length_max)

    def fault(self, column: Sequence[str]) -> int | None:
        """Index of the first value that breaks the rule, or None."""
        if not all(map(self.rule.fullmatch, column)) or max(map(len, column), default=0) > self.length_max:
            return next(n for n, v in enumerate(column) if len(v) > self.length_max or not self.rule.fullmatch(v))
        if self.kind == "date":
            wrong = {text for text in set(column) if text and self._day(text) is None}
            return next((n for n, text in enumerate(column) if text in wrong), None)
        return None

    def found(self, text: str) -> str:
        """What stands in a field of numbers instead, in words; "" for other kinds, whose values may be personal."""
        if self.kind not in ("int", "yuan"):
            return ""
        if not text:
            return "这一栏是空的"
        if _LONG.search(text):
            return f"写的有 {len(text)} 位"
        if not _NUMBER_LIKE.fullmatch(text):
            return "写的不全是半角数字"
        exponent, below = "e" in text.lower(), text.startswith(_MINUS)
        return f"写的是“{text}”" + ("，是科学计数法" if exponent else "，是负数" if below else "")

    def read(self, column: Sequence[str]) -> list[Any]:
        """Typed values of a checked column; an empty number or date is None, an empty text stays empty."""
        if self.kind == "int":
            return [int(text) if text else None for text in column]
        if self.kind == "yuan":
            return [int(text.replace(".", "")) if text else None for text in column]
        if self.kind == "date":
            days = {text: self._day(text) for text in set(column)}
            return [days[text] for text in column]
        return list(column)

    def write(self, values: Iterable[Value]) -> list[str]:
        """Texts of values, not checked yet; None is empty."""
        if self.kind == "date":
            form = DATE_STYLES[self.style]
            return [value.strftime(form) if isinstance(value, date) else "" for value in values]
        if self.kind == "yuan":
            return [_yuan(value) for value in values]
        return ["" if value is None else str(value) for value in values]

    def _day(self, text: str) -> date | None:
        try:
            return datetime.strptime(text, DATE_STYLES[self.style]).date()  # noqa: DTZ007 - a bank's day, not a moment
        except ValueError:
            return None


def _yuan(value: Value) -> str:
    """分 as 元; what is no whole number above or at zero stays as it is and is refused by the rule."""
    return f"{value // 100}.{value % 100:02d}" if isinstance(value, int) and value >= 0 else str(value or "")


def rule_of(kind: str, told: dict[str, Any], forbidden: Sequence[Sequence[int]], blanks: Sequence[int]) -> str:
    """The regular expression of a required field of this kind."""
    if kind == "int":
        return "[1-9][0-9]*" if told.get("min", 0) >= 1 else "0|[1-9][0-9]*"
    if kind == "yuan":
        return ("(?!0\\.00)" if told.get("min", 0) >= 1 else "") + "(?:0|[1-9][0-9]*)\\.[0-9]{2}"
    if kind == "date":
        return "[0-9-]{10}" if told.get("style") == "YYYY-MM-DD" else "[0-9]{8}"
    if kind == "choice":
        return "|".join(re.escape(str(choice)) for choice in told["choices"])
    if "pattern" in told:
        return str(told["pattern"])
    banned = "".join(f"{_escape(low)}-{_escape(high)}" for low, high in forbidden)
    blank = "".join(_escape(code) for code in blanks)
    return f"(?![{blank}])[^{banned}]+(?<![{blank}])"


def _escape(code: int) -> str:
    return f"\\U{code:08x}"
