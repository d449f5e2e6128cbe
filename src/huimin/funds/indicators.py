"""Indicators by document: registered, confirmed, issued onward, cut, carried over; two people for each (FUND-01).

    receive_allotment    an officer registers the document of the upper level         registered
    decide_allotments    another person holds it against the paper                    in force, or refused
    propose_issue        onward to a lower place, by a document of one's own          proposed
    propose_cut          less, by a document of its own; never below what is bound    proposed
    propose_carries      what is left at a year's end, once, into the next year       proposed
    decide_moves         another person; the database moves the amounts               in force, or refused

Always true when a function of this module returns: all of a set or none; nothing exceeds its indicator, a refusal says
what is left; the same again is the same. Law: S0 A1 art 20–22, A4 art 7–8.
"""

from collections.abc import Sequence
from datetime import date

from huimin.divisions.queries import get_division
from huimin.funds.models import Allotment, AllotmentMove
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import FEN_MAX, yuan
from huimin.kernel.places import Level, scope_prefix
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    SamePerson,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign

Kind, State = Allotment.Kind, Allotment.State
MoveKind, MoveState = AllotmentMove.Kind, AllotmentMove.State
DOCUMENT_MAX, REASON_MAX, SET_MAX = 80, 200, 1000


class FundsExhausted(Refusal):
    """The allotment does not hold that much."""


class AllotmentDiffers(Refusal):
    """The document is registered with another amount, kind or issuer."""


class NoSuchIndicator(Refusal):
    """No indicator or move of this number in the actor's place."""


class NotInForce(Refusal):
    """The indicator waits for the second person, was refused, or is of a year that does not fit."""


refused_by_constraint("allotment_never_overspent", FundsExhausted, "指标余额不足", "请申请追加指标")
refused_by_constraint("allotment_once", AlreadyDone, "这份文件的指标已经登记", "请在指标中查看")
refused_by_constraint("allotment_bound_in_force", NotInForce, "指标还没有复核", "请先由财政复核放行岗复核")
refused_by_constraint("allotment_confirmed_by_another", SamePerson, "登记的人不能复核自己登记的指标", "请由另一人复核")
refused_by_constraint("allotment_move_decided_by_another", SamePerson, "提出的人不能复核自己提出的", "请由另一人复核")
refused_by_constraint("allotment_move_once", AlreadyDone, "这份文件已经提出过", "请在指标变动中查看")
refused_by_constraint("allotment_carried_once", AlreadyDone, "这个指标已经结转，或正等待复核", "一个指标只结转一次")
refused_by_constraint("allotment_cut_by_issuer", NoSuchIndicator, "这个指标由上级下达", "请由下达的一方调减")


@command(Post.FINANCE_OFFICER)
def receive_allotment(
    *,
    by: Actor,
    on: date,
    division: str,
    programme: str,
    year: int,
    document_no: str,
    amount_fen: int,
    kind: str = Kind.BASE,
    issuer: int = Allotment.Issuer.PROVINCE,
) -> Allotment:
    """Register the document of the level that issued it; the same document again is the same indicator.

    AllotmentDiffers when it was registered with another amount, kind or issuer: a change comes by a document of its own.
    """
    require_place(by, division)
    document_no = _document(document_no, amount_fen)
    if kind not in Kind.values or issuer not in Allotment.Issuer.values:
        raise BadInput("指标的性质或下达级次不对", where="指标登记", remedy="请从列表中选")
    if not 2000 <= year <= on.year + 1:
        raise BadInput(f"{year} 年的指标现在不能登记", where="年度", remedy="请照指标文件填写年度")
    found = Allotment.objects.exclude(state=State.REFUSED).filter(
        division=division, programme=programme, year=year, document_no=document_no
    )
    allotment = found.first() or Allotment.objects.create(
        division=division, programme=programme, year=year, document_no=document_no, amount_fen=amount_fen, kind=kind,
        issuer=issuer, received_by=by.appointment, received_on=on,
    )  # fmt: skip
    if allotment.amount_fen != amount_fen:
        raise AllotmentDiffers(
            f"{document_no} 已按 {yuan(allotment.amount_fen)} 元登记",
            why=f"这次填的是 {yuan(amount_fen)} 元",
            remedy="追加或调减请凭新的文号登记",
        )
    if (allotment.kind, allotment.issuer) != (kind, issuer):
        raise AllotmentDiffers(
            f"{document_no} 已按“{allotment.get_kind_display()}、{allotment.get_issuer_display()}”登记",
            why="性质或下达级次与这次填的不同", remedy="登记错了的，请由复核的人退回后重新登记",
        )  # fmt: skip
    return allotment


