"""Warnings followed up: given to an officer, visited, closed with a reason (REG-09).

in    signals, who goes, what was found
out   Signals assigned and closed, Visits; the next day to come again

Always true: whoever a signal is given to works where the household lives; it is not closed before somebody went there
(unless the household moved away); 已纳入帮扶 names the programme.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from huimin.database.bulk import fetch_one, run
from huimin.fieldwork.models import FieldRule, Signal, Visit
from huimin.fieldwork.rules import rule_of
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, AlreadyDone, NotYourPlace, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.policy.models import Programme

State, Reason = Signal.State, Signal.Reason
ASSIGNERS = (Post.CLERK, Post.COUNTY_OFFICER)
VISITORS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)
AT_ONCE_MAX = 5000

refused_by_constraint("visit_once_a_day", AlreadyDone, "这一天的走访已经登记过", "请在这条预警的经过里查看")


class VisitFirst(Refusal):
    """Nobody has been there yet."""


@command(*ASSIGNERS)
def assign_signals(*, by: Actor, on: date, signals: Sequence[int], due_on: date | None = None) -> int:
    """Each to the information officer of its village, to be visited by `due_on` (without it, the county's days); how many.

    NotYourPlace when one is not in the place of `by`; BadInput when a village has no officer or no day is known. What is
    assigned or closed already stays as it is.
    """
    days = rule_of(by.division, FieldRule.Code.VISIT_DAYS)
    if due_on is None and days is None:
        raise BadInput("没有走访期限", where="期限", why="县里没有设走访期限", remedy="请填写期限，或请县惠民办设置")
    due = due_on or on + timedelta(days=days or 0)
    if due < on:
        raise BadInput("期限已经过去", where="期限", remedy="请填写今天或以后的日期")
    if not 0 < len(set(signals)) <= AT_ONCE_MAX:
        raise BadInput("没有选预警，或超过 5000 条", where="预警", remedy="请从列表勾选")
    values = {"ids": list(set(signals)), "by": by.appointment, "on": on, "due": due}
    found, lacking = fetch_one(_CHECKED, values)
    if found != len(set(signals)):
        raise NotYourPlace("有的预警不在您的辖区内", remedy="请从列表重新勾选")
    if lacking:
        raise BadInput(
            f"{lacking} 条所在的村没有信息员", where="信息员", remedy="请先由系统管理员任命，或由乡镇直接走访登记"
        )
    return run(_ASSIGN, values)


_OFFICER = """(SELECT a.id FROM organisation_appointment a WHERE a.post = 'information_officer'
    AND a.division = left(s.division, 12) AND a.valid_from <= %(on)s AND (a.valid_to IS NULL OR a.valid_to > %(on)s)
    ORDER BY a.id LIMIT 1)"""
_CHECKED = f"""SELECT count(*)::int, count(*) FILTER (WHERE s.state = 'open' AND {_OFFICER} IS NULL)::int
FROM fieldwork_signal s WHERE s.id = ANY(%(ids)s)"""  # noqa: S608
_ASSIGN = f"""UPDATE fieldwork_signal s SET state = 'assigned', assigned_to = {_OFFICER}, assigned_by = %(by)s,
assigned_on = %(on)s, due_on = %(due)s WHERE s.id = ANY(%(ids)s) AND s.state = 'open'"""  # noqa: S608


@command(*VISITORS)
def record_visit(
    *,
    by: Actor,
    on: date,
    signal: int,
    visited_on: date,
    visitors: Sequence[str],
    result: str,
    next_on: date | None = None,
) -> Visit:
    """Somebody went there; `next_on`: when to come again."""
    row = _open(by, signal)
    names = [name.strip()[:40] for name in visitors if name.strip()]
    if not names:
        raise BadInput("没有写走访的人", where="走访人", remedy="一行一个姓名")
    if visited_on > on or visited_on < row.happened_on:
        raise BadInput("走访日期不成立", where="走访日期", why="早于变化发生或晚于今天", remedy="请核对日期")
    if len(result.strip()) < 4:
        raise BadInput("没有写走访结果", where="结果", remedy="请写明生活情况和需要的帮助")
    if next_on is not None and next_on <= visited_on:
        raise BadInput("下次走访不晚于这次", where="下次走访", remedy="请填写以后的日期，或留空")
    visit = Visit.objects.create(
        signal=row, division=row.division, visited_on=visited_on, visitors=names, result=result.strip()[:500], next_on=next_on,
        recorded_by=by.appointment, recorded_on=on,
    )  # fmt: skip
    if row.state == State.OPEN:
        row.state, row.assigned_to = State.ASSIGNED, by.appointment
        row.assigned_by, row.assigned_on = by.appointment, on
    row.due_on = next_on
    row.save(update_fields=["state", "assigned_to", "assigned_by", "assigned_on", "due_on"])
    return visit


@command(*ASSIGNERS)
def close_signal(*, by: Actor, on: date, signal: int, reason: str, programme: str = "", note: str = "") -> Signal:
    """It is over: helped by a programme, no need, or moved away. VisitFirst unless somebody went there or it moved."""
    row = _open(by, signal)
    if reason not in Reason.values:
        raise BadInput("没有选办结原因", where="原因", remedy="请从三种原因中选择")
    if reason == Reason.HELPED and not Programme.objects.filter(code=programme).exists():
        raise BadInput("没有选帮扶的项目", where="项目", remedy="请选择纳入的补贴或救助项目")
    if reason != Reason.MOVED and not row.visits.exists():
        raise VisitFirst("还没有走访过", why="办结以走访为依据", remedy="请先登记走访")
    row.state, row.reason, row.closed_by, row.closed_on = State.CLOSED, reason, by.appointment, on
    row.programme, row.note = programme if reason == Reason.HELPED else "", note.strip()[:300]
    row.save(update_fields=["state", "reason", "closed_by", "closed_on", "programme", "note"])
    return row


def _open(by: Actor, signal: int) -> Signal:
    row = Signal.objects.select_for_update().filter(pk=signal).first()
    if row is None:
        raise BadInput("没有这条预警", where="预警", remedy="请从列表进入")
    require_place(by, row.division)
    if row.state == State.CLOSED:
        raise AlreadyDone(f"这条预警已于 {row.closed_on} 办结", remedy="请刷新后查看")
    return row
