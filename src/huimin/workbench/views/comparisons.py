"""Approvals, pay lists and the bank's detail of a month: where each township stands, the differences, one household's (VER-04)."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.comparison import commands, queries
from huimin.comparison.models import CODES, Comparison, ComparisonDifference
from huimin.comparison.queries import DifferenceFilter
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.digests import short
from huimin.kernel.money import yuan
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.policy.queries import programme_names
from huimin.registry.models import Household
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened, signed_lines

SECTION = "comparisons"
Kind = ComparisonDifference.Kind
TONES = {"made": "soon", "signed": "done", "returned": "late", "replaced": "plain"}
STANDINGS = [("open", "待说明"), ("explained", "已说明")]
SEATS = ("经办人", "乡镇负责人", "主管部门", "财政部门")
MONEY = (Head("审批（元）", "fen", 22), Head("清册（元）", "fen", 22), Head("银行（元）", "fen", 22))


def month_name(month: date) -> str:
    return f"{month.year}年{month.month}月"


def months_shown(on: date) -> list[tuple[str, str]]:
    return [(f"{each:%Y-%m}", month_name(each)) for each in queries.recent_months(on)]


def month_of(source: Any, on: date, default: date) -> date:
    """A month of the address, when it is one of the last twelve."""
    asked = one_of(source, "month", dict(months_shown(on)), f"{default:%Y-%m}") or f"{default:%Y-%m}"
    return date.fromisoformat(asked + "-01")


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """A township's months; above it the townships of a month, with what the county signed."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        one = len(place.prefix) >= int(Level.TOWNSHIP)
        return _of_township(by, on, place, request) if one else _of_month(by, on, place, request)

    return answer_listing(request, build)


def _of_township(by: Actor, on: date, place: Any, request: Any) -> Listing:
    prefix = place.prefix[: int(Level.TOWNSHIP)]
    township = prefix.ljust(12, "0")
    months = queries.recent_months(on)
    due, there = queries.due_townships(prefix, months, on), queries.in_use(prefix, months)
    shown = [month for month in months if due.get(month) or (month, township) in there]
    open_ = queries.count_open([row.pk for row in there.values()])
    rows = [
        [_month_cell(month, there.get((month, township))), *_row(by, on, month, there.get((month, township)), open_)]
        for month in shown
    ]
    acts = [("核对一个月", reverse("comparison-new"))] if may(by, commands.compare_month) else []
    return Listing(
        "逐户逐人核对", "每月把系统审批、财政清册、银行代发明细逐户逐人核对，差异逐笔说明，逐级签字。", SECTION,
        [Head("月份"), *_heads()], rows, "没有要核对的月份。有项目发放的月份会列在这里。", acts=acts, across=True, of_people=False, unit="单位：元",
        filters=[Filter("place", "地方", _townships(place), place.code)] if _townships(place) else [],
        note="按期末所在的月份核对：按季发放的在季末月。次月 23 日前核对、签字。",
    )  # fmt: skip


def _townships(place: Any) -> list[tuple[str, str]]:
    return [(code, name) for code, name in place.options if len(code) == 12 and code.endswith("000")]


def _month_cell(month: date, row: Comparison | None) -> Cell:
    return Cell(month_name(month), reverse("comparison", args=[row.pk]) if row else "")


def _heads() -> list[Head]:
    return [
        Head("户数", "count", 18), Head("对象", "count", 18), *MONEY, Head("差异", "count", 16), Head("待说明", "count", 18),
        Head("状态", paper=24), Head("应于", "date", 24),
    ]  # fmt: skip


def _row(by: Actor, on: date, month: date, row: Comparison | None, open_: dict[int, int]) -> list[Any]:
    due = queries.due_on(month)
    if row is None:
        start = f"{reverse('comparison-new')}?month={month:%Y-%m}" if may(by, commands.compare_month) else ""
        state = Cell("去核对", start) if start else Cell("未核对", tone="late" if on > due else "soon")
        return [None] * 7 + [state._replace(sub=_late(on, due)), due]
    state = Cell(row.get_state_display(), tone=TONES[row.state], sub=row.return_reason)
    if row.state == Comparison.State.MADE:
        state = state._replace(sub=_late(on, due))
    return [
        row.households, row.beneficiaries, row.approved_fen, row.listed_fen, row.paid_fen, row.differences_count,
        open_.get(row.pk, 0), state, due,
    ]  # fmt: skip


def _late(on: date, due: date) -> str:
    return f"已逾期 {(on - due).days} 天" if on > due else ""


