"""Screening: determine everybody in a place as of a date and propose what should change (DET-01, DET-07).

    open_run ──► snapshot ──► evaluate each programme ──► store_proposals      (a run that dies is marked failed)

Three transactions, so that the progress row can be seen while it works: the run is opened, the work reports progress,
and all proposals appear at once with the finished run. A run that was killed leaves no proposals; the next run in the
same place marks it as not finished. Proposals of earlier runs that nobody has decided are superseded.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from huimin.database.bulk import run
from huimin.divisions.queries import get_division
from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.acting import Actor, AlreadyDone, command, reading, require_place
from huimin.organisation.posts import Post
from huimin.policy.queries import adopted_book
from huimin.registry.snapshots import snapshot_columns
from huimin.registry.transfer import copy_in
from huimin.rules import Programme
from huimin.screening.determining import Determination
from huimin.screening.models import Run
from huimin.screening.snapshots import Snapshot, load, save

Progress = Callable[[str, int, int], None]


class NoPolicyInForce(Refusal):
    """No programme is in force at that place on that date."""


def start_screening(
    *,
    by: Actor,
    on: date,
    division: str,
    determination_date: date,
    granted: Callable[[date], pa.Table],
    progress: Progress = lambda *_: None,
) -> Run:
    """Screen a place; returns the finished run. Refused without the post, outside the place, without policies.

    `granted` reads what is granted on a date (Snapshot.granted); entitlements lie downstream, so casework.commands.screen
    passes it in.
    """
    opened = open_run(by=by, on=on, division=division, determination_date=determination_date)
    try:
        return _work(by, on, opened, granted, progress)
    except BaseException as cause:
        fail_run(by=by, on=on, run_id=opened.pk, failure=type(cause).__name__)
        raise


def _work(by: Actor, on: date, opened: Run, granted: Callable[[date], pa.Table], progress: Progress) -> Run:
    progress("快照", 0, 1)
    with reading(by):
        book = adopted_book(opened.known_at)
        programmes = book.programmes_in_force(chain(opened.division), opened.determination_date)
        facts = snapshot_columns(opened.division, opened.determination_date)
        snapshot = Snapshot(*facts, granted(opened.determination_date))
    if not programmes:
        raise NoPolicyInForce("这一天没有生效的政策", remedy="请先采用政策，或核对认定日期")
    path = snapshot_path(opened)
    sha256 = save(snapshot, path)
    determination = Determination(snapshot, opened.determination_date)
    listed = []
    for number, law in enumerate(programmes, 1):
        listed.append(determination.listed(law, determination.evaluate(law)))
        progress(law.name, number, len(programmes))
        report_progress(by=by, on=on, run_id=opened.pk, done=number, total=len(programmes))
    return store_proposals(
        by=by, on=on, run_id=opened.pk, snapshot=snapshot, file=path.name, sha256=sha256, programmes=programmes,
        listed=pa.concat_tables(listed),
    )  # fmt: skip


def snapshot_path(run_row: Run) -> Path:
    return Path(settings.HOME) / "snapshots" / f"run-{run_row.pk}-{run_row.division}-{run_row.determination_date}.bin"


@command(Post.COUNTY_OFFICER)
def open_run(*, by: Actor, on: date, division: str, determination_date: date) -> Run:
    """Begin a run; one that was left running in the same place is marked as not finished."""
    require_place(by, division)
    Run.objects.filter(division=division, state=Run.State.RUNNING).update(
        state=Run.State.FAILED, failure="上次筛查中断，没有产生建议"
    )
    return Run.objects.create(
        division=division, determination_date=determination_date, started_by=by.appointment, started_on=on
    )


@command(Post.COUNTY_OFFICER)
def report_progress(*, by: Actor, on: date, run_id: int, done: int, total: int) -> None:
    Run.objects.filter(pk=run_id).update(progress_done=done, progress_total=total)


@command(Post.COUNTY_OFFICER)
def fail_run(*, by: Actor, on: date, run_id: int, failure: str) -> None:
    Run.objects.filter(pk=run_id, state=Run.State.RUNNING).update(
        state=Run.State.FAILED, failure=failure[:300], finished_at=timezone.now()
    )


_TYPES = {
    "programme": "text", "version": "text", "division": "text", "household_id": "int8", "person_id": "int8",
    "kind": "text", "amount_fen": "int8", "previous_fen": "int8", "people": "int2", "quantity": "text",
    "failed": "text[]", "missing": "text[]", "facts_digest": "text",
}  # fmt: skip

_STORE = """
INSERT INTO screening_proposal (run_id, programme, version, division, household_id, person_id, kind, amount_fen,
    previous_fen, people, quantity, failed, missing, facts_digest, state)
