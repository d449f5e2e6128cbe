"""Stores, boxes and papers: opened, filled, one by one or a village at a time (REG-08).

in    where there are rooms and cabinets; which papers lie in which box
out   rows of Store, Box, Paper

Always true: a paper lies in one box; a kind, title and date of a household is registered once; filling a cabinet for a
whole village is a handful of statements and, repeated, adds only what is missing.
"""

from datetime import date

from huimin.archives.models import Box, Paper, PaperKind, RetentionRule, Store
from huimin.database.bulk import fetch_one, run
from huimin.database.context import scope_of
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.registry.commands.facts import locked_household
from huimin.registry.snapshots import NotRegistered

KEEPERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)
BOXES_MAX = 200
PER_BOX_MAX = 500
_LEVELS = {Store.Kind.STORE: Level.COUNTY, Store.Kind.ROOM: Level.TOWNSHIP, Store.Kind.CABINET: Level.VILLAGE}

refused_by_constraint("paper_once", AlreadyDone, "这一户已登记过同名、同日期的这种材料", "请在户档目录中查看")
refused_by_constraint("store_once", AlreadyDone, "刚刚有人登记了同一编号", "请刷新后再试")
refused_by_constraint("box_once", AlreadyDone, "刚刚有人登记了同一盒号", "请刷新后再试")


@command(*KEEPERS)
def open_store(*, by: Actor, on: date, division: str, kind: str, name: str, keeper: str) -> Store:
    """A store, room or cabinet of a place, with the next number there and one box."""
    require_place(by, division)
    if kind not in Store.Kind.values:
        raise BadInput("没有选择库、室还是柜", where="种类", remedy="请从列表选择")
    level = _LEVELS[Store.Kind(kind)]
    if get_division(division, on).level != level:
        raise BadInput(f"{Store.Kind(kind).label}设在{level.label}一级", where="地方", remedy="请选择相应的地方")
    if not 2 <= len(name.strip()) <= 80 or not 2 <= len(keeper.strip()) <= 40:
        raise BadInput("名称或保管人没有写", where="名称", remedy="请写名称和专门保管的人")
    number = Store.objects.filter(division=division).count() + 1
    store = Store.objects.create(
        division=division, kind=kind, number=number, name=name.strip(), keeper=keeper.strip(), opened_by=by.appointment,
        opened_on=on,
    )  # fmt: skip
    Box.objects.create(store=store, division=division, shelf=1, number=1, title="1 号盒")
    return store


_CABINETS = """
WITH made AS (
    INSERT INTO archives_store (division, kind, number, name, keeper, opened_by, opened_on)
    SELECT d.code, 'cabinet', 1, d.name || '档案柜', coalesce(k.full_name, '村信息员'), %(by)s, %(on)s::date
    FROM divisions_division d
    LEFT JOIN LATERAL (SELECT c.full_name FROM organisation_appointment a JOIN organisation_account c ON c.id = a.account_id
                       WHERE a.division = d.code AND a.post = 'information_officer' AND a.valid_to IS NULL
                       ORDER BY a.id LIMIT 1) k ON true
    WHERE d.level = 12 AND d.code >= %(low)s AND d.code < %(high)s AND d.valid_from <= %(on)s
      AND (d.valid_to IS NULL OR d.valid_to > %(on)s)
      AND NOT EXISTS (SELECT FROM archives_store s WHERE s.division = d.code)
    RETURNING id, division
)
INSERT INTO archives_box (store_id, division, shelf, number, title) SELECT id, division, 1, 1, '1 号盒' FROM made
"""


@command(Post.CLERK, Post.COUNTY_OFFICER)
def set_up_cabinets(*, by: Actor, on: date) -> int:
    """A cabinet with one box for every village of the place of `by` that has none; how many were set up."""
    low, high = scope_of(by.prefix)
    return run(_CABINETS, {"by": by.appointment, "on": on, "low": low, "high": high})


@command(*KEEPERS)
def add_boxes(*, by: Actor, on: date, store: int, shelf: int, count: int) -> int:
    """`count` boxes on a shelf, with the next numbers."""
    found = locked_store(by, store)
    had = found.boxes.count()
    if not 1 <= shelf <= 50 or not 1 <= count <= BOXES_MAX or had + count > 9999:
        raise BadInput("层数或盒数不对", where="盒数", remedy=f"请写 1 至 50 层、1 至 {BOXES_MAX} 盒")
    Box.objects.bulk_create(
        Box(store=found, division=found.division, shelf=shelf, number=number, title=f"{number} 号盒")
        for number in range(had + 1, had + count + 1)
    )
    return count


@command(*KEEPERS)
def register_paper(
    *, by: Actor, on: date, household: int, kind: str, title: str, dated_on: date, pages: int, box: int
) -> Paper:
    """A paper of the household, put into a box, at its next place."""
    home, place = locked_household(by, household), locked_box(by, box)
    _require_paper(kind, title, dated_on, pages, on)
    last = fetch_one("SELECT coalesce(max(place_no), 0) FROM archives_paper WHERE box_id = %s", [place.pk])[0]
    return Paper.objects.create(
        household=home, division=place.division, kind=kind, title=title.strip(), dated_on=dated_on, pages=pages, box=place,
        place_no=last + 1, registered_by=by.appointment, registered_on=on,
    )  # fmt: skip


