"""Money from above: applications, allotments, reserving, transferring and the bank's answer (FUND-01 to FUND-03)."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huimin.divisions.queries import names_of
from huimin.funds.commands import (
    reserve_funding,
    take_transfer_answer,
    transfer_funding,
    withdraw_application,
    write_transfer_orders,
)
from huimin.funds.models import FundingApplication
from huimin.funds.queries import list_applications
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import in_words
from huimin.organisation.acting import Actor, may
from huimin.payment.exchange.uploads import take_transfer_upload
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import Answer
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of
from huimin.workbench.views.batches import OUTBOX

State = FundingApplication.State


@dataclass(frozen=True)
class Act:
    """What can be done with ticked applications."""

    key: str
    act: Callable[..., Any]
    state: str
    ask: str
    button: str
    done: str
    then: str
    effect: str


ACTS = (
    Act("reserve", reserve_funding, State.APPLIED, "核对指标并预留？", "预留指标", "已预留指标",
        "由另一个人复核后拨付。", "按项目和年度从就近的指标预留；指标不够，一件都不办。"),
    Act("transfer", transfer_funding, State.RESERVED, "拨付这些资金？", "拨付", "已签发拨款",
        "写出拨款指令送银行，银行回执后入账。", "从财政专户拨到乡镇惠民资金专户。预留指标的人不能拨付。"),
)  # fmt: skip

WITHDRAW = Act("withdraw", withdraw_application, State.APPLIED, "撤回这件申请？", "撤回申请", "已撤回拨款申请",
               "可以在清册里重新申请。", "还没有预留指标，没有动钱。")  # fmt: skip


@require_safe
@page(guard.PAYERS)
def listing(request: Any) -> HttpResponse:
    by: Actor = request.actor
    names = programme_names()
    place = chosen_place(request)
    state = one_of(request.GET, "state", State.values)
    programme = one_of(request.GET, "programme", names)
    page_of = list_applications(prefix=place.prefix, state=state, programme=programme, place=request.GET.get("at", ""))
    here = {row.state for row in page_of}
    acts = [act for act in ACTS if may(by, act.act) and act.state in here]
    codes = {row.division for row in page_of}
    context = {
        "section": "applications",
        "page": page_of,
        "places": names_of(codes, request.business_date),
        "programmes": names,
        "place": place,
        "state": state,
        "programme": programme,
        "states": State.choices,
        "acts": acts,
        "act_states": {act.state for act in acts},
        "may_withdraw": may(by, withdraw_application),
        "may_write": may(by, write_transfer_orders),
        "may_take": may(by, take_transfer_answer),
    }
    return render(request, "workbench/applications.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset().union(*(act.act.posts for act in ACTS)))  # type: ignore[attr-defined]
def act(request: Any, key: str) -> HttpResponse:
    """Check the ticked applications, their number and sum; then act on all or none."""
    chosen = next((each for each in ACTS if each.key == key), None)
    if chosen is None:
        raise Http404
    source = request.POST if request.method == "POST" else request.GET
    ids = ids_of(source, 500)
    if not ids:
        raise Refusal("没有勾选拨款申请", remedy="请返回列表勾选后再办")
    if request.method == "POST":
        return once(request, lambda: _act(request, chosen, ids))
    return _check(request, chosen, ids)


def _check(request: Any, chosen: Act, ids: list[int]) -> HttpResponse:
    rows = list(FundingApplication.objects.filter(pk__in=ids).order_by("id"))
    total = sum(row.amount_fen for row in rows)
    context = {
        "section": "applications",
        "act": chosen,
        "rows": rows,
        "ids": ids,
        "places": names_of({row.division for row in rows}, request.business_date),
        "programmes": programme_names(),
        "amount_fen": total,
        "words": in_words(total),
    }
    return render(request, "workbench/application_act.html", context)


def _act(request: Any, chosen: Act, ids: list[int]) -> Outcome:
    chosen.act(by=request.actor, on=request.business_date, application_ids=ids)
    return Outcome(f"{chosen.done} {len(ids)} 件", reverse("applications"), chosen.then)


@require_http_methods(["GET", "POST"])
@page(frozenset(withdraw_application.posts))  # type: ignore[attr-defined]
def withdraw(request: Any, number: int) -> HttpResponse:
    """Check an application, then take it back."""
    if request.method == "POST":
        return once(request, lambda: _withdraw(request, number))
    return _check(request, WITHDRAW, [number])


def _withdraw(request: Any, number: int) -> Outcome:
    withdraw_application(by=request.actor, on=request.business_date, application_id=number)
    return Outcome(WITHDRAW.done, reverse("applications"), WITHDRAW.then)


@require_POST
@page(frozenset(write_transfer_orders.posts))  # type: ignore[attr-defined]
def write_orders(request: Any) -> HttpResponse:
    """Write every order that is on its way for the bank; again writes the same bytes."""

    def act() -> Outcome:
        written = write_transfer_orders(by=request.actor, on=request.business_date, folder=OUTBOX)
        return Outcome(f"已写出 {len(written)} 个拨款指令", reverse("applications"), "银行可以取件了。")

    return once(request, act)


@require_http_methods(["GET", "POST"])
@page(frozenset(take_transfer_answer.posts))  # type: ignore[attr-defined]
def take(request: Any) -> HttpResponse:
    """Take the bank's answer to a transfer; a wrong file changes nothing."""
    form = Answer(request.POST or None, request.FILES or None, starts=("ZJR_", "ZJX_"))
    if request.method == "POST" and form.is_valid():
        try:
            return once(request, lambda: _take(request, form.cleaned_data["file"]))
        except BadInput as wrong:
            form.add_error("file", f"{wrong}已记在“银行文件”里。")
    context = {
        "section": "applications", "form": form, "title": "收拨款回执", "back": reverse("applications"),
        "unlisted": "空文件、名称不对和过大的",
    }  # fmt: skip
    return render(request, "workbench/take.html", context, status=422 if form.errors else 200)


def _take(request: Any, upload: Any) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(upload.name).name
        path.write_bytes(upload.read())
        found = take_transfer_upload(by=request.actor, on=request.business_date, path=path)
    came, then = _came_to(found)
    where = reverse("applications")
    if found.taken_before:
        return Outcome(f"划款单 {found.transfer_no} 的回执已经收过", where, f"先前的结果是“{came}”，这次没有改动。")
    return Outcome(f"已收回执：{came}", where, then)


def _came_to(application: FundingApplication) -> tuple[str, str]:
    """What the bank said of an order, and what that means."""
    if application.state == State.TRANSFERRED:
        return str(application.get_state_display()), ""
    if application.refusal:
        return "银行没有划款", f"{application.refusal}。核对后可以重新拨付。"
    return "银行还在处理", "钱还没有拨到，等银行的下一份回执。"
