"""An appeal comes in, is accepted or not, is taken back; what was decided stands meanwhile (issue 5 point 8).

in    a decision (grant, refusal, increase, decrease, stop), or an application that was not accepted; who appeals, when he learnt
      of it, his words
out   an Appeal with its last days; while it waits nothing of the decision changes, unless the county says suspend

Always true (here in words, in migration 0002 for whoever writes): it is against a decision of this household, made before it
was learnt of, learnt of before it was filed; one at a time of a kind; a late one is accepted only with the reason that excuses
it; who decided, or did a step of the case, neither accepts nor rules; nor does who has a relative there. Registering is never
refused for being late. 行政复议法 (terms in `terms`; 复议不停止执行); 国务院令第649号 第65条; 民发〔2021〕57号 第38条.
"""

from dataclasses import dataclass
from datetime import date

from huimin.appeals.models import Appeal
from huimin.appeals.terms import last_day, terms_of
from huimin.cases.models import FAR, Case, CaseAct
from huimin.casework.models import Decision
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.registry.models import Household

REGISTRARS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.DEPARTMENT_OFFICER, Post.COUNTY_OFFICER)
JUDGES = (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER)
Kind, State = Appeal.Kind, Appeal.State
_WORDS = {"enter": "批准享受", "increase": "增发", "decrease": "减发", "phase_out": "渐退", "leave": "停发"}

for _name, _what, _remedy in (
    ("appeal_one_at_a_time", "对这个决定的同类申诉正在办理", "请从在办的申诉里查看"),
    ("appeal_of_case_one_at_a_time", "对这件事的同类申诉正在办理", "请从在办的申诉里查看"),
    ("appeal_moves_on", "这件申诉已不在这一步", "请刷新后查看"),
):
    refused_by_constraint(_name, AlreadyDone, _what, _remedy)
refused_by_constraint("appeal_judged_by_another", SamePerson, "作原决定的人不能办理申诉", "请由另一人办理")


class TooLate(Refusal):
    """The term is over and nothing excuses it."""


@dataclass(frozen=True)
class Told:
    """What is said: who appeals, what he is to the household, when he learnt of the decision, his words, his papers."""

    appellant: str
    relation: str
    told_on: date
    text: str
    evidence: str = ""
    late_reason: str = ""


@dataclass(frozen=True)
class Against:
    """What is appealed against, in words."""

    household: int
    programme: str
    words: str
    decided_on: date


def against_decision(row: Decision) -> Against:
    """As papers name it."""
    name = Programme.objects.filter(code=row.programme).values_list("name", flat=True).first() or row.programme
    kind = row.proposal.kind if row.proposal else "enter"
    word = _WORDS.get(kind, "批准")
    if row.outcome == Decision.Outcome.GRANTED:
        what = word if kind == "leave" else f"{word}，每期 {yuan(row.amount_fen)} 元"
    else:
        what = "申请不予批准" if kind == "enter" else f"{word}不予批准"
    return Against(row.household_id, row.programme, f"{row.decided_on} {name}：{what}"[:160], row.decided_on)


def against_case(row: Case) -> Against:
    """An application that was not accepted."""
    if row.state != Case.State.OUT_OF_SCOPE or row.household_id is None or row.ended_on is None:
        raise BadInput("这件事没有不予受理", where="申请", remedy="有决定的请对决定提出")
    name = Programme.objects.filter(code=row.programme).values_list("name", flat=True).first() or row.programme
    return Against(row.household_id, row.programme, f"{row.ended_on} {name}：不予受理"[:160], row.ended_on)


