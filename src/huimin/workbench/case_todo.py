"""What applications and lists ask of a desk: steps by their days, what is late beneath, papers to follow (CASE-05).

in    who looks, the day, names of places
out   rows as todo_rows.Todo has them
"""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from django.urls import reverse

from huimin.cases import lateness, queries
from huimin.cases.asking import supply_papers
from huimin.cases.escalating import answer_overdue
from huimin.cases.models import Escalation
from huimin.organisation.acting import Actor, may
from huimin.organisation.posts import Post
from huimin.workbench.listing import programmes_seen

Row = tuple[str, str, str, int, int | None, date | None, str]
"""title, note, place, count, amount, due, address"""
OVERSEERS = frozenset({Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR})
"""Who sees how many overdue cases there are beneath him."""
ABOVE = {Post.TOWNSHIP_HEAD: Escalation.Above.HEAD, Post.COUNTY_OFFICER: Escalation.Above.COUNTY}
"""To whom an escalation is told."""


def rows_of(by: Actor, on: date, places: Callable[[set[str]], dict[str, str]]) -> Iterator[Row]:
    """Inside `reading(by)`."""
    yield from _steps(by, on)
    if by.post in OVERSEERS and (late := queries.count_late(by.prefix, on)):
        yield "督办超期的申请", "件，下级未按期办理", by.office_name, late, None, on, reverse("case-times")
    yield from _escalations(by, on)
    if may(by, supply_papers):
        yield from _owed(by, places)


def _owed(by: Actor, places: Callable[[set[str]], dict[str, str]]) -> Iterator[Row]:
    """One row a case, with how many papers it waits for."""
    owed = queries.list_owed(by.prefix)
    names = places({row.division for row in owed})
    for case, rows in groupby(sorted(owed, key=lambda row: (row.due_on, row.case_id)), key=lambda row: row.case_id):
        papers = list(rows)
        note, place = "、".join(row.name for row in papers), papers[0].division
        where = reverse("case", args=[case])
        yield "补齐申请材料", note, names.get(place, place), len(papers), None, papers[0].due_on, where


def _steps(by: Actor, on: date) -> Iterator[Row]:
    for row in queries.list_waiting(by, on, programmes_seen(by)):
        windows = (("已超期", row.late), ("今天到期", row.today), ("本周到期", row.week))
        note = "，".join(f"{label} {count} 件" for label, count in windows if count) or "申请办理"
        where = f"{reverse('cases')}?{urlencode({'mine': 'yes', 'step': row.step})}"
        yield row.name, note, by.office_name, row.count, None, row.earliest, where


def _escalations(by: Actor, on: date) -> Iterator[Row]:
    """What was told to this level and has no answer, or a promise that was not kept; what this post has to answer."""
    if by.post in ABOVE:
        waiting, broken = lateness.count_open(by.prefix, on, ABOVE[by.post])
        where = f"{reverse('escalations')}?{urlencode({'above': ABOVE[by.post], 'standing': lateness.BROKEN})}"
        if broken:
            yield "督办：答复的期限已过", "件，说了新的期限没有办成", by.office_name, broken, None, on, where
        if waiting:
            where = f"{reverse('escalations')}?{urlencode({'above': ABOVE[by.post]})}"
            yield "督办：超期没有答复", "件，须写明原因和新的期限", by.office_name, waiting, None, on, where
    if may(by, answer_overdue):
        count, since = lateness.count_to_answer(by, programmes_seen(by))
        if count:
            where = f"{reverse('cases')}?{urlencode({'mine': 'yes', 'due': 'late'})}"
            yield "答复督办", "件已超期并报上一级，写明原因和新的期限", by.office_name, count, None, since, where
