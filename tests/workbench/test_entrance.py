"""Sign-in, lock-out, forced change, addresses, appointments, time-out (SEC-01, SEC-02, SEC-08)."""

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import get_resolver, reverse

from huimin.audit.models import Event
from huimin.demo.actors import demo_password
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.posts import OfficeKind, Post
from huimin.workbench.guard import Guard
from tests.workbench.people import client_of, sign_in, stranger

OPEN = {"sign-in"}
BEFORE_ACTING = {"sign-out", "password", "appointment"}


@pytest.fixture
def organised(county):
    county("organised")


def events(kind):
    return Event.objects.using("maintenance").filter(kind=kind)


def test_every_route_is_guarded_sec_02():
    """Only the sign-in page opens for strangers; three pages open before somebody acts; all others name posts."""
    patterns = get_resolver().reverse_dict
    assert patterns
    for pattern in _walk(get_resolver().url_patterns):
        guard = getattr(pattern.callback, "guard", None)
        assert isinstance(guard, Guard), f"{pattern.name} has no guard"
        assert guard.signed_in == (pattern.name not in OPEN), pattern.name
        assert bool(guard.posts) == (pattern.name not in OPEN | BEFORE_ACTING), pattern.name


def _walk(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns)
        else:
            yield pattern


def test_a_stranger_is_sent_to_sign_in_from_every_page(organised):
    client = stranger()
    for pattern in _walk(get_resolver().url_patterns):
        if pattern.name in OPEN:
            continue
        filled = dict.fromkeys(pattern.pattern.converters, "1")
        url = reverse(pattern.name, kwargs=filled)
        answer = client.get(url)
        assert answer.status_code == 302 and answer["Location"].startswith("/sign-in/"), url


def test_sign_in_is_recorded_and_opens_the_desk_sec_05(organised):
    client = sign_in("meishan-clerk")
    answer = client.get("/")
    assert answer.status_code == 200 and "梅山镇" in answer.content.decode()
    assert events("signed_in").filter(account=Account.objects.get(username="meishan-clerk").pk).exists()
    client.post("/sign-out/")
    assert client.get("/").status_code == 302
    assert events("signed_out").exists()


def test_every_page_says_that_people_are_invented(organised):
    assert "演示数据，人物均为虚构" in stranger().get("/sign-in/").content.decode()
    assert "演示数据，人物均为虚构" in client_of(Post.CLERK, OfficeKind.TOWNSHIP).get("/").content.decode()


def test_five_wrong_passwords_lock_and_say_how_long_sec_08(organised):
    client = stranger()
    wrong = {"username": "meishan-clerk", "password": "not-the-password"}
    first = client.post("/sign-in/", wrong).content.decode()
    assert "再错 4 次" in first and 'value="meishan-clerk"' in first and "错误：" in first
    for _ in range(3):
        client.post("/sign-in/", wrong)
    last = client.post("/sign-in/", wrong)
    assert last.status_code == 429 and "15 分钟后再试" in last.content.decode()
    right = client.post("/sign-in/", {"username": "meishan-clerk", "password": demo_password()})
    assert right.status_code == 429
    assert sign_in("meishan-reviewer").get("/").status_code == 200  # another account is not locked


def test_an_address_outside_the_networks_is_refused_and_recorded_sec_01(organised):
    elsewhere = stranger(REMOTE_ADDR="10.9.8.7")
    answer = elsewhere.post("/sign-in/", {"username": "meishan-clerk", "password": demo_password()})
    assert answer.status_code == 403 and "不能从这个网络地址登录" in answer.content.decode()
    assert events("sign_in_refused").get().address == "10.9.8.7"
    assert elsewhere.get("/").status_code == 302


def test_a_session_carried_to_another_address_ends_sec_01(organised):
    client = client_of(Post.CLERK, OfficeKind.TOWNSHIP)
    assert client.get("/").status_code == 200
    moved = client.get("/", REMOTE_ADDR="10.9.8.7")
    assert moved.status_code == 302 and "why=address" in moved["Location"]
    assert events("sign_in_refused").count() == 1
    assert client.get("/").status_code == 302


