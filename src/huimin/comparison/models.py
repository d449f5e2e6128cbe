"""Each month approvals, finance's pay lists and the bank's detail are held against each other, and signed level by level (VER-04).

    made ──sign──► signed ──┐            by the township's clerk; then by its head
      └──────────► replaced ◄┘           by a later one of the same month, when the facts are others
               signed ──► returned       by the county, with the reason; the clerk makes it anew
    CountySigning                        the department, then finance, over every township's signed comparison

Always true, by the database (migration 0002): one comparison of a township and month is in use; nothing of one that was signed changes
again but whether it stands; none is signed while a difference has no explanation; who made it does not sign it; the county signs only
what every township signed, finance only what the department signed. Law: 伊民规〔2022〕2号 二(四)2.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.organisation.models import Office
from huimin.payment.models import PaymentException, RosterLine
from huimin.registry.models import Household, Person


class Comparison(Table):
    """A township's month: the three sums, and how many differences of which kind.

    `spans` says for each programme from which month on its approvals were counted. `digest` covers every beneficiary's three
    amounts and every difference, so that the same facts make the same comparison.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "signed_by", "signed_on", "signature", "returned_by", "returned_on", "return_reason",
    )  # fmt: skip

    class State(models.TextChoices):
        MADE = "made", "待签字"
        SIGNED = "signed", "已签字"
        RETURNED = "returned", "县里退回"
        REPLACED = "replaced", "已被替换"

    IN_USE = (State.MADE, State.SIGNED)

    division = DivisionField()
    month = models.DateField()
    number = models.SmallIntegerField()
    spans = models.JSONField()
    households = models.IntegerField()
    beneficiaries = models.IntegerField()
    approved_count = models.IntegerField()
    approved_fen = models.BigIntegerField()
    listed_count = models.IntegerField()
    listed_fen = models.BigIntegerField()
    paid_count = models.IntegerField()
    paid_fen = models.BigIntegerField()
    kinds = models.JSONField()
    differences_count = models.IntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.MADE)
    made_by = models.BigIntegerField()
    made_on = models.DateField()
    signed_by = models.BigIntegerField(null=True)
    signed_on = models.DateField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    returned_by = models.BigIntegerField(null=True)
    returned_on = models.DateField(null=True)
    return_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "month", "number"], name="comparison_number_once"),
            models.UniqueConstraint(
                fields=["division", "month"], condition=Q(state__in=["made", "signed"]), name="comparison_in_use_once"
            ),
            models.CheckConstraint(
                name="comparison_signed_by_another",
                condition=~Q(state__in=["signed", "returned"])
                | Q(signed_by__isnull=False, signed_on__isnull=False, signature__isnull=False)
                & ~Q(signed_by=F("made_by")),
            ),
            models.CheckConstraint(
                name="comparison_returned_with_reason",
                condition=~Q(state="returned")
                | Q(returned_by__isnull=False, returned_on__isnull=False) & ~Q(return_reason=""),
            ),
        ]
        indexes = [models.Index(fields=["month", "division", "state"], name="comparison_list")]


class ComparisonDifference(Table):
    """Where the three do not say the same of a beneficiary, in the words of the day; or a line of the bank nobody sent.

    The household's number and the names are kept as they were: the household may live elsewhere when somebody asks.
    """

    table_class = TableClass.SUBTREE
    changeable = ("explanation", "explained_by", "explained_on")

    class Kind(models.TextChoices):
        MISSING = "missing", "已审批，不在清册"
        UNAPPROVED = "unapproved", "在清册，没有审批"
        AMOUNT = "amount", "清册与审批金额不符"
        WITHHELD = "withheld", "清册缓发"
        UNCONFIRMED = "unconfirmed", "清册还没有核定"
        UNSENT = "unsent", "在清册，没有送银行"
        FLIGHT = "flight", "银行还没有结果"
        RETURNED = "returned", "银行退回"
        UNLISTED = "unlisted", "银行已发，不在清册"
        PAID_OTHER = "paid_other", "银行与清册金额不符"
        PAYEE = "payee", "收款人不符"
        BANK = "bank", "银行明细对不上"

    comparison = models.ForeignKey(Comparison, on_delete=models.PROTECT, related_name="differences", db_index=False)
    division = DivisionField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    programme = models.CharField(max_length=40)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="+")
    household_no = models.CharField(max_length=40, default="")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=60, default="")
    holder = models.CharField(max_length=60, default="")
    line = models.ForeignKey(RosterLine, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    exception = models.ForeignKey(
        PaymentException, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    approved_fen = models.BigIntegerField(null=True)
    listed_fen = models.BigIntegerField(null=True)
    paid_fen = models.BigIntegerField(null=True)
    detail = models.CharField(max_length=200, default="")
    explanation = models.CharField(max_length=200, default="")
    explained_by = models.BigIntegerField(null=True)
    explained_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["comparison", "kind", "programme", "household", "person", "exception"],
                nulls_distinct=False,
                name="comparison_difference_once",
            ),
            models.CheckConstraint(
                name="comparison_explained_whole",
                condition=Q(explanation="", explained_by=None, explained_on=None)
                | ~Q(explanation="") & Q(explained_by__isnull=False, explained_on__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["comparison", "division", "id"], name="comparison_difference_list")]


CODES = {kind: f"C{number:02d}" for number, kind in enumerate(ComparisonDifference.Kind.values, 1)}
"""The code of each kind, as it stands on pages, workbooks and paper."""


class CountySigning(Table):
    """The county's signature over every township's signed comparison of a month; another content is another signature.

    `digest` covers what each township signed. `programmes`: those of the department that signed; finance signs all.
    """

    table_class = TableClass.SUBTREE

    class Seat(models.TextChoices):
        DEPARTMENT = "department", "主管部门"
        FINANCE = "finance", "财政部门"

    division = DivisionField()
    month = models.DateField()
    seat = models.CharField(max_length=10, choices=Seat.choices)
    office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    programmes = ArrayField(models.CharField(max_length=40), default=list)
    townships = models.IntegerField()
    approved_fen = models.BigIntegerField()
    listed_fen = models.BigIntegerField()
    paid_fen = models.BigIntegerField()
    differences_count = models.IntegerField()
    note = models.CharField(max_length=300, default="")
    digest = models.CharField(max_length=64)
    signed_by = models.BigIntegerField()
    signed_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "month", "office", "digest"], name="comparison_county_once"),
        ]
