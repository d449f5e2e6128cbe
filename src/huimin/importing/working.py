"""Checking a file and carrying it out: the same steps, the first time undone, the second time kept (REG-03).

in    an Import, in the name of who asks
out   its preview (counts, faults), or its rows in the registry

Small files are done while one waits, larger ones by a job (`./huimin work`) with a bar. Progress is told from a thread
with a connection of its own, because the work itself is one transaction.
"""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import IO

from django.db import connections

from huimin.importing import store
from huimin.importing.adding_up import add_up
from huimin.importing.banks import name_banks
from huimin.importing.building import build, judge
from huimin.importing.commands import (
    KIND_CHECK,
    KIND_RUN,
    fail_import,
    finish,
    keep_check,
    remembered_heads,
    require_running,
)
from huimin.importing.faults import RowFault
from huimin.importing.models import Import
from huimin.importing.places import Places
from huimin.importing.plans import Plan, make_plan
from huimin.importing.reading import open_file
from huimin.importing.rows import Rows, read_rows
from huimin.importing.terms import terms_of
from huimin.jobs.kinds import Report, handles
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, reading
from huimin.registry.commands.merging import MergeReport, merge_population

Progress = Callable[[str, int, int], None]


class NotAllRight(Refusal):
    """Everything or nothing was asked for, and some rows are wrong."""


@dataclass(frozen=True)
class Asked:
    """What to import and how. `only_right` takes the right rows and leaves the wrong ones."""

    place: str
    valid_from: date
    evidence: str
    kind: str = ""
    chosen: dict[str, str] | None = None
    skip_hidden: bool = False
    only_right: bool = False


@dataclass(frozen=True)
class Outcome:
    """`counts` is empty when the plan is not complete."""

    plan: Plan
    counts: dict[str, int]
    faults: list[RowFault]


def quiet(stage: str, done: int, total: int) -> None:
    """Tells nobody."""


def import_file(
    *,
    by: Actor,
    on: date,
    file: IO[bytes],
    name: str,
    asked: Asked,
    rehearse: bool,
    settle: Callable[[dict[str, int], Rows], None] = lambda counts, rows: None,
    progress: Progress = quiet,
) -> Outcome:
    """Read, check, merge. With `rehearse` nothing stays. NotAllRight when all was asked for and some rows are wrong."""
    sheets = open_file(file, name, progress=lambda done, total: progress("读取文件", done >> 10, total >> 10))
    with reading(by):
        places = Places(asked.place, on)
        remembered, terms = remembered_heads(by.office), terms_of(asked.place)
    plan = make_plan(sheets, kind=asked.kind, chosen=asked.chosen, remembered=remembered, terms=terms)
    del sheets
    if not plan.complete:
        return Outcome(plan, {}, [])
    progress("核对内容", 0, 1)
    with reading(by):
        rows = read_rows(plan.laid, plan.mapping, plan.kind, on, places, skip_hidden=asked.skip_hidden, terms=terms)
        if plan.kind == "resources":
            add_up(rows, plan.laid)
        if plan.kind == "cards":
            name_banks(rows, on)
    tables = build(rows)
    counted: dict[str, int] = {}

    def judged(report: MergeReport) -> None:
        counted.update(judge(rows, tables, report))
        if not rehearse:
            _require_right(asked, counted, rows)
            settle(counted, rows)

    report = merge_population(
        by=by, on=on, prefix=places.prefix, households=tables.households, members=tables.members, cards=tables.cards,
        valid_from=asked.valid_from, evidence=asked.evidence, create_households=plan.kind in ("households", "members"),
        heads_required=plan.kind == "members", rehearse=rehearse, settle=judged, progress=progress,
    )  # fmt: skip
    if rehearse:
        judged(report)
    return Outcome(plan, counted | {"left_out": len(plan.left_out())}, rows.faults)


def _require_right(asked: Asked, counts: dict[str, int], rows: Rows) -> None:
    if counts["wrong"] and not asked.only_right:
        first = next((fault for fault in rows.faults if fault.kind == "wrong"), None)
        raise NotAllRight(
            f"有 {counts['wrong']:,} 行有误，一行都没有导入",
            why=str(first) if first else "",
            remedy="请改正后再导入，或选择只导入没有问题的行",
        )


