"""Money that came back after it was paid (E05): booked again, the due open again, a reissue to a corrected account (PAY-06, LED-01).

in    an open exception E05, the bank's slip for the money in the special account; another person's word
out   发放后退回 in the books under the batch's number; instruction and line returned, the line's dues owed again; an exception of the
      kind 银行退回, which a corrected account (two people) and a reissue close as any other

Always true: an instruction is booked back once; what the line had withheld is owed back again; money of a due that is being
recovered is no open due but a receipt of the recovery. Locks: roster, batch. Law: S0 附件2 第28条, 附件4 第11条.
"""

from datetime import date, timedelta

from huimin.database.bulk import fetch, run
from huimin.funds.models import SpecialAccount
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import require_not_related
from huimin.ledger.commands import post_event
from huimin.ledger.models import Voucher
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.payment.commands.recoveries import settle_recoveries
from huimin.payment.commands.settling import RETURNED_DAYS
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Batch, Instruction, PaymentException, Rebooking, Roster, RosterLine

refused_by_constraint("rebooked_once", AlreadyDone, "这一笔已提出重新入账", "请在待处理里查看")
refused_by_constraint("rebooking_two_people", AlreadyDone, "登记的人不能复核", "请由另一人办理")
refused_by_constraint(
    "due_one_live_instruction", AlreadyDone, "这笔应发已有别的支付指令", "请核对清册和重发清册，不要重复发放"
)
refused_by_constraint("line_is_its_dues", WrongState, "清册行与应发不符，不能放行", "请停止办理并报告监督员核查")


@command(Post.FINANCE_OFFICER)
def propose_rebooking(*, by: Actor, on: date, number: int, came_back_on: date, basis: str) -> Rebooking:
    """The money of an exception E05 is in the special account again, by the bank's slip or statement."""
    row = PaymentException.objects.select_for_update(of=("self",)).get(pk=number)
    require_place(by, row.division)
    if row.kind != PaymentException.Kind.REVERSED or row.state != "open" or row.line_id is None:
        raise WrongState("只有“入账后又退回”、还没有处理的才重新入账", remedy="请从待处理里 E05 的那一行进入")
    instruction = (
        Instruction.objects.select_related("line", "batch__payer")
        .filter(line=row.line_id, state=Instruction.State.PAID)
        .first()
    )
    if instruction is None:
        raise AlreadyDone("这一行已不是已入账", why="可能已重新入账", remedy="请刷新后查看")
    if instruction.booked_on is None or not instruction.booked_on <= came_back_on <= on:
        raise BadInput("退回日期应在入账之后，不晚于今天", where="退回日期", remedy="请按银行回单填写")
    if len(basis.strip()) < 4:
        raise BadInput("没有写依据", where="依据", remedy="请写银行回单或对账单的编号")
    if instruction.batch.payer.kind != SpecialAccount.Kind.SPECIAL:
        raise WrongState(
            "这一笔是国库直接支付的", why="退回的钱在国库，不在专户", remedy="请与国库核对，由财政按国库的回单处理"
        )
    _require_no_recovery(instruction.line)
    return Rebooking.objects.create(
        division=row.division, exception=row, instruction=instruction, line=instruction.line, amount_fen=instruction.amount_fen,
        came_back_on=came_back_on, basis=basis.strip()[:200], proposed_by=by.appointment, proposed_on=on,
    )  # fmt: skip


_IN_RECOVERY = """
SELECT DISTINCT q.recovery_id FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id AND d.kind <> 'recovery'
JOIN casework_entitlement e ON e.id = d.entitlement_id
JOIN payment_recoverypart q ON q.programme = d.programme AND q.household_id = e.household_id
 AND q.person_id IS NOT DISTINCT FROM e.person_id AND q.period_from <= d.period_from AND q.period_until > d.period_from
JOIN payment_recovery r ON r.id = q.recovery_id AND r.state <> 'refused'
WHERE x.line_id = %s AND x.live LIMIT 1
"""


def _require_no_recovery(line: RosterLine) -> None:
    for (number,) in fetch(_IN_RECOVERY, [line.pk]):
        raise WrongState(
            f"这一笔正在追缴（第 {number} 号）",
            why="多发的钱退回来，不再发出去",
            remedy="请在追缴里登记交款，再了结这一条待处理",
        )


