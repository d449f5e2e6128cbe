"""Last step: what offices keep of themselves, so that those pages have rows: declarations, a training, desks, cabinets.

in    the closed quarter; the offices and villages of the county
out   a round of kinship declarations, a course with results, three desks' figures, cabinets with the files of some villages
      (REG-08, REG-10, ORG-07, ORG-08)

Through the rooms' commands, in sets where there are many; the numbers are assumptions of the demonstration and say so.
Repeating it adds nothing: each part is done when the first of its rows is there.
"""

from datetime import date

from huimin.archives import disposing, keeping, lending, stocktaking
from huimin.archives.models import Box, Paper, Store
from huimin.capacity import staffing, training
from huimin.capacity.models import Course, StaffingReport
from huimin.capacity.versions import versions_at
from huimin.database.bulk import fetch
from huimin.database.personal import ID_NUMBER, plain
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.divisions.queries import list_beneath
from huimin.kernel.identity import check_digit
from huimin.kernel.places import Level
from huimin.kinship.declaring import Kin, declare_kin, set_kinship_rule
from huimin.kinship.models import Declaration
from huimin.organisation.acting import Actor, reading
from huimin.organisation.models import Appointment
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Person

ON, EARLIER, TRAINED_ON = dates.CLOSED, date(2021, 8, 2), date(2021, 7, 8)
DIBAO = "dibao-rural"
ASSUMED = "演示假设，不是文件规定"
VILLAGES_FILED = 5
TOWNSHIP_POSTS = (Post.CLERK, Post.REVIEWER, Post.SETTLEMENT, Post.TOWNSHIP_HEAD)
_ELSEWHERE = "34159919680412337"  # an invented number of nobody registered

# Whole households of a township that draw 低保, so that somebody's relative among them has something to be recused from.
_DRAWING = """
SELECT DISTINCT m.person_id FROM casework_entitlement e JOIN registry_membership m ON m.household_id = e.household_id
WHERE e.programme = %(programme)s AND m.relation = '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL
  AND e.division >= %(low)s AND e.division < %(low)s || '~' ORDER BY 1 LIMIT 3
"""


def record(county: County) -> Figures:
    """Declare, train, report, file."""
    business_day(ON)
    officer = county_officer()
    places = townships()
    with reading(officer):
        villages = [each.code for each in list_beneath(places[0], Level.TOWNSHIP, Level.VILLAGE, ON)]
    declared = _declare(officer, places[0], villages)
    _train(officer, places)
    _report(officer, places)
    _file(officer, places[0], villages[:VILLAGES_FILED])
    with reading(officer):
        return {"declarations": declared, "courses": Course.objects.count(), "papers": Paper.objects.count()}


def _declare(officer: Actor, township: str, villages: list[str]) -> int:
    """The county's own, one township and its village officers have declared; three have relatives, one elsewhere."""
    with reading(officer):
        if done := Declaration.objects.count():
            return done
        drawing = [row[0] for row in fetch(_DRAWING, {"programme": DIBAO, "low": township[:9]})]
        people = list(Person.objects.filter(pk__in=drawing).order_by("pk"))
    set_kinship_rule(by=officer, on=EARLIER, within_days=120, basis=ASSUMED)
    officers = [actor(post, township) for post in TOWNSHIP_POSTS]
    officers += [actor(Post.INFORMATION_OFFICER, village) for village in villages]
    relatives: dict[int, list[Kin]] = {
        by.account: [Kin("sibling", person.name, plain(person.id_number_enc, ID_NUMBER), "农村低保")]
        # Of the township, where a village's officer sees his village only; who judges others' cases here has none.
        for by, person in zip(officers[2:4], people, strict=False)
    }
    relatives[officers[0].account] = [
        Kin("parent", "何长青", _ELSEWHERE + check_digit(_ELSEWHERE), "高龄津贴", as_text=True)
    ]
    civil = [actor(post, OfficeKind.CIVIL_AFFAIRS) for post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER)]
    for by in (officer, *civil, *officers):
        own = relatives.get(by.account, [])
        declare_kin(by=by, on=EARLIER, relatives=own, none=not own)
    return 1 + len(civil) + len(officers)


