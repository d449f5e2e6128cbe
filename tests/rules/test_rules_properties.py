"""The engine equals the slow reference evaluator, for generated policies and households (POL-02, DET-01, DET-07)."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.kernel.places import NATION, chain
from huimin.rules import Column, NumberTooLarge, Programme, Table, evaluate, explain, read_book, read_book_texts
from huimin.rules.engine import CHUNK_HOUSEHOLDS
from huimin.rules.exact import LIMIT, group_sums, plus, times
from huimin.rules.reference import determine
from tests.rules.builders import ON, Household, joined_table, policy_text
from tests.rules.same import SLOW, same

POLICY = Path(__file__).resolve().parents[2] / "policy"

# -- households, with ties, edges, unknowns and nobody at home

_DAYS = ["1950-06-01", "2004-02-29", "2006-06-30", "2006-07-01", "2010-06-02", "2026-06-01", "2026-06-02", "2030-01-31"]


def _choices(fact: Fact) -> list[object]:
    known: dict[Kind, list[object]] = {
        Kind.FLAG: [True, False],
        Kind.DATE: list(_DAYS),
        Kind.INT: [0, 1, 2, 3, 7],
        Kind.MONEY: [0, 0.01, 649.99, 650, 7800, 15600, 23400, 1234.57],
        Kind.AREA: [0, 0.25, 3.25, 100],
        Kind.CHOICE: list(fact.choices),
        Kind.PLACE: ["341524100001", "310115000000", "110000000000"],
    }
    rare = [None] * (6 if fact.code in ("death_date", "moved_out_date") else 1)
    return [*known[fact.kind], *rare]


def _values(fact: Fact) -> st.SearchStrategy[object]:
    return st.sampled_from(_choices(fact))


def _facts_of(entity: Entity) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({fact.name: _values(fact) for fact in FACTS if fact.entity is entity})


_HOLDS_THIS: list[object] = [
    {"项目": "trial", "金额": 123.45},
    {"项目": "trial", "金额": 7, "渐退自": "2026-04-30"},
    {"项目": "trial", "金额": 650, "渐退自": "2025-12-01"},
]


def _holding(facts: st.SearchStrategy[dict[str, object]], held: list[object]) -> st.SearchStrategy[dict[str, object]]:
    some = st.lists(
        st.sampled_from(held), max_size=2, unique_by=lambda item: item if isinstance(item, str) else "trial"
    )
    return st.tuples(facts, some).map(lambda pair: {**pair[0], "享受": pair[1]})


def _holders(of_house: list[object], of_members: list[object]) -> st.SearchStrategy[Household]:
    members = st.lists(_holding(_facts_of(Entity.PERSON), of_members), max_size=3)
    return st.tuples(_holding(_facts_of(Entity.HOUSEHOLD), of_house), members)


HOLDING_HOUSES = _holders(["house", *_HOLDS_THIS], ["other"])
HOLDING_PERSONS = _holders(["house"], ["other", *_HOLDS_THIS])
HOUSEHOLDS = st.tuples(_facts_of(Entity.HOUSEHOLD), st.lists(_facts_of(Entity.PERSON), max_size=3))

# -- expressions, by type and by whom they speak of


def _fold(depth: int, member: bool, base: list[str], grow: list[str]) -> st.SearchStrategy[str]:
    """A word, or a pattern filled with smaller expressions of the kinds it names in braces."""
    leaf = st.sampled_from(base)
    if depth == 0:
        return leaf
    return st.one_of(leaf, st.sampled_from(grow).flatmap(lambda pattern: _filled(pattern, depth - 1, member)))


def _filled(pattern: str, depth: int, member: bool) -> st.SearchStrategy[str]:
    kinds = {
        "m": (_money, member),
        "c": (_count, member),
        "b": (_flag, member),
        "d": (_day, member),
        "a": (_choice, member),
    }
    kinds |= {"M": (_money, True), "B": (_flag, True), "D": (_day, True)}
    slots = [part[0] for part in pattern.split("{")[1:]]
    pieces = [kind(depth, about) for kind, about in (kinds[slot] for slot in slots)]
    return st.tuples(*pieces).map(lambda texts: _placed(pattern, texts))


def _placed(pattern: str, texts: tuple[str, ...]) -> str:
    head, *tail = pattern.split("{")
    return head + "".join(f"({text}){part[2:]}" for text, part in zip(texts, tail, strict=True))


_MONEY = [
    "{m} + {m}", "{m} - {m}", "-{m}", "{m} * {c}", "{m} / 3", "if({b}, {m}, {m})", "min({m}, {m}, 0)", "max({m}, {m})",
    "round({m}, 1 角/月)", "floor({m})", "ceil({m}, 0.5)", "{m} / max(1, 人口)", "if(人口 > 0, {m} / 人口, 0)",
    "{m} / max(1, {c})", "sum(成员, round({M}, 1 分/月), {B})", "max(成员, floor({M}), {B})", "min(成员, ceil({M}))",
    "按月(按年({m}))", "if(机动车数 - 2 != 0, {m} / (机动车数 - 2), {m})", "整月({d}, {d}) / 1 月 * 0.03 元/月",
    "按人口({c})", "按收入({m})", "按等级({a})", "按整数({c}) * 0.01", "{m} * 收入系数(按季({m}))", "按月(按半年({m}))",
    "整年({d}, {d}) / 1 年 * 1 元/月", "({d} - {d}) / 1 天 * 1 元/月", "round({m} / 7 - 100 元/月, 1 元/月)",
]  # fmt: skip
_COUNT = ["count(成员, {B})", "if({b}, {c}, 0)", "{c} + 1", "floor({c} / 2)", "{c} * 3 - {c}"]
_FLAG = [
    "{b} and {b}", "{b} or {b}", "not {b}", "{m} < {m}", "{m} <= {m}", "{m} > {m}", "{m} >= {m}", "{m} = {m}", "{c} != {c}",
    "{d} < {d}", "{d} = {d}", "any(成员, {B})", "all(成员, {B})", "if({b}, {b}, {b})", "整年({d}, {d}) >= 20",
    "享受(house)", "符合(house)", "any(成员, 享受(other) and {B})", "count(成员, 符合(other)) > 1", "not all(成员, 符合(other))",
    "{a} = {a}", '{a} != "低"', '{a} in ("高", "中")', "按人口({c}) > {m}",
    "整月({d}, {d}) > 3", "{d} - {d} > 30", "人口 = 0 or {m} / 人口 < 标准", "{d} in (2006-07-01, 2026-06-01)",
]  # fmt: skip
_CHOICE = ["if({b}, {a}, {a})", 'if({b}, "中", {a})', 'if({b}, "高", if({b}, "中", "低"))']
_DAY = [
    "{d} + 1 年",
    "{d} - 1 月",
    "{d} + 40 天",
    "max({d}, {d})",
    "min({d}, {d})",
    "if({b}, {d}, {d})",
    "max(成员, {D}, {B})",
]


def _money(depth: int, member: bool) -> st.SearchStrategy[str]:
    base = ["按月(年经营净收入)", "标准", "0.01 元/月", "650 元/月"]
    return _fold(depth, member, base + (["月工资", "月养老金", "年龄 / 1 岁 * 1 元/月"] if member else []), _MONEY)


def _count(depth: int, member: bool) -> st.SearchStrategy[str]:
    return _fold(depth, member, ["人口", "2", "count(成员)"], _COUNT)


def _flag(depth: int, member: bool) -> st.SearchStrategy[str]:
    base = ["机动车数 = 1", '户籍类型 = "农业"', "人口 > 1", "房产套数 in (0, 2)"]
    base += (
        [
            "享受(other)",
            "符合(other)",
            "就业",
            "年龄 >= 16",
            "重病",
            "在户",
            '与户主关系 not in ("户主", "子")',
            "残疾等级 <= 2",
        ]
        if member
        else []
    )
    return _fold(depth, member, base, _FLAG)


def _choice(depth: int, member: bool) -> st.SearchStrategy[str]:
    """Always of the same three choices, in the same order."""
    base = ['if(机动车数 = 1, "高", if(人口 > 1, "中", "低"))', "房况"]
    return _fold(depth, member, base + ["体况"] * member, _CHOICE).map(
        lambda text: f'if(1 > 2, if(1 > 2, "高", if(1 > 2, "中", "低")), {text})'
    )


def _day(depth: int, member: bool) -> st.SearchStrategy[str]:
    base = ["认定日期", "2006-07-01", "2004年2月29日"] + (["出生日期", "移民登记日期"] if member else [])
    return _fold(depth, member, base, _DAY)


_TABLES = """\
  - {名称: 按人口, 单位: 元/月, 按: 人, 档: [{满: 1, 数值: 30.5 元/月}, {满: 3 人, 数值: 7 元/月}], 其余: 1 元/月, 自: 2020-01-01, 来源: 试算}
  - {名称: 按收入, 单位: 元/月, 按: 元/月, 档: [{满: 1.5 元/月, 数值: 0 元/月}, {满: 650 元/月, 数值: 1.005 元/月}], 其余: 3 元/月, 自: 2020-01-01, 来源: 试算}
  - {名称: 按整数, 单位: 元/月, 按: 人, 档: [{为: 0, 数值: 5 元/月}, {为: 2, 数值: 9 元/月}], 其余: 0 元/月, 自: 2020-01-01, 来源: 试算}
  - {名称: 按等级, 单位: 元/月, 按: [低, 中, 高], 档: [{为: 高, 数值: 100 元/月}, {为: 低, 数值: 0.3 元/月}], 其余: 2 元/月, 自: 2020-01-01, 来源: 试算}
  - {名称: 收入系数, 单位: 纯数, 按: 元/季, 档: [{满: 0 元/季, 数值: 30%}, {满: 1950 元/季, 数值: 0.125}], 其余: 1, 自: 2020-01-01, 来源: 试算}
