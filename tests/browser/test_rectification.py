"""A rectification campaign in the browser: every page passes axe, fits 320 px, and speaks as people do (CASE-10)."""

from huimin.demo.quarter import County
from huimin.demo.rectifying import rectify
from huimin.rectification.models import Item
from tests.browser.test_pages import faults_of


def test_the_pages_of_a_campaign_are_accessible_and_narrow_case_10(site, tmp_path):
    county = site("decided")
    rectify(County(people=1000, seed=1, home=tmp_path))
    item = Item.objects.using("maintenance").filter(state="reviewed", result="leave").first()
    paths = [
        "", "act/close/", "items/", "notices/", "summary/?part=risks", "people/", "checks/", "cases/", "reports/", "reports/monthly/202109/",
    ]  # fmt: skip
    paths = [f"/rectifications/1/{path}" for path in paths]
    paths += [
        "/",
        f"/rectifications/items/{item.pk}/",
        "/rectifications/cases/1/",
        "/rectifications/reports/2/",
        "/rectifications/reports/2/receipt/",
    ]
    faults = {}
    window = county.sign_in("civil-approver")
    for path in paths:
        window.open(path)
        faults[path] = faults_of(window)
    officer = county.sign_in("civil-officer")
    for path in ("/rectifications/plan/", "/rectifications/1/cases/new/", "/rectifications/cases/1/handle/"):
        officer.open(path)
        faults[path] = faults_of(officer)
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    assert window.errors == officer.errors == [] and window.elsewhere == []
