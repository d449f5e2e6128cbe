"""Screenings (甄别): what was run when, starting one, and its progress (DET-01)."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from typing import Any

from django.db import connections
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.commands import screen
from huimin.divisions.queries import names_of
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.screening.commands import open_run
from huimin.screening.models import Run
from huimin.screening.queries import ProposalFilter, find_latest_run, get_run, list_runs, total_proposals
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import Screening
from huimin.workbench.guard import page

# One screening at a time in a process: it uses all cores and much memory. What was started goes on after the answer.
_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="screening")
_SECONDS_BEFORE_ANSWER = 2.0


@require_http_methods(["GET", "POST"])
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    form = Screening(request.POST or None, initial={"determination_date": request.business_date})
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _start(request, form.cleaned_data["determination_date"]))
    with reading(request.actor):
        runs = list_runs()
        places = names_of({row.division for row in runs}, request.business_date)
    context = {
        "section": "proposals",
        "form": form,
        "runs": runs,
        "places": places,
        "may_start": may(request.actor, open_run),
    }
    return render(request, "workbench/runs.html", context, status=422 if form.errors else 200)


def _start(request: Any, determination_date: date) -> Outcome:
    """Begin in the background; a refusal, or a screening that is over at once, is still told in this answer."""
    begun = _WORKER.submit(_screen, request.actor, request.business_date, determination_date)
    wait([begun], timeout=_SECONDS_BEFORE_ANSWER)
    if begun.done():
        run: Run = begun.result()
        return Outcome(f"筛查完成：{run.households:,} 户 {run.people:,} 人", reverse("run", args=[run.pk]))
    with reading(request.actor):
        latest = find_latest_run()
    where = reverse("run", args=[latest.pk]) if latest else reverse("runs")
    return Outcome("已开始筛查", where, "可以离开这一页，筛查会继续。")


def _screen(by: Actor, on: date, determination_date: date) -> Run:
    try:
        return screen(by=by, on=on, division=by.division, determination_date=determination_date)
    finally:
        connections.close_all()


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One screening; `?part=1` gives its progress alone, which the page asks for again while it works."""
    run = get_run(number)
    context: dict[str, Any] = {"section": "proposals", "run": run}
    if request.GET.get("part"):
        return render(request, "workbench/part/run_progress.html", context)
    names = programme_names()
    totals = total_proposals(ProposalFilter(prefix=request.actor.prefix, state="", run=number))
    context |= {
        "programmes": names,
        "totals": totals,
        "versions": sorted(run.versions.items()),
        "places": names_of({run.division}, request.business_date),
    }
    return render(request, "workbench/run.html", context)
