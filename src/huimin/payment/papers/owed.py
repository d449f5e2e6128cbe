"""What entitlements are owed for a period and where each due stands, for papers handed to households (PAY-07).

in    ids of entitlements, a period; inside a transaction of who may read them
out   `Owed` rows: dues of one entitlement that share a roster line and a state, summed; amounts in 分

Terms: a due belongs to the period it begins in. It stands on its live line; when its money came back or was withheld, on
the newest line it was on. Rosters are not asked: a village does not see its township's, and what its household reads must
be the same as what the county reads.

Each query takes ids as an array and is one pass over one table; the rows are put together here. Joined in SQL behind
row-level security the planner, without fresh statistics, takes a village for one row and loops over a county for each.
"""

from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from huimin.database.bulk import fetch
from huimin.kernel.periods import Period
from huimin.payment.models import Due, RosterLine


class Place(NamedTuple):
    """The line a due stands on: `booked_on` when the bank has paid it, `account_tail` of the card it goes to."""

    line: int
    state: str
    withheld_reason: str
    account_tail: str
    booked_on: date | None


class Owed(NamedTuple):
    """Dues of one entitlement on one line (`place`, None while on no roster)."""

    household: int
    programme: str
    person: str
    kind: str
    period_from: date
    period_until: date
    amount_fen: int
    due_state: str
    quantity: str
    standard_fen: int
    standard_period: str
    place: Place | None
    lacks_card: bool

    @property
    def counted_fen(self) -> int:
        """What it adds to the household's total: recoveries are taken off, withdrawn dues are shown and not counted."""
        if self.due_state == Due.State.WITHDRAWN:
            return 0
        return -self.amount_fen if self.kind == Due.Kind.RECOVERY else self.amount_fen


class _Row(NamedTuple):
    due: int
    household: int
    entitlement: int
    programme: str
    person: str
    kind: str
    period_from: date
    period_until: date
    amount_fen: int
    state: str
    quantity: str
    standard_fen: int
    standard_period: str


def list_owed(entitlements: list[int], period: Period) -> list[Owed]:
    """By household, programme, person, kind and time."""
    asked = {"granted": entitlements, "start": period.start, "until": period.until}
    rows = [_Row(*row) for row in fetch(_DUES, asked)]
    places = _places(entitlements)
    lacking = {entitlement for (entitlement,) in fetch(_LACKING, asked)}

    def together(row: _Row) -> tuple[object, ...]:
        place = places.get(row.due)
        return row.entitlement, row.kind, row.state, place and place.line

    return [_summed(list(rows), places, lacking) for _, rows in groupby(rows, key=together)]


def _summed(rows: list[_Row], places: dict[int, Place], lacking: set[int]) -> Owed:
    first = rows[0]
    return Owed(
        household=first.household,
        programme=first.programme,
        person=first.person,
        kind=first.kind,
        period_from=first.period_from,
        period_until=max(row.period_until for row in rows),
        amount_fen=sum(row.amount_fen for row in rows),
        due_state=first.state,
        quantity=first.quantity,
        standard_fen=first.standard_fen,
        standard_period=first.standard_period,
        place=places.get(first.due),
        lacks_card=first.entitlement in lacking,
    )


def _places(entitlements: list[int]) -> dict[int, Place]:
    """Where each due of these entitlements stands, by due."""
    lines = {row[0]: row for row in fetch(_LINES, {"granted": entitlements})}
    ids = list(lines)
    tails = dict(fetch(_TAILS, {"cards": list({row[3] for row in lines.values()})}))
    booked = dict(fetch(_BOOKED, {"lines": ids}))
    standing: dict[int, tuple[bool, int]] = {}
    for due, line, live in fetch(_ON_LINES, {"lines": ids}):
        if live or lines[line][1] in (RosterLine.State.RETURNED, RosterLine.State.WITHHELD):
            standing[due] = max(standing.get(due, (False, 0)), (live, line))
    return {due: _place(lines[line], tails, booked) for due, (_, line) in standing.items()}


def _place(line: tuple[Any, ...], tails: dict[int, str], booked: dict[int, date]) -> Place:
    number, state, reason, card = line
    return Place(number, state, reason, tails.get(card, ""), booked.get(number))


_DUES = """
WITH d AS MATERIALIZED (
    SELECT * FROM payment_due WHERE entitlement_id = ANY (%(granted)s::bigint[])
       AND period_from >= %(start)s AND period_from < %(until)s AND state <> 'stopped')
SELECT d.id, e.household_id, e.id, d.programme, coalesce(p.name, ''), d.kind, d.period_from, d.period_until,
       d.amount_fen, d.state, e.quantity, e.amount_fen, e.period
FROM d JOIN casework_entitlement e ON e.id = d.entitlement_id LEFT JOIN registry_person p ON p.id = e.person_id
ORDER BY e.household_id, d.programme, e.person_id, e.id, d.kind, d.period_from, d.id
"""
_LINES = """
SELECT id, state, withheld_reason, card_id FROM payment_rosterline WHERE entitlement_id = ANY (%(granted)s::bigint[])
"""
_TAILS = "SELECT id, account_tail FROM registry_card WHERE id = ANY (%(cards)s::bigint[])"
_BOOKED = """
SELECT line_id, booked_on FROM payment_instruction WHERE line_id = ANY (%(lines)s::bigint[]) AND state = 'paid'
"""
_ON_LINES = "SELECT due_id, line_id, live FROM payment_linedue WHERE line_id = ANY (%(lines)s::bigint[])"
_LACKING = """
SELECT DISTINCT entitlement_id FROM payment_paymentexception
WHERE entitlement_id = ANY (%(granted)s::bigint[]) AND kind = 'no_card' AND state = 'open'
"""
