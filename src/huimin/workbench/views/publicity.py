"""Long-term publicity (长期公示): villages whose board is right or must be renewed, one village's list and photos, checks against payments, the county's rule (CASE-07)."""

from itertools import groupby
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, find_division, names_of
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.notices.rules import rule_of, set_notice_rule
from huimin.organisation.acting import Actor, may, reading, require_place
from huimin.payment.papers.publicity import PER, publicity_pdf
from huimin.policy.queries import programme_names
from huimin.registry.commands.attachments import ENDINGS
from huimin.telling import lists, publicity
from huimin.telling.lists import Standing
from huimin.telling.models import PublicSheet
from huimin.workbench.acts import Outcome, once
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place
from huimin.workbench.notice_forms import NoticeRuleForm, Photo
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.surveys import _file as file_answer

READERS = frozenset(publicity.READERS)
SECONDS_KEPT = 30
ROWS_MAX = 1000


def nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [("publicity", "长期公示"), ("publicity-checks", "与发放核对"), ("notice-rule", "公示规则")]
    return [(label, reverse(route), route == here) for route, label in pages]


def kept_standings(by: Actor, prefix: str, on: Any) -> list[Standing]:
    """As lists.standings; of a whole county at most twice a minute, because it reads every beneficiary."""
    if len(prefix) > Level.COUNTY:
        return lists.standings(prefix, on)
    key = f"publicity:{connection.settings_dict['NAME']}:{prefix}:{on}"
    found: list[Standing] = cache.get_or_set(key, lambda: lists.standings(prefix, on), SECONDS_KEPT)
    return found


