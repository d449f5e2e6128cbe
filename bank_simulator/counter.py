"""What happens besides the files: money that comes back after it was credited, paid in or given back at the counter.

    take_back      a credited row's money is taken from the payee and is with the payer again; one further answer says F
    pay            one account pays another by a slip, whose serial is returned
    answer_again   an order's rows as they stand, in one further answer

The books stay honest: a row that was credited stays credited, its return is a posting of its own.
"""

import sqlite3
from datetime import date

from bank_simulator.answers import Reply, compose_answer
from bank_simulator.books import add_to_balances, last_posting, transaction
from bank_simulator.errors import WrongInput
from bank_simulator.layout import Layout

_CREDITED = """
SELECT files.id, r.sequence, r.account, r.amount_fen, orders.payer
FROM order_rows AS r JOIN files ON files.id = r.file_id JOIN orders ON orders.file_id = files.id
WHERE files.kind = 'payment' AND files.number = ? AND r.row_id = ? AND r.state = 'S' AND NOT EXISTS (
    SELECT 1 FROM postings AS p WHERE p.file_id = files.id AND p.sequence = r.sequence AND p.target = orders.payer)
"""


def take_back(books: sqlite3.Connection, layout: Layout, number: str, row_id: str, on: date) -> Reply:
    """WrongInput when the row was not credited, came back before, or the payee has spent it."""
    with transaction(books):
        row = books.execute(_CREDITED, (number, row_id)).fetchone()
        if row is None:
            raise WrongInput(f"批次 {number} 没有已入账、未退回的行 {row_id}")
        _post(books, row["account"], row["payer"], row["amount_fen"], on, row["id"], row["sequence"])
        _judge(books, "SELECT ?", row["sequence"])
        return compose_answer(books, layout, row["id"], on, came_back=True)


def answer_again(books: sqlite3.Connection, layout: Layout, number: str, on: date) -> Reply:
    """The next answer to an accepted payment order, with every row; one that came back is told as it was credited."""
    with transaction(books):
        file = books.execute(
            "SELECT id FROM files WHERE kind = 'payment' AND number = ? AND refusal_code = ''", (number,)
        ).fetchone()
        if file is None:
            raise WrongInput(f"没有受理过批次 {number}")
        _judge(books, "SELECT sequence FROM order_rows WHERE file_id = ?", file["id"])
        return compose_answer(books, layout, file["id"], on)


def pay(books: sqlite3.Connection, source: str, target: str, amount_fen: int, on: date) -> str:
    """The serial of the slip; WrongInput for an account that is not there or has too little."""
    with transaction(books):
        held = {row["account"]: row["balance_fen"] for row in books.execute(
            "SELECT account, balance_fen FROM accounts WHERE account IN (?, ?) AND kind IN ('person', 'special', 'treasury')",
            (source, target),
        )}  # fmt: skip
        if len(held) < 2 or amount_fen <= 0 or held[source] < amount_fen:
            raise WrongInput(f"{source} 不能付给 {target} {amount_fen} 分：没有这个账号，或余额不足")
        number = _post(books, source, target, amount_fen, on, None, 0)
        return f"{on:%Y%m%d}{number:010d}"


def _post(
    books: sqlite3.Connection, source: str, target: str, amount_fen: int, on: date, file_id: int | None, sequence: int
) -> int:
    mark = last_posting(books)
    try:
        number = books.execute(
            "INSERT INTO postings (file_id, sequence, booked_on, source, target, amount_fen) VALUES (?, ?, ?, ?, ?, ?)",
            (file_id, sequence, f"{on:%Y%m%d}", source, target, amount_fen),
        ).lastrowid
        add_to_balances(books, after_posting=mark)
    except sqlite3.IntegrityError as wrong:
        raise WrongInput(f"{source} 的余额不足 {amount_fen} 分") from wrong
    return number


def _judge(books: sqlite3.Connection, rows: str, value: int) -> None:
    """The rows the next answer is about."""
    books.execute("DROP TABLE IF EXISTS temp.judged")
    books.execute("CREATE TEMP TABLE judged (sequence INTEGER PRIMARY KEY)")
    books.execute(f"INSERT INTO judged {rows}", (value,))
