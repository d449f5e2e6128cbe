"""Reads of offices and appointments."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from huimin.kernel.places import Level
from huimin.organisation.acting import Actor
from huimin.organisation.models import Account, Appointment, Office, SimulatedClock
from huimin.organisation.posts import OfficeKind, Post

_ZONE = ZoneInfo("Asia/Shanghai")


def business_date() -> date:
    """The day business is done on: simulated in a demonstration, else today in China."""
    simulated = SimulatedClock.objects.values_list("business_date", flat=True).first()
    return simulated or datetime.now(_ZONE).date()


def list_appointments(account: Account, on: date) -> list[Appointment]:
    """Appointments in force, with their offices, oldest first."""
    return list(account.appointments.filter(live_on(on)).select_related("office").order_by("id"))


def live_on(on: date) -> Q:
    """Appointments (offices) in force on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def list_offices(
    by: Actor, on: date, *, kind: OfficeKind | None = None, after: int = 0, rows_max: int = 50
) -> list[Office]:
    """Offices in force in the place of `by`, by id from `after` on; inside `reading(by)`."""
    offices = Office.objects.filter(live_on(on), division__startswith=by.prefix, pk__gt=after)
    if kind is not None:
        offices = offices.filter(kind=kind)
    return list(offices.order_by("id")[:rows_max])


def list_accounts(by: Actor, *, starts_with: str = "", after: int = 0, rows_max: int = 50) -> list[Account]:
    """Accounts in the place of `by` whose user name or full name begins with a text, by id from `after` on."""
    accounts = Account.objects.filter(division__startswith=by.prefix, pk__gt=after)
    if starts_with:
        accounts = accounts.filter(Q(username__startswith=starts_with) | Q(full_name__startswith=starts_with))
    return list(accounts.order_by("id")[:rows_max])


def list_holders(by: Actor, office: int, on: date) -> list[Appointment]:
    """Who holds which post at an office in the place of `by`, with their accounts; inside `reading(by)`."""
    held = Appointment.objects.filter(live_on(on), office=office, division__startswith=by.prefix)
    return list(held.select_related("account", "office").order_by("post", "id"))


def names_of_appointments(appointments: set[int | None]) -> dict[int, str]:
    """Who, in which post, for the pages; a post that is not seen from here stays unnamed."""
    rows = Appointment.objects.filter(pk__in=appointments - {None}).select_related("account", "office")
    return {each.pk: f"{each.office.name} {each.get_post_display()} {each.account.full_name}" for each in rows}


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
