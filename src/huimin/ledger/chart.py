"""The chart of accounts of a special account's books, and what each event moves.

Four accounts carry the straight path: money comes in (拨入专款), goes out to the bank (在途发放), and is either credited to a
card (专款支出) or comes back (退汇). The table is enforced by the database too (migration 0002): nothing else may move.
Account codes follow the numbering of 财政总会计 (1 assets, 3 net assets, 5 expenses). Law: S0 A2 art 21, A4 art 11.
"""

from dataclasses import dataclass

from huimin.ledger.models import LedgerAccount, Voucher


@dataclass(frozen=True)
class Account:
    code: str
    name: str
    kind: str


DEPOSIT = Account("1002", "惠民资金专户存款", LedgerAccount.Kind.ASSET)
IN_TRANSIT = Account("1003", "在途发放", LedgerAccount.Kind.ASSET)
FUNDS = Account("3001", "拨入专款", LedgerAccount.Kind.FUND)
SPENT = Account("5001", "专款支出", LedgerAccount.Kind.EXPENSE)
CHART = (DEPOSIT, IN_TRANSIT, FUNDS, SPENT)

# event -> (debit, credit). Money leaves 1002 by SENT only: to beneficiaries, never elsewhere (FUND-02).
MOVES: dict[str, tuple[Account, Account]] = {
    Voucher.Event.FUNDS_RECEIVED: (DEPOSIT, FUNDS),
    Voucher.Event.SENT: (IN_TRANSIT, DEPOSIT),
    Voucher.Event.PAID: (SPENT, IN_TRANSIT),
    Voucher.Event.RETURNED: (DEPOSIT, IN_TRANSIT),
}
