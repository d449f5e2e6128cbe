"""Ledger = bank = roster at a quarter's end, and the auditor's path of one line, both ways (LED-03, LED-01)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.screening import granted_of
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.money import yuan
from huimin.kernel.periods import Period, add_months, quarter
from huimin.ledger import queries
from huimin.ledger.models import QuarterProof
from huimin.organisation.acting import Actor, AlreadyDone, may, reading
from huimin.payment.finding_queries import freed_lines
from huimin.payment.models import RosterLine
from huimin.payment.quarter_proof import SHOWN_MAX, Found, digest_of, prove_quarter, sign_quarter, words_of
from huimin.payment.queries import late_parts
from huimin.payment.tracing import Trace, trace_line
from huimin.policy.queries import programme_names
from huimin.registry.snapshots import NotRegistered
from huimin.screening.explaining import explain_household
from huimin.screening.models import Run
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.book_forms import ProofNote
from huimin.workbench.book_side import SEATS, chosen_book
from huimin.workbench.explaining import Reason, told
from huimin.workbench.guard import page
from huimin.workbench.listing import one_of, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

QUARTERS_BACK = 9


def _quarters(on: Any) -> list[tuple[str, str]]:
    """This quarter and those before it."""
    start = quarter(on.year, (on.month + 2) // 3).start
    starts = [add_months(start, -3 * back) for back in range(QUARTERS_BACK)]
    return [(f"{each.year}Q{(each.month + 2) // 3}", str(quarter(each.year, (each.month + 2) // 3))) for each in starts]


def _quarter(request: Any, source: Any) -> tuple[int, int]:
    """What the address names; the last quarter that is over otherwise."""
    choices = _quarters(request.business_date)
    asked = one_of(source, "quarter", dict(choices), choices[1][0]) or choices[1][0]
    year, number = asked.split("Q")
    return int(year), int(number)


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def proof(request: Any) -> HttpResponse:
    """The comparison of a quarter with every difference, computed now."""
    by, on = request.actor, request.business_date

    def build(_: bool) -> Listing:
        year, number = _quarter(request, request.GET)
        place = chosen_book(request)
        proved = prove_quarter(place.prefix, year, number)
        names, programmes = names_of({each.division for each in proved.differences}, on), programme_names()
        unit = "".join(chain_names(place.code or by.division, on)[2:])
        asked = f"quarter={year}Q{number}&place={place.code}"
        signed = queries.last_proof(place.code or by.division, year, number)
        same = signed is not None and signed.digest == digest_of(signed.division, year, number, proved)
        return Listing(
            f"{proved.period}三方核对", "账、银行、清册逐笔核对，应当没有差异；结完这一季的账后签字。", "proofs",
            [Head("地方", paper=22), Head("项目", paper=28), Head("批次", paper=44), Head("清册行", paper=22), Head("姓名", paper=18),
             Head("账（元）", "fen", 24), Head("银行（元）", "fen", 24), Head("清册（元）", "fen", 24), Head("差异")],
            [_difference(each, names, programmes) for each in proved.differences],
            f"没有差异。{words_of(proved)}。", across=True, totals=False,
            filters=[Filter("quarter", "季度", _quarters(on), f"{year}Q{number}", True), Filter("place", "账簿", place.options, place.code)],
            figures=[("批次", f"{proved.batches:,}", ""), ("逐笔核对（行）", f"{proved.lines:,}", ""),
                     ("差异", f"{proved.count:,}", "late" if proved.count else ""), ("在途（元）", yuan(proved.in_transit_fen), "")],
            note=_note(proved.count, signed, same), lines=[f"核对单位：{unit}　　{proved.period}"], unit="金额单位：元", seal=unit,
            notes=[f"账上支出 {yuan(proved.ledger_fen)} 元，银行入账 {yuan(proved.bank_fen)} 元，清册已发 {yuan(proved.roster_fen)} 元。",
                   f"差异 {proved.count} 处。"], seats=[*SEATS[:3], "银行核对人"],
            acts=([("签字", f"{reverse('proof-sign')}?{asked}")] if may(by, sign_quarter) and not same else []) + [("签字记录", reverse("proof-list"))],
        )  # fmt: skip

    return answer_listing(request, build)


def _note(count: int, signed: QuarterProof | None, same: bool) -> str:
    shown = f"列出前 {SHOWN_MAX} 处，共 {count:,} 处。" if count > SHOWN_MAX else ""
    if signed is None:
        return f"{shown}这一季还没有签字。"
    return shown + _signed_words(signed) + ("" if same else "签字以后又有变动，请核对后重新签字。")


def _signed_words(signed: QuarterProof) -> str:
    return f"已由{signed.signature.signer} {signed.signed_on} 签字，差异 {signed.differences_count} 处。"


def _difference(each: Found, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    line = Cell(str(each.line), reverse("trace", args=[each.line])) if each.line else None
    return [
        names.get(each.division, each.division), programmes.get(each.programme, each.programme), each.batch_no, line,
        each.name, each.ledger_fen, each.bank_fen, each.roster_fen, each.words,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(sign_quarter.posts))  # type: ignore[attr-defined]
def sign(request: Any) -> HttpResponse:
    """Sign the comparison of a quarter."""
    by, on = request.actor, request.business_date
    source = request.POST if request.method == "POST" else request.GET
    year, number = _quarter(request, source)
    with reading(by):
        place = chosen_book(request, source)
        proved = prove_quarter(place.prefix, year, number)
        signed = queries.last_proof(place.code or by.division, year, number)
    if signed is not None and signed.digest == digest_of(signed.division, year, number, proved):
        raise AlreadyDone(_signed_words(signed), why="签字以后数字没有变动", remedy="不必再签，请看签字记录")
    form = ProofNote(request.POST or None)

    def act() -> Outcome:
        made = sign_quarter(
            by=by,
            on=on,
            division=place.code or by.division,
            prefix=place.prefix,
            year=year,
            number=number,
            note=form.cleaned_data["note"],
        )
        return Outcome(
            f"{quarter(year, number)}三方核对已签字", reverse("proof-list"), f"差异 {made.differences_count} 处。"
        )

    context = {
        "section": "proofs", "title": f"签字：{quarter(year, number)}三方核对", "button": "签字", "lead": words_of(proved) + "。",
        "back": f"{reverse('proofs')}?quarter={year}Q{number}&place={place.code}",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_safe
@page(guard.BOOKKEEPERS, reads=False)
def signed(request: Any) -> HttpResponse:
    """Comparisons as they were signed."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        found = queries.list_proofs(by.prefix, place=request.GET.get("at", ""), size=1000 if whole else 50)
        names = names_of({row.division for row in found}, on)
        rows = [
            [str(quarter(row.year, row.quarter)), names.get(row.division, row.division), row.batches_count, row.lines_count,
             row.ledger_fen, row.bank_fen, row.roster_fen, row.differences_count, row.note, row.signed_on]
            for row in found
        ]  # fmt: skip
        return Listing(
            "三方核对签字记录", "签名覆盖核对的数字和每一处差异。", "proofs",
            [Head("季度", paper=30), Head("单位", paper=26), Head("批次", "count", 16), Head("行", "count", 18), Head("账（元）", "fen", 28),
             Head("银行（元）", "fen", 28), Head("清册（元）", "fen", 28), Head("差异", "count", 14), Head("处理意见"), Head("签字", "date", 22)],
            rows, "还没有签过字。", page=found, acts=[("核对", reverse("proofs"))], across=True, of_people=False, totals=False,
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.PAYERS)
def trace(request: Any, number: int) -> HttpResponse:
    """One roster line: what it rests on, down to the law, and what became of it, up to the vouchers."""
    try:
        found = trace_line(number)
    except RosterLine.DoesNotExist:
        raise Http404 from None
    programmes = programme_names()
    require_seen(request.actor, found.line.programme, programmes.get(found.line.programme, ""))
    context = {
        "section": "rosters", "trace": found, "line": found.line, "trail": chain_names(found.line.division, request.business_date),
        "programme": programmes.get(found.line.programme, found.line.programme),
        "period": Period(found.roster.period_from, found.roster.period_until),
        "reasons": _reasons(request.actor, found), "late": late_parts([found.line]).get(found.line.pk, (0, 0)),
        "freed": freed_lines([found.line]).get(found.line.pk), "may_see_books": request.actor.post in guard.BOOKKEEPERS,
    }  # fmt: skip
    return render(request, "workbench/trace.html", context)


def _reasons(by: Actor, found: Trace) -> list[Reason]:
    """The conditions with their articles, by what is registered now, as of the determination."""
    proposal, on = found.decision.proposal, found.decision.decided_on
    if proposal and (run := Run.objects.filter(pk=proposal.run_id).first()):
        on = run.determination_date
    line = found.line
    try:
        held = granted_of(line.household_id, on)
        reasons = told(explain_household(by=by, household_id=line.household_id, on=on, granted=held), by)
    except NotRegistered:
        return []
    own = [each for each in reasons if each.programme == line.programme]
    return [each for each in own if each.person == found.entitlement.person_id] if found.entitlement.person_id else own
