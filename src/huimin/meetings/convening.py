"""Calling a meeting: which village, when and where, over which cases; who is invited; what will be read aloud (CASE-03).

in    a village and its cases that stand at a step which demands 民主评议
out   a Meeting with its Items (each with what is read aloud, frozen) and the register of who was invited

Always true: a case is on one open agenda at a time; everybody on the checked list is invited; what is read is what was
registered on the day it was frozen, and may be frozen anew until the meeting is held. Law: 皖政办〔2008〕23号 附件3 第21–23条.
"""

import re
from collections.abc import Collection
from datetime import date, timedelta

from huimin.cases.models import Case
from huimin.database.bulk import run
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.meetings.delegates import number_of
from huimin.meetings.models import Item, Meeting
from huimin.meetings.steps import demanding, stands_for_review
from huimin.meetings.telling import hardship_words, tell
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post

CONVENERS = (Post.INFORMATION_OFFICER, Post.CLERK)
CASES_MAX = 60
"""Of one meeting: nobody listens to more."""
DAYS_AHEAD_MAX = 60
State = Meeting.State
_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")

refused_by_constraint("meeting_once_a_day", AlreadyDone, "这个村这一天已有评议会", "请在那次会议里增加议题，或另选一天")
refused_by_constraint("item_once", AlreadyDone, "所选的在这次会议上列过了", "请另行召集")
refused_by_constraint("item_on_one_agenda", AlreadyDone, "所选的事已列入另一次评议会", "请刷新后再选")


class NobodyToJudge(Refusal):
    """The village has no checked list of representatives."""


# Everybody on the checked list on the day of the meeting who is not on its register yet.
_INVITE = """
INSERT INTO meetings_participant (meeting_id, division, role, representative_id, supervisor_id, person_id, name, title)
SELECT m.id, m.division, 'rep', r.id, NULL, r.person_id, r.name, r.group_name FROM meetings_meeting m
JOIN meetings_representative r ON r.division = m.division AND r.state = 'confirmed'
 AND r.valid_from <= m.meets_on AND (r.valid_to IS NULL OR r.valid_to > m.meets_on)
WHERE m.id = %(meeting)s AND NOT EXISTS (SELECT 1 FROM meetings_participant p WHERE p.meeting_id = m.id AND p.representative_id = r.id)
UNION ALL
SELECT m.id, m.division, 'supervisor', NULL, s.id, s.person_id, s.name, '义务监督员' FROM meetings_meeting m
JOIN meetings_supervisor s ON s.division = m.division AND s.valid_from <= m.meets_on
 AND (s.valid_to IS NULL OR s.valid_to > m.meets_on)
WHERE m.id = %(meeting)s AND NOT EXISTS (SELECT 1 FROM meetings_participant p WHERE p.meeting_id = m.id AND p.supervisor_id = s.id)
"""
# A case that went elsewhere meanwhile frees itself from the agenda it was on.
_RELEASE = """
UPDATE meetings_item i SET state = 'dropped' FROM cases_case c
WHERE i.case_id = c.id AND i.state = 'waiting' AND c.id = ANY (%(cases)s)
  AND (i.step, i.round) IS DISTINCT FROM (c.step, c.round)
"""


@command(*CONVENERS)
def convene(
    *,
    by: Actor,
    on: date,
    village: str,
    cases: Collection[int],
    meets_on: date,
    meets_at: str,
    location: str,
    chair: str,
) -> Meeting:
    """Call the representatives of a village together over `cases`; from today on."""
    require_place(by, village)
    _require_told(on, meets_on, meets_at, location, chair)
    chosen = _chosen(village, cases)
    if number_of(village, meets_on) is None:
        raise NobodyToJudge("这个村还没有核对过的法定代表数", remedy="请先填法定代表数和代表名单，由乡镇核对")
    run(_RELEASE, {"cases": [case.pk for case in chosen]})
    hour, minute = _TIME.fullmatch(meets_at.strip()).groups()  # type: ignore[union-attr]
    meeting = Meeting.objects.create(
        division=village, meets_on=meets_on, meets_at=f"{int(hour):02d}:{minute}", location=location.strip(),
        chair=chair.strip(), convened_by=by.appointment, convened_on=on,
    )  # fmt: skip
    invite(meeting)
    if not meeting.participants.filter(role="rep").exists():
        raise NobodyToJudge("这个村还没有核对过的居民代表名单", remedy="请先登记代表名单，由乡镇核对")
    _put_on_agenda(by, on, meeting, chosen)
    return meeting


def _put_on_agenda(by: Actor, on: date, meeting: Meeting, chosen: list[Case]) -> None:
    there = meeting.items.count()
    if there + len(chosen) > CASES_MAX:
        raise BadInput(f"议题超过 {CASES_MAX} 件", where="议题", remedy="请另开一次会")
    for number, case in enumerate(chosen, there + 1):
        told = tell(by, on, case)
        Item.objects.create(
            meeting=meeting, division=meeting.division, number=number, case=case, step=case.step, round=case.round,
            told=told.content, told_on=on, eligible=told.eligible, amount_fen=told.amount_fen, facts_digest=told.digest,
        )  # fmt: skip


