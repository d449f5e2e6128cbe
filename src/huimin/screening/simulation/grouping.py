"""What kind of household each one is: the groups a simulation counts by (POL-04).

in    the Columns of a place on a day
out   `Dimension`s: for every household the number of its group, and the groups' keys and labels

Always true: each dimension puts every household into exactly one group, so that the sums over a dimension's groups are
the totals. What was never asked is a group of its own (未采集), not a no.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huimin.kernel.facts import HOUSEHOLD_FACTS
from huimin.kernel.places import Level
from huimin.rules import Column, Table
from huimin.screening.simulation.columns import Columns, Flags, Ints

UNASKED = "未采集"
SIZE_MAX = 6
_YES, _NO, _UNKNOWN = range(3)
_ELDERLY_YEARS, _CHILD_YEARS = 60, 18


@dataclass(frozen=True)
class Dimension:
    """`of_household[i]` is the position of household i's group in `keys` and `labels`."""

    key: str
    label: str
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    of_household: Ints


def dimensions(columns: Columns, place_level: Level) -> list[Dimension]:
    """Place first (townships, or villages within a township), then kinds of households that the registry can tell."""
    table = columns.table
    divisions = columns.snapshot.households["division"]
    found = [_places(divisions, place_level), _sizes(columns.per_household(columns.living))]
    for code in ("hukou", "poverty_registered"):
        fact = next((fact for fact in HOUSEHOLD_FACTS if fact.code == code), None)
        if fact and code in table.households:
            found.append(_choice(code, fact.name, fact.choices, table.households[code]))
    for key, label, column, yes in _features(table, columns.on):
        found.append(_feature(key, label, column, yes, columns))
    return found


def _places(divisions: pa.ChunkedArray, place_level: Level) -> Dimension:
    digits = int(Level.TOWNSHIP if place_level < Level.TOWNSHIP else Level.VILLAGE)
    codes = pc.utf8_slice_codeunits(divisions, 0, digits)
    known = pc.unique(codes).sort()
    keys = tuple(code.ljust(12, "0") for code in known.to_pylist())
    label = "乡镇" if digits == Level.TOWNSHIP else "村"
    return Dimension("place", label, keys, keys, pc.index_in(codes, value_set=known).to_numpy().astype(np.int64))


def _sizes(people: Ints) -> Dimension:
    labels = ("没有在户人口", *(f"{size} 口" for size in range(1, SIZE_MAX)), f"{SIZE_MAX} 口以上")
    return Dimension("size", "人口", tuple(map(str, range(SIZE_MAX + 1))), labels, np.minimum(people, SIZE_MAX))


def _choice(key: str, label: str, choices: tuple[str, ...], column: Column) -> Dimension:
    labels = (*choices, UNASKED)
    values = np.where(column.known, column.values.astype(np.int64), len(choices))
    return Dimension(key, label, tuple(map(str, range(len(labels)))), labels, values)


def _features(table: Table, on: date) -> Iterable[tuple[str, str, Column, Flags]]:
    """(key, label, the fact's column, whom it is true of), as far as the facts are there."""
    born = table.members.get("birth_date")
    if born is not None:
        days = born.values.astype(np.int64)
        yield "elderly", f"{_ELDERLY_YEARS} 岁以上老人", born, days <= _days(on, _ELDERLY_YEARS)
        yield "children", f"{_CHILD_YEARS} 岁以下儿童", born, days > _days(on, _CHILD_YEARS)
    grade = table.members.get("disability_grade")
    if grade is not None:
        yield "disabled", "残疾人", grade, grade.values.astype(np.int64) > 0
    ill = table.members.get("serious_illness")
    if ill is not None:
        yield "ill", "重病患者", ill, ill.values.astype(bool)


def _days(on: date, years: int) -> int:
    """Days since 1970-01-01 of the last birthday that makes one `years` old on that day."""
    last = (
        on.replace(year=on.year - years, day=28) if (on.month, on.day) == (2, 29) else on.replace(year=on.year - years)
    )
    return last.toordinal() - date(1970, 1, 1).toordinal()


def _feature(key: str, label: str, column: Column, yes: Flags, columns: Columns) -> Dimension:
    """有 when it is true of a living member; 未采集 when it is not, but unknown of one; else 没有."""
    having = columns.per_household(columns.living & column.known & yes) > 0
    unknown = columns.per_household(columns.living & ~column.known) > 0
    group = np.where(having, _YES, np.where(unknown, _UNKNOWN, _NO))
    label = f" {label}" if label[0].isdigit() else label
    labels = (f"有{label}", f"没有{label}", UNASKED)
    return Dimension(key, label.strip(), ("yes", "no", "unknown"), labels, group.astype(np.int64))
