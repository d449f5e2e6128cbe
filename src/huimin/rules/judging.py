"""One programme over one frame: conditions, amount, 渐退 → an Outcome of the frame's rows.

in    a Programme, a Frame (what is known of the rows and of other programmes)
out   a `Judgement`, to be written into an Outcome; raises NumberTooLarge, AmountNegative

An amount is worked out for rows that fail nothing, rounded for rows that are eligible: what nobody is paid cannot overflow.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.errors import Refusal
from huimin.rules import exact
from huimin.rules.exact import Flags, Ints, Num, Why, join_why, take_why
from huimin.rules.frame import Col, Flag, Frame
from huimin.rules.operations import column_of
from huimin.rules.outcome import Masks, Outcome
from huimin.rules.phasing import Kept, kept
from huimin.rules.programme import Programme
from huimin.rules.typed import Level, Typed

_NOBODY: Ints = np.zeros(0, np.int64)
_ROUNDERS = {"四舍五入": exact.round_to, "进一": exact.ceil_to, "舍去": exact.floor_to}


class AmountNegative(Refusal):
    """An amount below zero: the formula lacks a floor or a condition."""

    def __init__(self, programme: str) -> None:
        super().__init__(
            f"项目 {programme} 算出了负的金额",
            why="发放金额不能小于零",
            remedy="请在条件里排除这种情形，或把金额写成 max(0, …)",
        )


@dataclass
class Judgement:
    """What a frame's rows came to. None stands for zero in every row; `fen` is that of the rows `paid`.

    `others`: what the conditions miss that do not set off 渐退.
    """

    met: Masks
    failed: Masks
    eligible: NDArray[np.int8]
    paid: Ints
    fen: Ints | int = 0
    unknown: Masks | None = None
    missing: Why = None
    phase_out: Flags | None = None

    @property
    def open(self) -> bool:
        """Some row is undecided, or kept by 渐退."""
        return not (self.unknown is None and self.missing is None and self.phase_out is None)

    def write(self, outcome: Outcome) -> None:
        """Into an outcome of these rows that is unwritten: pages of zeros that are never touched cost nothing."""
        outcome.met_mask[:], outcome.failed_mask[:], outcome.eligible[:] = self.met, self.failed, self.eligible
        outcome.amount_fen[:] = 0
        outcome.amount_fen[self.paid] = self.fen
        for part, found in self._seldom(outcome):
            if found is not None:
                part[:] = found

    def write_at(self, outcome: Outcome, rows: Ints, *, fresh: bool) -> None:
        """Over these rows of a larger outcome. `fresh`: what is seldom anything but zero still is zero."""
        outcome.met_mask[rows], outcome.failed_mask[rows], outcome.eligible[rows] = self.met, self.failed, self.eligible
        outcome.amount_fen[rows] = 0
        outcome.amount_fen[rows[self.paid]] = self.fen
        for part, found in self._seldom(outcome):
            if not fresh:
                part[rows] = 0
            if found is not None:
                some = np.flatnonzero(found)
                part[rows[some]] = found[some]

    def _seldom(self, outcome: Outcome) -> Iterator[tuple[NDArray[Any], NDArray[Any] | None]]:
        yield outcome.unknown_mask, self.unknown
        yield outcome.missing_mask, self.missing
        yield outcome.phase_out, self.phase_out


def judged(programme: Programme, frame: Frame) -> Judgement:
    level = Level.MEMBER if programme.unit == "person" else Level.HOUSEHOLD
    count = frame.table.member_count if level is Level.MEMBER else frame.table.household_count
    found, missing, others = _by_conditions(programme, frame, level, count)
    standing = np.flatnonzero(found.failed == 0)
    if len(standing):
        amount = cast(Num, leveled(programme.structure.amount, frame.only(level, standing), level))
        _pay(programme, found, standing, amount, join_why(take_why(missing, standing), amount.why))
    if programme.structure.phase_out:
        stay = kept(programme, frame, level, found.met, found.failed, others)
        if stay:
            _keep(programme, found, stay)
    return found


def _by_conditions(programme: Programme, frame: Frame, level: Level, count: int) -> tuple[Judgement, Why, Why]:
    """Which conditions are met, failed and open; what they miss, and what those miss that do not set off 渐退."""
    triggers = programme.structure.phase_out.triggers if programme.structure.phase_out else frozenset()
    everything = (1 << len(programme.conditions)) - 1
    kind = np.min_scalar_type(everything)
    met, unknown = np.zeros(count, kind), None
    missing: Why = None
    others: Why = None
    for bit, condition in enumerate(programme.conditions):
        flag = cast(Flag, leveled(condition.tree, frame, level))
        met |= _marked(flag.v, bit, kind)
        if flag.why is not None:
            unknown = np.zeros(count, kind) if unknown is None else unknown
            unknown |= _marked(flag.why != 0, bit, kind)
            missing = join_why(missing, flag.why)
            others = others if condition.id in triggers else join_why(others, flag.why)
    failed = met ^ kind.type(everything) if unknown is None else met ^ unknown ^ kind.type(everything)
    return Judgement(met, failed, np.zeros(count, np.int8), _NOBODY, unknown=unknown), missing, others


def _pay(programme: Programme, found: Judgement, standing: Ints, amount: Num, why: Why) -> None:
    """Who is eligible, and with how much; `standing`: who fails nothing, `amount` and `why`: theirs."""
    if why is None:
        found.paid, found.fen = standing, _fen(programme, amount)
        found.eligible[standing] = 1
        return
    known = np.flatnonzero(why == 0)
    found.paid, found.fen = standing[known], _fen(programme, amount.take(known))
    found.eligible[standing] = -1
    found.eligible[found.paid] = 1
    found.missing = np.zeros(len(found.eligible), np.uint64)
    found.missing[standing] = why


def _keep(programme: Programme, found: Judgement, stay: Kept) -> None:
    """渐退 over what the conditions alone would say: rows that fail, so that none of them is among those paid."""
    staying = np.flatnonzero(stay.stays)
    found.phase_out = stay.stays
    found.eligible[staying] = 1
    fen = np.zeros(len(found.eligible), np.int64)
    fen[found.paid], fen[staying] = found.fen, _fen(programme, stay.amount.take(staying))
    found.paid = np.flatnonzero(found.eligible == 1)
    found.fen = fen[found.paid]
    if stay.open_why is not None:
        found.eligible[stay.open_why != 0] = -1
        found.missing = stay.open_why if found.missing is None else found.missing | stay.open_why


def _fen(programme: Programme, amount: Num) -> Ints | int:
    """Rounded as the programme says, in 分."""
    fen = whole_fen(rounded_fen(programme, amount))
    if np.min(fen, initial=0) < 0:
        raise AmountNegative(programme.code)
    return fen


def _marked(flags: Flags | bool, bit: int, kind: np.dtype[np.unsignedinteger]) -> Masks | np.unsignedinteger:
    """Bit number `bit` where the flag is set."""
    if isinstance(flags, bool):
        return kind.type(flags << bit)
    wide = flags.view(np.uint8) if kind == np.uint8 else flags.astype(kind)
    return cast(Masks, wide << kind.type(bit))


def leveled(tree: Typed, frame: Frame, level: Level) -> Col:
    """The tree's column, spread to one value per row of the result (or one for all)."""
    return frame.spread(column_of(tree, frame), tree.level, level)


def rounded_fen(programme: Programme, amount: Num) -> Num:
    return _ROUNDERS[programme.structure.rounding](amount, programme.structure.rounding_step)


def whole_fen(amount: Num) -> Ints | int:
    """元 as 分; rounding has made them whole."""
    factor = amount.scale * 100
    assert factor.denominator == 1
    return exact.times(amount.n, int(factor), amount.top * int(factor))
