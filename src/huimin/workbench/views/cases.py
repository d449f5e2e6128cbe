"""Applications and lists: what is on its way, one case with its steps, asking for help, and every act on it (CASE-01, CASE-04)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from huimin.appeals.filing import file_appeal
from huimin.cases import queries
from huimin.cases.asking import Asked, looked_up_of, open_case, open_list, papers_of
from huimin.cases.determining import determine
from huimin.cases.lateness import list_escalations_of
from huimin.cases.many import count_unsigned
from huimin.cases.models import Case, CaseHandover, CasePaper
from huimin.cases.queries import CaseFilter
from huimin.casework.models import Relief
from huimin.casework.queries import households_with_entitlement
from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.payment.explaining import dues_behind
from huimin.policy.models import Programme
from huimin.policy.queries import programme_names
from huimin.processes.drawing import draw
from huimin.processes.models import Process
from huimin.processes.queries import find_rule, process_for, way_of
from huimin.registry.queries import get_household
from huimin.samples.queries import lines_of_case
from huimin.screening.models import Proposal
from huimin.workbench import case_acts, guard, meeting_side
from huimin.workbench.acts import Outcome
from huimin.workbench.case_forms import Apply, NewList
from huimin.workbench.case_told import told_of
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen, seen_of
from huimin.workbench.spreadsheet import Column, export
from huimin.workbench.views.doubts import row_of
from huimin.workbench.views.reliefs import _answer as answer
from huimin.workbench.visit_side import case_side

STATES = [(key, label) for key, label in Case.State.choices if key != "asked"]
EXPORT_MAX = 5000
COLUMNS = (
    Column("编号", width=16), Column("户编码", width=18), Column("项目", width=20), Column("村（组）", width=20), Column("申请", "date"),
    Column("受理", "date"), Column("状态"), Column("现在的步骤", width=20), Column("这一步到期", "date"),
)  # fmt: skip


def _wanted(request: Any) -> tuple[CaseFilter, dict[str, Any]]:
    """What the address asks for: place, state, step, programme, deadline, and only what waits for this post."""
    by, on = request.actor, request.business_date
    place, names = chosen_place(request), seen_of(by, programme_names())
    steps = queries.steps_of(by)
    waiting = queries.list_waiting(by, on, programmes_seen(by))
    mine = one_of(request.GET, "mine", ("yes", "no"), "no" if request.GET else ("yes" if waiting else "no"))
    asked = {
        "state": one_of(request.GET, "state", dict(STATES)), "due": one_of(request.GET, "due", queries.DUE),
        "programme": one_of(request.GET, "programme", names), "step": request.GET.get("step", "")[:20],
    }  # fmt: skip
    wanted = CaseFilter(
        prefix=place.prefix, on=on, programmes=programmes_seen(by),
        mine=tuple(steps) if mine == "yes" and not asked["state"] else None, **asked,
    )  # fmt: skip
    return wanted, {**asked, "mine": mine, "place": place, "names": names, "waiting": waiting}


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    """Cases on their way, by deadline; those of this post first asked for."""
    wanted, asked = _wanted(request)
    if request.GET.get("export") == "xlsx":
        return _exported(request, wanted, asked["names"], request.business_date)
    found = queries.page_cases(wanted, request.GET.get("at", ""))
    context = {
        "section": "cases", "page": found, **asked, "states": STATES, "dues": list(queries.DUE.items()),
        "places": names_of({row.division for row in found}, request.business_date),
        "steps": {row.pk: step_name(row) for row in found}, "may_list": may(request.actor, open_list),
        "may_many": bool(asked["waiting"]), "unsigned": count_unsigned(request.actor)[0],
        "programmes": list(asked["names"].items()), "ranges": [("yes", "等我办的"), ("no", "全部在办")],
    }  # fmt: skip
    return render(request, "workbench/cases.html", context)


def step_name(case: Case) -> str:
    return way_of(case.process).step(case.step).name if case.step else ""


def _exported(request: Any, wanted: CaseFilter, names: dict[str, str], on: Any) -> HttpResponse:
    rows = list(queries.page_cases(wanted, size=1000))
    places = names_of({row.division for row in rows}, on)
    lines = (
        (
            row.number, row.household.household_no if row.household else "名单", names.get(row.programme, row.programme),
            places.get(row.division, row.division), row.asked_on, row.accepted_on, row.get_state_display(), step_name(row),
            row.step_due_on if row.step_due_on.year < 9999 else None,
        )
        for row in rows
    )  # fmt: skip
    return export(request, "申请办理", COLUMNS, lines)


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One case: its way as a picture, what the step must hold, papers, who did what, what is next and who does it."""
    by, on = request.actor, request.business_date
    case = queries.get_case(number)
    require_seen(by, case.programme)
    way = way_of(case.process)
    told = case_acts.seen(by, on, case)
    acts = queries.list_acts(case.pk)
    done = {act.step for act in acts if act.outcome == "passed"}
    context = {
        "section": "cases", "case": case, "way": way, "step": told.step, "acts": acts,
        "picture": mark_safe(draw(way, _standing(acts, way), case.step)), "done": done,
        "slots": queries.slots(case, on) if case.step else [], "offered": case_acts.offered(told),
        "papers": list(CasePaper.objects.filter(case=case).order_by("id")), "names": programme_names(),
        "trail": chain_names(case.division, on), "lines": queries.page_lines(case.pk, request.GET.get("at", "")) if not case.household_id else None,
        "handovers": list(CaseHandover.objects.filter(case=case).order_by("-id")[:20]),
        "earlier": _earlier(case), "may_appeal": may(by, file_appeal) and case.state == Case.State.OUT_OF_SCOPE,
        "responsible": _holder(case.responsible), "stand_in": _holder(case.stand_in),
        "reports": list(case.reports.select_related("signature").order_by("-id")[:40]),
        "told": told_of(case, on), "finding": _finding(by, on, case), "has_limit": case.step_due_on.year < 9999, "whole": case.due_on.year < 9999,
        "step_names": {step.key: step.name for step in way.steps}, "escalations": list_escalations_of(case.pk),
        "samples": lines_of_case(case.pk),
        "dues": dues_behind(case_number=case.pk) if case.household_id and by.post in guard.PAYERS else [],
        "looked": case_side(by, case, row_of),
    }  # fmt: skip
    lacking = any(row.state != CasePaper.State.PRESENT for row in context["papers"])
    context["review"] = meeting_side.side_of(by, case, context["finding"], lacking)
    return render(request, "workbench/case.html", context)


