"""Who speaks and watches for a village: representatives, their statutory number, volunteer supervisors (CASE-03, SUP-06).

in    names as a village elects them, its 法定代表数 with a document; supervisors as a township appoints them
out   StatutoryNumber, Representative, Supervisor

Always true: what a village enters counts once another person of the township has checked it; no more representatives
stand on the list than the statutory number allows; whoever ends keeps his row and the reason; a phone is read for a
recorded purpose only. Law: 皖政办〔2008〕23号 附件3 第23条 (the statutory number), 第35条 (supervisors).
"""

from datetime import date, timedelta

from django.db.models import Q

from huimin.audit.models import Event
from huimin.database.personal import PHONE, plain, sealed
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.meetings.models import Checked, Representative, StatutoryNumber, Supervisor
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPlace,
    command,
    record_event,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.registry.commands.looking import PURPOSE_MAX, PURPOSE_MIN
from huimin.registry.models import Membership

KEEPERS = (Post.INFORMATION_OFFICER, Post.CLERK)
CHECKERS = (Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD)
APPOINTERS = (Post.CLERK, Post.TOWNSHIP_HEAD)
NUMBER_MAX = 500

refused_by_constraint("statutory_number_once", AlreadyDone, "这一天起的法定代表数已经填过", "请刷新后查看")
refused_by_constraint(
    "representative_once", AlreadyDone, "名单上已有这位代表", "同组同名的请在姓名后注明，如“张三（大）”"
)
refused_by_constraint("supervisor_once", AlreadyDone, "名单上已有这位义务监督员", "请刷新后查看")


class ListFull(Refusal):
    """There are as many representatives as the statutory number allows."""


