"""Returned money sent again, to a corrected account, each due once (PAY-06).

in    a roster with returned lines whose payee has another active account since (registry: a correction that a second
      person approved), or with lines withheld for want of an account in force whose beneficiary has one again
out   a reissue roster: new lines that name the ones they replace, resting on the notice of the original; the money is
      already back in the special account, so no funds are asked for again

A household's line goes to its head of the day: where the head died, to the next one, in his name. A line is replaced at most once; its due stands on one live line. Returned lines without a corrected account stay where
they are, with their open exception.
"""

from datetime import date

from huimin.database.bulk import run, temporary
from huimin.organisation.acting import Actor, command, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.batches import require_money, withhold_without_account
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.roster_digest import REISSUED, digest_of, require_unchanged, sums_of_draft
from huimin.payment.commands.rosters import payable
from huimin.payment.commands.settling import settle_roster
from huimin.payment.commands.states import WrongState, get_roster
from huimin.payment.models import Roster, RosterLine
from huimin.registry.accounts import account_of, payee_of
from huimin.registry.commands.cooling import put_due_in_force

_DRAFT = f"""
SELECT row_number() OVER (ORDER BY l.line_no)::int AS line_no, l.id AS old_id, coalesce(l.noticed_id, l.id) AS noticed,
       l.division, l.programme, l.entitlement_id, l.household_id, l.person_id, c.holder_id AS payee_id,
       c.id AS card_id, c.authority_id, paid.name,
       l.people, l.group_code, l.quantity, l.amount_fen, l.arrears_fen, l.withheld_fen, l.facts_digest,
       {REISSUED.format(payee="c.holder_id", name="paid.name", replaces="l.id")} AS digest
FROM payment_rosterline l
JOIN registry_card old ON old.id = l.card_id
LEFT JOIN registry_cardauthority a ON a.id = l.authority_id
CROSS JOIN LATERAL {payee_of("l", "old", "a")} w
CROSS JOIN LATERAL {account_of("w.person", "w.use")} c
CROSS JOIN LATERAL (SELECT CASE WHEN w.person IN (l.payee_id, a.beneficiary_id) THEN l.name ELSE q.name END AS name
                    FROM registry_person q WHERE q.id = w.person) paid
WHERE l.roster_id = %(roster)s
  AND (l.state = 'returned' AND l.withheld_reason = '' AND c.account_hash <> old.account_hash
       AND EXISTS (SELECT 1 FROM payment_instruction i WHERE i.line_id = l.id AND i.state = 'returned')
    OR l.state = 'withheld' AND (l.withheld_reason = %(reason)s
       OR l.withheld_reason = ANY(%(other)s) AND c.account_hash <> old.account_hash))
"""  # noqa: S608
_LINES = """
INSERT INTO payment_rosterline (roster_id, line_no, division, programme, entitlement_id, household_id, person_id,
    payee_id, card_id, authority_id, name, people, group_code, quantity, amount_fen, arrears_fen,
    withheld_fen, facts_digest, digest, replaces_id, noticed_id,
    state, withheld_reason)
SELECT %(new)s, line_no, division, programme, entitlement_id, household_id, person_id, payee_id, card_id, authority_id, name, people,
       group_code, quantity, amount_fen, arrears_fen, withheld_fen, facts_digest, digest, old_id, noticed, 'listed', ''
FROM reissue_draft
"""
_MOVE_DUES = """
INSERT INTO payment_linedue (line_id, due_id, division, live)
SELECT n.id, x.due_id, x.division, true
FROM payment_rosterline n JOIN payment_linedue x ON x.line_id = n.replaces_id
WHERE n.roster_id = %(new)s AND NOT x.live
"""
_REPLACE = """
UPDATE payment_rosterline l SET state = 'replaced' FROM reissue_draft d WHERE l.id = d.old_id
"""
_CLOSE = """
UPDATE payment_paymentexception e SET state = 'closed', resolution = '账户已更正，转重发', closed_by = %(by)s,
       closed_on = %(on)s
FROM reissue_draft d WHERE e.line_id = d.old_id AND e.kind IN ('returned', 'no_card', 'check') AND e.state = 'open'
"""


@command(Post.SETTLEMENT)
def reissue_returned(*, by: Actor, on: date, roster_id: int) -> Roster:
    """A reissue roster for every returned line of a roster whose account was corrected. NothingOwed when none was."""
    unsent = (Roster.State.CONFIRMED, Roster.State.FUNDED)
    roster = get_roster(roster_id, Roster.State.SENT, *unsent)
    require_place(by, roster.division)
    put_due_in_force(by, on)
    if roster.state in unsent:
        _require_nothing_to_send(on, roster)
    temporary("reissue_draft", _DRAFT, {
        "roster": roster.pk, "on": on, "reason": RosterLine.NOT_IN_FORCE, "other": list(RosterLine.REISSUED_REASONS[1:]),
    })  # fmt: skip
    lines, amount_fen, over = sums_of_draft("reissue_draft", "digest")
    if not lines:
        raise NothingOwed("没有可以重发的行", why="退汇行的账户尚未更正并审核", remedy="请先在待处理事项中更正账户")
    new = _insert_roster(by, on, roster, lines, amount_fen, over)
    run(_LINES, {"new": new.pk})
    run(_MOVE_DUES, {"new": new.pk})
    run(_REPLACE)
    run(_CLOSE, {"by": by.appointment, "on": on})
    settle_roster(roster.pk)
    sign(by=by, on=on, act="编制重发清册", subject=f"roster:{new.pk}", content_digest=new.digest, division=new.division)
    return new


def _require_nothing_to_send(on: date, roster: Roster) -> None:
    """No line of a roster with its money there can be paid as it stands; otherwise it goes to the bank first."""
    if roster.kind == Roster.Kind.BASE:
        require_money(roster)
        require_unchanged(roster)
    withhold_without_account(on, roster)
    if payable(roster)[0]:
        raise WrongState("清册还有可以发放的行", why="重发在送银行之后", remedy="请先编制批次")


def _insert_roster(by: Actor, on: date, roster: Roster, lines: int, amount_fen: int, over: str) -> Roster:
    """Signed and confirmed by those who signed and confirmed its origin: nothing but the account is new."""
    origin = roster.origin or roster
    where = {
        "division": roster.division, "programme": roster.programme, "kind": Roster.Kind.REISSUE,
        "period_from": roster.period_from, "period_until": roster.period_until,
    }  # fmt: skip
    what = where | {"number": Roster.objects.filter(**where).count() + 1, "version": roster.version}
    return Roster.objects.create(
        **what, lines_count=lines, amount_fen=amount_fen, digest=digest_of(what, lines, amount_fen, over), state=Roster.State.FUNDED, origin=origin,
        compiled_by=by.appointment, compiled_on=on, published_on=origin.published_on,
        signed_by=origin.signed_by, signed_on=origin.signed_on, department_by=origin.department_by,
        department_on=origin.department_on, finance_by=origin.finance_by, finance_on=origin.finance_on,
        application=origin.application,
    )  # fmt: skip
