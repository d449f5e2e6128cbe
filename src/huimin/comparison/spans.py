"""Which approvals belong to a month: for each programme the steps of its calendar that are to be paid with it (VER-04).

in    a township and a month; what the policy says of the payer's rhythm; rosters of the place
out   one `Span` a programme that has something to pay with the month

Terms. A *roster's month* is the one its period ends in: a quarterly roster of July to September is September's. A programme is
*paid with* a month when its rhythm ends a period there, or a roster of the place does. Its approvals count from where the
rosters of earlier months left off, at the earliest from the beginning of the rhythm's period; so every step is compared in one
month and none twice. What is paid once (一次性) is paid with the month its dues were made for.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import Period, add_months
from huimin.organisation.acting import Actor
from huimin.payment.commands.dues import payout_period, ruled_steps
from huimin.payment.standing import Step
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book
from huimin.rules.book import Book


@dataclass(frozen=True)
class Span:
    """A programme with what of it is compared: steps from `since` on. No steps (`since` is the end) where no step ends with
    the month, and rosters carry arrears alone."""

    programme: str
    since: date
    once: bool
    steps: tuple[Step, ...]


# Programmes somebody of the place holds or held; which of its rosters end in the month, and where earlier ones left off.
_HELD = """
SELECT p.code FROM policy_programme p
WHERE EXISTS (SELECT FROM casework_entitlement e WHERE e.programme = p.code AND e.division >= %(low)s AND e.division < %(high)s)
   OR EXISTS (SELECT FROM payment_roster r WHERE r.programme = p.code AND r.division >= %(low)s AND r.division < %(high)s)
"""
_ROSTERS = """
SELECT programme, bool_or(period_until = %(until)s), max(period_until) FILTER (WHERE period_until < %(until)s)
FROM payment_roster
WHERE division >= %(low)s AND division < %(high)s AND kind = 'base' AND state <> 'withdrawn' GROUP BY 1
"""
_ONCE = """
SELECT programme, min(period_from) FROM payment_due
WHERE programme = ANY(%(programmes)s) AND division >= %(low)s AND division < %(high)s AND kind = 'base' AND state <> 'stopped'
  AND period_until = %(until)s GROUP BY 1
"""


def spans_of(by: Actor, low: str, high: str, month: date) -> list[Span]:
    """By programme; some three queries, whatever the number of people. Inside a transaction of `by`."""
    until = add_months(month, 1)
    where = {"low": low, "high": high, "until": until}
    held = [code for (code,) in fetch(_HELD, where)]
    laws = list(Programme.objects.filter(code__in=held).order_by("code"))
    ended = {programme: (here, before) for programme, here, before in fetch(_ROSTERS, where)}
    once = dict(fetch(_ONCE, where | {"programmes": [law.code for law in laws if law.period == "once"]}))
    book = adopted_book()
    found = []
    for law in laws:
        here, before = ended.get(law.code, (False, None))
        if law.period == "once":
            if here or law.code in once:
                found.append(_span(by, law, Period(once.get(law.code, month), until), book))
            continue
        payout = payout_period(law, month)
        if here or payout.until == until:
            found.append(_span(by, law, Period(max(payout.start, before or payout.start), until), book))
    return found


def _span(by: Actor, law: Programme, period: Period, book: Book) -> Span:
    try:
        steps = tuple(ruled_steps(by, law, period, book))
    except Refusal:  # no whole step, or a calendar dues are not made by
        return Span(law.code, period.until, False, ())
    return Span(law.code, period.start, law.period == "once", steps)
