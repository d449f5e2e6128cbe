"""The yearly survey at the desk: how far each place is, who is due, forms entered for many, opened and closed (REG-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.fieldwork import campaign_queries as queries
from huimin.fieldwork import campaigns as room
from huimin.fieldwork.campaign_queries import DueFilter, PlaceCount
from huimin.fieldwork.models import Campaign
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.registry.models import Household
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.field_forms import CloseCampaign, Forms, OpenCampaign
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

LEVELS = [("township", "按乡镇"), ("village", "按村"), ("officer", "按信息员")]
NEW = [("new", "开展后新增、分户")]
_PRINT_MAX = 5001


@require_safe
@page(guard.FIELD_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """The newest campaign, place by place."""
    with reading(request.actor):
        found = queries.list_campaigns(request.actor.division)
    if not found:
        context = {"section": "campaigns", "may_open": may(request.actor, room.open_campaign)}
        return render(request, "workbench/campaign_none.html", context)
    return _places(request, found[0], found)


@require_safe
@page(guard.FIELD_READERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """One campaign, place by place."""
    with reading(request.actor):
        found = queries.list_campaigns(request.actor.division)
    return _places(request, _of(found, number), found)


def _of(found: list[Campaign], number: int) -> Campaign:
    row = next((each for each in found if each.pk == number), None)
    if row is None:
        raise Http404
    return row


def _places(request: Any, campaign: Campaign, every: list[Campaign]) -> HttpResponse:
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        usual = "township" if len(place.prefix) < int(Level.TOWNSHIP) else "village"
        level = one_of(request.GET, "level", dict(LEVELS), usual) or usual
        digits = Level.TOWNSHIP if level == "township" else Level.VILLAGE
        rows = queries.count_by_place(campaign, place.prefix, digits, on)
        total = queries.total_of(rows)
        return Listing(
            campaign.title, _lead(campaign), "campaigns",
            [Head("信息员" if level == "officer" else "地方"), Head("应调查", "count", 22), Head("已调查", "count", 22),
             Head("有变化", "count", 22), Head("未调查", "count", 22), Head("逾期", "count", 22), Head("新增", "count", 20),
             Head("完成", paper=20)],
            _by_officer(rows, on) if level == "officer" else [_row(campaign, each, names) for names in [_names(rows, on)] for each in rows],
            "这里没有要调查的家庭。", nav=_nav(campaign, "places"), figures=_figures(total),
            filters=[Filter("level", "怎样看", LEVELS, level), Filter("place", "地方", place.options, place.code)],
            acts=_acts(by, campaign, on), seats=["填表人", "负责人"],
            more={"campaign": campaign, "earlier": [each for each in every if each.pk != campaign.pk]},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/campaign.html")


def _names(rows: list[PlaceCount], on: Any) -> dict[str, str]:
    return names_of({each.division for each in rows}, on)


def _lead(campaign: Campaign) -> str:
    days = f"{campaign.get_whom_display()}，{campaign.starts_on} 至 {campaign.deadline}"
    if campaign.state == Campaign.State.CLOSED:
        return f"{days}，已于 {campaign.closed_on} 结束。"
    return f"{days}。有这段日期内的基本信息表才算调查过。"


def _figures(total: PlaceCount) -> list[tuple[str, str, str]]:
    return [
        ("应调查（户）", f"{total.due:,}", ""), ("已调查", f"{total.done:,}", ""), ("未调查", f"{total.left:,}", ""),
        ("逾期", f"{total.overdue:,}", "late" if total.overdue else ""),
    ]  # fmt: skip


def _share(row: PlaceCount) -> Cell:
    words = f"{row.done * 100 // row.due} %" if row.due else "—"
    return Cell(words, tone="done" if row.done == row.due else "late" if row.overdue else "plain")


def _counts(row: PlaceCount) -> list[Any]:
    return [row.due, row.done, row.changed, row.left, row.overdue, row.new, _share(row)]


def _row(campaign: Campaign, row: PlaceCount, names: dict[str, str]) -> list[Any]:
    url = f"{reverse('campaign-due', args=[campaign.pk])}?place={row.division}"
    return [Cell(names.get(row.division, row.division), url), *_counts(row)]


def _by_officer(rows: list[PlaceCount], on: Any) -> list[list[Any]]:
    """Villages put together by whoever is their information officer; those without one in front."""
    officers, names = queries.officers_of([row.division for row in rows], on), _names(rows, on)
    groups: dict[str, list[PlaceCount]] = {}
    for row in rows:
        held = officers.get(row.division, [])
        groups.setdefault("、".join(each.account.full_name for each in held), []).append(row)
    told = []
    for who in sorted(groups):
        villages = "、".join(names.get(row.division, row.division) for row in groups[who][:6])
        told.append([Cell(who or "没有信息员", sub=villages), *_counts(queries.total_of(groups[who]))])
    return told


def _nav(campaign: Campaign, here: str) -> list[tuple[str, str, bool]]:
    return [
        ("各地进度", reverse("campaign", args=[campaign.pk]), here == "places"),
        ("逐户名单", reverse("campaign-due", args=[campaign.pk]), here == "due"),
    ]


def _acts(by: Actor, campaign: Campaign, on: Any) -> list[tuple[str, str]]:
    if campaign.state == Campaign.State.OPEN:
        return [("结束普查", reverse("campaign-close", args=[campaign.pk]))] if may(by, room.close_campaign) else []
    return [("开展新一年普查", reverse("campaign-open"))] if may(by, room.open_campaign) else []


@require_http_methods(["GET", "POST"])
@page(guard.FIELD_READERS, reads=False)
def due(request: Any, number: int) -> HttpResponse:
    """Household by household; a POST enters forms that say what the registry says, for those ticked."""
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = _of(queries.list_campaigns(by.division), number)
    may_record = campaign.state == Campaign.State.OPEN and may(by, room.record_forms)
    form = Forms(request.POST or None, initial={"surveyed_on": on.isoformat(), "surveyors": by.name})
    if request.method == "POST" and form.is_valid():
        told = {name: form.cleaned_data[name] for name in ("surveyed_on", "surveyors", "evidence")}

        def act() -> Outcome:
            ids = ids_of(request.POST, room.FORMS_MAX)
            made = room.record_forms(by=by, on=on, households=ids, **told)
            return Outcome(
                f"登记了 {made} 户的基本信息表", request.get_full_path(), "与登记不一致的，请从户编码进入填表。"
            )

        return once(request, act)
    return answer_listing(
        request, lambda whole: _due(request, campaign, whole), "workbench/campaign_due.html", form=form, may_record=may_record
    )  # fmt: skip


def _due(request: Any, campaign: Campaign, whole: bool) -> Listing:
    on, place = request.business_date, chosen_place(request)
    standing = one_of(request.GET, "standing", dict(queries.STANDINGS), queries.DUE)
    new = one_of(request.GET, "new", dict(NEW))
    wanted = DueFilter(campaign, place.prefix, on, standing, bool(new))
    found = None if whole else queries.page_due(wanted, request.GET.get("at", ""))
    rows: list[Any] = _whole(request, wanted) if found is None else found.rows
    names = _cached_names(rows, on)
    where = "".join(chain_names(place.code or request.actor.division, on)[2:])
    made = Listing(
        f"{campaign.title}逐户名单", _lead(campaign), "campaigns",
        [Head("户编码", paper=40), Head("户主", paper=22), Head("村（组）", paper=32), Head("调查日期", "date", 22),
         Head("状态", paper=22), Head("入户签字", paper=0)],
        [_household(each, campaign, names, on) for each in rows], "没有这样的家庭。换个条件看看。",
        nav=_nav(campaign, "due"), page=found, seats=["信息员", "乡镇统计员", "日期"], to_sign=True,
        filters=[Filter("standing", "状态", queries.STANDINGS, standing), Filter("place", "地方", place.options, place.code),
                 Filter("new", "新增", NEW, new)],
        lines=[f"{where}　期限 {campaign.deadline}。入户核对全部项目，两人以上，调查人和户主签字。"],
    )  # fmt: skip
    made.more["picks"] = list(zip([each.pk for each in rows], made.shown(), strict=True))
    return made


def _whole(request: Any, wanted: DueFilter) -> list[Household]:
    """A paper that would be refused for its length is not read to its end."""
    if request.GET.get("print") == "pdf":
        return queries.list_due(wanted, _PRINT_MAX)
    return list(queries.iterate_due(wanted))


def _cached_names(rows: list[Household], on: Any) -> dict[str, str]:
    """Names of however many villages and groups."""
    codes, names = sorted({row.division for row in rows}), {}
    for at in range(0, len(codes), 2000):
        names.update(names_of(set(codes[at : at + 2000]), on))
    return names


def _household(row: Any, campaign: Campaign, names: dict[str, str], on: Any) -> list[Any]:
    state = Cell("已调查", tone="done") if row.surveyed_on else Cell("未调查", tone="soon")
    if row.surveyed_on is None and (campaign.closed_on or on) > campaign.deadline:
        state = Cell("逾期未调查", tone="late")
    number = Cell(row.household_no, reverse("household", args=[row.pk]))
    return [number, row.head_name or "没有户主", names.get(row.division, row.division), row.surveyed_on, state, ""]


@require_http_methods(["GET", "POST"])
@page(frozenset(room.open_campaign.posts))  # type: ignore[attr-defined]
def begin(request: Any) -> HttpResponse:
    on = request.business_date
    initial = {"year": on.year, "whom": Campaign.Whom.ALL, "starts_on": on.isoformat(), "deadline": f"{on.year}-12-20"}
    form = OpenCampaign(request.POST or None, initial=initial)

    def act() -> Outcome:
        made = room.open_campaign(by=request.actor, on=on, **form.cleaned_data)
        return Outcome(f"已开展{made.title}", reverse("campaign", args=[made.pk]), "各村信息员的工作台会提醒。")

    context = {"section": "campaigns", "title": "开展年度普查", "button": "开展", "back": reverse("campaigns")}
    return answer_form(request, form, act, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(room.close_campaign.posts))  # type: ignore[attr-defined]
def close(request: Any, number: int) -> HttpResponse:
    on = request.business_date
    with reading(request.actor):
        campaign = _of(queries.list_campaigns(request.actor.division), number)
        total = queries.total_of(queries.count_by_place(campaign, request.actor.prefix, Level.TOWNSHIP, on))
    form = CloseCampaign(request.POST or None)

    def act() -> Outcome:
        room.close_campaign(by=request.actor, on=on, campaign=number, **form.cleaned_data)
        return Outcome("普查已结束", reverse("campaign", args=[number]), "各村的结果已固定，由您签名。")

    lead = f"应调查 {total.due:,} 户，已调查 {total.done:,} 户，未调查 {total.left:,} 户。结束后结果不再变。"
    context = {
        "section": "campaigns", "title": f"结束{campaign.title}？", "lead": lead, "button": "结束普查",
        "back": reverse("campaign", args=[number]), "warning": True,
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)
