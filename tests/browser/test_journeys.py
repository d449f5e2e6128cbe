"""What people do all day, in a real browser: sign in, decide many, object and answer, release (SEC-01 … PAY-03)."""

import re

import pytest
from playwright.sync_api import expect

from huimin.casework.models import Decision
from huimin.demo.actors import demo_password
from huimin.notices.models import Objection
from huimin.organisation.models import Appointment
from huimin.payment.models import Batch, Instruction

pytestmark = pytest.mark.browser


def test_sign_in_lands_on_the_desk_and_leaves_again(site):
    """SEC-01, SEC-08: the whole way by keyboard."""
    window = site("organised").browse()
    page = window.open("/households/?name=李")
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.focus("#id_username")
    page.keyboard.type("meishan-clerk")
    page.keyboard.press("Tab")
    page.keyboard.type(demo_password())
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/households/\?name="))
    page.click(".me summary")
    page.click("text=退出")
    expect(page.locator("main")).to_contain_text("已退出")
    page.goto(window.url + "/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    assert window.errors == [] and window.elsewhere == []


def test_wrong_passwords_are_counted_down_and_then_locked(site):
    """SEC-08; the summary stands on top, has the focus and leads to the field."""
    window = site("organised").browse()
    page = window.open("/sign-in/")
    for _ in range(4):
        page.fill("#id_username", "meishan-clerk")
        page.fill("#id_password", "not the password")
        page.click("main button")
        expect(page).to_have_title(re.compile("^错误："))
        expect(page.locator("[data-problems]")).to_be_focused()
        expect(page.locator("#id_username")).to_have_value("meishan-clerk")
    words = page.locator("[data-problems] a").inner_text()
    assert words in page.locator("#id_username_error").inner_text()
    page.click("[data-problems] a")
    expect(page.locator("#id_username")).to_be_focused()
    page.fill("#id_password", "not the password")
    page.click("main button")
    expect(page.locator("h1")).to_contain_text("15 分钟后再试")


def test_an_issued_password_is_changed_first(site):
    """SEC-08"""
    window = site("organised").sign_in("newcomer")
    page = window.page
    expect(page.locator("h1")).to_have_text("先换成自己的口令")
    page.fill("#id_current", demo_password())
    page.fill("#id_new", "jin-zhai-2021")
    page.fill("#id_again", "jin-zhai-2021")
    page.click("text=换口令并开始工作")
    expect(page.locator("h1")).to_have_text("今天等您办的")


def test_a_filtered_many_is_decided_at_one_stroke_and_once(site):
    """DET-01, DET-06: from the desk to the list in one click; count and sum before; sent twice, decided once."""
    window = site("screened").sign_in("civil-approver")
    page = window.page
    page.click("text=审批应进未进")
    expect(page).to_have_url(re.compile("programme=dibao-rural.*kind=enter"))
    page.click("text=核对并确认")
    count = re.search(r"确认这 ([\d,]+) 件", page.locator("h1").inner_text())[1]
    page.evaluate("const b = document.querySelector('form[data-main] button'); b.click(); b.click();")
    expect(page.locator(".outcome")).to_contain_text(f"已确认 {count} 件")
    page.reload()
    expect(page.locator(".outcome")).to_contain_text(f"已确认 {count} 件")
    decided = Decision.objects.using("maintenance").filter(programme="dibao-rural")
    assert decided.count() == int(count.replace(",", ""))
    assert len(set(decided.values_list("signature", flat=True))) == 1


def test_ticked_proposals_are_refused_with_a_reason(site):
    """DET-06: nothing is decided without the reason, and what was ticked stays."""
    window = site("screened").sign_in("civil-approver")
    page = window.open("/proposals/?programme=dibao-rural&kind=enter")
    boxes = page.locator("input[name=id]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.locator(".chosen .sum")).to_contain_text("已选 2 件")
    page.click("text=核对并不予确认")
    expect(page.locator("h1")).to_have_text("不予确认这 2 件？")
    page.click("form[data-main] button")
    expect(page.locator("[data-problems]")).to_contain_text("请填写不予确认的理由")
    page.fill("#id_reason", "家庭成员在外有稳定收入，需重新核对")
    page.click("form[data-main] button")
    expect(page.locator(".outcome")).to_contain_text("不予确认 2 件")
    assert Decision.objects.using("maintenance").filter(outcome="refused").count() == 2


def test_an_objection_is_filed_by_one_and_answered_by_another(site):
    """CASE-06"""
    county = site("published")
    clerk = county.sign_in("meishan-clerk")
    page = clerk.open("/notices/")
    page.locator("main table a").first.click()
    page.locator("text=登记异议").first.click()
    page.fill("textarea", "他的号码是 13812345678")
    page.click("form[data-main] button")
    expect(page.locator("[data-problems]")).to_contain_text("完整号码")
    expect(page.locator("textarea")).to_have_value("他的号码是 13812345678")
    page.fill("textarea", "反映该户去年已经搬走")
    page.click("form[data-main] button")
    expect(page.locator(".outcome")).to_contain_text("已登记异议")
    reviewer = county.sign_in("meishan-reviewer")
    page = reviewer.page
    page.click("text=答复公示异议")
    page.click("form[data-main] button")
    expect(page.locator("[data-problems] li")).to_have_count(5)
    page.check("input[name=how][value=investigation]")
    page.fill("#id_looked_by", "审核员、村民小组长")
    page.fill("#id_found", "本人在家，邻居证实")
    page.click("text=不成立：这一行照常发放")
    page.fill("#id_answer", "经上门核实，仍在本村居住")
    page.click("form[data-main] button")
    expect(page.locator(".outcome")).to_contain_text("已答复异议")
    answered = Objection.objects.using("maintenance").get(text="反映该户去年已经搬走")
    assert answered.state == "dismissed" and answered.answered_by != answered.filed_by


def test_release_is_refused_to_the_preparer_and_done_by_another(site):
    """PAY-03: four eyes, once, whatever is clicked twice."""
    county = site("prepared")
    releaser = Appointment.objects.get(account__username="finance-releaser")
    mine = Batch.objects.using("maintenance").get(prepared_by=releaser.pk)
    first = county.sign_in("finance-releaser")
    page = first.open(f"/batches/{mine.pk}/release/")
    expect(page.locator("main")).to_contain_text("这个批次是您编制的")
    expect(page.locator("form[data-main] button")).to_have_count(0)
    assert not Instruction.objects.using("maintenance").filter(batch=mine).exists()
    other = Appointment.objects.filter(post="finance_releaser").exclude(pk=releaser.pk).get()
    second = county.sign_in(other.account.username)
    page = second.page
    second.open(f"/batches/{mine.pk}/")
    page.get_by_role("link", name="放行", exact=True).click()
    page.dblclick("form[data-main] button")
    expect(page.locator(".outcome")).to_contain_text("已放行")
    assert Instruction.objects.using("maintenance").filter(batch=mine).count() == mine.lines_count


def test_any_household_is_two_keys_and_a_name_away(site):
    """Ctrl+K, a name, Enter; ? shows the keys; Alt+N goes on (issue 2, the desk)."""
    window = site("registered").sign_in("meishan-clerk")
    page = window.page
    page.keyboard.press("Control+k")
    expect(page.locator("#finder-q")).to_be_focused()
    page.keyboard.type("3415241")
    expect(page.locator("#finder-found a").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("一家")
    first = page.url
    page.keyboard.press("Alt+n")
    page.wait_for_url(lambda url: url != first and "/households/" in url)
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    assert window.errors == [] and window.elsewhere == []
