"""Three refusals of work: recorded, judged by another, told, heard, decided by civil affairs, ended; no screening undoes it (CASE-09, SEC-02).

By hand: the household's monthly amount divided by its heads is the own share; the cut begins on the first of the month after
the decision of 20 October 2021, that is 1 November.
"""

from dataclasses import replace
from datetime import date

import pytest
from django.db import IntegrityError, transaction

from huimin.casework.commands import decide_proposals
from huimin.casework.models import Decision, Entitlement
from huimin.casework.screening import screen
from huimin.demo.actors import actor
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, NotYourProgramme, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.cuts import (
    NotHeard,
    answer_objection,
    confirm_cut,
    drop_cut,
    end_cut,
    lapsed,
    object_to_cut,
    tell_cut,
)
from huimin.rechecks.models import JobOffer, WorkCut
from huimin.rechecks.offers import NotCounted, in_a_row, judge_refusal, record_offer
from huimin.registry.models import Household, HouseholdFacts, Membership, PersonFacts
from huimin.screening.models import Proposal, Run
from huimin.screening.proving import prove_runs
from tests.rechecks.people import PROGRAMME, change, civil, informant
from tests.registry.people import officer, other_staff, staff

DECIDED = date(2021, 10, 20)


def idle(heads=2):
    """Somebody able to work who has none, of a household with so many heads that draws 低保; the household and the entitlement."""
    with reading(officer()):
        able = PersonFacts.objects.filter(recorded_to=None, valid_to=None, labour="有", employed=False)
        for row in Entitlement.objects.filter(programme=PROGRAMME, people__gte=heads).order_by("id"):
            found = able.filter(
                person__memberships__household=row.household_id, person__memberships__valid_to=None
            ).first()
            if found:
                return found.person_id, Household.objects.get(pk=row.household_id), row
    raise AssertionError("the sample draws one")


def offered(person, by, day, answer="refused", **more):
    said = {
        "job": f"保洁员{day:%m%d}", "offered_by": "县人社局就业服务中心", "fits": "站立工作，身体健康可以胜任", "answered_on": day,
        "evidence": "推荐信", "words": "嫌工资低，不想去" if answer == "refused" else "",
    }  # fmt: skip
    return record_offer(by=by, on=day, person=person, offered_on=day, answer=answer, **{**said, **more})


def refused(person, of, day, justified=False):
    row = offered(person, staff(Post.CLERK, of), day)
    return judge_refusal(
        by=staff(Post.REVIEWER, of),
        on=day,
        offer=row.pk,
        justified=justified,
        judgement="经核实，工作合适，没有正当理由",
    )


def days(*numbers):
    return [date(2021, 9, number) for number in numbers]


def only_cut():
    with reading(officer()):
        return WorkCut.objects.get()


def test_offers_are_recorded_once_of_those_the_law_reaches_and_judged_by_another_case_09(county):
    """An accepted offer or good reason begins the count anew; the wrong post, place, person and order are refused."""
    county("decided")
    person, of, _ = idle()
    clerk, reviewer = staff(Post.CLERK, of), staff(Post.REVIEWER, of)
    first, *_ = days(1)
    with pytest.raises(NotYourPost):
        offered(person, reviewer, first)
    with pytest.raises(BadInput):
        offered(person, other_staff(Post.CLERK, of), first)
    for wrong in ({"words": ""}, {"fits": ""}, {"answered_on": date(2021, 8, 31)}, {"answer": "perhaps"}):
        with pytest.raises(BadInput):
            offered(person, clerk, first, **wrong)
    with reading(officer()):
        old = PersonFacts.objects.filter(
            recorded_to=None,
            valid_to=None,
            labour="无",
            person__memberships__household__entitlements__programme=PROGRAMME,
        ).first()
        where = Household.objects.get(memberships__person=old.person_id, memberships__valid_to=None)
    with pytest.raises(NotCounted):
        offered(old.person_id, staff(Post.CLERK, where), first)
    row = offered(person, clerk, first)
    assert offered(person, clerk, first).pk == row.pk, "sent twice is one"
    with pytest.raises(AlreadyDone):
        offered(person, clerk, first, words="另一个说法，家里走不开")
    later = offered(person, informant(of), date(2021, 9, 3))
    judged = {"by": reviewer, "on": date(2021, 9, 4), "justified": False, "judgement": "工作合适，没有正当理由"}
    with pytest.raises(BadInput):
        judge_refusal(**judged, offer=later.pk)
    with pytest.raises(NotYourPost):
        judge_refusal(**{**judged, "by": clerk}, offer=row.pk)
    with pytest.raises(BadInput):
        judge_refusal(**{**judged, "judgement": "不"}, offer=row.pk)
    judge_refusal(**judged, offer=row.pk)
    with pytest.raises(AlreadyDone):
        judge_refusal(**judged, offer=row.pk)
    judge_refusal(**judged, offer=later.pk)
    offered(person, clerk, date(2021, 9, 6), "accepted")
    with reading(officer()):
        assert in_a_row(person) == []
    refused(person, of, date(2021, 9, 8), justified=True)
    refused(person, of, date(2021, 9, 9))
    refused(person, of, date(2021, 9, 10))
    with reading(officer()):
        assert len(in_a_row(person)) == 2 and not WorkCut.objects.exists()


