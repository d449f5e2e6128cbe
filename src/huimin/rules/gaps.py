"""Households with gaps, apart from the many of whom everything is known: the many need no book-keeping of reasons.

in    one chunk of a Table, and the outcomes of other programmes it asks about
out   which of its households lack a fact, the chunk as if nothing were lacking, and those households alone

Keeping account of why something is unknown costs several times the arithmetic itself, and one gap in a chunk makes every
row of it pay. So a chunk is worked out as if everything were known, and the households with gaps are worked out again by
themselves, with their reasons. What stands in an unknown place of the first pass does not matter: it is overwritten.

A death or departure that is not recorded has not happened (vocabulary.DEPARTURES) and is no gap.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from huimin.kernel.facts import Entity, Fact
from huimin.rules.exact import Ints
from huimin.rules.outcome import Outcome
from huimin.rules.table import Column, Held, Table
from huimin.rules.vocabulary import DEPARTURES

_NOBODY: Ints = np.zeros(0, np.int64)


class Gaps:
    """Which households of a chunk lack which fact, looked up once a fact."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._lacking: dict[str, Ints] = {}

    def households(self, facts: Iterable[Fact], others: Mapping[str, Outcome], persons: Collection[str]) -> Ints:
        """Positions of the households that lack one of these, their own or a member's, or another programme's decision.

        `persons`: the codes in `others` whose rows are members.
        """
        lacking = np.zeros(self._table.household_count, np.bool_)
        for fact in facts:
            if len(rows := self._of(fact)):
                lacking[rows] = True
        for code, outcome in others.items():
            rows = np.flatnonzero(outcome.eligible < 0)
            lacking[self._owners(rows) if code in persons else rows] = True
        return np.flatnonzero(lacking)

    def _of(self, fact: Fact) -> Ints:
        if fact.code in DEPARTURES:
            return _NOBODY
        if fact.code not in self._lacking:
            own = fact.entity is Entity.HOUSEHOLD
            known = (self._table.households if own else self._table.members)[fact.code].known
            rows = _NOBODY if bool(known.all()) else np.flatnonzero(~known)
            self._lacking[fact.code] = rows if own else self._owners(rows)
        return self._lacking[fact.code]

    def _owners(self, members: Ints) -> Ints:
        return np.searchsorted(self._table.offsets, members, side="right") - 1


def as_if_decided(others: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The same outcomes, none of them open."""
    return {code: replace(found, eligible=np.maximum(found.eligible, 0)) for code, found in others.items()}


def members_of(table: Table, households: Ints) -> Ints:
    """Positions of all members of these households, household by household."""
    sizes = table.offsets[households + 1] - table.offsets[households]
    ends = np.cumsum(sizes)
    count = int(ends[-1]) if len(ends) else 0
    return cast(Ints, np.arange(count) + np.repeat(table.offsets[households] - ends + sizes, sizes))


def taken(
    table: Table, households: Ints, members: Ints, persons: Collection[str] = (), facts: Collection[str] | None = None
) -> Table:
    """These households and their `members_of` alone, copied: the columns of `facts` (all when None).

    `persons`: the codes in `held` whose rows are members.
    """
    sizes = table.offsets[households + 1] - table.offsets[households]
    return Table(
        _picked(table.households, households, facts),
        _picked(table.members, members, facts),
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        {code: _rows(held, members if code in persons else households) for code, held in table.held.items()},
    )


def _picked(columns: Mapping[str, Column], rows: Ints, facts: Collection[str] | None) -> dict[str, Column]:
    chosen = columns if facts is None else columns.keys() & set(facts)
    return {code: Column(columns[code].values.take(rows), columns[code].known.take(rows)) for code in chosen}


def joined(parts: Sequence[Table]) -> Table:
    """The households of all parts, one after another; every part has the same columns."""
    first = parts[0]
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return Table(
        {code: _together([part.households[code] for part in parts]) for code in first.households},
        {code: _together([part.members[code] for part in parts]) for code in first.members},
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        {code: _held_together([part.held[code] for part in parts]) for code in first.held},
    )


def _together(columns: Sequence[Column]) -> Column:
    return Column(np.concatenate([c.values for c in columns]), np.concatenate([c.known for c in columns]))


def _held_together(parts: Sequence[Held]) -> Held:
    return Held(
        np.concatenate([part.amount_fen for part in parts]),
        np.concatenate([part.since for part in parts]),
        np.concatenate([part.phase_out_since for part in parts]),
    )


def _rows(held: Held, rows: Ints) -> Held:
    return Held(held.amount_fen[rows], held.since[rows], held.phase_out_since[rows])
