"""Formulas as phrases, drafts as fields and text, differences in words: without a database (POL-01, POL-02, POL-05)."""

from datetime import date

import pytest

from huimin.policy.differing import differences
from huimin.policy.drafting import ItemRow, first_text, ground_of, sheet_of, text_of
from huimin.policy.words import in_words
from huimin.policy.written import read_texts, value_words

NATION, COUNTY = "000000000000", "341524000000"
PLACES = (NATION, COUNTY)
BASE = """\
项目: allowance
区划: "000000000000"
自: 2021-01-01
名称: 高龄津贴
依据: 国发〔2021〕1号
参数:
  - 名称: 津贴标准
    单位: 元/月
    按: 岁
    档:
      - {满: 80 岁, 数值: 50 元/月}
      - {满: 90 岁, 数值: 100 元/月}
    其余: 0 元/月
    自: 2021-01-01
    来源: 国发〔2021〕1号
条件:
  - {编号: age, 说明: 年满八十周岁, 算式: 年龄 >= 80, 依据: 国发〔2021〕1号, 材料: 身份证}
  - {编号: home, 说明: 本县户籍, 算式: 在户, 依据: 国发〔2021〕1号}
排除:
  - {项目: tekun, 说明: 特困人员不重复享受, 依据: 国发〔2021〕1号}
金额: {算式: 津贴标准(年龄), 取整: 四舍五入到元, 依据: 国发〔2021〕1号}
"""


@pytest.mark.parametrize(
    ("expression", "phrase"),
    [
        ("家庭人均月收入 < 低保标准", "家庭人均月收入低于低保标准"),
        ("机动车数 = 0 or 机动车价值 <= 限额", "机动车数为零，或者机动车价值不超过限额"),
        ("年龄 >= 80", "年满 80"),
        ("移民登记日期 <= 2006-06-30", "移民登记日期不晚于2006-06-30"),
        ("not any(成员, 财政供养)", "家中没有人财政供养"),
        ("享受(tekun)", "正在享受特困供养"),
        ("not 符合(tekun)", "不符合特困供养的条件"),
        ("津贴标准(年龄)", "按年龄对应的津贴标准"),
        ("max(0, 甲 - 乙)", "（甲 − 乙，不足零的按零计）"),
        ("(甲 - 乙) * 人口", "（甲 − 乙） × 人口"),
        ("甲 - (乙 - 丙)", "甲 − （乙 − 丙）"),
        ("残疾等级 in (1, 2)", "残疾等级是1、2之一"),
        ("甲 +* 乙", "甲 +* 乙"),
        ("没有这个函数(甲, 乙, 丙)", "没有这个函数(甲, 乙, 丙)"),
    ],
)
def test_a_formula_is_a_phrase_and_stays_as_written_when_it_cannot_be_said_pol_05(expression: str, phrase: str) -> None:
    assert in_words(expression, {"tekun": "特困供养"}) == phrase


def test_a_draft_says_only_what_differs_and_reads_back_the_same_pol_02() -> None:
    written = read_texts({"base.yaml": BASE})
    ground = ground_of(written, "allowance", PLACES, date(2021, 12, 31))
    begun = first_text(ground, date(2022, 1, 1))
    sheet = sheet_of(begun, ground, "draft.yaml")
    assert text_of(sheet, begun, ground, "draft.yaml") == begun
    sheet.standards[0].value = "满 80 岁 60 元/月\n满 90 岁：120 元/月\n其余 0 元/月"
    sheet.standards[0].source = "金民〔2021〕9号"
    sheet.conditions[1].drop = True
    fields = {"text": "本县居住满一年", "expression": "在户", "citation": "金民〔2021〕9号"}
    sheet.conditions.append(ItemRow("local-1", fields, new=True))
    text = text_of(sheet, begun, ground, "draft.yaml")
    assert "年满八十周岁" not in text and "高龄津贴" not in text and "作废: 是" in text
    assert text_of(sheet_of(text, ground, "draft.yaml"), text, ground, "draft.yaml") == text
    after = read_texts({"base.yaml": BASE, "draft.yaml": text}).state("allowance", PLACES, date(2022, 1, 1))
    said = [str(each) for each in differences(ground.state, after, {}, {COUNTY: "金寨县"})]
    assert said == [
        "津贴标准由 满 80 岁 50 元/月；满 90 岁 100 元/月；其余 0 元/月 改为 "
        "满 80 岁 60 元/月；满 90 岁 120 元/月；其余 0 元/月（金寨县，金民〔2021〕9号）",
        "条件“本县户籍”删去",
        "新增条件“本县居住满一年”：在户（金民〔2021〕9号）",
    ]


def test_a_condition_put_back_to_what_is_above_leaves_the_draft_pol_02() -> None:
    ground = ground_of(read_texts({"base.yaml": BASE}), "allowance", PLACES, date(2021, 12, 31))
    begun = first_text(ground, date(2022, 1, 1))
    sheet = sheet_of(begun, ground, "d.yaml")
    sheet.conditions[0].fields["expression"] = "年龄 >= 70"
    changed = text_of(sheet, begun, ground, "d.yaml")
    assert "年龄 >= 70" in changed
    again = sheet_of(changed, ground, "d.yaml")
    again.conditions[0].fields["expression"] = "年龄 >= 80"
    assert text_of(again, changed, ground, "d.yaml") == begun


def test_a_draft_begins_with_the_facts_its_cases_share_pol_02() -> None:
    """What the nearest place says, so that a case need only say what differs; it is no change by itself."""
    shared = "案例底数: {成员: {残疾等级: 0}}\n案例: [{编号: 甲}]\n"
    own = '项目: allowance\n区划: "341524000000"\n自: 2021-02-01\n案例底数: {成员: {重病: 否}}\n'
    for texts, fact in (({}, "残疾等级"), ({"own.yaml": own}, "重病")):
        ground = ground_of(read_texts({"base.yaml": BASE + shared, **texts}), "allowance", PLACES, date(2021, 12, 31))
        begun = first_text(ground, date(2022, 1, 1))
        sheet = sheet_of(begun, ground, "d.yaml")
        assert fact in sheet.cases and "甲" not in sheet.cases
        assert text_of(sheet, begun, ground, "d.yaml") == begun
        after = read_texts({"base.yaml": BASE, **texts, "d.yaml": begun}).state("allowance", PLACES, date(2022, 1, 1))
        assert differences(ground.state, after) == []


def test_what_the_form_does_not_show_is_kept_pol_02() -> None:
    local = '项目: allowance\n区划: "341524000000"\n自: 2021-02-01\n渐退: {月数: 6 个月}\n说明: 本县\n'
    written = read_texts({"base.yaml": BASE, "local.yaml": local})
    ground = ground_of(written, "allowance", PLACES, date(2021, 12, 31))
    begun = first_text(ground, date(2022, 1, 1))
    sheet = sheet_of(begun, ground, "d.yaml")
    sheet.texts["note"] = "改了说明"
    text = text_of(sheet, begun, ground, "d.yaml")
    assert "月数: 6 个月" in text and "改了说明" in text


def test_the_whole_and_its_end_are_said() -> None:
    state = read_texts({"base.yaml": BASE}).state("allowance", PLACES, date(2021, 1, 1))
    assert [str(each) for each in differences(None, state)] == ["开始施行"]
    assert [str(each) for each in differences(state, None)] == ["停止施行"]
    assert value_words({"档": [{"为": "全自理", "数值": "0 元/月"}]}) == "全自理 0 元/月"
