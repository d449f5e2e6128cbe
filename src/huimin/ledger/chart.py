"""The chart of accounts of a special account's books, and what each kind of event may move.

in    chart.yaml, a file a finance officer reads: accounts (科目) and events with their pairs of debit and credit (业务)
out   CHART, EVENTS, and for each event MOVES (its usual pair) and PAIRS (all it may move)

Money comes in (拨入专款), goes out to the bank (在途发放), and is either credited to a card (专款支出) or comes back (退汇); what
was paid in error is owed back (应收追回款); at the year's end income and expenses go into 专款结余. The database enforces the same
pairs (migration 0004), and that money leaves 1002 only to beneficiaries or back where it came from (FUND-02).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from huimin.ledger.models import LedgerAccount, Voucher

Kind = LedgerAccount.Kind


@dataclass(frozen=True)
class Account:
    """`closes_into` is where its balance goes at the year's end; empty for accounts that are carried on."""

    code: str
    name: str
    kind: str
    closes_into: str = ""
    note: str = ""

    @property
    def grows_by_debit(self) -> bool:
        return self.kind in (Kind.ASSET, Kind.EXPENSE)


Pair = tuple[Account, Account]


@dataclass(frozen=True)
class Event:
    """A kind of event; `manual` ones are proposed and approved by two people and follow from no business act."""

    code: str
    name: str
    pairs: tuple[Pair, ...]
    word: str
    manual: bool
    note: str


def _read(path: Path) -> tuple[tuple[Account, ...], tuple[Event, ...]]:
    """The file's accounts and events; an assertion names what is wrong with it, since it ships with the program."""
    written: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    kinds = {kind.label: str(kind) for kind in Kind}
    accounts = tuple(
        Account(row["编码"], row["名称"], kinds[row["类别"]], row.get("年末转入", ""), row["说明"])
        for row in written["科目"]
    )
    by_code = {account.code: account for account in accounts}
    assert len(by_code) == len(accounts), "an account stands twice in the chart"
    events = tuple(_event(row, by_code) for row in written["业务"])
    assert [event.code for event in events] == list(Voucher.Event.values), "the chart's events are the vouchers'"
    assert [event.name for event in events] == list(Voucher.Event.labels), "an event bears two names"
    return accounts, events


def _event(row: dict[str, Any], accounts: dict[str, Account]) -> Event:
    pairs = tuple((accounts[debit], accounts[credit]) for debit, credit in row["分录"])
    manual = row.get("手工", False) in (True, "是")
    return Event(row["代码"], row["名称"], pairs, row.get("凭证字", "记"), manual, row["说明"])


CHART, _EVENTS = _read(Path(__file__).with_name("chart.yaml"))
ACCOUNTS: dict[str, Account] = {account.code: account for account in CHART}
EVENTS: dict[str, Event] = {event.code: event for event in _EVENTS}
PAIRS: dict[str, tuple[Pair, ...]] = {event.code: event.pairs for event in _EVENTS}
MOVES: dict[str, Pair] = {event.code: event.pairs[0] for event in _EVENTS if event.pairs}
"""event -> its usual (debit, credit)."""

DEPOSIT, IN_TRANSIT, RETURNING = ACCOUNTS["1002"], ACCOUNTS["1003"], ACCOUNTS["1004"]
RECEIVABLE, INTEREST = ACCOUNTS["1021"], ACCOUNTS["2001"]
FUNDS, CARRIED = ACCOUNTS["3001"], ACCOUNTS["3101"]
SPENT, ISSUED, WRITTEN_OFF = ACCOUNTS["5001"], ACCOUNTS["5002"], ACCOUNTS["5003"]
OF_THE_YEAR = tuple(account for account in CHART if account.closes_into)
"""Income and expenses of a year: empty after 年终结转."""
