"""What was paid too much and is taken back (追缴): found, decided by another, told, withheld, paid back or written off (PAY-06).

    RecoveryRule   proposed ──► confirmed (two people)          the share of a payment that may be withheld, with its paper
    Recovery       proposed ──► decided ──► settled             its parts say which steps; its dues (kind recovery) what is withheld
                       └──► refused
    RecoveryReceipt, RecoveryWriteOff   proposed ──► confirmed | refused (two people)

Always true, by the database (this file and migration 0010): nobody decides what he proposed; a step is found once; what is withheld,
paid back and written off never exceeds what was decided; a recovery is withheld from dues of its own programme and beneficiary
alone, never for a loan, a fee or somebody else's debt (PAY-10). Law: 皖政办〔2008〕23号 附件2 第28条 (错发的扣发); 日政办发〔2018〕95号
(八); 鲁山县 2021 附件四.
"""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.casework.models import Entitlement
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household, Person


class RecoveryRule(Table):
    """How much of a payment may be withheld, in percent; the nearest place's newest one in force counts.

    No law at hand names a share, so a place without a rule withholds nothing; half of a payment is the most a rule can say.
    """

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "在用"
        REFUSED = "refused", "未通过"

    division = DivisionField()
    programme = models.CharField(max_length=40, default="", db_collation="C")
    share_percent = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="recovery_share_leaves_half", condition=Q(share_percent__gte=1, share_percent__lte=50)
            ),
            models.CheckConstraint(
                name="recovery_rule_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.UniqueConstraint(
                fields=["division", "programme"], condition=Q(state="proposed"), name="recovery_rule_waits"
            ),
        ]


class Recovery(Table):
    """What one beneficiary was paid too much under one programme, and how far it came back.

    `books` is the place whose special account paid it: it stands there as 应收追回款. `withheld_fen` counts what stands on rosters.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "division", "state", "decided_by", "decided_on", "decision", "signature", "instalment_fen", "told_on", "told_how", "told_by",
        "withheld_fen", "repaid_fen", "written_off_fen",
    )  # fmt: skip

    class Ground(models.TextChoices):
        DEATH = "death", "去世后仍发放"
        CHANGED = "changed", "追溯减发、停发"
        OTHER = "other", "应得少于已发"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审定"
        DECIDED = "decided", "追缴中"
        SETTLED = "settled", "已结清"
        REFUSED = "refused", "不追缴"

    division = DivisionField()
    books = DivisionField()
    programme = models.CharField(max_length=40)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="recoveries")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="recoveries")
    ground = models.CharField(max_length=10, choices=Ground.choices)
    amount_fen = models.BigIntegerField()
    withheld_fen = models.BigIntegerField(default=0, db_default=0)
    repaid_fen = models.BigIntegerField(default=0, db_default=0)
    written_off_fen = models.BigIntegerField(default=0, db_default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    decision = models.CharField(max_length=300, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    instalment_fen = models.BigIntegerField(null=True)
    told_on = models.DateField(null=True)
    told_how = models.CharField(max_length=100, default="")
    told_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="recovery_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="recovery_never_more",
                condition=Q(
                    withheld_fen__gte=0,
                    repaid_fen__gte=0,
                    written_off_fen__gte=0,
                    amount_fen__gte=F("withheld_fen") + F("repaid_fen") + F("written_off_fen"),
                ),
            ),
            models.CheckConstraint(
                name="recovery_by_two_people", condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="recovery_decided_whole",
                condition=Q(state="proposed", decided_by=None)
                | Q(decided_by__isnull=False, decided_on__isnull=False, signature__isnull=False),
            ),
            models.CheckConstraint(
                name="recovery_told_after", condition=Q(told_on=None) | Q(told_on__gte=F("decided_on"))
            ),
            models.CheckConstraint(
                name="recovery_instalment_positive", condition=Q(instalment_fen=None) | Q(instalment_fen__gt=0)
            ),
        ]
        indexes = [
            models.Index(fields=["division", "state", "id"], name="recovery_list"),
            models.Index(fields=["programme", "state", "household"], name="recovery_open"),
        ]  # fmt: skip

    @property
    def outstanding_fen(self) -> int:
        return self.amount_fen - self.withheld_fen - self.repaid_fen - self.written_off_fen


class RecoveryPart(Table):
    """One step of a recovery: what was paid for it, what is owed, and the difference; `paid_year` is that of the books."""

    table_class = TableClass.SUBTREE

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="parts")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    period_from = models.DateField()
    period_until = models.DateField()
    number = models.SmallIntegerField(default=1)
    paid_fen = models.BigIntegerField()
    owed_fen = models.BigIntegerField()
    amount_fen = models.BigIntegerField()
    paid_year = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "household", "person", "period_from", "number"], nulls_distinct=False, name="recovery_part_once"
            ),
            models.CheckConstraint(
                name="recovery_part_is_a_difference",
                condition=Q(amount_fen__gt=0, owed_fen__gte=0, amount_fen__lte=F("paid_fen") - F("owed_fen")),
            ),
        ]  # fmt: skip


class _ByTwo(Table):
    """Entered by one, confirmed by another."""

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "已复核"
        REFUSED = "refused", "未通过"

    division = DivisionField()
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        abstract = True


class RecoveryReceipt(_ByTwo):
    """Money paid back at the bank into the special account, by the bank's own number."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "settled_by", "settled_on", "refusal")

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="receipts")
    paid_on = models.DateField()
    bank_serial = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.CheckConstraint(name="receipt_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="receipt_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.UniqueConstraint(
                fields=["division", "bank_serial", "paid_on"], condition=~Q(state="refused"), name="receipt_once"
            ),
        ]


class RecoveryWriteOff(_ByTwo):
    """What is given up, with the reason and the document that allows it."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "settled_by", "settled_on", "refusal")

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="write_offs")
    reason = models.CharField(max_length=300)
    document_no = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.CheckConstraint(name="write_off_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="write_off_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.UniqueConstraint(fields=["recovery"], condition=Q(state="proposed"), name="write_off_waits"),
        ]
