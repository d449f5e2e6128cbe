"""The special rectification campaign (专项整治): everybody who holds a programme in a place is looked at again (CASE-10).

    Campaign   planned ──another person opens──► open ──every item reviewed, every check agreed──► closed
    Item       open ──township──► found ──another person──► reviewed      a return or a check that disagrees: open, next round

Rows of a campaign stand at its place and are seen from below; items stand where the household lives. What names people of
the offices, the county's own checks and what is sent up stand at the county, where no township sees them. Law:
日政办发〔2018〕95号 四, 五, 六. A campaign never touches an entitlement: what it found is carried out by the ordinary ways.
"""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.casework.models import Entitlement
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.kernel.places import Level, scope_prefix
from huimin.registry.models import Household, Person
from huimin.screening.models import Proposal
from huimin.visits.models import Visit


class Campaign(Table):
    """One campaign over one or more programmes in a place, by which document.

    `report_day` is the day of the month by which cases are reported up, `interim_on` and `summary_on` the days of the
    reports of the second and the last phase; `sent_to` who gets them. `items_digest` is over the list as it was frozen.
    """

    table_class = TableClass.CHAIN
    changeable = (
        "title", "document_no", "basis", "aim", "programmes", "percent", "report_day", "interim_on", "summary_on", "sent_to",
        "state", "opened_by", "opened_account", "opened_on", "items_count", "items_digest", "opening", "closed_by",
        "closed_on", "summary", "closing",
    )  # fmt: skip

    class State(models.TextChoices):
        PLANNED = "planned", "待启动"
        OPEN = "open", "进行中"
        CLOSED = "closed", "已结束"

    division = DivisionField()
    level = models.SmallIntegerField(
        choices=[(Level.COUNTY, Level.COUNTY.label), (Level.TOWNSHIP, Level.TOWNSHIP.label)]
    )
    title = models.CharField(max_length=80)
    document_no = models.CharField(max_length=60)
    basis = models.CharField(max_length=200)
    aim = models.CharField(max_length=500, default="")
    programmes = ArrayField(models.CharField(max_length=40))
    percent = models.SmallIntegerField(default=30)
    report_day = models.SmallIntegerField(default=25)
    interim_on = models.DateField(null=True)
    summary_on = models.DateField()
    sent_to = models.CharField(max_length=80)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PLANNED)
    planned_by = models.BigIntegerField()
    planned_account = models.BigIntegerField()
    planned_on = models.DateField()
    opened_by = models.BigIntegerField(null=True)
    opened_account = models.BigIntegerField(null=True)
    opened_on = models.DateField(null=True)
    items_count = models.IntegerField(default=0)
    items_digest = models.CharField(max_length=64, default="")
    opening = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")
    closed_by = models.BigIntegerField(null=True)
    closed_on = models.DateField(null=True)
    summary = models.CharField(max_length=2000, default="")
    closing = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "document_no"], name="rectification_once"),
            models.CheckConstraint(
                name="rectification_opened_by_another",
                condition=Q(opened_account=None) | ~Q(opened_account=F("planned_account")),
            ),
            models.CheckConstraint(
                name="rectification_opened_whole",
                condition=Q(state="planned", opening=None) | ~Q(state="planned") & Q(opening__isnull=False),
            ),
            models.CheckConstraint(
                name="rectification_closed_whole",
                condition=~Q(state="closed") | Q(closing__isnull=False, closed_on__isnull=False) & ~Q(summary=""),
            ),
            models.CheckConstraint(
                name="rectification_numbers", condition=Q(percent__range=(1, 100), report_day__range=(1, 28))
            ),
            models.CheckConstraint(name="rectification_of_something", condition=Q(programmes__len__gte=1)),
        ]

    @property
    def subject(self) -> str:
        """As signatures name it."""
        return f"rectification:{self.pk}"

    @property
    def prefix(self) -> str:
        """The digits every place of it begins with."""
        return scope_prefix(self.division, Level(self.level))

    @property
    def county(self) -> str:
        """Where what only the county may see stands."""
        return self.division[: int(Level.COUNTY)].ljust(12, "0")


class Phase(Table):
    """One of the four phases; another last day has its reason, the change log what stood before."""

    table_class = TableClass.CHAIN
    changeable = ("starts_on", "ends_on", "reason")

    class Number(models.IntegerChoices):
        MOBILISE = 1, "动员部署"
        CARRY_OUT = 2, "组织实施"
        INSPECT = 3, "检查督导"
        CONCLUDE = 4, "总结收尾"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="phases", db_index=False)
    division = DivisionField()
    number = models.SmallIntegerField(choices=Number.choices)
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="rectification_phase_once"),
            models.CheckConstraint(name="rectification_phase_days", condition=Q(ends_on__gte=F("starts_on"))),
        ]

    def standing(self, on: date) -> str:
        """before, now, over."""
        return "before" if on < self.starts_on else "now" if on <= self.ends_on else "over"


