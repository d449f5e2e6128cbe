"""Periods money is owed and paid for: half-open date ranges [from, to), in whole months.

A `Period` prints as the office writes it (2021年7—9月).
"""

import calendar
from dataclasses import dataclass
from datetime import date

from huimin.kernel.errors import BadInput

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


def month_start(day: date) -> date:
    return day.replace(day=1)


def add_months(day: date, months: int) -> date:
    """The same day `months` later; the last day of a shorter month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True, order=True)
class Period:
    """From the first day up to, not including, `until`; both are firsts of a month."""

    start: date
    until: date

    def __post_init__(self) -> None:
        assert self.start.day == 1 and self.until.day == 1 and self.start < self.until

    @property
    def months(self) -> int:
        return (self.until.year - self.start.year) * 12 + self.until.month - self.start.month

    @property
    def last_day(self) -> date:
        return date.fromordinal(self.until.toordinal() - 1)

    def __str__(self) -> str:
        last = add_months(self.until, -1)
        if self.months == 1:
            return f"{self.start.year}年{self.start.month}月"
        if self.start.year == last.year:
            return f"{self.start.year}年{self.start.month}—{last.month}月"
        return f"{self.start.year}年{self.start.month}月—{last.year}年{last.month}月"

    def split(self, kind: str) -> list["Period"]:
        """The months (quarters …) that make up this period, in order."""
        step = MONTHS[kind]
        assert self.months % step == 0
        starts = [add_months(self.start, offset) for offset in range(0, self.months, step)]
        return [Period(start, add_months(start, step)) for start in starts]


def month(year: int, number: int) -> Period:
    start = date(year, number, 1)
    return Period(start, add_months(start, 1))


def quarter(year: int, number: int) -> Period:
    start = date(year, number * 3 - 2, 1)
    return Period(start, add_months(start, 3))


def parse_period(text: str, *, where: str) -> Period:
    """`2021Q3`, `2021-07`, or `2021-07/2021-09`; BadInput otherwise."""
    try:
        if "Q" in text.upper():
            year, number = text.upper().split("Q")
            if int(number) in (1, 2, 3, 4):
                return quarter(int(year), int(number))
        first, _, last = text.partition("/")
        start = date.fromisoformat(first + "-01")
        end = date.fromisoformat((last or first) + "-01")
        if start <= end:
            return Period(start, add_months(end, 1))
    except ValueError:
        pass
    raise BadInput(f"“{text}”不是期间", where=where, remedy="请写 2021Q3、2021-07 或 2021-07/2021-09")
