"""The timetable of money: for each programme, place and period what is due when, done when, late by how much, by whom (FUND-03).

in    rosters with their application and latest batch; the working calendar; rosters of the period before, for what is expected
out   `Step`s; four queries for any number of rosters

Quarterly rosters go by S0: posted seven days before the application, the application by the 15th of the quarter's third
month, the transfer within five days, the bank within five working days, two for disaster money (A4 art 19–22). Monthly ones
by S3 二(四)2: the month's ledger before the 24th, the roster before the 1st, paid by the 10th. Lateness is a flag, never a refusal:
late money is still owed. A programme that a place had a roster of in the period before, and
that is not paid once, is expected to have one again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.funds.commands import TRANSFER_DAYS
from huimin.kernel.periods import Period, add_months
from huimin.organisation.models import Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.deadlines import BANK_WORKING_DAYS, DISASTER_DEPARTMENT, DISASTER_WORKING_DAYS
from huimin.payment.queries import application_due_on, publish_due_on
from huimin.policy.models import Programme

ROWS_MAX = 5000
STEPS = {
    "publish": "公示清册", "apply": "提出拨款申请", "transfer": "拨付到位", "bank": "银行发放到户",
    "ledger": "当月台账", "list": "发放名册", "paid": "发放到户",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One thing of a roster's way; `roster` 0 where there is none yet. `days` is how late it is, or was, on the day asked."""

    key: str
    division: str
    programme: str
    period: Period
    roster: int
    due: date
    done: date | None
    office: str
    post: str
    days: int

    @property
    def name(self) -> str:
        return STEPS[self.key]

    @property
    def standing(self) -> str:
        """open, late (not done, overdue), done, done_late."""
        if self.done is None:
            return "late" if self.days else "open"
        return "done_late" if self.days else "done"


_ROSTERS = """
SELECT r.id, r.division, r.programme, r.period_from, r.period_until, r.compiled_on, r.published_on, r.finance_on,
       a.applied_on, a.due_on, a.transfer_due_on, a.transferred_on, b.answer_due_on, b.answered_on, b.bank_office_id
FROM payment_roster r
LEFT JOIN funds_fundingapplication a ON a.id = r.application_id AND a.state <> 'withdrawn'
LEFT JOIN LATERAL (SELECT b.answer_due_on, b.answered_on, b.bank_office_id FROM payment_batch b
                   WHERE b.roster_id = r.id AND b.state NOT IN ('cancelled', 'rejected') ORDER BY b.id DESC LIMIT 1) b ON true
WHERE r.kind = 'base' AND r.state <> 'withdrawn' AND r.division >= %(low)s AND r.division < %(high)s
  AND r.period_from >= %(start)s AND r.period_until <= %(until)s
ORDER BY r.programme, r.division, r.period_from, r.id LIMIT %(most)s
"""
# A place that had a roster of this length in the period before, and has none yet in this one.
_EXPECTED = """
SELECT DISTINCT r.division, r.programme, (extract(year FROM age(r.period_until, r.period_from)) * 12
                                          + extract(month FROM age(r.period_until, r.period_from)))::int AS months
FROM payment_roster r JOIN policy_programme p ON p.code = r.programme AND p.period <> 'once'
WHERE r.kind = 'base' AND r.state <> 'withdrawn' AND r.division >= %(low)s AND r.division < %(high)s
  AND r.period_from >= %(before)s AND r.period_until <= %(start)s
  AND NOT EXISTS (SELECT 1 FROM payment_roster o WHERE o.kind = 'base' AND o.state <> 'withdrawn'
                  AND o.division = r.division AND o.programme = r.programme
                  AND o.period_from >= %(start)s AND o.period_until <= %(until)s)
ORDER BY 2, 1 LIMIT %(most)s
"""


@dataclass(frozen=True)
class _Way:
    """What is known of one roster's way; everything None where it has not begun."""

    roster: int
    division: str
    programme: str
    period: Period
    compiled_on: date | None = None
    published_on: date | None = None
    finance_on: date | None = None
    applied_on: date | None = None
    due_on: date | None = None
    transfer_due_on: date | None = None
    transferred_on: date | None = None
    answer_due_on: date | None = None
    answered_on: date | None = None
    bank: int | None = None


