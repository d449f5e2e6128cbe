"""Spot checks: lists that are frozen, drawn from by a public number and checked; agencies; what a township must put right.

    Draw   frozen ──two people typed the number──► drawn ──every drawn case has its result──► done

A list is frozen with its digest before the number it will be drawn by exists, and is never changed after; what is drawn
follows from both (`seeding`) and is written by the database itself (migration 0002). Law: 皖政办〔2008〕23号 附件3 第28条;
伊民规〔2022〕2号 二(四)1; 日政办发〔2018〕95号 四(一)、四(三). CASE-08, REG-10.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.cases.models import Case
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household
from huimin.samples.seeding import EVENTS
from huimin.visits.models import Visit

AFTER_STEP = "事后"
"""Stands for the step where a decided case is checked after its township decided it."""


class SampleRate(Table):
    """A higher rate a county set for itself, with its paper; the newest row of a programme ("" all) counts."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    programme = models.CharField(max_length=40, default="")
    percent = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="sample_rate_percent", condition=Q(percent__gte=1, percent__lte=100)),
            models.CheckConstraint(name="sample_rate_with_basis", condition=~Q(basis="")),
        ]
        indexes = [models.Index(fields=["division", "programme", "-id"], name="sample_rate_newest")]


class Agency(Table):
    """A contract with an agency that checks for the county (委托社会中介机构): from, to, for what, at which fee."""

    table_class = TableClass.SUBTREE
    changeable = ("ended_on", "ended_by", "end_reason")

    division = DivisionField()
    name = models.CharField(max_length=80)
    contract_no = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField()
    scope = models.CharField(max_length=200)
    fee_fen = models.BigIntegerField()
    quality = models.CharField(max_length=300)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()
    ended_on = models.DateField(null=True)
    ended_by = models.BigIntegerField(null=True)
    end_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "contract_no"], name="agency_contract_once"),
            models.CheckConstraint(
                name="agency_days_and_fee", condition=Q(valid_to__gte=F("valid_from"), fee_fen__gte=0)
            ),
            models.CheckConstraint(
                name="agency_ended_with_reason",
                condition=Q(ended_on=None) | ~Q(end_reason="") & Q(ended_by__isnull=False),
            ),
        ]

    def holds(self, on: date) -> bool:
        """Whether checks can be entrusted to it on that day."""
        return self.valid_from <= on <= self.valid_to and (self.ended_on is None or on < self.ended_on)


class Draw(Table):
    """One list and what is drawn of it. Seen from below: a draw is public.

    `step`: where its cases stand, AFTER_STEP for a month's decisions of one township. `programme` is empty where the list is
    of all programmes of the office. `must` of the `size` cases are checked in any case; `quota` of the others are drawn.
    """

    table_class = TableClass.CHAIN
    changeable = (
        "event", "event_on", "first_number", "first_by", "first_account", "first_on", "first_where", "number", "seed",
        "drawn_by", "drawn_account", "drawn_on", "state", "done_on",
    )  # fmt: skip

    class State(models.TextChoices):
        FROZEN = "frozen", "名单已冻结"
        DRAWN = "drawn", "已抽签，检查中"
        DONE = "done", "检查完毕"

    division = DivisionField()
    office = models.BigIntegerField()
    programme = models.CharField(max_length=40, default="")
    step = models.CharField(max_length=20)
    township = DivisionField(default="")
    month = models.DateField(null=True)
    title = models.CharField(max_length=160)
    percent = models.SmallIntegerField()
    basis = models.CharField(max_length=300)
    size = models.IntegerField()
    must = models.IntegerField()
    quota = models.IntegerField()
    digest = models.CharField(max_length=64)
    frozen_on = models.DateField()
    frozen_by = models.BigIntegerField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    event = models.CharField(max_length=8, choices=[(code, each.label) for code, each in EVENTS.items()])
    event_on = models.DateField()
    first_number = models.CharField(max_length=40, default="")
    first_by = models.BigIntegerField(null=True)
    first_account = models.BigIntegerField(null=True)
    first_on = models.DateField(null=True)
    first_where = models.CharField(max_length=120, default="")
    number = models.CharField(max_length=40, default="")
    seed = models.CharField(max_length=64, default="")
    drawn_by = models.BigIntegerField(null=True)
    drawn_account = models.BigIntegerField(null=True)
    drawn_on = models.DateField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.FROZEN)
    done_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="draw_not_empty", condition=Q(size__gte=1, must__gte=0, must__lte=F("size"))),
            models.CheckConstraint(name="draw_percent", condition=Q(percent__gte=1, percent__lte=100)),
            models.CheckConstraint(name="draw_by_a_later_number", condition=Q(event_on__gt=F("frozen_on"))),
            models.CheckConstraint(
                name="draw_after_or_before",
                condition=Q(step=AFTER_STEP, month__isnull=False) & ~Q(township="")
                | ~Q(step=AFTER_STEP) & Q(month=None, township="") & ~Q(programme=""),
            ),
            models.CheckConstraint(
                name="draw_whole",
                condition=Q(state="frozen", number="", seed="", drawn_on=None)
                | ~Q(state="frozen") & ~Q(seed="") & Q(drawn_on__gte=F("event_on"), number=F("first_number")),
            ),
            models.UniqueConstraint(
                fields=["office", "township", "month"], condition=Q(step=AFTER_STEP), name="draw_of_month_once"
            ),
        ]
        indexes = [
            models.Index(fields=["division", "-id"], name="draw_newest"),
            models.Index(fields=["state", "event_on"], name="draw_open", condition=~Q(state="done")),
        ]

    @property
    def subject(self) -> str:
        """As signatures name it."""
        return f"draw:{self.pk}"

    @property
    def after(self) -> bool:
        return self.step == AFTER_STEP

    @property
    def drawn_count(self) -> int:
        """How many are to be checked."""
        return self.must + self.quota


