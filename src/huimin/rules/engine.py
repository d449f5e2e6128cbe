"""Determination of everybody: columns in, results out, exactly and on all cores (DET-01).

in    a Programme, a Table with the columns it needs, the date
out   an `Outcome`: per household, or per member for programmes about persons

Terms. A condition is met, failed or unknown. Eligible: all met and the amount known. Not eligible: one failed. Otherwise
unknown, and `missing_mask` says which facts would decide.

Always true: the result of a household depends on that household alone, so the cut into chunks and threads changes
nothing; every amount equals the slow reference evaluator's to the cent, or `NumberTooLarge` is raised; memory beyond the
table and the outcome is bounded by chunk size × threads.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.errors import Refusal
from huimin.kernel.facts import Fact
from huimin.rules import exact
from huimin.rules.exact import Ints, Num
from huimin.rules.frame import Col, Flag, Frame, parameter_column
from huimin.rules.operations import column_of
from huimin.rules.programme import Programme
from huimin.rules.table import Table
from huimin.rules.typed import EPOCH_ORDINAL, NOBODY_BIT, Level, Typed

CHUNK_HOUSEHOLDS = 16_384
Masks = NDArray[np.uint64]
_ROUNDERS = {"四舍五入": exact.round_to, "进一": exact.ceil_to, "舍去": exact.floor_to}


class AmountNegative(Refusal):
    """An amount below zero: the formula lacks a floor or a condition."""

    def __init__(self, programme: str) -> None:
        super().__init__(
            f"项目 {programme} 算出了负的金额",
            why="发放金额不能小于零",
            remedy="请在条件里排除这种情形，或把金额写成 max(0, …)",
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results by row (household or member). Bit i of the masks is condition i, or facts_needed[i] in `missing_mask`.

    `eligible` 1 yes, 0 no, -1 unknown; `amount_fen` is 0 unless eligible; `missing_mask` is 0 unless unknown.
    """

    eligible: NDArray[np.int8]
    amount_fen: Ints
    met_mask: Masks
    failed_mask: Masks
    unknown_mask: Masks
    missing_mask: Masks

    @classmethod
    def empty(cls, rows: int) -> "Outcome":
        masks = [np.zeros(rows, np.uint64) for _ in range(4)]
        return cls(np.zeros(rows, np.int8), np.zeros(rows, np.int64), *masks)


def evaluate(programme: Programme, table: Table, on: date, *, threads: int | None = None) -> Outcome:
    """Determine every household (or member) of the table on that date. Raises NumberTooLarge, AmountNegative."""
    table.require(programme.facts_needed)
    by_person = programme.unit == "person"
    outcome = Outcome.empty(table.member_count if by_person else table.household_count)
    starts = range(0, table.household_count, CHUNK_HOUSEHOLDS)

    def one_chunk(low: int) -> None:
        high = min(low + CHUNK_HOUSEHOLDS, table.household_count)
        rows = (int(table.offsets[low]), int(table.offsets[high])) if by_person else (low, high)
        if rows[0] < rows[1]:
            _determine(programme, make_frame(programme, _cut(programme, table, low, high), on), outcome, *rows)

    workers = min(threads or os.cpu_count() or 1, max(len(starts), 1))
    if workers == 1:
        for low in starts:
            one_chunk(low)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one_chunk, starts))
    return outcome


def _cut(programme: Programme, table: Table, low: int, high: int) -> Table:
    """The chunk, with only the columns this programme reads."""
    codes = {fact.code for fact in programme.facts_needed}
    households = {code: column for code, column in table.households.items() if code in codes}
    members = {code: column for code, column in table.members.items() if code in codes}
    first, last = int(table.offsets[low]), int(table.offsets[high])
    return Table(
        {code: column.cut(low, high) for code, column in households.items()},
        {code: column.cut(first, last) for code, column in members.items()},
        table.offsets[low : high + 1] - first,
    )


def make_frame(programme: Programme, table: Table, on: date) -> Frame:
    """What the evaluator needs for one chunk of this programme."""
    return Frame(
        table,
        facts={fact.code: fact for fact in programme.facts_needed},
        bits={fact.code: bit for bit, fact in enumerate(programme.facts_needed)},
        parameters={name: parameter_column(p.value) for name, p in programme.parameters.items()},
        values={value.name: value.tree for value in programme.structure.values},
        today=on.toordinal() - EPOCH_ORDINAL,
    )


def _determine(programme: Programme, frame: Frame, outcome: Outcome, low: int, high: int) -> None:
    """Fill the outcome's rows low up to high."""
    level = Level.MEMBER if programme.unit == "person" else Level.HOUSEHOLD
    rows = high - low
    all_met, any_failed = np.ones(rows, np.bool_), np.zeros(rows, np.bool_)
    missing = np.zeros(rows, np.uint64)
    for bit, condition in enumerate(programme.conditions):
        flag = cast(Flag, leveled(condition.tree, frame, level))
        met = np.broadcast_to(flag.v, (rows,))
        failed = ~met if flag.why is None else ~met & (flag.why == 0)
        for mask, hits in ((outcome.met_mask, met), (outcome.failed_mask, failed)):
            mask[low:high] |= hits.astype(np.uint64) << np.uint64(bit)
        if flag.why is not None:
            outcome.unknown_mask[low:high] |= (flag.why != 0).astype(np.uint64) << np.uint64(bit)
            missing |= flag.why
        all_met &= met
        any_failed |= failed
    amount = rounded_fen(programme, cast(Num, leveled(programme.structure.amount, frame, level)))
    missing = missing if amount.why is None else missing | amount.why
    eligible = all_met if amount.why is None else all_met & (amount.why == 0)
    outcome.eligible[low:high] = np.where(eligible, 1, np.where(any_failed, 0, -1))
    outcome.missing_mask[low:high] = np.where(eligible | any_failed, np.uint64(0), missing)
    outcome.amount_fen[low:high] = np.where(eligible, whole_fen(amount), 0)
    if bool((outcome.amount_fen[low:high] < 0).any()):
        raise AmountNegative(programme.code)


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


def missing_facts(programme: Programme, mask: int) -> list[Fact]:
    return [fact for bit, fact in enumerate(programme.facts_needed) if mask >> bit & 1]


def missing_names(programme: Programme, mask: int) -> list[str]:
    """Names of the missing facts; 成员 when max or min found nobody to look at."""
    nobody = ["成员"] if mask >> NOBODY_BIT & 1 else []
    return [fact.name for fact in missing_facts(programme, mask)] + nobody


def grounds(programme: Programme, outcome: Outcome, row: int) -> tuple[str, ...]:
    """Why row `row` came out as it did: failed conditions, or unknown ones with the papers wanted, or all as met."""
    met, failed = int(outcome.met_mask[row]), int(outcome.failed_mask[row])
    chosen = [(c, bit) for bit, c in enumerate(programme.conditions)]
    if failed:
        return tuple(f"不符合：{c.text}（{c.citation}）" for c, bit in chosen if failed >> bit & 1)
    mask = int(outcome.missing_mask[row])
    if mask:
        open_ones = [f"待定：{c.text}（{c.citation}）" for c, bit in chosen if not met >> bit & 1]
        papers = [f"缺少：{f.name}" + (f"（{f.paper}）" if f.paper else "") for f in missing_facts(programme, mask)]
        return (*open_ones, *papers, *(["缺少：成员"] if mask >> NOBODY_BIT & 1 else []))
    return tuple(f"符合：{c.text}（{c.citation}）" for c, bit in chosen if met >> bit & 1)
