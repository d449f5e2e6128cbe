"""The yearly survey: opened, done by forms, counted, closed (REG-06)."""

from datetime import date, timedelta

import pytest

from huimin.casework.changes import Told, confirm_change, enter_change, refuse_change
from huimin.database.bulk import fetch_one
from huimin.demo.actors import actor
from huimin.fieldwork import campaigns
from huimin.fieldwork.campaign_queries import (
    DONE,
    DUE,
    OVERDUE,
    DueFilter,
    count_by_place,
    find_open_campaign,
    iterate_due,
    list_forms_of,
    officers_of,
    page_due,
    total_of,
)
from huimin.fieldwork.models import Campaign, CampaignPlace, SurveyForm
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands.moving import move_household
from huimin.registry.models import Household, ReportedChange
from tests.fieldwork.people import ON, homes, informant, of_township, officer, other_village, village

DEADLINE = date(2021, 9, 30)


def opened(on=ON, **more):
    told = {"year": 2021, "starts_on": date(2021, 7, 1), "deadline": DEADLINE} | more
    return campaigns.open_campaign(by=officer(), on=on, **told)


def forms(by, households, on=ON, day=None):
    return campaigns.record_forms(
        by=by, on=on, households=households, surveyed_on=day or on, surveyors="甲、乙", evidence="村存第1册"
    )


def standing(by, on=ON, **more):
    """How many a place has, done and late."""
    with reading(by):
        total = total_of(count_by_place(find_open_campaign(by.division), by.prefix, Level.VILLAGE, on))
        return total.due, total.done, total.overdue


def test_everybody_is_due_and_done_by_forms_reg_06(county):
    county("registered")
    campaign, home = opened(), homes(village())
    there = len(home)
    assert standing(informant()) == (there, 0, 0)
    assert forms(informant(), home[:2]) == 2
    assert forms(informant(), home[:2]) == 0, "the same forms again are the same forms"
    assert standing(informant()) == (there, 2, 0)
    late = DEADLINE + timedelta(days=1)
    assert standing(informant(), late) == (there, 2, there - 2)
    with reading(officer()):
        asked = DueFilter(campaign, village(), late, OVERDUE)
        assert {row.pk for row in page_due(asked, size=1000)} == set(home[2:])
        assert not page_due(DueFilter(campaign, village(), ON, OVERDUE)).rows, "not late before the deadline"
        done = list(iterate_due(DueFilter(campaign, village(), ON, DONE)))
        assert [(row.pk, row.surveyed_on) for row in done] == [(number, ON) for number in home[:2]]
        assert done[0].head_name
        pages, at = [], ""
        while True:
            page = page_due(DueFilter(campaign, "341524", ON, DUE), at, 40)
            pages += [row.pk for row in page]
            at = page.next
            if not at:
                break
        assert len(pages) == len(set(pages)) == Household.objects.filter(closed_on=None).count() - 2
        assert officers_of([village()], ON)[village()][0].account.full_name == informant().name


def test_a_form_outside_the_campaign_does_not_count_reg_06(county):
    county("registered")
    opened()
    home = homes(village())
    forms(informant(), home[:1], day=date(2021, 6, 30))
    assert standing(informant())[1] == 0
    for bad, words in ((date(2021, 7, 6), "还没有到"), (date(2020, 6, 1), "一年多以前")):
        with pytest.raises(BadInput, match=words):
            forms(informant(), home[:1], day=bad)


def test_a_form_that_differs_is_a_change_and_counts_unless_refused_reg_06(county):
    county("registered")
    opened()
    home = homes(village())[0]
    told = Told("facts", home, ON, "基本信息表", {"household": {"houses": 3}})
    change = campaigns.submit_form(by=informant(), on=ON, told=told)
    assert change.state == ReportedChange.State.REPORTED
    assert standing(informant())[1] == 1
    with reading(officer()):
        assert [(row.outcome, row.change_id) for row in list_forms_of(home)] == [("changed", change.pk)]
    refuse_change(by=of_township(Post.CLERK), on=ON, change=change.pk, refusal="与入户情况不符")
    assert standing(informant())[1] == 0
    with pytest.raises(BadInput):
        campaigns.submit_form(
            by=informant(), on=ON, told=Told("facts", home, date(2022, 1, 1), "基本信息表", told.payload)
        )
    with reading(officer()):
        assert SurveyForm.objects.count() == 1, "a refused form leaves nothing"


def test_a_household_that_moves_takes_its_form_along_reg_06(county):
    county("registered")
    opened()
    home, there = homes(village())[0], other_village()
    forms(informant(), [home])
    with reading(officer()):
        before = len(homes(there))
    move_household(by=officer(), on=ON, household=home, division=there, address="新址 1 号", evidence="迁移证")
    assert standing(officer())[1] == 1
    assert standing(actor(Post.INFORMATION_OFFICER, there)) == (before + 1, 1, 0)


