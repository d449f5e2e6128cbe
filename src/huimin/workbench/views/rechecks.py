"""Periodic re-checks at the desk: who is due and why, by village, begun, under way, confirmed; a round's paper and its entries (CASE-09)."""

from typing import Any, cast

from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.rechecks import queries
from huimin.rechecks.beginning import BEGUN_MAX, begin_rechecks
from huimin.rechecks.concluding import CONCLUDED_MAX, confirm_rechecks
from huimin.rechecks.due import (
    GROUNDS,
    LIVE,
    OVERDUE,
    SOON,
    STANDINGS,
    Due,
    DueFilter,
    PlaceCount,
    count_due,
    list_all_due,
    often,
    page_by_place,
    page_due,
    why,
)
from huimin.rechecks.models import Recheck
from huimin.rechecks.queries import RecheckFilter
from huimin.rechecks.rounds import Entry, record_round
from huimin.rechecks.rules import Settings, settings_of
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import Chosen, chosen_place, ids_of, one_of, programmes_seen
from huimin.workbench.recheck_forms import RoundRow
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing

GROUND_OPTIONS = [*GROUNDS.items(), ("none", "经济状况变化不大")]
STATES = [("open", "复核中"), ("concluded", "待确认"), ("confirmed", "已复核"), ("cancelled", "已取消")]
TONES = {"open": "soon", "concluded": "soon", "confirmed": "done"}
PRINT_MAX, ROUND_MAX, SECONDS_KEPT = 2000, 20, 30


def nav(here: str) -> list[tuple[str, str, bool]]:
    pages = (
        ("rechecks", "该复核的"), ("recheck-places", "各地"), ("recheck-list", "在办和已办"), ("work-offers", "拒绝就业"),
        ("still-drawn", "死亡未停发"), ("recheck-rules", "县里的规定"),
    )  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


def settings_seen(by: Actor, on: Any) -> Settings:
    """What holds here, of the programmes this post reads; inside `reading(by)`."""
    return queries.narrowed(settings_of(by.division, on), programmes_seen(by))


