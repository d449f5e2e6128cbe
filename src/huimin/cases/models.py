"""Cases: an application, or a list, on its way through the steps of one version of a process (CASE-01, CASE-04, SVC-01).

What may happen is the process's edges; what did happen are the rows of `CaseAct`, `CaseEvidence` and `CaseHandover`,
written once. Migration 0002 holds whoever writes to it: no act outside the edges, by a wrong post or by the same person,
no step passed without its evidence, no grant without every step the process demands, no decision without its case.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.casework.models import Relief
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.processes.models import Process
from huimin.registry.models import Attachment, Household, Person
from huimin.screening.models import Proposal

FAR = date(9999, 12, 31)
"""No deadline: sorts last, and is never overdue."""


class Case(Table):
    """One application of a household (or person) for a programme, or one list of proposals of a place.

    `step` is where it stands, empty when it is over; `round` rises with every return, and evidence counts for its own
    round. `step_due_on` and `due_on` (of the whole) are FAR where the law sets no limit or the clock stands still.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "step", "round", "step_since", "step_due_on", "due_on", "extended", "accepted_on", "told_on",
        "declared_on", "declaration", "responsible", "stand_in", "reason", "where_to", "decided_on", "ended_on",
        "answer_due_on", "answered_on", "amount_fen",
    )  # fmt: skip

    class State(models.TextChoices):
        ASKED = "asked", "待受理"
        PAPERS = "papers", "待补材料"
        OPEN = "open", "办理中"
        GRANTED = "granted", "已批准"
        REFUSED = "refused", "不予批准"
        OUT_OF_SCOPE = "out_of_scope", "不予受理"
        WITHDRAWN = "withdrawn", "已撤回"

    class Channel(models.TextChoices):
        DESK = "desk", "乡镇窗口"
        VILLAGE = "village", "村代理点"
        PROXY = "proxy", "他人代办"
        DISCOVERY = "discovery", "主动发现"
        PROPOSAL = "proposal", "系统筛查"
        LIST = "list", "名单"

    process = models.ForeignKey(Process, on_delete=models.PROTECT, related_name="cases", db_index=False)
    programme = models.CharField(max_length=40)
    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="cases")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, db_index=False)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, db_index=False)
    relief = models.ForeignKey(Relief, on_delete=models.PROTECT, null=True, db_index=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    story = models.CharField(max_length=500, default="")
    proxy = models.CharField(max_length=80, default="")
    proxy_paper = models.CharField(max_length=120, default="")
    asked_on = models.DateField()
    asked_by = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASKED)
    step = models.CharField(max_length=20)
    round = models.SmallIntegerField(default=1)
    step_since = models.DateField()
    step_due_on = models.DateField(default=FAR)
    due_on = models.DateField(default=FAR)
    extended = models.BooleanField(default=False)
    accepted_on = models.DateField(null=True)
    told_on = models.DateField(null=True)
    declared_on = models.DateField(null=True)
    declaration = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, db_index=False)
    responsible = models.BigIntegerField()
    stand_in = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=300, default="")
    where_to = models.CharField(max_length=200, default="")
    decided_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    answer_due_on = models.DateField(null=True)
    answered_on = models.DateField(null=True)
    amount_fen = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="case_household_or_list",
                condition=Q(channel="list", household=None) | ~Q(channel="list") & Q(household__isnull=False),
            ),
            models.CheckConstraint(
                name="case_reasoned",
                condition=~Q(state__in=["refused", "out_of_scope", "withdrawn"]) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="case_over_has_no_step",
                condition=~Q(state__in=["refused", "out_of_scope", "withdrawn"]) | Q(step=""),
            ),
            models.CheckConstraint(
                name="case_proxy_with_authority", condition=~Q(channel="proxy") | ~Q(proxy="") & ~Q(proxy_paper="")
            ),
            models.UniqueConstraint(
                fields=["household", "programme", "person"],
                condition=~Q(step="") & Q(state__in=["asked", "papers", "open"], household__isnull=False),
                nulls_distinct=False,
                name="case_one_at_a_time",
            ),
            models.UniqueConstraint(fields=["proposal"], condition=~Q(step=""), name="case_of_proposal_once"),
        ]
        indexes = [
            models.Index(fields=["division", "step_due_on", "id"], name="case_live", condition=~Q(step="")),
            # Lists are read in the order of days: without this, all live cases are sorted for one page. With place and step in the
            # key, what a page does not show is passed over in the index.
            models.Index(fields=["step_due_on", "id", "division", "step"], name="case_due", condition=~Q(step="")),
            models.Index(
                fields=["process", "step", "division", "step_due_on", "programme"],
                name="case_desk",
                condition=~Q(step=""),
            ),
            models.Index(fields=["programme", "division", "ended_on"], name="case_ended", condition=Q(step="")),
            models.Index(fields=["decided_on", "division"], name="case_decided", condition=Q(decided_on__isnull=False)),
            models.Index(
                fields=["division", "answer_due_on", "id"],
                name="case_to_tell",
                condition=Q(state="refused", answered_on=None),
            ),
        ]

    @property
    def number(self) -> str:
        """As papers name it."""
        return f"{self.asked_on.year}{self.pk:07d}"

    @property
    def subject(self) -> str:
        """As signatures name it."""
        return f"case:{self.pk}"

    def notice_subject(self) -> str:
        """As the notice of the step it stands at is named; a redone step has a notice of its own."""
        return f"case:{self.pk}:{self.round}:{self.step}"


