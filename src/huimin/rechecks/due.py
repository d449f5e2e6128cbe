"""Who is due for a re-check, when and why: one statement over a place, nothing stored (CASE-09).

in    a place (or some households), a day, what holds there (rules.Settings)
out   `Due` rows by day; counts by township or village

A household is re-checked for all it draws under the programmes with a frequency, as often as the shortest of them. Half-yearly
when a fact of today says so (GROUNDS): a member able to work, unsteady income, or a near relative of an officer. Due: so many
months after the last confirmed re-check was concluded, else after the first month it has held without a break; the day
itself is the last in time. That a household is registered apart (单独登记备案, 57号 第11条) comes out of the county's
kinship file as one bit, by the function `rechecks_registered`; whose relative it is does not.

Cost: one pass over the place's entitlements and the facts of those households (measured in the room's README).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page
from huimin.rechecks.models import RecheckRule
from huimin.rechecks.rules import Settings

Code = RecheckRule.Code
GROUNDS = {
    "labour": "成员有劳动能力", "partly": "成员有部分劳动能力", "business": "有经营净收入，来源不固定", "other": "有其他收入，来源不固定",
    "casual": "就业而没有参加职工养老保险，收入不固定", "kin": "单独登记备案",
}  # fmt: skip
OVERDUE, SOON, LATER, LIVE = "overdue", "soon", "later", "live"
STANDINGS = [(OVERDUE, "已超期"), (SOON, "快到期"), (LIVE, "复核中"), (LATER, "未到期")]
EXPORT_MAX = 100_000
NEVER = date(1, 1, 1)

# What is asked of each household is asked by its own index (LATERAL): the planner cannot know how many households draw, and a
# join of two sets it thinks small took a minute for a county. "(recorded_to IS NULL) IS TRUE" keeps it from the exclusion
# constraints' indexes, which hold the same rows and are five times slower to look one up in. `near` drops who cannot be due by `latest` before facts are read.
DUE = """
WITH rule AS MATERIALIZED (
    SELECT * FROM unnest(%(codes)s::text[], %(stable)s::int[], %(unstable)s::int[]) AS r(programme, stable, unstable)
), held AS MATERIALIZED (
    SELECT h.id, h.household_no, h.division, min(coalesce(e.since, e.valid_from)) AS since,
           array_agg(DISTINCT e.programme::text ORDER BY e.programme::text) AS programmes, min(r.stable) AS stable,
           min(r.unstable) AS unstable
    FROM casework_entitlement e JOIN rule r ON r.programme = e.programme JOIN registry_household h ON h.id = e.household_id
    WHERE e.programme = ANY (%(codes)s) AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
      AND h.closed_on IS NULL AND h.division >= %(low)s AND h.division < %(high)s
      AND (%(ids)s::bigint[] IS NULL OR e.household_id = ANY (%(ids)s))
    GROUP BY h.id, h.household_no, h.division
), near AS (
    SELECT held.*, past.last_on, past.live FROM held
    CROSS JOIN LATERAL (
        SELECT max(c.concluded_on) FILTER (WHERE c.state = 'confirmed') AS last_on,
               max(c.id) FILTER (WHERE c.state IN ('open', 'concluded')) AS live
        FROM rechecks_recheck c WHERE c.household_id = held.id AND c.state <> 'cancelled') past
    WHERE %(latest)s::date IS NULL OR past.live IS NOT NULL
       OR (coalesce(past.last_on, held.since) + make_interval(months => least(held.stable, held.unstable)))::date <= %(latest)s
), told AS (
    SELECT near.*, array_remove(ARRAY[
               CASE WHEN p.labour THEN 'labour' END, CASE WHEN p.partly AND %(partly)s THEN 'partly' END,
               CASE WHEN f.business_income_year > 0 AND %(business)s THEN 'business' END,
               CASE WHEN f.other_income_year > 0 AND %(other)s THEN 'other' END,
               CASE WHEN p.casual AND %(casual)s THEN 'casual' END,
               CASE WHEN p.kin OR near.id IN (SELECT k FROM rechecks_registered(%(low)s, %(high)s, %(on)s) AS k)
                    THEN 'kin' END], NULL) AS grounds
    FROM near
    CROSS JOIN LATERAL (
        SELECT bool_or(f.labour = '有') AS labour, bool_or(f.labour = '部分') AS partly,
               bool_or(f.employed AND f.pension_insured IS DISTINCT FROM '职工') AS casual, bool_or(f.staff_kin) AS kin
        FROM registry_membership m
        JOIN registry_personfacts f ON f.person_id = m.person_id AND (f.recorded_to IS NULL) IS TRUE AND f.valid_from <= %(on)s
          AND (f.valid_to IS NULL OR f.valid_to > %(on)s) AND (f.death_date IS NULL OR f.death_date > %(on)s)
        WHERE m.household_id = near.id AND m.recorded_to IS NULL AND m.valid_from <= %(on)s
          AND (m.valid_to IS NULL OR m.valid_to > %(on)s)) p
    LEFT JOIN LATERAL (
        SELECT o.business_income_year, o.other_income_year FROM registry_householdfacts o
        WHERE o.household_id = near.id AND (o.recorded_to IS NULL) IS TRUE AND o.valid_from <= %(on)s
          AND (o.valid_to IS NULL OR o.valid_to > %(on)s) LIMIT 1) f ON true
), due AS (
    SELECT t.id, t.household_no, t.division, t.programmes, t.grounds, m.months, t.since, t.last_on, t.live,
           (coalesce(t.last_on, t.since) + make_interval(months => m.months))::date AS due_on
    FROM told t CROSS JOIN LATERAL (SELECT CASE WHEN cardinality(t.grounds) > 0 THEN t.unstable ELSE t.stable END AS months) m
)
"""
"""Households of a place that draw, each with why and when; what follows chooses from `due`."""
_COLUMNS = "id, household_no, division, programmes, grounds, months, since, last_on, live, due_on"
_STANDING = {
    OVERDUE: "live IS NULL AND due_on < %(on)s",
    SOON: "live IS NULL AND due_on >= %(on)s AND due_on <= %(until)s",
    LATER: "live IS NULL AND due_on > %(until)s",
    LIVE: "live IS NOT NULL",
}


@dataclass(frozen=True)
class Due:
    """One household: why and how often, when last, by when; `live` is the re-check under way."""

    household: int
    household_no: str
    division: str
    programmes: tuple[str, ...]
    grounds: tuple[str, ...]
    months: int
    since: date
    last_on: date | None
    live: int | None
    due_on: date

    def overdue(self, on: date) -> bool:
        return self.due_on < on

    @property
    def often(self) -> str:
        return often(self.months)

    @property
    def why(self) -> str:
        return why(self.grounds)


def often(months: int) -> str:
    return {3: "每季", 6: "每半年", 12: "每年"}.get(months, f"每 {months} 个月")


def why(grounds: Sequence[str]) -> str:
    """In words; 单独登记备案 says nothing of whose relative."""
    return "；".join(GROUNDS[each] for each in grounds) or "经济状况变化不大"


@dataclass(frozen=True)
class DueFilter:
    """Which of those who draw: beneath `prefix`, on a day, in a standing, on a ground ("none": none), under a programme."""

    prefix: str
    on: date
    settings: Settings
    standing: str = ""
    ground: str = ""
    programme: str = ""

    def where(self) -> str:
        chosen = [_STANDING[self.standing]] if self.standing in _STANDING else []
        if self.ground == "none":
            chosen.append("cardinality(grounds) = 0")
        elif self.ground in GROUNDS:
            chosen.append("%(ground)s = ANY (grounds)")
        if self.programme:
            chosen.append("%(programme)s = ANY (programmes)")
        return " AND ".join(chosen) or "true"

    def values(self) -> dict[str, Any]:
        values = values_of(self.prefix, self.on, self.settings)
        latest = {OVERDUE: self.on, SOON: values["until"], LIVE: NEVER}.get(self.standing)
        return values | {"ground": self.ground, "programme": self.programme, "latest": latest}


def values_of(prefix: str, on: date, settings: Settings, ids: Sequence[int] | None = None) -> dict[str, Any]:
    """What the statement asks for."""
    low, high = scope_of(prefix)
    chosen = settings.frequencies
    flags = {code.value: bool(settings.number(code)) for code in (Code.PARTLY, Code.BUSINESS, Code.OTHER, Code.CASUAL)}
    return {
        "codes": list(chosen), "stable": [each.stable for each in chosen.values()],
        "unstable": [each.unstable for each in chosen.values()], "on": on, "low": low, "high": high,
        "ids": None if ids is None else list(ids), "until": on + timedelta(days=settings.number(Code.SOON)),
        "latest": None, **flags,
    }  # fmt: skip


def page_due(wanted: DueFilter, place: str = "", size: int = SIZE) -> "Page[Any]":
    """The earliest first; one row more than the page tells whether there is another."""
    backwards, key = _read(place)
    values = wanted.values() | {"day": key[0], "after": key[1], "rows": size + 1} if key else wanted.values() | {"rows": size + 1}  # fmt: skip
    turned, sign = ("DESC", "<") if backwards else ("ASC", ">")
    beyond = f"AND (due_on, id) {sign} (%(day)s::date, %(after)s::bigint)" if key else ""
    rows = fetch(
        f"{DUE} SELECT {_COLUMNS} FROM due WHERE {wanted.where()} {beyond}"  # noqa: S608
        f" ORDER BY due_on {turned}, id {turned} LIMIT %(rows)s",
        values,
    )
    more, found = len(rows) > size, [_row(row) for row in rows[:size]]
    if backwards:
        found.reverse()
    if not found:
        return Page([])
    before, behind = (more, True) if backwards else (bool(key), more)
    return Page(found, _place("<", found[0]) if before else "", _place(">", found[-1]) if behind else "")


def page_by_place(wanted: DueFilter, place: str = "", size: int = SIZE) -> "Page[Any]":
    """Everybody who draws, by village: the page is chosen first and told after, so that a county's costs what fifty cost."""
    assert not wanted.standing and not wanted.ground, "what is computed cannot be chosen before it is"
    division, _, number = place.partition(".")
    after = (division, int(number)) if division.isdecimal() and number.isdecimal() and len(number) < 19 else ("", 0)
    rows = fetch(
        f"{DUE} SELECT id, division FROM held WHERE (division, id) > (%(division)s, %(after)s)"  # noqa: S608
        " AND (%(programme)s = '' OR %(programme)s = ANY (programmes)) ORDER BY division, id LIMIT %(rows)s",
        wanted.values() | {"division": after[0], "after": after[1], "rows": size + 1},
    )
    chosen = [number for number, _ in rows[:size]]
    told = {row.household: row for row in due_of(chosen, wanted.prefix, wanted.on, wanted.settings)}
    found = [told[number] for number in chosen if number in told]
    more = f"{rows[size - 1][1]}.{rows[size - 1][0]}" if len(rows) > size else ""
    return Page(found, "", more)


