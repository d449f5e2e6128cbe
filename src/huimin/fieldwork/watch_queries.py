"""Lists of the low-income base and its warnings, and what they count to by village (REG-09). Call inside `reading(by)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.fieldwork.models import LowIncome, Signal, Visit
from huimin.organisation.models import Appointment
from huimin.registry.models import Membership
from huimin.registry.queries import HEAD, holding

EXPORT_MAX = 200_000
OPEN, DUE, OVERDUE, CLOSED = "open", "assigned", "overdue", "closed"
STANDINGS = [(OPEN, "待指派"), (DUE, "走访中"), (OVERDUE, "逾期"), (CLOSED, "已办结")]


@dataclass(frozen=True)
class BaseFilter:
    """Households in the base today, beneath `prefix`, of a layer."""

    prefix: str
    on: date
    layer: str = ""

    def rows(self) -> "QuerySet[LowIncome]":
        first, until = scope_of(self.prefix)
        rows = LowIncome.objects.filter(division__gte=first, division__lt=until, valid_to=None)
        rows = rows.filter(layer=self.layer) if self.layer else rows
        return rows.select_related("household").annotate(head_name=_head(self.on))


@dataclass(frozen=True)
class SignalFilter:
    """Which warnings: beneath `prefix`, of a kind, how far, of one officer (appointment), of households in the base."""

    prefix: str
    on: date
    kind: str = ""
    standing: str = ""
    officer: int | None = None
    in_base: bool = False

    def rows(self) -> "QuerySet[Signal]":
        first, until = scope_of(self.prefix)
        rows = Signal.objects.filter(division__gte=first, division__lt=until)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.standing == OVERDUE:
            rows = rows.exclude(state=Signal.State.CLOSED).filter(due_on__lt=self.on)
        elif self.standing:
            rows = rows.filter(state=self.standing)
        if self.officer is not None:
            rows = rows.filter(assigned_to=self.officer)
        return rows.filter(Exists(_base())) if self.in_base else rows

    def told(self) -> "QuerySet[Signal]":
        last = Visit.objects.filter(signal=OuterRef("pk")).order_by("-visited_on").values("visited_on")[:1]
        rows = self.rows().select_related("household", "person")
        return rows.annotate(last_visit=Subquery(last), based=Exists(_base()), head_name=_head(self.on))


def _base() -> "QuerySet[LowIncome]":
    return LowIncome.objects.filter(household=OuterRef("household"), valid_to=None)


def _head(on: date) -> Subquery:
    held = Membership.objects.filter(holding(on), household=OuterRef("household"), relation=HEAD)
    return Subquery(held.values("person__name")[:1])


def page_base(wanted: BaseFilter, place: str = "", size: int = SIZE) -> Page[LowIncome]:
    return cut(wanted.rows(), ("division", "id"), place, size)


def iterate_base(wanted: BaseFilter) -> Iterator[LowIncome]:
    return wanted.rows().order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def page_signals(wanted: SignalFilter, place: str = "", size: int = SIZE) -> Page[Signal]:
    return cut(wanted.told(), ("division", "id"), place, size)


def iterate_signals(wanted: SignalFilter) -> Iterator[Signal]:
    return wanted.told().order_by("division", "id")[:EXPORT_MAX].iterator(2000)


def list_signals(wanted: SignalFilter, rows_max: int = 2000) -> list[Signal]:
    """For the paper of a round."""
    return list(wanted.told().order_by("division", "id")[:rows_max])


def get_signal(number: int) -> Signal:
    """Signal.DoesNotExist when it is not there or not in the actor's place."""
    return Signal.objects.select_related("household", "person").get(pk=number)


def list_visits(number: int) -> list[Visit]:
    return list(Visit.objects.filter(signal=number).order_by("-visited_on", "-id")[:100])


def layers_of(household: int) -> list[LowIncome]:
    return list(LowIncome.objects.filter(household=household).order_by("-valid_from", "layer")[:30])


def count_base(prefix: str, digits: int) -> dict[str, dict[str, int]]:
    """Code → layer → households, by township or village; `all` counts a household in two layers once."""
    low, high = scope_of(prefix)
    rows = fetch(
        "SELECT left(division, %(digits)s), coalesce(layer, 'all'), count(DISTINCT household_id)::int FROM fieldwork_lowincome"
        " WHERE valid_to IS NULL AND division >= %(low)s AND division < %(high)s"
        " GROUP BY GROUPING SETS ((1, layer), (1)) ORDER BY 1",
        {"digits": digits, "low": low, "high": high},
    )
    found: dict[str, dict[str, int]] = {}
    for code, layer, count in rows:
        found.setdefault(str(code).ljust(12, "0"), {})[layer] = count
    return found


def count_signals(prefix: str, digits: int, on: date) -> dict[str, dict[str, int]]:
    """Code → open, assigned, overdue, closed, by township or village."""
    low, high = scope_of(prefix)
    rows = fetch(
        "SELECT left(division, %(digits)s), count(*) FILTER (WHERE state = 'open')::int,"
        " count(*) FILTER (WHERE state = 'assigned')::int,"
        " count(*) FILTER (WHERE state <> 'closed' AND due_on < %(on)s)::int,"
        " count(*) FILTER (WHERE state = 'closed')::int"
        " FROM fieldwork_signal WHERE division >= %(low)s AND division < %(high)s GROUP BY 1 ORDER BY 1",
        {"digits": digits, "low": low, "high": high, "on": on},
    )
    return {
        str(code).ljust(12, "0"): dict(zip((OPEN, DUE, OVERDUE, CLOSED), counts, strict=True)) for code, *counts in rows
    }


def waiting_signals(prefix: str, on: date, officer: int | None = None) -> dict[str, Any]:
    """How many wait to be assigned or visited, how many are late, and the earliest day."""
    rows = SignalFilter(prefix, on, officer=officer).rows().exclude(state=Signal.State.CLOSED)
    counted = rows.aggregate(
        open=Count("pk", filter=Q(state=OPEN)), assigned=Count("pk", filter=Q(state=DUE) & ~Q(due_on=None)),
        late=Count("pk", filter=Q(due_on__lt=on)),
    )  # fmt: skip
    due = rows.exclude(due_on=None).order_by("due_on").values_list("due_on", flat=True).first()
    return counted | {"due": due}


def people_of(numbers: set[int]) -> dict[int, str]:
    """Names of appointments, for a list."""
    held = Appointment.objects.filter(pk__in=numbers).select_related("account")
    return {row.pk: row.account.full_name for row in held}


def list_signals_of(household: int, rows_max: int = 10) -> list[Signal]:
    """Of one household, the newest first."""
    return list(Signal.objects.filter(household=household).order_by("-happened_on", "-id")[:rows_max])