SELECT %(run)s, programme, version, division, household_id, person_id, kind, amount_fen, previous_fen, people, quantity,
       failed, missing, facts_digest, 'open'
FROM proposal_draft
"""

_SUPERSEDE = """
UPDATE screening_proposal SET state = 'superseded'
WHERE state = 'open' AND run_id <> %(run)s AND division >= %(low)s AND division < %(high)s
"""


@command(Post.COUNTY_OFFICER)
def store_proposals(
    *, by: Actor, on: date, run_id: int, snapshot: Snapshot, file: str, sha256: str, programmes: tuple[Programme, ...],
    listed: pa.Table,
) -> Run:  # fmt: skip
    """All proposals of a run and its end, in one transaction."""
    row = Run.objects.select_for_update().get(pk=run_id)
    copy_in("proposal_draft", _literals(listed), _TYPES)
    if row.state != Run.State.RUNNING:
        raise AlreadyDone("这次筛查已被另一次取代", why="同一地方又开始了新的筛查", remedy="请看新的筛查结果")
    low = scope_prefix(row.division, Level(get_division(row.division, on).level))
    run(_SUPERSEDE, {"run": row.pk, "low": low, "high": low + "~"})
    run(_STORE, {"run": row.pk})
    row.state = Run.State.FINISHED
    row.households, row.people = len(snapshot.households), len(snapshot.members)
    row.snapshot_file, row.snapshot_sha256 = file, sha256
    row.versions = {law.code: law.version for law in programmes}
    row.finished_at = timezone.now()
    row.progress_done = row.progress_total = len(programmes)
    row.save(update_fields=[name for name in Run.changeable if name != "failure"])
    return row


def _literals(listed: pa.Table) -> pa.Table:
    """Lists of names as PostgreSQL writes arrays; names are ids and facts, so that quoting them is enough."""
    for name in ("failed", "missing"):
        texts = ["{" + ",".join(f'"{item}"' for item in items) + "}" for items in listed[name].to_pylist()]
        listed = listed.set_column(listed.column_names.index(name), name, pa.array(texts, pa.string()))
    return listed


_COMPARED = (
    "programme", "version", "household_id", "person_id", "kind", "amount_fen", "previous_fen", "facts_digest",
)  # fmt: skip


def repeat_run(*, by: Actor, run_id: int) -> tuple[int, int]:
    """Determine again from the stored snapshot under the texts of then: (proposals now, differences). DET-07."""
    with reading(by):
        row = Run.objects.get(pk=run_id)
        programmes = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
        stored = set(row.proposals.values_list(*_COMPARED))
    snapshot, sha256 = load(snapshot_path(row))
    if sha256 != row.snapshot_sha256:
        raise Refusal("快照与筛查时的摘要不符", why="文件被改动", remedy="请从备份恢复快照后再复算")
    determination = Determination(snapshot, row.determination_date)
    again: set[tuple[Any, ...]] = set()
    for law in programmes:
        listed = determination.listed(law, determination.evaluate(law))
        again |= set(zip(*(listed[name].to_pylist() for name in _COMPARED), strict=True))
    return len(again), len(again ^ stored)
