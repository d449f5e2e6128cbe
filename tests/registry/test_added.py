"""Facts a county added: stored, checked, read by policies, shown, in the story (REG-01, POL-01, DET-07)."""

from datetime import date

import pytest

from huimin.casework.screening import granted_on
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Entity, Fact, Kind
from huimin.kernel.places import chain
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.policy.queries import added_facts, adopted_book
from huimin.registry.added import added_of, require_fits
from huimin.registry.commands import record_household_facts, record_person_facts
from huimin.registry.models import HouseholdFacts
from huimin.registry.queries import get_household
from huimin.registry.snapshots import household_columns, snapshot_columns
from huimin.registry.timelines import household_timeline
from huimin.rules.table import Table
from huimin.screening.explaining import explain_household
from huimin.screening.snapshots import Snapshot, load, save
from tests.registry.people import LATER, NOW, household, members, officer, staff

COUNTY = "341524000000"
TEA = Fact("茶园亩数", "tea_mu", Entity.HOUSEHOLD, Kind.AREA, "亩")
SINCE = Fact("建园日期", "tea_since", Entity.HOUSEHOLD, Kind.DATE)
GRADE = Fact("制茶工等级", "tea_grade", Entity.PERSON, Kind.CHOICE, choices=("初级", "中级", "高级"), sensitive=True)
OWN = (TEA, SINCE, GRADE)


@pytest.fixture
def home(county):
    county("adopted")
    return household()


def record(by, of, facts, since=LATER):
    return record_household_facts(
        by=by, on=NOW, household=of.pk, facts=facts, since=since, evidence="茶园登记表", added=OWN
    )


def test_the_policies_in_use_say_what_a_county_added_pol_01(home):
    with reading(officer()):
        assert {fact.name for fact in added_facts(COUNTY)} >= {"油菜亩数", "奖扶家庭类型"}
        assert added_facts("230700000000") != added_facts(COUNTY)
        assert added_facts("") == ()


def test_added_facts_are_kept_beside_the_others_reg_01(home):
    clerk = staff(Post.CLERK, home)
    assert record(clerk, home, {"tea_mu": 250, "deposits": 100}) is True
    assert record(clerk, home, {"tea_mu": 250}) is False
    assert record(clerk, home, {"tea_since": date(2020, 3, 1)}, NOW) is True
    with reading(clerk):
        state = get_household(home.pk, clerk, NOW, added=OWN)
        columns, _ = household_columns(home.pk, NOW, added=OWN)
        before, _ = household_columns(home.pk, date(2021, 8, 1), added=OWN)
    told = {each.fact.name: each.text for each in state.facts}
    assert told["茶园亩数"] == "2.50 亩" and told["建园日期"] == "2020-03-01"
    assert columns["tea_mu"][0].as_py() == 250 and columns["deposits"][0].as_py() == 100
    assert columns["tea_since"][0].as_py() == date(2020, 3, 1) and before["tea_mu"][0].as_py() is None
    assert added_of(columns) == (TEA, SINCE)
    assert record(clerk, home, {"tea_mu": None}, NOW) is True
    with reading(clerk):
        assert household_columns(home.pk, NOW, added=OWN)[0]["tea_mu"][0].as_py() is None


def test_what_changed_is_told_in_the_story_reg_05(home):
    clerk = staff(Post.CLERK, home)
    record(clerk, home, {"tea_mu": 250})
    with reading(clerk):
        lines = [line for act in household_timeline(home.pk, clerk, OWN) for line in act.lines]
    assert ("茶园亩数", "未采集", "2.50 亩") in [(each.label, each.before, each.after) for each in lines]


