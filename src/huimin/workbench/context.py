"""What every page shows around its content: menu, place, business date, who acts, and what the last act did."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from huimin.divisions.queries import chain_names
from huimin.organisation.acting import reading
from huimin.workbench.acts import outcome_of
from huimin.workbench.guard import STAFF
from huimin.workbench.menu import groups_for


def desk(request: HttpRequest) -> dict[str, Any]:
    """The context processor named in the settings; works for pages without anybody signed in."""
    actor = getattr(request, "actor", None)
    around: dict[str, Any] = {
        "actor": actor,
        "business_date": getattr(request, "business_date", None),
        "demo": settings.DEMO,
        "menu": [],
        "own_place": [],
    }
    if actor is not None:
        with reading(actor):
            around["own_place"] = chain_names(actor.division, request.business_date)  # type: ignore[attr-defined]
        around |= {
            "menu": groups_for(actor.post),
            "appointments": request.appointments,  # type: ignore[attr-defined]
            "outcome": outcome_of(request),
            "may_find": actor.post in STAFF,
        }
    return around
