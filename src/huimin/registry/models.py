"""Households, people, what is known of them when, and their cards (REG-01, REG-04, REG-05, REG-07, SEC-04).

Facts are bitemporal: `valid_from/valid_to` is when something holds in the world, `recorded_from/recorded_to` when we
knew it. A correction closes the recorded range of a row and adds another; nothing is overwritten. The state on a past
day is the rows valid that day and not closed; the state as known on a past day asks both ranges.

Facts a county added stand in `added`, by code, in the system's form; a fact without a key there was not asked.

A null fact has not been asked; it is neither zero nor false. The facts' columns are made from huimin.kernel.facts, all
but a person's sex, birth date and relation, which stand in Person and Membership. Encrypted columns end in `_enc` and stand beside a keyed hash that ends in `_hash`.
"""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q, Value

from huimin.database.tables import DateRange, DivisionField, SealedField, Table, TableClass
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, RELATIONS, Fact, Kind

# The transaction's time, not the statement's: what one act closes and what it adds meet without a gap.
RECORDED = models.Func(function="transaction_timestamp", output_field=models.DateTimeField())


class Bitemporal(Table):
    """Rows with a range in the world and a range in our knowledge, and where the knowledge came from."""

    table_class = TableClass.SUBTREE
    changeable = ("recorded_to", "division")

    division = DivisionField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    recorded_from = models.DateTimeField(db_default=RECORDED)
    recorded_to = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=120, default="", db_default="")
    reported_by = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


def _added() -> models.JSONField:
    """Facts of the county's own by code (huimin.registry.added); no key is "not asked"."""
    return models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))


def _rows_of(column: str, name: str) -> models.Index:
    """All rows of one household or person, also what we once knew. The exclusion constraint's index compares bigints only,
    and an id in a statement is an integer: without this one a page reads the whole table."""
    return models.Index(fields=[column], name=name)


def _one_at_a_time(column: str, name: str) -> ExclusionConstraint:
    """At most one known row of `column` on any day."""
    return ExclusionConstraint(
        name=name,
        expressions=[
            (F(column), RangeOperators.EQUAL),
            (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
        ],
        condition=Q(recorded_to=None),
    )


def _column(fact: Fact) -> "models.Field[Any, Any]":
    """The column of a fact; null is "not asked"."""
    if fact.kind is Kind.CHOICE:
        return models.CharField(max_length=12, null=True, choices=[(choice, choice) for choice in fact.choices])
    return {
        Kind.INT: models.IntegerField,
        Kind.MONEY: models.BigIntegerField,
        Kind.AREA: models.BigIntegerField,
        Kind.DATE: models.DateField,
        Kind.FLAG: models.BooleanField,
    }[fact.kind](null=True)


class Household(Table):
    """A household for life under one number (village code + serial); it may move."""

    table_class = TableClass.SUBTREE
    changeable = ("division", "closed_on")

    household_no = models.CharField(max_length=24, unique=True, db_collation="C")
    division = DivisionField()
    closed_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["division", "id"], name="household_place")]


class HouseholdFacts(Bitemporal):
    """What is known of a household for a time: address and phone, and the dictionary's facts of households."""

    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="facts", db_index=False)
    address_enc = SealedField(null=True)
    address_hash = models.BinaryField(null=True)
    phone_enc = SealedField(null=True)
    phone_hash = models.BinaryField(null=True)
    added = _added()

    class Meta:
        constraints = [_one_at_a_time("household", "household_facts_one_a_day")]
        indexes = [_rows_of("household", "household_facts_of")]


def _from_pinyin(pattern: str, put: str) -> models.GeneratedField:
    """A column the database keeps: name_pinyin with every `pattern` replaced."""
    made = models.Func(F("name_pinyin"), Value(pattern), Value(put), Value("g"), function="regexp_replace")
    kept = models.CharField(max_length=120, db_collation="C")
    return models.GeneratedField(expression=made, output_field=kept, db_persist=True)


class Person(Table):
    """A person, apart from any household. The lookup hash of the identity number is unique among the living."""

    table_class = TableClass.SUBTREE
    changeable = (
        "division", "name", "name_pinyin", "id_number_enc", "id_number_hash", "sex", "birth_date", "closed_on", "merged_into",
    )  # fmt: skip

    name = models.CharField(max_length=60)
    name_pinyin = models.CharField(max_length=120, db_collation="C", default="", db_default="")
    # As they are typed: zhangwei, zw. Columns, not indexed expressions: under row-level security only a plain column
    # is looked up by its index.
    name_typed = _from_pinyin(" ", "")
    name_initials = _from_pinyin("([^ ])[^ ]* ?", r"\1")
    division = DivisionField()
    id_number_enc = SealedField()
    id_number_hash = models.BinaryField()
    sex = models.CharField(max_length=1, choices=[("男", "男"), ("女", "女")])
    birth_date = models.DateField()
    closed_on = models.DateField(null=True)
    # A second record of the same person: closed, and its number leads to the record that stays (huimin.duplicates).
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, db_index=False, related_name="merged")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["id_number_hash"], condition=Q(closed_on=None), name="person_identity_once"
            ),
            models.CheckConstraint(
                name="merged_person_is_closed",
                condition=Q(merged_into=None) | Q(closed_on__isnull=False) & ~Q(merged_into=F("id")),
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="person_merged", condition=Q(merged_into__isnull=False)),
            models.Index(fields=["id_number_hash"], name="person_closed_number", condition=Q(closed_on__isnull=False)),
            models.Index(fields=["division", "id"], name="person_place"),
            models.Index(fields=["name", "division"], name="person_name"),
            models.Index(fields=["name_typed", "division"], name="person_typed"),
            models.Index(fields=["name_initials", "division"], name="person_initials"),
        ]


