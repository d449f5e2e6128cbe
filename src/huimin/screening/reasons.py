"""Why a granted amount should change: what differs between the determination it rests on and this one (DET-06).

in    a snapshot now; for what each subject holds, the run whose proposal was confirmed, with its snapshot and policies
out   per subject a list of `Reason`s: facts, members and parameters before and after, else the law's text or the passing
      of time

Only facts the programme rests on are compared, column by column for all subjects of one earlier run. In a programme
about persons the household's facts and that person's own count. Values are those of the registry; a page shows them
through registry.showing, so that who has no need to know of illness does not read it here.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.kernel.masking import HIDDEN
from huimin.organisation.acting import Actor
from huimin.registry.showing import NEED_HEALTH, show, text_of
from huimin.rules import Column, Programme, Table
from huimin.screening.snapshots import Snapshot, Standing, Stored, places_of

Ints = NDArray[np.int64]
_FACTS = {fact.code: fact for fact in FACTS}
_EPOCH = date(1970, 1, 1)
REASONS_MAX = 40


@dataclass(frozen=True)
class Reason:
    """One thing that changed. `of`: fact, member, parameter, policy, time or lost; `name` a fact's code or the words.

    A fact the county added is told by name and in words (`of` is added, or private when it is sensitive), since the
    reason outlives the text that defined it.
    """

    of: str
    name: str
    before: Any
    after: Any
    person: int = 0


@dataclass(frozen=True)
class Earlier:
    """A determination of the past: its facts, its date and the programmes it used, by code."""

    stored: Stored
    on: date
    programmes: Mapping[str, Programme]

    def facts(self, facts: Sequence[Fact]) -> "Facts":
        """Those of one programme, so that of a past snapshot no more is in memory."""
        codes = {fact.code for fact in facts}
        snapshot = self.stored.read(codes)
        return Facts(snapshot, snapshot.table((), codes).completed(facts))


@dataclass(frozen=True)
class Facts:
    """Facts of a snapshot, and the same as columns."""

    snapshot: Snapshot
    table: Table


class Comparison:
    """A determining.Explainer: `find` gives the earlier determination of a run, None when its snapshot is lost."""

    def __init__(self, snapshot: Snapshot, table: Table, on: date, find: Callable[[int], Earlier | None]) -> None:
        self.snapshot, self.table, self.on, self.find = snapshot, table, on, find

    def __call__(self, programme: Programme, houses: Ints, rows: Ints, held: Standing) -> list[str]:
        runs = held.run
        told: list[str] = ["[]"] * len(rows)
        for number in np.unique(runs).tolist():
            chosen = np.flatnonzero(runs == number)
            earlier = self.find(number) if number else None
            members = rows[chosen] if programme.unit == "person" else None
            found = self._compared(programme, houses[chosen], members, earlier)
            for place, reasons in zip(chosen.tolist(), found, strict=True):
                kept = [asdict(reason) for reason in reasons[:REASONS_MAX]]
                told[place] = json.dumps(kept, ensure_ascii=False)
        return told

    def _compared(
        self, programme: Programme, houses: Ints, members: Ints | None, earlier: Earlier | None
    ) -> list[list[Reason]]:
        if earlier is None:
            return [[Reason("lost", "原来认定所依据的快照", "", "")] for _ in houses]
        found: list[list[Reason]] = [[] for _ in houses]
        then_facts = earlier.facts(programme.facts_needed)
        of_households = [f for f in programme.facts_needed if f.entity is Entity.HOUSEHOLD]
        of_people = [f for f in programme.facts_needed if f.entity is Entity.PERSON]
        before = places_of(self.snapshot.household_ids[houses], then_facts.snapshot.household_ids)
        there = np.flatnonzero(before >= 0)
        now, then = self.table.households, then_facts.table.households
        for place, reason in _differences(of_households, (then, before[there]), (now, houses[there]), there):
            found[place].append(reason)
        if members is None:
            self._compare_members(of_people, houses, before, then_facts, found)
        else:
            self._compare_persons(of_people, members, then_facts, found)
        law = _law(earlier.programmes.get(programme.code), programme)
        time = [Reason("time", "认定日期", earlier.on.isoformat(), self.on.isoformat())]
        return [reasons + law if reasons or law else time for reasons in found]

    def _compare_persons(self, facts: list[Fact], members: Ints, earlier: Facts, found: list[list[Reason]]) -> None:
        people = self.snapshot.person_ids[members]
        before = places_of(people, earlier.snapshot.person_ids)
        there = np.flatnonzero(before >= 0)
        then, now = (earlier.table.members, before[there]), (self.table.members, members[there])
        for place, reason in _differences(facts, then, now, there, people[there]):
            found[place].append(reason)

    def _compare_members(
        self, facts: list[Fact], houses: Ints, before: Ints, earlier: Facts, found: list[list[Reason]]
    ) -> None:
        """Who joined, who left, and what changed of those who stayed, household by household."""
        mine, owner = _spans(self.table.offsets, houses)
        people = self.snapshot.person_ids[mine]
        at = places_of(people, earlier.snapshot.person_ids)
        for member in np.flatnonzero(at < 0).tolist():
            found[owner[member]].append(Reason("member", "成员", "不在户", "在户", int(people[member])))
        stayed = np.flatnonzero(at >= 0)
        then, now = (earlier.table.members, at[stayed]), (self.table.members, mine[stayed])
        for place, reason in _differences(facts, then, now, owner[stayed], people[stayed]):
            found[place].append(reason)
        known = np.flatnonzero(before >= 0)
        theirs, of = _spans(earlier.table.offsets, before[known])
        gone = earlier.snapshot.person_ids[theirs]
        for member in np.flatnonzero(places_of(gone, people) < 0).tolist():
            found[known[of[member]]].append(Reason("member", "成员", "在户", "不在户", int(gone[member])))


def _spans(offsets: Ints, houses: Ints) -> tuple[Ints, Ints]:
    """(rows of all members of these households, for each the position of its household among them)."""
    counts = offsets[houses + 1] - offsets[houses]
    owner = np.repeat(np.arange(len(houses)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return offsets[houses][owner] + within, owner


def _differences(
    facts: list[Fact],
    then: tuple[Mapping[str, Column], Ints],
    now: tuple[Mapping[str, Column], Ints],
    owner: Ints,
    people: Ints | None = None,
) -> Iterator[tuple[int, Reason]]:
    """(whose, what) for every value that is not what it was; `then` and `now` are columns and the rows to compare."""
    for fact in facts:
        old, new = then[0][fact.code], now[0][fact.code]
        values, knowns = (old.values[then[1]], new.values[now[1]]), (old.known[then[1]], new.known[now[1]])
        differ = (knowns[0] != knowns[1]) | (knowns[0] & knowns[1] & (values[0] != values[1]))
        for row in np.flatnonzero(differ).tolist():
            texts = [_stored(fact, values[side][row]) if knowns[side][row] else None for side in (0, 1)]
            yield int(owner[row]), _reason(fact, texts, int(people[row]) if people is not None else 0)


def _reason(fact: Fact, values: list[Any], person: int) -> Reason:
    if fact.code in _FACTS:
        return Reason("fact", fact.code, *values, person)
    words = [text_of(fact, value) for value in values]
    return Reason("private" if fact.sensitive else "added", fact.name, *words, person)


def _stored(fact: Fact, value: Any) -> Any:
    """As the registry holds it; a date as ISO text."""
    if fact.kind is Kind.DATE:
        return (_EPOCH + timedelta(int(value))).isoformat()
    if fact.kind is Kind.CHOICE:
        return fact.choices[int(value)]
    return bool(value) if fact.kind is Kind.FLAG else int(value)


def _law(before: Programme | None, now: Programme) -> list[Reason]:
    """Parameters with another value; else, when the version is another one, the text."""
    if before is None or before.version == now.version:
        return []
    values = [
        Reason("parameter", name, _parameter(before, name), _parameter(now, name))
        for name in now.parameters
        if _parameter(before, name) != _parameter(now, name)
    ]
    return values or [Reason("policy", "政策版本", before.version, now.version)]


def _parameter(programme: Programme, name: str) -> str:
    found = programme.parameters.get(name)
    return "没有" if found is None else f"{found.plain[1]} {found.plain[2]}".strip()


def in_words(reasons: list[dict[str, Any]], people: Mapping[int, str], by: Actor) -> list[str]:
    """One line a reason for the eyes of `by`; `people` names persons by id."""
    return [_line(Reason(**reason), people, by) for reason in reasons]


def _line(reason: Reason, people: Mapping[int, str], by: Actor) -> str:
    if reason.of == "lost":
        return f"{reason.name}已不在，说不出哪一项变了"
    name, before, after = reason.name, reason.before, reason.after
    if reason.of == "fact" and name in _FACTS:
        fact = _FACTS[name]
        name, before, after = fact.name, show(fact, before, by).text, show(fact, after, by).text
    if reason.of == "private" and by.post not in NEED_HEALTH:
        before = after = HIDDEN
    who = f"{people.get(reason.person, '已不在册的成员')} " if reason.person else ""
    return f"{who}{name}：{before} → {after}"