def _train(officer: Actor, places: list[str]) -> None:
    """One course of the county, to which half of the townships sent everybody; another is planned."""
    with reading(officer):
        if Course.objects.exists():
            return
        half = places[: len(places) // 2]
        posts = [*TOWNSHIP_POSTS, Post.INFORMATION_OFFICER]
        came = Appointment.objects.filter(post__in=posts, valid_to=None).order_by("id").values_list("id", "division")
        results = {number: "passed" for number, place in came if place[:9].ljust(12, "0") in half}
        taught = list(versions_at(officer.division, TRAINED_ON))
    told = {"location": "县政务服务中心", "minutes": 240, "trainer": "县惠民办"}
    training.set_capacity_rule(
        by=officer, on=TRAINED_ON, training_days=60, staff_min=2, cost_permille=20, basis=ASSUMED
    )
    course = training.plan_course(
        by=officer, on=TRAINED_ON, title="惠民政策培训班", held_on=TRAINED_ON, taught_for=TRAINED_ON, programmes=taught, **told,
    )  # fmt: skip
    results[next(iter(results))] = "failed"
    training.record_attendance(by=officer, on=TRAINED_ON, course=course.pk, results=results)
    training.plan_course(
        by=officer, on=ON, title="最低生活保障补训班", held_on=date(2021, 10, 20), taught_for=ON,
        programmes=[DIBAO], **told,
    )  # fmt: skip


def _report(officer: Actor, places: list[str]) -> None:
    """Three desks: one as it should be, one with a single person, one that costs too much."""
    with reading(officer):
        if StaffingReport.objects.exists():
            return
    figures = (
        staffing.Figures(3, 3, 1, 9_000_000, 520_000_000), staffing.Figures(2, 1, 2, 6_000_000, 410_000_000),
        staffing.Figures(2, 2, 0, 9_900_000, 450_000_000, "含一次性设备"),
    )  # fmt: skip
    for place, each in zip(places, figures, strict=False):
        made = staffing.report_staffing(by=actor(Post.CLERK, place), on=EARLIER, year=ON.year, figures=each)
        if place == places[0]:
            staffing.check_staffing(by=officer, on=ON, report=made.pk, agreed=True)


def _file(officer: Actor, township: str, villages: list[str]) -> None:
    """Cabinets in every village of one township; in some, each household's survey form. Three lent, one missing."""
    clerk = actor(Post.CLERK, township)
    with reading(clerk):
        if Store.objects.exists():
            return
    keeping.set_retention(by=officer, on=EARLIER, kind="survey", years=10, basis=ASSUMED)
    keeping.set_up_cabinets(by=clerk, on=EARLIER)
    room = keeping.open_store(
        by=clerk, on=EARLIER, division=township, kind="room", name="梅山镇档案室", keeper=clerk.name
    )
    with reading(clerk):
        cabinets = list(Store.objects.filter(division__in=villages).order_by("division"))
    told = {
        "kind": "survey",
        "title": "2021 年基本信息表（村联）",
        "dated_on": dates.REGISTERED,
        "pages": 3,
        "per_box": 50,
    }
    for cabinet in cabinets:
        keeping.file_households(by=clerk, on=EARLIER, store=cabinet.pk, **told)
    with reading(clerk):
        papers = list(Paper.objects.order_by("id").values_list("id", "box__store_id")[:8])
        target = Box.objects.get(store=room)
    if len(papers) < 6:
        return
    ids = [number for number, _ in papers]
    lent = {"borrower": "李审计（演示）", "office": "县审计局", "purpose": "社会救助资金专项审计"}
    lending.lend_papers(by=clerk, on=EARLIER, papers=ids[:2], due_on=date(2021, 8, 31), **lent)
    lending.lend_papers(by=clerk, on=ON, papers=ids[2:3], due_on=date(2021, 10, 31), **lent)
    disposing.propose_disposal(
        by=clerk, on=ON, act="move", papers=ids[3:4], reason="整理到乡镇档案室集中保管", target=target.pk
    )
    taken = stocktaking.start_stocktake(by=clerk, on=ON, store=papers[-1][1])
    with reading(clerk):
        listed = list(taken.lines.order_by("id").values_list("paper_id", flat=True))
    stocktaking.record_stocktake(by=clerk, on=ON, stocktake=taken.pk, found=listed[1:], missing=listed[:1])
    stocktaking.close_stocktake(by=clerk, on=ON, stocktake=taken.pk)
