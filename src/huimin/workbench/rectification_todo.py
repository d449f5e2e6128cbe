"""What a rectification campaign asks of a desk: to open, look at, review, draw, check, report, carry out, close (CASE-10).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk, by the last day of the phase or the report; each post sees only what its own next step is
"""

from collections.abc import Iterator
from datetime import date
from functools import partial

from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.rectification import checking, finding, planning, queries, reporting, standing
from huimin.rectification.models import Campaign, CheckDraw, Phase
from huimin.workbench.listing import programmes_seen
from huimin.workbench.todo_rows import Asking, Todo

KEPT_FROM, SECONDS_KEPT = 10_000, 30


def rectifications(asking: Asking) -> Iterator[Todo]:
    """Of every campaign that is not closed and concerns this place."""
    by = asking.by
    if by.post not in _POSTS:
        return
    seen = programmes_seen(by)
    for campaign in queries.list_campaigns(seen, rows_max=20):
        if campaign.state == Campaign.State.PLANNED:
            yield from _to_open(asking, campaign)
        elif campaign.state == Campaign.State.OPEN:
            ends = {row.number: row.ends_on for row in Phase.objects.filter(campaign=campaign)}
            yield from _items(asking, campaign, ends)
            if campaign.division.startswith(by.prefix):
                yield from _county(asking, campaign, ends)
        if campaign.division.startswith(by.prefix) and may(by, reporting.submit):
            yield from _reports(asking, campaign)


_POSTS = frozenset(
    {
        Post.INFORMATION_OFFICER, *planning.OPENERS, *finding.FINDERS, *finding.REVIEWERS, *checking.DRAWERS, *reporting.SENDERS,
    }
)  # fmt: skip


def _to_open(asking: Asking, campaign: Campaign) -> Iterator[Todo]:
    by = asking.by
    if may(by, planning.open_campaign) and by.account != campaign.planned_account:
        first = Phase.objects.get(campaign=campaign, number=1)
        where = reverse("rectification", args=[campaign.pk])
        yield Todo("启动专项整治", campaign.title, by.office_name, 1, None, first.ends_on, where)


def _items(asking: Asking, campaign: Campaign, ends: dict[int, date]) -> Iterator[Todo]:
    """To be visited and found by the village and the township, to be reviewed by another; by the end of the second phase."""
    by, due = asking.by, ends[Phase.Number.CARRY_OUT]
    finds, reviews = (
        may(by, finding.record_result) or by.post == Post.INFORMATION_OFFICER,
        may(by, finding.review_results),
    )
    if not finds and not reviews:
        return
    prefix = max(by.prefix, campaign.prefix, key=len)
    left, found = standing.count_left(campaign, prefix)
    url = reverse("rectification-items", args=[campaign.pk])
    if finds and left:
        yield Todo("专项整治入户核查", f"户，{campaign.title}", by.office_name, left, None, due, f"{url}?state=open")
    if reviews and found:
        yield Todo("复核专项整治结果", f"户，{campaign.title}", by.office_name, found, None, due, f"{url}?state=found")


def _county(asking: Asking, campaign: Campaign, ends: dict[int, date]) -> Iterator[Todo]:
    """The draw, then checks that are ready, then the closing when nothing is left."""
    by, draw = asking.by, CheckDraw.objects.filter(campaign=campaign).first()
    if draw is None:
        if may(by, checking.freeze_draw):
            where = reverse("rectification-act", args=[campaign.pk, "draw"])
            due = ends[Phase.Number.CARRY_OUT]
            yield Todo("冻结抽查名单", campaign.title, by.office_name, 1, None, due, where)
    elif draw.state == CheckDraw.State.DRAWN:
        yield from _drawn(asking, campaign, ends)
    elif may(by, checking.type_number) and asking.on >= draw.event_on and draw.first_account != by.account:
        where = reverse("rectification-act", args=[campaign.pk, "number"])
        yield Todo("录入抽查的公布号码", campaign.title, by.office_name, 1, None, draw.event_on, where)


def _drawn(asking: Asking, campaign: Campaign, ends: dict[int, date]) -> Iterator[Todo]:
    by = asking.by
    key = f"unchecked:{connection.settings_dict['NAME']}:{campaign.pk}"
    kept = campaign.items_count >= KEPT_FROM  # a large county's are counted at most twice a minute
    count = partial(standing.count_unchecked, campaign)
    ready, unchecked = cache.get_or_set(key, count, SECONDS_KEPT) if kept else count()
    if ready and may(by, checking.record_check):
        where = f"{reverse('rectification-checks', args=[campaign.pk])}?standing=ready"
        due = ends[Phase.Number.INSPECT]
        yield Todo("县级入户抽查", f"户，{campaign.title}", by.office_name, ready, None, due, where)
    if not unchecked and may(by, planning.close_campaign) and not any(standing.count_left(campaign, campaign.prefix)):
        where = reverse("rectification-act", args=[campaign.pk, "close"])
        due = ends[Phase.Number.CONCLUDE]
        yield Todo("结束专项整治", campaign.title, by.office_name, 1, None, due, where)


def _reports(asking: Asking, campaign: Campaign) -> Iterator[Todo]:
    """Reports that are due and not sent, each by its day."""
    for row in reporting.list_due(campaign, asking.on):
        if row.sent is None:
            where = reverse("rectification-reports", args=[campaign.pk])
            yield Todo(f"报送{row.title}", campaign.title, asking.by.office_name, 1, None, row.due_on, where)
