"""What a check of a drawn case found, and what a township must put right (CASE-08, SUP-02, SUP-03).

in    a drawn case; how it was checked (on the spot, by an agency under contract, afterwards by its papers), by whom, when
out   a result, signed and final; the draw is done when all have theirs; an order with a deadline, its answer, its end

Always true (here in words, in migration 0002 for whoever writes): who acted on a case does not check it, nor anybody's
relative; before approval nobody checks by papers; a case found otherwise than true cannot be passed, it goes back; who
answered an order does not settle it. Law: 皖政办〔2008〕23号 附件3 第28条 (实地调查核实或委托社会中介机构核查); 伊民规〔2022〕2号
二(四)1 (查阅材料、入户调查，发现的问题及时纠正或限期整改); 日政办发〔2018〕95号 四(三) (入户抽查).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.cases.models import CaseAct
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPost,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
    require_programme,
)
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.samples.models import Check, Draw, DrawCase, Order
from huimin.samples.queries import count_outstanding
from huimin.visits.models import Visit
from huimin.visits.queries import signed_of

CHECKERS = (Post.DEPARTMENT_OFFICER, Post.FINANCE_OFFICER, Post.SUPERVISOR, Post.COUNTY_OFFICER)
"""County people; who approves does not check."""
ANSWERERS = (Post.REVIEWER, Post.TOWNSHIP_HEAD)
Way, Result = Check.Way, Check.Result

refused_by_constraint("samples_check_line_id_key", AlreadyDone, "这一件已有检查结果", "请刷新后查看")
refused_by_constraint("samples_check_visit_id_key", AlreadyDone, "这次入户已经登记过结果", "请刷新后查看")
refused_by_constraint("check_while_it_waits", AlreadyDone, "这一件已不在等候审批", "退回或撤回的不再检查")
refused_by_constraint("check_by_another", SamePerson, "办过这件事的人不能检查它", "请由另一人检查")
refused_by_constraint("check_by_a_signed_visit", Refusal, "没有这次抽查的、县里人员签字的入户记录", "请先登记入户")
refused_by_constraint("check_keeps_its_visit", AlreadyDone, "抽查结果以这次入户为据", "不能作废")
refused_by_constraint("check_by_its_agency", Refusal, "这一件没有委托给这家机构", "请先委托，或改为入户检查")
refused_by_constraint("samples_order_made_id_key", AlreadyDone, "这一件已发过整改通知", "请刷新后查看")


class NotDrawn(Refusal):
    """Only drawn cases are checked."""


class OnTheSpot(Refusal):
    """Before approval a check goes to the household."""


@dataclass(frozen=True)
class Told:
    """How one case was checked: by a signed visit of the line, or by whom, when and over which paper.

    `paper` names the agency's report, or what was read; of a visit the day and the people are its own.
    """

    way: str
    result: str
    found: str = ""
    visit: int | None = None
    checkers: str = ""
    checked_on: date | None = None
    paper: str = ""


@command(*CHECKERS)
def record_check(*, by: Actor, on: date, line_id: int, told: Told) -> Check:
    """The result of one drawn case, signed. What does not agree stops the case: it can only go back or be refused."""
    line = _locked_line(by, line_id)
    if told.way not in Way.values or told.result not in Result.values:
        raise BadInput("没有选检查方式或结果", where="检查", remedy="请从页面上选择")
    visit = _visit(line, told) if told.way == Way.VISIT else None
    who, checked_on = (_went(visit), visit.visited_on) if visit else (told.checkers.strip(), told.checked_on)
    _require_told(line, on, told, who, checked_on)
    _require_others(line, by, visit)
    require_not_related(by, on, [line.household_id])
    agency = line.agency_id if told.way == Way.AGENCY else None
    paper = told.paper.strip() if told.way != Way.VISIT else ""
    content = {
        "draw": line.draw.digest, "seed": line.draw.seed, "number": line.number, "way": told.way, "agency": agency,
        "visit": visit.digest if visit else "", "paper": paper, "checkers": who, "checked_on": checked_on,
        "result": told.result, "found": told.found.strip(),
    }  # fmt: skip
    act = f"抽查：{Result(told.result).label}"
    signature = sign(
        by=by, on=on, act=act, subject=line.subject, content_digest=digest(content), division=line.division
    )
    made = Check.objects.create(
        line=line, division=line.division, way=told.way, visit=visit, agency_id=agency, paper=paper[:200],
        checkers=who[:200], checked_on=checked_on, result=told.result, found=told.found.strip()[:500],
        appointment=by.appointment, account=by.account, recorded_on=on, signature=signature,
    )  # fmt: skip
    close_when_done(on, line.draw)
    return made


def _visit(line: DrawCase, told: Told) -> Visit:
    """The signed visit that was made for this line."""
    visit = next((each for each in signed_of(line.subject) if each.pk == told.visit), None)
    if visit is None:
        raise BadInput("没有这次抽查的已签字的入户记录", where="入户记录", remedy="请先登记入户，双方签字后再登记结果")
    return visit


def _went(visit: Visit) -> str:
    return "、".join(row.title for row in visit.investigators.order_by("id"))


def _require_others(line: DrawCase, by: Actor, visit: Visit | None) -> None:
    """Neither who enters the result nor who went acted on the case; who went is of the county."""
    went = list(visit.investigators.all()) if visit else []
    acted = CaseAct.objects.filter(case=line.case_id, account__in=[by.account, *(each.account for each in went)])
    if acted.exists():
        raise SamePerson("办过这件事的人不能检查它", why="抽查须由没有经手的人做", remedy="请由另外的人检查")
    below = Appointment.objects.filter(pk__in=[each.appointment for each in went]).exclude(office__level=Level.COUNTY)
    if below.exists():
        raise NotYourPost("抽查由县里的人入户", why="有乡镇或村里的人在调查人里", remedy="请由县里两名以上人员入户")


def close_when_done(on: date, draw: Draw) -> None:
    """The draw is done when nobody drawn waits for a result any more; by somebody who sees all of it."""
    if draw.state == Draw.State.DRAWN and not count_outstanding(draw.pk):
        Draw.objects.filter(pk=draw.pk, state=Draw.State.DRAWN).update(state=Draw.State.DONE, done_on=on)


def _locked_line(by: Actor, line_id: int) -> DrawCase:
    """The line, and its draw for the rest of the transaction, so that of two last results one closes it."""
    line = DrawCase.objects.select_related("draw", "case").filter(pk=line_id).first()
    if line is None:
        raise BadInput("没有这一件", where="编号", why="不存在，或不在您的辖区内", remedy="请从抽签页面进入")
    require_place(by, line.draw.division)
    if by.post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER):
        require_programme(by, line.case.programme)
    line.draw = Draw.objects.select_for_update(of=("self",)).get(pk=line.draw_id)
    if line.draw.state == Draw.State.FROZEN or not line.picked:
        raise NotDrawn("这一件没有抽中", why="只检查抽中的", remedy="请从抽签页面选择")
    if Check.objects.filter(line=line).exists():
        raise AlreadyDone("这一件已有检查结果", remedy="请刷新后查看")
    return line


def _require_told(line: DrawCase, on: date, told: Told, who: str, checked_on: date | None) -> None:
    if told.way == Way.PAPERS and not line.draw.after:
        raise OnTheSpot("审批前的抽查不能只查阅材料", why="须实地调查核实或委托机构核查", remedy="请入户检查后再登记")
    if told.way == Way.AGENCY and line.agency_id is None:
        raise BadInput("这一件没有委托给机构", where="检查方式", remedy="请先委托，或改为入户检查")
    if len(who) < 2:
        raise BadInput("没有写谁检查的", where="检查人", remedy="请写检查人姓名")
    if told.way != Way.VISIT and len(told.paper.strip()) < 2:
        what = "机构核查报告的编号" if told.way == Way.AGENCY else "查阅了哪些材料"
        raise BadInput(f"没有写{what}", where="材料", remedy=f"请写{what}")
    since = line.draw.drawn_on or line.draw.frozen_on
    if checked_on is None or not since <= checked_on <= on:
        raise BadInput("检查日期不对", where="检查日期", why=f"{since} 抽签", remedy="请填抽签以后、今天以前的一天")
    if told.result != Result.TRUE and len(told.found.strip()) < 4:
        raise BadInput("没有写哪里不对", where="发现的问题", remedy="请写明与申报、登记有什么不同")


# What a township must put right.


@command(*CHECKERS)
def order_rectification(*, by: Actor, on: date, check_id: int, what: str, due_on: date) -> Order:
    """What a check of a township's decision found wrong, to be put right by a day."""
    made = Check.objects.select_related("line__draw", "line__case").filter(pk=check_id).first()
    if made is None:
        raise BadInput("没有这个检查结果", where="编号", remedy="请从抽签页面进入")
    require_place(by, made.line.draw.division)
    if not made.line.draw.after or not made.wrong:
        raise NotDrawn(
            "这一件不用发整改通知", why="审批前发现的问题退回办理；属实的没有问题", remedy="请从抽签页面选择"
        )
    if len(what.strip()) < 4:
        raise BadInput("没有写整改什么", where="整改要求", remedy="请写明问题和要求")
    if due_on <= on:
        raise BadInput(f"期限 {due_on} 不在今天之后", where="期限", remedy="请填以后的一天")
    content = {"check": made.signature.content_digest, "what": what.strip(), "due_on": due_on}
    signature = sign(
        by=by, on=on, act="整改通知", subject=f"sample-order:{made.pk}", content_digest=digest(content),
        division=made.division,
    )  # fmt: skip
    return Order.objects.create(
        made=made, division=made.division[:9] + "000", what=what.strip()[:500], due_on=due_on,
        ordered_by=by.appointment, ordered_on=on, signature=signature,
    )  # fmt: skip


