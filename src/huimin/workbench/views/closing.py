"""Close months with the bank's balance, carry years over, and the signed reports of both (LED-02, FUND-04)."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import add_months, month_start
from huimin.ledger import queries
from huimin.ledger.chart import ACCOUNTS
from huimin.ledger.closing import ITEMS, Item, Statement, carry_over, close_month, close_months
from huimin.ledger.models import MonthClose
from huimin.organisation.acting import may, reading
from huimin.organisation.models import Appointment
from huimin.payment.models import BankStatement
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, PageExpired, once
from huimin.workbench.book_forms import typed_yuan
from huimin.workbench.book_side import books_of, month_of
from huimin.workbench.guard import page
from huimin.workbench.registers import Cell, Head, Listing, answer_listing

ITEM_ROWS = 4
TRANSIT_NAMED = 20
MONTHS_OFFERED = 15


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def closes(request: Any) -> HttpResponse:
    """Closed months, newest first, each with its report."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        found = queries.list_closes(by.prefix, place=request.GET.get("at", ""), size=1000 if whole else 50)
        names = names_of({row.division for row in found}, on)
        rows = [
            [Cell(f"{row.month.year}年{row.month.month}月", reverse("close", args=[row.pk])), names.get(row.division, row.division),
             row.vouchers_count, row.bank_fen, row.book_fen, row.in_transit_fen, row.closed_on]
            for row in found
        ]  # fmt: skip
        acts = (
            [("月末结账", reverse("close-months")), ("年终结转", reverse("carry-over"))]
            if may(by, close_months)
            else []
        )
        return Listing(
            "已结账的月份", "结账以后那个月及以前不能再记账，也不能重开；更正用红字记在以后的月份。", "closes",
            [Head("月份", paper=28), Head("账簿"), Head("凭证（张）", "count", 22), Head("银行余额（元）", "fen", 30),
             Head("账面余额（元）", "fen", 30), Head("在途（元）", "fen", 28), Head("结账日", "date", 24)],
            rows, "还没有结过账。审核完一个月的凭证，下月初办理结账。", page=found, acts=acts, of_people=False, totals=False,
        )  # fmt: skip

    return answer_listing(request, build)


def _months(on: date, shown: date) -> list[tuple[str, str]]:
    """Those that are over, the newest first; before them the one that is shown, where it is not."""
    starts = [add_months(month_start(on), -back) for back in range(1, MONTHS_OFFERED)]
    starts = starts if shown in starts else [shown, *starts]
    return [(f"{each:%Y-%m}", f"{each.year}年{each.month}月") for each in starts]


@require_http_methods(["GET", "POST"])
@page(frozenset(close_months.posts))  # type: ignore[attr-defined]
def close_many(request: Any) -> HttpResponse:
    """Every place's books for a month: what is still missing, and the bank's balance to type; all that are typed close together."""
    by, on = request.actor, request.business_date
    source = request.POST if request.method == "POST" else request.GET
    month = month_of(source, "month", on, add_months(month_start(on), -1))
    answer, problem = _done(request, lambda: _close_many(request, month))
    if answer is not None:
        return answer
    with reading(by):
        standings = queries.book_standings(by.prefix, add_months(month, 1))
        names = names_of({each.division for each in standings}, on)
        told = _told_by_bank([each.division for each in standings], month)
    context = {
        "section": "closes", "month": f"{month:%Y-%m}", "month_words": f"{month.year}年{month.month}月", "months": _months(on, month),
        "over": on >= add_months(month, 1), "open": any(each.closed is None or each.closed < month for each in standings),
        "rows": [
            {
                "code": each.division, "name": names.get(each.division, each.division), "standing": each,
                "closed": each.closed is not None and each.closed >= month,
                "bank": request.POST.get(f"bank-{each.division}", yuan(told[each.division]) if each.division in told else ""),
            }
            for each in standings
        ],
        "problem": problem,
    }  # fmt: skip
    return render(request, "workbench/close_many.html", context, status=422 if problem else 200)


