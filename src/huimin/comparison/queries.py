"""Reads of monthly comparisons: what is due, one with its differences, what a signature covers (VER-04).

Inside `reading(by)`; bounded, paged by key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Left

from huimin.comparison.models import Comparison, ComparisonDifference, CountySigning
from huimin.comparison.sides import find_sides
from huimin.comparison.spans import spans_of
from huimin.database.bulk import fetch, fetch_one
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.kernel.digests import digest
from huimin.kernel.periods import MONTHS, add_months, month_start
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor
from huimin.organisation.models import Office
from huimin.organisation.posts import Post
from huimin.payment.commands.dues import payout_period
from huimin.payment.queries import EXPORT_MAX
from huimin.policy.models import Programme

MONTHS_BACK = 12
DUE_DAY = 23


def due_on(month: date) -> date:
    """The day before the next month's figures are reported (24日零时前); money of the month arrived by the 10th. The law names no
    day for the comparison itself."""
    return add_months(month, 1).replace(day=DUE_DAY)


def recent_months(on: date) -> list[date]:
    """The month of the day and those before it, the latest first."""
    return [add_months(month_start(on), -back) for back in range(MONTHS_BACK)]


# Townships where somebody is entitled to what is paid with a month, or that have a roster of it.
_DUE = """
SELECT DISTINCT m.month, t.code
FROM unnest(%(months)s::date[], %(sinces)s::date[], %(untils)s::date[], %(programmes)s::text[]) AS m(month, since, until, programme)
JOIN divisions_division t ON t.level = 9 AND t.valid_to IS NULL AND t.code >= %(low)s AND t.code < %(high)s
WHERE EXISTS (SELECT FROM casework_entitlement e
              WHERE e.programme = m.programme AND e.division >= left(t.code, 9) AND e.division < left(t.code, 9) || '~'
                AND e.valid_from < m.until AND (e.valid_to IS NULL OR e.valid_to > greatest(m.since, e.valid_from)))
UNION
SELECT (r.period_until - interval '1 month')::date, r.division FROM payment_roster r
WHERE r.division >= %(low)s AND r.division < %(high)s AND r.kind = 'base' AND r.state <> 'withdrawn'
  AND r.period_until - interval '1 month' = ANY(%(asked)s)
"""


def due_townships(prefix: str, months: Sequence[date], on: date) -> dict[date, set[str]]:
    """Which townships are to compare each of these months, of those that have begun; one query beside the programmes."""
    low, high = scope_of(prefix)
    begun = [month for month in months if month <= on]
    wanted = []
    for law in Programme.objects.filter(period__in=MONTHS):
        for month in begun:
            payout = payout_period(law, month)
            if payout.until == add_months(month, 1):
                wanted.append((month, payout.start, payout.until, law.code))
    columns = list(zip(*wanted, strict=True)) if wanted else [(), (), (), ()]
    where = dict(zip(("months", "sinces", "untils", "programmes"), map(list, columns), strict=True))
    found: dict[date, set[str]] = {}
    for month, code in fetch(_DUE, where | {"low": low, "high": high, "asked": begun}):
        found.setdefault(month, set()).add(code)
    return found


def in_use(prefix: str, months: Sequence[date]) -> dict[tuple[date, str], Comparison]:
    """The comparison that stands, or the one the county gave back, by month and township."""
    low, high = scope_of(prefix)
    rows = Comparison.objects.filter(month__in=list(months), division__gte=low, division__lt=high)
    rows = rows.exclude(state=Comparison.State.REPLACED).order_by("number")
    return {(row.month, row.division): row for row in rows[:EXPORT_MAX]}


def in_use_of_county(prefix: str, month: date) -> list[Comparison]:
    """By township, with what each signed."""
    low, high = scope_of(prefix)
    rows = Comparison.objects.filter(month=month, division__gte=low, division__lt=high, state__in=Comparison.IN_USE)
    return list(rows.select_related("signature").order_by("division")[:1000])


def county_content(rows: Iterable[Comparison]) -> list[list[Any]]:
    """What the county signs: each township's comparison with the digest its head signed."""
    return [[row.division, row.pk, row.signature.content_digest if row.signature else ""] for row in rows]


