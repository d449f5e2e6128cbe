"""The calendar a place counts by, and the years that were entered; inside `reading(by)` or a command (CASE-05)."""

from huimin.calendars.models import HolidayYear
from huimin.kernel.places import chain
from huimin.kernel.working_days import OFFICIAL, WorkingCalendar, YearOff


def calendar_of(division: str, using: str = "default") -> WorkingCalendar:
    """The official calendar with the years confirmed for the place or above it; the nearest place's year wins. One query."""
    rows = HolidayYear.objects.using(using).filter(division__in=chain(division), state=HolidayYear.State.CONFIRMED)
    found = {row.year: YearOff(frozenset(row.off), frozenset(row.made_up)) for row in rows.order_by("division")}
    return WorkingCalendar(found) if found else OFFICIAL


def list_years(rows_max: int = 60) -> list[HolidayYear]:
    """Newest years first, whatever became of them."""
    return list(HolidayYear.objects.order_by("-year", "-id")[:rows_max])


def count_waiting_years(appointment: int) -> int:
    """Years that wait for a second person, other than those this appointment entered."""
    return HolidayYear.objects.filter(state=HolidayYear.State.ENTERED).exclude(entered_by=appointment).count()
