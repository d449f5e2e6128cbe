"""Settlement with the upper finance: as it stands, prepared by one, signed by another, on paper (FUND-04)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.funds.models import FundSettlement
from huimin.organisation.acting import may, reading
from huimin.payment.settlement import (
    Row,
    confirm_settlement,
    last_settlement,
    list_settlements,
    period_of,
    prepare_settlement,
    rows_of,
    settle_rows,
)
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, signed_lines
from huimin.workbench.templatetags.huimin import money_sign
from huimin.workbench.views.reliefs import _answer as answer

YEARS_BACK = 4
_HEADS = [
    Head("补贴项目", paper=34), Head("指标文号"), Head("指标", "fen", 24), Head("上年结存", "fen", 20), Head("本期拨付", "fen", 22),
    Head("本期支出", "fen", 22), Head("本期缴回", "fen", 18), Head("累计拨付", "fen", 22), Head("累计支出", "fen", 22),
    Head("累计缴回", "fen", 18), Head("结存", "fen", 20), Head("指标余额", "fen", 22),
]  # fmt: skip
SEATS = ("编制", "复核", "单位负责人", "上级财政核对")
"""By hand. Who signed here is named with the signature; the others sign on the paper."""


def _choices(on: Any) -> list[tuple[str, str]]:
    """Quarters and years that are over, the latest first."""
    found = []
    for year in range(on.year, on.year - YEARS_BACK, -1):
        for number in (0, 4, 3, 2, 1):
            if period_of(year, number).until <= on:
                found.append((f"{year}Q{number}", f"{year} 年" if number == 0 else str(period_of(year, number))))
    return found


def _asked(request: Any, source: Any) -> tuple[int, int]:
    choices = _choices(request.business_date)
    year, number = (one_of(source, "period", dict(choices), choices[0][0]) or choices[0][0]).split("Q")
    return int(year), int(number)


@require_safe
@page(guard.BANK_READERS, reads=False)
def settlement(request: Any) -> HttpResponse:
    """The settlement of a period, counted now; the paper is signed by hand as well."""
    by, on = request.actor, request.business_date

    def build(_: bool) -> Listing:
        year, number = _asked(request, request.GET)
        rows, programmes = settle_rows(by.prefix, year, number), programme_names()
        last = last_settlement(by.division, year, number)
        same = last is not None and rows_of(last) == rows
        acts = [("签字记录", reverse("settlement-list"))]
        if last is not None:
            acts = [("已签字的结算单", reverse("settlement", args=[last.pk])), *acts]
        if rows and not same and may(by, prepare_settlement):
            acts = [("编制并签字", f"{reverse('settlement-new')}?period={year}Q{number}"), *acts]
        return _listing(
            request, rows, programmes, year, number, acts=acts, signed=[_standing(last, same)],
            filters=[Filter("period", "季度或年度", _choices(on), f"{year}Q{number}", True)],
        )  # fmt: skip

    return answer_listing(request, build)


def _standing(last: FundSettlement | None, same: bool) -> str:
    """Whether what is shown was signed, by whom, and what it waits for."""
    if last is None:
        return "按现在的账计算，还没有编制签字。"
    then = f"{last.confirmation.signer} {last.confirmed_on} 复核签字" if last.confirmation else "等复核"
    words = f"已由{last.signature.signer} {last.prepared_on} 编制签字，{then}。"
    return words if same else f"{words}签字以后账上又有变动，这里按现在的账计算。"


def _listing(
    request: Any, rows: list[Row], programmes: dict[str, str], year: int, number: int, *, signed: list[str], seats: tuple[str, ...] = SEATS,
    **more: Any,
) -> Listing:  # fmt: skip
    by, on = request.actor, request.business_date
    unit = "".join(chain_names(by.division, on)[-2:])
    period = f"{year} 年" if number == 0 else str(period_of(year, number))
    return Listing(
        f"{period}惠民资金结算单", "与上级财政结算：每份指标文件拨了多少、发到户多少、缴回多少、还结存多少。金额单位：元。", "settlements", _HEADS,
        [
            [programmes.get(row.programme, row.programme), Cell(row.document_no, reverse("indicator", args=[row.allotment])),
             *_amounts(row)]
            for row in rows
        ] + ([["合计", None, *map(sum, zip(*map(_amounts, rows), strict=True))]] if rows else []),
        "这一期没有拨付、支出或缴回。", across=True, of_people=False, totals=False, unit="金额单位：元", seal=unit, seats=seats,
        lines=[f"编制单位：{unit}　　{period}"], notes=[_words(rows), *signed], note="".join([_words(rows), *signed]), **more,
    )  # fmt: skip


def _amounts(row: Row) -> list[int]:
    return [
        row.indicator_fen, row.opening_fen, row.received_fen, row.spent_fen, row.returned_fen, row.received_year_fen,
        row.spent_year_fen, row.returned_year_fen, row.lying_fen, row.left_fen,
    ]  # fmt: skip


def _words(rows: list[Row]) -> str:
    """The year's sums in one sentence."""
    sums = [sum(getattr(row, name) for row in rows) for name in (
        "opening_fen", "received_year_fen", "spent_year_fen", "returned_year_fen", "lying_fen")]  # fmt: skip
    named = zip(("上年结存", "累计拨付", "累计支出", "累计缴回", "期末结存"), sums, strict=True)
    return "，".join(f"{label} {money_sign(fen)}" for label, fen in named) + "。"


