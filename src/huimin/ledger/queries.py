"""Reads of the books: trial balance, balances per account, day book; inside `reading(by)` or a command.

`prefix` is the leading digits of a place: its books and all beneath it. Amounts are whole 分. A balance is on the side
the account grows: debit less credit for assets and expenses, credit less debit for liabilities and funds.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.ledger.models import LedgerAccount, LedgerLine, MonthClose, Voucher

_FAR = date(9999, 12, 31)
_DEBIT_KINDS = (LedgerAccount.Kind.ASSET, LedgerAccount.Kind.EXPENSE)


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
    """Turnover and balance per account over the places of `prefix`, to the end of day `until`.

    Debits and credits are added up apart, from lines joined to the accounts of their own place, so that a line which
    pointed into other books would show as a difference.
    """
    totals: dict[tuple[str, str, str], list[int]] = {}
    for row in account_balances(prefix, until=until):
        sums = totals.setdefault((row.code, row.name, row.kind), [0, 0])
        sums[0] += row.debit_fen
        sums[1] += row.credit_fen
    return TrialBalance(tuple(AccountTotal("", *key, *sums) for key, sums in sorted(totals.items())))


def account_balances(prefix: str, *, code: str = "", until: date = _FAR) -> list[AccountTotal]:
    """Per place and account, by code of place and account; one query. One row per place and account there is."""
    first, last = scope_of(prefix)
    rows = fetch(
        "SELECT a.division, a.code, a.name, a.kind,"
        " (SELECT coalesce(sum(l.amount_fen), 0) FROM ledger_ledgerline l"
        "   WHERE l.debit_id = a.id AND l.division = a.division AND l.occurred_on <= %(until)s)::bigint,"
        " (SELECT coalesce(sum(l.amount_fen), 0) FROM ledger_ledgerline l"
        "   WHERE l.credit_id = a.id AND l.division = a.division AND l.occurred_on <= %(until)s)::bigint"
        " FROM ledger_ledgeraccount a WHERE a.division >= %(first)s AND a.division < %(last)s"
        " AND (%(code)s = '' OR a.code = %(code)s) ORDER BY a.division, a.code",
        {"first": first, "last": last, "code": code, "until": until},
    )
    return [AccountTotal(*row) for row in rows]


def list_vouchers(prefix: str, *, event: str = "", place: str = "", size: int = SIZE) -> Page[Voucher]:
    """The day book (序时账), newest first."""
    first, last = scope_of(prefix)
    wanted = Voucher.objects.filter(division__gte=first, division__lt=last)
    return cut(wanted.filter(event=event) if event else wanted, ("-occurred_on", "-id"), place, size)


def get_voucher(voucher_id: int) -> Voucher:
    """Voucher.DoesNotExist when it is not there or not in the actor's place."""
    return Voucher.objects.get(pk=voucher_id)


def find_voucher(event: str, subject: str) -> Voucher | None:
    """The posting of an event, if it was posted."""
    return Voucher.objects.filter(event=event, subject=subject).first()


def voucher_lines(voucher_id: int, *, place: str = "", size: int = 100) -> Page[LedgerLine]:
    """The lines of a voucher in their order, with their accounts."""
    lines = LedgerLine.objects.filter(voucher=voucher_id).select_related("debit", "credit")
    return cut(lines, ("id",), place, size)


def closed_until(division: str) -> date | None:
    """First day of the last closed month of a place's books."""
    return MonthClose.objects.filter(division=division).order_by("-month").values_list("month", flat=True).first()
