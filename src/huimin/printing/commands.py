"""Ask for the cards or letters of a place, and take the file of a village (PAY-07, CASE-11)."""

from datetime import date

from huimin.audit.models import Event
from huimin.divisions.queries import get_division, list_beneath
from huimin.jobs.commands import call_off, enqueue
from huimin.jobs.models import Job
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPost,
    command,
    record_event,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.printing import store
from huimin.printing.models import PrintFile, PrintRun

Kind = PrintRun.Kind
JOBS = {Kind.CARDS: "statements", Kind.LETTERS: "letter-papers"}
"""The kind of job that makes a kind of papers."""
ASKERS = (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.COUNTY_OFFICER)
READERS = (*ASKERS, Post.TOWNSHIP_HEAD, Post.INFORMATION_OFFICER, Post.SUPERVISOR)
_DEPARTMENT = (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER)
LETTER_ASKERS = (Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER, *_DEPARTMENT)
LETTER_READERS = (*LETTER_ASKERS, Post.TOWNSHIP_HEAD, Post.INFORMATION_OFFICER)
State = PrintRun.State


class Making(BadInput):
    """The same run is under way."""


refused_by_constraint("print_run_alone", Making, "这里这一期的正在制作", "请等它做完")


@command(*ASKERS)
def request_cards(*, by: Actor, on: date, division: str, period: Period) -> PrintRun:
    """One PDF a village for a township or county, made in the background; the run under way when it was asked before."""
    return _request(by, on, Kind.CARDS, division, period, [])


@command(*LETTER_ASKERS)
def request_letter_papers(*, by: Actor, on: date, division: str, period: Period) -> PrintRun:
    """The same of letters that were made in `period` and are not delivered; a department's are of its programmes."""
    return _request(by, on, Kind.LETTERS, division, period, sorted(by.programmes) if by.post in _DEPARTMENT else [])


def _request(by: Actor, on: date, kind: str, division: str, period: Period, programmes: list[str]) -> PrintRun:
    require_place(by, division)
    place = get_division(division, on)
    if place.level not in (Level.TOWNSHIP, Level.COUNTY):
        raise BadInput("成批制作按乡镇或县", where="地方", remedy="一个村的，在明白卡、告知书的页面直接下载")
    running = PrintRun.objects.filter(
        kind=kind, division=division, period_from=period.start, period_until=period.until, state=State.MAKING
    ).first()
    if running is not None and running.programmes == programmes:
        return running
    villages = list_beneath(division, Level(place.level), Level.VILLAGE, on)
    run = PrintRun.objects.create(
        kind=kind, programmes=programmes, division=division, period_from=period.start, period_until=period.until,
        villages=len(villages), asked_by=by.appointment, asked_on=on,
    )  # fmt: skip
    enqueue(by=by, on=on, kind=JOBS[Kind(kind)], division=division, arguments={"run": run.pk})
    return run


@command(*dict.fromkeys((*ASKERS, *LETTER_ASKERS)))
def cancel_run(*, by: Actor, on: date, run_id: int) -> PrintRun:
    """Call off a run of one's own place that is under way: what was made is not offered. Whoever may ask for it may call it off."""
    run = PrintRun.objects.filter(pk=run_id).first()
    if run is None or not seen_by(by, run):
        raise BadInput("没有这次制作", where="成批印制", remedy="请从列表进入")
    if not may_cancel(by, run):
        raise NotYourPost("这个岗位不能取消这次制作", remedy="请由办理印制的岗位取消")
    require_place(by, run.division)
    job = Job.objects.filter(kind=JOBS[Kind(run.kind)], arguments__run=run.pk).order_by("-id").first()
    if job is None or run.state != State.MAKING:
        raise AlreadyDone("这次制作已经结束", remedy="请刷新后查看")
    call_off(by, job.pk)
    run.refresh_from_db()
    return run


def may_cancel(by: Actor, run: PrintRun) -> bool:
    """Whether a page offers it: who may ask for these papers, of a run of his place."""
    asks = by.post in (ASKERS if run.kind == Kind.CARDS else LETTER_ASKERS)
    return asks and run.division.startswith(by.prefix) and seen_by(by, run)


@command(*READERS)
def take_cards(*, by: Actor, on: date, file_id: int) -> tuple[PrintFile, bytes]:
    """The PDF of a village; who took it is remembered. PaperMissing."""
    return _take(by, Kind.CARDS, file_id)


@command(*LETTER_READERS)
def take_letter_papers(*, by: Actor, on: date, file_id: int) -> tuple[PrintFile, bytes]:
    """The same of letters; a department takes those of its programmes only."""
    return _take(by, Kind.LETTERS, file_id)


def _take(by: Actor, kind: str, file_id: int) -> tuple[PrintFile, bytes]:
    row = PrintFile.objects.select_related("run").filter(pk=file_id, run__kind=kind).first()
    if row is None or not row.households or row.run.state == State.FAILED or not seen_by(by, row.run):
        raise BadInput(f"没有这份{Kind(kind).label}", where="文件", remedy="请从列表进入")
    content = store.take(row.run_id, row.division, row.sha256)
    subject = f"statements:{row.division}" if kind == Kind.CARDS else f"letters:{row.division}"
    record_event(by, Event.Kind.EXPORTED, subject, {"run": row.run_id, "households": row.households})
    return row, content


def seen_by(by: Actor, run: PrintRun) -> bool:
    """Whether a run is for `by`: a department sees what is of its programmes and nothing else."""
    return by.post not in _DEPARTMENT or (bool(run.programmes) and set(run.programmes) <= set(by.programmes))
