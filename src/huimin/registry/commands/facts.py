"""What is known of households and people changes, or was wrong: with its day, its evidence, who reported it (REG-05).

in    facts by code (kernel.facts), the day they hold from, for a correction also the day they hold until; evidence
out   revised rows (`registry.bitemporal`); a death also ends the membership and gives the household another head

None as a value means "not known after all". Reported by the village's information officer or the township's clerk
(皖政办〔2008〕23号 附件2 第31条).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from huimin.database.personal import ADDRESS, PHONE, sealed
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.bitemporal import Span, end, revise
from huimin.registry.models import Household, HouseholdFacts, Membership, Person, PersonFacts
from huimin.registry.snapshots import NotRegistered

NUMBER_MAX = 2**63 - 1
_SEALED = {"address": ADDRESS, "phone": PHONE}
_FIXED = ("sex", "birth_date", "relation")
_HOUSEHOLD = {fact.code: fact for fact in HOUSEHOLD_FACTS}
_PERSON = {fact.code: fact for fact in PERSON_FACTS if fact.code not in _FIXED}


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def record_household_facts(
    *,
    by: Actor,
    on: date,
    household: int,
    facts: Mapping[str, Any],
    since: date,
    until: date | None = None,
    evidence: str,
) -> bool:
    """Facts of a household from `since` (up to `until`), "address" and "phone" among them; whether anything changed."""
    return revise_household(by, locked_household(by, household), on, facts, since, until, evidence)


def revise_household(
    by: Actor, found: Household, on: date, facts: Mapping[str, Any], since: date, until: date | None, evidence: str
) -> bool:
    """The step of `record_household_facts` for commands that have locked the household."""
    span = _span(since, until, on, evidence)
    values: dict[str, Any] = {}
    for name in [name for name in facts if name in _SEALED]:
        text = str(facts[name] or "").strip()
        values[f"{name}_enc"], values[f"{name}_hash"] = sealed(text, _SEALED[name]) if text else (None, None)
    values |= _checked({name: value for name, value in facts.items() if name not in _SEALED}, _HOUSEHOLD)
    owner = {"household_id": found.pk}
    return revise(HouseholdFacts, owner, span, values, by=by, division=found.division, evidence=evidence)


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def record_person_facts(
    *, by: Actor, on: date, person: int, facts: Mapping[str, Any], since: date, until: date | None = None, evidence: str
) -> bool:
    """Facts of a person from `since` (up to `until`); whether anything changed. A death is `record_death`."""
    found = locked_person(by, person)
    span = _span(since, until, on, evidence)
    if "death_date" in facts:
        raise BadInput("死亡不能作为一般变更登记", where="死亡日期", remedy="请办理死亡登记")
    values, owner = _checked(facts, _PERSON), {"person_id": found.pk}
    return revise(PersonFacts, owner, span, values, by=by, division=found.division, evidence=evidence)


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def record_death(
    *, by: Actor, on: date, person: int, died_on: date, evidence: str, new_head: int | None = None
) -> Person:
    """The person died: known from that day, no member from that day. A head with surviving members needs `new_head`.

    A household whose last member died is closed. Recording the same death again changes nothing.
    """
    found = locked_person(by, person)
    if found.closed_on == died_on:
        return found
    if found.closed_on is not None:
        raise AlreadyDone(f"已登记于 {found.closed_on} 死亡", remedy="日期有误请由上级更正")
    if died_on > on or died_on < found.birth_date:
        raise BadInput("死亡日期不成立", where="死亡日期", why="早于出生或晚于今天", remedy="请对照死亡证明")
    _span(died_on, None, on, evidence)
    values, owner = {"death_date": died_on}, {"person_id": found.pk}
    revise(PersonFacts, owner, Span(died_on), values, by=by, division=found.division, evidence=evidence)
    left = _membership(found.pk, died_on)
    end(Membership, owner, died_on)
    found.closed_on = died_on
    found.save(update_fields=["closed_on"])
    if left is not None:
        _settle_household(by, left, died_on, evidence, new_head)
    return found


def locked_household(by: Actor, household: int) -> Household:
    """The household, locked; NotRegistered when it is closed, is not there, or lies elsewhere."""
    found = Household.objects.select_for_update().filter(pk=household, closed_on=None).first()
    if found is None:
        raise NotRegistered("没有这一户", why="不存在、已经注销，或不在您的辖区内", remedy="请从名单中重新选择")
    require_place(by, found.division)
    return found


def locked_person(by: Actor, person: int) -> Person:
    found = Person.objects.select_for_update().filter(pk=person).first()
    if found is None:
        raise NotRegistered("没有这个人", why="不存在，或不在您的辖区内", remedy="请从名单中重新选择")
    require_place(by, found.division)
    return found


def _span(since: date, until: date | None, on: date, evidence: str) -> Span:
    if since > on:
        raise BadInput(f"{since} 还没有到", where="起始日期", remedy="请在变化发生后登记")
    if until is not None and until <= since:
        raise BadInput("截止不晚于起始", where="截止日期", remedy="请核对两个日期")
    if not evidence.strip():
        raise BadInput("没有依据", where="依据", remedy="请写明证明材料或入户核实情况")
    return Span(since, until)


def _checked(facts: Mapping[str, Any], known: Mapping[str, Fact]) -> dict[str, Any]:
    """Values as columns hold them; BadInput names the fact."""
    for code, value in facts.items():
        if code not in known:
            raise BadInput(
                f"没有“{code}”这一项", where="事实", remedy="可登记：" + "、".join(f.name for f in known.values())
            )
        if value is not None and not _fits(value, known[code]):
            raise BadInput(
                f"“{value}”不是{known[code].kind.value}", where=known[code].name, remedy=_remedy(known[code])
            )
    return dict(facts)


def _fits(value: Any, fact: Fact) -> bool:
    if fact.kind is Kind.FLAG:
        return isinstance(value, bool)
    if fact.kind is Kind.DATE:
        return isinstance(value, date)
    if fact.kind is Kind.CHOICE:
        return value in fact.choices
    limit = NUMBER_MAX if fact.kind in (Kind.MONEY, Kind.AREA) else 2**15 - 1
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= limit


def _remedy(fact: Fact) -> str:
    return "可选：" + "、".join(fact.choices) if fact.choices else "请核对后重新填写"


def _membership(person: int, day: date) -> Membership | None:
    rows = Membership.objects.filter(person=person, recorded_to=None).order_by("-valid_from")
    return next((row for row in rows if row.valid_to is None or row.valid_to > day), None)


def _settle_household(by: Actor, left: Membership, day: date, evidence: str, new_head: int | None) -> None:
    """Another head, or the end of the household, when its head has left."""
    remaining = Membership.objects.filter(household=left.household_id, recorded_to=None, valid_to=None)
    members = list(remaining.values_list("person_id", flat=True))
    if not members:
        Household.objects.filter(pk=left.household_id).update(closed_on=day)
        return
    if left.relation != "户主":
        return
    if new_head not in members:
        raise BadInput("户主去世，还没有新户主", where="新户主", remedy="请在其余成员中指定一人为户主")
    owner = {"person_id": new_head, "household_id": left.household_id}
    revise(Membership, owner, Span(day), {"relation": "户主"}, by=by, division=left.division, evidence=evidence)
