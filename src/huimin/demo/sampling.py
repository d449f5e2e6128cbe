"""A step for applications that wait before the county's approval: frozen, drawn by a public number, visited, found (CASE-08).

in    cases of the civil affairs department at a step that demands 抽查; the day on which their list is frozen
out   one list a programme and step, drawn the next day, every drawn case visited by two of the county's people and signed;
      of three or more drawn the last is found to differ, so that what follows from it can be seen

Through the rooms' commands; repeating it adds nothing, and goes on where it was interrupted. The number is an invented one.
"""

from datetime import date, timedelta

from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.quarter import Figures
from huimin.demo.visiting import drawn
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.samples.checking import Told, record_check
from huimin.samples.drawing import Named, draw_list, freeze_cases, read_number
from huimin.samples.models import Check, Draw, DrawCase
from huimin.samples.queries import list_undrawn
from huimin.visits.findings import Found
from huimin.visits.recording import add_paper, record_visit, sign_visit

NUMBER = "40917"
SOURCE = "演示号码，不是开奖结果"
FINDINGS = {"health": "与申报一致", "living": "两间砖房，家电老旧", "work": "务农", "spending": "看病为主"}
DIFFERS = "家中有面包车一辆，申报和登记里没有"


def sample(on: date) -> Figures:
    """Freeze on `on`, draw and check the day after."""
    officer = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    supervisor, finance = actor(Post.SUPERVISOR, OfficeKind.AUDIT), actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    business_day(on)
    with reading(officer):
        waiting = list_undrawn(officer)
    next_day = on + timedelta(days=1)
    for row in waiting:
        freeze_cases(by=officer, on=on, programme=row.programme, step=row.step, named=Named("pl5", next_day))
    business_day(next_day)
    with reading(officer):
        frozen = list(Draw.objects.filter(state=Draw.State.FROZEN, event_on__lte=next_day).order_by("id"))
    for draw in frozen:
        read_number(by=officer, on=next_day, draw_id=draw.pk, number=NUMBER, where=SOURCE)
        draw_list(by=supervisor, on=next_day, draw_id=draw.pk, number=NUMBER)
    with reading(officer):
        lines = list(
            DrawCase.objects.filter(picked=True, check_made=None).select_related("case").order_by("draw", "key")
        )
    for at, line in enumerate(lines, 1):
        _check(supervisor, finance, next_day, line, differs=len(lines) > 2 and at == len(lines))
    with reading(officer):
        return {
            "samples": Draw.objects.count(), "sampled": DrawCase.objects.count(), "checks": Check.objects.count(),
            "wrong_checks": Check.objects.exclude(result=Check.Result.TRUE).count(),
        }  # fmt: skip


def _check(by: Actor, other: Actor, on: date, line: DrawCase, *, differs: bool) -> None:
    """Two of the county's people go there; the household signs the form; the result is entered over the visit."""
    visit = record_visit(
        by=by, on=on, household=line.household_id, purpose="sample", subject=line.subject, case_id=line.case_id,
        visited_on=on, investigators=[by.appointment, other.appointment], met="applicant", met_name="本人",
        found=Found(topics=FINDINGS),
    )  # fmt: skip
    add_paper(by=by, on=on, visit_id=visit.pk, kind="form", content=drawn(line.pk), file_name="调查表.png")
    sign_visit(by=by, on=on, visit_id=visit.pk)
    told = Told("visit", "differs", DIFFERS, visit.pk) if differs else Told("visit", "true", "", visit.pk)
    record_check(by=by, on=on, line_id=line.pk, told=told)
