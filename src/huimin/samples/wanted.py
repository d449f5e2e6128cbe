"""Drawn cases as households to visit, on the lists and telephones of the county's people who check (CASE-02, CASE-08).

in    who looks, the day, a place, how many
out   `visits.wanted.Wanted` rows: the drawn without a result that no agency was given, the oldest draw first
"""

from datetime import date

from huimin.cases.models import FAR
from huimin.database.context import scope_of
from huimin.organisation.acting import Actor
from huimin.samples.checking import CHECKERS
from huimin.samples.queries import waiting
from huimin.visits.models import Visit
from huimin.visits.wanted import Wanted, wants


def to_visit(by: Actor, on: date, prefix: str, most: int) -> list[Wanted]:
    """Nothing for who may not check: a township does not check its own decisions."""
    if by.post not in CHECKERS:
        return []
    low, high = scope_of(prefix)
    programmes = by.programmes if by.post == CHECKERS[0] else None
    rows = waiting(programmes).filter(agency=None, division__gte=low, division__lt=high)
    rows = rows.select_related("household", "case", "draw").order_by("draw_id", "key")[:most]
    return [
        Wanted(
            row.household_id, row.household.household_no, row.division, row.subject, Visit.Purpose.SAMPLE, row.case.round,
            None if row.case.step_due_on == FAR else row.case.step_due_on, row.case_id, row.case.programme,
            row.draw.drawn_on,
        )
        for row in rows
    ]  # fmt: skip


wants(Visit.Purpose.SAMPLE, to_visit)
