"""What is told: to the village for as long as it is paid, to the household about what was decided, and on what it shows (CASE-07, CASE-11).

`PublicSheet`, `PaidCheck`: the long-term list (长期公示), posted and compared with payments. `Letter`: 告知书 of decisions,
owed from the moment of the decision (trigger of migration 0002), written, delivered. `Certificate`: 救助证. `NumberBook`: the
running numbers of both. Letters and certificates move with their household; posted sheets and checks keep their place.
"""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q

from huimin.casework.models import Decision, Entitlement
from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.kernel.working_days import WorkingCalendar
from huimin.registry.models import Household, Person


class PublicSheet(Table):
    """The long-term list of a village as it was posted for a month: what it came to, and the photo on its board.

    The list itself is no copy: it is computed from the entitlements in force (publicity.py) and has the same digest as
    long as it is what hangs there.
    """

    table_class = TableClass.SUBTREE
    changeable = ("photo_sha256", "photo_type", "photo_on", "spot", "photographer", "photo_by")

    division = DivisionField()
    month = models.DateField()
    digest = models.CharField(max_length=64)
    rows_count = models.IntegerField()
    people_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    hotline = models.CharField(max_length=60, default="")
    posted_on = models.DateField()
    posted_by = models.BigIntegerField()
    photo_sha256 = models.CharField(max_length=64, db_collation="C", default="")
    photo_type = models.CharField(max_length=20, default="")
    photo_on = models.DateField(null=True)
    spot = models.CharField(max_length=80, default="")
    photographer = models.CharField(max_length=40, default="")
    photo_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "month", "digest"], name="public_sheet_once"),
            models.CheckConstraint(
                name="public_sheet_photo_whole",
                condition=Q(photo_sha256="", photo_on=None, photo_by=None)
                | ~Q(photo_sha256="")
                & ~Q(spot="")
                & ~Q(photographer="")
                & Q(photo_on__isnull=False, photo_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["division", "-posted_on", "-id"], name="public_sheet_newest")]


class PaidCheck(Table):
    """After a payment: whether a township's long-term list of a programme is what was paid (CASE-07).

    `listed` entitlements in force at the end of the period, `paid` of them paid, `waiting` on a roster and not paid yet;
    `differing` are on one side only: `examples` names the first of them.
    """

    table_class = TableClass.SUBTREE

    division = DivisionField()
    programme = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    period_from = models.DateField()
    period_until = models.DateField()
    listed = models.IntegerField()
    paid = models.IntegerField()
    waiting = models.IntegerField()
    differing = models.IntegerField()
    examples = models.JSONField(default=list)
    checked_on = models.DateField()
    checked_by = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["division", "-id"], name="paid_check_newest")]


class NumberBook(Table):
    """The last number given in a series and year: letters of an office, certificates of a township."""

    table_class = TableClass.SUBTREE
    changeable = ("last",)

    division = DivisionField()
    series = models.CharField(max_length=40)
    year = models.SmallIntegerField()
    last = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "series", "year"], name="number_book_once"),
            models.CheckConstraint(name="number_book_counts", condition=Q(last__gte=0)),
        ]


