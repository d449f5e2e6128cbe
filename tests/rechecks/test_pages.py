"""Re-checks, refusals of work, the dead and appeals on pages: listed, begun, signed, refused in words, printed, on the desk (CASE-09)."""

import re
from datetime import date

from huimin.demo.clock import business_day
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.models import JobOffer, Recheck, WorkCut
from tests.rechecks.people import BEGUN, drawing
from tests.rechecks.test_deaths import dies, people_of
from tests.rechecks.test_work import idle
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice

OVERDUE = date(2022, 2, 1)


def test_a_re_check_at_the_desk_from_the_list_to_the_second_signature_case_09(county):
    """Begun with a tick, entered from a village round, confirmed by another; the paper of the round, the workbook, the wrong post."""
    county("decided")
    of = drawing(1)
    business_day(OVERDUE)
    township = of.division[:9] + "000"
    clerk, reviewer = client_of(Post.CLERK, township), client_of(Post.REVIEWER, township)
    desk = text(clerk.get("/"))
    assert "定期复核" in desk and "复核已超期" in desk
    page = text(clerk.get("/rechecks/?standing=overdue"))
    assert of.household_no in page and "超期 31 天" in page and "有经营净收入" in page
    assert "定期复核应在 2022-01-01 前办，已经超期" in text(clerk.get(f"/households/{of.pk}/"))
    assert of.household_no in text(client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE).get("/rechecks/"))
    assert "督办超期的复核" in text(client_of(Post.TOWNSHIP_HEAD, township).get("/"))
    assert of.household_no not in text(client_of(Post.DEPARTMENT_OFFICER, OfficeKind.WATER).get("/rechecks/"))
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/rechecks/").status_code == 403
    paper = clerk.get(f"/rechecks/?place={of.division[:12]}&print=pdf")
    assert paper.content.startswith(b"%PDF")
    assert "spreadsheet" in clerk.get("/rechecks/?export=xlsx&purpose=入户复核")["Content-Type"]
    shown = post_twice(clerk, "/rechecks/?standing=overdue", {"id": of.pk})
    assert "已开始复核 1 户" in shown
    row = Recheck.objects.using("maintenance").get()
    assert "复核中" in text(clerk.get("/rechecks/places/")) and "确认" not in text(clerk.get(f"/rechecks/{row.pk}/"))
    assert clerk.get(f"/rechecks/{row.pk}/nothing/").status_code == 404
    name = f"r{row.pk}"
    where = "/rechecks/round/"
    page = text(clerk.get(where))
    bad = clerk.post(where, {f"{name}-kind": "neighbours", f"{name}-done_on": "明天", "token": token_of(page)})
    assert bad.status_code == 422 and "错误：" in text(bad)
    filled = {
        f"{name}-kind": "neighbours", f"{name}-done_on": str(OVERDUE), f"{name}-people": "村组长王某", f"{name}-words": "邻里说情况没有变化",
        f"{name}-conclusion": "核查与登记一致",
    }  # fmt: skip
    shown = post_twice(clerk, where, filled)
    assert "已登记 1 户的核查，1 户作了结论" in shown
    assert "确认复核" in text(reviewer.get("/"))
    page = text(reviewer.get("/rechecks/list/?state=concluded"))
    assert "确认勾选的" in page and f'value="{row.pk}"' in page
    shown = post_twice(reviewer, "/rechecks/list/?state=concluded", {"id": row.pk})
    assert "已确认 1 件复核" in shown
    shown = text(reviewer.get(f"/rechecks/{row.pk}/"))
    assert "享受的待遇不变" in shown and shown.count("签名摘要") >= 2 and "邻里说情况没有变化" in shown
    assert "2022-08-01" in text(clerk.get(f"/rechecks/?place={of.division[:12]}"))
    _refused_in_words(clerk, reviewer, of)


def _refused_in_words(clerk, reviewer, of):
    """An early second one: nothing looked into, only the own word; returned with a reason."""
    post_twice(clerk, "/rechecks/", {"id": of.pk})
    row = Recheck.objects.using("maintenance").order_by("-id")[0]
    path = f"/rechecks/{row.pk}/conclude/"
    answer = clerk.post(path, {"words": "没有查就写结论", "token": token_of(text(clerk.get(path)))})
    assert answer.status_code == 409 and "还没有核查" in text(answer)
    post_twice(
        clerk,
        f"/rechecks/{row.pk}/means/",
        {"kind": "compared", "done_on": str(OVERDUE), "people": "李明", "words": "比对没有新增"},
    )
    post_twice(clerk, path, {"words": "比对没有新增，保持不变"})
    shown = post_twice(reviewer, f"/rechecks/{row.pk}/return/", {"reason": "请入户看一看"})
    assert "第 2 轮，上一轮退回：请入户看一看" in shown
    shown = post_twice(clerk, f"/rechecks/{row.pk}/cancel/", {"reason": "刚复核过，不必再做"})
    assert "已取消" in shown


def test_the_county_sets_its_numbers_on_pages_with_four_eyes_case_09(county):
    county("decided")
    business_day(BEGUN)
    officer = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    approver = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    page = text(officer.get("/rechecks/rules/"))
    assert "民发〔2021〕57号第31条" in page and "每年，收入不固定等每半年" in page
    bad = officer.post(
        "/rechecks/rules/new/",
        {"code": "unstable", "value": "x", "token": token_of(text(officer.get("/rechecks/rules/new/")))},
    )
    assert bad.status_code == 422
    post_twice(officer, "/rechecks/rules/new/", {"code": "unstable", "value": "3", "basis": "县民政局2021年8号"})
    assert "复核定期复核的规定" in text(approver.get("/"))
    [where] = set(re.findall(r"/rechecks/rules/\d+/", text(approver.get("/rechecks/rules/"))))
    post_twice(approver, where, {"outcome": "yes"})
    assert "每季" in text(officer.get("/rechecks/"))
    post_twice(
        officer,
        "/appeals/rules/new/",
        {"file_days": "30", "answer_days": "30", "extended_days": "15", "basis": "县民政局2021年6号"},
    )
    head = client_of(Post.LEADING_APPROVER, OfficeKind.LEADING_OFFICE)
    assert "复核申诉期限" in text(head.get("/"))
    [where] = set(re.findall(r"/appeals/rules/\d+/", text(head.get("/appeals/rules/"))))
    assert "已复核" in post_twice(head, where, {"outcome": "yes"})


