"""明白卡, or 告知书 to bring, of a whole township or county, made in the background: runs, the files of their villages (PAY-07, CASE-11)."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.database.paging import Page
from huimin.divisions.queries import find_division, names_of
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works, list_active
from huimin.kernel.periods import Period
from huimin.kernel.places import Level
from huimin.organisation.acting import may, reading
from huimin.printing import commands, queries
from huimin.printing.models import PrintRun
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.job_side import answer_with_jobs
from huimin.workbench.listing import chosen_place, programmes_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, pdf_answer
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.rosters import period_choices, period_of, period_text
from huimin.workbench.views.summaries import ForPeriod

_OFFERS = "点村名下载；下载会记下您的岗位和时间。"
TONES = {"making": "soon", "ready": "done", "failed": "late", "replaced": "plain"}


@dataclass(frozen=True)
class Of:
    """What the pages of one kind of papers say, and where they lead."""

    kind: str
    section: str
    name: str
    lead: str
    count: str
    one: tuple[str, str]
    routes: tuple[str, str, str, str, str]
    """List, run, form, file, calling off."""
    ask: Any

    def nav(self) -> list[tuple[str, str, bool]]:
        label, route = self.one
        return [(label, reverse(route), False), ("成批印制", reverse(self.routes[0]), True)]


CARDS = Of(
    PrintRun.Kind.CARDS, "households", "明白卡", "年中和年末各发一次：一个村一份 PDF，每户一张。", "户数", ("一个村", "statements"),
    ("print-runs", "print-run", "print-run-new", "print-file", "print-run-cancel"), commands.request_cards,
)  # fmt: skip
LETTERS = Of(
    PrintRun.Kind.LETTERS, "tellings", "告知书", "所选期间制作、还没有送达的告知书，一个村一份 PDF，每份带送达回证。", "份数",
    ("告知书", "told-letters"), ("letter-runs", "letter-run", "letter-run-new", "letter-run-file", "letter-run-cancel"), commands.request_letter_papers,
)  # fmt: skip


def _listing(request: Any, of: Of) -> HttpResponse:
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        seen = programmes_seen(by) if of is LETTERS else None
        runs = queries.list_runs(by.prefix, of.kind, seen)
        names = names_of({row.division for row in runs}, on)
        rows = [
            [
                Cell(names.get(row.division, row.division), reverse(of.routes[1], args=[row.pk])),
                str(Period(row.period_from, row.period_until)), row.villages, row.asked_on,
                Cell(row.get_state_display(), sub=row.failure, tone=TONES[row.state]),
            ]
            for row in runs
        ]  # fmt: skip
        return Listing(
            f"成批印制{of.name}", f"{of.lead}在后台制作，可以离开这一页。", of.section,
            [Head("地方"), Head("期间", paper=50), Head("村", "count", 20), Head("要求日期", "date", 26), Head("状态", paper=40)], rows,
            "还没有成批印制过。", of_people=False, nav=of.nav(),
            note="" if anybody_works() else "后台没有程序在工作，制作要等它启动（./huimin work）。",
            acts=[(f"制作{of.name}", reverse(of.routes[2]))] if may(by, of.ask) else [],
        )  # fmt: skip

    def find() -> list[Job]:
        making = {
            row.pk for row in queries.list_runs(by.prefix, of.kind, programmes_seen(by) if of is LETTERS else None)
        }
        return [job for job in list_active(commands.JOBS[of.kind]) if job.arguments["run"] in making]

    return answer_with_jobs(request, build, find, "个村")


def _run(request: Any, of: Of, number: int) -> HttpResponse:
    on = request.business_date

    def build(whole: bool) -> Listing:
        found = PrintRun.objects.filter(pk=number, kind=of.kind).first()
        if found is None or not commands.seen_by(request.actor, found):
            raise Http404
        place = chosen_place(request)
        ended = found.state == PrintRun.State.FAILED
        at = "" if whole else request.GET.get("at", "")
        page_of = Page([]) if ended else queries.page_files(number, place.prefix, at, 200)
        names = names_of(
            {row.division for row in page_of} | {row.division[:9] + "000" for row in page_of} | {found.division}, on
        )
        rows = [
            [
                names.get(row.division[:9] + "000", ""), Cell(names.get(row.division, row.division), reverse(of.routes[3], args=[row.pk])),
                row.households, f"{row.size_bytes / 1024 / 1024:,.1f} MB",
            ]
            for row in page_of
        ]  # fmt: skip
        title = f"{names.get(found.division, found.division)} {Period(found.period_from, found.period_until)} {of.name}"
        job = queries.job_of(found.pk)
        may_cancel = job is not None and job.active and commands.may_cancel(request.actor, found)
        more = {
            "cancel": reverse(of.routes[4], args=[number]) if may_cancel else "", "stopping": job and job.stop_requested,
        }  # fmt: skip
        return Listing(
            title, f"{found.get_state_display()}，{found.villages:,} 个村。{_OFFERS if not ended else ''}", of.section,
            [Head("乡镇", paper=50), Head("村（下载）"), Head(of.count, "count", 24), Head("大小", paper=30)], rows,
            "没有制成，没有文件。要用，再制作一次。" if ended else "还没有制成的村。", page=page_of, more=more, of_people=False, nav=of.nav(), note=found.failure,
            filters=[Filter("place", "地方", place.options, place.code)] if place.options else [],
        )  # fmt: skip

    def find() -> list[Job]:
        found = PrintRun.objects.filter(pk=number, kind=of.kind).first()
        if found is None or not commands.seen_by(request.actor, found):
            raise Http404
        job = queries.job_of(number)
        return [job] if job is not None and job.active else []

    return answer_with_jobs(request, build, find, "个村")


def _cancel(request: Any, of: Of, number: int) -> HttpResponse:
    """Ask first, then call the run off."""
    by, back = request.actor, reverse(of.routes[1], args=[number])
    if request.method == "POST":

        def act() -> Outcome:
            ended = commands.cancel_run(by=by, on=request.business_date, run_id=number)
            return Outcome("已取消制作" if ended.state != PrintRun.State.MAKING else "正在停下", back)

        return once(request, act)
    with reading(by):
        found = PrintRun.objects.filter(pk=number, kind=of.kind).first()
        if found is None or not commands.may_cancel(by, found):
            raise Http404
        job = queries.job_of(number)
        place = names_of({found.division}, request.business_date).get(found.division, found.division)
    context = {
        "section": of.section, "back": back, "what": f"{place} {Period(found.period_from, found.period_until)} {of.name}",
        "active": job is not None and job.active and not job.stop_requested,
    }  # fmt: skip
    return render(request, "workbench/run_cancel.html", context)


def _new(request: Any, of: Of) -> HttpResponse:
    by, on = request.actor, request.business_date
    due = [period_text(each) for each in queries.half_years_about(on)]
    form = ForPeriod(request.POST or None, choices=period_choices(on), initial={"period": due[0]} if due else None)
    with reading(by):
        own = find_division(by.division, on)
    if own is None or own.level not in (Level.TOWNSHIP, Level.COUNTY):
        raise Http404

    def ask() -> Outcome:
        period = period_of(form.cleaned_data["period"], on)
        made = of.ask(by=by, on=on, division=own.code, period=period)
        return Outcome("已开始制作", reverse(of.routes[1], args=[made.pk]), "在后台继续，可以离开这一页。")

    context = {
        "section": of.section, "title": f"制作{own.name}的{of.name}", "button": "制作", "back": reverse(of.routes[0]),
        "lead": f"{of.lead}新的做好以后，同一期原来的文件不再保存。",
    }  # fmt: skip
    return answer_form(request, form, ask, "workbench/field_form.html", context)


@require_safe
@page(frozenset(commands.READERS), reads=False)
def listing(request: Any) -> HttpResponse:
    return _listing(request, CARDS)


@require_safe
@page(frozenset(commands.READERS), reads=False)
def run(request: Any, number: int) -> HttpResponse:
    """One run: how far it is, the villages' files."""
    return _run(request, CARDS, number)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.ASKERS))
