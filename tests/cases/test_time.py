"""Limits of the whole, extended once; help first and papers later (CASE-01, CASE-05, DET-05)."""

from datetime import date

import pytest
from django.conf import settings

from huimin.cases.asking import Asked, looked_up_of, open_case, papers_of, supply_papers, withdraw_case
from huimin.cases.models import CaseAct, CasePaper
from huimin.cases.queries import list_owed
from huimin.cases.taking import NoSuchWay, take_step
from huimin.casework import relief as reliefs
from huimin.demo import dates
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.papers.cases import gather_case
from huimin.policy.commands import adopt_policies, read_folder
from tests.cases.people import ALL_RECORDS, DAY, PROGRAMME, ask, entering, people, records, reread, walk
from tests.workbench.people import client_of
from tests.workbench.test_acts import text

START = date(2021, 9, 15)


def confirmed_here(code="township-confirmation"):
    """As if the county had taken over 伊春's one-level confirmation."""
    texts = read_folder(settings.POLICY_FOLDER)
    source = texts[f"yichun/processes/{code}.yaml"]
    ours = source.replace(f"流程: {code}", "流程: one-level").replace("230700000000", "341524000000")
    rules = texts["anhui/processes/programmes.yaml"].replace("申请: three-level", "申请: one-level")
    changed = {"sample-county/processes/one.yaml": ours, "anhui/processes/programmes.yaml": rules}
    adopt_policies(by=county_officer(), on=dates.ADOPTED, texts={**texts, **changed})


def test_twenty_working_days_thirty_extended_by_the_calendar_case_05(county):
    county("screened")
    confirmed_here()
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK], on=START)
    # Counted by hand: 16, 17, Saturday 18, 22–24, Sunday 26, 27–30 September; 8, 9 (Saturday), 11–15, 18, 19 October.
    assert (case.due_on, case.step_due_on) == (date(2021, 10, 19), date(2021, 10, 19))
    with pytest.raises(BadInput, match="理由"):
        take_step(by=who[Post.CLERK], on=START, case_id=case.pk, step="调查", outcome="extended", reason="")
    case = take_step(
        by=who[Post.CLERK], on=START, case_id=case.pk, step="调查", outcome="extended", reason="人户分离，发函委托调查"
    )
    assert (case.step, case.extended, case.due_on) == ("调查", True, date(2021, 11, 2))
    with pytest.raises(NoSuchWay, match="已经延长过"):
        take_step(by=who[Post.CLERK], on=START, case_id=case.pk, step="调查", outcome="extended", reason="还要再延长")
    with records(*ALL_RECORDS):
        case, on = walk(case, who, START)
    assert (case.state, case.due_on.year) == ("granted", 9999)
    with reading(county_officer()):
        acts = list(CaseAct.objects.filter(case=case).order_by("id").values_list("step", "outcome"))
    assert [step for step, outcome in acts if outcome == "passed"] == ["受理", "调查", "初审", "审核", "村公示", "确认"]
    assert ("调查", "extended") in acts and on > START


def test_fifteen_and_twenty_for_the_destitute_case_05(county):
    county("screened")
    confirmed_here("township-confirmation-tekun")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK], on=START)
    assert case.due_on == date(2021, 10, 12)
    case = take_step(
        by=who[Post.CLERK], on=START, case_id=case.pk, step="调查", outcome="extended", reason="人户分离，发函核实"
    )
    assert case.due_on == date(2021, 10, 19)


