"""Before and after over the county's columns: who enters and leaves, who gets more and less, what it costs (POL-04).

in    the Columns of a place on a day, the `Laws` of a draft
out   `Comparison`: one `Line` a programme and group, one a household and group, cost by month, examples

Terms. A beneficiary is a household or person that is eligible with an amount above zero; who lives elsewhere or is dead
is none. Amounts are 分 a year: the amount of a period times the periods of a year; once counts once. A programme's line
counts its beneficiaries, the line of all programmes counts households by what all their programmes give them together.

Always true (and tested): before = leaving + more + less + same, after = entering + more + less + same; a dimension's
groups add up to the total; the twelve months add up to the year.
Limits: everybody as on that one day; births, deaths and incomes of later months are not foretold.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, ClassVar

import numpy as np

from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level
from huimin.rules import Outcome, Programme
from huimin.screening.simulation.columns import Columns, Ints, asked_by
from huimin.screening.simulation.drafts import Laws, version_in
from huimin.screening.simulation.grouping import Dimension, dimensions

Progress = Callable[[str, int, int], None]
ALL = ""
"""As a code in `Group.lines`: households, over all programmes."""
PER_YEAR = {"month": 12, "quarter": 4, "half_year": 2, "year": 1, "once": 1}
MONTHS = 12
EXAMPLES = 12
ENTERING, LEAVING, MORE, LESS, SAME = range(5)
CHANGES = ("entering", "leaving", "more", "less")


@dataclass(frozen=True)
class Line:
    """Counts, and 分 a year before and after."""

    entering: int = 0
    leaving: int = 0
    more: int = 0
    less: int = 0
    same: int = 0
    before_fen: int = 0
    after_fen: int = 0

    @property
    def before(self) -> int:
        return self.leaving + self.more + self.less + self.same

    @property
    def after(self) -> int:
        return self.entering + self.more + self.less + self.same

    @property
    def extra_fen(self) -> int:
        return self.after_fen - self.before_fen

    @property
    def changed(self) -> int:
        return self.entering + self.leaving + self.more + self.less

    def __add__(self, other: "Line") -> "Line":
        mine, others = asdict(self), asdict(other)
        return Line(**{name: mine[name] + others[name] for name in mine})


@dataclass(frozen=True)
class Group:
    """One group of a dimension: its households' line under ALL, and one a programme."""

    key: str
    label: str
    households: int
    lines: Mapping[str, Line]


@dataclass(frozen=True)
class Breakdown:
    """A dimension and its groups."""

    key: str
    label: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class ProgrammeResult:
    """One programme over the whole place. `unknown_*`: households or persons that cannot be determined."""

    code: str
    name: str
    unit: str
    period: str
    drafted: bool
    line: Line
    unknown_before: int
    unknown_after: int
    version_before: str
    version_after: str
    phase_out_before: int = 0
    phase_out_after: int = 0
    """Of the beneficiaries, those that only 渐退 keeps."""

    @property
    def touched(self) -> bool:
        """Named by the draft, or changed by what it changes elsewhere."""
        return self.drafted or self.line.changed > 0 or self.unknown_before != self.unknown_after


@dataclass(frozen=True)
class Month:
    """What falls due in one month, by programme: (before, after) in 分."""

    start: date
    fen: Mapping[str, tuple[int, int]]

    @property
    def before_fen(self) -> int:
        return sum(pair[0] for pair in self.fen.values())

    @property
    def after_fen(self) -> int:
        return sum(pair[1] for pair in self.fen.values())


@dataclass(frozen=True)
class Example:
    """A household and what all its programmes give it in a year, before and after."""

    household_id: int
    before_fen: int
    after_fen: int

    @property
    def change_fen(self) -> int:
        return self.after_fen - self.before_fen


@dataclass(frozen=True)
class Comparison:
    """The whole answer; `plain` and `of_plain` carry it to where it is stored and back."""

    households: int
    people: int
    total: Line
    programmes: tuple[ProgrammeResult, ...]
    breakdowns: tuple[Breakdown, ...]
    months: tuple[Month, ...]
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)

    kinds: ClassVar[tuple[str, ...]] = CHANGES

    @property
    def plain(self) -> dict[str, Any]:
        plain = asdict(self)
        plain["months"] = [{"start": str(month.start), "fen": dict(month.fen)} for month in self.months]
        return plain

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Comparison":
        return cls(
            plain["households"],
            plain["people"],
            Line(**plain["total"]),
            tuple(ProgrammeResult(**{**each, "line": Line(**each["line"])}) for each in plain["programmes"]),
            tuple(_breakdown(each) for each in plain["breakdowns"]),
            tuple(_month(each) for each in plain["months"]),
            {kind: tuple(Example(**each) for each in some) for kind, some in plain["examples"].items()},
        )


