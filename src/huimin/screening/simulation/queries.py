"""Reads of simulations and coverage analyses; bounded, inside `reading(by)` (POL-04, POL-06, DET-08)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Left

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.screening.simulation.models import Combination, Coverage, Finding, Simulation

EXPORT_MAX = 200_000
COMBINATIONS_MAX = 500


def list_simulations(place: str = "", size: int = SIZE) -> Page[Simulation]:
    """Newest first, without the figures."""
    return cut(Simulation.objects.defer("result", "draft"), ("-id",), place, size)


def get_simulation(number: int) -> Simulation:
    """Simulation.DoesNotExist when it is not there or not in the actor's place."""
    return Simulation.objects.get(pk=number)


def find_latest_coverage() -> Coverage | None:
    """The newest finished analysis."""
    return Coverage.objects.filter(state=Coverage.State.FINISHED).order_by("-id").first()


def find_working_coverage(now: datetime) -> Coverage | None:
    """The newest one, when it is still at work; one that was lost is not."""
    newest = Coverage.objects.order_by("-id").first()
    is_working = newest is not None and newest.state == Coverage.State.RUNNING and not newest.is_lost(now)
    return newest if is_working else None


def get_coverage(number: int) -> Coverage:
    return Coverage.objects.get(pk=number)


@dataclass(frozen=True)
class FindingFilter:
    """Findings of an analysis within `prefix`; `programmes` limits to those that draw one of them, or none at all."""

    coverage: int
    prefix: str
    kind: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Finding]":
        first, until = scope_of(self.prefix)
        rows = Finding.objects.filter(coverage=self.coverage, division__gte=first, division__lt=until)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.programmes is not None:
            rows = rows.filter(programmes__overlap=list(self.programmes)) | rows.filter(programmes=[])
        return rows


def page_findings(wanted: FindingFilter, place: str = "", size: int = SIZE) -> Page[Finding]:
    """By village, with household."""
    return cut(wanted.rows().select_related("household"), ("division", "id"), place, size)


def iterate_findings(wanted: FindingFilter) -> Iterator[Finding]:
    """All of them for an export, in the order of the list."""
    return wanted.rows().select_related("household").order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def count_findings(wanted: FindingFilter) -> dict[str, int]:
    """By kind; one query."""
    rows = wanted.rows().values("kind").order_by("kind").annotate(count=Count("id"))
    return {row["kind"]: row["count"] for row in rows}


def count_findings_by_place(wanted: FindingFilter, digits: int) -> dict[str, dict[str, int]]:
    """Place (its 12 digits) → kind → count; places are the leading `digits`."""
    rows = wanted.rows().annotate(place=Left("division", digits)).values("place", "kind").order_by("place", "kind")
    found: dict[str, dict[str, int]] = {}
    for row in rows.annotate(count=Count("id")):
        found.setdefault(row["place"].ljust(12, "0"), {})[row["kind"]] = row["count"]
    return found


def list_combinations(
    coverage: int, prefix: str, programmes: tuple[str, ...] | None = None, rows_max: int = COMBINATIONS_MAX
) -> list[dict[str, Any]]:
    """Which programmes are drawn together, by how many households, 分 a year; the most frequent first."""
    first, until = scope_of(prefix)
    rows = Combination.objects.filter(coverage=coverage, division__gte=first, division__lt=until)
    if programmes is not None:
        rows = rows.filter(programmes__overlap=list(programmes))
    sums = rows.values("programmes").annotate(count=Sum("households"), fen=Sum("year_fen"))
    return list(sums.order_by("-count", "programmes")[:rows_max])
