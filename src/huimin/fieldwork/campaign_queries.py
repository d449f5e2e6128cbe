"""Who is due in a campaign, who is done, who is late; by key, by village, by information officer (REG-06).

in    a campaign, a place, the business date; inside `reading(by)` or a command
out   pages of households with `surveyed_on` and `standing`; counts by place; names of the officers who answer

Costs: a page is 50 rows of the households' own index, each with one look at its forms; counts are one pass over the
households of the place joined by hash to its forms (a county of 265,000 households: see the room's README).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery

from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.fieldwork.models import Campaign, SurveyForm
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import live_on as appointed_on
from huimin.registry.models import Household, Membership
from huimin.registry.queries import HEAD, holding

EXPORT_MAX = 300_000
DUE, OVERDUE, DONE = "due", "overdue", "done"
STANDINGS = [(DUE, "未调查"), (OVERDUE, "逾期未调查"), (DONE, "已调查")]


@dataclass(frozen=True)
class DueFilter:
    """Households of a campaign beneath `prefix`: all, still due, late or done; `new_only`: there since it was opened."""

    campaign: Campaign
    prefix: str
    on: date
    standing: str = ""
    new_only: bool = False

    def rows(self) -> "QuerySet[Household]":
        first, until = scope_of(self.prefix)
        rows = Household.objects.filter(division__gte=first, division__lt=until, closed_on=None)
        if self.campaign.whom == Campaign.Whom.ENTITLED:
            held = Entitlement.objects.filter(live_on(self.campaign.starts_on), household=OuterRef("pk"))
            rows = rows.filter(Exists(held))
        if self.new_only:
            rows = rows.filter(pk__gt=self.campaign.households_upto)
        if self.standing == DONE:
            return rows.filter(Exists(self._forms()))
        if self.standing == OVERDUE and self.on <= self.campaign.deadline:
            return rows.none()
        return rows.filter(~Exists(self._forms())) if self.standing else rows

    def _forms(self) -> "QuerySet[SurveyForm]":
        return forms_within(self.campaign, self.on).filter(household=OuterRef("pk"))

    def told(self) -> "QuerySet[Household]":
        """With head, form date and whether it is new."""
        head = Membership.objects.filter(holding(self.on), household=OuterRef("pk"), relation=HEAD)
        last = self._forms().order_by().values("household").annotate(day=Max("surveyed_on")).values("day")
        return self.rows().annotate(head_name=Subquery(head.values("person__name")[:1]), surveyed_on=Subquery(last))


def forms_within(campaign: Campaign, on: date) -> "QuerySet[SurveyForm]":
    """Forms that count: dated within the campaign (up to its end, or today), and not of a refused change."""
    until = campaign.closed_on or on
    counted = Q(change=None) | ~Q(change__state="refused")
    return SurveyForm.objects.filter(counted, surveyed_on__gte=campaign.starts_on, surveyed_on__lte=until)


def page_due(wanted: DueFilter, place: str = "", size: int = SIZE) -> Page[Household]:
    """By village; a page is chosen first and told after, so that its cost does not depend on the list."""
    page = cut(wanted.rows(), ("division", "id"), place, size)
    told = wanted.told().filter(pk__in=[row.pk for row in page.rows])
    rows = {row.pk: row for row in told}
    return Page([rows[row.pk] for row in page.rows if row.pk in rows], page.previous, page.next)


def iterate_due(wanted: DueFilter) -> Iterator[Household]:
    """All of them for an export, in the order of the list."""
    return wanted.told().order_by("division", "id")[:EXPORT_MAX].iterator(5000)


def list_due(wanted: DueFilter, rows_max: int = 2000) -> list[Household]:
    """For the paper of a round through one village."""
    return list(wanted.told().order_by("division", "id")[:rows_max])


# Households of the place, and of them those with a form that counts; `digits` cuts the place (9 township, 12 village). A form
# stands where its household lives, so both are read by their place.
COUNTS = """
SELECT left(h.division, %(digits)s) AS village, count(*)::int AS due, count(f.household_id)::int AS done,
       count(*) FILTER (WHERE f.changed)::int AS changed, count(*) FILTER (WHERE h.id > %(upto)s)::int AS new
