"""A new version of a policy: drafted, heard, reviewed, examined, approved, in force from its day (POL-02, POL-03).

in    who drafts for which programme and day, a text; each step as it was held, recorded by somebody else
out   a `PolicyDraft` on its way; in the end a `PolicyText` with its own 自 date, beside those that were in force before

Always true when a function of this module returns:

- Nothing in force is edited: an approved version is a new text, and what held before its day still holds before it.
- A draft takes effect on a day to come, seen from its drafting and from its approval.
- A draft with a fault is saved, never submitted; the whole book and its cases are run again before submission and approval.
- Steps come in order, each over the very words that were submitted, each recorded by another person; the drafter
  records none. A refusal sends the draft back with its reason, and the next round begins with the hearing.

The same is kept by the database (migration 0002). Law: 皖政办〔2008〕23号 附件1 第十七条、第十八条.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_place,
    require_programme,
)
from huimin.organisation.models import Office
from huimin.organisation.posts import Post
from huimin.organisation.queries import live_on
from huimin.organisation.signing import sign
from huimin.policy.checking import Checked, Draft, check
from huimin.policy.commands import LOCAL
from huimin.policy.drafting import first_text, ground_of
from huimin.policy.models import DraftStep, PolicyDraft, PolicyText
from huimin.policy.queries import get_shelf, texts_in_use
from huimin.policy.showing import Shelf

State, Kind, Outcome = PolicyDraft.State, DraftStep.Kind, DraftStep.Outcome
STEPS: dict[str, tuple[State, State]] = {
    Kind.HEARING: (State.SUBMITTED, State.HEARD),
    Kind.DEPARTMENT: (State.HEARD, State.REVIEWED),
    Kind.EXPERTS: (State.REVIEWED, State.EXAMINED),
    Kind.LEADING_GROUP: (State.EXAMINED, State.APPROVED),
}
"""Each step with the state it needs and the state it leads to when it agrees."""
_LENGTHS = {"place": 80, "attendants": 500, "opinion": 1000, "paper_no": 60}
_LABELS = {"place": "地点", "attendants": "参加人", "opinion": "意见", "paper_no": "文号"}


class DraftHasFaults(Refusal):
    """A draft with a fault goes nowhere."""


class NobodyReviews(Refusal):
    """No office of the county is responsible for the programme."""


class NotDrafting(Refusal):
    """The draft stands elsewhere on its way."""


class NotYourDraft(Refusal):
    """Somebody else drafts this."""


class ChangedMeanwhile(Refusal):
    """What was seen is not what is stored."""


refused_by_constraint(
    "policy_draft_one_at_a_time", AlreadyDone, "这个项目已有一份新版在起草或审批", "请在那一份上接着办，或先撤回它"
)
refused_by_constraint("policy_step_once", AlreadyDone, "这一步已经记录", "请刷新后查看")
refused_by_constraint("policy_step_another_person", SamePerson, "您已经记录了这份草稿的另一步", "每一步须由另一人记录")
refused_by_constraint("policy_step_not_by_drafter", SamePerson, "起草的人不能记录审查和批准", "请由另一人记录")
refused_by_constraint("policy_step_order", NotDrafting, "草稿现在不等这一步", "请刷新后查看它到了哪一步")
refused_by_constraint("policy_step_days", NotDrafting, "举行日期早于前一步", "请核对举行的日期")
refused_by_constraint("policy_draft_final", AlreadyDone, "草稿已经办结，不能再改", "请另起草新的版本")
refused_by_constraint("policy_draft_in_force", AlreadyDone, "新版已经施行，不能撤回", "请起草下一个版本")
refused_by_constraint("policy_draft_frozen", NotDrafting, "草稿已提交，文字不能再改", "需要改的，请由审查的人退回")


@dataclass(frozen=True)
class Held:
    """How a step was held: 举行日期, 地点, 参加人, 意见, 文号."""

    held_on: date
    place: str
    attendants: str
    opinion: str
    paper_no: str


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def open_draft(*, by: Actor, on: date, programme: str, effective_on: date, reason: str) -> PolicyDraft:
    """Begin a new version of a programme at the county of `by`, from what holds there on the day before it.

    BadInput for a day that is not to come or an unknown programme; AlreadyDone when one is on its way; NobodyReviews.
    """
    _require_drafter(by, programme)
    _require_ahead(effective_on, on)
    shelf = get_shelf(by, on)
    ground = ground_of(shelf.written, programme, shelf.codes, effective_on - timedelta(days=1))
    if ground.state is None or shelf.written.state(programme, shelf.codes, effective_on) is None:
        raise BadInput(
            f"{effective_on} 没有这个项目", where="施行日期", remedy="请选择政策清单上的项目和它施行期内的日期"
        )
    _require_department(by, programme, on)
    draft = PolicyDraft(
        division=by.division, programme=programme, effective_on=effective_on, reason=_reason(reason),
        path=_path(by.division, programme, effective_on), text=first_text(ground, effective_on), faults=1,
        drafted_by=by.appointment, drafted_account=by.account, drafter=by.title, drafted_on=on,
    )  # fmt: skip
    _take_text(draft, draft.text, shelf, on)
    draft.save()
    return draft


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def save_draft(
    *, by: Actor, on: date, draft_id: int, text: str, effective_on: date, reason: str, seen: int
) -> tuple[PolicyDraft, Checked]:
    """Store the words as they are, faults and all; `seen` is the revision that was on the screen.

    NotYourDraft, NotDrafting, ChangedMeanwhile; BadInput for a day that is not to come.
    """
    draft = _locked(draft_id)
    require_mine(by, draft)
    _require_ahead(effective_on, on)
    if draft.revision != seen:
        raise ChangedMeanwhile("草稿在别处改过了", remedy="请返回刷新，在新的文字上再改")
    draft.effective_on, draft.reason, draft.revision = effective_on, _reason(reason), draft.revision + 1
    draft.path = _path(draft.division, draft.programme, effective_on)
    checked = _take_text(draft, text, get_shelf(by, on), on)
    draft.save(update_fields=["effective_on", "path", "reason", "text", "sha256", "faults", "revision"])
    return draft, checked


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def submit_draft(*, by: Actor, on: date, draft_id: int) -> PolicyDraft:
    """Send the draft on to the hearing; from here its words stand still. DraftHasFaults with the first ones."""
    draft = _locked(draft_id)
    require_mine(by, draft)
    _require_ahead(draft.effective_on, on)
    draft.faults = len(_checked(draft, get_shelf(by, on), on, refuse=True).problems)
    draft.state, draft.submitted_on = State.SUBMITTED, on
    draft.save(update_fields=["faults", "state", "submitted_on"])
    sign(by=by, on=on, act="提交政策草稿", subject=draft.subject, content_digest=draft.sha256, division=draft.division)
    return draft


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def record_hearing(*, by: Actor, on: date, draft_id: int, agreed: bool, held: Held) -> PolicyDraft:
    """公众听证, recorded by the policy office or the department that organised it."""
    return _record(by, on, draft_id, Kind.HEARING, agreed, held)


@command(Post.DEPARTMENT_APPROVER)
def record_department_review(*, by: Actor, on: date, draft_id: int, agreed: bool, held: Held) -> PolicyDraft:
    """部门审核 by the department responsible for the programme."""
    return _record(by, on, draft_id, Kind.DEPARTMENT, agreed, held)


@command(Post.COUNTY_OFFICER, Post.FINANCE_OFFICER)
def record_expert_review(*, by: Actor, on: date, draft_id: int, agreed: bool, held: Held) -> PolicyDraft:
    """专家评审, recorded by the policy office or by finance, which looks at the cost."""
    return _record(by, on, draft_id, Kind.EXPERTS, agreed, held)


@command(Post.LEADING_APPROVER)
def record_approval(*, by: Actor, on: date, draft_id: int, agreed: bool, held: Held) -> PolicyDraft:
    """领导小组审批: when it agrees the version is adopted, in force from its day."""
    return _record(by, on, draft_id, Kind.LEADING_GROUP, agreed, held)


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER, Post.LEADING_APPROVER)
def withdraw_draft(*, by: Actor, on: date, draft_id: int, reason: str) -> PolicyDraft:
    """Take a draft back: its drafter while it is on its way, the leading group also after approval, before its day."""
    draft = _locked(draft_id)
    require_withdrawable(by, on, draft)
    draft.state, draft.ended_on, draft.ended_by, draft.ended_reason = (
        State.WITHDRAWN,
        on,
        by.appointment,
        _reason(reason),
    )
    draft.save(update_fields=["state", "ended_on", "ended_by", "ended_reason"])
    PolicyText.objects.filter(path=draft.path, superseded_at=None).update(superseded_at=timezone.now())
    sign(by=by, on=on, act="撤回政策草稿", subject=draft.subject, content_digest=draft.sha256, division=draft.division)
    return draft


WAY = (
    (submit_draft, State.DRAFTING),
    (record_hearing, State.SUBMITTED),
    (record_department_review, State.HEARD),
    (record_expert_review, State.REVIEWED),
    (record_approval, State.EXAMINED),
)
"""What a draft waits for in each state; desks show it to those who may do it."""


# -- serving


def _record(by: Actor, on: date, draft_id: int, kind: Kind, agreed: bool, held: Held) -> PolicyDraft:
    draft = _locked(draft_id)
    next_state = STEPS[kind][1]
    require_recordable(by, draft, kind)
    _require_held(draft, held, on)
    if agreed and kind == Kind.LEADING_GROUP:
        _require_ahead(draft.effective_on, on)
        _checked(draft, get_shelf(by, on), on, refuse=True)
    _store_step(by, on, draft, kind, agreed, held)
    act = f"{kind.label}{'同意' if agreed else '退回'}"
    sign(by=by, on=on, act=act, subject=draft.subject, content_digest=draft.sha256, division=draft.division)
    if agreed:
        _go_on(by, on, draft, next_state)
    else:
        draft.state, draft.round = State.DRAFTING, draft.round + 1
        draft.save(update_fields=["state", "round"])
    return draft


def _store_step(by: Actor, on: date, draft: PolicyDraft, kind: Kind, agreed: bool, held: Held) -> None:
    texts = {name: getattr(held, name).strip() for name in _LENGTHS}
    DraftStep.objects.create(
        draft=draft, division=draft.division, round=draft.round, kind=kind, sha256=draft.sha256, held_on=held.held_on,
        outcome=Outcome.AGREED if agreed else Outcome.REFUSED, recorded_by=by.appointment, account=by.account,
        recorder=by.title, recorded_on=on, **texts,
    )  # fmt: skip


def _go_on(by: Actor, on: date, draft: PolicyDraft, state: State) -> None:
    draft.state = state
    if state == State.APPROVED:
        draft.ended_on, draft.ended_by = on, by.appointment
    draft.save(update_fields=["state", "ended_on", "ended_by"])
    if state == State.APPROVED:
        PolicyText.objects.create(
            division=draft.division, path=draft.path, text=draft.text, sha256=draft.sha256, adopted_by=by.appointment,
            adopted_on=on,
        )  # fmt: skip


def _path(division: str, programme: str, effective_on: date) -> str:
    return f"{LOCAL}{division}/{programme}/{effective_on}.yaml"


def _locked(draft_id: int) -> PolicyDraft:
    return PolicyDraft.objects.select_for_update().get(pk=draft_id)


def _require_drafter(by: Actor, programme: str) -> None:
    if by.level != Level.COUNTY:
        raise NotYourDraft("新版由县里起草", remedy="请由县惠民办或主管部门起草")
    if by.post == Post.DEPARTMENT_OFFICER:
        require_programme(by, programme)


def _require_department(by: Actor, programme: str, on: date) -> None:
    """Somebody must be there for the department's review, or the draft could never take effect."""
    offices = Office.objects.filter(live_on(on), division=by.division, programmes__contains=[programme])
    if not offices.filter(appointments__post=Post.DEPARTMENT_APPROVER).exists():
        raise NobodyReviews(
            "本县没有部门负责这个项目",
            why="新版要由主管部门审核",
            remedy="请由系统管理员把这个项目登记给主管部门，再起草",
        )


