"""Applications on pages: asked, told, accepted, every step offered to who may, printed and exported (CASE-01, CASE-05, SVC-01)."""

import re
from datetime import timedelta

import pytest

from huimin.cases.models import Case
from huimin.cases.queries import list_speeds, list_waiting, load_by_office
from huimin.cases.taking import take_step
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.papers.cases import NoSuchPaper, case_pdf
from huimin.telling.models import Letter
from tests.cases.people import ALL_RECORDS, DAY, PROGRAMME, ask, entering, people, records, walk
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice


def test_an_application_at_the_desk_told_supplied_accepted_and_printed_case_01(county):
    county("screened")
    house = entering()
    township = house.division[:9] + "000"
    clerk = client_of(Post.CLERK, township)
    assert f"/cases/ask/{house.pk}/" in text(clerk.get(f"/households/{house.pk}/"))
    assert "农村低保" in text(clerk.get(f"/cases/ask/{house.pk}/")) or "最低生活保障" in text(
        clerk.get(f"/cases/ask/{house.pk}/")
    )
    path = f"/cases/ask/{house.pk}/{PROGRAMME}/"
    page = text(clerk.get(path))
    assert "户口簿" in page and "系统筛查建议这一户纳入" in page
    bad = clerk.post(path, {"channel": "proxy", "papers": ["户口簿"], "token": token_of(page)})
    assert bad.status_code == 422 and "代办没有写代办人和委托" in text(bad)
    shown = post_twice(
        clerk, path, {"channel": "desk", "story": "丈夫去世，两个孩子上学", "papers": ["户口簿"], "proposal": "yes"}
    )
    assert "一次性告知" in shown and "还缺材料" in shown
    case = Case.objects.using("maintenance").get()
    assert (case.state, case.proposal_id is not None) == ("papers", True)
    assert f'正在办理：<a href="/cases/{case.pk}/">' in text(clerk.get(path))
    by = people(house)[Post.CLERK]
    printed = {"by": by, "on": DAY, "case_id": case.pk, "address": "http://127.0.0.1/cases/1/"}
    assert case_pdf(kind="missing", **printed).startswith(b"%PDF")
    assert case_pdf(kind="declaration", **printed).startswith(b"%PDF")  # what is to be signed, VER-01
    with pytest.raises(NoSuchPaper):
        case_pdf(kind="slip", **printed)
    lacking = re.findall(r'name="papers" value="([^"]+)"', text(clerk.get(f"/cases/{case.pk}/supply/")))
    shown = post_twice(clerk, f"/cases/{case.pk}/supply/", {"papers": lacking, "declared_on": str(DAY)})
    assert "打印受理通知书" in shown and "现在：入户调查" in shown and "<svg" in shown
    answer = clerk.get(f"/cases/{case.pk}/pdf/slip/")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert clerk.get(f"/cases/{case.pk}/pdf/else/").status_code == 404
    refused = clerk.post(f"/cases/{case.pk}/pass/", {"token": token_of(text(clerk.get(f"/cases/{case.pk}/pass/")))})
    assert refused.status_code == 409 and "入户调查" in text(refused)
    head = text(client_of(Post.TOWNSHIP_HEAD, township).get(f"/cases/{case.pk}/"))
    assert "轮到" not in head or "移交" in head
    assert "办完，转下一步" not in head


