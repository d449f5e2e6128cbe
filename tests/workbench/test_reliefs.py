"""Emergency relief and care on pages: done once, refused in words, only for who may (DET-04, DET-05)."""

import re

import pytest

from huimin.casework.models import CareAssessment, PettyEntry, PettyFund, Relief
from huimin.demo.listing import townships
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household, Membership
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of


def place():
    return townships()[0]


def household():
    return Household.objects.using("maintenance").filter(division__startswith=place()[:9]).order_by("pk")[0]


def post_twice(client, path, data):
    """The same page sent twice: both are led to the same outcome."""
    page = text(client.get(path))
    answers = [client.post(path, {**data, "token": token_of(page)}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302], text(answers[0])
    assert answers[0]["Location"] == answers[1]["Location"]
    return text(client.get(answers[0]["Location"]))


def with_fund():
    officer = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    post_twice(officer, "/petty-funds/", {"division": place(), "limit": "2,000", "basis": "县民政局2021年3号"})
    fund = PettyFund.objects.using("maintenance").get()
    shown = post_twice(officer, f"/petty-funds/{fund.pk}/", {"amount": "5000", "note": "拨款凭证1号"})
    assert "待复核" in shown
    entry = PettyEntry.objects.using("maintenance").get()
    releaser = client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    assert "复核备用金拨入" in text(releaser.get("/"))
    shown = post_twice(releaser, f"/petty-funds/entries/{entry.pk}/", {"outcome": "confirm"})
    assert "5,000.00" in shown
    return fund


def test_from_the_household_to_the_papers_det_05(county):
    county("registered")
    fund = with_fund()
    clerk = client_of(Post.CLERK, place())
    house = household()
    assert f"/reliefs/record/{house.pk}/" in text(clerk.get(f"/households/{house.pk}/"))
    path = f"/reliefs/record/{house.pk}/"
    asked = {"person": "", "cause": "fire", "happened_on": "2021-6-20", "story": "住房失火", "amount": "1,200.50"}
    for wrong, words in (
        ({"amount": "abc"}, "请按 1200 或 1200.50 的样子填写"), ({"cause": ""}, "请选择：急难情形"),
        ({"story": " "}, "请填写经过和困难"), ({"person": "999999"}, "请从这一户的成员中选择"), ({"happened_on": "2030-1-1"}, "还没有到"),
    ):  # fmt: skip
        page = text(clerk.get(path))
        bad = clerk.post(path, {**asked, **wrong, "token": token_of(page)})
        assert bad.status_code == 422 and words in text(bad), words
    shown = post_twice(clerk, path, asked)
    assert "待审批" in shown and "批准并支付" not in shown
    relief = Relief.objects.using("maintenance").get()
    head = client_of(Post.TOWNSHIP_HEAD, place())
    assert "审批急难救助" in text(head.get("/"))
    assert "已救助" in post_twice(head, f"/reliefs/{relief.pk}/approve/", {})
    assert PettyFund.objects.using("maintenance").get(pk=fund.pk).balance_fen == 500_000 - 120_050
    again = text(head.get(f"/reliefs/{relief.pk}/approve/"))
    refused = head.post(f"/reliefs/{relief.pk}/approve/", {"token": token_of(again)})
    assert refused.status_code == 409 and "已救助" in text(refused)
    assert "补齐救助材料" in text(clerk.get("/"))
    assert "补齐" in text(clerk.get("/reliefs/?state=owing"))
    post_twice(clerk, f"/reliefs/{relief.pk}/papers/", {"papers": "火灾证明、领款签字"})
    assert "补齐救助材料" not in text(clerk.get("/"))


def test_above_the_limit_the_meeting_comes_first_det_05(county):
    county("registered")
    with_fund()
    clerk, head = client_of(Post.CLERK, place()), client_of(Post.TOWNSHIP_HEAD, place())
    asked = {"person": "", "cause": "illness", "happened_on": "2021-6-20", "story": "突发重病", "amount": "3000"}
    assert "一事一议" in post_twice(clerk, f"/reliefs/record/{household().pk}/", asked)
    relief = Relief.objects.using("maintenance").get()
    page = text(head.get(f"/reliefs/{relief.pk}/approve/"))
    refused = head.post(f"/reliefs/{relief.pk}/approve/", {"token": token_of(page)})
    assert refused.status_code == 409 and "须先集体研究" in text(refused)
    meeting = {"held_on": "2021-6-21", "attendants": "甲\n乙\n丙", "in_favour": "3", "minutes": "情况属实"}
    path = f"/reliefs/{relief.pk}/meeting/"
    bad = clerk.post(path, {**meeting, "attendants": "甲\n乙", "token": token_of(text(clerk.get(path)))})
    assert bad.status_code == 422 and "不足三人" in text(bad)
    post_twice(clerk, path, meeting)
    assert "已救助" in post_twice(head, f"/reliefs/{relief.pk}/approve/", {})


@pytest.mark.parametrize("path", ["/reliefs/", "/petty-funds/", "/care/"])
def test_pages_of_others_are_closed_sec_02(county, path):
    county("registered")
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get(path).status_code == 403
    informant = client_of(Post.INFORMATION_OFFICER, f"{place()[:9]}001")
    assert informant.get(path).status_code == 403


def test_an_assessment_from_the_members_page_det_04(county):
    county("registered")
    clerk = client_of(Post.CLERK, place())
    person = Membership.objects.using("maintenance").filter(household=household(), recorded_to=None)[0].person_id
    path = f"/care/{person}/"
    told = {"act": "assessment", "lost": ["eating", "toilet"], "assessors": "甲\n乙", "assessed_on": "2021-6-20"}
    page = text(clerk.get(path))
    bad = clerk.post(path, {**told, "assessors": "甲", "token": token_of(page)})
    assert bad.status_code == 422 and "两名评估人" in text(bad)
    assert "半护理" in post_twice(clerk, path, told)
    assert CareAssessment.objects.using("maintenance").count() == 1
    agreement = {"act": "agreement", "mode": "central", "carer": "敬老院", "signed_on": "2021-6-20"}
    refused = clerk.post(path, {**agreement, "token": token_of(text(clerk.get(path)))})
    assert refused.status_code == 409 and "没有特困供养待遇" in text(refused)
    head = client_of(Post.TOWNSHIP_HEAD, place())
    assert not re.search("登记评估", text(head.get(path)))
