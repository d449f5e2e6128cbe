"""One field finds a household by whatever the clerk has at hand (REG-04, SEC-04)."""

import pytest
from django.test import Client

from huimin.database.bulk import fetch
from huimin.divisions.models import Division
from huimin.organisation.posts import Post
from tests.workbench.people import client_of, sign_in

ONE = """
SELECT h.id, p.name, p.name_typed, p.name_initials, c.account_tail, v.name, v.pinyin
FROM registry_household h
JOIN registry_membership m ON m.household_id = h.id AND m.relation = '户主' AND m.recorded_to IS NULL
JOIN registry_person p ON p.id = m.person_id
JOIN registry_card c ON c.household_id = h.id AND c.state = 'active' AND c.recorded_to IS NULL
JOIN divisions_division v ON v.code = left(h.division, 12)
WHERE h.division LIKE '341524100%' ORDER BY h.id LIMIT 1"""


@pytest.fixture
def one(county) -> dict[str, str]:
    """A household of 梅山镇, and everything it may be asked for by."""
    county("registered")
    (row,) = fetch(ONE, using="maintenance")
    return dict(zip(("id", "name", "typed", "initials", "tail", "village", "village_pinyin"), row, strict=True))


def found(client: Client, asked: str) -> str:
    return client.get("/search/", {"part": "1", "q": asked}).content.decode()


def test_a_household_is_found_by_name_letters_initials_and_card(one):
    """REG-04: characters, pinyin whole or begun, initials, the last four digits of a card."""
    clerk = sign_in("meishan-clerk")
    link = f'href="/households/{one["id"]}/"'
    assert link in found(clerk, one["name"])
    assert link in found(clerk, one["typed"]) and link in found(clerk, one["typed"].upper())
    assert link in found(clerk, one["tail"])
    assert one["initials"] == "".join(part[0] for part in _syllables(one))
    assert found(clerk, one["initials"]).count("<li>") >= 1


def _syllables(one) -> list[str]:
    return fetch("SELECT name_pinyin FROM registry_person WHERE name_typed = %s", [one["typed"]], using="maintenance")[
        0
    ][0].split()


def test_a_village_is_found_by_its_name_and_letters(one):
    clerk = sign_in("meishan-clerk")
    code = Division.objects.using("maintenance").get(code__startswith="341524100", name=one["village"]).code
    for asked in (one["village"], one["village_pinyin"].replace(" ", "")):
        assert f"/households/?place={code}" in found(clerk, asked)


def test_another_township_finds_nothing_of_it(one):
    """SEC-03: the same words, another place."""
    other = client_of(Post.CLERK, "341524101000")
    link = f'href="/households/{one["id"]}/"'
    for asked in (one["name"], one["typed"], one["tail"], one["village"]):
        assert link not in found(other, asked)


def test_nothing_found_says_what_to_check(county):
    county("registered")
    assert "没有找到" in found(sign_in("meishan-clerk"), "qqqqqq")
