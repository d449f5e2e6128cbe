"""Work items: what an import left open, settled by a person in words (REG-04).

What settling it means in the registry (a corrected number, a card, a member) is done by the other commands first.
"""

from datetime import date

from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.models import WorkItem
from huimin.registry.snapshots import NotRegistered

OPEN, SETTLED = "open", "settled"


@command(Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER)
def settle_work_item(*, by: Actor, on: date, item: int, settlement: str) -> WorkItem:
    """The item is settled with these words; AlreadyDone when somebody settled it before."""
    found = WorkItem.objects.select_for_update().filter(pk=item).first()
    if found is None:
        raise NotRegistered("没有这件待核实事项", why="不存在，或不在您的辖区内", remedy="请从名单中重新选择")
    require_place(by, found.division)
    if found.state == SETTLED:
        raise AlreadyDone(f"已于 {found.settled_on} 处理：{found.settlement}", remedy="请刷新后查看")
    if len(settlement.strip()) < 2:
        raise BadInput("没有写明处理结果", where="处理结果", remedy="请写明核实情况和处理结果")
    found.state, found.settlement = SETTLED, settlement.strip()[:200]
    found.settled_by, found.settled_on = by.appointment, on
    found.save(update_fields=["state", "settlement", "settled_by", "settled_on"])
    return found
