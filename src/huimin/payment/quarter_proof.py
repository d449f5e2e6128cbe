"""Ledger = bank = roster, line for line, at a quarter's end: a query that must be empty, signed (LED-03).

in    the batches whose money moved in the quarter, of a place and all beneath it
out   `differences`: nothing, unless something is wrong; totals of the three; a proof that is signed with what was found

Terms. The *bank's* line is the instruction as the bank answered it (credited on a day, with the bank's serial number), the
*roster's* line what was to be paid, with its dues; the *ledger* has one line a batch and answer, under the batch's number
([0029](docs/decisions)), so it is held against the sum of the lines of its batch. Everything is compared as it stands now; what
was on its way at the quarter's end is told apart. Law: S0 A4 art 10; S3 二(四)2.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch, fetch_one, temporary
from huimin.database.context import scope_of
from huimin.kernel.digests import digest
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.money import yuan
from huimin.kernel.periods import Period, add_months, quarter
from huimin.ledger.chart import IN_TRANSIT, RETURNING
from huimin.ledger.models import MonthClose, QuarterProof
from huimin.ledger.statements import movements
from huimin.organisation.acting import Actor, AlreadyDone, command, refused_by_constraint, require_place
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign
from huimin.payment.booked import agreements

SHOWN_MAX = 500

refused_by_constraint("quarter_proof_once", AlreadyDone, "这一季的核对结果已经签字", "请在核对记录中查看")


class NotClosedYet(Refusal):
    """The quarter is not over, or a month of it is not closed."""


@dataclass(frozen=True)
class Found:
    """One difference: of a batch (`line` None) or of a roster line."""

    division: str
    programme: str
    batch_no: str
    line: int | None
    name: str
    ledger_fen: int | None
    bank_fen: int | None
    roster_fen: int | None
    words: str


@dataclass(frozen=True)
class Proved:
    """What was compared, and what differs; `count` may exceed the rows shown."""

    period: Period
    batches: int
    lines: int
    ledger_fen: int
    bank_fen: int
    roster_fen: int
    in_transit_fen: int
    count: int
    differences: list[Found]


# Batches whose 在途发放 moved in the quarter, by the number on the ledger's lines; and those released in it.
_BATCHES = """
SELECT b.id, b.batch_no, b.division, b.programme, b.roster_id FROM payment_batch b
WHERE b.division >= %(low)s AND b.division < %(high)s
  AND (b.released_on >= %(start)s AND b.released_on < %(until)s OR b.batch_no IN (
        SELECT l.reference FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id
        JOIN ledger_ledgeraccount d ON d.id = l.debit_id JOIN ledger_ledgeraccount c ON c.id = l.credit_id
        WHERE v.division >= %(low)s AND v.division < %(high)s AND v.occurred_on >= %(start)s AND v.occurred_on < %(until)s
          AND '1003' IN (d.code, c.code)))
"""
# Each line the bank was told of, beside its roster line and what it was due: three amounts and three states.
_LINES = """
SELECT b.division, b.programme, b.batch_no, l.id AS line, l.name, i.amount_fen AS bank_fen, l.amount_fen AS roster_fen,
       CASE
         WHEN i.amount_fen <> l.amount_fen THEN '银行和清册的金额不同'
         WHEN i.state = 'paid' AND l.state <> 'paid' THEN '银行已入账，清册不是已发放'
         WHEN i.state = 'paid' AND (i.bank_serial = '' OR i.booked_on IS NULL) THEN '银行没有流水号或入账日期'
         WHEN i.state = 'returned' AND l.state NOT IN ('returned', 'replaced') THEN '银行已退回，清册不是已退汇'
         WHEN i.state IN ('sent', 'unknown') AND l.state NOT IN ('sent', 'unknown') THEN '银行还没有结果，清册已有'
         WHEN i.state = 'paid' AND d.fen IS DISTINCT FROM l.amount_fen THEN '应发与清册的金额不同'
         WHEN i.state = 'paid' AND d.unpaid > 0 THEN '应发不是已发'
       END AS words
FROM proof_batch b JOIN payment_instruction i ON i.batch_id = b.id AND i.state <> 'cancelled'
JOIN payment_rosterline l ON l.id = i.line_id
LEFT JOIN LATERAL (SELECT sum(CASE u.kind WHEN 'recovery' THEN -u.amount_fen ELSE u.amount_fen END) AS fen, count(*) FILTER (WHERE u.state <> 'paid') AS unpaid
                   FROM payment_linedue x JOIN payment_due u ON u.id = x.due_id
                   WHERE x.line_id = l.id AND x.live) d ON i.state = 'paid'
UNION ALL
SELECT b.division, b.programme, b.batch_no, l.id, l.name, NULL, l.amount_fen, '清册已发放，没有银行入账'
FROM proof_batch b JOIN payment_rosterline l ON l.roster_id = b.roster_id AND l.state = 'paid'
WHERE NOT EXISTS (SELECT 1 FROM payment_instruction i WHERE i.line_id = l.id AND i.state = 'paid')
"""
# Under a number no batch has, money left or came back that no roster knows of.
_STRAY = """
SELECT v.division, l.programme, l.reference, v.word || '字第 ' || v.number || ' 号', l.amount_fen
FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id
JOIN ledger_ledgeraccount d ON d.id = l.debit_id JOIN ledger_ledgeraccount c ON c.id = l.credit_id
WHERE v.division >= %(low)s AND v.division < %(high)s AND v.occurred_on >= %(start)s AND v.occurred_on < %(until)s
  AND '1003' IN (d.code, c.code) AND v.event NOT IN ('opening')
  AND NOT EXISTS (SELECT 1 FROM proof_batch b WHERE b.batch_no = l.reference)
