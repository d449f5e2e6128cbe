"""Row-level security, grants and change-log triggers, from the declarations on the models (SEC-03, SEC-05, SEC-07).

`secure` is run by the owner after every migration and may be run any number of times. It closes what it does not
know: a table of ours without a declaration stops it, tables of libraries are listed in LIBRARY_TABLES with the reason
why they carry no place.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from psycopg import Connection, sql

from huimin.database.roles import APPLICATION, MAINTENANCE, OWNER
from huimin.database.tables import SealedField, Table, TableClass

LIBRARY_TABLES: dict[str, str] = {
    "django_migrations": "which migrations ran; read by checks only",
    "django_content_type": "names of models, no business rows",
    "auth_permission": "unused names of rights, kept by the framework",
    "auth_group": "unused, kept by the framework",
    "auth_group_permissions": "unused, kept by the framework",
    "django_session": "sign-in sessions, opened before a scope is known",
    "axes_accessattempt": "failed sign-ins, written before a scope is known",
    "axes_accesslog": "sign-ins, written before a scope is known",
    "axes_accessfailurelog": "failed sign-ins, written before a scope is known",
    "axes_accessattemptexpiration": "failed sign-ins, written before a scope is known",
}

_RECORDING = Path(__file__).with_name("recording.sql")
PINNED = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
"""Session settings under which a digest of rows or records is computed, wherever that is."""

_ARGUMENTS_MAX = 50  # PostgreSQL takes 100 arguments a call

_STAFF = "current_setting('app.audience', true) IN ('staff', 'system')"
_ANYBODY = "current_setting('app.audience', true) IN ('staff', 'system', 'bank')"
# An unset or empty setting is NULL here, and NULL shows nothing. (A LIKE on the setting would fail open.)
_BENEATH = (
    "({column} >= nullif(current_setting('app.scope_from', true), '')"
    " AND {column} < nullif(current_setting('app.scope_to', true), ''))"
)
_ABOVE = "({column} = ANY (string_to_array(nullif(current_setting('app.chain', true), ''), ',')))"
_OWN_BANK = (
    "(current_setting('app.audience', true) = 'bank'"
    " AND bank_office_id::text = nullif(current_setting('app.office', true), ''))"
)
# The acting bank login's own acts; a place of its own it has not.
_OWN_ACT = (
    "(current_setting('app.audience', true) = 'bank'"
    " AND appointment::text = nullif(current_setting('app.appointment', true), ''))"
)
# Rows about whoever acts, under whichever of his appointments.
_OWN_FILE = (
    "account = (SELECT a.account_id FROM organisation_appointment a"
    " WHERE a.id::text = nullif(current_setting('app.appointment', true), ''))"
)
_ADDRESSED = f"({_BENEATH} OR {_BENEATH.replace('column', 'addressed')})"
_READ = {
    TableClass.SUBTREE: f"{_STAFF} AND {_BENEATH}",
    TableClass.LOG: f"{_STAFF} AND {_BENEATH}",
    TableClass.CHAIN: f"{_STAFF} AND ({_BENEATH} OR {_ABOVE})",
    TableClass.OPEN: _ANYBODY,
    TableClass.BANK: f"({_STAFF} AND {_BENEATH}) OR {_OWN_BANK}",
    TableClass.PRIVATE: f"{_STAFF} AND ({_BENEATH} OR {_OWN_FILE})",
    TableClass.TRACE: f"({_STAFF} AND {_BENEATH}) OR {_OWN_ACT}",
    TableClass.ADDRESSED: f"{_STAFF} AND {_ADDRESSED}",
}
_WRITE = {
    TableClass.SUBTREE: f"{_STAFF} AND {_BENEATH}",
    TableClass.LOG: "false",
    TableClass.CHAIN: f"{_STAFF} AND {_BENEATH}",
    TableClass.OPEN: f"{_STAFF} AND {_BENEATH}",
    TableClass.BANK: f"{_STAFF} AND {_BENEATH}",
    TableClass.PRIVATE: f"{_STAFF} AND ({_BENEATH} OR ({_ABOVE} AND {_OWN_FILE}))",
    TableClass.TRACE: f"({_STAFF} AND {_BENEATH}) OR ({_BENEATH} AND {_OWN_ACT})",
    TableClass.ADDRESSED: f"{_STAFF} AND {_BENEATH}",
}


def our_tables() -> Iterator[type[Table]]:
    """Every concrete model of ours."""
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, Table):
            yield model
        elif model._meta.db_table not in LIBRARY_TABLES:
            raise AssertionError(f"{model._meta.db_table} has no table class and is not a known library table")


def secure(owner: Connection[Any]) -> int:
    """Apply everything; returns the number of tables secured. `owner` is a connection of the owner role."""
    count = 0
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute(_RECORDING.read_text(encoding="utf-8"))
        columns = dict(cursor.execute(TABLE_COLUMNS).fetchall())
        for model in our_tables():
            for statement in _statements(model, columns[model._meta.db_table]):
                cursor.execute(statement)
            count += 1
        for table in LIBRARY_TABLES:
            if _exists(cursor, table):
                cursor.execute(
                    sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(
                        sql.Identifier(table), sql.Identifier(APPLICATION)
                    )
                )
        cursor.execute(
            sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(sql.Identifier(APPLICATION))
        )
    return count


def _exists(cursor: Any, table: str) -> bool:
    return bool(cursor.execute("SELECT to_regclass(%s)", [table]).fetchone()[0])


def _statements(model: type[Table], columns: list[str]) -> Iterator[sql.Composed]:
    table = sql.Identifier(model._meta.db_table)
    yield from _grants(model, table)
    if model.table_class is not TableClass.INSTANCE:
        yield from _policies(model, table)
    if model.recorded and model.table_class is not TableClass.LOG:
        yield from _triggers(model, table, columns)


def _grants(model: type[Table], table: sql.Identifier) -> Iterator[sql.Composed]:
    application = sql.Identifier(APPLICATION)
    yield sql.SQL("REVOKE ALL ON {} FROM {}").format(table, application)
    yield sql.SQL("GRANT SELECT ON {} TO {}").format(table, application)
    if model.table_class is not TableClass.LOG and model.addable:
        yield sql.SQL("GRANT INSERT ON {} TO {}").format(table, application)
    if model.changeable == ("*",):
        yield sql.SQL("GRANT UPDATE ON {} TO {}").format(table, application)
    elif model.changeable:
        columns = sql.SQL(", ").join(sql.Identifier(model._meta.get_field(n).column) for n in model.changeable)
        yield sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(columns, table, application)
    if model.removable:
        yield sql.SQL("GRANT DELETE ON {} TO {}").format(table, application)
    if model.table_class is TableClass.LOG or not model.addable:
        # Evidence: maintenance adds (seals, baselines) but changes nothing either.
        yield sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(table, sql.Identifier(MAINTENANCE))


def unrecorded_columns(model: type[Table]) -> list[str]:
    """Columns that no record holds and no digest covers: the encrypted ones and those the model names."""
    sealed = [field.column for field in model._meta.fields if isinstance(field, SealedField)]
    return sealed + [model._meta.get_field(name).column for name in model.unlogged]


TABLE_COLUMNS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C") FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
AND a.attnum > 0 AND NOT a.attisdropped GROUP BY c.relname"""
"""Table and its columns as they are in the database, whatever the models know: a digest covers them all."""


