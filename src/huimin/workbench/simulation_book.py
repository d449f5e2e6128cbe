"""A simulation and a coverage analysis as workbooks: the figures of the page, sheet by sheet (POL-04, POL-06)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from huimin.screening.simulation.comparing import ALL, Breakdown, Comparison, Line
from huimin.screening.simulation.models import Finding, Simulation
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets

_NUMBERS = (
    Column("现行", "count", 10), Column("草案", "count", 10), Column("新增", "count", 10), Column("退出", "count", 10),
    Column("增加", "count", 10), Column("减少", "count", 10), Column("不变", "count", 10),
    Column("现行每年（元）", "fen", 18), Column("草案每年（元）", "fen", 18), Column("每年增减（元）", "fen", 18),
)  # fmt: skip


def _numbers(line: Line) -> tuple[int, ...]:
    return (
        line.before, line.after, line.entering, line.leaving, line.more, line.less, line.same, line.before_fen,
        line.after_fen, line.extra_fen,
    )  # fmt: skip


def export_simulation(request: Any, row: Simulation, told: Mapping[str, Any]) -> HttpResponse:
    """Every figure of the page; `told` is what the page was given."""
    comparison: Comparison = told["comparison"]
    names = {each.code: each.name for each in comparison.programmes}
    sheets = [
        Sheet(
            "草案", _draft_columns(), [(c.programme, c.what, c.before, c.after) for c in told["changes"]], totals=False
        ),
        Sheet("项目", (Column("补贴项目", width=28), Column("对象", width=8), *_NUMBERS), _programmes(comparison)),
        Sheet("各月", (Column("月份", width=12), *_fen("现行", "草案")), _months(comparison)),
        *(_breakdown(each, names, told["place_names"]) for each in comparison.breakdowns),
        Sheet(
            "举例",
            (Column("变化", width=8), Column("户编码", width=22), *_fen("现行每年", "草案每年")),
            _examples(told),
        ),
    ]
    return export_sheets(request, f"政策测算 {row.pk} {row.title}"[:80], sheets)


def _draft_columns() -> tuple[Column, ...]:
    return (
        Column("补贴项目", width=28),
        Column("改什么", width=28),
        Column("现行", width=30),
        Column("草案", width=30),
    )


def _fen(*titles: str) -> tuple[Column, ...]:
    return tuple(Column(f"{title}（元）", "fen", 18) for title in titles)


def _programmes(comparison: Comparison) -> Iterator[tuple[Any, ...]]:
    for each in comparison.programmes:
        yield each.name, "户" if each.unit == "household" else "人", *_numbers(each.line)


def _months(comparison: Comparison) -> Iterator[tuple[Any, ...]]:
    for month in comparison.months:
        yield f"{month.start:%Y-%m}", month.before_fen, month.after_fen


def _breakdown(breakdown: Breakdown, names: Mapping[str, str], places: Mapping[str, str]) -> Sheet:
    """Households over all programmes first, then each programme's beneficiaries."""
    rows = [
        (places.get(group.key, group.label), group.households, names.get(code, "全部项目（户）"), *_numbers(line))
        for code in (ALL, *names)
        for group in breakdown.groups
        if (line := group.lines.get(code))
    ]
    columns = (Column(breakdown.label, width=20), Column("户数", "count", 10), Column("补贴项目", width=28), *_NUMBERS)
    return Sheet(f"按{breakdown.label}", columns, rows, totals=False)


def _examples(told: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for some in told["examples"]:
        for household, example in some["rows"]:
            yield some["label"], household.household_no, example.before_fen, example.after_fen


def export_findings(
    request: Any, title: str, rows: Iterator[Finding], names: Mapping[str, str], place_of: Callable[[str], str],
    shown: Callable[[Finding], Sequence[str]],
) -> HttpResponse:  # fmt: skip
    """The list of the page, all of it; `shown`: the programmes of a finding that the reader may see."""
    columns = (
        Column("户编码", width=22), Column("村（组）", width=18), Column("情况", width=34), Column("人均月收入（元）", "fen", 18),
        Column("标准（元/月）", "fen", 14), Column("享受的项目", width=40), Column("每年合计（元）", "fen", 18),
    )  # fmt: skip
    table = (
        (
            row.household.household_no, place_of(row.division), row.get_kind_display(), row.income_fen, row.line_fen,
            "、".join(names.get(code, code) for code in shown(row)), row.year_fen,
        )
        for row in rows
    )  # fmt: skip
    return export_sheets(request, title, [Sheet("名单", columns, table, totals=False)])
