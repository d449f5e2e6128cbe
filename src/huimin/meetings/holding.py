"""Holding a meeting: who came, whether it is valid, or why it is void (CASE-03; 皖政办〔2008〕23号 附件3 第22、23条).

in    a planned meeting on or after its day; who of the register was there, which cadres of the township
out   the meeting as held, with its numbers frozen; or as void, with the reason, and its cases free for the next one

Always true: with fewer than two thirds of the statutory number, or without a volunteer supervisor or a township cadre, a
meeting cannot be recorded as held, by a command or by SQL; and one that had all three cannot be called void to be rid of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.places import Level
from huimin.meetings.convening import CONVENERS, NobodyToJudge, drop_items, locked, require_state
from huimin.meetings.delegates import number_of
from huimin.meetings.models import Meeting, Participant
from huimin.meetings.rules import lacks, rule_at
from huimin.organisation.acting import Actor, command, refused_by_constraint
from huimin.organisation.models import Appointment
from huimin.organisation.posts import OfficeKind
from huimin.organisation.queries import live_on

State, Role = Meeting.State, Participant.Role
CADRES_MAX = 10


class MeetingVoid(Refusal):
    """Too few came, or nobody to watch."""


class MeetingValid(Refusal):
    """Enough came: the meeting counts."""


refused_by_constraint("meeting_quorum", MeetingVoid, "到会的人不够，会议不成立", "请按会议不成立登记，另行召集")
refused_by_constraint("meeting_counts_who_came", MeetingVoid, "到会人数与签到不符", "请刷新后重新勾选")


@dataclass(frozen=True)
class Came:
    """Who was there: rows of the register, appointments of the township, and cadres without an account as `姓名 职务`."""

    listed: Collection[int] = ()
    cadres: Collection[int] = ()
    others: Sequence[str] = ()


@command(*CONVENERS)
def hold_meeting(*, by: Actor, on: date, meeting: int, came: Came) -> Meeting:
    """It was held: who came is written down and no more changed. MeetingVoid when that is not enough."""
    row = locked(by, meeting)
    counts = _write_down(by, on, row, came)
    if missing := lacks(*counts):
        raise MeetingVoid(
            "这次会议不成立，不能登记为已召开",
            why="；".join(missing),
            remedy="请核对到会的人；确实不够的，按会议不成立登记，另行召集",
        )
    row.state, row.held_by, row.held_on = State.HELD, by.appointment, on
    row.majority, row.overseer, _ = rule_at(row.division)
    _save(row, counts)
    return row


@command(*CONVENERS)
def void_meeting(*, by: Actor, on: date, meeting: int, came: Came, words: str = "") -> Meeting:
    """It came to nothing: who came and what lacked is kept, its cases wait for the next one. MeetingValid when it counts."""
    row = locked(by, meeting)
    counts = _write_down(by, on, row, came)
    missing = lacks(*counts)
    if not missing:
        raise MeetingValid(
            "到会的人够，会议有效", why="人数、义务监督员、乡镇干部都符合", remedy="请登记为已召开；没有开的请取消会议"
        )
    said = " ".join(words.split())
    row.state, row.held_by, row.held_on = State.VOID, by.appointment, on
    row.reason = "；".join([*missing, *([said] if said else [])])[:300]
    _save(row, counts)
    drop_items(row)
    return row


def _save(row: Meeting, counts: tuple[int, int, int, int]) -> None:
    row.statutory, row.present, row.supervisors, row.cadres = counts
    row.save(
        update_fields=[
            "state", "reason", "statutory", "present", "supervisors", "cadres", "majority", "overseer", "held_by", "held_on",
        ]
    )  # fmt: skip


def _write_down(by: Actor, on: date, row: Meeting, came: Came) -> tuple[int, int, int, int]:
    """Tick the register, add the cadres: (statutory number, representatives, supervisors, cadres) present."""
    require_state(row, State.PLANNED)
    if on < row.meets_on:
        raise BadInput(f"会议定在 {row.meets_on}", where="签到", why="还没有到", remedy="请在开会当天或以后登记")
    number = number_of(row.division, row.meets_on)
    if number is None:
        raise NobodyToJudge("这个村没有核对过的法定代表数", remedy="请先由乡镇核对法定代表数")
    listed = set(came.listed)
    there = on_the_list(row).filter(pk__in=listed)
    if there.count() != len(listed):
        raise BadInput("勾选的有不在应到名单的人", where="签到", remedy="请从应到名单勾选")
    Participant.objects.filter(meeting=row).update(present=False)
    Participant.objects.filter(meeting=row, pk__in=listed).update(present=True)
    cadres = _add_cadres(row, came)
    roles = list(there.values_list("role", flat=True))
    present = roles.count(Role.REPRESENTATIVE)
    if present > number.number:
        raise BadInput(
            f"到会代表 {present} 人，多于法定代表数 {number.number} 人",
            where="签到",
            remedy="请核对代表名单和法定代表数",
        )
    return number.number, present, roles.count(Role.SUPERVISOR), cadres


def on_the_list(row: Meeting) -> "QuerySet[Participant]":
    """The register without those whose term was over on the day of the meeting."""
    day = row.meets_on
    live = Q(representative__valid_to=None) | Q(representative__valid_to__gt=day)
    watching = Q(supervisor__valid_to=None) | Q(supervisor__valid_to__gt=day)
    return Participant.objects.filter(
        Q(role=Role.REPRESENTATIVE) & live | Q(role=Role.SUPERVISOR) & watching, meeting=row
    )


def cadres_of(village: str, day: date) -> "QuerySet[Appointment]":
    """Officers of the village's township on a day."""
    township = village[: Level.TOWNSHIP].ljust(12, "0")
    rows = Appointment.objects.filter(live_on(day), office__kind=OfficeKind.TOWNSHIP, division=township)
    return rows.select_related("account", "office").order_by("id")


def _add_cadres(row: Meeting, came: Came) -> int:
    officers = list(cadres_of(row.division, row.meets_on).filter(pk__in=set(came.cadres)))
    if len(officers) != len(set(came.cadres)):
        raise BadInput("所选的不是这个乡镇的干部", where="乡镇干部", remedy="请从列表选择")
    told = [(each.pk, each.account.full_name, each.get_post_display()) for each in officers]
    for line in came.others:
        name, _, title = " ".join(line.split()).partition(" ")
        if not name:
            continue
        if len(name) < 2 or not title:
            raise BadInput(
                f"“{line.strip()[:20]}”没有写全",
                where="乡镇干部",
                remedy="一行一人：姓名、空格、职务，如 王明 包村干部",
            )
        told.append((None, name[:40], title[:60]))
    if len(told) > CADRES_MAX or len({(name, title) for _, name, title in told}) != len(told):
        raise BadInput("乡镇干部有重复，或太多", where="乡镇干部", remedy=f"请写 1 至 {CADRES_MAX} 人，每人一次")
    Participant.objects.bulk_create(
        Participant(
            meeting=row,
            division=row.division,
            role=Role.CADRE,
            appointment=number,
            name=name,
            title=title,
            present=True,
        )
        for number, name, title in told
    )
    return len(told)
