"""One step, or one countersignature, on many cases: looked through, the exceptions out, signed one by one (CASE-08, SEC-02)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases import many as room
from huimin.cases.models import Case
from huimin.cases.queries import CaseFilter
from huimin.cases.taking import take_step
from huimin.divisions.queries import names_of
from huimin.jobs.models import Job
from huimin.jobs.queries import anybody_works, get_job
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import Actor, reading
from huimin.policy.queries import programme_names
from huimin.workbench.acts import Outcome, once
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, seen_of

POSTS: frozenset[str] = frozenset(take_step.posts)  # type: ignore[attr-defined]
_TICKED = re.compile(r"([0-9]{1,18})\.([0-9]{1,4})")
TEXT_MAX = 500


@dataclass(frozen=True)
class Way:
    """What is done on this page: its words, and the steps it can be done at."""

    title: str
    button: str
    done: str
    lead: str
    steps: Callable[[Actor], room.Steps]


WAYS = {
    room.PASS: Way(
        "批量办理", "办完勾选的", "已办完", "等您办的，一次办完一批；每一件各自签名，仍按每一步的规定逐件核对。", room.steps_to_take
    ),
    room.SIGN: Way(
        "批量会签", "会签勾选的：同意", "已会签", "等您会签的；不同意的不要勾，到它的页面写明理由。", room.steps_to_sign
    ),
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(POSTS)
def many(request: Any, key: str) -> HttpResponse:
    """The list with what each case comes to and what stands in its way; the ticked ones are done."""
    way = WAYS.get(key)
    if way is None:
        raise Http404
    if request.method == "POST":
        return once(request, lambda: _act(request, key, way))
    by, on = request.actor, request.business_date
    steps, place, names = way.steps(by), chosen_place(request), seen_of(by, programme_names())
    step = _chosen_step(request, steps)
    programme = one_of(request.GET, "programme", names)
    wanted = CaseFilter(
        prefix=place.prefix, on=on, programmes=programmes_seen(by), programme=programme, step=step,
        mine=tuple(pair for pair in steps if pair[1] == step),
    )  # fmt: skip
    lines, more = room.preview(by, on, key, wanted) if step else ([], False)
    context = {
        "section": "cases", "way": way, "act": key, "lines": lines, "more": more, "step": step, "most": room.MANY_MAX,
        "can": [line for line in lines if not line.obstacle], "cannot": sum(bool(line.obstacle) for line in lines),
        "sum": sum(line.amount_fen or 0 for line in lines if not line.obstacle), "names": programme_names(),
        "places": names_of({line.case.division for line in lines}, on), "place": place, "programme": programme,
        "programmes": list(names.items()), "steps": _step_names(steps), "decides": any(one.decides for pair, one in steps.items() if pair[1] == step),
    }  # fmt: skip
    return render(request, "workbench/case_many.html", context)


def _step_names(steps: room.Steps) -> list[tuple[str, str]]:
    return sorted({key: step.name for (_, key), step in steps.items()}.items())


def _chosen_step(request: Any, steps: room.Steps) -> str:
    """As asked for, else the one at which most cases wait."""
    keys = {key for _, key in steps}
    asked = one_of(request.GET, "step", keys)
    if asked or not keys:
        return asked
    rows = Case.objects.filter(step__in=keys, division__startswith=request.actor.prefix, state__in=("open", "granted"))
    pairs = [(row, key) for row, key in rows.values_list("process_id", "step")[:5000] if (row, key) in steps]
    counts = {key: sum(each == key for _, each in pairs) for key in keys}
    return max(sorted(counts), key=lambda key: counts[key])


def _act(request: Any, key: str, way: Way) -> Outcome:
    by, on = request.actor, request.business_date
    step, text = request.POST.get("step", "")[:20], request.POST.get("text", "").strip()
    if len(text) > TEXT_MAX:
        raise BadInput(f"意见超过 {TEXT_MAX} 字", where="意见", remedy="请改短")
    wanted = _ticked(request)
    back = f"{reverse('case-many', args=[key])}?step={step}"
    if not wanted:
        raise BadInput("没有勾选要办的", where="列表", remedy="请返回，勾选后再提交")
    if len(wanted) > room.AT_ONCE_MAX:
        job = room.request_many(by=by, on=on, act=key, step=step, wanted=wanted, text=text)
        where = reverse("case-many-job", args=[job.pk])
        return Outcome(f"正在办理 {len(wanted)} 件", where, "可以离开这一页，办理在后台继续。")
    lines = room.take_many(by=by, on=on, act=key, step=step, wanted=wanted, text=text)
    with reading(by):
        told = _told(by, lines)
    done = sum(line.done for line in lines)
    refused = len(lines) - done
    what = f"{way.done} {done} 件" + (f"；{refused} 件没有办" if refused else "")
    return Outcome(what, back, "", tuple(f"{number}：{why or way.done}" for number, _, why in told))


def _ticked(request: Any) -> list[tuple[int, int]]:
    found = (_TICKED.fullmatch(each) for each in request.POST.getlist("id")[: room.MANY_MAX + 1])
    return sorted({(int(each[1]), int(each[2])) for each in found if each})


def _told(by: Actor, lines: list[room.Done]) -> list[tuple[str, room.Done, str]]:
    """Case numbers with what became of them, what was not done in front."""
    numbers = {row.pk: row.number for row in Case.objects.filter(pk__in=[line.case for line in lines])}
    rows = [(numbers.get(line.case, str(line.case)), line, line.why) for line in lines]
    return sorted(rows, key=lambda row: (row[1].done, not row[2], row[0]))


@require_safe
@page(POSTS)
def progress(request: Any, number: int) -> HttpResponse:
    """One act on many under way, or what became of it line by line; `?part=1` its progress alone."""
    by, now = request.actor, timezone.now()
    job = get_job(number)
    if not job.kind.startswith("many-") or job.requested_by != by.appointment:
        raise Http404
    left = job.seconds_left(now) if job.total > 1 else None
    context: dict[str, Any] = {
        "section": "cases", "job": job, "left": left, "working": anybody_works() or job.state == Job.State.RUNNING,
    }  # fmt: skip
    if request.GET.get("part"):
        return render(request, "workbench/part/case_many_progress.html", context)
    way = WAYS[job.arguments["act"]]
    lines = [] if job.active else _told(by, room.lines_of(by, job))
    context |= {
        "way": way, "lines": lines, "count": len(job.arguments["wanted"]), "done": sum(line.done for _, line, _ in lines),
        "may_stop": job.active and not job.stop_requested,
        "back": f"{reverse('case-many', args=[job.arguments['act']])}?step={job.arguments['step']}",
    }  # fmt: skip
    return render(request, "workbench/case_many_job.html", context)


@require_http_methods(["GET", "POST"])
@page(POSTS)
def stop(request: Any, number: int) -> HttpResponse:
    """Ask first; what is done stays done."""
    where = reverse("case-many-job", args=[number])
    if request.method == "POST":

        def act() -> Outcome:
            room.stop_many(by=request.actor, on=request.business_date, job_id=number)
            return Outcome("正在停下", where, "已办的照旧，没有办的不动。")

        return once(request, act)
    context = {
        "section": "cases", "title": "停下批量办理？", "button": "停下", "back": where, "warning": True, "form": None,
        "lead": "已经办的照旧有效，没有办的留在原来的步骤。",
    }  # fmt: skip
    return render(request, "workbench/field_form.html", context)
