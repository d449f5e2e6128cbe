"""What the bank answers to a batch: taken once, matched line by line, nothing dropped (PAY-05, PAY-06).

in    a file of the bank, as bytes or a stream with its name and its signature, in the format the batch was sent in
out   instructions, lines and dues in their new state; vouchers; exceptions for every line that needs a person

    answer           rows are matched (payment.commands.matching); what was paid is held against what villages' boards show
    refusal          nothing of the batch was taken: its lines are payable again
    acknowledgement  the bank has the file; nothing moves
    checks of accounts and statements are passed on (payment.commands.checks, .statements)

Always true: the same content again is recognised by its digest; a file that is wrong anywhere, not signed, of another
bank, older than the batch, dated after today or without one row of ours changes nothing and uses up no number.
Law: 皖政办〔2008〕23号 附件4 第22条, 附件2 第28条.
"""

from datetime import date
from io import BytesIO
from typing import Any, BinaryIO

from django.db.models import Sum

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import fetch_one, run
from huimin.kernel.errors import BadInput
from huimin.ledger.models import Voucher
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.payment.commands.checks import take_check
from huimin.payment.commands.matching import copy_answer, match_answer, settle
from huimin.payment.commands.settling import (
    UNKNOWN_WORKING_DAYS,
    advance,
    confirm_sent,
    exception_days,
    post_of_batch,
    post_settled,
)
from huimin.payment.commands.statements import take_statement
from huimin.payment.exchange.incoming import Named, named, opened, require_past, require_signed
from huimin.payment.models import (
    BankStatement,
    Batch,
    Instruction,
    NameCheck,
    PaymentException,
    ResultFile,
    Roster,
)
from huimin.payment.publicity import check_publicity

Taken = ResultFile | Batch | NameCheck | BankStatement

_OTHER_CONTENT = ("内容与先收的不同", "整份不收，请银行换回盘序号重报")
refused_by_constraint(
    "answer_once", AlreadyDone, "这个批次的这一号回盘已经收过，" + _OTHER_CONTENT[0], _OTHER_CONTENT[1]
)
refused_by_constraint("message_once", AlreadyDone, "这个编号的报文已经收过，内容却不同", "请银行用新的报文编号")


@command(Post.FINANCE_OFFICER)
def take_result(
    *,
    by: Actor,
    on: date,
    data: bytes | BinaryIO,
    file_name: str,
    signature: bytes | None = None,
    bank_office: int | None = None,
) -> Taken:
    """Take one file of the bank (fetched from `bank_office`, when given).

    Returns the stored answer, the batch that was refused or acknowledged, the check, or the statement; `taken_before` when the
    bank's word was here already and nothing changed.
    """
    told = named(file_name)
    source = BytesIO(data) if isinstance(data, bytes) else data
    if told.kind.key == "statement":
        return take_statement(by, on, told, source, file_name, signature, bank_office)
    if told.kind.key.startswith("check"):
        return take_check(by, on, told, source, file_name, signature, bank_office)
    batch = _batch_of(told, file_name, bank_office)
    came = opened(told, source, file_name)
    require_signed(batch.setting, on, file_name, came, signature)
    if earlier := ResultFile.objects.filter(sha256=came.sha256).first():
        earlier.taken_before = True
        return earlier
    _require_of_batch(on, batch, came.header, file_name)
    outcome = getattr(came, "outcome", "refusal" if told.kind.key == "payment_refusal" else "answer")
    if outcome == "acknowledgement":
        return confirm_sent(batch)
    if outcome == "refusal":
        list(came.rows())
        return _take_refusal(by, on, batch, came.header)
    return _take_answer(by, on, batch, came, file_name)


