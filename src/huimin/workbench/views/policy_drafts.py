"""New versions of policies at the desk: drafted with live checking, compared in words, and each step recorded (POL-02, POL-03)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.posts import Post
from huimin.policy import drafts
from huimin.policy.checking import UNCHANGED, Checked, Draft, Problem, check
from huimin.policy.drafting import Ground, Sheet, ground_of, sheet_of, text_of
from huimin.policy.drafts import STEPS, Held, as_checked
from huimin.policy.models import DraftStep, PolicyDraft
from huimin.policy.queries import get_draft, get_shelf, list_drafts, list_steps
from huimin.policy.showing import Shelf
from huimin.policy.written import read_texts
from huimin.rules import PolicyFaults
from huimin.rules.faults import FaultFound
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import DRAFT_READERS, DRAFTERS, SIMULATORS, page
from huimin.workbench.listing import day_of, one_of
from huimin.workbench.policy_forms import DraftForm, OpenDraft, RecordStep, WithdrawDraft, at_fields, sheet_from

State = PolicyDraft.State
RECORDED: dict[str, tuple[DraftStep.Kind, Callable[..., PolicyDraft]]] = {
    "hearing": (DraftStep.Kind.HEARING, drafts.record_hearing),
    "department": (DraftStep.Kind.DEPARTMENT, drafts.record_department_review),
    "experts": (DraftStep.Kind.EXPERTS, drafts.record_expert_review),
    "leading_group": (DraftStep.Kind.LEADING_GROUP, drafts.record_approval),
}


@dataclass(frozen=True)
class Desk:
    """A draft with all that its pages need, read in one transaction."""

    draft: PolicyDraft
    shelf: Shelf
    ground: Ground
    asked: Draft
    steps: list[DraftStep]

    @property
    def name(self) -> str:
        return self.shelf.names.get(self.draft.programme, self.draft.programme)

    def sheet(self, text: str) -> Sheet | None:
        """The fields of a text; None when it cannot be read as YAML."""
        try:
            return sheet_of(text, self.ground, self.draft.path)
        except (FaultFound, PolicyFaults):
            return None

    def checked(self, text: str, effective_on: date) -> Checked:
        return check(replace(self.asked, text=text, effective_on=effective_on))


def _desk(by: Actor, on: date, number: int) -> Desk:
    with reading(by):
        draft = get_draft(number)
        shelf = get_shelf(by, on)
        asked = as_checked(draft, shelf, on)
        before = draft.effective_on - timedelta(days=1)
        ground = ground_of(read_texts(dict(asked.texts)), draft.programme, shelf.codes, before)
        return Desk(draft, shelf, ground, asked, list_steps(draft))


@require_safe
@page(DRAFT_READERS)
def listing(request: Any) -> HttpResponse:
    state = one_of(request.GET, "state", State.values)
    shelf = get_shelf(request.actor, request.business_date)
    context = {
        "section": "policy-drafts",
        "drafts": list_drafts(request.actor, state=state),
        "names": shelf.names,
        "state": state,
        "states": State.choices,
        "may_draft": may(request.actor, drafts.open_draft),
    }
    return render(request, "workbench/policy_drafts.html", context)


@require_http_methods(["GET", "POST"])
@page(DRAFTERS)
def begin(request: Any, code: str) -> HttpResponse:
    """When it takes effect and why; then the draft is there."""
    by: Actor = request.actor
    with reading(by):
        shelf = get_shelf(by, request.business_date)
        policy = shelf.find(code)
    if policy is None:
        raise Http404
    form = OpenDraft(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = drafts.open_draft(by=by, on=request.business_date, programme=code, **form.cleaned_data)
            where = reverse("policy-draft-edit", args=[made.pk])
            return Outcome("已开始起草", where, "改好的先保存；没有差错后提交，转公众听证。")

        try:
            return once(request, act)
        except BadInput as wrong:
            form.add_error("effective_on", Refusal.__str__(wrong))
    context = {"section": "policy-drafts", "form": form, "policy": policy}
    return render(request, "workbench/policy_draft_begin.html", context, status=422 if form.errors else 200)


@require_safe
@page(DRAFT_READERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """What would change in words, what the check says, how far it is, who said what, and what may be done here."""
    desk = _desk(request.actor, request.business_date, number)
    open_ = desk.draft.state not in (State.APPROVED, State.WITHDRAWN)
    context = {
        "section": "policy-drafts",
        "desk": desk,
        "draft": desk.draft,
        "checked": desk.checked(desk.draft.text, desk.draft.effective_on) if open_ else _as_it_was(desk),
        "way": _way(desk, request.business_date),
        "steps": desk.steps[::-1],
        "acts": list(_offered(request.actor, request.business_date, desk)),
        "mine": request.actor.account == desk.draft.drafted_account,
        "simulates": request.actor.post in SIMULATORS,
    }
    return render(request, "workbench/policy_draft.html", context)


def _as_it_was(desk: Desk) -> Checked:
    """What an ended draft changes, without holding it against today's date."""
    asked = replace(desk.asked, today=min(desk.asked.today, desk.draft.drafted_on))
    return Checked(changes=check(asked).changes)


