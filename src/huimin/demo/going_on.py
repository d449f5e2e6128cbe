"""Applications go on from the desk to the village's board: visited, reviewed, published (CASE-02, CASE-03, CASE-06).

in    accepted applications of the first township (demo.asking)
out   each visited and signed (demo.visiting), reviewed by its village (demo.meeting), and on the village's board for seven days;
      what a doubt, or a result against the law, holds back stays where it is

Through the rooms' commands; repeating it adds nothing. None of it is decided, so that no figure of the quarter changes.
"""

from collections.abc import Callable

from huimin.cases.models import Case
from huimin.cases.queries import slots
from huimin.cases.taking import publish_cases, take_step
from huimin.demo import dates, meeting, rechecking, visiting
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.notices.models import Notice
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post

ON = dates.CLOSED
SURVEYED, REVIEWED, PUBLISHED = "调查", "评议", "村公示"


def look(county: County) -> Figures:
    """Visited; who is through goes on to the village's review."""
    figures = visiting.visit(county)
    clerk = actor(Post.CLERK, townships()[0])
    return {**figures, "passed": _pass(clerk, SURVEYED, lambda case: clerk)}


def review(county: County) -> Figures:
    """Reviewed; who is through goes on to the board, where the list hangs."""
    figures = meeting.review(county)
    clerk = actor(Post.CLERK, townships()[0])
    passed = _pass(clerk, REVIEWED, lambda case: actor(Post.INFORMATION_OFFICER, case.division[:12]))
    with reading(clerk):
        waiting = [case for case in _at(clerk, PUBLISHED) if not _published(case)]
    for case in waiting:
        by = actor(Post.INFORMATION_OFFICER, case.division[:12])
        publish_cases(by=by, on=ON, case_ids=[case.pk])
    return {**figures, "passed": passed, "notices": len(waiting)}


def live_with(county: County) -> Figures:
    """What follows a grant: re-checks, an offer of work, an appeal (CASE-09)."""
    return rechecking.recheck(ON)


def _at(by: Actor, step: str) -> list[Case]:
    return list(Case.objects.filter(step=step, state=Case.State.OPEN, division__startswith=by.prefix).order_by("id"))


def _published(case: Case) -> bool:
    return Notice.objects.filter(subject=case.notice_subject()).exclude(state=Notice.State.WITHDRAWN).exists()


def _pass(clerk: Actor, step: str, who: Callable[[Case], Actor]) -> int:
    """Take the step of every case that holds what it must."""
    business_day(ON)
    with reading(clerk):
        ready = [case for case in _at(clerk, step) if all(held.ok for _, held in slots(case, ON))]
    for case in ready:
        take_step(by=who(case), on=ON, case_id=case.pk, step=step, outcome="passed")
    return len(ready)
