"""What the check of a roster found, before it leaves the township: each explained, or held back (PAY-01, PAY-06).

    open ──explain──► explained                    by the clerk, with a reason that everybody after him reads
      └────hold────► held ──release──► released    by the clerk; released by another, and the dues are free for a later roster

Always true, by the database: a finding stands once a line and kind; an answered one says who, when and why; what pays the
dead is never explained away; who held a line does not release it.
"""

from django.db import models
from django.db.models import F, Q

from huimin.database.tables import DivisionField, Table, TableClass


class RosterFinding(Table):
    """One doubt about a line, or about the whole roster (`line` null)."""

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "answer", "answered_by", "answered_on", "release_reason", "released_by", "released_on",
    )  # fmt: skip

    class Kind(models.TextChoices):
        DEAD = "dead", "死亡后仍发放"
        DIED = "died", "户内有人死亡"
        LEFT = "left", "户内有人离开"
        MOVED = "moved", "户已迁走或注销"
        TWICE = "twice", "重复发放"
        EXCLUDED = "excluded", "与其他项目互斥"
        ACCOUNT = "account", "几户同一账户"
        UNLIKE = "unlike", "与上期相差大"
        OVER = "over", "超过指标余额"

    class State(models.TextChoices):
        OPEN = "open", "待核对"
        EXPLAINED = "explained", "已说明"
        HELD = "held", "已缓发"
        RELEASED = "released", "已解除缓发"

    HARD = (Kind.DEAD,)
    """Kinds that no reason makes right: the line can only be held back."""

    division = DivisionField()
    roster = models.ForeignKey("payment.Roster", on_delete=models.PROTECT, related_name="findings", db_index=False)
    line = models.ForeignKey("payment.RosterLine", on_delete=models.PROTECT, null=True, related_name="findings")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    detail = models.CharField(max_length=200)
    amount_fen = models.BigIntegerField()
    found_on = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    answer = models.CharField(max_length=200, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_on = models.DateField(null=True)
    release_reason = models.CharField(max_length=200, default="")
    released_by = models.BigIntegerField(null=True)
    released_on = models.DateField(null=True)

    @property
    def kind_words(self) -> str:
        """As lists call it: of a death it is said whose, where the household does not live on."""
        whose, told, _ = self.detail.partition("：")
        return whose if told and self.kind == self.Kind.DIED else str(self.get_kind_display())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["roster", "line", "kind"], nulls_distinct=False, name="roster_finding_once"
            ),
            models.CheckConstraint(
                name="finding_answered_whole",
                condition=Q(state="open", answered_by=None)
                | ~Q(state="open") & Q(answered_by__isnull=False, answered_on__isnull=False) & ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="finding_held_has_a_line", condition=Q(state__in=["open", "explained"]) | Q(line__isnull=False)
            ),
            models.CheckConstraint(name="dead_not_explained", condition=~Q(kind="dead", state="explained")),
            models.CheckConstraint(
                name="hold_released_by_another",
                condition=~Q(state="released")
                | Q(released_by__isnull=False, released_on__isnull=False)
                & ~Q(release_reason="")
                & ~Q(released_by=F("answered_by")),
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="roster_finding_list")]
