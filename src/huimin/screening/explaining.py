"""One household explained: what applies and what not, with every number and citation (DET-01).

in    a household of the registry as of a day; the policies in use
out   the explanation of huimin.rules.explain, programme by programme, with the household's own members named

Computed now, from what is known now; nothing is stored. What a past run said is on its proposals.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.money import yuan_plain
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.added import added_of
from huimin.registry.snapshots import household_columns, place_of
from huimin.rules import Programme, explain


def explain_household(
    *,
    by: Actor,
    household_id: int,
    on: date,
    laws: Sequence[Programme] | None = None,
    facts_on: date | None = None,
    known_at: datetime | None = None,
    granted: pa.Table | None = None,
) -> dict[str, Any]:
    """`{"results": [...], "members": [person id, ...]}`; inside a reading transaction of `by`.

    `granted` is what the household and its people hold, as `Snapshot.granted`; without it they hold nothing.
    `laws` instead of the policies in use, facts of another day (`facts_on`), or as they were known at a moment: what a
    simulation counted.
    """
    place = place_of(household_id)
    added = added_facts(place)
    households, members = household_columns(household_id, facts_on or on, known_at, added)
    own, theirs = HOUSEHOLD_FACTS + added_of(households), PERSON_FACTS + added_of(members)
    facts = {f.name: _value(households[f.code][0].as_py(), f) for f in own}
    people = [{f.name: _value(members[f.code][row].as_py(), f) for f in theirs} for row in range(len(members))]
    if granted is not None:
        _tell_holdings(granted.to_pylist(), members["person_id"].to_pylist(), facts, people)
    results: list[dict[str, Any]] = []
    for law in adopted_book().programmes_in_force(chain(place), on) if laws is None else laws:
        unheard = {fact.name for fact in added} - {fact.name for fact in law.facts}
        told = _known(facts, unheard)
        results += explain(law, told, [_known(person, unheard) for person in people], on)["results"]
    return {"results": results, "members": members["person_id"].to_pylist()}


def _tell_holdings(
    holdings: list[dict[str, Any]], ids: list[int], household: dict[str, Any], people: list[dict[str, Any]]
) -> None:
    """Write 享受 under the household or the member who holds it, as rules.held_input reads it."""
    for each in holdings:
        if each["person"] and each["person"] not in ids:
            continue  # he left the household; what he holds is not his relatives'
        told = {"项目": each["programme"], "金额": Decimal(yuan_plain(each["original_fen"])), "自": each["since"]}
        if each["phase_out_since"]:
            told["渐退自"] = each["phase_out_since"]
        row = people[ids.index(each["person"])] if each["person"] else household
        row.setdefault("享受", []).append(told)


def _known(facts: dict[str, Any], unheard: set[str]) -> dict[str, Any]:
    """What is known, without facts this law's place does not have."""
    return {name: value for name, value in facts.items() if value is not None and name not in unheard}


def _value(stored: Any, fact: Fact) -> Any:
    """As the language's JSON takes it: 元 and 亩 as decimals, dates as ISO."""
    if stored is None:
        return None
    if fact.kind in (Kind.MONEY, Kind.AREA):
        return Decimal(yuan_plain(int(stored)))
    if fact.kind is Kind.DATE:
        return stored.isoformat()
    return stored
