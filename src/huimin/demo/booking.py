"""After the quarter: the accountant reviews the vouchers, closes the months with the bank's own balances, proves the quarter.

The balances typed at the close are what the bank's program says of its accounts, so that bank and books are told by
two programs and must agree. Statements and vouchers are written with the other papers (demo.papers).
"""

from datetime import date

from django.test import RequestFactory

from huimin.database.bulk import fetch_one
from huimin.database.personal import ACCOUNT, plain
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.bank import books
from huimin.demo.clock import business_day
from huimin.demo.quarter import County, Figures
from huimin.funds.models import SpecialAccount
from huimin.kernel.periods import add_months
from huimin.ledger.closing import Statement, close_months
from huimin.ledger.models import MonthClose, QuarterProof
from huimin.ledger.reviewing import review_month
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.quarter_proof import sign_quarter
from huimin.workbench.views import book_statements, ledger, vouchers

LAST = add_months(dates.QUARTER.until, -1)


def accountant() -> Actor:
    return actor(Post.ACCOUNTANT, OfficeKind.FINANCE)


def book(county: County) -> Figures:
    """Vouchers of the quarter reviewed by who did not make them, its months closed, the three compared and signed."""
    business_day(dates.BOOKED)
    by, on = accountant(), dates.BOOKED
    for month in dates.QUARTER.split("month"):
        left = review_month(by=by, on=on, prefix=by.prefix, month=month.start).left
        assert not left, f"{left[0][0].title}: {left[0][1]}"
    if open_ := _balances_at_the_bank(county, by):
        close_months(by=by, on=on, month=LAST, statements=open_)
    with reading(by):
        signed = QuarterProof.objects.filter(year=2021, quarter=3).exists()
    if not signed:
        sign_quarter(by=by, on=on, division=by.division, prefix=by.prefix, year=2021, number=3)
    with reading(by):
        reviewed, closes, differences = fetch_one(
            "SELECT (SELECT count(*) FROM ledger_voucherreview)::int, (SELECT count(*) FROM ledger_monthclose)::int,"
            " (SELECT sum(differences_count) FROM ledger_quarterproof)::int"
        )
    return {"vouchers_reviewed": reviewed, "months_closed": closes, "proof_differences": differences}


def _balances_at_the_bank(county: County, by: Actor) -> list[Statement]:
    """What the bank holds for each place whose last month is still open."""
    held = {each["account"]: each["balance_fen"] for each in books(county)["special_accounts"]}
    with reading(by):
        closed = set(MonthClose.objects.filter(month=LAST).values_list("division", flat=True))
        accounts = SpecialAccount.objects.filter(kind=SpecialAccount.Kind.SPECIAL).exclude(division__in=closed)
        return [Statement(each.division, held[plain(each.account_enc, ACCOUNT)]) for each in accounts]


def papers_of(by: Actor, on: date, township: str) -> dict[str, bytes]:
    """Statements of the county for the quarter, and one township's vouchers: the pages' own workbooks and papers."""
    quarter = {"since": f"{dates.QUARTER.start:%Y-%m}", "until": f"{LAST:%Y-%m}"}
    wanted = (
        ("科目余额表.xlsx", ledger.balance, quarter | {"export": "xlsx"}),
        ("收支表.xlsx", book_statements.income, quarter | {"export": "xlsx"}),
        ("项目明细表.xlsx", book_statements.programmes, quarter | {"export": "xlsx", "by": "place"}),
        ("资产负债表.pdf", book_statements.sheet, quarter | {"print": "pdf"}),
        ("记账凭证.pdf", vouchers.month_paper, {"month": f"{LAST:%Y-%m}", "place": township}),
    )
    found = {}
    for name, view, asked in wanted:
        request = RequestFactory().get("/ledger/", asked)
        request.actor, request.business_date = by, on  # type: ignore[attr-defined]
        answer = view(request)
        found[name] = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return found
