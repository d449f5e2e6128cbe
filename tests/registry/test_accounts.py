"""Authorities, hand-over, issue in batch and cooling time of accounts (REG-07)."""

from datetime import date, timedelta

import pytest

from huimin.database.bulk import fetch
from huimin.database.personal import ACCOUNT, ID_NUMBER, plain
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.registry.accounts import account_of
from huimin.registry.commands import (
    IssuedCard,
    MayNotDraw,
    approve_authority,
    approve_card_correction,
    change_card_state,
    hand_over_card,
    issue_cards,
    propose_authority,
    propose_cooling_time,
    put_accounts_in_force,
    record_person_facts,
    refuse_authority,
    revoke_authority,
    stop_card_correction,
)
from huimin.registry.models import Card, CardCorrection, CardHandover, Person
from huimin.registry.snapshots import NotRegistered
from tests.registry.people import NOW, card_of, cooling_time, household, members, officer, other_staff, staff
from tests.registry.test_cards import ACCOUNT_NO, propose

UNTIL = date(2021, 12, 31)


@pytest.fixture
def home(county):
    county("registered")
    return household()


def number_of(person: Person) -> str:
    return plain(person.id_number_enc, ID_NUMBER)


def ordinary(by, person: Person, cadre: bool = False) -> Person:
    facts = {"village_cadre": cadre, "fiscal_payroll": False}
    record_person_facts(by=by, on=NOW, person=person.pk, facts=facts, since=date(2021, 1, 1), evidence="备案表")
    return person


def without_account(of):
    """A member nobody has an account for."""
    with reading(officer()):
        return next(m.person for m in members(of) if not Card.objects.filter(holder=m.person).exists())


def authority(by, helped, agent, kind="proxy", **more):
    form = {"paper_no": "授 2021-1", "note": "本人按手印，存乡镇", "since": date(2021, 7, 1), "until": UNTIL} | more
    return propose_authority(by=by, on=NOW, beneficiary=helped.pk, agent_number=number_of(agent), kind=kind, **form)


def paid_on(by, person: Person, on: date, use: str = "person"):
    with reading(by):
        statement = f"SELECT c.id, c.holder_id, c.authority_id FROM {account_of('%(who)s::bigint', '%(use)s')} c"
        return next(iter(fetch(statement, {"who": person.pk, "use": use, "on": on})), None)


def test_an_authority_serves_after_a_second_person_and_until_its_end(home):
    """REG-07: guardian and proxy with the signed authority on file; an expired one no longer serves."""
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    head, child = members(home)[0].person, without_account(home)
    made = authority(clerk, child, ordinary(clerk, head))
    assert paid_on(clerk, child, NOW) is None
    with pytest.raises(AlreadyDone, match="待审核"):
        authority(clerk, child, head)
    with pytest.raises(NotYourPost):
        approve_authority(by=clerk, on=NOW, authority=made.pk)
    with pytest.raises(NotRegistered):
        approve_authority(by=other_staff(Post.REVIEWER, home), on=NOW, authority=made.pk)
    approve_authority(by=reviewer, on=NOW, authority=made.pk)
    with pytest.raises(AlreadyDone):
        approve_authority(by=reviewer, on=NOW, authority=made.pk)
    assert paid_on(clerk, child, NOW) == (card_of(home).pk, head.pk, made.pk)
    assert paid_on(clerk, child, UNTIL) is not None
    assert paid_on(clerk, child, UNTIL + timedelta(days=1)) is None
    with pytest.raises(AlreadyDone, match="已有授权"):
        authority(clerk, child, head)
    with pytest.raises(BadInput):
        revoke_authority(by=clerk, on=NOW, authority=made.pk, refusal=" ")
    revoke_authority(by=clerk, on=NOW, authority=made.pk, refusal="本人已能自理")
    assert paid_on(clerk, child, NOW) is None


