"""Overlaps and gaps: who draws several programmes, who is poor and draws none, what 建档立卡 households keep (POL-06, DET-08).

in    the Columns of a place on a day with what is granted, the programmes in force
out   `Covered`: combinations by village, households to be pointed out

Terms. Drawing: holding an entitlement on the day, the household itself or a living member of it. Poor: 家庭人均月收入
below 低保标准, both as the programme of subsistence allowance for that household says them: the urban one for 非农业,
else the rural one. An income with a missing fact is unknown, and counted apart; it is never taken for zero.

Always true: every household with somebody living in it draws exactly one combination (drawing nothing is one).
Limits: income alone is looked at; property and other conditions are the screening's, whose proposals say them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from huimin.kernel.facts import HOUSEHOLD_FACTS
from huimin.kernel.places import Level
from huimin.rules import Programme
from huimin.rules.programme import Structure
from huimin.rules.typed import Typed
from huimin.screening.simulation.columns import Columns, Flags, Ints
from huimin.screening.simulation.comparing import PER_YEAR
from huimin.screening.simulation.models import Finding

INCOME, STANDARD = "家庭人均月收入", "低保标准"
RURAL, URBAN, NOT_RURAL = "dibao-rural", "dibao-urban", "非农业"
LINKED = ("脱贫户", "监测户")
Masks = NDArray[np.uint64]
Kind = Finding.Kind


@dataclass(frozen=True)
class Incomes:
    """分 a month and head by household, -1 unknown; the line in 分 a month, -1 where no programme gives one."""

    income_fen: Ints
    line_fen: Ints

    @property
    def below(self) -> Ints:
        """1 poor, 0 not, -1 unknown."""
        known = (self.income_fen >= 0) & (self.line_fen >= 0)
        return np.where(known, (self.income_fen < self.line_fen).astype(np.int64), -1)


def incomes(columns: Columns, laws: Sequence[Programme]) -> Incomes:
    """By the allowance for rural or for urban households, whichever is the household's."""
    count = columns.table.household_count
    found = Incomes(np.full(count, -1, np.int64), np.full(count, -1, np.int64))
    by_code = {law.code: law for law in laws if _tells_income(law)}
    urban = _is_urban(columns)
    for code, rows in ((RURAL, ~urban | (URBAN not in by_code)), (URBAN, urban)):
        if code in by_code:
            income = _income(columns, by_code[code])
            found.income_fen[rows] = income[rows]
            found.line_fen[rows] = _standard_fen(by_code[code])
    return found


def _tells_income(law: Programme) -> bool:
    named = any(value.name == INCOME for value in law.structure.values)
    return named and STANDARD in law.parameters and isinstance(law.parameters[STANDARD].value, Fraction)


def _standard_fen(law: Programme) -> int:
    value = law.parameters[STANDARD].value
    assert isinstance(value, Fraction)
    return int(value * 100)


def _income(columns: Columns, law: Programme) -> Ints:
    """The named value, as if it were what the programme pays, whole 分 with the rest cut off: below a line of whole 分
    is below it exactly."""
    [named] = [value for value in law.structure.values if value.name == INCOME]
    asking = replace(law, structure=_paying(law.structure, named.tree))
    [(_, outcome)] = columns.evaluate([asking])
    return np.where(outcome.eligible == 1, outcome.amount_fen, -1)


def _paying(structure: Structure, tree: Typed) -> Structure:
    """A programme without conditions that pays what `tree` says."""
    return replace(
        structure, conditions=(), amount=tree, rounding="舍去", rounding_step=Fraction(1, 100), phase_out=None
    )


def _is_urban(columns: Columns) -> Flags:
    return _is(columns, "hukou", NOT_RURAL)


def _is(columns: Columns, code: str, *choices: str) -> Flags:
    """Whether a household's choice is one of these; unknown is not."""
    column = columns.table.households.get(code)
    if column is None:
        return np.zeros(columns.table.household_count, bool)
    offered = next(fact.choices for fact in HOUSEHOLD_FACTS if fact.code == code)
    wanted = [offered.index(choice) for choice in choices if choice in offered]
    return np.asarray(column.known & np.isin(column.values, wanted))


@dataclass(frozen=True)
class Drawn:
    """What every household draws: `mask` has bit i for `codes[i]`, `year_fen` is 分 a year of all together."""

    codes: tuple[str, ...]
    mask: Masks
    year_fen: Ints

    def names(self, mask: int) -> list[str]:
        return [code for bit, code in enumerate(self.codes) if mask >> bit & 1]