def _document(document_no: str, amount_fen: int) -> str:
    document_no = " ".join(document_no.split())
    if not 0 < amount_fen <= FEN_MAX // 1000:
        raise BadInput("金额要大于零", where="金额", remedy="请照指标文件填写")
    if not 1 <= len(document_no) <= DOCUMENT_MAX:
        raise BadInput(f"没有文号，或超过 {DOCUMENT_MAX} 个字", where="文号", remedy="请照指标文件填写")
    return document_no


@command(Post.FINANCE_RELEASER)
def decide_allotments(*, by: Actor, on: date, allotment_ids: Sequence[int], refusal: str = "") -> int:
    """Hold registered indicators against their documents: in force, or with `refusal` refused; how many were decided.

    Those in force already are left as they are. SamePerson when `by` registered one of them.
    """
    rows = _lock_allotments(allotment_ids)
    waiting = [row for row in rows if row.state == State.REGISTERED]
    if refused := [row for row in rows if row.state == State.REFUSED or (refusal and row.state != State.REGISTERED)]:
        raise NotInForce(f"{refused[0].document_no} 已经{refused[0].get_state_display()}", remedy="请刷新后查看")
    for received_by in {row.received_by for row in waiting}:
        require_another(by, received_by, "登记指标")
    refusal = _reason(refusal, needed=False)
    content = [[row.pk, row.division, row.programme, row.year, row.document_no, row.amount_fen] for row in waiting]
    if waiting:
        act, subject = ("退回指标" if refusal else "复核指标"), f"indicator:{waiting[0].pk}"
        signature = sign(by=by, on=on, act=act, subject=subject, content_digest=digest(content))
        Allotment.objects.filter(pk__in=[row.pk for row in waiting]).update(
            state=State.REFUSED if refusal else State.IN_FORCE, confirmed_by=by.appointment, confirmed_on=on,
            refusal=refusal, signature=signature,
        )  # fmt: skip
    return len(waiting)


def _lock_allotments(ids: Sequence[int]) -> list[Allotment]:
    wanted = set(ids)
    if not wanted or len(wanted) > SET_MAX:
        raise BadInput(f"一次办 1 到 {SET_MAX} 个", where="勾选", remedy="请返回列表勾选")
    rows = list(Allotment.objects.select_for_update().filter(pk__in=wanted).order_by("id"))
    if missing := wanted - {row.pk for row in rows}:
        raise NoSuchIndicator(
            f"没有编号为 {min(missing)} 的指标", why="它不存在，或不在您的辖区内", remedy="请从列表进入"
        )
    return rows


def _in_force(allotment_id: int) -> Allotment:
    [row] = _lock_allotments([allotment_id])
    if row.state != State.IN_FORCE:
        raise NotInForce(
            f"{row.document_no} 现在是“{row.get_state_display()}”", why="没有复核的指标不能动", remedy="请先办理复核"
        )
    return row


def _require_left(row: Allotment, amount_fen: int) -> None:
    if amount_fen > row.left_fen:
        raise FundsExhausted(
            f"{row.document_no} 的余额不够",
            why=f"要 {yuan(amount_fen)} 元，还剩 {yuan(row.left_fen)} 元；"
            f"已支出 {yuan(row.spent_fen)} 元，已预留 {yuan(row.reserved_fen)} 元，已下达 {yuan(row.issued_fen)} 元",
            remedy="请减少金额，或先申请追加指标",
        )


