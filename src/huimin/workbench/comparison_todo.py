"""What the monthly comparison asks of a desk (VER-04).

in    who asks and when (todo_rows.Asking), inside `reading(by)`
out   lines of the desk: a month to compare, differences to explain, comparisons to sign in the township and above
"""

from collections.abc import Iterator
from datetime import date

from django.urls import reverse

from huimin.comparison import commands, queries
from huimin.comparison.models import Comparison
from huimin.kernel.periods import add_months, month_start
from huimin.organisation.acting import may
from huimin.workbench.todo_rows import Asking, Finder, Todo

State = Comparison.State


def _name(month: date) -> str:
    return f"{month.year}年{month.month}月"


def _months(on: date) -> list[date]:
    """The three months before, and the one that runs once its last third has begun."""
    return [add_months(month_start(on), -back) for back in (1, 2, 3)] + ([month_start(on)] if on.day > 20 else [])


def _township(asking: Asking) -> Iterator[Todo]:
    by, on = asking.by, asking.on
    if not (
        may(by, commands.compare_month) or may(by, commands.sign_comparison) or may(by, commands.explain_differences)
    ):
        return
    months = _months(on)
    there = queries.in_use(by.prefix, months)
    if may(by, commands.compare_month):
        due = queries.due_townships(by.prefix, months, on)
        for month in months:
            row = there.get((month, by.division))
            if by.division in due.get(month, set()) and (row is None or row.state == State.RETURNED):
                note = f"{_name(month)}，{'县里退回' if row else '审批、清册、银行'}"
                where = f"{reverse('comparison-new')}?month={month:%Y-%m}"
                yield Todo("逐户逐人核对", note, by.office_name, 1, None, queries.due_on(month), where)
    open_ = queries.count_open([row.pk for row in there.values() if row.state == State.MADE])
    for row in there.values():
        where, left = reverse("comparison", args=[row.pk]), open_.get(row.pk, 0)
        if row.state == State.MADE and left and may(by, commands.explain_differences):
            note = f"笔，{_name(row.month)}"
            yield Todo(
                "说明核对差异", note, by.office_name, left, None, queries.due_on(row.month), where + "?standing=open"
            )
        if row.state == State.MADE and not left and may(by, commands.sign_comparison):
            note = f"{_name(row.month)}，差异 {row.differences_count:,} 笔"
            yield Todo(
                "签字逐户逐人核对",
                note,
                by.office_name,
                row.beneficiaries,
                row.paid_fen,
                queries.due_on(row.month),
                where,
            )


def _county(asking: Asking) -> Iterator[Todo]:
    """Months every township of the county has signed, and this office has not."""
    by, on = asking.by, asking.on
    if not may(by, commands.sign_county):
        return
    for month in _months(on):
        rows = queries.in_use_of_county(by.prefix, month)
        if not rows or queries.county_hindrance(by, on, month):
            continue
        where = f"{reverse('comparisons')}?month={month:%Y-%m}"
        paid = sum(row.paid_fen for row in rows)
        yield Todo(
            "签字全县逐户逐人核对", f"个乡镇，{_name(month)}", "全县", len(rows), paid, queries.due_on(month), where
        )


FINDERS: tuple[Finder, ...] = (_township, _county)
