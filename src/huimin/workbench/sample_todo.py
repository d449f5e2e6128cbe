"""What spot checks ask of a desk: lists to freeze, numbers to type, drawn cases to check, orders; countersignatures (CASE-08).

in    who looks, the day, names of programmes and places
out   rows as todo_rows.Todo has them: title, note, place, count, amount, due, address
"""

from collections.abc import Callable, Iterator
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from huimin.cases.many import count_unsigned
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import Actor, may
from huimin.samples import checking, drawing, queries
from huimin.samples.models import Order
from huimin.workbench.case_todo import Row
from huimin.workbench.listing import programmes_seen

MONTHS_BACK = 3


def rows_of(
    by: Actor, on: date, name: Callable[[str], str], places: Callable[[set[str]], dict[str, str]]
) -> Iterator[Row]:
    """Inside `reading(by)`."""
    yield from _to_freeze(by, on, name, places)
    if may(by, drawing.read_number):
        for draw in queries.list_frozen(programmes_seen(by)):
            if draw.event_on <= on and draw.first_account != by.account:
                title = "复核公开号码、抽签" if draw.first_account else "录入公开号码"
                where = reverse("sample", args=[draw.pk])
                yield title, f"件等着抽签：{draw.title}", by.office_name, draw.size, None, draw.event_on, where
    if may(by, checking.record_check) and (count := queries.count_waiting(programmes_seen(by))):
        yield "检查抽中的件", "件，查完同一批才能批", by.office_name, count, None, None, reverse("sample-waiting")
    yield from _orders(by, places)
    count, due = count_unsigned(by)
    if count:
        yield "会签", "件等会签", by.office_name, count, None, due, reverse("case-many", args=["sign"])


def _to_freeze(
    by: Actor, on: date, name: Callable[[str], str], places: Callable[[set[str]], dict[str, str]]
) -> Iterator[Row]:
    if not may(by, drawing.freeze_cases):
        return
    for row in queries.list_undrawn(by):
        note = f"件等在“{row.step}”，{name(row.programme)}"
        yield "冻结抽查名单", note, by.office_name, row.count, None, row.due, reverse("sample-freeze")
    since = add_months(month_start(on), -MONTHS_BACK)
    rated = [row for row in queries.list_ratings(by.prefix, since, by.programmes) if row.month < month_start(on)]
    names = places({row.township for row in rated})
    for each in rated:
        if each.draw is None:
            note, where = f"件，{each.month:%Y-%m} 的决定", names.get(each.township, each.township)
            yield "抽查乡镇的决定", note, where, each.decided, None, None, reverse("sample-freeze-month")


def _orders(by: Actor, places: Callable[[set[str]], dict[str, str]]) -> Iterator[Row]:
    acts = (
        (checking.answer_order, Order.State.OPEN, "整改"),
        (checking.settle_order, Order.State.ANSWERED, "核对整改"),
    )
    for act, state, title in acts:
        found = queries.list_open_orders(by.prefix, [state]) if may(by, act) else []
        if not found:
            continue
        where = places({row.division for row in found})
        for row in found[:10]:
            place = where.get(row.division, row.division)
            due = row.due_on if state == Order.State.OPEN else None
            yield title, row.what[:40], place, 1, None, due, reverse("sample-order", args=[row.pk])
        if len(found) > 10:
            asked = urlencode({"state": state})
            yield title, "件另有", by.office_name, len(found) - 10, None, None, f"{reverse('sample-orders')}?{asked}"
