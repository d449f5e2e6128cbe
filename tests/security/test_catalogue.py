"""A walk through the database's catalogue: nothing is there without its guard (SEC-03, SEC-04, SEC-05, SEC-07)."""

from collections.abc import Callable

import pytest
from django.db import connections

from huimin.database.roles import APPLICATION, MAINTENANCE, OWNER
from huimin.database.security import LIBRARY_TABLES, our_tables
from huimin.database.tables import SealedField, Table, TableClass
from tests.database.acting import maintenance

MODELS = {model._meta.db_table: model for model in our_tables()}
SEEN_FROM_ELSEWHERE = (
    TableClass.CHAIN, TableClass.OPEN, TableClass.BANK, TableClass.TRACE, TableClass.ADDRESSED,
)  # fmt: skip
SCOPED = {name: model for name, model in MODELS.items() if model.table_class is not TableClass.INSTANCE}


@pytest.fixture(autouse=True)
def blank(shared_county: Callable[[str], str]) -> str:
    return shared_county("blank")


def columns(model: type[Table], names: tuple[str, ...]) -> set[str]:
    fields = model._meta.fields if names == ("*",) else [model._meta.get_field(name) for name in names]
    return {field.column for field in fields}


def test_every_table_has_a_class_or_a_reason() -> None:
    present = {name for (name,) in maintenance("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    assert present - set(MODELS) - set(LIBRARY_TABLES) == set()
    assert set(MODELS) <= present
    assert all(isinstance(model.table_class, TableClass) for model in MODELS.values())


def test_row_level_security_is_on_and_forced_wherever_rows_have_a_place() -> None:
    rows = maintenance(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    guarded = {name for name, on, forced in rows if on and forced}
    assert guarded == set(SCOPED)
    assert not {name for name, on, forced in rows if on != forced}


def test_every_scoped_table_has_a_policy_for_each_command_and_no_other() -> None:
    wanted = {"scope_read": "r", "scope_add": "a", "scope_change": "w", "scope_remove": "d"}
    for name, model in SCOPED.items():
        rows = maintenance(
            "SELECT polname, polcmd::text, polroles = '{0}' FROM pg_policy WHERE polrelid = %s::regclass", name
        )
        policies = {policy: command for policy, command, _ in rows}
        if model.table_class is TableClass.LOG:
            assert policies == {"scope_read": "r", "log_add": "a"}, name
        else:
            assert policies == wanted, name
            assert all(for_everybody for *_, for_everybody in rows), name


def test_scope_columns_compare_byte_by_byte() -> None:
    """A prefix is a range only under COLLATE "C"."""
    for name, model in SCOPED.items():
        column = model._meta.get_field(model.scope_column).column
        [(collation,)] = maintenance(
            "SELECT collname FROM pg_attribute a JOIN pg_collation c ON c.oid = attcollation"
            " WHERE attrelid = %s::regclass AND attname = %s",
            name,
            column,
        )
        assert collation == "C", name


def test_roles_have_no_more_than_their_rights() -> None:
    roles = {
        name: rights
        for name, *rights in maintenance(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
            " WHERE rolname = ANY(%s)",
            [APPLICATION, MAINTENANCE, OWNER],
        )
    }
    assert roles[APPLICATION] == [False] * 5
    assert roles[OWNER] == [False] * 5
    assert roles[MAINTENANCE] == [False, True, False, False, False]
    assert maintenance(
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE rolname LIKE 'huimin%%'"
    ) == [(0,)]
    owners = maintenance("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [(OWNER,)]


def test_the_application_changes_only_what_models_declare() -> None:
    for name, model in MODELS.items():
        rows = maintenance(
            "SELECT attname, has_column_privilege(%s, attrelid, attnum, 'UPDATE') FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            APPLICATION,
            name,
        )
        assert {column for column, allowed in rows if allowed} == columns(model, model.changeable), name
        [rights] = maintenance(
            "SELECT "
            + ", ".join(
                f"has_table_privilege('{APPLICATION}', '{name}', '{right}')"
                for right in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "INSERT", "SELECT")
            )
        )
        adds = model.addable and model.table_class is not TableClass.LOG
        assert rights == (model.removable, False, False, False, adds, True), name


def test_rows_seen_from_below_cannot_be_moved() -> None:
    """Rows of these classes are visible outside their place; changing the place would be taking them away."""
    for name, model in SCOPED.items():
        if model.table_class in SEEN_FROM_ELSEWHERE:
            assert model.scope_column not in model.changeable and "*" not in model.changeable, name
        if model.table_class is TableClass.ADDRESSED:
            assert model.addressed_column and model.addressed_column not in model.changeable, name


def test_business_rows_can_never_be_removed() -> None:
    """Only work in progress may be declared removable; a new one is weighed here by name."""
    assert {name for name, model in MODELS.items() if model.removable} == {"registry_surveydraft"}


def test_maintenance_changes_no_evidence() -> None:
    for table in ("audit_change", "audit_seal", "audit_sealpart"):
        [rights] = maintenance(
            "SELECT "
            + ", ".join(
                f"has_table_privilege('{MAINTENANCE}', '{table}', '{right}')"
                for right in ("UPDATE", "DELETE", "TRUNCATE")
            )
        )
        assert rights == (False, False, False), table


def test_nobody_else_enters_or_creates() -> None:
    [(connects, creates, makes)] = maintenance(
        "SELECT has_database_privilege('public', 'stage_blank', 'CONNECT'),"
        " has_schema_privilege('public', 'public', 'CREATE'), has_schema_privilege(%s, 'public', 'CREATE')",
        APPLICATION,
    )
    assert (connects, creates, makes) == (False, False, False)


def test_every_encrypted_column_stands_beside_its_hash_and_nothing_personal_is_plain() -> None:
    for name, model in MODELS.items():
        fields = {field.column: field for field in model._meta.fields}
        encrypted = {column for column, field in fields.items() if isinstance(field, SealedField)}
        assert encrypted == {column for column in fields if column.endswith("_enc")}, name
        for column in encrypted:
            assert column.removesuffix("_enc") + "_hash" in fields, f"{name}.{column}"
        plain = {"id_number", "account_no", "phone", "address"} & set(fields)
        # The address of a computer, of acts and signatures.
        assert plain <= ({"address"} if name in ("audit_event", "audit_signature") else set()), name


def test_every_recorded_table_has_its_three_triggers_and_keeps_ciphertext_out() -> None:
    rows = maintenance(
        "SELECT tgrelid::regclass::text, tgname, tgenabled::text, encode(tgargs, 'escape') FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgfoid = 'audit_record_change'::regproc"
    )
    recorded = {name for name, model in MODELS.items() if model.recorded and model.table_class is not TableClass.LOG}
    assert {(table, name) for table, name, *_ in rows} == {
        (table, f"record_{event}") for table in recorded for event in ("insert", "update", "delete")
    }
    assert {enabled for _, _, enabled, _ in rows} == {"O"}
    for table, _, _, arguments in rows:
        left_out = set(arguments.split("\\000")[2].split(","))
        model = MODELS[table]
        sealed = {field.column for field in model._meta.fields if isinstance(field, SealedField)}
        assert left_out - {""} == sealed | columns(model, model.unlogged), table


def test_tables_that_are_not_recorded_are_the_log_its_seals_and_drafts() -> None:
    unrecorded = {name for name, model in MODELS.items() if not model.recorded or model.table_class is TableClass.LOG}
    drafts = {"registry_surveydraft"}  # replaced with every few keys typed; what is submitted is recorded
    assert unrecorded == {"audit_change", "audit_seal", "audit_sealpart"} | drafts


def test_securing_again_changes_nothing() -> None:
    from huimin.database.instance import upgrade

    catalogue = """SELECT polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
        FROM pg_policy UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '' FROM pg_trigger
        WHERE NOT tgisinternal ORDER BY 1, 2"""
    before = maintenance(catalogue)
    assert upgrade() == len(MODELS)
    assert maintenance(catalogue) == before
    connections["owner"].close()
