"""What must hold after every act, by a few statements of its own that call nothing of the product.

in    the maintenance connection, the bank's own books
out   sentences of what is wrong; none
"""

from typing import Any

from django.db import connections

from huimin.payment.models import RosterLine
from tests.payment.walk.bank import Bank

_REASONS = ", ".join(f"'{each}'" for each in RosterLine.REISSUED_REASONS)

# Each finds what must not be.
_CHECKS = {
    "a due has two live instructions": """
        SELECT x.due_id FROM payment_linedue x
        JOIN payment_instruction i ON i.line_id = x.line_id AND i.state IN ('sent', 'paid', 'unknown')
        GROUP BY 1 HAVING count(*) > 1""",
    "a line that was paid is not its dues": """
        SELECT i.line_id FROM payment_instruction i JOIN payment_rosterline l ON l.id = i.line_id
        LEFT JOIN LATERAL (SELECT sum(CASE d.kind WHEN 'recovery' THEN -d.amount_fen ELSE d.amount_fen END) AS fen, bool_and(d.state = 'paid') AS paid
               FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id WHERE x.line_id = i.line_id AND x.live) w ON true
        WHERE i.state = 'paid' AND (l.state <> 'paid' OR w.paid IS NOT TRUE OR w.fen IS DISTINCT FROM i.amount_fen OR l.amount_fen <> i.amount_fen)""",
    "a due stands at no place, or at two": """
        SELECT d.id FROM payment_due d
        LEFT JOIN payment_linedue x ON x.due_id = d.id AND x.live LEFT JOIN payment_rosterline l ON l.id = x.line_id
        LEFT JOIN payment_roster r ON r.id = l.roster_id
        WHERE r.state = 'withdrawn' OR NOT CASE d.state WHEN 'owed' THEN l.id IS NULL OR l.state IN ('listed', 'sent', 'unknown')
              WHEN 'paid' THEN l.id IS NOT NULL AND l.state = 'paid' ELSE l.id IS NULL END""",
    "what is owed waits on no list": f"""
        SELECT d.id FROM payment_due d
        JOIN LATERAL (SELECT l.id, l.state, l.withheld_reason FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id
              JOIN payment_roster r ON r.id = l.roster_id AND r.state <> 'withdrawn'
              WHERE x.due_id = d.id ORDER BY x.live DESC, l.id DESC LIMIT 1) l ON true
        WHERE d.state = 'owed' AND NOT EXISTS (SELECT 1 FROM payment_linedue x WHERE x.due_id = d.id AND x.live)
          AND NOT (l.state = 'withheld' AND EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state IN ('held', 'released'))
            OR EXISTS (SELECT 1 FROM payment_paymentexception e WHERE e.line_id = l.id AND e.state = 'open' AND e.kind IN ('returned', 'no_card', 'check'))
               AND (l.state = 'returned' AND l.withheld_reason = '' OR l.state = 'withheld' AND l.withheld_reason IN ({_REASONS})))""",
    "an indicator is not what hangs on it": """
        SELECT a.id FROM funds_allotment a
        CROSS JOIN LATERAL (SELECT coalesce(sum(f.amount_fen) FILTER (WHERE f.state = 'reserved'), 0) AS reserved,
              coalesce(sum(f.amount_fen - f.returned_fen) FILTER (WHERE f.state = 'transferred'), 0) AS spent
              FROM funds_fundingapplication f WHERE f.allotment_id = a.id) f
        CROSS JOIN LATERAL (SELECT coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'carry'), 0) AS carried,
              coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'cut'), 0) AS cut,
              coalesce(sum(m.amount_fen) FILTER (WHERE m.kind = 'issue'), 0) AS issued
              FROM funds_allotmentmove m WHERE m.allotment_id = a.id AND m.state = 'approved') m
        CROSS JOIN LATERAL (SELECT coalesce(sum(c.cut_fen), 0) AS back FROM funds_allotment c WHERE c.parent_id = a.id) c
        WHERE (a.reserved_fen, a.spent_fen, a.carried_fen, a.cut_fen, a.issued_fen) <> (f.reserved, f.spent, m.carried, m.cut, m.issued - c.back)
           OR a.reserved_fen + a.spent_fen + a.carried_fen + a.cut_fen + a.issued_fen > a.amount_fen""",
    "the money of an application is not its lines": f"""
        SELECT f.id FROM funds_fundingapplication f JOIN payment_roster r ON r.application_id = f.id JOIN payment_rosterline l ON l.roster_id = r.id
        WHERE f.state <> 'withdrawn' GROUP BY f.id
        HAVING f.amount_fen - f.returned_fen <> coalesce(sum(l.amount_fen) FILTER (WHERE l.state IN ('listed', 'sent', 'unknown', 'paid')
               OR l.state = 'returned' AND l.withheld_reason = '' OR l.state = 'withheld' AND l.withheld_reason IN ({_REASONS})), 0)""",
    "a voucher does not balance": """
        SELECT v.id FROM ledger_voucher v LEFT JOIN ledger_ledgerline l ON l.voucher_id = v.id AND l.division = v.division
             AND l.occurred_on = v.occurred_on
        LEFT JOIN ledger_ledgeraccount d ON d.id = l.debit_id AND d.division = v.division
        LEFT JOIN ledger_ledgeraccount c ON c.id = l.credit_id AND c.division = v.division
        GROUP BY v.id HAVING count(d.id) <> v.lines_count OR count(c.id) <> v.lines_count OR sum(l.amount_fen) <> v.amount_fen""",
    "a recovery is not what came back of it": """
        SELECT r.id FROM payment_recovery r
        CROSS JOIN LATERAL (SELECT coalesce(sum(d.amount_fen), 0) AS held, coalesce(sum(d.amount_fen) FILTER (WHERE d.state = 'paid'), 0) AS paid
              FROM payment_due d WHERE d.recovery_id = r.id AND d.state IN ('owed', 'paid')) d
        CROSS JOIN LATERAL (SELECT coalesce(sum(p.amount_fen), 0) AS fen FROM payment_recoveryreceipt p WHERE p.recovery_id = r.id AND p.state = 'confirmed') p
        CROSS JOIN LATERAL (SELECT coalesce(sum(w.amount_fen), 0) AS fen FROM payment_recoverywriteoff w WHERE w.recovery_id = r.id AND w.state = 'confirmed') w
        WHERE (r.withheld_fen, r.repaid_fen, r.written_off_fen) <> (d.held, p.fen, w.fen) OR d.held + p.fen + w.fen > r.amount_fen
           OR r.state IN ('decided', 'settled') AND (r.state = 'settled') <> (d.paid + p.fen + w.fen = r.amount_fen)""",
    "在途 is not what the bank has not answered": """
        SELECT a.division FROM funds_specialaccount a
        LEFT JOIN LATERAL (SELECT sum(i.amount_fen) AS fen FROM payment_batch b JOIN payment_instruction i ON i.batch_id = b.id
             AND i.state IN ('sent', 'unknown') WHERE b.payer_id = a.id) i ON true
        LEFT JOIN LATERAL (SELECT sum(CASE WHEN g.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END) AS fen
             FROM ledger_ledgeraccount g JOIN ledger_ledgerline l ON g.id IN (l.debit_id, l.credit_id)
             WHERE g.division = a.division AND g.code = '1003') b ON true
        WHERE a.kind = 'special' AND coalesce(i.fen, 0) <> coalesce(b.fen, 0)""",
    "应收追回款 is not what is still owed back": """
        SELECT * FROM (SELECT coalesce(sum(CASE WHEN g.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END), 0) AS booked
             FROM ledger_ledgeraccount g JOIN ledger_ledgerline l ON g.id IN (l.debit_id, l.credit_id) WHERE g.code = '1021') b,
        (SELECT coalesce(sum(r.amount_fen - r.repaid_fen - r.written_off_fen), 0) AS owed FROM payment_recovery r WHERE r.state IN ('decided', 'settled')) r,
        (SELECT coalesce(sum(d.amount_fen), 0) AS held FROM payment_due d WHERE d.kind = 'recovery' AND d.state = 'paid') d
        WHERE booked <> owed - held""",
    "a roster is not its lines": """
        SELECT r.id FROM payment_roster r LEFT JOIN payment_rosterline l ON l.roster_id = r.id
        GROUP BY r.id HAVING count(l.id) <> r.lines_count OR coalesce(sum(l.amount_fen), 0) <> r.amount_fen""",
}
_ALL = " UNION ALL ".join(
    f"(SELECT '{name}', string_agg(t::text, ' ') FROM ({query}) t)" for name, query in _CHECKS.items()
)