def _done(request: Any, act: Callable[[], Outcome]) -> tuple[HttpResponse | None, str]:
    """Where a POST leads, or what is in its way: the page then keeps what was typed, for twenty balances are not typed twice."""
    if request.method != "POST":
        return None, ""
    try:
        return once(request, act), ""
    except PageExpired:
        raise
    except Refusal as wrong:
        return None, str(wrong)


def _told_by_bank(places: list[str], month: date) -> dict[str, int]:
    """Closing balances of the statements a bank sent for the month's last day, where it sent any."""
    last = date.fromordinal(add_months(month, 1).toordinal() - 1)
    rows = BankStatement.objects.filter(division__in=places, period_until=last).order_by("id")
    return dict(rows.values_list("division", "closing_fen"))


def _close_many(request: Any, month: date) -> Outcome:
    with reading(request.actor):
        names = dict(books_of(request.actor.prefix, request.business_date))
    told = [
        Statement(code, typed_yuan(typed, f"{name}银行余额"))
        for code, name in names.items()
        if (typed := request.POST.get(f"bank-{code}", "").strip())
    ]
    made = close_months(by=request.actor, on=request.business_date, month=month, statements=told)
    return Outcome(
        f"{month.year}年{month.month}月已结账：{len(made)} 套账",
        reverse("closes"),
        "由您签名；这个月及以前不能再记账。",
    )


@require_http_methods(["GET", "POST"])
@page(frozenset(close_month.posts))  # type: ignore[attr-defined]
def close_one(request: Any, code: str) -> HttpResponse:
    """The books of one place: bank's balance and the items that explain what differs (余额调节表)."""
    by, on = request.actor, request.business_date
    source = request.POST if request.method == "POST" else request.GET
    month = month_of(source, "month", on, add_months(month_start(on), -1))
    with reading(by):
        if code not in dict(books_of(by.prefix, on)):
            raise Http404
        [standing] = [each for each in queries.book_standings(code, add_months(month, 1)) if each.division == code]
        trail, told = chain_names(code, on), _told_by_bank([code], month)
    answer, problem = _done(request, lambda: _close_one(request, code, month))
    if answer is not None:
        return answer
    context = {
        "section": "closes", "month": f"{month:%Y-%m}", "month_words": f"{month.year}年{month.month}月", "trail": trail,
        "standing": standing, "kinds": [(kind, words) for kind, (words, *_) in ITEMS.items()], "problem": problem,
        "bank": request.POST.get("bank", yuan(told[code]) if code in told else ""),
        "items": [[request.POST.get(f"{name}{n}", "") for name in ("kind", "fen", "text")] for n in range(1, ITEM_ROWS + 1)],
    }  # fmt: skip
    return render(request, "workbench/close_one.html", context, status=422 if problem else 200)


