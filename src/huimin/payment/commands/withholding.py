"""Withheld from later dues (抵扣追回款): a share of a payment, from the same programme and beneficiary, never more (PAY-06, PAY-10).

in    the draft of a roster; recoveries decided and told; the county's share (payment.recovery_rules)
out   the draft's amounts cut; dues of kind recovery on the lines; 应收追回款 less when the line is paid

Terms. The *limit* of a line is the share of base and arrears, rounded down. Recoveries of a beneficiary are served in the order they were
decided, each with what is left of it or its instalment, until the limit is reached; on one line of a roster, its largest. The
arithmetic is `ALLOCATED`, held against its properties in tests/payment/test_withholding.py.

Always true: a line pays more than it withholds (the share is at most half); without a rule nothing is withheld; what stands on a
roster that is taken back is free again. Law: S0 附件2 第28条; no offset against loans or fees: S4 (八), S1 附件四.
"""

from collections.abc import Sequence
from datetime import date

from huimin.database.bulk import fetch, run, temporary
from huimin.ledger.commands import post_event
from huimin.ledger.models import Voucher
from huimin.organisation.acting import Actor, AlreadyDone, refused_by_constraint
from huimin.payment.commands.recoveries import settle_recoveries
from huimin.payment.models import Batch, Roster
from huimin.payment.recovery_rules import share_of

refused_by_constraint("recovery_withheld", AlreadyDone, "追缴的余额已在另一份清册里抵扣", "请刷新后重新编制")
refused_by_constraint("offset_of_its_recovery", AlreadyDone, "只能从同一项目、同一对象的发放里抵扣", "请核对追缴")

# Over rows (line, gross_fen, recovery, wanted_fen, turn): what each recovery takes from each line.
ALLOCATED = """
SELECT line, recovery, least(wanted_fen, greatest(gross_fen * %(share)s / 100 - (sum(wanted_fen) OVER taken - wanted_fen), 0))::bigint AS fen
FROM asked WINDOW taken AS (PARTITION BY line ORDER BY turn, recovery)
"""
_WITHHELD = f"""
WITH lines AS (
    SELECT DISTINCT ON (household_id, coalesce(person_id, 0)) entitlement_id AS line, household_id, person_id, amount_fen AS gross_fen
    FROM roster_draft WHERE card_id IS NOT NULL
    ORDER BY household_id, coalesce(person_id, 0), amount_fen DESC, entitlement_id
), asked AS (
    SELECT l.line, l.gross_fen, r.id AS recovery, r.decided_on AS turn,
           least(r.amount_fen - r.withheld_fen - r.repaid_fen - r.written_off_fen
                 - coalesce((SELECT sum(p.amount_fen) FROM payment_recoveryreceipt p WHERE p.recovery_id = r.id AND p.state = 'proposed'), 0)
                 - coalesce((SELECT sum(p.amount_fen) FROM payment_recoverywriteoff p WHERE p.recovery_id = r.id AND p.state = 'proposed'), 0),
                 r.instalment_fen) AS wanted_fen
    FROM payment_recovery r JOIN lines l ON l.household_id = r.household_id AND l.person_id IS NOT DISTINCT FROM r.person_id
    WHERE r.state = 'decided' AND r.programme = %(programme)s AND r.books = %(books)s AND r.told_on <= %(on)s
)
SELECT line AS entitlement_id, recovery AS recovery_id, fen FROM ({ALLOCATED.replace("FROM asked", "FROM asked WHERE wanted_fen > 0")}) a WHERE fen > 0
"""  # noqa: S608
_CUT = """
UPDATE roster_draft r SET withheld_fen = w.fen, amount_fen = r.amount_fen - w.fen
FROM (SELECT entitlement_id, sum(fen)::bigint AS fen FROM withheld GROUP BY 1) w WHERE r.entitlement_id = w.entitlement_id
"""
_ADD = """
INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state, rule,
    recovery_id, made_on)
SELECT w.entitlement_id, e.division, e.programme, %(start)s, %(until)s, 'recovery', 1, w.fen, 'owed', '', w.recovery_id, %(on)s
FROM withheld w JOIN casework_entitlement e ON e.id = w.entitlement_id
"""
_PUT = """
INSERT INTO payment_linedue (line_id, due_id, division, live)
SELECT l.id, d.id, l.division, true
FROM withheld w JOIN payment_due d ON d.recovery_id = w.recovery_id AND d.entitlement_id = w.entitlement_id AND d.state = 'owed'
JOIN payment_rosterline l ON l.roster_id = %(roster)s AND l.entitlement_id = w.entitlement_id
WHERE NOT EXISTS (SELECT 1 FROM payment_linedue x WHERE x.due_id = d.id)
"""
_RECOUNT = """
UPDATE payment_recovery r SET withheld_fen = w.fen
FROM (SELECT q.id, coalesce((SELECT sum(d.amount_fen) FROM payment_due d WHERE d.recovery_id = q.id AND d.kind = 'recovery'
             AND d.state IN ('owed', 'paid')), 0) AS fen
      FROM payment_recovery q WHERE q.id = ANY (%s)) w
WHERE r.id = w.id AND r.withheld_fen <> w.fen
"""