def require_mine(by: Actor, draft: PolicyDraft) -> None:
    """NotYourDraft, NotDrafting when `by` may not change its words now."""
    if by.account != draft.drafted_account:
        raise NotYourDraft(
            "这份草稿不是您起草的", why=f"起草人是{draft.drafter}", remedy="请由起草人改，或在您那一步写意见"
        )
    if draft.state != State.DRAFTING:
        ended = draft.state in (State.APPROVED, State.WITHDRAWN)
        raise NotDrafting(
            f"草稿现在是“{draft.get_state_display()}”",
            why="提交以后文字不再改",
            remedy="需要再改的，请起草下一个版本" if ended else "需要改的，请由审查的人退回",
        )


def require_withdrawable(by: Actor, on: date, draft: PolicyDraft) -> None:
    """AlreadyDone, NotYourDraft when `by` may not take the draft back."""
    approved = draft.state == State.APPROVED
    if draft.state == State.WITHDRAWN:
        raise AlreadyDone("草稿已经撤回", remedy="请刷新后查看")
    if approved and by.post != Post.LEADING_APPROVER:
        raise NotYourDraft("已批准的版本由领导小组撤回", remedy="请转领导小组审批岗")
    if not approved and by.account != draft.drafted_account:
        raise NotYourDraft("这份草稿不是您起草的", remedy="不同意的，请在您那一步退回")
    if approved and draft.effective_on <= on:
        raise AlreadyDone("新版已经施行，不能撤回", remedy="请起草下一个版本")


