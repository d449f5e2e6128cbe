"""Policies as adopted: the texts, and the versions and parameters read out of them (POL-01, POL-02).

The text is the source of truth; the rules engine reads it (huimin.rules). A changed text is a new row; the old one
stays, so that a determination can be repeated under the texts it names.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class PolicyText(Table):
    """One policy file as adopted for a place. `path` is its place in the `policy/` folder."""

    table_class = TableClass.CHAIN
    changeable = ("superseded_at",)

    division = DivisionField()
    path = models.CharField(max_length=120)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    adopted_by = models.BigIntegerField()
    adopted_on = models.DateField()
    adopted_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path"], condition=Q(superseded_at=None), name="policy_text_live_once")
        ]


class Programme(Table):
    """One line of the policy list as a county pays it: the newest facts of each programme code."""

    table_class = TableClass.CHAIN
    changeable = ("name", "abbreviation", "department", "unit", "period", "payout", "payee", "basis")

    code = models.CharField(max_length=40, unique=True)
    division = DivisionField()
    name = models.CharField(max_length=80)
    abbreviation = models.CharField(max_length=8)
    department = models.CharField(max_length=20)
    unit = models.CharField(max_length=10, choices=[("household", "户"), ("person", "人")])
    period = models.CharField(max_length=10)
    payout = models.CharField(max_length=10)
    payee = models.CharField(max_length=10)
    basis = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name
