"""Appeals against a decision: to the office (申诉), or one level up under the law (行政复议); issue 5 point 8, CASE-11.

    filed ──► accepted ──► ruled (upheld, partly, dismissed) ──► corrected      upheld ones only, by a decision of their own
      │           └──────► withdrawn
      ├──► refused (not accepted, with the reason)
      └──► withdrawn

The decision appealed against stays as it was made, whatever becomes of the appeal: what was wrong is met by a new one, which the
appeal then names. Rows stand where the household lives. Migration 0002 holds the promises whoever writes.
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.cases.models import FAR, Case
from huimin.casework.models import Decision
from huimin.database.tables import DivisionField, Table, TableClass
from huimin.registry.models import Household


class AppealRule(Table):
    """What the county allows and asks of 申诉 to its own offices, with the paper; a second person puts it in force."""

    table_class = TableClass.CHAIN
    changeable = ("state", "settled_by", "settled_on", "refusal")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "在用"
        REFUSED = "refused", "未通过"

    division = DivisionField()
    file_days = models.SmallIntegerField()
    answer_days = models.SmallIntegerField()
    extended_days = models.SmallIntegerField()
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="appeal_rule_within_bounds",
                condition=Q(file_days__range=(1, 365), answer_days__range=(1, 180), extended_days__range=(0, 90)),
            ),
            models.CheckConstraint(
                name="appeal_rule_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
            models.UniqueConstraint(fields=["division"], condition=Q(state="proposed"), name="appeal_rule_waits"),
        ]


class Appeal(Table):
    """One appeal against a decision, or against a case that was not accepted (不予受理).

    `told_on` is when who appeals learnt of it, `file_by` the last day for it, `late_reason` why a later one is taken all the
    same. `due_on` is FAR where no rule sets one. `organ` and `document` name the authority of a 复议 and its paper.
    """

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "division", "late_reason", "accepted_by", "accepted_on", "organ", "due_on", "extended_on", "extension", "suspended_on",
        "suspension", "suspended_by", "ruling", "ruled_by", "ruled_account", "ruled_on", "document", "signature", "reason",
        "ended_on", "new_case", "new_decision", "corrected_by", "corrected_on", "told_result_on",
    )  # fmt: skip

    class Kind(models.TextChoices):
        INTERNAL = "internal", "申诉"
        REVIEW = "review", "行政复议"

    class State(models.TextChoices):
        FILED = "filed", "待受理"
        REFUSED = "refused", "不予受理"
        ACCEPTED = "accepted", "办理中"
        UPHELD = "upheld", "成立"
        PARTLY = "partly", "部分成立"
        DISMISSED = "dismissed", "不成立"
        CORRECTED = "corrected", "已纠正"
        WITHDRAWN = "withdrawn", "已撤回"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    household = models.ForeignKey(Household, on_delete=models.PROTECT, related_name="appeals")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, related_name="appeals")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="appeals")
    against = models.CharField(max_length=160)
    decided_on = models.DateField()
    appellant = models.CharField(max_length=60)
    relation = models.CharField(max_length=40)
    text = models.CharField(max_length=2000)
    evidence = models.CharField(max_length=200, default="")
    told_on = models.DateField()
    file_by = models.DateField(default=FAR)
    late_reason = models.CharField(max_length=200, default="")
    filed_on = models.DateField()
    registered_by = models.BigIntegerField()
    registered_account = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.FILED)
    accepted_by = models.BigIntegerField(null=True)
    accepted_on = models.DateField(null=True)
    organ = models.CharField(max_length=80, default="")
    due_on = models.DateField(default=FAR)
    extended_on = models.DateField(null=True)
    extension = models.CharField(max_length=200, default="")
    suspended_on = models.DateField(null=True)
    suspension = models.CharField(max_length=200, default="")
    suspended_by = models.BigIntegerField(null=True)
    ruling = models.CharField(max_length=2000, default="")
    ruled_by = models.BigIntegerField(null=True)
    ruled_account = models.BigIntegerField(null=True)
    ruled_on = models.DateField(null=True)
    document = models.CharField(max_length=80, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    reason = models.CharField(max_length=300, default="")
    ended_on = models.DateField(null=True)
    new_case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    new_decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")
    corrected_by = models.BigIntegerField(null=True)
    corrected_on = models.DateField(null=True)
    told_result_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="appeal_against_one_thing",
                condition=Q(decision__isnull=False, case=None) | Q(decision=None, case__isnull=False),
            ),
            models.CheckConstraint(
                name="appeal_days_follow",
                condition=Q(decided_on__lte=F("told_on"), told_on__lte=F("filed_on")),
            ),
            models.UniqueConstraint(
                fields=["decision", "kind"], condition=Q(state__in=["filed", "accepted"], decision__isnull=False),
                name="appeal_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["case", "kind"], condition=Q(state__in=["filed", "accepted"], case__isnull=False),
                name="appeal_of_case_one_at_a_time",
            ),
            models.CheckConstraint(
                name="appeal_ruled_whole",
                condition=~Q(state__in=["upheld", "partly", "dismissed", "corrected"])
                | Q(ruled_on__isnull=False, signature__isnull=False, accepted_on__isnull=False) & ~Q(ruling=""),
            ),
            models.CheckConstraint(
                name="appeal_corrected_by_something",
                condition=~Q(state="corrected") | Q(new_case__isnull=False) | Q(new_decision__isnull=False),
            ),
            models.CheckConstraint(
                name="appeal_over_with_reason", condition=~Q(state__in=["refused", "withdrawn"]) | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="appeal_late_with_reason", condition=Q(filed_on__lte=F("file_by")) | ~Q(state="accepted") | ~Q(late_reason="")
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["division", "due_on", "id"], name="appeal_live", condition=Q(state__in=["filed", "accepted"])),
            models.Index(fields=["division", "-id"], name="appeal_list"),
        ]  # fmt: skip

    @property
    def number(self) -> str:
        """As papers name it."""
        return f"{self.filed_on.year}{self.pk:06d}"

    @property
    def subject(self) -> str:
        return f"appeal:{self.pk}"

    @property
    def live(self) -> bool:
        return self.state in (self.State.FILED, self.State.ACCEPTED)

    @property
    def late(self) -> bool:
        """It came after its last day."""
        return self.filed_on > self.file_by

    @property
    def tone(self) -> str:
        return {
            "filed": "open", "accepted": "proposed", "upheld": "upheld", "partly": "upheld", "corrected": "settled",
            "withdrawn": "", "dismissed": "dismissed",
        }.get(self.state, self.state)  # fmt: skip

    def overdue(self, on: date) -> bool:
        return self.live and self.due_on < on
