"""The books read: 科目余额表, 总账, 明细账, each as a page, a workbook and a paper (LED-01, LED-02)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.money import yuan
from huimin.ledger import statements
from huimin.ledger.account_books import AccountBook, DetailLine, find_account, iterate_detail, page_detail
from huimin.ledger.chart import ACCOUNTS, CHART
from huimin.ledger.closing import close_month
from huimin.ledger.reviewing import review_month
from huimin.organisation.acting import may
from huimin.workbench import guard
from huimin.workbench.book_side import SEATS, Asked, asked, tabs, words_of
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing

CODES = [(each.code, f"{each.code} {each.name}") for each in CHART]
_FEN = 27
BOTH_SIDES = "期初、期末的合计是借方余额之和，贷方余额之和与它相等。"


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def balance(request: Any) -> HttpResponse:
    """科目余额表 of a place and all beneath it; with an account chosen, each place's."""
    by, on = request.actor, request.business_date

    def build(_: bool) -> Listing:
        told = asked(request)
        code = one_of(request.GET, "code", ACCOUNTS)
        rows = statements.movements(told.place.prefix, told.period, programme=told.programme, code=code)
        difference = statements.difference_of(rows)
        table = _accounts(rows, told) if not code else _places(rows, told, code, on)
        listing = Listing(
            f"科目余额表{f'：{ACCOUNTS[code].name}' if code else ''}",
            "期初、发生额和期末，余额按科目增加的一方。每一笔都有借有贷，差额任何时候都应当是 0。",
            "ledger", _balance_heads("科目" if not code else "地方"), table,
            "还没有账簿。县财政局开立惠民资金专户时同时建账，资金拨到就有第一笔。",
            nav=tabs("ledger", told.query()), filters=told.filters(Filter("code", "按地方看科目", CODES, code)),
            seats=SEATS, lines=told.lines, unit="金额单位：元", seal=told.names, across=True, of_people=False, totals=False,
            note="" if code else BOTH_SIDES, notes=["借贷差额 0.00" if difference.is_zero else f"借贷不平：{yuan(difference.closing_fen)}"],
            acts=_acts(by),
        )  # fmt: skip
        if not code:
            tone = "" if difference.is_zero else "late"
            listing.figures = [("借贷差额（元）", yuan(difference.closing_fen), tone)] + [
                (
                    f"{ACCOUNTS[c].name}（元）",
                    yuan(sum(r.closing_fen for r in statements.balance_rows(rows) if r.code == c)),
                    "",
                )
                for c in ("1002", "1003", "1021")
            ]
        return listing

    return answer_listing(request, build)


def _balance_heads(first: str) -> list[Head]:
    names = ("期初余额", "本期借方", "本期贷方", "本年借方", "本年贷方", "期末余额")
    return [Head(first), *(Head(f"{name}（元）", "fen", _FEN) for name in names)]


def _cells(row: statements.BalanceRow) -> list[int]:
    return [
        row.opening_fen, row.debit_fen, row.credit_fen, row.year_debit_fen, row.year_credit_fen, row.closing_fen,
    ]  # fmt: skip


def _accounts(rows: list[statements.Movement], told: Asked) -> list[list[Any]]:
    """By account, with the sums: of balances those of one side, which is the other's; a township's goes to its account book."""
    if not rows:
        return []
    table, sums, found = [], [0, 0, 0, 0], statements.balance_rows(rows)
    for each in found:
        where = f"{reverse('ledger')}?{told.query(code=each.code)}"
        table.append([Cell(f"{each.code} {each.name}", where), *_cells(each)])
        sums = [a + b for a, b in zip(sums, _cells(each)[1:5], strict=True)]
    debit = [each for each in found if ACCOUNTS[each.code].grows_by_debit]
    opening, closing = sum(each.opening_fen for each in debit), sum(each.closing_fen for each in debit)
    return [*table, ["合计", opening, *sums, closing]]


def _places(rows: list[statements.Movement], told: Asked, code: str, on: Any) -> list[list[Any]]:
    """Of one account, by place: from here into the account book."""
    found = statements.balance_rows_by(rows, lambda row: row.division)
    names = names_of({each.key for each in found}, on)
    table = [
        [
            Cell(names.get(each.key, each.key), f"{reverse('book-detail')}?{told.query(place=each.key, code=code)}"),
            *_cells(each),
        ]
        for each in found
    ]
    if len(table) < 2:
        return table
    return [*table, ["合计", *(sum(column) for column in zip(*(_cells(each) for each in found), strict=True))]]


