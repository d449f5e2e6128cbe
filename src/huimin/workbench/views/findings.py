"""What the check of rosters found: the list, and explaining, holding back or freeing what is ticked (PAY-01, PAY-06)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.errors import Refusal
from huimin.organisation.acting import Actor, may, reading
from huimin.organisation.queries import names_of_appointments
from huimin.payment.commands import explain_findings, hold_findings, release_hold
from huimin.payment.finding_queries import (
    FindingFilter,
    count_findings,
    findings_of,
    iterate_findings,
    others_of,
    page_findings,
)
from huimin.payment.models import RosterFinding
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import DeskForm, text
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, ids_of, kept, one_of, programmes_seen
from huimin.workbench.spreadsheet import Column, export

State = RosterFinding.State
TICKED_MAX = 200


@dataclass(frozen=True)
class Answer:
    """One of the three things to do with a finding."""

    key: str
    act: Callable[..., Any]
    state: str
    button: str
    ask: str
    effect: str
    hint: str
    done: str

    def fits(self, by: Actor, row: RosterFinding) -> bool:
        """Whether this answer is `by`'s to give for the row."""
        if row.state != self.state or not may(by, self.act) or row.roster.programme not in by.programmes:
            return False
        if self.key == "release":
            return row.answered_by != by.appointment
        compiled = row.roster.state == "compiled"
        return compiled and (row.kind not in row.HARD if self.key == "explain" else row.line_id is not None)


ANSWERS = (
    Answer(
        "explain", explain_findings, State.OPEN, "说明", "说明这些行为什么没有错？",
        "说明随清册留存，公示的审核员和核定的人都看得到。", "例如：8 月新增一名成员，已重新审批", "已说明",
    ),
    Answer(
        "hold", hold_findings, State.OPEN, "缓发", "把这些行缓发？",
        "一行有几件事项的，待核对的一并缓发。缓发的行不公示、不发放，应发还在；每件核实后由另一人解除，都解除了编入补充清册。", "例如：户主死亡日期待核实", "已缓发",
    ),
    Answer(
        "release", release_hold, State.HELD, "解除缓发", "解除这些行的缓发？",
        "只解除列出的这几件。一行的缓发都解除后，由统计员编入补充清册；还有别的事项没有核实的，仍缓发。", "例如：已核对死亡证明，待遇已变更", "已解除",
    ),
)  # fmt: skip


