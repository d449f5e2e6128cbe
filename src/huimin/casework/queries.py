"""Reads of decisions and entitlements; bounded, inside `reading(by)` or a command (SEC-07)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from huimin.audit.models import Change
from huimin.casework.models import Decision, Entitlement
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut


def live_on(on: date) -> Q:
    """Entitlements in force on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def list_entitlements_of(household_id: int, rows_max: int = 100) -> list[Entitlement]:
    """Of one household and its people, newest first, ended ones too."""
    rows = Entitlement.objects.filter(household=household_id).select_related("person", "decision")
    return list(rows.order_by("-valid_from", "-id")[:rows_max])


def list_decisions_of(household_id: int, rows_max: int = 100) -> list[Decision]:
    """Of one household, newest first, with the signature; None for what was signed above the reader's place."""
    rows = Decision.objects.filter(household=household_id).select_related("person", "proposal")
    return list(rows.prefetch_related("signature").order_by("-id")[:rows_max])


def find_decision_of(proposal_id: int) -> Decision | None:
    return Decision.objects.filter(proposal=proposal_id).prefetch_related("signature").first()


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


# -- beneficiaries as of any day

EXPORT_MAX = 200_000


@dataclass(frozen=True)
class HeldFilter:
    """Who held what: beneath `prefix`, on `on`, as known at `known_at` (None: now); `programmes` limits (None: all)."""

    prefix: str
    on: date
    known_at: datetime | None = None
    programme: str = ""
    programmes: tuple[str, ...] | None = None


def list_held(wanted: HeldFilter, place: str = "", size: int = SIZE) -> Page[Entitlement]:
    """A page of entitlements by place; with a moment, `changed` and `was` tell the end as it was known then (KT text)."""
    return cut(_held(wanted), ("division", "id"), place, size)


def iterate_held(wanted: HeldFilter) -> Iterator[Entitlement]:
    """All of them for an export, in the order of the list."""
    return _held(wanted).order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def _held(wanted: HeldFilter) -> "QuerySet[Entitlement]":
    rows = Entitlement.objects.filter(division__gte=wanted.prefix, division__lt=wanted.prefix + "~")
    # Names are fetched for the rows of a page: joined, they are gathered for a whole county before fifty are taken.
    rows = rows.filter(valid_from__lte=wanted.on).prefetch_related("household", "person")
    if wanted.programme:
        rows = rows.filter(programme=wanted.programme)
    if wanted.programmes is not None:
        rows = rows.filter(programme__in=wanted.programmes)
    if wanted.known_at is None:
        return rows.filter(live_on(wanted.on))
    # What was written after the moment is undone with the change log: the first change after it tells what stood before.
    later = Change.objects.filter(
        table_name=Entitlement._meta.db_table, row_key=Cast(OuterRef("pk"), CharField()), at__gt=wanted.known_at
    ).order_by("id")
    rows = rows.annotate(
        changed=Subquery(later.values("operation")[:1]), was=Subquery(later.values(end=KT("before__valid_to"))[:1])
    )
    unchanged = Q(changed=None) & live_on(wanted.on)
    undone = Q(changed="U") & (Q(was=None) | Q(was__gt=wanted.on.isoformat()))
    return rows.filter(unchanged | undone)
