"""Two people, or two workers, at the same moment at the same money: one act takes effect, the other reads what happened (PAY-06, SEC-02)."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import DEPARTMENTS, county_officer
from huimin.demo.paying import finance, releasers
from huimin.funds.commands import reserve_funding, withdraw_application
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.kernel.errors import Refusal
from huimin.notices.models import NoticeRow
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.payment import commands
from huimin.payment.models import Batch, ExchangeFile, ResultFile, Roster, RosterLine
from huimin.registry.commands import record_death
from tests.payment.walk.bank import Bank
from tests.payment.walk.holds import fetched, wrong
from tests.payment.walk.offices import COUNTY, special
from tests.stages import Stages

County = Callable[[str], str]
GRAIN = "grain-one-off"
CHINESE = re.compile("[\u4e00-\u9fff]{4,}")


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each came to: its value, or the refusal; any other error fails the test."""
    start, came = threading.Barrier(len(acts)), list[Any]([None] * len(acts))

    def run(nth: int) -> None:
        try:
            start.wait()
            came[nth] = acts[nth]()
        except BaseException as error:  # noqa: BLE001 - told to the test below
            came[nth] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(nth,)) for nth in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in came:
        if isinstance(each, BaseException) and not isinstance(each, Refusal):
            raise each
    return came


def one_of(*acts: Callable[[], Any]) -> Any:
    """The value of the one that took effect; the other was told why in words and what to do."""
    came = at_once(*acts)
    [done] = [each for each in came if not isinstance(each, Refusal)]
    for each in came:
        if isinstance(each, Refusal):
            assert CHINESE.search(each.what) and (each.remedy or each.why), each
    return done


def twice(act: Callable[..., Any], **told: Any) -> Any:
    return one_of(lambda: act(**told), lambda: act(**told))


def test_PAY_06_one_roster_is_compiled_posted_signed_and_asked_for_by_two_at_once(county: County) -> None:
    county("accrued")
    with reading(county_officer()):
        place = fetch(
            "SELECT left(division, 9) || '000' FROM casework_entitlement WHERE programme = %s GROUP BY 1 ORDER BY count(*) DESC",
            [GRAIN],
        )[0][0]
    clerk, reviewer, settlement = actor(Post.CLERK, place), actor(Post.REVIEWER, place), actor(Post.SETTLEMENT, place)
    told = {"programme": GRAIN, "division": place, "period": dates.QUARTER}
    roster = twice(commands.compile_roster, by=clerk, on=dates.COMPILED, **told)
    line = doubted(clerk, roster)
    this = {"roster_id": roster.pk}
    [doubt] = [
        number
        for (number,) in fetched(
            "SELECT id FROM payment_rosterfinding WHERE roster_id = %s AND state = 'open'", [roster.pk]
        )
    ]
    hold = {"by": clerk, "on": dates.COMPILED, **this, "finding_ids": [doubt], "reason": "待核实死亡日期"}
    post = {"by": reviewer, "on": dates.PUBLISHED, **this}
    held, posted = at_once(lambda: commands.hold_findings(**hold), lambda: commands.publish_roster(**post))
    assert held == 1 and (isinstance(posted, int) or "核对事项" in posted.what)
    if not isinstance(posted, int):
        posted = twice(commands.publish_roster, **post)
    with reading(county_officer()):
        assert posted > 0 and RosterLine.objects.get(pk=line).state == "withheld"
        assert not NoticeRow.objects.filter(subject_line=line).exists()
        assert NoticeRow.objects.filter(notice__subject=f"roster:{roster.pk}").count() == roster.lines_count - 1
    free = {"on": dates.SIGNED, "finding_ids": [doubt], "reason": "死亡证明已核对"}
    assert twice(commands.release_hold, by=reviewer, **free).lines == 1
    twice(commands.sign_roster, by=actor(Post.TOWNSHIP_HEAD, place), on=dates.SIGNED, **this)
    twice(
        commands.confirm_by_department,
        by=actor(Post.DEPARTMENT_APPROVER, DEPARTMENTS[GRAIN]),
        on=dates.CONFIRMED,
        **this,
    )
    twice(commands.confirm_by_finance, by=finance(), on=dates.CONFIRMED, **this)
    application = twice(commands.apply_for_funds, by=settlement, on=dates.APPLIED, **this)
    money_once(application.pk, settlement)
    signed = fetched(
        "SELECT count(*), count(DISTINCT act) FROM audit_signature WHERE subject = %s", [f"roster:{roster.pk}"]
    )
    assert signed == [(3, 3)]


