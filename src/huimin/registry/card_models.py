"""What stands around a card: who draws for another, who got it, the bank's files of issued cards, the county's cooling time.

Law: 皖政办〔2008〕23号 附件4 第13–15条 — guardians and proxies by signed authority, filed; staff and village cadres neither
hold nor draw for others (REG-07).
"""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Card, Person


class CardAuthority(Table):
    """A signed authority: `agent` receives on his own account for `beneficiary`, from `valid_from` up to, not including,
    `valid_to`. In force only when a second person approved it.

        proposed ──► approved ──► revoked
            └──────► refused
    """

    table_class = TableClass.SUBTREE
    changeable = ("state", "decided_by", "decided_on", "refusal", "valid_to", "division", "beneficiary", "agent")

    class Kind(models.TextChoices):
        SPOUSE = "spouse", "配偶"
        GUARDIAN = "guardian", "监护人"
        PROXY = "proxy", "代领人"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审核"
        APPROVED = "approved", "已备案"
        REFUSED = "refused", "不予备案"
        REVOKED = "revoked", "已撤销"

    division = DivisionField()
    beneficiary = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="authorities")
    agent = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="agencies")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    paper_no = models.CharField(max_length=60)
    note = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    refusal = models.CharField(max_length=200, default="")
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="authority_needs_two_people",
                condition=Q(decided_by=None) | Q(state="revoked") | ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(name="authority_of_another", condition=~Q(agent=F("beneficiary"))),
            models.CheckConstraint(name="authority_ends", condition=Q(valid_to__gt=F("valid_from"))),
            models.UniqueConstraint(fields=["beneficiary"], condition=Q(state="proposed"), name="authority_open_once"),
        ]
        indexes = [models.Index(fields=["division", "state", "valid_to"], name="authority_list")]

    @property
    def last_day(self) -> date:
        """The last day it serves, as the paper says it."""
        return self.valid_to - timedelta(days=1)


class CardIssue(Table):
    """A bank's file of issued cards as taken in: what became of its rows. `faults`: row, masked name, what, remedy."""

    table_class = TableClass.SUBTREE

    division = DivisionField()
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    rows = models.IntegerField()
    issued = models.IntegerField()
    known = models.IntegerField()
    proposed = models.IntegerField()
    faults = models.JSONField(default=list)
    taken_by = models.BigIntegerField()
    taken_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["division", "sha256"], name="card_issue_once")]


class CardHandover(Table):
    """The hand-over register (领卡登记): a card waits from its issue until somebody signed for it."""

    table_class = TableClass.SUBTREE
    changeable = ("received_by", "authority", "signature", "handed_on", "entered_by", "division")

    division = DivisionField()
    card = models.OneToOneField(Card, on_delete=models.PROTECT, related_name="handover")
    issue = models.ForeignKey(CardIssue, on_delete=models.PROTECT, null=True, related_name="handovers")
    received_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    authority = models.ForeignKey(CardAuthority, on_delete=models.PROTECT, null=True, related_name="+")
    signature = models.CharField(max_length=120, default="")
    handed_on = models.DateField(null=True)
    entered_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="handover_is_signed",
                condition=Q(handed_on=None) | Q(received_by__isnull=False, entered_by__isnull=False) & ~Q(signature=""),
            )
        ]
        indexes = [models.Index(fields=["division", "handed_on", "id"], name="handover_list")]


class CardRule(Table):
    """The county's cooling time: days between the approval of another account and its use; the newest approved one counts."""

    table_class = TableClass.CHAIN
    changeable = ("state", "decided_by", "decided_on", "refusal")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审核"
        APPROVED = "approved", "已生效"
        REFUSED = "refused", "不予设定"

    division = DivisionField()
    cooling_days = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="cooling_needs_two_people", condition=Q(decided_by=None) | ~Q(decided_by=F("set_by"))
            ),
            models.UniqueConstraint(fields=["division"], condition=Q(state="proposed"), name="cooling_open_once"),
            models.CheckConstraint(
                name="cooling_within_bounds", condition=Q(cooling_days__gte=0, cooling_days__lte=90)
            ),
        ]