def _require_paper(kind: str, title: str, dated_on: date, pages: int, on: date) -> None:
    if kind not in PaperKind.values:
        raise BadInput("没有选择材料种类", where="种类", remedy="请从列表选择")
    if not 2 <= len(title.strip()) <= 80:
        raise BadInput("没有写材料名称", where="材料名称", remedy="如：2021 年基本信息表（村联）")
    if dated_on > on:
        raise BadInput(f"{dated_on} 还没有到", where="材料日期", remedy="请核对材料上的日期")
    if not 1 <= pages <= 1000:
        raise BadInput("页数不对", where="页数", remedy="请写 1 至 1000")


# Households of the store's place that have no such paper, in the order of their numbers, so many to a box.
_WANTING = """
CREATE TEMPORARY TABLE wanting ON COMMIT DROP AS
SELECT h.id AS household_id, row_number() OVER (ORDER BY h.household_no) - 1 AS at
FROM registry_household h
WHERE h.division >= %(low)s AND h.division < %(high)s AND h.closed_on IS NULL
  AND NOT EXISTS (SELECT FROM archives_paper p WHERE p.household_id = h.id AND p.kind = %(kind)s AND p.title = %(title)s
                  AND p.dated_on = %(dated)s::date AND p.state <> 'destroyed')
"""
_LAST_USED = """
SELECT coalesce(max(b.number), 0)::int FROM archives_box b
WHERE b.store_id = %s AND EXISTS (SELECT FROM archives_paper p WHERE p.box_id = b.id)
"""
_NEW_BOXES = """
INSERT INTO archives_box (store_id, division, shelf, number, title)
SELECT %(store)s, %(division)s, (n - 1) / 10 %% 50 + 1, n, n || ' 号盒'
FROM generate_series(%(had)s + 1, %(first)s + (SELECT count(*) / %(per)s + (count(*) %% %(per)s > 0)::int FROM wanting)::int) n
"""
_FILE = """
INSERT INTO archives_paper (household_id, division, kind, title, dated_on, pages, box_id, place_no, state, registered_by,
    registered_on)
SELECT w.household_id, %(division)s, %(kind)s, %(title)s, %(dated)s::date, %(pages)s, b.id, w.at %% %(per)s + 1, 'kept', %(by)s,
       %(on)s::date
FROM wanting w JOIN archives_box b ON b.store_id = %(store)s AND b.number = %(first)s + 1 + w.at / %(per)s
"""


@command(*KEEPERS)
def file_households(
    *, by: Actor, on: date, store: int, kind: str, title: str, dated_on: date, pages: int, per_box: int = 50
) -> int:
    """One paper of each household of the store's place, by household number, in boxes behind the last that is used.

    Empty boxes are filled first, missing ones are added. Returns how many households were filed.
    """
    found = locked_store(by, store)
    _require_paper(kind, title, dated_on, pages, on)
    if not 1 <= per_box <= PER_BOX_MAX:
        raise BadInput("每盒户数不对", where="每盒户数", remedy=f"请写 1 至 {PER_BOX_MAX}")
    low, high = scope_of(found.division[: _LEVELS[Store.Kind(found.kind)]])
    told = {
        "low": low, "high": high, "kind": kind, "title": title.strip(), "dated": dated_on, "store": found.pk, "pages": pages,
        "division": found.division, "had": found.boxes.count(), "first": fetch_one(_LAST_USED, [found.pk])[0], "per": per_box, "by": by.appointment, "on": on,
    }  # fmt: skip
    run("DROP TABLE IF EXISTS pg_temp.wanting")
    if not run(_WANTING, told):
        return 0
    run(_NEW_BOXES, told)
    return run(_FILE, told)


@command(Post.COUNTY_OFFICER)
def set_retention(*, by: Actor, on: date, kind: str, years: int, basis: str) -> RetentionRule:
    """How long a kind of paper is kept (0: for ever), by which document."""
    if kind not in PaperKind.values or not 0 <= years <= 100 or len(basis.strip()) < 2:
        raise BadInput("种类、年限或依据不对", where="保管期限", remedy="请选择种类，写 0（永久）至 100 年和文件依据")
    return RetentionRule.objects.create(
        division=by.division, kind=kind, years=years, basis=basis.strip()[:120], set_by=by.appointment, set_on=on
    )


def locked_store(by: Actor, store: int) -> Store:
    found = Store.objects.select_for_update().filter(pk=store).first()
    if found is None:
        raise NotRegistered("没有这个库、室或柜", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, found.division)
    return found


def locked_box(by: Actor, box: int) -> Box:
    found = Box.objects.select_for_update().filter(pk=box).first()
    if found is None:
        raise NotRegistered("没有这个盒", why="不存在，或不在您的辖区内", remedy="请从柜的页面选择")
    require_place(by, found.division)
    return found
