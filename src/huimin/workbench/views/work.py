"""Refusals of work at the desk: offers recorded and judged, cuts told, heard, decided, ended; and the dead who still draw (CASE-09)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.masking import mask_name
from huimin.organisation.acting import Actor, may, reading, require_programme
from huimin.policy.queries import programme_names
from huimin.rechecks import cuts, queries
from huimin.rechecks.deaths import SORTS, StillDrawn, list_still_drawn, propose_stop
from huimin.rechecks.models import JobOffer, WorkCut
from huimin.rechecks.offers import in_a_row, judge_refusal, record_offer
from huimin.rechecks.queries import STANDINGS, OfferFilter
from huimin.rechecks.rules import DIBAO, settings_of
from huimin.registry.queries import get_household
from huimin.workbench import guard, recheck_forms
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened
from huimin.workbench.views.rechecks import nav
from huimin.workbench.views.reliefs import _answer as answer_form

WORK_READERS = guard.RECHECK_READERS
TONES = {"proposed": "soon", "told": "soon", "confirmed": "late", "ended": "done", "dropped": "plain"}


@require_safe
@page(WORK_READERS, reads=False)
def offers(request: Any) -> HttpResponse:
    """Offers of work and what came of them, newest first."""
    by = request.actor

    def build(whole: bool) -> Listing:
        place, standing = chosen_place(request), one_of(request.GET, "standing", dict(STANDINGS))
        wanted = OfferFilter(place.prefix, standing, programmes_seen(by))
        found = None if whole else queries.page_offers(wanted, request.GET.get("at", ""))
        rows = queries.list_offers(wanted) if found is None else found.rows
        return Listing(
            "介绍就业和拒绝", "有劳动能力没有就业的低保成员，无正当理由连续三次拒绝介绍的工作，减发或停发本人的份额（民发〔2021〕57号第34条）。",
            "rechecks",
            [Head("户编码", paper=36), Head("谁", paper=20), Head("工作"), Head("介绍单位", paper=30), Head("介绍", "date", 22), Head("答复", paper=18),
             Head("评判", paper=26)],
            [_offer(row) for row in rows], "还没有登记。从家庭页面点“登记介绍就业”。",
            nav=nav("work-offers"), page=found, seats=["填表人", "负责人", "日期"], across=True,
            filters=[Filter("standing", "状态", STANDINGS, standing), Filter("place", "地方", place.options, place.code)],
            acts=[("减发的处理", reverse("work-cuts"))],
        )  # fmt: skip

    return answer_listing(request, build)


def _offer(row: JobOffer) -> list[Any]:
    judged = Cell("—")
    if row.answer == JobOffer.Answer.REFUSED:
        words = "待评判" if row.justified is None else "有正当理由" if row.justified else "无正当理由"
        judged = Cell(
            words,
            tone="soon" if row.justified is None else "plain" if row.justified else "late",
            sub="已计入减发" if row.cut_id else "",
        )
    return [
        Cell(row.household.household_no, reverse("work-offer", args=[row.pk])), mask_name(row.person.name), row.job, row.offered_by,
        row.offered_on, row.get_answer_display(), judged,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(record_offer.posts))  # type: ignore[attr-defined]
def new_offer(request: Any, household: int) -> HttpResponse:
    """An offer to a member of one household, and his answer."""
    by, on = request.actor, request.business_date
    with reading(by):
        state = get_household(household, by, on)
        trail = chain_names(state.household.division, on)
    people = [(each.person.pk, each.person.name) for each in state.members]
    form = recheck_forms.Offer(
        request.POST or None, people=people, initial={"offered_on": on.isoformat(), "answered_on": on.isoformat()}
    )

    def run() -> Outcome:
        made = record_offer(by=by, on=on, **form.cleaned_data)
        then = "拒绝的由审核员评判有没有正当理由。" if made.answer == JobOffer.Answer.REFUSED else ""
        return Outcome("已登记", reverse("work-offer", args=[made.pk]), then)

    context = {
        "section": "rechecks", "title": "登记介绍就业", "button": "登记", "back": reverse("household", args=[household]), "trail": trail,
        "lead": "只登记有劳动能力、没有就业的低保成员。同一份工作一天登记一次。",
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


@require_http_methods(["GET", "POST"])
@page(WORK_READERS)
def offer(request: Any, number: int) -> HttpResponse:
    """One offer, the others made to him, and the judgement of a refusal."""
    by, on = request.actor, request.business_date
    with reading(by):
        try:
            row = queries.get_offer(number)
        except JobOffer.DoesNotExist:
            raise Http404 from None
        require_civil(by)
        others, counted = queries.list_offers_of(row.person_id), in_a_row(row.person_id)
        trail = chain_names(row.division, on)
    waits = row.answer == JobOffer.Answer.REFUSED and row.justified is None
    form = recheck_forms.Judgement(request.POST or None) if waits and may(by, judge_refusal) else None

    def run() -> Outcome:
        assert form is not None
        told = form.cleaned_data
        done = judge_refusal(
            by=by, on=on, offer=number, justified=told["justified"] == "yes", judgement=told["judgement"]
        )
        with reading(by):
            cut = queries.get_offer(done.pk).cut_id
        then = "已满三次，已提出减发，先告知本人。" if cut else ""
        return Outcome("已评判", reverse("work-cut", args=[cut]) if cut else reverse("work-offer", args=[number]), then)

    context = {
        "section": "rechecks", "row": row, "others": others, "counted": len(counted), "trail": trail, "nav": nav("work-offers"),
    }  # fmt: skip
    if request.method == "POST" and form is None:
        return render(request, "workbench/work_offer.html", {**context, "form": None}, status=409)
    return answer_form(request, form, run, "workbench/work_offer.html", context)


def require_civil(by: Actor) -> None:
    """A department that does not answer for 低保 has nothing to read here."""
    seen = programmes_seen(by)
    if seen is not None and not set(DIBAO) & set(seen):
        require_programme(by, DIBAO[0], "低保")


# -- cuts


@dataclass(frozen=True)
class Act:
    """What can be done with a cut."""

    key: str
    title: str
    button: str
    command: Callable[..., Any]
    fits: Callable[[WorkCut], bool]
    form: Callable[[Any], Form | None]
    run: Callable[[dict[str, Any], dict[str, Any]], Any]
    done: str
    lead: str = ""
    warning: bool = False

    def offered(self, by: Actor, row: WorkCut) -> bool:
        return self.fits(row) and may(by, self.command)


def _unanswered(row: WorkCut) -> bool:
    return row.state == "told" and row.objected_on is not None and row.answered_on is None


ACTS = {
    act.key: act
    for act in (
        Act(
            "tell", "已告知本人？", "登记已告知", cuts.tell_cut, lambda row: row.state == "proposed", lambda data: None,
            lambda common, told: cuts.tell_cut(**common), "已登记告知", "告知他拟减发本人份额、理由，和可以申辩。",
        ),
        Act(
            "object", "登记申辩", "登记申辩", cuts.object_to_cut, lambda row: row.state == "told" and row.objected_on is None,
            lambda data: recheck_forms.Objection(data), lambda common, told: cuts.object_to_cut(**common, **told), "已登记申辩",
        ),
        Act(
            "answer", "答复申辩", "答复", cuts.answer_objection, _unanswered, lambda data: recheck_forms.ObjectionAnswer(data),
            lambda common, told: cuts.answer_objection(**common, upheld=told["upheld"] == "yes", answer=told["answer"]), "已答复申辩",
            "评判过他的人不能答复。",
        ),
        Act(
            "confirm", "减发本人的份额？", "决定减发", cuts.confirm_cut, lambda row: row.state == "told" and not _unanswered(row),
            lambda data: recheck_forms.Cut(data), lambda common, told: cuts.confirm_cut(**common, **told), "已决定减发",
            "从下月起，家庭的金额减去本人份额的这一部分；其他人的不变。", True,
        ),
        Act(
            "drop", "不予减发", "不予减发", cuts.drop_cut, lambda row: row.state in ("proposed", "told") and not _unanswered(row),
            lambda data: recheck_forms.Reason(data), lambda common, told: cuts.drop_cut(**common, **told), "已决定不予减发",
        ),
        Act(
            "end", "解除减发", "解除", cuts.end_cut, lambda row: row.state == "confirmed", lambda data: recheck_forms.Reason(data),
            lambda common, told: cuts.end_cut(**common, **told), "已解除", "系统随即重新认定这一户，应增发的提出建议。",
        ),
    )
}  # fmt: skip


@require_safe
@page(WORK_READERS, reads=False)
def cut_list(request: Any) -> HttpResponse:
    """Cuts by state, newest first."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", WorkCut.State.values)
        found = queries.page_cuts(
            place.prefix, state, programmes_seen(by), "" if whole else request.GET.get("at", ""), 1000 if whole else 50
        )
        over = set(cuts.lapsed(place.prefix, on).values_list("pk", flat=True))
        names = names_of({row.division for row in found}, on)
        return Listing(
            "拒绝就业的减发", "告知、申辩、答复以后，由县民政部门决定；解除以后重新认定。", "rechecks",
            [Head("户编码", paper=36), Head("谁", paper=20), Head("村（组）", paper=30), Head("本人份额（元）", "fen", 24), Head("减发（元）", "fen", 24),
             Head("提出", "date", 22), Head("状态", paper=30)],
            [_cut(row, names, over) for row in found], "没有这样的减发。", nav=nav("work-offers"), page=found,
            seats=["填表人", "负责人", "日期"], across=True,
            filters=[Filter("state", "状态", WorkCut.State.choices, state), Filter("place", "地方", place.options, place.code)],
            acts=[("介绍就业和拒绝", reverse("work-offers"))],
        )  # fmt: skip

    return answer_listing(request, build)


