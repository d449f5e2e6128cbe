"""Deciding what a screening proposed: one, or a filtered many at a stroke (DET-01, DET-06, SEC-02, SEC-07).

    proposal (open) ──decide──► decision (granted / refused), signed ──► entitlement begins, changes or ends

Always true: nobody decides what he proposed, nor for a household with a relative he declared (REG-10: one is refused, of
many his relatives' are left out and written down); an unknown determination is decided by nobody; what is granted takes
effect on the first of the month after the decision (民发〔2021〕57号 第21条); an unbroken holding keeps the month it began
in; a 渐退 remembers what was granted before it and ends by itself; deciding the same proposal again is refused. Everything is set-based: ten thousand proposals are a handful of statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.audit.models import Signature
from huimin.casework.models import Decision, Entitlement
from huimin.database.bulk import fetch_one, run, temporary
from huimin.divisions.models import Division
from huimin.kernel.digests import digest
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level, scope_prefix
from huimin.kinship.recusal import Recused, leave_out_related, require_not_related
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
from huimin.policy.models import Programme
from huimin.processes.models import Process
from huimin.processes.queries import find_rule, process_for
from huimin.screening.models import Proposal, Run

refused_by_constraint("entitlement_once", AlreadyDone, "这一户（人）已有这个项目的待遇", "请刷新后查看")

DECIDABLE = ("enter", "leave", "increase", "decrease", "phase_out")


class NothingToDecide(Refusal):
    """No open proposal fits what was asked."""


class NeedsCase(Refusal):
    """The programme's proposals go through a case here, household by household."""


class StillUnknown(Refusal):
    """A determination that lacks facts cannot be granted."""


_CHOSEN = """
SELECT id, run_id, programme, version, division, household_id, person_id, kind, amount_fen, previous_fen, people,
       quantity, facts_digest, phase_out_since, phase_out_months
FROM screening_proposal
WHERE programme = %(programme)s AND state = 'open' AND division >= %(low)s AND division < %(high)s
  AND (%(ids)s::bigint[] IS NULL OR id = ANY (%(ids)s)) AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s))
"""
_LOCK = "FOR UPDATE"
_APART: list[str] = []


def decided_apart(condition: str) -> None:
    """Rooms downstream name what they decide themselves: SQL over a proposal `{p}`. Of all that fit these are left out; one
    that is named is refused in words."""
    _APART.append(condition)


def apart(alias: str = "screening_proposal") -> tuple[str, ...]:
    """The conditions, over the proposals' table as a query calls it."""
    return tuple(condition.format(p=alias) for condition in _APART)


