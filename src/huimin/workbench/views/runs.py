"""Screenings (甄别): what was run when, asking for one, its progress, and calling it off (DET-01)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.jobs.commands import cancel_job
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works, get_job, list_active
from huimin.organisation.acting import may, reading
from huimin.policy.queries import programme_names
from huimin.screening.commands import KIND, request_screening
from huimin.screening.models import Run
from huimin.screening.queries import ProposalFilter, get_run, list_runs, total_proposals
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import Screening
from huimin.workbench.guard import page
from huimin.workbench.listing import place_options


@require_http_methods(["GET", "POST"])
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    """What is under way and what was; the county's office asks for another, of the county or of one township."""
    with reading(request.actor):
        runs, active = list_runs(), list_active(KIND)
        places = names_of({row.division for row in [*runs, *active]}, request.business_date)
        options = place_options(request.actor, request.business_date, None)
        working = anybody_works()
    form = Screening(
        request.POST or None, initial={"determination_date": request.business_date},
        places=[(request.actor.division, "全辖区"), *options],
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _ask(request, form.cleaned_data))
    context = {
        "section": "proposals",
        "form": form,
        "runs": [row for row in runs if row.job_id is None or row.state != Run.State.RUNNING],
        "active": active,
        "working": working,
        "places": places,
        "may_start": may(request.actor, request_screening),
    }
    return render(request, "workbench/runs.html", context, status=422 if form.errors else 200)


def _ask(request: Any, asked: dict[str, Any]) -> Outcome:
    job = request_screening(
        by=request.actor, on=request.business_date, division=asked["place"],
        determination_date=asked["determination_date"],
    )  # fmt: skip
    return Outcome("已开始筛查", reverse("screening-job", args=[job.pk]), "可以离开这一页，筛查在后台继续。")


@require_safe
@page(guard.STAFF)
def progress(request: Any, number: int) -> HttpResponse:
    """One screening under way; `?part=1` gives its progress alone, which the page asks for again while it works."""
    job = get_job(number)
    now = timezone.now()
    context: dict[str, Any] = {
        "section": "proposals",
        "job": job,
        "rate": round(job.rate(now)) if job.total > 1 else 0,
        "left": _in_words(job.seconds_left(now) if job.total > 1 else None),
        "working": anybody_works() or job.state == Job.State.RUNNING,
    }
    if request.GET.get("part"):
        return render(request, "workbench/part/job_progress.html", context)
    context |= {
        "places": names_of({job.division}, request.business_date),
        "run": Run.objects.filter(job=job).first(),
        "may_cancel": may(request.actor, cancel_job) and job.active and not job.stop_requested,
    }
    return render(request, "workbench/screening_job.html", context)


def _in_words(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds} 秒" if seconds < 60 else f"{seconds // 60} 分 {seconds % 60} 秒"


@require_http_methods(["GET", "POST"])
@page(frozenset(cancel_job.posts))  # type: ignore[attr-defined]
def cancel(request: Any, number: int) -> HttpResponse:
    """Ask first, then call the screening off."""
    with reading(request.actor):
        job = get_job(number)
        places = names_of({job.division}, request.business_date)
    where = reverse("screening-job", args=[number])
    if request.method == "POST":

        def act() -> Outcome:
            ended = cancel_job(by=request.actor, on=request.business_date, job_id=number)
            return Outcome("已取消筛查" if not ended.active else "正在停下", where, "没有产生任何建议。")

        return once(request, act)
    context = {"section": "proposals", "job": job, "places": places, "back": where}
    return render(request, "workbench/screening_cancel.html", context)


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One screening that ended: what it rested on and what it proposes."""
    run = get_run(number)
    totals = total_proposals(ProposalFilter(prefix=request.actor.prefix, state="", run=number))
    context = {
        "section": "proposals",
        "run": run,
        "programmes": programme_names(),
        "totals": totals,
        "versions": sorted(run.versions.items()),
        "places": names_of({run.division}, request.business_date),
    }
    return render(request, "workbench/run.html", context)
