"""Processes: which there are, each with its picture, its steps in words and what follows it here (CASE-04)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.places import NATION
from huimin.policy.queries import programme_names
from huimin.processes.drawing import draw
from huimin.processes.language import ALL
from huimin.processes.models import ProcessRule
from huimin.processes.queries import get_process, list_processes, list_rules, way_of
from huimin.workbench import guard
from huimin.workbench.guard import page


@require_safe
@page(guard.POLICY_READERS)
def listing(request: Any) -> HttpResponse:
    """Processes in use at the reader's place, and the rule of every programme that is paid there."""
    rows, paid = list_processes(), {**programme_names(), ALL: "所有项目"}
    rules = [rule for rule in list_rules() if rule.programme in paid]
    names = {row.code: row for row in rows}
    context = {
        "section": "processes",
        "rows": [(row, way_of(row)) for row in rows],
        "rules": [_told(rule, names) for rule in rules],
        "places": _places({each.division for each in [*rows, *rules]}, request.business_date),
        "programmes": paid,
    }
    return render(request, "workbench/processes.html", context)


def _places(codes: set[str], on: Any) -> dict[str, str]:
    return {**names_of(codes, on), NATION: "全国"}


def _told(rule: ProcessRule, names: dict[str, Any]) -> dict[str, Any]:
    return {
        "rule": rule, "application": names.get(rule.application), "proposals": names.get(rule.proposals),
    }  # fmt: skip


@require_safe
@page(guard.POLICY_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One version of a process, in use or past: cases keep the one they began with."""
    row = get_process(number)
    way = way_of(row)
    paid = {**programme_names(), ALL: "所有项目"}
    rules = [rule for rule in list_rules(row.code) if rule.programme in paid]
    context = {
        "section": "processes", "row": row, "way": way, "main": way.main,
        "may_refuse": row.subject == row.Subject.HOUSEHOLD and any(step.refuses for step in way.steps),
        # Made by our own code; every text in it is escaped there.
        "picture": mark_safe(draw(way)),
        "rules": rules, "places": _places({row.division, *(rule.division for rule in rules)}, request.business_date),
        "programmes": paid,
    }  # fmt: skip
    return render(request, "workbench/process.html", context)
