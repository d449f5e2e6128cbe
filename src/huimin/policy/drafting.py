"""A draft of a new version: between the text of a local layer and the fields of a form (POL-02).

in    what upper places say and what this place says now; the fields of a form, or a text typed by hand
out   the text of the place's new layer; the fields of a text; which field a line and column belong to

A new version is a whole new layer of the place with its own 自 date. It starts from the layer the place has, so that
whatever the form does not show (排除, 渐退 …) is kept as it stands, and it says only what differs from the places above:
a condition put back to what they say disappears from it. Values that stay are not repeated: they stand in older texts.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any

import yaml

from huimin.policy.phase_out_fields import PHASE_OUT_FIELDS, phase_out_fields, phase_out_plain
from huimin.policy.written import KEYED, File, Plain, Standard, State, Written, merged_rows, value_words
from huimin.rules.faults import Fault, FaultFound, PolicyFaults
from huimin.rules.merging import FIXED
from huimin.rules.yaml_text import Entry, read_yaml

CONDITION_FIELDS = {"text": "说明", "expression": "算式", "citation": "依据", "paper": "材料"}
VALUE_FIELDS = {"expression": "算式", "citation": "依据", "text": "说明"}
AMOUNT_FIELDS = {
    "expression": "算式", "cap": "封顶", "floor": "保底", "rounding": "取整", "each": "合计", "part_period": "不足期",
    "citation": "依据",
}  # fmt: skip
HEAD_FIELDS = {"name": "名称", "abbreviation": "简称", "period": "期间", "payout": "发放", "payee": "收款"}
EXCLUSION_FIELDS = {"text": "说明", "scope": "范围", "citation": "依据"}
TEXT_FIELDS = {"until": "至", "basis": "依据", "note": "说明"}
ROWS_MAX = 80


@dataclass(frozen=True)
class Ground:
    """What a draft stands on: the programme, the place, what is above it and what the place itself says."""

    code: str
    places: Sequence[str]
    upper: tuple[File, ...]
    own: File | None
    state: State | None

    @property
    def division(self) -> str:
        return self.places[-1]


def ground_of(written: Written, code: str, places: Sequence[str], on: date) -> Ground:
    """As it stands on the day `on` at the last of `places`."""
    layers = written.layers(code, places, on)
    own = next((file for file in layers if file.division == places[-1]), None)
    upper = tuple(file for file in layers if file.division != places[-1])
    return Ground(code, tuple(places), upper, own, written.state(code, places, on))


@dataclass
class ValueRow:
    """A parameter: what holds now, and the new value and source (empty: stays)."""

    name: str
    unit: str
    now: Standard | None
    value: str = ""
    source: str = ""
    banded: bool = False


@dataclass
class ItemRow:
    """A condition or named value: its fields as they would hold, whether it is dropped, and where it comes from."""

    key: str
    fields: dict[str, str]
    drop: bool = False
    place: str = ""
    new: bool = False


@dataclass
class Sheet:
    """All fields of the form."""

    effective_on: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    standards: list[ValueRow] = field(default_factory=list)
    conditions: list[ItemRow] = field(default_factory=list)
    values: list[ItemRow] = field(default_factory=list)
    amount: dict[str, str] = field(default_factory=dict)
    head: dict[str, str] = field(default_factory=dict)
    exclusions: list[ItemRow] = field(default_factory=list)
    phase_out: dict[str, str] = field(default_factory=dict)
    cases: str = ""


# -- from a text to fields


def sheet_of(text: str, ground: Ground, path: str) -> Sheet:
    """The form that shows a draft's text. Raises what reading YAML raises."""
    plain = read_yaml(text, path).plain
    if not isinstance(plain, dict):
        raise PolicyFaults([Fault(path, 1, 1, "政策文件应当写成若干“名称: 内容”", "请在文字方式里改")])
    draft = File(path, ground.code, ground.division, date.min, None, plain)
    amount = _mapping(plain, "金额") or _above(ground, "金额")
    phase_out = _mapping(plain, "渐退") or _above(ground, "渐退")
    return Sheet(
        effective_on=str(plain.get("自", "")),
        texts={name: str(plain.get(key, "")) for name, key in TEXT_FIELDS.items()},
        standards=_value_rows(plain, ground),
        conditions=_item_rows("条件", CONDITION_FIELDS, ground, draft),
        values=_item_rows("数值", VALUE_FIELDS, ground, draft),
        amount={name: str(amount.get(key, "")) for name, key in AMOUNT_FIELDS.items()},
        head={name: str(plain.get(key) or _word_above(ground, key)) for name, key in _own_head(ground).items()},
        exclusions=_item_rows("排除", EXCLUSION_FIELDS, ground, draft),
        phase_out=phase_out_fields(phase_out),
        cases=dump({key: plain[key] for key in ("案例底数", "案例") if key in plain}),
    )


