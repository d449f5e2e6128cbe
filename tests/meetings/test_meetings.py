"""Community review from the list of representatives to evidence of a step, and everything that must not happen (CASE-03)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from huimin.cases.models import CaseEvidence
from huimin.cases.queries import slots
from huimin.cases.taking import EvidenceMissing, take_step
from huimin.database.bulk import run
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.meetings import queries
from huimin.meetings.convening import NobodyToJudge, add_cases, cancel_meeting, convene, refresh_sheet, word_hardship
from huimin.meetings.delegates import (
    ListFull,
    check_list,
    end_representative,
    enter_number,
    enter_representative,
    read_phone,
)
from huimin.meetings.following import NothingToInquire, correct_minutes, file_scan, inquire, read_meeting_scan
from huimin.meetings.holding import MeetingValid, MeetingVoid, hold_meeting, void_meeting
from huimin.meetings.judging import (
    CountsDiffer,
    NotYetJudged,
    ReasonsFirst,
    ResultDiffers,
    TooManyBallots,
    minutes_digest,
    put_off_item,
    record_minutes,
    record_result,
    take_back,
)
from huimin.meetings.models import Inquiry, Item, Meeting, Participant, Representative
from huimin.meetings.rules import rule_at, set_meeting_rule
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from tests.cases.people import DAY, ask, entering, people, reread
from tests.meetings.people import (
    BEFORE,
    agreed,
    called,
    came,
    held,
    informant,
    items_of,
    judged,
    listed,
    own_name,
    seats,
    to_review,
    votes,
)


@pytest.fixture(autouse=True)
def screened(shared_county):
    """One county for all; each test has a household in a village of its own."""
    shared_county("screened")


def passes(house, case):
    return take_step(by=informant(house), on=DAY, case_id=case.pk, step="评议", outcome="passed")


def missing(house, case):
    now = reread(case)
    with reading(informant(house)):
        [(_, told)] = slots(now, DAY)
        return told.missing


def refused_by_database(name, statement, *values):
    """A statement of the application's own role that a trigger or constraint refuses."""
    with pytest.raises(IntegrityError) as refused, reading(county_officer()):
        run(statement, values)
    assert refused.value.__cause__.diag.constraint_name == name


