"""Dues, rosters, batches for the bank and what came back (PAY-01 to PAY-06, PAY-08, SEC-07).

    Entitlement ──► Due ──► LineDue ──► RosterLine ──► Instruction ──► ResultLine
                            (live)      in a Roster    in a Batch      in a ResultFile

Always true, by the database itself (this file and migrations/0002_gate.py):

- base dues of one entitlement never overlap in time;
- a due stands on at most one live line, a line has at most one live instruction ("unknown" counts as live);
- an instruction exists only for a line whose entitlement has an approved decision and whose notice has ended without
  an open objection, of a roster that was confirmed and funded;
- who prepared a batch did not release it;
- a frozen line or instruction is never edited: only its state columns may change.
"""

from typing import TYPE_CHECKING

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from huimin.audit.models import Signature
from huimin.casework.models import Entitlement
from huimin.database.tables import DateRange, DivisionField, SealedField, Table, TableClass
from huimin.funds.models import FundingApplication, SpecialAccount
from huimin.notices.models import Notice
from huimin.organisation.models import Office
from huimin.payment.exchange_models import BankSetting, BankStatement, ExchangeFile, NameCheck, NameCheckLine
from huimin.payment.finding_models import RosterFinding
from huimin.payment.recovery_models import Recovery, RecoveryPart, RecoveryReceipt, RecoveryRule, RecoveryWriteOff
from huimin.payment.summary_models import SummaryLine, SummaryRoster
from huimin.payment.tally_models import RosterTally
from huimin.registry.models import Card, CardAuthority, Household, Person

if TYPE_CHECKING:
    from huimin.payment.counting import Sums

__all__ = [
    "BankSetting", "BankStatement", "Batch", "Due", "ExchangeFile", "Instruction", "LineDue", "NameCheck", "NameCheckLine",
    "PaymentException", "Rebooking", "Recovery", "RecoveryPart", "RecoveryReceipt", "RecoveryRule", "RecoveryWriteOff", "ResultFile", "Roster",
    "RosterFinding", "RosterLine", "RosterNotice", "RosterTally", "SummaryLine", "SummaryRoster",
]  # fmt: skip


class Due(Table):
    """What one entitlement owes for one period of its law (低保: a month).

    `rule` is how a begun period was counted (不足期). Arrears say what the step owed (`owed_fen`) and what had been made of it
    before (`made_fen`): their amount is the difference. A due that was on no roster when its entitlement ended earlier is stopped.
    """

    table_class = TableClass.SUBTREE
    changeable = ("state",)

    class Kind(models.TextChoices):
        BASE = "base", "应发"
        ARREARS = "arrears", "补发"
        RECOVERY = "recovery", "追回"

    class State(models.TextChoices):
        OWED = "owed", "待发"
        PAID = "paid", "已发"
        WITHDRAWN = "withdrawn", "已撤销"
        STOPPED = "stopped", "不再应发"

    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="dues")
    division = DivisionField()
    programme = models.CharField(max_length=40)
    period_from = models.DateField()
    period_until = models.DateField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.BASE)
    number = models.SmallIntegerField(default=1)
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OWED)
    rule = models.CharField(max_length=10, default="", db_default="")
    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, null=True, related_name="dues", db_index=False)
    owed_fen = models.BigIntegerField(null=True)
    made_fen = models.BigIntegerField(null=True)
    made_on = models.DateField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="base_dues_never_overlap",
                expressions=[
                    (F("entitlement"), RangeOperators.EQUAL),
                    (DateRange("period_from", "period_until"), RangeOperators.OVERLAPS),
                ],
                # With those that are paid a trigger compares (migration 0016).
                condition=Q(kind="base", state="owed"),
            ),
            models.UniqueConstraint(
                fields=["entitlement", "period_from", "number"], condition=Q(kind="arrears"), name="arrears_once"
            ),
            models.CheckConstraint(name="due_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="withheld_for_a_recovery",
                condition=Q(kind="recovery", recovery__isnull=False) | ~Q(kind="recovery") & Q(recovery=None),
            ),
            models.CheckConstraint(
                name="arrears_are_a_difference",
                condition=~Q(kind="arrears")
                | Q(owed_fen__isnull=False, made_fen__isnull=False, amount_fen=F("owed_fen") - F("made_fen")),
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "division", "state"], name="due_list"),
            models.Index(fields=["recovery"], name="due_of_recovery", condition=Q(recovery__isnull=False)),
        ]


