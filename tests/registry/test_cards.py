"""Cards: states, and corrections that need two people (REG-07, PAY-06, SEC-02)."""

from dataclasses import replace

import pytest

from huimin.audit.models import Signature
from huimin.database.personal import ACCOUNT, plain
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.registry.commands import (
    CardInUse,
    NotOwnAccount,
    approve_card_correction,
    change_card_state,
    propose_card_correction,
    refuse_card_correction,
)
from huimin.registry.models import Card, CardCorrection
from huimin.registry.queries import get_household, list_card_corrections
from huimin.registry.snapshots import NotRegistered
from tests.registry.people import DAY, LATER, NOW, card_of, household, members, officer, other_staff, staff

ACCOUNT_NO = "6299990123456789012"


@pytest.fixture
def home(county):
    county("registered")
    return household()


def propose(by, of, account=ACCOUNT_NO, **more):
    head = members(of)[0].person
    form = {"holder": head.pk, "use": "household", "account_name": head.name, "reason": "原卡已销户"} | more
    return propose_card_correction(by=by, on=NOW, account=account, **form)


def test_a_correction_takes_effect_by_a_second_person(home):
    clerk, reviewer, old = staff(Post.CLERK, home), staff(Post.REVIEWER, home), card_of(home)
    proposed = propose(clerk, home)
    assert card_of(home).pk == old.pk
    with reading(reviewer):
        assert [row.pk for row in list_card_corrections(reviewer.prefix)] == [proposed.pk]
    approved = approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk)
    new = card_of(home)
    assert new.pk == approved.new_card_id and new.valid_from == NOW and new.bank_office_id == old.bank_office_id
    assert plain(new.account_enc, ACCOUNT) == ACCOUNT_NO
    with reading(officer()):
        replaced = Card.objects.get(pk=old.pk)
        copy = Card.objects.get(account_hash=old.account_hash, recorded_to__isnull=False)
        assert Signature.objects.filter(subject=f"card_correction:{proposed.pk}").count() == 1
    assert (replaced.state, replaced.valid_to, copy.state, copy.valid_to) == ("replaced", NOW, "active", None)
    with pytest.raises(AlreadyDone):
        approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk)
    with reading(officer()):
        assert Card.objects.filter(household=home, recorded_to=None, state="active", use="household").count() == 1


def test_who_proposed_does_not_approve(home):
    """SEC-02, PAY-06: neither by post nor by another post of the same person."""
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    proposed = propose(clerk, home)
    with pytest.raises(NotYourPost):
        approve_card_correction(by=clerk, on=NOW, correction=proposed.pk)
    with pytest.raises(SamePerson):
        approve_card_correction(by=replace(reviewer, account=clerk.account), on=NOW, correction=proposed.pk)
    with pytest.raises(SamePerson):
        approve_card_correction(by=replace(reviewer, appointment=clerk.appointment), on=NOW, correction=proposed.pk)
    with pytest.raises(NotRegistered):
        approve_card_correction(by=other_staff(Post.REVIEWER, home), on=NOW, correction=proposed.pk)
    with reading(officer()):
        assert CardCorrection.objects.get(pk=proposed.pk).state == "proposed"


def test_a_refused_correction_changes_no_card(home):
    reviewer, old = staff(Post.REVIEWER, home), card_of(home)
    proposed = propose(staff(Post.CLERK, home), home)
    with pytest.raises(BadInput):
        refuse_card_correction(by=reviewer, on=NOW, correction=proposed.pk, refusal=" ")
    refused = refuse_card_correction(by=reviewer, on=NOW, correction=proposed.pk, refusal="户名无法核实")
    assert refused.state == "refused" and card_of(home).pk == old.pk
    with pytest.raises(AlreadyDone):
        approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk)


def test_proposals_that_cannot_be(home):
    clerk = staff(Post.CLERK, home)
    other = members(home)[1]
    neighbour = card_of(household(nth=1))
    taken = plain(neighbour.account_enc, ACCOUNT)
    with pytest.raises(NotOwnAccount, match="户名"):
        propose(clerk, home, account_name="别人")
    with pytest.raises(NotOwnAccount, match="户主"):
        propose(clerk, home, holder=other.person_id, account_name=other.person.name)
    with pytest.raises(BadInput, match="账号"):
        propose(clerk, home, account="12345")
    with pytest.raises(BadInput, match="原因"):
        propose(clerk, home, reason="")
    with pytest.raises(AlreadyDone, match="相同"):
        propose(clerk, home, account=plain(card_of(home).account_enc, ACCOUNT))
    if neighbour.division.startswith(clerk.prefix):
        with pytest.raises(CardInUse):
            propose(clerk, home, account=taken)
    with pytest.raises(NotYourPost):
        propose(staff(Post.REVIEWER, home), home)
    with pytest.raises(NotRegistered):
        propose(other_staff(Post.CLERK, home), home)
    propose(clerk, home)
    with pytest.raises(AlreadyDone, match="待审核"):
        propose(clerk, home)


def test_an_account_of_another_township_is_refused_by_the_database(home):
    """REG-07: what the clerk cannot see, the unique index does."""
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    others = (household(nth=n) for n in range(1, 200))
    away = next(h for h in others if h.division[:9] != home.division[:9])
    proposed = propose(clerk, home, account=plain(card_of(away).account_enc, ACCOUNT))
    with pytest.raises(CardInUse):
        approve_card_correction(by=reviewer, on=NOW, correction=proposed.pk)
    with reading(officer()):
        assert CardCorrection.objects.get(pk=proposed.pk).state == "proposed"
    assert card_of(home).state == "active"


def test_states_of_a_card(home):
    clerk, card = staff(Post.CLERK, home), card_of(home)
    act = {"by": clerk, "on": LATER, "card": card.pk, "evidence": "挂失回执"}
    for _ in range(2):
        lost = change_card_state(state="lost", **act)
    assert (lost.state, lost.valid_to) == ("lost", LATER)
    with pytest.raises(BadInput):
        change_card_state(state="replaced", **act)
    found = change_card_state(state="active", **{**act, "on": NOW})
    assert (found.state, found.valid_to, found.pk) == ("active", None, card.pk)
    change_card_state(state="closed", **{**act, "on": NOW})
    with pytest.raises(BadInput):
        change_card_state(state="active", **{**act, "on": NOW})
    with pytest.raises(NotYourPost):
        change_card_state(**{**act, "by": staff(Post.REVIEWER, home)}, state="lost")
    with pytest.raises(NotRegistered):
        change_card_state(**{**act, "by": other_staff(Post.CLERK, home)}, state="lost")
    with reading(officer()):
        assert Card.objects.filter(account_hash=card.account_hash).count() == 4
        [then] = [c for c in get_household(home.pk, clerk, DAY, card.recorded_from).cards if c.use == "household"]
    assert then.state == "active"
