"""The simulated business date moves forward only, so that repeating a step does not turn the county back."""

from datetime import date

from huimin.organisation.installation import set_business_date
from huimin.organisation.models import SimulatedClock


def business_day(day: date) -> None:
    """It is at least this day now."""
    now = SimulatedClock.objects.values_list("business_date", flat=True).first()
    if now is None or now < day:
        set_business_date(day)
