"""Determination of everybody: columns in, results out, exactly and on all cores (DET-01).

in    a Programme, a Table with the columns it needs, the date
out   an `Outcome`: per household, or per member for programmes about persons

Terms. A condition is met, failed or unknown. Eligible: all met and the amount known. Not eligible: one failed. Otherwise
unknown, and `missing_mask` says which facts would decide.

Always true: the result of a household depends on that household alone, so the cut into chunks and threads changes
nothing; every amount equals the slow reference evaluator's to the cent, or `NumberTooLarge` is raised; memory beyond the
table and the outcome is bounded by chunk size × threads. Reasons are kept for households with gaps alone (`gaps`).
"""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import cast

import numpy as np

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import Fact
from huimin.rules import exact
from huimin.rules.exact import Flags, Ints, Num, NumberTooLarge, Why, join_why
from huimin.rules.frame import Col, Flag, Frame, parameter_column
from huimin.rules.gaps import as_if_decided, as_if_known, households_with_gaps, members_of, taken
from huimin.rules.operations import column_of
from huimin.rules.outcome import Masks, Outcome
from huimin.rules.phasing import Kept, kept
from huimin.rules.programme import Programme, find_circle
from huimin.rules.table import Table
from huimin.rules.tiers import Tiers
from huimin.rules.typed import EPOCH_ORDINAL, NOBODY_BIT, Level, Typed

CHUNK_HOUSEHOLDS = 131_072  # smaller chunks lie nearer in the cache, but every step on one costs some 10 µs of Python
GAPS_FEW = 0.3  # when a larger share of a chunk's households lacks something, it is worked out once, with reasons
Rows = slice | Ints
_ROUNDERS = {"四舍五入": exact.round_to, "进一": exact.ceil_to, "舍去": exact.floor_to}


class AmountNegative(Refusal):
    """An amount below zero: the formula lacks a floor or a condition."""

    def __init__(self, programme: str) -> None:
        super().__init__(
            f"项目 {programme} 算出了负的金额",
            why="发放金额不能小于零",
            remedy="请在条件里排除这种情形，或把金额写成 max(0, …)",
        )


def evaluate(
    programme: Programme,
    table: Table,
    on: date,
    *,
    threads: int | None = None,
    others: Mapping[str, Outcome] | None = None,
) -> Outcome:
    """Determine every household (or member) of the table on that date. Raises NumberTooLarge, AmountNegative.

    `others`: outcomes of the programmes this one asks about with 符合; those not given are determined here first.
    """
    table.require(programme.facts_needed)
    fits = outcomes_asked(programme, table, on, others or {}, threads)
    work = _Evaluation(programme, _read_by(programme, table), on, fits)
    starts = range(0, table.household_count, CHUNK_HOUSEHOLDS)
    workers = min(threads or os.cpu_count() or 1, max(len(starts), 1))
    if workers == 1:
        left = [work.chunk(low) for low in starts]
    else:
        with ThreadPoolExecutor(workers) as pool:
            left = list(pool.map(work.chunk, starts))
    gaps = np.concatenate(left) if left else np.zeros(0, np.int64)
    for start in range(0, len(gaps), CHUNK_HOUSEHOLDS):
        work.alone(gaps[start : start + CHUNK_HOUSEHOLDS])
    if len(work.outcome.amount_fen) and int(work.outcome.amount_fen.min()) < 0:
        raise AmountNegative(programme.code)
    return work.outcome


class _Evaluation:
    """One programme over one table: chunks as if all were known, then the households with gaps by themselves."""

    def __init__(self, programme: Programme, table: Table, on: date, fits: Mapping[str, Outcome]) -> None:
        self.programme, self.table, self.on, self.fits = programme, table, on, fits
        self.by_person = programme.unit == "person"
        rows = table.member_count if self.by_person else table.household_count
        self.outcome = Outcome.empty(rows, len(programme.conditions))
        self.persons = [code for code in programme.structure.others if _of_persons(programme, code)]

    def chunk(self, low: int) -> Ints:
        """Fill one chunk; the households in it that have gaps and must be worked out `alone`."""
        high = min(low + CHUNK_HOUSEHOLDS, self.table.household_count)
        members = slice(int(self.table.offsets[low]), int(self.table.offsets[high]))
        rows = members if self.by_person else slice(low, high)
        here = self.table.cut(low, high, self.persons)
        fits = {
            code: found.cut(*((members.start, members.stop) if code in self.persons else (low, high)))
            for code, found in self.fits.items()
        }
        gaps = households_with_gaps(here, fits, self.persons)
        if len(gaps) <= GAPS_FEW * here.household_count:
            try:
                self._determine(as_if_known(here), as_if_decided(fits), rows)
                return gaps + low
            except NumberTooLarge:  # perhaps only because of what stands in an unknown place
                pass
        self._determine(here, fits, rows)
        return np.zeros(0, np.int64)

    def alone(self, households: Ints) -> None:
        """Fill the rows of these households, with their reasons."""
        members = members_of(self.table, households)
        fits = {code: found.take(members if code in self.persons else households) for code, found in self.fits.items()}
        here = taken(self.table, households, members, self.persons)
        self._determine(here, fits, members if self.by_person else households)

    def _determine(self, here: Table, fits: Mapping[str, Outcome], rows: Rows) -> None:
        if rows.stop > rows.start if isinstance(rows, slice) else len(rows):
            _determine(self.programme, make_frame(self.programme, here, self.on, fits), self.outcome, rows)


