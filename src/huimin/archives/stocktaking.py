"""Stock-taking of a store: what should lie there is listed; what was found and what was not is written down (REG-08).

Always true: one at a time for a store; who closes it knows that what nobody looked at counts as missing; a paper once
missing and found again is on its shelf again. Lent papers are not listed.
"""

from collections.abc import Sequence
from datetime import date

from huimin.archives.keeping import KEEPERS, locked_store
from huimin.archives.models import Stocktake, StocktakeLine
from huimin.database.bulk import fetch_one, run
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.registry.snapshots import NotRegistered

refused_by_constraint("stocktake_one_at_a_time", AlreadyDone, "这个柜正在清点", "请先完成那一次清点")

_LIST = """
INSERT INTO archives_stocktakeline (stocktake_id, paper_id, division)
SELECT %(stocktake)s, p.id, %(division)s FROM archives_paper p JOIN archives_box b ON b.id = p.box_id
WHERE b.store_id = %(store)s AND p.state IN ('kept', 'missing')
"""
_LISTED = """
SELECT count(*)::int FROM archives_paper p JOIN archives_box b ON b.id = p.box_id
WHERE b.store_id = %(store)s AND p.state IN ('kept', 'missing')
"""
_SETTLE = """
UPDATE archives_paper p SET state = CASE WHEN l.found THEN 'kept' ELSE 'missing' END
FROM archives_stocktakeline l
WHERE l.stocktake_id = %(stocktake)s AND p.id = l.paper_id AND p.state IN ('kept', 'missing')
  AND p.state <> CASE WHEN l.found THEN 'kept' ELSE 'missing' END
"""


@command(*KEEPERS)
def start_stocktake(*, by: Actor, on: date, store: int) -> Stocktake:
    """List what should lie in the store."""
    found = locked_store(by, store)
    listed = fetch_one(_LISTED, {"store": found.pk})[0]
    if not listed:
        raise BadInput("这里还没有登记材料", where="清点", remedy="请先登记材料")
    made = Stocktake.objects.create(
        store=found, division=found.division, started_on=on, started_by=by.appointment, listed=listed
    )
    run(_LIST, {"stocktake": made.pk, "division": found.division, "store": found.pk})
    return made


@command(*KEEPERS)
def record_stocktake(
    *, by: Actor, on: date, stocktake: int, found: Sequence[int], missing: Sequence[int]
) -> tuple[int, int]:
    """What was looked at, by paper: how many were found and how many not, so far."""
    row = _open(by, stocktake)
    for ids, value in ((found, True), (missing, False)):
        StocktakeLine.objects.filter(stocktake=row, paper__in=list(ids)).update(found=value)
    return _count(row)


@command(*KEEPERS)
def close_stocktake(*, by: Actor, on: date, stocktake: int) -> Stocktake:
    """It is done: what was not found, or not looked at, is missing."""
    row = _open(by, stocktake)
    StocktakeLine.objects.filter(stocktake=row, found=None).update(found=False)
    row.found, row.missing = _count(row)
    row.closed_on, row.closed_by = on, by.appointment
    row.save(update_fields=["found", "missing", "closed_on", "closed_by"])
    run(_SETTLE, {"stocktake": row.pk})
    return row


def _count(row: Stocktake) -> tuple[int, int]:
    lines = StocktakeLine.objects.filter(stocktake=row)
    return lines.filter(found=True).count(), lines.filter(found=False).count()


def _open(by: Actor, stocktake: int) -> Stocktake:
    row = Stocktake.objects.select_for_update().filter(pk=stocktake).first()
    if row is None:
        raise NotRegistered("没有这次清点", why="不存在，或不在您的辖区内", remedy="请从柜的页面进入")
    require_place(by, row.division)
    if row.closed_on is not None:
        raise AlreadyDone(f"这次清点已于 {row.closed_on} 完成", remedy="请重新开始一次清点")
    return row
