"""What is owed and on no roster yet, why each due is what it is, and changes that take effect back in time (PAY-06, DET-06)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.backdating import decide_back, list_back
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.money import yuan
from huimin.kernel.periods import Period
from huimin.organisation.acting import Actor, AlreadyDone, reading
from huimin.payment.explaining import get_explained
from huimin.payment.models import Due
from huimin.payment.owed_queries import OwedFilter, iterate_owed, page_owed, total_owed
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.recovery_forms import BackForm
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

KINDS = [(Due.Kind.BASE.value, Due.Kind.BASE.label), (Due.Kind.ARREARS.value, Due.Kind.ARREARS.label)]


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Dues that wait for a roster, arrears among them, each with its reasons."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        names = seen_of(by, programme_names())
        place = chosen_place(request)
        wanted = OwedFilter(
            place.prefix,
            one_of(request.GET, "programme", names),
            one_of(request.GET, "kind", dict(KINDS)),
            programmes_seen(by),
        )
        found = None if whole else page_owed(wanted, request.GET.get("at", ""))
        rows = list(iterate_owed(wanted)) if found is None else found.rows
        places = names_of({row.division for row in rows}, on) if len(rows) <= 2000 else {}
        totals = total_owed(wanted)
        return Listing(
            "待发的应发", "已生成、还没编入清册的应发，和补发。编制清册时一并编入；点“为什么”看这一笔怎么来的。", "owed",
            [Head("户编码", paper=40), Head("村（组）", paper=30), Head("对象", paper=20), Head("补贴项目"), Head("期间", paper=34), Head("类别", paper=16),
             Head("金额（元）", "fen", 24), Head("为什么", paper=-1)],
            [_row(row, names, places) for row in rows], "没有待编入清册的应发。部门生成应发之后会列在这里。", page=found, across=True,
            figures=[(f"{each.label} ¥{yuan(total.amount_fen)}", f"{total.count:,}", "") for each, total in totals],
            filters=[Filter("kind", "类别", KINDS, wanted.kind), Filter("programme", "补贴项目", sorted(names.items()), wanted.programme),
                     Filter("place", "地方", place.options, place.code)],
            nav=nav("owed", by),
        )  # fmt: skip

    return answer_listing(request, build)


def nav(current: str, by: Actor) -> list[tuple[str, str, bool]]:
    """Between the lists about dues; only those that open."""
    found = [("rosters", "清册"), ("owed", "待发的应发")]
    if by.post in decide_back.posts:  # type: ignore[attr-defined]
        found.append(("decide-back", "追溯执行"))
    return [(label, reverse(route), route == current) for route, label in found]


def _row(row: Due, names: dict[str, str], places: dict[str, str]) -> list[Any]:
    held = row.entitlement
    tone = "soon" if row.kind == Due.Kind.ARREARS else "plain"
    return [
        Cell(held.household.household_no, reverse("household", args=[held.household_id])), places.get(row.division, row.division),
        held.person.name if held.person else f"全户 {held.people} 口", names.get(row.programme, row.programme),
        str(Period(row.period_from, row.period_until)), Cell(row.get_kind_display(), tone=tone), row.amount_fen,
        Cell("为什么", reverse("due", args=[row.pk])),
    ]  # fmt: skip


@require_safe
@page(guard.PAYERS)
def due(request: Any, number: int) -> HttpResponse:
    """One due with everything it rests on, and the roster lines it stood on."""
    found = get_explained(number)
    require_seen(request.actor, found.due.programme)
    context = {
        "section": "owed",
        "found": found,
        "reasons": [(label, words, _behind(found.due, label)) for label, words in found.reasons],
        "due": found.due,
        "programme": programme_names().get(found.due.programme, found.due.programme),
        "trail": chain_names(found.due.division, request.business_date),
    }
    return render(request, "workbench/due.html", context)


def _behind(due: Due, label: str) -> str:
    """The page of what a reason names; "" where it has none (LED-03)."""
    decision = due.entitlement.decision
    if label == "认定" and decision.case_number:
        return reverse("case", args=[decision.case_number])
    if label == "认定" and decision.proposal_id:
        return reverse("proposal", args=[decision.proposal_id])
    if label == "政策版本":
        return reverse("policy", args=[due.programme])
    return reverse("recovery", args=[due.recovery_id]) if label == "怎么算" and due.recovery_id else ""


@require_safe
@page(frozenset(decide_back.posts), reads=False)  # type: ignore[attr-defined]
def back(request: Any) -> HttpResponse:
    """Increases, decreases and stops determined for past months, one row a programme and month."""
    by, on = request.actor, request.business_date

    def build(_: bool) -> Listing:
        names = seen_of(by, programme_names())
        rows = [
            [
                Cell(names[each.programme], reverse("decide-back-month", args=[each.programme, f"{each.month:%Y%m}"])), f"{each.month:%Y年%m月}",
                each.count, each.before_fen, each.after_fen,
            ]
            for each in list_back(by.prefix, on, sorted(names))
        ]  # fmt: skip
        return Listing(
            "追溯执行", "标准从以前的日期起执行，或以前的情况更正后，按那个月的筛查建议在这里追溯决定。从下月起执行的，在甄别里确认。", "owed",
            [Head("补贴项目"), Head("自哪个月起", paper=30), Head("条数", "count", 20), Head("原每期合计（元）", "fen", 34), Head("改为（元）", "fen", 34)],
            rows, "没有按以前月份筛查出的增减停建议。先由惠民办经办在甄别里以那个月的日期筛查，建议才是当时的政策和情况。", nav=nav("decide-back", by),
            totals=False, of_people=False,
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(frozenset(decide_back.posts))  # type: ignore[attr-defined]
def back_month(request: Any, programme: str, month: str) -> HttpResponse:
    """Decide them from the first of that month on, by the document that says so."""
    by, on = request.actor, request.business_date
    with reading(by):
        names = seen_of(by, programme_names())
        found = [
            each
            for each in list_back(by.prefix, on, [programme])
            if programme in names and f"{each.month:%Y%m}" == month
        ]
    if not found:
        raise AlreadyDone("这个月没有等着追溯的建议", why="可能已有人办理", remedy="请回到追溯执行的列表查看")
    [chosen] = found
    form = BackForm(request.POST or None)

    def act() -> Outcome:
        count = decide_back(
            by=by, on=on, programme=programme, division=by.division, effective=chosen.month, basis=form.cleaned_data["basis"]
        )  # fmt: skip
        what = f"{names[programme]}：{count:,} 条已决定，自 {chosen.month} 起执行"
        return Outcome(
            what, reverse("decide-back"), "以前各期的差额，在下一次生成应发时列为补发；多发的，在追缴里查出。"
        )

    lead = (
        f"{names[programme]}，{chosen.month:%Y年%m月}起：{chosen.count:,} 条，每期合计 {yuan(chosen.before_fen)} 元改为 {yuan(chosen.after_fen)} 元。"
        "以前各期少发的补发，多发的追缴。"
    )
    context = {
        "section": "owed", "title": "追溯执行", "lead": lead, "button": "签名，自该月起执行", "warning": True, "back": reverse("decide-back"),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/field_form.html", context)