def test_the_third_cuts_the_own_share_from_the_month_after_and_screenings_leave_it_case_09(county):
    """Proposed at the third; told, heard, decided by another; the rest of the household keeps its part; ended, it comes back."""
    county("decided")
    person, of, held = idle()
    for day in days(1, 8, 15):
        refused(person, of, day)
    cut = only_cut()
    share = held.amount_fen // held.people
    assert (cut.state, cut.share_fen, cut.programme) == ("proposed", share, PROGRAMME)
    with reading(officer()):
        assert JobOffer.objects.filter(cut=cut).count() == 3 and in_a_row(person) == []
    approver, clerk, head = civil(Post.DEPARTMENT_APPROVER), staff(Post.CLERK, of), staff(Post.TOWNSHIP_HEAD, of)
    act = {"by": approver, "on": DECIDED, "cut": cut.pk, "percent": 50, "reason": "三次介绍均合适，均无正当理由"}
    with pytest.raises(AlreadyDone):
        confirm_cut(**act)
    tell_cut(by=clerk, on=date(2021, 9, 20), cut=cut.pk)
    with pytest.raises(BadInput):
        object_to_cut(by=clerk, on=date(2021, 9, 21), cut=cut.pk, objection="不")
    object_to_cut(by=clerk, on=date(2021, 9, 21), cut=cut.pk, objection="老人生病要人照看，走不开")
    with pytest.raises(NotHeard):
        confirm_cut(**act)
    with pytest.raises(NotHeard):
        drop_cut(by=approver, on=DECIDED, cut=cut.pk, reason="照看老人的理由成立")
    answer_objection(by=head, on=date(2021, 9, 25), cut=cut.pk, upheld=False, answer="老人由姐姐照看，理由不成立")
    for wrong in ({"percent": 0}, {"percent": 101}, {"reason": ""}):
        with pytest.raises(BadInput):
            confirm_cut(**{**act, **wrong})
    with pytest.raises(NotYourProgramme):
        confirm_cut(**{**act, "by": actor(Post.DEPARTMENT_APPROVER, OfficeKind.WATER)})
    done = confirm_cut(**act)
    taken = share * 50 // 100
    assert (done.state, done.cut_fen, done.percent) == ("confirmed", taken, 50)
    with reading(officer()):
        old, new = Entitlement.objects.get(pk=held.pk), Entitlement.objects.get(pk=done.entitlement_id)
        decision = Decision.objects.select_related("proposal").get(pk=done.decision_id)
    assert (old.valid_to, new.valid_from, new.amount_fen) == (
        date(2021, 11, 1),
        date(2021, 11, 1),
        held.amount_fen - taken,
    )
    assert new.since == held.since and "拒绝" in decision.reason and decision.proposal.reasons[0]["person"] == person
    with pytest.raises(AlreadyDone):
        confirm_cut(**act)
    _screenings_leave_it(of, cut)
    ended = end_cut(by=approver, on=date(2021, 11, 5), cut=cut.pk, reason="已到公益岗位上班")
    assert ended.state == "ended"
    with reading(officer()):
        [back] = Proposal.objects.filter(household=of, programme=PROGRAMME, state="open")
        assert (back.kind, back.amount_fen, back.previous_fen) == ("increase", held.amount_fen, held.amount_fen - taken)


def _screenings_leave_it(of, cut):
    """What was cut is not proposed back, runs can be proven, and the household's page of the law's amount is not disturbed."""
    by = officer()
    screen(by=by, on=date(2021, 10, 25), division=by.division, determination_date=date(2021, 10, 25))
    with reading(by):
        assert not Proposal.objects.filter(household=of, programme=PROGRAMME, state="open").exists()
        assert Run.objects.filter(versions={}, state="finished").count() == 1
    assert all(proof.ok for proof in prove_runs(by))
    with reading(by):
        assert not lapsed(by.prefix, date(2021, 10, 25)).exists()
    for edit in ({"cut_fen": 1}, {"state": "dropped", "reason": "改主意"}):
        with pytest.raises(IntegrityError), reading(by), transaction.atomic():
            WorkCut.objects.filter(pk=cut.pk).update(**edit)


