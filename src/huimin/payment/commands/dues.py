"""Dues: what entitlements owe for a period, each once (PAY-06).

Terms. The *policy's period* (期间) is what an amount is for: a month, a quarter, half a year, a year, once. The *payer's
rhythm* (发放) is when it is paid. A *step* is what one due covers: the shorter of the two, so that 低保 paid by quarter is
three monthly dues, and a yearly amount paid by quarter four dues that are the year to the cent.

What a begun step is owed (不足期): 按月 the whole months in it; 按日 its days; 整期 all of it, once, to the first of the
subject's entitlements in it; 次月起 as 按月, since a decision takes effect on the first of the next month. A policy that is
silent pays by month. A share is a difference of two rounded-down sums from the start of the policy's period, so that
shares add up to the whole.

Arrears (补发) are the difference of two sums over a beneficiary's entitlements of a step that was made before: what it owes as
they stand now, less what was made of it (payment.standing). They go on the next roster, under the policy then in force.

Guarantees. Running it again adds nothing: a beneficiary never has two dues for one day but for a difference, an entitlement never
two base dues, which the database enforces as well. A due withdrawn after an upheld objection does not arise again by itself: the household is to be
determined and decided anew. Dues are made for whole steps of the calendar; another period is refused and the right one named.
"""

from datetime import date

from huimin.database.bulk import fetch, fetch_one, run, temporary
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import MONTHS, Period, add_months
from huimin.kernel.places import chain
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_programme
from huimin.organisation.posts import Post
from huimin.payment.standing import (
    AMOUNT,
    HOLDS,
    SPAN,
    STEPS,
    Step,
    find_legal_stops,
    find_standing,
    steps_as_values,
    stop_unlisted,
)
from huimin.policy.models import Programme
from huimin.policy.queries import adopted_book
from huimin.rules.book import Book

refused_by_constraint("base_dues_never_overlap", AlreadyDone, "这一期的应发已经生成", "请刷新后查看")
refused_by_constraint("arrears_once", AlreadyDone, "这些补发已经生成", "请刷新后查看")

_RHYTHM = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12, "once": 12}
_NAMES = {1: "月", 3: "季", 6: "半年", 12: "年"}


class NothingOwed(Refusal):
    """There is nothing to pay for this programme, place and period."""


class NotAWholeStep(Refusal):
    """The programme is paid by longer periods than this one, or by periods that begin elsewhere."""


# Chosen before anything is added, and by hash: a plan made while the table was empty would read it once a row.
_MADE_DAYS = """
SELECT e.household_id, coalesce(e.person_id, 0) AS person, d.entitlement_id, d.period_from, d.period_until, d.state = 'withdrawn' AS struck
FROM payment_due d JOIN casework_entitlement e ON e.id = d.entitlement_id
WHERE d.programme = %(programme)s AND d.kind IN ('base', 'arrears') AND d.state <> 'stopped'
  AND (%(once)s OR d.period_from < %(last)s AND d.period_until > %(first)s)
"""
_OWED = f"""
SELECT id, division, programme, since AS period_from, until AS period_until, amount_fen, part
FROM (
    SELECT e.id, e.division, e.programme, s.since, s.until, p.part,
           CASE WHEN %(once)s THEN e.amount_fen ELSE {AMOUNT} END AS amount_fen
    FROM casework_entitlement e LEFT JOIN legal_stop k ON k.entitlement_id = e.id CROSS JOIN {STEPS} {SPAN}
    WHERE {HOLDS}
      AND NOT EXISTS (
            SELECT 1 FROM made_days d
            WHERE d.household_id = e.household_id AND d.person = coalesce(e.person_id, 0)
              AND CASE WHEN %(once)s THEN d.entitlement_id = e.id
                       ELSE d.period_from < s.until AND d.period_until > s.since AND (NOT d.struck OR d.entitlement_id = e.id) END)
) AS found
WHERE amount_fen > 0
"""  # noqa: S608
_ADD = """
INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state, rule, made_on)
SELECT id, division, programme, period_from, period_until, 'base', 1, amount_fen, 'owed', part, %(on)s FROM newly_owed
"""
# What a step owes beyond what was made of it; numbered, so that two who do it at once do it once.
_ADD_ARREARS = """
INSERT INTO payment_due (entitlement_id, division, programme, period_from, period_until, kind, number, amount_fen, state, rule,
    owed_fen, made_fen, made_on)
SELECT w.entitlement_id, e.division, e.programme, w.period_from, w.period_until, 'arrears',
       1 + (SELECT count(*) FROM payment_due d WHERE d.entitlement_id = w.entitlement_id AND d.kind = 'arrears'
              AND d.period_from = w.period_from),
       w.owed_fen - w.made_fen, 'owed', p.part, w.owed_fen, w.made_fen, %(on)s
FROM standing_after w JOIN casework_entitlement e ON e.id = w.entitlement_id
JOIN unnest(%(starts)s::date[], %(parts)s::text[]) AS p(period_from, part) ON p.period_from = w.period_from
WHERE w.owed_fen > w.made_fen
"""
# The first day any due of the programme was made for: steps before it were never run here.
_FIRST = "SELECT min(period_from) FROM payment_due WHERE programme = %s AND kind = 'base'"
_MADE_STEPS = """
SELECT DISTINCT p.period_from FROM unnest(%(starts)s::date[], %(untils)s::date[]) AS p(period_from, period_until)
WHERE EXISTS (SELECT 1 FROM payment_due d WHERE d.programme = %(programme)s AND d.kind = 'base'
              AND d.period_from >= p.period_from AND d.period_from < p.period_until)
"""
BACK_STEPS_MAX = 120
"""How many steps back arrears are looked for: ten years of months."""


