"""Facts of many households as columns, ready to be cut into chunks.

in    columns by fact code, and where each household's members begin
out   `Table`, whose shapes and types are checked once when it is made

Column dtypes: int64 for whole numbers, money (分) and areas (hundredths); int32 days since 1970-01-01 for dates; bool for
flags; int8 positions in `Fact.choices` for choices;
int64 division codes as numbers for places. `known` is bool. What stands in an unknown place does not matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import Entity, Fact, Kind

_DTYPES: dict[Kind, type[np.generic]] = {
    Kind.INT: np.int64,
    Kind.MONEY: np.int64,
    Kind.AREA: np.int64,
    Kind.DATE: np.int32,
    Kind.FLAG: np.bool_,
    Kind.CHOICE: np.int8,
    Kind.PLACE: np.int64,
}


@dataclass(frozen=True, slots=True)
class Column:
    """`values` and, of the same length, `known`: is this value known at all?"""

    values: NDArray[np.generic]
    known: NDArray[np.bool_]

    def cut(self, low: int, high: int) -> "Column":
        return Column(self.values[low:high], self.known[low:high])


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a programme today, by row of the programme's unit (all households or all members).

    `amount_fen` int64: what was granted, before any 渐退; 0 where it is not held. `since`, `phase_out_since`: int32 days
    since 1970-01-01, 0 where not held and where no 渐退 has begun.
    """

    amount_fen: NDArray[np.int64]
    since: NDArray[np.int32]
    phase_out_since: NDArray[np.int32]

    def cut(self, low: int, high: int) -> "Held":
        return Held(self.amount_fen[low:high], self.since[low:high], self.phase_out_since[low:high])


@dataclass(frozen=True, slots=True)
class Table:
    """Households, and members sorted by household: those of household i are offsets[i] up to offsets[i+1].

    `held`: by programme code; a code that is absent is held by nobody.
    """

    households: Mapping[str, Column]
    members: Mapping[str, Column]
    offsets: NDArray[np.int64]
    held: Mapping[str, Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.offsets.dtype == np.int64, "offsets must be int64"
        assert len(self.offsets) > 0, "offsets has one entry more than there are households"
        assert self.offsets[0] == 0, "offsets begin with 0"
        assert bool((np.diff(self.offsets) >= 0).all()), "offsets never fall"
        for columns, rows in ((self.households, self.household_count), (self.members, self.member_count)):
            for code, column in columns.items():
                assert len(column.values) == len(column.known) == rows, f"column {code} must have {rows} rows"
                assert column.known.dtype == np.bool_, f"known of column {code} must be bool"
        for code, held in self.held.items():
            lengths = {len(held.amount_fen), len(held.since), len(held.phase_out_since)}
            assert len(lengths) == 1, f"columns of held {code} differ in length"
            assert lengths <= {self.household_count, self.member_count}, f"held {code} must have one row a unit"

    @property
    def household_count(self) -> int:
        return len(self.offsets) - 1

    @property
    def member_count(self) -> int:
        return int(self.offsets[-1])

    def cut(self, low: int, high: int, persons: Collection[str] = ()) -> "Table":
        """Households low up to high, with their members; views, nothing is copied but the offsets.

        `persons`: the codes in `held` whose rows are members.
        """
        first, last = int(self.offsets[low]), int(self.offsets[high])
        return Table(
            {code: column.cut(low, high) for code, column in self.households.items()},
            {code: column.cut(first, last) for code, column in self.members.items()},
            self.offsets[low : high + 1] - first,
            {code: held.cut(*((first, last) if code in persons else (low, high))) for code, held in self.held.items()},
        )

    def completed(self, facts: Sequence[Fact]) -> "Table":
        """With a column that is unknown everywhere for each of these facts that has none: added after the rows were read."""
        lacking = [
            fact for fact in facts if fact.code not in (self.households if _of_household(fact) else self.members)
        ]
        if not lacking:
            return self
        households, members = dict(self.households), dict(self.members)
        for fact in lacking:
            columns, rows = (households, self.household_count) if _of_household(fact) else (members, self.member_count)
            columns[fact.code] = Column(np.zeros(rows, dtype_of(fact.kind)), np.zeros(rows, bool))
        return Table(households, members, self.offsets, self.held)

    def living(self, day: int) -> NDArray[np.bool_]:
        """Members alive and resident on the day (days since 1970-01-01): the language's 成员. From the day on they are gone."""
        gone = np.zeros(self.member_count, np.bool_)
        for code in ("death_date", "moved_out_date"):
            column = self.members[code]
            gone |= column.known & np.less_equal(column.values, day)
        return ~gone

    def require(self, facts: Sequence[Fact]) -> None:
        """Asserts that the columns these facts need are here, in their dtype."""
        for fact in facts:
            columns = self.households if fact.entity is Entity.HOUSEHOLD else self.members
            assert fact.code in columns, f"table lacks column {fact.code} ({fact.name})"
            wanted = np.dtype(_DTYPES[fact.kind])
            assert columns[fact.code].values.dtype == wanted, f"column {fact.code} must be {wanted}"


def _of_household(fact: Fact) -> bool:
    return fact.entity is Entity.HOUSEHOLD


def dtype_of(kind: Kind) -> np.dtype[np.generic]:
    return np.dtype(_DTYPES[kind])
