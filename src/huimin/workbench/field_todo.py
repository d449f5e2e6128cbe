"""What field work waits for: households to survey, problems to answer, reports to submit, warnings to visit, gaps (REG-06, REG-09, ORG-03, ORG-04).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk; each post sees only what its own next step is
"""

from collections.abc import Iterator
from typing import cast

from django.core.cache import cache
from django.db import connection
from django.urls import reverse

from huimin.fieldwork import campaign_queries, campaigns, following, letters, point_queries, points, watch_queries
from huimin.fieldwork.models import Campaign, PointNote
from huimin.kernel.periods import add_months, quarter
from huimin.kernel.places import Level
from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.workbench.todo_rows import Asking, Todo

SECONDS_KEPT = 30
At = PointNote.At
_ANSWERS = {Post.CLERK: (At.TOWNSHIP,), Post.TOWNSHIP_HEAD: (At.TOWNSHIP,), Post.COUNTY_OFFICER: (At.COUNTY, At.ABOVE)}


def surveys(asking: Asking) -> Iterator[Todo]:
    """Households of the year's survey that are still due; for the county, the closing when its day has come."""
    by, on = asking.by, asking.on
    campaign = campaign_queries.find_open_campaign(by.division)
    if campaign is None or not may(by, campaigns.record_forms):
        return
    left = _left(campaign, asking)
    if left:
        note, url = f"户还没有调查，{campaign.title}", reverse("campaign-due", args=[campaign.pk])
        yield Todo("入户调查", note, by.office_name, left, None, campaign.deadline, url)
    if may(by, campaigns.close_campaign) and (on > campaign.deadline or not left):
        where = reverse("campaign-close", args=[campaign.pk])
        yield Todo("结束普查", campaign.title, by.office_name, 1, None, campaign.deadline, where)


def _left(campaign: Campaign, asking: Asking) -> int:
    """Counted at most twice a minute for a place: a county is a quarter of a million rows."""
    by, on = asking.by, asking.on

    def count() -> int:
        rows = campaign_queries.count_by_place(campaign, by.prefix, Level.TOWNSHIP, on)
        return campaign_queries.total_of(rows).left

    if by.level >= Level.VILLAGE:
        return count()
    key = f"surveyed:{connection.settings_dict['NAME']}:{campaign.pk}:{by.prefix}:{on}"
    return cast(int, cache.get_or_set(key, count, SECONDS_KEPT))


def problems(asking: Asking) -> Iterator[Todo]:
    """Problems that wait at one's level, the earliest day first."""
    levels = _ANSWERS.get(asking.by.post)
    if levels is None:
        return
    waiting, late, due = point_queries.count_waiting(asking.by.prefix, levels, asking.on)
    if waiting:
        note = f"件民生问题，逾期 {late} 件" if late else "件民生问题"
        url = f"{reverse('points')}?state=waiting&at_level={levels[0] if len(levels) == 1 else ''}"
        yield Todo("答复民生问题", note, asking.by.office_name, waiting, None, due, url)


def reports(asking: Asking) -> Iterator[Todo]:
    """The quarter's monitoring report, from its last month on, and the last quarter's while it is missing."""
    by, on = asking.by, asking.on
    if not may(by, points.submit_report):
        return
    this = quarter(on.year, (on.month + 2) // 3)
    for start in (add_months(this.start, -3), this.start):
        number = (start.month + 2) // 3
        period = quarter(start.year, number)
        begun = point_queries.has_notes(by.prefix, period.until)
        if not begun or on < add_months(period.until, -1) or point_queries.find_report(by.division, start.year, number):
            continue
        due = points.report_due_on(by.division, period)
        where = reverse("point-submit", args=[start.year, number])
        yield Todo("上报监测信息", str(period), by.office_name, 1, None, due, where)


def warnings(asking: Asking) -> Iterator[Todo]:
    """Warnings to give to officers, and those given to oneself."""
    by, on = asking.by, asking.on
    if may(by, following.assign_signals) and (found := watch_queries.waiting_signals(by.prefix, on))["open"]:
        url = f"{reverse('signals')}?standing=open"
        yield Todo("指派预警走访", "条低收入人口预警", by.office_name, found["open"], None, None, url)
    if may(by, following.record_visit):
        mine = watch_queries.waiting_signals(by.prefix, on, by.appointment)
        if mine["assigned"]:
            url = f"{reverse('signals')}?only=mine&standing=assigned"
            yield Todo("走访预警户", "条预警指派给您", by.office_name, mine["assigned"], None, mine["due"], url)


def gaps(asking: Asking) -> Iterator[Todo]:
    """Places one answers for filling with somebody; only once letters are in use."""
    by, on = asking.by, asking.on
    level = {Level.COUNTY: Level.TOWNSHIP, Level.TOWNSHIP: Level.VILLAGE}.get(by.level)
    if level is None or not may(by, letters.assign) or not letters.any_assigned():
        return
    if found := len(letters.list_gaps(by, level, on)):
        note = "个乡镇没有责任人" if level == Level.TOWNSHIP else "个村没有责任人"
        yield Todo("指派责任人", note, by.office_name, found, None, None, reverse("letter-gaps"))


FINDERS = (surveys, problems, reports, warnings, gaps)