def _cut(row: WorkCut, names: dict[str, str], over: set[int]) -> list[Any]:
    sub = "金额已被后来的决定取代" if row.pk in over else "申辩待答复" if _unanswered(row) else ""
    state = Cell(row.get_state_display(), tone=TONES[row.state], sub=sub)
    number = Cell(row.household.household_no, reverse("work-cut", args=[row.pk]))
    return [
        number,
        mask_name(row.person.name),
        names.get(row.division, row.division),
        row.share_fen,
        row.cut_fen,
        row.proposed_on,
        state,
    ]


@require_safe
@page(WORK_READERS)
def cut(request: Any, number: int) -> HttpResponse:
    """One cut: the three offers, what he said, who decided, what is next."""
    by, on = request.actor, request.business_date
    try:
        row = queries.get_cut(number)
    except WorkCut.DoesNotExist:
        raise Http404 from None
    require_seen(by, row.programme)
    context = {
        "section": "rechecks", "row": row, "trail": chain_names(row.division, on), "names": programme_names(), "nav": nav("work-offers"),
        "offers": cuts.offers_of(row), "words": cuts.words_of(row), "offered": [act for act in ACTS.values() if act.offered(by, row)],
        "lapsed": cuts.lapsed(row.division, on).filter(pk=row.pk).exists(), "wait_days": settings_of(row.division, on).number("cut_days"),
    }  # fmt: skip
    return render(request, "workbench/work_cut.html", context)