class CasePaper(Table):
    """One paper the policy asks for: there, missing, or (after an emergency was relieved) to come by a day."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "received_on", "received_by", "attachment")

    class State(models.TextChoices):
        MISSING = "missing", "缺"
        PRESENT = "present", "已收"
        LATER = "later", "后补"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="papers", db_index=False)
    division = DivisionField()
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices)
    due_on = models.DateField(null=True)
    received_on = models.DateField(null=True)
    received_by = models.BigIntegerField(null=True)
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "name"], name="case_paper_once"),
            models.CheckConstraint(
                name="case_paper_received",
                condition=Q(state="present", received_on__isnull=False) | ~Q(state="present") & Q(received_on=None),
            ),
            models.CheckConstraint(name="case_paper_later_by", condition=~Q(state="later") | Q(due_on__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["division", "due_on", "id"], name="case_paper_owed", condition=Q(state="later"))
        ]


class CaseAct(Table):
    """One act on a step: passed, returned, refused, extended. Who, as what, where, when, over what."""

    table_class = TableClass.SUBTREE

    class Outcome(models.TextChoices):
        PASSED = "passed", "完成"
        RETURNED = "returned", "退回"
        REFUSED = "refused", "不予批准"
        EXTENDED = "extended", "延长期限"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="acts", db_index=False)
    division = DivisionField()
    step = models.CharField(max_length=20)
    round = models.SmallIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    to_step = models.CharField(max_length=20, default="")
    reason = models.CharField(max_length=300, default="")
    appointment = models.BigIntegerField()
    account = models.BigIntegerField()
    actor = models.CharField(max_length=160)
    acted_on = models.DateField()
    since = models.DateField()
    due_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(name="case_act_reasoned", condition=Q(outcome="passed") | ~Q(reason="")),
            models.UniqueConstraint(
                fields=["case", "round", "step"], condition=~Q(outcome="extended"), name="case_act_once"
            ),
        ]
        indexes = [models.Index(fields=["case", "id"], name="case_act_order")]


class CaseEvidence(Table):
    """What a step held when it was passed: kind, which record, its digest, and the day it was made."""

    table_class = TableClass.SUBTREE

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence", db_index=False)
    division = DivisionField()
    step = models.CharField(max_length=20)
    round = models.SmallIntegerField()
    kind = models.CharField(max_length=10)
    reference = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    held_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "step", "kind", "reference"], name="case_evidence_once")
        ]


class CaseReport(Table):
    """A text signed at a step: an investigation, an opinion, or another post's countersignature (会签)."""

    table_class = TableClass.SUBTREE

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports", db_index=False)
    division = DivisionField()
    step = models.CharField(max_length=20)
    round = models.SmallIntegerField()
    countersigned = models.BooleanField()
    name = models.CharField(max_length=40)
    agreed = models.BooleanField(default=True)
    text = models.CharField(max_length=2000)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)
    written_by = models.BigIntegerField()
    account = models.BigIntegerField()
    written_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "step", "countersigned", "name"], name="case_report_once")
        ]


