"""Reads of what was told above because it is late; inside `reading(by)` (CASE-05).

in    a place, the business date
out   pages and counts of `Escalation`; *open* is what is still late, whether answered or not
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from huimin.cases.models import Case, CasePaper, Escalation
from huimin.cases.queries import steps_of
from huimin.database.bulk import fetch_one
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.organisation.acting import Actor

Matter, Above = Escalation.Matter, Escalation.Above
UNANSWERED, ANSWERED, BROKEN, OVER = "unanswered", "answered", "broken", "over"
STANDINGS = [
    (UNANSWERED, "待答复"), (ANSWERED, "已答复，在办"), (BROKEN, "答复的期限已过"), (OVER, "已办完"),
]  # fmt: skip


def open_now(on: date) -> "QuerySet[Escalation]":
    """Whose step still stands late where it stood; whose papers or telling are still owed."""
    owed = CasePaper.objects.filter(case=OuterRef("case"), state=CasePaper.State.LATER, due_on__lt=on)
    step = Q(matter=Matter.STEP, case__step=F("step"), case__round=F("round"), case__step_due_on__lt=on)
    telling = Q(matter=Matter.TELLING, case__state=Case.State.REFUSED, case__answered_on=None)
    return Escalation.objects.filter(step | telling | Q(matter=Matter.PAPERS) & Exists(owed))


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
            UNANSWERED: lambda: open_now(self.on).filter(answered_on=None),
            ANSWERED: lambda: open_now(self.on).filter(promised_on__gte=self.on),
            BROKEN: lambda: open_now(self.on).filter(promised_on__lt=self.on),
            OVER: lambda: Escalation.objects.exclude(pk__in=open_now(self.on).values("pk")),
        }.get(self.standing, Escalation.objects.all)()
        rows = rows.filter(division__gte=first, division__lt=until)
        rows = rows.filter(above=self.above) if self.above else rows
        return rows if self.programmes is None else rows.filter(case__programme__in=self.programmes)


def page_escalations(wanted: EscalationFilter, place: str = "", size: int = SIZE) -> Page[Escalation]:
    """The newest first; each with `still_open`. A page is chosen first and told after (as queries.page_cases)."""
    page = cut(wanted.rows().only("id"), ("-id",), place, size)
    ids = [row.pk for row in page.rows]
    rows = Escalation.objects.select_related("case__process", "case__household").in_bulk(ids)
    still = set(open_now(wanted.on).filter(pk__in=ids).values_list("pk", flat=True))
    for row in rows.values():
        row.still_open = row.pk in still
    return Page([rows[number] for number in ids], page.previous, page.next)


def list_escalations_of(case: int, rows_max: int = 50) -> list[Escalation]:
    """Of one case, the newest first."""
    return list(Escalation.objects.filter(case=case).order_by("-id")[:rows_max])


def count_open(prefix: str, on: date, above: str) -> tuple[int, int]:
    """What a level was told and is still late: unanswered, and with a promised day that has passed."""
    first, until = scope_of(prefix)
    rows = open_now(on).filter(division__gte=first, division__lt=until, above=above)
    waiting = rows.filter(answered_on=None).count()
    return waiting, rows.filter(promised_on__lt=on).count()


_TO_ANSWER = """
SELECT count(DISTINCT c.id)::int, min(e.raised_on) FROM cases_escalation e JOIN cases_case c ON c.id = e.case_id
JOIN unnest(%(processes)s::bigint[], %(steps)s::text[]) AS m(process_id, step)
  ON m.process_id = c.process_id AND m.step = e.step
WHERE e.answered_on IS NULL AND e.matter = 'step' AND e.division >= %(low)s AND e.division < %(high)s
  AND c.step = e.step AND c.round = e.round AND c.step_due_on < %(on)s
  AND (%(programmes)s::text[] IS NULL OR c.programme = ANY (%(programmes)s))
"""


def count_to_answer(by: Actor, on: date, programmes: tuple[str, ...] | None = None) -> tuple[int, date | None]:
    """Cases that stand late at a step of this post and were told above without an answer yet; since when. One statement."""
    mine = sorted(steps_of(by))
    low, high = scope_of(by.prefix)
    asked = {
        "processes": [number for number, _ in mine], "steps": [key for _, key in mine], "low": low, "high": high, "on": on,
        "programmes": None if programmes is None else list(programmes),
    }  # fmt: skip
    count, since = fetch_one(_TO_ANSWER, asked)
    return count, since