@require_http_methods(["GET", "POST"])
@page(guard.RECHECK_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Who is due, the earliest first; a POST begins with those ticked."""
    by, on = request.actor, request.business_date
    if request.method == "POST":

        def act() -> Outcome:
            made = begin_rechecks(by=by, on=on, households=ids_of(request.POST, BEGUN_MAX))
            left = [f"{made.related} 户是您的近亲属，未列入"] if made.related else []
            left += [f"{made.idle} 户已在复核或不再享受，未列入"] if made.idle else []
            return Outcome(
                f"已开始复核 {made.begun} 户",
                reverse("recheck-list"),
                "打印入户名单，核查后逐户或按村登记。",
                tuple(left),
            )

        return once(request, act)
    return answer_listing(
        request, lambda whole: _due(request, whole), "workbench/recheck_due.html", may_begin=may(by, begin_rechecks)
    )


def _due(request: Any, whole: bool) -> Listing:
    by, on, place = request.actor, request.business_date, chosen_place(request)
    names, settings = programme_names(), settings_seen(by, on)
    standing = one_of(request.GET, "standing", dict(STANDINGS))
    ground = one_of(request.GET, "ground", dict(GROUND_OPTIONS))
    programme = one_of(request.GET, "programme", settings.frequencies)
    wanted = DueFilter(place.prefix, on, settings, standing, ground, programme)
    rows: list[Due]
    found = None
    if whole:
        rows = list_all_due(wanted, PRINT_MAX) if request.GET.get("print") else list_all_due(wanted)
    else:
        paged = page_by_place if by.level <= Level.COUNTY and not (place.code or standing or ground) else page_due
        found = paged(wanted, request.GET.get("at", ""))
        rows = found.rows
    homes = {row.household for row in rows}
    heads, sizes = queries.heads_of(homes, on), queries.people_of(homes, on)
    places = names_of({row.division for row in rows}, on) if len(rows) <= PRINT_MAX else {}
    made = Listing(
        "该复核的家庭", _lead(settings, names), "rechecks",
        [Head("户编码", paper=34), Head("户主", paper=18), Head("人口", "count", 11), Head("村（组）", paper=28), Head("享受", paper=26),
         Head("多久一次", paper=30), Head("上次", "date", 20), Head("到期", "date", 20), Head("状态", paper=-1), Head("入户签字", paper=0)],
        [_row(row, heads, sizes, places, names, on, settings) for row in rows],
        "没有这样的家庭。换个条件看看；没有享受须复核待遇的家庭不在这里。",
        nav=nav("rechecks"), page=found, seats=["入户的人（两名）", "乡镇统计员", "日期"], to_sign=True, across=True,
        filters=[Filter("standing", "状态", STANDINGS, standing), Filter("ground", "为什么", GROUND_OPTIONS, ground),
                 Filter("programme", "项目", [(code, names[code]) for code in settings.frequencies if code in names], programme),
                 Filter("place", "地方", place.options, place.code)],
        lines=[f"{_where(by, place, on)}　逐户核查人口、收入、财产，两人以上入户，调查人和住户签字；有变化的办理变更。"],
        acts=_due_acts(by, place),
    )  # fmt: skip
    made.more["picks"] = list(zip([0 if row.live else row.household for row in rows], made.shown(), strict=True))
    return made


def _lead(settings: Settings, names: dict[str, str]) -> str:
    if not settings.frequencies:
        return "您负责的项目没有规定定期复核；需要的，由惠民办或主管部门在“县里的规定”里提出。"
    words = [
        f"{names.get(code, code)}{often(each.stable)}、{often(each.unstable)}（{each.basis}）"
        for code, each in settings.frequencies.items()
        if code in names
    ]
    return f"收入不固定、有劳动能力、单独登记备案的按短的一个。{'；'.join(dict.fromkeys(words))}。"


def _where(by: Actor, place: Chosen, on: Any) -> str:
    return "".join(chain_names(place.code or by.division, on)[2:]) or by.office_name


def _due_acts(by: Actor, place: Chosen) -> list[tuple[str, str]]:
    if not may(by, record_round):
        return []
    where = reverse("recheck-round")
    return [("按村登记走访", f"{where}?place={place.code}" if place.code else where)]


def _row(
    row: Due, heads: dict[int, str], sizes: dict[int, int], places: dict[str, str], names: dict[str, str], on: Any,
    settings: Settings,
) -> list[Any]:  # fmt: skip
    number = Cell(row.household_no, reverse("household", args=[row.household]))
    held = "、".join(names.get(code, code) for code in row.programmes)
    return [
        number, heads.get(row.household, "没有户主"), sizes.get(row.household, 0), places.get(row.division, row.division), held,
        Cell(row.often, sub=row.why), row.last_on, row.due_on, _standing(row, on, settings), "",
    ]  # fmt: skip


def _standing(row: Due, on: Any, settings: Settings) -> Cell:
    if row.live:
        return Cell("复核中", reverse("recheck", args=[row.live]))
    if row.overdue(on):
        return Cell(f"超期 {(on - row.due_on).days} 天", tone="late")
    return (
        Cell("快到期", tone="soon")
        if (row.due_on - on).days <= settings.number("soon")
        else Cell("未到期", tone="plain")
    )


@require_safe
@page(guard.RECHECK_READERS, reads=False)
def places(request: Any) -> HttpResponse:
    """How many are due, overdue and under way, by township or village."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        digits = int(Level.TOWNSHIP if len(place.prefix) < int(Level.TOWNSHIP) else Level.VILLAGE)
        rows = _counted(place.prefix, on, settings_seen(by, on), digits)
        names = names_of({row.division for row in rows}, on)
        late, soon = sum(row.overdue for row in rows), sum(row.soon for row in rows)
        return Listing(
            "各地复核", "按今天的登记计算；超期的在前。", "rechecks",
            [Head("地方"), Head("须复核的家庭", "count", 26), Head("半年一次的", "count", 26), Head("超期", "count", 20), Head("快到期", "count", 20),
             Head("复核中", "count", 20), Head("最早到期", "date", 24)],
            [_place(row, names) for row in sorted(rows, key=lambda row: (-row.overdue, row.division))],
            "这里没有须复核的家庭。", nav=nav("recheck-places"), seats=["填表人", "负责人", "日期"],
            filters=[Filter("place", "地方", place.options, place.code)],
            figures=[("须复核", f"{sum(row.whole for row in rows):,}", ""), ("超期", f"{late:,}", "late" if late else ""),
                     ("快到期", f"{soon:,}", ""), ("复核中", f"{sum(row.live for row in rows):,}", "")],
        )  # fmt: skip

    return answer_listing(request, build)


def _counted(prefix: str, on: Any, settings: Settings, digits: int) -> list[PlaceCount]:
    """Counted at most twice a minute for a county: it is every household that draws, with its facts."""
    if len(prefix) >= int(Level.TOWNSHIP):
        return count_due(prefix, on, settings, digits)
    key = f"due:{connection.settings_dict['NAME']}:{prefix}:{on}:{digits}:{','.join(sorted(settings.frequencies))}"
    return cast(list[PlaceCount], cache.get_or_set(key, lambda: count_due(prefix, on, settings, digits), SECONDS_KEPT))


def _place(row: PlaceCount, names: dict[str, str]) -> list[Any]:
    where = f"{reverse('rechecks')}?place={row.division}"
    late = Cell(row.overdue, f"{where}&standing={OVERDUE}") if row.overdue else 0
    soon = Cell(row.soon, f"{where}&standing={SOON}") if row.soon else 0
    live = Cell(row.live, f"{where}&standing={LIVE}") if row.live else 0
    return [Cell(names.get(row.division, row.division), where), row.whole, row.half, late, soon, live, row.earliest]


@require_http_methods(["GET", "POST"])
@page(guard.RECHECK_READERS, reads=False)
def under_way(request: Any) -> HttpResponse:
    """Re-checks by state; a POST confirms those ticked, all unchanged."""
    by, on = request.actor, request.business_date
    if request.method == "POST":

        def act() -> Outcome:
            done = confirm_rechecks(by=by, on=on, rechecks=ids_of(request.POST, CONCLUDED_MAX))
            return Outcome(f"已确认 {len(done)} 件复核", reverse("recheck-list"), "下次到期日从结论之日起算。")

        return once(request, act)

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(STATES), "open")
        outcome = one_of(request.GET, "outcome", dict(Recheck.Outcome.choices))
        wanted = RecheckFilter(place.prefix, state, outcome, programmes_seen(by))
        found = None if whole else queries.page_rechecks(wanted, request.GET.get("at", ""))
        rows = list(queries.iterate_rechecks(wanted)) if found is None else found.rows
        heads = queries.heads_of({row.household_id for row in rows}, on) if len(rows) <= PRINT_MAX else {}
        names = names_of({row.division for row in rows}, on) if len(rows) <= PRINT_MAX else {}
        made = Listing(
            "复核", "经办人核查、作结论，另一人确认；增发、减发、停发由系统重新认定后提出建议。", "rechecks",
            [Head("户编码", paper=36), Head("户主", paper=20), Head("村（组）", paper=30), Head("为什么", paper=40), Head("开始", "date", 22),
             Head("应在此前", "date", 22), Head("结果", paper=20), Head("状态", paper=20)],
            [_recheck(row, heads, names, on) for row in rows], "没有这样的复核。到“该复核的”里勾选家庭，开始复核。",
            nav=nav("recheck-list"), page=found, seats=["填表人", "负责人", "日期"], across=True,
            filters=[Filter("state", "状态", STATES, state), Filter("outcome", "结果", Recheck.Outcome.choices, outcome),
                     Filter("place", "地方", place.options, place.code)],
            acts=_due_acts(by, place),
        )  # fmt: skip
        picks = [row.pk if (row.state, row.outcome) == ("concluded", "same") else 0 for row in rows]
        made.more["picks"] = list(zip(picks, made.shown(), strict=True))
        return made

    return answer_listing(
        request, build, "workbench/recheck_list.html",
        may_confirm=may(by, confirm_rechecks) and request.GET.get("state") == "concluded",
    )  # fmt: skip


