"""The working calendar: count a time limit, and the years a county entered (CASE-05)."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.calendars import commands as room
from huimin.calendars.models import HolidayYear
from huimin.calendars.queries import calendar_of, list_years
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import may, reading
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import DeskForm, text
from huimin.workbench.guard import page
from huimin.workbench.listing import day_of
from huimin.workbench.views.reliefs import _answer as answer

COUNT_MAX = 400


class YearForm(DeskForm):
    year = forms.IntegerField(
        label="年份", min_value=2000, max_value=2099, widget=forms.TextInput({"inputmode": "numeric"}),
        error_messages={
            "required": "请填写年份", "invalid": "年份写成 2027", "min_value": "年份写成 2027", "max_value": "年份写成 2027",
        },
    )  # fmt: skip
    off = text(
        "放假的日期",
        "请填写放假的日期",
        hint="如 2027-01-01，一段写成 2027-02-05..2027-02-11，用空格或换行隔开",
        rows=5,
        max_length=2000,
    )
    made_up = text("调休上班的周末", "", hint="没有就不填", rows=2, max_length=600)
    basis = text("依据", "请填写依据", hint="国务院办公厅通知的文号", max_length=120)


class Outcomes(DeskForm):
    refusal = text("退回的原因", "", hint="退回时填写", max_length=200)


@require_http_methods(["GET", "POST"])
@page(guard.STAFF | guard.POLICY_READERS)
def calendar(request: Any) -> HttpResponse:
    """A limit counted; the years entered here; a new one."""
    by = request.actor
    with reading(by):
        years = list_years()
        counted = _counted(request)
    form = YearForm(request.POST or None)

    def act() -> Outcome:
        told = form.cleaned_data
        off = room.read_days(told["off"], told["year"], "放假的日期")
        made_up = room.read_days(told["made_up"], told["year"], "调休上班的周末")
        row = room.enter_year(
            by=by, on=request.business_date, year=told["year"], off=off, made_up=made_up, basis=told["basis"]
        )
        return Outcome(f"已录入 {row.year} 年放假安排", reverse("calendar"), "由另一人复核后生效。")

    context = {
        "section": "calendar", "years": years, "counted": counted, "may_enter": may(by, room.enter_year),
        "may_confirm": may(by, room.confirm_year), "asked": request.GET,
    }  # fmt: skip
    return answer(request, form, act, "workbench/calendar.html", context)


def _counted(request: Any) -> dict[str, Any] | None:
    """What the little reckoner says: the last day of a limit, in working days and in days; or why it cannot be told."""
    start, days = day_of(request.GET.get("from", "")), request.GET.get("days", "")
    if "from" not in request.GET and "days" not in request.GET:
        return None
    if start is None or not (days.isascii() and days.isdigit() and int(days) <= COUNT_MAX):
        return {"fault": f"请按 2026-02-10 填写日期，天数在 0 到 {COUNT_MAX} 之间"}
    try:
        last = calendar_of(request.actor.division).add(start, int(days))
    except Refusal as refusal:
        return {"fault": str(refusal)}
    return {"start": start, "days": int(days), "last": last, "plain": start + timedelta(days=int(days))}


@require_http_methods(["GET", "POST"])
@page(frozenset(room.confirm_year.posts))  # type: ignore[attr-defined]
def confirm(request: Any, number: int) -> HttpResponse:
    """The second person compares the year with the notice."""
    with reading(request.actor):
        row = HolidayYear.objects.get(pk=number)
    form = Outcomes(request.POST or None)

    def act() -> Outcome:
        agreed = request.POST.get("outcome") != "refuse"
        room.confirm_year(
            by=request.actor, on=request.business_date, number=number, agreed=agreed,
            refusal=form.cleaned_data["refusal"],
        )  # fmt: skip
        return Outcome(f"{row.year} 年放假安排" + ("已生效" if agreed else "已退回"), reverse("calendar"))

    return answer(request, form, act, "workbench/calendar_confirm.html", {"section": "calendar", "row": row})
