"""Two records made one and separated again: four eyes, nothing paid twice, everything put back (REG-04, SEC-02, PAY-06)."""

from datetime import date

import pyarrow as pa
import pytest
from django.apps import apps
from django.db import IntegrityError

from huimin.casework.models import Entitlement
from huimin.database.bulk import fetch
from huimin.demo.actors import actor
from huimin.duplicates import merging, tracing
from huimin.duplicates.comparing import side_of
from huimin.duplicates.hanging import RULES
from huimin.duplicates.merging import StillHindered, confirm_merge, preview, propose_merge, refuse_merge
from huimin.duplicates.models import Merge, Overpaid, Pair
from huimin.duplicates.separating import confirm_separation, keep_merged, propose_separation
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import Recused, require_not_related
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Due, Recovery, RosterLine
from huimin.registry.commands import record_person_facts
from huimin.registry.commands.merging import merge_population
from huimin.registry.models import Card, Household, Membership, Person, PersonFacts
from huimin.registry.queries import find_by_identity_number, find_household_of, get_household
from huimin.registry.snapshots import NotRegistered
from tests.cases.people import ask
from tests.duplicates.people import homes, number_of, person_of, search, second_record, wish
from tests.kinship.people import declare
from tests.registry.people import NOW, officer, other_staff, staff

LATER = date(2021, 10, 8)
_TOLD = {
    "registry_person": "id = ANY (%(people)s)",
    "registry_membership": "person_id = ANY (%(people)s) AND recorded_to IS NULL",
    "registry_personfacts": "person_id = ANY (%(people)s) AND recorded_to IS NULL",
    "registry_card": "holder_id = ANY (%(people)s) AND recorded_to IS NULL",
    "registry_cardauthority": "beneficiary_id = ANY (%(people)s) OR agent_id = ANY (%(people)s)",
    "registry_workitem": "person_id = ANY (%(people)s)",
    "registry_household": "id = ANY (%(homes)s)",
    "registry_attachment": "household_id = ANY (%(homes)s)",
    "casework_entitlement": "person_id = ANY (%(people)s) OR household_id = ANY (%(homes)s)",
    "casework_careagreement": "person_id = ANY (%(people)s)",
    "payment_due": "entitlement_id IN (SELECT id FROM casework_entitlement WHERE person_id = ANY (%(people)s)"
    " OR household_id = ANY (%(homes)s))",
    "screening_proposal": "person_id = ANY (%(people)s) OR household_id = ANY (%(homes)s)",
    "duplicates_pair": "first_id = ANY (%(people)s) OR second_id = ANY (%(people)s)",
}
_RENEWED = ("registry_membership", "registry_personfacts")


def state_of(people, households):
    """What is in force, table by table; rows that are known anew have new numbers and times of record."""
    values = {"people": [each.pk for each in people], "homes": [each.pk for each in households]}
    found = {}
    with reading(officer()):
        for table, where in _TOLD.items():
            dropped = " - 'id'" if table in _RENEWED else ""
            sql = f"SELECT (to_jsonb(t){dropped} - 'recorded_from')::text FROM {table} t WHERE {where} ORDER BY 1"
            found[table] = [row for (row,) in fetch(sql, values)]
    return found


def reviewer(home):
    return staff(Post.REVIEWER, home)


def merged(home, one, other, **chosen):
    row = propose_merge(by=staff(Post.CLERK, home), on=NOW, wish=wish(one, other, **chosen))
    return confirm_merge(by=reviewer(home), on=NOW, merge=row.pk)


def separated(home, row, **more):
    propose_separation(by=staff(Post.CLERK, home), on=LATER, merge=row.pk, reason="另有其人，见户口簿", **more)
    return confirm_separation(by=reviewer(home), on=LATER, merge=row.pk)


@pytest.fixture
def two(county):
    county("decided")
    return homes(2)


