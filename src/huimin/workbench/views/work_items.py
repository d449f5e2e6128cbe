"""Work items (待核实): what imports and checks left open, settled by a person in words (REG-04)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import chain_names, names_of
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import may, reading
from huimin.registry.commands import settle_work_item
from huimin.registry.models import WorkItem
from huimin.registry.queries import count_work_items, list_work_items
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import Settlement
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of

STATES = [("open", "待处理"), ("settled", "已处理")]


@require_safe
@page(guard.CHECKERS)
def listing(request: Any) -> HttpResponse:
    place = chosen_place(request)
    kind = one_of(request.GET, "kind", WorkItem.Kind.values)
    state = one_of(request.GET, "state", dict(STATES), "open")
    page_of = list_work_items(place.prefix, kind=kind, state=state, place=request.GET.get("at", ""))
    context = {
        "section": "work-items",
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "place": place,
        "kind": kind,
        "state": state,
        "kinds": WorkItem.Kind.choices,
        "states": STATES,
        "counts": [(WorkItem.Kind(key), count) for key, count in count_work_items(place.prefix).items()],
        "may_settle": may(request.actor, settle_work_item),
    }
    return render(request, "workbench/work_items.html", context)


@require_http_methods(["GET", "POST"])
@page(frozenset(settle_work_item.posts))  # type: ignore[attr-defined]
def settle(request: Any, number: int) -> HttpResponse:
    """One item: what clashed, and how it was settled."""
    with reading(request.actor):
        item = WorkItem.objects.select_related("household", "person").get(pk=number)
        trail = chain_names(item.division, request.business_date)
    form = Settlement(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def act() -> Outcome:
            settled = form.cleaned_data["settlement"]
            settle_work_item(by=request.actor, on=request.business_date, item=number, settlement=settled)
            return Outcome(f"第 {number} 件已处理", reverse("work-items"))

        try:
            return once(request, act)
        except BadInput as wrong:
            form.add_error("settlement", str(wrong))
    context = {"section": "work-items", "form": form, "item": item, "trail": trail}
    return render(request, "workbench/work_item.html", context, status=422 if form.errors else 200)
