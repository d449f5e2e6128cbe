"""What the policy texts say of a programme at a place on a day, merged as words: for pages, papers, drafts, differences.

in    the texts in use (path → text), a programme's code, a chain of places, a day
out   `State`: fields, conditions, named values, amount and standards as they are written, each with its place

The rules room binds the same texts to numbers and checks them; here nothing is computed, so that whatever the language
learns to say can still be shown, compared and drafted. The way of merging is that of `rules.merging`: the newest file
of each place, nearer places over farther ones, by 编号 and 名称, 作废 takes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from huimin.kernel.places import NATION
from huimin.rules.yaml_text import read_yaml

Plain = dict[str, Any]
KEYED = {"条件": "编号", "数值": "名称", "排除": "项目"}
"""Lists whose items a nearer place may replace, and what their items are known by."""
NOT_COMPARED = ("项目", "区划", "自", "至", "替代", "案例", "案例底数", "参数", "说明", "事实", *KEYED, "金额")


@dataclass(frozen=True)
class Row:
    """One item of a keyed list as it holds here, and the place whose file says so."""

    plain: Plain
    place: str


@dataclass(frozen=True)
class Standard:
    """A dated value of a parameter at one place, in words."""

    name: str
    words: str
    place: str
    since: date
    until: date | None
    source: str
    assumption: bool
    plain: Plain
    path: str

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class File:
    """One text, read: a programme's layer at a place, or (code empty) values of parameters only."""

    path: str
    code: str
    division: str
    since: date
    until: date | None
    plain: Plain

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class State:
    """A programme as written at a place on a day. `standards`: parameter → values in force, nearest place last."""

    code: str
    on: date
    fields: Mapping[str, str]
    notes: tuple[Row, ...]
    conditions: Mapping[str, Row]
    values: Mapping[str, Row]
    exclusions: Mapping[str, Row]
    amount: Plain
    parameters: Mapping[str, Plain]
    standards: Mapping[str, tuple[Standard, ...]]
    others: Mapping[str, Any]
    layers: tuple[File, ...]

    @property
    def name(self) -> str:
        return self.fields.get("名称", self.code)

    def value_of(self, parameter: str) -> Standard | None:
        """The value that counts here: the nearest place's."""
        found = self.standards.get(parameter, ())
        return found[-1] if found else None

    @property
    def cases(self) -> list[Plain]:
        """Worked cases of the layers in force, the nearest place's first."""
        return [case for file in reversed(self.layers) for case in file.plain.get("案例", ()) if isinstance(case, dict)]


