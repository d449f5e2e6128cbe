"""Two records side by side: what each says, where they differ, and what hangs on each (REG-04).

in    two people; who looks, on which day
out   `Side` for each, and the fields a merge has to choose between

Personal values come masked; facts of health only to posts that need them. Inside `reading(by)` or a command.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from huimin.casework.models import CareAgreement, Entitlement
from huimin.database.personal import ID_NUMBER, plain
from huimin.kernel.facts import PERSON_FACTS, Entity, Fact
from huimin.kernel.masking import HIDDEN, mask_identity
from huimin.organisation.acting import Actor
from huimin.payment.models import RosterLine
from huimin.policy.queries import added_facts
from huimin.registry.added import of_entity, value_of
from huimin.registry.models import (
    ELSEWHERE,
    Attachment,
    Card,
    CardAuthority,
    Membership,
    Person,
    PersonFacts,
    WorkItem,
)
from huimin.registry.queries import holding
from huimin.registry.showing import UNASKED, show

SURVIVOR, ABSORBED = "survivor", "absorbed"
ROWS_MAX = 50
_FACTS = tuple(fact for fact in PERSON_FACTS if fact.code not in ELSEWHERE)


@dataclass(frozen=True)
class Side:
    """One record and what hangs on it."""

    person: Person
    id_number: str
    membership: Membership | None
    facts: PersonFacts | None
    cards: list[Card]
    authorities: list[CardAuthority]
    entitlements: list[Entitlement]
    lines: list[RosterLine]
    agreements: list[CareAgreement]
    attachments: list[Attachment]
    items: list[WorkItem]
    earlier: list[Membership]


@dataclass(frozen=True)
class Field:
    """One thing both records say: its texts, whether they differ, and whether somebody has to choose.

    `default` is whose value stays when nobody chooses: the survivor's, where he has one.
    """

    code: str
    label: str
    left: str
    right: str
    differs: bool
    choosable: bool
    default: str = SURVIVOR


def side_of(person: Person, on: date) -> Side:
    held = (
        Membership.objects.filter(person=person, recorded_to=None).select_related("household").order_by("-valid_from")
    )
    rows = list(held[:ROWS_MAX])
    now = next((row for row in rows if row.valid_to is None), None)
    household = now.household_id if now else None
    return Side(
        person=person,
        id_number=mask_identity(plain(person.id_number_enc, ID_NUMBER)),
        membership=now,
        facts=PersonFacts.objects.filter(holding(on), person=person).first(),
        cards=list(Card.objects.filter(holder=person, recorded_to=None).order_by("-id")[:ROWS_MAX]),
        authorities=list(
            CardAuthority.objects.filter(Q(beneficiary=person) | Q(agent=person))
            .select_related("beneficiary", "agent")
            .order_by("-id")[:ROWS_MAX]
        ),
        entitlements=list(Entitlement.objects.filter(person=person).order_by("-id")[:ROWS_MAX]),
        lines=list(
            RosterLine.objects.filter(Q(person=person) | Q(payee=person))
            .select_related("roster")
            .order_by("-id")[:ROWS_MAX]
        ),
        agreements=list(CareAgreement.objects.filter(person=person).order_by("-id")[:ROWS_MAX]),
        attachments=list(Attachment.objects.filter(household=household).order_by("-id")[:ROWS_MAX])
        if household
        else [],
        items=list(WorkItem.objects.filter(person=person).order_by("-id")[:ROWS_MAX]),
        earlier=[row for row in rows if row.valid_to is not None],
    )


def fields_of(by: Actor, left: Side, right: Side, *, choosing: bool = True) -> list[Field]:
    """Who they are, where they belong, what is known of them; what differs first within each group."""
    found = [
        _plain("name", "姓名", left.person.name, right.person.name),
        _identity(left, right),
        _plain("sex", "性别", left.person.sex, right.person.sex, choosable=False),
        _plain("born", "出生日期", str(left.person.birth_date), str(right.person.birth_date), choosable=False),
        _membership(left, right),
        _card(left, right),
    ]
    return [each for each in found if each is not None] + _known(by, left, right)


def _plain(code: str, label: str, left: str, right: str, *, choosable: bool = True) -> Field:
    return Field(code, label, left, right, left != right, choosable and left != right)


def _identity(left: Side, right: Side) -> Field:
    differs = bytes(left.person.id_number_hash) != bytes(right.person.id_number_hash)
    return Field("identity", "证件号码", left.id_number, right.id_number, differs, differs)


def _membership(left: Side, right: Side) -> Field:
    mine, other = _place(left), _place(right)
    default = SURVIVOR if left.membership else ABSORBED
    return Field(
        "membership", "所在的户", mine, other, mine != other, bool(left.membership and right.membership), default
    )


def _place(side: Side) -> str:
    row = side.membership
    return f"{row.household.household_no} {row.relation}" if row else "不在任何一户"


def _card(left: Side, right: Side) -> Field | None:
    mine, other = own_card(left.cards), own_card(right.cards)
    if mine is None and other is None:
        return None
    told = [f"{HIDDEN}{card.account_tail} {card.get_state_display()}" if card else "无" for card in (mine, other)]
    default = SURVIVOR if mine else ABSORBED
    return Field("card", "个人账户", *told, told[0] != told[1], bool(mine and other), default)


def own_card(cards: Sequence[Card]) -> Card | None:
    """The person's own account in use or lost."""
    live = [
        card for card in cards if card.use == Card.Use.PERSON and card.state in (Card.State.ACTIVE, Card.State.LOST)
    ]
    return next(iter(sorted(live, key=lambda card: (card.state != Card.State.ACTIVE, -card.pk))), None)


def _known(by: Actor, left: Side, right: Side) -> list[Field]:
    found = []
    for fact, mine, other in fact_values(left, right):
        if mine is None and other is None:
            continue
        shown = [show(fact, value, by) for value in (mine, other)]
        default = ABSORBED if mine is None else SURVIVOR
        both = mine is not None and other is not None
        texts = [each.text if each.text != UNASKED else "—" for each in shown]
        differs = both and mine != other
        found.append(Field(f"fact:{fact.code}", fact.name, *texts, differs, differs, default))
    return sorted(found, key=lambda each: not each.differs)


def fact_values(left: Side, right: Side) -> list[tuple[Fact, Any, Any]]:
    """Each fact with what either record says; the county's own facts among them."""
    added = of_entity(added_facts(left.person.division), Entity.PERSON)
    found = [(fact, getattr(left.facts, fact.code, None), getattr(right.facts, fact.code, None)) for fact in _FACTS]
    ours, theirs = (side.facts.added if side.facts else {} for side in (left, right))
    return found + [(fact, value_of(ours, fact), value_of(theirs, fact)) for fact in added]
