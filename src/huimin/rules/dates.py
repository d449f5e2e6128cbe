"""Full months and years between dates, and dates some months on, for one day or a column of days.

Days are counted from 1970-01-01. A month is full when the same day of the month is reached: born on the 29th of
February, one turns a year older on the 1st of March of a common year. A date some months on keeps its day, or takes
the last day of a shorter month. Years run from 1 to 9999; beyond is refused, not wrapped.

A column against one day, or moved by one length, is looked up: the answers for every day people live in are worked out
once and kept, since millions of birthdays fall on some forty thousand days.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from huimin.rules.exact import Ints, NumberTooLarge

FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01, 9999-12-31
_KEPT_FIRST, _KEPT_LAST = -36_524, 65_744  # 1870-01-01, 2150-01-01


def _month_and_day(days: Ints) -> tuple[Ints, Ints]:
    """Months since 1970-01 and days since the first of the month."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    first: NDArray[np.datetime64] = months.astype("datetime64[D]")
    return months.astype(np.int64), days - first.astype(np.int64)


def months_between(start: Ints | int, end: Ints | int, per: int = 1) -> Ints | int:
    """Full months from start to end; before start they count down, -1 at once. `per` 12: full years."""
    if isinstance(end, int) and not isinstance(start, int) and _kept(start):
        return _months_until(end, per).take(start - _KEPT_FIRST)
    return _months_worked_out(start, end) // per


def _kept(days: Ints) -> bool:
    return len(days) > 0 and int(days.min()) >= _KEPT_FIRST and int(days.max()) <= _KEPT_LAST


@lru_cache(maxsize=32)
def _months_until(end: int, per: int) -> Ints:
    """For every kept day: full months until `end`, in units of `per`."""
    found = _months_worked_out(np.arange(_KEPT_FIRST, _KEPT_LAST + 1), end) // per
    assert not isinstance(found, int)
    found.flags.writeable = False
    return found


def _months_worked_out(start: Ints | int, end: Ints | int) -> Ints | int:
    start_month, start_day = _month_and_day(np.asarray(start, np.int64))
    end_month, end_day = _month_and_day(np.asarray(end, np.int64))
    months = end_month - start_month - (end_day < start_day)
    return _as_given(months, start, end)


def later_months(days: Ints | int, months: Ints | int, extra_days: Ints | int = 0) -> Ints | int:
    """The date some months and then some days after `days`."""
    _refuse_far(months)
    _refuse_far(extra_days)
    if isinstance(months, int) and isinstance(extra_days, int) and not isinstance(days, int) and _kept(days):
        found = _later_days(months, extra_days)
        if found is not None:
            return found.take(days - _KEPT_FIRST)
    return _later_worked_out(days, months, extra_days)


@lru_cache(maxsize=32)
def _later_days(months: int, extra_days: int) -> Ints | None:
    """For every kept day: the date some months and days after it; None when one of them is beyond the years."""
    try:
        found = _later_worked_out(np.arange(_KEPT_FIRST, _KEPT_LAST + 1), months, extra_days)
    except NumberTooLarge:
        return None
    assert not isinstance(found, int)
    found.flags.writeable = False
    return found


def _later_worked_out(days: Ints | int, months: Ints | int, extra_days: Ints | int) -> Ints | int:
    month, day = _month_and_day(np.asarray(days, np.int64))
    target = month + months
    if bool(((target < -23_628) | (target > 96_359)).any()):  # 0001-01, 9999-12
        raise NumberTooLarge
    first = target.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    next_first = (target + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    found = first + np.minimum(day, next_first - first - 1) + extra_days
    if bool(((found < FIRST_DAY) | (found > LAST_DAY)).any()):
        raise NumberTooLarge
    return _as_given(found, days, months, extra_days)


def _refuse_far(length: Ints | int) -> None:
    if bool(np.any(np.abs(np.asarray(length, dtype=object if isinstance(length, int) else np.int64)) > 10_000_000)):
        raise NumberTooLarge


def _as_given(found: Ints, *given: Ints | int) -> Ints | int:
    return int(found) if all(isinstance(part, int) for part in given) else found
