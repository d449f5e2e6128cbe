"""Values written by hand: parameters' units and values, from policy files and from --set.

in    a Source such as `650 元/月`, `是`, `2021-07-01`
out   Fraction in base units, bool, or days since 1970-01-01; a number is never below zero
"""

from fractions import Fraction

from huimin.rules import syntax
from huimin.rules.faults import FaultFound, Source
from huimin.rules.tiers import EXACTLY, FROM, Rows, Tiers, choice_position, table_of
from huimin.rules.typed import DATE, EPOCH_ORDINAL, FLAG, Sort, Type
from huimin.rules.units import UNIT_WORDS, Unit, unit_of_words

Value = Fraction | bool | int
Bound = Value | Tiers
"""What a parameter may hold: one value, or a table of them."""
YES, NO = ("是", "true"), ("否", "false")


def type_of_unit(source: Source) -> Type:
    """The type a parameter's 单位 declares: 元/月, 年, 纯数, 日期, 是否."""
    text = source.text.strip()
    if text in ("日期", "是否"):
        return DATE if text == "日期" else FLAG
    if text == "纯数":
        return Type(Sort.NUMBER, Unit())
    words = text.split("/")
    try:
        unit, factor = unit_of_words(words)
    except KeyError as unknown:
        remedy = f"可用的单位有：{'、'.join(sorted(UNIT_WORDS))}，以及 纯数、日期、是否"
        raise FaultFound(source, 0, f"不认识的单位“{unknown.args[0]}”", remedy) from None
    if factor != 1:
        raise FaultFound(source, 0, f"单位“{text}”不是基本单位", "请用 元、亩 等基本单位，数值可以写成 3 万元")
    return Type(Sort.NUMBER, unit)


def key_type(words: Source | tuple[Source, ...]) -> Type:
    """The type 按 declares: a unit (岁, 亩, 纯数), or a list of choices."""
    if isinstance(words, Source):
        found = type_of_unit(words)
        if found.sort is not Sort.NUMBER:
            raise FaultFound(words, 0, f"不能按“{words.text}”分档", "请写单位（如 岁）或一列选项")
        return found
    choices = tuple(word.text.strip() for word in words)
    if len(set(choices)) < len(choices) or not choices:
        raise FaultFound(words[0], 0, "选项写了两次", "请删去一处")
    return Type(Sort.CHOICE, None, choices)


def parse_table(rows: Rows, key: Type, kind: Type, unit: str) -> Tiers:
    """A table's rows. Raises FaultFound."""
    if kind.sort is not Sort.NUMBER:
        raise FaultFound(rows.at, 0, f"表里只能写数，不能写{kind}", "请改用数，或写成条件")
    for row in rows.rows:
        if row.word == FROM and key.sort is Sort.CHOICE:
            raise FaultFound(row.key, 0, f"按选项的表不写“{FROM}”", f"请写 {EXACTLY}: {key.choices[0]}")
    keys = [_key(row.key, key) for row in rows.rows]
    values = [_number(row.value, kind, unit) for row in rows.rows]
    rest = None if rows.rest is None else _number(rows.rest, kind, unit)
    return table_of(rows, key, keys, values, rest)


def _key(source: Source, key: Type) -> Fraction:
    if key.sort is Sort.CHOICE:
        return choice_position(source, key.choices)
    return _number(source, key, str(key.unit))


def _number(source: Source, kind: Type, unit: str) -> Fraction:
    value = parse_value(source, kind, unit, unit_needed=True)
    assert isinstance(value, Fraction)
    return value


def parse_value(source: Source, kind: Type, unit: str, *, unit_needed: bool) -> Value:
    """The value, of this type. `unit_needed`: money and areas must carry their unit, as in files. Raises FaultFound."""
    text = source.text.strip()
    example = {Sort.FLAG: "是", Sort.DATE: "2026-01-01"}.get(kind.sort, f"650 {unit}" if unit != "纯数" else "0.15")
    wrong = FaultFound(source, 0, f"“{text}”不是{kind}", f"应写成例如 {example}")
    if kind.sort is Sort.FLAG:
        if text not in (*YES, *NO):
            raise wrong
        return text in YES
    node, sign = syntax.parse(source), 1
    if isinstance(node, syntax.Prefix) and node.sign == "-":
        node, sign = node.operand, -1
    if kind.sort is Sort.DATE and isinstance(node, syntax.Day):
        return node.value.toordinal() - EPOCH_ORDINAL
    if kind.sort is not Sort.NUMBER or not isinstance(node, syntax.Number):
        raise wrong
    assert kind.unit is not None
    bare_fits = node.unit is None and (not unit_needed or kind.unit.fits_bare)
    if node.unit != kind.unit and not bare_fits:
        found = f"单位是 {node.unit}" if node.unit else "没有写单位"
        raise FaultFound(source, 0, f"“{text}”{found}，应当是 {unit}", f"应写成例如 {example}")
    if sign < 0 and node.value:
        raise FaultFound(source, 0, f"“{text}”小于零", "标准、限额、系数都不小于零；要减的在算式里用减号")
    return node.value
