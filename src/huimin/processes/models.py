"""Processes as adopted: one row a version, and the rules that tell which programme follows which (CASE-04).

The text is the source of truth and lies among the policy texts; `steps`, `demanded` and `edges` are read out of it at
adoption so that the database can hold cases to them. A version is never changed: a case keeps the one it began with.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class Process(Table):
    """One version of a process. `edges`: `passed:甲>乙`, `returned:乙>甲`, `refused:乙>`; the end is the empty name."""

    table_class = TableClass.CHAIN
    changeable = ("superseded_at",)

    class Subject(models.TextChoices):
        HOUSEHOLD = "household", "一户一案"
        LIST = "list", "名单"
        PROPOSALS = "proposals", "系统建议"

    code = models.CharField(max_length=40)
    division = DivisionField()
    name = models.CharField(max_length=80)
    subject = models.CharField(max_length=10, choices=Subject.choices)
    valid_from = models.DateField()
    basis = models.CharField(max_length=200)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    steps = models.JSONField()
    demanded = ArrayField(models.CharField(max_length=20))
    edges = ArrayField(models.CharField(max_length=60))
    adopted_by = models.BigIntegerField()
    adopted_on = models.DateField()
    adopted_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], condition=Q(superseded_at=None), name="process_live_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        return self.sha256[:8]


class ProcessRule(Table):
    """At a place from a day on: what applications and what the system's proposals of a programme follow."""

    table_class = TableClass.CHAIN
    changeable = ("superseded_at",)

    programme = models.CharField(max_length=40)
    division = DivisionField()
    application = models.CharField(max_length=40, default="")
    proposals = models.CharField(max_length=40, default="")
    valid_from = models.DateField()
    basis = models.CharField(max_length=200)
    adopted_by = models.BigIntegerField()
    adopted_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "division", "valid_from"],
                condition=Q(superseded_at=None),
                name="process_rule_once",
            )
        ]
