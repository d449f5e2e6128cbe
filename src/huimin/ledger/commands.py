"""Post events into the books of a place (LED-01).

in    events of other rooms, in their transaction: what happened (event), to what (subject), which amounts
out   a voucher with its lines, numbered; nothing when this event of this subject was posted before

Always true when a function of this module returns:

- Debits equal credits, in every voucher, month and place: a line has both.
- An event of a subject is posted once, whatever is repeated; the numbers of a place and month have no gap.
- Nothing is dated in a closed month; no account of money is below zero, under any programme (also by triggers,
  migration 0004).

Postings lock the books of a place until the transaction ends; who posts into several places does so in one call, or
by rising codes. A second person reviews what was posted (reviewing), months are closed (closing), mistakes are met by
red vouchers (correcting). Law: S0 A2 art 21.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from huimin.database.bulk import fetch, run
from huimin.divisions.queries import name_of
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import month_start
from huimin.ledger.chart import ACCOUNTS, CHART, DEPOSIT, MOVES, PAIRS
from huimin.ledger.models import LedgerAccount, MonthClose, Voucher
from huimin.organisation.acting import Actor, AlreadyDone, refused_by_constraint


class MonthIsClosed(Refusal):
    """The books of the month are closed."""


class NoBooks(Refusal):
    """The place has no books, or not this account."""


class WrongAccounts(Refusal):
    """The event does not move these accounts."""


class AccountOverdrawn(Refusal):
    """The special account, or what is in transit, does not hold that much."""


Line = tuple[str, str, int, str, str]
"""(debit_code, credit_code, amount_fen, programme, reference)"""


class EventRow(NamedTuple):
    """One event of one amount, for `post_events`; `accounts` where it is not the event's usual pair of codes."""

    division: str
    event: str
    subject: str
    summary: str
    amount_fen: int
    programme: str
    reference: str = ""
    accounts: tuple[str, str] | None = None


class Head(NamedTuple):
    """What a voucher says besides its lines; the last three only where it was proposed by hand (ledger.correcting)."""

    division: str
    event: str
    subject: str
    summary: str
    lines_count: int
    amount_fen: int
    edition: int = 1
    manual: int | None = None
    reverses: int | None = None


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
refused_by_constraint("voucher_once", AlreadyDone, "这件业务已经记过账", "请在序时账中查看")


def open_books(*, by: Actor, on: date, divisions: list[str]) -> int:
    """Every account of the chart for each place; how many were new. One query."""
    return _add_accounts(divisions)


def _add_accounts(divisions: list[str]) -> int:
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
    head = Head(division, event, subject, summary, len(entries), sum(entry.amount_fen for entry in entries))
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
    accounts: tuple[str, str] | None = None,
) -> Voucher | None:
    """One event of one amount, on its usual accounts or on `accounts` (ledger.chart); None when it was posted before."""
    line = (*_pair(event, accounts), amount_fen, programme, reference)
    return post_voucher(by=by, on=on, division=division, event=event, subject=subject, summary=summary, lines=[line])


def post_events(*, by: Actor, on: date, rows: Iterable[EventRow]) -> int:
    """Many events at once, a voucher of one line each; how many were new. Four queries for any number."""
    events = [EventRow(*row) for row in rows]
    heads = [Head(row.division, row.event, row.subject, row.summary, 1, row.amount_fen) for row in events]
    entries = [
        _Entry(row.event, row.subject, *_pair(row.event, row.accounts), row.amount_fen, row.programme, row.reference)
        for row in events
    ]
    return len(_post(by, on, heads, entries)) if heads else 0


def _pair(event: str, accounts: tuple[str, str] | None) -> tuple[str, str]:
    """Codes of debit and credit."""
    if accounts is None:
        debit, credit = MOVES[event]
        return debit.code, credit.code
    assert accounts in {(debit.code, credit.code) for debit, credit in PAIRS[event]}, (
        f"{event} does not move {accounts}"
    )
    return accounts


def _post(by: Actor, on: date, heads: list[Head], entries: list[_Entry]) -> list[int]:
    """Ids of the vouchers that were new; `entries` of the others are left out. Four queries."""
    accounts = require_books(on, {head.division for head in heads})
    new = add_heads(on, by.appointment, heads)
    add_lines([(*new[entry[:2]], entry[2:]) for entry in entries if entry[:2] in new], accounts, on)
    return [number for number, _ in new.values()]


def add_heads(on: date, prepared_by: int, heads: list[Head]) -> dict[tuple[str, str], tuple[int, str]]:
    """(event, subject) -> (id, division) of the vouchers that were new, numbered in this order; the lines must follow.

    Places are locked by rising codes.
    """
    made = fetch(
        "INSERT INTO ledger_voucher (division, event, subject, summary, lines_count, amount_fen, edition, manual_id,"
        " reverses_id, occurred_on, posted_by)"
        " SELECT h.division, h.event, h.subject, h.summary, h.lines, h.fen, h.edition, h.manual, h.reverses, %s, %s"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::bigint[], %s::int[],"
        " %s::bigint[], %s::bigint[]) WITH ORDINALITY"
        " AS h (division, event, subject, summary, lines, fen, edition, manual, reverses, at)"
        " ORDER BY h.division, h.at"
        " ON CONFLICT (event, subject, edition) DO NOTHING RETURNING id, division, event, subject",
        [on, prepared_by, *_columns(heads)],
    )
    return {(event, subject): (number, division) for number, division, event, subject in made}


def require_books(on: date, places: set[str]) -> dict[tuple[str, str], int]:
    """(division, code) -> id of the accounts of books that are open on `on`; MonthIsClosed, NoBooks."""
    _require_open(on, places)
    accounts = _accounts_of(places)
    if older := sorted(place for place in places if _lacks(accounts, place)):
        _add_accounts(older)
        accounts = _accounts_of(places)
    return accounts


def _lacks(accounts: dict[tuple[str, str], int], place: str) -> bool:
    """Whether books were opened with an earlier, shorter chart."""
    return (place, DEPOSIT.code) in accounts and any((place, account.code) not in accounts for account in CHART)


def _accounts_of(places: set[str]) -> dict[tuple[str, str], int]:
    found = LedgerAccount.objects.filter(division__in=places).values_list("division", "code", "id")
    return {(division, code): number for division, code, number in found}


def add_lines(posted: list[tuple[int, str, Line]], accounts: dict[tuple[str, str], int], on: date) -> None:
    """The lines of new vouchers, as (voucher, division, line); the database checks them together. One query."""
    try:
        rows = [
            (voucher, division, accounts[division, debit], accounts[division, credit], fen, programme, reference)
            for voucher, division, (debit, credit, fen, programme, reference) in posted
        ]
    except KeyError as missing:
        division, code = missing.args[0]
        named = f"{code} {ACCOUNTS[code].name}" if code in ACCOUNTS else code
        raise NoBooks(
            f"{name_of(division)}没有“{named}”这个科目",
            why="还没有建账",
            remedy="请县财政先登记它的惠民资金专户，登记时建账",
        ) from None
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
            f"{name_of(closed.division)}{closed.month:%Y年%m月}已经结账，{on} 的业务不能记账",
            why=f"{closed.closed_on} 结账",
            remedy="请记入未结账的月份，更正另作凭证",
        )