@require_http_methods(["GET", "POST"])
@page(WORK_READERS)
def cut_act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on a cut, done once."""
    if key not in ACTS:
        raise Http404
    chosen, by, on = ACTS[key], request.actor, request.business_date
    with reading(by):
        try:
            row = queries.get_cut(number)
        except WorkCut.DoesNotExist:
            raise Http404 from None
        require_seen(by, row.programme)
        ruled = settings_of(row.division, on).cut
        trail = chain_names(row.division, on)
    form: Any = chosen.form(request.POST or None)
    if key == "confirm" and request.method != "POST":
        form.initial = {"percent": ruled or 100}

    def run() -> Outcome:
        chosen.run({"by": by, "on": on, "cut": number}, form.cleaned_data if form else {})
        return Outcome(chosen.done, reverse("work-cut", args=[number]))

    lead = f"{row.household.household_no} {row.person.name}。{chosen.lead}" + (
        f"县里规定减发 {ruled}%。" if ruled and key == "confirm" else ""
    )
    context = {
        "section": "rechecks", "title": chosen.title, "lead": lead, "button": chosen.button, "warning": chosen.warning,
        "back": reverse("work-cut", args=[number]), "trail": trail,
    }  # fmt: skip
    return answer_form(request, form, run, "workbench/field_form.html", context)


# -- the dead who still draw


@require_http_methods(["GET", "POST"])
@page(guard.RECHECK_READERS, reads=False)
def still_drawn(request: Any) -> HttpResponse:
    """Entitlements that go on after a death, oldest first; a POST determines one household anew."""
    by, on = request.actor, request.business_date
    if request.method == "POST":
        number = request.POST.get("household", "")
        chosen = int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0

        def act() -> Outcome:
            propose_stop(by=by, on=on, household=chosen)
            return Outcome("已重新认定这一户", reverse("still-drawn"), "应停发、减发的已提出建议，由主管部门审批。")

        return once(request, act)

    def build(whole: bool) -> Listing:
        place, sort = chosen_place(request), one_of(request.GET, "sort", SORTS)
        within = settings_of(by.division, on).death
        every = list_still_drawn(place.prefix, on, programmes=programmes_seen(by), sort=sort, within=within)
        rows, note = shortened(every, whole)
        names, programmes = names_of({row.division for row in rows}, on), programme_names()
        late = [row for row in every if row.months]
        made = Listing(
            "死亡后仍未停发", "登记死亡的同时冻结账户、提出建议；去世当月仍发，次月起不再发。决定从次月起执行，所以要在去世当月办完。", "rechecks",
            [Head("户编码", paper=34), Head("去世的人", paper=20), Head("村（组）", paper=26), Head("待遇", paper=34), Head("去世", "date", 20), Head("已过天数", "count", 16),
             Head("最迟决定", "date", 20), Head("多发月数", "count", 16), Head("处理", paper=26)],
            [_drawn(row, names, programmes) for row in rows], "没有去世后仍在享受的。", note=note, nav=nav("still-drawn"),
            seats=["填表人", "负责人", "日期"], across=True,
            filters=[Filter("sort", "哪一种", list(SORTS.items()), sort), Filter("place", "地方", place.options, place.code)],
            figures=[("未停发", f"{len(every):,}", "late" if every else ""), ("其中已多发", f"{len(late):,}", "late" if late else "")],
        )  # fmt: skip
        made.more["stuck"] = [row for row in rows if row.proposal is None]
        return made

    return answer_listing(request, build, "workbench/still_drawn.html", may_propose=may(by, propose_stop))


def _drawn(row: StillDrawn, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    what = f"{programmes.get(row.programme, row.programme)}"
    done = (
        Cell("去审批建议", reverse("proposal", args=[row.proposal]))
        if row.proposal
        else Cell("还没有建议", tone="late")
    )
    return [
        Cell(row.household_no, reverse("household", args=[row.household])), Cell(mask_name(row.name), sub=SORTS[row.sort]),
        names.get(row.division, row.division), what, row.died_on, row.days, row.until, row.months, done,
    ]  # fmt: skip
