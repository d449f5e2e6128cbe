"""Caps, floors, rounding, periods, part periods and phase-out (POL-02, DET-01, DET-06)."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.errors import BadInput
from huimin.kernel.places import NATION
from huimin.rules import (
    PolicyFaults,
    Programme,
    evaluate,
    explain,
    grounds,
    read_book_texts,
    run_cases,
    share_of_period,
)
from huimin.rules.engine import missing_names
from tests.rules.builders import ON, joined_table, policy_text
from tests.rules.same import SLOW, same


def law(text: str) -> Programme:
    return read_book_texts({"额.yaml": text}).programmes_in_force((NATION,), ON)[0]


def amount_text(
    amount: str, more: str, *, unit: str = "户", rounding: str = "四舍五入到元", condition: str = ""
) -> str:
    text = policy_text(condition or ("人口 >= 0" if unit == "户" else "在户"), amount, unit=unit, rounding=rounding)
    return text.replace("金额:\n", f"金额:\n{more}")


WAGES = [
    ({}, [{"月工资": wage} for wage in wages]) for wages in [(1.5, 2.49, 0.5), (0.49,), (), (1000, 1.5), (None, 3)]
]


def test_pol_02_each_member_is_rounded_and_then_summed():
    summed = law(amount_text("月工资", "  合计: 每人取整后相加\n"))
    assert list(evaluate(summed, joined_table(WAGES[:4]), ON).amount_fen) == [500, 0, 0, 100200]
    same(summed, WAGES)
    plain = law(amount_text("sum(成员, 月工资)", ""))
    assert list(evaluate(plain, joined_table(WAGES[:4]), ON).amount_fen) == [400, 0, 0, 100200]


@pytest.mark.parametrize("rounding", ["四舍五入到角", "进一到元", "舍去到分"])
@pytest.mark.parametrize(
    "more", ["  封顶: 标准 / 3\n", "  保底: 2.005 元/月\n", "  封顶: 人口 * 1.5 元/月\n  保底: 1 元/月\n"]
)
def test_pol_02_floor_then_cap_then_rounding_equals_the_reference(more, rounding):
    same(
        law(
            amount_text(
                "sum(成员, 月工资 * 1.0005)",
                more.replace("人口 * 1.5 元/月", "人口 / 1 人 * 1.5 元/月"),
                rounding=rounding,
            )
        ),
        WAGES,
    )
    each = more + "  合计: 每人取整后相加\n"
    same(
        law(amount_text("月工资 / 3", each.replace("人口 * 1.5 元/月", "人口 / 1 人 * 1.5 元/月"), rounding=rounding)),
        WAGES,
    )


def test_pol_02_a_cap_is_never_exceeded_and_a_floor_is_reached():
    capped = law(amount_text("月工资", "  封顶: 700 元/月\n  保底: 2 元/月\n", unit="人"))
    assert list(evaluate(capped, joined_table([WAGES[3], WAGES[0]]), ON).amount_fen) == [70000, 200, 200, 200, 200]


@pytest.mark.parametrize(
    ("amount", "more", "unit", "words"),
    [
        ("标准", "  封顶: 700 元\n", "户", "按期间应当是 元/月"),
        ("标准", "  封顶: 月工资\n", "户", "是成员的事实"),
        ("标准", "  合计: 每人取整后相加\n", "户", "算式说的是整户"),
        ("月工资", "  合计: 每人取整后相加\n", "人", "合计只用于按户的项目"),
        ("月工资", "  合计: 相加\n", "户", "可写 每人取整后相加"),
        ("标准", "  不足期: 半月\n", "户", "可写的有：按月、按日、整期、次月起"),
        ("标准", "  封项: 3 元/月\n", "户", "最接近的是“封顶”"),
    ],
)
def test_pol_02_a_faulty_amount_is_refused(amount, more, unit, words):
    with pytest.raises(PolicyFaults) as caught:
        law(amount_text(amount, more, unit=unit))
    assert words in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("period", "unit", "code"),
    [("月", "元/月", "month"), ("季", "元/季", "quarter"), ("半年", "元/半年", "half_year"), ("年", "元/年", "year"), ("一次", "元", "once")],
)  # fmt: skip
def test_pol_02_every_period_has_its_unit(period, unit, code):
    amount = "标准 * 1 月" if period == "一次" else {"月": "标准"}.get(period, f"按{period}(标准)")
    found = law(policy_text(amount=amount).replace("期间: 月", f"期间: {period}"))
    assert found.period == code
    months = {"half_year": 6, "quarter": 3, "year": 12}.get(code, 1)
    assert list(evaluate(found, joined_table([({}, [{}])]), ON).amount_fen) == [65000 * months]
    with pytest.raises(PolicyFaults, match=f"按期间应当是 {unit}"):
        law(policy_text(amount="标准 * 1 月 * 1 月").replace("期间: 月", f"期间: {period}"))


@pytest.mark.parametrize(
    ("word", "code"),
    [("按月", "monthly"), ("按季", "quarterly"), ("按半年", "half_yearly"), ("按年", "yearly"), ("一次", "once")],
)
def test_pol_02_every_rhythm_of_payment(word, code):
    assert law(policy_text().replace("发放: 按月", f"发放: {word}")).payout == code


@pytest.mark.parametrize(
    ("rule", "begins", "ends", "share"),
    [
        ("by_month", date(2026, 2, 28), None, Fraction(2, 3)),
        ("by_month", date(2025, 1, 1), None, 1),
        ("by_day", date(2026, 2, 28), None, Fraction(32, 90)),
        ("by_day", date(2026, 1, 1), date(2026, 1, 2), Fraction(1, 90)),
        ("whole", date(2026, 3, 31), None, 1),
        ("whole", date(2026, 4, 1), None, 0),
        ("next_month", date(2026, 2, 28), None, Fraction(1, 3)),
        ("next_month", date(2026, 2, 1), None, Fraction(2, 3)),
        ("next_month", date(2026, 3, 2), None, 0),
        ("next_month", date(2025, 12, 31), None, 1),
        ("by_month", date(2025, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_pol_02_a_part_of_a_period(rule, begins, ends, share):
    assert share_of_period(rule, begins, ends, date(2026, 1, 1), date(2026, 4, 1)) == share


def test_pol_02_a_programme_says_its_part_period():
    assert law(amount_text("标准", "  不足期: 次月起\n")).part_period == "next_month"
    assert law(policy_text()).part_period == ""


# -- 渐退

PHASING = """\
渐退:
  触发: [income]
  前提: 人口 > 1
  月数: 渐退月数
  比例: [{月: 1-2, 数值: 100%}, {月: 3-6, 数值: 第二档比例}, {月: 7起, 数值: 33.333%}]
  依据: 试算
