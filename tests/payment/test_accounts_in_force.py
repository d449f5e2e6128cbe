"""Payment goes to the account in force on the day of release (REG-07, PAY-06, PAY-08)."""

from datetime import date, timedelta

import pytest

from huimin.database.bulk import fetch
from huimin.database.personal import ID_NUMBER, plain
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.periods import Period
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.commands import prepare_batch, reissue_returned, release_batch
from huimin.payment.commands.batches import cancel_batch
from huimin.payment.commands.dues import NothingOwed
from huimin.payment.commands.rosters import compile_roster, withdraw_roster
from huimin.payment.commands.states import WrongState
from huimin.payment.models import Batch, PaymentException, Roster, RosterLine
from huimin.payment.queries import list_reissuable
from huimin.registry.commands import (
    approve_authority,
    approve_card_correction,
    change_card_state,
    propose_authority,
    propose_card_correction,
    record_death,
)
from huimin.registry.models import Membership, Person
from tests.registry.people import cooling_time

_ROSTERS = """
SELECT roster_id FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
WHERE l.state = 'listed' AND r.state IN ('confirmed', 'funded') AND l.authority_id IS NULL
GROUP BY roster_id HAVING count(*) > 1 ORDER BY roster_id
"""


@pytest.fixture
def roster(county) -> Roster:
    county("funded")
    with reading(county_officer()):
        return Roster.objects.get(pk=fetch(_ROSTERS)[0][0])


def first_line(roster: Roster) -> RosterLine:
    with reading(county_officer()):
        return roster.lines.filter(state="listed").select_related("card", "payee", "roster").order_by("line_no")[0]


def close(line: RosterLine, on: date) -> None:
    clerk = actor(Post.CLERK, line.roster.division)
    change_card_state(by=clerk, on=on, card=line.card_id, state="closed", evidence="销户回单")


def another_account(line: RosterLine, on: date, account: str = "6299990123456789012") -> None:
    clerk, reviewer = actor(Post.CLERK, line.roster.division), actor(Post.REVIEWER, line.roster.division)
    made = propose_card_correction(
        by=clerk, on=on, holder=line.payee_id, use=line.card.use, account=account, account_name=line.payee.name,
        reason="原卡销户",
    )  # fmt: skip
    approve_card_correction(by=reviewer, on=on, correction=made.pk)


def test_a_line_whose_account_is_closed_waits_and_is_reissued_reg_07(roster):
    settlement = actor(Post.SETTLEMENT, roster.division)
    line = first_line(roster)
    close(line, dates.PREPARED)
    batch = prepare_batch(by=settlement, on=dates.PREPARED, roster_id=roster.pk)
    with reading(settlement):
        line.refresh_from_db(fields=["state", "withheld_reason"])
        assert (line.state, line.withheld_reason) == ("withheld", RosterLine.NOT_IN_FORCE)
        assert batch.lines_count == roster.lines.filter(state="listed").count()
        assert not line.line_dues.filter(live=True).exists()
        waiting = PaymentException.objects.get(line=line)
        assert (waiting.kind, waiting.state) == ("no_card", "open")
    release_batch(by=actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE), on=dates.RELEASED, batch_id=batch.pk)
    another_account(line, dates.RELEASED)
    again = reissue_returned(by=settlement, on=dates.RELEASED, roster_id=roster.pk)
    with reading(settlement):
        [new] = again.lines.select_related("card")
        assert (new.replaces_id, new.card.account_tail, new.amount_fen) == (line.pk, "9012", line.amount_fen)
        assert new.line_dues.filter(live=True).exists()
        waiting.refresh_from_db()
        assert waiting.state == "closed"
    second = prepare_batch(by=settlement, on=dates.RELEASED, roster_id=again.pk)
    released = release_batch(by=actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE), on=dates.RELEASED, batch_id=second.pk)
    assert released.lines_count == 1


def test_an_account_lost_after_preparing_stops_the_release_reg_07(roster):
    settlement, releaser = actor(Post.SETTLEMENT, roster.division), actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    batch = prepare_batch(by=settlement, on=dates.PREPARED, roster_id=roster.pk)
    close(first_line(roster), dates.RELEASED)
    with pytest.raises(WrongState, match="1 行的账户"):
        release_batch(by=releaser, on=dates.RELEASED, batch_id=batch.pk)
    cancel_batch(by=settlement, on=dates.RELEASED, batch_id=batch.pk)
    anew = prepare_batch(by=settlement, on=dates.RELEASED, roster_id=roster.pk)
    assert anew.lines_count == batch.lines_count - 1
    assert release_batch(by=releaser, on=dates.RELEASED, batch_id=anew.pk).state == Batch.State.RELEASED


def test_payment_stays_with_the_old_account_while_the_new_one_cools_reg_07(roster):
    line = first_line(roster)
    settlement, releaser = actor(Post.SETTLEMENT, roster.division), actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    long = (dates.RELEASED - dates.PREPARED).days + 1
    cooling_time(long, dates.PREPARED)
    another_account(line, dates.PREPARED)
    batch = prepare_batch(by=settlement, on=dates.PREPARED, roster_id=roster.pk)
    with reading(settlement):
        line.refresh_from_db(fields=["state", "withheld_reason"])
        assert line.state == "listed"
    with pytest.raises(WrongState, match="账户"):
        release_batch(by=releaser, on=dates.PREPARED + timedelta(days=long), batch_id=batch.pk)
    assert release_batch(by=releaser, on=dates.RELEASED, batch_id=batch.pk).state == Batch.State.RELEASED


