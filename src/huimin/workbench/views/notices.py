"""Notices (公示): the list, one with the proof of its paper, sheets on boards with photos, what waits to be put up (CASE-06, PAY-02, PUB-05)."""

from typing import Any

import segno
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases import queries as cases
from huimin.cases.taking import publish_cases
from huimin.divisions.queries import chain_names, names_of
from huimin.notices import queries
from huimin.notices.models import Notice, NoticeRow, Sheet
from huimin.notices.objections import answer_objection, file_objection
from huimin.notices.posting import READERS, add_photo, read_photo, take_down
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.payment.papers.sheets import gather_notice, hotline_words, opening_of
from huimin.policy.queries import programme_names
from huimin.registry.commands.attachments import ENDINGS
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.notice_forms import SheetPhotoForm
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.surveys import _file as file_answer

SHEET_ROWS_MAX = 1000
_TONES = {"bare": "late", "over": "soon", "hanging": "plain", "down": "done"}
PHOTO_READERS = frozenset(READERS)
PUBLISHERS = frozenset(publish_cases.posts)  # type: ignore[attr-defined]


def nav(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = [("notices", "公示"), ("notice-sheets", "张贴和撤下")]
    pages += [("notice-waiting", "等着张贴的")] if by.post in PUBLISHERS else []
    return [(label, reverse(route), route == here) for route, label in pages]


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    names = seen_of(request.actor, programme_names())
    place = chosen_place(request)
    state = one_of(request.GET, "state", Notice.State.values, Notice.State.OPEN)
    only = programmes_seen(request.actor)
    programme = one_of(request.GET, "programme", names) or (only[0] if only else "")
    subject = request.GET.get("subject", "")
    page_of = queries.list_notices(
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
        "nav": nav(request.actor, "notices"),
    }
    return render(request, "workbench/notices.html", context)


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One notice with its rows; a row is where an objection is filed. Reached from its paper, it compares the two."""
    notice = queries.get_notice(number)
    require_seen(request.actor, notice.programme)
    page_of = queries.list_rows(number, place=request.GET.get("at", ""))
    sheet = queries.get_sheet(notice.sheet_id) if notice.sheet_id else None
    digests = {notice.digest, sheet.digest} if sheet else {notice.digest}
    context = {
        "section": "notices",
        "notice": notice,
        "sheet": sheet,
        "photos": queries.list_photos(sheet) if sheet else [],
        "trail": chain_names(notice.division, request.business_date),
        "page": page_of,
        "objections": [
            each for each in queries.list_objections(notice.subject, size=1000) if each.notice_id == notice.pk
        ],
        "may_file": may(request.actor, file_objection) and notice.state == Notice.State.OPEN,
        "may_answer": may(request.actor, answer_objection),
        "about": _about(notice),
        "proof": _proof(request, digests, queries.recompute_digest(number) == notice.digest),
        "boards": [each for each in queries.notices_of(notice.subject) if each.pk != notice.pk],
        "places": names_of(
            {each.division for each in queries.notices_of(notice.subject)}, request.business_date
        ),
    }  # fmt: skip
    return render(request, "workbench/notice.html", context)


def _proof(request: Any, digests: set[str], unchanged: bool) -> tuple[str, str]:
    """(tone, words): whether the stored list gives the digest it was published with, and the scanned paper has the same."""
    paper = request.GET.get("paper", "").strip().lower()
    if not unchanged:
        return "late", "系统里的名单与张榜时的摘要不符，可能被改动，请马上报告监督员。"
    if not paper:
        return "", "按系统里的名单重新计算的摘要与张榜时相同。扫纸上的二维码，可以核对纸和这里是不是同一份。"
    if paper in digests:
        return "done", "纸上的摘要、张榜时的摘要、按系统里的名单重新计算的摘要三者相同：是同一份名单。"
    return "late", "纸上的摘要与系统里的不同：不是同一份名单。请核对是不是旧的纸，不是的马上报告监督员。"


def _about(notice: Notice) -> tuple[str, str]:
    """(words, address) of what the notice is about, where it has a page."""
    kind, *rest = notice.subject.split(":")
    if rest and rest[0].isdigit() and kind == "roster":
        return "打开清册", reverse("roster", args=[int(rest[0])])
    if rest and rest[0].isdigit() and kind == "case":
        return "打开这件事", reverse("case", args=[int(rest[0])])
    return "", ""


@require_safe
@page(guard.STAFF)
def sheet(request: Any, number: int) -> HttpResponse:
    """The sheet for the board: the same rows and digest as online, with a code that leads there."""
    notice = queries.get_notice(number)
    require_seen(request.actor, notice.programme)
    hung = queries.get_sheet(notice.sheet_id) if notice.sheet_id else None
    rows = queries.list_sheet_rows(hung, SHEET_ROWS_MAX) if hung else list(_rows_of(number))
    several = hung is not None and hung.notices_count > 1
    of = hung or notice
    path = reverse("notice-board", args=[of.pk]) if several else reverse("notice", args=[number])
    trail = chain_names(notice.division, request.business_date)
    unchanged = queries.sheet_is_whole(hung) if hung else queries.recompute_digest(number) == notice.digest
    context = {
        "section": "notices", "notice": notice, "of": of, "trail": trail, "village": trail[-1],
        "rows": rows[:SHEET_ROWS_MAX], "whole": len(rows) <= SHEET_ROWS_MAX,
        "grouped": any(row.group_name for row in rows), "counted": any(row.quantity for row in rows),
        "code": _code(request.build_absolute_uri(f"{path}?paper={of.digest}")), "may_print": may(request.actor, gather_notice),
        "unchanged": unchanged, "opening": opening_of(notice, "".join(trail[2:]), _office_of(notice), str),
        "hotline": hotline_words(rule_of(notice.division).hotline),
    }  # fmt: skip
    return render(request, "workbench/notice_sheet.html", context)


def _rows_of(number: int) -> Any:
    return NoticeRow.objects.filter(notice=number).order_by("row_no")[: SHEET_ROWS_MAX + 1]


def _office_of(notice: Notice) -> str:
    return Appointment.objects.select_related("office").get(pk=notice.published_by).office.name


def _code(link: str) -> SafeString:
    """A QR code as SVG without styles."""
    drawn = segno.make(link, error="m", micro=False).svg_inline(scale=4, border=2, svgclass="qr", lineclass=None)
    return mark_safe(drawn)


# Papers on boards.


@require_safe
@page(guard.STAFF, reads=False)
def sheets(request: Any) -> HttpResponse:
    """Papers that hang, those without a photo, those that should come down."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        standing = one_of(request.GET, "standing", queries.HANGING, "" if whole else "hanging")
        found = queries.page_sheets(
            standing, prefix=place.prefix, place="" if whole else request.GET.get("at", ""), size=1000 if whole else 50
        )
        names = names_of({row.division for row in found}, on)
        return Listing(
            "公示的张贴和撤下", "一行是公开栏上的一张纸：拍了照没有，到期撤下没有。", "notices",
            [Head("公示"), Head("公开栏", paper=34), Head("张贴", "date", 22), Head("最后一天", "date", 22), Head("行数", "count", 14),
             Head("金额（元）", "fen", 28), Head("张贴情况", paper=26)],
            [_sheet_row(row, names) for row in found], "没有这样的公示。",
            filters=[Filter("standing", "张贴情况", list(queries.HANGING.items()), standing),
                     Filter("place", "地方", place.options, place.code)],
            nav=nav(by, "notice-sheets"), page=found, across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _sheet_row(row: Any, names: dict[str, str]) -> list[Any]:
    standing = "down" if row.taken_down_on else "over" if row.over else "bare" if row.bare else "hanging"
    title = Cell(row.title, reverse("notice-board", args=[row.pk]))
    return [
        title, names.get(row.division, row.division), row.posted_on, row.ends_on, row.rows_count, row.amount_fen,
        Cell(queries.HANGING[standing], tone=_TONES[standing], sub=f"{row.taken_down_on}" if row.taken_down_on else ""),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.STAFF)
def board(request: Any, number: int) -> HttpResponse:
    """One paper: its lists, its photos, and that it came down."""
    by, on = request.actor, request.business_date
    with reading(by):
        hung = queries.get_sheet(number)
        require_seen(by, hung.programme)
        context = {**_board(request, hung), "trail": chain_names(hung.division, on)}
    down = request.POST.get("act") == "down"
    may_add = may(by, add_photo)
    initial = {"taken_on": on.isoformat(), "photographer": by.name}
    form = SheetPhotoForm(
        None if down or request.method == "GET" else request.POST, request.FILES or None, initial=initial
    )

    def act() -> Outcome:
        where = reverse("notice-board", args=[number])
        if down:
            take_down(by=by, on=on, sheet_id=number)
            return Outcome("已登记撤下", where)
        told = dict(form.cleaned_data)
        content = told.pop("file").read()
        add_photo(by=by, on=on, sheet_id=number, content=content, **told)
        return Outcome("已上传照片", where, "照片加密保存，每次查看都留痕。")

    if request.method == "POST" and down:
        return once(request, act)
    context |= {"may_add": may_add, "may_take_down": may(by, take_down) and context["over"] and not hung.taken_down_on}
    return answer_form(request, form, act, "workbench/notice_board.html", context)


def _board(request: Any, hung: Sheet) -> dict[str, Any]:
    lists = queries.list_notices_on(hung)
    rows = queries.list_sheet_rows(hung, SHEET_ROWS_MAX)
    digests = {hung.digest, *(each.digest for each in lists)}
    return {
        "section": "notices", "sheet": hung, "lists": lists, "rows": rows[:SHEET_ROWS_MAX], "whole": len(rows) <= SHEET_ROWS_MAX,
        "photos": queries.list_photos(hung), "over": all(each.state != Notice.State.OPEN for each in lists),
        "proof": _proof(request, digests, queries.sheet_is_whole(hung)), "states": {each.pk: each for each in lists},
        "may_file": may(request.actor, file_objection), "first": lists[0], "rule": rule_of(hung.division),
    }  # fmt: skip


@require_safe
@page(PHOTO_READERS, reads=False)
def photo(request: Any, number: int) -> HttpResponse:
    row, content = read_photo(by=request.actor, on=request.business_date, photo_id=number)
    return file_answer(content, row.media_type, f"公示照片{row.pk}{ENDINGS[row.media_type]}")


@require_http_methods(["GET", "POST"])
@page(PUBLISHERS)
def waiting(request: Any) -> HttpResponse:
    """Applications and lists whose step wants a notice: tick those that go up now; what belongs on one paper shares it."""
    by, on = request.actor, request.business_date
    if request.method == "POST":
        ids = ids_of(request.POST, 200)
        return once(request, lambda: _published(by, on, ids))
    rows = cases.list_to_publish(by)
    steps = cases.steps_of(by)
    context = {
        "section": "notices", "rows": rows, "names": programme_names(), "nav": nav(by, "notice-waiting"),
        "places": names_of({row.division for row in rows}, on),
        "steps": {row.pk: steps[row.process_id, row.step] for row in rows},
    }  # fmt: skip
    return render(request, "workbench/notice_waiting.html", context)


def _published(by: Actor, on: Any, ids: list[int]) -> Outcome:
    made = publish_cases(by=by, on=on, case_ids=ids)
    then = "打印公示表张贴，拍照上传。期满、异议都答复后才能往下办。"
    return Outcome(f"已公示 {len(ids)} 件，共 {made} 份", reverse("notice-sheets"), then)
