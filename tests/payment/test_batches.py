"""Batches: funded, prepared, released by another, written once, and the gate in the database (PAY-03 to PAY-06, SEC-07)."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import IntegrityError, connections, transaction

from huimin.database.bulk import fetch, fetch_one, run
from huimin.database.context import declare
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.listing import rosters
from huimin.demo.paying import finance, releasers
from huimin.funds.commands import withdraw_application
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import apply_for_funds, cancel_batch, prepare_batch, release_batch, write_batch_files
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Batch, Instruction, Roster
from huimin.workbench.todo import list_todo
from tests.workbench.people import client_of

County = Callable[[str], str]


def first_batch(**where: str) -> Batch:
    with reading(finance()):
        return Batch.objects.filter(**where).order_by("pk")[0]


def test_funds_are_asked_for_once_and_only_for_a_confirmed_roster(county: County) -> None:
    """FUND-03: by the settlement officer, due on the 15th of the quarter's third month, once."""
    county("confirmed")
    roster = rosters(Roster.State.CONFIRMED)[0]
    by = actor(Post.SETTLEMENT, roster.division)
    with pytest.raises(NotYourPost):
        apply_for_funds(by=actor(Post.CLERK, roster.division), on=dates.APPLIED, roster_id=roster.pk)
    application = apply_for_funds(by=by, on=dates.APPLIED, roster_id=roster.pk)
    assert (application.due_on.month, application.due_on.day) == (9, 15)
    with reading(by):
        payable = fetch_one(
            "SELECT sum(amount_fen)::bigint FROM payment_rosterline WHERE roster_id = %s AND state = 'listed'",
            [roster.pk],
        )[0]
    assert application.amount_fen == payable
    with pytest.raises(AlreadyDone):
        apply_for_funds(by=by, on=dates.APPLIED, roster_id=roster.pk)
    withdraw_application(by=by, on=dates.APPLIED, application_id=application.pk)
    with reading(by):
        assert f"/rosters/{roster.pk}/" in [row.url for row in list_todo(by, dates.APPLIED, {})], (
            "it waits to be asked for again"
        )
    again = apply_for_funds(by=by, on=dates.APPLIED, roster_id=roster.pk)
    assert again.pk != application.pk and again.amount_fen == payable
    with pytest.raises(AlreadyDone):
        apply_for_funds(by=by, on=dates.APPLIED, roster_id=roster.pk)


def test_no_batch_before_the_money_arrived(county: County) -> None:
    """FUND-01: a batch needs its transfer confirmed."""
    county("confirmed")
    roster = rosters(Roster.State.CONFIRMED)[0]
    with pytest.raises(WrongState, match="资金还没有到专户"):
        prepare_batch(by=actor(Post.SETTLEMENT, roster.division), on=dates.PREPARED, roster_id=roster.pk)


def test_preparing_twice_is_refused(county: County) -> None:
    """PAY-06: a roster has one live batch; a cancelled one makes room."""
    county("prepared")
    batch = first_batch(state="prepared")
    by = actor(Post.SETTLEMENT, batch.division)
    with pytest.raises(Refusal):
        prepare_batch(by=by, on=dates.PREPARED, roster_id=batch.roster_id)
    cancel_batch(by=by, on=dates.PREPARED, batch_id=batch.pk)
    assert prepare_batch(by=by, on=dates.PREPARED, roster_id=batch.roster_id).batch_no != batch.batch_no


def test_release_is_refused_for_post_and_preparer(county: County) -> None:
    """PAY-03: four eyes on every release of money."""
    county("prepared")
    first, second = releasers()
    batch = next(b for b in _all(state="prepared") if b.prepared_by == first.appointment)
    with pytest.raises(NotYourPost):
        release_batch(by=actor(Post.SETTLEMENT, batch.division), on=dates.RELEASED, batch_id=batch.pk)
    with pytest.raises(SamePerson):
        release_batch(by=first, on=dates.RELEASED, batch_id=batch.pk)
    with reading(first):
        assert not Instruction.objects.filter(batch=batch).exists()
    me = actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    [colleague] = [each for each in (first, second) if each.appointment != me.appointment]
    mine = next(b for b in _all(state="prepared") if b.prepared_by == me.appointment)
    for client, said in (
        (client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE), f"请{me.office_name}的{colleague.name}放行"),
        (client_of(Post.SETTLEMENT, mine.division), "这一步由财政复核放行办理"),
    ):
        page = client.get(f"/batches/{mine.pk}/release/").content.decode()
        assert said in page and "<button" not in page.partition("data-main")[2].partition("</form>")[0]
    released = release_batch(by=second, on=dates.RELEASED, batch_id=batch.pk)
    assert released.state == Batch.State.RELEASED
    with reading(first):
        assert Instruction.objects.filter(batch=batch).count() == batch.lines_count
    with pytest.raises(AlreadyDone):
        release_batch(by=second, on=dates.RELEASED, batch_id=batch.pk)


