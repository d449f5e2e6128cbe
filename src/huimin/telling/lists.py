"""What the fixed boards of villages must show now, and which of them do not; inside `reading(by)` (CASE-07).

in    a place and a day
out   per village the list as of that day with its digest; what hangs there; since when it is another, and until when it must be new

The list is a query over entitlements in force and nothing else, so it cannot differ from what dues are made of
(payment.commands.dues reads the same rows). The digest covers place and rows as they are shown; the month stands beside it,
so that an unchanged list does not become another with the calendar. A county of 700,000 people is one statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.digests import digest
from huimin.kernel.masking import mask_name
from huimin.notices.rules import Rule, rule_of
from huimin.telling.models import PaidCheck, PublicSheet


class PublicRow(NamedTuple):
    """One line as the village reads it; `entitlement` and `since` are not shown."""

    group: str
    masked_name: str
    people: int
    programme: str
    amount_fen: int
    period: str
    entitlement: int
    since: date


@dataclass(frozen=True)
class PublicList:
    village: str
    rows: list[PublicRow] = field(default_factory=list)

    @cached_property
    def digest(self) -> str:
        return digest({"village": self.village, "rows": [[n, *row[:6]] for n, row in enumerate(self.rows, 1)]})

    @property
    def people(self) -> int:
        return sum(row.people for row in self.rows)

    @property
    def amount_fen(self) -> int:
        return sum(row.amount_fen for row in self.rows)


_ROWS = """
SELECT e.division, coalesce(g.name, ''), coalesce(p.name, m.name, '户主'), e.people, e.programme, e.amount_fen, e.period,
       e.id, e.valid_from
FROM casework_entitlement e
JOIN registry_household h ON h.id = e.household_id
LEFT JOIN registry_person p ON p.id = e.person_id
LEFT JOIN divisions_division g ON g.code = e.division AND g.level = 15
     AND g.valid_from <= %(on)s AND (g.valid_to IS NULL OR g.valid_to > %(on)s)
LEFT JOIN LATERAL (
    SELECT x.name FROM registry_membership s JOIN registry_person x ON x.id = s.person_id
    WHERE e.person_id IS NULL AND s.household_id = e.household_id AND s.relation = '户主' AND s.recorded_to IS NULL
      AND s.valid_from <= %(on)s AND (s.valid_to IS NULL OR s.valid_to > %(on)s) ORDER BY s.id LIMIT 1) m ON true
WHERE e.programme = ANY (%(programmes)s) AND e.division >= %(low)s AND e.division < %(high)s
  AND e.valid_from <= %(on)s AND (e.valid_to IS NULL OR e.valid_to > %(on)s)
ORDER BY left(e.division, 12), e.division, h.household_no, e.programme, e.person_id NULLS FIRST, e.id
"""


def lists_of(prefix: str, on: date, rule: Rule | None = None) -> Iterator[PublicList]:
    """Village by village, those that have somebody; one statement."""
    low, high = scope_of(prefix)
    programmes = list((rule or rule_of(prefix.ljust(12, "0"))).programmes)
    rows = fetch(_ROWS, {"on": on, "low": low, "high": high, "programmes": programmes})
    for village, found in groupby(rows, key=lambda row: row[0][:12]):
        yield PublicList(
            village,
            [
                PublicRow(group, mask_name(name), people, programme, amount, period, number, since)
                for _, group, name, people, programme, amount, period, number, since in found
            ],
        )


def list_of(village: str, on: date) -> PublicList:
    return next(lists_of(village[:12], on), PublicList(village[:12]))


def latest_sheet(village: str) -> PublicSheet | None:
    """What hangs on the fixed board."""
    return PublicSheet.objects.filter(division=village[:12]).order_by("-posted_on", "-id").first()


def list_sheets(village: str, rows_max: int = 24) -> list[PublicSheet]:
    return list(PublicSheet.objects.filter(division=village[:12]).order_by("-posted_on", "-id")[:rows_max])


@dataclass(frozen=True)
class Standing:
    """One village: what its list comes to, what hangs there, and the day by which the board must be renewed (None: it is right)."""

    village: str
    count: int
    people: int
    amount_fen: int
    sheet: PublicSheet | None
    due_on: date | None

    def overdue(self, on: date) -> bool:
        return self.due_on is not None and self.due_on < on


_ENDED = """
SELECT left(e.division, 12), min(e.valid_to) FROM casework_entitlement e
JOIN unnest(%(villages)s::text[], %(posted)s::date[]) AS s (village, posted_on) ON left(e.division, 12) = s.village
WHERE e.programme = ANY (%(programmes)s) AND e.division >= %(low)s AND e.division < %(high)s
  AND e.valid_to > s.posted_on AND e.valid_to <= %(on)s
GROUP BY 1
"""


def standings(prefix: str, on: date) -> list[Standing]:
    """Every village with beneficiaries or a posted list, by code; three statements."""
    rule = rule_of(prefix.ljust(12, "0"))
    found = {each.village: each for each in lists_of(prefix, on, rule)}
    low, high = scope_of(prefix)
    newest = PublicSheet.objects.filter(division__gte=low, division__lt=high)
    sheets = {row.division: row for row in newest.order_by("division", "-posted_on", "-id").distinct("division")}
    changed = [village for village, sheet in sheets.items() if _differs(found.get(village), sheet)]
    ended = _ended(prefix, on, rule, [sheets[village] for village in changed]) if changed else {}
    return [
        _standing(rule, found.get(village, PublicList(village)), sheets.get(village), ended.get(village), on)
        for village in sorted(found.keys() | sheets.keys())
    ]


def _standing(rule: Rule, found: PublicList, sheet: PublicSheet | None, ended: date | None, on: date) -> Standing:
    due = _due(rule, found, sheet, ended, on) if _differs(found, sheet) else None
    return Standing(found.village, len(found.rows), found.people, found.amount_fen, sheet, due)


def _differs(found: PublicList | None, sheet: PublicSheet | None) -> bool:
    if found is None or not found.rows:
        return bool(sheet and sheet.rows_count)
    return sheet is None or sheet.digest != found.digest


def _ended(prefix: str, on: date, rule: Rule, sheets: list[PublicSheet]) -> dict[str, date]:
    """The first day something ended since what hangs there was posted."""
    low, high = scope_of(prefix)
    asked = {
        "villages": [row.division for row in sheets], "posted": [row.posted_on for row in sheets], "on": on, "low": low,
        "high": high, "programmes": list(rule.programmes),
    }  # fmt: skip
    return dict(fetch(_ENDED, asked))


def _due(rule: Rule, found: PublicList, sheet: PublicSheet | None, ended: date | None, on: date) -> date:
    """The county's day of the month in which the board began to be wrong: something began or ended, else this month."""
    began = [row.since for row in found.rows if sheet is None or row.since > sheet.posted_on]
    since = min([*began, *([ended] if ended else [])], default=on)
    return since.replace(day=rule.due_day)


def list_checks(prefix: str, rows_max: int = 100) -> list[PaidCheck]:
    """How payments and lists compared, the newest first."""
    low, high = scope_of(prefix)
    return list(PaidCheck.objects.filter(division__gte=low, division__lt=high).order_by("-id")[:rows_max])
