"""Input tables in temporary ones, personal values sealed."""

from collections.abc import Iterable

import pyarrow as pa
from django.db import connection

from huimin.database.personal import ADDRESS, PHONE, keyring
from huimin.kernel.facts import Fact
from huimin.registry.models import Bitemporal
from huimin.registry.transfer import copy_in, hexed

CONTACTS = (("address", ADDRESS), ("phone", PHONE))


def given_facts(table: pa.Table, facts: Iterable[Fact]) -> list[str]:
    """Codes of the facts the table has."""
    return [fact.code for fact in facts if fact.code in table.column_names]


def texts(table: pa.Table, name: str) -> pa.Array:
    """A column of text, all null where the table has none."""
    if name not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    return table[name].cast(pa.string())


def hashes(values: list[str | None], purpose: str) -> pa.Array:
    """Lookup hashes, null for null."""
    known = iter(keyring().lookup_many([text for text in values if text], purpose))
    return hexed([next(known) if text else None for text in values])


def seals(values: list[str | None], purpose: str) -> pa.Array:
    known = iter(keyring().encrypt_many([text for text in values if text], purpose))
    return hexed([next(known) if text else None for text in values])


def stage_added(table: pa.Table, columns: dict[str, pa.Array], types: dict[str, str]) -> None:
    """The county's own facts, when the table has the column `added`: JSON by code, null where a row states none."""
    if "added" in table.column_names:
        columns["added"], types["added"] = table["added"], "jsonb"


def column_type(model: type[Bitemporal], code: str) -> str:
    return str(model._meta.get_field(code).db_type(connection))


def put(name: str, columns: dict[str, pa.Array], types: dict[str, str]) -> None:
    """The temporary table `name`; a column `pos` numbers its rows."""
    rows = len(next(iter(columns.values())))
    table = pa.table({"pos": pa.array(range(rows), pa.int64()), **columns})
    copy_in(name, table, {"pos": "bigint", **types})
