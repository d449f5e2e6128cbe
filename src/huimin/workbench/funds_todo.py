"""What money from above asks of a desk: second persons, and what is due this week (FUND-01 to FUND-05).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk
"""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from huimin.funds import giving_back, indicator_queries, indicators, routes
from huimin.organisation.acting import may
from huimin.organisation.posts import Post
from huimin.payment.commands import confirm_giving_back
from huimin.payment.queries import current_quarter
from huimin.payment.timetable import timetable
from huimin.workbench.todo_rows import Asking, Finder, Todo


def _indicators(asking: Asking) -> Iterator[Todo]:
    if not may(asking.by, indicators.decide_waiting):
        return
    count, fen = indicator_queries.count_waiting(asking.by.prefix)
    if count:
        note = "份文件，另一人登记或提出的"
        yield Todo("复核指标", note, asking.by.office_name, count, fen, None, reverse("indicators-waiting"))


def _money(asking: Asking) -> Iterator[Todo]:
    """Money that went back or came in, and waits for the bank's receipt."""
    for act, back, title in (
        (confirm_giving_back, True, "凭回单确认缴回"), (giving_back.decide_money, False, "凭回单确认拨入、缴回"),
    ):  # fmt: skip
        if may(asking.by, act):
            count, fen = giving_back.count_money(back=back)
            if count:
                url = f"{reverse('money')}?state=proposed"
                yield Todo(title, "笔，另一人提出的", asking.by.office_name, count, fen, None, url)


def _routes(asking: Asking) -> Iterator[Todo]:
    if may(asking.by, routes.decide_route) and (found := routes.list_routes("proposed")):
        url = reverse("pay-routes")
        yield Todo("复核支付方式", "条，另一人提出的", asking.by.office_name, len(found), None, None, url)


def _due(asking: Asking) -> Iterator[Todo]:
    """Steps of the way of money that wait at one's own desk, overdue or due this week; one line leads to them."""
    by, on = asking.by, asking.on
    if by.post not in _DESKS:
        return
    steps = [
        step for step in timetable(by.prefix, current_quarter(on), on)
        if step.done is None and step.post == by.post.label and step.due <= on + timedelta(days=7)
    ]  # fmt: skip
    if not steps:
        return
    late = sum(1 for step in steps if step.days)
    note = f"步要办，{late} 步已逾期" if late else "步本周到期"
    url = f"{reverse('timetable')}?standing={'late' if late else 'week'}"
    yield Todo("资金日程", note, by.office_name, len(steps), None, min(step.due for step in steps), url)


_DESKS = (Post.CLERK, Post.SETTLEMENT, Post.FINANCE_OFFICER, Post.FINANCE_RELEASER)
FINDERS: tuple[Finder, ...] = (_indicators, _money, _routes, _due)
