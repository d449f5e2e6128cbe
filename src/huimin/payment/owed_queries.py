"""Dues that wait for a roster; bounded, paged by key, inside `reading(by)` (PAY-06)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.payment.models import Due, LineDue, Roster, RosterFinding
from huimin.payment.queries import EXPORT_MAX, Total


@dataclass(frozen=True)
class OwedFilter:
    """Which dues: what is not empty; `programmes` limits, too."""

    prefix: str
    programme: str = ""
    kind: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Due]":
        low, high = scope_of(self.prefix)
        held = RosterFinding.objects.filter(line=OuterRef("line"), state=RosterFinding.State.HELD)
        freed = RosterFinding.objects.filter(
            ~Exists(held), line=OuterRef("line"), state=RosterFinding.State.RELEASED
        )  # as payment.standing.ON_A_ROSTER
        listed = LineDue.objects.filter(~Exists(freed), due=OuterRef("pk")).exclude(
            line__roster__state=Roster.State.WITHDRAWN
        )
        rows = Due.objects.filter(state=Due.State.OWED, division__gte=low, division__lt=high).exclude(
            kind=Due.Kind.RECOVERY
        )
        if self.programmes is not None:
            rows = rows.filter(programme__in=self.programmes)
        if self.programme:
            rows = rows.filter(programme=self.programme)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        return rows.filter(~Exists(listed))


def page_owed(wanted: OwedFilter, place: str = "", size: int = SIZE) -> Page[Due]:
    """Newest first."""
    return cut(wanted.rows().select_related("entitlement__household", "entitlement__person"), ("-id",), place, size)


def iterate_owed(wanted: OwedFilter) -> Iterator[Due]:
    rows = wanted.rows().select_related("entitlement__household", "entitlement__person").order_by("division", "id")
    return rows[:EXPORT_MAX].iterator(2000)


def total_owed(wanted: OwedFilter) -> list[tuple[Due.Kind, Total]]:
    sums = wanted.rows().values("kind").order_by("kind").annotate(count=Count("id"), fen=Sum("amount_fen"))
    return [(Due.Kind(row["kind"]), Total(row["kind"], row["count"], row["fen"])) for row in sums]