def _standing(acts: list[Any], way: Any) -> list[str]:
    """Steps passed and not sent back since."""
    order = {step.key: n for n, step in enumerate(way.steps)}
    found: list[str] = []
    for act in acts:
        if act.outcome == "passed":
            found.append(act.step)
        elif act.outcome == "returned":
            found = [key for key in found if order[key] < order.get(act.to_step, 0)]
    return found


def _earlier(case: Case) -> list[Case]:
    """What the household asked for under the programme before: asking again is free at any time, and seen as such."""
    if not case.household_id:
        return []
    rows = queries.list_cases_of(case.household_id)
    return [
        row for row in rows if row.programme == case.programme and row.pk < case.pk and row.person_id == case.person_id
    ]


def _holder(appointment: int | None) -> Appointment | None:
    rows = Appointment.objects.select_related("account", "office")
    return rows.filter(pk=appointment).first() if appointment else None


def _finding(by: Actor, on: Any, case: Case) -> Any:
    """What the law says today; nothing for a list, a case that is over, or facts that cannot be read."""
    if not case.household_id or not case.step:
        return None
    try:
        return determine(by, on, case)
    except Refusal:
        return None


@require_http_methods(["GET", "POST"])
@page(guard.STAFF)
def act(request: Any, number: int, key: str) -> HttpResponse:
    """One act on a case: checked on its page, done once."""
    if key not in case_acts.ACTS:
        raise Http404
    chosen = case_acts.ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        case = queries.get_case(number)
        require_seen(by, case.programme)
        told = case_acts.seen(by, on, case)
        form: Any = chosen.form(told, request.POST or None)
        slots = queries.slots(case, on) if key == "pass" and case.step else []
        trail, names = chain_names(case.division, on), programme_names()

    def run() -> Outcome:
        chosen.run(told, form.cleaned_data if form else {})
        with reading(by):
            after = queries.get_case(number)
        return Outcome(chosen.done, reverse("case", args=[number]), _then(case, after))

    context = {
        "section": "cases", "case": case, "step": told.step, "act": chosen, "slots": slots, "trail": trail, "names": names,
    }  # fmt: skip
    return answer(request, form, run, "workbench/case_act.html", context)


def _then(before: Case, after: Case) -> str:
    """What comes next, in words, after an act that moved the case or did not."""
    if not after.step:
        return f"这件事{after.get_state_display()}。"
    moved = (before.step, before.round) != (after.step, after.round)
    return f"下一步：{step_name(after)}。" if moved else f"“{step_name(after)}”这一步还没有办完。"


