"""The yearly figures of a township's assistance desk: entered there, checked by the county (ORG-08; 伊民规〔2022〕2号 二（四）7).

    reported ──► confirmed
        ▲└─────► returned, with the reason ──► reported again

Always true: who entered did not check; a confirmed year is not changed; a township has one report a year.
"""

from dataclasses import dataclass
from datetime import date

from huimin.capacity.models import StaffingReport
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.registry.snapshots import NotRegistered

State = StaffingReport.State
FEN_MAX = 10**13
refused_by_constraint("staffing_once_a_year", AlreadyDone, "这一年刚刚有人填报", "请刷新后查看")

REPORTERS = (Post.CLERK, Post.TOWNSHIP_HEAD)


@dataclass(frozen=True)
class Figures:
    """People in whole numbers, money in 分."""

    posts: int
    on_establishment: int
    others: int
    cost_fen: int
    raised_fen: int
    note: str = ""


@command(*REPORTERS)
def report_staffing(*, by: Actor, on: date, year: int, figures: Figures) -> StaffingReport:
    """The township's figures of a year, this one or one that is over; again while the county has not confirmed them."""
    if by.level != Level.TOWNSHIP:
        raise BadInput("由乡镇填报", where="乡镇", remedy="请由乡镇为民服务中心填报")
    if not 2008 <= year <= on.year:
        raise BadInput(f"{year} 年还没有到", where="年度", remedy="请填报今年或往年")
    _require_sound(figures)
    row = StaffingReport.objects.select_for_update().filter(division=by.division, year=year).first()
    if row is not None and row.state == State.CONFIRMED:
        raise AlreadyDone(f"{year} 年县里已核对", remedy="确需更正的，请联系县惠民办")
    row = row or StaffingReport(division=by.division, year=year)
    for name in ("posts", "on_establishment", "others", "cost_fen", "raised_fen"):
        setattr(row, name, getattr(figures, name))
    row.note, row.state, row.refusal = figures.note.strip()[:200], State.REPORTED, ""
    row.reported_by, row.reported_on, row.checked_by, row.checked_on = by.appointment, on, None, None
    row.save(update_fields=StaffingReport.changeable if row.pk else None)
    return row


def _require_sound(figures: Figures) -> None:
    people = (figures.posts, figures.on_establishment, figures.others)
    if any(not 0 <= each <= 500 for each in people):
        raise BadInput("人数不对", where="人数", remedy="请写 0 至 500 的整数")
    if any(not 0 <= each < FEN_MAX for each in (figures.cost_fen, figures.raised_fen)):
        raise BadInput("金额不对", where="金额", remedy="请写不小于零的金额")
    if figures.cost_fen > figures.raised_fen > 0:
        raise BadInput("工作经费多于筹集的资金", where="工作经费", remedy="请核对两个金额，单位是元")


@command(Post.COUNTY_OFFICER)
def check_staffing(*, by: Actor, on: date, report: int, agreed: bool, refusal: str = "") -> StaffingReport:
    """The county confirms the figures, or gives them back with the reason."""
    row = StaffingReport.objects.select_for_update().filter(pk=report).first()
    if row is None:
        raise NotRegistered("没有这份填报", why="不存在，或不在您的辖区内", remedy="请从列表进入")
    require_place(by, row.division)
    if row.state != State.REPORTED:
        raise AlreadyDone(f"这份填报{row.get_state_display()}", remedy="请刷新后查看")
    require_another(by, row.reported_by, "填报")
    if not agreed and len(refusal.strip()) < 2:
        raise BadInput("没有写退回的原因", where="原因", remedy="请写明哪一项要更正")
    row.state = State.CONFIRMED if agreed else State.RETURNED
    row.checked_by, row.checked_on, row.refusal = by.appointment, on, "" if agreed else refusal.strip()[:200]
    row.save(update_fields=["state", "checked_by", "checked_on", "refusal"])
    return row
