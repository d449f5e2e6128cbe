"""Changes and the survey form as a clerk meets them: by keyboard, checked while typing, through a lost connection (REG-01, REG-05)."""

import pytest
from playwright.sync_api import expect

from huimin.demo.actors import actor
from huimin.organisation.models import Account
from huimin.organisation.posts import Post
from huimin.registry.models import Household, SurveyDraft
from tests.browser.conftest import Site, Window
from tests.browser.test_simulations import faults_of as faults_when_asked
from tests.workbench.test_changes import household, number

pytestmark = pytest.mark.browser


def clerk_of(of: Household) -> str:
    acting = actor(Post.CLERK, of.division[:9] + "000")
    return str(Account.objects.get(pk=acting.account).username)


def faults_of(window: Window) -> list[str]:
    """As of every page; afterwards the window is as wide as it was."""
    size = window.page.viewport_size
    found = faults_when_asked(window)
    window.page.set_viewport_size(size)
    if (wide := window.page.evaluate("document.documentElement.scrollWidth")) > size["width"]:
        found.append(f"scrolls sideways at {size['width']} px: {wide}")
    return found


@pytest.mark.parametrize("width", [1366, 390])
def test_a_change_by_keyboard_with_its_effect_reg_05(site, width, tmp_path):
    county: Site = site("decided")
    of = household()
    window = county.sign_in(clerk_of(of), width=width, height=844)
    page = window.open(f"/households/{of.pk}/")
    page.get_by_role("link", name="办理变更").click()
    faults = {"kinds": faults_of(window)}
    page.screenshot(path=tmp_path / f"kinds-{width}.png", full_page=True)
    page.get_by_role("link", name="死亡").click()
    page.screenshot(path=tmp_path / f"death-{width}.png", full_page=True)
    faults["form"] = faults_of(window)
    page.keyboard.press("Alt+s")
    page.wait_for_selector("text=有问题需要改")
    faults["refused"] = faults_of(window)
    page.locator("#id_person").select_option(index=2)
    page.get_by_label("从哪一天起").fill("2021-06-25")
    page.get_by_label("依据").fill("死亡证明")
    page.get_by_role("button", name="看会有什么影响").click()
    page.wait_for_selector("text=核对：死亡")
    faults["check"] = faults_of(window)
    page.screenshot(path=tmp_path / f"check-{width}.png", full_page=True)
    page.get_by_role("button", name="录入").click()
    page.wait_for_selector("text=变更内容")
    faults["detail"] = faults_of(window)
    page.screenshot(path=tmp_path / f"change-{width}.png", full_page=True)
    window.open("/changes/")
    faults["list"] = faults_of(window)
    page.screenshot(path=tmp_path / f"list-{width}.png", full_page=True)
    assert {step: wrong for step, wrong in faults.items() if wrong} == {} and window.elsewhere == []


@pytest.mark.parametrize("width", [1366, 390])
def test_the_survey_form_keeps_what_is_typed_reg_01(site, width, tmp_path):
    county: Site = site("decided")
    of = household()
    window = county.sign_in(clerk_of(of), width=width, height=844)
    page = window.open(f"/households/{of.pk}/survey/")
    faults = {"form": faults_of(window)}
    page.screenshot(path=tmp_path / f"survey-{width}.png", full_page=True)
    page.get_by_label("水稻亩数").fill("９９９９")
    page.wait_for_selector("[data-fielded='h.rice_mu'] .govuk-error-message:not([hidden])")
    # A Tab goes on from the field that was typed in, not from the top: that one rule is for pages just opened.
    faults["faults"] = [each for each in faults_of(window) if "first Tab" not in each]
    page.screenshot(path=tmp_path / f"survey-fault-{width}.png")
    page.context.set_offline(True)
    page.get_by_label("水稻亩数").fill("0.1")
    page.wait_for_selector("text=草稿先加密存在", timeout=10_000)
    [kept] = page.evaluate("Object.values(localStorage)")
    assert "rice_mu" not in kept and "0.1" not in kept, "what rests in the browser is sealed (SEC-04)"
    page.context.set_offline(False)
    page.wait_for_selector("text=草稿已存", timeout=15_000)
    assert SurveyDraft.objects.using("maintenance").count() == 1
    page.reload()
    assert page.get_by_label("水稻亩数").input_value() == "0.1"
    page.route("**/draft/", lambda route: route.abort())
    page.get_by_label("水稻亩数").fill("0.2")
    page.wait_for_selector("text=草稿先加密存在", timeout=10_000)
    page.unroute("**/draft/")
    page.reload()
    # What was told of it is soon overwritten by what the server says; the value stays, and nothing stays in the browser.
    expect(page.get_by_label("水稻亩数")).to_have_value("0.2", timeout=15_000)
    for _ in range(150):  # asked again and again from here: the page lets no text be run as code
        if not page.evaluate("Object.keys(localStorage).length"):
            break
        page.wait_for_timeout(100)
    page.get_by_label("没填的确实问不到").check()
    page.get_by_role("button", name="核对并提交").click()
    page.wait_for_selector("text=核对：基本信息表")
    faults["check"] = faults_of(window)
    page.screenshot(path=tmp_path / f"survey-check-{width}.png", full_page=True)
    page.get_by_role("button", name="录入").click()
    page.wait_for_selector("text=变更内容")
    assert page.evaluate("Object.keys(localStorage).length") == 0
    window.open("/households/new/")
    faults["new"] = faults_of(window)
    page.locator("#id_n0_name").fill("新户主")
    page.locator("#id_n0_id_number").fill(number(77, "19800101"))
    page.get_by_role("button", name="再加一名成员").click()
    page.wait_for_selector("text=新成员 2")
    assert page.locator("#id_n0_name").input_value() == "新户主"
    page.screenshot(path=tmp_path / f"new-{width}.png")
    window.open(f"/households/{of.pk}/attachments/")
    faults["attachments"] = faults_of(window)
    assert {step: wrong for step, wrong in faults.items() if wrong} == {} and window.elsewhere == []
