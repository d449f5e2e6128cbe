"""From application to entitlement, and everything that must not happen on the way (CASE-01, CASE-04 to CASE-06, SEC-02, SEC-07)."""

from datetime import date, timedelta

import pytest

from huimin.cases.asking import decline_case, supply_papers, withdraw_case
from huimin.cases.models import Case, CaseAct, CaseEvidence
from huimin.cases.taking import (
    EvidenceMissing,
    NoSuchWay,
    NotYourCase,
    countersign,
    publish_case,
    take_step,
    write_report,
)
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Decision, Entitlement
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from tests.cases.people import ALL_RECORDS, DAY, PROGRAMME, ask, entering, fill, people, records, reread, walk
from tests.database.acting import superuser
from tests.workbench.people import client_of
from tests.workbench.test_acts import text


def passed(by, case, on=DAY, **more):
    return take_step(by=by, on=on, case_id=case.pk, step=reread(case).step, outcome="passed", **more)


def test_a_widow_from_application_to_entitlement_through_ten_steps_case_04(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    assert (case.state, case.step, case.accepted_on) == ("open", "调查", DAY)
    with records(*ALL_RECORDS):
        case, on = walk(case, who)
    assert (case.state, case.step, case.ended_on) == ("granted", "", on)
    with reading(county_officer()):
        decision = Decision.objects.get(case_number=case.pk)
        entitlement = Entitlement.objects.get(decision=decision)
        acts = list(CaseAct.objects.filter(case=case).order_by("id").values_list("step", "outcome"))
        assert [step for step, _ in acts] == list(case.process.demanded)
        assert {outcome for _, outcome in acts} == {"passed"}
        assert decision.proposal.state == "granted"  # the screening's proposal goes with it
        kinds = set(CaseEvidence.objects.filter(case=case).values_list("kind", flat=True))
        assert kinds == {"材料", "授权", "入户调查", "民主评议", "公示", "报告", "抽查", "会签"}
    assert entitlement.amount_fen == case.amount_fen == decision.amount_fen > 0
    assert entitlement.valid_from == (on.replace(day=1) + timedelta(days=32)).replace(day=1)
    with pytest.raises(AlreadyDone):
        take_step(by=who[Post.DEPARTMENT_APPROVER], on=on, case_id=case.pk, step="列入", outcome="passed")


def test_a_step_that_demands_a_visit_is_not_passed_without_one_case_02(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with pytest.raises(EvidenceMissing, match="入户调查"):
        passed(who[Post.CLERK], case)
    assert reread(case).step == "调查"
    with records("入户调查"):
        passed(who[Post.CLERK], case)
    assert reread(case).step == "评议"


def test_wrong_post_place_person_and_state_are_refused_sec_02(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        with pytest.raises(NotYourPost, match="由村信息员、乡镇统计员办理"):
            passed(who[Post.REVIEWER], case)
        for outcome, words in (("returned", "没有写理由"), ("gone", "没有“gone”这种办法")):
            with pytest.raises(BadInput, match=words):
                take_step(by=who[Post.CLERK], on=DAY, case_id=case.pk, step="调查", outcome=outcome)
        with pytest.raises(NoSuchWay, match="不能退回"):
            take_step(
                by=who[Post.CLERK],
                on=DAY,
                case_id=case.pk,
                step="调查",
                outcome="returned",
                reason="材料不实",
                to="受理",
            )
        with pytest.raises(NoSuchWay, match="不能直接不予批准"):
            take_step(by=who[Post.CLERK], on=DAY, case_id=case.pk, step="调查", outcome="refused", reason="收入超标")
        with pytest.raises(AlreadyDone, match="已不在"):
            take_step(by=who[Post.CLERK], on=DAY, case_id=case.pk, step="评议", outcome="passed")
        from tests.registry.people import other_staff

        with pytest.raises((NotYourPlace, BadInput)):
            passed(other_staff(Post.CLERK, house), case)
        passed(who[Post.CLERK], case)
        case, on = walk(case, who, until="乡镇审核")
        write_report(by=who[Post.REVIEWER], on=on, case_id=case.pk, name="乡镇审核意见", text="情况属实，同意上报。")
        with pytest.raises(AlreadyDone):
            write_report(
                by=who[Post.REVIEWER], on=on, case_id=case.pk, name="乡镇审核意见", text="情况属实，同意上报。"
            )
        # The same person under another post: whoever accepted may not review.
        from dataclasses import replace

        cunning = replace(who[Post.REVIEWER], account=who[Post.CLERK].account)
        with pytest.raises(SamePerson, match="办过“受理”"):
            passed(cunning, case, on)


def test_who_entered_it_does_not_review_it_though_a_colleague_accepted_it_sec_02(county, cluster, monkeypatch):
    """In words and, where they are missing, by the database."""
    url = cluster.url(county("screened"))
    house = entering()
    who = people(house)
    with records(*ALL_RECORDS):
        case, on = walk(ask(house, who[Post.CLERK]), who, until="乡镇审核")
        fill(case, who[Post.REVIEWER], on, who)
        with superuser(url) as database:  # he was the clerk then
            database.execute(
                "UPDATE cases_case SET asked_by = %s WHERE id = %s", [who[Post.REVIEWER].appointment, case.pk]
            )
        with pytest.raises(SamePerson, match="办过“受理”"):
            passed(who[Post.REVIEWER], case, on)
        monkeypatch.setattr("huimin.cases.taking.did", lambda *_: "")
        with pytest.raises(SamePerson, match="办过前面步骤"):
            passed(who[Post.REVIEWER], case, on)


def test_a_return_undoes_what_lies_after_it_and_a_refusal_is_answered_in_three_working_days_case_05(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="乡镇审核")
        case = take_step(
            by=who[Post.REVIEWER],
            on=on,
            case_id=case.pk,
            step="乡镇审核",
            outcome="returned",
            reason="收入要再核实",
            to="调查",
        )
        assert (case.step, case.round) == ("调查", 2)
        case, on = walk(case, who, on, until="乡镇审核")
        friday = date(2021, 9, 17)  # 18 September was worked, 19 to 21 off
        case = take_step(
            by=who[Post.REVIEWER],
            on=friday,
            case_id=case.pk,
            step="乡镇审核",
            outcome="refused",
            reason="家庭财产超过规定",
        )
    assert (case.state, case.step, case.answer_due_on) == ("refused", "", date(2021, 9, 23))
    with reading(county_officer()):
        made = Decision.objects.get(case_number=case.pk)
        assert (made.outcome, made.reason) == ("refused", "家庭财产超过规定")
        assert not Entitlement.objects.filter(decision=made).exists()


def test_papers_are_told_once_and_the_clock_stands_still_case_01(county):
    county("screened")
    house = entering()
    who = people(house)
    clerk = who[Post.CLERK]
    case = ask(house, clerk, missing=("户口簿",), signed=False)
    assert (case.state, case.told_on, case.step, case.accepted_on) == ("papers", DAY, "受理", None)
    assert case.step_due_on.year == 9999
    with pytest.raises(AlreadyDone, match="正在办理"):
        ask(house, clerk)
    with pytest.raises(BadInput, match="不等“房产证”"):
        supply_papers(by=clerk, on=DAY, case_id=case.pk, present=["房产证"])
    later = DAY + timedelta(days=30)
    case = supply_papers(by=clerk, on=later, case_id=case.pk, present=["户口簿"])
    assert (case.state, case.told_on) == ("papers", DAY)  # told once
    case = supply_papers(by=clerk, on=later, case_id=case.pk, declared_on=later)
    assert (case.state, case.accepted_on, case.step) == ("open", later, "调查")
    with pytest.raises(AlreadyDone):
        decline_case(by=clerk, on=later, case_id=case.pk, reason="不属于受理范围", where_to="县医保局")


def test_out_of_scope_says_where_to_go_and_a_withdrawal_why_case_01(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK], missing=("身份证",))
    with pytest.raises(BadInput):
        decline_case(by=who[Post.CLERK], on=DAY, case_id=case.pk, reason="不是本地户籍", where_to="")
    declined = decline_case(
        by=who[Post.CLERK], on=DAY, case_id=case.pk, reason="不是本地户籍", where_to="户籍地乡镇政府"
    )
    assert (declined.state, declined.step, declined.where_to) == ("out_of_scope", "", "户籍地乡镇政府")
    again = ask(house, who[Post.CLERK])
    gone = withdraw_case(by=who[Post.CLERK], on=DAY, case_id=again.pk, reason="已外出务工")
    assert gone.state == "withdrawn"
    with pytest.raises(AlreadyDone):
        withdraw_case(by=who[Post.CLERK], on=DAY, case_id=again.pk, reason="已外出务工")


def test_no_notice_shorter_than_its_days_and_none_with_an_objection_case_06(county):
    from huimin.notices.commands import ObjectionOpen
    from huimin.notices.models import Notice, NoticeRow
    from huimin.notices.objections import Review, answer_objection, file_objection

    county("screened")
    house = entering()
    who = people(house)
    officer = who[Post.INFORMATION_OFFICER]
    case = ask(house, officer, channel="village")
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="村公示")
        with pytest.raises(EvidenceMissing, match="还没有公示"):
            passed(officer, case, on)
        publish_case(by=officer, on=on, case_id=case.pk)
        with pytest.raises(AlreadyDone):
            publish_case(by=officer, on=on, case_id=case.pk)
        with pytest.raises(EvidenceMissing, match="公示期未满"):
            passed(officer, case, on + timedelta(days=7))
        with reading(county_officer()):
            row = NoticeRow.objects.get(notice__subject=case.notice_subject())
            assert "*" in row.masked_name or "＊" in row.masked_name or "某" in row.masked_name
        objection = file_objection(by=officer, on=on, row_id=row.pk, text="他家有小汽车")
        with pytest.raises(EvidenceMissing, match="异议没有答复"):
            passed(officer, case, on + timedelta(days=8))
        with pytest.raises(ObjectionOpen, match="没有答复"):  # nor back, before it is answered
            take_step(
                by=officer, on=on, case_id=case.pk, step="村公示", outcome="returned", reason="先退回去", to="评议"
            )
        found = Review("investigation", on, "审核员、村民小组长", "车辆登记在户主名下")
        answer_objection(
            by=who[Post.REVIEWER],
            on=on,
            objection_id=objection.pk,
            upheld=True,
            answer="查实有车，重新评议",
            review=found,
        )
        on += timedelta(days=8)
        with pytest.raises(EvidenceMissing, match="请退回“评议”"):
            passed(officer, case, on)
        case = take_step(
            by=officer, on=on, case_id=case.pk, step="村公示", outcome="returned", reason="异议成立", to="评议"
        )
        assert (case.step, case.round) == ("评议", 2)
        case, on = walk(case, who, on, until="乡镇公示")  # a notice of its own for the second round
    publish_case(by=who[Post.CLERK], on=on, case_id=case.pk)
    with pytest.raises(NotYourPlace, match="贴在上一级"):
        withdraw_case(by=officer, on=on, case_id=case.pk, reason="搬到儿子家去住")
    withdraw_case(by=who[Post.CLERK], on=on, case_id=case.pk, reason="搬到儿子家去住")
    with reading(county_officer()):
        hung = Notice.objects.filter(subject__startswith=f"{case.subject}:").order_by("id")
        # Who takes it back hangs nowhere any more: the village's second one had ended, those of the township come down.
        assert list(hung.values_list("state", flat=True)) == ["withdrawn", "ended", "withdrawn", "withdrawn"]


def test_who_accepted_answers_for_the_case_until_it_is_handed_over_svc_02(county):
    from huimin.cases.answering import CannotTake, hand_over

    county("screened")
    house = entering()
    who = people(house)
    from huimin.demo.actors import actor

    clerk = who[Post.CLERK]
    case = ask(house, clerk)
    try:
        other = actor(Post.CLERK, house.division[:9] + "000", other=1)
    except AssertionError:
        other = _second_clerk(clerk)
    with records(*ALL_RECORDS):
        with pytest.raises(NotYourCase, match="首问负责"):
            passed(other, case)
        with pytest.raises(CannotTake):
            hand_over(by=clerk, on=DAY, case_id=case.pk, to=who[Post.REVIEWER].appointment, reason="出差一周")
        with pytest.raises(BadInput, match="理由"):
            hand_over(by=clerk, on=DAY, case_id=case.pk, to=other.appointment, reason="")
        hand_over(by=clerk, on=DAY, case_id=case.pk, to=other.appointment, reason="出差一周", stand_in=True)
        passed(other, case)
    made = hand_over(by=who[Post.TOWNSHIP_HEAD], on=DAY, case_id=case.pk, to=other.appointment, reason="承办人调离岗位")
    assert (reread(case).responsible, made.kind) == (other.appointment, "handed")
    with pytest.raises(CannotTake):
        hand_over(by=clerk, on=DAY, case_id=case.pk, to=clerk.appointment, reason="想要回来办")


def _second_clerk(clerk):
    from dataclasses import replace

    from huimin.organisation.models import Account, Appointment

    account = Account.objects.using("maintenance").create(
        username="second-clerk", full_name="丙甲", division=clerk.division
    )
    made = Appointment.objects.using("maintenance").create(
        account=account, post=Post.CLERK, office_id=clerk.office, division=clerk.division, valid_from=date(2021, 1, 1)
    )
    return replace(clerk, appointment=made.pk, account=account.pk, name="丙甲")


def test_a_countersignature_against_stops_the_step_case_08(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    approver = who[Post.DEPARTMENT_APPROVER]
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="县联合审批")
        with pytest.raises(EvidenceMissing, match="等县财政经办、县监督员会签"):
            passed(approver, case, on)
        with pytest.raises(NotYourPost):
            countersign(by=who[Post.REVIEWER], on=on, case_id=case.pk, agreed=True, text="")
        with pytest.raises(BadInput, match="理由"):
            countersign(by=who[Post.SUPERVISOR], on=on, case_id=case.pk, agreed=False, text="")
        countersign(by=who[Post.SUPERVISOR], on=on, case_id=case.pk, agreed=False, text="抽查发现收入不实")
        countersign(by=who[Post.FINANCE_OFFICER], on=on, case_id=case.pk, agreed=True, text="")
        with pytest.raises(EvidenceMissing, match="县监督员不同意"):
            passed(approver, case, on)
        case = take_step(
            by=approver, on=on, case_id=case.pk, step="县联合审批", outcome="refused", reason="监督抽查不符合条件"
        )
    assert case.state == "refused"


def test_a_proposal_in_a_case_is_not_decided_beside_it_sec_07(county, monkeypatch):
    county("screened")
    house = entering()
    who = people(house)
    from huimin.screening.models import Proposal

    with reading(county_officer()):
        proposal = Proposal.objects.get(household=house, programme=PROGRAMME, kind="enter", state="open", person=None)
    ask(house, who[Post.CLERK], channel="proposal", proposal=proposal.pk)
    asked_too = entering(nth=1)  # came to the desk by itself, and nobody tied the two
    ask(asked_too, people(asked_too)[Post.CLERK])
    approver = who[Post.DEPARTMENT_APPROVER]
    everything = {"by": approver, "on": DAY, "programme": PROGRAMME, "division": "341524000000", "grant": True}
    with reading(county_officer()):
        rows = Proposal.objects.filter(programme=PROGRAMME, state="open").exclude(kind="unknown")
        [beside] = rows.filter(household=asked_too, person=None).values_list("pk", flat=True)
        others = rows.exclude(pk__in=[proposal.pk, beside]).count()
    for each, where in ((proposal.pk, house), (beside, asked_too)):
        with pytest.raises(AlreadyDone, match=f"{where.household_no}正在立案"):
            decide_proposals(**everything, proposal_ids=[each])
    with monkeypatch.context() as blind:  # the database holds it, too
        blind.setattr("huimin.casework.commands._APART", [])
        with pytest.raises(AlreadyDone, match="有正在立案"):
            decide_proposals(**everything, proposal_ids=[beside])
    page = text(
        client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS).get(f"/proposals/decide/?programme={PROGRAMME}")
    )
    assert f"确认这 {others} 件" in page and "另有 2 件正在立案办理" in page
    assert decide_proposals(**everything) == others, "of all, those in a case are left to their case"


