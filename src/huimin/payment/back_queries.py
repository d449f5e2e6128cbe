"""What of transferred money lies in special accounts and may be given back; inside `reading(by)` (FUND-02)."""

from dataclasses import dataclass

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.payment.models import RosterLine

ROWS_MAX = 2000
REASONS = RosterLine.REISSUED_REASONS
_LYING = """
FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
JOIN funds_fundingapplication f ON f.id = r.application_id AND f.state = 'transferred'
WHERE l.division >= %(low)s AND l.division < %(high)s AND l.aside IS NOT NULL
  AND (l.state = 'returned' AND l.withheld_reason = '' OR l.state = 'withheld' AND l.withheld_reason = ANY(%(reasons)s))
"""
_GIVABLE = f"""
SELECT f.id, f.division, f.programme, f.year, f.amount_fen, count(*)::int, sum(l.amount_fen)::bigint {_LYING}
GROUP BY f.id ORDER BY f.division, f.programme, f.id LIMIT %(most)s
"""
_LINES = f"""
SELECT l.id, l.household_id, l.name, l.amount_fen, l.state = 'returned',
       CASE WHEN l.state = 'withheld' THEN l.withheld_reason
            ELSE coalesce((SELECT e.reason FROM payment_paymentexception e WHERE e.line_id = l.id ORDER BY e.id DESC LIMIT 1), '')
       END {_LYING} AND f.id = %(application)s ORDER BY l.id LIMIT %(most)s
"""  # noqa: S608
_NAMED = """
SELECT l.id, l.household_id, l.name, l.amount_fen, l.state = 'returned', l.withheld_reason
FROM payment_rosterline l WHERE l.id = ANY(%s) ORDER BY l.id
"""


@dataclass(frozen=True)
class Givable:
    """An application with lines whose money came back or was never sent."""

    application: int
    division: str
    programme: str
    year: int
    amount_fen: int
    lines: int
    lying_fen: int


@dataclass(frozen=True)
class LyingLine:
    line: int
    household: int
    name: str
    amount_fen: int
    returned: bool
    why: str


def list_givable(prefix: str) -> list[Givable]:
    """One query over lines that were returned or withheld, which are few."""
    return [Givable(*row) for row in fetch(_GIVABLE, _where(prefix))]


def list_lying(prefix: str, application: int) -> list[LyingLine]:
    """Lines of an application that may be given back, in the order of the roster."""
    return [LyingLine(*row) for row in fetch(_LINES, _where(prefix) | {"application": application})]


def list_named(lines: list[int]) -> list[LyingLine]:
    """Lines a proposal names."""
    return [LyingLine(*row) for row in fetch(_NAMED, [lines])]


def _where(prefix: str) -> dict[str, object]:
    low, high = scope_of(prefix)
    return {"low": low, "high": high, "reasons": list(REASONS), "most": ROWS_MAX}
