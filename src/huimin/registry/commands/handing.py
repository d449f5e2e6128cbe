"""The hand-over register (领卡登记): who received a card, as what, signed where, on which day (REG-07).

Always true: a card is handed over once; only to its holder, or to who holds an authority for him that day; without a
note of the signature nothing is registered. A lost, closed or replaced card is handed to nobody.
"""

from datetime import date

from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, AlreadyDone, command
from huimin.organisation.posts import Post
from huimin.registry.commands.authorities import MayNotDraw, State, require_ordinary
from huimin.registry.commands.cards import locked_card
from huimin.registry.commands.families import find_person
from huimin.registry.models import Card, CardAuthority, CardHandover
from huimin.registry.queries import holding_days

_RECEIVED = ("received_by", "authority", "signature", "handed_on", "entered_by")


@command(Post.CLERK)
def hand_over_card(
    *, by: Actor, on: date, card: int, receiver_number: str, signature: str, handed_on: date
) -> CardHandover:
    """The person with `receiver_number` (empty: the holder himself) received the card and signed."""
    found = locked_card(by, card)
    row = CardHandover.objects.select_for_update().filter(card=found).first()
    if row is not None and row.handed_on is not None:
        raise AlreadyDone(f"这张卡已于 {row.handed_on} 领取", remedy="请在领卡登记中查看")
    if found.state not in (Card.State.ACTIVE, Card.State.PENDING):
        raise BadInput(f"“{found.get_state_display()}”的卡不能发放", where="卡", remedy="请核对卡的状态")
    if not signature.strip():
        raise BadInput("没有写明签名", where="签名", remedy="请写明签收单编号，谁签的字或按的手印")
    if handed_on > on or (handed_on < found.valid_from and row is not None):
        raise BadInput("领取日期不对", where="领取日期", remedy="不晚于今天，不早于发卡")
    receiver, authority = _receiver(found, receiver_number, on, handed_on)
    row = row or CardHandover(card=found, division=found.division)
    row.received_by_id, row.authority = receiver, authority
    row.signature, row.handed_on, row.entered_by = signature.strip()[:120], handed_on, by.appointment
    row.save(update_fields=None if row.pk is None else _RECEIVED)
    return row


def _receiver(card: Card, number: str, on: date, day: date) -> tuple[int, CardAuthority | None]:
    person = find_person(number, on) if number.strip() else card.holder
    if person is None:
        raise BadInput("没有这个证件号码的人", where="领取人", remedy="请核对号码")
    if person.pk == card.holder_id:
        return person.pk, None
    held = CardAuthority.objects.filter(
        holding_days(day), beneficiary=card.holder_id, agent=person, state=State.APPROVED
    ).first()
    if held is None:
        raise MayNotDraw(
            f"{person.name}没有在案有效的授权", why="卡只交给本人，或持授权书的监护人、代领人", remedy="请先备案授权书"
        )
    if held.kind == CardAuthority.Kind.PROXY:
        require_ordinary(person, day)
    return person.pk, held
