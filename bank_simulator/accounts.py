"""Opening accounts from a CSV file: all of it or nothing, and as often as one likes.

Columns: account, name, id_number, kind (person, special, treasury), state, opening_fen. The last three may be missing or
empty: person, normal, 0. An account that exists is left as it stands now (its state and name may have changed since);
if the file gives it another identity number, kind or opening balance, that is a mistake and the file is refused.
"""

import csv
import sqlite3
from pathlib import Path

from bank_simulator.books import KINDS, STATES, add_to_balances, last_posting, transaction
from bank_simulator.errors import WrongInput
from bank_simulator.layout import Layout

COLUMNS = ("account", "name", "id_number", "kind", "state", "opening_fen")
OPENING_FEN_MAX = 10**15

Account = tuple[str, str, str, str, str, int]


def open_accounts(books: sqlite3.Connection, layout: Layout, path: Path) -> tuple[int, int]:
    """(newly opened, already there). WrongInput names the line."""
    listed = _read(layout, path)
    with transaction(books):
        books.execute("DROP TABLE IF EXISTS temp.listed")
        books.execute(
            "CREATE TEMP TABLE listed (account TEXT PRIMARY KEY, name TEXT, id_number TEXT, kind TEXT, state TEXT,"
            " opening_fen INTEGER) WITHOUT ROWID"
        )
        books.executemany("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", listed)
        _refuse_contradictions(books)
        opened = _insert_new(books)
    return opened, len(listed) - opened


def _insert_new(books: sqlite3.Connection) -> int:
    books.execute("DELETE FROM listed WHERE account IN (SELECT account FROM accounts)")
    mark = last_posting(books)
    opened = books.execute(
        "INSERT INTO accounts (account, name, id_number, kind, state, opening_fen)"
        " SELECT account, name, id_number, kind, state, opening_fen FROM listed"
    ).rowcount
    books.execute(
        "INSERT INTO postings (booked_on, source, target, amount_fen)"
        " SELECT '', 'CAPITAL', account, opening_fen FROM listed WHERE opening_fen > 0"
    )
    add_to_balances(books, after_posting=mark)
    return opened


def _refuse_contradictions(books: sqlite3.Connection) -> None:
    clash = books.execute(
        "SELECT account FROM listed JOIN accounts USING (account) WHERE listed.id_number <> accounts.id_number"
        " OR listed.kind <> accounts.kind OR listed.opening_fen <> accounts.opening_fen LIMIT 1"
    ).fetchone()
    if clash:
        raise WrongInput(f"账号 {clash['account']} 已开立，证件号码、性质或期初余额与文件不同；整份文件没有录入")


def _read(layout: Layout, path: Path) -> list[Account]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            _check_columns(reader.fieldnames)
            accounts = [_account(layout, line, f"第 {reader.line_num} 行") for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongInput(f"读不了 {path.name}：须是 UTF-8 编码的 CSV 文件（{error}）") from error
    _refuse_repeats(accounts)
    return accounts


def _check_columns(names: list[str] | None) -> None:
    missing = [column for column in COLUMNS[:3] if column not in (names or ())]
    if missing:
        raise WrongInput(f"表头缺少列 {'、'.join(missing)}；应为 {','.join(COLUMNS)}")


def _account(layout: Layout, line: dict[str, str], where: str) -> Account:
    values = {column: (line.get(column) or "").strip() for column in COLUMNS}
    kind, state = values["kind"] or "person", values["state"] or "normal"
    _check_choice(kind, KINDS, "kind", where)
    _check_choice(state, STATES, "state", where)
    checked = ("account", "name", "id_number") if kind == "person" or values["id_number"] else ("account", "name")
    for column in checked:
        field = layout.fields[column]
        if not field.rule.fullmatch(values[column]):
            raise WrongInput(f"{where}：{column} 应为{field.expected}，实为“{values[column]}”")
    return (
        values["account"],
        values["name"],
        values["id_number"],
        kind,
        state,
        _opening_fen(values["opening_fen"], where),
    )


def _check_choice(value: str, choices: tuple[str, ...], column: str, where: str) -> None:
    if value not in choices:
        raise WrongInput(f"{where}：{column} 应为 {'、'.join(choices)} 之一，实为“{value}”")


def _opening_fen(value: str, where: str) -> int:
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 16 and int(value) <= OPENING_FEN_MAX):
        raise WrongInput(f"{where}：opening_fen 应为 0 到 {OPENING_FEN_MAX} 的整数（分），实为“{value}”")
    return int(value)


def _refuse_repeats(accounts: list[Account]) -> None:
    seen: set[str] = set()
    for account in accounts:
        if account[0] in seen:
            raise WrongInput(f"账号 {account[0]} 在文件中出现两次")
        seen.add(account[0])
