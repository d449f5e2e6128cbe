"""What reached people's accounts, by month, programme and place, from the books (REP-03, LED-01).

in    a prefix of places, a year; inside `reading(by)`
out   `Spent` rows; amounts are whole 分, returns after payment and red vouchers taken off, 年终结转 left out
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from huimin.database.bulk import fetch
from huimin.database.context import scope_of
from huimin.ledger.chart import SPENT


class Spent(NamedTuple):
    """What one place spent on one programme in one month."""

    division: str
    month: date
    programme: str
    amount_fen: int


_SPENT = """
SELECT v.division, v.month, l.programme,
       sum(CASE WHEN a.id = l.debit_id THEN l.amount_fen ELSE -l.amount_fen END)::bigint
  FROM ledger_ledgeraccount a
  JOIN ledger_ledgerline l ON a.id IN (l.debit_id, l.credit_id)
  JOIN ledger_voucher v ON v.id = l.voucher_id
 WHERE a.code = %(code)s AND a.division >= %(low)s AND a.division < %(high)s AND v.event <> 'carried_over'
   AND v.month >= %(start)s AND v.month < %(until)s AND (%(programme)s = '' OR l.programme = %(programme)s)
 GROUP BY 1, 2, 3
"""


def spent_in(prefix: str, year: int, programme: str = "") -> list[Spent]:
    """One query; as many rows as places, months and programmes that moved."""
    low, high = scope_of(prefix)
    where = {
        "code": SPENT.code, "low": low, "high": high, "start": date(year, 1, 1), "until": date(year + 1, 1, 1), "programme": programme,
    }  # fmt: skip
    return [Spent(*row) for row in fetch(_SPENT, where)]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: what it is, how much."""

    key: str
    amount_fen: int


def summed(rows: list[Spent], key: Callable[[Spent], str]) -> list[Bar]:
    """The largest first."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[key(row)] += row.amount_fen
    return sorted((Bar(*each) for each in sums.items()), key=lambda bar: (-bar.amount_fen, bar.key))


def by_month(rows: list[Spent], year: int) -> list[tuple[date, int]]:
    """Twelve months, those without payments too."""
    sums: dict[date, int] = defaultdict(int)
    for row in rows:
        sums[row.month] += row.amount_fen
    return [(date(year, month, 1), sums[date(year, month, 1)]) for month in range(1, 13)]