def test_a_meeting_from_its_list_to_evidence_that_nobody_changes_case_03():
    house = entering(nth=0)
    who, by = people(house), informant(house)
    case = to_review(house, who)
    assert missing(house, case) == "还没有开评议会"
    with pytest.raises(EvidenceMissing, match="还没有开评议会"):
        passes(house, case)
    with pytest.raises(NobodyToJudge, match="法定代表数"):
        called(house, [case])
    village = listed(house, relative=True)
    meeting = called(house, [case])
    assert missing(house, case) == f"评议会定在 {DAY}"
    with pytest.raises(AlreadyDone, match="这一天已有评议会"):
        called(house, [case])
    with pytest.raises(AlreadyDone, match="已列入另一次评议会"):
        called(house, [case], meets_on=DAY + timedelta(days=1))
    with pytest.raises(AlreadyDone, match="在这次会议上列过了"):
        add_cases(by=by, on=DAY, meeting=meeting.pk, cases=[case.pk])
    [item] = items_of(meeting, house)
    word_hardship(by=by, on=DAY, item=item.pk, text="两位老人，没有人挣钱")
    with pytest.raises(BadInput, match="有号码"):
        word_hardship(by=by, on=DAY, item=item.pk, text="电话 13800001111")
    assert refresh_sheet(by=by, on=DAY, meeting=meeting.pk) == 0
    hold_meeting(by=by, on=DAY, meeting=meeting.pk, came=came(meeting, house))
    assert missing(house, case) == "评议会已开，这件事还没有结果"
    with pytest.raises(NotYetJudged, match="还有 1 件"):
        record_minutes(by=by, on=DAY, meeting=meeting.pk, words="会议经过", recorder="王芳 文书")
    reps, watching = seats(meeting, house)
    first = agreed(near={reps[1]: "堂兄", reps[2]: "写错了"})
    assert record_result(by=by, on=DAY, item=item.pk, result=first).voters == len(reps) - 3
    assert take_back(by=by, on=DAY, item=item.pk).state == "waiting"
    with pytest.raises(AlreadyDone, match="待评议"):
        take_back(by=by, on=DAY, item=item.pk)
    done = record_result(by=by, on=DAY, item=item.pk, result=agreed(near={reps[1]: "堂兄"}))
    assert (done.voters, done.outcome, done.contested) == (len(reps) - 2, "agreed", False)
    with pytest.raises(AlreadyDone, match="已评议"):
        record_result(by=by, on=DAY, item=item.pk, result=agreed())
    with reading(by):
        recusals = Item.objects.get(pk=item.pk).recusals.filter(withdrawn=False)
        noted = {each.participant.name: (each.source, each.relation) for each in recusals}
        assert len(noted) == 2
    assert noted[own_name(house)["name"]][0] == "registry" and noted["代表01"] == ("declared", "堂兄")
    assert missing(house, case) == "会议记录还没有定稿"
    final = record_minutes(by=by, on=DAY, meeting=meeting.pk, words="会议经过", recorder="王芳 文书")
    with pytest.raises(AlreadyDone, match="已定稿"):
        take_back(by=by, on=DAY, item=item.pk)
    with pytest.raises(AlreadyDone, match="已定稿"):
        record_minutes(by=by, on=DAY, meeting=meeting.pk, words="再写一遍", recorder="王芳 文书")
    with reading(by):
        assert minutes_digest(Meeting.objects.get(pk=final.pk)) == final.digest == final.signature.content_digest
    for name, statement in (
        ("meeting_final", "UPDATE meetings_meeting SET words = '另一种说法' WHERE id = %s"),
        ("meeting_final", "UPDATE meetings_participant SET present = true WHERE meeting_id = %s"),
        (
            "item_final",
            "UPDATE meetings_item SET outcome = 'disagreed', contested = true, reasons = '改' WHERE meeting_id = %s",
        ),
        ("item_final", "UPDATE meetings_item SET state = 'reopened' WHERE meeting_id = %s"),
        ("item_final", "UPDATE meetings_item SET state = 'waiting', outcome = '', how = '' WHERE meeting_id = %s"),
    ):
        refused_by_database(name, statement, meeting.pk)
    with pytest.raises(NothingToInquire, match="与认定一致"):
        inquire(by=who[Post.REVIEWER], on=DAY, item=item.pk, conclusion="stands", text="查了一遍，没有什么不对的")
    assert passes(house, case).step == "村公示"
    with reading(by):
        [held_] = CaseEvidence.objects.filter(case=case, kind="民主评议")
        assert (held_.reference, held_.held_on) == (f"meetings_item:{item.pk}", DAY)
        assert queries.list_waiting(village) == []
    _after_the_minutes(house, meeting, watching)


def _after_the_minutes(house, meeting, watching):
    """Corrections stand beside them; signed papers are kept and read with a trace; the phone for a purpose only."""
    by = informant(house)
    correct_minutes(by=by, on=DAY, meeting=meeting.pk, text="地点应为老村部")
    with pytest.raises(AlreadyDone, match="同样的更正"):
        correct_minutes(by=by, on=DAY, meeting=meeting.pk, text="地点应为老村部")
    scan = file_scan(by=by, on=DAY, meeting=meeting.pk, kind="minutes", content=b"%PDF-1.4 signed")
    for content, words in (
        (b"%PDF-1.4 signed", "已经上传过"),
        (b"MZ not a scan", "不是 JPG"),
        (b"%PDF" * 3_000_000, "超过 10 MB"),
    ):
        with pytest.raises((AlreadyDone, BadInput), match=words):
            file_scan(by=by, on=DAY, meeting=meeting.pk, kind="minutes", content=content)
    assert read_meeting_scan(by=people(house)[Post.REVIEWER], on=DAY, scan=scan.pk)[1] == b"%PDF-1.4 signed"
    with reading(by):
        rep = Representative.objects.filter(division=meeting.division).first()
    assert read_phone(by=by, on=DAY, who="representative", row=rep.pk, purpose="通知开会") == "16012345678"
    with pytest.raises(BadInput, match="用途"):
        read_phone(by=by, on=DAY, who="representative", row=rep.pk, purpose="")


