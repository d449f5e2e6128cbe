"""Money of special accounts besides what is paid out: given back to where it came from, or into a county's account (FUND-02).

    propose_back, confirm_back   steps of payment's commands: the money of an application that will not be paid again
    propose_money                into a county's special account; a balance or interest given up to the treasury
    decide_money                 another person, with the bank's receipt: posted, or refused with the reason

Always true when a function of this module returns: nothing is proposed or posted that the account does not hold; nothing
is posted before the bank's receipt was held by a second person; what goes out is not booked before it was proposed nor
in a closed month; the same paper or receipt is taken once; what is given back of an application is its indicator's
again, by the database. By the direct route the bank has given it back to the treasury already: nothing is posted.
Law: S0 A1 art 23, A4 art 9–11; closed circulation (ledger/chart.yaml).
"""

import re
from datetime import date, timedelta
from typing import Any

from huimin.divisions.queries import name_of
from huimin.funds.models import FundingApplication, MoneyMove, Route, SpecialAccount
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import FEN_MAX, yuan
from huimin.kernel.periods import add_months
from huimin.ledger.chart import CARRIED, FUNDS, INTEREST, ISSUED
from huimin.ledger.chart import DEPOSIT as BANKED
from huimin.ledger.commands import EventRow, post_events
from huimin.ledger.models import Voucher
from huimin.ledger.queries import balance_of, closed_until
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

Kind, State = MoneyMove.Kind, MoneyMove.State
Event = Voucher.Event


class NoSuchMove(Refusal):
    """No move of money of this number waits in the actor's place."""


class MoveDiffers(Refusal):
    """The paper was taken with another amount."""


refused_by_constraint("money_move_once", AlreadyDone, "这份凭据已经登记过", "请在缴回和拨入中查看")
refused_by_constraint("money_back_one_at_a_time", AlreadyDone, "这件申请还有一笔缴回没有办完", "请先办完那一笔")
refused_by_constraint("money_receipt_once", AlreadyDone, "这张银行回单已经用过", "请核对回单号")
refused_by_constraint("money_move_decided_by_another", SamePerson, "提出的人不能确认自己提出的", "请由另一人确认")
refused_by_constraint("application_returned_of_its_own", MoveDiffers, "缴回的超过拨付的", "请核对缴回金额")


def propose_back(
    *,
    by: Actor,
    on: date,
    application: FundingApplication,
    amount_fen: int,
    items: list[int],
    document_no: str,
    reason: str,
) -> MoneyMove:
    """Propose to give back what of an application will not be paid again; `items` are the lines it is of."""
    require_place(by, application.division)
    return _propose(
        by, on, division=application.division, kind=Kind.BACK, programme=application.programme, application=application,
        amount_fen=amount_fen, items=items, document_no=document_no, reason=reason,
    )  # fmt: skip


@command(Post.FINANCE_OFFICER)
def propose_money(
    *, by: Actor, on: date, division: str, kind: str, programme: str, amount_fen: int, document_no: str, reason: str
) -> MoneyMove:
    """Register what goes into a county's special account, or a balance or interest that is given up, by its paper."""
    require_place(by, division)
    if kind not in (Kind.IN, Kind.UP, Kind.INTEREST):
        raise BadInput("没有这个种类", where="办什么", remedy="请从列表中选")
    if kind == Kind.INTEREST and programme:
        raise BadInput("利息不分项目", where="补贴项目", remedy="请选“不分项目”")
    if kind != Kind.INTEREST and not programme:
        raise BadInput("没有选补贴项目", where="补贴项目", why="只有利息不分项目", remedy="请从列表中选")
    if not SpecialAccount.objects.filter(division=division, kind=SpecialAccount.Kind.SPECIAL).exists():
        raise BadInput(f"{name_of(division)}没有惠民资金专户", where="哪个专户", remedy="请先登记账户")
    return _propose(
        by, on, division=division, kind=kind, programme=programme, application=None, amount_fen=amount_fen, items=[],
        document_no=document_no, reason=reason,
    )  # fmt: skip


