"""Who lives with whom: people come, leave, go to another household; households split, join and get another head (REG-05).

in    locked households and people; the day it happened; evidence
out   revised memberships, facts and places; every step runs inside the command that calls it

Always true: a person is in one household at a time; a household with members has one head from the day of the change;
one without members is closed; a person who leaves the county keeps his rows and is marked 迁出; the past stays.
Law: 皖政办〔2008〕23号 附件2 第31、33条; relations as GB/T 4761 groups them (kernel.facts.RELATIONS).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from huimin.database.bulk import fetch, run
from huimin.database.personal import ADDRESS, ID_NUMBER, PHONE, keyring, sealed
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.facts import RELATIONS
from huimin.kernel.identity import Identity, parse_identity
from huimin.kernel.names import unfit_in
from huimin.kernel.pinyin import person_key
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, refused_by_constraint, require_place
from huimin.registry.bitemporal import Span, end, revise
from huimin.registry.commands.facts import locked_household, locked_person
from huimin.registry.commands.freezing import freeze
from huimin.registry.models import Household, HouseholdFacts, Membership, Person, PersonFacts
from huimin.registry.queries import staying

HEAD = "户主"
NAME_MAX = 60


class AlreadyMember(Refusal):
    """The person belongs to a household already."""


class NoHead(Refusal):
    """A household would be left without a head."""


class SameIdentity(Refusal):
    """A living person has this identity number."""


refused_by_constraint(
    "person_identity_once", SameIdentity, "这个证件号码已由另一人使用", "请核对号码；确是同一人的，请办理迁入"
)
refused_by_constraint("person_in_one_household", AlreadyMember, "这个人在这段时间已在另一户", "请先办理迁出或迁入")


Relations = Mapping[int, str]
NOBODY: Relations = MappingProxyType({})


@dataclass(frozen=True)
class Step:
    """Who does it, on which business date, from which day it holds, and why."""

    by: Actor
    on: date
    since: date
    evidence: str


def present(household: int) -> dict[int, Membership]:
    """Members now, by person."""
    rows = Membership.objects.filter(household=household, recorded_to=None, valid_to=None)
    return {row.person_id: row for row in rows.order_by("person_id")}


def find_person(id_number: str, on: date) -> Person | None:
    """The living person with this number, or whose other record had it; BadIdentityNumber when it is none."""
    hashed = keyring().lookup(parse_identity(id_number, today=on).number, ID_NUMBER)
    same = Person.objects.filter(id_number_hash=hashed).select_related("merged_into")
    return same.filter(closed_on=None).first() or staying(
        same.filter(merged_into__isnull=False, merged_into__closed_on=None).first()
    )


def add_person(step: Step, household: Household, name: str, id_number: str, relation: str) -> Person:
    """A person new to the registry becomes a member; SameIdentity when a living person has the number."""
    name = checked_name(name)
    identity = parse_identity(id_number, today=step.on)
    if step.since < identity.birth_date:
        raise BadInput("早于出生日期", where="生效日期", remedy="请核对证件号码和日期")
    enc, hashed = sealed(identity.number, ID_NUMBER)
    person = Person.objects.create(
        name=name, name_pinyin=person_key(name)[:120], division=household.division, id_number_enc=enc,
        id_number_hash=hashed, sex=identity.sex, birth_date=identity.birth_date,
    )  # fmt: skip
    origin = {"evidence": step.evidence, "division": household.division}
    revise(PersonFacts, {"person_id": person.pk}, Span(step.since), {}, by=step.by, **origin)
    enter(step, household, person, relation)
    return person


def checked_name(name: str) -> str:
    name = "".join(name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise BadInput(f"姓名为空或超过 {NAME_MAX} 个字", where="姓名", remedy="请对照户口簿填写")
    if found := unfit_in(name):
        raise BadInput(found.what, where="姓名", why=found.why, remedy=found.remedy)
    return name


def enter(step: Step, household: Household, person: Person, relation: str) -> None:
    """The person is a member from that day; belongs to no household then, or AlreadyMember."""
    held = [row for row in _memberships(person.pk) if row.valid_to is None or row.valid_to > step.since]
    if any(row.household_id == household.pk and row.relation == relation for row in held):
        return
    if held and held[0].household_id != household.pk:
        raise AlreadyMember(
            f"{person.name}现在另一户", why="一个人同一时间只在一户", remedy="请先办理其迁出，或办理迁入"
        )
    _require_relation(relation)
    if relation == HEAD and any(row.relation == HEAD for row in present(household.pk).values()):
        raise BadInput("这一户已有户主", where="与户主关系", remedy="请先办理变更户主")
    owner = {"person_id": person.pk}
    values = {"household_id": household.pk, "relation": relation}
    revise(Membership, owner, Span(step.since), values, by=step.by, division=household.division, evidence=step.evidence)
    if person.division != household.division:
        place_people([person.pk], household.division)


def _require_relation(relation: str) -> None:
    if relation not in RELATIONS:
        raise BadInput(f"没有“{relation}”这种关系", where="与户主关系", remedy="可选：" + "、".join(RELATIONS))


def _memberships(person: int) -> list[Membership]:
    return list(Membership.objects.filter(person=person, recorded_to=None).order_by("-valid_from"))


def take_out(
    step: Step, household: Household, people: list[int], new_head: int | None = None, relations: Relations = NOBODY
) -> None:
    """These people are no members from that day; a head who leaves others behind needs `new_head`.

    `relations`: what those who stay are to the new head, where it differs.
    """
    members = present(household.pk)
    for person in people:
        _require_member(members, person)
        if step.since < members[person].valid_from:
            raise BadInput("早于入户日期", where="生效日期", remedy=f"入户于 {members[person].valid_from}，请核对日期")
        end(Membership, {"person_id": person}, step.since)
    left = {person: row for person, row in members.items() if person not in people}
    if not left:
        Household.objects.filter(pk=household.pk).update(closed_on=step.since)
    elif not any(row.relation == HEAD for row in left.values()):
        if new_head not in left:
            raise NoHead("户主离开后还没有新户主", remedy="请在留下的成员中指定一人为户主")
        make_head(step, household, new_head, {each: word for each, word in relations.items() if each in left})


def _require_member(members: Mapping[int, Membership], person: int) -> None:
    if person not in members:
        raise BadInput("不是这一户现在的成员", where="成员", remedy="请刷新后从成员中选择")


def depart(
    step: Step, household: Household, people: list[int], new_head: int | None = None, relations: Relations = NOBODY
) -> None:
    """These people left the county: no members, known as 迁出 from that day, their accounts frozen."""
    take_out(step, household, people, new_head, relations)
    for person in people:
        freeze(step.by, step.on, person, step.since, "迁出")
        revise(
            PersonFacts, {"person_id": person}, Span(step.since), {"moved_out_date": step.since}, by=step.by,
            division=household.division, evidence=step.evidence,
        )  # fmt: skip


def come_back(step: Step, person: Person) -> None:
    """Who had left is here again: 迁出日期 holds no more."""
    revise(
        PersonFacts, {"person_id": person.pk}, Span(step.since), {"moved_out_date": None}, by=step.by,
        division=person.division, evidence=step.evidence,
    )  # fmt: skip


def transfer(
    step: Step, source: Household, target: Household, relations: Mapping[int, str], new_head: int | None = None
) -> None:
    """People go from one household to another of the county."""
    if source.pk == target.pk:
        raise BadInput("迁出和迁入是同一户", where="迁入的户", remedy="请核对户编号")
    take_out(step, source, list(relations), new_head)
    for person, relation in relations.items():
        enter(step, target, locked_person(step.by, person), relation)


def make_head(step: Step, household: Household, head: int, relations: Mapping[int, str]) -> bool:
    """`head` is 户主 from that day; the old head and whoever is named get another relation. Whether anything changed."""
    members = present(household.pk)
    _require_member(members, head)
    wanted = {**relations, head: HEAD}
    for person, row in members.items():
        if row.relation == HEAD and person not in wanted:
            raise BadInput("没有写原户主与新户主的关系", where="与户主关系", remedy="请选择原户主与新户主的关系")
    if list(wanted.values()).count(HEAD) != 1:
        raise BadInput("一户只有一个户主", where="与户主关系", remedy="请只指定一人为户主")
    changed = False
    for person, relation in sorted(wanted.items()):
        _require_member(members, person)
        _require_relation(relation)
        values = {"household_id": household.pk, "relation": relation}
        changed |= revise(
            Membership, {"person_id": person}, Span(step.since), values, by=step.by, division=household.division,
            evidence=step.evidence,
        )  # fmt: skip
    return changed


def found_household(step: Step, division: str, address: str, phone: str) -> Household:
    """A new household under the next number of its village: 12 digits, a dash and a serial of four or more."""
    require_place(step.by, division)
    if get_division(division, step.on).level < Level.VILLAGE:
        raise BadInput("户应登记在村或村民组", where="地方", remedy="请选择村或村民组")
    if not address.strip():
        raise BadInput("没有住址", where="住址", remedy="请填写新户的住址")
    made = Household.objects.create(household_no=_next_number(division[:12]), division=division)
    values = {}
    for name, text, purpose in (("address", address, ADDRESS), ("phone", phone, PHONE)):
        if text.strip():
            values[f"{name}_enc"], values[f"{name}_hash"] = sealed(text.strip(), purpose)
    origin = {"evidence": step.evidence, "division": division}
    revise(HouseholdFacts, {"household_id": made.pk}, Span(step.since), values, by=step.by, **origin)
    return made


def _next_number(village: str) -> str:
    """One above the highest of the village, also of households that moved away or are closed; one founder at a time."""
    fetch("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"household_no:{village}"])
    found = fetch(
        "SELECT household_no FROM registry_household WHERE household_no >= %s AND household_no < %s"
        " AND substr(household_no, 13) ~ '^-?[0-9]{1,9}$'"
        " ORDER BY ltrim(substr(household_no, 13), '-')::bigint DESC LIMIT 1",
        [village, village + "~"],
    )
    last = found[0][0][12:].lstrip("-") if found else "0000"
    return f"{village}-{int(last) + 1:0{max(len(last), 4)}d}"


def place_people(people: list[int], division: str) -> None:
    """Rows of people follow them: the person, his facts and memberships, his own cards."""
    values = {"division": division, "people": people}
    run("UPDATE registry_person SET division = %(division)s WHERE id = ANY(%(people)s)", values)
    for table in ("registry_personfacts", "registry_membership"):
        run(f"UPDATE {table} SET division = %(division)s WHERE person_id = ANY(%(people)s)", values)  # noqa: S608
    run("UPDATE registry_card SET division = %(division)s WHERE use = 'person' AND holder_id = ANY(%(people)s)", values)
    follow_cards(people, division)


def follow_cards(people: list[int], division: str) -> None:
    """Authorities given by these people, and the hand-over register of their cards, go where they go."""
    values = {"division": division, "people": people}
    run("UPDATE registry_cardauthority SET division = %(division)s WHERE beneficiary_id = ANY(%(people)s)", values)
    run(
        "UPDATE registry_cardhandover h SET division = %(division)s FROM registry_card c"
        " WHERE c.id = h.card_id AND c.holder_id = ANY(%(people)s)",
        values,
    )


def correct_identity(step: Step, person: Person, name: str, id_number: str) -> bool:
    """Another spelling of the name or another number, as it should have been all along; whether anything changed.

    SameIdentity when a living person has the number. The change log keeps what stood before.
    """
    name = checked_name(name) if name.strip() else person.name
    identity = parse_identity(id_number, today=step.on) if id_number.strip() else None
    changed = _renamed(person, name) | _renumbered(person, identity)
    if changed:
        person.save()
    return changed


def _renamed(person: Person, name: str) -> bool:
    if person.name == name:
        return False
    person.name, person.name_pinyin = name, person_key(name)[:120]
    return True


def _renumbered(person: Person, identity: Identity | None) -> bool:
    if identity is None:
        return False
    enc, hashed = sealed(identity.number, ID_NUMBER)
    if bytes(person.id_number_hash) == hashed:
        return False
    person.id_number_enc, person.id_number_hash = enc, hashed
    person.sex, person.birth_date = identity.sex, identity.birth_date
    return True


def household_by_number(step: Step, number: str) -> Household:
    """The open household with this number, locked; BadInput when there is none in the place."""
    found = Household.objects.filter(household_no="".join(number.split()), closed_on=None).first()
    if found is None:
        raise BadInput("没有这个户编号", where="迁入的户", remedy="请核对户编号；在其他乡镇的，由县惠民办办理")
    return locked_household(step.by, found.pk)