def test_cadres_and_collectors_draw_for_nobody_but_their_own(home):
    """REG-07: 附件4 第15条, refused with the rule; a spouse or guardian may, with a reason."""
    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    head, child = members(home)[0].person, without_account(home)
    ordinary(clerk, head, cadre=True)
    with pytest.raises(MayNotDraw, match="村干部") as refused:
        authority(clerk, child, head)
    assert "第15条" in refused.value.why
    guardian = authority(clerk, child, head, kind="guardian")
    with pytest.raises(BadInput):
        refuse_authority(by=reviewer, on=NOW, authority=guardian.pk, refusal="")
    refuse_authority(by=reviewer, on=NOW, authority=guardian.pk, refusal="没有监护证明")
    ordinary(clerk, head)
    proxy = authority(clerk, child, head)
    approve_authority(by=reviewer, on=NOW, authority=proxy.pk)
    township = home.division[:9]
    others = (household(nth=n) for n in range(1, 300))
    neighbour = next(h for h in others if h.division[:9] == township)
    with pytest.raises(MayNotDraw, match="另一人"):
        authority(clerk, members(neighbour)[1].person, head)
    with pytest.raises(MayNotDraw, match="本人"):
        authority(clerk, head, head)
    with pytest.raises(BadInput, match="授权书"):
        authority(clerk, members(neighbour)[1].person, members(neighbour)[0].person, paper_no="")
    ordinary(clerk, head, cadre=True)
    assert paid_on(clerk, child, NOW) is None, "a proxy who became a cadre draws no more"


def test_another_account_waits_for_the_countys_cooling_time(home):
    """REG-07: payment stays with the old account until the day; it can be stopped until then."""
    clerk, reviewer, old = staff(Post.CLERK, home), staff(Post.REVIEWER, home), card_of(home)
    head = members(home)[0].person
    with pytest.raises(NotYourPost):
        propose_cooling_time(by=reviewer, on=NOW, days=7, basis="纪要")
    for days, basis in ((91, "纪要"), (7, " ")):
        with pytest.raises(BadInput):
            propose_cooling_time(by=officer(), on=NOW, days=days, basis=basis)
    rule = cooling_time(7)
    assert propose_cooling_time(by=officer(), on=NOW, days=7, basis=rule.basis).pk == rule.pk
    approved = approve_card_correction(by=reviewer, on=NOW, correction=propose(clerk, home).pk)
    day = NOW + timedelta(days=7)
    assert approved.effective_on == day and approved.new_card.state == "pending"
    assert put_accounts_in_force(by=clerk, on=day - timedelta(days=1)) == 0
    assert card_of(home).pk == old.pk == paid_on(clerk, head, NOW, "household")[0]
    with pytest.raises(NotYourPost):
        stop_card_correction(by=clerk, on=NOW, correction=approved.pk, refusal="本人否认")
    cooling_time(0)
    assert put_accounts_in_force(by=clerk, on=NOW) == 0, "a shorter time holds for later approvals only"
    assert put_accounts_in_force(by=other_staff(Post.CLERK, home), on=day) == 0
    assert put_accounts_in_force(by=clerk, on=day) == 1
    assert put_accounts_in_force(by=clerk, on=day) == 0
    assert card_of(home).pk == approved.new_card_id
    with reading(officer()):
        assert Card.objects.get(pk=old.pk).state == "replaced"
    with pytest.raises(AlreadyDone):
        stop_card_correction(by=reviewer, on=day, correction=approved.pk, refusal="本人否认")


def test_a_change_is_stopped_while_it_cools(home):
    """REG-07: what the time is for."""
    clerk, reviewer, old = staff(Post.CLERK, home), staff(Post.REVIEWER, home), card_of(home)
    cooling_time(3)
    approved = approve_card_correction(by=reviewer, on=NOW, correction=propose(clerk, home).pk)
    stop_card_correction(by=reviewer, on=NOW, correction=approved.pk, refusal="本人否认申请过")
    assert put_accounts_in_force(by=clerk, on=NOW + timedelta(days=9)) == 0
    assert card_of(home).pk == old.pk
    with reading(officer()):
        assert CardCorrection.objects.get(pk=approved.pk).state == "refused"


