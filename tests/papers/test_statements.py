"""明白卡 of a village: every household, every programme and amount, to the cent, and nobody else's (PAY-07, SEC-03, SEC-04)."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from huimin.audit.models import Event
from huimin.database.bulk import fetch, run
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.divisions.queries import NoSuchDivision
from huimin.kernel.money import in_words, yuan
from huimin.kernel.periods import quarter
from huimin.organisation.acting import Actor, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.papers import statements_pdf
from huimin.payment.papers.statements import NothingToPrint, gather_statements
from huimin.registry.models import Household
from tests.papers.conftest import joined, texts

County = Callable[[str], str]

_BUSIEST = """
SELECT left(division, 12) FROM payment_rosterline GROUP BY 1 ORDER BY count(DISTINCT programme) DESC, count(*) DESC, 1
"""
# What each household is owed and was paid, asked another way: from dues and instructions alone.
_BOOKS = """
SELECT h.household_no, sum(d.amount_fen) FILTER (WHERE d.state <> 'withdrawn')::bigint,
       coalesce(sum(d.amount_fen) FILTER (WHERE EXISTS (
           SELECT 1 FROM payment_linedue x JOIN payment_instruction i ON i.line_id = x.line_id
           WHERE x.due_id = d.id AND i.state = 'paid')), 0)::bigint
FROM registry_household h JOIN casework_entitlement e ON e.household_id = h.id
JOIN payment_due d ON d.entitlement_id = e.id
WHERE h.division LIKE %s GROUP BY 1
"""


def busiest(by: Actor, number: int = 0) -> str:
    """A village with most programmes on rosters."""
    with reading(by):
        return str(fetch(_BUSIEST)[number][0])


def test_every_household_has_its_page_with_what_it_is_owed_and_was_paid(officer: Actor) -> None:
    """PAY-07: totals and 大写 of each card equal the books, asked another way."""
    village = busiest(officer)
    content, _ = gather_statements(by=officer, division=village, period=dates.QUARTER)
    with reading(officer):
        owed = {number: (due, paid) for number, due, paid in fetch(_BOOKS, [village + "%"])}
        numbers = list(Household.objects.filter(division__startswith=village).order_by("division", "household_no"))
    assert [card["number"] for card in content["cards"]] == [each.household_no for each in numbers]
    for card in content["cards"]:
        due, paid = owed.get(card["number"], (0, 0))
        assert (card["total"], card["words"]) == (yuan(due), in_words(due))
        assert card["paid"] == (yuan(paid) if paid else "")
    pages = texts(statements_pdf(by=officer, division=village, period=dates.QUARTER))
    assert len(pages) == len(numbers)
    for card, page in zip(content["cards"], pages, strict=True):
        said = joined(page)
        assert card["head"] in said and card["number"] in said and card["code"] in said
        assert not card["rows"] or f"¥{card['total']}（{card['words']}）" in said
        assert all(joined(cell) in said for row in card["rows"] for cell in row[4:])


def test_a_card_says_when_it_was_paid_where_to_ask_and_masks_the_number(officer: Actor) -> None:
    """PAY-07, SEC-04: the date and the account's tail, the offices by name, the identity number masked."""
    village = busiest(officer)
    content, _ = gather_statements(by=officer, division=village, period=dates.QUARTER)
    rows = [row for card in content["cards"] for row in card["rows"]]
    assert any(row[5].startswith("2021-09-17 发放\n账户尾号") for row in rows)
    paid = next(card for card in content["cards"] if card["paid"])
    assert "为民服务代理点" in paid["ask"] and "为民服务中心" in paid["ask"] and "金寨县" in paid["ask"]
    assert paid["identity"].startswith("341599********") and content["issuer"].endswith("为民服务中心")


def test_a_withheld_due_is_shown_and_not_counted(officer: Actor) -> None:
    """PAY-02: an upheld objection stops the money, and the household reads why."""
    with reading(officer):
        village, number = fetch(
            "SELECT left(h.division, 12), h.household_no FROM payment_rosterline l"
            " JOIN registry_household h ON h.id = l.household_id WHERE l.state = 'withheld'"
        )[0]
    content, _ = gather_statements(by=officer, division=village, period=dates.QUARTER)
    card = next(card for card in content["cards"] if card["number"] == number)
    held = [row for row in card["rows"] if "公示异议成立" in row[5]]
    assert len(held) == 1 and "不计入合计" in held[0][5]
    rest = sum(round(float(row[4].replace(",", "")) * 100) for row in card["rows"] if row not in held)
    assert card["total"] == yuan(rest)


