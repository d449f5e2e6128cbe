"""Reads of the books: balances per account, account books with running balance, day book; inside `reading(by)` or a command.

`prefix` is the leading digits of a place: its books and all beneath it. Amounts are whole 分. A balance is on the side
the account grows: debit less credit for assets and expenses, credit less debit for liabilities and funds. Statements
by period are in `statements`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.ledger.chart import OF_THE_YEAR
from huimin.ledger.models import LedgerAccount, LedgerLine, ManualVoucher, MonthClose, QuarterProof, Turnover, Voucher

_FAR = date(9999, 12, 31)
_DEBIT_KINDS = (LedgerAccount.Kind.ASSET, LedgerAccount.Kind.EXPENSE)
EXPORT_MAX = 200_000


@dataclass(frozen=True)
class AccountTotal:
    """One account over all its postings; in a trial balance `division` is empty and the sum is over the places."""

    division: str
    code: str
    name: str
    kind: str
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        """On the side this kind of account grows."""
        grown = self.debit_fen - self.credit_fen
        return grown if self.kind in _DEBIT_KINDS else -grown


@dataclass(frozen=True)
class TrialBalance:
    """All accounts; `difference_fen` is zero at every moment: assets and expenses equal funds and liabilities."""

    rows: tuple[AccountTotal, ...]

    @property
    def debit_fen(self) -> int:
        return sum(row.debit_fen for row in self.rows)

    @property
    def credit_fen(self) -> int:
        return sum(row.credit_fen for row in self.rows)

    @property
    def difference_fen(self) -> int:
        return self.debit_fen - self.credit_fen

    def balance_fen(self, code: str) -> int:
        return sum(row.balance_fen for row in self.rows if row.code == code)


def trial_balance(prefix: str, *, until: date = _FAR) -> TrialBalance:
    """Turnover and balance per account over the places of `prefix`, to the end of day `until`, from the lines themselves.

    Debits and credits are added up apart, from lines joined to the accounts of their own place, so that a line which
    pointed into other books would show as a difference. It reads every line: for proofs; pages read `account_balances`.
    """
    first, last = scope_of(prefix)
    rows = fetch(
        "SELECT a.code, a.name, a.kind,"
        " sum((SELECT coalesce(sum(l.amount_fen), 0) FROM ledger_ledgerline l"
        "   WHERE l.debit_id = a.id AND l.division = a.division AND l.occurred_on <= %(until)s))::bigint,"
        " sum((SELECT coalesce(sum(l.amount_fen), 0) FROM ledger_ledgerline l"
        "   WHERE l.credit_id = a.id AND l.division = a.division AND l.occurred_on <= %(until)s))::bigint"
        " FROM ledger_ledgeraccount a WHERE a.division >= %(first)s AND a.division < %(last)s"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        {"first": first, "last": last, "until": until},
    )
    return TrialBalance(tuple(AccountTotal("", *row) for row in rows))


# What a closed month left is a balance on its side; what came since is turnover.
_BALANCES = """
WITH books AS (
    SELECT a.id, a.division, a.code, a.name, a.kind,
           (SELECT max(c.month) FROM ledger_monthclose c
             WHERE c.division = a.division AND c.month < date_trunc('month', %(until)s::date)) AS closed
    FROM ledger_ledgeraccount a
    WHERE a.division >= %(first)s AND a.division < %(last)s AND (%(code)s = '' OR a.code = %(code)s)
), parts AS (
    SELECT m.account_id AS id, sum(m.balance_fen) AS opening, 0 AS debit, 0 AS credit
    FROM books b JOIN ledger_monthbalance m ON m.account_id = b.id AND m.month = b.closed GROUP BY 1
    UNION ALL
    SELECT t.account_id, 0, sum(t.debit_fen), sum(t.credit_fen)
    FROM books b JOIN ledger_turnover t ON t.account_id = b.id AND t.occurred_on <= %(until)s
         AND t.occurred_on >= coalesce((b.closed + interval '1 month')::date, '-infinity'::date) GROUP BY 1
)
SELECT b.division, b.code, b.name, b.kind,
       coalesce(sum(p.debit) + greatest(sum(p.opening), 0), 0)::bigint,
       coalesce(sum(p.credit) + greatest(-sum(p.opening), 0), 0)::bigint
