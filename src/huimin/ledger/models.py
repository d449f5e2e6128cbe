"""The books: double entry by construction, posted in the transaction of the event (LED-01, LED-02).

Every line carries its debit and its credit account and one amount, so a set of lines always balances. Lines and
vouchers are never changed or removed (the application may not); a mistake is met by a red voucher and a new one.
Triggers (migrations 0002 and 0004) number vouchers without gaps, and refuse a line in a closed month, an account the
event does not move, a voucher that is not whole, an overdrawn account, a month that closes with an unreviewed voucher.

    ManualVoucher ──approved──► Voucher ──► LedgerLine ──trigger──► Turnover ──month closed──► MonthBalance
                     events ──►    │ └ VoucherReview, VoucherScan
"""

from datetime import date

from django.db import models
from django.db.models import F, Q

from huimin.audit.models import Signature
from huimin.database.tables import DivisionField, Table, TableClass


class LedgerAccount(Table):
    """An account (科目) in the books of a place."""

    table_class = TableClass.SUBTREE

    class Kind(models.TextChoices):
        ASSET = "asset", "资产"
        LIABILITY = "liability", "负债"
        FUND = "fund", "净资产"
        EXPENSE = "expense", "支出"

    division = DivisionField()
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["division", "code"], name="ledger_account_once")]


class MonthClose(Table):
    """A closed month (its first day) of one place's books; no line may be dated in or before it.

    With it the reconciliation with the bank: what the bank's statement says, what the books say, and what explains the
    difference (未达账项); both sides are equal after that. `in_transit` lists what is on its way, as [account, number of the
    batch, programme, 分]. Signed over `digest`.
    """

    table_class = TableClass.CHAIN

    division = DivisionField()
    month = models.DateField()
    closed_by = models.BigIntegerField()
    closed_on = models.DateField()
    bank_fen = models.BigIntegerField(default=0)
    book_fen = models.BigIntegerField(default=0)
    bank_adjust_fen = models.BigIntegerField(default=0)
    book_adjust_fen = models.BigIntegerField(default=0)
    items = models.JSONField(default=list)
    in_transit_fen = models.BigIntegerField(default=0)
    in_transit = models.JSONField(default=list)
    vouchers_count = models.IntegerField(default=0)
    turnover_fen = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "month"], name="month_closed_once"),
            models.CheckConstraint(name="month_close_names_a_first_day", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="month_close_agrees_with_bank",
                condition=Q(bank_fen=F("book_fen") + F("book_adjust_fen") - F("bank_adjust_fen")),
            ),
        ]


class ManualVoucher(Table):
    """A voucher no event makes by itself: proposed by one person, approved by another, then posted (listed kinds only).

    `lines` are [debit, credit, 分, programme, reference]; a reversal has none, it is the mirror of its `original`.
    """

    table_class = TableClass.SUBTREE
    changeable = ("state", "decided_by", "decided_on", "refusal", "signature")

    class Kind(models.TextChoices):
        REVERSAL = "reversal", "红字冲销"
        CORRECTION = "correction", "冲销并更正"
        RECLASSIFIED = "reclassified", "项目间调整"
        WRITTEN_OFF = "written_off", "核销追回款"
        INTEREST = "interest", "利息收入"
        OPENING = "opening", "期初余额"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审定"
        APPROVED = "approved", "已记账"
        REFUSED = "refused", "不予记账"

    division = DivisionField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    summary = models.CharField(max_length=160)
    reason = models.CharField(max_length=200)
    authority = models.CharField(max_length=120, default="")
    original = models.ForeignKey("Voucher", on_delete=models.PROTECT, null=True, related_name="corrections")
    lines = models.JSONField(default=list)
    amount_fen = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="manual_decided_by_another",
                condition=Q(state="proposed", decided_by=None)
                | Q(decided_by__isnull=False, decided_on__isnull=False) & ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="manual_of_a_voucher",
                condition=Q(kind__in=["reversal", "correction"], original__isnull=False)
                | ~Q(kind__in=["reversal", "correction"]) & Q(original=None),
            ),
            models.CheckConstraint(
                name="manual_written_off_with_authority", condition=~Q(kind="written_off") | ~Q(authority="")
            ),
            models.UniqueConstraint(fields=["original"], condition=~Q(state="refused"), name="voucher_corrected_once"),
            models.UniqueConstraint(
                fields=["division", "digest"], condition=Q(state="proposed"), name="manual_proposed_once"
            ),
        ]
        indexes = [models.Index(fields=["division", "state", "id"], name="manual_list")]


