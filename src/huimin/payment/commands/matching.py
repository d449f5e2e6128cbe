"""Rows of a bank against our instructions: by our reference, never by guess; what does not fit is a coded exception (PAY-05).

in    rows in the temporary table `answer`
out   the temporary table `matched` with a verdict a row; instructions, lines and dues in their new state; exceptions

Terms. A row *matches* the instruction of our reference (line, and sequence where the format has it). Verdicts:

    settle      the instruction waited (sent or unknown) and the row is its result
    same        known already: a repetition, or older news that came late
    duplicate   the reference stands twice in one file, also under another sequence 待处理 E02
    amount      another amount than was sent: nothing is settled                    待处理 E03
    reversed    it was paid, and now the bank says it came back                     待处理 E05
    conflict    contradicts what is final otherwise, or names another account       待处理 E06
    unmatched   no such reference; the one waiting line of the same account and     待处理 E01
                amount, if there is exactly one, is shown to the person who looks

Whatever is not settled here moves no money. Late (E04) is a matter of the whole file: `payment.commands.results`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from huimin.database.bulk import copy_rows, fetch_one, run, temporary
from huimin.database.personal import ACCOUNT, keyring

CODES = {
    "unmatched": "E01", "duplicate": "E02", "amount": "E03", "late": "E04", "reversed": "E05", "conflict": "E06",
    "returned": "E07", "unknown": "E08", "check": "E09", "no_card": "E10",
}  # fmt: skip
"""Our code of each obstacle, as it stands on pages, workbooks and letters to the bank; a bank's own reason stands beside it."""
COLUMNS = (
    ("row_no", "int4"), ("sequence", "int4"), ("line", "int8"), ("amount_fen", "int8"), ("status", "text"),
    ("code", "text"), ("reason", "text"), ("booked_on", "date"), ("serial", "text"), ("account_hash", "bytea"),
    ("batch_no", "text"),
)  # fmt: skip

_NEW_STATE = "CASE a.status WHEN 'S' THEN 'paid' WHEN 'F' THEN 'returned' ELSE 'unknown' END"
_VERDICT = f"""
       CASE
         WHEN i.id IS NULL THEN 'unmatched'
         WHEN row_number() OVER (PARTITION BY i.id, a.status ORDER BY a.row_no) > 1 THEN 'duplicate'
         WHEN count(*) OVER (PARTITION BY i.id) > 1 AND NOT %(pairs)s
              AND row_number() OVER (PARTITION BY i.id ORDER BY a.row_no) > 1 THEN 'duplicate'
         WHEN a.amount_fen <> i.amount_fen THEN 'amount'
         WHEN a.account_hash <> i.account_hash THEN 'conflict'
         WHEN %(pairs)s AND a.status = 'S' AND bool_or(a.status = 'F') OVER (PARTITION BY i.id) THEN 'same'
         WHEN i.state IN ('sent', 'unknown') THEN 'settle'
         WHEN i.state = {_NEW_STATE} THEN 'same'
         WHEN a.status = 'U' AND %(older)s THEN 'same'
         WHEN i.state = 'paid' AND a.status = 'F' THEN 'reversed'
         ELSE 'conflict'
       END AS verdict
"""
_MATCH_ANSWER = f"""
SELECT a.*, i.id AS instruction_id, i.line_id, i.division, i.batch_id, i.amount_fen AS sent_fen,
       coalesce(a.amount_fen, i.amount_fen, 0) AS told_fen, NULL::bigint AS likely, {_NEW_STATE} AS new_state, {_VERDICT}
FROM answer a
LEFT JOIN payment_instruction i ON i.batch_id = %(batch)s AND {{reference}}
"""  # noqa: S608
_BY_LINE_AND_SEQUENCE = "i.line_id = a.line AND i.sequence = a.sequence"
_BY_LINE = "i.line_id = a.line"
_BY_SEQUENCE = "i.sequence = a.sequence"
# A statement is of one account: its rows may be of any batch that account paid.
_MATCH_STATEMENT = f"""
SELECT a.*, i.id AS instruction_id, i.line_id, i.division, i.batch_id, i.amount_fen AS sent_fen,
       coalesce(a.amount_fen, i.amount_fen, 0) AS told_fen, NULL::bigint AS likely, {_NEW_STATE} AS new_state, {_VERDICT}
FROM answer a
LEFT JOIN (payment_instruction i JOIN payment_batch b ON b.id = i.batch_id AND b.payer_id = %(account)s)
  ON i.line_id = a.line AND i.state <> 'cancelled' AND a.status <> 'C'
"""  # noqa: S608