class GroupMember(Table):
    """Who leads the campaign (领导小组)."""

    table_class = TableClass.CHAIN

    class Role(models.TextChoices):
        LEADER = "leader", "组长"
        DEPUTY = "deputy", "副组长"
        MEMBER = "member", "成员"
        OFFICE = "office", "办公室主任"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="group", db_index=False)
    division = DivisionField()
    role = models.CharField(max_length=8, choices=Role.choices)
    name = models.CharField(max_length=40)
    unit = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "name", "unit"], name="rectification_member_once"),
            models.UniqueConstraint(fields=["campaign"], condition=Q(role="leader"), name="rectification_one_leader"),
        ]


class Item(Table):
    """One beneficiary as the campaign found him (amount, people, marks of risk, frozen), or a household that may have been
    missed; and what the township found of it.

    `risks` are codes of `marking.RISKS`; `number` is what the draw and papers name it by.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "division", "household", "state", "round", "result", "to_fen", "grounds", "evidence", "visit", "found_by",
        "found_account", "found_on", "finding", "reviewed_by", "reviewed_account", "reviewed_on", "review",
    )  # fmt: skip

    class Origin(models.TextChoices):
        HELD = "held", "在保"
        MISSED = "missed", "系统筛查应进未进"
        TOLD = "told", "摸排发现"

    class Result(models.TextChoices):
        KEEP = "keep", "符合，保留"
        INCREASE = "increase", "符合，增发"
        DECREASE = "decrease", "符合，减发"
        LEAVE = "leave", "不符合，清退"
        DEAD = "dead", "死亡，停发"
        ENTER = "enter", "漏保，新纳入"
        DECLINED = "declined", "不符合，不纳入"
        OTHER = "other", "其他"

    class State(models.TextChoices):
        OPEN = "open", "待核查"
        FOUND = "found", "待复核"
        REVIEWED = "reviewed", "已复核"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="items", db_index=False)
    number = models.CharField(max_length=20, db_collation="C")
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="rectifications")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, db_index=False)
    programme = models.CharField(max_length=40)
    origin = models.CharField(max_length=8, choices=Origin.choices)
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, null=True, db_index=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, db_index=False)
    note = models.CharField(max_length=300, default="")
    amount_fen = models.BigIntegerField()
    people = models.SmallIntegerField()
    risks = ArrayField(models.CharField(max_length=12), default=list)
    risk_count = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    round = models.SmallIntegerField(default=1)
    result = models.CharField(max_length=10, choices=Result.choices, default="")
    to_fen = models.BigIntegerField(null=True)
    grounds = models.CharField(max_length=500, default="")
    evidence = models.CharField(max_length=200, default="")
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    found_by = models.BigIntegerField(null=True)
    found_account = models.BigIntegerField(null=True)
    found_on = models.DateField(null=True)
    finding = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    reviewed_by = models.BigIntegerField(null=True)
    reviewed_account = models.BigIntegerField(null=True)
    reviewed_on = models.DateField(null=True)
    review = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "household", "person", "programme"], name="rectification_item_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(fields=["number"], name="rectification_item_number"),
            models.CheckConstraint(
                name="rectification_item_origin",
                condition=Q(origin="held", entitlement__isnull=False)
                | Q(origin="missed", proposal__isnull=False, entitlement=None)
                | Q(origin="told", proposal=None, entitlement=None) & ~Q(note=""),
            ),
            models.CheckConstraint(
                name="rectification_result_fits",
                condition=Q(result="")
                | Q(origin="held", result__in=["keep", "increase", "decrease", "leave", "dead", "other"])
                | ~Q(origin="held") & Q(result__in=["enter", "declined", "dead", "other"]),
            ),
            models.CheckConstraint(
                name="rectification_result_reasoned", condition=Q(state="open") | ~Q(result="") & ~Q(grounds="")
            ),
            models.CheckConstraint(
                name="rectification_amount_moves",
                condition=Q(result="increase", to_fen__gt=F("amount_fen"))
                | Q(result="decrease", to_fen__lt=F("amount_fen"), to_fen__gt=0)
                | ~Q(result__in=["increase", "decrease"]) & Q(to_fen=None),
            ),
            models.CheckConstraint(
                name="rectification_visited", condition=Q(state="open") | Q(result="dead") | Q(visit__isnull=False)
            ),
            models.CheckConstraint(
                name="rectification_reviewed_by_another",
                condition=Q(reviewed_account=None) | ~Q(reviewed_account=F("found_account")),
            ),
            models.CheckConstraint(
                name="rectification_signed",
                condition=Q(state="open", finding=None, review=None)
                | Q(state="found", finding__isnull=False, review=None)
                | Q(state="reviewed", finding__isnull=False, review__isnull=False),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["campaign", "-risk_count", "id"], name="rectification_item_first"),
            models.Index(fields=["campaign", "division", "id"], name="rectification_item_place"),
            models.Index(
                fields=["campaign", "division", "state"], name="rectification_item_due", condition=~Q(state="reviewed")
            ),
        ]

    @property
    def subject(self) -> str:
        """As visits and signatures name it."""
        return f"rectification:{self.campaign_id}:{self.pk}"

    @property
    def check_subject(self) -> str:
        """As the county's visit on the spot names it."""
        return f"{self.subject}:check"


