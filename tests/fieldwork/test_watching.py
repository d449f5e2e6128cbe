"""The base of low-income people, warnings from changes of facts, and what became of them (REG-09)."""

from datetime import date, timedelta

import pytest

from huimin.casework.models import Entitlement
from huimin.database.bulk import fetch, fetch_one
from huimin.demo.actors import actor
from huimin.fieldwork import following, watching
from huimin.fieldwork.models import LowIncome, Signal, Visit
from huimin.fieldwork.rules import set_field_rule
from huimin.fieldwork.watch_queries import (
    BaseFilter,
    SignalFilter,
    count_base,
    count_signals,
    iterate_base,
    iterate_signals,
    page_base,
    page_signals,
    waiting_signals,
)
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.registry.commands.facts import record_death, record_household_facts, record_person_facts
from tests.fieldwork.people import informant, of_township, officer, other_village, village

BEFORE = date(2021, 7, 6)
ON = date(2021, 7, 20)


def grown(place):
    """(household, person) of a household of the village with another grown-up, the head first."""
    with reading(officer()):
        return fetch(
            "SELECT m.household_id, m.person_id FROM registry_membership m JOIN registry_person p ON p.id = m.person_id"
            " WHERE left(m.division, 12) = %s AND m.valid_to IS NULL AND p.birth_date < '1995-01-01' AND m.household_id IN"
            " (SELECT household_id FROM registry_membership WHERE valid_to IS NULL GROUP BY 1 HAVING count(*) > 1)"
            " ORDER BY m.relation = '户主', m.household_id, m.person_id",
            [place],
        )


def facts(person, since, **values):
    record_person_facts(by=of_township(Post.CLERK), on=ON, person=person, facts=values, since=since, evidence="入户")


def of_home(household, since, **values):
    record_household_facts(
        by=of_township(Post.CLERK), on=ON, household=household, facts=values, since=since, evidence="入户"
    )


def watch(by=None, on=ON):
    return watching.watch_low_income(by=by or officer(), on=on)


def thresholds():
    set_field_rule(by=officer(), on=ON, code="medical_fen", value=1_000_000, basis="县民政局 2021 年 8 号")
    set_field_rule(by=officer(), on=ON, code="income_percent", value=30, basis="县民政局 2021 年 8 号")


def test_each_kind_of_change_raises_its_warning_once_with_both_values_reg_09(county):
    county("registered")
    home, person = grown(village())[0]
    known = {
        "employed": True, "wage_month": 300_000, "serious_illness": False, "disability_kind": "无", "hospital_cost": 0,
        "hospital_reimbursed": 0,
    }  # fmt: skip
    facts(person, date(2021, 7, 1), **known)
    of_home(
        home, date(2021, 7, 1), rigid_medical_year=0, disaster="无", business_income_year=2_000_000, property_income_year=0,
        transfer_income_year=0, other_income_year=0,
    )  # fmt: skip
    watch()
    with reading(officer()):
        assert not Signal.objects.filter(household=home, happened_on__gte=BEFORE).exists()
    facts(person, date(2021, 7, 8), hospital_cost=5_000_000, hospital_reimbursed=3_000_000)
    facts(person, date(2021, 7, 9), serious_illness=True)
    facts(person, date(2021, 7, 10), disability_kind="肢体", disability_grade=2)
    facts(person, date(2021, 7, 11), wage_month=200_000)
    facts(person, date(2021, 7, 12), employed=False, wage_month=0)
    of_home(home, date(2021, 7, 13), rigid_medical_year=1_200_000)
    of_home(home, date(2021, 7, 14), disaster="重", disaster_date=date(2021, 7, 14))
    of_home(home, date(2021, 7, 15), business_income_year=1_000_000)
    without = watch()
    assert set(without.without_rule) == {"medical_fen", "income_percent"}
    assert without.raised == {"medical": 1, "job": 1, "disability": 1, "disaster": 1}, (
        "no threshold, no warning of amounts"
    )
    thresholds()
    assert watch().raised == {"medical": 2, "income": 2}
    again = watch()
    assert (again.raised, again.entered, again.left) == ({}, 0, 0)
    with reading(officer()):
        told = {
            (row.kind, row.basis): (row.happened_on.day, row.before, row.after)
            for row in Signal.objects.filter(household=home)
        }
    assert told == {
        ("medical", "住院自付"): (8, "自付 0.00 元", "自付 20,000.00 元"),
        ("medical", "重病"): (9, "没有重病", "患重病"),
        ("disability", "残疾等级"): (10, "没有残疾等级", "肢体2 级"),
        ("income", "月工资"): (11, "月工资 3,000.00 元", "月工资 2,000.00 元"),
        ("job", "就业"): (12, "就业，月工资 2,000.00 元", "未就业"),
        ("medical", "年刚性医疗支出"): (13, "0.00 元/年", "12,000.00 元/年"),
        ("disaster", "受灾情况"): (14, "没有受灾", "受灾：重"),
        ("income", "家庭年收入"): (15, "20,000.00 元/年", "10,000.00 元/年"),
    }


