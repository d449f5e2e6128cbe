"""Facts a county added (事实): as good as those of the dictionary, there and beneath.

in    entries of a policy file that names no 项目: 名称, 编码, 对象, 类型, 单位, 选项, 材料, 敏感
out   `LocalFact`s; faults where a name or code means something already

Their columns come with the others in `Table.households` or `Table.members`, under their code.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from huimin.kernel.facts import Entity, Fact, Kind
from huimin.kernel.places import chain
from huimin.rules.faults import Fault, FaultFound, Source, nearest
from huimin.rules.fields import field_of, is_yes, text_of
from huimin.rules.tokens import WORD
from huimin.rules.units import PERIODS, UNIT_WORDS
from huimin.rules.values import type_of_unit
from huimin.rules.yaml_text import Entry

_T = TypeVar("_T")
FACT_FIELDS = ("名称", "编码", "对象", "类型", "单位", "选项", "材料", "敏感", "说明")
CHOICES_MAX = 100
_CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
_ENTITIES = {"户": Entity.HOUSEHOLD, "人": Entity.PERSON}
_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class LocalFact:
    """A fact that exists at `division` and beneath."""

    division: str
    fact: Fact
    at: Source


def read_fact(entry: Entry, division: str) -> LocalFact:
    """Raises FaultFound."""
    fields = entry.mapping("事实", FACT_FIELDS)
    name = field_of(entry, fields, "名称").words("名称")
    code = field_of(entry, fields, "编码").words("编码")
    if not re.fullmatch(WORD, name.text.strip()):
        raise FaultFound(
            name, 0, f"“{name.text.strip()}”不能作名称", "名称用汉字、字母和数字，不以数字开头，中间不空格"
        )
    if not _CODE.fullmatch(code.text.strip()):
        raise FaultFound(code, 0, f"“{code.text.strip()}”不能作编码", "编码用小写字母、数字和下划线，例如 tea_land_mu")
    kind = _one_of(field_of(entry, fields, "类型").words("类型"), _KINDS, "类型")
    unit, per = _unit(fields, kind)
    fact = Fact(
        name.text.strip(),
        code.text.strip(),
        _one_of(field_of(entry, fields, "对象").words("对象"), _ENTITIES, "对象"),
        kind,
        unit,
        per,
        _choices(entry, fields, kind),
        text_of(fields, "材料"),
        "敏感" in fields and is_yes(fields["敏感"]),
    )
    return LocalFact(division, fact, name)


def _one_of(source: Source, known: Mapping[str, _T], what: str) -> _T:
    word = source.text.strip()
    if word not in known:
        raise FaultFound(source, 0, f"{what}没有“{word}”", nearest(word, known) or f"可写的有：{'、'.join(known)}")
    return known[word]


def _unit(fields: Mapping[str, Entry], kind: Kind) -> tuple[str, str]:
    """The unit word and, for a flow, its period: 元/月."""
    numbers = {Kind.INT: "", Kind.MONEY: "元", Kind.AREA: "亩"}
    if "单位" not in fields:
        return numbers.get(kind, ""), ""
    words = fields["单位"].words("单位")
    if kind not in numbers:
        raise FaultFound(words, 0, f"{kind.value}没有单位", "请删去“单位”")
    type_of_unit(words)
    unit, _, per = words.text.strip().partition("/")
    fits = {Kind.MONEY: unit == "元", Kind.AREA: unit in ("亩", "平方米") and not per, Kind.INT: unit != "元"}[kind]
    if not fits or (per and per not in PERIODS) or unit not in UNIT_WORDS:
        example = {Kind.MONEY: "元、元/月、元/年", Kind.AREA: "亩、平方米", Kind.INT: "人、头、项"}[kind]
        raise FaultFound(words, 0, f"{kind.value}的单位不能是“{words.text.strip()}”", f"例如 {example}")
    return unit, per


def _choices(entry: Entry, fields: Mapping[str, Entry], kind: Kind) -> tuple[str, ...]:
    if kind is not Kind.CHOICE:
        if "选项" in fields:
            raise FaultFound(fields["选项"].at, 0, f"{kind.value}没有选项", "请删去“选项”，或改为 类型: 选项")
        return ()
    items = tuple(item.words("选项").text.strip() for item in field_of(entry, fields, "选项").sequence("选项"))
    if not 0 < len(items) <= CHOICES_MAX or len(set(items)) < len(items):
        raise FaultFound(fields["选项"].at, 0, "选项是空的、重复的，或太多", f"写 1 到 {CHOICES_MAX} 个不同的选项")
    return items


def visible(local: Iterable[LocalFact], places: Iterable[str]) -> tuple[Fact, ...]:
    """The facts these places have besides the dictionary's."""
    here = set(places)
    return tuple(each.fact for each in local if each.division in here)


def taken_names(local: Iterable[LocalFact], facts: Iterable[Fact]) -> list[Fault]:
    """A name or code that another fact has already, in the dictionary or at a place above or beneath."""
    faults, words = [], {word for fact in facts for word in (fact.name, fact.code)}
    earlier: list[LocalFact] = []
    for each in local:
        same = [e for e in earlier if {e.fact.name, e.fact.code} & {each.fact.name, each.fact.code}]
        related = any(e.division in chain(each.division) or each.division in chain(e.division) for e in same)
        if related or {each.fact.name, each.fact.code} & words:
            what = f"事实“{each.fact.name}”（{each.fact.code}）的名称或编码已经有了"
            faults.append(FaultFound(each.at, 0, what, "请换名称和编码，或直接用已有的事实").fault)
        earlier.append(each)
    return faults
