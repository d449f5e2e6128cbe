"""A change of one entitlement that a person raises because the law has it decided, not computed (DET-06, CASE-09, SEC-02).

in    an entitlement in force, the amount it should be (0: it ends), who raised it and when, what for
out   a proposal of a run that names this household alone, decided in the same transaction as every proposal is: signature,
      decision, entitlement from the first of the month after

The run keeps a snapshot of the household, so that what it drew then can be compared later, but determined nothing: it has no
policy versions, and `screen prove` leaves it alone (screening.models.Run.raised). The proposal is never open beyond the transaction.
"""

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from huimin.casework.commands import decide_chosen
from huimin.casework.models import Decision, Entitlement
from huimin.casework.screening import granted_of
from huimin.kernel.money import yuan
from huimin.organisation.acting import Actor
from huimin.policy.queries import added_facts
from huimin.registry.snapshots import columns_of
from huimin.screening.commands import snapshot_folder
from huimin.screening.models import Proposal, Run
from huimin.screening.snapshots import Snapshot, save


@dataclass(frozen=True)
class Raised:
    """What is to become of `entitlement`; `what` is the ground in words, `person` whom it is about."""

    entitlement: Entitlement
    amount_fen: int
    raised_by: int
    raised_on: date
    what: str
    person: int = 0


def decide_raised(*, by: Actor, on: date, raised: Raised, reason: str) -> tuple[Decision, Entitlement | None]:
    """A step of a command that has checked post, programme and recusal; what is in force after it, None when it ended.

    SamePerson when `by` raised it.
    """
    held = raised.entitlement
    proposal = _proposed(on, raised)
    decide_chosen(by=by, on=on, programme=held.programme, division=held.division, ids=[proposal.pk], reason=reason)
    made = Decision.objects.get(proposal=proposal)
    return made, Entitlement.objects.filter(decision=made).first()


def _proposed(on: date, raised: Raised) -> Proposal:
    held = raised.entitlement
    run = Run.objects.create(
        division=held.division, determination_date=on, only=[held.household_id], started_by=raised.raised_by,
        started_on=raised.raised_on,
    )  # fmt: skip
    added = added_facts(held.division)
    snapshot = Snapshot(*columns_of([held.household_id], on, None, added), granted_of(held.household_id, on))
    run.snapshot_sha256 = save(snapshot, snapshot_folder())
    run.snapshot_file = f"{run.snapshot_sha256}.bin"
    run.state, run.finished_at, run.listed = Run.State.FINISHED, timezone.now(), 1
    run.households, run.people = len(snapshot.households), len(snapshot.members)
    run.save(
        update_fields=["snapshot_sha256", "snapshot_file", "state", "finished_at", "listed", "households", "people"]
    )
    kind = Proposal.Kind.DECREASE if raised.amount_fen > 0 else Proposal.Kind.LEAVE
    ground = {
        "of": "raised", "name": raised.what, "before": f"{yuan(held.amount_fen)} 元", "after": f"{yuan(raised.amount_fen)} 元",
        "person": raised.person,
    }  # fmt: skip
    return Proposal.objects.create(
        run=run, programme=held.programme, version=held.version, division=held.division, household_id=held.household_id,
        person_id=held.person_id, kind=kind, amount_fen=raised.amount_fen, previous_fen=held.amount_fen,
        people=held.people, quantity=held.quantity, reasons=[ground],
    )  # fmt: skip
