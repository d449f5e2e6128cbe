"""What an import does in the registry: new, changed, same, in conflict, wrong (REG-03, REG-04, REG-05)."""

import pytest

from huimin.registry.models import Household, HouseholdFacts, Membership, Person, PersonFacts, WorkItem
from tests.importing.files import (
    DAY,
    LATER,
    MEMBERS_HEAD,
    VILLAGE,
    bring,
    counted,
    member,
    numbers,
    officer,
    sizes,
    stored,
    xlsx,
)


def family(*more):
    one, two, three, four = numbers(4)
    return [
        MEMBERS_HEAD,
        member(1, "张三", one, "户主", "小学", 1200.5, "否"),
        member(1, "李四", two, "妻", "文盲", "", "√"),
        member(2, "王五", three, "户主", "初中", 0, ""),
        member(2, "赵六", four, "长子", "高中", 300, "是"),
        *more,
    ]


def test_members_bring_their_households_once(county):
    """REG-03: new households come in with their heads; the same file twice changes nothing."""
    county("organised")
    before = sizes()
    assert counted(bring(xlsx(family()), rehearse=True)) == (4, 0, 0, 0, 0)
    assert sizes() == before
    outcome = bring(xlsx(family()))
    assert counted(outcome) == (4, 0, 0, 0, 0) and outcome.counts["new_households"] == 2 and outcome.faults == []
    after = sizes()
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 2, 4, 4, 4, 0, 0]
    assert counted(bring(xlsx(family()), on=LATER)) == (0, 0, 4, 0, 0)
    assert sizes() == after
    wife = stored(Person, name="李四")[0]
    facts = stored(PersonFacts, person=wife)[0]
    assert (facts.education, facts.serious_illness, facts.wage_month, facts.valid_from) == ("不识字", True, None, DAY)
    assert stored(Membership, person=wife)[0].relation == "配偶"


def test_a_change_keeps_what_was_known(county):
    """REG-05: from the later day the new value, before it the old one, and what was known then stays in the records."""
    county("organised")
    bring(xlsx(family()))
    rows = family()
    rows[1][5], rows[4][3] = 1500, "其他"
    outcome = bring(xlsx(rows), on=LATER)
    assert counted(outcome) == (0, 2, 2, 0, 0)
    head = stored(Person, name="张三")[0]
    known = [(f.wage_month, f.valid_from, f.valid_to, f.recorded_to is None) for f in stored(PersonFacts, person=head)]
    assert known == [(120050, DAY, None, False), (120050, DAY, LATER, True), (150000, LATER, None, True)]
    assert [f.education for f in stored(PersonFacts, person=head)] == ["小学"] * 3
    son = stored(Person, name="赵六")[0]
    assert [(m.relation, m.valid_to) for m in stored(Membership, person=son, recorded_to=None)] == [
        ("子", LATER),
        ("其他", None),
    ]
    assert counted(bring(xlsx(rows), on=LATER)) == (0, 0, 4, 0, 0)


def test_an_empty_cell_changes_nothing(county):
    county("organised")
    bring(xlsx(family()))
    rows = [[*row[:4], "", "—", ""] if at else row for at, row in enumerate(family())]
    assert counted(bring(xlsx(rows), on=LATER)) == (0, 0, 4, 0, 0)


def test_conflicts_wait_and_are_kept_whole_once(county):
    """REG-04: another household, another name, another head: nothing changed, one work item each, however often."""
    county("organised")
    bring(xlsx(family()))
    one, two, three, four, five = numbers(5)
    rows = [
        MEMBERS_HEAD,
        member(2, "张三", one, "父亲"),
        member(1, "李小四", two, "妻"),
        member(2, "王五", three, "其他"),
        member(1, "孙七", five, "户主"),
    ]
    before = sizes()
    outcome = bring(xlsx(rows))
    assert counted(outcome) == (0, 0, 0, 4, 0)
    assert [now - then for now, then in zip(sizes(), before, strict=True)] == [0, 0, 0, 0, 0, 0, 4]
    assert sorted(item.kind for item in stored(WorkItem)) == ["differs", "differs", "differs", "same_person"]
    assert not any(number in item.summary for number in (one, two, three, five) for item in stored(WorkItem))
    assert [fault.kind for fault in outcome.faults] == ["conflict"] * 4 and four not in str(outcome.faults)
    assert one not in str(outcome.faults)
    bring(xlsx(rows))
    assert len(stored(WorkItem)) == 4


