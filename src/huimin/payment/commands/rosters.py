"""Rosters (单项清册): compiled, published, signed and confirmed, each by another post (PAY-01 to PAY-03, PAY-08).

    compiled ──publish──► published ──sign──► signed ──department──► department_confirmed ──finance──► confirmed
        └──────────────withdraw─────────────┘ (before the township head signs)

A roster is frozen when compiled: each line has a digest over beneficiary, account, amount, facts and policy version,
and the roster one over its lines and what it is of (roster_digest); every signature names that digest. A beneficiary without a usable account is not on
the roster but on the exceptions list, and what he is owed stays owed; what looks wrong is answered before it is posted
(findings). Law: 皖政办〔2008〕23号 附件4 第17–19条.
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Sum

from huimin.database.bulk import fetch_one, run, streamed, temporary
from huimin.kernel.errors import Refusal
from huimin.kernel.masking import mask_name
from huimin.kernel.periods import Period
from huimin.kernel.places import Level, scope_prefix
from huimin.ledger.models import MonthClose
from huimin.notices.commands import end_notices, publish_rows, withdraw_notices
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.findings import find_doubts, require_answered
from huimin.payment.commands.roster_digest import LINE, digest_of, require_unchanged, sums_of_draft
from huimin.payment.commands.states import get_roster
from huimin.payment.commands.withholding import free_of_roster, put_on_lines, recount_of_roster, withhold_from_draft
from huimin.payment.models import Roster, RosterLine, RosterNotice, RosterTally
from huimin.payment.standing import ON_A_ROSTER, PAID_LATE, TAKEN_UP
from huimin.policy.models import Programme
from huimin.registry.accounts import account_of
from huimin.registry.commands.cooling import put_due_in_force

NOTICE_DAYS = 7
EXCEPTION_DAYS = 10

refused_by_constraint("roster_once", AlreadyDone, "这份清册已经编制", "请在清册列表中打开")
refused_by_constraint("due_on_one_live_line", AlreadyDone, "有的应发已在另一份清册中", "请刷新后重新编制")


class PeriodClosed(Refusal):
    """The books of that period are closed."""


_DRAFT = f"""
SELECT row_number() OVER (ORDER BY h.division, h.household_no, o.person_id)::int AS line_no,
       h.division, o.entitlement_id, e.household_id, e.person_id, coalesce(c.holder_id, m.person_id) AS payee_id,
       c.id AS card_id, c.authority_id, m.person_id AS beneficiary_id, p.name, e.people, e.quantity,
       o.gross_fen AS amount_fen, o.arrears_fen, 0::bigint AS withheld_fen, d.facts_digest, e.version, c.account_hash, o.dues
FROM (SELECT e.id AS entitlement_id, e.person_id, sum(d.amount_fen)::bigint AS gross_fen,
             coalesce(sum(d.amount_fen) FILTER (WHERE {PAID_LATE}), 0)::bigint AS arrears_fen, array_agg(d.id) AS dues
        FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id
       WHERE d.programme = %(programme)s AND d.state = 'owed'
         AND d.division >= %(low)s AND d.division < %(high)s AND {TAKEN_UP}
         AND NOT {ON_A_ROSTER}
       GROUP BY e.id, e.person_id) o
JOIN casework_entitlement e ON e.id = o.entitlement_id
JOIN casework_decision d ON d.id = e.decision_id
JOIN registry_household h ON h.id = e.household_id
LEFT JOIN registry_membership m ON m.household_id = e.household_id AND m.recorded_to IS NULL
     AND m.valid_from <= %(on)s AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
     AND CASE WHEN %(payee)s = 'person' THEN m.person_id = e.person_id ELSE m.relation = '户主' END
LEFT JOIN LATERAL {account_of("m.person_id", "%(payee)s")} c ON true
LEFT JOIN registry_person p ON p.id = m.person_id
"""  # noqa: S608

_LINES = f"""
INSERT INTO payment_rosterline (roster_id, line_no, division, programme, entitlement_id, household_id, person_id,
    payee_id, card_id, authority_id, name, people, group_code, quantity, amount_fen, arrears_fen, withheld_fen, facts_digest,
    digest, state, withheld_reason)
SELECT %(roster)s, row_number() OVER (ORDER BY line_no), division, %(programme)s, entitlement_id, household_id,
       person_id, payee_id, card_id, authority_id, name, people, division, quantity, amount_fen,
       arrears_fen, withheld_fen, facts_digest, {LINE}, 'listed', ''
FROM roster_draft WHERE card_id IS NOT NULL
"""  # noqa: S608

_LINE_DUES = """
INSERT INTO payment_linedue (line_id, due_id, division, live)
SELECT l.id, due, l.division, true
FROM payment_rosterline l JOIN roster_draft r ON r.entitlement_id = l.entitlement_id, unnest(r.dues) AS due
WHERE l.roster_id = %(roster)s
"""

_NO_CARD = """
INSERT INTO payment_paymentexception (division, kind, roster_id, entitlement_id, row_no, code, reason, amount_fen,
    state, resolution, opened_on, due_on)
