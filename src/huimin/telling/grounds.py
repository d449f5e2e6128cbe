"""What letters say: who, what was decided, how much before and after, which conditions are not met with which values (CASE-11).

in    letters with their decisions
out   for each plain texts and numbers, to be sealed and set on paper

The conditions are computed as they were when it was decided: the registry as it was known at the moment of the signature
(of a proposal: at the moment of its screening), the policies in use then. A letter written months later says the same. A
handful of queries for a piece of letters; those of one screening are explained together.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from huimin.casework.models import Decision, Entitlement
from huimin.casework.screening import granted_of_many, month_after
from huimin.kernel.periods import month_start
from huimin.organisation.acting import Actor
from huimin.policy.models import Programme
from huimin.registry.models import Membership, Person
from huimin.screening.explaining import explain_many
from huimin.screening.reasons import in_words
from huimin.telling.models import ADVERSE, Letter

HEAD = "户主"
UNMET = (Letter.Kind.REFUSED, Letter.Kind.STOPPED)
"""Letters that name the conditions that are not met; a reduction names what changed."""
_PER = {"month": "每月", "quarter": "每季", "half_year": "每半年", "year": "每年", "once": "一次性"}


class _Moment(NamedTuple):
    """When something was determined: for which day, from which day's facts, as known when, held what before."""

    programme: str
    on: date
    facts_on: date
    at: datetime
    held_on: date


def contents_of(
    by: Actor, letters: Sequence[Letter], decisions: Mapping[int, Decision], laws: Mapping[str, Programme]
) -> dict[int, dict[str, Any]]:
    """By letter; inside `reading(by)`. `decisions` with their proposal, run and signature, by number."""
    of = {letter.pk: decisions[letter.decision_id] for letter in letters}
    granted = {row.decision_id: row for row in Entitlement.objects.filter(decision__in=list(decisions))}
    names, unmet = _names(of.values()), _unmet(letters, of)
    changes = _changes(by, letters, of)
    return {
        letter.pk: _content(letter, of[letter.pk], granted.get(letter.decision_id), laws[letter.programme])
        | {
            "name": names[letter.decision_id],
            "conditions": unmet.get(letter.pk, []),
            "changes": changes.get(letter.pk, []),
        }
        for letter in letters
    }


def _content(letter: Letter, decision: Decision, held: Entitlement | None, law: Programme) -> dict[str, Any]:
    proposal = decision.proposal
    return {
        "kind": letter.kind, "programme": law.name, "basis": law.basis, "period": _PER.get(law.period, ""),
        "people": held.people if held else proposal.people if proposal else 0, "amount_fen": decision.amount_fen,
        "previous_fen": proposal.previous_fen if proposal else 0, "effective_from": decision.effective_from,
        "until": held.valid_to if held else None, "decided_on": decision.decided_on, "reason": decision.reason,
    }  # fmt: skip


def _names(decisions: Any) -> dict[int, str]:
    """Whom each is addressed to: the person, or the head of the household (of the latest, where it has none any more)."""
    found = list(decisions)
    people = dict(
        Person.objects.filter(pk__in=[row.person_id for row in found if row.person_id]).values_list("pk", "name")
    )
    heads = Membership.objects.filter(
        household__in=[row.household_id for row in found], relation=HEAD, recorded_to=None
    )
    named = dict(heads.order_by("id").values_list("household_id", "person__name"))
    return {row.pk: people.get(row.person_id, "") or named.get(row.household_id, HEAD) for row in found}


def _moment(decision: Decision) -> _Moment:
    run = decision.proposal.run if decision.proposal else None
    # What was held before this decision: in the month it was made, not in the one it takes effect in.
    held_on = month_start(decision.decided_on) - timedelta(days=1)
    if run is not None:
        return _Moment(decision.programme, run.determination_date, run.determination_date, run.known_at, held_on)
    facts_on = decision.decided_on
    return _Moment(decision.programme, month_after(facts_on), facts_on, decision.signature.signed_at, held_on)


def _unmet(letters: Sequence[Letter], of: Mapping[int, Decision]) -> dict[int, list[dict[str, str]]]:
    """Conditions that are not met, each with the values in it and its citation; nothing for a household that is gone."""
    groups: dict[_Moment, list[Letter]] = {}
    for letter in letters:
        if letter.kind in UNMET:
            groups.setdefault(_moment(of[letter.pk]), []).append(letter)
    found: dict[int, list[dict[str, str]]] = {}
    for moment, some in groups.items():
        households = sorted({of[letter.pk].household_id for letter in some})
        told = explain_many(
            households=households, only=moment.programme, on=moment.on, facts_on=moment.facts_on, known_at=moment.at,
            granted=granted_of_many(households, moment.held_on),
        )  # fmt: skip
        for letter in some:
            found[letter.pk] = _failed(of[letter.pk], told.get(of[letter.pk].household_id))
    return found


def _failed(decision: Decision, explained: dict[str, Any] | None) -> list[dict[str, str]]:
    for each in explained["results"] if explained else ():
        assert explained is not None
        member = None if each["member"] is None else explained["members"][each["member"]]
        if member == decision.person_id:
            return [
                {"text": str(it["text"]), "detail": str(it["detail"]), "basis": str(it["basis"])}
                for it in each["conditions"]
                if it["met"] is False
            ]
    return []


def _changes(by: Actor, letters: Sequence[Letter], of: Mapping[int, Decision]) -> dict[int, list[str]]:
    """What changed since the amount was determined, in the words of the screening."""
    told = {
        letter.pk: proposal.reasons
        for letter in letters
        if letter.kind in (*ADVERSE, Letter.Kind.INCREASED) and (proposal := of[letter.pk].proposal) is not None
    }
    named = {reason["person"] for reasons in told.values() for reason in reasons if reason["person"]}
    people = dict(Person.objects.filter(pk__in=named).values_list("pk", "name")) if named else {}
    return {number: in_words(reasons, people, by) for number, reasons in told.items()}
