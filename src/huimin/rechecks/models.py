"""Living with a grant: periodic re-checks, refusals of work (CASE-09); what a county sets for them, with its source.

    Recheck    open ──► concluded ──► confirmed        who is due is computed (`due`), a row begins with the re-check
                 │  ◄──────┘ returned
                 └────► cancelled                      the household draws nothing any more, or it was begun by mistake
    JobOffer   recorded (accepted, or refused with a reason) ──► judged
    WorkCut    proposed ──► told ──► confirmed ──► ended
                   └─────────┴────► dropped

Rows stand where the household lives and move with it. Migration 0002 holds the promises whoever writes.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.casework.models import Decision, Entitlement
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household, Person
from huimin.screening.models import Run
from huimin.visits.models import Visit


class RecheckRule(Table):
    """A number the county sets, with the paper it rests on; a second person puts it in force, the newest in force counts."""

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal")

    class Code(models.TextChoices):
        STABLE = "stable", "经济状况变化不大的，几个月核查一次"
        UNSTABLE = "unstable", "收入不固定、有劳动能力、单独登记备案的，几个月核查一次"
        BUSINESS = "business", "经营净收入算不算收入来源不固定（1 算，0 不算）"
        OTHER = "other", "其他收入算不算收入来源不固定（1 算，0 不算）"
        CASUAL = "casual", "没有参加职工养老保险的就业算不算收入来源不固定（1 算，0 不算）"
        PARTLY = "partly", "部分劳动能力算不算有劳动能力（1 算，0 不算）"
        SOON = "soon", "到期前几天提醒"
        CUT = "cut", "三次拒绝就业，本人份额减发百分之几（100 为停发）"
        CUT_DAYS = "cut_days", "告知拒绝就业的减发后，几天内可以申辩"
        DEATH = "death", "成员去世后，几个月内办完变更"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "在用"
        REFUSED = "refused", "未通过"

    division = DivisionField()
    programme = models.CharField(max_length=40, default="", db_collation="C")
    code = models.CharField(max_length=10, choices=Code.choices)
    value = models.IntegerField()
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="recheck_rule_not_negative", condition=Q(value__gte=0)),
            models.CheckConstraint(
                name="recheck_rule_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.UniqueConstraint(
                fields=["division", "programme", "code"], condition=Q(state="proposed"), name="recheck_rule_waits"
            ),
        ]
        indexes = [models.Index(fields=["division", "code", "-id"], name="recheck_rule_newest")]


class Recheck(Table):
    """One re-check of a household that draws: why it was due, what was looked at, what the determination said, who signed.

    `grounds` are the codes of `due.GROUNDS` that made it half-yearly. `findings` is what changes of what it holds, as the
    proposals say: [{programme, kind, previous_fen, amount_fen, proposal}]. `round` rises with every return; means count for
    their own round.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "division", "round", "outcome", "findings", "words", "run", "digest", "signature", "concluded_by",
        "concluded_account", "concluded_on", "confirmed_by", "confirmed_account", "confirmed_on", "confirmation", "reason",
    )  # fmt: skip

    class State(models.TextChoices):
        OPEN = "open", "复核中"
        CONCLUDED = "concluded", "待确认"
        CONFIRMED = "confirmed", "已复核"
        CANCELLED = "cancelled", "已取消"

    class Outcome(models.TextChoices):
        SAME = "same", "不变"
        INCREASE = "increase", "增发"
        DECREASE = "decrease", "减发"
        PHASE_OUT = "phase_out", "渐退"
        LEAVE = "leave", "停发"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="rechecks", db_index=False)
    division = DivisionField()
    round = models.SmallIntegerField(default=1)
    months = models.SmallIntegerField()
    grounds = ArrayField(models.CharField(max_length=10), default=list)
    programmes = ArrayField(models.CharField(max_length=40))
    due_on = models.DateField()
    begun_by = models.BigIntegerField()
    begun_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default="")
    findings = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    words = models.CharField(max_length=1000, default="")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    digest = models.CharField(max_length=64, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    concluded_by = models.BigIntegerField(null=True)
    concluded_account = models.BigIntegerField(null=True)
    concluded_on = models.DateField(null=True)
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_account = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    confirmation = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["household"], condition=Q(state__in=["open", "concluded"]), name="recheck_one_at_a_time"
            ),
            models.CheckConstraint(
                name="recheck_concluded_with_outcome",
                condition=Q(state__in=["open", "cancelled"])
                | Q(concluded_by__isnull=False, concluded_on__isnull=False, signature__isnull=False)
                & ~Q(outcome="")
                & ~Q(digest=""),
            ),
            models.CheckConstraint(
                name="recheck_confirmed_by_another",
                condition=~Q(state="confirmed")
                | Q(confirmed_on__isnull=False, confirmation__isnull=False)
                & ~Q(confirmed_account=F("concluded_account")),
            ),
            models.CheckConstraint(
                name="recheck_cancelled_with_reason", condition=~Q(state="cancelled") | ~Q(reason="")
            ),
        ]
        indexes = [
            models.Index(fields=["household", "-concluded_on"], name="recheck_of"),
            models.Index(
                fields=["division", "due_on", "id"], name="recheck_live", condition=Q(state__in=["open", "concluded"])
            ),
            models.Index(
                fields=["division", "confirmed_on", "id"], name="recheck_done", condition=Q(state="confirmed")
            ),
        ]

    @property
    def subject(self) -> str:
        """As visits and signatures name it."""
        return f"recheck:{self.pk}"

    @property
    def tone(self) -> str:
        return {"concluded": "proposed", "confirmed": "settled", "cancelled": ""}.get(self.state, self.state)


