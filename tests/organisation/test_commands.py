"""Accounts, appointments, passwords: who may do what for whom (ORG-02, SEC-01, SEC-02, SEC-08)."""

from dataclasses import replace
from datetime import date

import pytest

from huimin.audit.models import Event
from huimin.demo.actors import actor, demo_password
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.commands import (
    ConflictingPost,
    NoSuchAccount,
    WrongPassword,
    appoint,
    change_password,
    end_appointment,
    establish_office,
    issue_account,
    reset_password,
    set_active,
    set_networks,
    set_programmes,
)
from huimin.organisation.entrance import (
    NoPost,
    NotFromHere,
    allowed_from,
    as_system,
    authenticate_from,
    find_actor,
    record_signed_out,
)
from huimin.organisation.installation import NotInstalled, install_first_administrator
from huimin.organisation.issuing import MayNotIssue, PostNotAtOffice
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.passwords import hash_password
from huimin.organisation.posts import OfficeKind, Post
from huimin.organisation.queries import list_accounts, list_holders, list_offices

DAY = date(2021, 6, 21)
COUNTY, MEISHAN = "341524000000", "341524100000"
HASH = "pbkdf2_sha256$1$salt$hash"
LOCAL = ["10.34.15.0/24"]


@pytest.fixture
def administrator(county):
    county("organised")
    return actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)


def office(by, division, kind):
    with reading(by):
        return Office.objects.get(division=division, kind=kind).pk


def issued(by, office_id, username="new-person"):
    return issue_account(
        by=by, username=username, full_name="新人（演示）", office=office_id, networks=LOCAL, password_hash=HASH
    )


def events(by, kind):
    with reading(by):
        return list(Event.objects.filter(kind=kind).order_by("id"))


def test_account_is_issued_and_appointed_once(administrator):
    """SEC-01, SEC-08: registered with user, post, place and addresses; the issued password must be changed."""
    township = office(administrator, MEISHAN, OfficeKind.TOWNSHIP)
    account = issued(administrator, township)
    assert account.must_change_password and account.division == MEISHAN and account.allowed_networks == LOCAL
    with pytest.raises(AlreadyDone, match="用户名"):
        issued(administrator, township)
    appoint(by=administrator, on=DAY, account=account.pk, post=Post.REVIEWER, office=township)
    with pytest.raises(AlreadyDone):
        appoint(by=administrator, on=DAY, account=account.pk, post=Post.REVIEWER, office=township)
    assert Appointment.objects.filter(account=account).count() == 1


def test_posts_that_check_each_other_are_three_people(administrator):
    """SEC-02: the database refuses a second post in the same days; afterwards it is possible."""
    township = office(administrator, MEISHAN, OfficeKind.TOWNSHIP)
    account = issued(administrator, township)
    first = appoint(by=administrator, on=DAY, account=account.pk, post=Post.CLERK, office=township)
    for post in (Post.REVIEWER, Post.SETTLEMENT):
        with pytest.raises(ConflictingPost, match="互相制约"):
            appoint(by=administrator, on=date(2021, 7, 1), account=account.pk, post=post, office=township)
    for _ in range(2):
        end_appointment(by=administrator, on=date(2021, 7, 1), appointment=first.pk)
    with pytest.raises(AlreadyDone):
        end_appointment(by=administrator, on=date(2021, 8, 1), appointment=first.pk)
    appoint(by=administrator, on=date(2021, 7, 1), account=account.pk, post=Post.REVIEWER, office=township)
    assert len(events(administrator, Event.Kind.REFUSED)) == 3


def test_only_the_administrator_and_only_beneath(administrator):
    """SEC-01: 皖政办〔2008〕23号 附件2 第11、12条."""
    township = office(administrator, MEISHAN, OfficeKind.TOWNSHIP)
    with pytest.raises(NotYourPost):
        issued(actor(Post.CLERK, MEISHAN), township)
    city = replace(administrator, division="341500000000", level=Level.CITY)
    with pytest.raises(MayNotIssue, match="同级"):
        issued(city, township)
    town = replace(administrator, division=MEISHAN, level=Level.TOWNSHIP)
    with pytest.raises(MayNotIssue, match="县惠民办"):
        issued(town, township)
    elsewhere = replace(administrator, division="341221000000")
    with pytest.raises(NotYourPlace):
        issued(elsewhere, township)
    with pytest.raises(PostNotAtOffice, match="统计员"):
        account = issued(administrator, township)
        appoint(by=administrator, on=DAY, account=account.pk, post=Post.FINANCE_RELEASER, office=township)
    with pytest.raises(NoSuchAccount):
        issued(administrator, 999_999_999)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"username": "大写"}, "用户名"),
        ({"full_name": " "}, "姓名"),
        ({"networks": []}, "允许的网络地址"),
        ({"networks": ["10.34.15.7/24"]}, "允许的网络地址"),
    ],
)
def test_bad_forms_are_named(administrator, change, where):
    form = {"username": "somebody", "full_name": "某人", "networks": LOCAL} | change
    township = office(administrator, MEISHAN, OfficeKind.TOWNSHIP)
    with pytest.raises(BadInput) as wrong:
        issue_account(by=administrator, office=township, password_hash=HASH, **form)
    assert wrong.value.where == where
    assert not Account.objects.filter(username="somebody").exists()


