"""Field work on pages: surveys, monitoring points, letters, warnings (REG-06, REG-09, ORG-03, ORG-04)."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.demo.clock import business_day
from huimin.fieldwork.models import Assignment, Campaign, PointNote, PointReport, Signal, SurveyForm, Visit
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household
from tests.fieldwork.people import homes, other_village, village
from tests.fieldwork.test_watching import facts, grown
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of

ON = date(2021, 7, 20)


def county_officer():
    return client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def township(post):
    return client_of(post, village()[:9] + "000")


def informant():
    return client_of(Post.INFORMATION_OFFICER, village())


def sent(client, path, data, **more):
    """The page sent twice: one act, one outcome."""
    token = token_of(text(client.get(path)))
    answers = [client.post(path, {**data, "token": token, **{k: v() for k, v in more.items()}}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302], text(answers[0])
    assert answers[0]["Location"] == answers[1]["Location"]
    return text(client.get(answers[0]["Location"]))


def wrong(client, path, data, words):
    answer = client.post(path, {**data, "token": token_of(text(client.get(path)))})
    assert answer.status_code == 422 and words in text(answer), text(answer)[-2000:]


def both_forms(client, path, rows):
    """The workbook and the paper of a list."""
    book = client.get(f"{path}{'&' if '?' in path else '?'}export=xlsx&purpose=核对")
    assert b"".join(book.streaming_content).startswith(b"PK"), rows
    paper = client.get(f"{path}{'&' if '?' in path else '?'}print=pdf")
    assert paper.content.startswith(b"%PDF")


def test_the_survey_from_opening_to_closing_reg_06(county):
    county("registered")
    business_day(ON)
    officer, visitor = county_officer(), informant()
    assert "还没有开展过普查" in text(visitor.get("/campaigns/"))
    told = {"year": "2021", "whom": "all", "starts_on": "2021-7-1", "deadline": "2021-9-30"}
    wrong(officer, "/campaigns/open/", {**told, "year": "x"}, "年度请填四位数字")
    wrong(officer, "/campaigns/open/", {**told, "deadline": "2021-6-1"}, "日期不成立")
    assert "2021 年度家庭基本信息普查" in sent(officer, "/campaigns/open/", told)
    campaign = Campaign.objects.using("maintenance").get()
    assert visitor.get("/campaigns/open/").status_code == 403
    assert "入户调查" in text(visitor.get("/")) and "入户调查" in text(township(Post.CLERK).get("/"))
    path, home = f"/campaigns/{campaign.pk}/households/", homes(village())
    shown = text(visitor.get(path))
    assert shown.count('name="id"') == len(home)
    form = {"surveyed_on": "2021-7-19", "surveyors": "甲、乙", "evidence": "村存第1册"}
    wrong(visitor, path, {**form, "surveyors": ""}, "请填写入户的人")
    assert "登记了 2 户" in sent(visitor, path, {**form, "id": home[:2]})
    assert SurveyForm.objects.using("maintenance").count() == 2
    assert text(visitor.get(path)).count('name="id"') == len(home) - 2
    assert text(visitor.get(f"{path}?standing=done")).count("已调查</span>") == 2
    both_forms(visitor, f"{path}?standing=due", len(home))
    for level in ("township", "village", "officer"):
        assert "应调查" in text(officer.get(f"/campaigns/?level={level}"))
    both_forms(officer, "/campaigns/?level=officer", 1)
    closing = f"/campaigns/{campaign.pk}/close/"
    early = officer.post(closing, {"summary": "还早", "token": token_of(text(officer.get(closing)))})
    assert early.status_code in (409, 422)
    business_day(date(2021, 10, 8))
    assert "结束普查" in text(officer.get("/"))
    assert text(visitor.get(f"{path}?standing=overdue")).count('name="id"') == len(home) - 2
    assert "普查已结束" in sent(officer, closing, {"summary": "其余外出务工，年内补齐"})
    assert 'name="id"' not in text(visitor.get(path))
    assert "年内补齐" in text(visitor.get(f"/campaigns/{campaign.pk}/"))


def filled(page):
    """What stands in the fields of a survey form."""
    found = dict(re.findall(r'<input[^>]*name="([hp][^"]*)"[^>]*value="([^"]*)"', page))
    for name, options in re.findall(r'<select[^>]*name="([hp][^"]*)"(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)"[^>]*selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def test_a_form_without_changes_is_a_form_reg_06(county):
    """What the survey page says of a household that is as registered: surveyed, nothing to change."""
    county("registered")
    clerk, home = township(Post.CLERK), homes(village())[0]
    path = f"/households/{home}/survey/"
    data = {"effective_on": "2021-6-21", "evidence": "基本信息表第 3 册", "gaps": "on"}
    fields = filled(text(clerk.get(path)))
    check = clerk.post(path, {**fields, **data, "stage": "check"})
    assert check.status_code == 200, text(check)[:3000]
    done = clerk.post(path, {**fields, **data, "stage": "do", "token": token_of(text(check))})
    assert done.status_code == 302 and "与登记一致" in text(clerk.get(done["Location"]))
    [row] = SurveyForm.objects.using("maintenance").all()
    assert (row.household_id, row.outcome, row.evidence) == (home, "same", "基本信息表第 3 册")


def test_a_note_from_the_phone_to_the_answer_and_the_report_org_04(county):
    county("registered")
    business_day(ON)
    visitor, clerk, head, officer = informant(), township(Post.CLERK), township(Post.TOWNSHIP_HEAD), county_officer()
    number = Household.objects.using("maintenance").get(pk=homes(village())[0]).household_no
    told = {
        "kind": "housing", "text": "王家屋顶漏雨，无力修缮", "happened_on": "2021-7-19", "household_no": number, "evidence": "照片",
        "asks": "yes", "urgent": "yes",
    }  # fmt: skip
    wrong(visitor, "/points/new/", {**told, "text": ""}, "请填写情况")
    wrong(visitor, "/points/new/", {**told, "household_no": "999"}, "没有这一户")
    assert "已记下" in sent(visitor, "/points/new/", told)
    note = PointNote.objects.using("maintenance").get()
    assert clerk.get("/points/new/").status_code == 403
    path = f"/points/{note.pk}/"
    assert "报上一级" not in text(visitor.get(path)), "the village waits"
    assert "答复民生问题" in text(clerk.get("/")) and "答复民生问题" not in text(officer.get("/"))
    wrong(clerk, path, {"act": "answer", "answer": ""}, "请填写答复")
    assert "已上转" in sent(clerk, path, {"act": "up", "reason": "乡镇没有危房指标"})
    assert "答复民生问题" in text(officer.get("/"))
    assert "已答复" in sent(officer, path, {"act": "answer", "answer": "追加一户指标，九月动工"})
    assert "追加一户指标" in text(visitor.get(path)), "who recorded it sees the answer"
    both_forms(officer, "/points/?kind=housing", 1)
    assert "各地民生信息" in text(officer.get("/points/places/"))
    early = visitor.post("/points/reports/2021/3/", {"token": token_of(text(visitor.get("/points/reports/2021/3/")))})
    assert early.status_code == 409 and "还没有到上报的时候" in text(early)
    business_day(date(2021, 9, 28))
    assert "上报监测信息" in text(visitor.get("/"))
    assert "已上报 1 条" in sent(visitor, "/points/reports/2021/3/", {"text": "本季平稳"})
    assert "已上报 1 条" in sent(head, "/points/reports/2021/3/", {"text": ""})
    upper = PointReport.objects.using("maintenance").get(level=9)
    both_forms(head, f"/points/reports/{upper.pk}/", 1)
    business_day(date(2021, 10, 8))
    assert "逾期未报" in text(officer.get("/points/reports/?quarter=2021Q3"))
    assert "逾期未报" in text(head.get("/points/reports/?quarter=2021Q3"))
    assert client_of(Post.INFORMATION_OFFICER, other_village()).get(path).status_code == 404


def test_letters_from_assigning_to_ending_org_03(county):
    county("registered")
    business_day(ON)
    officer, head = county_officer(), township(Post.TOWNSHIP_HEAD)
    place = village()[:9] + "000"
    told = {
        "kind": "letter", "division": place, "household_no": "", "name": "王建国", "title": "副县长", "office": "县人民政府",
        "duties": "包宣传发动", "letter_no": "责〔2021〕1 号", "valid_from": "2021-1-1", "last_day": "2021-12-31",
    }  # fmt: skip
    wrong(officer, "/letters/new/", {**told, "division": ""}, "请选择一个地方")
    wrong(officer, "/letters/new/", {**told, "last_day": "2020-1-1"}, "终止日期早于开始日期")
    assert "已指派" in sent(officer, "/letters/new/", told)
    row = Assignment.objects.using("maintenance").get()
    path = f"/letters/{row.pk}/"
    assert officer.get(f"{path}pdf/").content.startswith(b"%PDF")
    assert "上传签字的责任书" not in text(head.get(path)), "nobody keeps his own"
    wrong(officer, path, {"signed_on": "2021-7-20"}, "没有选文件")
    pdf = {"file": lambda: SimpleUploadedFile("责任书.pdf", b"%PDF-1.4 signed")}
    assert "已登记签字的责任书" in sent(officer, path, {"signed_on": "2021-7-20"}, **pdf)
    assert officer.get(f"{path}scan/").content == b"%PDF-1.4 signed"
    assert "指派责任人" in text(officer.get("/")) and "指派责任人" in text(head.get("/"))
    for page in ("/letters/", "/letters/people/", "/letters/gaps/"):
        both_forms(officer, page, 1)
    assert "王建国的责任清单" in text(officer.get("/letters/?name=王建国"))
    home = Household.objects.using("maintenance").get(pk=homes(village())[0]).household_no
    mine = {**told, "division": "", "household_no": home, "name": "张芳", "kind": "care"}
    assert "已指派" in sent(informant(), "/letters/new/", mine)
    assert "已终止" in sent(officer, path, {"act": "end", "last_day": "2021-7-20", "reason": "工作调动"})
    again = officer.post(path, {"act": "end", "last_day": "2021-7-20", "reason": "再终止", "token": "0" * 32})
    assert again.status_code == 409


def test_a_warning_from_the_change_to_the_end_reg_09(county):
    county("adopted")
    business_day(ON)
    officer, clerk, visitor = county_officer(), township(Post.CLERK), informant()
    for bad, words in (
        ({"code": "visit_days", "value": "七", "basis": "县民政局 8 号"}, "数值请填数字"),
        ({"code": "visit_days", "value": "1.5", "basis": "县民政局 8 号"}, "请填整数"),
        ({"code": "visit_days", "value": "900", "basis": "县民政局 8 号"}, "数值超出范围"),
    ):
        wrong(officer, "/signals/rules/", bad, words)
    sent(officer, "/signals/rules/", {"code": "visit_days", "value": "7", "basis": "县民政局 2021 年 8 号"})
    assert "10,000.00" in sent(
        officer, "/signals/rules/", {"code": "medical_fen", "value": "10,000", "basis": "县民政局 2021 年 8 号"}
    )
    _, person = grown(village())[0]
    facts(person, date(2021, 7, 1), employed=True, wage_month=300_000)
    facts(person, date(2021, 7, 10), employed=False)
    page = text(clerk.get("/signals/"))
    ran = clerk.post("/signals/run/", {"token": token_of(page)})
    assert "失业 1 条" in text(clerk.get(ran["Location"]))
    signal = Signal.objects.using("maintenance").get(kind="job", person=person)
    assert "就业，月工资 3,000.00 元 → 未就业" in text(clerk.get("/signals/?kind=job"))
    assert "指派预警走访" in text(clerk.get("/"))
    assert "已指派 1 条" in sent(clerk, "/signals/?kind=job", {"id": [signal.pk], "due_on": ""})
    assert "走访预警户" in text(visitor.get("/"))
    path = f"/signals/{signal.pk}/"
    visit = {
        "act": "visit",
        "visited_on": "2021-7-20",
        "visitors": "甲\n乙",
        "result": "零工为生，需要帮助",
        "next_on": "",
    }
    wrong(visitor, path, {**visit, "visitors": " "}, "请填写走访人")
    assert "已登记走访" in sent(visitor, path, visit)
    assert Visit.objects.using("maintenance").count() == 1
    beside = f"/households/{signal.household_id}/"
    assert "预警：失业" in text(clerk.get(beside))
    assert "预警：失业" not in text(client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get(beside)), (
        "illness is not for who only watches"
    )
    wrong(clerk, path, {"act": "close", "reason": "helped", "programme": "", "note": ""}, "没有选帮扶的项目")
    assert "已办结" in sent(
        clerk, path, {"act": "close", "reason": "helped", "programme": "dibao-rural", "note": "已申请"}
    )
    for page in ("/signals/?standing=closed", "/low-income/", "/low-income/places/"):
        both_forms(officer, page, 1)
    assert "没有这样的预警" in text(client_of(Post.INFORMATION_OFFICER, other_village()).get("/signals/?only="))


@pytest.mark.parametrize(
    "path", ["/campaigns/", "/points/", "/points/reports/", "/letters/", "/signals/", "/low-income/", "/signals/rules/"]
)
def test_field_pages_are_closed_to_others_sec_02(shared_county, path):
    shared_county("registered")
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get(path).status_code == 403
    assert client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE).get(path).status_code == 403
    supervisor = client_of(Post.SUPERVISOR, OfficeKind.AUDIT).get(path).status_code
    assert supervisor == (403 if path.startswith(("/signals", "/low-income")) else 200)
