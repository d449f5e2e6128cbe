"""The bank's books: opening the SQLite file, transactions, and what a clerk does to an account.

Always true, by the schema itself: no customer's account is below zero; a row is credited by one posting at most; a
number stands for one accepted content. Every change goes through `transaction`, so a process killed at any moment
leaves the books before or after it, never between.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from bank_simulator.errors import WrongInput

STATES = ("normal", "frozen", "closed", "dormant", "inactive", "slow", "faulty")
KINDS = ("person", "special", "treasury")
SCHEMA_VERSION = 2
WAIT_SECONDS = 60  # a settle or a clerk's command waits this long for a running file


@contextmanager
def open_books(home: Path) -> Iterator[sqlite3.Connection]:
    """The books under `home`, made on first use and readable by their owner only (they hold plain account data)."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(home / "books.sqlite3", timeout=WAIT_SECONDS, isolation_level=None)) as books:
        books.row_factory = sqlite3.Row
        books.execute("PRAGMA journal_mode = WAL")
        books.execute("PRAGMA synchronous = FULL")  # an answer must not outlive the booking it reports
        books.execute("PRAGMA foreign_keys = ON")
        books.execute("PRAGMA cache_size = -131072")  # 128 MiB: a hundred thousand accounts are touched in random order
        books.execute("PRAGMA temp_store = MEMORY")
        _make_tables(books)
        yield books


@contextmanager
def transaction(books: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Takes the write lock at once, so what is read inside cannot be changed by another process."""
    books.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        books.execute("ROLLBACK")
        raise
    books.execute("COMMIT")


def set_state(books: sqlite3.Connection, account: str, state: str) -> None:
    """Freeze, close, wake … one account."""
    _change(books, account, "state", state)


def rename(books: sqlite3.Connection, account: str, name: str) -> None:
    """Give an account another holder's name."""
    _change(books, account, "name", name)


def add_to_balances(books: sqlite3.Connection, *, after_posting: int) -> None:
    """Bring balances up with the postings numbered above `after_posting`, in the same transaction as those."""
    books.execute(
        """
        WITH moved AS (
            SELECT account, sum(amount_fen) AS amount_fen FROM (
                SELECT target AS account, amount_fen FROM postings WHERE id > :after
                UNION ALL
                SELECT source, -amount_fen FROM postings WHERE id > :after
            ) GROUP BY account
        )
        UPDATE accounts SET balance_fen = balance_fen + moved.amount_fen
        FROM moved WHERE moved.account = accounts.account
        """,
        {"after": after_posting},
    )


def last_posting(books: sqlite3.Connection) -> int:
    """The highest posting number, 0 in new books."""
    return books.execute("SELECT coalesce(max(id), 0) FROM postings").fetchone()[0]


def _make_tables(books: sqlite3.Connection) -> None:
    version = books.execute("PRAGMA user_version").fetchone()[0]
    if version == SCHEMA_VERSION:
        return
    if version:
        raise WrongInput(f"账簿是旧程序的（第 {version} 版），请换一个 --home")
    schema = files("bank_simulator").joinpath("schema.sql").read_text(encoding="utf-8")
    with transaction(books):
        # Asked again under the lock: two processes may have opened the same new home.
        if books.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return
        for statement in _statements(schema):
            books.execute(statement)
        books.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit our transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _change(books: sqlite3.Connection, account: str, column: str, value: str) -> None:
    assert column in ("state", "name")
    with transaction(books):
        changed = books.execute(
            f"UPDATE accounts SET {column} = ? WHERE account = ? AND kind IN ('person', 'special', 'treasury')",  # noqa: S608 - a name of ours
            (value, account),
        )
        if changed.rowcount == 0:
            raise WrongInput(f"没有账号 {account}，请先用 open-accounts 开户")
