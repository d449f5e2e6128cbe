"""Each kind of doubt about a roster, made by the commands that make it true in a county (PAY-01, PAY-06, REG-07, FUND-01).

One county for the module; every test works in a township of its own.
"""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from huimin.database.bulk import fetch, run
from huimin.database.personal import ID_NUMBER, plain
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.demo.paying import finance
from huimin.funds.indicators import decide_allotments, receive_allotment
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post
from huimin.payment.commands import (
    check_roster,
    compile_roster,
    explain_findings,
    hold_findings,
    publish_roster,
    withdraw_roster,
)
from huimin.payment.commands.findings import DoubtsOpen
from huimin.payment.models import Roster, RosterFinding
from huimin.registry.commands import (
    approve_authority,
    change_card_state,
    move_household,
    propose_authority,
    record_person_facts,
)
from huimin.registry.models import Card, Household, Membership, Person
from tests.casework.test_changes import done
from tests.registry.people import members

County = Callable[[str], str]
GRAIN, DIBAO, MIGRANT = "grain-one-off", "dibao-rural", "reservoir-migrant"
LEFT_ON, BEFORE = date(2021, 8, 20), date(2021, 6, 25)


def township(nth: int, programme: str = GRAIN) -> str:
    """Those with the most beneficiaries of the programme first."""
    with reading(county_officer()):
        rows = fetch(
            "SELECT left(division, 9) || '000' FROM casework_entitlement WHERE programme = %s GROUP BY 1"
            " ORDER BY count(*) DESC, 1",
            [programme],
        )
    return str(rows[nth][0])


def compiled(place: str, programme: str = GRAIN) -> Roster:
    return compile_roster(by=clerk(place), on=dates.COMPILED, programme=programme, division=place, period=dates.QUARTER)


def clerk(place: str) -> Actor:
    return actor(Post.CLERK, place)


def check(roster: Roster) -> int:
    return check_roster(by=clerk(roster.division), on=dates.COMPILED, roster_id=roster.pk)


def answer(act: Callable[..., int], roster: Roster, *doubts: RosterFinding) -> int:
    told = {"by": clerk(roster.division), "on": dates.COMPILED, "reason": "已入户核对，情况属实"}
    return act(roster_id=roster.pk, finding_ids=[each.pk for each in doubts], **told)


def publish(roster: Roster) -> int:
    return publish_roster(by=actor(Post.REVIEWER, roster.division), on=dates.PUBLISHED, roster_id=roster.pk)


def found(roster: Roster, kind: str) -> dict[int | None, RosterFinding]:
    """Doubts of a kind by household."""
    with reading(county_officer()):
        rows = roster.findings.filter(kind=kind).select_related("line")
        return {each.line.household_id if each.line else None: each for each in rows}


def granted(place: str, programme: str = GRAIN, least: int = 1) -> list[Household]:
    """Granted households of the township with so many members and a card in use, by number."""
    with reading(county_officer()):
        ids = fetch(
            "SELECT e.household_id FROM casework_entitlement e JOIN registry_membership m ON m.household_id = e.household_id"
            " AND m.recorded_to IS NULL AND m.valid_to IS NULL WHERE e.programme = %s AND left(e.division, 9) = left(%s, 9)"
            " AND EXISTS (SELECT 1 FROM registry_card c WHERE c.household_id = e.household_id AND c.use = 'household'"
            " AND c.state = 'active' AND c.recorded_to IS NULL) GROUP BY 1 HAVING count(DISTINCT m.person_id) >= %s ORDER BY 1",
            [programme, place, least],
        )
        return list(Household.objects.filter(pk__in=[pk for (pk,) in ids]).order_by("pk"))


def test_PAY_01_two_households_on_one_account_are_asked_about(shared_county: County) -> None:
    """REG-07: a neighbour draws for a family that has no account: both lines are shown, and only those."""
    shared_county("accrued")
    place = township(0)
    helped, agent, *others = granted(place)
    draws_for(place, members(agent)[0].person, members(helped)[0].person, card_of(helped))
    roster = compiled(place)
    doubts = found(roster, "account")
    assert set(doubts) == {helped.pk, agent.pk} and others
    assert {each.detail for each in doubts.values()} == {"与 1 户同一账户"}
    assert all(each.line is not None and each.amount_fen == each.line.amount_fen for each in doubts.values())
    with pytest.raises(DoubtsOpen, match="2 件"):
        publish(roster)
    assert answer(hold_findings, roster, doubts[helped.pk]) == 1
    assert check(roster) == 1  # the other still asks; no new doubt
    assert answer(explain_findings, roster, doubts[agent.pk]) == 1
    assert publish(roster) > 0


