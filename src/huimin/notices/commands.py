"""Put lists before the people and hold them there for the whole period (CASE-06, PAY-02).

in    lists: rows with masked names, a title, a number of days, the level that publishes
out   a frozen notice with its digest on every board of the level and beneath it; the list may go on when `end_notices` returns

Always true when a function of this module returns:

- A notice shows no plain number; its rows, place and period are never changed, and its digest covers them all.
- What a township publishes stands at the township and in the village, what the county publishes at all three.
- A notice ends only after its last day, and never with an open objection (also by triggers, migration 0002).

`publish`, `publish_rows`, `end_notices` and `withdraw_notices` are steps of other rooms' commands and run in their
transaction. They see what `by` sees: call them with an actor whose place holds the whole list. Objections are heard in
`objections`, papers on boards kept in `posting`. Law: S0 A3 art 29–31, A4 art 19; S3 二(一)5.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from huimin.database.bulk import copy_rows, fetch, run, streamed
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level, scope_prefix
from huimin.notices.models import Notice, Objection, SheetPhoto
from huimin.notices.queries import content_of, place_name
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, AlreadyDone, refused_by_constraint

DAYS_MIN = 7


class Row(NamedTuple):
    """One line of a list; `household` where it is about one, so that its relatives keep away from objections to it."""

    division: str
    subject_line: int
    group_name: str
    masked_name: str
    people: int
    quantity: str
    amount_fen: int
    household: int | None = None


@dataclass(frozen=True)
class Listed:
    """What is to be published: of what (`subject`), at which level, for how many full days."""

    subject: str
    programme: str
    title: str
    days: int
    rows: Iterable[Sequence[object]]
    level: Level = Level.VILLAGE


# An identity number, an account, a mobile phone; digits of any script count.
_PLAIN_NUMBER = re.compile(r"\d{17}|(?<!\d)1[3-9]\d{9}(?!\d)")
_PLAIN_MIN = 11
_SPACES = re.compile(r"[\s-]+")


_COLUMNS = [
    ("list_no", "integer"), ("board", "text"), ("number", "integer"), ("subject_line", "bigint"),
    ("group_name", "text"), ("masked_name", "text"), ("people", "smallint"), ("quantity", "text"),
    ("amount_fen", "bigint"), ("household_id", "bigint"),
]  # fmt: skip
_BOARDS = (Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE)


class NoticeStillOpen(Refusal):
    """The period of a notice has not passed."""


class ObjectionOpen(Refusal):
    """An objection waits for its answer."""


class NoticeClosed(Refusal):
    """The notice has ended or was withdrawn."""


class NotPublished(Refusal):
    """There is no notice of this subject (or no such row) in the actor's place."""


class NoPhoto(Refusal):
    """The county wants a photo of the posted sheet, and there is none."""


refused_by_constraint("notice_once", AlreadyDone, "这份名单已在该村公示", "不必重复公示；名单有变请先撤下")
refused_by_constraint("notice_not_ended_early", NoticeStillOpen, "公示期未满，不能结束公示", "请等公示期满")
refused_by_constraint("notice_without_open_objection", ObjectionOpen, "还有异议没有答复", "请审核员先答复异议")
refused_by_constraint("notice_final", NoticeClosed, "公示已经结束或撤下，不能再改", "请刷新后查看")


def publish_rows(
    *, by: Actor, on: date, subject: str, programme: str, title: str, days: int, rows: Iterable[Sequence[object]],
    level: Level = Level.VILLAGE,
) -> list[tuple[int, str]]:  # fmt: skip
    """One list; (notice id, code of its board) by code. See `publish`."""
    return publish(by=by, on=on, lists=[Listed(subject, programme, title, days, rows, level)])


def publish(*, by: Actor, on: date, lists: Sequence[Listed]) -> list[tuple[int, str]]:
    """A notice of every list on every board, rows numbered from 1 in the order given; (notice id, board) by board.

    The day `on` is not counted: `days` full days follow it (at least 7, S0 A4 art 19). A board that has a live notice of
    a subject is refused, so a repeated publication has no second effect. Lists of one title and end that are put up
    together share a sheet on each board; days, digest and objections stay each list's own. Any number of rows and lists
    take the same few statements, and the memory of the largest board.
    """
    assert all(each.days >= DAYS_MIN for each in lists), f"a notice lasts at least {DAYS_MIN} days"
    if not copy_rows("notice_rows_in", _COLUMNS, _under_boards(lists)):
        raise NotPublished("名单是空的，没有可公示的内容", remedy="请先核对名单")
    heads = list(_heads(on, lists))
    sheets = _hang(by, on, heads)
    columns = list(zip(*(_columns(head, sheets) for head in heads), strict=True))
    made = fetch(
        "INSERT INTO notices_notice (division, sheet_id, title, subject, programme, starts_on, ends_on, rows_count,"
        " amount_fen, digest, state, published_by)"
        " SELECT v.division, v.sheet, v.title, v.subject, v.programme, %s, v.ends_on, v.rows_count, v.amount_fen, v.digest,"
        " 'open', %s FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::date[], %s::int[],"
        " %s::bigint[], %s::text[])"
        " AS v (division, sheet, title, subject, programme, ends_on, rows_count, amount_fen, digest)"
        " RETURNING id, division, subject",
        [on, by.appointment, *map(list, columns)],
    )
    _add_rows(heads, {(subject, division): number for number, division, subject in made})
    return sorted(((number, division) for number, division, _ in made), key=lambda item: item[1])


