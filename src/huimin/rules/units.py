"""Units of the policy language: what may be added, compared and converted.

in    unit words (元, 亩, 岁 ...) and units
out   `Unit`s, or None where two units do not fit

Rules, as `docs/policy-language.md` tells them to the office:

- 元, 亩, 平方米 and the periods 年 半年 季 月 天 multiply and divide: 元/亩 × 亩 is 元.
- 人 岁 级 辆 套 ... count things. Unlike counts do not add or compare; in a product they drop out (元/人/月 is 元/月).
- 元/月 and 元/年 never mix silently: 按月() 按季() 按年() convert, 1 年 = 2 半年 = 4 季 = 12 月.
- A bare number fits counts and single periods (年龄 >= 70); money and areas need their unit written; 0 fits everything.
"""

from dataclasses import dataclass
from fractions import Fraction

BASES = ("元", "亩", "平方米", "年", "半年", "季", "月", "天")
PERIODS = ("年", "半年", "季", "月")
COUNTS = ("人", "岁", "级", "项", "辆", "台", "套", "个", "户", "次", "头", "只")
MONTHS_IN = {"年": Fraction(12), "半年": Fraction(6), "季": Fraction(3), "月": Fraction(1)}
_ALIASES: dict[str, tuple[str, Fraction]] = {
    "万元": ("元", Fraction(10_000)),
    "角": ("元", Fraction(1, 10)),
    "分": ("元", Fraction(1, 100)),
    "周岁": ("岁", Fraction(1)),
    "口": ("人", Fraction(1)),
    "个月": ("月", Fraction(1)),
    "季度": ("季", Fraction(1)),
    "周年": ("年", Fraction(1)),
    "日": ("天", Fraction(1)),
    "平米": ("平方米", Fraction(1)),
}
UNIT_WORDS = frozenset(BASES) | frozenset(COUNTS) | frozenset(_ALIASES)


@dataclass(frozen=True, slots=True)
class Unit:
    """Powers of the base units, in the order of BASES, and what is counted when there are none."""

    powers: tuple[int, ...] = (0,) * len(BASES)
    count: str = ""

    @property
    def plain(self) -> bool:
        """A ratio or a pure number."""
        return not self.count and not any(self.powers)

    @property
    def fits_bare(self) -> bool:
        """May a number without unit stand beside it? Not beside money or areas: 700 what?"""
        single_period = not any(self.powers[:3]) and sum(map(abs, self.powers)) == 1 and sum(self.powers) == 1
        return not any(self.powers) or single_period

    @property
    def mixes_periods(self) -> bool:
        return sum(1 for period in PERIODS if self.power(period)) > 1

    def power(self, base: str) -> int:
        return self.powers[BASES.index(base)]

    def flow_period(self) -> str | None:
        """The period this is a flow over (元/月 gives 月), or the period itself; None when there is none."""
        for period in PERIODS:
            if self.power(period):
                return period
        return None

    def with_period(self, period: str) -> "Unit":
        """The same flow over another period."""
        old = self.flow_period()
        assert old is not None
        powers = dict(zip(BASES, self.powers, strict=True))
        moved = powers.pop(old)
        return Unit(tuple(moved if base == period else powers.get(base, 0) for base in BASES), self.count)

    def __str__(self) -> str:
        if self.count:
            return self.count
        above = [b for b, p in zip(BASES, self.powers, strict=True) for _ in range(max(p, 0))]
        below = [b for b, p in zip(BASES, self.powers, strict=True) for _ in range(max(-p, 0))]
        if not above and not below:
            return "纯数"
        return "/".join(["·".join(above) or "1", *below])


PLAIN = Unit()


def base_unit(word: str) -> tuple[Unit, Fraction]:
    """The unit and factor of one unit word; KeyError when it is none."""
    name, factor = _ALIASES.get(word, (word, Fraction(1)))
    if name in COUNTS:
        return Unit(count=name), factor
    if name not in BASES:
        raise KeyError(word)
    return Unit(tuple(int(base == name) for base in BASES)), factor


def multiply(left: Unit, right: Unit) -> Unit:
    powers = tuple(a + b for a, b in zip(left.powers, right.powers, strict=True))
    return Unit(powers, _count_of_product(left, right, powers))


def divide(left: Unit, right: Unit) -> Unit:
    powers = tuple(a - b for a, b in zip(left.powers, right.powers, strict=True))
    return Unit(powers, left.count if right.plain and not any(powers) else "")


def _count_of_product(left: Unit, right: Unit, powers: tuple[int, ...]) -> str:
    if any(powers):
        return ""
    if left.plain:
        return right.count
    return left.count if right.plain else ""


def unit_of_words(words: list[str]) -> tuple[Unit, Fraction]:
    """元/亩 from ["元", "亩"]: the first word over the rest. KeyError names a word that is no unit."""
    unit, factor = base_unit(words[0])
    for word in words[1:]:
        below, divisor = base_unit(word)
        unit, factor = divide(unit, below), factor / divisor
        if below.count:
            unit = Unit(unit.powers)
    return unit, factor
