"""《城乡最低生活保障政策执行专项整治工作情况汇总表》, from the items (CASE-10).

in    a campaign, a place, the business date; inside `reading(by)` or a command
out   the table's parts by township: the base and what was done, results, marks of risk, cases; as rows and as frozen content

The attachment of 日政办发〔2018〕95号 is not in the text we have. The columns are built from what its 四 and 五 ask to be done and
counted: who was held and visited (100 %), checked by the county (≥ 30 %, relatives without exception), kept, raised, lowered,
removed and newly taken in, what the checks of vehicles, payroll, businesses and so on showed, which cases were dealt with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.places import Level
from huimin.rectification.marking import RISKS
from huimin.rectification.models import Campaign, TypicalCase
from huimin.rectification.standing import Count, count_by_place, total_of


class Column(NamedTuple):
    """`kind` is count, fen or percent; `of` are the names of sums it is made of (percent: part, whole)."""

    title: str
    kind: str
    of: tuple[str, ...]
    county: bool = False

    def value(self, row: Count) -> int:
        if self.kind == "percent":
            part, whole = self.of
            return row[part] * 100 // row[whole] if row[whole] else 0
        return sum(row[name] for name in self.of)


def _count(title: str, *of: str, county: bool = False) -> Column:
    return Column(title, "count", of, county)


PARTS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "base": (
        "底数和核查",
        (
            _count("在保对象", "held"), _count("在保人数", "held_people"), Column("月保障金", "fen", ("held_fen",)),
            _count("排查漏保", "missed"), _count("有疑点", "marked"), _count("已入户", "visited"),
            Column("入户率", "percent", ("visited", "all")), _count("已复核", "reviewed"),
            _count("县级抽查", "checked", county=True), Column("抽查率", "percent", ("checked", "held"), True),
            _count("近亲属必查", "must", county=True), _count("应公示", "to_show"), _count("已公示", "shown"), _count("应执行", "waiting", "carried"), _count("已执行", "carried"),
        ),
    ),
    "results": (
        "核查结果",
        (
            _count("符合保留", "keep_count"), _count("增发", "increase_count"), Column("月增加", "fen", ("increase_fen",)),
            _count("减发", "decrease_count"), Column("月减少", "fen", ("decrease_fen",)), _count("清退", "leave_count"),
            _count("清退人数", "leave_people"), Column("月清退", "fen", ("leave_fen",)), _count("死亡停发", "dead_count"),
            _count("新纳入", "enter_count"), _count("新纳入人数", "enter_people"), Column("月新增", "fen", ("enter_fen",)),
            _count("不纳入", "declined_count"), _count("其他", "other_count"),
        ),
    ),
    "risks": ("疑点核查", tuple(
        column for code, label in RISKS.items()
        for column in (_count(label, f"risk_{code}"), _count(f"{label}：停减", f"stopped_{code}"))
    )),
}  # fmt: skip
"""The parts of the table; `county` columns are counted where the county looks, and left out elsewhere."""


@dataclass(frozen=True)
class SummaryTable:
    """Rows by township, their sum, and cases by kind and township (at the county)."""

    rows: Sequence[Count]
    total: Count
    cases: dict[str, dict[str, int]]

    def as_content(self) -> dict[str, Any]:
        """Frozen when it is sent up: every column of every part, by township and in all."""
        columns = [column for _, part in PARTS.values() for column in part]
        return {
            "columns": [column.title for column in columns],
            "places": {row.division: [column.value(row) for column in columns] for row in self.rows},
            "total": [column.value(self.total) for column in columns],
            "cases": self.cases,
        }


def summary_table(campaign: Campaign, on: date, prefix: str = "", programme: str = "") -> SummaryTable:
    """The whole of a campaign (or of a place in it), as seen from there; three statements."""
    prefix = prefix or campaign.prefix
    level = Level.VILLAGE if len(prefix) >= Level.TOWNSHIP else Level.TOWNSHIP
    rows = count_by_place(campaign, prefix, level, on, programme)
    return SummaryTable(rows, total_of(rows), count_cases(campaign, prefix))


_CASES = """
SELECT CASE WHEN place = %(county)s THEN place ELSE left(place, 9) || '000' END, kind, count(*)::int
FROM rectification_typicalcase WHERE campaign_id = %(campaign)s AND place >= %(low)s AND place < %(high)s GROUP BY 1, 2
"""


def count_cases(campaign: Campaign, prefix: str) -> dict[str, dict[str, int]]:
    """Cases by township (or the county's own) and kind; empty to whoever may not see them."""
    low, high = scope_of(prefix)
    found: dict[str, dict[str, int]] = {}
    for place, kind, count in fetch(
        _CASES, {"campaign": campaign.pk, "low": low, "high": high, "county": campaign.county}
    ):
        found.setdefault(place, dict.fromkeys(TypicalCase.Kind.values, 0))[kind] = count
    return found
