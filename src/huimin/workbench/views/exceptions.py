"""Payment lines that need a person: returned, unknown, unmatched, without a card (PAY-05, PAY-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.organisation.acting import may
from huimin.payment.commands import close_exception, propose_rebooking, reissue_returned, settle_rebooking
from huimin.payment.commands.matching import CODES
from huimin.payment.exception_queries import corrected_among, heads_of
from huimin.payment.models import Batch, PaymentException
from huimin.payment.queries import (
    ExceptionFilter,
    get_batch,
    iterate_exceptions,
    list_reissuable,
    page_exceptions,
    total_exceptions,
    waiting_rebookings,
)
from huimin.registry.commands import propose_card_correction
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, kept, one_of, require_seen
from huimin.workbench.spreadsheet import Column, export

STATES = [("open", "待处理"), ("closed", "已处理")]


@require_safe
@page(guard.PAYERS)
def listing(request: Any) -> HttpResponse:
    """By deadline, with what the bank said and what to do about it."""
    place = chosen_place(request)
    batch = _batch_asked(request)
    wanted = ExceptionFilter(
        prefix=place.prefix,
        kind=one_of(request.GET, "kind", PaymentException.Kind.values),
        state=one_of(request.GET, "state", dict(STATES), "open"),
        batch=batch.pk if batch else None,
    )
    if request.GET.get("export") == "xlsx":
        return _export(request, wanted)
    page_of = page_exceptions(wanted, request.GET.get("at", ""))
    totals = [(each, PaymentException.Kind(each.key).label) for each in total_exceptions(wanted)]
    on = request.business_date
    heads = heads_of({row.entitlement.household_id for row in page_of if row.entitlement and not row.line}, on)
    context = {
        "section": "exceptions",
        "page": page_of,
        "named": {row.pk: _name(row, heads) for row in page_of},
        "corrected": corrected_among([row.line_id for row in page_of if row.line_id], place.prefix, on),
        "may_register": may(request.actor, propose_card_correction),
        "places": names_of({row.division for row in page_of}, request.business_date),
        "place": place,
        "wanted": wanted,
        "kinds": PaymentException.Kind.choices,
        "states": STATES,
        "totals": totals,
        "reissuable": list_reissuable(place.prefix, request.business_date)
        if may(request.actor, reissue_returned)
        else [],
        "codes": CODES,
        "batch": batch,
        "may_close": may(request.actor, close_exception),
        "may_rebook": may(request.actor, propose_rebooking),
        "may_settle_rebooking": may(request.actor, settle_rebooking),
        "rebooked": waiting_rebookings([row.pk for row in page_of if row.kind == PaymentException.Kind.REVERSED]),
        "query": kept(request.GET, "kind", "state", "place", "batch"),
    }
    return render(request, "workbench/exceptions.html", context)


def _name(row: PaymentException, heads: dict[int, str]) -> str:
    """As on the line; of a due that is on none the person's, or the head's where it is the household's."""
    if row.line or row.entitlement is None:
        return row.line.name if row.line else ""
    return row.entitlement.person.name if row.entitlement.person else heads.get(row.entitlement.household_id, "")


def _batch_asked(request: Any) -> Batch | None:
    """The one batch whose exceptions are asked for; 404 where it is none of ours."""
    told = request.GET.get("batch", "")
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and len(told) < 19):
        raise Http404
    batch = get_batch(int(told))
    require_seen(request.actor, batch.programme)
    return batch


def _export(request: Any, wanted: ExceptionFilter) -> HttpResponse:
    columns = (
        Column("代码", width=8), Column("事由", width=14), Column("户编码", width=22), Column("姓名", width=12), Column("账户尾号", width=10),
        Column("金额（元）", "fen"), Column("银行代码", width=10), Column("银行说明", width=26), Column("批次号", width=36),
        Column("期限", "date", 12), Column("状态", width=10), Column("处理结果", width=24),
    )  # fmt: skip

    of_households = wanted.rows().filter(line=None, entitlement__person=None).values("entitlement__household")
    heads = heads_of(of_households, request.business_date)

    def rows() -> Any:
        for each in iterate_exceptions(wanted):
            line = each.line
            household = line.household if line else each.entitlement.household if each.entitlement else None
            yield (
                CODES.get(each.kind, ""), each.get_kind_display(), household.household_no if household else "", _name(each, heads),
                line.card.account_tail if line and line.card else "", each.amount_fen, each.code, each.reason,
                each.batch.batch_no if each.batch else "", each.due_on, each.get_state_display(), each.resolution,
            )  # fmt: skip

    return export(request, f"待处理 {request.business_date}", columns, rows())
