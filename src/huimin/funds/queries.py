"""Reads of allotments, applications and special accounts; inside `reading(by)` or a command. Amounts are whole 分.

Lists are a `Page` (huimin.database.paging): `place` is the `next` or `previous` of another page, "" for the first.
`prefix` is the leading digits of a place; "" for everything the actor sees.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.funds.models import Allotment, FundingApplication, SpecialAccount
from huimin.ledger.chart import DEPOSIT
from huimin.ledger.queries import account_balances

State = FundingApplication.State
LEFT = F("amount_fen") - F("reserved_fen") - F("spent_fen") - F("issued_fen") - F("carried_fen") - F("cut_fen")


def list_allotments(
    *, prefix: str = "", programme: str = "", year: int = 0, place: str = "", size: int = SIZE
) -> Page[Allotment]:
    """Allotments with what is reserved, spent and left (`left_fen`), by programme and year (FUND-01)."""
    wanted = _within(Allotment.objects.all(), prefix)
    wanted = wanted.filter(programme=programme) if programme else wanted
    wanted = wanted.filter(year=year) if year else wanted
    return cut(wanted, ("programme", "year", "id"), place, size)


def list_applications(
    *,
    prefix: str = "",
    state: str = "",
    programme: str = "",
    releasable: bool = False,
    place: str = "",
    size: int = SIZE,
) -> Page[FundingApplication]:
    """Applications, the earliest deadline first, with their allotments.

    `is_applied_late`, `is_transfer_late(on)` flag what missed its day (FUND-03); `releasable` keeps those that are
    reserved and not on their way to the bank.
    """
    wanted = _within(FundingApplication.objects.select_related("allotment"), prefix)
    wanted = wanted.filter(state=state) if state else wanted
    wanted = wanted.filter(programme=programme) if programme else wanted
    if releasable:
        wanted = wanted.filter(~Q(refusal="") | Q(transfer_no=""), state=State.RESERVED)
    return cut(wanted, ("due_on", "id"), place, size)


def get_application(application_id: int) -> FundingApplication:
    """FundingApplication.DoesNotExist when it is not there or not in the actor's place."""
    return FundingApplication.objects.select_related("allotment", "signature").get(pk=application_id)


def find_application(subject: str) -> FundingApplication | None:
    """The live application for the money of `subject`."""
    return FundingApplication.objects.filter(subject=subject).exclude(state=State.WITHDRAWN).first()


def count_applications(*, prefix: str = "", state: str) -> int:
    return _within(FundingApplication.objects.filter(state=state), prefix).count()


@dataclass(frozen=True)
class AccountBalance:
    """A special account, its number masked to the last four, and what its books hold."""

    division: str
    name: str
    account_tail: str
    balance_fen: int


def list_special_accounts(prefix: str) -> list[AccountBalance]:
    """Special accounts of the places of `prefix`, with balances from the ledger; two queries, one row a place."""
    balances = {row.division: row.balance_fen for row in account_balances(prefix, code=DEPOSIT.code)}
    accounts = _within(SpecialAccount.objects.filter(kind=SpecialAccount.Kind.SPECIAL), prefix).order_by("division")
    return [
        AccountBalance(each.division, each.name, each.account_tail, balances.get(each.division, 0)) for each in accounts
    ]


@dataclass(frozen=True)
class Difference:
    """An allotment whose counters are not the sums of its applications."""

    allotment: int
    reserved_fen: int
    spent_fen: int


def recount_allotments() -> list[Difference]:
    """Reserved and spent of each allotment less the sums of its applications, where that is not zero: always empty."""
    rows = fetch(
        "SELECT a.id, a.reserved_fen - coalesce(sum(f.amount_fen) FILTER (WHERE f.state = 'reserved'), 0)::bigint,"
        " a.spent_fen - coalesce(sum(f.amount_fen - f.returned_fen) FILTER (WHERE f.state = 'transferred'), 0)::bigint"
        " FROM funds_allotment a LEFT JOIN funds_fundingapplication f ON f.allotment_id = a.id"
        " GROUP BY a.id ORDER BY a.id"
    )
    return [Difference(*row) for row in rows if row[1:] != (0, 0)]


def left_fen(prefix: str, programme: str, year: int) -> int:
    """What can still be reserved for a programme and year from the allotments of `prefix`."""
    sums = _within(
        Allotment.objects.filter(programme=programme, year=year, state=Allotment.State.IN_FORCE), prefix
    ).aggregate(left=Sum(LEFT, default=0))
    return int(sums["left"])


def _within(rows: "QuerySet[Any]", prefix: str) -> "QuerySet[Any]":
    if not prefix:
        return rows
    first, until = scope_of(prefix)
    return rows.filter(division__gte=first, division__lt=until)