def wrong(bank: Bank) -> list[str]:
    """Everything that does not hold."""
    found = [f"{name}: {rows}" for name, rows in fetched(_ALL) if rows]
    return found + _bank_and_rosters(bank) + _bank_and_ledger(bank)


def fetched(statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


# What we believe of every line the bank was ever told of.
_OURS = """
SELECT i.line_id, array_agg(i.state ORDER BY i.id), array_agg(i.amount_fen ORDER BY i.id) FROM payment_instruction i
JOIN payment_batch b ON b.id = i.batch_id WHERE i.line_id = ANY(%s) GROUP BY 1
"""
_TWICE = "SELECT due_id FROM payment_linedue WHERE line_id = ANY(%s) GROUP BY 1 HAVING count(*) > 1"


def _bank_and_rosters(bank: Bank) -> list[str]:
    """Nobody has the money of a due twice, by the bank's books; what we call paid or returned the bank calls so, too."""
    kept: dict[int, list[tuple[str, int]]] = {}
    for line, state, fen, back in bank.lines():
        kept.setdefault(line, []).append(("B" if back else state, fen))
    credited = [line for line, told in kept.items() for state, _ in told if state == "S"]
    found = (
        [f"the bank credited line {line} twice" for line in credited if credited.count(line) > 1]
        if len(set(credited)) < len(credited)
        else []
    )
    found += [f"the bank credited due {due} on two lines" for (due,) in fetched(_TWICE, [credited])]
    for line, states, amounts in fetched(_OURS, [list(kept)]):
        told = kept[line]
        if "paid" in states and not any(state in "SB" for state, _ in told):
            found.append(f"line {line} is paid, and the bank says {told}")
        if "returned" in states and not any(state in "FB" for state, _ in told):
            found.append(f"line {line} came back, and the bank says {told}")
        if {fen for _, fen in told} != set(amounts):
            found.append(f"line {line} was {amounts}, at the bank {told}")
    return found


# By special account: what the books say is there, and what of it the bank cannot know yet.
_BOOKED = """
SELECT a.division, coalesce((SELECT sum(CASE WHEN g.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END)
    FROM ledger_ledgeraccount g JOIN ledger_ledgerline l ON g.id IN (l.debit_id, l.credit_id) WHERE g.division = a.division AND g.code = '1002'), 0)::bigint
FROM funds_specialaccount a WHERE a.kind = 'special'
"""
_WAITING = """
SELECT b.division, b.batch_no, i.line_id, i.amount_fen FROM payment_instruction i JOIN payment_batch b ON b.id = i.batch_id
WHERE i.state IN ('sent', 'unknown')
"""
_TRANSFERRED = "SELECT transfer_no FROM funds_fundingapplication WHERE state = 'transferred'"
_KNOWN = """
SELECT bank_serial FROM payment_recoveryreceipt WHERE state = 'confirmed'
UNION ALL SELECT receipt_no FROM funds_moneymove WHERE state = 'confirmed'
"""
# What came back is in the books when it was booked again, or when a statement told the credit and the return together.
_RETURNED = "SELECT line_id FROM payment_instruction WHERE state = 'returned'"
_MOVED = {
    # Of the township's account, without an order of ours: paid in or given back at the counter.
    "slips": """SELECT CASE s.kind WHEN 'special' THEN s.account ELSE t.account END, CASE s.kind WHEN 'special' THEN -p.amount_fen ELSE p.amount_fen END,
                p.booked_on || printf('%010d', p.id)
                FROM postings AS p JOIN accounts AS s ON s.account = p.source JOIN accounts AS t ON t.account = p.target
                WHERE p.file_id IS NULL AND 'special' IN (s.kind, t.kind) AND 'capital' NOT IN (s.kind, t.kind)""",
    "transfers": """SELECT r.account, r.amount_fen, files.number FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'transfer'
                WHERE r.state = 'S'""",
    "back": """SELECT o.payer, r.amount_fen, r.row_id FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'payment'
                JOIN orders AS o ON o.file_id = files.id JOIN postings AS p ON p.file_id = r.file_id AND p.sequence = r.sequence AND p.target = o.payer
                WHERE r.state = 'S'""",
    "taken": """SELECT o.payer, r.amount_fen, files.number || '/' || r.row_id FROM order_rows AS r JOIN files ON files.id = r.file_id AND files.kind = 'payment'
                JOIN orders AS o ON o.file_id = files.id WHERE r.state IN ('S', 'U')""",
}  # fmt: skip


def came_back(bank: Bank, *, told: bool) -> dict[str, int]:
    """By special account: 分 that were credited and came back, and are in our books (`told`) or not yet."""
    found: dict[str, int] = {}
    returned = {str(line) for (line,) in fetched(_RETURNED)}
    for account, fen, key in bank.rows(_MOVED["back"]):
        if (key in returned) is told:
            found[account] = found.get(account, 0) + int(fen)
    return found


def _bank_and_ledger(bank: Bank) -> list[str]:
    """Each special account: bank = ledger, but for what one of them was not told yet, and each such thing is known."""
    books = {f"62999803415{place[4:12]}": fen for place, fen in fetched(_BOOKED)}
    unknown = dict.fromkeys(books, 0)  # what the bank has moved and the books do not know yet
    known = {serial for (serial,) in fetched(_KNOWN)}
    transferred = {number for (number,) in fetched(_TRANSFERRED)}
    for kind, told in (("slips", known), ("transfers", transferred)):
        for account, fen, key in bank.rows(_MOVED[kind]):
            if key not in told:
                unknown[account] += fen
    for account, fen in came_back(bank, told=False).items():
        unknown[account] += fen
    sent = {f"{number}/{line}": (f"62999803415{place[4:12]}", fen) for place, number, line, fen in fetched(_WAITING)}
    for account, fen in sent.values():
        unknown[account] += fen  # off the books, and at the bank until it is taken
    for account, fen, key in bank.rows(_MOVED["taken"]):
        if key in sent:
            unknown[account] -= fen
    held = bank.balances()
    return [
        f"{account}: bank {held.get(account, 0)}, books {fen}, not told yet {unknown[account]}"
        for account, fen in books.items() if held.get(account, 0) != fen + unknown[account]
    ]  # fmt: skip
