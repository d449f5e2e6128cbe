"""Who answers for what: each level the one beneath it, letters signed, gaps found (ORG-03)."""

from datetime import date, timedelta

import pytest

from huimin.fieldwork import letters
from huimin.fieldwork.letters import Holder, LetterFilter
from huimin.fieldwork.models import Assignment
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from tests.fieldwork.people import ON, homes, informant, of_township, officer, other_village, village

WANG = Holder("王建国（演示）", "副县长", "县人民政府")
PDF = b"%PDF-1.4 signed"


def township():
    return village()[:9] + "000"


def assign(by=None, on=ON, **more):
    told = {"kind": "letter", "holder": WANG, "division": township(), "valid_from": date(2021, 1, 1)} | more
    return letters.assign(by=by or officer(), on=on, **told)


def test_each_level_answers_for_the_one_beneath_org_03(county):
    county("registered")
    head, informed = of_township(Post.TOWNSHIP_HEAD), informant()
    rows = [
        assign(),
        assign(by=head, kind="care", holder=Holder("李明", "副镇长", "镇政府"), division=village()),
        assign(by=informed, kind="care", holder=Holder("张芳", "村委委员", "村委会"), household=homes(village())[0]),
    ]
    assert [row.level for row in rows] == ["township", "village", "household"]
    by, own, neighbour = officer(), village(), other_village()
    with reading(by):
        gaps = {each.code for each in letters.list_gaps(by, Level.TOWNSHIP, ON)}
        assert own[:9] + "000" not in gaps and neighbour[:9] + "000" in gaps
        assert own not in {each.code for each in letters.list_gaps(by, Level.VILLAGE, ON)}
        assert own in {each.code for each in letters.list_gaps(by, Level.VILLAGE, date(2020, 12, 31))}
        assert len(letters.page_letters(LetterFilter("341524", ON))) == 3
        assert [row.pk for row in letters.page_letters(LetterFilter("341524", ON, name="李"))] == [rows[1].pk]
        people = letters.count_by_person(LetterFilter("341524", ON))
        assert {(row["holder_name"], row["township"], row["village"], row["household"]) for row in people} == {
            (WANG.name, 1, 0, 0), ("李明", 0, 1, 0), ("张芳", 0, 0, 1),
        }  # fmt: skip
        assert [row.pk for row in letters.iterate_letters(LetterFilter("341524", ON, standing="unsigned"))] == [
            rows[0].pk
        ]


def test_who_may_assign_what_org_03(county):
    county("registered")
    head = of_township(Post.TOWNSHIP_HEAD)
    for by, division in ((head, township()), (informant(), village())):
        with pytest.raises(NotYourPlace, match="下一级"):
            assign(by=by, division=division)
    with pytest.raises(NotYourPlace):
        assign(by=head, division=other_village())
    with pytest.raises(NotYourPost):
        assign(by=of_township(Post.REVIEWER), division=village())
    for bad in (
        {"kind": "x"}, {"holder": Holder("王", "", "")}, {"duties": ""}, {"last_day": date(2020, 1, 1)}, {"division": ""},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            assign(**bad)
    assign()
    with pytest.raises(AlreadyDone, match="已经包"):
        assign()
    with reading(officer()):
        assert Assignment.objects.count() == 1


def test_a_letter_is_signed_read_and_ended_org_03(county):
    county("registered")
    row = assign(last_day=ON + timedelta(days=20))
    with reading(officer()):
        assert len(letters.page_letters(LetterFilter("341524", ON, standing="ending"))) == 1
    with pytest.raises(BadInput, match="还没有上传"):
        letters.read_letter(by=officer(), on=ON, assignment=row.pk)
    for bad in ({"signed_on": ON + timedelta(days=1)}, {"content": b"MZ program"}):
        with pytest.raises(BadInput):
            letters.file_signed_letter(
                by=officer(), on=ON, assignment=row.pk, **({"signed_on": ON, "content": PDF} | bad)
            )
    letters.file_signed_letter(by=officer(), on=ON, assignment=row.pk, signed_on=ON, content=PDF)
    assert letters.read_letter(by=of_township(Post.CLERK), on=ON, assignment=row.pk)[1] == PDF
    with pytest.raises(NotYourPlace, match="上一级"):
        letters.end_assignment(
            by=of_township(Post.TOWNSHIP_HEAD), on=ON, assignment=row.pk, last_day=ON, reason="自己不想包"
        )
    for bad in ({"reason": ""}, {"last_day": date(2020, 1, 1)}):
        with pytest.raises(BadInput):
            letters.end_assignment(
                by=officer(), on=ON, assignment=row.pk, **({"last_day": ON, "reason": "工作调动"} | bad)
            )
    ended = letters.end_assignment(by=officer(), on=ON, assignment=row.pk, last_day=ON, reason="工作调动")
    assert ended.last_day == ON
    with pytest.raises(AlreadyDone):
        letters.end_assignment(by=officer(), on=ON, assignment=row.pk, last_day=ON, reason="再终止一次")
    by, own, tomorrow = officer(), township(), ON + timedelta(days=1)
    with reading(by):
        assert own in {each.code for each in letters.list_gaps(by, Level.TOWNSHIP, tomorrow)}
        assert len(letters.page_letters(LetterFilter("341524", tomorrow, standing="past"))) == 1
    assert assign().pk != row.pk, "somebody may answer for it again"