def _breakdown(plain: Mapping[str, Any]) -> Breakdown:
    groups = (
        Group(
            each["key"], each["label"], each["households"], {code: Line(**line) for code, line in each["lines"].items()}
        )
        for each in plain["groups"]
    )
    return Breakdown(plain["key"], plain["label"], tuple(groups))


def _month(plain: Mapping[str, Any]) -> Month:
    return Month(date.fromisoformat(plain["start"]), {code: (pair[0], pair[1]) for code, pair in plain["fen"].items()})


# -- comparing


@dataclass(frozen=True)
class _Change:
    """The rows of one programme that have something before or after: their households, kinds, and 分 a period."""

    house: Ints
    kind: Ints
    before: Ints
    after: Ints


def compare(columns: Columns, laws: Laws, place_level: Level, progress: Progress = lambda *_: None) -> Comparison:
    """Both sets of programmes over everybody; what the draft cannot reach is determined once. Raises what the engine raises."""
    kept: dict[str, Outcome] = {}
    asked = asked_by([*laws.before.values(), *laws.after.values()])
    before = _side(columns, laws.before.values(), kept, asked)
    progress("现行政策", 1, 3)
    reached = laws.reached
    for code in reached:
        kept.pop(code, None)
    again = _side(columns, [law for code, law in laws.after.items() if code in reached], kept, asked)
    after = {code: each for code, each in before.items() if code not in reached} | again
    progress("草案", 2, 3)
    changes = {
        code: _change(columns, laws.law(code).unit, before.get(code, _NOBODY), after.get(code, _NOBODY))
        for code in laws.codes
    }
    everybody = _everybody(columns, laws, changes)
    programmes = tuple(
        _programme(laws, code, changes[code], before.get(code, _NOBODY), after.get(code, _NOBODY))
        for code in laws.codes
    )
    return Comparison(
        columns.table.household_count,
        int(columns.living.sum()),
        _lines(everybody, None, 1, 1)[0],
        programmes,
        tuple(_broken_down(each, everybody, changes, laws) for each in dimensions(columns, place_level)),
        tuple(_months(programmes, columns.on)),
        _examples(columns, everybody),
    )


@dataclass(frozen=True)
class _Granted:
    """What one programme gives: the rows that get something, how much, how many cannot be determined, how many by 渐退."""

    rows: Ints
    fen: Ints
    unknown: int = 0
    phase_out: int = 0


_NOBODY = _Granted(np.zeros(0, np.int64), np.zeros(0, np.int64))


def _side(
    columns: Columns, programmes: Iterable[Programme], kept: dict[str, Outcome], asked: frozenset[str]
) -> dict[str, _Granted]:
    """One set of programmes over everybody. Outcomes are let go as soon as they are counted, but those `asked` about."""
    found = {}
    for law, outcome in columns.evaluate(tuple(programmes), kept, asked):
        counts = columns.counts(law.unit)
        rows = np.flatnonzero((outcome.eligible == 1) & counts & (outcome.amount_fen > 0))
        unknown = int(((outcome.eligible == -1) & counts).sum())
        found[law.code] = _Granted(rows, outcome.amount_fen[rows], unknown, int(outcome.phase_out[rows].sum()))
    return found


def _change(columns: Columns, unit: str, before: _Granted, after: _Granted) -> _Change:
    owners = columns.owners_of(unit)
    return _change_of(owners, _spread(before, len(owners)), _spread(after, len(owners)))


def _spread(granted: _Granted, count: int) -> Ints:
    """Amounts by row, 0 for who gets nothing."""
    fen = np.zeros(count, np.int64)
    fen[granted.rows] = granted.fen
    return fen


