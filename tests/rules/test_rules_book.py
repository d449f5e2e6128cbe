"""Layers, versions, parameters and worked cases (POL-01, POL-02, DET-07); explanations of one household (DET-01)."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS
from huimin.kernel.places import NATION, chain
from huimin.policy.book_cli import policy
from huimin.rules import (
    AmountNegative,
    Book,
    NumberTooLarge,
    PolicyFaults,
    evaluate,
    explain,
    grounds,
    read_book,
    read_book_texts,
    run_cases,
)
from huimin.rules.household_input import household_table
from tests.rules.builders import ON, joined_table, policy_text, trial, trial_book

POLICY = Path(__file__).resolve().parents[2] / "policy"
VILLAGE = "341524100001"
COUNTY_VALUE = """\
区划: "341524000000"
参数:
  - {项目: trial, 名称: 标准, 数值: 700 元/月, 自: 2024-01-01, 来源: 县文件}
  - {项目: trial, 名称: 标准, 数值: 720 元/月, 自: 2027-01-01, 来源: 县文件}
"""
COUNTY_LAYER = """\
项目: trial
区划: "341524000000"
自: 2025-01-01
条件:
  - {编号: first, 说明: 两人以上, 算式: 人口 >= 2, 依据: 县文件}
  - {编号: second, 说明: 没有车, 算式: 机动车数 = 0, 依据: 县文件, 材料: 车辆登记查询结果}
