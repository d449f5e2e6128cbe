"""Decisions, the entitlements that come from them, emergency relief, and care in 特困 (SEC-02, SEC-07, DET-01, DET-04, DET-05).

An entitlement always comes from a decision of a person, also when a filtered list is confirmed at one stroke; the
database refuses two entitlements of one beneficiary to one programme for the same day.
"""

from datetime import date

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from huimin.audit.models import Signature
from huimin.database.tables import DateRange, DivisionField, SealedField, Table, TableClass
from huimin.registry.models import Household, Person
from huimin.screening.models import Proposal


class Decision(Table):
    """What was decided on one proposal or at the end of one case, under which policy version, signed with which digest.

    `case_number` names the case it ends (room cases, downstream, whose triggers hold it to the steps of its process).
    """

    table_class = TableClass.SUBTREE

    class Outcome(models.TextChoices):
        GRANTED = "granted", "批准"
        REFUSED = "refused", "不批准"

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, null=True, related_name="decision")
    case_number = models.BigIntegerField(null=True)
    division = DivisionField()
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    household = models.ForeignKey(Household, on_delete=models.PROTECT)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.CharField(max_length=300, default="")
    amount_fen = models.BigIntegerField()
    facts_digest = models.CharField(max_length=64, default="")
    effective_from = models.DateField(null=True)
    decided_by = models.BigIntegerField()
    decided_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decision_of_a_proposal_or_case",
                condition=Q(proposal__isnull=False) | Q(case_number__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["case_number"], name="decision_of_case", condition=Q(case_number__isnull=False))
        ]


class Entitlement(Table):
    """Who gets what, how much per policy period, from when until when (exclusive; null while it lasts).

    In a 渐退, `amount_fen` is the reduced amount, `original_fen` what was granted before it began in the month
    `phase_out_since`, and `valid_to` its end. `since` is the first month of an unbroken holding (低保起始月).
    """

    table_class = TableClass.SUBTREE
    changeable = ("valid_to", "division", "household", "person")

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="entitlement")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="entitlements")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="entitlements")
    amount_fen = models.BigIntegerField()
    period = models.CharField(max_length=10)
    people = models.SmallIntegerField()
    quantity = models.CharField(max_length=60, default="")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    since = models.DateField(null=True)
    original_fen = models.BigIntegerField(null=True)
    phase_out_since = models.DateField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="entitlement_once",
                # The most telling column first: the index splits on it, and a check stays on few pages.
                expressions=[
                    (F("household"), RangeOperators.EQUAL),
                    (Coalesce(F("person"), 0), RangeOperators.EQUAL),
                    (F("programme"), RangeOperators.EQUAL),
                    (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(name="entitlement_positive", condition=Q(amount_fen__gt=0)),
        ]
        indexes = [
            models.Index(fields=["programme", "division"], name="entitlement_list"),
            models.Index(fields=["division", "id"], name="entitlement_place"),
        ]


class PettyFund(Table):
    """A township's petty fund (备用金) for temporary relief: its balance, and what one case may take of it.

    The balance is money the township holds; it is the sum of the fund's booked entries and never below zero. This is a
    book of its own, not the ledger's: what a township is given and hands out is told here, entry by entry.
    """

    table_class = TableClass.SUBTREE
    changeable = ("balance_fen", "limit_fen", "basis")

    division = DivisionField(unique=True)
    balance_fen = models.BigIntegerField(default=0)
    limit_fen = models.BigIntegerField()
    basis = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.CheckConstraint(name="petty_fund_not_negative", condition=Q(balance_fen__gte=0)),
            models.CheckConstraint(name="petty_limit_positive", condition=Q(limit_fen__gt=0)),
        ]


