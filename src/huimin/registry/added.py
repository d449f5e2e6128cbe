"""Facts a county added: checked like those of the dictionary, stored in one JSON column, read as columns of their own (REG-01).

in    `Fact`s that the caller took from the policies in use (policy.queries.added_facts); values in the system's form
out   JSON by code for the `added` columns, and back; SQL and Arrow columns that tell what fact they hold

Stored: whole numbers for INT, MONEY (分) and AREA (hundredths), true/false for FLAG, ISO text for DATE, text for CHOICE,
TEXT and PLACE. A code stored once stays when no policy speaks of it any more; it is shown to nobody then.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import pyarrow as pa

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Entity, Fact, Kind

TEXT_MAX = 200
NUMBER_MAX = 2**63 - 1
_TOLD = b"fact"
_ARROW = {
    Kind.INT: (pa.int64(), "::bigint"),
    Kind.MONEY: (pa.int64(), "::bigint"),
    Kind.AREA: (pa.int64(), "::bigint"),
    Kind.DATE: (pa.date32(), "::date"),
    Kind.FLAG: (pa.bool_(), "::boolean"),
    Kind.CHOICE: (pa.string(), ""),
    Kind.TEXT: (pa.string(), ""),
    Kind.PLACE: (pa.string(), ""),
}


def of_entity(facts: Iterable[Fact], entity: Entity) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.entity is entity)


def require_fits(value: Any, fact: Fact) -> None:
    """BadInput, which names the fact, when `value` (None: not asked) is not of its kind or none of its choices."""
    if value is not None and not _fits(value, fact):
        raise BadInput(f"“{value}”不是{fact.kind.value}", where=fact.name, remedy=_remedy(fact))


def _fits(value: Any, fact: Fact) -> bool:
    if fact.kind is Kind.FLAG:
        return isinstance(value, bool)
    if fact.kind is Kind.DATE:
        return isinstance(value, date)
    if fact.kind is Kind.CHOICE:
        return value in fact.choices
    if fact.kind is Kind.TEXT:
        return isinstance(value, str) and 0 < len(value) <= TEXT_MAX
    if fact.kind is Kind.PLACE:
        return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) in (12, 15)
    limit = NUMBER_MAX if fact.kind in (Kind.MONEY, Kind.AREA) else 2**15 - 1
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= limit


def _remedy(fact: Fact) -> str:
    if fact.kind is Kind.PLACE:
        return "请填 12 位区划代码"
    return "可选：" + "、".join(fact.choices) if fact.choices else "请核对后重新填写"


def stored(value: Any) -> Any:
    """As the JSON column holds it."""
    return value.isoformat() if isinstance(value, date) else value


def value_of(column: Mapping[str, Any], fact: Fact) -> Any:
    """The value in the system's form; None when it was never asked."""
    value = column.get(fact.code)
    return date.fromisoformat(value) if value is not None and fact.kind is Kind.DATE else value


def selected(alias: str, fact: Fact) -> str:
    """SQL for the fact's column; its code has only letters, digits and underscores (rules.county_facts)."""
    assert fact.code.isidentifier() and fact.code.isascii(), "a code that is no name"
    return f"({alias}.added->>'{fact.code}'){_ARROW[fact.kind][1]}"


def arrow_field(fact: Fact) -> pa.Field:
    """The Arrow column, which carries the fact itself, so that a stored snapshot can be read without the policies."""
    told = json.dumps({**asdict(fact), "entity": fact.entity.value, "kind": fact.kind.value}, ensure_ascii=False)
    return pa.field(fact.code, _ARROW[fact.kind][0], metadata={_TOLD: told.encode()})


def added_of(table: pa.Table) -> tuple[Fact, ...]:
    """The added facts whose columns stand in the table."""
    return tuple(_read(field.metadata[_TOLD]) for field in table.schema if field.metadata and _TOLD in field.metadata)


def _read(told: bytes) -> Fact:
    plain = json.loads(told)
    return Fact(
        **plain | {"entity": Entity(plain["entity"]), "kind": Kind(plain["kind"]), "choices": tuple(plain["choices"])}
    )
