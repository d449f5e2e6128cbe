"""Who answers for what: 目标责任书 and 包保 of townships, villages, groups and households (ORG-03).

in    a place or household, who answers for it (a cadre, who need not have an account), from when to when; the signed paper
out   Assignments; letters to sign; lists per person and per place; places nobody answers for

Always true: each level assigns what lies beneath it (county → township, township → village, village → group and household);
one person holds one live assignment of a kind for a place; what has ended keeps its row and its reason; a signed paper is
an encrypted file under its digest. Law: 皖政办〔2008〕23号 附件1 第10、11条.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from huimin.audit.models import Event
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.divisions.models import Division
from huimin.divisions.queries import get_division, list_beneath
from huimin.fieldwork.models import Assignment
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPlace,
    command,
    record_event,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.registry.commands.attachments import keep_scan, open_scan
from huimin.registry.commands.facts import locked_household

Kinds, Levels = Assignment.Kind, Assignment.Level
DUTIES = "包宣传发动、包组织实施、包工作指导、包检查验收"
ASSIGNERS = (Post.COUNTY_OFFICER, Post.CLERK, Post.TOWNSHIP_HEAD, Post.INFORMATION_OFFICER)
ENDING_DAYS = 30
_LEVEL_OF = {Level.TOWNSHIP: Levels.TOWNSHIP, Level.VILLAGE: Levels.VILLAGE, Level.GROUP: Levels.GROUP}

refused_by_constraint(
    "assignment_live_once", AlreadyDone, "这个人已经包这个地方（户）", "请在责任清单中查看，或先终止原来的"
)


@dataclass(frozen=True)
class Holder:
    """Who answers: name, position and office as the letter says them."""

    name: str
    title: str
    office: str


@command(*ASSIGNERS)
def assign(
    *, by: Actor, on: date, kind: str, holder: Holder, valid_from: date, division: str = "", household: int | None = None,
    last_day: date | None = None, duties: str = DUTIES, letter_no: str = "",
) -> Assignment:  # fmt: skip
    """`holder` answers for a place beneath the office of `by`, or for a household; up to and with `last_day`."""
    home = locked_household(by, household) if household else None
    place = home.division if home else division
    level = _level(by, place, on, home is not None)
    _require_filled(kind, holder, duties)
    if last_day is not None and last_day < valid_from:
        raise BadInput("终止日期早于开始日期", where="终止日期", remedy="请核对两个日期")
    return Assignment.objects.create(
        division=place, level=level, household=home, kind=kind, holder_name=holder.name.strip()[:40],
        holder_title=holder.title.strip()[:40], holder_office=holder.office.strip()[:80], duties=duties.strip()[:500],
        letter_no=letter_no.strip()[:60], valid_from=valid_from, valid_to=last_day + timedelta(days=1) if last_day else None,
        assigned_by=by.appointment, assigned_on=on,
    )  # fmt: skip


def _level(by: Actor, place: str, on: date, of_household: bool) -> str:
    if not place.isdigit():
        raise BadInput("没有选地方", where="地方", remedy="请从列表选择")
    require_place(by, place)
    found = Level(get_division(place, on).level)
    if of_household:
        return Levels.HOUSEHOLD
    if found <= by.level or found not in _LEVEL_OF:
        raise NotYourPlace("只能指派下一级的责任人", why=f"您的岗位在 {by.office_name}", remedy="请由上一级指派")
    return _LEVEL_OF[found]


def _require_filled(kind: str, holder: Holder, duties: str) -> None:
    if kind not in Kinds.values:
        raise BadInput("没有选种类", where="种类", remedy="请选择目标责任书或包保")
    if len(holder.name.strip()) < 2 or not holder.title.strip() or not holder.office.strip():
        raise BadInput("责任人没有写全", where="责任人", remedy="请写明姓名、职务和单位")
    if len(duties.strip()) < 4:
        raise BadInput("没有写责任内容", where="责任内容", remedy="请写明负责的事项")


@command(*ASSIGNERS)
def end_assignment(*, by: Actor, on: date, assignment: int, last_day: date, reason: str) -> Assignment:
    """From the day after `last_day` somebody else answers, for a reason."""
    row = _live(by, assignment)
    if len(reason.strip()) < 2:
        raise BadInput("没有写终止原因", where="原因", remedy="如：工作调动")
    if last_day < row.valid_from:
        raise BadInput("早于开始日期", where="最后一天", remedy=f"请填写 {row.valid_from} 或以后")
    row.valid_to, row.ended_by, row.ended_on = last_day + timedelta(days=1), by.appointment, on
    row.end_reason = reason.strip()[:200]
    row.save(update_fields=["valid_to", "ended_by", "ended_on", "end_reason"])
    return row


@command(*ASSIGNERS)
def file_signed_letter(*, by: Actor, on: date, assignment: int, signed_on: date, content: bytes) -> Assignment:
    """The scan of the signed paper; a new one takes the place of an earlier, whose file stays."""
    row = _live(by, assignment)
    if not row.assigned_on <= signed_on <= on:
        raise BadInput("签订日期不成立", where="签订日期", why="早于指派或晚于今天", remedy="请照责任书填写")
    row.scan_sha256, row.scan_type = keep_scan(content)
    row.signed_on = signed_on
    row.save(update_fields=["scan_sha256", "scan_type", "signed_on"])
    return row


@command(*ASSIGNERS, Post.REVIEWER, Post.SUPERVISOR)
def read_letter(*, by: Actor, on: date, assignment: int) -> tuple[Assignment, bytes]:
    """The signed paper; the look is recorded."""
    row = Assignment.objects.get(pk=assignment)
    if not row.scan_sha256:
        raise BadInput("还没有上传签字的责任书", where="责任书", remedy="请先上传扫描件")
    record_event(by, Event.Kind.LOOKED, f"assignment:{row.pk}", {"on": on.isoformat()})
    return row, open_scan(row.scan_sha256)


def _live(by: Actor, assignment: int) -> Assignment:
    row = Assignment.objects.select_for_update().filter(pk=assignment).first()
    if row is None:
        raise BadInput("没有这份责任", where="责任", remedy="请从责任清单进入")
    require_place(by, row.division)
    if not may_change(by, row):
        raise NotYourPlace("这份责任由上一级管理", remedy="请由指派的一级办理")
    if row.ended_on is not None:
        raise AlreadyDone(f"这份责任已于 {row.ended_on} 终止", remedy="请刷新后查看")
    return row


def may_change(by: Actor, row: Assignment) -> bool:
    """Who is above the place may end or file its letter: nobody keeps his own."""
    digits = {Levels.TOWNSHIP: 9, Levels.VILLAGE: 12, Levels.GROUP: 15, Levels.HOUSEHOLD: 16}[Levels(row.level)]
    return by.post in ASSIGNERS and int(by.level) < digits and row.division.startswith(by.prefix)


# -- reads, inside reading(by)


@dataclass(frozen=True)
class LetterFilter:
    """Which assignments: beneath `prefix`; level, kind, name beginning; in force on a day, or ending soon, or unsigned."""

    prefix: str
    on: date
    level: str = ""
    kind: str = ""
    name: str = ""
    standing: str = "live"

    def rows(self) -> "QuerySet[Assignment]":
        first, until = scope_of(self.prefix)
        rows = Assignment.objects.filter(division__gte=first, division__lt=until)
        for field in ("level", "kind"):
            if value := getattr(self, field):
                rows = rows.filter(**{field: value})
        if self.name:
            rows = rows.filter(holder_name__startswith=self.name)
        return rows.filter(_STANDING[self.standing](self.on)) if self.standing in _STANDING else rows


def in_force(on: date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def _ending(on: date) -> Q:
    return in_force(on) & Q(valid_to__lte=on + timedelta(days=ENDING_DAYS + 1))


_STANDING = {
    "live": in_force,
    "ending": _ending,
    "unsigned": lambda on: in_force(on) & Q(kind=Kinds.LETTER, signed_on=None),
    "past": lambda on: Q(valid_to__lte=on),
}
STANDINGS = [("live", "在责"), ("ending", "30 天内到期"), ("unsigned", "责任书未签"), ("past", "已到期或终止")]


def page_letters(wanted: LetterFilter, place: str = "", size: int = SIZE) -> Page[Assignment]:
    """By place; a person's own list is the same with his name."""
    return cut(wanted.rows().select_related("household"), ("division", "id"), place, size)