@command(*ANSWERERS)
def answer_order(*, by: Actor, on: date, order_id: int, answer: str) -> Order:
    """The township tells what it put right."""
    order = _locked_order(by, order_id)
    if by.level != Level.TOWNSHIP:
        raise NotYourPost("整改由乡镇办理", remedy="请转交乡镇")
    if order.state != Order.State.OPEN:
        raise AlreadyDone(f"这一件{order.get_state_display()}", remedy="请刷新后查看")
    if len(answer.strip()) < 4:
        raise BadInput("没有写整改情况", where="整改情况", remedy="请写明查了什么、改了什么")
    return _keep(
        order, state=Order.State.ANSWERED, answer=answer.strip()[:500], answered_by=by.appointment,
        answered_account=by.account, answered_on=on,
    )  # fmt: skip


@command(*CHECKERS)
def settle_order(
    *, by: Actor, on: date, order_id: int, accepted: bool, note: str = "", due_on: date | None = None
) -> Order:
    """The county accepts what was put right, or not: then it is open again, with a new day and the reason."""
    order = _locked_order(by, order_id)
    if order.state != Order.State.ANSWERED:
        raise AlreadyDone(f"这一件{order.get_state_display()}", remedy="请刷新后查看")
    require_another(by, order.answered_by, "整改")
    if accepted:
        return _keep(
            order, state=Order.State.SETTLED, note=note.strip()[:300], settled_by=by.appointment, settled_on=on
        )
    if len(note.strip()) < 4:
        raise BadInput("没有写为什么不通过", where="说明", remedy="请写明还差什么")
    if due_on is None or due_on <= on:
        raise BadInput("没有新的期限，或不在今天之后", where="期限", remedy="请填以后的一天")
    return _keep(order, state=Order.State.OPEN, note=note.strip()[:300], due_on=due_on)


def _locked_order(by: Actor, order_id: int) -> Order:
    order = Order.objects.select_for_update(of=("self",)).filter(pk=order_id).first()
    if order is None:
        raise BadInput("没有这项整改", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, order.division)
    return order


def _keep(order: Order, **changed: Any) -> Order:
    for name, value in changed.items():
        setattr(order, name, value)
    order.save(update_fields=list(changed))
    return order