_WITHOUT_ACCOUNT = """
SELECT e.person_id, e.household_id, left(e.division, 9) || '000', e.programme, min(d.period_from), max(d.period_until)
FROM casework_entitlement e JOIN payment_due d ON d.entitlement_id = e.id AND d.state = 'owed'
JOIN registry_membership m ON m.person_id = e.person_id AND m.recorded_to IS NULL AND m.valid_to IS NULL
     AND m.relation <> '户主'
WHERE NOT EXISTS (SELECT 1 FROM registry_card c WHERE c.holder_id = e.person_id AND c.recorded_to IS NULL
                  AND c.state = 'active')
  AND EXISTS (SELECT 1 FROM registry_card c WHERE c.household_id = e.household_id AND c.use = 'household'
              AND c.recorded_to IS NULL AND c.state = 'active')
GROUP BY 1, 2, 3, 4 ORDER BY 1
"""


def test_a_guardian_receives_until_the_authority_ends_reg_07(county):
    """The notice names who is helped, the bank who draws; an expired authority leaves the person waiting, and listed."""
    county("accrued")
    with reading(county_officer()):
        person, household, township, programme, start, until = fetch(_WITHOUT_ACCOUNT)[0]
        head = Membership.objects.select_related("person").get(
            household=household, relation="户主", recorded_to=None, valid_to=None
        )
        name = Person.objects.get(pk=person).name
    clerk, reviewer, day = actor(Post.CLERK, township), actor(Post.REVIEWER, township), dates.COMPILED
    made = propose_authority(
        by=clerk, on=day, beneficiary=person, agent_number=plain(head.person.id_number_enc, ID_NUMBER),
        kind="guardian", paper_no="授 1", note="监护人签字", since=day - timedelta(days=30), until=day,
    )  # fmt: skip
    approve_authority(by=reviewer, on=day, authority=made.pk)
    form = {"by": clerk, "programme": programme, "division": township, "period": Period(start, until)}
    roster = compile_roster(on=day, **form)
    with reading(clerk):
        line = roster.lines.get(entitlement__person=person)
        assert (line.name, line.payee_id, line.authority_id) == (name, head.person_id, made.pk)
    withdraw_roster(by=clerk, on=day, roster_id=roster.pk)
    later = compile_roster(on=day + timedelta(days=1), **form)
    with reading(clerk):
        assert not later.lines.filter(entitlement__person=person).exists()
        waiting = PaymentException.objects.get(entitlement__person=person, kind="no_card", state="open")
        assert waiting.reason == "代领授权已到期"


_COUPLES = """
SELECT l.id, s.person_id FROM payment_rosterline l JOIN registry_card c ON c.id = l.card_id AND c.use = 'household'
JOIN registry_membership s ON s.household_id = l.household_id AND s.relation <> '户主' AND s.recorded_to IS NULL
     AND s.valid_to IS NULL
WHERE l.state = 'listed' AND l.authority_id IS NULL AND l.roster_id IN (
    SELECT l.roster_id FROM payment_rosterline l JOIN payment_roster r ON r.id = l.roster_id
    WHERE l.state = 'listed' AND r.state IN ('confirmed', 'funded') GROUP BY l.roster_id HAVING count(*) > 1)
ORDER BY l.roster_id, l.line_no, s.person_id LIMIT 1
"""


def test_a_dead_heads_account_pays_nobody_and_the_next_head_is_paid_again_reg_05_reg_07(county):
    """PAY-08: the exception says why; once the next head's account is approved the money is sent there, once, in his name."""
    county("funded")
    with reading(county_officer()):
        number, heir = fetch(_COUPLES)[0]
        line = RosterLine.objects.select_related("roster", "payee", "card").get(pk=number)
        name = Person.objects.get(pk=heir).name
    place = line.roster.division
    clerk, settlement = actor(Post.CLERK, place), actor(Post.SETTLEMENT, place)
    died = {"died_on": dates.PREPARED - timedelta(days=2), "evidence": "死亡证明", "new_head": heir}
    record_death(by=clerk, on=dates.PREPARED, person=line.payee_id, **died)
    batch = prepare_batch(by=settlement, on=dates.PREPARED, roster_id=line.roster_id)
    with reading(settlement):
        waiting = PaymentException.objects.get(line=line)
    assert "死亡" in waiting.reason and "冻结" in waiting.reason
    release_batch(by=actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE), on=dates.RELEASED, batch_id=batch.pk)
    made = propose_card_correction(
        by=clerk, on=dates.RELEASED, holder=heir, use="household", account="6299990123456789012", account_name=name,
        reason="户主去世",
    )  # fmt: skip
    approve_card_correction(by=actor(Post.REVIEWER, place), on=dates.RELEASED, correction=made.pk)
    with reading(settlement):
        assert [each.count for each in list_reissuable(settlement.prefix, dates.RELEASED)] == [1]
    again = reissue_returned(by=settlement, on=dates.RELEASED, roster_id=line.roster_id)
    with reading(settlement):
        [new] = again.lines.select_related("card")
    assert (new.replaces_id, new.payee_id, new.name, new.card.holder_id) == (line.pk, heir, name, heir)
    with pytest.raises(NothingOwed):
        reissue_returned(by=settlement, on=dates.RELEASED, roster_id=line.roster_id)
