"""CASE-06, PUB-04, PUB-05: boards of the level, shared sheets, photos, what comes down; objections by name and without, about staff."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.notices import commands, queries
from huimin.notices.commands import Listed, NoPhoto, NotPublished
from huimin.notices.models import Notice, NoticeRule, Objection, Sheet, SheetPhoto
from huimin.notices.objections import Objector, answer_objection, file_objection, look_at_objector, tell_objector
from huimin.notices.posting import StillHanging, add_photo, read_photo, take_down
from huimin.notices.rules import LONG_TERM, rule_of, set_notice_rule
from huimin.organisation.acting import NotYourPost, SamePerson, command, reading
from huimin.organisation.posts import Post
from tests.notices.people import LILING, MEISHAN, XUCHONG, People
from tests.notices.test_notices import AFTER, POSTED, ROWS, end, looked, publish, row_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@command(Post.REVIEWER)
def put_up(*, by, on=POSTED, lists):
    return commands.publish(by=by, on=on, lists=lists)


@pytest.fixture
def people(county) -> People:
    county("blank")
    return People()


def listed(subject, rows=ROWS, title="低保 乡镇公示", level=Level.TOWNSHIP):
    return Listed(subject, "dibao", title, 7, rows, level)


def test_a_township_s_notice_hangs_at_the_township_and_in_the_villages_case_06(people):
    """S0 A3 art 30; several cases of a step share a sheet on each board, each with its own digest and days."""
    reviewer, village = people.of("meishan", Post.REVIEWER), people.of("xuchong", Post.INFORMATION_OFFICER)
    made = put_up(by=reviewer, lists=[listed("case:1:1:乡镇公示", ROWS[:1]), listed("case:2:1:乡镇公示", ROWS[1:])])
    assert sorted(place for _, place in made) == [MEISHAN, MEISHAN, XUCHONG, XUCHONG, LILING]
    assert commands.boards_of(XUCHONG, Level.COUNTY) == {"341524000000", MEISHAN, XUCHONG}
    with reading(reviewer):
        sheets = {sheet.division: sheet for sheet in Sheet.objects.all()}
        assert {place: sheet.notices_count for place, sheet in sheets.items()} == {MEISHAN: 2, XUCHONG: 2, LILING: 1}
        assert sheets[MEISHAN].rows_count == 3 and all(map(queries.sheet_is_whole, sheets.values()))
        [alone] = queries.list_notices_on(sheets[LILING])
        assert sheets[LILING].digest == alone.digest != sheets[MEISHAN].digest
        assert [row.subject_line for row in queries.list_sheet_rows(sheets[MEISHAN], 10)] == [11, 12, 13]
        assert len(queries.notices_of("case:2:1:乡镇公示")) == 3
    with reading(village):
        assert {notice.division for notice in Notice.objects.all()} == {XUCHONG}
    with pytest.raises(NotPublished, match="名单是空的"):
        put_up(by=reviewer, lists=[listed("case:3:1:乡镇公示", [])])
    Notice.objects.using("maintenance").filter(division=XUCHONG, subject__startswith="case:1").update(amount_fen=1)
    run_out = AFTER + timedelta(days=1)
    assert ended(by=reviewer, on=run_out, subject="case:1:1:乡镇公示") == 2


@command(Post.REVIEWER)
def ended(*, by, on, subject):
    return commands.end_notices(by=by, on=on, subject=subject)


def test_a_sheet_is_photographed_and_comes_down_when_its_time_is_over_pub_05(people):
    settlement, clerk = people.of("meishan", Post.SETTLEMENT), people.of("meishan", Post.CLERK)
    publish(by=settlement)
    with reading(settlement):
        sheet = Sheet.objects.get(division=XUCHONG)
        assert queries.count_hanging([XUCHONG, LILING]) == queries.Hanging(2, 0, None)
    told = {"occasion": "posted", "taken_on": POSTED, "spot": "村委会公开栏", "photographer": "王主任"}
    for wrong, where in (
        ({"content": b"%PDF-1.4"}, "照片"), ({"content": b"text"}, "文件"), ({"content": PNG + b"0" * 10 * 1024 * 1024}, "文件"),
        ({"taken_on": POSTED - timedelta(1)}, "拍摄日期"), ({"taken_on": AFTER}, "拍摄日期"), ({"spot": ""}, "地点"),
        ({"photographer": " "}, "拍摄人"), ({"occasion": "other"}, "时机"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            add_photo(by=clerk, on=POSTED, sheet_id=sheet.pk, **{"content": PNG, **told, **wrong})
        assert refused.value.where == where
    with pytest.raises(NotYourPost):
        add_photo(by=settlement, on=POSTED, sheet_id=sheet.pk, content=PNG, **told)
    photo = add_photo(by=clerk, on=POSTED, sheet_id=sheet.pk, content=PNG, **told)
    assert add_photo(by=clerk, on=POSTED, sheet_id=sheet.pk, content=PNG, **told).pk == photo.pk
    assert read_photo(by=clerk, on=POSTED, photo_id=photo.pk)[1] == PNG
    with reading(clerk):
        assert Event.objects.filter(kind="looked", subject=f"sheetphoto:{photo.pk}").count() == 1
        assert queries.count_hanging([XUCHONG, LILING]).unphotographed == 1
    with pytest.raises(StillHanging):
        take_down(by=clerk, on=POSTED, sheet_id=sheet.pk)
    with pytest.raises(IntegrityError, match="has an open notice"):
        Sheet.objects.using("maintenance").update(taken_down_on=POSTED, taken_down_by=1)
    demand_photos()
    with pytest.raises(NoPhoto, match="李岭村委会"):
        end(by=settlement, on=AFTER)
    with reading(clerk):
        other = Sheet.objects.get(division=LILING)
    add_photo(by=clerk, on=POSTED, sheet_id=other.pk, content=PNG, **told)
    assert end(by=settlement, on=AFTER) == 2
    with reading(clerk):
        assert queries.count_hanging([XUCHONG, LILING]).overdue_down == 2
        assert len(queries.page_sheets("over", prefix=MEISHAN[:9])) == 2
    down = take_down(by=clerk, on=AFTER, sheet_id=sheet.pk)
    assert take_down(by=clerk, on=AFTER + timedelta(1), sheet_id=sheet.pk).taken_down_on == down.taken_down_on == AFTER
    assert SheetPhoto.objects.using("maintenance").count() == 2


def demand_photos():
    NoticeRule.objects.using("maintenance").create(
        division="341524000000", photo_needed=True, programmes=[], hotline="12345", due_day=10, basis="县民政局文件", set_by=1,
        set_on=POSTED,
    )  # fmt: skip


def test_what_a_county_sets_holds_and_what_it_did_not_is_said_case_07(people):
    clerk = people.of("meishan", Post.CLERK)
    with reading(clerk):
        assert rule_of(XUCHONG).programmes == LONG_TERM and rule_of(XUCHONG).hotline == ""
    demand_photos()
    with reading(clerk):
        assert (rule_of(XUCHONG).photo_needed, rule_of(XUCHONG).hotline) == (True, "12345")
    with pytest.raises(NotYourPost):
        set_notice_rule(by=clerk, on=POSTED, programmes=[], hotline="", due_day=10, photo_needed=False, basis="文件1号")


def test_objections_by_name_are_sealed_looked_at_and_told_case_06(people):
    publish(by=people.of("meishan", Post.SETTLEMENT))
    clerk, reviewer = people.of("meishan", Post.CLERK), people.of("meishan", Post.REVIEWER)
    row = row_of(clerk, 11)
    for wrong in (Objector("王" * 41), Objector(phone="12"), Objector("王13812345678")):
        with pytest.raises(BadInput):
            file_objection(by=clerk, on=POSTED, row_id=row, text="他家有车", objector=wrong)
    named = file_objection(
        by=clerk, on=POSTED, row_id=row, text="他家有车", channel="phone", objector=Objector("赵六", "138 1234 5678")
    )
    stored = Objection.objects.using("maintenance").get(pk=named.pk)
    assert not stored.anonymous and "赵六".encode() not in bytes(stored.payload_enc)
    found = look_at_objector(by=reviewer, on=POSTED, objection_id=named.pk, purpose="电话核实")
    assert (found.name, found.phone) == ("赵六", "13812345678")
    with reading(reviewer):
        assert Event.objects.filter(kind="looked", subject=f"objection:{named.pk}").count() == 1
    with pytest.raises(BadInput, match="还没有答复"):
        tell_objector(by=clerk, on=POSTED, objection_id=named.pk, told_on=POSTED, how="电话")
    for wrong in ({"how": "else"}, {"on": POSTED - timedelta(1)}, {"on": AFTER}, {"looked_by": ""}, {"found": ""}):
        with pytest.raises(BadInput):
            answer_objection(
                by=reviewer, on=POSTED, objection_id=named.pk, upheld=False, answer="不属实", review=looked(**wrong)
            )
    with pytest.raises(IntegrityError, match="not looked into"):
        Objection.objects.using("maintenance").update(
            state="upheld", answer="属实", answered_on=POSTED, answered_by=reviewer.appointment
        )
    answer_objection(by=reviewer, on=POSTED, objection_id=named.pk, upheld=False, answer="不属实", review=looked())
    with reading(reviewer):
        assert (
            queries.count_untold(MEISHAN[:9]) == 1 and len(queries.page_objections("to_tell", prefix=MEISHAN[:9])) == 1
        )
    told = tell_objector(by=clerk, on=AFTER, objection_id=named.pk, told_on=AFTER, how="电话告知")
    assert tell_objector(by=clerk, on=AFTER, objection_id=named.pk, told_on=POSTED, how="再告").told_on == told.told_on
    with pytest.raises(IntegrityError, match="is final"):
        Objection.objects.using("maintenance").update(told_on=POSTED)
    bare = file_objection(by=clerk, on=POSTED, row_id=row, text="人数不对", channel="box")
    answer_objection(
        by=reviewer, on=POSTED, objection_id=bare.pk, upheld=True, answer="属实", review=looked(how="review")
    )
    with pytest.raises(BadInput, match="匿名"):
        tell_objector(by=clerk, on=AFTER, objection_id=bare.pk, told_on=AFTER, how="电话")
    with reading(reviewer):
        assert queries.count_untold(MEISHAN[:9]) == 0


def test_an_objection_about_staff_is_not_answered_by_whom_it_is_about_case_06(people):
    publish(by=people.of("meishan", Post.SETTLEMENT))
    clerk, reviewer = people.of("meishan", Post.CLERK), people.of("meishan", Post.REVIEWER)
    head = people.of("meishan", Post.TOWNSHIP_HEAD)
    row = row_of(clerk, 11)
    other = people.of("qingshan", Post.REVIEWER)
    with pytest.raises(BadInput, match="没有这位工作人员"):
        file_objection(by=clerk, on=POSTED, row_id=row, text="收了礼", about=other.appointment)
    about = file_objection(by=clerk, on=POSTED, row_id=row, text="审核员收了礼", about=reviewer.appointment)
    plain = file_objection(by=clerk, on=POSTED, row_id=row, text="他家有车")
    told = {"upheld": False, "answer": "经核实没有", "review": looked()}
    with pytest.raises(SamePerson):
        answer_objection(by=reviewer, on=POSTED, objection_id=about.pk, **told)
    with pytest.raises(SamePerson):
        look_at_objector(by=reviewer, on=POSTED, objection_id=about.pk, purpose="想知道是谁")
    with pytest.raises(NotYourPost, match="只答复反映工作人员的异议"):
        answer_objection(by=head, on=POSTED, objection_id=plain.pk, **told)
    with pytest.raises(IntegrityError, match="is about who answers"):
        Objection.objects.using("maintenance").filter(pk=about.pk).update(
            state="dismissed", how="review", looked_on=POSTED, looked_by="甲", found="x", answer="x", answered_on=POSTED,
            answered_by=reviewer.appointment,
        )  # fmt: skip
    with reading(head):
        assert [each.pk for each in queries.list_due_objections(about_staff=True)] == [about.pk]
    assert answer_objection(by=head, on=POSTED, objection_id=about.pk, **told).answered_by == head.appointment
