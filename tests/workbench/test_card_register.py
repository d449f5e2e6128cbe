"""The register of cards from the pages: files, hand-over, authorities, cooling time (REG-07)."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.database.personal import ID_NUMBER, plain
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.commands import approve_card_correction
from huimin.registry.models import Card, CardAuthority, CardHandover, CardIssue
from tests.registry.people import NOW, cooling_time, household, members, officer, staff
from tests.registry.test_cards import propose
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(answer):
    return re.search(r'name="token" value="([0-9a-f]{32})"', text(answer))[1]


@pytest.fixture
def home(county):
    county("registered")
    return household()


def at(post, home):
    return client_of(post, home.division[:9] + "000")


def without_account(of):
    with reading(officer()):
        return next(m.person for m in members(of) if not Card.objects.filter(holder=m.person).exists())


def test_a_banks_file_and_the_hand_over_from_the_pages_reg_07(home):
    clerk, child = at(Post.CLERK, home), without_account(home)
    rows = f"证件号码,姓名,账号\n{plain(child.id_number_enc, ID_NUMBER)},{child.name},6299990000000000001\n12,张三,1\n"
    page = clerk.get("/cards/issues/")
    for _ in range(2):
        file = SimpleUploadedFile("发卡.csv", rows.encode("gb18030"))
        sent = clerk.post("/cards/issues/", {"token": token_of(page), "file": file})
        assert sent.status_code == 302
    told = text(clerk.get(sent["Location"]))
    assert "新发 1 张" in told and "有误 1 行" in told
    assert CardIssue.objects.using("maintenance").count() == 1
    bad = clerk.post(
        "/cards/issues/", {"token": token_of(page)[::-1], "file": SimpleUploadedFile("x.csv", b"a,b\n1,2\n")}
    )
    assert bad.status_code == 422 and "证件号码" in text(bad)
    waiting = CardHandover.objects.using("maintenance").get()
    assert f"/cards/{waiting.card_id}/hand-over/" in text(clerk.get("/cards/hand-over/"))
    address = f"/cards/{waiting.card_id}/hand-over/"
    form = clerk.get(address)
    data = {"token": token_of(form), "receiver_number": "", "signature": "签收单 7 号", "handed_on": "2999-1-1"}
    assert clerk.post(address, data).status_code == 422
    today = re.search(r'datetime="(\d{4}-\d\d-\d\d)"', text(form))[1]
    assert clerk.post(address, data | {"handed_on": today}).status_code == 302
    assert "本人" in text(clerk.get("/cards/hand-over/?state=handed"))
    assert at(Post.REVIEWER, home).get("/cards/issues/").status_code == 403
    assert at(Post.REVIEWER, home).get("/cards/hand-over/").status_code == 200


def test_an_authority_from_the_pages_reg_07(home):
    clerk, reviewer = at(Post.CLERK, home), at(Post.REVIEWER, home)
    child, head = without_account(home), members(home)[0].person
    address = f"/households/{home.pk}/authority/"
    page = clerk.get(address)
    data = {
        "token": token_of(page), "beneficiary": child.pk, "kind": "guardian",
        "agent_number": plain(head.id_number_enc, ID_NUMBER), "paper_no": "授 1", "note": "父亲签字，存乡镇",
        "since": "2021-6-1", "until": "2022-5-31",
    }  # fmt: skip
    assert clerk.post(address, data | {"until": "2020-1-1"}).status_code == 422
    where = clerk.post(address, data)["Location"]
    assert "待审核" in text(clerk.get(where)) and "2022-05-31" in text(clerk.get(where))
    made = CardAuthority.objects.using("maintenance").get()
    form = reviewer.get(f"/authorities/{made.pk}/")
    refused = reviewer.post(f"/authorities/{made.pk}/", {"token": token_of(form), "outcome": "refuse", "refusal": ""})
    assert refused.status_code == 422
    assert reviewer.post(f"/authorities/{made.pk}/", {"token": token_of(form), "outcome": "approve"}).status_code == 302
    made.refresh_from_db(using="maintenance")
    assert (made.state, made.valid_to) == ("approved", date(2022, 6, 1))
    assert child.name in text(clerk.get("/authorities/?state=approved"))
    revoke = clerk.get(f"/authorities/{made.pk}/")
    clerk.post(f"/authorities/{made.pk}/", {"token": token_of(revoke), "refusal": "本人已开户"})
    made.refresh_from_db(using="maintenance")
    assert made.state == "revoked"


def test_the_county_office_sets_the_cooling_time_reg_07(home):
    county = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    clerk = at(Post.CLERK, home)
    assert "当天" in text(clerk.get("/corrections/cooling/"))
    page = county.get("/corrections/cooling/")
    data = {"token": token_of(page), "days": "200", "basis": "纪要"}
    assert county.post("/corrections/cooling/", data).status_code == 422
    assert county.post("/corrections/cooling/", data | {"days": "5"}).status_code == 302
    assert "待审核" in text(county.get("/corrections/cooling/")) and "当天" in text(clerk.get("/corrections/cooling/"))
    approver = client_of(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    assert "审核账户更正冷静期" in text(approver.get("/"))
    verdict = {"token": token_of(approver.get("/corrections/cooling/")), "outcome": "refuse", "refusal": ""}
    assert approver.post("/corrections/cooling/", verdict).status_code == 422
    assert approver.post("/corrections/cooling/", verdict | {"outcome": "approve"}).status_code == 302
    assert "5 天" in text(clerk.get("/corrections/cooling/")) and "5 天" in text(clerk.get("/corrections/"))
    refused = clerk.post("/corrections/cooling/", {"token": token_of(page)[::-1], "days": "0", "basis": "x"})
    assert refused.status_code == 409 and "由惠民办经办办理" in text(refused)


def test_a_household_shows_the_account_that_waits_for_its_day_reg_07(home):
    cooling_time(7)
    clerk, page = at(Post.CLERK, home), f"/households/{home.pk}/"
    assert "起使用" not in text(clerk.get(page))
    found = propose(staff(Post.CLERK, home), home)
    assert "账户更正待审核" in text(clerk.get(page))
    approved = approve_card_correction(by=staff(Post.REVIEWER, home), on=NOW, correction=found.pk)
    shown = text(clerk.get(page))
    assert "账户更正待审核" not in shown
    assert f"新账号尾号 {approved.account_tail}，{approved.effective_on:%Y-%m-%d} 起使用；这以前仍用原账户" in shown
