"""The kinship file at the desk: one's own declaration, who has declared, relatives, households to re-check, recusals (REG-10)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.queries import households_with_entitlement
from huimin.casework.recusal import list_decided_earlier
from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.kinship import declaring, queries
from huimin.kinship.models import Relative
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.registers import Register, register_pdf
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.exporting import printed_by
from huimin.workbench.guard import page
from huimin.workbench.kinship_forms import Declare, Rule, Settle
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer, shortened

STATES = [*Relative.State.choices, ("ended", "已终止")]
DUE = [("waiting", "未申报"), ("overdue", "超期未申报"), ("declared", "已申报")]
_AT_ONCE = 1000


def _nav(by: Actor, here: str) -> list[tuple[str, str, bool]]:
    pages = [("kinship", "我的申报")] if by.post in guard.DECLARERS else []
    if declaring.reads_file(by):
        pages += [
            ("kinship-officers", "申报情况"), ("kinship-relatives", "亲属名册"), ("kinship-related", "重点复查户"),
            ("kinship-earlier", "先办后报"), ("kinship-recusals", "回避记录"),
        ]  # fmt: skip
    return [(label, reverse(route), route == here) for route, label in pages]


@require_http_methods(["GET", "POST"])
@page(guard.DECLARERS)
def own(request: Any) -> HttpResponse:
    """One's own declaration of the year, and what stands of earlier ones."""
    by, on = request.actor, request.business_date
    with reading(by):
        [officer] = queries.list_officers(by.prefix, on, queries.within_days(by.division), account=by.account) or [None]
        context = {
            "section": "kinship", "officer": officer, "relatives": queries.list_relatives_of(by.account),
            "declarations": queries.list_declarations_of(by.account), "nav": _nav(by, "kinship"), "year": on.year,
            "overdue": officer is not None and officer.overdue(on),
        }  # fmt: skip
    form = Declare(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = declaring.declare_kin(by=by, on=on, relatives=form.relatives(), none=form.cleaned_data["none"])
            return Outcome(f"{made.year} 年申报已提交", reverse("kinship"), f"在案的近亲属 {made.relatives} 位。")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    return render(request, "workbench/kinship.html", {**context, "form": form}, status=422 if form.errors else 200)


@require_safe
@page(guard.DECLARERS, reads=False)
def own_paper(request: Any) -> HttpResponse:
    """The declaration on paper, for the signature in ink and the separate file."""
    by, on = request.actor, request.business_date
    with reading(by):
        rows = [row for row in queries.list_relatives_of(by.account) if row.ended_on is None]
    paper = Register(
        f"{on.year} 年近亲属备案表",
        [("关系", 34), ("姓名", 26), ("证件号码", 40), ("享受或申请的补贴", 0), ("申报日期", 24)],
        [
            (row.get_relation_display(), row.name, row.masked, row.benefit, row.declared_on)  # type: ignore[attr-defined]
            for row in rows
        ],
        lines=[f"申报人：{by.title}"], seats=["申报人签名", "日期", "收表人"],
        notes=["以上为本人近亲属享受或申请惠民补贴的全部情况，如有隐瞒愿承担责任。" if rows else "本人没有须申报的近亲属。"],
    )  # fmt: skip
    return pdf_answer(
        register_pdf(paper, by=by, on=on, mark=printed_by(request, "近亲属备案")), f"{on.year}近亲属备案表"
    )


@require_safe
@page(guard.KINSHIP_READERS, reads=False)
def officers(request: Any) -> HttpResponse:
    """Who has declared for the year, by township, and who is due or overdue."""
    by, on = request.actor, request.business_date
    declaring.require_file(by)

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(DUE))
        every = queries.list_officers(place.prefix, on, queries.within_days(by.division))
        fitting = [each for each in every if _fits(each, state, on)]
        rows, note = shortened(fitting, whole)
        shares = queries.by_township(every, on)
        names = names_of({each.division for each in rows} | {share.division for share in shares}, on)
        return Listing(
            "近亲属申报情况", f"{on.year} 年，谁还没有申报；超期的在前。", "kinship",
            [Head("姓名", paper=30), Head("机构"), Head("岗位", paper=30), Head("期限", "date", 24), Head("申报", "date", 24),
             Head("亲属", "count", 14), Head("状态", paper=22)],
            [_officer(each, on) for each in rows], "没有符合条件的人员。",
            note=note,
            nav=_nav(by, "kinship-officers"),
            filters=[Filter("state", "状态", DUE, state), Filter("place", "地方", place.options, place.code)],
            figures=_figures(every, on), acts=[("申报期限", reverse("kinship-rule"))],
            more={"shares": [(names.get(share.division, share.division), share) for share in shares]},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/kinship_officers.html")


def _fits(each: queries.Officer, state: str, on: Any) -> bool:
    tests: dict[str, Callable[[], bool]] = {
        "waiting": lambda: each.signed_on is None, "declared": lambda: each.signed_on is not None,
        "overdue": lambda: each.overdue(on),
    }  # fmt: skip
    return tests[state]() if state in tests else True


def _officer(each: queries.Officer, on: Any) -> list[Any]:
    state = Cell("已申报", tone="done") if each.signed_on else Cell("待申报", tone="soon")
    if each.overdue(on):
        state = Cell(f"超期 {(on - each.due).days} 天", tone="late")
    return [each.name, each.office, each.posts, each.due, each.signed_on, each.relatives, state]


def _figures(every: list[queries.Officer], on: Any) -> list[tuple[str, str, str]]:
    declared = sum(each.signed_on is not None for each in every)
    late = sum(each.overdue(on) for each in every)
    rate = f"{declared * 100 // len(every)} %" if every else "—"
    return [("须申报", f"{len(every):,}", ""), ("已申报", f"{declared:,}", ""), ("申报率", rate, ""),
            ("超期", f"{late:,}", "late" if late else "")]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.KINSHIP_READERS, reads=False)
