"""Division codes (统计用区划代码): levels, prefixes and ancestors, from the digits alone.

A code has 12 digits (province 2, city 4, county 6, township 9, village 12), or 15 for a 村民组. The level is never
guessed from trailing zeros: a real township may end in zeros (`341524000000`-like codes exist at two levels), so
whoever has a code also has its level. Source: 国家统计局 统计用区划代码和城乡划分代码编制规则.
"""

from enum import IntEnum

NATION = "000000000000"


class Level(IntEnum):
    """Administrative level; the value is the number of leading digits that name a place of this level."""

    NATION = 0
    PROVINCE = 2
    CITY = 4
    COUNTY = 6
    TOWNSHIP = 9
    VILLAGE = 12
    GROUP = 15

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Level.NATION: "国家",
    Level.PROVINCE: "省",
    Level.CITY: "市",
    Level.COUNTY: "县",
    Level.TOWNSHIP: "乡",
    Level.VILLAGE: "村",
    Level.GROUP: "组",
}


def scope_prefix(code: str, level: Level) -> str:
    """The digits shared by every place in the subtree of `code`; "" for the nation."""
    return code[: int(level)]


def chain(code: str) -> tuple[str, ...]:
    """Codes from the nation down to `code` itself, nearest last; every code a value for `code` may stand under."""
    cuts = [code[:digits].ljust(12, "0") for digits in (2, 4, 6, 9, 12) if digits <= len(code)]
    if len(code) > 12:
        cuts.append(code)
    return tuple(dict.fromkeys((NATION, *cuts)))


def common_place(one: str, other: str) -> str:
    """The nearest place both lie in: their village, township, county …"""
    return [code for code in chain(one) if code in chain(other)][-1]
