"""LED-01, LED-02: vouchers reviewed by another person, corrected by red ones, months and years closed, statements."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huimin.database.bulk import fetch
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period, add_months, month
from huimin.ledger import queries, sources, statements
from huimin.ledger.account_books import AccountBook, find_account, iterate_detail, page_detail
from huimin.ledger.chart import OF_THE_YEAR
from huimin.ledger.closing import (
    BankDiffers,
    BooksDiffer,
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
from huimin.ledger.commands import AccountOverdrawn, MonthIsClosed, WrongAccounts
from huimin.ledger.correcting import (
    BooksInUse,
    NotProposed,
    NotReversible,
    approve_manual,
    between_programmes,
    propose_correction,
    propose_manual,
    refuse_manual,
)
from huimin.ledger.models import LedgerLine, ManualVoucher, MonthBalance, MonthClose, Voucher, VoucherReview
from huimin.ledger.proving import differences_of
from huimin.ledger.reviewing import OWN, review_month, review_voucher
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from tests.ledger.test_ledger import open_books, post
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People

DAY = date(2021, 9, 20)
SEPTEMBER, OCTOBER = date(2021, 9, 1), date(2021, 10, 1)
PREFIX = COUNTY[:6]


@pytest.fixture
def people(county: Callable[[str], str]) -> People:
    county("blank")
    made = People()
    for code in ("dibao", "grain"):
        Programme.objects.using("maintenance").create(
            code=code, division=COUNTY, name=code, abbreviation=code, department="civil_affairs", unit="household",
            period="month", payout="quarter", payee="household", basis="演示",
        )  # fmt: skip
    open_books(by=made.of("finance", Post.FINANCE_OFFICER), divisions=[MEISHAN, QINGSHAN])
    return made


@pytest.fixture
def finance(people: People) -> Actor:
    return people.of("finance", Post.FINANCE_OFFICER)


@pytest.fixture
def accountant(people: People) -> Actor:
    return people.of("finance", Post.ACCOUNTANT)


@pytest.fixture(autouse=True)
def business() -> Iterator[dict[int, str]]:
    """Subjects `a:…` agree with their business, but for those named here."""
    wrong: dict[int, str] = {}

    def check(vouchers: Sequence[Voucher]) -> dict[int, str]:
        return {each.pk: wrong.get(sources.number_of(each.subject), "") for each in vouchers}

    sources.keeps("a", check, lambda vouchers: {each.pk: [sources.Paper("单据", each.subject)] for each in vouchers})
    yield wrong
    del sources._SOURCES["a"]


def straight_path(by: Actor, on: date = DAY, start: int = 1, **more: Any) -> None:
    """1,000 in, 900 sent, 700 paid, 150 back; 50 still on its way."""
    for at, (event, fen) in enumerate((("funds_received", 1000), ("sent", 900), ("paid", 700), ("returned", 150))):
        post(by=by, event=event, subject=f"a:{start + at}", amount_fen=fen, on=on, **more)


def balances(by: Actor, period: Period, prefix: str = MEISHAN[:9], **more: Any) -> dict[str, int]:
    with reading(by):
        rows = statements.movements(prefix, period, **more)
        assert statements.difference_of(rows).is_zero
        return {row.code: row.closing_fen for row in statements.balance_rows(rows) if row.closing_fen}


def test_LED_02_a_second_person_reviews_what_agrees_and_is_told_what_does_not(
    people: People, finance: Actor, accountant: Actor, business: dict[int, str]
) -> None:
    straight_path(finance)
    post(by=finance, event="funds_received", subject="b:1", amount_fen=5)  # nobody keeps its business
    business[2] = "批次金额是 899.00 元"
    with pytest.raises(NotYourPost):
        review_month(by=people.of("meishan", Post.SETTLEMENT), on=DAY, prefix=MEISHAN[:9], month=SEPTEMBER)
    own = review_month(by=finance, on=DAY, prefix=PREFIX, month=SEPTEMBER)
    assert own.count == 0 and {why for _, why in own.left} == {OWN}
    done = review_month(by=accountant, on=DAY, prefix=PREFIX, month=SEPTEMBER)
    assert done.count == 3
    assert [(v.subject, why) for v, why in done.left] == [("a:2", "批次金额是 899.00 元"), ("b:1", sources.NOBODY)]
    assert review_month(by=accountant, on=DAY, prefix=PREFIX, month=SEPTEMBER).count == 0
    left = done.left[0][0]
    with pytest.raises(SamePerson):
        review_voucher(by=finance, on=DAY, voucher_id=left.pk, note="自己看过")
    with pytest.raises(BadInput):
        review_voucher(by=accountant, on=DAY, voucher_id=left.pk, note=" ")
    review_voucher(by=accountant, on=DAY, voucher_id=left.pk, note="与银行回单核对一致")
    with pytest.raises(AlreadyDone):
        review_voucher(by=accountant, on=DAY, voucher_id=left.pk, note="再看一次")
    with reading(accountant):
        assert [each.subject for each in queries.page_vouchers(queries.VoucherFilter(PREFIX, standing="waiting"))] == [
            "b:1"
        ]
        assert VoucherReview.objects.filter(matched=True).values("signature").distinct().count() == 1
    with pytest.raises(IntegrityError, match="who prepared it"), reading(finance):  # whoever writes
        VoucherReview.objects.create(
            voucher=done.left[1][0], division=MEISHAN, matched=True, reviewed_by=finance.appointment, reviewed_on=DAY,
            signature=VoucherReview.objects.first().signature,
        )  # fmt: skip


def test_LED_02_a_mistake_is_taken_back_in_red_once_and_posted_anew_by_two_people(
    people: People, finance: Actor, accountant: Actor
) -> None:
    received = post(by=finance, event="funds_received", subject="a:1", amount_fen=1000)
    post(by=finance, event="sent", subject="a:2", amount_fen=900)
    right = [("1002", "3001", 1200, "dibao", "ZJ1")]
    with pytest.raises(BadInput, match="不能记"):
        propose_correction(
            by=accountant, on=DAY, voucher_id=received.pk, reason="记错科目", lines=[("5001", "1002", 5, "dibao", "")]
        )
    with pytest.raises(BadInput, match="一样"):
        propose_correction(
            by=accountant,
            on=DAY,
            voucher_id=received.pk,
            reason="金额有误",
            lines=[("1002", "3001", 1000, "dibao", "")],
        )
    draft = propose_correction(by=accountant, on=DAY, voucher_id=received.pk, reason="银行回单为 12 元", lines=right)
    with pytest.raises(AlreadyDone):
        propose_correction(by=accountant, on=DAY, voucher_id=received.pk, reason="再提一次看看")
    with pytest.raises(SamePerson):
        approve_manual(by=accountant, on=DAY, manual_id=draft.pk)
    assert refuse_manual(by=finance, on=DAY, manual_id=draft.pk, refusal="回单还没到").state == "refused"
    # Anew; the red voucher alone would leave less than was sent, so both are posted in one stroke.
    draft = propose_correction(by=accountant, on=DAY, voucher_id=received.pk, reason="银行回单为 12 元", lines=right)
    red, black = approve_manual(by=finance, on=DAY, manual_id=draft.pk)
    assert (red.event, red.amount_fen, red.reverses_id, red.number) == ("reversal", -1000, received.pk, 3)
    assert (black.event, black.subject, black.edition, black.amount_fen, black.number) == (
        "funds_received",
        "a:1",
        2,
        1200,
        4,
    )
    assert balances(accountant, month(2021, 9)) == {"1002": 300, "1003": 900, "3001": 1200}
    with pytest.raises(NotProposed):
        approve_manual(by=finance, on=DAY, manual_id=draft.pk)
    with pytest.raises(NotReversible):
        propose_correction(by=accountant, on=DAY, voucher_id=red.pk, reason="冲销红字凭证")
    assert post(by=finance, event="funds_received", subject="a:1", amount_fen=1000) is None
    with reading(accountant):
        assert queries.find_voucher("funds_received", "a:1").pk == black.pk
        assert red.lines.get().amount_fen == -1000 and VoucherReview.objects.count() == 2
    alone = propose_correction(by=finance, on=DAY, voucher_id=black.pk, reason="整笔都是错的")
    with pytest.raises(AccountOverdrawn):
        approve_manual(by=accountant, on=DAY, manual_id=alone.pk)


def test_LED_02_the_database_posts_nothing_by_hand_that_two_people_did_not_agree_on(
    finance: Actor, accountant: Actor
) -> None:
    voucher = post(by=finance, event="funds_received", subject="a:1", amount_fen=1000)
    draft = propose_correction(by=accountant, on=DAY, voucher_id=voucher.pk, reason="整笔都是错的")
    head = {"division": MEISHAN, "event": "reversal", "subject": "voucher:1", "summary": "", "occurred_on": DAY,
            "lines_count": 1, "posted_by": 1, "reverses": voucher}  # fmt: skip
    with reading(finance):
        line = voucher.lines.select_related("debit", "credit").get()

    def red(fen: int, **more: Any) -> None:
        made = Voucher.objects.create(amount_fen=fen, **head, **more)
        LedgerLine.objects.create(
            voucher=made, division=MEISHAN, occurred_on=DAY, debit=line.debit, credit=line.credit, amount_fen=fen,
            programme="dibao",
        )  # fmt: skip

    with pytest.raises(IntegrityError, match="voucher_by_two"), reading(finance):
        red(-1000)
    with pytest.raises(IntegrityError, match="without approval"), reading(finance):
        red(-1000, manual=draft)
    with pytest.raises(IntegrityError, match="by who proposed"), reading(accountant):
        ManualVoucher.objects.filter(pk=draft.pk).update(
            state="approved", decided_by=accountant.appointment, decided_on=DAY
        )
    with pytest.raises(IntegrityError, match="not the mirror"), reading(finance):
        ManualVoucher.objects.filter(pk=draft.pk).update(
            state="approved", decided_by=finance.appointment, decided_on=DAY
        )
        red(-999, manual=draft)
    with pytest.raises(IntegrityError, match="not the mirror"), reading(finance):
        ManualVoucher.objects.filter(pk=draft.pk).update(
            state="approved", decided_by=finance.appointment, decided_on=DAY
        )
        line.programme = "grain"
        made = Voucher.objects.create(amount_fen=-1000, **head, manual=draft)
        LedgerLine.objects.create(
            voucher=made, division=MEISHAN, occurred_on=DAY, debit=line.debit, credit=line.credit, amount_fen=-1000,
            programme="grain",
        )  # fmt: skip


def test_LED_02_only_listed_kinds_are_made_by_hand(people: People, finance: Actor, accountant: Actor) -> None:
    def propose(kind: str, lines: Any, division: str = MEISHAN, **more: Any) -> ManualVoucher:
        told = {"summary": "手工", "reason": "按文件办理"} | more
        return propose_manual(by=accountant, on=DAY, division=division, kind=kind, lines=lines, **told)

    def posted(draft: ManualVoucher) -> list[Voucher]:
        return approve_manual(by=finance, on=DAY, manual_id=draft.pk)

    with pytest.raises(BadInput, match="不能手工"):
        propose("sent", [("1003", "1002", 5, "dibao", "")])
    with pytest.raises(BadInput, match="补贴项目"):
        propose("opening", [("1002", "3101", 500, "none", "")])
    for fen in (0, -5, 1.5, 10**15):
        with pytest.raises(BadInput, match="金额"):
            propose("opening", [("1002", "3101", fen, "dibao", "")])
    posted(
        propose("opening", [("1002", "3101", 500, "dibao", ""), ("1021", "3101", 40, "dibao", "")], summary="接旧账")
    )
    posted(propose("interest", [("1002", "2001", 3, "", "")], authority="结息单"))
    with pytest.raises(BooksInUse):
        posted(propose("opening", [("1002", "3101", 1, "dibao", "")]))
    # Another programme gets 200 of what is carried, with its money; no account changes.
    posted(propose("reclassified", between_programmes("3101", "dibao", "grain", 200), authority="财社〔2021〕3号"))
    with reading(accountant):
        rows = statements.movements(MEISHAN[:9], month(2021, 9), code="1002")
        assert {row.programme: row.closing_fen for row in rows} == {"": 3, "dibao": 300, "grain": 200}
    with pytest.raises(AccountOverdrawn):
        posted(propose("reclassified", between_programmes("3101", "grain", "dibao", 201)))
    with pytest.raises(WrongAccounts, match="不能改变"):
        posted(propose("reclassified", [("3101", "1002", 5, "dibao", ""), ("1002", "3101", 4, "grain", "")]))
    with pytest.raises(BadInput, match="依据文号"):
        propose("written_off", [("5003", "1021", 40, "dibao", "")])
    posted(propose("written_off", [("5003", "1021", 40, "dibao", "")], authority="金惠组〔2021〕5号"))
    assert balances(accountant, month(2021, 9)) == {"1002": 503, "2001": 3, "3101": 540, "5003": 40}
    with pytest.raises(NotYourPlace):
        propose("interest", [("1002", "2001", 3, "", "")], division="341525100000")


def reviewed(by: Actor, on: date, month_: date) -> None:
    left = review_month(by=by, on=on, prefix=PREFIX, month=month_).left
    assert not left, [why for _, why in left]


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
    with pytest.raises(NothingToClose):
        close_month(**close | {"division": COUNTY}, bank_fen=0)
    with pytest.raises(NotReviewed, match="4 张"):
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
    assert close_month(**close | {"on": date(2021, 10, 9)}, bank_fen=0).pk == closed.pk
    with pytest.raises(NothingToClose):
        close_month(**close | {"month": date(2021, 8, 1)}, bank_fen=0)
    for day in (DAY, date(2021, 9, 30), date(2021, 8, 1)):
        with pytest.raises(MonthIsClosed, match="结账"):
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
    with pytest.raises(BankDiffers, match=MEISHAN):
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
    with pytest.raises(BooksDiffer, match="自身不平"):
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
    with pytest.raises(NotCarriedOver, match="上一年"):
        close_month(**close, on=date(2022, 2, 1), month=date(2022, 1, 1), bank_fen=950)
    with pytest.raises(MonthNotOver):
        carry_over(by=accountant, on=date(2021, 12, 31), divisions=[MEISHAN], year=2021)
    [carried] = carry_over(by=accountant, on=january, divisions=[MEISHAN, QINGSHAN], year=2021)
    assert (carried.title, carried.occurred_on, carried.lines_count) == ("转字第 1 号", date(2021, 12, 31), 4)
    assert carry_over(by=accountant, on=january, divisions=[MEISHAN], year=2021) == []
    # Something of the old year comes in after all: it is carried over by a second voucher.
    post(by=finance, event="returned", subject="a:6", amount_fen=50, on=date(2021, 12, 31), programme="grain")
    post(by=finance, event="paid_back", subject="a:7", amount_fen=10, on=date(2021, 12, 31))
    [again] = carry_over(by=accountant, on=january, divisions=[MEISHAN], year=2021)
    assert (again.number, again.amount_fen) == (2, 10)
    with pytest.raises(NotReversible):
        propose_correction(by=finance, on=january, voucher_id=again.pk, reason="不要这样结转")
    with pytest.raises(NotReviewed):
        close_month(**close, on=january, month=date(2021, 12, 1), bank_fen=610)
    for each in (carried, again):
        with pytest.raises(SamePerson):
            review_voucher(by=accountant, on=january, voucher_id=each.pk, note="自己看过")
        review_voucher(by=finance, on=january, voucher_id=each.pk, note="与科目余额表核对一致")
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


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["funds_received", "sent", "paid", "returned", "paid_back", "recovery_raised", "recovered",
                         "reverse", "close", "next_month", "year_end"]),
        st.integers(1, 40), st.integers(1, 500), st.sampled_from(["dibao", "grain"]),
    ),
    min_size=5, max_size=30,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_LED_01_LED_02_random_events_reversals_and_closes_leave_books_that_balance(
    finance: Actor, accountant: Actor, acts: list[Any]
) -> None:
    """Whatever happens in whatever order: balanced, numbered without gaps, pages and statements equal the lines."""
    with reading(finance):
        sid = transaction.savepoint()
        day = date(2021, 10, 5)
        for act, number, fen, programme in acts:
            try:
                with transaction.atomic():
                    day = _act(finance, accountant, act, day, number, fen, programme)
            except (AccountOverdrawn, AlreadyDone, NotReversible, NotCarriedOver, IntegrityError) as refused:
                assert not isinstance(refused, IntegrityError) or any(
                    word in str(refused) for word in ("overdrawn", "closed")
                )
        _prove(day)
        transaction.savepoint_rollback(sid)
        transaction.set_rollback(True)


def _act(finance: Actor, accountant: Actor, act: str, day: date, number: int, fen: int, programme: str) -> date:
    """One act of the story; the day it is afterwards."""
    if act == "next_month":
        return add_months(day, 1)
    if act == "reverse":
        ids = fetch("SELECT id FROM ledger_voucher ORDER BY id")
        if ids:
            chosen = ids[number % len(ids)][0]
            draft = propose_correction(by=accountant, on=day, voucher_id=chosen, reason="冲销这一笔")
            approve_manual(by=finance, on=day, manual_id=draft.pk)
    elif act == "year_end":
        if day.year > 2021:
            for made in carry_over(by=accountant, on=day, divisions=[MEISHAN], year=day.year - 1):
                review_voucher(by=finance, on=day, voucher_id=made.pk, note="核对一致")
    elif act == "close":
        last = add_months(day.replace(day=1), -1)
        for month_ in {row[0] for row in fetch("SELECT DISTINCT month FROM ledger_voucher")}:
            review_month(by=accountant, on=day, prefix=PREFIX, month=month_)
        for voucher in Voucher.objects.filter(review=None, occurred_on__lt=day.replace(day=1)):
            review_voucher(by=accountant, on=day, voucher_id=voucher.pk, note="核对一致")
        held = queries.account_balances(
            MEISHAN[:9], code="1002", until=date.fromordinal(day.replace(day=1).toordinal() - 1)
        )
        close_month(by=accountant, on=day, division=MEISHAN, month=last, bank_fen=held[0].balance_fen)
    else:
        post(by=finance, event=act, subject=f"a:{number}", amount_fen=fen, on=day, programme=programme)
    return day


def _prove(day: date) -> None:
    trial = queries.trial_balance(PREFIX)
    assert trial.difference_fen == 0
    rows = fetch("SELECT array_agg(number ORDER BY number) FROM ledger_voucher GROUP BY division, word, month")
    assert all(numbers == list(range(1, len(numbers) + 1)) for (numbers,) in rows)
    plain = {row.code: row.balance_fen for row in trial.rows}
    assert all(fen >= 0 for code, fen in plain.items() if code.startswith("1"))
    whole = Period(date(2021, 1, 1), add_months(day.replace(day=1), 1))
    moved = statements.movements(PREFIX, whole)
    assert {row.code: row.closing_fen for row in statements.balance_rows(moved)} == plain
    late = statements.movements(PREFIX, Period(day.replace(day=1), whole.until))
    assert {row.code: row.closing_fen for row in statements.balance_rows(late)} == plain
    assert statements.difference_of(late).is_zero
    book = AccountBook(find_account(MEISHAN, "1002"), whole)
    paged, place = [], ""
    while True:
        page = page_detail(book, place, 4)
        paged += page.rows
        place = page.next
        if not place:
            break
    assert paged == list(iterate_detail(book))
    running = 0
    for line in paged:
        running += line.debit_fen - line.credit_fen
        assert line.balance_fen == running
    assert running == plain["1002"] and {each.code for each in OF_THE_YEAR} <= set(plain)


def test_LED_02_an_account_book_pages_both_ways_with_the_balance_of_every_line(
    finance: Actor, accountant: Actor
) -> None:
    for number in range(12):
        post(by=finance, event="funds_received", subject=f"a:{number}", amount_fen=5, on=date(2021, 9, 1 + number // 3))
    straight_path(finance, start=20, on=date(2021, 10, 8))
    reviewed(accountant, OCTOBER, SEPTEMBER)
    close_month(by=accountant, on=OCTOBER, division=MEISHAN, month=SEPTEMBER, bank_fen=60)
    with reading(accountant):
        book = AccountBook(find_account(MEISHAN, "1002"), Period(SEPTEMBER, date(2021, 11, 1)), "dibao")
        whole = list(iterate_detail(book))
        assert [line.balance_fen for line in whole] == [*range(5, 65, 5), 1060, 160, 310]
        page = page_detail(book, size=4)
        second = page_detail(book, page.next, 4)
        assert second.rows == whole[4:8] and page_detail(book, second.previous, 4).rows == page.rows
        assert page_detail(book, "broken!", 4).rows == page.rows
        october = AccountBook(book.account, month(2021, 10), "dibao")
        assert october.balance_before(OCTOBER) == 60 and page_detail(october).rows[0].balance_fen == 1060
        assert connection.in_atomic_block