def doubted(clerk: Any, roster: Roster) -> int:
    """The line of a household a member of which died after it was granted."""
    [(line, member)] = fetched(
        "SELECT l.id, max(m.person_id) FROM payment_rosterline l JOIN registry_membership m ON m.household_id = l.household_id"
        " AND m.relation <> '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL WHERE l.roster_id = %s GROUP BY 1 ORDER BY 1 LIMIT 1",
        [roster.pk],
    )
    record_death(by=clerk, on=dates.COMPILED, person=member, died_on=date(2021, 8, 20), evidence="死亡证明")
    assert commands.check_roster(by=clerk, on=dates.COMPILED, roster_id=roster.pk) == 1
    return int(line)


def money_once(application: int, settlement: Any) -> None:
    """Taken back while it is reserved: either, never both."""
    from huimin.funds.indicators import decide_allotments, receive_allotment

    made = receive_allotment(
        by=finance(), on=dates.ALLOTTED, division=COUNTY, programme=GRAIN, year=2021, document_no="财农〔2021〕9号", amount_fen=10**7,
    )  # fmt: skip
    twice_decided = {"on": dates.ALLOTTED, "allotment_ids": [made.pk]}
    assert sorted(at_once(*[lambda by=by: decide_allotments(by=by, **twice_decided) for by in releasers()])) == [0, 1]
    one_of(
        lambda: reserve_funding(by=finance(), on=dates.RESERVED, application_ids=[application]),
        lambda: withdraw_application(by=settlement, on=dates.RESERVED, application_id=application),
    )
    [(state, reserved)] = fetched(
        "SELECT f.state, (SELECT sum(reserved_fen) FROM funds_allotment) FROM funds_fundingapplication f WHERE id = %s",
        [application],
    )
    assert (state, reserved > 0) in (("reserved", True), ("withdrawn", False))


@pytest.fixture
def bank(stages: Stages, county: County, tmp_path: Path) -> Iterator[Bank]:
    name = county("prepared")
    folder = stages.files("prepared", tmp_path / "county")
    stages.use(name)
    made = Bank(folder)
    yield made
    made.close()


def a_batch(size: str = "-lines_count") -> Batch:
    """One that no releaser prepared."""
    mine = [each.appointment for each in releasers()]
    with reading(finance()):
        return Batch.objects.filter(state="prepared").exclude(prepared_by__in=mine).order_by(size)[0]


