"""Objections to what is on notice: by anyone, by name or not; looked into by another; answered, and told (CASE-06).

in    what somebody says against a row: at the desk, by phone, letter, on the spot, from the box; how it was looked into
out   an objection that holds the notice open; its answer; the day who left a name was told

Always true (also by triggers, migrations 0002 and 0004): it is filed only against a row of an open notice; who filed it does
not answer it, nor whom it is about, nor a near relative of the household; an answer is final and says how, when, by whom it
was looked into and what was found; who objects is sealed, and each look at him is recorded. Law: S0 A3 art 29–31 (异议的重新评议或
核实); S3 二(一)5. The seven days for an answer are ours, as the law names none.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet

from huimin.audit.models import Event
from huimin.database.personal import PAYLOAD, plain, sealed
from huimin.kernel.digests import canonical
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import require_not_related
from huimin.notices.commands import NoticeClosed, NotPublished, looks_plain
from huimin.notices.models import Notice, NoticeRow, Objection
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    NotYourPost,
    SamePerson,
    command,
    record_event,
    refused_by_constraint,
    require_another,
)
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import live_on

ANSWER_DAYS = 7
STAFF_LISTED_MAX = 100
FILERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)
ANSWERERS = (Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
ABOVE = (Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER)
"""Answer only what is about a colleague."""
State, How = Objection.State, Objection.How

refused_by_constraint("objection_against_open_notice", NoticeClosed, "该公示已不在公示期", "请改为投诉举报")
refused_by_constraint("objection_final", AlreadyDone, "异议已经答复", "请刷新后查看")
refused_by_constraint("objection_answered_by_another", SamePerson, "登记异议的人不能答复", "请由另一人答复")
refused_by_constraint(
    "objection_not_by_whom_it_is_about", SamePerson, "异议反映的就是您", "请由乡镇负责人或县惠民办答复"
)


@dataclass(frozen=True)
class Objector:
    """Who objects; nothing where he does not say. `name` and `phone` are sealed as they come in."""

    name: str = ""
    phone: str = ""

    @property
    def anonymous(self) -> bool:
        return not (self.name.strip() or self.phone.strip())


@dataclass(frozen=True)
class Review:
    """How an objection was looked into: renewed review or investigation, on which day, by whom, what was found."""

    how: str
    looked_on: date
    looked_by: str
    found: str


@command(*FILERS)
def file_objection(
    *, by: Actor, on: date, row_id: int, text: str, channel: str = Objection.Channel.DESK, objector: Objector | None = None,
    about: int | None = None,
) -> Objection:  # fmt: skip
    """Register what somebody says against a row of an open notice; an answer is due in 7 days (S0 A3 art 29).

    `about` is the appointment of a member of staff it is about. The same text on the same row while it waits is the same
    objection and changes nothing.
    """
    text = _words(text, "异议内容")
    who = _told(objector or Objector())
    if channel not in Objection.Channel.values:
        raise BadInput("没有选怎么来的", where="来源", remedy="请从列表选择")
    if about is not None and not staff_near(by, on).filter(pk=about).exists():
        raise BadInput("没有这位工作人员", where="反映的工作人员", remedy="请从列表选择")
    row = NoticeRow.objects.filter(pk=row_id).first()
    if row is None:
        raise NotPublished("没有找到这一行公示", why="它不在您的辖区内，或不存在", remedy="请从公示页面进入")
    notice = Notice.objects.select_for_update().get(pk=row.notice_id)
    same = Objection.objects.filter(row=row, state=State.OPEN, text=text).first()
    if same is not None:
        return same
    if notice.state != Notice.State.OPEN:
        raise NoticeClosed(
            f"该公示{notice.get_state_display()}，不再受理异议",
            why=f"公示期到 {notice.ends_on} 止",
            remedy="可作为投诉举报登记",
        )
    enc, hashed = sealed(canonical({"name": who.name, "phone": who.phone}).decode(), PAYLOAD)
    return Objection.objects.create(
        row=row, notice=notice, division=notice.division, channel=channel, text=text, anonymous=who.anonymous,
        payload_enc=None if who.anonymous else enc, payload_hash=None if who.anonymous else hashed, about_appointment=about,
        filed_on=on, filed_by=by.appointment, due_on=on + timedelta(days=ANSWER_DAYS),
    )  # fmt: skip


def _told(objector: Objector) -> Objector:
    """Name and phone as they are kept; either alone is enough to answer him."""
    name = objector.name.strip()
    phone = "".join(objector.phone.translate(str.maketrans("０１２３４５６７８９", "0123456789", "-－ 　")).split())
    if len(name) > 40 or (name and looks_plain(name)):
        raise BadInput("反映人姓名写得不对", where="反映人姓名", remedy="只写姓名；不愿留名的留空")
    if phone and not (phone.isascii() and phone.isdigit() and 7 <= len(phone) <= 12):
        raise BadInput("电话不是 7 至 12 位数字", where="反映人电话", remedy="请核对后再填；没有的留空")
    return Objector(name, phone)


def staff_near(by: Actor, on: date) -> QuerySet[Appointment]:
    """Whom an objection may be about: who holds a post in the place of `by` or in the offices above it in the county."""
    inside = Appointment.objects.filter(live_on(on), division__startswith=by.division[:6])
    mine = inside.filter(division__in=[by.division, by.division[:9].ljust(12, "0"), by.division[:6].ljust(12, "0")])
    below = inside.filter(division__startswith=by.prefix)
    return (mine | below).exclude(post__in=[Post.BANK_OPERATOR, Post.ADMINISTRATOR])


@command(*ANSWERERS)
def answer_objection(*, by: Actor, on: date, objection_id: int, upheld: bool, answer: str, review: Review) -> Objection:
    """Close an objection after renewed review or investigation, by another person than who filed it or whom it is about.

    The township head and the county answer what is about a colleague; the rest is the reviewer's. The same answer again
    changes nothing, a different one is AlreadyDone.
    """
    answer = _words(answer, "答复")
    objection = _locked(objection_id)
    if by.post in ABOVE and objection.about_appointment is None:
        raise NotYourPost(f"{by.post.label}只答复反映工作人员的异议", remedy="请由乡镇审核员答复")
    require_another(by, objection.filed_by, "登记异议")
    require_another(by, objection.about_appointment, "异议反映")
    if objection.row.household_id:
        require_not_related(by, on, [objection.row.household_id])
    review = _looked_into(review, objection, on)
    state = State.UPHELD if upheld else State.DISMISSED
    if objection.state == State.OPEN:
        objection.state, objection.answer = state, answer
        objection.how, objection.looked_on = review.how, review.looked_on
        objection.looked_by, objection.found = review.looked_by, review.found
        objection.answered_on, objection.answered_by = on, by.appointment
        objection.save(
            update_fields=["state", "answer", "how", "looked_on", "looked_by", "found", "answered_on", "answered_by"]
        )
    elif (objection.state, objection.answer) != (state, answer):
        raise AlreadyDone(
            f"这件异议已答复：{objection.get_state_display()}",
            why=f"{objection.answered_on} 已办结",
            remedy="如有新情况请另行登记",
        )
    return objection


def _looked_into(review: Review, objection: Objection, on: date) -> Review:
    if review.how not in How.values:
        raise BadInput("没有选怎么核查的", where="核查方式", remedy="请选择重新评议或核实")
    if not objection.filed_on <= review.looked_on <= on:
        raise BadInput(
            f"核查日期 {review.looked_on} 不成立", where="核查日期", why=f"应在 {objection.filed_on} 登记之后、今天之前",
            remedy="请核对日期",
        )  # fmt: skip
    who = review.looked_by.strip()
    if not 2 <= len(who) <= 120:
        raise BadInput("没有写谁去核查的", where="核查人", remedy="请写核查人姓名，评议的写参加评议的人数和主持人")
    return Review(review.how, review.looked_on, who, _words(review.found, "核查情况", 1000))


@command(*FILERS, Post.REVIEWER, Post.TOWNSHIP_HEAD)
def tell_objector(*, by: Actor, on: date, objection_id: int, told_on: date, how: str) -> Objection:
    """Who left a name or phone was told the answer. Again, it changes nothing."""
    objection = _locked(objection_id)
    if objection.anonymous or objection.state == State.OPEN:
        what = "匿名异议没有可告知的人" if objection.anonymous else "异议还没有答复"
        raise BadInput(what, where="告知", remedy="匿名的答复写在公示页面上即可" if objection.anonymous else "请先答复")
    if objection.told_on:
        return objection
    assert objection.answered_on is not None
    if not objection.answered_on <= told_on <= on:
        raise BadInput(
            f"告知日期 {told_on} 不成立", where="告知日期", why="应在答复之后、今天之前", remedy="请核对日期"
        )
    if len(how.strip()) < 2:
        raise BadInput("没有写怎么告知的", where="方式", remedy="如：电话、当面、书面送达")
    objection.told_on, objection.told_how, objection.told_by = told_on, how.strip()[:80], by.appointment
    objection.save(update_fields=["told_on", "told_how", "told_by"])
    return objection


@command(*FILERS, Post.REVIEWER, Post.TOWNSHIP_HEAD)
def look_at_objector(*, by: Actor, on: date, objection_id: int, purpose: str) -> Objector:
    """Name and phone of who objects, for a purpose that is recorded; never to whom the objection is about."""
    objection = _locked(objection_id)
    if not 2 <= len(purpose.strip()) <= 80:
        raise BadInput("没有写明用途", where="用途", remedy="请用 2 至 80 个字写明为什么要看，如：电话告知答复")
    require_another(by, objection.about_appointment, "异议反映")
    if objection.payload_enc is None:
        return Objector()
    told = json.loads(plain(objection.payload_enc, PAYLOAD))
    record_event(by, Event.Kind.LOOKED, f"objection:{objection.pk}", {"purpose": purpose.strip(), "on": on.isoformat()})
    return Objector(told["name"], told["phone"])


def _locked(objection_id: int) -> Objection:
    rows = Objection.objects.select_for_update(of=("self",)).select_related("row")
    objection = rows.filter(pk=objection_id).first()
    if objection is None:
        raise NotPublished("没有找到这件异议", why="它不在您的辖区内，或不存在", remedy="请从异议列表进入")
    return objection


def _words(text: str, field: str, most: int = 500) -> str:
    """Text a person wrote, without plain numbers in it."""
    text = text.strip()
    if not text or len(text) > most:
        raise BadInput(f"{field}要写 1 至 {most} 个字", where=field, remedy="请补写或改短")
    if looks_plain(text):
        raise BadInput(f"{field}里有完整号码", where=field, why="号码属于个人信息", remedy="请只写姓名和事由")
    return text
