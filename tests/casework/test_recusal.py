"""Recusal where decisions are made: one refused, many without the relatives, and what was decided before (REG-10, SEC-02)."""

from datetime import date

import pytest

from huimin.audit.models import Event
from huimin.casework import relief
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Decision
from huimin.casework.recusal import list_decided_earlier
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.kinship.queries import list_left_out
from huimin.kinship.recusal import Recused
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household
from huimin.screening.models import Proposal
from tests.kinship.people import declare
from tests.registry.people import members, staff

GRAIN = "grain-one-off"


def approver():
    return actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)


def decide(**more):
    told = {"by": approver(), "on": dates.DECIDED, "programme": GRAIN, "division": COUNTY, "grant": True}
    return decide_proposals(**told | more)


def proposals():
    with reading(county_officer()):
        return list(Proposal.objects.filter(programme=GRAIN, state="open", kind="enter").order_by("id"))


def head_of(household):
    return members(Household(pk=household))[0].person


def test_one_of_a_relative_is_refused_and_recorded_reg_10(county):
    county("screened")
    mine, other = proposals()[:2]
    declare(approver(), head_of(mine.household_id))
    with pytest.raises(Recused, match="回避"):
        decide(proposal_ids=[mine.pk])
    with pytest.raises(Recused):
        decide(proposal_ids=[mine.pk], grant=False, reason="不符合")
    with reading(county_officer()):
        assert not Decision.objects.exists()
        refused = Event.objects.filter(kind="refused", detail__obstacle="Recused")
        assert [each.subject for each in refused] == ["decide_proposals"] * 2
    assert decide(proposal_ids=[other.pk]) == 1


def test_of_many_the_relatives_are_left_out_and_named_reg_10(county):
    county("screened")
    every = proposals()
    mine = every[0].household_id
    declare(approver(), head_of(mine))
    by = approver()
    left = sum(each.household_id == mine for each in every)
    assert decide(by=by) == len(every) - left
    with reading(by):
        number = Household.objects.get(pk=mine).household_no
        assert list_left_out(by.request) == [number]
        assert Proposal.objects.filter(state="open", kind="enter", programme=GRAIN).count() == left
    with pytest.raises(Recused):
        decide()


def test_a_decision_before_the_declaration_is_shown_reg_10(county):
    county("screened")
    mine = proposals()[0]
    decide(proposal_ids=[mine.pk])
    with reading(county_officer()):
        assert list_decided_earlier("341524", dates.DECIDED) == []
    declare(approver(), head_of(mine.household_id), on=date(2021, 7, 5))
    with reading(county_officer()):
        [row] = list_decided_earlier("341524", date(2021, 7, 5))
    assert (row.household, row.decided_on, row.declared_on) == (mine.household_id, dates.DECIDED, date(2021, 7, 5))
    assert row.officer == approver().title and row.what.endswith(GRAIN)


def test_relief_is_decided_by_somebody_else_reg_10(county):
    """The head's relative: the head neither approves nor refuses; a clerk does not record his own."""
    county("registered")
    from tests.registry.people import household

    home = household()
    head, clerk = staff(Post.TOWNSHIP_HEAD, home), staff(Post.CLERK, home)
    finance = [actor(post, OfficeKind.FINANCE) for post in (Post.FINANCE_OFFICER, Post.FINANCE_RELEASER)]
    on, township = date(2021, 9, 1), home.division[:9] + "000"
    relief.set_up_fund(by=finance[0], on=on, division=township, limit_fen=1000_00, basis="县文 1 号")
    told = {"household": home.pk, "cause": "fire", "story": "失火", "happened_on": on, "amount_fen": 500_00}
    made = relief.record_relief(by=clerk, on=on, **told)
    declare(head, members(home)[0].person, on=on)
    for act, more in ((relief.approve_relief, {}), (relief.refuse_relief, {"refusal": "不符合"})):
        with pytest.raises(Recused):
            act(by=head, on=on, relief_id=made.pk, **more)
    declare(clerk, members(home)[0].person, on=on)
    with pytest.raises(Recused):
        relief.record_relief(by=clerk, on=on, **told)
