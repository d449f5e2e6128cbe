"""渐退: who no longer fits, for certain reasons only, keeps a falling share of what was granted for some months.

in    a programme with 渐退, one Frame, which conditions are met, open and failed
out   `Kept`: for each row, whether it stays and with how much

It applies to rows that hold the programme and fail some of the trigger conditions and no other. The month in which it
begins is the first (on the day itself, when it has not begun yet). Three-valued like everything: where another condition,
the premise or the number of months is open, so is the row, and it names what is missing.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.rules import exact
from huimin.rules.exact import Flags, Ints, Num, Why
from huimin.rules.frame import Col, Flag, Frame
from huimin.rules.operations import column_of
from huimin.rules.outcome import Masks
from huimin.rules.programme import PhaseOut, Programme
from huimin.rules.typed import Level, Typed


@dataclass(frozen=True, slots=True)
class Kept:
    """By row: `stays` for certain; `open_why` not zero where that is not known; `amount` before rounding."""

    stays: Flags
    open_why: Why
    amount: Num


def kept(programme: Programme, frame: Frame, level: Level, met: Masks, failed: Masks, why: Why) -> Kept | None:
    """None when nobody is concerned. `why`: what the conditions that are no triggers miss, by row."""
    rule, held = programme.structure.phase_out, frame.table.held.get(programme.code)
    if rule is None or held is None:
        return None
    others = failed.dtype.type(sum(1 << bit for bit, c in enumerate(programme.conditions) if c.id not in rule.triggers))
    concerned = (held.amount_fen > 0) & (failed != 0) & (failed & others == 0)
    if not bool(concerned.any()):
        return None
    months = _months_begun(held.phase_out_since, frame.today)
    within = _within(rule, frame, level, months)
    premise = cast(Flag, _leveled(rule.premise, frame, level)) if rule.premise else Flag(True)
    true = within.v & premise.v & concerned
    open_why = exact.join_why(why, within.why, premise.why)
    if open_why is not None:
        denied = _denied(within) | _denied(premise) | ~concerned
        open_why = np.where(denied, np.uint64(0), open_why)
        true = true & (open_why == 0)
    return Kept(cast(Flags, true), open_why, _amount(rule, frame, held.amount_fen, months))


def _leveled(tree: Typed, frame: Frame, level: Level) -> Col:
    return frame.spread(column_of(tree, frame), tree.level, level)


def _denied(flag: Flag) -> Flags | bool:
    """Known not to hold."""
    if isinstance(flag.v, bool):
        return not flag.v
    return ~flag.v if flag.why is None else ~flag.v & (flag.why == 0)


def _months_begun(since: NDArray[np.int32], today: int) -> Ints:
    """1 in the calendar month in which 渐退 begins, 2 in the next."""
    days = np.asarray(since, np.int64)
    start = np.where(days > 0, days, today).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    now = int(np.datetime64(today, "D").astype("datetime64[M]").astype(np.int64))
    return cast(Ints, np.maximum(now - start + 1, 1))


def _within(rule: PhaseOut, frame: Frame, level: Level, months: Ints) -> Flag:
    allowed = cast(Num, _leveled(rule.months, frame, level))
    left, right = exact.aligned(exact.of_rows(months, Fraction(1)), allowed)
    return Flag(cast(Flags, np.less_equal(exact.fitting(left.n), exact.fitting(right.n))), allowed.why)


def _amount(rule: PhaseOut, frame: Frame, granted_fen: Ints, months: Ints) -> Num:
    shares = [cast(Num, column_of(share, frame)) for _, share in rule.steps]
    values = [cast(int, share.n) * share.scale for share in shares]
    firsts = np.array([first for first, _ in rule.steps])
    step = np.searchsorted(firsts, months, side="right") - 1
    granted = exact.of_rows(np.asarray(granted_fen, np.int64), Fraction(1, 100))
    return exact.product(granted, exact.picked(values, step, None))
