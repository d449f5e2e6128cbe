"""Notices (公示): frozen masked rows at a place for a time, and the objections to them (CASE-06, PAY-02).

A notice never holds a plain number or full name; `digest` covers place, period and rows and stands on the printed
sheet. What a notice is about (a roster) lies downstream and is named by `subject` only.

The period: `starts_on` is the day of posting, which is not counted; `ends_on` is the last full day (民法典 第201条), so a
notice of 7 days posted on the 1st may end from the 9th on. What is frozen, and that an open objection holds a notice
open, is also kept by triggers (migration 0002), whoever writes.
"""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, Table, TableClass


class Notice(Table):
    """One list at one village. It may end when `ends_on` has passed and no objection is open."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "ended_on", "ended_by")

    class State(models.TextChoices):
        OPEN = "open", "公示中"
        ENDED = "ended", "公示结束"
        WITHDRAWN = "withdrawn", "已撤下"

    division = DivisionField()
    title = models.CharField(max_length=160)
    subject = models.CharField(max_length=80)
    programme = models.CharField(max_length=40)
    starts_on = models.DateField()
    ends_on = models.DateField()
    rows_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    published_by = models.BigIntegerField()
    ended_on = models.DateField(null=True)
    ended_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="notice_at_least_7_days", condition=Q(ends_on__gte=F("starts_on") + 7)),
            models.CheckConstraint(
                name="notice_not_ended_early", condition=~Q(state="ended") | Q(ended_on__gt=F("ends_on"))
            ),
            models.CheckConstraint(
                name="notice_ended_by_somebody",
                condition=Q(state="open", ended_on=None, ended_by=None)
                | ~Q(state="open") & Q(ended_on__isnull=False, ended_by__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["subject", "division"], condition=~Q(state="withdrawn"), name="notice_once"
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "ends_on"], name="notice_list")]

    @property
    def may_end_on(self) -> date:
        """The first day on which it may end."""
        return self.ends_on + timedelta(days=1)

    def is_overdue(self, on: date) -> bool:
        """Past its last day and still not ended."""
        return self.state == self.State.OPEN and on > self.ends_on


class NoticeRow(Table):
    """One line as the village reads it: group, masked name, how many people, item, quantity, amount."""

    table_class = TableClass.SUBTREE

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="rows", db_index=False)
    division = DivisionField()
    row_no = models.IntegerField()
    subject_line = models.BigIntegerField()
    group_name = models.CharField(max_length=60, default="")
    masked_name = models.CharField(max_length=60)
    people = models.SmallIntegerField()
    quantity = models.CharField(max_length=60, default="")
    amount_fen = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "row_no"], name="notice_row_once")]
        indexes = [models.Index(fields=["subject_line"], name="notice_row_subject")]


class Objection(Table):
    """What somebody says against a row; while it is open the notice cannot end."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "answer", "answered_on", "answered_by")

    class State(models.TextChoices):
        OPEN = "open", "待答复"
        UPHELD = "upheld", "异议成立"
        DISMISSED = "dismissed", "异议不成立"

    row = models.ForeignKey(NoticeRow, on_delete=models.PROTECT, related_name="objections")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="objections")
    division = DivisionField()
    text = models.CharField(max_length=500)
    filed_on = models.DateField()
    filed_by = models.BigIntegerField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=500, default="")
    answered_on = models.DateField(null=True)
    answered_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="objection_answered_by_another",
                condition=Q(answered_by=None) | ~Q(answered_by=F("filed_by")),
            ),
            models.CheckConstraint(
                name="objection_answered_whole",
                condition=Q(state="open", answered_by=None, answered_on=None)
                | ~Q(state="open") & Q(answered_by__isnull=False, answered_on__isnull=False) & ~Q(answer=""),
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "due_on"], name="objection_list")]