class Roster(Table):
    """A programme roster (单项清册) of a township for a period."""

    table_class = TableClass.SUBTREE
    changeable = (
        "state", "published_on", "signed_by", "signed_on", "department_by", "department_on", "finance_by",
        "finance_on", "application",
    )  # fmt: skip

    class Kind(models.TextChoices):
        BASE = "base", "清册"
        REISSUE = "reissue", "重发清册"

    class State(models.TextChoices):
        COMPILED = "compiled", "已编制"
        PUBLISHED = "published", "公示中"
        SIGNED = "signed", "乡镇已签"
        DEPARTMENT_CONFIRMED = "department_confirmed", "部门已核"
        CONFIRMED = "confirmed", "财政已核"
        FUNDED = "funded", "资金到位"
        SENT = "sent", "已送银行"
        SETTLED = "settled", "已办结"
        WITHDRAWN = "withdrawn", "已撤回"

    division = DivisionField()
    programme = models.CharField(max_length=40)
    version = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.BASE)
    period_from = models.DateField()
    period_until = models.DateField()
    number = models.SmallIntegerField(default=1)
    # As compiled, whatever is held back later; what is to be paid is counted by payment.counting.
    lines_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=24, choices=State.choices, default=State.COMPILED)
    compiled_by = models.BigIntegerField()
    compiled_on = models.DateField()
    published_on = models.DateField(null=True)
    signed_by = models.BigIntegerField(null=True)
    signed_on = models.DateField(null=True)
    department_by = models.BigIntegerField(null=True)
    department_on = models.DateField(null=True)
    finance_by = models.BigIntegerField(null=True)
    finance_on = models.DateField(null=True)
    application = models.ForeignKey(FundingApplication, on_delete=models.PROTECT, null=True)
    origin = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reissues")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["division", "programme", "kind", "period_from", "period_until", "number"],
                condition=~Q(state="withdrawn"),
                name="roster_once",
            )
        ]
        indexes = [models.Index(fields=["division", "state"], name="roster_list")]

    sums: "Sums"
    """What counts of it, where payment.counting.with_sums has put it."""

    @property
    def has_asked(self) -> bool:
        """Whether its money was asked for; an application that was taken back asks for nothing."""
        return self.application is not None and self.application.state != FundingApplication.State.WITHDRAWN


class RosterNotice(Table):
    """Which notices publish a roster, one a village."""

    table_class = TableClass.SUBTREE

    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="notices")
    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="roster_notice")
    division = DivisionField()