def card_of(home: Household) -> Card:
    with reading(county_officer()):
        return Card.objects.get(household=home, use="household", state="active", recorded_to=None)


def draws_for(place: str, agent: Person, helped: Person, card: Card) -> None:
    """The helped family's card is closed, and another person's account takes its place by a signed authority."""
    by, on = clerk(place), dates.ACCRUED
    change_card_state(by=by, on=on, card=card.pk, state="closed", evidence="销户回单")
    ordinary = {"village_cadre": False, "fiscal_payroll": False}
    record_person_facts(by=by, on=on, person=agent.pk, facts=ordinary, since=date(2021, 1, 1), evidence="备案表")
    made = propose_authority(
        by=by, on=on, beneficiary=helped.pk, agent_number=plain(agent.id_number_enc, ID_NUMBER), kind="guardian",
        paper_no="授 2021-9", note="本人按手印，存乡镇", since=date(2021, 7, 1), until=date(2022, 6, 30),
    )  # fmt: skip
    approve_authority(by=actor(Post.REVIEWER, place), on=on, authority=made.pk)


def test_PAY_06_who_left_a_household_since_it_was_granted_is_asked_about(shared_county: County) -> None:
    """Not who left before the grant, and not who came back."""
    shared_county("accrued")
    place = township(1)
    early, back, gone = granted(place, least=2)[:3]
    leaves(early, BEFORE)
    leaves(back, LEFT_ON - timedelta(days=3))
    returns(back, LEFT_ON)
    name = leaves(gone, LEFT_ON)
    roster = compiled(place)
    doubts = found(roster, "left")
    assert set(doubts) == {gone.pk}
    assert doubts[gone.pk].detail == f"{name} 于 {LEFT_ON} 离开本户"
    assert answer(explain_findings, roster, doubts[gone.pk]) == 1
    assert publish(roster) > 0


def test_PAY_06_a_household_that_moved_to_another_township_is_asked_about(shared_county: County) -> None:
    """By the command that moves it: the township sees neither the household nor its card any more, and still its line."""
    shared_county("accrued")
    place, elsewhere = township(4), township(2)
    moved = granted(place)[0]
    roster = compiled(place)
    before = check(roster)
    with reading(county_officer()):
        village = fetch("SELECT min(division) FROM registry_household WHERE division LIKE %s", [elsewhere[:9] + "%"])
    told = {"division": village[0][0], "address": "新居 1 号", "evidence": "迁移证"}
    move_household(by=county_officer(), on=dates.COMPILED, household=moved.pk, **told)
    assert check(roster) == before + 1
    doubt = found(roster, "moved")[moved.pk]
    assert doubt.detail == "户已迁出本乡镇"
    assert answer(hold_findings, roster, doubt) == 1


def leaves(home: Household, on: date) -> str:
    """The last member leaves the county; his name."""
    goer = members(home)[-1]
    done(home, "departure", {"people": [goer.person_id], "to": "away"}, on=on)
    return str(goer.person.name)


def returns(home: Household, on: date) -> None:
    with reading(county_officer()):
        last = Membership.objects.filter(household=home, valid_to__isnull=False, recorded_to=None).order_by("-valid_to")
        person = last.select_related("person")[0].person
    number = plain(person.id_number_enc, ID_NUMBER)
    done(home, "arrival", {"name": person.name, "id_number": number, "relation": "其他"}, on=on)


def test_PAY_06_a_person_with_a_line_of_his_own_who_left_is_asked_about(shared_county: County) -> None:
    """Others of the same household who draw for themselves are not."""
    shared_county("accrued")
    place = township(0, MIGRANT)
    with reading(county_officer()):
        rows = fetch(
            "SELECT e.household_id, min(e.person_id) FILTER (WHERE m.relation <> '户主') FROM casework_entitlement e"
            " JOIN registry_membership m ON m.person_id = e.person_id AND m.recorded_to IS NULL AND m.valid_to IS NULL"
            " JOIN registry_card c ON c.holder_id = e.person_id AND c.state = 'active' AND c.recorded_to IS NULL"
            " WHERE e.programme = %s AND left(e.division, 9) = left(%s, 9) GROUP BY 1"
            " HAVING count(*) FILTER (WHERE m.relation <> '户主') > 0 ORDER BY 1 LIMIT 1",
            [MIGRANT, place],
        )
        home = Household.objects.get(pk=rows[0][0])
    roster = compiled(place, MIGRANT)
    assert not found(roster, "left")
    done(home, "departure", {"people": [rows[0][1]], "to": "away"}, on=LEFT_ON)
    check(roster)
    [doubt] = found(roster, "left").values()
    assert doubt.line is not None and doubt.line.person_id == rows[0][1]