def in_force(on: date) -> Q:
    """On the list on that day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


def number_of(village: str, on: date) -> StatutoryNumber | None:
    """The statutory number in force: the newest that was checked."""
    rows = StatutoryNumber.objects.filter(division=village, state=Checked.CONFIRMED, valid_from__lte=on)
    return rows.order_by("-valid_from").first()


def _village(by: Actor, village: str, on: date) -> str:
    if not (village.isascii() and village.isdigit()):
        raise BadInput("没有选村", where="村", remedy="请从列表选择村")
    require_place(by, village)
    if get_division(village, on).level != Level.VILLAGE:
        raise NotYourPlace("居民代表按村（社区）登记", remedy="请选择村或社区")
    return village


@command(*KEEPERS)
def enter_number(*, by: Actor, on: date, village: str, number: int, basis: str, valid_from: date) -> StatutoryNumber:
    """法定代表数 of a village from a day on; it counts once the township has checked it."""
    place = _village(by, village, on)
    if not 3 <= number <= NUMBER_MAX:
        raise BadInput(f"{number} 不是法定代表数", where="法定代表数", remedy=f"请填 3 至 {NUMBER_MAX} 的整数")
    if len(basis.strip()) < 2:
        raise BadInput("没有写依据", where="依据", remedy="如：2021 年村民代表推选结果报告单")
    return StatutoryNumber.objects.create(
        division=place, number=number, basis=basis.strip()[:120], valid_from=valid_from, entered_by=by.appointment,
        entered_on=on,
    )  # fmt: skip


@command(*KEEPERS)
def enter_representative(
    *, by: Actor, on: date, village: str, name: str, group_name: str, valid_from: date, last_day: date | None = None,
    phone: str = "", household_no: str = "",
) -> Representative:  # fmt: skip
    """A representative as elected; `household_no` ties him to his own household, whose case he then has no vote on."""
    place = _village(by, village, on)
    if not 2 <= len(name.strip()) <= 40 or not group_name.strip():
        raise BadInput("没有写姓名或组别", where="姓名", remedy="请照推选结果填写姓名和村民组（片区）")
    number = StatutoryNumber.objects.select_for_update().filter(division=place).exclude(state=Checked.REFUSED)
    rows = [row.number for row in number]
    if not rows:
        raise BadInput("还没有填法定代表数", where="法定代表数", remedy="请先填法定代表数")
    there = Representative.objects.filter(division=place, ended_on=None).exclude(state=Checked.REFUSED)
    if there.filter(Q(valid_to=None) | Q(valid_to__gt=valid_from)).count() >= max(rows):
        raise ListFull(f"名单已有 {max(rows)} 人，等于法定代表数", remedy="请先登记卸任的，或更正法定代表数")
    enc, hashed = _sealed_phone(phone)
    return Representative.objects.create(
        division=place, name=name.strip(), group_name=group_name.strip()[:20], phone_enc=enc, phone_hash=hashed,
        person_id=_person(household_no, name, on), valid_from=valid_from, valid_to=_until(valid_from, last_day),
        entered_by=by.appointment, entered_on=on,
    )  # fmt: skip


def _until(valid_from: date, last_day: date | None) -> date | None:
    if last_day is None:
        return None
    if last_day < valid_from:
        raise BadInput("任期截止早于开始", where="任期截止", remedy="请核对两个日期")
    return last_day + timedelta(days=1)


def _sealed_phone(phone: str) -> tuple[bytes | None, bytes | None]:
    digits = phone.translate(str.maketrans("０１２３４５６７８９", "0123456789", "-－ 　"))
    if not digits:
        return None, None
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 12):
        raise BadInput("不是电话号码", where="电话", remedy="请填 7 至 12 位数字，没有的不填")
    return sealed(digits, PHONE)


def _person(household_no: str, name: str, on: date) -> int | None:
    """The member of that name in the household the number names."""
    if not household_no.strip():
        return None
    rows = Membership.objects.filter(
        household__household_no=household_no.strip(), person__name=name.strip(), recorded_to=None, valid_from__lte=on
    ).filter(Q(valid_to=None) | Q(valid_to__gt=on))
    found = rows.values_list("person_id", flat=True).first()
    if found is None:
        raise BadInput(
            f"{household_no.strip()} 没有叫{name.strip()}的成员",
            where="本人所在户",
            remedy="请核对户编码，不清楚的不填",
        )
    return int(found)


@command(*CHECKERS)
def check_list(*, by: Actor, on: date, village: str, agreed: bool, refusal: str = "") -> int:
    """Everything the village's list waits with (number and names) is right, or none of it, with the reason. How many rows.

    Rows that `by` entered himself wait for another person.
    """
    place = _village(by, village, on)
    if not agreed and len(refusal.strip()) < 2:
        raise BadInput("没有写不予认可的原因", where="原因", remedy="请写明哪里与推选结果不符")
    told = {
        "state": Checked.CONFIRMED if agreed else Checked.REFUSED, "checked_by": by.appointment, "checked_on": on,
        "refusal": "" if agreed else refusal.strip()[:200],
    }  # fmt: skip
    changed = 0
    for model in (StatutoryNumber, Representative):
        waiting = list(model.objects.select_for_update().filter(division=place, state=Checked.PROPOSED))
        for entered_by in {row.entered_by for row in waiting}:
            require_another(by, entered_by, "填写名单")
        changed += model.objects.filter(pk__in=[row.pk for row in waiting]).update(**told)
    if not changed:
        raise AlreadyDone("没有待核对的", remedy="请刷新后查看")
    return changed


@command(*KEEPERS)
def end_representative(*, by: Actor, on: date, representative: int, last_day: date, reason: str) -> Representative:
    """He represents nobody from the day after; why."""
    row = Representative.objects.select_for_update().filter(pk=representative).first()
    _end(by, on, row, last_day, reason)
    assert row is not None
    return row


@command(*APPOINTERS)
def appoint_supervisor(
    *, by: Actor, on: date, village: str, name: str, kind: str, valid_from: date, last_day: date | None = None,
    phone: str = "", household_no: str = "",
) -> Supervisor:  # fmt: skip
    """聘请: an old cadre, party member, deputy or respected villager who watches from screening to posting."""
    place = _village(by, village, on)
    if not 2 <= len(name.strip()) <= 40 or kind not in Supervisor.Kind.values:
        raise BadInput("没有写姓名或身份", where="姓名", remedy="请填写姓名，选择身份")
    enc, hashed = _sealed_phone(phone)
    return Supervisor.objects.create(
        division=place, name=name.strip(), kind=kind, phone_enc=enc, phone_hash=hashed,
        person_id=_person(household_no, name, on), valid_from=valid_from, valid_to=_until(valid_from, last_day),
        appointed_by=by.appointment, appointed_on=on,
    )  # fmt: skip


@command(*APPOINTERS)
def end_supervisor(*, by: Actor, on: date, supervisor: int, last_day: date, reason: str) -> Supervisor:
    """解聘, or the term is over early; why."""
    row = Supervisor.objects.select_for_update().filter(pk=supervisor).first()
    _end(by, on, row, last_day, reason)
    assert row is not None
    return row


def _end(by: Actor, on: date, row: Representative | Supervisor | None, last_day: date, reason: str) -> None:
    if row is None:
        raise BadInput("名单上没有这个人", where="姓名", remedy="请从名单进入")
    require_place(by, row.division)
    if row.ended_on is not None:
        raise AlreadyDone(f"{row.name}已于 {row.ended_on} 登记卸任", remedy="请刷新后查看")
    if len(reason.strip()) < 2:
        raise BadInput("没有写原因", where="原因", remedy="如：换届、外出、本人辞去")
    if last_day < row.valid_from:
        raise BadInput("早于任职", where="最后一天", remedy=f"请填写 {row.valid_from} 或以后")
    row.valid_to, row.ended_by, row.ended_on = last_day + timedelta(days=1), by.appointment, on
    row.end_reason = reason.strip()[:200]
    row.save(update_fields=["valid_to", "ended_by", "ended_on", "end_reason"])


@command(*KEEPERS, Post.REVIEWER, Post.TOWNSHIP_HEAD)
def read_phone(*, by: Actor, on: date, who: str, row: int, purpose: str) -> str:
    """The phone of a representative or supervisor, to invite him; the look is recorded."""
    said = purpose.strip()
    if not PURPOSE_MIN <= len(said) <= PURPOSE_MAX:
        raise BadInput("没有写明用途", where="用途", remedy=f"请用 {PURPOSE_MIN} 至 {PURPOSE_MAX} 个字写明为什么要看")
    model = {"representative": Representative, "supervisor": Supervisor}[who]
    found = model.objects.filter(pk=row).first()
    if found is None or found.phone_enc is None:
        raise BadInput("没有登记电话", where="电话", remedy="请当面或上门通知")
    record_event(by, Event.Kind.LOOKED, f"{who}:{row}", {"purpose": said, "on": on.isoformat()})
    return plain(found.phone_enc, PHONE)