class RosterLine(Table):
    """One beneficiary on a roster, frozen: who, which account, how much, on which facts and policy version.

    What a line and its dues refer to is there: looked up once a statement (migration 0013), not by a constraint's trigger for each
    row and reference, which took longer than all the rest of a roster of a million lines.
    """

    table_class = TableClass.SUBTREE
    changeable = ("state", "withheld_reason")
    unlogged = ("aside",)

    NOT_IN_FORCE = "账户停用、更换或授权到期"
    """Why a line is withheld on the way to the bank; it is reissued once there is an account in force."""
    NOT_CHECKED = "户名核验未通过"
    """The bank says the account is not of that name; it is reissued once there is another account in force."""
    NOT_WRITABLE = "户名里有银行编码写不出的字"
    """The bank's encoding has no such character: nothing is sent under another name."""
    GIVEN_BACK = "不再发放，款项缴回"
    """Its money was given back to where it came from; a returned line keeps its state, it is never reissued."""
    REISSUED_REASONS = (NOT_IN_FORCE, NOT_CHECKED, NOT_WRITABLE)
    """A line withheld for one of these waits for another account."""
    USUAL = ("listed", "sent", "paid")
    """The states every line goes through; in any other it is `aside`."""

    class State(models.TextChoices):
        LISTED = "listed", "在册"
        WITHHELD = "withheld", "缓发"
        SENT = "sent", "已送银行"
        PAID = "paid", "已发放"
        RETURNED = "returned", "已退汇"
        UNKNOWN = "unknown", "银行处理中"
        REPLACED = "replaced", "已转重发"

    OUT = (State.WITHHELD, State.REPLACED)
    """Lines that stand on a roster and are not paid by it: held back, or moved to a reissue (payment.counting)."""

    roster = models.ForeignKey(
        Roster, on_delete=models.PROTECT, db_constraint=False, related_name="lines", db_index=False
    )
    line_no = models.IntegerField()
    division = DivisionField()
    programme = models.CharField(max_length=40)
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, db_constraint=False, related_name="lines")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, db_constraint=False)
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    payee = models.ForeignKey(Person, on_delete=models.PROTECT, db_constraint=False, related_name="+")
    card = models.ForeignKey(Card, on_delete=models.PROTECT, db_constraint=False)
    # Whose account the card is when it is not the beneficiary's: `name` is who is helped, `payee` who draws it.
    authority = models.ForeignKey(
        CardAuthority, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    name = models.CharField(max_length=60)
    people = models.SmallIntegerField()
    group_code = DivisionField()
    quantity = models.CharField(max_length=60, default="")
    # What is paid: base and arrears less what is withheld for a recovery; never nothing.
    amount_fen = models.BigIntegerField()
    arrears_fen = models.BigIntegerField(default=0, db_default=0)
    withheld_fen = models.BigIntegerField(default=0, db_default=0)
    facts_digest = models.CharField(max_length=64)
    digest = models.BinaryField()
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    # The line that stood on the notice; null when it is this one. A reissue rests on the notice of its origin.
    noticed = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.LISTED)
    # The state of a line that left the usual way; null for the others. Indexed in the place of `state` (migration 0016).
    aside = models.GeneratedField(
        expression=Case(When(state__in=USUAL, then=None), default=F("state")),
        output_field=models.CharField(max_length=10, null=True), db_persist=True,
    )  # fmt: skip
    withheld_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["roster", "line_no"], name="roster_line_no_once"),
            models.CheckConstraint(name="roster_line_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="roster_line_parts",
                condition=Q(
                    arrears_fen__gte=0, withheld_fen__gte=0, arrears_fen__lte=F("amount_fen") + F("withheld_fen")
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["division", "id"], name="roster_line_list"),
            models.Index(
                fields=["division", "aside", "id"], name="roster_line_aside", condition=Q(aside__isnull=False)
            ),
            *(
                models.Index(fields=[name], name=f"line_of_{name}", condition=Q(**{f"{name}__isnull": False}))
                for name in ("person", "authority", "noticed")
            ),
        ]

    @property
    def base_fen(self) -> int:
        """The part of this period: what is paid, less arrears, with what is withheld."""
        return self.amount_fen - self.arrears_fen + self.withheld_fen


class LineDue(Table):
    """A due on a line. `live` until the line's money came back; a due is on one live line at most."""

    table_class = TableClass.SUBTREE
    changeable = ("live",)

    line = models.ForeignKey(RosterLine, on_delete=models.PROTECT, db_constraint=False, related_name="line_dues")
    due = models.ForeignKey(Due, on_delete=models.PROTECT, db_constraint=False, related_name="line_dues")
    division = DivisionField()
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            # Over all rows, not over the live ones: as long as a table has no statistics the planner takes an index with the
            # condition `live` for a cheap way to them, and reads all of it for every line.
            models.UniqueConstraint(Case(When(live=True, then=F("due"))), name="due_on_one_live_line"),
        ]


