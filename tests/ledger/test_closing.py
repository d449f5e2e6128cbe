"""LED-02: months and years closed, many places together, what a year carries over, statements of it."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period, month
from huimin.ledger import queries, statements
from huimin.ledger.carried import LEFT
from huimin.ledger.closing import (
    BankDiffers,
    BooksDiffer,
    EarlierFirst,
    Item,
    MonthNotOver,
    NotCarriedOver,
    NothingToClose,
    NotReviewed,
    Statement,
    carry_over,
    close_month,
    close_months,
)
from huimin.ledger.commands import MonthIsClosed
from huimin.ledger.correcting import (
    NotReversible,
    approve_manual,
    propose_correction,
)
from huimin.ledger.models import LedgerLine, MonthBalance, MonthClose, VoucherReview
from huimin.ledger.proving import differences_of
from huimin.ledger.reviewing import review_month, review_voucher, verdicts
from huimin.organisation.acting import Actor, NotYourPlace, NotYourPost, SamePerson, reading
from tests.ledger.bookkeeping import DAY, OCTOBER, PREFIX, SEPTEMBER, balances, reviewed, straight_path
from tests.ledger.test_ledger import open_books, post
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People

pytestmark = pytest.mark.usefixtures("business")


def test_LED_02_a_month_closes_reviewed_and_with_the_banks_balance_explained(
    people: People, finance: Actor, accountant: Actor
) -> None:
    straight_path(finance)
    close = {"by": accountant, "on": OCTOBER, "division": MEISHAN, "month": SEPTEMBER}
    with pytest.raises(NotYourPost):
        close_month(**close | {"by": finance}, bank_fen=250)
    with pytest.raises(MonthNotOver):
        close_month(**close | {"on": date(2021, 9, 30)}, bank_fen=250)
    with pytest.raises(NotYourPlace):
        close_month(**close | {"division": "341525100000"}, bank_fen=0)
    with pytest.raises(NothingToClose, match=r"金寨县没有账簿.*请县财政"):
        close_month(**close | {"division": COUNTY}, bank_fen=0)
    with pytest.raises(NotReviewed, match="梅山镇还有 4 张"):
        close_month(**close, bank_fen=250)
    reviewed(accountant, OCTOBER, SEPTEMBER)
    with pytest.raises(BankDiffers, match=r"差 0\.50 元"):
        close_month(**close, bank_fen=300)
    with pytest.raises(BadInput):
        close_month(**close, bank_fen=300, items=[Item("book_paid", 50, "")])
    # 50 are on their way: the books paid them, the bank has not yet.
    closed = close_month(**close, bank_fen=300, items=[Item("book_paid", 50, "9月30日送盘，银行次日扣款")])
    assert (closed.book_fen, closed.bank_adjust_fen, closed.in_transit_fen, closed.vouchers_count) == (250, -50, 50, 4)
    assert closed.signature is not None and len(closed.digest) == 64
    assert close_month(**close | {"on": date(2021, 10, 9)}, bank_fen=300).pk == closed.pk
    with pytest.raises(NothingToClose, match=r"已经结账，银行余额是 3\.00 元"):
        close_month(**close, bank_fen=0)
    with pytest.raises(NothingToClose):
        close_month(**close | {"month": date(2021, 8, 1)}, bank_fen=0)
    for day in (DAY, date(2021, 9, 30), date(2021, 8, 1)):
        with pytest.raises(MonthIsClosed, match=r"^梅山镇2021年09月已经结账"):
            post(by=finance, event="paid", subject="a:9", amount_fen=40, on=day)
    post(by=finance, event="paid", subject="a:9", amount_fen=40, on=OCTOBER)
    with reading(finance):
        assert queries.closed_until(MEISHAN) == SEPTEMBER and queries.closed_until(QINGSHAN) is None
        assert dict(MonthBalance.objects.values_list("account__code", "balance_fen")) == {
            "1002": 250, "1003": 50, "3001": -1000, "5001": 700,
        }  # fmt: skip
    assert balances(accountant, month(2021, 10)) == {"1002": 250, "1003": 10, "3001": 1000, "5001": 740}
    # A mistake of September is taken back in October.
    with reading(finance):
        returned = queries.find_voucher("returned", "a:4")
    draft = propose_correction(
        by=accountant,
        on=OCTOBER,
        voucher_id=returned.pk,
        reason="退汇金额有误",
        lines=[("1002", "1003", 160, "dibao", "")],
    )
    red, black = approve_manual(by=finance, on=OCTOBER, manual_id=draft.pk)
    assert {red.month, black.month} == {OCTOBER}
    with reading(finance):
        standing = {each.division: each for each in queries.book_standings(PREFIX, date(2021, 11, 1))}
    assert (standing[MEISHAN].closed, standing[MEISHAN].unreviewed, standing[MEISHAN].deposit_fen) == (
        SEPTEMBER,
        1,
        260,
    )


def test_LED_02_many_places_close_together_or_none(people: People, finance: Actor, accountant: Actor) -> None:
    straight_path(finance)
    straight_path(finance, start=11, division=QINGSHAN)
    reviewed(accountant, OCTOBER, SEPTEMBER)
    told = [Statement(QINGSHAN, 250), Statement(MEISHAN, 251)]
    with pytest.raises(BankDiffers, match=r"^梅山镇的银行余额"):
        close_months(by=accountant, on=OCTOBER, month=SEPTEMBER, statements=told)
    with reading(accountant):
        assert not MonthClose.objects.exists()
    told[1] = Statement(MEISHAN, 250)
    assert len(close_months(by=accountant, on=OCTOBER, month=SEPTEMBER, statements=told)) == 2


def test_LED_02_the_database_closes_nothing_by_itself_that_is_not_in_order(finance: Actor, accountant: Actor) -> None:
    straight_path(finance)
    with reading(accountant):
        signature = None

    def close(**told: Any) -> None:
        MonthClose.objects.create(
            division=MEISHAN, month=SEPTEMBER, closed_by=accountant.appointment, closed_on=OCTOBER,
            **{"bank_fen": 250, "book_fen": 250, "signature": signature} | told,
        )  # fmt: skip

    with pytest.raises(IntegrityError, match="all_reviewed"), reading(accountant):
        close()
    reviewed(accountant, OCTOBER, SEPTEMBER)
    with reading(accountant):
        signature = VoucherReview.objects.first().signature
    with pytest.raises(IntegrityError, match="close_signed"), reading(accountant):
        close(signature=None)
    with pytest.raises(IntegrityError, match="close_books"), reading(accountant):
        close(bank_fen=900, book_fen=900)
    with pytest.raises(IntegrityError, match="agrees_with_bank"), reading(accountant):
        close(bank_fen=251)
    with transaction.atomic("maintenance"):
        LedgerLine.objects.using("maintenance").filter(amount_fen=150).update(amount_fen=151)
    with pytest.raises(BooksDiffer, match=r"^梅山镇的账自身不平。\S+存款 2021年"):
        close_month(by=accountant, on=OCTOBER, division=MEISHAN, month=SEPTEMBER, bank_fen=250)


def test_LED_02_a_year_ends_in_what_is_carried_over_by_programme(
    people: People, finance: Actor, accountant: Actor
) -> None:
    straight_path(finance)
    post(by=finance, event="returned", subject="a:5", amount_fen=50)
    straight_path(finance, start=21, programme="grain", on=date(2021, 12, 30))
    january = date(2022, 1, 4)
    post(by=finance, event="funds_received", subject="a:31", amount_fen=400, on=january)
    for month_ in (SEPTEMBER, date(2021, 12, 1), date(2022, 1, 1)):
        reviewed(accountant, january, month_)
    close = {"by": accountant, "division": MEISHAN}
    close_month(**close, on=january, month=SEPTEMBER, bank_fen=300)
    with pytest.raises(NotCarriedOver):
        close_month(**close, on=january, month=date(2021, 12, 1), bank_fen=550)
    with pytest.raises(EarlierFirst, match="梅山镇2021年12月还没有结账"):
        close_month(**close, on=date(2022, 2, 1), month=date(2022, 1, 1), bank_fen=950)
    with pytest.raises(MonthNotOver):
        carry_over(by=accountant, on=date(2021, 12, 31), divisions=[MEISHAN], year=2021)
    [carried] = carry_over(by=accountant, on=january, divisions=[MEISHAN, QINGSHAN], year=2021)
    assert (carried.title, carried.occurred_on, carried.lines_count) == ("转字第 1 号", date(2021, 12, 31), 4)
    assert carry_over(by=accountant, on=january, divisions=[MEISHAN], year=2021) == []
    # Something of the old year comes in after all: it is carried over by a second voucher.
    post(by=finance, event="returned", subject="a:6", amount_fen=50, on=date(2021, 12, 31), programme="grain")
    post(by=finance, event="paid_back", subject="a:7", amount_fen=10, on=date(2021, 12, 31))
    with reading(finance):
        assert verdicts(finance, [carried]) == {carried.pk: LEFT}
    [again] = carry_over(by=accountant, on=january, divisions=[MEISHAN], year=2021)
    assert (again.number, again.amount_fen) == (2, 10)
    with pytest.raises(NotReversible):
        propose_correction(by=finance, on=january, voucher_id=again.pk, reason="不要这样结转")
    with pytest.raises(NotReviewed):
        close_month(**close, on=january, month=date(2021, 12, 1), bank_fen=610)
    for each in (carried, again):
        with pytest.raises(SamePerson):
            review_voucher(by=accountant, on=january, voucher_id=each.pk, note="自己看过")
    # Held against the books, all places' at one stroke; what finance took in itself is left for the accountant.
    left = review_month(by=finance, on=january, prefix=PREFIX, month=date(2021, 12, 1)).left
    assert {voucher.event for voucher, _ in left} == {"returned", "paid_back"}
    reviewed(accountant, january, date(2021, 12, 1))
    close_month(**close, on=january, month=date(2021, 12, 1), bank_fen=610)
    assert balances(accountant, month(2021, 12)) == {"1002": 610, "3101": 610}
    assert balances(accountant, month(2022, 1)) == {"1002": 1010, "3001": 400, "3101": 610}
    _statements_of_the_year(accountant)


def _statements_of_the_year(accountant: Actor) -> None:
    """What the year's statements say after its end: income and expenses as they were, both sides equal."""
    year = Period(date(2021, 1, 1), date(2022, 1, 1))
    with reading(accountant):
        rows = statements.movements(PREFIX, year, carried=False)
        money = {line.label: line.second_fen for line in statements.receipts_and_payments(rows)}
        programmes = {row.programme: row for row in statements.programme_rows(rows, by_place=False)}
        assets, others = statements.balance_sheet(statements.movements(PREFIX, month(2022, 1)))
        opening, months = statements.general_ledger(MEISHAN[:9], "1002", month(2022, 1))
        assert {row.code for row in statements.movements(PREFIX, month(2022, 1)) if row.opening_fen} == {"1002", "3101"}
        assert differences_of(MEISHAN, date(2022, 1, 1)) == []
    assert (money["拨入专款"], money["支出合计"], money["收支差额"]) == (2000, 1390, 610)
    assert [(row.received_fen, row.spent_fen, row.other_fen, row.closing_fen) for row in programmes.values()] == [
        (1000, 690, 0, 310), (1000, 700, 0, 300),
    ]  # fmt: skip
    assert (assets[-1].first_fen, assets[-1].second_fen) == (others[-1].first_fen, others[-1].second_fen) == (610, 1010)
    assert (opening, months[0].closing_fen, months[0].year_debit_fen) == (610, 1010, 400)


def test_LED_02_what_a_county_issued_is_set_off_in_the_sum_of_its_townships(finance: Actor, accountant: Actor) -> None:
    open_books(by=finance, divisions=[COUNTY])
    post(by=finance, event="funds_received", subject="a:1", amount_fen=1000, division=COUNTY)
    post(by=finance, event="funds_issued", subject="a:2", amount_fen=600, division=COUNTY)
    post(by=finance, event="funds_received", subject="a:3", amount_fen=600)
    with reading(accountant):
        rows = statements.movements(PREFIX, month(2021, 9), carried=False)
        whole = {line.label: line.first_fen for line in statements.receipts_and_payments(rows) if line.total}
        own = [row for row in rows if row.division == COUNTY]
        alone = {line.label: line.first_fen for line in statements.receipts_and_payments(own) if line.total}
    assert whole == {"收入合计": 1000, "支出合计": 0, "收支差额": 1000}
    assert alone == {"收入合计": 1000, "支出合计": 600, "收支差额": 400}
