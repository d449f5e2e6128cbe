"""What is owed against what was made of it, for every beneficiary and step, in sets (PAY-06).

in    a programme and steps of its calendar, each with the rule for begun periods that the policy of then gives
out   temporary tables of the transaction: `legal_stop` (entitlements of the dead), `standing` (one row a beneficiary and step)

A *beneficiary* is a household, or a person of it, under one programme: his entitlements follow each other, and what one was paid
too much the next is not paid again. `owed` counts the entitlements as they are now, up to their legal end: the month in which
somebody died is still his, no later one (as rechecks.deaths counts). `made` counts every due but those that were stopped; one
withdrawn after an upheld objection counts as much as its entitlement owes, so that it does not arise again by itself, and what
was decided anew is owed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import run, temporary
from huimin.kernel.periods import Period

_MONTHS_BETWEEN = (
    "((extract(year FROM {1}) - extract(year FROM {0})) * 12 + extract(month FROM {1}) - extract(month FROM {0}))::int"
)


@dataclass(frozen=True)
class Step:
    """What one due covers, the policy's own period around it, and how a begun one is counted (by_month, by_day, whole)."""

    period: Period
    law: Period
    part: str


def steps_as_values(steps: Sequence[Step], months: int) -> dict[str, object]:
    """Parameters of STEPS; `months` is how long the policy's own period is."""
    return {
        "starts": [each.period.start for each in steps],
        "untils": [each.period.until for each in steps],
        "law_froms": [each.law.start for each in steps],
        "days": [(each.law.until - each.law.start).days for each in steps],
        "parts": [each.part for each in steps],
        "months": months,
        "step": steps[0].period.months,
    }


STEPS = """
unnest(%(starts)s::date[], %(untils)s::date[], %(law_froms)s::date[], %(days)s::int[], %(parts)s::text[])
    AS p(period_from, period_until, law_from, days, part)
"""
# The days of a step an entitlement covers; sums run from the start of the policy's own period, so that parts add up to the whole.
SPAN = """
CROSS JOIN LATERAL (SELECT least(e.valid_to, k.stops_on) AS ends_on) AS u
CROSS JOIN LATERAL (
    SELECT CASE WHEN p.part = 'whole' THEN p.period_from ELSE greatest(p.period_from, e.valid_from) END AS since,
           CASE WHEN p.part = 'whole' THEN p.period_until ELSE least(p.period_until, u.ends_on) END AS until) AS s
"""
HOLDS = """
e.programme = %(programme)s AND e.valid_from < p.period_until AND (u.ends_on IS NULL OR u.ends_on > greatest(p.period_from, e.valid_from))
AND NOT (p.part = 'whole' AND EXISTS (
      SELECT 1 FROM casework_entitlement o
      WHERE o.programme = e.programme AND o.household_id = e.household_id
        AND o.person_id IS NOT DISTINCT FROM e.person_id AND o.valid_from < e.valid_from
        AND o.valid_to > o.valid_from AND o.valid_to > p.period_from))
"""


def _written_out(text: str) -> str:
    """months_between(a, b): whole months from one first of a month to another."""
    for pair in ("p.law_from, s.until", "p.law_from, s.since"):
        text = text.replace(f"months_between({pair})", _MONTHS_BETWEEN.format(*pair.split(", ")))
    return text


AMOUNT = _written_out("""
CASE WHEN p.part = 'whole' AND %(step)s = %(months)s THEN e.amount_fen
     WHEN p.part = 'by_day'
     THEN e.amount_fen * (s.until - p.law_from) / p.days - e.amount_fen * (s.since - p.law_from) / p.days
     ELSE e.amount_fen * months_between(p.law_from, s.until) / %(months)s
        - e.amount_fen * months_between(p.law_from, s.since) / %(months)s END
""")

