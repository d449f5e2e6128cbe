"""Kinship, training, desks and archives in a browser: from the desk to the paper, accessible, on a narrow window too
(REG-08, REG-10, ORG-07, ORG-08)."""

import pytest

from huimin.archives.models import Paper
from huimin.demo import records
from huimin.demo.quarter import County
from tests.browser.test_pages import faults_of

pytestmark = pytest.mark.browser

# With rows; the others are met, empty, on the walk of test_pages.
COUNTY_PAGES = (
    "/kinship/officers/", "/kinship/relatives/", "/kinship/related/", "/training/", "/training/due/", "/staffing/",
    "/archives/", "/archives/places/", "/archives/loans/", "/archives/disposals/",
)  # fmt: skip


def look(window, faults, path=""):
    if path:
        window.open(path)
    faults[window.page.url] = faults_of(window)
    window.page.evaluate("document.activeElement.blur()")  # the skip link pushes the page down


def follow(window, pattern):
    """Open the first link of the page that leads to such an address."""
    links = window.page.eval_on_selector_all("main a[href]", "all => all.map(a => a.getAttribute('href'))")
    window.open(next(link for link in links if link.startswith(pattern)))


def test_every_register_is_accessible_wide_and_narrow_reg_08_reg_10_org_07_org_08(site, tmp_path):
    """`faults_of` looks at each page at 320 px too."""
    county = site("decided")
    records.record(County(people=1000, seed=20210701, home=tmp_path))
    faults = {}
    window = county.sign_in("county-officer")
    for path in COUNTY_PAGES:
        look(window, faults, path)
    for start, pattern in (
        ("/kinship/relatives/", "/kinship/relatives/1/"), ("/training/", "/training/1/"), ("/staffing/", "/staffing/1/"),
        ("/archives/disposals/", "/archives/disposals/1/"), ("/archives/loans/", "/archives/households/"),
    ):  # fmt: skip
        window.open(start)
        follow(window, pattern)
        look(window, faults)
    window.open("/archives/")
    for pattern in ("/archives/1/", "/archives/boxes/"):
        follow(window, pattern)
        look(window, faults)
    clerk = county.sign_in("meishan-clerk")
    for path in ("/", "/kinship/", "/staffing/report/", "/archives/stocktakes/1/"):
        look(clerk, faults, path)
    assert window.elsewhere == [] and window.errors == []
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}


def test_a_declaration_and_a_loan_by_hand_reg_08_reg_10(site, tmp_path):
    county = site("decided")
    records.record(County(people=1000, seed=20210701, home=tmp_path))
    reviewer = county.sign_in("meishan-settlement")
    page = reviewer.open("/kinship/")
    page.check("#id_none")
    page.fill("#id_name_1", "张三")
    page.click("main form[data-main] button")
    assert "第 1 位：请填写关系" in page.inner_text(".govuk-error-summary")
    assert page.input_value("#id_name_1") == "张三"
    clerk = county.sign_in("meishan-clerk")
    kept = Paper.objects.using("maintenance").filter(state="kept").order_by("-id")[0]
    page = clerk.open(f"/archives/boxes/{kept.box_id}/")
    page.check(f"main input[name=id][value='{kept.pk}']")
    page.click("main button:has-text('借出')")
    for key, value in {"borrower": "李审计", "office": "审计局", "purpose": "专项审计", "due_on": "2021-12-1"}.items():
        page.fill(f"#id_{key}", value)
    page.dblclick("main form[data-main] button")
    page.wait_for_url("**/archives/loans/**")
    assert "借阅单" in page.inner_text(".outcome")
    assert page.locator("main table tbody tr").count() == 4
