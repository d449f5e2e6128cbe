"""Try out a draft over the county's own registry before it is adopted (测算, POL-04)."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date
from threading import Event
from typing import Any

from django.db import connections
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.casework.screening import granted_on
from huimin.divisions.queries import find_division, names_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import add_months, month_start
from huimin.kernel.places import Level, chain
from huimin.organisation.acting import Actor, reading
from huimin.policy.models import PolicyDraft
from huimin.policy.queries import OPEN_STATES, adopted_texts, book_of, list_drafts
from huimin.registry.models import Household
from huimin.rules import PolicyFaults, Programme
from huimin.screening.explaining import explain_household
from huimin.screening.simulation.commands import simulate
from huimin.screening.simulation.comparing import ALL, CHANGES, Comparison
from huimin.screening.simulation.drafts import Draft, Laws, drafted, named_as
from huimin.screening.simulation.models import Simulation
from huimin.screening.simulation.queries import get_simulation, list_simulations
from huimin.screening.simulation.sources import find_run
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.explaining import told
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, day_of, one_of, place_options, programmes_seen, require_seen, seen_of
from huimin.workbench.simulation_book import export_simulation
from huimin.workbench.simulation_forms import Drafting
from huimin.workbench.studies import budgets, by_year, changes_of, place_prefix, standards_of

# One simulation at a time in a process: it uses all cores. What was started goes on after the answer.
_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="simulation")
_SECONDS_BEFORE_ANSWER = 3.0
KIND_WORDS = {"entering": "新增", "leaving": "退出", "more": "增加", "less": "减少"}


@require_safe
@page(guard.SIMULATORS)
def listing(request: Any) -> HttpResponse:
    """What was simulated here, newest first, and the programmes to begin with."""
    on = request.business_date
    page_of = list_simulations(request.GET.get("at", ""))
    names = _offered(request.actor, _next_month(on)).names | _offered(request.actor, on).names
    context = {
        "section": "simulations",
        "drafts": [
            each for each in list_drafts(request.actor) if each.state in OPEN_STATES and each.programme in names
        ],
        "page": page_of,
        "places": names_of({row.division for row in page_of}, on),
        "programmes": names,
    }
    return render(request, "workbench/simulations.html", context)


@dataclass(frozen=True)
class _Offered:
    """Programmes in force at the actor's place, those that wait for standards nobody has set there, names he may see."""

    laws: dict[str, Programme]
    waiting: dict[str, tuple[str, ...]]
    names: dict[str, str]


def _offered(by: Actor, on: date) -> _Offered:
    book = book_of(adopted_texts())
    laws = {law.code: law for law in book.programmes_in_force(chain(by.division), on)}
    waiting = book.waiting(chain(by.division), on)
    written = {layer.programme: layer.fields["名称"] for layer in book.layers if "名称" in layer.fields}
    names = {code: written.get(code, code) for code in sorted({*laws, *waiting})}
    return _Offered(laws, waiting, seen_of(by, names))


def _next_month(day: date) -> date:
    return add_months(month_start(day), 1)


def _begun(by: Actor, source: QueryDict, otherwise: date) -> tuple[date, _Offered]:
    """The day whose standards are written over: as asked; else `otherwise`, or the month after for what begins then."""
    asked = day_of(source.get("date", ""))
    day = asked or otherwise
    offered = _offered(by, day)
    if not asked and source.get("programme", "") not in offered.names:
        later = _offered(by, _next_month(day))
        if source.get("programme", "") in later.names:
            return _next_month(day), later
    return day, offered


@require_http_methods(["GET", "POST"])
@page(guard.SIMULATORS)
def new(request: Any) -> HttpResponse:
    """Write over the standards of one programme, or give a file of new text; then count."""
    by, on = request.actor, request.business_date
    source = request.POST or request.GET
    with reading(by):
        texts = adopted_texts()
        stored = find_draft(source.get("draft", ""))
        day, offered = _begun(by, source, stored.effective_on if stored else on)
        run = find_run(by.division)
        places = place_options(by, on, None)
    names = offered.names
    code = one_of(source, "programme", names, next(iter(names), ""))
    if not code:
        raise Refusal("还没有可以测算的政策", remedy="请先采用政策")
    if stored is not None:
        require_seen(by, stored.programme)
    form = Drafting(
        request.POST or None, request.FILES or None, standards=[] if stored else standards_of(offered.laws, code),
        unset=() if stored else offered.waiting.get(code, ()), places=places, stored=stored, initial={"determination_date": day},
    )  # fmt: skip
    if request.method == "POST" and form.is_valid() and (drawn := _checked(request, form, code, texts)):
        return once(request, lambda: _start(request, form, *drawn))
    context = {
        "section": "simulations", "form": form, "code": code, "programme": names[code], "programmes": names, "run": run,
        "is_waiting": code in offered.waiting,
        "stored": stored,
        "day": day,
    }  # fmt: skip
    return render(request, "workbench/simulation_new.html", context, status=422 if form.errors else 200)


