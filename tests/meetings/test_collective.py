"""一事一议: what a township's officials may decide of a case that cannot be judged, and what they may not (CASE-01, DET-05)."""

from datetime import timedelta

import pytest

from huimin.cases.models import CaseEvidence
from huimin.casework.models import Entitlement, Relief
from huimin.casework.relief import approve_relief, confirm_topup, propose_topup, set_up_fund
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.meetings.collective import CanBeJudged, Deliberation, Help, NoMajority, decide_collectively
from huimin.meetings.models import CollectiveDecision
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from tests.cases.people import DAY, ask, entering, people, reread


@pytest.fixture(autouse=True)
def screened(shared_county):
    shared_county("screened")


def met(**more):
    told = {
        "held_on": DAY, "location": "乡政府二楼会议室", "officials": ["张明 乡长", "李红 民政办主任", "王强 包村干部"],
        "in_favour": 3, "against": 0, "abstained": 0, "unverified": "外省务工收入无法核实", "no_fault": "原单位已注销，非本人原因",
        "hardship": "火灾后无处居住，断粮", "minutes": "逐一发言，一致同意先行救助。", "conclusion": "not_helped", "basis": "县 5 号文",
    }  # fmt: skip
    return Deliberation(**(told | more))


def fund(township):
    finance = OfficeKind.FINANCE
    set_up_fund(
        by=actor(Post.FINANCE_OFFICER, finance), on=DAY, division=township, limit_fen=100_000, basis="县 3 号文"
    )
    given = propose_topup(
        by=actor(Post.FINANCE_OFFICER, finance), on=DAY, division=township, amount_fen=1_000_000, note="凭证 1"
    )
    confirm_topup(by=actor(Post.FINANCE_RELEASER, finance), on=DAY, entry_id=given.pk)


def test_a_case_that_misses_papers_is_helped_first_and_granted_nothing_case_01():
    house = entering(nth=0)
    who, township = people(house), house.division[:9] + "000"
    case = ask(house, who[Post.CLERK], missing=("户口簿",))
    assert case.state == "papers"
    wrong = (
        (BadInput, "不足三人", {"officials": ["张明 乡长", "李红 主任"], "in_favour": 2}),
        (BadInput, "没有写职务", {"officials": ["张明", "李红 主任", "王强 干部"]}),
        (BadInput, "写了两次", {"officials": ["张明 乡长", "张明 书记", "王强 干部"]}),
        (BadInput, "合计 4 人，参加的 3 人", {"in_favour": 4}),
        (BadInput, "不是会议日期", {"held_on": DAY + timedelta(days=1)}),
        (BadInput, "不是会议日期", {"held_on": DAY - timedelta(days=1)}),
        (BadInput, "没有写无法核实的事项", {"unverified": ""}),
        (BadInput, "没有写集体认定了什么", {"conclusion": "settled"}),
        (BadInput, "没有选结论", {"conclusion": "granted"}),
        (NoMajority, "没有过半数", {"conclusion": "relief", "in_favour": 1, "against": 1, "abstained": 1}),
        (BadInput, "没有写金额", {"conclusion": "relief"}),
    )
    for kind, words, more in wrong:
        with pytest.raises(kind, match=words):
            decide_collectively(by=who[Post.CLERK], on=DAY, case_id=case.pk, told=met(**more))
    with pytest.raises(NotYourPost):
        decide_collectively(by=who[Post.INFORMATION_OFFICER], on=DAY, case_id=case.pk, told=met())
    fund(township)
    given = {"told": met(conclusion="relief"), "relief": Help("fire", DAY, 150_000)}
    made = decide_collectively(by=who[Post.CLERK], on=DAY, case_id=case.pk, **given)
    with pytest.raises(AlreadyDone):
        decide_collectively(by=who[Post.CLERK], on=DAY, case_id=case.pk, **given)
    with reading(who[Post.CLERK]):
        [relief] = Relief.objects.filter(household=house)
        assert (relief.pk, relief.collective, relief.meeting.in_favour) == (made.relief_id, True, 3)
    approve_relief(by=who[Post.TOWNSHIP_HEAD], on=DAY, relief_id=relief.pk)
    with reading(county_officer()):
        assert Relief.objects.get(pk=relief.pk).state == "paid"
        assert not Entitlement.objects.filter(household=house).exists(), "help first is no grant"
        assert not CaseEvidence.objects.filter(case=case).exists()
        assert CollectiveDecision.objects.get(pk=made.pk).signature.content_digest == made.digest
    assert reread(case).state == "papers", "the papers are still to come"


def test_what_the_law_can_judge_is_not_decided_together_case_01():
    house = entering(nth=1)
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with pytest.raises(CanBeJudged, match="按现有登记已能判断：符合"):
        decide_collectively(by=who[Post.REVIEWER], on=DAY, case_id=case.pk, told=met())
    with reading(county_officer()):
        assert not CollectiveDecision.objects.filter(case=case).exists()