FROM books b LEFT JOIN parts p ON p.id = b.id GROUP BY 1, 2, 3, 4 ORDER BY 1, 2
"""


def account_balances(prefix: str, *, code: str = "", until: date = _FAR) -> list[AccountTotal]:
    """Per place and account, by code of place and account; one query, from the last closed month on."""
    first, last = scope_of(prefix)
    rows = fetch(_BALANCES, {"first": first, "last": last, "code": code, "until": until})
    return [AccountTotal(*row) for row in rows]


def balance_of(division: str, code: str, programme: str) -> int:
    """Debits less credits of one account of a place under one programme, as it stands; 0 where there are no books."""
    rows = fetch(
        "SELECT ledger_balance_of(a.id, %s, 'infinity') FROM ledger_ledgeraccount a WHERE a.division = %s AND a.code = %s",
        [programme, division, code],
    )
    return int(rows[0][0]) if rows else 0


# Vouchers.


@dataclass(frozen=True)
class VoucherFilter:
    """Which vouchers: what is not empty. `standing` is reviewed, waiting or by_hand."""

    prefix: str
    event: str = ""
    month: date | None = None
    standing: str = ""
    number: int = 0

    def rows(self) -> Any:
        first, last = scope_of(self.prefix)
        rows = Voucher.objects.filter(division__gte=first, division__lt=last)
        rows = rows.filter(event=self.event) if self.event else rows
        rows = rows.filter(month=self.month) if self.month else rows
        rows = rows.filter(number=self.number) if self.number else rows
        if self.standing == "by_hand":
            return rows.filter(manual__isnull=False)
        return rows.filter(review__isnull=self.standing == "waiting") if self.standing else rows


def page_vouchers(wanted: VoucherFilter, place: str = "", size: int = SIZE) -> Page[Voucher]:
    """The day book (序时账), newest first, with reviews."""
    return cut(wanted.rows().select_related("review", "reversed_by"), ("-occurred_on", "-id"), place, size)


def iterate_vouchers(wanted: VoucherFilter, most: int = EXPORT_MAX) -> Iterator[Voucher]:
    """In the order of their numbers, for workbooks and papers."""
    rows = wanted.rows().select_related("review", "reversed_by").order_by("division", "month", "word", "number")
    return rows[:most].iterator(2000)


def list_vouchers(prefix: str, *, event: str = "", place: str = "", size: int = SIZE) -> Page[Voucher]:
    """The day book (序时账), newest first."""
    return page_vouchers(VoucherFilter(prefix, event), place, size)


def get_voucher(voucher_id: int) -> Voucher:
    """Voucher.DoesNotExist when it is not there or not in the actor's place."""
    return Voucher.objects.select_related("review", "manual", "reverses", "reversed_by").get(pk=voucher_id)


def find_voucher(event: str, subject: str) -> Voucher | None:
    """The posting of an event, if it was posted: the one that stands, when it was corrected."""
    return Voucher.objects.filter(event=event, subject=subject).order_by("-edition").first()


def vouchers_of(subjects: list[str]) -> list[Voucher]:
    """Everything posted of some business rows (`batch:12`), the oldest first; at most a few a subject."""
    assert len(subjects) <= 1000
    rows = Voucher.objects.filter(subject__in=subjects).select_related("review", "reversed_by")
    return list(rows.order_by("occurred_on", "id")[:2000])