@command(*REGISTRARS)
def file_appeal(
    *, by: Actor, on: date, kind: str, told: Told, decision: int | None = None, case_id: int | None = None
) -> Appeal:  # fmt: skip
    """Register an appeal, as it is told, whether in time or not. The same again is the same."""
    if kind not in Kind.values:
        raise BadInput("没有选申诉还是行政复议", where="种类", remedy="请选择")
    found, row, case = _subject(by, decision, case_id)
    _require_told(on, told, found)
    home = Household.objects.get(pk=found.household)
    same = Appeal.objects.filter(decision=row, case=case, kind=kind, appellant=told.appellant.strip()[:60], filed_on=on)
    if sent := same.filter(text=told.text.strip()[:2000]).first():
        return sent
    terms = terms_of(kind, home.division, on)
    return Appeal.objects.create(
        kind=kind, household=home, division=home.division, programme=found.programme, decision=row, case=case,
        against=found.words, decided_on=found.decided_on, appellant=told.appellant.strip()[:60],
        relation=told.relation.strip()[:40], text=told.text.strip()[:2000], evidence=told.evidence.strip()[:200],
        told_on=told.told_on, file_by=last_day(told.told_on, terms.file_days, home.division),
        late_reason=told.late_reason.strip()[:200], filed_on=on, registered_by=by.appointment,
        registered_account=by.account,
    )  # fmt: skip


def _subject(by: Actor, decision: int | None, case_id: int | None) -> tuple[Against, Decision | None, Case | None]:
    if (decision is None) == (case_id is None):
        raise BadInput("没有写对哪个决定", where="决定", remedy="请从家庭或申请的页面进入")
    row = Decision.objects.select_related("proposal").filter(pk=decision).first() if decision is not None else None
    case = Case.objects.filter(pk=case_id).first() if case_id is not None else None
    if row is None and case is None:
        raise BadInput("没有这个决定", where="决定", why="不存在，或不在您的辖区内", remedy="请从家庭页面进入")
    require_place(by, row.division if row else case.division)  # type: ignore[union-attr]
    return (against_decision(row) if row else against_case(case)), row, case  # type: ignore[arg-type]


def _require_told(on: date, told: Told, found: Against) -> None:
    if len(told.appellant.strip()) < 2 or not told.relation.strip():
        raise BadInput("没有写申诉人", where="申诉人", remedy="请写姓名，和与户主的关系或代理身份")
    if len(told.text.strip()) < 8:
        raise BadInput("没有写清申诉的理由", where="理由", remedy="请照申诉人的话写：不服什么、为什么、要求怎样")
    if not found.decided_on <= told.told_on <= on:
        raise BadInput(
            f"得知日期 {told.told_on} 不成立", where="得知日期", why=f"决定作于 {found.decided_on}",
            remedy="请写申诉人得知决定的日期",
        )  # fmt: skip


@command(*JUDGES)
def accept_appeal(*, by: Actor, on: date, appeal: int, organ: str = "", late_reason: str = "") -> Appeal:
    """It is taken up: by the office for 申诉, by the authority named in `organ` for 复议; its days begin."""
    row = locked(by, appeal, State.FILED)
    require_judge(by, on, row)
    if row.late and len((late_reason or row.late_reason).strip()) < 4:
        raise TooLate(
            f"已过 {row.file_by} 的期限", why=f"{row.told_on} 得知，{row.filed_on} 提出",
            remedy="有不可抗力等正当理由的写明再受理，否则不予受理",
        )  # fmt: skip
    if row.kind == Kind.REVIEW and len(organ.strip()) < 4:
        raise BadInput("没有写复议机关", where="复议机关", remedy="请写县级人民政府或上一级主管部门的全称")
    terms = terms_of(row.kind, row.division, on)
    row.state, row.accepted_by, row.accepted_on = State.ACCEPTED, by.appointment, on
    row.organ, row.late_reason = organ.strip()[:80], (late_reason or row.late_reason).strip()[:200]
    row.due_on = last_day(on, terms.answer_days, row.division)
    row.save(update_fields=["state", "accepted_by", "accepted_on", "organ", "late_reason", "due_on"])
    return row


@command(*JUDGES)
def refuse_appeal(*, by: Actor, on: date, appeal: int, reason: str) -> Appeal:
    """It is not taken up, and why; the other ways stay open to him."""
    row = locked(by, appeal, State.FILED)
    require_judge(by, on, row)
    return _over(row, on, State.REFUSED, reason)