@require_safe
@page(frozenset(open_case.posts))  # type: ignore[attr-defined]
def programmes(request: Any, household: int) -> HttpResponse:
    """Which programme is asked for: those a household may ask for here, and why not the others."""
    by, on = request.actor, request.business_date
    state = get_household(household, by, on)
    place = state.household.division
    held = households_with_entitlement([household], on).get(household, [])
    open_now = {row.programme: row for row in queries.list_cases_of(household) if row.step}
    rows = []
    for law in Programme.objects.order_by("name"):
        if find_rule(law.code, place, on) is not None:
            process = process_for(law.code, place, on)
            rows.append((law, process, law.code in held, open_now.get(law.code)))
    context = {
        "section": "cases", "state": state, "trail": chain_names(place, on), "rows": rows,
        "households": [row for row in rows if row[1].subject == Process.Subject.HOUSEHOLD],
        "lists": [row for row in rows if row[1].subject == Process.Subject.LIST],
    }  # fmt: skip
    return render(request, "workbench/case_programmes.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(open_case.posts))  # type: ignore[attr-defined]
def apply_(request: Any, household: int, programme: str) -> HttpResponse:
    """Take the application: papers ticked off, declaration signed; accepted at once or told once what is missing."""
    by, on = request.actor, request.business_date
    with reading(by):
        state = get_household(household, by, on)
        law = Programme.objects.filter(code=programme).first()
        if law is None:
            raise Http404
        papers, looked_up = (of(programme, state.household.division, on) for of in (papers_of, looked_up_of))
        going = Case.objects.filter(household=household, programme=programme, person=None).exclude(step="").first()
        reliefs = list(Relief.objects.filter(household=household, state="paid", papers_on=None).order_by("-id")[:5])
        proposal = Proposal.objects.filter(
            household=household, programme=programme, state="open", kind="enter", person=None
        ).first()
        process = process_for(programme, state.household.division, on)
        trail = chain_names(state.household.division, on)
    people = [(each.person.pk, each.person.name) for each in state.members] if law.unit == "person" else []
    form = Apply(request.POST or None, papers=papers, people=people, initial={"channel": _channel(by)})

    def run() -> Outcome:
        told = form.cleaned_data
        asked = Asked(
            told["channel"], told["story"], told["proxy"], told["proxy_paper"],
            proposal.pk if proposal and request.POST.get("proposal") else None,
            reliefs[0].pk if reliefs and request.POST.get("relief") else None,
        )  # fmt: skip
        made = open_case(
            by=by, on=on, household=household, programme=programme, person=told.get("person"), asked=asked,
            present=told["papers"], declared_on=told["declared_on"],
        )  # fmt: skip
        accepted = made.state == Case.State.OPEN
        then = "请打印受理通知书交给申请人。" if accepted else "请打印一次性告知书交给申请人；材料补齐前不计期限。"
        return Outcome(
            f"已受理{law.name}申请" if accepted else "已登记申请，还缺材料", reverse("case", args=[made.pk]), then
        )

    context = {
        "section": "cases", "state": state, "law": law, "process": process, "trail": trail, "proposal": proposal,
        "relief": reliefs[0] if reliefs else None, "looked_up": looked_up, "going": going,
    }  # fmt: skip
    return answer(request, form, run, "workbench/case_apply.html", context)


def _channel(by: Actor) -> str:
    return Case.Channel.VILLAGE if by.post == "information_officer" else Case.Channel.DESK


@require_http_methods(["GET", "POST"])
@page(frozenset(open_list.posts))  # type: ignore[attr-defined]
def new_list(request: Any) -> HttpResponse:
    """A village's list of everybody the screening proposes under one programme."""
    by, on = request.actor, request.business_date
    with reading(by):
        rows = Programme.objects.order_by("name")
        choices = [(law.code, law.name) for law in rows if _is_listed(law.code, by.division, on)]
        place = chosen_place(request)
        places = place.options or [(by.division, by.office_name)]
    form = NewList(request.POST or None, programmes=choices, places=places)

    def run() -> Outcome:
        told = form.cleaned_data
        made = open_list(by=by, on=on, programme=told["programme"], division=told["division"])
        return Outcome("已编制名单", reverse("case", args=[made.pk]), "接着在村里公示。")

    return answer(request, form, run, "workbench/case_list.html", {"section": "cases"})


def _is_listed(programme: str, division: str, on: Any) -> bool:
    if find_rule(programme, division, on) is None:
        return False
    return process_for(programme, division, on).subject == Process.Subject.LIST
