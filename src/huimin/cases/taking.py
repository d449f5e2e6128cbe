"""Taking the steps of a case: pass, return, refuse, extend; publish, report, countersign (CASE-04 to CASE-06, SEC-02).

in    a case, the step the page showed, what is done with it and why
out   an act signed over everything it rested on, and the case at its next step with a new deadline; at the deciding step a
      decision and the entitlement

Always true (here in words, in migration 0002 for whoever writes): an act is along an edge of the version the case began
with, by one of the step's posts at its level, by nobody who did a step it must differ from, nor for a relative; a step is
passed only with what it must hold; nothing moves, in no direction, while an objection to its notice waits for its answer; a
return undoes the steps it goes back over; an extension is given once and with a reason; nothing is granted that the law does
not give today.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date

from huimin.audit.models import Signature
from huimin.calendars.queries import calendar_of
from huimin.cases.determining import Finding, determine
from huimin.cases.evidence import Reference, take_for
from huimin.cases.kinds import waits_for
from huimin.cases.models import FAR, Case, CaseAct, CaseEvidence, CaseLine, CaseReport
from huimin.cases.publishing import rows_of
from huimin.casework.commands import Determined, StillUnknown, decide_household, decide_listed, decided_apart
from huimin.database.bulk import fetch
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.kinship.recusal import require_not_related
from huimin.notices.commands import Listed, ObjectionOpen, publish, withdraw_notices
from huimin.notices.models import Notice
from huimin.notices.queries import count_open
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPost,
    SamePerson,
    command,
    refused_by_constraint,
    require_place,
    require_programme,
)
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.policy.queries import programme_name
from huimin.processes.language import END, Demand, Process, Step
from huimin.processes.queries import way_of

ACTORS = (
    Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER,
    Post.DEPARTMENT_APPROVER, Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.SUPERVISOR, Post.COUNTY_OFFICER,
)  # fmt: skip
"""Posts a process may name; the step says which."""
Outcome, State = CaseAct.Outcome, Case.State
Find = Callable[[Actor, date, Case], Finding | None]


class EvidenceMissing(Refusal):
    """The step does not hold what it must."""


class NoSuchWay(Refusal):
    """The process has no such way from this step."""


class NotEligible(Refusal):
    """The law does not give it today."""


class NotYourCase(Refusal):
    """Somebody else answers for this case."""


_WORDS: tuple[tuple[str, type[Refusal], str, str], ...] = (
    ("case_act_where_it_stands", AlreadyDone, "这件事已不在这一步", "请刷新后查看"),
    ("case_act_once", AlreadyDone, "这一步已经办过", "请刷新后查看"),
    ("case_act_along_an_edge", NoSuchWay, "流程里没有这条路", "请按流程办理"),
    ("case_act_by_its_post", NotYourPost, "这一步不由您的岗位办理", "请转交相应岗位"),
    ("case_act_by_another", SamePerson, "办过前面步骤的人不能再办这一步", "请由另一人办理"),
    ("case_act_with_its_evidence", EvidenceMissing, "这一步还缺须有的凭据", "请先补齐"),
    ("case_granted_with_every_step", NoSuchWay, "还有流程要求的步骤没有办", "请按流程办完"),
    # Held by triggers of room telling, which stands beneath nobody's evidence.
    ("case_act_not_while_objected", ObjectionOpen, "公示有异议没有答复", "请先答复异议"),
    ("case_act_after_its_notice", EvidenceMissing, "公示还没有结束，或异议成立", "请等公示期满；异议成立的退回重办"),
    ("case_report_once", AlreadyDone, "这一步的报告或会签已经写过", "请刷新后查看"),
    ("decision_not_beside_a_case", AlreadyDone, "所选的有正在立案办理的", "请从在办的事里办理，或在列表中去掉这些户"),
)
for _name, _kind, _what, _remedy in _WORDS:
    refused_by_constraint(_name, _kind, _what, _remedy)
# What is asked for in a live application, and what lies on a live list, is decided there (0009 holds it). Plain EXISTS, so that
# leaving it out of hundreds of thousands is one join.
decided_apart(
    "EXISTS (SELECT 1 FROM cases_case a WHERE a.step <> '' AND a.state IN ('asked', 'papers', 'open')"
    " AND a.household_id = {p}.household_id AND a.programme = {p}.programme"
    " AND a.person_id IS NOT DISTINCT FROM {p}.person_id AND {p}.kind = 'enter')"
)
decided_apart(
    "EXISTS (SELECT 1 FROM cases_caseline l JOIN cases_case a ON a.id = l.case_id AND a.step <> ''"
    " WHERE l.proposal_id = {p}.id AND l.left_out = '')"
)


def locked(by: Actor, case_id: int) -> Case:
    """The case for the rest of the transaction."""
    case = Case.objects.select_for_update(of=("self",)).select_related("process").filter(pk=case_id).first()
    if case is None:
        raise BadInput("没有这件事", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, case.division)
    return case


def require_duty(by: Actor, case: Case) -> None:
    """首问负责: where the post and office are those of who answers for the case, it is he, or who stands in for him."""
    if by.appointment in (case.responsible, case.stand_in):
        return
    answers = Appointment.objects.filter(pk=case.responsible).select_related("account").first()
    if answers and (answers.post, answers.office_id) == (by.post, by.office):
        raise NotYourCase(
            f"这件事由{answers.account.full_name}承办",
            why="首问负责，承办人全程负责",
            remedy="请由承办人办理，或先移交、指定替办",
        )


def take_first(by: Actor, on: date, case: Case) -> Case:
    """Acceptance is the first step: it starts the clock. Inside the command that opens or completes the application."""
    case.accepted_on, case.responsible = on, by.appointment
    case.save(update_fields=["accepted_on", "responsible"])
    way = way_of(case.process)
    if way.limit:
        case.due_on = way.limit.end(on, calendar_of(case.division))
        case.save(update_fields=["due_on"])
    _take(by, on, case, way, way.first, Outcome.PASSED, way.first.next, "")
    return case


@command(*ACTORS)
def take_step(*, by: Actor, on: date, case_id: int, step: str, outcome: str, reason: str = "", to: str = "") -> Case:
    """Do what the page offered at `step`: passed, returned (`to` an earlier step), refused, or extended.

    A return, refusal or extension needs its reason. Everything else that may refuse is told in words.
    """
    return take_at(by, on, locked(by, case_id), step, outcome, reason, to)


def take_at(
    by: Actor, on: date, case: Case, step: str, outcome: str, reason: str = "", to: str = "", find: Find = determine
) -> Case:
    """As `take_step`, of a case that is locked, inside a command; `find` tells what the law says of it today."""
    way = way_of(case.process)
    if not case.step or case.step != step or case.state in (State.ASKED, State.PAPERS):
        raise AlreadyDone(f"这件事{case.get_state_display()}，已不在“{step}”", remedy="请刷新后查看")
    now = way.step(step)
    _require_may(by, on, case, now)
    if outcome not in Outcome.values:
        raise BadInput(f"没有“{outcome}”这种办法", where="办理", remedy="请从页面上选择")
    if outcome != Outcome.PASSED and len(reason.strip()) < 4:
        raise BadInput("没有写理由", where="理由", remedy="请写明理由，至少四个字")
    if outcome == Outcome.EXTENDED:
        _extend(by, on, case, way, now, reason.strip())
        return case
    _require_way(now, outcome, to)
    if outcome != Outcome.PASSED and (waiting := count_open(case.notice_subject())):
        raise ObjectionOpen(f"公示有 {waiting} 件异议没有答复", why="答复之前不能进，也不能退", remedy="请先答复异议")
    where = {Outcome.PASSED: now.next, Outcome.RETURNED: to, Outcome.REFUSED: ""}[Outcome(outcome)]
    _take(by, on, case, way, now, outcome, where, reason.strip(), find)
    return case


def _require_may(by: Actor, on: date, case: Case, step: Step) -> None:
    """Post, level, programme, duty, another person, no relative: told before the database would."""
    if not step.may(by.post, by.level):
        who = "、".join(map(str, step.acting))
        raise NotYourPost(f"{by.post.label}不能办“{step.name}”", why=f"这一步由{who}办理", remedy="请转交相应岗位")
    if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
        require_programme(by, case.programme, programme_name(case.programme))
    require_duty(by, case)
    if earlier := did(case, step.another, by.account):
        raise SamePerson(f"办过“{earlier}”的人不能再办“{step.name}”", why="经办与复核须为两人", remedy="请由另一人办理")
    if case.household_id:
        require_not_related(by, on, [case.household_id])


def did(case: Case, steps: Iterable[str], account: int) -> str:
    """Which of these steps this person passed; "" for none. Steps sent back since do not count; who entered it did the first."""
    wanted, first = set(steps), way_of(case.process).first.key
    found = next((step for step, who in standing(case) if step in wanted and who == account), "")
    if found or first not in wanted:
        return found
    return first if Appointment.objects.filter(pk=case.asked_by, account=account).exists() else ""


def standing(case: Case) -> list[tuple[str, int]]:
    """Steps that were passed and not sent back since, with the account that did each; as the database counts them."""
    return [(step, account) for step, account, _ in fetch("SELECT * FROM cases_standing(%s) ORDER BY 3", [case.pk])]


def _require_way(step: Step, outcome: str, to: str) -> None:
    ways = {*step.returns, *([step.objection] if step.objection else [])}
    if outcome == Outcome.RETURNED and to not in ways:
        raise NoSuchWay(
            f"“{step.name}”不能退回“{to}”", why=f"可退回：{'、'.join(sorted(ways)) or '无'}", remedy="请从列表选择"
        )
    if outcome == Outcome.REFUSED and not step.refuses:
        raise NoSuchWay(f"“{step.name}”不能直接不予批准", remedy="请退回，或办完这一步由审核、审批的人决定")


def _take(
    by: Actor, on: date, case: Case, way: Process, step: Step, outcome: str, where: str, reason: str,
    find: Find = determine,
) -> None:  # fmt: skip
    """One act: evidence gathered, signed, stored; the case moves; at the deciding step it is decided."""
    to = "" if where == END else where
    references = _gather(by, on, case, step) if outcome == Outcome.PASSED else []
    told = _determined(find(by, on, case), case) if decides(step, case) and outcome == Outcome.PASSED else None
    signature = _signed(by, on, case, step, outcome, to, reason, references, told)
    if outcome != Outcome.PASSED:
        _take_down(by, on, case)
    CaseAct.objects.create(
        case=case, division=case.division, step=step.key, round=case.round, outcome=outcome, to_step=to,
        reason=reason[:300], appointment=by.appointment, account=by.account, actor=by.title[:160], acted_on=on,
        since=case.step_since, due_on=case.step_due_on, signature=signature,
    )  # fmt: skip
    _move(on, case, way, step, outcome, to, reason)
    if (step.decides and outcome == Outcome.PASSED) or outcome == Outcome.REFUSED:
        _decide(by, on, case, outcome == Outcome.PASSED, reason, told, signature)


def decides(step: Step, case: Case) -> bool:
    """Whether passing this step grants the household something."""
    return step.decides and case.household_id is not None


def _gather(by: Actor, on: date, case: Case, step: Step) -> list[tuple[str, Reference]]:
    """What the step must hold, each record with its digest; EvidenceMissing names the first that is not there."""
    found: list[tuple[str, Reference]] = []
    for demand in step.demands:
        held = take_for(by, on, case, step, demand)
        if not held.ok:
            raise EvidenceMissing(held.missing or f"还缺{demand}", why=f"“{step.name}”须有{demand}", remedy=held.remedy)
        found += [(demand.kind, reference) for reference in held.references]
    CaseEvidence.objects.bulk_create(
        CaseEvidence(
            case=case, division=case.division, step=step.key, round=case.round, kind=kind, reference=each.name[:80],
            digest=each.digest, held_on=each.held_on,
        )
        for kind, each in found
    )  # fmt: skip
    return found


def _determined(finding: Finding | None, case: Case) -> Determined:
    """What is granted is what the law gives on this day, never more."""
    name = programme_name(case.programme)
    if finding is None:
        raise NotEligible(f"{name}在本地没有生效，或申请人不在这一户", remedy="请核对政策和家庭成员")
    if finding.eligible is None:
        raise StillUnknown("还不能判断是否符合", why=f"缺{'、'.join(finding.missing)}", remedy="请补齐信息后再办")
    if not finding.eligible or finding.told.amount_fen <= 0:
        unmet = next((str(each["text"]) for each in finding.conditions if each["met"] is False), "金额为零")
        raise NotEligible(f"按现有登记不符合{name}", why=unmet, remedy="请不予批准；登记有误的先办理变更")
    return finding.told


def _signed(
    by: Actor, on: date, case: Case, step: Step, outcome: str, to: str, reason: str,
    references: list[tuple[str, Reference]], told: Determined | None,
) -> Signature:  # fmt: skip
    content = {
        "case": case.pk, "process": case.process.sha256, "step": step.key, "round": case.round, "outcome": outcome,
        "to": to, "reason": reason, "evidence": [[kind, each.name, each.digest] for kind, each in references],
        "determined": told.facts_digest if told else "",
    }  # fmt: skip
    act = f"{step.name}：{Outcome(outcome).label}"[:40]
    return sign(by=by, on=on, act=act, subject=case.subject, content_digest=digest(content), division=case.division)


def _take_down(by: Actor, on: date, case: Case) -> None:
    """A notice of a step that is left otherwise than by its end comes down."""
    if Notice.objects.filter(subject=case.notice_subject()).exists():
        withdraw_notices(by=by, on=on, subject=case.notice_subject())


def _move(on: date, case: Case, way: Process, step: Step, outcome: str, to: str, reason: str) -> None:
    """The case at its next step, with the deadline that begins today; or over."""
    case.round += outcome == Outcome.RETURNED
    case.step, case.step_since, case.extended = to, on, case.extended and bool(way.limit)
    case.step_due_on = _step_due(on, case, way, to)
    if case.state in (State.ASKED, State.PAPERS):
        case.state = State.OPEN
    if step.decides and outcome == Outcome.PASSED:
        case.state, case.decided_on, case.due_on = State.GRANTED, on, FAR
    if outcome == Outcome.REFUSED:
        case.state, case.decided_on, case.reason, case.due_on = State.REFUSED, on, reason[:300], FAR
        case.answer_due_on = way.refusal.end(on, calendar_of(case.division))
    case.ended_on = on if not to else None
    case.save(
        update_fields=[
            "round", "step", "step_since", "step_due_on", "extended", "state", "decided_on", "due_on", "reason",
            "answer_due_on", "ended_on",
        ]
    )  # fmt: skip


def _step_due(on: date, case: Case, way: Process, to: str) -> date:
    """The step's own last day, or the whole's, whichever is earlier."""
    if not to:
        return FAR
    limit = way.step(to).limit
    return min(case.due_on, limit.end(on, calendar_of(case.division)) if limit else FAR)


def _decide(
    by: Actor, on: date, case: Case, grant: bool, reason: str, told: Determined | None, signature: Signature
) -> None:
    if case.household_id is None:
        ids = list(CaseLine.objects.filter(case=case, left_out="").values_list("proposal_id", flat=True))
        decide_listed(
            by=by, on=on, programme=case.programme, division=case.division, grant=grant, reason=reason, case=case.pk,
            ids=ids,
        )  # fmt: skip
        return
    if told is None:
        finding = determine(by, on, case)
        told = finding.told if finding else Determined("", 0, 0, "")
    decide_household(
        by=by, on=on, programme=case.programme, division=case.division, household=case.household_id,
        person=case.person_id, case=case.pk, grant=grant, reason=reason, told=told, signature=signature,
    )  # fmt: skip
    if grant:
        case.amount_fen = told.amount_fen
        case.save(update_fields=["amount_fen"])


def _extend(by: Actor, on: date, case: Case, way: Process, step: Step, reason: str) -> None:
    """The step's limit, or the whole's, once, to the day the law allows; counted from where it began."""
    calendar = calendar_of(case.division)
    if case.extended or not (step.extended or way.extended):
        why = "已经延长过" if case.extended else "流程没有规定可以延长"
        raise NoSuchWay("不能再延长", why=why, remedy="请按期办理")
    signature = _signed(by, on, case, step, Outcome.EXTENDED, case.step, reason, [], None)
    CaseAct.objects.create(
        case=case, division=case.division, step=step.key, round=case.round, outcome=Outcome.EXTENDED, to_step=case.step,
        reason=reason[:300], appointment=by.appointment, account=by.account, actor=by.title[:160], acted_on=on,
        since=case.step_since, due_on=case.step_due_on, signature=signature,
    )  # fmt: skip
    if way.extended:
        case.due_on = way.extended.end(case.accepted_on or on, calendar)
    step_due = (step.extended or step.limit).end(case.step_since, calendar) if step.limit else FAR
    case.step_due_on, case.extended = min(case.due_on, step_due), True
    case.save(update_fields=["due_on", "step_due_on", "extended"])


# What a step holds, made here.


PUBLISHED_MAX = 200
"""Cases put up at a stroke."""


@command(*ACTORS)
def publish_case(*, by: Actor, on: date, case_id: int) -> int:
    """Put the case (or list) on the boards of its step's level for the days it says; the number of notices."""
    return _publish(by, on, [locked(by, case_id)])