def _close_one(request: Any, code: str, month: date) -> Outcome:
    bank = typed_yuan(request.POST.get("bank", ""), "银行余额")
    items = []
    for number in range(1, ITEM_ROWS + 1):
        kind, typed, said = (request.POST.get(f"{name}{number}", "").strip() for name in ("kind", "fen", "text"))
        if kind or typed or said:
            items.append(Item(kind, typed_yuan(typed, f"未达账项第 {number} 项金额"), said))
    made = close_month(
        by=request.actor, on=request.business_date, division=code, month=month, bank_fen=bank, items=items
    )
    return Outcome(
        f"{month.year}年{month.month}月已结账", reverse("close", args=[made.pk]), "由您签名；这个月及以前不能再记账。"
    )


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def report(request: Any, number: int) -> HttpResponse:
    """The report of one close: 银行存款余额调节表 with the checks, as it was signed; also on paper."""

    def build(_: bool) -> Listing:
        try:
            row = queries.get_close(number)
        except MonthClose.DoesNotExist:
            raise Http404 from None
        place = "".join(chain_names(row.division, request.business_date)[2:])
        who = Appointment.objects.filter(pk=row.closed_by).values_list("account__full_name", flat=True).first() or ""
        adjusted = row.bank_fen + row.bank_adjust_fen
        books, bank = _items(row, "book"), _items(row, "bank")
        rows = [["账面余额（专户存款）", row.book_fen, "银行对账单余额", row.bank_fen]]
        for at in range(max(len(books), len(bank))):
            left, right = (side[at] if at < len(side) else (None, None) for side in (books, bank))
            rows.append([*left, *right])
        rows.append(["调节后的余额", adjusted, "调节后的余额", adjusted])
        checks = [
            f"凭证 {row.vouchers_count} 张，合计 {yuan(row.turnover_fen)} 元，全部审核；逐笔核对，借贷平衡。",
            f"在途 {yuan(row.in_transit_fen)} 元，结转下月{_on_the_way(row)}。", f"结账人 {who}，{row.closed_on}；签名摘要 {row.digest[:16]}。",
        ]  # fmt: skip
        return Listing(
            f"{row.month.year}年{row.month.month}月银行存款余额调节表", "".join(checks), "closes",
            [Head("单位账"), Head("金额（元）", "fen", 32), Head("银行账"), Head("金额（元）", "fen", 32)], rows, "",
            lines=[f"核算单位：{place}惠民资金专户　　截至 {date.fromordinal(add_months(row.month, 1).toordinal() - 1)}"],
            unit="金额单位：元", seal=place, seats=["单位负责人", "财务主管", "复核", "制表"], of_people=False, totals=False,
            notes=[f"调节后余额（大写）：{in_words(adjusted) if adjusted >= 0 else '负' + in_words(-adjusted)}", *checks],
            acts=[("这个月的凭证", f"{reverse('days')}?month={row.month:%Y-%m}&place={row.division}"),
                  ("科目余额表", f"{reverse('ledger')}?since={row.month:%Y-%m}&until={row.month:%Y-%m}&place={row.division}")],
        )  # fmt: skip

    return answer_listing(request, build)


def _on_the_way(row: MonthClose) -> str:
    """The batches money is on its way for, by name."""
    told = [f"{ACCOUNTS[code].name} {number or '没有编号'} {yuan(fen)} 元" for code, number, _, fen in row.in_transit]
    more = f"等 {len(told)} 笔" if len(told) > TRANSIT_NAMED else ""
    return f"：{'、'.join(told[:TRANSIT_NAMED])}{more}" if told else ""


def _items(row: MonthClose, side: str) -> list[tuple[str, int]]:
    """The items of one side with their signs."""
    return [
        (f"{'加' if sign > 0 else '减'}：{words}（{each['text']}）", sign * each["amount_fen"])
        for each in row.items
        for words, of, sign in [ITEMS[each["kind"]]]
        if of == side
    ]


@require_http_methods(["GET", "POST"])
@page(frozenset(carry_over.posts))  # type: ignore[attr-defined]
def year(request: Any) -> HttpResponse:
    """年终结转 of every place's books for the year before: what is left to carry, and the act."""
    by, on = request.actor, request.business_date
    of = on.year - 1
    if request.method == "POST":
        return once(request, lambda: _carry(request, of))
    december = date(of, 12, 1)
    standings = queries.book_standings(by.prefix, date(of + 1, 1, 1))
    left = queries.left_to_carry(by.prefix, of)
    names = names_of({each.division for each in standings}, on)
    context = {
        "section": "closes", "year": of,
        "rows": [(names.get(each.division, each.division), each, left.get(each.division, 0),
                  each.closed is not None and each.closed >= december) for each in standings],
        "count": sum(1 for each in standings if left.get(each.division)),
    }  # fmt: skip
    return render(request, "workbench/carry_over.html", context)


def _carry(request: Any, of: int) -> Outcome:
    by = request.actor
    with reading(by):
        places = [code for code, fen in queries.left_to_carry(by.prefix, of).items() if fen]
    made = carry_over(by=by, on=request.business_date, divisions=places, year=of)
    if not made:
        return Outcome(f"{of}年没有要结转的收支", reverse("carry-over"))
    where = f"{reverse('voucher-reviews')}?month={of}-12"
    return Outcome(f"{of}年已结转：{len(made)} 套账", where, "结转凭证由另一人审核后，可以结十二月的账。")