"""


@pytest.fixture(scope="module")
def shipped() -> Book:
    return read_book(POLICY)


def test_pol_02_every_shipped_case_passes_and_each_programme_has_three(shipped):
    results = run_cases(shipped)
    assert [result for result in results if not result.passed] == []
    for code in shipped.codes:
        assert sum(result.programme == code for result in results) >= 3


def test_pol_01_the_programmes_in_force_at_a_village(shipped):
    found = {p.code: p for p in shipped.programmes_in_force(chain(VILLAGE), ON)}
    assert sorted(found) == ["dibao-rural", "reservoir-migrant"]
    dibao, migrant = found["dibao-rural"], found["reservoir-migrant"]
    assert (dibao.unit, dibao.period, dibao.payout, dibao.payee) == ("household", "month", "quarterly", "head")
    assert (migrant.unit, migrant.period, migrant.payout, migrant.payee) == ("person", "year", "quarterly", "own")
    assert (dibao.department, migrant.department) == ("civil_affairs", "water")
    assert all(len(programme.abbreviation) == 4 for programme in found.values())
    (grain,) = shipped.programmes_in_force(chain(VILLAGE), date(2021, 8, 1), only="grain-one-off")
    assert grain.parameters["每亩补贴标准"].value == Fraction("18.34")


def test_pol_01_numbers_of_the_sample_county_say_that_they_are_assumptions(shipped):
    (dibao,) = shipped.programmes_in_force(chain(VILLAGE), ON, only="dibao-rural")
    local = [value for value in dibao.parameters.values() if value.division == "341524000000"]
    assert local
    assert all(value.assumption and "假设" in value.source for value in local)


def test_pol_02_the_nearest_place_wins_and_the_newest_there():
    texts = {"国.yaml": policy_text(), "县值.yaml": COUNTY_VALUE, "县.yaml": COUNTY_LAYER}
    book = read_book_texts(texts)

    def standard(place: str, on: date) -> Fraction:
        return book.programmes_in_force(chain(place), on)[0].parameters["标准"].value

    assert standard("110000000000", ON) == 650
    assert standard(VILLAGE, date(2023, 12, 31)) == 650
    assert standard(VILLAGE, date(2024, 1, 1)) == 700
    assert standard(VILLAGE, date(2027, 1, 1)) == 720
    before = book.programmes_in_force(chain(VILLAGE), date(2024, 12, 31))[0]
    after = book.programmes_in_force(chain(VILLAGE), date(2025, 1, 1))[0]
    assert [c.id for c in before.conditions] == ["first"]
    assert [(c.id, c.text) for c in after.conditions] == [("first", "两人以上"), ("second", "没有车")]


def test_det_07_a_version_changes_with_any_layer_and_with_nothing_else():
    texts = {"国.yaml": policy_text(), "县值.yaml": COUNTY_VALUE, "县.yaml": COUNTY_LAYER}

    def version(**changed: str) -> str:
        return read_book_texts({**texts, **changed}).programmes_in_force(chain(VILLAGE), ON)[0].version

    assert version() == version()
    assert version().startswith("trial@2025-01-01#")
    assert len(version().split("#")[1]) == 12
    assert version(**{"国.yaml": policy_text() + "# 注释不算改动\n"}) == version()
    assert version(**{"国.yaml": policy_text().replace("第一条", "第一项")}) != version()
    assert version(**{"县值.yaml": COUNTY_VALUE.replace("700", "701")}) != version()
    assert version(**{"县值.yaml": COUNTY_VALUE.replace("县文件", "县公告")}) != version()


def test_pol_02_a_parameter_without_a_value_is_refused_never_zero(shipped):
    with pytest.raises(BadInput, match=r"低保标准.*没有数值"):
        shipped.programmes_in_force(chain("110000000000"), ON, only="dibao-rural")
    nationwide = policy_text().replace(", 数值: 650 元/月, 自: 2020-01-01, 来源: 试算", "")
    with pytest.raises(BadInput, match="没有数值"):
        read_book_texts({"国.yaml": nationwide}).programmes_in_force((NATION,), ON, only="trial")
    two = nationwide.replace("参数:", "参数:\n  - {名称: 限额, 单位: 元}")
    with pytest.raises(PolicyFaults, match="“限额”在 341524000000 自 2024-01-01 起没有数值"):
        read_book_texts({"国.yaml": two, "县值.yaml": COUNTY_VALUE})


def test_pol_02_a_later_layer_may_bring_a_parameter_of_its_own():
    """A value is held against the layers of its own time, not against those that knew nothing of it."""
    later = (
        '项目: trial\n区划: "341524000000"\n自: 2025-01-01\n参数:\n'
        "  - {名称: 加发, 单位: 元/月, 数值: 50 元/月, 自: 2025-01-01, 来源: 县文件}\n"
        "金额: {算式: 标准 + 加发, 取整: 四舍五入到分, 依据: 县文件}\n"
    )
    book = read_book_texts({"国.yaml": policy_text(), "县.yaml": later})
    before, after = (book.programmes_in_force(chain(VILLAGE), day)[0] for day in (date(2024, 12, 31), date(2025, 1, 1)))
    assert sorted(before.parameters) == ["标准"]
    assert sorted(after.parameters) == ["加发", "标准"]


def test_pol_01_nobody_set_it_waits_but_a_monthly_grant_that_lost_its_value_is_refused():
    """Waiting must never stop in silence what people draw every month."""
    unset = policy_text().replace(", 数值: 650 元/月, 自: 2020-01-01, 来源: 试算", "")
    ended = policy_text().replace("自: 2020-01-01, 来源", "自: 2020-01-01, 至: 2025-12-31, 来源")
    never = read_book_texts({"国.yaml": unset})
    assert never.programmes_in_force((NATION,), ON) == ()
    assert never.waiting((NATION,), ON) == {"trial": ("标准",)}
    monthly = read_book_texts({"国.yaml": ended})
    assert monthly.waiting((NATION,), ON) == {}
    with pytest.raises(BadInput, match="没有数值"):
        monthly.programmes_in_force((NATION,), ON)
    yearly = read_book_texts({"国.yaml": ended.replace("期间: 月", "期间: 一次").replace("元/月", "元")})
    assert yearly.programmes_in_force((NATION,), ON) == ()
    assert yearly.waiting((NATION,), ON) == {"trial": ("标准",)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("名称: 标准", "名称: 标难"), "最接近的是“标准”"),
        (("项目: trial", "项目: trail"), "最接近的是“trial”"),
        (("700 元/月", "700 元/年"), "应当是 元/月"),
        (("2027-01-01", "2024-01-01"), "同一地方同一日期写了两次"),
        (("来源: 县文件", "来源: ''"), "应当写文字"),
        (('"341524000000"', "金寨县"), "不是区划代码"),
    ],
)
def test_pol_02_a_faulty_county_file_is_refused(change, words):
    with pytest.raises(PolicyFaults, match=words):
        read_book_texts({"国.yaml": policy_text(), "县值.yaml": COUNTY_VALUE.replace(*change)})


def test_pol_02_a_layer_without_its_upper_layer_is_refused():
    with pytest.raises(PolicyFaults, match="缺少“名称”"):
        read_book_texts({"县.yaml": COUNTY_LAYER})


def test_pol_02_a_parameter_that_divides_may_not_be_zero():
    text = policy_text("存款 / 标准 < 3 月").replace("650 元/月", "0 元/月")
    with pytest.raises(PolicyFaults, match="为零，而算式用它作除数"):
        read_book_texts({"国.yaml": text})
    book = trial_book("存款 / 标准 < 3 月")
    with pytest.raises(BadInput, match="为零"):
        book.programmes_in_force((NATION,), ON, {"标准": "0"})


def test_pol_02_a_wrong_case_is_told_with_what_was_expected():
    case = "案例:\n  - {编号: 错的, 日期: 2026-06-01, 成员: [{}], 结果: {符合: 是, 金额: 1}}\n"
    (result,) = run_cases(read_book_texts({"国.yaml": policy_text() + case}))
    assert "金额应为 1.00，算得 650.00" in result.fault


def test_pol_02_a_case_that_comes_out_unknown_names_what_it_lacks():
    case = "案例:\n  - {编号: 缺的, 日期: 2026-06-01, 户: {机动车数: 1}, 结果: {符合: 是}}\n"
    text = policy_text("存款 < 100 元 or 机动车数 = 0")
    (result,) = run_cases(read_book_texts({"国.yaml": text + case}))
    assert result.fault == "符合应为 是，算得 未知（缺少：存款）"


def test_det_01_what_is_unknown_is_neither_zero_nor_false_and_names_its_paper():
    programme = trial("存款 < 100 元 or 机动车数 = 0", "标准")
    outcome = evaluate(programme, joined_table([({"机动车数": 1}, []), ({"机动车数": 0}, []), ({}, [])]), ON)
    assert list(outcome.eligible) == [-1, 1, -1]
    assert list(outcome.amount_fen) == [0, 65000, 0]
    assert "缺少：存款（银行存款查询结果）" in grounds(programme, outcome, 0)
    assert not any("机动车数" in line for line in grounds(programme, outcome, 0))
    assert grounds(programme, outcome, 1) == ("符合：第一条（试算）",)


def test_det_01_nobody_to_compare_is_unknown():
    programme = trial("max(成员, 年龄) > 60")
    told = explain(programme, {}, [], ON)["results"][0]
    assert (told["eligible"], told["missing"]) == (None, ["成员"])


def test_det_01_too_large_is_refused_not_wrapped():
    programme = trial("存款 * 1000000000000 * 存款 > 0 元 * 1 元")
    table = joined_table([({"存款": 9_000_000_000_000}, [])])
    with pytest.raises(NumberTooLarge, match="过大"):
        evaluate(programme, table, ON)


def test_det_01_a_negative_amount_is_refused():
    with pytest.raises(AmountNegative, match="负的金额"):
        evaluate(trial("人口 >= 0", "-标准"), joined_table([({}, [])]), ON)


def test_det_01_no_household_is_no_result():
    table = joined_table([({}, [])]).cut(0, 0)
    outcome = evaluate(trial(), table, ON)
    assert (len(outcome.eligible), outcome.amount_fen.dtype) == (0, np.int64)


def test_det_01_the_living_and_resident_are_the_members():
    """No date of death or departure means living and resident; the day itself counts as gone."""
    members = [{}, {"死亡日期": "2026-06-01"}, {"死亡日期": "2026-06-02"}, {"迁出日期": "2025-01-01"}]
    table = joined_table([({}, members)])
    assert list(evaluate(trial("人口 = 2"), table, ON).eligible) == [1]
    assert list(evaluate(trial("在户", unit="人"), table, ON).eligible) == [1, 0, 1, 0]


def test_det_01_an_explanation_has_the_numbers_in_it(shipped):
    (dibao,) = shipped.programmes_in_force(chain(VILLAGE), ON, {"低保标准": "700"}, only="dibao-rural")
    told = explain(dibao, {"年经营净收入": 7200}, [{"月工资": 0}], ON, place=VILLAGE)
    assert (told["place"], told["date"]) == (VILLAGE, "2026-06-01")
    (result,) = told["results"]
    assert result["eligible"] is None
    assert {"户籍类型", "存款", "月养老金"} <= set(result["missing"])
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize(
    ("household", "members", "words"),
    [
        ({"存宽": 1}, [], "户.存宽.*最接近的是“存款”"),
        ({"年龄": 70}, [], "由系统推算.*出生日期"),
        ({"月工资": 70}, [], "是成员的事实"),
        ({}, [{"存款": 70}], r"成员\[0\].存款.*是户的事实"),
        ({"存款": "70"}, [], "存款.*应当是金额"),
        ({"存款": 0.001}, [], "至多两位小数"),
        ({"存款": True}, [], "应当是金额"),
        ({"机动车数": 1.5}, [], "应当是整数"),
        ({"机动车数": -1}, [], "不能小于零"),
        ({"存款": 10**16}, [], "过大"),
        ({"户籍类型": "农民"}, [], '没有 "农民" 这个选项.*农业'),
        ({}, [{"就业": "是"}], "true 或 false"),
        ({}, [{"出生日期": "1950-02-30"}], "出生日期.*应当是日期"),
    ],
)
def test_det_01_wrong_facts_are_refused_with_place_and_remedy(household, members, words):
    with pytest.raises(BadInput, match=words):
        household_table(household, members, FACTS)


# -- the command line


def _run(*arguments: str, facts: str = '{"户": {}, "成员": []}'):
    base = ["explain", "--place", VILLAGE, "--date", "2026-06-01", "--facts", "-", "--json"]
    return CliRunner().invoke(policy, [*base, *arguments], input=facts)


def test_det_01_explain_prints_json():
    done = _run(
        "--programme", "dibao-rural", "--set", "低保标准=700 元/月", facts='{"户": {"存款": 10.50}, "成员": [{}]}'
    )
    assert done.exit_code == 0
    (result,) = json.loads(done.stdout)["results"]
    assert "低保标准 700.00 (--set)" in json.dumps(result, ensure_ascii=False)
    assert (result["programme"], result["unit"], result["member"]) == ("dibao-rural", "household", None)


@pytest.mark.parametrize(
    ("arguments", "facts", "words"),
    [
        (["--date", "2026-6-1"], "{}", "--date"),
        (["--place", "金寨县"], "{}", "--place"),
        (["--programme", "dibao"], "{}", "--programme"),
        (["--set", "低保=1"], "{}", "最接近的是“低保标准”"),
        (["--set", "低保标准"], "{}", "--set"),
        (["--set", "低保标准=很多"], "{}", "应写成例如 650 元/月"),
        (["--folder", "/nowhere"], "{}", "/nowhere"),
        ([], '{"户": {"存款": 1,}}', "第 1 行"),
        ([], "[]", "应当是一个对象"),
        ([], '{"户": [], "成员": []}', "“户”应当是一个对象"),
        ([], '{"成员": [1]}', "“成员”应当是一列对象"),
        ([], '{"人": []}', "不认识“人”"),
        ([], '{"户": {"存款": NaN}}', "不是数"),
        ([], '{"户": {"存款": 1, "存款": 2}}', "写了两次"),
        ([], '{"户": {"存款": 1e999999}}', "存款"),
        (["--facts", "/nowhere.json"], "", "读不到事实文件"),
    ],
)
def test_det_01_explain_refuses_in_one_sentence(arguments, facts, words):
    done = _run(*arguments, facts=facts)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_pol_02_check_counts_and_fails_on_any_fault(tmp_path):
    done = CliRunner().invoke(policy, ["check"])
    assert (done.exit_code, "不符 0 个" in done.stdout) == (0, True)
    case = "  - {编号: 一人, 日期: 2026-06-01, 成员: [{}], 结果: {符合: 是, 金额: 650}}\n"
    (tmp_path / "a.yaml").write_text(policy_text() + "案例:\n" + case * 2, encoding="utf-8")
    done = CliRunner().invoke(policy, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "a.yaml 第 1 行第 1 列：项目 trial 有 2 个案例，至少要写三个" in done.stderr
    told = json.loads(CliRunner().invoke(policy, ["check", str(tmp_path), "--json"]).stdout)
    assert told["few_cases"] == {"trial": 2}
    (tmp_path / "a.yaml").write_text(policy_text("存宽 > 0"), encoding="utf-8")
    done = CliRunner().invoke(policy, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "第 19 行第 7 列" in done.stderr


def test_pol_01_a_programme_waits_where_no_county_has_set_its_values():
    two = policy_text().replace("参数:", "参数:\n  - {名称: 限额, 单位: 元}")
    city = COUNTY_VALUE.replace("341524000000", "341500000000")
    book = read_book_texts({"国.yaml": two, "市值.yaml": city})
    assert book.programmes_in_force(chain(VILLAGE), ON) == ()
    assert book.waiting(chain(VILLAGE), ON) == {"trial": ("限额",)}
    with pytest.raises(BadInput, match=r"“限额”.*没有数值"):
        book.programmes_in_force(chain(VILLAGE), ON, only="trial")
    tried = book.programmes_in_force(chain(VILLAGE), ON, {"限额": "100 元"})
    assert [programme.code for programme in tried] == ["trial"]


def test_pol_02_a_place_may_value_what_another_looks_up_from_afar():
    """The minimum wage where one works stands at that place, whose own layers do not speak of it (DET-03)."""
    base = policy_text(unit="人", condition="在户")
    facts = "区划: '230700000000'\n事实: [{名称: 务工地区划, 编码: work_division, 对象: 人, 类型: 区划}]\n"
    local = (
        "项目: trial\n区划: '230700000000'\n自: 2020-01-01\n参数:\n"
        "  - {名称: 最低工资, 单位: 元/月, 数值: 1500 元/月, 自: 2020-01-01, 来源: 试算}\n"
        "金额: {算式: 就业地(最低工资), 取整: 四舍五入到分, 依据: 试算}\n"
    )
    afar = "区划: '110000000000'\n参数:\n  - {项目: trial, 名称: %s, 数值: 2000 %s, 自: 2020-01-01, 来源: 试算}\n"
    texts = {"国.yaml": base, "事实.yaml": facts, "市.yaml": local}
    book = read_book_texts({**texts, "外地.yaml": afar % ("最低工资", "元/月")})
    (law,) = book.programmes_in_force(chain("230722000000"), ON)
    result = explain(law, {}, [{"务工地区划": "110101000000"}], ON, facts=book.facts_at(chain("230722000000")))
    assert result["results"][0]["amount_fen"] == 2000_00
    with pytest.raises(PolicyFaults, match="没有“最低工钱”这个参数"):
        read_book_texts({**texts, "外地.yaml": afar % ("最低工钱", "元/月")})
    with pytest.raises(PolicyFaults, match="应当是 元/月"):
        read_book_texts({**texts, "外地.yaml": afar % ("最低工资", "元/年")})


LIMITED = """\
项目: trial
区划: "340000000000"
自: 2023-01-01
参数:
  - {名称: 省定最低标准, 单位: 元/月, 数值: 660 元/月, 自: 2023-01-01, 来源: 省文件}
  - {名称: 标准, 单位: 元/月, 不低于: 省定最低标准}