@command(*ACTORS)
def publish_cases(*, by: Actor, on: date, case_ids: Collection[int]) -> int:
    """As `publish_case`, several together: those of one programme, step and village share a sheet, each with its own days."""
    numbers = sorted(set(case_ids))
    if not 0 < len(numbers) <= PUBLISHED_MAX:
        raise BadInput("没有勾选，或一次太多", where="公示", remedy=f"请勾选 1 至 {PUBLISHED_MAX} 件")
    return _publish(by, on, [locked(by, number) for number in numbers])


def _publish(by: Actor, on: date, cases: list[Case]) -> int:
    asked = [(case, *_notice_asked(by, on, case)) for case in cases]
    rows = rows_of(on, cases)
    lists = [
        Listed(
            case.notice_subject(), case.programme, f"{programme_name(case.programme)} {step.name}"[:160], demand.number,
            rows[case.pk], demand.level or Level.VILLAGE,
        )
        for case, step, demand in asked
    ]  # fmt: skip
    return len(publish(by=by, on=on, lists=lists))


def _notice_asked(by: Actor, on: date, case: Case) -> tuple[Step, Demand]:
    """The step it stands at, and the notice that asks for; refused for who may not act there."""
    step = _standing_step(case)
    _require_may(by, on, case, step)
    demand = next((each for each in step.demands if each.kind == "公示"), None)
    if demand is None:
        raise NoSuchWay(f"“{step.name}”不公示", remedy="请按流程办理")
    return step, demand


