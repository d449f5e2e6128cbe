"""Statements of the books by level and period, from turnovers by day and balances of closed months (LED-02).

in    a prefix of places (one township's books, or a county's with all its townships'), a period of whole months
out   rows for 科目余额表, 总账, 资产负债表, 收支表, 项目明细表; amounts are whole 分

Opening balances come from the last closed month and the turnovers since, so no page adds up years of lines. Signed
amounts are debits less credits; `on_its_side` turns them to the side on which an account grows. That turnovers are
the sums of the lines is proved at every close (proving). Inside `reading(by)` or a command.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.kernel.periods import Period
from huimin.ledger.chart import (
    ACCOUNTS,
    CARRIED,
    CHART,
    DEPOSIT,
    FUNDS,
    IN_TRANSIT,
    ISSUED,
    RECEIVABLE,
    RETURNING,
    SPENT,
    WRITTEN_OFF,
)
from huimin.ledger.models import LedgerAccount

Kind = LedgerAccount.Kind


class Movement(NamedTuple):
    """One account of one place under one programme: before, within, and in the year up to the end of a period."""

    division: str
    code: str
    programme: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    year_debit_fen: int
    year_credit_fen: int

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.debit_fen - self.credit_fen


_MOVEMENTS = """
WITH books AS (
    SELECT a.id, a.division, a.code,
           (SELECT max(c.month) FROM ledger_monthclose c WHERE c.division = a.division AND c.month < %(start)s) AS closed
    FROM ledger_ledgeraccount a
    WHERE a.division >= %(low)s AND a.division < %(high)s AND (%(code)s = '' OR a.code = %(code)s)
), parts AS (
    SELECT b.division, b.code, m.programme, m.balance_fen AS opening, 0::bigint AS debit, 0::bigint AS credit,
           0::bigint AS year_debit, 0::bigint AS year_credit
    FROM books b JOIN ledger_monthbalance m ON m.account_id = b.id AND m.month = b.closed
    UNION ALL
    SELECT b.division, b.code, t.programme,
           CASE WHEN t.occurred_on < %(start)s AND t.occurred_on >= coalesce(b.closed + interval '1 month', '-infinity')
                THEN t.debit_fen - t.credit_fen ELSE 0 END,
           CASE WHEN t.occurred_on >= %(start)s THEN t.debit_fen ELSE 0 END,
           CASE WHEN t.occurred_on >= %(start)s THEN t.credit_fen ELSE 0 END,
           CASE WHEN t.occurred_on >= %(year)s THEN t.debit_fen ELSE 0 END,
           CASE WHEN t.occurred_on >= %(year)s THEN t.credit_fen ELSE 0 END
    FROM books b JOIN ledger_turnover t ON t.account_id = b.id AND t.occurred_on < %(until)s
         AND t.occurred_on >= least(%(year)s::date, coalesce((b.closed + interval '1 month')::date, '-infinity'::date))
)
SELECT division, code, programme, sum(opening)::bigint, sum(debit)::bigint, sum(credit)::bigint,
       sum(year_debit)::bigint, sum(year_credit)::bigint
FROM parts WHERE %(programme)s = '' OR programme = %(programme)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


# 年终结转 of the year, taken back: what came in and was spent, as if it had not been carried over.
_CARRIED = """
SELECT v.division, a.code, l.programme, 0::bigint,
       -sum(CASE WHEN a.id = l.debit_id AND v.occurred_on >= %(start)s THEN l.amount_fen ELSE 0 END)::bigint,
       -sum(CASE WHEN a.id = l.credit_id AND v.occurred_on >= %(start)s THEN l.amount_fen ELSE 0 END)::bigint,
       -sum(CASE WHEN a.id = l.debit_id THEN l.amount_fen ELSE 0 END)::bigint,
       -sum(CASE WHEN a.id = l.credit_id THEN l.amount_fen ELSE 0 END)::bigint
FROM ledger_voucher v JOIN ledger_ledgerline l ON l.voucher_id = v.id
JOIN ledger_ledgeraccount a ON a.id IN (l.debit_id, l.credit_id)
WHERE v.event = 'carried_over' AND v.division >= %(low)s AND v.division < %(high)s
  AND v.occurred_on >= %(year)s AND v.occurred_on < %(until)s
  AND (%(programme)s = '' OR l.programme = %(programme)s) AND (%(code)s = '' OR a.code = %(code)s)
GROUP BY 1, 2, 3
"""


