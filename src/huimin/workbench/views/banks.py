"""Banks at the desk: files that went and came, sending and fetching, how each bank is spoken to, exceptions closed (PAY-04, PAY-05)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.jobs.queries import anybody_works, find_latest, list_active
from huimin.kernel.bankfile import Format
from huimin.organisation.acting import may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.payment import exchange_queries as queries
from huimin.payment.commands import (
    close_exception,
    decide_bank_setting,
    propose_bank_setting,
    request_fetching,
    request_sending,
)
from huimin.payment.commands.matching import CODES
from huimin.payment.commands.sending import FETCH, SEND
from huimin.payment.exchange.formats import formats
from huimin.payment.models import BankSetting, ExchangeFile, PaymentException
from huimin.payment.queries import get_exception
from huimin.workbench import bank_forms, guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.job_side import answer_with_jobs
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer

State, Direction = ExchangeFile.State, ExchangeFile.Direction
TONES = {
    State.WAITING: "soon",
    State.FAILED: "late",
    State.REFUSED: "late",
    State.CONFIRMED: "done",
    State.TAKEN: "done",
}
_STATES = [*State.choices, (queries.OPEN, "拒收待核对")]
_EXCHANGES = {
    "send": (request_sending, "送银行文件", "要送的文件按编号逐个传送，断了下次接着传；送到、没送到都记在这里。"),
    "fetch": (request_fetching, "取银行回盘", "逐个取回、验签、逐笔核对后记账；有错的整份不收，原因记在这里。"),
}


@require_safe
@page(guard.BANK_READERS, reads=False)
def files(request: Any) -> HttpResponse:
    """Every file to and from banks, newest first."""
    by = request.actor

    def build(whole: bool) -> Listing:
        wanted = queries.FileFilter(
            one_of(request.GET, "direction", Direction.values),
            one_of(request.GET, "state", [*State.values, queries.OPEN]),
        )
        found = queries.page_files(wanted, "" if whole else request.GET.get("at", ""), 1000 if whole else 50)
        people = names_of_appointments({row.uploaded_by for row in found})
        acts = [
            (title, reverse("bank-exchange", args=[key])) for key, (act, title, _) in _EXCHANGES.items() if may(by, act)
        ]
        return Listing(
            "银行文件", "送出的、取回的、上传的，每个都有编号、状态、试了几次、最后一次的错误。", "bank-files",
            [Head("编号", paper=14), Head("方向", paper=16), Head("文件", paper=0), Head("银行", paper=34), Head("批次", paper=46),
             Head("状态", paper=20), Head("次数", "count", 12), Head("时间", paper=30), Head("最后一次的错误", paper=60)],
            [_file(row, people) for row in found], _none(wanted), page=found, across=True, acts=acts, of_people=False,
            note=_note(), figures=_figures(queries.count_files()),
            filters=[Filter("direction", "方向", Direction.choices, wanted.direction), Filter("state", "状态", _STATES, wanted.state)],
        )  # fmt: skip

    return answer_with_jobs(request, build, lambda: list_active(SEND) + list_active(FETCH))


def _none(wanted: queries.FileFilter) -> str:
    """What an empty list means, of these files."""
    words = [
        dict(_STATES).get(wanted.state, ""),
        Direction(wanted.direction).label if wanted.direction else "",
    ]
    if any(words):
        return f"没有{'、'.join(filter(None, words))}的文件。"
    return "还没有文件。放行批次后在“银行批次”里写出，这里就会列出来。"


def _file(row: ExchangeFile, people: dict[int, str]) -> list[Any]:
    owner = Cell(row.batch.batch_no, reverse("batch", args=[row.batch_id])) if row.batch else Cell(
        f"户名核验 {row.name_check.check_no}" if row.name_check else ""
    )  # fmt: skip
    when = row.confirmed_at or row.moved_at
    marks = [f"{row.size_bytes:,} 字节" if row.size_bytes else "", f"校验码 {row.sha256[:12]}" if row.sha256 else ""]
    marks += [people.get(row.uploaded_by, "")] if row.uploaded_by else []
    way = "上传" if row.uploaded_by else row.get_direction_display()
    return [
        row.number, way, Cell(row.file_name, sub="，".join(filter(None, marks))),
        row.bank_office.name if row.bank_office else "认不出", owner, Cell(row.get_state_display(), tone=TONES.get(row.state, "plain")), row.tries,
        when.astimezone().strftime("%Y-%m-%d %H:%M") if when else "", row.last_error,
    ]  # fmt: skip


def _figures(counts: dict[tuple[str, str], int]) -> list[tuple[str, str, str]]:
    shown = (("out", State.WAITING, "soon"), ("out", State.FAILED, "late"), ("in", State.REFUSED, "late"))
    return [
        (State(state).label, f"{counts[key]:,}", tone)
        for *key_, tone in shown
        for key in [tuple(key_)]
        for state in [key[1]]
        if counts.get(key)
    ]


def _note() -> str:
    """What the last job of each kind came to."""
    told = [
        f"{title}：{job.get_state_display()}{'，' + (job.outcome or job.failure) if job.outcome or job.failure else ''}"
        for kind, title in ((SEND, "上次送件"), (FETCH, "上次取件"))
        if (job := find_latest(kind)) is not None
    ]
    return "；".join(told)


@require_http_methods(["GET", "POST"])
@page(frozenset(request_sending.posts) | frozenset(request_fetching.posts))  # type: ignore[attr-defined]
def exchange(request: Any, key: str) -> HttpResponse:
    """Ask for the job that sends, or the one that fetches."""
    if key not in _EXCHANGES:
        raise Http404
    act, title, effect = _EXCHANGES[key]
    if request.method == "POST":
        return once(request, lambda: _ask(request, act, title))
    context = {
        "section": "bank-files",
        "title": title,
        "effect": effect,
        "may": may(request.actor, act),
        "working": anybody_works(),
    }
    return render(request, "workbench/bank_exchange.html", context)


def _ask(request: Any, act: Any, title: str) -> Outcome:
    act(by=request.actor, on=request.business_date)
    then = "" if anybody_works() else "后台工作的进程没有在运行，请管理员执行 ./huimin work。"
    return Outcome(f"已开始{title}", reverse("bank-files"), then or "做完后结果列在这一页。")


@require_safe
@page(guard.BANK_READERS, reads=False)
def settings(request: Any) -> HttpResponse:
    """How each office of a bank is spoken to, and from when."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        titles = {key: form.title for key, form in formats().items()}
        acts = [("提出设置", reverse("bank-setting-new"))] if may(by, propose_bank_setting) else []
        return Listing(
            "银行设置", "哪家银行讲哪种格式、走哪条路、签不签名、要不要先核验户名；两人办理，从某一天起生效。", "bank-settings",
            [Head("银行机构"), Head("从哪天起", "date", 24), Head("格式", paper=40), Head("怎么送", paper=50), Head("签名", paper=24),
             Head("户名核验", paper=20), Head("依据", paper=40), Head("状态", paper=20)],
            [_setting(row, titles, by, on) for row in queries.list_settings()],
            "还没有设置：各银行按农商行格式、文件夹交换、不签名。签了接口约定以后在这里提出。", across=True, acts=acts,
        )  # fmt: skip

    return answer_listing(request, build)


