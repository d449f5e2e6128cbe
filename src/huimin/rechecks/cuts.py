"""The own share of who refused work three times: told, heard, decided, ended (CASE-09, SEC-02).

in    a proposed WorkCut; that he was told; what he says against it
out   a decision and the smaller entitlement from the month after, or its end; or none, with the reason

    proposed ──tell──► told ──(objection ──answer)──► confirmed ──► ended     civil affairs of the county decides (57号 第34条)

The policy language has no word for it (docs/limits.md), so no determination proposes it: the decision rests on the offers
and judgements. It is made the way every decision is, over a proposal of a run that names this household alone
(casework.raising). Screenings compare with the amount before the cut, so that they neither propose nor undo it; a later
decision that replaces the entitlement ends its effect, which the desk then says (`lapsed`).

Always true: nothing is decided before he was told, while his objection waits, or before its days are over; who decides did
not judge; a household whose whole amount was stopped is granted nothing anew under the programme until it ended.
"""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from huimin.casework.models import Entitlement
from huimin.casework.queries import live_on
from huimin.casework.raising import Raised, decide_raised
from huimin.casework.screening import granted_of, month_after
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kinship.recusal import require_not_related
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
    require_programme,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.rechecks.models import JobOffer, WorkCut
from huimin.rechecks.rules import settings_of
from huimin.screening.rescreening import rescreen

State = WorkCut.State
TELLERS = (Post.CLERK, Post.INFORMATION_OFFICER)
WHAT = "连续三次无正当理由拒绝介绍的工作"

refused_by_constraint(
    "granted_beside_a_work_cut", AlreadyDone, "有一户因三次拒绝就业停发，还没有解除", "请先解除，或在列表中去掉这一户"
)
refused_by_constraint("work_cut_moves_on", AlreadyDone, "这件减发已不在这一步", "请刷新后查看")


class NotHeard(Refusal):
    """He was not told, his objection waits, or its days run."""


class NothingLeft(Refusal):
    """The household draws nothing that could be cut."""


@command(*TELLERS)
def tell_cut(*, by: Actor, on: date, cut: int) -> WorkCut:
    """He was told what is going to be decided and why, and that he may speak against it."""
    row = _locked(by, cut, State.PROPOSED)
    require_not_related(by, on, [row.household_id])
    row.state, row.told_on, row.told_by = State.TOLD, on, by.appointment
    row.save(update_fields=["state", "told_on", "told_by"])
    return row


@command(*TELLERS)
def object_to_cut(*, by: Actor, on: date, cut: int, objection: str) -> WorkCut:
    """What he says against it, in his words; once."""
    row = _locked(by, cut, State.TOLD)
    if row.objected_on is not None:
        raise AlreadyDone("已经登记过他的申辩", remedy="请刷新后查看")
    if len(objection.strip()) < 4:
        raise BadInput("没有写申辩", where="申辩", remedy="请照本人的话写")
    row.objection, row.objected_on = objection.strip()[:500], on
    row.save(update_fields=["objection", "objected_on"])
    return row


@command(Post.TOWNSHIP_HEAD, Post.DEPARTMENT_OFFICER)
def answer_objection(*, by: Actor, on: date, cut: int, upheld: bool, answer: str) -> WorkCut:
    """Who did not judge answers it: upheld, and nothing is cut; or not, and why."""
    row = _locked(by, cut, State.TOLD)
    _require_civil(by, row)
    require_another(by, row.proposed_by, "评判拒绝就业")
    require_not_related(by, on, [row.household_id])
    if row.objected_on is None or row.answered_on is not None:
        raise AlreadyDone("没有申辩，或已经答复", remedy="请刷新后查看")
    if len(answer.strip()) < 4:
        raise BadInput("没有写答复", where="答复", remedy="请写明核实了什么")
    row.answer, row.answered_by, row.answered_on, row.upheld = answer.strip()[:500], by.appointment, on, upheld
    if upheld:
        row.state, row.reason = State.DROPPED, f"申辩成立：{row.answer}"[:300]
    row.save(update_fields=["answer", "answered_by", "answered_on", "upheld", "state", "reason"])
    return row


