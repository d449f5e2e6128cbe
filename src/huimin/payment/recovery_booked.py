"""What stands behind vouchers of recoveries: `recovery:…`, `receipt:…`, `writeoff:…`, `offset:…` (LED-01, PAY-06).

in    vouchers
out   whether each is worth what its business is; the papers behind it. A query or two a kind for any number of vouchers

An offset's subject names the batch; what was posted of a batch is held, together, against the dues of kind recovery that its paid
lines bear. Registered with `ledger.sources` when the app is ready.
"""

from collections.abc import Sequence

from huimin.database.bulk import fetch
from huimin.kernel.money import yuan
from huimin.ledger.models import Voucher
from huimin.ledger.sources import Paper, keeps, number_of
from huimin.payment.models import Batch, RecoveryReceipt, RecoveryWriteOff

_RAISED = """
SELECT q.recovery_id, q.paid_year, sum(q.amount_fen)::bigint FROM payment_recoverypart q
JOIN payment_recovery r ON r.id = q.recovery_id AND r.state IN ('decided', 'settled')
WHERE q.recovery_id = ANY (%s) GROUP BY 1, 2
"""
_OFFSETS = """
SELECT i.batch_id, coalesce(sum(d.amount_fen), 0)::bigint
FROM payment_instruction i JOIN payment_linedue x ON x.line_id = i.line_id AND x.live
JOIN payment_due d ON d.id = x.due_id AND d.kind = 'recovery'
WHERE i.batch_id = ANY (%s) AND i.state = 'paid' GROUP BY 1
"""
# Offsets and what was raised again when the money came back; of either, what was not reversed.
_POSTED = """
SELECT split_part(v.subject, ':', 2)::bigint, sum(CASE v.event WHEN 'recovery_offset' THEN v.amount_fen ELSE -v.amount_fen END)::bigint
FROM ledger_voucher v WHERE v.subject LIKE 'offset:%%' AND split_part(v.subject, ':', 2)::bigint = ANY (%s)
  AND v.event IN ('recovery_offset', 'recovery_raised')
  AND NOT EXISTS (SELECT 1 FROM ledger_voucher w WHERE w.reverses_id = v.id) GROUP BY 1
"""


def _amount(voucher: Voucher, fen: int | None, what: str) -> str:
    if fen is None:
        return f"没有这{what}"
    return "" if fen == voucher.amount_fen else f"{what}是 {yuan(fen)} 元"


def check_raised(vouchers: Sequence[Voucher]) -> dict[int, str]:
    found = {(number, year): fen for number, year, fen in fetch(_RAISED, [_numbers(vouchers)])}
    return {each.pk: _amount(each, found.get((number_of(each.subject), _year(each))), "笔追缴") for each in vouchers}


def _year(voucher: Voucher) -> int:
    rest = voucher.subject.split(":")
    return int(rest[2]) if len(rest) > 2 and rest[2].isdigit() else 0


def check_receipts(vouchers: Sequence[Voucher]) -> dict[int, str]:
    rows = RecoveryReceipt.objects.filter(pk__in=_numbers(vouchers), state="confirmed")
    found = dict(rows.values_list("pk", "amount_fen"))
    return {each.pk: _amount(each, found.get(number_of(each.subject)), "笔交款") for each in vouchers}


def check_write_offs(vouchers: Sequence[Voucher]) -> dict[int, str]:
    rows = RecoveryWriteOff.objects.filter(pk__in=_numbers(vouchers), state="confirmed")
    found = dict(rows.values_list("pk", "amount_fen"))
    return {each.pk: _amount(each, found.get(number_of(each.subject)), "笔核销") for each in vouchers}


def check_offsets(vouchers: Sequence[Voucher]) -> dict[int, str]:
    """All of a batch together: an answer may bring its lines in several pieces."""
    borne = dict(fetch(_OFFSETS, [_numbers(vouchers)]))
    posted = dict(fetch(_POSTED, [_numbers(vouchers)]))
    found = {}
    for each in vouchers:
        batch = number_of(each.subject)
        right = borne.get(batch, 0) == posted.get(batch, 0)
        found[each.pk] = (
            "" if right else f"批次的抵扣是 {yuan(borne.get(batch, 0))} 元，账上 {yuan(posted.get(batch, 0))} 元"
        )
    return found


def _numbers(vouchers: Sequence[Voucher]) -> list[int]:
    return sorted({number_of(each.subject) for each in vouchers})


def papers_of_recovery(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    return {each.pk: [_letter(number_of(each.subject))] for each in vouchers}


def _letter(number: int) -> Paper:
    return Paper("追缴通知书", f"第 {number} 号", "recovery", number)


def papers_of_receipts(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    found = RecoveryReceipt.objects.in_bulk(_numbers(vouchers))
    return {
        each.pk: [Paper("银行回单", row.bank_serial), _letter(row.recovery_id)]
        for each in vouchers if (row := found.get(number_of(each.subject)))
    }  # fmt: skip


def papers_of_write_offs(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    found = RecoveryWriteOff.objects.in_bulk(_numbers(vouchers))
    return {
        each.pk: [Paper("批准文件", row.document_no), _letter(row.recovery_id)]
        for each in vouchers if (row := found.get(number_of(each.subject)))
    }  # fmt: skip


def papers_of_offsets(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    found = Batch.objects.in_bulk(_numbers(vouchers))
    return {
        each.pk: [Paper("银行批次", row.batch_no, "batch", row.pk), Paper("发放清册", f"第 {row.roster_id} 号", "roster", row.roster_id)]
        for each in vouchers if (row := found.get(number_of(each.subject)))
    }  # fmt: skip


def register() -> None:
    keeps("recovery", check_raised, papers_of_recovery)
    keeps("receipt", check_receipts, papers_of_receipts)
    keeps("writeoff", check_write_offs, papers_of_write_offs)
    keeps("offset", check_offsets, papers_of_offsets)