def movements(
    prefix: str, period: Period, *, programme: str = "", code: str = "", carried: bool = True
) -> list[Movement]:
    """Everything the statements are made of: a row a place, account and programme that ever moved; one query.

    With `carried` False the 年终结转 of the year is taken back by rows of its own (a second query).
    """
    low, high = scope_of(prefix)
    where = {
        "low": low, "high": high, "start": period.start, "until": period.until, "programme": programme, "code": code,
        "year": date(period.last_day.year, 1, 1),
    }  # fmt: skip
    rows = fetch(_MOVEMENTS, where) + ([] if carried else fetch(_CARRIED, where))
    return [Movement(*row) for row in rows]


def on_its_side(code: str, signed_fen: int) -> int:
    """An amount of debits less credits, on the side the account grows."""
    return signed_fen if ACCOUNTS[code].grows_by_debit else -signed_fen


@dataclass(frozen=True)
class BalanceRow:
    """A row of 科目余额表; balances on the side the account grows."""

    key: str
    name: str
    code: str
    opening_fen: int
    debit_fen: int
    credit_fen: int
    year_debit_fen: int
    year_credit_fen: int
    closing_fen: int


def balance_rows(rows: Iterable[Movement]) -> list[BalanceRow]:
    """By account, over all places and programmes of `rows`; every account of the chart has its row."""
    sums = _summed(rows, lambda row: row.code)
    return [_balance_row(each.code, each.name, each.code, sums[each.code]) for each in CHART]


def balance_rows_by(rows: Iterable[Movement], key: Callable[[Movement], str]) -> list[BalanceRow]:
    """Of one account, by place or programme; `rows` are of that account."""
    rows = list(rows)
    codes = {row.code for row in rows}
    assert len(codes) <= 1, "rows of one account"
    sums = _summed(rows, key)
    return [_balance_row(each, each, *codes, values) for each, values in sorted(sums.items())]


def _summed(rows: Iterable[Movement], key: Callable[[Movement], str]) -> dict[str, list[int]]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for row in rows:
        kept = sums[key(row)]
        for at, value in enumerate(row[3:8]):
            kept[at] += value
    return sums


def _balance_row(key: str, name: str, code: str, sums: list[int]) -> BalanceRow:
    opening, debit, credit, year_debit, year_credit = sums
    closing = opening + debit - credit
    return BalanceRow(
        key, name, code, on_its_side(code, opening), debit, credit, year_debit, year_credit, on_its_side(code, closing)
    )


@dataclass(frozen=True)
class Difference:
    """Debits less credits over all accounts: zero at every moment."""

    opening_fen: int
    turnover_fen: int
    closing_fen: int

    @property
    def is_zero(self) -> bool:
        return not (self.opening_fen or self.turnover_fen or self.closing_fen)


def difference_of(rows: Iterable[Movement]) -> Difference:
    opening = turnover = 0
    for row in rows:
        opening += row.opening_fen
        turnover += row.debit_fen - row.credit_fen
    return Difference(opening, turnover, opening + turnover)


class Line(NamedTuple):
    """A line of a statement: its label, amounts at the beginning and end (or of the period and the year), how it is set."""

    label: str
    first_fen: int
    second_fen: int
    code: str = ""
    total: bool = False


def balance_sheet(rows: Iterable[Movement]) -> tuple[list[Line], list[Line]]:
    """资产负债表 at the end of the period, with the beginning of the year beside: assets; liabilities and net assets.

    Income and expenses of the year that were not carried over yet stand as 本年收支差额, so both sides are equal.
    """
    at_end: dict[str, int] = defaultdict(int)
    at_start: dict[str, int] = defaultdict(int)
    for row in rows:
        at_end[row.code] += row.closing_fen
        at_start[row.code] += row.closing_fen - row.year_debit_fen + row.year_credit_fen
    assets = _side(at_start, at_end, Kind.ASSET, "资产总计")
    others = [each for each in CHART if each.kind == Kind.LIABILITY]
    carried = [Line(each.name, -at_start[each.code], -at_end[each.code], each.code) for each in [*others, CARRIED]]
    of_year = [each.code for each in CHART if each.closes_into]
    carried.append(Line("本年收支差额", -sum(at_start[c] for c in of_year), -sum(at_end[c] for c in of_year)))
    return assets, [*carried, _total("负债和净资产总计", carried)]


def _side(at_start: dict[str, int], at_end: dict[str, int], kind: str, total: str) -> list[Line]:
    lines = [Line(each.name, at_start[each.code], at_end[each.code], each.code) for each in CHART if each.kind == kind]
    return [*lines, _total(total, lines)]


