"""What stands behind vouchers of batches (`batch:…`, `result:…`, `statement:…`), and the way back to them (LED-01, LED-03).

in    vouchers whose lines bear the number of a batch as their reference
out   whether the books say of the batch what its instructions say; the papers; the vouchers of a batch

A batch agrees when 专款支出 under its number is what was credited and 在途发放 what still waits, whatever was corrected in
between. Registered with `ledger.sources` when the app is ready. A few queries for any number of vouchers.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from huimin.database.bulk import fetch
from huimin.kernel.money import yuan
from huimin.ledger.models import LedgerLine, Voucher
from huimin.ledger.sources import Paper, keeps, kind_of, number_of
from huimin.payment.models import BankStatement, Batch, ResultFile

KINDS = ("batch", "result", "statement", "rebooking")


@dataclass(frozen=True)
class Agreement:
    """What the books and the instructions say of a batch."""

    batch_no: str
    spent_fen: int
    credited_fen: int
    in_transit_fen: int
    waiting_fen: int

    @property
    def words(self) -> str:
        """ "" when they agree."""
        if self.spent_fen != self.credited_fen:
            return f"批次 {self.batch_no}：账上支出 {yuan(self.spent_fen)} 元，银行已入账 {yuan(self.credited_fen)} 元"
        if self.in_transit_fen != self.waiting_fen:
            return f"批次 {self.batch_no}：账上在途 {yuan(self.in_transit_fen)} 元，未回盘 {yuan(self.waiting_fen)} 元"
        return ""


_AGREEMENTS = """
WITH wanted AS (SELECT id, batch_no, division, released_on FROM payment_batch WHERE batch_no = ANY(%(numbers)s)),
said AS (
    SELECT i.batch_id, coalesce(sum(i.amount_fen) FILTER (WHERE i.state = 'paid'), 0) AS credited,
           coalesce(sum(i.amount_fen) FILTER (WHERE i.state IN ('sent', 'unknown')), 0) AS waiting
    FROM payment_instruction i WHERE i.batch_id IN (SELECT id FROM wanted) GROUP BY 1
), booked AS (
    SELECT l.reference,
           -- What came back in a later year is taken off what was carried over.
           sum(CASE WHEN d.code = '5001' THEN l.amount_fen WHEN c.code = '5001' OR v.event = 'paid_back' THEN -l.amount_fen ELSE 0 END)
               AS spent,
           sum(CASE '1003' WHEN d.code THEN l.amount_fen WHEN c.code THEN -l.amount_fen ELSE 0 END) AS transit
    FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id
    JOIN ledger_ledgeraccount d ON d.id = l.debit_id JOIN ledger_ledgeraccount c ON c.id = l.credit_id
    WHERE v.division IN (SELECT division FROM wanted)
      AND v.occurred_on >= (SELECT min(released_on) FROM wanted)
      AND l.reference IN (SELECT batch_no FROM wanted)
    GROUP BY 1
)
SELECT w.batch_no, coalesce(b.spent, 0)::bigint, coalesce(s.credited, 0)::bigint, coalesce(b.transit, 0)::bigint,
       coalesce(s.waiting, 0)::bigint
FROM wanted w LEFT JOIN said s ON s.batch_id = w.id LEFT JOIN booked b ON b.reference = w.batch_no
"""


def agreements(batch_numbers: Sequence[str]) -> dict[str, Agreement]:
    """By number; one query."""
    rows = fetch(_AGREEMENTS, {"numbers": sorted(set(batch_numbers))})
    return {row[0]: Agreement(*row) for row in rows}


def _references(vouchers: Sequence[Voucher]) -> dict[int, list[str]]:
    """Voucher id -> the batch numbers its lines bear."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = LedgerLine.objects.filter(voucher__in=[each.pk for each in vouchers]).exclude(reference="")
    for voucher, reference in rows.values_list("voucher", "reference").distinct():
        found[voucher].add(reference)
    return {voucher: sorted(numbers) for voucher, numbers in found.items()}


def check(vouchers: Sequence[Voucher]) -> dict[int, str]:
    """Voucher id -> "" where the books agree with every batch the voucher is of; and a sending with its batch's sum."""
    of = _references(vouchers)
    told = agreements([number for numbers in of.values() for number in numbers])
    sums = dict(Batch.objects.filter(batch_no__in=told).values_list("batch_no", "amount_fen"))
    found = {}
    for each in vouchers:
        numbers = of.get(each.pk, [])
        words = "；".join(told[n].words if n in told else f"没有批次 {n}" for n in numbers)
        if not numbers:
            words = "凭证没有写批次号"
        elif (
            each.event in (Voucher.Event.SENT, Voucher.Event.SENT_DIRECT)
            and sum(sums.get(n, 0) for n in numbers) != each.amount_fen
        ):
            words = f"批次合计是 {yuan(sum(sums.get(n, 0) for n in numbers))} 元"
        found[each.pk] = words.strip("；")
    return found


def papers(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    """The answer or statement that brought it, the batch, and the roster that was paid."""
    of = _references(vouchers)
    batches = {each.batch_no: each for each in Batch.objects.filter(batch_no__in={n for ns in of.values() for n in ns})}
    files = {
        "result": ResultFile.objects.in_bulk(_numbers(vouchers, "result")),
        "statement": BankStatement.objects.in_bulk(_numbers(vouchers, "statement")),
    }
    found: dict[int, list[Paper]] = {}
    for each in vouchers:
        kind, number = kind_of(each.subject), number_of(each.subject)
        listed = []
        if came := files.get(kind, {}).get(number):
            title = "银行回盘" if kind == "result" else "银行对账单"
            listed.append(Paper(title, came.file_name, *(("batch", came.batch_id) if kind == "result" else ())))
        for batch in [batches[n] for n in of.get(each.pk, []) if n in batches]:
            listed.append(Paper("银行批次", batch.batch_no, "batch", batch.pk))
            listed.append(Paper("发放清册", f"第 {batch.roster_id} 号", "roster", batch.roster_id))
        found[each.pk] = listed
    return found


def _numbers(vouchers: Sequence[Voucher], kind: str) -> set[int]:
    return {number_of(each.subject) for each in vouchers if kind_of(each.subject) == kind}


def vouchers_of_batches(batch_numbers: Sequence[str]) -> dict[str, list[Voucher]]:
    """Batch number -> its vouchers in the order they were posted: sent, credited, returned, corrections."""
    numbers = sorted(set(batch_numbers))
    if not numbers:
        return {}
    rows = fetch(
        "WITH wanted AS (SELECT batch_no, division, released_on FROM payment_batch WHERE batch_no = ANY(%s))"
        " SELECT DISTINCT l.reference, v.id FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id"
        " WHERE v.division IN (SELECT division FROM wanted) AND v.occurred_on >= (SELECT min(released_on) FROM wanted)"
        " AND l.reference IN (SELECT batch_no FROM wanted) ORDER BY 2 LIMIT 2000",
        [numbers],
    )
    known = Voucher.objects.select_related("review", "reversed_by").in_bulk([voucher for _, voucher in rows])
    found: dict[str, list[Voucher]] = {number: [] for number in numbers}
    for number, voucher in rows:
        found[number].append(known[voucher])
    return found


def register() -> None:
    for kind in KINDS:
        keeps(kind, check, papers)