def _all(**where: str) -> list[Batch]:
    with reading(finance()):
        return list(Batch.objects.filter(**where).order_by("pk"))


def test_two_people_releasing_at_once_release_once(county: County) -> None:
    """PAY-06: one of two simultaneous releases wins, the other is told that it is done."""
    county("prepared")
    batch = next(b for b in _all(state="prepared") if b.prepared_by not in {r.appointment for r in releasers()})
    start, outcomes = threading.Barrier(2), []

    def release(by: object) -> None:
        start.wait()
        try:
            release_batch(by=by, on=dates.RELEASED, batch_id=batch.pk)  # type: ignore[arg-type]
            outcomes.append("released")
        except AlreadyDone:
            outcomes.append("told")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=release, args=(by,)) for by in releasers()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["released", "told"]
    with reading(finance()):
        assert Instruction.objects.filter(batch=batch).count() == batch.lines_count
        assert fetch_one("SELECT count(*) FROM ledger_voucher WHERE subject = %s", [f"batch:{batch.pk}"])[0] == 1


def test_files_are_the_same_bytes_however_often_written(county: County, tmp_path: Path) -> None:
    """PAY-04: idempotent; the database remembers what was sent."""
    county("prepared")
    batch = _all(state="prepared")[-1]
    by = finance(Post.FINANCE_RELEASER)
    release_batch(by=by, on=dates.RELEASED, batch_id=batch.pk)
    [path] = write_batch_files(by=by, on=dates.RELEASED, folder=tmp_path)
    first = path.read_bytes()
    run("UPDATE payment_batch SET state = 'released' WHERE id = %s", [batch.pk], using="maintenance")
    path.unlink()
    [again] = write_batch_files(by=by, on=dates.RELEASED, folder=tmp_path)
    assert again.read_bytes() == first
    assert write_batch_files(by=by, on=dates.RELEASED, folder=tmp_path) == []


_ADD = """
INSERT INTO payment_instruction (batch_id, bank_office_id, division, line_id, sequence, account_enc, account_hash,
    amount_fen, state, bank_serial, failure_code)
SELECT {batch}, {bank}, l.division, l.id, 900000 + l.line_no, c.account_enc, c.account_hash, {amount}, 'sent', '', ''
FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id WHERE l.roster_id = {roster} LIMIT 1
"""


def _insert(batch: Batch, amount: str = "l.amount_fen", roster: int | None = None) -> None:
    """A payment line put into the table by hand, with the rights of the maintenance role."""
    statement = _ADD.format(batch=batch.pk, bank=batch.bank_office_id, roster=roster or batch.roster_id, amount=amount)
    run(statement, using="maintenance")


def test_the_database_refuses_a_payment_line_around_the_workflow(county: County) -> None:
    """SEC-07: no release, no ended notice, no approved decision, another amount: refused whoever writes it."""
    county("prepared")
    batch = first_batch(state="prepared")
    with pytest.raises(IntegrityError, match="batch not released"):
        _insert(batch)
    released = release_batch(by=releasers()[1], on=dates.RELEASED, batch_id=batch.pk)
    with pytest.raises(IntegrityError, match="line_one_live_instruction"):
        _insert(released)
    run("UPDATE payment_instruction SET state = 'cancelled' WHERE batch_id = %s", [batch.pk], using="maintenance")
    with pytest.raises(IntegrityError, match="not payable"):
        _insert(released)
    run("UPDATE payment_rosterline SET state = 'listed' WHERE roster_id = %s", [batch.roster_id], using="maintenance")
    with pytest.raises(IntegrityError, match="not what was frozen"):
        _insert(released, amount="l.amount_fen + 1")
    run(
        "UPDATE payment_rosterline l SET noticed_id = (SELECT min(o.id) FROM payment_rosterline o WHERE o.roster_id <> %s)"
        " WHERE l.roster_id = %s",
        [batch.roster_id, batch.roster_id],
        using="maintenance",
    )
    with pytest.raises(IntegrityError, match="no ended notice"):
        _insert(released)
    run(
        "UPDATE casework_decision d SET outcome = 'refused' FROM casework_entitlement e, payment_rosterline l"
        " WHERE e.decision_id = d.id AND l.entitlement_id = e.id AND l.roster_id = %s",
        [batch.roster_id],
        using="maintenance",
    )
    with pytest.raises(IntegrityError, match="no approved decision"):
        _insert(released)


def test_PAY_05_what_an_answer_changes_is_named_by_no_index(county: County) -> None:
    """A line or instruction whose state changes is changed where it lies: no index of either table names what an answer writes."""
    county("released")
    with reading(finance()):
        found = fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('payment_rosterline', 'payment_instruction')"
        )
    written = re.compile(r"\b(state|booked_on|bank_serial|failure_code|withheld_reason)\b")
    assert {"roster_line_aside", "line_one_live_instruction"} <= {name for name, _ in found}
    assert [name for name, definition in found if written.search(definition)] == []