def test_a_meeting_without_enough_people_is_void_and_its_cases_wait_case_03():
    house = entering(nth=1)
    by = informant(house)
    case = to_review(house)
    village = listed(house)
    meeting = called(house, [case])
    short = {
        "不足法定代表数 6 人的三分之二（4 人）": {"reps": 3}, "没有义务监督员": {"supervisors": False}, "没有乡镇干部": {"cadres": False},
    }  # fmt: skip
    for words, who in short.items():
        with pytest.raises(MeetingVoid, match=words):
            hold_meeting(by=by, on=DAY, meeting=meeting.pk, came=came(meeting, house, **who))
    with reading(by):
        assert Meeting.objects.get(pk=meeting.pk).state == "planned"
        rows = Participant.objects.filter(meeting=meeting)
        assert not rows.filter(role="cadre").exists() and not rows.exclude(present=None).exists(), "nothing half done"
    raw = "UPDATE meetings_meeting SET state = 'held', statutory = {}, present = {}, supervisors = 1, cadres = 1 WHERE id = %s"
    refused_by_database("meeting_counts_who_came", raw.format(6, 6), meeting.pk)
    refused_by_database("meeting_counts_who_came", raw.format(3, 3), meeting.pk)
    with pytest.raises(MeetingValid, match="会议有效"):
        void_meeting(by=by, on=DAY, meeting=meeting.pk, came=came(meeting, house))
    gone = void_meeting(by=by, on=DAY, meeting=meeting.pk, came=came(meeting, house, reps=3), words="下雨路断")
    assert gone.state == "void" and gone.present == 3 and gone.reason.endswith("下雨路断")
    with pytest.raises(AlreadyDone, match="会议不成立"):
        void_meeting(by=by, on=DAY, meeting=meeting.pk, came=came(meeting, house, reps=3))
    refused_by_database("meeting_final", "UPDATE meetings_meeting SET state = 'held' WHERE id = %s", meeting.pk)
    assert missing(house, case) == "还没有开评议会"
    with reading(by):
        assert [row.pk for row in queries.list_waiting(village)] == [case.pk]
        [row] = queries.count_waiting_by_village(village)
        assert (row.village, row.count, row.meets_on) == (village, 1, None)
    again = called(house, [case])  # the same day, since the first came to nothing
    cancel_meeting(by=by, on=DAY, meeting=again.pk, reason="改期再开")
    tomorrow = called(house, [case], meets_on=DAY + timedelta(days=1))
    with pytest.raises(BadInput, match="还没有到"):
        hold_meeting(by=by, on=DAY, meeting=tomorrow.pk, came=came(tomorrow, house))
    with pytest.raises(BadInput, match="应到名单"):
        hold_meeting(by=by, on=DAY + timedelta(days=1), meeting=tomorrow.pk, came=came(meeting, house))


