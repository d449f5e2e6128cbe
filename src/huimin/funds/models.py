"""Money from above: allotments, special accounts, applications, transfers (FUND-01 to FUND-03).

What is reserved of an allotment can never exceed it (a check in the database, on a counter kept in the reserving
transaction). A special account is closed: money enters by a transfer and leaves to beneficiaries or back.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.funds.indicator_models import Allotment, AllotmentMove
from huimin.funds.route_models import MoneyMove, PayRoute, Route
from huimin.funds.settlement_models import FundSettlement
from huimin.organisation.models import Office

__all__ = [
    "Allotment", "AllotmentMove", "FundSettlement", "FundingApplication", "MoneyMove", "PayRoute", "Route", "SpecialAccount",
]  # fmt: skip


class SpecialAccount(Table):
    """A special account (惠民资金专户) of a township or county, or the county treasury's account that feeds them."""

    table_class = TableClass.CHAIN
    changeable = ()

    class Kind(models.TextChoices):
        SPECIAL = "special", "惠民资金专户"
        TREASURY = "treasury", "财政专户"

    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=60)
    account_enc = SealedField()
    account_hash = models.BinaryField()
    account_tail = models.CharField(max_length=4)
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "kind"], name="special_account_once"),
            models.UniqueConstraint(fields=["account_hash"], name="special_account_number_once"),
        ]


class FundingApplication(Table):
    """A township asks for the money of one confirmed roster (拨款申请书); the county grants it (拨款通知书).

    applied ──reserve──► reserved ──(released: transfer_no, order file)──► transferred, when the bank has confirmed.
    By the treasury's direct payment there is no order and no money to move: the releaser's signed authorisation
    (its number in `transfer_no`) makes it transferred at once, and the batch draws on the treasury's own account.
    A transfer the bank refused keeps its number and the bank's `refusal`, and may be released anew under another.
    """

    table_class = TableClass.SUBTREE
    taken_before: bool = False  # of what `take_transfer_answer` returns: this result was known, nothing changed
    changeable = (
        "state", "allotment", "decided_by", "decided_on", "refusal", "transfer_due_on", "transfer_no", "released_by",
        "released_on", "order_sha256", "signature", "transferred_on", "withdrawn_on", "payer",
    )  # fmt: skip

    class State(models.TextChoices):
        APPLIED = "applied", "已申请"
        RESERVED = "reserved", "指标已预留"
        TRANSFERRED = "transferred", "资金已拨付"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    programme = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    year = models.SmallIntegerField()
    # The route as it was when the money was asked for; a later one is for later rosters.
    route = models.CharField(max_length=10, choices=Route.choices, default=Route.TREASURY, db_default=Route.TREASURY)
    # The account the order drew on; null by the direct route, and before it is released.
    payer = models.ForeignKey(SpecialAccount, on_delete=models.PROTECT, null=True)
    amount_fen = models.BigIntegerField()
    # What was given back of it and is the indicator's again; kept by the database from confirmed moves.
    returned_fen = models.BigIntegerField(default=0, db_default=0)
    applied_by = models.BigIntegerField()
    applied_on = models.DateField()
    due_on = models.DateField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.APPLIED)
    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, null=True)
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    transfer_due_on = models.DateField(null=True)
    transfer_no = models.CharField(max_length=40, default="")
    released_by = models.BigIntegerField(null=True)
    released_on = models.DateField(null=True)
    order_sha256 = models.CharField(max_length=64, default="")
    transferred_on = models.DateField(null=True)
    withdrawn_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject"], condition=~Q(state="withdrawn"), name="application_once"),
            models.CheckConstraint(name="application_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="application_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("applied_by")),
            ),
            models.CheckConstraint(
                name="application_reserved_whole",
                condition=Q(state__in=["applied", "withdrawn"])
                | Q(allotment__isnull=False, decided_by__isnull=False, transfer_due_on__isnull=False),
            ),
            models.CheckConstraint(
                name="transfer_released_whole",
                condition=Q(transfer_no="", released_by=None, signature=None) & ~Q(state="transferred")
                | ~Q(transfer_no="")
                & Q(released_by__isnull=False, released_on__isnull=False, signature__isnull=False)
                & (~Q(state="transferred") | Q(transferred_on__isnull=False)),
            ),
            models.CheckConstraint(
                name="transfer_released_by_another",
                condition=Q(released_by=None) | ~Q(released_by=F("decided_by")),
            ),
            models.UniqueConstraint(fields=["transfer_no"], condition=~Q(transfer_no=""), name="transfer_no_once"),
            models.CheckConstraint(
                name="application_returned_of_its_own",
                condition=Q(returned_fen=0)
                | Q(state="transferred", returned_fen__gt=0, returned_fen__lte=F("amount_fen")),
            ),
            # Closed circulation: only the direct route goes without an order, and it never has one.
            models.CheckConstraint(
                name="application_ordered_unless_direct",
                condition=Q(transfer_no="")
                | Q(route="direct", order_sha256="", payer=None)
                | ~Q(route="direct") & ~Q(order_sha256=""),
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="application_list")]

    @property
    def is_direct(self) -> bool:
        """Paid from the treasury's own account, without a transfer."""
        return self.route == Route.DIRECT

    @property
    def state_words(self) -> str:
        """What the page says: by the direct route nothing was transferred."""
        if self.is_direct and self.state == self.State.TRANSFERRED:
            return "已授权支付"
        return str(self.get_state_display())

    @property
    def kept_fen(self) -> int:
        """What it still holds of its indicator."""
        return self.amount_fen - self.returned_fen

    @property
    def is_releasable(self) -> bool:
        """Reserved, and not on its way: never released, or refused by the bank."""
        return self.state == self.State.RESERVED and (not self.transfer_no or bool(self.refusal))

    @property
    def is_applied_late(self) -> bool:
        """Applied for after the 15th of the quarter's third month (FUND-03)."""
        return self.applied_on > self.due_on

    def is_transfer_late(self, on: date) -> bool:
        """Transferred after its five days, or not at all though they have passed."""
        return self.transfer_due_on is not None and (self.transferred_on or on) > self.transfer_due_on
