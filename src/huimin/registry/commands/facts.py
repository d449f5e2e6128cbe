"""What is known of households and people changes, or was wrong: with its day, its evidence, who reported it (REG-05).

in    facts by code (kernel.facts, and those the county added, which the caller names), the day they hold from, for a correction also the day they hold until; evidence
out   revised rows (`registry.bitemporal`); a death also ends the membership, gives the household another head, widows the
      spouse and freezes accounts (`freezing`)

None as a value means "not known after all". Reported by the village's information officer or the township's clerk
(皖政办〔2008〕23号 附件2 第31条).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from huimin.database.personal import ADDRESS, PHONE, sealed
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact
from huimin.organisation.acting import Actor, AlreadyDone, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.added import of_entity, require_fits, stored
from huimin.registry.bitemporal import Span, end, revise
from huimin.registry.commands.freezing import freeze
from huimin.registry.models import Household, HouseholdFacts, Membership, Person, PersonFacts
from huimin.registry.snapshots import NotRegistered

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
    added: Sequence[Fact] = (),
) -> bool:
    """Facts of a household from `since` (up to `until`), "address" and "phone" among them; whether anything changed.

    `added`: the facts the county has besides the dictionary's (policy.queries.added_facts).
    """
    return revise_household(by, locked_household(by, household), on, facts, since, until, evidence, added)


def revise_household(
    by: Actor,
    found: Household,
    on: date,
    facts: Mapping[str, Any],
    since: date,
    until: date | None,
    evidence: str,
    added: Sequence[Fact] = (),
) -> bool:
    """The step of `record_household_facts` for commands that have locked the household."""
    span = span_of(since, until, on, evidence)
    values: dict[str, Any] = {}
    for name in [name for name in facts if name in _SEALED]:
        text = str(facts[name] or "").strip()
        values[f"{name}_enc"], values[f"{name}_hash"] = sealed(text, _SEALED[name]) if text else (None, None)
    plain = {name: value for name, value in facts.items() if name not in _SEALED}
    values |= _checked(plain, _HOUSEHOLD, of_entity(added, Entity.HOUSEHOLD))
    owner = {"household_id": found.pk}
    return revise(HouseholdFacts, owner, span, values, by=by, division=found.division, evidence=evidence)


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def record_person_facts(
    *,
    by: Actor,
    on: date,
    person: int,
    facts: Mapping[str, Any],
    since: date,
    until: date | None = None,
    evidence: str,
    added: Sequence[Fact] = (),
) -> bool:
    """Facts of a person from `since` (up to `until`); whether anything changed. A death is `record_death`."""
    if "death_date" in facts:
        raise BadInput("死亡不能作为一般变更登记", where="死亡日期", remedy="请办理死亡登记")
    return revise_person(by, locked_person(by, person), on, facts, since, until, evidence, added)


def revise_person(
    by: Actor,
    found: Person,
    on: date,
    facts: Mapping[str, Any],
    since: date,
    until: date | None,
    evidence: str,
    added: Sequence[Fact] = (),
) -> bool:
    """The step of `record_person_facts` for commands that have locked the person."""
    span = span_of(since, until, on, evidence)
    values, owner = _checked(facts, _PERSON, of_entity(added, Entity.PERSON)), {"person_id": found.pk}
    return revise(PersonFacts, owner, span, values, by=by, division=found.division, evidence=evidence)


@command(Post.INFORMATION_OFFICER, Post.CLERK)
def record_death(
    *, by: Actor, on: date, person: int, died_on: date, evidence: str, new_head: int | None = None
) -> Person:
    """The person died: known from that day, no member from that day. A head with surviving members needs `new_head`.

    A household whose last member died is closed. Recording the same death again changes nothing.
    """
    return die(by, on, locked_person(by, person), died_on, evidence, new_head)


def die(
    by: Actor,
    on: date,
    found: Person,
    died_on: date,
    evidence: str,
    new_head: int | None = None,
    relations: Mapping[int, str] | None = None,
    survivor: int | None = None,
) -> Person:
    """The step of `record_death`; `relations`: what the survivors are to the new head, where it differs; `survivor`: who

    is widowed, where that is not the head's spouse or the spouse's head.
    """
    if found.closed_on == died_on:
        return found
    if found.closed_on is not None:
        raise AlreadyDone(f"已登记于 {found.closed_on} 死亡", remedy="日期有误请由上级更正")
    if died_on > on or died_on < found.birth_date:
        raise BadInput("死亡日期不成立", where="死亡日期", why="早于出生或晚于今天", remedy="请对照死亡证明")
    span_of(died_on, None, on, evidence)
    values, owner = {"death_date": died_on}, {"person_id": found.pk}
    revise(PersonFacts, owner, Span(died_on), values, by=by, division=found.division, evidence=evidence)
    left = _membership(found.pk, died_on)
    _widow(by, found, left, died_on, evidence, survivor)
    freeze(by, on, found.pk, died_on, "死亡")
    end(Membership, owner, died_on)
    found.closed_on = died_on
    found.save(update_fields=["closed_on"])
    if left is not None:
        _settle_household(by, left, died_on, evidence, new_head, relations or {})
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


def span_of(since: date, until: date | None, on: date, evidence: str) -> Span:
    if since > on:
        raise BadInput(f"{since} 还没有到", where="起始日期", remedy="请在变化发生后登记")
    if until is not None and until <= since:
        raise BadInput("截止不晚于起始", where="截止日期", remedy="请核对两个日期")
    if not evidence.strip():
        raise BadInput("没有依据", where="依据", remedy="请写明证明材料或入户核实情况")
    return Span(since, until)


def _checked(facts: Mapping[str, Any], own: Mapping[str, Fact], added: Sequence[Fact]) -> dict[str, Any]:
    """Values as columns hold them, those of added facts under "added"; BadInput names the fact."""
    known = {**own, **{fact.code: fact for fact in added if fact.code not in own}}
    for code, value in facts.items():
        if code not in known:
            names = "、".join(fact.name for fact in known.values())
            raise BadInput(f"没有“{code}”这一项", where="事实", remedy=f"可登记：{names}")
        require_fits(value, known[code])
    values = {code: value for code, value in facts.items() if code in own}
    others = {code: stored(value) for code, value in facts.items() if code not in own}
    return values | ({"added": others} if others else {})


def _membership(person: int, day: date) -> Membership | None:
    rows = Membership.objects.filter(person=person, recorded_to=None).order_by("-valid_from")
    return next((row for row in rows if row.valid_to is None or row.valid_to > day), None)


def _widow(by: Actor, dead: Person, left: Membership | None, day: date, evidence: str, survivor: int | None) -> None:
    """丧偶 for who is named, else for the other of head and spouse; not for who is known to be no longer married."""
    if left is None:
        return
    others = Membership.objects.filter(household=left.household_id, recorded_to=None, valid_to=None).exclude(
        person=dead
    )
    couple = {"户主": "配偶", "配偶": "户主"}.get(left.relation, "")
    chosen = others.filter(person=survivor) if survivor else others.filter(relation=couple)
    people = list(chosen.values_list("person_id", flat=True)[:2])
    known = PersonFacts.objects.filter(person__in=people, recorded_to=None, valid_to=None).first()
    if survivor and not people:
        raise BadInput("丧偶的人不是这一户现在的成员", where="丧偶的人", remedy="请从成员中选择")
    if len(people) == 1 and (survivor or known is None or known.marital in (None, "已婚")):
        owner = {"person_id": people[0]}
        revise(PersonFacts, owner, Span(day), {"marital": "丧偶"}, by=by, division=left.division, evidence=evidence)


def _settle_household(
    by: Actor, left: Membership, day: date, evidence: str, new_head: int | None, relations: Mapping[int, str]
) -> None:
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
    wanted = {person: word for person, word in relations.items() if person in members} | {new_head: "户主"}
    for person, relation in sorted(wanted.items()):
        owner = {"person_id": person, "household_id": left.household_id}
        revise(Membership, owner, Span(day), {"relation": relation}, by=by, division=left.division, evidence=evidence)
