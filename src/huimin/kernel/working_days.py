"""The official calendar of working days (国务院办公厅 yearly notice, with make-up days), and years a county entered.

in    days; years that a place entered because the official list here does not reach them
out   whether a day is a working day, the last day of a time limit, how many working days lie between two days

A year that neither the official list nor the place knows is an error that says so, never a guess. A time limit begins
the day after the day it counts from (民法典 第201条).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar

from huimin.kernel.errors import Refusal

SPAN_MAX_DAYS = 4000


class CalendarUnknown(Refusal):
    """The official calendar of that year is not in the system yet."""


@dataclass(frozen=True)
class YearOff:
    """The holidays of one year (days off on weekdays or weekends) and the weekend days worked instead (调休)."""

    off: frozenset[date]
    made_up: frozenset[date]


def is_official(year: int) -> bool:
    """Whether the official list reaches this year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except (NotImplementedError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class WorkingCalendar:
    """Working days as one place counts them: the official list first, then what the place entered."""

    entered: Mapping[int, YearOff] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError as unknown:
            year = self.entered.get(day.year)
            if year is None:
                raise CalendarUnknown(
                    f"系统没有 {day.year} 年的放假安排",
                    why="国务院办公厅公布后才能计算工作日",
                    remedy="请惠民办在工作日历里录入当年放假安排，另一人复核后再办理",
                ) from unknown
            return day in year.made_up or (day.isoweekday() <= 5 and day not in year.off)

    def add(self, day: date, days: int) -> date:
        """The last day of a time limit of `days` working days that begins the day after `day`."""
        assert days >= 0
        while days:
            day += timedelta(days=1)
            days -= self.is_working_day(day)
        return day

    def between(self, first: date, last: date) -> int:
        """How many working days of a time limit pass from `first` (not counted) to `last` (counted)."""
        assert first <= last
        return sum(self.is_working_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))


OFFICIAL = WorkingCalendar()


def is_working_day(day: date) -> bool:
    return OFFICIAL.is_working_day(day)


def add_working_days(day: date, days: int, calendar: WorkingCalendar = OFFICIAL) -> date:
    """The last day of a time limit of `days` working days that begins the day after `day`."""
    return calendar.add(day, days)
