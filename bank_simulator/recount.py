"""The bank's own recount: everything summed anew from postings and rows, and compared with the balances it carries.

`recount` is what `books` prints; `statement` is one account's movements with the balance after each. Both only read, in
one read transaction, so that a file booked meanwhile is either wholly in or wholly out.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bank_simulator.errors import WrongInput


def recount(books: sqlite3.Connection) -> dict[str, Any]:
    """Accounts, orders, refused files, totals, and `problems`: empty when the books are right."""
    with _one_moment(books):
        problems = [line for query in _CHECKS for (line,) in books.execute(query)]
        return {
            "special_accounts": _dicts(books, _FUNDS, kind="special"),
            "treasury_accounts": _dicts(books, _FUNDS, kind="treasury"),
            "batches": _dicts(books, _ORDERS, kind="payment"),
            "transfers": _dicts(books, _ORDERS, kind="transfer"),
            "refused_files": _dicts(books, _REFUSED),
            "total": _dicts(books, _TOTAL)[0],
            "balanced": not problems,
            "problems": problems,
        }


def statement(books: sqlite3.Connection, account: str) -> dict[str, Any]:
    """One account with its movements, oldest first."""
    with _one_moment(books):
        facts = _dicts(books, _ACCOUNT, account=account)
        if not facts:
            raise WrongInput(f"没有账号 {account}")
        return {**facts[0], "entries": _dicts(books, _ENTRIES, account=account)}


# Per account: funded = came from another public account; came_back = from persons, whether they paid it in or it was returned
# after it had been credited; transferred = went to a public account (a treasury funding townships, a township giving back);
# pending = set aside for rows not decided yet. The balance is what these leave.
_FUNDS = """
WITH incoming AS (
    SELECT target AS account, sum(amount_fen) FILTER (WHERE origin = 'CAPITAL') AS opening_fen,
           sum(amount_fen) FILTER (WHERE origin_kind IN ('special', 'treasury') AND origin <> target) AS funded_fen,
           sum(amount_fen) FILTER (WHERE origin_kind = 'person') AS came_back_fen
    FROM (SELECT flows.*, accounts.kind AS origin_kind FROM flows JOIN accounts ON accounts.account = origin) GROUP BY target
),
outgoing AS (
    SELECT origin AS account, sum(amount_fen) FILTER (WHERE target_kind = 'person') AS paid_out_fen,
           sum(amount_fen) FILTER (WHERE target_kind IN ('special', 'treasury') AND target <> origin) AS transferred_fen,
           sum(amount_fen * CASE WHEN settled THEN -1 WHEN target = 'TRANSIT' THEN 1 ELSE 0 END) AS pending_fen
    FROM flows GROUP BY origin
),
sums AS (
    SELECT account, name, state, coalesce(opening_fen, 0) AS opening_fen, coalesce(funded_fen, 0) AS funded_fen,
           coalesce(came_back_fen, 0) AS came_back_fen, coalesce(transferred_fen, 0) AS transferred_fen, coalesce(paid_out_fen, 0) AS paid_out_fen,
           coalesce(pending_fen, 0) AS pending_fen
    FROM (SELECT account, name, state FROM accounts WHERE kind = :kind)
        LEFT JOIN incoming USING (account) LEFT JOIN outgoing USING (account)
)
SELECT *, opening_fen + funded_fen + came_back_fen - transferred_fen - paid_out_fen - pending_fen AS balance_fen FROM sums ORDER BY account
"""

_ORDERS = """
SELECT files.number, orders.programme_code, orders.programme_short, orders.business_date, files.received_on,
    orders.payer AS payer_account, orders.rows_count, orders.amount_fen, files.sha256,
    count(*) FILTER (WHERE r.state = 'S') AS credited_count,
    coalesce(sum(r.amount_fen) FILTER (WHERE r.state = 'S'), 0) AS credited_fen,
    count(*) FILTER (WHERE r.state = 'F') AS refused_count,
    coalesce(sum(r.amount_fen) FILTER (WHERE r.state = 'F'), 0) AS refused_fen,
    count(*) FILTER (WHERE r.state = 'U') AS pending_count,
    coalesce(sum(r.amount_fen) FILTER (WHERE r.state = 'U'), 0) AS pending_fen,
    (SELECT count(*) FROM answers WHERE answers.file_id = files.id) AS answers_count
