"""One household explained: what applies and what not, with every number and citation (DET-01).

in    a household of the registry as of a day; the policies in use
out   the explanation of huimin.rules.explain, programme by programme, with the household's own members named

Computed now, from what is known now; nothing is stored. What a past run said is on its proposals.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from huimin.database.bulk import fetch
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.money import yuan_plain
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.added import added_of
from huimin.registry.snapshots import columns_of, household_columns, place_of
from huimin.rules import Book, Programme, explain


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
    columns = household_columns(household_id, facts_on or on, known_at, added)
    [(_, told)] = _told(*columns)
    in_force = adopted_book().programmes_in_force(chain(place), on) if laws is None else laws
    return _explained(told, in_force, added, on, granted)


def explain_many(
    *,
    households: Sequence[int],
    only: str,
    on: date,
    facts_on: date,
    granted: pa.Table,
    known_at: datetime | None = None,
) -> dict[int, dict[str, Any]]:
    """Programme `only` of many households, each as `explain_household` tells it; a handful of queries for all.

    `granted` as there, of all of them. With `known_at`, facts and policies as they were known at that moment. Who is not
    registered on the day is left out; where the programme is not in force the results are empty.
    """
    places = dict(fetch("SELECT id, division FROM registry_household WHERE id = ANY (%s)", [list(households)]))
    book = adopted_book(known_at)
    laws = {place: _in_force(book, place, only, on) for place in set(places.values())}
    added = {place: added_facts(place, book) for place in laws}
    holdings: dict[int, list[dict[str, Any]]] = {}
    for each in granted.to_pylist():
        holdings.setdefault(each["household"], []).append(each)
    found: dict[int, dict[str, Any]] = {}
    for facts in set(added.values()):
        ids = [number for number, place in places.items() if added[place] == facts]
        for number, told in _told(*columns_of(ids, facts_on, known_at, facts)):
            found[number] = _explained(told, laws[places[number]], facts, on, None, holdings.get(number, []))
    return found


def _in_force(book: Book, place: str, code: str, on: date) -> Sequence[Programme]:
    """None where it is not written, or waits for a value nobody set."""
    if code not in book.codes or code in book.waiting(chain(place), on):
        return ()
    return book.programmes_in_force(chain(place), on, only=code)


@dataclass
class _Household:
    """One household in the language's own words."""

    facts: dict[str, Any]
    people: list[dict[str, Any]]
    ids: list[int]


def _told(households: pa.Table, members: pa.Table) -> Iterator[tuple[int, _Household]]:
    """Household by household, in the order of the tables: each column is read once."""
    own, theirs = HOUSEHOLD_FACTS + added_of(households), PERSON_FACTS + added_of(members)
    mine = {fact: households[fact.code].to_pylist() for fact in own}
    of_people = {fact: members[fact.code].to_pylist() for fact in theirs}
    ids, owners = members["person_id"].to_pylist(), members["household_id"].to_pylist()
    start = 0
    for at, number in enumerate(households["household_id"].to_pylist()):
        until = start
        while until < len(owners) and owners[until] == number:
            until += 1
        rows = range(start, until)
        facts = {fact.name: _value(mine[fact][at], fact) for fact in own}
        people = [{fact.name: _value(of_people[fact][row], fact) for fact in theirs} for row in rows]
        yield number, _Household(facts, people, ids[start:until])
        start = until


def _explained(
    told: _Household, laws: Iterable[Programme], added: tuple[Fact, ...], on: date, granted: pa.Table | None,
    holdings: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    held = granted.to_pylist() if granted is not None else holdings or []
    _tell_holdings(held, told.ids, told.facts, told.people)
    results: list[dict[str, Any]] = []
    for law in laws:
        unheard = {fact.name for fact in added} - {fact.name for fact in law.facts}
        facts, people = _known(told.facts, unheard), [_known(person, unheard) for person in told.people]
        results += explain(law, facts, people, on)["results"]
    return {"results": results, "members": told.ids}


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
