"""What is read aloud of a case before it is judged: its facts beside the law's conditions (CASE-03; 附件3 第23条).

in    a case; the registry and the law as they stand
out   a `Told`: who, how many, income per head, each condition with met or not, what the determination says, its digest

Always true: no number of a person, card or phone is in it, no amount of savings, no diagnosis: of each condition the
law's own words and whether they are met. Hardship is what the village writes for the purpose, not what the applicant
confided.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.cases.models import Case
from huimin.casework.screening import granted_of, month_after
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.queries import adopted_book
from huimin.registry.models import Membership
from huimin.screening.explaining import explain_household

HEAD, MINOR, ELDER = "户主", 18, 60
EVERY = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}
_INCOME = re.compile(r"^(家庭)?人均(月|年)收入$")
_NUMBER = re.compile(r"[0-9０-９Xx]{7,}")


@dataclass(frozen=True)
class Told:
    """`content` is what papers print; `eligible` None where facts are missing or the programme is not in force."""

    content: dict[str, Any]
    eligible: bool | None
    amount_fen: int | None
    digest: str


def tell(by: Actor, on: date, case: Case) -> Told:
    """Of one case as registered on the day; inside a transaction."""
    assert case.household_id is not None, "a list is judged by nobody household by household"
    people = _people(case, on)
    found = _determined(by, on, case)
    name = next((name for name, relation, _ in people if relation == HEAD), people[0][0] if people else "")
    content = {
        "name": case.person.name if case.person else name, "people": len(people),
        "minors": sum(_age(born, on) < MINOR for *_, born in people),
        "elders": sum(_age(born, on) >= ELDER for *_, born in people),
        "income": _income(found), "conditions": _conditions(found), "missing": found["missing"] if found else [],
        "period": EVERY.get(found["period"], "") if found else "", "policy": found["policy"] if found else "",
    }  # fmt: skip
    eligible = found["eligible"] if found else None
    amount = int(found["amount_fen"]) if found and eligible else 0 if eligible is False else None
    return Told(content, eligible, amount, digest({"told": content, "eligible": eligible, "amount_fen": amount}))


def _people(case: Case, on: date) -> list[tuple[str, str, date]]:
    rows = Membership.objects.filter(household=case.household_id, recorded_to=None, valid_from__lte=on)
    rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=on)).order_by("id")
    return list(rows.values_list("person__name", "relation", "person__birth_date"))


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _determined(by: Actor, on: date, case: Case) -> dict[str, Any] | None:
    """As cases.determining does, of this programme alone."""
    assert case.household_id is not None
    start = month_after(on)
    try:
        laws = adopted_book().programmes_in_force(chain(case.division), start, only=case.programme)
    except BadInput:  # a value is not set here: the programme waits, and nobody can say who is eligible
        return None
    explained = explain_household(
        by=by,
        household_id=case.household_id,
        on=start,
        laws=laws,
        facts_on=on,
        granted=granted_of(case.household_id, on),
    )
    for each in explained["results"]:
        member = None if each["member"] is None else explained["members"][each["member"]]
        if member == case.person_id:
            return dict(each)
    return None


def _income(found: dict[str, Any] | None) -> str:
    """`家庭人均月收入 600.00`, where the law names it and it is known."""
    values = found["values"] if found else {}
    return next((f"{name} {value} 元" for name, value in values.items() if _INCOME.match(name) and value), "")


def _conditions(found: dict[str, Any] | None) -> list[list[Any]]:
    """[the law's words, met (None: facts are missing), citation]"""
    return [[each["text"], each["met"], each["basis"]] for each in found["conditions"]] if found else []


def hardship_words(text: str) -> str:
    """What the village may have read aloud; BadInput when it carries a number of somebody."""
    said = " ".join(text.split())
    if _NUMBER.search(said):
        raise BadInput("宣读的话里有号码", where="困难情况", remedy="不要写证件、银行卡和电话号码，也不要写病名")
    return said[:200]
