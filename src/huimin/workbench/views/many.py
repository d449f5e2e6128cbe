"""The same step on many rosters or batches: number and sum first, then one after another, with a line for each.

Every one is a command of its own: what is refused leaves the others as they are, and says why. Sending the page twice
does nothing twice (workbench.acts).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.organisation.acting import Actor, reading
from huimin.payment.counting import with_sums
from huimin.payment.models import Batch, Roster
from huimin.payment.queries import ready_for
from huimin.policy.queries import programme_names
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import ids_of
from huimin.workbench.steps import BATCH_STEPS, ROSTER_STEPS, Step, find_step, posts_of

MANY_MAX = 200
ONE_BY_ONE = frozenset({"withdraw", "cancel", "reissue"})
"""Steps that are looked at singly: they take something back, or make something new."""
_WAITS = {
    "publish": "还有核对事项没有处理，或可能已有人办理",
    "release": "您编制的由另一位放行，或可能已有人办理",
    "sign": "公示还没有期满，还有异议没有答复，或可能已有人办理",
}


@dataclass(frozen=True)
class Subjects:
    """What a step is taken on: rosters or batches; `counted` tells what of one is to be paid (lines, 分)."""

    steps: tuple[Step, ...]
    parameter: str
    section: str
    route: str
    found: Callable[[list[int]], list[Any]]
    counted: Callable[[Any], tuple[int, int]]


ROSTERS = Subjects(
    ROSTER_STEPS, "roster_id", "rosters", "rosters",
    lambda ids: with_sums(Roster.objects.filter(pk__in=ids).select_related("application").order_by("id")),
    lambda row: (row.sums.lines, row.sums.amount_fen),
)  # fmt: skip
BATCHES = Subjects(
    BATCH_STEPS,
    "batch_id",
    "batches",
    "batches",
    lambda ids: list(Batch.objects.filter(pk__in=ids).order_by("id")),
    lambda row: (row.lines_count, row.amount_fen),
)


def steps_for(subjects: Subjects, by: Actor, row: Any) -> list[Step]:
    """The steps `by` may take on this row together with others."""
    mine = [step for step in subjects.steps if step.key not in ONE_BY_ONE and step.offered(by, row)]
    prepared = getattr(row, "prepared_by", None) == by.appointment
    return [step for step in mine if not (step.key == "release" and prepared)]


def tickable(subjects: Subjects, by: Actor, rows: list[Any]) -> tuple[set[int], list[Step]]:
    """Which rows of a page can be ticked, and the buttons under it."""
    fitting = {row.pk: steps_for(subjects, by, row) for row in rows}
    keys = {step.key for steps in fitting.values() for step in steps}
    return {pk for pk, steps in fitting.items() if steps}, [step for step in subjects.steps if step.key in keys]


@require_http_methods(["GET", "POST"])
@page(posts_of(ROSTER_STEPS))
def rosters(request: Any, key: str) -> HttpResponse:
    return _many(request, ROSTERS, key)


@require_http_methods(["GET", "POST"])
@page(posts_of(BATCH_STEPS))
def batches(request: Any, key: str) -> HttpResponse:
    return _many(request, BATCHES, key)


def _many(request: Any, subjects: Subjects, key: str) -> HttpResponse:
    step = find_step(subjects.steps, key)
    if step is None or key in ONE_BY_ONE:
        raise Http404
    source = request.POST if request.method == "POST" else request.GET
    ids = ids_of(source, MANY_MAX)
    if request.method == "POST":
        return once(request, lambda: _take(request, subjects, step, ids))
    found = subjects.found(ids)
    rows = [row for row in found if step in steps_for(subjects, request.actor, row)]
    if subjects is ROSTERS:
        ready = ready_for(key, [row.pk for row in rows], request.business_date)
        rows = [row for row in rows if row.pk in ready]
    why = _WAITS.get(key, "可能已有人办理，或勾选的不到这一步")
    if not rows:
        raise Refusal("没有勾选现在可以办这一步的", why=why, remedy="请返回列表勾选后再办")
    sums = [subjects.counted(row) for row in rows]
    lines, amount_fen = (sum(each) for each in zip(*sums, strict=True))
    context = {
        "section": subjects.section,
        "step": step,
        "rows": [(row, *told) for row, told in zip(rows, sums, strict=True)],
        "left_out": len(found) - len(rows),
        "why": why,
        "places": names_of({row.division for row in rows}, request.business_date),
        "programmes": programme_names(),
        "lines_count": lines,
        "held": sum(row.sums.held_lines for row in rows) if subjects is ROSTERS else 0,
        "amount_fen": amount_fen,
        "words": in_words(amount_fen),
        "back": reverse(subjects.route),
        "is_batch": subjects is BATCHES,
    }
    return render(request, "workbench/many.html", context)


def _take(request: Any, subjects: Subjects, step: Step, ids: list[int]) -> Outcome:
    with reading(request.actor):
        rows = subjects.found(ids)
        names = programme_names()
        places = names_of({row.division for row in rows}, request.business_date)
    lines, done, amount_fen = [], 0, 0
    for row in rows:
        fen = subjects.counted(row)[1]
        what = f"{places.get(row.division, row.division)} {names.get(row.programme, row.programme)} ¥{yuan(fen)}"
        try:
            step.act(by=request.actor, on=request.business_date, **{subjects.parameter: row.pk})
        except Refusal as refusal:
            lines.append(f"没有办：{what}。{refusal}")
        else:
            done, amount_fen = done + 1, amount_fen + fen
            lines.append(f"{step.done}：{what}")
    refused = len(rows) - done
    what = f"{step.done} {done} 份，合计 ¥{yuan(amount_fen)}" + (f"；{refused} 份没有办" if refused else "")
    return Outcome(what, reverse(subjects.route), step.then if done else "", tuple(sorted(lines, reverse=True)))
