"""Indicators at the desk: the tree of documents, one of them, registering, issuing, cutting, carrying, the second person (FUND-01)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.models import Division
from huimin.divisions.queries import list_beneath, names_of
from huimin.funds import indicator_queries as queries
from huimin.funds import indicators as room
from huimin.funds.models import Allotment, AllotmentMove
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.workbench import fund_forms, guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened
from huimin.workbench.templatetags.huimin import money_sign
from huimin.workbench.views.reliefs import _answer as answer

State, MoveState = Allotment.State, AllotmentMove.State
_TONES = {State.REGISTERED: "soon", State.REFUSED: "late"}
_MOVE_TONES = {MoveState.PROPOSED: "soon", MoveState.REFUSED: "late", MoveState.APPROVED: "done"}


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Indicators as a tree: the document from above, what was issued of it, and where each amount is."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        programmes, place, years = programme_names(), chosen_place(request), queries.list_years()
        year = one_of(request.GET, "year", [str(each) for each in years], str(years[0]) if years else "")
        programme = one_of(request.GET, "programme", programmes)
        nodes = queries.tree(
            prefix=place.prefix, place=place.code or by.division, programme=programme, year=int(year or 0)
        )
        total = queries.sums(nodes)
        rows, note = shortened(nodes, whole)
        names = names_of({node.row.division for node in rows}, on)
        return Listing(
            "指标", "上级的、本级的、下达到乡镇的，每份文件一行，下一级缩进；剩多少才能预留多少，超支不办。", "indicators",
            [Head("文号"), Head("地方", paper=20), Head("补贴项目", paper=32), Head("年度", paper=11), Head("指标（元）", "fen", 25),
             Head("已下达（元）", "fen", 22), Head("已预留（元）", "fen", 22), Head("已支出（元）", "fen", 24), Head("进度", paper=-1),
             Head("结转（元）", "fen", 18), Head("调减（元）", "fen", 18), Head("可用（元）", "fen", 25)],
            [_row(node, names, programmes) for node in rows],
            "还没有指标。县财政经办收到上级文件后在这里登记，由财政复核放行岗复核。",
            note=note or "合计只算本表最上一级的文件，下达的不重复计算。", totals=False, across=True, of_people=False, unit="单位：元",
            acts=_acts(by, on), figures=_figures(total),
            filters=[Filter("programme", "补贴项目", list(programmes.items()), programme),
                     Filter("year", "年度", [(str(each), f"{each} 年") for each in years], year),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _row(node: queries.Node, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    row = node.row
    used = f"{row.spent_fen * 100 // row.amount_fen}%" if row.spent_fen else ""
    told = f"{row.get_issuer_display()} · {row.get_kind_display()}"
    waiting = row.state != State.IN_FORCE
    return [
        Cell("　" * (node.depth - 1) + ("└ " if node.depth else "") + row.document_no, reverse("indicator", args=[row.pk]),
             told + (f" · {row.get_state_display()}" if waiting else "")),
        names.get(row.division, row.division), programmes.get(row.programme, row.programme), str(row.year), row.amount_fen,
        row.issued_fen or None, row.reserved_fen or None, row.spent_fen or None, used, row.carried_fen or None,
        row.cut_fen or None, row.left_fen,
    ]  # fmt: skip


def _figures(total: queries.Sums) -> list[tuple[str, str, str]]:
    shown = (
        ("指标合计", total.amount_fen), ("已支出", total.spent_fen), ("已预留", total.reserved_fen),
        ("结转下年", total.carried_fen), ("调减", total.cut_fen), ("可用", total.left_fen),
    )  # fmt: skip
    return [(label, money_sign(fen), "") for label, fen in shown if fen or label in ("指标合计", "可用")]


def _acts(by: Actor, on: Any) -> list[tuple[str, str]]:
    acts = []
    waiting, _ = queries.count_waiting(by.prefix)
    if waiting and by.post in guard.BOOKKEEPERS:
        acts.append((f"待复核 {waiting} 件", reverse("indicators-waiting")))
    if may(by, room.receive_allotment):
        acts.append(("登记指标", reverse("indicator-new")))
    if may(by, room.propose_carries) and queries.list_carriable(by.prefix, on):
        acts.append(("结转上年余额", reverse("indicators-carry")))
    return acts


@require_http_methods(["GET", "POST"])
@page(frozenset(room.receive_allotment.posts))  # type: ignore[attr-defined]
def new(request: Any) -> HttpResponse:
    """Register a document of an upper level."""
    by, on = request.actor, request.business_date
    with reading(by):
        programmes, places = programme_names(), [(by.division, by.office_name), *_places(by.division, by.level, on)]
    initial = {"year": on.year, "division": by.division, "issuer": "2", "kind": "base"}
    form = fund_forms.NewIndicator(request.POST or None, places=places, programmes=programmes, initial=initial)

    def act() -> Outcome:
        made = room.receive_allotment(by=by, on=on, **form.told())
        return Outcome(
            f"已登记 {made.document_no}", reverse("indicator", args=[made.pk]), "由财政复核放行岗复核后可用。"
        )

    context = {
        "section": "indicators", "title": "登记指标", "button": "登记", "back": reverse("indicators"),
        "lead": "照上级文件登记，一份文件、一个项目、一个年度一条；追加、调减凭新的文号。",
    }  # fmt: skip
    return answer(request, form, act, "workbench/field_form.html", context)


def _places(code: str, level: Level, on: Any) -> list[tuple[str, str]]:
    """Places an indicator is issued to from a place of `level`: the next two levels beneath it, to townships."""
    below = [each for each in (Level.CITY, Level.COUNTY, Level.TOWNSHIP) if each > level][:2]
    return [(each.code, each.name) for of in below for each in list_beneath(code, level, of, on)]


@require_http_methods(["GET", "POST"])
@page(guard.PAYERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One indicator: where its amount is, by which documents it moved, what was met from it."""
    row = _indicator(number)
    if request.method == "POST":
        raise Http404
    by, on = request.actor, request.business_date
    issued, uses = queries.list_issued(number), queries.list_uses(number)
    moves = queries.list_moves(allotment=number)
    codes = (
        {row.division} | {each.division for each in [*issued, *uses]} | {each.target for each in moves if each.target}
    )
    here = may(by, room.propose_issue) and row.division.startswith(by.prefix) and row.state == State.IN_FORCE
    context = {
        "section": "indicators", "row": row, "issued": issued, "uses": uses, "moves": moves, "may_move": here and row.left_fen > 0,
        "places": names_of(codes, on), "programmes": programme_names(),
        "may_decide": may(by, room.decide_allotments) and row.state == State.REGISTERED,
    }  # fmt: skip
    return render(request, "workbench/indicator.html", context)


