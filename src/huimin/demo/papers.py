"""The demonstration's papers under `demo-out/`: what a township, a village and a household would hold (PAY-01, PAY-02, PAY-07).

in    the county, from the day its rosters were published
out   books/* of the county's quarter and one township's vouchers; rosters/summary.csv of every roster; rosters/*.xlsx (of every roster while the county is small) and rosters/*.pdf of
      one township; notices/*.pdf and statements/<village>.pdf of one village in it

A county of 700,000 has 30,000 pages of rosters; the papers of one place show as much, and all of it is scanned for
plain numbers afterwards. The first township is taken, unless its rosters are long; then the one with the shortest.
"""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from huimin.database.bulk import fetch
from huimin.demo import booking, dates
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County
from huimin.divisions.queries import names_of
from huimin.kernel.money import yuan_plain
from huimin.kernel.periods import Period
from huimin.notices.models import Notice
from huimin.organisation.acting import Actor, reading
from huimin.organisation.queries import business_date
from huimin.payment.counting import with_sums
from huimin.payment.models import Roster
from huimin.payment.papers import notice_pdf, roster_pdf, roster_xlsx, statements_pdf
from huimin.policy.queries import programme_names

SITE = "http://127.0.0.1:8000"
LINES_MAX = 2_000  # of a township whose rosters are printed
WORKBOOK_LINES_MAX = 20_000  # of a county whose rosters are all written as workbooks
_COLUMNS = ("清册编号", "乡镇", "项目", "类别", "所属期", "应付笔数", "应付金额（元）", "状态", "摘要")


@dataclass
class _Shelf:
    """Where papers go, and how many there are."""

    out: Path
    counts: dict[str, int] = field(default_factory=dict)

    def put(self, kind: str, name: str, content: bytes) -> None:
        path = self.out / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._count("files", 1)
        self._count(f"{kind}_files", 1)
        if content.startswith(b"%PDF-"):
            pages = PdfReader(io.BytesIO(content)).get_num_pages()
            self._count("pages", pages)
            self._count(f"{kind}_pages", pages)

    def _count(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number


def write_papers(county: County, out: Path) -> dict[str, int]:
    """Write them, replacing those of an earlier run; files and pages, in all and by kind."""
    by, shelf = county_officer(), _Shelf(out)
    with reading(by):
        rosters = with_sums(Roster.objects.exclude(state=Roster.State.WITHDRAWN).order_by("pk"))
        places = names_of({roster.division for roster in rosters}, dates.PUBLISHED)
        programmes = programme_names()
    shelf.put("rosters", "summary.csv", _summary(rosters, places, programmes))
    if rosters:
        township = _township(rosters)
        _write_rosters(by, shelf, rosters, township, places)
        _write_village(by, shelf, township)
        for name, content in booking.papers_of(booking.accountant(), business_date(), township).items():
            shelf.put("books", name, content)
    return shelf.counts


def _township(rosters: list[Roster]) -> str:
    """The first one, or the one with the fewest lines when the first has many."""
    lines: dict[str, int] = {}
    for roster in sorted(rosters, key=lambda each: each.division):
        lines[roster.division] = lines.get(roster.division, 0) + roster.lines_count
    first = next(iter(lines))
    return first if lines[first] <= LINES_MAX else min(lines, key=lambda code: lines[code])


def _summary(rosters: list[Roster], places: dict[str, str], programmes: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for each in rosters:
        writer.writerow([
            each.pk, places.get(each.division, each.division), programmes.get(each.programme, each.programme),
            each.get_kind_display(), Period(each.period_from, each.period_until), each.sums.lines,
            yuan_plain(each.sums.amount_fen), each.get_state_display(), each.digest,
        ])  # fmt: skip
    return text.getvalue().encode("utf-8-sig")


def _write_rosters(by: Actor, shelf: _Shelf, rosters: list[Roster], township: str, places: dict[str, str]) -> None:
    small = sum(roster.lines_count for roster in rosters) <= WORKBOOK_LINES_MAX
    for roster in rosters:
        name = f"{places.get(roster.division, roster.division)}-{roster.programme}-{roster.pk}"
        if small or roster.division == township:
            shelf.put("rosters", f"{name}.xlsx", roster_xlsx(by=by, roster_id=roster.pk))
        if roster.division == township:
            shelf.put("rosters", f"{name}.pdf", roster_pdf(by=by, roster_id=roster.pk))


# The village with the most programmes; of those, the one nearest to forty lines: enough to look at, quick to scan.
_VILLAGE = """
SELECT left(l.division, 12) FROM payment_rosterline l
WHERE l.division >= %(low)s AND l.division < %(low)s || '~'
GROUP BY 1 ORDER BY count(DISTINCT l.programme) DESC, abs(count(*) - 40), 1 LIMIT 1
"""


def _write_village(by: Actor, shelf: _Shelf, township: str) -> None:
    with reading(by):
        found: list[tuple[Any, ...]] = fetch(_VILLAGE, {"low": township[:9]})
        village = found[0][0]
        name = names_of({village}, dates.PUBLISHED).get(village, village)
        published = Notice.objects.filter(division=village).exclude(state=Notice.State.WITHDRAWN).order_by("pk")
        notices = list(published.values_list("pk", "programme"))
    for notice, programme in notices:
        shelf.put("notices", f"{name}-{programme}-{notice}.pdf", notice_pdf(by=by, notice_id=notice, site=SITE))
    content = statements_pdf(by=by, division=village, period=dates.QUARTER)
    shelf.put("statements", f"{name}.pdf", content)
