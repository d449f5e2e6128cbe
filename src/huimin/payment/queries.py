"""Reads of rosters, batches, results and exceptions; bounded, paged by key, inside `reading(by)` (PAY-01 to PAY-06).

`prefix` is the leading digits of a place: what lies in it and beneath. Amounts are whole 分.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from huimin.audit.models import Signature
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.periods import Period, add_months, quarter
from huimin.notices.models import Notice, Objection
from huimin.payment.counting import COUNTED, with_sums
from huimin.payment.models import (
    Batch,
    Instruction,
    PaymentException,
    Rebooking,
    ResultFile,
    Roster,
    RosterFinding,
    RosterLine,
    RosterTally,
)
from huimin.payment.standing import ARREARS, LEFT_OVER, ON_A_ROSTER, TAKEN_UP
from huimin.registry.accounts import account_of, payee_of
from huimin.registry.models import Household, Membership

EXPORT_MAX = 200_000
LINE_DIGITS, NAMED_MAX, FIRST_LINES = 7, 500, 2_000
STEPS = (
    Roster.State.COMPILED,
    Roster.State.PUBLISHED,
    Roster.State.SIGNED,
    Roster.State.DEPARTMENT_CONFIRMED,
    Roster.State.CONFIRMED,
    Roster.State.FUNDED,
    Roster.State.SENT,
    Roster.State.SETTLED,
)
"""The way of a roster, in order; a withdrawn one has left it."""


@dataclass(frozen=True)
class Total:
    """A number of rows and what they add up to; `key` is what they were grouped by."""

    key: str
    count: int
    amount_fen: int


def application_due_on(period: Period) -> date:
    """When a township asks for the money of a quarter: the 15th of its third month (S0 A4 art 20)."""
    return add_months(period.until, -1).replace(day=15)


def publish_due_on(period: Period) -> date:
    """The last day of posting that leaves seven full days before the application (S0 A4 art 19, 20)."""
    return date.fromordinal(application_due_on(period).toordinal() - 8)


def current_quarter(on: date) -> Period:
    return quarter(on.year, (on.month + 2) // 3)


# Rosters.


@dataclass(frozen=True)
class RosterFilter:
    """Which rosters: what is not empty. `states` any of; `programmes` limits, too."""

    prefix: str
    programme: str = ""
    state: str = ""
    states: tuple[str, ...] = ()
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Roster]":
        rows = _within(Roster.objects.all(), self.prefix)
        if self.programme:
            rows = rows.filter(programme=self.programme)
        if self.programmes is not None:
            rows = rows.filter(programme__in=self.programmes)
        if self.states:
            rows = rows.filter(state__in=self.states)
        return rows.filter(state=self.state) if self.state else rows


def page_rosters(wanted: RosterFilter, place: str = "", size: int = SIZE) -> Page[Roster]:
    """Newest first, each with what counts of it."""
    found = cut(wanted.rows(), ("-id",), place, size)
    with_sums(found.rows)
    return found


def total_rosters(wanted: RosterFilter) -> list[Total]:
    """By programme, what is to be paid; `count` is of rosters. What was withdrawn counts where it is asked for alone."""
    rows = wanted.rows() if wanted.state else wanted.rows().exclude(state=Roster.State.WITHDRAWN)
    tallies = RosterTally.objects.filter(COUNTED, roster__in=rows).values_list("roster__programme")
    paid = dict(tallies.annotate(fen=Sum("amount_fen")))
    counts = rows.order_by("programme").values_list("programme").annotate(count=Count("id"))
    return [Total(programme, count, paid.get(programme, 0)) for programme, count in counts]


def get_roster(number: int) -> Roster:
    """With what counts of it; Roster.DoesNotExist when it is not there or not in the actor's place."""
    roster = Roster.objects.select_related("application__allotment", "origin").get(pk=number)
    with_sums([roster])
    return roster


def list_quarter(prefix: str, period: Period) -> list[Roster]:
    """Every base roster of the period that was not withdrawn: one a programme and township, with what counts of it."""
    rows = _within(Roster.objects.filter(kind=Roster.Kind.BASE), prefix).exclude(state=Roster.State.WITHDRAWN)
    return with_sums(rows.filter(period_from__gte=period.start, period_until__lte=period.until).order_by("id")[:2000])