FROM files JOIN orders ON orders.file_id = files.id JOIN order_rows AS r ON r.file_id = files.id
WHERE files.kind = :kind GROUP BY files.id ORDER BY files.id
"""

_REFUSED = """
SELECT kind, number, received_on, refusal_code AS code, refusal_detail AS detail, sha256, answers.file_name AS answer
FROM files JOIN answers ON answers.file_id = files.id WHERE refusal_code <> '' ORDER BY files.id
"""

_TOTAL = """
SELECT (SELECT count(*) FROM accounts WHERE kind = 'person') AS person_accounts_count,
    (SELECT coalesce(sum(balance_fen), 0) FROM accounts WHERE kind = 'person') AS person_balance_fen,
    (SELECT coalesce(sum(balance_fen), 0) FROM accounts WHERE kind = 'special') AS special_balance_fen,
    (SELECT coalesce(sum(balance_fen), 0) FROM accounts WHERE kind = 'treasury') AS treasury_balance_fen,
    (SELECT balance_fen FROM accounts WHERE kind = 'transit') AS transit_balance_fen,
    (SELECT balance_fen FROM accounts WHERE kind = 'capital') AS capital_balance_fen,
    (SELECT sum(balance_fen) FROM accounts) AS all_accounts_fen,
    (SELECT count(*) FROM postings) AS postings_count,
    (SELECT count(*) FROM order_rows JOIN files ON files.id = file_id WHERE kind = 'payment' AND state = 'S') AS credited_count,
    (SELECT coalesce(sum(amount_fen), 0) FROM order_rows JOIN files ON files.id = file_id
     WHERE kind = 'payment' AND state = 'S') AS credited_fen
"""

# Each finds what must not be; a line of Chinese for every finding.
_CHECKS = (
    """
    WITH moved AS (
        SELECT account, sum(amount_fen) AS amount_fen FROM (
            SELECT target AS account, amount_fen FROM postings UNION ALL SELECT source, -amount_fen FROM postings
        ) GROUP BY account
    )
    SELECT '账号 ' || account || ' 余额 ' || balance_fen || ' 分，流水合计 ' || coalesce(amount_fen, 0) || ' 分'
    FROM accounts LEFT JOIN moved USING (account) WHERE balance_fen <> coalesce(amount_fen, 0)
    """,
    "SELECT '全部账户合计应为 0 分，实为 ' || sum(balance_fen) || ' 分' FROM accounts HAVING sum(balance_fen) <> 0",
    """
    SELECT '账号 ' || account || ' 期初 ' || opening_fen || ' 分没有相应流水' FROM accounts
    WHERE opening_fen <> (SELECT coalesce(sum(amount_fen), 0) FROM postings WHERE target = account AND source = 'CAPITAL')
    """,
    """
    SELECT '编号 ' || number || ' 第 ' || r.sequence || ' 笔：状态 ' || r.state || ' 与入账流水不符'
    FROM order_rows AS r JOIN files ON files.id = r.file_id
        LEFT JOIN postings AS p ON p.file_id = r.file_id AND p.sequence = r.sequence AND p.target = r.account
    WHERE (r.state = 'S') <> (p.id IS NOT NULL) OR p.amount_fen <> r.amount_fen
    """,
    """
    SELECT '编号 ' || number || ' 合计与明细不符' FROM orders JOIN files ON files.id = orders.file_id
        JOIN order_rows AS r USING (file_id) GROUP BY orders.file_id
    HAVING count(*) <> rows_count OR sum(r.amount_fen) <> orders.amount_fen
    """,
    """
    SELECT '在途资金 ' || balance_fen || ' 分，与处理中明细不符' FROM accounts WHERE account = 'TRANSIT'
        AND balance_fen <> (SELECT coalesce(sum(amount_fen), 0) FROM order_rows WHERE state = 'U')
    """,
)

_ACCOUNT = """
SELECT account, name, kind, state, opening_fen, balance_fen FROM accounts
WHERE account = :account AND kind IN ('person', 'special', 'treasury')
"""

_ENTRIES = """
SELECT coalesce(nullif(p.booked_on, '') || printf('%010d', p.id), '') AS serial, p.booked_on,
    CASE WHEN p.target = :account THEN 'in' ELSE 'out' END AS direction, p.amount_fen,
    o.account AS counter_account, o.name AS counter_name,
    coalesce(r.memo, '期初余额') AS memo, coalesce(r.period, '') AS period,
    coalesce(files.number, '') AS number, p.sequence, coalesce(r.row_id, '') AS row_id,
    sum(CASE WHEN p.target = :account THEN p.amount_fen ELSE -p.amount_fen END) OVER (ORDER BY p.id) AS balance_after_fen
FROM postings AS p JOIN accounts AS o ON o.account = CASE WHEN p.target = :account THEN p.source ELSE p.target END
    LEFT JOIN files ON files.id = p.file_id
    LEFT JOIN order_rows AS r ON r.file_id = p.file_id AND r.sequence = p.sequence
WHERE :account IN (p.source, p.target) ORDER BY p.id
"""


@contextmanager
def _one_moment(books: sqlite3.Connection) -> Iterator[None]:
    books.execute("BEGIN")
    try:
        yield
    finally:
        books.execute("ROLLBACK")


def _dicts(books: sqlite3.Connection, query: str, **values: str) -> list[dict[str, Any]]:
    return [dict(row) for row in books.execute(query, values)]
