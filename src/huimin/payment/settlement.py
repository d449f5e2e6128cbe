"""Settlement with the upper finance, each quarter and year: received, spent, given back and left, by document (FUND-04).

in    applications that were transferred, receipts of what went back, the books (专款支出 by batch, net of what came back)
out   rows by programme and document, from the beginning of the year; a settlement two people sign over the same figures

What was spent is read from the books and not from the bank's files: the books agree with both, line for line, by the
proof of the quarter (quarter_proof). Three queries. Law: S0 A4 art 10.
"""

from dataclasses import astuple, dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.funds.models import FundSettlement
from huimin.kernel.digests import digest
from huimin.kernel.errors import Refusal
from huimin.kernel.periods import Period, add_months
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    refused_by_constraint,
    require_another,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.organisation.signing import sign

refused_by_constraint("fund_settlement_once", AlreadyDone, "同样的结算单已经编制过", "请在结算单中查看")


class NotOver(Refusal):
    """The quarter or year still runs."""


class SettlementChanged(Refusal):
    """The figures are no longer what was prepared."""


class NoSuchSettlement(Refusal):
    """None of this number waits in the actor's place."""


@dataclass(frozen=True)
class Row:
    """One document: what the indicator is, what was transferred, spent, given back in the period and since the year began."""

    allotment: int
    programme: str
    document_no: str
    indicator_fen: int
    opening_fen: int
    received_fen: int
    spent_fen: int
    returned_fen: int
    received_year_fen: int
    spent_year_fen: int
    returned_year_fen: int
    left_fen: int

    @property
    def lying_fen(self) -> int:
        """In special accounts, or on its way to people: received and neither spent nor given back."""
        return self.opening_fen + self.received_year_fen - self.spent_year_fen - self.returned_year_fen


# Each application's money by day: transferred, spent (under its batches' numbers; in a later year off what was carried over), given back.
_ROWS = """
WITH mine AS (
    SELECT f.id, f.allotment_id, f.amount_fen, f.transferred_on FROM funds_fundingapplication f
    WHERE f.division >= %(low)s AND f.division < %(high)s AND f.state = 'transferred' AND f.transferred_on < %(until)s
), moved AS (
    SELECT allotment_id, transferred_on AS day, amount_fen AS received, 0::bigint AS spent, 0::bigint AS returned FROM mine
    UNION ALL
    SELECT m.allotment_id, l.occurred_on, 0,
           CASE WHEN d.code = '5001' THEN l.amount_fen ELSE -l.amount_fen END, 0
    FROM mine m JOIN payment_roster r ON r.application_id = m.id JOIN payment_batch b ON b.roster_id = r.id
    JOIN ledger_ledgerline l ON l.reference = b.batch_no AND l.division = b.division
    JOIN ledger_voucher w ON w.id = l.voucher_id
    JOIN ledger_ledgeraccount d ON d.id = l.debit_id JOIN ledger_ledgeraccount c ON c.id = l.credit_id
    WHERE '5001' IN (d.code, c.code) OR w.event = 'paid_back'
    UNION ALL
    SELECT m.allotment_id, x.booked_on, 0, 0, x.amount_fen
    FROM mine m JOIN funds_moneymove x ON x.application_id = m.id AND x.state = 'confirmed'
)
SELECT a.id, a.programme, a.document_no, a.amount_fen - a.cut_fen - a.issued_fen,
       coalesce(sum(v.received - v.spent - v.returned) FILTER (WHERE v.day < %(year)s), 0)::bigint,
       coalesce(sum(v.received) FILTER (WHERE v.day >= %(start)s), 0)::bigint,
       coalesce(sum(v.spent) FILTER (WHERE v.day >= %(start)s), 0)::bigint,
       coalesce(sum(v.returned) FILTER (WHERE v.day >= %(start)s), 0)::bigint,
       coalesce(sum(v.received) FILTER (WHERE v.day >= %(year)s), 0)::bigint,
       coalesce(sum(v.spent) FILTER (WHERE v.day >= %(year)s), 0)::bigint,
       coalesce(sum(v.returned) FILTER (WHERE v.day >= %(year)s), 0)::bigint,
       a.amount_fen - a.cut_fen - a.issued_fen - a.carried_fen - a.spent_fen - a.reserved_fen
FROM moved v JOIN funds_allotment a ON a.id = v.allotment_id
WHERE v.day < %(until)s
GROUP BY a.id
HAVING bool_or(v.day >= %(year)s) OR sum(v.received - v.spent - v.returned) <> 0
ORDER BY a.programme, a.document_no, a.id
"""


