"""Agent banks: agreements, complaints, the county's method, yearly assessments with their figures (PAY-09)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.agentbanks import commands, queries
from huimin.agentbanks.figures import Figures
from huimin.agentbanks.models import Agreement, Assessment, Complaint, Method, Standing
from huimin.divisions.queries import names_of
from huimin.kernel.digests import short
from huimin.kernel.money import yuan
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.workbench import agent_bank_forms as forms
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.recheck_forms import Verdict
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

SECTION = "agent-banks"
TONES = {"proposed": "soon", "agreed": "done", "refused": "late"}
PARTS = {"timely": "及时入账", "success": "发放成功", "errors": "数据差错", "complaints": "群众投诉"}


def _nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [
        ("agent-banks", "代发协议"), ("bank-complaints", "投诉"), ("bank-assessments", "年度考评"), ("bank-methods", "考评办法"),
    ]  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


def _state(row: Any, by: Actor, kind: str, settle: Callable[..., Any]) -> Cell:
    if row.state == Standing.PROPOSED and may(by, settle) and row.proposed_by != by.appointment:
        return Cell("待复核，去复核", reverse("agent-bank-settle", args=[kind, row.pk]), tone="soon")
    return Cell(row.get_state_display(), sub=row.refusal, tone=TONES[row.state])


@require_safe
@page(guard.PAYERS, reads=False)
def agreements(request: Any) -> HttpResponse:
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        rows = []
        for row in queries.list_agreements(by.division):
            last = row.valid_to - timedelta(days=1)
            state = _state(row, by, "agreement", commands.settle_agreement)
            if row.state == Standing.AGREED and not row.valid_from <= on < row.valid_to:
                state = Cell("已到期" if on >= row.valid_to else "未生效", sub=row.end_reason, tone="plain")
            elif row.state == Standing.AGREED and may(by, commands.end_agreement):
                state = Cell("有效", reverse("agreement-end", args=[row.pk]), sub="提前终止", tone="done")
            rows.append([
                Cell(row.bank_office.name, sub=row.services), row.number, row.get_selection_display(), row.signed_on, row.valid_from, last,
                row.credit_days, state,
            ])  # fmt: skip
        lacking = queries.without_agreement(by.division, on)
        return Listing(
            "代理银行代发协议", "县财政与代理银行签订的代发协议：谁、多久、几天入账、约定了什么服务。", SECTION,
            [Head("代理银行"), Head("协议编号", paper=34), Head("选择方式", paper=30), Head("签订", "date", 24), Head("生效", "date", 24),
             Head("到期", "date", 24), Head("入账（工作日）", "count", 22), Head("状态", paper=22)],
            rows, "还没有登记协议。由县财政经办照签订的协议登记，县惠民办经办复核。", nav=_nav("agent-banks"), across=True, of_people=False,
            note=f"没有有效协议的代理银行：{'、'.join(lacking)}。" if lacking else "",
            acts=[("登记协议", reverse("agreement-new"))] if may(by, commands.propose_agreement) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.PAYERS | {*commands.RECORDERS}, reads=False)
def complaints(request: Any) -> HttpResponse:
    by = request.actor

    def build(whole: bool) -> Listing:
        place, banks = chosen_place(request), queries.list_banks()
        state = one_of(request.GET, "state", Complaint.State.values)
        bank = one_of(request.GET, "bank", {str(pk): "" for pk, _ in banks})
        page_of = queries.page_complaints(
            place.prefix, int(bank or 0), state, "" if whole else request.GET.get("at", ""), 200 if whole else 50
        )
        names = names_of({row.division for row in page_of}, request.business_date)
        rows = []
        for row in page_of:
            told = Cell(
                row.get_state_display(), sub=row.answer, tone={"open": "soon", "upheld": "late"}.get(row.state, "plain")
            )
            if row.state == "open" and may(by, commands.answer_complaint) and row.recorded_by != by.appointment:
                told = Cell("待核查，去核查", reverse("bank-complaint-answer", args=[row.pk]), tone="soon")
            rows.append([
                row.happened_on, row.bank_office.name, names.get(row.division, row.division), Cell(row.get_kind_display(), sub=row.words), told,
            ])  # fmt: skip
        filters = [Filter("bank", "代理银行", [(str(pk), name) for pk, name in banks], bank)]
        filters += [Filter("state", "状态", Complaint.State.choices, state)]
        filters += [Filter("place", "地方", place.options, place.code)] if place.options else []
        return Listing(
            "对代理银行的投诉", "压款、扣款、强行揽储、拒办等。登记后由县财政核查，属实的计入年度考评。", SECTION,
            [Head("日期", "date", 26), Head("代理银行", paper=50), Head("哪里登记", paper=34), Head("事由和情况"), Head("核查", paper=60)],
            rows, _no_complaints(bool(state or bank or place.code)), nav=_nav("bank-complaints"), across=True, page=page_of, filters=filters,
            acts=[("登记投诉", reverse("bank-complaint-new"))] if may(by, commands.record_complaint) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _no_complaints(narrowed: bool) -> str:
    if narrowed:
        return "没有符合这些条件的投诉，可以换条件再看。"
    return "还没有登记投诉。群众反映代理银行压款、扣款、拒办的，在这里登记，由县财政核查。"


@require_safe
@page(guard.PAYERS, reads=False)
def methods(request: Any) -> HttpResponse:
    by = request.actor

    def build(whole: bool) -> Listing:
        rows = [
            [
                row.valid_from, row.timely_points, row.success_points, f"{row.error_points}，每件扣 {row.error_cost}",
                f"{row.complaint_points}，每件扣 {row.complaint_cost}", f"优秀 {row.good_from}，合格 {row.pass_from}", row.basis,
                _state(row, by, "method", commands.settle_method),
            ]
            for row in queries.list_methods(by.division)
        ]  # fmt: skip
        return Listing(
            "代理银行考评办法", "四项分值和扣分照县里的考评办法登记；没有办法，就没有考评。", SECTION,
            [Head("施行日期", "date", 26), Head("及时", "count", 16), Head("成功", "count", 16), Head("差错", paper=34), Head("投诉", paper=34),
             Head("等次", paper=40), Head("依据"), Head("状态", paper=26)],
            rows, "还没有登记考评办法。", nav=_nav("bank-methods"), across=True, of_people=False,
            acts=[("登记考评办法", reverse("bank-method-new"))] if may(by, commands.propose_method) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.PAYERS, reads=False)
def assessments(request: Any) -> HttpResponse:
    by = request.actor

    def build(whole: bool) -> Listing:
        rows = []
        for row in queries.list_assessments(by.division):
            figures = Figures(**row.figures)
            rows.append([
                row.year, Cell(row.bank_office.name, reverse("bank-assessment", args=[row.pk])), figures.batches,
                f"{figures.on_time} / {figures.due}", f"{figures.paid:,} / {figures.paid + figures.returned:,}", figures.errors,
                figures.upheld, f"{row.total / 100:.2f}", Cell(row.get_grade_display(), tone={"good": "done", "fail": "late"}.get(row.grade, "plain")),
                _state(row, by, "assessment", commands.settle_assessment),
            ])  # fmt: skip
        return Listing(
            "代理银行年度考评", "数字从批次、回盘和投诉里算出，不用填。", SECTION,
            [Head("年度", "text", 16), Head("代理银行"), Head("批次", "count", 16), Head("按时批次", paper=26), Head("成功笔数", paper=36), Head("差错", "count", 16),
             Head("属实投诉", "count", 20), Head("得分", paper=18), Head("等次", paper=18), Head("状态", paper=24)],
            rows, "还没有考评。一年过完以后，由县财政经办考评，县惠民办经办审定。", nav=_nav("bank-assessments"), across=True, of_people=False, totals=False,
            acts=[("考评一家银行", reverse("bank-assess"))] if may(by, commands.assess_bank) else [],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.PAYERS, reads=False)
def assessment(request: Any, number: int) -> HttpResponse:
    """One assessment: what was measured, the points of each part, the grade; on paper for signature."""
    by = request.actor

    def build(whole: bool) -> Listing:
        row = Assessment.objects.filter(pk=number).select_related("bank_office", "method").first()
        if row is None:
            raise Http404
        f, method = Figures(**row.figures), row.method
        told = {
            "timely": (f"到期 {f.due} 批，按时 {f.on_time}，迟 {f.late}，到期未回 {f.overdue}；最慢 {f.worst_days} 天", method.timely_points),
            "success": (f"{f.lines:,} 笔，入账 {f.paid:,}（{yuan(f.paid_fen)} 元），退回 {f.returned:,}，未有结果 {f.open:,}", method.success_points),
            "errors": (f"{f.errors:,} 件，每件扣 {method.error_cost} 分", method.error_points),
            "complaints": (f"{f.complaints:,} 件，属实 {f.upheld:,}，每件扣 {method.complaint_cost} 分", method.complaint_points),
        }  # fmt: skip
        rows = [[PARTS[key], *told[key], f"{row.points[key] / 100:.2f}"] for key in PARTS]
        rows.append(["合计", "", 100, f"{row.total / 100:.2f}"])
        people = names_of_appointments({row.proposed_by, row.settled_by})
        by_whom = f"{people.get(row.proposed_by, '')} {row.proposed_on} 考评"
        if row.settled_by:
            by_whom += (
                f"；{people.get(row.settled_by, '')} {row.settled_on} {'审定' if row.state == 'agreed' else '退回'}"
            )
        waiting = (
            row.state == Standing.PROPOSED and may(by, commands.settle_assessment) and row.proposed_by != by.appointment
        )
        return Listing(
            f"{row.bank_office.name} {row.year} 年代发业务考评", f"{row.total / 100:.2f} 分，{row.get_grade_display()}（{row.get_state_display()}）。评语：{row.words}", SECTION,
            [Head("项目", paper=30), Head("情况"), Head("分值", "text", 20), Head("得分", paper=24)], rows, "没有数据。",
            nav=_nav("bank-assessments"), of_people=False, totals=False, to_sign=True, note=f"{by_whom}。依据：{method.basis}。",
            notes=[f"评语：{row.words}", f"等次：{row.get_grade_display()}。依据：{method.basis}。摘要：{short(row.digest)}", f"{by_whom}。"],
            seats=("考评人", "审定人", "代理银行"), seal="县财政局",
            acts=[("审定", reverse("agent-bank-settle", args=["assessment", number]))] if waiting else [],
        )  # fmt: skip

    return answer_listing(request, build)


@dataclass(frozen=True)
class _Kind:
    """What is settled by a second person."""

    model: Any
    act: Callable[..., Any]
    title: str
    back: str
    told: Callable[[Any], str]


SETTLED = {
    "agreement": _Kind(
        Agreement, commands.settle_agreement, "复核代发协议", "agent-banks",
        lambda row: f"{row.bank_office.name}，{row.number}，{row.valid_from} 至 {row.valid_to - timedelta(days=1)}，{row.credit_days} 个工作日内入账。{row.services}",
    ),
    "method": _Kind(
        Method, commands.settle_method, "复核考评办法", "bank-methods",
        lambda row: f"及时 {row.timely_points}，成功 {row.success_points}，差错 {row.error_points}，投诉 {row.complaint_points}；优秀 {row.good_from}，合格 {row.pass_from}。依据：{row.basis}。",
    ),
    "assessment": _Kind(
        Assessment, commands.settle_assessment, "审定年度考评", "bank-assessments",
        lambda row: f"{row.bank_office.name} {row.year} 年，{row.total / 100:.2f} 分，{row.get_grade_display()}。评语：{row.words}",
    ),
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.SETTLERS))
def settle(request: Any, kind: str, number: int) -> HttpResponse:
    chosen = SETTLED.get(kind)
    if chosen is None:
        raise Http404
    with reading(request.actor):
        row = chosen.model.objects.filter(pk=number).first()
        if row is None:
            raise Http404
        lead = chosen.told(row)
    form = Verdict(request.POST or None)
    form.fields["outcome"].choices = [("yes", "同意"), ("no", "不同意")]  # type: ignore[attr-defined]

    def run() -> Outcome:
        told = form.cleaned_data
        chosen.act(
            by=request.actor, on=request.business_date, number=number, agreed=told["outcome"] == "yes", refusal=told["refusal"],
        )  # fmt: skip
        return Outcome("已复核", reverse(chosen.back))

    return _form(request, form, run, chosen.title, "提交", chosen.back, lead)


def _form(
    request: Any, form: DeskForm, run: Callable[[], Outcome], title: str, button: str, back: str, lead: str = ""
) -> HttpResponse:
    context = {"section": SECTION, "title": title, "button": button, "back": reverse(back), "lead": lead}
    return answer_form(request, form, run, "workbench/field_form.html", context)


def _banks(request: Any) -> list[tuple[int, str]]:
    with reading(request.actor):
        return queries.list_banks()


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.PROPOSERS))
def new_agreement(request: Any) -> HttpResponse:
    form = forms.AgreementForm(request.POST or None, banks=_banks(request))

    def run() -> Outcome:
        commands.propose_agreement(by=request.actor, on=request.business_date, **form.told())
        return Outcome("已登记", reverse("agent-banks"), "由县惠民办经办复核后有效。")

    return _form(request, form, run, "登记代发协议", "登记", "agent-banks")


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.PROPOSERS))
def end(request: Any, number: int) -> HttpResponse:
    with reading(request.actor):
        row = Agreement.objects.filter(pk=number, state=Standing.AGREED).select_related("bank_office").first()
    if row is None:
        raise Http404
    form = forms.End(request.POST or None)

    def run() -> Outcome:
        commands.end_agreement(by=request.actor, on=request.business_date, number=number, **form.cleaned_data)
        return Outcome("已终止", reverse("agent-banks"))

    lead = f"{row.bank_office.name}，{row.number}，到 {row.valid_to - timedelta(days=1)} 止。"
    return _form(request, form, run, "提前终止协议", "终止", "agent-banks", lead)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.RECORDERS))
def new_complaint(request: Any) -> HttpResponse:
    form = forms.ComplaintForm(request.POST or None, banks=_banks(request))

    def run() -> Outcome:
        commands.record_complaint(by=request.actor, on=request.business_date, **form.told())
        return Outcome("已登记", reverse("bank-complaints"), "由县财政核查。")

    return _form(request, form, run, "登记对银行的投诉", "登记", "bank-complaints")


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.PROPOSERS))
def answer_complaint(request: Any, number: int) -> HttpResponse:
    with reading(request.actor):
        row = Complaint.objects.filter(pk=number).select_related("bank_office").first()
    if row is None:
        raise Http404
    form = forms.Answer(request.POST or None)

    def run() -> Outcome:
        told = form.cleaned_data
        commands.answer_complaint(
            by=request.actor, on=request.business_date, number=number, upheld=told["outcome"] == "yes", answer=told["answer"],
        )  # fmt: skip
        return Outcome("已核查", reverse("bank-complaints"))

    lead = f"{row.bank_office.name}，{row.happened_on}，{row.get_kind_display()}：{row.words}"
    return _form(request, form, run, "核查投诉", "提交", "bank-complaints", lead)


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.PROPOSERS))
def new_method(request: Any) -> HttpResponse:
    form = forms.MethodForm(request.POST or None)

    def run() -> Outcome:
        commands.propose_method(by=request.actor, on=request.business_date, **form.cleaned_data)
        return Outcome("已登记", reverse("bank-methods"), "由县惠民办经办复核后施行。")

    return _form(request, form, run, "登记考评办法", "登记", "bank-methods")


@require_http_methods(["GET", "POST"])
@page(frozenset(commands.PROPOSERS))
def assess(request: Any) -> HttpResponse:
    initial = {"year": request.business_date.year - 1}
    form = forms.Assess(request.POST or None, banks=_banks(request), initial=initial)

    def run() -> Outcome:
        made = commands.assess_bank(by=request.actor, on=request.business_date, **form.told())
        what = f"{made.total / 100:.2f} 分，{made.get_grade_display()}"
        return Outcome(what, reverse("bank-assessment", args=[made.pk]), "由县惠民办经办审定。")

    return _form(
        request, form, run, "考评一家银行", "考评", "bank-assessments", "全年的批次、回盘、差错和投诉由系统计算。"
    )
