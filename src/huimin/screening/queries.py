"""Reads of runs and proposals; bounded, paged by key, inside `reading(by)` or a command (DET-01).

A `ProposalFilter` names the same set for the list on a page, its totals, its export and the act on all of it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import BooleanField, Count, Min, QuerySet, Sum
from django.db.models.expressions import RawSQL

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.screening.models import Proposal, Run

ORDER = ("division", "id")
EXPORT_MAX = 200_000


@dataclass(frozen=True)
class ProposalFilter:
    """Which proposals: `prefix` of a place (required), and what is not empty of the rest. `programmes` limits, too; `apart`
    names, as SQL over screening_proposal, those that are decided elsewhere and left out."""

    prefix: str
    programme: str = ""
    kind: str = ""
    state: str = Proposal.State.OPEN
    programmes: tuple[str, ...] | None = None
    ids: tuple[int, ...] | None = None
    run: int | None = None
    apart: tuple[str, ...] = ()

    def rows(self) -> "QuerySet[Proposal]":
        first, until = scope_of(self.prefix)
        rows = Proposal.objects.filter(division__gte=first, division__lt=until)
        for field in ("programme", "kind", "state"):
            if value := getattr(self, field):
                rows = rows.filter(**{field: value})
        if self.programmes is not None:
            rows = rows.filter(programme__in=self.programmes)
        if self.run is not None:
            rows = rows.filter(run=self.run)
        for condition in self.apart:
            rows = rows.filter(RawSQL(f"NOT {condition}", (), output_field=BooleanField()))
        return rows if self.ids is None else rows.filter(pk__in=self.ids)


@dataclass(frozen=True)
class ProposalTotal:
    """How many proposals of a programme and kind, and what they add up to per policy period; the run of the oldest."""

    programme: str
    kind: str
    count: int
    amount_fen: int
    previous_fen: int
    oldest: int

    @property
    def kind_label(self) -> str:
        return Proposal.Kind(self.kind).label


def page_proposals(wanted: ProposalFilter, place: str = "", size: int = SIZE) -> Page[Proposal]:
    """By village, with household and person."""
    return cut(wanted.rows().select_related("household", "person"), ORDER, place, size)


def iterate_proposals(wanted: ProposalFilter) -> Iterator[Proposal]:
    """All of them for an export, in the order of the list."""
    rows = wanted.rows().select_related("household", "person").order_by(*ORDER)
    return rows[:EXPORT_MAX].iterator(2000)


def total_proposals(wanted: ProposalFilter) -> list[ProposalTotal]:
    """By programme and kind; one query."""
    rows = wanted.rows().values("programme", "kind").order_by("programme", "kind")
    sums = rows.annotate(
        count=Count("id"), amount_fen=Sum("amount_fen"), previous_fen=Sum("previous_fen"), oldest=Min("run_id")
    )
    return [ProposalTotal(**row) for row in sums]


def proposal_ids(wanted: ProposalFilter) -> list[int]:
    """Every id, rising."""
    return list(wanted.rows().order_by("id").values_list("id", flat=True))


def get_proposal(number: int) -> Proposal:
    """Proposal.DoesNotExist when it is not there or not in the actor's place."""
    return Proposal.objects.select_related("household", "person", "run").get(pk=number)


def list_proposals_of(household_id: int, rows_max: int = 50) -> list[Proposal]:
    """Of one household, newest first."""
    rows = Proposal.objects.filter(household=household_id).select_related("person", "run")
    return list(rows.order_by("-id")[:rows_max])


def list_runs(rows_max: int = 20) -> list[Run]:
    """Of whole places, newest first."""
    return list(Run.objects.filter(only=None).order_by("-id")[:rows_max])


def get_run(number: int) -> Run:
    """Run.DoesNotExist when it is not there or not in the actor's place."""
    return Run.objects.get(pk=number)


def started_on(runs: Collection[int]) -> dict[int, date]:
    """When each was asked for; of whole places and of single households."""
    return dict(Run.objects.filter(pk__in=runs).values_list("pk", "started_on"))


def find_latest_run() -> Run | None:
    """Of a whole place."""
    return Run.objects.filter(only=None).order_by("-id").first()
