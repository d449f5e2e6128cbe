"""Dues: what entitlements owe for a period, each once (PAY-06).

A due follows the period of the law: a month for 低保; for a yearly amount the payer's quarter, split so that four
quarters are the year to the cent; once for a one-off subsidy. Running it again adds nothing: an entitlement never has
two base dues for one day, which the database enforces as well. A due withdrawn after an upheld objection does not
arise again by itself: the household is to be determined and decided anew.
"""

from datetime import date

from huimin.database.bulk import run, temporary
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_programme
from huimin.organisation.posts import Post
from huimin.policy.models import Programme

refused_by_constraint("base_dues_never_overlap", AlreadyDone, "这一期的应发已经生成", "请刷新后查看")


class NothingOwed(Refusal):
    """There is nothing to pay for this programme, place and period."""


# Chosen before anything is added, and by hash: a plan made while the table was empty would read it once a row.
_OWED = """
SELECT e.id, e.division, e.programme, p.period_from, p.period_until,
       CASE WHEN e.period = 'year'
            THEN e.amount_fen * p.after / 12 - e.amount_fen * p.before / 12
            ELSE e.amount_fen END AS amount_fen
FROM casework_entitlement e
CROSS JOIN unnest(%(starts)s::date[], %(untils)s::date[], %(befores)s::int[], %(afters)s::int[])
           AS p(period_from, period_until, before, after)
WHERE e.programme = %(programme)s
  AND e.valid_from <= p.period_from AND (e.valid_to IS NULL OR e.valid_to >= p.period_until)
  AND NOT EXISTS (
        SELECT 1 FROM payment_due d
        WHERE d.entitlement_id = e.id AND d.kind = 'base'
          AND (e.period = 'once' OR (d.period_from < p.period_until AND d.period_until > p.period_from)))
"""
_ADD = """
INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state)
SELECT id, division, programme, period_from, period_until, 'base', 1, amount_fen, 'owed' FROM newly_owed
"""


@command(Post.DEPARTMENT_OFFICER)
def accrue_dues(*, by: Actor, on: date, programme: str, period: Period) -> int:
    """Add what is owed for `period` (a whole quarter of the calendar) under `programme`; returns the dues added."""
    require_programme(by, programme)
    law = Programme.objects.get(code=programme)
    if law.period == "month":
        parts = period.split("month")
    elif law.period in ("quarter", "year", "once"):
        parts = [period] if law.period == "once" else period.split("quarter")
    else:
        raise Refusal(f"{law.name}的周期“{law.period}”还不能生成应发", remedy="请核对政策文件的周期")
    run("SET LOCAL enable_nestloop = off")
    temporary(
        "newly_owed",
        _OWED,
        {
            "programme": programme,
            "starts": [part.start for part in parts],
            "untils": [part.until for part in parts],
            "befores": [part.start.month - 1 for part in parts],
            "afters": [part.start.month - 1 + part.months for part in parts],
        },
    )
    run("SET LOCAL enable_nestloop = on")
    return run(_ADD)
