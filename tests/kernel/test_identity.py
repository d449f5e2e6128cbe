"""REG-04: identity numbers are read in every spelling, and refused with the reason."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.errors import BadInput
from huimin.kernel.identity import (
    CHECK_CHARACTERS,
    BadIdentityNumber,
    check_digit,
    normalise_identity,
    parse_identity,
)

STANDARD_EXAMPLE = "11010519491231002X"  # the example printed in GB 11643


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, date, int]:
    birth = draw(st.dates(date(1900, 1, 1), date(2021, 6, 25)))
    sequence = draw(st.integers(0, 999))
    first17 = f"341599{birth:%Y%m%d}{sequence:03d}"
    return first17 + check_digit(first17), birth, sequence


def test_the_example_of_the_standard() -> None:
    identity = parse_identity(STANDARD_EXAMPLE)
    assert (identity.region, identity.birth_date, identity.sex) == ("110105", date(1949, 12, 31), "女")
    assert identity.province_known


@given(numbers())
def test_a_right_number_states_birth_and_sex(case: tuple[str, date, int]) -> None:
    number, birth, sequence = case
    identity = parse_identity(number)
    assert (identity.number, identity.birth_date) == (number, birth)
    assert identity.sex == ("男" if sequence % 2 else "女")


@given(numbers(), st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_is_refused(case: tuple[str, date, int], at: int, by: int) -> None:
    number = case[0]
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    with pytest.raises(BadIdentityNumber):
        parse_identity(wrong)


@given(numbers(), st.integers(0, 15))
def test_two_neighbours_swapped_are_refused(case: tuple[str, date, int], at: int) -> None:
    number = case[0]
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if swapped != number:
        with pytest.raises(BadIdentityNumber):
            parse_identity(swapped)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        " 110105 19491231 002X\t",
        "１１０１０５１９４９１２３１００２Ｘ",
        "\ufeff11010519491231002ｘ\u200b",
    ],
)
def test_spellings_of_one_number_are_one_number(typed: str) -> None:
    assert parse_identity(typed).number == STANDARD_EXAMPLE


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise_identity(normalise_identity(text)) == normalise_identity(text)


@given(st.text(max_size=24))
def test_anything_else_is_refused_and_never_repeated_whole(text: str) -> None:
    try:
        parse_identity(text)
    except BadIdentityNumber as refusal:
        assert refusal.remedy and refusal.where == "证件号码"
        assert len(text) < 15 or text not in str(refusal)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "没有证件号码"),
        ("110105491231002", "15 位旧号码"),
        ("1101051949123100", "现为 16 位"),
        ("1101051949123100X2", "不该出现的字符"),
        ("11010519490231002X", "没有1949年02月31日"),
        ("110105187912310022", "过早"),
        ("110105194912310021", "校验位不符"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        parse_identity(text, where="第 3 行 证件号码")
    assert str(refused.value).startswith("第 3 行 证件号码：")


def test_births_after_today_are_refused_only_where_today_is_given() -> None:
    born = date(2021, 6, 26)
    first17 = f"341599{born:%Y%m%d}001"
    number = first17 + check_digit(first17)
    assert parse_identity(number, today=born).birth_date == born
    with pytest.raises(BadIdentityNumber, match="晚于今天"):
        parse_identity(number, today=born - timedelta(days=1))


def test_an_unknown_province_is_a_warning_not_a_refusal() -> None:
    first17 = "00000019491231002"
    assert not parse_identity(first17 + check_digit(first17)).province_known


def test_every_check_character_is_reached() -> None:
    assert {check_digit(f"341599194912310{last:02d}") for last in range(100)} == set(CHECK_CHARACTERS)
