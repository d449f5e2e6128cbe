"""What the pages and the command line of simulations show besides the stored figures (POL-04, FUND-01).

in    a stored simulation; the allotments; the texts the draft started from
out   what the draft changes in words, and what it costs against the budget
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import F, Sum

from huimin.database.context import scope_of
from huimin.funds.models import Allotment
from huimin.funds.queries import left_fen
from huimin.kernel.places import Level, scope_prefix
from huimin.policy.differing import plain_words
from huimin.policy.words import in_words
from huimin.rules import ParameterValue, Programme
from huimin.rules.layers import PROGRAMME_FIELDS, WORDS
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
    allotments = Allotment.objects.filter(
        year=year, division__gte=first, division__lt=until, state=Allotment.State.IN_FORCE
    )
    own = Sum(F("amount_fen") - F("issued_fen") - F("cut_fen") - F("carried_fen"))
    allotted = dict(allotments.values("programme").annotate(fen=own).values_list("programme", "fen"))
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
        found += [*_standards(was, now), *_wordings(was, now)]
    return found


def _wordings(was: Programme, now: Programme) -> Iterator[Change]:
    """Conditions, named values, the amount and head fields written otherwise; what begins or ends has — on one side."""
    yield from _conditions(was, now)
    for before, after in zip(_written(was), _written(now), strict=True):
        for what in dict.fromkeys([*before, *after]):
            if before.get(what) != after.get(what):
                yield Change(now.name, what, before.get(what, "—"), after.get(what, "—"))


def _conditions(was: Programme, now: Programme) -> Iterator[Change]:
    """By their 编号, so that one that is called otherwise is the same one still."""
    before, after = ({each.id: each for each in law.structure.conditions} for law in (was, now))
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old and new and old.text != new.text:
            yield Change(now.name, f"条件“{old.text}”的说法", old.text, new.text)
        told = [in_words(each.expression) if each else "—" for each in (old, new)]
        named = new or old
        if named and told[0] != told[1]:
            yield Change(now.name, f"条件“{named.text}”", *told)


def _written(law: Programme) -> tuple[dict[str, str], ...]:
    """What a draft may word otherwise, by what it is called."""
    structure = law.structure
    return (
        {f"算法“{each.name}”": in_words(each.expression) for each in structure.values},
        {f"金额的{key}": in_words(plain_words(each)) for key, each in _nearest(law, "金额").items()},
        {f"渐退的{key}": plain_words(each) for key, each in _nearest(law, "渐退").items()},
        {key: _word(key, code) for key, code in structure.fields.items() if key in PROGRAMME_FIELDS},
    )


def _nearest(law: Programme, key: str) -> Mapping[str, object]:
    """What the nearest place that says anything says of the amount, or of phasing out."""
    layers = law.structure.plain
    assert isinstance(layers, list)
    found = next((plain[key] for _, _, plain in reversed(layers) if key in plain), {})
    return found if isinstance(found, Mapping) else {}


def _word(key: str, code: str) -> str:
    """A head field's code as the word of the policy language."""
    return next((word for word, its in WORDS.get(key, {}).items() if its == code), code)


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
