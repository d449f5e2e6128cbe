"""Appeals: in time or late, by another, one level up; upheld ones corrected by a decision of their own (issue 5 point 8, CASE-11, SEC-02).

Days are counted by hand. National Day 2021: 1 to 7 October off, Saturday 9 October worked. Told on 3 August: 60 days end on
2 October, a holiday, so the last day is Friday 8 October. Accepted on 10 August: 60 days end on 9 October, a working Saturday;
30 more on Monday 8 November.
"""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from huimin.appeals import queries
from huimin.appeals.filing import (
    Told,
    TooLate,
    accept_appeal,
    extend_appeal,
    file_appeal,
    refuse_appeal,
    suspend_decision,
    withdraw_appeal,
)
from huimin.appeals.models import Appeal
from huimin.appeals.rules import propose_terms, settle_terms
from huimin.appeals.ruling import correct_appeal, corrections_of, reopen_decision, rule_appeal, tell_ruling
from huimin.cases.asking import decline_case
from huimin.cases.models import FAR, Case
from huimin.casework.changes import confirm_change, enter_change
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Decision, Entitlement
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household, HouseholdFacts
from huimin.screening.models import Proposal
from tests.cases.people import ask
from tests.casework.test_changes import told as changed
from tests.registry.people import officer, other_staff, staff

TOLD, FILED, ACCEPTED = date(2021, 8, 3), date(2021, 8, 9), date(2021, 8, 10)
WORDS = "我家今年没有收成，算的收入比实际高，要求重新核算"


def civil(post):
    return actor(post, OfficeKind.CIVIL_AFFAIRS)


def held(nth=0):
    """A household's grant of rural 低保, decided by civil affairs' approver."""
    with reading(officer()):
        earning = HouseholdFacts.objects.filter(recorded_to=None, valid_to=None, business_income_year__gt=100_000)
        rows = Entitlement.objects.filter(
            programme="dibao-rural", household__closed_on=None, household__in=earning.values("household")
        ).order_by("id")
        return Decision.objects.select_related("household").get(pk=rows[nth].decision_id)


def told(**more):
    return Told(**{"appellant": "张三", "relation": "户主本人", "told_on": TOLD, "text": WORDS} | more)


def filed(of, kind="internal", on=FILED, by=None, **more):
    return file_appeal(by=by or staff(Post.CLERK, of.household), on=on, kind=kind, told=told(**more), decision=of.pk)


