"""Trying out a draft and seeing whom policies reach, as a person meets it (POL-04, POL-06; spec/pages 13, 14, 16, 50)."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Site, Window
from tests.browser.test_pages import faults_of as faults_when_asked

pytestmark = pytest.mark.browser
DAY = "2021-07-01"


def faults_of(window: Window) -> list[str]:
    """As of every page; afterwards the skip link lets go of the focus, or it would move the page under the next click."""
    found = faults_when_asked(window)
    window.page.evaluate("document.activeElement.blur()")
    return found


def draft(page: Page) -> None:
    """From the menu to the figures, with the keyboard's and the mouse's own ways."""
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="政策").click()
    page.get_by_role("navigation", name="政策").get_by_role("link", name="测算").click()
    page.select_option("#f-programme", "dibao-rural")
    page.click("text=写草案")
    page.get_by_label("低保标准（元/月）").fill("800")
    page.get_by_label("生效日期").fill(DAY)
    page.click("text=开始测算")
    page.wait_for_selector("text=草案改了什么")


def test_a_draft_from_the_menu_to_a_households_grounds(site):
    """POL-04: standards, figures with charts, one household before and after; accessible at every step."""
    county: Site = site("decided")
    window = county.sign_in("county-officer")
    page = window.page
    faults = {"simulations": faults_of(window)} if window.open("/simulations/") else {}
    draft(page)
    address = page.url.split("?")[0]
    assert page.locator("svg[role=img]").is_visible() and page.locator("svg.pair").count() > 3
    assert page.locator(".figures").bounding_box()["y"] < 768
    faults["figures"] = faults_of(window)
    assert page.get_by_role("cell", name="2021-12").is_visible()
    page.select_option("#f-by", "size")
    page.get_by_role("button", name="看").click()
    assert page.get_by_role("heading", name="按人口").is_visible()
    page.locator("a[href*='/households/']", has_text="341524").first.click()
    page.wait_for_selector("h1:has-text('现行和草案')")
    faults["household"] = faults_of(window)
    page.goto(f"{county.url}/simulations/new/?programme=dibao-rural&date={DAY}")
    assert page.get_by_label("低保标准（元/月）").bounding_box()["y"] < 768
    faults["new"] = faults_of(window)
    page.get_by_label("低保标准（元/月）").fill("八百")
    page.click("text=开始测算")
    assert page.evaluate("document.activeElement.hasAttribute('data-problems')")
    faults["refused"] = faults_of(window)
    page.emulate_media(media="print")
    page.goto(address)
    assert page.locator("svg[role=img]").is_visible() and not page.locator(".topbar").is_visible()
    assert {step: wrong for step, wrong in faults.items() if wrong} == {}
    assert window.elsewhere == []


def test_whom_policies_reach_and_miss_on_a_phone(site):
    """POL-06, DET-08: analysed, listed, narrowed, at 390 px too."""
    county: Site = site("decided")
    window = county.sign_in("county-officer")
    page = window.open("/coverage/")
    faults = {"empty": faults_of(window)}
    page.get_by_label("按哪一天").fill(DAY)
    page.click("text=开始分析")
    page.wait_for_selector("text=哪几项一起享受")
    faults["analysed"] = faults_of(window)
    page.select_option("#f-kind", "several")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_selector("#list table tbody a")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert faults == {"empty": [], "analysed": []} and window.errors == [] and window.elsewhere == []


def test_without_scripts_a_draft_is_counted_all_the_same(site, chromium):
    """spec/pages: nothing of a simulation rests on a script."""
    county: Site = site("decided")
    signed = county.sign_in("county-officer")
    context = chromium.new_context(java_script_enabled=False, storage_state=signed.page.context.storage_state())
    page = context.new_page()
    page.goto(county.url)
    draft(page)
    assert "户新增" in page.inner_text("main")
    context.close()