def _acts(by: Any) -> list[tuple[str, str]]:
    acts = [("审核凭证", reverse("voucher-reviews"))] if may(by, review_month) else []
    return acts + ([("结账", reverse("closes"))] if may(by, close_month) else [])


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def general(request: Any) -> HttpResponse:
    """总账 of an account: each month of the period, with the year so far."""

    def build(_: bool) -> Listing:
        told = asked(request)
        code = one_of(request.GET, "code", ACCOUNTS, "1002") or "1002"
        opening, months = statements.general_ledger(told.place.prefix, code, told.period, programme=told.programme)
        side = lambda fen: statements.on_its_side(code, fen)  # noqa: E731
        rows: list[list[Any]] = [["期初余额", None, None, None, None, side(opening)]]
        for each in months:
            where = f"{reverse('book-detail')}?{told.query(code=code, since=f'{each.month:%Y-%m}', until=f'{each.month:%Y-%m}')}"
            rows.append([
                Cell(f"{each.month.year}年{each.month.month}月", where), each.debit_fen, each.credit_fen,
                each.year_debit_fen, each.year_credit_fen, side(each.closing_fen),
            ])  # fmt: skip
        account = ACCOUNTS[code]
        return Listing(
            f"总账：{code} {account.name}", f"{account.note}。余额在{'借' if account.grows_by_debit else '贷'}方。", "ledger",
            [Head("月份"), *(Head(f"{name}（元）", "fen", 32) for name in ("借方", "贷方", "本年累计借方", "本年累计贷方", "余额"))],
            rows, "", nav=tabs("book-general", told.query(code=code)),
            filters=told.filters(Filter("code", "科目", CODES, code)), seats=SEATS, lines=told.lines, unit="金额单位：元",
            seal=told.names, of_people=False, totals=False, notes=[words_of("期末余额", side(months[-1].closing_fen))],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def detail(request: Any) -> HttpResponse:
    """明细账: every line of an account in one place's books, with the balance after it."""

    def build(whole: bool) -> Listing:
        told = asked(request)
        code = one_of(request.GET, "code", ACCOUNTS, "1002") or "1002"
        books = told.place.options
        place = told.place.code or (books[0][0] if len(books) == 1 else "")
        account = find_account(place, code) if place else None
        book = AccountBook(account, told.period, told.programme) if account else None
        found = page_detail(book, request.GET.get("at", "")) if book and not whole else None
        lines = (list(iterate_detail(book)) if whole else found.rows if found else []) if book else []
        side = lambda fen: statements.on_its_side(code, fen)  # noqa: E731
        opening = side(book.balance_before(told.period.start)) if book else 0
        closing = side(book.balance_before(told.period.until)) if book else 0
        name = dict(books).get(place, "")
        return Listing(
            f"明细账：{name} {code} {ACCOUNTS[code].name}", "点凭证号看凭证，再到业务单据、清册和每一户。", "ledger",
            [Head("日期", "date", 21), Head("凭证", paper=24), Head("摘要"), Head("对方科目", paper=34), Head("项目", paper=28),
             Head("借方（元）", "fen", _FEN), Head("贷方（元）", "fen", _FEN), Head("余额（元）", "fen", _FEN)],
            _detail_rows(lines, told, code), _no_detail(books, book), nav=tabs("book-detail", told.query(code=code)),
            filters=told.filters(Filter("code", "科目", CODES, code)), page=found, seats=SEATS, lines=told.lines,
            unit="金额单位：元", seal=told.names, across=True, of_people=False, totals=False,
            figures=[("期初余额（元）", yuan(opening), ""), ("期末余额（元）", yuan(closing), "")] if book else [],
            notes=[f"期初余额 {yuan(opening)} 元，期末余额 {yuan(closing)} 元", words_of("期末余额", closing)],
        )  # fmt: skip

    return answer_listing(request, build)


def _detail_rows(lines: list[DetailLine], told: Asked, code: str) -> list[list[Any]]:
    return [
        [
            each.occurred_on, Cell(f"{each.word}字第 {each.number} 号", reverse("voucher", args=[each.voucher])), each.summary,
            f"{each.other} {ACCOUNTS[each.other].name}", told.programmes.get(each.programme, each.programme) or None,
            each.debit_fen or None, each.credit_fen or None, statements.on_its_side(code, each.balance_fen),
        ]
        for each in lines
    ]  # fmt: skip


def _no_detail(books: list[tuple[str, str]], book: AccountBook | None) -> str:
    if not books:
        return "还没有账簿。县财政局开立惠民资金专户时同时建账。"
    return "这个期间没有发生额。" if book else "明细账按一个地方的账簿看，请在上面选一个乡镇。"
