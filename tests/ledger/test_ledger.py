"""LED-01, FUND-02: books that balance at every moment, posted once, closed month by month."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huimin.kernel.errors import Refusal
from huimin.ledger import commands, queries
from huimin.ledger.chart import CHART, MOVES
from huimin.ledger.commands import (
    AccountOverdrawn,
    EventRow,
    MonthIsClosed,
    MonthNotOver,
    NoBooks,
    WrongAccounts,
    close_month,
)
from huimin.ledger.models import LedgerAccount, LedgerLine, MonthClose, Voucher
from huimin.organisation.acting import Actor, NotYourPlace, NotYourPost, command, reading
from huimin.organisation.posts import Post
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People

DAY = date(2021, 9, 20)
PREFIX = COUNTY[:6]


# The plain functions are steps of payment's and funds' commands; these stand for them.
@command(Post.FINANCE_OFFICER, Post.SETTLEMENT)
def post(*, by: Actor, event: str, subject: str, amount_fen: int, on: date = DAY, division: str = MEISHAN) -> Any:
    return commands.post_event(
        by=by, on=on, division=division, event=event, subject=subject, summary="发放", amount_fen=amount_fen,
        programme="dibao",
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
        return {row.code: row.balance_fen for row in trial.rows}


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


ALL_MOVES = [(event, d.code, c.code) for event in MOVES for d in CHART for c in CHART if d != c]


def test_FUND_02_money_leaves_the_special_account_only_to_beneficiaries(finance: Actor) -> None:
    """Of every pair of accounts each event is allowed exactly its own; no other event credits 1002."""
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    post(by=finance, event="sent", subject="a:1", amount_fen=50)
    allowed = []
    for event, debit, credit in ALL_MOVES:
        try:
            post_lines(by=finance, event=event, subject=debit + credit, lines=[(debit, credit, 1, "", "")])
            allowed.append((event, debit, credit))
        except WrongAccounts:
            continue
    assert allowed == [(event, debit.code, credit.code) for event, (debit, credit) in MOVES.items()]
    assert [event for event, _, credit in allowed if credit == "1002"] == ["sent"]


def test_FUND_02_no_account_of_money_is_overdrawn(finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    post(by=finance, event="funds_received", subject="a:2", amount_fen=100, division=QINGSHAN)
    for event, amount in (("sent", 101), ("paid", 1), ("returned", 1)):
        with pytest.raises(AccountOverdrawn):
            post(by=finance, event=event, subject="b:1", amount_fen=amount)
    post(by=finance, event="sent", subject="b:1", amount_fen=100)
    assert balances(finance, MEISHAN[:9]) == {"1002": 0, "1003": 100, "3001": 100, "5001": 0}


def test_LED_01_a_posted_line_is_never_changed_removed_or_joined(finance: Actor) -> None:
    voucher = post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    for change in ("UPDATE ledger_ledgerline SET amount_fen = 1", "DELETE FROM ledger_ledgerline",
                   "UPDATE ledger_voucher SET amount_fen = 1", "DELETE FROM ledger_voucher",
                   "DELETE FROM ledger_monthclose", "TRUNCATE ledger_ledgerline"):  # fmt: skip
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


def test_LED_01_a_closed_month_refuses_postings(people: People, finance: Actor) -> None:
    accountant = people.of("finance", Post.ACCOUNTANT)
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    post(by=finance, event="sent", subject="a:1", amount_fen=40)
    close_month(by=accountant, on=date(2021, 10, 1), division=MEISHAN, month=date(2021, 9, 1))  # 40 in transit: allowed
    for day in (DAY, date(2021, 9, 30), date(2021, 8, 1)):
        with pytest.raises(MonthIsClosed, match="结账"):
            post(by=finance, event="paid", subject="a:1", amount_fen=40, on=day)
    post(by=finance, event="paid", subject="a:1", amount_fen=40, on=date(2021, 10, 1))
    post(by=finance, event="funds_received", subject="a:2", amount_fen=1, division=QINGSHAN)
    assert balances(finance, MEISHAN[:9])["5001"] == 40
    with reading(finance):
        assert queries.closed_until(MEISHAN) == date(2021, 9, 1) and queries.closed_until(QINGSHAN) is None


def test_LED_01_the_database_refuses_a_closed_month_by_itself(finance: Actor) -> None:
    post(by=finance, event="funds_received", subject="a:1", amount_fen=100)
    with transaction.atomic("maintenance"):
        MonthClose.objects.using("maintenance").create(
            division=MEISHAN, month=date(2021, 9, 1), closed_by=1, closed_on=date(2021, 10, 1)
        )
    account = {a.code: a for a in LedgerAccount.objects.using("maintenance").filter(division=MEISHAN)}
    head = {"division": MEISHAN, "event": "sent", "occurred_on": DAY, "posted_by": 1}
    with pytest.raises(IntegrityError, match="the month is closed"), transaction.atomic("maintenance"):
        voucher = Voucher.objects.using("maintenance").create(subject="b", lines_count=1, amount_fen=1, **head)
        LedgerLine.objects.using("maintenance").create(
            voucher=voucher, division=MEISHAN, occurred_on=DAY, amount_fen=1, debit=account["1003"],
            credit=account["1002"],
        )  # fmt: skip


def test_LED_01_closing_a_month_is_refused_for_post_place_and_time_and_repeats(people: People, finance: Actor) -> None:
    accountant, september = people.of("finance", Post.ACCOUNTANT), {"division": MEISHAN, "month": date(2021, 9, 1)}
    with pytest.raises(NotYourPost):
        close_month(by=finance, on=date(2021, 10, 1), **september)
    with pytest.raises(MonthNotOver):
        close_month(by=accountant, on=date(2021, 9, 30), **september)
    with pytest.raises(NotYourPlace):
        close_month(by=accountant, on=date(2021, 10, 1), division="341525100000", month=date(2021, 9, 1))
    with pytest.raises(NoBooks):
        close_month(by=accountant, on=date(2021, 10, 1), division=COUNTY, month=date(2021, 9, 1))
    first = close_month(by=accountant, on=date(2021, 10, 1), **september)
    assert close_month(by=accountant, on=date(2021, 10, 5), **september).pk == first.pk
    with reading(accountant):
        assert MonthClose.objects.get().closed_on == date(2021, 10, 1)


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


STEPS = st.lists(
    st.tuples(
        st.sampled_from(sorted(MOVES)), st.sampled_from([MEISHAN, QINGSHAN]), st.integers(1, 12), st.integers(1, 10**12)
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
                expected[place, debit.code] = expected.get((place, debit.code), 0) + amount
                sign = -1 if credit.kind == "asset" else 1
                expected[place, credit.code] = expected.get((place, credit.code), 0) + sign * amount
            assert queries.trial_balance(PREFIX).difference_fen == 0
        stored = {(row.division, row.code): row.balance_fen for row in queries.account_balances(PREFIX)}
        assert stored == {key: expected.get(key, 0) for key in stored}
