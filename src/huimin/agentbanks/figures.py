"""What a bank did with the batches of a year, measured (PAY-09).

in    a bank office and a year, inside `reading(by)` or a command
out   `Figures`; whole counts, amounts in 分, days as days

Batches count in the year they were released. On time: answered by the day the batch was given (five working days, two for
disaster money). Errors are what the exceptions list calls the bank's: rows that match nothing, rows twice, other amounts,
answers that contradict earlier ones, money reversed after it was booked.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from huimin.database.bulk import fetch, fetch_one

ERRORS = ("unmatched", "duplicate", "amount", "conflict", "reversed")
"""Kinds of payment exceptions that are the bank's doing."""


@dataclass(frozen=True)
class Figures:
    """One bank office, one year."""

    batches: int
    on_time: int
    late: int
    overdue: int
    worst_days: int
    lines: int
    paid: int
    returned: int
    open: int
    paid_fen: int
    errors: int
    complaints: int
    upheld: int

    @property
    def due(self) -> int:
        """Batches whose day has come: answered, or waited for in vain."""
        return self.on_time + self.late + self.overdue

    def told(self) -> dict[str, Any]:
        return asdict(self)


_BATCHES = """
SELECT count(*)::int,
       count(*) FILTER (WHERE answered_on <= answer_due_on)::int,
       count(*) FILTER (WHERE answered_on > answer_due_on)::int,
       count(*) FILTER (WHERE answered_on IS NULL AND answer_due_on < %(on)s)::int,
       coalesce(max(coalesce(answered_on, CASE WHEN answer_due_on < %(on)s THEN %(on)s END) - released_on), 0)::int
  FROM payment_batch
 WHERE bank_office_id = %(bank)s AND released_on >= %(start)s AND released_on < %(until)s
   AND state IN ('released', 'written', 'answered')
"""
_LINES = """
SELECT count(*)::int, count(*) FILTER (WHERE i.state = 'paid')::int, count(*) FILTER (WHERE i.state = 'returned')::int,
       count(*) FILTER (WHERE i.state IN ('sent', 'unknown'))::int,
       coalesce(sum(i.amount_fen) FILTER (WHERE i.state = 'paid'), 0)::bigint
  FROM payment_instruction i JOIN payment_batch b ON b.id = i.batch_id
 WHERE b.bank_office_id = %(bank)s AND b.released_on >= %(start)s AND b.released_on < %(until)s
   AND b.state IN ('released', 'written', 'answered')
"""
_ERRORS = """
SELECT count(*)::int FROM payment_paymentexception x JOIN payment_batch b ON b.id = x.batch_id
 WHERE b.bank_office_id = %(bank)s AND b.released_on >= %(start)s AND b.released_on < %(until)s AND x.kind = ANY(%(errors)s)
"""
_COMPLAINTS = """
SELECT count(*)::int, count(*) FILTER (WHERE state = 'upheld')::int FROM agentbanks_complaint
 WHERE bank_office_id = %(bank)s AND happened_on >= %(start)s AND happened_on < %(until)s
"""


def figures_of(bank_office: int, year: int, on: date) -> Figures:
    """Four queries, whatever the year held."""
    where = {
        "bank": bank_office, "start": date(year, 1, 1), "until": date(year + 1, 1, 1), "on": on, "errors": list(ERRORS),
    }  # fmt: skip
    return Figures(
        *fetch_one(_BATCHES, where),
        *fetch_one(_LINES, where),
        *fetch_one(_ERRORS, where),
        *fetch_one(_COMPLAINTS, where),
    )


def banks_of_the_year(year: int) -> list[tuple[int, str]]:
    """(office, name) of every bank office that got a batch in the year."""
    rows = fetch(
        "SELECT DISTINCT o.id, o.name FROM payment_batch b JOIN organisation_office o ON o.id = b.bank_office_id"
        " WHERE b.released_on >= %s AND b.released_on < %s ORDER BY o.name",
        [date(year, 1, 1), date(year + 1, 1, 1)],
    )
    return [(office, name) for office, name in rows]
