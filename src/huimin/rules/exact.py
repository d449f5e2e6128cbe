"""Exact numbers in columns: 64-bit integers over a rational scale, and never a wrong digit.

in    arrays of int64 (or one Python int that stands for all rows)
out   `Num`s, or `NumberTooLarge`

A `Num` is n / d × scale: n int64, d int64 above zero or None for 1, scale one rational for the whole column. Money in 分 is
n with scale 1/100; income per head keeps its head count in d, so that nothing is rounded before the policy says so.

Before each product or sum the largest possible result is worked out from bounds that travel with the columns; only when
the bound does not fit are the rows themselves looked at, and a row that does not fit is refused, never wrapped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.errors import Refusal

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Why = NDArray[np.uint64] | None
"""Missing facts by row, one bit each; 0 where the value is known. None: known everywhere."""
Whole = Ints | int
LIMIT = 2**63 - 1
ONE, HUNDREDTH = Fraction(1), Fraction(1, 100)


class NumberTooLarge(Refusal):
    """A value does not fit 64 bits: a typing slip in a fact, or a formula that multiplies too much."""

    def __init__(self) -> None:
        super().__init__(
            "计算中的数值过大，超出 18 位整数",
            why="继续算下去结果会出错",
            remedy="请检查户内事实有无多写的零，或把算式改小",
        )


@dataclass(frozen=True, slots=True)
class Num:
    """n / d × scale; |n| <= top and d <= d_top wherever they stand."""

    n: Whole
    scale: Fraction
    top: int
    d: Ints | None = None
    d_top: int = 1
    why: Why = None

    def take(self, rows: Ints) -> "Num":
        """The values of these rows; one value for all stays one value."""
        n = self.n if isinstance(self.n, int) else self.n.take(rows)
        d = None if self.d is None else self.d.take(rows)
        return Num(n, self.scale, self.top, d, self.d_top, take_why(self.why, rows))


@lru_cache(maxsize=4096)
def constant(value: Fraction) -> Num:
    """One value for all rows; kept, because every chunk asks for the same."""
    sign = (value > 0) - (value < 0)
    return Num(sign, abs(value) or Fraction(1), abs(sign))


def picked(values: Sequence[Fraction], rows: "Ints | np.int64", why: Why) -> Num:
    """values[row] for every row, over one scale; one row for all stays one value."""
    if not isinstance(rows, np.ndarray):
        return replace(constant(values[int(rows)]), why=why)
    scale = Fraction(gcd(*(v.numerator for v in values)) or 1, lcm(*(v.denominator for v in values)))
    whole = [int(value / scale) for value in values]
    top = max(map(abs, whole))
    if top > LIMIT:
        raise NumberTooLarge
    return Num(np.array(whole, np.int64)[rows], scale, top, why=why)


def of_rows(values: Ints, scale: Fraction, why: Why = None) -> Num:
    top = bound_of(values)
    if top > LIMIT:
        raise NumberTooLarge
    return Num(values, scale, top, why=why)


def _num(n: Whole, scale: Fraction, top: int, d: Ints | None, d_top: int, why: Why) -> Num:
    """A result whose rows are known to fit; bounds that grew past 64 bits are measured afresh."""
    if isinstance(n, int):
        return Num(n, scale, abs(n), d, min(d_top, LIMIT), why)
    return Num(n, scale, top if top <= LIMIT else bound_of(n), d, d_top if d_top <= LIMIT else LIMIT, why)


def take_why(why: Why, rows: Ints) -> Why:
    return None if why is None else why.take(rows)


def join_why(*whys: Why) -> Why:
    """Unknown where any is, for every reason any has."""
    given = [why for why in whys if why is not None]
    if not given:
        return None
    joined = given[0]
    for why in given[1:]:
        joined = joined | why
    return joined


def bound_of(values: Whole) -> int:
    if isinstance(values, int):
        return abs(values)
    if not len(values):
        return 0
    largest = int(values.view(np.uint64).max())  # one pass where nothing is negative, as almost everywhere
    return largest if largest <= LIMIT else max(abs(int(values.min())), abs(int(values.max())))


# -- checked arithmetic on whole numbers


def times(left: Whole, right: Whole, top: int) -> Whole:
    """left × right, which is at most `top` in size if `top` fits."""
    if isinstance(left, int) and isinstance(right, int):
        return left * right
    if top <= LIMIT:
        return left * right
    return _times_by_row(left, right)


def _times_by_row(left: Whole, right: Whole) -> Whole:
    if bound_of(left) > LIMIT or bound_of(right) > LIMIT:
        raise NumberTooLarge
    if bound_of(left) * bound_of(right) <= LIMIT:
        return left * right
    a, b = np.broadcast_arrays(np.asarray(left, np.int64), np.asarray(right, np.int64))
    product = cast(Ints, a * b)
    divisor = np.where(a == 0, 1, a)
    smallest = np.iinfo(np.int64).min
    wrapped = (product // divisor != np.where(a == 0, 0, b)) | ((a == -1) & (b == smallest)) | (product == smallest)
    if bool(wrapped.any()):
        raise NumberTooLarge
    return product


def plus(left: Whole, right: Whole, top: int) -> Whole:
    if top <= LIMIT or (isinstance(left, int) and isinstance(right, int)):
        return left + right
    if bound_of(left) > LIMIT or bound_of(right) > LIMIT:
        raise NumberTooLarge
    if bound_of(left) + bound_of(right) <= LIMIT:
        return left + right
    a, b = np.broadcast_arrays(np.asarray(left, np.int64), np.asarray(right, np.int64))
    total = cast(Ints, a + b)
    if bool(((((a ^ total) & (b ^ total)) < 0) | (total == np.iinfo(np.int64).min)).any()):
        raise NumberTooLarge
    return total


def group_sums(values: Ints, top: int, offsets: Ints) -> Whole:
    """The sum of each household's members. Running totals may wrap: differences of wrapped totals are still right."""
    largest_group = int(np.diff(offsets).max()) if len(offsets) > 1 else 0
    if top * largest_group <= LIMIT:
        return _differences(values, offsets)
    high, low = _differences(values >> 32, offsets), _differences(values & 0xFFFF_FFFF, offsets)
    carried = high + (low >> 32)
    sums = (carried << 32) + (low & 0xFFFF_FFFF)
    if bool(((carried < -(2**31)) | (carried >= 2**31) | (sums == np.iinfo(np.int64).min)).any()):
        raise NumberTooLarge
    return sums


