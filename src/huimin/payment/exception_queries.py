"""Reads of what failed and waits for a person: by kind for the desk, whose account was corrected, whose due it is (PAY-05, PAY-06).

in    rows of one page, or a place; inside `reading(by)`
out   what the desk counts once, what the page says beside each row
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.database.bulk import fetch
from huimin.payment.queries import REISSUABLE_LINES, where_reissuable
from huimin.registry.models import Membership

_WAITING = f"""
SELECT e.kind, count(*)::int, sum(e.amount_fen)::bigint, min(e.due_on) FROM payment_paymentexception e
WHERE e.state = 'open' AND e.division >= %(low)s AND e.division < %(high)s
  AND (e.line_id IS NULL OR NOT %(apart)s OR e.line_id NOT IN (SELECT l.id {REISSUABLE_LINES}))
GROUP BY e.kind ORDER BY e.kind
"""  # noqa: S608


def corrected_among(lines: list[int], prefix: str, on: date) -> set[int]:
    """Those of the rows of one page that `reissue_returned` would take up: their account was corrected since."""
    assert len(lines) <= 1000
    if not lines:
        return set()
    where = where_reissuable(prefix, on) | {"lines": lines}
    return {line for (line,) in fetch(f"SELECT l.id {REISSUABLE_LINES} AND l.id = ANY(%(lines)s)", where)}


def waiting_exceptions(prefix: str, on: date, *, apart: bool) -> list[tuple[str, int, int, date]]:
    """(kind, count, sum, first deadline) of what is open; with `apart` without the lines that only wait to be reissued."""
    rows = fetch(_WAITING, where_reissuable(prefix, on) | {"apart": apart})
    return [(kind, count, fen, due) for kind, count, fen, due in rows]


def heads_of(households: Iterable[Any], on: date) -> dict[int, str]:
    """Household → the name of its head on that day; a set of ids, or a query of them."""
    rows = Membership.objects.filter(household__in=households, relation="户主", recorded_to=None, valid_from__lte=on)
    return dict(rows.filter(Q(valid_to=None) | Q(valid_to__gt=on)).values_list("household", "person__name"))
