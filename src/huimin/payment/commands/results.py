"""What the bank answers: taken once, matched line by line, nothing dropped (PAY-05, PAY-06).

in    an answer file (代发回盘) or a refusal of a whole batch (代发整批拒收), as bytes with their name
out   instructions, lines and dues in their new state; vouchers; exceptions for every line that needs a person

Terms: a row *matches* the instruction of its batch with its sequence, line and amount. A matched row settles an
instruction that is *sent* or *unknown*; a row that repeats what is known changes nothing; a row that contradicts what
is final, stands twice in the file, or matches nothing becomes an exception with the bank's code. The same file again
is recognised by its digest. A wrong file changes nothing. Law: 皖政办〔2008〕23号 附件4 第22条, 附件2 第28条.
"""

import hashlib
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, Sum

from huimin.calendars.queries import calendar_of
from huimin.database.bulk import copy_rows, fetch_one, run, temporary
from huimin.kernel.bankfile import Parsed, parse_file, read_format
from huimin.kernel.errors import BadInput
from huimin.ledger.commands import post_event
from huimin.ledger.models import Voucher
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.payment.models import Batch, Instruction, ResultFile, Roster, RosterLine

UNKNOWN_WORKING_DAYS = 2
RETURNED_DAYS = 10

refused_by_constraint("answer_once", AlreadyDone, "这个批次的这一号回盘已经收过", "请核对回盘序号")


@command(Post.FINANCE_OFFICER)
def take_result(*, by: Actor, on: date, data: bytes, file_name: str) -> ResultFile | Batch:
    """Take one file of the bank. Returns the stored answer (also when it was taken before), or the refused batch."""
    kind = _kind_of(file_name)
    parsed = parse_file(read_format(settings.BATCH_FORMAT_FILE), kind, data, file_name)
    batch = _batch_of(parsed, file_name)
    if kind == "payment_refusal":
        return _take_refusal(by, on, batch, parsed)
    digest = hashlib.sha256(data).hexdigest()
    if earlier := ResultFile.objects.filter(sha256=digest).first():
        return earlier
    return _take_answer(by, on, batch, parsed, digest, file_name)


def _kind_of(file_name: str) -> str:
    for start, kind in (("DFR_", "payment_answer"), ("DFX_", "payment_refusal")):
        if file_name.startswith(start):
            return kind
    raise BadInput("文件名不是代发回盘", where=file_name, remedy="请上传 DFR_ 或 DFX_ 开头的回盘文件")


def _batch_of(parsed: Parsed, file_name: str) -> Batch:
    """The batch the file speaks of, locked after its roster; its file must be the one we wrote."""
    number, sha256 = parsed.header["batch_no"], parsed.header["order_sha256"]
    found = Batch.objects.filter(batch_no=number).values_list("roster_id", flat=True).first()
    if found is None:
        raise BadInput(f"没有批次 {number}", where=file_name, remedy="请核对是否为本县的回盘文件")
    Roster.objects.select_for_update().get(pk=found)
    batch = Batch.objects.select_for_update().get(batch_no=number)
    if batch.state not in (Batch.State.WRITTEN, Batch.State.ANSWERED, Batch.State.REJECTED):
        raise BadInput(
            f"批次 {number} 现在是“{batch.get_state_display()}”，还没有送银行", where=file_name, remedy="请核对文件"
        )
    if sha256 != batch.file_sha256:
        raise BadInput(
            "回盘所附的原文件校验码与送出的不同", where=f"{file_name} 表头", remedy="请与银行核对收到的是哪一份文件"
        )
    return batch


_COLUMNS = (
    ("row_no", "int4"), ("sequence", "int4"), ("line", "int8"), ("amount_fen", "int8"), ("status", "text"),
    ("code", "text"), ("reason", "text"), ("booked_on", "date"), ("serial", "text"),
)  # fmt: skip

