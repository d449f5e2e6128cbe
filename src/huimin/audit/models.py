"""The log: every change of a row, every act worth remembering, the seals over them, and signatures (SEC-05).

`Change` rows are written by triggers (huimin.database.security), never by code. `Event` rows are written by commands:
sign-ins, refusals, looks at plain personal data. A `Seal` closes the records of finished transactions, in the order
(xid, id), and is chained to the seal before it by a keyed hash; the heads are also kept outside the database
(huimin.database.heads). Its parts hold what each record hashed to when it was sealed, so that a tampered record can be
named and not only its seal.
Appointments are plain numbers here, because the room of organisation lies downstream.
"""

from django.db import models
from django.db.models.functions import Now

from huimin.database.tables import DivisionField, Table, TableClass


class Xid8Field(models.Field):
    """PostgreSQL's 64-bit transaction id, set by the database."""

    def db_type(self, connection: object) -> str:
        return "xid8"


class Change(Table):
    """One changed row. `digest` is SHA-256 over the row's JSON without its encrypted columns."""

    table_class = TableClass.LOG

    id = models.BigAutoField(primary_key=True)
    xid = Xid8Field(db_default=models.Func(function="pg_current_xact_id"))
    at = models.DateTimeField(db_default=models.Func(function="clock_timestamp"))
    # Compared as bytes: every change goes into the index.
    table_name = models.CharField(max_length=63, db_collation="C")
    row_key = models.CharField(max_length=64, db_collation="C")
    operation = models.CharField(max_length=1, choices=[("I", "新增"), ("U", "修改"), ("D", "删除"), ("B", "重定基线")])
    division = DivisionField(null=True)
    appointment = models.BigIntegerField(null=True)
    request = models.CharField(max_length=64, default="", db_default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    digest = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["xid", "id"], name="audit_change_order"),
            models.Index(fields=["table_name", "row_key"], name="audit_change_row"),
        ]


class Event(Table):
    """An act that changes no business row but must be remembered."""

    table_class = TableClass.TRACE

    class Kind(models.TextChoices):
        SIGNED_IN = "signed_in", "登录"
        SIGN_IN_REFUSED = "sign_in_refused", "登录被拒"
        SIGNED_OUT = "signed_out", "退出"
        PASSWORD_CHANGED = "password_changed", "修改口令"
        REFUSED = "refused", "操作被拒"
        LOOKED = "looked", "查看完整信息"
        EXPORTED = "exported", "导出"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    at = models.DateTimeField(db_default=Now())
    division = DivisionField()
    appointment = models.BigIntegerField(null=True)
    account = models.BigIntegerField(null=True)
    address = models.GenericIPAddressField(null=True)
    subject = models.CharField(max_length=80, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["division", "-id"], name="audit_event_place")]


class Signature(Table):
    """Who approved what: the digest of the content that was signed, when and from where."""

    table_class = TableClass.SUBTREE

    division = DivisionField()
    act = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    content_digest = models.CharField(max_length=64)
    appointment = models.BigIntegerField()
    signer = models.CharField(max_length=120)
    address = models.GenericIPAddressField(null=True)
    business_date = models.DateField()
    signed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["subject"], name="audit_signature_subject")]


class Seal(Table):
    """Closes the changes with from_xid <= xid < until_xid; `mac` is keyed over content and the seal before."""

    table_class = TableClass.INSTANCE
    addable = False
    recorded = False

    number = models.BigIntegerField(unique=True)
    from_xid = Xid8Field()
    until_xid = Xid8Field()
    changes = models.BigIntegerField()
    content = models.BinaryField()
    previous = models.BinaryField()
    mac = models.BinaryField()
    sealed_at = models.DateTimeField(db_default=Now())


class SealPart(Table):
    """Up to 4,096 records of a seal, in order: 8 bytes of id and 32 of SHA-256 each. The seal's content covers it."""

    table_class = TableClass.INSTANCE
    addable = False
    recorded = False

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="parts", to_field="number", db_index=False)
    part = models.IntegerField()
    leaves = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seal", "part"], name="seal_part_once")]
