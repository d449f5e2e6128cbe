"""Meetings, who came, and what each came to, case by case (CASE-03)."""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.cases.models import Case
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.meetings.models.lists import Majority, Overseer, Representative, Supervisor
from huimin.registry.models import Person


class Meeting(Table):
    """One meeting of a village's representatives over one or many cases.

    planned ──► held ──► recorded        `held`: who came is written down, and it is enough; results follow
        ├─────► void                     too few came, or nobody to watch; its cases wait for the next one
        └─────► cancelled                it was not held at all
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "reason", "statutory", "present", "supervisors", "cadres", "majority", "overseer", "held_by", "held_on",
        "words", "recorder", "digest", "signature", "recorded_by", "recorded_on",
    )  # fmt: skip

    class State(models.TextChoices):
        PLANNED = "planned", "待召开"
        HELD = "held", "已召开，待定稿"
        RECORDED = "recorded", "已定稿"
        VOID = "void", "会议不成立"
        CANCELLED = "cancelled", "已取消"

    division = DivisionField()
    meets_on = models.DateField()
    meets_at = models.CharField(max_length=5)
    location = models.CharField(max_length=60)
    chair = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    reason = models.CharField(max_length=300, default="")
    statutory = models.SmallIntegerField(null=True)
    present = models.SmallIntegerField(null=True)
    supervisors = models.SmallIntegerField(null=True)
    cadres = models.SmallIntegerField(null=True)
    majority = models.CharField(max_length=10, choices=Majority.choices, default="")
    overseer = models.CharField(max_length=14, choices=Overseer.choices, default="")
    convened_by = models.BigIntegerField()
    convened_on = models.DateField()
    held_by = models.BigIntegerField(null=True)
    held_on = models.DateField(null=True)
    words = models.CharField(max_length=2000, default="")
    recorder = models.CharField(max_length=60, default="")
    digest = models.CharField(max_length=64, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    recorded_by = models.BigIntegerField(null=True)
    recorded_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="meeting_quorum",
                condition=~Q(state__in=("held", "recorded"))
                | Q(statutory__isnull=False, present__isnull=False, supervisors__gte=1, cadres__gte=1)
                & Q(present__gte=F("statutory") * 2 - F("present") * 2),
            ),
            models.CheckConstraint(
                name="meeting_no_more_than_there_are", condition=Q(present=None) | Q(present__lte=F("statutory"))
            ),
            models.CheckConstraint(
                name="meeting_void_lacks_something",
                condition=~Q(state="void")
                | Q(present__lt=F("statutory") * 2 - F("present") * 2)
                | Q(supervisors=0)
                | Q(cadres=0),
            ),
            models.CheckConstraint(
                name="meeting_not_held_for_a_reason",
                condition=~Q(state__in=("void", "cancelled")) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="meeting_recorded_is_signed",
                condition=~Q(state="recorded") | Q(signature__isnull=False) & ~Q(digest="") & ~Q(words=""),
            ),
            models.UniqueConstraint(
                fields=["division", "meets_on"],
                condition=Q(state__in=("planned", "held", "recorded")),
                name="meeting_once_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["division", "-meets_on", "-id"], name="meeting_list"),
            models.Index(
                fields=["division", "meets_on"], name="meeting_open", condition=Q(state__in=("planned", "held"))
            ),
        ]

    @property
    def subject(self) -> str:
        """As signatures name it."""
        return f"meeting:{self.pk}"

    @property
    def number(self) -> str:
        """As papers name it."""
        return f"评议{self.meets_on.year}{self.pk:06d}"


class Participant(Table):
    """Who was invited to a meeting or came to it: representatives and supervisors from the lists, cadres of the township.

    `present` is null until the meeting is written down. Whoever is not on a list stands here with his office.
    """

    table_class = TableClass.SUBTREE
    changeable = ("present",)

    class Role(models.TextChoices):
        REPRESENTATIVE = "rep", "居民代表"
        SUPERVISOR = "supervisor", "义务监督员"
        CADRE = "cadre", "乡镇干部"

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="participants", db_index=False)
    division = DivisionField()
    role = models.CharField(max_length=10, choices=Role.choices)
    representative = models.ForeignKey(Representative, on_delete=models.PROTECT, null=True, db_index=False)
    supervisor = models.ForeignKey(Supervisor, on_delete=models.PROTECT, null=True, db_index=False)
    appointment = models.BigIntegerField(null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=40)
    title = models.CharField(max_length=60)
    present = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "representative"], name="participant_representative_once"),
            models.UniqueConstraint(fields=["meeting", "supervisor"], name="participant_supervisor_once"),
            models.UniqueConstraint(
                fields=["meeting", "name", "title"], condition=Q(role="cadre"), name="participant_cadre_once"
            ),
            models.CheckConstraint(
                name="participant_from_a_list",
                condition=Q(role="rep", representative__isnull=False, supervisor=None, appointment=None)
                | Q(role="supervisor", supervisor__isnull=False, representative=None, appointment=None)
                | Q(role="cadre", representative=None, supervisor=None),
            ),
        ]
        indexes = [models.Index(fields=["meeting", "role", "id"], name="participant_list")]


class Item(Table):
    """One case on the agenda: what is read aloud of it, and what the meeting came to.

    `told` is frozen when the meeting is convened (meetings.telling) and is what the reading sheet and the minutes print;
    `eligible` and `amount_fen` are its determination, null when facts are missing. `contested`: the meeting says otherwise.

        waiting ◄─► judged ──► reopened      the township found the meeting right: registered anew, judged again
            ├◄────► put_off                  not discussed, with the reason
            └─────► dropped                  the meeting was void or not held, or the case went elsewhere

    Back to `waiting` only until the minutes are signed.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "told", "told_on", "eligible", "amount_fen", "facts_digest", "hardship", "state", "outcome", "how", "words",
        "reasons", "majority", "voters", "ballots", "in_favour", "against", "abstained", "scrutineer", "caller", "counter",
        "overseer", "contested", "put_off", "judged_by", "judged_on",
    )  # fmt: skip

    class State(models.TextChoices):
        WAITING = "waiting", "待评议"
        JUDGED = "judged", "已评议"
        PUT_OFF = "put_off", "留待下次"
        DROPPED = "dropped", "未评议"
        REOPENED = "reopened", "重新评议"

    class Outcome(models.TextChoices):
        AGREED = "agreed", "评议通过"
        DISAGREED = "disagreed", "评议不通过"

    class How(models.TextChoices):
        CONSENSUS = "consensus", "一致评议"
        VOTE = "vote", "投票"

    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="items", db_index=False)
    division = DivisionField()
    number = models.SmallIntegerField()
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="review_items", db_index=False)
    step = models.CharField(max_length=20)
    round = models.SmallIntegerField()
    told = models.JSONField()
    told_on = models.DateField()
    eligible = models.BooleanField(null=True)
    amount_fen = models.BigIntegerField(null=True)
    facts_digest = models.CharField(max_length=64)
    hardship = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default="")
    how = models.CharField(max_length=10, choices=How.choices, default="")
    words = models.CharField(max_length=1000, default="")
    reasons = models.CharField(max_length=500, default="")
    majority = models.CharField(max_length=10, choices=Majority.choices, default="")
    voters = models.SmallIntegerField(null=True)
    ballots = models.SmallIntegerField(null=True)
    in_favour = models.SmallIntegerField(null=True)
    against = models.SmallIntegerField(null=True)
    abstained = models.SmallIntegerField(null=True)
    scrutineer = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    caller = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    counter = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    overseer = models.ForeignKey(Participant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    contested = models.BooleanField(default=False)
    put_off = models.CharField(max_length=200, default="")
    judged_by = models.BigIntegerField(null=True)
    judged_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meeting", "case"], name="item_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(state="waiting"), name="item_on_one_agenda"),
            models.CheckConstraint(
                name="item_judged_whole",
                condition=~Q(state__in=("judged", "reopened"))
                | ~Q(outcome="") & ~Q(how="") & ~Q(words="") & Q(voters__gte=1, judged_by__isnull=False),
            ),
            models.CheckConstraint(
                name="item_vote_adds_up",
                condition=~Q(how="vote")
                | Q(ballots=F("in_favour") + F("against") + F("abstained"), ballots__lte=F("voters"))
                # A comparison with nothing is neither true nor false, and a check lets it pass.
                & Q(ballots__isnull=False, in_favour__isnull=False, against__isnull=False, abstained__isnull=False)
                & Q(ballots__gte=1, in_favour__gte=0, against__gte=0, abstained__gte=0),
            ),
            models.CheckConstraint(
                name="item_result_follows",
                condition=~Q(how="vote")
                | Q(majority="half", outcome="agreed", in_favour__gt=F("voters") - F("in_favour"))
                | Q(majority="half", outcome="disagreed", in_favour__lte=F("voters") - F("in_favour"))
                | Q(majority="two_thirds", outcome="agreed", in_favour__gte=F("voters") * 2 - F("in_favour") * 2)
                | Q(majority="two_thirds", outcome="disagreed", in_favour__lt=F("voters") * 2 - F("in_favour") * 2),
            ),
            models.CheckConstraint(
                name="item_counted_by_four",
                condition=~Q(how="vote")
                | Q(scrutineer__isnull=False, caller__isnull=False, counter__isnull=False, overseer__isnull=False)
                & ~Q(scrutineer=F("caller"))
                & ~Q(scrutineer=F("counter"))
                & ~Q(scrutineer=F("overseer"))
                & ~Q(caller=F("counter"))
                & ~Q(caller=F("overseer"))
                & ~Q(counter=F("overseer")),
            ),
            models.CheckConstraint(
                name="item_consensus_counts_nothing",
                condition=~Q(how="consensus")
                | Q(ballots=None, in_favour=None, against=None, abstained=None, scrutineer=None, caller=None)
                & Q(counter=None, overseer=None),
            ),
            models.CheckConstraint(
                name="item_contested_is_told",
                condition=~Q(state__in=("judged", "reopened"))
                | Q(contested=False, eligible=None)
                | Q(contested=False, eligible=True, outcome="agreed")
                | Q(contested=False, eligible=False, outcome="disagreed")
                | ~Q(reasons="")
                & (
                    Q(contested=True, eligible=True, outcome="disagreed")
                    | Q(contested=True, eligible=False, outcome="agreed")
                ),
            ),
            models.CheckConstraint(name="item_put_off_for_a_reason", condition=~Q(state="put_off") | ~Q(put_off="")),
        ]
        indexes = [
            models.Index(fields=["meeting", "number"], name="item_list"),
            models.Index(fields=["case", "round", "id"], name="item_of_case"),
            models.Index(fields=["division", "id"], name="item_contested", condition=Q(state="judged", contested=True)),
        ]


class ItemRecusal(Table):
    """A participant who is near to the applicant: he has no voice and no vote on this case.

    `withdrawn`: the result it stood beside was taken back before the minutes were signed.
    """

    table_class = TableClass.SUBTREE
    changeable = ("relation", "source", "withdrawn")

    class Source(models.TextChoices):
        REGISTRY = "registry", "登记在同一户"
        DECLARED = "declared", "当场申明"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="recusals", db_index=False)
    division = DivisionField()
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="recusals", db_index=False)
    relation = models.CharField(max_length=40)
    source = models.CharField(max_length=10, choices=Source.choices)
    withdrawn = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "participant"], name="item_recusal_once")]
