"""Planning, opening, postponing and closing a campaign (CASE-10).

in    which programmes and place, by which document, the four phases with their days, who leads, when what is reported to whom
out   a Campaign; opened: its Items, frozen and digested, and the opening signed; closed: signed, for good

Always true (here in words, in migration 0002 for whoever writes): who planned does not open; opened, the programmes, the place
and the list stay; two open campaigns of one place share no programme; it is closed only when every item has a reviewed
result, every drawn item a check that agrees; closed, nothing of it changes any more. 日政办发〔2018〕95号 四, 五.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from huimin.database.bulk import fetch_one
from huimin.divisions.queries import get_division
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
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
from huimin.policy.queries import programme_names
from huimin.rectification.marking import freeze_items
from huimin.rectification.models import Campaign, GroupMember, Phase
from huimin.rectification.standing import unfinished_of

PLANNERS = (Post.DEPARTMENT_OFFICER, Post.COUNTY_OFFICER)
OPENERS = (Post.DEPARTMENT_APPROVER,)
PERCENT_MIN = 30
"""日政办发〔2018〕95号 四(三): the county visits at least this share on the spot."""
State = Campaign.State

for _name, _what, _remedy in (
    ("rectification_once", "这个文号的专项整治已经登记", "请从列表进入"),
    ("rectification_final", "专项整治已经结束，不能再改", "请刷新后查看"),
    ("rectification_overlaps", "这些项目在这里已有进行中的专项整治", "请先结束进行中的那一次"),
):
    refused_by_constraint(_name, AlreadyDone, _what, _remedy)


class NotFinished(Refusal):
    """Something of the campaign is still to be done."""


@dataclass(frozen=True)
class Member:
    role: str
    name: str
    unit: str


@dataclass(frozen=True)
class Plan:
    """What a campaign is to be; `phases` are first and last day of the four, in order."""

    title: str
    document_no: str
    basis: str
    programmes: Sequence[str]
    phases: Sequence[tuple[date, date]]
    summary_on: date
    sent_to: str
    aim: str = ""
    interim_on: date | None = None
    percent: int = PERCENT_MIN
    report_day: int = 25
    group: Sequence[Member] = field(default_factory=tuple)


@command(*PLANNERS)
def plan_campaign(*, by: Actor, on: date, division: str, plan: Plan) -> Campaign:
    """Write the plan down; nothing begins before another person opens it."""
    require_place(by, division)
    level = get_division(division, on).level
    if level not in (Level.COUNTY, Level.TOWNSHIP):
        raise BadInput("专项整治以县或乡镇为单位", where="地方", remedy="请选择全县或一个乡镇")
    _require_plan(by, plan)
    made = Campaign.objects.create(
        division=division, level=level, planned_by=by.appointment, planned_account=by.account, planned_on=on,
        **_columns(plan),
    )  # fmt: skip
    _add_parts(made, plan)
    return made


@command(*PLANNERS)
def revise_plan(*, by: Actor, on: date, campaign_id: int, plan: Plan) -> Campaign:
    """Another plan before it is opened; who revises it has planned it."""
    row = locked_campaign(by, campaign_id, State.PLANNED)
    _require_plan(by, plan)
    for name, value in _columns(plan).items():
        setattr(row, name, value)
    row.save(update_fields=list(_columns(plan)))
    for number, (starts_on, ends_on) in enumerate(plan.phases, 1):
        Phase.objects.filter(campaign=row, number=number).update(starts_on=starts_on, ends_on=ends_on)
    known = set(GroupMember.objects.filter(campaign=row).values_list("name", "unit"))
    _add_group(row, [each for each in plan.group if (each.name.strip(), each.unit.strip()) not in known])
    return row


def _columns(plan: Plan) -> dict[str, object]:
    return {
        "title": plan.title.strip(), "document_no": plan.document_no.strip(), "basis": plan.basis.strip(),
        "aim": plan.aim.strip()[:500], "programmes": sorted(set(plan.programmes)), "percent": plan.percent,
        "report_day": plan.report_day, "interim_on": plan.interim_on, "summary_on": plan.summary_on,
        "sent_to": plan.sent_to.strip(),
    }  # fmt: skip


def _add_parts(row: Campaign, plan: Plan) -> None:
    Phase.objects.bulk_create(
        Phase(campaign=row, division=row.division, number=number, starts_on=starts_on, ends_on=ends_on)
        for number, (starts_on, ends_on) in enumerate(plan.phases, 1)
    )
    _add_group(row, plan.group)


def _add_group(row: Campaign, group: Sequence[Member]) -> None:
    GroupMember.objects.bulk_create(
        GroupMember(
            campaign=row,
            division=row.division,
            role=each.role,
            name=each.name.strip()[:40],
            unit=each.unit.strip()[:80],
        )
        for each in group
    )


def _require_plan(by: Actor, plan: Plan) -> None:
    for where, text, most in (
        ("名称", plan.title, 80), ("文号", plan.document_no, 60), ("依据", plan.basis, 200), ("报送单位", plan.sent_to, 80),
    ):  # fmt: skip
        if not 2 <= len(text.strip()) <= most:
            raise BadInput(f"没有写{where}", where=where, remedy=f"请用 2 至 {most} 个字写明")
    if not PERCENT_MIN <= plan.percent <= 100:
        raise BadInput(
            f"抽查比例 {plan.percent}% 不成立",
            where="抽查比例",
            why=f"县级入户抽查不低于 {PERCENT_MIN}%",
            remedy="请写 30 至 100",
        )
    if not 1 <= plan.report_day <= 28:
        raise BadInput("每月报送日不成立", where="每月报送日", remedy="请写 1 至 28")
    _require_programmes(by, plan.programmes)
    _require_days(plan)
    _require_group(plan.group)


def _require_programmes(by: Actor, programmes: Sequence[str]) -> None:
    names = programme_names()
    if not programmes or (unknown := sorted(set(programmes) - set(names))):
        raise BadInput(
            f"没有“{unknown[0]}”这个项目" if programmes else "没有选项目", where="项目", remedy="请从列表选择"
        )
    if by.post == Post.DEPARTMENT_OFFICER:
        for code in programmes:
            require_programme(by, code, names[code])


def _require_days(plan: Plan) -> None:
    if len(plan.phases) != 4:
        raise BadInput("专项整治分四个阶段", where="阶段", remedy="请填写四个阶段的起止日期")
    before: date | None = None
    for number, (starts_on, ends_on) in enumerate(plan.phases, 1):
        label = Phase.Number(number).label
        if ends_on < starts_on or (before and starts_on <= before):
            raise BadInput(
                f"{label}阶段的日期不成立", where=label, why="先后或首尾不对", remedy="请按先后填写，不要重叠"
            )
        before = ends_on
    first, last = plan.phases[0][0], plan.phases[3][1]
    for where, day in (("阶段总结报送日", plan.interim_on), ("汇总表报送日", plan.summary_on)):
        if day is not None and not first <= day <= last:
            raise BadInput(f"{day} 不在整治期间", where=where, why=f"{first} 至 {last}", remedy="请核对日期")


def _require_group(group: Sequence[Member]) -> None:
    if not any(each.role == GroupMember.Role.LEADER for each in group):
        raise BadInput("没有写领导小组组长", where="领导小组", remedy="主要领导是第一责任人，请写组长")
    if sum(each.role == GroupMember.Role.LEADER for each in group) > 1:
        raise BadInput("组长只能有一人", where="领导小组", remedy="其余的写副组长")
    for each in group:
        if each.role not in GroupMember.Role.values or len(each.name.strip()) < 2 or len(each.unit.strip()) < 2:
            raise BadInput("领导小组成员没有写全", where="领导小组", remedy="一行一人：职务 姓名 单位")


def locked_campaign(by: Actor, campaign_id: int, *states: str) -> Campaign:
    """The campaign for the rest of the transaction, in one of these states."""
    row = Campaign.objects.select_for_update().filter(pk=campaign_id).first()
    if row is None:
        raise BadInput("没有这次专项整治", where="编号", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, row.division)
    if row.state not in states:
        raise AlreadyDone(f"这次专项整治{row.get_state_display()}", remedy="请刷新后查看")
    return row


@command(*OPENERS)
def open_campaign(*, by: Actor, on: date, campaign_id: int) -> Campaign:
    """Freeze the list and begin; a single statement for all who hold, another for all who may have been missed."""
    row = locked_campaign(by, campaign_id, State.PLANNED)
    require_another(by, row.planned_by, "制定方案")
    names = programme_names()
    for code in row.programmes:
        require_programme(by, code, names.get(code, code))
    row.state, row.opened_by, row.opened_account, row.opened_on = State.OPEN, by.appointment, by.account, on
    row.items_count, row.items_digest = freeze_items(row, on)
    if not row.items_count:
        raise BadInput("这里没有享受这些项目的对象", where="项目", remedy="请核对项目和地方，或先筛查")
    content = digest({"plan": _plan_of(row), "items": row.items_digest})
    row.opening = sign(
        by=by, on=on, act="启动专项整治", subject=row.subject, content_digest=content, division=row.division
    )
    row.save(
        update_fields=[
            "state", "opened_by", "opened_account", "opened_on", "items_count", "items_digest", "opening",
        ]
    )  # fmt: skip
    return row


def _plan_of(row: Campaign) -> dict[str, object]:
    phases = Phase.objects.filter(campaign=row).order_by("number").values_list("number", "starts_on", "ends_on")
    group = GroupMember.objects.filter(campaign=row).order_by("id").values_list("role", "name", "unit")
    return {
        "title": row.title, "document": row.document_no, "basis": row.basis, "aim": row.aim, "programmes": row.programmes,
        "division": row.division, "percent": row.percent, "report_day": row.report_day, "interim": row.interim_on,
        "summary": row.summary_on, "sent_to": row.sent_to, "phases": [list(each) for each in phases],
        "group": [list(each) for each in group],
    }  # fmt: skip


@command(*PLANNERS)
def postpone_phase(*, by: Actor, on: date, campaign_id: int, number: int, ends_on: date, reason: str) -> Phase:
    """Another last day for a phase that is not over in the plan; those after it begin later where they must."""
    row = locked_campaign(by, campaign_id, State.PLANNED, State.OPEN)
    phases = list(Phase.objects.select_for_update().filter(campaign=row).order_by("number"))
    found = next((each for each in phases if each.number == number), None)
    if found is None or ends_on <= found.ends_on or ends_on < on:
        raise BadInput(f"{ends_on} 不能作新的截止日", where="截止日", remedy="请写比原来晚、还没有过的日子")
    if len(reason.strip()) < 4:
        raise BadInput("没有写延期的原因", where="原因", remedy="请写明原因和批准的文件")
    later = [each for each in phases if each.number > number]
    if later and ends_on >= later[0].ends_on:
        raise BadInput(
            f"{ends_on} 超过了下一阶段的截止日", where="截止日", why=f"{later[0].ends_on}", remedy="请先延后下一阶段"
        )
    found.ends_on, found.reason = ends_on, reason.strip()[:200]
    found.save(update_fields=["ends_on", "reason"])
    if later and later[0].starts_on <= ends_on:
        later[0].starts_on = date.fromordinal(ends_on.toordinal() + 1)
        later[0].save(update_fields=["starts_on"])
    return found


@command(*OPENERS)
def close_campaign(*, by: Actor, on: date, campaign_id: int, summary: str) -> Campaign:
    """Nothing is left to be done: it is closed for good, signed over every result. NotFinished says what is left."""
    row = locked_campaign(by, campaign_id, State.OPEN)
    if len(summary.strip()) < 10:
        raise BadInput("没有写总结", where="总结", remedy="请写成效、存在的问题和下一步措施")
    if left := unfinished_of(row, on):
        raise NotFinished("还不能结束", why="；".join(left), remedy="请先办完")
    row.state, row.closed_by, row.closed_on = State.CLOSED, by.appointment, on
    row.summary = summary.strip()[:2000]
    [results] = fetch_one(_RESULTS, [row.pk])
    content = {"campaign": row.pk, "items": row.items_digest, "results": results, "summary": row.summary}
    row.closing = sign(
        by=by, on=on, act="结束专项整治", subject=row.subject, content_digest=digest(content), division=row.division
    )
    row.save(update_fields=["state", "closed_by", "closed_on", "summary", "closing"])
    return row


_RESULTS = """
SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', number, result, to_fen, round), E'\\n' ORDER BY number), ''),
       'UTF8')), 'hex') FROM rectification_item WHERE campaign_id = %s
"""
