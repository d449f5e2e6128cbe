"""Doubts at the desk: what must be asked back, what was said, and the change report that carries it (VER-02, DET-01)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.changes import Effect
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.visits import doubts_pdf
from huimin.registry.models import Household
from huimin.registry.showing import show
from huimin.visits import doubts as room
from huimin.visits import queries
from huimin.visits.models import Doubt
from huimin.visits.recording import VISITORS
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.changes import outcome_of, shown
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.visit_forms import Report, Settle, content_of, file_of
from huimin.workbench.visit_side import nav

READERS = frozenset(VISITORS)
REPORTERS = frozenset(room.report_found.posts)  # type: ignore[attr-defined]
State = Doubt.State


def row_of(by: Actor, doubt: Doubt) -> dict[str, Any]:
    """One doubt in words, for the eyes of `by`; whether he may settle it."""
    fact = room.facts_here(doubt.household_id).get(doubt.fact) if doubt.fact else None
    may_settle = doubt.state == State.OPEN and may(by, room.settle_doubt)
    told = {"doubt": doubt, "may_settle": may_settle, "waits": bool(room.to_change([doubt])), "what": doubt.what}
    if fact is None:
        return told | {"fact": "", "registered": "没有申报", "found": doubt.what or doubt.fact}
    who = f"{doubt.person.name}的" if doubt.person else ""
    return told | {
        "fact": f"{who}{fact.name}", "registered": show(fact, doubt.registered, by).text,
        "found": show(fact, doubt.found, by).text,
    }  # fmt: skip


@require_safe
@page(READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Doubts that stand in the way, or those in a state; the oldest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", State.values)
        size = 1000 if whole else 50
        found = queries.page_doubts(place.prefix, state, request.GET.get("at", ""), size, programmes_seen(by))
        names = names_of({row.division for row in found}, on)
        told = [row_of(by, row) for row in found]
        return Listing(
            "疑点", "入户、信函查到的和申报不一致的，向申请人核实；核实完才能往下办。", "visits",
            [Head("户编码", paper=36), Head("村（组）", paper=34), Head("哪一项"), Head("登记（申报）", paper=34), Head("查到", paper=40),
             Head("状态", paper=26)],
            [[Cell(row["doubt"].household.household_no, _source(row["doubt"])), names.get(row["doubt"].division, ""),
              row["fact"] or "未申报的情况", row["registered"], row["found"], _state(row)] for row in told],
            "没有待核实的疑点。", nav=nav("doubts"), page=found,
            filters=[Filter("state", "状态", State.choices, state), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _source(doubt: Doubt) -> str:
    if doubt.visit_id:
        return reverse("visit", args=[doubt.visit_id])
    return reverse("proof-letter", args=[doubt.letter_id])


def _state(row: dict[str, Any]) -> Cell:
    doubt = row["doubt"]
    if row["may_settle"]:
        return Cell("待核实", reverse("doubt-settle", args=[doubt.pk]), tone="soon")
    if row["waits"]:
        return Cell("查实，待办变更", reverse("doubt-change", args=[doubt.household_id]), tone="soon")
    return Cell(doubt.get_state_display(), tone="soon" if doubt.state == State.OPEN else "done")


@require_http_methods(["GET", "POST"])
@page(frozenset(room.settle_doubt.posts))  # type: ignore[attr-defined]
def settle(request: Any, number: int) -> HttpResponse:
    """What the household says to it, with the paper."""
    by, on = request.actor, request.business_date
    with reading(by):
        doubt = Doubt.objects.select_related("household", "person", "visit", "letter", "change", "case").get(pk=number)
        if doubt.case:
            require_seen(by, doubt.case.programme)
        row, trail = row_of(by, doubt), chain_names(doubt.division, on)
    form = Settle(request.POST or None)

    def act() -> Outcome:
        told, sent = form.cleaned_data, file_of(request)
        done = room.settle_doubt(
            by=by, on=on, doubt_id=number, confirmed=told["outcome"] == "confirmed", answer=told["answer"],
            evidence=told["evidence"], content=content_of(sent, "凭据"), file_name=sent.name if sent else "",
        )  # fmt: skip
        waits = done.state == State.CONFIRMED and bool(done.fact)
        then = "请接着办理变更，登记改了才能往下办。" if waits else "凭据和说明保存在这条疑点里。"
        return Outcome(f"已{done.get_state_display()}", _source(done), then)

    words = f"{row['fact']}：登记是{row['registered']}，查到是{row['found']}" if row["fact"] else row["found"]
    context = {
        "section": "visits", "title": "核实疑点", "button": "登记核实结果", "effect": "先请申请人说明，再写结果。", "trail": trail,
        "file": "凭据的扫描件或照片（排除疑点必须有）", "back": _source(doubt), "lead": f"{doubt.household.household_no}，{words}",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/visit_act.html", context)


@require_http_methods(["GET", "POST"])
@page(REPORTERS)
def change(request: Any, household: int) -> HttpResponse:
    """What was confirmed goes into a change report, with what it does to benefits before and after."""
    by, on = request.actor, request.business_date
    with reading(by):
        home = Household.objects.get(pk=household)
        rows = room.to_change(queries.list_doubts_of(household=household))
        if not rows and request.method == "GET":
            return redirect("household", household)
        first = _basis(rows)
        context: dict[str, Any] = _effects(by, on, rows, first["effective_on"]) if rows else {}
        context |= {"rows": [row_of(by, each) for each in rows], "trail": chain_names(home.division, on)}
    form = Report(request.POST or None, initial=first)

    def act() -> Outcome:
        told = form.cleaned_data
        made = room.report_found(
            by=by, on=on, doubts=[row.pk for row in rows], effective_on=told["effective_on"], evidence=told["evidence"]
        )
        return outcome_of(by, made)

    context |= {"section": "visits", "home": home, "button": "上报变更" if by.level == 12 else "录入变更"}
    return answer_form(request, form, act, "workbench/doubt_change.html", context)


def _basis(rows: list[Doubt]) -> dict[str, Any]:
    """Since the day of the visit, on its form."""
    visits = [row.visit for row in rows if row.visit]
    letters = [row.letter for row in rows if row.letter]
    day = max(
        [each.visited_on for each in visits] + [each.answered_on for each in letters if each.answered_on], default=None
    )
    papers = sorted({f"入户调查表 {each.number}" for each in visits} | {f"信函 {each.number} 回函" for each in letters})
    return {"effective_on": day, "evidence": "、".join(papers)[:120]}


def _effects(by: Actor, on: Any, rows: list[Doubt], since: Any) -> dict[str, Any]:
    try:
        return shown(by, on, room.told_of(rows, since, "入户调查表"))
    except Refusal as refusal:
        return {"hindered": str(refusal), "effects": [], "others": 0}


@require_safe
@page(READERS, reads=False)
def pdf(request: Any, household: int) -> HttpResponse:
    """The open doubts of a household as a sheet to be answered and signed."""
    content = doubts_pdf(
        by=request.actor, on=request.business_date, household=household, mark=printed_by(request, "核实疑点"),
        address=request.build_absolute_uri(reverse("household", args=[household])),
    )  # fmt: skip
    return pdf_answer(content, f"疑点核实单{household}")


def effects_of_changes(changes: Any) -> list[tuple[Any, list[Effect]]]:
    """Changes that carry doubts, with the determination before and after as it was stored."""
    return [(row, [Effect(**each) for each in row.effects]) for row in changes]
