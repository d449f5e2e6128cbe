"""The three sides of a month, beneficiary by beneficiary, in sets (VER-04).

in    a township, a month, its spans; or one household or village of it
out   temporary tables of the transaction: `compared_line` (the month's roster lines with what the bank says of them) and
      `compared` (one row a programme, household and person: approved, listed, paid, and what lies between)

Terms. *Approved* is computed from the entitlements as they stand, by the same arithmetic as dues but not from the dues, so that what was never made
shows; to it come arrears of earlier steps, as their dues say, less what a decided recovery withholds. *Listed* are lines of rosters finance confirmed;
what finance has not got yet is told apart. *Paid* is what the bank credited.
"""

from datetime import date
from typing import Any

from huimin.comparison.spans import Span
from huimin.database.bulk import run, temporary
from huimin.kernel.periods import add_months
from huimin.payment.counting import COUNTS
from huimin.payment.standing import AMOUNT, HOLDS, SPAN, find_legal_stops

_OF_STEP = {"%(programme)s": "p.programme", "%(step)s": "p.size", "%(months)s": "p.months"}


def _by_step(text: str) -> str:
    """SQL of payment.standing, written for one programme, with what differs between programmes read from the step."""
    for name, column in _OF_STEP.items():
        text = text.replace(name, column)
    return text


# The month's lines. Of a withdrawn roster nothing counts; a replaced line is counted as the one that replaced it.
_LINES = f"""
SELECT l.id, l.roster_id, l.division, l.programme, l.household_id, coalesce(l.person_id, 0) AS person, l.entitlement_id, l.name,
       l.payee_id, l.card_id, l.authority_id, l.amount_fen, l.state, l.withheld_reason,
       l.{COUNTS} AS live,
       r.state IN ('confirmed', 'funded', 'sent', 'settled') AS confirmed
FROM payment_roster r JOIN payment_rosterline l ON l.roster_id = r.id
WHERE r.division >= %(low)s AND r.division < %(high)s AND r.state <> 'withdrawn' AND r.period_until = %(until)s
  AND l.division >= %(near)s AND l.division < %(far)s
  AND (%(household)s = 0 OR l.household_id = %(household)s)
"""  # noqa: S608
_BANKED = """
SELECT m.*, i.paid_fen, i.flight_fen, i.returned_fen, i.accounts FROM month_line m LEFT JOIN (
    SELECT line_id, sum(amount_fen) FILTER (WHERE state = 'paid')::bigint AS paid_fen,
           sum(amount_fen) FILTER (WHERE state IN ('sent', 'unknown'))::bigint AS flight_fen,
           sum(amount_fen) FILTER (WHERE state = 'returned')::bigint AS returned_fen,
           array_agg(account_hash) FILTER (WHERE state IN ('sent', 'unknown', 'paid')) AS accounts
    FROM payment_instruction WHERE line_id IN (SELECT id FROM month_line) AND state <> 'cancelled' GROUP BY 1) i ON i.line_id = m.id
"""
_STEPS = """
unnest(%(programmes)s::text[], %(onces)s::bool[], %(starts)s::date[], %(untils)s::date[], %(law_froms)s::date[], %(days)s::int[],
       %(parts)s::text[], %(sizes)s::int[], %(lengths)s::int[])
    AS p(programme, once, period_from, period_until, law_from, days, part, size, months)
"""
# What is paid once and was made for another month was compared there.
_APPROVED = f"""
SELECT e.programme, e.household_id, coalesce(e.person_id, 0) AS person, e.id AS entitlement_id,
       CASE WHEN p.once THEN e.amount_fen ELSE {_by_step(AMOUNT)} END AS fen
FROM casework_entitlement e LEFT JOIN legal_stop k ON k.entitlement_id = e.id CROSS JOIN {_STEPS} {SPAN}
WHERE e.division >= %(near)s AND e.division < %(far)s AND (%(household)s = 0 OR e.household_id = %(household)s)
  AND {_by_step(HOLDS)}
  AND NOT (p.once AND EXISTS (SELECT FROM payment_due d WHERE d.entitlement_id = e.id AND d.kind = 'base'
                                 AND d.state <> 'stopped' AND d.period_until <> %(until)s))
"""  # noqa: S608
# Steps before the span that stand on the month's lines, less what recoveries withhold there. Arrears belong to the month whose roster carries them,
# or to the one they were made in: those of earlier steps are added, those of the span that belong to a later month are taken off what
# entitlements say today.
_CARRIED = """
SELECT l.programme, l.household_id, l.person, d.entitlement_id,
       CASE d.kind WHEN 'recovery' THEN -d.amount_fen ELSE d.amount_fen END AS fen
FROM compared_line l JOIN payment_linedue x ON x.line_id = l.id JOIN payment_due d ON d.id = x.due_id
JOIN span s ON s.programme = d.programme
WHERE l.live AND d.state IN ('owed', 'paid') AND (d.kind = 'recovery' OR d.kind = 'base' AND d.period_from < s.since AND NOT s.once)
UNION ALL
SELECT d.programme, e.household_id, coalesce(e.person_id, 0), d.entitlement_id, (m.here::int - m.spanned::int) * d.amount_fen
FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id JOIN span s ON s.programme = d.programme
LEFT JOIN LATERAL (
    SELECT r.period_until FROM payment_linedue x JOIN payment_rosterline l ON l.id = x.line_id AND l.state <> 'replaced'
    JOIN payment_roster r ON r.id = l.roster_id AND r.state <> 'withdrawn'
    WHERE x.due_id = d.id ORDER BY l.state = 'withheld', l.id DESC LIMIT 1) n ON true
CROSS JOIN LATERAL (
    SELECT coalesce(n.period_until = %(until)s, d.state = 'owed' AND d.period_until <= %(until)s AND coalesce(d.made_on < %(until)s, true)) AS here,
           d.period_from >= s.since AND d.period_from < %(until)s AS spanned) m
WHERE d.kind = 'arrears' AND d.state IN ('owed', 'paid') AND d.division >= %(near)s AND d.division < %(far)s AND m.here <> m.spanned
  AND (%(household)s = 0 OR e.household_id = %(household)s)
"""
_COMPARED = """
WITH approved AS (
    SELECT programme, household_id, person, max(entitlement_id) AS entitlement_id, sum(fen)::bigint AS fen
    FROM (SELECT * FROM approved_part UNION ALL SELECT * FROM carried_part) a GROUP BY 1, 2, 3
), listed AS (
    SELECT programme, household_id, person, max(entitlement_id) AS entitlement_id, max(name) AS name, max(division) AS division,
           coalesce(max(id) FILTER (WHERE live), max(id)) AS line_id,
           coalesce(sum(amount_fen) FILTER (WHERE live AND confirmed), 0)::bigint AS listed_fen,
           coalesce(sum(amount_fen) FILTER (WHERE live AND NOT confirmed), 0)::bigint AS waiting_fen,
           coalesce(sum(amount_fen) FILTER (WHERE state = 'withheld'), 0)::bigint AS withheld_fen,
           max(withheld_reason) FILTER (WHERE state = 'withheld') AS withheld_reason,
           max(id) FILTER (WHERE live AND state = 'returned') AS returned_line,
           max(id) FILTER (WHERE live AND confirmed AND state <> 'returned' AND paid_fen IS NULL AND flight_fen IS NULL) AS unsent_line,
           max(id) FILTER (WHERE flight_fen IS NOT NULL) AS flight_line,
           max(id) FILTER (WHERE paid_fen IS NOT NULL AND NOT (live AND confirmed)) AS unlisted_line,
           max(id) FILTER (WHERE live AND paid_fen <> amount_fen) AS other_line,
           coalesce(sum(paid_fen), 0)::bigint AS paid_fen
    FROM compared_line GROUP BY 1, 2, 3
)
SELECT programme, household_id, person, coalesce(a.entitlement_id, l.entitlement_id) AS entitlement_id,
       coalesce(a.fen, 0) AS approved_fen, coalesce(l.listed_fen, 0) AS listed_fen, coalesce(l.waiting_fen, 0) AS waiting_fen,
       coalesce(l.withheld_fen, 0) AS withheld_fen, coalesce(l.paid_fen, 0) AS paid_fen, coalesce(l.withheld_reason, '') AS withheld_reason,
       l.line_id, l.returned_line, l.unsent_line, l.flight_line, l.unlisted_line, l.other_line, l.name, l.division
FROM approved a FULL JOIN listed l USING (programme, household_id, person)
WHERE a.fen <> 0 OR l.line_id IS NOT NULL
"""
_SPANS = """
SELECT * FROM unnest(%(codes)s::text[], %(sinces)s::date[], %(single)s::bool[]) AS s(programme, since, once)
"""