def test_FUND_01_a_roster_above_what_the_indicators_hold_is_asked_about(shared_county: County) -> None:
    """About the roster, not a line: it is explained, never held; what is not in force yet does not count."""
    shared_county("accrued")
    place = township(3)
    roster = compiled(place)
    assert None not in found(roster, "over"), "no indicator, no doubt: money may be indicated later"
    first = indicated(roster.amount_fen - 2)
    check(roster)
    assert None not in found(roster, "over"), "registered, not in force"
    decide_allotments(by=finance(Post.FINANCE_RELEASER), on=dates.COMPILED, allotment_ids=[first])
    others = check(roster)
    doubt = found(roster, "over")[None]
    assert (doubt.amount_fen, doubt.detail) == (roster.amount_fen, f"指标还剩 {(roster.amount_fen - 2) / 100:,.2f} 元")
    assert answer(hold_findings, roster, doubt) == 0 and check(roster) == others == 1
    with pytest.raises(DoubtsOpen):
        publish(roster)
    assert answer(explain_findings, roster, doubt) == 1
    assert publish(roster) > 0
    more = indicated(10 * roster.amount_fen, "财农〔2021〕78号")
    decide_allotments(by=finance(Post.FINANCE_RELEASER), on=dates.COMPILED, allotment_ids=[more])
    enough = compiled(township(5))
    assert None not in found(enough, "over")


def indicated(amount_fen: int, document_no: str = "财农〔2021〕77号") -> int:
    return receive_allotment(
        by=finance(), on=dates.COMPILED, division=finance().division, programme=GRAIN, year=2021, document_no=document_no,
        amount_fen=amount_fen,
    ).pk  # fmt: skip


_EXCLUDED = """
排除:
  - 项目: {}
    说明: 不同时享受
    依据: 测试
"""
# What the law of then would say; a whole adoption computes every worked case of every policy.
_SAY = """
UPDATE policy_policytext SET text = text || %(more)s, sha256 = encode(sha256(convert_to(text || %(more)s, 'UTF8')), 'hex')
WHERE path = %(path)s AND superseded_at IS NULL
"""


def test_PAY_06_programmes_that_do_not_go_together_are_asked_about(county: County) -> None:
    """The law excludes another programme: a household or a person that holds both is listed; not who held it before."""
    county("accrued")
    for programme, other, path in (
        (GRAIN, DIBAO, "anhui/grain-one-off.yaml"),
        (MIGRANT, GRAIN, "national/reservoir-migrant.yaml"),
    ):
        run(_SAY, {"path": path, "more": _EXCLUDED.format(other)}, using="maintenance")
        place = both(programme, other)
        holders = holding_both(place, programme, other)
        roster = compiled(place, programme)
        doubts = found(roster, "excluded")
        assert set(doubts) == set(holders)
        assert {each.detail[:4] for each in doubts.values()} == {"同时享受"}
        withdraw_roster(by=clerk(place), on=dates.COMPILED, roster_id=roster.pk)
        ended(holders[0], other)
        again = compiled(place, programme)
        assert set(found(again, "excluded")) == set(holders[1:])
    with reading(county_officer()):
        assert not RosterFinding.objects.filter(kind="excluded", roster__programme=DIBAO).exists()


_BOTH = """
SELECT DISTINCT a.household_id, left(a.division, 9) || '000' FROM casework_entitlement a
JOIN casework_entitlement b ON b.household_id = a.household_id AND b.programme = %s
JOIN registry_card c ON c.state = 'active' AND c.recorded_to IS NULL AND CASE WHEN a.person_id IS NULL
     THEN c.household_id = a.household_id AND c.use = 'household' ELSE c.holder_id = a.person_id END
WHERE a.programme = %s ORDER BY 1
"""


def both(programme: str, other: str) -> str:
    """The township where most hold both."""
    with reading(county_officer()):
        places = [place for _, place in fetch(_BOTH, [other, programme])]
    return str(max(sorted(set(places)), key=places.count))


def holding_both(place: str, programme: str, other: str) -> list[int]:
    with reading(county_officer()):
        return [home for home, where in fetch(_BOTH, [other, programme]) if where == place]


def ended(home: int, programme: str) -> None:
    """It ended before the period of the roster."""
    run(
        "UPDATE casework_entitlement SET valid_to = %s WHERE household_id = %s AND programme = %s",
        ["2021-07-01", home, programme], using="maintenance",
    )  # fmt: skip
