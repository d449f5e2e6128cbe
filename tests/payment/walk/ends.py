"""The end of a run: books closed with the bank's own balances, the quarter proved, the chain verified, and every cent at its place."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from huimin.audit.verifying import verify
from huimin.demo import recount
from huimin.funds.indicators import decide_moves, propose_carries
from huimin.kernel.periods import add_months, month_start
from huimin.ledger.closing import Statement, carry_over, close_months
from huimin.ledger.reviewing import review_month, review_voucher
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.payment.quarter_proof import prove_quarter, sign_quarter
from tests.payment.walk.holds import came_back, fetched
from tests.payment.walk.offices import COUNTY, PROGRAMMES, finance, special

if TYPE_CHECKING:
    from tests.payment.walk.doing import Doing

VERIFIED_EVERY = 4
_STILL = """
SELECT i.id, i.state, b.batch_no FROM payment_instruction i JOIN payment_batch b ON b.id = i.batch_id
WHERE i.state IN ('sent', 'unknown') AND b.division = ANY(%s)
"""
_PAID = """
SELECT b.division, sum(i.amount_fen)::bigint FROM payment_instruction i JOIN payment_batch b ON b.id = i.batch_id WHERE i.state = 'paid' GROUP BY 1
"""
_LINES = "SELECT left(r.division, 9) || '000', sum(l.amount_fen)::bigint FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id WHERE l.state = 'paid' GROUP BY 1"
# What is owed at the end of everything waits for an account nobody opened.
_OWED = """
SELECT d.id, d.programme, d.period_from, d.kind, d.amount_fen,
       (SELECT string_agg(r.id || ' ' || r.state || ' ' || l.id || ' ' || l.state || ' ' || l.withheld_reason, '; ') FROM payment_linedue x
          JOIN payment_rosterline l ON l.id = x.line_id JOIN payment_roster r ON r.id = l.roster_id WHERE x.due_id = d.id)
FROM payment_due d
WHERE d.state = 'owed' AND left(d.division, 9) || '000' = ANY(%s) AND d.programme = ANY(%s)
  AND NOT EXISTS (SELECT 1 FROM payment_paymentexception e LEFT JOIN payment_rosterline l ON l.id = e.line_id
       WHERE e.state = 'open' AND e.kind IN ('no_card', 'returned', 'check') AND (e.entitlement_id = d.entitlement_id OR l.entitlement_id = d.entitlement_id))
"""


def require_rest(walk: "Doing") -> None:
    """Nothing waits for the bank; nothing is owed that could be paid; bank = ledger = rosters."""
    places = list(walk.offices.places)
    assert not (still := fetched(_STILL, [places])), f"the bank has not answered: {still}"
    assert not (owed := fetched(_OWED, [places, list(PROGRAMMES)])), f"owed and nowhere to be paid: {owed}"
    held, books = walk.bank.balances(), balances()
    differing = [
        place for place in places if held[special(place)] != books.get((place, "1002"), 0) + not_told(walk, place)
    ]
    assert differing == [], (differing, books)
    assert all(books.get((place, "1003"), 0) == 0 for place in places)
    paid, lines = dict(fetched(_PAID)), dict(fetched(_LINES))
    credited = credited_by_place(walk)
    assert {place: paid.get(place, 0) for place in places} == {place: lines.get(place, 0) for place in places}
    assert {place: paid.get(place, 0) for place in places} == {
        place: credited.get(special(place), 0) for place in places
    }
    assert walk.bank.problems() == []
    assert [each for each in recount._once() if each.difference] == []
    close_books(walk)
    carry(walk)
    if walk.taken.runs % VERIFIED_EVERY == 0:  # the whole log of the county, not only of the walk
        report = verify()
        assert report.ok, report.lines()


def balances() -> dict[tuple[str, str], int]:
    rows = fetched(
        "SELECT g.division, g.code, sum(CASE WHEN g.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END)::bigint"
        " FROM ledger_ledgeraccount g JOIN ledger_ledgerline l ON g.id IN (l.debit_id, l.credit_id) GROUP BY 1, 2"
    )
    return {(place, code): fen for place, code, fen in rows}


_CREDITED = """
SELECT o.payer, sum(r.amount_fen) FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'payment'
JOIN orders AS o ON o.file_id = files.id WHERE r.state = 'S' GROUP BY 1
"""


def not_told(walk: "Doing", place: str) -> int:
    """Money back at the bank of lines that are being recovered: it waits for a receipt."""
    return came_back(walk.bank, told=False).get(special(place), 0)


def credited_by_place(walk: "Doing") -> dict[str, int]:
    """What the bank credited of each special account, less what came back and was booked."""
    credited = {account: int(fen) for account, fen in walk.bank.rows(_CREDITED)}
    for account, fen in came_back(walk.bank, told=True).items():
        credited[account] -= fen
    return credited


# Months before the last with vouchers, still open, and what the books hold at their ends.
_OPEN_MONTHS = """
SELECT v.division, v.month, (SELECT coalesce(sum(CASE WHEN g.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END), 0)::bigint
    FROM ledger_ledgeraccount g JOIN ledger_ledgerline l ON g.id IN (l.debit_id, l.credit_id)
    WHERE g.division = v.division AND g.code = '1002' AND l.occurred_on < v.month + interval '1 month')
