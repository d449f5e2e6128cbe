"""Spot checks on the pages of those who freeze, draw, check, put up and watch (CASE-08)."""

import re
from datetime import timedelta

from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.samples.models import Draw, DrawCase
from huimin.samples.seeding import faults_of, read_published
from tests.cases.people import ask, entering, people, records, walk
from tests.samples.people import NUMBER, copies, households
from tests.samples.test_draws import STEP, visited
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice


def test_from_the_frozen_list_to_the_last_result_on_pages_case_08(county, cluster):
    url = cluster.url(county("screened"))
    house = entering()
    who = people(house)
    with records("入户调查", "民主评议"):
        case, on = walk(ask(house, who[Post.CLERK]), who, until=STEP)
    copies(url, case, households(11)[1:])
    business_day(on)
    officer = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    supervisor = client_of(Post.SUPERVISOR, OfficeKind.AUDIT)
    clerk = client_of(Post.CLERK, house.division[:9] + "000")
    assert "还没有抽查" in text(supervisor.get("/samples/"))
    assert "冻结抽查名单" in text(officer.get("/"))
    assert "还没有抽签" in text(officer.get(f"/cases/{case.pk}/"))
    day = on + timedelta(days=1)
    asked = {"what": f"{case.programme}|{STEP}", "event": "pl5", "event_on": str(day)}
    page = text(officer.get("/samples/freeze/"))
    assert "11 件" in page
    bad = officer.post("/samples/freeze/", {**asked, "event_on": str(on), "token": token_of(page)})
    assert bad.status_code == 422 and "不在今天之后" in text(bad)
    assert client_of(Post.CLERK, house.division[:9] + "000").get("/samples/freeze/").status_code == 403
    shown = post_twice(officer, "/samples/freeze/", asked)
    draw = Draw.objects.using("maintenance").get()
    assert (
        draw.digest in shown
        and "已冻结名单，共 11 件" in shown
        and "没有等着抽查的件" in text(officer.get("/samples/freeze/"))
    )
    sheet = officer.get(f"/samples/{draw.pk}/sheet/")
    assert sheet.content.startswith(b"%PDF")
    assert read_published(text(officer.get(f"/samples/{draw.pk}/text/"))).number == ""
    number(officer, supervisor, draw, day)
    told = read_published(text(officer.get(f"/samples/{draw.pk}/text/")))
    assert faults_of(told) == [] and len(told.picked) == 2
    shown = text(supervisor.get(f"/samples/{draw.pk}/"))
    assert "还有 2 件没有检查结果" in shown and NUMBER in shown and told.seed in shown
    assert all(each in shown for each in told.picked)
    whole = text(supervisor.get(f"/samples/{draw.pk}/?show=list"))
    assert all(each.number in whole for each in told.entries)
    below = text(clerk.get(f"/samples/{draw.pk}/?show=list"))
    assert case.number in below and below.count('<td class="nowrap"><a') < 11  # its own cases only
    assert clerk.get(f"/samples/{draw.pk}/text/").status_code == 403
    assert "抽查" in text(supervisor.get("/visits/")) and "sample:" not in text(clerk.get("/visits/"))
    assert "检查抽中的件" in text(supervisor.get("/")) and told.picked[0] in text(supervisor.get("/samples/waiting/"))
    results(supervisor, who, draw, day)
    for path in (
        "/samples/?export=xlsx&purpose=核对",
        "/samples/waiting/?print=pdf",
        "/samples/ratings/",
        "/samples/orders/",
    ):
        assert supervisor.get(path).status_code == 200
    agencies_and_rate(officer)


def number(officer, supervisor, draw, day):
    """Typed by one, typed by another who does not see it."""
    assert "录入公开号码" not in text(officer.get("/"))
    business_day(day)
    assert "录入公开号码" in text(officer.get("/"))
    path = f"/samples/{draw.pk}/number/"
    shown = post_twice(officer, path, {"number": "4 0 9 1 8", "where": "体彩网"})
    assert "已录入号码" in shown
    page = text(supervisor.get(path))
    assert "40918" not in page and "复核号码" in page
    wrong = supervisor.post(path, {"number": NUMBER, "token": token_of(page)})
    assert wrong.status_code == 409 and "两人录入的号码不一样" in text(wrong)
    post_twice(officer, path, {"number": NUMBER, "where": "体彩网 第 21180 期"})
    assert "已抽签，抽中 2 件" in post_twice(supervisor, path, {"number": "４０９１７"})


def results(supervisor, who, draw, day):
    """A visit is chosen from those that were signed; what does not agree says what follows."""
    with reading(county_officer()):
        first, second = DrawCase.objects.filter(draw=draw, picked=True).order_by("key")
    path = f"/samples/cases/{first.pk}/"
    page = text(supervisor.get(path))
    assert "查阅材料" not in page.split("<form")[-1] and f"subject=sample:{first.pk}" in page
    assert supervisor.get(re.search(r'/visits/new/[^"]+', page)[0].replace("&amp;", "&")).status_code == 200
    bad = supervisor.post(path, {"way": "visit", "result": "true", "token": token_of(page)})
    assert bad.status_code == 422 and "没有这次抽查的已签字的入户记录" in text(bad)
    for line, told, words in (
        (first, {"result": "differs", "found": "家有轿车一辆，申报时没有"}, "只能退回或不予批准"),
        (second, {"result": "true"}, "检查完毕，1 件有问题"),
    ):
        made = visited(who, line, day)
        shown = post_twice(supervisor, f"/samples/cases/{line.pk}/", {"way": "visit", "visit": made.pk, **told})
        assert words in shown
    assert "有出入" in text(supervisor.get(path)) and "签名登记" not in text(supervisor.get(path))
    assert "家有轿车一辆" in text(supervisor.get(f"/cases/{first.case_id}/"))


def agencies_and_rate(officer):
    contract = {
        "name": "信诚社会工作服务中心", "contract_no": "2021-08", "valid_from": "2021-07-01", "valid_to": "2021-12-31",
        "scope": "低保审批前入户核查", "fee": "120.50", "quality": "错查一件不付费",
    }  # fmt: skip
    page = text(officer.get("/samples/agencies/"))
    bad = officer.post("/samples/agencies/", {**contract, "fee": "一百二", "token": token_of(page)})
    assert bad.status_code == 422 and "不是金额" in text(bad)
    shown = post_twice(officer, "/samples/agencies/", contract)
    assert "信诚社会工作服务中心" in shown and "¥120.50" in shown
    end = re.search(r"/samples/agencies/\d+/end/", shown)[0]
    assert "已终止" in post_twice(officer, end, {"reason": "人员不足，协商终止"})
    approver = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    page = text(approver.get("/samples/rate/"))
    programme = "dibao-rural"
    bad = approver.post(
        "/samples/rate/", {"programme": programme, "percent": "101", "basis": "文", "token": token_of(page)}
    )
    assert bad.status_code == 422 and "1 到 100" in text(bad)
    assert "30%" in post_twice(
        approver, "/samples/rate/", {"programme": programme, "percent": "30", "basis": "金民〔2021〕1 号"}
    )