def list_ready_to_sign(prefix: str, on: date) -> list[Roster]:
    """Published rosters whose notices are all past their last day, without an open objection."""
    return list(_ready_to_sign(on, _within(Roster.objects.all(), prefix)).order_by("id")[:200])


def ready_for(step: str, rosters: list[int], on: date) -> set[int]:
    """Of these rosters those that wait for nothing before they are posted (publish) or signed (sign); one query."""
    rows = Roster.objects.filter(pk__in=rosters)
    if step == "sign":
        rows = _ready_to_sign(on, rows)
    if step == "publish":
        rows = rows.exclude(findings__state=RosterFinding.State.OPEN)
    return set(rows.values_list("pk", flat=True))


def _ready_to_sign(on: date, rosters: "QuerySet[Roster]") -> "QuerySet[Roster]":
    waiting = Objection.objects.filter(state=Objection.State.OPEN).values("notice")
    running = Notice.objects.filter(Q(state=Notice.State.OPEN, ends_on__gte=on) | Q(pk__in=waiting))
    return rosters.filter(state=Roster.State.PUBLISHED).exclude(notices__notice__in=running)


@dataclass(frozen=True)
class LineFilter:
    """Which lines of a roster: a village (12 digits), a state, a text (a line's number, a household's, or a name in it), or all."""

    roster: int
    village: str = ""
    state: str = ""
    text: str = ""

    def rows(self) -> "QuerySet[RosterLine]":
        rows = RosterLine.objects.filter(roster=self.roster)
        if self.village:
            rows = _within(rows, self.village)
        rows = rows.filter(self._called()) if self.text else rows
        if not self.state:
            return rows
        return rows.filter(state=self.state) if self.state in RosterLine.USUAL else rows.filter(aside=self.state)

    def _called(self) -> Q:
        """By keys alone: a roster of 700,000 lines is not read for a name."""
        if self.text.isdigit() and len(self.text) <= LINE_DIGITS:
            return Q(line_no=int(self.text))
        if self.text[0].isdigit():
            numbered = Household.objects.filter(household_no=self.text.upper())
            return Q(household__in=list(numbered.values_list("pk", flat=True)))
        named = Membership.objects.filter(person__name=self.text, recorded_to=None)
        return Q(household__in=list(named.values_list("household", flat=True)[:NAMED_MAX]))


def page_lines(wanted: LineFilter, place: str = "", size: int = SIZE) -> Page[RosterLine]:
    """In the order of the roster, with household and card.

    The first page is looked for among the first lines: without their bound the planner, which takes the lines of a place for few, reads and
    sorts a whole roster for it (7 s of a million).
    """
    rows = wanted.rows().select_related("household", "card")
    if wanted.state and not (wanted.village or wanted.text):
        tallies = RosterTally.objects.filter(roster=wanted.roster, state=wanted.state, lines__gt=0)
        villages = sorted(tallies.values_list("division", flat=True))
        if not villages:
            return Page([])
        rows = rows.filter(division__gte=villages[0], division__lt=scope_of(villages[-1])[1])
    if not (place or wanted.village or wanted.text):
        first = cut(rows.filter(line_no__lte=FIRST_LINES), ("line_no",), size=size)
        if first.next:
            return first
    return cut(rows, ("line_no",), place, size)


def iterate_lines(wanted: LineFilter) -> Iterator[tuple[RosterLine, int, int]]:
    """Each with its 补发 and 前期未编入 (分)."""
    rows = wanted.rows().select_related("household", "card").order_by("line_no")[:EXPORT_MAX].iterator(2000)
    while some := list(islice(rows, 2000)):
        late = late_parts(some)
        yield from ((line, *late.get(line.pk, (0, 0))) for line in some)


@dataclass(frozen=True)
class Lines:
    """Lines as listed, and of them what is to be paid; all of a state where one is asked for."""

    listed: int
    count: int
    amount_fen: int