def voucher_lines(voucher_id: int, *, place: str = "", size: int = 100) -> Page[LedgerLine]:
    """The lines of a voucher in their order, with their accounts."""
    lines = LedgerLine.objects.filter(voucher=voucher_id).select_related("debit", "credit")
    return cut(lines, ("id",), place, size)


def lines_of_vouchers(vouchers: list[int], most: int = EXPORT_MAX) -> list[LedgerLine]:
    """The lines of several vouchers with their accounts, by voucher, for workbooks and papers."""
    rows = LedgerLine.objects.filter(voucher__in=vouchers).select_related("debit", "credit")
    return list(rows.order_by("voucher_id", "id")[:most])


# Closes and proofs.


def closed_until(division: str) -> date | None:
    """First day of the last closed month of a place's books."""
    return MonthClose.objects.filter(division=division).order_by("-month").values_list("month", flat=True).first()


def list_closes(prefix: str, *, place: str = "", size: int = SIZE) -> Page[MonthClose]:
    """Closed months, newest first."""
    first, last = scope_of(prefix)
    return cut(MonthClose.objects.filter(division__gte=first, division__lt=last), ("-month", "division"), place, size)


def get_close(number: int) -> MonthClose:
    """MonthClose.DoesNotExist when it is not there or not in the actor's place."""
    return MonthClose.objects.select_related("signature").get(pk=number)


class BookStanding(NamedTuple):
    """How far the books of a place are: closed until, unreviewed vouchers up to a month, deposit and what is on its way."""

    division: str
    closed: date | None
    unreviewed: int
    deposit_fen: int
    transit_fen: int


_STANDINGS = """
SELECT a.division, (SELECT max(c.month) FROM ledger_monthclose c WHERE c.division = a.division),
       (SELECT count(*) FROM ledger_voucher v WHERE v.division = a.division AND v.occurred_on < %(until)s
           AND NOT EXISTS (SELECT 1 FROM ledger_voucherreview r WHERE r.voucher_id = v.id)
           AND v.occurred_on >= coalesce((SELECT max(c.month) + interval '1 month' FROM ledger_monthclose c
                                           WHERE c.division = a.division), '-infinity'))::int
FROM ledger_ledgeraccount a WHERE a.code = '1002' AND a.division >= %(first)s AND a.division < %(last)s
ORDER BY a.division
"""


def book_standings(prefix: str, until: date) -> list[BookStanding]:
    """Every place's books before day `until`; three queries, one row a place."""
    first, last = scope_of(prefix)
    end = until - timedelta(days=1)
    held = {row.division: row.balance_fen for row in account_balances(prefix, code="1002", until=end)}
    sent = {row.division: row.balance_fen for row in account_balances(prefix, code="1003", until=end)}
    back = {row.division: row.balance_fen for row in account_balances(prefix, code="1004", until=end)}
    return [
        BookStanding(place, closed, waiting, held.get(place, 0), sent.get(place, 0) + back.get(place, 0))
        for place, closed, waiting in fetch(_STANDINGS, {"first": first, "last": last, "until": until})
    ]


def count_unreviewed(prefix: str, *, not_by: int = 0) -> list[tuple[date, int, int]]:
    """(month, vouchers, 分) that wait for review by another person than account `not_by`, the oldest month first.

    From each place's last closed month on: what is closed was reviewed.
    """
    first, last = scope_of(prefix)
    rows = fetch(
        "SELECT v.month, count(*)::int, sum(v.amount_fen)::bigint"
        " FROM (SELECT a.division, (SELECT (max(c.month) + interval '1 month')::date FROM ledger_monthclose c"
        "          WHERE c.division = a.division) AS since"
        "       FROM ledger_ledgeraccount a WHERE a.code = '1002' AND a.division >= %s AND a.division < %s) AS b"
        " JOIN ledger_voucher v ON v.division = b.division AND v.occurred_on >= coalesce(b.since, '-infinity')"
        " WHERE NOT EXISTS (SELECT 1 FROM ledger_voucherreview r WHERE r.voucher_id = v.id)"
        " AND NOT EXISTS (SELECT 1 FROM organisation_appointment a WHERE a.id = v.posted_by AND a.account_id = %s)"
        " GROUP BY 1 ORDER BY 1 LIMIT 24",
        [first, last, not_by],
    )
    return [(month, count, fen) for month, count, fen in rows]


