"""Households: the list, search from anywhere, one with what applies and why, and recorded looks (SEC-04, REG-05)."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases.asking import open_case
from huimin.cases.queries import list_cases_of
from huimin.casework.changes import enter_change, list_changes_of, report_change
from huimin.casework.queries import households_with_entitlement, list_decisions_of, list_entitlements_of
from huimin.casework.relief import record_relief
from huimin.casework.screening import granted_of
from huimin.divisions.models import Division
from huimin.divisions.queries import chain_names, find_places, names_of
from huimin.duplicates.queries import list_merged_into
from huimin.importing.commands import send_file
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Kind
from huimin.kernel.identity import BadIdentityNumber, normalise_identity
from huimin.organisation.acting import may
from huimin.payment.papers.statements import gather_statements
from huimin.payment.queries import list_lines_of
from huimin.payment.recovery_queries import list_of_household
from huimin.policy.queries import added_facts, programme_names
from huimin.registry.commands import (
    Looked,
    change_card_state,
    hand_over_card,
    look_at,
    propose_authority,
    propose_card_correction,
)
from huimin.registry.commands.surveys import register_household
from huimin.registry.models import Attachment, Card, CardCorrection, Household
from huimin.registry.queries import (
    HouseholdFilter,
    HouseholdState,
    Member,
    find_by_identity_number,
    find_household_of,
    get_household,
    list_households,
)
from huimin.registry.showing import UNASKED
from huimin.registry.snapshots import place_of
from huimin.registry.timelines import household_timeline
from huimin.screening.explaining import explain_household
from huimin.screening.queries import list_proposals_of
from huimin.telling.queries import certificates_of, letters_of
from huimin.workbench import guard
from huimin.workbench.explaining import gathered, told
from huimin.workbench.field_side import field_side
from huimin.workbench.forms import Purpose
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, day_of
from huimin.workbench.recheck_side import recheck_side

FOUND_MAX = 12
TAIL = 4


@require_safe
@page(guard.STAFF)
def listing(request: Any) -> HttpResponse:
    place = chosen_place(request)
    name, number = request.GET.get("name", "").strip(), _digits(request.GET.get("number", ""))
    wanted = HouseholdFilter(
        prefix=place.prefix, name=name, number=number, open_items="items" in request.GET, on=request.business_date
    )
    page_of = list_households(wanted, request.GET.get("at", ""))
    context = {
        "section": "households",
        "page": page_of,
        "places": names_of({row.division for row in page_of}, request.business_date),
        "place": place,
        "wanted": wanted,
        "programmes": programme_names(),
        "entitled": households_with_entitlement([row.pk for row in page_of], request.business_date),
        "may_import": may(request.actor, send_file),
        "may_print": may(request.actor, gather_statements),
        "may_register": may(request.actor, register_household),
        "asked": bool(name or number or place.code or wanted.open_items),
    }
    return render(request, "workbench/households.html", context)


def _digits(text: str) -> str:
    """Half-width, no spaces: how numbers are stored."""
    return normalise_identity(text)


@require_safe
@page(guard.STAFF)
def search(request: Any) -> HttpResponse:
    """By name (characters, letters, initials), household or identity number, card tail, place; `?part=1` gives the hits alone, for Ctrl+K."""
    asked = request.GET.get("q", "").strip()
    found = find(request, asked) if asked else []
    context = {
        "section": "households",
        "asked": asked,
        "found": found,
        "found_places": _places(request, asked),
        "places": names_of({row.division for row in found}, request.business_date),
        "more": len(found) > FOUND_MAX,
    }
    part = "workbench/part/found.html" if request.GET.get("part") else "workbench/search.html"
    return render(request, part, context)


def find(request: Any, asked: str) -> list[Household]:
    """One household for a whole identity number; else those whose number begins, or whose card ends so, or a member's

    name begins so: in characters, in letters, or by initials.
    """
    digits, on, prefix = _digits(asked), request.business_date, request.actor.prefix
    size = FOUND_MAX + 1
    if len(digits) == 18 and digits[:17].isdigit():
        try:
            person = find_by_identity_number(digits, on)
        except BadIdentityNumber:
            return []
        household = find_household_of(person.pk, on) if person else None
        wanted = HouseholdFilter(prefix=prefix, number=household.household_no, on=on) if household else None
        return list(list_households(wanted, size=size)) if wanted else []
    if digits[:1].isdigit():
        found = list(list_households(HouseholdFilter(prefix=prefix, number=digits, on=on), size=size))
        if len(digits) == TAIL:
            found += list(list_households(HouseholdFilter(prefix=prefix, tail=digits, on=on), size=size))
        return found[:size]
    letters = asked.replace(" ", "").replace("'", "").lower()
    if letters.isascii() and letters.isalpha():
        return list(list_households(HouseholdFilter(prefix=prefix, letters=letters, on=on), size=size))
    return list(list_households(HouseholdFilter(prefix=prefix, name=asked, on=on), size=size))


def _places(request: Any, asked: str) -> list[Division]:
    """Townships and villages whose name, or its letters, begin so, beneath the actor's place."""
    letters = asked.replace(" ", "").lower()
    return find_places(asked, letters, request.actor.prefix, request.business_date) if len(asked) > 1 else []


