"""Reads of training and staffing: who is due, courses, which township falls short (ORG-07, ORG-08). Inside `reading(by)`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from huimin.capacity.models import Attendance, CapacityRule, Course, StaffingReport
from huimin.capacity.training import TRAINED
from huimin.capacity.versions import Version
from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.database.paging import SIZE, Page, cut
from huimin.divisions.queries import list_beneath
from huimin.kernel.places import Level, chain
from huimin.organisation.acting import Actor

ROWS_MAX = 5000


@dataclass(frozen=True)
class Asked:
    """What is asked where a county has set nothing: S3's two people and 2 %, and a quarter to be trained in."""

    training_days: int = 90
    staff_min: int = 2
    cost_permille: int = 20
    basis: str = ""


def asked_at(division: str) -> Asked:
    """The county's newest rule, or the usual."""
    rows = {row.division: row for row in CapacityRule.objects.filter(division__in=chain(division)).order_by("id")}
    row = next((rows[code] for code in reversed(chain(division)) if code in rows), None)
    return Asked(row.training_days, row.staff_min, row.cost_permille, row.basis) if row else Asked()


@dataclass(frozen=True)
class Officer:
    """One officer and what he still has to be trained on: `missing` programme codes, the last day for the first of them."""

    appointment: int
    account: int
    name: str
    office: str
    division: str
    posts: str
    last_trained_on: date | None
    missing: tuple[str, ...]
    due: date | None

    def overdue(self, on: date) -> bool:
        return self.due is not None and on > self.due


# Each officer × the programmes his township is responsible for, less what he was trained on in that version or a later one.
_DUE = """
WITH officer AS (
    SELECT a.account_id AS account, min(a.id) AS appointment, min(a.division) AS division, min(c.full_name) AS name,
           min(o.name) AS office, array_agg(DISTINCT a.post) AS posts, min(a.valid_from) AS since
    FROM organisation_appointment a JOIN organisation_account c ON c.id = a.account_id
    JOIN organisation_office o ON o.id = a.office_id
    WHERE a.division >= %(low)s AND a.division < %(high)s AND a.post = ANY (%(posts)s) AND a.valid_from <= %(on)s
      AND (a.valid_to IS NULL OR a.valid_to > %(on)s) AND (%(account)s::bigint IS NULL OR a.account_id = %(account)s)
    GROUP BY a.account_id
), passed AS (
    SELECT t.account, p.programme, max(p.version_from) AS version_from, max(c.held_on) AS held_on
    FROM capacity_attendance t JOIN capacity_course c ON c.id = t.course_id JOIN capacity_coursetopic p ON p.course_id = c.id
    WHERE t.result = 'passed' AND c.state = 'held' GROUP BY t.account, p.programme
), wanted AS (
    SELECT * FROM unnest(%(codes)s::text[], %(since)s::date[]) AS v(programme, since)
), owed AS (
    SELECT o.account, w.programme, greatest(w.since, o.since) + %(days)s::int - 1 AS due
    FROM officer o JOIN organisation_office t ON t.kind = 'township' AND t.division = left(o.division, 9) || '000'
    JOIN wanted w ON t.programmes = '{}' OR w.programme = ANY (t.programmes)
    LEFT JOIN passed p ON p.account = o.account AND p.programme = w.programme AND p.version_from >= w.since
    WHERE p.account IS NULL AND (t.valid_to IS NULL OR t.valid_to > %(on)s)
)
SELECT o.appointment, o.account, o.name, o.office, o.division, o.posts, l.held_on,
       coalesce(array_agg(DISTINCT w.programme::text) FILTER (WHERE w.programme IS NOT NULL), '{}'), min(w.due)
FROM officer o LEFT JOIN owed w ON w.account = o.account
LEFT JOIN LATERAL (SELECT max(p.held_on) AS held_on FROM passed p WHERE p.account = o.account) l ON true
GROUP BY o.appointment, o.account, o.name, o.office, o.division, o.posts, l.held_on
ORDER BY min(w.due) NULLS LAST, o.division, o.account LIMIT %(rows)s
"""


