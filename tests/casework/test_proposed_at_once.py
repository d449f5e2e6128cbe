"""A change that touches a benefit is a proposal at once; the screening of the place then finds nothing new (REG-05, DET-06, DET-07)."""

from datetime import timedelta

from huimin.casework.changes import confirm_change, enter_change
from huimin.casework.models import Entitlement
from huimin.casework.screening import screen
from huimin.demo.actors import actor
from huimin.demo.granting import DEPARTMENTS
from huimin.organisation.acting import command, reading
from huimin.organisation.posts import Post
from huimin.registry.models import Household, Membership, Person, ReportedChange
from huimin.screening import commands
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_run
from huimin.screening.snapshots import load
from huimin.workbench.todo import list_todo
from tests.casework.test_changes import told
from tests.registry.people import NOW, members, officer, staff
from tests.workbench.people import client_of

RICH = {"household": {"deposits": 99_999_900, "vehicles": 3}, "people": {}}


def beneficiary(**wanted):
    """What a household of some people draws."""
    with reading(officer()):
        for each in (
            Entitlement.objects.filter(**(wanted or {"programme": "dibao-rural"}))
            .select_related("household")
            .order_by("id")
        ):
            if each.household.closed_on is None and len(members(each.household)) >= 2:
                return each
    raise AssertionError("the sample draws it")


def confirmed(of, kind, payload, when=NOW):
    row = enter_change(by=staff(Post.CLERK, of), on=NOW, told=told(of, kind, payload, on=when))
    if row.state == "entered":
        row = confirm_change(by=staff(Post.REVIEWER, of), on=NOW, change=row.pk)
    assert row.state == ReportedChange.State.APPLIED
    return row


def open_proposals():
    with reading(officer()):
        return {row.pk: row for row in Proposal.objects.filter(state="open").select_related("run")}


def test_a_change_is_proposed_at_once_and_the_next_screening_keeps_it(county):
    """DET-06: with what changed since the grant; other people's proposals stay; re-running changes nothing; it can be proven."""
    county("decided")
    screen(by=officer(), on=NOW, division=officer().division, determination_date=NOW)
    of = beneficiary().household
    before = open_proposals()
    confirmed(of, "facts", RICH)
    after = open_proposals()
    new = [row for row in after.values() if row.pk not in before]
    assert [(row.household_id, row.kind) for row in new if row.programme == "dibao-rural"] == [(of.pk, "leave")]
    assert all(row.household_id == of.pk for row in new)
    gone = before.keys() - after.keys()
    assert all(before[each].household_id == of.pk for each in gone)
    again = screen(by=officer(), on=NOW, division=officer().division, determination_date=NOW)
    assert open_proposals().keys() == after.keys() and again.kept == len(after)
    confirmed(of, "facts", RICH)
    assert open_proposals().keys() == after.keys(), "the same change again proposes nothing new"
    with reading(officer()):
        runs = list(Run.objects.filter(only__isnull=False))
    for run in runs:
        assert prove_run(officer(), run.pk).differences == []


def test_a_death_ends_what_the_dead_held(county):
    """REG-05: a person's own benefit should leave with him; the next screening of the place says the same and keeps it."""
    county("decided")
    held = beneficiary(person__isnull=False)
    of, dead = held.household, held.person_id
    rows = members(of)
    heir = next(row.person_id for row in rows if row.person_id != dead)
    payload = {"person": dead}
    if rows[0].person_id == dead:
        payload |= {"new_head": heir, "relations": {}}
    confirmed(of, "death", payload, NOW - timedelta(days=3))
    [leaving] = [row for row in open_proposals().values() if row.person_id == dead]
    assert (leaving.kind, leaving.amount_fen, leaving.previous_fen) == ("leave", 0, held.amount_fen)
    assert leaving.reasons[0]["after"] == "不在册"
    approver = actor(Post.DEPARTMENT_APPROVER, DEPARTMENTS[leaving.programme])
    with reading(approver):
        rows = {row.title: row for row in list_todo(approver, NOW, {}) if row.title == "审批应退未退"}
    assert rows["审批应退未退"].due == NOW + timedelta(days=7), (
        "seven days from what proposed it, not from the last screening"
    )
    page = client_of(Post.COUNTY_OFFICER, "leading_office").get(f"/proposals/{leaving.pk}/")
    assert page.status_code == 200 and "不在册" in page.content.decode()
    run = screen(by=officer(), on=NOW, division=officer().division, determination_date=NOW)
    assert leaving.pk in open_proposals()
    assert prove_run(officer(), run.pk).differences == []


def test_a_household_that_is_no_more_draws_no_more(county):
    """The last member died: the household is closed, what it drew should end, and the pages say so."""
    county("decided")
    of = beneficiary().household
    with reading(officer()):
        others = [row.person_id for row in members(of)]
    day = NOW - timedelta(days=3)
    for person in others[1:]:
        confirmed(of, "death", {"person": person}, day)
    confirmed(of, "death", {"person": others[0]}, day)
    with reading(officer()):
        assert Household.objects.get(pk=of.pk).closed_on == day
        assert Person.objects.filter(pk__in=others, closed_on=day).count() == len(others)
        assert not Membership.objects.filter(household=of, recorded_to=None, valid_to=None).exists()
    [leaving] = [row for row in open_proposals().values() if row.household_id == of.pk and row.person_id is None]
    assert (leaving.kind, leaving.amount_fen) == ("leave", 0)
    page = client_of(Post.COUNTY_OFFICER, "leading_office").get(f"/proposals/{leaving.pk}/")
    assert page.status_code == 200


def test_a_screening_that_began_before_the_change_leaves_the_household_alone(county):
    """What a slow run of the county read before the change does not undo what the change proposed after it."""
    county("decided")
    of = beneficiary().household
    screen(by=officer(), on=NOW, division=officer().division, determination_date=NOW)
    with reading(officer()):
        old = Run.objects.filter(only=None).order_by("-id").first()
    confirmed(of, "facts", RICH)
    after = open_proposals()
    with reading(officer()):
        snapshot = load(commands.snapshot_path(old), old.snapshot_sha256)
        laws = commands.adopted_book(old.known_at).programmes_in_force(commands.chain(old.division), NOW)
    listed = (table for _, table in commands.determination_of(officer(), old, snapshot, laws).proposals())
    _store(old, snapshot, listed)
    assert open_proposals().keys() == after.keys()


def _store(row, snapshot, listed):
    @command(Post.COUNTY_OFFICER)
    def store(*, by, on):
        commands.finish_run(row, snapshot, row.versions, commands.store(row.pk, commands.place_prefix(row), listed))

    store(by=officer(), on=NOW)


def test_a_change_that_touches_nothing_makes_no_run(county):
    county("registered")
    with reading(officer()):
        of = Household.objects.order_by("id")[0]
    confirmed(of, "facts", {"household": {"houses": 1}, "people": {}})
    with reading(officer()):
        assert not Run.objects.exists()
