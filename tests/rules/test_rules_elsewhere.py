"""A parameter at a place of one's own: the minimum wage where one works (POL-02, DET-02)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.places import NATION, chain
from huimin.rules import PolicyFaults, evaluate, explain, read_book_texts
from huimin.rules.engine import missing_names
from tests.rules.builders import ON, policy_text
from tests.rules.same import SLOW, same

HERE, COUNTY = "341524100001", "341524000000"
FACTS_TEXT = f"""\
区划: "{NATION}"
事实:
  - {{名称: 做工地, 编码: work_place, 对象: 人, 类型: 区划, 材料: 务工证明}}
  - {{名称: 现住地, 编码: living_place, 对象: 户, 类型: 区划}}
"""
PROVINCES = {
    "340000000000": "1650",
    "310000000000": "2690",
    "341524000000": "1780",
    "310115000000": "2700",
    "310115001000": "1",
}
WAGES = "".join(
    f'---\n区划: "{place}"\n参数: [{{项目: trial, 名称: 最低工资, 数值: {wage} 元/月, 自: 2024-01-01, 来源: 试算}}]\n'
    for place, wage in PROVINCES.items()
).split("---\n")[1:]


def law_of(amount: str, *, unit: str = "人", wages: list[str] = WAGES, overrides: dict[str, str] | None = None):
    text = policy_text("在户" if unit == "人" else "人口 >= 0", amount, unit=unit)
    more = "  - {名称: 最低工资, 单位: 元/月}\n  - {名称: 别的, 单位: 元, 说明: 上海没有写}\n"
    text = text.replace("条件:", more + "条件:", 1)
    here = f'区划: "{COUNTY}"\n参数: [{{项目: trial, 名称: 别的, 数值: 1 元, 自: 2024-01-01, 来源: 试算}}]\n'
    wages = [*wages, here]
    texts = {"国.yaml": text, "事实.yaml": FACTS_TEXT, **{f"{i}.yaml": wage for i, wage in enumerate(wages)}}
    return read_book_texts(texts).programmes_in_force(chain(HERE), ON, overrides)[0]


WORK = "所在地(做工地, 最低工资)"
LAW, AT_HOME = law_of(WORK), law_of("所在地（现住地，最低工资）", unit="户")
CODES = [
    "310115001001", "310115002000", "310101000000", "310000000000", "341524100001", "341524100001003", "341500000000",
    "340000000000", "110000000000", "999999999999", None,
]  # fmt: skip


def rows(codes):
    return [({"现住地": code}, [{"做工地": code}, {}]) for code in codes]


@SLOW
@given(st.lists(st.sampled_from(CODES), min_size=1, max_size=6))
def test_det_02_the_nearest_value_above_each_place_equals_the_reference(codes):
    for law in (LAW, AT_HOME):
        same(law, rows(codes), law_table(law, codes))


def law_table(law, codes):
    from huimin.rules.household_input import household_table
    from huimin.rules.table import Column, Table

    tables = [household_table(*house, law.facts) for house in rows(codes)]

    def joined(parts):
        return {
            c: Column(np.concatenate([p[c].values for p in parts]), np.concatenate([p[c].known for p in parts]))
            for c in parts[0]
        }

    return Table(
        joined([t.households for t in tables]), joined([t.members for t in tables]), np.arange(len(codes) + 1) * 2
    )


def test_det_02_a_place_where_nobody_set_it_is_unknown_and_names_the_place():
    outcome = evaluate(LAW, law_table(LAW, CODES), ON)
    assert list(outcome.amount_fen[::2]) == [100, 270000, 269000, 269000, 178000, 178000, 165000, 165000, 0, 0, 0]
    assert list(outcome.eligible[::2]) == [1] * 8 + [-1] * 3
    assert missing_names(LAW, int(outcome.missing_mask[16])) == ["做工地"]


def test_det_02_what_the_nation_gives_reaches_everywhere():
    nation = f'区划: "{NATION}"\n参数: [{{项目: trial, 名称: 最低工资, 数值: 9 元/月, 自: 2024-01-01, 来源: 试算}}]\n'
    law = law_of(WORK, wages=[*WAGES, nation])
    assert list(evaluate(law, law_table(law, CODES), ON).amount_fen[::2])[-3:] == [900, 900, 0]
    assert law.version != LAW.version


def test_det_02_a_trial_value_holds_everywhere_and_an_explanation_tells_it():
    law = law_of(WORK, overrides={"最低工资": "5 元/月"})
    assert list(evaluate(law, law_table(law, CODES), ON).amount_fen[::2]) == [500] * 10 + [0]
    same(law, rows(CODES), law_table(law, CODES))
    told = explain(law_of(f"{WORK} * 2"), {}, [{"做工地": "310115001001"}], ON)["results"]
    assert told[0]["amount_fen"] == 200


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("所在地(做工的, 最低工资)", "没有“做工的”这项区划事实"),
        ("所在地(月工资, 最低工资)", "没有“月工资”这项区划事实"),
        ("所在地(做工地, 月工资)", "一个数的参数的名称"),
        ("所在地(做工地)", "应写成 所在地("),
        ("做工地", "“做工地”是区划，不能参加计算"),
    ],
)
def test_det_02_a_faulty_look_up_is_refused(amount, words):
    with pytest.raises(PolicyFaults) as caught:
        law_of(amount)
    assert words in str(caught.value), str(caught.value)