def evaluate_all(
    programmes: Iterable[Programme], table: Table, on: date, *, threads: int | None = None
) -> dict[str, Outcome]:
    """Outcomes by programme code, each determined once, those asked about with 符合 before those that ask.

    A programme that is asked about but not among `programmes` is determined where it is asked. Memory: an outcome takes
    some 20 to 42 bytes a row.
    """
    found: dict[str, Outcome] = {}
    for programme in in_order_of_asking(programmes):
        found[programme.code] = evaluate(programme, table, on, threads=threads, others=found)
    return found


def in_order_of_asking(programmes: Iterable[Programme]) -> list[Programme]:
    """The same programmes, each after those of them it asks about. Raises BadInput when they ask in a circle."""
    by_code = {programme.code: programme for programme in programmes}
    circle = find_circle({code: programme.structure.fits for code, programme in by_code.items()})
    if circle:
        raise BadInput(
            f"项目互相以对方是否符合为条件，成了圈：{' → '.join(circle)}",
            where=f"项目 {circle[0]}",
            remedy="请让其中一个只看 享受(编码)",
        )
    ordered: dict[str, Programme] = {}

    def place(programme: Programme) -> None:
        if programme.code not in ordered:
            for code in sorted(programme.structure.fits & by_code.keys()):
                place(by_code[code])
            ordered[programme.code] = programme

    for programme in by_code.values():
        place(programme)
    return list(ordered.values())


def outcomes_asked(
    programme: Programme, table: Table, on: date, others: Mapping[str, Outcome], threads: int | None = None
) -> dict[str, Outcome]:
    """For each programme asked about with 符合: its outcome; one that is not in force at the place fits nobody."""
    found = {}
    for code in sorted(programme.structure.fits):
        companion = None if code in others else programme.companion(code)
        rows = table.member_count if _of_persons(programme, code) else table.household_count
        if code in others:
            found[code] = others[code]
        elif companion is None:
            found[code] = Outcome.empty(rows)
        else:
            found[code] = evaluate(companion, table, on, threads=threads, others=others)
    return found


def _of_persons(programme: Programme, code: str) -> bool:
    return programme.structure.others.get(code) == "person"


def _read_by(programme: Programme, table: Table) -> Table:
    """The table with only the columns this programme reads."""
    codes = {fact.code for fact in programme.facts_needed}
    return Table(
        {code: column for code, column in table.households.items() if code in codes},
        {code: column for code, column in table.members.items() if code in codes},
        table.offsets,
        {code: held for code, held in table.held.items() if code in programme.structure.others},
    )


def make_frame(programme: Programme, table: Table, on: date, others: Mapping[str, Outcome] | None = None) -> Frame:
    """What the evaluator needs for one chunk of this programme; `others` are cut like the table."""
    return Frame(
        table,
        facts={fact.code: fact for fact in programme.facts_needed},
        bits={fact.code: bit for bit, fact in enumerate(programme.facts_needed)},
        parameters={
            n: parameter_column(p.value) for n, p in programme.parameters.items() if not isinstance(p.value, Tiers)
        },
        values={value.name: value.tree for value in programme.structure.values},
        today=on.toordinal() - EPOCH_ORDINAL,
        tables={name: p.value for name, p in programme.parameters.items() if isinstance(p.value, Tiers)},
        elsewhere=programme.elsewhere,
        fits={code: _fit(programme, code, outcome) for code, outcome in (others or {}).items()},
    )


def _fit(programme: Programme, code: str, outcome: Outcome) -> Flag:
    """符合: yes, no, or unknown for the facts the other programme misses, as bits of this one's."""
    unknown = np.flatnonzero(outcome.eligible < 0)
    if not len(unknown):
        return Flag(outcome.eligible == 1)
    companion = programme.companion(code)
    assert companion is not None, "an outcome that misses facts comes from a programme in force"
    mine = {fact.code: bit for bit, fact in enumerate(programme.facts_needed)}
    moves = [(bit, mine[fact.code]) for bit, fact in enumerate(companion.facts_needed)]
    theirs, reasons = outcome.missing_mask[unknown], np.zeros(len(unknown), np.uint64)
    for bit, to in [*moves, (NOBODY_BIT, NOBODY_BIT)]:
        reasons |= (theirs >> np.uint64(bit) & np.uint64(1)) << np.uint64(to)
    why = np.zeros(len(outcome.eligible), np.uint64)
    why[unknown] = reasons
    return Flag(outcome.eligible == 1, why)