def _way(desk: Desk, on: date) -> list[dict[str, Any]]:
    """Drafting, the four steps, effect; with what was recorded in this round."""
    draft = desk.draft
    held = {step.kind: step for step in desk.steps if step.round == draft.round}
    order = [State.DRAFTING, *(needed for needed, _ in STEPS.values()), State.APPROVED]
    at = order.index(State(draft.state)) if draft.state != State.WITHDRAWN else -1
    labels = ["起草", *(DraftStep.Kind(kind).label for kind in STEPS), "施行" if draft.effective_on <= on else "待施行"]
    days = [draft.submitted_on, *(held[kind].held_on if kind in held else None for kind in STEPS), draft.effective_on]
    return [
        {
            "label": label,
            "on": day if number < at or number in (0, 5) else None,
            "tone": "now" if number == at else "did" if number < at else "",
        }
        for number, (label, day) in enumerate(zip(labels, days, strict=True))
    ]


def _offered(by: Actor, on: date, desk: Desk) -> Any:
    """(key, words, whether it is the warning kind) of what `by` may do now; the commands check again."""
    draft = desk.draft
    mine = by.account == draft.drafted_account
    if draft.state == State.DRAFTING and mine and may(by, drafts.submit_draft):
        yield "submit", "提交，转公众听证", False
    for key, (kind, act) in RECORDED.items():
        programme_fits = by.post in (Post.COUNTY_OFFICER, Post.LEADING_APPROVER) or draft.programme in by.programmes
        if draft.state == STEPS[kind][0] and may(by, act) and not mine and programme_fits:
            recorded = any(step.account == by.account for step in desk.steps if step.round == draft.round)
            if not recorded:
                yield key, f"记录{kind.label}", False
    approved = draft.state == State.APPROVED and draft.effective_on > on
    if (mine and draft.state not in (State.APPROVED, State.WITHDRAWN)) or (
        approved and by.post == Post.LEADING_APPROVER
    ):
        yield "withdraw", "撤回", True


@require_http_methods(["GET", "POST"])
@page(DRAFTERS, reads=False)
def edit(request: Any, number: int) -> HttpResponse:
    """The draft in fields; what is typed is saved with its faults, never lost."""
    desk = _desk(request.actor, request.business_date, number)
    drafts.require_mine(request.actor, desk.draft)
    stored = desk.sheet(desk.draft.text)
    if stored is None:
        return text(request, number)
    sheet, reason, problem = stored, desk.draft.reason, None
    if request.method == "POST":
        sheet, reason = sheet_from(request.POST, stored), request.POST.get("reason", "")[:300]
    if request.method == "POST" and "look" not in request.POST:
        try:
            return once(request, lambda: _save(request, desk, _text(desk, sheet), sheet.effective_on, reason))
        except BadInput as wrong:
            problem = Problem(_FIELD_OF.get(wrong.where, ""), "", wrong.what, wrong.remedy)
    if request.method == "POST":
        checked = _with_day(desk, sheet)
    else:
        checked = desk.checked(desk.draft.text, desk.draft.effective_on)
    checked = at_fields(checked, sheet)
    if problem is not None:
        checked = replace(checked, problems=(problem, *checked.problems))
    context = _editing(desk, DraftForm(sheet, reason, checked), checked)
    return render(request, "workbench/policy_draft_edit.html", context, status=422 if problem else 200)


