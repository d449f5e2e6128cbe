"""A screening asked for, watched to its end, and called off; an emergency relieved: in a real browser (DET-01, DET-05)."""

import os
import re
from pathlib import Path

import pytest

from huimin.jobs.working import work_one
from tests.browser.test_pages import faults_of

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("HUIMIN_SHOTS", "")


def looked_at(window, name):
    """No fault of accessibility at any width; with HUIMIN_SHOTS a picture at two widths."""
    assert faults_of(window) == [], name
    window.page.evaluate("document.activeElement.blur()")  # a shown skip link moves the page under the next click
    if SHOTS:
        for width in (1366, 390):
            window.page.set_viewport_size({"width": width, "height": 768 if width > 400 else 844})
            window.page.screenshot(path=str(Path(SHOTS) / f"{name}-{width}.png"), full_page=True)
        window.page.set_viewport_size({"width": 1366, "height": 768})


def test_a_screening_is_watched_to_its_end(site):
    """Asked for by a double click; the page follows by itself; the refusal of an overlap; cancelling."""
    window = site("adopted").sign_in("county-officer")
    page = window.open("/screenings/")
    page.fill("#id_determination_date", "2021-07-01")
    page.dblclick("main form button")
    page.wait_for_url(re.compile("/screenings/jobs/"))
    looked_at(window, "queued")
    window.open("/screenings/")
    looked_at(window, "runs")
    page.fill("#id_determination_date", "2021-08-01")
    page.click("main form button")
    assert "重叠" in page.inner_text("main")
    looked_at(window, "overlap")
    window.open("/screenings/jobs/1/")
    assert work_one() is not None
    page.wait_for_selector("text=看结果")
    looked_at(window, "finished")
    page.click("text=看结果")
    page.wait_for_url(re.compile(r"/screenings/\d+/"))
    assert "应进未进" in page.inner_text("main")
    looked_at(window, "run")
    window.open("/screenings/")
    page.fill("#id_determination_date", "2021-08-01")
    page.click("main form button")
    page.wait_for_url(re.compile("/screenings/jobs/"))
    page.click("text=取消这次筛查")
    looked_at(window, "cancel")
    page.click("main form button")
    page.wait_for_selector("text=已取消")
    looked_at(window, "cancelled")
    assert window.elsewhere == []


def test_an_emergency_is_relieved_from_the_petty_fund(site):
    """Finance gives, another confirms; clerk records, head approves, clerk files the papers."""
    county = site("registered")
    finance = county.sign_in("finance-officer")
    page = finance.open("/petty-funds/")
    looked_at(finance, "funds-empty")
    page.select_option("#id_division", "341524100000")
    page.fill("#id_limit", "2000")
    page.fill("#id_basis", "县民政局2021年3号")
    page.click("main form button")
    page.wait_for_url(re.compile(r"/petty-funds/\d+/"))
    page.fill("#id_amount", "5000")
    page.fill("#id_note", "拨款凭证1号")
    page.click("main form button")
    page.wait_for_selector("text=待复核")
    looked_at(finance, "fund")
    releaser = county.sign_in("finance-releaser")
    page = releaser.open("/petty-funds/entries/1/")
    looked_at(releaser, "confirm")
    page.click("button:has-text('复核入账')")
    page.wait_for_url(re.compile("/petty-funds/1/"))
    assert "已入账" in page.inner_text("main"), page.inner_text("main")
    clerk = county.sign_in("meishan-clerk")
    page = clerk.open("/households/")
    page.goto(clerk.url + page.get_attribute("a[href^='/households/1'], a[href^='/households/2']", "href"))
    looked_at(clerk, "household")
    page.click("text=急难救助 >> nth=-1")
    page.wait_for_url(re.compile("/reliefs/record/"))
    page.click("main form button")
    page.wait_for_selector("[data-problems]")
    looked_at(clerk, "record-faults")
    page.check("text=火灾")
    page.fill("#id_happened_on", "2021-06-20")
    page.fill("#id_story", "住房失火，衣被烧毁")
    page.fill("#id_amount", "1200")
    page.dblclick("main form button")
    page.wait_for_url(re.compile(r"/reliefs/\d+/"))
    looked_at(clerk, "relief")
    head = county.sign_in("meishan-head")
    page = head.open("/")
    page.click("text=审批急难救助")
    page.click("text=批准并支付")
    looked_at(head, "approve")
    page.dblclick("main form button")
    page.wait_for_selector("text=已救助")
    page = clerk.open("/reliefs/1/papers/")
    page.fill("textarea", "火灾证明、领款签字")
    page.click("main form button")
    page.wait_for_selector("text=补齐")
    clerk.open("/reliefs/")
    looked_at(clerk, "reliefs")
    clerk.open("/care/")
    looked_at(clerk, "care")
    clerk.open("/care/1/")
    looked_at(clerk, "care-person")
    assert clerk.elsewhere == [] and head.elsewhere == []
