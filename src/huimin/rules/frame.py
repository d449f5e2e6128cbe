"""One chunk of households, and what an expression evaluates to over it.

in    a Table small enough to stay in cache, the parameters' values, the date
out   columns: `Num`, `Flag`, `Code`, one value per household or per member (or one for all)

Always true: what is unknown says why, as bits of the facts that are missing; a household-level value that meets a
member-level one is spread over that household's members; each fact and named value is worked out once per chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import Fact, Kind
from huimin.rules.elsewhere import Elsewhere
from huimin.rules.exact import Flags, Ints, Num, Why, constant, of_rows, take_why
from huimin.rules.table import Column, Table
from huimin.rules.tiers import Tiers
from huimin.rules.typed import Level, Typed

Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no; `why` marks the unknown rows, whose `v` is False."""

    v: Flags | bool
    why: Why = None

    def take(self, rows: Ints) -> "Flag":
        return Flag(self.v if isinstance(self.v, bool) else self.v[rows], take_why(self.why, rows))


@dataclass(frozen=True, slots=True)
class Code:
    """A date as days since 1970-01-01, or a choice as its position."""

    v: Ints | int
    why: Why = None

    def take(self, rows: Ints) -> "Code":
        return Code(self.v if isinstance(self.v, int) else self.v[rows], take_why(self.why, rows))


Col = Num | Flag | Code


@dataclass
class Frame:
    """What the evaluator asks while it works on one chunk."""

    table: Table
    facts: Mapping[str, Fact]
    bits: Mapping[str, int]
    parameters: Mapping[str, Col]
    values: Mapping[str, Typed]
    today: int
    tables: Mapping[str, Tiers] = field(default_factory=dict)
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)
    fits: Mapping[str, Flag] = field(default_factory=dict)
    memo: dict[tuple[str, str], Col] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.counts: Ints = np.diff(self.table.offsets)
        self._owners: Ints | None = None
        self._present: Flags | None = None

    @property
    def owners(self) -> Ints:
        """The household of each member."""
        if self._owners is None:
            self._owners = np.repeat(np.arange(self.table.household_count), self.counts)
        return self._owners

    @property
    def present(self) -> Flags:
        """成员: neither dead nor moved away by the date; nothing recorded means living and resident."""
        if self._present is None:
            self._present = self.table.living(self.today)
        return self._present

    def fact(self, code: str, level: Level) -> Col:
        key = ("fact", code)
        if key not in self.memo:
            columns = self.table.households if level is Level.HOUSEHOLD else self.table.members
            self.memo[key] = _leaf(columns[code], self.facts[code], self.bits[code])
        return self.memo[key]

    def holds(self, code: str) -> Flag:
        """享受: known to the office itself, hence never unknown."""
        held = self.table.held.get(code)
        return Flag(False) if held is None else Flag(held.amount_fen > 0)

    def spread(self, column: Col, level: Level, wanted: Level) -> Col:
        """Household-level values as each member's."""
        return column.take(self.owners) if level is Level.HOUSEHOLD and wanted is Level.MEMBER else column


def _leaf(column: Column, fact: Fact, bit: int) -> Col:
    """Values at unknown places become zero, so that what was never asked cannot overflow."""
    why = None if bool(column.known.all()) else np.where(column.known, np.uint64(0), np.uint64(1 << bit))
    if fact.kind is Kind.FLAG:
        flags = cast(Flags, column.values)
        return Flag(flags if why is None else flags & column.known, why)
    whole = cast(Ints, column.values.astype(np.int64, copy=False))
    whole = whole if why is None else np.where(column.known, whole, 0)
    if fact.kind in (Kind.DATE, Kind.CHOICE, Kind.PLACE):
        return Code(whole, why)
    return of_rows(whole, Fraction(1, 100) if fact.kind in (Kind.MONEY, Kind.AREA) else Fraction(1), why)


def parameter_column(value: object) -> Col:
    """A parameter's value as one value for all rows."""
    if isinstance(value, bool):
        return Flag(value)
    return constant(value) if isinstance(value, Fraction) else Code(cast(int, value))