@dataclass(frozen=True)
class _Head:
    """One list on one board."""

    of: Listed
    list_no: int
    board: str
    ends_on: date
    rows_count: int
    amount_fen: int
    digest: str

    @property
    def sheet(self) -> tuple[str, str, str, date]:
        """Heads that are alike in this hang on one paper."""
        return self.board, self.of.programme, self.of.title, self.ends_on


def _under_boards(lists: Sequence[Listed]) -> Iterator[tuple[object, ...]]:
    """Every row of every list under each board it stands on: its village's, and those above it up to the list's level."""
    for list_no, listed in enumerate(lists):
        levels, number = [level for level in _BOARDS if level >= listed.level], 0
        for number, given in enumerate(listed.rows, 1):
            row = Row(*given)  # type: ignore[arg-type]
            if looks_plain(row.group_name) or looks_plain(row.masked_name) or looks_plain(row.quantity):
                raise BadInput("公示的内容里有完整号码", where=f"名单第{number}行", remedy="公示只能使用隐去中间的内容")
            for level in levels:
                yield (list_no, scope_prefix(row.division, level).ljust(12, "0"), number, *row[1:])
        if not number:
            raise NotPublished("名单是空的，没有可公示的内容", remedy="请先核对名单")


_ROWS_IN = """
SELECT list_no, board, subject_line, group_name, masked_name, people, quantity, amount_fen FROM notice_rows_in
ORDER BY list_no, board, number
"""


def _heads(on: date, lists: Sequence[Listed]) -> Iterator[_Head]:
    """What stands on each board, list by list; rows of one board are held at a time."""
    for (list_no, board), rows in groupby(streamed(_ROWS_IN), key=itemgetter(0, 1)):
        listed, lines = lists[list_no], [row[2:] for row in rows]
        ends_on = on + timedelta(days=listed.days)
        made = digest(content_of(board, listed.subject, listed.title, on, ends_on, lines))
        yield _Head(listed, list_no, board, ends_on, len(lines), sum(line[-1] for line in lines), made)


def boards_of(village: str, level: Level) -> set[str]:
    """Codes of the boards on which what a level publishes about a village stands."""
    return {scope_prefix(village, each).ljust(12, "0") for each in _BOARDS if each >= level}


def _hang(by: Actor, on: date, heads: list[_Head]) -> dict[tuple[str, str, str, date], int]:
    """A sheet for every board, title and end; ids by what heads have in common."""
    shared: dict[tuple[str, str, str, date], list[_Head]] = {}
    for head in heads:
        shared.setdefault(head.sheet, []).append(head)
    rows = [
        (*key, len(each), sum(head.rows_count for head in each), sum(head.amount_fen for head in each),
         sheet_digest([head.digest for head in each]))
        for key, each in shared.items()
    ]  # fmt: skip
    made = fetch(
        "INSERT INTO notices_sheet (division, programme, title, posted_on, ends_on, notices_count, rows_count, amount_fen,"
        " digest, posted_by)"
        " SELECT v.division, v.programme, v.title, %s, v.ends_on, v.notices, v.rows_count, v.amount_fen, v.digest, %s"
        " FROM unnest(%s::text[], %s::text[], %s::text[], %s::date[], %s::int[], %s::int[], %s::bigint[], %s::text[])"
        " AS v (division, programme, title, ends_on, notices, rows_count, amount_fen, digest)"
        " RETURNING id, division, programme, title, ends_on",
        [on, by.appointment, *map(list, zip(*rows, strict=True))],
    )
    return {tuple(key): number for number, *key in made}  # type: ignore[misc]


def sheet_digest(digests: Sequence[str]) -> str:
    """Of a sheet: its only list's, or one over those of its lists in their order."""
    return digests[0] if len(digests) == 1 else digest({"notices": list(digests)})


