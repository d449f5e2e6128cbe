"""What simulations and coverage analyses found, kept so that their pages can be opened again (POL-04, POL-06, DET-08).

Nothing else points here: no proposal, decision or entitlement comes of these rows.
"""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household

_WORKS_AT_MOST = timedelta(minutes=30)


class Study(Table):
    """What a simulation and an analysis have in common: a place, a day, whose columns, how far the work is."""

    class State(models.TextChoices):
        RUNNING = "running", "进行中"
        FINISHED = "finished", "完成"
        FAILED = "failed", "未完成"

    changeable = (
        "state", "progress_done", "progress_total", "households", "people", "result", "run", "registry_date", "known_at",
        "finished_at", "failure",
    )  # fmt: skip

    division = DivisionField()
    determination_date = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    progress_done = models.IntegerField(default=0)
    progress_total = models.IntegerField(default=0)
    households = models.IntegerField(default=0)
    people = models.IntegerField(default=0)
    result = models.JSONField(default=dict)
    run = models.BigIntegerField(null=True)
    """The screening whose snapshot was used; null when the registry was read for this."""
    registry_date = models.DateField(null=True)
    """The day the facts are of."""
    known_at = models.DateTimeField(db_default=Now())
    """What was recorded by then is what the facts are."""
    started_by = models.BigIntegerField()
    started_on = models.DateField()
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, default="")

    class Meta:
        abstract = True

    def is_lost(self, now: datetime) -> bool:
        """Still at work after half an hour: its process is gone, and nobody will finish it."""
        return self.state == self.State.RUNNING and now - self.started_at > _WORKS_AT_MOST


class Simulation(Study):
    """A draft and what it would do; `draft` is drafts.Draft.plain, `result` comparing.Comparison.plain."""

    table_class = TableClass.SUBTREE

    title = models.CharField(max_length=120)
    draft = models.JSONField(default=dict)


class Coverage(Study):
    """One analysis of who draws what; seen from below, where its findings lie. `result`: the lines used and not used."""

    table_class = TableClass.CHAIN


class Combination(Table):
    """How many households of a village draw exactly these programmes together, and 分 a year."""

    table_class = TableClass.SUBTREE
    changeable = ()

    coverage = models.ForeignKey(Coverage, on_delete=models.PROTECT, related_name="combinations")
    division = DivisionField()
    programmes = ArrayField(models.CharField(max_length=40))
    households = models.IntegerField()
    year_fen = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["coverage", "division", "id"], name="combination_list")]


class Finding(Table):
    """A household that the analysis points out, and why; `income_fen` a month and head, null when it is unknown."""

    table_class = TableClass.SUBTREE
    changeable = ()

    class Kind(models.TextChoices):
        UNREACHED = "unreached", "收入低于标准，没有享受任何补贴"
        UNKNOWN = "unknown", "收入没有采集全，没有享受任何补贴"
        SEVERAL = "several", "同时享受几项补贴"
        LINKED_IN = "linked-in", "建档立卡户，收入低于标准"
        LINKED_OUT = "linked-out", "建档立卡户，收入不低于标准"
        LINKED_UNKNOWN = "linked-unknown", "建档立卡户，收入没有采集全"

    coverage = models.ForeignKey(Coverage, on_delete=models.PROTECT, related_name="findings")
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT)
    kind = models.CharField(max_length=14, choices=Kind.choices)
    income_fen = models.BigIntegerField(null=True)
    line_fen = models.BigIntegerField(null=True)
    programmes = ArrayField(models.CharField(max_length=40), default=list)
    year_fen = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["coverage", "kind", "division", "id"], name="finding_list")]