def row_digest(columns: list[str], row: str) -> str:
    """SQL for the digest of a row, given its recorded columns and its name in the statement: over all but the nulls.

    The columns come in the order of their names, each as `name=octets:text;`, so that no two contents are spelled
    alike. Null columns are left out: a migration that adds a nullable column changes no digest.
    """
    parts = [f"'{c}=' || octet_length({row}.\"{c}\"::text) || ':' || {row}.\"{c}\"::text || ';'" for c in columns]
    groups = [f"concat({', '.join(parts[at : at + _ARGUMENTS_MAX])})" for at in range(0, len(parts), _ARGUMENTS_MAX)]
    return f"sha256(convert_to({' || '.join(groups)}, 'UTF8'))"


def changed_columns(columns: list[str]) -> tuple[str, str, str]:
    """SQL over rows o (before) and r (after): whether they differ in these columns, and JSON texts of what differs, before and after."""
    before, after = (", ".join(f'{row}."{column}"' for column in columns) for row in ("o", "r"))
    return f"ROW({before}) IS DISTINCT FROM ROW({after})", _as_json(columns, "o"), _as_json(columns, "r")


def _as_json(columns: list[str], row: str) -> str:
    parts = [
        f'CASE WHEN o."{c}" IS DISTINCT FROM r."{c}" THEN \'"{c}":\' || coalesce(to_json({row}."{c}")::text, \'null\') END'
        for c in columns
    ]
    groups = [
        f"nullif(concat_ws(',', {', '.join(parts[at : at + _ARGUMENTS_MAX])}), '')"
        for at in range(0, len(parts), _ARGUMENTS_MAX)
    ]
    return f"'{{' || concat_ws(',', {', '.join(groups)}) || '}}'"