def _change_of(owners: Ints, before: Ints, after: Ints) -> _Change:
    rows = np.flatnonzero((before > 0) | (after > 0))
    old, new = before[rows], after[rows]
    kind = np.select([old == 0, new == 0, new > old, new < old], [ENTERING, LEAVING, MORE, LESS], SAME)
    return _Change(owners[rows], kind.astype(np.int64), old, new)


def _everybody(columns: Columns, laws: Laws, changes: Mapping[str, _Change]) -> _Change:
    """What every household gets in a year from all programmes together."""
    sums = np.zeros((2, columns.table.household_count), np.int64)
    for code, change in changes.items():
        per_year = PER_YEAR[laws.law(code).period]
        np.add.at(sums[0], change.house, change.before * per_year)
        np.add.at(sums[1], change.house, change.after * per_year)
    return _change_of(np.arange(columns.table.household_count), sums[0], sums[1])


def _lines(change: _Change, groups: Ints | None, count: int, per_year: int) -> list[Line]:
    """One line a group (all in one for None). Sums are of int64, exact."""
    of = np.zeros(len(change.house), np.int64) if groups is None else groups[change.house]
    kinds = np.bincount(of * 5 + change.kind, minlength=count * 5).reshape(count, 5)
    fen = np.zeros((2, count), np.int64)
    np.add.at(fen[0], of, change.before)
    np.add.at(fen[1], of, change.after)
    fen *= per_year
    return [Line(*map(int, (*kinds[group], *fen[:, group]))) for group in range(count)]


def _broken_down(dimension: Dimension, everybody: _Change, changes: Mapping[str, _Change], laws: Laws) -> Breakdown:
    count, of = len(dimension.keys), dimension.of_household
    lines = {ALL: _lines(everybody, of, count, 1)}
    for code, change in changes.items():
        lines[code] = _lines(change, of, count, PER_YEAR[laws.law(code).period])
    sizes = np.bincount(of, minlength=count).tolist()
    groups = (
        Group(key, label, size, {code: of_code[at] for code, of_code in lines.items() if of_code[at] != Line() or not code})
        for at, (key, label, size) in enumerate(zip(dimension.keys, dimension.labels, sizes, strict=True))
        if size
    )  # fmt: skip
    return Breakdown(dimension.key, dimension.label, tuple(groups))


def _programme(laws: Laws, code: str, change: _Change, before: _Granted, after: _Granted) -> ProgrammeResult:
    law = laws.law(code)
    return ProgrammeResult(
        code, law.name, law.unit, law.period, code in laws.changed, _lines(change, None, 1, PER_YEAR[law.period])[0],
        before.unknown, after.unknown, version_in(laws.before, code), version_in(laws.after, code), before.phase_out,
        after.phase_out,
    )  # fmt: skip


# -- cost by month


def due_in(period: str, number: int, month: int) -> int:
    """How often a period's amount falls due in the `number`th month (from 0), which is `month` of its year.

    Monthly every month; quarters, halves and years at their end; what is paid once, in the first month.
    """
    return int(
        {
            "month": True,
            "quarter": month % 3 == 0,
            "half_year": month % 6 == 0,
            "year": month == 12,
            "once": number == 0,
        }[period]
    )


def _months(programmes: Sequence[ProgrammeResult], on: date) -> Iterator[Month]:
    """Twelve months from the one of the day."""
    for number in range(MONTHS):
        start = add_months(month_start(on), number)
        fen = {}
        for each in programmes:
            times = due_in(each.period, number, start.month)
            per = PER_YEAR[each.period]
            fen[each.code] = (each.line.before_fen // per * times, each.line.after_fen // per * times)
        yield Month(start, fen)


# -- examples


def _examples(columns: Columns, everybody: _Change) -> dict[str, tuple[Example, ...]]:
    """Of each kind of change a dozen households, from the greatest difference evenly down to the least."""
    found = {}
    for kind, name in enumerate(CHANGES):
        rows = np.flatnonzero(everybody.kind == kind)
        difference = np.abs(everybody.after[rows] - everybody.before[rows])
        ids = columns.snapshot.household_ids[everybody.house[rows]]
        order = np.lexsort((ids, -difference))
        picked = order[np.unique(np.linspace(0, len(order) - 1, min(EXAMPLES, len(order))).round().astype(int))]
        found[name] = tuple(
            Example(int(ids[at]), int(everybody.before[rows[at]]), int(everybody.after[rows[at]])) for at in picked
        )
    return found
