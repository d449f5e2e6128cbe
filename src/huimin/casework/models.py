"""Decisions and the entitlements that come from them (SEC-02, SEC-07, DET-01).

An entitlement always comes from a decision of a person, also when a filtered list is confirmed at one stroke; the
database refuses two entitlements of one beneficiary to one programme for the same day.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from huimin.audit.models import Signature
from huimin.database.tables import DateRange, DivisionField, Table, TableClass
from huimin.registry.models import Household, Person
from huimin.screening.models import Proposal


class Decision(Table):
    """What a department decided on one proposal, under which policy version, signed with which digest."""

    table_class = TableClass.SUBTREE

    class Outcome(models.TextChoices):
        GRANTED = "granted", "批准"
        REFUSED = "refused", "不批准"

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="decision")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    household = models.ForeignKey(Household, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=300, default="")
    amount_fen = models.BigIntegerField()
    facts_digest = models.CharField(max_length=64, default="")
    effective_from = models.DateField(null=True)
    decided_by = models.BigIntegerField()
    decided_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)


class Entitlement(Table):
    """Who gets what, how much per policy period, from when until when (exclusive; null while it lasts).

    In a 渐退, `amount_fen` is the reduced amount, `original_fen` what was granted before it began in the month
    `phase_out_since`, and `valid_to` its end. `since` is the first month of an unbroken holding (低保起始月).
    """

    table_class = TableClass.SUBTREE
    changeable = ("valid_to", "division")

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="entitlement")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="entitlements")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="entitlements")
    amount_fen = models.BigIntegerField()
    period = models.CharField(max_length=10)
    people = models.SmallIntegerField()
    quantity = models.CharField(max_length=60, default="")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    since = models.DateField(null=True)
    original_fen = models.BigIntegerField(null=True)
    phase_out_since = models.DateField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="entitlement_once",
                # The most telling column first: the index splits on it, and a check stays on few pages.
                expressions=[
                    (F("household"), RangeOperators.EQUAL),
                    (Coalesce(F("person"), 0), RangeOperators.EQUAL),
                    (F("programme"), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(name="entitlement_positive", condition=Q(amount_fen__gt=0)),
        ]
        indexes = [models.Index(fields=["programme", "division"], name="entitlement_list")]