_SUMS = """
SELECT count(*)::int, coalesce(sum(amount_fen), 0)::bigint, count(*) FILTER (WHERE kind = 'unknown')::int,
       min(run_id), max(run_id),
       encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', id, kind, amount_fen, version, facts_digest), E'\\n'
              ORDER BY id), ''), 'UTF8')), 'hex')
FROM chosen
"""
_DECIDE = """
INSERT INTO casework_decision (proposal_id, case_number, division, programme, version, household_id, person_id, outcome, reason,
    amount_fen, facts_digest, effective_from, decided_by, decided_on, signature_id)
SELECT id, %(case)s, division, programme, version, household_id, person_id, %(outcome)s, %(reason)s, amount_fen, facts_digest,
       %(effective)s, %(by)s, %(on)s, %(signature)s
FROM chosen
"""
_MARK = "UPDATE screening_proposal p SET state = %(outcome)s FROM chosen c WHERE p.id = c.id"
# What changes rests on what was held: since when, and in a 渐退 how much before it began.
_HOLDING = """
SELECT DISTINCT ON (c.id) c.id, coalesce(e.since, e.valid_from) AS since, coalesce(e.original_fen, e.amount_fen) AS original_fen,
       coalesce(c.phase_out_since, %(effective)s) AS phase_out_since
FROM chosen c JOIN casework_entitlement e
  ON e.programme = c.programme AND e.household_id = c.household_id AND e.person_id IS NOT DISTINCT FROM c.person_id
WHERE c.kind IN ('increase', 'decrease', 'phase_out') AND e.valid_from < %(effective)s
  AND (e.valid_to IS NULL OR e.valid_to >= %(effective)s)
ORDER BY c.id, e.valid_from DESC
"""
# What leaves or changes ends where the new amount begins.
_END = """
UPDATE casework_entitlement e SET valid_to = %(effective)s
FROM chosen c
WHERE e.programme = c.programme AND e.household_id = c.household_id AND e.person_id IS NOT DISTINCT FROM c.person_id
  AND e.valid_from < %(effective)s AND (e.valid_to IS NULL OR e.valid_to > %(effective)s)
  AND c.kind IN ('leave', 'increase', 'decrease', 'phase_out')
"""
# The end of a 渐退 is known when it begins; one whose time is over before this decision would take effect is not begun.
_ENTITLE = """
INSERT INTO casework_entitlement (decision_id, division, programme, version, household_id, person_id, amount_fen,
    period, people, quantity, valid_from, valid_to, since, original_fen, phase_out_since)
SELECT d.id, c.division, c.programme, c.version, c.household_id, c.person_id, c.amount_fen, %(period)s, c.people,
       c.quantity, %(effective)s, u.until, coalesce(h.since, %(effective)s),
       CASE WHEN c.kind = 'phase_out' THEN h.original_fen END, CASE WHEN c.kind = 'phase_out' THEN h.phase_out_since END
FROM chosen c JOIN casework_decision d ON d.proposal_id = c.id LEFT JOIN holding h ON h.id = c.id
CROSS JOIN LATERAL (SELECT CASE WHEN c.kind = 'phase_out'
                        THEN (h.phase_out_since + make_interval(months => c.phase_out_months))::date END) AS u(until)
WHERE c.kind IN ('enter', 'increase', 'decrease', 'phase_out') AND (u.until IS NULL OR u.until > %(effective)s)
"""


@command(Post.DEPARTMENT_APPROVER)
def decide_proposals(
    *,
    by: Actor,
    on: date,
    programme: str,
    division: str,
    grant: bool,
    proposal_ids: Sequence[int] | None = None,
    kinds: Sequence[str] | None = None,
    reason: str = "",
) -> int:
    """Decide open proposals of a programme beneath `division`: those named, or all of the given kinds.

    `proposal_ids` None means every one that fits; a named one that is not open any more refuses the whole act. A refusal
    (`grant` False) needs a reason. Returns how many were decided;
    households of `by`'s relatives are not among them (kinship.queries.list_left_out names them).
    """
    law = Programme.objects.get(code=programme)
    require_programme(by, programme, law.name)
    require_place(by, division)
    if not grant and not reason.strip():
        raise Refusal("不批准须写明理由", remedy="请填写理由后再提交")
    ids = None if proposal_ids is None else list(proposal_ids)
    require_at_a_stroke(law, division, on)
    low = _prefix(division)
    wanted = list(kinds) if kinds else (list(DECIDABLE) if ids is None else None)
    but = "" if ids is not None else "".join(f" AND NOT {each}" for each in apart())
    temporary(
        "chosen", f"{_CHOSEN}{but} {_LOCK}",
        {"programme": programme, "low": low, "high": low + "~", "ids": ids, "kinds": wanted},
    )  # fmt: skip
    _require_not_apart(ids)
    count = without_relatives(by, on, law.code, require_decidable(by, grant, ids))
    _carry_out(by, on, law, division, grant, reason.strip())
    return count