@command(Post.DEPARTMENT_OFFICER)
def accrue_dues(*, by: Actor, on: date, programme: str, period: Period) -> int:
    """Add what is owed for `period` (whole steps of the calendar) under `programme`; returns the dues added.

    With it go arrears: what steps made before, and these, owe more than was made of them, since a grant or a standard took
    effect back in time. What is on no roster yet and no more owed is stopped.
    """
    require_programme(by, programme)
    law = Programme.objects.get(code=programme)
    asked = steps_of(law, period)
    months = MONTHS.get(law.period, period.months)
    once = law.period == "once"
    steps = ruled_steps(by, law, period)
    run("SET LOCAL enable_nestloop = off")
    find_legal_stops([programme], date.min if once else on)  # what is paid once was earned when it was granted
    before: list[Step] = []
    if not once:
        before = [
            _step(by, programme, each, months)
            for each in steps_made(programme, asked[0].start, asked[-1].until, asked[0].months)
        ]
        if before:
            find_standing("standing_before", programme, before, months)
            stop_unlisted(programme)
    added = _add_base(on, programme, steps, months, once=once)
    if not once:
        added += _add_arrears(
            on, programme, before + [each for each in steps if each.period not in {b.period for b in before}], months
        )
    run("SET LOCAL enable_nestloop = on")
    return added


def _add_base(on: date, programme: str, steps: list[Step], months: int, *, once: bool) -> int:
    asked = {"programme": programme, "once": once, "on": on, **steps_as_values(steps, months)}
    temporary("made_days", _MADE_DAYS, asked | {"first": steps[0].period.start, "last": steps[-1].period.until})
    temporary("newly_owed", _OWED, asked)
    return run(_ADD, {"on": on})


def _add_arrears(on: date, programme: str, steps: list[Step], months: int) -> int:
    """In steps that were made: all up to and with those just made."""
    find_standing("standing_after", programme, steps, months)
    return run(_ADD_ARREARS, {"on": on, **steps_as_values(steps, months)})


def steps_made(programme: str, start: date, until: date, months: int) -> list[Period]:
    """Steps of `months` for which dues of the programme were made, from the first to `until`; on the grid `start` lies on."""
    [first] = fetch_one(_FIRST, [programme])
    if first is None:
        return []
    while start > first and (until.year - start.year) * 12 + until.month - start.month < BACK_STEPS_MAX * months:
        start = add_months(start, -months)
    every = []
    while start < until:
        every.append(Period(start, add_months(start, months)))
        start = add_months(start, months)
    where = {"programme": programme, "starts": [p.start for p in every], "untils": [p.until for p in every]}
    made = {row[0] for row in fetch(_MADE_STEPS, where)}
    return [each for each in every if each.start in made]


def calendar_steps(by: Actor, law: Programme, until: date) -> list[Step]:
    """Every step of the programme up to `until` for which dues were made, with its rule; none of what is paid once."""
    months = MONTHS[law.period]
    size = min(months, _RHYTHM.get(law.payout, months))
    last = _law_period(Period(until, add_months(until, 1)), size)
    made = steps_made(law.code, last.start, last.until, size)
    return [_step(by, law.code, each, months) for each in made]


def _step(
    by: Actor, programme: str, period: Period, months: int, *, once: bool = False, book: Book | None = None
) -> Step:
    """With what the policy then in force says of begun periods; what is paid once is owed whole."""
    part = "whole" if once else _part_period(by, programme, period, book) or "by_month"
    return Step(period, _law_period(period, months), part)


def ruled_steps(by: Actor, law: Programme, period: Period, book: Book | None = None) -> list[Step]:
    """The steps a period's dues cover, each with the rule for begun ones (of `book`); NotAWholeStep as `steps_of`."""
    months, once = MONTHS.get(law.period, period.months), law.period == "once"
    return [_step(by, law.code, each, months, once=once, book=book) for each in steps_of(law, period)]


def payout_period(law: Programme, month: date) -> Period:
    """The period in the payer's rhythm (by month, quarter …) that a month belongs to."""
    return _law_period(Period(month, add_months(month, 1)), _RHYTHM.get(law.payout, MONTHS.get(law.period, 12)))


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


def _written(period: Period) -> str:
    """As the address of a page and the command line take it."""
    return f"{period.start:%Y-%m}/{add_months(period.until, -1):%Y-%m}"


def _part_period(by: Actor, programme: str, period: Period, book: Book | None = None) -> str:
    """What the policy in force at the end of the period, or at its beginning, says of begun periods; "" for nothing."""
    book = book or adopted_book()
    for day in (period.last_day, period.start):
        try:
            [law] = book.programmes_in_force(chain(by.division), day, only=programme)
        except (BadInput, ValueError):  # waits for a value, or is not in force
            continue
        return law.part_period
    return ""
