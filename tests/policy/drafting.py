"""A draft of 农村低保 taken along its way by the people of the demonstration."""

from datetime import date

from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.drafting import ground_of, sheet_of, text_of
from huimin.policy.drafts import (
    Held,
    open_draft,
    record_approval,
    record_department_review,
    record_expert_review,
    record_hearing,
    save_draft,
    submit_draft,
)
from huimin.policy.models import PolicyDraft
from huimin.policy.queries import get_shelf

CODE = "dibao-rural"
NEXT = date(2021, 10, 1)
TODAY = dates.SCREENED


def civil_officer() -> Actor:
    return actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)


def civil_approver() -> Actor:
    return actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)


def finance_officer() -> Actor:
    return actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)


def leader() -> Actor:
    return actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)


WAY = (
    (record_hearing, civil_officer),
    (record_department_review, civil_approver),
    (record_expert_review, finance_officer),
    (record_approval, leader),
)


def held(on: date = TODAY, **changes: str) -> Held:
    said = {
        "place": "金寨县政务中心", "attendants": "群众代表 12 人", "opinion": "同意提高标准", "paper_no": "金惠听〔2021〕1号",
    }  # fmt: skip
    return Held(held_on=on, **(said | changes))


def opened(by: Actor | None = None, on: date = TODAY, effective_on: date = NEXT) -> PolicyDraft:
    return open_draft(by=by or county_officer(), on=on, programme=CODE, effective_on=effective_on, reason="物价上涨")


def raised(draft: PolicyDraft, value: str = "700 元/月", by: Actor | None = None) -> PolicyDraft:
    """The draft with another 低保标准, through the form's fields."""
    by = by or county_officer()
    with reading(by):
        shelf = get_shelf(by, TODAY)
        ground = ground_of(shelf.written, CODE, shelf.codes, date(2021, 9, 30))
    sheet = sheet_of(draft.text, ground, draft.path)
    row = next(row for row in sheet.standards if row.name == "低保标准")
    row.value, row.source = value, "金民〔2021〕9号"
    text = text_of(sheet, draft.text, ground, draft.path)
    saved, _ = save_draft(
        by=by,
        on=TODAY,
        draft_id=draft.pk,
        text=text,
        effective_on=draft.effective_on,
        reason="物价上涨",
        seen=draft.revision,
    )
    return saved


def submitted(by: Actor | None = None) -> PolicyDraft:
    draft = raised(opened(by), by=by)
    return submit_draft(by=by or county_officer(), on=TODAY, draft_id=draft.pk)


def along(draft: PolicyDraft, steps: int = 4, on: date = TODAY) -> PolicyDraft:
    """Agreed to by the first `steps` of the way."""
    for act, who in WAY[:steps]:
        draft = act(by=who(), on=on, draft_id=draft.pk, agreed=True, held=held(on))
    return draft
