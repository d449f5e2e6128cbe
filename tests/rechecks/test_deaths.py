"""Deaths within the legal months: frozen and proposed at once, stopped from the month after the decision, listed until it is (CASE-09, REG-05).

By hand. Died on 25 August 2021: the legal last month is August, nothing is owed from 1 September. Decided on 30 August: ends on
1 September, in time. Decided on 3 September: ends on 1 October, one month too long, and the list says so while it waits.
"""

from datetime import date

from huimin.casework.changes import confirm_change, enter_change
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.deaths import count_still_drawn, legal_stop, list_still_drawn, propose_stop
from huimin.rechecks.rules import propose_rule, settings_of, settle_rule
from huimin.registry.models import Card, Household, Membership
from huimin.screening.models import Proposal
from tests.casework.test_changes import told
from tests.rechecks.people import PROGRAMME, civil
from tests.registry.people import officer, staff

DIED, IN_TIME, LATE = date(2021, 8, 25), date(2021, 8, 30), date(2021, 9, 3)
COUNTY, PLACE = "341524", "341524000000"
APPROVERS = {"reservoir-migrant": OfficeKind.WATER, PROGRAMME: OfficeKind.CIVIL_AFFAIRS}


def people_of(household):
    with reading(officer()):
        rows = Membership.objects.filter(household=household, recorded_to=None, valid_to=None)
        return [row.person_id for row in sorted(rows, key=lambda row: (row.relation != "户主", row.pk))]


def dies(of, person, on=DIED, day=DIED):
    """Entered by the clerk and confirmed by another."""
    others = [each for each in people_of(of) if each != person]
    payload = {"person": person} | (
        {"new_head": others[0], "relations": {}} if others and people_of(of)[0] == person else {}
    )
    row = enter_change(by=staff(Post.CLERK, of), on=on, told=told(of, "death", payload, on=day))
    if row.state == "entered":
        confirm_change(by=staff(Post.REVIEWER, of), on=on, change=row.pk)


def decided(programme, of, on):
    with reading(officer()):
        waiting = list(Proposal.objects.filter(household=of, programme=programme, state="open").exclude(kind="enter"))
    approver = actor(Post.DEPARTMENT_APPROVER, APPROVERS[programme])
    decide_proposals(
        by=approver,
        on=on,
        programme=programme,
        division=of.division,
        grant=True,
        proposal_ids=[row.pk for row in waiting],
    )
    return waiting


def listed(on, **more):
    with reading(officer()):
        return list_still_drawn(COUNTY, on, **more)


def held_by(person=None, household=None, programme="reservoir-migrant"):
    with reading(officer()):
        rows = Entitlement.objects.filter(programme=programme, person=person, household=household)
        return list(rows.order_by("valid_from"))


def two_holders():
    """Two people of different households of two or more who hold something of their own."""
    with reading(officer()):
        found = []
        for row in Entitlement.objects.filter(programme="reservoir-migrant").select_related("household").order_by("id"):
            alone = Membership.objects.filter(household=row.household_id, valid_to=None, recorded_to=None).count() < 2
            if (
                not alone
                and row.household.closed_on is None
                and row.household_id not in [each.household_id for each in found]
            ):
                found.append(row)
        return found[:2]


def test_what_the_dead_held_ends_the_month_after_when_decided_in_time_case_09(county):
    """His account freezes with the registration; a stop is proposed at once; the list keeps it until it is decided."""
    county("decided")
    one, two = two_holders()
    before = {row.entitlement for row in listed(IN_TIME)}
    for each in (one, two):
        dies(each.household, each.person_id)
    with reading(officer()):
        cards = Card.objects.filter(holder__in=[one.person_id, two.person_id], recorded_to=None)
        assert {card.state for card in cards} <= {"frozen"}
    rows = {row.entitlement: row for row in listed(IN_TIME) if row.entitlement not in before}
    assert {row.sort for row in rows.values() if row.person in (one.person_id, two.person_id)} <= {"person", "member"}
    mine = rows[one.pk]
    assert (mine.sort, mine.days, mine.until, mine.stops_on, mine.months, mine.kind) == (
        "person", 5, date(2021, 8, 31), date(2021, 9, 1), 0, "leave",
    )  # fmt: skip
    assert legal_stop(date(2021, 12, 31)) == date(2022, 1, 1) and legal_stop(date(2021, 8, 1)) == date(2021, 9, 1)
    decided("reservoir-migrant", one.household, IN_TIME)
    [ended] = held_by(one.person_id, one.household)
    assert ended.valid_to == date(2021, 9, 1), "August is paid, September is not"
    late = next(row for row in listed(LATE) if row.entitlement == two.pk)
    assert (late.days, late.months, late.until < LATE) == (9, 1, True)
    assert one.pk not in {row.entitlement for row in listed(LATE)}
    decided("reservoir-migrant", two.household, LATE)
    [ended] = held_by(two.person_id, two.household)
    assert ended.valid_to == date(2021, 10, 1), "one month drawn too long"
    assert not {one.pk, two.pk} & {row.entitlement for row in listed(LATE)}


def test_a_household_gets_less_the_month_after_or_ends_with_its_last_member_case_09(county):
    """The member's part within the county's months; the emptied household as a whole; a death that came by a table is found too."""
    county("decided")
    with reading(officer()):
        held = next(
            row
            for row in Entitlement.objects.filter(programme=PROGRAMME, household__closed_on=None).select_related(
                "household"
            )
            if Membership.objects.filter(household=row.household_id, valid_to=None, recorded_to=None).count() >= 2
        )
    of, everybody = held.household, people_of(held.household)
    rule = propose_rule(by=officer(), on=DIED, code="death", value=3, basis="县民政局2021年11号")
    settle_rule(by=civil(Post.DEPARTMENT_APPROVER), on=DIED, number=rule.pk, agreed=True)
    dies(of, everybody[-1])
    with reading(officer()):
        within = settings_of(PLACE, LATE).death
    rows = [row for row in listed(LATE, within=within, household=of.pk) if row.programme == PROGRAMME]
    with reading(officer()):
        waiting = Proposal.objects.filter(household=of, programme=PROGRAMME, state="open").exclude(kind="enter").first()
    if waiting:
        assert [(row.sort, row.until, row.proposal) for row in rows] == [("member", date(2021, 11, 25), waiting.pk)]
        decided(PROGRAMME, of, LATE)
        amounts = held_by(None, of, PROGRAMME)
        assert amounts[0].valid_to == date(2021, 10, 1)
        assert not [row for row in listed(LATE, household=of.pk) if row.programme == PROGRAMME]
    for person in reversed(everybody[:-1]):
        dies(of, person, on=LATE, day=LATE)
    with reading(officer()):
        assert Household.objects.get(pk=of.pk).closed_on == LATE
        live = Entitlement.objects.filter(household=of, programme=PROGRAMME, valid_to=None).exists()
    last = [row for row in listed(LATE, sort="household", household=of.pk) if row.programme == PROGRAMME]
    assert [row.kind for row in last] == (["leave"] if live else [])
    assert propose_stop(by=staff(Post.CLERK, of), on=LATE, household=of.pk) == 1, "determined anew changes nothing"
    with reading(officer()):
        counts = count_still_drawn(COUNTY, LATE)
    assert sum(count for count, _ in counts.values()) == len(listed(LATE))
