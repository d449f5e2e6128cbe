"""Changes of households: reported, entered, confirmed by another; what they do to entitlements (REG-05, DET-06, SEC-02)."""

from datetime import date, timedelta

import pytest

from huimin.casework.changes import (
    ChangeFilter,
    Told,
    confirm_change,
    count_unscreened,
    effects_of,
    enter_change,
    list_changes,
    refuse_change,
    report_change,
    told_of,
)
from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.identity import check_digit
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import Post
from huimin.registry.commands.families import AlreadyMember, NoHead, SameIdentity, Step, enter, find_person
from huimin.registry.models import Household, HouseholdFacts, Membership, Person, ReportedChange
from huimin.registry.queries import find_household_of, get_household
from huimin.registry.snapshots import NotRegistered
from huimin.screening.models import Proposal
from tests.registry.people import NOW, household, members, officer, other_staff, staff

WHEN = date(2021, 8, 20)
State = ReportedChange.State


def number(serial, born="20210815"):
    first = f"341599{born}{serial:03d}"
    return first + check_digit(first)


def told(of, kind, payload, on=WHEN, evidence="村信息员报告，见证明"):
    return Told(kind, of.pk, on, evidence, payload)


def done(of, kind, payload, **more):
    """Entered by the clerk, and confirmed by the reviewer where it must be."""
    row = enter_change(by=staff(Post.CLERK, of), on=NOW, told=told(of, kind, payload, **more))
    if row.state == State.ENTERED:
        row = confirm_change(by=staff(Post.REVIEWER, of), on=NOW, change=row.pk)
    return row


def people_of(of):
    return {row.person_id: row.relation for row in members(of)}


@pytest.fixture
def home(county):
    county("adopted")
    return household(members_min=3)


def informant(of):
    return actor(Post.INFORMATION_OFFICER, of.division[:12])


def test_a_birth_is_reported_entered_and_confirmed_reg_05(home):
    baby = {"name": "新 生", "id_number": number(11), "relation": "孙"}
    reported = report_change(by=informant(home), on=NOW, told=told(home, "birth", baby))
    assert reported.state == State.REPORTED and reported.summary == "出生　新*"
    before = people_of(home)
    with pytest.raises(AlreadyDone):
        report_change(by=informant(home), on=NOW, told=told(home, "birth", baby))
    clerk = staff(Post.CLERK, home)
    with reading(clerk):
        again = told_of(ReportedChange.objects.get(pk=reported.pk))
    entered = enter_change(by=clerk, on=NOW, told=again, change=reported.pk)
    if entered.state == State.ENTERED:
        assert entered.depends and people_of(home) == before
        confirm_change(by=staff(Post.REVIEWER, home), on=NOW, change=entered.pk)
    after = people_of(home)
    [child] = after.keys() - before.keys()
    assert after[child] == "孙"
    with reading(officer()):
        person = Person.objects.get(pk=child)
        row = Membership.objects.get(person=child)
    assert person.name == "新生" and person.sex == "男" and person.birth_date == date(2021, 8, 15)
    assert row.valid_from == WHEN and row.reported_by == informant(home).appointment
    with pytest.raises(AlreadyDone):
        enter_change(by=clerk, on=NOW, told=told(home, "birth", baby))
    assert people_of(home) == after


def test_who_confirms_did_not_enter_and_a_refusal_changes_nothing_sec_02(home):
    """Four eyes: a correction of the number behind an account waits for another person."""
    of = household(members_min=2)
    head = members(of)[0].person_id
    clerk, reviewer = staff(Post.CLERK, of), staff(Post.REVIEWER, of)
    change = told(of, "identity", {"person": head, "name": "", "id_number": number(15, "19600101")})
    row = enter_change(by=clerk, on=NOW, told=change)
    assert row.state == State.ENTERED and "收款账户" in row.depends
    with pytest.raises(NotYourPost):
        confirm_change(by=clerk, on=NOW, change=row.pk)
    with pytest.raises(NotRegistered):
        confirm_change(by=other_staff(Post.REVIEWER, of), on=NOW, change=row.pk)
    with pytest.raises(BadInput):
        refuse_change(by=reviewer, on=NOW, change=row.pk, refusal=" ")
    assert refuse_change(by=reviewer, on=NOW, change=row.pk, refusal="号码与户口簿不符").state == State.REFUSED
    with pytest.raises(AlreadyDone):
        confirm_change(by=reviewer, on=NOW, change=row.pk)
    boss = officer()
    other = enter_change(by=boss, on=NOW, told=change)
    with pytest.raises(SamePerson):
        confirm_change(by=boss, on=NOW, change=other.pk)
    assert confirm_change(by=reviewer, on=NOW, change=other.pk).state == State.APPLIED
    with reading(boss):
        assert find_person(number(15, "19600101"), NOW).pk == head
        assert Person.objects.get(pk=head).birth_date == date(1960, 1, 1)