class CaseHandover(Table):
    """Who answers for a case changed, or somebody was named to stand in (首问负责, AB 岗): from whom, to whom, why."""

    table_class = TableClass.SUBTREE

    class Kind(models.TextChoices):
        HANDED = "handed", "移交"
        STAND_IN = "stand_in", "AB 岗替办"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="handovers", db_index=False)
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    given_by = models.BigIntegerField()
    given_to = models.BigIntegerField()
    taker = models.CharField(max_length=160)
    reason = models.CharField(max_length=300)
    handed_on = models.DateField()
    recorded_by = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="case_handed_to_another", condition=~Q(given_by=F("given_to"))),
            models.CheckConstraint(name="case_handed_for_a_reason", condition=~Q(reason="")),
        ]
        indexes = [models.Index(fields=["case", "id"], name="case_handover_order")]


class CaseLine(Table):
    """One proposal on a list; left out before the decision, with a reason, it stays undecided."""

    table_class = TableClass.SUBTREE
    changeable = ("left_out",)

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="lines", db_index=False)
    division = DivisionField()
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="case_lines")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, db_index=False)
    amount_fen = models.BigIntegerField()
    left_out = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "proposal"], name="case_line_once")]


class TimeRule(Table):
    """After how many working days overdue the county's office is told, by which document; the newest counts (CASE-05)."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    county_days = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="time_rule_within_bounds", condition=Q(county_days__gte=1, county_days__lte=60))
        ]
        indexes = [models.Index(fields=["division", "-id"], name="time_rule_newest")]


class Escalation(Table):
    """One lateness was told to whoever answers above (督办): what should have been done by when, whom it was told, the answer.

    A step is late in its round against its day; papers that were to follow, and a result to be told, have neither. Where a
    new date was promised and not kept, that date is the one missed. `standing` is kept by the database (migration 0007): it
    ends when the step is left, its day moved, the papers are there, the result is told. `programme` and `process_number` are
    the case's, so that desks count without looking at cases.
    """

    table_class = TableClass.SUBTREE
    changeable = ("reason", "promised_on", "answered_by", "answerer", "answered_on", "standing")

    class Matter(models.TextChoices):
        STEP = "step", "步骤"
        PAPERS = "papers", "后补材料"
        TELLING = "telling", "书面告知"

    class Above(models.TextChoices):
        HEAD = "head", "乡镇负责人"
        COUNTY = "county", "县惠民办"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="escalations", db_index=False)
    division = DivisionField()
    programme = models.CharField(max_length=40, default="")
    process_number = models.BigIntegerField(default=0)
    matter = models.CharField(max_length=8, choices=Matter.choices)
    step = models.CharField(max_length=20, default="")
    round = models.SmallIntegerField(default=0)
    due_on = models.DateField()
    standing = models.BooleanField(default=True)
    above = models.CharField(max_length=8, choices=Above.choices)
    told = models.CharField(max_length=200)
    raised_by = models.BigIntegerField()
    raised_on = models.DateField()
    reason = models.CharField(max_length=300, default="")
    promised_on = models.DateField(null=True)
    answered_by = models.BigIntegerField(null=True)
    answerer = models.CharField(max_length=160, default="")
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "matter", "step", "round", "due_on", "above"], name="escalation_once"
            ),
            models.CheckConstraint(name="escalation_of_what_is_late", condition=Q(due_on__lt=F("raised_on"))),
            models.CheckConstraint(
                name="escalation_answered_whole",
                condition=Q(answered_on=None, promised_on=None, answered_by=None)
                | Q(answered_on__isnull=False, answered_by__isnull=False, promised_on__gte=F("answered_on"))
                & ~Q(reason=""),
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], name="escalation_stands", condition=Q(standing=True)),
            models.Index(
                fields=["division", "above", "process_number", "step", "answered_on", "promised_on"],
                name="escalation_waits",
                condition=Q(standing=True),
            ),
            models.Index(fields=["case", "id"], name="escalation_of_case"),
        ]


OVER = (Case.State.REFUSED, Case.State.OUT_OF_SCOPE, Case.State.WITHDRAWN)
