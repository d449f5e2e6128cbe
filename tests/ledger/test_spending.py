"""What was paid, by month, programme and place: what the ledger's own balances say (REP-03, LED-01)."""

from collections.abc import Callable
from datetime import date

from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.ledger.models import LedgerLine
from huimin.ledger.spending import by_month, spent_in, summed
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Instruction
from tests.workbench.people import client_of


def test_REP_03_bars_of_money_are_what_the_bank_booked(county: Callable[[str], str]) -> None:
    """Sums by month, programme and place agree; pages of county, department and township show their own."""
    county("closed")
    office = county_officer()
    with reading(office):
        rows = spent_in(office.prefix, 2021)
        paid = sum(Instruction.objects.filter(state="paid").values_list("amount_fen", flat=True))
        lines = LedgerLine.objects.filter(voucher__event="paid", debit__code="5001")
        assert sum(lines.values_list("amount_fen", flat=True)) == paid
        one = spent_in(townships()[0][:9], 2021, "grain-one-off")
        assert spent_in(office.prefix, 2019) == []
    assert sum(row.amount_fen for row in rows) == paid > 0
    assert {row.division for row in one} == {townships()[0]} and {row.programme for row in one} == {"grain-one-off"}
    for key in (lambda row: row.programme, lambda row: row.division):
        assert sum(bar.amount_fen for bar in summed(rows, key)) == paid
    months = by_month(rows, 2021)
    assert len(months) == 12 and sum(amount for _, amount in months) == paid and months[0] == (date(2021, 1, 1), 0)
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    page = client.get("/paid/").content.decode()
    assert "按乡镇" in page and "<svg" in page and f"{paid / 100:,.2f}" in page
    assert "今年发放" in client.get("/").content.decode()
    mine = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE).get("/paid/?year=2021").content.decode()
    assert "水库" not in mine.split("</form>")[-1]
    assert "还没有发放" in client.get("/paid/?year=2020").content.decode()
    assert client.get(f"/paid/?place={townships()[0]}&programme=grain-one-off").status_code == 200
