"""Cards: their state, and the correction of an account under four eyes (REG-07, PAY-06).

in    a township's report that a card is lost, closed or found; a clerk's proposal of another account
out   the card's state; a correction proposed, then approved (old card replaced, new one in use) or refused by a reviewer

Always true: who approves did not propose (also held by the database); the account is in the holder's own name; a
household's card is its head's; an account in use has one holder. A card keeps its row, because payments name it; what
was known of it before stands in a copy with its recorded range closed.

An approved correction waits for the county's cooling time as 待启用 (`cooling`).

    active ──► lost ──► active · closed         any of them ──► frozen (`freezing`) ──► closed, active for who came back
       └─────► closed                          and active · lost ──► replaced, by a correction only
"""

import re
from datetime import date, timedelta
from typing import Any

from huimin.database.bulk import run
from huimin.database.personal import ACCOUNT, sealed
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.cooling import COPIED, cooling_days
from huimin.registry.commands.facts import locked_person
from huimin.registry.models import RECORDED, Card, CardCorrection, Membership, Person
from huimin.registry.snapshots import NotRegistered

State = Card.State
_MAY_BECOME = {
    (State.ACTIVE, State.LOST),
    (State.ACTIVE, State.CLOSED),
    (State.LOST, State.ACTIVE),
    (State.LOST, State.CLOSED),
    (State.FROZEN, State.ACTIVE),
    (State.FROZEN, State.CLOSED),
}
_IN_PLACE = (State.ACTIVE, State.LOST, State.FROZEN)
"""States of a card that another one would replace."""
_ACCOUNT = re.compile(r"[0-9]{10,30}")


class CardInUse(Refusal):
    """The account, or the place of the one card, is taken."""


class NotOwnAccount(Refusal):
    """The account is not in the holder's own name, or the holder may not have this kind of card."""


for _name, _what in (
    ("card_of_one_holder", "这个账号已是另一张在用的卡"),
    ("household_one_card", "这一户已有一张在用的卡"),
    ("person_one_card", "这个人已有一张在用的卡"),
):
    refused_by_constraint(_name, CardInUse, _what, "请先核对并办理原卡的销户、挂失或更正")
refused_by_constraint("correction_needs_two_people", SamePerson, "提出更正的人不能审核", "请由另一位审核员办理")
refused_by_constraint("correction_open_once", AlreadyDone, "这张卡已有待审核的更正", "请等待审核，或先退回原更正")


@command(Post.CLERK, Post.SETTLEMENT)
def change_card_state(*, by: Actor, on: date, card: int, state: str, evidence: str) -> Card:
    """The card is lost, closed, or found again, from `on`; the state it already has changes nothing."""
    found = locked_card(by, card)
    if found.state == state:
        return found
    if (found.state, state) not in _MAY_BECOME:
        label = State(state).label if state in State.values else state
        raise BadInput(
            f"“{found.get_state_display()}”的卡不能改为“{label}”", where="卡状态", remedy="换账号请办理账户更正"
        )
    if not evidence.strip():
        raise BadInput("没有依据", where="依据", remedy="请写明挂失或销户的凭据")
    if state == State.ACTIVE:
        _require_here(found.holder)
    return _supersede(by, found, state, on, evidence)


