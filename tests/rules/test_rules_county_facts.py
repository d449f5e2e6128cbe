"""Facts a county added are as good as the dictionary's, there and beneath (REG-01, POL-02)."""

import pytest

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS
from huimin.kernel.places import NATION, chain
from huimin.rules import PolicyFaults, evaluate, explain, read_book_texts, run_cases
from huimin.rules.household_input import household_table
from huimin.rules.reference import determine
from tests.rules.builders import ON, policy_text

VILLAGE, COUNTY, ELSEWHERE = "341524100001", "341524000000", "410423000000"
FACTS_TEXT = """\
区划: "341524000000"
说明: 茶区自己登记的事实
事实:
  - {名称: 茶园亩数, 编码: tea_land_mu, 对象: 户, 类型: 面积, 单位: 亩, 材料: 茶园登记表}
  - {名称: 炒茶师傅, 编码: tea_master, 对象: 人, 类型: 是否, 敏感: 是}
  - {名称: 茶艺等级, 编码: tea_grade, 对象: 人, 类型: 选项, 选项: [初级, 高级]}
  - {名称: 年茶叶收入, 编码: tea_income_year, 对象: 户, 类型: 金额, 单位: 元/年}
  - {名称: 入社日期, 编码: tea_since, 对象: 人, 类型: 日期}
"""
COUNTY_TEXT = """\
项目: trial
区划: "341524000000"
自: 2021-01-01
条件:
  - {编号: tea, 说明: 有茶园和高级师傅, 依据: 县文件, 算式: '茶园亩数 >= 1 亩 and any(成员, 炒茶师傅 and 茶艺等级 = "高级")'}
金额: {算式: 标准 + 按月(年茶叶收入) * 1%, 取整: 四舍五入到分, 依据: 县文件}
案例:
  - {编号: 够, 日期: 2026-06-01, 户: {茶园亩数: 1, 年茶叶收入: 1200}, 成员: [{炒茶师傅: 是, 茶艺等级: 高级}], 结果: {符合: 是, 金额: 651}}
  - {编号: 不详, 日期: 2026-06-01, 户: {茶园亩数: 不详, 年茶叶收入: 0}, 成员: [{炒茶师傅: 是, 茶艺等级: 高级}], 结果: {符合: 未知, 缺少: [茶园亩数]}}
"""
TEXTS = {"国.yaml": policy_text("人口 >= 0"), "事实.yaml": FACTS_TEXT, "县.yaml": COUNTY_TEXT}


def test_reg_01_a_county_fact_is_computed_explained_and_tested_in_cases():
    book = read_book_texts(TEXTS)
    assert [result.fault for result in run_cases(book)] == ["", ""]
    (law,) = book.programmes_in_force(chain(VILLAGE), ON)
    added = [fact.code for fact in law.facts_needed if fact not in FACTS]
    assert added == ["tea_land_mu", "tea_master", "tea_grade", "tea_income_year"]
    house = {"茶园亩数": 2.5, "年茶叶收入": 99.99}, [{"炒茶师傅": True, "茶艺等级": "高级"}]
    outcome = evaluate(law, household_table(*house, law.facts), ON)
    assert [(1, int(outcome.amount_fen[0]))] == [(v.eligible, v.amount_fen) for v in determine(law, *house, ON)]
    (told,) = explain(law, {}, [{}], ON)["results"]
    assert told["missing"] == ["茶园亩数", "炒茶师傅", "茶艺等级", "年茶叶收入"]


def test_reg_01_a_county_fact_exists_there_and_beneath_only():
    book = read_book_texts(TEXTS)
    assert {fact.code for fact in book.facts_at(chain(VILLAGE))} - {fact.code for fact in FACTS} == {
        "tea_land_mu", "tea_master", "tea_grade", "tea_income_year", "tea_since"
    }  # fmt: skip
    assert book.facts_at(chain(ELSEWHERE)) == FACTS
    assert book.facts_at((NATION,)) == FACTS
    (law,) = book.programmes_in_force(chain(ELSEWHERE), ON)
    with pytest.raises(BadInput, match="没有“茶园亩数”"):
        explain(law, {"茶园亩数": 1}, [], ON)
    with pytest.raises(PolicyFaults, match="不认识的名称“茶园亩数”"):
        read_book_texts({**TEXTS, "省.yaml": COUNTY_TEXT.replace("341524000000", "340000000000")})


def test_reg_01_the_same_name_may_be_used_in_another_county():
    read_book_texts({**TEXTS, "鲁山.yaml": FACTS_TEXT.replace("341524000000", ELSEWHERE)})
    for near in ("341524100000", "340000000000", COUNTY):
        with pytest.raises(PolicyFaults, match="名称或编码已经有了"):
            read_book_texts({**TEXTS, "另.yaml": FACTS_TEXT.replace("341524000000", near)})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("名称: 茶园亩数", "名称: 存款", "已经有了"),
        ("编码: tea_land_mu", "编码: deposits", "已经有了"),
        ("编码: tea_land_mu", "编码: 茶", "不能作编码"),
        ("名称: 茶园亩数", "名称: 1号茶园", "不能作名称"),
        ("对象: 户, 类型: 面积", "对象: 家, 类型: 面积", "对象没有“家”"),
        ("类型: 面积", "类型: 面及", "最接近的是“面积”"),
        ("单位: 亩", "单位: 元", "面积的单位不能是“元”"),
        ("单位: 元/年", "单位: 元/亩", "金额的单位不能是“元/亩”"),
        ("单位: 元/年", "单位: 圆", "不认识的单位“圆”"),
        ("类型: 选项, 选项: [初级, 高级]", "类型: 选项", "缺少“选项”"),
        ("选项: [初级, 高级]", "选项: [初级, 初级]", "选项是空的、重复的"),
        ("类型: 是否", "类型: 是否, 单位: 个", "是否没有单位"),
        ("材料: 茶园登记表", "材枓: 茶园登记表", "最接近的是“材料”"),
        ("事实:", "项目: trial\n自: 2021-01-01\n事实:", "项目文件里不写“事实”"),
    ],
)
def test_reg_01_a_faulty_county_fact_is_refused(old, new, words):
    assert old in FACTS_TEXT
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({**TEXTS, "事实.yaml": FACTS_TEXT.replace(old, new)})
    assert words in str(caught.value), str(caught.value)