_EXPLAINED = """
SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws('|', id, kind, detail, explanation, explained_by), ';' ORDER BY id), ''),
       'UTF8')), 'hex') FROM comparison_comparisondifference WHERE comparison_id = %s
"""


def signed_content(comparison: Comparison) -> str:
    """The digest a head signs: the figures and every explanation."""
    [explained] = fetch_one(_EXPLAINED, [comparison.pk])
    return digest([comparison.pk, comparison.digest, comparison.differences_count, explained])


def departments_of(programmes: Sequence[str]) -> set[str]:
    """Names of the offices responsible for these programmes."""
    return set(
        Office.objects.filter(programmes__overlap=list(programmes), valid_to=None).values_list("name", flat=True)[:50]
    )


def county_signings(county: str, month: date) -> list[CountySigning]:
    """The latest first; earlier ones may be over what was replaced since."""
    return list(
        CountySigning.objects.filter(division=county, month=month)
        .select_related("office", "signature")
        .order_by("-id")[:50]
    )


def get_comparison(number: int) -> Comparison | None:
    return Comparison.objects.filter(pk=number).select_related("signature").first()


def versions_of(comparison: Comparison) -> list[Comparison]:
    """Every comparison of the township and month, the latest first."""
    same = Comparison.objects.filter(division=comparison.division, month=comparison.month)
    return list(same.order_by("-number")[:50])


@dataclass(frozen=True)
class DifferenceFilter:
    """Of one comparison: what is not empty. `standing` is open or explained."""

    comparison: int
    kind: str = ""
    village: str = ""
    standing: str = ""
    programmes: tuple[str, ...] | None = None

    def rows(self) -> "QuerySet[ComparisonDifference]":
        rows = ComparisonDifference.objects.filter(comparison=self.comparison)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.village:
            rows = rows.filter(division__startswith=self.village)
        if self.standing:
            rows = rows.filter(explanation="") if self.standing == "open" else rows.exclude(explanation="")
        return rows if self.programmes is None else rows.filter(programme__in=self.programmes)


def page_differences(wanted: DifferenceFilter, place: str = "", size: int = SIZE) -> Page[ComparisonDifference]:
    """By place and household."""
    return cut(wanted.rows(), ("division", "id"), place, size)


def all_differences(wanted: DifferenceFilter) -> list[ComparisonDifference]:
    return list(wanted.rows().order_by("division", "id")[:EXPORT_MAX])


def count_differences(wanted: DifferenceFilter) -> dict[str, tuple[int, int]]:
    """(all, without words) by kind; the filter's own kind and standing do not count."""
    rows = DifferenceFilter(wanted.comparison, village=wanted.village, programmes=wanted.programmes).rows()
    every = dict(rows.values_list("kind").annotate(many=Count("id")))
    open_ = dict(rows.filter(explanation="").values_list("kind").annotate(many=Count("id")))
    return {kind: (every[kind], open_.get(kind, 0)) for kind in every}


def villages_of(comparison: int, programmes: tuple[str, ...] | None = None) -> list[tuple[str, int]]:
    """(village, differences), by code; of these programmes where only they are seen."""
    rows = DifferenceFilter(comparison, programmes=programmes).rows().annotate(village=Left("division", 12))
    return list(rows.values_list("village").annotate(many=Count("id")).order_by("village")[:1000])


def differences_of(ids: Sequence[int]) -> list[ComparisonDifference]:
    assert len(ids) <= 1000
    return list(ComparisonDifference.objects.filter(pk__in=list(ids)).order_by("division", "id"))


def differences_of_household(household: int, month: date) -> list[ComparisonDifference]:
    """In the comparison of the month that stands, or was given back."""
    rows = ComparisonDifference.objects.filter(household=household, comparison__month=month)
    return list(rows.exclude(comparison__state=Comparison.State.REPLACED).order_by("programme", "id")[:200])


@dataclass(frozen=True)
class Sides:
    """One beneficiary as the three sides stand now; `person` 0 for the household itself."""

    household: int
    household_no: str
    programme: str
    person: int
    name: str
    approved_fen: int
    listed_fen: int
    withheld_fen: int
    paid_fen: int
    line: int | None


