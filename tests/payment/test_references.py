"""What lines and their dues refer to is there and stays, though no constraint's trigger looks row by row (SEC-07, PAY-01)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, transaction

from huimin.database.bulk import run
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading

COPIED = (
    "division", "programme", "name", "people", "group_code", "quantity", "amount_fen", "arrears_fen", "withheld_fen", "facts_digest",
    "digest", "withheld_reason",
)  # fmt: skip
REFERS = ("roster_id", "entitlement_id", "household_id", "payee_id", "card_id", "person_id", "authority_id")
NOBODY = "99999999"


def added(**changed: str) -> str:
    """One more line like the first, but for what is changed."""
    refers = ", ".join(changed.get(column, column) for column in REFERS)
    return (
        f"INSERT INTO payment_rosterline (line_no, state, {', '.join((*REFERS, *COPIED))})"
        f" SELECT 99999, 'listed', {refers}, {', '.join(COPIED)} FROM payment_rosterline ORDER BY id LIMIT 1"
    )


@contextmanager
def refused(alias: str) -> Iterator[None]:
    there = pytest.raises(IntegrityError, match="refers to what is not there")
    with there, reading(county_officer()), transaction.atomic(using=alias):
        yield


@pytest.mark.parametrize("alias", ["default", "maintenance"])
def test_a_line_and_its_dues_refer_to_what_is_there(shared_county: Callable[[str], str], alias: str) -> None:
    """SEC-07: whoever writes, at whatever place."""
    shared_county("compiled")
    for column in REFERS:
        with refused(alias):
            run(added(**{column: NOBODY}), using=alias)
    for line, due in ((NOBODY, "due_id"), ("line_id", NOBODY)):
        with refused(alias):
            run(
                "INSERT INTO payment_linedue (line_id, due_id, division, live)"
                f" SELECT {line}, {due}, division, false FROM payment_linedue LIMIT 1",
                using=alias,
            )
    with reading(county_officer()), transaction.atomic():
        assert run(added()) == 1
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("table", "column", "child"),
    [
        ("payment_roster", "roster_id", "rosterline"),
        ("registry_card", "card_id", "rosterline"),
        ("payment_due", "due_id", "linedue"),
        ("payment_rosterline", "line_id", "linedue"),
    ],
)
def test_what_a_line_refers_to_stays(shared_county: Callable[[str], str], table: str, column: str, child: str) -> None:
    """SEC-07: not even maintenance removes it."""
    shared_county("compiled")
    with pytest.raises(IntegrityError), transaction.atomic(using="maintenance"):
        run(f"DELETE FROM {table} WHERE id = (SELECT min({column}) FROM payment_{child})", using="maintenance")
