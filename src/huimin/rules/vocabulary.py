"""The words an expression may use: facts, derived words, parameters, named values, functions.

in    the fact dictionary, a programme's parameters and named values
out   `Vocabulary`, which the checker asks; the type of each fact

Always true: a word has one meaning; a parameter or named value may not take the name of a fact, a unit or a function.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from huimin.kernel.facts import Entity, Fact
from huimin.kernel.facts import Kind as FactKind
from huimin.rules.faults import FaultFound, Source
from huimin.rules.typed import DATE, FLAG, Level, Op, Sort, Type
from huimin.rules.units import UNIT_WORDS, Unit, unit_of_words

MEMBERS = "成员"
WORKPLACE = "务工地区划"
"""The fact 就业地(…) looks a parameter up by."""
DEPARTURES = frozenset({"death_date", "moved_out_date"})
"""None in these two means "has not happened": the register records deaths and departures, nobody is asked for them.

Were it unknown, every household would be unknown, since nobody living can hand in the paper.
"""

PERSON_COUNT = Unit(count="人")
DERIVED: dict[str, tuple[Op, Type, Level]] = {
    "认定日期": (Op.TODAY, DATE, Level.CONST),
    "人口": (Op.HEADS, Type(Sort.NUMBER, PERSON_COUNT), Level.HOUSEHOLD),
    "在户": (Op.PRESENT, FLAG, Level.MEMBER),
    "年龄": (Op.AGE, Type(Sort.NUMBER, Unit(count="岁")), Level.MEMBER),
}
FUNCTIONS = {
    "if": "if", "如果": "if", "min": "min", "最小": "min", "max": "max", "最大": "max",
    "round": "round", "四舍五入": "round", "floor": "floor", "舍去": "floor", "ceil": "ceil", "进一": "ceil",
    "count": "count", "人数": "count", "sum": "sum", "合计": "sum", "any": "any", "有人": "any", "all": "all", "人人": "all",
    "整年": "years", "整月": "months", "按年": "年", "按半年": "半年", "按季": "季", "按月": "月",
    "所在地": "place", "就业地": "work", "享受": "held", "符合": "fits",
}  # fmt: skip
FUNCTION_EXAMPLES = {
    "if": "if(条件, 成立时的数值, 不成立时的数值)",
    "min": "min(甲, 乙) 或 min(成员, 数值, 条件)",
    "max": "max(甲, 乙) 或 max(成员, 数值, 条件)",
    "round": "round(数值, 1 角)",
    "floor": "floor(数值, 1 元)",
    "ceil": "ceil(数值, 1 元)",
    "count": "count(成员, 年龄 >= 70)",
    "sum": "sum(成员, 月工资, 就业)",
    "any": "any(成员, 重病)",
    "all": "all(成员, 年龄 < 16)",
    "years": "整年(移民登记日期, 认定日期)",
    "months": "整月(移民登记日期, 认定日期)",
    "年": "按年(月工资)",
    "半年": "按半年(月工资)",
    "季": "按季(月工资)",
    "月": "按月(年经营净收入)",
    "place": "所在地(务工地区划, 最低工资标准)",
    "work": "就业地(最低工资标准)",
    "held": "享受(tekun)，括号里是另一个项目的编码",
    "fits": "符合(tekun)，括号里是另一个项目的编码",
}

_CHINESE = {code: word for word, code in FUNCTIONS.items() if not word.isascii()}
_JOINING = {"and": "且", "or": "或", "not in": "不属于", "in": "属于", "not": "非"}
_ENGLISH = re.compile(r"[a-z]+(?=\()|(?<![\w-])(?:not in|and|or|not|in)(?![\w-])")


def in_chinese(expression: str) -> str:
    """An expression as people read it: each word that may be written in English in its Chinese form, round marks full-width."""
    words = _CHINESE | _JOINING
    told = _ENGLISH.sub(lambda found: words.get(found[0], found[0]), expression)
    return told.replace("(", "（").replace(")", "）").replace(", ", "，")


@dataclass(frozen=True)
class Definition:
    """A named value as written: its name, its expression, and where its name stands."""

    name: str
    source: Source
    basis: str = ""


@dataclass
class Vocabulary:
    """The words of one programme. `parameters`: name → type; `tables`: name → type of key, of value; `programmes`: code → household or person; `own`: its code."""

    facts: Mapping[str, Fact]
    parameters: Mapping[str, Type] = field(default_factory=dict)
    values: Mapping[str, Definition] = field(default_factory=dict)
    tables: Mapping[str, tuple[Type, Type]] = field(default_factory=dict)
    programmes: Mapping[str, str] = field(default_factory=dict)
    own: str = ""

    def words(self, *, members: bool) -> list[str]:
        """What may stand here, for the nearest known name."""
        facts = [f.name for f in self.facts.values() if members or f.entity is Entity.HOUSEHOLD]
        derived = [word for word, (_, _, level) in DERIVED.items() if members or level < Level.MEMBER]
        return [*facts, *derived, *self.parameters, *self.tables, *self.values, MEMBERS]


def fact_type(fact: Fact) -> Type | None:
    """The type of a fact in the language; None for text and places, which policies do not compute with."""
    if fact.kind is FactKind.FLAG:
        return FLAG
    if fact.kind is FactKind.DATE:
        return DATE
    if fact.kind is FactKind.CHOICE:
        return Type(Sort.CHOICE, None, fact.choices)
    if fact.kind in (FactKind.TEXT, FactKind.PLACE):
        return None
    return Type(Sort.NUMBER, fact_unit(fact))


def fact_unit(fact: Fact) -> Unit:
    words = [word for word in (fact.unit, fact.per) if word]
    return unit_of_words(words)[0] if words else Unit()


def fact_level(fact: Fact) -> Level:
    return Level.HOUSEHOLD if fact.entity is Entity.HOUSEHOLD else Level.MEMBER


def refuse_taken_name(name: str, source: Source, vocabulary: Vocabulary) -> None:
    """A new name must be a word that means nothing yet. Raises FaultFound."""
    taken = {
        **dict.fromkeys(UNIT_WORDS, "计量单位"),
        **dict.fromkeys(FUNCTIONS, "函数名"),
        **dict.fromkeys((*DERIVED, MEMBERS), "语言自带的名称"),
        **dict.fromkeys(vocabulary.facts, "事实目录里的名称"),
    }
    if name in taken:
        raise FaultFound(source, 0, f"“{name}”是{taken[name]}，不能另作名称", "请换一个名称")
