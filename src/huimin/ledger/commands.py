"""Post events into the books of a place, and close its months (LED-01).

in    events of other rooms, in their transaction: what happened (event), to what (subject), which amounts
out   a voucher with its lines; nothing when this event of this subject was posted before

Always true when a function of this module returns:

- Debits equal credits, in every voucher, month and place: a line has both.
- An event of a subject is posted once, whatever is repeated.
- Nothing is dated in a closed month; no account of money is below zero (also by triggers, migration 0002).

Postings lock the books of a place until the transaction ends; who posts into several places does so in one call, or
by rising codes. A month may be closed with money in transit: the bank has five working days, so a month's end falls
between sending and answer as a rule, and the balance of 1003 is carried over like any other. Law: S0 A2 art 21.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from huimin.database.bulk import fetch, run
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.ledger.chart import CHART, MOVES
from huimin.ledger.models import LedgerAccount, MonthClose, Voucher
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post


class MonthIsClosed(Refusal):
    """The books of the month are closed."""


class MonthNotOver(Refusal):
    """A month is closed after its last day."""


class NoBooks(Refusal):
    """The place has no books, or not this account."""


class WrongAccounts(Refusal):
    """The event does not move these accounts."""


class AccountOverdrawn(Refusal):
    """The special account, or what is in transit, does not hold that much."""


Line = tuple[str, str, int, str, str]
"""(debit_code, credit_code, amount_fen, programme, reference)"""


class EventRow(NamedTuple):
    """One event of one amount, for `post_events`."""

    division: str
    event: str
    subject: str
    summary: str
    amount_fen: int
    programme: str
    reference: str = ""


class _Head(NamedTuple):
    division: str
    event: str
    subject: str
    summary: str
    lines_count: int
    amount_fen: int


class _Entry(NamedTuple):
    event: str
    subject: str
    debit: str
    credit: str
    amount_fen: int
    programme: str
    reference: str


refused_by_constraint("ledger_month_closed", MonthIsClosed, "该月已经结账，不能再记账", "请记入未结账的月份")
refused_by_constraint("ledger_event_accounts", WrongAccounts, "这类业务不能这样记账", "专户资金只能发给对象或原路退回")
refused_by_constraint("ledger_never_overdrawn", AccountOverdrawn, "专户存款或在途资金不足", "请先核对资金是否到账")
refused_by_constraint("ledger_voucher_whole", AlreadyDone, "凭证已经记账，不能再加分录", "更正请另作凭证")


def open_books(*, by: Actor, on: date, divisions: list[str]) -> int:
    """The four accounts for each place; how many were new. One query."""
    return run(
        "INSERT INTO ledger_ledgeraccount (division, code, name, kind)"
        " SELECT p.division, a.code, a.name, a.kind FROM unnest(%s::text[]) AS p (division),"
        " unnest(%s::text[], %s::text[], %s::text[]) AS a (code, name, kind)"
        " ON CONFLICT (division, code) DO NOTHING",
        [divisions, [a.code for a in CHART], [a.name for a in CHART], [str(a.kind) for a in CHART]],
    )


def post_voucher(
    *, by: Actor, on: date, division: str, event: str, subject: str, summary: str, lines: Iterable[Line]
) -> Voucher | None:
    """One voucher of any number of lines, dated `on`; None when this event of this subject was posted before.

    MonthIsClosed, NoBooks; AccountOverdrawn and WrongAccounts by the database. Five queries.
    """
    entries = [_Entry(event, subject, *line) for line in lines]
    assert entries, "a voucher has lines"
    head = _Head(division, event, subject, summary, len(entries), sum(entry.amount_fen for entry in entries))
    made = _post(by, on, [head], entries)
    return Voucher.objects.get(pk=made[0]) if made else None


def post_event(
    *,
    by: Actor,
    on: date,
    division: str,
    event: str,
    subject: str,
    summary: str,
    amount_fen: int,
    programme: str,
    reference: str = "",
) -> Voucher | None:
    """One event of one amount, on the accounts it moves (ledger.chart); None when it was posted before."""
    debit, credit = MOVES[event]
    line = (debit.code, credit.code, amount_fen, programme, reference)
    return post_voucher(by=by, on=on, division=division, event=event, subject=subject, summary=summary, lines=[line])


def post_events(*, by: Actor, on: date, rows: Iterable[EventRow]) -> int:
    """Many events at once, a voucher of one line each; how many were new. Four queries for any number."""
    events = [EventRow(*row) for row in rows]
    heads = [_Head(row.division, row.event, row.subject, row.summary, 1, row.amount_fen) for row in events]
    entries = [
        _Entry(row.event, row.subject, debit.code, credit.code, row.amount_fen, row.programme, row.reference)
        for row in events
        for debit, credit in [MOVES[row.event]]
    ]
    return len(_post(by, on, heads, entries)) if heads else 0


def _post(by: Actor, on: date, heads: list[_Head], entries: list[_Entry]) -> list[int]:
    """Ids of the vouchers that were new; `entries` of the others are left out. Four queries."""
    places = {head.division for head in heads}
    _require_open(on, places)
    accounts = _accounts_of(places)
    made = fetch(
        "INSERT INTO ledger_voucher (division, event, subject, summary, lines_count, amount_fen, occurred_on, posted_by)"
        " SELECT h.*, %s, %s"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bigint[]) AS h"
        " ON CONFLICT (event, subject) DO NOTHING RETURNING id, division, event, subject",
        [on, by.appointment, *_columns(heads)],
    )
    new = {(event, subject): (number, division) for number, division, event, subject in made}
    _add_lines([(*new[entry[:2]], entry) for entry in entries if entry[:2] in new], accounts, on)
    return [number for number, _ in new.values()]


def _accounts_of(places: set[str]) -> dict[tuple[str, str], int]:
    """(division, code) -> id."""
    found = LedgerAccount.objects.filter(division__in=places).values_list("division", "code", "id")
    return {(division, code): number for division, code, number in found}


def _add_lines(posted: list[tuple[int, str, _Entry]], accounts: dict[tuple[str, str], int], on: date) -> None:
    try:
        rows = [
            (voucher, division, accounts[division, e.debit], accounts[division, e.credit],
             e.amount_fen, e.programme, e.reference)
            for voucher, division, e in posted
        ]  # fmt: skip
    except KeyError as missing:
        division, code = missing.args[0]
        raise NoBooks(f"{division} 没有科目 {code}", why="该地没有建账", remedy="请先开立惠民资金专户") from None
    if rows:
        run(
            "INSERT INTO ledger_ledgerline"
            " (voucher_id, division, debit_id, credit_id, amount_fen, programme, reference, occurred_on)"
            " SELECT l.*, %s FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],"
            " %s::text[], %s::text[]) AS l",
            [on, *_columns(rows)],
        )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _require_open(on: date, divisions: set[str]) -> None:
    closed = MonthClose.objects.filter(division__in=divisions, month__gte=month_start(on)).order_by("division").first()
    if closed is not None:
        raise MonthIsClosed(
            f"{closed.division} {closed.month:%Y年%m月}已经结账，{on} 的业务不能记账",
            why=f"{closed.closed_on} 结账",
            remedy="请记入未结账的月份，更正另作凭证",
        )


@command(Post.ACCOUNTANT)
def close_month(*, by: Actor, on: date, division: str, month: date) -> MonthClose:
    """Close the books of one place up to the end of the month that begins on `month`; again changes nothing.

    MonthNotOver before its last day has passed; NoBooks where there are none. Balances are carried over as they are,
    in transit or not (see above); reopening does not exist.
    """
    assert month.day == 1
    require_place(by, division)
    if on < add_months(month, 1):
        raise MonthNotOver(f"{month:%Y年%m月}还没有结束", why=f"今天是 {on}", remedy="请在下月办理结账")
    if not LedgerAccount.objects.filter(division=division).exists():
        raise NoBooks(f"{division} 没有账簿", remedy="请先开立惠民资金专户")
    closed, _ = MonthClose.objects.get_or_create(
        division=division, month=month, defaults={"closed_by": by.appointment, "closed_on": on}
    )
    return closed
