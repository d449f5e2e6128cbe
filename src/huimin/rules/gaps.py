"""Households with gaps, apart from the many of whom everything is known: the many need no book-keeping of reasons.

in    one chunk of a Table, and the outcomes of other programmes it asks about
out   which of its households lack a fact, the chunk as if nothing were lacking, and those households alone

Keeping account of why something is unknown costs several times the arithmetic itself, and one gap in a chunk makes every
row of it pay. So a chunk is worked out as if everything were known, and the households with gaps are worked out again by
themselves, with their reasons. What stands in an unknown place of the first pass does not matter: it is overwritten.

A death or departure that is not recorded has not happened (vocabulary.DEPARTURES) and is no gap.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from huimin.rules.exact import Flags, Ints
from huimin.rules.outcome import Outcome
from huimin.rules.table import Column, Held, Table
from huimin.rules.vocabulary import DEPARTURES


def households_with_gaps(table: Table, others: Mapping[str, Outcome], persons: Collection[str]) -> Ints:
    """Positions of the households that lack a fact, their own or a member's, or another programme's decision.

    `persons`: the codes in `others` whose rows are members.
    """
    of_members = _open(table.members, table.member_count)
    lacking = _open(table.households, table.household_count)
    for code, outcome in others.items():
        target = of_members if code in persons else lacking
        target |= outcome.eligible < 0
    lacking[np.searchsorted(table.offsets, np.flatnonzero(of_members), side="right") - 1] = True
    return np.flatnonzero(lacking)


def as_if_decided(others: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The same outcomes, none of them open."""
    return {code: replace(found, eligible=np.maximum(found.eligible, 0)) for code, found in others.items()}


def _open(columns: Mapping[str, Column], rows: int) -> Flags:
    found = np.zeros(rows, np.bool_)
    for code, column in columns.items():
        if code not in DEPARTURES and not bool(column.known.all()):
            found |= ~column.known
    return found


def as_if_known(table: Table) -> Table:
    """The same columns, nothing missing in them."""
    everyone = np.ones(max(table.household_count, table.member_count), np.bool_)
    return replace(
        table,
        households=_closed(table.households, everyone[: table.household_count]),
        members=_closed(table.members, everyone[: table.member_count]),
    )


def _closed(columns: Mapping[str, Column], known: NDArray[np.bool_]) -> dict[str, Column]:
    return {code: column if code in DEPARTURES else Column(column.values, known) for code, column in columns.items()}


def members_of(table: Table, households: Ints) -> Ints:
    """Positions of all members of these households, household by household."""
    sizes = table.offsets[households + 1] - table.offsets[households]
    ends = np.cumsum(sizes)
    count = int(ends[-1]) if len(ends) else 0
    return cast(Ints, np.arange(count) + np.repeat(table.offsets[households] - ends + sizes, sizes))


def taken(table: Table, households: Ints, members: Ints, persons: Collection[str] = ()) -> Table:
    """These households and their `members_of` alone, copied. `persons`: the codes in `held` whose rows are members."""
    sizes = table.offsets[households + 1] - table.offsets[households]
    return Table(
        {code: Column(c.values[households], c.known[households]) for code, c in table.households.items()},
        {code: Column(c.values[members], c.known[members]) for code, c in table.members.items()},
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        {code: _rows(held, members if code in persons else households) for code, held in table.held.items()},
    )


def _rows(held: Held, rows: Ints) -> Held:
    return Held(held.amount_fen[rows], held.since[rows], held.phase_out_since[rows])
