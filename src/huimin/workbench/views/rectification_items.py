"""The list of a campaign at the desk: those with marks first, results for one or many, reviews, the county's checks (CASE-10)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import may, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import programme_names
from huimin.rectification import checking, finding, queries, reporting
from huimin.rectification.marking import RISKS, words_of
from huimin.rectification.models import CheckDraw, Item
from huimin.rectification.queries import ItemFilter
from huimin.registry.models import Household
from huimin.samples.seeding import EVENTS, seed_text
from huimin.visits.queries import list_visits_of
from huimin.workbench import guard, rectification_acts
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of
from huimin.workbench.rectification_forms import AddItem, Kept
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.rectifications import CARRIED, RESULTS, campaign_of, nav, reads_file
from huimin.workbench.views.reliefs import _answer as answer_form

STATES = Item.State.choices
MARKS = [("any", "有疑点的"), *RISKS.items()]
TONES = {"open": "soon", "found": "plain", "reviewed": "done"}
PRINT_MAX = 5001
GOERS = frozenset({Post.INFORMATION_OFFICER, *finding.FINDERS, *finding.REVIEWERS})
"""Who goes to the households of the list; the county's own visits are its checks."""


@require_http_methods(["GET", "POST"])
@page(guard.RECTIFIERS, reads=False)
def listing(request: Any, number: int) -> HttpResponse:
    """Items by marks, state, result, place; a POST keeps, or reviews, those ticked."""
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = campaign_of(by, number)
    open_now = campaign.state == "open"
    reviews, keeps = open_now and may(by, finding.review_results), open_now and may(by, finding.record_kept)
    form = Kept(request.POST if keeps and request.method == "POST" else None)
    if request.method == "POST" and (reviews or form.is_valid()):

        def act() -> Outcome:
            ids = ids_of(request.POST, finding.AT_ONCE_MAX)
            if reviews:
                done = f"复核同意 {finding.review_results(by=by, on=on, items=ids)} 户"
            else:
                kept = finding.record_kept(by=by, on=on, items=ids, grounds=form.cleaned_data["grounds"])
                done = f"登记保留 {kept} 户"
            return Outcome(done, request.get_full_path(), "近亲属所在的户不在其中，另行办理。" if len(ids) > 1 else "")

        return once(request, act)
    return answer_listing(
        request, lambda whole: _items(request, campaign, whole, reviews, keeps), "workbench/rectification_items.html",
        form=form, reviews=reviews, keeps=keeps,
    )  # fmt: skip


def _items(request: Any, campaign: Any, whole: bool, reviews: bool, keeps: bool) -> Listing:
    by, on, place = request.actor, request.business_date, chosen_place(request)
    usual = {True: "found"}.get(reviews, "open" if keeps else "")
    state = one_of(request.GET, "state", dict(STATES), "" if request.GET else usual)
    result, risk = one_of(request.GET, "result", RESULTS), one_of(request.GET, "risk", dict(MARKS))
    origin = one_of(request.GET, "origin", Item.Origin.values)
    prefix = max(place.prefix, campaign.prefix, key=len)
    wanted = ItemFilter(campaign, prefix, state, result, risk, origin)
    found = None if whole else queries.page_items(wanted, on, request.GET.get("at", ""))
    rows: list[Any] = _whole(request, wanted, on) if found is None else found.rows
    names, programmes = names_of(set(list({row.division for row in rows})[:2000]), on), programme_names()
    made = Listing(
        f"{campaign.title}：名单", "有疑点的在前。入户、双方签字后登记结果，由另一人复核；没有疑点的可以勾选一起登记保留。", "rectifications",
        [Head("户编码", paper=36), Head("户主或本人", paper=22), Head("村（组）", paper=30), Head("项目", paper=26), Head("每期金额（元）", "fen", 24),
         Head("疑点"), Head("入户", paper=16), Head("结果", paper=28), Head("状态", paper=20)],
        [_item(row, names, programmes) for row in rows], "没有这样的户。换个条件看看。", nav=nav(by, campaign, "rectification-items"),
        page=found, across=True, seats=["核查人", "复核人", "日期"],
        filters=[Filter("state", "状态", STATES, state), Filter("risk", "疑点", MARKS, risk), Filter("result", "结果", list(RESULTS.items()), result),
                 Filter("origin", "来源", Item.Origin.choices, origin), Filter("place", "地方", place.options, place.code)],
        acts=[("登记摸排发现的户", reverse("rectification-add", args=[campaign.pk]))] if campaign.state == "open" and may(by, finding.add_item) else [],
    )  # fmt: skip
    wanted_state = "found" if reviews else "open"
    made.more["picks"] = list(
        zip([row.pk if _ticks(row, wanted_state, keeps) else 0 for row in rows], made.shown(), strict=True)
    )
    made.more["tickable"] = any(number for number, _ in made.more["picks"])
    return made


