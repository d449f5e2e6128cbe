"""Days of an appeal: when it can still be made, when it must be answered (行政复议法; the county's own for 申诉).

in    the kind, when the decision became known, when it was accepted
out   last days; a last day that is a holiday is moved to the next working day

复议: 60 days from knowing of the decision (第20条; before 2024 第9条), decided within 60 days of acceptance, 30 more with reason
(第62条; 第31条). They are days of the calendar, and the first is not counted. What the county allows for 申诉 is its own rule
(AppealRule); without one there is no term, and the page says so. Articles of the law of 2023 other than 第20条 are cited as
known, without the text at hand.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from huimin.appeals.models import Appeal, AppealRule
from huimin.calendars.queries import calendar_of
from huimin.cases.models import FAR
from huimin.kernel.places import chain
from huimin.kernel.working_days import CalendarUnknown, WorkingCalendar

REVIEW_FILE_DAYS, REVIEW_ANSWER_DAYS, REVIEW_EXTENDED_DAYS = 60, 60, 30
LAW = "行政复议法"


@dataclass(frozen=True)
class Terms:
    """Days to appeal, to answer, and more with a reason; None: no term is set. `basis` says by what."""

    file_days: int | None
    answer_days: int | None
    extended_days: int
    basis: str


def terms_of(kind: str, division: str, on: date) -> Terms:
    """In force at a place on a day; inside `reading(by)` or a command."""
    if kind == Appeal.Kind.REVIEW:
        return Terms(REVIEW_FILE_DAYS, REVIEW_ANSWER_DAYS, REVIEW_EXTENDED_DAYS, LAW)
    rows = AppealRule.objects.filter(
        division__in=chain(division), state=AppealRule.State.CONFIRMED, settled_on__lte=on
    ).order_by("-division", "-id")
    rule = rows.first()
    if rule is None:
        return Terms(None, None, 0, "县里没有规定申诉期限")
    return Terms(rule.file_days, rule.answer_days, rule.extended_days, rule.basis)


def last_day(since: date, days: int | None, division: str) -> date:
    """`days` after `since` (not counted), or the first working day after it; FAR without a term."""
    if days is None:
        return FAR
    return next_working_day(since + timedelta(days=days), calendar_of(division))


def next_working_day(day: date, calendar: WorkingCalendar) -> date:
    """The day itself, or the first working day after a holiday. Of a year nobody has entered the day itself: nobody's appeal
    waits for the calendar."""
    later = day
    try:
        while not calendar.is_working_day(later):
            later += timedelta(days=1)
    except CalendarUnknown:
        return day
    return later
