"""One chunk of households, and what an expression evaluates to over it.

in    a Table small enough to stay in cache, the parameters' values, the date
out   `Chunk`, what all programmes ask of these households; `Frame`, what one programme asks;
      columns: `Num`, `Flag`, `Code`, one value per household or per member (or one for all)

Always true: what is unknown says why, as bits of the facts that are missing; a household-level value that meets a
member-level one is spread over that household's members; what several expressions need is worked out once per chunk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import Fact, Kind
from huimin.rules.elsewhere import Elsewhere
from huimin.rules.exact import HUNDREDTH, ONE, Flags, Ints, Num, Why, constant, of_rows, take_why
from huimin.rules.programme import Programme
from huimin.rules.sharing import Memo, Plan
from huimin.rules.table import Column, Table
from huimin.rules.tiers import Tiers
from huimin.rules.typed import Level, Typed
from huimin.rules.vocabulary import DEPARTURES

Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no; `why` marks the unknown rows, whose `v` is False."""

    v: Flags | bool
    why: Why = None

    def take(self, rows: Ints) -> "Flag":
        return Flag(self.v if isinstance(self.v, bool) else self.v.take(rows), take_why(self.why, rows))


@dataclass(frozen=True, slots=True)
class Code:
    """A date as days since 1970-01-01, or a choice as its position; in a column's own dtype, which may be narrow."""

    v: Ints | int
    why: Why = None

    def take(self, rows: Ints) -> "Code":
        return Code(self.v if isinstance(self.v, int) else self.v.take(rows), take_why(self.why, rows))


Col = Num | Flag | Code


class Chunk:
    """Households of one table, and what every programme asks of them. `today`: days since 1970-01-01.

    `complete`: to be taken as if nothing were missing.
    """

    def __init__(self, table: Table, today: int, memo: Memo | None = None, *, complete: bool = False) -> None:
        self.table, self.today, self.memo, self.complete = table, today, memo or Memo(Plan(), {}), complete

    @cached_property
    def counts(self) -> Ints:
        """How many members each household has."""
        return np.diff(self.table.offsets)

    @cached_property
    def owners(self) -> Ints:
        """The household of each member."""
        return np.repeat(np.arange(self.table.household_count), self.counts)

    @cached_property
    def present(self) -> Flags:
        """成员: neither dead nor moved away by the date; nothing recorded means living and resident."""
        return self.table.living(self.today)


@dataclass(frozen=True)
class Words:
    """What words mean in one programme, wherever it is evaluated. `bits`: of each fact in a missing mask."""

    facts: Mapping[str, Fact]
    bits: Mapping[str, int]
    parameters: Mapping[str, Col]
    tables: Mapping[str, Tiers]
    values: Mapping[str, Typed]
    elsewhere: Mapping[str, Elsewhere]

    @classmethod
    def of(cls, programme: Programme) -> "Words":
        given = {name: parameter.value for name, parameter in programme.parameters.items()}
        return cls(
            {fact.code: fact for fact in programme.facts_needed},
            {fact.code: bit for bit, fact in enumerate(programme.facts_needed)},
            {name: parameter_column(value) for name, value in given.items() if not isinstance(value, Tiers)},
            {name: value for name, value in given.items() if isinstance(value, Tiers)},
            {value.name: value.tree for value in programme.structure.values},
            programme.elsewhere,
        )


@dataclass
class Frame:
    """What the evaluator asks while it works on one programme in one chunk.

    `whole`: this one looks at `rows` alone, rows of `level`; facts and aggregates are read there and cut.
    """

    chunk: Chunk
    words: Words
    fits: Mapping[str, Flag] = field(default_factory=dict)
    memo: dict[str, Col] = field(default_factory=dict)
    whole: "Frame | None" = None
    level: Level = Level.CONST
    rows: Ints | None = None

    @property
    def table(self) -> Table:
        return self.chunk.table

    @property
    def today(self) -> int:
        return self.chunk.today

    @property
    def counts(self) -> Ints:
        return self.chunk.counts

    @property
    def present(self) -> Flags:
        return self.chunk.present

    @cached_property
    def owners(self) -> Ints:
        """The household of each member looked at."""
        return self.chunk.owners if self.rows is None else self.chunk.owners[self.rows]

    def only(self, level: Level, rows: Ints) -> "Frame":
        """These rows alone, for what only they are asked."""
        return Frame(self.chunk, self.words, self.fits, self.memo, self, level, rows)

    def fact(self, code: str, level: Level) -> Col:
        columns = self.table.households if level is Level.HOUSEHOLD else self.table.members
        complete = self.chunk.complete and code not in DEPARTURES
        return _leaf(columns[code], self.words.facts[code], self.words.bits[code], complete=complete)

    def holds(self, code: str) -> Flag:
        """享受: known to the office itself, hence never unknown."""
        held = self.table.held.get(code)
        return Flag(False) if held is None else Flag(held.amount_fen > 0)

    def spread(self, column: Col, level: Level, wanted: Level) -> Col:
        """Household-level values as each member's."""
        return column.take(self.owners) if level is Level.HOUSEHOLD and wanted is Level.MEMBER else column


def _leaf(column: Column, fact: Fact, bit: int, *, complete: bool) -> Col:
    """Values at unknown places become zero, so that what was never asked cannot overflow."""
    why = None if complete or bool(column.known.all()) else np.where(column.known, np.uint64(0), np.uint64(1 << bit))
    if fact.kind is Kind.FLAG:
        flags = cast(Flags, column.values)
        return Flag(flags if why is None else flags & column.known, why)
    whole = cast(Ints, column.values if why is None else np.where(column.known, column.values, 0))
    if fact.kind in (Kind.DATE, Kind.CHOICE, Kind.PLACE):
        return Code(whole, why)
    return of_rows(whole, HUNDREDTH if fact.kind in (Kind.MONEY, Kind.AREA) else ONE, why)


def parameter_column(value: object) -> Col:
    """A parameter's value as one value for all rows."""
    if isinstance(value, bool):
        return Flag(value)
    return constant(value) if isinstance(value, Fraction) else Code(cast(int, value))
