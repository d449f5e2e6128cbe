"""Values written by hand: parameters' units and values, from policy files and from --set.

in    a Source such as `650 元/月`, `是`, `2021-07-01`
out   Fraction in base units, bool, or days since 1970-01-01
"""

from fractions import Fraction

from huimin.rules import syntax
from huimin.rules.faults import FaultFound, Source
from huimin.rules.typed import DATE, EPOCH_ORDINAL, FLAG, Sort, Type
from huimin.rules.units import UNIT_WORDS, Unit, unit_of_words

Value = Fraction | bool | int
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
    return sign * node.value