def list_training_due(
    prefix: str, on: date, days: int, versions: Iterable[Version], *, account: int | None = None
) -> list[Officer]:
    """Every officer beneath `prefix`, the longest overdue first; one query, whatever their number."""
    low, high = scope_of(prefix)
    wanted = list(versions)
    labels = {post.value: post.label for post in TRAINED}
    rows = fetch(
        _DUE,
        {
            "low": low, "high": high, "posts": list(labels), "on": on, "codes": [each.programme for each in wanted],
            "since": [each.since for each in wanted], "days": days, "rows": ROWS_MAX, "account": account,
        },
    )  # fmt: skip
    return [
        Officer(*row[:5], "、".join(labels[post] for post in row[5]), row[6], tuple(row[7]), row[8]) for row in rows
    ]


@dataclass
class Share:
    """Of one place: officers, how many of them trained on all that is in force, overdue."""

    division: str
    officers: int = 0
    trained: int = 0
    overdue: int = 0


def by_place(officers: list[Officer], on: date, level: Level) -> list[Share]:
    """Counts by township or by village, in the order of their codes."""
    shares: dict[str, Share] = {}
    for each in officers:
        share = shares.setdefault(code := each.division[:level].ljust(12, "0"), Share(code))
        share.officers += 1
        share.trained += not each.missing
        share.overdue += each.overdue(on)
    return [shares[code] for code in sorted(shares)]


def page_courses(place: str = "", size: int = SIZE) -> Page[Course]:
    """Courses of the acting place, beneath it, and above it (the database shows no others); the newest first."""
    return cut(Course.objects.prefetch_related("topics"), ("-held_on", "-id"), place, size)


def count_results(courses: Iterable[int]) -> dict[int, dict[str, int]]:
    """Results of courses, by course, as far as the acting place sees the people."""
    found: dict[int, dict[str, int]] = {}
    rows = Attendance.objects.filter(course__in=list(courses)).values_list("course_id", "result")
    for course, result in rows:
        counts = found.setdefault(course, {})
        counts[result] = counts.get(result, 0) + 1
    return found


def results_of(course: int) -> dict[int, str]:
    """Account → result."""
    return dict(Attendance.objects.filter(course=course).values_list("account", "result"))


@dataclass(frozen=True)
class Desk:
    """A township's desk in a year: its report, if there is one, and where it falls short."""

    division: str
    name: str
    report: StaffingReport | None
    short: tuple[str, ...]

    @property
    def cost_permille_tenths(self) -> int | None:
        """Tenths of ‰, rounded up: 20.1 ‰ is above 20 ‰."""
        if self.report is None or not self.report.raised_fen:
            return None
        return -(-self.report.cost_fen * 10_000 // self.report.raised_fen)


def list_desks(by: Actor, year: int, on: date, asked: Asked, prefix: str = "") -> list[Desk]:
    """Every township of the acting place, those that fall short or have not reported in front."""
    low, high = scope_of(prefix or by.prefix)
    reports = {
        row.division: row for row in StaffingReport.objects.filter(division__gte=low, division__lt=high, year=year)
    }
    townships = (
        list_beneath(by.division, by.level, Level.TOWNSHIP, on)
        if by.level <= Level.COUNTY
        else list_beneath(by.division[:9].ljust(12, "0"), Level.TOWNSHIP, Level.TOWNSHIP, on)
    )
    desks = [
        Desk(each.code, each.name, reports.get(each.code), shortfalls(reports.get(each.code), asked))
        for each in townships
        if low <= each.code < high
    ]
    return sorted(desks, key=lambda desk: (desk.report is not None and not desk.short, desk.division))


def shortfalls(report: StaffingReport | None, asked: Asked) -> tuple[str, ...]:
    """In words, what the desk falls short of."""
    if report is None:
        return ("没有填报",)
    found = []
    if report.on_establishment < asked.staff_min:
        found.append(f"编内人员 {report.on_establishment} 人，少于 {asked.staff_min} 人")
    if report.cost_fen * 1000 > report.raised_fen * asked.cost_permille:
        found.append(f"工作经费超过筹集资金的 {percent(asked.cost_permille * 10)}")
    return tuple(found)


def percent(permille_tenths: int | None) -> str:
    """Tenths of ‰ as `2.01 %`."""
    return "—" if permille_tenths is None else f"{permille_tenths // 100}.{permille_tenths % 100:02d} %"


def count_unchecked(prefix: str) -> int:
    low, high = scope_of(prefix)
    return StaffingReport.objects.filter(
        division__gte=low, division__lt=high, state=StaffingReport.State.REPORTED
    ).count()
