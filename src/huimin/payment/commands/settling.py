"""What follows from rows that were matched, whether an answer or a statement brought them (PAY-05, PAY-06).

in    the temporary table `matched` after its rows were settled
out   vouchers, batches and rosters in their new state, files confirmed
"""

from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import fetch
from huimin.funds.models import SpecialAccount
from huimin.ledger.commands import post_event
from huimin.ledger.models import Voucher
from huimin.organisation.acting import Actor
from huimin.payment.commands.withholding import post_offsets
from huimin.payment.models import Batch, ExchangeFile, Instruction, Roster, RosterLine

UNKNOWN_WORKING_DAYS = 2
RETURNED_DAYS = 10
_DIRECT = {Voucher.Event.SENT: Voucher.Event.SENT_DIRECT, Voucher.Event.RETURNED: Voucher.Event.RETURNED_DIRECT}
_SUMS_SETTLED = """
SELECT batch_id, coalesce(sum(sent_fen) FILTER (WHERE new_state = 'paid'), 0)::bigint,
       coalesce(sum(sent_fen) FILTER (WHERE new_state = 'returned'), 0)::bigint
FROM matched WHERE verdict = 'settle' GROUP BY batch_id
"""


def exception_days(by: Actor, on: date) -> dict[str, Any]:
    """When what is listed is due, and who listed it."""
    return {
        "on": on, "by": by.appointment, "returned_due": on + timedelta(days=RETURNED_DAYS),
        "soon": calendar_of(by.division).add(on, UNKNOWN_WORKING_DAYS),
    }  # fmt: skip


def post_settled(by: Actor, on: date, subject: str, batches: dict[int, Batch]) -> None:
    """Vouchers for what `matched` settled, one of each event a batch."""
    for number, paid_fen, returned_fen in fetch(_SUMS_SETTLED):
        batch = batches[number]
        own = subject if len(batches) == 1 else f"{subject}:{number}"
        for event, amount_fen in ((Voucher.Event.PAID, paid_fen), (Voucher.Event.RETURNED, returned_fen)):
            post_of_batch(by, on, batch, own, event, amount_fen)
    post_offsets(by, on, subject, batches)


def event_of(batch: Batch, event: Voucher.Event) -> Voucher.Event:
    """By the treasury's direct payment the money leaves and comes back to the treasury, not a special account (FUND-05)."""
    return _DIRECT.get(event, event) if batch.payer.kind == SpecialAccount.Kind.TREASURY else event


def post_of_batch(by: Actor, on: date, batch: Batch, subject: str, event: Voucher.Event, amount_fen: int) -> None:
    event = event_of(batch, event)
    if amount_fen:
        post_event(
            by=by, on=on, division=batch.division, event=event, subject=subject,
            summary=f"批次 {batch.batch_no} {event.label}", amount_fen=amount_fen, programme=batch.programme,
            reference=batch.batch_no,
        )  # fmt: skip


def confirm_sent(batch: Batch) -> Batch:
    """The bank has the file of this batch, as its answer shows; the file's state follows."""
    files = ExchangeFile.objects.filter(batch=batch, direction=ExchangeFile.Direction.OUT)
    files.exclude(state=ExchangeFile.State.CONFIRMED).update(
        state=ExchangeFile.State.CONFIRMED, confirmed_at=timezone.now(), last_error=""
    )
    return batch


def advance(on: date, batch: Batch) -> None:
    """The batch is answered when no instruction waits for the bank; the roster is settled when all its money arrived."""
    waiting = batch.instructions.filter(state__in=[Instruction.State.SENT, Instruction.State.UNKNOWN])
    if waiting.exists():
        return
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.ANSWERED, answered_on=on)
    settle_roster(batch.roster_id)


def settle_roster(roster_id: int) -> None:
    """Mark a roster settled when each of its lines is paid, withheld or given back for good, or stands on a later roster."""
    roster = Roster.objects.get(pk=roster_id)
    waiting = Q(state="withheld", withheld_reason__in=RosterLine.REISSUED_REASONS)
    done = Q(state__in=["paid", "withheld", "replaced"]) | Q(state="returned", withheld_reason=RosterLine.GIVEN_BACK)
    if not roster.lines.filter(~done | waiting).exists():
        Roster.objects.filter(pk=roster.pk).update(state=Roster.State.SETTLED)
