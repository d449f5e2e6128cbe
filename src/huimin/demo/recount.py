"""The quarter recounted by an independent route: the files, the bank's own books, and plain SQL.

in    the folders exchanged with the bank, the bank's recount, a maintenance connection
out   `Comparison`s; every difference must be 0

Nothing here calls the commands or queries that made the figures: files are read by splitting lines, the database by
counting rows of the tables directly.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections

from huimin.demo.bank import books, inbox, outbox
from huimin.demo.quarter import County


@dataclass(frozen=True)
class Comparison:
    """One figure counted twice."""

    what: str
    ours_from: str
    ours: int
    theirs_from: str
    theirs: int

    @property
    def difference(self) -> int:
        return self.ours - self.theirs


def compare(county: County) -> list[Comparison]:
    """All comparisons, in the order of the quarter."""
    sent, answered, bank = _sent_files(outbox(county)), _answer_files(inbox(county)), books(county)
    return [*_entitled(), *_listed(), *_sealed(), *_paid(sent, answered, bank), *_booked(bank), *_once()]


def _one(statement: str) -> int:
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0] or 0)


def _rows(path: Path) -> list[list[str]]:
    """Fields of the detail rows, read with nothing but split."""
    lines = path.read_bytes().decode("gb18030").splitlines()
    return [line.split("|") for line in lines if line.startswith("D|")]


def _sent_files(folder: Path) -> dict[str, int]:
    """Lines and 分 of all payment batches sent, and 分 of all transfer orders."""
    sums: dict[str, int] = defaultdict(int)
    for path in folder.glob("DF_*.txt"):
        for row in _rows(path):
            sums["lines"] += 1
            sums["fen"] += int(row[6])
    for path in folder.glob("ZJ_*.txt"):
        sums["transfer_fen"] += sum(int(row[4]) for row in _rows(path))
    return sums


def _answer_files(folder: Path) -> dict[str, int]:
    """Lines and 分 by final state (S, F) over all answers; a pending row counts when it is settled."""
    sums: dict[str, int] = defaultdict(int)
    for path in folder.glob("DFR_*.txt"):
        for row in _rows(path):
            sums[f"{row[4]}_lines"] += 1
            sums[f"{row[4]}_fen"] += int(row[3])
    return sums


# Each entitlement's quarter from its decision alone: a month's amount thrice, a quarter of a year's, or the amount once.
_OWED = """
SELECT sum(CASE period WHEN 'month' THEN 3 * d.amount_fen
                       WHEN 'year' THEN d.amount_fen * 9 / 12 - d.amount_fen * 6 / 12
                       ELSE d.amount_fen END)
FROM casework_decision d JOIN casework_entitlement e ON e.decision_id = d.id WHERE d.outcome = 'granted'
"""


def _entitled() -> list[Comparison]:
    granted = _one("SELECT count(*) FROM casework_decision WHERE outcome = 'granted'")
    return [
        Comparison("待遇（条）", "待遇表", _one("SELECT count(*) FROM casework_entitlement"), "批准的决定", granted),
        Comparison(
            "本季应发（分）",
            "应发表",
            _one("SELECT sum(amount_fen) FROM payment_due WHERE kind = 'base'"),
            "决定逐条重算",
            _one(_OWED),
        ),
    ]


def _listed() -> list[Comparison]:
    base = "FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id AND r.kind = 'base' AND r.state <> 'withdrawn'"
    lines, fen = _one(f"SELECT count(*) {base}"), _one(f"SELECT sum(l.amount_fen) {base}")
    no_card = _one("SELECT sum(amount_fen) FROM payment_paymentexception WHERE kind = 'no_card'")
    dues = _one(
        "SELECT sum(CASE kind WHEN 'recovery' THEN -amount_fen ELSE amount_fen END) FROM payment_due WHERE state <> 'stopped'"
        " AND NOT (kind = 'recovery' AND state = 'withdrawn')"
    )
    notices = "FROM notices_notice WHERE state <> 'withdrawn' AND subject LIKE 'roster:%'"
    return [
        Comparison("清册金额（分）", "清册行", fen, "应发减无账户", dues - no_card),
        Comparison("清册行数", "清册行", lines, "公示行", _one(f"SELECT sum(rows_count) {notices}")),
        Comparison("公示金额（分）", "清册行", fen, "公示", _one(f"SELECT sum(amount_fen) {notices}")),
    ]


def _paid(sent: dict[str, int], answered: dict[str, int], bank: dict[str, Any]) -> list[Comparison]:
    instructed = "FROM payment_instruction WHERE state <> 'cancelled'"
    # What came back after it was paid (E05) was paid when the bank said so.
    rebooked = "SELECT instruction_id FROM payment_rebooking WHERE state = 'confirmed'"
    paid = f"FROM payment_instruction WHERE (state = 'paid' OR id IN ({rebooked}))"
    returned = f"FROM payment_instruction WHERE state = 'returned' AND id NOT IN ({rebooked})"
    credited = sum(batch["credited_count"] for batch in bank["batches"])
    credited_fen = sum(batch["credited_fen"] for batch in bank["batches"])
    refused_fen = sum(batch["refused_fen"] for batch in bank["batches"])
    return [
        Comparison("送银行行数", "支付指令", _one(f"SELECT count(*) {instructed}"), "批次文件", sent["lines"]),
        Comparison(
            "送银行金额（分）", "支付指令", _one(f"SELECT sum(amount_fen) {instructed}"), "批次文件", sent["fen"]
        ),
        Comparison("已发行数", "支付指令", _one(f"SELECT count(*) {paid}"), "回盘文件", answered["S_lines"]),
        Comparison("已发行数", "支付指令", _one(f"SELECT count(*) {paid}"), "银行账簿", credited),
        Comparison("已发金额（分）", "支付指令", _one(f"SELECT sum(amount_fen) {paid}"), "回盘文件", answered["S_fen"]),
        Comparison("已发金额（分）", "支付指令", _one(f"SELECT sum(amount_fen) {paid}"), "银行账簿", credited_fen),
        Comparison("退回行数", "支付指令", _one(f"SELECT count(*) {returned}"), "回盘文件", answered["F_lines"]),
        Comparison("退回金额（分）", "支付指令", _one(f"SELECT sum(amount_fen) {returned}"), "银行账簿", refused_fen),
    ]


_BALANCE = """
SELECT coalesce(sum(CASE WHEN d.code = '{code}' THEN l.amount_fen ELSE 0 END)
              - sum(CASE WHEN c.code = '{code}' THEN l.amount_fen ELSE 0 END), 0)