def _setting(row: BankSetting, titles: dict[str, str], by: Any, on: Any) -> list[Any]:
    url = reverse("bank-setting", args=[row.pk])
    way = f"{row.username}@{row.host}:{row.port}" if row.route == BankSetting.Route.SFTP else row.folder_out
    return [
        Cell(row.bank_office.name, url), row.valid_from, titles.get(row.format, row.format),
        Cell(row.get_route_display(), sub=way), row.get_suite_display(), "要求" if row.name_check else "不要求", row.basis,
        Cell(row.get_state_display(), tone={"approved": "done", "proposed": "soon"}.get(row.state, "plain"), sub=row.refusal),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(propose_bank_setting.posts))  # type: ignore[attr-defined]
def setting_new(request: Any) -> HttpResponse:
    """Propose how an office is spoken to; another person decides."""
    by, on = request.actor, request.business_date
    with reading(by):
        offices = [(office.pk, office.name) for office in queries.bank_offices(by.prefix, on)]
    form = bank_forms.SettingForm(
        request.POST or None, offices=offices, formats=[(key, _described(each)) for key, each in formats().items()],
        initial={"valid_from": on, "port": 22, "route": "folder", "suite": "ed25519", "name_check": "yes"},
    )  # fmt: skip

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        told["name_check"], told["port"] = told["name_check"] == "yes", told["port"] or 22
        row = propose_bank_setting(by=by, on=on, **told)
        return Outcome("已提出银行设置", reverse("bank-setting", args=[row.pk]), "由财政复核放行岗复核后生效。")

    return answer(request, form, act, "workbench/bank_setting_new.html", {"section": "bank-settings"})


