"""One household explained: what applies and what not, with every number and citation (DET-01).

in    a household of the registry as of a day; the policies in use
out   the explanation of huimin.rules.explain, programme by programme, with the household's own members named

Computed now, from what is known now; nothing is stored. What a past run said is on its proposals.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from huimin.database.bulk import fetch
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS, Fact, Kind
from huimin.kernel.money import yuan_plain
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.added import added_of
from huimin.registry.snapshots import columns_of, household_columns, place_of
from huimin.rules import Book, Programme, Table, explain, explain_rows
from huimin.screening.snapshots import Snapshot


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


def explain_many(
    *,
    households: Sequence[int],
    only: str,
    on: date,
    facts_on: date,
    granted: pa.Table,
    known_at: datetime | None = None,
) -> dict[int, dict[str, Any]]:
    """Programme `only` of many households, each as `explain_household` tells it; a handful of queries, one evaluation for all.

    `granted` as there, of all of them. With `known_at`, facts and policies as they were known at that moment. Who is not
    registered on the day is left out, and who has numbers that cannot be reckoned with; where the programme is not in
    force the results are empty.
    """
    places = dict(fetch("SELECT id, division FROM registry_household WHERE id = ANY (%s)", [list(households)]))
    book = adopted_book(known_at)
    groups: dict[tuple[Any, ...], list[int]] = {}
    spoken = {each.division for each in (*book.layers, *book.parameters, *book.local_facts)}
    for number, place in places.items():
        layers = tuple(code for code in chain(place) if code in spoken)
        groups.setdefault((layers, added_facts(place, book)), []).append(number)
    found: dict[int, dict[str, Any]] = {}
    for (_, added), numbers in groups.items():
        law = _in_force(book, places[numbers[0]], only, on)
        homes, members = columns_of(numbers, facts_on, known_at, added)
        found |= _told_together(law, Snapshot(homes, members, granted), on)
    return found


def _in_force(book: Book, place: str, code: str, on: date) -> Programme | None:
    """None where it is not written, or waits for a value nobody set."""
    if code not in book.codes or book.waits(code, chain(place), on):
        return None
    return next(iter(book.programmes_in_force(chain(place), on, only=code)), None)


def _told_together(law: Programme | None, those: Snapshot, on: date) -> dict[int, dict[str, Any]]:
    ids, people = those.household_ids.tolist(), those.person_ids.tolist()
    table = those.table()
    bounds = list(pairwise(table.offsets.tolist()))
    if law is None or not ids:
        return {
            number: {"results": [], "members": people[low:high]}
            for number, (low, high) in zip(ids, bounds, strict=True)
        }
    table = table.completed(law.facts)
    told: dict[int, dict[str, Any]] = {}
    of_people = those.granted.filter(pc.greater(those.granted["person"], 0))["programme"].unique().to_pylist()
    for at, results in _rows(law, table, on, of_people):
        low, high = bounds[at]
        told[ids[at]] = {"results": results, "members": people[low:high]}
    return told


def _rows(
    law: Programme, table: Table, on: date, of_people: Sequence[str]
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """All at once; where one cannot be reckoned, one after another without it."""
    try:
        yield from enumerate(explain_rows(law, table, on))
    except Refusal:
        if table.household_count == 1:
            return
        for at in range(table.household_count):
            one = table.cut(at, at + 1, of_people)
            yield from ((at, results) for _, results in _rows(law, one, on, of_people))


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
