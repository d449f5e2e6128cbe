"""年终结转 held against the books: a year that was carried over stands at zero, place by place (LED-02).

in    vouchers with subjects `year:place:year:number`
out   for the review of a month at one stroke: "" where nothing of the year's income and expenses is left, else what is. One query

Their business is the books themselves, so the ledger keeps them; registered with `sources` when the app is ready.
"""

from collections.abc import Sequence

from huimin.database.bulk import fetch
from huimin.ledger.chart import OF_THE_YEAR
from huimin.ledger.models import Voucher
from huimin.ledger.sources import Paper, keeps

LEFT = "结转以后又有那一年的收支，请再办一次年终结转"
_LEFT = """
SELECT DISTINCT place, year FROM (
    SELECT w.place, w.year FROM unnest(%(places)s::text[], %(years)s::int[]) AS w(place, year)
    JOIN ledger_ledgeraccount a ON a.division = w.place AND a.code = ANY(%(codes)s)
    JOIN ledger_turnover t ON t.account_id = a.id AND t.occurred_on < make_date(w.year + 1, 1, 1)
    GROUP BY w.place, w.year, a.id, t.programme HAVING sum(t.debit_fen - t.credit_fen) <> 0) AS x
"""


def check_carried(vouchers: Sequence[Voucher]) -> dict[int, str]:
    asked = sorted({_of(each) for each in vouchers})
    where = {
        "places": [place for place, _ in asked], "years": [year for _, year in asked],
        "codes": [account.code for account in OF_THE_YEAR],
    }  # fmt: skip
    left = {tuple(row) for row in fetch(_LEFT, where)}
    return {each.pk: LEFT if _of(each) in left else "" for each in vouchers}


def _of(voucher: Voucher) -> tuple[str, int]:
    return voucher.division, voucher.occurred_on.year


def papers_of_years(vouchers: Sequence[Voucher]) -> dict[int, list[Paper]]:
    return {each.pk: [] for each in vouchers}


def register() -> None:
    keeps("year", check_carried, papers_of_years)
