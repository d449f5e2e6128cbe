"""Money of a roster that will not be paid any more goes back to where it came from, and its indicator has it again (FUND-02).

    propose_giving_back   the township names lines that came back or were withheld, why, and the paper      待确认
    confirm_giving_back   county finance holds the bank's receipt against it, or refuses with the reason    已入账 / 已退回

When it is confirmed, and not before: the dues of the lines are withdrawn, the lines are never reissued, their exceptions
are closed, the amount leaves the special account in the books (returned_up, and returned_below where the county's account
had paid it). A line that was reissued meanwhile is refused. Locks: rosters, then the move, then application and indicator.
"""

from datetime import date

from huimin.database.bulk import fetch, run
from huimin.funds import giving_back as funds
from huimin.funds.models import FundingApplication, MoneyMove
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, command
from huimin.organisation.posts import Post
from huimin.payment.commands.settling import settle_roster
from huimin.payment.commands.states import WrongState
from huimin.payment.commands.withholding import recount_of_lines
from huimin.payment.models import Roster, RosterLine

LINES_MAX = 2000
REASONS = RosterLine.REISSUED_REASONS
# Lines whose money lies in the account: came back, or held back after it had arrived; on no live line, paid by none.
_LYING = """
SELECT l.id, l.roster_id, l.amount_fen FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
WHERE r.application_id = %(application)s AND l.id = ANY(%(lines)s)
  AND (l.state = 'returned' AND l.withheld_reason = '' OR l.state = 'withheld' AND l.withheld_reason = ANY(%(reasons)s))
  AND NOT EXISTS (SELECT 1 FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id
                  WHERE x.line_id = l.id AND (x.live OR d.state = 'paid'
                     OR EXISTS (SELECT 1 FROM payment_linedue o WHERE o.due_id = d.id AND o.live)))
ORDER BY l.id
"""
_LINES = "UPDATE payment_rosterline SET withheld_reason = %(given)s WHERE id = ANY(%(lines)s)"
_DUES = """
UPDATE payment_due d SET state = 'withdrawn' FROM payment_linedue x
WHERE x.due_id = d.id AND x.line_id = ANY(%(lines)s) AND d.state = 'owed'
"""
_EXCEPTIONS = """
UPDATE payment_paymentexception SET state = 'closed', resolution = %(given)s, closed_by = %(by)s, closed_on = %(on)s
WHERE line_id = ANY(%(lines)s) AND state = 'open'
"""


@command(Post.SETTLEMENT)
def propose_giving_back(
    *, by: Actor, on: date, application_id: int, line_ids: list[int], document_no: str, reason: str
) -> MoneyMove:
    """Propose to give the money of these lines back; the same paper again is the same."""
    lines = sorted(set(line_ids))
    if not lines or len(lines) > LINES_MAX:
        raise BadInput(f"一次缴回 1 到 {LINES_MAX} 笔", where="勾选", remedy="请返回列表勾选")
    _lock_rosters(application_id)
    application = FundingApplication.objects.filter(pk=application_id).first()
    if application is None or application.state != FundingApplication.State.TRANSFERRED:
        raise WrongState("这件申请没有拨付的资金", remedy="请从列表进入")
    amount_fen = sum(fen for _, _, fen in _lying(application_id, lines))
    return funds.propose_back(
        by=by,
        on=on,
        application=application,
        amount_fen=amount_fen,
        items=lines,
        document_no=document_no,
        reason=reason,
    )


def _lock_rosters(application_id: int) -> list[int]:
    rows = Roster.objects.select_for_update().filter(application=application_id).order_by("id")
    return [row.pk for row in rows]


def _lying(application_id: int, lines: list[int]) -> list[tuple[int, int, int]]:
    """(line, roster, amount) of every line named; WrongState where one is not lying in the account."""
    rows = fetch(_LYING, {"application": application_id, "lines": lines, "reasons": list(REASONS)})
    if missing := set(lines) - {line for line, _, _ in rows}:
        raise WrongState(
            f"{len(missing)} 笔不能缴回", why="不是这件申请退汇、缓发的行，或已经重发、缴回", remedy="请刷新后重新勾选"
        )
    return rows


@command(Post.FINANCE_OFFICER)
def confirm_giving_back(
    *, by: Actor, on: date, number: int, receipt_no: str = "", booked_on: date | None = None, refusal: str = ""
) -> MoneyMove:
    """Confirm with the bank's receipt, or refuse with the reason; another person than proposed it."""
    found = MoneyMove.objects.filter(pk=number).values_list("application_id", flat=True).first()
    if found is not None:
        _lock_rosters(found)
    row = funds.lock_move(by, number, back=True)
    if refusal.strip():
        return funds.refuse(by, on, row, refusal)
    assert row.application_id is not None
    lying = _lying(row.application_id, row.items)
    if sum(fen for _, _, fen in lying) != row.amount_fen:
        raise WrongState("金额与所列的行不符", remedy="请退回这一笔，重新提出")
    confirmed = funds.confirm(by, on, row, receipt_no, booked_on)
    told = {"lines": row.items, "given": RosterLine.GIVEN_BACK, "by": by.appointment, "on": on}
    for statement in (_LINES, _DUES, _EXCEPTIONS):
        run(statement, told)
    recount_of_lines(row.items)
    for roster in sorted({roster for _, roster, _ in lying}):
        if Roster.objects.filter(pk=roster, state=Roster.State.SENT).exists():
            settle_roster(roster)
    return confirmed