def _policies(model: type[Table], table: sql.Identifier) -> Iterator[sql.Composed]:
    names = {"column": sql.Identifier(model._meta.get_field(model.scope_column).column)}
    if model.table_class is TableClass.ADDRESSED:
        names["addressed"] = sql.Identifier(model._meta.get_field(model.addressed_column).column)
    read = sql.SQL(_READ[model.table_class]).format(**names)
    write = sql.SQL(_WRITE[model.table_class]).format(**names)
    # Whom a row is addressed to may change it; neither may move it out of its two places.
    kept = read if model.table_class is TableClass.ADDRESSED else write
    yield sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table)
    yield sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY").format(table)
    for name in ("scope_read", "scope_add", "scope_change", "scope_remove", "log_add"):
        yield sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(name), table)
    yield sql.SQL("CREATE POLICY scope_read ON {} FOR SELECT USING ({})").format(table, read)
    if model.table_class is TableClass.LOG:
        owner = sql.Identifier(OWNER)
        yield sql.SQL("CREATE POLICY log_add ON {} FOR INSERT TO {} WITH CHECK (true)").format(table, owner)
        return
    yield sql.SQL("CREATE POLICY scope_add ON {} FOR INSERT WITH CHECK ({})").format(table, write)
    yield sql.SQL("CREATE POLICY scope_change ON {} FOR UPDATE USING ({}) WITH CHECK ({})").format(table, read, kept)
    yield sql.SQL("CREATE POLICY scope_remove ON {} FOR DELETE USING ({})").format(table, write)


def recorded_columns(model: type[Table], columns: list[str]) -> list[str]:
    """Of the columns a table has, those that records hold and digests cover."""
    unrecorded = unrecorded_columns(model)
    return [column for column in columns if column not in unrecorded]


def trigger_arguments(model: type[Table], columns: list[str]) -> tuple[str, ...]:
    """What the log's triggers of a table are told: key, place, columns left out, digest, what differs (recording.sql)."""
    recorded = recorded_columns(model, columns)
    place = model._meta.get_field(model.scope_column).column if _has(model, model.scope_column) else ""
    return (
        model._meta.pk.column,
        place,
        ",".join(unrecorded_columns(model)),
        row_digest(recorded, "r"),
        *changed_columns(recorded),
    )


def _triggers(model: type[Table], table: sql.Identifier, columns: list[str]) -> Iterator[sql.Composed]:
    """One trigger per kind of statement: transition tables cannot be shared between kinds."""
    arguments = sql.SQL(", ").join(map(sql.Literal, trigger_arguments(model, columns)))
    for name, event, tables in (
        ("record_insert", "INSERT", "NEW TABLE AS new_rows"),
        ("record_update", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
        ("record_delete", "DELETE", "OLD TABLE AS old_rows"),
    ):
        yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(sql.Identifier(name), table)
        yield sql.SQL(
            "CREATE TRIGGER {} AFTER " + event + " ON {} REFERENCING " + tables + " FOR EACH STATEMENT"
            " EXECUTE FUNCTION audit_record_change({})"
        ).format(sql.Identifier(name), table, arguments)


def _has(model: type[Table], name: str) -> bool:
    return any(field.name == name for field in model._meta.fields)