_FIELD_OF = {"施行日期": "effective_on", "理由": "reason"}


def _editing(desk: Desk, form: Any, checked: Checked) -> dict[str, Any]:
    return {
        "section": "policy-drafts", "desk": desk, "draft": desk.draft, "form": form, "checked": checked,
        "programmes": desk.shelf.names,
    }  # fmt: skip


def _text(desk: Desk, sheet: Sheet) -> str:
    return text_of(sheet, desk.draft.text, desk.ground, desk.draft.path)


def _save(
    request: Any, desk: Desk, words: str, effective_on: str, reason: str, route: str = "policy-draft-edit"
) -> Outcome:
    day = day_of(effective_on)
    if day is None:
        raise BadInput(f"“{effective_on}”不是日期", where="施行日期", remedy="请按 2022-01-01 的样子填写施行日期")
    seen = request.POST.get("seen", "")
    _, checked = drafts.save_draft(
        by=request.actor, on=request.business_date, draft_id=desk.draft.pk, text=words, effective_on=day, reason=reason,
        seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0,
    )  # fmt: skip
    if checked.problems:
        return Outcome(
            f"已保存，还有 {len(checked.problems)} 处要改", reverse(route, args=[desk.draft.pk]), "改好以前不能提交。"
        )
    where = reverse("policy-draft", args=[desk.draft.pk])
    return Outcome("已保存，没有差错", where, "请核对新旧对照，再提交。")


@require_http_methods(["GET", "POST"])
@page(DRAFTERS, reads=False)
def text(request: Any, number: int) -> HttpResponse:
    """The draft as its text, for what the fields do not show."""
    desk = _desk(request.actor, request.business_date, number)
    drafts.require_mine(request.actor, desk.draft)
    words, problem = desk.draft.text, None
    if request.method == "POST" and "text" in request.POST:
        words = _typed(request)
    if words != desk.draft.text and "look" not in request.POST:
        day = _day_in(desk, words)
        try:
            return once(
                request, lambda: _save(request, desk, words, day.isoformat(), desk.draft.reason, "policy-draft-text")
            )
        except BadInput as wrong:
            problem = Problem("text", "", wrong.what, wrong.remedy)
    checked = desk.checked(words, _day_in(desk, words))
    checked = replace(
        checked, problems=tuple(each if each == UNCHANGED else replace(each, field="text") for each in checked.problems)
    )
    if problem is not None:
        checked = replace(checked, problems=(problem, *checked.problems))
    form = DraftForm(Sheet(), desk.draft.reason, checked)
    context = _editing(desk, form, checked) | {"words": words}
    return render(request, "workbench/policy_draft_text.html", context, status=422 if problem else 200)


def _typed(request: Any) -> str:
    """The text as it was typed, with plain line ends and without what no database takes."""
    return str(request.POST["text"]).replace("\r\n", "\n").replace("\0", "")


def _day_in(desk: Desk, words: str) -> date:
    """The 自 of a text; the draft's own day when it has none that can be read."""
    sheet = desk.sheet(words)
    return (day_of(sheet.effective_on) if sheet else None) or desk.draft.effective_on


