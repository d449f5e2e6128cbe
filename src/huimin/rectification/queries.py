"""Reads of campaigns, their items, picks, acts; inside `reading(by)` (CASE-10).

in    a campaign, a place, what is looked for
out   pages by key, those with marks of risk first; bounded lists of who left, came in, or waits to be carried out
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from huimin.casework.models import Entitlement
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.periods import add_months, month_start
from huimin.rectification.models import Campaign, CountyCheck, Item, ItemAct, Pick, Submission, TypicalCase
from huimin.rectification.standing import JOINED, asked_of
from huimin.rectification.wanting import signed_visit, subject_of
from huimin.registry.models import Membership
from huimin.registry.queries import HEAD, holding
from huimin.screening.models import Proposal

LISTED_MAX = 5000
EXPORT_MAX = 200_000
REMOVED, ADDED, MOVED = ("leave", "dead"), ("enter",), ("increase", "decrease")


def list_campaigns(programmes: tuple[str, ...] | None = None, rows_max: int = 50) -> list[Campaign]:
    """All that are seen from here, the newest first; of a department, those of its own programmes."""
    rows = Campaign.objects.order_by("-id")
    rows = rows if programmes is None else rows.filter(programmes__contained_by=list(programmes))
    return list(rows[:rows_max])


def get_campaign(number: int) -> Campaign:
    return Campaign.objects.select_related("opening", "closing").get(pk=number)


@dataclass(frozen=True)
class ItemFilter:
    """Items of a campaign beneath `prefix`: at a state, with a result, a mark (or "any"), of an origin or programme."""

    campaign: Campaign
    prefix: str
    state: str = ""
    result: str = ""
    risk: str = ""
    origin: str = ""
    programme: str = ""

    def rows(self) -> "QuerySet[Item]":
        first, until = scope_of(self.prefix)
        rows = Item.objects.filter(campaign=self.campaign, division__gte=first, division__lt=until)
        for name in ("state", "result", "origin", "programme"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        if self.risk == "any":
            return rows.filter(risk_count__gt=0)
        return rows.filter(risks__contains=[self.risk]) if self.risk else rows


def page_items(wanted: ItemFilter, on: date, place: str = "", size: int = SIZE) -> Page[Item]:
    """Those with most marks first; a page is chosen first and told after, so that its cost does not depend on the list."""
    page = cut(wanted.rows(), ("-risk_count", "id"), place, size)
    rows = {row.pk: row for row in told([row.pk for row in page.rows], on)}
    return Page([rows[row.pk] for row in page.rows if row.pk in rows], page.previous, page.next)


def told(ids: list[int], on: date) -> "QuerySet[Item]":
    """With the head's name and whether a signed visit of the round is there."""
    head = Membership.objects.filter(holding(on), household=OuterRef("household"), relation=HEAD)
    rows = Item.objects.filter(pk__in=ids).select_related("household", "person", "campaign")
    rows = rows.annotate(at=subject_of(), head_name=Subquery(head.values("person__name")[:1]))
    return rows.annotate(visited=Exists(signed_visit()))


def iterate_items(wanted: ItemFilter, on: date) -> Any:
    """All of them for an export, in the order of the list."""
    head = Membership.objects.filter(holding(on), household=OuterRef("household"), relation=HEAD)
    rows = (
        wanted.rows()
        .select_related("household", "person")
        .annotate(head_name=Subquery(head.values("person__name")[:1]))
    )
    return rows.order_by("-risk_count", "id")[:EXPORT_MAX].iterator(2000)


def get_item(number: int, on: date) -> Item:
    """Item.DoesNotExist when it is not there or not in the actor's place."""
    return told([number], on).select_related("entitlement", "proposal", "visit", "finding", "review").get(pk=number)


def list_acts(item: int) -> list[ItemAct]:
    """Newest first."""
    return list(ItemAct.objects.filter(item=item).select_related("signature").order_by("-id")[:100])


@dataclass(frozen=True)
class Carrying:
    """One reviewed result and whether the entitlements say so already."""

    item: int
    number: str
    household: int
    household_no: str
    who: str
    division: str
    programme: str
    result: str
    people: int
    amount_fen: int
    to_fen: int | None
    grounds: str
    evidence: str
    reviewed_on: date
    carried: str