def count_open_books(prefix: str, until: date) -> int:
    """Places that posted something before day `until` and have not closed the month before it."""
    first, last = scope_of(prefix)
    [(count,)] = fetch(
        "SELECT count(DISTINCT t.division)::int FROM ledger_turnover t"
        " WHERE t.division >= %(first)s AND t.division < %(last)s AND t.occurred_on < %(until)s AND NOT EXISTS ("
        "   SELECT 1 FROM ledger_monthclose c WHERE c.division = t.division AND c.month >= %(until)s::date - interval '1 month')",
        {"first": first, "last": last, "until": until},
    )
    return int(count)


def has_postings(prefix: str, since: date, until: date) -> bool:
    """Whether any books of the places moved in [since, until)."""
    first, last = scope_of(prefix)
    wanted = Turnover.objects.filter(
        division__gte=first, division__lt=last, occurred_on__gte=since, occurred_on__lt=until
    )
    return wanted.exists()


def is_proof_signed(division: str, year: int, number: int) -> bool:
    return QuarterProof.objects.filter(division=division, year=year, quarter=number).exists()


def last_proof(division: str, year: int, number: int) -> QuarterProof | None:
    """The latest that was signed of a place's quarter."""
    rows = QuarterProof.objects.filter(division=division, year=year, quarter=number).select_related("signature")
    return rows.order_by("-id").first()


def left_to_carry(prefix: str, year: int) -> dict[str, int]:
    """Place -> what of a year's income and expenses, programme by programme, was not carried over yet; one query."""
    first, last = scope_of(prefix)
    rows = fetch(
        "SELECT division, sum(abs(left_fen))::bigint FROM ("
        " SELECT a.division, a.id, t.programme, sum(t.debit_fen - t.credit_fen) AS left_fen"
        " FROM ledger_turnover t JOIN ledger_ledgeraccount a ON a.id = t.account_id AND a.code = ANY(%s)"
        " WHERE t.division >= %s AND t.division < %s AND t.occurred_on >= %s AND t.occurred_on < %s"
        " GROUP BY 1, 2, 3) AS n GROUP BY 1 ORDER BY 1",
        [[each.code for each in OF_THE_YEAR], first, last, date(year, 1, 1), date(year + 1, 1, 1)],
    )
    return dict(rows)


def list_manual(prefix: str, *, state: str = "", place: str = "", size: int = SIZE) -> Page[ManualVoucher]:
    """Vouchers proposed by hand, newest first."""
    first, last = scope_of(prefix)
    rows = ManualVoucher.objects.filter(division__gte=first, division__lt=last).select_related("original")
    return cut(rows.filter(state=state) if state else rows, ("-id",), place, size)


def get_manual(number: int) -> ManualVoucher:
    """ManualVoucher.DoesNotExist when it is not there or not in the actor's place."""
    return ManualVoucher.objects.select_related("original", "signature").get(pk=number)


def count_manual_waiting(prefix: str, *, not_by: int) -> int:
    """Proposals that wait for another person than appointment `not_by`."""
    first, last = scope_of(prefix)
    rows = ManualVoucher.objects.filter(division__gte=first, division__lt=last, state=ManualVoucher.State.PROPOSED)
    return rows.exclude(proposed_by=not_by).count()


def list_proofs(prefix: str, *, place: str = "", size: int = SIZE) -> Page[QuarterProof]:
    """Signed comparisons of ledger, bank and rosters, newest first."""
    first, last = scope_of(prefix)
    return cut(QuarterProof.objects.filter(division__gte=first, division__lt=last), ("-id",), place, size)
