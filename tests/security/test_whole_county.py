"""The small county after its bank has answered: whole, signed by whoever acted, without a plain number (SEC-04, SEC-05)."""

from collections.abc import Callable

import pytest

from huimin.audit.scanning import Needles, scan_database
from huimin.audit.verifying import verify
from huimin.audit.verifying.values import sealed_pairs
from huimin.database.personal import ACCOUNT, ID_NUMBER, PHONE, plain
from tests.database.acting import OTHER_TOWNSHIP, acting, maintenance

# Loaded before anybody holds a post, or by the instance itself.
BEFORE_ANYBODY = {
    "divisions_division", "organisation_account", "organisation_appointment", "organisation_office", "organisation_simulatedclock",
}  # fmt: skip
# Taken up by the queue itself; who asked for the work stands in the row, and the work is done in his name.
BY_THE_QUEUE = {"jobs_job"}


@pytest.fixture(autouse=True)
def answered(shared_county: Callable[[str], str]) -> str:
    return shared_county("answered")


def plain_numbers() -> set[str]:
    """Every number the county holds, decrypted; a bad number that an import kept aside is one too."""
    found = set()
    for model, encrypted, _, purpose in sealed_pairs():
        if purpose in (ID_NUMBER, ACCOUNT, PHONE):
            rows = maintenance(f"SELECT {encrypted} FROM {model._meta.db_table} WHERE {encrypted} IS NOT NULL")
            found |= {plain(bytes(stored), purpose) for (stored,) in rows}
    return {number for number in found if number[:-1].isdigit() and len(number) >= 11}


def test_log_data_and_seals_agree() -> None:
    report = verify()
    assert report.findings == []
    assert report.sealed_records > 10_000 and report.values > 2_000 and report.unsealed_records == 0


def test_every_change_of_business_data_names_who_acted_in_which_request() -> None:
    rows = maintenance("SELECT DISTINCT table_name FROM audit_change WHERE appointment IS NULL OR request = ''")
    assert {table for (table,) in rows} <= BEFORE_ANYBODY | BY_THE_QUEUE


def test_every_acting_appointment_exists() -> None:
    assert maintenance(
        "SELECT count(*) FROM (SELECT DISTINCT appointment FROM audit_change WHERE appointment IS NOT NULL) c"
        " LEFT JOIN organisation_appointment a ON a.id = c.appointment WHERE a.id IS NULL"
    ) == [(0,)]


def test_no_plain_number_stands_in_any_table() -> None:
    numbers = plain_numbers()
    assert len(numbers) > 1_000
    report = scan_database(numbers)
    assert report.places == [] and report.read_bytes > 1_000_000
    [(name,)] = maintenance("SELECT name FROM registry_person LIMIT 1")
    assert Needles(numbers).count(f"{name}{next(iter(numbers))}".encode()) == 1, "the scan does find one"


def test_a_township_sees_no_row_of_another_in_any_table() -> None:
    from huimin.database.bulk import fetch_one
    from huimin.database.security import our_tables
    from huimin.database.tables import TableClass

    for model in our_tables():
        if model.table_class not in (TableClass.INSTANCE, TableClass.OPEN, TableClass.CHAIN):
            column = model._meta.get_field(model.scope_column).column
            with acting(OTHER_TOWNSHIP[:9]):
                query = f"SELECT count(*) FROM {model._meta.db_table} WHERE {column} NOT LIKE %s"
                assert fetch_one(query, [OTHER_TOWNSHIP[:9] + "%"]) == (0,), model._meta.db_table
