"""A death or a departure: the survivor is widowed, accounts and authorities serve no more, and why is told (REG-05, REG-07, PAY-08)."""

from datetime import date, timedelta

import pytest

from huimin.casework.changes import Told, confirm_change, enter_change
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.registry.card_queries import last_rule, waiting_rule
from huimin.registry.commands import (
    NotOwnAccount,
    approve_card_correction,
    change_card_state,
    propose_card_correction,
    propose_cooling_time,
    record_death,
    record_person_facts,
    settle_cooling_time,
)
from huimin.registry.commands.cooling import cooling_days
from huimin.registry.models import Card, CardAuthority, CardRule, Membership, PersonFacts
from tests.registry.people import LATER, NOW, approver, card_of, cooling_time, household, members, officer, staff

DIED = date(2021, 8, 20)


@pytest.fixture
def couple(county):
    """A household of a head and a spouse, at least."""
    county("registered")
    for nth in range(60):
        home = household(3, True, nth)
        if "配偶" in [row.relation for row in members(home)]:
            return home
    raise AssertionError("the sample has couples")


def spouse_of(home):
    return next(row.person_id for row in members(home) if row.relation == "配偶")


def marital(person):
    with reading(officer()):
        return PersonFacts.objects.get(person=person, recorded_to=None, valid_to=None).marital


def know(home, person, **facts):
    act = {"on": NOW, "since": LATER, "evidence": "户口簿", "person": person}
    record_person_facts(by=staff(Post.CLERK, home), facts=facts, **act)


def died(home, person, **more):
    clerk = staff(Post.CLERK, home)
    return record_death(by=clerk, on=NOW, person=person, died_on=DIED, evidence="死亡证明", **more)


def cards_of(person):
    with reading(officer()):
        return list(Card.objects.filter(holder=person, recorded_to=None).order_by("id"))


def test_the_survivor_of_head_and_spouse_is_widowed_from_that_day(couple):
    """REG-05: 丧偶 is a consequence of the death, in the same transaction; other marriages are not guessed at."""
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    know(couple, wife, marital="已婚")
    third = next(row.person_id for row in members(couple) if row.person_id not in (head, wife))
    know(couple, third, marital="已婚")
    died(couple, head, new_head=wife)
    with reading(officer()):
        row = PersonFacts.objects.get(person=wife, recorded_to=None, valid_to=None)
    assert (row.marital, row.valid_from, row.evidence) == ("丧偶", DIED, "死亡证明")
    assert marital(third) == "已婚"
    died(couple, head, new_head=wife)
    with reading(officer()):
        assert PersonFacts.objects.filter(person=wife, marital="丧偶").count() == 1


def test_who_was_divorced_is_not_widowed(couple):
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    know(couple, head, marital="离异")
    died(couple, wife)
    assert marital(head) == "离异"


def test_another_survivor_is_named(couple):
    """Between members who are not head and spouse, who enters the death says who is widowed."""
    head, wife, third = members(couple)[0].person_id, spouse_of(couple), None
    third = next(row.person_id for row in members(couple) if row.person_id not in (head, wife))
    told = Told("death", couple.pk, DIED, "死亡证明", {"person": third, "survivor": wife})
    row = enter_change(by=staff(Post.CLERK, couple), on=NOW, told=told)
    if row.state == "entered":
        confirm_change(by=staff(Post.REVIEWER, couple), on=NOW, change=row.pk)
    assert marital(wife) == "丧偶"


def test_a_death_freezes_the_accounts_and_says_why(couple):
    """REG-07, PAY-08: nothing is paid there any more; a copy keeps what was; only closing remains."""
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    card = card_of(couple)
    died(couple, head, new_head=wife)
    [frozen] = [each for each in cards_of(head) if each.pk == card.pk]
    assert (frozen.state, frozen.valid_to) == ("frozen", max(DIED, card.valid_from))
    assert "2021-08-20" in frozen.evidence and "死亡" in frozen.evidence
    with reading(officer()):
        assert Card.objects.get(account_hash=card.account_hash, recorded_to__isnull=False).state == "active"
    clerk = staff(Post.CLERK, couple)
    with pytest.raises(NotOwnAccount, match="死亡"):
        change_card_state(by=clerk, on=NOW, card=card.pk, state="active", evidence="找到了")
    assert change_card_state(by=clerk, on=NOW, card=card.pk, state="closed", evidence="银行销户").state == "closed"


def test_the_next_heads_account_waits_like_any_change(couple):
    """REG-07: a death is no way around the cooling time; the frozen card is what the new one replaces."""
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    cooling_time(7)
    old = card_of(couple)
    died(couple, head, new_head=wife)
    name = next(row.person.name for row in members(couple) if row.person_id == wife)
    clerk, reviewer = staff(Post.CLERK, couple), staff(Post.REVIEWER, couple)
    proposed = propose_card_correction(
        by=clerk, on=NOW, holder=wife, use="household", account="6299990123456789012", account_name=name, reason="户主去世",
    )  # fmt: skip
    assert proposed.old_card_id == old.pk
    assert approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk).effective_on == NOW + timedelta(days=7)


