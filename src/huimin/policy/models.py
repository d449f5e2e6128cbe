"""Policies as adopted, and the drafts of new versions on their way (POL-01, POL-02, POL-03).

The text is the source of truth; the rules engine reads it (huimin.rules). A changed text is a new row; the old one
stays, so that a determination can be repeated under the texts it names. A draft becomes a text only after four steps,
each recorded by another person; migration 0002 keeps the order whoever writes.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class PolicyText(Table):
    """One policy file as adopted for a place. `path` is its place in the `policy/` folder, or below `local/` for a
    version that was drafted here."""

    table_class = TableClass.CHAIN
    changeable = ("superseded_at",)

    division = DivisionField()
    path = models.CharField(max_length=120)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    adopted_by = models.BigIntegerField()
    adopted_on = models.DateField()
    adopted_at = models.DateTimeField(db_default=Now())
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path"], condition=Q(superseded_at=None), name="policy_text_live_once")
        ]


class Programme(Table):
    """One line of the policy list as a county pays it: the newest facts of each programme code."""

    table_class = TableClass.CHAIN
    changeable = ("name", "abbreviation", "department", "unit", "period", "payout", "payee", "basis")

    code = models.CharField(max_length=40, unique=True)
    division = DivisionField()
    name = models.CharField(max_length=80)
    abbreviation = models.CharField(max_length=8)
    department = models.CharField(max_length=20)
    unit = models.CharField(max_length=10, choices=[("household", "户"), ("person", "人")])
    period = models.CharField(max_length=10)
    payout = models.CharField(max_length=12)
    payee = models.CharField(max_length=10)
    basis = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class PolicyDraft(Table):
    """A new version of a programme at a place, from the first word to its effect or its withdrawal.

    `text` and `effective_on` change only while it is drafted. A refusal of any step sends it back; what was recorded of
    that `round` stays. `faults`: how many the last check found; a draft with a fault is never submitted.
    """

    table_class = TableClass.CHAIN
    changeable = (
        "effective_on", "path", "reason", "text", "sha256", "faults", "state", "round", "revision", "submitted_on", "ended_on",
        "ended_by", "ended_reason",
    )  # fmt: skip

    class State(models.TextChoices):
        DRAFTING = "drafting", "起草中"
        SUBMITTED = "submitted", "待公众听证"
        HEARD = "heard", "待部门审核"
        REVIEWED = "reviewed", "待专家评审"
        EXAMINED = "examined", "待领导小组审批"
        APPROVED = "approved", "已批准"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    programme = models.CharField(max_length=40)
    effective_on = models.DateField()
    reason = models.CharField(max_length=300)
    path = models.CharField(max_length=120)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    faults = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFTING)
    round = models.SmallIntegerField(default=1)
    revision = models.IntegerField(default=1)
    drafted_by = models.BigIntegerField()
    drafted_account = models.BigIntegerField()
    drafter = models.CharField(max_length=120)
    drafted_on = models.DateField()
    drafted_at = models.DateTimeField(db_default=Now())
    submitted_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    ended_by = models.BigIntegerField(null=True)
    ended_reason = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "programme"],
                condition=~Q(state__in=["approved", "withdrawn"]),
                name="policy_draft_one_at_a_time",
            ),
            models.CheckConstraint(
                name="policy_draft_without_faults", condition=Q(state__in=["drafting", "withdrawn"]) | Q(faults=0)
            ),
            models.CheckConstraint(name="policy_draft_not_backdated", condition=Q(effective_on__gt=F("drafted_on"))),
            models.CheckConstraint(
                name="policy_draft_ended_by_somebody",
                condition=Q(state__in=["approved", "withdrawn"], ended_on__isnull=False, ended_by__isnull=False)
                | ~Q(state__in=["approved", "withdrawn"]) & Q(ended_on=None, ended_by=None),
            ),
            models.CheckConstraint(
                name="policy_draft_approved_before_effect",
                condition=~Q(state="approved") | Q(ended_on__lt=F("effective_on")),
            ),
        ]
        indexes = [models.Index(fields=["division", "state"], name="policy_draft_list")]

    @property
    def subject(self) -> str:
        """As signatures and events name it."""
        return f"policy-draft:{self.pk}"


class DraftStep(Table):
    """One step of a draft's way as it was held: when, where, who took part, what they said, under which paper."""

    table_class = TableClass.CHAIN

    class Kind(models.TextChoices):
        HEARING = "hearing", "公众听证"
        DEPARTMENT = "department", "部门审核"
        EXPERTS = "experts", "专家评审"
        LEADING_GROUP = "leading_group", "领导小组审批"

    class Outcome(models.TextChoices):
        AGREED = "agreed", "同意"
        REFUSED = "refused", "退回"

    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, related_name="steps")
    division = DivisionField()
    round = models.SmallIntegerField()
    kind = models.CharField(max_length=14, choices=Kind.choices)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    held_on = models.DateField()
    place = models.CharField(max_length=80)
    attendants = models.CharField(max_length=500)
    opinion = models.CharField(max_length=1000)
    paper_no = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    recorded_by = models.BigIntegerField()
    account = models.BigIntegerField()
    recorder = models.CharField(max_length=120)
    recorded_on = models.DateField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draft", "round", "kind"], name="policy_step_once"),
            models.UniqueConstraint(fields=["draft", "round", "account"], name="policy_step_another_person"),
            models.CheckConstraint(name="policy_step_held_before", condition=Q(held_on__lte=F("recorded_on"))),
        ]


class OwnFact(Table):
    """A fact a county wants to ask besides the dictionary's, from its proposal to its use (REG-01).

    `text` is the policy file it becomes, word for word, below `local/`; a fact in use stays, since households have
    answered it. Who proposed it does not decide it.
    """

    table_class = TableClass.CHAIN
    changeable = ("state", "decided_by", "decided_account", "decider", "decided_on", "answer")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审批"
        IN_USE = "in_use", "使用中"
        REFUSED = "refused", "不同意"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    name = models.CharField(max_length=30)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_account = models.BigIntegerField()
    proposer = models.CharField(max_length=120)
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_account = models.BigIntegerField(null=True)
    decider = models.CharField(max_length=120, default="")
    decided_on = models.DateField(null=True)
    answer = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "name"], condition=Q(state__in=["proposed", "in_use"]), name="own_fact_once"
            ),
            models.CheckConstraint(
                name="own_fact_by_another",
                condition=~Q(state__in=["in_use", "refused"]) | ~Q(decided_account=F("proposed_account")),
            ),
            models.CheckConstraint(
                name="own_fact_decided_by_somebody",
                condition=Q(state="proposed", decided_by=None, decided_on=None)
                | ~Q(state="proposed")
                & Q(decided_by__isnull=False, decided_account__isnull=False, decided_on__isnull=False),
            ),
        ]

    @property
    def path(self) -> str:
        """Of the text it becomes."""
        return f"local/{self.division}/fact-{self.code}.yaml"

    @property
    def subject(self) -> str:
        """As signatures and events name it."""
        return f"own-fact:{self.pk}"