def require_recordable(by: Actor, draft: PolicyDraft, kind: Kind) -> None:
    """NotDrafting, SamePerson, or what place and programme refuse, when `by` may not record this step now."""
    needed = STEPS[kind][0]
    if draft.state != needed:
        raise NotDrafting(
            f"草稿现在是“{draft.get_state_display()}”",
            why=f"{kind.label}在“{needed.label}”时记录",
            remedy="请刷新后查看",
        )
    require_place(by, draft.division)
    if kind != Kind.LEADING_GROUP and by.post != Post.COUNTY_OFFICER:
        require_programme(by, draft.programme)
    _require_another_person(by, draft)


def _require_ahead(effective_on: date, on: date) -> None:
    if effective_on <= on:
        raise BadInput(
            f"施行日期 {effective_on} 不在今后", where="施行日期", why="新版不追溯", remedy="请选择今天以后的日期"
        )


def _require_another_person(by: Actor, draft: PolicyDraft) -> None:
    if by.account == draft.drafted_account:
        raise SamePerson("起草的人不能记录审查和批准", why="起草与审查须为两人", remedy="请由另一人记录")
    if draft.steps.filter(round=draft.round, account=by.account).exists():
        raise SamePerson("您已经记录了这份草稿的另一步", why="每一步须由另一人记录", remedy="请由另一人记录")