def find_draft(number: str) -> PolicyDraft | None:
    """The version being drafted with this number, when the reader's place has it."""
    known = number.isascii() and number.isdigit() and len(number) < 19
    return PolicyDraft.objects.filter(pk=number, state__in=OPEN_STATES).first() if known else None


def _checked(request: Any, form: Drafting, code: str, texts: dict[str, str]) -> tuple[Draft, str] | None:
    """The draft and its place when both sets of programmes can be made of it; else the form says what is wrong where."""
    place = chosen_place(request, request.POST).code or request.actor.division
    draft = form.draft(code, texts)
    try:
        with reading(request.actor):
            drafted(texts, draft, place, form.cleaned_data["determination_date"])
    except BadInput as fault:
        at = fault.faults[0].file if isinstance(fault, PolicyFaults) else fault.where
        named = form.field_ids.get(at.removeprefix("参数 "))
        own = named or ("file" if draft.texts and form.stored is None else None)
        told = named_as(fault, dict.fromkeys(draft.texts, form.file_name)) if isinstance(fault, PolicyFaults) else fault
        form.add_error(own, f"{fault.what}。{fault.remedy}" if named else str(told))
        return None
    return draft, place


def _start(request: Any, form: Drafting, draft: Draft, place: str) -> Outcome:
    """Begin in the background; one that is over at once is told in this answer."""
    data = form.cleaned_data
    opened, known = Event(), []

    def on_opened(row: Simulation) -> None:
        known.append(row.pk)
        opened.set()

    title = data["title"].strip() or _title(form, draft)
    begun = _WORKER.submit(
        _simulate, by=request.actor, on=request.business_date, division=place, draft=draft, title=title,
        determination_date=data["determination_date"], anew=data["anew"], granted=granted_on, opened=on_opened,
    )  # fmt: skip
    wait([begun], timeout=_SECONDS_BEFORE_ANSWER)
    if begun.done():
        return Outcome("已测算完", reverse("simulation", args=[begun.result().pk]), "没有改变任何人的待遇。")
    where = reverse("simulation", args=[known[0]]) if opened.is_set() else reverse("simulations")
    return Outcome("正在测算", where, "可以离开这一页，测算会继续。")


def _simulate(**arguments: Any) -> Simulation:
    try:
        return simulate(**arguments)
    finally:
        connections.close_all()


def _title(form: Drafting, draft: Draft) -> str:
    """`低保标准 740，…`, the draft's number, or the name of the file."""
    if form.stored is not None:
        return f"草案 {form.stored.pk} 号：{form.stored.reason}"[:120]
    changed = [f"{name} {value}" for values in draft.settings.values() for name, value in values.items()]
    return "，".join(dict.fromkeys(changed)) or "、".join(draft.texts)


@require_safe
@page(guard.SIMULATORS)
def detail(request: Any, number: int) -> HttpResponse:
    """One simulation; `?part=1` gives its progress alone, `?export=xlsx` the whole of it."""
    row = get_simulation(number)
    context: dict[str, Any] = {"section": "simulations", "row": row, "is_lost": row.is_lost(timezone.now())}
    if request.GET.get("part"):
        return render(request, "workbench/part/study_progress.html", context)
    context["places"] = names_of({row.division}, request.business_date)
    if row.state != Simulation.State.FINISHED:
        return render(request, "workbench/simulation.html", context)
    comparison = Comparison.of_plain(row.result)
    level = find_division(row.division, request.business_date)
    prefix = place_prefix(row.division, level.level if level else Level.COUNTY)
    laws, fault = _laws_of(row)
    touched = [each for each in comparison.programmes if each.touched]
    context |= {
        "comparison": comparison,
        "changes": changes_of(laws) if laws else [],
        "fault": fault,
        "budgets": budgets(comparison, prefix, row.determination_date.year),
        "years": by_year(comparison),
        "year": row.determination_date.year,
        "touched": touched,
        "headline": touched[0] if len(touched) == 1 else None,
        "untouched": [each for each in comparison.programmes if not each.touched],
        "examples": _examples(comparison),
        **_broken_down(request, comparison, touched[0].code if len(touched) == 1 else ALL),
    }
    if request.GET.get("export") == "xlsx":
        return export_simulation(request, row, context)
    return render(request, "workbench/simulation.html", context)


