"""Rectification campaigns at the desk: the list, one with its phases and progress, the plan, acts, the summary table (CASE-10)."""

from typing import Any

from django.core.cache import cache
from django.db import connection
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import get_division, names_of
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, NotYourProgramme, may, reading
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from huimin.policy.queries import programme_names
from huimin.rectification import planning, queries, reporting, standing, summing
from huimin.rectification.marking import RISKS
from huimin.rectification.models import Campaign, CheckDraw, GroupMember, Phase
from huimin.samples.seeding import EVENTS
from huimin.workbench import guard, rectification_acts
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, place_options, programmes_seen
from huimin.workbench.rectification_forms import PlanForm, example_phases
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.spreadsheet import Column, Sheet, export_sheets
from huimin.workbench.views.reliefs import _answer as answer_form

KEPT_FROM, SECONDS_KEPT = 10_000, 30
TONES = {"planned": "soon", "open": "plain", "closed": "done"}
STANDING = {"before": "未到", "now": "进行中", "over": "已过"}


def campaign_of(by: Actor, number: int) -> Campaign:
    """The campaign, when it is of the programmes of the office of `by`, or his post reads all."""
    found = queries.get_campaign(number)
    seen = programmes_seen(by)
    if seen is not None and not set(found.programmes) <= set(seen):
        raise NotYourProgramme("这次专项整治不由您的单位负责", remedy="请由主管部门办理")
    return found


def reads_file(by: Actor) -> bool:
    """Whether `by` reads cases, reports and checks: at the county."""
    return by.post in reporting.READERS and by.level <= Level.COUNTY


def nav(by: Actor, campaign: Campaign, here: str) -> list[tuple[str, str, bool]]:
    pages = [
        ("rectification", "进度"),
        ("rectification-items", "名单"),
        ("rectification-notices", "公示"),
        ("rectification-summary", "汇总表"),
        ("rectification-people", "清退和新增"),
    ]
    if reads_file(by):
        pages += [
            ("rectification-checks", "县级抽查"),
            ("rectification-cases", "典型案例"),
            ("rectification-reports", "报送"),
        ]
    return [(label, reverse(route, args=[campaign.pk]), route == here) for route, label in pages]