def test_a_banks_file_is_taken_in_and_every_row_answered(home):
    """REG-07: first accounts in use, others to the reviewer, faults told by row; the same file once."""
    clerk, people = staff(Post.CLERK, home), members(home)
    other = next(h for h in (household(nth=n) for n in range(1, 300)) if h.division[:9] == home.division[:9])
    neighbour = members(other)[0].person
    head, child, card = people[0].person, without_account(home), card_of(home)
    rows = [
        IssuedCard(2, number_of(child), child.name, "6299990000000000001"),
        IssuedCard(3, number_of(head), head.name, ACCOUNT_NO),
        IssuedCard(4, number_of(head), head.name, "6299990000000000003", "person"),
        IssuedCard(5, "341599190001010000", "无名", "6299990000000000004"),
        IssuedCard(6, number_of(neighbour), "改了名", "62999900000000000"),
        IssuedCard(7, number_of(neighbour), "改了名", "12"),
    ]
    with pytest.raises(NotYourPost):
        issue_cards(by=staff(Post.REVIEWER, home), on=NOW, cards=rows, sha256="a" * 64, file_name="发卡.csv")
    with pytest.raises(BadInput):
        issue_cards(by=clerk, on=NOW, cards=[], sha256="b" * 64, file_name="发卡.csv")
    made = issue_cards(by=clerk, on=NOW, cards=rows, sha256="a" * 64, file_name="发卡.csv")
    assert (made.issued, made.proposed) == (2, 1), (made.faults, made.known)
    assert [fault["row"] for fault in made.faults] == [5, 6, 7]
    assert all(fault["what"] and fault["remedy"] for fault in made.faults)
    assert issue_cards(by=clerk, on=NOW, cards=rows, sha256="a" * 64, file_name="又一份.csv").pk == made.pk
    with reading(clerk):
        assert CardHandover.objects.filter(issue=made, handed_on=None).count() == 2
        assert CardCorrection.objects.get(holder=head, state="proposed").old_card_id == card.pk
        assert Card.objects.get(holder=child, recorded_to=None).account_tail == "0001"
    elsewhere = issue_cards(
        by=other_staff(Post.CLERK, home), on=NOW, cards=rows[:1], sha256="a" * 64, file_name="发卡.csv"
    )
    assert elsewhere.issued == 0 and "没有这个证件号码" in elsewhere.faults[0]["what"]
    taken = plain(card.account_enc, ACCOUNT)
    again = issue_cards(
        by=clerk, on=NOW, cards=[IssuedCard(2, number_of(head), head.name, taken)], sha256="c" * 64, file_name="x"
    )
    assert (again.known, again.issued, again.faults) == (1, 0, [])


def test_a_card_is_handed_over_once_to_who_may_have_it(home):
    """REG-07: the hand-over register with who received, as what, signature and day."""
    clerk, reviewer, head = staff(Post.CLERK, home), staff(Post.REVIEWER, home), members(home)[0].person
    child = without_account(home)
    issue_cards(
        by=clerk, on=NOW, cards=[IssuedCard(2, number_of(child), child.name, "6299990000000000001")],
        sha256="d" * 64, file_name="发卡.csv",
    )  # fmt: skip
    with reading(clerk):
        card = Card.objects.get(holder=child, recorded_to=None)
    act = {"by": clerk, "on": NOW, "card": card.pk, "handed_on": NOW, "signature": "签收单 7 号"}
    with pytest.raises(MayNotDraw, match="授权"):
        hand_over_card(receiver_number=number_of(head), **act)
    with pytest.raises(BadInput, match="签名"):
        hand_over_card(receiver_number="", **{**act, "signature": ""})
    with pytest.raises(NotYourPost):
        hand_over_card(receiver_number="", **{**act, "by": reviewer})
    with pytest.raises(NotRegistered):
        hand_over_card(receiver_number="", **{**act, "by": other_staff(Post.CLERK, home)})
    made = authority(clerk, child, head, kind="guardian")
    approve_authority(by=reviewer, on=NOW, authority=made.pk)
    row = hand_over_card(receiver_number=number_of(head), **act)
    assert (row.received_by_id, row.authority_id, row.handed_on) == (head.pk, made.pk, NOW)
    with pytest.raises(AlreadyDone):
        hand_over_card(receiver_number="", **act)
    closed = card_of(home)
    change_card_state(by=clerk, on=NOW, card=closed.pk, state="closed", evidence="销户回单")
    with pytest.raises(BadInput, match="已销户"):
        hand_over_card(receiver_number="", **{**act, "card": closed.pk})


def test_who_recorded_an_authority_does_not_approve_it(home):
    """REG-07, SEC-02."""
    from dataclasses import replace

    clerk, reviewer = staff(Post.CLERK, home), staff(Post.REVIEWER, home)
    head, child = members(home)[0].person, without_account(home)
    made = authority(clerk, child, head, kind="guardian")
    with pytest.raises(SamePerson):
        approve_authority(by=replace(reviewer, account=clerk.account), on=NOW, authority=made.pk)
