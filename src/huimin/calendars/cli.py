"""`./huimin calendar`: the day some working days later, and how many lie between two days (CASE-05).

Reads no database unless --place is given: then years the county entered count too. Refusals end with exit code 2.
"""

from datetime import date

import click

from huimin.kernel.errors import BadInput
from huimin.kernel.working_days import OFFICIAL, SPAN_MAX_DAYS, WorkingCalendar

_WEEK = "一二三四五六日"


@click.group("calendar")
def calendar() -> None:
    """工作日历：按国务院办公厅放假安排（含调休）计算期限。"""


_place = click.option("--place", default="", help="区划代码；写了就也按当地录入的放假安排计算（须有数据库）")


@calendar.command("add")
@click.argument("day")
@click.argument("days")
@_place
def add_command(day: str, days: str, place: str) -> None:
    """DAY 之后第 DAYS 个工作日是哪一天（DAY 当天不算）。"""
    number = _number(days)
    click.echo(_calendar(place).add(_day(day), number).isoformat())


@calendar.command("between")
@click.argument("first")
@click.argument("last")
@_place
def between_command(first: str, last: str, place: str) -> None:
    """从 FIRST（不算）到 LAST（算）有几个工作日。"""
    start, end = _day(first), _day(last)
    if end < start or (end - start).days > SPAN_MAX_DAYS:
        raise BadInput("两个日期的先后或间隔不对", where="日期", remedy=f"先写早的，间隔不超过 {SPAN_MAX_DAYS} 天")
    click.echo(str(_calendar(place).between(start, end)))


@calendar.command("show")
@click.argument("month")
@_place
def show_command(month: str, place: str) -> None:
    """一个月里每一天上不上班，MONTH 写成 2026-02。"""
    first, found = _day(f"{month}-01"), _calendar(place)
    for number in range(31):
        day = date.fromordinal(first.toordinal() + number)
        if day.month == first.month:
            click.echo(f"{day} 周{_WEEK[day.weekday()]} {'上班' if found.is_working_day(day) else '休息'}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"“{text[:40]}”不是日期", where="日期", remedy="日期写成 2026-02-10") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise BadInput(f"“{text[:40]}”不是天数", where="天数", remedy="天数写成 0 至 9999 的整数")
    return int(text)


def _calendar(place: str) -> WorkingCalendar:
    if not place:
        return OFFICIAL
    from huimin.database.instance import use_instance

    if not (place.isascii() and place.isdigit() and len(place) in (12, 15)):
        raise BadInput(f"“{place}”不是区划代码", where="--place", remedy="写 12 位数字")
    use_instance()
    from huimin.calendars.queries import calendar_of

    return calendar_of(place, using="maintenance")