def list_all_due(wanted: DueFilter, rows_max: int = EXPORT_MAX) -> list[Due]:
    """By village, for a workbook or the paper of a round."""
    rows = fetch(
        f"{DUE} SELECT {_COLUMNS} FROM due WHERE {wanted.where()} ORDER BY division, household_no LIMIT %(rows)s",  # noqa: S608
        wanted.values() | {"rows": rows_max},
    )
    return [_row(row) for row in rows]


def find_due(household: int, prefix: str, on: date, settings: Settings) -> Due | None:
    """One household; None when it draws nothing that is re-checked."""
    rows = due_of([household], prefix, on, settings)
    return rows[0] if rows else None


def due_of(households: Sequence[int], prefix: str, on: date, settings: Settings) -> list[Due]:
    """Of these, those that draw."""
    assert len(households) <= 1000
    rows = fetch(f"{DUE} SELECT {_COLUMNS} FROM due ORDER BY id", values_of(prefix, on, settings, households))  # noqa: S608
    return [_row(row) for row in rows]


@dataclass(frozen=True)
class PlaceCount:
    """One township or village: households that draw, half-yearly ones, overdue, due soon, under way; the earliest day."""

    division: str
    whole: int
    half: int
    overdue: int
    soon: int
    live: int
    earliest: date | None