@command(Post.DEPARTMENT_APPROVER)
def confirm_cut(*, by: Actor, on: date, cut: int, percent: int, reason: str) -> WorkCut:
    """Civil affairs of the county: so many percent of his own share are taken off from the next month (100: stopped)."""
    row = _locked(by, cut, State.TOLD)
    require_programme(by, row.programme)
    require_another(by, row.proposed_by, "评判拒绝就业")
    require_not_related(by, on, [row.household_id])
    _require_heard(on, row)
    ruled = settings_of(row.division, on).cut
    if not 1 <= percent <= 100 or (ruled is not None and percent != ruled):
        why = f"县里规定减发 {ruled}%" if ruled is not None else "减发 1% 至 100%，100% 为停发"
        raise BadInput("减发的比例不对", where="比例", why=why, remedy="请核对后再填")
    if len(reason.strip()) < 4:
        raise BadInput("没有写决定的理由", where="理由", remedy="请写明三次拒绝的经过和减发的理由")
    held = held_by(row, month_after(on))
    if held is None:
        raise NothingLeft("这一户已不再享受", remedy="请不予减发，写明情况")
    share = max(held.amount_fen // max(held.people, 1), 1)
    row.share_fen, row.cut_fen, row.percent = share, max(share * percent // 100, 1), percent
    why = f"{WHAT}，减发本人份额 {percent}%：{reason.strip()}"[:300]
    raised = Raised(held, held.amount_fen - row.cut_fen, row.proposed_by, row.proposed_on, WHAT, row.person_id)
    row.decision, row.entitlement = decide_raised(by=by, on=on, raised=raised, reason=why)
    row.state, row.confirmed_by, row.confirmed_on, row.reason = (
        State.CONFIRMED,
        by.appointment,
        on,
        reason.strip()[:300],
    )
    row.save(
        update_fields=[
            "share_fen", "cut_fen", "percent", "decision", "entitlement", "state", "confirmed_by", "confirmed_on", "reason",
        ]
    )  # fmt: skip
    return row


@command(Post.DEPARTMENT_APPROVER)
def drop_cut(*, by: Actor, on: date, cut: int, reason: str) -> WorkCut:
    """Civil affairs finds no ground for it."""
    row = _locked(by, cut, State.PROPOSED, State.TOLD)
    require_programme(by, row.programme)
    require_not_related(by, on, [row.household_id])
    if row.objected_on is not None and row.answered_on is None:
        raise NotHeard("申辩还没有答复", remedy="请先答复申辩")
    if len(reason.strip()) < 4:
        raise BadInput("没有写理由", where="理由", remedy="请写明为什么不予减发")
    _sign(by, on, row, "不予减发", reason)
    row.state, row.reason = State.DROPPED, reason.strip()[:300]
    row.save(update_fields=["state", "reason"])
    return row


@command(Post.DEPARTMENT_APPROVER)
def end_cut(*, by: Actor, on: date, cut: int, reason: str) -> WorkCut:
    """He took work, or there is no ground any more: the household is determined anew at once, and an increase proposed."""
    row = _locked(by, cut, State.CONFIRMED)
    require_programme(by, row.programme)
    require_not_related(by, on, [row.household_id])
    if len(reason.strip()) < 4:
        raise BadInput("没有写解除的理由", where="理由", remedy="请写明为什么解除")
    _sign(by, on, row, "解除减发", reason)
    row.state, row.reason = State.ENDED, reason.strip()[:300]
    row.ended_by, row.ended_on = by.appointment, on
    row.save(update_fields=["state", "reason", "ended_by", "ended_on"])
    rescreen(by, on, [row.household_id], granted_of)
    return row


def held_by(row: WorkCut, on: date) -> Entitlement | None:
    """What the household draws under the programme on a day."""
    rows = Entitlement.objects.filter(live_on(on), household=row.household_id, programme=row.programme, person=None)
    return rows.order_by("-valid_from").first()


def _require_heard(on: date, row: WorkCut) -> None:
    assert row.told_on is not None
    if row.objected_on is not None and row.answered_on is None:
        raise NotHeard("申辩还没有答复", remedy="请先答复申辩，再决定")
    until = row.told_on + timedelta(days=settings_of(row.division, on).number("cut_days"))
    if on < until:
        raise NotHeard("申辩的期限还没有过", why=f"{row.told_on} 告知", remedy=f"请在 {until} 及以后决定")


def _require_civil(by: Actor, row: WorkCut) -> None:
    if by.post == Post.DEPARTMENT_OFFICER:
        require_programme(by, row.programme)


def _sign(by: Actor, on: date, row: WorkCut, act: str, reason: str) -> None:
    content = {"cut": row.pk, "cut_fen": row.cut_fen, "reason": reason.strip()}
    sign(by=by, on=on, act=act, subject=f"work_cut:{row.pk}", content_digest=digest(content), division=row.division)


def _locked(by: Actor, cut: int, *states: str) -> WorkCut:
    row = WorkCut.objects.select_for_update(of=("self",)).filter(pk=cut).first()
    if row is None:
        raise BadInput("没有这件减发", where="编号", why="不存在，或不在您的辖区内", remedy="请从名单进入")
    require_place(by, row.division)
    if row.state not in states:
        raise AlreadyDone(f"这件减发{row.get_state_display()}", remedy="请刷新后查看")
    return row


# -- reads, inside reading(by)


def lapsed(prefix: str, on: date) -> "QuerySet[WorkCut]":
    """In force by their state, but a later decision replaced the entitlement: decide anew, or end it."""
    rows = WorkCut.objects.filter(division__gte=prefix, division__lt=prefix + "~", state=State.CONFIRMED)
    over = Q(entitlement__valid_to__isnull=False) & Q(entitlement__valid_to__lte=month_after(on))
    again = Entitlement.objects.filter(
        live_on(month_after(on)), household=OuterRef("household"), programme=OuterRef("programme"), person=None
    )
    return rows.filter(over, Exists(again))


def offers_of(row: WorkCut) -> list[JobOffer]:
    return list(JobOffer.objects.filter(cut=row).order_by("offered_on", "id"))


def words_of(row: WorkCut) -> str:
    """What was decided, in one line."""
    if row.cut_fen is None:
        return f"本人份额每月 {yuan(row.share_fen)} 元"
    return f"减发本人份额 {row.percent}%，每月 {yuan(row.cut_fen)} 元"
