"""Applications go on from the desk to the county's approval: visited, reviewed, published, sampled (CASE-02, CASE-03, CASE-06, CASE-08).

in    accepted applications of the first township (demo.asking)
out   each visited and signed (demo.visiting), reviewed by its village (demo.meeting), on the village's board for seven days and on
      the township's for seven; what a doubt, or a result against the law, holds back stays where it is. Who comes to the county is
      drawn from and checked (demo.sampling), and waits for countersignatures and the decision

Through the rooms' commands; repeating it adds nothing. None of it is decided, so that no figure of the quarter changes.
"""

from collections.abc import Callable
from datetime import date

from huimin.cases.models import Case
from huimin.cases.queries import slots
from huimin.cases.taking import publish_cases, take_step, write_report
from huimin.demo import dates, meeting, rechecking, sampling, visiting
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.notices.models import Notice
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post

ON = dates.CLOSED
OPINION = "已核对调查表、评议记录和公示，记载属实，按程序上报。"
SURVEYED, REVIEWED, PUBLISHED = "调查", "评议", "村公示"
HEARD, LOOKED_AT, PUBLISHED_ABOVE = "村意见", "乡镇审核", "乡镇公示"


def look(county: County) -> Figures:
    """Visited; who is through goes on to the village's review."""
    figures = visiting.visit(county)
    clerk = actor(Post.CLERK, townships()[0])
    return {**figures, "passed": _pass(clerk, SURVEYED, lambda case: clerk)}


def review(county: County) -> Figures:
    """Reviewed; who is through goes on to the board, where the list hangs."""
    figures = meeting.review(county)
    clerk = actor(Post.CLERK, townships()[0])
    passed = _pass(clerk, REVIEWED, _informant)
    return {**figures, "passed": passed, "notices": _publish(clerk, PUBLISHED, _informant, ON)}


def put_up(county: County) -> Figures:
    """Boards end, village and township write their opinions; who comes to the county's approval is drawn from and checked."""
    clerk, on = actor(Post.CLERK, townships()[0]), dates.VILLAGE_ENDED
    reviewer = actor(Post.REVIEWER, townships()[0])
    _pass(clerk, PUBLISHED, _informant, on)
    _write(clerk, HEARD, _informant, on)
    _pass(clerk, HEARD, _informant, on)
    _write(clerk, LOOKED_AT, lambda case: reviewer, on)
    _pass(clerk, LOOKED_AT, lambda case: reviewer, on)
    _publish(clerk, PUBLISHED_ABOVE, lambda case: clerk, on)
    passed = _pass(clerk, PUBLISHED_ABOVE, lambda case: clerk, dates.SAMPLED)
    return {"passed": passed, **sampling.sample(dates.SAMPLED)}


def live_with(county: County) -> Figures:
    """What follows a grant: re-checks, an offer of work, an appeal (CASE-09)."""
    return rechecking.recheck(ON)


def _informant(case: Case) -> Actor:
    return actor(Post.INFORMATION_OFFICER, case.division[:12])


def _at(by: Actor, step: str) -> list[Case]:
    rows = Case.objects.filter(step=step, state=Case.State.OPEN, division__startswith=by.prefix)
    return list(rows.select_related("process").order_by("id"))


def _publish(clerk: Actor, step: str, who: Callable[[Case], Actor], on: date) -> int:
    """Hang what stands at `step` and does not hang yet."""
    with reading(clerk):
        waiting = [case for case in _at(clerk, step) if not _published(case)]
    for case in waiting:
        publish_cases(by=who(case), on=on, case_ids=[case.pk])
    return len(waiting)


def _published(case: Case) -> bool:
    return Notice.objects.filter(subject=case.notice_subject()).exclude(state=Notice.State.WITHDRAWN).exists()


def _write(clerk: Actor, step: str, who: Callable[[Case], Actor], on: date) -> None:
    """The report the step asks for, where nobody wrote it yet."""
    with reading(clerk):
        lacking = [
            (case, demand.name)
            for case in _at(clerk, step)
            for demand, held in slots(case, on)
            if demand.kind == "报告" and not held.ok
        ]
    for case, name in lacking:
        write_report(by=who(case), on=on, case_id=case.pk, name=name, text=OPINION)


def _pass(clerk: Actor, step: str, who: Callable[[Case], Actor], on: date = ON) -> int:
    """Take the step of every case that holds what it must."""
    business_day(on)
    with reading(clerk):
        ready = [case for case in _at(clerk, step) if all(held.ok for _, held in slots(case, on))]
    for case in ready:
        take_step(by=who(case), on=on, case_id=case.pk, step=step, outcome="passed")
    return len(ready)