class Relief(Table):
    """An emergency relieved first, with papers later (先行救助 后补材料); a case of one household or person.

    Within the fund's limit the township head approves; above it a meeting decides first (一事一议). `amount_fen` is paid
    in full from the petty fund with the approval.

    Somebody who lives elsewhere is helped where the emergency is (伊民规〔2022〕2号 二(四)1): a `guest` with a name and, where
    it is known, a number; `home` is where he lives, which sees this row and ties it to its household.
    """

    table_class = TableClass.ADDRESSED
    addressed_column = "home"
    changeable = (
        "state", "decided_by", "decided_on", "signature", "refusal", "papers", "papers_on", "papers_by", "household",
        "person", "tied_by", "tied_on",
    )  # fmt: skip

    class Cause(models.TextChoices):
        FIRE = "fire", "火灾"
        ACCIDENT = "accident", "交通事故等意外"
        ILLNESS = "illness", "突发重大疾病"
        DISASTER = "disaster", "自然灾害"
        OTHER = "other", "其他急难"

    class State(models.TextChoices):
        RECORDED = "recorded", "待审批"
        PAID = "paid", "已救助"
        REFUSED = "refused", "不予救助"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="reliefs")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    guest = models.CharField(max_length=60, default="")
    id_number_enc = SealedField(null=True)
    id_number_hash = models.BinaryField(null=True)
    home = DivisionField(default="")
    tied_by = models.BigIntegerField(null=True)
    tied_on = models.DateField(null=True)
    cause = models.CharField(max_length=10, choices=Cause.choices)
    story = models.CharField(max_length=500)
    happened_on = models.DateField()
    amount_fen = models.BigIntegerField()
    collective = models.BooleanField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECORDED)
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()
    papers_due_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    refusal = models.CharField(max_length=300, default="")
    papers = models.CharField(max_length=500, default="")
    papers_on = models.DateField(null=True)
    papers_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="relief_positive", condition=Q(amount_fen__gt=0)),
            models.UniqueConstraint(
                fields=["household"], condition=Q(state="recorded", guest=""), name="relief_one_waiting"
            ),
            models.UniqueConstraint(
                fields=["id_number_hash"],
                condition=Q(state="recorded") & ~Q(guest=""),
                name="relief_of_guest_one_waiting",
            ),
            models.CheckConstraint(
                name="relief_of_household_or_guest",
                condition=Q(guest="", household__isnull=False, id_number_hash=None, home="") | ~Q(guest=""),
            ),
        ]
        indexes = [
            models.Index(fields=["division", "state", "id"], name="relief_list"),
            models.Index(fields=["home", "id"], name="relief_of_guests", condition=~Q(guest="")),
        ]

    @property
    def whom(self) -> str:
        """As lists and desks name it: the household's number, or the guest."""
        return self.guest or (self.household.household_no if self.household else "")

    def overdue(self, on: date) -> bool:
        """Paid, and the papers are still not there after their day."""
        return self.state == Relief.State.PAID and self.papers_on is None and self.papers_due_on < on


class ReliefMeeting(Table):
    """The collective decision (一事一议) on one case above the limit: who was there and what was said."""

    table_class = TableClass.SUBTREE

    relief = models.OneToOneField(Relief, on_delete=models.PROTECT, related_name="meeting")
    division = DivisionField()
    held_on = models.DateField()
    attendants = ArrayField(models.CharField(max_length=40))
    in_favour = models.SmallIntegerField()
    minutes = models.CharField(max_length=1000)
    entered_by = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="meeting_of_three_in_favour",
                condition=Q(attendants__len__gte=3, in_favour__gte=0, in_favour__lte=F("attendants__len")),
            )
        ]


class PettyEntry(Table):
    """One movement of a petty fund. Money given to it waits for a second person; what is handed out is booked at once."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "booked_by", "booked_on", "balance_fen")

    class Kind(models.TextChoices):
        GIVEN = "given", "拨入"
        PAID = "paid", "支出"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        BOOKED = "booked", "已入账"
        REFUSED = "refused", "未通过"

    fund = models.ForeignKey(PettyFund, on_delete=models.PROTECT, related_name="entries")
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices)
    amount_fen = models.BigIntegerField()
    relief = models.OneToOneField(Relief, on_delete=models.PROTECT, null=True, related_name="entry")
    note = models.CharField(max_length=120)
    balance_fen = models.BigIntegerField(null=True)
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()
    booked_by = models.BigIntegerField(null=True)
    booked_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="petty_entry_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="petty_paid_for_a_case",
                condition=Q(kind="given", relief=None) | Q(kind="paid", relief__isnull=False),
            ),
        ]


class CareAssessment(Table):
    """What a person in 特困 cannot do alone, of six things, seen by two people (民发〔2021〕43号)."""

    table_class = TableClass.SUBTREE

    class Grade(models.TextChoices):
        FULL = "full", "全自理"
        HALF = "half", "半护理"
        NONE = "none", "全护理"

    division = DivisionField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="care_assessments")
    lost = ArrayField(models.CharField(max_length=10), default=list)
    losses = models.SmallIntegerField()
    grade = models.CharField(max_length=5, choices=Grade.choices)
    assessors = ArrayField(models.CharField(max_length=40), size=2)
    assessed_on = models.DateField()
    recorded_by = models.BigIntegerField()
    recorded_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="care_grade_follows_losses",
                condition=Q(losses=0, grade="full")
                | Q(losses__range=(1, 3), grade="half")
                | Q(losses__range=(4, 6), grade="none"),
            ),
            models.CheckConstraint(name="care_losses_counted", condition=Q(lost__len=F("losses"))),
            models.CheckConstraint(name="care_two_assessors", condition=Q(assessors__len=2)),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="care_assessment_latest")]


class CareAgreement(Table):
    """How a person in 特困 is supported and who looks after him, as signed; the newest one counts."""

    table_class = TableClass.SUBTREE
    changeable = ("ended_on", "person", "division")

    class Mode(models.TextChoices):
        CENTRAL = "central", "集中供养"
        HOME = "home", "分散供养"

    division = DivisionField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="care_agreements")
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="care_agreements")
    mode = models.CharField(max_length=7, choices=Mode.choices)
    carer = models.CharField(max_length=80)
    signed_on = models.DateField()
    ended_on = models.DateField(null=True)
    recorded_by = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(ended_on=None), name="care_agreement_once"),
        ]