@require_safe
@page(guard.RECTIFIERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """All that concern this place, the newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        rows, names = queries.list_campaigns(programmes_seen(by)), programme_names()
        places = names_of({row.division for row in rows}, on)
        return Listing(
            "专项整治", "把一个项目现在享受的全部对象重新核查一遍：四个阶段，入户 100%，县级抽查，应保尽保、应退尽退。", "rectifications",
            [Head("名称"), Head("文号", paper=44), Head("范围", paper=30), Head("项目", paper=50), Head("阶段", paper=36), Head("名单（户）", "count", 22),
             Head("状态", paper=20)],
            [_campaign(row, places, names, on) for row in rows],
            "还没有专项整治。由主管部门经办制定方案，部门审批启动。", across=True,
            acts=[("制定方案", reverse("rectification-plan"))] if may(by, planning.plan_campaign) else [],
        )  # fmt: skip

    return answer_listing(request, build)


def _campaign(row: Campaign, places: dict[str, str], names: dict[str, str], on: Any) -> list[Any]:
    phases = [each for each in Phase.objects.filter(campaign=row).order_by("number") if each.standing(on) == "now"]
    now = (
        Cell(phases[0].get_number_display(), sub=f"到 {phases[0].ends_on}")
        if phases and row.state != "closed"
        else Cell("—")
    )
    return [
        Cell(row.title, reverse("rectification", args=[row.pk])), row.document_no, places.get(row.division, row.division),
        "、".join(names.get(code, code) for code in row.programmes), now, row.items_count or None,
        Cell(row.get_state_display(), tone=TONES[row.state]),
    ]  # fmt: skip


@require_safe
@page(guard.RECTIFIERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """One campaign: its phases, how far each place is, what can be done now."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign, place = campaign_of(by, number), chosen_place(request)
        prefix = max(place.prefix, campaign.prefix, key=len)
        level = Level.VILLAGE if len(prefix) >= Level.TOWNSHIP else Level.TOWNSHIP
        rows = _progress(campaign, prefix, level, on, whole) if campaign.opened_on else []
        total, county = standing.total_of(rows, standing.PROGRESS), reads_file(by)
        names = names_of({row.division for row in rows} | {campaign.division}, on)
        told = rectification_acts.Seen(by, on, campaign, CheckDraw.objects.filter(campaign=campaign).first())
        heads = [Head("地方"), Head("名单", "count", 20), Head("有疑点", "count", 20), Head("已入户", "count", 20), Head("待复核", "count", 20),
                 Head("已复核", "count", 20), Head("未完成", "count", 20), Head("逾期", "count", 18)]  # fmt: skip
        heads += [Head("应抽查", "count", 20), Head("已抽查", "count", 20)] if county else []
        heads += [Head("待执行", "count", 20), Head("已执行", "count", 20), Head("完成", paper=20)]
        return Listing(
            campaign.title, _lead(campaign, names, on), "rectifications", heads, [_place(campaign, row, names, county) for row in rows],
            "名单在启动时产生。" if campaign.state == "planned" else "这里没有名单上的户。", nav=nav(by, campaign, "rectification"), across=True,
            filters=[Filter("place", "地方", place.options, place.code)] if campaign.opened_on else [],
            figures=_figures(total) if campaign.opened_on else [], acts=_acts(told), seats=["填表人", "负责人"],
            more=_more(request, campaign, told, total, on),
        )  # fmt: skip

    return answer_listing(request, build, "workbench/rectification.html")


def _progress(campaign: Campaign, prefix: str, level: Level, on: Any, whole: bool) -> list[standing.Count]:
    """Of a county counted at most twice a minute: a hundred thousand items take longer than a page may."""

    def count() -> list[standing.Count]:
        return standing.count_by_place(campaign, prefix, level, on, names=standing.PROGRESS)

    if whole or len(prefix) >= Level.TOWNSHIP or campaign.items_count < KEPT_FROM:
        return count()
    key = f"rectified:{connection.settings_dict['NAME']}:{campaign.pk}:{prefix}:{on}"
    found: list[standing.Count] = cache.get_or_set(key, count, SECONDS_KEPT)
    return found


def _lead(campaign: Campaign, names: dict[str, str], on: Any) -> str:
    programmes = programme_names()
    what = "、".join(programmes.get(code, code) for code in campaign.programmes)
    return f"{names.get(campaign.division, campaign.division)}，{what}，{campaign.document_no}，{campaign.get_state_display()}。"


def _figures(total: standing.Count) -> list[tuple[str, str, str]]:
    return [
        ("名单（户）", f"{total['all']:,}", ""), ("已入户", f"{total['visited']:,}", ""), ("已复核", f"{total['reviewed']:,}", ""),
        ("未完成", f"{total.left:,}", "late" if total.overdue else ""), ("清退", f"{total['leave_count']:,}", ""),
        ("新纳入", f"{total['enter_count']:,}", ""),
    ]  # fmt: skip


def _place(campaign: Campaign, row: standing.Count, names: dict[str, str], county: bool) -> list[Any]:
    url = f"{reverse('rectification-items', args=[campaign.pk])}?place={row.division}"
    share = Cell(f"{row.percent} %", tone="done" if not row.left else "late" if row.overdue else "plain")
    checks = [row["picked"], row["checked"]] if county else []
    return [
        Cell(names.get(row.division, row.division), url), row["all"], row["marked"], row["visited"], row["found"] - row["reviewed"],
        row["reviewed"], row.left, row.overdue, *checks, row["waiting"], row["carried"], share,
    ]  # fmt: skip


def _acts(told: rectification_acts.Seen) -> list[tuple[str, str]]:
    campaign = told.campaign
    acts = [
        (act.button if act.key != "number" else act.title, reverse("rectification-act", args=[campaign.pk, act.key]))
        for act in rectification_acts.offered(rectification_acts.ACTS, told)
    ]
    if (
        campaign.state == "planned"
        and may(told.by, planning.revise_plan)
        and campaign.division.startswith(told.by.prefix)
    ):
        acts.append(("修改方案", reverse("rectification-revise", args=[campaign.pk])))
    return acts


def _more(
    request: Any, campaign: Campaign, told: rectification_acts.Seen, total: standing.Count, on: Any
) -> dict[str, Any]:
    due = reporting.list_due(campaign, on) if reads_file(told.by) else []
    sent = (sum(row.sent is not None for row in due), len(due))
    phases = standing.phase_lines(campaign, total, sent, on) if campaign.opened_on else []
    return {
        "campaign": campaign, "phases": [(line, STANDING[line.standing]) for line in phases],
        "planned": list(Phase.objects.filter(campaign=campaign).order_by("number")), "draw": told.draw,
        "event": EVENTS[told.draw.event].label if told.draw else "", "county": reads_file(told.by),
        "group": list(GroupMember.objects.filter(campaign=campaign).order_by("id")),
    }  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(planning.plan_campaign.posts))  # type: ignore[attr-defined]
