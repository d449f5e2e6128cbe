"""Monitoring points: notes, problems that go up, answers that come back, the quarter's reports (ORG-04)."""

from datetime import date, timedelta

import pytest

from huimin.demo.actors import actor
from huimin.fieldwork import points
from huimin.fieldwork.models import PointNote, PointStep
from huimin.fieldwork.point_queries import (
    NoteFilter,
    count_by_village,
    count_waiting,
    find_report,
    get_note,
    iterate_notes,
    list_reports,
    list_steps,
    page_notes,
)
from huimin.fieldwork.rules import field_rules, rule_of, set_field_rule
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.snapshots import NotRegistered
from tests.fieldwork.people import ON, homes, informant, of_township, officer, other_village, village

QUARTER_END = date(2021, 9, 30)


def note(by=None, on=ON, **more):
    told = {
        "kind": "hardship",
        "text": "王某家屋顶漏雨，无力修缮",
        "happened_on": on,
        "urgent": False,
        "asks": True,
    } | more
    return points.record_note(by=by or informant(), on=on, **told)


def test_a_problem_goes_up_until_it_is_answered_org_04(county):
    county("registered")
    set_field_rule(by=officer(), on=ON, code="answer_days", value=10, basis="县惠民办 2021 年 3 号")
    set_field_rule(by=officer(), on=ON, code="urgent_days", value=2, basis="县惠民办 2021 年 3 号")
    plain, hurry = note(), note(urgent=True, kind="disaster")
    assert (plain.due_on, hurry.due_on) == (ON + timedelta(days=10), ON + timedelta(days=2))
    clerk = of_township(Post.CLERK)
    with pytest.raises(points.NotYourLevel):
        points.answer_note(by=officer(), on=ON, note=plain.pk, answer="不该由县里答复")
    with pytest.raises(BadInput):
        points.escalate_note(by=clerk, on=ON, note=plain.pk, reason=" ")
    points.escalate_note(by=clerk, on=ON, note=plain.pk, reason="乡镇没有危房改造指标")
    with pytest.raises(points.NotYourLevel):
        points.answer_note(by=clerk, on=ON, note=plain.pk, answer="已经不在乡镇")
    points.escalate_note(by=officer(), on=ON, note=plain.pk, reason="全年指标已经用完，专题报告市住建局")
    with pytest.raises(AlreadyDone):
        points.escalate_note(by=officer(), on=ON, note=plain.pk, reason="再报一次")
    with reading(officer()):
        assert count_waiting("341524", ("above",), ON)[:2] == (1, 0)
        assert count_waiting("341524", ("township",), ON + timedelta(days=3))[:2] == (1, 1)
    points.answer_note(by=officer(), on=ON, note=plain.pk, answer="市里追加一户指标，十月动工")
    with pytest.raises(AlreadyDone):
        points.answer_note(by=officer(), on=ON, note=plain.pk, answer="再答复一次")
    with reading(informant()):
        seen = get_note(plain.pk)
        assert seen.state == PointNote.State.ANSWERED and "追加" in seen.answer, "who recorded it sees the answer"
        kinds = [step.kind for step in list_steps(plain.pk)]
    assert kinds == ["raised", "escalated", "escalated", "answered"]


def test_information_only_waits_for_nobody_org_04(county):
    county("registered")
    told = note(asks=False, household=homes(village())[0])
    assert told.state == PointNote.State.NOTED and told.due_on is None and told.household_id
    with pytest.raises(AlreadyDone):
        points.answer_note(by=of_township(Post.CLERK), on=ON, note=told.pk, answer="没有要答复的")
    with reading(officer()):
        assert PointStep.objects.count() == 0


def test_wrong_notes_are_refused_org_04(county):
    county("registered")
    for bad in ({"kind": "x"}, {"text": "漏"}, {"happened_on": ON + timedelta(days=1)}):
        with pytest.raises(BadInput):
            note(**bad)
    with pytest.raises(NotYourPost):
        note(by=of_township(Post.CLERK))

    with pytest.raises(NotRegistered):
        note(household=homes(other_village())[0])
    with reading(officer()):
        assert PointNote.objects.count() == 0


def test_the_quarter_rolls_up_and_late_ones_show_org_04(county):
    county("registered")
    note()
    note(kind="policy", urgent=True, asks=False)
    neighbour = informant(0)
    with pytest.raises(points.TooEarly):
        points.submit_report(by=neighbour, on=date(2021, 8, 31), year=2021, number=3)
    head = of_township(Post.TOWNSHIP_HEAD)
    with reading(head):
        missing = points.missing_reports(head, Level.VILLAGE, 2021, 3, QUARTER_END)
        assert village() in {each.code for each in missing}
    report = points.submit_report(by=neighbour, on=QUARTER_END, year=2021, number=3, text="本季平稳")
    assert report.counts == {"hardship": [1, 0, 1], "policy": [1, 1, 0]} and not report.late
    with pytest.raises(AlreadyDone):
        points.submit_report(by=neighbour, on=QUARTER_END, year=2021, number=3)
    with reading(head):
        after = points.missing_reports(head, Level.VILLAGE, 2021, 3, QUARTER_END)
        assert len(after) == len(missing) - 1
    upper = points.submit_report(by=head, on=date(2021, 10, 1), year=2021, number=3)
    assert upper.counts == report.counts and upper.notes_count == 2
    assert upper.late, "a day after the quarter's last, and the county gave no more"
    with reading(officer()):
        assert [row.pk for row in list_reports("341524", Level.TOWNSHIP, 2021, 3)] == [upper.pk]
        assert find_report(village(), 2021, 3).signature.signer.endswith(neighbour.name)
        assert points.reported_counts("341524", Level.TOWNSHIP) == [
            {"year": 2021, "quarter": 3, "reports": 1, "late": 1}
        ]
        assert {row.report_id for row in iterate_notes(NoteFilter("341524"))} == {report.pk}
    note(on=QUARTER_END)
    fourth = points.submit_report(by=neighbour, on=date(2021, 12, 20), year=2021, number=4)
    assert fourth.notes_count == 1, "what came after the report goes into the next"
    with pytest.raises(NotYourPost):
        points.submit_report(by=officer(), on=QUARTER_END, year=2021, number=3)


def test_lists_keep_to_the_place_org_04(county):
    county("registered")
    for number in range(3):
        note(text=f"第 {number} 件事，需要解决")
    with reading(informant()):
        assert len(page_notes(NoteFilter(village()), size=2)) == 2
        assert len(page_notes(NoteFilter(village(), state="waiting", kind="hardship"))) == 3
        assert count_by_village(village(), 12) == {village(): [3, 0, 3]}
    with reading(actor(Post.INFORMATION_OFFICER, other_village())):
        assert PointNote.objects.count() == 0


def test_rules_have_a_source_and_bounds_org_04(county):
    county("registered")
    told = {"code": "visit_days", "value": 7, "basis": "县民政局 2021 年 8 号"}
    row = set_field_rule(by=officer(), on=ON, **told)
    assert set_field_rule(by=officer(), on=ON, **told).pk == row.pk, "the same again adds nothing"
    for bad in ({"code": "x"}, {"value": 0}, {"basis": " "}):
        with pytest.raises(BadInput):
            set_field_rule(by=officer(), on=ON, **(told | bad))
    with pytest.raises(NotYourPost):
        set_field_rule(by=of_township(Post.CLERK), on=ON, **told)
    set_field_rule(by=officer(), on=ON, **(told | {"value": 9}))
    with reading(informant()):
        assert rule_of(village(), "visit_days") == 9
        assert set(field_rules(village())) == {"visit_days"}
