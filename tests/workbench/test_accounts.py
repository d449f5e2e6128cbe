"""Accounts from the page: issued with post and addresses, password shown once, reset, stopped (SEC-01, SEC-02, SEC-08)."""

import re

import pytest

from huimin.organisation.models import Account, Office
from huimin.organisation.posts import OfficeKind, Post
from tests.workbench.people import client_of, sign_in


def text(answer):
    return answer.content.decode()


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', page)[1]


@pytest.fixture
def administrator(county):
    county("organised")
    return client_of(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)


def office_of(kind):
    return Office.objects.using("maintenance").filter(kind=kind).order_by("id").first()


def test_an_account_is_issued_and_its_password_must_be_changed_sec_01_sec_08(administrator):
    township = office_of(OfficeKind.TOWNSHIP)
    data = {
        "full_name": "新来的（演示）", "username": "new-clerk", "office": township.pk, "post": "clerk",
        "networks": "127.0.0.0/8\n10.1.2.3/32",
    }  # fmt: skip
    bad = administrator.post("/accounts/issue/", data | {"networks": "somewhere"})
    assert bad.status_code == 422 and "不是网段" in text(bad)
    wrong = administrator.post("/accounts/issue/", data | {"post": "finance_officer"})
    assert wrong.status_code == 422 and "没有财政经办这一岗位" in text(wrong)
    assert not Account.objects.filter(username="new-clerk").exists()
    made = text(administrator.post("/accounts/issue/", data))
    password = re.search(r'id="issued">([^<]+)<', made)[1]
    again = administrator.post("/accounts/issue/", data)
    assert again.status_code == 422 and "已有人使用" in text(again)
    assert sign_in("new-clerk", password).get("/")["Location"] == "/password/"
    assert Account.objects.get(username="new-clerk").allowed_networks == ["127.0.0.0/8", "10.1.2.3/32"]


def test_conflicting_posts_are_refused_in_words_sec_02(administrator):
    account = Account.objects.get(username="meishan-clerk")
    page = text(administrator.get(f"/accounts/{account.pk}/"))
    data = {"token": token_of(page), "office": office_of(OfficeKind.TOWNSHIP).pk, "post": "reviewer"}
    answer = administrator.post(f"/accounts/{account.pk}/appoint/", data)
    assert answer.status_code == 409 and "不能由一人兼任" in text(answer)


def test_a_stopped_account_and_a_reset_password_work_at_once_sec_08(administrator):
    account = Account.objects.get(username="meishan-clerk")
    page = text(administrator.get(f"/accounts/{account.pk}/"))
    assert administrator.post(f"/accounts/{account.pk}/stop/", {"token": token_of(page)}).status_code == 302
    assert sign_in("meishan-clerk").get("/").status_code == 302
    page = text(administrator.get(f"/accounts/{account.pk}/"))
    administrator.post(f"/accounts/{account.pk}/start/", {"token": token_of(page)})
    shown = text(administrator.post(f"/accounts/{account.pk}/reset/", {}))
    password = re.search(r'id="issued">([^<]+)<', shown)[1]
    assert sign_in("meishan-clerk", password).get("/")["Location"] == "/password/"


def test_an_appointment_ends_and_addresses_change(administrator):
    account = Account.objects.get(username="meishan-clerk")
    page = text(administrator.get(f"/accounts/{account.pk}/"))
    held = account.appointments.get()
    data = {"token": token_of(page), "networks": "10.9.8.0/24"}
    administrator.post(f"/accounts/{account.pk}/networks/", data)
    assert Account.objects.get(pk=account.pk).allowed_networks == ["10.9.8.0/24"]
    page = text(administrator.get(f"/accounts/{account.pk}/"))
    administrator.post(f"/accounts/{account.pk}/end/", {"token": token_of(page), "appointment": held.pk})
    assert account.appointments.get().valid_to is not None


def test_nobody_else_issues_accounts(county):
    county("organised")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert client.get("/accounts/").status_code == 403
    assert client.post("/accounts/issue/", {}).status_code == 403
