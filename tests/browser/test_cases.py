"""An application from the household's page to its receipt, and the process pictures, in a real browser (CASE-01, CASE-04)."""

import re

import pytest

from huimin.registry.models import Household
from tests.browser.test_screening_and_relief import looked_at

pytestmark = pytest.mark.browser


def test_an_application_is_taken_told_and_accepted_at_the_desk(site):
    """Asked at the desk; a double click; papers missing, then all there; the picture of its way."""
    window = site("screened").sign_in("meishan-clerk")
    page = window.open("/cases/")
    looked_at(window, "cases-empty")
    house = Household.objects.using("maintenance").filter(division__startswith="341524100").order_by("pk")[0]
    page = window.open(f"/cases/ask/{house.pk}/")
    looked_at(window, "case-programmes")
    window.open(f"/cases/ask/{house.pk}/dibao-rural/")
    looked_at(window, "case-apply")
    page.check("input[name=papers] >> nth=0")
    page.dblclick("main form button")
    page.wait_for_url(re.compile(r"/cases/\d+/"))
    assert "一次性告知" in page.inner_text("main")
    looked_at(window, "case-papers")
    page.click("main a:has-text('登记材料')")
    looked_at(window, "case-supply")
    for box in page.query_selector_all("input[name=papers]"):
        box.check()
    page.fill("input[name=declared_on]", "2021-06-24")
    page.click("main form button")
    page.wait_for_url(re.compile(r"/cases/\d+/\?"))
    assert "入户调查" in page.inner_text("main") and page.query_selector("svg[role=img]")
    looked_at(window, "case")
    page.click("main a:has-text('办完，转下一步')")
    looked_at(window, "case-pass")
    page.click("main form button")
    assert "还没有入户调查" in page.inner_text("main")
    window.open("/cases/times/")
    looked_at(window, "case-times")


def test_processes_and_calendar_read_well_at_any_width(site):
    window = site("screened").sign_in("county-officer")
    page = window.open("/processes/")
    looked_at(window, "processes")
    page.click("main a:has-text('三级审核')")
    page.wait_for_url(re.compile(r"/processes/\d+/"))
    assert page.query_selector("svg[role=img] title")
    looked_at(window, "process")
    window.open("/calendar/?from=2026-2-10&days=20")
    assert "2026-03-16" in page.inner_text("main")
    looked_at(window, "calendar")
