"""Recoveries as pages read them; bounded, paged by key, inside `reading(by)` (PAY-06)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, QuerySet, Sum

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.ledger.models import Voucher
from huimin.ledger.queries import vouchers_of
from huimin.payment.models import Due, Recovery, RecoveryPart, RecoveryReceipt, RecoveryRule, RecoveryWriteOff
from huimin.payment.queries import EXPORT_MAX

ROWS_MAX = 200


@dataclass(frozen=True)
class RecoveryFilter:
    """Which recoveries: what is not empty; `programmes` limits, too."""

    prefix: str
    state: str = ""
    programme: str = ""
    ground: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Recovery]":
        low, high = scope_of(self.prefix)
        rows = Recovery.objects.filter(division__gte=low, division__lt=high)
        if self.programmes is not None:
            rows = rows.filter(programme__in=self.programmes)
        for name in ("state", "programme", "ground"):
            if value := getattr(self, name):
                rows = rows.filter(**{name: value})
        return rows


def page_recoveries(wanted: RecoveryFilter, place: str = "", size: int = SIZE) -> Page[Recovery]:
    """Newest first."""
    return cut(wanted.rows().select_related("household", "person"), ("-id",), place, size)


def iterate_recoveries(wanted: RecoveryFilter) -> Iterator[Recovery]:
    return wanted.rows().select_related("household", "person").order_by("division", "id")[:EXPORT_MAX].iterator(2000)


@dataclass(frozen=True)
class RecoveryTotal:
    state: Recovery.State
    count: int
    amount_fen: int
    outstanding_fen: int


def total_recoveries(wanted: RecoveryFilter) -> list[RecoveryTotal]:
    """By state; one query."""
    rows = wanted.rows().values("state").order_by("state").annotate(
        count=Count("id"), fen=Sum("amount_fen"),
        left=Sum(F("amount_fen") - F("withheld_fen") - F("repaid_fen") - F("written_off_fen")),
    )  # fmt: skip
    return [RecoveryTotal(Recovery.State(row["state"]), row["count"], row["fen"], row["left"]) for row in rows]


@dataclass(frozen=True)
class Told:
    """One recovery with everything that was done about it."""

    row: Recovery
    parts: list[RecoveryPart]
    dues: list[Due]
    receipts: list[RecoveryReceipt]
    write_offs: list[RecoveryWriteOff]

    def vouchers(self) -> list[Voucher]:
        """What was posted of it: the receivable, what came back, what was given up; offsets stand with their batches. One query."""
        number = self.row.pk
        subjects = [f"recovery:{number}:{year}" for year in sorted({part.paid_year for part in self.parts})]
        subjects += [f"receipt:{each.pk}" for each in self.receipts] + [
            f"writeoff:{each.pk}" for each in self.write_offs
        ]
        return vouchers_of(subjects)

    def paid_for(self) -> dict[date, Due]:
        """The first day of each overpaid step -> a due of it that was paid: the way on to the line and the voucher. One query."""
        row, starts = self.row, [part.period_from for part in self.parts]
        paid = Due.objects.filter(
            entitlement__household=row.household_id, entitlement__person=row.person_id, programme=row.programme,
            period_from__in=starts, state=Due.State.PAID,
        ).exclude(kind=Due.Kind.RECOVERY)  # fmt: skip
        return {due.period_from: due for due in paid.order_by("-id")[:ROWS_MAX]}


def get_recovery(number: int) -> Told:
    """Recovery.DoesNotExist when it is not there or not in the actor's place."""
    row = Recovery.objects.select_related("household", "person", "signature", "entitlement").get(pk=number)
    return Told(
        row, list(row.parts.order_by("period_from", "id")[:ROWS_MAX]),
        list(Due.objects.filter(recovery=row).exclude(state=Due.State.WITHDRAWN).order_by("id")[:ROWS_MAX]),
        list(row.receipts.order_by("id")[:ROWS_MAX]), list(row.write_offs.order_by("id")[:ROWS_MAX]),
    )  # fmt: skip


def list_of_household(household: int) -> list[Recovery]:
    return list(Recovery.objects.filter(household=household).order_by("-id")[:ROWS_MAX])


def count_waiting(prefix: str, programmes: tuple[str, ...] | None, not_by: int) -> tuple[int, int]:
    """(how many, 分) proposed by somebody else, to be decided."""
    rows = RecoveryFilter(prefix, Recovery.State.PROPOSED, programmes=programmes).rows().exclude(proposed_by=not_by)
    sums = rows.aggregate(count=Count("id"), fen=Sum("amount_fen", default=0))
    return sums["count"], sums["fen"]


def count_untold(prefix: str, programmes: tuple[str, ...] | None) -> tuple[int, date | None]:
    """How many were decided and not told, and the earliest decision."""
    rows = RecoveryFilter(prefix, Recovery.State.DECIDED, programmes=programmes).rows().filter(told_on=None)
    return rows.count(), rows.order_by("decided_on").values_list("decided_on", flat=True).first()


def list_waiting_by_two(
    prefix: str, model: type[RecoveryReceipt] | type[RecoveryWriteOff]
) -> "list[RecoveryReceipt | RecoveryWriteOff]":
    """Entered and not confirmed, the oldest first."""
    low, high = scope_of(prefix)
    rows = model.objects.filter(state="proposed", division__gte=low, division__lt=high).select_related(
        "recovery__household"
    )
    return list(rows.order_by("id")[:ROWS_MAX])


def list_rules(prefix: str) -> list[RecoveryRule]:
    """Of the county, the newest first."""
    return list(RecoveryRule.objects.filter(division__startswith=prefix[:6]).order_by("-id")[:ROWS_MAX])