"""
NEAR = COUNTY_VALUE.split("  - {项目: trial, 名称: 标准, 数值: 720")[0]


def test_pol_01_a_value_below_the_floor_from_above_is_refused():
    texts = {"国.yaml": policy_text().replace("数值: 650", "数值: 670"), "省.yaml": LIMITED}
    book = read_book_texts({**texts, "县值.yaml": NEAR})
    assert book.programmes_in_force(chain(VILLAGE), ON, {"标准": "1 元/月"})[0].parameters["标准"].overridden
    below = NEAR.replace("700", "659.99")
    with pytest.raises(
        PolicyFaults, match=r"县值\.yaml 第 3 行.*“标准”是 659\.99 元/月，低于“省定最低标准”的 660 元/月"
    ):
        read_book_texts({**texts, "县值.yaml": below})
    read_book_texts({**texts, "县值.yaml": NEAR.replace("700", "660")})
    with pytest.raises(PolicyFaults, match="高于“省定最低标准”"):
        read_book_texts({**texts, "省.yaml": LIMITED.replace("不低于", "不高于"), "县值.yaml": NEAR})
    county = '项目: trial\n区划: "341524000000"\n自: 2023-01-01\n参数:\n  - {名称: 标准, 单位: 元/月}\n'
    with pytest.raises(PolicyFaults, match="低于“省定最低标准”"):
        read_book_texts({**texts, "县.yaml": county, "县值.yaml": below})


@pytest.mark.parametrize(
    ("name", "words"), [("省定最底标准", "最接近的是“省定最低标准”"), ("别的", "不同类，不能比较")]
)
def test_pol_01_a_faulty_floor_is_refused(name, words):
    text = (
        LIMITED.replace("不低于: 省定最低标准", f"不低于: {name}")
        + "  - {名称: 别的, 单位: 元, 数值: 1 元, 自: 2023-01-01, 来源: 省}\n"
    )
    with pytest.raises(PolicyFaults, match=words):
        read_book_texts({"国.yaml": policy_text(), "省.yaml": text})
