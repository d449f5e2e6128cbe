"""How a bank is spoken to, every file that went or came, accounts asked about, and statements (PAY-04, PAY-05).

    BankSetting (dated, two people) ──► Batch, NameCheck ──► ExchangeFile (out) ──► ExchangeFile (in) ──► results

Always true, by the database: a setting is proposed by one person and approved by another; one setting an office and day;
a file of one name and content stands once; an account asked about in one check stands there once. Plain numbers are
sealed here as everywhere; what the bank gets is made from stored rows when it is sent.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, SealedField, Table, TableClass
from huimin.funds.models import SpecialAccount
from huimin.organisation.models import Office


class BankSetting(Table):
    """Which format an office of a bank speaks, over which way, signed how, from a day on; in force once approved.

    Seen from below too: whoever prepares a batch in a township goes by the county's setting.
    """

    table_class = TableClass.CHAIN
    changeable = ("state", "decided_by", "decided_on", "refusal")

    class Route(models.TextChoices):
        FOLDER = "folder", "文件夹交换"
        SFTP = "sftp", "SFTP 传送"

    class Suite(models.TextChoices):
        NONE = "none", "不签名"
        ED25519 = "ed25519", "Ed25519"
        SM2 = "sm2", "SM2（国密）"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待复核"
        APPROVED = "approved", "生效"
        REFUSED = "refused", "已退回"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    valid_from = models.DateField()
    format = models.CharField(max_length=40)
    route = models.CharField(max_length=10, choices=Route.choices, default=Route.FOLDER)
    host = models.CharField(max_length=80, default="")
    port = models.IntegerField(default=22)
    username = models.CharField(max_length=40, default="")
    host_key = models.CharField(max_length=800, default="")
    folder_out = models.CharField(max_length=80, default="")
    folder_in = models.CharField(max_length=80, default="")
    suite = models.CharField(max_length=10, choices=Suite.choices, default=Suite.NONE)
    name_check = models.BooleanField(default=False)
    basis = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.BigIntegerField()
    proposed_on = models.DateField()
    decided_by = models.BigIntegerField(null=True)
    decided_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["bank_office", "valid_from"], condition=Q(state="approved"), name="bank_setting_once"
            ),
            models.UniqueConstraint(fields=["bank_office"], condition=Q(state="proposed"), name="bank_setting_waits"),
            models.CheckConstraint(
                name="bank_setting_by_two", condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by"))
            ),
            models.CheckConstraint(
                name="bank_setting_decided_whole",
                condition=Q(state="proposed", decided_by=None) | Q(decided_by__isnull=False, decided_on__isnull=False),
            ),
            models.CheckConstraint(
                name="bank_setting_sftp_pinned",
                condition=~Q(route="sftp") | ~Q(host="") & ~Q(host_key="") & ~Q(username=""),
            ),
        ]


class NameCheck(Table):
    """Accounts a bank is asked about before money goes to them (户名核验): one file, one answer."""

    table_class = TableClass.BANK
    taken_before: bool = False
    changeable = ("state", "file_sha256", "written_at", "answered_on", "refusal")

    class State(models.TextChoices):
        PREPARED = "prepared", "待送"
        WRITTEN = "written", "已送银行"
        ANSWERED = "answered", "已回盘"
        REJECTED = "rejected", "银行拒收"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    setting = models.ForeignKey(BankSetting, on_delete=models.PROTECT)
    roster = models.ForeignKey("payment.Roster", on_delete=models.PROTECT, related_name="name_checks")
    check_no = models.CharField(max_length=40, unique=True)
    lines_count = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARED)
    asked_by = models.BigIntegerField()
    asked_on = models.DateField()
    answer_due_on = models.DateField()
    file_sha256 = models.CharField(max_length=64, default="")
    written_at = models.DateTimeField(null=True)
    answered_on = models.DateField(null=True)
    refusal = models.CharField(max_length=200, default="")


class NameCheckLine(Table):
    """One account under one name, and what the bank says of it; `right` lets money go there."""

    table_class = TableClass.BANK
    changeable = ("state", "code", "reason", "answered_on")

    class State(models.TextChoices):
        ASKED = "asked", "已送核验"
        RIGHT = "right", "相符"
        WRONG = "wrong", "不符"
        UNKNOWN = "unknown", "没有结果"

    check_file = models.ForeignKey(NameCheck, on_delete=models.PROTECT, related_name="lines", db_index=False)
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    division = DivisionField()
    sequence = models.IntegerField()
    payee = models.ForeignKey("registry.Person", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    account_enc = SealedField()
    account_hash = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    code = models.CharField(max_length=10, default="", db_default="")
    reason = models.CharField(max_length=120, default="", db_default="")
    answered_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["check_file", "sequence"], name="check_line_once"),
            models.UniqueConstraint(fields=["check_file", "account_hash", "name"], name="check_account_once"),
        ]
        indexes = [models.Index(fields=["bank_office", "account_hash", "name", "state"], name="check_account")]


class BankStatement(Table):
    """A statement (camt.053) of one special account as received; opening and entries add up to closing."""

    table_class = TableClass.BANK
    taken_before: bool = False

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT)
    account = models.ForeignKey(SpecialAccount, on_delete=models.PROTECT, related_name="statements")
    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=120)
    reference = models.CharField(max_length=40)
    period_from = models.DateField()
    period_until = models.DateField()
    opening_fen = models.BigIntegerField()
    closing_fen = models.BigIntegerField()
    entries_count = models.IntegerField()
    debit_fen = models.BigIntegerField()
    credit_fen = models.BigIntegerField()
    taken_by = models.BigIntegerField()
    taken_on = models.DateField()
    taken_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sha256"], name="statement_content_once"),
            models.UniqueConstraint(fields=["account", "reference"], name="statement_once"),
            models.CheckConstraint(
                name="statement_adds_up", condition=Q(closing_fen=F("opening_fen") + F("credit_fen") - F("debit_fen"))
            ),
        ]


class ExchangeFile(Table):
    """One file to or from a bank: numbered, how far it is, how often it was tried, what went wrong last.

    What somebody uploaded (`uploaded_by`) is a row of its own for each name, content, outcome and day, `tries` how often it was that
    day; without a bank where its name is of no batch of ours.
    """

    table_class = TableClass.BANK
    changeable = (
        "state", "tries", "last_error", "done_bytes", "moved_at", "confirmed_at", "seen", "sha256", "size_bytes",
    )  # fmt: skip
    unlogged = ("done_bytes",)

    class Direction(models.TextChoices):
        OUT = "out", "送出"
        IN = "in", "取回"

    class State(models.TextChoices):
        WAITING = "waiting", "待送"
        SENT = "sent", "已送"
        CONFIRMED = "confirmed", "已确认"
        FAILED = "failed", "失败"
        TAKEN = "taken", "已收"
        REFUSED = "refused", "拒收"

    division = DivisionField()
    bank_office = models.ForeignKey(Office, on_delete=models.PROTECT, null=True)
    setting = models.ForeignKey(BankSetting, on_delete=models.PROTECT, null=True)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    number = models.IntegerField()
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64, default="")
    size_bytes = models.BigIntegerField(default=0)
    batch = models.ForeignKey("payment.Batch", on_delete=models.PROTECT, null=True, related_name="files")
    name_check = models.ForeignKey(NameCheck, on_delete=models.PROTECT, null=True, related_name="files")
    state = models.CharField(max_length=10, choices=State.choices)
    tries = models.IntegerField(default=0)
    last_error = models.CharField(max_length=300, default="")
    done_bytes = models.BigIntegerField(default=0)
    seen = models.CharField(max_length=80, default="")
    created_on = models.DateField()
    moved_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    uploaded_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bank_office", "direction", "number"], name="exchange_number_once"),
            models.UniqueConstraint(
                fields=["bank_office", "direction", "file_name"],
                condition=Q(uploaded_by=None),
                name="exchange_name_once",
            ),
            models.UniqueConstraint(
                fields=["uploaded_by", "file_name", "sha256", "state", "last_error", "created_on"],
                condition=Q(uploaded_by__isnull=False),
                name="upload_once_a_day",
            ),
            models.CheckConstraint(
                name="exchange_of_a_bank", condition=Q(bank_office__isnull=False) | Q(uploaded_by__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["bank_office", "state"], name="exchange_waiting")]
