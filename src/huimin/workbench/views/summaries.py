"""Summary rosters (汇总清册): one line a household with every programme; compiled by township finance, signed by the head (PAY-01)."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.digests import short
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import Period
from huimin.organisation.acting import may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.payment.commands import compile_summary, sign_summary
from huimin.payment.models import SummaryRoster
from huimin.payment.summary_queries import (
    SummaryFilter,
    page_summaries,
    page_summary,
    programmes_of,
    villages_of,
    whole_summary,
)
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, signed_lines
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.rosters import period_choices, period_of

TONES = {"compiled": "soon", "signed": "done", "replaced": "plain"}
COLUMNS_MAX = 8
"""Programmes that get a column of their own; more are named in one."""


class ForPeriod(DeskForm):
    period = forms.ChoiceField(label="期间", error_messages={"required": "请选择期间"})

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = choices


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", SummaryRoster.State.values)
        page_of = page_summaries(place.prefix, state, "" if whole else request.GET.get("at", ""), 200 if whole else 50)
        names = names_of({row.division for row in page_of}, on)
        rows = [
            [
                Cell(names.get(row.division, row.division), reverse("summary", args=[row.pk])),
                str(Period(row.period_from, row.period_until)), row.number, len(row.rosters), row.households, row.amount_fen,
                Cell(row.get_state_display(), tone=TONES[row.state]), row.compiled_on,
            ]
            for row in page_of
        ]  # fmt: skip
        filters = [Filter("state", "状态", SummaryRoster.State.choices, state)]
        filters += [Filter("place", "地方", place.options, place.code)] if place.options else []
        heads = (
            Head("乡镇"), Head("期间", paper=40), Head("第几份", "count", 16), Head("单项清册", "count", 20), Head("户数", "count", 20),
            Head("金额（元）", "fen", 30), Head("状态", paper=22), Head("编制日期", "date", 26),
        )  # fmt: skip
        acts = [("编制汇总清册", reverse("summary-new"))] if may(by, compile_summary) else []
        return Listing(
            "汇总清册", "一户一行，列出这一期全部项目；由财务结算员按签批后的单项清册汇总，乡镇负责人签字。", "summaries", heads, rows,
            "还没有汇总清册。单项清册签批后，由乡镇财务结算员汇总。", page=page_of, filters=filters, acts=acts, across=True,
            of_people=False, unit="单位：元",
        )  # fmt: skip

    return answer_listing(request, build)


def _summary(number: int) -> SummaryRoster:
    found = SummaryRoster.objects.filter(pk=number).select_related("signature").first()
    if found is None:
        raise Http404
    return found


@require_safe
@page(guard.PAYERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """The households of one summary, by village; the workbook, and the paper to sign."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        summary = _summary(number)
        period = Period(summary.period_from, summary.period_until)
        names = programme_names()
        villages = villages_of(number)
        village = one_of(request.GET, "village", {code: "" for code, _, _ in villages})
        wanted = SummaryFilter(number, village)
        page_of = None if whole else page_summary(wanted, request.GET.get("at", ""))
        lines = whole_summary(wanted) if whole else page_of.rows
        places = names_of({line.division for line in lines} | {code for code, _, _ in villages}, on)
        place = "".join(chain_names(summary.division, on)[2:])
        columns = summary.programmes if len(summary.programmes) <= COLUMNS_MAX else []
        heads = [
            Head("行号", "count", 14),
            Head("村（组）", paper=44),
            Head("户编码", paper=44),
            Head("户主", paper=24),
        ]
        heads += [Head(f"{names.get(code, code)}（元）", "fen", 24) for code in columns] or [Head("项目")]
        rows = [
            [
                line.line_no, places.get(line.division, line.division),
                Cell(line.household.household_no, reverse("household", args=[line.household_id])), line.name,
                *(line.amounts if columns else [_told(summary, line.amounts, names)]), line.amount_fen,
            ]
            for line in lines
        ]  # fmt: skip
        options = [(code, f"{places.get(code, code)}（{count:,} 户）") for code, count, _ in villages]
        people = names_of_appointments({summary.compiled_by, summary.signed_by})
        signing = may(by, sign_summary) and summary.state == "compiled" and summary.compiled_by != by.appointment
        standing = f"第 {summary.number} 份，{summary.get_state_display()}"
        return Listing(
            f"{place}惠民资金汇总清册", f"{period}，{standing}。合计 {yuan(summary.amount_fen)} 元（{in_words(summary.amount_fen)}）。",
            "summaries", [*heads, Head("合计（元）", "fen", 28)], rows, "这个村没有发放的户。",
            page=page_of, filters=[Filter("village", "村", options, village)],
            figures=[("户数", f"{summary.households:,}", ""), ("金额（元）", yuan(summary.amount_fen), ""),
                     ("单项清册", f"{len(summary.rosters)} 份", "")],
            acts=[("签字", reverse("summary-sign", args=[number]))] if signing else [],
            across=True, to_sign=True, unit="单位：元", seats=("统计员", "审核员", "财务结算员", "乡镇负责人"),
            lines=(f"所属期：{period}　　{standing}　　清册摘要：{short(summary.digest)}",),
            notes=(f"共 {len(rows):,} 户。全份合计 {yuan(summary.amount_fen)} 元（{in_words(summary.amount_fen)}）。",
                   *(f"{each}。" for each in signed_lines(summary.signature))),
            more={
                "summary": summary, "compiler": people.get(summary.compiled_by, ""),
                "signer": people.get(summary.signed_by or 0, ""), "trail": chain_names(summary.division, on),
                "programmes": [(names.get(code, code), count, fen) for code, count, fen in programmes_of(summary)],
            },
        )  # fmt: skip

    return answer_listing(request, build, "workbench/summary.html")