@require_POST
@page(DRAFTERS, reads=False)
def check_part(request: Any, number: int) -> HttpResponse:
    """What the check says of the fields as they stand on the screen; nothing is stored."""
    desk = _desk(request.actor, request.business_date, number)
    stored = desk.sheet(desk.draft.text)
    if "text" in request.POST:
        words = _typed(request)
        checked = desk.checked(words, _day_in(desk, words))
    elif stored is not None:
        sheet = sheet_from(request.POST, stored)
        checked = at_fields(_with_day(desk, sheet), sheet)
    else:
        raise Http404
    return render(request, "workbench/part/draft_check.html", {"checked": checked, "draft": desk.draft})


def _with_day(desk: Desk, sheet: Sheet) -> Checked:
    day = day_of(sheet.effective_on)
    if day is None:
        wrong = Problem("effective_on", "", f"“{sheet.effective_on}”不是日期", "请按 2022-01-01 的样子填写施行日期")
        return Checked((wrong,))
    return desk.checked(_text(desk, sheet), day)


@require_http_methods(["GET", "POST"])
@page(DRAFTERS | DRAFT_READERS, reads=False)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """Before each step the difference in words; then the step."""
    desk = _desk(request.actor, request.business_date, number)
    form = _form_of(key, request.POST or None, request.business_date)
    if form is None and key != "submit":
        raise Http404
    _require_open(request.actor, request.business_date, desk.draft, key)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            return once(request, lambda: _take(request, desk, key, form))
        except BadInput as wrong:
            if form is None:
                raise
            field = {"举行日期": "held_on", "地点": "place", "参加人": "attendants", "文号": "paper_no"}.get(
                wrong.where
            )
            form.add_error(field or next(iter(form.fields)), Refusal.__str__(wrong))
    title = {"submit": "提交这份草稿，转公众听证？", "withdraw": "撤回这份草稿？"}
    context = {
        "section": "policy-drafts", "desk": desk, "draft": desk.draft, "form": form, "key": key,
        "title": title.get(key) or f"记录{RECORDED[key][0].label}",
        "checked": desk.checked(desk.draft.text, desk.draft.effective_on),
        "steps": [step for step in desk.steps if step.round == desk.draft.round],
    }  # fmt: skip
    return render(request, "workbench/policy_draft_act.html", context, status=422 if form and form.errors else 200)


def _require_open(by: Actor, on: date, draft: PolicyDraft, key: str) -> None:
    """Who may not take the step is told before he fills it in."""
    if key == "submit":
        drafts.require_mine(by, draft)
    elif key == "withdraw":
        drafts.require_withdrawable(by, on, draft)
    else:
        drafts.require_recordable(by, draft, RECORDED[key][0])


def _form_of(key: str, data: Any, on: date) -> Any:
    if key in RECORDED:
        return RecordStep(data, initial={"held_on": on})
    return WithdrawDraft(data) if key == "withdraw" else None


def _take(request: Any, desk: Desk, key: str, form: Any) -> Outcome:
    who = {"by": request.actor, "on": request.business_date, "draft_id": desk.draft.pk}
    where = reverse("policy-draft", args=[desk.draft.pk])
    if key == "submit":
        drafts.submit_draft(**who)
        return Outcome("已提交", where, "由另一人记录公众听证；文字到此不再改。")
    data = dict(form.cleaned_data)
    if key == "withdraw":
        drafts.withdraw_draft(**who, reason=data["reason"])
        return Outcome("已撤回", where, "现行的政策不变。")
    agreed = data.pop("outcome") == "agreed"
    kind, record = RECORDED[key]
    made = record(**who, agreed=agreed, held=Held(**data))
    if not agreed:
        return Outcome(f"{kind.label}：退回起草", where, "由起草人修改后重新提交，从听证开始。")
    if made.state == State.APPROVED:
        return Outcome("领导小组已批准", where, f"{made.effective_on} 起施行；在这以前可以撤回。")
    return Outcome(f"已记录{kind.label}：同意", where, f"现在{made.get_state_display()}，须由另一人记录。")
