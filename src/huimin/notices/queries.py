"""Reads of notices, their rows and objections; bounded, paged by key, inside `reading(by)` or a command.

Lists are a `Page` (huimin.database.paging): `place` is the `next` or `previous` of another page, "" for the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from huimin.database.bulk import fetch_one
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.divisions.queries import find_division
from huimin.kernel.digests import digest
from huimin.notices.models import Notice, NoticeRow, Objection, Sheet, SheetPhoto


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


OBJECTIONS = {"open": "待答复", "to_tell": "待告知", "upheld": "成立", "dismissed": "不成立"}


def list_due_objections(
    *, prefix: str = "", place: str = "", size: int = SIZE, about_staff: bool | None = None
) -> Page[Objection]:
    """Open objections with row and notice, the earliest deadline (`due_on`) first."""
    waiting = _within(Objection.objects.filter(state=Objection.State.OPEN), prefix)
    if about_staff is not None:
        waiting = waiting.filter(about_appointment__isnull=not about_staff)
    return cut(waiting.select_related("row", "notice"), ("due_on", "id"), place, size)


def page_objections(standing: str, *, prefix: str = "", place: str = "", size: int = SIZE) -> Page[Objection]:
    """Objections of a standing (OBJECTIONS; "" for all): what waits by deadline, the rest newest first."""
    rows = _within(Objection.objects.select_related("row", "notice"), prefix)
    if standing == "to_tell":
        rows = rows.filter(_UNTOLD)
    elif standing:
        rows = rows.filter(state=standing)
    return cut(rows, ("due_on", "id") if standing == "open" else ("-id",), place, size)


_UNTOLD = Q(anonymous=False, told_on=None) & ~Q(state=Objection.State.OPEN)


def count_due_objections(*, prefix: str = "") -> int:
    """How many objections wait for an answer."""
    return _within(Objection.objects.filter(state=Objection.State.OPEN), prefix).count()


def count_untold(prefix: str) -> int:
    """How many who left a name wait to be told the answer."""
    return _within(Objection.objects.filter(_UNTOLD), prefix).count()


def count_open(subject: str) -> int:
    """Open objections to the notices of a subject, also to those that were withdrawn."""
    return Objection.objects.filter(notice__subject=subject, state=Objection.State.OPEN).count()


def get_sheet(sheet_id: int) -> Sheet:
    """Sheet.DoesNotExist when it is not there or not in the actor's place."""
    return Sheet.objects.get(pk=sheet_id)


def list_notices_on(sheet: Sheet) -> list[Notice]:
    """The notices of a sheet in the order of the paper, each with `waiting`, its open objections."""
    waiting = Count("objections", filter=Q(objections__state=Objection.State.OPEN))
    return list(sheet.notices.annotate(waiting=waiting).order_by("id"))


def list_sheet_rows(sheet: Sheet, rows_max: int) -> list[NoticeRow]:
    """All rows of the paper, notice by notice; `rows_max` + 1 where there are more."""
    return list(NoticeRow.objects.filter(notice__sheet=sheet).order_by("notice", "row_no")[: rows_max + 1])


def sheet_is_whole(sheet: Sheet) -> bool:
    """The stored notices are those the sheet was made of, and each is what was published."""
    from huimin.notices.commands import sheet_digest

    found = list(sheet.notices.order_by("id").values_list("id", "digest"))
    return sheet_digest([told for _, told in found]) == sheet.digest and all(
        recompute_digest(number) == told for number, told in found
    )


def list_photos(sheet: Sheet) -> list[SheetPhoto]:
    return list(sheet.photos.order_by("taken_on", "id"))


def notices_of(subject: str, *, beginning: bool = False) -> list[Notice]:
    """Every notice of a subject (or of all that begin with it) with its sheet, boards from the county down, `photos` of the
    posting and `waiting` counted."""
    posted = Count("sheet__photos", filter=Q(sheet__photos__occasion=SheetPhoto.Occasion.POSTED), distinct=True)
    waiting = Count("objections", filter=Q(objections__state=Objection.State.OPEN), distinct=True)
    rows = Notice.objects.filter(**{"subject__startswith" if beginning else "subject": subject}).select_related("sheet")
    return list(rows.annotate(photos=posted, waiting=waiting).order_by("starts_on", "division", "id")[:200])


@dataclass(frozen=True)
class Hanging:
    """Sheets that want something of a board: without a photo of the posting, or over and not taken down."""

    unphotographed: int
    overdue_down: int
    first_down: date | None


_HANGING = """
SELECT count(*) FILTER (WHERE n.open AND p.n = 0), count(*) FILTER (WHERE NOT n.open), min(s.ends_on) FILTER (WHERE NOT n.open)
FROM notices_sheet s
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE x.state = 'open') > 0 AS open FROM notices_notice x WHERE x.sheet_id = s.id) n
CROSS JOIN LATERAL (SELECT count(*) AS n FROM notices_sheetphoto x WHERE x.sheet_id = s.id AND x.occasion = 'posted') p
WHERE s.taken_down_on IS NULL AND s.division = ANY (%(boards)s)
"""


def count_hanging(boards: Sequence[str]) -> Hanging:
    """Of the boards with these codes; one statement over sheets that hang."""
    return Hanging(*fetch_one(_HANGING, {"boards": list(boards)}))


HANGING = {"bare": "没有张贴照片", "over": "该撤下了", "hanging": "在贴", "down": "已撤下"}


def page_sheets(standing: str, *, prefix: str, place: str = "", size: int = SIZE) -> Page[Sheet]:
    """Sheets of a standing (HANGING; "" for all), by the day they end; each with `bare`, `over` and `waiting`."""
    posted = SheetPhoto.objects.filter(sheet=OuterRef("pk"), occasion=SheetPhoto.Occasion.POSTED)
    still = Notice.objects.filter(sheet=OuterRef("pk"), state=Notice.State.OPEN)
    rows = _within(Sheet.objects.annotate(bare=~Exists(posted), over=~Exists(still)), prefix)
    wanted = {
        "bare": Q(taken_down_on=None, bare=True, over=False), "over": Q(taken_down_on=None, over=True),
        "hanging": Q(taken_down_on=None), "down": Q(taken_down_on__isnull=False),
    }  # fmt: skip
    if standing in wanted:
        rows = rows.filter(wanted[standing])
    return cut(rows, ("-ends_on", "-id") if standing == "down" else ("ends_on", "id"), place, size)


def _within(rows: "QuerySet[Any]", prefix: str) -> "QuerySet[Any]":
    if not prefix:
        return rows
    first, until = scope_of(prefix)
    return rows.filter(division__gte=first, division__lt=until)