def iterate_letters(wanted: LetterFilter) -> Iterator[Assignment]:
    return wanted.rows().select_related("household").order_by("division", "id")[:100_000].iterator(2000)


def count_by_person(wanted: LetterFilter, rows_max: int = 500) -> list[dict[str, Any]]:
    """Who answers for how many townships, villages, groups and households; the most first."""
    rows = wanted.rows().values("holder_name", "holder_title", "holder_office").order_by("holder_name")
    counts = {level: Count("pk", filter=Q(level=level)) for level in Levels.values}
    return list(rows.annotate(all=Count("pk"), **counts).order_by("-all", "holder_name")[:rows_max])


def list_gaps(by: Actor, level: Level, on: date, prefix: str = "") -> list[Division]:
    """Townships or villages in one's place that nobody answers for on the day."""
    first, until = scope_of(prefix or by.prefix)
    held = Assignment.objects.filter(in_force(on), division__gte=first, division__lt=until, level=_LEVEL_OF[level])
    covered = set(held.values_list("division", flat=True))
    beneath = list_beneath(by.division, by.level, level, on)
    return [each for each in beneath if each.code not in covered and each.code.startswith(prefix or by.prefix)]


def any_assigned() -> bool:
    """Whether anybody was assigned in one's place yet: before that, gaps would be everything."""
    return Assignment.objects.exists()


def list_answering(household: int, division: str, on: date) -> list[Assignment]:
    """Who answers for a household: for itself, its group, village and township, as far as one sees."""
    places = [division, division[:12], division[:9] + "000"]
    rows = Assignment.objects.filter(in_force(on)).filter(
        Q(household=household) | Q(household=None, division__in=places)
    )
    return list(rows.order_by("-division", "id")[:10])