_LIKELY = """
UPDATE matched m SET likely = c.line_id
FROM (SELECT account_hash, amount_fen, min(line_id) AS line_id FROM payment_instruction
      WHERE batch_id = ANY(%(batches)s) AND state IN ('sent', 'unknown') GROUP BY 1, 2 HAVING count(*) = 1) c
WHERE m.verdict = 'unmatched' AND m.account_hash = c.account_hash AND m.amount_fen = c.amount_fen
"""
# A reference that another row of the file has, too, is that row told again, whatever else it says.
_REPEATED = """
UPDATE matched m SET verdict = 'duplicate', likely = c.line_id
FROM (SELECT line, min(row_no) AS first_row, min(line_id) AS line_id FROM matched
      WHERE line IN (SELECT line FROM matched WHERE verdict = 'unmatched' AND line > 0) GROUP BY line HAVING count(*) > 1) c
WHERE m.verdict = 'unmatched' AND m.line = c.line AND (c.line_id IS NOT NULL OR m.row_no > c.first_row)
"""
_SETTLE_INSTRUCTIONS = """
UPDATE payment_instruction i SET state = m.new_state, booked_on = m.booked_on, bank_serial = m.serial,
       failure_code = m.code
FROM matched m WHERE i.id = m.instruction_id AND m.verdict = 'settle'
"""
_SETTLE_LINES = """
UPDATE payment_rosterline l SET state = m.new_state
FROM matched m WHERE l.id = m.line_id AND m.verdict = 'settle' AND l.state <> m.new_state
"""
_SETTLE_DUES = """
UPDATE payment_due d SET state = 'paid'
FROM payment_linedue x JOIN matched m ON m.line_id = x.line_id
WHERE d.id = x.due_id AND x.live AND m.verdict = 'settle' AND m.new_state = 'paid'
"""
# By key: joined, the planner takes the dues a place sees for a few, and reads `matched` once for each of a million.
_FREE_DUES = """
UPDATE payment_linedue x SET live = false
WHERE x.live AND x.line_id = ANY (ARRAY(SELECT m.line_id FROM matched m WHERE m.verdict = 'settle' AND m.new_state = 'returned'))
"""
# What waited for this result needs nobody any more.
_CLOSE_WAITING = """
UPDATE payment_paymentexception e SET state = 'closed', resolution = '银行已有结果', closed_by = %(by)s,
       closed_on = %(on)s
FROM matched m WHERE e.line_id = m.line_id AND e.kind IN ('unknown', 'unmatched', 'amount') AND e.state = 'open'
     AND m.verdict = 'settle' AND m.new_state <> 'unknown'
"""
_EXCEPTIONS = """
INSERT INTO payment_paymentexception (division, kind, roster_id, line_id, batch_id, result_id, statement_id, row_no, code,
    reason, amount_fen, state, resolution, opened_on, due_on)
SELECT coalesce(m.division, %(division)s), CASE verdict WHEN 'settle' THEN new_state ELSE verdict END,
       coalesce(l.roster_id, %(roster)s), l.id, coalesce(m.batch_id, %(batch)s), %(result)s, %(statement)s, row_no, code,
       left(CASE verdict
         WHEN 'unmatched' THEN CASE WHEN m.likely IS NOT NULL THEN '没有这个行标识；账号和金额与这一户相同，银行用原标识重报后入账'
                                    ELSE concat_ws('：', CASE m.status WHEN 'C' THEN '专户有一笔收入对不上'
                                                         ELSE '我方没有送过这一行' END, nullif(m.reason, '')) END
         WHEN 'duplicate' THEN '同一份回盘里已有这一行'
         WHEN 'amount' THEN '送出 ' || to_char(m.sent_fen / 100.0, 'FM999999990.00') || ' 元，回盘 '
                            || to_char(m.amount_fen / 100.0, 'FM999999990.00') || ' 元'
         WHEN 'reversed' THEN concat_ws('：', '入账后又退回', nullif(m.reason, ''))
         WHEN 'conflict' THEN CASE WHEN m.reason = '' THEN '与先前的结果或账号不一致' ELSE m.reason END
         ELSE m.reason END, 120),
       told_fen, 'open', '', %(on)s,
       CASE WHEN verdict = 'settle' AND new_state = 'returned' THEN %(returned_due)s::date ELSE %(soon)s::date END
FROM matched m LEFT JOIN payment_rosterline l ON l.id = coalesce(m.line_id, m.likely)
WHERE verdict IN ('unmatched', 'duplicate', 'amount', 'reversed', 'conflict')
   OR (verdict = 'settle' AND new_state <> 'paid')
"""