class Batch(Table):
    """One file for the agent bank: a funded roster, or the reissue of returned lines."""

    table_class = TableClass.BANK
    taken_before: bool = False  # of what `take_result` returns: the bank's word on it was here already
    changeable = (
        "state",
        "released_by",
        "released_on",
        "answer_due_on",
        "signature",
        "file_sha256",
        "written_at",
        "answered_on",
    )

    class State(models.TextChoices):
        PREPARED = "prepared", "待放行"
        RELEASED = "released", "已放行"
        WRITTEN = "written", "已送银行"
        REJECTED = "rejected", "银行整批拒收"
        ANSWERED = "answered", "已回盘"
        CANCELLED = "cancelled", "已撤销"

    division = DivisionField()
    batch_no = models.CharField(max_length=40, unique=True)
    # How the bank's office is spoken to, as it was when the batch was prepared; null is the rural format in a folder.
    setting = models.ForeignKey(BankSetting, on_delete=models.PROTECT, null=True, related_name="batches")
    format = models.CharField(max_length=40, default="rural-bank-batch", db_default="rural-bank-batch")
    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="batches")
    programme = models.CharField(max_length=40)
    # What the programme was called that day: a bank reads its batches and no policy. Null for batches from before names were kept.
    programme_name = models.CharField(max_length=80, null=True)
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    payer = models.ForeignKey(SpecialAccount, on_delete=models.PROTECT)
    lines_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    prepared_by = models.BigIntegerField()
    prepared_on = models.DateField()
    released_by = models.BigIntegerField(null=True)
    released_on = models.DateField(null=True)
    answer_due_on = models.DateField(null=True)
    answered_on = models.DateField(null=True)
    file_sha256 = models.CharField(max_length=64, default="")
    written_at = models.DateTimeField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    @property
    def title(self) -> str:
        """What is paid, for whoever reads no policies; the code of a batch from before names were kept."""
        return self.programme_name or self.programme

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="release_by_another_person", condition=Q(released_by=None) | ~Q(released_by=F("prepared_by"))
            ),
            models.CheckConstraint(
                name="released_batch_is_signed",
                condition=Q(state__in=["prepared", "cancelled"])
                | Q(released_by__isnull=False, signature__isnull=False, released_on__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["roster"], condition=~Q(state__in=["cancelled", "rejected"]), name="roster_one_live_batch"
            ),
        ]


class Instruction(Table):
    """One payment line sent to the bank. Frozen account and amount; at most one live per roster line."""

    table_class = TableClass.BANK
    changeable = ("state", "booked_on", "bank_serial", "failure_code")
    unlogged = ("live",)

    class State(models.TextChoices):
        SENT = "sent", "已送银行"
        PAID = "paid", "已入账"
        RETURNED = "returned", "已退回"
        UNKNOWN = "unknown", "处理中"
        CANCELLED = "cancelled", "已撤销"

    LIVE = ("sent", "paid", "unknown")

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="instructions", db_index=False)
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT, db_index=False)
    division = DivisionField()
    line = models.ForeignKey(RosterLine, on_delete=models.PROTECT, related_name="instructions")
    sequence = models.IntegerField()
    account_enc = SealedField()
    account_hash = models.BinaryField()
    amount_fen = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.SENT)
    booked_on = models.DateField(null=True)
    bank_serial = models.CharField(max_length=40, default="", db_default="")
    failure_code = models.CharField(max_length=10, default="", db_default="")
    # What the index over live instructions names: `state` itself would have it written anew with every answer.
    live = models.GeneratedField(
        expression=Case(When(state__in=LIVE, then=True), default=False),
        output_field=models.BooleanField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line"], condition=Q(live=True), name="line_one_live_instruction"),
            models.UniqueConstraint(fields=["batch", "sequence"], name="instruction_sequence_once"),
            models.CheckConstraint(name="instruction_positive", condition=Q(amount_fen__gt=0)),
        ]


