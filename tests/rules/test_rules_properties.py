"""The engine equals the slow reference evaluator, for generated policies and households (POL-02, DET-01, DET-07)."""

import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.kernel.places import chain
from huimin.rules import Column, NumberTooLarge, Programme, Table, evaluate, explain, read_book
from huimin.rules.engine import CHUNK_HOUSEHOLDS
from huimin.rules.exact import LIMIT, group_sums, plus, times
from huimin.rules.reference import determine
from tests.rules.builders import ON, Household, joined_table, trial
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
    }
    rare = [None] * (6 if fact.code in ("death_date", "moved_out_date") else 1)
    return [*known[fact.kind], *rare]


def _values(fact: Fact) -> st.SearchStrategy[object]:
    return st.sampled_from(_choices(fact))


def _facts_of(entity: Entity) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({fact.name: _values(fact) for fact in FACTS if fact.entity is entity})


HOUSEHOLDS = st.tuples(_facts_of(Entity.HOUSEHOLD), st.lists(_facts_of(Entity.PERSON), max_size=3))

# -- expressions, by type and by whom they speak of


def _fold(depth: int, member: bool, base: list[str], grow: list[str]) -> st.SearchStrategy[str]:
    """A word, or a pattern filled with smaller expressions of the kinds it names in braces."""
    leaf = st.sampled_from(base)
    if depth == 0:
        return leaf
    return st.one_of(leaf, st.sampled_from(grow).flatmap(lambda pattern: _filled(pattern, depth - 1, member)))


def _filled(pattern: str, depth: int, member: bool) -> st.SearchStrategy[str]:
    kinds = {"m": (_money, member), "c": (_count, member), "b": (_flag, member), "d": (_day, member)}
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
    "整年({d}, {d}) / 1 年 * 1 元/月", "({d} - {d}) / 1 天 * 1 元/月", "round({m} / 7 - 100 元/月, 1 元/月)",
]  # fmt: skip
_COUNT = ["count(成员, {B})", "if({b}, {c}, 0)", "{c} + 1", "floor({c} / 2)", "{c} * 3 - {c}"]
_FLAG = [
    "{b} and {b}", "{b} or {b}", "not {b}", "{m} < {m}", "{m} <= {m}", "{m} > {m}", "{m} >= {m}", "{m} = {m}", "{c} != {c}",
    "{d} < {d}", "{d} = {d}", "any(成员, {B})", "all(成员, {B})", "if({b}, {b}, {b})", "整年({d}, {d}) >= 20",
    "整月({d}, {d}) > 3", "{d} - {d} > 30", "人口 = 0 or {m} / 人口 < 标准", "{d} in (2006-07-01, 2026-06-01)",
]  # fmt: skip
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
        ["就业", "年龄 >= 16", "重病", "在户", '与户主关系 not in ("户主", "子")', "残疾等级 <= 2"] if member else []
    )
    return _fold(depth, member, base, _FLAG)


def _day(depth: int, member: bool) -> st.SearchStrategy[str]:
    base = ["认定日期", "2006-07-01", "2004年2月29日"] + (["出生日期", "移民登记日期"] if member else [])
    return _fold(depth, member, base, _DAY)


@SLOW
@given(_flag(3, False), _money(3, False), st.lists(HOUSEHOLDS, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_household_policies(condition, amount, households):
    same(trial(condition, f"max(0, {amount})"), households)


@SLOW
@given(_flag(2, True), _money(2, True), st.lists(HOUSEHOLDS, min_size=1, max_size=5))
def test_pol_02_engine_equals_reference_for_person_policies(condition, amount, households):
    same(trial(condition, f"max(0, {amount})", unit="人", rounding="进一到角"), households)


_LEAVES = {
    "m": ["按月(年经营净收入)", "标准"], "c": ["人口", "2"], "b": ["机动车数 = 1", "人口 > 1"], "d": ["认定日期", "2006-07-01"],
}  # fmt: skip
_MEMBER_LEAVES = {
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
@pytest.mark.parametrize("pattern", [*_MONEY, *_COUNT, *_FLAG, *_DAY])
def test_pol_02_every_operation_equals_the_reference(pattern, unit):
    text = _with_leaves(pattern, _LEAVES if unit == "户" else _MEMBER_LEAVES)
    if pattern in _FLAG:
        condition, amount = text, "标准"
    elif pattern in _DAY:
        condition, amount = f"({text}) < 2026-05-20", f"max(0, 整月(2000-01-01, {text}) / 1 月 * 1 元/月)"
    else:
        money = text if pattern in _MONEY else f"({text}) / 1 人 * 1 元/月"
        condition, amount = f"({money}) > -500 元/月", f"{money} + 2000000 元/月"
    same(trial(condition, amount, unit=unit), HOUSES, HOUSES_TABLE)


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


@SLOW
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
