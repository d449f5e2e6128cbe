"""Notices (公示): frozen masked rows at a place for a time, and the objections to them (CASE-06, PAY-02).

A notice never holds a plain number or full name; `digest` covers place, period and rows. What a notice is about (a roster,
a case) lies downstream and is named by `subject` only. It stands on one board: a village's, a township's or the county's;
what the law wants on several has a notice on each. A `Sheet` is the paper that hangs there: one notice, or those of several
cases that were put up together, each with days of its own (docs/decisions/0026).

The period: `starts_on` is the day of posting, which is not counted; `ends_on` is the last full day (民法典 第201条), so a
notice of 7 days posted on the 1st may end from the 9th on. What is frozen, and that an open objection holds a notice
open, is also kept by triggers (migration 0002), whoever writes.
"""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.registry.models import Household


class NoticeRule(Table):
    """What a county sets for its notices, with the paper it rests on; the newest row counts (rules.py).

    `programmes`: published for as long as they are paid (长期公示), from the village's fixed board, with `hotline`;
    `due_day`: the day of the month by which a changed list must hang; `photo_needed`: no notice ends without a photo.
    """

    table_class = TableClass.CHAIN

    division = DivisionField()
    photo_needed = models.BooleanField()
    programmes = ArrayField(models.CharField(max_length=40))
    hotline = models.CharField(max_length=60, default="")
    due_day = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="notice_rule_due_day", condition=Q(due_day__range=(1, 28)))]
        indexes = [models.Index(fields=["division", "-id"], name="notice_rule_newest")]


class Sheet(Table):
    """One paper on one board, with the notices it shows. `digest` is that of its notice, or over those of several."""

    table_class = TableClass.SUBTREE
    changeable = ("taken_down_on", "taken_down_by")

    division = DivisionField()
    title = models.CharField(max_length=160)
    programme = models.CharField(max_length=40)
    posted_on = models.DateField()
    ends_on = models.DateField()
    notices_count = models.IntegerField()
    rows_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    posted_by = models.BigIntegerField()
    taken_down_on = models.DateField(null=True)
    taken_down_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="sheet_taken_down_by_somebody",
                condition=Q(taken_down_on=None, taken_down_by=None)
                | Q(taken_down_on__isnull=False, taken_down_by__isnull=False),
            )
        ]
        indexes = [
            # What still hangs, for the desk: by the day it may come down.
            models.Index(fields=["division", "ends_on", "id"], name="sheet_hanging", condition=Q(taken_down_on=None))
        ]


class SheetPhoto(Table):
    """A photo of a sheet on its board: when, where, who took it. The file lies encrypted under its digest."""

    table_class = TableClass.SUBTREE

    class Occasion(models.TextChoices):
        POSTED = "posted", "张贴时"
        HANGING = "hanging", "公示期间"
        REMOVED = "removed", "撤下时"

    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, related_name="photos", db_index=False)
    division = DivisionField()
    occasion = models.CharField(max_length=8, choices=Occasion.choices)
    taken_on = models.DateField()
    spot = models.CharField(max_length=80)
    photographer = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64, db_collation="C")
    media_type = models.CharField(max_length=20)
    size_bytes = models.IntegerField()
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "sha256"], name="sheet_photo_once"),
            models.CheckConstraint(name="sheet_photo_told", condition=~Q(spot="") & ~Q(photographer="")),
        ]


class Notice(Table):
    """One list on one board. It may end when `ends_on` has passed and no objection is open."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "ended_on", "ended_by")

    class State(models.TextChoices):
        OPEN = "open", "公示中"
        ENDED = "ended", "公示结束"
        WITHDRAWN = "withdrawn", "已撤下"

    division = DivisionField()
    sheet = models.ForeignKey(Sheet, on_delete=models.PROTECT, null=True, related_name="notices")
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
    """One line as the village reads it: group, masked name, how many people, quantity, amount.

    `household` is whom it is about, where it is about one: not shown, and not in the digest.
    """

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
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "row_no"], name="notice_row_once")]
        indexes = [
            models.Index(fields=["subject_line"], name="notice_row_subject"),
            models.Index(fields=["household"], name="notice_row_household", condition=Q(household__isnull=False)),
        ]


class Objection(Table):
    """What somebody says against a row, by name or not; while it is open the notice cannot end.

    Name and phone of who objects are sealed, so that neither the household nor a colleague reads them by the way. An
    answer says how it was looked into, by whom, on which day, and what was found; who left a name is told.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "how", "looked_on", "looked_by", "found", "answer", "answered_on", "answered_by", "told_on", "told_how",
        "told_by",
    )  # fmt: skip

    class State(models.TextChoices):
        OPEN = "open", "待答复"
        UPHELD = "upheld", "异议成立"
        DISMISSED = "dismissed", "异议不成立"

    class Channel(models.TextChoices):
        DESK = "desk", "窗口当面"
        PHONE = "phone", "电话"
        LETTER = "letter", "来信"
        SPOT = "spot", "公示现场"
        BOX = "box", "举报箱"

    class How(models.TextChoices):
        REVIEW = "review", "重新评议"
        INVESTIGATION = "investigation", "核实"

    row = models.ForeignKey(NoticeRow, on_delete=models.PROTECT, related_name="objections")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="objections")
    division = DivisionField()
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.DESK)
    text = models.CharField(max_length=500)
    anonymous = models.BooleanField(default=True)
    payload_enc = SealedField(null=True)
    payload_hash = models.BinaryField(max_length=32, null=True)
    about_appointment = models.BigIntegerField(null=True)
    filed_on = models.DateField()
    filed_by = models.BigIntegerField()
    due_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    how = models.CharField(max_length=14, choices=How.choices, default="")
    looked_on = models.DateField(null=True)
    looked_by = models.CharField(max_length=120, default="")
    found = models.CharField(max_length=1000, default="")
    answer = models.CharField(max_length=500, default="")
    answered_on = models.DateField(null=True)
    answered_by = models.BigIntegerField(null=True)
    told_on = models.DateField(null=True)
    told_how = models.CharField(max_length=80, default="")
    told_by = models.BigIntegerField(null=True)

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
            models.CheckConstraint(
                name="objection_by_name_or_not",
                condition=Q(anonymous=True, payload_enc=None) | Q(anonymous=False, payload_enc__isnull=False),
            ),
            models.CheckConstraint(
                name="objection_told_whole",
                condition=Q(told_on=None, told_by=None, told_how="")
                | Q(told_on__isnull=False, told_by__isnull=False, anonymous=False) & ~Q(told_how="") & ~Q(state="open"),
            ),
        ]
        indexes = [
            models.Index(fields=["division", "state", "due_on"], name="objection_list"),
            # Answered, and who left a name not told yet.
            models.Index(
                fields=["division", "id"],
                name="objection_to_tell",
                condition=Q(anonymous=False, told_on=None) & ~Q(state="open"),
            ),
        ]