@command(Post.CLERK)
def propose_card_correction(
    *, by: Actor, on: date, holder: int, use: str, account: str, account_name: str, reason: str
) -> CardCorrection:
    """Propose another account for the holder's card of `use` ("household" or "person"); a reviewer decides."""
    person = locked_person(by, holder)
    household = _household_of(person, use, on)
    account = "".join(account.split())
    if not _ACCOUNT.fullmatch(account):
        raise BadInput("账号不是 10 至 30 位数字", where="新账号", remedy="请对照银行卡核对")
    if account_name.strip() != person.name:
        raise NotOwnAccount("户名与持卡人姓名不一致", why="补贴只发到本人账户", remedy="请提供本人名下的账号")
    if not reason.strip():
        raise BadInput("没有更正原因", where="更正原因", remedy="请写明原因，如原卡已销户")
    encrypted, hashed = sealed(account, ACCOUNT)
    old = _current(person, use, household)
    if old is not None and bytes(old.account_hash) == hashed and old.state == State.ACTIVE:
        raise AlreadyDone("新账号与在用的账号相同", remedy="无需更正")
    taken = Card.objects.filter(account_hash=hashed, recorded_to=None, state__in=(State.ACTIVE, State.PENDING)).exclude(
        pk=old.pk if old else 0
    )
    if taken.exists():
        raise CardInUse("这个账号已是另一张在用的卡", remedy="请核对账号，或先办理原卡的更正")
    return CardCorrection.objects.create(
        division=person.division,
        use=use,
        holder=person,
        household_id=household,
        old_card=old,
        account_enc=encrypted,
        account_hash=hashed,
        account_tail=account[-4:],
        account_name=person.name,
        reason=reason.strip()[:200],
        proposed_by=by.appointment,
        proposed_on=on,
    )


@command(Post.REVIEWER)
def approve_card_correction(*, by: Actor, on: date, correction: int) -> CardCorrection:
    """Approved: after the county's cooling time, at once without one, the old card is replaced and the new one in use.

    A first account has nothing to replace and does not wait.
    """
    found = _open_correction(by, correction)
    old = locked_card(by, found.old_card_id) if found.old_card_id else None
    _require_here(found.holder)
    changes = old is not None and old.state in _IN_PLACE
    wait = cooling_days(found.division) if changes else 0
    if changes and not wait:
        _supersede(by, old, State.REPLACED, on, f"账户更正 {found.pk}")
    found.effective_on = on + timedelta(days=wait)
    card = _new_card(found, State.PENDING if wait else State.ACTIVE, old.bank_office_id if old else None)
    content = {"holder": found.holder_id, "use": found.use, "account": bytes(found.account_hash).hex()}
    subject = f"card_correction:{found.pk}"
    sign(by=by, on=on, act="审核账户更正", subject=subject, content_digest=digest(content), division=found.division)
    found.state, found.new_card = CardCorrection.State.APPROVED, card
    found.approved_by, found.approved_on = by.appointment, on
    found.save(update_fields=["state", "new_card", "approved_by", "approved_on", "effective_on"])
    return found


def _new_card(found: CardCorrection, state: str, bank_office: int | None) -> Card:
    return Card.objects.create(
        division=found.division,
        valid_from=found.effective_on,
        evidence=f"账户更正 {found.pk}",
        reported_by=found.proposed_by,
        use=found.use,
        holder_id=found.holder_id,
        household_id=found.household_id,
        account_enc=found.account_enc,
        account_hash=found.account_hash,
        account_tail=found.account_tail,
        account_name=found.account_name,
        bank_office_id=bank_office,
        state=state,
    )


@command(Post.REVIEWER)
def refuse_card_correction(*, by: Actor, on: date, correction: int, refusal: str) -> CardCorrection:
    """The correction is refused with the reason the clerk is told; the card stays as it is."""
    found = _open_correction(by, correction)
    if not refusal.strip():
        raise BadInput("没有退回原因", where="退回原因", remedy="请写明不予更正的原因")
    found.state, found.refusal = CardCorrection.State.REFUSED, refusal.strip()[:200]
    found.approved_by, found.approved_on = by.appointment, on
    found.save(update_fields=["state", "refusal", "approved_by", "approved_on"])
    return found


def locked_card(by: Actor, card: int) -> Card:
    found = Card.objects.select_for_update().filter(pk=card, recorded_to=None).first()
    if found is None:
        raise NotRegistered("没有这张卡", why="不存在，或不在您的辖区内", remedy="请从名单中重新选择")
    require_place(by, found.division)
    return found


def _require_here(holder: Person) -> None:
    """Who draws lives, and belongs to a household."""
    if holder.closed_on is not None:
        raise NotOwnAccount(
            f"{holder.name}已于 {holder.closed_on} 死亡", why="死者名下的账户不再发放", remedy="请由新户主办理"
        )
    if not Membership.objects.filter(person=holder, recorded_to=None, valid_to=None).exists():
        raise NotOwnAccount(f"{holder.name}现不在任何一户", why="迁出的人不再发放", remedy="回来的请先办理迁入")