def _batch_of(told: Named, file_name: str, bank_office: int | None) -> Batch:
    """The batch the file's name tells, locked after its roster."""
    number = told.number
    found = Batch.objects.filter(batch_no=number).values_list("roster_id", flat=True).first()
    if found is None:
        raise BadInput(f"没有批次 {number}", where=file_name, remedy="请核对是否为本县的回盘文件")
    Roster.objects.select_for_update().get(pk=found)
    batch = Batch.objects.select_for_update(of=("self",)).select_related("setting").get(batch_no=number)
    if bank_office is not None and batch.bank_office_id != bank_office:
        raise BadInput(f"批次 {number} 是另一家银行代发的", where=file_name, remedy="整份不收，请与银行核对")
    if batch.format != told.form.key:
        raise BadInput(
            f"批次 {number} 不是按这种格式送的",
            where=file_name,
            why=f"送出的格式是 {batch.format}",
            remedy="请与银行核对",
        )
    if batch.state not in (Batch.State.WRITTEN, Batch.State.ANSWERED, Batch.State.REJECTED):
        raise BadInput(
            f"批次 {number} 现在是“{batch.get_state_display()}”，还没有送银行", where=file_name, remedy="请核对文件"
        )
    return batch


def _require_of_batch(on: date, batch: Batch, header: dict[str, Any], file_name: str) -> None:
    """It answers the file we wrote, not before we released it and not after today."""
    if (told := header.get("order_sha256")) is not None and told != batch.file_sha256:
        raise BadInput(
            "回盘所附的原文件校验码与送出的不同", where=f"{file_name} 表头", remedy="请与银行核对收到的是哪一份文件"
        )
    day = header.get("business_date")
    if day is not None and batch.released_on is not None and day < batch.released_on:
        raise BadInput(
            f"回盘的日期 {day} 早于放行的日期 {batch.released_on}", where=f"{file_name} 表头", why="可能是旧文件",
            remedy="请向银行要这一批的回盘",
        )  # fmt: skip
    require_past(day, on, "回盘的日期", f"{file_name} 表头")


_SUMS_TOLD = """
SELECT count(*) FILTER (WHERE status = 'S'), coalesce(sum(told_fen) FILTER (WHERE status = 'S'), 0)::bigint,
       count(*) FILTER (WHERE status = 'F'), coalesce(sum(told_fen) FILTER (WHERE status = 'F'), 0)::bigint,
       count(*) FILTER (WHERE status = 'U'), coalesce(sum(told_fen) FILTER (WHERE status = 'U'), 0)::bigint,
       min(booked_on), max(booked_on), min(row_no) FILTER (WHERE booked_on < %(released)s),
       min(row_no) FILTER (WHERE booked_on > %(on)s)
FROM matched
"""


_SUMS_BOOKED = """
SELECT count(*) FILTER (WHERE new_state = 'paid' AND settles), coalesce(sum(sent_fen) FILTER (WHERE new_state = 'paid' AND settles), 0)::bigint,
       count(*) FILTER (WHERE new_state = 'returned' AND settles),
       coalesce(sum(sent_fen) FILTER (WHERE new_state = 'returned' AND settles), 0)::bigint,
       count(*) FILTER (WHERE new_state = 'unknown' AND settles), count(*) FILTER (WHERE verdict = 'same'),
       count(*) FILTER (WHERE NOT settles AND verdict <> 'same')
FROM (SELECT *, verdict = 'settle' AS settles FROM matched) m
"""
_BOOKED = ("booked_rows", "booked_fen", "back_rows", "back_fen", "pending_rows", "known_rows", "listed_rows")


def _require_new_number(batch: Batch, number: int, file_name: str) -> None:
    if first := ResultFile.objects.filter(batch=batch, answer_no=number).first():
        why, remedy = _OTHER_CONTENT
        raise BadInput(
            f"这个批次的第 {number} 号回盘 {first.taken_on} 已经收过", where=file_name, why=why, remedy=remedy
        )


def _require_ours(file_name: str) -> None:
    """A file without one row of the batch is a mistake as a whole: taken, it would use up the number of the true answer."""
    [rows, ours] = fetch_one("SELECT count(*), count(instruction_id) FROM matched")
    if not ours:
        why = f"{rows:,} 行明细都没有送出过的行标识" if rows else "文件里没有明细"
        raise BadInput(
            "整份没有一行是我们送出的", where=file_name, why=why, remedy="整份不收，回盘序号没有占用，请与银行核对"
        )