def test_each_desk_sees_what_waits_for_it_by_deadline_and_the_office_above_what_is_late_case_05(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="乡镇审核")
    due = on + timedelta(days=7)
    assert case.step_due_on == due
    with reading(who[Post.REVIEWER]):
        [row] = list_waiting(who[Post.REVIEWER], due + timedelta(days=2))
        assert (row.step, row.count, row.late, row.earliest) == ("乡镇审核", 1, 1, due)
    with reading(who[Post.SETTLEMENT]):
        assert list_waiting(who[Post.SETTLEMENT], due) == []
    with reading(county_officer()):
        [load] = load_by_office("341524", due)
        assert (load.count, load.late, load.today, load.level) == (1, 0, 1, 9)
        assert load_by_office("341524", due + timedelta(days=5))[0].latest_days == 5
    business_day(due + timedelta(days=2))
    township = house.division[:9] + "000"
    reviewer = client_of(Post.REVIEWER, township)
    assert "乡镇审核" in text(reviewer.get("/")) and "已超期 1 件" in text(reviewer.get("/"))
    assert case.number in text(reviewer.get("/cases/?mine=yes&due=late"))
    assert case.number not in text(reviewer.get("/cases/?mine=yes&due=today"))
    overseer = client_of(Post.TOWNSHIP_HEAD, township)
    assert "督办超期的申请" in text(overseer.get("/"))
    times = text(client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE).get("/cases/times/"))
    assert case.number in times and "最长超期" in times
    book = reviewer.get("/cases/?export=xlsx&purpose=核对")
    assert book.status_code == 200 and "spreadsheet" in book["Content-Type"]
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/cases/").status_code == 403


def test_a_case_decided_is_timed_by_programme_and_place_case_05(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who)
    with reading(county_officer()):
        [row] = list_speeds("341524", DAY)
        assert (row.count, row.worst, row.worst_case, row.programme) == (1, (on - DAY).days, case.pk, PROGRAMME)
    approver = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    shown = text(approver.get(f"/cases/{case.pk}/"))
    assert "已批准" in shown and shown.count("签名摘要") >= 10
    farmers = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)
    assert farmers.get(f"/cases/{case.pk}/").status_code in (403, 404, 409)
    assert case.number not in text(farmers.get("/cases/?state=granted"))
    informant = client_of(Post.INFORMATION_OFFICER, house.division[:12])
    assert "已批准" in text(informant.get(f"/cases/{case.pk}/"))


def test_a_refusal_waits_to_be_told_case_11(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="乡镇审核")
        take_step(
            by=who[Post.REVIEWER], on=on, case_id=case.pk, step="乡镇审核", outcome="refused", reason="家庭财产超过规定"
        )
    clerk = client_of(Post.CLERK, house.division[:9] + "000")
    business_day(on)
    assert "制作不予批准告知书" in text(clerk.get("/"))
    shown = text(clerk.get(f"/cases/{case.pk}/"))
    assert "不予批准告知书" in shown and "登记告知" not in shown
    letter = Letter.objects.using("maintenance").get(household=house)
    assert "已制作告知书" in post_twice(clerk, f"/told/letters/{letter.pk}/", {"act": "write"})
    assert "送达不予批准告知书" in text(clerk.get("/"))
    told = {"how": "signed", "delivered_on": str(on), "receiver": "", "note": ""}
    assert "已登记送达" in post_twice(clerk, f"/told/letters/{letter.pk}/", told)
    assert "不予批准告知书" not in text(clerk.get("/")) and "已告知申请人结果" in text(clerk.get(f"/cases/{case.pk}/"))


def test_a_village_s_list_is_made_on_its_page_case_04(county):
    county("screened")
    township = entering("grain-one-off").division[:9] + "000"
    clerk = client_of(Post.CLERK, township)
    page = text(clerk.get("/cases/list/"))
    assert 'value="grain-one-off"' in page and 'value="dibao-rural"' not in page
    village = entering("grain-one-off").division[:12]
    shown = post_twice(clerk, "/cases/list/", {"programme": "grain-one-off", "division": village})
    assert "名单" in shown and "村公示" in shown and "张贴公示" in shown


def test_the_demonstration_s_applications_are_on_their_way_and_repeat_without_effect(county, tmp_path):
    from huimin.demo.asking import ask as come
    from huimin.demo.quarter import County

    county("screened")
    made = County(people=1000, seed=1, home=tmp_path)
    assert come(made) == come(made) == {"asked": 7}
    states = sorted(Case.objects.using("maintenance").values_list("state", flat=True))
    assert states == ["open", "open", "open", "out_of_scope", "papers", "papers", "withdrawn"]