class ResultFile(Table):
    """An answer of the bank as received, and what came of its rows; the same content is taken once.

    `paid_…`, `returned_…`, `unknown_…` are what the file claims. `booked_…` and `back_…` were paid and returned by it, `pending_rows`
    are known to be without a result, `known_rows` told nothing new, `listed_rows` fit nothing of ours and wait for a person;
    null where the answer was taken before that was kept.
    """

    table_class = TableClass.BANK
    taken_before: bool = False  # of what `take_result` returns: this very file was here already

    division = DivisionField()
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="results")
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    sha256 = models.CharField(max_length=64, unique=True)
    file_name = models.CharField(max_length=120)
    reference = models.CharField(max_length=40, default="", db_default="")
    answer_no = models.IntegerField()
    bank_date = models.DateField()
    paid_lines = models.IntegerField()
    paid_fen = models.BigIntegerField()
    returned_lines = models.IntegerField()
    returned_fen = models.BigIntegerField()
    unknown_lines = models.IntegerField()
    unknown_fen = models.BigIntegerField()
    booked_rows = models.IntegerField(null=True)
    booked_fen = models.BigIntegerField(null=True)
    back_rows = models.IntegerField(null=True)
    back_fen = models.BigIntegerField(null=True)
    pending_rows = models.IntegerField(null=True)
    known_rows = models.IntegerField(null=True)
    listed_rows = models.IntegerField(null=True)
    taken_by = models.BigIntegerField()
    taken_on = models.DateField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "answer_no"], name="answer_once"),
            models.UniqueConstraint(fields=["batch", "reference"], condition=~Q(reference=""), name="message_once"),
        ]


class PaymentException(Table):
    """A line that needs a person: returned, unknown, unmatched, duplicate. Never dropped; closed with a reason."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "resolution", "closed_by", "closed_on")

    class Kind(models.TextChoices):
        RETURNED = "returned", "银行退回"
        UNKNOWN = "unknown", "银行处理中"
        UNMATCHED = "unmatched", "回盘行对不上"
        DUPLICATE = "duplicate", "回盘行重复"
        AMOUNT = "amount", "金额不符"
        LATE = "late", "逾期回盘"
        REVERSED = "reversed", "入账后又退回"
        CONFLICT = "conflict", "与先前结果不一致"
        NO_CARD = "no_card", "没有可用账户"
        CHECK = "check", "户名核验未通过"

    division = DivisionField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, null=True)
    line = models.ForeignKey(RosterLine, on_delete=models.PROTECT, null=True, related_name="exceptions")
    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, null=True, related_name="exceptions")
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, null=True)
    result = models.ForeignKey(ResultFile, on_delete=models.PROTECT, null=True)
    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, null=True)
    row_no = models.IntegerField(default=0)
    code = models.CharField(max_length=10, default="")
    reason = models.CharField(max_length=120, default="")
    amount_fen = models.BigIntegerField(default=0)
    state = models.CharField(max_length=6, choices=[("open", "待处理"), ("closed", "已处理")], default="open")
    resolution = models.CharField(max_length=200, default="")
    opened_on = models.DateField()
    due_on = models.DateField()
    closed_by = models.BigIntegerField(null=True)
    closed_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["result", "row_no"], name="exception_of_a_row_once"),
            models.UniqueConstraint(fields=["statement", "row_no"], name="exception_of_an_entry_once"),
            models.UniqueConstraint(
                fields=["entitlement", "kind"], condition=Q(state="open", kind="no_card"), name="no_card_reported_once"
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "due_on"], name="exception_list")]


class Rebooking(Table):
    """Money that came back after it was paid (E05): entered by one, confirmed by another, booked; the due is open again."""

    table_class = TableClass.SUBTREE
    changeable = ("state", "settled_by", "settled_on", "refusal")

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        CONFIRMED = "confirmed", "已入账"
        REFUSED = "refused", "未通过"

    division = DivisionField()
    exception = models.ForeignKey(PaymentException, on_delete=models.PROTECT, related_name="rebookings")
    instruction = models.ForeignKey(Instruction, on_delete=models.PROTECT, related_name="rebookings")
    line = models.ForeignKey(RosterLine, on_delete=models.PROTECT, related_name="rebookings")
    amount_fen = models.BigIntegerField()
    came_back_on = models.DateField()
    basis = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    settled_by = models.BigIntegerField(null=True)
    settled_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["instruction"], condition=~Q(state="refused"), name="rebooked_once"),
            models.CheckConstraint(name="rebooking_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(
                name="rebooking_two_people", condition=Q(settled_by=None) | ~Q(settled_by=F("proposed_by"))
            ),
        ]
