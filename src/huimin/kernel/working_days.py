"""The official calendar of working days (国务院办公厅 yearly notice, with make-up days), through 2026.

A year the calendar does not know is an error that says so, never a guess.
"""

from datetime import date, timedelta

import chinese_calendar

from huimin.kernel.errors import Refusal


class CalendarUnknown(Refusal):
    """The official calendar of that year is not in the system yet."""


def is_working_day(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as unknown:
        raise CalendarUnknown(
            f"系统没有 {day.year} 年的放假安排",
            why="国务院办公厅公布后才能计算工作日",
            remedy="请更新工作日历后再办理",
        ) from unknown


def add_working_days(day: date, days: int) -> date:
    """The last day of a time limit of `days` working days that begins the day after `day`."""
    assert days >= 0
    while days:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day
