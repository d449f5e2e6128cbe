"""The policy pages as people meet them: read at two widths, drafted with checking as one types, passed on by five people.

Requirements POL-01, POL-02, POL-03; checks 13, 14, 16, 18, 26 and 48 of spec/pages.md.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from huimin.policy.models import PolicyDraft
from tests.browser.conftest import Site, Window
from tests.browser.test_pages import faults_of

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a check of the whole book on a busy machine


def seen(window: Window, name: str) -> list[str]:
    """What is wrong with the open page; with HUIMIN_PICTURES a picture of it at both widths."""
    page = window.page
    if folder := os.environ.get("HUIMIN_PICTURES"):
        for width in (1366, 390):
            page.set_viewport_size({"width": width, "height": 768 if width > 400 else 844})
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1366, "height": 768})
    typing = page.evaluate("document.activeElement.matches('input, textarea')")
    wrong = [f"{name}: {each}" for each in faults_of(window)]
    if typing:  # Tab goes on from the field one was in
        wrong = [each for each in wrong if "the first Tab" not in each]
    page.evaluate("document.activeElement.blur()")  # the skip link gives its line back, or the next click lands beside
    return wrong


def fill_standard(page: Page, value: str) -> str:
    """The new 低保标准 and its source; the name of its field."""
    row = page.locator("fieldset.row-of", has_text="低保标准").first
    row.locator("input").nth(0).fill(value)
    row.locator("input").nth(1).fill("金民〔2021〕9号")
    return str(row.locator("input").nth(0).get_attribute("name"))


def begin(window: Window) -> Page:
    page = window.open("/policies/dibao-rural/")
    page.click("text=起草新版")
    page.fill("#id_effective_on", "2022-01-01")
    page.fill("#id_reason", "物价上涨，按六安市测算提高")
    page.click("form[data-main] button")
    expect(page.locator("h1")).to_contain_text("起草农村居民最低生活保障新版")
    return page


def test_a_new_version_from_the_first_word_to_approval_pol_03(site):
    """Checked while typing at the field it concerns; clicked twice, submitted once; five people; every page accessible."""
    county: Site = site("adopted")
    window = county.sign_in("county-officer")
    wrong: list[str] = []
    for path, name in (
        ("/policies/", "list"),
        ("/policies/?view=published", "published"),
        ("/policies/?status=waiting", "waiting"),
        ("/policies/dibao-rural/", "policy"),
        ("/policy-drafts/", "drafts-empty"),
        ("/policies/dibao-rural/draft/", "begin"),
    ):
        window.open(path)
        wrong += seen(window, name)
    page = begin(window)
    wrong += seen(window, "edit-unchanged")
    name = fill_standard(page, "700 元/年")
    expect(page.locator(f"#id_{name}_error")).to_contain_text("应当是 元/月")
    wrong += seen(window, "edit-fault")
    fill_standard(page, "700 元/月")
    expect(page.locator(f"#id_{name}_error")).to_be_hidden()
    expect(page.locator("#check")).to_contain_text("没有差错")
    expect(page.locator("#check")).to_contain_text("低保标准由 650 元/月 改为 700 元/月")
    wrong += seen(window, "edit-good")
    page.click("form[data-main] button:has-text('保存')")
    expect(page.locator(".outcome")).to_contain_text("已保存，没有差错")
    wrong += seen(window, "draft")
    number = page.url.split("/policy-drafts/")[1].split("/")[0]
    window.open(f"/policy-drafts/{number}/text/")
    wrong += seen(window, "text")
    window.open(f"/policy-drafts/{number}/submit/")
    wrong += seen(window, "submit")
    page.dblclick("form[data-main] button")
    expect(page.locator(".outcome")).to_contain_text("已提交")
    for username, key in (
        ("civil-officer", "hearing"),
        ("civil-approver", "department"),
        ("finance-officer", "experts"),
        ("county-approver", "leading_group"),
    ):
        wrong += recorded(county, username, number, key)
    window.open(f"/policy-drafts/{number}/")
    expect(page.locator("main")).to_contain_text("2022-01-01 起施行")
    wrong += seen(window, "approved")
    window.open("/policies/dibao-rural/")
    expect(page.locator("main")).to_contain_text("尚未施行")
    wrong += seen(window, "policy-history")
    assert wrong == [], "\n".join(wrong)
    assert window.errors == [] and window.elsewhere == []
    assert PolicyDraft.objects.using("maintenance").get(pk=number).state == "approved"


def recorded(county: Site, username: str, number: str, key: str) -> list[str]:
    """One step from the desk's to-do line to its outcome, first sent empty."""
    window = county.sign_in(username)
    page = window.page
    page.click("text=农村居民最低生活保障新版")
    page.click("text=记录")
    page.fill("#id_place", "")
    page.click("form[data-main] button")
    expect(page.locator("[data-problems]")).to_be_focused()
    wrong = seen(window, f"step-{key}-problems")
    page.fill("#id_place", "金寨县政务服务中心")
    page.fill("#id_attendants", "群众代表 12 人，人大代表 2 人")
    page.fill("#id_opinion", "同意提高标准，建议同步公布发放时间")
    page.fill("#id_paper_no", "金惠〔2021〕1号")
    page.locator("input[name=outcome][value=agreed]").check(force=True)
    wrong += seen(window, f"step-{key}")
    page.click("form[data-main] button")
    expect(page.locator(".outcome")).to_be_visible()
    assert window.errors == [] or all("422" in each for each in window.errors)
    return wrong


def test_without_script_the_check_button_checks_pol_02(site):
    """Essential work needs no script."""
    county: Site = site("adopted")
    window = county.sign_in("county-officer")
    page = begin(window)
    state = page.context.storage_state()
    plain = county.browser.new_context(
        java_script_enabled=False, storage_state=state, viewport={"width": 1366, "height": 768}
    )
    still = plain.new_page()
    still.goto(page.url.split("?")[0])
    name = fill_standard(still, "十元")
    still.click("button:has-text('检查')")
    expect(still.locator(f"#id_{name}_error")).to_be_visible()
    expect(still.locator(f"#id_{name}")).to_have_value("十元")
    fill_standard(still, "700 元/月")
    still.click("form[data-main] button:has-text('保存')")
    expect(still.locator(".outcome")).to_contain_text("已保存，没有差错")
    plain.close()