def relatives(request: Any) -> HttpResponse:
    """The file: every relative declared; kept as text in front when asked for. A POST ties texts to registered people."""
    by, on = request.actor, request.business_date
    declaring.require_file(by)
    if request.method == "POST":

        def act() -> Outcome:
            made = declaring.link_relatives(by=by, on=on)
            return Outcome(f"对上 {made} 位", reverse("kinship-relatives"), "其余的请逐一核对。")

        return once(request, act)

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(STATES))
        at = request.GET.get("at", "")
        found = queries.page_relatives(place.prefix, state, "" if whole else at, 1000 if whole else 50)
        waiting = queries.count_unsettled(place.prefix)
        return Listing(
            "近亲属名册", "工作人员、村干部申报的近亲属；按县单独存放。", "kinship",
            [Head("亲属", paper=24), Head("证件号码", paper=40), Head("关系", paper=24), Head("申报人"),
             Head("享受或申请的补贴", paper=34), Head("申报", "date", 22), Head("状态", paper=26)],
            [_relative(row) for row in found], "没有符合条件的亲属。", nav=_nav(by, "kinship-relatives"), page=found,
            filters=[Filter("state", "状态", STATES, state), Filter("place", "地方", place.options, place.code)],
            figures=[("待核对", f"{waiting:,}", "soon" if waiting else "")], across=True,
            more={"may_link": may(by, declaring.link_relatives) and waiting > 0},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/kinship_relatives.html")


def _relative(row: Relative) -> list[Any]:
    tones = {"found": "done", "unsettled": "soon"}
    state = Cell("已终止", sub=row.ended_reason) if row.ended_on else Cell(
        row.get_state_display(), tone=tones.get(row.state, "plain"), sub=row.settlement
    )  # fmt: skip
    return [
        Cell(row.name, reverse("kinship-relative", args=[row.pk])), row.masked, row.get_relation_display(), row.declarer,  # type: ignore[attr-defined]
        row.benefit, row.declared_on, state,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.KINSHIP_READERS)
def relative(request: Any, number: int) -> HttpResponse:
    """One relative: the county settles a text, or ends what is over."""
    by, on = request.actor, request.business_date
    declaring.require_file(by)
    with reading(by):
        row = Relative.objects.select_related("person", "declaration").get(pk=number)
        queries.show_numbers([row])
    form = Settle(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            told, common = form.cleaned_data["told"], {"by": by, "on": on, "relative": number}
            if form.cleaned_data["act"] == "settle":
                declaring.settle_relative(**common, settlement=told)
                return Outcome("已登记核对结果", reverse("kinship-relative", args=[number]))
            declaring.end_relative(**common, reason=told)
            return Outcome("已终止备案", reverse("kinship-relative", args=[number]), "申报人今后不再因此回避。")

        try:
            return once(request, act)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
    context = {
        "section": "kinship", "row": row, "form": form, "nav": _nav(by, "kinship-relatives"),
        "may_settle": may(by, declaring.settle_relative) and row.ended_on is None and row.account != by.account,
    }  # fmt: skip
    return render(request, "workbench/kinship_relative.html", context, status=422 if form.errors else 200)


@require_safe
@page(guard.KINSHIP_READERS, reads=False)
def related(request: Any) -> HttpResponse:
    """Every household with a declared relative: re-checked without exception (CASE-08, CASE-09)."""
    by, on = request.actor, request.business_date
    declaring.require_file(by)

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        found = queries.list_related_households(place.prefix, on)
        rows, note = shortened(found, whole)
        drawing: dict[int, list[str]] = {}
        for at in range(0, len(rows), _AT_ONCE):
            drawing |= households_with_entitlement({each.household for each in rows[at : at + _AT_ONCE]}, on)
        names, programmes = names_of({each.division for each in rows}, on), programme_names()
        return Listing(
            "近亲属重点复查户", "申报的近亲属所在的户，复核、抽查时一户不漏（100 %）。", "kinship",
            [Head("户编码", paper=38), Head("村（组）"), Head("亲属", paper=24), Head("关系", paper=24), Head("申报人", paper=60),
             Head("正在享受", paper=44), Head("申报", "date", 22)],
            [[Cell(each.household_no, reverse("household", args=[each.household])), names.get(each.division, each.division),
              each.relative, each.relation, each.declarer,
              "、".join(programmes.get(code, code) for code in drawing.get(each.household, [])) or "没有在享的待遇",
              each.declared_on] for each in rows],
            "没有申报的近亲属在册。", note, nav=_nav(by, "kinship-related"), across=True,
            filters=[Filter("place", "地方", place.options, place.code)], seats=["复查人", "复查日期"],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.KINSHIP_READERS, reads=False)
def earlier(request: Any) -> HttpResponse:
    """Who decided for a household in which he declared a relative only afterwards."""
    by, on = request.actor, request.business_date
    declaring.require_file(by)

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        rows = list_decided_earlier(place.prefix, on)
        names, programmes = names_of({each.division for each in rows}, on), programme_names()
        return Listing(
            "先办后报", "先为亲属办了事、后来才申报的，逐件核实。", "kinship",
            [Head("办理人", paper=60), Head("办了什么", paper=50), Head("办理", "date", 22), Head("户编码", paper=38),
             Head("村（组）"), Head("亲属", paper=24), Head("关系", paper=24), Head("申报", "date", 22)],
            [[each.officer, " ".join(programmes.get(word, word) for word in each.what.split()), each.decided_on,
              Cell(each.household_no, reverse("household", args=[each.household])), names.get(each.division, each.division),
              each.relative, each.relation, each.declared_on] for each in rows],
            "没有先办后报的情形。", nav=_nav(by, "kinship-earlier"), across=True,
            filters=[Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_safe
@page(guard.KINSHIP_READERS, reads=False)
def recusals(request: Any) -> HttpResponse:
    """What was left out of decisions on many, because of relatives."""
    by = request.actor
    declaring.require_file(by)

    def build(whole: bool) -> Listing:
        rows = queries.list_recusals(by.prefix)
        return Listing(
            "回避记录", "批量办理时因近亲属回避而没有办的户，由他人另行办理。", "kinship",
            [Head("日期", "date", 22), Head("回避人"), Head("事项", paper=34), Head("户编码", paper=44)],
            [[row.left_on, row.officer, row.act,
              Cell(row.household_no, reverse("household", args=[row.household_id]))] for row in rows],
            "还没有因回避而没有办的户。", nav=_nav(by, "kinship-recusals"),
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(guard.KINSHIP_READERS)
def rule(request: Any) -> HttpResponse:
    """In how many days officers declare: those concerned read it, the county's office sets it."""
    by = request.actor
    with reading(by):
        found = queries.find_rule(by.division)
    form = Rule(request.POST or None, initial={"within_days": found.within_days if found else queries.WITHIN_DAYS})
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            made = declaring.set_kinship_rule(by=by, on=request.business_date, **form.cleaned_data)
            return Outcome(f"申报期限为 {made.within_days} 天", reverse("kinship-officers"))

        return once(request, act)
    context = {
        "section": "kinship", "form": form, "rule": found, "usual": queries.WITHIN_DAYS,
        "nav": _nav(by, "kinship-officers"), "may_set": may(by, declaring.set_kinship_rule),
    }  # fmt: skip
    return render(request, "workbench/kinship_rule.html", context, status=422 if form.errors else 200)