@command(*REGISTRARS)
def withdraw_appeal(*, by: Actor, on: date, appeal: int, reason: str) -> Appeal:
    """He takes it back before it is ruled on."""
    return _over(locked(by, appeal, State.FILED, State.ACCEPTED), on, State.WITHDRAWN, reason)


def _over(row: Appeal, on: date, state: str, reason: str) -> Appeal:
    if len(reason.strip()) < 4:
        raise BadInput("没有写理由", where="理由", remedy="请写明理由，至少四个字")
    row.state, row.reason, row.ended_on, row.due_on = state, reason.strip()[:300], on, FAR
    row.save(update_fields=["state", "reason", "ended_on", "due_on"])
    return row


@command(*JUDGES)
def extend_appeal(*, by: Actor, on: date, appeal: int, reason: str) -> Appeal:
    """More days, once, with the reason; counted from where the days ended."""
    row = locked(by, appeal, State.ACCEPTED)
    require_judge(by, on, row)
    terms = terms_of(row.kind, row.division, on)
    if row.extended_on is not None or terms.answer_days is None or not terms.extended_days:
        why = "已经延长过" if row.extended_on else terms.basis
        raise BadInput("不能再延长", where="期限", why=why, remedy="请按期办理")
    if on > row.due_on:
        raise TooLate(f"已过 {row.due_on} 的期限", why="延长要在期限内决定", remedy="请尽快作出决定")
    if len(reason.strip()) < 4:
        raise BadInput("没有写延长的理由", where="理由", remedy="请写明案情复杂在哪里")
    assert row.accepted_on is not None
    row.due_on = last_day(row.accepted_on, terms.answer_days + terms.extended_days, row.division)
    row.extended_on, row.extension = on, reason.strip()[:200]
    row.save(update_fields=["due_on", "extended_on", "extension"])
    return row


@command(*JUDGES)
def suspend_decision(*, by: Actor, on: date, appeal: int, reason: str) -> Appeal:
    """The county (or the authority of a 复议) says that the decision is not carried out meanwhile; recorded, with why."""
    row = locked(by, appeal, State.ACCEPTED)
    require_judge(by, on, row)
    if row.suspended_on is not None:
        raise AlreadyDone(f"已于 {row.suspended_on} 决定停止执行", remedy="请刷新后查看")
    if len(reason.strip()) < 4:
        raise BadInput("没有写停止执行的理由", where="理由", remedy="请写明谁决定的、为什么")
    row.suspended_on, row.suspension, row.suspended_by = on, reason.strip()[:200], by.appointment
    row.save(update_fields=["suspended_on", "suspension", "suspended_by"])
    return row


def locked(by: Actor, appeal: int, *states: str) -> Appeal:
    """The appeal for the rest of the transaction, in one of these states."""
    row = Appeal.objects.select_for_update(of=("self",)).filter(pk=appeal).first()
    if row is None:
        raise BadInput("没有这件申诉", where="编号", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, row.division)
    if row.state not in states:
        raise AlreadyDone(f"这件申诉{row.get_state_display()}", remedy="请刷新后查看")
    return row


def require_judge(by: Actor, on: date, row: Appeal) -> None:
    """Another than who decided or did a step of the case, and no relative."""
    if by.account in deciders_of(row):
        raise SamePerson(
            "原决定是您作的，或您办过其中的步骤", why="申诉由没有参与原决定的人办理", remedy="请由另一人办理"
        )
    require_not_related(by, on, [row.household_id])


def deciders_of(row: Appeal) -> set[int]:
    """Accounts of who made the decision, raised its proposal, or did a step of its case."""
    appointments: set[int] = set()
    case = row.case_id
    if row.decision is not None:
        appointments.add(row.decision.decided_by)
        case = row.decision.case_number
    accounts = set(Appointment.objects.filter(pk__in=appointments).values_list("account_id", flat=True))
    if case is not None:
        accounts |= set(CaseAct.objects.filter(case=case).values_list("account", flat=True))
    return accounts