def _indicator(number: int) -> Allotment:
    try:
        return queries.get_indicator(number)
    except Allotment.DoesNotExist:
        raise Http404 from None


@require_http_methods(["GET", "POST"])
@page(frozenset(room.propose_issue.posts))  # type: ignore[attr-defined]
def issue(request: Any, number: int) -> HttpResponse:
    """Propose to issue a part of it onward."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = _indicator(number)
        level = Level(Division.objects.filter(code=row.division).order_by("-valid_from")[0].level)
        form = fund_forms.IssueOnward(
            request.POST or None, places=_places(row.division, level, on), initial={"kind": "base"}
        )

    def act() -> Outcome:
        with _at_field():
            move = room.propose_issue(by=by, on=on, allotment_id=number, **form.told())
        where = reverse("indicator", args=[number])
        return Outcome(f"已提出下达 {money_sign(move.amount_fen)}", where, "由财政复核放行岗复核后下达。")

    return answer(request, form, act, "workbench/field_form.html", _asked(row, "下达指标", "提出下达"))


@require_http_methods(["GET", "POST"])
@page(frozenset(room.propose_cut.posts))  # type: ignore[attr-defined]
def cut(request: Any, number: int) -> HttpResponse:
    """Propose to cut it, by a document of its own."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = _indicator(number)
    form = fund_forms.CutIndicator(request.POST or None)

    def act() -> Outcome:
        with _at_field():
            move = room.propose_cut(by=by, on=on, allotment_id=number, **form.told())
        where = reverse("indicator", args=[number])
        return Outcome(f"已提出调减 {money_sign(move.amount_fen)}", where, "由财政复核放行岗复核后调减。")

    return answer(request, form, act, "workbench/field_form.html", _asked(row, "调减指标", "提出调减"))


