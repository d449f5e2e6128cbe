"""Long work that was asked for, and how far it is: the queue and its progress in one row.

`prefix` are the digits every place of the work begins with. Progress columns are not in the change log: they tell
nothing about what was done, and a bar moves often.
"""

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class PlaceRange(models.Func):
    """The division codes that begin with a prefix, as a range of 15-digit numbers: subtrees that share a place overlap."""

    template = "int8range(rpad(%(expressions)s, 15, '0')::int8, rpad(%(expressions)s, 15, '9')::int8, '[]')"
    arity = 1
    output_field = models.TextField()


class Job(Table):
    """One piece of work; seen from below, so that an office knows what its upper level is doing to its place."""

    table_class = TableClass.CHAIN
    changeable = (
        "state", "stage", "done", "total", "stage_at", "attempts", "started_at", "finished_at", "stop_requested",
        "outcome", "failure",
    )  # fmt: skip
    unlogged = ("stage", "done", "total", "stage_at")

    class State(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "进行中"
        FINISHED = "finished", "完成"
        FAILED = "failed", "未完成"
        CANCELLED = "cancelled", "已取消"

    division = DivisionField()
    prefix = models.CharField(max_length=15, db_collation="C")
    kind = models.CharField(max_length=20)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    requested_by = models.BigIntegerField()
    business_date = models.DateField()
    requested_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    stage = models.CharField(max_length=40, default="")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    stage_at = models.DateTimeField(null=True)
    stop_requested = models.BooleanField(default=False)
    outcome = models.CharField(max_length=200, default="")
    failure = models.CharField(max_length=300, default="")

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="job_alone",
                expressions=[
                    (F("kind"), RangeOperators.EQUAL),
                    (PlaceRange(F("prefix")), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["queued", "running"]),
            )
        ]

    @property
    def active(self) -> bool:
        return self.state in (Job.State.QUEUED, Job.State.RUNNING)

    def rate(self, now: datetime) -> float:
        """Units a second in the present stage; 0 while nothing can be said."""
        seconds = (now - self.stage_at).total_seconds() if self.stage_at else 0.0
        return self.done / seconds if seconds > 0 else 0.0

    def seconds_left(self, now: datetime) -> int | None:
        """Of the present stage, at the rate so far; None while nothing can be said."""
        rate = self.rate(now)
        return round((self.total - self.done) / rate) if rate and self.total else None