def check(by: Actor, number: int, progress: Progress = quiet) -> Import:
    """The preview of an import, stored with it; a file that cannot be read fails it."""
    row = _row(by, number)
    try:
        outcome = _done(by, row, rehearse=True, progress=progress)
    except Refusal as refusal:
        fail_import(by=by, on=row.uploaded_on, number=number, failure=str(refusal))
        raise
    store.keep_faults(number, outcome.faults, outcome.plan.left_out())
    return keep_check(
        by=by, on=row.uploaded_on, number=number, kind=outcome.plan.kind, heads=outcome.plan.heads,
        mapping=outcome.plan.mapping, counts=outcome.counts, missing=outcome.plan.missing,
    )  # fmt: skip


def carry_out(by: Actor, number: int, on: date, progress: Progress = quiet, job: Job | None = None) -> Import:
    """The import itself: once, whatever is asked twice; refused, it is as if it had not been asked."""
    row = _row(by, number)
    if row.state == Import.State.FINISHED:
        return row

    def settle(counts: dict[str, int], rows: Rows) -> None:
        if job is not None:
            require_held(job)
        finish(by, require_running(by, number), on, counts)

    try:
        outcome = _done(by, row, rehearse=False, progress=progress, settle=settle)
    except Refusal as refusal:
        if job is None or not isinstance(refusal, _LEFT_TO_OTHERS):
            fail_import(by=by, on=on, number=number, failure=str(refusal))
        raise
    store.keep_faults(number, outcome.faults, outcome.plan.left_out())
    if not outcome.faults:
        store.forget_file(number)
    return _row(by, number)


def _row(by: Actor, number: int) -> Import:
    with reading(by):
        return Import.objects.get(pk=number)


def _done(
    by: Actor, row: Import, *, rehearse: bool, progress: Progress,
    settle: Callable[[dict[str, int], Rows], None] = lambda counts, rows: None,
) -> Outcome:  # fmt: skip
    asked = Asked(
        row.division, row.valid_from, row.evidence, row.kind, dict(row.mapping), row.skip_hidden, row.only_right
    )
    with io.BytesIO(store.file_of(row.pk)) as file:
        return import_file(
            by=by, on=row.uploaded_on if rehearse else row.finished_on or row.uploaded_on, file=file, name=row.file_name,
            asked=asked, rehearse=rehearse, settle=settle, progress=progress,
        )  # fmt: skip


@contextmanager
def aside(report: Report) -> Iterator[Progress]:
    """Progress told from another thread, so that it is seen before the transaction ends; a cancelling comes through."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import progress") as thread:
        try:
            yield lambda stage, done, total: thread.submit(report, stage, done, total).result()
        finally:
            thread.submit(connections.close_all).result()


def _check_job(by: Actor, job: Job, report: Report) -> str:
    with aside(report) as progress:
        row = check(by, job.arguments["import"], progress)
    return f"{row.file_name}：{row.get_state_display()}"


def _run_job(by: Actor, job: Job, report: Report) -> str:
    with aside(report) as progress:
        row = carry_out(by, job.arguments["import"], job.business_date, progress, job)
    return f"{row.file_name}：新增 {row.counts.get('new', 0):,} 行，变更 {row.counts.get('changed', 0):,} 行"


def _ended(job: Job) -> None:
    """Called off or failed: the import waits for its sender again."""
    Import.objects.filter(pk=job.arguments["import"], state__in=[Import.State.CHECKING, Import.State.RUNNING]).update(
        state=Import.State.FAILED, failure=job.failure or "已取消，没有导入任何数据"
    )


def _left_to_others() -> tuple[type[Refusal], ...]:
    from huimin.jobs.working import Cancelled, TakenOver

    return Cancelled, TakenOver


_LEFT_TO_OTHERS = _left_to_others()
handles(KIND_CHECK, "核对导入", _check_job, _ended)
handles(KIND_RUN, "导入", _run_job, _ended)