def _recheck(row: Recheck, heads: dict[int, str], names: dict[str, str], on: Any) -> list[Any]:
    late = row.state in ("open", "concluded") and row.due_on < on
    state = Cell(
        row.get_state_display(), tone="late" if late else TONES.get(row.state, "plain"), sub="已超期" if late else ""
    )
    return [
        Cell(row.household.household_no, reverse("recheck", args=[row.pk])), heads.get(row.household_id, ""),
        names.get(row.division, row.division), Cell(often(row.months), sub=why(row.grounds)), row.begun_on, row.due_on,
        row.get_outcome_display() if row.outcome else "", state,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(record_round.posts))  # type: ignore[attr-defined]
def round_of(request: Any) -> HttpResponse:
    """Back from a round: a village's open re-checks, one block each; those filled in are recorded together."""
    by, on = request.actor, request.business_date
    with reading(by):
        place = chosen_place(request)
        found = queries.page_rechecks(RecheckFilter(place.prefix, "open"), request.GET.get("at", ""), ROUND_MAX)
        heads = queries.heads_of({row.household_id for row in found}, on)
        names = names_of({row.division for row in found}, on)
    initial = {"done_on": on.isoformat(), "people": by.name}
    blocks = [(row, RoundRow(request.POST or None, prefix=f"r{row.pk}", initial=initial)) for row in found]
    problems: list[tuple[str, str]] = []
    if request.method == "POST":
        checked = [form.is_valid() for _, form in blocks]  # every one of them, so that all faults show at once
        if all(checked):
            entries = [_entry(row, form) for row, form in blocks if form.filled]
            try:
                return once(request, lambda: _recorded(by, on, entries))
            except BadInput as wrong:
                problems = [(blocks[0][1]["words"].auto_id if blocks else "main", str(wrong))]
        problems += [each for _, form in blocks for each in form.problems]
    context = {
        "section": "rechecks", "blocks": blocks, "heads": heads, "names": names, "page": found, "place": place, "nav": nav(""),
        "found_problems": problems,
    }  # fmt: skip
    return render(request, "workbench/recheck_round.html", context, status=422 if problems else 200)


def _entry(row: Recheck, form: RoundRow) -> Entry:
    told = form.cleaned_data
    return Entry(
        row.pk, told["kind"], told["done_on"] or row.begun_on, told["people"], told["words"], told["conclusion"]
    )


def _recorded(by: Actor, on: Any, entries: list[Entry]) -> Outcome:
    recorded, concluded = record_round(by=by, on=on, entries=entries)
    then = "结论由审核员确认；有增减的，系统已提出建议。" if concluded else "写了结论的才算核查完。"
    return Outcome(f"已登记 {recorded} 户的核查，{concluded} 户作了结论", reverse("recheck-list"), then)