@contextmanager
def _at_field() -> Iterator[None]:
    """What is too much stands beside what was typed, which stays."""
    try:
        yield
    except room.FundsExhausted as wrong:
        raise BadInput(wrong.what, why=wrong.why, where="金额", remedy=wrong.remedy) from wrong


def _asked(row: Allotment, title: str, button: str) -> dict[str, Any]:
    lead = f"{row.document_no}：指标 {yuan(row.amount_fen)} 元，还剩 {yuan(row.left_fen)} 元。"
    back = reverse("indicator", args=[row.pk])
    return {"section": "indicators", "title": title, "button": button, "lead": lead, "back": back}


@require_http_methods(["GET", "POST"])
@page(guard.BOOKKEEPERS)
def waiting(request: Any) -> HttpResponse:
    """What waits for the second person, with every fact of the document; ticked rows take effect or are refused together."""
    by, on = request.actor, request.business_date
    form = fund_forms.RefuseMany(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _decide(request, form.cleaned_data["refusal"]))
    with reading(by):
        registered, moves = queries.list_registered(by.prefix), queries.list_moves(state=MoveState.PROPOSED)
        codes = {row.division for row in [*registered, *moves]} | {row.target for row in moves if row.target}
        context = {
            "section": "indicators", "registered": registered, "moves": moves, "places": names_of(codes, on),
            "programmes": programme_names(), "form": form, "mine": by.appointment,
            "may_decide": may(by, room.decide_allotments),
        }  # fmt: skip
    return render(request, "workbench/indicators_waiting.html", context, status=422 if form.errors else 200)


def _decide(request: Any, refusal: str) -> Outcome:
    refuses = request.POST.get("outcome") == "refuse"
    if refuses and not refusal.strip():
        raise BadInput("没有写退回的原因", where="退回的原因", remedy="请写明哪里与文件不一致")
    moves, rows = ids_of(_named(request, "move"), 500), ids_of(_named(request, "row"), 500)
    if not moves and not rows:
        raise Refusal("没有勾选", remedy="请返回勾选后再办")
    done = room.decide_waiting(
        by=request.actor,
        on=request.business_date,
        allotment_ids=rows,
        move_ids=moves,
        refusal=refusal if refuses else "",
    )
    return Outcome(f"已{'退回' if refuses else '复核'} {done} 件", reverse("indicators"))


def _named(request: Any, name: str) -> Any:
    """The ticked rows of one of the two tables, under the name `ids_of` reads."""
    source = request.POST.copy()
    source.setlist("id", request.POST.getlist(name))
    return source


@require_http_methods(["GET", "POST"])
@page(frozenset(room.propose_carries.posts))  # type: ignore[attr-defined]
def carry(request: Any) -> HttpResponse:
    """What is left of past years, to be carried into the next, once."""
    by, on = request.actor, request.business_date
    if request.method == "POST":
        ids = ids_of(request.POST, 500)
        if not ids:
            raise Refusal("没有勾选指标", remedy="请返回勾选后再办")
        return once(request, lambda: _carry(request, ids))
    rows = queries.list_carriable(by.prefix, on)
    context = {
        "section": "indicators", "rows": rows, "places": names_of({row.division for row in rows}, on),
        "programmes": programme_names(),
    }  # fmt: skip
    return render(request, "workbench/indicators_carry.html", context)


def _carry(request: Any, ids: list[int]) -> Outcome:
    made = room.propose_carries(by=request.actor, on=request.business_date, allotment_ids=ids)
    return Outcome(f"已提出结转 {made} 个指标", reverse("indicators-waiting"), "由财政复核放行岗复核后转入下年。")
