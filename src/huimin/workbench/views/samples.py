"""Spot checks at the desk: lists frozen and drawn, who is checked, what was found (CASE-08)."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.audit.models import Signature
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.samples import sheet_pdf
from huimin.policy.queries import programme_names
from huimin.samples import agencies, checking, drawing, queries
from huimin.samples.drawing import Named
from huimin.samples.models import AFTER_STEP, Check, Draw, DrawCase
from huimin.samples.seeding import EVENTS, key_of
from huimin.visits.queries import signed_of
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.listing import ids_of, one_of, programmes_seen, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.sample_forms import Entrust, Freeze, Number, Result, Skip
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.visits import new_url

TONES = {"frozen": "soon", "drawn": "soon", "done": "done", "true": "done", "differs": "late", "false": "late"}
MONTHS_BACK = 6
ENTRUSTED_MAX = 500


def nav(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = [
        ("samples", "抽签"),
        ("sample-waiting", "待检查"),
        ("sample-ratings", "乡镇抽查率"),
        ("sample-orders", "整改"),
    ]
    if by.level <= Level.COUNTY:
        pages += [("sample-agencies", "委托机构"), ("sample-rate", "县里的比例")]
    return [(label, reverse(route), route == here) for route, label in pages]


@require_safe
@page(guard.SAMPLE_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Every draw, the newest first."""
    by = request.actor

    def build(whole: bool) -> Listing:
        state = one_of(request.GET, "state", dict(Draw.State.choices))
        found = queries.page_draws(
            by.prefix, programmes_seen(by), state, "" if whole else request.GET.get("at", ""), 1000 if whole else 50
        )
        results = queries.found_of(row.pk for row in found)
        acts = []
        if may(by, drawing.freeze_cases):
            acts.append(("冻结名单", reverse("sample-freeze")))
            acts += [("按月抽查乡镇的决定", reverse("sample-freeze-month"))] if queries.decides_below() else []
        return Listing(
            "抽查", "先冻结名单，再用公开号码抽签：谁也挑不了，谁都能重做一遍。抽中的没有检查完，同一批的都不能批。", "samples",
            [Head("名单"), Head("件数", "count", 16), Head("比例", paper=16), Head("必查", "count", 16), Head("抽中", "count", 16),
             Head("已检查", "count", 18), Head("有问题", "count", 18), Head("冻结", "date", 22), Head("公开号码", paper=42),
             Head("状态", paper=26)],
            [_draw(row, results.get(row.pk, queries.Found())) for row in found],
            "还没有抽查。有件到了要抽查的一步，就冻结名单。", nav=nav(by, "samples"), page=found, across=True, acts=acts,
            filters=[Filter("state", "状态", Draw.State.choices, state)],
        )  # fmt: skip

    return answer_listing(request, build)


def _draw(row: Draw, found: queries.Found) -> list[Any]:
    drawn = row.drawn_count if row.state != Draw.State.FROZEN else None
    return [
        Cell(row.title, reverse("sample", args=[row.pk])), row.size, f"{row.percent}%", row.must, drawn, found.all,
        Cell(found.wrong, tone="late") if found.wrong else 0, row.frozen_on,
        Cell(row.get_event_display(), sub=f"{row.event_on} {row.number}".strip()),
        Cell(row.get_state_display(), tone=TONES[row.state]),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(drawing.freeze_cases.posts))  # type: ignore[attr-defined]