"""
_GRADES = {
    "房况": 'if(房产套数 > 2, "高", if(房产套数 = 2, "中", "低"))',
    "体况": 'if(重病, "高", if(残疾等级 in (1, 2), "中", "低"))',
}
_OTHERS = {
    "人.yaml": policy_text("重病 or 残疾等级 in (1, 2)", unit="人").replace("项目: trial", "项目: other"),
    "户.yaml": policy_text("机动车价值 < 650 元 and any(成员, 符合(other))").replace("项目: trial", "项目: house"),
}
_MORE = st.fixed_dictionaries(
    {},
    optional={
        "封顶": st.sampled_from(["标准", "人口 / 1 人 * 3.335 元/月"]), "保底": st.sampled_from(["0", "12.345 元/月"]),
        "合计": st.just("每人取整后相加"),
    },
)  # fmt: skip
_PHASING = """\
渐退:
  触发: [first]
  前提: 机动车数 < 2
  月数: if(房产套数 = 0, 6, 2)
  比例: [{月: 1-2, 数值: 100%}, {月: 3起, 数值: 33.3%}]
  依据: 试算
"""
_EXCLUSIONS = "排除:\n  - {项目: house, 依据: 试算}\n  - {项目: other, 依据: 试算}\n"


def whole(
    condition: str, amount: str, *, unit: str = "户", rounding: str = "四舍五入到分", before: str = "", **more: str
) -> Programme:
    """A policy with every construct at hand; `before` stands before 金额, `more` inside."""
    text = policy_text(condition, amount, unit=unit, rounding=rounding, values=None)
    values = "数值:\n" + "".join(f"  - {{名称: {name}, 算式: '{text}'}}\n" for name, text in _GRADES.items())
    text = text.replace("条件:", _TABLES + values + "条件:", 1)
    text = text.replace(
        "金额:\n", before + "金额:\n" + "".join(f"  {key}: {value}\n" for key, value in more.items()), 1
    )
    found = read_book_texts({"试算.yaml": text, **_OTHERS}).programmes_in_force((NATION,), ON)
    return next(programme for programme in found if programme.code == "trial")


@SLOW
@given(_flag(3, False), _money(3, False), st.lists(HOLDING_HOUSES, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_household_policies(condition, amount, households):
    same(whole(condition, f"max(0, {amount})"), households)


@SLOW
@given(_flag(2, True), _money(2, True), st.lists(HOLDING_PERSONS, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_person_policies(condition, amount, households):
    same(whole(condition, f"max(0, {amount})", unit="人", rounding="进一到角"), households)


@SLOW
@given(_flag(1, False), _money(1, True), _MORE, st.booleans(), st.lists(HOLDING_HOUSES, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_whole_household_programmes(condition, amount, more, excludes, households):
    amount = f"max(0, {amount} + 0 * 月工资)" if "合计" in more else f"max(0, sum(成员, round({amount}, 0.001 元/月)))"
    before = (_EXCLUSIONS if excludes else "") + _PHASING
    same(whole(condition, amount, rounding="四舍五入到角", before=before, **more), households)


@SLOW
@given(_flag(1, True), _money(1, True), _MORE, st.booleans(), st.lists(HOLDING_PERSONS, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_whole_person_programmes(condition, amount, more, excludes, households):
    more.pop("合计", None)
    before = (_EXCLUSIONS if excludes else "") + _PHASING
    same(whole(condition, f"max(0, {amount})", unit="人", rounding="舍去到元", before=before, **more), households)


_LEAVES = {
    "a": ["房况", 'if(机动车数 = 1, "高", if(人口 > 1, "中", "低"))'], "m": ["按月(年经营净收入)", "标准"], "c": ["人口", "2"], "b": ["机动车数 = 1", "人口 > 1"], "d": ["认定日期", "2006-07-01"],
}  # fmt: skip
_MEMBER_LEAVES = {
    "a": ["体况", "房况"],
    "m": ["月工资", "月养老金"],
    "b": ["就业", "重病"],
    "d": ["出生日期", "移民登记日期"],
    "c": ["人口", "2"],
}


def _with_leaves(pattern: str, leaves: dict[str, list[str]]) -> str:
    """The pattern with the first leaf in its first place, the second in its second, and so on around."""
    head, *tail = pattern.split("{")
    chosen = [(leaves if part[0].islower() else _MEMBER_LEAVES)[part[0].lower()] for part in tail]
    return head + "".join(f"({pick[i % 2]}){part[2:]}" for i, (pick, part) in enumerate(zip(chosen, tail, strict=True)))


def _some_households(count: int) -> list[Household]:
    chance = random.Random(20)

    def drawn(entity: Entity) -> dict[str, object]:
        return {fact.name: chance.choice(_choices(fact)) for fact in FACTS if fact.entity is entity}

    return [(drawn(Entity.HOUSEHOLD), [drawn(Entity.PERSON) for _ in range(chance.randrange(4))]) for _ in range(count)]


@pytest.mark.parametrize("unit", ["户", "人"])
@pytest.mark.parametrize("pattern", [*_MONEY, *_COUNT, *_FLAG, *_DAY, *_CHOICE])
def test_pol_02_every_operation_equals_the_reference(pattern, unit):
    text = _with_leaves(pattern, _LEAVES if unit == "户" else _MEMBER_LEAVES)
    if pattern in _FLAG:
        condition, amount = text, "标准"
    elif pattern in _CHOICE:
        condition, amount = f'({text}) in ("高", "中")', f"按等级({text})"
    elif pattern in _DAY:
        condition, amount = f"({text}) < 2026-05-20", f"max(0, 整月(2000-01-01, {text}) / 1 月 * 1 元/月)"
    else:
        money = text if pattern in _MONEY else f"({text}) / 1 人 * 1 元/月"
        condition, amount = f"({money}) > -500 元/月", f"{money} + 2000000 元/月"
    same(whole(condition, amount, unit=unit), HOUSES, HOUSES_TABLE)


HOUSES = _some_households(40)
HOUSES_TABLE = joined_table(HOUSES)


@pytest.fixture(scope="module")
def shipped() -> list[Programme]:
    book = read_book(POLICY)
    place = chain("341524100000")
    return [
        *book.programmes_in_force(place, ON),
        *book.programmes_in_force(place, date(2021, 8, 1), only="grain-one-off"),
    ]


@settings(SLOW, max_examples=25)
@given(st.lists(HOUSEHOLDS, min_size=1, max_size=8))
def test_det_01_engine_equals_reference_for_the_shipped_programmes(shipped, households):
    for programme in shipped:
        same(programme, households)


@SLOW
@given(HOUSEHOLDS)
def test_det_01_an_explanation_says_what_the_engine_determined(shipped, household):
    for programme in shipped:
        results = explain(programme, *household, ON)["results"]
        verdicts = determine(programme, *household, ON)
        assert [(r["eligible"], r["amount_fen"]) for r in results] == [(v.eligible, v.amount_fen) for v in verdicts]


# -- whole numbers at the edge of 64 bits

_EDGES = st.one_of(st.integers(-LIMIT, LIMIT), st.sampled_from([0, 1, -1, LIMIT, -LIMIT, 2**32, 2**31, -(2**62)]))


@SLOW
@given(st.lists(st.tuples(_EDGES, _EDGES), min_size=1, max_size=4))
def test_det_01_products_and_sums_are_exact_or_refused(pairs):
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    for operate, exact in ((times, [a * b for a, b in pairs]), (plus, [a + b for a, b in pairs])):
        if max(map(abs, exact)) > LIMIT:
            with pytest.raises(NumberTooLarge):
                operate(left, right, 2**200)
        else:
            assert list(operate(left, right, 2**200)) == exact


@SLOW
@given(st.lists(st.lists(_EDGES, max_size=4), min_size=1, max_size=4))
def test_det_01_group_sums_are_exact_or_refused(groups):
    values = np.array([value for group in groups for value in group], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int64)
    exact = [sum(group) for group in groups]
    if max(map(abs, exact)) > LIMIT:
        with pytest.raises(NumberTooLarge):
            group_sums(values, LIMIT, offsets)
    else:
        assert list(group_sums(values, LIMIT, offsets)) == exact


def test_det_07_chunks_and_threads_change_nothing(shipped):
    """DET-07: the same facts give the same results, however the work is cut."""
    some = _some_households(50)
    small = joined_table(some)
    copies = CHUNK_HOUSEHOLDS // 50 + 2
    large = _repeated(small, copies)
    for programme in shipped:
        one, many = evaluate(programme, small, ON), evaluate(programme, large, ON, threads=2)
        assert np.array_equal(np.tile(one.amount_fen, copies), many.amount_fen)
        assert np.array_equal(np.tile(one.missing_mask, copies), many.missing_mask)
        assert np.array_equal(np.tile(one.eligible, copies), many.eligible)


def _repeated(table, copies):
    def tile(columns):
        return {code: Column(np.tile(c.values, copies), np.tile(c.known, copies)) for code, c in columns.items()}

    counts = np.tile(np.diff(table.offsets), copies)
    return Table(tile(table.households), tile(table.members), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
