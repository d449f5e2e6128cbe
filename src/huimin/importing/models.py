"""Imports: who sent which file for which place, what it would do, what it did; and what heads meant before (REG-03).

The file itself and the list of its faults lie encrypted beside the database (importing.store): they are work in
progress, the rows that came in are the registry's.
"""

from django.db import models
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class Import(Table):
    """One file on its way into the registry."""

    table_class = TableClass.SUBTREE
    changeable = (
        "kind", "state", "mapping", "heads", "skip_hidden", "only_right", "valid_from", "evidence", "counts", "job_id",
        "failure", "finished_by", "finished_on", "finished_at", "division",
    )  # fmt: skip

    class State(models.TextChoices):
        UPLOADED = "uploaded", "待核对"
        MAPPING = "mapping", "待选列"
        CHECKING = "checking", "正在核对"
        READY = "ready", "待确认"
        RUNNING = "running", "正在导入"
        FINISHED = "finished", "已导入"
        FAILED = "failed", "未导入"
        WITHDRAWN = "withdrawn", "已放弃"

    division = DivisionField()
    kind = models.CharField(max_length=20, default="")
    file_name = models.CharField(max_length=120)
    file_sha256 = models.CharField(max_length=64)
    file_bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.UPLOADED)
    heads = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    skip_hidden = models.BooleanField(default=False)
    only_right = models.BooleanField(default=False)
    valid_from = models.DateField()
    evidence = models.CharField(max_length=120)
    counts = models.JSONField(default=dict)
    job_id = models.BigIntegerField(null=True)
    failure = models.CharField(max_length=500, default="")
    office_id = models.BigIntegerField()
    uploaded_by = models.BigIntegerField()
    uploaded_on = models.DateField()
    uploaded_at = models.DateTimeField(db_default=Now())
    finished_by = models.BigIntegerField(null=True)
    finished_on = models.DateField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["division", "-id"], name="import_place")]

    @property
    def busy(self) -> bool:
        return self.state in (self.State.CHECKING, self.State.RUNNING)

    @property
    def open(self) -> bool:
        """Not over, and nobody is working at it."""
        return self.state in (self.State.UPLOADED, self.State.MAPPING, self.State.READY, self.State.FAILED)


class RememberedHead(Table):
    """What an office said a head of a column means, for one kind; "" means: not imported."""

    table_class = TableClass.SUBTREE
    changeable = ("target", "division")

    division = DivisionField()
    office_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    head = models.CharField(max_length=120)
    target = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["office_id", "kind", "head"], name="head_remembered_once")]
