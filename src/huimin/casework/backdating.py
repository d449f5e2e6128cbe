"""A change that takes effect back in time: a standard in force from a past day, a fact put right for a past day (DET-06, PAY-06).

in    open proposals of a screening of a past month, of what somebody held in it; the paper that says from when
out   decisions effective from the first of that month; entitlements as they should have been since; what that makes of dues
      that were made before is found by room payment: arrears, or too much that was paid

Always true: nothing is decided for a month other than the one it was determined for, so under the policy and on the facts of then; the
version determined under was in force on that first of the month; another person than who screened decides, no relative, and only what
was held is changed: who enters, enters from the month after his decision (民发〔2021〕57号 第21条). What was decided for later months
stays as decided: the new amount ends where it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.casework.commands import (
    NothingToDecide,
    choose,
    record_decisions,
    require_at_a_stroke,
    require_decidable,
    without_relatives,
)
from huimin.database.bulk import fetch, fetch_one, run, temporary
from huimin.database.context import scope_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, command, require_place, require_programme
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book

KINDS = ("increase", "decrease", "leave")
BACK_MONTHS_MAX = 60


class NotInForceThen(Refusal):
    """The version did not hold on the day the change is to take effect."""


# Of these proposals: determined for the month, and held at its beginning; the others stay open.
_OF_THE_MONTH = """
DELETE FROM chosen c WHERE NOT EXISTS (
        SELECT 1 FROM screening_run r WHERE r.id = c.run_id AND r.determination_date >= %(effective)s
           AND r.determination_date < %(effective)s + interval '1 month')
   OR NOT EXISTS (
        SELECT 1 FROM casework_entitlement e
        WHERE e.programme = c.programme AND e.household_id = c.household_id AND e.person_id IS NOT DISTINCT FROM c.person_id
          AND e.valid_from <= %(effective)s AND (e.valid_to IS NULL OR e.valid_to > %(effective)s))
"""
# What was held at that day, and until when.
_HELD_THEN = """
SELECT c.id, e.id AS entitlement_id, e.valid_to AS until, coalesce(e.since, e.valid_from) AS since
FROM chosen c JOIN casework_entitlement e
  ON e.programme = c.programme AND e.household_id = c.household_id AND e.person_id IS NOT DISTINCT FROM c.person_id
 AND e.valid_from <= %(effective)s AND (e.valid_to IS NULL OR e.valid_to > %(effective)s)
"""
_CUT = "UPDATE casework_entitlement e SET valid_to = %(effective)s FROM held_then h WHERE e.id = h.entitlement_id"
_ENTITLE = """
INSERT INTO casework_entitlement (decision_id, division, programme, version, household_id, person_id, amount_fen,
    period, people, quantity, valid_from, valid_to, since, original_fen, phase_out_since)
SELECT d.id, c.division, c.programme, c.version, c.household_id, c.person_id, c.amount_fen, %(period)s, c.people,
       c.quantity, %(effective)s, h.until, h.since, NULL, NULL
FROM chosen c JOIN casework_decision d ON d.proposal_id = c.id JOIN held_then h ON h.id = c.id
WHERE c.kind IN ('increase', 'decrease')
"""


@command(Post.DEPARTMENT_APPROVER)
def decide_back(*, by: Actor, on: date, programme: str, division: str, effective: date, basis: str) -> int:
    """Decide increases, decreases and stops determined for the month of `effective` (a past first of a month), from that day.

    `basis`: the document that says so, with its number. How many; NothingToDecide when no proposal is of that month.
    """
    law = Programme.objects.get(code=programme)
    require_programme(by, programme, law.name)
    require_place(by, division)
    _require_past(on, effective)
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明规定从哪天起执行的文件名和文号")
    require_at_a_stroke(law, division, on)
    choose(programme, division, KINDS)
    run(_OF_THE_MONTH, {"effective": effective})
    _require_then(by, law, effective)
    count = without_relatives(by, on, programme, require_decidable(by, True, None))
    reason = f"自 {effective} 起执行：{' '.join(basis.split())}"[:300]
    record_decisions(by, on, law, division, True, reason, effective)
    temporary("held_then", _HELD_THEN, {"effective": effective})
    run(_CUT, {"effective": effective})
    run(_ENTITLE, {"effective": effective, "period": law.period})
    return count


def _require_past(on: date, effective: date) -> None:
    if effective.day != 1 or effective > month_start(on):
        raise BadInput(
            "生效日应是以前某个月的 1 日",
            where="自何时起",
            why=f"填的是 {effective}",
            remedy="从下月起执行的，请在甄别里确认",
        )
    if effective < add_months(month_start(on), -BACK_MONTHS_MAX):
        raise BadInput(f"最多追溯 {BACK_MONTHS_MAX // 12} 年", where="自何时起", remedy="请核对文件规定的日期")


def _require_then(by: Actor, law: Programme, effective: date) -> None:
    """Something is left, and under one version that was in force on the day."""
    [count] = fetch_one("SELECT count(*)::int FROM chosen")
    if not count:
        raise NothingToDecide(
            f"没有按 {effective:%Y年%m月} 认定的增减停建议", why="须先按那个月的日期筛查，建议才是当时的政策和情况",
            remedy="请由惠民办经办以那个月的日期筛查",
        )  # fmt: skip
    last = date.fromordinal(add_months(effective, 1).toordinal() - 1)
    for each in adopted_book().programmes_in_force(chain(by.division), last, only=law.code):
        if each.valid_from > effective:
            raise NotInForceThen(
                f"{law.name}的政策从 {each.valid_from} 起执行，不是 {effective}", remedy="请核对政策从哪天起执行"
            )


@dataclass(frozen=True)
class Back:
    """Open changes of a programme determined for one past month."""

    programme: str
    month: date
    count: int
    before_fen: int
    after_fen: int

    @property
    def key(self) -> str:
        return f"{self.programme}:{self.month:%Y-%m}"


_BACK = """
SELECT p.programme, date_trunc('month', r.determination_date)::date, count(*)::int, sum(p.previous_fen)::bigint,
       sum(p.amount_fen)::bigint
FROM screening_proposal p JOIN screening_run r ON r.id = p.run_id
WHERE p.state = 'open' AND p.kind = ANY (%(kinds)s) AND p.programme = ANY (%(programmes)s)
  AND p.division >= %(low)s AND p.division < %(high)s AND r.determination_date < %(month)s
GROUP BY 1, 2 ORDER BY 2, 1 LIMIT 200
"""


def list_back(prefix: str, on: date, programmes: Sequence[str]) -> list[Back]:
    """What `decide_back` could take up, by month; inside `reading(by)`."""
    low, high = scope_of(prefix)
    asked = {"low": low, "high": high, "kinds": list(KINDS), "programmes": list(programmes), "month": month_start(on)}
    return [Back(*row) for row in fetch(_BACK, asked)]
