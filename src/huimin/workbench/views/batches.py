"""Batches for the agent bank: the list, one with its lines, release and cancelling, the file, the answer (PAY-03 to PAY-05)."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from huimin.audit.models import Event
from huimin.database.context import declare
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import in_words
from huimin.organisation.acting import Actor, AlreadyDone, may, reading, record_event
from huimin.payment.booked import vouchers_of_batches
from huimin.payment.commands import take_result, write_batch_files
from huimin.payment.commands.sending import batch_file
from huimin.payment.exchange.formats import formats
from huimin.payment.exchange.uploads import list_too_large, take_upload
from huimin.payment.exchange_queries import count_sent, count_unwritten, file_of
from huimin.payment.models import Batch, Instruction
from huimin.payment.queries import (
    BatchFilter,
    get_batch,
    instructions_by_state,
    list_results,
    list_signatures,
    names_of_lines,
    page_batches,
    page_instructions,
    programmes_of_batches,
)
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.answer_told import outcome_of_taken, told_of_answer
from huimin.workbench.bank_forms import BankAnswer
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.steps import BATCH_STEPS, Step, find_step, offered, posts_of
from huimin.workbench.uploads import BYTES_MAX
from huimin.workbench.views.many import BATCHES, tickable

OUTBOX = Path(os.environ.get("HUIMIN_OUTBOX") or Path(settings.HOME) / "bank" / "outbox")
"""Where released batches and transfer orders are written for the agent bank to fetch."""
_HAS_FILE = (Batch.State.WRITTEN, Batch.State.REJECTED, Batch.State.ANSWERED)


class FileChanged(Refusal):
    """The file of a batch, made again, is not what was written."""


@require_safe
@page(guard.BATCH_READERS)
def listing(request: Any) -> HttpResponse:
    is_bank = request.actor.audience == "bank"
    names = programmes_of_batches() if is_bank else seen_of(request.actor, programme_names())
    wanted = BatchFilter(
        state=one_of(request.GET, "state", Batch.State.values),
        programme=one_of(request.GET, "programme", names),
        programmes=programmes_seen(request.actor),
    )
    page_of = page_batches(wanted, request.GET.get("at", ""))
    ticks, steps = tickable(BATCHES, request.actor, page_of.rows)
    context = {
        "section": "batches",
        "page": page_of,
        "ticks": ticks,
        "steps": steps,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "programmes": names,
        "wanted": wanted,
        "states": Batch.State.choices,
        "is_bank": is_bank,
        "may_take": may(request.actor, take_result),
        "to_write": may(request.actor, write_batch_files) and count_unwritten(),
    }
    return render(request, "workbench/batches.html", context)


@require_safe
@page(guard.BATCH_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One batch; the bank sees its sums and states, not whose they are."""
    batch = get_batch(number)
    require_seen(request.actor, batch.programme)
    state = one_of(request.GET, "state", Instruction.State.values)
    page_of = page_instructions(number, state, request.GET.get("at", ""))
    is_bank = request.actor.audience == "bank"
    context = {
        "section": "batches",
        "batch": batch,
        "title": programme_names().get(batch.programme, batch.title),
        "trail": chain_names(batch.division, request.business_date),
        "words": in_words(batch.amount_fen),
        "states": [(each, Instruction.State(each.key).label) for each in instructions_by_state(number)],
        "instruction_states": Instruction.State.choices,
        "state": state,
        "page": page_of,
        "lines": {} if is_bank else names_of_lines([row.line_id for row in page_of]),
        "results": [(each, told_of_answer(each)) for each in list_results(number)],
        "signatures": [] if is_bank else list_signatures(f"batch:{batch.pk}"),
        "steps": offered(BATCH_STEPS, request.actor, batch),
        "file": file_of(batch),
        "format": formats()[batch.format].title if batch.format in formats() else batch.format,
        "setting": None if is_bank else batch.setting,  # whose rows the bank does not see
        "is_bank": is_bank,
        "may_see_files": request.actor.post in guard.BANK_READERS,
        "vouchers": [] if is_bank else vouchers_of_batches([batch.batch_no])[batch.batch_no],
        "may_see_books": request.actor.post in guard.BOOKKEEPERS,
        "has_file": batch.state in _HAS_FILE and may_fetch(request.actor),
        "prepared_by_me": batch.prepared_by == request.actor.appointment,
    }
    return render(request, "workbench/batch.html", context)


