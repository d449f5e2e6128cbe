"""Work in the villages: surveys of the year, monitoring points, who answers for what, low-income people watched.

REG-06 `Campaign`, `CampaignPlace`, `SurveyForm` · ORG-04 `PointNote`, `PointStep`, `PointReport` · ORG-03 `Assignment` ·
REG-09 `LowIncome`, `Signal`, `Visit` · what a county sets for itself, with its source: `FieldRule`.

Rows about a household carry the division it lives in and move with it; reports, results and steps keep the place they were
made in.
"""

from datetime import date, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household, Person, ReportedChange


class FieldRule(Table):
    """A number the county sets for its field work, with the paper it rests on; the newest row of a code counts."""

    table_class = TableClass.CHAIN
    changeable: ClassVar[tuple[str, ...]] = ()

    class Code(models.TextChoices):
        ANSWER_DAYS = "answer_days", "民生问题答复期限（天）"
        URGENT_DAYS = "urgent_days", "紧急问题答复期限（天）"
        REPORT_DAYS = "report_days", "季末后上报期限（天）"
        VISIT_DAYS = "visit_days", "预警走访期限（天）"
        LOOKBACK_DAYS = "lookback_days", "预警回看（天）"
        MEDICAL_FEN = "medical_fen", "医疗自付增加（元）"
        INCOME_PERCENT = "income_percent", "收入下降（%）"

    division = DivisionField()
    code = models.CharField(max_length=20, choices=Code.choices)
    value = models.BigIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(name="field_rule_not_negative", condition=Q(value__gte=0))]
        indexes = [models.Index(fields=["division", "code", "-id"], name="field_rule_newest")]


class Campaign(Table):
    """The yearly survey of a county (一年一调整): whom it covers, from when, by when.

    `households_upto`: the greatest household id when it was opened; what has a greater one was registered or split off
    since.
    """

    table_class = TableClass.CHAIN
    changeable = ("state", "closed_by", "closed_on", "summary", "signature")

    class Whom(models.TextChoices):
        ALL = "all", "全部在册家庭"
        ENTITLED = "entitled", "享受待遇的家庭"

    class State(models.TextChoices):
        OPEN = "open", "进行中"
        CLOSED = "closed", "已结束"

    division = DivisionField()
    year = models.SmallIntegerField()
    title = models.CharField(max_length=60)
    whom = models.CharField(max_length=10, choices=Whom.choices)
    starts_on = models.DateField()
    deadline = models.DateField()
    households_upto = models.BigIntegerField()
    opened_by = models.BigIntegerField()
    opened_on = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    closed_by = models.BigIntegerField(null=True)
    closed_on = models.DateField(null=True)
    summary = models.CharField(max_length=1000, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "year"], name="campaign_once_a_year"),
            models.UniqueConstraint(fields=["division"], condition=Q(state="open"), name="campaign_one_open"),
            models.CheckConstraint(name="campaign_deadline_after_start", condition=Q(deadline__gte=F("starts_on"))),
        ]


class CampaignPlace(Table):
    """What a campaign came to in one village when it was closed; frozen."""

    table_class = TableClass.SUBTREE

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="places")
    division = DivisionField()
    due = models.IntegerField()
    done = models.IntegerField()
    changed = models.IntegerField()
    new = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "division"], name="campaign_place_once"),
            models.CheckConstraint(name="campaign_done_within_due", condition=Q(done__lte=F("due"), done__gte=0)),
        ]


class SurveyForm(Table):
    """A 基本信息表 of a household was taken on a day: it was as registered, or led to a change, or founded the household."""

    table_class = TableClass.SUBTREE
    changeable = ("division",)

    class Outcome(models.TextChoices):
        SAME = "same", "与登记一致"
        CHANGED = "changed", "有变化"
        NEW = "new", "新登记"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="survey_forms", db_index=False)
    division = DivisionField()
    surveyed_on = models.DateField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    change = models.OneToOneField(ReportedChange, on_delete=models.PROTECT, null=True, related_name="survey_form")
    surveyors = models.CharField(max_length=80)
    evidence = models.CharField(max_length=120)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "surveyed_on"], condition=Q(outcome="same"), name="survey_form_once"
            )
        ]
        indexes = [
            models.Index(fields=["household", "surveyed_on"], name="survey_form_of"),
            models.Index(fields=["division", "surveyed_on"], name="survey_form_place"),
        ]


