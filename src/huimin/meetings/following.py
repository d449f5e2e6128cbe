"""After the minutes: the township's inquiry where a meeting spoke against the determination; corrections; signed papers (CASE-03).

in    a judged case; a mistake in final minutes; scans
out   Inquiry, signed: the case goes on, or is judged again; Correction, signed; MeetingScan

Always true: who inquires had no part in the meeting and no relative in the case; an inquiry is written once; nothing of the
minutes changes. The township answers for what it finds (皖政办〔2008〕23号 附件3 第26条: 逐一调查核实，7 日内签署意见).
"""

from datetime import date, timedelta

from huimin.audit.models import Event
from huimin.cases.models import Case
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kinship.recusal import require_not_related
from huimin.meetings.convening import CONVENERS, locked, require_state
from huimin.meetings.models import Correction, Inquiry, Item, Meeting, MeetingScan, Participant
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    record_event,
    refused_by_constraint,
    require_another,
)
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.registry.commands.attachments import keep_scan, open_scan

INQUIRERS = (Post.REVIEWER, Post.TOWNSHIP_HEAD)
INQUIRY_DAYS = 7
SCANS_MAX = 40
State, Conclusion = Meeting.State, Inquiry.Conclusion

refused_by_constraint("meetings_inquiry_item_id_key", AlreadyDone, "这件事已经核查过", "请刷新后查看")
refused_by_constraint("correction_once", AlreadyDone, "同样的更正已经写过", "不必再写")
refused_by_constraint("meeting_scan_once", AlreadyDone, "这份文件已经上传过", "不必再传")


class NothingToInquire(Refusal):
    """The township has nothing to look into here."""


def inquiry_due_on(item: Item) -> date:
    """Seven days from the day the result was written down."""
    assert item.judged_on is not None
    return item.judged_on + timedelta(days=INQUIRY_DAYS)


@command(*INQUIRERS)
def inquire(*, by: Actor, on: date, item: int, conclusion: str, text: str) -> Inquiry:
    """What was found: the determination stands and the case goes on with this report; or it is judged again.

    Judged again also where a result was written down wrongly; that the determination stands is for contested ones only.
    """
    found = Item.objects.filter(pk=item).first()
    if found is None:
        raise BadInput("没有这件议题", where="议题", remedy="请从会议页面进入")
    meeting = locked(by, found.meeting_id)
    require_state(meeting, State.RECORDED)
    row = Item.objects.select_for_update(of=("self",)).select_related("case").get(pk=item)
    _require_apart(by, on, meeting, row)
    if row.state != Item.State.JUDGED:
        raise AlreadyDone(f"这件事{row.get_state_display()}", remedy="请刷新后查看")
    if conclusion not in Conclusion.values:
        raise BadInput("没有选核查结论", where="核查结论", remedy="请选择核查结论")
    if conclusion == Conclusion.STANDS and not row.contested:
        raise NothingToInquire("评议结果与认定一致，不用核查", remedy="结果登记有误的，选重新评议")
    case = row.case
    if (case.step, case.round, case.state) != (row.step, row.round, Case.State.OPEN):
        raise AlreadyDone(f"{case.number} 已不在“{row.step}”", remedy="请刷新后查看")
    if len(text.strip()) < 10:
        raise BadInput("没有写核查报告", where="核查报告", remedy="请写明核查了什么、问了谁、结论是什么")
    made = _sign(by, on, row, conclusion, text.strip()[:2000])
    if conclusion == Conclusion.AGAIN:
        row.state = Item.State.REOPENED
        row.save(update_fields=["state"])
    return made


def _require_apart(by: Actor, on: date, meeting: Meeting, row: Item) -> None:
    assert row.case.household_id is not None
    require_not_related(by, on, [row.case.household_id])
    for earlier, what in ((meeting.recorded_by, "会议定稿"), (row.judged_by, "登记评议结果")):
        require_another(by, earlier, what)
    officers = meeting.participants.filter(role=Participant.Role.CADRE, present=True).exclude(appointment=None)
    sat = Appointment.objects.filter(pk__in=officers.values("appointment"), account=by.account)
    if sat.exists():
        raise SamePerson(
            "您参加了这次评议会，不能核查它的结果", why="核查的人与评议分开", remedy="请由另一位审核员或负责人核查"
        )


def _sign(by: Actor, on: date, row: Item, conclusion: str, text: str) -> Inquiry:
    content = {"item": row.pk, "minutes": row.meeting.digest, "conclusion": conclusion, "text": text}
    signature = sign(
        by=by,
        on=on,
        act="评议结果核查",
        subject=row.case.subject,
        content_digest=digest(content),
        division=row.division,
    )
    return Inquiry.objects.create(
        item=row, division=row.division, conclusion=conclusion, text=text, signature=signature,
        written_by=by.appointment, account=by.account, written_on=on,
    )  # fmt: skip


@command(*CONVENERS, Post.REVIEWER)
def correct_minutes(*, by: Actor, on: date, meeting: int, text: str) -> Correction:
    """A slip in final minutes, put right in words that are printed with them."""
    row = locked(by, meeting)
    require_state(row, State.RECORDED)
    said = " ".join(text.split())[:500]
    if len(said) < 4:
        raise BadInput("没有写更正说明", where="更正说明", remedy="请写明哪里写错、应为什么")
    signature = sign(
        by=by, on=on, act="更正会议记录", subject=row.subject, division=row.division,
        content_digest=digest({"meeting": row.pk, "minutes": row.digest, "text": said}),
    )  # fmt: skip
    return Correction.objects.create(
        meeting=row, division=row.division, text=said, signature=signature, written_by=by.appointment, written_on=on
    )


@command(*CONVENERS)
def file_scan(*, by: Actor, on: date, meeting: int, kind: str, content: bytes) -> MeetingScan:
    """A signed sheet or photo of a meeting that took place, valid or void; the same file once."""
    row = locked(by, meeting)
    require_state(row, State.HELD, State.RECORDED, State.VOID)
    if kind not in MeetingScan.Kind.values:
        raise BadInput("没有选是什么", where="材料", remedy="请选择签到表、会议记录、计票单或照片")
    if row.scans.count() >= SCANS_MAX:
        raise BadInput(f"材料超过 {SCANS_MAX} 份", where="文件", remedy="请合并为 PDF 后再上传")
    sha256, media_type = keep_scan(content)
    return MeetingScan.objects.create(
        meeting=row, division=row.division, kind=kind, media_type=media_type, size_bytes=len(content), sha256=sha256,
        added_by=by.appointment, added_on=on,
    )  # fmt: skip


@command(*CONVENERS, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR)
def read_meeting_scan(*, by: Actor, on: date, scan: int) -> tuple[MeetingScan, bytes]:
    """The paper; the look is recorded."""
    row = MeetingScan.objects.filter(pk=scan).first()
    if row is None:
        raise BadInput("没有这份材料", where="材料", remedy="请从会议页面进入")
    record_event(by, Event.Kind.LOOKED, f"meetingscan:{row.pk}", {"on": on.isoformat()})
    return row, open_scan(row.sha256)
