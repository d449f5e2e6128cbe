"""The population while it is being made: plain NumPy columns, before faults and nulls become Arrow tables.

in    nothing; the rooms of this package write their columns into it, one after another
out   columns by the codes of `kernel.facts`

Always true: one row per household and per person, people sorted by household; money in 分, area in hundredths of 亩,
choices as positions in the fact's `choices`, dates as days since 1970-01-01 with NO_DATE for "no such date".
A fact nobody was asked for is marked in `unknown`; its value in the column still says how it really is.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huimin.demo.population.chance import Bools, Ints
from huimin.demo.population.families import DAYS_PER_YEAR, Families
from huimin.demo.population.tables import Fault
from huimin.kernel.facts import FACTS, Entity

Column = NDArray[Any]  # int64, or bool for a FLAG

NO_DATE = int(np.iinfo(np.int64).min)
EPOCH = date(1970, 1, 1)
FEN = 100  # 分 in one 元, hundredths in one 亩

CHOICES = {fact.code: fact.choices for fact in FACTS if fact.choices}
TABLE_OF = {fact.code: "households" if fact.entity is Entity.HOUSEHOLD else "people" for fact in FACTS}


def day_number(day: date) -> int:
    return (day - EPOCH).days


def whole_yuan(fen: NDArray[np.float64]) -> Ints:
    """Amounts as people state them: whole 元, downwards, in 分."""
    whole: Ints = np.floor(fen / FEN).astype(np.int64) * FEN
    return whole


@dataclass
class Draft:
    """`families` is settled before anything else; `village` is each household's row in the county."""

    as_of: date
    families: Families
    urban: Bools  # per household: in a 居委会
    township: NDArray[np.str_]  # per household, nine digits
    households: dict[str, Column] = field(default_factory=dict)
    people: dict[str, Column] = field(default_factory=dict)
    unknown: dict[str, Bools] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def age(self) -> Ints:
        """Full years on the day, near enough for drawing."""
        years: Ints = ((day_number(self.as_of) - self.families.birth_day) // DAYS_PER_YEAR).astype(np.int64)
        return years

    @property
    def birth_year(self) -> Ints:
        years: Ints = self.families.birth_day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
        return years + EPOCH.year

    def sum_by_household(self, values: Column) -> Ints:
        """Sums over members; every household has at least one."""
        return np.add.reduceat(values.astype(np.int64), self.families.first[:-1])

    def any_by_household(self, flags: Column) -> Bools:
        return self.sum_by_household(flags) > 0

    def forget(self, code: str, rows: Ints) -> None:
        """Nobody asked for fact `code` in `rows`."""
        count = len(self.families.size) if TABLE_OF[code] == "households" else len(self.families.role)
        self.unknown.setdefault(code, np.zeros(count, bool))[rows] = True

    def note_fault(self, fault: Fault) -> None:
        assert fault.name not in self.faults
        self.faults[fault.name] = fault


def code_of(fact: str, choice: str) -> int:
    """Position of `choice` among the choices of a fact."""
    return CHOICES[fact].index(choice)