# Every row of the file with its instruction and what to do with it.
_MATCH = """
SELECT a.*, i.id AS instruction_id, i.line_id, i.division,
       CASE a.status WHEN 'S' THEN 'paid' WHEN 'F' THEN 'returned' ELSE 'unknown' END AS new_state,
       CASE
         WHEN i.id IS NULL THEN 'unmatched'
         WHEN row_number() OVER (PARTITION BY a.line ORDER BY a.row_no) > 1 THEN 'duplicate'
         WHEN i.state IN ('sent', 'unknown') THEN 'settle'
         WHEN i.state = CASE a.status WHEN 'S' THEN 'paid' WHEN 'F' THEN 'returned' ELSE 'unknown' END THEN 'same'
         ELSE 'conflict'
       END AS verdict
FROM answer a
LEFT JOIN payment_instruction i ON i.batch_id = %(batch)s AND i.line_id = a.line AND i.sequence = a.sequence
      AND i.amount_fen = a.amount_fen
"""

_SETTLE_INSTRUCTIONS = """
UPDATE payment_instruction i SET state = m.new_state, booked_on = m.booked_on, bank_serial = m.serial,
       failure_code = m.code
FROM matched m WHERE i.id = m.instruction_id AND m.verdict = 'settle'
"""
_SETTLE_LINES = """
UPDATE payment_rosterline l SET state = m.new_state
FROM matched m WHERE l.id = m.line_id AND m.verdict = 'settle' AND l.state <> m.new_state
"""
_SETTLE_DUES = """
UPDATE payment_due d SET state = 'paid'
FROM payment_linedue x JOIN matched m ON m.line_id = x.line_id
WHERE d.id = x.due_id AND x.live AND m.verdict = 'settle' AND m.new_state = 'paid'
"""
_FREE_DUES = """
UPDATE payment_linedue x SET live = false
FROM matched m WHERE m.line_id = x.line_id AND x.live AND m.verdict = 'settle' AND m.new_state = 'returned'
"""
# A pending line that is settled now needs nobody any more.
_CLOSE_PENDING = """
UPDATE payment_paymentexception e SET state = 'closed', resolution = '银行已有结果', closed_by = %(by)s,
       closed_on = %(on)s
FROM matched m WHERE e.line_id = m.line_id AND e.kind = 'unknown' AND e.state = 'open'
     AND m.verdict = 'settle' AND m.new_state <> 'unknown'
"""
_EXCEPTIONS = """
INSERT INTO payment_paymentexception (division, kind, roster_id, line_id, batch_id, result_id, row_no, code, reason,
    amount_fen, state, resolution, opened_on, due_on)
SELECT coalesce(division, %(division)s), CASE verdict WHEN 'settle' THEN new_state ELSE verdict END, %(roster)s,
       line_id, %(batch)s, %(result)s, row_no, code, reason, amount_fen, 'open', '', %(on)s,
       CASE WHEN verdict = 'settle' AND new_state = 'returned' THEN %(returned_due)s::date ELSE %(soon)s::date END
FROM matched WHERE verdict IN ('unmatched', 'duplicate', 'conflict') OR (verdict = 'settle' AND new_state <> 'paid')
"""
_SUMS = """
SELECT coalesce(sum(amount_fen) FILTER (WHERE new_state = 'paid'), 0)::bigint,
       coalesce(sum(amount_fen) FILTER (WHERE new_state = 'returned'), 0)::bigint
FROM matched WHERE verdict = 'settle'
"""


