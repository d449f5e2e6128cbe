"""A campaign on pages: planned, opened, judged one by one and many at once, checked, reported, printed (CASE-10, SEC-03, SEC-04)."""

from datetime import date

from huimin.demo import dates
from huimin.demo.actors import COUNTY
from huimin.demo.quarter import County
from huimin.demo.rectifying import rectify
from huimin.organisation.posts import OfficeKind, Post
from huimin.rectification.models import Campaign, Item, Pick, Submission, TypicalCase
from tests.rectification.people import granted_but, items, visit, went
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice


def plan_page():
    told = {
        "title": "2021 年农村低保专项整治", "document_no": "示例民发〔2021〕9 号", "basis": "日政办发〔2018〕95号（样式）", "aim": "", "division": COUNTY,
        "programmes": "dibao-rural", "percent": "30", "report_day": "25", "interim_on": "2021-08-31", "summary_on": "2021-10-20",
        "sent_to": "市民政局（示例）", "group": "组长 张三 县人民政府\n办公室主任 李四 县民政局",
    }  # fmt: skip
    days = (
        "2021-07-01",
        "2021-07-15",
        "2021-07-16",
        "2021-08-31",
        "2021-09-01",
        "2021-09-30",
        "2021-10-01",
        "2021-10-31",
    )
    names = [f"phase{n}_{end}" for n in range(1, 5) for end in ("from", "to")]
    return told | dict(zip(names, days, strict=True))


def test_a_campaign_is_planned_opened_and_carried_out_on_its_pages_case_10(county):
    county("screened")
    granted_but()
    officer, approver = (
        client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS),
        client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS),
    )
    assert "还没有专项整治" in text(approver.get("/rectifications/"))
    page = text(officer.get("/rectifications/plan/"))
    assert "动员部署开始" in page and 'value="grain-one-off"' not in page
    wrong = officer.post(
        "/rectifications/plan/", plan_page() | {"group": "张三", "percent": "10", "token": token_of(page)}
    )
    assert (
        wrong.status_code == 422 and "请写成“组长 张三 县人民政府”" in text(wrong) and "请填写 30 至 100" in text(wrong)
    )
    assert "由部门审批启动后" in post_twice(officer, "/rectifications/plan/", plan_page())
    campaign = Campaign.objects.using("maintenance").get()
    path = f"/rectifications/{campaign.pk}/"
    assert "修改方案" in text(officer.get(path)) and f"{path}act/open/" in text(approver.get(path))
    assert "启动专项整治" in text(approver.get("/"))
    assert "名单已冻结" in post_twice(approver, f"{path}act/open/", {})
    shown = text(approver.get(path))
    assert "组织实施" in shown and "冻结名单" in shown and "张三" in shown
    item = items(campaign, origin="held")[0]
    township, village = item.division[:9] + "000", item.division[:12]
    clerk, reviewer = client_of(Post.CLERK, township), client_of(Post.REVIEWER, township)
    assert "专项整治入户核查" in text(clerk.get("/")) and "专项整治入户核查" in text(
        client_of(Post.INFORMATION_OFFICER, village).get("/")
    )
    listed = text(clerk.get(f"{path}items/"))
    assert (
        item.household.household_no in listed and 'type="checkbox" class="box" name="id"' not in listed
    )  # nobody was visited yet
    one = f"/rectifications/items/{item.pk}/"
    assert "还没有入户记录" in text(clerk.get(one))
    told = {"result": "leave", "grounds": "儿子有固定工资", "evidence": "核对报告 1 号"}
    refused = clerk.post(f"{one}result/", told | {"token": token_of(text(clerk.get(f"{one}result/")))})
    assert refused.status_code == 409 and "入户核查率 100%" in text(refused)
    visit(item, went(item), on=date(2021, 7, 5))
    wrong = clerk.post(f"{one}result/", {"result": "increase", "to_fen": "很多", "token": "0" * 32})
    assert wrong.status_code == 422 and "350.00 的样子" in text(wrong) and "请填写理由" in text(wrong)
    assert "已登记核查结果" in post_twice(clerk, f"{one}result/", told)
    assert (
        clerk.get(f"{one}review/").status_code == 200
        and clerk.post(f"{one}review/", {"token": "1" * 32}).status_code == 409
    )
    assert "复核专项整治结果" in text(reviewer.get("/"))
    assert "复核同意 1 户" in post_twice(reviewer, f"{path}items/?state=found", {"id": [item.pk]})
    shown = text(reviewer.get(one))
    assert "已复核" in shown and "待执行" in shown and "核对报告 1 号" in shown
    assert "儿子有固定工资" in text(officer.get(f"{path}people/"))
    assert text(clerk.get(f"{path}summary/?part=results")).count("清退") > 1
    act = f"{path}notices/{village}/dibao-rural/publish/"
    told = reviewer.post(act, {"token": token_of(text(reviewer.get(act)))})
    assert told.status_code in (409, 422) and ("没有要公示的户" in text(told) or "没有复核" in text(told))
    for kind in ("export=xlsx&purpose=上报", "print=pdf"):
        assert officer.get(f"{path}summary/?{kind}").status_code == 200
        assert officer.get(f"{path}people/?{kind}").status_code == 200
    for county_only in ("checks/", "cases/", "reports/"):
        assert clerk.get(f"{path}{county_only}").status_code == 403
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    assert farmers.get(path).status_code == 409 and campaign.title not in text(farmers.get("/rectifications/"))
    refused = approver.post(f"{path}act/close/", {"summary": "全部完成，没有问题，继续巩固成果", "token": "2" * 32})
    assert refused.status_code == 409 and "还不能结束" in text(refused)


