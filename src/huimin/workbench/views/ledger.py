"""The books: trial balance, accounts by place, day book, a voucher, the close of a month (LED-01)."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.money import parse_yuan
from huimin.kernel.periods import Period, add_months, month_start
from huimin.ledger.closing import close_month
from huimin.ledger.models import LedgerAccount, Voucher
from huimin.ledger.queries import (
    account_balances,
    closed_until,
    get_voucher,
    list_vouchers,
    trial_balance,
    voucher_lines,
)
from huimin.organisation.acting import may, reading
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, day_of, kept, one_of
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets


@require_safe
@page(guard.BOOKKEEPERS)
def balance(request: Any) -> HttpResponse:
    """Trial balance of a place and all beneath it to the end of a day, and each place's accounts."""
    place = chosen_place(request)
    until = day_of(request.GET.get("until", "")) or request.business_date
    trial = trial_balance(place.prefix, until=until)
    rows = account_balances(place.prefix, until=until)
    places = names_of({row.division for row in rows}, request.business_date)
    if request.GET.get("export") == "xlsx":
        return _export(request, rows, places, until)
    context = {
        "section": "ledger",
        "place": place,
        "until": until,
        "trial": trial,
        "kinds": dict(LedgerAccount.Kind.choices),
        "by_place": _by_place(rows, places),
        "may_close": may(request.actor, close_month),
        "query": kept(request.GET, "place", "until"),
    }
    return render(request, "workbench/ledger.html", context)


def _by_place(rows: list[Any], places: dict[str, str]) -> list[dict[str, Any]]:
    """One row a place, a column an account."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        at = found.setdefault(row.division, {"code": row.division, "name": places.get(row.division, row.division)})
        at[row.code] = row.balance_fen
    return [
        {
            "code": each["code"],
            "name": each["name"],
            "cells": [each.get(code) for code in ("1002", "1003", "3001", "5001")],
        }
        for each in found.values()
    ]


def _export(request: Any, rows: list[Any], places: dict[str, str], until: date) -> HttpResponse:
    columns = (
        Column("地方", width=22), Column("科目编码", width=10), Column("科目", width=20), Column("借方发生额（元）", "fen", 18),
        Column("贷方发生额（元）", "fen", 18), Column("余额（元）", "fen", 18),
    )  # fmt: skip
    table = (
        (places.get(row.division, row.division), row.code, row.name, row.debit_fen, row.credit_fen, row.balance_fen)
        for row in rows
    )
    return export_sheets(request, f"科目余额 {until}", [Sheet("科目余额", columns, table)], of_people=False)


@require_safe
@page(guard.BOOKKEEPERS)
def days(request: Any) -> HttpResponse:
    """The day book (序时账), newest first."""
    place = chosen_place(request)
    event = one_of(request.GET, "event", Voucher.Event.values)
    page_of = list_vouchers(place.prefix, event=event, place=request.GET.get("at", ""))
    context = {
        "section": "days",
        "place": place,
        "event": event,
        "events": Voucher.Event.choices,
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
    }
    return render(request, "workbench/days.html", context)


@require_safe
@page(guard.BOOKKEEPERS)
def voucher(request: Any, number: int) -> HttpResponse:
    found = get_voucher(number)
    kind, _, subject = found.subject.partition(":")
    routes = {"batch": "batch", "roster": "roster"}
    context = {
        "section": "ledger",
        "voucher": found,
        "trail": chain_names(found.division, request.business_date),
        "page": voucher_lines(number, place=request.GET.get("at", "")),
        "programmes": programme_names(),
        "origin": reverse(routes[kind], args=[subject]) if kind in routes and subject.isdigit() else "",
    }
    return render(request, "workbench/voucher.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(close_month.posts))  # type: ignore[attr-defined]
def close(request: Any) -> HttpResponse:
    """Close the books of a place for a month: what is in them first, then the act. There is no reopening."""
    if request.method == "POST":
        return once(request, lambda: _close(request))
    place = chosen_place(request)
    last = add_months(month_start(request.business_date), -1)
    months = [add_months(last, back) for back in (0, -1, -2)]
    rows = account_balances(place.prefix, until=Period(last, add_months(last, 1)).last_day)
    codes = sorted({row.division for row in rows})
    names = names_of(set(codes), request.business_date)
    context = {
        "section": "ledger",
        "place": place,
        "months": [(each.isoformat(), f"{each.year}年{each.month}月") for each in months],
        "books": [(code, names.get(code, code), closed_until(code)) for code in codes],
    }
    return render(request, "workbench/close.html", context)


def _close(request: Any) -> Outcome:
    month = day_of(request.POST.get("month", "")) or add_months(month_start(request.business_date), -1)
    code = request.POST.get("division", "")
    bank = parse_yuan(request.POST.get("bank", ""), where="银行余额")
    closed = close_month(
        by=request.actor, on=request.business_date, division=code, month=month_start(month), bank_fen=bank
    )
    with reading(request.actor):
        name = names_of({code}, request.business_date).get(code, code)
    what = f"{name} {closed.month.year}年{closed.month.month}月已结账"
    return Outcome(what, reverse("close-month"), "这个月及以前不能再记账，更正记在以后的月份。")
