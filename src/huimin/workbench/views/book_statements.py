"""Statements of the books: 资产负债表, 收支表, 项目明细表, by level and period, as pages, workbooks and papers (LED-02)."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.ledger import statements
from huimin.workbench import guard
from huimin.workbench.book_side import SEATS, Asked, asked, tabs, words_of
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing

NOTHING = "这个期间还没有账。请选别的月份或地方。"
_BY = [("place", "按地方分列"), ("month", "按月分列")]


def _statement(
    told: Asked, title: str, lead: str, route: str, heads: Sequence[Head], rows: Any, **more: Any
) -> Listing:
    return Listing(
        title, lead, "ledger", heads, rows, NOTHING, nav=tabs(route, told.query()), seats=SEATS, lines=told.lines,
        unit="金额单位：元", seal=told.names, of_people=False, totals=False, **{"filters": told.filters()} | more,
    )  # fmt: skip


def _account_cell(told: Asked, line: statements.Line) -> Any:
    return Cell(line.label, f"{reverse('ledger')}?{told.query(code=line.code)}") if line.code else line.label


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def sheet(request: Any) -> HttpResponse:
    """资产负债表 at the end of the period, beside the beginning of its year."""

    def build(_: bool) -> Listing:
        told = asked(request)
        rows = statements.movements(told.place.prefix, told.period, programme=told.programme)
        assets, others = statements.balance_sheet(rows)
        table = (
            [[_account_cell(told, each), each.first_fen, each.second_fen] for each in [*assets, *others]]
            if rows
            else []
        )
        heads = [Head("项目"), Head("年初数（元）", "fen", 45), Head("期末数（元）", "fen", 45)]
        lead = f"截至 {told.period.last_day}。资产总计应当等于负债和净资产总计。"
        equal = assets[-1][1:3] == others[-1][1:3]
        return _statement(
            told, "资产负债表", lead, "book-sheet", heads, table,
            notes=[words_of("期末资产总计", assets[-1].second_fen), "两边相等" if equal else "两边不相等，请立即报告"],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def income(request: Any) -> HttpResponse:
    """收支表 of the period, beside the year so far."""

    def build(_: bool) -> Listing:
        told = asked(request)
        rows = statements.movements(told.place.prefix, told.period, programme=told.programme, carried=False)
        lines = statements.receipts_and_payments(rows)
        table = [[_account_cell(told, each), each.first_fen, each.second_fen] for each in lines] if rows else []
        heads = [Head("项目"), Head("本期数（元）", "fen", 45), Head("本年累计（元）", "fen", 45)]
        spent = next(each for each in lines if each.label == "支出合计")
        return _statement(
            told, "收支表", "年终结转不算收支，所以十二月仍看得到全年的收和支。", "book-income", heads, table,
            notes=[words_of("本期支出合计", spent.first_fen)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def programmes(request: Any) -> HttpResponse:
    """项目明细表: what each programme had, got, spent and has; over places, by place, or month by month."""

    def build(_: bool) -> Listing:
        told = asked(request)
        by = one_of(request.GET, "by", dict(_BY))
        periods = told.period.split("month") if by == "month" else [told.period]
        names = ("期初结余", "本期拨入", "本期支出", "其他增减", "期末结余", "专户存款", "在途", "应收追回")
        first = {"place": [Head("地方", paper=28)], "month": [Head("月份", paper=22)]}.get(by, [])
        table: list[list[Any]] = []
        totals = [0] * len(names)
        for period in periods:
            rows = statements.movements(told.place.prefix, period, programme=told.programme, carried=False)
            found = statements.programme_rows(rows, by_place=by == "place")
            places = names_of({each.division for each in found if each.division}, request.business_date)
            for each in found:
                lead = (
                    [places.get(each.division, each.division)]
                    if by == "place"
                    else [str(period)]
                    if by == "month"
                    else []
                )
                table.append([*lead, _programme_cell(told, each), *each[2:]])
                totals = [a + b for a, b in zip(totals, each[2:], strict=True)]
        if table and by != "month":
            table.append([*([""] if by else []), "合计", *totals])
        return _statement(
            told, "项目明细表", "期初结余加拨入、减支出、加减其他，等于期末结余。", "book-programmes",
            [*first, Head("补贴项目"), *(Head(f"{name}（元）", "fen", 25) for name in names)], table, across=True,
            filters=told.filters(Filter("by", "分列", _BY, by)),
            notes=[words_of("期末结余合计", totals[4])] if by != "month" else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _programme_cell(told: Asked, row: statements.ProgrammeRow) -> Cell:
    name = told.programmes.get(row.programme, row.programme) or "（不分项目）"
    place = row.division or told.place.code
    return Cell(name, f"{reverse('ledger')}?{told.query(programme=row.programme, place=place)}")
