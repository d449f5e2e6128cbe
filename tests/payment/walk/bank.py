"""The bank of the walk: the simulator's own desk and counter, driven in this process, through two folders."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

from bank_simulator import counter
from bank_simulator.accounts import open_accounts
from bank_simulator.answers import deliver, write_if_different
from bank_simulator.books import open_books, set_state
from bank_simulator.desk import Desk
from bank_simulator.layout import read_layout
from bank_simulator.messages import write_camt053
from bank_simulator.recount import recount

LAYOUT = read_layout()
PART_WRONG = ("twice", "reversed", "partly", "strangers", "amount", "reference", "doubled")
ALL_WRONG = ("late", "cut", "totals", "scientific", "foreign", "yesterday", "encoding")
WAYS = (*PART_WRONG, *ALL_WRONG)


class Bank:
    """One bank with its books open; `close` when done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bank"
        self.home = self.folder / "book"
        self.outbox, self.inbox = self.folder / "outbox", self.folder / "inbox"
        for each in (self.outbox, self.inbox):
            each.mkdir(parents=True, exist_ok=True)
        self._open = ExitStack()
        self.books: sqlite3.Connection = self._open.enter_context(open_books(self.home))
        self.books.execute("PRAGMA synchronous = OFF")
        self.statements = 0

    def close(self) -> None:
        self._open.close()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def day(self, on: date, *ways: str) -> list[str]:
        """What lies there is taken in and answered, well or badly."""
        desk = Desk(self.books, self.home, LAYOUT, on, misbehaviour=frozenset(ways))
        return desk.run_once(self.outbox, self.inbox).lines

    def settle(self, on: date) -> None:
        """What was pending is decided and told."""
        desk = Desk(self.books, self.home, LAYOUT, on)
        desk.settle()
        desk.deliver(self.inbox)

    def open_account(self, account: str, name: str, id_number: str) -> None:
        path = self.folder / "opened.csv"
        path.write_text(f"account,name,id_number\n{account},{name},{id_number}\n", encoding="utf-8")
        open_accounts(self.books, LAYOUT, path)

    def put(self, account: str, state: str) -> None:
        set_state(self.books, account, state)

    def take_back(self, number: str, row_id: str, on: date) -> None:
        counter.take_back(self.books, LAYOUT, number, row_id, on)
        deliver(self.books, self.home, self.inbox)

    def answer_again(self, number: str, on: date) -> None:
        counter.answer_again(self.books, LAYOUT, number, on)
        deliver(self.books, self.home, self.inbox)

    def pay(self, source: str, target: str, amount_fen: int, on: date) -> str:
        return counter.pay(self.books, source, target, amount_fen, on)

    def statement(self, account: str, first: date, last: date) -> None:
        """Everything that moved on the account, as camt.053 in the inbox."""
        self.statements += 1
        reference = f"S{account[-6:]}{last:%Y%m%d}{self.statements:03d}"
        content = write_camt053(self.books, account, f"{first:%Y%m%d}", f"{last:%Y%m%d}", reference)
        write_if_different(self.inbox / f"camt053-{reference}.xml", content)

    def files(self) -> list[Path]:
        return sorted(path for path in self.inbox.iterdir() if not path.name.startswith("."))

    # What the bank believes, by a statement of ours over its books.

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.books.execute(query, values)]

    def balances(self) -> dict[str, int]:
        return dict(self.rows("SELECT account, balance_fen FROM accounts WHERE kind = 'special'"))

    def lines(self) -> Iterator[tuple[int, str, int, bool]]:
        """(our line, state, 分, came back) of every row of every payment order it accepted."""
        for row_id, state, fen, back in self.rows(_LINES):
            yield int(row_id), state, fen, bool(back)

    def problems(self) -> list[str]:
        return list(recount(self.books)["problems"])


_LINES = """
SELECT r.row_id, r.state, r.amount_fen, r.state = 'S' AND EXISTS (SELECT 1 FROM postings AS p
       WHERE p.file_id = r.file_id AND p.sequence = r.sequence AND p.target = o.payer)
FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'payment' JOIN orders AS o ON o.file_id = files.id
"""
