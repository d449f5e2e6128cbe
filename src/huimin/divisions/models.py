"""Administrative divisions in five levels, and 村民组 below a village (ORG-01).

A division is a code for a time: it may be renamed (a new row from that day), or end with a successor. What was
decided or paid under a code keeps it; `successor` says where its work went.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DateRange, DivisionField, Table, TableClass
from huimin.kernel.places import Level


class Division(Table):
    """One place under one name for a time; valid_to is the first day it no longer holds."""

    table_class = TableClass.OPEN
    scope_column = "code"
    changeable = ("valid_to", "successor")

    LEVELS = [(int(level), level.label) for level in Level if level is not Level.NATION]

    code = DivisionField()
    name = models.CharField(max_length=60)
    level = models.SmallIntegerField(choices=LEVELS)
    parent = DivisionField(null=True)
    pinyin = models.CharField(max_length=200, db_collation="C", default="")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    successor = DivisionField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="division_one_name_a_day",
                expressions=[
                    (F("code"), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                name="division_code_has_its_level",
                condition=Q(code__regex=r"^[0-9]{12}$") & Q(level__lte=12) | Q(code__regex=r"^[0-9]{15}$", level=15),
            ),
        ]
        indexes = [models.Index(fields=["parent"], name="division_parent")]

    def __str__(self) -> str:
        return self.name
