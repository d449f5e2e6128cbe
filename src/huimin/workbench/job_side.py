"""A list beside which long work is under way: bars that are asked for again while it runs, and the list anew when it is over.

in    a request, how the list is built, which jobs are meant
out   the page, or with `?part=1` the bars alone; without JavaScript the page says that it is to be looked at again
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from huimin.divisions.queries import names_of
from huimin.jobs.kinds import KINDS
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works
from huimin.organisation.acting import reading
from huimin.workbench.registers import Listing, answer_listing


@dataclass(frozen=True)
class Bar:
    """One job: what it is, where, how much of it is done where that can be counted, and how long it still takes."""

    title: str
    place: str
    done: str
    left: str
    job: Job


def answer_with_jobs(
    request: Any, build: Callable[[bool], Listing], find: Callable[[], list[Job]], unit: str = ""
) -> HttpResponse:
    """The list as `answer_listing` gives it, with the bars of the jobs that `find` tells are under way, counted in `unit`s."""
    if request.GET.get("part"):
        with reading(request.actor):
            return render(request, "workbench/part/jobs_progress.html", _told(request, find(), unit))

    def built(whole: bool) -> Listing:
        made = build(whole)
        jobs = [] if whole else find()
        made.more = made.more | _told(request, jobs, unit)
        return made

    return answer_listing(request, built, "workbench/listing_jobs.html")


def _told(request: Any, jobs: list[Job], unit: str) -> dict[str, Any]:
    now = timezone.now()
    names = names_of({job.division for job in jobs}, request.business_date)
    bars = [_bar(job, names.get(job.division, job.division), unit, now) for job in jobs]
    return {
        "bars": bars,
        "polls": f"{request.path}?part=1",
        "working": any(job.state == Job.State.RUNNING for job in jobs) or not jobs or anybody_works(),
    }


def _bar(job: Job, place: str, unit: str, now: datetime) -> Bar:
    done = f"{job.done:,} / {job.total:,} {unit}" if unit and job.total else ""
    return Bar(KINDS[job.kind].title, place, done, _in_words(job.seconds_left(now)), job)


def _in_words(seconds: int | None) -> str:
    if not seconds:
        return ""
    return f"{seconds} 秒" if seconds < 60 else f"{seconds // 60} 分 {seconds % 60} 秒"
