"""Community review on pages: lists, calling, holding, results, minutes, papers; 一事一议 on a case's page (CASE-01, CASE-03)."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.cases.models import Case
from huimin.demo.clock import business_day
from huimin.meetings.models import CollectiveDecision, Item, Meeting, MeetingScan
from huimin.organisation.posts import OfficeKind, Post
from tests.cases.people import DAY, ask, entering, people
from tests.meetings.people import listed, to_review
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of


@pytest.fixture(autouse=True)
def screened(shared_county):
    shared_county("screened")
    business_day(DAY)


def sent(client, path, data, words):
    """The page sent twice: one act, one outcome, which says `words`."""
    token = token_of(text(client.get(path)))
    answers = [client.post(path, {**data, "token": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302], text(answers[0])[-3000:]
    assert answers[0]["Location"] == answers[1]["Location"]
    shown = text(client.get(answers[0]["Location"]))
    assert words in shown
    return shown


def wrong(client, path, data, words):
    """Refused on the page itself, with everything that was typed."""
    answer = client.post(path, {**data, "token": token_of(text(client.get(path)))})
    assert answer.status_code == 422 and words in text(answer), text(answer)[-3000:]
    return text(answer)


def boxes(page, name):
    return re.findall(rf'name="{name}" value="(\d+)"', page)


def both_forms(client, path):
    book = client.get(f"{path}{'&' if '?' in path else '?'}export=xlsx&purpose=核对")
    assert b"".join(book.streaming_content).startswith(b"PK")
    assert client.get(f"{path}{'&' if '?' in path else '?'}print=pdf").content.startswith(b"%PDF")


def latest(model):
    return model.objects.using("maintenance").order_by("-id").first()


def test_a_village_s_list_is_entered_checked_and_read_sup_06():
    house = entering(nth=0)
    village, township = house.division[:12], house.division[:9] + "000"
    informant, reviewer = client_of(Post.INFORMATION_OFFICER, village), client_of(Post.REVIEWER, township)
    path = f"/meetings/lists/{village}/"
    assert "先填法定代表数" in text(informant.get(path))
    wrong(informant, f"{path}number/", {"number": "1", "valid_from": "2021-1-1", "basis": "报告单"}, "不能小于 3")
    sent(informant, f"{path}number/", {"number": "3", "valid_from": "2021-1-1", "basis": "报告单"}, "法定代表数")
    person = {"name": "汪建国", "group_name": "一组", "valid_from": "2021-1-1", "phone": "160 1234 5678"}
    wrong(informant, f"{path}representative/", {**person, "phone": "手机"}, "不是电话号码")
    shown = sent(informant, f"{path}representative/", person, "汪建国")
    assert "160****5678" in shown and "16012345678" not in shown
    assert "核对居民代表名单" in text(reviewer.get("/"))
    assert "代表 汪建国（一组）" in text(reviewer.get(f"{path}check/"))
    wrong(reviewer, f"{path}check/", {"outcome": "refuse"}, "没有写不予认可的原因")
    assert "已核对" in sent(reviewer, f"{path}check/", {"outcome": "agree"}, "核对意见")
    clerk = client_of(Post.CLERK, township)
    told = {"name": "刘老党员", "kind": "party", "valid_from": "2021-1-1", "household_no": ""}
    sent(clerk, f"{path}supervisor/", told, "老党员")
    look = re.search(r'href="(/meetings/people/representative/\d+/phone/)"', text(informant.get(path)))[1]
    assert "16012345678" in text(informant.post(look, {"purpose": "通知开会"}))
    assert informant.post(look, {"purpose": ""}).status_code == 422
    end = re.search(r'href="(/meetings/people/representative/\d+/end/)"', text(informant.get(path)))[1]
    wrong(informant, end, {"last_day": "2020-1-1", "reason": "换届"}, "早于任职")
    both_forms(informant, path)
    both_forms(client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE), "/meetings/lists/?standing=short")
    assert informant.get(f"/meetings/lists/{entering(nth=1).division[:12]}/").status_code == 404
    sent(informant, end, {"last_day": str(DAY), "reason": "外出务工"}, "卸任")


def test_a_meeting_on_pages_void_first_then_held_and_filed_case_03():
    house = entering(nth=1)
    village, township = house.division[:12], house.division[:9] + "000"
    case = to_review(house)
    informant = client_of(Post.INFORMATION_OFFICER, village)
    assert "召集民主评议会" in text(informant.get("/"))
    path = f"/meetings/convene/{village}/"
    assert "还没有核对过的法定代表数" in text(informant.get(path))
    listed(house, number=30, names=30, relative=True)
    told = {"cases": [case.pk], "meets_on": str(DAY), "meets_at": "15:00", "location": "村委会", "chair": "李明 主任"}
    wrong(informant, path, {**told, "meets_at": "下午"}, "不是时间")
    sent(informant, path, told, "打印通知")
    meeting = latest(Meeting)
    at = f"/meetings/{meeting.pk}/"
    assert f"评议会定在 {DAY}" in text(informant.get(f"/cases/{case.pk}/"))
    for kind in ("invitations", "reading", "sign-in"):
        assert informant.get(f"{at}pdf/{kind}/").content.startswith(b"%PDF"), kind
    assert informant.get(f"{at}pdf/minutes/").status_code == 409 and informant.get(f"{at}pdf/else/").status_code == 404
    item = latest(Item)
    sent(informant, f"/meetings/items/{item.pk}/hardship/", {"text": "两位老人，没有劳动力"}, "两位老人")
    assert "登记评议会签到" in text(informant.get("/"))
    page = text(informant.get(f"{at}hold/"))
    reps, cadres = boxes(page, "listed"), boxes(page, "cadres")
    assert len(reps) == 31 and cadres
    few = {"listed": reps[:10], "cadres": cadres[:1], "outcome": "held"}
    kept = wrong(informant, f"{at}hold/", few, "不足法定代表数 30 人的三分之二（20 人）")
    assert kept.count("checked") == 11, "what was ticked stays"
    shown = sent(informant, f"{at}hold/", {**few, "outcome": "void", "words": "下雨路断"}, "已登记会议不成立")
    assert "下雨路断" in shown and informant.get(f"{at}pdf/minutes/").content.startswith(b"%PDF")
    assert "还没有开评议会" in text(informant.get(f"/cases/{case.pk}/"))
    _held_again(house, informant, case, path, told)
    assert client_of(Post.REVIEWER, township).get("/meetings/?state=void").status_code == 200


def _held_again(house, informant, case, path, told):
    sent(informant, path, told, "已召集")
    meeting, item = latest(Meeting), latest(Item)
    at, of = f"/meetings/{meeting.pk}/", f"/meetings/items/{item.pk}/"
    page = text(informant.get(f"{at}hold/"))
    sent(
        informant,
        f"{at}hold/",
        {"listed": boxes(page, "listed"), "others": "王明 包村干部", "outcome": "held"},
        "会议有效",
    )
    assert "登记评议结果、定稿" in text(informant.get("/"))
    form = text(informant.get(of))
    assert "须回避，没有表决权" in form and "有表决权的到会代表 29 人" in form
    four = {name: re.search(rf'name="{name}".*?</select>', form, re.S)[0] for name in ("scrutineer", "overseer")}
    choices = re.findall(r'value="(\d+)"', four["scrutineer"])
    vote = {
        "how": "vote", "words": "多数同意", "ballots": "40", "in_favour": "40", "against": "0", "abstained": "0",
        "scrutineer": choices[0], "caller": choices[1], "counter": choices[2], "overseer": re.findall(r'value="(\d+)"', four["overseer"])[0],
    }  # fmt: skip
    kept = wrong(informant, of, vote, "发出 40 票，有表决权的代表只有 29 人")
    assert 'value="40"' in kept and "多数同意" in kept, "what was typed stays"
    wrong(
        informant,
        of,
        {**vote, "ballots": "29", "in_favour": "20", "against": "5", "abstained": "3"},
        "不等于发出的 29 票",
    )
    wrong(informant, of, {"how": "vote", "words": "同意"}, "请填写发出票数")
    wrong(informant, of, {"how": "consensus", "words": "同意"}, "请选择评议结果")
    right = vote | {"ballots": "28", "in_favour": "20", "against": "5", "abstained": "3", f"near_{choices[9]}": "侄子"}
    shown = sent(informant, of, right, "评议通过")
    assert "20 : 5 : 3" in shown and "可投 28" in shown
    sent(informant, f"{of}take-back/", {}, "请重新登记评议结果")
    sent(informant, of, right, "评议通过")
    sent(informant, f"{at}minutes/", {"words": "逐户宣读，投票决定。", "recorder": "王芳 文书"}, "已定稿")
    assert informant.get(f"{at}pdf/minutes/").content.startswith(b"%PDF")
    sent(informant, f"{at}correct/", {"text": "地点应为老村部"}, "更正说明")
    upload = {"kind": "minutes", "file": SimpleUploadedFile("会议记录.pdf", b"%PDF-1.4 signed"), "token": "1" * 32}
    assert informant.post(f"{at}scan/", upload).status_code == 302
    assert informant.get(f"/meetings/scans/{latest(MeetingScan).pk}/").content == b"%PDF-1.4 signed"
    bad = informant.post(f"{at}scan/", {"kind": "photo", "file": SimpleUploadedFile("x.pdf", b"MZ"), "token": "2" * 32})
    assert bad.status_code == 422 and "不是 JPG" in text(bad)
    both_forms(informant, "/meetings/")
    both_forms(informant, "/meetings/waiting/")
    beside = text(informant.get(f"/cases/{case.pk}/"))
    assert "评议通过，投票，赞成 20、反对 5、弃权 3" in beside
    sent(informant, f"/cases/{case.pk}/pass/", {}, "已办完这一步")


def test_a_contested_result_is_on_the_township_s_desk_until_it_was_looked_into_case_03():
    house = entering(nth=2)
    village, township = house.division[:12], house.division[:9] + "000"
    case = to_review(house)
    listed(house)
    informant, reviewer = client_of(Post.INFORMATION_OFFICER, village), client_of(Post.REVIEWER, township)
    told = {"cases": [case.pk], "meets_on": str(DAY), "meets_at": "9:00", "location": "村委会", "chair": "李明 主任"}
    sent(informant, f"/meetings/convene/{village}/", told, "已召集")
    meeting, item = latest(Meeting), latest(Item)
    at, of = f"/meetings/{meeting.pk}/", f"/meetings/items/{item.pk}/"
    page = text(informant.get(f"{at}hold/"))
    sent(
        informant,
        f"{at}hold/",
        {"listed": boxes(page, "listed"), "cadres": boxes(page, "cadres")[:1], "outcome": "held"},
        "有效",
    )
    against = {"how": "consensus", "outcome": "disagreed", "words": "都说他家不困难"}
    wrong(informant, of, against, "评议结果与认定不一致")
    sent(informant, of, {**against, "reasons": "儿子在外做生意"}, "与认定不一致")
    sent(informant, f"{at}minutes/", {"words": "一致不同意。", "recorder": "王芳 文书"}, "等乡镇核查")
    assert "核查评议结果" in text(reviewer.get("/"))
    refused = informant.post(
        f"/cases/{case.pk}/pass/", {"token": token_of(text(informant.get(f"/cases/{case.pk}/pass/")))}
    )
    assert refused.status_code == 409 and "等乡镇核查" in text(refused)
    wrong(reviewer, f"{of}inquiry/", {"conclusion": "stands", "text": "属实"}, "没有写核查报告")
    report = {"conclusion": "stands", "text": "查了车管和工商，走访邻居，没有发现收入和车辆。"}
    sent(reviewer, f"{of}inquiry/", report, "认定属实，继续办理")
    assert "核查评议结果" not in text(reviewer.get("/"))
    department = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    assert "乡镇核查：认定属实" in text(department.get(f"/cases/{case.pk}/"))
    assert department.get(at).status_code == 403
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/meetings/").status_code == 403
    assert client_of(Post.INFORMATION_OFFICER, entering(nth=3).division[:12]).get(at).status_code == 404


def test_collective_decision_on_the_case_s_page_case_01():
    house = entering(nth=3)
    case = ask(house, people(house)[Post.CLERK], missing=("户口簿",))
    clerk = client_of(Post.CLERK, house.division[:9] + "000")
    path = f"/cases/{case.pk}/collective/"
    assert path in text(clerk.get(f"/cases/{case.pk}/"))
    told = {
        "held_on": str(DAY), "location": "乡政府", "officials": "张明 乡长\n李红 主任\n王强 干部", "unverified": "户口簿在外地补办",
        "no_fault": "派出所系统升级，暂不能补", "hardship": "断粮，无处居住", "minutes": "一致同意。", "in_favour": "2", "against": "1",
        "abstained": "0", "conclusion": "settled", "basis": "县 5 号文",
    }  # fmt: skip
    wrong(clerk, path, told, "没有写集体认定了什么")
    wrong(clerk, path, {**told, "conclusion": "relief"}, "请填写急难情形")
    sent(clerk, path, {**told, "findings": "户口在本村三组，三口人，凭村组证明"}, "集体认定：户口在本村三组")
    paper = clerk.get(f"/cases/collective/{latest(CollectiveDecision).pk}/pdf/")
    assert paper.content.startswith(b"%PDF")
    assert Case.objects.using("maintenance").get(pk=case.pk).state == "papers"


def test_the_rule_about_votes_is_the_county_s_case_03():
    officer = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    clerk = client_of(Post.CLERK, entering(nth=4).division[:9] + "000")
    assert "村民委员会组织法第26条" in text(clerk.get("/meetings/rule/")) and "改规定" not in text(
        clerk.get("/meetings/rule/")
    )
    wrong(officer, "/meetings/rule/", {"majority": "two_thirds", "overseer": "supervisor"}, "请填写依据")
    sent(
        officer,
        "/meetings/rule/",
        {"majority": "two_thirds", "overseer": "supervisor", "basis": "县 8 号文"},
        "三分之二以上",
    )
    refused = clerk.post(
        "/meetings/rule/", {"majority": "half", "overseer": "supervisor", "basis": "x 号文", "token": "0" * 32}
    )
    assert refused.status_code in (403, 409)