def test_a_returned_payment_says_what_to_do(officer: Actor) -> None:
    """PAY-06: the household reads that its account must be corrected."""
    with reading(officer):
        village = fetch("SELECT left(division, 12) FROM payment_rosterline WHERE state = 'returned' LIMIT 1")[0][0]
    content, _ = gather_statements(by=officer, division=village, period=dates.QUARTER)
    said = [row[5] for card in content["cards"] for row in card["rows"]]
    assert any(text.startswith("银行退回，更正账户后重发") for text in said)


def test_another_period_has_nothing_and_says_so(officer: Actor) -> None:
    """PAY-07: a due stands on the statement of the period it begins in, on no other."""
    village = busiest(officer)
    page = texts(statements_pdf(by=officer, division=village, period=quarter(2021, 2)))[0]
    assert "本期没有您户的补贴项目" in joined(page)


def test_the_number_of_queries_does_not_grow_with_the_village(officer: Actor) -> None:
    """House 3: sets, not loops."""

    def count(village: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            gather_statements(by=officer, division=village, period=dates.QUARTER)
        return len(queries)

    with reading(officer):
        sizes = fetch("SELECT left(division, 12), count(*) FROM registry_household GROUP BY 1 ORDER BY 2")
    assert sizes[0][1] < sizes[-1][1]
    assert count(sizes[0][0]) == count(sizes[-1][0]) <= 18


def test_refused_for_post_place_and_what_is_no_village(officer: Actor) -> None:
    """SEC-02, SEC-03: the bank and the administrator get no names; a village prints its own."""
    village, other = busiest(officer), busiest(officer, 1)
    for post, where in ((Post.BANK_OPERATOR, OfficeKind.BANK), (Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)):
        with pytest.raises(NotYourPost):
            statements_pdf(by=actor(post, where), division=village, period=dates.QUARTER)
    informant = actor(Post.INFORMATION_OFFICER, village)
    assert statements_pdf(by=informant, division=village, period=dates.QUARTER).startswith(b"%PDF")
    with pytest.raises(NotYourPlace):
        statements_pdf(by=informant, division=other, period=dates.QUARTER)
    with pytest.raises(NothingToPrint, match="按村打印"):
        statements_pdf(by=officer, division=village[:9] + "000", period=dates.QUARTER)
    with pytest.raises(NoSuchDivision):
        statements_pdf(by=officer, division="341524999999", period=dates.QUARTER)


def test_the_village_and_the_county_print_the_same_and_it_is_remembered(officer: Actor) -> None:
    """SEC-03, SEC-05: the same bytes for who may see it all; each taking is an event."""
    village = busiest(officer)
    informant = actor(Post.INFORMATION_OFFICER, village)
    with reading(officer):
        before = Event.objects.filter(kind=Event.Kind.EXPORTED, subject=f"statements:{village}").count()
    papers = [statements_pdf(by=by, division=village, period=dates.QUARTER) for by in (officer, informant, informant)]
    assert len(set(papers)) == 1
    with reading(officer):
        after = Event.objects.filter(kind=Event.Kind.EXPORTED, subject=f"statements:{village}").count()
    assert after == before + 3


def test_a_rare_name_stands_on_its_card(county: County) -> None:
    """GB 18030-2022 (page 46): from the registry to the paper."""
    county("compiled")
    by = county_officer()
    village = busiest(by)
    run(
        "UPDATE registry_person SET name = '𠮷䶮㛃' WHERE id = (SELECT m.person_id FROM registry_membership m"
        " WHERE m.relation = '户主' AND m.division LIKE %s ORDER BY m.id LIMIT 1)",
        [village + "%"],
        using="maintenance",
    )
    pages = texts(statements_pdf(by=by, division=village, period=dates.QUARTER))
    assert any("户主：𠮷䶮㛃" in joined(page) for page in pages)
    assert any("待发放账户尾号" in joined(page) for page in pages)
