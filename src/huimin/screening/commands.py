"""Screening: determine everybody in a place as of a date and propose what should change (DET-01, DET-06, DET-07).

    request_screening ──► job ──► begin ──► snapshot ──► evaluate each programme ──► store       (jobs: who does it, progress)

The work is a job (huimin.jobs): one at a time where places overlap, taken up again when it was killed. Each step is a
transaction of its own and finds what an earlier attempt did: the run is made once a job, a snapshot that was saved is
used again, and all proposals appear at once with the finished run, or not at all. What is determined as it stands in an
open proposal already leaves that proposal untouched; open proposals of the place that are not determined any more are
superseded.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.utils import timezone

from huimin.database.bulk import fetch_one, run
from huimin.jobs.commands import enqueue
from huimin.jobs.kinds import Report
from huimin.jobs.models import Job
from huimin.jobs.working import require_held
from huimin.kernel.errors import Refusal
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, command, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.snapshots import snapshot_columns
from huimin.registry.transfer import copy_in
from huimin.rules import Programme
from huimin.rules.engine import in_order_of_asking
from huimin.screening.determining import COLUMNS, Determination
from huimin.screening.models import Run
from huimin.screening.reasons import Comparison, Earlier
from huimin.screening.snapshots import Snapshot, SnapshotDamaged, SnapshotMissing, load, save

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
    """
    row = begin_run(by=by, on=job.business_date, job=job)
    if row.state == Run.State.FINISHED:
        return row
    report("读取登记", 0, 1)
    with reading(by):
        programmes = adopted_book(row.known_at).programmes_in_force(chain(row.division), row.determination_date)
    if not programmes:
        raise NoPolicyInForce("这一天没有生效的政策", remedy="请先采用政策，或核对认定日期")
    snapshot = _snapshot(by, row, job, granted)
    listed = _determined(by, row, snapshot, programmes, report)
    report("保存建议", 0, 1)
    versions = {law.code: law.version for law in programmes}
    return store_proposals(
        by=by, on=job.business_date, run_id=row.pk, job=job, snapshot=snapshot, versions=versions, listed=listed
    )


@command(Post.COUNTY_OFFICER)
def begin_run(*, by: Actor, on: date, job: Job) -> Run:
    """The run of a job, made by its first attempt."""
    require_held(job)
    found = Run.objects.filter(job=job).first()
    return found or Run.objects.create(
        job=job, division=job.division, determination_date=date.fromisoformat(job.arguments["determination_date"]),
        started_by=by.appointment, started_on=on,
    )  # fmt: skip


def _snapshot(by: Actor, row: Run, job: Job, granted: Granted) -> Snapshot:
    """What an earlier attempt read and saved; else the registry as it is now, saved and named in the run."""
    if row.snapshot_sha256:
        try:
            return load(snapshot_path(row), row.snapshot_sha256)
        except (SnapshotMissing, SnapshotDamaged):
            pass  # nothing rests on it yet: read anew
    with reading(by):
        added = added_facts(row.division, adopted_book(row.known_at))
        facts = snapshot_columns(row.division, row.determination_date, added=added)
        snapshot = Snapshot(*facts, granted(row.determination_date))
    sha256 = save(snapshot, snapshot_folder())
    row.snapshot_sha256, row.snapshot_file = sha256, f"{sha256}.bin"
    keep_snapshot(by=by, on=job.business_date, run_id=row.pk, job=job, sha256=sha256)
    return snapshot


@command(Post.COUNTY_OFFICER)
def keep_snapshot(*, by: Actor, on: date, run_id: int, job: Job, sha256: str) -> None:
    require_held(job)
    Run.objects.filter(pk=run_id).update(snapshot_sha256=sha256, snapshot_file=f"{sha256}.bin")


def snapshot_folder() -> Path:
    return Path(settings.HOME) / "snapshots"


def snapshot_path(row: Run) -> Path:
    return snapshot_folder() / row.snapshot_file


def _determined(by: Actor, row: Run, snapshot: Snapshot, programmes: tuple[Programme, ...], report: Report) -> pa.Table:
    """The proposals of all programmes; progress in households times programmes."""
    total = len(programmes) * len(snapshot.households)
    report("逐户认定", 0, total)
    determination = determination_of(by, row, snapshot)
    listed = [pa.schema(COLUMNS).empty_table()]
    for number, law in enumerate(in_order_of_asking(programmes), 1):
        listed.append(determination.listed(law, determination.evaluate(law)))
        report("逐户认定", number * len(snapshot.households), total)
    return pa.concat_tables(listed)


