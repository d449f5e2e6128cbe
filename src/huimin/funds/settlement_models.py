"""The settlement with the upper finance of a quarter or a year, frozen as it was signed (FUND-04)."""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass


class FundSettlement(Table):
    """Received, spent, given back and left by programme and document; `quarter` 0 is the whole year. Two people sign it."""

    table_class = TableClass.SUBTREE
    changeable = ("confirmed_by", "confirmed_on", "confirmation")

    division = DivisionField()
    year = models.SmallIntegerField()
    quarter = models.SmallIntegerField()
    # As the page shows it: one list a document (payment.settlement.Row).
    rows = models.JSONField()
    opening_fen = models.BigIntegerField()
    received_fen = models.BigIntegerField()
    spent_fen = models.BigIntegerField()
    returned_fen = models.BigIntegerField()
    lying_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    prepared_by = models.BigIntegerField()
    prepared_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    confirmation = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "year", "quarter", "digest"], name="fund_settlement_once"),
            models.CheckConstraint(name="fund_settlement_of_a_quarter", condition=Q(quarter__gte=0, quarter__lte=4)),
            models.CheckConstraint(
                name="fund_settlement_adds_up",
                condition=Q(lying_fen=F("opening_fen") + F("received_fen") - F("spent_fen") - F("returned_fen")),
            ),
            models.CheckConstraint(
                name="fund_settlement_confirmed_whole",
                condition=Q(confirmed_by=None, confirmed_on=None, confirmation=None)
                | Q(confirmed_by__isnull=False, confirmed_on__isnull=False, confirmation__isnull=False),
            ),
            models.CheckConstraint(
                name="fund_settlement_confirmed_by_another",
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("prepared_by")),
            ),
        ]
        indexes = [models.Index(fields=["division", "-year", "-quarter"], name="fund_settlement_list")]
