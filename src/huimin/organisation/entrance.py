"""The entrance: whether an account may come in from an address, and as what (SEC-01, SEC-08).

in    an account whose password was right, the address it comes from, the business date
out   its appointments; or a refusal that is recorded with the address

The web layer calls `authenticate_from` after the password and before the session. Failed passwords and lock-out are
kept by django-axes; here is what comes after a right one.
"""

import ipaddress
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date

from django.db import transaction

from huimin.audit.models import Event
from huimin.database.context import Scope, declare, scope_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor
from huimin.organisation.models import Account, Appointment
from huimin.organisation.queries import get_actor, list_appointments


class NotFromHere(Refusal):
    """The address is not one this account may sign in from."""


class NoPost(Refusal):
    """The account is stopped, or holds no post today."""


def authenticate_from(account: Account, address: str, *, on: date) -> list[Appointment]:
    """Appointments in force, oldest first, and a SIGNED_IN event; NotFromHere or NoPost, recorded, otherwise."""
    try:
        with as_system(account.division):
            appointments = _admitted(account, address, on)
    except Refusal as refusal:
        _remember(account, address, Event.Kind.SIGN_IN_REFUSED, type(refusal).__name__, None)
        raise
    _remember(account, address, Event.Kind.SIGNED_IN, "", appointments[0])
    return appointments


def find_actor(account: Account, appointment: int, address: str, *, on: date) -> Actor | None:
    """The actor of one request: the account's own appointment, still in force, from an address still allowed."""
    if not account.active or not allowed_from(account.allowed_networks, address):
        return None
    with as_system(account.division):
        mine = (each for each in list_appointments(account, on) if each.pk == appointment)
        found = next(mine, None)
        return get_actor(found, address=_valid(address)) if found else None


def record_signed_out(account: Account, address: str) -> None:
    """Remember that the account's session ended by its own wish."""
    _remember(account, address, Event.Kind.SIGNED_OUT, "", None)


def allowed_from(networks: Iterable[str], address: str) -> bool:
    """Whether `address` lies in one of the CIDR `networks`; an address that is none lies in no network."""
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped:
        place = place.ipv4_mapped
    return any(place in ipaddress.ip_network(network) for network in networks)


@contextmanager
def as_system(division: str, appointment: int | None = None) -> Iterator[None]:
    """A transaction of the system itself at one place, before anybody acts: offices can be read, events written."""
    scope_from, scope_to = scope_of(division)
    with transaction.atomic():
        acting = str(appointment) if appointment else ""
        declare(Scope(scope_from, scope_to, "", "system", "", acting, uuid.uuid4().hex))
        yield


def _admitted(account: Account, address: str, on: date) -> list[Appointment]:
    if not allowed_from(account.allowed_networks, address):
        raise NotFromHere(
            "不能从这个网络地址登录",
            why=f"{address} 不在登记的地址内",
            remedy="请在登记的计算机上登录，或请管理员登记新地址",
        )
    if not account.active:
        raise NoPost("这个账号已停用", remedy="请与管理员联系")
    appointments = list_appointments(account, on)
    if not appointments:
        raise NoPost("这个账号今天没有岗位", why=f"{on} 没有在任的岗位", remedy="请管理员核对任职期限")
    return appointments


def _remember(account: Account, address: str, kind: str, obstacle: str, appointment: Appointment | None) -> None:
    """In a transaction of its own, at the account's own place."""
    acting = appointment.pk if appointment else None
    with as_system(account.division, acting):
        Event.objects.create(
            kind=kind,
            division=account.division,
            appointment=acting,
            account=account.pk,
            address=_valid(address),
            subject=f"account {account.pk}",
            detail={"obstacle": obstacle} if obstacle else {},
        )


def _valid(address: str) -> str | None:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None
