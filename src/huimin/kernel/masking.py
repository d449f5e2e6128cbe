"""Masking: how personal values look to whoever has no need to read them (SEC-04). The one place for it, pure.

in    a plain value as stored
out   the masked text for pages, notices, exports and logs

Always true: whatever comes in, a value that is not empty never comes out whole; a value too short to be what it is
said to be is hidden entirely, never shown because it did not fit; an empty value stays empty. Masking is for the eye:
it protects nobody whose name and village are both shown, so notices decide which columns they carry at all.

| value           | shown                               | example               |
| --------------- | ----------------------------------- | --------------------- |
| name            | surname, and the last of three      | 汪*梅 李* 欧阳** 阿***·*** |
| identity number | region, last four                   | 341599********1284    |
| account         | first four, last four               | 6299***********1284   |
| phone           | first three, last four              | 160****1284           |
| address         | down to the village, never a number | 金寨县梅山镇徐冲村****    |
"""

import re

HIDDEN = "****"
"""Stands for a value, or the rest of one, whose length would itself say too much."""

_COMPOUND = (
    "欧阳司马诸葛上官司徒东方独孤南宫夏侯皇甫尉迟公孙慕容令狐钟离宇文长孙司空鲜于闾丘申屠太史端木"
    "轩辕百里呼延东郭南门羊舌微生梁丘左丘西门第五濮阳淳于单于万俟闻人公冶赫连澹台"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND[at : at + 2] for at in range(0, len(_COMPOUND), 2))
_DOTS = "·•・‧．."
# A variation selector belongs to the character before it and is none of its own.
_VARIATION_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HIDDEN_AT_LEAST = 4
_LETTER = r"[^\W\d_]"
# Kept: letters up to the nearest place name there is, village before township before county.
_TO_VILLAGE = re.compile(rf"{_LETTER}*?(?:乡|镇|街道){_LETTER}+?(?:村|社区|街道|居委会)")
_TO_TOWNSHIP = re.compile(rf"{_LETTER}*?(?:乡|镇|街道)")
_TO_COUNTY = re.compile(rf"{_LETTER}*(?:县|区|市)")


def mask_name(name: str) -> str:
    """Surname kept (both characters of a compound one); of three characters and more the last is kept too.

    The last is hidden where surname and last would be the whole name, after a compound surname, and in names with a
    dot, whose last character would give away a father's name.
    """
    chars = _VARIATION_SELECTOR.sub("", name).strip()
    if any(dot in chars for dot in _DOTS):
        masked = chars[0] + _stars(chars[1:])
        return masked if masked != chars else "*" * len(chars)
    if len(chars) > 2 and chars[:2] in COMPOUND_SURNAMES:
        return chars[:2] + "*" * (len(chars) - 2)
    if len(chars) > 2:
        return chars[0] + "*" * (len(chars) - 2) + chars[-1]
    return chars[:1] + "*" if len(chars) == 2 else "*" * len(chars)


def mask_identity(number: str) -> str:
    """`341599********1284`; region and last four."""
    return _keep_ends(number, 6, 4)


def mask_account(account: str) -> str:
    """`6299***********1284`; first four and last four."""
    return _keep_ends(account, 4, 4)


def mask_phone(phone: str) -> str:
    """`160****1284`; first three and last four."""
    return _keep_ends(phone, 3, 4)


def mask_address(address: str) -> str:
    """Down to the village, the township or the county, whichever is the nearest it names; then `****`."""
    plain = "".join(address.split())
    if not plain:
        return ""
    for pattern in (_TO_VILLAGE, _TO_TOWNSHIP, _TO_COUNTY):
        kept = pattern.match(plain)
        if kept and kept.end() < len(plain):
            return kept.group() + HIDDEN
    return HIDDEN


def _stars(text: str) -> str:
    return "".join(char if char in _DOTS else "*" for char in text)


def _keep_ends(text: str, first: int, last: int) -> str:
    plain = "".join(text.split())
    hidden = len(plain) - first - last
    if hidden < _HIDDEN_AT_LEAST:
        return "*" * len(plain)
    return plain[:first] + "*" * hidden + plain[-last:]