class DrawSkip(Table):
    """A public number that never came (no draw, no trading that day): which, why, and that another was named."""

    table_class = TableClass.CHAIN

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="skips")
    division = DivisionField()
    event = models.CharField(max_length=8)
    event_on = models.DateField()
    reason = models.CharField(max_length=200)
    skipped_by = models.BigIntegerField()
    skipped_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["draw", "event", "event_on"], name="draw_skip_once"),
            models.CheckConstraint(name="draw_skip_with_reason", condition=~Q(reason="")),
        ]

    @property
    def label(self) -> str:
        return EVENTS[self.event].label


class DrawCase(Table):
    """One case on a frozen list; `key` and `picked` are written by the database when the list is drawn from.

    `must` does not say why: that a household has a relative among officials is told by the kinship file alone.
    """

    table_class = TableClass.SUBTREE
    changeable = ("key", "picked", "agency", "assigned_on", "assigned_by", "due_on")

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="cases", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="samples", db_index=False)
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, db_index=False)
    number = models.CharField(max_length=20, db_collation="C")
    round = models.SmallIntegerField()
    step = models.CharField(max_length=20)
    must = models.BooleanField()
    key = models.CharField(max_length=64, default="", db_collation="C")
    picked = models.BooleanField(default=False)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="cases", db_index=False)
    assigned_on = models.DateField(null=True)
    assigned_by = models.BigIntegerField(null=True)
    due_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "step"], name="draw_case_once"),
            models.UniqueConstraint(fields=["draw", "number"], name="draw_case_number"),
            models.CheckConstraint(
                name="draw_case_assigned",
                condition=Q(agency=None) | Q(picked=True, assigned_on__isnull=False, due_on__gte=F("assigned_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["draw", "key"], name="draw_case_picked", condition=Q(picked=True)),
            models.Index(fields=["agency", "id"], name="draw_case_agency", condition=Q(agency__isnull=False)),
        ]

    @property
    def subject(self) -> str:
        """As visits and signatures name it."""
        return f"sample:{self.pk}"


class Check(Table):
    """What a check of one drawn case found. Written once; what does not agree sends the case back."""

    table_class = TableClass.SUBTREE

    class Way(models.TextChoices):
        VISIT = "visit", "入户检查"
        AGENCY = "agency", "委托机构核查"
        PAPERS = "papers", "查阅材料"

    class Result(models.TextChoices):
        TRUE = "true", "属实"
        DIFFERS = "differs", "有出入"
        FALSE = "false", "不属实"

    line = models.OneToOneField(DrawCase, on_delete=models.PROTECT, related_name="check_made")
    division = DivisionField()
    way = models.CharField(max_length=8, choices=Way.choices)
    visit = models.OneToOneField(Visit, on_delete=models.PROTECT, null=True, related_name="check_made")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, null=True, related_name="checks", db_index=False)
    paper = models.CharField(max_length=200, default="")
    checkers = models.CharField(max_length=200)
    checked_on = models.DateField()
    result = models.CharField(max_length=8, choices=Result.choices)
    found = models.CharField(max_length=500, default="")
    appointment = models.BigIntegerField()
    account = models.BigIntegerField()
    recorded_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(name="check_says_what_differs", condition=Q(result="true") | ~Q(found="")),
            models.CheckConstraint(
                name="check_rests_on_a_visit",
                condition=Q(way="visit", visit__isnull=False) | ~Q(way="visit") & Q(visit=None),
            ),
            models.CheckConstraint(
                name="check_by_agency_or_not",
                condition=Q(way="agency", agency__isnull=False) | ~Q(way="agency") & Q(agency=None),
            ),
            models.CheckConstraint(name="check_names_its_paper", condition=Q(way="visit") | ~Q(paper="")),
            models.CheckConstraint(name="check_not_in_the_future", condition=Q(checked_on__lte=F("recorded_on"))),
        ]

    @property
    def wrong(self) -> bool:
        return self.result != self.Result.TRUE


class Order(Table):
    """What a township must put right after a check of its decisions: what, by when; answered; settled by the county.

    open ──township answers──► answered ──county settles──► settled
      ▲──────────── county does not accept ─────┘
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "due_on", "answer", "answered_by", "answered_account", "answered_on", "settled_by", "settled_on", "note",
    )  # fmt: skip

    class State(models.TextChoices):
        OPEN = "open", "待整改"
        ANSWERED = "answered", "已报整改"
        SETTLED = "settled", "已销号"

    made = models.OneToOneField(Check, on_delete=models.PROTECT, related_name="order")
    division = DivisionField()
    what = models.CharField(max_length=500)
    due_on = models.DateField()
    ordered_by = models.BigIntegerField()
    ordered_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=500, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_account = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)
    note = models.CharField(max_length=300, default="")
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="order_due_after", condition=Q(due_on__gte=F("ordered_on"))),
            models.CheckConstraint(
                name="order_answered", condition=Q(state="open") | ~Q(answer="") & Q(answered_on__isnull=False)
            ),
            models.CheckConstraint(
                name="order_settled",
                condition=~Q(state="settled") | Q(settled_on__isnull=False, settled_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["division", "due_on"], name="order_open", condition=~Q(state="settled"))]

    def overdue(self, on: date) -> bool:
        return self.state == self.State.OPEN and self.due_on < on
