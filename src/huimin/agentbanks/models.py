"""Agreements with agent banks, complaints about them, and their yearly assessment (PAY-09)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DateRange, DivisionField, Table, TableClass
from huimin.organisation.models import Office


class Standing(models.TextChoices):
    """Of what one person proposes and another agrees to."""

    PROPOSED = "proposed", "待复核"
    AGREED = "agreed", "有效"
    REFUSED = "refused", "未通过"


class Agreement(Table):
    """A contract with an office of a bank to pay benefits out (代发协议), in force from `valid_from` to the day before `valid_to`."""

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal", "valid_to", "ended_by", "end_reason")

    class Selection(models.TextChoices):
        TENDER = "tender", "公开招标"
        TALKS = "talks", "竞争性谈判、磋商"
        UPPER = "upper", "按上级统一签订的协议"
        OTHER = "other", "集体研究等其他方式"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=60)
    selection = models.CharField(max_length=10, choices=Selection.choices)
    signed_on = models.DateField()
    valid_from = models.DateField()
    valid_to = models.DateField()
    credit_days = models.SmallIntegerField()
    services = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=Standing.choices, default=Standing.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    ended_by = models.BigIntegerField(null=True)
    end_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="agreement_never_overlaps",
                expressions=[
                    (F("bank_office"), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state="agreed"),
            ),
            models.UniqueConstraint(
                fields=["division", "number"], condition=~Q(state="refused"), name="agreement_number_once"
            ),
            models.CheckConstraint(name="agreement_has_days", condition=Q(valid_to__gt=F("valid_from"), credit_days__range=(1, 30))),
            models.CheckConstraint(
                name="agreement_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="agreement_agreed_whole", condition=~Q(state="agreed") | Q(settled_by__isnull=False)
            ),
        ]  # fmt: skip


class Complaint(Table):
    """What somebody says a bank did wrong; looked into by finance and answered."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "answer", "answered_by", "answered_on")

    class Kind(models.TextChoices):
        HELD = "held", "压款、迟发"
        CUT = "cut", "扣款、抵贷、收费"
        SOLD = "sold", "强行揽储、搭售"
        SERVICE = "service", "拒办、推诿、服务差"
        PRIVACY = "privacy", "泄露信息、违规代办"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        OPEN = "open", "待核查"
        UPHELD = "upheld", "属实"
        DISMISSED = "dismissed", "不属实"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    happened_on = models.DateField()
    words = models.CharField(max_length=500)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=500, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "bank_office", "kind", "happened_on", "words"], name="bank_complaint_once"
            ),
            models.CheckConstraint(
                name="bank_complaint_answered_whole",
                condition=Q(state="open", answered_by=None)
                | ~Q(state="open") & Q(answered_by__isnull=False, answered_on__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="bank_complaint_two_people", condition=Q(answered_by=None) | ~Q(answered_by=F("recorded_by"))
            ),
        ]
        indexes = [models.Index(fields=["bank_office", "state", "happened_on"], name="bank_complaint_list")]


class Method(Table):
    """How a county assesses its banks (考评办法): points for each measure, what faults cost, from which points on a grade is given."""

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal")

    division = DivisionField()
    valid_from = models.DateField()
    timely_points = models.SmallIntegerField()
    success_points = models.SmallIntegerField()
    error_points = models.SmallIntegerField()
    complaint_points = models.SmallIntegerField()
    error_cost = models.SmallIntegerField()
    complaint_cost = models.SmallIntegerField()
    good_from = models.SmallIntegerField()
    pass_from = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=Standing.choices, default=Standing.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="bank_method_is_a_hundred",
                condition=Q(
                    timely_points__gte=0, success_points__gte=0, error_points__gte=0, complaint_points__gte=0,
                    error_cost__range=(0, 100), complaint_cost__range=(0, 100),
                    pass_from__range=(1, 100), good_from__gt=F("pass_from"), good_from__lte=100,
                )
                & Q(timely_points=100 - F("success_points") - F("error_points") - F("complaint_points")),
            ),
            models.CheckConstraint(
                name="bank_method_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="bank_method_agreed_whole", condition=~Q(state="agreed") | Q(settled_by__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["division", "valid_from"], condition=Q(state="agreed"), name="bank_method_once"
            ),
            models.UniqueConstraint(fields=["division"], condition=Q(state="proposed"), name="bank_method_waits"),
        ]  # fmt: skip


class Assessment(Table):
    """The assessment of a bank office over a year: measured `figures`, `points` in hundredths by the method, and a grade."""

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal", "signature")

    class Grade(models.TextChoices):
        GOOD = "good", "优秀"
        PASS = "pass", "合格"
        FAIL = "fail", "不合格"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="+")
    method = models.ForeignKey(Method, on_delete=models.PROTECT, related_name="+")
    year = models.SmallIntegerField()
    figures = models.JSONField()
    points = models.JSONField()
    total = models.IntegerField()
    grade = models.CharField(max_length=4, choices=Grade.choices)
    words = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=Standing.choices, default=Standing.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank_office", "year"], condition=~Q(state="refused"), name="bank_assessed_once"
            ),
            models.CheckConstraint(
                name="bank_assessment_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="bank_assessment_signed",
                condition=~Q(state="agreed") | Q(settled_by__isnull=False, signature__isnull=False),
            ),
            models.CheckConstraint(name="bank_assessment_total", condition=Q(total__range=(0, 10000))),
        ]
