"""Tables of standards (按 … 档): a value by band of a number, by an exact number, or by a choice.

in    rows as written, the type of what the table is looked up by
out   `Tiers`, one immutable table of exact numbers

Always true: looking up never falls outside. Bands run from 满 up to below the next one; what no row covers takes 其余,
and a table without 其余 was shown to cover everything it can be asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from huimin.rules.faults import FaultFound, Source, nearest
from huimin.rules.typed import Sort, Type

FROM, EXACTLY = "满", "为"
ROWS_MAX = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One 档 as written: `word` is 满 or 为."""

    word: str
    key: Source
    value: Source


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole table as written at one place."""

    at: Source
    rows: tuple[Row, ...]
    rest: Source | None

    @property
    def plain(self) -> list[str]:
        rest = [f"其余 {self.rest.text.strip()}"] if self.rest else []
        return [f"{row.word} {row.key.text.strip()} {row.value.text.strip()}" for row in self.rows] + rest


@dataclass(frozen=True, slots=True)
class Tiers:
    """`values[0]` is what no row covers, `values[i]` that of row i, in rising order of `keys`; `labels` likewise.

    `word` 满: row i covers keys[i-1] up to below keys[i]. `word` 为: exactly that number, or the choice in that position.
    """

    word: str
    keys: tuple[Fraction, ...]
    values: tuple[Fraction, ...]
    labels: tuple[str, ...]
    rest_given: bool

    def __str__(self) -> str:
        """For digests and for people: every row in words."""
        shown = [f"{label} {value}" for label, value in zip(self.labels[1:], self.values[1:], strict=True)]
        return "；".join(shown + [f"其余 {self.values[0]}"] * self.rest_given)

    @property
    def has_zero(self) -> bool:
        return any(value == 0 for value in self.values[not self.rest_given :])


def table_of(
    rows: Rows, key: Type, keys: Sequence[Fraction], values: Sequence[Fraction], rest: Fraction | None
) -> Tiers:
    """The table from its rows' parsed keys (positions for choices) and values. Raises FaultFound."""
    words = {row.word for row in rows.rows}
    if len(words) > 1:
        raise FaultFound(rows.at, 0, f"同一张表里既有“{FROM}”又有“{EXACTLY}”", "请只用一种")
    for earlier, later, row in zip(keys, keys[1:], rows.rows[1:], strict=False):
        if key.sort is Sort.NUMBER and later <= earlier:
            raise FaultFound(row.key, 0, f"“{row.key.text.strip()}”没有比上一档大", "请按从小到大的次序写")
    if len(set(keys)) < len(keys):
        twice = next(row for i, row in enumerate(rows.rows) if keys[i] in keys[:i])
        raise FaultFound(twice.key, 0, f"“{twice.key.text.strip()}”写了两次", "请删去一处")
    order = sorted(range(len(keys)), key=lambda at: keys[at])
    word, labels = words.pop(), [_label(rows.rows[at]) for at in order]
    return Tiers(
        word,
        tuple(keys[at] for at in order),
        (rest or Fraction(0), *(values[at] for at in order)),
        ("其余", *labels),
        rest is not None,
    )


def _label(row: Row) -> str:
    return row.key.text.strip() if row.word == EXACTLY else f"{row.word} {row.key.text.strip()}"


def require_cover(rows: Rows, tiers: Tiers, key: Type, floor: Fraction | None) -> None:
    """其余 is needed unless the rows cover every choice, or begin at or below `floor`. Raises FaultFound."""
    if tiers.rest_given:
        return
    if key.sort is Sort.CHOICE:
        lacking = [choice for at, choice in enumerate(key.choices) if Fraction(at) not in tiers.keys]
        if lacking:
            raise FaultFound(rows.at, 0, f"表里没有写 {'、'.join(lacking)}", "请补上这些档，或写 其余: …")
    elif tiers.word == EXACTLY or floor is None or tiers.keys[0] > floor:
        what = "不在这些档里的没有写" if tiers.word == EXACTLY else f"不满 {rows.rows[0].key.text.strip()} 的没有写"
        raise FaultFound(rows.at, 0, what, "请写 其余: …，例如 其余: 0 元/月")


def choice_position(key: Source, choices: tuple[str, ...]) -> Fraction:
    word = key.text.strip()
    if word not in choices:
        near = nearest(word, choices) or f"可写的有：{'、'.join(choices)}"
        raise FaultFound(key, 0, f"“按”里没有“{word}”这个选项", near)
    return Fraction(choices.index(word))