class Voucher(Table):
    """One event in the books (凭证); the same event is posted once. Its lines add up to `amount_fen`.

    `word`, `month` and `number` (记字第 N 号 of a month) are given by the database when it is posted. A red voucher
    (`reverses`) has the lines of the other with the signs turned; what takes its place is its next `edition`.
    """

    table_class = TableClass.SUBTREE

    class Event(models.TextChoices):
        FUNDS_RECEIVED = "funds_received", "拨入专款"
        FUNDS_ISSUED = "funds_issued", "拨出专款"
        RETURNED_UP = "returned_up", "缴回上级"
        RETURNED_BELOW = "returned_below", "下级缴回"
        SENT = "sent", "发放在途"
        PAID = "paid", "专款支出"
        RETURNED = "returned", "退汇"
        RETURN_REPORTED = "return_reported", "退汇在途"
        PAID_BACK = "paid_back", "发放后退回"
        SENT_DIRECT = "sent_direct", "国库直接支付"
        RETURNED_DIRECT = "returned_direct", "直接支付退回"
        RECOVERY_RAISED = "recovery_raised", "应收追回款"
        RECOVERED = "recovered", "收回追回款"
        RECOVERY_OFFSET = "recovery_offset", "抵扣追回款"
        WRITTEN_OFF = "written_off", "核销追回款"
        CARRIED_OVER = "carried_over", "年终结转"
        RECLASSIFIED = "reclassified", "项目间调整"
        INTEREST = "interest", "利息收入"
        OPENING = "opening", "期初余额"
        REVERSAL = "reversal", "红字冲销"

    division = DivisionField()
    event = models.CharField(max_length=20, choices=Event.choices)
    subject = models.CharField(max_length=80)
    edition = models.SmallIntegerField(default=1, db_default=1)
    summary = models.CharField(max_length=160)
    occurred_on = models.DateField()
    word = models.CharField(max_length=2, db_default="")
    month = models.DateField(db_default=date(1, 1, 1))
    number = models.IntegerField(db_default=0)
    lines_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    posted_by = models.BigIntegerField()
    manual = models.ForeignKey(ManualVoucher, on_delete=models.PROTECT, null=True, related_name="vouchers")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "subject", "edition"], name="voucher_once"),
            models.UniqueConstraint(fields=["division", "word", "month", "number"], name="voucher_number_once"),
            models.CheckConstraint(
                name="voucher_has_lines",
                condition=Q(lines_count__gt=0) & (Q(amount_fen__gt=0) | Q(reverses__isnull=False, amount_fen__lt=0)),
            ),
            models.CheckConstraint(
                name="voucher_by_two_where_by_hand",
                condition=Q(manual__isnull=False)
                | Q(edition=1, reverses=None) & ~Q(event__in=["reversal", "reclassified", "interest", "opening"]),
            ),
            models.CheckConstraint(
                name="voucher_reversal_of_one",
                condition=Q(event="reversal", reverses__isnull=False) | ~Q(event="reversal") & Q(reverses=None),
            ),
        ]
        indexes = [
            models.Index(fields=["division", "occurred_on", "id"], name="voucher_day_book"),
            models.Index(fields=["subject"], name="voucher_of_subject"),
        ]

    @property
    def title(self) -> str:
        """`记字第 12 号`."""
        return f"{self.word}字第 {self.number} 号"


