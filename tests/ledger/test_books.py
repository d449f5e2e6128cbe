"""LED-01, LED-02: vouchers reviewed by another person and corrected by red ones; account books; any sequence of acts."""

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
    NotCarriedOver,
    carry_over,
    close_month,
)
from huimin.ledger.commands import AccountOverdrawn, WrongAccounts
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
from huimin.ledger.models import LedgerLine, ManualVoucher, Voucher, VoucherReview
from huimin.ledger.reviewing import OWN, review_month, review_voucher
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from tests.ledger.bookkeeping import DAY, OCTOBER, PREFIX, SEPTEMBER, balances, reviewed, straight_path
from tests.ledger.test_ledger import post
from tests.notices.people import MEISHAN, People

pytestmark = pytest.mark.usefixtures("business")


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
