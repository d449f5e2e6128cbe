"""Two records side by side in a browser: chosen field by field, effects before, confirmed by another (REG-04, SEC-02)."""

import pytest

from huimin.duplicates.models import Pair
from huimin.organisation.acting import reading
from huimin.organisation.queries import business_date
from huimin.registry.models import Household, Membership
from tests.browser.test_changes import faults_of
from tests.duplicates.people import person_of, search, second_record
from tests.registry.people import officer

pytestmark = pytest.mark.browser


def homes_of_meishan() -> list[Household]:
    """Two households of the township whose people sign in here."""
    by = officer()
    with reading(by):
        rows = Household.objects.filter(division__startswith="341524100", closed_on=None).order_by("id")
        sizes = [(each, Membership.objects.filter(household=each, recorded_to=None).count()) for each in rows]
    return [each for each, size in sizes if size > 1][:2]


@pytest.mark.parametrize("width", [1366, 390])
def test_two_records_become_one_by_two_people_reg_04(site, width, tmp_path):
    county = site("decided")
    here, there = homes_of_meishan()
    one = person_of(here)
    other = second_record(one, there, name=one.name, on=business_date())
    search(business_date())
    with reading(officer()):
        pair = Pair.objects.get(first=one, second=other)
    window = county.sign_in("meishan-clerk", width=width, height=844)
    faults = {}

    def look(name, of=window):
        of.page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
        faults[name] = faults_of(of)

    page = window.open("/duplicates/")
    look("list")
    page.get_by_role("link", name=str(pair.score), exact=True).first.click()
    look("pair")
    page.get_by_role("button", name="看并档会有什么影响").click()
    page.wait_for_selector("text=有问题需要改")
    look("refused")
    page.get_by_label("为什么是同一人").fill("看了户口簿和身份证，村信息员陪同")
    for radio in page.locator("input[value=survivor]").all():
        radio.check()
    page.get_by_role("button", name="看并档会有什么影响").click()
    page.wait_for_selector("text=核对并档")
    look("check")
    page.get_by_role("button", name="提出并档").click()
    page.wait_for_selector("text=已提出并档，待确认")
    address = page.url.split("?")[0]
    reviewer = county.sign_in("meishan-reviewer", width=width, height=844)
    reviewer.page.goto(address)
    look("merge", reviewer)
    reviewer.page.get_by_role("button", name="确认并档").click()
    reviewer.page.wait_for_selector("text=已并档")
    look("merged", reviewer)
    window.open("/merges/")
    look("merges")
    assert {step: wrong for step, wrong in faults.items() if wrong} == {}
    assert window.elsewhere == [] and reviewer.elsewhere == []
