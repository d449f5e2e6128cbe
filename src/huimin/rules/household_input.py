"""One household as people write it, into the columns the engine reads.

in    {名称: value} of the household and of each member: money in 元, areas in 亩, dates ISO, flags true/false, None unknown
out   a Table of one household, or BadInput naming the fact and how to write it

Every fact of the dictionary is a column, unknown where nothing was written. Decimals are taken as written, digit by
digit; more than two decimals of money or area are refused rather than rounded.
享受 and 符合 are not facts but what the office itself knows: see `held_input`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import numpy as np

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Entity, Fact, Kind
from huimin.rules.faults import nearest
from huimin.rules.held_input import FITS, HOLDS, held_of
from huimin.rules.table import Column, Table, dtype_of
from huimin.rules.typed import EPOCH_ORDINAL
from huimin.rules.vocabulary import DERIVED

MEMBERS_MAX = 200
_DERIVED_FROM = {"年龄": "出生日期", "人口": "成员", "在户": "死亡日期、迁出日期", "认定日期": "--date"}
_EXAMPLES = {
    Kind.INT: "整数，例如 2",
    Kind.MONEY: "金额（元，至多两位小数），例如 1200.50",
    Kind.AREA: "面积（至多两位小数），例如 3.25",
    Kind.DATE: '日期，例如 "1950-01-31"',
    Kind.FLAG: "true 或 false",
    Kind.PLACE: '12 位区划代码，例如 "341524000000"',
}
_LARGEST = 10**15


def household_table(
    household: Mapping[str, object], members: Sequence[Mapping[str, object]], facts: Iterable[Fact]
) -> Table:
    """The table. Raises BadInput at the first fact that is not known or not of its kind."""
    facts = tuple(facts)
    if len(members) > MEMBERS_MAX:
        raise BadInput(f"成员有 {len(members)} 人", where="成员", remedy=f"一户至多 {MEMBERS_MAX} 人，请分户")
    held = held_of(household, members)
    household, members = _without_programmes(household), [_without_programmes(member) for member in members]
    own = _facts_of(facts, Entity.HOUSEHOLD)
    persons = _facts_of(facts, Entity.PERSON)
    _refuse_unknown(household, own, persons, "户")
    for position, member in enumerate(members):
        _refuse_unknown(member, persons, own, f"成员[{position}]")
    return Table(
        {fact.code: _column(fact, [household], ["户"]) for fact in own.values()},
        {fact.code: _column(fact, members, [f"成员[{i}]" for i in range(len(members))]) for fact in persons.values()},
        np.array([0, len(members)], np.int64),
        held,
    )


def _facts_of(facts: tuple[Fact, ...], entity: Entity) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts if fact.entity is entity and fact.kind is not Kind.TEXT}


def _without_programmes(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in (HOLDS, FITS)}


def _refuse_unknown(given: Mapping[str, object], known: dict[str, Fact], others: dict[str, Fact], where: str) -> None:
    for name in given:
        if name in known:
            continue
        spot = f"{where}.{name}"
        if name in DERIVED:
            raise BadInput(f"“{name}”由系统推算，不用填写", where=spot, remedy=f"请改填 {_DERIVED_FROM[name]}")
        if name in others:
            owner = "成员" if where == "户" else "户"
            raise BadInput(f"“{name}”是{owner}的事实", where=spot, remedy=f"请写到“{owner}”下面")
        near = nearest(str(name), known) or f"可写的有：{'、'.join(known)}"
        raise BadInput(f"事实目录里没有“{name}”", where=spot, remedy=near)


def _column(fact: Fact, rows: Sequence[Mapping[str, object]], places: Sequence[str]) -> Column:
    stored = [stored_value(fact, row.get(fact.name), f"{at}.{fact.name}") for row, at in zip(rows, places, strict=True)]
    known = np.array([value is not None for value in stored], np.bool_)
    values = np.array([0 if value is None else value for value in stored], dtype_of(fact.kind))
    return Column(values, known)


def stored_value(fact: Fact, value: object, where: str) -> int | bool | None:
    """As the system keeps it: 分, hundredths, days since 1970-01-01, position of the choice. Raises BadInput."""
    if value is None:
        return None
    if fact.kind is Kind.CHOICE:
        return _choice(fact, value, where)
    readers = {
        Kind.PLACE: _place,
        Kind.FLAG: _flag,
        Kind.DATE: _days,
        Kind.INT: _whole,
        Kind.MONEY: _hundredths,
        Kind.AREA: _hundredths,
    }
    stored = readers[fact.kind](value)
    if stored is None:
        raise BadInput(
            f"“{fact.name}”的值 {_shown(value)} 不对", where=where, remedy=f"应当是{_EXAMPLES[fact.kind]}；不详写 null"
        )
    if fact.kind in (Kind.INT, Kind.AREA) and stored < 0:
        raise BadInput(f"“{fact.name}”不能小于零", where=where, remedy=f"应当是{_EXAMPLES[fact.kind]}")
    if abs(stored) >= _LARGEST:
        raise BadInput(f"“{fact.name}”的值 {_shown(value)} 过大", where=where, remedy="请检查有无多写的零")
    return stored


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:40] + "…"


def _choice(fact: Fact, value: object, where: str) -> int:
    if value not in fact.choices:
        near = nearest(str(value), fact.choices) or f"可选的是：{'、'.join(fact.choices)}"
        raise BadInput(f"“{fact.name}”没有 {_shown(value)} 这个选项", where=where, remedy=near)
    return fact.choices.index(str(value))


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _place(value: object) -> int | None:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) in (12, 15) else None


def _days(value: object) -> int | None:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return None
    return value.toordinal() - EPOCH_ORDINAL if type(value) is date else None


def _whole(value: object) -> int | None:
    number = _decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def _hundredths(value: object) -> int | None:
    number = _decimal(value)
    return _whole(number.scaleb(2)) if number is not None else None


def _decimal(value: object) -> Decimal | None:
    """The number as written. A float is read by its shortest spelling, which is what was typed."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 30 else None