def require_at_a_stroke(law: Programme, division: str, on: date) -> None:
    """Where proposals of a programme follow a household's process, each becomes a case; without a rule the department decides."""
    if find_rule(law.code, division, on, proposals=True) is None:
        return
    process = process_for(law.code, division, on, proposals=True)
    if process.subject == Process.Subject.HOUSEHOLD:
        raise NeedsCase(
            f"{law.name}在本地须立案，不能集中确认",
            why=f"适用“{process.name}”",
            remedy="应进的从建议立案，按步骤办理；增减停的从建议页面按程序调整",
        )


def _require_not_apart(ids: list[int] | None) -> None:
    """Those named that are decided elsewhere, in words; all that fit were chosen without them."""
    for condition in apart("c") if ids is not None else ():
        numbers = fetch_one(
            "SELECT array_agg(h.household_no ORDER BY h.household_no) FROM chosen c JOIN registry_household h"  # noqa: S608
            f" ON h.id = c.household_id WHERE {condition}"
        )[0]
        if numbers:
            raise AlreadyDone(
                f"{'、'.join(numbers[:3])}{f' 等 {len(numbers)} 户' if len(numbers) > 3 else ''}正在立案办理",
                why="立案的由办案的人按步骤决定",
                remedy="请从在办的事里办理，或在列表中去掉这些户",
            )


def without_relatives(by: Actor, on: date, programme: str, count: int) -> int:
    """回避: one of a relative's household is refused; of many, those are left out and written down. How many are left."""
    if count == 1:
        require_not_related(by, on, fetch_one("SELECT array_agg(household_id) FROM chosen")[0])
        return count
    if leave_out_related(by, on, "chosen", act="审批建议", subject=f"proposals:{programme}"):
        count = int(fetch_one("SELECT count(*) FROM chosen")[0])
    if not count:
        raise Recused("所选的都是您近亲属所在的户", why="近亲属回避", remedy="请转交另一位审批人办理")
    return count


def choose(programme: str, division: str, kinds: Sequence[str]) -> None:
    """`chosen`: every open proposal of these kinds beneath a place."""
    low = _prefix(division)
    asked = {"programme": programme, "low": low, "high": low + "~", "ids": None, "kinds": list(kinds)}
    but = "".join(f" AND NOT {each}" for each in apart())
    temporary("chosen", f"{_CHOSEN}{but} {_LOCK}", asked)


def _prefix(division: str) -> str:
    """The digits of a place of unknown level: what its registered level says."""
    level = Division.objects.filter(code=division).order_by("-valid_from").values_list("level", flat=True).first()
    if level is None:
        raise Refusal(f"区划清单里没有 {division}", remedy="请从列表选择区划")
    return scope_prefix(division, Level(level))


def require_decidable(by: Actor, grant: bool, ids: list[int] | None) -> int:
    count, _, unknown, first_run, last_run, _ = fetch_one(_SUMS)
    if not count or (ids is not None and count != len(set(ids))):
        raise NothingToDecide("所选的建议已不在待办中", why="可能已有人办理，或筛查已更新", remedy="请刷新列表后再选")
    if grant and unknown:
        raise StillUnknown(f"有 {unknown} 条还不能判断", why="缺少必要信息", remedy="请先补齐信息再筛查")
    for starter in Run.objects.filter(pk__in=[first_run, last_run]).values_list("started_by", flat=True):
        require_another(by, starter, "发起筛查")
    return int(count)


def _carry_out(
    by: Actor, on: date, law: Programme, division: str, grant: bool, reason: str, case: int | None = None
) -> None:
    effective = add_months(month_start(on), 1)
    record_decisions(by, on, law, division, grant, reason, effective if grant else None, case)
    if grant:
        temporary("holding", _HOLDING, {"effective": effective})
        run(_END, {"effective": effective})
        run(_ENTITLE, {"effective": effective, "period": law.period})


