"""Households that somebody must visit, whatever asked for it: what lists and the telephone's round are made of (CASE-02).

A room that asks for visits (re-checks, samples, campaigns) registers once, in its apps.ready:

    wants("recheck", look)

`look(by, on, prefix, most) -> list[Wanted]` tells, inside `reading(by)` and in a bounded query, which households beneath
`prefix` are to be visited, the earliest day first. Applications are registered here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from huimin.cases.models import FAR, Case
from huimin.cases.queries import CaseFilter, processes_in_use
from huimin.organisation.acting import Actor
from huimin.processes.models import Process
from huimin.processes.queries import way_of
from huimin.visits.models import Visit

KIND = "入户调查"


@dataclass(frozen=True)
class Wanted:
    """One household to visit: for which matter, by when (None: no day), and how many must go."""

    household: int
    household_no: str
    division: str
    subject: str
    purpose: str
    round: int
    due_on: date | None
    case: int | None = None
    programme: str = ""
    since: date | None = None


Look = Callable[[Actor, date, str, int], list[Wanted]]
_LOOKS: dict[str, Look] = {}


def wants(purpose: str, look: Look) -> None:
    """Register who asks for visits of a purpose; a later registration takes the place of an earlier one."""
    assert purpose in Visit.Purpose.values, f"{purpose} is no purpose of a visit"
    _LOOKS[purpose] = look


def list_wanted(by: Actor, on: date, prefix: str, most: int) -> list[Wanted]:
    """Of every purpose, the earliest day first; at most `most` of each."""
    rows = [row for look in _LOOKS.values() for row in look(by, on, prefix, most)]
    return sorted(rows, key=lambda row: (row.due_on or FAR, row.household_no))


def visit_steps() -> tuple[tuple[int, str], ...]:
    """(process, step) of every step that demands a visit, in every version that cases may follow."""
    return tuple(
        (number, step.key)
        for number, row in processes_in_use().items()
        if row.subject == Process.Subject.HOUSEHOLD
        for step in way_of(row).steps
        if any(demand.kind == KIND for demand in step.demands)
    )


def due_cases(prefix: str, on: date, *, programmes: tuple[str, ...] | None = None, due: str = "") -> CaseFilter:
    """Applications that stand at a step which demands a visit."""
    return CaseFilter(prefix=prefix, on=on, programmes=programmes, due=due, mine=visit_steps())


def wanted_of(case: Case) -> Wanted:
    assert case.household is not None
    due = case.step_due_on if case.step_due_on < FAR else None
    return Wanted(
        case.household_id or 0, case.household.household_no, case.division, case.subject, Visit.Purpose.APPLICATION,
        case.round, due, case.pk, case.programme, case.step_since,
    )  # fmt: skip


def _applications(by: Actor, on: date, prefix: str, most: int) -> list[Wanted]:
    rows = due_cases(prefix, on).rows().select_related("household").order_by("step_due_on", "id")[:most]
    return [wanted_of(case) for case in rows]


wants(Visit.Purpose.APPLICATION, _applications)