def _described(form: Format) -> str:
    words = {"separated": "分隔", "fixed": "定长", "table": "表格", "iso20022": "报文"}
    return f"{form.title}（{words[form.layout]}，{form.encoding.upper()}）"


@require_http_methods(["GET", "POST"])
@page(guard.BANK_READERS)
def setting(request: Any, number: int) -> HttpResponse:
    """One setting; the second person compares it with the agreement."""
    by = request.actor
    with reading(by):
        row = queries.get_setting(number)
    form = bank_forms.Refusal(request.POST or None)

    def act() -> Outcome:
        agreed = request.POST.get("outcome") != "refuse"
        decide_bank_setting(
            by=by, on=request.business_date, number=number, agreed=agreed, refusal=form.cleaned_data["refusal"]
        )
        return Outcome("银行设置" + ("已生效" if agreed else "已退回"), reverse("bank-settings"))

    found = formats().get(row.format)
    context = {
        "section": "bank-settings", "row": row, "format": _described(found) if found else f"{row.format}（说明已不在）",
        "may_decide": may(by, decide_bank_setting) and row.state == BankSetting.State.PROPOSED,
        "mine": row.proposed_by == by.appointment,
    }  # fmt: skip
    return answer(request, form, act, "workbench/bank_setting.html", context)


@require_safe
@page(guard.BANK_READERS, reads=False)
def statements(request: Any) -> HttpResponse:
    """Statements of special accounts as received: which days, from what to what."""

    def build(whole: bool) -> Listing:
        return Listing(
            "银行对账单", "专户的对账单：期初加收入减支出等于期末，分录逐笔对到付款；对不上的在“待处理”。", "statements-of-banks",
            [Head("账户"), Head("编号", paper=30), Head("从", "date", 22), Head("到", "date", 22), Head("期初（元）", "fen", 28),
             Head("收入（元）", "fen", 28), Head("支出（元）", "fen", 28), Head("期末（元）", "fen", 28), Head("分录", "count", 14),
             Head("收件", "date", 22)],
            [
                [Cell(row.account.name, sub=f"尾号 {row.account.account_tail}"), row.reference, row.period_from, row.period_until,
                 row.opening_fen, row.credit_fen, row.debit_fen, row.closing_fen, row.entries_count, row.taken_on]
                for row in queries.list_statements()
            ],
            "还没有对账单。银行按 ISO 20022 送 camt.053 时，和回盘一起收。", across=True,
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(close_exception.posts))  # type: ignore[attr-defined]
def exception_close(request: Any, number: int) -> HttpResponse:
    """Close an exception with what came of it."""
    with reading(request.actor):
        row: PaymentException = get_exception(number)
    form = bank_forms.Resolution(request.POST or None)

    def act() -> Outcome:
        close_exception(by=request.actor, on=request.business_date, number=number, **form.cleaned_data)
        return Outcome("已了结", reverse("exceptions"), "")

    context = {"section": "exceptions", "row": row, "code": CODES.get(row.kind, "")}
    return answer(request, form, act, "workbench/exception_close.html", context)
