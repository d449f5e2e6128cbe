"""Households and their members as columns, as many as asked for, in seconds: for measuring, not for showing.

in    a number of households, a seed, the fact dictionary
out   a `Table` with every computable fact, 3.07 members a household on average

The demonstration's population is drawn person by person and is consistent; this one is drawn column by column, and only
what decides eligibility is shaped like a county (incomes, land, few vehicles, few deaths). The same seed gives the same
columns while the dictionary is the same. One in a thousand values has not been asked yet.
"""

from collections.abc import Callable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.rules import Column, Table
from huimin.rules.table import dtype_of
from huimin.rules.vocabulary import DEPARTURES

Values = NDArray[np.generic]
Draw = Callable[[np.random.Generator, int], Values]

HOUSEHOLD_SIZES = (0.16, 0.24, 0.25, 0.18, 0.10, 0.05, 0.02)  # one to seven members: 3.07 on average
_SHARE_UNASKED = 0.001
_SHARE_DEPARTED = 0.01
_EPOCH = date(1970, 1, 1)


def population(households: int, seed: int = 20210701, facts: tuple[Fact, ...] = FACTS) -> Table:
    """A table with every fact of the dictionary that policies compute with."""
    rng = np.random.default_rng(seed)
    share = np.array(HOUSEHOLD_SIZES) / sum(HOUSEHOLD_SIZES)
    sizes = rng.choice(np.arange(1, len(share) + 1), size=households, p=share)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    columns: dict[Entity, dict[str, Column]] = {Entity.HOUSEHOLD: {}, Entity.PERSON: {}}
    for fact in facts:
        if fact.kind is not Kind.TEXT:
            rows = households if fact.entity is Entity.HOUSEHOLD else int(offsets[-1])
            columns[fact.entity][fact.code] = _column(rng, fact, rows)
    return Table(columns[Entity.HOUSEHOLD], columns[Entity.PERSON], offsets)


def _column(rng: np.random.Generator, fact: Fact, rows: int) -> Column:
    draw = _SHAPES.get(fact.code) or _KINDS[fact.kind]
    values = _choices(rng, rows, len(fact.choices)) if fact.kind is Kind.CHOICE else draw(rng, rows)
    chances = rng.random(rows, np.float32)
    known = chances < _SHARE_DEPARTED if fact.code in DEPARTURES else chances >= _SHARE_UNASKED
    return Column(values.astype(dtype_of(fact.kind), copy=False), known)


def _choices(rng: np.random.Generator, rows: int, count: int) -> Values:
    """The first choice most often, each further one half as often."""
    share = 0.5 ** np.arange(count)
    return np.searchsorted(np.cumsum(share / share.sum())[:-1], rng.random(rows, np.float32)).astype(np.int8)


def _rare(share: float, draw: Draw) -> Draw:
    """Zero but for a share of the rows."""
    return lambda rng, rows: np.where(rng.random(rows, np.float32) < share, draw(rng, rows), 0)


def _money(mean_yuan: int) -> Draw:
    """Amounts in 分, in whole 角, many small and few large."""
    return lambda rng, rows: (rng.standard_exponential(rows, np.float32) * mean_yuan * 10).astype(np.int64) * 10


def _whole(low: int, high: int) -> Draw:
    return lambda rng, rows: rng.integers(low, high + 1, rows)


def _days(first: date, last: date) -> Draw:
    return lambda rng, rows: rng.integers((first - _EPOCH).days, (last - _EPOCH).days, rows, np.int32)


def _flags(share: float) -> Draw:
    return lambda rng, rows: rng.random(rows, np.float32) < share


_KINDS: dict[Kind, Draw] = {
    Kind.INT: _rare(0.05, _whole(1, 4)),
    Kind.MONEY: _rare(0.1, _money(5_000)),
    Kind.AREA: _rare(0.3, _whole(20, 2_000)),
    Kind.DATE: _days(date(2000, 1, 1), date(2021, 7, 1)),
    Kind.FLAG: _flags(0.03),
    Kind.CHOICE: _whole(0, 0),
}
_SHAPES: dict[str, Draw] = {
    "sown_land_mu": _rare(0.7, _whole(20, 2_000)),
    "contract_land_mu": _rare(0.8, _whole(20, 1_500)),
    "houses": _whole(0, 1),
    "vehicles": _rare(0.2, _whole(1, 2)),
    "vehicle_value": _rare(0.2, _money(40_000)),
    "deposits": _rare(0.6, _money(9_000)),
    "business_income_year": _rare(0.8, _money(24_000)),
    "transfer_income_year": _rare(0.3, _money(6_000)),
    "birth_date": _days(date(1930, 1, 1), date(2021, 7, 1)),
    "employed": _flags(0.45),
    "wage_month": _rare(0.45, _money(2_500)),
    "pension_month": _rare(0.2, _money(180)),
    "disability_grade": _rare(0.06, _whole(1, 4)),
    "reservoir_migrant": _flags(0.02),
    "migrant_since": _days(date(1990, 1, 1), date(2021, 6, 1)),
    "death_date": _days(date(2015, 1, 1), date(2021, 6, 30)),
    "moved_out_date": _days(date(2015, 1, 1), date(2021, 6, 30)),
}
