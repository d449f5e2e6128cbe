"""The dead who still draw: who died when, what goes on, by when it should have ended (死亡后仍未停发; REG-05, PAY-08).

in    a place, a day; deaths as registered (with the person closed, or as a fact of a table that named it)
out   rows by the day of death, of three sorts; counts

    person      an entitlement of the dead himself is in force after the month he died in
    household   everybody of a household is dead or gone, and its entitlement is in force
    member      one of a living household died, and what the determination makes of it waits to be decided

A decision takes effect on the first of the month after it (57号 第21条), so what should end on the first of the month after the
death has to be decided within the month of the death; `months` is how many are drawn beyond that until today's decision could
take effect. For a member the law gives months (`rules`: three from 2022-10-20 on). What was drawn too long is counted here and
taken back as a recovery (room payment). Starts from the few who died, by an index of this room (migration 0002).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from huimin.casework.screening import granted_of
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import Actor, command, require_place
from huimin.organisation.posts import Post
from huimin.registry.models import Household
from huimin.screening.rescreening import rescreen

SORTS = {"person": "本人已去世", "household": "全户已无人", "member": "成员去世待调整"}
ROWS_MAX = 2000
WATCHERS = (Post.CLERK, Post.REVIEWER, Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER, Post.COUNTY_OFFICER)

_DEAD = """
WITH dead AS MATERIALIZED (
    SELECT f.person_id AS id, min(f.death_date) AS died_on FROM registry_personfacts f
    WHERE f.recorded_to IS NULL AND f.death_date IS NOT NULL AND f.death_date <= %(on)s AND f.division >= %(low)s
      AND f.division < %(high)s
    GROUP BY 1
), lived AS MATERIALIZED (
    -- The household each of them lived in last.
    SELECT DISTINCT ON (d.id) d.id, d.died_on, m.household_id FROM dead d
    JOIN registry_membership m ON m.person_id = d.id AND m.recorded_to IS NULL
    ORDER BY d.id, m.valid_from DESC
), empty AS MATERIALIZED (
    -- Households in which nobody lives any more, by the last of the deaths.
    SELECT l.household_id, max(l.died_on) AS died_on, max(l.id) AS person_id FROM lived l
    WHERE NOT EXISTS (
        SELECT 1 FROM registry_membership m LEFT JOIN dead d ON d.id = m.person_id
        WHERE m.household_id = l.household_id AND m.recorded_to IS NULL AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
          AND d.id IS NULL)
    GROUP BY 1
), drawn AS (
    SELECT 'person' AS sort, e.id AS entitlement, e.household_id, d.id AS person_id, d.died_on
    FROM dead d JOIN casework_entitlement e ON e.person_id = d.id
    WHERE e.valid_from <= %(next)s AND (e.valid_to IS NULL OR e.valid_to > greatest(%(next)s, d.died_on))
    UNION ALL
    SELECT 'household', e.id, e.household_id, w.person_id, w.died_on
    FROM empty w JOIN casework_entitlement e ON e.household_id = w.household_id AND e.person_id IS NULL
    WHERE e.valid_from <= %(next)s AND (e.valid_to IS NULL OR e.valid_to > %(next)s)
    UNION ALL
    (SELECT DISTINCT ON (e.id) 'member', e.id, e.household_id, l.id, l.died_on
    FROM lived l JOIN casework_entitlement e ON e.household_id = l.household_id AND e.person_id IS NULL
    JOIN screening_proposal p ON p.household_id = e.household_id AND p.person_id IS NULL AND p.programme = e.programme
      AND p.state = 'open' AND p.kind <> 'enter'
    WHERE e.valid_from <= l.died_on AND (e.valid_to IS NULL OR e.valid_to > %(next)s)
      AND NOT EXISTS (SELECT 1 FROM empty w WHERE w.household_id = l.household_id)
    ORDER BY e.id, l.died_on)
), told AS (
    SELECT w.sort, w.entitlement, h.id AS household, h.household_no, h.division, p.id AS person, p.name, w.died_on,
           e.programme::text AS programme, e.amount_fen, e.period, q.id AS proposal, q.kind::text AS kind
    FROM drawn w JOIN casework_entitlement e ON e.id = w.entitlement JOIN registry_household h ON h.id = w.household_id
    JOIN registry_person p ON p.id = w.person_id
    LEFT JOIN LATERAL (
        SELECT s.id, s.kind FROM screening_proposal s
        WHERE s.household_id = e.household_id AND s.person_id IS NOT DISTINCT FROM e.person_id AND s.programme = e.programme
          AND s.state = 'open' AND s.kind <> 'enter' ORDER BY s.id DESC LIMIT 1) q ON true
    WHERE (%(programmes)s::text[] IS NULL OR e.programme = ANY (%(programmes)s))
      AND (%(household)s::bigint IS NULL OR h.id = %(household)s)
)
"""
_LIST = f"{_DEAD} SELECT * FROM told WHERE %(sort)s = '' OR sort = %(sort)s ORDER BY died_on, household, entitlement LIMIT %(rows)s"  # noqa: S608
_COUNT = f"{_DEAD} SELECT sort, count(*)::int, min(died_on) FROM told GROUP BY 1"  # noqa: S608


@dataclass(frozen=True)
class StillDrawn:
    """One entitlement that goes on after a death; `proposal` is what waits to be decided about it, None when nothing is."""

    sort: str
    entitlement: int
    household: int
    household_no: str
    division: str
    person: int
    name: str
    died_on: date
    programme: str
    amount_fen: int
    period: str
    proposal: int | None
    kind: str | None
    on: date
    within: int | None

    @property
    def days(self) -> int:
        return (self.on - self.died_on).days

    @property
    def until(self) -> date | None:
        """The last day to decide it: of the month of the death, or of the months the law gives for a member."""
        if self.sort != "member":
            return date.fromordinal(self.stops_on.toordinal() - 1)
        return add_months(self.died_on, self.within) if self.within else None

    @property
    def stops_on(self) -> date:
        """From when nothing is owed any more, had it been decided in time."""
        return legal_stop(self.died_on)

    @property
    def months(self) -> int:
        """Months drawn beyond the legal one, if it is decided today."""
        first = add_months(month_start(self.on), 1)
        return max((first.year - self.stops_on.year) * 12 + first.month - self.stops_on.month, 0)


def legal_stop(died_on: date) -> date:
    """The first of the month after the death: the month he died in is still his."""
    return add_months(month_start(died_on), 1)


def list_still_drawn(
    prefix: str, on: date, *, programmes: tuple[str, ...] | None = None, sort: str = "", household: int | None = None,
    within: int | None = None, rows_max: int = ROWS_MAX,
) -> list[StillDrawn]:  # fmt: skip
    """Oldest death first; inside `reading(by)`. `within`: months the law gives for a member (rules.Settings.death)."""
    values = _values(prefix, on, programmes, household) | {"sort": sort, "rows": rows_max}
    return [StillDrawn(*row, on, within) for row in fetch(_LIST, values)]


def count_still_drawn(
    prefix: str, on: date, programmes: tuple[str, ...] | None = None
) -> dict[str, tuple[int, date]]:  # fmt: skip
    """Sort → how many, and the earliest death."""
    return {sort: (count, first) for sort, count, first in fetch(_COUNT, _values(prefix, on, programmes, None))}


def _values(prefix: str, on: date, programmes: tuple[str, ...] | None, household: int | None) -> dict[str, Any]:
    low, high = scope_of(prefix)
    return {
        "low": low, "high": high, "on": on, "next": add_months(month_start(on), 1), "household": household,
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip


@command(*WATCHERS)
def propose_stop(*, by: Actor, on: date, household: int) -> int:
    """Determine the household anew, where a death came in by a table and nothing is proposed yet; how many runs it took."""
    found = Household.objects.select_for_update().filter(pk=household).first()
    if found is None:
        raise BadInput("没有这一户", where="户", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, found.division)
    return len(rescreen(by, on, [found.pk], granted_of))