def _of_month(by: Actor, on: date, place: Any, request: Any) -> Listing:
    """Every township of the county with something to compare."""
    month = month_of(request.GET, on, queries.last_due_month(place.prefix, on))
    due, there = queries.due_townships(place.prefix, [month], on), queries.in_use(place.prefix, [month])
    codes = sorted(due.get(month, set()) | {code for _, code in there})
    names, open_ = names_of(set(codes), on), queries.count_open([row.pk for row in there.values()])
    rows = []
    for code in codes:
        row = there.get((month, code))
        url = reverse("comparison", args=[row.pk]) if row else ""
        rows.append([Cell(names.get(code, code), url), *_row(by, on, month, row, open_)])
    county = place.prefix[:6].ljust(12, "0")
    signed = queries.county_signings(county, month)
    stands = queries.content_of(place.prefix, month)
    people = names_of_appointments({each.signed_by for each in signed})
    told = [
        f"{each.get_seat_display()} {people.get(each.signed_by, each.office.name)} {each.signed_on} 签字"
        + ("" if each.digest == stands else "（以后有乡镇重新核对，须再签）") + (f"：{each.note}" if each.note else "")
        for each in signed
    ]  # fmt: skip
    done = sum(1 for code in codes if (month, code) in there and there[month, code].state == "signed")
    acts, hint = [], ""
    if may(by, commands.sign_county) and not (hindrance := queries.county_hindrance(by, on, month)):
        acts = [("全县签字", f"{reverse('comparison-county')}?month={month:%Y-%m}")]
    elif may(by, commands.sign_county) and codes:
        hint = f"现在不用您签：{hindrance}。"
    unit = "".join(chain_names(county, on)[2:])
    return Listing(
        f"{month_name(month)}逐户逐人核对", "系统审批、财政清册、银行代发明细，各乡镇逐户逐人核对后签字，县主管部门、财政部门再签。", SECTION,
        [Head("乡镇"), *_heads()], rows, "这个月没有项目发放，没有要核对的乡镇。", acts=acts, across=True, of_people=False,
        filters=[Filter("month", "月份", months_shown(on), f"{month:%Y-%m}", True), Filter("place", "地方", _townships(place), place.code)],
        figures=[("乡镇", f"{len(codes):,}", ""), ("已签字", f"{done:,}", "done" if codes and done == len(codes) else ""),
                 ("差异", f"{sum(row.differences_count for row in there.values()):,}", ""),
                 ("应于", f"{queries.due_on(month)}", "late" if done < len(codes) and on > queries.due_on(month) else "")],
        note=("；".join(told) + "。" if told else "县里还没有签字。") + hint, seats=SEATS[2:], unit="单位：元", seal=unit,
        lines=[f"核对单位：{unit}　　{month_name(month)}"], notes=[f"{each}。" for each in (*told, *signed_lines(*(each.signature for each in signed)))] or ["县里还没有签字。"],
    )  # fmt: skip