def drawn(columns: Columns, periods: Mapping[str, str]) -> Drawn:
    """By what is granted in the snapshot; `periods`: programme → month, quarter …"""
    granted = columns.snapshot.granted
    codes = tuple(sorted(granted["programme"].unique().to_pylist()))
    assert len(codes) <= 64, "a mask holds 64 programmes"
    ids = columns.snapshot.household_ids
    rows = np.searchsorted(ids, granted["household"].to_numpy())
    held: Ints = np.flatnonzero(np.append(ids, -1)[rows] == granted["household"].to_numpy())
    rows = rows[held]
    number = pc.index_in(granted["programme"], value_set=pa.array(codes, pa.string())).to_numpy()[held]
    per_year = np.array([PER_YEAR[periods[code]] for code in codes], np.int64)
    mask, fen = np.zeros(len(ids), np.uint64), np.zeros(len(ids), np.int64)
    np.bitwise_or.at(mask, rows, np.uint64(1) << number.astype(np.uint64))
    np.add.at(fen, rows, granted["amount_fen"].to_numpy()[held] * (per_year[number] if len(codes) else 0))
    return Drawn(codes, mask, fen)


@dataclass(frozen=True)
class Covered:
    """Tables with the columns of screening_combination and screening_finding, and what the whole rests on."""

    combinations: pa.Table
    findings: pa.Table
    households: int
    people: int
    lines: Mapping[str, int]
    """Programme that tells incomes → its line, 分 a month."""


def cover(columns: Columns, laws: Sequence[Programme], periods: Mapping[str, str]) -> Covered:
    """Everybody with somebody living in the household. Raises what the engine raises."""
    income, draws = incomes(columns, laws), drawn(columns, periods)
    lived_in = columns.per_household(columns.living) > 0
    lines = {law.code: _standard_fen(law) for law in laws if law.code in (RURAL, URBAN) and _tells_income(law)}
    return Covered(
        _combinations(columns, draws, np.flatnonzero(lived_in)),
        _findings(columns, income, draws, lived_in),
        int(lived_in.sum()),
        int(columns.living.sum()),
        lines,
    )


def _combinations(columns: Columns, draws: Drawn, rows: Ints) -> pa.Table:
    """Village × mask → households, 分 a year."""
    villages = pc.utf8_slice_codeunits(columns.snapshot.households["division"], 0, int(Level.VILLAGE)).take(rows)
    table = pa.table({"division": villages, "mask": draws.mask[rows], "year_fen": draws.year_fen[rows]})
    sums = table.group_by(["division", "mask"]).aggregate([("year_fen", "sum"), ("mask", "count")])
    sums = sums.sort_by([("division", "ascending"), ("mask", "ascending")])
    return pa.table(
        {
            "division": sums["division"],
            "programmes": _literals(draws, sums["mask"].to_numpy()),
            "households": sums["mask_count"],
            "year_fen": sums["year_fen_sum"],
        }
    )


def _findings(columns: Columns, income: Incomes, draws: Drawn, lived_in: Flags) -> pa.Table:
    """A household may be pointed out twice: as one that draws several, and as 建档立卡."""
    below, nothing = income.below, lived_in & (draws.mask == 0)
    several = lived_in & (draws.mask & (draws.mask - np.uint64(1)) > 0) & (draws.mask > 0)
    linked = lived_in & _is(columns, "poverty_registered", *LINKED)
    kinds = {
        Kind.UNREACHED: nothing & (below == 1),
        Kind.UNKNOWN: nothing & (below == -1),
        Kind.SEVERAL: several,
        Kind.LINKED_IN: linked & (below == 1),
        Kind.LINKED_OUT: linked & (below == 0),
        Kind.LINKED_UNKNOWN: linked & (below == -1),
    }
    return pa.concat_tables(
        [_found(columns, kind, np.flatnonzero(rows), income, draws) for kind, rows in kinds.items()]
    )


def _found(columns: Columns, kind: str, rows: Ints, income: Incomes, draws: Drawn) -> pa.Table:
    households = columns.snapshot.households
    return pa.table(
        {
            "division": households["division"].take(rows),
            "household_id": households["household_id"].take(rows),
            "kind": pa.array([str(kind)] * len(rows), pa.string()),
            "income_fen": _known(income.income_fen[rows]),
            "line_fen": _known(income.line_fen[rows]),
            "programmes": _literals(draws, draws.mask[rows]),
            "year_fen": pa.array(draws.year_fen[rows], pa.int64()),
        }
    )


def _known(fen: Ints) -> pa.Array:
    return pa.array(fen, pa.int64(), mask=fen < 0)


def _literals(draws: Drawn, masks: Masks) -> pa.Array:
    """Programme codes as PostgreSQL writes arrays; masks are few, rows are many."""
    known, positions = np.unique(masks, return_inverse=True)
    texts = ["{" + ",".join(draws.names(int(mask))) + "}" for mask in known]
    return pa.array([texts[position] for position in positions.tolist()], pa.string())
