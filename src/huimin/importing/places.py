"""Which village or group a row means: by code, by name, or by the household's number (REG-03, ORG-01).

in    the place of the import and the divisions beneath it; the words of a row
out   a code of 12 or 15 digits; None when the row says nothing; a Fault when it says something that is not there

A name counts when exactly one village of the place bears it: 徐冲村, 徐冲村委会 and 徐冲 are one. A place that is itself
a village is meant by rows that say nothing. A household's number begins with its village.
"""

import re
from collections import defaultdict
from datetime import date

from huimin.divisions.models import Division
from huimin.divisions.queries import get_division, list_beneath
from huimin.importing.cells import Fault, division_code_of
from huimin.kernel.places import Level

_ENDINGS = re.compile(r"(?:村民委员会|村委会|居民委员会|居委会|社区居委会|社区|村|居)$")
_GROUP_ENDINGS = re.compile(r"(?:村民小组|村民组|小组|组)$")
_CHINESE = {word: str(at) for at, word in enumerate("一二三四五六七八九", 1)}


class Places:
    """Divisions beneath `place` on a day; made inside `reading(by)`."""

    def __init__(self, place: str, on: date) -> None:
        found = get_division(place, on)
        self.code, level = found.code, Level(found.level)
        self.prefix = place[: int(level)]
        self.only = found.code if level >= Level.VILLAGE else None
        towns = [] if level >= Level.TOWNSHIP else _beneath(found, level, Level.TOWNSHIP, on)
        villages = [found] if level == Level.VILLAGE else []
        if level < Level.VILLAGE:
            villages = _villages(found, level, towns, on)
        self.towns = {each.code[:9]: plain_village(each.name) for each in towns}
        self.names = {each.code: each.name for each in villages}
        self.codes = set(self.names)
        self.by_name: dict[str, list[str]] = defaultdict(list)
        for each in villages:
            self.by_name[plain_village(each.name)].append(each.code)
        self.on = on
        self._groups: dict[str, dict[str, str]] = {}
        self._found: dict[tuple[str | None, ...], str | Fault | None] = {}

    def find(
        self, division: str | None, township: str | None, village: str | None, group: str | None, number: str | None
    ) -> str | None:
        """The code a row means."""
        asked = (division, township, village, group, (number or "")[:12] if not (division or village) else None)
        if asked not in self._found:
            try:
                self._found[asked] = self._find(*asked)
            except Fault as fault:
                self._found[asked] = fault
        found = self._found[asked]
        if isinstance(found, Fault):
            raise found
        return found

    @staticmethod
    def said(words: tuple[str | None, ...]) -> str:
        return " ".join(word for word in words[:4] if word)

    def _find(
        self, division: str | None, township: str | None, village: str | None, group: str | None, number: str | None
    ) -> str | None:
        for words in (division, village):
            if words and (code := division_code_of(words)):
                return self._known(code)
        name = village or division
        if name:
            found = self._named(name, township)
        elif self.only:
            found = self.only
        else:
            found = number if number in self.codes else None
        return self._with_group(found, group) if found and len(found) == 12 and group else found

    def _known(self, code: str) -> str:
        if not code.startswith(self.prefix):
            raise Fault(f"{code} 不在这次导入的地方之内", remedy="请核对代码，或由当地导入")
        village = code[:12]
        if village not in self.codes or (len(code) == 15 and code not in self._groups_of(village).values()):
            raise Fault(f"没有村或村民组 {code}", remedy="请核对代码，或先登记这个区划")
        return code

    def _named(self, name: str, township: str | None) -> str:
        found = self.by_name.get(plain_village(name), [])
        if township and self.towns:
            wanted = plain_village(township)
            found = [code for code in found if self.towns.get(code[:9]) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise Fault(f"有 {len(found)} 个“{name[:20]}”", remedy="请加上乡镇一列，或填村的区划代码")
        raise Fault(f"没有“{name[:20]}”这个村", why="这次导入的地方里没有", remedy="请核对村名，或填村的区划代码")

    def _with_group(self, village: str, group: str) -> str:
        groups = self._groups_of(village)
        if not groups:
            return village  # groups of this village are not registered: the village is as near as one can say
        found = groups.get(plain_group(group))
        if found is None:
            raise Fault(f"{self.names[village]}没有“{group[:20]}”", remedy="请核对村民组，或留空")
        return found

    def _groups_of(self, village: str) -> dict[str, str]:
        if village not in self._groups:
            beneath = list_beneath(village, Level.VILLAGE, Level.GROUP, self.on)
            self._groups[village] = {plain_group(each.name): each.code for each in beneath}
        return self._groups[village]


def plain_village(name: str) -> str:
    """`徐冲村委会`, `徐冲村` → `徐冲`; `梅山镇` → `梅山`."""
    plain = _ENDINGS.sub("", "".join(name.split()))
    plain = re.sub(r"(?:村|社区|居)$", "", plain)
    return re.sub(r"(?:镇|乡|街道|街道办事处)$", "", plain) or name


def plain_group(name: str) -> str:
    """`第一村民组`, `1组`, `一组` → `1`."""
    plain = _GROUP_ENDINGS.sub("", "".join(name.split())).removeprefix("第")
    if plain.startswith("十"):
        plain = "1" + (_CHINESE.get(plain[1:], "0") if plain[1:] else "0")
    return _CHINESE.get(plain, plain.lstrip("0") or plain)


def _beneath(found: Division, level: Level, of: Level, on: date) -> list[Division]:
    return list_beneath(found.code, level, of, on)


def _villages(found: Division, level: Level, towns: list[Division], on: date) -> list[Division]:
    if level >= Level.COUNTY:
        return list_beneath(found.code, level, Level.VILLAGE, on)
    raise Fault("导入到乡镇、村或县", remedy="请选择县、乡镇或村，再导入")
