"""A bank's login sees its own batches and nothing of the registry, table by table (SEC-03)."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import ProgrammingError

from huimin.audit.models import Event
from huimin.database.bulk import fetch_one, run
from huimin.database.cluster import Cluster
from huimin.database.security import our_tables
from huimin.database.tables import Table, TableClass
from tests.database.acting import VILLAGE, acting, superuser

OWN, OTHER = 901, 902
_VALUES = {
    "integer": "1", "smallint": "1", "boolean": "true", "date": "DATE '2021-07-01'", "bytea": "'\\x01'", "text": "'a'",
    "timestamp with time zone": "now()", "jsonb": "'{}'", "xid8": "'1'::xid8", "inet": "'127.0.0.1'", "uuid": "gen_random_uuid()",
}  # fmt: skip


def value(model: type[Table], column: str, kind: str, bank: int) -> str:
    """SQL of a value for the column."""
    if column == model.scope_column:
        return f"'{VILLAGE}'"
    if kind.endswith("[]"):
        return "'{}'"
    if kind.startswith("character"):
        return f"'{bank % 10}'"
    return str(bank) if kind == "bigint" else _VALUES[kind]


def fill(admin: psycopg.Connection[tuple[object, ...]], model: type[Table]) -> None:
    """One row of our bank and one of another in any table, past its foreign keys and checks."""
    table = model._meta.db_table
    checks = admin.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'x')", [table]
    )
    for (name,) in checks.fetchall():
        admin.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    rows = admin.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = ''",
        [table],
    ).fetchall()
    names = ", ".join(f'"{name}"' for name, _ in rows)
    for bank in (OWN, OTHER):
        values = ", ".join(value(model, name, kind, bank) for name, kind in rows)
        admin.execute(f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values}) ON CONFLICT DO NOTHING")


@pytest.fixture(scope="module")
def filled(shared_county: Callable[[str], str], cluster: Cluster) -> Iterator[None]:
    """A row or two in every table of ours."""
    database = shared_county("blank")
    with superuser(cluster.url(database)) as admin:
        for model in our_tables():
            fill(admin, model)
            assert admin.execute(f"SELECT count(*) FROM {model._meta.db_table}").fetchone() != (0,)
    yield


def seen(model: type[Table], audience: str, office: str, appointment: str = "7") -> int:
    with acting("341524", audience=audience, office=office, appointment=appointment):
        return int(fetch_one(f"SELECT count(*) FROM {model._meta.db_table}")[0])


def test_a_bank_sees_its_own_batches_and_nothing_else_of_any_place(filled: None) -> None:
    for model in our_tables():
        table, rows = model._meta.db_table, seen(model, "bank", str(OWN))
        if model.table_class is TableClass.BANK:
            assert rows == 1, table
        elif model.table_class not in (TableClass.OPEN, TableClass.INSTANCE):
            assert rows == 0, table


def test_staff_of_the_place_see_every_table(filled: None) -> None:
    """The test above would also pass on empty tables: this one shows that the rows are there."""
    for model in our_tables():
        assert seen(model, "staff", "1") >= 1, model._meta.db_table


def test_a_bank_without_an_office_or_of_another_sees_no_batch(filled: None) -> None:
    for model in our_tables():
        if model.table_class is TableClass.BANK:
            assert seen(model, "bank", "") == 0
            assert seen(model, "bank", "999") == 0
            assert seen(model, "citizen", str(OWN)) == 0


def test_tables_without_a_place_hold_nothing_of_citizens() -> None:
    open_to_banks = {m._meta.db_table for m in our_tables() if m.table_class in (TableClass.INSTANCE, TableClass.OPEN)}
    assert open_to_banks == {
        "audit_seal", "audit_sealpart", "divisions_division", "organisation_account", "organisation_appointment",
        "organisation_office", "organisation_simulatedclock",
    }  # fmt: skip


def test_a_bank_reads_and_changes_nothing(filled: None) -> None:
    for model in our_tables():
        if model.table_class is TableClass.BANK and model.changeable:
            column = model._meta.get_field(model.changeable[0]).column
            acts = acting("341524", audience="bank", office=str(OWN))
            with pytest.raises(ProgrammingError, match="row-level security"), acts:
                run(f"UPDATE {model._meta.db_table} SET {column} = {column}")
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        acting("341524", audience="bank", office=str(OWN)),
    ):
        run(f"INSERT INTO payment_batch SELECT * FROM payment_batch WHERE bank_office_id = {OWN}")


def test_a_bank_login_leaves_its_own_trace_and_reads_no_other(county: Callable[[str], str]) -> None:
    """Refusals and sign-ins of a bank's people are recorded like anybody's (SEC-05)."""
    county("blank")
    with acting("341524", appointment="8"):
        Event.objects.create(kind=Event.Kind.SIGNED_IN, division=VILLAGE, appointment=8)
    with acting("341524", audience="bank", office=str(OWN), appointment="7"):
        Event.objects.create(kind=Event.Kind.REFUSED, division="341524000000", appointment=7)
        assert Event.objects.count() == 1
    with acting("341524"):
        assert Event.objects.count() == 2
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        acting("341524", audience="bank", appointment="7"),
    ):
        Event.objects.create(kind=Event.Kind.SIGNED_IN, division=VILLAGE, appointment=8)
