"""Heads of columns: which fact of the dictionary each names (REG-03).

in    the text over a column
out   a target (kinds.LABELS), "" for what is never imported (序号, 备注 …), None for what is not known

The name in the dictionary always counts, the words people use instead stand in importing.words. A head that states
another period or unit than the fact's (月工资 over 元/年) is not taken for it.
"""

import re
from functools import cache, lru_cache

from huimin.importing.kinds import FACT_OF, LABELS
from huimin.importing.words import HEAD_WORDS
from huimin.kernel.facts import Kind as FactKind

_BRACKETS = re.compile(r"[(（\[【〔][^()（）\[\]【】〔〕]*[)）\]】〕]")
"""One pair without another in it, so that a thousand opening ones cost no more than their length."""
_NUMBERING = re.compile(r"^(?:[0-9０-９]{1,2}[.、．]|[（(][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、)")
_NEVER = frozenset(
    ("序号", "编号", "备注", "说明", "原表", "原表行号", "错在哪里", "怎么改", "签名", "签字", "户主签字", "签字盖章", "年龄", "家庭人口", "人口", "人口数", "家庭人口数")
)  # fmt: skip
SEPARATOR = "／"
"""Between the lines of a head that has two."""


def plain_head(text: str) -> str:
    """Without spaces, line ends, brackets, numbering and marks."""
    plain = "".join(text.split()).strip("*＊★:：")
    return (
        _BRACKETS.sub("", _BRACKETS.sub("", _NUMBERING.sub("", plain)))
        .strip("*＊★:：")
        .translate(str.maketrans("帐", "账"))
    )


@cache
def _index() -> dict[str, str]:
    found = {plain_head(word): code for code, words in HEAD_WORDS.items() for word in words}
    return found | {plain_head(label): code for code, label in LABELS.items()}


@lru_cache(maxsize=10_000)
def recognise(head: str) -> str | None:
    """The target of a head, whichever of its lines names it."""
    lines = head.split(SEPARATOR)
    for text in (*reversed(lines), "".join(lines), "".join(reversed(lines))):
        plain = plain_head(text)
        if plain in _NEVER:
            return ""
        code = _index().get(plain)
        if code and not _other_unit(head, code):
            return code
    return None


def factor_of(head: str) -> int:
    """10,000 where the head says 万元."""
    return 10_000 if "万元" in head else 1


def _other_unit(head: str, code: str) -> bool:
    fact = FACT_OF.get(code)
    if fact is None:
        return False
    stated = "".join(_BRACKETS.findall("".join(head.split())))
    if (fact.per == "月" and "年" in stated) or (fact.per == "年" and "月" in stated):
        return True
    return (
        fact.kind is FactKind.AREA and fact.unit == "亩" and ("平方米" in stated or "㎡" in stated or "公顷" in stated)
    )
