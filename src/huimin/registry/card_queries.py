"""Lists around cards: hand-over, files of issued cards, authorities, the cooling time. Call inside `reading(by)`."""

from datetime import date

from django.db.models import QuerySet

from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.places import Level, scope_prefix
from huimin.registry.models import CardAuthority, CardHandover, CardIssue, CardRule


def list_handovers(prefix: str, *, state: str = "waiting", place: str = "", size: int = SIZE) -> Page[CardHandover]:
    """Cards to be handed over ("waiting") or handed over ("handed"), oldest first."""
    rows = CardHandover.objects.filter(division__gte=prefix, division__lt=prefix + "~")
    if state:
        rows = rows.filter(handed_on__isnull=state == "waiting")
    return cut(rows.select_related("card__holder", "card__household", "received_by", "authority"), ("id",), place, size)


def list_issues(prefix: str, place: str = "", size: int = SIZE) -> Page[CardIssue]:
    """Files of issued cards, the newest first."""
    return cut(CardIssue.objects.filter(division__gte=prefix, division__lt=prefix + "~"), ("-id",), place, size)


def list_authorities(
    prefix: str, on: date, *, state: str = "", place: str = "", size: int = SIZE
) -> Page[CardAuthority]:
    """Authorities by their last day; "expired" are those on file whose day has passed, "approved" those it has not."""
    rows = CardAuthority.objects.filter(division__gte=prefix, division__lt=prefix + "~")
    if state == "expired":
        rows = rows.filter(state="approved", valid_to__lte=on)
    elif state == "approved":
        rows = rows.filter(state="approved", valid_to__gt=on)
    elif state:
        rows = rows.filter(state=state)
    return cut(rows.select_related("beneficiary", "agent"), ("valid_to", "id"), place, size)


def last_rule(division: str) -> CardRule | None:
    """The county's rule in force; None where none was set (no cooling time)."""
    return _rules(division, CardRule.State.APPROVED).first()


def waiting_rule(division: str) -> CardRule | None:
    """The one proposed and not yet decided."""
    return _rules(division, CardRule.State.PROPOSED).first()


def _rules(division: str, state: str) -> "QuerySet[CardRule]":
    county = scope_prefix(division, Level.COUNTY)
    return CardRule.objects.filter(division__gte=county, division__lt=county + "~", state=state).order_by("-id")
