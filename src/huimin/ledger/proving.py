"""The books proved from their lines: debits and credits added up apart, and held against what the database keeps (LED-01).

in    a place, or a prefix of places, and for a close the month
out   `TrialBalance` from the lines alone; differences, of which there are none unless somebody changed rows behind the
      triggers

Statements read turnovers and stored balances (statements); here is the slow route that proves them: a close takes it
for its month, an auditor for as many years as he likes.
"""

from dataclasses import dataclass
from datetime import date

from huimin.database.bulk import fetch
from huimin.kernel.money import yuan
from huimin.kernel.periods import add_months
from huimin.ledger.chart import ACCOUNTS
from huimin.ledger.models import MonthClose


@dataclass(frozen=True)
class BookDifference:
    """What does not add up, in words."""

    division: str
    words: str


# Lines joined to the accounts of their own place: one that points into other books leaves its side empty.
_LINES = """
SELECT a.code, x.programme, x.occurred_on, sum(x.debit)::bigint, sum(x.credit)::bigint
FROM (SELECT debit_id AS account, programme, occurred_on, amount_fen AS debit, 0 AS credit
        FROM ledger_ledgerline WHERE division = %(place)s AND occurred_on >= %(since)s AND occurred_on < %(until)s
      UNION ALL
      SELECT credit_id, programme, occurred_on, 0, amount_fen
        FROM ledger_ledgerline WHERE division = %(place)s AND occurred_on >= %(since)s AND occurred_on < %(until)s) AS x
JOIN ledger_ledgeraccount a ON a.id = x.account AND a.division = %(place)s
GROUP BY 1, 2, 3
"""
_TURNOVERS = """
SELECT a.code, t.programme, t.occurred_on, t.debit_fen, t.credit_fen
FROM ledger_turnover t JOIN ledger_ledgeraccount a ON a.id = t.account_id
WHERE t.division = %(place)s AND t.occurred_on >= %(since)s AND t.occurred_on < %(until)s
"""


def differences_of(place: str, month: date) -> list[BookDifference]:
    """What is wrong with a place's books since its last close up to the end of `month`: nothing, as a rule. Three queries."""
    last = (
        MonthClose.objects.filter(division=place, month__lt=month)
        .order_by("-month")
        .values_list("month", flat=True)
        .first()
    )
    where = {"place": place, "since": add_months(last, 1) if last else date(1, 1, 1), "until": add_months(month, 1)}
    lines = {tuple(row[:3]): (row[3], row[4]) for row in fetch(_LINES, where)}
    kept = {tuple(row[:3]): (row[3], row[4]) for row in fetch(_TURNOVERS, where)}
    found = [
        BookDifference(
            place,
            f"{ACCOUNTS[code].name} {day:%Y年%m月%d日}分录借 {yuan(d)}、贷 {yuan(c)}，账簿记 {yuan(kd)}、{yuan(kc)}",
        )
        for code, programme, day in sorted(lines.keys() | kept.keys())
        for (d, c), (kd, kc) in [(lines.get((code, programme, day), (0, 0)), kept.get((code, programme, day), (0, 0)))]
        if (d, c) != (kd, kc) and any((d, c, kd, kc))
    ]
    debit, credit = sum(row[0] for row in lines.values()), sum(row[1] for row in lines.values())
    if debit != credit:
        found.append(BookDifference(place, f"借方合计 {yuan(debit)}，贷方合计 {yuan(credit)}"))
    return found
