"""Reads of runs and their files; bounded, inside `reading(by)` (PAY-07)."""

from datetime import date

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.jobs.models import Job
from huimin.kernel.periods import Period
from huimin.kernel.places import chain
from huimin.printing.commands import JOBS, Kind
from huimin.printing.models import PrintFile, PrintRun


def list_runs(prefix: str, kind: str, programmes: tuple[str, ...] | None = None, rows_max: int = 40) -> list[PrintRun]:
    """Newest first; without those a newer one replaced. `programmes`: only runs of some of them and of nothing else."""
    first, until = scope_of(prefix)
    rows = PrintRun.objects.filter(division__gte=first, division__lt=until, kind=kind)
    if programmes is not None:
        rows = rows.filter(programmes__contained_by=list(programmes)).exclude(programmes=[])
    return list(rows.exclude(state=PrintRun.State.REPLACED).order_by("-id")[:rows_max])


def page_files(run: int, prefix: str, place: str = "", size: int = SIZE) -> Page[PrintFile]:
    """Villages of a run that lie in a place, by code."""
    first, until = scope_of(prefix)
    rows = PrintFile.objects.filter(run=run, division__gte=first, division__lt=until, households__gt=0)
    return cut(rows, ("division",), place, size)


def job_of(run: int) -> Job | None:
    return Job.objects.filter(kind__in=JOBS.values(), arguments__run=run).order_by("-id").first()


def half_years_about(on: date) -> list[Period]:
    """The half-year cards are due for: in its last month, and the month after it. The law says 年中和年末, no day."""
    if on.month in (6, 7):
        return [Period(date(on.year, 1, 1), date(on.year, 7, 1))]
    if on.month in (12, 1):
        year = on.year if on.month == 12 else on.year - 1
        return [Period(date(year, 7, 1), date(year + 1, 1, 1))]
    return []


def made_of(division: str, period: Period) -> bool:
    """Whether a run of the place or of what it lies in covers the period, or the year it ends."""
    rows = PrintRun.objects.filter(
        kind=Kind.CARDS, division__in=chain(division), period_until=period.until, period_from__lte=period.start
    )
    return rows.exclude(state=PrintRun.State.FAILED).exists()
