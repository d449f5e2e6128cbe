"""Reads of offices and appointments."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from huimin.kernel.places import Level
from huimin.organisation.acting import Actor
from huimin.organisation.models import Account, Appointment, SimulatedClock
from huimin.organisation.posts import OfficeKind, Post

_ZONE = ZoneInfo("Asia/Shanghai")


def business_date() -> date:
    """The day business is done on: simulated in a demonstration, else today in China."""
    simulated = SimulatedClock.objects.values_list("business_date", flat=True).first()
    return simulated or datetime.now(_ZONE).date()


def list_appointments(account: Account, on: date) -> list[Appointment]:
    """Appointments in force, with their offices, oldest first."""
    live = Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))
    return list(account.appointments.filter(live).select_related("office").order_by("id"))


def get_actor(appointment: Appointment, *, address: str | None = None) -> Actor:
    """The actor for an appointment whose account and office are loaded or loadable."""
    office, account = appointment.office, appointment.account
    return Actor(
        appointment=appointment.pk,
        account=account.pk,
        name=account.full_name,
        post=Post(appointment.post),
        office=office.pk,
        office_kind=OfficeKind(office.kind),
        office_name=office.name,
        division=office.division,
        level=Level(office.level),
        programmes=tuple(office.programmes),
        address=address,
    )
