"""Households whose re-check waits to be looked into, as visits to make: on the list of visits and on the telephone (CASE-02, CASE-09).

in    who asks, a place; open re-checks
out   one wanted visit each, the earliest day first; none once a visit of its round is signed
"""

from datetime import date

from huimin.database.context import scope_of
from huimin.organisation.acting import Actor
from huimin.rechecks.models import Recheck
from huimin.visits.models import Visit
from huimin.visits.wanted import Wanted, wants


def list_wanted_rechecks(by: Actor, on: date, prefix: str, most: int) -> list[Wanted]:
    """Inside `reading(by)`."""
    first, until = scope_of(prefix)
    rows = Recheck.objects.filter(division__gte=first, division__lt=until, state=Recheck.State.OPEN)
    found = list(rows.select_related("household").order_by("due_on", "id")[:most])
    signed = Visit.objects.filter(subject__in=[row.subject for row in found], state=Visit.State.SIGNED)
    done = set(signed.values_list("subject", "round"))
    return [
        Wanted(
            row.household_id, row.household.household_no, row.division, row.subject, Visit.Purpose.RECHECK, row.round, row.due_on, None,
            row.programmes[0] if row.programmes else "", row.begun_on,
        )
        for row in found
        if (row.subject, row.round) not in done
    ]  # fmt: skip


wants(Visit.Purpose.RECHECK, list_wanted_rechecks)
