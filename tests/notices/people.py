"""Offices and people of one small county, made by hand in the blank stage for the tests of single rooms."""

from datetime import date

from django.db import transaction

from huimin.divisions.models import Division
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.posts import OfficeKind, Post

COUNTY = "341524000000"
MEISHAN = "341524100000"
QINGSHAN = "341524101000"
XUCHONG = "341524100201"
LILING = "341524100202"
QINGSHAN_VILLAGE = "341524101201"
FOUNDED = date(2021, 1, 1)

_PLACES = [
    (COUNTY, "金寨县", Level.COUNTY),
    (MEISHAN, "梅山镇", Level.TOWNSHIP),
    (QINGSHAN, "青山镇", Level.TOWNSHIP),
    (XUCHONG, "徐冲村委会", Level.VILLAGE),
    (LILING, "李岭村委会", Level.VILLAGE),
    (QINGSHAN_VILLAGE, "青山村委会", Level.VILLAGE),
]
_OFFICES = {
    "finance": (OfficeKind.FINANCE, COUNTY, Level.COUNTY),
    "bank": (OfficeKind.BANK, COUNTY, Level.COUNTY),
    "meishan": (OfficeKind.TOWNSHIP, MEISHAN, Level.TOWNSHIP),
    "qingshan": (OfficeKind.TOWNSHIP, QINGSHAN, Level.TOWNSHIP),
    "xuchong": (OfficeKind.VILLAGE, XUCHONG, Level.VILLAGE),
    "liling": (OfficeKind.VILLAGE, LILING, Level.VILLAGE),
}


class People:
    """`people.of("meishan", Post.CLERK)` is an actor; `number` tells two people in one post apart."""

    def __init__(self) -> None:
        with transaction.atomic("maintenance"):
            Division.objects.using("maintenance").bulk_create(
                Division(code=code, name=name, level=int(level), valid_from=FOUNDED) for code, name, level in _PLACES
            )
            self.offices = {
                key: Office.objects.using("maintenance").create(
                    name=f"办公室 {key}", kind=kind, division=place, level=int(level), valid_from=FOUNDED
                )
                for key, (kind, place, level) in _OFFICES.items()
            }
        self._actors: dict[tuple[str, Post, int], Actor] = {}

    def of(self, office: str, post: Post, number: int = 1) -> Actor:
        key = (office, post, number)
        if key not in self._actors:
            self._actors[key] = self._appoint(*key)
        return self._actors[key]

    def _appoint(self, office: str, post: Post, number: int) -> Actor:
        place = self.offices[office]
        account = Account.objects.using("maintenance").create(
            username=f"{office}-{post}-{number}", full_name=f"甲{number}", division=place.division
        )
        appointment = Appointment.objects.using("maintenance").create(
            account=account, post=post, office=place, division=place.division, valid_from=FOUNDED
        )
        return Actor(
            appointment=appointment.pk,
            account=account.pk,
            name=account.full_name,
            post=post,
            office=place.pk,
            office_kind=OfficeKind(place.kind),
            office_name=place.name,
            division=place.division,
            level=Level(place.level),
        )
