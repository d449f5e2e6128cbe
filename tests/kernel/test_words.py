"""The words every room shares: money, periods, working days, places, digests."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huimin.kernel.digests import canonical, digest
from huimin.kernel.errors import BadInput
from huimin.kernel.money import in_words, parse_yuan, yuan, yuan_plain
from huimin.kernel.periods import add_months, month, parse_period, quarter
from huimin.kernel.places import NATION, Level, chain, scope_prefix
from huimin.kernel.working_days import CalendarUnknown, add_working_days, is_working_day


@pytest.mark.parametrize(
    ("amount_fen", "words"),
    [
        (0, "人民币零元整"),
        (5, "人民币伍分"),
        (1_000, "人民币壹拾元整"),
        (10_050, "人民币壹佰元伍角整"),
        (1_000_500, "人民币壹万零伍元整"),
        (100_000_001, "人民币壹佰万元零壹分"),
        (10_000_000_000, "人民币壹亿元整"),
    ],
)
def test_money_in_words(amount_fen: int, words: str) -> None:
    """会计基础工作规范 第52条: zero, 0.05, 10, 100.50, 10005, 1,000,000.01, 10^8."""
    assert in_words(amount_fen) == words


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_money_written_is_read_back(amount_fen: int) -> None:
    """Whole 分, exactly, in both forms."""
    assert parse_yuan(yuan_plain(amount_fen), where="金额") == amount_fen
    assert parse_yuan(yuan(amount_fen).replace("−", "-"), where="金额") == amount_fen


@pytest.mark.parametrize("text", ["", "一百", "1.005", "1e3000", "1e5", "1E+3", "1_000", "NaN", "Infinity", "12 3a"])
def test_what_is_no_amount_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BadInput, match="第3行"):
        parse_yuan(text, where="第3行")


def test_amounts_as_typed_are_accepted() -> None:
    assert parse_yuan("１，２３４．５０ 元", where="金额") == 123_450


def test_periods_print_as_the_office_writes_them() -> None:
    assert str(quarter(2021, 3)) == "2021年7—9月"
    assert str(month(2021, 7)) == "2021年7月"
    assert parse_period("2021Q3", where="期间") == quarter(2021, 3) == parse_period("2021-07/2021-09", where="期间")
    for wrong in ("2021Q5", "2021", "2021-13", "2021-09/2021-07"):
        with pytest.raises(BadInput):
            parse_period(wrong, where="期间")
    assert add_months(date(2021, 1, 31), 1) == date(2021, 2, 28)


def test_working_days_know_make_up_days_and_say_what_they_do_not_know() -> None:
    """CASE-05's calendar: 2021-09-18 was worked for the mid-autumn holiday."""
    assert is_working_day(date(2021, 9, 18))
    assert not is_working_day(date(2021, 9, 20))
    assert add_working_days(date(2021, 9, 17), 5) == date(2021, 9, 26)
    with pytest.raises(CalendarUnknown, match="2030"):
        is_working_day(date(2030, 1, 1))


def test_places_are_cut_by_level_never_by_zeros() -> None:
    """SEC-03: stripping zeros would leak to neighbours."""
    assert scope_prefix("341524100000", Level.TOWNSHIP) == "341524100"
    assert scope_prefix("341524000000", Level.COUNTY) == "341524"
    assert chain("341524100232001") == (
        NATION, "340000000000", "341500000000", "341524000000", "341524100000", "341524100232", "341524100232001",
    )  # fmt: skip


def test_one_content_has_one_digest() -> None:
    assert digest({"b": date(2021, 7, 1), "a": b"\x01"}) == digest({"a": b"\x01", "b": date(2021, 7, 1)})
    assert canonical({"甲": 1}) == '{"甲":1}'.encode()
