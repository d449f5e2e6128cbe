"""Merges at the desk: proposed, confirmed with their effects in view, separated again by two people (REG-04, SEC-02)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.duplicates import queries
from huimin.duplicates.comparing import fields_of, side_of
from huimin.duplicates.merging import confirm_merge, preview, refuse_merge, wish_of
from huimin.duplicates.models import Merge
from huimin.duplicates.separating import confirm_separation, keep_merged, propose_separation
from huimin.duplicates.tracing import later_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.models import Appointment
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.duplicate_forms import Refusal as RefusalForm
from huimin.workbench.duplicate_forms import Separation
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.duplicates import nav_of

State = Merge.State


@require_safe
@page(guard.DUPLICATE_READERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Merges of one's place, newest first."""
    by: Actor = request.actor

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", State.values)
        size = queries.ROWS_MAX if whole else 50
        page_of = queries.list_merges(place.prefix, state=state, place=request.GET.get("at", ""), size=size)
        names = names_of({row.division for row in page_of}, request.business_date)
        return Listing(
            "并档和拆分", "两份档案并成一份，由一人提出、另一人确认；并错了可以拆分，也要两人。", "duplicates",
            [Head("保留的档案", paper=34), Head("并入的档案", paper=34), Head("依据"), Head("地方", paper=34),
             Head("提出", "date", 24), Head("确认", "date", 24), Head("状态", paper=26)],
            [_row(row, names) for row in page_of], "没有并过档案。从查重的列表进入一对，判断后提出。",
            filters=[Filter("state", "状态", State.choices, state), Filter("place", "地方", place.options, place.code)],
            nav=nav_of(by, "merges"), page=page_of, across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _row(row: Merge, names: dict[str, str]) -> list[Any]:
    tones = {State.PROPOSED: "soon", State.SPLITTING: "soon", State.CONFIRMED: "done"}
    return [
        Cell(row.survivor.name, reverse("merge", args=[row.pk]), sub=str(row.survivor.birth_date)),
        Cell(row.absorbed.name, sub=str(row.absorbed.birth_date)), row.reason, names.get(row.division, row.division),
        row.proposed_on, row.decided_on, Cell(row.get_state_display(), tone=tones.get(State(row.state), "plain")),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(guard.DUPLICATE_READERS)
def detail(request: Any, number: int) -> HttpResponse:
    """One merge: what it does or did, what stays with the absorbed record, and its next step."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = queries.get_merge(number)
        context = _context(by, on, row)
    act = request.POST.get("act", "")
    refusal = RefusalForm(request.POST if act == "refuse" else None)
    separation = Separation(request.POST if act == "separate" else None)
    context |= {"refusing": refusal, "separation": separation}
    form = {"refuse": refusal, "separate": separation}.get(act)
    if request.method == "POST" and act in context["offers"] and (form is None or form.is_valid()):
        try:
            return once(request, lambda: _step(request, row, act))
        except Refusal as hindrance:
            if form is None:
                raise
            form.add_error(None, str(hindrance))
    wrong = bool(refusal.errors or separation.errors)
    return render(request, "workbench/merge.html", context | {"form": form}, status=422 if wrong else 200)


def _context(by: Actor, on: Any, row: Merge) -> dict[str, Any]:
    left, right = side_of(row.survivor, on), side_of(row.absorbed, on)
    told: dict[str, Any] = {"lines": row.told.get("lines", []), "effects": row.told.get("effects", [])}
    context = {
        "section": "duplicates", "row": row, "left": left, "right": right, "trail": chain_names(row.division, on),
        "programmes": programme_names(), "frozen": queries.frozen_of(row), "people": _people(row),
        "offers": _offers(by, row), "told": told, "effects": told["effects"], "twice": row.told.get("twice", []),
        "choices": _choices(by, row, left, right), "later": later_of(row) if row.state == State.CONFIRMED else [],
        "assigned": [each.label for each in later_of(row) if each.key in row.assigned],
    }  # fmt: skip
    if row.state == State.PROPOSED:
        context |= _as_now(by, on, row)
    return context


def _as_now(by: Actor, on: Any, row: Merge) -> dict[str, Any]:
    """A proposed merge as it would work today, or why it cannot be done now."""
    try:
        told = preview(by, on, wish_of(row))
    except Refusal as refusal:
        return {"hindered": str(refusal)}
    return {"told": {"lines": told.lines}, "effects": told.effects, "twice": told.twice}


def _choices(by: Actor, row: Merge, left: Any, right: Any) -> list[tuple[str, str]]:
    """What was chosen, while it can still be compared."""
    if row.state != State.PROPOSED:
        return []
    told = {each.code: each for each in fields_of(by, left, right)}
    return [
        (told[code].label, told[code].left if whose == "survivor" else told[code].right)
        for code, whose in sorted(row.choices.items())
        if code in told
    ]


def _offers(by: Actor, row: Merge) -> list[str]:
    steps = {
        State.PROPOSED: (("confirm", confirm_merge), ("refuse", refuse_merge)),
        State.CONFIRMED: (("separate", propose_separation),),
        State.SPLITTING: (("split", confirm_separation), ("keep", keep_merged)),
    }
    return [name for name, act in steps.get(State(row.state), ()) if may(by, act)]


def _step(request: Any, row: Merge, act: str) -> Outcome:
    by, on, where = request.actor, request.business_date, reverse("merge", args=[row.pk])
    if act == "confirm":
        confirm_merge(by=by, on=on, merge=row.pk)
        return Outcome("已并档", where, "原号码仍能查到这个人；并错了可以拆分。")
    if act == "refuse":
        refuse_merge(by=by, on=on, merge=row.pk, refusal=request.POST["refusal"])
        return Outcome("不予并档", where, "两份档案没有改动。")
    if act == "separate":
        assigned = request.POST.getlist("assigned")
        propose_separation(by=by, on=on, merge=row.pk, reason=request.POST["reason"], assigned=assigned)
        return Outcome("已提出拆分，待确认", where, "由另一人确认后，两份档案各自恢复。")
    if act == "keep":
        keep_merged(by=by, on=on, merge=row.pk)
        return Outcome("不拆分，保持并档", where)
    done = confirm_separation(by=by, on=on, merge=row.pk)
    return Outcome("已拆分", where, "两份档案恢复并档前的内容。" + "；".join(done.kept))


def _people(row: Merge) -> list[tuple[str, Any, str]]:
    """(which step, on which day, who)."""
    steps = [
        ("提出并档", row.proposed_on, row.proposed_by),
        ("不予并档" if row.state == State.REFUSED else "确认并档", row.decided_on, row.decided_by),
        ("提出拆分", row.split_on, row.split_by), ("确认拆分", row.separated_on, row.split_decided_by),
    ]  # fmt: skip
    found = Appointment.objects.filter(pk__in=[each[2] for each in steps if each[2]]).select_related(
        "office", "account"
    )
    titles = {each.pk: f"{each.office.name} {each.get_post_display()} {each.account.full_name}" for each in found}
    return [(what, day, titles.get(who, "")) for what, day, who in steps if day]
