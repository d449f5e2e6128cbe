"""A wrong formula is refused with the place and the reason (POL-02): each kind of fault, at its line and column."""

import pytest

from huimin.rules import PolicyFaults, read_book_texts, run_cases
from tests.rules.builders import policy_text, trial, trial_book

# the condition as written, the offset of the fault in it, words that must be told
_LINE, _FIRST = 19, 7
FAULTY = [
    ("家庭人均收入 < 标准", 0, "不认识的名称“家庭人均收入”"),
    ("存宽 < 100 元", 0, "最接近的是“存款”"),
    ("年经营净收入 < 存款", 7, "单位不同，不能比较"),
    ("存款 + 承包地亩数 > 0", 3, "不能相加"),
    ("年经营净收入 < 标准", 7, "请用 按月() 或 按年()"),
    ("存款 < 700", 3, "请给数写上单位，例如 100 元"),
    ("存款 / 人口 < 700 元", 5, "除数“人口”可能为零"),
    ("存款 / 人口 < 700 元", 5, "请先判断，例如 if(人口 > 0, 存款 / 人口, 0)"),
    ("人口 >= 0 and 存款 / 人口 < 700 元", 17, "可能为零"),
    ("人口 < 3 and 存款 / 人口 < 700 元", 16, "可能为零"),
    ("人口 = 0 and 存款 / 人口 < 700 元", 16, "可能为零"),
    ("人口 > 0 or 存款 / 人口 < 700 元", 15, "可能为零"),
    ("机动车数 > -1 and 存款 / 机动车数 < 700 元", 19, "可能为零"),
    ("年龄 >= 70", 0, "“年龄”是成员的事实，这里说的是整户"),
    ("count(成员, 年龄)  > 0", 10, "这里应当是条件（是或否）"),
    ("存款", 0, "这里应当是条件"),
    ("人口 > 0 and 存款", 11, "这里应当是条件（是或否）"),
    ('户籍类型 = "农村"', 7, "没有“农村”这个选项"),
    ('户籍类型 > "农业"', 0, "没有大小之分"),
    ('存款 = "农业"', 5, "不能与"),
    ("any(成员, 死亡日期 < 认定日期)", 8, "请用“在户”"),
    ("成员 > 0", 0, "只能写在"),
    ("counts(成员) > 0", 0, "没有“counts”这个函数"),
    ("count(成员, 重病, 就业) > 0", 0, "应写成 count(成员, 年龄 >= 70)"),
    ("if(人口 > 0, 存款) > 0 元", 0, "应写成 if("),
    ("if(人口 > 0, 存款, 3 亩) > 0 元", 0, "里的数单位不同"),
    ("sum(成员, 月工资 / 年龄) > 0", 14, "除数“年龄”可能为零"),
    ("sum(成员, 月工资 / max(1, 年龄)) > 0", 8, "不能直接汇总"),
    ("人口 > 0 且 (存款 < 3 元", 18, "这里应当是“)”，算式到此为止"),
    ("0 < 人口 < 3", 7, "比较不能连写"),
    ("人口 > ", 5, "算式到此为止"),
    ("人口 ? 3", 3, "不认识的字符“?”"),
    ("认定日期 < 2026-02-30", 7, "没有“2026-02-30”这一天"),
    ("认定日期 + 3 元 > 认定日期", 5, "日期可以加减 20 年"),
    ("认定日期 < 3", 5, "不能与"),
    ("人口 in ()", 7, "至少一个选项"),
    ("机动车数 in (人口)", 9, "in 后面的选项须是写明的"),
    ("机动车数 + 房产套数 > 0", 5, "不能相加"),
    ("round(存款, 1 亩) > 0 元", 10, "取整到多少须写明一个数"),
    ("按月(存款) > 0", 3, "不是按期间计的数"),
    ("标准 * 整年(认定日期, 2030-01-01) > 0", 3, "期间不同，不能直接乘"),
    ("not 人口", 4, "这里应当是条件（是或否）"),
    ("存款 >= 3 千元", 8, "“千元”不是计量单位。最接近的是“元”"),
    ("存款 >= 3 块", 8, "“块”不是计量单位。可写的有：元、亩"),
    ("存款 >= 1,000 元", 7, "数里不写分节的逗号"),
    ("存款 >= 1，000 元", 7, "数里不写分节的逗号"),
    ("认定日期 >= 2021/07/01", 5, "日期写成 2026-06-30"),
    ("认定日期 >= 2021.07.01", 15, "日期写成 2026-06-30"),
]


@pytest.mark.parametrize(("condition", "offset", "words"), FAULTY)
def test_pol_02_a_faulty_condition_is_refused_at_its_place(condition, offset, words):
    with pytest.raises(PolicyFaults) as caught:
        trial_book(condition)
    first = caught.value.faults[0]
    assert words in str(first), str(first)
    assert (first.file, first.line, first.column) == ("试算.yaml", _LINE, _FIRST + offset), str(first)


def test_pol_02_all_faults_of_all_files_are_told_at_once():
    texts = {"甲.yaml": policy_text("存宽 > 0", "人囗 * 标准"), "乙.yaml": policy_text(rounding="凑整")}
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts(texts)
    assert [fault.file for fault in caught.value.faults] == ["乙.yaml"]
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"甲.yaml": texts["甲.yaml"]})
    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(19, 7), (24, 5)]


def test_pol_02_names_that_go_in_a_circle_are_told_with_the_whole_path():
    with pytest.raises(PolicyFaults, match="甲数 → 乙数 → 甲数"):
        trial_book("甲数 > 0 元", values={"甲数": "乙数 + 1 元", "乙数": "甲数"})


