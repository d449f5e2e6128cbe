"""The assistance desks of townships: yearly figures, entered there and checked by the county (ORG-08)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.capacity import queries, staffing
from huimin.capacity.models import StaffingReport
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import may, reading
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.capacity_forms import Staffing, StaffingVerdict
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.training import nav

TONES = {"confirmed": "done", "reported": "soon", "returned": "late"}


@require_http_methods(["GET"])
@page(guard.CAPACITY_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Every township in a year; who falls short, or has not reported, in front."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        years = [(str(year), f"{year} 年") for year in range(on.year, on.year - 6, -1)]
        year = int(one_of(request.GET, "year", dict(years)) or on.year)
        asked = queries.asked_at(by.division)
        desks = queries.list_desks(by, year, on, asked)
        short = sum(bool(desk.short) for desk in desks)
        fills = may(by, staffing.report_staffing) and by.level == Level.TOWNSHIP
        return Listing(
            f"{year} 年乡镇经办力量", f"编制内不少于 {asked.staff_min} 人，工作经费不超过当年筹集资金的 {queries.percent(asked.cost_permille * 10)}；达不到的在前。",
            "training",
            [Head("乡镇", paper=26), Head("核定编制", "count", 18), Head("编内在岗", "count", 18), Head("编外在岗", "count", 18),
             Head("工作经费（元）", "fen", 32), Head("筹集资金（元）", "fen", 32), Head("占比", paper=16), Head("不足"), Head("填报", paper=24)],
            [_desk(desk) for desk in desks], "辖区内没有乡镇。", nav=nav(by, "staffing"), across=True,
            filters=[Filter("year", "年度", years, str(year), True)],
            figures=[("乡镇", f"{len(desks)}", ""), ("不足或未填报", f"{short}", "late" if short else "")],
            acts=[("填报", reverse("staffing-report"))] if fills else [], seats=["填表人", "审核人", "日期"],
        )  # fmt: skip

    return answer_listing(request, build)


def _desk(desk: queries.Desk) -> list[Any]:
    row = desk.report
    if row is None:
        return [desk.name, None, None, None, None, None, None, "没有填报", Cell("未填报", tone="late")]
    url = reverse("staffing-check", args=[row.pk])
    return [
        Cell(desk.name, url), row.posts, row.on_establishment, row.others, row.cost_fen, row.raised_fen,
        queries.percent(desk.cost_permille_tenths), "；".join(desk.short),
        Cell(row.get_state_display(), tone=TONES[row.state], sub=row.refusal),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(staffing.report_staffing.posts))  # type: ignore[attr-defined]
def report(request: Any) -> HttpResponse:
    """The township's figures of a year."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = StaffingReport.objects.filter(division=by.division).order_by("-year").first()
    form = Staffing(request.POST or None, initial={"year": on.year, **_told(row)})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        figures = staffing.Figures(
            told["posts"], told["on_establishment"], told["others"], told["cost"], told["raised"], told["note"]
        )

        def act() -> Outcome:
            staffing.report_staffing(by=by, on=on, year=told["year"], figures=figures)
            return Outcome(f"{told['year']} 年已填报", f"{reverse('staffing')}?year={told['year']}", "由县惠民办核对。")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {"section": "training", "form": form, "nav": nav(by, "staffing"), "row": row}
    return render(request, "workbench/staffing_report.html", context, status=422 if form.errors else 200)


def _told(row: StaffingReport | None) -> dict[str, Any]:
    """Last figures of people, to correct; money is told anew."""
    return {"posts": row.posts, "on_establishment": row.on_establishment, "others": row.others} if row else {}


@require_http_methods(["GET", "POST"])
@page(guard.CAPACITY_READERS)
def check(request: Any, number: int) -> HttpResponse:
    """One report; the county's office confirms it or gives it back."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = StaffingReport.objects.get(pk=number)
        trail = chain_names(row.division, on)
        short = queries.shortfalls(row, queries.asked_at(by.division))
    form = StaffingVerdict(request.POST or None)
    if request.method == "POST" and form.is_valid():
        agreed = form.cleaned_data["outcome"] == "agree"

        def act() -> Outcome:
            refusal = form.cleaned_data["refusal"]
            staffing.check_staffing(by=by, on=on, report=number, agreed=agreed, refusal=refusal)
            return Outcome("已核对" if agreed else "已退回更正", f"{reverse('staffing')}?year={row.year}")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {
        "section": "training", "row": row, "trail": trail, "form": form, "nav": nav(by, "staffing"), "short": short,
        "may_check": may(by, staffing.check_staffing) and row.state == "reported", "tone": TONES[row.state],
    }  # fmt: skip
    return render(request, "workbench/staffing_check.html", context, status=422 if form.errors else 200)
