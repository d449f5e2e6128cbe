"""Reads of re-checks, job offers and cuts: lists by state, one whole, of one household; inside `reading(by)` (CASE-09)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, Min, Q, QuerySet

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.rechecks.models import JobOffer, Recheck, RecheckMeans, WorkCut
from huimin.rechecks.rules import DIBAO, Settings
from huimin.registry.models import Membership
from huimin.registry.queries import HEAD, holding

EXPORT_MAX = 50_000
State = Recheck.State


@dataclass(frozen=True)
class RecheckFilter:
    """Which re-checks: beneath `prefix`, in a state, with an outcome, of programmes a department answers for."""

    prefix: str
    state: str = State.OPEN
    outcome: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Recheck]":
        first, until = scope_of(self.prefix)
        rows = Recheck.objects.filter(division__gte=first, division__lt=until)
        rows = rows.filter(state=self.state) if self.state else rows
        rows = rows.filter(outcome=self.outcome) if self.outcome else rows
        return rows.filter(programmes__overlap=list(self.programmes)) if self.programmes is not None else rows


def page_rechecks(wanted: RecheckFilter, place: str = "", size: int = SIZE) -> Page[Recheck]:
    """What is under way by the day it was due, what is done newest first."""
    order = ("due_on", "id") if wanted.state in (State.OPEN, State.CONCLUDED) else ("-id",)
    return cut(wanted.rows().select_related("household"), order, place, size)


def iterate_rechecks(wanted: RecheckFilter) -> Iterator[Recheck]:
    return wanted.rows().select_related("household").order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def get_recheck(number: int) -> Recheck:
    """With its household and signatures; DoesNotExist."""
    return Recheck.objects.select_related("household", "signature", "confirmation", "run").get(pk=number)


def list_means(recheck: int) -> list[RecheckMeans]:
    """Of every round, the latest first."""
    return list(RecheckMeans.objects.filter(recheck=recheck).select_related("visit").order_by("-round", "-id")[:60])


def list_rechecks_of(household: int, rows_max: int = 10) -> list[Recheck]:
    return list(Recheck.objects.filter(household=household).order_by("-id")[:rows_max])


def heads_of(households: set[int], on: date) -> dict[int, str]:
    """Names of heads, for the rows of one page."""
    rows = Membership.objects.filter(holding(on), household__in=households, relation=HEAD)
    return dict(rows.values_list("household_id", "person__name"))


def people_of(households: set[int], on: date) -> dict[int, int]:
    """How many live there."""
    rows = Membership.objects.filter(holding(on), household__in=households)
    return dict(rows.values("household_id").annotate(n=Count("pk")).values_list("household_id", "n"))


def waiting(prefix: str) -> dict[str, tuple[int, date | None]]:
    """State → how many are there, and the earliest day due; of those under way."""
    first, until = scope_of(prefix)
    rows = Recheck.objects.filter(division__gte=first, division__lt=until, state__in=(State.OPEN, State.CONCLUDED))
    return {
        row["state"]: (row["n"], row["first"])
        for row in rows.values("state").annotate(n=Count("pk"), first=Min("due_on"))
    }


def narrowed(settings: Settings, programmes: tuple[str, ...] | None) -> Settings:
    """Only what a department answers for; None: all."""
    if programmes is None:
        return settings
    return replace(
        settings, frequencies={code: each for code, each in settings.frequencies.items() if code in programmes}
    )


# -- refusals of work


@dataclass(frozen=True)
class OfferFilter:
    """Which offers: beneath `prefix`; waiting to be judged, accepted, or refused with or without good reason."""

    prefix: str
    standing: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[JobOffer]":
        first, until = scope_of(self.prefix)
        if self.programmes is not None and not set(DIBAO) & set(self.programmes):
            return JobOffer.objects.none()
        rows = JobOffer.objects.filter(division__gte=first, division__lt=until)
        refused = Q(answer=JobOffer.Answer.REFUSED)
        chosen = {
            "waiting": refused & Q(justified=None), "accepted": ~refused, "justified": refused & Q(justified=True),
            "unjustified": refused & Q(justified=False),
        }.get(self.standing)  # fmt: skip
        return rows.filter(chosen) if chosen is not None else rows


STANDINGS = [("waiting", "待评判"), ("unjustified", "无正当理由"), ("justified", "有正当理由"), ("accepted", "接受")]


def page_offers(wanted: OfferFilter, place: str = "", size: int = SIZE) -> Page[JobOffer]:
    return cut(wanted.rows().select_related("household", "person"), ("-id",), place, size)


def list_offers(wanted: OfferFilter, rows_max: int = 5000) -> list[JobOffer]:
    return list(wanted.rows().select_related("household", "person").order_by("division", "id")[:rows_max])


def get_offer(number: int) -> JobOffer:
    return JobOffer.objects.select_related("household", "person", "signature", "cut").get(pk=number)


def list_offers_of(person: int, rows_max: int = 30) -> list[JobOffer]:
    return list(JobOffer.objects.filter(person=person).order_by("-offered_on", "-id")[:rows_max])


def page_cuts(
    prefix: str, state: str = "", programmes: tuple[str, ...] | None = None, place: str = "", size: int = SIZE
) -> Page[WorkCut]:  # fmt: skip
    first, until = scope_of(prefix)
    rows = WorkCut.objects.filter(division__gte=first, division__lt=until)
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(programme__in=programmes) if programmes is not None else rows
    return cut(rows.select_related("household", "person"), ("-id",), place, size)


def get_cut(number: int) -> WorkCut:
    return WorkCut.objects.select_related("household", "person", "entitlement", "decision__signature").get(pk=number)


def list_cuts_of(household: int, rows_max: int = 10) -> list[WorkCut]:
    return list(WorkCut.objects.filter(household=household).select_related("person").order_by("-id")[:rows_max])


def waiting_work(prefix: str) -> dict[str, int]:
    """How many refusals wait to be judged; cuts to tell, objections to answer, cuts to decide."""
    first, until = scope_of(prefix)
    here = {"division__gte": first, "division__lt": until}
    cuts = WorkCut.objects.filter(**here)
    unanswered = Q(objected_on__isnull=False, answered_on=None)
    return {
        "judge": OfferFilter(prefix, "waiting").rows().count(),
        "tell": cuts.filter(state=WorkCut.State.PROPOSED).count(),
        "answer": cuts.filter(unanswered, state=WorkCut.State.TOLD).count(),
        "decide": cuts.filter(~unanswered, state=WorkCut.State.TOLD).count(),
    }