def total_lines(wanted: LineFilter) -> Lines:
    """From what is kept of villages and states (RosterTally), whatever the number of lines; what was searched for is few. One query."""
    counted = Q() if wanted.state else COUNTED
    fen = Sum("amount_fen", filter=counted, default=0)
    if wanted.text:
        return Lines(**wanted.rows().aggregate(listed=Count("id"), count=Count("id", filter=counted), amount_fen=fen))
    lines = {"listed": Sum("lines", default=0), "count": Sum("lines", filter=counted, default=0)}
    return Lines(**_tallies(wanted).aggregate(**lines, amount_fen=fen))


def _tallies(wanted: LineFilter) -> "QuerySet[RosterTally]":
    rows = RosterTally.objects.filter(roster=wanted.roster)
    rows = _within(rows, wanted.village[:12]) if wanted.village else rows
    return rows.filter(state=wanted.state) if wanted.state else rows


def struck_at_signing(roster: int) -> Total:
    """Lines an upheld objection takes off when the head signs (commands.rosters)."""
    upheld = Objection.objects.filter(state=Objection.State.UPHELD, notice__subject=f"roster:{roster}")
    rows = RosterLine.objects.filter(roster=roster, state=RosterLine.State.LISTED)
    rows = rows.filter(pk__in=list(upheld.values_list("row__subject_line", flat=True)))
    return Total("", **rows.aggregate(count=Count("id"), amount_fen=Sum("amount_fen", default=0)))


def lines_by_state(roster: int) -> list[Total]:
    return _tallied(RosterTally.objects.filter(roster=roster), "state")


def lines_by_village(roster: int) -> list[Total]:
    """By village code; groups belong to their village."""
    return _tallied(RosterTally.objects.filter(roster=roster), "division")


def list_lines_of(household: int, rows_max: int = 60) -> list[RosterLine]:
    """What stood for a household on rosters, newest first."""
    rows = RosterLine.objects.filter(household=household).select_related("roster", "person")
    return list(rows.order_by("-id")[:rows_max])


def list_signatures(subject: str) -> list[Signature]:
    """Who signed a roster (`roster:1`) or batch (`batch:1`), in order."""
    return list(Signature.objects.filter(subject=subject).order_by("id")[:50])


@dataclass(frozen=True)
class Waiting:
    """Beneficiaries and 分 of them; among it dues that are arrears (补发), and dues an earlier period left on no roster (前期未编入)."""

    count: int
    amount_fen: int
    arrears: int
    arrears_fen: int
    left: int
    left_fen: int


@dataclass(frozen=True)
class Owed:
    """What a programme owes for a period and is on no roster: what one would take up, what lacks an account, and both."""

    programme: str
    ready: Waiting
    without_card: Waiting
    every: Waiting


