"""Judge the rows of an order and move the money, set by set, inside the caller's transaction.

    book_order    payer ──► payee   rows that succeed (S)
                  payer ──► TRANSIT rows of slow accounts (U): the money is set aside, so it will be there at settling
                  (failed rows, F, move nothing)
    settle_order  TRANSIT ──► payee (S) or TRANSIT ──► payer (F), by how the payee's account stands then

The payer is judged first and for the whole file: unknown, renamed, frozen, of the wrong kind, or too little money for
the file's total refuses all of it. Closed circulation (FUND-02): a special account pays persons, or gives back to a treasury
account that has funded it; nothing else.
"""

import sqlite3
from datetime import date

from bank_simulator.books import add_to_balances, last_posting
from bank_simulator.errors import FileRefused
from bank_simulator.layout import Layout, read_layout
from bank_simulator.reading import Order

REASONS = read_layout().failure_codes

# The kind of payee each kind of payer may pay, by the kind of file.
PAYEE_KINDS = {
    ("payment", "special"): "person",
    ("payment", "treasury"): "person",
    ("transfer", "treasury"): "special",
    ("transfer", "special"): "treasury",
}

# Which failure a payee's account earns a row, the most final obstacle first.
_JUDGE = """
INSERT INTO judged (sequence, code, state)
WITH numbered AS (
    SELECT sequence, row_number() OVER (PARTITION BY row_id ORDER BY sequence) AS nth
    FROM order_rows WHERE file_id = :file_id
),
coded AS (
    SELECT r.sequence, payee.state AS payee_state, CASE
        WHEN numbered.nth > 1 THEN 'F09'
        WHEN payee.account IS NULL THEN 'F01'
        WHEN payee.state = 'closed' THEN 'F05'
        WHEN payee.kind <> :payee_kind THEN 'F11'
        WHEN :payee_kind = 'treasury' AND NOT EXISTS (
            SELECT 1 FROM postings WHERE source = payee.account AND target = :payer) THEN 'F11'
        WHEN payee.name <> r.name THEN 'F02'
        WHEN :payee_kind = 'person' AND payee.id_number <> r.id_number THEN 'F03'
        WHEN payee.state = 'frozen' THEN 'F04'
        WHEN payee.state = 'inactive' THEN 'F06'
        WHEN payee.state = 'dormant' THEN 'F07'
        WHEN :payee_kind = 'person' AND r.amount_fen > :row_amount_fen_max THEN 'F08'
        WHEN payee.state = 'faulty' THEN 'F10'
        ELSE '' END AS code
    FROM order_rows AS r JOIN numbered USING (sequence) LEFT JOIN accounts AS payee ON payee.account = r.account
    WHERE r.file_id = :file_id AND r.state = 'U'
)
SELECT sequence, code, CASE
    WHEN code <> '' THEN 'F' WHEN payee_state = 'slow' AND :first THEN 'U' ELSE 'S' END
FROM coded
"""

_POST = """
INSERT INTO postings (file_id, sequence, booked_on, source, target, amount_fen)
SELECT r.file_id, r.sequence, :booked_on, :source,
       CASE judged.state WHEN 'S' THEN r.account WHEN 'U' THEN 'TRANSIT' ELSE :payer END, r.amount_fen
FROM judged JOIN order_rows AS r ON r.file_id = :file_id AND r.sequence = judged.sequence
WHERE judged.state <> 'F' OR :source = 'TRANSIT'
ORDER BY r.sequence
"""

# The serial is the business day and the posting's own number: unique in this bank for ever.
_RECORD = """
UPDATE order_rows SET state = judged.state, code = judged.code,
    booked_on = CASE judged.state WHEN 'S' THEN :booked_on ELSE '' END,
    serial = CASE judged.state WHEN 'S' THEN :booked_on || printf('%010d', credit.id) ELSE '' END
FROM judged LEFT JOIN postings AS credit
    ON credit.file_id = :file_id AND credit.sequence = judged.sequence AND credit.id > :mark
WHERE order_rows.file_id = :file_id AND order_rows.sequence = judged.sequence
"""


def book_order(books: sqlite3.Connection, layout: Layout, order: Order, file_id: int, on: date) -> None:
    """Store a well-formed order and carry it out. FileRefused (X05, X06, X10 to X12) before anything is written."""
    payee_kind = _check_payer(books, order)
    _store(books, order, file_id)
    _carry_out(books, layout, file_id, order.header["payer_account"], payee_kind, on, first=True)