ELSEWHERE = ("sex", "birth_date", "relation")
"""Facts of a person that stand in Person and Membership."""


class PersonFacts(Bitemporal):
    """What is known of a person for a time: the dictionary's facts of people."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="facts", db_index=False)
    added = _added()

    class Meta:
        constraints = [_one_at_a_time("person", "person_facts_one_a_day")]
        indexes = [_rows_of("person", "person_facts_of")]


for _fact in HOUSEHOLD_FACTS:
    HouseholdFacts.add_to_class(_fact.code, _column(_fact))
for _fact in PERSON_FACTS:
    if _fact.code not in ELSEWHERE:
        PersonFacts.add_to_class(_fact.code, _column(_fact))


class Membership(Bitemporal):
    """A person in a household for a time, with the relation to its head. In one household at a time."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships", db_index=False)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="memberships")
    relation = models.CharField(max_length=4, choices=[(each, each) for each in RELATIONS])

    class Meta:
        constraints = [_one_at_a_time("person", "person_in_one_household")]
        indexes = [_rows_of("person", "membership_of")]


class Card(Bitemporal):
    """An account that benefits are paid to: of a household (its head's) or of a person. Not shared while live.

    A card keeps its row, because payments refer to it. When its state changes, the row takes the new state and the day
    it ended, and a copy of what was known before is added with its recorded range closed.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "recorded_from", "valid_to", "state", "division", "evidence", "reported_by", "holder", "household",
    )  # fmt: skip

    class Use(models.TextChoices):
        HOUSEHOLD = "household", "户"
        PERSON = "person", "人"

    class State(models.TextChoices):
        ACTIVE = "active", "正常"
        LOST = "lost", "挂失"
        CLOSED = "closed", "已销户"
        REPLACED = "replaced", "已更换"
        PENDING = "pending", "待启用"
        FROZEN = "frozen", "已冻结"

    use = models.CharField(max_length=10, choices=Use.choices)
    holder = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="cards")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="cards")
    account_enc = SealedField()
    account_hash = models.BinaryField()
    account_tail = models.CharField(max_length=4)
    account_name = models.CharField(max_length=60)
    bank_office_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_hash"],
                condition=Q(recorded_to=None, state__in=("active", "pending")),
                name="card_of_one_holder",
            ),
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(recorded_to=None, state="active", use="household"),
                name="household_one_card",
            ),
            models.UniqueConstraint(
                fields=["holder"], condition=Q(recorded_to=None, state="active", use="person"), name="person_one_card"
            ),
        ]
        indexes = [models.Index(fields=["account_tail", "division"], name="card_tail")]


class CardCorrection(Table):
    """A proposed change of an account, in force only when a second person approved it and the county's cooling time is
    over: `effective_on`, frozen at the approval; until then the new card is 待启用 (REG-07, PAY-06)."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "approved_by", "approved_on", "new_card", "refusal", "division", "effective_on")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审核"
        APPROVED = "approved", "已更正"
        REFUSED = "refused", "不予更正"

    division = DivisionField()
    use = models.CharField(max_length=10, choices=Card.Use.choices)
    holder = models.ForeignKey(Person, on_delete=models.PROTECT)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True)
    old_card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, related_name="+")
    new_card = models.ForeignKey(Card, on_delete=models.PROTECT, null=True, related_name="+")
    account_enc = SealedField()
    account_hash = models.BinaryField()
    account_tail = models.CharField(max_length=4)
    account_name = models.CharField(max_length=60)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    refusal = models.CharField(max_length=200, default="")
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    approved_by = models.BigIntegerField(null=True)
    approved_on = models.DateField(null=True)
    effective_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="correction_needs_two_people",
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")),
            ),
            models.UniqueConstraint(
                fields=["holder", "use"], condition=Q(state="proposed"), name="correction_open_once"
            ),
        ]


