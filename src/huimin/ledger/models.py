"""The books: double entry by construction, posted in the transaction of the event (LED-01).

Every line carries its debit and its credit account and one positive amount, so a set of lines always balances. Lines
are never changed or removed (the application may not); a mistake is met by a new entry. Triggers (migration 0002)
refuse a line in a closed month, an account the event does not move, a voucher that is not whole, an overdrawn account.
"""

from django.db import models
from django.db.models import F, Q

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
    """A closed month (its first day) of one place's books; no line may be dated in or before it."""

    table_class = TableClass.CHAIN

    division = DivisionField()
    month = models.DateField()
    closed_by = models.BigIntegerField()
    closed_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["division", "month"], name="month_closed_once"),
            models.CheckConstraint(name="month_close_names_a_first_day", condition=Q(month__day=1)),
        ]


class Voucher(Table):
    """One event in the books (凭证); the same event is posted once. Its lines add up to `amount_fen`."""

    table_class = TableClass.SUBTREE

    class Event(models.TextChoices):
        FUNDS_RECEIVED = "funds_received", "拨入专款"
        SENT = "sent", "发放在途"
        PAID = "paid", "专款支出"
        RETURNED = "returned", "退汇"

    division = DivisionField()
    event = models.CharField(max_length=20, choices=Event.choices)
    subject = models.CharField(max_length=80)
    summary = models.CharField(max_length=160)
    occurred_on = models.DateField()
    lines_count = models.IntegerField()
    amount_fen = models.BigIntegerField()
    posted_by = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "subject"], name="voucher_once"),
            models.CheckConstraint(name="voucher_has_lines", condition=Q(lines_count__gt=0, amount_fen__gt=0)),
        ]
        indexes = [models.Index(fields=["division", "occurred_on", "id"], name="voucher_day_book")]


class LedgerLine(Table):
    """One amount from one account to another."""

    table_class = TableClass.SUBTREE

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="lines")
    division = DivisionField()
    occurred_on = models.DateField()
    debit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="credits")
    amount_fen = models.BigIntegerField()
    programme = models.CharField(max_length=40, default="")
    reference = models.CharField(max_length=40, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="ledger_line_positive", condition=Q(amount_fen__gt=0)),
            models.CheckConstraint(name="ledger_line_two_accounts", condition=~Q(debit=F("credit"))),
        ]
