"""Reads of the registry: find, list, and one household as it was on any day, known at any moment (REG-04, REG-05).

Call inside `reading(by)`: the database shows only the place of `by`, and nothing at all to a bank. Personal values come
out masked; facts of health and disability only to posts that need them (`showing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import localtime

from huimin.database.paging import SIZE, Page, cut
from huimin.database.personal import ADDRESS, ID_NUMBER, PHONE, keyring, plain
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Entity, Fact
from huimin.kernel.identity import parse_identity
from huimin.kernel.masking import HIDDEN, mask_address, mask_identity, mask_phone
from huimin.organisation.acting import Actor
from huimin.registry.added import of_entity, value_of
from huimin.registry.models import (
    ELSEWHERE,
    Card,
    CardCorrection,
    Household,
    HouseholdFacts,
    Membership,
    Person,
    PersonFacts,
    WorkItem,
)
from huimin.registry.showing import Shown, show
from huimin.registry.snapshots import NotRegistered

HEAD = "户主"
_LAST = "\U0010ffff"
COMMON = 3_000  # people; looking so many up takes about as long as walking to the first page of those who are more


@dataclass(frozen=True)
class HouseholdFilter:
    """Which households: beneath `prefix` (never empty), a member's name or the number beginning so, with open items.

    `letters` is a name as it is typed in letters, whole (zhangwei) or by initials (zw), from its beginning; `tail` the
    last four digits of a card in use.
    """

    prefix: str
    name: str = ""
    letters: str = ""
    number: str = ""
    tail: str = ""
    open_items: bool = False
    on: date | None = None


@dataclass(frozen=True)
class Member:
    """One member on the day: identity number masked."""

    person: Person
    relation: str
    id_number: str
    facts: list[Shown]


@dataclass(frozen=True)
class HouseholdState:
    """A household on a day, as known at a moment (None: now)."""

    household: Household
    on: date
    known_at: datetime | None
    facts: list[Shown]
    address: str
    phone: str
    evidence: str
    since: date
    members: list[Member]
    cards: list[Card]
    work_items: list[WorkItem]

    @property
    def head(self) -> Member | None:
        return next((member for member in self.members if member.relation == HEAD), None)


def holding_days(on: date) -> Q:
    """Rows whose days include `on`."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def holding(on: date, known_at: datetime | None = None) -> Q:
    """Rows that hold on `on` and were known at `known_at` (None: are known now)."""
    world = holding_days(on)
    if known_at is None:
        return world & Q(recorded_to=None)
    return world & Q(recorded_from__lte=known_at) & (Q(recorded_to=None) | Q(recorded_to__gt=known_at))


def find_by_identity_number(text: str, today: date) -> Person | None:
    """The living person with this number, else whoever died last with it; BadIdentityNumber when it is none.

    The number of a record that was merged leads to the record that stayed.
    """
    hashed = keyring().lookup(parse_identity(text, today=today).number, ID_NUMBER)
    same = Person.objects.filter(id_number_hash=hashed)
    closed = same.filter(closed_on__isnull=False).select_related("merged_into").order_by("-closed_on")
    return same.filter(closed_on=None).first() or staying(closed.first())


def staying(person: Person | None) -> Person | None:
    """The record a merged one leads to; any other is its own."""
    return person.merged_into if person is not None and person.merged_into_id else person


def find_household_of(person: int, on: date) -> Household | None:
    """The household the person belongs to on `on`."""
    held = Membership.objects.filter(holding(on), person=person).select_related("household").first()
    return held.household if held else None


def list_households(wanted: HouseholdFilter, place: str = "", size: int = SIZE) -> Page[Household]:
    """A page by division and id; each with `head_name`, `members_count` and `open_items`."""
    page = cut(_chosen(wanted), ("division", "id"), place, size)
    on = wanted.on or date.max.replace(month=1)
    rows = {row.pk: row for row in _with_counts(page.rows, on)}
    return Page([rows[row.pk] for row in page.rows], page.previous, page.next)


def count_households(wanted: HouseholdFilter) -> int:
    """How many; takes a fifth of a second for a whole county, so pages show it only where it is asked for."""
    return _chosen(wanted).count()


def _chosen(wanted: HouseholdFilter) -> QuerySet[Household]:
    assert wanted.prefix, "a list has a place"
    households = Household.objects.filter(division__gte=wanted.prefix, division__lt=wanted.prefix + "~", closed_on=None)
    if wanted.number:
        households = households.filter(household_no__gte=wanted.number, household_no__lt=wanted.number + "~")
    if wanted.name:
        households = _named(households, Q(name__gte=wanted.name, name__lt=wanted.name + _LAST))
    if wanted.letters:
        spelled = _beginning("name_typed", wanted.letters) | _beginning("name_initials", wanted.letters)
        households = _named(households, spelled)
    if wanted.tail:
        cards = Card.objects.filter(account_tail=wanted.tail, recorded_to=None, state=Card.State.ACTIVE)
        households = households.filter(pk__in=cards.values("household"))
    if wanted.open_items:
        households = households.filter(Exists(WorkItem.objects.filter(household=OuterRef("pk"), state="open")))
    return households


def _named(households: QuerySet[Household], called: Q) -> QuerySet[Household]:
    """Those with a member who is called so. A rare name is looked up and leads to its households; of a common one (a
    surname's people in a county are tens of thousands) the households are walked in their order until a page is full."""
    people = Person.objects.filter(called)
    members = Membership.objects.filter(recorded_to=None, valid_to=None)
    if people[: COMMON + 1].count() <= COMMON:
        return households.filter(pk__in=members.filter(person__in=people).values("household"))
    theirs = members.filter(person__in=people, household=OuterRef("pk"))
    return households.alias(one_called_so=Subquery(theirs.values("pk")[:1])).filter(one_called_so__isnull=False)


