"""LED-03: ledger = bank = roster line for line; whatever is changed on one side alone is named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from django.db import connections, transaction

from huimin.database.bulk import fetch, fetch_one
from huimin.demo.booking import accountant
from huimin.demo.paying import finance
from huimin.ledger import queries
from huimin.ledger.reviewing import unreviewed, verdicts
from huimin.organisation.acting import reading
from huimin.payment.quarter_proof import Proved, prove_quarter, words_of
from huimin.payment.tracing import lines_of_due, trace_line


def proved(prefix: str = "341524", quarter: int = 3) -> Proved:
    with reading(finance()):
        found = prove_quarter(prefix, 2021, quarter)
        transaction.set_rollback(True)
    return found


@contextmanager
def spoiled(statement: str, back: str) -> Iterator[None]:
    """One side changed by somebody with the keys to the database, and put back."""
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 1
        yield
        cursor.execute(back)


def test_ledger_bank_and_rosters_agree_line_for_line_led_03(county: Callable[[str], str]) -> None:
    county("reissued")
    whole = proved()
    assert whole.count == 0 and whole.differences == [] and "逐笔一致" in words_of(whole)
    assert whole.ledger_fen == whole.bank_fen == whole.roster_fen > 0
    assert (proved(quarter=2).lines, proved("341524100").batches) == (0, proved("341524100").batches)
    with reading(finance()):
        paid, due = fetch_one(
            "SELECT i.line_id, x.due_id FROM payment_instruction i JOIN payment_linedue x ON x.line_id = i.line_id AND x.live"
            " WHERE i.state = 'paid' ORDER BY i.id LIMIT 1"
        )
        assert lines_of_due(due) == [paid]
    for table, column, wrong, words in (
        ("payment_instruction", "amount_fen", "amount_fen + 1", "金额不同"),
        ("payment_instruction", "bank_serial", "''", "流水号"),
        ("payment_rosterline", "state", "'returned'", "清册不是已发放"),
        ("payment_due", "amount_fen", "amount_fen + 5", "应发与清册的金额不同"),
        ("payment_due", "state", "'owed'", "应发不是已发"),
    ):
        key, row = {
            "payment_instruction": ("line_id", paid),
            "payment_rosterline": ("id", paid),
            "payment_due": ("id", due),
        }[table]
        with reading(finance()):
            [kept] = fetch_one(f"SELECT {column} FROM {table} WHERE {key} = {row} LIMIT 1")
        update = f"UPDATE {table} SET {column} = {{}} WHERE {key} = {row}"
        with spoiled(update.format(wrong), update.format(repr(kept))):
            found = proved()
            assert any(words in each.words and each.line == paid for each in found.differences), (table, column)
    assert proved().count == 0
    _ledger_alone(paid)


def _ledger_alone(paid: int) -> None:
    """What only the books say is found by its batch; a voucher that differs is not reviewed with the others."""
    by = accountant()
    with reading(by):
        trace = trace_line(paid)
        voucher = next(each for each in trace.vouchers if each.event == "paid")
        assert {each.event for each in trace.vouchers} == {"funds_received", "sent", "paid"} or len(trace.vouchers) > 3
        assert verdicts(by, [voucher])[voucher.pk] == ""
        assert not any(verdicts(by, unreviewed("341524", date(2021, 9, 1))).values())
    line = f"UPDATE ledger_ledgerline SET {{}} WHERE voucher_id = {voucher.pk}"
    with spoiled(line.format("amount_fen = amount_fen + 7"), line.format("amount_fen = amount_fen - 7")):
        assert [each.words[:2] for each in proved().differences] == ["批次"]
        with reading(by):
            assert "账上支出" in verdicts(by, [voucher])[voucher.pk]
    with spoiled(line.format("reference = 'nobody'"), line.format(f"reference = '{trace.sent[0].batch.batch_no}'")):
        assert {"账上动过在途，没有这个批次"} < {each.words for each in proved().differences}
    with reading(by):
        assert (
            fetch("SELECT count(*) FROM ledger_voucher WHERE word = '记'")[0][0]
            == queries.count_unreviewed("341524")[0][1]
        )