def timetable(prefix: str, period: Period, on: date, *, programmes: tuple[str, ...] | None = None) -> list[Step]:
    """Every step of the rosters within `period`, as it stands on `on`; inside `reading(by)`."""
    low, high = scope_of(prefix)
    where = {
        "low": low, "high": high, "start": period.start, "until": period.until, "most": ROWS_MAX,
        "before": add_months(period.start, -period.months),
    }  # fmt: skip
    ways = [_Way(row[0], row[1], row[2], Period(row[3], row[4]), *row[5:]) for row in fetch(_ROSTERS, where)]
    ways += [way for row in fetch(_EXPECTED, where) for way in _expected(*row, period)]
    if programmes is not None:
        ways = [way for way in ways if way.programme in programmes]
    if not ways:
        return []
    makers = _Makers(ways, prefix, on)
    return [step for way in ways for step in makers.steps(way)]


def _expected(division: str, programme: str, months: int, period: Period) -> list[_Way]:
    """One way a month for monthly programmes, one for the others."""
    parts = period.split("month") if months == 1 else [period]
    return [_Way(0, division, programme, part) for part in parts]


class _Makers:
    """Turns ways into steps, with everything that is looked up once for all of them."""

    def __init__(self, ways: list[_Way], prefix: str, on: date) -> None:
        self.on = on
        self.calendar = calendar_of(ways[0].division[:6].ljust(12, "0"))
        disaster = Programme.objects.filter(department=DISASTER_DEPARTMENT).values_list("code", flat=True)
        self.disaster = set(disaster)
        self.offices = _offices(ways, on)

    def steps(self, way: _Way) -> Iterator[Step]:
        quarterly = way.period.months > 1
        for key, due, done, office, post in self._of_month(way) if not quarterly else self._of_quarter(way):
            end = done or self.on
            yield Step(
                key, way.division, way.programme, way.period, way.roster, due, done, office, post,
                max(0, (end - due).days),
            )  # fmt: skip

    def _of_quarter(self, way: _Way) -> Iterator[tuple[str, date, date | None, str, str]]:
        due_on = way.due_on or application_due_on(way.period)
        township, finance = self._of(way, OfficeKind.TOWNSHIP), self._of(way, OfficeKind.FINANCE)
        transfer = way.transfer_due_on or (way.applied_on or due_on) + timedelta(days=TRANSFER_DAYS)
        yield "publish", publish_due_on(way.period), way.published_on, township, Post.CLERK.label
        yield "apply", due_on, way.applied_on, township, Post.SETTLEMENT.label
        yield "transfer", transfer, way.transferred_on, finance, Post.FINANCE_RELEASER.label
        yield "bank", *self._bank(way, transfer)

    def _of_month(self, way: _Way) -> Iterator[tuple[str, date, date | None, str, str]]:
        first = way.period.until
        township, finance = self._of(way, OfficeKind.TOWNSHIP), self._of(way, OfficeKind.FINANCE)
        yield "ledger", way.period.start.replace(day=23), way.compiled_on, township, Post.CLERK.label
        yield "list", first - timedelta(days=1), way.finance_on, finance, Post.FINANCE_OFFICER.label
        office, post = self._bank(way, first)[2:]
        yield "paid", first.replace(day=10), way.answered_on, office, post

    def _bank(self, way: _Way, transfer: date) -> tuple[date, date | None, str, str]:
        """The bank's own days run from the release; before it, whoever has not sent it yet is late."""
        if way.answer_due_on is not None:
            return way.answer_due_on, way.answered_on, self.offices.get(way.bank or 0, ""), Post.BANK_OPERATOR.label
        days = DISASTER_WORKING_DAYS if way.programme in self.disaster else BANK_WORKING_DAYS
        due = self.calendar.add(way.transferred_on or transfer, days)
        return due, None, self._of(way, OfficeKind.TOWNSHIP), Post.SETTLEMENT.label

    def _of(self, way: _Way, kind: str) -> str:
        place = way.division if kind == OfficeKind.TOWNSHIP else way.division[:6].ljust(12, "0")
        return self.offices.get((place, kind), "")


def _offices(ways: list[_Way], on: date) -> dict[object, str]:
    """Names by (place, kind) and by number; one query."""
    places = {way.division for way in ways} | {way.division[:6].ljust(12, "0") for way in ways}
    banks = {way.bank for way in ways if way.bank}
    found: dict[object, str] = {}
    kinds = [OfficeKind.TOWNSHIP, OfficeKind.FINANCE]
    for office in Office.objects.filter(division__in=places, kind__in=kinds, valid_to=None).order_by("-id"):
        found[office.division, office.kind] = office.name
    found |= dict(Office.objects.filter(pk__in=banks).values_list("pk", "name"))
    return found
