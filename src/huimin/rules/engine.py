"""Determination of everybody: columns in, results out, exactly and on all cores (DET-01).

in    Programmes, a Table with the columns they need, the date
out   an `Outcome` for each: per household, or per member for programmes about persons

Terms. A condition is met, failed or unknown. Eligible: all met and the amount known. Not eligible: one failed. Otherwise
unknown, and `missing_mask` says which facts would decide.

How. The table is cut into blocks, which the cores share, and blocks into chunks that stay in the cache. A chunk goes through all programmes,
so that a column is read from memory once and what programmes have in common is worked out once (`sharing`). It is worked out
as if everything were known; the households of the block that lack a fact are then worked out again, with reasons (`gaps`).

Always true: the result of a household depends on that household alone, so the cut into blocks and chunks changes
nothing; every amount equals the slow reference evaluator's to the cent, or `NumberTooLarge` is raised; memory beyond the
table and the outcomes is bounded by chunk size × threads.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Fact
from huimin.rules.exact import Ints, NumberTooLarge
from huimin.rules.frame import Chunk, Flag, Frame, Words
from huimin.rules.gaps import Gaps, as_if_decided, joined, members_of, taken
from huimin.rules.judging import AmountNegative, Judgement, judged
from huimin.rules.outcome import Outcome
from huimin.rules.programme import Programme, find_circle
from huimin.rules.sharing import Memo, shared
from huimin.rules.table import Table
from huimin.rules.typed import EPOCH_ORDINAL, NOBODY_BIT

if TYPE_CHECKING:
    from huimin.rules.frame import Col

CHUNK_HOUSEHOLDS = 131_072  # smaller chunks lie nearer in the cache, but 41 programmes cost 10 ms of Python in each
BLOCK_HOUSEHOLDS = 2 * CHUNK_HOUSEHOLDS
TOGETHER = 4  # programmes whose outcomes are in memory at once, where they are let go of one by one
GAPS_FEW = 0.3  # when a larger share of a chunk's households lacks something, only the pass with reasons is made


def evaluate(
    programme: Programme,
    table: Table,
    on: date,
    *,
    threads: int | None = None,
    others: Mapping[str, Outcome] | None = None,
) -> Outcome:
    """Determine every household (or member) of the table on that date. Raises NumberTooLarge, AmountNegative.

    `others`: outcomes of the programmes this one asks about with 符合; those not given are determined here too.
    """
    return evaluate_all([programme], table, on, threads=threads, others=others)[programme.code]


def evaluate_all(
    programmes: Iterable[Programme],
    table: Table,
    on: date,
    *,
    threads: int | None = None,
    others: Mapping[str, Outcome] | None = None,
) -> dict[str, Outcome]:
    """Outcomes by programme code, in an order in which those asked about with 符合 stand before those that ask.

    All together take a third of the time of one by one. A programme that is asked about but neither among `programmes` nor in
    `others` is determined too, and let go. Memory: an outcome takes some 11 to 42 bytes a row. Raises what `evaluate` does.
    """
    wanted = in_order_of_asking(programmes)
    laws, absent = _with_companions(wanted, others or {})
    for law in laws:
        table.require(law.facts_needed)
    given = {**{code: Outcome.empty(_rows(table, unit)) for code, unit in absent.items()}, **(others or {})}
    work = _Work(laws, table, on, given)
    edges = [*range(0, table.household_count, BLOCK_HOUSEHOLDS), table.household_count]
    workers = min(threads or os.cpu_count() or 1, len(edges) - 1)
    if workers <= 1:
        for low, high in pairwise(edges):
            work.block(low, high)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work.block, edges, edges[1:]))
    return {law.code: work.outcomes[law.code] for law in wanted}


def evaluate_each(
    programmes: Iterable[Programme],
    table: Table,
    on: date,
    *,
    threads: int | None = None,
    others: Mapping[str, Outcome] | None = None,
) -> Iterator[tuple[Programme, Outcome]]:
    """As `evaluate_all`, some at a time: who lets go of each outcome needs memory for few."""
    laws = in_order_of_asking(programmes)
    kept = dict(others or {})
    for start in range(0, len(laws), TOGETHER):
        some, later = laws[start : start + TOGETHER], laws[start + TOGETHER :]
        found = evaluate_all(some, table, on, threads=threads, others=kept)
        asked = {code for law in later for code in law.structure.fits}
        kept = {code: outcome for code, outcome in (kept | found).items() if code in asked}
        for law in some:
            yield law, found.pop(law.code)


def _with_companions(
    programmes: Sequence[Programme], others: Mapping[str, Outcome]
) -> tuple[list[Programme], dict[str, str]]:
    """Those and the programmes they ask about that are not given; the unit of those not in force here, which fit nobody."""
    found = {law.code: law for law in programmes}
    absent: dict[str, str] = {}
    pending = list(programmes)
    while pending:
        law = pending.pop()
        for code in law.structure.fits - found.keys() - others.keys():
            companion = law.companion(code)
            if companion is None:
                absent[code] = law.structure.others.get(code, "household")
            else:
                found[code] = companion
                pending.append(companion)
    return in_order_of_asking(found.values()), absent


def _rows(table: Table, unit: str) -> int:
    return table.member_count if unit == "person" else table.household_count


@dataclass
class _Left:
    """Households of one programme that are to be worked out with reasons: those with gaps, and whole chunks of them."""

    households: list[Ints] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    """Their facts, taken while they were in the cache."""
    chunks: list[Ints] = field(default_factory=list)
    written: bool = False
    """The first pass left something open, here or there."""


class _Work:
    """All programmes over one table: chunks as if all were known, then the households with gaps by themselves."""

    def __init__(self, laws: Sequence[Programme], table: Table, on: date, given: Mapping[str, Outcome]) -> None:
        self.laws, self.plan = shared(laws)
        self.words = {law.code: Words.of(law) for law in self.laws}
        self.facts = {law.code: {fact.code for fact in law.facts_needed} for law in self.laws}
        self.today = _days(on)
        self.given = {code: outcome for code, outcome in given.items() if code not in self.words}
        self.constants: dict[int, Col] = {}
        units = {code: unit for law in laws for code, unit in law.structure.others.items()}
        self.table = replace(table, held={code: held for code, held in table.held.items() if code in units})
        self.persons = frozenset(code for code, unit in units.items() if unit == "person")
        self.outcomes = {law.code: Outcome.unwritten(_rows(table, law.unit), len(law.conditions)) for law in laws}

    def block(self, low: int, high: int) -> None:
        """Fill the rows of these households."""
        left = {law.code: _Left() for law in self.laws}
        for start in range(low, high, CHUNK_HOUSEHOLDS):
            self._chunk(start, min(start + CHUNK_HOUSEHOLDS, high), left)
        for law in self.laws:
            mine = left.pop(law.code)
            if mine.households:
                self._alone(law, np.concatenate(mine.households), joined(mine.tables), fresh=not mine.written)
            for households in mine.chunks:
                self._alone(law, households, self._taken(law, self.table, households), fresh=True)

    def _chunk(self, low: int, high: int, left: Mapping[str, _Left]) -> None:
        """Fill one chunk as if nothing were missing; note the households for which that is not so."""
        table = self.table.cut(low, high, self.persons)
        chunk = Chunk(table, self.today, Memo(self.plan, self.constants), complete=True)
        members = int(self.table.offsets[low]), int(self.table.offsets[high])
        found = {
            code: each.cut(*(members if code in self.persons else (low, high))) for code, each in self.given.items()
        }
        gaps = Gaps(table)
        for law in self.laws:
            fits = {code: found[code] for code in law.structure.fits if code in found}
            lacking = gaps.households(law.facts_needed, fits, self.persons)
            apart = len(lacking) <= GAPS_FEW * (high - low) and len(fits) == len(law.structure.fits)
            outcome = self.outcomes[law.code].cut(*(members if law.unit == "person" else (low, high)))
            judgement = self._if_known(law, chunk, fits) if apart else None
            if judgement:
                judgement.write(outcome)
                found[law.code] = outcome
                left[law.code].written |= judgement.open
                if len(lacking):
                    left[law.code].households.append(lacking + low)
                    left[law.code].tables.append(self._taken(law, table, lacking))
            else:
                left[law.code].chunks.append(np.arange(low, high))
            chunk.memo.forget(law.code)

    def _if_known(self, law: Programme, chunk: Chunk, fits: Mapping[str, Outcome]) -> Judgement | None:
        """As if nothing were missing. None when a number is impossible, perhaps only for what stands in an unknown place."""
        try:
            return judged(law, Frame(chunk, self.words[law.code], _fits(law, as_if_decided(fits))))
        except (NumberTooLarge, AmountNegative):
            return None

    def _taken(self, law: Programme, table: Table, households: Ints) -> Table:
        return taken(table, households, members_of(table, households), self.persons, self.facts[law.code])

    def _alone(self, law: Programme, households: Ints, here: Table, *, fresh: bool) -> None:
        """Fill the rows of these households, with their reasons. `here`: their facts; `fresh`: nothing was left open yet."""
        members = members_of(self.table, households)
        fits = {}
        for code in law.structure.fits:
            decided = self.outcomes[code] if code in self.outcomes else self.given[code]
            fits[code] = decided.take(members if code in self.persons else households)
        chunk = Chunk(here, self.today, Memo(self.plan, self.constants))
        found = judged(law, Frame(chunk, self.words[law.code], _fits(law, fits)))
        found.write_at(self.outcomes[law.code], members if law.unit == "person" else households, fresh=fresh)


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
    laws, absent = _with_companions([programme], others)
    wanted = [law for law in laws if law.code in programme.structure.fits]
    found = {code: Outcome.empty(_rows(table, unit)) for code, unit in absent.items()}
    found |= {**others, **evaluate_all(wanted, table, on, threads=threads, others=others)}
    return {code: found[code] for code in sorted(programme.structure.fits)}


def make_frame(programme: Programme, table: Table, on: date, others: Mapping[str, Outcome] | None = None) -> Frame:
    """What the evaluator needs of one table for this programme; `others` are cut like the table."""
    return Frame(Chunk(table, _days(on)), Words.of(programme), _fits(programme, others or {}))


def _days(on: date) -> int:
    return on.toordinal() - EPOCH_ORDINAL


def _fits(programme: Programme, others: Mapping[str, Outcome]) -> dict[str, Flag]:
    return {code: _fit(programme, code, outcome) for code, outcome in others.items()}


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
