"""Courses, results, and who is due for which version (ORG-07)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from huimin.capacity import queries, training
from huimin.capacity.models import Attendance, Course
from huimin.capacity.versions import versions_at
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, NotYourProgramme, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.commands.attachments import open_scan
from tests.registry.people import officer

HELD = date(2021, 7, 8)
TOWNSHIP, OTHER = "341524100000", "341524101000"
PAPER = b"%PDF-1.7 " + b"x" * 50


@pytest.fixture
def adopted(county):
    county("adopted")


def plan(by=None, **more):
    told = {
        "by": by or officer(), "on": HELD, "title": "农村低保新办法", "held_on": HELD, "location": "县会议室", "minutes": 240,
        "trainer": "陈科长", "programmes": ["dibao-rural"], "taught_for": HELD,
    }  # fmt: skip
    return training.plan_course(**told | more)


def due(prefix="341524", on=HELD, days=90, only=None):
    with reading(officer()):
        versions = [v for v in versions_at("341524000000", on).values() if only is None or v.programme == only]
        return queries.list_training_due(prefix, on, days, versions)


def test_an_officer_is_due_until_he_passed_in_the_version_in_force_org_07(adopted):
    clerk, head = actor(Post.CLERK, TOWNSHIP), actor(Post.TOWNSHIP_HEAD, TOWNSHIP)
    before = {row.account: row for row in due()}
    assert "dibao-rural" in before[clerk.account].missing and before[clerk.account].last_trained_on is None
    course = plan()
    results = {clerk.appointment: "passed", head.appointment: "failed"}
    assert training.record_attendance(by=officer(), on=HELD, course=course.pk, results=results) == 2
    assert training.record_attendance(by=officer(), on=HELD, course=course.pk, results=results) == 0
    after = {row.account: row for row in due()}
    assert "dibao-rural" not in after[clerk.account].missing and after[clerk.account].last_trained_on == HELD
    assert "dibao-rural" in after[head.account].missing
    results[head.appointment] = "passed"
    assert training.record_attendance(by=officer(), on=HELD, course=course.pk, results=results) == 1
    assert "dibao-rural" not in {row.account: row for row in due()}[head.account].missing
    with reading(officer()):
        assert Course.objects.get().state == "held"
        assert queries.count_results([course.pk]) == {course.pk: {"passed": 2}}


def test_a_newer_version_makes_everybody_due_again_by_the_countys_days_org_07(adopted):
    clerk = actor(Post.CLERK, TOWNSHIP)
    course = plan()
    training.record_attendance(by=officer(), on=HELD, course=course.pk, results={clerk.appointment: "passed"})
    with reading(officer()):
        version = versions_at("341524000000", HELD)["dibao-rural"]
        newer = [replace(version, since=date(2021, 9, 1))]
        for on, late in ((date(2021, 9, 30), False), (date(2021, 10, 1), True)):
            [row] = queries.list_training_due(clerk.prefix, on, 30, newer, account=clerk.account)
            assert (row.missing, row.due, row.overdue(on)) == (("dibao-rural",), date(2021, 9, 30), late)
        [row] = queries.list_training_due(clerk.prefix, HELD, 30, [version], account=clerk.account)
        assert row.missing == ()
    with pytest.raises(BadInput, match="没有施行"):
        plan(title="旧办法", taught_for=date(2021, 6, 25))
    everybody = due()
    shares = queries.by_place(everybody, HELD, Level.TOWNSHIP)
    assert sum(each.officers for each in shares) == len(everybody)
    assert {row.division[:9] for row in due(prefix="341524100")} == {"341524100"}


def test_what_is_wrong_with_a_course_is_refused_org_07(adopted):
    for wrong in (
        {"title": " "}, {"minutes": 0}, {"programmes": []}, {"programmes": ["no-such"]}, {"trainer": ""},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            plan(**wrong)
    with pytest.raises(NotYourPost):
        plan(actor(Post.REVIEWER, TOWNSHIP))
    with pytest.raises(NotYourProgramme):
        plan(actor(Post.DEPARTMENT_OFFICER, OfficeKind.WATER))
    later = plan(held_on=HELD + timedelta(days=5))
    with pytest.raises(AlreadyDone):
        plan(held_on=HELD + timedelta(days=5))
    clerk = actor(Post.CLERK, TOWNSHIP)
    with pytest.raises(BadInput, match="举办之后"):
        training.record_attendance(by=officer(), on=HELD, course=later.pk, results={clerk.appointment: "passed"})
    with pytest.raises(NotYourPlace):
        training.cancel_course(by=clerk, on=HELD, course=later.pk, reason="下雨")
    assert training.cancel_course(by=officer(), on=HELD, course=later.pk, reason="下雨").state == "cancelled"
    with pytest.raises(AlreadyDone):
        training.cancel_course(by=officer(), on=HELD, course=later.pk, reason="下雨")


def test_a_township_trains_its_own_and_keeps_the_handout_org_07(adopted):
    clerk, stranger = actor(Post.CLERK, TOWNSHIP), actor(Post.CLERK, OTHER)
    course = plan(clerk)
    results = {clerk.appointment: "passed", stranger.appointment: "passed"}
    assert training.record_attendance(by=clerk, on=HELD, course=course.pk, results=results) == 1
    with pytest.raises(AlreadyDone):
        training.cancel_course(by=clerk, on=HELD, course=course.pk, reason="改期")
    made = training.add_material(by=clerk, on=HELD, course=course.pk, title="讲稿", content=PAPER)
    assert open_scan(made.sha256) == PAPER
    with pytest.raises(AlreadyDone):
        training.add_material(by=clerk, on=HELD, course=course.pk, title="讲稿", content=PAPER)
    with pytest.raises(BadInput):
        training.add_material(by=clerk, on=HELD, course=course.pk, title="讲稿", content=b"PK\x03\x04")
    with reading(stranger):
        assert not Course.objects.exists() and not Attendance.objects.exists()
