"""Returned money sent again, to a corrected account, each due once (PAY-06).

in    a roster with returned lines whose payee has another active account since (registry: a correction that a second
      person approved)
out   a reissue roster: new lines that name the ones they replace, resting on the notice of the original; the money is
      already back in the special account, so no funds are asked for again

A line is replaced at most once; its due stands on one live line. Returned lines without a corrected account stay where
they are, with their open exception.
"""

from datetime import date

from huimin.database.bulk import fetch_one, run, temporary
from huimin.organisation.acting import Actor, command, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.results import settle_roster
from huimin.payment.commands.rosters import get_roster
from huimin.payment.models import Roster

_DRAFT = """
SELECT row_number() OVER (ORDER BY l.line_no)::int AS line_no, l.id AS old_id, coalesce(l.noticed_id, l.id) AS noticed,
       l.division, l.programme, l.entitlement_id, l.household_id, l.person_id, l.payee_id, c.id AS card_id, l.name,
       l.people, l.group_code, l.quantity, l.amount_fen, l.facts_digest,
       sha256(convert_to(concat_ws('|', l.entitlement_id, l.household_id, l.person_id, l.payee_id, l.name,
              l.amount_fen, encode(c.account_hash, 'hex'), l.facts_digest, l.id), 'UTF8')) AS digest
FROM payment_rosterline l
JOIN payment_instruction i ON i.line_id = l.id AND i.state = 'returned'
JOIN registry_card old ON old.id = l.card_id
JOIN registry_card c ON c.holder_id = l.payee_id AND c.use = old.use AND c.recorded_to IS NULL AND c.state = 'active'
     AND c.valid_from <= %(on)s AND (c.valid_to IS NULL OR c.valid_to > %(on)s) AND c.account_hash <> i.account_hash
WHERE l.roster_id = %(roster)s AND l.state = 'returned'
"""
_LINES = """
INSERT INTO payment_rosterline (roster_id, line_no, division, programme, entitlement_id, household_id, person_id,
    payee_id, card_id, name, people, group_code, quantity, amount_fen, facts_digest, digest, replaces_id, noticed_id,
    state, withheld_reason)
SELECT %(new)s, line_no, division, programme, entitlement_id, household_id, person_id, payee_id, card_id, name, people,
       group_code, quantity, amount_fen, facts_digest, digest, old_id, noticed, 'listed', ''
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
FROM reissue_draft d WHERE e.line_id = d.old_id AND e.kind = 'returned' AND e.state = 'open'
"""
_SUMS = """
SELECT count(*)::int, coalesce(sum(amount_fen), 0)::bigint,
       encode(sha256(coalesce(string_agg(digest, ''::bytea ORDER BY line_no), ''::bytea)), 'hex')
FROM reissue_draft
"""


@command(Post.SETTLEMENT)
def reissue_returned(*, by: Actor, on: date, roster_id: int) -> Roster:
    """A reissue roster for every returned line of a roster whose account was corrected. NothingOwed when none was."""
    roster = get_roster(roster_id, Roster.State.SENT)
    require_place(by, roster.division)
    temporary("reissue_draft", _DRAFT, {"roster": roster.pk, "on": on})
    lines, amount_fen, digest = fetch_one(_SUMS)
    if not lines:
        raise NothingOwed("没有可以重发的行", why="退汇行的账户尚未更正并审核", remedy="请先在待处理事项中更正账户")
    new = _insert_roster(by, on, roster, lines, amount_fen, digest)
    run(_LINES, {"new": new.pk})
    run(_MOVE_DUES, {"new": new.pk})
    run(_REPLACE)
    run(_CLOSE, {"by": by.appointment, "on": on})
    settle_roster(roster.pk)
    sign(by=by, on=on, act="编制重发清册", subject=f"roster:{new.pk}", content_digest=digest, division=new.division)
    return new


def _insert_roster(by: Actor, on: date, roster: Roster, lines: int, amount_fen: int, digest: str) -> Roster:
    """Signed and confirmed by those who signed and confirmed its origin: nothing but the account is new."""
    origin = roster.origin or roster
    return Roster.objects.create(
        division=roster.division, programme=roster.programme, version=roster.version, kind=Roster.Kind.REISSUE,
        period_from=roster.period_from, period_until=roster.period_until,
        number=Roster.objects.filter(
            division=roster.division, programme=roster.programme, kind=Roster.Kind.REISSUE,
            period_from=roster.period_from, period_until=roster.period_until,
        ).count() + 1,
        lines_count=lines, amount_fen=amount_fen, digest=digest, state=Roster.State.FUNDED, origin=origin,
        compiled_by=by.appointment, compiled_on=on, published_on=origin.published_on,
        signed_by=origin.signed_by, signed_on=origin.signed_on, department_by=origin.department_by,
        department_on=origin.department_on, finance_by=origin.finance_by, finance_on=origin.finance_on,
        application=origin.application,
    )  # fmt: skip