def record_decisions(
    by: Actor, on: date, law: Programme, division: str, grant: bool, reason: str, effective: date | None,
    case: int | None = None,
) -> None:  # fmt: skip
    """One signature over what is in `chosen`, a decision for each, the proposals done."""
    content = digest({"grant": grant, "reason": reason, "proposals": fetch_one(_SUMS)[5]})
    act = "批准建议" if grant else "不批准建议"
    signature = sign(by=by, on=on, act=act, subject=f"proposals:{law.code}:{division}", content_digest=content)
    outcome = "granted" if grant else "refused"
    run(
        _DECIDE,
        {
            "outcome": outcome, "reason": reason, "effective": effective, "by": by.appointment, "on": on,
            "signature": signature.pk, "case": case,
        },
    )  # fmt: skip
    run(_MARK, {"outcome": outcome})


# What a case comes to: steps of the commands of room cases, in their transaction.


@dataclass(frozen=True)
class Determined:
    """What the law says of one household or person on the day of the decision."""

    version: str
    amount_fen: int
    people: int
    facts_digest: str


def decide_listed(
    *, by: Actor, on: date, programme: str, division: str, grant: bool, reason: str, case: int, ids: Sequence[int]
) -> int:
    """The proposals of a list case, decided together; as `decide_proposals`, whose rules hold. Returns how many."""
    law = Programme.objects.get(code=programme)
    require_programme(by, programme, law.name)
    low = _prefix(division)
    asked = {"programme": programme, "low": low, "high": low + "~", "ids": list(ids), "kinds": None}
    temporary("chosen", f"{_CHOSEN} {_LOCK}", asked)
    count = without_relatives(by, on, programme, require_decidable(by, grant, list(ids)))
    _carry_out(by, on, law, division, grant, reason, case)
    return count


def decide_chosen(
    *, by: Actor, on: date, programme: str, division: str, ids: Sequence[int], reason: str, grant: bool = True
) -> int:  # fmt: skip
    """The proposals named, by who may decide them as the step of a command has checked (casework.raising, casework.adjusting).

    How many; of many, those of `by`'s relatives are left out.
    """
    low = _prefix(division)
    asked = {"programme": programme, "low": low, "high": low + "~", "ids": list(ids), "kinds": None}
    temporary("chosen", f"{_CHOSEN} {_LOCK}", asked)
    count = without_relatives(by, on, programme, require_decidable(by, grant, list(ids)))
    _carry_out(by, on, Programme.objects.get(code=programme), division, grant, reason)
    return count


def decide_household(
    *, by: Actor, on: date, programme: str, division: str, household: int, person: int | None, case: int, grant: bool,
    reason: str, told: Determined, signature: Signature,
) -> Decision:  # fmt: skip
    """One household's case, decided on what holds today; an open proposal of the same goes with it.

    A proposal to enter with the same amount is decided by it; one with another amount is out of date and superseded.
    """
    law = Programme.objects.get(code=programme)
    waiting = Proposal.objects.select_for_update().filter(
        programme=programme, household=household, person=person, state=Proposal.State.OPEN, kind=Proposal.Kind.ENTER
    )
    proposal = next((each for each in waiting if not grant or each.amount_fen == told.amount_fen), None)
    waiting.exclude(pk=proposal.pk if proposal else 0).update(state=Proposal.State.SUPERSEDED)
    if proposal:
        Proposal.objects.filter(pk=proposal.pk).update(state="granted" if grant else "refused")
    effective = add_months(month_start(on), 1) if grant else None
    made = Decision.objects.create(
        proposal=proposal, case_number=case, division=division, programme=programme, version=told.version,
        household_id=household, person_id=person, outcome="granted" if grant else "refused", reason=reason[:300],
        amount_fen=told.amount_fen, facts_digest=told.facts_digest, effective_from=effective,
        decided_by=by.appointment, decided_on=on, signature=signature,
    )  # fmt: skip
    if effective:
        Entitlement.objects.create(
            decision=made, division=division, programme=programme, version=told.version, household_id=household,
            person_id=person, amount_fen=told.amount_fen, period=law.period, people=told.people,
            valid_from=effective, since=effective,
        )  # fmt: skip
    return made