class WorkItem(Table):
    """What an import or check brought that a person must settle: the clash is kept, nothing is guessed."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "settled_by", "settled_on", "settlement", "division", "person")

    class Kind(models.TextChoices):
        SAME_PERSON = "same_person", "同一人登记在两户"
        SHARED_CARD = "shared_card", "一卡多户"
        BAD_IDENTITY = "bad_identity", "证件号码有误"
        SECOND_CARD = "second_card", "一户（人）多卡"
        CARD_WITHOUT_HOLDER = "card_without_holder", "持卡人未入库"
        DIFFERS = "differs", "与登记不符"

    division = DivisionField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    summary = models.CharField(max_length=300)
    payload_enc = SealedField(null=True)
    payload_hash = models.BinaryField(null=True)
    state = models.CharField(max_length=8, choices=[("open", "待处理"), ("settled", "已处理")], default="open")
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    settlement = models.CharField(max_length=200, default="")

    class Meta:
        indexes = [models.Index(fields=["division", "state", "kind"], name="work_item_list")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "payload_hash"], name="work_item_once"),
        ]


class ReportedChange(Table):
    """A change of a household (变更事项): reported by the village, entered by the township, confirmed where money hangs on it.

    `payload` is what is to change, as huimin.registry.commands.changes reads it, encrypted; `summary` says it in masked
    words. `effects` is what the determination says before and after, as shown to who entered it (REG-05).

        reported ──► entered ──► applied      a village officer's; entered by a clerk directly; applied at once where
            └──────────┴──────► refused       nothing depends on it
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "division", "effects", "entered_by", "entered_on", "confirmed_by", "confirmed_on", "refusal", "depends",
        "payload_enc", "payload_hash", "summary", "evidence", "effective_on", "applied_at",
    )  # fmt: skip

    class Kind(models.TextChoices):
        BIRTH = "birth", "出生"
        DEATH = "death", "死亡"
        MARRIAGE = "marriage", "结婚"
        DIVORCE = "divorce", "离婚"
        ARRIVAL = "arrival", "迁入"
        DEPARTURE = "departure", "迁出"
        MOVE = "move", "全户迁移"
        SPLIT = "split", "分户"
        JOIN = "join", "并户"
        HEAD = "head", "变更户主"
        FACTS = "facts", "资源和收入等情况变化"
        IDENTITY = "identity", "更正姓名或证件号码"

    class State(models.TextChoices):
        REPORTED = "reported", "待录入"
        ENTERED = "entered", "待确认"
        APPLIED = "applied", "已生效"
        REFUSED = "refused", "不予登记"

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="reported_changes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices)
    effective_on = models.DateField()
    summary = models.CharField(max_length=300)
    evidence = models.CharField(max_length=120)
    payload_enc = SealedField()
    payload_hash = models.BinaryField()
    effects = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    depends = models.CharField(max_length=120, default="", db_default="")
    reported_by = models.BigIntegerField(null=True)
    reported_on = models.DateField(null=True)
    entered_by = models.BigIntegerField(null=True)
    entered_on = models.DateField(null=True)
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="", db_default="")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="change_needs_two_people",
                condition=Q(confirmed_by=None) | Q(state="refused") | ~Q(confirmed_by=F("entered_by")),
            ),
            models.UniqueConstraint(
                fields=["household", "kind", "effective_on", "payload_hash"],
                condition=Q(state__in=("reported", "entered")),
                name="change_open_once",
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="reported_change_list")]

    @property
    def tone(self) -> str:
        """The state by the name that pages colour: what waits for somebody, what is done, what was refused."""
        return {"reported": "open", "entered": "proposed", "applied": "settled"}.get(self.state, self.state)


class SurveyDraft(Table):
    """A survey form somebody is filling in: one of each person for a household, or for a new one of a place.

    Work in progress, not knowledge: it is replaced with every save, and gone once it is submitted.
    """

    table_class = TableClass.SUBTREE
    changeable = ("payload_enc", "payload_hash", "saved_at")
    removable = True
    recorded = False

    division = DivisionField()
    account = models.BigIntegerField()
    household = models.ForeignKey(Household, on_delete=models.CASCADE, null=True, related_name="+")
    payload_enc = SealedField()
    payload_hash = models.BinaryField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "division", "household"], name="survey_draft_once", nulls_distinct=False
            )
        ]


class Attachment(Table):
    """A scan of a paper of the household: the file lies encrypted below HOME/attachments under the digest of its content."""

    table_class = TableClass.SUBTREE
    changeable = ("division", "household")

    division = DivisionField()
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="attachments")
    title = models.CharField(max_length=80)
    file_name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=20)
    size_bytes = models.IntegerField()
    sha256 = models.CharField(max_length=64, db_collation="C")
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["household", "sha256"], name="attachment_once")]
        indexes = [models.Index(fields=["division", "id"], name="attachment_place")]


from huimin.registry.card_models import CardAuthority, CardHandover, CardIssue, CardRule  # noqa: E402

__all__ = [
    "ELSEWHERE", "RECORDED", "Attachment", "Bitemporal", "Card", "CardAuthority", "CardCorrection", "CardHandover", "CardIssue",
    "CardRule", "Household", "HouseholdFacts", "Membership", "Person", "PersonFacts", "ReportedChange", "SurveyDraft",
    "WorkItem",
]  # fmt: skip