def _standing_step(case: Case) -> Step:
    if not case.step or case.state in (State.ASKED, State.PAPERS):
        raise AlreadyDone(f"这件事{case.get_state_display()}", remedy="请刷新后查看")
    return way_of(case.process).step(case.step)


@command(*ACTORS)
def write_report(*, by: Actor, on: date, case_id: int, name: str, text: str) -> CaseReport:
    """The text a step asks for, signed by who acts at it."""
    case = locked(by, case_id)
    step = _standing_step(case)
    _require_may(by, on, case, step)
    if name not in {each.name for each in step.demands if each.kind == "报告"}:
        raise NoSuchWay(f"“{step.name}”不写“{name}”", remedy="请按流程办理")
    if len(text.strip()) < 4:
        raise BadInput(f"没有写{name}", where=name, remedy="请写明查了什么、结论是什么")
    return _store_report(by, on, case, name, text, countersigned=False, agreed=True)


@command(*ACTORS)
def countersign(*, by: Actor, on: date, case_id: int, agreed: bool, text: str) -> CaseReport:
    """Another post's view where the step asks for it (联合审批); not by who acts at the step or did an earlier one."""
    return countersign_at(by, on, locked(by, case_id), agreed, text)


def countersign_at(by: Actor, on: date, case: Case, agreed: bool, text: str) -> CaseReport:
    """As `countersign`, of a case that is locked, inside a command."""
    step = _standing_step(case)
    asked = waits_for(step, by)
    if asked is None:
        raise NotYourPost(f"“{step.name}”不由{by.post.label}会签", remedy="请转交相应岗位")
    if earlier := did(case, step.another, by.account):
        raise SamePerson(f"办过“{earlier}”的人不能会签“{step.name}”", remedy="请由另一人会签")
    if case.household_id:
        require_not_related(by, on, [case.household_id])
    if not agreed and len(text.strip()) < 4:
        raise BadInput("不同意没有写理由", where="意见", remedy="请写明理由")
    return _store_report(by, on, case, str(asked), text or "同意", countersigned=True, agreed=agreed)


def _store_report(
    by: Actor, on: date, case: Case, name: str, text: str, *, countersigned: bool, agreed: bool
) -> CaseReport:
    content = {
        "case": case.pk, "step": case.step, "round": case.round, "name": name, "text": text.strip(), "agreed": agreed,
    }  # fmt: skip
    signature = sign(
        by=by, on=on, act=name[:40], subject=case.subject, content_digest=digest(content), division=case.division
    )
    return CaseReport.objects.create(
        case=case, division=case.division, step=case.step, round=case.round, countersigned=countersigned,
        name=name[:40], agreed=agreed, text=text.strip()[:2000], signature=signature, written_by=by.appointment,
        account=by.account, written_on=on,
    )  # fmt: skip