def test_what_was_never_asked_is_no_change_and_small_changes_are_none_reg_09(county):
    county("registered")
    thresholds()
    _, person = grown(village())[0]
    facts(
        person, date(2021, 7, 1), employed=None, hospital_cost=None, serious_illness=None, disability_kind=None,
        disability_grade=None, wage_month=None,
    )  # fmt: skip
    facts(person, date(2021, 7, 8), employed=False, hospital_cost=9_000_000, serious_illness=True, disability_grade=1)
    facts(person, date(2021, 7, 9), wage_month=100_000)
    facts(person, date(2021, 7, 10), wage_month=71_000)
    facts(person, date(2021, 7, 11), hospital_cost=9_500_000)
    watch()
    with reading(officer()):
        assert not Signal.objects.filter(person=person, happened_on__gte=BEFORE).exists()


def test_the_death_of_an_earner_and_a_later_change_raise_once_reg_09(county):
    county("registered")
    pairs = grown(village())
    heads = [person for _, person in pairs][-1:]
    home, person = next((home, person) for home, person in pairs if person not in heads)
    facts(person, date(2021, 7, 1), employed=True, wage_month=250_000)
    record_death(by=of_township(Post.CLERK), on=ON, person=person, died_on=date(2021, 7, 10), evidence="死亡证明")
    assert watch().raised.get("death") == 1
    assert watch().raised == {}
    with reading(officer()):
        row = Signal.objects.get(kind="death")
        assert (row.household_id, row.before, row.after) == (home, "月工资 2,500.00 元", "死亡")


def test_the_base_follows_entitlements_and_facts_reg_09(county):
    county("decided")
    home = grown(village())[0][0]
    of_home(home, date(2021, 7, 5), poverty_registered="监测户")
    first = watch()
    with reading(officer()):
        entitled = Entitlement.objects.filter(programme="dibao-rural", valid_from__lte=ON, valid_to=None)
        assert entitled.exists()
        held = set(entitled.values_list("household_id", flat=True))
        layers = LowIncome.objects.filter(valid_to=None)
        assert set(layers.filter(layer="dibao").values_list("household_id", flat=True)) == held
        relapse = layers.get(household=home, layer="relapse")
        assert relapse.basis == "poverty_registered"
        counts = count_base("341524", 6)["341524000000"]
        assert counts["dibao"] == len(held) and counts["all"] == layers.values("household").distinct().count()
        assert first.entered == layers.count() == len(list(iterate_base(BaseFilter("341524", ON))))
        assert len(page_base(BaseFilter("341524", ON, layer="relapse"), size=1000)) == counts["relapse"]
    of_home(home, date(2021, 7, 15), poverty_registered="脱贫户")
    second = watch(on=ON + timedelta(days=1))
    assert (second.entered, second.left) == (0, 1)
    with reading(officer()):
        assert LowIncome.objects.get(pk=relapse.pk).valid_to == ON + timedelta(days=1)


def test_the_end_of_a_benefit_is_a_warning_reg_09(county):
    county("decided")
    with reading(officer()):
        row = Entitlement.objects.filter(programme="dibao-rural").order_by("pk")[0]
        fetch("UPDATE casework_entitlement SET valid_to = '2021-08-01' WHERE id = %s RETURNING id", [row.pk])
    assert watch().raised.get("benefit") is None, "it has not ended yet"
    later = date(2021, 8, 1)
    assert watch(on=later).raised == {"benefit": 1}
    assert watch(on=later).raised == {}
    with reading(officer()):
        signal = Signal.objects.get(kind="benefit")
        assert signal.household_id == row.household_id and "元" in signal.before and signal.after == "已终止"