def _mapping(plain: Plain, key: str) -> Plain:
    found = plain.get(key)
    return found if isinstance(found, dict) else {}


def _above(ground: Ground, key: str) -> Plain:
    """What the nearest place above says under this key."""
    return next((found for file in ground.upper[::-1] if (found := _mapping(file.plain, key))), {})


def _own_head(ground: Ground) -> dict[str, str]:
    """Head fields this place may write: what a programme is called and its period are said where it begins."""
    return {name: key for name, key in HEAD_FIELDS.items() if not ground.upper or key not in FIXED}


def _word_above(ground: Ground, key: str) -> str:
    return next((str(file.plain[key]) for file in ground.upper[::-1] if key in file.plain), "")


def _value_rows(plain: Plain, ground: Ground) -> list[ValueRow]:
    state = ground.state
    declared = dict(state.parameters) if state else {}
    given: dict[str, Plain] = {}
    for item in _listed(plain, "参数"):
        if "单位" in item:
            declared[str(item.get("名称", ""))] = item
        if "数值" in item or "档" in item:
            given[str(item.get("名称", ""))] = item
    rows = []
    for name, item in declared.items():
        now = state.value_of(name) if state else None
        banded = "按" in item or "档" in item or (now is not None and "档" in now.plain)
        mine = given.get(name, {})
        rows.append(ValueRow(name, str(item.get("单位", "")), now, _typed(mine), str(mine.get("来源", "")), banded))
    return rows


def _typed(item: Plain) -> str:
    """A value as the form shows it: one line, or one line a band."""
    return value_words(item).replace("；", "\n") if "档" in item else str(item.get("数值", ""))


def _item_rows(kind: str, names: Mapping[str, str], ground: Ground, draft: File) -> list[ItemRow]:
    upper = merged_rows(ground.upper, kind)
    merged = merged_rows((*ground.upper, draft), kind)
    rows = []
    for key in dict.fromkeys([*upper, *merged]):
        row = merged.get(key) or upper[key]
        rows.append(ItemRow(key, _fields(row.plain, names), key not in merged, row.place, new=key not in upper))
    return rows


def _fields(plain: Plain, names: Mapping[str, str]) -> dict[str, str]:
    return {name: str(plain.get(key, "")) for name, key in names.items()}


def _listed(plain: Plain, key: str) -> list[Plain]:
    found = plain.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


# -- from fields to a text


def first_text(ground: Ground, effective_on: date) -> str:
    """The text a draft begins with: the place's own layer, dated anew, without its values and its cases; the facts that
    cases share are kept (those of a place above where it has none), so that a new case need only say what differs."""
    return dump(_started(ground, effective_on.isoformat()))


def _started(ground: Ground, effective_on: str) -> Plain:
    kept = dict(ground.own.plain) if ground.own else {}
    kept["参数"] = [_declaration(item) for item in _listed(kept, "参数") if "单位" in item]
    head = {"项目": ground.code, "区划": ground.division, "自": effective_on}
    if str(kept.get("至", effective_on)) > effective_on:
        head["至"] = str(kept["至"])  # what was to end still ends
    head["替代"] = "是"
    dropped = (*head, "至", "案例", "案例底数", *(() if kept["参数"] else ("参数",)))
    shared = _mapping(kept, "案例底数") or _above(ground, "案例底数")
    begun = head | {key: value for key, value in kept.items() if key not in dropped}
    return begun | ({"案例底数": shared} if shared else {})


def _declaration(item: Plain) -> Plain:
    return {
        key: value for key, value in item.items() if key not in ("数值", "自", "至", "来源", "示例假设", "档", "其余")
    }


def text_of(sheet: Sheet, old_text: str, ground: Ground, path: str) -> str:
    """The text of the filled-in form; what the form does not show is taken from `old_text`."""
    old = read_yaml(old_text, path).plain
    plain: Plain = dict(old) if isinstance(old, dict) else _started(ground, sheet.effective_on)
    plain["自"] = sheet.effective_on
    for name, key in TEXT_FIELDS.items():
        _put(plain, key, sheet.texts.get(name, "").strip())
    _put(plain, "参数", _parameters(sheet, plain))
    _put(plain, "条件", _items("条件", sheet.conditions, CONDITION_FIELDS, ground, plain))
    _put(plain, "数值", _items("数值", sheet.values, VALUE_FIELDS, ground, plain))
    _put(plain, "金额", _amount(sheet, ground, plain))
    for name, key in _own_head(ground).items():
        word = " ".join(sheet.head.get(name, "").split())
        _put(plain, key, "" if word == _word_above(ground, key) else word)
    _put(plain, "排除", _items("排除", sheet.exclusions, EXCLUSION_FIELDS, ground, plain))
    _put(plain, "渐退", _phase_out(sheet, ground, plain))
    for key in ("案例底数", "案例"):
        plain.pop(key, None)
    plain |= _cases(sheet.cases, path)
    return dump({key: plain[key] for key in _in_order(plain)})


