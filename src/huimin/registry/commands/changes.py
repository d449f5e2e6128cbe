"""A reported change (变更事项) read and done: from what a form or a drawer of paper says to the steps that do it (REG-05).

in    the kind, the household, `payload` (plain JSON values), the day, evidence; the facts the county added
out   the registry changed; which households it touched; a sentence for lists, without personal values

payload by kind; people are ids of present members, relations are to the (new) head:

    birth · arrival   name, id_number, relation                    arrival of somebody known from elsewhere: a transfer
    death             person, [new_head, relations, survivor]
    marriage          person, [spouse_name, spouse_number, relation]    with a relation the spouse moves in
    divorce           person, [other], [leaves, to ("away" or a household number), relation, new_head, relations]
    departure         people, [to (a household number), relations, new_head]
    move              division and address, or away
    split             people, head, division, address, phone, relations, [new_head]
    join              to, relations
    head              head, relations
    facts             household {code: value}, people {id: {code: value}}, [address, phone], [new members], [since …]
    identity          person, [name, id_number]

Doing the same again changes nothing: each step compares with what is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.kernel.errors import BadInput
from huimin.kernel.facts import FACTS, Fact, Kind
from huimin.kernel.masking import mask_name
from huimin.organisation.acting import Actor
from huimin.registry.commands import families
from huimin.registry.commands.facts import (
    die,
    locked_household,
    locked_person,
    revise_household,
    revise_person,
    span_of,
)
from huimin.registry.commands.families import HEAD, Step
from huimin.registry.commands.moving import relocate
from huimin.registry.models import Household, Person, ReportedChange

Kinds = ReportedChange.Kind
SPOUSE = "配偶"
AWAY = "away"


@dataclass(frozen=True)
class Doing:
    """One change being done; `touched` gathers the households it changes."""

    step: Step
    household: Household
    payload: Mapping[str, Any]
    added: Sequence[Fact]
    touched: set[int]

    def person(self, name: str = "person") -> Person:
        return locked_person(self.step.by, self.member(name))

    def member(self, name: str) -> int:
        """A present member named in the payload; BadInput otherwise."""
        number = self.payload.get(name)
        if not isinstance(number, int) or number not in families.present(self.household.pk):
            raise BadInput("没有选成员", where="成员", remedy="请从这一户现在的成员中选择")
        return number

    def optional(self, name: str) -> int | None:
        number = self.payload.get(name)
        return number if isinstance(number, int) else None

    def text(self, name: str) -> str:
        return str(self.payload.get(name) or "").strip()

    @property
    def relations(self) -> dict[int, str]:
        found = self.payload.get("relations") or {}
        return {int(person): str(word) for person, word in found.items() if word}


def apply_change(
    *,
    by: Actor,
    on: date,
    kind: str,
    household: int,
    payload: Mapping[str, Any],
    effective_on: date,
    evidence: str,
    added: Sequence[Fact] = (),
) -> tuple[int, ...]:
    """Do it, inside the caller's transaction; ids of the households it touched, the given one first.

    BadInput, NotRegistered, NotYourPlace, AlreadyMember, NoHead, SameIdentity, AlreadyDone.
    """
    span_of(effective_on, None, on, evidence)
    doing = Doing(Step(by, on, effective_on, evidence.strip()), locked_household(by, household), payload, added, set())
    _DOES[kind](doing)
    return (household, *sorted(doing.touched - {household}))


def _birth(doing: Doing) -> None:
    """A child that is known already and lives here is no second child."""
    known = families.find_person(doing.text("id_number"), doing.step.on)
    if known is not None and known.pk in families.present(doing.household.pk):
        return
    families.add_person(
        doing.step, doing.household, doing.text("name"), doing.text("id_number"), doing.text("relation")
    )


def _death(doing: Doing) -> None:
    step, person = doing.step, locked_person(doing.step.by, doing.optional("person") or 0)
    if person.closed_on is None:
        doing.member("person")
    die(
        step.by,
        step.on,
        person,
        step.since,
        step.evidence,
        doing.optional("new_head"),
        doing.relations,
        doing.optional("survivor"),
    )


def _arrival(doing: Doing) -> None:
    _take_in(doing, doing.text("name"), doing.text("id_number"), doing.text("relation"))


def _take_in(doing: Doing, name: str, id_number: str, relation: str) -> Person:
    """Somebody new, or known from elsewhere, becomes a member."""
    step = doing.step
    known = families.find_person(id_number, step.on)
    if known is None:
        return families.add_person(step, doing.household, name, id_number, relation)
    known = locked_person(step.by, known.pk)
    if known.name != families.checked_name(name):
        raise BadInput("这个证件号码登记的是另一个姓名", where="姓名", remedy="请核对；姓名有误的先办理更正")
    if known.pk not in families.present(doing.household.pk):
        _leave_former(doing, known)
        families.come_back(step, known)
        families.enter(step, doing.household, known, relation)
    return known


def _leave_former(doing: Doing, known: Person) -> None:
    former = known.memberships.filter(recorded_to=None, valid_to=None).select_related("household").first()
    if former is not None:
        source = locked_household(doing.step.by, former.household_id)
        doing.touched.add(source.pk)
        families.take_out(doing.step, source, [known.pk], doing.optional("former_head"))


def _marriage(doing: Doing) -> None:
    couple = [doing.person()]
    if doing.text("spouse_number"):
        couple.append(_spouse(doing))
    elif doing.optional("spouse"):
        couple.append(doing.person("spouse"))
    for each in couple:
        _tell(doing, each, {"marital": "已婚"})


def _spouse(doing: Doing) -> Person:
    """Who moves in becomes a member; who lives elsewhere in the county is only known to be married."""
    if doing.text("relation"):
        return _take_in(doing, doing.text("spouse_name"), doing.text("spouse_number"), doing.text("relation"))
    known = families.find_person(doing.text("spouse_number"), doing.step.on)
    if known is None:
        raise BadInput("配偶不在册，又没有迁入", where="与户主关系", remedy="迁入的请选关系；不迁入的不填配偶号码")
    return locked_person(doing.step.by, known.pk)


def _divorce(doing: Doing) -> None:
    couple = [doing.person()] + ([doing.person("other")] if doing.optional("other") else [])
    for each in couple:
        _tell(doing, each, {"marital": "离异"})
    if doing.optional("leaves"):
        leaver = doing.member("leaves")
        _send(doing, {leaver: doing.text("relation")}, doing.text("to"))


def _send(doing: Doing, leaving: dict[int, str], to: str) -> None:
    """People leave for another household of the county, or for somewhere else."""
    step, head = doing.step, doing.optional("new_head")
    if to and to != AWAY:
        target = families.household_by_number(step, to)
        doing.touched.add(target.pk)
        families.transfer(step, doing.household, target, leaving, head)
    else:
        families.depart(step, doing.household, list(leaving), head, doing.relations)


def _departure(doing: Doing) -> None:
    people = [int(each) for each in doing.payload.get("people") or []]
    if not people:
        raise BadInput("没有选迁出的人", where="成员", remedy="请勾选迁出的成员；全户迁出请都勾上")
    own = doing.relations
    _send(doing, {each: own.get(each, "其他") for each in people}, doing.text("to"))


def _move(doing: Doing) -> None:
    step = doing.step
    if doing.payload.get("away"):
        families.depart(step, doing.household, sorted(families.present(doing.household.pk)))
        return
    relocate(
        step.by, step.on, doing.household, doing.text("division"), doing.text("address"), step.since, step.evidence
    )


def _split(doing: Doing) -> None:
    people = [int(each) for each in doing.payload.get("people") or []]
    head = doing.optional("head")
    if not people or head not in people:
        raise BadInput("新户没有户主", where="新户户主", remedy="请在分出去的人中指定一人为户主")
    if len(people) >= len(families.present(doing.household.pk)):
        raise BadInput("原户没有人留下", where="成员", remedy="全户迁走请办理全户迁移，分户应有人留下")
    step = doing.step
    made = families.found_household(step, doing.text("division"), doing.text("address"), doing.text("phone"))
    doing.touched.add(made.pk)
    own = doing.relations
    relations = {
        each: HEAD if each == head else own.get(each, "其他") for each in sorted(people, key=lambda p: p != head)
    }
    families.take_out(step, doing.household, people, doing.optional("new_head"), own)
    for person, relation in relations.items():
        families.enter(step, made, locked_person(step.by, person), relation)


def _join(doing: Doing) -> None:
    target = families.household_by_number(doing.step, doing.text("to"))
    doing.touched.add(target.pk)
    own = doing.relations
    people = sorted(families.present(doing.household.pk))
    relations = {each: own.get(each, "其他") for each in people}
    if HEAD in relations.values():
        raise BadInput("并入的户已有户主", where="与户主关系", remedy="请选择每个人与那一户户主的关系")
    families.transfer(doing.step, doing.household, target, relations)


def _head(doing: Doing) -> None:
    families.make_head(doing.step, doing.household, doing.member("head"), doing.relations)


def apply_facts(doing: Doing) -> None:
    """Facts of the household and its people, and people who are new to it; also a step of a new household's survey."""
    step, payload = doing.step, doing.payload
    told = _typed(payload.get("household") or {}, doing.added)
    told |= {name: payload[name] for name in ("address", "phone") if name in payload}
    if told:
        revise_household(step.by, doing.household, step.on, told, step.since, None, step.evidence, doing.added)
    members = families.present(doing.household.pk)
    for number, facts in sorted((payload.get("people") or {}).items()):
        if int(number) not in members:
            raise BadInput("不是这一户现在的成员", where="成员", remedy="请刷新后重新填写")
        _tell(doing, locked_person(step.by, int(number)), _typed(facts, doing.added))
    for each in payload.get("new") or []:
        person = _take_in(doing, each["name"], each["id_number"], each["relation"])
        _tell(doing, person, _typed(each.get("facts") or {}, doing.added))


