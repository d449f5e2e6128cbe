"""Tables by band, number and choice; named values that are choices (POL-02, DET-01)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.errors import BadInput
from huimin.kernel.places import NATION, chain
from huimin.rules import Book, NumberTooLarge, PolicyFaults, Programme, evaluate, explain, read_book_texts, run_cases
from huimin.rules.vocabulary import in_chinese
from tests.rules.builders import ON, joined_table, policy_text
from tests.rules.same import SLOW, same

BY_AGE = """\
  - 名称: 高龄标准
    单位: 元/月
    按: 岁
    档:
      - {满: 80 岁, 数值: 50 元/月}
      - {满: 90, 数值: 100.50 元/月}
      - {满: 100 岁, 数值: 1000/3 元/月}
    其余: 0 元/月
    自: 2021-01-01
    来源: 试算
""".replace("1000/3", "333.33")
BY_CARE = """\
  - 名称: 照料标准
    单位: 元/月
    按: [全自理, 半护理, 全护理]
    档: [{为: 半护理, 数值: 180 元/月}, {为: 全自理, 数值: 0 元/月}, {为: 全护理, 数值: 600 元/月}]
    自: 2021-01-01
    来源: 试算
"""
BY_GRADE = """\
  - 名称: 残疾标准
    单位: 元/月
    按: 级
    档: [{为: 1, 数值: 120 元/月}, {为: 2 级, 数值: 100 元/月}, {为: 4 级, 数值: 30 元/月}]
    其余: 0 元/月
    自: 2021-01-01
    来源: 试算
"""
BY_INCOME = """\
  - {名称: 收入系数, 单位: 纯数, 按: 元/月, 档: [{满: 0.01 元/月, 数值: 0.9}, {满: 650 元/月, 数值: 1/2}], 其余: 1, 自: 2021-01-01, 来源: 试算}
""".replace("1/2", "50%")
GRADE = '  - {名称: 自理等级, 算式: \'if(残疾等级 = 0, "全自理", if(残疾等级 > 2, "半护理", "全护理"))\'}\n'


def book(
    amount: str, *tables: str, condition: str = "在户", unit: str = "人", values: str = GRADE, **texts: str
) -> Book:
    text = policy_text(condition, amount, unit=unit)
    text = text.replace("条件:", "".join(tables) + "数值:\n" + values + "条件:", 1)
    return read_book_texts({"表.yaml": text, **texts})


def law(amount: str, *tables: str, **more: str) -> Programme:
    return book(amount, *tables, **more).programmes_in_force((NATION,), ON)[0]


AGES = ["1946-06-02", "1946-06-01", "1936-06-01", "1926-06-01", "1900-01-01", "2030-01-01", None]
PEOPLE = [({}, [{"出生日期": age, "残疾等级": grade} for age in AGES]) for grade in (0, 1, 2, 3, 4, None)]


def test_pol_02_a_table_by_age_changes_on_the_birthday():
    outcome = evaluate(law("高龄标准(年龄)", BY_AGE), joined_table(PEOPLE[:1]), ON)
    assert list(outcome.amount_fen) == [0, 5000, 10050, 33333, 33333, 0, 0]
    assert list(outcome.eligible) == [1, 1, 1, 1, 1, 1, -1]


@pytest.mark.parametrize(
    ("amount", "table"),
    [
        ("高龄标准(年龄)", BY_AGE),
        ("照料标准(自理等级)", BY_CARE),
        ("残疾标准（残疾等级）", BY_GRADE),
        ("标准 * 收入系数(max(0, 月工资 - 100 元/月))", BY_INCOME),
        ("标准 * 收入系数(月工资 / max(1, 人口))", BY_INCOME),
        ("高龄标准(80) + 高龄标准(79)", BY_AGE),
        ('照料标准("半护理") * 2', BY_CARE),
        ("标准 / 收入系数(月工资)", BY_INCOME),
        ('if(自理等级 = "全护理", 标准, if(自理等级 in ("半护理"), 1 元/月, 0))', BY_CARE),
    ],
)
def test_pol_02_a_table_equals_the_reference(amount, table):
    wages = [({}, [{"月工资": wage, "残疾等级": 1} for wage in (0, 100, 100.01, 649.99, 650, 750, 750.01, None)])]
    same(law(amount, table), PEOPLE + wages)


def test_pol_02_a_household_table_over_its_people():
    by_heads = BY_GRADE.replace("级", "人").replace("残疾标准", "人口标准")
    same(law("人口标准(人口)", by_heads, unit="户", condition="人口 >= 0"), [*PEOPLE, ({}, [])])
    same(law("sum(成员, 照料标准(自理等级))", BY_CARE, unit="户", condition="人口 >= 0"), [*PEOPLE, ({}, [])])


@SLOW
@given(st.lists(st.fractions(0, 1000, max_denominator=100), min_size=1, max_size=6, unique=True), st.data())
def test_pol_02_any_table_equals_the_reference(bounds, data):
    rows = [
        f"{{满: {float(b):.2f} 元/月, 数值: {data.draw(st.decimals(0, 99, places=3))} 元/月}}" for b in sorted(bounds)
    ]
    rows = list({row.split(",")[0]: row for row in rows}.values())
    table = f"  - {{名称: 某表, 单位: 元/月, 按: 元/月, 档: [{', '.join(rows)}], 其余: 7 元/月, 自: 2021-01-01, 来源: 试算}}\n"
    wages = [
        ({}, [{"月工资": float(round(b + d, 2))} for b in bounds for d in (0, Fraction(1, 100), 30) if b + d >= 0])
    ]
    same(law("某表(月工资) + 100 元/月", table), wages)


def test_pol_02_a_county_gives_its_own_table():
    county = """\
