"""Tables of resources with a row a plot, and tables of cards of several banks, as clerks send them (REG-01, REG-03, REG-07)."""

import pytest

from huimin.organisation.models import Office
from huimin.registry.models import Card, HouseholdFacts, Membership
from tests.importing.files import MEMBERS_HEAD, bring, member, numbers, stored, xlsx

HEAD = ["序号", "户主证件号码", "地块", "水稻面积（亩）", "玉米面积（亩）", "能繁母猪头数"]


@pytest.fixture
def heads(county):
    county("organised")
    ids = numbers(3)
    rows = [member(at, name, ids[at], "户主", "小学", 0, "否") for at, name in enumerate("甲乙丙")]
    outcome = bring(xlsx([MEMBERS_HEAD, *rows]))
    assert outcome.counts["new"] == 3, outcome.faults
    return ids


def facts():
    rows = HouseholdFacts.objects.using("maintenance").filter(recorded_to=None, valid_to=None)
    heads = Membership.objects.using("maintenance").filter(relation="户主").values_list("household", "person__name")
    names = dict(heads)
    return {names[row.household_id]: row for row in rows}


def test_plots_of_one_household_are_added_up_and_said_reg_01(heads):
    """Areas and animals add up, an empty cell adds nothing; a sum at the foot is skipped; the same file twice changes nothing."""
    one, two, _ = heads
    rows = [
        ["某村耕地核查表"], HEAD, [1, one, "东冲", 2.5, "", 1], [2, one, "西冲", 1.25, 3, 2], [3, two, "河边", 4, "", ""],
        ["合计", "", "", 7.75, 3, 3],
    ]  # fmt: skip
    seen = bring(xlsx(rows), kind="resources", rehearse=True)
    assert (seen.counts["changed"], seen.counts["added_up"], seen.faults) == (3, 2, [])
    bring(xlsx(rows), kind="resources")
    found = facts()
    assert [(found[n].rice_mu, found[n].corn_mu, found[n].breeding_sows) for n in "甲乙"] == [
        (375, 300, 3),
        (400, None, None),
    ]
    again = bring(xlsx(rows), kind="resources")
    assert (again.counts["same"], again.counts["changed"]) == (3, 0)


def test_what_cannot_be_added_up_comes_back_with_the_reason(heads):
    """The same row twice, a fault in one of the rows: nothing of that household comes in, the others do."""
    one, two, three = heads
    rows = [
        HEAD, [1, one, "东冲", 2.5, "", 1], [2, one, "东冲", 2.5, "", 1], [3, two, "河边", 4, "", ""], [4, two, "山脚", "很多", "", ""],
        [5, three, "路边", 1, "", ""], [6, three, "井边", 1, "", ""],
    ]  # fmt: skip
    outcome = bring(xlsx(rows), kind="resources", only_right=True)
    assert (outcome.counts["wrong"], outcome.counts["changed"]) == (4, 2)
    told = " ".join(str(fault) for fault in outcome.faults)
    assert "完全相同" in told and "有误，没有相加" in told
    found = facts()
    assert (found["甲"].rice_mu, found["乙"].rice_mu, found["丙"].rice_mu) == (None, None, 200)


def test_cards_of_several_banks_in_one_table_reg_07(heads):
    """Each row's own bank, by its name or a branch's; an unknown bank is a fault that names the banks."""
    with_bank = Office.objects.using("maintenance").filter(kind="bank").order_by("pk").first()
    other = Office.objects.using("maintenance").create(
        name="某县邮政储蓄银行",
        kind="bank",
        division=with_bank.division,
        level=with_bank.level,
        valid_from=with_bank.valid_from,
    )
    rows = [
        ["持卡人身份证号", "账号", "户名", "开户银行"],
        [heads[0], "6217000000000000001", "甲", with_bank.name], [heads[1], "6217000000000000002", "乙", "某县邮政储蓄银行股份有限公司梅山支行"],
        [heads[2], "6217000000000000003", "丙", "火星银行"],
    ]  # fmt: skip
    outcome = bring(xlsx(rows), only_right=True)
    assert (outcome.counts["new"], outcome.counts["wrong"]) == (2, 1)
    assert "火星银行" in outcome.faults[0].what and with_bank.name in outcome.faults[0].remedy
    assert [card.bank_office_id for card in sorted(stored(Card), key=lambda each: each.account_tail)] == [
        with_bank.pk,
        other.pk,
    ]