def freeze(request: Any) -> HttpResponse:
    """The list of everybody who waits at a step that demands 抽查."""
    by, on = request.actor, request.business_date
    with reading(by):
        names = programme_names()
        waiting = queries.list_undrawn(by)
    lists = [
        (f"{row.programme}|{row.step}", f"{names.get(row.programme, row.programme)}“{row.step}”：{row.count} 件")
        for row in waiting
    ]
    form = Freeze(request.POST or None, lists=lists, initial=_tomorrow(lists, on))

    def act() -> Outcome:
        told = form.cleaned_data
        programme, _, step = told["what"].partition("|")
        made = drawing.freeze_cases(by=by, on=on, programme=programme, step=step, named=_named(told))
        return Outcome(f"已冻结名单，共 {made.size} 件", reverse("sample", args=[made.pk]), _next(made))

    context = {
        "section": "samples", "nav": nav(by, "samples"), "title": "冻结抽查名单", "button": "冻结名单", "back": reverse("samples"),
        "lists": lists, "waiting": waiting, "names": names,
        "lead": "现在等在这一步、还没有抽过的全部列入；冻结后一件也不能加减，新的件进下一次。",
        "none": "没有等着抽查的件。有件办到要抽查的一步时再来。",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_freeze.html", context)


def _tomorrow(lists: list[tuple[str, str]], on: date) -> dict[str, Any]:
    return {
        "what": lists[0][0] if len(lists) == 1 else "",
        "event": "pl5",
        "event_on": date.fromordinal(on.toordinal() + 1),
    }


def _named(told: dict[str, Any]) -> Named:
    return Named(told["event"], told["event_on"])


def _next(made: Draw) -> str:
    return f"请打印名单张贴；{made.event_on} 的{made.get_event_display()}公布后，由两人录入号码抽签。"


@require_http_methods(["GET", "POST"])
@page(frozenset(drawing.freeze_month.posts))  # type: ignore[attr-defined]
def freeze_month(request: Any) -> HttpResponse:
    """The list of what one township decided in one month."""
    by, on = request.actor, request.business_date
    since = add_months(month_start(on), -MONTHS_BACK)
    with reading(by):
        rows = [
            row
            for row in queries.list_ratings(by.prefix, since, by.programmes)
            if row.draw is None and row.month < month_start(on)
        ]
        places = names_of({row.township for row in rows}, on)
    lists = [
        (
            f"{row.township}|{row.month}",
            f"{places.get(row.township, row.township)} {row.month:%Y-%m}：决定 {row.decided} 件",
        )
        for row in rows
    ]
    form = Freeze(request.POST or None, lists=lists, initial=_tomorrow(lists, on))

    def act() -> Outcome:
        told = form.cleaned_data
        township, _, month = told["what"].partition("|")
        made = drawing.freeze_month(
            by=by, on=on, township=township, month=date.fromisoformat(month), named=_named(told)
        )
        return Outcome(f"已冻结名单，共 {made.size} 件", reverse("sample", args=[made.pk]), _next(made))

    context = {
        "section": "samples", "nav": nav(by, "samples"), "title": "按月抽查乡镇的决定", "button": "冻结名单", "back": reverse("samples"),
        "lists": lists, "lead": "乡镇一个月里决定的（批准和不予批准）全部列入；整月过完才能冻结。",
        "none": f"近 {MONTHS_BACK} 个月里，没有乡镇有要抽查而没有冻结过的决定。",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_freeze.html", context)


@require_safe
@page(guard.SAMPLE_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One draw: how it was made, so that anybody can redo it; who is checked; the whole list."""
    by, on = request.actor, request.business_date
    draw = queries.get_draw(number)
    if draw.programme:
        require_seen(by, draw.programme)
    county = by.level <= Level.COUNTY
    drawn = draw.state != Draw.State.FROZEN
    show = one_of(request.GET, "show", ("picked", "list"), "picked" if drawn else "list")
    lines = queries.page_lines(draw, show == "picked" and drawn, request.GET.get("at", ""))
    first = next(iter(lines), None)
    context = {
        "section": "samples", "nav": nav(by, "samples"), "draw": draw, "page": lines, "show": show, "drawn": drawn,
        "county": county, "signature": Signature.objects.filter(pk=draw.signature_id).first(), "event": EVENTS[draw.event], "skips": list(draw.skips.order_by("id")), "tone": TONES[draw.state],
        "names": programme_names(), "places": names_of({row.division for row in lines}, on), "tones": TONES,
        "found": queries.found_of([draw.pk]).get(draw.pk, queries.Found()), "outstanding": queries.outstanding_of([draw.pk])[draw.pk],
        "example": first and drawn and (first.number, key_of(draw.seed, first.number)),
        "acts": _acts(by, on, draw),
        "may_check": county and may(by, checking.record_check) and drawn,
        "trail": chain_names(draw.township or draw.division, on),
    }  # fmt: skip
    return render(request, "workbench/sample.html", context)


def _acts(by: Actor, on: date, draw: Draw) -> list[tuple[str, str]]:
    """Buttons: what may be done with the draw now."""
    acts: list[tuple[str, str]] = []
    if draw.state == Draw.State.FROZEN and may(by, drawing.read_number) and on >= draw.event_on:
        label = "复核号码，抽签" if _second(by, draw) else "改录入的号码" if draw.first_account else "录入号码"
        acts.append((label, reverse("sample-number", args=[draw.pk])))
        if on > draw.event_on and not draw.first_account and draw.frozen_by != by.appointment:
            acts.append(("那天没有号码", reverse("sample-skip", args=[draw.pk])))
    if draw.state == Draw.State.DRAWN and may(by, agencies.entrust):
        acts.append(("委托机构检查", reverse("sample-entrust", args=[draw.pk])))
    return acts


def _second(by: Actor, draw: Draw) -> bool:
    return draw.first_account is not None and draw.first_account != by.account


@require_http_methods(["GET", "POST"])
@page(frozenset(drawing.read_number.posts))  # type: ignore[attr-defined]
def number(request: Any, number: int) -> HttpResponse:
    """The public number: by the first person with where he read it, by the second without seeing the first's."""
    by, on = request.actor, request.business_date
    with reading(by):
        draw = queries.get_draw(number)
    second = _second(by, draw)
    form = Number(request.POST or None, event=draw.event, first=not second)
    where = reverse("sample", args=[number])

    def act() -> Outcome:
        told = form.cleaned_data
        if second:
            made = drawing.draw_list(by=by, on=on, draw_id=number, number=told["number"])
            return Outcome(f"已抽签，抽中 {made.drawn_count} 件", where, "请打印抽签结果张贴，再安排检查。")
        drawing.read_number(by=by, on=on, draw_id=number, number=told["number"], where=told["where"])
        return Outcome("已录入号码", where, "请另一人自己看公布的号码，再录入一遍，两人一致即抽签。")

    context = {
        "section": "samples", "title": "复核号码，抽签" if second else "录入公开号码", "back": where,
        "button": "抽签" if second else "录入", "trail": None,
        "lead": f"{draw.title}。用 {draw.event_on} 的{draw.get_event_display()}。"
        + ("请自己看公布的号码录入，与前一人的一致即抽签；抽签只有一次。" if second else "再由另一人复核后抽签。"),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(drawing.skip_event.posts))  # type: ignore[attr-defined]
def skip(request: Any, number: int) -> HttpResponse:
    """The named day brought no number: another is named, with the reason, for everybody to read."""
    by, on = request.actor, request.business_date
    with reading(by):
        draw = queries.get_draw(number)
    form = Skip(request.POST or None, initial=_tomorrow([], on))
    where = reverse("sample", args=[number])

    def act() -> Outcome:
        told = form.cleaned_data
        drawing.skip_event(by=by, on=on, draw_id=number, reason=told["reason"], named=_named(told))
        return Outcome("已另选公开号码", where, "原定的和理由都留在抽签表上。")

    context = {
        "section": "samples", "title": "那天没有号码", "button": "另选号码", "back": where, "warning": True,
        "lead": f"{draw.title}。原定 {draw.event_on} 的{draw.get_event_display()}。只有那一天真的没有号码才能另选，谁都能查证。",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_safe
@page(guard.SAMPLE_COUNTY)
def text(request: Any, number: int) -> HttpResponse:
    """The draw as a file anybody can redo: `./huimin sample verify FILE`, or a hash tool. Case numbers only."""
    draw = queries.get_draw(number)
    if draw.programme:
        require_seen(request.actor, draw.programme)
    response = HttpResponse(queries.published(draw).text(), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="draw-{draw.pk}.txt"'
    return response


@require_safe
@page(guard.SAMPLE_COUNTY, reads=False)
def sheet(request: Any, number: int) -> HttpResponse:
    """The sheet to put up: the frozen list, or what was drawn."""
    by, on = request.actor, request.business_date
    with reading(by):
        draw = queries.get_draw(number)
        if draw.programme:
            require_seen(by, draw.programme)
    address = request.build_absolute_uri(reverse("sample", args=[number]))
    content = sheet_pdf(by=by, on=on, draw_id=number, address=address, mark=printed_by(request, "张贴"))
    return pdf_answer(content, f"抽查{'抽签结果' if draw.number else '名单'}{number}")


@require_http_methods(["GET", "POST"])
@page(frozenset(agencies.entrust.posts))  # type: ignore[attr-defined]
def entrust(request: Any, number: int) -> HttpResponse:
    """Which drawn cases an agency checks, by when."""
    by, on = request.actor, request.business_date
    with reading(by):
        draw = queries.get_draw(number)
        rows = queries.page_lines(draw, True, size=ENTRUSTED_MAX).rows if draw.state == Draw.State.DRAWN else []
        open_rows = [row for row in rows if getattr(row, "check_made", None) is None]
        offered = [
            (str(each.pk), f"{each.name}（{each.contract_no}，{each.valid_to} 到期）")
            for each in queries.agencies_in_force(by.prefix, on)
        ]
        places = names_of({row.division for row in open_rows}, on)
    form = Entrust(request.POST or None, agencies=offered)
    ticked = ids_of(request.POST, ENTRUSTED_MAX) if request.method == "POST" else [row.pk for row in open_rows]
    where = reverse("sample", args=[number])

    def act() -> Outcome:
        told = form.cleaned_data
        done = agencies.entrust(
            by=by, on=on, draw_id=number, lines=ticked, agency_id=int(told["agency"]), due_on=told["due_on"]
        )
        return Outcome(f"已委托 {done} 件", where, "机构交来报告后，在每一件的页面登记结果。")

    context = {
        "section": "samples", "draw": draw, "rows": open_rows, "ticked": set(ticked), "places": places, "offered": offered,
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_entrust.html", context)


@require_safe
@page(guard.SAMPLE_READERS, reads=False)
def waiting(request: Any) -> HttpResponse:
    """Drawn cases without a result, the oldest draw first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        at = "" if whole else request.GET.get("at", "")
        found = queries.page_waiting(programmes_seen(by), at, 1000 if whole else 50)
        places, names = names_of({row.division for row in found}, on), programme_names()
        return Listing(
            "待检查", "抽中了还没有结果的。由没有经手这件事的县里人员入户检查，或委托机构。", "samples",
            [Head("编号"), Head("户编码", paper=40), Head("项目", paper=34), Head("村（组）", paper=40), Head("抽签", "date", 22),
             Head("委托", paper=44), Head("期限", "date", 22)],
            [[Cell(row.number, reverse("sample-check", args=[row.pk])), row.household.household_no,
              names.get(row.case.programme, row.case.programme), places.get(row.division, row.division), row.draw.drawn_on,
              row.agency.name if row.agency else "", row.due_on] for row in found],
            "没有待检查的。", nav=nav(by, "sample-waiting"), page=found, across=True, seats=["检查人", "检查人"], to_sign=True,
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(guard.SAMPLE_READERS)
def check(request: Any, number: int) -> HttpResponse:
    """One drawn case: what was found, or the form to say so."""
    by, on = request.actor, request.business_date
    with reading(by):
        line = queries.get_line(number)
        require_seen(by, line.case.programme)
        trail, names = chain_names(line.division, on), programme_names()
        made: Check | None = getattr(line, "check_made", None)
        order = getattr(made, "order", None) if made else None
        visits = [(str(each.pk), f"{each.number}，{each.visited_on} 入户") for each in signed_of(line.subject)]
    may_check = may(by, checking.record_check) and made is None and line.picked and line.draw.state == Draw.State.DRAWN
    first = {"way": "agency" if line.agency_id else "visit", "visit": visits[0][0] if visits else ""}
    form = Result(request.POST or None, ways=_ways(line), visits=visits, initial=first)

    def act() -> Outcome:
        told = checking.Told(**form.cleaned_data)
        done = checking.record_check(by=by, on=on, line_id=number, told=told)
        wrong = "这一件不能批，只能退回或不予批准。" if done.wrong and not line.draw.after else ""
        return Outcome(f"已登记：{done.get_result_display()}", reverse("sample", args=[line.draw_id]), wrong)

    context = {
        "section": "samples", "line": line, "draw": line.draw, "trail": trail, "names": names, "check": made, "order": order,
        "may_check": may_check, "visit_url": new_url(line.household_id, "sample", line.subject, case=line.case_id), "tones": TONES, "after": line.step == AFTER_STEP,
        "may_order": made is not None and made.wrong and order is None and line.draw.after and may(by, checking.order_rectification),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/sample_check.html", context)


def _ways(line: DrawCase) -> list[tuple[str, str]]:
    """As the law allows: papers only for what a township decided; an agency where it was entrusted."""
    return [
        (key, label)
        for key, label in Check.Way.choices
        if (key != "papers" or line.draw.after) and (key != "agency" or line.agency_id)
    ]
