"""People who ask for help, from the first word to the letter, as three places decide it (CASE-01 to CASE-11, DET-03, DET-04)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from huimin.cases.asking import Asked, leave_out, open_case, open_list, papers_of, supply_papers
from huimin.cases.models import Case, CaseAct, CaseLine
from huimin.cases.taking import EvidenceMissing, take_step
from huimin.casework.models import Decision, Entitlement
from huimin.casework.relief import (
    approve_relief,
    confirm_topup,
    file_papers,
    list_owing,
    propose_topup,
    record_relief,
    set_up_fund,
)  # fmt: skip
from huimin.casework.screening import screen
from huimin.notices.commands import ObjectionOpen
from huimin.notices.models import NoticeRow, Objection
from huimin.notices.objections import Objector, Review, answer_objection, file_objection
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.policy.queries import programme_names
from huimin.workbench.todo import list_todo
from tests.journeys.places import County, Member, open_county
from tests.journeys.walking import Walker

At = Callable[[str], str]
DIBAO = {
    "低保标准": "600 元/月", "人均金融资产上限": "7200 元", "机动车价值上限": "0 元", "房产套数上限": "1 套", "大型农机具数上限": "0 台",
    "工商登记数上限": "0 个", "每人年就业成本": "0 元/年", "不计入的基础养老金": "100 元/月", "最低工资标准": "1450 元/月",
}  # fmt: skip
WIDOW = [
    Member("王桂兰", "户主", date(1979, 3, 1), 2, {"marital": "丧偶", "labour": "部分"}),
    Member("王小明", "子", date(2014, 5, 2), 1, {"schooling": "小学"}),
]
COMES = date(2026, 1, 26)  # a Monday three weeks before Spring Festival


def ask(
    county: County, household: int, on: date, *, missing: tuple[str, ...] = (), signed: bool = True, **asked: str
) -> Case:
    by = county.actor(Post.CLERK)
    with reading(by):
        papers = papers_of("dibao-rural", county.village, on)
    return open_case(
        by=by, on=on, household=household, programme="dibao-rural", asked=Asked(**{"channel": Case.Channel.DESK, **asked}),
        present=[name for name in papers if name not in missing], declared_on=on if signed else None,
    )  # fmt: skip


@pytest.fixture
def yichun(county: At) -> County:
    county("blank")
    return open_county("230781000000", "230781200000", "230781200210", COMES, {"dibao-rural": DIBAO})


def test_a_widow_in_yichun_is_helped_by_her_township_within_twenty_working_days_case_05(yichun: County) -> None:
    home = yichun.household(COMES, WIDOW)
    who = yichun.everybody()
    came = ask(yichun, home.pk, COMES - timedelta(days=3), missing=("户口簿",), signed=False)
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
    home = yichun.household(COMES, WIDOW)
    who = yichun.everybody()
    case = ask(yichun, home.pk, COMES)
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
    with reading(who[Post.CLERK]):
        assert not Entitlement.objects.filter(household=home.pk).exists()
        assert set(Objection.objects.values_list("anonymous", "state")) == {(False, "dismissed"), (True, "upheld")}


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


@pytest.fixture
def jinzhai(county: At) -> County:
    county("blank")
    assumed = {"forest-compensation": {"到户每亩补偿标准": "12 元/亩/年"}}
    return open_county("341524000000", "341524100000", "341524100200", FOREST_DAY, assumed)


FOREST_DAY = date(2025, 5, 6)


def test_a_village_forest_compensation_is_one_list_published_reviewed_and_approved_case_04(jinzhai: County) -> None:
    who, on = jinzhai.everybody(), FOREST_DAY
    areas = (1250, 300, 0, 80)
    homes = [
        jinzhai.household(
            on, [Member("林" + "甲乙丙丁"[n], "户主", date(1960 + n, 1, 1), 2 * n + 1)], public_forest_mu=area
        )
        for n, area in enumerate(areas)
    ]
    screen(by=who[Post.COUNTY_OFFICER], on=on, division=jinzhai.code, determination_date=on)
    made = open_list(by=who[Post.INFORMATION_OFFICER], on=on, programme="forest-compensation", division=jinzhai.village)
    with reading(who[Post.CLERK]):
        assert CaseLine.objects.filter(case=made).count() == 3, "who has no forest is not on it"
        third = CaseLine.objects.get(case=made, household=homes[3])
    leave_out(by=who[Post.CLERK], on=on, case_id=made.pk, line_id=third.pk, reason="林权有争议，调处中")
    walk = Walker(made, who, on, jinzhai.actor(Post.CLERK, other=1))
    walk.fill()
    with reading(who[Post.CLERK]):
        shown = NoticeRow.objects.filter(notice__subject=made.notice_subject()).order_by("row_no")
        assert [(row.masked_name[0], row.amount_fen) for row in shown] == [("林", 150_00), ("林", 36_00)]
    done = walk.to()
    assert done.state == "granted"
    with reading(who[Post.CLERK]):
        held = dict(Entitlement.objects.values_list("household_id", "amount_fen"))
        assert held == {homes[0].pk: 150_00, homes[1].pk: 36_00}
        assert set(Decision.objects.values_list("case_number", flat=True)) == {made.pk}


def test_an_emergency_at_night_is_relieved_first_and_its_papers_are_not_forgotten_det_05(jinzhai: County) -> None:
    who, on = jinzhai.everybody(), FOREST_DAY
    home = jinzhai.household(on, [Member("周急难", "户主", date(1970, 1, 1), 1)])
    finance = who[Post.FINANCE_OFFICER]
    set_up_fund(by=finance, on=on, division=jinzhai.township, limit_fen=1000_00, basis="县民政局2025年2号")
    given = propose_topup(by=finance, on=on, division=jinzhai.township, amount_fen=5000_00, note="拨款凭证1号")
    confirm_topup(by=who[Post.FINANCE_RELEASER], on=on, entry_id=given.pk)
    helped = record_relief(
        by=who[Post.CLERK],
        on=on,
        household=home.pk,
        cause="fire",
        story="夜里失火，房屋烧毁",
        happened_on=on,
        amount_fen=800_00,
    )
    helped = approve_relief(by=who[Post.TOWNSHIP_HEAD], on=on, relief_id=helped.pk)
    assert (helped.state, helped.decided_on) == ("paid", on), "the same night"
    with reading(who[Post.CLERK]):
        owed = list_owing(who[Post.CLERK].prefix)
        assert [(row.pk, row.papers_due_on) for row in owed] == [(helped.pk, date(2025, 5, 20))]
        late = date(2025, 5, 21)
        assert owed[0].overdue(late) and "补齐救助材料" in {
            row.title for row in list_todo(who[Post.CLERK], late, programme_names())
        }
    file_papers(by=who[Post.CLERK], on=late, relief_id=helped.pk, papers="火灾证明、身份证复印件、领款签字")
    with reading(who[Post.CLERK]):
        assert not list_owing(who[Post.CLERK].prefix)
