"""What share of a period is owed when a grant begins or ends inside it (不足期).

in    the programme's rule, when the grant begins and ends, the period
out   an exact share between 0 and 1; the caller multiplies and rounds as the policy rounds
"""

from datetime import date
from fractions import Fraction


def share_of_period(rule: str, begins: date, ends: date | None, start: date, until: date) -> Fraction:
    """The share owed of [start, until) for a grant that runs [begins, ends).

    by_month: months touched over months of the period. by_day: days over days. whole: all of a period that is touched.
    next_month: as by_month, but the month in which the grant begins does not count unless it begins on its first day.
    """
    if rule == "next_month" and begins.day > 1:
        begins = _first_of(_months(begins) + 1)
    first, last = max(begins, start), min(ends or until, until)
    if first >= last:
        return Fraction(0)
    if rule == "by_day":
        return Fraction((last - first).days, (until - start).days)
    if rule == "whole":
        return Fraction(1)
    assert rule in ("by_month", "next_month"), f"unknown rule {rule}"
    touched = _months(date.fromordinal(last.toordinal() - 1)) - _months(first) + 1
    return Fraction(touched, _months(date.fromordinal(until.toordinal() - 1)) - _months(start) + 1)


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first_of(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)
