"""Finding, listing, one household, its story, looks, work items, columns of the whole place (REG-04, REG-05, SEC-04)."""

from datetime import date

import numpy as np
import pytest

from huimin.audit.models import Event
from huimin.database.personal import ACCOUNT, ID_NUMBER, plain
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import HOUSEHOLD_FACTS, PERSON_FACTS
from huimin.kernel.identity import BadIdentityNumber
from huimin.kernel.masking import HIDDEN
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry import queries
from huimin.registry.commands import (
    Looked,
    NothingToSee,
    change_card_state,
    look_at,
    record_household_facts,
    settle_work_item,
)
from huimin.registry.models import Household, Membership, Person, WorkItem
from huimin.registry.queries import (
    HouseholdFilter,
    count_households,
    count_work_items,
    find_by_identity_number,
    find_household_of,
    get_household,
    list_households,
    list_work_items,
    state_on,
)
from huimin.registry.snapshots import NotRegistered, snapshot_columns
from huimin.registry.timelines import household_timeline
from tests.registry.people import DAY, LATER, NOW, card_of, household, members, officer, other_staff, staff

COUNTY = "341524000000"


def test_find_by_identity_number(shared_county):
    shared_county("registered")
    home = household()
    person = members(home)[0].person
    number = plain(person.id_number_enc, ID_NUMBER)
    with reading(officer()):
        assert find_by_identity_number(f" {number[:6]} {number[6:].lower()}", NOW).pk == person.pk
        assert find_household_of(person.pk, NOW).pk == home.pk
        with pytest.raises(BadIdentityNumber):
            find_by_identity_number(number[:17], NOW)
    with reading(other_staff(Post.CLERK, home)):
        assert find_by_identity_number(number, NOW) is None


def test_every_household_is_met_once_by_paging(shared_county):
    shared_county("registered")
    with reading(officer()):
        wanted, seen, place = HouseholdFilter("341524"), [], ""
        while True:
            page = list_households(wanted, place, size=50)
            seen += [row.pk for row in page]
            assert all(row.members_count >= 1 for row in page)
            if not page.next:
                break
            place = page.next
        assert len(seen) == len(set(seen)) == Household.objects.count() == count_households(wanted)


def test_filters(shared_county):
    """REG-04: by place, by a member's name, by number, by open items."""
    shared_county("registered")
    home = household()
    name = members(home)[1].person.name
    with reading(officer()):
        village = HouseholdFilter(home.household_no[:12])
        assert all(row.division.startswith(village.prefix) for row in list_households(village))
        found = list_households(HouseholdFilter("341524", name=name[:2]), size=200)
        assert home.pk in [row.pk for row in found]
        for row in found:
            names = Membership.objects.filter(household=row, recorded_to=None).values_list("person__name", flat=True)
            assert any(each.startswith(name[:2]) for each in names)
        assert [row.pk for row in list_households(HouseholdFilter("341524", number=home.household_no))] == [home.pk]
        waiting = list_households(HouseholdFilter("341524", open_items=True), size=200)
        assert {row.pk for row in waiting} == set(WorkItem.objects.values_list("household", flat=True))
        assert all(row.open_items for row in waiting)


def test_a_household_is_shown_masked(shared_county):
    """SEC-04: numbers masked for everybody, health only for posts that need it."""
    shared_county("registered")
    home = household()
    clerk, settlement = staff(Post.CLERK, home), staff(Post.SETTLEMENT, home)
    with reading(clerk):
        state = state_on(home.pk, clerk, DAY)
    assert state.head.relation == "户主" and state.head.id_number.startswith("341599********")
    assert state.address.endswith(HIDDEN) and state.cards[0].masked.startswith(HIDDEN)
    assert {shown.fact.code for shown in state.facts} == {fact.code for fact in HOUSEHOLD_FACTS}
    with reading(settlement):
        hidden = get_household(home.pk, settlement, DAY)
    for seen, unseen in zip(state.head.facts, hidden.head.facts, strict=True):
        assert unseen.hidden == seen.fact.sensitive
        assert (unseen.text == HIDDEN and unseen.value is None) if unseen.hidden else unseen.text == seen.text
    with reading(clerk), pytest.raises(NotRegistered):
        get_household(home.pk, clerk, date(2021, 1, 1))
    away = other_staff(Post.CLERK, home)
    with reading(away), pytest.raises(NotRegistered):
        get_household(home.pk, away, DAY)