def withhold_from_draft(on: date, programme: str, division: str) -> int:
    """Cut the lines of `roster_draft`; how many recoveries are served. The table `withheld` says which."""
    rule = share_of(division, programme, on)
    share = rule.share_percent if rule else 0
    temporary("withheld", _WITHHELD, {"programme": programme, "books": division, "on": on, "share": share})
    return run(_CUT)


def put_on_lines(on: date, roster: Roster) -> None:
    """The dues of kind recovery for what was cut, on the roster's lines."""
    where = {"start": roster.period_from, "until": roster.period_until, "on": on, "roster": roster.pk}
    if run(_ADD, where):
        run(_PUT, where)
        recount([row[0] for row in fetch("SELECT DISTINCT recovery_id FROM withheld")])


_OF_ROSTER = """
SELECT DISTINCT d.recovery_id FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id AND d.kind = 'recovery'
JOIN payment_rosterline l ON l.id = x.line_id WHERE l.roster_id = %s
"""


_FREE = """
UPDATE payment_due d SET state = 'withdrawn' FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id
WHERE d.id = x.due_id AND d.kind = 'recovery' AND d.state = 'owed' AND l.roster_id = %(roster)s AND (%(all)s OR l.state = 'withheld')
"""


def free_of_roster(roster: Roster) -> None:
    """What a roster that is taken back would have withheld is outstanding again."""
    if run(_FREE, {"roster": roster.pk, "all": True}):
        recount_of_roster(roster)


def free_of_held(roster: Roster) -> None:
    """The same for lines held back when the roster was checked: their dues go on another roster, which withholds anew."""
    if run(_FREE, {"roster": roster.pk, "all": False}):
        recount_of_roster(roster)


def recount_of_roster(roster: Roster) -> None:
    """After lines were struck with their dues."""
    recount([row[0] for row in fetch(_OF_ROSTER, [roster.pk])])


def recount_of_lines(lines: Sequence[int]) -> None:
    """After the dues of these lines were withdrawn: what they would have withheld is outstanding again."""
    rows = fetch(
        "SELECT DISTINCT d.recovery_id FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id AND d.kind = 'recovery'"
        " WHERE x.line_id = ANY (%s)",
        [list(lines)],
    )
    recount([number for (number,) in rows])


def recount(numbers: Sequence[int]) -> None:
    if numbers:
        run(_RECOUNT, [list(numbers)])


_OFFSETS = """
SELECT m.batch_id, sum(d.amount_fen)::bigint, array_agg(DISTINCT d.recovery_id)
FROM matched m JOIN payment_linedue x ON x.line_id = m.line_id AND x.live
JOIN payment_due d ON d.id = x.due_id AND d.kind = 'recovery'
WHERE m.verdict = 'settle' AND m.new_state = 'paid' GROUP BY 1
"""


def post_offsets(by: Actor, on: date, subject: str, batches: dict[int, Batch]) -> None:
    """The lines of `matched` that were paid have paid back what was withheld from them: expense, and no receivable any more."""
    for number, fen, recoveries in fetch(_OFFSETS):
        batch = batches[number]
        post_event(
            by=by, on=on, division=batch.division, event=Voucher.Event.RECOVERY_OFFSET, subject=f"offset:{number}:{subject}",
            summary=f"批次 {batch.batch_no} 抵扣追回款", amount_fen=fen, programme=batch.programme,
        )  # fmt: skip
        settle_recoveries(recoveries)
