"""LED-01, FUND-02: books that balance at every moment, posted once, numbered without gaps."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huimin.database.bulk import fetch
from huimin.kernel.errors import Refusal
from huimin.ledger import commands, queries
from huimin.ledger.chart import CHART, EVENTS, MOVES, PAIRS
from huimin.ledger.commands import AccountOverdrawn, EventRow, NoBooks, WrongAccounts
from huimin.ledger.models import LedgerAccount, LedgerLine, Voucher
from huimin.organisation.acting import Actor, command, reading
from huimin.organisation.posts import Post
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People

DAY = date(2021, 9, 20)
PREFIX = COUNTY[:6]


# The plain functions are steps of payment's and funds' commands; these stand for them.
@command(Post.FINANCE_OFFICER, Post.SETTLEMENT)
def post(
    *, by: Actor, event: str, subject: str, amount_fen: int, on: date = DAY, division: str = MEISHAN,
    programme: str = "dibao", accounts: Any = None,
) -> Any:  # fmt: skip
    return commands.post_event(
        by=by, on=on, division=division, event=event, subject=subject, summary="发放", amount_fen=amount_fen,
        programme=programme, accounts=accounts,
    )  # fmt: skip


@command(Post.FINANCE_OFFICER)
def post_lines(*, by: Actor, lines: list[Any], event: str = "sent", subject: str = "batch:1") -> Any:
    return commands.post_voucher(
        by=by, on=DAY, division=MEISHAN, event=event, subject=subject, summary="发放", lines=lines
    )


@command(Post.FINANCE_OFFICER)
def open_books(*, by: Actor, divisions: list[str]) -> int:
    return commands.open_books(by=by, on=DAY, divisions=divisions)


@pytest.fixture
def people(county: Callable[[str], str]) -> People:
    county("blank")
    made = People()
    open_books(by=made.of("finance", Post.FINANCE_OFFICER), divisions=[MEISHAN, QINGSHAN])
    return made


@pytest.fixture
def finance(people: People) -> Actor:
    return people.of("finance", Post.FINANCE_OFFICER)


def balances(by: Actor, prefix: str = PREFIX) -> dict[str, int]:
    with reading(by):
        trial = queries.trial_balance(prefix)
        assert trial.difference_fen == 0 and trial.debit_fen == trial.credit_fen
        found = {row.code: row.balance_fen for row in trial.rows if row.balance_fen}
        kept = queries.account_balances(prefix)
        assert found == {code: fen for code in found if (fen := sum(r.balance_fen for r in kept if r.code == code))}
        return found


def test_LED_01_the_straight_path_moves_money_through_four_accounts(finance: Actor) -> None:
    for event, amount in (("funds_received", 1000), ("sent", 900), ("paid", 700), ("returned", 150)):
        post(by=finance, event=event, subject="x:1", amount_fen=amount)
    assert balances(finance) == {"1002": 250, "1003": 50, "3001": 1000, "5001": 700}


def test_LED_01_books_are_opened_once(finance: Actor) -> None:
    assert open_books(by=finance, divisions=[MEISHAN, QINGSHAN]) == 0
    with reading(finance):
        assert LedgerAccount.objects.count() == 2 * len(CHART)


def test_LED_01_an_event_is_posted_once(finance: Actor) -> None:
    assert post(by=finance, event="funds_received", subject="application:1", amount_fen=500).amount_fen == 500
    assert post(by=finance, event="funds_received", subject="application:1", amount_fen=500) is None
    assert post(by=finance, event="funds_received", subject="application:1", amount_fen=77) is None
    assert balances(finance)["1002"] == 500
    with reading(finance):
        assert queries.find_voucher("funds_received", "application:1") is not None
        assert queries.find_voucher("sent", "application:1") is None


def test_LED_01_many_lines_and_many_vouchers_take_a_handful_of_queries(finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="a:1", amount_fen=30_000)
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        lines = [("1003", "1002", 1, "dibao", f"L{n}") for n in range(30_000)]
        assert post_lines(by=finance, lines=lines).lines_count == 30_000
    assert len(asked) <= 8 and time.perf_counter() - started < 10

    @command(Post.FINANCE_OFFICER)
    def post_all(*, by: Actor) -> int:
        rows = [EventRow(MEISHAN, "paid", f"r:{n}", "发放", 1, "dibao") for n in range(1000)]
        rows += [EventRow(QINGSHAN, "funds_received", "a:2", "拨入", 5, "dibao")]
        return commands.post_events(by=by, on=DAY, rows=rows)

    with CaptureQueriesContext(connection) as asked:
        assert (post_all(by=finance), post_all(by=finance)) == (1001, 0)
    assert len(asked) <= 14
    assert balances(finance) == {"1002": 5, "1003": 29_000, "3001": 30_005, "5001": 1000}


def test_LED_01_vouchers_are_numbered_by_place_and_month_without_gaps(finance: Actor) -> None:
    """Also when some of a set were posted before, some are refused, and four people post at once."""
    for number, day in enumerate([DAY, DAY, date(2021, 10, 8), DAY]):
        made = post(by=finance, event="funds_received", subject=f"a:{number}", amount_fen=50, on=day)
    assert (made.word, made.number, made.title) == ("记", 3, "记字第 3 号")
    with pytest.raises(AccountOverdrawn):
        post(by=finance, event="sent", subject="b:1", amount_fen=10**6)

    @command(Post.FINANCE_OFFICER)
    def post_all(*, by: Actor) -> int:
        rows = [EventRow(MEISHAN, "funds_received", f"a:{n}", "拨入", 5, "dibao") for n in range(8)]
        rows += [EventRow(QINGSHAN, "funds_received", f"q:{n}", "拨入", 5, "dibao") for n in range(8)]
        return commands.post_events(by=by, on=DAY, rows=rows)

    assert post_all(by=finance) == 12  # a:0 to a:3 were posted before
    senders = [threading.Thread(target=_post_some, args=(finance, f"t{n}")) for n in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    with reading(finance):
        rows = fetch(
            "SELECT division, word, month, array_agg(number ORDER BY number) FROM ledger_voucher GROUP BY 1, 2, 3"
        )
    assert all(numbers == list(range(1, len(numbers) + 1)) for *_, numbers in rows)
    assert sorted(len(numbers) for *_, numbers in rows) == [1, 8, 47]


def _post_some(finance: Actor, name: str) -> None:
    for number in range(10):
        post(by=finance, event="funds_received", subject=f"{name}:{number}", amount_fen=5)
    connections.close_all()


def test_LED_01_a_voucher_without_lines_does_not_stand(finance: Actor) -> None:
    with pytest.raises(IntegrityError, match="has no lines"), reading(finance):
        Voucher.objects.create(
            division=MEISHAN, event="sent", subject="b:1", summary="空", occurred_on=DAY, lines_count=1, amount_fen=1,
            posted_by=finance.appointment,
        )  # fmt: skip


def test_LED_01_unknown_places_and_accounts_are_refused_whole(finance: Actor) -> None:
    with pytest.raises(NoBooks):
        post(by=finance, event="funds_received", subject="x:1", amount_fen=5, division=COUNTY)
    with pytest.raises(NoBooks):
        post_lines(by=finance, event="funds_received", lines=[("1002", "3001", 5, "", ""), ("1002", "9999", 5, "", "")])
    with reading(finance):
        assert not Voucher.objects.exists() and not LedgerLine.objects.exists()


def test_SEC_03_books_of_another_place_are_neither_seen_nor_posted(people: People, finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="x:1", amount_fen=5)
    beside = people.of("qingshan", Post.SETTLEMENT)
    with pytest.raises(Refusal):
        post(by=beside, event="sent", subject="x:1", amount_fen=5)
    with reading(beside):
        assert queries.account_balances(PREFIX, code="1002")[0].division == QINGSHAN
        assert list(queries.list_vouchers(PREFIX)) == []
    with reading(finance):
        assert Voucher.objects.count() == 1


def test_FUND_02_the_database_allows_what_the_chart_says_and_nothing_else(finance: Actor) -> None:
    """The pairs in the trigger are those of chart.yaml; what credits 1002 goes to beneficiaries or back where it came from."""
    with reading(finance):
        [(source,)] = fetch("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_guard_lines'")
    allowed = set(re.findall(r"\('(\w+)', '(\d{4})', '(\d{4})'\)", source))
    assert allowed == {(event, d.code, c.code) for event, pairs in PAIRS.items() for d, c in pairs}
    leaves = {event for event, _, credit in allowed if credit == "1002"}
    assert leaves == {"sent", "funds_issued", "returned_up", "reclassified"}


def test_FUND_02_money_leaves_the_special_account_only_to_beneficiaries_or_back(finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    for number, (event, debit, credit) in enumerate([
        ("paid", "5001", "1002"), ("sent", "5001", "1002"), ("funds_received", "3001", "1002"), ("returned", "1003", "1002"),
    ]):  # fmt: skip
        with pytest.raises(WrongAccounts):
            post_lines(by=finance, event=event, subject=f"b:{number}", lines=[(debit, credit, 1, "dibao", "")])
    with pytest.raises(WrongAccounts):  # a township issues nothing further down
        post(by=finance, event="funds_issued", subject="b:9", amount_fen=1)
    with pytest.raises(WrongAccounts):  # red is for taking back only
        post_lines(
            by=finance, subject="b:8", lines=[("1003", "1002", 2, "dibao", ""), ("1003", "1002", -1, "dibao", "")]
        )
    post(by=finance, event="returned_up", subject="a:1", amount_fen=30)
    assert balances(finance) == {"1002": 70, "3001": 70}


def test_FUND_02_no_account_of_money_is_overdrawn(finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    post(by=finance, event="funds_received", subject="a:2", amount_fen=100, division=QINGSHAN)
    for event, amount in (("sent", 101), ("paid", 1), ("returned", 1)):
        with pytest.raises(AccountOverdrawn):
            post(by=finance, event=event, subject="b:1", amount_fen=amount)
    post(by=finance, event="sent", subject="b:1", amount_fen=100)
    assert balances(finance, MEISHAN[:9]) == {"1003": 100, "3001": 100}
    with pytest.raises(AccountOverdrawn):  # the money of one programme pays no other (专款专用)
        post(by=finance, event="returned", subject="b:1", amount_fen=100, programme="grain")


def test_LED_01_a_posted_line_is_never_changed_removed_or_joined(finance: Actor) -> None:
    voucher = post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    for change in ("UPDATE ledger_ledgerline SET amount_fen = 1", "DELETE FROM ledger_ledgerline",
                   "UPDATE ledger_voucher SET amount_fen = 1", "DELETE FROM ledger_voucher",
                   "DELETE FROM ledger_monthclose", "TRUNCATE ledger_ledgerline", "UPDATE ledger_turnover SET debit_fen = 1",
                   "INSERT INTO ledger_monthbalance (division) VALUES ('3')"):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), reading(finance):
            connection.cursor().execute(change)
    with pytest.raises(IntegrityError, match="not those of the voucher"), reading(finance):
        line = voucher.lines.get()
        line.pk = None
        line.save(force_insert=True)
    assert balances(finance)["1002"] == 100


def test_LED_01_lines_of_another_day_or_place_are_refused(finance: Actor) -> None:
    voucher = post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    for wrong in ({"occurred_on": DAY - timedelta(1)}, {"division": QINGSHAN}):
        with pytest.raises(IntegrityError, match="does not move"), reading(finance):
            line = voucher.lines.get()
            line.pk = None
            for name, value in wrong.items():
                setattr(line, name, value)
            line.save(force_insert=True)


def test_LED_01_day_book_pages_by_key_newest_first(finance: Actor) -> None:
    for number in range(7):
        post(by=finance, event="funds_received", subject=f"a:{number}", amount_fen=5, on=DAY + timedelta(number // 2))
    with reading(finance):
        whole = queries.list_vouchers(PREFIX).rows
        page = queries.list_vouchers(PREFIX, size=3)
        paged = list(page)
        while page.next:
            page = queries.list_vouchers(PREFIX, size=3, place=page.next)
            paged += page
        assert paged == whole and [v.subject for v in whole] == [f"a:{n}" for n in range(6, -1, -1)]
        assert list(queries.list_vouchers(PREFIX, event="paid")) == []
        line = queries.voucher_lines(whole[0].pk).rows[0]
        assert (line.debit.code, line.credit.code, queries.get_voucher(whole[0].pk).pk) == ("1002", "3001", whole[0].pk)
        assert queries.trial_balance(PREFIX, until=DAY).balance_fen("1002") == 10
        assert {row.balance_fen for row in queries.account_balances(PREFIX, code="1002", until=DAY)} == {10, 0}


def test_LED_01_trial_balance_finds_a_line_in_other_books(finance: Actor, stages: Any) -> None:
    """What the triggers keep out is also found: a line moved behind their back shows as a difference."""
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    other = LedgerAccount.objects.using("maintenance").get(division=QINGSHAN, code="3001")
    LedgerLine.objects.using("maintenance").update(credit=other)
    with reading(finance):
        assert queries.trial_balance(PREFIX).difference_fen == 100


@contextmanager
def undone(by: Actor) -> Iterator[None]:
    """One transaction of `by` that leaves nothing behind."""
    with reading(by):
        yield
        transaction.set_rollback(True)


BY_ITSELF = sorted(code for code, event in EVENTS.items() if not event.manual and code != "funds_issued")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(BY_ITSELF), st.sampled_from([MEISHAN, QINGSHAN]), st.integers(1, 12), st.integers(1, 10**12)
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_LED_01_books_balance_whatever_is_posted_in_whatever_order(finance: Actor, steps: list[Any]) -> None:
    """Random events, repeats and refusals: the books equal a plain reckoning and balance after every one of them."""
    expected: dict[tuple[str, str], int] = {}
    done: set[tuple[str, str]] = set()
    with undone(finance):
        for event, place, number, amount in steps:
            debit, credit = MOVES[event]
            fresh = (event, f"s:{number}") not in done
            covered = credit.kind != "asset" or expected.get((place, credit.code), 0) >= amount
            args = {"division": place, "event": event, "subject": f"s:{number}", "amount_fen": amount}
            try:
                with transaction.atomic():
                    made = commands.post_event(by=finance, on=DAY, summary="", programme="", **args)
                assert (made is not None) == fresh
            except IntegrityError as refused:
                assert fresh and not covered and "overdrawn" in str(refused)
                made = None
            if made is not None:
                assert covered
                done.add((event, f"s:{number}"))
                for account, way in ((debit, 1), (credit, -1)):
                    grown = amount * way * (1 if account.grows_by_debit else -1)
                    expected[place, account.code] = expected.get((place, account.code), 0) + grown
            assert queries.trial_balance(PREFIX).difference_fen == 0
        stored = {(row.division, row.code): row.balance_fen for row in queries.account_balances(PREFIX)}
        assert stored == {key: expected.get(key, 0) for key in stored}
