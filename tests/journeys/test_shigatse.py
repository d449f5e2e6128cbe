"""日喀则: the nine steps of 日政办发〔2018〕95号 四(三), each with its record and its signature (CASE-04, CASE-07, CASE-08)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from huimin.cases.models import CaseAct, CaseEvidence
from huimin.cases.taking import EvidenceMissing, take_step
from huimin.casework.models import Entitlement
from huimin.demo.clock import business_day
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import Post
from huimin.telling.lists import list_of
from huimin.telling.publicity import post_list
from tests.journeys.places import County, Member, open_county
from tests.journeys.walking import Walker, ask, elect

DAY = date(2025, 5, 6)
# Nobody published them for this county; the method does not depend on them.
DIBAO = {
    "低保标准": "500 元/月", "人均金融资产上限": "6000 元", "机动车价值上限": "0 元", "房产套数上限": "1 套", "大型农机具数上限": "0 台",
    "工商登记数上限": "0 个", "每人年就业成本": "0 元/年", "不计入的基础养老金": "0 元/月",
}  # fmt: skip
NINE = ["申请", "审查受理", "调查核实", "民主评议", "张榜公示", "乡镇审核", "县审批", "长期公示", "发放"]
HELD = {
    "申请": {"材料", "授权"}, "调查核实": {"入户调查", "报告"}, "民主评议": {"民主评议"}, "张榜公示": {"公示"}, "乡镇审核": {"报告"},
    "县审批": {"抽查"}, "长期公示": {"长期公示"},
}  # fmt: skip


@pytest.fixture(scope="module")
def shigatse(shared_county: Callable[[str], str]) -> County:
    shared_county("blank")
    made = open_county("540202000000", "540202201000", "540202201201", DAY, {"dibao-rural": DIBAO})
    elect(made.village, made.everybody(), DAY)
    return made


def test_nine_steps_each_with_its_record_and_who_signed_it_case_04_case_07_case_08(shigatse: County) -> None:
    who = shigatse.everybody()
    home = shigatse.household(
        DAY, [Member("次仁", "户主", date(1960, 1, 1), 1), Member("卓玛", "配偶", date(1962, 1, 1), 2)]
    )
    walk = Walker(ask(shigatse, "dibao-rural", home.pk, DAY), who, DAY, shigatse.actor(Post.CLERK, other=1))
    walk.to("县审批")
    assert walk.on >= DAY + timedelta(days=8), "seven days before the village lie behind it"
    with pytest.raises(EvidenceMissing, match="抽查"):
        walk.take()
    walk.fill()  # three of ten at least, drawn in public: of one, one
    granted = walk.take()
    # By the difference, for the household as a whole, nothing added (四(五)(六)).
    assert (granted.state, granted.step, granted.amount_fen) == ("granted", "长期公示", 2 * 500_00)

    keeper, june = who[Post.INFORMATION_OFFICER], date(2025, 6, 3)
    with pytest.raises(EvidenceMissing, match="待遇从 2025-06-01 起"):
        walk.take()
    business_day(june)
    walk.on = june
    with pytest.raises(EvidenceMissing, match="长期公示还没有换成有这一户的名单"):
        walk.take()
    with reading(keeper):
        board = list_of(shigatse.village, june)
        assert [(row.masked_name, row.people, row.amount_fen) for row in board.rows] == [("次*", 2, 1000_00)]
    posted = post_list(by=keeper, on=june, village=shigatse.village, seen=board.digest)
    walk.take()
    with pytest.raises(NotYourPost):
        take_step(by=keeper, on=june, case_id=granted.pk, step="发放", outcome="passed")
    done = walk.take()
    assert (done.state, done.step, done.ended_on) == ("granted", "", june)

    with reading(who[Post.COUNTY_OFFICER]):
        held = Entitlement.objects.get(household=home.pk)
        assert (held.valid_from, held.decision.case_number) == (date(2025, 6, 1), done.pk)
        acts = list(CaseAct.objects.filter(case=done).select_related("signature").order_by("id"))
        # 谁审查、谁签字、谁负责，步步有痕迹: one act a step, in this order, signed by who did it.
        assert [act.step for act in acts] == NINE
        assert all(act.signature.appointment == act.appointment for act in acts)
        judged = [act.account for act in acts if act.step in ("申请", "审查受理", "县审批")]
        assert len(set(judged)) == len(judged)
        found: dict[str, set[str]] = {}
        for row in CaseEvidence.objects.filter(case=done):
            found.setdefault(row.step, set()).add(row.kind)
        assert found == HELD
        # 环环能倒查: what the ninth step rests on is the very list that hangs in the village.
        last = CaseEvidence.objects.get(case=done, step="长期公示")
        assert (last.reference, last.digest) == (f"telling_publicsheet:{posted.pk}", board.digest)
