"""Households and members of a place as of any day, as known on any day, by what is known of them (REG-01, REG-05, REG-04).

in    a ListFilter: place, day, moment of record (None: now), conditions on facts of the dictionary or the county's own
out   pages of households in the order of their place, each with its head, its members and the chosen facts, as `by` may
      see them

A list of people is a list of households with the people of each that answer the conditions. Call inside `reading(by)`.
Limits: a place is where the household is today, whatever the day; at most CONDITIONS_MAX conditions at a time. Speed: a
page without conditions costs what a page of households costs; with conditions, in a county, about what reading one
table of facts through costs, since what a county added is in no index.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from huimin.database.paging import SIZE, Page, cut
from huimin.database.personal import ID_NUMBER, plain
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact, Kind
from huimin.kernel.masking import mask_identity
from huimin.organisation.acting import Actor
from huimin.registry.added import stored, value_of
from huimin.registry.models import ELSEWHERE, Household, HouseholdFacts, Membership, PersonFacts
from huimin.registry.queries import HEAD, holding
from huimin.registry.showing import Shown, show

CONDITIONS_MAX = 2
EXPORT_MAX = 100_000
_WALK = 500
_NARROW = 9
"""From a township down the households of a place are few enough to be asked one by one."""


@dataclass(frozen=True)
class Condition:
    """`how` is is, least, most, known or unknown; `value` in the system's form."""

    fact: Fact
    how: str
    value: Any = None


@dataclass(frozen=True)
class ListFilter:
    """Which households or people: beneath `prefix` (never empty), as of `on`, as known at `known_at`."""

    prefix: str
    on: date
    known_at: datetime | None = None
    conditions: tuple[Condition, ...] = ()

    def of(self, entity: Entity) -> list[Condition]:
        return [each for each in self.conditions if each.fact.entity is entity]


@dataclass(frozen=True)
class PersonRow:
    """One member on the day; `facts` are the chosen ones, in their order."""

    person: int
    name: str
    relation: str
    sex: str
    birth_date: date
    id_number: str
    facts: list[Shown]


@dataclass(frozen=True)
class HouseholdRow:
    """One household on the day; `members` are those that answer the conditions on people."""

    household: Household
    head: str
    count: int
    facts: list[Shown]
    members: list[PersonRow]


def list_on(
    wanted: ListFilter,
    by: Actor,
    facts: Sequence[Fact] = (),
    *,
    members: bool = False,
    place: str = "",
    size: int = SIZE,
) -> tuple[Page[Household], list[HouseholdRow]]:
    """(page, its rows); `members` fills in the people. A row each household."""
    page = cut(_chosen(wanted), ("division", "id"), place, size)
    return page, rows_of(wanted, by, list(page), facts, members=members)