@dataclass(frozen=True)
class Written:
    """All texts, read."""

    files: tuple[File, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(sorted({file.code for file in self.files if file.code}))

    def state(self, code: str, places: Sequence[str], on: date) -> State | None:
        """The programme at the last of `places` on that day; None when no text of it is in force there."""
        layers = self.layers(code, places, on)
        return (
            _merged(code, on, layers, self._standards(code, places, on), self._declared(code, layers))
            if layers
            else None
        )

    def layers(self, code: str, places: Sequence[str], on: date) -> tuple[File, ...]:
        """One file a place, farthest first: the newest in force there."""
        found: list[File] = []
        for place in places:
            here = [file for file in self.files if file.code == code and file.division == place and file.holds(on)]
            found += [max(here, key=lambda file: file.since)] if here else []
        return tuple(found)

    def days(self, code: str, places: Sequence[str]) -> list[date]:
        """Every day on which something of the programme begins, or is over, at these places, rising."""
        days: set[date] = set()
        for file in self.files:
            if file.code == code and file.division in places:
                days |= {file.since} | ({file.until + timedelta(days=1)} if file.until else set())
        for standard in self.standards_of(code, places):
            days |= {standard.since} | ({standard.until + timedelta(days=1)} if standard.until else set())
        return sorted(days)

    def _standards(self, code: str, places: Sequence[str], on: date) -> dict[str, tuple[Standard, ...]]:
        newest: dict[tuple[str, str], Standard] = {}
        for each in self.standards_of(code, places):
            key = (each.name, each.place)
            if each.holds(on) and (key not in newest or newest[key].since < each.since):
                newest[key] = each
        found: dict[str, tuple[Standard, ...]] = {}
        for place in places:
            for (name, where), each in newest.items():
                if where == place:
                    found[name] = (*found.get(name, ()), each)
        return found

    def standards_of(self, code: str, places: Sequence[str]) -> Iterable[Standard]:
        """Every dated value of the programme at these places, past and future."""
        for file in self.files:
            if file.division in places:
                for item in _items(file.plain, "参数"):
                    if _is_value(item) and str(item.get("项目", file.code)) == code:
                        yield _standard(file, item)

    def _declared(self, code: str, layers: Sequence[File]) -> dict[str, Plain]:
        return {
            str(item["名称"]): item
            for file in layers
            for item in _items(file.plain, "参数")
            if "单位" in item and "名称" in item and str(item.get("项目", code)) == code
        }


def read_texts(texts: Mapping[str, str]) -> Written:
    """Every text that the rules room has read without a fault; raises what `read_yaml` raises for others."""
    return Written(tuple(file for path, text in sorted(texts.items()) if (file := read_file(path, text)) is not None))


@lru_cache(maxsize=1024)
def read_file(path: str, text: str) -> File | None:
    """One text; None when it names no place or day (a file of processes)."""
    plain = read_yaml(text, path).plain
    if not isinstance(plain, dict) or not ({"项目", "参数"} & plain.keys()):
        return None
    since, until = _day(plain.get("自")), _day(plain.get("至"))
    division = str(plain.get("区划", NATION)).strip()
    return File(path, str(plain.get("项目", "")), division, since or date.min, until, plain)


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError:
        return None


def _items(plain: Plain, key: str) -> list[Plain]:
    found = plain.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _is_value(item: Plain) -> bool:
    return "名称" in item and ("数值" in item or "档" in item)


def _standard(file: File, item: Plain) -> Standard:
    return Standard(
        name=str(item["名称"]),
        words=value_words(item),
        place=file.division,
        since=_day(item.get("自")) or file.since,
        until=_day(item.get("至")),
        source=str(item.get("来源", "")),
        assumption=str(item.get("示例假设", "")) in ("是", "true"),
        plain=item,
        path=file.path,
    )


def value_words(item: Plain) -> str:
    """`700 元/月`; a table as `满 80 岁 50 元/月；满 90 岁 100 元/月；其余 0 元/月`."""
    if "档" not in item:
        return str(item.get("数值", ""))
    bands = [_band_words(band) for band in _items(item, "档")]
    return "；".join([*bands, *([f"其余 {item['其余']}"] if item.get("其余") else [])])


def _band_words(band: Plain) -> str:
    key = " ".join(
        f"{word} {value}" if word not in ("为",) else str(value) for word, value in band.items() if word != "数值"
    )
    return f"{key} {band.get('数值', '')}"


def _merged(
    code: str,
    on: date,
    layers: tuple[File, ...],
    standards: dict[str, tuple[Standard, ...]],
    declared: dict[str, Plain],
) -> State:
    fields: dict[str, str] = {}
    others: dict[str, Any] = {}
    amount: Plain = {}
    for file in layers:
        fields |= {
            key: value for key, value in file.plain.items() if isinstance(value, str) and key not in NOT_COMPARED
        }
        others |= {
            key: value for key, value in file.plain.items() if not isinstance(value, str) and key not in NOT_COMPARED
        }
        amount = file.plain["金额"] if isinstance(file.plain.get("金额"), dict) else amount
    return State(
        code=code,
        on=on,
        fields=fields,
        notes=tuple(Row({"说明": file.plain["说明"]}, file.division) for file in layers if file.plain.get("说明")),
        conditions=merged_rows(layers, "条件"),
        values=merged_rows(layers, "数值"),
        exclusions=merged_rows(layers, "排除"),
        amount=amount,
        parameters=declared,
        standards=standards,
        others=others,
        layers=layers,
    )


def merged_rows(layers: Sequence[File], kind: str) -> dict[str, Row]:
    """Items of a keyed list over all layers, in the order of the farthest, new ones at the end."""
    key = KEYED[kind]
    merged: dict[str, Row] = {}
    for file in layers:
        for item in _items(file.plain, kind):
            name = str(item.get(key, ""))
            if str(item.get("作废", "")) in ("是", "true"):
                merged.pop(name, None)
            else:
                merged[name] = Row(item, file.division)
    return merged
