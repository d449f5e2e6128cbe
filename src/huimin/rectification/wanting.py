"""Whom a campaign wants visited, for the lists of visits and the telephone's round (CASE-10, CASE-02).

in    who asks, the day, a place
out   `Wanted` rows: to the village and the township items without a signed visit of their round, those with marks of risk
      first; to the county drawn and reviewed ones without a visit on the spot of their own
"""

from datetime import date

from django.db.models import CharField, Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from huimin.database.context import scope_of
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor
from huimin.rectification.checking import CHECKERS
from huimin.rectification.models import Campaign, Item, Phase
from huimin.visits.models import Visit
from huimin.visits.wanted import Wanted, wants


def list_wanted_items(by: Actor, on: date, prefix: str, most: int) -> list[Wanted]:
    """Beneath `prefix`, of campaigns that are open; bounded."""
    county = by.level <= Level.COUNTY
    if county and by.post not in CHECKERS:
        return []
    first, until = scope_of(prefix)
    rows = Item.objects.filter(campaign__state=Campaign.State.OPEN, division__gte=first, division__lt=until)
    rows = rows.filter(**{"pick__picked": True, "state": "reviewed"} if county else {"state": "open"})
    rows = _without_visit(rows, ":check" if county else "").select_related("household", "campaign")
    found = list(rows.order_by("-risk_count", "id")[:most])
    number = Phase.Number.INSPECT if county else Phase.Number.CARRY_OUT
    phases = Phase.objects.filter(campaign__in={row.campaign_id for row in found}, number=number)
    ends = dict(phases.values_list("campaign_id", "ends_on"))
    return [_wanted(row, ends.get(row.campaign_id), county) for row in found]


def _without_visit(rows: "QuerySet[Item]", suffix: str) -> "QuerySet[Item]":
    return rows.annotate(at=subject_of(suffix)).exclude(Exists(signed_visit()))


def subject_of(suffix: str = "") -> Concat:
    """Item.subject (with a suffix) as the database spells it."""
    parts = [Value("rectification:"), Cast(F("campaign_id"), CharField()), Value(":"), Cast(F("pk"), CharField())]
    return Concat(*parts, Value(suffix), output_field=CharField())


def signed_visit() -> "QuerySet[Visit]":
    """A signed visit of the item annotated with `at`, in its round."""
    return Visit.objects.filter(subject=OuterRef("at"), round=OuterRef("round"), state=Visit.State.SIGNED)


def _wanted(row: Item, ends_on: date | None, county: bool) -> Wanted:
    return Wanted(
        row.household_id, row.household.household_no, row.division, row.check_subject if county else row.subject,
        Visit.Purpose.RECTIFICATION, row.round, ends_on, programme=row.programme, since=row.campaign.opened_on,
    )  # fmt: skip


wants(Visit.Purpose.RECTIFICATION, list_wanted_items)
