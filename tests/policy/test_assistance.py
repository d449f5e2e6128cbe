"""Social assistance of the library as one whole: a county that has set its values, everybody determined together.

The worked cases in the files look at one programme each, with the others given; here they are determined in one run.
The county's values are this test's own and stand nowhere else.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from huimin.kernel.places import chain
from huimin.rules import Book, evaluate_all, read_book_texts
from huimin.rules.household_input import household_table
from huimin.rules.layers import Declared
from huimin.rules.typed import Sort

ON = date(2026, 6, 1)
JIAYIN, JINZHAI, HUOSHAN = "230722000000", "341524000000", "341525000000"
ASSISTANCE = (
    "dibao-rural", "dibao-urban", "dibao-marginal", "dibao-single", "tekun", "orphan", "disabled-living",
    "disabled-care", "medical-assistance", "temporary-relief", "temporary-relief-urgent", "rigid-expense",
)  # fmt: skip
VALUES = {
    "低保标准": "600 元/月", "城市低保标准": "700 元/月", "农村低保标准": "600 元/月", "人均金融资产上限": "8000 元",
    "边缘财产上限": "8000 元", "机动车价值上限": "0 元", "房产套数上限": "1 套", "大型农机具数上限": "0 台",
    "工商登记数上限": "0 个", "每人年就业成本": "0 元/年", "不计入的基础养老金": "100 元/月",
    "最低工资标准": "1500 元/月", "低保人均补助水平": "400 元/月", "刚性支出占比": "0.8",
    "每人月基本生活支出": "0 元/月", "上年度人均可支配收入": "24000 元/年",
}  # fmt: skip
HOUSEHOLD: dict[str, object] = {
    "户籍类型": "农业", "承包地亩数": 2, "年经营净收入": 0, "年财产净收入": 0, "年转移净收入": 0, "年其他收入": 0,
    "年刚性医疗支出": 0, "年刚性康复支出": 0, "年刚性教育支出": 0, "机动车数": 0, "房产套数": 1, "大型农机具数": 0,
    "工商登记数": 0, "存款": 0, "有价证券": 0, "其他金融资产": 0, "急难程度": "无", "急难发生日期": "2026-01-01",
}  # fmt: skip
MEMBER: dict[str, object] = {
    "出生日期": "1985-05-01", "月工资": 0, "月养老金": 0, "就业": False, "服刑或强制戒毒": False, "宗教教职年限": 0,
    "残疾等级": 0, "残疾类别": "无", "伤残军人等级": 0, "优抚身份": "无", "重病": False, "军烈属": False,
    "在乡老复员军人": False, "赡养能力": "有", "自理能力失能项数": 0, "供养方式": "分散", "儿童保障身份": "无",
    "在校情况": "否", "全日制": False, "住院医疗费用": 0, "医保报销": 0, "劳动能力": "有",
}  # fmt: skip
Row = Mapping[str, object]


def texts() -> dict[str, str]:
    folder = Path(settings.POLICY_FOLDER)
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.yaml")}


def value_of(declared: Declared) -> str:
    """What this test's county sets: VALUES, else 100 of the unit; a table has it in every row."""
    plain = VALUES.get(declared.name)
    if plain is None:
        plain = "是" if declared.type.sort is Sort.FLAG else f"100 {declared.unit}".replace(" 纯数", "")
    if declared.key is None:
        return f"数值: {plain}"
    rows = [f"{{为: {choice}, 数值: {plain}}}" for choice in declared.key.choices]
    return f"档: [{', '.join(rows)}]" if rows else f"档: [{{为: 1, 数值: {plain}}}], 其余: {plain}"


def county_book(place: str) -> Book:
    """The library, and a file in which this county sets everything that assistance waits for there."""
    book = read_book_texts(texts())
    waiting = book.waiting(chain(place), ON)
    lines = [f'区划: "{place}"', "参数:"]
    for code in ASSISTANCE:
        declared = {d.name: d for layer in book.layers if layer.programme == code for d in layer.declared}
        for name in waiting.get(code, ()):
            lines.append(
                f"  - {{项目: {code}, 名称: {name}, {value_of(declared[name])}, 自: 2025-01-01, 来源: 测试用，未公布}}"
            )
    return read_book_texts({**texts(), "测试县.yaml": "\n".join(lines) + "\n"})


@pytest.fixture(scope="module")
def jiayin() -> Book:
    return county_book(JIAYIN)


def determined(book: Book, place: str, household: Row, members: Sequence[Row]) -> dict[str, list[tuple[int, int]]]:
    """Code → (eligible 1, 0 or -1, 分) of the household or of each member, all programmes in one run."""
    facts = book.facts_at(chain(place))
    table = household_table({**HOUSEHOLD, **household}, [{**MEMBER, **member} for member in members], facts)
    laws = [law for law in book.programmes_in_force(chain(place), ON) if law.code in ASSISTANCE]
    found = evaluate_all(laws, table, ON, threads=1)
    return {
        code: list(zip(outcome.eligible.tolist(), outcome.amount_fen.tolist(), strict=True))
        for code, outcome in found.items()
    }


def granted(found: Mapping[str, list[tuple[int, int]]]) -> set[str]:
    return {code for code, rows in found.items() if any(eligible == 1 for eligible, _ in rows)}


def test_pol_01_once_a_county_has_set_its_values_nothing_waits(jiayin: Book) -> None:
    assert not set(ASSISTANCE) & set(jiayin.waiting(chain(JIAYIN), ON))
    assert set(ASSISTANCE) <= {law.code for law in jiayin.programmes_in_force(chain(JIAYIN), ON)}


