"""The kinship file from the pages: one's own declaration, the county's lists, recusal told after a decision (REG-10)."""

import re
from datetime import date

import pytest

from huimin.database.personal import ID_NUMBER, plain
from huimin.kinship.models import Declaration, Relative
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from tests.casework.test_recusal import approver, head_of, proposals
from tests.kinship.people import declare
from tests.registry.people import household, members
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(answer):
    return re.search(r'name="token" value="([0-9a-f]{32})"', text(answer))[1]


@pytest.fixture
def home(county):
    county("registered")
    return household()


def at(post, home):
    return client_of(post, home.division[:9] + "000")


def told(person, **more):
    number = plain(person.id_number_enc, ID_NUMBER)
    return {"relation_1": "child", "name_1": person.name, "id_number_1": number, "benefit_1": "低保"} | more


def test_an_officer_declares_and_the_county_reads_reg_10(home):
    clerk, person = at(Post.CLERK, home), members(home)[0].person
    assert "申报近亲属" in text(clerk.get("/"))
    page = clerk.get("/kinship/")
    assert "已经超期" in text(page)
    half = clerk.post("/kinship/", {"token": token_of(page), "relation_1": "child", "name_1": "张三"})
    assert half.status_code == 422 and "第 1 位：请填写证件号码" in text(half) and 'value="张三"' in text(half)
    wrong = clerk.post("/kinship/", {"token": token_of(page)} | told(person, name_1="别的人"))
    assert wrong.status_code == 422 and "号码与姓名不符" in text(wrong)
    for _ in range(2):
        sent = clerk.post("/kinship/", {"token": token_of(page)} | told(person))
        assert sent.status_code == 302
    assert "在案的近亲属 1 位" in text(clerk.get(sent["Location"]))
    assert Declaration.objects.using("maintenance").count() == 1
    assert clerk.get("/kinship/paper/").content.startswith(b"%PDF")
    for path in ("officers", "relatives", "related", "earlier", "recusals", "rule"):
        assert clerk.get(f"/kinship/{path}/").status_code == 403
    county = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert person.name in text(county.get("/kinship/relatives/"))
    assert home.household_no in text(county.get("/kinship/related/"))
    listed = text(county.get("/kinship/officers/?state=declared"))
    assert "已申报" in listed and "申报率" in listed
    for path in ("officers", "relatives", "related", "earlier", "recusals"):
        assert county.get(f"/kinship/{path}/?export=xlsx").status_code == 200
    assert county.get("/kinship/related/?print=pdf").content.startswith(b"%PDF")
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    assert farmers.get("/kinship/relatives/").status_code == 409


def test_the_county_settles_links_ends_and_sets_the_days_reg_10(home):
    elsewhere, person = client_of(Post.CLERK, "341524101000"), members(home)[0].person
    if home.division.startswith("341524101"):
        elsewhere = client_of(Post.CLERK, "341524100000")
    page = elsewhere.get("/kinship/")
    assert elsewhere.post("/kinship/", {"token": token_of(page)} | told(person)).status_code == 422
    assert elsewhere.post("/kinship/", {"token": token_of(page)} | told(person, as_text_1="on")).status_code == 302
    county = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert "核对按文字备案的近亲属" in text(county.get("/"))
    listed = county.get("/kinship/relatives/?state=unsettled")
    done = county.post("/kinship/relatives/", {"token": token_of(listed)})
    assert "对上 1 位" in text(county.get(done["Location"]))
    row = Relative.objects.using("maintenance").get()
    address = f"/kinship/relatives/{row.pk}/"
    form = county.get(address)
    assert county.post(address, {"token": token_of(form), "act": "settle", "told": "不在册"}).status_code == 422
    assert county.post(address, {"token": token_of(form), "act": "end", "told": "已不再享受"}).status_code == 302
    assert "已不再享受" in text(county.get("/kinship/relatives/?state=ended"))
    rule = county.get("/kinship/rule/")
    assert county.post("/kinship/rule/", {"token": token_of(rule), "within_days": "0", "basis": "x"}).status_code == 422
    data = {"token": token_of(rule), "within_days": "400", "basis": "县纪要"}
    assert county.post("/kinship/rule/", data | {"within_days": "60"}).status_code == 302
    assert "60 天" in text(county.get("/kinship/rule/"))


def test_a_decision_on_many_tells_whom_it_left_out_reg_10(county):
    county("screened")
    mine = proposals()[0].household_id
    declare(approver(), head_of(mine), on=date(2021, 6, 25))
    decider = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)
    page = decider.get("/proposals/decide/?programme=grain-one-off")
    fields = dict(re.findall(r'name="(token|seen|programme|kind|place|outcome)" value="([^"]*)"', text(page)))
    sent = decider.post("/proposals/decide/", fields)
    assert sent.status_code == 302, text(sent)
    shown = text(decider.get(sent["Location"]))
    with reading(approver()):
        from huimin.registry.models import Household

        assert Household.objects.get(pk=mine).household_no in shown and "回避 1 户" in shown
    civil = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    assert "审批建议" in text(civil.get("/kinship/recusals/"))
