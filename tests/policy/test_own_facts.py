"""A county adds a fact at the desk, and it is asked, listed, read and computed with like any other (REG-01)."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from huimin.audit.models import Signature
from huimin.database.context import declare
from huimin.demo import dates
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.kernel.errors import BadInput
from huimin.kernel.facts import Kind
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.models import OwnFact, PolicyText
from huimin.policy.own_facts import NotWaiting, Wanted, decide_fact, propose_fact, withdraw_fact
from huimin.policy.queries import added_facts, adopted_book, get_shelf, texts_in_use, used_facts
from huimin.rules import read_book_texts
from tests.policy.drafting import civil_officer, leader
from tests.workbench.people import client_of
from tests.workbench.test_policies import text, token_of

TODAY = dates.SCREENED
TEA = Wanted("茶园亩数", "户", "面积", "亩", (), "茶园登记表")


def proposed(wanted: Wanted = TEA) -> OwnFact:
    return propose_fact(by=county_officer(), on=TODAY, wanted=wanted, reason="茶园补贴要用")


def test_what_cannot_be_asked_is_refused_with_its_field(shared_county: Callable[[str], str]) -> None:
    """REG-01: a name of the dictionary, choices that are not there, a unit that does not fit; nothing is kept."""
    shared_county("adopted")
    for wanted, where in (
        (Wanted("存款", "户", "金额"), "名称"),
        (Wanted("1号 地", "户", "面积"), "名称"),
        (Wanted("", "户", "面积"), "名称"),
        (Wanted("茶树品种", "户", "选项"), "选项"),
        (Wanted("茶树品种", "户", "选项", "", ("大白", "大白")), "选项"),
        (Wanted("茶园收入", "户", "金额", "亩"), "单位"),
        (Wanted("有茶园", "户", "是否", "亩"), "单位"),
    ):
        with pytest.raises(BadInput) as wrong:
            proposed(wanted)
        assert wrong.value.where == where, (wanted, str(wrong.value))
    with pytest.raises(NotYourPost):
        propose_fact(by=leader(), on=TODAY, wanted=TEA, reason="茶园补贴要用")
    with reading(county_officer()):
        assert not OwnFact.objects.exists()


def test_proposed_agreed_and_used_everywhere(county: Callable[[str], str]) -> None:
    """REG-01: proposed by one, agreed by another, once; then forms, imports and policies know it, and it stays."""
    county("adopted")
    found = proposed()
    with pytest.raises(AlreadyDone):
        proposed()
    with pytest.raises(NotYourPost):
        decide_fact(by=county_officer(), on=TODAY, fact_id=found.pk, agreed=True)
    with pytest.raises(BadInput):
        decide_fact(by=leader(), on=TODAY, fact_id=found.pk, agreed=False)
    with reading(county_officer()):
        assert not [fact for fact in added_facts(found.division) if fact.name == "茶园亩数"]
    decide_fact(by=leader(), on=TODAY, fact_id=found.pk, agreed=True)
    with pytest.raises(AlreadyDone):
        decide_fact(by=leader(), on=TODAY, fact_id=found.pk, agreed=True)
    officer, township = county_officer(), townships()[0]
    with reading(officer):
        [fact] = [fact for fact in added_facts(township) if fact.name == "茶园亩数"]
        assert (fact.kind, fact.unit, fact.code, fact.paper) == (Kind.AREA, "亩", "cha_yuan_mu_shu", "茶园登记表")
        assert Signature.objects.filter(subject=found.subject, content_digest=found.sha256).count() == 1
        shelf = get_shelf(officer, TODAY)
        assert [(each.fact.name, each.used) for each in used_facts(shelf) if each.fact.name == "茶园亩数"] == [
            ("茶园亩数", ())
        ]
        values = "区划: '341524000000'\n项目: tea\n自: 2021-07-01\n"
        rest = "名称: 茶园补贴\n简称: 茶园补贴\n主管部门: 农业农村\n对象: 户\n期间: 年\n发放: 按年\n收款: 户主卡\n依据: 示例\n"
        rest += "条件:\n  - {编号: a, 说明: 有茶园, 算式: 茶园亩数 >= 1 亩, 依据: 示例}\n金额: {算式: 茶园亩数 * 5 元/亩/年, 取整: 四舍五入到分, 依据: 示例}\n"
        book = read_book_texts(texts_in_use() | {"tea.yaml": values + rest})
    assert "tea" in book.codes
    with pytest.raises(IntegrityError), transaction.atomic():
        declare(officer.scope())
        PolicyText.objects.filter(path=found.path).update(superseded_at="2021-09-01 00:00+08")
    client = client_of(Post.CLERK, townships()[0])
    page = text(client.get("/own-facts/"))
    assert "茶园亩数" in page and "还没有项目用到" in page and "增加一项" not in page


def test_only_what_was_agreed_becomes_a_text(county: Callable[[str], str]) -> None:
    """SEC-07: a text of a fact comes from a fact in use with the same words, whoever writes; a decision is final."""
    county("adopted")
    found = proposed()
    with pytest.raises(NotWaiting):
        withdraw_fact(by=civil_officer(), on=TODAY, fact_id=found.pk)
    with pytest.raises(IntegrityError, match="no fact in use"), transaction.atomic():
        declare(county_officer().scope())
        PolicyText.objects.create(
            division=found.division,
            path=found.path,
            text=found.text,
            sha256=found.sha256,
            adopted_by=1,
            adopted_on=TODAY,
        )
    withdraw_fact(by=county_officer(), on=TODAY, fact_id=found.pk)
    with pytest.raises(IntegrityError, match="is decided"), transaction.atomic(), connection.cursor() as cursor:
        declare(county_officer().scope())
        cursor.execute("UPDATE policy_ownfact SET state = 'in_use' WHERE id = %s", [found.pk])
    again = proposed()
    decide_fact(by=leader(), on=TODAY, fact_id=again.pk, agreed=False, answer="现有的承包地亩数够用")
    with reading(county_officer()):
        assert not [path for path in texts_in_use() if "/fact-" in path]
        assert adopted_book().codes


def test_the_pages_from_proposal_to_use(county: Callable[[str], str]) -> None:
    """REG-01: the desk shows what is wrong at its field, the leading group finds the proposal among what waits."""
    county("adopted")
    officer = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    page = text(officer.get("/own-facts/"))
    assert "本地没有另外要问的事实" in page or "使用中" in page
    page = text(officer.get("/own-facts/new/"))
    wrong = {
        "token": token_of(page),
        "name": "茶树品种",
        "entity": "户",
        "kind": "选项",
        "sensitive": "no",
        "reason": "补贴要用",
    }
    answer = officer.post("/own-facts/new/", wrong)
    assert answer.status_code == 422 and "选项" in text(answer) and "茶树品种" in text(answer)
    answer = officer.post("/own-facts/new/", wrong | {"choices": "大白\n龙井\n"})
    assert answer.status_code == 302, text(answer)
    with reading(county_officer()):
        found = OwnFact.objects.get(name="茶树品种")
    approver = client_of(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    assert "审批本地事实" in text(approver.get("/"))
    page = text(approver.get(f"/own-facts/{found.pk}/"))
    assert "大白、龙井" in page
    data = {"token": token_of(page), "outcome": "refused", "answer": ""}
    answer = approver.post(f"/own-facts/{found.pk}/", data)
    assert answer.status_code == 422 and "没有写理由" in text(answer)
    answer = approver.post(f"/own-facts/{found.pk}/", data | {"outcome": "agreed"})
    assert answer.status_code == 302 and "审批本地事实" not in text(approver.get("/"))
    assert "大白、龙井" in text(officer.get("/own-facts/"))
    assert approver.get("/own-facts/999999/").status_code == 404