def determination_of(by: Actor, row: Run, snapshot: Snapshot) -> Determination:
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
            facts = load(snapshot_path(earlier), earlier.snapshot_sha256)
        except (SnapshotMissing, SnapshotDamaged):
            return None
        return Earlier(facts, facts.table(), earlier.determination_date, {law.code: law for law in laws})

    determination = Determination(snapshot, row.determination_date)
    determination.explainer = Comparison(snapshot, determination.table, row.determination_date, find)
    return determination


def end_run(job: Job) -> None:
    """The job ended without success, and its run with it; in the same transaction."""
    state = Run.State.CANCELLED if job.state == Job.State.CANCELLED else Run.State.FAILED
    Run.objects.filter(job=job, state=Run.State.RUNNING).update(
        state=state, failure=job.failure or "已取消", finished_at=timezone.now()
    )


_TYPES = {
    "programme": "text", "version": "text", "division": "text", "household_id": "int8", "person_id": "int8",
    "kind": "text", "amount_fen": "int8", "previous_fen": "int8", "people": "int2", "quantity": "text",
    "failed": "text[]", "missing": "text[]", "facts_digest": "text", "reasons": "jsonb", "phase_out_since": "date",
    "phase_out_months": "int2",
}  # fmt: skip
_NAMES = ", ".join(_TYPES)

# One subject has at most one open proposal of a programme here: they meet by these three, and agree in all or differ.
_KEPT = """
CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT p.id, d.place FROM screening_proposal p
JOIN proposal_draft d
  ON d.household_id = p.household_id AND d.programme = p.programme AND d.person_id IS NOT DISTINCT FROM p.person_id
WHERE p.state = 'open' AND p.division >= %(low)s AND p.division < %(high)s
  AND (p.version, p.division, p.kind, p.amount_fen, p.previous_fen, p.people, p.quantity, p.facts_digest)
    = (d.version, d.division, d.kind, d.amount_fen, d.previous_fen, d.people, d.quantity, d.facts_digest)
  AND p.failed::text[] = d.failed AND p.missing::text[] = d.missing AND p.reasons = d.reasons
  AND p.phase_out_since IS NOT DISTINCT FROM d.phase_out_since
  AND p.phase_out_months IS NOT DISTINCT FROM d.phase_out_months
"""
_SUPERSEDE = """
UPDATE screening_proposal SET state = 'superseded'
WHERE state = 'open' AND division >= %(low)s AND division < %(high)s AND id NOT IN (SELECT id FROM kept)
"""
_STORE = f"""
INSERT INTO screening_proposal (run_id, state, {_NAMES})
SELECT %(run)s, 'open', {_NAMES} FROM proposal_draft WHERE place NOT IN (SELECT place FROM kept)
"""  # noqa: S608


@command(Post.COUNTY_OFFICER)
def store_proposals(
    *, by: Actor, on: date, run_id: int, job: Job, snapshot: Snapshot, versions: dict[str, str], listed: pa.Table
) -> Run:
    """All proposals of a run and its end, in one transaction; refused when the job is not ours any more."""
    require_held(job)
    row = Run.objects.select_for_update().get(pk=run_id)
    places = pa.array(range(len(listed)), pa.int64())
    copy_in("proposal_draft", _literals(listed).append_column("place", places), {**_TYPES, "place": "int8"})
    place = {"low": job.prefix, "high": job.prefix + "~"}
    run(_KEPT, place)
    row.kept = fetch_one("SELECT count(*)::int FROM kept")[0]
    run(_SUPERSEDE, place)
    run(_STORE, {"run": row.pk})
    row.state = Run.State.FINISHED
    row.households, row.people = len(snapshot.households), len(snapshot.members)
    row.versions = versions
    row.listed, row.listed_sha256 = len(listed), listed_sha256(listed)
    row.finished_at = timezone.now()
    row.save(update_fields=[name for name in Run.changeable if not name.startswith(("snapshot", "failure"))])
    return row


def listed_sha256(listed: pa.Table) -> str:
    """Over every row as JSON, in the order of programmes and households."""
    digest = hashlib.sha256()
    for batch in listed.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            digest.update(json.dumps(list(row.values()), ensure_ascii=False, default=str).encode() + b"\n")
    return digest.hexdigest()


def _literals(listed: pa.Table) -> pa.Table:
    """Lists of names as PostgreSQL writes arrays; names are ids and facts, so that quoting them is enough."""
    for name in ("failed", "missing"):
        texts = ["{" + ",".join(f'"{item}"' for item in items) + "}" for items in listed[name].to_pylist()]
        listed = listed.set_column(listed.column_names.index(name), name, pa.array(texts, pa.string()))
    return listed
