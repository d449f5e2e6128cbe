"""Account books (明细账): the lines of one account in one place's books, each with the balance after it (LED-02).

in    an account, a period of whole months, a programme or all
out   pages by key with running balances; the whole book for a workbook or a paper

Always true: a page reads its own lines by index and the first one's day, and takes the balance before that day from
stored balances and turnovers; the balance after the last line of a period is the period's closing balance.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from string import Template
from typing import Any, NamedTuple

from huimin.database.bulk import fetch
from huimin.database.paging import SIZE, Page, cut_fetched
from huimin.kernel.periods import Period
from huimin.ledger.models import LedgerAccount

EXPORT_MAX = 200_000


class DetailLine(NamedTuple):
    """A line of an account book; `balance_fen` is signed, debits less credits, after it."""

    id: int
    occurred_on: date
    voucher: int
    word: str
    number: int
    event: str
    summary: str
    programme: str
    reference: str
    other: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


# The first lines behind the key on one side of an account, by that side's index.
_SIDE = """
(SELECT l.id, l.occurred_on, l.voucher_id, l.programme, l.reference, l.${other}_id AS other, $debit AS debit, $credit AS credit
 FROM ledger_ledgerline l
 WHERE l.${side}_id = %(account)s AND l.occurred_on >= %(start)s AND l.occurred_on < %(until)s $behind
   AND (%(programme)s = '' OR l.programme = %(programme)s)
 ORDER BY l.occurred_on $order, l.id $order LIMIT %(size)s)
"""
# Both sides merged; vouchers are looked up for the page only.
_PAGE = """
WITH page AS (SELECT * FROM ($debits UNION ALL $credits) AS s ORDER BY occurred_on $order, id $order LIMIT %(size)s)
SELECT p.id, p.occurred_on, p.voucher_id, v.word, v.number, v.event, v.summary, p.programme, p.reference, o.code,
       p.debit, p.credit, (sum(p.debit - p.credit) OVER (ORDER BY p.occurred_on, p.id))::bigint
FROM page p JOIN ledger_voucher v ON v.id = p.voucher_id JOIN ledger_ledgeraccount o ON o.id = p.other
ORDER BY p.occurred_on, p.id
"""
_BEHIND = "AND (l.occurred_on, l.id) $sign (%(day)s, %(id)s)"


def _detail_sql(backwards: bool, behind: bool) -> str:
    debits = Template(_SIDE).safe_substitute(side="debit", other="credit", debit="l.amount_fen", credit="0::bigint")
    credits = Template(_SIDE).safe_substitute(side="credit", other="debit", debit="0::bigint", credit="l.amount_fen")
    page = Template(_PAGE).safe_substitute(debits=debits, credits=credits)
    order, sign = ("DESC", "<") if backwards else ("ASC", ">")
    key = Template(_BEHIND).substitute(sign=sign) if behind else ""
    return Template(page).substitute(order=order, behind=key)


_BEFORE = """
SELECT coalesce(sum(x.fen), 0)::bigint FROM (
    SELECT ledger_balance_of(%(account)s, p.programme, %(day)s) AS fen
    FROM (SELECT DISTINCT t.programme FROM ledger_turnover t WHERE t.account_id = %(account)s
             AND (%(programme)s = '' OR t.programme = %(programme)s)) AS p
    UNION ALL SELECT l.amount_fen FROM ledger_ledgerline l WHERE l.debit_id = %(account)s AND l.occurred_on = %(day)s
        AND l.id < %(id)s AND (%(programme)s = '' OR l.programme = %(programme)s)
    UNION ALL SELECT -l.amount_fen FROM ledger_ledgerline l WHERE l.credit_id = %(account)s AND l.occurred_on = %(day)s
        AND l.id < %(id)s AND (%(programme)s = '' OR l.programme = %(programme)s)) AS x
"""


@dataclass(frozen=True)
class AccountBook:
    """Which account of which place's books, in which period, under which programme ("" for all)."""

    account: LedgerAccount
    period: Period
    programme: str = ""

    def where(self, **more: Any) -> dict[str, Any]:
        return {
            "account": self.account.pk, "start": self.period.start, "until": self.period.until,
            "programme": self.programme, **more,
        }  # fmt: skip

    def balance_before(self, day: date, line: int = 0) -> int:
        """Signed balance before a day's line: stored balances, turnovers of days, and that day's lines before it."""
        [(fen,)] = fetch(_BEFORE, self.where(day=day, id=line))
        return int(fen)


def find_account(division: str, code: str) -> LedgerAccount | None:
    return LedgerAccount.objects.filter(division=division, code=code).first()


def page_detail(book: AccountBook, place: str = "", size: int = SIZE) -> Page[DetailLine]:
    """A page of 明细账, oldest first, by key; it reads the page's lines, and the first one's day, whatever the length."""

    def rows(key: tuple[date, int] | None, backwards: bool, most: int) -> list[DetailLine]:
        where = book.where(size=most, day=key[0] if key else None, id=key[1] if key else None)
        return [DetailLine(*row) for row in fetch(_detail_sql(backwards, key is not None), where)]

    found = cut_fetched(rows, lambda line: (line.occurred_on, line.id), place, size)
    if not found.rows:
        return found
    first = found.rows[0]
    shift = book.balance_before(first.occurred_on, first.id) + first.debit_fen - first.credit_fen - first.balance_fen
    return Page([row._replace(balance_fen=row.balance_fen + shift) for row in found.rows], found.previous, found.next)


def iterate_detail(book: AccountBook, most: int = EXPORT_MAX) -> Iterator[DetailLine]:
    """The whole account book of a period, a page at a time."""
    place, left = "", most
    while left > 0:
        page = page_detail(book, place, min(1000, left))
        yield from page.rows
        left -= len(page.rows)
        place = page.next
        if not place:
            return
