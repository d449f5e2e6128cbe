"""Asking for work and calling it off.

`enqueue` is a step inside another room's command. Asked again for the same work while it is under way, it gives the job
that is there; asked for other work of the kind in an overlapping place, it refuses and names what is running.
"""

from datetime import date
from typing import Any

from django.utils import timezone

from huimin.divisions.queries import get_division, names_of
from huimin.jobs.kinds import KINDS
from huimin.jobs.models import Job
from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post

ACTIVE = (Job.State.QUEUED, Job.State.RUNNING)


class Overlaps(Refusal):
    """Work of the same kind is under way in a place that contains or lies in this one."""


refused_by_constraint("job_alone", Overlaps, "这里或它的上下级正在做同样的工作", "请等它做完")


def enqueue(*, by: Actor, on: date, kind: str, division: str, arguments: dict[str, Any]) -> Job:
    """A queued job of a registered kind in the name of `by`; inside a command. Overlaps when another is under way."""
    title = KINDS[kind].title
    require_place(by, division)
    prefix = scope_prefix(division, Level(get_division(division, on).level))
    for other in Job.objects.filter(kind=kind, state__in=ACTIVE):
        if other.division == division and other.arguments == arguments:
            return other
        if other.prefix.startswith(prefix) or prefix.startswith(other.prefix):
            where = names_of({other.division}, on).get(other.division, other.division)
            raise Overlaps(
                f"{where}的{title}{other.get_state_display()}，与这次重叠",
                why="同一个地方一次只做一件",
                remedy="；".join(filter(None, ("请等它做完", KINDS[kind].called_off))),
            )
    return Job.objects.create(
        kind=kind, division=division, prefix=prefix, arguments=arguments, requested_by=by.appointment, business_date=on
    )


@command(Post.COUNTY_OFFICER)
def cancel_job(*, by: Actor, on: date, job_id: int) -> Job:
    """Call off a job: a queued one ends at once, one under way stops at its next report and stores nothing."""
    return call_off(by, job_id)


def call_off(by: Actor, job_id: int) -> Job:
    """The same as a step of another room's command."""
    job = Job.objects.select_for_update().get(pk=job_id)
    require_place(by, job.division)
    if job.state not in ACTIVE or job.stop_requested:
        raise AlreadyDone("这件工作已经结束或正在停下", remedy="请刷新后查看")
    job.stop_requested = True
    if job.state == Job.State.QUEUED:
        end(job, Job.State.CANCELLED)
    job.save(update_fields=["stop_requested"])
    return job


def end(job: Job, state: str, *, outcome: str = "", failure: str = "") -> None:
    """The job ends, and without success what it was making ends with it; inside a transaction that holds its row."""
    job.state, job.outcome, job.failure, job.finished_at = state, outcome[:200], failure[:300], timezone.now()
    job.save(update_fields=["state", "outcome", "failure", "finished_at"])
    if state != Job.State.FINISHED:
        KINDS[job.kind].ended(job)