def test_the_story_says_what_changed_by_whom(county):
    """REG-05, SEC-05: before → after in the office's words, no personal value."""
    county("registered")
    home = household()
    clerk = staff(Post.CLERK, home)
    facts = {"vehicles": 1, "vehicle_value": 50_000_00, "phone": "16001112222"}
    change_card_state(by=clerk, on=NOW, card=card_of(home).pk, state="lost", evidence="挂失单")
    record_household_facts(by=clerk, on=NOW, household=home.pk, facts=facts, since=LATER, evidence="车辆登记查询结果")
    look_at(by=clerk, on=NOW, what=Looked.ADDRESS, row=home.pk, purpose="入户调查")
    with reading(clerk):
        looked, changed, loaded = household_timeline(home.pk, clerk)
    assert ("状态", "正常", "挂失") in [(line.label, line.before, line.after) for line in changed.lines]
    assert changed.who == f"{clerk.office_name} 统计员 {clerk.name}" and changed.evidence == "车辆登记查询结果"
    assert changed.since == LATER
    lines = {line.label: (line.before, line.after) for line in changed.lines}
    assert lines["机动车价值"][1] == "50,000.00 元" and lines["电话"] == ("", "已更改")
    assert "户登记" in [line.label for line in loaded.lines] and "惠民" in loaded.who
    assert looked.lines[0].after == "入户调查"
    assert "16001112222" not in str([looked, changed, loaded])


def test_a_look_is_recorded_with_its_purpose(county):
    """SEC-04, SEC-05"""
    county("registered")
    home = household()
    clerk, card, head = staff(Post.CLERK, home), card_of(home), members(home)[0].person
    number = look_at(by=clerk, on=NOW, what=Looked.ID_NUMBER, row=head.pk, purpose="核对身份证")
    assert number == plain(head.id_number_enc, ID_NUMBER)
    account = look_at(by=clerk, on=NOW, what=Looked.ACCOUNT, row=card.pk, purpose="核对账号")
    assert account == plain(card.account_enc, ACCOUNT)
    with reading(clerk):
        events = list(Event.objects.filter(kind=Event.Kind.LOOKED).order_by("id"))
    assert [event.subject for event in events] == [f"id_number:{head.pk}", f"account:{card.pk}"]
    assert [event.detail["purpose"] for event in events] == ["核对身份证", "核对账号"]
    assert number not in str([event.detail for event in events])


def test_looks_that_are_refused(shared_county):
    shared_county("registered")
    home = household()
    act = {"on": NOW, "what": Looked.ID_NUMBER, "row": members(home)[0].person_id, "purpose": "核对身份证"}
    with pytest.raises(BadInput, match="用途"):
        look_at(by=staff(Post.CLERK, home), **{**act, "purpose": " "})
    with pytest.raises(NothingToSee):
        look_at(by=other_staff(Post.CLERK, home), **act)
    for by in (actor(Post.BANK_OPERATOR, OfficeKind.BANK), actor(Post.ADMINISTRATOR, OfficeKind.LEADING_OFFICE)):
        with pytest.raises(NotYourPost):
            look_at(by=by, **act)
    with reading(officer()):
        assert not Event.objects.filter(kind=Event.Kind.LOOKED).exists()


