"""Screening: determine everybody in a place as of a date and propose what should change (DET-01, DET-06, DET-07).

    request_screening ──► job ──► begin ──► snapshot ──► evaluate each programme ──► store       (jobs: who does it, progress)

The work is a job (huimin.jobs): one at a time where places overlap, taken up again when it was killed. Each step is a
transaction of its own and finds what an earlier attempt did: the run is made once a job, a snapshot that was saved is
used again, and all proposals appear at once with the finished run, or not at all. What is determined as it stands in an
open proposal already leaves that proposal untouched; open proposals of the place that are not determined any more are
superseded.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from huimin.database.ahead import ahead, beside
from huimin.divisions.queries import get_division
from huimin.jobs.commands import enqueue
from huimin.jobs.kinds import Report
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level, chain, scope_prefix
from huimin.organisation.acting import Actor, command, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.snapshots import snapshot_columns
from huimin.rules import Programme
from huimin.screening.determining import Determination
from huimin.screening.models import Run
from huimin.screening.reasons import Comparison, Earlier
from huimin.screening.snapshots import Snapshot, SnapshotDamaged, SnapshotMissing, load, open_stored, save
from huimin.screening.storing import store

KIND = "screening"
Granted = Callable[[date], pa.Table]


class NoPolicyInForce(Refusal):
    """No programme is in force at that place on that date."""


@command(Post.COUNTY_OFFICER)
def request_screening(*, by: Actor, on: date, division: str, determination_date: date) -> Job:
    """Ask for a screening; the same one twice is one. Refused outside the place, and while another overlaps."""
    return enqueue(
        by=by, on=on, kind=KIND, division=division, arguments={"determination_date": determination_date.isoformat()}
    )


def carry_out(by: Actor, job: Job, report: Report, granted: Granted) -> Run:
    """Do a job of this kind; returns the finished run.

    `granted` reads what is granted on a date (Snapshot.granted); entitlements lie downstream, so casework passes it in.
    While this thread stores what one programme proposes, another determines the next, and a third saves the snapshot.
    """
    row = begin_run(by=by, on=job.business_date, job=job)
    if row.state == Run.State.FINISHED:
        return row
    report("读取登记", 0, 1)
    with reading(by):
        programmes = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
    if not programmes:
        raise NoPolicyInForce("这一天没有生效的政策", remedy="请先采用政策，或核对认定日期")
    snapshot = _saved(by, row) or _read(by, row, granted)
    with beside(partial(_keep, by, row, job, snapshot)) as keeping, ahead(
        _determined(by, row, snapshot, programmes, report)
    ) as listed:  # fmt: skip
        return store_proposals(
            by=by, on=job.business_date, run_id=row.pk, job=job, snapshot=snapshot,
            versions={law.code: law.version for law in programmes}, listed=_when(keeping, listed),
        )  # fmt: skip


def _when(keeping: Future[None], listed: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables; it ends when the snapshot is kept too, without which a run is not finished."""
    yield from listed
    keeping.result()


@command(Post.COUNTY_OFFICER)
def begin_run(*, by: Actor, on: date, job: Job) -> Run:
    """The run of a job, made by its first attempt."""
    require_held(job)
    found = Run.objects.filter(job=job).first()
    return found or Run.objects.create(
        job=job, division=job.division, determination_date=date.fromisoformat(job.arguments["determination_date"]),
        started_by=by.appointment, started_on=on,
    )  # fmt: skip


def _saved(by: Actor, row: Run) -> Snapshot | None:
    """What an earlier attempt read and saved."""
    if not row.snapshot_sha256:
        return None
    try:
        return load(snapshot_path(row), row.snapshot_sha256)
    except (SnapshotMissing, SnapshotDamaged):
        return None  # nothing rests on it yet: read anew


def _read(by: Actor, row: Run, granted: Granted) -> Snapshot:
    """The registry as it is now."""
    with reading(by):
        added = added_facts(row.division, adopted_book(row.known_at))
        facts = snapshot_columns(row.division, row.determination_date, added=added)
        return Snapshot(*facts, granted(row.determination_date))