class ItemAct(Table):
    """One act on an item: found, reviewed, returned, checked. Who, when, what; written once."""

    table_class = TableClass.SUBTREE

    class Act(models.TextChoices):
        FOUND = "found", "登记核查结果"
        REVIEWED = "reviewed", "复核同意"
        RETURNED = "returned", "退回重查"
        CHECKED = "checked", "县级抽查"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="acts", db_index=False)
    division = DivisionField()
    round = models.SmallIntegerField()
    act = models.CharField(max_length=8, choices=Act.choices)
    result = models.CharField(max_length=10, choices=Item.Result.choices, default="")
    words = models.CharField(max_length=500, default="")
    appointment = models.BigIntegerField()
    account = models.BigIntegerField()
    actor = models.CharField(max_length=160)
    acted_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["item", "id"], name="rectification_act_order")]


class CheckDraw(Table):
    """The draw of the county's checks on the spot, by the published rule of samples.seeding: seen from below, as a draw is public.

    The list is frozen before the number of a named public event is known; two people type the number.
    """

    table_class = TableClass.CHAIN
    changeable = (
        "first_number",
        "first_account",
        "first_by",
        "number",
        "seed",
        "drawn_by",
        "drawn_account",
        "drawn_on",
        "state",
    )

    class State(models.TextChoices):
        FROZEN = "frozen", "名单已冻结"
        DRAWN = "drawn", "已抽签"

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="draw")
    division = DivisionField()
    size = models.IntegerField()
    must = models.IntegerField()
    quota = models.IntegerField()
    digest = models.CharField(max_length=64)
    event = models.CharField(max_length=8)
    event_on = models.DateField()
    frozen_by = models.BigIntegerField()
    frozen_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    first_number = models.CharField(max_length=40, default="")
    first_by = models.BigIntegerField(null=True)
    first_account = models.BigIntegerField(null=True)
    number = models.CharField(max_length=40, default="")
    seed = models.CharField(max_length=64, default="")
    drawn_by = models.BigIntegerField(null=True)
    drawn_account = models.BigIntegerField(null=True)
    drawn_on = models.DateField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.FROZEN)

    class Meta:
        constraints = [
            models.CheckConstraint(name="rectification_draw_later", condition=Q(event_on__gt=F("frozen_on"))),
            models.CheckConstraint(
                name="rectification_draw_whole",
                condition=Q(state="frozen", number="", seed="")
                | Q(state="drawn", number=F("first_number"), drawn_on__gte=F("event_on"))
                & ~Q(seed="")
                & ~Q(drawn_account=F("first_account")),
            ),
        ]


class Pick(Table):
    """An item on the list of the draw, at the county: `must` (a declared or registered relative, 100 %), drawn or not."""

    table_class = TableClass.SUBTREE
    changeable = ("picked", "key")

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="picks", db_index=False)
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="pick")
    division = DivisionField()
    number = models.CharField(max_length=20, db_collation="C")
    must = models.BooleanField()
    key = models.CharField(max_length=64, default="", db_collation="C")
    picked = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["campaign", "key", "id"], name="rectification_picked", condition=Q(picked=True))
        ]


class CountyCheck(Table):
    """What the county found on the spot of a drawn item, in a round; written once. What does not agree sends the item back."""

    table_class = TableClass.SUBTREE

    pick = models.ForeignKey(Pick, on_delete=models.PROTECT, related_name="checks", db_index=False)
    division = DivisionField()
    round = models.SmallIntegerField()
    agreed = models.BooleanField()
    words = models.CharField(max_length=500)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, db_index=False, related_name="+")
    checked_by = models.BigIntegerField()
    account = models.BigIntegerField()
    checked_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pick", "round"], name="rectification_check_once")]


from huimin.rectification.report_models import Submission, TypicalCase  # noqa: E402

__all__ = [
    "Campaign", "CheckDraw", "CountyCheck", "GroupMember", "Item", "ItemAct", "Phase", "Pick", "Submission", "TypicalCase",
]  # fmt: skip
