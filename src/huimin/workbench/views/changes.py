"""Changes of households: told by form, shown with what they do, reported, entered, confirmed (REG-05, DET-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework import changes as room
from huimin.casework.changes import Effect, Told
from huimin.divisions.queries import chain_names, list_villages, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.registry.commands.changes import people_named
from huimin.registry.models import Person, ReportedChange
from huimin.registry.queries import HouseholdState, get_household
from huimin.screening.rescreening import has_open_proposals
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.change_forms import ABOUT, FORMS, ChangeForm, told_rows
from huimin.workbench.forms import DeskForm, text
from huimin.workbench.guard import page
from huimin.workbench.listing import Options, chosen_place, one_of, place_options
from huimin.workbench.survey import fact_rows

Kind, State = ReportedChange.Kind, ReportedChange.State
TELLERS = frozenset({Post.INFORMATION_OFFICER, *room.ENTERERS})
PROPOSED = "已据此提出增发、减发、停发或纳入的建议，审批后才改待遇。"


@require_safe
@page(guard.CHANGE_READERS)
def listing(request: Any) -> HttpResponse:
    """Changes of one's place, by state and kind."""
    place = chosen_place(request)
    state, kind = one_of(request.GET, "state", State.values), one_of(request.GET, "kind", Kind.values)
    page_of = room.list_changes(room.ChangeFilter(place.prefix, kind, state), request.GET.get("at", ""))
    context = {
        "section": "changes", "page": page_of, "place": place, "state": state, "kind": kind,
        "states": State.choices, "kinds": Kind.choices,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "unscreened": room.count_unscreened(request.actor.prefix),
    }  # fmt: skip
    return render(request, "workbench/changes.html", context)


@require_safe
@page(TELLERS)
def kinds(request: Any, household: int) -> HttpResponse:
    """Which kind of change."""
    on = request.business_date
    state = get_household(household, request.actor, on)
    context = {
        "section": "changes", "state": state, "trail": chain_names(state.household.division, on),
        "kinds": [(kind.value, kind.label, ABOUT[kind]) for kind in Kind],
        "earlier": room.list_changes_of(household),
    }  # fmt: skip
    return render(request, "workbench/change_kinds.html", context)


@require_http_methods(["GET", "POST"])
@page(TELLERS)
def tell(request: Any, household: int, kind: str) -> HttpResponse:
    """The form of a kind; what it would do; then it is reported (village) or entered (township, county)."""
    if kind not in FORMS:
        raise Http404
    by: Actor = request.actor
    with reading(by):
        state = get_household(household, by, request.business_date)
        trail = chain_names(state.household.division, request.business_date)
        places = _villages(by, state, request.business_date)
    form = FORMS[kind](request.POST or None, state=state, places=places)
    stage = request.POST.get("stage", "")
    context = {
        "section": "changes", "form": form, "state": state, "trail": trail, "kind": Kind(kind), "about": ABOUT[Kind(kind)],
    }  # fmt: skip
    if request.method == "POST" and stage != "edit" and form.is_valid():
        told = Told(kind, household, form.cleaned_data["effective_on"], form.cleaned_data["evidence"], form.payload())
        try:
            return _told(request, told, stage, context, form)
        except Refusal as refusal:
            form.add_error(_place_of(form, refusal), str(refusal))
    status = 422 if form.errors and stage != "edit" else 200
    return render(request, "workbench/change_tell.html", context, status=status)


def _place_of(form: ChangeForm, refusal: Refusal) -> str | None:
    """The field a refusal speaks of, by its label; else the form as a whole."""
    where = refusal.where if isinstance(refusal, BadInput) else ""
    by_label = {str(field.label): name for name, field in form.fields.items()} | {"生效日期": "effective_on"}
    return by_label.get(where)


def _told(request: Any, told: Told, stage: str, context: dict[str, Any], form: ChangeForm) -> HttpResponse:
    by, on = request.actor, request.business_date
    if stage == "do":
        return once(request, lambda: tell_it(by, on, told))
    with reading(by):
        context |= shown(by, on, told)
    hidden = [(name, value) for name, values in request.POST.lists() for value in values if name in form.fields]
    return render(request, "workbench/change_check.html", context | {"hidden": hidden, "told": told})


def tell_it(by: Actor, on: Any, told: Told) -> Outcome:
    """Report or enter, by post; and what comes next."""
    act = room.report_change if may(by, room.report_change) else room.enter_change
    return outcome_of(by, act(by=by, on=on, told=told))


def outcome_of(by: Actor, row: ReportedChange) -> Outcome:
    """What came of telling it."""
    if row.state == State.REPORTED:
        return Outcome("已上报", reverse("change", args=[row.pk]), "由乡镇统计员录入。")
    return _entered(by, row)


def _proposed(by: Actor, row: ReportedChange) -> str:
    """What follows for benefits."""
    with reading(by):
        return PROPOSED if has_open_proposals([row.household_id]) else ""