_CARRYING = f"""
SELECT i.id, i.number, i.household_id, h.household_no, coalesce(o.name, t.name, ''), i.division, i.programme, i.result, i.people,
       i.amount_fen, i.to_fen, i.grounds, i.evidence, i.reviewed_on, x.carried
FROM rectification_item i JOIN registry_household h ON h.id = i.household_id
LEFT JOIN registry_person o ON o.id = i.person_id
LEFT JOIN LATERAL (
    SELECT q.name FROM registry_membership m JOIN registry_person q ON q.id = m.person_id
    WHERE m.household_id = i.household_id AND m.relation = '户主' AND m.recorded_to IS NULL
    ORDER BY m.valid_to IS NULL DESC, m.valid_from DESC LIMIT 1) t ON true
{JOINED} AND i.state = 'reviewed' AND i.result = ANY (%(results)s) AND (%(carried)s = '' OR x.carried = %(carried)s)
"""  # noqa: S608  constants of this room
_ORDER = " ORDER BY i.division, i.number LIMIT %(rows)s"


def list_carrying(
    campaign: Campaign, prefix: str, on: date, results: tuple[str, ...], carried: str = "", programme: str = "",
    rows_max: int = LISTED_MAX,
) -> list[Carrying]:  # fmt: skip
    """Reviewed results of these kinds, by place: carried out ("done"), waiting, or all; one statement."""
    asked = asked_of(campaign, prefix, on, programme) | {"results": list(results), "carried": carried, "rows": rows_max}
    return [Carrying(*row) for row in fetch(_CARRYING + _ORDER, asked)]


def standing_of(item: Item, on: date) -> str:
    """done, waiting, or "" where nothing is to be carried out."""
    if item.state != Item.State.REVIEWED:
        return ""
    asked = asked_of(item.campaign, item.division[:12], on) | {"item": item.pk}
    rows = fetch(f"SELECT x.carried FROM rectification_item i {JOINED} AND i.id = %(item)s", asked)  # noqa: S608
    return str(rows[0][0]) if rows else ""


def held_now(item: Item, on: date) -> Entitlement | None:
    """What will be in force from the first of the next month on."""
    horizon = add_months(month_start(on), 1)
    live = Q(valid_from__lte=horizon) & (Q(valid_to=None) | Q(valid_to__gt=horizon))
    rows = Entitlement.objects.filter(
        live, household=item.household_id, person=item.person_id, programme=item.programme
    )
    return rows.order_by("-id").first()


def open_proposals(item: Item) -> list[Proposal]:
    """What the screening proposes for the same beneficiary now."""
    rows = Proposal.objects.filter(
        household=item.household_id, person=item.person_id, programme=item.programme, state=Proposal.State.OPEN
    )
    return list(rows.order_by("-id")[:5])


CHECK_STANDINGS = [("ready", "待抽查"), ("waiting", "等乡镇复核"), ("agreed", "一致"), ("differs", "不一致，重查中")]


def page_picks(campaign: Campaign, prefix: str, standing: str = "", place: str = "", size: int = SIZE) -> Page[Pick]:
    """Drawn items by key, each with `agreed` and `differed` of checks; at the county. A page is chosen first and told after."""
    checks = CountyCheck.objects.filter(pick=OuterRef("pk"))
    agreed = Exists(checks.filter(agreed=True, round=OuterRef("item__round")))
    differed = Exists(checks.filter(agreed=False))
    rows = Pick.objects.filter(campaign=campaign, picked=True)
    if len(prefix) > len(campaign.prefix):
        first, until = scope_of(prefix)
        rows = rows.filter(item__division__gte=first, item__division__lt=until)
    undone = rows.filter(~agreed)
    rows = {
        "ready": lambda: undone.filter(item__state=Item.State.REVIEWED), "agreed": lambda: rows.filter(agreed),
        "waiting": lambda: undone.exclude(item__state=Item.State.REVIEWED), "differs": lambda: undone.filter(differed),
    }.get(standing, lambda: rows)()  # fmt: skip
    page = cut(rows.only("id", "key"), ("key", "id"), place, size)
    told = Pick.objects.select_related("item__household", "item__person").annotate(agreed=agreed, differed=differed)
    found = told.in_bulk([row.pk for row in page.rows])
    return Page([found[row.pk] for row in page.rows], page.previous, page.next)


def find_pick(item: int) -> Pick | None:
    """The drawn pick of an item; None to whoever may not see it."""
    return Pick.objects.filter(item=item, picked=True).prefetch_related("checks__signature").first()


def list_cases(campaign: Campaign, rows_max: int = 1000) -> list[TypicalCase]:
    """The newest first."""
    return list(TypicalCase.objects.filter(campaign=campaign).order_by("-found_on", "-id")[:rows_max])


def get_submission(number: int) -> Submission:
    return Submission.objects.select_related("campaign", "signature").get(pk=number)
