"""明白卡 of a whole township or county, made in the background: runs, the files of their villages (PAY-07)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import find_division, names_of
from huimin.jobs.queries import anybody_works
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import may, reading
from huimin.printing import commands, queries
from huimin.printing.models import PrintRun
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.rosters import period_choices, period_of
from huimin.workbench.views.summaries import ForPeriod

TONES = {"making": "soon", "ready": "done", "failed": "late", "replaced": "plain"}


@require_safe
@page(frozenset(commands.READERS), reads=False)
def listing(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        runs = queries.list_runs(by.prefix)
        names = names_of({row.division for row in runs}, on)
        rows = [
            [
                Cell(names.get(row.division, row.division), reverse("print-run", args=[row.pk])),
                str(Period(row.period_from, row.period_until)), row.villages, row.asked_on,
                Cell(row.get_state_display(), sub=row.failure, tone=TONES[row.state]),
            ]
            for row in runs
        ]  # fmt: skip
        return Listing(
            "成批印制明白卡", "年中和年末各发一次：一个村一份 PDF，每户一张。在后台制作，可以离开这一页。", "households",
            [Head("地方"), Head("期间", paper=50), Head("村", "count", 20), Head("要求日期", "date", 26), Head("状态", paper=40)], rows,
            "还没有成批印制过。", of_people=False, nav=_nav(True),
            note="" if anybody_works() else "后台没有程序在工作，制作要等它启动（./huimin work）。",
            acts=[("制作明白卡", reverse("print-run-new"))] if may(by, commands.request_cards) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _nav(runs: bool) -> list[tuple[str, str, bool]]:
    return [("一个村", reverse("statements"), not runs), ("成批印制", reverse("print-runs"), runs)]


@require_safe
@page(frozenset(commands.READERS), reads=False)
def run(request: Any, number: int) -> HttpResponse:
    """One run: how far it is, the villages' files."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        found = PrintRun.objects.filter(pk=number).first()
        if found is None:
            raise Http404
        place = chosen_place(request)
        page_of = queries.page_files(number, place.prefix, "" if whole else request.GET.get("at", ""), 200)
        names = names_of(
            {row.division for row in page_of} | {row.division[:9] + "000" for row in page_of} | {found.division}, on
        )
        rows = [
            [
                names.get(row.division[:9] + "000", ""), Cell(names.get(row.division, row.division), reverse("print-file", args=[row.pk])),
                row.households, f"{row.size_bytes / 1024 / 1024:,.1f} MB",
            ]
            for row in page_of
        ]  # fmt: skip
        job = queries.job_of(number)
        told = found.get_state_display()
        if job is not None and job.active:
            left = job.seconds_left(timezone.now())
            told = (
                f"{job.stage or '等待开始'}，{job.done:,} / {found.villages:,} 个村"
                + (f"，约剩 {left} 秒" if left else "")
                + "。刷新这一页看进度"
            )
        title = f"{names.get(found.division, found.division)} {Period(found.period_from, found.period_until)} 明白卡"
        return Listing(
            title, f"{told}。点村名下载；下载会记下您的岗位和时间。", "households",
            [Head("乡镇", paper=50), Head("村（下载）"), Head("户数", "count", 24), Head("大小", paper=30)], rows,
            "还没有制成的村。", page=page_of, of_people=False, nav=_nav(True), note=found.failure,
            filters=[Filter("place", "地方", place.options, place.code)] if place.options else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.ASKERS))
def new(request: Any) -> HttpResponse:
    """For one's own township, or for the county all of it or one township."""
    by, on = request.actor, request.business_date
    form = ForPeriod(request.POST or None, choices=period_choices(on))
    with reading(by):
        own = find_division(by.division, on)
    if own is None or own.level not in (Level.TOWNSHIP, Level.COUNTY):
        raise Http404

    def ask() -> Outcome:
        period = period_of(form.cleaned_data["period"], on)
        made = commands.request_cards(by=by, on=on, division=own.code, period=period)
        return Outcome("已开始制作", reverse("print-run", args=[made.pk]), "在后台继续，可以离开这一页。")

    context = {
        "section": "households", "title": f"制作{own.name}的明白卡", "button": "制作", "back": reverse("print-runs"),
        "lead": "一个村一份 PDF，每户一张。新的做好以后，同一期原来的文件不再保存。",
    }  # fmt: skip
    return answer_form(request, form, ask, "workbench/field_form.html", context)


@require_safe
@page(frozenset(commands.READERS), reads=False)
def file(request: Any, number: int) -> HttpResponse:
    row, content = commands.take_cards(by=request.actor, on=request.business_date, file_id=number)
    return pdf_answer(content, f"明白卡{row.division}")
