"""Offices, accounts, and who holds which post when (ORG-02, SEC-01, SEC-02, SEC-08).

An `Account` is a person who signs in; an `Appointment` is what acts: an account in a post at an office, for a time.
Accounts and appointments are read before a scope is known (at sign-in), so they carry no row-level security; they hold
no citizens' data.
"""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DateRange, DivisionField, Table, TableClass
from huimin.organisation.posts import OfficeKind, Post


class Office(Table):
    """An organisation at a division. `programmes` are the codes it is responsible for; empty for none."""

    table_class = TableClass.OPEN
    changeable = ("name", "programmes", "valid_to")

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=OfficeKind.choices)
    division = DivisionField()
    level = models.SmallIntegerField()
    programmes = ArrayField(models.CharField(max_length=40), default=list)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["division", "kind", "name"], name="office_once")]

    def __str__(self) -> str:
        return self.name


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> "Account":
        return self.get(username=username)


class Account(AbstractBaseUser, Table):
    """A person who signs in. `allowed_networks` are CIDR texts; empty means no address is allowed."""

    table_class = TableClass.INSTANCE
    changeable = ("password", "last_login", "must_change_password", "allowed_networks", "active", "password_changed_at")
    unlogged = ("password", "last_login")

    username = models.CharField(max_length=40, unique=True)
    full_name = models.CharField(max_length=40)
    division = DivisionField()
    must_change_password = models.BooleanField(default=True)
    allowed_networks = ArrayField(models.CharField(max_length=43), default=list)
    active = models.BooleanField(default=True)
    password_changed_at = models.DateTimeField(null=True)
    issued_by = models.BigIntegerField(null=True)

    USERNAME_FIELD = "username"
    objects = AccountManager()

    @property
    def is_active(self) -> bool:
        return self.active

    def __str__(self) -> str:
        return self.full_name


class Appointment(Table):
    """An account in a post at an office from `valid_from` up to, not including, `valid_to`. Who acts."""

    table_class = TableClass.INSTANCE
    changeable = ("valid_to",)

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="appointments")
    post = models.CharField(max_length=24, choices=Post.choices)
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="appointments")
    division = DivisionField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    issued_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="one_person_one_post_at_a_time",
                expressions=[
                    (F("account"), RangeOperators.EQUAL),
                    (F("post"), RangeOperators.NOT_EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.UniqueConstraint(
                fields=["account", "post", "office"], condition=Q(valid_to=None), name="appointment_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office.name} · {self.get_post_display()}"


class SimulatedClock(Table):
    """The business date of a demonstration; an instance in service has no row and uses the real date."""

    table_class = TableClass.INSTANCE
    changeable = ("business_date",)

    only = models.BooleanField(default=True, unique=True)
    business_date = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="clock_has_one_row", condition=Q(only=True))]