def _differences(values: Ints, offsets: Ints) -> Ints:
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    ends = running[offsets]
    return ends[1:] - ends[:-1]


# -- arithmetic on columns


def negative(a: Num) -> Num:
    return replace(a, n=-a.n)


def product(a: Num, b: Num) -> Num:
    n = times(a.n, b.n, a.top * b.top)
    d, d_top = _common_d(a, b)
    return _num(n, a.scale * b.scale, a.top * b.top, d, d_top, join_why(a.why, b.why))


def _common_d(a: Num, b: Num) -> tuple[Ints | None, int]:
    if a.d is None or b.d is None:
        return (b.d, b.d_top) if a.d is None else (a.d, a.d_top)
    return cast(Ints, times(a.d, b.d, a.d_top * b.d_top)), a.d_top * b.d_top


def quotient(a: Num, b: Num) -> Num:
    """a / b. Where b is zero the result is meaningless; the checker has seen to it that no one looks there."""
    if isinstance(b.n, int):
        return product(a, replace(constant(1 / (b.n * b.scale or Fraction(1))), why=b.why))
    divisor = b.n + (b.n == 0)
    n: Whole = np.full(len(divisor), fitting(a.n)) if isinstance(a.n, int) else a.n
    if bool((divisor < 0).any()):
        n, divisor = times(n, np.sign(divisor), a.top), abs(divisor)
    n = times(n, b.d, a.top * b.d_top) if b.d is not None else n
    top = max(b.top, 1)
    d = times(divisor, a.d, top * a.d_top) if a.d is not None else divisor
    return _num(n, a.scale / b.scale, a.top * b.d_top, cast(Ints, d), top * a.d_top, join_why(a.why, b.why))


def aligned(a: Num, b: Num) -> tuple[Num, Num]:
    """The same two numbers over one scale and one denominator, so that their n may be added or compared."""
    scale = _common_scale(a, b)
    a, b = _rescaled(a, scale), _rescaled(b, scale)
    if a.d is b.d:
        return a, b
    d, d_top = _common_d(a, b)
    return _over(a, b.d, b.d_top, d, d_top), _over(b, a.d, a.d_top, d, d_top)


def _common_scale(a: Num, b: Num) -> Fraction:
    p, q = a.scale, b.scale
    if p is q or p == q or a.top == 0 or b.top == 0:
        return q if a.top == 0 else p
    return Fraction(gcd(p.numerator * q.denominator, q.numerator * p.denominator), p.denominator * q.denominator)