@pytest.mark.parametrize(
    ("fact", "value", "remedy"),
    [
        (TEA, "两亩", "核对"), (TEA, True, "核对"), (GRADE, "特级", "初级、中级、高级"), (SINCE, "2020-03-01", "核对"),
        (Fact("所在村", "tea_place", Entity.HOUSEHOLD, Kind.PLACE), "三四", "区划代码"),
        (Fact("茶号", "tea_name", Entity.HOUSEHOLD, Kind.TEXT), "", "核对"),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused_reg_01(fact, value, remedy):
    with pytest.raises(BadInput) as wrong:
        require_fits(value, fact)
    assert wrong.value.where == fact.name and remedy in str(wrong.value)


def test_nobody_stores_a_fact_the_county_does_not_have(home):
    clerk = staff(Post.CLERK, home)
    with pytest.raises(BadInput):
        record_household_facts(
            by=clerk, on=NOW, household=home.pk, facts={"tea_mu": 1}, since=LATER, evidence="茶园登记表"
        )
    with pytest.raises(BadInput):
        record(clerk, home, {"tea_grade": "初级"})
    with reading(officer()):
        assert [row.added for row in HouseholdFacts.objects.filter(household=home)] == [{}]


def test_a_persons_and_who_may_read_it_sec_04(home):
    clerk, person = staff(Post.CLERK, home), members(home)[0].person_id
    act = {"by": clerk, "on": NOW, "person": person, "since": LATER, "evidence": "等级证书", "added": OWN}
    assert record_person_facts(facts={"tea_grade": "中级"}, **act) is True
    for post, text in ((Post.CLERK, "中级"), (Post.SETTLEMENT, "****")):
        by = staff(post, home)
        with reading(by):
            state = get_household(home.pk, by, NOW, added=OWN)
        shown = next(
            each
            for member in state.members
            for each in member.facts
            if each.fact is GRADE and member.person.pk == person
        )
        assert text in shown.text or shown.hidden


def test_a_snapshot_carries_them_and_what_they_are_det_07(home, tmp_path):
    clerk, person = staff(Post.CLERK, home), members(home)[0].person_id
    record(clerk, home, {"tea_mu": 250})
    record_person_facts(
        by=clerk, on=NOW, person=person, facts={"tea_grade": "高级"}, since=LATER, evidence="等级证书", added=OWN
    )
    with reading(officer()):
        snapshot = Snapshot(*snapshot_columns(COUNTY, NOW, added=OWN), granted_on(NOW))
        plain = Snapshot(*snapshot_columns(COUNTY, NOW), granted_on(NOW))
    assert added_of(plain.households) == ()
    stored = load(tmp_path / f"{save(snapshot, tmp_path)}.bin", save(snapshot, tmp_path))
    table: Table = stored.table()
    row = stored.household_ids.tolist().index(home.pk)
    assert table.households["tea_mu"].values[row] == 250 and table.households["tea_mu"].known.sum() == 1
    member = stored.person_ids.tolist().index(person)
    assert table.members["tea_grade"].values[member] == 2 and table.members["tea_grade"].known.sum() == 1
    later = Fact("晚加的", "late_fact", Entity.PERSON, Kind.FLAG)
    assert not table.completed([later]).members["late_fact"].known.any()


def test_a_policy_reads_what_the_county_added_pol_01(home):
    """The registry's 油菜亩数 reaches the law: what was missing is missing no more, and it is paid for."""
    boss, then = officer(), date(2018, 6, 1)

    def straw():
        with reading(boss):
            [law] = adopted_book().programmes_in_force(chain(home.division), then, only="straw-return")
            found = explain_household(by=boss, household_id=home.pk, on=then, facts_on=NOW, laws=[law])
        return found["results"][0]

    assert "油菜亩数" in straw()["missing"]
    with reading(boss):
        own = added_facts(home.division)
    amounts = []
    for hundredths in (0, 300):
        record_household_facts(
            by=staff(Post.CLERK, home), on=NOW, household=home.pk, facts={"rapeseed_mu": hundredths, "wheat_mu": 0}, since=LATER,
            evidence="种植面积登记表", added=own,
        )  # fmt: skip
        amounts.append(straw()["amount_fen"])
    assert amounts[1] - amounts[0] == 60_00