def find_sides(
    low: str, high: str, month: date, on: date, spans: list[Span], *, household: int = 0, village: str = ""
) -> None:
    """The tables `compared_line` and `compared` of a township; of one household or village of it when it is named."""
    steps = [(span, step) for span in spans for step in span.steps]
    where: dict[str, Any] = {
        "low": low, "high": high, "until": add_months(month, 1), "household": household,
        "near": village or low, "far": village + "~" if village else high,
        "codes": [span.programme for span in spans], "sinces": [span.since for span in spans],
        "single": [span.once for span in spans],
        "programmes": [span.programme for span, _ in steps], "onces": [span.once for span, _ in steps],
        "starts": [step.period.start for _, step in steps], "untils": [step.period.until for _, step in steps],
        "law_froms": [step.law.start for _, step in steps], "parts": [step.part for _, step in steps],
        "days": [(step.law.until - step.law.start).days for _, step in steps],
        "sizes": [step.period.months for _, step in steps], "lengths": [step.law.months for _, step in steps],
    }  # fmt: skip
    find_legal_stops([span.programme for span in spans if not span.once], on)
    temporary("span", _SPANS, where)
    temporary("month_line", _LINES, where)
    temporary("compared_line", _BANKED)
    if not household:
        # Far fewer rows are expected than come, and each would pass all of `legal_stop`.
        run("SET LOCAL enable_nestloop = off")
    temporary("approved_part", _APPROVED, where)
    run("SET LOCAL enable_nestloop = on")
    temporary("carried_part", _CARRIED, where)
    temporary("compared", _COMPARED)