def period_of(year: int, number: int) -> Period:
    """A quarter, or with 0 the whole year."""
    if number == 0:
        return Period(date(year, 1, 1), date(year + 1, 1, 1))
    start = date(year, 3 * number - 2, 1)
    return Period(start, add_months(start, 3))


def settle_rows(prefix: str, year: int, number: int) -> list[Row]:
    """As the books stand now; inside `reading(by)` or a command."""
    low, high = scope_of(prefix)
    period = period_of(year, number)
    where = {"low": low, "high": high, "start": period.start, "until": period.until, "year": date(year, 1, 1)}
    return [Row(*row) for row in fetch(_ROWS, where)]


@command(Post.FINANCE_OFFICER, Post.ACCOUNTANT)
def prepare_settlement(*, by: Actor, on: date, year: int, number: int) -> FundSettlement:
    """Freeze and sign the settlement of the actor's place; the same figures again are AlreadyDone."""
    period = period_of(year, number)
    require_place(by, by.division)
    if on < period.until:
        raise NotOver(f"{period}还没有结束", why=f"今天是 {on}", remedy="请在季后、年后办理")
    rows = settle_rows(by.prefix, year, number)
    if not rows:
        raise NotOver(f"{period}没有拨付、支出或缴回", remedy="请核对季度")
    content = [list(astuple(row)) for row in rows]
    signed = digest([by.division, year, number, content])
    signature = sign(by=by, on=on, act="编制结算单", subject=f"settlement:{year}Q{number}", content_digest=signed)
    opening, received, spent, returned = (
        sum(getattr(row, name) for row in rows)
        for name in ("opening_fen", "received_year_fen", "spent_year_fen", "returned_year_fen")
    )
    return FundSettlement.objects.create(
        division=by.division, year=year, quarter=number, rows=content, opening_fen=opening, received_fen=received,
        spent_fen=spent, returned_fen=returned, lying_fen=opening + received - spent - returned, digest=signed, prepared_by=by.appointment,
        prepared_on=on, signature=signature,
    )  # fmt: skip


@command(Post.FINANCE_RELEASER)
def confirm_settlement(*, by: Actor, on: date, number: int) -> FundSettlement:
    """Sign what another person prepared, over figures counted anew; SettlementChanged where they differ."""
    row = FundSettlement.objects.select_for_update(of=("self",)).filter(pk=number, confirmed_by=None).first()
    if row is None:
        raise NoSuchSettlement("没有等待复核的这份结算单", remedy="请刷新后查看")
    require_place(by, row.division)
    require_another(by, row.prepared_by, "编制结算单")
    content = [list(astuple(each)) for each in settle_rows(by.prefix, row.year, row.quarter)]
    if digest([row.division, row.year, row.quarter, content]) != row.digest:
        raise SettlementChanged(
            "账上的数字和编制时不同", why="编制以后又有拨付、支出或缴回", remedy="请经办重新编制，再复核"
        )
    row.confirmation = sign(
        by=by, on=on, act="复核结算单", subject=f"settlement:{row.year}Q{row.quarter}", content_digest=row.digest
    )
    row.confirmed_by, row.confirmed_on = by.appointment, on
    row.save(update_fields=["confirmed_by", "confirmed_on", "confirmation"])
    return row


def rows_of(settlement: FundSettlement) -> list[Row]:
    return [Row(*each) for each in settlement.rows]


def last_settlement(division: str, year: int, number: int) -> FundSettlement | None:
    """The latest that was signed of a place's period."""
    rows = FundSettlement.objects.filter(division=division, year=year, quarter=number)
    return rows.select_related("signature", "confirmation").order_by("-id").first()


def list_settlements() -> list[FundSettlement]:
    """Those that are seen, the latest first."""
    return list(FundSettlement.objects.order_by("-year", "-quarter", "-id")[:200])