def test_a_later_decision_ends_its_effect_case_09(county):
    """Upheld objections drop it; what replaces the entitlement is told on the desk."""
    county("decided")
    person, of, held = idle()
    for day in days(1, 8, 15):
        refused(person, of, day)
    cut, clerk, approver = only_cut(), staff(Post.CLERK, of), civil(Post.DEPARTMENT_APPROVER)
    tell_cut(by=clerk, on=date(2021, 9, 20), cut=cut.pk)
    object_to_cut(by=clerk, on=date(2021, 9, 21), cut=cut.pk, objection="那份工作要上夜班，我有夜盲")
    with pytest.raises(SamePerson):
        _as_reviewer(cut, of)
    gone = answer_objection(
        by=civil(Post.DEPARTMENT_OFFICER), on=date(2021, 9, 22), cut=cut.pk, upheld=True, answer="夜盲属实，不适合夜班"
    )
    assert gone.state == "dropped" and gone.reason.startswith("申辩成立")
    for day in days(23, 24, 25):
        refused(person, of, day)
    with reading(officer()):
        cut = WorkCut.objects.get(state="proposed")
    tell_cut(by=clerk, on=date(2021, 9, 26), cut=cut.pk)
    done = confirm_cut(by=approver, on=DECIDED, cut=cut.pk, percent=100, reason="三次介绍均合适，停发本人份额")
    assert done.cut_fen == held.amount_fen // held.people and done.entitlement_id is not None
    with reading(officer()):
        known = HouseholdFacts.objects.get(household=of, recorded_to=None, valid_to=None).transfer_income_year or 0
    change(of, {"household": {"transfer_income_year": known + 60_000}, "people": {}}, on=date(2021, 11, 2))
    with reading(officer()):
        [less] = Proposal.objects.filter(household=of, programme=PROGRAMME, state="open")
    assert less.kind == "decrease" and less.previous_fen == held.amount_fen, "compared with the amount before the cut"
    decide_proposals(
        by=approver, on=date(2021, 11, 3), programme=PROGRAMME, division=of.division, grant=True, proposal_ids=[less.pk]
    )
    by = officer()
    with reading(by):
        assert [row.pk for row in lapsed(by.prefix, date(2021, 11, 3))] == [cut.pk]


def _as_reviewer(cut, of):
    """The person who judged, now head of the township, may not answer."""
    judge, head = staff(Post.REVIEWER, of), staff(Post.TOWNSHIP_HEAD, of)
    return answer_objection(
        by=replace(head, appointment=judge.appointment, account=judge.account), on=date(2021, 9, 22), cut=cut.pk, upheld=False,
        answer="自己评判的自己答复",
    )  # fmt: skip


def test_a_single_whose_whole_amount_is_stopped_is_let_in_again_only_when_it_ended_case_09(county):
    """Nothing is left of the entitlement; the screening proposes him anew, the database refuses it until the stop is ended."""
    county("decided")
    with reading(officer()):
        held = Entitlement.objects.filter(programme=PROGRAMME, people=1).select_related("household").order_by("id")[0]
        member = Membership.objects.get(household=held.household_id, valid_to=None, recorded_to=None)
    person, of = member.person_id, held.household
    change(of, {"household": {}, "people": {str(person): {"labour": "有", "employed": False}}}, on=date(2021, 8, 2))
    for day in days(1, 8, 15):
        refused(person, of, day)
    cut, approver = only_cut(), civil(Post.DEPARTMENT_APPROVER)
    tell_cut(by=staff(Post.CLERK, of), on=date(2021, 9, 20), cut=cut.pk)
    done = confirm_cut(by=approver, on=DECIDED, cut=cut.pk, percent=100, reason="三次介绍均合适，停发本人份额")
    assert (done.cut_fen, done.entitlement_id) == (held.amount_fen, None)
    by = officer()
    screen(by=by, on=date(2021, 11, 2), division=by.division, determination_date=date(2021, 11, 2))
    with reading(by):
        assert Entitlement.objects.get(pk=held.pk).valid_to == date(2021, 11, 1)
        [again] = Proposal.objects.filter(household=of, programme=PROGRAMME, state="open")
    act = {
        "by": approver, "on": date(2021, 11, 3), "programme": PROGRAMME, "division": of.division, "grant": True,
        "proposal_ids": [again.pk],
    }  # fmt: skip
    with pytest.raises(AlreadyDone, match="拒绝就业"):
        decide_proposals(**act)
    end_cut(by=approver, on=date(2021, 11, 4), cut=cut.pk, reason="已到公益岗位上班")
    with reading(by):
        [anew] = Proposal.objects.filter(household=of, programme=PROGRAMME, state="open")
    assert decide_proposals(**{**act, "proposal_ids": [anew.pk]}) == 1