class PointNote(Table):
    """民生信息 as a village's information officer recorded it; a problem goes up until a level answers it.

    noted                                   information only
    waiting (at township ──► county ──► above) ──► answered
    """

    table_class = TableClass.SUBTREE
    changeable = ("state", "stands_at", "due_on", "answer", "answered_by", "answered_on", "report")

    class Kind(models.TextChoices):
        INCOME = "income", "生产和收入"
        HARDSHIP = "hardship", "生活困难"
        HEALTH = "health", "看病就医"
        SCHOOL = "school", "上学就业"
        HOUSING = "housing", "住房饮水"
        DISASTER = "disaster", "灾害事故"
        POLICY = "policy", "政策落实"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        NOTED = "noted", "已记录"
        WAITING = "waiting", "待答复"
        ANSWERED = "answered", "已答复"

    class At(models.TextChoices):
        TOWNSHIP = "township", "乡镇"
        COUNTY = "county", "县"
        ABOVE = "above", "省、市"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.CharField(max_length=500)
    happened_on = models.DateField()
    evidence = models.CharField(max_length=120, default="")
    urgent = models.BooleanField()
    state = models.CharField(max_length=10, choices=State.choices)
    stands_at = models.CharField(max_length=10, choices=At.choices, default="")
    due_on = models.DateField(null=True)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()
    answer = models.CharField(max_length=500, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)
    report = models.ForeignKey("PointReport", on_delete=models.PROTECT, null=True, related_name="notes")

    class Meta:
        indexes = [
            models.Index(fields=["division", "id"], name="point_note_place"),
            models.Index(fields=["state", "stands_at", "division"], name="point_note_waiting"),
        ]

    def overdue(self, on: date) -> bool:
        return self.state == self.State.WAITING and self.due_on is not None and self.due_on < on


class PointStep(Table):
    """One step of a problem on its way: raised, handed up with the reason, answered."""

    table_class = TableClass.SUBTREE

    class Kind(models.TextChoices):
        RAISED = "raised", "上报"
        ESCALATED = "escalated", "上转"
        ANSWERED = "answered", "答复"

    note = models.ForeignKey(PointNote, on_delete=models.PROTECT, related_name="steps")
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    to = models.CharField(max_length=10, choices=PointNote.At.choices, default="")
    text = models.CharField(max_length=500)
    done_by = models.BigIntegerField()
    done_on = models.DateField()


class PointReport(Table):
    """The quarter's monitoring report of a village or township: what was recorded, by kind, as submitted and signed.

    `counts`: kind → [notes, urgent, still waiting]; a township's adds up its villages'.
    """

    table_class = TableClass.SUBTREE

    division = DivisionField()
    level = models.SmallIntegerField()
    year = models.SmallIntegerField()
    quarter = models.SmallIntegerField()
    counts = models.JSONField()
    notes_count = models.IntegerField()
    text = models.CharField(max_length=1000, default="")
    due_on = models.DateField()
    submitted_by = models.BigIntegerField()
    submitted_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "year", "quarter"], name="point_report_once"),
            models.CheckConstraint(name="point_report_quarter", condition=Q(quarter__gte=1, quarter__lte=4)),
        ]

    @property
    def late(self) -> bool:
        return self.submitted_on > self.due_on


