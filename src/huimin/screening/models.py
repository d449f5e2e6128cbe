"""Determination runs and what they propose (DET-01, DET-07).

A run names the snapshot it rested on (file and SHA-256), the policy versions and the date, so that it can be repeated.
A proposal is one change that a person has to confirm: nobody enters or leaves by computation alone.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household, Person


class Run(Table):
    """One determination of everybody in a place as of a date; seen from below, where its proposals lie."""

    table_class = TableClass.CHAIN
    changeable = (
        "state", "progress_done", "progress_total", "households", "people", "snapshot_file", "snapshot_sha256",
        "versions", "finished_at", "failure",
    )  # fmt: skip

    class State(models.TextChoices):
        RUNNING = "running", "进行中"
        FINISHED = "finished", "完成"
        FAILED = "failed", "未完成"

    division = DivisionField()
    determination_date = models.DateField()
    known_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    progress_done = models.IntegerField(default=0)
    progress_total = models.IntegerField(default=0)
    households = models.IntegerField(default=0)
    people = models.IntegerField(default=0)
    snapshot_file = models.CharField(max_length=120, default="")
    snapshot_sha256 = models.CharField(max_length=64, default="")
    versions = models.JSONField(default=dict)
    started_by = models.BigIntegerField()
    started_on = models.DateField()
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, default="")


class Proposal(Table):
    """What a run proposes for one household or person under one programme; `amount_fen` is per policy period."""

    table_class = TableClass.SUBTREE
    changeable = ("state",)

    class Kind(models.TextChoices):
        ENTER = "enter", "应进未进"
        LEAVE = "leave", "应退未退"
        INCREASE = "increase", "增发"
        DECREASE = "decrease", "减发"
        UNKNOWN = "unknown", "还不能判断"

    class State(models.TextChoices):
        OPEN = "open", "待办"
        GRANTED = "granted", "已确认"
        REFUSED = "refused", "不予确认"
        SUPERSEDED = "superseded", "已被新的筛查取代"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="proposals")
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount_fen = models.BigIntegerField()
    previous_fen = models.BigIntegerField(default=0)
    people = models.SmallIntegerField(default=0)
    quantity = models.CharField(max_length=60, default="")
    failed = ArrayField(models.CharField(max_length=40), default=list)
    missing = ArrayField(models.CharField(max_length=40), default=list)
    facts_digest = models.CharField(max_length=64, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    class Meta:
        indexes = [models.Index(fields=["programme", "state", "division", "id"], name="proposal_list")]
        constraints = [
            models.CheckConstraint(name="proposal_amount_not_negative", condition=models.Q(amount_fen__gte=0)),
        ]