def test_households_and_resources(county):
    """Households by number or by head; resources only of households that are known."""
    county("organised")
    one, two, three = numbers(3)
    head = ["户编码", "户主姓名", "户主身份证号", "村", "联系电话", "承包地亩数", "存款（万元）", "建档立卡"]
    rows = [
        head,
        [f"{VILLAGE}-8001", "张三", one, VILLAGE, "160 0123 4567", "3.25亩", 1.5, "一般户"],
        ["", "李四", two, VILLAGE, "", 2, "", "脱贫户"],
    ]
    assert counted(bring(xlsx(rows))) == (2, 0, 0, 0, 0)
    assert counted(bring(xlsx(rows), on=LATER)) == (0, 0, 2, 0, 0)
    homes = stored(Household)
    assert [home.household_no for home in homes] == [f"{VILLAGE}-8001", f"{VILLAGE}-8002"]
    assert [(f.contract_land_mu, f.deposits, f.poverty_registered) for f in stored(HouseholdFacts)] == [
        (325, 1500000, "否"),
        (200, None, "脱贫户"),
    ]
    land = [["户主身份证号", "水稻亩数", "公益林亩数"], [one, 1.5, ""], [two, 0, "0.55"], [three, 9, 9]]
    outcome = bring(xlsx(land), on=LATER, only_right=True)
    assert outcome.plan.kind == "resources" and counted(outcome) == (0, 2, 0, 0, 1)
    assert "没有登记这一户" in str(outcome.faults[0])
    first = stored(HouseholdFacts, household=homes[0], recorded_to=None)
    assert [(f.rice_mu, f.contract_land_mu, f.address_enc is None) for f in first] == [
        (None, 325, True),
        (150, 325, True),
    ]


@pytest.mark.parametrize("count", [1, 60])
def test_many_rows_take_no_more_statements_than_few(county, count):
    """REG-03: queries do not grow with rows."""
    from django.db import connections

    county("organised")
    rows = [MEMBERS_HEAD]
    for at, number in enumerate(numbers(count)):
        rows.append(member(at, "张三", number))
    said = []

    def count_one(execute, *rest):
        said.append(1)
        return execute(*rest)

    with connections["default"].execute_wrapper(count_one):
        assert bring(xlsx(rows)).counts["new"] == count
    assert len(said) < 120
    test_many_rows_take_no_more_statements_than_few.__dict__.setdefault("said", []).append(len(said))
    assert len(set(test_many_rows_take_no_more_statements_than_few.__dict__["said"])) == 1


def test_a_countys_own_facts_come_in_like_any_other(county):
    """REG-01: recognised by name, checked, merged code by code, kept in history."""
    from tests.registry.people import household, members

    county("adopted")
    home = household()
    person, place = members(home)[0].person, home.division[:9] + "000"
    rows = [["户编码", "油菜亩数"], [home.household_no, "2.5亩"]]
    outcome = bring(xlsx(rows), by=officer(), place=place, on=LATER)
    assert outcome.plan.kind == "resources" and counted(outcome) == (0, 1, 0, 0, 0)
    assert [f.added for f in stored(HouseholdFacts, household=home, recorded_to=None)] == [{}, {"rapeseed_mu": 250}]
    assert counted(bring(xlsx(rows), by=officer(), place=place, on=LATER)) == (0, 0, 1, 0, 0)
    rows[0].append("小麦亩数")
    rows[1][1:] = ["", 3]
    assert counted(bring(xlsx(rows), by=officer(), place=place, on=LATER)) == (0, 1, 0, 0, 0)
    assert stored(HouseholdFacts, household=home, recorded_to=None)[-1].added == {"rapeseed_mu": 250}
    assert stored(PersonFacts, person=person, recorded_to=None)[-1].added == {}
    wrong = bring(xlsx([["户编码", "油菜亩数"], [home.household_no, "很多"]]), by=officer(), place=place, rehearse=True)
    assert counted(wrong) == (0, 0, 0, 0, 1) and wrong.faults[0].head == "油菜亩数"