def _rescaled(a: Num, scale: Fraction) -> Num:
    if a.scale is scale or a.scale == scale:
        return a
    factor = a.scale / scale if a.top else Fraction(1)
    assert factor.denominator == 1
    if factor == 1:
        return replace(a, scale=scale)
    top = a.top * int(factor)
    return _num(times(a.n, int(factor), top), scale, top, a.d, a.d_top, a.why)


def _over(a: Num, factor: Ints | None, factor_top: int, d: Ints | None, d_top: int) -> Num:
    if factor is None:
        return Num(a.n, a.scale, a.top, d, d_top, a.why)
    top = a.top * factor_top
    return _num(times(a.n, factor, top), a.scale, top, d, d_top, a.why)


def total(a: Num, b: Num) -> Num:
    a, b = aligned(a, b)
    n = plus(a.n, b.n, a.top + b.top)
    return _num(n, a.scale, a.top + b.top, a.d, a.d_top, join_why(a.why, b.why))


def select(condition: Flags, a: Whole, b: Whole) -> Ints:
    """a where the condition holds, else b: one or the other fits 64 bits, so what wraps on the way comes back.

    np.where jumps on each row, and guessing wrong about half of them costs ten times the arithmetic.
    """
    if isinstance(b, int) and b == 0:
        return np.multiply(condition, a, dtype=np.int64)
    if isinstance(a, int) and isinstance(b, int):
        return np.array([b, a], np.int64)[condition.view(np.int8)]
    found = cast(Ints, np.subtract(a, b, dtype=np.int64))
    found *= condition
    found += b
    return found


def chosen(condition: Flags | bool, a: Num, b: Num, why: Why) -> Num:
    """a where the condition holds, else b."""
    if isinstance(condition, bool):
        return replace(a if condition else b, why=why)
    a, b = aligned(a, b)
    n = select(condition, fitting(a.n), fitting(b.n))
    return Num(n, a.scale, max(a.top, b.top), a.d, a.d_top, why)


def fitting(n: Whole) -> Whole:
    if isinstance(n, int) and abs(n) > LIMIT:
        raise NumberTooLarge
    return n


def extreme(a: Num, b: Num, *, larger: bool) -> Num:
    a, b = aligned(a, b)
    if isinstance(a.n, int) and isinstance(b.n, int):
        n: Whole = max(a.n, b.n) if larger else min(a.n, b.n)
    else:
        pick = np.maximum if larger else np.minimum
        n = cast(Ints, pick(fitting(a.n), fitting(b.n)))
    return _num(n, a.scale, max(a.top, b.top), a.d, a.d_top, join_why(a.why, b.why))


def floor_to(a: Num, step: Fraction) -> Num:
    """The largest multiple of `step` not above a."""
    if _stepped(a, step):
        return _rescaled(a, step)
    n, d, top = _over_step(a, step)
    return _multiple(cast(Whole, n // d), step, top + 1, a.why)


def ceil_to(a: Num, step: Fraction) -> Num:
    return negative(floor_to(negative(a), step))


def round_to(a: Num, step: Fraction) -> Num:
    """The nearest multiple of `step`; a half goes away from zero, as the office counts (四舍五入)."""
    if _stepped(a, step):
        return _rescaled(a, step)
    n, d, top = _over_step(a, step)
    negative_too = n < 0 if isinstance(n, int) else bool((n < 0).any())
    doubled = plus(times(cast(Whole, abs(n)) if negative_too else n, 2, 2 * top), d, 2 * top + bound_of(d))
    size = doubled // times(d, 2, 2 * bound_of(d))
    if negative_too:
        size = size * ((n > 0) - (n < 0) if isinstance(n, int) else np.sign(n))
    return _multiple(cast(Whole, size), step, top + 1, a.why)


def _stepped(a: Num, step: Fraction) -> bool:
    """Whole multiples of `step` already, every one."""
    return a.d is None and (a.scale / step).denominator == 1


def _over_step(a: Num, step: Fraction) -> tuple[Whole, Whole, int]:
    """a / step as whole numerator and denominator, and a bound for the numerator."""
    ratio = a.scale / step
    top = a.top * ratio.numerator
    n = times(a.n, ratio.numerator, top)
    d: Whole = 1 if a.d is None else a.d
    return n, times(d, ratio.denominator, a.d_top * ratio.denominator), top


def _multiple(whole: Whole, step: Fraction, top: int, why: Why) -> Num:
    if isinstance(whole, int):
        return replace(constant(whole * step), why=why)
    return _num(whole, step, top, None, 1, why)