def test_anothers_number_is_refused_reg_04(home):
    one, two = members(home)[:2]
    done(home, "identity", {"person": one.person_id, "name": "", "id_number": number(17, "19600101")})
    with pytest.raises(SameIdentity):
        done(home, "identity", {"person": two.person_id, "name": "", "id_number": number(17, "19600101")})


def test_a_death_names_a_new_head_and_shows_what_it_does_reg_05(home):
    rows = members(home)
    head, heir, third = (row.person_id for row in rows[:3])
    with pytest.raises(BadInput):
        done(home, "death", {"person": head})
    clerk = staff(Post.CLERK, home)
    payload = {"person": head, "new_head": heir, "relations": {str(third): "其他"}}
    with reading(clerk):
        effects = effects_of(clerk, NOW, told(home, "death", payload))
    assert people_of(home).get(head) == "户主"  # the trial was undone
    assert all(each.before != each.after for each in effects)
    row = done(home, "death", payload)
    assert row.state == State.APPLIED
    left = people_of(home)
    assert head not in left and left[heir] == "户主" and left[third] == "其他"
    with reading(officer()):
        assert Person.objects.get(pk=head).closed_on == WHEN
    boss = officer()
    with reading(boss):
        was = get_household(home.pk, boss, WHEN - timedelta(days=1))
    assert head in [member.person.pk for member in was.members]
    with pytest.raises(AlreadyDone):
        done(home, "death", payload)


def test_split_and_join_keep_everybody_reg_05(home):
    rows = members(home)
    leaver = rows[2].person_id
    address = "金寨县梅山镇徐冲村上湾组9号"
    row = done(
        home, "split",
        {"people": [leaver], "head": leaver, "division": home.division, "address": address, "phone": "", "relations": {}},
    )  # fmt: skip
    assert row.state == State.APPLIED and leaver not in people_of(home)
    with reading(officer()):
        made = find_household_of(leaver, NOW)
        numbers = list(
            Household.objects.filter(household_no__startswith=home.division[:12]).values_list("household_no")
        )
        assert HouseholdFacts.objects.filter(household=made, recorded_to=None).count() == 1
    assert made.pk != home.pk and numbers.count((made.household_no,)) == 1
    assert people_of(made) == {leaver: "户主"}
    done(made, "join", {"to": home.household_no, "relations": {str(leaver): "子"}}, on=WHEN + timedelta(days=3))
    assert people_of(home)[leaver] == "子"
    with reading(officer()):
        assert Household.objects.get(pk=made.pk).closed_on == WHEN + timedelta(days=3)
        assert find_household_of(leaver, WHEN + timedelta(days=1)).pk == made.pk
    with pytest.raises(NotRegistered):
        done(made, "head", {"head": leaver, "relations": {}})


def test_marriage_brings_somebody_divorce_sends_away_reg_05(home):
    rows = members(home)
    person = rows[2].person_id
    spouse = {"person": person, "spouse_name": "外来", "spouse_number": number(21, "19950505"), "relation": "其他"}
    done(home, "marriage", spouse)
    with reading(officer()):
        partner = find_person(number(21, "19950505"), NOW)
        marital = [
            p.facts.get(recorded_to=None, valid_to=None).marital for p in (partner, Person.objects.get(pk=person))
        ]
    assert marital == ["已婚", "已婚"] and partner.pk in people_of(home)
    done(
        home, "divorce", {"person": person, "other": partner.pk, "leaves": partner.pk, "to": "away"},
        on=WHEN + timedelta(days=5),
    )  # fmt: skip
    assert partner.pk not in people_of(home)
    with reading(officer()):
        gone = partner.facts.get(recorded_to=None, valid_to=None)
    assert gone.marital == "离异" and gone.moved_out_date == WHEN + timedelta(days=5)
    done(
        home, "arrival", {"name": "外来", "id_number": number(21, "19950505"), "relation": "其他"},
        on=WHEN + timedelta(days=9),
    )  # fmt: skip
    with reading(officer()):
        assert partner.facts.get(recorded_to=None, valid_to=None).moved_out_date is None
    assert partner.pk in people_of(home)


def test_departure_to_another_household_and_of_everybody_reg_05(home):
    other = household(members_min=2, nth=3)
    boss = officer()
    rows = members(home)
    goer = rows[2].person_id
    with pytest.raises(BadInput):
        enter_change(by=boss, on=NOW, told=told(home, "departure", {"people": []}))
    row = enter_change(
        by=boss, on=NOW,
        told=told(home, "departure", {"people": [goer], "to": other.household_no, "relations": {str(goer): "其他"}}),
    )  # fmt: skip
    if row.state == State.ENTERED:
        confirm_change(by=staff(Post.REVIEWER, home), on=NOW, change=row.pk)
    assert people_of(other)[goer] == "其他" and goer not in people_of(home)
    with pytest.raises(NoHead):
        done(other, "departure", {"people": [members(other)[0].person_id], "to": "away"})
    done(other, "move", {"away": True}, on=WHEN + timedelta(days=1))
    with reading(boss):
        assert Household.objects.get(pk=other.pk).closed_on == WHEN + timedelta(days=1)


