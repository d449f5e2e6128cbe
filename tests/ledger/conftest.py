"""Books of two townships with two programmes, and a business whose subjects vouchers name."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from huimin.ledger import sources
from huimin.ledger.models import Voucher
from huimin.organisation.acting import Actor
from huimin.organisation.posts import Post
from huimin.policy.models import Programme
from tests.ledger.test_ledger import open_books
from tests.notices.people import COUNTY, MEISHAN, QINGSHAN, People


@pytest.fixture
def people(county: Callable[[str], str]) -> People:
    county("blank")
    made = People()
    for code in ("dibao", "grain"):
        Programme.objects.using("maintenance").create(
            code=code, division=COUNTY, name=code, abbreviation=code, department="civil_affairs", unit="household",
            period="month", payout="quarter", payee="household", basis="演示",
        )  # fmt: skip
    open_books(by=made.of("finance", Post.FINANCE_OFFICER), divisions=[MEISHAN, QINGSHAN])
    return made


@pytest.fixture
def finance(people: People) -> Actor:
    return people.of("finance", Post.FINANCE_OFFICER)


@pytest.fixture
def accountant(people: People) -> Actor:
    return people.of("finance", Post.ACCOUNTANT)


@pytest.fixture
def business() -> Iterator[dict[int, str]]:
    """Subjects `a:…` agree with their business, but for those named here."""
    wrong: dict[int, str] = {}

    def check(vouchers: Sequence[Voucher]) -> dict[int, str]:
        return {each.pk: wrong.get(sources.number_of(each.subject), "") for each in vouchers}

    sources.keeps("a", check, lambda vouchers: {each.pk: [sources.Paper("单据", each.subject)] for each in vouchers})
    yield wrong
    del sources._SOURCES["a"]