def test_a_household_split_off_meanwhile_is_due_and_new_reg_06(county):
    county("registered")
    campaign = opened()
    with reading(officer()):
        [number] = fetch_one(
            "SELECT h.id FROM registry_household h JOIN registry_membership m ON m.household_id = h.id AND m.valid_to IS NULL"
            " WHERE h.closed_on IS NULL GROUP BY h.id HAVING count(*) > 2 ORDER BY h.id LIMIT 1"
        )
        home = Household.objects.get(pk=number)
        people = list(home.memberships.filter(recorded_to=None, valid_to=None).exclude(relation="户主"))
        before = Household.objects.filter(closed_on=None).count()
    leaver = people[-1].person_id
    told = Told(
        "split", number, ON, "分户申请",
        {"people": [leaver], "head": leaver, "division": home.division, "address": "新址 2 号", "phone": "", "relations": {}},
    )  # fmt: skip
    clerk, reviewer = (actor(post, home.division[:9] + "000") for post in (Post.CLERK, Post.REVIEWER))
    row = enter_change(by=clerk, on=ON, told=told)
    if row.state == ReportedChange.State.ENTERED:
        confirm_change(by=reviewer, on=ON, change=row.pk)
    assert standing(officer())[0] == before + 1
    with reading(officer()):
        fresh = page_due(DueFilter(campaign, "341524", ON, DUE, new_only=True))
        assert len(fresh) == 1 and fresh.rows[0].pk > campaign.households_upto


def test_who_may_and_when_reg_06(county):
    county("registered")
    with pytest.raises(NotYourPost):
        campaigns.open_campaign(
            by=of_township(Post.CLERK), on=ON, year=2021, starts_on=date(2021, 7, 1), deadline=DEADLINE
        )
    for bad in ({"year": 2020}, {"deadline": date(2021, 6, 1)}, {"whom": "nobody"}):
        with pytest.raises(BadInput):
            opened(**bad)
    opened()
    with pytest.raises(AlreadyDone):
        opened()
    with pytest.raises(AlreadyDone, match="没有结束"):
        opened(year=2022, starts_on=date(2022, 1, 1), deadline=date(2022, 9, 30))
    stranger = homes(other_village())[:1]
    with pytest.raises(BadInput, match="辖区"):
        forms(informant(), stranger)
    with pytest.raises(NotYourPost):
        forms(of_township(Post.REVIEWER), homes(village())[:1])
    with pytest.raises(BadInput, match="没有选家庭"):
        forms(informant(), [])


def test_closing_freezes_what_each_village_came_to_reg_06(county):
    county("registered")
    campaign, home = opened(), homes(village())
    forms(informant(), home)
    with pytest.raises(campaigns.CampaignNotOver):
        campaigns.close_campaign(by=officer(), on=ON, campaign=campaign.pk, summary="还没有完")
    with reading(officer()):
        assert CampaignPlace.objects.count() == 0, "a refused closing leaves nothing"
    late = DEADLINE + timedelta(days=2)
    with pytest.raises(BadInput):
        campaigns.close_campaign(by=officer(), on=late, campaign=campaign.pk, summary=" ")
    closed = campaigns.close_campaign(by=officer(), on=late, campaign=campaign.pk, summary="其余外出务工，年内补齐")
    assert closed.state == Campaign.State.CLOSED and closed.signature.signer
    forms(informant(), home[:1], on=late + timedelta(days=1))
    with reading(officer()):
        rows = {row.division: row for row in count_by_place(closed, "341524", Level.VILLAGE, late + timedelta(days=1))}
        assert (rows[village()].due, rows[village()].done, rows[village()].overdue) == (len(home), len(home), 0)
        assert sum(row.due for row in rows.values()) == Household.objects.filter(closed_on=None).count()
        townships = count_by_place(closed, "341524", Level.TOWNSHIP, late)
        assert sum(row.due for row in townships) == sum(row.due for row in rows.values())
    with pytest.raises(AlreadyDone):
        campaigns.close_campaign(by=officer(), on=late, campaign=campaign.pk, summary="再结束一次")


def test_counting_asks_once_and_lists_in_a_handful_reg_06(county, django_assert_max):
    """Sets, not loops: the number of statements does not depend on households or villages."""
    county("registered")
    campaign = opened()
    forms(informant(), homes(village()))
    with reading(officer()):
        assert django_assert_max(1, lambda: count_by_place(campaign, "341524", Level.VILLAGE, ON))
        assert django_assert_max(2, lambda: page_due(DueFilter(campaign, "341524", ON, DUE)))
    by, next_homes = officer(), homes(village(1))
    assert django_assert_max(6, lambda: forms(by, next_homes))
