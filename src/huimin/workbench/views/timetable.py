"""The timetable of money as one page: due, done, late, whose (FUND-03)."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from huimin.divisions.queries import names_of
from huimin.kernel.periods import Period, add_months, quarter
from huimin.payment.queries import current_quarter
from huimin.payment.timetable import STEPS, Step, timetable
from huimin.policy.queries import programme_names
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, seen_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened

WEEK = 7
STANDINGS = (
    ("late", "逾期未办"),
    ("week", "本周到期"),
    ("open", "未到期"),
    ("done_late", "办得迟"),
    ("done", "按时办结"),
)
QUARTERS = 8


@require_safe
@page(guard.PAYERS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Every step of the quarter's rosters: when due, when done, how late, at which desk."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        programmes, place = seen_of(by, programme_names()), chosen_place(request)
        periods = _periods(on)
        period = one_of(request.GET, "period", periods, next(iter(periods)))
        programme = one_of(request.GET, "programme", programmes)
        key, standing = one_of(request.GET, "step", STEPS), one_of(request.GET, "standing", [s for s, _ in STANDINGS])
        every = timetable(place.prefix, periods.get(period) or current_quarter(on), on, programmes=programmes_seen(by))
        steps = [
            step for step in every
            if (not programme or step.programme == programme) and (not key or step.key == key)
            and (not standing or standing_of(step, on) == standing)
        ]  # fmt: skip
        steps.sort(key=lambda step: (step.done is not None, step.due, step.division, step.programme))
        rows, note = shortened(steps, whole)
        names = names_of({step.division for step in rows}, on)
        return Listing(
            "资金日程", "按季发放的按省里办法：季末月 15 日前申请，5 日内拨付，银行 5 个工作日（救灾 2 个）；按月的每月 24 日前台账、次月 1 日前名册、10 日前到户。",
            "timetable",
            [Head("期间", paper=30), Head("乡镇", paper=26), Head("补贴项目", paper=38), Head("步骤", paper=26), Head("期限", "date", 22),
             Head("办理", "date", 22), Head("情况", paper=24), Head("谁办")],
            [_row(step, names, programmes, on) for step in rows],
            "没有符合这些条件的步骤。" if every else "这一季还没有清册，上一季也没有。编制清册后，每一步的期限列在这里。", note=note, across=True, of_people=False, totals=False,
            figures=_figures(every, on),
            filters=[Filter("period", "期间", [(code, str(each)) for code, each in periods.items()], period, True),
                     Filter("programme", "补贴项目", list(programmes.items()), programme),
                     Filter("step", "步骤", list(STEPS.items()), key), Filter("standing", "情况", STANDINGS, standing),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _periods(on: Any) -> dict[str, Period]:
    """This quarter and those before it."""
    first = current_quarter(on).start
    found = {}
    for back in range(QUARTERS):
        start = add_months(first, -3 * back)
        each = quarter(start.year, (start.month + 2) // 3)
        found[f"{start.year}Q{(start.month + 2) // 3}"] = each
    return found


def standing_of(step: Step, on: Any) -> str:
    """As `Step.standing`, with what is due within a week apart."""
    due_soon = step.standing == "open" and step.due <= on + timedelta(days=WEEK)
    return "week" if due_soon else step.standing


def _row(step: Step, names: dict[str, str], programmes: dict[str, str], on: Any) -> list[Any]:
    told = {
        "late": (f"逾期 {step.days} 天", "late"), "week": ("今天" if step.due == on else f"还有 {(step.due - on).days} 天", "soon"),
        "open": ("未到期", "plain"), "done_late": (f"迟 {step.days} 天", "late"), "done": ("按时", "done"),
    }  # fmt: skip
    words, tone = told[standing_of(step, on)]
    where = reverse("roster", args=[step.roster]) if step.roster else ""
    return [
        Cell(str(step.period), where), names.get(step.division, step.division), programmes.get(step.programme, step.programme),
        step.name, step.due, step.done, Cell(words, tone=tone), Cell(step.office, sub=step.post),
    ]  # fmt: skip


def _figures(steps: list[Step], on: Any) -> list[tuple[str, str, str]]:
    counts = {key: sum(1 for step in steps if standing_of(step, on) == key) for key, _ in STANDINGS}
    tones = {"late": "late", "week": "soon", "done_late": "late"}
    return [(label, f"{counts[key]:,} 项", tones.get(key, "")) for key, label in STANDINGS if counts[key]]