def _reason(text: str, *, needed: bool = True) -> str:
    text = " ".join(text.split())
    if len(text) > REASON_MAX or (needed and len(text) < 2):
        raise BadInput(f"要写 2 到 {REASON_MAX} 个字", where="原因", remedy="请写明为什么")
    return text


@command(Post.FINANCE_OFFICER)
def propose_issue(
    *,
    by: Actor,
    on: date,
    allotment_id: int,
    target: str,
    amount_fen: int,
    document_no: str,
    kind: str = Kind.BASE,
    reason: str = "",
) -> AllotmentMove:
    """Propose to issue a part of an indicator to a lower place, by a document of one's own."""
    row = _in_force(allotment_id)
    require_place(by, row.division)
    document_no = _document(document_no, amount_fen)
    here, there = get_division(row.division, on), get_division(target, on)
    beneath = target.startswith(scope_prefix(here.code, Level(here.level))) and there.level > here.level
    if not beneath or there.level > Level.TOWNSHIP:
        raise BadInput(f"{there.name}不是{here.name}的下级", where="下达到", remedy="请选下一级的市、县或乡镇")
    if kind not in Kind.values or kind == Kind.CARRIED:
        raise BadInput("指标的性质不对", where="性质", remedy="请从列表中选")
    _require_left(row, amount_fen)
    return _propose(by, on, row, MoveKind.ISSUE, amount_fen, document_no, target, kind, _reason(reason, needed=False))


@command(Post.FINANCE_OFFICER)
def propose_cut(
    *, by: Actor, on: date, allotment_id: int, amount_fen: int, document_no: str, reason: str
) -> AllotmentMove:
    """Propose to cut an indicator, by a document of its own; what was issued from above goes back to its issuer."""
    row = _in_force(allotment_id)
    require_place(by, row.division)
    if row.parent_id is not None:
        [parent] = _lock_allotments([row.parent_id])
        require_place(by, parent.division)
    document_no = _document(document_no, amount_fen)
    _require_left(row, amount_fen)
    return _propose(by, on, row, MoveKind.CUT, amount_fen, document_no, "", row.kind, _reason(reason))


@command(Post.FINANCE_OFFICER)
def propose_carries(*, by: Actor, on: date, allotment_ids: Sequence[int]) -> int:
    """Propose to carry what is left of each into the next year; how many were new. Once an indicator, after its year."""
    rows = _lock_allotments(allotment_ids)
    carried = set(
        AllotmentMove.objects.filter(kind=MoveKind.CARRY, allotment__in=rows)
        .exclude(state=MoveState.REFUSED)
        .values_list("allotment_id", flat=True)
    )
    made = 0
    for row in rows:
        require_place(by, row.division)
        if row.pk in carried:
            continue
        if row.state != State.IN_FORCE or on.year <= row.year:
            raise NotInForce(
                f"{row.document_no} 现在不能结转", why=f"它是 {row.year} 年的指标，状态“{row.get_state_display()}”",
                remedy="年度终了以后，对有余额的有效指标办理",
            )  # fmt: skip
        if not row.left_fen:
            raise FundsExhausted(f"{row.document_no} 没有可结转的余额", remedy="请去掉这一个再办")
        _propose(by, on, row, MoveKind.CARRY, row.left_fen, row.document_no, "", Kind.CARRIED, "")
        made += 1
    return made


