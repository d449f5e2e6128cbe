"""Papers to print and hand out, as PDF: rosters, notices, and 明白卡 of a village (PAY-01, PAY-02, PAY-07)."""

from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.divisions.queries import find_division, list_beneath
from huimin.kernel.places import Level
from huimin.organisation.acting import reading
from huimin.payment.papers import notice_pdf, roster_pdf, statements_pdf
from huimin.payment.papers.cases import CASE_PAPERS, case_pdf, gather_case
from huimin.payment.papers.listing import gather_roster
from huimin.payment.papers.sheets import gather_notice
from huimin.payment.papers.statements import gather_statements
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place
from huimin.workbench.views.rosters import period_choices, period_of, period_text

VILLAGE_DIGITS = 12
ROSTER_READERS = frozenset(gather_roster.posts)  # type: ignore[attr-defined]
NOTICE_READERS = frozenset(gather_notice.posts)  # type: ignore[attr-defined]
CASE_READERS = frozenset(gather_case.posts)  # type: ignore[attr-defined]
STATEMENT_READERS = frozenset(gather_statements.posts)  # type: ignore[attr-defined]


@require_safe
@page(ROSTER_READERS, reads=False)
def roster(request: Any, number: int) -> HttpResponse:
    asked = request.GET.get("village", "")
    village = asked if asked.isascii() and asked.isdigit() and len(asked) == VILLAGE_DIGITS else ""
    made = roster_pdf(by=request.actor, roster_id=number, village=village, mark=printed_by(request, "清册签字存档"))
    return _pdf(made, f"清册{number}{village}")


@require_safe
@page(NOTICE_READERS, reads=False)
def notice(request: Any, number: int) -> HttpResponse:
    site = request.build_absolute_uri("/").rstrip("/")
    return _pdf(
        notice_pdf(by=request.actor, notice_id=number, site=site, mark=printed_by(request, "张榜公示")), f"公示{number}"
    )


@require_safe
@page(STATEMENT_READERS, reads=False)
def statements(request: Any) -> HttpResponse:
    """Choose a village and a quarter; the cards of its households come as one PDF."""
    by, on = request.actor, request.business_date
    period = period_of(request.GET.get("period", ""), on)
    with reading(by):
        place = chosen_place(request)
        found = find_division(place.code or by.division, on)
        village = found if found and found.level == Level.VILLAGE else None
        villages = [] if village or not found else list_beneath(found.code, Level(found.level), Level.VILLAGE, on)
    if village and request.GET.get("pdf"):
        return _pdf(
            statements_pdf(by=by, division=village.code, period=period, mark=printed_by(request, "发明白卡")),
            f"{village.name}明白卡",
        )
    context = {
        "section": "households",
        "place": place,
        "period": period,
        "period_text": period_text(period),
        "periods": period_choices(on),
        "village": village,
        "villages": villages[:400],
    }
    return render(request, "workbench/statements.html", context)


@require_safe
@page(CASE_READERS, reads=False)
def case(request: Any, number: int, kind: str) -> HttpResponse:
    """受理通知书, 一次性告知书 or 不予受理告知书 of a case."""
    if kind not in CASE_PAPERS:
        raise Http404
    address = request.build_absolute_uri(reverse("case", args=[number]))
    made = case_pdf(by=request.actor, on=request.business_date, case_id=number, kind=kind, address=address)
    return _pdf(made, f"{CASE_PAPERS[kind]}{number}")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.pdf"
    return response
