"""The telephone's form of a home visit: taken along, filled in without a connection, sent later, once (CASE-02, SEC-04).

shell    a page without anybody's data, which the service worker keeps, so that it opens in a valley without signal
data     the round: households to visit, who may go, what may be asked; and the person's own key. Never kept by the worker
send     one visit with its photos and signatures; the answer is a sentence the telephone can show

Always true: what lies in the browser is sealed with a key of the person who signed in (AES-GCM), which the browser keeps
for a working day where no script can read it out; the same form sent twice is one visit (`client_id`). Of a household the
telephone learns number, head, members' names and village, no number, address, telephone or registered fact.
"""

import base64
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from huimin.cases.models import Case
from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.facts import FACTS, Entity, Fact, Kind
from huimin.organisation.acting import Actor, reading
from huimin.policy.queries import added_facts, programme_names
from huimin.registry.models import Membership
from huimin.visits import queries
from huimin.visits.doubts import BY_OTHER_CHANGES, facts_here
from huimin.visits.findings import NEIGHBOURS_MAX, TOPICS
from huimin.visits.models import Visit
from huimin.visits.recording import judges_of
from huimin.visits.sending import send_visit
from huimin.visits.wanted import Wanted, list_wanted
from huimin.workbench.guard import page
from huimin.workbench.views.visits import VISITORS, matter_of, people_for
from huimin.workbench.visit_forms import HINTS, PHONE_BLOCKS, NewVisit, papers_of, people_choices

ROUND_MAX = 60
"""Households a telephone takes along."""
HOURS_KEPT = 16
"""How long the browser may open what it sealed without signing in again."""


@require_safe
@page(VISITORS, reads=False)
def shell(request: Any) -> HttpResponse:
    """The page itself; it holds nothing of anybody."""
    return render(request, "workbench/visit_phone.html", {"hours": HOURS_KEPT})


@require_safe
@page(VISITORS, reads=False)
def worker(request: Any) -> HttpResponse:
    """The service worker, from the folder whose pages it may answer for."""
    content = render(request, "workbench/visit_worker.js", {"script": static("workbench/visits.js")}).content
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@never_cache
@require_safe
@page(VISITORS)
def data(request: Any) -> JsonResponse:
    """What the telephone takes along for today."""
    by, on = request.actor, request.business_date
    wanted = list_wanted(by, on, by.prefix, ROUND_MAX)
    standing = queries.standings([(row.subject, row.round) for row in wanted])
    rows = [row for row in wanted if not standing[row.subject].signed][:ROUND_MAX]
    facts = [fact for fact in (*FACTS, *added_facts(by.division)) if fact.code not in BY_OTHER_CHANGES]
    return JsonResponse(
        {
            **_key(by), "csrf": get_token(request), "day": on.isoformat(), "me": str(by.appointment), "hours": HOURS_KEPT,
            "topics": [[code, label, HINTS[code]] for code, label in TOPICS.items()], "met": Visit.Met.choices,
            "neighbours": NEIGHBOURS_MAX, "facts": [_fact(fact) for fact in facts], "rows": _round(by, on, rows, standing),
        }
    )  # fmt: skip


def _key(by: Actor) -> dict[str, str]:
    """The person's own key, the same after signing in again, and the name under which the browser keeps what it sealed."""
    made = salted_hmac("huimin.visits.phone", str(by.account), algorithm="sha256").digest()
    whose = salted_hmac("huimin.visits.phone.whose", str(by.account)).hexdigest()[:12]
    return {"key": base64.b64encode(made).decode(), "whose": whose}


def _fact(fact: Fact) -> list[Any]:
    """Code, name, whose (h or p), unit, choices."""
    choices = ["是", "否"] if fact.kind is Kind.FLAG else list(fact.choices)
    unit = f"{fact.unit}{'/' + fact.per if fact.per else ''}"
    return [fact.code, fact.name, "p" if fact.entity is Entity.PERSON else "h", unit, choices]


def _round(by: Actor, on: Any, rows: list[Wanted], standing: dict[str, queries.Standing]) -> list[dict[str, Any]]:
    homes = {row.household for row in rows}
    heads, names = queries.heads_of(homes), names_of({row.division for row in rows}, on)
    programmes, people = programme_names(), _people(by, on, rows)
    members: dict[int, list[list[str]]] = {}
    for household, person, name in Membership.objects.filter(
        household__in=homes, recorded_to=None, valid_to=None
    ).values_list("household", "person", "person__name"):
        members.setdefault(household, []).append([str(person), name])
    return [
        {
            "household": row.household, "no": row.household_no, "head": heads.get(row.household, ""),
            "place": names.get(row.division, row.division), "what": f"{programmes.get(row.programme, '')}{Visit.Purpose(row.purpose).label}", "members": members.get(row.household, []),
            "due": row.due_on.isoformat() if row.due_on else "", "late": bool(row.due_on and row.due_on < on),
            "since": row.since.isoformat() if row.since else "", "standing": standing[row.subject].words,
            "matter": f"purpose={row.purpose}&subject={row.subject}&round={row.round}" + (f"&case={row.case}" if row.case else ""),
            "send": reverse("visit-send", args=[row.household]), "people": people[row.subject],
        }
        for row in rows
    ]  # fmt: skip


def _people(by: Actor, on: Any, rows: list[Wanted]) -> dict[str, list[tuple[str, str]]]:
    """Who may go, by matter: one query a village, and without who judges an application's visit later."""
    cases = Case.objects.select_related("process").in_bulk([row.case for row in rows if row.case])
    staff = {village: people_for(by, village, on) for village in {row.division[:12] for row in rows}}
    found = {}
    for row in rows:
        judges = judges_of(cases[row.case]) if row.case and row.purpose == "application" else {}
        found[row.subject] = people_choices([each for each in staff[row.division[:12]] if each.post not in judges])
    return found


@require_POST
@page(VISITORS)
def send(request: Any, household: int) -> JsonResponse:
    """One visit; refused in words, with nothing of it kept."""
    by, on = request.actor, request.business_date
    try:
        with reading(by):
            matter = matter_of(request, household)
            people = people_choices(people_for(by, matter.state.household.division, on))
            facts = list(facts_here(household).values())
        form = NewVisit(request.POST, state=matter.state, facts=facts, people=people, blocks=PHONE_BLOCKS)
        if not form.is_valid():
            words = "；".join(message for _, message in form.problems)
            return JsonResponse({"state": "refused", "reason": words}, status=422)
        told = form.told() | matter.told | {"round": matter.round}
        made = send_visit(
            by=by, on=on, told=told, papers=papers_of(request), refused=form.cleaned_data["refused"],
            witness=form.cleaned_data["witness"],
        )  # fmt: skip
    except Refusal as refusal:
        return JsonResponse({"state": "refused", "reason": str(refusal)}, status=422)
    signed = made.state == Visit.State.SIGNED
    words = "双方已签字" if signed else "还没有双方签字" if made.met != Visit.Met.NOBODY else "家中无人"
    return JsonResponse(
        {"state": "sent", "number": made.number, "url": reverse("visit", args=[made.pk]), "words": words}
    )
