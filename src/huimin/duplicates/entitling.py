"""What two records were granted and paid, when they turn out to be one person (SEC-07, PAY-06).

in    the absorbed record's entitlements, and those of a household that ends with it; the survivor's
out   an entitlement of its own moves to the survivor; one the survivor has too ends; what was paid twice is listed

Ending: an entitlement ends where its last paid period ends, or where it began when none was paid; dues not yet paid are
withdrawn. Always true afterwards: no day of a programme is owed to the survivor twice. What was decided, published and
paid stays as it is. Limit: what a household was paid for a member counted elsewhere too is not a double due; the next
screening of both households tells it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Q, QuerySet

from huimin.casework.models import CareAgreement, Entitlement
from huimin.database.bulk import fetch
from huimin.payment.models import Due, Roster, RosterLine
from huimin.policy.queries import programme_names
from huimin.registry.models import Household, Person

State = RosterLine.State
IN_FLIGHT = (State.LISTED, State.WITHHELD, State.SENT, State.RETURNED, State.UNKNOWN)
"""Lines whose money has neither arrived nor been sent anew."""

_TWICE = """
SELECT d.id, d.entitlement_id, d.division, d.programme, d.period_from, d.period_until, d.amount_fen
FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id
WHERE e.id = ANY (%(lost)s) AND d.state = 'paid' AND d.kind <> 'recovery' AND EXISTS (
    SELECT FROM payment_due o JOIN casework_entitlement h ON h.id = o.entitlement_id
    WHERE h.id = ANY (%(held)s) AND h.programme = e.programme AND (h.person_id IS NULL) = (e.person_id IS NULL)
      AND o.state = 'paid' AND o.kind <> 'recovery'
      AND o.period_from < d.period_until AND o.period_until > d.period_from)
ORDER BY d.programme, d.period_from, d.id
"""


@dataclass(frozen=True)
class Twice:
    """A due paid for days for which the same programme was paid on the other record."""

    due: int
    entitlement: int
    division: str
    programme: str
    period_from: date
    period_until: date
    amount_fen: int


def lines_in_flight(of: Q) -> list[RosterLine]:
    """Lines of rosters not withdrawn that still wait for money, or for another try; at most ten."""
    rows = RosterLine.objects.filter(of, state__in=IN_FLIGHT).exclude(roster__state=Roster.State.WITHDRAWN)
    return list(rows.select_related("roster").order_by("id")[:10])


def paid_twice(survivor: Person, absorbed: Person, home: Household | None, ending: list[Household]) -> list[Twice]:
    """Before anything moves."""
    own = Q(household__in=ending, person=None)
    lost = list(Entitlement.objects.filter(Q(person=absorbed) | own).values_list("pk", flat=True))
    kept = Q(household=home, person=None) if home else Q(pk=None)
    held = list(Entitlement.objects.filter(Q(person=survivor) | kept).values_list("pk", flat=True))
    return [Twice(*row) for row in fetch(_TWICE, {"lost": lost, "held": held})]


def settle(on: date, survivor: Person, absorbed: Person, home: Household | None, ending: list[Household]) -> list[str]:
    """Move or end what is in force; what was done, a sentence each."""
    told = []
    names = programme_names()
    for row in list(_live(on).filter(person=absorbed).select_for_update()):
        if home is None or _overlapping(row, survivor):
            told.append(_end(names, row, "两份档案都有" if home else "不在任何一户"))
        else:
            row.person, row.household, row.division = survivor, home, home.division
            row.save(update_fields=["person", "household", "division"])
            told.append(f"{names[row.programme]}待遇转到保留的档案")
    for row in list(_live(on).filter(household__in=ending, person=None).select_for_update()):
        told.append(_end(names, row, "这一户注销"))
    if home is not None:
        moved = _live(on).filter(person=survivor).exclude(household=home)
        moved.update(household=home, division=home.division)
    return told + _settle_care(on, survivor, absorbed)


def _live(on: date) -> QuerySet[Entitlement]:
    return Entitlement.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on))


def _overlapping(row: Entitlement, survivor: Person) -> bool:
    others = Entitlement.objects.filter(person=survivor, programme=row.programme)
    others = others.filter(Q(valid_to=None) | Q(valid_to__gt=row.valid_from))
    return (others if row.valid_to is None else others.filter(valid_from__lt=row.valid_to)).exists()


def _end(names: Mapping[str, str], row: Entitlement, why: str) -> str:
    dues = Due.objects.filter(entitlement=row)
    paid_until = dues.filter(state=Due.State.PAID).aggregate(last=Max("period_until"))["last"]
    withdrawn = dues.filter(state=Due.State.OWED).update(state=Due.State.WITHDRAWN)
    until = max(row.valid_from, paid_until or row.valid_from)
    row.valid_to = until if row.valid_to is None else min(row.valid_to, until)
    row.save(update_fields=["valid_to"])
    dropped = f"，{withdrawn} 期未发的应发撤销" if withdrawn else ""
    return f"{names[row.programme]}待遇自 {row.valid_to} 起终止（{why}）{dropped}"


def _settle_care(on: date, survivor: Person, absorbed: Person) -> list[str]:
    """One care agreement for one person."""
    theirs = CareAgreement.objects.filter(person=absorbed, ended_on=None).first()
    if theirs is None:
        return []
    if CareAgreement.objects.filter(person=survivor, ended_on=None).exists():
        theirs.ended_on = on
        theirs.save(update_fields=["ended_on"])
        return ["重复的照料协议终止"]
    theirs.person, theirs.division = survivor, survivor.division
    theirs.save(update_fields=["person", "division"])
    return ["照料协议转到保留的档案"]
