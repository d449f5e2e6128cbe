"""Full months and years between dates, and dates some months on, for one day or a column of days.

Days are counted from 1970-01-01. A month is full when the same day of the month is reached: born on the 29th of
February, one turns a year older on the 1st of March of a common year. A date some months on keeps its day, or takes
the last day of a shorter month. Years run from 1 to 9999; beyond is refused, not wrapped.
"""

import numpy as np
from numpy.typing import NDArray

from huimin.rules.exact import Ints, NumberTooLarge

FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # 0001-01-01, 9999-12-31


def _month_and_day(days: Ints) -> tuple[Ints, Ints]:
    """Months since 1970-01 and days since the first of the month."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    first: NDArray[np.datetime64] = months.astype("datetime64[D]")
    return months.astype(np.int64), days - first.astype(np.int64)


def months_between(start: Ints | int, end: Ints | int) -> Ints | int:
    """Full months from start to end; before start they count down, -1 at once."""
    start_month, start_day = _month_and_day(np.asarray(start, np.int64))
    end_month, end_day = _month_and_day(np.asarray(end, np.int64))
    months = end_month - start_month - (end_day < start_day)
    return _as_given(months, start, end)


def later_months(days: Ints | int, months: Ints | int, extra_days: Ints | int = 0) -> Ints | int:
    """The date some months and then some days after `days`."""
    _refuse_far(months)
    _refuse_far(extra_days)
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
