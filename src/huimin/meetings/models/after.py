"""What follows the minutes: inquiries, corrections, signed papers; and 一事一议 of a township (CASE-01, CASE-03)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.cases.models import Case
from huimin.casework.models import Relief
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.meetings.models.meeting import Item, Meeting


class Inquiry(Table):
    """What the township found of a judged case: the determination stands, or it is judged again once registered anew."""

    table_class = TableClass.SUBTREE

    class Conclusion(models.TextChoices):
        STANDS = "stands", "认定属实，继续办理"
        AGAIN = "again", "更正登记后重新评议"

    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="inquiry")
    division = DivisionField()
    conclusion = models.CharField(max_length=8, choices=Conclusion.choices)
    text = models.CharField(max_length=2000)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    written_by = models.BigIntegerField()
    account = models.BigIntegerField()
    written_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="inquiry_is_written", condition=~Q(text=""))]


class Correction(Table):
    """A mistake in minutes that are final, put right in words; nothing of the minutes changes."""

    table_class = TableClass.SUBTREE

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="corrections", db_index=False)
    division = DivisionField()
    text = models.CharField(max_length=500)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    written_by = models.BigIntegerField()
    written_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="correction_is_written", condition=~Q(text="")),
            models.UniqueConstraint(fields=["meeting", "text"], name="correction_once"),
        ]


class MeetingScan(Table):
    """A signed paper or a photo of a meeting; the file lies encrypted beside the scans (registry.commands.attachments)."""

    table_class = TableClass.SUBTREE

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", "签到表"
        MINUTES = "minutes", "签字的会议记录"
        BALLOTS = "ballots", "选票、计票单"
        PHOTO = "photo", "会场照片"

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="scans", db_index=False)
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    media_type = models.CharField(max_length=20)
    size_bytes = models.IntegerField()
    sha256 = models.CharField(max_length=64, db_collation="C")
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "sha256"], name="meeting_scan_once")]


class CollectiveDecision(Table):
    """一事一议: what a township's officials hold of a case whose facts cannot be verified, and what is done meanwhile.

    It grants nothing: what they hold to be true is registered as a change with this as its evidence, and the law is
    computed anew. Law: 伊民规〔2022〕2号 二(一)6; 民发〔2018〕23号.
    """

    table_class = TableClass.SUBTREE

    class Conclusion(models.TextChoices):
        RELIEF = "relief", "先行救助，继续核实"
        SETTLED = "settled", "集体认定有关情况，据此登记后再判断"
        NOT_HELPED = "not_helped", "不作认定，按现有情况办理"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="collective_decisions", db_index=False)
    division = DivisionField()
    round = models.SmallIntegerField()
    held_on = models.DateField()
    location = models.CharField(max_length=60)
    officials = ArrayField(models.CharField(max_length=60))
    in_favour = models.SmallIntegerField()
    against = models.SmallIntegerField()
    abstained = models.SmallIntegerField()
    unverified = models.CharField(max_length=500)
    no_fault = models.CharField(max_length=300)
    hardship = models.CharField(max_length=500)
    conclusion = models.CharField(max_length=10, choices=Conclusion.choices)
    findings = models.CharField(max_length=1000, default="")
    minutes = models.CharField(max_length=2000)
    basis = models.CharField(max_length=120)
    relief = models.ForeignKey(Relief, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="collective_of_three", condition=Q(officials__len__gte=3)),
            models.CheckConstraint(
                name="collective_adds_up",
                condition=Q(officials__len=F("in_favour") + F("against") + F("abstained"))
                & Q(in_favour__gte=0, against__gte=0, abstained__gte=0),
            ),
            models.CheckConstraint(
                name="collective_by_most",
                condition=Q(conclusion="not_helped") | Q(in_favour__gt=F("against") + F("abstained")),
            ),
            models.CheckConstraint(
                name="collective_says_what",
                condition=~Q(unverified="")
                & ~Q(no_fault="")
                & ~Q(hardship="")
                & ~Q(minutes="")
                & (~Q(conclusion="settled") | ~Q(findings="")),
            ),
            models.UniqueConstraint(fields=["case", "held_on"], name="collective_once_a_day"),
        ]
        indexes = [models.Index(fields=["case", "id"], name="collective_of_case")]