def _columns(head: _Head, sheets: dict[tuple[str, str, str, date], int]) -> tuple[object, ...]:
    listed = head.of
    return (
        head.board, sheets[head.sheet], listed.title, listed.subject, listed.programme, head.ends_on, head.rows_count,
        head.amount_fen, head.digest,
    )  # fmt: skip


def looks_plain(text: str) -> bool:
    """Whether a text holds what looks like a whole identity number, account or phone number."""
    return len(text) >= _PLAIN_MIN and bool(_PLAIN_NUMBER.search(text) or _PLAIN_NUMBER.search(_SPACES.sub("", text)))


_ADD_ROWS = """
INSERT INTO notices_noticerow (notice_id, division, row_no, subject_line, group_name, masked_name, people, quantity, amount_fen,
    household_id)
SELECT n.id, r.board, row_number() OVER (PARTITION BY r.list_no, r.board ORDER BY r.number), r.subject_line, r.group_name,
       r.masked_name, r.people, r.quantity, r.amount_fen, r.household_id
FROM notice_rows_in r JOIN unnest(%s::int[], %s::text[], %s::bigint[]) AS n (list_no, board, id) USING (list_no, board)
ORDER BY n.id, r.number
"""


def _add_rows(heads: list[_Head], notices: dict[tuple[str, str], int]) -> None:
    ids = [notices[head.of.subject, head.board] for head in heads]
    run(_ADD_ROWS, [[head.list_no for head in heads], [head.board for head in heads], ids])


def end_notices(*, by: Actor, on: date, subject: str) -> int:
    """End every open notice of the subject; how many (0 when they had ended before). All or none.

    NoticeStillOpen until the day after the last day of each; ObjectionOpen while any objection is unanswered.
    """
    open_notices = _lock_open(subject)
    if early := [(ends_on, division) for division, ends_on in open_notices if on <= ends_on]:
        ends_on, division = max(early)
        raise NoticeStillOpen(
            f"{place_name(division, on)}的公示到 {ends_on} 止，还没有期满",
            why=f"共 {len(early)} 处公示未满期；张贴当日不计",
            remedy=f"请在 {ends_on + timedelta(days=1)} 及以后办理",
        )
    waiting = Objection.objects.filter(
        notice__subject=subject, notice__state=Notice.State.OPEN, state=Objection.State.OPEN
    )
    if first := waiting.select_related("row").order_by("due_on", "id").first():
        raise ObjectionOpen(
            f"{place_name(first.division, on)}公示第 {first.row.row_no} 行的异议没有答复",
            why=f"共 {waiting.count()} 件异议待答复",
            remedy=f"请审核员在 {first.due_on} 前答复",
        )
    _require_photos(on, subject)
    return _close(by, on, subject, Notice.State.ENDED)


def _require_photos(on: date, subject: str) -> None:
    """Only where the county set it (rules.py)."""
    bare = Notice.objects.filter(subject=subject, state=Notice.State.OPEN, sheet__isnull=False).exclude(
        sheet__in=SheetPhoto.objects.filter(occasion=SheetPhoto.Occasion.POSTED).values("sheet")
    )
    first = bare.order_by("division").first()
    if first is not None and rule_of(first.division).photo_needed:
        raise NoPhoto(
            f"{place_name(first.division, on)}的公示没有张贴照片",
            why=f"县里规定须有照片才能结束公示（{rule_of(first.division).basis}），共 {bare.count()} 处没有",
            remedy="请在公示的页面上传张贴时的照片",
        )


def withdraw_notices(*, by: Actor, on: date, subject: str) -> int:
    """Take down every open notice of the subject; how many. One that has ended stays as it is.

    Objections that are still open stay open and are answered like any other.
    """
    _lock_open(subject)
    return _close(by, on, subject, Notice.State.WITHDRAWN)


def _lock_open(subject: str) -> list[tuple[str, date]]:
    """(division, ends_on) of the open notices, locked by rising id; NotPublished when there never was one."""
    notices = Notice.objects.filter(subject=subject)
    locked = notices.filter(state=Notice.State.OPEN).select_for_update().order_by("id")
    found = list(locked.values_list("division", "ends_on"))
    if not found and not notices.exists():
        raise NotPublished("这份名单没有公示过", why="没有找到它的公示", remedy="请先公示")
    return found


def _close(by: Actor, on: date, subject: str, state: str) -> int:
    open_notices = Notice.objects.filter(subject=subject, state=Notice.State.OPEN)
    return open_notices.update(state=state, ended_on=on, ended_by=by.appointment)