def test_a_vote_of_more_ballots_than_votes_is_refused_and_every_other_wrong_count_case_03():
    house = entering(nth=2)
    by = informant(house)
    case = to_review(house)
    listed(house, number=30, names=30, relative=True)
    meeting = held(house, [case], reps=30)
    [item] = items_of(meeting, house)
    reps, watching = seats(meeting, house)
    vote = lambda *counts, **more: votes(meeting, house, *counts, skip=1, **more)  # noqa: E731  the first is recused
    wrong = (
        (TooManyBallots, "发出 40 票，有表决权的代表只有 29 人。到会居民代表 30 人，其中 1 人回避", vote(40), "agreed"),
        (TooManyBallots, "发出 30 票", vote(30), "agreed"),
        (CountsDiffer, "合计 28，不等于发出的 29 票", vote(20, 8, ballots=29), "agreed"),
        (ResultDiffers, "赞成 14 票，15 票通过", vote(14, 10, 5), "agreed"),
        (BadInput, "不是正数", vote(-1, 5, 5), "agreed"),
        (BadInput, "有同一个人", vote(20, 5, 4, caller=reps[1]), "agreed"),
        (BadInput, "监票人不是到会的居民代表", vote(20, 5, 4, scrutineer=watching[0], overseer=reps[9]), "agreed"),
        (BadInput, "评议监督员不是到会的义务监督员", vote(20, 5, 4, overseer=reps[9]), "agreed"),
        (BadInput, "须回避，不能作计票人", vote(20, 5, 4, counter=reps[0]), "agreed"),
        (BadInput, "没有写票数", None, "agreed"),
        (ReasonsFirst, "评议结果与认定不一致", vote(14, 10, 5), ""),
    )
    for kind, words, told, outcome in wrong:
        with pytest.raises(kind, match=words):
            record_result(by=by, on=DAY, item=item.pk, result=agreed(how="vote", votes=told, outcome=outcome))
    with reading(by):
        row = Item.objects.get(pk=item.pk)
        assert (row.state, row.ballots, row.recusals.count()) == ("waiting", None, 0), "nothing half done"
    done = record_result(by=by, on=DAY, item=item.pk, result=agreed(how="vote", votes=vote(15, 10, 4), outcome=""))
    assert (done.outcome, done.voters, done.ballots, done.contested) == ("agreed", 29, 29, False)
    refused_by_database("item_final", "UPDATE meetings_item SET in_favour = 29, against = 0 WHERE id = %s", item.pk)


def test_the_database_counts_for_itself_case_03():
    """What a command would have refused, written past it."""
    house = entering(nth=3)
    case = to_review(house)
    listed(house, relative=True)
    meeting = held(house, [case])
    [item] = items_of(meeting, house)
    reps, watching = seats(meeting, house)
    told = "UPDATE meetings_item SET state = 'judged', outcome = '{outcome}', how = 'vote', words = '同意', majority = 'half', voters = {voters},"
    told += (
        " ballots = {ballots}, in_favour = {yes}, against = {no}, abstained = 0, scrutineer_id = {a}, caller_id = {b},"
    )
    told += " counter_id = {c}, overseer_id = {d}, judged_by = 1, judged_on = '2021-07-01' WHERE id = %s"
    right = {
        "outcome": "agreed", "voters": 6, "ballots": 5, "yes": 5, "no": 0, "a": reps[1], "b": reps[2], "c": reps[3], "d": watching[0],
    }  # fmt: skip
    refused_by_database("item_relatives_recused", told.format(**right), item.pk)
    with reading(county_officer()):
        run(
            "INSERT INTO meetings_itemrecusal (item_id, division, participant_id, relation, source, withdrawn) VALUES (%s, %s, %s, '本人', 'registry', false)",
            [item.pk, meeting.division, reps[0]],
        )
    right["voters"] = 5
    for name, more in (
        ("item_votes_there_are", {"voters": 6}), ("item_vote_adds_up", {"ballots": 40, "yes": 40}),
        ("item_vote_adds_up", {"ballots": 4}), ("item_result_follows", {"yes": 2, "no": 3}),
        ("item_counted_by_who_was_there", {"d": reps[5]}), ("item_counted_by_who_was_there", {"a": reps[0]}),
        ("item_counted_by_who_was_there", {"b": reps[1]}), ("item_contested_is_told", {"yes": 0, "no": 5, "outcome": "disagreed"}),
    ):  # fmt: skip
        refused_by_database(name, told.format(**(right | more)), item.pk)
    refused_by_database("item_state_follows", "UPDATE meetings_item SET state = 'dropped' WHERE id = %s", item.pk)
    refused_by_database("item_final", "UPDATE meetings_item SET eligible = NOT eligible WHERE id = %s", item.pk)
    refused_by_database(
        "meeting_every_case_told", "UPDATE meetings_meeting SET state = 'recorded' WHERE id = %s", meeting.pk
    )
    with reading(county_officer()):
        run(told.format(**right), [item.pk])
    evidence = (
        "INSERT INTO cases_caseevidence (case_id, division, step, round, kind, reference, digest, held_on)"
        " VALUES (%s, %s, '评议', 1, '民主评议', %s, '', '2021-07-01')"
    )
    refused_by_database(
        "evidence_of_a_meeting_that_counts", evidence, case.pk, meeting.division, f"meetings_item:{item.pk}"
    )


