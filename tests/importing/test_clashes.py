"""Cards, and what stands in the way out of the sender's sight (REG-03, REG-04, REG-07, SEC-03)."""

from huimin.database.personal import ACCOUNT, plain
from huimin.demo.actors import actor
from huimin.divisions.queries import list_villages
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from huimin.registry.models import Card, Household, Person, WorkItem
from tests.importing.files import (
    DAY,
    LATER,
    MEMBERS_HEAD,
    TOWN,
    VILLAGE,
    bring,
    counted,
    member,
    numbers,
    officer,
    stored,
    xlsx,
)

OTHER = "341524101000"
HEAD = ["持卡人身份证号", "户名", "一卡通账号", "用途"]
ACCOUNT_1, ACCOUNT_2, ACCOUNT_3 = "6299990000000000011", "6299990000000000029", "6299990000000000037"


def families():
    one, two, three = numbers(3)
    rows = [MEMBERS_HEAD, member(1, "张三", one), member(1, "李四", two, "妻"), member(2, "王五", three)]
    bring(xlsx([row + [""] * (7 - len(row)) for row in rows]))
    return one, two, three


def test_first_accounts_come_in_and_the_same_again_is_the_same(county):
    """REG-07: a head's card is the household's, another member's his own; in the holder's name."""
    county("organised")
    one, two, three = families()
    rows = [
        HEAD,
        [one, "张三", ACCOUNT_1, ""],
        [two, "李四", "6299 9900 0000 0000 029", "人"],
        [three, "王小五", ACCOUNT_3, ""],
    ]
    outcome = bring(xlsx(rows), only_right=True)
    assert outcome.plan.kind == "cards" and counted(outcome) == (2, 0, 0, 0, 1)
    assert "户名与持卡人姓名不一致" in str(outcome.faults[0]) and ACCOUNT_3 not in str(outcome.faults)
    cards = stored(Card)
    assert [(card.use, plain(card.account_enc, ACCOUNT), card.account_name) for card in cards] == [
        ("household", ACCOUNT_1, "张三"),
        ("person", ACCOUNT_2, "李四"),
    ]
    assert counted(bring(xlsx(rows[:3]), on=LATER)) == (0, 0, 2, 0, 0)


def test_another_account_waits_for_a_correction(county):
    """REG-04, REG-07: no import replaces an account, nor gives one account to two people."""
    county("organised")
    one, two, three = families()
    bring(xlsx([HEAD, [one, "张三", ACCOUNT_1, ""]]))
    rows = [
        HEAD,
        [one, "张三", ACCOUNT_2, ""],
        [three, "王五", ACCOUNT_1, ""],
        [two, "李四", ACCOUNT_3, "户"],
        [numbers(9)[8], "", "6299990000000000045", ""],
    ]
    outcome = bring(xlsx(rows), only_right=True)
    assert counted(outcome) == (0, 0, 0, 2, 2)
    assert {item.kind for item in stored(WorkItem)} == {"second_card", "shared_card"}
    assert [card.account_tail for card in stored(Card)] == [ACCOUNT_1[-4:]]
    assert ["应在户主名下" in str(f) or "没有登记持卡人" in str(f) for f in outcome.faults if f.kind == "wrong"] == [
        True,
        True,
    ]


def test_somebody_of_another_township_is_a_conflict_in_the_preview_too(county):
    """REG-04, SEC-03: found across the county; his household is not told, and nothing of the new household is left behind."""
    county("organised")
    one, two, _ = families()
    with reading(officer()):
        village = list_villages(OTHER, DAY)[0].code
    clerk = actor(Post.CLERK, OTHER)
    rows = [
        MEMBERS_HEAD[:4],
        [f"{village}-8001", "张三", one, "户主"],
        [f"{village}-8001", "钱七", numbers(8)[7], "子"],
        [f"{village}-8002", "孙八", numbers(9)[8], "户主"],
        [f"{VILLAGE}-8001", "周九", numbers(10)[9], "子"],
    ]
    for rehearse in (True, False):
        outcome = bring(xlsx(rows), by=clerk, place=OTHER, rehearse=rehearse, only_right=True)
        assert counted(outcome) == (1, 0, 0, 1, 2)
    assert {home.household_no for home in stored(Household, division=village)} == {f"{village}-8002"}
    assert len(stored(Person)) == 4
    [item] = stored(WorkItem)
    assert item.kind == "same_person" and VILLAGE not in item.summary and two not in item.summary
    assert any("本辖区以外" in fault.what for fault in outcome.faults)


def test_a_place_imports_only_its_own(county):
    """SEC-03: a household of another village of the same township is outside an import for one village."""
    county("organised")
    one, _, _ = families()
    with reading(officer()):
        village = next(each.code for each in list_villages(TOWN, DAY) if each.code != VILLAGE)
    outcome = bring(xlsx([["户主身份证号", "水稻亩数"], [one, 2]]), place=village, only_right=True)
    assert counted(outcome) == (0, 0, 0, 0, 1) and "不在这次导入的地方之内" in outcome.faults[0].what
