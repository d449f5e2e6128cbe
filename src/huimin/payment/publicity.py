"""After every payment: is the village's long-term list what was paid? (CASE-07)

in    a roster whose bank answer was just taken
out   a `PaidCheck` of its township, programme and period, when the programme is one the county publishes

Compared are the entitlements that were in force in the period, which were on the list (telling.lists), with the lines of every
roster of that programme, township and period. Waiting: on a roster and not paid yet, or without an account. Differing: in force
and on no roster, or paid and never in force. One statement a roster.
"""

from datetime import date

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.periods import Period
from huimin.kernel.places import Level, scope_prefix
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor
from huimin.payment.models import Roster
from huimin.telling.models import PaidCheck
from huimin.telling.publicity import EXAMPLES_MAX, record_check

# Households are looked up by key: behind row-level security a computed key (coalesce) would be held against every household of the county.
_COMPARED = """
WITH listed AS (
    SELECT e.id, e.household_id FROM casework_entitlement e
    WHERE e.programme = %(programme)s AND e.division >= %(low)s AND e.division < %(high)s
      AND e.valid_from < %(until)s AND (e.valid_to IS NULL OR e.valid_to > greatest(e.valid_from, %(start)s))
), lines AS (
    SELECT l.entitlement_id AS id, min(l.household_id) AS household_id, bool_or(l.state = 'paid') AS paid
    FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
    WHERE r.programme = %(programme)s AND r.division = %(division)s AND r.period_from = %(start)s
      AND r.period_until = %(until)s AND r.state <> 'withdrawn'
      AND l.amount_fen + l.withheld_fen > l.arrears_fen  -- who is paid arrears only need not draw in this period
    GROUP BY 1
), no_card AS (
    SELECT DISTINCT x.entitlement_id AS id FROM payment_paymentexception x JOIN payment_roster r ON r.id = x.roster_id
    WHERE x.kind = 'no_card' AND r.programme = %(programme)s AND r.division = %(division)s AND r.period_from = %(start)s
      AND r.period_until = %(until)s
), pairs AS MATERIALIZED (
    SELECT coalesce(a.household_id, b.household_id) AS household_id,
           CASE WHEN a.id IS NULL THEN CASE WHEN b.paid THEN 'unlisted' ELSE 'gone' END
                WHEN b.paid THEN 'paid' WHEN b.id IS NOT NULL OR c.id IS NOT NULL THEN 'waiting' ELSE 'unpaid' END AS what
    FROM listed a FULL JOIN lines b ON b.id = a.id LEFT JOIN no_card c ON c.id = a.id
)
SELECT what, count(*)::int, (array_agg(h.household_no ORDER BY h.household_no))[1:20]
FROM pairs p CROSS JOIN LATERAL (SELECT household_no FROM registry_household WHERE id = p.household_id OFFSET 0) h GROUP BY 1
"""
_WORDS = {"unlisted": "已发放，本期不在长期公示", "unpaid": "本期在长期公示，没有上清册"}


def check_publicity(by: Actor, on: date, roster: Roster) -> PaidCheck | None:
    """In the transaction of the command that took the answer; None for a programme that is not published."""
    if roster.programme not in rule_of(roster.division).programmes:
        return None
    low, high = scope_of(scope_prefix(roster.division, Level.TOWNSHIP))
    period = Period(roster.period_from, roster.period_until)
    asked = {
        "programme": roster.programme, "division": roster.division, "low": low, "high": high,
        "start": period.start, "until": period.until,
    }  # fmt: skip
    found = {what: (count, numbers) for what, count, numbers in fetch(_COMPARED, asked)}
    count = {what: found.get(what, (0, []))[0] for what in ("paid", "waiting", "unpaid", "unlisted")}
    examples = [[number, _WORDS[what]] for what in _WORDS for number in found.get(what, (0, []))[1]]
    return record_check(
        by=by, on=on, division=roster.division, programme=roster.programme, subject=f"roster:{roster.pk}", period=period,
        listed=count["paid"] + count["waiting"] + count["unpaid"], paid=count["paid"], waiting=count["waiting"],
        differing=count["unpaid"] + count["unlisted"], examples=examples[:EXAMPLES_MAX],
    )  # fmt: skip
