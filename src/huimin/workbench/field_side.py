"""What field work says of one household, beside its page: surveyed when, who answers for it, which warnings (REG-06, REG-09, ORG-03)."""

from datetime import date
from typing import Any

from huimin.fieldwork.campaign_queries import list_forms_of
from huimin.fieldwork.letters import list_answering
from huimin.fieldwork.watch_queries import layers_of, list_signals_of
from huimin.organisation.acting import Actor
from huimin.registry.models import Household
from huimin.workbench import guard


def field_side(by: Actor, household: Household, on: date) -> dict[str, Any]:
    """Inside `reading(by)`; warnings only for posts that follow them."""
    watches = by.post in guard.WATCHERS
    return {
        "forms": list_forms_of(household.pk, 5),
        "answering": list_answering(household.pk, household.division, on),
        "layers": [each for each in layers_of(household.pk) if each.valid_to is None] if watches else [],
        "signals": list_signals_of(household.pk) if watches else [],
    }