@require_http_methods(["GET", "POST"])
@page(frozenset(prepare_settlement.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    """Freeze and sign it."""
    by, on = request.actor, request.business_date
    year, number = _asked(request, request.POST if request.method == "POST" else request.GET)
    with reading(by):
        rows = settle_rows(by.prefix, year, number)

    def act() -> Outcome:
        made = prepare_settlement(by=by, on=on, year=year, number=number)
        return Outcome("结算单已编制签字", reverse("settlement", args=[made.pk]), "由财政复核放行岗复核签字后上报。")

    period = f"{year} 年" if number == 0 else str(period_of(year, number))
    context = {
        "section": "settlements", "title": f"编制{period}结算单", "words": _words(rows), "count": len(rows), "button": "编制并签字",
        "period": f"{year}Q{number}", "back": f"{reverse('settlements')}?period={year}Q{number}",
    }  # fmt: skip
    return answer(request, None, act, "workbench/settlement_act.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.BANK_READERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """One as it was signed; the second person signs from here."""
    by = request.actor

    def build(_: bool) -> Listing:
        row = _settlement(number)
        acts = []
        if row.confirmed_by is None and may(by, confirm_settlement) and row.prepared_by != by.appointment:
            acts = [("复核签字", reverse("settlement-confirm", args=[number]))]
        state = f"{row.prepared_on} 编制签字" + (
            f"，{row.confirmed_on} 复核签字" if row.confirmed_on else "，等复核签字"
        )
        signed = [f"{each}。" for each in signed_lines(row.signature, row.confirmation)]
        seats = SEATS[2:] if row.confirmation else SEATS[1:]
        made = _listing(
            request, rows_of(row), programme_names(), row.year, row.quarter, acts=acts, signed=signed, seats=seats
        )
        made.lead = f"{state}。签名覆盖表中每一个数字。"
        return made

    return answer_listing(request, build)


def _settlement(number: int) -> FundSettlement:
    found = FundSettlement.objects.filter(pk=number).select_related("signature", "confirmation").first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
@page(frozenset(confirm_settlement.posts))  # type: ignore[attr-defined]
def confirm(request: Any, number: int) -> HttpResponse:
    """The second signature, over figures counted anew."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = _settlement(number)

    def act() -> Outcome:
        confirm_settlement(by=by, on=on, number=number)
        return Outcome("结算单已复核签字", reverse("settlement", args=[number]), "可以打印盖章，报上级财政。")

    period = f"{row.year} 年" if row.quarter == 0 else str(period_of(row.year, row.quarter))
    context = {
        "section": "settlements", "title": f"复核{period}结算单", "words": _words(rows_of(row)), "count": len(row.rows),
        "button": "复核签字", "period": "", "back": reverse("settlement", args=[number]),
    }  # fmt: skip
    return answer(request, None, act, "workbench/settlement_act.html", context)


@require_safe
@page(guard.BANK_READERS, reads=False)
def signed(request: Any) -> HttpResponse:
    """Settlements as they were signed."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        rows = list_settlements()
        names = names_of({row.division for row in rows}, on)
        return Listing(
            "结算单签字记录", "一人编制，另一人复核；复核时数字重新计算，不同就不能签。", "settlements",
            [Head("期间", paper=40), Head("单位", paper=30), Head("累计拨付（元）", "fen", 30), Head("累计支出（元）", "fen", 30),
             Head("累计缴回（元）", "fen", 30), Head("结存（元）", "fen", 30), Head("编制", "date", 24), Head("复核", "date", 24)],
            [
                [Cell(f"{row.year} 年" if row.quarter == 0 else str(period_of(row.year, row.quarter)), reverse("settlement", args=[row.pk])),
                 names.get(row.division, row.division), row.received_fen, row.spent_fen, row.returned_fen, row.lying_fen,
                 row.prepared_on, row.confirmed_on]
                for row in rows
            ],
            "还没有编制过结算单。", across=True, of_people=False, totals=False, acts=[("结算单", reverse("settlements"))],
        )  # fmt: skip

    return answer_listing(request, build)