def test_a_result_against_the_determination_waits_for_the_township_case_03():
    house = entering(nth=4)
    who, by = people(house), informant(house)
    case = to_review(house, who)
    listed(house)
    with pytest.raises(ReasonsFirst, match="按登记和政策符合条件，评议不通过"):
        judged(house, [case], agreed(outcome="disagreed"))
    with reading(by):
        meeting = Meeting.objects.get(division=house.division[:12])
    [item] = items_of(meeting, house)
    against = agreed(outcome="disagreed", words="都说他家不困难", reasons="儿子在外做生意，家里买了车")
    assert record_result(by=by, on=DAY, item=item.pk, result=against).contested
    with reading(by):
        assert queries.list_contested(meeting.division) == [], "minutes first"
    record_minutes(by=by, on=DAY, meeting=meeting.pk, words="分歧较大。", recorder="王芳 文书")
    assert missing(house, case) == "评议结果与认定不一致，等乡镇核查"
    with pytest.raises(EvidenceMissing, match="等乡镇核查"):
        passes(house, case)
    with reading(by):
        assert [row.pk for row in queries.list_contested(meeting.division)] == [item.pk]
    report = {"on": DAY, "item": item.pk, "text": "查了车管所和工商登记，走访三户邻居，没有发现车辆和经营。"}
    with pytest.raises(NotYourPost):
        inquire(by=who[Post.CLERK], conclusion="stands", **report)
    with pytest.raises(BadInput, match="没有写核查报告"):
        inquire(by=who[Post.REVIEWER], on=DAY, item=item.pk, conclusion="stands", text="属实")
    refused_by_database("item_final", "UPDATE meetings_item SET state = 'reopened' WHERE id = %s", item.pk)
    made = inquire(by=who[Post.REVIEWER], conclusion="stands", **report)
    with pytest.raises(AlreadyDone, match="已经核查过"):
        inquire(by=who[Post.TOWNSHIP_HEAD], conclusion="again", **report)
    passes(house, case)
    with reading(by):
        held_ = dict(CaseEvidence.objects.filter(case=case, kind="民主评议").values_list("reference", "digest"))
    assert set(held_) == {f"meetings_item:{item.pk}", f"meetings_inquiry:{made.pk}"}
    assert held_[f"meetings_inquiry:{made.pk}"] == made.signature.content_digest


