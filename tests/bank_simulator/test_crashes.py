"""PAY-06: killed at any moment, run again: every row credited once, every file answered, the books right."""

import itertools
import os
import random
import shutil
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from bank_simulator.books import open_books
from bank_simulator.desk import Desk
from bank_simulator.layout import read_layout
from bank_simulator.recount import recount, statement
from tests.bank_simulator.paper import DAY, NAMES, SPECIAL, payment, row

FILES, ROWS = 6, 1500


def fill(bank) -> int:
    """Put batches into the inbox; their sum."""
    accounts = list(NAMES)
    for number in range(FILES):
        bank.put(f"DF_B{number}.txt", payment(f"B{number}", [row(accounts[i % 5], 1 + i) for i in range(ROWS)]))
    return FILES * sum(range(1, ROWS + 1))


def run_desk(bank, trace=None) -> None:
    with open_books(bank.home) as books:
        books.set_trace_callback(trace)
        Desk(books, bank.home, read_layout(), date.fromisoformat(DAY)).run_once(bank.inbox, bank.outbox)


def killed_at_statement(bank, statement_no: int) -> bool:
    """Run the desk in a child that kills itself before its n-th statement; whether it came that far."""
    child = os.fork()
    if child == 0:
        count = itertools.count(1)
        try:
            run_desk(bank, lambda _: next(count) == statement_no and os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_before_any_statement_pays_once(bank, opened_home):
    """The same two files in a fresh bank, killed before the first statement, the second, … until nothing is left to kill."""
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100), row("100001", 100, name="错")]))
    bank.put("DF_B2.txt", payment("B2", [row("100000", 100)])[:50])
    answers = set()
    for statement_no in itertools.count(1):
        for folder, origin in ((bank.home, opened_home), (bank.outbox, None)):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(origin, folder) if origin else folder.mkdir()
        killed = killed_at_statement(bank, statement_no)
        run_desk(bank)
        with open_books(bank.home) as books:
            assert recount(books)["problems"] == []
            assert statement(books, "100000")["balance_fen"] == 100
        answers.add(tuple(sorted(bank.outbox_files().items())))
        if not killed:
            break
    assert statement_no > 20
    assert [[name for name, _ in files] for files in answers] == [["DFR_B1_1.txt", "DFX_B2_1.txt"]]


def test_killed_at_random_moments_pays_once(bank):
    owed_fen = fill(bank)
    chance = random.Random(20260310)
    for _ in range(4):
        program = bank.program(*bank.run_options())
        time.sleep(chance.uniform(0.15, 0.6))
        program.send_signal(signal.SIGKILL)
        program.communicate()
    bank.run()
    assert bank.special()["paid_out_fen"] == owed_fen
    assert sum(int(bank.answer(f"DFR_B{number}_1.txt")[0][7]) for number in range(FILES)) == owed_fen
    assert all(batch["credited_count"] == ROWS for batch in bank.books()["batches"])


def test_killed_while_settling_settles_once(bank):
    for account in NAMES:
        bank.do("set-state", account, "slow")
    owed_fen = fill(bank)
    bank.run()
    for wait in (0.2, 0.3):
        program = bank.program("settle", "--date", "2026-03-12", "--outbox", str(bank.outbox))
        time.sleep(wait)
        program.send_signal(signal.SIGKILL)
        program.communicate()
    bank.settle()
    assert (bank.special()["paid_out_fen"], bank.special()["pending_fen"]) == (owed_fen, 0)
    assert all((bank.outbox / f"DFR_B{number}_2.txt").exists() for number in range(FILES))


def test_two_runs_at_once_pay_once(bank):
    owed_fen = fill(bank)
    programs = [bank.program(*bank.run_options()) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        assert [program.returncode for program in pool.map(finished, programs)] == [0, 0, 0]
    assert bank.special()["paid_out_fen"] == owed_fen
    assert len(bank.outbox_files()) == FILES


def finished(program):
    program.communicate()
    return program


def test_watch_answers_what_comes_later_and_stops_when_told(bank):
    program = bank.program("run", "--watch", "--inbox", str(bank.inbox), "--outbox", str(bank.outbox), "--date", DAY)
    time.sleep(0.3)
    part = bank.inbox / ".DF_B1.part"
    part.write_bytes(payment("B1", [row("100000", 100)]))
    part.rename(bank.inbox / "DF_B1.txt")
    patience = time.monotonic() + 8
    while not (bank.outbox / "DFR_B1_1.txt").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    program.send_signal(signal.SIGTERM)
    said = program.communicate(timeout=8)[0].decode()
    assert program.returncode == 0
    assert said.count("已受理") == 1
    assert bank.answer("DFR_B1_1.txt")[1][4] == "S"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts SET balance_fen = -1 WHERE account = '100000'",
        "UPDATE accounts SET balance_fen = 1e30 WHERE account = '100000'",
        "UPDATE postings SET amount_fen = 1",
        "DELETE FROM postings",
        "UPDATE order_rows SET state = 'F'",
        "INSERT INTO postings SELECT NULL, file_id, sequence, booked_on, source, target, amount_fen FROM postings WHERE sequence > 0",
    ],
)
def test_the_books_themselves_refuse(bank, statement):
    bank.put("DF_B1.txt", payment("B1", [row("100000", 100)]))
    bank.run()
    with open_books(bank.home) as books, pytest.raises(sqlite3.IntegrityError):
        books.execute(statement)


def test_recount_finds_a_balance_that_was_tampered_with(bank):
    with open_books(bank.home) as books:
        books.execute("UPDATE accounts SET balance_fen = balance_fen + 5 WHERE account = ?", (SPECIAL[0],))
    said = bank.do("books", expect=3)
    assert SPECIAL[0] in said
    assert "账不平" in said


def test_a_hundred_customers_cannot_be_paid_more_than_the_account_holds(bank):
    bank.open(("800000000003", "小专户", "", "special", "", 250))
    for number in range(4):
        bank.put(f"DF_C{number}.txt", payment(f"C{number}", [row("100000", 100)], payer=("800000000003", "小专户")))
    bank.run()
    assert sorted(name[:3] for name in bank.outbox_files()) == ["DFR", "DFR", "DFX", "DFX"]
    bank.books()