def _open_correction(by: Actor, correction: int) -> CardCorrection:
    found = CardCorrection.objects.select_for_update().filter(pk=correction).first()
    if found is None:
        raise NotRegistered("没有这份账户更正", why="不存在，或不在您的辖区内", remedy="请从待办中重新选择")
    require_place(by, found.division)
    if found.state != CardCorrection.State.PROPOSED:
        raise AlreadyDone(f"这份更正已是“{found.get_state_display()}”", remedy="请刷新后查看")
    require_another(by, found.proposed_by, "提出更正")
    return found


def _household_of(person: Person, use: str, on: date) -> int | None:
    """The household a card of `use` is for; NotOwnAccount when the person cannot have such a card."""
    if use not in Card.Use.values:
        raise BadInput(f"没有“{use}”这种卡", where="用途", remedy="可选：户、人")
    held = Membership.objects.filter(person=person, recorded_to=None, valid_from__lte=on, valid_to=None).first()
    if held is None:
        raise NotRegistered(f"{person.name}现不在任何一户", remedy="请先登记其所在的户")
    if use == Card.Use.HOUSEHOLD and held.relation != "户主":
        raise NotOwnAccount("户的卡应在户主名下", why="一户一卡，户主持有", remedy="请由户主提供账号，或先变更户主")
    return held.household_id


def _current(person: Person, use: str, household: int | None) -> Card | None:
    """The card in use, or lost, that a new one would replace; of a household whoever held it."""
    cards = Card.objects.filter(recorded_to=None, use=use, state__in=_IN_PLACE)
    cards = cards.filter(household=household) if use == Card.Use.HOUSEHOLD else cards.filter(holder=person)
    return cards.order_by("state", "-id").first()


def supersede(by: Actor, card: Card, on: date, evidence: str, **owner: int | None) -> Card:
    """The card is somebody else's from `on` (`holder_id`, `household_id`); a copy keeps what was known until now."""
    for name, value in owner.items():
        setattr(card, name, value)
    run(_COPY, [card.pk])
    card.save(update_fields=[name.removesuffix("_id") for name in owner])
    return _retold(by, card, card.state, on, evidence)


def supersede_to(number: int, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Put the columns of a card back to `before` where they still say `after`; a copy keeps what was known until now."""
    card = Card.objects.select_for_update().get(pk=number)
    if any(str(getattr(card, name) or "") != str(value or "") for name, value in after.items() if name in _TELLING):
        return False
    run(_COPY, [card.pk])
    for name, value in before.items():
        setattr(card, name, Card._meta.get_field(name.removesuffix("_id")).to_python(value))
    card.recorded_from = RECORDED
    card.save(update_fields=[*(name.removesuffix("_id") for name in before), "recorded_from"])
    return True


_TELLING = ("state", "holder_id", "household_id")


def replace_card(by: Actor, card: Card, on: date, evidence: str) -> Card:
    """The card is 已更换 from `on`: another of the same person, or of his household, is in use."""
    return _supersede(by, card, State.REPLACED, on, evidence)


def _supersede(by: Actor, card: Card, state: str, on: date, evidence: str) -> Card:
    """The row takes the new state from `on`; a copy keeps what was known until now."""
    run(_COPY, [card.pk])
    return _retold(by, card, state, on, evidence)


def _retold(by: Actor, card: Card, state: str, on: date, evidence: str) -> Card:
    card.state = state
    card.valid_to = None if state == State.ACTIVE else on
    card.recorded_from = RECORDED
    card.evidence, card.reported_by = evidence[:120], by.appointment
    card.save(update_fields=["state", "valid_to", "recorded_from", "evidence", "reported_by"])
    card.refresh_from_db()
    return card


_COPY = (
    f"INSERT INTO registry_card ({COPIED}, recorded_to)"  # noqa: S608
    f" SELECT {COPIED}, now() FROM registry_card WHERE id = %s"
)
