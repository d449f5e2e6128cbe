"""The job that makes the papers: villages are read one after another and set by two processes meanwhile (PAY-07, CASE-11).

in    a run of cards or of letters
out   a file and a row for every village; the run ready, older runs of the same place, period and kind forgotten

A village is one transaction: killed at any moment, the next attempt begins with the first village that has no row.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from queue import SimpleQueue
from typing import Any, NamedTuple

from huimin.divisions.queries import list_beneath
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, reading
from huimin.payment.papers.notifying import NoLetters, gather_letters
from huimin.payment.papers.statements import NothingToPrint, gather_statements
from huimin.payment.papers.typesetting import Typesetter
from huimin.printing import store
from huimin.printing.commands import JOBS, Kind
from huimin.printing.models import PrintFile, PrintRun
from huimin.telling.letters import LetterFilter
from huimin.telling.models import Letter

SETTERS = 2
"""Processes that set papers at a time, beside the one that reads; each takes one core and some 300 MB for a large village."""
LETTERS_MAX = 20_000
"""Of one village; nobody binds more."""
State = PrintRun.State
_CALLED_OFF = "要取消，由那个地方办理印制的人或县惠民办经办，在“成批印制”里打开它取消"


class Content(NamedTuple):
    """What a village's file says: its template and content, how many papers it holds, the business date it bears."""

    template: str
    content: dict[str, Any]
    papers: int
    on: date
    mark: str


Waiting = tuple[str, int, "Future[bytes]"]


def work(by: Actor, job: Job, report: Report) -> str:
    number = job.arguments["run"]
    with reading(by):
        run = PrintRun.objects.get(pk=number)
        villages = _villages(run, job.business_date)
        there = set(run.files.values_list("division", flat=True))
        papers = sum(run.files.values_list("households", flat=True))
    done, waiting = len(there), deque[Waiting]()
    name = run.get_kind_display()

    def finish() -> None:
        nonlocal papers, done
        papers, done = papers + _finish(by, job, run, waiting.popleft()), done + 1

    with _setters() as set_one, ThreadPoolExecutor(SETTERS, thread_name_prefix="setting papers") as setters:
        for village in villages:
            if village in there:
                continue
            waiting.append(_begin(by, run, village, lambda found: setters.submit(set_one, found)))
            while len(waiting) > SETTERS:
                finish()
            report(f"{name} {papers:,} 份"[:40], done, len(villages))
        while waiting:
            finish()
            report(f"{name} {papers:,} 份"[:40], done, len(villages))
    for old in _make_ready(by, job, run):
        store.forget(old)
    return f"{len(villages):,} 个村，{name} {papers:,} 份"


def _villages(run: PrintRun, on: date) -> list[str]:
    level = Level.COUNTY if run.division[6:] == "000000" else Level.TOWNSHIP
    return [each.code for each in list_beneath(run.division, level, Level.VILLAGE, on)]


@contextmanager
def _setters() -> Iterator[Callable[[Content], bytes]]:
    """What sets a village's papers, by whichever typesetter is free."""
    free: SimpleQueue[Typesetter] = SimpleQueue()
    every = [Typesetter() for _ in range(SETTERS)]
    for each in every:
        free.put(each)

    def set_one(found: Content) -> bytes:
        typesetter = free.get()
        try:
            return typesetter.set(found.template, found.content, on=found.on, mark=found.mark)
        finally:
            free.put(typesetter)

    try:
        yield set_one
    finally:
        for each in every:
            each.close()


def _begin(by: Actor, run: PrintRun, village: str, submit: Callable[[Content], "Future[bytes]"]) -> Waiting:
    """Read the village, and have its papers set by another process."""
    try:
        found = _READERS[Kind(run.kind)](by, run, village)
    except (NothingToPrint, NoLetters):
        nothing: Future[bytes] = Future()
        nothing.set_result(b"")
        return village, 0, nothing
    return village, found.papers, submit(found)


def _cards(by: Actor, run: PrintRun, village: str) -> Content:
    content, on = gather_statements(by=by, division=village, period=Period(run.period_from, run.period_until))
    return Content("statement", content, len(content["cards"]), on, "成批印制，发户用")


def _letters(by: Actor, run: PrintRun, village: str) -> Content:
    wanted = LetterFilter(
        village, run.asked_on, Letter.State.ISSUED, programmes=tuple(run.programmes) or None,
        issued=Period(run.period_from, run.period_until),
    )  # fmt: skip
    letters = gather_letters(by=by, on=run.asked_on, wanted=wanted, most=LETTERS_MAX)
    content = {"title": "告知书", "issuer": by.office_name, "letters": letters}
    return Content("notify", content, len(letters), run.asked_on, "成批印制，送达用")


_READERS = {Kind.CARDS: _cards, Kind.LETTERS: _letters}


def _finish(by: Actor, job: Job, run: PrintRun, waiting: Waiting) -> int:
    village, papers, setting = waiting
    made = setting.result()
    sha256 = store.keep(run.pk, village, made) if papers else ""
    with reading(by):
        require_held(job)
        PrintFile.objects.create(run=run, division=village, households=papers, size_bytes=len(made), sha256=sha256)
    return papers


def _make_ready(by: Actor, job: Job, run: PrintRun) -> list[int]:
    """The run is ready; ids of those it replaces."""
    with reading(by):
        require_held(job)
        older = PrintRun.objects.filter(
            kind=run.kind, programmes=run.programmes, division=run.division, period_from=run.period_from,
            period_until=run.period_until, state=State.READY,
        ).exclude(pk=run.pk)  # fmt: skip
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
    handles(JOBS[Kind.CARDS], "印制明白卡", work, _ended, _CALLED_OFF)
    handles(JOBS[Kind.LETTERS], "印制告知书", work, _ended, _CALLED_OFF)