def test_who_reviewed_does_not_confirm_and_an_objection_leads_to_review_case_06(county):
    from dataclasses import replace

    county("screened")
    confirmed_here()
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="审核")
        cunning = replace(who[Post.TOWNSHIP_HEAD], account=who[Post.REVIEWER].account)
        with pytest.raises(SamePerson, match="办过“初审”"):
            take_step(by=cunning, on=on, case_id=case.pk, step="审核", outcome="passed")
        case, on = walk(case, who, on, until="村公示")
        officer = who[Post.INFORMATION_OFFICER]
        case = take_step(
            by=officer, on=on, case_id=case.pk, step="村公示", outcome="returned", reason="群众反映有异议", to="评议"
        )
        case, on = walk(case, who, on)
    assert (case.state, case.round) == ("granted", 2)
    with reading(county_officer()):
        done = list(CaseAct.objects.filter(case=case, outcome="passed").values_list("step", flat=True))
    assert done.count("审核") == 2 and done.count("初审") == 1 and "评议" in done


def test_help_first_and_papers_later_by_a_day_that_is_not_forgotten_det_05(county):
    county("screened")
    house = entering()
    who = people(house)
    from huimin.demo.actors import actor

    finance, releaser = (
        actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE),
        actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE),
    )
    township = house.division[:9] + "000"
    reliefs.set_up_fund(by=finance, on=DAY, division=township, limit_fen=200_000, basis="县民政局示例文件")
    entry = reliefs.propose_topup(by=finance, on=DAY, division=township, amount_fen=500_000, note="凭证1号")
    reliefs.confirm_topup(by=releaser, on=DAY, entry_id=entry.pk)
    made = reliefs.record_relief(
        by=who[Post.CLERK],
        on=DAY,
        household=house.pk,
        cause="fire",
        story="住房失火",
        happened_on=DAY,
        amount_fen=100_000,
    )
    with reading(who[Post.CLERK]):
        papers = papers_of(PROGRAMME, house.division, DAY)
        # What the signed authorisation lets the office look up is asked of nobody (民发〔2021〕57号 第17条, in force in July).
        assert papers_of(PROGRAMME, house.division, START) == ("户口簿", "身份证", "家庭收入申报表")
        assert "车辆登记" in looked_up_of(PROGRAMME, house.division, START)
    asking = {"by": who[Post.CLERK], "on": DAY, "household": house.pk, "programme": PROGRAMME, "declared_on": DAY}
    with pytest.raises(BadInput, match="没有这件已救助的急难"):
        open_case(**asking, asked=Asked("desk", relief=made.pk))
    reliefs.approve_relief(by=who[Post.TOWNSHIP_HEAD], on=DAY, relief_id=made.pk)
    case = open_case(**asking, asked=Asked("desk", relief=made.pk), present=papers[:1])
    assert (case.state, case.step) == ("open", "调查")  # accepted although papers are still to come
    with reading(who[Post.CLERK]):
        owed = list_owed(who[Post.CLERK].prefix)
        assert {row.name for row in owed} == set(papers[1:]) and {row.due_on for row in owed} == {made.papers_due_on}
    desk = text(client_of(Post.CLERK, township).get("/"))
    assert desk.count("补齐申请材料") == 1 and "、".join(papers[1:]) in desk, "one row a case"
    slip = gather_case(by=who[Post.CLERK], on=DAY, case_id=case.pk, kind="slip")["opening"]
    assert slip.startswith("先行救助，还有 1 样材料后补，已于"), "nobody is told that his papers are complete"
    supply_papers(by=who[Post.CLERK], on=DAY, case_id=case.pk, present=list(papers[1:]))
    with reading(who[Post.CLERK]):
        assert list_owed(who[Post.CLERK].prefix) == []
        assert not CasePaper.objects.filter(case=case).exclude(state="present").exists()
    assert reread(case).state == "open"
    withdraw_case(by=who[Post.CLERK], on=DAY, case_id=case.pk, reason="搬到儿子家去住")
    again = open_case(**asking, asked=Asked("desk", relief=made.pk))
    withdraw_case(by=who[Post.CLERK], on=DAY, case_id=again.pk, reason="还是不申请了")
    with reading(who[Post.CLERK]):
        assert list_owed(who[Post.CLERK].prefix) == [], "what was given up owes nothing"