_ORDER = (
    "项目",
    "区划",
    "自",
    "至",
    "替代",
    "名称",
    "简称",
    "主管部门",
    "对象",
    "期间",
    "发放",
    "收款",
    "依据",
    "说明",
)
_TAIL = ("参数", "数值", "条件", "排除", "金额", "渐退", "案例底数", "案例")


def _in_order(plain: Plain) -> Iterator[str]:
    yield from (key for key in _ORDER if key in plain)
    yield from (key for key in plain if key not in _ORDER and key not in _TAIL)
    yield from (key for key in _TAIL if key in plain)


def _put(plain: Plain, key: str, value: Any) -> None:
    if value:
        plain[key] = value
    else:
        plain.pop(key, None)


def _parameters(sheet: Sheet, plain: Plain) -> list[Plain]:
    kept = [_declaration(item) for item in _listed(plain, "参数") if "单位" in item]
    return kept + [
        {"名称": row.name, **_value(row), "自": sheet.effective_on, **_source(row)}
        for row in sheet.standards
        if row.value.strip()
    ]


_BESIDE_DIGITS = re.compile(r"(?<=\d)(?=[一-鿿])|(?<=[一-鿿])(?=\d)")  # 700元/月, 满80岁: words need not be set apart


def _source(row: ValueRow) -> Plain:
    return {"来源": row.source.strip()} if row.source.strip() else {}


def _value(row: ValueRow) -> Plain:
    """Full-width digits and signs as plain ones. `数值: 740 元/月`, or bands: one line each, `满 80 岁 50 元/月`, `全自理 0 元/月`, `其余 0 元/月`."""
    typed = unicodedata.normalize("NFKC", row.value)
    typed = typed if row.unit == "日期" else _BESIDE_DIGITS.sub(" ", typed)
    lines = [line.replace(":", " ").split() for line in typed.splitlines() if line.strip()]
    if not row.banded:
        return {"数值": " ".join(typed.split())}
    value: Plain = {"档": [_band(words) for words in lines if words[0] != "其余"]}
    rest = [" ".join(words[1:]) for words in lines if words[0] == "其余"]
    return value | ({"其余": rest[0]} if rest else {})


def _band(words: list[str]) -> Plain:
    """The key's unit is a word of its own (80 岁), so is the value's: the last two words are the value."""
    cut = max(1, len(words) - 2)
    key, value = words[:cut], " ".join(words[cut:])
    if key[0] in ("满", "超过") and len(key) > 1:
        return {key[0]: " ".join(key[1:]), "数值": value}
    return {"为": " ".join(key), "数值": value}


def _items(kind: str, rows: list[ItemRow], names: Mapping[str, str], ground: Ground, plain: Plain) -> list[Plain]:
    """Only what differs from the places above; 作废 for what they say and this place does not want."""
    name_of = KEYED[kind]
    upper = merged_rows(ground.upper, kind)
    mine = {str(item.get(name_of, "")): item for item in _listed(plain, kind)}
    items: list[Plain] = []
    for row in rows:
        if row.drop:
            items += [{name_of: row.key, "作废": "是"}] if row.key in upper else []
            continue
        given = {
            key: row.fields.get(name, "").strip() for name, key in names.items() if row.fields.get(name, "").strip()
        }
        above = upper.get(row.key)
        base = mine.get(row.key, above.plain if above else {})
        hidden = {key: value for key, value in base.items() if key not in (*names.values(), name_of, "作废")}
        item = {name_of: row.key, **given, **hidden}
        if above is None or {key: _line(value) for key, value in above.plain.items()} != {
            key: _line(value) for key, value in item.items()
        }:
            items.append(item)
    return items


