"""Lists of monitoring points: notes by state and kind, what waits at which level, reports of a quarter (ORG-04).

Call inside `reading(by)`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.fieldwork.models import PointNote, PointReport, PointStep
from huimin.kernel.places import Level

EXPORT_MAX = 100_000


@dataclass(frozen=True)
class NoteFilter:
    """Which notes: beneath `prefix`; of a kind, in a state, waiting at a level, late on a day, in a quarter's report."""

    prefix: str
    kind: str = ""
    state: str = ""
    stands_at: str = ""
    late_on: date | None = None
    report: int | None = None

    def rows(self) -> "QuerySet[PointNote]":
        first, until = scope_of(self.prefix)
        rows = PointNote.objects.filter(division__gte=first, division__lt=until)
        for field in ("kind", "state", "stands_at"):
            if value := getattr(self, field):
                rows = rows.filter(**{field: value})
        if self.late_on is not None:
            rows = rows.filter(state=PointNote.State.WAITING, due_on__lt=self.late_on)
        return rows if self.report is None else rows.filter(report=self.report)


def page_notes(wanted: NoteFilter, place: str = "", size: int = SIZE) -> Page[PointNote]:
    """The newest first."""
    return cut(wanted.rows().select_related("household"), ("-id",), place, size)


def iterate_notes(wanted: NoteFilter) -> Iterator[PointNote]:
    return wanted.rows().select_related("household").order_by("-id")[:EXPORT_MAX].iterator(2000)


def get_note(number: int) -> PointNote:
    """PointNote.DoesNotExist when it is not there or not in the actor's place."""
    return PointNote.objects.select_related("household", "report").get(pk=number)


def list_steps(number: int) -> list[PointStep]:
    return list(PointStep.objects.filter(note=number).order_by("id"))


def count_waiting(prefix: str, stands_at: tuple[str, ...], on: date) -> tuple[int, int, date | None]:
    """(waiting, late, earliest day) at these levels beneath a place."""
    first, until = scope_of(prefix)
    rows = PointNote.objects.filter(
        state=PointNote.State.WAITING, stands_at__in=stands_at, division__gte=first, division__lt=until
    )
    counted = rows.aggregate(n=Count("pk"), late=Count("pk", filter=Q(due_on__lt=on)))
    earliest = rows.exclude(due_on=None).order_by("due_on").values_list("due_on", flat=True).first()
    return counted["n"], counted["late"], earliest


def count_by_village(prefix: str, digits: int) -> dict[str, list[int]]:
    """Code → [notes, urgent, waiting], by township or village."""
    first, until = scope_of(prefix)
    rows = PointNote.objects.filter(division__gte=first, division__lt=until).values_list("division", "urgent", "state")
    counted = rows.order_by().annotate(n=Count("pk"))
    found: dict[str, list[int]] = {}
    for division, urgent, state, number in counted:
        sums = found.setdefault(division[:digits].ljust(12, "0"), [0, 0, 0])
        sums[0] += number
        sums[1] += number if urgent else 0
        sums[2] += number if state == PointNote.State.WAITING else 0
    return dict(sorted(found.items()))


def list_reports(prefix: str, level: Level, year: int, number: int) -> list[PointReport]:
    """Of one quarter, by place."""
    first, until = scope_of(prefix)
    rows = PointReport.objects.filter(
        division__gte=first, division__lt=until, level=int(level), year=year, quarter=number
    )
    return list(rows.select_related("signature").order_by("division")[:2000])


def find_report(division: str, year: int, number: int) -> PointReport | None:
    rows = PointReport.objects.filter(division=division, year=year, quarter=number)
    return rows.select_related("signature").first()


def has_notes(prefix: str, before: date) -> bool:
    """Whether the place recorded anything before a day: a point that never began owes no report."""
    first, until = scope_of(prefix)
    return PointNote.objects.filter(division__gte=first, division__lt=until, recorded_on__lt=before).exists()
