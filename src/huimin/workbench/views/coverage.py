"""Who draws several programmes, who is poor and draws none, what 建档立卡 households keep (覆盖, POL-06, DET-08)."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from typing import Any

from django.db import connections
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from huimin.casework.screening import granted_on
from huimin.divisions.queries import names_of
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.screening.simulation.commands import analyse, open_coverage
from huimin.screening.simulation.models import Coverage, Finding
from huimin.screening.simulation.queries import (
    FindingFilter,
    count_findings,
    count_findings_by_place,
    find_latest_coverage,
    find_working_coverage,
    iterate_findings,
    list_combinations,
    page_findings,
)
from huimin.screening.simulation.sources import find_run
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, kept, one_of, programmes_seen
from huimin.workbench.simulation_book import export_findings
from huimin.workbench.simulation_forms import CoverageDay

_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="coverage")
_SECONDS_BEFORE_ANSWER = 3.0
FILTERS = ("kind", "place")
LISTED = (Finding.Kind.UNREACHED, Finding.Kind.UNKNOWN, Finding.Kind.SEVERAL)
LINKED = (Finding.Kind.LINKED_IN, Finding.Kind.LINKED_OUT, Finding.Kind.LINKED_UNKNOWN)


@require_http_methods(["GET", "POST"])
@page(guard.COVERAGE_READERS)
def coverage(request: Any) -> HttpResponse:
    """The newest analysis, as far as the reader's place and programmes go; a new one on request."""
    by, on = request.actor, request.business_date
    with reading(by):
        run = find_run(by.division)
    day = max(on, run.determination_date) if run else on
    form = CoverageDay(request.POST or None, initial={"determination_date": day})
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _start(by, on, form.cleaned_data["determination_date"]))
    with reading(by):
        return _answer(request, form)


def _answer(request: Any, form: CoverageDay) -> HttpResponse:
    by, on = request.actor, request.business_date
    latest = find_latest_coverage()
    status = 422 if form.errors else 200
    context: dict[str, Any] = {
        "form": form,
        "section": "coverage",
        "latest": latest,
        "working": find_working_coverage(timezone.now()),
        "may_start": may(by, open_coverage),
    }
    if latest is None:
        return render(request, "workbench/coverage.html", context, status=status)
    names = programme_names()
    place = chosen_place(request)
    wanted = FindingFilter(
        coverage=latest.pk,
        prefix=place.prefix,
        kind=one_of(request.GET, "kind", Finding.Kind.values, Finding.Kind.UNREACHED) or Finding.Kind.UNREACHED,
        programmes=programmes_seen(by),
    )
    if request.GET.get("export") == "xlsx":
        return _export(request, latest, wanted, names)
    page_of = page_findings(wanted, request.GET.get("at", ""))
    context |= {
        "page": page_of,
        "place": place,
        "wanted": wanted,
        "kinds": Finding.Kind.choices,
        "programmes": names,
        "rows": [(row, _shown(by, row)) for row in page_of],
        "places": names_of({row.division for row in page_of} | {latest.division}, on),
        "lines": sorted(latest.result.get("lines", {}).items()),
        "query": kept(request.GET, *FILTERS),
        **_sums(request, latest, wanted),
    }
    return render(request, "workbench/coverage.html", context, status=status)


def _shown(by: Actor, row: Finding) -> list[str]:
    """The programmes of a finding that the reader's office may see (SEC-03)."""
    seen = programmes_seen(by)
    return [code for code in row.programmes if seen is None or code in seen]


def _sums(request: Any, latest: Coverage, wanted: FindingFilter) -> dict[str, Any]:
    """Counts by kind and place, and which programmes are drawn together."""
    by = request.actor
    everything = FindingFilter(latest.pk, wanted.prefix, programmes=wanted.programmes)
    digits = int(Level.TOWNSHIP if len(wanted.prefix) < int(Level.TOWNSHIP) else Level.VILLAGE)
    by_place = count_findings_by_place(everything, digits)
    counts = count_findings(everything)
    together = _together(list_combinations(latest.pk, wanted.prefix, programmes_seen(by)), wanted.programmes)
    return {
        "counts": counts,
        "shown_kinds": [(kind, kind.label, counts.get(kind, 0)) for kind in (*LISTED, *LINKED)],
        "listed": [(kind, kind.label) for kind in LISTED],
        "linked": [(kind, kind.label, counts.get(kind, 0)) for kind in LINKED],
        "by_place": sorted(by_place.items()),
        "place_names": names_of(set(by_place), request.business_date),
        "together": together,
        "together_count": sum(each["count"] for each in together),
        "together_fen": sum(each["fen"] for each in together),
    }


def _together(rows: list[dict[str, Any]], seen: tuple[str, ...] | None) -> list[dict[str, Any]]:
    """Combinations by what of them the reader sees; those that look alike to him are one."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        shown = tuple(code for code in row["programmes"] if seen is None or code in seen)
        one = found.setdefault(shown, {"shown": shown, "count": 0, "fen": 0})
        one["count"] += row["count"]
        one["fen"] += row["fen"]
    return sorted(found.values(), key=lambda one: -one["count"])


def _export(request: Any, latest: Coverage, wanted: FindingFilter, names: dict[str, str]) -> HttpResponse:
    known: dict[str, str] = {}

    def place_of(division: str) -> str:
        if division not in known:
            known.update({division: division} | names_of({division}, request.business_date))
        return known[division]

    title = f"{Finding.Kind(wanted.kind).label} {latest.determination_date}"
    return export_findings(
        request, title, iterate_findings(wanted), names, place_of, lambda row: _shown(request.actor, row)
    )


def _start(by: Actor, on: date, determination_date: date) -> Outcome:
    """Begin in the background; one that is over at once is told in this answer."""
    begun = _WORKER.submit(
        _analyse, by=by, on=on, division=by.division, determination_date=determination_date, granted=granted_on
    )
    wait([begun], timeout=_SECONDS_BEFORE_ANSWER)
    if begun.done():
        row: Coverage = begun.result()
        return Outcome(f"分析完成：{row.households:,} 户 {row.people:,} 人", reverse("coverage"))
    return Outcome("正在分析", reverse("coverage"), "可以离开这一页，分析会继续。")


def _analyse(**arguments: Any) -> Coverage:
    try:
        return analyse(**arguments)
    finally:
        connections.close_all()