def _line(value: Any) -> Any:
    """A folded text and the same text on one line say the same."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _amount(sheet: Sheet, ground: Ground, plain: Plain) -> Plain:
    above = _above(ground, "金额")
    given = {
        key: sheet.amount.get(name, "").strip()
        for name, key in AMOUNT_FIELDS.items()
        if sheet.amount.get(name, "").strip()
    }
    base = _mapping(plain, "金额") or above
    item = given | {key: value for key, value in base.items() if key not in AMOUNT_FIELDS.values()}
    return {} if _same(item, above) else item


def _phase_out(sheet: Sheet, ground: Ground, plain: Plain) -> Plain:
    """作废 for what a place above says and this place does not want."""
    above = {key: value for key, value in _above(ground, "渐退").items() if "作废" not in _above(ground, "渐退")}
    item = phase_out_plain(sheet.phase_out, _mapping(plain, "渐退") or above)
    if not item:
        return {"作废": "是"} if above else {}
    return {} if _same(item, above) else item


def _same(item: Plain, above: Plain) -> bool:
    return {key: _line(value) for key, value in item.items()} == {key: _line(value) for key, value in above.items()}


def _cases(text: str, path: str) -> Plain:
    """案例 and 案例底数 as typed into their field; what cannot be read stays a text and is a fault of the draft."""
    if not text.strip():
        return {}
    try:
        plain = read_yaml(text, path).plain
    except (FaultFound, PolicyFaults):
        return {"案例": text.strip()}
    return (
        {key: plain[key] for key in ("案例底数", "案例") if key in plain}
        if isinstance(plain, dict)
        else {"案例": plain}
    )


# -- text


class _Plain(yaml.SafeDumper):
    """Words as they are: no quotation marks around dates and 是, which the rules read as words anyway."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


def _as_word(dumper: _Plain, value: str) -> yaml.ScalarNode:
    if value[:1] == "0" and value.isdigit():
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style='"')
    tag = dumper.resolve(yaml.ScalarNode, value, (True, False))
    plain_tag = tag if value else "tag:yaml.org,2002:str"
    return yaml.ScalarNode(plain_tag, value)


_Plain.add_representer(str, _as_word)


def dump(plain: Any) -> str:
    """YAML as a person writes it; short mappings without lists on one line are left to the writer."""
    if not plain:
        return ""
    out = StringIO()
    yaml.dump(plain, out, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100, default_flow_style=False)
    return out.getvalue()


# -- which field


def field_at(text: str, path: str, line: int, column: int, sheet: Sheet) -> str:
    """The name of the form's field in which a line and column of the text fall; "" when it is none."""
    try:
        entry = read_yaml(text, path)
    except (FaultFound, PolicyFaults):
        return ""
    best: tuple[tuple[int, int], tuple[str, ...]] = ((0, 0), ())
    for spot, way in _spots(entry, ()):
        if best[0] <= spot <= (line, column):
            best = (spot, way)
    return field_of(best[1], sheet)


def _spots(entry: Entry, way: tuple[str, ...]) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """Where each written thing begins, and the names that lead to it; items of lists by their 编号, 名称 or number."""
    if entry.fields is not None:
        for key, (source, value) in entry.fields.items():
            yield source.place(0), (*way, key)
            yield from _spots(value, (*way, key))
    for number, item in enumerate(entry.items or ()):
        plain = item.plain if isinstance(item.plain, dict) else {}
        name = str(plain.get("编号") or plain.get("名称") or plain.get("项目") or number)
        yield item.at.place(0), (*way, name)
        yield from _spots(item, (*way, name))


def field_of(way: tuple[str, ...], sheet: Sheet) -> str:
    """`c-2-expression` for 条件 › income › 算式."""
    if not way:
        return ""
    head, key, part = way[0], way[1] if len(way) > 1 else "", way[2] if len(way) > 2 else ""
    if head == "自":
        return "effective_on"
    if head in ("案例", "案例底数"):
        return "cases"
    if head in HEAD_FIELDS.values():
        return f"head-{_name_of(HEAD_FIELDS, head, 'name')}"
    if head == "渐退":
        return f"ph-{_name_of(PHASE_OUT_FIELDS, key, 'months')}"
    if head == "金额":
        return f"amount-{_name_of(AMOUNT_FIELDS, key, 'expression')}"
    if head == "参数":
        at = next((number for number, row in enumerate(sheet.standards) if row.name == key), None)
        return "" if at is None else f"p-{at}-{'source' if part == '来源' else 'value'}"
    if head in KEYED:
        rows, names, mark = {
            "条件": (sheet.conditions, CONDITION_FIELDS, "c"),
            "数值": (sheet.values, VALUE_FIELDS, "v"),
            "排除": (sheet.exclusions, EXCLUSION_FIELDS, "x"),
        }[head]
        at = next((number for number, row in enumerate(rows) if row.key == key), None)
        return "" if at is None else f"{mark}-{at}-{_name_of(names, part, 'text' if mark == 'x' else 'expression')}"
    return next((name for name, word in TEXT_FIELDS.items() if word == head), "")


def _name_of(names: Mapping[str, str], word: str, other: str) -> str:
    return next((name for name, known in names.items() if known == word), other)
