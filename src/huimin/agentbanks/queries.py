"""Reads of agreements, complaints, methods and assessments; bounded, inside `reading(by)` (PAY-09)."""

from datetime import date

from django.db.models import Q

from huimin.agentbanks.models import Agreement, Assessment, Complaint, Method, Standing
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.places import chain
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind

ROWS_MAX = 100


def list_banks() -> list[tuple[int, str]]:
    """(office, name) of the agent banks."""
    return list(Office.objects.filter(kind=OfficeKind.BANK).order_by("name").values_list("pk", "name")[:ROWS_MAX])


def list_agreements(division: str) -> list[Agreement]:
    """Those of the place and above, the newest first."""
    rows = Agreement.objects.filter(division__in=chain(division)).select_related("bank_office")
    return list(rows.order_by("-valid_from", "-id")[:ROWS_MAX])


def without_agreement(division: str, on: date) -> list[str]:
    """Names of agent banks that have no agreement on this day."""
    held = Agreement.objects.filter(state=Standing.AGREED, valid_from__lte=on, valid_to__gt=on).values("bank_office")
    rows = Office.objects.filter(kind=OfficeKind.BANK).exclude(pk__in=held)
    return list(rows.order_by("name").values_list("name", flat=True)[:ROWS_MAX])


def page_complaints(prefix: str, bank: int = 0, state: str = "", place: str = "", size: int = SIZE) -> Page[Complaint]:
    """Newest first."""
    first, until = scope_of(prefix)
    rows = Complaint.objects.filter(division__gte=first, division__lt=until).select_related("bank_office")
    rows = rows.filter(bank_office=bank) if bank else rows
    return cut(rows.filter(state=state) if state else rows, ("-id",), place, size)


def count_open_complaints(prefix: str, but_by: int) -> int:
    """Those somebody other than `but_by` recorded and nobody looked into."""
    first, until = scope_of(prefix)
    rows = Complaint.objects.filter(division__gte=first, division__lt=until, state=Complaint.State.OPEN)
    return rows.exclude(recorded_by=but_by).count()


def list_methods(division: str) -> list[Method]:
    return list(Method.objects.filter(division__in=chain(division)).order_by("-valid_from", "-id")[:ROWS_MAX])


def list_assessments(division: str, year: int = 0) -> list[Assessment]:
    rows = Assessment.objects.filter(division__in=chain(division)).select_related("bank_office", "method")
    rows = rows.filter(year=year) if year else rows
    return list(rows.order_by("-year", "-total", "id")[:ROWS_MAX])


def count_proposed(division: str, but_by: int) -> int:
    """Agreements, methods and assessments that wait for a second person."""
    waiting = Q(division__in=chain(division), state=Standing.PROPOSED) & ~Q(proposed_by=but_by)
    return sum(model.objects.filter(waiting).count() for model in (Agreement, Method, Assessment))