def _take_answer(by: Actor, on: date, batch: Batch, came: Any, file_name: str) -> ResultFile:
    header = came.header
    _require_new_number(batch, header["answer_no"], file_name)
    copy_answer(came.rows())
    names = came.kind.row.names if came.kind.row is not None else ("row_id",)
    older = ResultFile.objects.filter(batch=batch, answer_no__gt=header["answer_no"]).exists()
    match_answer(batch.pk, names, older=older)
    _require_ours(file_name)
    *sums, first, last, early, ahead = fetch_one(_SUMS_TOLD, {"released": batch.released_on, "on": on})
    if early is not None:
        raise BadInput(
            f"入账日期 {first} 早于放行的日期 {batch.released_on}", where=f"{file_name} 第 {early} 笔", why="可能是旧文件",
            remedy="整份不收，请与银行核对",
        )  # fmt: skip
    require_past(last, on, "入账日期", f"{file_name} 第 {ahead} 笔")
    bank_date = header.get("business_date") or last or on
    result = ResultFile.objects.create(
        division=batch.division, batch=batch, bank_office_id=batch.bank_office_id, sha256=came.sha256, file_name=file_name,
        reference=header.get("reference") or "", answer_no=header["answer_no"], bank_date=bank_date,
        paid_lines=sums[0], paid_fen=sums[1], returned_lines=sums[2], returned_fen=sums[3], unknown_lines=sums[4],
        unknown_fen=sums[5], taken_by=by.appointment, taken_on=on,
        **dict(zip(_BOOKED, fetch_one(_SUMS_BOOKED), strict=True)),
    )  # fmt: skip
    settle(exception_days(by, on) | {
        "batch": batch.pk, "roster": batch.roster_id, "result": result.pk, "statement": None, "division": batch.division,
    })  # fmt: skip
    _flag_late(by, on, batch, result)
    post_settled(by, on, f"result:{result.pk}", {batch.pk: batch})
    confirm_sent(batch)
    advance(on, batch)
    check_publicity(by, on, batch.roster)
    return result


def _flag_late(by: Actor, on: date, batch: Batch, result: ResultFile) -> None:
    """One exception a batch for an answer after its deadline: it counts in the bank's yearly assessment (PAY-09)."""
    if batch.answer_due_on is None or result.bank_date <= batch.answer_due_on:
        return
    if PaymentException.objects.filter(batch=batch, kind=PaymentException.Kind.LATE).exists():
        return
    PaymentException.objects.create(
        division=batch.division, kind=PaymentException.Kind.LATE, roster_id=batch.roster_id, batch=batch, result=result,
        row_no=0, reason=f"应于 {batch.answer_due_on} 前回盘，银行日期 {result.bank_date}",
        amount_fen=result.paid_fen + result.returned_fen + result.unknown_fen, opened_on=on,
        due_on=calendar_of(by.division).add(on, UNKNOWN_WORKING_DAYS),
    )  # fmt: skip


def _take_refusal(by: Actor, on: date, batch: Batch, header: dict[str, Any]) -> Batch:
    """The bank took nothing of the batch: its lines are payable again, its money is back in the special account."""
    if batch.state == Batch.State.REJECTED:
        batch.taken_before = True
        return batch
    if batch.state == Batch.State.ANSWERED or batch.results.exists():
        raise BadInput("这个批次已有逐笔回盘，不能再整批拒收", where=batch.batch_no, remedy="请与银行核对")
    amount = batch.instructions.filter(state=Instruction.State.SENT).aggregate(fen=Sum("amount_fen", default=0))["fen"]
    batch.instructions.update(state=Instruction.State.CANCELLED, failure_code=header["refusal_code"])
    run("UPDATE payment_rosterline SET state = 'listed' WHERE roster_id = %s AND state = 'sent'", [batch.roster_id])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.REJECTED, answered_on=on)
    Roster.objects.filter(pk=batch.roster_id).update(state=Roster.State.FUNDED)
    post_of_batch(by, on, batch, f"batch:{batch.pk}", Voucher.Event.RETURNED, amount)
    confirm_sent(batch)
    batch.refresh_from_db()
    return batch
