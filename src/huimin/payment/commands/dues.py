"""Dues: what entitlements owe for a period, each once (PAY-06).

Terms. The *policy's period* (期间) is what an amount is for: a month, a quarter, half a year, a year, once. The *payer's
rhythm* (发放) is when it is paid. A *step* is what one due covers: the shorter of the two, so that 低保 paid by quarter is
three monthly dues, and a yearly amount paid by quarter four dues that are the year to the cent.

What a begun step is owed (不足期): 按月 the whole months in it; 按日 its days; 整期 all of it, once, to the first of the
subject's entitlements in it; 次月起 as 按月, since a decision takes effect on the first of the next month. A policy that is
silent pays by month. A share is a difference of two rounded-down sums from the start of the policy's period, so that
shares add up to the whole.

Guarantees. Running it again adds nothing: an entitlement never has two base dues for one day, which the database
enforces as well. A due withdrawn after an upheld objection does not arise again by itself: the household is to be
determined and decided anew. Dues are made for whole steps of the calendar; another period is refused and the right one named.
"""

from datetime import date

from huimin.database.bulk import run, temporary
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import MONTHS, Period, add_months
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_programme
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book

refused_by_constraint("base_dues_never_overlap", AlreadyDone, "这一期的应发已经生成", "请刷新后查看")

_RHYTHM = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12, "once": 12}
_NAMES = {1: "月", 3: "季", 6: "半年", 12: "年"}


class NothingOwed(Refusal):
    """There is nothing to pay for this programme, place and period."""


class NotAWholeStep(Refusal):
    """The programme is paid by longer periods than this one, or by periods that begin elsewhere."""


# Chosen before anything is added, and by hash: a plan made while the table was empty would read it once a row.
# `since` and `until` are the part of a step an entitlement covers; sums run from the start of the policy's own period.
_OWED = """
SELECT id, division, programme, since AS period_from, until AS period_until, amount_fen
FROM (
    SELECT e.id, e.division, e.programme, s.since, s.until,
           CASE WHEN %(once)s OR (%(part)s = 'whole' AND %(step)s = %(months)s) THEN e.amount_fen
                WHEN %(part)s = 'by_day'
                THEN e.amount_fen * (s.until - p.law_from) / p.days - e.amount_fen * (s.since - p.law_from) / p.days
                ELSE e.amount_fen * months_between(p.law_from, s.until) / %(months)s
                   - e.amount_fen * months_between(p.law_from, s.since) / %(months)s END AS amount_fen
    FROM casework_entitlement e
    CROSS JOIN unnest(%(starts)s::date[], %(untils)s::date[], %(law_froms)s::date[], %(days)s::int[])
               AS p(period_from, period_until, law_from, days)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(full)s THEN p.period_from ELSE greatest(p.period_from, e.valid_from) END AS since,
               CASE WHEN %(full)s THEN p.period_until ELSE least(p.period_until, e.valid_to) END AS until) AS s
    WHERE e.programme = %(programme)s
      AND e.valid_from < p.period_until AND (e.valid_to IS NULL OR e.valid_to > p.period_from)
      AND NOT (%(full)s AND EXISTS (
            SELECT 1 FROM casework_entitlement o
            WHERE o.programme = e.programme AND o.household_id = e.household_id
              AND o.person_id IS NOT DISTINCT FROM e.person_id AND o.valid_from < e.valid_from
              AND o.valid_to > o.valid_from AND o.valid_to > p.period_from))
      AND NOT EXISTS (
            SELECT 1 FROM payment_due d
            WHERE d.entitlement_id = e.id AND d.kind = 'base'
              AND (%(once)s OR (d.period_from < p.period_until AND d.period_until > p.period_from)))
) AS found
WHERE amount_fen > 0
"""
_MONTHS_BETWEEN = (
    "((extract(year FROM {1}) - extract(year FROM {0})) * 12 + extract(month FROM {1}) - extract(month FROM {0}))::int"
)
_ADD = """
INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state)
SELECT id, division, programme, period_from, period_until, 'base', 1, amount_fen, 'owed' FROM newly_owed
"""


@command(Post.DEPARTMENT_OFFICER)
def accrue_dues(*, by: Actor, on: date, programme: str, period: Period) -> int:
    """Add what is owed for `period` (whole steps of the calendar) under `programme`; returns the dues added."""
    require_programme(by, programme)
    law = Programme.objects.get(code=programme)
    steps = steps_of(law, period)
    months = MONTHS.get(law.period, period.months)
    once = law.period == "once"
    part = "by_month" if once else _part_period(by, programme, period) or "by_month"
    run("SET LOCAL enable_nestloop = off")
    temporary(
        "newly_owed",
        _sql(_OWED),
        {
            "programme": programme,
            "once": once,
            "part": part,
            "full": once or part == "whole",
            "months": months,
            "step": steps[0].months,
            "starts": [step.start for step in steps],
            "untils": [step.until for step in steps],
            "law_froms": [_law_period(step, months).start for step in steps],
            "days": [_days(_law_period(step, months)) for step in steps],
        },
    )
    run("SET LOCAL enable_nestloop = on")
    return run(_ADD)


def steps_of(law: Programme, period: Period) -> list[Period]:
    """What the dues of a period cover, in order; NotAWholeStep when the period does not consist of such steps."""
    if law.period == "once":
        return [period]
    if law.period not in MONTHS:
        raise Refusal(f"{law.name}的周期“{law.period}”还不能生成应发", remedy="请核对政策文件的周期")
    step = min(MONTHS[law.period], _RHYTHM.get(law.payout, MONTHS[law.period]))
    if period.months % step or (period.start.month - 1) % step:
        right = whole_step(law, period)
        raise NotAWholeStep(
            f"{law.name}按{_NAMES[step]}生成应发，不能按{period}", remedy=f"请选 {right}（{_written(right)}）"
        )
    starts = [add_months(period.start, offset) for offset in range(0, period.months, step)]
    return [Period(start, add_months(start, step)) for start in starts]


def whole_step(law: Programme, period: Period) -> Period:
    """The shortest period dues of this programme can be made for that contains the beginning of `period`."""
    step = min(MONTHS.get(law.period, period.months), _RHYTHM.get(law.payout, 12))
    return _law_period(period, step)


def _law_period(part: Period, months: int) -> Period:
    """The period of so many months of the calendar year in which `part` begins."""
    if months > 12 or 12 % months:
        return part
    start = date(part.start.year, (part.start.month - 1) // months * months + 1, 1)
    return Period(start, add_months(start, months))


def _days(period: Period) -> int:
    return (period.until - period.start).days


def _written(period: Period) -> str:
    """As the address of a page and the command line take it."""
    return f"{period.start:%Y-%m}/{add_months(period.until, -1):%Y-%m}"


def _part_period(by: Actor, programme: str, period: Period) -> str:
    """What the policy in force at the end of the period, or at its beginning, says of begun periods; "" for nothing."""
    book = adopted_book()
    for day in (period.last_day, period.start):
        for law in book.programmes_in_force(chain(by.division), day):
            if law.code == programme:
                return law.part_period
    return ""


def _sql(text: str) -> str:
    """months_between(a, b) written out: whole months from one first of a month to another."""
    for pair in ("p.law_from, s.until", "p.law_from, s.since"):
        text = text.replace(f"months_between({pair})", _MONTHS_BETWEEN.format(*pair.split(", ")))
    return text