def receipts_and_payments(rows: Iterable[Movement]) -> list[Line]:
    """收支表 of the period, with the year so far beside; `rows` without 年终结转, so that December shows its year.

    Over several places, what a county issued to its townships is their income and no expense: it is set off.
    """
    moved: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    places = set()
    for row in rows:
        places.add(row.division)
        moved[row.code][0] += row.debit_fen - row.credit_fen
        moved[row.code][1] += row.year_debit_fen - row.year_credit_fen
    issued = moved[ISSUED.code] if len(places) > 1 else [0, 0]
    income = [Line("拨入专款", -moved[FUNDS.code][0], -moved[FUNDS.code][1], FUNDS.code)]
    spent = [Line(each.name, *moved[each.code], each.code) for each in (SPENT, ISSUED, WRITTEN_OFF)]
    if any(issued):
        income.append(Line("减：县级拨给乡镇（汇总抵销）", -issued[0], -issued[1]))
        spent.append(Line("减：县级拨给乡镇（汇总抵销）", -issued[0], -issued[1]))
    came, went = _total("收入合计", income), _total("支出合计", spent)
    left = Line("收支差额", came.first_fen - went.first_fen, came.second_fen - went.second_fen, total=True)
    return [*income, came, *spent, went, left]


def _total(label: str, lines: list[Line]) -> Line:
    return Line(label, sum(x.first_fen for x in lines), sum(x.second_fen for x in lines), total=True)


class ProgrammeRow(NamedTuple):
    """A row of 项目明细表: one programme (of one place, or over places) in a period."""

    division: str
    programme: str
    opening_fen: int
    received_fen: int
    spent_fen: int
    other_fen: int
    closing_fen: int
    deposit_fen: int
    transit_fen: int
    receivable_fen: int


_FUNDED = (FUNDS.code, CARRIED.code)


def programme_rows(rows: Iterable[Movement], *, by_place: bool) -> list[ProgrammeRow]:
    """What each programme had, got, spent and has: opening + received − spent + other = closing, of net assets.

    `rows` without 年终结转. `other` is what neither came from above nor was paid to anybody: issued below, written off, between programmes.
    """
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        kept = sums[row.division if by_place else "", row.programme]
        net = ACCOUNTS[row.code].kind in (Kind.FUND, Kind.EXPENSE)
        kept["opening"] -= row.opening_fen if net else 0
        kept["closing"] -= row.closing_fen if net else 0
        kept[row.code] += row.credit_fen - row.debit_fen
        kept[f"at {row.code}"] += row.closing_fen
    return [_programme_row(*key, kept) for key, kept in sorted(sums.items())]


def _programme_row(division: str, programme: str, kept: dict[str, int]) -> ProgrammeRow:
    received, spent = kept[FUNDS.code], -kept[SPENT.code]
    return ProgrammeRow(
        division, programme, kept["opening"], received, spent, kept["closing"] - kept["opening"] - received + spent,
        kept["closing"], kept[f"at {DEPOSIT.code}"], kept[f"at {IN_TRANSIT.code}"] + kept[f"at {RETURNING.code}"],
        kept[f"at {RECEIVABLE.code}"],
    )  # fmt: skip


class MonthRow(NamedTuple):
    """A month of 总账: turnover, and the signed balance at its end."""

    month: date
    debit_fen: int
    credit_fen: int
    year_debit_fen: int
    year_credit_fen: int
    closing_fen: int


def general_ledger(prefix: str, code: str, period: Period, *, programme: str = "") -> tuple[int, list[MonthRow]]:
    """总账 of an account: the opening balance and each month of the period, in two queries."""
    [opening] = [sum(row.opening_fen for row in movements(prefix, period, programme=programme, code=code))]
    low, high = scope_of(prefix)
    found = fetch(
        "SELECT date_trunc('month', t.occurred_on)::date, sum(t.debit_fen)::bigint, sum(t.credit_fen)::bigint"
        " FROM ledger_turnover t JOIN ledger_ledgeraccount a ON a.id = t.account_id"
        " WHERE a.division >= %(low)s AND a.division < %(high)s AND a.code = %(code)s"
        " AND t.occurred_on >= %(year)s AND t.occurred_on < %(until)s"
        " AND (%(programme)s = '' OR t.programme = %(programme)s) GROUP BY 1",
        {
            "low": low, "high": high, "code": code, "year": date(period.start.year, 1, 1), "until": period.until,
            "programme": programme,
        },
    )  # fmt: skip
    moved = {month: (debit, credit) for month, debit, credit in found}
    return opening, _months(opening, period, moved)


def _months(opening: int, period: Period, moved: dict[date, tuple[int, int]]) -> list[MonthRow]:
    rows, balance, of_year = [], opening, [0, 0]
    for month, (debit, credit) in sorted(moved.items()):
        if month < period.start:
            of_year = [of_year[0] + debit, of_year[1] + credit]
    for each in period.split("month"):
        debit, credit = moved.get(each.start, (0, 0))
        if each.start.month == 1:
            of_year = [0, 0]
        of_year = [of_year[0] + debit, of_year[1] + credit]
        balance += debit - credit
        rows.append(MonthRow(each.start, debit, credit, *of_year, balance))
    return rows
