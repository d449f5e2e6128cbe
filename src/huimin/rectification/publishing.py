"""Who goes on, or comes in, is put before the village (CASE-10, CASE-06): 日政办发〔2018〕95号 五(二).

in    a village and programme whose items are all reviewed
out   a notice of seven days with masked names, people and amounts; ended when its days ran and nobody's objection stands

Always true: a village is published only when nothing of it is left; an item that is sent back takes its open notice down;
an item counts as published when a notice that began on or after its review has ended clear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.masking import mask_name
from huimin.notices.commands import DAYS_MIN, Row, end_notices, publish_rows, withdraw_notices
from huimin.notices.models import Notice
from huimin.notices.queries import upheld_lines
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.policy.queries import programme_names
from huimin.rectification.models import Campaign, Item
from huimin.registry.models import Membership

PUBLISHERS = (Post.CLERK, Post.REVIEWER)
GOES_ON = ("keep", "increase", "decrease", "enter")
"""Results of who stands on the village's notice."""
Result = Item.Result


class NotYetReviewed(Refusal):
    """Something of the village is still to be looked at."""


class Upheld(Refusal):
    """An objection stands: the item has to be looked at again."""


@command(*PUBLISHERS)
def publish_village(*, by: Actor, on: date, campaign_id: int, village: str, programme: str) -> int:
    """Put up the village's list of one programme; how many rows. Again only when something changed since."""
    campaign = _open(by, campaign_id, village)
    rows = Item.objects.filter(campaign=campaign, programme=programme, division__startswith=village)
    left = rows.exclude(state=Item.State.REVIEWED).count()
    if left:
        raise NotYetReviewed(f"这个村还有 {left} 户没有复核", why="全部核查、复核后一起公示", remedy="请先办完")
    told = list(_rows_of(rows))
    if not told:
        raise BadInput("这个村没有要公示的户", where="村", remedy="没有保留和新纳入的不用公示")
    current = find_notice(campaign, village, programme)
    if current is not None and not _outdated(current, [row.subject_line for row in told], rows):
        raise AlreadyDone(f"这个村{current.get_state_display()}", remedy="请刷新后查看")
    title = f"{programme_names().get(programme, programme)}专项整治核查结果"
    number = _of_village(campaign, village, programme).count() + 1
    publish_rows(
        by=by, on=on, subject=f"{_stem(campaign, village, programme)}{number}", programme=programme, title=title[:160], days=DAYS_MIN,
        rows=told,
    )  # fmt: skip
    return len(told)


@command(*PUBLISHERS)
def end_village(*, by: Actor, on: date, campaign_id: int, village: str, programme: str) -> int:
    """Its days ran and every objection was answered: the notice ends. Upheld: the item is sent back first."""
    campaign = _open(by, campaign_id, village)
    current = find_notice(campaign, village, programme)
    if current is None or current.state != Notice.State.OPEN:
        raise AlreadyDone("这个村没有公示中的名单", remedy="请刷新后查看")
    if upheld := upheld_lines(current.subject):
        numbers = Item.objects.filter(pk__in=upheld).values_list("number", flat=True)
        raise Upheld("公示异议成立", why="、".join(numbers), remedy="请把这一户退回重查，公示随之撤下，查清后重新公示")
    return end_notices(by=by, on=on, subject=current.subject)


def take_down(by: Actor, on: date, item: Item) -> None:
    """An item is sent back: the village's open notice that shows it comes down; inside a command."""
    current = find_notice(item.campaign, item.division[:12], item.programme)
    if current is not None and current.state == Notice.State.OPEN:
        withdraw_notices(by=by, on=on, subject=current.subject)


def _open(by: Actor, campaign_id: int, village: str) -> Campaign:
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    if campaign is None or len(village) != 12 or not village.startswith(campaign.prefix):
        raise BadInput("没有这次专项整治，或这个村不在范围内", where="村", remedy="请从公示页面进入")
    require_place(by, village)
    if campaign.state != Campaign.State.OPEN:
        raise AlreadyDone(f"这次专项整治{campaign.get_state_display()}", remedy="请刷新后查看")
    return campaign


def _beginning(stem: str) -> dict[str, str]:
    """Subjects that begin with a text ending in a colon; as a range, which an index answers under row-level security."""
    return {"subject__gte": stem, "subject__lt": stem[:-1] + ";"}


def _stem(campaign: Campaign, village: str, programme: str) -> str:
    return f"{campaign.subject}:{village}:{programme}:"


def _of_village(campaign: Campaign, village: str, programme: str) -> Any:
    return Notice.objects.filter(**_beginning(_stem(campaign, village, programme)))


def find_notice(campaign: Campaign, village: str, programme: str) -> Notice | None:
    """The newest that was not withdrawn."""
    return _of_village(campaign, village, programme).exclude(state=Notice.State.WITHDRAWN).order_by("-id").first()


def _outdated(current: Notice, lines: list[int], rows: Any) -> bool:
    """Whether a notice that ended no longer says what was found: other rows, or a review after it began."""
    if current.state == Notice.State.OPEN:
        return False
    shown = set(current.rows.values_list("subject_line", flat=True))
    return shown != set(lines) or rows.filter(result__in=GOES_ON, reviewed_on__gt=current.starts_on).exists()


def _rows_of(rows: Any) -> Iterator[Row]:
    """Masked rows in the order of the list; two queries."""
    found = list(rows.filter(result__in=GOES_ON).select_related("person").order_by("division", "id"))
    heads = dict(
        Membership.objects.filter(
            household__in=[row.household_id for row in found], relation="户主", recorded_to=None, valid_to=None
        ).values_list("household_id", "person__name")
    )
    for row in found:
        name = row.person.name if row.person else heads.get(row.household_id, "户主")
        amount = row.amount_fen if row.to_fen is None else row.to_fen
        yield Row(row.division, row.pk, "", mask_name(name), max(row.people, 1), "", amount, row.household_id)


@dataclass(frozen=True)
class VillageList:
    """One village and programme: items, those left, those to be published; the newest notice that was not withdrawn."""

    village: str
    programme: str
    items: int
    left: int
    rows: int
    notice: Notice | None

    @property
    def standing(self) -> str:
        """left, none, ready, open, ended."""
        if self.notice is not None and self.notice.state == Notice.State.OPEN:
            return "open"
        if self.left:
            return "left"
        if not self.rows:
            return "none"
        return "ended" if self.notice is not None else "ready"


_VILLAGES = """
SELECT left(division, 12), programme, count(*)::int, count(*) FILTER (WHERE state <> 'reviewed')::int,
       count(*) FILTER (WHERE state = 'reviewed' AND result = ANY (%(goes_on)s))::int
FROM rectification_item WHERE campaign_id = %(campaign)s AND division >= %(low)s AND division < %(high)s
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %(rows)s
"""


def list_villages(campaign: Campaign, prefix: str, rows_max: int = 5000) -> list[VillageList]:
    """Beneath a place, by village and programme; two queries."""
    low, high = scope_of(prefix)
    asked = {"campaign": campaign.pk, "low": low, "high": high, "goes_on": list(GOES_ON), "rows": rows_max}
    live = Notice.objects.filter(**_beginning(f"{campaign.subject}:"), division__gte=low, division__lt=high)
    notices = {
        tuple(row.subject.split(":")[2:4]): row for row in live.exclude(state=Notice.State.WITHDRAWN).order_by("id")
    }
    return [VillageList(*row, notices.get((row[0], row[1]))) for row in fetch(_VILLAGES, asked)]
