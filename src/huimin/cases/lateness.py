"""Reads of what was told above because it is late; inside `reading(by)` (CASE-05).

in    a place, the business date
out   pages and counts of `Escalation`; *standing* is what is still late, whether answered or not (kept by the database)

Counts and pages read escalations alone: a morning after a holiday tells of twenty thousand.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from huimin.cases.models import Escalation
from huimin.cases.queries import steps_of
from huimin.database.bulk import fetch_one
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.organisation.acting import Actor

UNANSWERED, ANSWERED, BROKEN, OVER = "unanswered", "answered", "broken", "over"
STANDINGS = [(UNANSWERED, "待答复"), (ANSWERED, "已答复，在办"), (BROKEN, "答复的期限已过"), (OVER, "已办完")]


def standing() -> "QuerySet[Escalation]":
    """What is still late."""
    return Escalation.objects.filter(standing=True)


@dataclass(frozen=True)
class EscalationFilter:
    """Which: beneath `prefix`, told to a level, how they stand; of some programmes (None: all)."""

    prefix: str
    on: date
    above: str = ""
    standing: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[Escalation]":
        first, until = scope_of(self.prefix)
        rows = {
            UNANSWERED: lambda: standing().filter(answered_on=None),
            ANSWERED: lambda: standing().filter(promised_on__gte=self.on),
            BROKEN: lambda: standing().filter(promised_on__lt=self.on),
            OVER: lambda: Escalation.objects.filter(standing=False),
        }.get(self.standing, Escalation.objects.all)()
        rows = rows.filter(division__gte=first, division__lt=until)
        rows = rows.filter(above=self.above) if self.above else rows
        return rows if self.programmes is None else rows.filter(programme__in=self.programmes)


def page_escalations(wanted: EscalationFilter, place: str = "", size: int = SIZE) -> Page[Escalation]:
    """The newest first. A page is chosen first and told after (as queries.page_cases)."""
    page = cut(wanted.rows().only("id"), ("-id",), place, size)
    rows = Escalation.objects.select_related("case__process", "case__household").in_bulk([row.pk for row in page.rows])
    return Page([rows[row.pk] for row in page.rows], page.previous, page.next)


def list_escalations_of(case: int, rows_max: int = 50) -> list[Escalation]:
    """Of one case, the newest first."""
    return list(Escalation.objects.filter(case=case).order_by("-id")[:rows_max])


def count_open(prefix: str, on: date, above: str) -> tuple[int, int]:
    """What a level was told and is still late: unanswered, and with a promised day that has passed."""
    first, until = scope_of(prefix)
    counts = (
        standing()
        .filter(division__gte=first, division__lt=until, above=above)
        .aggregate(waiting=Count("pk", filter=Q(answered_on=None)), broken=Count("pk", filter=Q(promised_on__lt=on)))
    )
    return counts["waiting"], counts["broken"]


_TO_ANSWER = """
SELECT count(DISTINCT e.case_id)::int, min(e.raised_on) FROM cases_escalation e
JOIN unnest(%(processes)s::bigint[], %(steps)s::text[]) AS m(process, step)
  ON m.process = e.process_number AND m.step = e.step
WHERE e.standing AND e.answered_on IS NULL AND e.matter = 'step' AND e.division >= %(low)s AND e.division < %(high)s
  AND (%(programmes)s::text[] IS NULL OR e.programme = ANY (%(programmes)s))
"""


def count_to_answer(by: Actor, programmes: tuple[str, ...] | None = None) -> tuple[int, date | None]:
    """Cases that stand late at a step of this post and were told above without an answer yet; since when. One statement."""
    mine = sorted(steps_of(by))
    if not mine:
        return 0, None
    low, high = scope_of(by.prefix)
    asked = {
        "processes": [number for number, _ in mine], "steps": [key for _, key in mine], "low": low, "high": high,
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip
    count, since = fetch_one(_TO_ANSWER, asked)
    return count, since