# Entitlements of the dead: a person's own, and a household's in which nobody lives any more; from the few who died.
_LEGAL_STOP = """
WITH dead AS MATERIALIZED (
    SELECT f.person_id AS id, min(f.death_date) AS died_on FROM registry_personfacts f
    WHERE f.recorded_to IS NULL AND f.death_date IS NOT NULL AND f.death_date <= %(on)s GROUP BY 1
), lived AS MATERIALIZED (
    SELECT DISTINCT ON (d.id) d.id, d.died_on, m.household_id FROM dead d
    JOIN registry_membership m ON m.person_id = d.id AND m.recorded_to IS NULL ORDER BY d.id, m.valid_from DESC
), empty AS MATERIALIZED (
    SELECT l.household_id, max(l.died_on) AS died_on FROM lived l
    WHERE NOT EXISTS (
        SELECT 1 FROM registry_membership m LEFT JOIN dead d ON d.id = m.person_id
        WHERE m.household_id = l.household_id AND m.recorded_to IS NULL AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
          AND d.id IS NULL)
    GROUP BY 1
)
SELECT e.id AS entitlement_id, d.died_on, (date_trunc('month', d.died_on) + interval '1 month')::date AS stops_on
FROM dead d JOIN casework_entitlement e ON e.person_id = d.id AND e.programme = ANY(%(programmes)s)
UNION ALL
SELECT e.id, w.died_on, (date_trunc('month', w.died_on) + interval '1 month')::date
FROM empty w JOIN casework_entitlement e ON e.household_id = w.household_id AND e.person_id IS NULL
  AND e.programme = ANY(%(programmes)s)
"""
_STANDING = f"""
WITH held AS (
    SELECT e.household_id, coalesce(e.person_id, 0) AS person, p.period_from, p.period_until, e.id, {AMOUNT} AS fen
    FROM casework_entitlement e LEFT JOIN legal_stop k ON k.entitlement_id = e.id CROSS JOIN {STEPS} {SPAN}
    WHERE {HOLDS}
), owed AS (
    SELECT household_id, person, period_from, period_until, sum(fen)::bigint AS fen, max(id) AS entitlement_id
    FROM held GROUP BY 1, 2, 3, 4
), made AS (
    SELECT e.household_id, coalesce(e.person_id, 0) AS person, p.period_from, p.period_until,
           sum(CASE d.state WHEN 'withdrawn' THEN least(d.amount_fen, coalesce(h.fen, 0)) ELSE d.amount_fen END)::bigint AS fen,
           coalesce(sum(d.amount_fen) FILTER (WHERE d.state = 'paid'), 0)::bigint AS paid,
           max(left(d.division, 9)) FILTER (WHERE d.state = 'paid') AS township,
           max(d.entitlement_id) AS entitlement_id
    FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id
    JOIN {STEPS} ON d.period_from >= p.period_from AND d.period_from < p.period_until
    LEFT JOIN held h ON h.id = d.entitlement_id AND h.period_from = p.period_from
    WHERE d.programme = %(programme)s AND d.kind IN ('base', 'arrears') AND d.state <> 'stopped'
    GROUP BY 1, 2, 3, 4
), taken AS (
    -- What was found too much before: `fen` is being taken back, `seen` was looked into, also where nothing is.
    SELECT q.household_id, coalesce(q.person_id, 0) AS person, q.period_from,
           coalesce(sum(q.amount_fen) FILTER (WHERE r.state <> 'refused'), 0)::bigint AS fen, sum(q.amount_fen)::bigint AS seen
    FROM payment_recoverypart q JOIN payment_recovery r ON r.id = q.recovery_id
    WHERE q.programme = %(programme)s GROUP BY 1, 2, 3
)
SELECT household_id, person, period_from, period_until, coalesce(o.fen, 0) AS owed_fen,
       coalesce(m.fen, 0) - coalesce(t.fen, 0) AS made_fen, coalesce(m.paid, 0) AS paid_fen, coalesce(t.seen, 0) AS seen_fen,
       m.township, coalesce(o.entitlement_id, m.entitlement_id) AS entitlement_id
FROM owed o FULL JOIN made m USING (household_id, person, period_from, period_until)
LEFT JOIN taken t USING (household_id, person, period_from)
WHERE coalesce(o.fen, 0) <> coalesce(m.fen, 0) - coalesce(t.fen, 0)
"""  # noqa: S608


# Base dues of a period; arrears of any step up to its end, on the next roster there is; and what was left of a period whose books
# are closed, since no roster of its own can be made any more.
TAKEN_UP = """
d.kind IN ('base', 'arrears') AND d.period_until <= %(until)s AND (d.kind = 'arrears' OR d.period_from >= %(start)s OR EXISTS (
    SELECT 1 FROM ledger_monthclose k WHERE k.division IN (left(d.division, 9) || '000', left(d.division, 6) || '000000')
       AND k.month >= greatest(date_trunc('quarter', d.period_from) + interval '2 months', date_trunc('month', d.period_until - 1))))
"""
# Of them, what is paid after its time: arrears (补发), and what an earlier period left on no roster (前期未编入).
ARREARS = "d.kind = 'arrears'"
LEFT_OVER = "d.kind <> 'arrears' AND d.period_from < %(start)s"
PAID_LATE = f"({ARREARS} OR {LEFT_OVER})"
# The due stands on a roster. Not where its line was held back and every doubt about it is resolved: another roster takes it up then.
ON_A_ROSTER = """
EXISTS (SELECT 1 FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id JOIN payment_roster r ON r.id = l.roster_id
         WHERE x.due_id = d.id AND r.state <> 'withdrawn'
           AND NOT EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state = 'released'
                              AND NOT EXISTS (SELECT 1 FROM payment_rosterfinding o WHERE o.line_id = f.line_id AND o.state = 'held')))
"""


def find_legal_stops(programmes: Sequence[str], on: date) -> None:
    """`legal_stop`: entitlement_id, died_on, stops_on."""
    temporary("legal_stop", _LEGAL_STOP, {"programmes": list(programmes), "on": on})


def find_standing(name: str, programme: str, steps: Sequence[Step], months: int) -> None:
    """Table `name`: beneficiaries and steps whose owed and made amounts differ; after `find_legal_stops`."""
    temporary(name, _STANDING, {"programme": programme, **steps_as_values(steps, months)})


_STOP = """
UPDATE payment_due d SET state = 'stopped'
FROM standing_before w JOIN casework_entitlement e ON e.household_id = w.household_id AND coalesce(e.person_id, 0) = w.person
WHERE d.entitlement_id = e.id AND d.programme = %(programme)s AND d.kind IN ('base', 'arrears') AND d.state = 'owed'
  AND w.made_fen > w.owed_fen AND d.period_from >= w.period_from AND d.period_from < w.period_until
  -- A line that was held back when the roster was checked does not keep it.
  AND NOT EXISTS (SELECT 1 FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id
                           JOIN payment_roster r ON r.id = l.roster_id
                   WHERE x.due_id = d.id AND r.state <> 'withdrawn'
                     AND NOT EXISTS (SELECT 1 FROM payment_rosterfinding f WHERE f.line_id = l.id AND f.state IN ('held', 'released')))
"""


def stop_unlisted(programme: str) -> int:
    """Dues on no roster, of steps for which too much was made: what is still owed of them is made anew. How many.

    After `find_standing("standing_before", …)`.
    """
    return run(_STOP, {"programme": programme})