def test_pol_01_one_county_setting_its_values_moves_no_other(jiayin: Book) -> None:
    assert "dibao-rural" in jiayin.waiting(chain("230781000000"), ON)
    assert {law.code for law in jiayin.programmes_in_force(chain(JINZHAI), ON)} & set(ASSISTANCE) == {"dibao-rural"}


@pytest.mark.parametrize(
    ("income", "expected"),
    [
        ("8399.99", {"dibao-rural"}),
        ("8400", {"dibao-marginal"}),  # 700 a month: the border county's line is the town's
        ("12599.99", {"dibao-marginal"}),
        ("12600", set()),
    ],
)
def test_det_03_a_household_is_in_one_tier_only(jiayin: Book, income: str, expected: set[str]) -> None:
    """低保 below the line, 低保边缘 up to one and a half, nothing above; never two at once."""
    found = determined(jiayin, JIAYIN, {"年经营净收入": Decimal(income)}, [{}])
    assert granted(found) == expected


def test_det_03_within_a_marginal_household_the_severely_ill_stand_alone(jiayin: Book) -> None:
    """单人户 by the average grant and 15 % of the standard, and only who qualifies; a poor household gets no second one."""
    ill = {"重病": True}
    found = determined(jiayin, JIAYIN, {"年经营净收入": 20000}, [ill, {}])
    assert granted(found) == {"dibao-marginal", "dibao-single"}
    assert found["dibao-single"] == [(1, 505_00), (0, 0)]
    poor = determined(jiayin, JIAYIN, {}, [ill, {}])
    assert granted(poor) == {"dibao-rural"}
    assert poor["dibao-rural"] == [(1, 1505_00)]


def test_det_04_who_is_supported_as_tekun_is_counted_nowhere_else(jiayin: Book) -> None:
    """特困 holders are no members of 低保, and draw no 护理补贴; what they hold decides, not what they might."""
    old = {"出生日期": "1950-05-01", "赡养能力": "无义务人", "残疾等级": 1, "残疾类别": "肢体"}
    holding = {**old, "享受": ["tekun"]}
    found = determined(jiayin, JIAYIN, {}, [holding, {}])
    assert found["tekun"] == [(1, 200_00), (0, 0)]
    assert found["dibao-rural"] == [(1, 700_00)]
    assert found["disabled-care"] == [(0, 0), (0, 0)]
    applying = determined(jiayin, JIAYIN, {}, [old, {}])
    assert applying["tekun"][0][0] == 1
    assert applying["dibao-rural"] == [(1, 1505_00)]
    assert applying["disabled-care"] == [(0, 0), (0, 0)]


def test_det_04_orphan_or_tekun_by_choice_never_both(jiayin: Book) -> None:
    child = {"出生日期": "2015-01-01", "儿童保障身份": "孤儿", "赡养能力": "无义务人"}
    either = determined(jiayin, JIAYIN, {}, [child])
    assert {"tekun", "orphan"} <= granted(either)
    for held, other in (("tekun", "orphan"), ("orphan", "tekun")):
        found = determined(jiayin, JIAYIN, {}, [{**child, "享受": [held]}])
        assert held in granted(found)
        assert other not in granted(found)


def test_det_03_allowances_follow_what_is_held(jiayin: Book) -> None:
    """困难残疾人生活补贴 and 医疗救助 rest on 低保 as granted, not as found eligible."""
    disabled = {"残疾等级": 3, "残疾类别": "听力", "住院医疗费用": 5000, "医保报销": 3000}
    assert not {"disabled-living", "medical-assistance"} & granted(determined(jiayin, JIAYIN, {}, [disabled]))
    held = determined(jiayin, JIAYIN, {"享受": ["dibao-rural"]}, [disabled])
    assert {"disabled-living", "medical-assistance"} <= granted(held)


def test_det_03_a_marginal_household_is_recognised_without_being_paid(jiayin: Book) -> None:
    """Nothing is paid for being 低保边缘, so nobody holds it: what follows from it goes by this determination."""
    found = determined(jiayin, JIAYIN, {"年经营净收入": 9000}, [{"住院医疗费用": 5000, "医保报销": 3000}])
    assert found["dibao-marginal"] == [(1, 0)]
    assert "medical-assistance" in granted(found)


def test_det_05_emergency_relief_asks_for_no_income(jiayin: Book) -> None:
    urgent = {"急难程度": "重", "急难发生日期": "2026-05-31", "年经营净收入": None, "存款": None}
    found = determined(jiayin, JIAYIN, urgent, [{}])
    assert found["temporary-relief-urgent"] == [(1, 100_00)]
    assert found["dibao-rural"][0][0] == -1


def test_det_02_one_region_has_one_basis_of_income(jiayin: Book) -> None:
    """Coefficients set for a city hold in all its counties alike, and in no other city."""
    city = (
        '区划: "341500000000"\n参数:\n'
        + "  - {项目: dibao-rural, 名称: 资源系数, 数值: 0.8, 自: 2022-01-01, 来源: 测试用，未公布}\n"
    )
    book = read_book_texts({**texts(), "测试市.yaml": city})

    def coefficient(place: str) -> object:
        layers = book.programmes_in_force(chain(place), ON, dict.fromkeys(unset(place), "1"), only="dibao-rural")
        return layers[0].parameters["资源系数"].value

    def unset(place: str) -> tuple[str, ...]:
        return book.waiting(chain(place), ON).get("dibao-rural", ())

    assert coefficient(JINZHAI) == coefficient(HUOSHAN) != coefficient("340103000000")
    assert coefficient("340103000000") == 1