class RecheckMeans(Table):
    """How it was looked into, of the ways the law names: once a way, a day; a home visit is one that both sides signed."""

    table_class = TableClass.SUBTREE
    changeable = ("division",)

    class Kind(models.TextChoices):
        DECLARED = "declared", "个人申报"
        COMPARED = "compared", "信息比对"
        VISITED = "visited", "入户调查"
        NEIGHBOURS = "neighbours", "邻里访问"
        LETTER = "letter", "信函索证"

    recheck = models.ForeignKey(Recheck, on_delete=models.PROTECT, related_name="means", db_index=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, db_index=False, related_name="+")
    division = DivisionField()
    round = models.SmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    done_on = models.DateField()
    people = models.CharField(max_length=80)
    words = models.CharField(max_length=500)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    recorded_by = models.BigIntegerField()
    account = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recheck", "round", "kind", "done_on"], name="recheck_means_once"),
            models.CheckConstraint(
                name="recheck_visit_is_signed",
                condition=Q(kind="visited", visit__isnull=False) | ~Q(kind="visited") & Q(visit=None),
            ),
            models.CheckConstraint(name="recheck_means_not_ahead", condition=Q(done_on__lte=F("recorded_on"))),
            models.CheckConstraint(name="recheck_means_with_words", condition=~Q(words="") & ~Q(people="")),
        ]


class JobOffer(Table):
    """Work that was offered to somebody able who has none (就业介绍): which, by whom, when, what he said, and was he right.

    `justified` is judged by another person than who recorded it; null while it waits, and for an offer that was accepted.
    """

    table_class = TableClass.SUBTREE
    changeable = ("division", "household", "justified", "judgement", "judged_by", "judged_on", "signature", "cut")

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", "接受"
        REFUSED = "refused", "拒绝"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="job_offers", db_index=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="job_offers")
    division = DivisionField()
    offered_on = models.DateField()
    job = models.CharField(max_length=120)
    offered_by = models.CharField(max_length=80)
    fits = models.CharField(max_length=200)
    answer = models.CharField(max_length=8, choices=Answer.choices)
    answered_on = models.DateField()
    words = models.CharField(max_length=300, default="")
    evidence = models.CharField(max_length=120)
    recorded_by = models.BigIntegerField()
    account = models.BigIntegerField()
    recorded_on = models.DateField()
    justified = models.BooleanField(null=True)
    judgement = models.CharField(max_length=300, default="")
    judged_by = models.BigIntegerField(null=True)
    judged_on = models.DateField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    cut = models.ForeignKey("WorkCut", on_delete=models.PROTECT, null=True, related_name="offers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "offered_on", "job"], name="job_offer_once"),
            models.CheckConstraint(
                name="job_offer_days_follow",
                condition=Q(offered_on__lte=F("answered_on"), answered_on__lte=F("recorded_on")),
            ),
            models.CheckConstraint(name="job_refusal_with_reason", condition=Q(answer="accepted") | ~Q(words="")),
            models.CheckConstraint(
                name="job_refusal_judged_whole",
                condition=Q(justified=None, judged_by=None, signature=None)
                | Q(answer="refused", justified__isnull=False, judged_by__isnull=False, signature__isnull=False)
                & ~Q(judgement="")
                & ~Q(judged_by=F("recorded_by")),
            ),
        ]
        indexes = [
            models.Index(fields=["person", "offered_on", "id"], name="job_offer_of"),
            models.Index(fields=["division", "id"], name="job_offer_place"),
        ]