def test_an_appeal_upheld_is_corrected_by_a_decision_of_its_own_and_nothing_is_edited(county):
    """From the desk to the county, by another than who decided; the old grant stands until a new one begins (DET-06)."""
    county("decided")
    of = held()
    clerk, judge = staff(Post.CLERK, of.household), civil(Post.DEPARTMENT_OFFICER)
    for wrong in (
        told(told_on=date(2021, 6, 1)), told(told_on=date(2021, 9, 1)), told(text="不服"), told(appellant=" "),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            file_appeal(by=clerk, on=FILED, kind="internal", told=wrong, decision=of.pk)
    with pytest.raises(BadInput):
        file_appeal(by=other_staff(Post.CLERK, of.household), on=FILED, kind="internal", told=told(), decision=of.pk)
    with pytest.raises(NotYourPost):
        filed(of, by=staff(Post.REVIEWER, of.household))
    row = filed(of)
    assert (row.file_by, row.due_on, row.late) == (FAR, FAR, False), "the county set no term"
    assert filed(of).pk == row.pk, "sent twice is one"
    with pytest.raises(AlreadyDone):
        filed(of, text="另外一份申诉，同一个决定，换了说法")
    with pytest.raises(SamePerson):
        accept_appeal(by=civil(Post.DEPARTMENT_APPROVER), on=ACCEPTED, appeal=row.pk)
    with pytest.raises(AlreadyDone):
        rule_appeal(by=judge, on=ACCEPTED, appeal=row.pk, outcome="upheld", ruling="没有受理就不能裁决")
    assert accept_appeal(by=judge, on=ACCEPTED, appeal=row.pk).due_on == FAR
    with pytest.raises(BadInput):
        extend_appeal(by=judge, on=ACCEPTED, appeal=row.pk, reason="情况复杂，需要外出核实")
    suspended = suspend_decision(by=judge, on=ACCEPTED, appeal=row.pk, reason="县民政局决定暂按原金额发给")
    assert suspended.suspended_on == ACCEPTED
    with pytest.raises(BadInput):
        rule_appeal(by=judge, on=ACCEPTED, appeal=row.pk, outcome="maybe", ruling="看情况再说吧，先这样")
    ruled = rule_appeal(
        by=judge, on=date(2021, 8, 20), appeal=row.pk, outcome="upheld", ruling="经营收入重复计算，应予核减"
    )
    assert (ruled.state, ruled.ended_on) == ("upheld", None) and ruled.signature is not None
    with reading(officer()):
        before = Entitlement.objects.get(decision=of)
        assert before.valid_to is None, "the decision stands"
        assert corrections_of(ruled) == ([], [])
    with pytest.raises(BadInput):
        correct_appeal(by=clerk, on=date(2021, 8, 21), appeal=row.pk, decision=of.pk)
    made = _more_given(of, date(2021, 8, 23))
    done = correct_appeal(by=clerk, on=date(2021, 8, 24), appeal=row.pk, decision=made.pk)
    assert (done.state, done.new_decision_id, done.ended_on) == ("corrected", made.pk, date(2021, 8, 24))
    assert tell_ruling(by=clerk, on=date(2021, 8, 24), appeal=row.pk).told_result_on
    with pytest.raises(AlreadyDone):
        tell_ruling(by=clerk, on=date(2021, 8, 24), appeal=row.pk)
    with reading(officer()):
        old, new = Entitlement.objects.get(pk=before.pk), Entitlement.objects.get(decision=made)
        assert Decision.objects.get(pk=of.pk).amount_fen == of.amount_fen
    assert (old.valid_to, new.valid_from) == (date(2021, 9, 1), date(2021, 9, 1)) and new.amount_fen > old.amount_fen
    _held_by_the_database(row)


def _more_given(of, on):
    """What was registered too high is corrected by two people, proposed at once, and decided the ordinary way."""
    change = changed(of.household, "facts", {"household": {"business_income_year": 0}, "people": {}}, on=on)
    clerk = staff(Post.CLERK, of.household)
    row = enter_change(by=clerk, on=on, told=change)
    if row.state == "entered":
        confirm_change(by=staff(Post.REVIEWER, of.household), on=on, change=row.pk)
    with reading(officer()):
        appeal = Appeal.objects.get(household=of.household)
    assert reopen_decision(by=clerk, on=on, appeal=appeal.pk) == 1
    with reading(officer()):
        [waiting] = Proposal.objects.filter(household=of.household, state="open", programme="dibao-rural")
    assert waiting.kind == "increase"
    approver = civil(Post.DEPARTMENT_APPROVER)
    decide_proposals(
        by=approver, on=on, programme="dibao-rural", division=of.division, grant=True, proposal_ids=[waiting.pk]
    )
    with reading(officer()):
        return Decision.objects.get(proposal=waiting)


def _held_by_the_database(row):
    """Whoever writes: an appeal that is over is over."""
    by = officer()
    for change in ({"state": "accepted"}, {"ruling": "改过的裁决"}, {"new_decision": None}):
        with pytest.raises(IntegrityError), reading(by), transaction.atomic():
            Appeal.objects.filter(pk=row.pk).update(**change)


def test_a_reconsideration_keeps_the_days_of_the_law_and_names_the_authority(county):
    """行政复议: sixty days from being told, sixty to decide, thirty more once, by another office; late, refused, taken back."""
    county("decided")
    of, other = held(), held(1)
    judge = civil(Post.DEPARTMENT_OFFICER)
    row = filed(of, "review")
    assert row.file_by == date(2021, 10, 8)
    with pytest.raises(BadInput):
        accept_appeal(by=judge, on=ACCEPTED, appeal=row.pk)
    row = accept_appeal(by=judge, on=ACCEPTED, appeal=row.pk, organ="金寨县人民政府")
    assert row.due_on == date(2021, 10, 9)
    assert not row.overdue(date(2021, 10, 9)) and row.overdue(date(2021, 10, 10))
    row = extend_appeal(by=judge, on=date(2021, 10, 8), appeal=row.pk, reason="案情复杂，须听证")
    assert row.due_on == date(2021, 11, 8)
    with pytest.raises(BadInput):
        extend_appeal(by=judge, on=date(2021, 10, 8), appeal=row.pk, reason="再延长一次试试")
    with pytest.raises(BadInput):
        rule_appeal(by=judge, on=date(2021, 11, 1), appeal=row.pk, outcome="dismissed", ruling="维持原决定，事实清楚")
    row = rule_appeal(
        by=judge,
        on=date(2021, 11, 1),
        appeal=row.pk,
        outcome="dismissed",
        ruling="维持原决定，事实清楚",
        document="金政复〔2021〕3号",
    )
    assert (row.state, row.ended_on, row.document) == ("dismissed", date(2021, 11, 1), "金政复〔2021〕3号")
    again = filed(of, "review", on=date(2021, 10, 9), text="对同一决定又来申请行政复议")
    assert again.late, "8 October was the last day"
    with pytest.raises(TooLate):
        accept_appeal(by=judge, on=date(2021, 10, 11), appeal=again.pk, organ="金寨县人民政府")
    assert (
        refuse_appeal(by=judge, on=date(2021, 10, 11), appeal=again.pk, reason="已过六十日，没有正当理由").state
        == "refused"
    )
    ill = filed(other, "review", on=date(2021, 10, 9), late_reason="九月至十月住院，见出院小结")
    assert accept_appeal(by=judge, on=date(2021, 10, 11), appeal=ill.pk, organ="六安市民政局").state == "accepted"
    gone = withdraw_appeal(
        by=staff(Post.CLERK, other.household), on=date(2021, 10, 12), appeal=ill.pk, reason="已经说通"
    )
    assert (gone.state, gone.due_on) == ("withdrawn", FAR)
    with reading(officer()):
        assert [each.state for each in queries.list_appeals_of(of.household_id)] == ["refused", "dismissed"]
        assert queries.count_untold("341524") == 2
        assert queries.waiting("341524") == {}


def test_the_county_sets_terms_for_its_own_appeals_with_four_eyes_and_a_case_not_accepted_can_be_appealed(county):
    """申诉 within 30 days, answered within 30, 15 more; and re-application is free at any time (CASE-01)."""
    county("screened")
    with reading(officer()):
        house = Household.objects.filter(closed_on=None).order_by("id")[3]
    clerk, judge = staff(Post.CLERK, house), civil(Post.DEPARTMENT_OFFICER)
    rule = propose_terms(
        by=officer(), on=date(2021, 7, 1), file_days=30, answer_days=30, extended_days=15, basis="县民政局2021年6号"
    )
    with pytest.raises(AlreadyDone):
        propose_terms(
            by=officer(), on=date(2021, 7, 1), file_days=9, answer_days=9, extended_days=0, basis="县民政局2021年7号"
        )
    with pytest.raises(SamePerson):
        settle_terms(by=officer(), on=date(2021, 7, 1), number=rule.pk, agreed=True)
    settle_terms(
        by=actor(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE), on=date(2021, 7, 1), number=rule.pk, agreed=True
    )
    case = ask(house, clerk, on=date(2021, 7, 5), missing=("户口簿",))
    decline_case(by=clerk, on=date(2021, 7, 6), case_id=case.pk, reason="认为不属于本地受理", where_to="县民政局")
    row = file_appeal(
        by=clerk, on=date(2021, 7, 12), kind="internal", told=told(told_on=date(2021, 7, 6)), case_id=case.pk
    )
    assert row.file_by == date(2021, 8, 5) and "不予受理" in row.against
    row = accept_appeal(by=judge, on=date(2021, 7, 12), appeal=row.pk)
    assert row.due_on == date(2021, 8, 11)
    assert extend_appeal(by=judge, on=date(2021, 8, 1), appeal=row.pk, reason="要到外地核实户籍").due_on == date(
        2021, 8, 26
    )
    rule_appeal(by=judge, on=date(2021, 8, 2), appeal=row.pk, outcome="partly", ruling="户籍在本镇，应当受理，材料照补")
    again = ask(house, clerk, on=date(2021, 8, 3))
    assert (again.state, again.pk != case.pk) == (Case.State.OPEN, True), "asking again is free at any time"
    done = correct_appeal(by=clerk, on=date(2021, 8, 3), appeal=row.pk, case_id=again.pk)
    assert (done.state, done.new_case_id) == ("corrected", again.pk)
    with pytest.raises(BadInput):
        file_appeal(by=clerk, on=date(2021, 8, 4), kind="internal", told=told(), case_id=again.pk)
