"""Who speaks and watches for a village, and what the county ruled about votes (CASE-03, SUP-06)."""

from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.registry.models import Person


class Majority(models.TextChoices):
    """Of the representatives present who have a vote on the case."""

    HALF = "half", "过半数"
    TWO_THIRDS = "two_thirds", "三分之二以上"


class Overseer(models.TextChoices):
    """Whom the 评议监督员 of a vote is chosen from."""

    SUPERVISOR = "supervisor", "到会的义务监督员"
    REPRESENTATIVE = "representative", "到会的居民代表"


class MeetingRule(Table):
    """What the county ruled about votes, by which document; the newest row counts."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    majority = models.CharField(max_length=10, choices=Majority.choices)
    overseer = models.CharField(max_length=14, choices=Overseer.choices)
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()


class Checked(models.TextChoices):
    """What a village entered and another person of the township checks."""

    PROPOSED = "proposed", "待核对"
    CONFIRMED = "confirmed", "已核对"
    REFUSED = "refused", "不予认可"


class StatutoryNumber(Table):
    """法定代表数 of a village from a day on, by which document; the newest confirmed one in force counts."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "checked_by", "checked_on", "refusal")

    division = DivisionField()
    number = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    valid_from = models.DateField()
    state = models.CharField(max_length=10, choices=Checked.choices, default=Checked.PROPOSED)
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()
    checked_by = models.BigIntegerField(null=True)
    checked_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="statutory_number_of_some", condition=Q(number__gte=3, number__lte=500)),
            models.CheckConstraint(
                name="statutory_checked_by_another", condition=Q(checked_by=None) | ~Q(checked_by=F("entered_by"))
            ),
            models.CheckConstraint(
                name="statutory_checked", condition=Q(state="proposed") | Q(checked_by__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["division", "valid_from"], condition=~Q(state="refused"), name="statutory_number_once"
            ),
        ]


class Representative(Table):
    """A villager chosen to speak for others (居民代表), from a day until the day before `valid_to`."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "checked_by", "checked_on", "refusal", "valid_to", "ended_by", "ended_on", "end_reason")

    division = DivisionField()
    name = models.CharField(max_length=40)
    group_name = models.CharField(max_length=20)
    phone_enc = SealedField(null=True)
    phone_hash = models.BinaryField(null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=Checked.choices, default=Checked.PROPOSED)
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()
    checked_by = models.BigIntegerField(null=True)
    checked_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    ended_by = models.BigIntegerField(null=True)
    ended_on = models.DateField(null=True)
    end_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="representative_by_another", condition=Q(checked_by=None) | ~Q(checked_by=F("entered_by"))
            ),
            models.CheckConstraint(
                name="representative_checked", condition=Q(state="proposed") | Q(checked_by__isnull=False)
            ),
            models.CheckConstraint(
                name="representative_for_a_time", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
            models.UniqueConstraint(
                fields=["division", "name", "group_name"],
                condition=~Q(state="refused") & Q(ended_on=None),
                name="representative_once",
            ),
        ]
        indexes = [models.Index(fields=["division", "id"], name="representative_list")]


class Supervisor(Table):
    """A volunteer supervisor (义务监督员) of a village, who watches every step of who gets what (SUP-06 builds on it)."""

    table_class = TableClass.SUBTREE
    changeable = ("valid_to", "ended_by", "ended_on", "end_reason")

    class Kind(models.TextChoices):
        OLD_CADRE = "old_cadre", "老干部"
        PARTY = "party", "老党员"
        CONGRESS = "congress", "人大代表"
        CPPCC = "cppcc", "政协委员"
        MASSES = "masses", "先进群众"

    division = DivisionField()
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    phone_enc = SealedField(null=True)
    phone_hash = models.BinaryField(null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    appointed_by = models.BigIntegerField()
    appointed_on = models.DateField()
    ended_by = models.BigIntegerField(null=True)
    ended_on = models.DateField(null=True)
    end_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="supervisor_for_a_time", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
            models.UniqueConstraint(fields=["division", "name"], condition=Q(ended_on=None), name="supervisor_once"),
        ]
        indexes = [models.Index(fields=["division", "id"], name="supervisor_list")]
