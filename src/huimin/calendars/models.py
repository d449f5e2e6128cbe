"""Holidays of a year that the official list in the system does not reach, as a county entered them (CASE-05)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, Table, TableClass


class HolidayYear(Table):
    """The days off and the make-up days of one year, from the State Council's notice; it counts once another confirmed it."""

    table_class = TableClass.CHAIN
    changeable = ("state", "confirmed_by", "confirmed_on", "refusal")

    class State(models.TextChoices):
        ENTERED = "entered", "待复核"
        CONFIRMED = "confirmed", "生效"
        REFUSED = "refused", "已退回"
        REPLACED = "replaced", "已被更正"

    division = DivisionField()
    year = models.SmallIntegerField()
    off = ArrayField(models.DateField())
    made_up = ArrayField(models.DateField(), default=list)
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ENTERED)
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "year"], condition=Q(state="confirmed"), name="holiday_year_once"
            ),
            models.UniqueConstraint(
                fields=["division", "year"], condition=Q(state="entered"), name="holiday_year_waits"
            ),
            models.CheckConstraint(
                name="holiday_year_by_two", condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("entered_by"))
            ),
        ]
