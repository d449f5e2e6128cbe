"""What living with a grant says of one household, beside its page: the re-check that is due, refusals of work, appeals (CASE-09)."""

from datetime import date
from typing import Any

from huimin.appeals.filing import file_appeal
from huimin.appeals.queries import list_appeals_of
from huimin.organisation.acting import Actor, may
from huimin.rechecks.beginning import begin_rechecks
from huimin.rechecks.deaths import list_still_drawn
from huimin.rechecks.due import find_due
from huimin.rechecks.offers import record_offer
from huimin.rechecks.queries import list_cuts_of, list_rechecks_of
from huimin.rechecks.rules import settings_of
from huimin.registry.models import Household
from huimin.workbench import guard


def recheck_side(by: Actor, household: Household, on: date) -> dict[str, Any]:
    """Inside `reading(by)`; nothing for posts that do not follow re-checks."""
    if by.post not in guard.RECHECK_READERS:
        return {}
    settings = settings_of(household.division, on)
    due = find_due(household.pk, household.division, on, settings)
    return {
        "due": due, "late": due is not None and due.live is None and due.overdue(on), "rechecks": list_rechecks_of(household.pk, 3),
        "cuts": list_cuts_of(household.pk, 3), "appeals": list_appeals_of(household.pk, 5),
        "drawn": list_still_drawn(household.division, on, household=household.pk, within=settings.death),
        "may_begin": may(by, begin_rechecks), "may_appeal": may(by, file_appeal), "may_offer": may(by, record_offer) and due is not None,
    }  # fmt: skip