# The same dues as payment.commands.rosters takes up, with the same joins.
_OWED = f"""
SELECT d.programme, c.id IS NOT NULL, count(DISTINCT e.id)::int, sum(d.amount_fen)::bigint,
       count(*) FILTER (WHERE {ARREARS})::int, coalesce(sum(d.amount_fen) FILTER (WHERE {ARREARS}), 0)::bigint,
       count(*) FILTER (WHERE {LEFT_OVER})::int, coalesce(sum(d.amount_fen) FILTER (WHERE {LEFT_OVER}), 0)::bigint
FROM payment_due d
JOIN casework_entitlement e ON e.id = d.entitlement_id
JOIN policy_programme g ON g.code = d.programme
LEFT JOIN registry_membership m ON m.household_id = e.household_id AND m.recorded_to IS NULL
     AND m.valid_from <= %(on)s AND (m.valid_to IS NULL OR m.valid_to > %(on)s)
     AND CASE WHEN g.unit = 'person' THEN m.person_id = e.person_id ELSE m.relation = '户主' END
LEFT JOIN LATERAL {account_of("m.person_id", "g.unit")} c ON true
WHERE d.state = 'owed' AND d.division >= %(low)s AND d.division < %(high)s AND {TAKEN_UP}
  AND NOT {ON_A_ROSTER}GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608


def owed_without_roster(prefix: str, period: Period, on: date) -> list[Owed]:
    """By programme: dues of the period that are on no roster."""
    low, high = scope_of(prefix)
    where = {"low": low, "high": high, "start": period.start, "until": period.until, "on": on}
    found: dict[str, dict[bool, list[int]]] = {}
    for programme, ready, *told in fetch(_OWED, where):
        found.setdefault(programme, {True: [0] * 6, False: [0] * 6})[ready] = told
    return [
        Owed(programme, Waiting(*of[True]), Waiting(*of[False]), Waiting(*map(sum, zip(*of.values(), strict=True))))
        for programme, of in found.items()
    ]


# Of lines with something paid after its time: the part that is arrears, the rest was left by an earlier period.
_LATE = """
SELECT x.line_id, coalesce(sum(d.amount_fen) FILTER (WHERE d.kind = 'arrears'), 0)::bigint
FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id WHERE x.line_id = ANY(%s) GROUP BY 1
"""


def late_parts(lines: list[RosterLine]) -> dict[int, tuple[int, int]]:
    """Line → (补发, 前期未编入), of those that have either; one query for a page of lines."""
    late = {line.pk: line.arrears_fen for line in lines if line.arrears_fen}
    if not late:
        return {}
    return {line: (fen, late[line] - fen) for line, fen in fetch(_LATE, [list(late)])}


# Batches and results.


@dataclass(frozen=True)
class BatchFilter:
    """Which batches the actor sees; the bank sees its own, whatever the place."""

    state: str = ""
    programme: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Batch]":
        rows = Batch.objects.all()
        if self.programmes is not None:
            rows = rows.filter(programme__in=self.programmes)
        if self.programme:
            rows = rows.filter(programme=self.programme)
        return rows.filter(state=self.state) if self.state else rows


def page_batches(wanted: BatchFilter, place: str = "", size: int = SIZE) -> Page[Batch]:
    """Newest first."""
    return cut(wanted.rows(), ("-id",), place, size)


def programmes_of_batches() -> dict[str, str]:
    """Code → name of what the batches one sees pay, as it was called then: for a bank, which reads no policies."""
    rows = Batch.objects.order_by("programme", "-id").distinct("programme")
    return {batch.programme: batch.title for batch in rows[:NAMED_MAX]}


def get_batch(number: int) -> Batch:
    """Batch.DoesNotExist when it is not there or not for the actor."""
    return Batch.objects.get(pk=number)


def list_batches_of(roster: int) -> list[Batch]:
    return list(Batch.objects.filter(roster=roster).order_by("id")[:50])


def instructions_by_state(batch: int) -> list[Total]:
    return _totals(Instruction.objects.filter(batch=batch), "state")


def page_instructions(batch: int, state: str = "", place: str = "", size: int = SIZE) -> Page[Instruction]:
    """In the order of the file, with the roster line (which the bank does not see). Its first page as that of a roster: `page_lines`."""
    rows = Instruction.objects.filter(batch=batch)
    if not (state or place):
        first = cut(rows.filter(sequence__lte=FIRST_LINES), ("sequence",), size=size)
        if first.next:
            return first
    return cut(rows.filter(state=state) if state else rows, ("sequence",), place, size)


def names_of_lines(lines: list[int]) -> dict[int, RosterLine]:
    """Roster lines by id, with household and card, for the rows of one page."""
    assert len(lines) <= 1000
    return RosterLine.objects.filter(pk__in=lines).select_related("household", "card").in_bulk()


def listed_of(**file: int) -> list[Total]:
    """What one answer (`result`) or `statement` put before a person, by kind."""
    return _totals(PaymentException.objects.filter(**file), "kind")


def list_results(batch: int) -> list[ResultFile]:
    return list(ResultFile.objects.filter(batch=batch).order_by("answer_no")[:50])


def paid_so_far(prefix: str, period: Period) -> dict[str, Total]:
    """Lines of the period's rosters by state; lines replaced by a reissue are counted once, where they stand now."""
    rows = _within(RosterTally.objects.all(), prefix)
    rows = rows.filter(roster__period_from__gte=period.start, roster__period_until__lte=period.until)
    live = rows.exclude(roster__state=Roster.State.WITHDRAWN).exclude(state=RosterLine.State.REPLACED)
    return {total.key: total for total in _tallied(live, "state")}


# Exceptions.


@dataclass(frozen=True)
class ExceptionFilter:
    """Which exceptions: what is not empty."""

    prefix: str
    kind: str = ""
    state: str = "open"
    roster: int | None = None
    batch: int | None = None

    def rows(self) -> "QuerySet[PaymentException]":
        rows = _within(PaymentException.objects.all(), self.prefix)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.roster:
            rows = rows.filter(roster=self.roster)
        if self.batch:
            rows = rows.filter(batch=self.batch)
        return rows.filter(state=self.state) if self.state else rows


