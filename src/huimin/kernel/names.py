"""What may stand in a person's name: letters of any script, rare ones too, and nothing that will not come out on paper (REG-03, issue 4).

Every place that takes a name asks here: forms, changes, imports. Pure.
"""

import unicodedata
from typing import NamedTuple


class Unfit(NamedTuple):
    """Why a character cannot stand in a name, and what to do."""

    what: str
    why: str
    remedy: str


def unfit_in(name: str) -> Unfit | None:
    """The first character that cannot stand in a name; letters, marks, dots between names and variation selectors can."""
    return next((found for char in name if (found := _unfit(char))), None)


def _is_newer_han(char: str) -> bool:
    """A character of the planes that hold nothing but Han, of which each edition of Unicode and GB 18030 fills in more
    than this Python has names for: 𮯰 came with Unicode 15.1, for people whose papers had it already."""
    return 0x20000 <= ord(char) < 0x3FFFE and ord(char) & 0xFFFE != 0xFFFE


def _unfit(char: str) -> Unfit | None:
    category = unicodedata.category(char)
    if category[0] in "LM" or char in " ·•・‧．.-'’〇" or _is_newer_han(char):
        return None
    if category == "Co":
        return Unfit("姓名中有自造字", "别的电脑上看不到这个字", "请改用国家标准（GB 18030）里的字")
    if char in "?？\ufffd□■":
        return Unfit("姓名中有丢失的字", f"原来的字变成了“{char}”", "请对照户口簿重新填写这个字")
    shown = char if char.isprintable() else "不可见字符"
    return Unfit(f"姓名中有不该出现的“{shown}”", "表情和符号印不到清册上", "请对照户口簿改正")
