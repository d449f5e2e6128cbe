"""The draw: the same for anybody, from list and number alone, with pencil and hash tool (CASE-08)."""

import hashlib
from datetime import date

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huimin.__main__ import huimin
from huimin.kernel.errors import BadInput
from huimin.samples.seeding import (
    EVENTS,
    Entry,
    Published,
    digest_of,
    draw,
    faults_of,
    list_text,
    quota_of,
    read_outcome,
    read_published,
    seed_of,
)

DAY = date(2021, 7, 4)
LISTS = st.lists(
    st.tuples(st.integers(1, 10**7 - 1), st.booleans()), min_size=1, max_size=60, unique_by=lambda row: row[0]
)


def entries_of(rows):
    return [Entry(f"2021{number:07d}", must) for number, must in rows]


def told(entries, percent, number="40917"):
    digest = digest_of(list_text(entries))
    picked = tuple(each.number for each in draw(entries, seed_of(digest, "pl5", DAY, number), percent))
    return Published("测试", percent, digest, "pl5", DAY, number, tuple(entries), tuple(sorted(picked)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=LISTS, percent=st.integers(1, 100), number=st.integers(0, 99999), mixed=st.randoms())
def test_the_same_list_and_number_give_the_same_cases_case_08(rows, percent, number, mixed):
    entries = entries_of(rows)
    digest = digest_of(list_text(entries))
    seed = seed_of(digest, "pl5", DAY, f"{number:05d}")
    picked = draw(entries, seed, percent)
    other = list(entries)
    mixed.shuffle(other)
    assert digest_of(list_text(other)) == digest and draw(other, seed, percent) == picked
    must = {each.number for each in entries if each.must}
    drawn = [pick for pick in picked if not pick.must]
    assert must == {pick.number for pick in picked if pick.must}
    whole = -(-len(entries) * percent // 100)
    assert len(drawn) == min(whole, len(entries) - len(must)) == quota_of(len(entries), len(must), percent)
    assert len(picked) >= max(1, min(whole, len(entries)))
    keys = {each.number: hashlib.sha256(f"{seed}:{each.number}".encode()).hexdigest() for each in entries}
    left = [keys[each.number] for each in entries if not each.must and each.number not in {p.number for p in drawn}]
    assert all(keys[pick.number] < key for pick in drawn for key in left)


def test_a_case_added_or_another_number_is_another_draw_case_08():
    entries = entries_of((n, False) for n in range(1, 200))
    first = told(entries, 30)
    assert told(entries, 30, "40918").picked != first.picked
    assert told([*entries, Entry("20210009999")], 30).seed != first.seed
    marked = [Entry(entries[0].number, True), *entries[1:]]
    assert told(marked, 30).digest != first.digest


def test_outcomes_are_read_as_people_write_them_and_nothing_else():
    good = {
        ("ssq", "1 5 9 12 22 30 7"): "01 05 09 12 22 30+07", ("ssq", "０１　05 09,12，22 30 ＋ 07"): "01 05 09 12 22 30+07",
        ("dlt", "03 09 14 21 33 + 02 11"): "03 09 14 21 33+02 11", ("pl5", "4 0 9 1 7"): "40917", ("sse", "3,568.14"): "3568.14",
    }  # fmt: skip
    for (event, text), read in good.items():
        assert read_outcome(event, text) == read == read_outcome(event, read)
    for event, text in (
        ("ssq", "05 01 09 12 22 30+07"), ("ssq", "01 05 09 12 22 34+07"), ("ssq", "01 05 09 12 22 30"), ("ssq", "1" * 5000),
        ("pl5", "4091"), ("pl5", ""), ("sse", "3568"), ("sse", "3568.1"), ("sse", "涨"), ("dlt", "3 9 14 21 33+11 2"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match="不是"):
            read_outcome(event, text)
    assert all(read_outcome(code, event.example) == event.example for code, event in EVENTS.items())


def test_a_published_file_is_redone_and_a_changed_one_is_found_case_08(tmp_path):
    entries = entries_of([(n, n % 7 == 0) for n in range(1, 41)])
    good = told(entries, 30)
    assert read_published(good.text()) == good and faults_of(good) == []
    path = tmp_path / "draw.txt"

    def verify(text):
        path.write_text(text, encoding="utf-8")
        return CliRunner().invoke(huimin, ["sample", "verify", str(path)])

    shown = verify(good.text())
    assert shown.exit_code == 0 and "抽中的 17 件全部相同" in shown.output
    assert verify("\ufeff" + good.text().replace("\n", "\r\n")).exit_code == 0
    swapped = good.text().replace(good.picked[0], next(e.number for e in entries if e.number not in good.picked), 1)
    for text, words in (
        (good.text().replace("\n20210000002\n", "\n20210000099\n"), "名单被改动过"),
        (swapped, "按种子应抽中而没有的"),
        (good.text().replace("号码：40917", "号码：40918"), "不该抽中的"),
    ):
        shown = verify(text)
        assert shown.exit_code == 1 and words in shown.output
    for text in ("", "你好", good.text().replace("比例：30%", "比例：很多"), good.text() + "甲\n"):
        path.write_text(text, encoding="utf-8")
        result = CliRunner().invoke(huimin, ["sample", "verify", str(path)])
        assert result.exit_code != 0 and isinstance(result.exception, BadInput)
    assert isinstance(CliRunner().invoke(huimin, ["sample", "verify", str(tmp_path / "no")]).exception, BadInput)


def test_before_the_number_only_the_list_is_told():
    entries = entries_of((n, False) for n in range(1, 9))
    waiting = Published("测试", 30, digest_of(list_text(entries)), "ssq", DAY, "", tuple(entries), ())
    assert read_published(waiting.text()) == waiting and faults_of(waiting) == []
    assert faults_of(Published("测试", 30, waiting.digest, "ssq", DAY, "", tuple(entries), ("20210000001",)))