def new(request: Any) -> HttpResponse:
    """For one's own township, or for the county."""
    return _new(request, CARDS)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.ASKERS))
def cancel(request: Any, number: int) -> HttpResponse:
    """Call off the making of cards."""
    return _cancel(request, CARDS, number)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.LETTER_ASKERS))
def letter_cancel(request: Any, number: int) -> HttpResponse:
    return _cancel(request, LETTERS, number)


@require_safe
@page(frozenset(commands.READERS), reads=False)
def file(request: Any, number: int) -> HttpResponse:
    row, content = commands.take_cards(by=request.actor, on=request.business_date, file_id=number)
    return pdf_answer(content, f"明白卡{row.division}")


@require_safe
@page(frozenset(commands.LETTER_READERS), reads=False)
def letter_listing(request: Any) -> HttpResponse:
    return _listing(request, LETTERS)


@require_safe
@page(frozenset(commands.LETTER_READERS), reads=False)
def letter_run(request: Any, number: int) -> HttpResponse:
    return _run(request, LETTERS, number)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.LETTER_ASKERS))
def letter_new(request: Any) -> HttpResponse:
    return _new(request, LETTERS)


@require_safe
@page(frozenset(commands.LETTER_READERS), reads=False)
def letter_file(request: Any, number: int) -> HttpResponse:
    row, content = commands.take_letter_papers(by=request.actor, on=request.business_date, file_id=number)
    return pdf_answer(content, f"告知书{row.division}")