区划: "341524000000"
参数:
  - {项目: trial, 名称: 高龄标准, 档: [{满: 70 岁, 数值: 30 元/月}], 其余: 0 元/月, 自: 2024-01-01, 来源: 县文件}
"""
    found = book("高龄标准(年龄)", BY_AGE, 县=county).programmes_in_force(chain("341524100000"), ON)[0]
    assert list(evaluate(found, joined_table([({}, [{"出生日期": "1950-01-01"}])]), ON).amount_fen) == [3000]
    assert "满 70 岁 30" in str(found.parameters["高龄标准"].value)


def test_pol_02_a_case_gives_a_table_of_its_own():
    case = """\
案例:
  - 编号: 另给一表
    日期: 2026-06-01
    参数: {高龄标准: {档: [{满: 1 岁, 数值: 5 元/月}], 其余: 0 元/月}}
    成员: [{出生日期: 2000-01-01}]
    结果: [{符合: 是, 金额: 5}]
"""
    text = policy_text("在户", "高龄标准(年龄)", unit="人").replace("条件:", BY_AGE + "条件:", 1) + case
    assert [result.fault for result in run_cases(read_book_texts({"表.yaml": text}))] == [""]
    wrong = text.replace("高龄标准: {档: [{满: 1 岁, 数值: 5 元/月}], 其余: 0 元/月}", "高龄标准: 3 元/月")
    assert "是表" in run_cases(read_book_texts({"表.yaml": wrong}))[0].fault


def test_pol_02_a_table_may_not_be_set_as_one_number():
    with pytest.raises(BadInput, match="是表"):
        book("高龄标准(年龄)", BY_AGE).programmes_in_force((NATION,), ON, {"高龄标准": "3"})


def test_det_01_an_explanation_tells_the_value_found():
    (told,) = explain(
        law("高龄标准(年龄)", BY_AGE, condition="高龄标准(年龄) > 0"), {}, [{"出生日期": "1936-06-01"}], ON
    )["results"]
    assert told["conditions"][0]["detail"] == "高龄标准（年龄） 100.50 > 0"
    assert told["values"] == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("其余: 0 元/月", "说明: 无", "不满 80 岁 的没有写"),
        ("满: 90,", "满: 80,", "没有比上一档大"),
        ("满: 90,", "为: 90,", "既有“满”又有“为”"),
        ("满: 90,", "起: 90,", "可写的有：满、为"),
        ("50 元/月", "50 元", "单位是 元，应当是 元/月"),
        ("满: 80 岁", "满: 80 亩", "单位是 亩，应当是 岁"),
        ("按: 岁", "按: 随", "不认识的单位“随”"),
        ("    按: 岁\n", "", "也不是表"),
        ("高龄标准(年龄)", "高龄标准", "“高龄标准”是表，要写明按什么查"),
        ("高龄标准(年龄)", "高龄标准(月工资)", "按 岁 分档，这里写的是数（元/月）"),
        ("高龄标准(年龄)", "高龄标准(年龄, 1)", "括号里写一项"),
        ("高龄标准(年龄)", "高铃标准(年龄)", "最接近的是“高龄标准”"),
        ("高龄标准(年龄)", "高龄标准(就业)", "这里应当是数"),
    ],
)
def test_pol_02_a_faulty_table_is_refused(old, new, words):
    text = policy_text("在户", "高龄标准(年龄)", unit="人").replace("条件:", BY_AGE + "条件:", 1)
    assert old in text
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"表.yaml": text.replace(old, new)})
    assert words in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{为: 半护理, 数值: 180 元/月}, ", "", "表里没有写 半护理"),
        ("{为: 半护理", "{为: 半护埋", "“按”里没有“半护埋”这个选项。最接近的是“半护理”"),
        ("{为: 半护理", "{为: 全自理", "写了两次"),
        ("{为: 半护理", "{满: 半护理", "按选项的表不写“满”"),
        ('\\"半护理\\"', '\\"半护埋\\"', "“半护埋”不在可选的 全自理、半护理、全护理 之中"),
        ("照料标准(自理等级)", "照料标准(残疾等级)", "这里应当是选项"),
        ("照料标准(自理等级)", 'if(自理等级 = "半自理", 1 元/月, 0)', "没有“半自理”这个选项"),
    ],
)
def test_pol_02_a_faulty_choice_is_refused(old, new, words):
    values = "数值:\n" + GRADE
    text = policy_text("在户", "照料标准(自理等级)", unit="人").replace("条件:", BY_CARE + values + "条件:", 1)
    old, new = old.replace("\\", ""), new.replace("\\", "")
    assert old in text
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"表.yaml": text.replace(old, new)})
    assert words in str(caught.value), str(caught.value)


def test_det_01_a_number_too_large_is_refused():
    with pytest.raises(PolicyFaults, match="过大"):
        law("高龄标准(年龄)", BY_AGE.replace("数值: 50 元", "数值: 1000000000000000000 元"))
    finest = BY_AGE.replace("数值: 50 元", "数值: 999999999999999.000000000001 元")
    with pytest.raises(NumberTooLarge):
        evaluate(law("高龄标准(年龄)", finest), joined_table(PEOPLE), ON)


@pytest.mark.parametrize(("written", "read"), [
    ("not any(成员, 计入成员 and 财政供养)", "非 有人（成员，计入成员 且 财政供养）"),
    ("if(就业, 月工资, 0 元)", "如果（就业，月工资，0 元）"),
    ("享受(dibao-in-x) or 文化 not in (\"小学\")", "享受（dibao-in-x） 或 文化 不属于 （\"小学\"）"),
])  # fmt: skip
def test_det_01_an_expression_is_told_in_chinese(written: str, read: str) -> None:
    """What may be written in English is read in the words of the policy language."""
    assert in_chinese(written) == read