def test_a_village_s_list_goes_through_at_once_case_04(county):
    from huimin.cases.asking import WrongProcess, leave_out, open_list
    from huimin.cases.models import CaseLine
    from huimin.demo.actors import actor
    from huimin.organisation.posts import OfficeKind
    from huimin.screening.models import Proposal

    county("screened")
    with reading(county_officer()):
        row = Proposal.objects.filter(programme="grain-one-off", kind="enter", state="open").order_by("id")[0]
    from huimin.registry.models import Household

    with reading(county_officer()):
        house = Household.objects.get(pk=row.household_id)
    who = people(house) | {Post.DEPARTMENT_APPROVER: actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)}
    village = house.division[:12]
    with pytest.raises(WrongProcess, match="逐户申请"):
        open_list(by=who[Post.CLERK], on=DAY, programme=PROGRAMME, division=village)
    case = open_list(by=who[Post.CLERK], on=DAY, programme="grain-one-off", division=village)
    with pytest.raises(BadInput, match="没有可编入名单的户"):
        open_list(by=who[Post.CLERK], on=DAY, programme="grain-one-off", division=village)
    with reading(county_officer()):
        lines = list(CaseLine.objects.filter(case=case))
    if len(lines) > 1:
        leave_out(by=who[Post.CLERK], on=DAY, case_id=case.pk, line_id=lines[-1].pk, reason="地已流转")
    case, _ = walk(case, who)
    assert case.state == "granted"
    with reading(county_officer()):
        made = Decision.objects.filter(case_number=case.pk)
        assert made.count() == max(len(lines) - 1, 1)
        assert Entitlement.objects.filter(decision__in=made).count() == made.count()