@command(*CONVENERS)
def add_cases(*, by: Actor, on: date, meeting: int, cases: Collection[int]) -> Meeting:
    """More cases of the village for a meeting that was called and not held yet."""
    row = locked(by, meeting)
    require_state(row, State.PLANNED)
    chosen = _chosen(row.division, cases)
    run(_RELEASE, {"cases": [case.pk for case in chosen]})
    _put_on_agenda(by, on, row, chosen)
    return row


def _require_told(on: date, meets_on: date, meets_at: str, location: str, chair: str) -> None:
    if not on <= meets_on <= on + timedelta(days=DAYS_AHEAD_MAX):
        why = f"应在今天起 {DAYS_AHEAD_MAX} 天内；已开过的会不能补通知"
        raise BadInput(f"{meets_on} 不能召集", where="开会日期", why=why, remedy="请核对日期")
    if not _TIME.fullmatch(meets_at.strip()):
        raise BadInput(f"“{meets_at[:10]}”不是时间", where="时间", remedy="请按 15:00 的样子填写")
    for where, words in (("地点", location), ("主持人", chair)):
        if not 2 <= len(words.strip()) <= 60:
            raise BadInput(f"没有写明{where}", where=where, remedy=f"请用 2 至 60 个字写明{where}")


def _chosen(village: str, cases: Collection[int]) -> list[Case]:
    """Locked, by id; each of this village and waiting for a meeting."""
    if not 0 < len(set(cases)) <= CASES_MAX:
        raise BadInput("没有选要评议的事，或太多", where="议题", remedy=f"请选 1 至 {CASES_MAX} 件")
    rows = Case.objects.select_for_update(of=("self",)).filter(pk__in=set(cases)).select_related("process", "person")
    found = [case for case in rows.order_by("id") if case.division[: Level.VILLAGE] == village]
    if len(found) != len(set(cases)):
        raise BadInput("所选的有不是这个村的", where="议题", remedy="请从列表选择")
    steps = demanding()
    for case in found:
        if not stands_for_review(case, steps):
            raise AlreadyDone(f"{case.number} 现在不等评议", why=case.get_state_display(), remedy="请刷新后再选")
    judged = Item.objects.filter(case__in=found, state=Item.State.JUDGED).select_related("case")
    for item in judged:
        if item.round == item.case.round:
            raise AlreadyDone(
                f"{item.case.number} 这一轮已经评议过",
                why="同一轮只评议一次",
                remedy="结果有误的由乡镇核查，决定重新评议后再列入",
            )
    return found


def invite(meeting: Meeting) -> int:
    """Who is on the checked lists on the day of the meeting stands on its register; how many came to it."""
    return run(_INVITE, {"meeting": meeting.pk})


def locked(by: Actor, meeting: int) -> Meeting:
    """The meeting for the rest of the transaction."""
    row = Meeting.objects.select_for_update(of=("self",)).filter(pk=meeting).first()
    if row is None:
        raise BadInput("没有这次会议", where="会议", why="不存在，或不在您的辖区内", remedy="请从会议列表进入")
    require_place(by, row.division)
    return row


def require_state(meeting: Meeting, *states: str) -> None:
    if meeting.state not in states:
        raise AlreadyDone(f"这次会议{meeting.get_state_display()}", remedy="请刷新后查看")


@command(*CONVENERS)
def refresh_sheet(*, by: Actor, on: date, meeting: int) -> int:
    """Freeze anew what is read aloud, as registered today, and invite who came to the list since; before it is held.

    How many cases changed.
    """
    row = locked(by, meeting)
    require_state(row, State.PLANNED)
    invite(row)
    changed = 0
    for item in row.items.filter(state=Item.State.WAITING).select_related("case__person").order_by("number"):
        told = tell(by, on, item.case)
        if told.digest == item.facts_digest:
            continue
        item.told, item.told_on, item.eligible = told.content, on, told.eligible
        item.amount_fen, item.facts_digest = told.amount_fen, told.digest
        item.save(update_fields=["told", "told_on", "eligible", "amount_fen", "facts_digest"])
        changed += 1
    return changed


@command(*CONVENERS)
def word_hardship(*, by: Actor, on: date, item: int, text: str) -> Item:
    """What is read aloud of a family's hardship, in the village's words; before the meeting is held."""
    found = Item.objects.select_related("meeting").filter(pk=item).first()
    if found is None:
        raise BadInput("没有这件议题", where="议题", remedy="请从会议页面进入")
    require_state(locked(by, found.meeting_id), State.PLANNED)
    found.hardship = hardship_words(text)
    found.save(update_fields=["hardship"])
    return found


@command(*CONVENERS)
def cancel_meeting(*, by: Actor, on: date, meeting: int, reason: str) -> Meeting:
    """It will not be held; its cases wait for the next one."""
    row = locked(by, meeting)
    require_state(row, State.PLANNED)
    if len(reason.strip()) < 2:
        raise BadInput("没有写取消的原因", where="原因", remedy="请写明为什么不开")
    row.state, row.reason = State.CANCELLED, reason.strip()[:300]
    row.save(update_fields=["state", "reason"])
    drop_items(row)
    return row


def drop_items(meeting: Meeting) -> None:
    """What was not judged waits for another meeting."""
    meeting.items.filter(state=Item.State.WAITING).update(state=Item.State.DROPPED)
