"""抽查 as the evidence of a step: the case's draw is made and checked to the last, and the case itself not found wrong.

A case that was not drawn passes when everybody drawn from its list has a result; one that was found otherwise than true
passes never. When the last of the drawn left the list without a result (withdrawn, sent back), the draw is closed as the
first case passes, by somebody who sees all of it.
"""

from collections.abc import Sequence
from datetime import date

from huimin.cases.evidence import Held, Reference, holds
from huimin.cases.models import Case
from huimin.kernel.digests import digest
from huimin.organisation.acting import Actor
from huimin.processes.language import Demand, Step
from huimin.samples.checking import close_when_done
from huimin.samples.models import Check, Draw, DrawCase
from huimin.samples.queries import outstanding_of


def sampled(case: Case, step: Step, demand: Demand, on: date) -> Held:
    return sampled_many([case], step, demand, on)[case.pk]


def sampled_many(cases: Sequence[Case], step: Step, demand: Demand, on: date) -> dict[int, Held]:
    """The same for many cases; two queries."""
    wanted = {(case.pk, case.round, case.step): case.pk for case in cases}
    rows = DrawCase.objects.filter(case__in=[case.pk for case in cases]).select_related("draw", "check_made")
    lines = {wanted[key]: row for row in rows if (key := (row.case_id, row.round, row.step)) in wanted}
    waiting = outstanding_of(row.draw_id for row in lines.values() if row.draw.state == Draw.State.DRAWN)
    return {case.pk: _held(lines.get(case.pk), demand, waiting) for case in cases}


def _held(line: DrawCase | None, demand: Demand, waiting: dict[int, int | None]) -> Held:
    if line is None:
        return Held(missing=f"还没有抽签（{demand}）", remedy="请主管部门冻结名单，用公开号码抽签")
    draw = line.draw
    if draw.state == Draw.State.FROZEN:
        when = f"{draw.event_on} {draw.get_event_display()}"
        return Held(missing=f"名单已冻结，等{when}的号码抽签", remedy="号码公布后由两人录入")
    check = getattr(line, "check_made", None)
    if line.picked and check is None:
        return Held(missing="抽中了，还没有检查结果", remedy="请没有经手的人检查后登记")
    if check is not None and check.wrong:
        return Held(
            missing=f"抽查结果：{check.get_result_display()}（{check.found[:80]}）", remedy="请退回重新办理，或不予批准"
        )
    if (rest := waiting.get(draw.pk, 0)) != 0:
        which = f"还有 {rest} 件" if rest else "有的"
        return Held(missing=f"同一批抽中的{which}没有结果", remedy="全部检查完才能批")
    return Held((Reference(f"samples_drawcase:{line.pk}", _digest(line, check), draw.drawn_on or draw.frozen_on),))


def _digest(line: DrawCase, check: Check | None) -> str:
    draw = line.draw
    return digest(
        {
            "list": draw.digest, "seed": draw.seed, "percent": draw.percent, "number": line.number, "picked": line.picked,
            "check": check and [check.way, check.checkers, check.checked_on, check.result],
        }
    )  # fmt: skip


def take(by: Actor, on: date, case: Case, step: Step, demand: Demand) -> Held:
    held = sampled(case, step, demand, on)
    if held.ok:
        line = DrawCase.objects.select_related("draw").get(case=case, round=case.round, step=case.step)
        close_when_done(on, line.draw)
    return held


holds("抽查", sampled, take, sampled_many)
