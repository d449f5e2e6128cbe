"""民主评议 as evidence of a step: the recorded result of this round, and the township's inquiry where it was contested.

A meeting that is void, not final or of an earlier round holds nothing. A result against the determination holds once the
township has inquired and found that the determination stands; both then stand in the case's book, result and inquiry, for
whoever reviews and decides after it (docs/decisions/0024).
"""

from datetime import date

from huimin.cases.evidence import Held, Reference, holds
from huimin.cases.models import Case
from huimin.kernel.digests import digest
from huimin.meetings.models import Inquiry, Item, Meeting
from huimin.meetings.steps import KIND
from huimin.processes.language import Demand, Step

PREFIX = "meetings_item"


def look(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """What fills the slot now; changes nothing."""
    if case.household_id is None:
        return Held(missing="名单不逐户评议", remedy="请按户申请的办理")
    rows = Item.objects.filter(case=case, round=case.round, step=case.step).exclude(
        state__in=(Item.State.DROPPED, Item.State.PUT_OFF)
    )
    item = rows.select_related("meeting", "inquiry__signature").order_by("-id").first()
    if item is None:
        return Held(missing="还没有开评议会", remedy="请村里召集民主评议会，把这件事列入议题")
    meeting = item.meeting
    if item.state == Item.State.REOPENED:
        return Held(missing="乡镇核查后要重新评议", remedy="请更正登记后另行召集评议会")
    if item.state == Item.State.WAITING:
        if meeting.state == Meeting.State.PLANNED:
            return Held(missing=f"评议会定在 {meeting.meets_on}", remedy="请在会后登记签到和结果")
        return Held(missing="评议会已开，这件事还没有结果", remedy="请登记评议结果")
    if meeting.state != Meeting.State.RECORDED:
        return Held(missing="会议记录还没有定稿", remedy="请登记完各件的结果后签名定稿")
    result = Reference(f"{PREFIX}:{item.pk}", item_digest(item), meeting.meets_on)
    if not item.contested:
        return Held((result,))
    inquiry: Inquiry | None = getattr(item, "inquiry", None)
    if inquiry is None:
        return Held(missing="评议结果与认定不一致，等乡镇核查", remedy="请乡镇审核员或负责人在评议会的页面上写核查报告")
    return Held(
        (result, Reference(f"meetings_inquiry:{inquiry.pk}", inquiry.signature.content_digest, inquiry.written_on))
    )


def item_digest(item: Item) -> str:
    """Of one case's result within its minutes."""
    content = {"minutes": item.meeting.digest, "item": item.pk, "outcome": item.outcome, "contested": item.contested}
    return digest(content)


holds(KIND, look)
