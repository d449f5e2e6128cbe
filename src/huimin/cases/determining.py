"""What the law says of a case's household today, computed from what is registered today (DET-01, DET-03, DET-04).

in    a case; the registry and policies as they stand
out   eligible, not, or unknown with what is missing; the amount of a month; the digest of the whole explanation
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.cases.models import Case
from huimin.casework.commands import Determined
from huimin.casework.screening import granted_of_many, month_after
from huimin.kernel.digests import digest
from huimin.organisation.acting import Actor
from huimin.screening.explaining import explain_many


@dataclass(frozen=True)
class Finding:
    """`eligible` None: not to be told, since facts are missing; `conditions` as huimin.rules.explain tells them."""

    eligible: bool | None
    told: Determined
    missing: tuple[str, ...]
    conditions: tuple[dict[str, Any], ...]


def determine(by: Actor, on: date, case: Case) -> Finding | None:
    """None where the programme is not in force at the place on the day, or the person is no member. Inside a transaction."""
    assert case.household_id is not None, "a list is determined by its screening"
    return determine_many(on, [case])[case.pk]


def determine_many(on: date, cases: Sequence[Case]) -> dict[int, Finding | None]:
    """The same for many households' cases, by case; a handful of queries for each programme."""
    found: dict[int, Finding | None] = {}
    for programme in {case.programme for case in cases}:
        some = [case for case in cases if case.programme == programme]
        households = sorted({case.household_id for case in some if case.household_id})
        told = explain_many(
            households=households,
            only=programme,
            on=month_after(on),
            facts_on=on,
            granted=granted_of_many(households, on),
        )
        found |= {case.pk: _finding(case, told.get(case.household_id or 0)) for case in some}
    return found


def _finding(case: Case, explained: dict[str, Any] | None) -> Finding | None:
    for each in explained["results"] if explained else ():
        assert explained is not None
        member = None if each["member"] is None else explained["members"][each["member"]]
        if member == case.person_id:
            people = 1 if case.person_id else len(explained["members"])
            content = {**each, "members": explained["members"], "household": case.household_id}
            told = Determined(each["policy"], each["amount_fen"], people, digest(content))
            return Finding(each["eligible"], told, tuple(each["missing"]), tuple(each["conditions"]))
    return None
