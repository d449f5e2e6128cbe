"""Programmes that ask about each other: 享受, 符合, 排除, one door for all of them (POL-02, DET-01, DET-04)."""

import numpy as np
import pytest

from huimin.kernel.errors import BadInput
from huimin.kernel.places import NATION, chain
from huimin.rules import Book, Held, PolicyFaults, Table, evaluate, evaluate_all, explain, read_book_texts, run_cases
from huimin.rules.engine import CHUNK_HOUSEHOLDS, in_order_of_asking, missing_names
from tests.rules.builders import ON, Household, joined_table, policy_text
from tests.rules.same import same

EXCLUDE = "排除:\n  - {{项目: {code}, 说明: 不兼得, 依据: 试算, 范围: {scope}}}\n金额:"


def two(condition: str, *, unit: str = "户", other: str = "重病", other_unit: str = "人", exclude: str = "") -> Book:
    """`trial` asks about `other`."""
    text = policy_text(condition, unit=unit)
    if exclude:
        text = text.replace("金额:", EXCLUDE.format(code="other", scope=exclude))
    asked = policy_text(other, unit=other_unit).replace("项目: trial", "项目: other").replace("试算项目", "另一项目")
    return read_book_texts({"甲.yaml": text, "乙.yaml": asked})


def trial_of(book: Book):
    return next(p for p in book.programmes_in_force((NATION,), ON) if p.code == "trial")


PEOPLE: list[Household] = [
    ({"机动车数": 1}, [{"重病": True}, {"重病": False}]),
    ({"享受": ["trial"]}, [{"重病": True}, {"重病": True}]),
    ({}, [{"重病": None}, {"重病": False, "享受": ["other"]}]),
    ({"享受": ["trial"], "机动车数": 2}, [{"重病": False}, {}]),
    ({}, []),
    ({}, [{"享受": ["other"]}]),
]


@pytest.mark.parametrize(
    "condition",
    [
        "any(成员, 享受(other))",
        "count(成员, 符合(other)) = 1",
        "any(成员, 符合（“other”）)",
        "all(成员, not 符合(other))",
    ],
)
def test_det_04_asking_about_members_equals_the_reference(condition):
    same(trial_of(two(condition)), PEOPLE)


@pytest.mark.parametrize("scope", ["任一成员", "全体成员"])
def test_pol_02_a_household_is_excluded_by_what_its_members_hold(scope):
    programme = trial_of(two("人口 >= 0", exclude=scope))
    assert [condition.id for condition in programme.conditions] == ["first", "not-other"]
    same(programme, PEOPLE)


def test_pol_02_who_holds_this_programme_keeps_it_until_the_other_is_granted():
    programme = trial_of(two("人口 >= 0", exclude="任一成员"))
    outcome = evaluate(programme, joined_table(PEOPLE), ON)
    assert list(outcome.eligible) == [0, 1, 0, 1, 1, 0]


def test_pol_02_in_a_programme_about_persons_each_is_asked_alone():
    programme = trial_of(two("在户", unit="人", exclude="本人"))
    people = [({}, [{"重病": True}, {"重病": False}, {"享受": ["other"]}, {"重病": True, "享受": ["trial"]}])]
    assert list(evaluate(programme, joined_table(people), ON).eligible) == [0, 1, 0, 1]
    same(programme, people)


def test_pol_02_a_household_programme_counts_for_each_member():
    programme = trial_of(two("享受(other) or 符合(other)", unit="人", other="机动车数 = 1", other_unit="户"))
    same(
        programme, [({"机动车数": 1}, [{}, {}]), ({"享受": ["other"]}, [{}]), ({"机动车数": None}, [{}, {}]), ({}, [])]
    )


def test_det_01_what_the_other_programme_misses_is_missing_here():
    programme = trial_of(two("count(成员, 符合(other)) = 0 and 机动车数 = 0"))
    outcome = evaluate(programme, joined_table([({"机动车数": 0}, [{}])]), ON)
    assert missing_names(programme, int(outcome.missing_mask[0])) == ["重病"]


def test_det_01_all_programmes_by_one_door_each_after_those_it_asks_about():
    programmes = two("count(成员, 符合(other)) = 0").programmes_in_force((NATION,), ON)
    assert [p.code for p in in_order_of_asking(reversed(programmes))] == ["other", "trial"]
    table = joined_table(PEOPLE * 3)
    for code, outcome in evaluate_all(programmes, table, ON).items():
        alone = evaluate(next(p for p in programmes if p.code == code), table, ON)
        assert np.array_equal(outcome.eligible, alone.eligible)