@command(Post.ACCOUNTANT, Post.FINANCE_RELEASER)
def settle_rebooking(*, by: Actor, on: date, number: int, agreed: bool, refusal: str = "") -> Rebooking:
    """Another person holds it against the bank's slip; confirmed, the money is in the books and the due open again."""
    found = Rebooking.objects.filter(pk=number).values_list("line__roster", "instruction__batch").first()
    if found is None:
        raise BadInput("没有这一笔", where="编号", remedy="请从待处理进入")
    roster = Roster.objects.select_for_update().get(pk=found[0])
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=found[1])
    row = (
        Rebooking.objects.select_for_update(of=("self",))
        .select_related("instruction", "line", "exception")
        .get(pk=number)
    )
    require_place(by, row.division)
    if row.state != Rebooking.State.PROPOSED:
        raise AlreadyDone(f"这一笔已是“{row.get_state_display()}”", remedy="请刷新后查看")
    require_another(by, row.proposed_by, "登记退回")
    require_not_related(by, on, [row.line.household_id])
    if not agreed and len(refusal.strip()) < 4:
        raise BadInput("没有写不通过的原因", where="原因", remedy="请写明，至少四个字")
    row.state = Rebooking.State.CONFIRMED if agreed else Rebooking.State.REFUSED
    row.settled_by, row.settled_on, row.refusal = by.appointment, on, refusal.strip()[:200]
    row.save(update_fields=["state", "settled_by", "settled_on", "refusal"])
    if agreed:
        if row.instruction.state != Instruction.State.PAID or row.line.state != RosterLine.State.PAID:
            raise AlreadyDone("这一行已不是已入账", why="可能已重新入账", remedy="请刷新后查看")
        _require_no_recovery(row.line)
        _open_again(by, on, row, roster)
        _post(by, on, row, batch)
    return row


def _open_again(by: Actor, on: date, row: Rebooking, roster: Roster) -> None:
    """As a line the bank returned: its dues are owed, on no live line, until an account is corrected."""
    Instruction.objects.filter(pk=row.instruction_id).update(
        state=Instruction.State.RETURNED, failure_code=row.exception.code
    )
    RosterLine.objects.filter(pk=row.line_id).update(state=RosterLine.State.RETURNED)
    where = {"line": row.line_id}
    run(
        "UPDATE payment_due d SET state = 'owed' FROM payment_linedue x WHERE d.id = x.due_id AND x.live AND x.line_id = %(line)s",
        where,
    )
    run("UPDATE payment_linedue SET live = false WHERE live AND line_id = %(line)s", where)
    Roster.objects.filter(pk=roster.pk, state=Roster.State.SETTLED).update(state=Roster.State.SENT)
    PaymentException.objects.filter(pk=row.exception_id).update(
        state="closed", resolution=f"已重新入账（第 {row.pk} 号），转退汇处理", closed_by=by.appointment, closed_on=on
    )
    PaymentException.objects.create(
        division=row.division, kind=PaymentException.Kind.RETURNED, roster=roster, line_id=row.line_id,
        entitlement_id=row.line.entitlement_id, batch_id=row.instruction.batch_id, code=row.exception.code, reason=row.exception.reason,
        amount_fen=row.amount_fen, opened_on=on, due_on=on + timedelta(days=RETURNED_DAYS),
    )  # fmt: skip


def _post(by: Actor, on: date, row: Rebooking, batch: Batch) -> None:
    """Off this year's expenses, or off what was carried over; and what the line had withheld is a receivable again."""
    this_year = row.instruction.booked_on is not None and row.instruction.booked_on.year == on.year
    spent = "5001" if this_year else "3101"
    post_event(
        by=by, on=on, division=batch.division, event=Voucher.Event.PAID_BACK, subject=f"rebooking:{row.pk}",
        summary=f"批次 {batch.batch_no} 入账后退回", amount_fen=row.amount_fen, programme=batch.programme, reference=batch.batch_no,
        accounts=("1002", spent),
    )  # fmt: skip
    held = fetch(
        "SELECT d.recovery_id, d.amount_fen FROM payment_linedue x JOIN payment_due d ON d.id = x.due_id AND d.kind = 'recovery'"
        " WHERE x.line_id = %s AND d.state = 'owed'",
        [row.line_id],
    )
    if held:
        post_event(
            by=by, on=on, division=batch.division, event=Voucher.Event.RECOVERY_RAISED,
            subject=f"offset:{batch.pk}:rebooking:{row.pk}", summary=f"批次 {batch.batch_no} 抵扣随退回转回",
            amount_fen=sum(fen for _, fen in held), programme=batch.programme, accounts=("1021", spent),
        )  # fmt: skip
        settle_recoveries([number for number, _ in held])