def _tell(doing: Doing, person: Person, facts: Mapping[str, Any]) -> None:
    step = doing.step
    if facts:
        revise_person(step.by, person, step.on, facts, step.since, None, step.evidence, doing.added)


def _typed(facts: Mapping[str, Any], added: Sequence[Fact]) -> dict[str, Any]:
    """Days from their ISO text; everything else is in the system's form already."""
    days = {fact.code for fact in (*FACTS, *added) if fact.kind is Kind.DATE}
    return {
        code: date.fromisoformat(value) if code in days and isinstance(value, str) else value
        for code, value in facts.items()
    }


def _identity(doing: Doing) -> None:
    if not doing.text("name") and not doing.text("id_number"):
        raise BadInput("没有写更正后的姓名或号码", where="更正内容", remedy="请至少填写一项")
    families.correct_identity(doing.step, doing.person(), doing.text("name"), doing.text("id_number"))


_DOES: dict[str, Callable[[Doing], None]] = {
    Kinds.BIRTH: _birth, Kinds.DEATH: _death, Kinds.MARRIAGE: _marriage, Kinds.DIVORCE: _divorce,
    Kinds.ARRIVAL: _arrival, Kinds.DEPARTURE: _departure, Kinds.MOVE: _move, Kinds.SPLIT: _split, Kinds.JOIN: _join,
    Kinds.HEAD: _head, Kinds.FACTS: apply_facts, Kinds.IDENTITY: _identity,
}  # fmt: skip


def people_named(payload: Mapping[str, Any]) -> list[int]:
    """Everybody in the registry whom the payload names."""
    single = [payload.get(name) for name in ("person", "spouse", "other", "leaves", "head", "new_head", "survivor")]
    listed = [*(payload.get("people") or [])]
    return sorted({int(each) for each in (*single, *listed) if each})


def summary_of(kind: str, payload: Mapping[str, Any], names: Mapping[int, str], added: Sequence[Fact] = ()) -> str:
    """One line for a list: whom it is about, masked; which facts, without their values."""
    who = [names[each] for each in people_named(payload) if each in names]
    new = [str(payload[name]) for name in ("name", "spouse_name") if payload.get(name) and kind != Kinds.IDENTITY]
    new += [str(each["name"]) for each in payload.get("new") or []]
    words = [mask_name("".join(each.split())) for each in (*who, *new)]
    codes = {*(payload.get("household") or {})}
    if isinstance(payload.get("people"), Mapping):
        codes |= {code for facts in payload["people"].values() for code in facts}
    facts = [fact.name for fact in (*FACTS, *added) if fact.code in codes]
    told = "、".join(words) + ("：" if words and facts else "") + "、".join(facts)
    return f"{Kinds(kind).label}　{told}"[:300].strip()
