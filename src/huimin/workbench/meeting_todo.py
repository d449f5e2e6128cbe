"""What community review asks of a desk: meetings to call, to write down, results to look into, lists to check (CASE-03).

in    who asks and when, names of places; inside `reading(by)`
out   rows as case_todo has them
"""

from collections.abc import Callable, Iterator
from datetime import date

from django.urls import reverse

from huimin.meetings import convening, delegates, following, holding, queries
from huimin.meetings.models import Meeting
from huimin.organisation.acting import Actor, may
from huimin.organisation.posts import Post
from huimin.workbench.case_todo import Row

Places = Callable[[set[str]], dict[str, str]]


def rows_of(by: Actor, on: date, places: Places) -> Iterator[Row]:
    if may(by, convening.convene):
        yield from _to_call(by, places)
        yield from _to_write(by, on, places)
    if may(by, following.inquire):
        for item in queries.list_contested(by.prefix):
            names = places({item.division})
            note, due = f"{item.told['name']}，评议与认定不一致", following.inquiry_due_on(item)
            yield (
                "核查评议结果",
                note,
                names.get(item.division, ""),
                1,
                None,
                due,
                reverse("meeting-item", args=[item.pk]),
            )
    checks = by.post in (Post.REVIEWER, Post.TOWNSHIP_HEAD) and may(by, delegates.check_list)
    if checks and (waiting := queries.count_lists_to_check(by.prefix)):
        where = f"{reverse('meeting-lists')}?standing=waiting"
        yield "核对居民代表名单", "个村的名单待核对", by.office_name, waiting, None, None, where


def _to_call(by: Actor, places: Places) -> Iterator[Row]:
    """One line for each village of a village officer, one for all of a township."""
    waiting = [row for row in queries.count_waiting_by_village(by.prefix) if row.meets_on is None]
    if not waiting:
        return
    count = sum(row.count for row in waiting)
    if by.post == Post.INFORMATION_OFFICER:
        where, place = reverse("meeting-convene", args=[waiting[0].village]), by.office_name
    else:
        where, place = reverse("meetings-waiting"), f"{len(waiting)} 个村"
    yield "召集民主评议会", "件等评议", place, count, None, None, where


def _to_write(by: Actor, on: date, places: Places) -> Iterator[Row]:
    rows = queries.list_open(by.prefix, on)
    names = places({row.division for row in rows})
    for row in rows:
        planned = row.state == Meeting.State.PLANNED
        title = "登记评议会签到" if planned else "登记评议结果、定稿"
        where = reverse("meeting-hold" if planned else "meeting", args=[row.pk])
        if may(by, holding.hold_meeting):
            yield title, row.number, names.get(row.division, ""), 1, None, row.meets_on, where
