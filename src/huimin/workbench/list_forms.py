"""What a list of any day is asked for: day, moment of record, columns and conditions, all in the address (REG-01, REG-05).

in    the query of an address; the facts of the dictionary and the county's own
out   an `Asked`: a ListFilter, the chosen columns, and what was wrong in words (a wrong condition is left out and said)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.http import QueryDict
from django.utils.timezone import get_current_timezone, localdate

from huimin.importing.cells import Fault, reader_of
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact
from huimin.organisation.acting import Actor
from huimin.registry.lists import CONDITIONS_MAX, Condition, ListFilter, comparable
from huimin.registry.showing import NEED_HEALTH
from huimin.workbench.listing import day_of

COLUMNS_MAX = 8
HOWS = (("is", "是"), ("least", "至少"), ("most", "至多"), ("known", "已采集"), ("unknown", "未采集"))
KINDS = (("households", "户"), ("members", "人"), ("benefits", "在册待遇"))


@dataclass(frozen=True)
class Line:
    """One condition as it stands in the form."""

    number: int
    fact: str = ""
    how: str = "is"
    value: str = ""


@dataclass
class Asked:
    """`wanted` is what can be asked; `lines` is what was typed; `faults` what was left out, and why."""

    wanted: ListFilter
    known_on: date | None
    columns: list[Fact]
    lines: list[Line]
    faults: list[str] = field(default_factory=list)


def facts_for(by: Actor, added: Sequence[Fact], kind: str) -> list[Fact]:
    """What may be a column or a condition: in a list of people also what their household is; nothing that is hidden."""
    facts = [*HOUSEHOLD_FACTS, *(PERSON_FACTS if kind == "members" else ()), *added]
    seen = [fact for fact in facts if not fact.sensitive or by.post in NEED_HEALTH]
    return [fact for fact in seen if fact.entity is Entity.HOUSEHOLD or kind == "members"]


def asked_of(query: QueryDict, prefix: str, facts: Sequence[Fact], today: date) -> Asked:
    """What the address says; a day that is none, or lies ahead, counts as not asked."""
    by_code = {fact.code: fact for fact in facts}
    known_on = _past(query.get("known", ""), localdate())  # the day of record is a real one
    columns = [by_code[code] for code in dict.fromkeys(query.getlist("col")) if code in by_code][:COLUMNS_MAX]
    lines = [
        Line(at, query.get(f"fact{at}", ""), query.get(f"how{at}", "is"), query.get(f"value{at}", "").strip())
        for at in range(1, CONDITIONS_MAX + 1)
    ]
    faults: list[str] = []
    conditions = tuple(found for line in lines if (found := _condition(line, by_code, faults)))
    wanted = ListFilter(prefix, _past(query.get("on", ""), today) or today, known_by(known_on), conditions)
    return Asked(wanted, known_on, columns, lines, faults)


def _past(text: str, today: date) -> date | None:
    day = day_of(text)
    return day if day and day <= today else None


def known_by(day: date | None) -> datetime | None:
    """The end of a day of record: what was written on it is known."""
    return datetime.combine(day, time.max, tzinfo=get_current_timezone()) if day else None


def _condition(line: Line, facts: dict[str, Fact], faults: list[str]) -> Condition | None:
    fact = facts.get(line.fact)
    if fact is None or line.how not in dict(HOWS):
        return None
    if line.how in ("known", "unknown"):
        return Condition(fact, line.how)
    if line.how != "is" and not comparable(fact):
        faults.append(f"{fact.name}不能比大小，请选“是”")
        return None
    try:
        value = reader_of(fact)(line.value)
    except Fault as fault:
        faults.append(f"{fact.name}：{fault}")
        return None
    if value is None:
        faults.append(f"{fact.name}：请填写要比的值")
        return None
    return Condition(fact, line.how, value)
