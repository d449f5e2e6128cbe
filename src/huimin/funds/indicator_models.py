"""Indicators (指标): budget authority of a place by document, issued onward, cut, carried into the next year (FUND-01).

    registered ──another person──► in_force ──► reserved ─► spent            (applications, funds.commands)
                                            ├─► issued onward: an indicator of a lower place
                                            ├─► cut, by a document of its own; what was issued goes back to its issuer
                                            └─► carried, what is left, once, into the next year

Always true, by the database (migrations/0004): reserved + spent + issued + carried + cut never exceed the amount; nothing
is bound of an indicator that is not in force; who registered does not confirm, who proposed a move does not decide it;
issued, carried and cut change only by an approved move, in its transaction. Law: S0 A1 art 20–22, A4 art 7–8.
"""

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass


class Allotment(Table):
    """An indicator: what a place may spend on a programme in a year, by one document."""

    table_class = TableClass.CHAIN
    changeable = ("reserved_fen", "spent_fen", "state", "confirmed_by", "confirmed_on", "refusal", "signature")

    class Kind(models.TextChoices):
        BASE = "base", "补助基数"
        NEW = "new", "新增项目"
        ADDED = "added", "追加"
        CARRIED = "carried", "上年结转"

    class Issuer(models.IntegerChoices):
        """The level whose document it is; the value is the number of digits of its places."""

        NATION = 0, "中央"
        PROVINCE = 2, "省级"
        CITY = 4, "市级"
        COUNTY = 6, "县级"

    class State(models.TextChoices):
        REGISTERED = "registered", "待复核"
        IN_FORCE = "in_force", "有效"
        REFUSED = "refused", "已退回"

    division = DivisionField()
    programme = models.CharField(max_length=40)
    year = models.SmallIntegerField()
    document_no = models.CharField(max_length=80)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.BASE)
    issuer = models.SmallIntegerField(choices=Issuer.choices, default=Issuer.PROVINCE)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="issued")
    carried_from = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="carried_into")
    amount_fen = models.BigIntegerField()
    reserved_fen = models.BigIntegerField(default=0)
    spent_fen = models.BigIntegerField(default=0)
    issued_fen = models.BigIntegerField(default=0)
    carried_fen = models.BigIntegerField(default=0)
    cut_fen = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REGISTERED)
    received_by = models.BigIntegerField()
    received_on = models.DateField()
    confirmed_by = models.BigIntegerField(null=True)
    confirmed_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="", db_default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "programme", "year", "document_no"],
                condition=~Q(state="refused"),
                name="allotment_once",
            ),
            models.CheckConstraint(
                name="allotment_never_overspent",
                condition=Q(
                    reserved_fen__gte=0, spent_fen__gte=0, issued_fen__gte=0, carried_fen__gte=0, cut_fen__gte=0,
                    amount_fen__gte=F("reserved_fen") + F("spent_fen") + F("issued_fen") + F("carried_fen") + F("cut_fen"),
                ),
            ),
            models.CheckConstraint(
                name="allotment_bound_in_force",
                condition=Q(state="in_force")
                | Q(reserved_fen=0, spent_fen=0, issued_fen=0, carried_fen=0, cut_fen=0),
            ),
            models.CheckConstraint(name="allotment_positive", condition=Q(amount_fen__gt=0)),
        ]  # fmt: skip

    @property
    def left_fen(self) -> int:
        """What can still be reserved, issued, carried or cut."""
        if self.state != self.State.IN_FORCE:
            return 0
        return self.amount_fen - self.bound_fen

    @property
    def bound_fen(self) -> int:
        return self.reserved_fen + self.spent_fen + self.issued_fen + self.carried_fen + self.cut_fen


class AllotmentMove(Table):
    """What one person proposes of an indicator and another decides: issue it onward, cut it, carry over what is left."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "decided_by", "decided_on", "refusal", "signature")

    class Kind(models.TextChoices):
        ISSUE = "issue", "下达"
        CUT = "cut", "调减"
        CARRY = "carry", "结转下年"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        APPROVED = "approved", "已生效"
        REFUSED = "refused", "已退回"

    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="moves")
    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    target = DivisionField(default="")
    target_kind = models.CharField(max_length=10, choices=Allotment.Kind.choices, default=Allotment.Kind.BASE)
    document_no = models.CharField(max_length=80)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=200, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="", db_default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)
    # The indicator it made; set by the database when it is approved.
    made = models.OneToOneField(Allotment, on_delete=models.PROTECT, null=True, related_name="made_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["allotment", "kind", "target", "document_no"],
                condition=~Q(state="refused"),
                name="allotment_move_once",
            ),
            models.UniqueConstraint(
                fields=["allotment"], condition=Q(kind="carry") & ~Q(state="refused"), name="allotment_carried_once"
            ),
            models.CheckConstraint(name="allotment_move_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="allotment_move_by_document", condition=~Q(document_no="")),
            models.CheckConstraint(
                name="allotment_move_decided",
                condition=Q(state="proposed", decided_by=None)
                | Q(state="refused", decided_by__isnull=False) & ~Q(refusal="")
                | Q(state="approved", decided_by__isnull=False, signature__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="allotment_move_list")]