SELECT division, 'no_card', %(roster)s, entitlement_id, 0, '', CASE WHEN EXISTS (
           SELECT 1 FROM registry_cardauthority a WHERE a.beneficiary_id = r.beneficiary_id AND a.state = 'approved'
              AND a.valid_to <= %(on)s) THEN '代领授权已到期' ELSE coalesce((
           SELECT left(c.evidence, 100) || '，账户已冻结' FROM registry_card c WHERE c.recorded_to IS NULL AND c.state = 'frozen'
              AND (c.use = 'household' AND c.household_id = r.household_id OR c.holder_id = r.beneficiary_id)
            ORDER BY c.id DESC LIMIT 1), '没有登记可用的账户') END,
       amount_fen, 'open', '', %(on)s, %(due)s
FROM roster_draft r WHERE card_id IS NULL
ON CONFLICT DO NOTHING
"""


@command(Post.CLERK)
def compile_roster(*, by: Actor, on: date, programme: str, division: str, period: Period) -> Roster:
    """The roster of a township for everything owed in `period` and on no roster yet. NothingOwed when that is nothing.

    What an earlier period left when its books were closed is paid with it.
    """
    require_place(by, division)
    law = Programme.objects.get(code=programme)
    require_programme(by, programme, law.name)
    _require_open_books(period)
    put_due_in_force(by, on)
    prefix = scope_prefix(division, Level.TOWNSHIP)
    temporary(
        "roster_draft",
        _DRAFT,
        {
            "programme": programme, "low": prefix, "high": prefix + "~", "start": period.start, "until": period.until,
            "on": on, "payee": law.unit,
        },
    )  # fmt: skip
    withhold_from_draft(on, programme, division)
    roster = _insert_roster(by, on, law, division, period)
    run(_LINES, {"roster": roster.pk, "programme": programme})
    run(_LINE_DUES, {"roster": roster.pk})
    put_on_lines(on, roster)
    run(_NO_CARD, {"roster": roster.pk, "on": on, "due": on + timedelta(days=EXCEPTION_DAYS)})
    find_doubts(roster, on)
    return roster


def _require_open_books(period: Period) -> None:
    if MonthClose.objects.filter(month__gte=period.split("month")[-1].start).exists():
        raise PeriodClosed(
            f"{period}已结账", why="结账后的期间不能再编制清册", remedy="没有编入的，请编入以后期间的清册"
        )


def _insert_roster(by: Actor, on: date, law: Programme, division: str, period: Period) -> Roster:
    lines, amount_fen, over = sums_of_draft("roster_draft", LINE, "card_id IS NOT NULL")
    if not lines:
        raise NothingOwed(
            f"{period}没有可编入清册的{law.name}应发",
            why="应发尚未生成、已在清册中，或都没有可用账户",
            remedy="请查看清册列表和待处理事项",
        )
    where = {
        "division": division,
        "programme": law.code,
        "kind": Roster.Kind.BASE,
        "period_from": period.start,
        "period_until": period.until,
    }
    [version] = fetch_one("SELECT string_agg(DISTINCT version, '、') FROM roster_draft")
    number = Roster.objects.filter(**where).exclude(state=Roster.State.WITHDRAWN).count() + 1
    what = where | {"number": number, "version": version[:100]}
    return Roster.objects.create(
        **what, lines_count=lines, amount_fen=amount_fen, digest=digest_of(what, lines, amount_fen, over),
        compiled_by=by.appointment, compiled_on=on,
    )  # fmt: skip


_NOTICE_ROWS = """
SELECT l.division, l.id, coalesce(g.name, ''), l.name, l.people, l.quantity, l.amount_fen, l.household_id
FROM payment_rosterline l
LEFT JOIN divisions_division g ON g.code = l.group_code AND g.level = 15 AND g.valid_to IS NULL
WHERE l.roster_id = %s AND l.state = 'listed' ORDER BY l.line_no
"""


@command(Post.REVIEWER)
def publish_roster(*, by: Actor, on: date, roster_id: int) -> int:
    """Put the roster up in every village for seven days; returns the number of notices. Not by who compiled it.

    DoubtsOpen while something that looks wrong is neither explained nor held back; lines held back are not posted.
    """
    roster = get_roster(roster_id, Roster.State.COMPILED)
    require_another(by, roster.compiled_by, "编制清册")
    require_unchanged(roster)
    require_answered(roster, on)
    law = Programme.objects.get(code=roster.programme)
    period = Period(roster.period_from, roster.period_until)
    rows = (
        (place[:12], line, group, mask_name(name), people, quantity, amount, household)
        for place, line, group, name, people, quantity, amount, household in streamed(_NOTICE_ROWS, [roster.pk])
    )
    notices = publish_rows(
        by=by, on=on, subject=f"roster:{roster.pk}", programme=roster.programme,
        title=f"{law.name} {period} 发放公示", days=NOTICE_DAYS, rows=rows,
    )  # fmt: skip
    RosterNotice.objects.bulk_create(
        RosterNotice(roster=roster, notice_id=notice, division=place) for notice, place in notices
    )
    _move(roster, Roster.State.PUBLISHED, published_on=on)
    return len(notices)


# An upheld objection takes the line off the roster and with it the dues: the household's case is to be looked at anew.
_WITHHOLD = """
UPDATE payment_rosterline l SET state = 'withheld', withheld_reason = '公示异议成立'
FROM notices_noticerow w JOIN notices_objection o ON o.row_id = w.id AND o.state = 'upheld'
JOIN notices_notice n ON n.id = w.notice_id AND n.subject = %(subject)s
WHERE l.roster_id = %(roster)s AND w.subject_line = l.id AND l.state = 'listed'
"""
_WITHHOLD_DUES = """
UPDATE payment_due d SET state = 'withdrawn'
FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id
WHERE d.id = x.due_id AND x.live AND l.roster_id = %(roster)s AND l.state = 'withheld'
"""
_UNLINK = """
UPDATE payment_linedue x SET live = false FROM payment_rosterline l
WHERE l.id = x.line_id AND x.live AND l.roster_id = %(roster)s AND (l.state = 'withheld' OR %(all)s)
"""


@command(Post.TOWNSHIP_HEAD)
def sign_roster(*, by: Actor, on: date, roster_id: int) -> Roster:
    """The township head signs after the notice ended; lines with an upheld objection are withheld."""
    roster = get_roster(roster_id, Roster.State.PUBLISHED)
    require_unchanged(roster)
    end_notices(by=by, on=on, subject=f"roster:{roster.pk}")
    run(_WITHHOLD, {"roster": roster.pk, "subject": f"roster:{roster.pk}"})
    run(_WITHHOLD_DUES, {"roster": roster.pk})
    run(_UNLINK, {"roster": roster.pk, "all": False})
    recount_of_roster(roster)
    _sign(by, on, roster, "签批清册")
    return _move(roster, Roster.State.SIGNED, signed_by=by.appointment, signed_on=on)


@command(Post.DEPARTMENT_APPROVER)
def confirm_by_department(*, by: Actor, on: date, roster_id: int) -> Roster:
    """The county department confirms a signed roster of its own programme."""
    roster = get_roster(roster_id, Roster.State.SIGNED)
    require_programme(by, roster.programme)
    require_unchanged(roster)
    _sign(by, on, roster, "部门核定清册")
    return _move(roster, Roster.State.DEPARTMENT_CONFIRMED, department_by=by.appointment, department_on=on)


@command(Post.FINANCE_OFFICER)
def confirm_by_finance(*, by: Actor, on: date, roster_id: int) -> Roster:
    """County finance confirms what the department confirmed."""
    roster = get_roster(roster_id, Roster.State.DEPARTMENT_CONFIRMED)
    require_unchanged(roster)
    _sign(by, on, roster, "财政核定清册")
    return _move(roster, Roster.State.CONFIRMED, finance_by=by.appointment, finance_on=on)


@command(Post.CLERK)
def withdraw_roster(*, by: Actor, on: date, roster_id: int) -> Roster:
    """Take back a roster that nobody has signed; its dues are free for another one."""
    roster = get_roster(roster_id, Roster.State.COMPILED, Roster.State.PUBLISHED)
    if roster.state == Roster.State.PUBLISHED:
        withdraw_notices(by=by, on=on, subject=f"roster:{roster.pk}")
    run(_UNLINK, {"roster": roster.pk, "all": True})
    free_of_roster(roster)
    return _move(roster, Roster.State.WITHDRAWN)


def _sign(by: Actor, on: date, roster: Roster, act: str) -> None:
    subject = f"roster:{roster.pk}"
    sign(by=by, on=on, act=act, subject=subject, content_digest=roster.digest, division=roster.division)


def _move(roster: Roster, state: str, **columns: Any) -> Roster:
    Roster.objects.filter(pk=roster.pk).update(state=state, **columns)
    roster.refresh_from_db()
    return roster


def payable(roster: Roster) -> tuple[int, int]:
    """(lines, 分) of a roster that are still to be sent: what a batch is made of, whatever else of it counts."""
    listed = RosterTally.objects.filter(roster=roster.pk, state=RosterLine.State.LISTED)
    sums = listed.aggregate(lines=Sum("lines", default=0), amount=Sum("amount_fen", default=0))
    return sums["lines"], sums["amount"]