def _determine(programme: Programme, frame: Frame, outcome: Outcome, rows: Rows) -> None:
    """Fill these rows of the outcome with what the frame holds."""
    level = Level.MEMBER if programme.unit == "person" else Level.HOUSEHOLD
    count = frame.table.member_count if level is Level.MEMBER else frame.table.household_count
    kind = outcome.met_mask.dtype
    met, unknown = np.zeros(count, kind), np.zeros(count, kind)
    missing: Why = None
    others: Why = None  # what the conditions miss that do not set off 渐退
    phasing = programme.structure.phase_out
    for bit, condition in enumerate(programme.conditions):
        flag = cast(Flag, leveled(condition.tree, frame, level))
        met |= _marked(flag.v, bit, kind)
        if flag.why is not None:
            unknown |= _marked(flag.why != 0, bit, kind)
            missing = join_why(missing, flag.why)
            if phasing and condition.id not in phasing.triggers:
                others = join_why(others, flag.why)
    everything = kind.type((1 << len(programme.conditions)) - 1)
    failed = everything ^ met ^ unknown
    amount = cast(Num, leveled(programme.structure.amount, frame, level))
    missing = join_why(missing, amount.why)
    eligible = met == everything if amount.why is None else (met == everything) & (amount.why == 0)
    outcome.met_mask[rows], outcome.failed_mask[rows] = met, failed
    outcome.eligible[rows] = eligible
    outcome.amount_fen[rows] = _amounts(programme, amount, eligible)
    if missing is not None or not isinstance(rows, slice):  # pages of zeros that are never touched cost nothing
        undecided = ~eligible & (failed == 0)
        outcome.eligible[rows] -= undecided
        outcome.unknown_mask[rows] = unknown
        outcome.missing_mask[rows] = 0 if missing is None else np.where(undecided, missing, np.uint64(0))
    if phasing:
        outcome.phase_out[rows] = False  # a first pass as if all were known may have said otherwise
    if phasing and (stay := kept(programme, frame, level, met, failed, others)):
        _keep(programme, stay, outcome, rows)


def _keep(programme: Programme, stay: Kept, outcome: Outcome, rows: Rows) -> None:
    """渐退 over what the conditions alone would say."""
    outcome.phase_out[rows] = stay.stays
    outcome.eligible[rows] = np.where(stay.stays, 1, outcome.eligible[rows])
    outcome.amount_fen[rows] += _amounts(programme, stay.amount, stay.stays)
    if stay.open_why is not None:
        undecided = stay.open_why != 0
        outcome.eligible[rows] = np.where(undecided, -1, outcome.eligible[rows])
        outcome.missing_mask[rows] |= stay.open_why


def _marked(flags: Flags | bool, bit: int, kind: np.dtype[np.unsignedinteger]) -> Masks | np.unsignedinteger:
    """Bit number `bit` where the flag is set."""
    if isinstance(flags, bool):
        return kind.type(flags << bit)
    return cast(Masks, flags.astype(kind) << kind.type(bit))


def _amounts(programme: Programme, amount: Num, eligible: Flags) -> Ints:
    """分 of who is eligible, 0 of everybody else, who is not even rounded."""
    chosen = np.flatnonzero(eligible)
    fen = np.zeros(len(eligible), np.int64)
    fen[chosen] = whole_fen(rounded_fen(programme, amount.take(chosen)))
    return fen


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
    if outcome.phase_out[row] and programme.structure.phase_out:
        reasons = [f"渐退：不再符合{c.text}（{c.citation}）" for c, bit in chosen if failed >> bit & 1]
        return (*reasons, f"渐退期内按比例发给（{programme.structure.phase_out.citation}）")
    if failed:
        return tuple(f"不符合：{c.text}（{c.citation}）" for c, bit in chosen if failed >> bit & 1)
    mask = int(outcome.missing_mask[row])
    if mask:
        open_ones = [f"待定：{c.text}（{c.citation}）" for c, bit in chosen if not met >> bit & 1]
        papers = [f"缺少：{f.name}" + (f"（{f.paper}）" if f.paper else "") for f in missing_facts(programme, mask)]
        return (*open_ones, *papers, *(["缺少：成员"] if mask >> NOBODY_BIT & 1 else []))
    return tuple(f"符合：{c.text}（{c.citation}）" for c, bit in chosen if met >> bit & 1)
