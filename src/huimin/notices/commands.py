"""Put lists before the village, hold them there for the whole period, and hear objections (CASE-06, PAY-02).

in    rows of a list with masked names, a title, a number of days; objections and their answers
out   one frozen notice per village with its digest; the list may go on when `end_notices` returns

Always true when a function of this module returns:

- A notice shows no plain number; its rows, place and period are never changed, and its digest covers them all.
- A notice ends only after its last day, and never with an open objection (also by triggers, migration 0002).
- Who filed an objection does not answer it. An answer is final.

`publish_rows`, `end_notices` and `withdraw_notices` are steps of other rooms' commands and run in their transaction.
They see what `by` sees: call them with an actor whose place holds the whole list (a township, the county), never a
village. Law: S0 A3 art 29–31, A4 art 19; S3 二(一)5.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta

from huimin.database.bulk import copy_rows, fetch, run
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.notices.models import Notice, NoticeRow, Objection
from huimin.notices.queries import content_of, place_name
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_another
from huimin.organisation.posts import Post

DAYS_MIN = 7
ANSWER_DAYS = 7
ROWS_MAX = 200_000

Row = tuple[str, int, str, str, int, str, int]
"""(division, subject_line, group_name, masked_name, people, quantity, amount_fen)"""

# An identity number, an account, a mobile phone; digits of any script count.
_PLAIN_NUMBER = re.compile(r"\d{17}|(?<!\d)1[3-9]\d{9}(?!\d)")
_SPACES = re.compile(r"[\s-]+")


_COLUMNS = [
    ("notice_id", "bigint"), ("division", "text"), ("row_no", "integer"), ("subject_line", "bigint"),
    ("group_name", "text"), ("masked_name", "text"), ("people", "smallint"), ("quantity", "text"),
    ("amount_fen", "bigint"),
]  # fmt: skip


class NoticeStillOpen(Refusal):
    """The period of a notice has not passed."""


class ObjectionOpen(Refusal):
    """An objection waits for its answer."""


class NoticeClosed(Refusal):
    """The notice has ended or was withdrawn."""


class NotPublished(Refusal):
    """There is no notice of this subject (or no such row) in the actor's place."""


refused_by_constraint("notice_once", AlreadyDone, "这份名单已在该村公示", "不必重复公示；名单有变请先撤下")
refused_by_constraint("notice_not_ended_early", NoticeStillOpen, "公示期未满，不能结束公示", "请等公示期满")
refused_by_constraint("notice_without_open_objection", ObjectionOpen, "还有异议没有答复", "请审核员先答复异议")
refused_by_constraint("notice_final", NoticeClosed, "公示已经结束或撤下，不能再改", "请刷新后查看")
refused_by_constraint("objection_against_open_notice", NoticeClosed, "该公示已不在公示期", "请改为投诉举报")
refused_by_constraint("objection_final", AlreadyDone, "异议已经答复", "请刷新后查看")


def publish_rows(
    *, by: Actor, on: date, subject: str, programme: str, title: str, days: int, rows: Iterable[Row]
) -> list[tuple[int, str]]:
    """One notice per village, rows numbered from 1 in the order given; (notice id, village code) by village.

    The day `on` is not counted: `days` full days follow it (at least 7, S0 A4 art 19). A village that has a live
    notice of this subject is refused, so a repeated publication has no second effect. Five queries, any number of rows.
    """
    assert days >= DAYS_MIN, f"a notice lasts at least {DAYS_MIN} days"
    period = (on, on + timedelta(days=days))
    villages = _by_village(rows)
    heads = [(place, *_totals(lines), _digest(place, subject, title, period, lines)) for place, lines in villages]
    places, counts, amounts, digests = map(list, zip(*heads, strict=True))
    made = fetch(
        "INSERT INTO notices_notice (division, title, subject, programme, starts_on, ends_on, rows_count, amount_fen,"
        " digest, state, published_by)"
        " SELECT v.division, %s, %s, %s, %s, %s, v.rows_count, v.amount_fen, v.digest, 'open', %s"
        " FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::text[]) AS v (division, rows_count, amount_fen, digest)"
        " RETURNING id, division",
        [title, subject, programme, *period, by.appointment, places, counts, amounts, digests],
    )
    _add_rows(villages, {division: number for number, division in made})
    return sorted(((number, division) for number, division in made), key=lambda item: item[1])