def test_a_new_head_and_what_everybody_is_to_him_reg_05(home):
    head, heir, third = (row.person_id for row in members(home)[:3])
    with pytest.raises(BadInput):
        done(home, "head", {"head": heir, "relations": {}})
    done(home, "head", {"head": heir, "relations": {str(head): "父母", str(third): "兄弟姐妹"}})
    assert people_of(home)[heir] == "户主" and people_of(home)[head] == "父母" and people_of(home)[third] == "兄弟姐妹"


def test_facts_that_decide_wait_and_become_a_proposal_det_06(county):
    """What lowers an income is shown in yuan before it is confirmed, and counted until the next screening."""
    county("decided")
    with reading(officer()):
        of = Entitlement.objects.filter(programme="dibao-rural", person=None).select_related("household")[0].household
    payload = {"household": {"deposits": 99_999_900, "vehicles": 3}, "people": {}}
    clerk = staff(Post.CLERK, of)
    with reading(clerk):
        found = effects_of(clerk, NOW, told(of, "facts", payload))
    assert found and all(each.before != each.after for each in found)
    row = enter_change(by=clerk, on=NOW, told=told(of, "facts", payload))
    assert row.state == State.ENTERED and row.depends.startswith("影响")
    boss = officer()
    with reading(boss):
        assert get_household(of.pk, boss, NOW).facts[17].value != 99_999_900
        assert count_unscreened(boss.prefix) == 0
    confirm_change(by=staff(Post.REVIEWER, of), on=NOW, change=row.pk)
    with reading(boss):
        told_facts = {each.fact.code: each.value for each in get_household(of.pk, boss, NOW).facts}
        assert told_facts["deposits"] == 99_999_900 and told_facts["vehicles"] == 3
        assert count_unscreened(boss.prefix) == 0
        [proposed] = Proposal.objects.filter(household=of, state="open", programme="dibao-rural")
        assert (proposed.kind, proposed.amount_fen, proposed.run.only) == ("leave", 0, [of.pk])
        assert any(each["name"] == "deposits" and each["after"] == 99_999_900 for each in proposed.reasons)
        assert [each.pk for each in list_changes(ChangeFilter(boss.prefix, state="applied"))] == [row.pk]


@pytest.mark.parametrize(
    ("kind", "payload", "error"),
    [
        ("birth", {"name": "新", "id_number": "123", "relation": "子"}, BadInput),
        ("birth", {"name": "", "id_number": number(31), "relation": "子"}, BadInput),
        ("birth", {"name": "新生", "id_number": number(31), "relation": "户主"}, BadInput),
        ("birth", {"name": "新生", "id_number": number(31, "20210901"), "relation": "子"}, BadInput),
        ("head", {"head": 99_999_999, "relations": {}}, BadInput),
        ("join", {"to": "999", "relations": {}}, BadInput),
        ("split", {"people": [], "head": None}, BadInput),
        ("facts", {"household": {"hukou": "居民"}}, BadInput),
        ("identity", {"person": 99_999_999, "name": "甲"}, BadInput),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing_reg_05(shared_county, kind, payload, error):
    shared_county("adopted")
    of = household(members_min=3)
    before = people_of(of)
    for act in (
        lambda: enter_change(by=staff(Post.CLERK, of), on=NOW, told=told(of, kind, payload)),
        lambda: report_change(by=informant(of), on=NOW, told=told(of, kind, payload)),
    ):
        with pytest.raises(error):
            act()
    assert people_of(of) == before
    with reading(officer()):
        assert not ReportedChange.objects.exists()


def test_other_posts_and_places_may_not_sec_03(shared_county):
    shared_county("adopted")
    of = household(members_min=3)
    change = told(of, "head", {"head": members(of)[1].person_id, "relations": {}})
    with pytest.raises(NotYourPost):
        enter_change(by=staff(Post.SETTLEMENT, of), on=NOW, told=change)
    with pytest.raises(NotRegistered):
        enter_change(by=other_staff(Post.CLERK, of), on=NOW, told=change)
    with pytest.raises(NotYourPost):
        report_change(by=staff(Post.CLERK, of), on=NOW, told=change)
    other, boss = household(members_min=2, nth=3), officer()
    with reading(boss), pytest.raises(AlreadyMember):
        enter(Step(boss, NOW, WHEN, "户口簿"), other, members(of)[0].person, "其他")


def test_a_head_with_an_account_waits_for_another_person_reg_05(home):
    """A death or a new head moves money, whatever the determinations say."""
    of = household(members_min=2)
    head, heir = (row.person_id for row in members(of)[:2])
    for kind, payload in (
        ("death", {"person": head, "new_head": heir}),
        ("head", {"head": heir, "relations": {str(head): "配偶"}}),
    ):
        row = enter_change(by=staff(Post.CLERK, of), on=NOW, told=told(of, kind, payload))
        assert row.state == State.ENTERED and row.depends
    assert people_of(of)[head] == "户主"
