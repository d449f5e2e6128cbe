"""The job that makes the cards: villages are read one after another and set by two processes meanwhile (PAY-07).

in    a run
out   a file and a row for every village; the run ready, older runs of the same place and period forgotten

A village is one transaction: killed at any moment, the next attempt begins with the first village that has no row.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any

from huimin.divisions.queries import list_beneath
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, reading
from huimin.payment.papers.statements import NothingToPrint, gather_statements
from huimin.payment.papers.typesetting import typeset
from huimin.printing import store
from huimin.printing.commands import KIND
from huimin.printing.models import PrintFile, PrintRun

SETTERS = 2
"""Processes that set papers at a time, beside the one that reads; each takes one core and some 300 MB for a large village."""
State = PrintRun.State
Waiting = tuple[str, int, "Future[bytes]"]


def work(by: Actor, job: Job, report: Report) -> str:
    number = job.arguments["run"]
    with reading(by):
        run = PrintRun.objects.get(pk=number)
        villages = _villages(run, job.business_date)
        there = set(run.files.values_list("division", flat=True))
        cards = sum(run.files.values_list("households", flat=True))
    period, done = Period(run.period_from, run.period_until), len(there)
    waiting: deque[Waiting] = deque()
    with ThreadPoolExecutor(SETTERS, thread_name_prefix="setting papers") as setters:
        for village in villages:
            if village in there:
                continue
            waiting.append(_begin(by, village, period, setters))
            while len(waiting) > SETTERS:
                cards, done = cards + _finish(by, job, run, waiting.popleft()), done + 1
            report(f"明白卡 {cards:,} 张"[:40], done, len(villages))
        while waiting:
            cards, done = cards + _finish(by, job, run, waiting.popleft()), done + 1
            report(f"明白卡 {cards:,} 张"[:40], done, len(villages))
    for old in _make_ready(by, job, run):
        store.forget(old)
    return f"{len(villages):,} 个村，明白卡 {cards:,} 张"


def _villages(run: PrintRun, on: date) -> list[str]:
    level = Level.COUNTY if run.division[6:] == "000000" else Level.TOWNSHIP
    return [each.code for each in list_beneath(run.division, level, Level.VILLAGE, on)]


def _begin(by: Actor, village: str, period: Period, setters: ThreadPoolExecutor) -> Waiting:
    """Read the village, and have its cards set by another process."""
    try:
        content, on = gather_statements(by=by, division=village, period=period)
    except NothingToPrint:
        nothing: Future[bytes] = Future()
        nothing.set_result(b"")
        return village, 0, nothing
    return village, len(content["cards"]), setters.submit(_set, content, on)


def _set(content: dict[str, Any], on: date) -> bytes:
    return typeset("statement", content, on=on, mark="成批印制，发户用")


def _finish(by: Actor, job: Job, run: PrintRun, waiting: Waiting) -> int:
    village, households, setting = waiting
    made = setting.result()
    sha256 = store.keep(run.pk, village, made) if households else ""
    with reading(by):
        require_held(job)
        PrintFile.objects.create(run=run, division=village, households=households, size_bytes=len(made), sha256=sha256)
    return households


def _make_ready(by: Actor, job: Job, run: PrintRun) -> list[int]:
    """The run is ready; ids of those it replaces."""
    with reading(by):
        require_held(job)
        older = PrintRun.objects.filter(
            division=run.division, period_from=run.period_from, period_until=run.period_until, state=State.READY
        ).exclude(pk=run.pk)
        replaced = list(older.values_list("pk", flat=True))
        older.update(state=State.REPLACED)
        PrintRun.objects.filter(pk=run.pk).update(state=State.READY, ended_on=job.business_date)
    return replaced


def _ended(job: Job) -> None:
    """Called off or failed: what was made is not offered."""
    PrintRun.objects.filter(pk=job.arguments["run"], state=State.MAKING).update(
        state=State.FAILED, ended_on=job.business_date, failure=job.failure or "已取消"
    )


def register() -> None:
    handles(KIND, "印制明白卡", work, _ended)
