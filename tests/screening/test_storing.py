"""Storing by sets: what a proposal refers to is there, parts do not show, digests of both forms prove (DET-01, DET-07)."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from django.db import IntegrityError, transaction

from huimin.database.ahead import ahead, beside
from huimin.database.bulk import fetch_one, run
from huimin.demo.granting import county_officer
from huimin.kernel.places import chain
from huimin.organisation.acting import reading
from huimin.policy.queries import adopted_book
from huimin.screening import determining
from huimin.screening.commands import determination_of, snapshot_path
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_run
from huimin.screening.snapshots import load
from tests.screening.test_screening import again

At = Callable[[str], str]
ADD = """
INSERT INTO screening_proposal (run_id, state, programme, version, division, household_id, person_id, kind, amount_fen,
    previous_fen, people, quantity, failed, missing, facts_digest, reasons)
SELECT {run}, 'superseded', programme, version, division, {household}, {person}, kind, amount_fen, previous_fen, people,
    quantity, failed, missing, facts_digest, reasons FROM screening_proposal ORDER BY id LIMIT 1
"""
THERE = {"run": "run_id", "household": "household_id", "person": "person_id"}


@pytest.mark.parametrize("lacking", THERE)
def test_a_proposal_refers_to_what_is_there(county: At, lacking: str) -> None:
    """SEC-07: neither the application nor maintenance adds a proposal of nobody."""
    county("screened")
    for alias in ("default", "maintenance"):
        with (
            pytest.raises(IntegrityError, match="not there"),
            reading(county_officer()),
            transaction.atomic(using=alias),
        ):
            run(ADD.format(**{**THERE, lacking: "99999999"}), using=alias)
    with reading(county_officer()):
        assert run(ADD.format(**THERE)) == 1


@pytest.mark.parametrize(("table", "column"), [("registry_household", "household_id"), ("screening_run", "run_id")])
def test_what_a_proposal_refers_to_stays(county: At, table: str, column: str) -> None:
    """SEC-07: not even maintenance removes or renumbers it."""
    county("screened")
    one = f"(SELECT min({column}) FROM screening_proposal)"
    for statement in (f"DELETE FROM {table} WHERE id = {one}", f"UPDATE {table} SET id = -1 WHERE id = {one}"):
        with pytest.raises(IntegrityError), transaction.atomic(using="maintenance"):
            run(statement, using="maintenance")


def test_parts_of_a_programme_are_the_whole(county: At, monkeypatch: pytest.MonkeyPatch) -> None:
    """DET-07: however the rows are cut, the digest over all and the proposals are the same."""
    county("screened")
    with reading(county_officer()):
        first = Run.objects.get()
    monkeypatch.setattr(determining, "LISTED_AT_ONCE", 7)
    monkeypatch.setattr(determining, "DIGESTED_AT_ONCE", 3)
    second = again()
    assert (second.listed, second.kept) == (first.listed, first.listed)
    assert second.listed_sha256 == first.listed_sha256
    with reading(county_officer()):
        assert Proposal.objects.count() == first.listed


def test_a_run_of_the_first_form_is_proved_too(county: At) -> None:
    """DET-07: its digest is over each row as JSON."""
    county("screened")
    by = county_officer()
    with reading(by):
        row = Run.objects.get()
        laws = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
    snapshot = load(snapshot_path(row), row.snapshot_sha256)
    digest = hashlib.sha256()
    for _, table in determination_of(by, row, snapshot, laws).proposals():
        for each in table.to_pylist():
            digest.update(json.dumps(list(each.values()), ensure_ascii=False, default=str).encode() + b"\n")
    Run.objects.using("maintenance").update(listed_form=1, listed_sha256=digest.hexdigest())
    assert prove_run(by, row.pk).ok
    Run.objects.using("maintenance").update(listed_form=2)
    assert not prove_run(by, row.pk).ok


def test_a_snapshot_written_with_plain_words_is_read_as_before(county: At) -> None:
    """DET-07: files of the first form hold choices as text."""
    county("screened")
    with reading(county_officer()):
        row = Run.objects.get()
    snapshot = load(snapshot_path(row), row.snapshot_sha256)
    old = type(snapshot)(_plain_words(snapshot.households), _plain_words(snapshot.members), snapshot.granted)
    for of in ("households", "members"):
        now, then = getattr(snapshot.table(), of), getattr(old.table(), of)
        assert now.keys() == then.keys()
        for code, column in now.items():
            assert (column.known == then[code].known).all(), code
            assert (column.values[column.known] == then[code].values[column.known]).all(), code


def _plain_words(table: pa.Table) -> pa.Table:
    fields = [f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    assert fields != list(table.schema)
    return table.cast(pa.schema(fields))


def test_work_ahead_comes_in_order_and_its_error_where_it_is_wanted() -> None:
    """What the other thread raises is raised here; left early, it ends."""
    with ahead(iter(range(50))) as numbers:
        assert list(numbers) == list(range(50))

    def fails() -> Iterator[int]:
        yield 1
        raise ValueError("at the second")

    with ahead(fails()) as numbers, pytest.raises(ValueError, match="second"):
        list(numbers)
    made: list[int] = []
    with ahead(number for number in range(1000) if not made.append(number)) as numbers:
        assert next(numbers) == 0
    assert len(made) < 10


def test_work_beside_closes_its_connections(county: At) -> None:
    """Otherwise each run would leave a session behind."""
    county("adopted")
    with beside(lambda: fetch_one("SELECT pg_backend_pid()")[0]) as other:
        assert fetch_one("SELECT pg_backend_pid()")[0] != other.result()
    until = time.monotonic() + 10  # a session takes its time to end
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
    while fetch_one(alive, [other.result()], using="maintenance")[0]:
        assert time.monotonic() < until
        time.sleep(0.05)
