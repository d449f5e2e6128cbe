"""The day book (序时账): vouchers by day, as a page, a workbook with both sides of each line, and a paper to bind (LED-01, LED-02)."""

import re
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.database.paging import Page
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.money import yuan
from huimin.ledger import queries
from huimin.ledger.models import LedgerLine, Voucher
from huimin.organisation.acting import reading
from huimin.payment.papers.registers import ROWS_MAX, Register, register_pdf
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.book_side import SEATS, chosen_book, month_of, month_options, words_of
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import Chosen, kept, one_of
from huimin.workbench.registers import pdf_answer
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets

STANDINGS = [("waiting", "待审核"), ("reviewed", "已审核"), ("by_hand", "手工凭证")]
_NUMBER = re.compile(r"(?:\D*第\s*)?0*([1-9][0-9]{0,7})\s*号?")
_VOUCHERS_MAX = 20_000
_COLUMNS = (
    ("日期", 21), ("凭证", 24), ("账簿", 26), ("摘要", 0), ("科目", 36), ("补贴项目", 30), ("借方（元）", 29), ("贷方（元）", 29),
)  # fmt: skip


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def days(request: Any) -> HttpResponse:
    """Newest first on the page; by number in the workbook, by day on paper."""
    if request.GET.get("print") == "pdf":
        with reading(request.actor):
            register = _register(request, *_asked(request))
        return pdf_answer(
            register_pdf(
                register, by=request.actor, on=request.business_date, mark=printed_by(request, register.title)
            ),
            register.title,
        )
    with reading(request.actor):
        return _shown(request)


def _asked(request: Any) -> tuple[Chosen, queries.VoucherFilter]:
    """The books and vouchers the address asks for; BadInput for a number that is none."""
    place = chosen_book(request)
    month = month_of(request.GET, "month", request.business_date, None)  # type: ignore[arg-type]
    event = one_of(request.GET, "event", Voucher.Event.values)
    standing = one_of(request.GET, "standing", dict(STANDINGS))
    number = _number(request.GET.get("number", ""))
    return place, queries.VoucherFilter(place.prefix, event, month, standing, number)


def _number(told: str) -> int:
    """The number of a voucher as people type it: 12, 第12号, 付字第 12 号; 0 for none."""
    plain = told.translate(str.maketrans("０１２３４５６７８９", "0123456789")).strip()
    if not plain:
        return 0
    if (found := _NUMBER.fullmatch(plain)) is None:
        raise BadInput(f"“{told[:20]}”不是凭证号", where="凭证号", remedy="请填数字，如 12，或“第 12 号”")
    return int(found[1])


def _shown(request: Any) -> HttpResponse:
    on = request.business_date
    try:
        place, wanted = _asked(request)
        wrong = ""
    except BadInput as bad:
        if request.GET.get("export"):
            raise
        place, wrong = chosen_book(request), f"{bad.what}。{bad.remedy}"
        wanted = queries.VoucherFilter(place.prefix)
    if request.GET.get("export") == "xlsx":
        return _workbook(request, wanted)
    page_of: Any = Page([], "") if wrong else queries.page_vouchers(wanted, request.GET.get("at", ""))
    month = month_of(request.GET, "month", on, None)  # type: ignore[arg-type]
    context = {
        "section": "days", "place": place, "wanted": wanted, "events": Voucher.Event.choices, "page": page_of,
        "standings": STANDINGS, "months": month_options(on), "month": f"{month:%Y-%m}" if month else "",
        "places": names_of({row.division for row in page_of}, on), "wrong": wrong, "number": request.GET.get("number", "")[:20],
        "event": one_of(request.GET, "event", Voucher.Event.values),
        "standing": one_of(request.GET, "standing", dict(STANDINGS)),
        "query": kept(request.GET, "event", "month", "standing", "number", "place"),
    }  # fmt: skip
    return render(request, "workbench/days.html", context, status=422 if wrong else 200)


