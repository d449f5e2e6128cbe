"""Who is due when: one statement against a plain count by hand, dates, the county's own numbers, relatives of officers (CASE-09)."""

from datetime import date

import pytest

from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.periods import add_months
from huimin.kinship.models import Relative
from huimin.kinship.recusal import Recused
from huimin.organisation.acting import AlreadyDone, NotYourProgramme, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.beginning import begin_rechecks
from huimin.rechecks.concluding import conclude_rechecks, confirm_rechecks
from huimin.rechecks.due import DueFilter, count_due, find_due, list_all_due, page_by_place, page_due
from huimin.rechecks.models import Recheck
from huimin.rechecks.rules import propose_rule, settings_of, settle_rule
from huimin.registry.models import Household, HouseholdFacts, Membership, PersonFacts
from huimin.registry.queries import holding
from tests.kinship.people import declare
from tests.rechecks.people import PROGRAMME, begun, civil, drawing, looked
from tests.registry.people import officer, other_staff, staff

DAY = date(2021, 9, 1)
COUNTY, PLACE = "341524", "341524000000"


def by_hand(on, partly=False, business=True):
    """Household → (grounds, due), counted one by one with nothing but single look-ups."""
    found = {}
    held = Entitlement.objects.filter(programme=PROGRAMME, valid_to=None, household__closed_on=None)
    for row in held.select_related("household"):
        facts = [
            PersonFacts.objects.filter(holding(on), person=each.person_id).first()
            for each in Membership.objects.filter(holding(on), household=row.household_id)
        ]
        alive = [each for each in facts if each and (each.death_date is None or each.death_date > on)]
        home = HouseholdFacts.objects.filter(holding(on), household=row.household_id).first()
        grounds = {
            "labour": any(each.labour == "有" for each in alive),
            "partly": partly and any(each.labour == "部分" for each in alive),
            "business": business and (home.business_income_year or 0) > 0,
            "other": (home.other_income_year or 0) > 0,
            "casual": any(each.employed and each.pension_insured != "职工" for each in alive),
            "kin": any(each.staff_kin for each in alive),
        }
        why = {name for name, holds in grounds.items() if holds}
        found[row.household_id] = why, add_months(row.since, 6 if why else 12)
    return found


def told(rows):
    return {row.household: (set(row.grounds), row.due_on) for row in rows}


def confirm(code, value, **more):
    row = propose_rule(by=officer(), on=date(2021, 7, 5), code=code, value=value, basis="县民政局2021年9号", **more)
    return settle_rule(by=civil(Post.DEPARTMENT_APPROVER), on=date(2021, 7, 5), number=row.pk, agreed=True)


def test_the_whole_county_in_one_statement_is_what_one_counts_by_hand_case_09(county):
    """Law first, then the county's own numbers with four eyes; pages walk through every row once, both ways."""
    county("decided")
    by = officer()
    with reading(by):
        settings = settings_of(by.division, DAY)
        wanted = DueFilter(COUNTY, DAY, settings)
        whole = list_all_due(wanted)
        expected = by_hand(DAY)
        assert told(whole) == expected and len(expected) > 10
        assert {row.months for row in whole if row.grounds} == {6} and all(
            row.since == date(2021, 7, 1) for row in whole
        )
        first = page_due(wanted, size=7)
        rows, at = list(first.rows), first.next
        while at:
            step = page_due(wanted, at, size=7)
            rows, at = rows + step.rows, step.next
        assert [row.household for row in rows] == [
            row.household for row in sorted(whole, key=lambda r: (r.due_on, r.household))
        ]
        back = page_due(wanted, page_due(wanted, first.next, size=7).previous, size=7)
        assert [row.household for row in back] == [row.household for row in first.rows]
        assert page_due(wanted, "<99999999.x", size=7).rows == first.rows, "a place that was tampered with"
        by_place, at = [], ""
        while step := page_by_place(wanted, at, size=5):
            by_place += step.rows
            if not (at := step.next):
                break
        assert [row.household for row in by_place] == [
            row.household for row in sorted(whole, key=lambda r: (r.division, r.household))
        ]
        counts = count_due(COUNTY, DAY, settings, 9)
        assert sum(row.whole for row in counts) == len(whole) and sum(row.half for row in counts) == sum(
            bool(r.grounds) for r in whole
        )
        half = DueFilter(COUNTY, date(2022, 1, 2), settings, standing="overdue")
        assert {row.household for row in list_all_due(half)} == {
            key for key, (_, due) in expected.items() if due == date(2022, 1, 1)
        }
        assert not list_all_due(DueFilter(COUNTY, date(2022, 1, 1), settings, standing="overdue")), (
            "the day itself is in time"
        )
        assert {row.household for row in list_all_due(DueFilter(COUNTY, DAY, settings, ground="none"))} == {
            key for key, (why, _) in expected.items() if not why
        }
    _county_rules(expected)