def test_work_items_are_settled_once(county):
    county("registered")
    with reading(officer()):
        [item, *_] = list_work_items("341524", kind="bad_identity")
        counted = count_work_items("341524")
    clerk = actor(Post.CLERK, item.division[:9] + "000")
    act = {"on": NOW, "item": item.pk, "settlement": "已对照身份证改正"}
    with pytest.raises(NotYourPost):
        settle_work_item(by=actor(Post.SETTLEMENT, clerk.division), **act)
    with pytest.raises(NotRegistered):
        settle_work_item(by=other_staff(Post.CLERK, item.household), **act)
    with pytest.raises(BadInput):
        settle_work_item(by=clerk, **{**act, "settlement": ""})
    settle_work_item(by=clerk, **act)
    with pytest.raises(AlreadyDone, match="改正"):
        settle_work_item(by=clerk, **act)
    with reading(officer()):
        assert count_work_items("341524")["bad_identity"] == counted["bad_identity"] - 1
        assert [row.pk for row in list_work_items("341524", state="settled")] == [item.pk]
    assert "341599" in look_at(by=clerk, on=NOW, what=Looked.WORK_ITEM, row=item.pk, purpose="核对原表")


def test_columns_of_the_place(shared_county):
    """DET-07: sorted, complete, of the declared place only."""
    shared_county("registered")
    with reading(officer()):
        homes, people = snapshot_columns(COUNTY, NOW)
        assert homes.num_rows == Household.objects.count() and people.num_rows == Person.objects.count()
    assert homes.column_names == ["household_id", "division", *(fact.code for fact in HOUSEHOLD_FACTS)]
    assert people.column_names == ["household_id", "person_id", *(fact.code for fact in PERSON_FACTS)]
    ids, owners = homes["household_id"].to_numpy(), people["household_id"].to_numpy()
    assert (np.diff(ids) > 0).all() and (np.diff(owners) >= 0).all() and set(owners) == set(ids)
    home = household()
    clerk = staff(Post.CLERK, home)
    with reading(clerk):
        mine, _ = snapshot_columns(COUNTY, NOW)
        village, _ = snapshot_columns(home.household_no[:12], NOW)
    assert set(mine["division"].to_pylist()) == {
        each for each in homes["division"].to_pylist() if each[:9] == home.division[:9]
    }
    assert all(each.startswith(home.household_no[:12]) for each in village["division"].to_pylist())


def test_columns_of_a_past_day_and_a_past_moment(county):
    """REG-05"""
    county("registered")
    home = household()
    with reading(officer()):
        before, _ = snapshot_columns(COUNTY, NOW)
        known = home.facts.get().recorded_from
        assert snapshot_columns(COUNTY, date(2021, 6, 20))[0].num_rows == 0
    clerk = staff(Post.CLERK, home)
    record_household_facts(by=clerk, on=NOW, household=home.pk, facts={"houses": 9}, since=LATER, evidence="查询结果")
    with reading(officer()):
        assert snapshot_columns(COUNTY, NOW)[0] != before
        assert snapshot_columns(COUNTY, DAY)[0] == before
        assert snapshot_columns(COUNTY, NOW, known_at=known)[0] == before


def test_the_bank_has_no_columns(shared_county):
    """SEC-03"""
    shared_county("registered")
    with reading(actor(Post.BANK_OPERATOR, OfficeKind.BANK)):
        homes, people = snapshot_columns(COUNTY, NOW)
    assert homes.num_rows == people.num_rows == 0


@pytest.mark.parametrize(
    "asked", [{"name": "王"}, {"name": "陈"}, {"letters": "w"}, {"letters": "zhang"}, {"name": "没有"}]
)
def test_a_common_name_finds_what_a_rare_one_would(shared_county, monkeypatch, asked):
    """REG-02: whether the name is looked up or the households are walked, page by page the same."""
    shared_county("registered")
    with reading(officer()):
        rare = _walked(asked)
        monkeypatch.setattr(queries, "COMMON", -1)
        assert _walked(asked) == rare
        assert bool(rare) is (asked != {"name": "没有"})


def _walked(asked):
    found, place = [], ""
    while True:
        page = list_households(HouseholdFilter(prefix="341524", **asked), place, size=4)
        found += [row.pk for row in page]
        if not page.next:
            return found
        place = page.next
