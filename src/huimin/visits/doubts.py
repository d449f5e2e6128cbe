"""Doubts (疑点): what was found is not what the household declared; it answers before anybody goes on (VER-02).

in    differences to the registry, told with a visit; the household's answer with its evidence
out   Doubts: open until they are confirmed or refuted

Always true: what is registered is read when the doubt is raised and stays beside what was found; what is the same is no
doubt; a refuted doubt names the paper that refutes it; a confirmed fact is changed by a change report of casework, never here.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from huimin.casework.changes import added_here
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS, Entity, Fact
from huimin.registry.added import require_fits
from huimin.registry.commands.families import present
from huimin.registry.models import ELSEWHERE, HouseholdFacts, PersonFacts
from huimin.registry.queries import holding
from huimin.visits.findings import Differs, storable
from huimin.visits.models import Doubt, Visit

BY_OTHER_CHANGES = (*ELSEWHERE, "death_date", "moved_out_date")
"""Facts that come from a change of their own kind, never from what a visit found."""


def facts_here(household: int) -> dict[str, Fact]:
    """By code: those of the dictionary and those the county added."""
    return {fact.code: fact for fact in (*FACTS, *added_here(household)) if fact.code not in BY_OTHER_CHANGES}


def raise_doubts(on: date, visit: Visit, differs: Sequence[Differs]) -> list[Doubt]:
    """One row for each difference that is one; inside the command that records the visit."""
    known, members = facts_here(visit.household_id), present(visit.household_id)
    found: dict[tuple[int | None, str, str], Doubt] = {}
    for each in differs:
        what = each.what.strip()[:300]
        if each.fact:
            fact = _fact(each, known, members)
            require_fits(each.found, fact)
            registered = registered_value(visit.household_id, each.person, fact, on)
            if storable(registered) == storable(each.found):
                continue
            values = {"registered": storable(registered), "found": storable(each.found)}
        else:
            if len(what) < 4:
                raise BadInput("没有写有什么疑点", where="疑点", remedy="请写明申报的和看到的有什么不同")
            values = {}
        found[each.person, each.fact, what] = Doubt(
            visit=visit, division=visit.division, household_id=visit.household_id, case_id=visit.case_id,
            person_id=each.person, fact=each.fact, what=what, raised_on=on, **values,
        )  # fmt: skip
    return Doubt.objects.bulk_create(found.values())


def _fact(each: Differs, known: dict[str, Fact], members: Any) -> Fact:
    fact = known.get(each.fact)
    if fact is None:
        raise BadInput(f"没有“{each.fact}”这项信息", where="差异", remedy="请从列表选择")
    if (fact.entity is Entity.PERSON) != (each.person is not None):
        raise BadInput(f"{fact.name}要写明是谁的", where="差异", remedy="请从这一户的成员中选择")
    if each.person is not None and each.person not in members:
        raise BadInput("这个人不在这一户", where="差异", remedy="请从这一户的成员中选择")
    return fact


def registered_value(household: int, person: int | None, fact: Fact, on: date) -> Any:
    """What is registered now, in the system's form; None when it was never asked."""
    rows: Any = (
        HouseholdFacts.objects.filter(holding(on), household=household)
        if person is None
        else PersonFacts.objects.filter(holding(on), person=person)
    )
    row = rows.first()
    if row is None:
        return None
    return getattr(row, fact.code) if hasattr(row, fact.code) else row.added.get(fact.code)
