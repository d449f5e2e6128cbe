"""Ask for the cards of a place, and take the file of a village (PAY-07)."""

from datetime import date

from huimin.audit.models import Event
from huimin.divisions.queries import get_division, list_beneath
from huimin.jobs.commands import enqueue
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, command, record_event, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.printing import store
from huimin.printing.models import PrintFile, PrintRun

KIND = "statements"
ASKERS = (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.COUNTY_OFFICER)
READERS = (*ASKERS, Post.TOWNSHIP_HEAD, Post.INFORMATION_OFFICER, Post.SUPERVISOR)
State = PrintRun.State


class Making(BadInput):
    """The same run is under way."""


refused_by_constraint("print_run_alone", Making, "这里这一期的明白卡正在制作", "请等它做完")


@command(*ASKERS)
def request_cards(*, by: Actor, on: date, division: str, period: Period) -> PrintRun:
    """One PDF a village for a township or county, made in the background; the run under way when it was asked before."""
    require_place(by, division)
    place = get_division(division, on)
    if place.level not in (Level.TOWNSHIP, Level.COUNTY):
        raise BadInput("成批制作按乡镇或县", where="地方", remedy="一个村的，在明白卡页面直接下载")
    running = PrintRun.objects.filter(
        division=division, period_from=period.start, period_until=period.until, state=State.MAKING
    ).first()
    if running is not None:
        return running
    villages = list_beneath(division, Level(place.level), Level.VILLAGE, on)
    run = PrintRun.objects.create(
        division=division, period_from=period.start, period_until=period.until, villages=len(villages),
        asked_by=by.appointment, asked_on=on,
    )  # fmt: skip
    enqueue(by=by, on=on, kind=KIND, division=division, arguments={"run": run.pk})
    return run


@command(*READERS)
def take_cards(*, by: Actor, on: date, file_id: int) -> tuple[PrintFile, bytes]:
    """The PDF of a village; who took it is remembered. PaperMissing."""
    row = PrintFile.objects.select_related("run").filter(pk=file_id).first()
    if row is None or not row.households:
        raise BadInput("没有这份明白卡", where="文件", remedy="请从列表进入")
    content = store.take(row.run_id, row.division, row.sha256)
    record_event(
        by, Event.Kind.EXPORTED, f"statements:{row.division}", {"run": row.run_id, "households": row.households}
    )
    return row, content
