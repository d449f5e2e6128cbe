"""金寨, three levels: a list, an emergency, and an old man with nobody (CASE-03, CASE-04, CASE-08, DET-04, DET-05)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from huimin.cases.asking import leave_out, open_list
from huimin.cases.models import Case, CaseAct, CaseEvidence, CaseLine
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
from huimin.notices.models import NoticeRow
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.policy.queries import programme_names
from huimin.registry.models import Membership
from huimin.workbench.todo import list_todo
from tests.journeys.places import County, Member, open_county
from tests.journeys.walking import Walker, ask, elect

DAY = date(2025, 5, 6)  # the standards of 六安 for 特困 are those of 2025
ASSUMED = {
    "forest-compensation": {"到户每亩补偿标准": "12 元/亩/年"},
    "tekun": {
        "农村低保标准": "700 元/月", "城市低保标准": "800 元/月", "人均金融资产上限": "8400 元", "机动车价值上限": "0 元", "房产套数上限": "1 套",
        "大型农机具数上限": "0 台", "工商登记数上限": "0 个", "不计入的基础养老金": "100 元/月",
        "照料标准": "[{为: 全自理, 数值: 0 元/月}, {为: 半护理, 数值: 300 元/月}, {为: 全护理, 数值: 900 元/月}]",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def jinzhai(shared_county: Callable[[str], str]) -> County:
    """One database for the stories of this file: each has households of its own."""
    shared_county("blank")
    made = open_county("341524000000", "341524100000", "341524100200", DAY, ASSUMED)
    elect(made.village, made.everybody(), DAY)
    return made


def test_a_village_forest_compensation_is_one_list_published_reviewed_and_approved_case_04(jinzhai: County) -> None:
    who, on = jinzhai.everybody(), DAY
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
    walk.take()
    done = walk.to()
    assert done.state == "granted"
    with reading(who[Post.CLERK]):
        rows = Entitlement.objects.filter(programme="forest-compensation")
        held = dict(rows.values_list("household_id", "amount_fen"))
        assert held == {homes[0].pk: 150_00, homes[1].pk: 36_00}
        decided = Decision.objects.filter(programme="forest-compensation")
        assert set(decided.values_list("case_number", flat=True)) == {made.pk}


def test_an_emergency_at_night_is_relieved_first_and_its_papers_are_not_forgotten_det_05(jinzhai: County) -> None:
    who, on = jinzhai.everybody(), DAY
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
        owed = list_owing(
            who[Post.CLERK].prefix
        )  # 6 May 2025 after the holiday: 7–9, 12–16, 19, 20 are ten working days
        assert [(row.pk, row.papers_due_on) for row in owed] == [(helped.pk, date(2025, 5, 20))]
        late = date(2025, 5, 21)
        assert owed[0].overdue(late) and "补齐救助材料" in {
            row.title for row in list_todo(who[Post.CLERK], late, programme_names())
        }
    file_papers(by=who[Post.CLERK], on=late, relief_id=helped.pk, papers="火灾证明、身份证复印件、领款签字")
    with reading(who[Post.CLERK]):
        assert not list_owing(who[Post.CLERK].prefix)


def test_an_old_man_with_nobody_goes_through_village_township_and_county_to_tekun_det_04_case_08(
    jinzhai: County,
) -> None:
    who, on = jinzhai.everybody(), DAY
    home = jinzhai.household(
        on, [Member("陈守义", "户主", date(1951, 3, 1), 1, {"self_care_losses": 2, "support_mode": "分散"})]
    )
    with reading(who[Post.CLERK]):
        man = Membership.objects.get(household=home, recorded_to=None).person_id
    found = {"channel": Case.Channel.DISCOVERY, "story": "网格员走访发现老人独居、无人照料"}
    case = ask(jinzhai, "tekun", home.pk, on, person=man, **found)
    assert (case.state, case.step) == ("open", "调查"), "found, not asked: accepted at once"
    walk = Walker(case, who, on, jinzhai.actor(Post.CLERK, other=1))
    walk.to("县联合审批")
    assert walk.on >= DAY + timedelta(days=16), "two notices of seven days lie behind it"
    done = walk.to()
    # 六安 pays 938 yuan a month in 2025, and who cannot do two of six things for himself 300 for his care (an assumption).
    assert (done.state, done.amount_fen) == ("granted", 1238_00)
    with reading(who[Post.COUNTY_OFFICER]):
        held = Entitlement.objects.get(programme="tekun", person=man)
        assert held.valid_from == date(done.decided_on.year, done.decided_on.month, 1).replace(
            month=done.decided_on.month + 1
        )
        steps = list(CaseAct.objects.filter(case=done, outcome="passed").order_by("id").values_list("step", flat=True))
        assert steps == [
            "受理", "调查", "评议", "村公示", "村意见", "乡镇审核", "乡镇公示", "县联合审批", "批后公示", "列入",
        ]  # fmt: skip
        kinds = set(CaseEvidence.objects.filter(case=done).values_list("kind", flat=True))
        assert kinds == {"材料", "授权", "入户调查", "民主评议", "公示", "报告", "抽查", "会签"}