class LedgerLine(Table):
    """One amount from one account to another; negative (red) only where it takes another line back."""

    table_class = TableClass.SUBTREE

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="lines")
    division = DivisionField()
    occurred_on = models.DateField()
    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="debits", db_index=False)
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="credits", db_index=False)
    amount_fen = models.BigIntegerField()
    programme = models.CharField(max_length=40, default="")
    reference = models.CharField(max_length=40, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_line_not_zero", condition=~Q(amount_fen=0)),
            models.CheckConstraint(name="ledger_line_two_accounts", condition=~Q(debit=F("credit"))),
        ]
        indexes = [
            models.Index(fields=["debit", "occurred_on", "id"], name="ledger_line_debits"),
            models.Index(fields=["credit", "occurred_on", "id"], name="ledger_line_credits"),
        ]


class VoucherReview(Table):
    """A second person found a voucher in order (审核): it agrees with its business, or was looked at by itself."""

    table_class = TableClass.SUBTREE

    voucher = models.OneToOneField(Voucher, on_delete=models.PROTECT, related_name="review")
    division = DivisionField()
    matched = models.BooleanField()
    note = models.CharField(max_length=200, default="", db_default="")
    reviewed_by = models.BigIntegerField()
    reviewed_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="review_by_itself_says_why", condition=Q(matched=True) | ~Q(note="")),
        ]


class VoucherScan(Table):
    """A scanned paper behind a voucher (附件): bank slip, approval; the file lies encrypted under its digest."""

    table_class = TableClass.SUBTREE

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="scans")
    division = DivisionField()
    title = models.CharField(max_length=80)
    sheets = models.SmallIntegerField(default=1)
    file_name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=20)
    size_bytes = models.IntegerField()
    sha256 = models.CharField(max_length=64, db_collation="C")
    added_by = models.BigIntegerField()
    added_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voucher", "sha256"], name="voucher_scan_once"),
            models.CheckConstraint(name="voucher_scan_has_sheets", condition=Q(sheets__gt=0)),
        ]


class Turnover(Table):
    """What an account moved on a day under a programme: kept by the database with each posting, by nobody else."""

    table_class = TableClass.SUBTREE
    addable = False

    division = DivisionField()
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="turnovers", db_index=False)
    programme = models.CharField(max_length=40)
    occurred_on = models.DateField()
    debit_fen = models.BigIntegerField()
    credit_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "programme", "occurred_on"], name="turnover_once"),
        ]
        indexes = [models.Index(fields=["division", "occurred_on"], name="turnover_of_place")]


class MonthBalance(Table):
    """Debits less credits of an account under a programme at the end of a closed month: kept by the database."""

    table_class = TableClass.SUBTREE
    addable = False

    division = DivisionField()
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="balances", db_index=False)
    programme = models.CharField(max_length=40)
    month = models.DateField()
    balance_fen = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "programme", "month"], name="month_balance_once"),
        ]
        indexes = [models.Index(fields=["division", "month"], name="month_balance_of_place")]


class QuarterProof(Table):
    """Ledger, bank and rosters compared line for line at a quarter's end, as it was signed (LED-03)."""

    table_class = TableClass.SUBTREE

    division = DivisionField()
    year = models.SmallIntegerField()
    quarter = models.SmallIntegerField()
    batches_count = models.IntegerField()
    lines_count = models.IntegerField()
    ledger_fen = models.BigIntegerField()
    bank_fen = models.BigIntegerField()
    roster_fen = models.BigIntegerField()
    in_transit_fen = models.BigIntegerField()
    differences_count = models.IntegerField()
    note = models.CharField(max_length=300, default="")
    digest = models.CharField(max_length=64)
    signed_by = models.BigIntegerField()
    signed_on = models.DateField()
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "year", "quarter", "digest"], name="quarter_proof_once"),
            models.CheckConstraint(name="quarter_proof_of_a_quarter", condition=Q(quarter__in=[1, 2, 3, 4])),
            models.CheckConstraint(
                name="quarter_proof_differences_told", condition=Q(differences_count=0) | ~Q(note="")
            ),
        ]
