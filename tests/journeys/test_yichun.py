"""伊春, where the township decides: from the first word to the entitlement, and what an objection does (CASE-01 to CASE-06, DET-03)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from huimin.cases.asking import supply_papers
from huimin.cases.models import CaseAct
from huimin.cases.taking import EvidenceMissing, take_step
from huimin.casework.adjusting import adjust_proposals
from huimin.casework.changes import Told, confirm_change, enter_change
from huimin.casework.commands import NeedsCase, decide_proposals
from huimin.casework.models import Decision, Entitlement
from huimin.kernel.errors import BadInput
from huimin.notices.commands import ObjectionOpen
from huimin.notices.models import NoticeRow, Objection
from huimin.notices.objections import Objector, Review, answer_objection, file_objection
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.rechecks.beginning import begin_rechecks, record_means
from huimin.rechecks.concluding import conclude_rechecks, confirm_rechecks
from huimin.rechecks.due import find_due
from huimin.rechecks.models import Recheck
from huimin.rechecks.rules import settings_of
from huimin.registry.models import Membership
from tests.journeys.places import County, Member, open_county
from tests.journeys.walking import Walker, ask, elect

DIBAO = {
    "低保标准": "600 元/月", "人均金融资产上限": "7200 元", "机动车价值上限": "0 元", "房产套数上限": "1 套", "大型农机具数上限": "0 台",
    "工商登记数上限": "0 个", "每人年就业成本": "0 元/年", "不计入的基础养老金": "100 元/月", "最低工资标准": "1450 元/月",
}  # fmt: skip
WIDOW = [
    Member("王桂兰", "户主", date(1979, 3, 1), 2, {"marital": "丧偶", "labour": "部分"}),
    Member("王小明", "子", date(2014, 5, 2), 1, {"schooling": "小学"}),
]
COMES = date(2026, 1, 26)  # a Monday three weeks before Spring Festival


@pytest.fixture(scope="module")
def yichun(shared_county: Callable[[str], str]) -> County:
    """One database for the stories of this file: each has a household of its own."""
    shared_county("blank")
    made = open_county("230781000000", "230781200000", "230781200210", COMES, {"dibao-rural": DIBAO})
    elect(made.village, made.everybody(), COMES)
    return made


def test_a_widow_in_yichun_is_helped_by_her_township_within_twenty_working_days_case_05(yichun: County) -> None:
    home = yichun.household(COMES, WIDOW)
    who = yichun.everybody()
    came = ask(yichun, "dibao-rural", home.pk, COMES - timedelta(days=3), missing=("户口簿",), signed=False)
    assert came.state == "papers", "told once what is missing; the clock stands still"
    case = supply_papers(by=who[Post.CLERK], on=COMES, case_id=came.pk, present=["户口簿"], declared_on=COMES)
    # 20 working days from 26 January 2026: 27–30 (4), 2–6 (9), 9–13 and the made-up Saturday 14 (15) February, holiday 15–23,
    # 24–27 (19) and the made-up Saturday 28 (20).
    assert (case.state, case.due_on) == ("open", date(2026, 2, 28))
    walk = Walker(case, who, COMES + timedelta(days=1), yichun.actor(Post.CLERK, other=1))
    with pytest.raises(EvidenceMissing, match="入户调查"):
        take_step(by=who[Post.CLERK], on=walk.on, case_id=case.pk, step="调查", outcome="passed")
    walk.to("村公示")
    walk.fill()
    walk.take()
    assert walk.case.step == "确认"
    with pytest.raises(NotYourPost):
        walk.take(by=who[Post.CLERK])
    done = walk.take()
    assert (done.state, done.step, done.decided_on <= done.accepted_on + timedelta(days=33)) == ("granted", "", True)
    with reading(who[Post.CLERK]):
        [held] = Entitlement.objects.filter(household=home.pk)
        decision = Decision.objects.get(case_number=done.pk)
        # Two people without income at 600 yuan, and the supplement of 15 % for the child.
        assert held.amount_fen == decision.amount_fen == 2 * 600_00 + 90_00
        assert held.valid_from == date(2026, 3, 1), "the month after"
        acts = CaseAct.objects.filter(case=done).order_by("id")
        assert [act.step for act in acts] == ["受理", "调查", "初审", "审核", "村公示", "确认"]
        assert len({act.account for act in acts if act.step in ("受理", "初审", "确认")}) == 3


def test_an_objection_dismissed_lets_the_case_go_on_and_one_upheld_sends_it_back_case_06(yichun: County) -> None:
    home = yichun.household(COMES, [replace(each, serial=each.serial + 10) for each in WIDOW])
    who = yichun.everybody()
    case = ask(yichun, "dibao-rural", home.pk, COMES)
    walk = Walker(case, who, COMES + timedelta(days=1), yichun.actor(Post.CLERK, other=1))
    walk.to("村公示")
    walk.fill()
    posted = walk.on - timedelta(days=8)
    first = objected(walk, posted + timedelta(days=2), "她在镇上有一间门面房", Objector("赵邻居", "16000000001"))
    with pytest.raises(ObjectionOpen):
        walk.take("returned", reason="先退回再说", to="评议")
    with pytest.raises(EvidenceMissing, match="异议"):
        walk.take()
    answer(walk, yichun, first, upheld=False, found="查不动产登记，门面房是同名的别人")
    second = objected(walk, posted + timedelta(days=3), "丈夫并没有去世")
    answer(walk, yichun, second, upheld=True, found="派出所查无死亡登记，须重新调查")
    with pytest.raises(EvidenceMissing, match="异议成立"):
        walk.take()
    sent = walk.take("returned", reason="异议成立，重新评议", to="评议")
    assert (sent.step, sent.round, sent.state) == ("评议", 2, "open")
    walk.fill()
    again = walk.take()
    assert again.step == "审核", "the renewed review leads on, by the same way"
    with reading(who[Post.CLERK]):
        assert not Entitlement.objects.filter(household=home.pk).exists()
        heard = Objection.objects.filter(notice__subject__startswith=f"{case.subject}:")
        assert set(heard.values_list("anonymous", "state")) == {(False, "dismissed"), (True, "upheld")}


def objected(walk: Walker, on: date, text: str, objector: Objector | None = None) -> Objection:
    with reading(walk.who[Post.CLERK]):
        row = NoticeRow.objects.filter(notice__subject=walk.case.notice_subject()).first()
    return file_objection(by=walk.who[Post.CLERK], on=on, row_id=row.pk, text=text, objector=objector)


def answer(walk: Walker, county: County, objection: Objection, *, upheld: bool, found: str) -> None:
    looked = objection.filed_on + timedelta(days=1)
    answer_objection(
        by=walk.who[Post.REVIEWER], on=walk.on, objection_id=objection.pk, upheld=upheld, answer="已核实并答复",
        review=Review("investigation", looked, "乡镇工作组二人", found),
    )  # fmt: skip


def test_she_finds_some_work_and_half_a_year_later_her_township_adjusts_the_amount_case_09(yichun: County) -> None:
    """伊民规〔2022〕2号 二(二)2–3: able to work, so every half year; the township checks, its head decides, from the next month."""
    able = [replace(WIDOW[0], serial=22, facts={**WIDOW[0].facts, "labour": "有"}), replace(WIDOW[1], serial=21)]
    home = yichun.household(COMES, able)
    who = yichun.everybody()
    case = ask(yichun, "dibao-rural", home.pk, COMES)
    walk = Walker(case, who, COMES + timedelta(days=1), yichun.actor(Post.CLERK, other=1))
    walk.to("村公示")
    walk.fill()
    walk.take()
    walk.take()
    clerk, head, day = who[Post.CLERK], who[Post.TOWNSHIP_HEAD], date(2026, 8, 17)
    with reading(clerk):
        due = find_due(home.pk, yichun.village, day, settings_of(yichun.village, day))
        assert due is not None and due.grounds == ("labour",) and due.due_on == date(2026, 9, 1), (
            "from 1 March, half a year"
        )
        son, mother = (Membership.objects.get(household=home.pk, relation=word).person_id for word in ("子", "户主"))
    assert son != mother
    begin_rechecks(by=clerk, on=day, households=[home.pk])
    with reading(clerk):
        row = Recheck.objects.get(household=home.pk)
    works = {"employed": True, "wage_month": 50_000, "work_division": yichun.code}
    told = Told("facts", home.pk, day, "工资证明", {"household": {}, "people": {str(mother): works}})
    entered = enter_change(by=clerk, on=day, told=told)
    confirm_change(by=who[Post.REVIEWER], on=day, change=entered.pk)
    record_means(
        by=clerk,
        on=day,
        recheck=row.pk,
        kind="letter",
        done_on=day,
        people="甲、乙",
        words="用工单位回函：每月工资五百元",
    )
    [done] = conclude_rechecks(by=clerk, on=day, words={row.pk: "已就业，月工资五百元"})
    assert done.outcome == "decrease"
    confirm_rechecks(by=who[Post.REVIEWER], on=day, rechecks=[row.pk])
    [finding] = done.findings
    asked = {"programme": "dibao-rural", "proposal_ids": [finding["proposal"]], "grant": True}
    with pytest.raises(NeedsCase):
        decide_proposals(by=who[Post.DEPARTMENT_APPROVER], on=day, division=yichun.code, **asked)
    with pytest.raises(NotYourPost):
        adjust_proposals(by=who[Post.DEPARTMENT_APPROVER], on=day, **asked)
    with pytest.raises(BadInput):
        adjust_proposals(by=head, on=day, **{**asked, "grant": False}, reason="不")
    assert adjust_proposals(by=head, on=day, **asked) == 1
    with reading(clerk):
        before, after = Entitlement.objects.filter(household=home.pk).order_by("valid_from")
        # 6,000 a year less two months' minimum wage of 1,450 is 3,100, by the month and head 129.17 of 600 for each of two, and 90.
        assert (before.valid_to, after.valid_from, after.amount_fen) == (date(2026, 9, 1), date(2026, 9, 1), 1_031_67)
