"""How much of a payment may be withheld: the county's share, with the paper it rests on, in force by two people (PAY-06, SEC-02).

in    a share in percent and its document; another person's word
out   the rule that holds at a place for a programme on a day, or None: then nothing is withheld

S0 附件2 第28条 says that what was paid wrongly is withheld (扣发) and names no share; neither do S1 to S4. A county therefore sets it by
a document of its own. Half is the most this system takes: what is paid is what people live on.
"""

from datetime import date

from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.payment.models import RecoveryRule

SHARE_MAX = 50
State = RecoveryRule.State

refused_by_constraint("recovery_rule_waits", AlreadyDone, "比例已提出，在等复核", "请先复核那一条")
refused_by_constraint("recovery_rule_two_people", AlreadyDone, "提出的人不能复核", "请由另一人办理")


def share_of(division: str, programme: str, on: date) -> RecoveryRule | None:
    """The nearest place's; of the same place its own for the programme before that for all, the newest first. One query."""
    rows = RecoveryRule.objects.filter(
        division__in=chain(division), state=State.CONFIRMED, settled_on__lte=on, programme__in=["", programme]
    )
    return rows.order_by("-division", "-programme", "-id").first()


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
def propose_share(*, by: Actor, on: date, share_percent: int, basis: str, programme: str = "") -> RecoveryRule:
    """A share and its paper; in force once another person confirmed it."""
    if not 1 <= share_percent <= SHARE_MAX:
        raise BadInput("比例超出范围", where="每次最多抵扣", remedy=f"请填 1 至 {SHARE_MAX}；其余的要留给这一户生活")
    if len(basis.strip()) < 4:
        raise BadInput("没有写明依据", where="依据", remedy="请写明县里文件的名称和文号")
    return RecoveryRule.objects.create(
        division=by.division, programme=programme, share_percent=share_percent, basis=basis.strip()[:120],
        proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


@command(Post.COUNTY_OFFICER, Post.DEPARTMENT_APPROVER)
def settle_share(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> RecoveryRule:
    """Another person's word on a proposed share."""
    row = RecoveryRule.objects.select_for_update().filter(pk=number).first()
    if row is None or row.state != State.PROPOSED:
        raise AlreadyDone("这一条已经复核，或不在您的辖区内", remedy="请刷新后查看")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出比例")
    if not agreed and len(refusal.strip()) < 4:
        raise BadInput("没有写不通过的原因", where="原因", remedy="请写明，至少四个字")
    row.state = State.CONFIRMED if agreed else State.REFUSED
    row.settled_by, row.settled_on, row.refusal = by.appointment, on, refusal.strip()[:200]
    row.save(update_fields=["state", "settled_by", "settled_on", "refusal"])
    return row
