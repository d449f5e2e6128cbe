"""What was looked into for one application, beside its page: visits, letters, entrusted visits, doubts, what can be done (CASE-02).

Also the pages of visits, as each of them offers the others."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from huimin.cases.models import Case
from huimin.organisation.acting import Actor, may
from huimin.visits import queries
from huimin.visits.entrusting import issue_entrustment
from huimin.visits.recording import record_visit

Row = Callable[[Actor, Any], dict[str, Any]]


def nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [
        ("visits", "待入户"), ("visits-done", "调查记录"), ("doubts", "疑点"), ("proof-letters", "信函索证"),
        ("entrustments", "委托调查"), ("visit-rates", "入户率"),
    ]  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


def case_side(by: Actor, case: Case, row_of: Row) -> dict[str, Any] | None:
    """Inside `reading(by)`; None for a list, which is not visited."""
    if case.household_id is None:
        return None
    home = case.household_id
    return {
        "visits": queries.list_visits_of(case.subject),
        "doubts": [row_of(by, row) for row in queries.list_doubts_of(case=case.pk)],
        "letters": [row for row in queries.list_letters_of(home) if row.case_id == case.pk],
        "entrusted": [row for row in queries.list_entrusted_of(home) if row.case_id == case.pk],
        "acts": _acts(by, case, home),
    }  # fmt: skip


def _acts(by: Actor, case: Case, home: int) -> list[tuple[str, str]]:
    if not case.step or not may(by, record_visit):
        return []
    asked = urlencode({"purpose": "application", "subject": case.subject, "case": case.pk})
    found = [("登记入户调查", "visit-new"), ("向单位发函", "proof-letter-new"), ("打印空表", "visit-blank")]
    found[2:2] = [("委托居住地调查", "entrustment-new")] if may(by, issue_entrustment) else []
    return [(label, f"{reverse(route, args=[home])}?{asked}") for label, route in found]