def test_PAY_01_dues_of_a_line_are_looked_up_by_key_before_any_statistics(county: County) -> None:
    """No index over a part of them: a table just filled would have all of it read for every line of a first big roster."""
    county("released")
    with reading(finance()):
        found = fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'payment_linedue'")
    assert len(found) >= 4 and [definition for (definition,) in found if " WHERE " in definition] == []


def test_PAY_03_a_batch_is_made_of_what_is_listed(county: County) -> None:
    """A line that is with the bank, or came back, is in no further batch's sum."""
    county("funded")
    roster = max(rosters(Roster.State.FUNDED) or rosters(Roster.State.CONFIRMED), key=lambda each: each.lines_count)
    whole = roster.lines.using("maintenance").filter(state="listed").count()
    run(
        "UPDATE payment_rosterline SET state = 'returned' WHERE id = (SELECT min(id) FROM payment_rosterline"
        " WHERE roster_id = %s AND state = 'listed')", [roster.pk], using="maintenance",
    )  # fmt: skip
    made = prepare_batch(by=actor(Post.SETTLEMENT, roster.division), on=dates.PREPARED, roster_id=roster.pk)
    left = fetch_listed(roster.pk)
    assert (made.lines_count, made.amount_fen) == left and left[0] == whole - 1


def fetch_listed(roster: int) -> tuple[int, int]:
    with reading(finance()):
        lines, fen = fetch_one(
            "SELECT count(*)::int, coalesce(sum(amount_fen), 0)::bigint FROM payment_rosterline WHERE roster_id = %s"
            " AND state = 'listed'", [roster],
        )  # fmt: skip
    return lines, fen


_AGAIN = (
    "INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state)"
    " SELECT entitlement_id, division, programme, period_from, period_until, 'base', 2, amount_fen, '{}' FROM payment_due"
    " ORDER BY id LIMIT 1"
)


def test_the_database_refuses_overlapping_dues_and_a_second_live_instruction(county: County) -> None:
    """SEC-07, PAY-06: whoever writes it; a due that is paid counts as one that is owed, one that ended does not."""
    county("released")
    for held in ("owed", "paid"):
        run(
            "UPDATE payment_due SET state = %s WHERE id = (SELECT min(id) FROM payment_due)",
            [held],
            using="maintenance",
        )
        for state in ("owed", "paid"):
            with pytest.raises(IntegrityError, match="base_dues_never_overlap"):
                run(_AGAIN.format(state), using="maintenance")
    run(_AGAIN.format("withdrawn"), using="maintenance")
    with pytest.raises(IntegrityError, match="base_dues_never_overlap"):
        run("UPDATE payment_due SET state = 'owed' WHERE number = 2 AND state = 'withdrawn'", using="maintenance")
    with pytest.raises(IntegrityError, match="due_on_one_live_line"):
        run(
            "INSERT INTO payment_linedue (line_id, due_id, division, live) SELECT line_id, due_id, division, true"
            " FROM payment_linedue WHERE live LIMIT 1",
            using="maintenance",
        )
    batch = first_batch(state="written")
    run("UPDATE payment_batch SET state = 'released' WHERE id = %s", [batch.pk], using="maintenance")
    run("UPDATE payment_rosterline SET state = 'listed' WHERE roster_id = %s", [batch.roster_id], using="maintenance")
    with pytest.raises(IntegrityError, match="line_one_live_instruction"):
        _insert(batch)


def test_the_application_can_neither_edit_nor_remove_what_is_frozen(county: County) -> None:
    """SEC-07: amounts, accounts and lines are written once."""
    county("released")
    by = finance()
    for statement in (
        "UPDATE payment_rosterline SET amount_fen = amount_fen + 1",
        "UPDATE payment_instruction SET account_hash = account_hash",
        "UPDATE payment_due SET amount_fen = 1",
        "DELETE FROM payment_instruction",
        "DELETE FROM payment_rosterline",
        "UPDATE casework_decision SET amount_fen = 1",
        "UPDATE ledger_ledgerline SET amount_fen = 1",
        "TRUNCATE payment_linedue",
    ):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            declare(by.scope())
            run(statement)


def test_every_line_of_a_batch_is_its_rosters_line(county: County) -> None:
    """PAY-04: as many lines, the same 分, the same accounts as were frozen."""
    county("released")
    with reading(county_officer()):
        rows = fetch(
            "SELECT b.lines_count, b.amount_fen, count(i.id), sum(i.amount_fen)::bigint,"
            " bool_and(i.amount_fen = l.amount_fen AND i.account_hash = c.account_hash)"
            " FROM payment_batch b JOIN payment_instruction i ON i.batch_id = b.id"
            " JOIN payment_rosterline l ON l.id = i.line_id JOIN registry_card c ON c.id = l.card_id GROUP BY b.id"
        )
    assert rows
    assert all(lines == count and fen == total and same for lines, fen, count, total, same in rows)