def copy_answer(pieces: Iterable[list[dict[str, Any]]]) -> int:
    """Rows of a file into `answer`; how many. The file's own sums are checked when the last piece was read."""
    return copy_rows("answer", COLUMNS, _rows(pieces))


def _rows(pieces: Iterable[list[dict[str, Any]]]) -> Iterator[tuple[Any, ...]]:
    number = 0
    for piece in pieces:
        hashes = _hashes([row.get("account") or "" for row in piece])
        for row, account_hash in zip(piece, hashes, strict=True):
            number += 1
            reference = row.get("row_id") or ""
            yield (
                number, row.get("sequence"), int(reference) if reference.isdigit() and len(reference) < 19 else 0,
                row.get("row_amount_fen"), row["row_state"], row.get("failure_code") or "",
                row.get("failure_reason") or row.get("note") or "", row.get("booked_on"), row.get("bank_serial") or "",
                account_hash, row.get("batch_no") or "",
            )  # fmt: skip


def _hashes(accounts: list[str]) -> list[bytes | None]:
    if not any(accounts):
        return [None] * len(accounts)
    lookup = keyring().lookup
    return [lookup(account, ACCOUNT) if account else None for account in accounts]


def match_answer(batch: int, names: tuple[str, ...], *, older: bool) -> None:
    """`matched` for the rows of one batch; `names` are the fields its rows have."""
    by_line, by_sequence = "row_id" in names, "sequence" in names
    reference = _BY_LINE_AND_SEQUENCE if by_line and by_sequence else _BY_LINE if by_line else _BY_SEQUENCE
    temporary("matched", _MATCH_ANSWER.format(reference=reference), {"batch": batch, "older": older, "pairs": False})
    _find_likely([batch], repeated=True)


def match_statement(account: int) -> list[int]:
    """`matched` for the entries of one account; the batches they are of."""
    temporary("matched", _MATCH_STATEMENT, {"account": account, "older": False, "pairs": True})
    [batches] = fetch_one(
        "SELECT coalesce(array_agg(DISTINCT batch_id) FILTER (WHERE batch_id IS NOT NULL), '{}') FROM matched"
    )
    _find_likely(batches)
    return list(batches)


def _find_likely(batches: list[int], *, repeated: bool = False) -> None:
    """Of rows without an instruction: which are told `repeated`ly in one answer, and whose money they may be."""
    [unknown] = fetch_one("SELECT count(*) FROM matched WHERE verdict = 'unmatched'")
    if not unknown:
        return
    if repeated:
        run(_REPEATED)
    if batches:
        run(_LIKELY, {"batches": batches})


def settle(where: dict[str, Any]) -> None:
    """Instructions, lines and dues follow; what needs a person becomes an exception."""
    for statement in (_SETTLE_INSTRUCTIONS, _SETTLE_LINES, _SETTLE_DUES, _FREE_DUES):
        run(statement)
    run(_CLOSE_WAITING, where)
    run(_EXCEPTIONS, where)