def settle_order(books: sqlite3.Connection, layout: Layout, file_id: int, on: date) -> None:
    """Decide the pending rows of an accepted order."""
    stored = books.execute(
        "SELECT payer, files.kind AS file_kind, accounts.kind AS payer_kind FROM orders"
        " JOIN files ON files.id = file_id JOIN accounts ON account = payer WHERE file_id = ?",
        (file_id,),
    ).fetchone()
    payee_kind = PAYEE_KINDS[stored["file_kind"], stored["payer_kind"]]
    _carry_out(books, layout, file_id, stored["payer"], payee_kind, on, first=False)


_KNOWN = "SELECT name, id_number, state FROM accounts WHERE account = ? AND kind = 'person'"
_UNUSABLE = {"closed": "F05", "frozen": "F04", "inactive": "F06", "dormant": "F07", "faulty": "F10"}


def judge_accounts(books: sqlite3.Connection, order: Order) -> list[dict[str, str]]:
    """What a check of accounts asks: whether each is there, usable, and of that name and number. Nothing moves."""
    judged = []
    for sequence, account, name, id_number, row_id in zip(
        *(order.column(each) for each in ("sequence", "account", "name", "id_number", "row_id")), strict=True
    ):
        found = books.execute(_KNOWN, (account,)).fetchone()
        code = "F01" if found is None else _UNUSABLE.get(found["state"], "")
        if found is not None and not code:
            code = "F02" if found["name"] != name else "F03" if found["id_number"] != id_number else ""
        judged.append({
            "sequence": sequence, "row_id": row_id, "row_state": "F" if code else "S", "failure_code": code,
            "failure_reason": REASONS[code] if code else "",
        })  # fmt: skip
    return judged


def _check_payer(books: sqlite3.Connection, order: Order) -> str:
    """The kind of payee this payer may pay."""
    header = order.header
    payer = books.execute("SELECT * FROM accounts WHERE account = ?", (header["payer_account"],)).fetchone()
    if payer is None:
        raise FileRefused("X05", f"本行没有付款账号 {header['payer_account']}", 1)
    if payer["name"] != header["payer_name"]:
        raise FileRefused("X10", f"账号 {payer['account']} 的户名不是“{header['payer_name']}”", 1)
    if (order.kind.key, payer["kind"]) not in PAYEE_KINDS:
        raise FileRefused("X12", "付款账户须是惠民资金专户或财政账户", 1)
    if payer["state"] not in ("normal", "slow"):
        raise FileRefused("X11", f"账户状态为 {payer['state']}", 1)
    if payer["balance_fen"] < order.amount_fen:
        raise FileRefused("X06", f"余额 {payer['balance_fen']} 分，本批 {order.amount_fen} 分", 1)
    return PAYEE_KINDS[order.kind.key, payer["kind"]]


def _store(books: sqlite3.Connection, order: Order, file_id: int) -> None:
    header = order.header
    books.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)",
        (file_id, header["programme_code"], header["programme_short"], header["business_date"],
         header["payer_account"], len(order.rows), order.amount_fen),
    )  # fmt: skip
    nothing = [""] * len(order.rows)
    is_payment = "memo" in order.names
    columns = (
        [file_id] * len(order.rows),
        map(int, order.column("sequence")),
        order.column("account"),
        order.column("name"),
        order.column("id_number") if is_payment else nothing,
        map(int, order.column("row_amount_fen")),
        order.column("memo" if is_payment else "purpose"),
        order.column("period") if is_payment else nothing,
        order.column("row_id"),
    )
    books.executemany(
        "INSERT INTO order_rows (file_id, sequence, account, name, id_number, amount_fen, memo, period, row_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        zip(*columns, strict=True),
    )


def _carry_out(
    books: sqlite3.Connection, layout: Layout, file_id: int, payer: str, payee_kind: str, on: date, *, first: bool
) -> None:
    books.execute("DROP TABLE IF EXISTS temp.judged")
    books.execute("CREATE TEMP TABLE judged (sequence INTEGER PRIMARY KEY, code TEXT NOT NULL, state TEXT NOT NULL)")
    facts = {
        "file_id": file_id,
        "payer": payer,
        "payee_kind": payee_kind,
        "source": payer if first else "TRANSIT",
        "booked_on": on.strftime("%Y%m%d"),
        "row_amount_fen_max": layout.row_amount_fen_max,
        "first": first,
        "mark": last_posting(books),
    }
    for statement in (_JUDGE, _POST, _RECORD):
        books.execute(statement, facts)
    add_to_balances(books, after_posting=facts["mark"])
