"""Training and desks from the pages (ORG-07, ORG-08)."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.capacity.models import Attendance, Course, StaffingReport
from huimin.demo.actors import actor
from huimin.organisation.posts import OfficeKind, Post
from tests.workbench.people import client_of

TOWNSHIP = "341524100000"


def text(answer):
    return answer.content.decode()


def token_of(answer):
    return re.search(r'name="token" value="([0-9a-f]{32})"', text(answer))[1]


@pytest.fixture
def officer(county):
    county("screened")
    return client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def test_a_course_from_its_plan_to_its_results_org_07(officer):
    page = officer.get("/training/plan/")
    code, today = (
        re.search(r'name="programmes" value="([\w-]+)"', text(page))[1],
        re.search(r'datetime="([\d-]+)"', text(page))[1],
    )
    told = {
        "token": token_of(page), "title": "惠民政策培训班", "programmes": [code], "taught_for": today, "held_on": today,
        "location": "县会议室", "hours": "1.5", "trainer": "陈科长",
    }  # fmt: skip
    wrong = officer.post("/training/plan/", told | {"hours": "x", "programmes": []})
    assert wrong.status_code == 422 and "学时请填数字" in text(wrong) and "惠民政策培训班" in text(wrong)
    for _ in range(2):
        sent = officer.post("/training/plan/", told)
        assert sent.status_code == 302, text(sent)
    where = f"/training/{Course.objects.using('maintenance').get().pk}/"
    assert "1.5 学时" in text(officer.get(where))
    assert officer.get(where + "sheet/").content.startswith(b"%PDF")
    clerk = actor(Post.CLERK, TOWNSHIP)
    form = officer.get(where + f"?place={TOWNSHIP}")
    done = officer.post(where, {"token": token_of(form), f"result_{clerk.appointment}": "passed"})
    assert "已登记 1 人" in text(officer.get(done["Location"]))
    assert Attendance.objects.using("maintenance").get().account == clerk.account
    pdf = SimpleUploadedFile("讲稿.pdf", b"%PDF-1.7 x")
    sent = officer.post(
        where, {"token": token_of(officer.get(where)), "kind": "material", "title": "讲稿", "file": pdf}
    )
    link = re.search(r"/training/materials/\d+/", text(officer.get(sent["Location"])))[0]
    trained = client_of(Post.CLERK, TOWNSHIP)
    assert trained.get(link).content == b"%PDF-1.7 x" and "惠民政策培训班" in text(trained.get("/training/"))
    refused = trained.post(where, {"token": token_of(officer.get(where)), "kind": "cancel", "reason": "下雨"})
    assert refused.status_code == 409
    assert trained.get("/training/due/?state=due").status_code == 200
    assert officer.get("/training/due/?export=xlsx").status_code == 200
    assert officer.get("/training/?print=pdf").content.startswith(b"%PDF")
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/training/").status_code == 403


def test_a_townships_figures_are_entered_and_checked_org_08(officer):
    clerk = client_of(Post.CLERK, TOWNSHIP)
    page = clerk.get("/staffing/report/")
    told = {
        "token": token_of(page), "year": "2021", "posts": "3", "on_establishment": "1", "others": "2", "cost": "30000",
        "raised": "1000000.00", "note": "",
    }  # fmt: skip
    wrong = clerk.post("/staffing/report/", told | {"cost": "三万", "posts": "-1"})
    assert wrong.status_code == 422 and "核定编制（个）不能小于 0" in text(wrong)
    assert clerk.post("/staffing/report/", told).status_code == 302
    listed = text(officer.get("/staffing/?year=2021"))
    assert "3.00 %" in listed and "少于 2 人" in listed and "没有填报" in listed
    assert "核对乡镇经办力量" in text(officer.get("/"))
    row = StaffingReport.objects.using("maintenance").get()
    form = officer.get(f"/staffing/{row.pk}/")
    back = officer.post(f"/staffing/{row.pk}/", {"token": token_of(form), "outcome": "return", "refusal": ""})
    assert back.status_code == 422
    assert officer.post(f"/staffing/{row.pk}/", {"token": token_of(form), "outcome": "agree"}).status_code == 302
    assert "县已核对" in text(officer.get("/staffing/?year=2021"))
    assert officer.get("/staffing/?year=2021&print=pdf").content.startswith(b"%PDF")
    rule = officer.get("/training/rule/")
    data = {
        "token": token_of(rule),
        "training_days": "30",
        "staff_min": "1",
        "cost_permille": "30",
        "basis": "县文 9 号",
    }
    assert officer.post("/training/rule/", data).status_code == 302
    assert "少于 2 人" not in text(officer.get("/staffing/?year=2021"))