@require_safe
@page(guard.PAYERS, reads=False)
def detail(request: Any, number: int) -> HttpResponse:
    """One comparison: three totals, and every difference; the paper has the seats of who signs."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        row = queries.get_comparison(number)
        if row is None:
            raise Http404
        villages = queries.villages_of(number, programmes_seen(by))
        wanted = DifferenceFilter(
            number, one_of(request.GET, "kind", Kind.values), one_of(request.GET, "village", {code: "" for code, _ in villages}),
            one_of(request.GET, "standing", dict(STANDINGS)), programmes_seen(by),
        )  # fmt: skip
        found = None if whole else queries.page_differences(wanted, request.GET.get("at", ""))
        differences = queries.all_differences(wanted) if found is None else found.rows
        places = names_of({code for code, _ in villages}, on)
        counts = queries.count_differences(wanted)
        title = f"{''.join(chain_names(row.division, on)[2:])}{month_name(row.month)}逐户逐人核对"
        table = _table(by, row, differences, places, whole)
        return Listing(
            title, _lead(row), SECTION, table[0], table[1], _empty(row, wanted), page=found, across=True, totals=False,
            nav=_versions(row), figures=_figures(row, counts), filters=_filters(wanted, counts, villages, places), acts=_acts(by, row, wanted, counts),
            unit="单位：元", seats=SEATS, lines=[f"{title}　　第 {row.number} 次，{row.get_state_display()}　　摘要：{short(row.digest)}"],
            notes=[*_notes(row), *(f"{each}。" for each in signed_lines(row.signature))], note=_signed(row, by), more={"trail": chain_names(row.division, on)},
        )  # fmt: skip

    return answer_listing(request, build)


def _lead(row: Comparison) -> str:
    names = programme_names()
    spans = "、".join(f"{names.get(code, code)}（{since} 起）" for code, since in sorted(row.spans.items()))
    return f"{row.made_on} 第 {row.number} 次核对，{row.households:,} 户、{row.beneficiaries:,} 个发放对象。{'项目：' + spans + '。' if spans else ''}"


def _empty(row: Comparison, wanted: DifferenceFilter) -> str:
    if wanted.kind or wanted.village or wanted.standing:
        return "没有这样的差异。"
    return "三方逐户逐人一致，没有差异。" if not row.differences_count else "没有本部门项目的差异。"


def _figures(row: Comparison, counts: dict[str, tuple[int, int]]) -> list[tuple[str, str, str]]:
    waiting = sum(open_ for _, open_ in counts.values())
    every = sum(count for count, _ in counts.values())
    return [
        (f"审批 {row.approved_count:,} 笔（元）", yuan(row.approved_fen), ""), (f"清册 {row.listed_count:,} 笔（元）", yuan(row.listed_fen), ""),
        (f"银行 {row.paid_count:,} 笔（元）", yuan(row.paid_fen), ""), (f"差异，待说明 {waiting:,} 笔", f"{every:,}", "late" if waiting else ""),
    ]  # fmt: skip


def _filters(wanted: DifferenceFilter, counts: Any, villages: Any, places: dict[str, str]) -> list[Filter]:
    kinds = [(kind, f"{CODES[kind]} {label}（{counts[kind][0]:,}）") for kind, label in Kind.choices if kind in counts]
    options = [(code, f"{places.get(code, '乡镇')}（{count:,}）") for code, count in villages]
    return [
        Filter("kind", "差异", kinds, wanted.kind), Filter("village", "村", options, wanted.village),
        Filter("standing", "说明", STANDINGS, wanted.standing),
    ]  # fmt: skip


def _versions(row: Comparison) -> list[tuple[str, str, bool]]:
    every = queries.versions_of(row)
    if len(every) < 2:
        return []
    return [
        (f"第 {each.number} 次（{each.get_state_display()}）", reverse("comparison", args=[each.pk]), each.pk == row.pk)
        for each in every
    ]


def _acts(
    by: Actor, row: Comparison, wanted: DifferenceFilter, counts: dict[str, tuple[int, int]]
) -> list[tuple[str, str]]:
    acts = [
        (
            "逐户逐人清单",
            f"{reverse('comparison-village')}?month={row.month:%Y-%m}&place={wanted.village or _first_village(row)}",
        )
    ]
    number, open_ = [row.pk], queries.count_open([row.pk]).get(row.pk, 0)
    if row.state == Comparison.State.MADE:
        if may(by, commands.explain_differences) and wanted.kind and counts.get(wanted.kind, (0, 0))[1]:
            asked = f"kind={wanted.kind}" + (f"&village={wanted.village}" if wanted.village else "")
            acts.append(("说明这一类", f"{reverse('comparison-explain', args=number)}?{asked}"))
        if may(by, commands.sign_comparison) and not open_ and row.made_by != by.appointment:
            acts.append(("签字", reverse("comparison-sign", args=number)))
    if row.state == Comparison.State.SIGNED and may(by, commands.send_back):
        acts.append(("退回乡镇", reverse("comparison-back", args=number)))
    if row.state != Comparison.State.REPLACED and may(by, commands.compare_month):
        acts.append(("重新核对", f"{reverse('comparison-new')}?month={row.month:%Y-%m}"))
    return acts


def _first_village(row: Comparison) -> str:
    return next((code for code, _ in queries.villages_of(row.pk)), row.division)


def _signed(row: Comparison, by: Actor) -> str:
    people = names_of_appointments({row.made_by, row.signed_by, row.returned_by})
    told = f"{people.get(row.made_by, '')} {row.made_on} 核对"
    if row.signed_by:
        told += f"；{people.get(row.signed_by, '')} {row.signed_on} 签字"
    if row.returned_by:
        told += f"；{people.get(row.returned_by, '')} {row.returned_on} 退回：{row.return_reason}"
    if row.state == Comparison.State.MADE and may(by, commands.explain_differences):
        told += "。逐笔点“去说明”，或先筛选一类，一起说明"
    return told + "。"


def _notes(row: Comparison) -> list[str]:
    kinds = "；".join(
        f"{CODES[kind]} {label} {row.kinds[kind]:,} 笔" for kind, label in Kind.choices if kind in row.kinds
    )
    return [
        f"审批 {row.approved_count:,} 笔 {yuan(row.approved_fen)} 元，清册 {row.listed_count:,} 笔 {yuan(row.listed_fen)} 元，"
        f"银行 {row.paid_count:,} 笔 {yuan(row.paid_fen)} 元。",
        f"差异 {row.differences_count:,} 笔{'：' + kinds if kinds else ''}。",
    ]  # fmt: skip


def _table(
    by: Actor, row: Comparison, differences: Sequence[ComparisonDifference], places: dict[str, str], whole: bool
) -> tuple[list[Head], list[list[Any]]]:
    heads = [
        Head("户编码", paper=36), Head("姓名", paper=16), Head("村", paper=20), Head("补贴项目", paper=24), Head("差异", paper=24), *MONEY,
        Head("账户户主", paper=16), Head("情况", paper=26), Head("说明"),
    ]  # fmt: skip
    programmes = programme_names()
    people = names_of_appointments({each.explained_by for each in differences})
    explains = not whole and row.state == Comparison.State.MADE and may(by, commands.explain_differences)
    rows = []
    for each in differences:
        house = (
            f"{reverse('comparison-household', args=[each.household_id])}?month={row.month:%Y-%m}"
            if each.household_id
            else ""
        )
        seen = Cell(each.detail or "—", reverse("trace", args=[each.line_id]) if each.line_id else "")
        if each.exception_id and not each.line_id:
            seen = Cell(each.detail, reverse("exceptions"))
        who = people.get(each.explained_by or 0, "").rpartition(" ")[2]
        said = Cell(each.explanation, sub=f"{who} {each.explained_on or ''}".strip())
        if explains:
            where = f"{reverse('comparison-explain', args=[row.pk])}?id={each.pk}"
            said = Cell(each.explanation or "去说明", where, sub=said.sub)
        person = reverse("household", args=[each.household_id]) if each.household_id else ""
        rows.append([
            Cell(each.household_no, house), Cell(each.name, person), places.get(each.division[:12], ""),
            programmes.get(each.programme, each.programme), Cell(each.get_kind_display(), sub=CODES[each.kind]), each.approved_fen,
            each.listed_fen, each.paid_fen, each.holder, seen, said,
        ])  # fmt: skip
    return heads, rows


@require_safe
@page(guard.PAYERS, reads=False)
def household(request: Any, number: int) -> HttpResponse:
    """One household's month, person by person, as the three say it now; and what was found when the township compared."""
    by, on = request.actor, request.business_date

    def build(_: bool) -> Listing:
        home = Household.objects.filter(pk=number).first()
        if home is None:
            raise Http404
        month = month_of(request.GET, on, queries.last_due_month(home.division[: int(Level.TOWNSHIP)], on))
        names, seen = programme_names(), programmes_seen(by)
        sides = queries.sides_of_household(by, on, number, home.division, month)
        found = queries.differences_of_household(number, month)
        if seen is not None:
            sides, found = (
                [each for each in sides if each.programme in seen],
                [each for each in found if each.programme in seen],
            )
        told: dict[tuple[str, int], list[ComparisonDifference]] = {}
        for each in found:
            told.setdefault((each.programme, each.person_id or 0), []).append(each)
        rows = [_side(each, names, told.pop((each.programme, each.person), [])) for each in sides]
        # What was found then and is none any more.
        rows += [_then(each, names) for rest in told.values() for each in rest]
        total = [sum(getattr(each, name) for each in sides) for name in ("approved_fen", "listed_fen", "paid_fen")]
        agree = len(set(total)) == 1
        return Listing(
            f"{home.household_no} {month_name(month)}核对", "这一户每个发放对象的审批、清册、银行金额，按现在的数据；差异和说明是乡镇核对时的。", SECTION,
            [Head("补贴项目", paper=40), Head("对象", paper=30), *MONEY, Head("缓发（元）", "fen", 24), Head("差异和说明")], rows,
            "这一户这个月没有审批、清册和发放。", across=True,
            figures=[("审批（元）", yuan(total[0]), ""), ("清册（元）", yuan(total[1]), ""), ("银行（元）", yuan(total[2]), "done" if agree else "late")],
            filters=[Filter("month", "月份", months_shown(on), f"{month:%Y-%m}", True)], acts=[("家庭", reverse("household", args=[number]))],
            more={"trail": chain_names(home.division, on)},
        )  # fmt: skip

    return answer_listing(request, build)


