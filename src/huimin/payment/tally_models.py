"""What the lines of a roster come to, village by village and state by state, kept as they change (PAY-01).

A roster of 700,000 lines is opened, filtered and signed as fast as a small one: nobody counts its lines again. Kept by a trigger of
migration 0011 with every statement that adds lines or changes their state, whoever writes.
"""

from django.db import models
from django.db.models import Q

from huimin.database.tables import DivisionField, Table, TableClass


class RosterTally(Table):
    """Lines of one village (12 digits) in one state."""

    table_class = TableClass.SUBTREE
    changeable = ("lines", "amount_fen")

    roster = models.ForeignKey("payment.Roster", on_delete=models.PROTECT, related_name="tallies", db_index=False)
    division = DivisionField()
    state = models.CharField(max_length=10)
    lines = models.IntegerField()
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["roster", "division", "state"], name="roster_tally_once"),
            models.CheckConstraint(name="roster_tally_counts", condition=Q(lines__gte=0, amount_fen__gte=0)),
        ]
