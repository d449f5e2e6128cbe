"""Values for the parameters that no county has set, so that every programme of `policy/` can be measured.

in    the policy texts, a place, a day
out   a text of parameters for that place: plain numbers by unit, published by nobody and good for nothing but measuring

The values only have to be of the right kind: what is timed is the work, not the outcome.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from huimin.policy.written import read_texts
from huimin.rules import read_book_texts

_BY_UNIT = {"是否": "是", "日期": "2030-01-01", "纯数": "0.5", "岁": "60 岁", "%": "50 %"}


def assumptions(texts: Mapping[str, str], places: tuple[str, ...], on: date) -> str:
    """A policy file with a value for everything that is waiting there; empty when nothing is."""
    written = read_texts(texts)
    entries = []
    for code, names in read_book_texts(texts).waiting(places, on).items():
        state = written.state(code, places, on)
        assert state is not None, f"{code} waits and is written"
        entries += [_entry(code, name, state.parameters[name], on) for name in names]
    head = f'区划: "{places[-1]}"\n说明: 基准测试用的数，不是任何地方的标准\n参数:\n'
    return head + "".join(f"  - {entry}\n" for entry in entries) if entries else ""


def _entry(code: str, name: str, declared: Mapping[str, Any], on: date) -> str:
    value = _value(str(declared["单位"]))
    given = f"数值: {value}"
    if "按" in declared:
        keys = declared["按"]
        rows = [f"为: {key}" for key in keys] if isinstance(keys, list) else [f"满: {_value(str(keys))}"]
        bands = ", ".join(f"{{{row}, 数值: {value}}}" for row in rows)
        given = f"档: [{bands}]" + ("" if isinstance(keys, list) else f", 其余: {value}")
    return f"{{项目: {code}, 名称: {name}, {given}, 自: {on}, 来源: 基准测试, 示例假设: 是}}"


def _value(unit: str) -> str:
    """100 of money, 1 of things."""
    return _BY_UNIT.get(unit) or (f"100 {unit}" if "元" in unit else f"1 {unit}")