def test_refused_work_and_the_dead_are_on_the_desk_until_they_are_done_case_09(county):
    """Offers and judgements on pages, the third asks for a cut; a death stays listed with its days and leads to the proposal."""
    county("decided")
    person, of, _ = idle()
    business_day(date(2021, 9, 1))
    township = of.division[:9] + "000"
    clerk, reviewer = client_of(Post.CLERK, township), client_of(Post.REVIEWER, township)
    said = {
        "person": person, "offered_by": "县人社局", "fits": "身体健康可以胜任", "answer": "refused", "words": "不想去", "evidence": "推荐信",
        "offered_on": "2021-09-01", "answered_on": "2021-09-01",
    }  # fmt: skip
    path = f"/work/new/{of.pk}/"
    bad = clerk.post(path, {**said, "job": "保洁", "words": "", "token": token_of(text(clerk.get(path)))})
    assert bad.status_code == 422 and "照他的原话写" in text(bad)
    for number in range(3):
        post_twice(clerk, path, {**said, "job": f"保洁员{number}"})
        row = JobOffer.objects.using("maintenance").order_by("-id")[0]
        assert "评判拒绝就业的理由" in text(reviewer.get("/"))
        shown = post_twice(reviewer, f"/work/{row.pk}/", {"justified": "no", "judgement": "工作合适，没有理由"})
    cut = WorkCut.objects.using("maintenance").get()
    assert "待告知" in shown and "告知拟减发本人份额" in text(clerk.get("/"))
    post_twice(clerk, f"/work/cuts/{cut.pk}/tell/", {})
    approver = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    assert "决定拒绝就业的减发" in text(approver.get("/")) and "/confirm/" in text(
        approver.get(f"/work/cuts/{cut.pk}/")
    )
    shown = post_twice(approver, f"/work/cuts/{cut.pk}/confirm/", {"percent": "100", "reason": "三次拒绝均无理由"})
    assert "执行中" in shown and "减发本人份额 100%" in shown
    assert (
        "拒绝就业的减发" in text(clerk.get(f"/households/{of.pk}/"))
        and text(clerk.get("/work/")).count("已计入减发") == 3
    )
    home = drawing(2)
    dies(home, people_of(home)[-1])
    business_day(date(2021, 10, 5))
    keeper = client_of(Post.CLERK, home.division[:9] + "000")
    page = text(keeper.get("/deaths/"))
    if home.household_no in page:
        assert "2021-08-25" in page and "去世" in text(keeper.get(f"/households/{home.pk}/"))
    assert keeper.get("/deaths/?print=pdf").content.startswith(b"%PDF")


def test_an_appeal_on_pages_with_its_reply_on_paper_case_11(county):
    county("decided")
    of = drawing(1)
    business_day(date(2021, 8, 9))
    township = of.division[:9] + "000"
    clerk, judge = client_of(Post.CLERK, township), client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    path = re.findall(r"/appeals/new/decision/\d+/", text(clerk.get(f"/households/{of.pk}/")))[-1]
    page = text(clerk.get(path))
    assert "60 日内" in page and "县里没有规定申诉期限" in page
    told = {
        "kind": "review",
        "appellant": "张三",
        "relation": "户主本人",
        "told_on": "2021-08-03",
        "text": "收入算得比实际高，要求重新核算",
    }
    bad = clerk.post(path, {**told, "told_on": "", "token": token_of(page)})
    assert bad.status_code == 422 and "什么时候知道" in text(bad)
    shown = post_twice(clerk, path, told)
    assert "期限 2021-10-08" in shown and "办理期间原决定照常执行" in shown
    number = re.search(r"/appeals/(\d+)/", shown.split("经过")[0])
    where = f"/appeals/{number[1]}/" if number else "/appeals/1/"
    assert clerk.get(f"{where}pdf/").status_code == 409
    assert "受理申诉" in text(judge.get("/"))
    post_twice(judge, f"{where}accept/", {"organ": "金寨县人民政府"})
    refused = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    answer = refused.post(
        f"{where}rule/",
        {
            "outcome": "dismissed",
            "ruling": "原决定事实清楚，予以维持",
            "document": "金政复1号",
            "token": token_of(text(refused.get(f"{where}rule/"))),
        },
    )
    assert answer.status_code == 409 and "原决定是您作的" in text(answer)
    post_twice(
        judge,
        f"{where}rule/",
        {"outcome": "upheld", "ruling": "经营收入重复计算，予以核减", "document": "金政复〔2021〕1号"},
    )
    assert "还没有另作决定纠正" in text(judge.get(where)) and "纠正成立的申诉" in text(clerk.get("/"))
    assert clerk.get(f"{where}pdf/").content.startswith(b"%PDF")
    shown = post_twice(clerk, f"{where}told/", {})
    assert "答复书送交申诉人" in shown
    assert "申诉" in text(client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get("/appeals/?state=correct"))
    assert client_of(Post.DEPARTMENT_OFFICER, OfficeKind.WATER).get(where).status_code in (403, 409)