@require_safe
@page(READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Villages of a township, or townships of the county: how many boards are right, due, overdue."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        rows = kept_standings(by, place.prefix, on)
        above = len(place.prefix) <= Level.COUNTY and not whole
        names = names_of(
            {row.village[:9] + "000" for row in rows} if above else {row.village for row in rows[:2000]}, on
        )
        due, late = [row for row in rows if row.due_on], [row for row in rows if row.overdue(on)]
        heads, shown = _of_townships(rows, names, on) if above else _of_villages(rows, names, on)
        return Listing(
            "长期公示", _lead(by), "publicity", heads, shown, "这里没有在享的对象。有人享受待遇后，就会列在这里。",
            nav=nav("publicity"), filters=[Filter("place", "地方", place.options, place.code)] if place.options else [],
            figures=[("村", f"{len(rows):,}", ""), ("该换新的", f"{len(due):,}", "soon" if due else ""),
                     ("超期的", f"{len(late):,}", "late" if late else "")], across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _lead(by: Actor) -> str:
    rule, names = rule_of(by.division), programme_names()
    what = "、".join(names[code] for code in rule.programmes if code in names) or "（县里没有设项目）"
    return f"{what}的在享对象，长期张贴在村里的固定公示栏，总是与发放一致；有变化的当月 {rule.due_day} 日前换新。"


def _of_villages(rows: list[Standing], names: dict[str, str], on: Any) -> tuple[list[Head], list[list[Any]]]:
    heads = [
        Head("村"), Head("户（人）", "count", 18), Head("人口", "count", 18), Head("金额（元）", "fen", 30), Head("公示栏上的", paper=44),
        Head("换新期限", "date", 24), Head("状态", paper=24),
    ]  # fmt: skip
    return heads, [_village(row, names, on) for row in rows]


def _village(row: Standing, names: dict[str, str], on: Any) -> list[Any]:
    sheet = row.sheet
    photo = "有照片" if sheet and sheet.photo_sha256 else "没有照片"
    hanging = Cell(f"{sheet.posted_on} 张贴，{sheet.rows_count} 户（人）", sub=photo) if sheet else Cell("没有张贴过")
    standing = (
        Cell("与发放一致", tone="done")
        if row.due_on is None
        else Cell("超期", tone="late")
        if row.overdue(on)
        else Cell("该换新", tone="soon")
    )
    where = Cell(names.get(row.village, row.village), reverse("publicity-village", args=[int(row.village)]))
    return [where, row.count, row.people, row.amount_fen, hanging, row.due_on, standing]


def _of_townships(rows: list[Standing], names: dict[str, str], on: Any) -> tuple[list[Head], list[list[Any]]]:
    heads = [
        Head("乡镇"), Head("村", "count", 18), Head("户（人）", "count", 20), Head("金额（元）", "fen", 34), Head("该换新", "count", 20),
        Head("超期", "count", 20), Head("没有照片", "count", 20),
    ]  # fmt: skip
    shown: list[list[Any]] = []
    for code, found in groupby(rows, key=lambda row: row.village[:9] + "000"):
        each = list(found)
        where = Cell(names.get(code, code), f"{reverse('publicity')}?place={code}")
        shown.append([
            where, len(each), sum(row.count for row in each), sum(row.amount_fen for row in each),
            sum(row.due_on is not None for row in each), sum(row.overdue(on) for row in each),
            sum(bool(row.sheet and not row.sheet.photo_sha256) for row in each),
        ])  # fmt: skip
    return heads, shown


@require_http_methods(["GET", "POST"])
@page(READERS)
def village(request: Any, code: int) -> HttpResponse:
    """The list of a village as it should hang now; that it was posted; the photo of its board."""
    by, on = request.actor, request.business_date
    place = str(code)
    posts = request.POST.get("act") == "post"
    with reading(by):
        require_place(by, place)
        found = find_division(place, on)
        if found is None or found.level != Level.VILLAGE:
            raise Http404
        context = _village_context(request, place)
    sheet: PublicSheet | None = context["sheet"]
    form = Photo(
        request.POST if request.method == "POST" and not posts else None, request.FILES or None,
        initial={"taken_on": on.isoformat(), "photographer": by.name},
    )  # fmt: skip

    def act() -> Outcome:
        where = reverse("publicity-village", args=[code])
        if posts:
            made = publicity.post_list(by=by, on=on, village=place, seen=request.POST.get("seen", ""))
            return Outcome("已登记张贴", where, f"{made.rows_count} 户（人）。贴好后拍照上传。")
        if sheet is None:
            raise Http404
        told = dict(form.cleaned_data)
        content = told.pop("file").read()
        publicity.add_list_photo(by=by, on=on, sheet_id=sheet.pk, content=content, **told)
        return Outcome("已上传照片", where)

    if request.method == "POST" and posts:
        return once(request, act)
    return answer_form(request, form, act, "workbench/publicity_village.html", context)


def _village_context(request: Any, place: str) -> dict[str, Any]:
    by, on = request.actor, request.business_date
    [row] = lists.standings(place, on) or [Standing(place, 0, 0, 0, None, None)]
    found = lists.list_of(place, on)
    paper = request.GET.get("paper", "").strip().lower()
    return {
        "section": "publicity", "place": place, "row": row, "sheet": row.sheet, "trail": chain_names(place, on),
        "found": found, "rows": found.rows[:ROWS_MAX], "names": programme_names(), "per": PER, "sheets": lists.list_sheets(place),
        "rule": rule_of(place), "may_post": may(by, publicity.post_list) and row.due_on is not None,
        "may_photo": may(by, publicity.add_list_photo) and row.sheet is not None, "overdue": row.overdue(on),
        "same": paper == found.digest if paper else None, "nav": nav("publicity"),
    }  # fmt: skip


@require_safe
@page(READERS, reads=False)
def paper(request: Any, code: int) -> HttpResponse:
    """The sheet for the fixed board."""
    site = request.build_absolute_uri("/").rstrip("/")
    made = publicity_pdf(
        by=request.actor, on=request.business_date, village=str(code), site=site, mark=printed_by(request, "长期公示")
    )
    return pdf_answer(made, f"长期公示{code}")


@require_safe
@page(READERS, reads=False)
def photo(request: Any, number: int) -> HttpResponse:
    row, content = publicity.read_list_photo(by=request.actor, on=request.business_date, sheet_id=number)
    return file_answer(content, row.photo_type, f"长期公示照片{row.pk}{ENDINGS[row.photo_type]}")


@require_safe
@page(READERS, reads=False)
def checks(request: Any) -> HttpResponse:
    """After every payment: was what was paid what the boards show?"""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        rows = lists.list_checks(place.prefix, 1000 if whole else 100)
        names, programmes = names_of({row.division for row in rows}, on), programme_names()
        return Listing(
            "长期公示与发放核对", "每次收到银行回盘，系统都把本期在享的和清册、发放逐户核对一次。", "publicity",
            [Head("乡镇"), Head("项目", paper=52), Head("期间", paper=36), Head("核对", "date", 22), Head("在享", "count", 16),
             Head("已发", "count", 16), Head("待发", "count", 16), Head("不一致", "count", 16), Head("哪些户", paper=50)],
            [[names.get(row.division, row.division), programmes.get(row.programme, row.programme),
              str(Period(row.period_from, row.period_until)), row.checked_on, row.listed, row.paid, row.waiting, row.differing,
              Cell("、".join(f"{number} {why}" for number, why in row.examples[:3]) or "一致", tone="" if row.differing else "done")]
             for row in rows],
            "还没有核对过。收到银行回盘后自动核对。", nav=nav("publicity-checks"),
            filters=[Filter("place", "地方", place.options, place.code)] if place.options else [], across=True,
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(READERS)
def rule(request: Any) -> HttpResponse:
    """What the county set for its notices; changed by the county."""
    by, on = request.actor, request.business_date
    with reading(by):
        now, names = rule_of(by.division), programme_names()
    initial = {
        "programmes": list(now.programmes), "hotline": now.hotline, "due_day": now.due_day,
        "photo_needed": "yes" if now.photo_needed else "no", "basis": now.basis,
    }  # fmt: skip
    form = NoticeRuleForm(
        request.POST or None, programmes=sorted(names.items(), key=lambda item: item[1]), initial=initial
    )

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        told["photo_needed"] = told["photo_needed"] == "yes"
        set_notice_rule(by=by, on=on, **told)
        return Outcome("已保存公示规则", reverse("notice-rule"))

    context = {
        "section": "publicity", "rule": now, "shown": [names[code] for code in now.programmes if code in names], "nav": nav("notice-rule"), "may_set": may(by, set_notice_rule),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/notice_rule.html", context)
