"""Looks at plain personal values, each recorded with its purpose (SEC-04, SEC-05).

in    which value of which row, and what for
out   the plain value, once; an Event LOOKED that names the row, never the value

Posts that do no business with people (bank, administrator) cannot look at all.
"""

from datetime import date

from django.db.models import TextChoices

from huimin.audit.models import Event
from huimin.database.bulk import fetch
from huimin.database.personal import ACCOUNT, ADDRESS, ID_NUMBER, PAYLOAD, PHONE, plain
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post

PURPOSE_MIN, PURPOSE_MAX = 2, 80
LOOKERS = tuple(post for post in Post if post not in (Post.BANK_OPERATOR, Post.ADMINISTRATOR))


class Looked(TextChoices):
    """What can be looked at; the row is a person, card, correction, household or work item."""

    ID_NUMBER = "id_number", "证件号码"
    ACCOUNT = "account", "账号"
    NEW_ACCOUNT = "new_account", "拟更正的账号"
    ADDRESS = "address", "住址"
    PHONE = "phone", "电话"
    WORK_ITEM = "work_item", "待核实的原始内容"


_WHERE = {
    Looked.ID_NUMBER: ("SELECT id_number_enc FROM registry_person WHERE id = %s", ID_NUMBER),
    Looked.ACCOUNT: ("SELECT account_enc FROM registry_card WHERE id = %s", ACCOUNT),
    Looked.NEW_ACCOUNT: ("SELECT account_enc FROM registry_cardcorrection WHERE id = %s", ACCOUNT),
    Looked.WORK_ITEM: ("SELECT payload_enc FROM registry_workitem WHERE id = %s", PAYLOAD),
}
_OF_HOUSEHOLD = (
    "SELECT {}_enc FROM registry_householdfacts WHERE household_id = %s AND recorded_to IS NULL"
    " ORDER BY valid_from DESC LIMIT 1"
)


class NothingToSee(Refusal):
    """There is no such value, or not in the actor's place."""


@command(*LOOKERS)
def look_at(*, by: Actor, on: date, what: str, row: int, purpose: str) -> str:
    """The plain value of `what` (a `Looked`) in `row`; BadInput without a purpose, NothingToSee without a value."""
    purpose = purpose.strip()
    if not PURPOSE_MIN <= len(purpose) <= PURPOSE_MAX:
        raise BadInput("没有写明用途", where="用途", remedy=f"请用 {PURPOSE_MIN} 至 {PURPOSE_MAX} 个字写明为什么要看")
    looked = Looked(what)
    if looked in (Looked.ADDRESS, Looked.PHONE):
        query, kind = _OF_HOUSEHOLD.format(looked.value), ADDRESS if looked is Looked.ADDRESS else PHONE
    else:
        query, kind = _WHERE[looked]
    found = fetch(query, [row])
    if not found or found[0][0] is None:
        raise NothingToSee(f"没有可看的{looked.label}", why="没有登记，或不在您的辖区内", remedy="请核对后再试")
    record_event(by, Event.Kind.LOOKED, f"{looked.value}:{row}", {"purpose": purpose, "on": on.isoformat()})
    return plain(found[0][0], kind)
