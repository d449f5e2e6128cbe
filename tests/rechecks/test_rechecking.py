"""A re-check from its beginning to what it comes to: evidence, difference, two people, no relative (CASE-09, DET-06, SEC-02)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from huimin.casework.changes import confirm_change, enter_change
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.kinship.models import Recusal
from huimin.kinship.recusal import Recused
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.beginning import NothingToRecheck, begin_rechecks, cancel_recheck, record_means
from huimin.rechecks.concluding import (
    CannotTell,
    ChangedSince,
    ChangeOnItsWay,
    NotLookedInto,
    conclude_rechecks,
    confirm_rechecks,
    return_recheck,
)
from huimin.rechecks.models import Recheck, RecheckMeans
from huimin.rechecks.rounds import Entry, record_round
from huimin.rechecks.rules import propose_rule, settle_rule
from huimin.registry.models import Household, Membership
from huimin.screening.models import Proposal
from huimin.visits.recording import record_visit
from tests.cases.people import people
from tests.casework.test_changes import told
from tests.kinship.people import declare
from tests.rechecks.people import BEGUN, PROGRAMME, RICH, begun, change, civil, drawing, informant, looked, reread
from tests.registry.people import officer, other_staff, staff
from tests.visits.people import found
from tests.visits.people import sign as sign_visit

SAME = "核查与登记一致，保持不变"


def test_unchanged_on_evidence_signed_by_two_case_09(county):
    """Begun once; refused without evidence, to a stranger, to the wrong post; a home visit signed by both sides is evidence."""
    county("decided")
    of = drawing()
    clerk, reviewer = staff(Post.CLERK, of), staff(Post.REVIEWER, of)
    with pytest.raises(NotYourPost):
        begin_rechecks(by=reviewer, on=BEGUN, households=[of.pk])
    with pytest.raises(NothingToRecheck):
        begin_rechecks(by=other_staff(Post.CLERK, of), on=BEGUN, households=[of.pk])
    with pytest.raises(BadInput):
        begin_rechecks(by=clerk, on=BEGUN, households=[])
    row = begun(of)
    assert (row.state, row.begun_on, row.programmes) == ("open", BEGUN, [PROGRAMME])
    with pytest.raises(NothingToRecheck):
        begin_rechecks(by=clerk, on=BEGUN, households=[of.pk])
    told_words = {row.pk: SAME}
    with pytest.raises(NotLookedInto):
        conclude_rechecks(by=clerk, on=BEGUN, words=told_words)
    means = {"by": informant(of), "on": BEGUN, "recheck": row.pk, "people": "户主"}
    record_means(**means, kind="declared", done_on=BEGUN, words="户主申报收入没有变化")
    with pytest.raises(NotLookedInto):
        conclude_rechecks(by=clerk, on=BEGUN, words=told_words)
    for wrong in (
        {"kind": "visited", "done_on": BEGUN}, {"kind": "letter", "done_on": date(2021, 7, 30)},
        {"kind": "letter", "done_on": date(2021, 8, 3)}, {"kind": "letter", "done_on": BEGUN, "words": "好"},
    ):  # fmt: skip
        with pytest.raises(BadInput):
            record_means(**{**means, "words": "单位回函，没有收入"} | wrong)
    _visited(of, row)
    [done] = conclude_rechecks(by=clerk, on=BEGUN, words=told_words)
    assert (done.state, done.outcome, done.findings) == ("concluded", "same", [])
    with reading(officer()):
        assert set(RecheckMeans.objects.filter(recheck=row).values_list("kind", flat=True)) == {"declared", "visited"}
    with pytest.raises(AlreadyDone):
        conclude_rechecks(by=clerk, on=BEGUN, words=told_words)
    with pytest.raises(NotYourPost):
        confirm_rechecks(by=clerk, on=BEGUN, rechecks=[row.pk])
    [confirmed] = confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk])
    assert (confirmed.state, confirmed.confirmation.subject) == ("confirmed", row.subject)
    with pytest.raises(AlreadyDone):
        confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk])
    for edit in ({"outcome": "leave"}, {"state": "open"}, {"words": "改过的结论"}):
        with pytest.raises(IntegrityError), reading(officer()), transaction.atomic():
            Recheck.objects.filter(pk=row.pk).update(**edit)


def _visited(of, row):
    who = people(of)
    went = [who[Post.CLERK].appointment, who[Post.INFORMATION_OFFICER].appointment]
    made = record_visit(
        by=who[Post.CLERK], on=BEGUN, household=of.pk, purpose="recheck", subject=row.subject, visited_on=BEGUN,
        investigators=went, met="applicant", met_name="本人", found=found(), round=row.round,
    )  # fmt: skip
    with pytest.raises(NotLookedInto):
        conclude_rechecks(by=who[Post.CLERK], on=BEGUN, words={row.pk: SAME})
    sign_visit(made, who, on=BEGUN)


def test_what_changed_is_proposed_and_takes_effect_the_month_after_its_decision_det_06(county):
    """Registered by two, determined anew, concluded, confirmed by another, decided: decided on 20 August, stopped on 1 September."""
    county("decided")
    of = drawing()
    clerk, reviewer = staff(Post.CLERK, of), staff(Post.REVIEWER, of)
    row = begun(of)
    looked(row)
    entered = enter_change(by=clerk, on=BEGUN, told=told(of, "facts", RICH, on=BEGUN))
    with pytest.raises(ChangeOnItsWay):
        conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: "查实有车有存款"})
    confirm_change(by=reviewer, on=BEGUN, change=entered.pk)
    [done] = conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: "查实有车有存款，不再符合"})
    [finding] = done.findings
    assert (done.outcome, finding["kind"], finding["amount_fen"]) == ("leave", "leave", 0) and finding[
        "previous_fen"
    ] > 0
    with pytest.raises(BadInput):
        return_recheck(by=reviewer, on=BEGUN, recheck=row.pk, reason="再")
    back = return_recheck(by=reviewer, on=BEGUN, recheck=row.pk, reason="请再到邻里核实车辆")
    assert (back.state, back.round) == ("open", 2)
    with pytest.raises(NotLookedInto):
        conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: "第一轮的核查不再算"})
    looked(reread(back), kind="neighbours", people="村民王某", words="邻居说车是去年买的")
    conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: "邻里证实有车，不再符合"})
    with pytest.raises(BadInput):
        confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk, begun(drawing(1)).pk])
    confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk])
    decide_proposals(
        by=civil(Post.DEPARTMENT_APPROVER), on=date(2021, 8, 20), programme=PROGRAMME, division=of.division, grant=True,
        proposal_ids=[finding["proposal"]],
    )  # fmt: skip
    with reading(officer()):
        assert Entitlement.objects.get(household=of, programme=PROGRAMME).valid_to == date(2021, 9, 1)
        assert Proposal.objects.get(pk=finding["proposal"]).state == "granted"
    with pytest.raises(NothingToRecheck):
        begin_rechecks(by=clerk, on=date(2021, 9, 1), households=[of.pk])


def test_nothing_is_confirmed_that_changed_since_or_lacks_facts_case_09(county):
    """A change between conclusion and confirmation sends it back; a fact nobody asked for cannot be concluded over."""
    county("decided")
    of = drawing()
    clerk, reviewer = staff(Post.CLERK, of), staff(Post.REVIEWER, of)
    row = begun(of)
    looked(row)
    conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: SAME})
    change(of, RICH)
    with pytest.raises(ChangedSince):
        confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk])
    return_recheck(by=reviewer, on=BEGUN, recheck=row.pk, reason="结论之后登记了车和存款")
    row = reread(row)
    change(of, {"household": {"deposits": None, "vehicles": 0}, "people": {}})
    looked(row)
    with pytest.raises(CannotTell) as lacking:
        conclude_rechecks(by=clerk, on=BEGUN, words={row.pk: SAME})
    assert "存款" in str(lacking.value)
    with pytest.raises(BadInput):
        cancel_recheck(by=clerk, on=BEGUN, recheck=row.pk, reason=" ")
    assert cancel_recheck(by=clerk, on=BEGUN, recheck=row.pk, reason="先补登记，再重新复核").state == "cancelled"
    assert begun(of).pk != row.pk, "and it is due as before"


def test_a_village_round_together_each_on_its_own_evidence_and_no_relative_case_09(county):
    """Many begun and concluded at once; one without evidence refuses all; a relative's is left out and written down (REG-10)."""
    county("decided")
    water = actor(Post.DEPARTMENT_APPROVER, OfficeKind.WATER)
    rule = propose_rule(
        by=officer(), on=BEGUN, code="stable", value=12, basis="县水利局2021年2号", programme="reservoir-migrant"
    )
    settle_rule(by=water, on=BEGUN, number=rule.pk, agreed=True)
    with reading(officer()):
        by_town: dict[str, set[int]] = {}
        for row in Entitlement.objects.filter(programme="reservoir-migrant", household__closed_on=None):
            by_town.setdefault(row.division[:9], set()).add(row.household_id)
        homes = list(Household.objects.filter(pk__in=max(by_town.values(), key=len)).order_by("pk")[:4])
        relative = Membership.objects.filter(household=homes[0], valid_to=None, recorded_to=None)[0].person
    assert len(homes) == 4
    clerk, reviewer = staff(Post.CLERK, homes[0]), staff(Post.REVIEWER, homes[0])
    declare(clerk, relative)
    with pytest.raises(Recused):
        begin_rechecks(by=clerk, on=BEGUN, households=[homes[0].pk])
    made = begin_rechecks(by=clerk, on=BEGUN, households=[each.pk for each in homes])
    assert (made.begun, made.related, made.idle) == (len(homes) - 1, 1, 0)
    with reading(officer()):
        assert Recusal.objects.filter(act="开始复核").count() == 1
        live = list(Recheck.objects.select_related("household").order_by("id"))

    def entry(row, **more):
        said = {
            "kind": "neighbours",
            "done_on": BEGUN,
            "people": "村组长",
            "words": f"{row.pk} 号户邻里说没有变化",
            "conclusion": SAME,
        }
        return Entry(**{"recheck": row.pk, **said, **more})

    with pytest.raises(NotLookedInto):
        record_round(by=clerk, on=BEGUN, entries=[entry(live[0]), entry(live[1], kind="")])
    with pytest.raises(BadInput) as wrong:
        record_round(by=clerk, on=BEGUN, entries=[entry(live[0]), entry(live[1], words="好")])
    assert live[1].household.household_no in str(wrong.value)
    with reading(officer()):
        assert not RecheckMeans.objects.exists(), "all or none"
    assert record_round(by=clerk, on=BEGUN, entries=[entry(row) for row in live]) == (len(live), len(live))
    states = {reread(row).outcome for row in live}
    assert states == {"same"}
    confirmed = confirm_rechecks(by=reviewer, on=BEGUN, rechecks=[row.pk for row in live])
    assert len({row.confirmation_id for row in confirmed}) == 1 and {row.state for row in confirmed} == {"confirmed"}