def _county_rules(expected):
    """The county narrows what is unsteady and re-checks every quarter; nobody confirms his own."""
    with pytest.raises(BadInput):
        propose_rule(by=officer(), on=DAY, code="stable", value=0, basis="县民政局2021年9号")
    with pytest.raises(BadInput):
        propose_rule(by=officer(), on=DAY, code="soon", value=30, basis="县民政局2021年9号", programme=PROGRAMME)
    farmer = actor(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    with pytest.raises(NotYourProgramme):
        propose_rule(by=farmer, on=DAY, code="stable", value=9, basis="县农业农村局2021年9号")
    row = propose_rule(by=officer(), on=DAY, code="unstable", value=3, basis="县民政局2021年8号")
    with pytest.raises(AlreadyDone):
        propose_rule(by=officer(), on=DAY, code="unstable", value=4, basis="县民政局2021年8号")
    with pytest.raises(SamePerson):
        settle_rule(by=officer(), on=DAY, number=row.pk, agreed=True)
    with reading(officer()):
        assert settings_of(PLACE, DAY).frequencies[PROGRAMME].unstable == 6, "not in force yet"
    settle_rule(by=civil(Post.DEPARTMENT_APPROVER), on=DAY, number=row.pk, agreed=True)
    confirm("business", 0)
    confirm("partly", 1)
    confirm("stable", 24, programme=PROGRAMME)
    confirm("stable", 12, programme="tekun")
    with reading(officer()):
        settings = settings_of(PLACE, DAY)
        assert settings.frequencies[PROGRAMME].unstable == 3 and settings.frequencies["tekun"].stable == 12
        rows = list_all_due(DueFilter(COUNTY, DAY, settings))
        anew = by_hand(DAY, partly=True, business=False)
        assert {row.household: set(row.grounds) for row in rows} == {key: why for key, (why, _) in anew.items()}
        assert {row.due_on for row in rows if row.grounds} == {date(2021, 10, 1)}
        assert {row.due_on for row in rows if not row.grounds} <= {date(2023, 7, 1)}
        assert settings_of("230702000000", date(2022, 7, 1)).frequencies["dibao-marginal"].basis.startswith("伊民规")


def test_a_relative_of_an_officer_makes_it_half_yearly_and_nobody_learns_whose_case_09(county):
    """单独登记备案: the township sees that the household is registered apart, not by whom; the officer himself does not begin it."""
    county("decided")
    with reading(officer()):
        steady = [row for row in list_all_due(DueFilter(COUNTY, DAY, settings_of(PLACE, DAY))) if not row.grounds]
        of = Household.objects.get(pk=steady[0].household)
        relative = Membership.objects.filter(holding(DAY), household=of)[0].person
    stranger, clerk = other_staff(Post.CLERK, of), staff(Post.CLERK, of)
    declare(staff(Post.REVIEWER, of), relative)
    with reading(clerk):
        row = find_due(of.pk, clerk.prefix, DAY, settings_of(clerk.division, DAY))
        assert "kin" in row.grounds and row.months == 6 and row.due_on == date(2022, 1, 1)
        assert not Relative.objects.exists(), "the file stays the county's"
    with reading(stranger):
        assert find_due(of.pk, stranger.prefix, DAY, settings_of(stranger.division, DAY)) is None
    declare(clerk, relative, on=date(2021, 6, 26))
    with pytest.raises(Recused):
        begin_rechecks(by=clerk, on=DAY, households=[of.pk])


def test_the_next_one_counts_from_the_last_case_09(county):
    """Concluded on 31 August 2021: half a year on there is no 31 February, so it is due on the 28th; a year on the 31st."""
    county("decided")
    of = drawing()
    row = begun(of)
    looked(row)
    last = date(2021, 8, 31)
    conclude_rechecks(by=staff(Post.CLERK, of), on=last, words={row.pk: "与登记一致，保持不变"})
    by = officer()
    with reading(by):
        settings = settings_of(by.division, last)
        waiting = find_due(of.pk, COUNTY, last, settings)
        assert (waiting.last_on, waiting.live) == (None, row.pk), "not confirmed, not done"
    confirm_rechecks(by=staff(Post.REVIEWER, of), on=date(2021, 9, 10), rechecks=[row.pk])
    with reading(by):
        done = find_due(of.pk, COUNTY, date(2021, 9, 10), settings)
        assert (done.last_on, done.live) == (last, None)
        assert done.due_on == (date(2022, 2, 28) if done.grounds else date(2022, 8, 31))
        assert Recheck.objects.get(pk=row.pk).due_on == (date(2022, 1, 1) if done.grounds else date(2022, 7, 1))