def _take_answer(by: Actor, on: date, batch: Batch, parsed: Parsed, digest: str, file_name: str) -> ResultFile:
    result = ResultFile.objects.create(
        division=batch.division, batch=batch, bank_office_id=batch.bank_office_id, sha256=digest, file_name=file_name,
        answer_no=parsed.header["answer_no"], bank_date=parsed.header["business_date"],
        paid_lines=parsed.header["paid_count"], paid_fen=parsed.header["paid_fen"],
        returned_lines=parsed.header["failed_count"], returned_fen=parsed.header["failed_fen"],
        unknown_lines=parsed.header["pending_count"], unknown_fen=parsed.header["pending_fen"],
        taken_by=by.appointment, taken_on=on,
    )  # fmt: skip
    copy_rows("answer", _COLUMNS, _rows(parsed))
    where = {
        "batch": batch.pk, "roster": batch.roster_id, "result": result.pk, "division": batch.division, "on": on,
        "by": by.appointment, "returned_due": on + timedelta(days=RETURNED_DAYS),
        "soon": calendar_of(by.division).add(on, UNKNOWN_WORKING_DAYS),
    }  # fmt: skip
    temporary("matched", _MATCH, where)
    for statement in (_SETTLE_INSTRUCTIONS, _SETTLE_LINES, _SETTLE_DUES, _FREE_DUES):
        run(statement)
    run(_CLOSE_PENDING, where)
    run(_EXCEPTIONS, where)
    _post(by, on, batch, f"result:{result.pk}", *fetch_one(_SUMS))
    _advance(on, batch)
    return result


def _rows(parsed: Parsed) -> Any:
    for number, row in enumerate(parsed.rows, 1):
        reference = row["row_id"]
        yield (
            number, row["sequence"], int(reference) if reference.isdigit() and len(reference) < 19 else 0,
            row["row_amount_fen"], row["row_state"], row["failure_code"] or "", row["failure_reason"] or "",
            row["booked_on"], row["bank_serial"] or "",
        )  # fmt: skip


def _post(by: Actor, on: date, batch: Batch, subject: str, paid_fen: int, returned_fen: int) -> None:
    for event, amount_fen in ((Voucher.Event.PAID, paid_fen), (Voucher.Event.RETURNED, returned_fen)):
        if amount_fen:
            post_event(
                by=by, on=on, division=batch.division, event=event, subject=subject,
                summary=f"批次 {batch.batch_no} {event.label}", amount_fen=amount_fen, programme=batch.programme,
                reference=batch.batch_no,
            )  # fmt: skip


def _advance(on: date, batch: Batch) -> None:
    """The batch is answered when no instruction waits for the bank; the roster is settled when all its money arrived."""
    waiting = batch.instructions.filter(state__in=[Instruction.State.SENT, Instruction.State.UNKNOWN])
    if waiting.exists():
        return
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.ANSWERED, answered_on=on)
    settle_roster(batch.roster_id)


def settle_roster(roster_id: int) -> None:
    """Mark a roster settled when each of its lines is paid, withheld for good, or stands on a later roster."""
    roster = Roster.objects.get(pk=roster_id)
    waiting = Q(state="withheld", withheld_reason=RosterLine.NOT_IN_FORCE)
    if not roster.lines.filter(~Q(state__in=["paid", "withheld", "replaced"]) | waiting).exists():
        Roster.objects.filter(pk=roster.pk).update(state=Roster.State.SETTLED)


def _take_refusal(by: Actor, on: date, batch: Batch, parsed: Parsed) -> Batch:
    """The bank took nothing of the batch: its lines are payable again, its money is back in the special account."""
    if batch.state == Batch.State.REJECTED:
        return batch
    if batch.state == Batch.State.ANSWERED or batch.results.exists():
        raise BadInput("这个批次已有逐笔回盘，不能再整批拒收", where=batch.batch_no, remedy="请与银行核对")
    amount = batch.instructions.filter(state=Instruction.State.SENT).aggregate(fen=Sum("amount_fen", default=0))["fen"]
    batch.instructions.update(state=Instruction.State.CANCELLED, failure_code=parsed.header["refusal_code"])
    run("UPDATE payment_rosterline SET state = 'listed' WHERE roster_id = %s AND state = 'sent'", [batch.roster_id])
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.REJECTED, answered_on=on)
    Roster.objects.filter(pk=batch.roster_id).update(state=Roster.State.FUNDED)
    _post(by, on, batch, f"batch:{batch.pk}", 0, amount)
    batch.refresh_from_db()
    return batch
