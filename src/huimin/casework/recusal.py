"""Decided before it was declared: who decided for a household in which he later declared a near relative (REG-10).

in    the declarations of a place, at the county
out   rows, newest declaration first: who, for which household, what, when, and when he declared

A relative declared in time is refused where decisions are made (kinship.recusal); one declared afterwards shows here what
was decided meanwhile, whether in good faith or not. Inside `reading(by)`; starts from the few relatives, not from the
many decisions.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kinship.models import Relative
from huimin.kinship.queries import RELATED_HOUSEHOLDS

ROWS_MAX = 2000


@dataclass(frozen=True)
class Earlier:
    """One act of an officer for a household, before he declared his relative there."""

    officer: str
    relative: str
    relation: str
    household: int
    household_no: str
    division: str
    what: str
    decided_on: date
    declared_on: date


_EARLIER = f"""
WITH related AS MATERIALIZED (
    SELECT DISTINCT k.household_id, r.account, r.declarer, r.name, r.relation, r.declared_on
    FROM ({RELATED_HOUSEHOLDS}) k JOIN kinship_relative r ON r.id = k.relative_id
    WHERE r.place >= %(low)s AND r.place < %(high)s
), acts AS (
    SELECT d.household_id, d.decided_by AS appointment, d.decided_on AS acted_on,
           CASE d.outcome WHEN 'granted' THEN '批准建议 ' ELSE '不批准建议 ' END || d.programme AS what
    FROM related r JOIN casework_decision d ON d.household_id = r.household_id
    UNION
    SELECT v.household_id, v.decided_by, v.decided_on, '急难救助审批' FROM related r
    JOIN casework_relief v ON v.household_id = r.household_id WHERE v.decided_by IS NOT NULL
    UNION
    SELECT c.household_id, c.confirmed_by, c.confirmed_on, '确认变更' FROM related r
    JOIN registry_reportedchange c ON c.household_id = r.household_id WHERE c.confirmed_by IS NOT NULL
)
SELECT r.declarer, r.name, r.relation, h.id, h.household_no, h.division, a.what, a.acted_on, r.declared_on
FROM related r JOIN acts a ON a.household_id = r.household_id
JOIN organisation_appointment p ON p.id = a.appointment AND p.account_id = r.account
JOIN registry_household h ON h.id = r.household_id
WHERE a.acted_on <= r.declared_on
ORDER BY r.declared_on DESC, h.id, a.acted_on LIMIT %(rows)s
"""  # noqa: S608  constants of this house


def list_decided_earlier(prefix: str, on: date) -> list[Earlier]:
    """Acts of officers who work beneath `prefix`."""
    low, high = scope_of(prefix)
    labels = dict(Relative.Relation.choices)
    rows = fetch(_EARLIER, {"low": low, "high": high, "on": on, "rows": ROWS_MAX})
    return [Earlier(row[0], row[1], labels[row[2]], *row[3:]) for row in rows]
