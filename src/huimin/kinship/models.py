"""What officers declared of their near relatives, and the matters they were kept from (REG-10).

The file is the county's own: every row stands at the county (`division`), so that a township sees none of it but what
names its own account (TableClass.PRIVATE); `place` is where the officer works. Law: 伊民规〔2022〕2号 二（一）7 (a file of
its own, 100 %); 民发〔2021〕57号 第11条; who is a near relative: 民法典 第1045条.
"""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.organisation.posts import Post
from huimin.registry.models import Person


class KinshipRule(Table):
    """Days in which an officer declares: from 1 January, or from his appointment; the county's newest row counts."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    within_days = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    set_by = models.BigIntegerField()
    set_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="kinship_days_within_year", condition=Q(within_days__gte=1, within_days__lte=365)
            )
        ]


class Declaration(Table):
    """What one officer signed for a year; a second one of the year adds relatives. `relatives` counts all he stands by."""

    table_class = TableClass.PRIVATE

    division = DivisionField()
    place = DivisionField()
    account = models.BigIntegerField()
    appointment = models.BigIntegerField()
    declarer = models.CharField(max_length=160)
    post = models.CharField(max_length=24, choices=Post.choices)
    year = models.SmallIntegerField()
    number = models.SmallIntegerField()
    relatives = models.SmallIntegerField()
    signed_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "year", "number"], name="declaration_once")]
        indexes = [models.Index(fields=["division", "year", "account"], name="declaration_year")]


class Relative(Table):
    """A near relative who draws or applies for a benefit, as one officer declared him; in force until the county ends it.

    `person` is who has the number in the registry; without one it is text for the county to settle. The number's hash
    stays beside it, so that recusal holds from the day such a person is registered.
    """

    table_class = TableClass.PRIVATE
    changeable = (
        "person", "state", "settled_by", "settled_on", "settlement", "ended_on", "ended_by", "ended_reason",
    )  # fmt: skip

    class Relation(models.TextChoices):
        SPOUSE = "spouse", "配偶"
        PARENT = "parent", "父母"
        CHILD = "child", "子女"
        SIBLING = "sibling", "兄弟姐妹"
        GRANDPARENT = "grandparent", "祖父母、外祖父母"
        GRANDCHILD = "grandchild", "孙子女、外孙子女"
        OTHER = "other", "县里规定须备案的其他亲属"

    class State(models.TextChoices):
        FOUND = "found", "已对上登记"
        UNSETTLED = "unsettled", "待核对"
        OUTSIDE = "outside", "不在册，已核对"

    division = DivisionField()
    place = DivisionField()
    account = models.BigIntegerField()
    declarer = models.CharField(max_length=160)
    declaration = models.ForeignKey(Declaration, on_delete=models.PROTECT, related_name="added")
    relation = models.CharField(max_length=12, choices=Relation.choices)
    name = models.CharField(max_length=60)
    id_number_enc = SealedField()
    id_number_hash = models.BinaryField()
    benefit = models.CharField(max_length=80)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices)
    declared_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    settlement = models.CharField(max_length=200, default="")
    ended_on = models.DateField(null=True)
    ended_by = models.BigIntegerField(null=True)
    ended_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "id_number_hash"], condition=Q(ended_on=None), name="relative_declared_once"
            ),
            models.CheckConstraint(
                name="relative_found_is_somebody", condition=~Q(state="found") | Q(person__isnull=False)
            ),
            models.CheckConstraint(
                name="relative_ended_with_reason",
                condition=Q(ended_on=None)
                | Q(ended_by__isnull=False, ended_on__gte=F("declared_on")) & ~Q(ended_reason=""),
            ),
        ]
        indexes = [models.Index(fields=["division", "id"], name="relative_list")]


class Recusal(Table):
    """A matter of a relative's household that was left out of what an officer did for many (a refused one is an event)."""

    table_class = TableClass.PRIVATE

    division = DivisionField()
    account = models.BigIntegerField()
    officer = models.CharField(max_length=160)
    household_id = models.BigIntegerField()
    household_no = models.CharField(max_length=24, db_collation="C")
    act = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    request = models.CharField(max_length=36, db_collation="C")
    left_on = models.DateField()

    class Meta:
        indexes = [
            models.Index(fields=["division", "id"], name="recusal_list"),
            models.Index(fields=["request"], name="recusal_request"),
        ]
