"""特困: who is assessed how, who is cared for where, and the share in centralised support (DET-04)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework import care as room
from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.divisions.queries import chain_names, names_of
from huimin.organisation.acting import Actor, may, reading
from huimin.registry.models import Person
from huimin.registry.queries import find_household_of
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place
from huimin.workbench.relief_forms import Agreement, Assessment
from huimin.workbench.views.reliefs import _answer

ROWS_MAX = 200


@require_safe
@page(guard.RELIEF_READERS)
def listing(request: Any) -> HttpResponse:
    """People who hold 特困, with grade and agreement; the share against its goal."""
    place, on = chosen_place(request), request.business_date
    held = Entitlement.objects.filter(live_on(on), programme=room.PROGRAMME, division__startswith=place.prefix)
    rows = list(held.select_related("person", "household").order_by("division", "id")[:ROWS_MAX])
    context = {
        "section": "care",
        "rows": [
            (row, room.list_assessments(row.person_id, 1), room.list_agreements(row.person_id, 1)) for row in rows
        ],
        "full": len(rows) == ROWS_MAX,
        "place": place,
        "places": names_of({row.division for row in rows}, on),
        "share": room.care_share(place.prefix, on),
        "goal": room.SHARE_GOAL_PERCENT,
    }
    return render(request, "workbench/care.html", context)


@require_http_methods(["GET", "POST"])
@page(guard.RELIEF_READERS)
def person(request: Any, number: int) -> HttpResponse:
    """One person: assessments and agreements, and a new one of either."""
    by: Actor = request.actor
    on = request.business_date
    with reading(by):
        who = Person.objects.get(pk=number)
        context = {
            "section": "care",
            "person": who,
            "household": find_household_of(number, on),
            "trail": chain_names(who.division, on),
            "assessments": room.list_assessments(number),
            "agreements": room.list_agreements(number),
            "items": room.ITEMS,
            "may_assess": may(by, room.assess_care),
            "in_tekun": Entitlement.objects.filter(live_on(on), programme=room.PROGRAMME, person=number).exists(),
        }
    signing = request.POST.get("act") == "agreement"
    assessment = Assessment(request.POST if request.method == "POST" and not signing else None)
    agreement = Agreement(request.POST if signing else None)

    def act() -> Outcome:
        where = reverse("care-person", args=[number])
        if signing:
            room.sign_care_agreement(by=by, on=on, person=number, **agreement.cleaned_data)
            return Outcome("已登记照料协议", where)
        told = {**assessment.cleaned_data, "assessors": assessment.cleaned_data["assessors"].splitlines()}
        made = room.assess_care(by=by, on=on, person=number, **told)
        return Outcome(f"已登记评估：{made.get_grade_display()}", where, "登记里的失能项数同时更新。")

    context |= {"assessment": assessment, "agreement": agreement}
    return _answer(request, agreement if signing else assessment, act, "workbench/care_person.html", context)