class WorkCut(Table):
    """Three refusals in a row without good reason: the own share of one person is cut or stopped (57号 第34条).

    `share_fen` is what one head of the household's amount was when the third refusal was judged, `cut_fen` what is taken
    off. `entitlement` is the one in force after the decision, null when nothing is left; a screening adds `cut_fen` back
    while it compares (casework.screening.held_back), so that it does not undo what was decided.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "division", "household", "share_fen", "percent", "cut_fen", "told_on", "told_by", "objection", "objected_on", "answer",
        "answered_by", "answered_on", "upheld", "decision", "entitlement", "confirmed_by", "confirmed_on", "reason",
        "ended_by", "ended_on",
    )  # fmt: skip

    class State(models.TextChoices):
        PROPOSED = "proposed", "待告知"
        TOLD = "told", "待决定"
        CONFIRMED = "confirmed", "执行中"
        DROPPED = "dropped", "不予减发"
        ENDED = "ended", "已解除"

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="work_cuts")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="work_cuts", db_index=False)
    division = DivisionField()
    programme = models.CharField(max_length=40)
    share_fen = models.BigIntegerField()
    percent = models.SmallIntegerField(null=True)
    cut_fen = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    told_on = models.DateField(null=True)
    told_by = models.BigIntegerField(null=True)
    objection = models.CharField(max_length=500, default="")
    objected_on = models.DateField(null=True)
    answer = models.CharField(max_length=500, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)
    upheld = models.BooleanField(null=True)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, null=True, related_name="work_cuts")
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    reason = models.CharField(max_length=300, default="")
    ended_by = models.BigIntegerField(null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "programme"],
                condition=Q(state__in=["proposed", "told", "confirmed"]),
                name="work_cut_one_at_a_time",
            ),
            models.CheckConstraint(
                name="work_cut_within_share",
                condition=Q(share_fen__gt=0) & (Q(cut_fen=None) | Q(cut_fen__gt=0, cut_fen__lte=F("share_fen"))),
            ),
            models.CheckConstraint(
                name="work_cut_decided_whole",
                condition=Q(state__in=["proposed", "told", "dropped"])
                | Q(
                    decision__isnull=False, cut_fen__isnull=False, percent__range=(1, 100), told_on__isnull=False,
                    confirmed_by__isnull=False,
                )
                & ~Q(confirmed_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="work_cut_objection_answered",
                condition=Q(objected_on=None)
                | Q(state__in=["proposed", "told"])
                | Q(answered_on__isnull=False, upheld__isnull=False)
                & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="work_cut_over_with_reason", condition=~Q(state__in=["dropped", "ended"]) | ~Q(reason="")
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["division", "state", "id"], name="work_cut_list"),
            models.Index(fields=["entitlement"], name="work_cut_held", condition=Q(state="confirmed")),
        ]

    @property
    def tone(self) -> str:
        return {"proposed": "proposed", "told": "open", "confirmed": "granted", "dropped": "refused"}.get(
            self.state, ""
        )