def page_exceptions(wanted: ExceptionFilter, place: str = "", size: int = SIZE) -> Page[PaymentException]:
    """The earliest deadline first, with line, household and batch."""
    rows = wanted.rows().select_related(
        "line__household", "line__card", "entitlement__household", "entitlement__person", "batch"
    )
    return cut(rows, ("due_on", "id"), place, size)


def iterate_exceptions(wanted: ExceptionFilter) -> Iterator[PaymentException]:
    rows = wanted.rows().select_related(
        "line__household", "line__card", "entitlement__household", "entitlement__person", "batch"
    )
    return rows.order_by("due_on", "id")[:EXPORT_MAX].iterator(2000)


def total_exceptions(wanted: ExceptionFilter) -> list[Total]:
    """By kind."""
    return _totals(wanted.rows(), "kind")


def get_exception(number: int) -> PaymentException:
    """PaymentException.DoesNotExist when it is not there or not in the actor's place."""
    related = ("line__household", "line__card", "entitlement__household", "entitlement__person", "batch", "roster")
    return PaymentException.objects.select_related(*related).get(pk=number)


def count_rebookings(prefix: str) -> int:
    """How many wait for a second person."""
    return _within(Rebooking.objects.filter(state=Rebooking.State.PROPOSED), prefix).count()


def waiting_rebookings(exceptions: list[int]) -> dict[int, int]:
    """Exception → the rebooking of it that waits for a second person."""
    assert len(exceptions) <= 1000
    rows = Rebooking.objects.filter(exception__in=exceptions, state=Rebooking.State.PROPOSED)
    return dict(rows.values_list("exception", "pk"))


REISSUABLE_LINES = f"""
FROM payment_rosterline l
JOIN payment_roster r ON r.id = l.roster_id AND r.state = 'sent'
JOIN registry_card old ON old.id = l.card_id
LEFT JOIN registry_cardauthority a ON a.id = l.authority_id
CROSS JOIN LATERAL {payee_of("l", "old", "a")} w
CROSS JOIN LATERAL {account_of("w.person", "w.use")} c
WHERE l.division >= %(low)s AND l.division < %(high)s AND l.aside IS NOT NULL
  AND (l.state = 'returned' AND l.withheld_reason = '' AND c.account_hash <> old.account_hash
    OR l.state = 'withheld' AND (l.withheld_reason = %(reason)s
       OR l.withheld_reason = ANY(%(other)s) AND c.account_hash <> old.account_hash))
"""
_REISSUABLE = (
    "SELECT l.roster_id::text, count(*)::int, sum(l.amount_fen)::bigint"
    f"{REISSUABLE_LINES} GROUP BY l.roster_id ORDER BY l.roster_id"
)


def list_reissuable(prefix: str, on: date) -> list[Total]:
    """By roster: lines whose payee has another account in force since, what `reissue_returned` would take up."""
    return [Total(*row) for row in fetch(_REISSUABLE, where_reissuable(prefix, on))]


def where_reissuable(prefix: str, on: date) -> dict[str, Any]:
    low, high = scope_of(prefix)
    other = list(RosterLine.REISSUED_REASONS[1:])
    return {"low": low, "high": high, "on": on, "reason": RosterLine.NOT_IN_FORCE, "other": other}


def _totals(rows: "QuerySet[Any]", by: str) -> list[Total]:
    sums = rows.values(by).order_by(by).annotate(count=Count("id"), amount_fen=Sum("amount_fen"))
    return [Total(row[by], row["count"], row["amount_fen"]) for row in sums]


def _tallied(rows: "QuerySet[RosterTally]", by: str) -> list[Total]:
    sums = rows.filter(lines__gt=0).values(by).order_by(by).annotate(count=Sum("lines"), fen=Sum("amount_fen"))
    return [Total(row[by], row["count"], row["fen"]) for row in sums]


def _within(rows: "QuerySet[Any]", prefix: str) -> "QuerySet[Any]":
    first, until = scope_of(prefix)
    return rows.filter(division__gte=first, division__lt=until)
