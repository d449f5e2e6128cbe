"""Cards, authorities, open matters and scans of a record that becomes part of another (REG-07, REG-08).

in    both sides as they were, and where the one person lives now
out   one account of his own in use; authorities without one for himself; open matters at the survivor

A card keeps its row, because lines name it: it changes its holder, or is 已更换. A household's card stays while its holder
is its head's record; where the head has left, the new head brings an account of his own.
"""

import json
from datetime import date

from django.db.models import Q

from huimin.database.personal import PAYLOAD, plain
from huimin.duplicates.comparing import Side, own_card
from huimin.duplicates.homes import Home, alone
from huimin.fieldwork.models import LowIncome, Signal
from huimin.organisation.acting import Actor
from huimin.registry.commands.cards import replace_card, supersede
from huimin.registry.commands.changes import people_named
from huimin.registry.models import Attachment, Card, CardAuthority, Household, ReportedChange, WorkItem
from huimin.screening.models import Proposal

LIVE = (Card.State.ACTIVE, Card.State.LOST)
_WHOLE = (ReportedChange.Kind.MOVE, ReportedChange.Kind.JOIN, ReportedChange.Kind.HEAD, ReportedChange.Kind.SPLIT)


def move_papers(
    by: Actor, on: date, left: Side, right: Side, home: Home, other_card_stays: bool, evidence: str
) -> list[str]:
    """What was done, a sentence each."""
    told = _own_cards(by, on, left, right, home, other_card_stays, evidence)
    told += _household_cards(by, on, left, right, home, evidence)
    told += _authorities(on, left, right)
    moved = WorkItem.objects.filter(person=right.person, state="open").update(person=left.person)
    told += [f"{moved} 件待核实事项转到保留的档案"] if moved else []
    told += _signals(left, right, home)
    Proposal.objects.filter(person=right.person, state=Proposal.State.OPEN).update(state=Proposal.State.SUPERSEDED)
    return told


def _own_cards(by: Actor, on: date, left: Side, right: Side, home: Home, other_stays: bool, evidence: str) -> list[str]:
    told = []
    mine, other = own_card(left.cards), own_card(right.cards)
    kept = other if other is not None and (mine is None or other_stays) else None
    if kept is not None and mine is not None:
        replace_card(by, _fresh(mine), on, evidence)
        told.append(f"尾号 {mine.account_tail} 的个人账户停用")
    for card in [card for card in right.cards if card.use == Card.Use.PERSON and card.state in LIVE]:
        if kept is not None and card.pk == kept.pk:
            place = home.stays.pk if home.stays else card.household_id
            supersede(by, _fresh(card), on, evidence, holder_id=left.person.pk, household_id=place)
            told.append(f"尾号 {card.account_tail} 的个人账户转到保留的档案")
        else:
            replace_card(by, _fresh(card), on, evidence)
            told.append(f"尾号 {card.account_tail} 的个人账户停用")
    return told


def _household_cards(by: Actor, on: date, left: Side, right: Side, home: Home, evidence: str) -> list[str]:
    told = []
    touched = {household.pk for household in home.touched}
    stays = home.stays.pk if home.stays else None
    for side in (left, right):
        for card in [card for card in side.cards if card.use == Card.Use.HOUSEHOLD and card.state in LIVE]:
            if card.household_id in touched and card.household_id != stays:
                replace_card(by, _fresh(card), on, evidence)
                told.append(f"尾号 {card.account_tail} 的户账户停用，持卡人已不在这一户")
            elif side is right:
                supersede(by, _fresh(card), on, evidence, holder_id=left.person.pk)
                told.append(f"尾号 {card.account_tail} 的户账户转到保留的档案")
    return told


def _signals(left: Side, right: Side, home: Home) -> list[str]:
    """Warnings still followed up; one that the survivor has too stays with the closed record."""
    told = []
    for row in (
        Signal.objects.filter(person=right.person).exclude(state=Signal.State.CLOSED).select_for_update(of=("self",))
    ):
        household = home.stays or row.household
        same = {"household": household, "person": left.person, "kind": row.kind, "happened_on": row.happened_on}
        if Signal.objects.filter(**same, basis=row.basis).exists():
            continue
        row.person, row.household, row.division = left.person, household, household.division
        row.save(update_fields=["person", "household", "division"])
        told.append(f"预警（{row.get_kind_display()}）转到保留的档案")
    return told


def _fresh(card: Card) -> Card:
    """As it is now: moving a person moves his cards."""
    return Card.objects.select_for_update().get(pk=card.pk)


def _authorities(on: date, left: Side, right: Side) -> list[str]:
    """Whoever drew for the other record draws for this one; nobody draws for himself."""
    told = []
    states = (CardAuthority.State.PROPOSED, CardAuthority.State.APPROVED)
    live = CardAuthority.objects.filter(Q(beneficiary=right.person) | Q(agent=right.person), state__in=states)
    for row in live.filter(valid_to__gt=on).select_for_update(of=("self",)):
        name = "beneficiary" if row.beneficiary_id == right.person.pk else "agent"
        other = row.agent_id if name == "beneficiary" else row.beneficiary_id
        waiting = CardAuthority.objects.filter(beneficiary=left.person, state="proposed")
        second = name == "beneficiary" and row.state == "proposed" and waiting.exists()
        if other == left.person.pk or second:
            row.state, row.refusal = CardAuthority.State.REVOKED, "并档：代领的就是本人，或已另有授权待审"
            row.save(update_fields=["state", "refusal"])
            told.append(f"授权 {row.paper_no} 撤销")
        else:
            setattr(row, name, left.person)
            row.save(update_fields=[name])
            told.append(f"授权 {row.paper_no} 转到保留的档案")
    return told


def close_household(by: Actor, on: date, ended: Household, stays: Household | None, evidence: str) -> list[str]:
    """What hung on the household as such: its account ends, its open proposals fall, its scans go with the person."""
    told = []
    for card in Card.objects.filter(household=ended, use=Card.Use.HOUSEHOLD, recorded_to=None, state__in=LIVE):
        replace_card(by, _fresh(card), on, evidence)
        told.append(f"尾号 {card.account_tail} 的户账户停用")
    Proposal.objects.filter(household=ended, person=None, state=Proposal.State.OPEN).update(
        state=Proposal.State.SUPERSEDED
    )
    LowIncome.objects.filter(household=ended, valid_to=None).update(valid_to=on)
    if stays is not None:
        there = Attachment.objects.filter(household=stays).values("sha256")
        scans = Attachment.objects.filter(household=ended).exclude(sha256__in=there)
        moved = scans.update(household=stays, division=stays.division)
        told += [f"{moved} 份扫描件转到 {stays.household_no} 户"] if moved else []
    return told


def hindering_changes(sides: list[Side]) -> list[ReportedChange]:
    """Changes under way that name one of them, or that move a whole household of theirs."""
    people = {side.person.pk for side in sides}
    homes = {side.membership.household_id: alone(side) for side in sides if side.membership}
    under_way = ReportedChange.objects.filter(household__in=homes, state__in=("reported", "entered"))
    return [
        row
        for row in under_way.order_by("id")[:100]
        if homes[row.household_id] or row.kind in _WHOLE or people & set(people_named(_payload(row)))
    ]


def _payload(row: ReportedChange) -> dict[str, object]:
    found: dict[str, object] = json.loads(plain(row.payload_enc, PAYLOAD))
    return found
