"""The installation act: the leading office of a place and its first administrator, who appoints everybody else.

Runs once, on the maintenance connection, because nobody is there yet to act; repeating it returns who was appointed.
A second administrator of the place is appointed by the first (organisation.commands.appoint).
"""

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from huimin.divisions.models import Division
from huimin.kernel.errors import Refusal
from huimin.organisation.commands import parse_networks
from huimin.organisation.models import Account, Appointment, Office, SimulatedClock
from huimin.organisation.posts import OfficeKind, Post

USING = "maintenance"


class NotInstalled(Refusal):
    """The place is not among the divisions yet."""


def install_first_administrator(
    *,
    division: str,
    office_name: str,
    username: str,
    full_name: str,
    networks: Sequence[str],
    password_hash: str,
    on: date,
    must_change_password: bool = True,
) -> Appointment:
    """The first administrator of `division`; NotInstalled when the division is unknown on `on`."""
    with transaction.atomic(using=USING):
        place = Division.objects.using(USING).filter(code=division, valid_from__lte=on, valid_to=None).first()
        if place is None:
            raise NotInstalled(f"没有代码为 {division} 的区划", remedy="请先导入区划")
        office, _ = Office.objects.using(USING).get_or_create(
            division=division,
            kind=OfficeKind.LEADING_OFFICE,
            name=office_name,
            defaults={"level": place.level, "valid_from": on},
        )
        first = Appointment.objects.using(USING).filter(post=Post.ADMINISTRATOR, office=office).first()
        if first:
            return first
        account = Account.objects.using(USING).create(
            username=username,
            full_name=full_name,
            division=division,
            allowed_networks=parse_networks(networks),
            password=password_hash,
            must_change_password=must_change_password,
        )
        return Appointment.objects.using(USING).create(
            account=account, post=Post.ADMINISTRATOR, office=office, division=division, valid_from=on
        )


def set_business_date(day: date) -> None:
    """Set the simulated clock of a demonstration; an instance in service never calls this."""
    SimulatedClock.objects.using(USING).update_or_create(only=True, defaults={"business_date": day})
