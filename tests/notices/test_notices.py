"""CASE-06, PAY-02: a masked list before the village for its whole period, with objections heard."""

import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput, Refusal
from huimin.notices import commands, queries
from huimin.notices.commands import NoticeClosed, NoticeStillOpen, NotPublished, ObjectionOpen
from huimin.notices.models import Notice, NoticeRow, Objection
from huimin.notices.objections import Review, answer_objection, file_objection
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, NotYourPost, SamePerson, command, reading
from huimin.organisation.posts import Post
from tests.notices.people import LILING, MEISHAN, QINGSHAN_VILLAGE, XUCHONG, People

POSTED = date(2021, 9, 1)
LAST_DAY = date(2021, 9, 8)
AFTER = date(2021, 9, 9)
SUBJECT = "roster:1"
ROWS = [
    (XUCHONG + "001", 11, "一组", "汪*梅", 3, "3.20亩", 58_688),
    (LILING, 12, "", "李*", 1, "", 12_300),
    (XUCHONG, 13, "二组", "欧阳**", 2, "1.00亩", 1_834),
]


# The plain functions are steps of payment's commands; these stand for them.
@command(Post.SETTLEMENT, Post.INFORMATION_OFFICER)
def publish(*, by: Actor, on: date = POSTED, subject: str = SUBJECT, days: int = 7, rows: Any = ROWS) -> Any:
    return commands.publish_rows(
        by=by, on=on, subject=subject, programme="dibao", title="清册公示", days=days, rows=rows
    )


@command(Post.SETTLEMENT)
def end(*, by: Actor, on: date, subject: str = SUBJECT) -> int:
    return commands.end_notices(by=by, on=on, subject=subject)


@command(Post.SETTLEMENT)
def withdraw(*, by: Actor, on: date, subject: str = SUBJECT) -> int:
    return commands.withdraw_notices(by=by, on=on, subject=subject)


@pytest.fixture
def people(county: Callable[[str], str]) -> People:
    county("blank")
    return People()


@pytest.fixture
def settlement(people: People) -> Actor:
    return people.of("meishan", Post.SETTLEMENT)


def row_of(by: Actor, line: int) -> int:
    with reading(by):
        row = queries.find_row(SUBJECT, line)
    assert row is not None
    return row.pk


def looked(on: date = POSTED, **told: Any) -> Review:
    return Review(
        **{"how": "investigation", "looked_on": on, "looked_by": "审核员、组长", "found": "已上门核实", **told}
    )


def object_to(people: People, line: int = 11, on: date = POSTED, text: str = "他家有两辆车") -> Objection:
    clerk = people.of("meishan", Post.CLERK)
    return file_objection(by=clerk, on=on, row_id=row_of(clerk, line), text=text)


def test_CASE_06_one_notice_a_village_with_numbered_rows_and_digest(settlement: Actor) -> None:
    made = publish(by=settlement)
    assert [division for _, division in made] == [XUCHONG, LILING]
    with reading(settlement):
        first = queries.get_notice(made[0][0])
        rows = queries.list_rows(first.pk)
        assert [(row.row_no, row.subject_line, row.masked_name) for row in rows] == [
            (1, 11, "汪*梅"),
            (2, 13, "欧阳**"),
        ]
        assert (first.rows_count, first.amount_fen, first.ends_on) == (2, 60_522, LAST_DAY)
        assert {queries.recompute_digest(number) == queries.get_notice(number).digest for number, _ in made} == {True}
        assert first.digest != queries.get_notice(made[1][0]).digest


def test_CASE_06_digest_tells_an_altered_row(settlement: Actor, people: People) -> None:
    number = publish(by=settlement)[0][0]
    NoticeRow.objects.using("maintenance").filter(notice=number, row_no=1).update(amount_fen=58_689)
    with reading(settlement):
        assert queries.recompute_digest(number) != queries.get_notice(number).digest