def test_pol_02_a_fault_in_a_named_value_is_told_once():
    with pytest.raises(PolicyFaults) as caught:
        trial_book("甲数 > 0 元", "按月(甲数 / 1 年)", values={"甲数": "存宽"})
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("简称: 试算项目", "简称: 试算", "四字简称"),
        ("主管部门: 民政", "主管部门: 民证", "最接近的是“民政”"),
        ("收款: 户主卡\n", "", "缺少“收款”"),
        ("自: 2020-01-01\n名称", "自: 2020-13-01\n名称", "不是日期"),
        ("依据: 试算\n参数", "依据: 试算\n条见: 无\n参数", "最接近的是“条件”"),
        ("650 元/月", "650 元", "单位是 元，应当是 元/月"),
        ("650 元/月", "650", "没有写单位"),
        ("单位: 元/月", "单位: 圆/月", "不认识的单位“圆”"),
        ("名称: 标准", "名称: 年龄", "语言自带的名称"),
        ("四舍五入到分", "四舍五入到厘", "不认识的取整办法"),
        ("    标准", "    标准 * 1 月", "按期间应当是 元/月"),
        ("期间: 月", "期间：月", "冒号请用半角"),
        ("期间: 月", "期间: 月\n期间: 季", "写了两次"),
        ("    说明: 第一条\n", "", "缺少“说明”"),
        ("  - 编号: first", "  - &a\n    编号: first\n    材料: *a", "不支持 YAML 记号 &a"),
    ],
)
def test_pol_02_a_faulty_file_is_refused(old, new, words):
    text = policy_text()
    assert old in text
    with pytest.raises(PolicyFaults, match=words.replace("(", r"\(").replace(")", r"\)")):
        read_book_texts({"试算.yaml": text.replace(old, new, 1)})


def test_pol_02_columns_point_into_quoted_and_folded_text():
    text = policy_text("人口 > 0").replace(">-\n      人口 > 0", '"人口 > 0 and 存宽 > 0"')
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"试算.yaml": text})
    line = text.splitlines()[caught.value.faults[0].line - 1]
    assert line[caught.value.faults[0].column - 1 :].startswith("存宽")
    text = policy_text("人口 > 0\n      and\n      存宽 > 0")
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"试算.yaml": text})
    line = text.splitlines()[caught.value.faults[0].line - 1]
    assert line[caught.value.faults[0].column - 1 :].startswith("存宽")


@pytest.mark.parametrize(
    "condition",
    [
        "人口＞0 且 存款≤100 元",
        "人口 > 0 并且 存款 <= 100元",
        "count（成员，年龄 ≥ 70 或 残疾等级 属于（1，2））＞＝０",
        "户籍类型 ＝ “农业” or 户籍类型 = '非农业'",
        "人口 = 0 or 存款 / 人口 < 700 元",
        "not (人口 = 0) and 存款 / 人口 < 700 元",
        "人口 >= 1 and 存款 / (人口 * 3) < 700 元",
        "存款 / max(1, 人口) < 1.5 万元",
        "年经营净收入 < 按年(标准) and 存款 < 标准 * 12 月",
        "存款 * 15% < 100 元",
        "认定日期 >= 2026年6月1日",
        "max(成员, 移民登记日期) + 20 年 > 认定日期",
    ],
)
def test_pol_02_what_people_type_is_accepted(condition):
    assert trial(condition).conditions[0].expression


def test_pol_02_too_long_and_too_deep_is_refused_not_crashed():
    with pytest.raises(PolicyFaults, match="请拆成几个有名称的数值"):
        trial_book("(" * 100 + "人口" + ")" * 100 + " > 0")
    with pytest.raises(PolicyFaults, match="超过 2000 字"):
        trial_book("人口 > 0" + " and 人口 > 0" * 300)


def test_pol_02_the_remedy_for_a_divisor_is_the_whole_expression():
    with pytest.raises(PolicyFaults) as caught:
        trial_book(amount="(标准 - 按月(年经营净收入)) * 2 / 人口")
    assert "if(人口 > 0, (标准 - 按月(年经营净收入)) * 2 / 人口, 0)" in str(caught.value.faults[0])


@pytest.mark.parametrize("value", ["-650 元/月", "－650 元/月"])
def test_pol_02_a_standard_is_never_below_zero(value):
    text = policy_text().replace("650 元/月", value, 1)
    with pytest.raises(PolicyFaults) as caught:
        read_book_texts({"试算.yaml": text})
    assert "小于零" in str(caught.value.faults[0])
    assert read_book_texts({"试算.yaml": policy_text().replace("650 元/月", "-0 元/月", 1)})


CASE = """
案例:
  - {编号: 今年, 日期: 2021-06-01, 成员: [{}], 结果: {符合: 是, 金额: 650}}
  - {编号: 以后, 日期: 2022-06-01, 成员: [{}], 结果: {符合: 是, 金额: 650}}
"""


def test_pol_02_a_case_of_a_text_that_a_later_one_replaced_is_no_fault():
    later = policy_text().replace("2020-01-01", "2022-01-01").replace("650", "700") + "替代: 是\n"
    results = run_cases(read_book_texts({"旧.yaml": policy_text() + CASE, "新.yaml": later}))
    assert [(each.case, each.passed) for each in results] == [("今年", True), ("以后", True)]
    assert [bool(each.superseded) for each in results] == [False, True] and "700.00" in results[1].superseded
    wrong = policy_text() + CASE.replace("金额: 650", "金额: 651")
    results = run_cases(read_book_texts({"旧.yaml": wrong, "新.yaml": later}))
    assert not results[0].passed, "what holds on its own day is still held to it"