"""


def phasing_text(phasing: str = PHASING, *, unit: str = "户") -> str:
    income = "按月(年经营净收入) < 标准" if unit == "户" else "月工资 < 标准"
    text = policy_text(income, "标准", unit=unit, rounding="四舍五入到角")
    text = text.replace("编号: first", "编号: income").replace(
        "金额:",
        '  - {编号: cars, 说明: 没有车, 算式: 机动车数 = 0 or 户籍类型 = "非农业", 依据: 试算}\n' + phasing + "金额:",
        1,
    )
    return text.replace(
        "参数:",
        "参数:\n  - {名称: 渐退月数, 单位: 月, 数值: 8 月, 自: 2020-01-01, 来源: 试算}\n"
        "  - {名称: 第二档比例, 单位: 纯数, 数值: 80%, 自: 2020-01-01, 来源: 试算}",
    )


def holder(income, cars, hukou, since, heads=2, granted=123.45):
    held = {"项目": "trial", "金额": granted} | ({"渐退自": since} if since else {})
    return {"年经营净收入": income, "机动车数": cars, "户籍类型": hukou, "享受": [held]}, [{} for _ in range(heads)]


SINCE = [
    None,
    "2026-06-30",
    "2026-05-31",
    "2026-04-01",
    "2026-01-31",
    "2025-12-01",
    "2025-11-30",
    "2025-10-31",
    "2027-01-01",
]


@SLOW
@given(
    st.lists(
        st.builds(
            holder, st.sampled_from([0, 7800, None]), st.sampled_from([0, 1, None]), st.sampled_from(["农业", "非农业", None]),
            st.sampled_from(SINCE), st.sampled_from([1, 2]), st.sampled_from([0.01, 123.45, 650]),
        ), min_size=1, max_size=8,
    )
)  # fmt: skip
def test_det_06_phase_out_equals_the_reference(households):
    same(PHASED, households)


PHASED = law(phasing_text())


def test_det_06_the_share_falls_month_by_month_and_ends():
    told = [holder(7800, 0, "农业", since, granted=500) for since in SINCE[:8]]
    outcome = evaluate(PHASED, joined_table(told), ON)
    assert list(outcome.amount_fen) == [50000, 50000, 50000, 40000, 40000, 16670, 16670, 0]
    assert list(outcome.phase_out) == [True] * 7 + [False]
    assert list(outcome.eligible) == [1] * 7 + [0]
    assert grounds(PHASED, outcome, 0) == ("渐退：不再符合第一条（试算）", "渐退期内按比例发给（试算）")


def test_det_06_who_fails_something_else_or_holds_nothing_leaves_at_once():
    rows = [
        holder(7800, 1, "农业", None),
        ({"年经营净收入": 7800, "机动车数": 0}, [{}, {}]),
        holder(7800, 0, "农业", None, heads=1),
    ]
    outcome = evaluate(PHASED, joined_table(rows), ON)
    assert (list(outcome.eligible), list(outcome.phase_out)) == ([0, 0, 0], [False] * 3)
    outcome = evaluate(PHASED, joined_table([holder(7800, None, "农业", None)]), ON)
    assert missing_names(PHASED, int(outcome.missing_mask[0])) == ["机动车数"]


def test_det_06_phase_out_of_persons_and_in_cases():
    case = """\