class Assignment(Table):
    """Somebody answers for a place or a household: a responsibility letter (目标责任书) or 包保, with its days."""

    table_class = TableClass.SUBTREE
    changeable = ("valid_to", "ended_by", "ended_on", "end_reason", "signed_on", "scan_sha256", "scan_type")

    class Kind(models.TextChoices):
        LETTER = "letter", "目标责任书"
        CARE = "care", "包保"

    class Level(models.TextChoices):
        TOWNSHIP = "township", "乡镇"
        VILLAGE = "village", "村"
        GROUP = "group", "组"
        HOUSEHOLD = "household", "户"

    division = DivisionField()
    level = models.CharField(max_length=10, choices=Level.choices)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    holder_name = models.CharField(max_length=40)
    holder_title = models.CharField(max_length=40)
    holder_office = models.CharField(max_length=80)
    duties = models.CharField(max_length=500)
    letter_no = models.CharField(max_length=60, default="")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    assigned_by = models.BigIntegerField()
    assigned_on = models.DateField()
    signed_on = models.DateField(null=True)
    scan_sha256 = models.CharField(max_length=64, default="")
    scan_type = models.CharField(max_length=20, default="")
    ended_by = models.BigIntegerField(null=True)
    ended_on = models.DateField(null=True)
    end_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "household", "holder_name", "kind"],
                condition=Q(ended_on=None),
                name="assignment_live_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="assignment_days", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
        ]
        indexes = [
            models.Index(fields=["division", "id"], name="assignment_place"),
            models.Index(fields=["holder_name", "division", "id"], name="assignment_person"),
        ]

    @property
    def last_day(self) -> date | None:
        """The last day it holds, as the letter says it."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None


class LowIncome(Table):
    """A household in the base of low-income people, by layer, from a day until it left it; `basis` says what put it there."""

    table_class = TableClass.SUBTREE
    changeable = ("valid_to", "division")

    class Layer(models.TextChoices):
        DIBAO = "dibao", "低保"
        TEKUN = "tekun", "特困"
        NEAR = "near", "低保边缘"
        RELAPSE = "relapse", "易返贫致贫"
        EXPENSE = "expense", "支出型困难"
        OTHER = "other", "其他低收入"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="low_income")
    division = DivisionField()
    layer = models.CharField(max_length=10, choices=Layer.choices)
    basis = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "layer"], condition=Q(valid_to=None), name="low_income_live_once"
            )
        ]
        indexes = [models.Index(fields=["division", "id"], condition=Q(valid_to=None), name="low_income_place")]


class Signal(Table):
    """A change that may throw a household into hardship, with what was before and after; visited until it is closed.

    open ──► assigned ──► closed (helped by a programme, no need, moved away)
      └────────────────────┘
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "division", "state", "assigned_to", "assigned_by", "assigned_on", "due_on", "closed_by", "closed_on", "reason",
        "programme", "note", "person", "household",
    )  # fmt: skip

    class Kind(models.TextChoices):
        MEDICAL = "medical", "医疗支出增加"
        JOB = "job", "失业"
        DISASTER = "disaster", "受灾"
        DISABILITY = "disability", "新发或加重残疾"
        DEATH = "death", "主要劳动力死亡"
        INCOME = "income", "收入下降"
        BENEFIT = "benefit", "待遇终止"

    class State(models.TextChoices):
        OPEN = "open", "待指派"
        ASSIGNED = "assigned", "走访中"
        CLOSED = "closed", "已办结"

    class Reason(models.TextChoices):
        HELPED = "helped", "已纳入帮扶"
        NO_NEED = "no_need", "核实后不需要"
        MOVED = "moved", "已迁出"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="signals")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    happened_on = models.DateField()
    before = models.CharField(max_length=120)
    after = models.CharField(max_length=120)
    basis = models.CharField(max_length=120)
    raised_by = models.BigIntegerField()
    raised_on = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN, db_default=State.OPEN)
    assigned_to = models.BigIntegerField(null=True)
    assigned_by = models.BigIntegerField(null=True)
    assigned_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    closed_by = models.BigIntegerField(null=True)
    closed_on = models.DateField(null=True)
    reason = models.CharField(max_length=10, choices=Reason.choices, default="", db_default="")
    programme = models.CharField(max_length=40, default="", db_default="")
    note = models.CharField(max_length=300, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "person", "kind", "happened_on", "basis"], name="signal_once", nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(fields=["division", "id"], name="signal_place"),
            models.Index(fields=["assigned_to", "state", "due_on"], name="signal_of_officer"),
        ]

    def overdue(self, on: date) -> bool:
        return self.state != self.State.CLOSED and self.due_on is not None and self.due_on < on


class Visit(Table):
    """A visit because of a signal: when, by whom, what was found, and when to come again."""

    table_class = TableClass.SUBTREE

    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, related_name="visits")
    division = DivisionField()
    visited_on = models.DateField()
    visitors = ArrayField(models.CharField(max_length=40))
    result = models.CharField(max_length=500)
    next_on = models.DateField(null=True)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["signal", "visited_on"], name="visit_once_a_day")]