def test_judged_again_when_the_township_finds_the_meeting_right_case_03():
    house = entering(nth=5)
    who, by = people(house), informant(house)
    case = to_review(house, who)
    village = listed(house)
    against = agreed(outcome="disagreed", reasons="儿子有车，没有登记")
    meeting = judged(house, [case], against)
    [item] = items_of(meeting, house)
    later = DAY + timedelta(days=3)
    with pytest.raises(AlreadyDone, match="这一轮已经评议过"):
        called(house, [case], meets_on=later)
    # The reviewer as the cadre who sat in the meeting: the same person under another post.
    from dataclasses import replace

    cunning = replace(who[Post.REVIEWER], account=who[Post.CLERK].account)
    report = {"on": DAY, "item": item.pk, "conclusion": "again", "text": "经查确有车辆，村里补登记后重新评议。"}
    with pytest.raises(SamePerson, match="参加了这次评议会"):
        inquire(by=cunning, **report)
    inquire(by=who[Post.REVIEWER], **report)
    with reading(by):
        assert Inquiry.objects.get(item=item).conclusion == "again"
        assert minutes_digest(Meeting.objects.get(pk=meeting.pk)) == meeting.digest, "the minutes are what they were"
        assert [row.pk for row in queries.list_waiting(village)] == [case.pk]
    assert missing(house, case) == "乡镇核查后要重新评议"
    second = called(house, [case], meets_on=later)
    hold_meeting(by=by, on=later, meeting=second.pk, came=came(second, house))
    [fresh] = items_of(second, house)
    put_off_item(by=by, on=later, item=fresh.pk, reason="登记还没有补完")
    record_minutes(by=by, on=later, meeting=second.pk, words="没有评议。", recorder="王芳 文书")
    with reading(by):
        assert [row.pk for row in queries.list_waiting(village)] == [case.pk]


def test_a_case_that_was_sent_back_is_judged_anew_and_frees_its_agenda_case_03():
    house = entering(nth=6)
    who, by = people(house), informant(house)
    case = to_review(house, who)
    listed(house)
    meeting = held(house, [case])
    [item] = items_of(meeting, house)
    take_step(by=by, on=DAY, case_id=case.pk, step="评议", outcome="returned", reason="收入要再核实", to="调查")
    with pytest.raises(Exception, match="已不在“评议”"):
        record_result(by=by, on=DAY, item=item.pk, result=agreed())
    put_off_item(by=by, on=DAY, item=item.pk, reason="已退回调查")
    record_minutes(by=by, on=DAY, meeting=meeting.pk, words="退回调查，没有评议。", recorder="王芳 文书")
    with reading(county_officer()):
        assert not CaseEvidence.objects.filter(case=case, kind="民主评议").exists()
    assert reread(case).round == 2


def test_lists_are_checked_by_another_and_never_longer_than_the_number_sup_06():
    house = entering(nth=7)
    who, by, village = people(house), informant(house), entering(nth=7).division[:12]
    told = {"on": DAY, "village": village, "group_name": "一组", "valid_from": BEFORE}
    with pytest.raises(BadInput, match="还没有填法定代表数"):
        enter_representative(by=by, name="张三", **told)
    number = {"on": DAY, "village": village, "basis": "推选报告单", "valid_from": BEFORE}
    for wrong in (0, 2, 501):
        with pytest.raises(BadInput, match="不是法定代表数"):
            enter_number(by=by, number=wrong, **number)
    enter_number(by=by, number=3, **number)
    with pytest.raises(AlreadyDone, match="已经填过"):
        enter_number(by=by, number=4, **number)
    with pytest.raises(NotYourPlace):
        enter_number(by=informant(entering(nth=8)), number=3, **number)
    first = enter_representative(by=by, name="张三", **told)
    with pytest.raises(AlreadyDone, match="已有这位代表"):
        enter_representative(by=by, name="张三", **told)
    for wrong, words in (
        ({"phone": "abc"}, "不是电话"),
        ({"household_no": "x"}, "没有叫"),
        ({"last_day": date_before()}, "截止早于"),
    ):
        with pytest.raises(BadInput, match=words):
            enter_representative(by=by, name="李四", **(told | wrong))
    enter_representative(by=who[Post.CLERK], name="李四", **told)
    enter_representative(by=by, name="王五", **told)
    with pytest.raises(ListFull, match="等于法定代表数"):
        enter_representative(by=by, name="赵六", **told)
    with pytest.raises(SamePerson):
        check_list(by=who[Post.CLERK], on=DAY, village=village, agreed=True)
    with pytest.raises(BadInput, match="不予认可的原因"):
        check_list(by=who[Post.REVIEWER], on=DAY, village=village, agreed=False)
    assert check_list(by=who[Post.REVIEWER], on=DAY, village=village, agreed=True) == 4
    with pytest.raises(AlreadyDone, match="没有待核对的"):
        check_list(by=who[Post.REVIEWER], on=DAY, village=village, agreed=True)
    end_representative(by=by, on=DAY, representative=first.pk, last_day=DAY, reason="外出务工")
    with reading(by):
        rows = queries.list_representatives(village, DAY + timedelta(days=1))
        assert {row.name for row in rows} == {"李四", "王五"}
        [line] = queries.list_villages(village, DAY + timedelta(days=1))
        assert (line.number, line.representatives, line.supervisors, line.waiting, line.short) == (3, 2, 0, 0, True)
        assert queries.count_lists_to_check(village) == 0