案例:
  - 编号: 渐退第三个月
    日期: 2026-06-01
    户: {机动车数: 0}
    成员: [{月工资: 650, 享受: [{项目: trial, 金额: 100, 自: 2024-01-01, 渐退自: 2026-04-20}]}, {月工资: 650}]
    结果: [{符合: 是, 金额: 80, 渐退: 是}, {符合: 否, 不符合: [income], 渐退: 否}]
  - 编号: 没写金额
    日期: 2026-06-01
    户: {机动车数: 0}
    成员: [{月工资: 650, 享受: [trial]}, {月工资: 650}]
    结果: [{符合: 是, 金额: 80}, {符合: 否}]
"""
    text = phasing_text(unit="人")
    results = run_cases(read_book_texts({"额.yaml": text + case}))
    assert [result.passed for result in results] == [True, False], results
    assert "渐退按原来发给的金额计算" in results[1].fault
    people = [
        ({"机动车数": 0}, [{"月工资": w, "享受": [{"项目": "trial", "金额": 100}]} for w in (649, 650, None)] + [{}])
    ]
    same(law(text), people)


def test_det_06_an_explanation_says_that_it_is_phased_out():
    (told,) = explain(PHASED, *holder(7800, 0, "农业", "2026-04-01"), ON)["results"]
    assert (told["eligible"], told["phase_out"], told["amount_fen"]) == (True, True, 9880)
    with pytest.raises(BadInput, match="大于零的元"):
        explain(PHASED, {"享受": [{"项目": "trial", "金额": -1}]}, [], ON)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[income]", "[incom]", "最接近的是“income”"),
        ("[income]", "[]", "没有写触发的条件"),
        ("3-6", "4-6", "没有从第 3 个月起"),
        ("1-2", "2-2", "没有从第 1 个月起"),
        ("1-2", "1-x", "不是月份"),
        ("月数: 渐退月数", "月数: 标准", "月数写的是"),
        ("数值: 100%", "数值: 人口", "比例要写一个百分数"),
        ("前提: 人口 > 1", "前提: 人口", "应当是条件"),
        ("  月数: 渐退月数\n", "", "缺少“月数”"),
    ],
)
def test_det_06_a_faulty_phase_out_is_refused(old, new, words):
    with pytest.raises(PolicyFaults) as caught:
        law(phasing_text(PHASING.replace(old, new)))
    assert words in str(caught.value), str(caught.value)


def test_det_06_a_nearer_place_takes_phase_out_away():
    county = '项目: trial\n区划: "341524000000"\n自: 2025-01-01\n渐退: {作废: 是}\n'
    book = read_book_texts({"额.yaml": phasing_text(), "县.yaml": county})
    found = book.programmes_in_force((NATION, "341524000000"), ON)[0]
    assert list(evaluate(found, joined_table([holder(7800, 0, "农业", None)]), ON).eligible) == [0]
