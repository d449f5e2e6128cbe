"""Determination runs and what they propose (DET-01, DET-07).

A run names the snapshot it rested on (by SHA-256), the policy versions and the date, so that it can be repeated, and the
digest of everything it determined. A proposal is one change that a person has to confirm: nobody enters or leaves by
computation alone. A later run that determines the same leaves an open proposal as it is, with the run that made it.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass
from huimin.jobs.models import Job
from huimin.registry.models import Household, Person
from huimin.screening.simulation.models import Combination, Coverage, Finding, Simulation

__all__ = ["Combination", "Coverage", "Finding", "Proposal", "Run", "Simulation"]


class Run(Table):
    """One determination of everybody in a place as of a date, or of the households in `only` (after a change of theirs);

    seen from below, where its proposals lie.
    """

    table_class = TableClass.CHAIN
    changeable = (
        "state", "households", "people", "snapshot_file", "snapshot_sha256", "versions", "listed", "listed_sha256", "kept",
        "finished_at", "failure",
    )  # fmt: skip

    class State(models.TextChoices):
        RUNNING = "running", "进行中"
        FINISHED = "finished", "完成"
        FAILED = "failed", "未完成"
        CANCELLED = "cancelled", "已取消"

    class ListedForm(models.IntegerChoices):
        """What `listed_sha256` is over."""

        JSON = 1, "每行的 JSON"
        ROWS = 2, "存入数据库的行"

    job = models.OneToOneField(Job, on_delete=models.PROTECT, null=True, related_name="run")
    division = DivisionField()
    determination_date = models.DateField()
    known_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    only = ArrayField(models.BigIntegerField(), null=True)
    households = models.IntegerField(default=0)
    people = models.IntegerField(default=0)
    snapshot_file = models.CharField(max_length=120, default="")
    snapshot_sha256 = models.CharField(max_length=64, default="")
    versions = models.JSONField(default=dict)
    listed = models.IntegerField(default=0)
    listed_sha256 = models.CharField(max_length=64, default="")
    listed_form = models.SmallIntegerField(choices=ListedForm.choices, default=ListedForm.ROWS)
    kept = models.IntegerField(default=0)
    started_by = models.BigIntegerField()
    started_on = models.DateField()
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, default="")

    @property
    def raised(self) -> bool:
        """It determined nothing: a person raised what the law has decided, not computed (casework.raising)."""
        return self.state == self.State.FINISHED and not self.versions


class Proposal(Table):
    """What a run proposes for one household or person under one programme; amounts are per policy period.

    `reasons` says what changed since the granted amount was determined: the form is screening.reasons.Reason's.
    `phase_out_months` is how long the amount of a 渐退 is to be paid in all, `phase_out_since` when it began (null: it
    would begin with the confirmation).
    """

    table_class = TableClass.SUBTREE
    changeable = ("state",)

    class Kind(models.TextChoices):
        ENTER = "enter", "应进未进"
        LEAVE = "leave", "应退未退"
        INCREASE = "increase", "增发"
        DECREASE = "decrease", "减发"
        PHASE_OUT = "phase_out", "渐退"
        UNKNOWN = "unknown", "还不能判断"

    class State(models.TextChoices):
        OPEN = "open", "待办"
        GRANTED = "granted", "已确认"
        REFUSED = "refused", "不予确认"
        SUPERSEDED = "superseded", "已被新的筛查取代"

    # What a proposal refers to is checked for a statement's rows together (migration 0004, proposal_refers).
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="proposals", db_constraint=False)
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, db_constraint=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, db_constraint=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    previous_fen = models.BigIntegerField(default=0)
    people = models.SmallIntegerField(default=0)
    quantity = models.CharField(max_length=60, default="")
    failed = ArrayField(models.CharField(max_length=40), default=list)
    missing = ArrayField(models.CharField(max_length=40), default=list)
    reasons = models.JSONField(default=list)
    phase_out_since = models.DateField(null=True)
    phase_out_months = models.SmallIntegerField(null=True)
    facts_digest = models.CharField(max_length=64, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    class Meta:
        indexes = [models.Index(fields=["programme", "state", "division", "id"], name="proposal_list")]
        constraints = [
            models.CheckConstraint(name="proposal_amount_not_negative", condition=models.Q(amount_fen__gte=0)),
        ]