def may_fetch(by: Actor) -> bool:
    """The file holds plain numbers: the bank it is for, and the office that releases it."""
    return by.audience == "bank" or may(by, write_batch_files)


@require_http_methods(["GET", "POST"])
@page(posts_of(BATCH_STEPS))
def step(request: Any, number: int, key: str) -> HttpResponse:
    """The check before a step of a batch, and the step."""
    chosen = find_step(BATCH_STEPS, key)
    if chosen is None:
        raise Http404
    if request.method == "POST":
        return once(request, lambda: _take(request, chosen, number))
    batch = get_batch(number)
    context = {
        "section": "batches",
        "step": chosen,
        "batch": batch,
        "title": programme_names().get(batch.programme, batch.programme),
        "trail": chain_names(batch.division, request.business_date),
        "words": in_words(batch.amount_fen),
        "hindrance": chosen.hindrance(request.actor, batch),
        "back": reverse("batch", args=[number]),
    }
    return render(request, "workbench/batch_step.html", context)


def _take(request: Any, chosen: Step, number: int) -> Outcome:
    chosen.act(by=request.actor, on=request.business_date, batch_id=number)
    return Outcome(chosen.done, reverse("batch", args=[number]), chosen.then)


@require_POST
@page(frozenset(write_batch_files.posts))  # type: ignore[attr-defined]
def write_files(request: Any) -> HttpResponse:
    """Write every released batch for the bank; again writes the same bytes."""

    def act() -> Outcome:
        with reading(request.actor):
            before = count_sent()
        written = len(write_batch_files(by=request.actor, on=request.business_date, folder=OUTBOX))
        with reading(request.actor):
            over_sftp = count_sent() - before - written
        told = [f"已写出 {written} 个银行文件"] if written or not over_sftp else []
        told += [f"{over_sftp} 个银行文件已交后台用 SFTP 传送"] if over_sftp > 0 else []
        link = ("看送到了没有", f"{reverse('bank-files')}?direction=out") if over_sftp > 0 else None
        return Outcome("，".join(told), reverse("batches"), "银行可以取件了。" if written else "", link=link)

    return once(request, act)


@require_safe
@page(guard.BATCH_READERS)
def file(request: Any, number: int) -> HttpResponse:
    """The file as it was written, checked by its digest; each download is recorded (SEC-04)."""
    batch = get_batch(number)
    if not may_fetch(request.actor):
        raise Refusal("这个岗位不能下载银行文件", why="文件里有完整号码", remedy="请由财政复核放行岗或代理银行下载")
    name, data = _written(request, batch)
    record_event(request.actor, Event.Kind.EXPORTED, f"batch:{batch.pk}", {"file": name, "rows": batch.lines_count})
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(request: Any, batch: Batch) -> tuple[str, bytes]:
    """The file made again from what was stored; the bank may have its file, but may not read the registry it is of."""
    own = request.actor.scope()
    declare(replace(own, audience="system"))
    name, data = batch_file(batch)
    declare(own)
    if hashlib.sha256(data).hexdigest() != batch.file_sha256:
        raise FileChanged(
            "银行文件与写出时的不一样", why="清册或账户的数据可能被改动", remedy="请停止办理并报告监督员核查"
        )
    return name, data


@require_http_methods(["GET", "POST"])
@page(frozenset(take_result.posts))  # type: ignore[attr-defined]
def take(request: Any) -> HttpResponse:
    """Take one answer of the bank; a wrong file changes nothing and says which line is wrong."""
    form = BankAnswer(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            if getattr(request, "too_large", False):
                raise list_too_large(
                    by=request.actor, on=request.business_date, file_name=form.cleaned_data["file"].name, most=BYTES_MAX
                )
            return once(request, lambda: _take_answer(request, **form.cleaned_data))
        except (BadInput, AlreadyDone) as wrong:
            form.add_error("file", f"{wrong}已记在“银行文件”里。")
    context = {"section": "batches", "form": form, "title": "收回盘文件", "back": reverse("batches")}
    return render(request, "workbench/take.html", context, status=422 if form.errors else 200)


def _take_answer(request: Any, file: Any, signature: Any = None) -> Outcome:
    taken = take_upload(
        by=request.actor, on=request.business_date, source=file.file, file_name=file.name,
        signature=signature.read() if signature else None,
    )  # fmt: skip
    return outcome_of_taken(request.actor, taken)