def test_CASE_06_thousands_of_rows_take_a_handful_of_queries(settlement: Actor) -> None:
    rows = [(f"3415241002{n % 40:02d}", n, "组", "王*", 2, "2.00亩", n + 1) for n in range(30_000)]
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as asked:
        made = publish(by=settlement, rows=rows)
    assert len(made) == 40 and len(asked) <= 7  # COPY and its table go past the counter: three more
    assert time.perf_counter() - started < 10
    with reading(settlement):
        assert queries.recompute_digest(made[0][0]) == queries.get_notice(made[0][0]).digest


@pytest.mark.parametrize(
    "text", ["341599196512011284", "6217 0012 3456 7890 123", "６２１７００１２３４５６７８９０１", "13800138000"]
)
def test_SEC_04_a_plain_number_is_never_published(settlement: Actor, people: People, text: str) -> None:
    with pytest.raises(BadInput, match="第2行") as refused:
        publish(by=settlement, rows=[ROWS[0], (XUCHONG, 9, "", text, 1, "", 5)])
    assert text not in str(refused.value)
    with reading(settlement):
        assert not Notice.objects.exists()


def test_CASE_06_less_than_seven_days_is_no_notice(settlement: Actor) -> None:
    with pytest.raises(AssertionError):
        publish(by=settlement, days=6)
    with pytest.raises(IntegrityError, match="notice_at_least_7_days"):
        Notice.objects.using("maintenance").create(
            division=XUCHONG, title="短", subject="x", programme="p", starts_on=POSTED, ends_on=LAST_DAY - timedelta(1),
            rows_count=0, amount_fen=0, digest="", published_by=1,
        )  # fmt: skip


def test_CASE_06_publishing_again_is_refused_without_a_second_notice(settlement: Actor) -> None:
    publish(by=settlement)
    with pytest.raises(AlreadyDone, match="已在该村公示"):
        publish(by=settlement)
    with reading(settlement):
        assert Notice.objects.count() == 2 and NoticeRow.objects.count() == 3


def test_CASE_06_an_empty_list_is_refused(settlement: Actor) -> None:
    with pytest.raises(NotPublished):
        publish(by=settlement, rows=[])


def test_SEC_03_another_place_cannot_be_published_for(settlement: Actor, people: People) -> None:
    with pytest.raises(NotYourPlace):
        publish(by=settlement, rows=[(QINGSHAN_VILLAGE, 1, "", "王*", 1, "", 5)])
    publish(by=settlement)
    with reading(people.of("qingshan", Post.CLERK)):
        assert list(queries.list_notices()) == []
    with reading(people.of("xuchong", Post.INFORMATION_OFFICER)):
        assert [item.division for item in queries.list_notices()] == [XUCHONG]


def test_PAY_02_ends_the_day_after_the_last_and_not_before(settlement: Actor) -> None:
    publish(by=settlement)
    for early in (POSTED, LAST_DAY):
        with pytest.raises(NoticeStillOpen, match="2021-09-08") as refused:
            end(by=settlement, on=early)
        assert "村委会" in refused.value.what and "2021-09-09" in refused.value.remedy
    with reading(settlement):
        assert not queries.is_clear(SUBJECT)
    assert end(by=settlement, on=AFTER) == 2
    with reading(settlement):
        assert queries.is_clear(SUBJECT)
        assert set(Notice.objects.values_list("state", "ended_on", "ended_by")) == {
            ("ended", AFTER, settlement.appointment)
        }


def test_PAY_02_ending_again_changes_nothing(settlement: Actor) -> None:
    publish(by=settlement)
    assert (end(by=settlement, on=AFTER), end(by=settlement, on=AFTER + timedelta(1))) == (2, 0)
    with pytest.raises(NotPublished):
        end(by=settlement, on=AFTER, subject="roster:2")


