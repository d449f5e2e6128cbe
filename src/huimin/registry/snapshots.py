"""The registry of one moment as columns: what a determination rests on (DET-07, REG-05).

in    a division, the day facts must hold on, optionally the moment we must have known them by
out   two Arrow tables: households by id, members by household and person id; columns are the codes of kernel.facts

    households   household_id, division, HOUSEHOLD_FACTS, facts of households a county added
    members      household_id, person_id, PERSON_FACTS, facts of people a county added

Added facts come when the caller names them (policy.queries.added_facts); their columns say what they hold
(registry.added.added_of). A place that added none pays nothing for them.

Types: INT, MONEY (分) and AREA (hundredths) int64, DATE date32, FLAG bool, CHOICE the word as a code of a dictionary that
begins with the fact's choices in their order (string for added facts); null is "not asked".

Always true: rows are sorted; every member's household is in the first table; no name, number or address is read; only
what the declared scope shows is there. A household is in the registry on a day when facts of it hold that day.
Limits: a place is where the household is now, whatever the day; the two tables are read one after the other, so what
commits in between may show in the second only (runs store what they read, so nothing depends on it).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huimin.database.bulk import fetch, run
from huimin.divisions.queries import get_division
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact, Kind
from huimin.kernel.places import Level, scope_prefix
from huimin.registry.added import arrow_field, of_entity, selected
from huimin.registry.transfer import copy_batches

_TYPES = {
    Kind.INT: pa.int64(),
    Kind.MONEY: pa.int64(),
    Kind.AREA: pa.int64(),
    Kind.DATE: pa.date32(),
    Kind.FLAG: pa.bool_(),
    Kind.CHOICE: pa.dictionary(pa.int8(), pa.string()),
    Kind.TEXT: pa.string(),
}
_SMALL = {Kind.CHOICE: pa.dictionary(pa.int32(), pa.string()), Kind.INT: pa.int32()}
"""As it is read: half a county is in memory twice while it is sorted."""
_OF_PERSON = {"sex": "p.sex", "birth_date": "p.birth_date", "relation": "m.relation"}


class NotRegistered(Refusal):
    """The household is not in the registry on that day, or lies elsewhere."""


def snapshot_columns(
    division: str, on: date, known_at: datetime | None = None, added: Sequence[Fact] = ()
) -> tuple[pa.Table, pa.Table]:
    """Households and members of `division` and everything beneath it; inside `reading(by)` or a command.

    `division` may be any level; NoSuchDivision when it is not in force on `on`. With `known_at`, only what was recorded
    by that moment and not yet corrected then.
    """
    prefix = scope_prefix(division, Level(get_division(division, on).level))
    place = {"low": prefix, "high": prefix + "~"}
    return _columns("h.division >= %(low)s AND h.division < %(high)s", place, on, known_at, added)


def household_columns(
    household_id: int, on: date, known_at: datetime | None = None, added: Sequence[Fact] = ()
) -> tuple[pa.Table, pa.Table]:
    """As `snapshot_columns` for one household; NotRegistered when it is not there."""
    tables = _columns("h.id = %(id)s", {"id": household_id}, on, known_at, added)
    if not tables[0].num_rows:
        raise NotRegistered(
            f"{on} 没有登记这一户", why="当日尚未登记、已经注销，或不在您的辖区内", remedy="请核对户编号和日期"
        )
    return tables


def columns_of(
    households: Sequence[int], on: date, known_at: datetime | None = None, added: Sequence[Fact] = ()
) -> tuple[pa.Table, pa.Table]:
    """As `snapshot_columns` for some households; those that were not there are left out."""
    return _columns("h.id = ANY(%(ids)s)", {"ids": list(households)}, on, known_at, added)


def place_of(household_id: int) -> str:
    """The division of a household, "" when it is not there."""
    found = fetch("SELECT division FROM registry_household WHERE id = %s", [household_id])
    return str(found[0][0]) if found else ""


def held(alias: str, known_at: datetime | None) -> str:
    """SQL: the row `alias` holds on %(on)s, and was known at %(known_at)s (now, when that is None)."""
    world = f"{alias}.valid_from <= %(on)s AND ({alias}.valid_to IS NULL OR {alias}.valid_to > %(on)s)"
    if known_at is None:
        return f"{world} AND {alias}.recorded_to IS NULL"
    known = (
        f"{alias}.recorded_from <= %(known_at)s AND ({alias}.recorded_to IS NULL OR {alias}.recorded_to > %(known_at)s)"
    )
    return f"{world} AND {known}"


def _columns(
    which: str, parameters: Mapping[str, Any], on: date, known_at: datetime | None, added: Sequence[Fact]
) -> tuple[pa.Table, pa.Table]:
    run(
        f"SET LOCAL enable_nestloop = {'on' if {'id', 'ids'} & set(parameters) else 'off'}"
    )  # sets are joined by hash, a few are not
    tables = _read(which, {**parameters, "on": on} | ({"known_at": known_at} if known_at else {}), known_at, added)
    run("SET LOCAL enable_nestloop = on")
    return tables


def _read(
    which: str, values: Mapping[str, Any], known_at: datetime | None, added: Sequence[Fact]
) -> tuple[pa.Table, pa.Table]:
    own, theirs = of_entity(added, Entity.HOUSEHOLD), of_entity(added, Entity.PERSON)
    open_on = f"{which} AND (h.closed_on IS NULL OR h.closed_on > %(on)s)"
    households = _in_order(
        f"SELECT h.id, h.division, {_select(HOUSEHOLD_FACTS, 'f', {}, own)} FROM registry_household h"  # noqa: S608
        f" JOIN registry_householdfacts f ON f.household_id = h.id AND {held('f', known_at)} WHERE {open_on}",
        values,
        _schema((("household_id", pa.int64()), ("division", pa.string())), HOUSEHOLD_FACTS, own),
        HOUSEHOLD_FACTS,
    )
    members = _in_order(
        f"SELECT m.household_id, m.person_id, {_select(PERSON_FACTS, 'f', _OF_PERSON, theirs)}"  # noqa: S608
        " FROM registry_household h"
        f" JOIN registry_membership m ON m.household_id = h.id AND {held('m', known_at)}"
        f" JOIN registry_person p ON p.id = m.person_id"
        f" LEFT JOIN registry_personfacts f ON f.person_id = m.person_id AND {held('f', known_at)} WHERE {open_on}",
        values,
        _schema((("household_id", pa.int64()), ("person_id", pa.int64())), PERSON_FACTS, theirs),
        PERSON_FACTS,
    )
    known = pc.is_in(members["household_id"], value_set=households["household_id"])
    return households, members if pc.all(known).as_py() in (True, None) else members.filter(known)


def _in_order(query: str, values: Mapping[str, Any], schema: pa.Schema, facts: Sequence[Fact]) -> pa.Table:
    """The rows of the query by the ids they begin with. Sorted here, where it costs least, a column at a time."""
    choices = {fact.code: fact for fact in facts if fact.kind is Kind.CHOICE}
    words = {code: list(fact.choices) for code, fact in choices.items()}
    small = {fact.code: _SMALL[fact.kind] for fact in facts if fact.kind in _SMALL}
    as_read = pa.schema([field.with_type(small.get(field.name, field.type)) for field in schema])
    parts: dict[str, list[pa.Array]] = {name: [] for name in schema.names}
    for batch in copy_batches(query, values, as_read):
        for name, column in zip(schema.names, batch.columns, strict=True):
            parts[name].append(_codes(column, words[name]) if name in words else column)
    types = {field.name: pa.int8() if field.name in words else field.type for field in as_read}
    read = {name: pa.chunked_array(parts.pop(name), kind) for name, kind in types.items()}
    ids = [name for name in ("household_id", "person_id") if name in read]
    order = pa.array(np.lexsort([read[name].to_numpy() for name in reversed(ids)]))
    done = []
    for field in schema:
        column = read.pop(field.name).combine_chunks().take(order)
        choice = choices.get(field.name)
        done.append(_worded(column, words[field.name], choice) if choice else column.cast(field.type))
    pa.default_memory_pool().release_unused()
    return pa.Table.from_arrays(done, schema=schema)


def _codes(column: pa.DictionaryArray, words: list[str]) -> pa.Array:
    """Positions in `words`, which grows by what is no choice any more."""
    found = column.dictionary.to_pylist()
    words.extend(word for word in found if word not in words)
    return pa.array([words.index(word) for word in found], pa.int8()).take(column.indices)


def _worded(codes: pa.Array, words: list[str], fact: Fact) -> pa.DictionaryArray:
    """With the words as dictionary: the choices in their order, then others in the order of the alphabet."""
    told = [*fact.choices, *sorted(words[len(fact.choices) :])]
    if told != words:
        codes = pa.array([told.index(word) for word in words], pa.int8()).take(codes)
    return pa.DictionaryArray.from_arrays(codes, pa.array(told, pa.string()))


def _select(facts: Sequence[Fact], alias: str, elsewhere: Mapping[str, str], added: Sequence[Fact]) -> str:
    columns = [elsewhere.get(fact.code, f"{alias}.{fact.code}") for fact in facts]
    return ", ".join(columns + [selected(alias, fact) for fact in added])


def _schema(keys: tuple[tuple[str, pa.DataType], ...], facts: Sequence[Fact], added: Sequence[Fact]) -> pa.Schema:
    own = [pa.field(name, kind) for name, kind in keys] + [pa.field(fact.code, _TYPES[fact.kind]) for fact in facts]
    return pa.schema(own + [arrow_field(fact) for fact in added])