_SIDES = """
SELECT c.household_id, coalesce(h.household_no, ''), c.programme, c.person, coalesce(c.name, p.name, w.name, ''), c.approved_fen,
       c.listed_fen + c.waiting_fen, c.withheld_fen, c.paid_fen, c.line_id
FROM compared c LEFT JOIN registry_household h ON h.id = c.household_id LEFT JOIN registry_person p ON p.id = nullif(c.person, 0)
LEFT JOIN LATERAL (SELECT q.name FROM registry_membership m JOIN registry_person q ON q.id = m.person_id
                   WHERE m.household_id = c.household_id AND m.relation = '户主' AND m.recorded_to IS NULL
                   ORDER BY m.valid_from DESC LIMIT 1) w ON c.name IS NULL AND c.person = 0
ORDER BY 2, 1, 3, 4 LIMIT %s
"""


def sides_of_household(by: Actor, on: date, household: int, division: str, month: date) -> list[Sides]:
    """Computed now, by the same statements as the township's comparison; some ten queries (temporary tables)."""
    low, high = scope_of(division[:9])
    find_sides(low, high, month, on, spans_of(by, low, high, month), household=household)
    return [Sides(*row) for row in fetch(_SIDES, [200])]


def sides_of_village(by: Actor, on: date, village: str, month: date) -> list[Sides]:
    """Everybody of a village, those who agree, too, by household; computed now."""
    low, high = scope_of(village[:9])
    find_sides(low, high, month, on, spans_of(by, low, high, month), village=village)
    return [Sides(*row) for row in fetch(_SIDES, [EXPORT_MAX])]


def count_open(comparisons: Sequence[int]) -> dict[int, int]:
    """Differences without words, by comparison."""
    rows = ComparisonDifference.objects.filter(comparison__in=list(comparisons), explanation="")
    return dict(rows.values_list("comparison").annotate(many=Count("id")))


def county_hindrance(by: Actor, on: date, month: date) -> str:
    """Why the actor's office does not sign the month for the county now; nothing where it can (commands.sign_county)."""
    rows = in_use_of_county(by.prefix[: int(Level.COUNTY)], month)
    missing = due_townships(by.prefix, [month], on).get(month, set()) - {row.division for row in rows}
    unsigned = [row for row in rows if row.state != Comparison.State.SIGNED]
    if missing or unsigned or not rows:
        return (
            f"还有 {len(missing)} 个乡镇没有核对，{len(unsigned)} 个没有签字"
            if missing or unsigned
            else "没有要核对的乡镇"
        )
    programmes = {code for row in rows for code in row.spans}
    of_department = by.post == Post.DEPARTMENT_APPROVER
    if of_department and not programmes & set(by.programmes):
        return "这个月没有本部门的项目"
    content = digest(county_content(rows))
    signed = [each for each in county_signings(rows[0].division[:6].ljust(12, "0"), month) if each.digest == content]
    if any(each.office_id == by.office for each in signed):
        return "本单位已经签字"
    done = {code for each in signed if each.seat == CountySigning.Seat.DEPARTMENT for code in each.programmes}
    waiting = set() if of_department else departments_of(sorted(programmes - done))
    return f"主管部门还没有签字：{'、'.join(sorted(waiting))}" if waiting else ""


def content_of(prefix: str, month: date) -> str:
    """The digest the county would sign now."""
    return digest(county_content(in_use_of_county(prefix, month)))


_LAST = """
SELECT max(period_until) - interval '1 month' FROM payment_roster
WHERE division >= %s AND division < %s AND kind = 'base' AND state <> 'withdrawn' AND period_until - interval '1 month' <= %s
"""


def last_due_month(prefix: str, on: date) -> date:
    """The latest month that has begun and that a roster's period ends in; the month before where there is none."""
    low, high = scope_of(prefix)
    [found] = fetch_one(_LAST, [low, high, on])
    months = recent_months(on)
    return found.date() if found is not None and found.date() in months else months[1]