def test_SEC_07_the_database_refuses_an_early_or_contested_end(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    object_to(people)
    notices = Notice.objects.using("maintenance").filter(division=XUCHONG)
    with pytest.raises(IntegrityError, match="notice_not_ended_early"):
        Notice.objects.using("maintenance").filter(division=LILING).update(state="ended", ended_on=LAST_DAY, ended_by=1)
    with pytest.raises(IntegrityError, match="open objection"):
        notices.update(state="ended", ended_on=AFTER, ended_by=1)
    notices.update(state="withdrawn", ended_on=AFTER, ended_by=1)
    with pytest.raises(IntegrityError, match="final"):
        notices.update(state="open", ended_on=None, ended_by=None)


def test_SEC_07_the_application_cannot_touch_a_published_row(settlement: Actor) -> None:
    publish(by=settlement)
    for change in ("UPDATE notices_noticerow SET amount_fen = 1", "DELETE FROM notices_noticerow",
                   "UPDATE notices_notice SET ends_on = starts_on", "DELETE FROM notices_notice"):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), reading(settlement):
            connection.cursor().execute(change)


def test_CASE_06_an_objection_blocks_until_it_is_answered(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    objection = object_to(people)
    assert objection.due_on == POSTED + timedelta(days=7)
    with pytest.raises(ObjectionOpen, match="徐冲村委会公示第 1 行"):
        end(by=settlement, on=AFTER)
    reviewer = people.of("meishan", Post.REVIEWER)
    with reading(reviewer):
        assert [item.pk for item in queries.list_due_objections()] == [objection.pk]
        assert [item.waiting for item in queries.list_notices()] == [1, 0]
    answer_objection(
        by=reviewer, on=AFTER, objection_id=objection.pk, upheld=False, answer="经核查无车", review=looked(AFTER)
    )
    with reading(reviewer):
        assert queries.count_due_objections() == 0 and queries.upheld_lines(SUBJECT) == []
    assert end(by=settlement, on=AFTER) == 2


def test_CASE_06_upheld_lines_are_named_once(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    for line, text in ((13, "已去世"), (13, "户口已迁出"), (11, "人数不对")):
        objection = object_to(people, line, text=text)
        answer_objection(
            by=people.of("meishan", Post.REVIEWER),
            on=POSTED,
            objection_id=objection.pk,
            upheld=line == 13,
            answer="属实",
            review=looked(POSTED),
        )
    with reading(settlement):
        assert queries.upheld_lines(SUBJECT) == [13]
        assert len(queries.list_objections(SUBJECT)) == 3
    withdraw(by=settlement, on=AFTER)
    with reading(settlement):
        assert queries.upheld_lines(SUBJECT) == []


def test_CASE_06_filing_and_answering_twice_change_nothing(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    first = object_to(people)
    assert object_to(people, on=POSTED + timedelta(1)).pk == first.pk
    answers = {"by": people.of("meishan", Post.REVIEWER), "objection_id": first.pk, "upheld": True, "review": looked()}
    done = answer_objection(on=POSTED, answer="属实", **answers)
    again = answer_objection(on=AFTER, answer="属实", **answers)
    assert (again.pk, again.answered_on) == (done.pk, POSTED)
    with pytest.raises(AlreadyDone, match="异议成立"):
        answer_objection(on=AFTER, answer="不属实", **(answers | {"upheld": False}))


def test_CASE_06_who_may_file_and_answer(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    row = row_of(settlement, 11)
    with pytest.raises(NotYourPost):
        file_objection(by=settlement, on=POSTED, row_id=row, text="有车")
    for elsewhere in (people.of("qingshan", Post.CLERK), people.of("liling", Post.INFORMATION_OFFICER)):
        with pytest.raises(NotPublished):
            file_objection(by=elsewhere, on=POSTED, row_id=row, text="有车")
    villager = people.of("xuchong", Post.INFORMATION_OFFICER)
    objection = file_objection(by=villager, on=POSTED, row_id=row, text="有车")
    with pytest.raises(NotYourPost):
        answer_objection(
            by=villager, on=POSTED, objection_id=objection.pk, upheld=True, answer="属实", review=looked(POSTED)
        )
    with pytest.raises(NotPublished):
        answer_objection(
            by=people.of("qingshan", Post.REVIEWER),
            on=POSTED,
            objection_id=objection.pk,
            upheld=True,
            answer="属实",
            review=looked(POSTED),
        )
    with reading(settlement):
        assert Event.objects.filter(kind="refused", subject="file_objection").count() == 2


def test_CASE_06_who_filed_does_not_answer(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    objection = object_to(people)
    reviewer = people.of("meishan", Post.REVIEWER)
    same = Actor(**{**reviewer.__dict__, "appointment": objection.filed_by})
    with pytest.raises(SamePerson):
        answer_objection(
            by=same, on=POSTED, objection_id=objection.pk, upheld=True, answer="属实", review=looked(POSTED)
        )
    with pytest.raises(IntegrityError, match="objection_answered_by_another"):
        Objection.objects.using("maintenance").update(
            state="upheld", how="review", looked_on=POSTED, looked_by="甲", found="x", answer="x", answered_on=POSTED,
            answered_by=objection.filed_by,
        )  # fmt: skip


@pytest.mark.parametrize("text", ["", "  ", "长" * 501, "证号341599196512011284", "电话 138 0013 8000"])
def test_CASE_06_objection_text_is_checked(settlement: Actor, people: People, text: str) -> None:
    publish(by=settlement)
    with pytest.raises(BadInput):
        object_to(people, text=text)


def test_CASE_06_no_objection_to_a_closed_notice(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    end(by=settlement, on=AFTER)
    with pytest.raises(NoticeClosed, match="公示结束"):
        object_to(people, on=AFTER)
    notice = Notice.objects.using("maintenance").get(division=XUCHONG)
    with pytest.raises(IntegrityError, match="no such row"):
        Objection.objects.using("maintenance").create(
            row=NoticeRow.objects.using("maintenance").filter(notice=notice)[0], notice=notice, division=XUCHONG,
            text="迟到", filed_on=AFTER, filed_by=1, due_on=AFTER,
        )  # fmt: skip


def test_CASE_06_withdrawn_list_may_be_published_anew(settlement: Actor, people: People) -> None:
    publish(by=settlement)
    open_objection = object_to(people)
    assert (withdraw(by=settlement, on=POSTED), withdraw(by=settlement, on=POSTED)) == (2, 0)
    publish(by=settlement, on=AFTER)
    with reading(settlement):
        assert not queries.is_clear(SUBJECT)
        assert Notice.objects.filter(state="open").count() == 2
    answer_objection(
        by=people.of("meishan", Post.REVIEWER),
        on=AFTER,
        objection_id=open_objection.pk,
        upheld=True,
        answer="属实",
        review=looked(AFTER),
    )
    assert end(by=settlement, on=AFTER + timedelta(days=8)) == 2


def test_CASE_06_lists_page_by_key_with_deadlines(settlement: Actor) -> None:
    for number in range(5):
        publish(by=settlement, on=POSTED + timedelta(number), subject=f"roster:{number}")
    with reading(settlement):
        whole = queries.list_notices(prefix=MEISHAN[:9]).rows
        page = queries.list_notices(size=3)
        paged = list(page)
        while page.next:
            page = queries.list_notices(place=page.next, size=3)
            paged += page
        assert paged == whole and len(whole) == 10
        assert [item.is_overdue(AFTER) for item in whole] == [True] * 2 + [False] * 8
        assert whole[0].may_end_on == AFTER
        assert list(queries.list_notices(state="ended")) == []
        first = queries.list_rows(whole[0].pk, size=1)
        assert [row.row_no for row in queries.list_rows(whole[0].pk, place=first.next)] == [2]


def test_CASE_06_filing_while_it_ends_loses_nothing(settlement: Actor, people: People) -> None:
    """Two transactions at once: either the objection came first and blocks, or the notice ended and refuses it."""
    publish(by=settlement)
    clerk, outcome = people.of("meishan", Post.CLERK), {}
    row = row_of(clerk, 11)

    def run(name: str, act: Callable[[], Any]) -> None:
        try:
            outcome[name] = act()
        except Refusal as refusal:
            outcome[name] = refusal
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=("end", lambda: end(by=settlement, on=AFTER))),
        threading.Thread(
            target=run, args=("file", lambda: file_objection(by=clerk, on=AFTER, row_id=row, text="有车"))
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    blocked = isinstance(outcome["end"], ObjectionOpen) and isinstance(outcome["file"], Objection)
    too_late = outcome["end"] == 2 and isinstance(outcome["file"], NoticeClosed)
    assert blocked != too_late
