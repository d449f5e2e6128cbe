"""Reads of notices, their rows and objections; bounded, paged by key, inside `reading(by)` or a command.

Lists page by the last row's key (`after`), never by offset. `on` is the business date that decides what is overdue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from huimin.database.context import scope_of
from huimin.divisions.queries import find_division
from huimin.kernel.digests import digest
from huimin.notices.models import Notice, NoticeRow, Objection

PAGE_MAX = 200


def place_name(code: str, on: date) -> str:
    """The name a place goes by; its code when it is unknown."""
    found = find_division(code, on)
    return found.name if found else code


def content_of(
    division: str, subject: str, title: str, starts_on: date, ends_on: date, rows: Iterable[Sequence[Any]]
) -> dict[str, Any]:
    """What the digest of a notice covers; `rows` without their numbers, in order, as (subject_line, group_name,
    masked_name, people, quantity, amount_fen)."""
    return {
        "division": division,
        "subject": subject,
        "title": title,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "rows": [[number, *row] for number, row in enumerate(rows, 1)],
    }


def recompute_digest(notice_id: int) -> str:
    """The digest of a notice from its stored rows; equals `Notice.digest` unless somebody altered them."""
    notice = Notice.objects.get(pk=notice_id)
    stored = NoticeRow.objects.filter(notice=notice).order_by("row_no")
    rows = stored.values_list("row_no", "subject_line", "group_name", "masked_name", "people", "quantity", "amount_fen")
    content = content_of(notice.division, notice.subject, notice.title, notice.starts_on, notice.ends_on, ())
    return digest(content | {"rows": [list(row) for row in rows]})


def is_clear(subject: str) -> bool:
    """Whether the list has been before every village for its whole period and no objection is open.

    Withdrawn notices do not count. Sees what the actor sees: ask as the township or above.
    """
    live = Notice.objects.filter(subject=subject).exclude(state=Notice.State.WITHDRAWN)
    counts = live.aggregate(all=Count("id"), ended=Count("id", filter=Q(state=Notice.State.ENDED)))
    waiting = Objection.objects.filter(notice__in=live, state=Objection.State.OPEN)
    return bool(counts["all"]) and counts["all"] == counts["ended"] and not waiting.exists()


def upheld_lines(subject: str) -> list[int]:
    """`subject_line` of the rows with an upheld objection, rising, each once; withdrawn notices do not count."""
    upheld = Objection.objects.filter(notice__subject=subject, state=Objection.State.UPHELD)
    live = upheld.exclude(notice__state=Notice.State.WITHDRAWN)
    return list(live.order_by("row__subject_line").values_list("row__subject_line", flat=True).distinct())


@dataclass(frozen=True)
class NoticeItem:
    """A notice in a list. `may_end_on` is the first day it may end; `objections` counts the open ones."""

    id: int
    division: str
    title: str
    subject: str
    programme: str
    starts_on: date
    ends_on: date
    rows_count: int
    amount_fen: int
    state: str
    digest: str
    objections: int
    on: date

    @property
    def may_end_on(self) -> date:
        return self.ends_on + timedelta(days=1)

    @property
    def overdue(self) -> bool:
        """Past its last day and still not ended."""
        return self.state == Notice.State.OPEN and self.on > self.ends_on

    @property
    def key(self) -> tuple[date, int]:
        """What `after` of the next page takes."""
        return self.ends_on, self.id


def list_notices(
    *,
    on: date,
    prefix: str = "",
    state: str = "",
    programme: str = "",
    subject: str = "",
    after: tuple[date, int] | None = None,
    limit: int = 50,
) -> list[NoticeItem]:
    """Notices of the places that begin with `prefix`, the earliest deadline first; one query."""
    wanted = _within(Notice.objects.all(), prefix)
    for field, value in (("state", state), ("programme", programme), ("subject", subject)):
        wanted = wanted.filter(**{field: value}) if value else wanted
    if after:
        wanted = wanted.filter(Q(ends_on__gt=after[0]) | Q(ends_on=after[0], id__gt=after[1]))
    waiting = Count("objections", filter=Q(objections__state=Objection.State.OPEN))
    fields = [name for name in NoticeItem.__dataclass_fields__ if name not in ("on", "objections")]
    page = wanted.order_by("ends_on", "id").values(*fields, waiting=waiting)[: min(limit, PAGE_MAX)]
    return [NoticeItem(objections=row.pop("waiting"), on=on, **row) for row in page]


def get_notice(notice_id: int) -> Notice:
    """Notice.DoesNotExist when it is not there or not in the actor's place."""
    return Notice.objects.get(pk=notice_id)


def list_rows(notice_id: int, *, after: int = 0, limit: int = 100) -> list[NoticeRow]:
    """Rows with row_no > `after`."""
    rows = NoticeRow.objects.filter(notice=notice_id, row_no__gt=after).order_by("row_no")
    return list(rows[: min(limit, PAGE_MAX)])


def find_row(subject: str, subject_line: int) -> NoticeRow | None:
    """The row that shows this line of the list on a notice that was not withdrawn."""
    rows = NoticeRow.objects.filter(subject_line=subject_line, notice__subject=subject)
    return rows.exclude(notice__state=Notice.State.WITHDRAWN).select_related("notice").first()


def list_objections(subject: str, *, after: int = 0, limit: int = 100) -> list[Objection]:
    """Objections to the notices of a subject with id > `after`, with their rows."""
    found = Objection.objects.filter(notice__subject=subject, id__gt=after).select_related("row", "notice")
    return list(found.order_by("id")[: min(limit, PAGE_MAX)])


def list_due_objections(*, prefix: str = "", after: tuple[date, int] | None = None, limit: int = 50) -> list[Objection]:
    """Open objections, the earliest deadline first, with row and notice; the next page's `after` is (due_on, id)."""
    waiting = _within(Objection.objects.filter(state=Objection.State.OPEN), prefix)
    if after:
        waiting = waiting.filter(Q(due_on__gt=after[0]) | Q(due_on=after[0], id__gt=after[1]))
    return list(waiting.select_related("row", "notice").order_by("due_on", "id")[: min(limit, PAGE_MAX)])


def count_due_objections(*, prefix: str = "") -> int:
    """How many objections wait for an answer."""
    return _within(Objection.objects.filter(state=Objection.State.OPEN), prefix).count()


def _within(rows: "QuerySet[Any]", prefix: str) -> "QuerySet[Any]":
    if not prefix:
        return rows
    first, until = scope_of(prefix)
    return rows.filter(division__gte=first, division__lt=until)