ORDER BY v.id LIMIT 500
"""
_TOTALS = """
SELECT (SELECT count(*) FROM proof_batch)::int, count(*) FILTER (WHERE bank_fen IS NOT NULL)::int,
       (SELECT coalesce(sum(i.amount_fen), 0) FROM proof_batch b JOIN payment_instruction i
          ON i.batch_id = b.id AND i.state = 'paid')::bigint,
       (SELECT coalesce(sum(l.amount_fen), 0) FROM payment_rosterline l WHERE l.state = 'paid'
          AND l.id IN (SELECT line FROM proof_line))::bigint,
       count(*) FILTER (WHERE words IS NOT NULL)::int
FROM proof_line
"""


def prove_quarter(prefix: str, year: int, number: int) -> Proved:
    """Compare a quarter; inside a transaction (two temporary tables). Some eight queries, whatever the number of lines."""
    period = quarter(year, number)
    low, high = scope_of(prefix)
    where = {"low": low, "high": high, "start": period.start, "until": period.until}
    temporary("proof_batch", _BATCHES, where)
    temporary("proof_line", _LINES)
    batches, lines, bank, roster, wrong = fetch_one(_TOTALS)
    told = agreements([row[0] for row in fetch("SELECT batch_no FROM proof_batch")])
    places = {row[0]: row[1:] for row in fetch("SELECT batch_no, division, programme FROM proof_batch")}
    off = [each for each in told.values() if each.words]
    stray = fetch(_STRAY, where)
    rows = fetch(
        "SELECT division, programme, batch_no, line, name, NULL::bigint, bank_fen, roster_fen, words FROM proof_line"
        " WHERE words IS NOT NULL ORDER BY division, line LIMIT %s",
        [SHOWN_MAX],
    )
    found = [
        Found(*places[each.batch_no], each.batch_no, None, "", each.spent_fen, each.credited_fen, None, each.words)
        for each in off
    ]
    found += [
        Found(place, programme, reference, None, title, fen, None, None, "账上动过在途，没有这个批次")
        for place, programme, reference, title, fen in stray
    ]
    moved = movements(prefix, Period(add_months(period.until, -1), period.until))
    transit = sum(row.closing_fen for row in moved if row.code in (IN_TRANSIT.code, RETURNING.code))
    return Proved(
        period, batches, lines, sum(each.spent_fen for each in told.values()), bank, roster, transit,
        wrong + len(off) + len(stray), found + [Found(*row) for row in rows],
    )  # fmt: skip


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER)
def sign_quarter(
    *, by: Actor, on: date, division: str, prefix: str, year: int, number: int, note: str = ""
) -> QuarterProof:
    """Compare and sign what was found; differences are signed with a note that says what is done about them.

    NotClosedYet while the quarter runs or a month of its books is open. The same result again is AlreadyDone.
    """
    require_place(by, division)
    period = quarter(year, number)
    if on < period.until:
        raise NotClosedYet(f"{period}还没有结束", why=f"今天是 {on}", remedy="请在季后核对签字")
    _require_closed(prefix, period)
    proved = prove_quarter(prefix, year, number)
    note = " ".join(note.split())
    if proved.count and not 4 <= len(note) <= 300:
        raise BadInput(
            f"有 {proved.count} 处差异，没有写处理意见", where="处理意见", remedy="请写明差异的原因和怎样处理"
        )
    signed = digest_of(division, year, number, proved)
    signature = sign(
        by=by,
        on=on,
        act="三方核对",
        subject=f"proof:{division}:{year}Q{number}",
        content_digest=signed,
        division=division,
    )
    return QuarterProof.objects.create(
        division=division, year=year, quarter=number, batches_count=proved.batches, lines_count=proved.lines,
        ledger_fen=proved.ledger_fen, bank_fen=proved.bank_fen, roster_fen=proved.roster_fen,
        in_transit_fen=proved.in_transit_fen, differences_count=proved.count, note=note, digest=signed,
        signed_by=by.appointment, signed_on=on, signature=signature,
    )  # fmt: skip


def digest_of(division: str, year: int, number: int, proved: Proved) -> str:
    """Of what is signed; the same result has been signed where a proof bears it."""
    content = [
        division, year, number, proved.batches, proved.lines, proved.ledger_fen, proved.bank_fen, proved.roster_fen,
        proved.in_transit_fen, proved.count, [[each.batch_no, each.line, each.words] for each in proved.differences],
    ]  # fmt: skip
    return digest(content)


def _require_closed(prefix: str, period: Period) -> None:
    """Every place that has posted anything by the end of the quarter has closed its last month."""
    low, high = scope_of(prefix)
    last = add_months(period.until, -1)
    closed = MonthClose.objects.filter(division__gte=low, division__lt=high, month__gte=last).values_list(
        "division", flat=True
    )
    rows = fetch(
        "SELECT DISTINCT division FROM ledger_turnover WHERE division >= %s AND division < %s AND occurred_on < %s ORDER BY 1",
        [low, high, period.until],
    )
    if waiting := [place for (place,) in rows if place not in set(closed)]:
        raise NotClosedYet(
            f"还有 {len(waiting)} 套账没有结到 {last:%Y年%m月}", why=f"第一套是 {waiting[0]}", remedy="请先办理月末结账"
        )


def words_of(proved: Proved) -> str:
    """The result in one sentence."""
    if proved.count:
        return f"有 {proved.count:,} 处差异"
    return f"{proved.lines:,} 行逐笔一致，账、银行、清册都是 {yuan(proved.ledger_fen)} 元"
