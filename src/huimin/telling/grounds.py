"""What a letter says: who, what was decided, how much before and after, which conditions are not met with which values (CASE-11).

in    a decision, with its proposal where it confirmed one
out   `content_of`: plain texts and numbers, to be sealed and set on paper

The conditions are computed as they were when it was decided: the registry as it was known at the moment of the signature
(of a proposal: at the moment of its screening), the policies in use then. A letter written months later says the same.
"""

from datetime import date, datetime, timedelta
from typing import Any

from huimin.casework.models import Decision, Entitlement
from huimin.casework.screening import granted_of, month_after
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import month_start
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book
from huimin.registry.models import Membership, Person
from huimin.rules.programme import Programme as Law
from huimin.screening.explaining import explain_household
from huimin.screening.reasons import in_words
from huimin.telling.models import ADVERSE, Letter

HEAD = "户主"
UNMET = (Letter.Kind.REFUSED, Letter.Kind.STOPPED)
"""Letters that name the conditions that are not met; a reduction names what changed."""
_PER = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}


class Laws:
    """The programme as the policies of a moment have it, read once for many letters of one decision."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, date, datetime], tuple[Law, ...]] = {}

    def of(self, programme: str, place: str, on: date, at: datetime) -> tuple[Law, ...]:
        key = (programme, place[:12], on, at)
        if key not in self._found:
            try:
                self._found[key] = adopted_book(at).programmes_in_force(chain(place), on, only=programme)
            except Refusal:
                self._found[key] = ()
        return self._found[key]


def content_of(by: Actor, letter: Letter, decision: Decision, law: Programme, laws: Laws) -> dict[str, Any]:
    """Inside `reading(by)`; `decision` with its proposal, run, signature and person."""
    proposal = decision.proposal
    granted = Entitlement.objects.filter(decision=decision).first()
    previous = proposal.previous_fen if proposal else 0
    people = granted.people if granted else (proposal.people if proposal else 0)
    return {
        "kind": letter.kind, "name": name_of(decision), "programme": law.name, "basis": law.basis, "people": people,
        "period": _PER.get(law.period, ""), "amount_fen": decision.amount_fen, "previous_fen": previous,
        "effective_from": decision.effective_from, "until": granted.valid_to if granted else None,
        "decided_on": decision.decided_on, "reason": decision.reason, "conditions": _unmet(by, letter, decision, laws),
        "changes": _changes(by, letter, decision),
    }  # fmt: skip


def name_of(decision: Decision) -> str:
    """Whom it is addressed to: the person, or the head of the household."""
    if decision.person_id:
        return Person.objects.values_list("name", flat=True).get(pk=decision.person_id)
    heads = Membership.objects.filter(household=decision.household_id, relation=HEAD, recorded_to=None).order_by("-id")
    return heads.values_list("person__name", flat=True).first() or HEAD


def _unmet(by: Actor, letter: Letter, decision: Decision, laws: Laws) -> list[dict[str, str]]:
    """Conditions that are not met, each with the values in it and its citation; and what is missing."""
    if letter.kind not in UNMET:
        return []
    run = decision.proposal.run if decision.proposal else None
    at = run.known_at if run else decision.signature.signed_at
    on = run.determination_date if run else month_after(decision.decided_on)
    facts_on = on if run else decision.decided_on
    known = laws.of(decision.programme, decision.division, on, at)
    # What was held before this decision: in the month it was made, not in the one it takes effect in.
    held = granted_of(decision.household_id, month_start(decision.decided_on) - timedelta(days=1))
    try:
        explained = explain_household(
            by=by, household_id=decision.household_id, on=on, laws=known, facts_on=facts_on, known_at=at, granted=held
        )
    except Refusal:  # the household is registered no more: the reason that was written stands alone
        return []
    for each in explained["results"]:
        member = None if each["member"] is None else explained["members"][each["member"]]
        if each["programme"] == decision.programme and member == decision.person_id:
            return [
                {"text": str(it["text"]), "detail": str(it["detail"]), "basis": str(it["basis"])}
                for it in each["conditions"]
                if it["met"] is False
            ]
    return []


def _changes(by: Actor, letter: Letter, decision: Decision) -> list[str]:
    """What changed since the amount was determined, in the words of the screening."""
    if decision.proposal is None or letter.kind not in (*ADVERSE, Letter.Kind.INCREASED):
        return []
    told = decision.proposal.reasons
    named = {reason["person"] for reason in told if reason["person"]}
    names = dict(Person.objects.filter(pk__in=named).values_list("pk", "name")) if named else {}
    return in_words(told, names, by)
