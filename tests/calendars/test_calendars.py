"""Working days against a hand calculation, and years a county enters (CASE-05, SEC-02)."""

from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from huimin.__main__ import huimin
from huimin.calendars.commands import confirm_year, enter_year, read_days
from huimin.calendars.models import HolidayYear
from huimin.calendars.queries import calendar_of
from huimin.demo.actors import COUNTY, actor
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.working_days import OFFICIAL, CalendarUnknown, WorkingCalendar, YearOff, is_official
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post

DAY = date(2026, 11, 20)
OFF = read_days("2027-01-01 2027-02-05..2027-02-12 2027-10-01..2027-10-07", 2027, "放假")
MADE_UP = [date(2027, 2, 14)]

# 国办发明电〔2025〕7号, counted by hand with a printed calendar: from, working days, last day.
BY_HAND = [
    (date(2026, 2, 10), 20, date(2026, 3, 16)),  # off 15–23 February; 14 and 28 February worked
    (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a Saturday worked before the Spring Festival
    (date(2026, 2, 14), 1, date(2026, 2, 24)),
    (date(2026, 2, 27), 2, date(2026, 3, 2)),  # Saturday 28 February counts
    (
        date(2026, 9, 18),
        15,
        date(2026, 10, 15),
    ),  # 20 September worked, off 25–27 September and 1–7 October, 10 October worked
    (date(2026, 9, 30), 3, date(2026, 10, 10)),
    (date(2026, 9, 30), 1, date(2026, 10, 8)),
    (date(2026, 4, 30), 4, date(2026, 5, 9)),  # off 1–5 May, Saturday 9 May worked
]


@pytest.mark.parametrize(("start", "days", "last"), BY_HAND)
def test_limits_around_spring_festival_and_national_day_equal_a_hand_calculation_case_05(start, days, last):
    assert OFFICIAL.add(start, days) == last
    assert OFFICIAL.between(start, last) == days


@settings(max_examples=60, deadline=None)
@given(st.dates(date(2020, 1, 1), date(2025, 12, 1)), st.integers(0, 30), st.integers(0, 30))
def test_adding_is_counting_backwards_and_adds_up(start, first, second):
    middle = OFFICIAL.add(start, first)
    assert OFFICIAL.add(middle, second) == OFFICIAL.add(start, first + second)
    assert OFFICIAL.between(start, middle) == first
    assert first == 0 or OFFICIAL.is_working_day(middle)


def test_an_unknown_year_is_said_and_an_entered_one_counts():
    assert is_official(2026) and not is_official(2027)
    with pytest.raises(CalendarUnknown, match="2027 年"):
        OFFICIAL.add(date(2026, 12, 20), 20)
    known = WorkingCalendar({2027: YearOff(frozenset(OFF), frozenset(MADE_UP))})
    assert known.add(date(2026, 12, 31), 1) == date(2027, 1, 4)  # 1 January off, then a weekend
    assert known.add(date(2027, 2, 4), 1) == date(2027, 2, 14)  # off 5–12, Saturday 13, Sunday 14 worked


def test_the_command_line_prints_the_day_and_the_number_or_one_sentence():
    def said(*words):
        return CliRunner().invoke(huimin, ["calendar", *words])

    assert said("add", "2026-02-10", "20").output == "2026-03-16\n"
    assert said("between", "2026-02-10", "2026-03-16").output == "20\n"
    assert "2026-02-14 周六 上班" in said("show", "2026-02").output
    for words, what in (
        (("add", "2026-02-30", "2"), "不是日期"), (("add", "2026-02-10", "-2"), ""), (("add", "2026-02-10", "二"), "不是天数"),
        (("between", "2026-03-01", "2026-02-01"), "先后"), (("add", "2026-12-30", "9"), "没有 2027 年"),
        (("add", "2026-02-10", "1", "--place", "安徽"), "不是区划代码"),
    ):  # fmt: skip
        result = said(*words)
        assert result.exit_code != 0
        assert what in (str(result.exception) if isinstance(result.exception, Refusal) else result.output), words


def officer():
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def enter(**changed):
    told = {"year": 2027, "off": OFF, "made_up": MADE_UP, "basis": "国办发明电〔2026〕示例号"} | changed
    return enter_year(by=officer(), on=DAY, **told)


def test_a_year_counts_when_another_person_confirmed_it_case_05(county):
    county("organised")
    row = enter()
    with pytest.raises(AlreadyDone, match="等复核"):
        enter()
    with pytest.raises(SamePerson):
        confirm_year(by=officer(), on=DAY, number=row.pk)
    with reading(officer()), pytest.raises(CalendarUnknown):
        calendar_of(COUNTY).add(date(2026, 12, 20), 20)
    approver = actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    assert confirm_year(by=approver, on=DAY, number=row.pk).state == "confirmed"
    with pytest.raises(AlreadyDone):
        confirm_year(by=approver, on=DAY, number=row.pk)
    clerk = actor(Post.CLERK, townships()[0])
    with reading(clerk):  # seen from below
        assert calendar_of(townships()[0]).add(date(2026, 12, 31), 1) == date(2027, 1, 4)
    again = enter(off=[*OFF, date(2027, 5, 3)])  # corrected: the newer one counts, the older stays in the book
    confirm_year(by=approver, on=DAY, number=again.pk)
    with reading(clerk):
        assert calendar_of(townships()[0]).add(date(2027, 4, 30), 1) == date(2027, 5, 4)
        assert list(HolidayYear.objects.order_by("pk").values_list("state", flat=True)) == ["replaced", "confirmed"]


def test_bad_years_are_refused_case_05(county):
    county("organised")
    for changed, words in (
        ({"year": 2026}, "已在系统里"), ({"year": 2031}, "还没有公布"), ({"off": OFF[:3]}, "3 天假"),
        ({"made_up": [date(2027, 2, 10)]}, "既放假又上班"), ({"made_up": [date(2027, 3, 3)]}, "不是周末"),
        ({"off": [*OFF, date(2028, 1, 1)]}, "不在 2027 年"), ({"basis": " "}, "没有写依据"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            enter(**changed)
    with pytest.raises(NotYourPost):
        enter_year(by=actor(Post.CLERK, townships()[0]), on=DAY, year=2027, off=OFF, made_up=[], basis="号")
    row = enter()
    approver = actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    with pytest.raises(BadInput, match="原因"):
        confirm_year(by=approver, on=DAY, number=row.pk, agreed=False)
    assert confirm_year(by=approver, on=DAY, number=row.pk, agreed=False, refusal="国庆少一天").state == "refused"


def test_days_as_people_type_them():
    assert read_days("2027-02-05..2027-02-07，2027-01-01", 2027, "假") == [
        date(2027, 1, 1), *(date(2027, 2, 5) + timedelta(days=n) for n in range(3)),
    ]  # fmt: skip
    for wrong in ("2027/1/1", "2027-02-30", "2027-05-05..2027-05-01", "2026-01-01", "2027-01-01..2027-09-01"):
        with pytest.raises(BadInput):
            read_days(wrong, 2027, "假")


def test_the_page_counts_enters_and_confirms_once_case_05(county):
    from tests.workbench.people import client_of
    from tests.workbench.test_acts import text, token_of
    from tests.workbench.test_reliefs import post_twice

    county("organised")
    officers = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert "2026-03-16" in text(officers.get("/calendar/?from=2026-2-10&days=20"))
    assert "没有 2027 年" in text(officers.get("/calendar/?from=2026-12-20&days=20"))
    assert "天数在 0 到" in text(officers.get("/calendar/?from=x&days=20"))
    told = {"year": "2027", "off": " ".join(map(str, OFF)), "made_up": "2027-02-14", "basis": "国办发明电示例号"}
    told["year"] = "2023"  # the demonstration's clock stands in 2021
    refused = officers.post("/calendar/", {**told, "token": token_of(text(officers.get("/calendar/")))})
    assert refused.status_code == 422 and "不在 2023 年" in text(refused)
    row = enter()
    approvers = client_of(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    assert "复核放假安排" in text(approvers.get("/"))
    shown = post_twice(approvers, f"/calendar/{row.pk}/", {"outcome": "confirm", "refusal": ""})
    assert "生效" in shown and "2027 年" in shown
    assert client_of(Post.CLERK, townships()[0]).get(f"/calendar/{row.pk}/").status_code == 403