def _keep(by: Actor, row: Run, job: Job, snapshot: Snapshot) -> None:
    """Save the snapshot and name it in the run, unless it is there."""
    sha256 = save(snapshot, snapshot_folder())
    if sha256 != row.snapshot_sha256:
        keep_snapshot(by=by, on=job.business_date, run_id=row.pk, job=job, sha256=sha256)


@command(Post.COUNTY_OFFICER)
def keep_snapshot(*, by: Actor, on: date, run_id: int, job: Job, sha256: str) -> None:
    require_held(job)
    Run.objects.filter(pk=run_id).update(snapshot_sha256=sha256, snapshot_file=f"{sha256}.bin")


def snapshot_folder() -> Path:
    return Path(settings.HOME) / "snapshots"


def snapshot_path(row: Run) -> Path:
    return snapshot_folder() / row.snapshot_file


def _determined(
    by: Actor, row: Run, snapshot: Snapshot, programmes: tuple[Programme, ...], report: Report
) -> Iterator[pa.Table]:
    """The proposals of each programme; progress in households times programmes."""
    households = len(snapshot.households)
    total, seen = len(programmes) * households, set[str]()
    report("逐户认定", 0, total)
    for code, table in determination_of(by, row, snapshot, programmes).proposals():
        seen.add(code)
        yield table
        report("逐户认定", len(seen) * households, total)
    report("保存建议", 0, 1)


def place_prefix(row: Run) -> str:
    """What the codes of the run's place begin with."""
    return scope_prefix(row.division, Level(get_division(row.division, row.determination_date).level))


def determination_of(by: Actor, row: Run, snapshot: Snapshot, programmes: Iterable[Programme]) -> Determination:
    """The determination of a run from its snapshot, with reasons found in the runs that what is held rests on."""

    @lru_cache(maxsize=2)
    def find(number: int) -> Earlier | None:
        with reading(by):
            earlier = Run.objects.filter(pk=number).first()
            if earlier is None:
                return None
            laws = adopted_book(earlier.known_at).programmes_in_force(
                chain(earlier.division), earlier.determination_date
            )
        try:
            stored = open_stored(snapshot_path(earlier), earlier.snapshot_sha256)
        except (SnapshotMissing, SnapshotDamaged):
            return None
        return Earlier(stored, earlier.determination_date, {law.code: law for law in laws})

    with reading(by):
        place = place_prefix(row)
    determination = Determination(snapshot, row.determination_date, programmes, place=place)
    determination.explainer = Comparison(snapshot, determination.table, row.determination_date, find)
    return determination


def end_run(job: Job) -> None:
    """The job ended without success, and its run with it; in the same transaction."""
    state = Run.State.CANCELLED if job.state == Job.State.CANCELLED else Run.State.FAILED
    Run.objects.filter(job=job, state=Run.State.RUNNING).update(
        state=state, failure=job.failure or "已取消", finished_at=timezone.now()
    )


@command(Post.COUNTY_OFFICER)
def store_proposals(
    *,
    by: Actor,
    on: date,
    run_id: int,
    job: Job,
    snapshot: Snapshot,
    versions: dict[str, str],
    listed: Iterable[pa.Table],
) -> Run:
    """All proposals of a run and its end, in one transaction; refused when the job is not ours any more.

    The job is held from the last table on and not before: whoever makes the tables reports his progress meanwhile.
    """
    stored = store(run_id, job.prefix, listed)
    require_held(job)
    return finish_run(Run.objects.select_for_update().get(pk=run_id), snapshot, versions, stored)


def finish_run(row: Run, snapshot: Snapshot, versions: dict[str, str], stored: tuple[int, int, str]) -> Run:
    """The step that ends a run whose proposals are stored."""
    row.listed, row.kept, row.listed_sha256 = stored
    row.state = Run.State.FINISHED
    row.households, row.people = len(snapshot.households), len(snapshot.members)
    row.versions = versions
    row.finished_at = timezone.now()
    unsaved = ("failure",) if row.only else ("failure", "snapshot_file", "snapshot_sha256")
    row.save(update_fields=[name for name in Run.changeable if name not in unsaved])
    return row
