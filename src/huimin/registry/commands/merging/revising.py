"""Revise what is known of many owners at once: `registry.bitemporal.revise` for sets, from a day on without end.

in    a model of Bitemporal, the column of its owner, and a SELECT of (owner, division, given columns)
out   rows closed and rows added; temporary table `merge_changed` holds the owners it changed

A null in a given column leaves what is known. Guarantees and their order are those of `bitemporal`: rows are closed
before others are added, so that no day ever has two.
"""

from collections.abc import Sequence
from typing import Any

from huimin.database.bulk import run, temporary
from huimin.registry.models import Bitemporal

_OWN = ("id", "valid_from", "valid_to", "recorded_from", "recorded_to")
_ORIGIN = ("evidence", "reported_by", "division")


def revise_many(
    model: type[Bitemporal], owner: str, wish: str, given: Sequence[str], common: dict[str, Any], *, gaps: bool = True
) -> int:
    """Let the given columns of `wish` hold from %(since)s; how many owners changed.

    `gaps`: days nobody knew anything of get a row of their own; without it only rows that are there are revised.
    """
    table = model._meta.db_table
    drop("merge_wish", "merge_held", "merge_changed")
    something = f"num_nonnulls({', '.join(given)}) > 0" if given else "false"
    temporary("merge_wish", f"SELECT * FROM ({wish}) w WHERE {something}", common)  # noqa: S608
    own = "w.added IS NOT NULL AND NOT f.added @> w.added"
    differs = " OR ".join(
        own if c == "added" else f"w.{c} IS NOT NULL AND w.{c} IS DISTINCT FROM f.{c}"
        for c in given
        if not c.endswith("_enc")
    )
    temporary(
        "merge_held",
        "SELECT w.owner, f.id, f.valid_from, f.valid_to,"  # noqa: S608
        " lead(f.valid_from) OVER held AS next_from, row_number() OVER held AS nth,"
        f" f.id IS NOT NULL AND ({differs or 'false'}) AS differs"
        f" FROM merge_wish w LEFT JOIN {table} f ON f.{owner} = w.owner AND f.recorded_to IS NULL"
        " AND (f.valid_to IS NULL OR f.valid_to > %(since)s)"
        " WINDOW held AS (PARTITION BY w.owner ORDER BY f.valid_from)",
        common,
    )
    open_days = (
        " OR bool_or(id IS NULL) OR bool_or(nth = 1 AND valid_from > %(since)s)"
        " OR bool_or(valid_to IS NOT NULL AND valid_to IS DISTINCT FROM next_from)"
    )
    temporary(
        "merge_changed",
        f"SELECT owner FROM merge_held GROUP BY owner HAVING bool_or(differs){open_days if gaps else ''}",  # noqa: S608
        common,
    )
    run(
        f"UPDATE {table} f SET recorded_to = transaction_timestamp() FROM merge_held h"  # noqa: S608
        " WHERE f.id = h.id AND h.owner IN (SELECT owner FROM merge_changed)"
    )
    _add_before(table, common, model)
    _add_inside(table, given, common, model)
    if gaps:
        _add_gaps(table, owner, given, common)
    return run("SELECT 1 FROM merge_changed")


def drop(*names: str) -> None:
    run("DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{name}" for name in names))


def _content(model: type[Bitemporal]) -> list[str]:
    return [field.column for field in model._meta.fields if field.attname not in (*_OWN, *_ORIGIN)]


def _add_before(table: str, common: dict[str, Any], model: type[Bitemporal]) -> None:
    """What a row said before the day, with the evidence it always had."""
    kept = ", ".join((*_content(model), *_ORIGIN))
    chosen = ", ".join(f"f.{column}" for column in (*_content(model), *_ORIGIN))
    run(
        f"INSERT INTO {table} (valid_from, valid_to, {kept})"  # noqa: S608
        f" SELECT f.valid_from, %(since)s, {chosen} FROM merge_held h JOIN merge_changed USING (owner)"
        f" JOIN {table} f ON f.id = h.id WHERE f.valid_from < %(since)s",
        common,
    )


def _add_inside(table: str, given: Sequence[str], common: dict[str, Any], model: type[Bitemporal]) -> None:
    """What it says from the day on: the given columns anew, the others as they were."""
    content = _content(model)
    values = ", ".join(_merged(column) if column in given else f"f.{column}" for column in content)
    run(
        f"INSERT INTO {table} (valid_from, valid_to, division, evidence, reported_by, {', '.join(content)})"  # noqa: S608
        f" SELECT greatest(f.valid_from, %(since)s), f.valid_to, w.division, %(evidence)s, %(by)s, {values}"
        f" FROM merge_held h JOIN merge_changed USING (owner) JOIN merge_wish w ON w.owner = h.owner"
        f" JOIN {table} f ON f.id = h.id",
        common,
    )


def _merged(column: str) -> str:
    """The given value over the known one; of the county's own facts each code by itself."""
    return "f.added || coalesce(w.added, '{}')" if column == "added" else f"coalesce(w.{column}, f.{column})"


def wished(column: str, alias: str) -> str:
    """The given value where nothing is known; the county's own facts are never null."""
    return f"coalesce({alias}.added, '{{}}')" if column == "added" else f"{alias}.{column}"


def _add_gaps(table: str, owner: str, given: Sequence[str], common: dict[str, Any]) -> None:
    """Days of the range nobody knew anything of: before the first row, behind one that ends, or all of them."""
    columns = ", ".join(given)
    chosen = ", ".join(wished(column, "w") for column in given)
    run(
        f"INSERT INTO {table} ({owner}, valid_from, valid_to, division, evidence, reported_by, {columns})"  # noqa: S608
        f" SELECT w.owner, g.since, g.until, w.division, %(evidence)s, %(by)s, {chosen} FROM ("
        " SELECT owner, %(since)s::date AS since, valid_from AS until FROM merge_held"
        " WHERE nth = 1 AND (id IS NULL OR valid_from > %(since)s)"
        " UNION ALL SELECT owner, valid_to, next_from FROM merge_held"
        " WHERE valid_to IS NOT NULL AND valid_to IS DISTINCT FROM next_from) g"
        " JOIN merge_changed USING (owner) JOIN merge_wish w USING (owner)",
        common,
    )
