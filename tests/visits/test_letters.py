"""Letters to employers, entrusted visits, doubts that go back to the household and into the registry (CASE-02, VER-02, SEC-03)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, connections

from huimin.cases.taking import EvidenceMissing, take_step
from huimin.casework.changes import confirm_change
from huimin.database import rotating
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.divisions.models import Division
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.models import ReportedChange
from huimin.visits.doubts import report_found, settle_doubt
from huimin.visits.entrusting import (
    NotElsewhere,
    enter_reply,
    enter_return,
    issue_entrustment,
    reply_entrustment,
    return_entrustment,
    take_reply,
    withdraw_entrustment,
)
from huimin.visits.letters import answer_letter, issue_letter, withdraw_letter
from huimin.visits.models import Doubt, Entrustment, Visit
from huimin.visits.recording import NotAnInvestigator, candidates
from tests.cases.people import DAY, ask, entering, people
from tests.registry.people import members, other_staff
from tests.visits.people import PNG, Differs, found, sign, visit

LATER = DAY + timedelta(days=5)


@pytest.fixture
def story(county):
    county("screened")
    house = entering()
    who = people(house)
    return house, who, ask(house, who[Post.CLERK])


def passed(who, case, on=LATER):
    return take_step(by=who[Post.CLERK], on=on, case_id=case.pk, step="调查", outcome="passed")


def matter(case):
    return {"household": case.household_id, "subject": case.subject, "purpose": "application", "case_id": case.pk}


def test_what_was_found_is_asked_back_and_goes_into_the_registry_by_its_own_command_ver_02(story):
    house, who, case = story
    clerk, reviewer = who[Post.CLERK], who[Post.REVIEWER]
    with reading(clerk):
        had = house.facts.get(recorded_to=None).other_income_year
    differs = (Differs(120_000, "other_income_year"), Differs(what="门口停着一辆面包车，说是借的"))
    sign(visit(case, who, found=found(*differs)), who)
    with reading(clerk):
        money, van = Doubt.objects.order_by("-fact")
        assert (money.registered, money.found, money.state) == (had, 120_000, "open")
    with pytest.raises(EvidenceMissing, match="有 2 条疑点没有向申请人核实"):
        passed(who, case)
    told = {"by": clerk, "on": LATER, "doubt_id": van.pk, "answer": "车是表哥的，借来拉货"}
    with pytest.raises(BadInput, match="排除疑点没有凭据"):
        settle_doubt(**told, confirmed=False, evidence="行驶证")
    settled = settle_doubt(**told, confirmed=False, evidence="行驶证", content=PNG + b"licence", file_name="a.png")
    assert (settled.state, settled.attachment.household_id) == ("refuted", house.pk)
    with pytest.raises(AlreadyDone, match="已排除"):
        settle_doubt(**told, confirmed=True)
    with pytest.raises(AlreadyDone, match="没有要办的变更"):
        report_found(by=clerk, on=LATER, doubts=[money.pk], effective_on=DAY, evidence="入户调查表")
    settle_doubt(by=clerk, on=LATER, doubt_id=money.pk, confirmed=True, answer="是打工攒下的")
    with pytest.raises(EvidenceMissing, match="有 1 条查实的疑点还没有办完变更"):
        passed(who, case)
    change = report_found(by=clerk, on=LATER, doubts=[money.pk], effective_on=DAY, evidence="入户调查表")
    assert change.state == "entered" and change.effects  # money hangs on it: another person confirms
    with pytest.raises(AlreadyDone):
        report_found(by=clerk, on=LATER, doubts=[money.pk], effective_on=DAY, evidence="入户调查表")
    with pytest.raises(EvidenceMissing):
        passed(who, case)
    confirm_change(by=reviewer, on=LATER, change=change.pk)
    with reading(clerk):
        assert house.facts.get(recorded_to=None, valid_to=None).other_income_year == 120_000
        assert ReportedChange.objects.get(pk=change.pk).effects[0]["before_fen"] > 0
    assert passed(who, case).step == "评议"


def test_an_employer_is_asked_by_letter_and_his_answer_is_a_doubt_when_it_differs_case_02(story):
    house, who, case = story
    clerk, worker = who[Post.CLERK], members(house)[0].person
    letter = {
        "by": clerk, "on": DAY, **matter(case), "person": worker.pk, "kind": "employer", "addressee": "金寨茶厂",
        "question": "今年以来每月实发工资", "due_on": DAY + timedelta(days=10),
    }  # fmt: skip
    for wrong, words in (
        ({"person": 10**9}, "不在这一户"), ({"addressee": ""}, "发给哪个单位"), ({"question": ""}, "问什么"),
        ({"due_on": DAY}, "回函期限"), ({"subject": "case:0"}, "没有对应的申请"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            issue_letter(**letter | wrong)
    made = issue_letter(**letter)
    with pytest.raises(AlreadyDone, match="已经发函问过"):
        issue_letter(**letter)
    assert not made.overdue(made.due_on) and made.overdue(made.due_on + timedelta(days=1))
    answer = {"by": clerk, "on": LATER, "letter_id": made.pk, "answered_on": LATER, "answer": "每月实发 2600 元"}
    for wrong, words in (
        ({}, "没有上传回函"), ({"answered_on": DAY - timedelta(days=1)}, "回函日期"), ({"answer": ""}, "回函说了什么"),
        ({"content": b"GIF89a"}, "不是 JPG"), ({"content": PNG + b"0" * (10 << 20)}, "超过 10 MB"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            answer_letter(**answer | wrong)
    done = answer_letter(**answer, wage_fen=260_000, content=PNG + b"reply", file_name="回函.png")
    with pytest.raises(AlreadyDone):
        answer_letter(**answer, content=PNG)
    with reading(clerk):
        doubt = Doubt.objects.get(letter=made)
        assert (doubt.fact, doubt.found, doubt.person_id, doubt.case_id) == ("wage_month", 260_000, worker.pk, case.pk)
        assert done.attachment.household_id == house.pk
    sign(visit(case, who), who)
    with pytest.raises(EvidenceMissing, match="条疑点没有向申请人核实"):
        passed(who, case)
    again = issue_letter(**letter)  # another letter to the same place, when the first is answered
    assert withdraw_letter(by=clerk, on=LATER, letter_id=again.pk, reason="改为实地核实").state == "withdrawn"


def elsewhere(house):
    """A village of another township of the county with an information officer, who it is, and its clerk."""
    clerk = other_staff(Post.CLERK, house)
    with reading(county_officer()):
        villages = Division.objects.filter(level=12, code__startswith=clerk.division[:9]).order_by("code")
        village = next(
            v.code for v in villages if candidates(v.code, DAY).filter(post=Post.INFORMATION_OFFICER).exists()
        )
    return village, actor(Post.INFORMATION_OFFICER, village), clerk


def test_a_village_elsewhere_visits_for_us_and_sees_nothing_else_case_02_sec_03(story, monkeypatch):
    house, who, case = story
    clerk = who[Post.CLERK]
    village, officer, there = elsewhere(house)
    letter = {
        "by": clerk, "on": DAY, **matter(case), "asks": "居住情况、就业收入、邻里反映", "address": "河东路 8 号租住",
        "due_on": DAY + timedelta(days=15), "to_division": village,
    }  # fmt: skip
    for wrong, kind, words in (
        ({"to_division": house.division[:12]}, NotElsewhere, "住在本乡镇"), ({"to_division": "110101001001"}, Refusal, "本县|没有代码"),
        ({"to_division": ""}, BadInput, "没有写发给谁"), ({"address": ""}, BadInput, "住在哪里"), ({"asks": " "}, BadInput, "调查什么"),
        ({"due_on": DAY}, BadInput, "回复期限"),
    ):  # fmt: skip
        with pytest.raises(kind, match=words):
            issue_entrustment(**letter | wrong)
    made = issue_entrustment(**letter)
    with pytest.raises(AlreadyDone):
        issue_entrustment(**letter)
    with reading(officer):
        row = Entrustment.objects.get()
        assert row.pk == made.pk and row.who.endswith("人")
        assert not type(case).objects.exists() and not Entrustment.objects.filter(household__closed_on=None).exists()
    with reading(other_staff(Post.REVIEWER, house)):
        assert Entrustment.objects.count() == 1  # the township above the village
    reply = {
        "by": officer, "on": LATER, "entrustment_id": made.pk, "visited_on": LATER, "met": "family", "met_name": "其子",
        "investigators": [officer.appointment, there.appointment], "found": found(), "form": PNG + b"form",
    }  # fmt: skip
    for wrong, kind, words in (
        ({"investigators": [officer.appointment, clerk.appointment]}, NotAnInvestigator, "不能去这一户"),
        ({"investigators": [officer.appointment]}, BadInput, "二人以上"), ({"by": clerk}, NotYourPlace, "不是发给您这里的"),
        ({"visited_on": DAY - timedelta(days=1)}, BadInput, "调查日期"), ({"met": "nobody"}, BadInput, "没有见到人"),
        ({"form": b"hello"}, BadInput, "不是 JPG"),
    ):  # fmt: skip
        with pytest.raises(kind, match=words):
            reply_entrustment(**reply | wrong)
    with pytest.raises(AlreadyDone, match="等回复"):
        take_reply(by=clerk, on=LATER, entrustment_id=made.pk)
    # Whoever writes: an answer cannot be made up on our side, nor taken on theirs.
    with reading(clerk), pytest.raises(IntegrityError, match="that is for"):
        Entrustment.objects.filter(pk=made.pk).update(state="returned", why_not="没有去")
    connections["default"].close()
    reply_entrustment(**reply)
    with pytest.raises(AlreadyDone):
        reply_entrustment(**reply)
    with pytest.raises(NotYourPost):
        take_reply(by=officer, on=LATER, entrustment_id=made.pk)
    with pytest.raises(EvidenceMissing):
        passed(who, case)
    taken = take_reply(by=clerk, on=LATER, entrustment_id=made.pk)
    assert take_reply(by=clerk, on=LATER, entrustment_id=made.pk).pk == taken.pk
    with reading(clerk):
        assert Visit.objects.get().investigators.count() == 2 and taken.papers.get().kind == "form"
    assert passed(who, case).step == "评议"
    # SEC-04: what nobody may change any more is sealed anew with another key all the same.
    monkeypatch.setattr(settings, "KEYS_FILE", "", raising=False)
    monkeypatch.setattr(settings, "KEYS", f"{settings.KEYS},77:{'ab' * 32}")
    monkeypatch.setattr(rotating, "sealed_files", lambda: iter(()))
    assert rotating.rotate() > 0 and set(rotating.keys_in_use()) == {77}


def test_a_place_outside_gets_paper_and_its_answer_is_entered_with_it_case_02(story):
    house, who, case = story
    officer = replace(who[Post.DEPARTMENT_OFFICER])
    letter = {
        "by": officer, "on": DAY, **matter(case), "asks": "居住情况、就业收入", "address": "包河区某路 3 号",
        "due_on": DAY + timedelta(days=30), "to_office": "合肥市包河区民政局",
    }  # fmt: skip
    gone = issue_entrustment(**letter)
    assert withdraw_entrustment(by=officer, on=DAY, entrustment_id=gone.pk).state == "withdrawn"
    lost = issue_entrustment(**letter)
    with pytest.raises(NotYourPlace):
        return_entrustment(by=who[Post.CLERK], on=LATER, entrustment_id=lost.pk, why="去过两次都没有找到人")
    with pytest.raises(BadInput, match="为什么不能调查"):
        enter_return(by=officer, on=LATER, entrustment_id=lost.pk, why="没人")
    assert enter_return(by=officer, on=LATER, entrustment_id=lost.pk, why="去过两次都没有找到人").state == "returned"
    made = issue_entrustment(**letter)
    reply = {
        "by": officer, "on": LATER, "entrustment_id": made.pk, "visited_on": DAY, "met": "applicant", "found": found(),
        "investigators": ["常青街道 张三", "常青街道 李四"], "form": PNG + b"outside",
    }  # fmt: skip
    for wrong, words in (
        ({"investigators": ["张三"]}, "不足二人"),
        ({"investigators": ["张三", "张三"]}, "不足二人"),
        ({"met": ""}, "没有见到人"),
    ):
        with pytest.raises(BadInput, match=words):
            enter_reply(**reply | wrong)
    taken = enter_reply(**reply)
    assert (taken.state, taken.entrustment_id, house.pk) == ("signed", made.pk, taken.household_id)
    with pytest.raises(AlreadyDone):
        enter_reply(**reply)
    assert passed(who, case).step == "评议"
