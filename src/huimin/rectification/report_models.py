"""What a campaign reports: cases that were dealt with, and what was sent up (CASE-10, SUP-07).

Both stand at the county: cases name people of the offices, and no township sees them (日政办发〔2018〕95号 六(三), 六(四)).
"""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.rectification.models import Campaign, Item


class TypicalCase(Table):
    """查处的典型案例: what kind, who of the offices, what was done, whether it went to discipline inspection. At the county only."""

    table_class = TableClass.SUBTREE
    changeable = ("handling", "handled_on", "to_discipline", "handed_to", "handed_no", "handed_on", "exposed_on")

    class Kind(models.TextChoices):
        FAVOUR = "favour", "人情保"
        RELATION = "relation", "关系保"
        WRONG = "wrong", "错保"
        MISSED = "missed", "漏保"
        ROTATION = "rotation", "轮流坐庄"
        MONEY = "money", "贪污侵占、截留私分"
        FALSE = "false", "虚报冒领"
        BRIBE = "bribe", "吃拿卡要"
        CONDUCT = "conduct", "推诿刁难、不作为"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="typical")
    division = DivisionField()
    place = DivisionField()
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, db_index=False, related_name="typical")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    found_on = models.DateField()
    source = models.CharField(max_length=80)
    involved = models.CharField(max_length=60)
    position = models.CharField(max_length=80)
    facts = models.CharField(max_length=1000)
    amount_fen = models.BigIntegerField(null=True)
    handling = models.CharField(max_length=500, default="")
    handled_on = models.DateField(null=True)
    to_discipline = models.BooleanField(default=False)
    handed_to = models.CharField(max_length=80, default="")
    handed_no = models.CharField(max_length=60, default="")
    handed_on = models.DateField(null=True)
    exposed_on = models.DateField(null=True)
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="typical_case_handed_whole",
                condition=Q(to_discipline=False, handed_on=None)
                | Q(to_discipline=True, handed_on__isnull=False) & ~Q(handed_to=""),
            ),
            models.CheckConstraint(name="typical_case_not_in_the_future", condition=Q(found_on__lte=F("entered_on"))),
            models.UniqueConstraint(
                fields=["campaign", "kind", "place", "involved", "found_on"], name="typical_case_once"
            ),
        ]
        indexes = [models.Index(fields=["campaign", "found_on", "id"], name="typical_case_month")]


class Submission(Table):
    """What was sent up, frozen, with its digest; the upper level's receipt is entered by hand when it comes."""

    table_class = TableClass.SUBTREE
    changeable = ("received_on", "received_no", "receiver", "received_by")

    class Kind(models.TextChoices):
        MONTHLY = "monthly", "典型案例月报"
        INTERIM = "interim", "阶段工作总结"
        SUMMARY = "summary", "工作总结和情况汇总表"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="submissions", db_index=False)
    division = DivisionField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    month = models.DateField(null=True)
    due_on = models.DateField()
    text = models.CharField(max_length=2000, default="")
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    sent_by = models.BigIntegerField()
    sent_on = models.DateField()
    sent_to = models.CharField(max_length=80)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    received_on = models.DateField(null=True)
    received_no = models.CharField(max_length=60, default="")
    receiver = models.CharField(max_length=80, default="")
    received_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "kind", "month"], name="rectification_sent_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="rectification_month_of_monthly",
                condition=Q(kind="monthly", month__isnull=False) | ~Q(kind="monthly") & Q(month=None),
            ),
            models.CheckConstraint(
                name="rectification_received_after_sent",
                condition=Q(received_on=None) | Q(received_on__gte=F("sent_on")) & ~Q(receiver=""),
            ),
        ]
