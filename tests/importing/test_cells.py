"""What a cell says, and what it may not say (REG-03, REG-04)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from huimin.importing import cells
from huimin.importing.cells import Fault
from huimin.importing.heads import factor_of, recognise
from huimin.importing.words import CHOICE_WORDS, HEAD_WORDS
from huimin.kernel.facts import FACTS
from huimin.kernel.identity import check_digit

TODAY = date(2021, 7, 1)
WIDE = str.maketrans("0123456789.,-X", "０１２３４５６７８９．，－Ｘ")
DAYS = some.dates(date(1900, 3, 1), TODAY)


@given(some.integers(0, 10**13), some.sampled_from(["", " ", "元", " 元"]), some.booleans(), some.booleans())
def test_money_survives_how_it_is_written(fen, unit, wide, commas):
    """分 in, however people write it, the same 分 out."""
    text = f"{fen // 100:,}.{fen % 100:02d}" if commas else f"{fen // 100}.{fen % 100:02d}"
    text = text.translate(WIDE) if wide else text
    assert cells.hundredths_of(f" {text}{unit}") == fen


@given(DAYS)
def test_six_forms_of_a_date(day):
    serial = str((day - date(1899, 12, 30)).days)
    forms = [
        day.isoformat(), f"{day.year}/{day.month}/{day.day}", f"{day.year}.{day.month:02d}.{day.day:02d}",
        f"{day.year}年{day.month}月{day.day}日", f"{day:%Y%m%d}", day.isoformat() + " 00:00:00",
    ] + ([serial] if len(serial) == 5 else [])  # fmt: skip
    assert {cells.day_of(form) for form in forms} == {day}
    assert cells.day_of(forms[1].translate(WIDE).replace("－", "-")) == day


@given(some.integers(0, 15000), some.integers(0, 999))
def test_identity_numbers_old_and_new(days, order):
    """REG-04: 18 digits, 15 digits, lower case x, full width, spaces: one number."""
    born = date(1950, 1, 1) + timedelta(days=days)
    first = f"341599{born:%Y%m%d}{order:03d}"
    number = first + check_digit(first)
    spelled = [
        number,
        number.lower(),
        number.translate(WIDE),
        f" {number[:6]} {number[6:14]} {number[14:]} ",
        f"'{number}",
    ]
    old = number[:6] + number[8:17]
    assert {cells.identity_of(each, TODAY) for each in [*spelled, old]} == {number}
    wrong = number[:17] + ("0" if number[17] != "0" else "1")
    with pytest.raises(Fault):
        cells.identity_of(wrong, TODAY)


@given(some.text(max_size=40))
def test_no_text_breaks_a_reader(text):
    """Anything may stand in a cell: a value or a Fault with a remedy, never another error."""
    readers = [cells.reader_of(fact) for fact in FACTS]
    readers += [
        cells.name_of,
        cells.text_of,
        cells.account_of,
        cells.phone_of,
        cells.household_no_of,
        cells.hundredths_of,
    ]
    readers += [lambda cell: cells.identity_of(cell, TODAY), lambda cell: recognise(cell)]
    for reader in readers:
        try:
            reader(text)
        except Fault as fault:
            assert fault.what and fault.remedy


@given(some.text("㐂𠮷䶮龘张王李㛃〇𮯰·", min_size=1, max_size=8).filter(lambda text: text.strip("·")))
def test_rare_characters_are_kept_exactly(name):
    assert cells.name_of(f"　{name} ") == name
    assert name.encode("gb18030").decode("gb18030") == name


@pytest.mark.parametrize(
    ("reader", "text", "words"),
    [
        (cells.hundredths_of, "3.41524E+17", "数字过长"),
        (cells.hundredths_of, "1" * 30, "数字过长"),
        (cells.hundredths_of, "12.345", "小数超过两位"),
        (cells.hundredths_of, "-5", "小于 0"),
        (cells.hundredths_of, "无", "没有请填 0"),
        (cells.hundredths_of, "1,2345", "不是数"),
        (cells.whole_of, "2.5", "不是整数"),
        (cells.flag_of, "大概", "是"),
        (cells.day_of, "21-7-1", "年份写四位"),
        (cells.day_of, "2021-02-30", "没有"),
        (cells.day_of, "7/1/2021", "不是完整的日期"),
        (cells.name_of, "张😀", "不该出现"),
        (cells.name_of, "王?", "丢失"),
        (cells.name_of, "王\ue123", "自造字"),
        (cells.account_of, "6.22E+18", "末几位已经丢失"),
        (cells.account_of, "12ab", "10 至 30 位"),
        (cells.text_of, "=?", "公式"),
        (cells.text_of, "#REF!", "公式出错"),
        (lambda text: cells.identity_of(text, TODAY), "3.41524E+17", "无法还原"),
        (lambda text: cells.identity_of(text, TODAY), "1" * 30, "30 位"),
        (lambda text: cells.identity_of(text, TODAY), "²" * 15 + "000", "不该出现"),
        (cells.text_of, "某村\ufffd组", "丢失"),
    ],
)
def test_refused_with_the_reason_and_the_remedy(reader, text, words):
    with pytest.raises(Fault) as fault:
        reader(text)
    assert words in str(fault.value) and fault.value.remedy


def test_yes_no_and_nothing():
    assert [cells.flag_of(text) for text in ("是", "√", "有", "Y", "１")] == [True] * 5
    assert [cells.flag_of(text) for text in ("否", "×", "无", "0")] == [False] * 4
    assert [cells.flag_of(text) for text in ("", " ", "-", "—", "／")] == [None] * 5


def test_every_other_word_leads_to_a_choice_and_every_head_to_a_target():
    """REG-03: the whole fact dictionary can be a head of a column; synonyms are unambiguous."""
    facts = {fact.code: fact for fact in FACTS}
    for code, words in CHOICE_WORDS.items():
        fact = facts[code]
        assert all(value in fact.choices or isinstance(value, int) for value in words.values())
        assert {cells.reader_of(fact)(word) for word in words} <= set(words.values())
    assert all(recognise(fact.name) == fact.code for fact in FACTS)
    assert all(recognise(word) == code for code, words in HEAD_WORDS.items() for word in words)
    assert (
        recognise("1. 姓 名*") == "name"
        and recognise("家庭成员／身份证号码") == "id_number"
        and recognise("备注") == ""
    )
    assert (
        recognise("月工资（元/年）") is None
        and recognise("承包地（公顷）") is None
        and factor_of("存款（万元）") == 10_000
    )
