"""The desk: what waits for the acting person, by deadline, and how far the quarter is."""

from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.casework.queries import count_entitlements
from huimin.ledger.spending import by_month, spent_in
from huimin.organisation.acting import Actor
from huimin.payment.queries import current_quarter
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import programmes_seen
from huimin.workbench.progress import list_progress
from huimin.workbench.todo import list_todo
from huimin.workbench.todo_rows import Todo

SECONDS_KEPT = 30
WINDOWS = ("late", "today", "week")


@require_safe
@page(guard.EVERYBODY)
def desk(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date
    names = programme_names()
    rows = list_todo(by, on, names)
    window = request.GET.get("due", "")
    entitled = count_entitlements(by.prefix, on) if by.post in guard.STAFF else 0
    context = {
        "section": "desk",
        "rows": [row for row in rows if _within(row, window, on)] if window in WINDOWS else rows,
        "window": window if window in WINDOWS else "",
        "all": len(rows),
        "late": sum(_within(row, "late", on) for row in rows),
        "today": sum(_within(row, "today", on) for row in rows),
        "week": sum(_within(row, "week", on) for row in rows),
        "entitled": entitled,
        "progress": list_progress(by, on),
        "months": _paid_by_month(by, on) if by.post in guard.PAYERS else [],
        "quarter": current_quarter(on),
    }
    return render(request, "workbench/desk.html", context)


def _paid_by_month(by: Actor, on: date) -> list[tuple[date, int]]:
    """What was paid this year, month by month, read at most twice a minute for a place; nothing before the first payment."""
    key = f"spent:{connection.settings_dict['NAME']}:{by.prefix}:{on.year}:{','.join(programmes_seen(by) or ())}"

    def read() -> list[tuple[date, int]]:
        seen = programmes_seen(by)
        return by_month([row for row in spent_in(by.prefix, on.year) if seen is None or row.programme in seen], on.year)

    months: list[tuple[date, int]] = cache.get_or_set(key, read, SECONDS_KEPT)
    return months if any(amount for _, amount in months) else []


def _within(row: Todo, window: str, on: date) -> bool:
    """`week` is what is left of it: after today, up to and with Sunday."""
    if row.due is None:
        return False
    sunday = on + timedelta(days=7 - on.isoweekday())
    return {"late": row.due < on, "today": row.due == on, "week": on < row.due <= sunday}[window]