def _side(each: queries.Sides, names: dict[str, str], found: list[ComparisonDifference]) -> list[Any]:
    line = reverse("trace", args=[each.line]) if each.line else ""
    words = "；".join(row.get_kind_display() for row in found)
    more = "；".join(row.explanation or row.detail for row in found if row.explanation or row.detail)
    return [
        names.get(each.programme, each.programme), Cell(each.name if each.person else f"全户{'（' + each.name + '）' if each.name else ''}", line),
        each.approved_fen, each.listed_fen, each.paid_fen, each.withheld_fen, Cell(words or "—", sub=more),
    ]  # fmt: skip


def _then(each: ComparisonDifference, names: dict[str, str]) -> list[Any]:
    return [
        names.get(each.programme, each.programme), each.name, each.approved_fen, each.listed_fen, each.paid_fen, None,
        Cell(f"核对时：{each.get_kind_display()}", sub=each.explanation or each.detail),
    ]  # fmt: skip


@require_safe
@page(guard.PAYERS, reads=False)
def village(request: Any) -> HttpResponse:
    """Everybody of a village with his three amounts, household by household with its sum: the sheet behind the differences."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        month = month_of(request.GET, on, queries.last_due_month(place.prefix[: int(Level.TOWNSHIP)], on))
        chosen = place.code if len(place.prefix) >= int(Level.VILLAGE) else ""
        names, seen = programme_names(), programmes_seen(by)
        sides = queries.sides_of_village(by, on, chosen, month) if chosen else []
        sides = [each for each in sides if seen is None or each.programme in seen]
        shown, note = shortened(_by_household(sides, names, month), whole)
        name = dict(place.options).get(chosen, "").strip()
        return Listing(
            f"{name}{month_name(month)}逐户逐人清单", "每一户、每一个发放对象的审批、清册、银行金额，一致的也在内；按现在的数据。", SECTION,
            [Head("户编码", paper=40), Head("姓名", paper=30), Head("补贴项目"), *MONEY, Head("缓发（元）", "fen", 22), Head("核对", paper=26)], shown,
            "这个村这个月没有审批、清册和发放。" if chosen else "请选一个村。", across=True, totals=False, unit="单位：元", seats=SEATS[:2],
            filters=[Filter("month", "月份", months_shown(on), f"{month:%Y-%m}", True), Filter("place", "村", place.options, place.code)],
            note=note, lines=[f"{name}　　{month_name(month)}"],
            notes=[f"共 {len({each.household for each in sides}):,} 户、{len(sides):,} 个发放对象。"],
        )  # fmt: skip

    return answer_listing(request, build)


def _by_household(sides: Sequence[queries.Sides], names: dict[str, str], month: date) -> list[list[Any]]:
    """A row a beneficiary; a sum behind a household that has several, and one at the end."""
    rows: list[list[Any]] = []
    for household_id, group in groupby(sides, key=lambda each: each.household):
        mine = list(group)
        url = f"{reverse('comparison-household', args=[household_id])}?month={month:%Y-%m}"
        rows += [
            [Cell(each.household_no, url), each.name if each.person else f"全户（{each.name}）", names.get(each.programme, each.programme),
             *_amounts([each]), _verdict([each])]
            for each in mine
        ]  # fmt: skip
        if len(mine) > 1:
            rows.append([mine[0].household_no, "全户合计", "", *_amounts(mine), _verdict(mine)])
    if sides:
        rows.append(["合计", "", "", *_amounts(sides), _verdict(sides)])
    return rows


def _amounts(sides: Sequence[queries.Sides]) -> list[int]:
    return [
        sum(getattr(each, name) for each in sides)
        for name in ("approved_fen", "listed_fen", "paid_fen", "withheld_fen")
    ]


def _verdict(sides: Sequence[queries.Sides]) -> Cell:
    alike = all(each.approved_fen == each.listed_fen == each.paid_fen for each in sides)
    return Cell("一致", tone="done") if alike else Cell("有差异", tone="late")


def reader(by: Actor, number: int) -> Comparison:
    """The comparison an act is about, or 404; for pages of acts."""
    with reading(by):
        row = queries.get_comparison(number)
    if row is None:
        raise Http404
    return row


__all__ = ["detail", "household", "listing", "month_name", "month_of", "months_shown", "reader", "village"]