def test_extension_once_with_a_reason_case_05(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with pytest.raises(NoSuchWay, match="没有规定可以延长"):
        take_step(
            by=who[Post.CLERK], on=DAY, case_id=case.pk, step="调查", outcome="extended", reason="人户分离，发函核实"
        )


def test_nothing_is_granted_around_the_process_sec_07(county):
    """The database itself refuses, whoever writes."""
    from django.db import IntegrityError

    from huimin.casework.commands import Determined, decide_household
    from huimin.organisation.signing import sign

    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    approver = who[Post.DEPARTMENT_APPROVER]

    def refused(act, name):
        with pytest.raises(IntegrityError) as found, reading(approver):
            act()
        assert found.value.__cause__.diag.constraint_name == name

    fields = {"case": case, "division": case.division, "round": 1, "acted_on": DAY, "since": DAY, "due_on": DAY}
    me = {"appointment": approver.appointment, "account": approver.account, "actor": "甲"}

    def act(**told):
        with reading(approver):
            signature = sign(by=approver, on=DAY, act="试", subject="case", content_digest="0" * 64)
        return lambda: CaseAct.objects.create(**fields, **{**me, **told}, signature=signature)

    refused(act(step="列入", outcome="passed", to_step=""), "case_act_where_it_stands")
    refused(act(step="调查", outcome="passed", to_step="列入"), "case_act_along_an_edge")
    refused(act(step="调查", outcome="passed", to_step="评议"), "case_act_by_its_post")
    clerk = {"appointment": who[Post.CLERK].appointment, "account": who[Post.CLERK].account}
    refused(act(step="调查", outcome="passed", to_step="评议", **clerk), "case_act_with_its_evidence")
    rows = Case.objects.filter(pk=case.pk)
    refused(lambda: rows.update(step="列入"), "case_moves_by_its_act")
    refused(lambda: rows.update(state="granted"), "case_granted_with_every_step")
    refused(lambda: rows.update(state="asked"), "case_state_follows")

    def decide():
        told = Determined("v", 100, 1, "")
        signature = sign(by=approver, on=DAY, act="试", subject="case", content_digest="0" * 64)
        decide_household(
            by=approver, on=DAY, programme=PROGRAMME, division=case.division, household=house.pk, person=None,
            case=case.pk, grant=True, reason="", told=told, signature=signature,
        )  # fmt: skip

    refused(decide, "decision_of_its_case")


def test_fill_helper_does_not_hide_a_missing_report(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="村意见")
        with pytest.raises(EvidenceMissing, match="还没有写村委会意见"):
            passed(who[Post.INFORMATION_OFFICER], case, on)
        with pytest.raises(NoSuchWay, match="不写"):
            write_report(by=who[Post.INFORMATION_OFFICER], on=on, case_id=case.pk, name="初审意见", text="情况属实。")
        fill(case, who[Post.INFORMATION_OFFICER], on, who)
        passed(who[Post.INFORMATION_OFFICER], case, on)
