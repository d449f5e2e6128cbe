"""Reads of jobs; inside `reading(by)`."""

from django.db.models import F

from huimin.database.bulk import fetch_one
from huimin.jobs.models import Job

WORKERS = "huimin workers"


def get_job(number: int) -> Job:
    """Job.DoesNotExist when it is not there or not in the actor's place."""
    return Job.objects.get(pk=number)


def list_active(kind: str) -> list[Job]:
    """Queued and running, oldest first."""
    rows = Job.objects.filter(kind=kind, state__in=[Job.State.QUEUED, Job.State.RUNNING])
    return list(rows.order_by("id")[:100])


def find_latest(kind: str) -> Job | None:
    return Job.objects.filter(kind=kind).order_by(F("id").desc()).first()


def anybody_works() -> bool:
    """Whether a process that takes up jobs is there: each holds a shared lock as long as it lives."""
    key = "hashtextextended(current_database() || ' ' || %s, 0)"
    return not fetch_one(f"SELECT pg_try_advisory_xact_lock({key})", [WORKERS])[0]