def _told(summary: SummaryRoster, amounts: list[int], names: dict[str, str]) -> str:
    parts = zip(summary.programmes, amounts, strict=True)
    return "；".join(f"{names.get(code, code)} {yuan(fen)}" for code, fen in parts if fen)


@require_http_methods(["GET", "POST"])
@page(frozenset(compile_summary.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    on = request.business_date
    form = ForPeriod(request.POST or None, choices=period_choices(on), initial={"period": period_choices(on)[1][0]})

    def run() -> Outcome:
        period = period_of(form.cleaned_data["period"], on)
        made = compile_summary(by=request.actor, on=on, division=request.actor.division, period=period)
        what = f"汇总清册：{made.households:,} 户，合计 ¥{yuan(made.amount_fen)}"
        return Outcome(what, reverse("summary", args=[made.pk]), "请核对后由乡镇负责人签字。")

    context = {
        "section": "summaries", "title": "编制汇总清册", "button": "编制", "back": reverse("summaries"),
        "lead": "汇总这一期已经签批的单项清册，一户一行。以后又签批了清册，再编一次，新的替换旧的。",
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(sign_summary.posts))  # type: ignore[attr-defined]
def sign(request: Any, number: int) -> HttpResponse:
    with reading(request.actor):
        summary = _summary(number)

    def run() -> Outcome:
        sign_summary(by=request.actor, on=request.business_date, summary_id=number)
        return Outcome("已签字", reverse("summary", args=[number]), "可以据此申请拨款。")

    lead = f"{Period(summary.period_from, summary.period_until)}，{summary.households:,} 户，{yuan(summary.amount_fen)} 元（{in_words(summary.amount_fen)}）。签名落在清册摘要 {short(summary.digest)} 上。"
    context = {
        "section": "summaries", "title": "签字这份汇总清册？", "button": "签字", "lead": lead,
        "back": reverse("summary", args=[number]),
    }  # fmt: skip
    return answer_form(request, None, run, "workbench/field_form.html", context)
