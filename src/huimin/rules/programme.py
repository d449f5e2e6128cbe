"""A programme in force: what was merged for a place and a date, bound to its parameters' values.

in    a `Structure` (merged and checked), the values in force
out   `Programme`, read only, safe to share between threads
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from huimin.kernel.facts import Fact
from huimin.rules.elsewhere import Elsewhere
from huimin.rules.layers import Declared
from huimin.rules.typed import Typed
from huimin.rules.values import Bound


@dataclass(frozen=True)
class ParameterValue:
    """A parameter's value in force: a Fraction in `unit`, a bool, days since 1970-01-01, or a table of Fractions."""

    name: str
    value: Bound
    unit: str
    source: str
    division: str
    valid_from: date
    assumption: bool
    overridden: bool = False

    @property
    def plain(self) -> list[str]:
        return [self.name, str(self.value), self.unit, self.source, self.division, str(self.valid_from)]


@dataclass(frozen=True)
class Condition:
    """One condition: met, failed or unknown for a household or person, with its citation and the paper that proves it."""

    id: str
    text: str
    citation: str
    paper: str
    tree: Typed
    expression: str


@dataclass(frozen=True)
class NamedValue:
    name: str
    tree: Typed
    expression: str
    basis: str


@dataclass(frozen=True)
class PhaseOut:
    """渐退: who holds the programme and fails nothing but `triggers` keeps a share of what was granted, for `months`.

    `steps`: from which month on, which share of the amount; the last lasts to the end.
    """

    triggers: frozenset[str]
    premise: Typed | None
    months: Typed
    steps: tuple[tuple[int, Typed], ...]
    citation: str

    @property
    def trees(self) -> list[Typed]:
        return [*([self.premise] if self.premise else []), self.months, *(share for _, share in self.steps)]


@dataclass(frozen=True)
class Structure:
    """A programme as merged from its layers, checked, without its parameters' values."""

    code: str
    fields: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    declared: Mapping[str, Declared]
    values: tuple[NamedValue, ...]
    conditions: tuple[Condition, ...]
    amount: Typed
    amount_expression: str
    amount_citation: str
    rounding: str
    rounding_step: Fraction
    part_period: str
    phase_out: PhaseOut | None
    nonzero_parameters: frozenset[str]
    table_floors: Mapping[str, Fraction | None]
    """The lowest number each table is asked about; None where that is not evident."""
    facts_needed: tuple[Fact, ...]
    others: Mapping[str, str]
    """Programmes asked about, by code: household or person."""
    fits: frozenset[str]
    """Those of them whose outcome this one rests on (符合)."""
    elsewhere: frozenset[str]
    """Parameters looked up at a place of one's own (所在地, 就业地)."""
    plain: object


@dataclass(frozen=True)
class Programme:
    """One programme in force at a place on a day. Codes of `unit`, `period`, `payout`, `payee`: `layers.WORDS`."""

    structure: Structure
    version: str
    parameters: Mapping[str, ParameterValue]
    facts_needed: tuple[Fact, ...]
    """In the order of the fact dictionary; bit i of a missing mask is facts_needed[i]. With those of 符合(…)."""
    facts: tuple[Fact, ...]
    """Every fact there is at this place: the dictionary and what places have added."""
    elsewhere: Mapping[str, Elsewhere]
    """For parameters looked up elsewhere: their values at every place, as of the day."""
    companion: Callable[[str], "Programme | None"] = field(compare=False, repr=False)
    """The programme with this code as in force at the same place and day; None when it is not in force there."""

    @property
    def code(self) -> str:
        return self.structure.code

    @property
    def name(self) -> str:
        return self.structure.fields["名称"]

    @property
    def abbreviation(self) -> str:
        """Four characters, as the passbook shows them."""
        return self.structure.fields["简称"]

    @property
    def department(self) -> str:
        """civil_affairs, agriculture, water, … (`layers.WORDS`)."""
        return self.structure.fields["主管部门"]

    @property
    def unit(self) -> str:
        """household or person: who is granted."""
        return self.structure.fields["对象"]

    @property
    def period(self) -> str:
        """month, quarter, half_year, year or once: what the amount is for."""
        return self.structure.fields["期间"]

    @property
    def part_period(self) -> str:
        """by_month, by_day, whole or next_month: what a begun period is owed (不足期); "" where the policy is silent."""
        return self.structure.part_period

    @property
    def payout(self) -> str:
        """monthly, quarterly, half_yearly, yearly or once: when it is paid."""
        return self.structure.fields["发放"]

    @property
    def payee(self) -> str:
        """head or own: whose card."""
        return self.structure.fields["收款"]

    @property
    def basis(self) -> str:
        return self.structure.fields["依据"]

    @property
    def valid_from(self) -> date:
        return self.structure.valid_from

    @property
    def valid_to(self) -> date | None:
        return self.structure.valid_to

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.structure.conditions


def find_circle(asks: Mapping[str, Collection[str]]) -> list[str]:
    """The first circle in who asks about whom, first code repeated at the end; empty when there is none."""
    done: set[str] = set()

    def walk(code: str, path: list[str]) -> list[str]:
        if code in path:
            return [*path[path.index(code) :], code]
        if code in done or code not in asks:
            return []
        for other in sorted(asks[code]):
            if found := walk(other, [*path, code]):
                return found
        done.add(code)
        return []

    return next((found for code in sorted(asks) if (found := walk(code, []))), [])
