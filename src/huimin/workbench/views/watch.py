"""Low-income people watched, at the desk: the base, warnings, visits, and the county's numbers (REG-09)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.queries import list_entitlements_of
from huimin.casework.relief import record_relief
from huimin.divisions.queries import chain_names, names_of
from huimin.fieldwork import following, watching
from huimin.fieldwork import rules as settings
from huimin.fieldwork import watch_queries as queries
from huimin.fieldwork.models import FieldRule, LowIncome, Signal
from huimin.fieldwork.watch_queries import BaseFilter, SignalFilter
from huimin.kernel.money import yuan
from huimin.kernel.places import Level
from huimin.organisation.acting import may, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.field_forms import Assign, Close, NewVisit, Number
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

LAYERS, KINDS = LowIncome.Layer.choices, Signal.Kind.choices
MINE = [("mine", "指派给我的"), ("base", "在低收入库里的")]
_PRINT_MAX, _NAMES_MAX = 5001, 2000
_BASES = {"poverty_registered": "登记为监测户", "coverage": "覆盖分析"}


def _nav(here: str) -> list[tuple[str, str, bool]]:
    pages = [
        ("signals", "预警"),
        ("low-income", "低收入人口库"),
        ("low-income-places", "各地"),
        ("field-rules", "阈值和期限"),
    ]
    return [(label, reverse(route), route == here) for route, label in pages]


@require_http_methods(["GET", "POST"])
@page(guard.WATCHERS, reads=False)
def signals(request: Any) -> HttpResponse:
    """Warnings; a POST gives those ticked to the officers of their villages."""
    by, on = request.actor, request.business_date
    form = Assign(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            ids = ids_of(request.POST, following.AT_ONCE_MAX)
            made = following.assign_signals(by=by, on=on, signals=ids, due_on=form.cleaned_data["due_on"])
            return Outcome(f"已指派 {made} 条", request.get_full_path(), "各村信息员的工作台会提醒。")

        return once(request, act)
    may_assign = may(by, following.assign_signals)
    return answer_listing(
        request, lambda whole: _signals(request, whole), "workbench/signals.html", form=form, may_assign=may_assign,
        may_watch=may(by, watching.watch_low_income),
    )  # fmt: skip


def _signals(request: Any, whole: bool) -> Listing:
    by, on, place = request.actor, request.business_date, chosen_place(request)
    kind, standing = one_of(request.GET, "kind", dict(KINDS)), one_of(request.GET, "standing", dict(queries.STANDINGS))
    only = one_of(request.GET, "only", dict(MINE), "mine" if by.post == Post.INFORMATION_OFFICER else "")
    officer = by.appointment if only == "mine" else None
    wanted = SignalFilter(place.prefix, on, kind, standing, officer, only == "base")
    found = None if whole else queries.page_signals(wanted, request.GET.get("at", ""))
    rows: list[Any] = _whole(request, wanted) if found is None else found.rows
    names = names_of(set(list({row.division for row in rows})[:_NAMES_MAX]), on)
    officers = queries.people_of({row.assigned_to for row in rows if row.assigned_to})
    waits = queries.waiting_signals(place.prefix, on, officer)
    made = Listing(
        "低收入人口预警", "登记的情况变坏时提出，写明变化前后；走访后办结。", "signals",
        [Head("户编码", paper=42), Head("户主或本人", paper=26), Head("村（组）", paper=34), Head("预警", paper=30), Head("变化"),
         Head("发生", "date", 24), Head("信息员", paper=24), Head("期限", "date", 24), Head("状态", paper=20)],
        [_signal(row, names, officers, on) for row in rows], "没有这样的预警。", nav=_nav("signals"), page=found, across=True,
        seats=["走访人", "负责人", "日期"],
        filters=[Filter("standing", "状态", queries.STANDINGS, standing), Filter("kind", "预警", KINDS, kind),
                 Filter("only", "只看", MINE, only), Filter("place", "地方", place.options, place.code)],
        figures=[("待指派", f"{waits['open']:,}", "soon" if waits["open"] else ""), ("走访中", f"{waits['assigned']:,}", ""),
                 ("逾期", f"{waits['late']:,}", "late" if waits["late"] else "")],
    )  # fmt: skip
    made.more["picks"] = list(
        zip([row.pk if row.state == queries.OPEN else 0 for row in rows], made.shown(), strict=True)
    )
    return made


def _whole(request: Any, wanted: SignalFilter) -> list[Any]:
    if request.GET.get("print") == "pdf":
        return queries.list_signals(wanted, _PRINT_MAX)
    return list(queries.iterate_signals(wanted))


def _signal(row: Any, names: dict[str, str], officers: dict[int, str], on: Any) -> list[Any]:
    tones = {"open": "soon", "closed": "done"}
    state = (
        Cell("逾期", tone="late")
        if row.overdue(on)
        else Cell(row.get_state_display(), tone=tones.get(row.state, "plain"))
    )
    who = row.person.name if row.person else row.head_name
    return [
        Cell(row.household.household_no, reverse("signal", args=[row.pk])), who, names.get(row.division, row.division),
        Cell(row.get_kind_display(), sub="在低收入库" if row.based else ""), f"{row.before} → {row.after}", row.happened_on,
        officers.get(row.assigned_to or 0, ""), row.due_on, state,
    ]  # fmt: skip


@require_http_methods(["POST"])
@page(frozenset(watching.watch_low_income.posts))  # type: ignore[attr-defined]
def run(request: Any) -> HttpResponse:
    """Bring the base up to date and raise what is new."""

    def act() -> Outcome:
        made = watching.watch_low_income(by=request.actor, on=request.business_date)
        labels, codes = dict(KINDS), dict(FieldRule.Code.choices)
        lines = tuple(f"{labels[kind]} {count} 条" for kind, count in made.raised.items())
        lines += tuple(f"没有设“{codes[code]}”，没有提这一项预警" for code in made.without_rule)
        what = f"新预警 {sum(made.raised.values())} 条；低收入库新进 {made.entered} 户、退出 {made.left} 户"
        return Outcome(what, reverse("signals"), lines=lines)

    return once(request, act)


@require_http_methods(["GET", "POST"])
@page(guard.WATCHERS)
def signal(request: Any, number: int) -> HttpResponse:
    """One warning: before and after, visits, how it ended."""
    by, on = request.actor, request.business_date
    with reading(by):
        try:
            row = queries.get_signal(number)
        except Signal.DoesNotExist:
            raise Http404 from None
        programmes = programme_names()
        context = {
            "row": row, "visits": queries.list_visits(number), "layers": queries.layers_of(row.household_id),
            "held": [each for each in list_entitlements_of(row.household_id, 20) if each.valid_to is None],
            "officer": queries.people_of({row.assigned_to or 0}).get(row.assigned_to or 0, ""),
            "trail": chain_names(row.division, on), "programmes": programmes,
        }  # fmt: skip
    closing = request.POST.get("act") == "close"
    initial = {"visited_on": on.isoformat(), "visitors": by.name}
    visit = NewVisit(request.POST if request.method == "POST" and not closing else None, initial=initial)
    ending = Close(request.POST if closing else None, programmes=programmes)

    def act() -> Outcome:
        where = reverse("signal", args=[number])
        if closing:
            following.close_signal(by=by, on=on, signal=number, **ending.cleaned_data)
            return Outcome("已办结", where)
        told = visit.cleaned_data | {"visitors": visit.cleaned_data["visitors"].splitlines()}
        following.record_visit(by=by, on=on, signal=number, **told)
        return Outcome("已登记走访", where)

    live = row.state != Signal.State.CLOSED
    context |= {
        "section": "signals", "nav": _nav("signals"), "visit": visit, "ending": ending, "overdue": row.overdue(on),
        "may_relieve": live and may(by, record_relief), "may_visit": live and may(by, following.record_visit),
        "may_close": live and may(by, following.close_signal),
    }  # fmt: skip
    return answer_form(request, ending if closing else visit, act, "workbench/signal.html", context)


@require_safe
@page(guard.WATCHERS, reads=False)
def base(request: Any) -> HttpResponse:
    """Households in the base today, by layer."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place, layer = chosen_place(request), one_of(request.GET, "layer", dict(LAYERS))
        wanted = BaseFilter(place.prefix, on, layer)
        found = None if whole else queries.page_base(wanted, request.GET.get("at", ""))
        rows: list[Any] = list(queries.iterate_base(wanted)) if found is None else found.rows
        names = names_of(set(list({row.division for row in rows})[:_NAMES_MAX]), on)
        programmes = programme_names()
        return Listing(
            "低收入人口库", "低保、特困、低保边缘、易返贫致贫、支出型困难和其他低收入家庭，一户一处看。", "signals",
            [Head("户编码", paper=44), Head("户主", paper=26), Head("村（组）"), Head("类别", paper=28), Head("依据"), Head("进入", "date", 26)],
            [[Cell(row.household.household_no, reverse("household", args=[row.household_id])), row.head_name,
              names.get(row.division, row.division), row.get_layer_display(),
              _BASES.get(row.basis, programmes.get(row.basis, row.basis)), row.valid_from] for row in rows],
            "没有这样的家庭。更新低收入库后会出现在这里。", nav=_nav("low-income"), page=found, seats=["填表人", "负责人"],
            filters=[Filter("layer", "类别", LAYERS, layer), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.WATCHERS, reads=False)
def places(request: Any) -> HttpResponse:
    """The base and its warnings by township or village."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        digits = int(Level.TOWNSHIP if len(place.prefix) < int(Level.TOWNSHIP) else Level.VILLAGE)
        held, warned = queries.count_base(place.prefix, digits), queries.count_signals(place.prefix, digits, on)
        codes = sorted({*held, *warned})
        names = names_of(set(codes), on)
        return Listing(
            "各地低收入人口", "各类户数；一户属于几类时合计只算一次。", "signals",
            [Head("地方"), *(Head(label, "count", 20) for _, label in LAYERS), Head("合计（户）", "count", 20),
             *(Head(label, "count", 18) for _, label in queries.STANDINGS)],
            [[Cell(names.get(code, code), f"{reverse('signals')}?only=&place={code}"),
              *(held.get(code, {}).get(layer, 0) for layer, _ in LAYERS), held.get(code, {}).get("all", 0),
              *(warned.get(code, {}).get(standing, 0) for standing, _ in queries.STANDINGS)] for code in codes],
            "低收入库还是空的。", nav=_nav("low-income-places"), across=True, seats=["填表人", "负责人"],
            filters=[Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(guard.WATCHERS)
def numbers(request: Any) -> HttpResponse:
    """Thresholds and days: everybody concerned reads them, the county's office sets them."""
    by, on = request.actor, request.business_date
    with reading(by):
        found = settings.field_rules(by.division)
    rows = [(label, _shown(code, found[code].value), found[code]) if code in found else (label, "", None)
            for code, label in FieldRule.Code.choices]  # fmt: skip
    form = Number(request.POST or None)

    def act() -> Outcome:
        told = form.cleaned_data
        settings.set_field_rule(by=by, on=on, code=told["code"], value=told["number"], basis=told["basis"])
        return Outcome("已保存", reverse("field-rules"), "从现在起按它计算。")

    context = {
        "section": "signals", "nav": _nav("field-rules"), "rows": rows, "may_set": may(by, settings.set_field_rule),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_rules.html", context)


def _shown(code: str, value: int) -> str:
    return yuan(value) if code == FieldRule.Code.MEDICAL_FEN else str(value)