def _propose(by: Actor, on: date, **told: Any) -> MoneyMove:
    """The same paper again is the same; MoveDiffers when it was taken with another amount."""
    told["document_no"], told["reason"] = " ".join(told["document_no"].split()), " ".join(told["reason"].split())
    if not 0 < told["amount_fen"] <= FEN_MAX // 1000:
        raise BadInput("金额要大于零", where="金额", remedy="请照缴款书填写")
    paper, why = ("缴款书编号", "为什么不再发放") if told["application"] else ("凭据编号", "原因")
    if not 1 <= len(told["document_no"]) <= 80:
        raise BadInput("没有凭据编号，或超过 80 个字", where=paper, remedy="请照缴款书或拨款文件填写")
    if not 2 <= len(told["reason"]) <= 200:
        raise BadInput("要写 2 到 200 个字", where=why, remedy="请写明为什么")
    keys = {key: told[key] for key in ("division", "kind", "document_no", "programme")}
    found = MoneyMove.objects.exclude(state=State.REFUSED).filter(**keys).first()
    if found is None:
        if told["kind"] in (Kind.UP, Kind.INTEREST):
            _require_held(told["kind"], told["division"], told["programme"], told["amount_fen"])
        return MoneyMove.objects.create(**told, proposed_by=by.appointment, proposed_on=on)
    if (found.amount_fen, found.application_id) != (told["amount_fen"], told["application"] and told["application"].pk):
        raise MoveDiffers(
            f"{found.document_no} 已按 {yuan(found.amount_fen)} 元登记",
            why="金额或拨款申请不同",
            remedy="请核对凭据编号",
        )
    return found


def _require_held(kind: str, division: str, programme: str, amount_fen: int) -> None:
    """What goes out is in the account under its programme; interest also was booked as such."""
    held, words = balance_of(division, BANKED.code, programme), "专户里还剩"
    if kind == Kind.INTEREST and (booked := -balance_of(division, INTEREST.code, "")) <= held:
        held, words = booked, "账上应缴利息还剩"
    if amount_fen > held:
        raise BadInput(
            f"要 {yuan(amount_fen)} 元，{words} {yuan(held)} 元", where="金额", why=f"{name_of(division)}的账簿",
            remedy="请减少金额；结息单还没有记账的，先请会计记账" if kind == Kind.INTEREST else "请减少金额",
        )  # fmt: skip


def lock_move(by: Actor, number: int, *, back: bool) -> MoneyMove:
    """A move that waits, locked; of an application or not, as `back` says."""
    rows = MoneyMove.objects.select_for_update(of=("self",)).select_related("application__payer")
    row = rows.filter(pk=number, state=State.PROPOSED).first()
    if row is None or (row.kind == Kind.BACK) is not back:
        raise NoSuchMove("没有等待确认的这一笔", why="它不存在、已经办理，或不在您的辖区内", remedy="请刷新后查看")
    require_place(by, row.division)
    require_another(by, row.proposed_by, "提出")
    return row


@command(Post.FINANCE_RELEASER)
def decide_money(
    *, by: Actor, on: date, number: int, receipt_no: str = "", booked_on: date | None = None, refusal: str = ""
) -> MoneyMove:
    """Confirm with the bank's receipt and post, or refuse with the reason."""
    row = lock_move(by, number, back=False)
    return confirm(by, on, row, receipt_no, booked_on) if not refusal.strip() else refuse(by, on, row, refusal)


def confirm(by: Actor, on: date, row: MoneyMove, receipt_no: str, booked_on: date | None) -> MoneyMove:
    """What the bank has booked, by its receipt: signed and posted. Of a row of `lock_move`."""
    receipt_no = " ".join(receipt_no.split())
    if not re.fullmatch(r"[\w〔〕()（）\-]{2,60}", receipt_no) or booked_on is None:
        raise BadInput("没有银行回单", where="银行回单号、入账日期", remedy="请照银行回单填写")
    _require_day(row, booked_on, on)
    if row.kind != Kind.IN and not _is_direct(row):
        _require_held(row.kind, row.division, row.programme, row.amount_fen)
    row.receipt_no, row.booked_on = receipt_no, booked_on
    _decided(by, on, row, State.CONFIRMED, "确认缴回" if row.kind != Kind.IN else "确认拨入")
    if rows := _events_of(row):
        post_events(by=by, on=on, rows=rows)
    return row


