"""What taking a file of a bank came to, in words: what was posted, not what the file claims (PAY-05, PAY-06).

in    what `take_result` returned, inside a reading transaction where it says so
out   the outcome of the page that took it; a line for the list of answers of a batch

Always true: a figure is what our books took from this very file; a part that is nothing is left out; what the file claims is
named beside it where the two differ; a file that was here before says so and that nothing changed.
"""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from huimin.kernel.money import yuan
from huimin.organisation.acting import Actor, reading
from huimin.payment.models import BankStatement, Batch, NameCheck, PaymentException, ResultFile
from huimin.payment.queries import Total, listed_of
from huimin.workbench.acts import Outcome

Kind = PaymentException.Kind
_UNCHANGED = "这次没有记账，也没有改动。"


def told_of_answer(result: ResultFile) -> str:
    """What one answer moved: 入账 3 笔 ¥900.00，退回 1 笔 ¥300.00，2 行待核对."""
    if result.booked_rows is None:
        return _claimed(result) + "（文件所写）"
    parts = [
        f"入账 {result.booked_rows:,} 笔 ¥{yuan(result.booked_fen)}" if result.booked_rows else "",
        f"退回 {result.back_rows:,} 笔 ¥{yuan(result.back_fen)}" if result.back_rows else "",
        f"处理中 {result.pending_rows:,} 笔" if result.pending_rows else "",
        f"{result.known_rows:,} 行是先前已有的结果" if result.known_rows else "",
        f"{result.listed_rows:,} 行待核对" if result.listed_rows else "",
    ]
    if not (result.booked_rows or result.back_rows or result.pending_rows):
        parts.insert(0, "没有记账")
    told = "，".join(filter(None, parts))
    return f"{told}；文件写的是{_claimed(result)}" if result.listed_rows else told


def _claimed(result: ResultFile) -> str:
    told = (
        f"入账 {result.paid_lines:,} 行 ¥{yuan(result.paid_fen)}" if result.paid_lines else "",
        f"退回 {result.returned_lines:,} 行 ¥{yuan(result.returned_fen)}" if result.returned_lines else "",
        f"处理中 {result.unknown_lines:,} 行 ¥{yuan(result.unknown_fen)}" if result.unknown_lines else "",
    )
    return "，".join(filter(None, told)) or "没有明细"


def outcome_of_taken(by: Actor, taken: Any) -> Outcome:
    """The outcome of the page that took a file."""
    if isinstance(taken, ResultFile):
        return _of_answer(by, taken)
    if isinstance(taken, NameCheck):
        return _of_check(taken)
    if isinstance(taken, BankStatement):
        return _of_statement(by, taken)
    where = reverse("batch", args=[taken.pk])
    if taken.state != Batch.State.REJECTED:
        return Outcome("银行已收妥这一批", where, "还没有逐笔结果，钱没有动。")
    if taken.taken_before:
        return Outcome(f"这一批 {taken.answered_on} 已经记为银行整批拒收", where, _UNCHANGED)
    return Outcome("银行整批拒收，已退回", where, "核对后可以重新编制批次。")


def _of_answer(by: Actor, taken: ResultFile) -> Outcome:
    where = reverse("batch", args=[taken.batch_id])
    with reading(by):
        totals = {total.key: total for total in listed_of(result=taken.pk)}
    link = ("看这一批的待处理", f"{reverse('exceptions')}?batch={taken.batch_id}") if totals else None
    if taken.taken_before:
        when = timezone.localtime(taken.taken_at)
        what = f"这份回盘 {when:%Y-%m-%d %H:%M} 已经收过（{taken.file_name}，第 {taken.answer_no} 号）"
        return Outcome(what, where, f"当时{told_of_answer(taken)}。{_UNCHANGED}", link=link)
    return Outcome(f"已收回盘：{told_of_answer(taken)}", where, "", tuple(_listed(totals)), link)


def _listed(totals: dict[str, Total]) -> list[str]:
    """What was put among the exceptions, and what to do about it."""
    lines = []
    if found := totals.pop(Kind.RETURNED, None):
        lines.append(f"退回的 {found.count:,} 笔已列入待处理，更正账户后重发。")
    if found := totals.pop(Kind.UNKNOWN, None):
        lines.append(f"处理中的 {found.count:,} 笔已列入待处理，等银行下一次回盘。")
    if totals.pop(Kind.LATE, None):
        lines.append("这份回盘过了期限，已记一条逾期回盘。")
    if totals:
        parts = "，".join(f"{Kind(key).label} {total.count:,} 行" for key, total in totals.items())
        lines.append(f"{parts}，没有记账，已列入待处理，请与银行核对。")
    return lines


def _of_check(taken: NameCheck) -> Outcome:
    where = reverse("roster", args=[taken.roster_id])
    if taken.state == NameCheck.State.REJECTED:
        return Outcome("银行整份拒收了户名核验", where, f"{taken.refusal}。核对后可以重新送核验。")
    if taken.taken_before:
        return Outcome(f"这份户名核验的结果 {taken.answered_on} 已经收过", where, "与先前的结果相同，没有改动。")
    return Outcome("已收户名核验回盘", where, "相符的可以编制批次；不符的编制时转到待处理。")


def _of_statement(by: Actor, taken: BankStatement) -> Outcome:
    where = reverse("bank-statements")
    if taken.taken_before:
        when = timezone.localtime(taken.taken_at)
        return Outcome(f"这份对账单 {when:%Y-%m-%d %H:%M} 已经收过（{taken.file_name}）", where, _UNCHANGED)
    what = f"已收对账单：{taken.entries_count:,} 笔分录，期末 ¥{yuan(taken.closing_fen)}"
    with reading(by):
        left = sum(total.count for total in listed_of(statement=taken.pk))
    then = f"{left:,} 笔分录对不上，已列入待处理。" if left else "分录都对上了。"
    return Outcome(what, where, then, link=("看待处理", reverse("exceptions")) if left else None)