def _workbook(request: Any, wanted: queries.VoucherFilter) -> HttpResponse:
    """Two rows a line, as an accountant reads them: what is debited, what is credited."""
    columns = (
        Column("日期", "date", 12), Column("地方", width=18), Column("凭证号", width=14), Column("摘要", width=40),
        Column("科目编码", width=10), Column("科目", width=20), Column("补贴项目", width=22), Column("依据", width=30),
        Column("借方（元）", "fen", 16), Column("贷方（元）", "fen", 16), Column("审核", width=10),
    )  # fmt: skip
    vouchers = {each.pk: each for each in queries.iterate_vouchers(wanted, _VOUCHERS_MAX)}
    places = names_of({each.division for each in vouchers.values()}, request.business_date)
    names = programme_names()

    def rows() -> Any:
        for line in queries.lines_of_vouchers(list(vouchers)):
            yield from _two_rows(line, vouchers[line.voucher_id], places, names)

    return export_sheets(
        request, f"序时账 {request.business_date}", [Sheet("序时账", columns, rows())], of_people=False
    )


def _two_rows(line: LedgerLine, voucher: Voucher, places: dict[str, str], names: dict[str, str]) -> list[list[Any]]:
    head = [voucher.occurred_on, places.get(voucher.division, voucher.division), voucher.title, voucher.summary]
    tail = [names.get(line.programme, line.programme), line.reference]
    seen = "已审核" if getattr(voucher, "review", None) else "未审核"
    return [
        [*head, line.debit.code, line.debit.name, *tail, line.amount_fen, None, seen],
        [*head, line.credit.code, line.credit.name, *tail, None, line.amount_fen, seen],
    ]


def _register(request: Any, place: Chosen, wanted: queries.VoucherFilter) -> Register:
    """The day book on paper, as the other books are: by day, both sides of each line, sums that agree; a book that is bound."""
    most = (ROWS_MAX - 1) // 2
    vouchers = {each.pk: each for each in queries.iterate_vouchers(wanted, most + 1)}
    lines = queries.lines_of_vouchers(list(vouchers), most + 1)
    if len(vouchers) > most or len(lines) > most:
        raise BadInput(
            f"超过 {most:,} 笔分录，订不成一本", where="序时账", remedy="请选一个月份或一个账簿再打印，或导出工作簿"
        )
    on = request.business_date
    places, names = names_of({each.division for each in vouchers.values()}, on), programme_names()
    lines.sort(key=lambda line: _place_in_book(vouchers[line.voucher_id], line))
    rows = [row for line in lines for row in _on_paper(line, vouchers[line.voucher_id], places, names)]
    total = sum(line.amount_fen for line in lines)
    unit = "".join(chain_names(place.code, on)[2:]) if place.code else request.actor.office_name
    return Register(
        title="序时账", columns=_COLUMNS, rows=[*rows, ["合计", "", "", "", "", "", yuan(total), yuan(total)]],
        lines=[f"编制单位：{unit}　　会计期间：{_period(wanted.month, vouchers)}{_narrowed(wanted)}"],
        notes=[f"凭证 {len(vouchers):,} 张，分录 {len(lines):,} 笔", words_of("借贷方合计", total)], seats=SEATS, across=True,
        numbers=[6, 7], unit="金额单位：元", seal=unit,
    )  # fmt: skip


def _place_in_book(voucher: Voucher, line: LedgerLine) -> tuple[Any, ...]:
    return voucher.occurred_on, voucher.division, voucher.word, voucher.number, line.pk


def _on_paper(line: LedgerLine, voucher: Voucher, places: dict[str, str], names: dict[str, str]) -> list[list[Any]]:
    head = [voucher.occurred_on, voucher.title, places.get(voucher.division, voucher.division), voucher.summary]
    programme, amount = names.get(line.programme, line.programme), yuan(line.amount_fen)
    return [
        [*head, f"{line.debit.code} {line.debit.name}", programme, amount, ""],
        ["", "", "", "", f"{line.credit.code} {line.credit.name}", programme, "", amount],
    ]


def _period(month: date | None, vouchers: dict[int, Voucher]) -> str:
    if month is not None:
        return f"{month.year}年{month.month}月"
    days = [each.occurred_on for each in vouchers.values()]
    return f"{min(days)} 至 {max(days)}" if days else "没有凭证"


def _narrowed(wanted: queries.VoucherFilter) -> str:
    """What else was asked for: such a paper is not the whole book."""
    told = [
        Voucher.Event(wanted.event).label if wanted.event else "", dict(STANDINGS).get(wanted.standing, ""),
        f"第 {wanted.number} 号" if wanted.number else "",
    ]  # fmt: skip
    words = "、".join(filter(None, told))
    return f"　　只列：{words}" if words else ""
