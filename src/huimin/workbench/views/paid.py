"""What was paid: by month, programme and place, as bars and numbers (REP-03)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.places import Level
from huimin.ledger.spending import by_month, spent_in, summed
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, kept, one_of, seen_of
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets

YEARS = 5


@require_safe
@page(guard.PAYERS)
def paid(request: Any) -> HttpResponse:
    """Of a year; a department sees its own programmes."""
    on, names = request.business_date, seen_of(request.actor, programme_names())
    years = [str(on.year - back) for back in range(YEARS)]
    year = int(one_of(request.GET, "year", years, str(on.year)))
    programme, place = one_of(request.GET, "programme", names), chosen_place(request)
    prefix = place.prefix[: int(Level.TOWNSHIP)]  # books are kept by township; a village has none of its own
    rows = [row for row in spent_in(prefix, year, programme) if row.programme in names]
    places = summed(rows, lambda row: row.division)
    places_named = names_of({bar.key for bar in places}, on)
    if request.GET.get("export") == "xlsx":
        columns = (
            Column("月份", "date", 12),
            Column("地方", width=20),
            Column("补贴项目", width=20),
            Column("金额（元）", "fen"),
        )
        cells = [
            (row.month, places_named.get(row.division, row.division), names[row.programme], row.amount_fen)
            for row in sorted(rows)
        ]
        title = f"{year} 年发放情况"
        return export_sheets(request, title, [Sheet(title, columns, iter(cells))], of_people=False)
    programmes = summed(rows, lambda row: row.programme)
    context = {
        "section": "paid",
        "year": year,
        "years": [(each, f"{each} 年") for each in years],
        "months": by_month(rows, year),
        "programmes": [(names[bar.key], bar.amount_fen) for bar in programmes],
        "places": [(places_named.get(bar.key, bar.key), bar.amount_fen) for bar in places] if len(places) > 1 else [],
        "total": sum(row.amount_fen for row in rows),
        "top_programme": max((bar.amount_fen for bar in programmes), default=0),
        "top_place": max((bar.amount_fen for bar in places), default=0),
        "place": place,
        "options": names,
        "programme": programme,
        "query": kept(request.GET, "year", "programme", "place"),
    }
    return render(request, "workbench/paid.html", context)