def test_pol_02_programmes_that_ask_in_a_circle_are_a_fault_with_the_whole_chain():
    with pytest.raises(PolicyFaults, match="成了圈：other → trial → other"):
        two("any(成员, 符合(other))", other="符合(trial)")
    two("any(成员, 符合(other))", other="享受(trial)")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("享受(othr)", "最接近的是“other”"),
        ("享受(other)", "“享受(other)”是成员的事实，这里说的是整户"),
        ("符合(trial)", "项目不能以自己是否符合为条件"),
        ("享受(other, trial)", "这里应当是“)”"),
        ("享受 > 3", "不认识的名称“享受”"),
    ],
)
def test_pol_02_a_faulty_question_about_a_programme_is_told(condition, words):
    with pytest.raises(PolicyFaults, match=words.replace("(", r"\(").replace(")", r"\)")):
        two(condition)


def test_pol_02_a_programme_not_in_force_fits_nobody():
    book = two("any(成员, 符合(other))")
    texts = {"甲.yaml": policy_text("any(成员, 符合(other))")}
    asked = (
        policy_text("重病", unit="人")
        .replace("项目: trial", "项目: other")
        .replace("自: 2020-01-01\n名", "自: 2030-01-01\n名")
    )
    later = read_book_texts({**texts, "乙.yaml": asked})
    table = joined_table([({}, [{"重病": True}])])
    assert list(evaluate(trial_of(book), table, ON).eligible) == [1]
    assert list(evaluate(trial_of(later), table, ON).eligible) == [0]


def test_det_07_the_version_changes_with_the_programme_it_rests_on():
    asked = trial_of(two("any(成员, 符合(other))")).version
    assert asked != trial_of(two("any(成员, 符合(other))", other="就业")).version
    assert (
        trial_of(two("any(成员, 享受(other))")).version == trial_of(two("any(成员, 享受(other))", other="就业")).version
    )


def test_pol_02_cases_give_what_is_held_and_fitted():
    case = """\
案例:
  - {编号: 有人符合, 日期: 2026-06-01, 成员: [{符合: [other]}], 结果: {符合: 否, 不符合: [not-other]}}
  - {编号: 已享受, 日期: 2026-06-01, 享受: [trial], 成员: [{符合: [other]}], 结果: {符合: 是, 金额: 650}}
  - {编号: 没写, 日期: 2026-06-01, 成员: [{重病: 是}], 结果: {符合: 是, 金额: 650}}
  - {编号: 写错地方, 日期: 2026-06-01, 户: {享受: [other]}, 成员: [{}], 结果: {符合: 是, 金额: 650}}
"""
    text = policy_text("人口 > 0").replace("金额:", EXCLUDE.format(code="other", scope="任一成员")) + case
    asked = policy_text("重病", unit="人").replace("项目: trial", "项目: other")
    results = run_cases(read_book_texts({"甲.yaml": text, "乙.yaml": asked}))
    assert [result.passed for result in results] == [True, True, True, False]
    assert "请写到“成员”下面" in results[3].fault


def test_det_01_an_explanation_says_why_it_is_excluded():
    programme = trial_of(two("人口 > 0", exclude="任一成员"))
    (told,) = explain(programme, {}, [{"重病": True}], ON)["results"]
    assert [(c["id"], c["met"]) for c in told["conditions"]] == [("first", True), ("not-other", False)]
    with pytest.raises(BadInput, match="一列项目编码"):
        explain(programme, {"享受": "other"}, [{}], ON)


def test_pol_02_a_nearer_place_takes_an_exclusion_out():
    county = '项目: trial\n区划: "341524000000"\n自: 2025-01-01\n排除:\n  - {项目: other, 作废: 是}\n'
    text = policy_text("人口 >= 0").replace("金额:", EXCLUDE.format(code="other", scope="任一成员"))
    asked = policy_text("重病", unit="人").replace("项目: trial", "项目: other")
    book = read_book_texts({"甲.yaml": text, "乙.yaml": asked, "县.yaml": county})
    found = {p.code: p for p in book.programmes_in_force(chain("341524100000"), ON)}
    assert [c.id for c in found["trial"].conditions] == ["first"]


def test_det_07_held_rows_follow_their_households_through_chunks():
    """As many members as households, of whom some have none: what is held still stands with its own."""
    houses = [({}, [{}, {"享受": ["other"]}]), ({}, [])] * 4
    small, copies = joined_table(houses), CHUNK_HOUSEHOLDS // 8 + 3
    counts = np.tile(np.diff(small.offsets), copies)
    large = Table(
        {}, {code: type(c)(np.tile(c.values, copies), np.tile(c.known, copies)) for code, c in small.members.items()},
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        {code: Held(*(np.tile(part, copies) for part in (h.amount_fen, h.since, h.phase_out_since))) for code, h in small.held.items()},
    )  # fmt: skip
    programme = trial_of(two("any(成员, 享受(other))"))
    outcome = evaluate(programme, large, ON, threads=2)
    assert np.array_equal(outcome.eligible, np.tile([1, 0], 4 * copies))
