"""Where papers lie: stores, boxes, papers; loans, moves and destruction, stock-taking (REG-08).

A row stands at the place where the paper lies (`division`), not where the household lives: whoever keeps the cabinet
answers for it, also after the household moved. Law: 皖政办〔2008〕23号 附件3 第32条 (库、室、柜、档), 附件4 第25、26条 (专柜、专人,
借出有登记、归还有核销); 日政办发〔2018〕95号 四（九）.
"""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household


class PaperKind(models.TextChoices):
    SURVEY = "survey", "基本信息表"
    APPLICATION = "application", "申请和证明材料"
    IDENTITY = "identity", "户口簿、身份证复印件"
    REVIEW = "review", "调查、评议记录"
    APPROVAL = "approval", "审核审批材料"
    NOTICE = "notice", "公示和照片"
    LETTER = "letter", "告知书、通知书"
    PAYMENT = "payment", "发放和签收材料"
    OTHER = "other", "其他"


class Store(Table):
    """A county store, township room or village cabinet, with who keeps it."""

    table_class = TableClass.SUBTREE
    changeable = ("keeper", "name")

    class Kind(models.TextChoices):
        STORE = "store", "县档案库"
        ROOM = "room", "乡镇档案室"
        CABINET = "cabinet", "村档案柜"

    division = DivisionField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.SmallIntegerField()
    name = models.CharField(max_length=80)
    keeper = models.CharField(max_length=40)
    opened_by = models.BigIntegerField()
    opened_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["division", "number"], name="store_once")]

    @property
    def code(self) -> str:
        """As it stands on labels."""
        return f"{self.division}-{self.number}"


class Box(Table):
    """A box or binder on a shelf of a store."""

    table_class = TableClass.SUBTREE
    changeable = ("title",)

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="boxes")
    division = DivisionField()
    shelf = models.SmallIntegerField()
    number = models.SmallIntegerField()
    title = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="box_once")]

    @property
    def place(self) -> str:
        return f"第 {self.shelf} 层 {self.number} 号盒"


class Paper(Table):
    """A paper of a household's file: what it is, where it lies, whether it is there. `place_no` counts within the box."""

    table_class = TableClass.SUBTREE
    changeable = ("box", "division", "place_no", "state")

    class State(models.TextChoices):
        KEPT = "kept", "在架"
        LENT = "lent", "借出"
        MISSING = "missing", "清点未见"
        DESTROYED = "destroyed", "已销毁"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="papers")
    division = DivisionField()
    kind = models.CharField(max_length=12, choices=PaperKind.choices)
    title = models.CharField(max_length=80)
    dated_on = models.DateField()
    pages = models.SmallIntegerField()
    box = models.ForeignKey(Box, on_delete=models.PROTECT, related_name="papers")
    place_no = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.KEPT)
    registered_by = models.BigIntegerField()
    registered_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household", "kind", "title", "dated_on"], condition=~Q(state="destroyed"), name="paper_once"
            ),
            models.CheckConstraint(name="paper_has_pages", condition=Q(pages__gt=0)),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="paper_list")]


class Loan(Table):
    """A paper lent: to whom, for what, until when; `returned_on` when it is back."""

    table_class = TableClass.SUBTREE
    changeable = ("returned_on", "returned_to", "remark")

    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="loans")
    division = DivisionField()
    slip = models.CharField(max_length=32, db_collation="C")
    borrower = models.CharField(max_length=40)
    office = models.CharField(max_length=80)
    purpose = models.CharField(max_length=120)
    lent_on = models.DateField()
    due_on = models.DateField()
    lent_by = models.BigIntegerField()
    returned_on = models.DateField(null=True)
    returned_to = models.BigIntegerField(null=True)
    remark = models.CharField(max_length=120, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["paper"], condition=Q(returned_on=None), name="paper_lent_once"),
            models.CheckConstraint(name="loan_ends", condition=Q(due_on__gte=F("lent_on"))),
        ]
        indexes = [models.Index(fields=["division", "due_on"], condition=Q(returned_on=None), name="loan_open")]


class RetentionRule(Table):
    """Years a kind of paper is kept, from the end of the year it bears; 0 for ever. The county's newest counts."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    kind = models.CharField(max_length=12, choices=PaperKind.choices)
    years = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="retention_years", condition=Q(years__gte=0, years__lte=100)),
        ]


class Disposal(Table):
    """Papers to be moved to another box, or destroyed because their time is over: proposed by one, decided by another."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "decided_by", "decided_on", "refusal", "signature")

    class Act(models.TextChoices):
        MOVE = "move", "移交"
        DESTROY = "destroy", "销毁"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审批"
        DONE = "done", "已办"
        REFUSED = "refused", "不同意"

    division = DivisionField()
    act = models.CharField(max_length=8, choices=Act.choices)
    target = models.ForeignKey(Box, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    papers_count = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposer = models.CharField(max_length=160)
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="disposal_by_two_people", condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by"))
            ),
            models.CheckConstraint(name="disposal_moves_somewhere", condition=~Q(act="move") | Q(target__isnull=False)),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="disposal_list")]


class DisposalPaper(Table):
    """A paper of a disposal, and where it lay."""

    table_class = TableClass.SUBTREE

    disposal = models.ForeignKey(Disposal, on_delete=models.PROTECT, related_name="papers")
    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="disposals")
    division = DivisionField()
    lay_in = models.CharField(max_length=160)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["disposal", "paper"], name="disposal_paper_once")]


class Stocktake(Table):
    """A stock-taking of one store: what was listed, found, missing."""

    table_class = TableClass.SUBTREE
    changeable = ("closed_on", "closed_by", "found", "missing")

    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="stocktakes")
    division = DivisionField()
    started_on = models.DateField()
    started_by = models.BigIntegerField()
    listed = models.IntegerField()
    found = models.IntegerField(default=0)
    missing = models.IntegerField(default=0)
    closed_on = models.DateField(null=True)
    closed_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store"], condition=Q(closed_on=None), name="stocktake_one_at_a_time")
        ]


class StocktakeLine(Table):
    """A paper that should lie there; `found` null while nobody has looked."""

    table_class = TableClass.SUBTREE
    changeable = ("found",)

    stocktake = models.ForeignKey(Stocktake, on_delete=models.PROTECT, related_name="lines", db_index=False)
    paper = models.ForeignKey(Paper, on_delete=models.PROTECT, related_name="+")
    division = DivisionField()
    found = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stocktake", "paper"], name="stocktake_line_once")]