def raised(place=None):
    """A warning of the first village."""
    home, person = grown(place or village())[0]
    facts(person, date(2021, 7, 1), employed=True)
    facts(person, date(2021, 7, 10), employed=False)
    watch()
    with reading(officer()):
        return Signal.objects.get(household=home, kind="job", happened_on=date(2021, 7, 10))


def test_given_visited_and_closed_with_a_reason_reg_09(county):
    county("adopted")
    signal, clerk, visitor = raised(), of_township(Post.CLERK), informant()
    with pytest.raises(BadInput, match="没有走访期限"):
        following.assign_signals(by=clerk, on=ON, signals=[signal.pk])
    due = ON + timedelta(days=7)
    assert following.assign_signals(by=clerk, on=ON, signals=[signal.pk], due_on=due) == 1
    assert following.assign_signals(by=clerk, on=ON, signals=[signal.pk], due_on=due) == 0
    late = due + timedelta(days=1)
    with reading(visitor):
        mine = SignalFilter(village(), late, standing="overdue", officer=visitor.appointment)
        assert [row.pk for row in page_signals(mine)] == [signal.pk]
        waits = waiting_signals(village(), late, visitor.appointment)
        assert (waits["assigned"], waits["late"], waits["due"]) == (1, 1, due)
        assert count_signals(village(), 12, late)[village()]["overdue"] == 1
    with pytest.raises(following.VisitFirst):
        following.close_signal(by=clerk, on=ON, signal=signal.pk, reason="no_need")
    visit = {
        "signal": signal.pk,
        "visited_on": ON,
        "visitors": ["甲", " "],
        "result": "找到零工，生活无虞",
        "next_on": None,
    }
    for bad in (
        {"visitors": []}, {"result": ""}, {"visited_on": ON + timedelta(days=1)}, {"visited_on": date(2021, 1, 1)},
        {"next_on": ON},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            following.record_visit(by=visitor, on=ON, **(visit | bad))
    following.record_visit(by=visitor, on=ON, **(visit | {"next_on": late}))
    with pytest.raises(AlreadyDone):
        following.record_visit(by=visitor, on=ON, **visit)
    with reading(officer()):
        assert Signal.objects.get(pk=signal.pk).due_on == late and Visit.objects.count() == 1
    with pytest.raises(BadInput, match="帮扶的项目"):
        following.close_signal(by=clerk, on=ON, signal=signal.pk, reason="helped", programme="nothing")
    with pytest.raises(NotYourPost):
        following.close_signal(by=visitor, on=ON, signal=signal.pk, reason="no_need")
    closed = following.close_signal(by=clerk, on=ON, signal=signal.pk, reason="helped", programme="dibao-rural")
    assert (closed.state, closed.programme) == ("closed", "dibao-rural")
    for act in (
        lambda: following.close_signal(by=clerk, on=ON, signal=signal.pk, reason="no_need"),
        lambda: following.record_visit(by=visitor, on=ON, **visit),
    ):
        with pytest.raises(AlreadyDone):
            act()
    with reading(officer()):
        assert [row.pk for row in iterate_signals(SignalFilter("341524", ON, standing="closed"))] == [signal.pk]


def test_nobody_follows_or_watches_elsewhere_reg_09(county):
    county("registered")
    signal = raised()
    stranger = actor(Post.CLERK, other_village()[:9] + "000")
    with pytest.raises(NotYourPlace):
        following.assign_signals(by=stranger, on=ON, signals=[signal.pk], due_on=ON)
    with pytest.raises(BadInput):
        following.close_signal(by=stranger, on=ON, signal=signal.pk, reason="moved")
    for by in (informant(), of_township(Post.REVIEWER)):
        with pytest.raises(NotYourPost):
            watch(by=by)
    moved = following.close_signal(by=officer(), on=ON, signal=signal.pk, reason="moved")
    assert moved.reason == "moved", "nobody needs to visit who moved away"


def test_a_township_watches_its_own_and_each_kind_is_one_statement_reg_09(county, django_assert_max):
    county("registered")
    signal = raised()
    with reading(officer()):
        [before] = fetch_one("SELECT count(*) FROM fieldwork_signal")
    stranger = actor(Post.CLERK, other_village()[:9] + "000")
    assert watch(by=stranger).raised == {} and signal
    with reading(officer()):
        assert fetch_one("SELECT count(*) FROM fieldwork_signal") == (before,)
    by = officer()
    assert django_assert_max(26, lambda: watch(by=by))
