"""Reads of appeals: lists by state and deadline, of one household or decision; inside `reading(by)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Q, QuerySet

from huimin.appeals.models import Appeal
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut

State = Appeal.State
EXPORT_MAX = 20_000
LATE, LIVE, TO_CORRECT = "late", "live", "correct"


@dataclass(frozen=True)
class AppealFilter:
    """Which appeals: beneath `prefix`, of a kind, in a state or standing (live, late, to correct), of some programmes."""

    prefix: str
    on: date
    kind: str = ""
    state: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Appeal]":
        first, until = scope_of(self.prefix)
        rows = Appeal.objects.filter(division__gte=first, division__lt=until)
        rows = rows.filter(kind=self.kind) if self.kind else rows
        rows = rows.filter(programme__in=self.programmes) if self.programmes is not None else rows
        standing = {
            LIVE: Q(state__in=(State.FILED, State.ACCEPTED)),
            LATE: Q(state__in=(State.FILED, State.ACCEPTED), due_on__lt=self.on),
            TO_CORRECT: Q(state__in=(State.UPHELD, State.PARTLY)),
        }.get(self.state)
        if standing is not None:
            return rows.filter(standing)
        return rows.filter(state=self.state) if self.state in State.values else rows


def page_appeals(wanted: AppealFilter, place: str = "", size: int = SIZE) -> Page[Appeal]:
    """What is live by its last day, else the newest first."""
    order = ("due_on", "id") if wanted.state in (LIVE, LATE) else ("-id",)
    return cut(wanted.rows().select_related("household"), order, place, size)


def iterate_appeals(wanted: AppealFilter) -> Iterator[Appeal]:
    return wanted.rows().select_related("household").order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def get_appeal(number: int) -> Appeal:
    """One with what it names; DoesNotExist."""
    return Appeal.objects.select_related(
        "household", "decision__proposal", "case__process", "new_case", "new_decision", "signature"
    ).get(pk=number)


def list_appeals_of(household: int, rows_max: int = 20) -> list[Appeal]:
    return list(Appeal.objects.filter(household=household).order_by("-id")[:rows_max])


def waiting(prefix: str, programmes: tuple[str, ...] | None = None) -> dict[str, tuple[int, date | None]]:
    """State → how many wait there, and the earliest last day; of filed, accepted, upheld and partly."""
    first, until = scope_of(prefix)
    rows = Appeal.objects.filter(
        division__gte=first, division__lt=until, state__in=(State.FILED, State.ACCEPTED, State.UPHELD, State.PARTLY)
    )
    rows = rows.filter(programme__in=programmes) if programmes is not None else rows
    return {
        row["state"]: (row["n"], row["first"])
        for row in rows.values("state").annotate(n=Count("pk"), first=Min("due_on"))
    }


def count_untold(prefix: str) -> int:
    """Ruled or not accepted, and he was not told yet."""
    first, until = scope_of(prefix)
    return Appeal.objects.filter(
        division__gte=first, division__lt=until, told_result_on=None,
        state__in=(State.UPHELD, State.PARTLY, State.DISMISSED, State.CORRECTED, State.REFUSED),
    ).count()  # fmt: skip
