"""Runs of 明白卡, or of 告知书 that wait to be brought, for many villages, and the file of each village (PAY-07, CASE-11)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from huimin.database.tables import DivisionField, Table, TableClass


class PrintRun(Table):
    """Cards of every household of a place for a period, as of the day it was asked for; or its letters that were made in the
    period and not delivered yet, of `programmes` only where those are named."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "ended_on", "failure")

    class Kind(models.TextChoices):
        CARDS = "cards", "明白卡"
        LETTERS = "letters", "告知书"

    class State(models.TextChoices):
        MAKING = "making", "制作中"
        READY = "ready", "已制成"
        FAILED = "failed", "没有制成"
        REPLACED = "replaced", "已被新的替换"

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.CARDS, db_default="cards")
    programmes = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    division = DivisionField()
    period_from = models.DateField()
    period_until = models.DateField()
    villages = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAKING)
    asked_by = models.BigIntegerField()
    asked_on = models.DateField()
    ended_on = models.DateField(null=True)
    failure = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "kind", "period_from", "period_until"],
                condition=Q(state="making"),
                name="print_run_alone",
            ),
        ]
        indexes = [models.Index(fields=["division", "-id"], name="print_run_list")]


class PrintFile(Table):
    """The cards, or letters, of one village: `households` how many; 0 where there are none, and then no file."""

    table_class = TableClass.SUBTREE

    run = models.ForeignKey(PrintRun, on_delete=models.PROTECT, related_name="files", db_index=False)
    division = DivisionField()
    households = models.IntegerField()
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "division"], name="print_file_once")]