def test_an_issued_password_is_changed_before_anything_else_sec_08(organised):
    client = sign_in("newcomer")
    assert client.get("/")["Location"] == "/password/"
    assert client.get("/households/")["Location"] == "/password/"
    weak = client.post("/password/", {"current": demo_password(), "new": "1234567890", "again": "1234567890"})
    assert weak.status_code == 422 and client.get("/").status_code == 302
    twice = client.post("/password/", {"current": demo_password(), "new": "liu-an-2021-jz", "again": "different"})
    assert "两次输入的新口令不一样" in twice.content.decode()
    done = client.post("/password/", {"current": demo_password(), "new": "liu-an-2021-jz", "again": "liu-an-2021-jz"})
    assert done.status_code == 302 and client.get("/").status_code == 200
    assert sign_in("newcomer", "liu-an-2021-jz").get("/").status_code == 200
    assert events("password_changed").exists()


def test_a_stopped_account_is_out_at_once(organised):
    client = client_of(Post.CLERK, OfficeKind.TOWNSHIP)
    Account.objects.using("maintenance").filter(username="meishan-clerk").update(active=False)
    Account.objects.using("maintenance").filter(pk=client.session["_auth_user_id"]).update(active=False)
    assert client.get("/").status_code == 302


def test_an_appointment_that_ended_no_longer_acts(organised):
    client = client_of(Post.CLERK, OfficeKind.TOWNSHIP)
    assert client.get("/").status_code == 200
    Appointment.objects.using("maintenance").filter(pk=client.session["appointment"]).update(valid_to="2021-01-01")
    answer = client.get("/")
    assert answer["Location"] == "/appointment/"
    assert "没有在任的岗位" in client.get("/appointment/").content.decode()


def test_with_two_appointments_one_is_chosen_sec_02(organised):
    account = Account.objects.using("maintenance").get(username="meishan-clerk")
    offices = Office.objects.using("maintenance").filter(kind=OfficeKind.TOWNSHIP)
    other = offices.exclude(division=account.division).first()
    second = Appointment.objects.using("maintenance").create(
        account=account, post=Post.CLERK, office=other, division=other.division, valid_from="2020-01-01"
    )
    client = sign_in("meishan-clerk")
    assert client.get("/")["Location"] == "/appointment/"
    assert other.name in client.get("/appointment/").content.decode()
    client.post("/appointment/", {"appointment": second.pk})
    assert other.name in client.get("/").content.decode()
    foreign = Appointment.objects.exclude(account=account).first()
    client.post("/appointment/", {"appointment": foreign.pk})
    assert other.name in client.get("/").content.decode()  # somebody else's appointment cannot be taken


def test_a_page_of_other_posts_is_refused_and_recorded_sec_02(organised):
    bank = client_of(Post.BANK_OPERATOR, OfficeKind.BANK)
    answer = bank.get("/households/")
    assert answer.status_code == 403 and "银行经办不用这一页" in answer.content.decode()
    assert events("refused").filter(subject="households").exists()
    assert "家庭" not in bank.get("/").content.decode()


def test_half_an_hour_idle_signs_out_sec_08(organised):
    assert settings.SESSION_COOKIE_AGE == 1800 and settings.SESSION_SAVE_EVERY_REQUEST
    client = client_of(Post.CLERK, OfficeKind.TOWNSHIP)
    Session.objects.update(expire_date="2000-01-01T00:00:00Z")
    answer = client.get("/households/?q=1")
    assert "next=%2Fhouseholds%2F" in answer["Location"] and "why=idle" in answer["Location"]
    assert "半小时没有操作" in client.get(answer["Location"]).content.decode()


def test_sign_in_goes_back_only_to_this_site(organised):
    data = {"username": "meishan-clerk", "password": demo_password()}
    assert stranger().post("/sign-in/", data | {"next": "//evil.example/"})["Location"] == "/"
    assert stranger().post("/sign-in/", data | {"next": "/households/?q=1"})["Location"] == "/households/?q=1"