FROM (SELECT DISTINCT division, month FROM ledger_voucher) v
WHERE v.month < %s AND NOT EXISTS (SELECT 1 FROM ledger_monthclose c WHERE c.division = v.division AND c.month >= v.month)
ORDER BY v.month, v.division
"""


def close_books(walk: "Doing") -> None:
    """Every month is reviewed and closed, the last with what the bank holds; the quarters proved and signed."""
    by, month = finance(Post.ACCOUNTANT), month_start(walk.on)
    on = add_months(month, 1) + timedelta(days=5)
    for (each,) in fetched("SELECT DISTINCT month FROM ledger_voucher WHERE month <= %s ORDER BY 1", [month]):
        review_month(by=by, on=on, prefix=by.prefix, month=each)
        for voucher, why in review_month(
            by=finance(), on=on, prefix=by.prefix, month=each
        ).left:  # what the accountant did himself
            raise AssertionError(f"{voucher.title} {voucher.event} {voucher.subject}: {why}")
    held, books = walk.bank.balances(), balances()
    rows = fetched("SELECT DISTINCT division FROM ledger_turnover")
    told = [Statement(place, held[special(place)] - not_told(walk, place)) for (place,) in rows]
    assert all(each.bank_fen == books.get((each.division, "1002"), 0) for each in told)
    if on.year > month.year:
        for voucher in carry_over(by=by, on=on, divisions=[place for (place,) in rows], year=month.year):
            review_voucher(by=finance(), on=on, voucher_id=voucher.pk, note="与余额表一致")
    for place, each, book in fetched(_OPEN_MONTHS, [month]):
        close_months(by=by, on=on, month=each, statements=[Statement(place, book)])
    close_months(by=by, on=on, month=month, statements=told)
    for year, number in ((2021, 3), (2021, 4)):
        if date(year, number * 3, 28) < month_start(on) or number == 3:
            prove(on, year, number)


def prove(on: date, year: int, number: int) -> None:
    by = finance(Post.ACCOUNTANT)
    with reading(by):
        proved = prove_quarter(by.prefix, year, number)
    assert not proved.count, proved.differences
    if on.month > number * 3 or on.year > year:
        sign_quarter(by=by, on=on, division=COUNTY, prefix=by.prefix, year=year, number=number)


def carry(walk: "Doing") -> None:
    """What is left of every indicator goes into the next year, once."""
    on = date(walk.on.year + 1, 1, 10)
    if wanting := [number for (number,) in fetched("SELECT id FROM funds_allotmentmove WHERE state = 'proposed'")]:
        assert decide_moves(by=finance(Post.FINANCE_RELEASER), on=on, move_ids=wanting, refusal="指标余额不够") == len(
            wanting
        )
    left = [number for (number,) in fetched(_LEFT)]
    assert propose_carries(by=finance(), on=on, allotment_ids=left) == len(left)
    moves = [number for (number,) in fetched("SELECT id FROM funds_allotmentmove WHERE state = 'proposed'")]
    assert decide_moves(by=finance(Post.FINANCE_RELEASER), on=on, move_ids=moves) == len(left) == len(moves)
    assert fetched(_LEFT) == []
    walk.holds()


_LEFT = """
SELECT a.id FROM funds_allotment a WHERE a.year = 2021 AND a.state = 'in_force'
  AND a.amount_fen - a.reserved_fen - a.spent_fen - a.issued_fen - a.carried_fen - a.cut_fen > 0 ORDER BY 1
"""