def _propose(
    by: Actor,
    on: date,
    row: Allotment,
    kind: str,
    amount_fen: int,
    document_no: str,
    target: str,
    target_kind: str,
    reason: str,
) -> AllotmentMove:
    """The same again is the same; AllotmentDiffers when the document was proposed with another amount."""
    found = AllotmentMove.objects.exclude(state=MoveState.REFUSED).filter(
        allotment=row, kind=kind, target=target, document_no=document_no
    )
    move = found.first() or AllotmentMove.objects.create(
        allotment=row, division=row.division, kind=kind, target=target, target_kind=target_kind, amount_fen=amount_fen,
        document_no=document_no, reason=reason, proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip
    if move.amount_fen != amount_fen:
        raise AllotmentDiffers(
            f"{document_no} 已按 {yuan(move.amount_fen)} 元提出", why=f"这次填的是 {yuan(amount_fen)} 元",
            remedy="退回先前的一笔，或用新的文号",
        )  # fmt: skip
    return move


@command(Post.FINANCE_RELEASER)
def decide_moves(*, by: Actor, on: date, move_ids: Sequence[int], refusal: str = "") -> int:
    """Put proposed moves into effect, or refuse them with the reason; how many were decided. All or none.

    FundsExhausted with what is left when an indicator no longer holds it. What took effect already is left as it is.
    """
    wanted = set(move_ids)
    found = list(AllotmentMove.objects.filter(pk__in=wanted).select_related("allotment"))
    if missing := wanted - {move.pk for move in found}:
        raise NoSuchIndicator(
            f"没有编号为 {min(missing)} 的变动", why="它不存在，或不在您的辖区内", remedy="请从列表进入"
        )
    issuers = [move.allotment.parent_id for move in found if move.kind == MoveKind.CUT and move.allotment.parent_id]
    held = {row.pk: row for row in _lock_allotments([*(move.allotment_id for move in found), *issuers])}
    moves = list(AllotmentMove.objects.select_for_update().filter(pk__in=wanted).order_by("id"))
    refusal = _reason(refusal, needed=False)
    wrong = [
        each for each in moves if each.state == MoveState.REFUSED or (refusal and each.state != MoveState.PROPOSED)
    ]
    if wrong:
        raise NotInForce(f"{wrong[0].document_no} 已经{wrong[0].get_state_display()}", remedy="请刷新后查看")
    waiting = [move for move in moves if move.state == MoveState.PROPOSED]
    for proposed_by in {move.proposed_by for move in waiting}:
        require_another(by, proposed_by, "提出")
    if waiting:
        _decide(by, on, waiting, held, refusal)
    return len(waiting)


@command(Post.FINANCE_RELEASER)
def decide_waiting(
    *, by: Actor, on: date, allotment_ids: Sequence[int], move_ids: Sequence[int], refusal: str = ""
) -> int:
    """Registered indicators and proposed moves in one go, all or none."""
    told = {"by": by, "on": on, "refusal": refusal}
    done = decide_allotments(allotment_ids=allotment_ids, **told) if allotment_ids else 0
    return done + (decide_moves(move_ids=move_ids, **told) if move_ids else 0)


def _decide(by: Actor, on: date, moves: list[AllotmentMove], held: dict[int, Allotment], refusal: str) -> None:
    content = [[m.pk, m.allotment_id, m.kind, m.target, m.document_no, m.amount_fen] for m in moves]
    act = "退回指标变动" if refusal else "复核指标变动"
    signature = sign(by=by, on=on, act=act, subject=f"indicator-move:{moves[0].pk}", content_digest=digest(content))
    for move in moves:
        row = held[move.allotment_id]
        if not refusal:
            _require_left(row, move.amount_fen)
            if move.kind == MoveKind.CARRY and move.amount_fen != row.left_fen:
                raise FundsExhausted(
                    f"{row.document_no} 的余额变了", why=f"提出时 {yuan(move.amount_fen)} 元，现在 {yuan(row.left_fen)} 元",
                    remedy="请退回这一笔，重新提出",
                )  # fmt: skip
            row.cut_fen += move.amount_fen  # seen by the next move of the same set; the database counts by kind
        move.state = MoveState.REFUSED if refusal else MoveState.APPROVED
        move.decided_by, move.decided_on, move.refusal, move.signature = by.appointment, on, refusal, signature
        move.save(update_fields=["state", "decided_by", "decided_on", "refusal", "signature"])