def test_an_open_correction_of_who_died_is_not_approved(couple):
    head, wife = members(couple)[0], spouse_of(couple)
    clerk, reviewer = staff(Post.CLERK, couple), staff(Post.REVIEWER, couple)
    proposed = propose_card_correction(
        by=clerk, on=NOW, holder=head.person_id, use="household", account="6299990123456789012",
        account_name=head.person.name, reason="换卡",
    )  # fmt: skip
    died(couple, head.person_id, new_head=wife)
    with pytest.raises(NotOwnAccount, match="死亡"):
        approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk)


def test_authorities_given_by_or_to_who_died_end(couple):
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    third = next(row.person_id for row in members(couple) if row.person_id not in (head, wife))
    act = {
        "division": couple.division, "kind": "guardian", "paper_no": "1", "note": "留存乡镇", "valid_from": LATER,
        "valid_to": date(2023, 1, 1), "state": "approved", "proposed_by": 1, "proposed_on": LATER, "decided_by": 2,
        "decided_on": LATER,
    }  # fmt: skip
    given = CardAuthority.objects.using("maintenance").create(beneficiary_id=head, agent_id=wife, **act)
    taken = CardAuthority.objects.using("maintenance").create(beneficiary_id=third, agent_id=head, **act)
    other = CardAuthority.objects.using("maintenance").create(beneficiary_id=third, agent_id=wife, **act)
    died(couple, head, new_head=wife)
    states = {}
    for each in (given, taken, other):
        each.refresh_from_db(using="maintenance")
        states[each.pk] = (each.state, "死亡" in each.refusal)
    assert list(states.values()) == [("revoked", True), ("revoked", True), ("approved", False)]


def test_a_departure_freezes_too_and_a_return_does_not_thaw_by_itself(couple):
    head, wife = members(couple)[0].person_id, spouse_of(couple)
    clerk, reviewer = staff(Post.CLERK, couple), staff(Post.REVIEWER, couple)
    third = next(row.person_id for row in members(couple) if row.person_id not in (head, wife))
    with reading(officer()):
        Membership.objects.get(person=third, recorded_to=None, valid_to=None)
    card = Card.objects.using("maintenance").create(
        division=couple.division, valid_from=LATER, use="person", holder_id=third, household=couple,
        account_enc=b"x", account_hash=b"freezing", account_tail="0000", account_name="某", state="active",
    )  # fmt: skip
    told = Told("departure", couple.pk, DIED, "迁移证", {"people": [third], "to": "away"})
    row = enter_change(by=clerk, on=NOW, told=told)
    assert row.state == "entered"
    confirm_change(by=reviewer, on=NOW, change=row.pk)
    [frozen] = [each for each in cards_of(third) if each.pk == card.pk]
    assert frozen.state == "frozen" and "迁出" in frozen.evidence
    with pytest.raises(NotOwnAccount, match="不在"):
        change_card_state(by=clerk, on=NOW, card=card.pk, state="active", evidence="本人回来")


def test_the_cooling_time_needs_two_people(county):
    """SEC-02: the county office proposes, the leading group's approver agrees; until then the old time counts."""
    county("registered")
    place = officer().division
    rule = propose_cooling_time(by=officer(), on=NOW, days=7, basis="纪要")
    assert propose_cooling_time(by=officer(), on=NOW, days=7, basis="纪要").pk == rule.pk
    with reading(officer()):
        assert cooling_days(place) == 0 and last_rule(place) is None and waiting_rule(place).pk == rule.pk
    for post in (Post.CLERK, Post.COUNTY_OFFICER):
        who = officer() if post == Post.COUNTY_OFFICER else actor(post, "341524100000")
        with pytest.raises(NotYourPost):
            settle_cooling_time(by=who, on=NOW, rule=rule.pk, agreed=True)
    with pytest.raises(BadInput, match="原因"):
        settle_cooling_time(by=approver(), on=NOW, rule=rule.pk, agreed=False, refusal=" ")
    settle_cooling_time(by=approver(), on=NOW, rule=rule.pk, agreed=True)
    with pytest.raises(AlreadyDone):
        settle_cooling_time(by=approver(), on=NOW, rule=rule.pk, agreed=True)
    with reading(officer()):
        assert cooling_days(place) == 7 and waiting_rule(place) is None
    other = propose_cooling_time(by=officer(), on=NOW, days=0, basis="纪要 2")
    refused = settle_cooling_time(by=approver(), on=NOW, rule=other.pk, agreed=False, refusal="不宜取消")
    with reading(officer()):
        assert (refused.state, cooling_days(place)) == ("refused", 7)
    third = propose_cooling_time(by=officer(), on=NOW, days=3, basis="纪要 3")
    CardRule.objects.using("maintenance").filter(pk=third.pk).update(set_by=approver().appointment)
    with pytest.raises(SamePerson):
        settle_cooling_time(by=approver(), on=NOW, rule=third.pk, agreed=True)