def plan(request: Any, number: int = 0) -> HttpResponse:
    """A new plan, or another one before it is opened."""
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = campaign_of(by, number) if number else None
        places = [(by.division, get_division(by.division, on).name), *place_options(by, on, None)]
        offered = _programmes(by)
        initial = _initial(campaign, on)
    form = PlanForm(request.POST or None, places=places, programmes=offered, initial=initial)

    def act() -> Outcome:
        if campaign:
            made = planning.revise_plan(by=by, on=on, campaign_id=campaign.pk, plan=form.plan())
            return Outcome("已修改方案", reverse("rectification", args=[made.pk]))
        made = planning.plan_campaign(by=by, on=on, division=form.cleaned_data["division"], plan=form.plan())
        return Outcome("已制定方案", reverse("rectification", args=[made.pk]), "由部门审批启动后，名单就冻结。")

    context = {
        "section": "rectifications", "title": "修改方案" if campaign else "制定专项整治方案", "button": "保存方案",
        "back": reverse("rectification", args=[number]) if number else reverse("rectifications"),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/rectification_form.html", context)


def _programmes(by: Actor) -> list[tuple[str, str]]:
    rows = Programme.objects.order_by("name").values_list("code", "name")
    mine = None if by.post == Post.COUNTY_OFFICER else set(by.programmes)
    return [(code, name) for code, name in rows if mine is None or code in mine]


def _initial(campaign: Campaign | None, on: Any) -> dict[str, Any]:
    if campaign is None:
        return {"percent": planning.PERCENT_MIN, "report_day": 25, **example_phases(on)}
    told: dict[str, Any] = {
        name: getattr(campaign, name)
        for name in (
            "title",
            "document_no",
            "basis",
            "aim",
            "division",
            "programmes",
            "percent",
            "report_day",
            "sent_to",
        )
    }
    for name in ("interim_on", "summary_on"):
        told[name] = getattr(campaign, name).isoformat() if getattr(campaign, name) else ""
    for phase in Phase.objects.filter(campaign=campaign):
        told[f"phase{phase.number}_from"], told[f"phase{phase.number}_to"] = (
            phase.starts_on.isoformat(),
            phase.ends_on.isoformat(),
        )
    group = GroupMember.objects.filter(campaign=campaign).order_by("id")
    told["group"] = "\n".join(f"{each.get_role_display()} {each.name} {each.unit}" for each in group)
    return told


@require_http_methods(["GET", "POST"])
@page(guard.RECTIFIERS)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on a campaign: checked on its page, done once."""
    if key not in rectification_acts.ACTS:
        raise Http404
    chosen = rectification_acts.ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = campaign_of(by, number)
        told = rectification_acts.Seen(by, on, campaign, CheckDraw.objects.filter(campaign=campaign).first())
        left = standing.unfinished_of(campaign, on) if key == "close" else []
        form: Any = chosen.form(told, request.POST or None)

    def run() -> Outcome:
        chosen.run(told, form.cleaned_data if form else {})
        return Outcome(chosen.done, reverse("rectification", args=[number]))

    context = {
        "section": "rectifications", "title": chosen.title, "button": chosen.button, "lead": f"{campaign.title}。{chosen.effect}",
        "warning": chosen.warning, "back": reverse("rectification", args=[number]), "left": left,
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/rectification_form.html", context)


# The summary table, and who left and came.


@require_safe
@page(guard.RECTIFIERS, reads=False)
def summary(request: Any, number: int) -> HttpResponse:
    """《情况汇总表》: one part on the screen and on paper, all of them in the workbook."""
    by, on = request.actor, request.business_date
    if request.GET.get("export") == "xlsx":
        with reading(by):
            return _summary_book(request, campaign_of(by, number))

    def build(whole: bool) -> Listing:
        campaign, place = campaign_of(by, number), chosen_place(request)
        part = one_of(request.GET, "part", summing.PARTS, "base") or "base"
        programme = one_of(request.GET, "programme", campaign.programmes)
        prefix = max(place.prefix, campaign.prefix, key=len)
        table = summing.summary_table(campaign, on, prefix, programme)
        names, programmes = names_of({row.division for row in table.rows}, on), programme_names()
        heads, rows = _by_mark(table) if part == "risks" else _by_place(table, part, names, reads_file(by))
        return Listing(
            f"{campaign.title}情况汇总表：{summing.PARTS[part][0]}",
            "城乡最低生活保障政策执行专项整治工作情况汇总表。文件的附表没有收录，栏目按日政办发〔2018〕95号四、五要求的内容设。", "rectifications",
            heads, rows if campaign.opened_on else [],
            "启动以后才有数据。", nav=nav(by, campaign, "rectification-summary"), across=True, seats=["填表人", "审核人", "分管领导"],
            filters=[Filter("part", "哪一部分", [(key, title) for key, (title, _) in summing.PARTS.items()], part),
                     Filter("programme", "项目", [(code, programmes.get(code, code)) for code in campaign.programmes], programme),
                     Filter("place", "地方", place.options, place.code)],
            lines=[f"{campaign.document_no}　单位：户（人）、元　数据截至 {on}"], more={"campaign": campaign, "cases": _cases(table, names, by, on)},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/rectification_summary.html")


def _by_place(
    table: summing.SummaryTable, part: str, names: dict[str, str], county: bool
) -> tuple[list[Head], list[list[Any]]]:
    columns = columns_of(part, county)
    rows = [[names.get(row.division, row.division), *(_cell(column, row) for column in columns)] for row in table.rows]
    rows.append(["合计", *(_cell(column, table.total) for column in columns)])
    return [
        Head("地方", paper=30),
        *(Head(each.title, each.kind, 24 if each.kind == "fen" else 0) for each in columns),
    ], rows


def _by_mark(table: summing.SummaryTable) -> tuple[list[Head], list[list[Any]]]:
    """Marks down the page, as there are too many to stand side by side; places are chosen above, the workbook has all."""
    heads = [
        Head("疑点"),
        Head("有这个疑点的", "count", 40),
        Head("查后停发、减发的", "count", 40),
        Head("其余的", "count", 40),
    ]
    total = table.total
    marks = [(label, total[f"risk_{code}"], total[f"stopped_{code}"]) for code, label in RISKS.items()]
    return heads, [[label, found, stopped, found - stopped] for label, found, stopped in marks]


def columns_of(part: str, county: bool) -> list[summing.Column]:
    return [column for column in summing.PARTS[part][1] if county or not column.county]


def _cell(column: summing.Column, row: standing.Count) -> Any:
    value = column.value(row)
    return f"{value} %" if column.kind == "percent" else value


def _cases(table: summing.SummaryTable, names: dict[str, str], by: Actor, on: Any) -> list[tuple[str, list[int]]]:
    """Cases by place and kind, for those who may read of them."""
    if not reads_file(by):
        return []
    places = names | names_of({code for code in table.cases if code not in names}, on)
    return [(places.get(code, code), list(kinds.values())) for code, kinds in sorted(table.cases.items())]


def _summary_book(request: Any, campaign: Campaign) -> HttpResponse:
    """Every part a sheet, who left and who came in, cases by place for those who read of them."""
    by, on = request.actor, request.business_date
    table = summing.summary_table(campaign, on, max(by.prefix, campaign.prefix, key=len))
    names, county = names_of({row.division for row in table.rows}, on), reads_file(by)
    sheets = []
    for part, (title, _) in summing.PARTS.items():
        columns = columns_of(part, county)
        kinds = {"percent": "count"}
        heads = [
            Column("地方", width=20),
            *(
                Column(f"{each.title}{'（%）' if each.kind == 'percent' else ''}", kinds.get(each.kind, each.kind), 12)
                for each in columns
            ),
        ]
        rows = [[names.get(row.division, row.division), *(each.value(row) for each in columns)] for row in table.rows]
        sheets.append(
            Sheet(title, heads, [*rows, ["合计", *(each.value(table.total) for each in columns)]], totals=False)
        )
    programmes = programme_names()
    for title, results in (("清退和停发", queries.REMOVED), ("新纳入", queries.ADDED)):
        found = queries.list_carrying(
            campaign, max(by.prefix, campaign.prefix, key=len), on, results, rows_max=queries.EXPORT_MAX
        )
        sheets.append(people_sheet(title, found, programmes, names_of({row.division for row in found[:2000]}, on)))
    return export_sheets(request, f"{campaign.title}情况汇总表", sheets)


def people_sheet(
    title: str, found: list[queries.Carrying], programmes: dict[str, str], places: dict[str, str]
) -> Sheet:
    columns = [
        Column("户编码", width=18), Column("户主或本人"), Column("村（组）", width=20), Column("项目", width=18), Column("结果", width=16),
        Column("人数", "count", 8), Column("每期金额（元）", "fen"), Column("理由", width=40), Column("凭据", width=24), Column("复核", "date"),
        Column("执行"),
    ]  # fmt: skip
    return Sheet(
        title,
        columns,
        [[cell.value if isinstance(cell, Cell) else cell for cell in person(row, programmes, places)] for row in found],
    )


RESULTS = dict(rectification_acts.Item.Result.choices)
CARRIED = {"done": "已执行", "waiting": "待执行", "": "不需要"}


def person(row: queries.Carrying, programmes: dict[str, str], places: dict[str, str]) -> list[Any]:
    """One who left or came in: who, where, why, shown by what, carried out or not."""
    return [
        Cell(row.household_no, reverse("rectification-item", args=[row.item])), row.who, places.get(row.division, row.division),
        programmes.get(row.programme, row.programme), RESULTS[row.result], row.people, row.amount_fen, row.grounds, row.evidence,
        row.reviewed_on, Cell(CARRIED[row.carried], tone={"done": "done", "waiting": "soon"}.get(row.carried, "plain")),
    ]  # fmt: skip


KINDS = {
    "removed": ("清退和停发", queries.REMOVED), "added": ("新纳入", queries.ADDED), "moved": ("增发和减发", queries.MOVED),
}  # fmt: skip


@require_safe
@page(guard.RECTIFIERS, reads=False)
def people(request: Any, number: int) -> HttpResponse:
    """Who left, came in or gets another amount, with reasons, and whether the entitlements say so already."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign, place = campaign_of(by, number), chosen_place(request)
        kind = one_of(request.GET, "kind", KINDS, "removed") or "removed"
        carried = one_of(request.GET, "carried", ("done", "waiting"))
        prefix = max(place.prefix, campaign.prefix, key=len)
        most = queries.LISTED_MAX if whole else 201
        found = queries.list_carrying(campaign, prefix, on, KINDS[kind][1], carried, rows_max=most)
        names, programmes = names_of({row.division for row in found[:2000]}, on), programme_names()
        note = "列出前 200 行；选地方，或导出工作簿看全部。" if not whole and len(found) > 200 else ""
        return Listing(
            f"{campaign.title}：{KINDS[kind][0]}", "结果由系统的建议、变更和申请去执行；待遇从下月起变了，才算执行。", "rectifications",
            [Head("户编码", paper=36), Head("户主或本人", paper=20), Head("村（组）", paper=26), Head("项目", paper=24), Head("结果", paper=22),
             Head("人数", "count", 12), Head("每期金额（元）", "fen", 22), Head("理由"), Head("凭据", paper=30), Head("复核", "date", 20),
             Head("执行", paper=16)],
            [person(row, programmes, names) for row in found[: most if whole else 200]], "没有这样的户。", note,
            nav=nav(by, campaign, "rectification-people"), across=True, seats=["填表人", "负责人"],
            filters=[Filter("kind", "看什么", [(key, title) for key, (title, _) in KINDS.items()], kind),
                     Filter("carried", "执行", [("waiting", "待执行"), ("done", "已执行")], carried),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)