class Letter(Table):
    """告知书 of one decision: owed, then written with its number and content, then delivered.

    The content (who, how much, which conditions with which values) is sealed: it is for the household. `office` decided
    and writes it.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "division", "household", "state", "year", "serial", "number", "name", "issued_on", "issued_by", "due_on", "payload_enc",
        "payload_hash", "digest", "delivered_on", "delivered_how", "receiver", "note", "delivered_by", "scan_sha256", "scan_type",
    )  # fmt: skip

    class Kind(models.TextChoices):
        GRANTED = "granted", "审批结果告知书"
        REFUSED = "refused", "不予批准告知书"
        INCREASED = "increased", "增发告知书"
        DECREASED = "decreased", "减发告知书"
        PHASED_OUT = "phased_out", "渐退告知书"
        STOPPED = "stopped", "停发告知书"

    class State(models.TextChoices):
        OWED = "owed", "待制作"
        ISSUED = "issued", "待送达"
        DELIVERED = "delivered", "已送达"

    class How(models.TextChoices):
        SIGNED = "signed", "本人签收"
        FAMILY = "family", "同住成年家属签收"
        LEFT = "left", "留置送达"
        MAILED = "mailed", "邮寄送达"
        NOBODY = "nobody", "无人可送"

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="letter")
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="letters")
    programme = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    office = models.BigIntegerField()
    decided_on = models.DateField()
    effective_from = models.DateField(null=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OWED)
    year = models.SmallIntegerField(null=True)
    serial = models.IntegerField(null=True)
    number = models.CharField(max_length=80, default="")
    name = models.CharField(max_length=60, default="")
    issued_on = models.DateField(null=True)
    issued_by = models.BigIntegerField(null=True)
    due_on = models.DateField(null=True)
    payload_enc = SealedField(null=True)
    payload_hash = models.BinaryField(null=True)
    digest = models.CharField(max_length=64, default="")
    delivered_on = models.DateField(null=True)
    delivered_how = models.CharField(max_length=8, choices=How.choices, default="")
    receiver = models.CharField(max_length=40, default="")
    note = models.CharField(max_length=200, default="")
    delivered_by = models.BigIntegerField(null=True)
    scan_sha256 = models.CharField(max_length=64, db_collation="C", default="")
    scan_type = models.CharField(max_length=20, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "year", "serial"], name="letter_number_once"),
            models.CheckConstraint(
                name="letter_written_whole",
                condition=Q(state="owed", serial=None, payload_enc=None, issued_on=None)
                | ~Q(state="owed")
                & ~Q(number="")
                & ~Q(digest="")
                & Q(serial__isnull=False, payload_enc__isnull=False, issued_on__isnull=False, issued_by__isnull=False),
            ),
            models.CheckConstraint(
                name="letter_delivered_whole",
                condition=~Q(state="delivered") & Q(delivered_on=None)
                | Q(state="delivered", delivered_by__isnull=False, delivered_on__gte=F("issued_on"))
                & ~Q(delivered_how=""),
            ),
        ]
        indexes = [
            models.Index(fields=["office", "decided_on", "id"], name="letter_owed", condition=Q(state="owed")),
            models.Index(fields=["division", "decided_on", "id"], name="letter_waiting", condition=Q(state="issued")),
            models.Index(fields=["division", "id"], name="letter_list"),
            models.Index(fields=["household"], name="letter_household"),
        ]  # fmt: skip

    @property
    def subject(self) -> str:
        return f"letter:{self.pk}"

    def due(self, calendar: WorkingCalendar, refusal_days: int) -> date | None:
        """The day by which it must be there: of a refusal some working days after it (3 by every law we know), of a
        reduction or stop the day before it takes effect; none for what is good news."""
        if self.kind == self.Kind.REFUSED:
            return calendar.add(self.decided_on, refusal_days)
        if self.kind in ADVERSE and self.effective_from:
            return self.effective_from - timedelta(days=1)
        return None


ADVERSE = (Letter.Kind.DECREASED, Letter.Kind.PHASED_OUT, Letter.Kind.STOPPED)


class Certificate(Table):
    """救助证: who holds what since when; valid as long as the holding, until lost or taken back. A lost one is replaced."""

    table_class = TableClass.SUBTREE
    changeable = ("division", "household", "state", "prints", "ended_on", "ended_by", "reason")

    class State(models.TextChoices):
        VALID = "valid", "有效"
        LOST = "lost", "已挂失"
        WITHDRAWN = "withdrawn", "已收回"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="certificates")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="certificates")
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="certificates")
    programme = models.CharField(max_length=40)
    number = models.CharField(max_length=24, unique=True)
    holder = models.CharField(max_length=60)
    people = models.SmallIntegerField()
    valid_from = models.DateField()
    issued_on = models.DateField()
    issued_by = models.BigIntegerField()
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    prints = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State.choices, default=State.VALID)
    ended_on = models.DateField(null=True)
    ended_by = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=120, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "programme", "person"],
                condition=Q(state="valid"),
                nulls_distinct=False,
                name="certificate_valid_once",
            ),
            models.CheckConstraint(
                name="certificate_ended_whole",
                condition=Q(state="valid", ended_on=None, ended_by=None)
                | ~Q(state="valid") & Q(ended_on__isnull=False, ended_by__isnull=False) & ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(fields=["division", "id"], name="certificate_list"),
            models.Index(fields=["programme", "division"], name="certificate_valid", condition=Q(state="valid")),
        ]
