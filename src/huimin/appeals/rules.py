"""The county's terms for 申诉 to its own offices: proposed by one, put in force by another (CASE-05, SEC-02)."""

from datetime import date

from huimin.appeals.models import AppealRule
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post

State = AppealRule.State
PROPOSERS = (Post.COUNTY_OFFICER,)
CONFIRMERS = (Post.COUNTY_OFFICER, Post.LEADING_APPROVER)

refused_by_constraint("appeal_rule_waits", AlreadyDone, "已提出一份规定，在等复核", "请先复核那一份")
refused_by_constraint("appeal_rule_two_people", AlreadyDone, "提出的人不能复核", "请由另一人办理")


@command(*PROPOSERS)
def propose_terms(
    *, by: Actor, on: date, file_days: int, answer_days: int, extended_days: int, basis: str
) -> AppealRule:  # fmt: skip
    """Days to appeal in, to answer in, and more with a reason."""
    for value, low, high, where in (
        (file_days, 1, 365, "申诉期限"), (answer_days, 1, 180, "办理期限"), (extended_days, 0, 90, "可延长"),
    ):  # fmt: skip
        if not low <= value <= high:
            raise BadInput("天数超出范围", where=where, remedy=f"请填写 {low} 至 {high}")
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明文件名和文号")
    return AppealRule.objects.create(
        division=scope_prefix(by.division, Level.COUNTY).ljust(12, "0"), file_days=file_days, answer_days=answer_days,
        extended_days=extended_days, basis=basis.strip()[:120], proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(*CONFIRMERS)
def settle_terms(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> AppealRule:
    """The second person: in force from today, or not, and why. Appeals made before keep the days they were given."""
    row = AppealRule.objects.select_for_update().filter(pk=number).first()
    if row is None:
        raise BadInput("没有这一份", where="规定", remedy="请从列表进入")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出规定")
    if row.state != State.PROPOSED:
        raise AlreadyDone(f"这一份{row.get_state_display()}", remedy="请刷新后查看")
    if not agreed and len(refusal.strip()) < 2:
        raise BadInput("没有写不同意的原因", where="原因", remedy="请写明原因")
    row.state, row.refusal = (State.CONFIRMED, "") if agreed else (State.REFUSED, refusal.strip()[:200])
    row.settled_by, row.settled_on = by.appointment, on
    row.save(update_fields=["state", "refusal", "settled_by", "settled_on"])
    return row


def list_terms(division: str, rows_max: int = 40) -> list[AppealRule]:
    """What was proposed at the place or above, the newest first."""
    return list(AppealRule.objects.filter(division__in=chain(division)).order_by("-id")[:rows_max])
