"""Table classes: who may see and change the rows of a table, declared beside each model (SEC-03, SEC-05).

Every model of ours derives from `Table` and names its class. `huimin.database.security` turns the declarations into
row-level security, grants and the triggers that record changes; a test walks the catalogue and refuses a table
without a class.

    SUBTREE   rows of a place and everything beneath it, for staff
    CHAIN     also seen from below: policies, parameters, allotments
    OPEN      read by everybody signed in: divisions, offices
    BANK      as SUBTREE, and read by the agent bank that the row is meant for
    INSTANCE  technical tables without a place (accounts, sessions); no row-level security, listed with a reason
    LOG       written by triggers only; read as SUBTREE
    PRIVATE   a separate file: read and kept at its place and above, and read and added to by whose account it names
    TRACE     acts: added by everybody signed in, read by staff as SUBTREE, by a bank's login only its own
    ADDRESSED as SUBTREE, and also read and changed where `addressed_column` says: one row of two places, nothing else of either
"""

from enum import Enum
from typing import Any, ClassVar

from django.db import models


class TableClass(Enum):
    SUBTREE = "subtree"
    CHAIN = "chain"
    OPEN = "open"
    BANK = "bank"
    INSTANCE = "instance"
    LOG = "log"
    PRIVATE = "private"
    TRACE = "trace"
    ADDRESSED = "addressed"


class Table(models.Model):
    """A table of ours. Rows are added by the application role; changed only in the columns named here.

    `addable`: whether the application may add rows (seals it may not).
    `changeable`: columns the application may update ("*" for all); empty means rows are written once.
    `removable`: whether the application may delete rows (work in progress only, never business records).
    `recorded`: whether the change log follows it; `unlogged`: columns the log never holds, besides sealed ones.
    `scope_column`: the column that holds the division code; `addressed_column`: the other place of an ADDRESSED row, or "".
    """

    table_class: ClassVar[TableClass]
    addable: ClassVar[bool] = True
    changeable: ClassVar[tuple[str, ...]] = ()
    removable: ClassVar[bool] = False
    scope_column: ClassVar[str] = "division"
    addressed_column: ClassVar[str] = ""
    recorded: ClassVar[bool] = True
    unlogged: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True


class DivisionField(models.CharField):
    """A division code, 12 or 15 digits, compared byte by byte so that prefixes are ranges."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 15)
        kwargs.setdefault("db_collation", "C")
        super().__init__(*args, **kwargs)


class SealedField(models.BinaryField):
    """Bytes made by `huimin.kernel.ciphers`. The change log never holds them, only the hash column beside them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)


class DateRange(models.Func):
    """`daterange(from, until)`, half open, for exclusion constraints."""

    function = "daterange"
    arity = 2
    output_field = models.TextField()
