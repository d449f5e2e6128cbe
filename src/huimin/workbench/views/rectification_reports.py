"""Cases that were dealt with, and what is sent up, at the county's desk (CASE-10, SUP-07)."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan as money
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.registers import Register, register_pdf
from huimin.rectification import queries, reporting
from huimin.rectification.models import Campaign, Item, Submission, TypicalCase
from huimin.rectification.summing import PARTS
from huimin.workbench import guard
from huimin.workbench import rectification_forms as forms
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of, place_options
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.rectifications import campaign_of, nav, reads_file
from huimin.workbench.views.reliefs import _answer as answer_form

KINDS = TypicalCase.Kind.choices
FORM = "workbench/rectification_form.html"


def _file_of(by: Actor, number: int) -> Campaign:
    """The campaign, for who may read of its cases."""
    campaign = campaign_of(by, number)
    if not reads_file(by):
        raise Http404
    return campaign


@require_safe
@page(guard.RECTIFICATION_FILE, reads=False)
def cases(request: Any, number: int) -> HttpResponse:
    """查处的典型案例, the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign = _file_of(by, number)
        kind = one_of(request.GET, "kind", dict(KINDS))
        rows = [row for row in queries.list_cases(campaign) if not kind or row.kind == kind]
        names = names_of({row.place for row in rows}, on)
        return Listing(
            f"{campaign.title}：查处的典型案例", "记载涉及的经办人员和村干部，只由县里的主管部门、惠民办和监督部门查阅；每月报送日前报上级。", "rectifications",
            [Head("问题类型", paper=26), Head("地方", paper=30), Head("发现", "date", 22), Head("涉及人员", paper=24), Head("单位和职务", paper=34),
             Head("案情"), Head("涉及金额（元）", "fen", 24), Head("处理", paper=44), Head("移交纪检", paper=34)],
            [_case(row, names) for row in rows], "还没有登记案例。没有案例的月份也要报。", nav=nav(by, campaign, "rectification-cases"), across=True,
            filters=[Filter("kind", "问题类型", KINDS, kind)], seats=["填表人", "负责人"],
            acts=[("登记案例", reverse("rectification-case-new", args=[number]))] if may(by, reporting.enter_case) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _case(row: TypicalCase, names: dict[str, str]) -> list[Any]:
    moved = (
        Cell(f"{row.handed_to} {row.handed_no}".strip(), sub=str(row.handed_on))
        if row.to_discipline
        else Cell("没有移交")
    )
    handling = (
        Cell(row.handling, sub=f"{row.exposed_on} 通报" if row.exposed_on else "")
        if row.handling
        else Cell("还没有处理", tone="soon")
    )
    return [
        Cell(row.get_kind_display(), reverse("rectification-case", args=[row.pk])), names.get(row.place, row.place), row.found_on, row.involved,
        row.position, row.facts, row.amount_fen, handling, moved,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(reporting.enter_case.posts))  # type: ignore[attr-defined]
def new_case(request: Any, number: int) -> HttpResponse:
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = _file_of(by, number)
        names = names_of({campaign.division}, on)
        offered = [(code, label) for code, label in place_options(by, on, None) if code.startswith(campaign.prefix)]
    places = [
        (campaign.division, names.get(campaign.division, campaign.division)),
        *(p for p in offered if p[0] != campaign.division),
    ]
    initial = {"found_on": on.isoformat(), "item": request.GET.get("item", "")[:20]}
    form = forms.Case(request.POST or None, places=places, initial=initial)

    def run() -> Outcome:
        told = reporting.Told(**form.cleaned_data | {"item": _item_of(by, number, form.cleaned_data["item"].strip())})
        made = reporting.enter_case(by=by, on=on, campaign_id=number, told=told)
        return Outcome(
            "已登记案例",
            reverse("rectification-case", args=[made.pk]),
            "接着登记处理情况；涉嫌违纪违法的移交纪检监察机关。",
        )

    context = {
        "section": "rectifications", "title": "登记查处的案例", "button": "登记", "lead": f"{campaign.title}。不写证件号码、电话和住址。",
        "back": reverse("rectification-cases", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


def _item_of(by: Actor, campaign: int, number: str) -> int | None:
    """The item a case concerns, by its number on the list."""
    if not number:
        return None
    with reading(by):
        found = Item.objects.filter(campaign=campaign, number=number).values_list("pk", flat=True).first()
    if found is None:
        raise BadInput(f"名单上没有编号 {number[:20]}", where="涉及的户", remedy="请照名单抄编号，没有的不填")
    return found


@require_safe
@page(guard.RECTIFICATION_FILE)
def case(request: Any, number: int) -> HttpResponse:
    """One case with what was done about it."""
    by, on = request.actor, request.business_date
    row = TypicalCase.objects.select_related("campaign", "item__household").get(pk=number)
    campaign = _file_of(by, row.campaign_id)
    context = {
        "section": "rectifications", "case": row, "campaign": campaign, "nav": nav(by, campaign, "rectification-cases"),
        "place": names_of({row.place}, on).get(row.place, row.place), "may_keep": may(by, reporting.handle_case),
    }  # fmt: skip
    return render(request, "workbench/rectification_case.html", context)


CASE_ACTS = {
    "handle": ("登记处理情况", forms.Handle, reporting.handle_case, "已登记处理情况"),
    "discipline": ("移交纪检监察机关", forms.HandOver, reporting.hand_to_discipline, "已登记移交"),
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(reporting.handle_case.posts))  # type: ignore[attr-defined]
def case_act(request: Any, number: int, key: str) -> HttpResponse:
    """What was done about a case, or that it went to discipline inspection."""
    if key not in CASE_ACTS:
        raise Http404
    title, kind, command, done = CASE_ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        row = TypicalCase.objects.get(pk=number)
        _file_of(by, row.campaign_id)
    initial = {"handling": row.handling, "handed_on": on.isoformat()}
    form: Any = kind(request.POST or None, initial=initial)

    def run() -> Outcome:
        command(by=by, on=on, case=number, **form.cleaned_data)
        return Outcome(done, reverse("rectification-case", args=[number]))

    context = {
        "section": "rectifications", "title": title, "button": title, "lead": f"{row.get_kind_display()}，{row.involved}。",
        "back": reverse("rectification-case", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


@require_safe
@page(guard.RECTIFICATION_FILE, reads=False)
def reports(request: Any, number: int) -> HttpResponse:
    """What is to be sent up, by its day; what was, with its digest and receipt."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign = _file_of(by, number)
        return Listing(
            f"{campaign.title}：报送", f"报给{campaign.sent_to}。典型案例每月 {campaign.report_day} 日前报，没有的也报；报出的内容当时冻结，签收后手工登记。", "rectifications",
            [Head("材料"), Head("期限", "date", 24), Head("报送", "date", 24), Head("内容摘要", paper=40), Head("签收", paper=50), Head("状态", paper=24)],
            [_due(campaign, row, on, by) for row in reporting.list_due(campaign, on)], "还没有到报送的时候。", nav=nav(by, campaign, "rectification-reports"),
            seats=["填表人", "负责人"],
        )  # fmt: skip

    return answer_listing(request, build)


def _due(campaign: Campaign, row: reporting.Due, on: Any, by: Actor) -> list[Any]:
    if row.sent:
        sent = row.sent
        received = (
            Cell(f"{sent.receiver} {sent.received_no}".strip(), sub=str(sent.received_on))
            if sent.received_on
            else Cell("还没有签收", tone="soon")
        )
        late = sent.sent_on > row.due_on
        state = Cell("逾期报送" if late else "已报送", tone="late" if late else "done")
        return [
            Cell(row.title, reverse("rectification-report", args=[sent.pk])),
            row.due_on,
            sent.sent_on,
            sent.digest[:16],
            received,
            state,
        ]
    where = reverse("rectification-submit", args=[campaign.pk, row.kind, f"{row.month:%Y%m}" if row.month else "whole"])
    state = Cell("逾期没有报", tone="late") if on > row.due_on else Cell("待报", tone="soon")
    return [Cell(row.title, where if may(by, reporting.submit) else ""), row.due_on, None, None, None, state]


@require_http_methods(["GET", "POST"])
@page(frozenset(reporting.submit.posts))  # type: ignore[attr-defined]
def submit(request: Any, number: int, kind: str, month: str) -> HttpResponse:
    """Send up what is due."""
    by, on = request.actor, request.business_date
    wanted = _month(month)
    with reading(by):
        campaign = _file_of(by, number)
        due = next((row for row in reporting.list_due(campaign, on) if (row.kind, row.month) == (kind, wanted)), None)
        if due is None:
            raise Http404
        count = reporting.cases_within(campaign, wanted).count() if wanted else 0
    monthly = kind == Submission.Kind.MONTHLY
    form = None if monthly else forms.Submit(request.POST or None)

    def run() -> Outcome:
        text = form.cleaned_data["text"] if form else ""
        made = reporting.submit(by=by, on=on, campaign_id=number, kind=kind, month=wanted, text=text)
        return Outcome(f"已报送{due.title}", reverse("rectification-report", args=[made.pk]), "上级签收后在这里登记。")

    what = f"本月登记了 {count} 件案例。" if monthly else "汇总表按今天的数据附上。"
    context = {
        "section": "rectifications", "title": f"报送{due.title}？", "button": "报送", "back": reverse("rectification-reports", args=[number]),
        "lead": f"报给{campaign.sent_to}，期限 {due.due_on}。{what}报出后内容冻结，由您签名，不能再改。",
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)


def _month(text: str) -> date | None:
    if text == "whole":
        return None
    if len(text) == 6 and text.isascii() and text.isdigit() and 1 <= int(text[4:]) <= 12 and int(text[:4]) >= 2000:
        return date(int(text[:4]), int(text[4:]), 1)
    raise Http404


@require_safe
@page(guard.RECTIFICATION_FILE)
def report(request: Any, number: int) -> HttpResponse:
    """One report as it was sent."""
    by, on = request.actor, request.business_date
    sent = queries.get_submission(number)
    campaign = _file_of(by, sent.campaign_id)
    content = sent.content
    places = set(content.get("places", {})) | {
        row["place"] for row in content.get("cases", []) if isinstance(row, dict)
    }
    names = names_of(places, on)
    titles = content.get("columns", [])
    lines = [*sorted(content.get("places", {}).items()), *([("合计", content["total"])] if "total" in content else [])]
    rows = [
        (names.get(code, code), [_figure(title, value) for title, value in zip(titles, values, strict=True)])
        for code, values in lines
    ]
    context = {
        "section": "rectifications", "sent": sent, "campaign": campaign, "nav": nav(by, campaign, "rectification-reports"), "names": names,
        "columns": titles, "rows": rows,
        "cases": content["cases"] if sent.kind == Submission.Kind.MONTHLY else [],
        "may_receive": may(by, reporting.enter_receipt) and sent.received_on is None,
    }  # fmt: skip
    return render(request, "workbench/rectification_report.html", context)


@require_safe
@page(guard.RECTIFICATION_FILE, reads=False)
def report_paper(request: Any, number: int) -> HttpResponse:
    """The report on paper, as it was sent: to sign, stamp and send."""
    by, on = request.actor, request.business_date
    with reading(by):
        sent = queries.get_submission(number)
        campaign = _file_of(by, sent.campaign_id)
        names = names_of(
            {row["place"] for row in sent.content["cases"]} if sent.month else set(sent.content["places"]), on
        )
    title = (
        f"{sent.month.year}年{sent.month.month}月{sent.get_kind_display()}" if sent.month else sent.get_kind_display()
    )
    columns, rows = _cases_on_paper(sent, names) if sent.month else _sums_on_paper(sent, names)
    paper = Register(
        f"{campaign.title}：{title}", columns, rows, across=bool(sent.month), seats=["填表人", "审核人", "分管领导（签字）"],
        lines=[f"{campaign.document_no}　报送：{sent.sent_to}　报送日期：{sent.sent_on}　期限：{sent.due_on}", *([sent.text] if sent.text else [])],
        notes=[f"内容摘要 {sent.digest}", *(["本月没有查处的案例"] if sent.month and not rows else [])],
        address=request.build_absolute_uri(reverse("rectification-report", args=[number])),
    )  # fmt: skip
    return pdf_answer(register_pdf(paper, by=by, on=on, mark=printed_by(request, "报送上级")), title)


def _cases_on_paper(sent: Submission, names: dict[str, str]) -> tuple[list[tuple[str, int]], list[list[Any]]]:
    columns = [
        ("序号", 12),
        ("问题类型", 26),
        ("地方", 30),
        ("涉及人员", 26),
        ("单位和职务", 34),
        ("案情", 0),
        ("涉及金额（元）", 24),
        ("处理", 40),
        ("移交纪检", 30),
    ]
    rows = [
        [at, row["kind"], names.get(row["place"], row["place"]), row["involved"], row["position"], row["facts"],
         "" if row["amount_fen"] is None else money(row["amount_fen"]), row["handling"], f"{row['handed_to']} {row['handed_no']}".strip()]
        for at, row in enumerate(sent.content["cases"], 1)
    ]  # fmt: skip
    return columns, rows


def _sums_on_paper(sent: Submission, names: dict[str, str]) -> tuple[list[tuple[str, int]], list[list[Any]]]:
    """Every column of the table as a line: in all, and the three places where it is most."""
    content = sent.content
    rows = []
    for at, title in enumerate(content["columns"]):
        by_place = sorted(
            ((values[at], names.get(code, code)) for code, values in content["places"].items() if values[at]),
            reverse=True,
        )
        rows.append(
            [
                title,
                _figure(title, content["total"][at]),
                "、".join(f"{name} {_figure(title, value)}" for value, name in by_place[:3]),
            ]
        )
    return [("栏目", 40), ("合计", 34), ("最多的地方", 0)], rows


def _figure(title: str, value: int) -> str:
    return money(value) if title in _MONEY else f"{value} %" if title.endswith("率") else f"{value:,}"


_MONEY = frozenset(column.title for _, part in PARTS.values() for column in part if column.kind == "fen")


@require_http_methods(["GET", "POST"])
@page(frozenset(reporting.enter_receipt.posts))  # type: ignore[attr-defined]
def receipt(request: Any, number: int) -> HttpResponse:
    """The upper level has it."""
    by, on = request.actor, request.business_date
    with reading(by):
        sent = queries.get_submission(number)
        _file_of(by, sent.campaign_id)
    form = forms.Receipt(request.POST or None, initial={"received_on": on.isoformat()})

    def run() -> Outcome:
        reporting.enter_receipt(by=by, on=on, submission=number, **form.cleaned_data)
        return Outcome("已登记签收", reverse("rectification-report", args=[number]))

    context = {
        "section": "rectifications", "title": "登记签收", "button": "登记签收", "lead": f"{sent.get_kind_display()}，{sent.sent_on} 报给{sent.sent_to}。",
        "back": reverse("rectification-report", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, FORM, context)
