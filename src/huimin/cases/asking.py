"""Asking for help: at the desk, at the village, through another, found by us, or proposed by a screening (CASE-01, SVC-01).

in    a household and a programme; which papers are there; whether the declaration was signed
out   a case: accepted at once when everything is there; told once what is missing, with the clock standing still; or not
      accepted, with the reason and where to go

Always true: what is missing is told once (一次性告知): the list of papers is made when the case is opened and never grows;
what the office can look up by the signed authorisation is not on it; papers may follow later only where an emergency was relieved first (先行救助), by a day that the desk is reminded of; who
accepts answers for the case until he hands it over. 皖政办〔2008〕23号 附件5 第13–17条; 伊民规〔2022〕2号 二(一)1–2, 6.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from huimin.calendars.queries import calendar_of
from huimin.cases.models import FAR, Case, CaseLine, CasePaper
from huimin.cases.taking import locked, require_duty, take_first
from huimin.casework.models import Entitlement, Relief
from huimin.casework.queries import live_on
from huimin.casework.relief import PAPERS_DAYS
from huimin.database.bulk import run
from huimin.database.context import scope_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.kinship.recusal import require_not_related
from huimin.notices.commands import boards_of, withdraw_notices
from huimin.notices.models import Notice
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPlace,
    command,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book
from huimin.processes.models import Process
from huimin.processes.queries import process_for, way_of
from huimin.registry.commands.facts import locked_household
from huimin.registry.models import Attachment, Membership
from huimin.screening.models import Proposal

ASKERS = (Post.INFORMATION_OFFICER, Post.CLERK)
BASIC_PAPERS = ("户口簿", "身份证")
LOOKED_UP = "查询结果"
"""How policies end the name of what the office looks up itself (民发〔2021〕57号 第17条), by the authorisation that is signed."""
State, Paper = Case.State, CasePaper.State

refused_by_constraint("case_one_at_a_time", AlreadyDone, "这一户的这个项目正在办理", "请从在办的事里继续办理")
refused_by_constraint("case_of_proposal_once", AlreadyDone, "这条系统建议已经立案", "请从在办的事里继续办理")


class AlreadyHeld(Refusal):
    """The household (or person) holds the programme already."""


class WrongProcess(Refusal):
    """The programme is not asked for in this way here."""


@dataclass(frozen=True)
class Asked:
    """How the application came and what was said: `proxy` and `proxy_paper` when somebody else brings it."""

    channel: str
    story: str = ""
    proxy: str = ""
    proxy_paper: str = ""
    proposal: int | None = None
    relief: int | None = None


def papers_of(programme: str, division: str, on: date) -> tuple[str, ...]:
    """What the policy in force asks to be brought: the papers of its conditions, after those everybody brings."""
    named = _named_in(programme, division, on)
    return tuple(dict.fromkeys([*BASIC_PAPERS, *(name for name in named if not name.endswith(LOOKED_UP))]))


def looked_up_of(programme: str, division: str, on: date) -> tuple[str, ...]:
    """What the policy in force wants to know that nobody is asked to bring: 车辆登记, 不动产登记 …"""
    named = _named_in(programme, division, on)
    return tuple(dict.fromkeys(name.removesuffix(LOOKED_UP) for name in named if name.endswith(LOOKED_UP)))


def _named_in(programme: str, division: str, on: date) -> list[str]:
    laws = adopted_book().programmes_in_force(chain(division), on, only=programme)
    return [condition.paper.strip()[:120] for law in laws for condition in law.conditions if condition.paper]


@command(*ASKERS)
def open_case(
    *, by: Actor, on: date, household: int, programme: str, asked: Asked, person: int | None = None,
    present: Collection[str] = (), declared_on: date | None = None, declaration: int | None = None,
) -> Case:  # fmt: skip
    """Take an application. `present` names the papers that were brought; the others of the policy's list are missing.

    Accepted now when nothing is missing and the declaration is signed; else told what is.
    """
    found = locked_household(by, household)
    law = _programme(programme)
    require_not_related(by, on, [found.pk])
    process = process_for(programme, found.division, on)
    if process.subject != Process.Subject.HOUSEHOLD:
        raise WrongProcess(f"{law.name}不逐户申请", why=f"适用“{process.name}”", remedy="请由村里编入名单")
    first = way_of(process).first
    if not first.may(by.post, by.level):
        raise WrongProcess(
            f"{first.name}不由{by.post.label}办理", why="、".join(map(str, first.acting)), remedy="请转交"
        )
    _require_subject(found.pk, law, person, on)
    _require_channel(asked, found.pk)
    case = Case.objects.create(
        process=process, programme=programme, division=found.division, household=found, person_id=person,
        proposal_id=_proposal(asked, found.pk, programme), relief_id=asked.relief, channel=asked.channel,
        story=asked.story.strip()[:500], proxy=asked.proxy.strip()[:80], proxy_paper=asked.proxy_paper.strip()[:120],
        asked_on=on, asked_by=by.appointment, step=first.key, step_since=on, responsible=by.appointment,
        declared_on=_signed_day(declared_on, on), declaration_id=_scan(declaration, found.pk),
    )  # fmt: skip
    _list_papers(by, on, case, present)
    return _accept_or_tell(by, on, case)


def _programme(code: str) -> Programme:
    found = Programme.objects.filter(code=code).first()
    if found is None:
        raise BadInput(f"没有“{code}”这个项目", where="项目", remedy="请从列表选择")
    return found


def _require_subject(household: int, law: Programme, person: int | None, on: date) -> None:
    """A person for a programme of persons, a household for the others; not one that holds it already."""
    if (law.unit == "person") != (person is not None):
        what = "要写明是哪一个人" if law.unit == "person" else "按户申请"
        raise BadInput(
            f"{law.name}{what}", where="申请人", remedy="请从这一户的成员中选择" if law.unit == "person" else "不选个人"
        )
    members = Membership.objects.filter(household=household, person=person, recorded_to=None, valid_to=None)
    if person is not None and not members.exists():
        raise BadInput("这个人不在这一户", where="申请人", remedy="请从这一户的成员中选择")
    held = Entitlement.objects.filter(live_on(on), household=household, person=person, programme=law.code)
    if held.exists():
        raise AlreadyHeld(f"已在享受{law.name}", remedy="情况有变化的请办理变更，由系统重新甄别")


def _require_channel(asked: Asked, household: int) -> None:
    if asked.channel not in Case.Channel.values or asked.channel == Case.Channel.LIST:
        raise BadInput("没有写申请怎么来的", where="来源", remedy="请选择来源")
    if asked.channel == Case.Channel.PROXY and not (asked.proxy.strip() and asked.proxy_paper.strip()):
        raise BadInput("代办没有写代办人和委托", where="代办人", remedy="请写代办人姓名、与申请人关系，和委托书")
    if asked.channel == Case.Channel.DISCOVERY and not asked.story.strip():
        raise BadInput("主动发现没有写怎么发现的", where="情况", remedy="请写明谁在什么时候发现了什么困难")
    if asked.relief and not Relief.objects.filter(pk=asked.relief, household=household, state="paid").exists():
        raise BadInput("这一户没有这件已救助的急难", where="先行救助", remedy="请从急难救助的页面办理")


def _proposal(asked: Asked, household: int, programme: str) -> int | None:
    if asked.proposal is None:
        return None
    rows = Proposal.objects.filter(pk=asked.proposal, household=household, programme=programme, state="open")
    if not rows.exists():
        raise AlreadyDone("这条系统建议已不在待办中", remedy="请刷新后再选")
    return asked.proposal


def _signed_day(declared_on: date | None, on: date) -> date | None:
    if declared_on and declared_on > on:
        raise BadInput(f"{declared_on} 还没有到", where="签字日期", remedy="请核对签字日期")
    return declared_on


def _scan(number: int | None, household: int) -> int | None:
    if number is not None and not Attachment.objects.filter(pk=number, household=household).exists():
        raise BadInput("这一户没有这份扫描件", where="扫描件", remedy="请先在家庭页面上传签字页")
    return number


def _list_papers(by: Actor, on: date, case: Case, present: Collection[str]) -> None:
    """The one list: what the policy names. After an emergency what is missing comes later, by its day."""
    wanted = papers_of(case.programme, case.division, on)
    if unknown := sorted(set(present) - set(wanted)):
        raise BadInput(f"材料清单里没有“{unknown[0]}”", where="材料", remedy="请按清单勾选")
    later = calendar_of(case.division).add(on, PAPERS_DAYS) if case.relief_id else None
    CasePaper.objects.bulk_create(
        CasePaper(
            case=case, division=case.division, name=name,
            state=Paper.PRESENT if name in present else Paper.LATER if later else Paper.MISSING,
            due_on=None if name in present else later, received_on=on if name in present else None,
            received_by=by.appointment if name in present else None,
        )
        for name in wanted
    )  # fmt: skip


def _accept_or_tell(by: Actor, on: date, case: Case) -> Case:
    """Complete: accepted, and the clock runs. Missing: told once, and it stands still."""
    lacking = CasePaper.objects.filter(case=case, state=Paper.MISSING).exists() or case.declared_on is None
    if not lacking:
        return take_first(by, on, case)
    if case.told_on is None:
        case.told_on, case.state = on, State.PAPERS
        case.save(update_fields=["told_on", "state"])
    return case


@command(*ASKERS)
def supply_papers(
    *, by: Actor, on: date, case_id: int, present: Collection[str] = (), declared_on: date | None = None,
    declaration: int | None = None,
) -> Case:  # fmt: skip
    """Papers that were missing or were to follow are there. Accepted once all are."""
    case = locked(by, case_id)
    require_duty(by, case)
    if case.state not in (State.ASKED, State.PAPERS, State.OPEN, State.GRANTED):
        raise AlreadyDone(f"这件事{case.get_state_display()}", remedy="请刷新后查看")
    rows = {
        row.name: row for row in CasePaper.objects.select_for_update().filter(case=case).exclude(state=Paper.PRESENT)
    }
    if unknown := sorted(set(present) - set(rows)):
        raise BadInput(f"不等“{unknown[0]}”", where="材料", remedy="请刷新后按清单勾选")
    if not present and (declared_on is None or case.declared_on is not None):
        raise BadInput("没有勾选补来的材料", where="材料", remedy="请勾选材料，或登记签字日期")
    CasePaper.objects.filter(pk__in=[rows[name].pk for name in present]).update(
        state=Paper.PRESENT, received_on=on, received_by=by.appointment
    )
    if declared_on and case.declared_on is None:
        case.declared_on = _signed_day(declared_on, on)
        case.declaration_id = _scan(declaration, case.household_id or 0)
        case.save(update_fields=["declared_on", "declaration"])
    return _accept_or_tell(by, on, case) if case.state in (State.ASKED, State.PAPERS) else case


@command(*ASKERS)
def decline_case(*, by: Actor, on: date, case_id: int, reason: str, where_to: str) -> Case:
    """不予受理: what is asked does not belong here, why, and where the applicant should go."""
    case = locked(by, case_id)
    require_duty(by, case)
    if case.state not in (State.ASKED, State.PAPERS):
        raise AlreadyDone(f"这件事{case.get_state_display()}", why="已经受理的按步骤办理", remedy="请刷新后查看")
    if len(reason.strip()) < 4 or len(where_to.strip()) < 2:
        raise BadInput("没有写不予受理的理由或去处", where="理由", remedy="请写明不属于受理范围的理由，和该到哪里办")
    case.state, case.step, case.step_due_on, case.ended_on = State.OUT_OF_SCOPE, "", FAR, on
    case.reason, case.where_to = reason.strip()[:300], where_to.strip()[:200]
    case.save(update_fields=["state", "step", "step_due_on", "ended_on", "reason", "where_to"])
    return case


@command(*ASKERS)
def withdraw_case(*, by: Actor, on: date, case_id: int, reason: str) -> Case:
    """The applicant takes it back before anything was decided; what hangs comes down, what was objected is still answered."""
    case = locked(by, case_id)
    require_duty(by, case)
    if case.state not in (State.ASKED, State.PAPERS, State.OPEN):
        raise AlreadyDone(f"这件事{case.get_state_display()}", remedy="请刷新后查看")
    if len(reason.strip()) < 2:
        raise BadInput("没有写撤回的原因", where="原因", remedy="请写明申请人撤回的原因")
    _take_down_here(by, on, case)
    case.state, case.step, case.step_due_on, case.due_on, case.ended_on = State.WITHDRAWN, "", FAR, FAR, on
    case.reason = reason.strip()[:300]
    case.save(update_fields=["state", "step", "step_due_on", "due_on", "ended_on", "reason"])
    return case


def _take_down_here(by: Actor, on: date, case: Case) -> None:
    """Its notice, by somebody whose place holds every board it hangs on."""
    hanging = Notice.objects.filter(subject=case.notice_subject(), state=Notice.State.OPEN)
    if not hanging.exists():
        return
    level = next((each.level for each in way_of(case.process).step(case.step).demands if each.kind == "公示"), None)
    if any(not board.startswith(by.prefix) for board in boards_of(case.division, level or Level.VILLAGE)):
        raise NotYourPlace(
            "公示还贴在上一级", why="撤回时各处的公示要一起撤下", remedy="请乡镇统计员办理，或等公示期满"
        )
    withdraw_notices(by=by, on=on, subject=case.notice_subject())


_LINES = """
INSERT INTO cases_caseline (case_id, division, proposal_id, household_id, person_id, amount_fen, left_out)
SELECT %(case)s, p.division, p.id, p.household_id, p.person_id, p.amount_fen, ''
FROM screening_proposal p
WHERE p.programme = %(programme)s AND p.state = 'open' AND p.kind = 'enter' AND p.division >= %(low)s AND p.division < %(high)s
  AND NOT EXISTS (SELECT 1 FROM cases_caseline l JOIN cases_case c ON c.id = l.case_id
                  WHERE l.proposal_id = p.id AND l.left_out = '' AND c.step <> '')
  AND NOT EXISTS (SELECT 1 FROM cases_case c WHERE c.proposal_id = p.id AND c.step <> '')
