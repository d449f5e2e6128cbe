"""Cards in a browser: a bank's file, the hand-over, an authority of two people, the cooling time (REG-07)."""

import pytest

from huimin.database.personal import ID_NUMBER, plain
from huimin.organisation.acting import reading
from huimin.registry.models import Card, Household
from tests.browser.test_pages import faults_of
from tests.registry.people import household, members, officer

pytestmark = pytest.mark.browser


def of_meishan() -> Household:
    """A household of the township whose people sign in here, with a member without an account."""
    found = (household(nth=n) for n in range(200))
    return next(each for each in found if each.division.startswith("341524100") and without_account(each))


def without_account(of):
    with reading(officer()):
        return next((m.person for m in members(of) if not Card.objects.filter(holder=m.person).exists()), None)


def test_an_account_from_the_banks_file_to_the_signature_reg_07(site):
    county = site("registered")
    home = of_meishan()
    child, head = without_account(home), members(home)[0].person
    number, of_head = (plain(each.id_number_enc, ID_NUMBER) for each in (child, head))
    clerk, reviewer = county.sign_in("meishan-clerk"), county.sign_in("meishan-reviewer")
    faults = {}

    def look(window, path=""):
        if path:
            window.open(path)
        faults[window.page.url] = faults_of(window)
        window.page.evaluate("document.activeElement.blur()")  # the skip link pushes the page down

    page = clerk.open(f"/households/{home.pk}/authority/")
    page.click("main button")
    look(clerk)
    page.select_option("#id_beneficiary", str(child.pk))
    page.check("input[value=guardian]")
    for key, value in {
        "agent_number": of_head, "paper_no": "授 2021-1", "note": "父亲签字，存乡镇", "since": "2021-6-1",
        "until": "2022-5-31",
    }.items():  # fmt: skip
        page.fill(f"#id_{key}", value)
    page.click("main button")
    assert "待审核" in page.inner_text("main")
    look(clerk)
    reviewed = reviewer.open("/authorities/")
    look(reviewer)
    reviewer.open(reviewed.get_attribute(f"main a:has-text('{child.name}')", "href"))
    look(reviewer)
    reviewed.check("input[value=approve]")
    reviewed.click("main button")
    assert "授权已备案" in reviewed.inner_text("main")
    look(clerk, "/cards/hand-over/")
    page = clerk.open("/cards/issues/")
    rows = f"证件号码,姓名,账号\n{number},{child.name},6299990000000000001\n12,张三,1\n"
    page.set_input_files("#id_file", {"name": "发卡.csv", "mimeType": "text/csv", "buffer": rows.encode()})
    page.dblclick("main button")
    page.wait_for_url("**/cards/issues/*/**")
    assert "新发 1 张" in page.inner_text("main")
    look(clerk)
    look(clerk, "/cards/issues/")
    look(clerk, "/cards/hand-over/")
    clerk.open(page.get_attribute(f"main table a:has-text('{child.name}')", "href"))
    look(clerk)
    page.fill("#id_receiver_number", of_head)
    page.fill("#id_signature", "签收单 7 号")
    page.click("main button")
    page.goto(county.url + "/cards/hand-over/?state=handed")
    assert "监护人" in page.inner_text("main")
    look(clerk)
    officer_window = county.sign_in("county-officer")
    look(officer_window, "/corrections/cooling/")
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert all(each.errors == [] or "422" in each.errors[0] for each in (clerk, reviewer))