def _require_day(row: MoneyMove, booked_on: date, on: date) -> None:
    """Between the paper and today, in months the books of the account have open; what comes in may have come before its paper."""
    if booked_on > on:
        raise BadInput(f"{booked_on} 还没有到", where="入账日期", why=f"今天是 {on}", remedy="请照银行回单填写")
    if row.kind != Kind.IN and booked_on < row.proposed_on:
        raise BadInput(
            f"{booked_on} 早于提出的那一天",
            where="入账日期",
            why=f"{row.proposed_on} 才提出",
            remedy="请照银行回单填写",
        )
    places = [] if _is_direct(row) else [row.division]
    if row.application is not None and row.application.payer is not None and places:
        places.append(row.application.payer.division)
    for place in places:
        closed = closed_until(place)
        if closed is not None and booked_on < (opened := add_months(closed, 1)):
            raise BadInput(
                f"{booked_on} 在已经结账的月份", where="入账日期", why=f"{name_of(place)}的账已经结到 {opened - timedelta(days=1)}",
                remedy="请核对回单；银行确在那个月入账的，填今天",
            )  # fmt: skip


def _is_direct(row: MoneyMove) -> bool:
    """Whether the treasury had paid it itself: no books of ours hold it."""
    return row.application is not None and row.application.is_direct


def refuse(by: Actor, on: date, row: MoneyMove, refusal: str) -> MoneyMove:
    row.refusal = " ".join(refusal.split())[:200]
    return _decided(by, on, row, State.REFUSED, "退回缴回或拨入")


def _decided(by: Actor, on: date, row: MoneyMove, state: str, act: str) -> MoneyMove:
    content = [
        row.division,
        row.kind,
        row.programme,
        row.application_id,
        row.amount_fen,
        row.document_no,
        row.receipt_no,
    ]
    row.signature = sign(
        by=by,
        on=on,
        act=act,
        subject=f"money:{row.pk}",
        content_digest=digest([*content, row.items]),
        division=row.division,
    )
    row.state, row.decided_by, row.decided_on = state, by.appointment, on
    row.save(update_fields=["state", "receipt_no", "booked_on", "refusal", "decided_by", "decided_on", "signature"])
    return row


def _events_of(row: MoneyMove) -> list[EventRow]:
    """What the books say of it: the year's own money first, what was carried over after."""
    if _is_direct(row):
        return []
    told = (
        f"money:{row.pk}",
        f"{row.get_kind_display()} {row.document_no}",
        row.amount_fen,
        row.programme,
        row.receipt_no,
    )
    if row.kind == Kind.IN:
        return [EventRow(row.division, Event.FUNDS_RECEIVED, *told)]
    if row.kind == Kind.INTEREST:
        return [EventRow(row.division, Event.RETURNED_UP, *told, accounts=(INTEREST.code, BANKED.code))]
    received = -balance_of(row.division, FUNDS.code, row.programme)
    own = FUNDS if received >= row.amount_fen else CARRIED
    rows = [EventRow(row.division, Event.RETURNED_UP, *told, accounts=(own.code, BANKED.code))]
    if row.application is not None and row.application.route == Route.COUNTY:
        assert row.application.payer is not None
        county = row.application.payer.division
        issued = ISSUED if balance_of(county, ISSUED.code, row.programme) >= row.amount_fen else CARRIED
        rows.append(EventRow(county, Event.RETURNED_BELOW, *told, accounts=(BANKED.code, issued.code)))
    return rows


def list_money(prefix_state: str = "", size: int = 500) -> list[MoneyMove]:
    """Moves of money that are seen, the newest first; inside `reading(by)`."""
    rows = MoneyMove.objects.select_related("application")
    rows = rows.filter(state=prefix_state) if prefix_state else rows
    return list(rows.order_by("-id")[:size])


def count_money(*, back: bool) -> tuple[int, int]:
    """(how many moves wait for the second person, their sum): of applications, or the others."""
    rows = MoneyMove.objects.filter(state=State.PROPOSED)
    rows = rows.filter(kind=Kind.BACK) if back else rows.exclude(kind=Kind.BACK)
    found = list(rows.values_list("amount_fen", flat=True)[:1000])
    return len(found), sum(found)
