"""Offices, accounts, appointments: everything an administrator does, and the change of one's own password.

in    the administrator's acts (S0 A2 art 11–13: register user, post, place and allowed addresses)
out   rows of Office, Account, Appointment; events of changed passwords

Always true when a command returns: the account belongs to a place beneath the administrator's and to a level that may
be issued to; one person holds one post at a time; an issued or reset password must be changed at the next sign-in.
Passwords come hashed (`passwords.hash_password`), because hashing is slow and must not hold a transaction.
"""

import ipaddress
import re
from collections.abc import Sequence
from datetime import date, datetime

from django.contrib.auth.hashers import check_password, identify_hasher

from huimin.audit.models import Event
from huimin.database.bulk import fetch_one
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    record_event,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.issuing import require_may_issue, require_post_at
from huimin.organisation.models import Account, Appointment, Office
from huimin.organisation.passwords import hash_password
from huimin.organisation.posts import OfficeKind, Post

USERNAME = re.compile(r"[a-z][a-z0-9-]{2,39}")
ANYBODY = tuple(Post)


class ConflictingPost(Refusal):
    """One person may not hold posts that check each other."""


class NoSuchAccount(Refusal):
    """There is no account, office or appointment of this number in the administrator's place."""


class WrongPassword(Refusal):
    """The password given is not the account's."""


refused_by_constraint(
    "one_person_one_post_at_a_time",
    ConflictingPost,
    "此人在这段时间已任另一岗位，互相制约的岗位不能由一人兼任",
    "请先免去原岗位，或另行委派",
)
refused_by_constraint("appointment_once", AlreadyDone, "此人已在该机构任此岗位", "无需重复任命")
refused_by_constraint("organisation_account_username_key", AlreadyDone, "这个用户名已有人使用", "请换一个用户名")
refused_by_constraint("office_once", AlreadyDone, "该区划已有同名机构", "请核对机构名称")


@command(Post.ADMINISTRATOR)
def establish_office(
    *, by: Actor, on: date, name: str, kind: OfficeKind, division: str, programmes: Sequence[str] = ()
) -> Office:
    """A new office at a division in force, responsible for `programmes` (codes)."""
    require_place(by, division)
    place = get_division(division, on)
    if place.level == Level.GROUP:
        raise BadInput("村民组不设机构", where="区划", remedy="请选择村或以上的区划")
    return Office.objects.create(
        name=name.strip(), kind=kind, division=division, level=place.level, programmes=list(programmes), valid_from=on
    )


@command(Post.ADMINISTRATOR)
def set_programmes(*, by: Actor, office: int, programmes: Sequence[str]) -> Office:
    """What the office is responsible for from now on."""
    found = _office(by, office)
    if list(found.programmes) != list(programmes):
        found.programmes = list(programmes)
        found.save(update_fields=["programmes"])
    return found


@command(Post.ADMINISTRATOR)
def issue_account(
    *,
    by: Actor,
    username: str,
    full_name: str,
    office: int,
    networks: Sequence[str],
    password_hash: str,
    must_change_password: bool = True,
) -> Account:
    """An account for a person of `office`, with the only addresses it may sign in from (CIDR texts, at least one)."""
    require_may_issue(by, place := _office(by, office))
    if not USERNAME.fullmatch(username):
        raise BadInput(
            f"用户名“{username[:40]}”不合要求", where="用户名", remedy="小写字母开头，3 至 40 位字母、数字或短横"
        )
    if not 1 < len(full_name.strip()) <= 40:
        raise BadInput("姓名不合要求", where="姓名", remedy="请填写 2 至 40 个字的姓名")
    return Account.objects.create(
        username=username,
        full_name=full_name.strip(),
        division=place.division,
        allowed_networks=parse_networks(networks),
        password=_hashed(password_hash),
        must_change_password=must_change_password,
        issued_by=by.appointment,
    )


@command(Post.ADMINISTRATOR)
def appoint(*, by: Actor, on: date, account: int, post: Post, office: int, until: date | None = None) -> Appointment:
    """`account` holds `post` at `office` from `on` up to, not including, `until`."""
    place, person = _office(by, office), _account(by, account)
    require_may_issue(by, place)
    require_post_at(place, post)
    if until is not None and until <= on:
        raise BadInput("任期截止不晚于开始", where="任期", remedy="请核对两个日期")
    return Appointment.objects.create(
        account=person,
        post=post,
        office=place,
        division=place.division,
        valid_from=on,
        valid_to=until,
        issued_by=by.appointment,
    )


