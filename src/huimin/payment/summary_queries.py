"""Reads of summary rosters; bounded, paged by key, inside `reading(by)` (PAY-01)."""

from dataclasses import dataclass

from django.db.models import QuerySet

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.payment.models import SummaryLine, SummaryRoster
from huimin.payment.queries import EXPORT_MAX


def page_summaries(prefix: str, state: str = "", place: str = "", size: int = SIZE) -> Page[SummaryRoster]:
    """Newest first; without a state those in use."""
    first, until = scope_of(prefix)
    rows = SummaryRoster.objects.filter(division__gte=first, division__lt=until)
    rows = rows.filter(state=state) if state else rows.exclude(state=SummaryRoster.State.REPLACED)
    return cut(rows, ("-id",), place, size)


def list_unsigned(prefix: str) -> list[SummaryRoster]:
    first, until = scope_of(prefix)
    rows = SummaryRoster.objects.filter(division__gte=first, division__lt=until, state=SummaryRoster.State.COMPILED)
    return list(rows.order_by("id")[:100])


@dataclass(frozen=True)
class SummaryFilter:
    """Which lines of a summary: a village (12 digits), or all."""

    summary: int
    village: str = ""

    def rows(self) -> "QuerySet[SummaryLine]":
        rows = SummaryLine.objects.filter(summary=self.summary).select_related("household")
        if not self.village:
            return rows
        first, until = scope_of(self.village)
        return rows.filter(division__gte=first, division__lt=until)


def page_summary(wanted: SummaryFilter, place: str = "", size: int = SIZE) -> Page[SummaryLine]:
    """In its own order: by village and group, then household."""
    return cut(wanted.rows(), ("line_no",), place, size)


def whole_summary(wanted: SummaryFilter) -> list[SummaryLine]:
    return list(wanted.rows().order_by("line_no")[:EXPORT_MAX])


_BY_VILLAGE = """
SELECT left(l.division, 12), count(*)::int, sum(l.amount_fen)::bigint
  FROM payment_summaryline l WHERE l.summary_id = %s GROUP BY 1 ORDER BY 1
"""
_BY_PROGRAMME = """
SELECT p.at::int - 1, count(*) FILTER (WHERE p.fen > 0)::int, sum(p.fen)::bigint
  FROM payment_summaryline l CROSS JOIN unnest(l.amounts) WITH ORDINALITY AS p(fen, at) WHERE l.summary_id = %s
 GROUP BY p.at ORDER BY p.at
"""


def villages_of(summary: int) -> list[tuple[str, int, int]]:
    """(village, households, 分)."""
    return [tuple(row) for row in fetch(_BY_VILLAGE, [summary])]


def programmes_of(summary: SummaryRoster) -> list[tuple[str, int, int]]:
    """(programme, households, 分)."""
    return [(summary.programmes[at], count, fen) for at, count, fen in fetch(_BY_PROGRAMME, [summary.pk])]