def _by_village(rows: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Rows under the village (12 digits) they belong to, villages in order of their codes."""
    villages: dict[str, list[Row]] = {}
    for number, row in enumerate(rows, 1):
        if any(map(looks_plain, (row[2], row[3], row[5]))):
            raise BadInput("公示的内容里有完整号码", where=f"名单第{number}行", remedy="公示只能使用隐去中间的内容")
        villages.setdefault(row[0][:12], []).append(row)
        assert number <= ROWS_MAX, "a list is published township by township"
    if not villages:
        raise NotPublished("名单是空的，没有可公示的内容", remedy="请先核对名单")
    return sorted(villages.items())


def looks_plain(text: str) -> bool:
    """Whether a text holds what looks like a whole identity number, account or phone number."""
    return bool(_PLAIN_NUMBER.search(text) or _PLAIN_NUMBER.search(_SPACES.sub("", text)))


def _totals(lines: list[Row]) -> tuple[int, int]:
    return len(lines), sum(line[6] for line in lines)


def _digest(division: str, subject: str, title: str, period: tuple[date, date], lines: list[Row]) -> str:
    return digest(content_of(division, subject, title, *period, [line[1:] for line in lines]))


def _add_rows(villages: list[tuple[str, list[Row]]], notices: dict[str, int]) -> None:
    numbered = (
        (notices[village], village, row_no, *line[1:])
        for village, lines in villages
        for row_no, line in enumerate(lines, 1)
    )
    copy_rows("notice_rows_in", _COLUMNS, numbered)
    run(
        "INSERT INTO notices_noticerow (notice_id, division, row_no, subject_line, group_name, masked_name, people,"
        " quantity, amount_fen)"
        " SELECT notice_id, division, row_no, subject_line, group_name, masked_name, people, quantity, amount_fen"
        " FROM notice_rows_in ORDER BY notice_id, row_no"
    )


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
    return _close(by, on, subject, Notice.State.ENDED)


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


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def file_objection(*, by: Actor, on: date, row_id: int, text: str) -> Objection:
    """Register what somebody says against a row of an open notice; an answer is due in 7 days (S0 A3 art 29).

    The same text on the same row while it waits is the same objection and changes nothing.
    """
    text = _words(text, "异议内容")
    row = NoticeRow.objects.filter(pk=row_id).first()
    if row is None:
        raise NotPublished("没有找到这一行公示", why="它不在您的辖区内，或不存在", remedy="请从公示页面进入")
    notice = Notice.objects.select_for_update().get(pk=row.notice_id)
    same = Objection.objects.filter(row=row, state=Objection.State.OPEN, text=text).first()
    if same is not None:
        return same
    if notice.state != Notice.State.OPEN:
        raise NoticeClosed(
            f"该公示{notice.get_state_display()}，不再受理异议",
            why=f"公示期到 {notice.ends_on} 止",
            remedy="可作为投诉举报登记",
        )
    return Objection.objects.create(
        row=row,
        notice=notice,
        division=notice.division,
        text=text,
        filed_on=on,
        filed_by=by.appointment,
        due_on=on + timedelta(days=ANSWER_DAYS),
    )


@command(Post.REVIEWER)
def answer_objection(*, by: Actor, on: date, objection_id: int, upheld: bool, answer: str) -> Objection:
    """Close an objection after renewed review, by another person than who filed it; the same answer again changes
    nothing, a different one is AlreadyDone."""
    answer = _words(answer, "答复")
    objection = Objection.objects.select_for_update().filter(pk=objection_id).first()
    if objection is None:
        raise NotPublished("没有找到这件异议", why="它不在您的辖区内，或不存在", remedy="请从异议列表进入")
    require_another(by, objection.filed_by, "登记异议")
    state = Objection.State.UPHELD if upheld else Objection.State.DISMISSED
    if objection.state == Objection.State.OPEN:
        objection.state, objection.answer = state, answer
        objection.answered_on, objection.answered_by = on, by.appointment
        objection.save(update_fields=["state", "answer", "answered_on", "answered_by"])
    elif (objection.state, objection.answer) != (state, answer):
        raise AlreadyDone(
            f"这件异议已答复：{objection.get_state_display()}",
            why=f"{objection.answered_on} 已办结",
            remedy="如有新情况请另行登记",
        )
    return objection


def _words(text: str, field: str) -> str:
    """Text a person wrote, without plain numbers in it."""
    text = text.strip()
    if not text or len(text) > 500:
        raise BadInput(f"{field}要写 1 至 500 个字", where=field, remedy="请补写或改短")
    if looks_plain(text):
        raise BadInput(f"{field}里有完整号码", where=field, why="号码属于个人信息", remedy="请只写姓名和事由")
    return text
