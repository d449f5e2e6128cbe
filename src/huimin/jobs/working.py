"""Doing what was asked for: claim a job, do it in the name of who asked, end it (house: Jobs).

Terms. A job is *held* by the process whose database session has its advisory lock; the lock is gone when the process or
its connection is. A running job that nobody holds was interrupted.

Guarantees. Nobody works on a job another holds. An interrupted job is claimed again by whoever comes next, and its work
is told that it is a further attempt; after ATTEMPTS_MAX it fails. What was started by an earlier attempt and woke up
late finds the attempts changed and stores nothing. A refusal or an error ends the job; a lost database, a signal or the
end of the process leaves it to be taken up again.

Steps. claim (row lock, then advisory lock) → work, reporting → end; the lock is let go last.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.utils import timezone

from huimin.database.bulk import fetch_one
from huimin.database.context import Scope, declare
from huimin.jobs.commands import ACTIVE, end
from huimin.jobs.kinds import KINDS, Report
from huimin.jobs.models import Job
from huimin.jobs.queries import WORKERS
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, reading
from huimin.organisation.entrance import as_system
from huimin.organisation.models import Appointment
from huimin.organisation.queries import get_actor

ATTEMPTS_MAX = 5
SECONDS_BETWEEN_REPORTS = 0.5
_LOG = logging.getLogger(__name__)
_KEY = "hashtextextended(current_database() || ' ' || %s, 0)"
Watch = Callable[[Job], None]


class Cancelled(Refusal):
    """Somebody called the work off."""


class TakenOver(Refusal):
    """Another process has this job now."""


def work_one(only: int | None = None, watch: Watch = lambda _: None) -> Job | None:
    """Claim the oldest job that nobody holds (or `only` that one) and do it; None when there is none.

    Raises what the work raised, after the job was ended (or left, when the database or the process is going).
    """
    job = _claim(only)
    if job is None:
        return None
    try:
        _do(job, watch)
    finally:
        _let_go(job)
    return job


def work_until_done(job_id: int, by: Actor, watch: Watch = lambda _: None) -> Job:
    """Do this job here, or wait while another process does it; the ended job. Raises as `work_one`."""
    while True:
        if job := work_one(job_id, watch):
            return job
        with reading(by):
            job = Job.objects.get(pk=job_id)
        watch(job)
        if not job.active:
            return job
        time.sleep(SECONDS_BETWEEN_REPORTS)


@contextmanager
def present() -> Iterator[None]:
    """Show that a process is here that takes up jobs (`queries.anybody_works`)."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock_shared({_KEY})", [WORKERS])
    yield


def require_held(job: Job) -> None:
    """Inside the transaction that stores: the job's row, locked, is still this attempt's, and not called off."""
    now = Job.objects.select_for_update().get(pk=job.pk)
    if now.attempts != job.attempts or now.state != Job.State.RUNNING:
        raise TakenOver("这件工作已由另一个进程接手", remedy="请看它的结果")
    if now.stop_requested:
        raise Cancelled("已按要求取消")


@contextmanager
def everywhere() -> Iterator[None]:
    """A transaction of the system itself at all places: the queue is one."""
    with transaction.atomic():
        declare(Scope("1", "9~", "", "system", "", "", uuid.uuid4().hex))
        yield


def _claim(only: int | None) -> Job | None:
    with everywhere():
        waiting = Job.objects.select_for_update(skip_locked=True).filter(state__in=ACTIVE).order_by("id")
        for job in waiting.filter(pk=only) if only else waiting:
            if not _lock(job):
                continue
            if taken := _take(job):
                return taken
            _unlock(job)
    return None


def _take(job: Job) -> Job | None:
    """The job as ours; or its end, when it was called off meanwhile or interrupted too often."""
    if job.stop_requested:
        end(job, Job.State.CANCELLED)
        return None
    if job.attempts >= ATTEMPTS_MAX:
        end(job, Job.State.FAILED, failure=f"中断了 {job.attempts} 次，不再重试")
        return None
    job.state, job.attempts = Job.State.RUNNING, job.attempts + 1
    job.started_at = job.started_at or timezone.now()
    job.save(update_fields=["state", "attempts", "started_at"])
    return job


def _lock(job: Job) -> bool:
    return bool(fetch_one(f"SELECT pg_try_advisory_lock({_KEY})", [f"job {job.pk}"])[0])


def _unlock(job: Job) -> None:
    fetch_one(f"SELECT pg_advisory_unlock({_KEY})", [f"job {job.pk}"])


def _let_go(job: Job) -> None:
    try:
        _unlock(job)
    except (OperationalError, InterfaceError):
        connections["default"].close()  # the lock went with the session


def _do(job: Job, watch: Watch) -> None:
    by = _actor_of(job)
    try:
        outcome = KINDS[job.kind].work(by, job, _reporter(job, watch))
    except (OperationalError, InterfaceError, TakenOver):
        raise
    except Cancelled:
        _end(job, by, Job.State.CANCELLED)
        raise
    except Refusal as refusal:
        _end(job, by, Job.State.FAILED, failure=refusal.what)
        raise
    except Exception as error:
        _end(job, by, Job.State.FAILED, failure=f"程序出错（{type(error).__name__}），请与管理员联系")
        raise
    _end(job, by, Job.State.FINISHED, outcome=outcome)


def _end(job: Job, by: Actor, state: str, *, outcome: str = "", failure: str = "") -> None:
    with reading(by):
        now = Job.objects.select_for_update().get(pk=job.pk)
        if now.attempts == job.attempts and now.active:
            end(now, state, outcome=outcome, failure=failure)
            job.state, job.outcome, job.failure = now.state, now.outcome, now.failure


def _actor_of(job: Job) -> Actor:
    """Who asked, in the appointment he asked in."""
    with as_system(job.division[:2]):
        return get_actor(Appointment.objects.select_related("office", "account").get(pk=job.requested_by))


def _reporter(job: Job, watch: Watch) -> Report:
    last = 0.0

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last
        if stage == job.stage and done < total and time.monotonic() - last < SECONDS_BETWEEN_REPORTS:
            return
        last = time.monotonic()
        if stage != job.stage:
            job.stage_at = timezone.now()
        job.stage, job.done, job.total = stage, done, total
        _store_progress(job)
        watch(job)

    return report


def _store_progress(job: Job) -> None:
    with as_system(job.prefix):
        mine = Job.objects.filter(pk=job.pk, attempts=job.attempts, state=Job.State.RUNNING)
        stored = mine.update(stage=job.stage, done=job.done, total=job.total, stage_at=job.stage_at)
        stop = mine.filter(stop_requested=True).exists()
    if not stored:
        raise TakenOver("这件工作已由另一个进程接手", remedy="请看它的结果")
    if stop:
        raise Cancelled("已按要求取消")