def test_the_demonstration_s_campaign_fills_every_page_and_repeats_without_effect_case_10(county, tmp_path):
    county("decided")
    made = County(people=1000, seed=1, home=tmp_path)
    assert rectify(made) == rectify(made)
    campaign = Campaign.objects.using("maintenance").get()
    officer, approver = (
        client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS),
        client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS),
    )
    path = f"/rectifications/{campaign.pk}/"
    picked = Pick.objects.using("maintenance").filter(picked=True)
    checks = text(officer.get(f"{path}checks/"))
    assert picked[0].number in checks and "SHA-256" in checks
    case, sent = (
        TypicalCase.objects.using("maintenance").get(),
        Submission.objects.using("maintenance").order_by("id").last(),
    )
    assert "王某（虚构）" in text(officer.get(f"{path}cases/")) and "县纪委监委" in text(
        officer.get(f"/rectifications/cases/{case.pk}/")
    )
    new = {
        "kind": "idle",
        "place": COUNTY,
        "found_on": str(dates.CLOSED),
        "source": "",
        "involved": "李某",
        "position": "某科",
        "facts": "推诿",
    }
    wrong = officer.post(f"{path}cases/new/", new | {"token": "3" * 32})
    assert wrong.status_code == 422 and "请填写线索来源" in text(wrong) and "请选择：问题类型" in text(wrong)
    new |= {"kind": "conduct", "source": "群众来信"}
    wrong = officer.post(f"{path}cases/new/", new | {"item": "123", "token": "3" * 32})
    assert wrong.status_code == 422 and "名单上没有编号 123" in text(wrong)
    number = picked[0].number
    assert "已登记案例" in post_twice(officer, f"{path}cases/new/", new | {"item": number})
    assert "逾期没有报" in text(approver.get(f"{path}reports/")) and "报送2021年9月典型案例月报" in text(
        approver.get("/")
    )
    assert "王某（虚构）" in text(approver.get(f"/rectifications/reports/{sent.pk}/"))
    assert "已登记签收" in post_twice(
        officer,
        f"/rectifications/reports/{sent.pk}/receipt/",
        {"receiver": "市民政局", "received_on": str(dates.CLOSED)},
    )
    assert "已报送2021年9月" in post_twice(approver, f"{path}reports/monthly/202109/", {})
    assert "阶段工作总结" in post_twice(
        approver, f"{path}reports/interim/whole/", {"text": "入户核查过半，问题正在整改，下一步加快进度"}
    )
    interim = Submission.objects.using("maintenance").get(kind="interim")
    for number in (sent.pk, interim.pk):
        assert approver.get(f"/rectifications/reports/{number}/pdf/").content.startswith(b"%PDF")
    assert "报送时的汇总表" in text(approver.get(f"/rectifications/reports/{interim.pk}/"))
    assert approver.get(f"{path}reports/monthly/209913/").status_code == 404
    item = Item.objects.using("maintenance").filter(state="found").first() or Item.objects.using("maintenance").first()
    assert item.household.household_no in text(officer.get(f"/rectifications/items/{item.pk}/"))
    supervisor = client_of(Post.SUPERVISOR, OfficeKind.AUDIT)
    assert supervisor.get(f"{path}cases/").status_code == 200
    assert "冻结名单" in text(supervisor.get(path)) and supervisor.get(f"{path}items/?print=pdf").content.startswith(
        b"%PDF"
    )