_COUNTS = f"""{DUE}
SELECT left(division, %(digits)s), count(*)::int, count(*) FILTER (WHERE cardinality(grounds) > 0)::int,
       count(*) FILTER (WHERE {_STANDING[OVERDUE]})::int, count(*) FILTER (WHERE {_STANDING[SOON]})::int,
       count(*) FILTER (WHERE {_STANDING[LIVE]})::int, min(due_on) FILTER (WHERE live IS NULL)
FROM due GROUP BY 1 ORDER BY 1
"""  # noqa: S608


def count_due(prefix: str, on: date, settings: Settings, digits: int) -> list[PlaceCount]:
    """By township (9 digits) or village (12); one statement."""
    rows = fetch(_COUNTS, values_of(prefix, on, settings) | {"digits": digits})
    return [PlaceCount(row[0].ljust(12, "0"), *row[1:]) for row in rows]


def _row(row: tuple[Any, ...]) -> Due:
    return Due(row[0], row[1], row[2], tuple(row[3]), tuple(row[4]), *row[5:])


def _place(direction: str, row: Due) -> str:
    return f"{direction}{row.due_on:%Y%m%d}.{row.household}"


def _read(place: str) -> tuple[bool, tuple[date, int] | None]:
    """A place that was tampered with starts from the beginning."""
    direction, (day, _, number) = place[:1], place[1:].partition(".")
    if direction in ("<", ">") and len(day) == 8 and day.isdecimal() and number.isdecimal() and len(number) < 19:
        try:
            return direction == "<", (date(int(day[:4]), int(day[4:6]), int(day[6:])), int(number))
        except ValueError:
            pass
    return False, None