def test_a_merge_by_two_people_leads_the_dead_number_to_the_survivor_reg_04_sec_02(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    search()
    clerk = staff(Post.CLERK, two[0])
    with reading(clerk):
        told = preview(clerk, NOW, wish(one, other))
    assert any("不含这份档案" in line for line in told.lines) and told.overpaid_fen == 0
    row = propose_merge(by=clerk, on=NOW, wish=wish(one, other))
    with reading(officer()):
        assert Person.objects.get(pk=other.pk).merged_into_id is None, "nothing changes before another confirms"
    with pytest.raises(AlreadyDone):
        propose_merge(by=clerk, on=NOW, wish=wish(one, other))
    with pytest.raises(NotYourPost):
        confirm_merge(by=clerk, on=NOW, merge=row.pk)
    done = confirm_merge(by=reviewer(two[0]), on=NOW, merge=row.pk)
    assert done.state == "confirmed" and done.signature.subject == f"merge:{row.pk}"
    with reading(officer()):
        found = find_by_identity_number(number_of(one.birth_date, 901 if one.sex == "男" else 902), NOW)
        assert found.pk == one.pk and find_household_of(found.pk, NOW).pk == two[0].pk
        assert not Membership.objects.filter(person=other, recorded_to=None, valid_to=None).exists()
        assert Pair.objects.filter(state="merged").count() == 1
        gone = Person.objects.get(pk=other.pk)
    assert gone.closed_on == NOW and gone.merged_into_id == one.pk
    with pytest.raises(AlreadyDone):
        confirm_merge(by=reviewer(two[0]), on=NOW, merge=row.pk)
    with pytest.raises(AlreadyDone):
        propose_merge(by=clerk, on=NOW, wish=merging.Wish(one.pk, other.pk, {}, {}, "再并一次"))


def test_the_same_officer_does_not_confirm_sec_02(county):
    county("decided")
    here, there = homes(2, same_township=False)
    one = person_of(here)
    other = second_record(one, there)
    with pytest.raises(NotRegistered):
        propose_merge(by=staff(Post.CLERK, here), on=NOW, wish=wish(one, other))
    row = propose_merge(by=officer(), on=NOW, wish=wish(one, other))
    with pytest.raises(SamePerson):
        confirm_merge(by=officer(), on=NOW, merge=row.pk)
    with pytest.raises(NotRegistered):
        confirm_merge(by=reviewer(here), on=NOW, merge=row.pk)
    approver = actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    assert confirm_merge(by=approver, on=NOW, merge=row.pk).decided_by == approver.appointment
    propose_separation(by=officer(), on=LATER, merge=row.pk, reason="其实是两个人")
    with pytest.raises(SamePerson):
        confirm_separation(by=officer(), on=LATER, merge=row.pk)
    assert keep_merged(by=approver, on=LATER, merge=row.pk).state == "confirmed"


@pytest.mark.parametrize("chosen", [{}, {"membership": "absorbed"}, {"name": "absorbed", "identity": "absorbed"}])
def test_merge_then_separate_is_as_before_reg_04(two, chosen):
    """In every table concerned; the past, as it was known then, is told as it was."""
    one = person_of(two[0])
    other = second_record(one, two[1], name="张弎" if "name" in chosen else "")
    search()
    before = state_of((one, other), two)
    row = merged(two[0], one, other, **chosen)
    during = state_of((one, other), two)
    assert during != before
    assert separated(two[0], row).kept == []
    after = state_of((one, other), two)
    for table in before:
        assert _but_encrypted(after[table]) == _but_encrypted(before[table]), table
    by = officer()
    with reading(by):
        assert Merge.objects.get(pk=row.pk).state == "separated"
        known = get_household(two[1].pk, by, NOW, known_at=row.signature.signed_at)
        assert other.pk not in [member.person.pk for member in known.members]
        now = get_household(two[1].pk, by, NOW)
    assert other.pk in [member.person.pk for member in now.members]
    assert merged(two[0], one, other, **chosen).pk != row.pk, "and may be merged again"


def _but_encrypted(rows):
    return rows


def test_a_head_who_goes_needs_another_and_an_emptied_household_ends_reg_04(two):
    """Somebody registered twice with his wife: the second household ends when both records are merged (REG-05)."""
    one, wife = person_of(two[0], 0), person_of(two[0], 1)
    before = {each.pk for each in (one, wife)}
    other, other_wife = second_record(one, two[1]), second_record(wife, two[1])
    new = _founded(two[1], other, other_wife)
    assert before and new.closed_on is None
    with pytest.raises(Exception) as no_head:
        propose_merge(by=staff(Post.CLERK, two[0]), on=NOW, wish=wish(one, other))
    assert type(no_head.value).__name__ == "NoHead"
    named = wish(one, other)
    named = merging.Wish(named.survivor, named.absorbed, named.choices, {str(new.pk): other_wife.pk}, named.reason)
    row = propose_merge(by=staff(Post.CLERK, two[0]), on=NOW, wish=named)
    confirm_merge(by=reviewer(two[0]), on=NOW, merge=row.pk)
    state = state_of((wife, other_wife), [new])
    second = merged(two[0], wife, other_wife)
    assert any("没有成员了" in line for line in second.told["lines"])
    with reading(officer()):
        assert Household.objects.get(pk=new.pk).closed_on == NOW
    separated(two[0], second)
    assert state_of((wife, other_wife), [new]) == state
    with reading(officer()):
        assert Household.objects.get(pk=new.pk).closed_on is None


def _founded(home, head, wife):
    """These two as a household of their own."""
    from huimin.casework.changes import Told, confirm_change, enter_change

    payload = {
        "head": head.pk, "relations": {str(wife.pk): "配偶"},
        "people": [head.pk, wife.pk], "address": "新村 1 号", "phone": "", "division": home.division,
    }  # fmt: skip
    told = Told("split", home.pk, NOW, "分户申请", payload)
    row = enter_change(by=staff(Post.CLERK, home), on=NOW, told=told)
    if row.state == "entered":
        confirm_change(by=staff(Post.REVIEWER, home), on=NOW, change=row.pk)
    with reading(officer()):
        return find_household_of(head.pk, NOW)


def entitled(home, person, like, on=NOW):
    """The person holds what `like` holds: as if decided for the second record too."""
    with reading(officer()):
        copy = Entitlement.objects.get(pk=like.pk)
        decision = copy.decision
        proposal = decision.proposal
        proposal.pk, proposal.person, proposal.household, proposal.division = None, person, home, home.division
        proposal.save(force_insert=True)
        decision.pk, decision.person, decision.household, decision.proposal = None, person, home, proposal
        decision.division = home.division
        decision.save(force_insert=True)
        copy.pk, copy.person, copy.household, copy.decision, copy.division = None, person, home, decision, home.division
        copy.save(force_insert=True)
        return copy


def owed(entitlement, months, state):
    with reading(officer()):
        return [
            Due.objects.create(
                entitlement=entitlement, division=entitlement.division, programme=entitlement.programme,
                period_from=date(2021, month, 1), period_until=date(2021, month + 1, 1), amount_fen=100_00, state=state,
            )
            for month in months
        ]  # fmt: skip


@pytest.fixture
def holder(county):
    """Somebody with an entitlement of his own, his household, and another household of the township."""
    county("decided")
    with reading(officer()):
        held = Entitlement.objects.filter(person__isnull=False, valid_to=None).select_related("person", "household")
        for row in held.order_by("id"):
            others = Household.objects.filter(division__startswith=row.division[:9], closed_on=None).exclude(
                pk=row.household_id
            )
            heads = Membership.objects.filter(person=row.person, relation="户主", recorded_to=None, valid_to=None)
            if (other := others.order_by("id").first()) and not heads.exists():
                return row, other
    raise AssertionError("nobody holds anything")


def test_two_entitlements_become_one_and_what_was_paid_twice_is_listed_pay_06(holder):
    held, there = holder
    other = second_record(held.person, there)
    theirs = entitled(there, other, held)
    owed(held, [7, 8], "paid")
    owed(theirs, [8], "paid")
    owed(theirs, [9], "owed")
    row = merged(held.household, held.person, other)
    with reading(officer()):
        theirs.refresh_from_db()
        assert theirs.person_id == other.pk and theirs.valid_to == date(2021, 9, 1)
        assert list(Due.objects.filter(entitlement=theirs).order_by("period_from").values_list("state", flat=True)) == [
            "paid", "withdrawn",
        ]  # fmt: skip
        [listed] = Overpaid.objects.filter(merge=row)
        assert (listed.amount_fen, listed.period_from, listed.void) == (100_00, date(2021, 8, 1), False)
        live = Entitlement.objects.filter(person__in=[held.person, other], programme=held.programme, valid_to=None)
        assert [each.pk for each in live] == [held.pk]
    separated(held.household, row)
    with reading(officer()):
        theirs.refresh_from_db()
        assert theirs.valid_to is None and Overpaid.objects.get(merge=row).void
        assert Due.objects.filter(entitlement=theirs, state="owed").count() == 1


def test_an_entitlement_of_its_own_moves_and_comes_back_reg_04(holder):
    """And its account with it, when the survivor has none."""
    held, there = holder
    fresh = second_record(held.person, there)
    before = state_of((held.person, fresh), [held.household, there])
    row = merged(held.household, fresh, held.person)
    with reading(officer()):
        moved = Entitlement.objects.get(pk=held.pk)
        assert (moved.person_id, moved.household_id) == (fresh.pk, there.pk)
        assert moved.decision.person_id == held.person_id, "a decision keeps the record it was made for"
        assert not Card.objects.filter(holder=held.person, recorded_to=None, state="active").exists()
    separated(held.household, row)
    assert state_of((held.person, fresh), [held.household, there]) == before


def test_what_came_after_stays_unless_it_is_assigned_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    with reading(officer()):
        wage = (side_of(one, NOW).facts.wage_month or 0) + 123_00
        items = tracing.later_of(Merge(survivor=one, absorbed=other, told={}))
    row = merged(two[0], one, other)
    clerk = staff(Post.CLERK, two[0])
    record_person_facts(by=clerk, on=LATER, person=one.pk, facts={"wage_month": wage}, since=LATER, evidence="入户")
    with reading(clerk):
        from huimin.registry.models import WorkItem

        item = WorkItem.objects.create(division=one.division, kind="differs", person=one, summary="与登记不符")
        later = tracing.later_of(Merge.objects.get(pk=row.pk))
    assert f"item:{item.pk}" in [each.key for each in later] and len(items) >= 0
    with pytest.raises(BadInput):
        propose_separation(by=clerk, on=LATER, merge=row.pk, reason="不是同一人", assigned=["card:1"])
    row = separated(two[0], row, assigned=[f"item:{item.pk}"])
    assert any("待核实事项" in line for line in row.kept)
    with reading(officer()):
        assert side_of(one, LATER).facts.wage_month == wage
        assert PersonFacts.objects.filter(person=other, recorded_to=None, valid_to=None).exists()
        item.refresh_from_db()
    assert item.person_id == other.pk


def test_refused_reg_04_sec_03(two):
    one = person_of(two[0])
    other = second_record(one, two[1], name="王五六")
    clerk = staff(Post.CLERK, two[0])
    good = wish(one, other)
    for bad, error in (
        (merging.Wish(one.pk, one.pk, {}, {}, "同一份"), BadInput),
        (merging.Wish(one.pk, other.pk, {}, {}, "没有选择"), BadInput),
        (merging.Wish(one.pk, other.pk, {**good.choices, "name": "third"}, {}, "乱选"), BadInput),
        (merging.Wish(one.pk, other.pk, good.choices, {}, " "), BadInput),
        (merging.Wish(one.pk, 10**9, good.choices, {}, "没有这个人"), NotRegistered),
    ):
        with pytest.raises(error):
            propose_merge(by=clerk, on=NOW, wish=bad)
    with pytest.raises(NotRegistered):
        propose_merge(by=other_staff(Post.CLERK, two[0]), on=NOW, wish=good)
    with pytest.raises(NotYourPost):
        propose_merge(by=staff(Post.SETTLEMENT, two[0]), on=NOW, wish=good)
    row = propose_merge(by=clerk, on=NOW, wish=good)
    with pytest.raises(BadInput):
        refuse_merge(by=reviewer(two[0]), on=NOW, merge=row.pk, refusal="")
    refused = refuse_merge(by=reviewer(two[0]), on=NOW, merge=row.pk, refusal="不是同一人")
    assert refused.state == "refused"
    with pytest.raises(AlreadyDone):
        confirm_merge(by=reviewer(two[0]), on=NOW, merge=row.pk)
    with pytest.raises(AlreadyDone):
        propose_separation(by=clerk, on=NOW, merge=row.pk, reason="没有并过")


def test_money_on_its_way_stops_a_merge_pay_06(county):
    county("compiled")
    with reading(officer()):
        line = RosterLine.objects.filter(state="listed").select_related("payee").order_by("id").first()
        others = Household.objects.filter(division__startswith=line.division[:9], closed_on=None)
        there = others.exclude(pk=line.household_id).order_by("id").first()
    other = second_record(line.payee, there)
    with pytest.raises(StillHindered, match="没办结的发放"):
        propose_merge(by=staff(Post.CLERK, there), on=NOW, wish=wish(other, line.payee))


def test_a_recovery_that_is_not_settled_stops_a_merge_pay_06(two):
    """What is withheld comes from the same person's payments: after a merge nothing would."""
    with reading(officer()):
        held = Entitlement.objects.filter(programme="dibao-rural").order_by("id").first()
        others = Household.objects.filter(division__startswith=held.division[:9], closed_on=None)
        there = others.exclude(pk=held.household_id).order_by("id").first()
        person = Membership.objects.filter(household=held.household, recorded_to=None, valid_to=None).first().person
    Recovery.objects.using("maintenance").create(
        division=held.division, books=held.division[:9] + "000", programme=held.programme, household_id=held.household_id,
        person_id=person.pk, entitlement_id=held.pk, ground="other", amount_fen=100, proposed_by=officer().appointment, proposed_on=NOW,
    )  # fmt: skip
    with pytest.raises(StillHindered, match="追缴还没有结清"):
        propose_merge(by=staff(Post.CLERK, there), on=NOW, wish=wish(second_record(person, there), person))


def test_an_application_under_way_stops_a_merge_case_01(two):
    """Of a household that would end with the record."""
    by = officer()
    with reading(by):
        held = Entitlement.objects.filter(programme="dibao-rural").values("household")
        rows = Household.objects.filter(closed_on=None).exclude(pk__in=held).order_by("id")
        present = Membership.objects.filter(recorded_to=None, valid_to=None)
        lonely = next(each for each in rows if present.filter(household=each).count() == 1)
        there = rows.filter(division__startswith=lonely.division[:9]).exclude(pk=lonely.pk).first()
    clerk = staff(Post.CLERK, lonely)
    ask(lonely, clerk, on=NOW)
    person = person_of(lonely, 0)
    other = second_record(person, there)
    with pytest.raises(StillHindered, match="申请或名单"):
        propose_merge(by=clerk, on=NOW, wish=wish(other, person))


def test_a_merged_record_holds_nothing_whoever_writes_it_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    merged(two[0], one, other)
    with pytest.raises(IntegrityError, match="a merged record holds"), reading(officer()):
        Membership.objects.create(
            person=other, household=two[1], relation="其他", division=two[1].division, valid_from=LATER
        )
    with pytest.raises(IntegrityError, match="a merged record holds"), reading(officer()):
        Person.objects.filter(pk=one.pk).update(merged_into=other, closed_on=LATER)


def test_an_import_of_the_dead_number_means_the_survivor_reg_03_reg_04(two):
    one = person_of(two[0])
    other = second_record(one, two[1])
    merged(two[0], one, other)
    dead = number_of(one.birth_date, 901 if one.sex == "男" else 902)
    text, number = pa.string(), pa.int64()
    empty = {name: pa.array([], text) for name in ("household_no", "head_id", "head_name", "division")}
    cards = {name: pa.array([], text) for name in ("holder_id", "account", "account_name", "use")}
    row = {
        "household": pa.array([None], number), "name": pa.array([one.name], text), "id_number": pa.array([dead], text),
        "relation": pa.array([None], text),
    }  # fmt: skip
    report = merge_population(
        by=staff(Post.CLERK, two[0]), on=NOW, prefix=two[0].division[:9], households=pa.table(empty), members=pa.table(row),
        cards=pa.table({"household": pa.array([], number), **cards}), valid_from=NOW, evidence="导入",
        create_households=False, heads_required=False,
    )  # fmt: skip
    assert report.members == {}, "nobody new, and nothing that waits"
    with reading(officer()):
        assert not Person.objects.filter(pk__gt=other.pk).exists()


def test_a_relative_declared_under_the_other_record_is_still_a_relative_reg_10(two):
    """Who declared the record that was merged away recuses himself from the one that stayed."""
    one = person_of(two[0])
    other = second_record(one, two[1])
    stranger = staff(Post.TOWNSHIP_HEAD, two[0])
    declare(stranger, other)
    merged(two[0], one, other)
    with reading(stranger), pytest.raises(Recused):
        require_not_related(stranger, NOW, [two[0].pk])
    third = person_of(two[1], 0)
    clerk = staff(Post.CLERK, two[0])
    declare(clerk, third)
    again = second_record(third, two[0], serial=905)
    with pytest.raises(Recused):
        propose_merge(by=clerk, on=NOW, wish=wish(again, third))


def test_every_column_that_names_a_person_has_a_rule_reg_04():
    """A room that hangs rows on people says here what a merge does with them."""
    fields = ((model._meta.db_table, field) for model in apps.get_models() for field in model._meta.fields)
    named = {(table, field.column) for table, field in fields if field.is_relation and field.related_model is Person}
    assert named == set(RULES)
