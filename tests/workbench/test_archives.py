"""The archives from the pages: cabinets, a household's file, loans, two people, stock-taking (REG-08)."""

import re

import pytest

from huimin.archives.models import Box, Paper, Store
from huimin.organisation.posts import OfficeKind, Post
from tests.registry.people import household
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


def sent(client, path, page=None, **data):
    page = page or client.get(path)
    answer = client.post(path, {"token": token_of(page), **data})
    assert answer.status_code == 302, text(answer)
    return client.get(answer["Location"])


def test_a_file_from_the_cabinet_to_the_return_reg_08(home):
    clerk, reviewer = at(Post.CLERK, home), at(Post.REVIEWER, home)
    assert "新设" in text(sent(clerk, "/archives/"))
    store = Store.objects.using("maintenance").get(division=home.division[:12])
    box = Box.objects.using("maintenance").get(store=store)
    file_page = f"/archives/households/{home.pk}/"
    told = {"kind": "survey", "title": "基本信息表", "dated_on": "2021-6-1", "pages": "3", "box": box.pk}
    wrong = clerk.post(file_page, {"token": token_of(clerk.get(file_page)), **told, "pages": "0"})
    assert wrong.status_code == 422 and "页数不能小于 1" in text(wrong)
    assert "第 1 件" in text(sent(clerk, file_page, **told))
    paper = Paper.objects.using("maintenance").get()
    assert clerk.get(file_page + "paper/").content.startswith(b"%PDF")
    assert clerk.get(f"/archives/{store.pk}/labels/").content.startswith(b"%PDF")
    lend = f"/archives/act/lend/?id={paper.pk}"
    answer = sent(
        clerk,
        "/archives/act/lend/",
        clerk.get(lend),
        id=paper.pk,
        borrower="李审计",
        office="审计局",
        purpose="专项审计",
        due_on="2021-12-1",
    )
    assert "借阅单" in text(answer) and "李审计" in text(answer)
    again = clerk.post("/archives/act/lend/", {"token": token_of(clerk.get(lend)), "id": paper.pk, "borrower": "某人",
                       "office": "审计局", "purpose": "专项审计", "due_on": "2021-12-1"})  # fmt: skip
    assert again.status_code == 422 and "借出" in text(again)
    assert "已归还 1 件" in text(
        sent(clerk, "/archives/act/return/", clerk.get(f"/archives/act/return/?id={paper.pk}"), id=paper.pk)
    )
    moved = sent(
        clerk,
        "/archives/act/move/",
        clerk.get(f"/archives/act/move/?id={paper.pk}"),
        id=paper.pk,
        target=box.pk,
        reason="换盒",
    )
    link = re.search(r"/archives/disposals/\d+/", text(moved))[0]
    assert "审批档案移交、销毁" in text(reviewer.get("/"))
    assert "已办理" in text(sent(reviewer, link, outcome="agree"))
    destroy = clerk.post("/archives/act/destroy/", {"token": token_of(clerk.get(f"/archives/act/destroy/?id={paper.pk}")),
                         "id": paper.pk, "reason": "期满"})  # fmt: skip
    assert destroy.status_code == 422 and "没有规定保管年限" in text(destroy)
    assert clerk.get("/archives/act/burn/?id=1").status_code == 404
    assert clerk.get("/archives/act/lend/").status_code == 409
    assert reviewer.get(lend).status_code == 403
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/archives/").status_code == 403


def test_a_village_is_filed_and_counted_reg_08(home):
    clerk = at(Post.CLERK, home)
    sent(clerk, "/archives/")
    store = Store.objects.using("maintenance").get(division=home.division[:12])
    where = f"/archives/{store.pk}/"
    filed = {
        "kind_of_act": "file",
        "kind": "survey",
        "title": "基本信息表",
        "dated_on": "2021-6-1",
        "pages": "3",
        "per_box": "1",
    }
    assert "登记了" in text(sent(clerk, where, **filed))
    papers = list(Paper.objects.using("maintenance").order_by("id"))
    assert "添了 2 盒" in text(sent(clerk, where, kind_of_act="boxes", shelf="2", count="2"))
    taken = sent(clerk, where, kind_of_act="stocktake")
    assert f"应有 {len(papers)} 件" in text(taken)
    path = re.search(r"/archives/stocktakes/\d+/", text(clerk.get(where)))[0]
    page = clerk.get(path)
    assert page.content.count(b'name="listed"') == len(papers)
    sent(clerk, path, page, listed=[p.pk for p in papers], id=[p.pk for p in papers[1:]])
    closed = text(sent(clerk, path, close="1"))
    assert f"见到 {len(papers) - 1} 件，未见 1 件" in closed
    missing = Paper.objects.using("maintenance").get(state="missing")
    assert missing.pk == papers[0].pk and "基本信息表" in text(clerk.get("/archives/missing/"))
    assert clerk.get(f"/archives/boxes/{missing.box_id}/").status_code == 200
    for path in ("/archives/", "/archives/places/", "/archives/loans/", "/archives/disposals/", "/archives/missing/"):
        assert clerk.get(path + "?export=xlsx").status_code == 200, path
    assert clerk.get("/archives/places/?print=pdf").content.startswith(b"%PDF")
    county = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert "10 年" in text(sent(county, "/archives/retention/", kind="survey", years="10", basis="县文 6 号"))
    made = sent(clerk, "/archives/new/", kind="room", division=clerk_place(home), name="乡镇档案室", keeper="张三")
    assert "乡镇档案室" in text(made)


def clerk_place(home):
    return home.division[:9] + "000"
