"""Field work in a browser: the round with a phone, the survey list, warnings, letters; accessible, narrow, long and empty (REG-06, REG-09, ORG-03, ORG-04)."""

import re

import pytest

from huimin.demo.actors import actor
from huimin.demo.field import visit
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County
from huimin.fieldwork.models import Assignment, Campaign, PointNote, PointReport, Signal
from huimin.organisation.acting import reading
from huimin.organisation.models import Account
from huimin.organisation.posts import Post
from tests.browser.test_pages import faults_of
from tests.fieldwork.people import village

pytestmark = pytest.mark.browser


def username(post, where):
    return Account.objects.get(pk=actor(post, where).account).username


@pytest.fixture
def field(site, tmp_path):
    """The county with its field work under way."""
    running = site("decided")
    visit(County(people=1000, seed=20210701, home=tmp_path))
    return running


def rows():
    by = county_officer()
    with reading(by):
        return {
            "campaign": Campaign.objects.get().pk, "note": PointNote.objects.order_by("pk").last().pk,
            "report": PointReport.objects.get().pk, "letter": Assignment.objects.order_by("pk")[0].pk,
            "signal": Signal.objects.order_by("pk")[0].pk, "place": PointNote.objects.order_by("pk")[0].division,
        }  # fmt: skip


def test_every_page_of_field_work_is_accessible_and_narrow_reg_06(field):
    found = rows()
    paths = [
        "/campaigns/", "/campaigns/?level=officer", f"/campaigns/{found['campaign']}/households/", "/campaigns/?place=999",
        f"/campaigns/{found['campaign']}/households/?standing=overdue", f"/campaigns/{found['campaign']}/close/",
        "/campaigns/open/", "/points/", f"/points/{found['note']}/", "/points/places/", "/points/reports/", "/letters/",
        f"/points/reports/{found['report']}/", "/letters/people/", "/letters/gaps/", f"/letters/{found['letter']}/",
        "/letters/new/", "/signals/", f"/signals/{found['signal']}/", "/signals/rules/", "/low-income/",
        "/low-income/places/", "/",
    ]  # fmt: skip
    window, faults = field.sign_in("county-officer"), {}
    for path in paths:
        window.open(path)
        faults[path] = faults_of(window)
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert window.errors == [] and window.elsewhere == []


def test_an_officer_notes_from_a_phone_and_enters_his_round_org_04(field):
    found = rows()
    window = field.sign_in(username(Post.INFORMATION_OFFICER, village()), width=390, height=800)
    page = window.open("/points/new/")
    page.select_option("#id_kind", "housing")
    page.fill("#id_text", "王家𠮷屋顶漏雨，" + "需要修缮" * 60)
    page.check("input[name=asks][value=yes]")
    page.dblclick("main form button")
    page.wait_for_url(re.compile(r"/points/\d+/"))
    assert "等乡镇" in page.inner_text("main") and "𠮷" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page = window.open(f"/campaigns/{found['campaign']}/households/?standing=due")
    page.locator("input[name=id]").first.check()
    page.fill("#id_evidence", "村存第 2 册")
    page.click("main form[data-main] button")
    page.wait_for_url("**done=**")
    assert "登记了 1 户的基本信息表" in page.inner_text("main")
    assert window.errors == []
