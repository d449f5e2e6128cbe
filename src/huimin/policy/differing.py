"""The difference between two states of a programme, in words: before each approval, and as its history (POL-01, POL-03).

in    the programme as written on two days, or now and in a draft
out   one sentence a change: 标准由 650 元/月 改为 740 元/月；条件“…”删去
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from huimin.policy.words import in_words
from huimin.policy.written import Row, Standard, State

_ROW_FIELDS = {"说明": "说法", "算式": "算法", "依据": "依据", "材料": "材料", "范围": "范围"}
_NOTE_MAX = 60
_AMOUNT_FIELDS = ("算式", "封顶", "保底", "取整", "合计", "不足期", "依据")


@dataclass(frozen=True)
class Difference:
    """`kind`: standard, condition, value, amount, text, whole; `was` and `now` empty where there is nothing."""

    kind: str
    what: str
    was: str = ""
    now: str = ""
    note: str = ""

    def __str__(self) -> str:
        change = f"{self.what}由 {self.was} 改为 {self.now}" if self.was and self.now else self._one_sided()
        return f"{change}（{self.note}）" if self.note else change

    def _one_sided(self) -> str:
        if self.was:
            return f"{self.what}删去：{self.was}"
        return f"{self.what}：{self.now}" if self.now else self.what


def differences(
    was: State | None,
    now: State | None,
    names: Mapping[str, str] | None = None,
    places: Mapping[str, str] | None = None,
) -> list[Difference]:
    """What changes from `was` to `now`; standards first. `names` of programmes, `places` by code."""
    if was is None and now is None:
        return []
    if was is None or now is None:
        return [Difference("whole", "开始施行" if was is None else "停止施行")]
    return [
        *_standards(was, now, places or {}),
        *_rows("condition", "条件", was.conditions, now.conditions, names or {}),
        *_rows("value", "算法", was.values, now.values, names or {}),
        *_rows("condition", "互斥", was.exclusions, now.exclusions, names or {}),
        *_amount(was, now, names or {}),
        *_texts(was, now),
        *_notes(was, now, places or {}),
    ]


def _standards(was: State, now: State, places: Mapping[str, str]) -> Iterator[Difference]:
    for name in dict.fromkeys([*was.parameters, *now.parameters]):
        before, after = was.value_of(name), now.value_of(name)
        if (before.words if before else "") != (after.words if after else ""):
            yield Difference(
                "standard", name, before.words if before else "", after.words if after else "", _source(after, places)
            )
        elif before and after and before.source != after.source:
            yield Difference("standard", f"{name}的来源", before.source, after.source)


def _source(standard: Standard | None, places: Mapping[str, str]) -> str:
    if standard is None:
        return ""
    return "，".join(filter(None, [places.get(standard.place, ""), standard.source]))


def _rows(
    kind: str, word: str, was: Mapping[str, Row], now: Mapping[str, Row], names: Mapping[str, str]
) -> Iterator[Difference]:
    for key in dict.fromkeys([*was, *now]):
        before, after = was.get(key), now.get(key)
        title = f"{word}“{_title(key, (after or before))}”"  # the one that there is
        if before is None and after is not None:
            yield Difference(kind, f"新增{title}", now=_said(after.plain, names), note=str(after.plain.get("依据", "")))
        elif after is None and before is not None:
            yield Difference(kind, f"{title}删去")
        elif before is not None and after is not None:
            yield from _fields(kind, title, before.plain, after.plain, names)


def _title(key: str, row: Row | None) -> str:
    return str((row.plain.get("说明") if row and "编号" in row.plain else None) or key)


def _said(plain: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return in_words(str(plain["算式"]), names) if "算式" in plain else str(plain.get("说明", ""))


def _fields(
    kind: str, title: str, was: Mapping[str, Any], now: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[Difference]:
    for field in dict.fromkeys([*was, *now]):
        before, after = plain_words(was.get(field)), plain_words(now.get(field))
        if before != after:
            said = (in_words(before, names), in_words(after, names)) if field == "算式" else (before, after)
            if said[0] == said[1]:
                said = (before, after)
            yield Difference(
                kind, f"{title}的{_ROW_FIELDS.get(field, field)}", said[0] or "（无）", said[1] or "（无）"
            )


def _amount(was: State, now: State, names: Mapping[str, str]) -> Iterator[Difference]:
    for field in dict.fromkeys([*_AMOUNT_FIELDS, *was.amount, *now.amount]):
        before, after = plain_words(was.amount.get(field)), plain_words(now.amount.get(field))
        if before != after:
            formula = field in ("算式", "封顶", "保底")
            said = (in_words(before, names), in_words(after, names)) if formula else (before, after)
            said = (before, after) if said[0] == said[1] else said
            yield Difference(
                "amount", f"金额的{'算法' if field == '算式' else field}", said[0] or "（无）", said[1] or "（无）"
            )


def _texts(was: State, now: State) -> Iterator[Difference]:
    for field in dict.fromkeys([*was.fields, *now.fields]):
        before, after = was.fields.get(field, ""), now.fields.get(field, "")
        if before != after:
            yield Difference("text", field, before or "（无）", after or "（无）")
    for field in dict.fromkeys([*was.others, *now.others]):
        before, after = plain_words(was.others.get(field)), plain_words(now.others.get(field))
        if before != after:
            yield Difference("text", field, before or "（无）", after or "（无）")


def _notes(was: State, now: State, places: Mapping[str, str]) -> Iterator[Difference]:
    """说明 of each place that changed; in short, since they can be long."""
    before, after = ({row.place: plain_words(row.plain["说明"]) for row in state.notes} for state in (was, now))
    for place in dict.fromkeys([*before, *after]):
        if before.get(place) != after.get(place):
            what = f"{places.get(place, place)}的说明"
            yield Difference(
                "text", what, _short(before.get(place, "")) or "（无）", _short(after.get(place, "")) or "（无）"
            )


def _short(text: str) -> str:
    return text if len(text) <= _NOTE_MAX else f"{text[:_NOTE_MAX]}…"


def plain_words(value: Any) -> str:
    """Any written value on one line."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "，".join(f"{key} {plain_words(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "；".join(plain_words(each) for each in value)
    return " ".join(str(value).split())
