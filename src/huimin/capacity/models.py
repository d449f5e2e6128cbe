"""Courses, who attended, and the yearly figures of each township's assistance desk (ORG-07, ORG-08).

Law: 皖政办〔2008〕23号 附件3 第8条 (the county trains township cadres), 第9条 (townships train villages);
伊民规〔2022〕2号 二（四）7 (two on establishment, work cost within 2 % of the funds raised).
"""

from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, Table, TableClass


class CapacityRule(Table):
    """What the county asks: days to be trained in, staff on establishment, work cost in ‰ of the funds; the newest counts."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    training_days = models.SmallIntegerField()
    staff_min = models.SmallIntegerField()
    cost_permille = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="capacity_within_bounds",
                condition=Q(training_days__gte=1, training_days__lte=365, staff_min__gte=1, cost_permille__gte=1),
            )
        ]


class Course(Table):
    """A training held by a county office or a township, for officers of its place; seen by those it is for."""

    table_class = TableClass.CHAIN
    changeable = ("state", "reason")

    class State(models.TextChoices):
        PLANNED = "planned", "未举办"
        HELD = "held", "已举办"
        CANCELLED = "cancelled", "已取消"

    division = DivisionField()
    title = models.CharField(max_length=80)
    held_on = models.DateField()
    location = models.CharField(max_length=80)
    minutes = models.IntegerField()
    trainer = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(max_length=200, default="")
    organiser = models.CharField(max_length=160)
    planned_by = models.BigIntegerField()
    planned_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="course_lasts", condition=Q(minutes__gt=0)),
            models.UniqueConstraint(fields=["division", "title", "held_on"], name="course_once"),
        ]
        indexes = [models.Index(fields=["division", "held_on"], name="course_list")]


class CourseTopic(Table):
    """A programme the course is about, in the version in force since `version_from`."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="topics")
    programme = models.CharField(max_length=40, db_collation="C")
    version_from = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "programme"], name="course_topic_once")]


class CourseMaterial(Table):
    """What was handed out; the file lies encrypted beside the scans (registry.commands.attachments)."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="materials")
    title = models.CharField(max_length=80)
    media_type = models.CharField(max_length=20)
    size_bytes = models.IntegerField()
    sha256 = models.CharField(max_length=64, db_collation="C")
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "sha256"], name="course_material_once")]


class Attendance(Table):
    """An officer at a course, and how he did. The training is the person's: it follows the account to another post."""

    table_class = TableClass.SUBTREE
    changeable = ("result", "recorded_by", "recorded_on")

    class Result(models.TextChoices):
        PASSED = "passed", "合格"
        FAILED = "failed", "不合格"
        ABSENT = "absent", "缺席"

    division = DivisionField()
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="attendances")
    appointment = models.BigIntegerField()
    account = models.BigIntegerField()
    result = models.CharField(max_length=8, choices=Result.choices)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "course"], name="attendance_once")]


class StaffingReport(Table):
    """One year of a township's assistance desk, entered by the township, checked by the county.

    `on_establishment`: of the staff, those 编制内; `posts`: the establishment's posts for the desk.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "posts", "on_establishment", "others", "cost_fen", "raised_fen", "note", "state", "reported_by", "reported_on",
        "checked_by", "checked_on", "refusal",
    )  # fmt: skip

    class State(models.TextChoices):
        REPORTED = "reported", "待县核对"
        CONFIRMED = "confirmed", "县已核对"
        RETURNED = "returned", "退回更正"

    division = DivisionField()
    year = models.SmallIntegerField()
    posts = models.SmallIntegerField()
    on_establishment = models.SmallIntegerField()
    others = models.SmallIntegerField()
    cost_fen = models.BigIntegerField()
    raised_fen = models.BigIntegerField()
    note = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=10, choices=State.choices)
    reported_by = models.BigIntegerField()
    reported_on = models.DateField()
    checked_by = models.BigIntegerField(null=True)
    checked_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "year"], name="staffing_once_a_year"),
            models.CheckConstraint(
                name="staffing_not_negative",
                condition=Q(posts__gte=0, on_establishment__gte=0, others__gte=0, cost_fen__gte=0, raised_fen__gte=0),
            ),
            models.CheckConstraint(
                name="staffing_checked_by_another", condition=Q(checked_by=None) | ~Q(checked_by=F("reported_by"))
            ),
        ]
