"""Screening: determine everybody in a place as of a date and propose what should change (DET-01, DET-07).

    open_run ──► snapshot ──► evaluate each programme ──► store_proposals      (a run that dies is marked failed)

Three transactions, so that the progress row can be seen while it works: the run is opened, the work reports progress,
and all proposals appear at once with the finished run. A run that was killed leaves no proposals; the next run in the
same place marks it as not finished. Proposals of earlier runs that nobody has decided are superseded.
"""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from huimin.database.bulk import copy_rows, run
from huimin.kernel.errors import Refusal
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, command, reading, require_place
from huimin.organisation.posts import Post
from huimin.policy.queries import adopted_book
from huimin.registry.snapshots import snapshot_columns
from huimin.rules import Programme
from huimin.screening.determining import Determination, Listed
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
    listed: list[Listed] = []
    for number, law in enumerate(programmes, 1):
        listed += determination.listed(law, determination.evaluate(law))
        progress(law.name, number, len(programmes))
        report_progress(by=by, on=on, run_id=opened.pk, done=number, total=len(programmes))
    return store_proposals(
        by=by, on=on, run_id=opened.pk, snapshot=snapshot, file=path.name, sha256=sha256, programmes=programmes,
        listed=listed,
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


_COLUMNS = (
    ("programme", "text"), ("version", "text"), ("division", "text"), ("household", "int8"), ("person", "int8"),
    ("kind", "text"), ("amount_fen", "int8"), ("previous_fen", "int8"), ("people", "int2"), ("quantity", "text"),
    ("failed", "text[]"), ("missing", "text[]"), ("facts_digest", "text"),
)  # fmt: skip

_STORE = """
INSERT INTO screening_proposal (run_id, programme, version, division, household_id, person_id, kind, amount_fen,
    previous_fen, people, quantity, failed, missing, facts_digest, state)
SELECT %(run)s, programme, version, division, household, person, kind, amount_fen, previous_fen, people, quantity,
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
    listed: list[Listed],
) -> Run:  # fmt: skip
    """All proposals of a run and its end, in one transaction."""
    row = Run.objects.select_for_update().get(pk=run_id)
    copy_rows("proposal_draft", _COLUMNS, _rows(listed))
    run(_SUPERSEDE, {"run": row.pk, "low": by.prefix, "high": by.prefix + "~"})
    run(_STORE, {"run": row.pk})
    row.state = Run.State.FINISHED
    row.households, row.people = len(snapshot.households), len(snapshot.members)
    row.snapshot_file, row.snapshot_sha256 = file, sha256
    row.versions = {law.code: law.version for law in programmes}
    row.finished_at = timezone.now()
    row.progress_done = row.progress_total = len(programmes)
    row.save(update_fields=[name for name in Run.changeable if name != "failure"])
    return row


def _rows(listed: list[Listed]) -> Iterator[tuple[Any, ...]]:
    for one in listed:
        yield (
            one.programme, one.version, one.division, one.household, one.person, one.kind, one.amount_fen,
            one.previous_fen, one.people, one.quantity, list(one.failed), list(one.missing), one.facts_digest,
        )  # fmt: skip


def repeat_run(*, by: Actor, run_id: int) -> tuple[int, int]:
    """Determine again from the stored snapshot under the texts of then: (proposals now, differences). DET-07."""
    with reading(by):
        row = Run.objects.get(pk=run_id)
        programmes = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
        stored = set(
            row.proposals.values_list(
                "programme", "version", "household", "person", "kind", "amount_fen", "previous_fen", "facts_digest"
            )
        )
    snapshot, sha256 = load(snapshot_path(row))
    if sha256 != row.snapshot_sha256:
        raise Refusal("快照与筛查时的摘要不符", why="文件被改动", remedy="请从备份恢复快照后再复算")
    determination = Determination(snapshot, row.determination_date)
    again = {
        (p.programme, p.version, p.household, p.person, p.kind, p.amount_fen, p.previous_fen, p.facts_digest)
        for law in programmes
        for p in determination.listed(law, determination.evaluate(law))
    }
    return len(again), len(again ^ stored)