def _laws_of(row: Simulation) -> tuple[Laws | None, str]:
    """The programmes before and after, as of when it was simulated."""
    try:
        texts = adopted_texts(row.started_at)
        return drafted(texts, Draft(**row.draft), row.division, row.determination_date), ""
    except Refusal as refusal:
        return None, str(refusal)


def _broken_down(request: Any, comparison: Comparison, first: str) -> dict[str, Any]:
    """The dimension and programme of the address (`first` where it names none), with names of places."""
    dimensions = {each.key: each for each in comparison.breakdowns}
    chosen = dimensions[one_of(request.GET, "by", dimensions, "place") or "place"]
    names = {each.code: each.name for each in comparison.programmes if each.line.before or each.line.after}
    programme = one_of(request.GET, "programme", names, first if first in names else ALL)
    places = names_of({group.key for group in chosen.groups}, request.business_date) if chosen.key == "place" else {}
    rows = [(places.get(group.key, group.label), group, group.lines.get(programme)) for group in chosen.groups]
    total = comparison.total if programme == ALL else next(x.line for x in comparison.programmes if x.code == programme)
    return {
        "breakdown": chosen,
        "dimensions": list(dimensions.values()),
        "chosen_programme": programme,
        "programme_names": names,
        "place_names": names_of({group.key for group in dimensions["place"].groups}, request.business_date),
        "rows": rows,
        "rows_total": total,
        "rows_top": max([max(line.before_fen, line.after_fen) for _, _, line in rows if line], default=0),
    }


def _examples(comparison: Comparison) -> list[dict[str, Any]]:
    """Households of each kind of change that the reader may see, by number and village."""
    ids = {each.household_id for some in comparison.examples.values() for each in some}
    seen = {row.pk: row for row in Household.objects.filter(pk__in=ids)}
    return [
        {
            "kind": kind,
            "label": KIND_WORDS[kind],
            "rows": [(seen[each.household_id], each) for each in some if each.household_id in seen],
        }
        for kind in CHANGES
        if (some := comparison.examples.get(kind))
    ]


@require_safe
@page(guard.SIMULATORS)
def household(request: Any, number: int, household: int) -> HttpResponse:
    """One household of a simulation, explained under the policies in use and under the draft."""
    row = get_simulation(number)
    laws, fault = _laws_of(row)
    if row.state != Simulation.State.FINISHED or laws is None:
        raise Http404(fault or "the simulation is not finished")
    found = Household.objects.get(pk=household)
    sides = [_explained(request.actor, row, household, each) for each in (laws.before, laws.after)]
    codes = [code for code in laws.codes if _may_see(request.actor, code)]
    context = {
        "section": "simulations",
        "row": row,
        "household": found,
        "places": names_of({found.division}, request.business_date),
        "names": {code: laws.law(code).name for code in codes},
        "pairs": [pair for code in codes if (pair := _pair(code, *sides))],
    }
    return render(request, "workbench/simulation_household.html", context)


def _may_see(by: Actor, code: str) -> bool:
    seen = programmes_seen(by)
    return seen is None or code in seen


def _explained(by: Actor, row: Simulation, household: int, laws: Any) -> list[Any]:
    """Reasons under one set of programmes, from the facts the simulation counted."""
    explained = explain_household(
        by=by, household_id=household, on=row.determination_date, laws=tuple(laws.values()),
        facts_on=row.registry_date, known_at=row.known_at,
    )  # fmt: skip
    return told(explained, by)


def _pair(code: str, before: list[Any], after: list[Any]) -> dict[str, Any] | None:
    """The reasons of one programme on both sides, when it gives something on one of them or its answer differs."""
    sides = [[each for each in reasons if each.programme == code] for reasons in (before, after)]
    answers = [[(each.person, each.eligible, each.amount_fen) for each in side] for side in sides]
    gives = any(each.eligible for side in sides for each in side)
    if not gives and answers[0] == answers[1]:
        return None
    return {"code": code, "before": sides[0], "after": sides[1], "differs": answers[0] != answers[1]}