def _ticks(row: Any, state: str, keeps: bool) -> bool:
    """Whether this row can be done together with others: to review, or to keep without a mark once it was visited."""
    if row.state != state:
        return False
    return not keeps or (row.origin == "held" and not row.risk_count and getattr(row, "visited", False))


def _whole(request: Any, wanted: ItemFilter, on: Any) -> list[Any]:
    rows = queries.iterate_items(wanted, on)
    if request.GET.get("print") == "pdf":
        return [row for row, _ in zip(rows, range(PRINT_MAX), strict=False)]
    return list(rows)


def _item(row: Any, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    who = row.person.name if row.person else row.head_name or "没有户主"
    origin = "" if row.origin == "held" else row.get_origin_display()
    visited = getattr(row, "visited", row.visit_id is not None)
    return [
        Cell(row.household.household_no, reverse("rectification-item", args=[row.pk])), who, names.get(row.division, row.division),
        Cell(programmes.get(row.programme, row.programme), sub=origin), row.amount_fen, "、".join(words_of(row.risks)) or None,
        Cell("已入户" if visited or row.visit_id else "未入户", tone="done" if visited or row.visit_id else "soon"),
        row.get_result_display() if row.result else None, Cell(row.get_state_display(), tone=TONES[row.state]),
    ]  # fmt: skip


@require_safe
@page(guard.RECTIFIERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One item: as it was found, marks, visits, result and review, the county's check, how it is carried out."""
    by, on = request.actor, request.business_date
    item = queries.get_item(number, on)
    campaign = campaign_of(by, item.campaign_id)
    pick = queries.find_pick(number) if reads_file(by) else None
    told = rectification_acts.Seen(by, on, campaign, item=item, pick=pick)
    context = {
        "section": "rectifications", "item": item, "campaign": campaign, "nav": nav(by, campaign, "rectification-items"),
        "trail": chain_names(item.division, on), "names": programme_names(), "risks": words_of(item.risks),
        "acts": queries.list_acts(number), "visits": list_visits_of(item.subject), "tone": TONES[item.state],
        "offered": rectification_acts.offered(rectification_acts.ITEM_ACTS, told), "pick": pick,
        "checks": sorted(pick.checks.all(), key=lambda each: -each.pk) if pick else [],
        "check_visits": list_visits_of(item.check_subject) if pick else [], "held": queries.held_now(item, on),
        "proposals": queries.open_proposals(item), "carried": queries.standing_of(item, on), "carried_words": CARRIED,
        "may_visit": campaign.state == "open" and item.state == Item.State.OPEN and by.post in GOERS, "may_check": bool(pick) and may(by, checking.record_check),
        "may_enter": reads_file(by) and may(by, reporting.enter_case),
    }  # fmt: skip
    return render(request, "workbench/rectification_item.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.RECTIFIERS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on an item: checked on its page, done once."""
    if key not in rectification_acts.ITEM_ACTS:
        raise Http404
    chosen = rectification_acts.ITEM_ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        item = queries.get_item(number, on)
        campaign = campaign_of(by, item.campaign_id)
        pick = queries.find_pick(number) if reads_file(by) else None
        told = rectification_acts.Seen(by, on, campaign, item=item, pick=pick)
        trail = chain_names(item.division, on)
    form: Any = chosen.form(told, request.POST or None)

    def run() -> Outcome:
        chosen.run(told, form.cleaned_data if form else {})
        return Outcome(chosen.done, reverse("rectification-item", args=[number]))

    risks = f"有疑点：{'、'.join(words_of(item.risks))}。" if item.risks else ""
    context = {
        "section": "rectifications", "title": chosen.title, "button": chosen.button, "warning": chosen.warning, "trail": trail,
        "lead": f"{item.household.household_no} {item.head_name or ''}。{risks}{chosen.effect}",
        "back": reverse("rectification-item", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/rectification_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(finding.add_item.posts))  # type: ignore[attr-defined]
def add(request: Any, number: int) -> HttpResponse:
    """A household found going from door to door, by its number."""
    by, on = request.actor, request.business_date
    with reading(by):
        campaign, names = campaign_of(by, number), programme_names()
    form = AddItem(request.POST or None, programmes=[(code, names.get(code, code)) for code in campaign.programmes])

    def run() -> Outcome:
        told = form.cleaned_data
        with reading(by):
            home = Household.objects.filter(household_no=told["household_no"].strip(), closed_on=None).first()
        if home is None:
            raise BadInput("没有这一户", where="户编码", why="不存在，或不在您的辖区内", remedy="请从家庭页面抄户编码")
        made = finding.add_item(
            by=by, on=on, campaign_id=number, household=home.pk, programme=told["programme"], note=told["note"]
        )
        return Outcome("已列入名单", reverse("rectification-item", args=[made.pk]), "接着入户核查。")

    context = {
        "section": "rectifications", "title": "登记摸排发现的户", "button": "列入名单", "lead": f"{campaign.title}。符合条件没有纳入的，先列入名单，入户核查后登记结果，再按申请办理。",
        "back": reverse("rectification-items", args=[number]),
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/rectification_form.html", context)


@require_safe
@page(guard.RECTIFICATION_FILE, reads=False)
def checks(request: Any, number: int) -> HttpResponse:
    """The county's draw and its drawn items, by key; what is ready to be checked first asked for."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign, place = campaign_of(by, number), chosen_place(request)
        if not reads_file(by):
            raise Http404
        draw = CheckDraw.objects.filter(campaign=campaign).first()
        state = one_of(request.GET, "standing", dict(queries.CHECK_STANDINGS))
        prefix = max(place.prefix, campaign.prefix, key=len)
        found = queries.page_picks(
            campaign, prefix, state, "" if whole else request.GET.get("at", ""), 1000 if whole else 50
        )
        names, programmes = names_of({row.item.division for row in found}, on), programme_names()
        return Listing(
            f"{campaign.title}：县级抽查", _draw_words(draw), "rectifications",
            [Head("编号", paper=34), Head("户编码", paper=38), Head("村（组）", paper=34), Head("项目", paper=30), Head("乡镇的结果", paper=32), Head("抽中", paper=20),
             Head("抽签的键"), Head("抽查", paper=26)],
            [_pick(row, names, programmes) for row in found], "还没有抽中的户。" if draw is None or not draw.seed else "没有这样的户。",
            nav=nav(by, campaign, "rectification-checks"), page=found, across=True, seats=["抽查人", "负责人"],
            filters=[Filter("standing", "状态", queries.CHECK_STANDINGS, state), Filter("place", "地方", place.options, place.code)],
            lines=[_draw_words(draw), *(f"{name}：{value}" for name, value in _draw_rule(draw))], more={"rule": _draw_rule(draw)},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/rectification_checks.html")


def _draw_words(draw: CheckDraw | None) -> str:
    """How it stands, in one sentence."""
    if draw is None:
        return "还没有冻结抽查名单。冻结以后，用以后公布的号码抽签。"
    base = f"名单 {draw.size:,} 户：备案的近亲属 {draw.must:,} 户必查，另抽 {draw.quota:,} 户。"
    return base if draw.seed else f"{base}用 {draw.event_on} {EVENTS[draw.event].label}的号码抽签。"


def _draw_rule(draw: CheckDraw | None) -> list[tuple[str, str]]:
    """What anybody needs to redo it: names and values, as samples.seeding says."""
    if draw is None:
        return []
    told = [("名单摘要", draw.digest), ("公开号码", f"{EVENTS[draw.event].label} {draw.event_on}")]
    if draw.seed:
        text = seed_text(draw.digest, draw.event, draw.event_on, draw.number)
        told += [
            ("号码", draw.number),
            ("种子", f"“{text}”的 SHA-256：{draw.seed}"),
            ("键", "“种子:编号”的 SHA-256，键最小的抽中"),
        ]
    return told


def _pick(row: Any, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    item = row.item
    state = (
        Cell("一致", tone="done")
        if row.agreed
        else Cell("不一致，重查中", tone="late")
        if row.differed
        else Cell("待抽查", tone="soon")
    )
    if not row.agreed and item.state != Item.State.REVIEWED:
        state = Cell("等乡镇复核", tone="plain", sub="重查中" if row.differed else "")
    return [
        row.number, Cell(item.household.household_no, reverse("rectification-item", args=[item.pk])), names.get(item.division, item.division),
        programmes.get(item.programme, item.programme), item.get_result_display() if item.result else None,
        "必查" if row.must else "抽签", row.key[:16], state,
    ]  # fmt: skip
