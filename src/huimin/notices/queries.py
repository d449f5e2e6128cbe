"""Reads of notices, their rows and objections; bounded, paged by key, inside `reading(by)` or a command.

Lists are a `Page` (huimin.database.paging): `place` is the `next` or `previous` of another page, "" for the first.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.divisions.queries import find_division
from huimin.kernel.digests import digest
from huimin.notices.models import Notice, NoticeRow, Objection


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


def list_notices(
    *, prefix: str = "", state: str = "", programme: str = "", subject: str = "", place: str = "", size: int = SIZE
) -> Page[Notice]:
    """Notices of the places that begin with `prefix`, the earliest deadline first; one query.

    Each carries `waiting`, the number of its open objections; `may_end_on` and `is_overdue(on)` tell its deadline.
    """
    wanted = _within(Notice.objects.all(), prefix)
    for field, value in (("state", state), ("programme", programme), ("subject", subject)):
        wanted = wanted.filter(**{field: value}) if value else wanted
    waiting = Count("objections", filter=Q(objections__state=Objection.State.OPEN))
    return cut(wanted.annotate(waiting=waiting), ("ends_on", "id"), place, size)


def get_notice(notice_id: int) -> Notice:
    """Notice.DoesNotExist when it is not there or not in the actor's place."""
    return Notice.objects.get(pk=notice_id)


def list_rows(notice_id: int, *, place: str = "", size: int = 100) -> Page[NoticeRow]:
    """The rows in their order."""
    return cut(NoticeRow.objects.filter(notice=notice_id), ("row_no",), place, size)


def find_row(subject: str, subject_line: int) -> NoticeRow | None:
    """The row that shows this line of the list on a notice that was not withdrawn."""
    rows = NoticeRow.objects.filter(subject_line=subject_line, notice__subject=subject)
    return rows.exclude(notice__state=Notice.State.WITHDRAWN).select_related("notice").first()


def list_objections(subject: str, *, place: str = "", size: int = SIZE) -> Page[Objection]:
    """Every objection to the notices of a subject, with row and notice, the first filed first."""
    found = Objection.objects.filter(notice__subject=subject).select_related("row", "notice")
    return cut(found, ("id",), place, size)


def list_due_objections(*, prefix: str = "", place: str = "", size: int = SIZE) -> Page[Objection]:
    """Open objections with row and notice, the earliest deadline (`due_on`) first."""
    waiting = _within(Objection.objects.filter(state=Objection.State.OPEN), prefix)
    return cut(waiting.select_related("row", "notice"), ("due_on", "id"), place, size)


def count_due_objections(*, prefix: str = "") -> int:
    """How many objections wait for an answer."""
    return _within(Objection.objects.filter(state=Objection.State.OPEN), prefix).count()


def _within(rows: "QuerySet[Any]", prefix: str) -> "QuerySet[Any]":
    if not prefix:
        return rows
    first, until = scope_of(prefix)
    return rows.filter(division__gte=first, division__lt=until)
