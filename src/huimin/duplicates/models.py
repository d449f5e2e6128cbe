"""Two records that may be one person: pairs, questions to villages, merges and what they changed (REG-04, SEC-02).

    Pair     open ──► asked ──► dismissed · merged        lapsed: no longer alike, or one of them merged otherwise
    Merge    proposed ──► confirmed ──► splitting ──► separated
                └──────► refused  ▲──────────┘ separation refused

A row lies where both its people are: in their village, their township, or the county when these differ.

Always true, by the database: two people have one pair; who proposed a merge (a separation) did not confirm it; a record
is merged once at a time; a merged record holds nothing live (migrations/0002_guards.py).
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.casework.models import Entitlement
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.payment.models import Due
from huimin.registry.models import Person


class Pair(Table):
    """Two people that look alike: how much (`score`, 0 to 100) and why (`reasons`, codes of scoring.REASONS)."""

    table_class = TableClass.SUBTREE
    changeable = ("kind", "score", "reasons", "state", "judged_by", "judged_on", "judgement", "division")

    class Kind(models.TextChoices):
        NUMBER = "number", "证件号码相同"
        ACCOUNT = "account", "同一账户"
        ALIKE = "alike", "姓名和出生日期相近"

    class State(models.TextChoices):
        OPEN = "open", "待判断"
        ASKED = "asked", "村里核查中"
        DISMISSED = "dismissed", "不是同一人"
        MERGED = "merged", "已并档"
        LAPSED = "lapsed", "不再相似"

    division = DivisionField()
    first = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    score = models.SmallIntegerField()
    reasons = ArrayField(models.CharField(max_length=16))
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN, db_default=State.OPEN)
    found_on = models.DateField()
    judged_by = models.BigIntegerField(null=True)
    judged_on = models.DateField(null=True)
    judgement = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="pair_once"),
            models.CheckConstraint(name="pair_in_order", condition=Q(first__lt=F("second"))),
        ]
        indexes = [models.Index(fields=["state", "-score", "id"], name="pair_list")]


class Inquiry(Table):
    """Whether it is one person, asked of a village where one of the two is registered; answered by its officer."""

    table_class = TableClass.SUBTREE
    changeable = ("answer", "note", "answered_by", "answered_on")

    class Answer(models.TextChoices):
        SAME = "same", "是同一人"
        OTHER = "other", "不是同一人"
        UNCLEAR = "unclear", "查不清"

    division = DivisionField()
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="inquiries")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    question = models.CharField(max_length=200)
    asked_by = models.BigIntegerField()
    asked_on = models.DateField()
    answer = models.CharField(max_length=8, choices=Answer.choices, default="")
    note = models.CharField(max_length=200, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "person"], condition=Q(answer=""), name="inquiry_open_once"),
            models.CheckConstraint(
                name="answer_is_somebodys",
                condition=Q(answer="") | Q(answered_by__isnull=False, answered_on__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["division", "answer", "id"], name="inquiry_list")]


class Merge(Table):
    """One record (`absorbed`) becomes part of another (`survivor`), as proposed by one person and confirmed by another.

    `choices`: field → "survivor" or "absorbed", whose value stays; `new_heads`: household → person, where a head leaves.
    `told` is what it does, as shown to who confirmed. A separation has its own two people.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "told", "refusal", "decided_by", "decided_on", "signature", "split_reason", "split_by", "split_on",
        "assigned", "split_decided_by", "separated_on", "split_signature", "division", "kept",
    )  # fmt: skip

    class State(models.TextChoices):
        PROPOSED = "proposed", "待确认"
        REFUSED = "refused", "不予并档"
        CONFIRMED = "confirmed", "已并档"
        SPLITTING = "splitting", "拟拆分，待确认"
        SEPARATED = "separated", "已拆分"

    division = DivisionField()
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, null=True, related_name="merges")
    survivor = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="merges")
    absorbed = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="absorptions")
    choices = models.JSONField(default=dict)
    new_heads = models.JSONField(default=dict)
    told = models.JSONField(default=dict)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    refusal = models.CharField(max_length=200, default="")
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    split_reason = models.CharField(max_length=200, default="")
    split_by = models.BigIntegerField(null=True)
    split_on = models.DateField(null=True)
    assigned = models.JSONField(default=list)
    split_decided_by = models.BigIntegerField(null=True)
    separated_on = models.DateField(null=True)
    split_signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    kept = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(name="merge_of_two_records", condition=~Q(survivor=F("absorbed"))),
            models.CheckConstraint(
                name="merge_needs_two_people", condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="separation_needs_two_people",
                condition=Q(split_decided_by=None) | ~Q(split_decided_by=F("split_by")),
            ),
            models.CheckConstraint(
                name="merge_is_signed",
                condition=Q(state__in=["proposed", "refused"]) | Q(decided_by__isnull=False, signature__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["absorbed"], condition=Q(state__in=["proposed", "confirmed", "splitting"]), name="merge_once"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="merge_list")]


class Trace(Table):
    """One row that a merge added or changed, as the change log tells it; a separation plays them backwards."""

    table_class = TableClass.SUBTREE
    changeable: ClassVar[tuple[str, ...]] = ()

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="traces")
    division = DivisionField()
    number = models.IntegerField()
    table_name = models.CharField(max_length=63, db_collation="C")
    row_key = models.CharField(max_length=40, db_collation="C")
    operation = models.CharField(max_length=1)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merge", "number"], name="trace_once")]


class Overpaid(Table):
    """A due that was paid although the same person (household) was paid for the same days of the same programme.

    Listed with the merge; taking it back is another matter. `void` when the records were separated again.
    """

    table_class = TableClass.SUBTREE
    changeable = ("void",)

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="overpaid")
    division = DivisionField()
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="+")
    due = models.ForeignKey(Due, on_delete=models.PROTECT, related_name="+")
    programme = models.CharField(max_length=40)
    period_from = models.DateField()
    period_until = models.DateField()
    amount_fen = models.BigIntegerField()
    void = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="overpaid_positive", condition=Q(amount_fen__gt=0)),
            models.UniqueConstraint(fields=["due"], condition=Q(void=False), name="overpaid_once"),
        ]
