"""Enter a year's holidays when the official list here does not reach it; another person confirms them (CASE-05, SEC-02).

in    days off and make-up days of one year, and the notice they were taken from
out   a year that deadlines of the place are counted by

Always true: nobody confirms what he entered; a year the official list knows is not entered; a make-up day is a weekend
day, and no day is both. Dates that were counted before keep the day they were given.
"""

import re
from collections.abc import Sequence
from datetime import date

from huimin.calendars.models import HolidayYear
from huimin.kernel.errors import BadInput
from huimin.kernel.working_days import is_official
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post

State = HolidayYear.State
OFF_MIN = 7
ENTERERS = (Post.COUNTY_OFFICER,)
CONFIRMERS = (Post.COUNTY_OFFICER, Post.LEADING_APPROVER)

refused_by_constraint("holiday_year_waits", AlreadyDone, "这一年的放假安排已录入，在等复核", "请先复核那一份")


def read_days(text: str, year: int, where: str) -> list[date]:
    """Days as people type them, one or more a line; `2027-02-05..2027-02-11` for a stretch. BadInput names the word."""
    found: set[date] = set()
    for word in re.split(r"[\s,，、;；]+", text.strip()):
        if word:
            found.update(_stretch(word, where))
    if wrong := [day for day in found if day.year != year]:
        raise BadInput(f"{min(wrong)} 不在 {year} 年", where=where, remedy="每一年单独录入")
    return sorted(found)


def _stretch(word: str, where: str) -> list[date]:
    parts = re.split(r"\.\.|~|～|至|到", word)
    try:
        days = [date.fromisoformat(part) for part in parts]
    except ValueError:
        days = []
    if not 1 <= len(days) <= 2 or days[-1] < days[0] or (days[-1] - days[0]).days > 31:
        raise BadInput(f"“{word[:40]}”不是日期", where=where, remedy="写成 2027-02-05，一段写成 2027-02-05..2027-02-11")
    first, last = days[0], days[-1]
    return [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]


@command(*ENTERERS)
def enter_year(
    *, by: Actor, on: date, year: int, off: Sequence[date], made_up: Sequence[date], basis: str
) -> HolidayYear:
    """What the yearly notice says; it counts when another person confirmed it. A confirmed year may be entered anew."""
    if is_official(year):
        raise BadInput(f"{year} 年的官方安排已在系统里", where="年份", remedy="只录入系统还没有的年份")
    if not 2026 < year <= on.year + 2:
        raise BadInput(
            f"{year} 年还没有公布放假安排", where="年份", remedy=f"请录入 {on.year + 2} 年以前、已经公布的年份"
        )
    _require_plausible(year, off, made_up)
    if not basis.strip():
        raise BadInput("没有写依据", where="依据", remedy="请写国务院办公厅通知的文号")
    return HolidayYear.objects.create(
        division=by.division, year=year, off=sorted(set(off)), made_up=sorted(set(made_up)), basis=basis.strip()[:120],
        entered_by=by.appointment, entered_on=on,
    )  # fmt: skip


def _require_plausible(year: int, off: Sequence[date], made_up: Sequence[date]) -> None:
    if any(day.year != year for day in (*off, *made_up)):
        raise BadInput(f"有不在 {year} 年的日期", where="日期", remedy="每一年单独录入")
    if len(set(off)) < OFF_MIN:
        raise BadInput(f"只写了 {len(set(off))} 天假", where="放假", remedy="请写全年的放假日期，春节、国庆也在内")
    if both := set(off) & set(made_up):
        raise BadInput(f"{min(both)} 既放假又上班", where="调休上班", remedy="请核对通知")
    if weekdays := [day for day in made_up if day.isoweekday() <= 5]:
        raise BadInput(f"{min(weekdays)} 不是周末", where="调休上班", remedy="调休上班的日子是周六或周日")


@command(*CONFIRMERS)
def confirm_year(*, by: Actor, on: date, number: int, agreed: bool = True, refusal: str = "") -> HolidayYear:
    """The second person: it counts from now on, in place of an earlier version of the year; or it was wrong, and why."""
    row = HolidayYear.objects.select_for_update().get(pk=number)
    require_place(by, row.division)
    require_another(by, row.entered_by, "录入放假安排")
    if row.state != State.ENTERED:
        raise AlreadyDone(f"这一年的放假安排{row.get_state_display()}", remedy="请刷新后查看")
    if not agreed and not refusal.strip():
        raise BadInput("没有写退回的原因", where="原因", remedy="请写明哪一天不对")
    if agreed:
        earlier = HolidayYear.objects.filter(division=row.division, year=row.year, state=State.CONFIRMED)
        earlier.update(state=State.REPLACED)
    row.state, row.refusal = (State.CONFIRMED, "") if agreed else (State.REFUSED, refusal.strip()[:200])
    row.confirmed_by, row.confirmed_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "confirmed_by", "confirmed_on"])
    return row
