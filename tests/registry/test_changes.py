"""Facts change and are corrected, people die, households move: nothing known is lost (REG-05)."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from huimin.audit.models import Event
from huimin.divisions.queries import list_villages
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands import (
    move_household,
    record_death,
    record_household_facts,
    record_person_facts,
)
from huimin.registry.models import Household, HouseholdFacts, Membership, Person, PersonFacts
from huimin.registry.queries import get_household
from huimin.registry.snapshots import NotRegistered, household_columns
from tests.registry.people import DAY, LATER, NOW, household, members, officer, other_staff, staff

EVIDENCE = "银行存款查询结果"


@pytest.fixture
def home(county):
    county("registered")
    return household()


def deposits(of, on, known_at=None):
    with reading(officer()):
        return household_columns(of.pk, on, known_at)[0]["deposits"][0].as_py()


def versions(model, **owner):
    with reading(officer()):
        return list(model.objects.filter(**owner).order_by("id"))


def record(by, of, value, since=LATER, until=None, evidence=EVIDENCE):
    return record_household_facts(
        by=by, on=NOW, household=of.pk, facts={"deposits": value}, since=since, until=until, evidence=evidence
    )


def test_a_change_holds_from_its_day_and_the_past_stays(home):
    """REG-05: the state on any past day, and as it was known on any past day."""
    clerk, before = staff(Post.CLERK, home), deposits(home, DAY)
    [first] = versions(HouseholdFacts, household=home)
    assert record(clerk, home, 777_00) is True
    assert deposits(home, LATER - timedelta(days=1)) == before
    assert deposits(home, LATER) == 777_00
    assert deposits(home, NOW, known_at=first.recorded_from) == before
    rows = versions(HouseholdFacts, household=home)
    assert [row.recorded_to is None for row in rows] == [False, True, True]
    assert rows[1].evidence == first.evidence and rows[2].evidence == EVIDENCE
    assert rows[2].contract_land_mu == first.contract_land_mu
    assert bytes(rows[2].address_enc) == bytes(first.address_enc)


def test_the_same_change_again_has_no_second_effect(home):
    clerk = staff(Post.CLERK, home)
    assert record(clerk, home, 777_00) is True
    count = len(versions(HouseholdFacts, household=home))
    assert record(clerk, home, 777_00) is False
    assert len(versions(HouseholdFacts, household=home)) == count


def test_a_correction_of_the_past_splits_the_range(home):
    clerk, before = staff(Post.CLERK, home), deposits(home, DAY)
    record(clerk, home, 1_00, since=date(2021, 7, 1), until=date(2021, 7, 11))
    assert [deposits(home, day) for day in (date(2021, 6, 30), date(2021, 7, 1), date(2021, 7, 10), date(2021, 7, 11))] == [
        before, 1_00, 1_00, before,
    ]  # fmt: skip
    record(clerk, home, 2_00, since=date(2021, 7, 5), until=date(2021, 7, 20))
    days = [date(2021, 7, day) for day in (4, 5, 10, 11, 19, 20)]
    assert [deposits(home, day) for day in days] == [1_00, 2_00, 2_00, 2_00, 2_00, before]
    live = [row for row in versions(HouseholdFacts, household=home) if row.recorded_to is None]
    live.sort(key=lambda row: row.valid_from)
    assert all(one.valid_to == other.valid_from for one, other in pairwise(live))
    assert live[-1].valid_to is None


def test_days_before_the_survey_get_a_row_of_their_own(home):
    clerk = staff(Post.CLERK, home)
    assert record(clerk, home, 5_00, since=date(2021, 1, 1), until=DAY) is True
    assert deposits(home, date(2021, 3, 1)) == 5_00
    with reading(officer()):
        assert household_columns(home.pk, date(2021, 3, 1))[0]["houses"][0].as_py() is None


def test_address_and_phone_are_sealed(home):
    clerk = staff(Post.CLERK, home)
    act = {"by": clerk, "on": NOW, "household": home.pk, "since": NOW, "evidence": "户口簿"}
    facts = {"address": "金寨县梅山镇徐冲村上湾组9号", "phone": "16009999999"}
    assert record_household_facts(facts=facts, **act) is True
    assert record_household_facts(facts=facts, **act) is False
    with reading(clerk):
        state = get_household(home.pk, clerk, NOW)
    assert state.address == "金寨县梅山镇徐冲村****" and state.phone == "160****9999"
    assert record_household_facts(facts={"phone": None}, **act) is True
    with reading(clerk):
        assert get_household(home.pk, clerk, NOW).phone == ""


@pytest.mark.parametrize(
    ("facts", "since", "until", "evidence", "where"),
    [
        ({"deposits": "多"}, LATER, None, EVIDENCE, "存款"),
        ({"deposits": True}, LATER, None, EVIDENCE, "存款"),
        ({"hukou": "居民"}, LATER, None, EVIDENCE, "户籍类型"),
        ({"wage_month": 1}, LATER, None, EVIDENCE, "事实"),
        ({"deposits": 1}, date(2021, 9, 2), None, EVIDENCE, "起始日期"),
        ({"deposits": 1}, LATER, LATER, EVIDENCE, "截止日期"),
        ({"deposits": 1}, LATER, None, " ", "依据"),
    ],
)
def test_bad_changes_are_named(shared_county, facts, since, until, evidence, where):
    shared_county("registered")
    home = household()
    act = {"by": staff(Post.CLERK, home), "on": NOW, "household": home.pk}
    with pytest.raises(BadInput) as wrong:
        record_household_facts(facts=facts, since=since, until=until, evidence=evidence, **act)
    assert wrong.value.where == where
    assert len(versions(HouseholdFacts, household=home)) == 1


def test_post_and_place_are_required(shared_county):
    shared_county("registered")
    home = household()
    with pytest.raises(NotYourPost):
        record(staff(Post.SETTLEMENT, home), home, 1)
    with pytest.raises(NotRegistered):
        record(other_staff(Post.CLERK, home), home, 1)
    person = members(home)[0].person_id
    act = {"on": NOW, "person": person, "facts": {"employed": True}, "since": NOW, "evidence": "证明"}
    with pytest.raises(NotRegistered):
        record_person_facts(by=other_staff(Post.CLERK, home), **act)
    with pytest.raises(NotYourPost):
        record_person_facts(by=staff(Post.REVIEWER, home), **act)


def test_facts_of_a_person(home):
    clerk, person = staff(Post.CLERK, home), members(home)[1].person_id
    act = {"by": clerk, "on": NOW, "person": person, "since": LATER, "evidence": "残疾人证"}
    assert record_person_facts(facts={"disability_grade": 2, "employed": False}, **act) is True
    assert record_person_facts(facts={"disability_grade": 2}, **act) is False
    with reading(clerk):
        _, people = household_columns(home.pk, NOW)
    row = next(row for row in people.to_pylist() if row["person_id"] == person)
    assert (row["disability_grade"], row["employed"]) == (2, False)
    with pytest.raises(BadInput, match="死亡登记"):
        record_person_facts(facts={"death_date": LATER}, **act)


def test_a_death_ends_the_membership_and_frees_nothing_else(home):
    """REG-05: from that day no member; before it still one; the registry says so only once."""
    clerk, member = staff(Post.CLERK, home), members(home)[1]
    act = {"by": clerk, "on": NOW, "person": member.person_id, "died_on": LATER, "evidence": "死亡证明"}
    record_death(**act)
    record_death(**act)
    with pytest.raises(AlreadyDone):
        record_death(**{**act, "died_on": DAY})
    with reading(clerk):
        before = household_columns(home.pk, LATER - timedelta(days=1))[1]["person_id"].to_pylist()
        after = household_columns(home.pk, LATER)[1]["person_id"].to_pylist()
        facts = PersonFacts.objects.get(person=member.person_id, recorded_to=None, valid_to=None)
        assert Person.objects.get(pk=member.person_id).closed_on == LATER
    assert set(before) - set(after) == {member.person_id}
    assert facts.death_date == LATER


def test_a_heads_death_needs_another_head(home):
    clerk, (head, other, *_) = staff(Post.CLERK, home), members(home)
    act = {"by": clerk, "on": NOW, "person": head.person_id, "died_on": LATER, "evidence": "死亡证明"}
    with pytest.raises(BadInput, match="新户主"):
        record_death(**act)
    assert len(versions(Membership, person=head.person_id)) == 1
    record_death(**act, new_head=other.person_id)
    with reading(clerk):
        assert get_household(home.pk, clerk, NOW).head.person.pk == other.person_id
        assert get_household(home.pk, clerk, DAY).head.person.pk == head.person_id


def test_the_last_death_closes_the_household(county):
    county("registered")
    single = next(h for h in (household(1, False, n) for n in range(60)) if len(members(h)) == 1)
    clerk = staff(Post.CLERK, single)
    person = members(single)[0].person_id
    with pytest.raises(BadInput, match="死亡日期"):
        record_death(by=clerk, on=NOW, person=person, died_on=date(2021, 9, 2), evidence="死亡证明")
    record_death(by=clerk, on=NOW, person=person, died_on=LATER, evidence="死亡证明")
    with reading(clerk):
        assert Household.objects.get(pk=single.pk).closed_on == LATER
        with pytest.raises(NotRegistered):
            household_columns(single.pk, NOW)
    with pytest.raises(NotRegistered):
        record(clerk, single, 1)


def test_a_household_moves_with_all_its_rows(home):
    """REG-05, house plan 3b: registry rows move with people; only within the place of who acts."""
    clerk, away = staff(Post.CLERK, home), other_staff(Post.CLERK, home)
    with reading(officer()):
        village = list_villages(away.division, DAY)[0].code
    act = {"on": NOW, "household": home.pk, "division": village, "address": "金寨县某镇某村1号", "evidence": "迁移证"}
    with pytest.raises(NotYourPlace):
        move_household(by=clerk, **act)
    with pytest.raises(NotYourPost):
        move_household(by=staff(Post.SETTLEMENT, home), **act)
    with pytest.raises(BadInput, match="村"):
        move_household(by=officer(), **{**act, "division": away.division})
    people = [row.person_id for row in members(home)]
    for _ in range(2):
        move_household(by=officer(), **act)
    with reading(away):
        assert Household.objects.get(pk=home.pk).division == village
        assert Person.objects.filter(pk__in=people).count() == len(people)
        assert get_household(home.pk, away, NOW).address == "金寨县某镇某村****"
    with reading(clerk):
        assert not Household.objects.filter(pk=home.pk).exists()
        assert not PersonFacts.objects.filter(person__in=people).exists()
    with reading(officer()):
        assert Event.objects.filter(kind=Event.Kind.REFUSED, subject="move_household").count() == 3
        assert len(versions(HouseholdFacts, household=home)) == 3