def date_before():
    return BEFORE - timedelta(days=1)


def test_who_may_call_and_for_what_case_03():
    house = entering(nth=8)
    who, by = people(house), informant(house)
    listed(house)
    asked = ask(house, who[Post.CLERK])
    told = {
        "on": DAY,
        "village": house.division[:12],
        "meets_on": DAY,
        "meets_at": "9:30",
        "location": "村部",
        "chair": "李明 主任",
    }
    with pytest.raises(AlreadyDone, match="现在不等评议"):
        convene(by=by, cases=[asked.pk], **told)
    with pytest.raises(NotYourPost):
        convene(by=who[Post.REVIEWER], cases=[asked.pk], **told)
    with pytest.raises(NotYourPlace):
        convene(by=informant(entering(nth=9)), cases=[asked.pk], **told)
    for wrong, words in (
        ({"cases": []}, "没有选要评议"), ({"meets_on": DAY - timedelta(days=1)}, "不能补通知"), ({"meets_at": "下午"}, "不是时间"),
        ({"location": ""}, "没有写明地点"), ({"cases": [10**9]}, "不是这个村的"), ({"cases": range(1, 80)}, "太多"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            convene(by=by, **({"cases": [asked.pk], **told} | wrong))


def test_the_county_rules_how_many_carry_and_who_watches_case_03():
    house = entering(nth=9)
    case = to_review(house)
    listed(house, number=9, names=9)
    officer = county_officer()
    with reading(officer):
        assert rule_at(house.division)[:2] == ("half", "supervisor")
    with pytest.raises(BadInput, match="没有写依据"):
        set_meeting_rule(by=officer, on=DAY, majority="two_thirds", overseer="representative", basis="")
    rule = set_meeting_rule(by=officer, on=DAY, majority="two_thirds", overseer="representative", basis="县 8 号文")
    assert (
        set_meeting_rule(by=officer, on=DAY, majority="two_thirds", overseer="representative", basis="县 8 号文").pk
        == rule.pk
    )
    try:
        meeting = held(house, [case])
        [item] = items_of(meeting, house)
        reps, _ = seats(meeting, house)
        told = votes(meeting, house, 5, 4, overseer=reps[8])
        with pytest.raises(ResultDiffers, match="6 票通过"):
            record_result(by=informant(house), on=DAY, item=item.pk, result=agreed(how="vote", votes=told))
        told = votes(meeting, house, 6, 3, overseer=reps[8])
        done = record_result(
            by=informant(house), on=DAY, item=item.pk, result=agreed(how="vote", votes=told, outcome="")
        )
        assert (done.outcome, done.majority) == ("agreed", "two_thirds")
    finally:
        set_meeting_rule(by=officer, on=DAY, majority="half", overseer="supervisor", basis="恢复")