FROM ledger_ledgerline l JOIN ledger_ledgeraccount d ON d.id = l.debit_id JOIN ledger_ledgeraccount c ON c.id = l.credit_id
"""


def _booked(bank: dict[str, Any]) -> list[Comparison]:
    in_bank = sum(account["balance_fen"] for account in bank["special_accounts"])
    funded = sum(account["funded_fen"] for account in bank["special_accounts"])
    paid = _one("SELECT sum(amount_fen) FROM payment_instruction WHERE state = 'paid'")
    raised = _one("SELECT sum(amount_fen) FROM payment_recovery WHERE state IN ('decided', 'settled')")
    offset = _one("SELECT sum(amount_fen) FROM payment_due WHERE kind = 'recovery' AND state = 'paid'")
    back = _one("SELECT sum(repaid_fen + written_off_fen) FROM payment_recovery")
    waiting = _one("SELECT sum(amount_fen) FROM payment_instruction WHERE state IN ('sent', 'unknown')")
    return [
        Comparison("专户存款（分）", "账簿 1002", _one(_BALANCE.format(code="1002")), "银行专户余额", in_bank),
        Comparison("拨入专款（分）", "账簿 3001", -_one(_BALANCE.format(code="3001")), "银行划入", funded),
        Comparison(
            "专款支出（分）",
            "账簿 5001",
            _one(_BALANCE.format(code="5001")),
            "已发指令，减追缴，加抵扣",
            paid - raised + offset,
        ),
        Comparison(
            "应收追回款（分）", "账簿 1021", _one(_BALANCE.format(code="1021")), "追缴减已收回", raised - offset - back
        ),
        Comparison("在途（分）", "账簿 1003", _one(_BALANCE.format(code="1003")), "未回盘指令", waiting),
    ]


# What each line's digest was made over, read again from the rows; a reissued line names the one it replaces.
_LINES_OFF = """
SELECT count(*) FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id JOIN casework_entitlement e ON e.id = l.entitlement_id
WHERE l.digest IS DISTINCT FROM sha256(convert_to(CASE WHEN l.replaces_id IS NULL
      THEN concat_ws('|', l.entitlement_id, l.household_id, l.person_id, l.payee_id, l.name, l.amount_fen, l.arrears_fen, l.withheld_fen,
                     encode(c.account_hash, 'hex'), l.facts_digest, e.version)
      ELSE concat_ws('|', l.entitlement_id, l.household_id, l.person_id, l.payee_id, l.name, l.amount_fen,
                     encode(c.account_hash, 'hex'), l.facts_digest, l.replaces_id) END, 'UTF8'))
"""
_ROSTERS = """
SELECT r.digest, r.division, r.programme, r.kind, r.period_from::text, r.period_until::text, r.number, r.version, count(*),
       sum(l.amount_fen)::bigint, encode(sha256(string_agg(l.digest, ''::bytea ORDER BY l.line_no)), 'hex')
FROM payment_roster r JOIN payment_rosterline l ON l.roster_id = r.id GROUP BY r.id
"""


def _sealed() -> list[Comparison]:
    """What was signed, hashed again from what is stored: both must be nobody."""
    with connections["maintenance"].cursor() as cursor:
        cursor.execute(_ROSTERS)
        rows = cursor.fetchall()
    off = 0
    for signed, *content in rows:
        text = json.dumps(["roster", *content], ensure_ascii=False, separators=(",", ":"))
        off += hashlib.sha256(text.encode()).hexdigest() != signed
    return [
        Comparison("与摘要不符的清册", "清册重新计算", off, "应为", 0),
        Comparison("与摘要不符的清册行", "各行重新计算", _one(_LINES_OFF), "应为", 0),
    ]


def _once() -> list[Comparison]:
    """Paid twice, or paid without the steps before: both must be nobody."""
    twice = """SELECT count(*) FROM (SELECT x.due_id FROM payment_linedue x JOIN payment_instruction i ON i.line_id = x.line_id
               WHERE i.state = 'paid' GROUP BY x.due_id HAVING count(*) > 1) t"""
    unproved = """SELECT count(*) FROM payment_instruction i JOIN payment_rosterline l ON l.id = i.line_id
                  JOIN payment_roster r ON r.id = l.roster_id
                  WHERE NOT EXISTS (SELECT 1 FROM notices_noticerow w JOIN notices_notice n ON n.id = w.notice_id
                      WHERE w.subject_line = coalesce(l.noticed_id, l.id) AND n.subject = 'roster:' || coalesce(r.origin_id, r.id)
                      AND n.state = 'ended' AND n.ended_on >= n.starts_on + 7)"""
    return [
        Comparison("重复发放的应发", "指令与应发", _one(twice), "应为", 0),
        Comparison("未经公示的发放", "指令与公示", _one(unproved), "应为", 0),
    ]