def test_PAY_05_released_or_cancelled_and_one_answer_taken_by_two_workers(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is released or cancelled; one file, the same file by two workers, and the statement that says the same."""
    batch = a_batch()
    settlement = actor(Post.SETTLEMENT, batch.division)
    came = one_of(
        lambda: commands.release_batch(by=releasers()[0], on=dates.RELEASED, batch_id=batch.pk),
        lambda: commands.cancel_batch(by=settlement, on=dates.RELEASED, batch_id=batch.pk),
    )
    if came.state == "cancelled":
        batch = twice(commands.prepare_batch, by=settlement, on=dates.RELEASED, roster_id=batch.roster_id)
        came = twice(commands.release_batch, by=releasers()[0], on=dates.RELEASED, batch_id=batch.pk)
    assert fetched("SELECT count(*) FROM payment_instruction WHERE batch_id = %s", [batch.pk]) == [(batch.lines_count,)]
    write = {"by": releasers()[0], "on": dates.RELEASED, "folder": bank.outbox}
    at_once(lambda: commands.write_batch_files(**write), lambda: commands.write_batch_files(**write))
    bank.day(dates.RELEASED)
    [answer] = bank.inbox.glob(f"DFR_{batch.batch_no}*")
    take = {"by": finance(), "on": dates.RESULTS, "data": answer.read_bytes(), "file_name": answer.name}
    first, second = at_once(lambda: commands.take_result(**take), lambda: commands.take_result(**take))
    assert first.pk == second.pk, "the second is shown what the first took"
    jobs_at_once(bank, monkeypatch)
    bank.settle(dates.LATE_RESULTS)
    statement_and_answer(bank, batch)
    assert wrong(bank) == []


def jobs_at_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers, each with its job to fetch what lies there."""
    monkeypatch.setenv("HUIMIN_INBOX", str(bank.inbox))
    other = a_batch("id")
    commands.release_batch(by=releasers()[0], on=dates.RELEASED, batch_id=other.pk)
    commands.write_batch_files(by=releasers()[0], on=dates.RELEASED, folder=bank.outbox)
    bank.day(dates.RELEASED)
    jobs = [commands.request_fetching(by=finance(), on=dates.RESULTS) for _ in range(2)]
    at_once(*[lambda number=job.pk: work_one(number) for job in jobs])
    with reading(finance()):
        assert {each.state for each in Job.objects.filter(pk__in=[job.pk for job in jobs])} == {"finished"}
        assert ResultFile.objects.filter(batch=other).count() == 1
        assert ExchangeFile.objects.filter(direction="in", file_name__contains=other.batch_no).count() == 1


def statement_and_answer(bank: Bank, batch: Batch) -> None:
    """What was pending is told by an answer and by the account's statement at the same moment: settled once."""
    bank.statement(special(batch.division), dates.TRANSFERRED, dates.LATE_RESULTS)
    files = [*bank.inbox.glob(f"DFR_{batch.batch_no}*_2*"), *bank.inbox.glob("camt053*")]
    took = [
        lambda path=path: commands.take_result(
            by=finance(), on=dates.LATE_RESULTS, data=path.read_bytes(), file_name=path.name
        )
        for path in files
    ]
    assert not [each for each in at_once(*took) if isinstance(each, Refusal)]
    posted = fetched(
        "SELECT count(*), coalesce(sum(l.amount_fen), 0)::bigint FROM ledger_ledgerline l JOIN ledger_voucher v ON v.id = l.voucher_id"
        " WHERE v.event = 'paid' AND l.reference = %s", [batch.batch_no],
    )[0][1]  # fmt: skip
    assert (
        posted
        == fetched(
            "SELECT coalesce(sum(amount_fen), 0)::bigint FROM payment_instruction WHERE batch_id = %s AND state = 'paid'",
            [batch.pk],
        )[0][0]
    )


_RETURNED = """
SELECT l.roster_id, r.application_id, array_agg(l.id) FROM payment_rosterline l JOIN registry_card o ON o.id = l.card_id
JOIN payment_roster r ON r.id = l.roster_id
JOIN registry_card c ON c.holder_id = l.payee_id AND c.use = o.use AND c.state = 'active' AND c.recorded_to IS NULL
WHERE l.state = 'returned' AND c.account_hash <> o.account_hash GROUP BY 1, 2 ORDER BY 1
"""


def test_PAY_06_returned_money_is_reissued_once_or_given_back(county: County) -> None:
    county("corrected")
    rows = fetched(_RETURNED)
    roster, application, lines = rows[0]
    with reading(finance()):
        place = Roster.objects.get(pk=roster).division
    settlement, on = actor(Post.SETTLEMENT, place), dates.REISSUED
    back = {
        "on": on,
        "application_id": application,
        "line_ids": lines,
        "document_no": "缴回 1 号",
        "reason": "本人已不需要",
    }
    move = twice_the_same(lambda: commands.propose_giving_back(by=settlement, **back))
    confirm = {
        "on": on + timedelta(days=1),
        "number": move,
        "receipt_no": "HD2021-1",
        "booked_on": on + timedelta(days=1),
    }
    done = one_of(
        lambda: commands.reissue_returned(by=settlement, on=on, roster_id=roster),
        lambda: commands.confirm_giving_back(by=finance(), **confirm),
    )
    live = fetched("SELECT count(*) FROM payment_rosterline WHERE replaces_id = ANY(%s)", [lines])
    given = fetched("SELECT returned_fen FROM funds_fundingapplication WHERE id = %s", [application])
    assert (live, given) == (
        [(len(lines) if isinstance(done, Roster) else 0,)],
        [(0 if isinstance(done, Roster) else done.amount_fen,)],
    )
    if len(rows) > 1:
        with reading(finance()):
            place = Roster.objects.get(pk=rows[1][0]).division
        twice(commands.reissue_returned, by=actor(Post.SETTLEMENT, place), on=on, roster_id=rows[1][0])


def twice_the_same(act: Callable[[], Any]) -> int:
    """The same paper by two at once: one row; who came second is told, or shown the same."""
    came = [each for each in at_once(act, act) if not isinstance(each, Refusal)]
    [number] = {each.pk for each in came}
    return int(number)
