"""Reads of letters; inside `reading(by)` (CASE-05, CASE-11)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.organisation.acting import Actor
from huimin.telling.letters import REFUSAL_DAYS, LetterFilter
from huimin.telling.models import Certificate, Letter

State, Kind = Letter.State, Letter.Kind


def page_letters(wanted: LetterFilter, place: str = "", size: int = SIZE) -> Page[Letter]:
    """What waits by the day of its decision, what was delivered newest first."""
    order = ("-id",) if wanted.state == State.DELIVERED or not wanted.state else ("decided_on", "id")
    return cut(wanted.rows().select_related("household", "decision__person"), order, place, size)


@dataclass(frozen=True)
class Waiting:
    """Letters of one kind that wait: how many, and the first day one is due (None: no day is set)."""

    kind: str
    count: int
    due_on: date | None


_OWED = """
SELECT kind, count(*)::int, min(decided_on), min(effective_from) FROM telling_letter
WHERE state = 'owed' AND office = %(office)s GROUP BY 1
"""
_ISSUED = """
SELECT kind, count(*)::int, min(due_on) FROM telling_letter
WHERE state = 'issued' AND division >= %(low)s AND division < %(high)s GROUP BY 1
"""


def list_owed(by: Actor) -> list[Waiting]:
    """What the office of `by` has to write, by kind; one statement over the index of owed letters."""
    rows = fetch(_OWED, {"office": by.office})
    calendar = calendar_of(by.division) if rows else None
    return [
        Waiting(kind, count, Letter(kind=kind, decided_on=decided, effective_from=begins).due(calendar, REFUSAL_DAYS))  # type: ignore[arg-type]
        for kind, count, decided, begins in rows
    ]


def list_undelivered(prefix: str) -> list[Waiting]:
    """What waits to be brought beneath a place, by kind; one statement."""
    low, high = scope_of(prefix)
    return [Waiting(*row) for row in fetch(_ISSUED, {"low": low, "high": high})]


def count_letters(prefix: str) -> dict[str, int]:
    """By state."""
    low, high = scope_of(prefix)
    rows: list[tuple[Any, ...]] = fetch(
        "SELECT state, count(*)::int FROM telling_letter WHERE division >= %s AND division < %s GROUP BY 1", [low, high]
    )
    return dict(rows)


def letters_of_case(case: int) -> list[Letter]:
    """The letters of what a case came to (one, of a household's case)."""
    return list(Letter.objects.filter(decision__case_number=case).order_by("id")[:20])


def letters_of(household: int, rows_max: int = 40) -> list[Letter]:
    return list(Letter.objects.filter(household=household).order_by("-id")[:rows_max])


def certificates_of(household: int, rows_max: int = 20) -> list[Certificate]:
    return list(Certificate.objects.filter(household=household).order_by("-id")[:rows_max])