def _require_held(draft: PolicyDraft, held: Held, on: date) -> None:
    for name, longest in _LENGTHS.items():
        text = getattr(held, name).strip()
        if not text or len(text) > longest:
            raise BadInput(f"{_LABELS[name]}没有写，或超过 {longest} 字", where=_LABELS[name], remedy="请照实填写")
    earlier = draft.steps.filter(round=draft.round).order_by("-held_on").values_list("held_on", flat=True).first()
    since = earlier or draft.submitted_on or on
    if not since <= held.held_on <= on:
        raise BadInput(
            f"举行日期 {held.held_on} 不对",
            where="举行日期",
            why=f"应在 {since} 至 {on} 之间",
            remedy="请核对举行的日期",
        )


def _reason(text: str) -> str:
    if not text.strip():
        raise BadInput("没有写理由", where="理由", remedy="请写明为什么")
    return text.strip()[:300]


def _take_text(draft: PolicyDraft, text: str, shelf: Shelf, on: date) -> Checked:
    """Put the words into the draft with their digest and what the check found."""
    draft.text = text.replace("\r\n", "\n").replace("\0", "")
    draft.sha256 = hashlib.sha256(draft.text.encode()).hexdigest()
    checked = _checked(draft, shelf, on)
    draft.faults = len(checked.problems)
    return checked


def _checked(draft: PolicyDraft, shelf: Shelf, on: date, *, refuse: bool = False) -> Checked:
    checked = check(as_checked(draft, shelf, on))
    if refuse and checked.problems:
        told = [f"{each.where} {each}".strip() for each in checked.problems[:3]]
        raise DraftHasFaults(
            f"草稿有 {len(checked.problems)} 处要改", why="；".join(told), remedy="请由起草人改正后再办"
        )
    return checked


def as_checked(draft: PolicyDraft, shelf: Shelf, on: date) -> Draft:
    """The draft with what it is checked against; inside a reading transaction."""
    texts = tuple((path, text) for path, text in sorted(texts_in_use().items()) if path != draft.path)
    return Draft(
        texts, draft.path, draft.text, draft.programme, tuple(shelf.places.items()), draft.effective_on, on,
        tuple(sorted(shelf.names.items())),
    )  # fmt: skip