def _beginning(column: str, text: str) -> Q:
    return Q(**{f"{column}__gte": text, f"{column}__lt": text + "~"})


def _with_counts(rows: list[Household], on: date) -> QuerySet[Household]:
    members = Membership.objects.filter(holding(on), household=OuterRef("pk"))
    counted = members.order_by().values("household").annotate(n=Count("pk")).values("n")
    open_items = WorkItem.objects.filter(household=OuterRef("pk"), state="open")
    return Household.objects.filter(pk__in=[row.pk for row in rows]).annotate(
        head_name=Subquery(members.filter(relation=HEAD).values("person__name")[:1]),
        members_count=Subquery(counted),
        open_items=Exists(open_items),
    )


def get_household(
    household: int, by: Actor, on: date, known_at: datetime | None = None, added: Sequence[Fact] = ()
) -> HouseholdState:
    """The household on `on` as known at `known_at`; NotRegistered when it was not there, or lies elsewhere.

    `added` facts (policy.queries.added_facts) stand after those of the dictionary.
    """
    found = Household.objects.filter(pk=household).first()
    known = HouseholdFacts.objects.filter(holding(on, known_at), household=household).first()
    if found is None or known is None or (found.closed_on is not None and found.closed_on <= on):
        known_then = f"按 {localtime(known_at):%Y-%m-%d} 已知的，" if known_at else ""
        raise NotRegistered(
            f"{known_then}{on} 没有登记这一户", why="当日尚未登记或录入、已经注销，或不在您的辖区内",
            remedy="请核对户编号和日期",
        )  # fmt: skip
    return HouseholdState(
        household=found,
        on=on,
        known_at=known_at,
        facts=[show(fact, getattr(known, fact.code), by) for fact in HOUSEHOLD_FACTS]
        + [show(fact, value_of(known.added, fact), by) for fact in of_entity(added, Entity.HOUSEHOLD)],
        address=mask_address(plain(known.address_enc, ADDRESS)) if known.address_enc else "",
        phone=mask_phone(plain(known.phone_enc, PHONE)) if known.phone_enc else "",
        evidence=known.evidence,
        since=known.valid_from,
        members=_members(household, by, on, known_at, of_entity(added, Entity.PERSON)),
        cards=_cards(household, on, known_at),
        work_items=list(WorkItem.objects.filter(household=household).order_by("-state", "id")[:100]),
    )


def state_on(household: int, by: Actor, day: date) -> HouseholdState:
    """The household on a past day, by what we know now."""
    return get_household(household, by, day)


def _members(household: int, by: Actor, on: date, known_at: datetime | None, added: Sequence[Fact]) -> list[Member]:
    held = Membership.objects.filter(holding(on, known_at), household=household).select_related("person")
    rows = sorted(held, key=lambda row: (row.relation != HEAD, row.person.birth_date, row.person_id))
    people = [row.person_id for row in rows]
    facts = {f.person_id: f for f in PersonFacts.objects.filter(holding(on, known_at), person__in=people)}
    return [_member(row, facts.get(row.person_id), by, added) for row in rows]


def _member(row: Membership, known: PersonFacts | None, by: Actor, added: Sequence[Fact]) -> Member:
    person = row.person
    shown = [show(fact, getattr(known, fact.code, None), by) for fact in PERSON_FACTS if fact.code not in ELSEWHERE]
    shown += [show(fact, value_of(known.added if known else {}, fact), by) for fact in added]
    return Member(person, row.relation, mask_identity(plain(person.id_number_enc, ID_NUMBER)), shown)


def _cards(household: int, on: date, known_at: datetime | None) -> list[Card]:
    """Cards of the household and of its members, in use on the day or not; `masked` is the account for the eye."""
    known = Q(recorded_to=None) if known_at is None else holding(on, known_at)
    cards = list(
        Card.objects.filter(known, household=household, valid_from__lte=on)
        .select_related("holder")
        .order_by("use", "-id")
    )
    for card in cards:
        card.masked = f"{HIDDEN}{card.account_tail}"  # type: ignore[attr-defined]
    return cards


def list_work_items(
    prefix: str, *, kind: str = "", state: str = "open", place: str = "", size: int = SIZE
) -> Page[WorkItem]:
    """A page of work items beneath `prefix`, oldest first, with their households."""
    items = WorkItem.objects.filter(division__gte=prefix, division__lt=prefix + "~").select_related("household")
    if kind:
        items = items.filter(kind=kind)
    if state:
        items = items.filter(state=state)
    return cut(items, ("id",), place, size)


def count_work_items(prefix: str) -> dict[str, int]:
    """Open ones by kind."""
    items = WorkItem.objects.filter(division__gte=prefix, division__lt=prefix + "~", state="open")
    return dict(items.values_list("kind").annotate(n=Count("pk")).order_by("kind"))


def list_card_corrections(
    prefix: str, *, state: str = CardCorrection.State.PROPOSED, place: str = "", size: int = SIZE
) -> Page[CardCorrection]:
    """A page of corrections beneath `prefix`, oldest first, with holder, household and old card."""
    related = ("holder", "household", "old_card", "new_card")
    found = CardCorrection.objects.filter(division__gte=prefix, division__lt=prefix + "~").select_related(*related)
    return cut(found.filter(state=state) if state else found, ("id",), place, size)
