"""What tests of the books do before they begin, and how they look at them."""

from datetime import date
from typing import Any

from huimin.kernel.periods import Period
from huimin.ledger import statements
from huimin.ledger.reviewing import review_month
from huimin.organisation.acting import Actor, reading
from tests.ledger.test_ledger import post
from tests.notices.people import COUNTY, MEISHAN

DAY = date(2021, 9, 20)
SEPTEMBER, OCTOBER = date(2021, 9, 1), date(2021, 10, 1)
PREFIX = COUNTY[:6]


def straight_path(by: Actor, on: date = DAY, start: int = 1, **more: Any) -> None:
    """1,000 in, 900 sent, 700 paid, 150 back; 50 still on its way."""
    for at, (event, fen) in enumerate((("funds_received", 1000), ("sent", 900), ("paid", 700), ("returned", 150))):
        post(by=by, event=event, subject=f"a:{start + at}", amount_fen=fen, on=on, **more)


def balances(by: Actor, period: Period, prefix: str = MEISHAN[:9], **more: Any) -> dict[str, int]:
    with reading(by):
        rows = statements.movements(prefix, period, **more)
        assert statements.difference_of(rows).is_zero
        return {row.code: row.closing_fen for row in statements.balance_rows(rows) if row.closing_fen}


def reviewed(by: Actor, on: date, month_: date) -> None:
    left = review_month(by=by, on=on, prefix=PREFIX, month=month_).left
    assert not left, [why for _, why in left]
