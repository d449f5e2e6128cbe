"""Reads of decisions and entitlements; bounded, inside `reading(by)` or a command (SEC-07)."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Q

from huimin.casework.models import Decision, Entitlement
from huimin.database.context import scope_of


def live_on(on: date) -> Q:
    """Entitlements in force on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def list_entitlements_of(household_id: int, rows_max: int = 100) -> list[Entitlement]:
    """Of one household and its people, newest first, ended ones too."""
    rows = Entitlement.objects.filter(household=household_id).select_related("person", "decision")
    return list(rows.order_by("-valid_from", "-id")[:rows_max])


def list_decisions_of(household_id: int, rows_max: int = 100) -> list[Decision]:
    """Of one household, newest first, with the signature."""
    rows = Decision.objects.filter(household=household_id).select_related("person", "signature", "proposal")
    return list(rows.order_by("-id")[:rows_max])


def find_decision_of(proposal_id: int) -> Decision | None:
    return Decision.objects.filter(proposal=proposal_id).select_related("signature").first()


def count_entitlements(prefix: str, on: date) -> int:
    """How many are in force on `on`."""
    first, until = scope_of(prefix)
    return Entitlement.objects.filter(live_on(on), division__gte=first, division__lt=until).count()


def households_with_entitlement(household_ids: Iterable[int], on: date) -> dict[int, list[str]]:
    """Programme codes in force by household, for the rows of one page."""
    ids = list(household_ids)
    assert len(ids) <= 1000
    found: dict[int, list[str]] = {}
    rows = Entitlement.objects.filter(live_on(on), household__in=ids).order_by("household_id", "programme")
    for household, programme in rows.values_list("household_id", "programme").distinct():
        found.setdefault(household, []).append(programme)
    return found