@require_safe
@page(guard.STAFF)
def detail(request: Any, number: int) -> HttpResponse:
    """One household as of a day: who, what applies and why, cards, payments, and its story."""
    by, today = request.actor, request.business_date
    on = day_of(request.GET.get("on", "")) or _last_day(number, today)
    added = added_facts(place_of(number))
    known_on = day_of(request.GET.get("known", ""))
    known_at = known_by(known_on) if known_on else None
    state = get_household(number, by, on, known_at, added)
    held = granted_of(number, on)
    explained = told(explain_household(by=by, household_id=number, on=on, known_at=known_at, granted=held), by)
    waiting = Q(state=CardCorrection.State.PROPOSED) | Q(
        state=CardCorrection.State.APPROVED, new_card__state=Card.State.PENDING
    )
    changing = CardCorrection.objects.filter(waiting, household=number)
    context = {
        "section": "households",
        "state": state,
        "household": state.household,
        "on": on,
        "is_past": on != today or known_at is not None,
        "known_on": known_on,
        "trail": chain_names(state.household.division, today),
        "members": [_told_member(member, on) for member in state.members],
        "asked_facts": [each for each in state.facts if each.text != UNASKED],
        "unasked": [each.fact for each in state.facts if each.text == UNASKED],
        "verdicts": gathered(explained, {each.person.pk: each.person.name for each in state.members}),
        "programmes": programme_names(),
        "entitlements": list_entitlements_of(number),
        "decisions": list_decisions_of(number),
        "proposals": [each for each in list_proposals_of(number) if each.state == "open"],
        "lines": list_lines_of(number),
        "recoveries": list_of_household(number) if by.post in guard.PAYERS else [],
        "acts": household_timeline(number, by, added),
        "corrections": list(changing.select_related("holder").order_by("pk")[:20]),
        "may_see_rosters": by.post in guard.PAYERS,
        "may_correct": may(by, propose_card_correction) and state.household.closed_on is None,
        "may_change_card": may(by, change_card_state),
        "may_hand": may(by, hand_over_card) and state.household.closed_on is None,
        "may_authorise": may(by, propose_authority) and state.household.closed_on is None,
        "neighbours": _neighbours(state),
        "may_change": (may(by, report_change) or may(by, enter_change)) and state.household.closed_on is None,
        "attachments": list(Attachment.objects.filter(household=number).order_by("-id")[:20]),
        "open_changes": [each for each in list_changes_of(number) if each.state in ("reported", "entered")],
        "merged": list_merged_into([each.person.pk for each in state.members]),
        "may_see_merges": by.post in guard.DUPLICATE_READERS,
        "may_relieve": may(by, record_relief),
        "may_ask": may(by, open_case) and state.household.closed_on is None,
        "cases": list_cases_of(number),
        "letters": letters_of(number, 6),
        "certificates": certificates_of(number, 6),
        "may_see_care": by.post in guard.RELIEF_READERS,
        "field": field_side(by, state.household, request.business_date),
        "living": recheck_side(by, state.household, today),
    }
    return render(request, "workbench/household.html", context)


def _last_day(number: int, today: date) -> date:
    """Today; of a household that was closed, its last day: what was paid to it, and is owed still, must stay within reach."""
    closed = Household.objects.filter(pk=number, closed_on__lte=today).values_list("closed_on", flat=True).first()
    return closed - timedelta(days=1) if closed else today


def known_by(day: date) -> datetime:
    """The end of a day of record: what was written on it is known."""
    return datetime.combine(day, time.max, tzinfo=get_current_timezone())


def _told_member(member: Member, on: Any) -> dict[str, Any]:
    """What is worth a line: flags that are true, numbers above zero, choices; and what was never asked."""
    telling = [each for each in member.facts if each.hidden or _tells(each)]
    born = member.person.birth_date
    return {
        "member": member,
        "age": on.year - born.year - ((on.month, on.day) < (born.month, born.day)),
        "telling": telling,
        "unasked": [
            each.fact.name for each in member.facts if each.text == UNASKED and each.fact.kind is not Kind.DATE
        ],
    }


def _tells(shown: Any) -> bool:
    return shown.value is not None and shown.value is not False and shown.value != 0


def _neighbours(state: HouseholdState) -> dict[str, Household | None]:
    """The households before and after in the same village, for Alt+P and Alt+N."""
    own = state.household
    village = Household.objects.filter(division=own.division, closed_on=None)
    return {
        "previous": village.filter(pk__lt=own.pk).order_by("-pk").first(),
        "next": village.filter(pk__gt=own.pk).order_by("pk").first(),
    }


@never_cache
@require_http_methods(["GET", "POST"])
@page(frozenset(look_at.posts))  # type: ignore[attr-defined]
def look(request: Any, what: str, row: int) -> HttpResponse:
    """Look at one plain value: the purpose first, the value once; the look is recorded."""
    if what not in Looked.values:
        raise Http404
    form = Purpose(request.POST or None)
    value = ""
    if request.method == "POST" and form.is_valid():
        try:
            purpose = form.cleaned_data["purpose"]
            value = look_at(by=request.actor, on=request.business_date, what=what, row=row, purpose=purpose)
        except BadInput as wrong:
            form.add_error("purpose", str(wrong))
    household = request.GET.get("household", "")
    context = {
        "section": "households",
        "form": form,
        "what": Looked(what).label,
        "value": value,
        "back": reverse("household", args=[int(household)]) if household.isdigit() else reverse("households"),
    }
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)
