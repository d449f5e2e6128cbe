"""What the books ask of a desk: vouchers to review and to approve, months and years to close, quarters to prove (LED-02, LED-03).

in    who asks and when; inside `reading(by)`
out   rows as case_todo has them. Few queries, each bounded
"""

from collections.abc import Iterator
from datetime import date

from django.urls import reverse

from huimin.kernel.periods import add_months, month_start, quarter
from huimin.ledger import queries
from huimin.ledger.closing import carry_over, close_months
from huimin.ledger.correcting import approve_manual
from huimin.ledger.reviewing import review_month
from huimin.organisation.acting import Actor, may
from huimin.payment.quarter_proof import sign_quarter
from huimin.workbench.case_todo import Row


def rows_of(by: Actor, on: date) -> Iterator[Row]:
    if may(by, review_month):
        for month, count, fen in queries.count_unreviewed(by.prefix, not_by=by.account):
            where = f"{reverse('voucher-reviews')}?month={month:%Y-%m}"
            due = add_months(month, 1) if month < month_start(on) else None
            yield "审核凭证", f"张，{month.year}年{month.month}月", by.office_name, count, fen, due, where
    if may(by, approve_manual) and (waiting := queries.count_manual_waiting(by.prefix, not_by=by.appointment)):
        where = f"{reverse('manual-vouchers')}?state=proposed"
        yield "审定手工凭证", "张，由另一人提出", by.office_name, waiting, None, None, where
    if may(by, close_months):
        yield from _to_close(by, on)
    if may(by, sign_quarter):
        yield from _to_prove(by, on)


def _to_close(by: Actor, on: date) -> Iterator[Row]:
    """Books that posted something in a month that is over and open; in January, first the year."""
    last = add_months(month_start(on), -1)
    if waiting := queries.count_open_books(by.prefix, add_months(last, 1)):
        where = f"{reverse('close-months')}?month={last:%Y-%m}"
        yield "月末结账", f"套账，结到{last.year}年{last.month}月", by.office_name, waiting, None, None, where
    if may(by, carry_over) and on.month <= 3:
        left = queries.left_to_carry(by.prefix, on.year - 1)
        if count := sum(1 for fen in left.values() if fen):
            yield "年终结转", f"套账，{on.year - 1}年", by.office_name, count, None, None, reverse("carry-over")


def _to_prove(by: Actor, on: date) -> Iterator[Row]:
    """The quarter before, once its books are closed and nobody has signed."""
    start = add_months(quarter(on.year, (on.month + 2) // 3).start, -3)
    number = (start.month + 2) // 3
    if queries.count_open_books(by.prefix, add_months(start, 3)) or not queries.has_postings(
        by.prefix, start, add_months(start, 3)
    ):
        return
    if not queries.is_proof_signed(by.division, start.year, number):
        where = f"{reverse('proofs')}?quarter={start.year}Q{number}"
        yield "三方核对签字", str(quarter(start.year, number)), by.office_name, 1, None, None, where
