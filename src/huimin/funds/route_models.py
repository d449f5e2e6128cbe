"""By which way money reaches people, and what moves between special accounts besides applications (FUND-02, FUND-05).

A route is set per programme and place by two people with a document, from a day on. A move of money names the paper that
ordered it and the bank's receipt; what it does to indicators and applications is done by the database when the second
person confirms it (migrations/0006). Law: S0 A4 art 9–11; S3 二(四)6.
"""

from django.db import models
from django.db.models import Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass


class Route(models.TextChoices):
    TREASURY = "treasury", "财政专户拨到乡镇专户"
    COUNTY = "county", "县级专户拨到乡镇专户"
    DIRECT = "direct", "国库集中支付"


class PayRoute(Table):
    """From `valid_from` on, the programme (of all, where it is empty) is paid this way in the place and beneath it."""

    table_class = TableClass.CHAIN
    changeable = ("state", "decided_by", "decided_on", "refusal", "signature")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        APPROVED = "approved", "已生效"
        REFUSED = "refused", "已退回"

    division = DivisionField()
    programme = models.CharField(max_length=40, default="")
    route = models.CharField(max_length=10, choices=Route.choices)
    document_no = models.CharField(max_length=80)
    valid_from = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="", db_default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "programme", "valid_from"], condition=~Q(state="refused"), name="pay_route_once"
            ),
            models.CheckConstraint(name="pay_route_by_document", condition=~Q(document_no="")),
            models.CheckConstraint(
                name="pay_route_decided",
                condition=Q(state="proposed", decided_by=None)
                | Q(state="refused", decided_by__isnull=False) & ~Q(refusal="")
                | Q(state="approved", decided_by__isnull=False, signature__isnull=False),
            ),
        ]


class MoneyMove(Table):
    """Money into a county's special account, or given back to where it came from; by paper and the bank's receipt."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "receipt_no", "booked_on", "decided_by", "decided_on", "refusal", "signature")

    class Kind(models.TextChoices):
        BACK = "back", "缴回"
        IN = "in", "拨入县级专户"
        UP = "up", "结余缴回"
        INTEREST = "interest", "利息缴回"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待确认"
        CONFIRMED = "confirmed", "已入账"
        REFUSED = "refused", "已退回"

    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    programme = models.CharField(max_length=40, default="")
    application = models.ForeignKey(
        "funds.FundingApplication", on_delete=models.PROTECT, null=True, related_name="given_back"
    )
    amount_fen = models.BigIntegerField()
    # The roster lines it is of, where it is the money of an application; kept by the room downstream that proposed it.
    items = models.JSONField(default=list)
    document_no = models.CharField(max_length=80)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    receipt_no = models.CharField(max_length=60, default="", db_default="")
    booked_on = models.DateField(null=True)
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="", db_default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "kind", "document_no", "programme"],
                condition=~Q(state="refused"),
                name="money_move_once",
            ),
            models.UniqueConstraint(
                fields=["application"], condition=Q(state="proposed"), name="money_back_one_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["division", "receipt_no"], condition=Q(state="confirmed"), name="money_receipt_once"
            ),
            models.CheckConstraint(name="money_move_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="money_back_of_application",
                condition=Q(kind="back", application__isnull=False) | ~Q(kind="back") & Q(application=None),
            ),
            models.CheckConstraint(
                name="money_move_decided",
                condition=Q(state="proposed", decided_by=None)
                | Q(state="refused", decided_by__isnull=False) & ~Q(refusal="")
                | Q(state="confirmed", decided_by__isnull=False, signature__isnull=False, booked_on__isnull=False)
                & ~Q(receipt_no=""),
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="money_move_list")]