def iterate_on(
    wanted: ListFilter, by: Actor, facts: Sequence[Fact] = (), *, members: bool = False
) -> Iterator[HouseholdRow]:
    """All of them, for an export; at most EXPORT_MAX households."""
    at = ""
    for _ in range(EXPORT_MAX // _WALK):
        page, rows = list_on(wanted, by, facts, members=members, place=at, size=_WALK)
        yield from rows
        at = page.next
        if not at:
            return


def _chosen(wanted: ListFilter) -> "QuerySet[Household]":
    assert wanted.prefix, "a list has a place"
    held = holding(wanted.on, wanted.known_at)
    here = Household.objects.filter(division__gte=wanted.prefix, division__lt=wanted.prefix + "~")
    here = here.filter(Exists(Membership.objects.filter(held, household=OuterRef("pk"))))
    if wanted.known_at is None:
        here = here.filter(Q(closed_on=None) | Q(closed_on__gt=wanted.on))
    narrow = len(wanted.prefix) >= _NARROW
    for each in wanted.of(Entity.HOUSEHOLD):
        known = HouseholdFacts.objects.filter(held & _meets(each))
        here = _among(here, known, "household", narrow)
    if wanted.of(Entity.PERSON):
        here = _among(here, _people(wanted, held), "household", narrow)
    return here


def _among(here: "QuerySet[Household]", rows: "QuerySet[Any]", column: str, narrow: bool) -> "QuerySet[Household]":
    if narrow:
        return here.filter(Exists(rows.filter(**{column: OuterRef("pk")})))
    return here.filter(pk__in=rows.values(column))


def _people(wanted: ListFilter, held: Q) -> "QuerySet[Membership]":
    """Memberships of people that answer the conditions on people."""
    rows = Membership.objects.filter(held)
    narrow = len(wanted.prefix) >= _NARROW
    for each in wanted.of(Entity.PERSON):
        if each.fact.code in ELSEWHERE:
            name = "relation" if each.fact.code == "relation" else f"person__{each.fact.code}"
            rows = rows.filter(_compared(name, each))
            continue
        known = PersonFacts.objects.filter(held & _meets(each))
        if narrow:
            rows = rows.filter(Exists(known.filter(person=OuterRef("person"))))
        else:
            rows = rows.filter(person__in=known.values("person"))
    return rows


_BUILT_IN = frozenset(fact.code for fact in (*HOUSEHOLD_FACTS, *PERSON_FACTS))


def _meets(condition: Condition) -> Q:
    code = condition.fact.code
    if code in _BUILT_IN:
        return _compared(code, condition)
    if condition.how == "unknown":
        return ~Q(added__has_key=code)
    if condition.how == "known":
        return Q(added__has_key=code)
    value = stored(condition.value)
    # Compared in the JSON itself: numbers as numbers, dates as their ISO text.
    return Q(**{f"added__{code}{_LOOKUP[condition.how]}": value})


_LOOKUP = {"is": "", "least": "__gte", "most": "__lte"}


def _compared(name: str, condition: Condition) -> Q:
    if condition.how in ("known", "unknown"):
        return Q(**{f"{name}__isnull": condition.how == "unknown"})
    return Q(**{f"{name}{_LOOKUP[condition.how]}": condition.value})


def rows_of(
    wanted: ListFilter, by: Actor, households: list[Household], facts: Sequence[Fact], *, members: bool
) -> list[HouseholdRow]:
    """The rows of some households: four queries, however many."""
    ids, held = [row.pk for row in households], holding(wanted.on, wanted.known_at)
    living = list(Membership.objects.filter(held, household__in=ids).select_related("person"))
    known = {row.household_id: row for row in HouseholdFacts.objects.filter(held, household__in=ids)}
    meant = living
    if members and wanted.of(Entity.PERSON):
        meant = list(_people(wanted, held).filter(household__in=ids).select_related("person"))
    told = _told(wanted, by, meant, facts) if members else {}
    own = [fact for fact in facts if fact.entity is Entity.HOUSEHOLD]
    return [
        HouseholdRow(
            row,
            next((each.person.name for each in living if each.household_id == row.pk and each.relation == HEAD), ""),
            sum(each.household_id == row.pk for each in living),
            [show(fact, _value(known.get(row.pk), fact), by) for fact in own],
            told.get(row.pk, []),
        )
        for row in households
    ]


def _told(wanted: ListFilter, by: Actor, rows: list[Membership], facts: Sequence[Fact]) -> dict[int, list[PersonRow]]:
    held, people = holding(wanted.on, wanted.known_at), [row.person_id for row in rows]
    known = {row.person_id: row for row in PersonFacts.objects.filter(held, person__in=people)}
    found: dict[int, list[PersonRow]] = {}
    for row in sorted(rows, key=lambda each: (each.relation != HEAD, each.person.birth_date, each.person_id)):
        person = row.person
        shown = [
            show(fact, _value(known.get(row.person_id), fact), by) for fact in facts
            if fact.entity is Entity.PERSON and fact.code not in ELSEWHERE
        ]  # fmt: skip
        number = mask_identity(plain(person.id_number_enc, ID_NUMBER))
        found.setdefault(row.household_id, []).append(
            PersonRow(person.pk, person.name, row.relation, person.sex, person.birth_date, number, shown)
        )
    return found


def _value(row: Any, fact: Fact) -> Any:
    if row is None:
        return None
    return getattr(row, fact.code) if fact.code in _BUILT_IN else value_of(row.added, fact)


def comparable(fact: Fact) -> bool:
    """Whether at least and at most make sense."""
    return fact.kind in (Kind.INT, Kind.MONEY, Kind.AREA, Kind.DATE)