def test_offices_and_programmes(administrator):
    """ORG-02: an office is tied to a division and to the programmes it is responsible for."""
    made = establish_office(by=administrator, on=DAY, name="金寨县林业局", kind=OfficeKind.AGRICULTURE, division=COUNTY)
    assert made.level == Level.COUNTY
    with pytest.raises(AlreadyDone):
        establish_office(by=administrator, on=DAY, name="金寨县林业局", kind=OfficeKind.AGRICULTURE, division=COUNTY)
    assert set_programmes(by=administrator, office=made.pk, programmes=["grain-one-off"]).programmes == [
        "grain-one-off"
    ]
    with reading(administrator):
        assert made.pk in [each.pk for each in list_offices(administrator, DAY, kind=OfficeKind.AGRICULTURE)]
        assert len(list_offices(administrator, DAY, rows_max=10)) == 10
        assert list_holders(administrator, office(administrator, MEISHAN, OfficeKind.TOWNSHIP), DAY)
        assert [each.username for each in list_accounts(administrator, starts_with="meishan-clerk")] == [
            "meishan-clerk"
        ]


def test_sign_in_from_another_address_is_refused_and_recorded(administrator):
    """SEC-01, SEC-05"""
    account = Account.objects.get(username="meishan-clerk")
    set_networks(by=administrator, account=account.pk, networks=["10.34.15.0/24", "2001:db8::/32"])
    account.refresh_from_db()
    with pytest.raises(NotFromHere, match=r"10\.9\.9\.9"):
        authenticate_from(account, "10.9.9.9", on=DAY)
    refused = events(administrator, Event.Kind.SIGN_IN_REFUSED)
    assert [(event.account, event.address) for event in refused] == [(account.pk, "10.9.9.9")]
    held = authenticate_from(account, "10.34.15.8", on=DAY)
    assert [each.post for each in held] == [Post.CLERK]
    assert find_actor(account, held[0].pk, "10.34.15.8", on=DAY).office_name == "梅山镇为民服务中心"
    assert find_actor(account, held[0].pk, "10.9.9.9", on=DAY) is None
    assert find_actor(account, held[0].pk + 1, "10.34.15.8", on=DAY) is None
    record_signed_out(account, "10.34.15.8")
    assert len(events(administrator, Event.Kind.SIGNED_IN)) == len(events(administrator, Event.Kind.SIGNED_OUT)) == 1


def test_no_post_or_stopped_account_stays_outside(administrator):
    account = Account.objects.get(username="meishan-clerk")
    with pytest.raises(NoPost, match="岗位"):
        authenticate_from(account, "127.0.0.1", on=date(2019, 1, 1))
    set_active(by=administrator, account=account.pk, active=False)
    account.refresh_from_db()
    with pytest.raises(NoPost, match="停用"):
        authenticate_from(account, "127.0.0.1", on=DAY)
    with pytest.raises(AlreadyDone):
        set_active(by=administrator, account=administrator.account, active=False)


@pytest.mark.parametrize(
    ("networks", "address", "inside"),
    [
        (["10.0.0.0/8"], "10.1.2.3", True),
        (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
        (["10.0.0.0/8"], "11.1.2.3", False),
        (["::1/128"], "::1", True),
        ([], "127.0.0.1", False),
        (["10.0.0.0/8"], "不是地址", False),
    ],
)
def test_networks(networks, address, inside):
    assert allowed_from(networks, address) is inside


def test_passwords(administrator):
    """SEC-08: weak ones refused, one's own changed with the current one, a reset one to be changed again."""
    clerk = actor(Post.CLERK, MEISHAN)
    for weak in ("short", "1234567890123"):
        with pytest.raises(BadInput):
            hash_password(weak)
    with pytest.raises(WrongPassword):
        change_password(by=clerk, current="wrong", new="a-new-password-7")
    with pytest.raises(BadInput, match="相同"):
        change_password(by=clerk, current=demo_password(), new=demo_password())
    account = change_password(by=clerk, current=demo_password(), new="a-new-password-7")
    assert account.check_password("a-new-password-7") and not account.must_change_password
    account = reset_password(by=administrator, account=clerk.account, password_hash=HASH)
    assert account.must_change_password
    with pytest.raises(NotYourPost):
        reset_password(by=clerk, account=clerk.account, password_hash=HASH)
    assert len(events(administrator, Event.Kind.PASSWORD_CHANGED)) == 2


def test_the_first_administrator_is_installed_once(county):
    county("organised")
    act = {
        "office_name": "太和县惠民办",
        "full_name": "首任（演示）",
        "networks": LOCAL,
        "password_hash": HASH,
        "on": DAY,
    }
    first = install_first_administrator(division="341222000000", username="taihe-administrator", **act)
    again = install_first_administrator(division="341222000000", username="taihe-administrator", **act)
    assert first.pk == again.pk and Account.objects.get(username="taihe-administrator").must_change_password
    with pytest.raises(NotInstalled):
        install_first_administrator(division="999999000000", username="nowhere", **act)


def test_nobody_reads_offices_before_a_place_is_declared(county):
    """SEC-03"""
    county("organised")
    assert Office.objects.count() == 0
    with as_system(COUNTY):
        assert Office.objects.count() == 262