@command(Post.ADMINISTRATOR)
def end_appointment(*, by: Actor, on: date, appointment: int) -> Appointment:
    """The appointment ends on `on` (that day it holds no more). Ending it again on the same day changes nothing."""
    found = Appointment.objects.select_related("office").filter(pk=appointment).first()
    if found is None:
        raise _no_such("任职")
    require_may_issue(by, found.office)
    if found.pk == by.appointment:
        raise AlreadyDone("不能免去自己正在使用的岗位", remedy="请由另一位管理员办理")
    if found.valid_to is not None and found.valid_to < on:
        raise AlreadyDone(f"该任职已于 {found.valid_to} 结束", remedy="无需重复办理")
    if found.valid_from > on:
        raise BadInput(f"该任职自 {found.valid_from} 开始", where="免职日期", remedy="免职不能早于任职")
    if found.valid_to != on:
        found.valid_to = on
        found.save(update_fields=["valid_to"])
    return found


@command(Post.ADMINISTRATOR)
def set_networks(*, by: Actor, account: int, networks: Sequence[str]) -> Account:
    """The only addresses the account may sign in from."""
    found, parsed = _account(by, account), parse_networks(networks)
    if list(found.allowed_networks) != parsed:
        found.allowed_networks = parsed
        found.save(update_fields=["allowed_networks"])
    return found


@command(Post.ADMINISTRATOR)
def set_active(*, by: Actor, account: int, active: bool) -> Account:
    """Stop an account or let it sign in again; never one's own."""
    found = _account(by, account)
    if found.pk == by.account:
        raise AlreadyDone("不能停用自己的账号", remedy="请由另一位管理员办理")
    if found.active != active:
        found.active = active
        found.save(update_fields=["active"])
    return found


@command(Post.ADMINISTRATOR)
def reset_password(*, by: Actor, account: int, password_hash: str) -> Account:
    """A new issued password, to be changed at the next sign-in."""
    found = _account(by, account)
    _set_password(by, found, password_hash, must_change=True)
    return found


@command(*ANYBODY)
def change_password(*, by: Actor, current: str, new: str) -> Account:
    """One's own password: the current one is asked again, the new one differs and meets the policy."""
    account = Account.objects.get(pk=by.account)
    if not check_password(current, account.password):
        raise WrongPassword("现口令不对", remedy="请重新输入；忘记口令请找管理员重置")
    if current == new:
        raise BadInput("新口令与现口令相同", where="新口令", remedy="请换一个口令")
    _set_password(by, account, hash_password(new, account=account), must_change=False)
    return account


def parse_networks(networks: Sequence[str]) -> list[str]:
    """CIDR texts in one spelling, in order; BadInput names the one that is none. An empty list lets nobody in."""
    parsed = []
    for text in networks:
        try:
            parsed.append(str(ipaddress.ip_network(text.strip())))
        except ValueError:
            raise BadInput(
                f"“{text[:43]}”不是网段", where="允许的网络地址", remedy="如 10.34.15.0/24，单台机器写 10.34.15.8/32"
            ) from None
    if not parsed:
        raise BadInput("没有允许的网络地址", where="允许的网络地址", remedy="请登记至少一个网段，否则无法登录")
    return list(dict.fromkeys(parsed))


def _office(by: Actor, office: int) -> Office:
    found = Office.objects.filter(pk=office).first()
    if found is None:
        raise _no_such("机构")
    require_place(by, found.division)
    return found


def _account(by: Actor, account: int) -> Account:
    found = Account.objects.filter(pk=account).first()
    if found is None:
        raise _no_such("账号")
    require_place(by, found.division)
    return found


def _no_such(what: str) -> NoSuchAccount:
    return NoSuchAccount(f"没有这个{what}", remedy="请刷新名单后再试")


def _hashed(password_hash: str) -> str:
    identify_hasher(password_hash)  # a plain password here would be a programming mistake
    return password_hash


def _set_password(by: Actor, account: Account, password_hash: str, *, must_change: bool) -> None:
    account.password = _hashed(password_hash)
    account.must_change_password = must_change
    account.password_changed_at = _record_time()
    account.save(update_fields=["password", "must_change_password", "password_changed_at"])
    record_event(by, Event.Kind.PASSWORD_CHANGED, f"account {account.pk}", {"issued": must_change})


def _record_time() -> datetime:
    """The transaction's time of record, from the database."""
    now: datetime = fetch_one("SELECT now()")[0]
    return now
