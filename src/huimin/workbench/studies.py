"""What the pages and the command line of simulations show besides the stored figures (POL-04, FUND-01).

in    a stored simulation; the allotments; the texts the draft started from
out   what the draft changes in words, and what it costs against the budget
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import Sum

from huimin.database.context import scope_of
from huimin.funds.models import Allotment
from huimin.funds.queries import left_fen
from huimin.kernel.places import Level, scope_prefix
from huimin.rules import ParameterValue, Programme
from huimin.screening.simulation.comparing import Comparison, Month, ProgrammeResult
from huimin.screening.simulation.drafts import Laws


@dataclass(frozen=True)
class Budget:
    """One programme against its allotment of the year, all in 分; `allotted_fen` 0 when none is registered.

    `rest_*`: what falls due from the day's month to the end of the year, under the policies in use and under the draft.
    """

    code: str
    name: str
    allotted_fen: int
    left_fen: int
    rest_before_fen: int
    rest_after_fen: int

    @property
    def extra_fen(self) -> int:
        return self.rest_after_fen - self.rest_before_fen

    @property
    def short_fen(self) -> int:
        """What the allotment lacks under the draft."""
        return max(0, self.rest_after_fen - self.left_fen)

    @property
    def verdict(self) -> str:
        if not self.allotted_fen:
            return "还没有登记指标"
        return "指标不足" if self.short_fen else "指标够用"


def budgets(comparison: Comparison, prefix: str, year: int) -> list[Budget]:
    """Of the programmes the draft touches; inside a reading transaction."""
    first, until = scope_of(prefix)
    allotments = Allotment.objects.filter(year=year, division__gte=first, division__lt=until)
    allotted = dict(allotments.values("programme").annotate(fen=Sum("amount_fen")).values_list("programme", "fen"))
    return [
        Budget(
            each.code, each.name, allotted.get(each.code, 0), left_fen(prefix, each.code, year),
            *_rest(comparison.months, each, year),
        )
        for each in comparison.programmes
        if each.touched
    ]  # fmt: skip


def _rest(months: tuple[Month, ...], programme: ProgrammeResult, year: int) -> tuple[int, int]:
    pairs = [month.fen[programme.code] for month in months if month.start.year == year]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def by_year(comparison: Comparison) -> list[tuple[int, int, int]]:
    """(calendar year, before, after) in 分 of the months that fall into it."""
    years = sorted({month.start.year for month in comparison.months})
    return [
        (
            year,
            sum(month.before_fen for month in comparison.months if month.start.year == year),
            sum(month.after_fen for month in comparison.months if month.start.year == year),
        )
        for year in years
    ]


def place_prefix(place: str, level: int) -> str:
    return scope_prefix(place, Level(level))


# -- what the draft changes, in words


@dataclass(frozen=True)
class Change:
    """One thing that would be different."""

    programme: str
    what: str
    before: str
    after: str


def changes_of(laws: Laws) -> list[Change]:
    """Standards that differ, and programmes that begin, end or are worded otherwise."""
    found: list[Change] = []
    for code in sorted(laws.changed):
        was, now = laws.before.get(code), laws.after.get(code)
        if was is None or now is None:
            found.append(
                Change(laws.law(code).name, "项目", "不在执行" if was is None else "执行", "执行" if now else "停止")
            )
            continue
        standards = list(_standards(was, now))
        found += standards
        if was.structure.plain != now.structure.plain:
            found.append(Change(now.name, "条件、算式或文字", was.version, now.version))
    return found


def _standards(was: Programme, now: Programme) -> "list[Change]":
    names = sorted({*was.parameters, *now.parameters})
    pairs = ((name, was.parameters.get(name), now.parameters.get(name)) for name in names)
    return [
        Change(now.name, name, written(old), written(new))
        for name, old, new in pairs
        if (old and old.value) != (new and new.value)
    ]


def written(value: ParameterValue | None) -> str:
    """As a person writes it: `700 元/月`; — for none."""
    if value is None:
        return "—"
    text = plain_value(value)
    return "另有一张表" if text is None else f"{text} {value.unit.replace('纯数', '')}".strip()


def plain_value(value: ParameterValue) -> str | None:
    """What may be typed for it; None for what is not one number or 是 / 否."""
    if isinstance(value.value, bool):
        return "是" if value.value else "否"
    if isinstance(value.value, Fraction):
        number = Decimal(value.value.numerator) / Decimal(value.value.denominator)
        return f"{number.normalize():f}"
    return None


def standards_of(laws: Mapping[str, Programme], code: str) -> list[ParameterValue]:
    """The programme's standards that are one number or 是 / 否, in the order of the policy."""
    law = laws.get(code)
    return [] if law is None else [value for value in law.parameters.values() if plain_value(value) is not None]


def month_name(start: date) -> str:
    return f"{start:%Y-%m}"