"""


@command(*ASKERS)
def open_list(*, by: Actor, on: date, programme: str, division: str) -> Case:
    """One case for everybody the screening proposes under a programme in a village: 一件, 很多户."""
    require_place(by, division)
    law = _programme(programme)
    process = process_for(programme, division, on)
    if process.subject != Process.Subject.LIST:
        raise WrongProcess(f"{law.name}逐户申请", why=f"适用“{process.name}”", remedy="请从家庭页面申请")
    first = way_of(process).first
    if not first.may(by.post, by.level):
        raise WrongProcess(
            f"{first.name}不由{by.post.label}办理", why="、".join(map(str, first.acting)), remedy="请转交"
        )
    case = Case.objects.create(
        process=process, programme=programme, division=division, channel=Case.Channel.LIST, asked_on=on,
        asked_by=by.appointment, step=first.key, step_since=on, responsible=by.appointment,
    )  # fmt: skip
    low, high = scope_of(scope_prefix(division, Level.VILLAGE))
    if not run(_LINES, {"case": case.pk, "programme": programme, "low": low, "high": high}):
        raise BadInput(
            "没有可编入名单的户", where="村", why="没有待办的应进建议，或都已编入名单", remedy="请先筛查这个村"
        )
    return take_first(by, on, case)


@command(*ASKERS, Post.REVIEWER)
def leave_out(*, by: Actor, on: date, case_id: int, line_id: int, reason: str) -> CaseLine:
    """Take one row off a list, with the reason, before it is before the village."""
    case = locked(by, case_id)
    published = Notice.objects.filter(subject=case.notice_subject()).exclude(state=Notice.State.WITHDRAWN)
    if case.step == "" or case.household_id or published.exists():
        raise AlreadyDone("名单已公示或已办结，不能再改", remedy="请先撤下公示，或退回编制")
    line = CaseLine.objects.select_for_update().get(pk=line_id, case=case)
    if line.left_out or len(reason.strip()) < 2:
        raise BadInput("已经移出，或没有写原因", where="原因", remedy="请写明移出的原因")
    line.left_out = reason.strip()[:200]
    line.save(update_fields=["left_out"])
    return line
