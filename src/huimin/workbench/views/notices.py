"""Notices (公示): the list, one, its sheet for the wall, and objections filed and answered (CASE-06, PAY-02, PUB-05)."""

from typing import Any

import segno
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.notices.commands import answer_objection, file_objection
from huimin.notices.models import Notice, NoticeRow, Objection
from huimin.notices.queries import (
    get_notice,
    list_due_objections,
    list_notices,
    list_objections,
    list_rows,
    recompute_digest,
)
from huimin.organisation.acting import may, reading
from huimin.payment.papers.sheets import gather_notice
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import AnswerObjection, FileObjection
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen, seen_of

SHEET_ROWS_MAX = 1000


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    names = seen_of(request.actor, programme_names())
    place = chosen_place(request)
    state = one_of(request.GET, "state", Notice.State.values, Notice.State.OPEN)
    only = programmes_seen(request.actor)
    programme = one_of(request.GET, "programme", names) or (only[0] if only else "")
    subject = request.GET.get("subject", "")
    page_of = list_notices(
        prefix=place.prefix, state=state, programme=programme, subject=subject, place=request.GET.get("at", "")
    )
    context = {
        "section": "notices",
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "programmes": names,
        "place": place,
        "programme": programme,
        "subject": subject,
        "state": state,
        "states": Notice.State.choices,
    }
    return render(request, "workbench/notices.html", context)


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One notice with its rows; a row is where an objection is filed."""
    notice = get_notice(number)
    require_seen(request.actor, notice.programme)
    page_of = list_rows(number, place=request.GET.get("at", ""))
    context = {
        "section": "notices",
        "notice": notice,
        "trail": chain_names(notice.division, request.business_date),
        "page": page_of,
        "objections": [each for each in list_objections(notice.subject, size=1000) if each.notice_id == notice.pk],
        "may_file": may(request.actor, file_objection) and notice.state == Notice.State.OPEN,
        "may_answer": may(request.actor, answer_objection),
        "roster": _roster_of(notice),
    }
    return render(request, "workbench/notice.html", context)


def _roster_of(notice: Notice) -> str:
    kind, _, number = notice.subject.partition(":")
    return number if kind == "roster" and number.isdigit() else ""


@require_safe
@page(guard.STAFF)
def sheet(request: Any, number: int) -> HttpResponse:
    """The sheet for the village's wall: the same rows and digest as online, with a code that leads there."""
    notice = get_notice(number)
    require_seen(request.actor, notice.programme)
    page_of = list_rows(number, size=SHEET_ROWS_MAX)
    link = request.build_absolute_uri(reverse("notice", args=[number]))
    trail = chain_names(notice.division, request.business_date)
    context = {
        "section": "notices",
        "notice": notice,
        "trail": trail,
        "village": trail[-1],
        "rows": page_of.rows,
        "whole": not page_of.next,
        "code": _code(link),
        "may_print": may(request.actor, gather_notice),
        "unchanged": recompute_digest(number) == notice.digest,
    }
    return render(request, "workbench/notice_sheet.html", context)


def _code(link: str) -> SafeString:
    """A QR code as SVG without styles."""
    drawn = segno.make(link, error="m", micro=False).svg_inline(scale=4, border=2, svgclass="qr", lineclass=None)
    return mark_safe(drawn)


@require_http_methods(["GET", "POST"])
@page(frozenset(file_objection.posts))  # type: ignore[attr-defined]
def file(request: Any, number: int) -> HttpResponse:
    """Register an objection against a row."""
    with reading(request.actor):
        row = NoticeRow.objects.select_related("notice").get(pk=number)
        trail = chain_names(row.division, request.business_date)
    form = FileObjection(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = file_objection(
                by=request.actor, on=request.business_date, row_id=number, text=form.cleaned_data["text"]
            )
            then = f"审核员须在 {made.due_on} 前答复；答复前这份名单不能签批。"
            return Outcome(f"已登记异议，编号 {made.pk}", reverse("notice", args=[row.notice_id]), then)

        try:
            return once(request, act)
        except BadInput as wrong:
            form.add_error("text", str(wrong))
    context = {"section": "notices", "form": form, "row": row, "notice": row.notice, "trail": trail}
    return render(request, "workbench/objection_file.html", context, status=422 if form.errors else 200)


@require_safe
@page(guard.STAFF)
def objections(request: Any) -> HttpResponse:
    """Objections that wait for an answer, by deadline."""
    place = chosen_place(request)
    page_of = list_due_objections(prefix=place.prefix, place=request.GET.get("at", ""))
    context = {
        "section": "objections",
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "programmes": programme_names(),
        "place": place,
        "may_answer": may(request.actor, answer_objection),
    }
    return render(request, "workbench/objections.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(answer_objection.posts))  # type: ignore[attr-defined]
def answer(request: Any, number: int) -> HttpResponse:
    """Answer an objection after looking into it again."""
    with reading(request.actor):
        objection = Objection.objects.select_related("row", "notice").get(pk=number)
        trail = chain_names(objection.division, request.business_date)
        earlier = [each for each in list_objections(objection.notice.subject) if each.row_id == objection.row_id]
    form = AnswerObjection(request.POST or None)
    if request.method == "POST" and form.is_valid():
        upheld = form.cleaned_data["upheld"] == "yes"

        def act() -> Outcome:
            answer_objection(
                by=request.actor, on=request.business_date, objection_id=number, upheld=upheld,
                answer=form.cleaned_data["answer"],
            )  # fmt: skip
            then = "签批时这一行缓发，应发撤销。" if upheld else "这一行照常发放。"
            return Outcome("已答复异议", reverse("notice", args=[objection.notice_id]), then)

        try:
            return once(request, act)
        except BadInput as wrong:
            form.add_error("answer", str(wrong))
    context = {"section": "objections", "form": form, "objection": objection, "trail": trail, "earlier": earlier}
    return render(request, "workbench/objection_answer.html", context, status=422 if form.errors else 200)