FROM registry_household h
LEFT JOIN (
    SELECT s.household_id, bool_or(s.outcome = 'changed') AS changed FROM fieldwork_surveyform s
    LEFT JOIN registry_reportedchange c ON c.id = s.change_id
    WHERE s.surveyed_on >= %(since)s AND s.surveyed_on <= %(until)s AND c.state IS DISTINCT FROM 'refused'
    AND s.division >= %(low)s AND s.division < %(high)s
    GROUP BY 1
) f ON f.household_id = h.id
WHERE h.closed_on IS NULL AND h.division >= %(low)s AND h.division < %(high)s
AND (NOT %(entitled)s OR EXISTS (
    SELECT 1 FROM casework_entitlement e WHERE e.household_id = h.id AND e.valid_from <= %(since)s
    AND (e.valid_to IS NULL OR e.valid_to > %(since)s)))
GROUP BY 1
"""


@dataclass(frozen=True)
class PlaceCount:
    """What is due and done in one place; `overdue` is what is left when the deadline has passed."""

    division: str
    due: int
    done: int
    changed: int
    new: int
    late: bool

    @property
    def left(self) -> int:
        return self.due - self.done

    @property
    def overdue(self) -> int:
        return self.left if self.late else 0


def scope_values(campaign: Campaign, prefix: str, on: date) -> dict[str, Any]:
    low, high = scope_of(prefix)
    return {
        "low": low, "high": high, "since": campaign.starts_on, "until": campaign.closed_on or on,
        "upto": campaign.households_upto, "entitled": campaign.whom == Campaign.Whom.ENTITLED,
    }  # fmt: skip


def count_by_place(campaign: Campaign, prefix: str, level: Level, on: date) -> list[PlaceCount]:
    """By township or village beneath `prefix`, by code; of a closed campaign as it was frozen."""
    late = (campaign.closed_on or on) > campaign.deadline
    if campaign.state == Campaign.State.CLOSED:
        rows = _frozen(campaign, prefix, int(level))
    else:
        rows = fetch(f"{COUNTS} ORDER BY 1", scope_values(campaign, prefix, on) | {"digits": int(level)})
    return [PlaceCount(str(code).ljust(12, "0"), *counts, late) for code, *counts in rows]


def _frozen(campaign: Campaign, prefix: str, digits: int) -> list[tuple[Any, ...]]:
    low, high = scope_of(prefix)
    return fetch(
        "SELECT left(division, %(digits)s), sum(due)::int, sum(done)::int, sum(changed)::int, sum(new)::int"
        " FROM fieldwork_campaignplace WHERE campaign_id = %(campaign)s AND division >= %(low)s AND division < %(high)s"
        " GROUP BY 1 ORDER BY 1",
        {"digits": digits, "campaign": campaign.pk, "low": low, "high": high},
    )


def total_of(rows: list[PlaceCount]) -> PlaceCount:
    """The places added up."""
    sums = [sum(getattr(row, name) for row in rows) for name in ("due", "done", "changed", "new")]
    return PlaceCount("", *sums, any(row.late for row in rows))


def officers_of(codes: list[str], on: date) -> dict[str, list[Appointment]]:
    """Information officers in post by village; a village without one has no entry."""
    held = Appointment.objects.filter(appointed_on(on), post=Post.INFORMATION_OFFICER, division__in=codes)
    found: dict[str, list[Appointment]] = {}
    for row in held.select_related("account").order_by("division", "id"):
        found.setdefault(row.division, []).append(row)
    return found


def find_open_campaign(division: str) -> Campaign | None:
    county = scope_prefix(division, Level.COUNTY)
    return Campaign.objects.filter(division__startswith=county, state=Campaign.State.OPEN).first()


def list_campaigns(division: str) -> list[Campaign]:
    """Of the county, the newest first."""
    county = scope_prefix(division, Level.COUNTY)
    return list(Campaign.objects.filter(division__startswith=county).order_by("-year", "-id")[:50])


def list_forms_of(household: int, rows_max: int = 20) -> list[SurveyForm]:
    """Of one household, the newest first."""
    return list(SurveyForm.objects.filter(household=household).order_by("-surveyed_on", "-id")[:rows_max])