class Reason(DeskForm):
    reason = text("理由", "请填写理由", rows=2, max_length=120)

    def __init__(self, *args: Any, hint: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = hint


@require_safe
@page(guard.PAYERS)
def listing(request: Any) -> HttpResponse:
    """Of one roster or of all, by state and kind."""
    by: Actor = request.actor
    place = chosen_place(request)
    roster = request.GET.get("roster", "")
    wanted = FindingFilter(
        prefix=place.prefix,
        roster=int(roster) if roster.isascii() and roster.isdigit() and len(roster) < 19 else 0,
        kind=one_of(request.GET, "kind", RosterFinding.Kind.values),
        state=one_of(request.GET, "state", State.values),
        programmes=programmes_seen(by),
    )
    if request.GET.get("export") == "xlsx":
        return _export(request, wanted)
    page_of = page_findings(wanted, request.GET.get("at", ""))
    fitting = {row.pk: [answer for answer in ANSWERS if answer.fits(by, row)] for row in page_of}
    keys, counts = {answer.key for answers in fitting.values() for answer in answers}, count_findings(wanted)
    context = {
        "section": "rosters",
        "page": page_of,
        "ticks": {pk for pk, answers in fitting.items() if answers},
        "answers": [answer for answer in ANSWERS if answer.key in keys],
        "counts": [(state, label, counts.get(state, 0)) for state, label in State.choices],
        "places": names_of({row.division for row in page_of} | {row.roster.division for row in page_of}, request.business_date),
        "people": names_of_appointments({row.answered_by for row in page_of} | {row.released_by for row in page_of}),
        "programmes": programme_names(),
        "place": place,
        "wanted": wanted,
        "kinds": RosterFinding.Kind.choices,
        "states": State.choices,
        "query": kept(request.GET, "roster", "kind", "state", "place"),
    }  # fmt: skip
    return render(request, "workbench/findings.html", context)


def _export(request: Any, wanted: FindingFilter) -> HttpResponse:
    columns = (
        Column("清册编号", "text", 10), Column("补贴项目", width=16), Column("行号", "text", 8), Column("户编码", width=22),
        Column("姓名", width=12), Column("金额（元）", "fen"), Column("事项", width=16), Column("情况", width=40),
        Column("状态", width=12), Column("理由", width=30), Column("解除理由", width=30),
    )  # fmt: skip
    names = programme_names()

    def rows() -> Any:
        for each in iterate_findings(wanted):
            line = each.line
            yield (
                each.roster_id, names.get(each.roster.programme, ""), line.line_no if line else "",
                line.household.household_no if line else "", line.name if line else "", each.amount_fen,
                each.kind_words, each.detail, each.get_state_display(), each.answer, each.release_reason,
            )  # fmt: skip

    return export(request, f"清册核对事项 {request.business_date}", columns, rows())


@require_http_methods(["GET", "POST"])
@page(frozenset().union(*(answer.act.posts for answer in ANSWERS)))  # type: ignore[attr-defined]
def answer(request: Any, key: str) -> HttpResponse:
    """The ticked findings once more, the reason, and the act: one roster after another."""
    chosen = next((each for each in ANSWERS if each.key == key), None)
    if chosen is None:
        raise Http404
    ids = ids_of(request.POST if request.method == "POST" else request.GET, TICKED_MAX)
    with reading(request.actor):
        found, names = findings_of(ids), programme_names()
        rows = [row for row in found if chosen.fits(request.actor, row)]
        others = others_of(rows, chosen.state)
    form = Reason(request.POST or None, hint=chosen.hint)
    if request.method == "POST" and form.is_valid():
        return once(request, lambda: _take(request, chosen, rows, form.cleaned_data["reason"]))
    if not rows:
        raise Refusal("没有勾选可以这样办的事项", why="可能已有人办理，或不归您办", remedy="请返回列表勾选后再办")
    context = {
        "section": "rosters",
        "answer": chosen,
        "rows": rows,
        "others": others,
        "left_out": len(found) - len(rows),
        "lines_count": len({row.line_id for row in rows if row.line_id}),
        "amount_fen": _amount(rows),
        "programmes": names,
        "form": form,
        "back": reverse("findings"),
    }
    return render(request, "workbench/finding_answer.html", context, status=422 if form.errors else 200)


def _amount(rows: list[RosterFinding]) -> int:
    """Each line once, whatever is found about it; what is found about a whole roster is the roster."""
    whole = {row.roster_id: row.amount_fen for row in rows if row.line_id is None}
    lines = {row.line_id: row.amount_fen for row in rows if row.line_id and row.roster_id not in whole}
    return sum(whole.values()) + sum(lines.values())


def _take(request: Any, chosen: Answer, rows: list[RosterFinding], reason: str) -> Outcome:
    told: dict[str, Any] = {"by": request.actor, "on": request.business_date, "reason": reason}
    ids = [row.pk for row in rows]
    if not ids:
        raise Refusal("没有勾选可以这样办的事项", why="可能已有人办理", remedy="请返回列表查看")
    if chosen.key == "release":
        freed = chosen.act(finding_ids=ids, **told)
        then = f"{freed.lines} 行可以编入补充清册。" if freed.lines else ""
        then += f"{freed.still_held} 行还有别的事项没有核实，仍缓发。" if freed.still_held else ""
        return Outcome(f"{chosen.done} {freed.findings} 件", reverse("findings") + "?state=released", then)
    done = 0
    for roster in sorted({row.roster_id for row in rows}):
        done += chosen.act(roster_id=roster, finding_ids=[row.pk for row in rows if row.roster_id == roster], **told)
    where = reverse("findings") + f"?roster={rows[0].roster_id}"
    return Outcome(f"{chosen.done} {done} {'件' if chosen.key == 'explain' else '行'}", where, chosen.effect)
