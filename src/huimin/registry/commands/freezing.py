"""Who died or left the county is paid nothing more: his accounts freeze, authorities by and to him end (REG-07, PAY-08).

in    a person, the day, what happened in words; a step of the command that records the death or departure
out   cards 已冻结 with the reason; authorities 已撤销 with the reason; set-wise

Always true: a frozen card keeps what was known of it before in a copy, as every change of a card does; it thaws only by
`change_card_state`, for a living person who is a member again. A household whose head's card froze is paid once its next
head has an account; the frozen card is what that one replaces, so that the cooling time counts.
"""

from datetime import date

from huimin.database.bulk import fetch, run
from huimin.organisation.acting import Actor
from huimin.registry.commands.cooling import COPIED
from huimin.registry.models import CardAuthority

_HELD = "SELECT id FROM registry_card WHERE holder_id = %s AND recorded_to IS NULL AND state IN ('active', 'lost', 'pending')"


def freeze(by: Actor, on: date, person: int, since: date, what: str) -> None:
    """From `since` nothing goes to accounts of `person` or through him; `what` happened (死亡, 迁出)."""
    reason = f"{since} {what}"
    ids = [row[0] for row in fetch(_HELD, [person])]
    if ids:
        run(f"INSERT INTO registry_card ({COPIED}, recorded_to) SELECT {COPIED}, now() FROM registry_card WHERE id = ANY(%s)", [ids])  # noqa: S608  # fmt: skip
        run(
            "UPDATE registry_card SET state = 'frozen', valid_to = greatest(%s, valid_from), evidence = %s, reported_by = %s,"
            " recorded_from = transaction_timestamp() WHERE id = ANY(%s)",
            [since, f"持卡人 {reason}", by.appointment, ids],
        )
    open_states = (CardAuthority.State.PROPOSED, CardAuthority.State.APPROVED)
    for side, who in (("beneficiary", "本人"), ("agent", "领取人")):
        CardAuthority.objects.filter(**{side: person}, state__in=open_states).update(
            state=CardAuthority.State.REVOKED, refusal=f"{who} {reason}", decided_by=by.appointment, decided_on=on
        )
