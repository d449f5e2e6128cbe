"""Reads of what goes to banks and comes from them: files, settings, checks; bounded, inside `reading(by)` (PAY-04, PAY-05)."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, Min, OuterRef, QuerySet

from huimin.database.paging import SIZE, Page, cut
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind
from huimin.organisation.queries import live_on
from huimin.payment.models import BankSetting, BankStatement, Batch, ExchangeFile, NameCheck, NameCheckLine

OPEN = "open"
"""As a state: refused, fetched from a bank, and no right file of the same matter taken since."""


@dataclass(frozen=True)
class FileFilter:
    """Which files: what is not empty; a state of ExchangeFile, or OPEN."""

    direction: str = ""
    state: str = ""

    def rows(self) -> "QuerySet[ExchangeFile]":
        rows = ExchangeFile.objects.select_related("bank_office", "batch", "name_check")
        if self.direction:
            rows = rows.filter(direction=self.direction)
        if self.state == OPEN:
            return _still_open(rows)
        return rows.filter(state=self.state) if self.state else rows


def _still_open(rows: "QuerySet[ExchangeFile]") -> "QuerySet[ExchangeFile]":
    """Who uploaded a file saw its refusal at once; one that was fetched waits until a right one came."""
    State = ExchangeFile.State
    right = ExchangeFile.objects.filter(
        direction=ExchangeFile.Direction.IN, state=State.TAKEN, moved_at__gt=OuterRef("moved_at")
    )
    rows = rows.filter(direction=ExchangeFile.Direction.IN, state=State.REFUSED, uploaded_by=None)
    for same in ("batch", "name_check", "file_name"):
        rows = rows.filter(~Exists(right.filter(**{same: OuterRef(same)})))
    return rows


def count_open() -> tuple[int, date | None]:
    """Refused files that somebody has yet to clear with the bank, and the day the first of them came."""
    found = _still_open(ExchangeFile.objects.all()).aggregate(count=Count("id"), first=Min("created_on"))
    return found["count"], found["first"]


def page_files(wanted: FileFilter, place: str = "", size: int = SIZE) -> Page[ExchangeFile]:
    """Newest first."""
    return cut(wanted.rows(), ("-id",), place, size)


def count_files() -> dict[tuple[str, str], int]:
    """(direction, state) → files."""
    rows = ExchangeFile.objects.values("direction", "state").order_by("direction", "state").annotate(count=Count("id"))
    return {(row["direction"], row["state"]): row["count"] for row in rows}


def count_unwritten() -> int:
    """Released batches and checks of accounts whose files nobody has written yet."""
    batches = Batch.objects.filter(state=Batch.State.RELEASED).count()
    return batches + NameCheck.objects.filter(state=NameCheck.State.PREPARED).count()


def count_sent() -> int:
    """Files that went or are to go to banks, in whatever state."""
    return ExchangeFile.objects.filter(direction=ExchangeFile.Direction.OUT).count()


def file_of(batch: Batch) -> ExchangeFile | None:
    """The file a batch went in; None before it was written."""
    return ExchangeFile.objects.filter(batch=batch, direction=ExchangeFile.Direction.OUT).first()


def list_settings(rows_max: int = 200) -> list[BankSetting]:
    """Newest day first, whatever became of them."""
    return list(BankSetting.objects.select_related("bank_office").order_by("-valid_from", "-id")[:rows_max])


def get_setting(number: int) -> BankSetting:
    """BankSetting.DoesNotExist when it is not there or not for the actor."""
    return BankSetting.objects.select_related("bank_office").get(pk=number)


def count_waiting_settings(appointment: int) -> int:
    """Settings that wait for a second person, other than those this appointment proposed."""
    return BankSetting.objects.filter(state=BankSetting.State.PROPOSED).exclude(proposed_by=appointment).count()


def bank_offices(prefix: str, on: date) -> list[Office]:
    """Offices of agent banks in a place."""
    return list(
        Office.objects.filter(live_on(on), kind=OfficeKind.BANK, division__startswith=prefix).order_by("id")[:500]
    )


def list_checks(roster: int) -> list[NameCheck]:
    """Checks of accounts of a roster, newest first."""
    return list(NameCheck.objects.filter(roster=roster).order_by("-id")[:20])


def checks_by_state(check: int) -> dict[str, int]:
    rows = NameCheckLine.objects.filter(check_file=check).values("state").order_by("state").annotate(count=Count("id"))
    return {NameCheckLine.State(row["state"]).label: row["count"] for row in rows}


def list_statements(rows_max: int = 100) -> list[BankStatement]:
    """Newest first."""
    return list(BankStatement.objects.select_related("account").order_by("-id")[:rows_max])
