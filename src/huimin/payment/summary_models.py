"""The summary roster (汇总清册): one line a household with every programme it draws, of a township and period (PAY-01).

    compiled ──sign──► signed          by township finance, from rosters the head has signed; then by the head himself
        └──────────► replaced          by a later one of the same period, when another roster was signed since

Always true, by the database: one summary of a township and period is in use; who compiled it does not sign it; its lines are
never changed, and each line's total is the sum of its parts.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household


class SummaryRoster(Table):
    """What a township pays in a period, household by household."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "signed_by", "signed_on", "signature")

    class State(models.TextChoices):
        COMPILED = "compiled", "待签字"
        SIGNED = "signed", "已签字"
        REPLACED = "replaced", "已被替换"

    division = DivisionField()
    period_from = models.DateField()
    period_until = models.DateField()
    number = models.SmallIntegerField()
    rosters = ArrayField(models.BigIntegerField())
    programmes = ArrayField(models.CharField(max_length=40))
    households = models.IntegerField()
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.COMPILED)
    compiled_by = models.BigIntegerField()
    compiled_on = models.DateField()
    signed_by = models.BigIntegerField(null=True)
    signed_on = models.DateField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "period_from", "period_until"],
                condition=~Q(state="replaced"),
                name="summary_roster_in_use_once",
            ),
            models.UniqueConstraint(
                fields=["division", "period_from", "period_until", "number"], name="summary_roster_number_once"
            ),
            models.CheckConstraint(
                name="summary_signed_by_another",
                condition=~Q(state="signed")
                | Q(signed_by__isnull=False, signed_on__isnull=False, signature__isnull=False)
                & ~Q(signed_by=F("compiled_by")),
            ),
        ]


class SummaryLine(Table):
    """A household on a summary roster: `amounts` of `programmes`, in the order of the summary's programmes."""

    table_class = TableClass.SUBTREE

    summary = models.ForeignKey(SummaryRoster, on_delete=models.PROTECT, related_name="lines", db_index=False)
    line_no = models.IntegerField()
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    amounts = ArrayField(models.BigIntegerField())
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["summary", "line_no"], name="summary_line_no_once"),
            models.UniqueConstraint(fields=["summary", "household"], name="summary_line_household_once"),
            models.CheckConstraint(name="summary_line_positive", condition=Q(amount_fen__gt=0)),
        ]