def _entered(by: Actor, row: ReportedChange) -> Outcome:
    where = reverse("change", args=[row.pk])
    if row.state == State.ENTERED:
        return Outcome("已录入，待确认", where, f"{row.depends}，由另一人确认后生效。")
    return Outcome(
        "已生效",
        where,
        f"没有待遇和账户随之变化，不需要确认。{PROPOSED}"
        if has_open_proposals([row.household_id])
        else "没有待遇和账户随之变化，不需要确认。",
    )


def shown(by: Actor, on: Any, told: Told) -> dict[str, Any]:
    """What a change says and does, for a page; inside reading(by)."""
    effects = room.effects_of(by, on, told)
    weighty = room.of_weight(effects)
    names = dict(Person.objects.filter(pk__in=people_named(told.payload)).values_list("pk", "name"))
    places = names_of({str(told.payload.get("division", ""))}, on)
    return {
        "rows": told_rows(dict(told.payload), names, places),
        "effects": weighty,
        "others": len(effects) - len(weighty),
        "depends": room.depends_on(told, weighty, on),
    }


def _villages(by: Actor, state: HouseholdState, on: Any) -> Options:
    """Where the household may go: villages of its township, or of the county for the county's office; its own first."""
    own = state.household.division
    if by.level >= Level.VILLAGE:
        return [(own, names_of({own}, on).get(own, own))]
    if by.level == Level.TOWNSHIP:
        found = place_options(by, on, None)
    else:
        found = [(each.code, each.name) for each in list_villages(own[:9] + "000", on)]
    return sorted(found, key=lambda option: not own.startswith(option[0]))


class RefusalOfChange(DeskForm):
    refusal = text("不予登记的原因", "请填写不予登记的原因", hint="上报和录入的人会看到", max_length=200)


@require_http_methods(["GET", "POST"])
@page(guard.CHANGE_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One change: who told what, what it does, and its next step."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = ReportedChange.objects.select_related("household").get(pk=number)
        told = room.told_of(row)
        context: dict[str, Any] = {
            "section": "changes", "row": row, "trail": chain_names(row.division, on),
            "people": _people(row), "offers": _offers(by, row),
        }  # fmt: skip
        context |= _now(by, on, row, told)
    act = request.POST.get("act", "")
    form = RefusalOfChange(request.POST if act == "refuse" else None)
    if request.method == "POST" and act in context["offers"] and (act != "refuse" or form.is_valid()):
        return once(request, lambda: _step(by, on, row, told, act, form))
    if request.method == "POST" and act != "refuse":
        return redirect("change", number)
    return render(request, "workbench/change.html", context | {"form": form}, status=422 if form.errors else 200)


def _now(by: Actor, on: Any, row: ReportedChange, told: Told) -> dict[str, Any]:
    """An open change as it would work today; one that ended as it was then, and why it could not be done now."""
    names = dict(Person.objects.filter(pk__in=people_named(told.payload)).values_list("pk", "name"))
    places = names_of({str(told.payload.get("division", ""))}, on)
    stored = {
        "rows": told_rows(dict(told.payload), names, places), "effects": [Effect(**each) for each in row.effects],
        "others": 0, "depends": row.depends, "facts": _fact_rows(told, row.household_id, names, by),
    }  # fmt: skip
    if row.state not in (State.REPORTED, State.ENTERED):
        return stored
    try:
        return stored | shown(by, on, told)
    except Refusal as refusal:
        return stored | {"hindered": str(refusal)}


def _fact_rows(told: Told, household: int, names: dict[int, str], by: Actor) -> list[tuple[str, str, str]]:
    """(whose, which fact, value) of a change of facts, for the eyes of `by`."""
    return fact_rows(told.payload, room.added_here(household), names, by)


def _step(by: Actor, on: Any, row: ReportedChange, told: Told, act: str, form: DeskForm) -> Outcome:
    where = reverse("change", args=[row.pk])
    if act == "enter":
        return _entered(by, room.enter_change(by=by, on=on, told=told, change=row.pk))
    if act == "confirm":
        done = room.confirm_change(by=by, on=on, change=row.pk)
        return Outcome("已确认，登记已更改", where, _proposed(by, done))
    room.refuse_change(by=by, on=on, change=row.pk, refusal=form.cleaned_data["refusal"])
    return Outcome("不予登记", where, "登记没有改动；上报和录入的人能看到原因。")


def _offers(by: Actor, row: ReportedChange) -> list[str]:
    found = []
    if row.state == State.REPORTED and may(by, room.enter_change):
        found.append("enter")
    if row.state == State.ENTERED and may(by, room.confirm_change):
        found.append("confirm")
    if found and may(by, room.refuse_change):
        found.append("refuse")
    return found


def _people(row: ReportedChange) -> list[tuple[str, Any, str]]:
    """(which step, on which day, who) of the way of a change."""
    steps = [
        ("上报", row.reported_on, row.reported_by), ("录入", row.entered_on, row.entered_by),
        ("确认" if row.state == State.APPLIED else "不予登记", row.confirmed_on, row.confirmed_by),
    ]  # fmt: skip
    found = Appointment.objects.filter(pk__in=[each[2] for each in steps if each[2]]).select_related(
        "office", "account"
    )
    titles = {each.pk: f"{each.office.name} {each.get_post_display()} {each.account.full_name}" for each in found}
    return [(what, on, titles.get(who, "")) for what, on, who in steps if who]
