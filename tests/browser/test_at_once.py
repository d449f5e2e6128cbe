"""Two browsers, one roster: both press the same button at the same moment; one posts it, the other reads what happened (PAY-06, SEC-02)."""

import re

import pytest
from playwright.sync_api import expect

from huimin.notices.models import Notice
from huimin.payment.models import Roster, RosterFinding

pytestmark = pytest.mark.browser
PRESS = "setTimeout(() => document.querySelector('form[data-main] button').click(), 100)"


def test_two_browsers_post_one_roster_once(site):
    county = site("compiled")
    doubted = RosterFinding.objects.using("maintenance").filter(state="open").values("roster")
    roster = (
        Roster.objects.using("maintenance")
        .filter(division="341524100000")
        .exclude(pk__in=doubted)
        .order_by("pk")
        .first()
    )
    windows = [county.sign_in("meishan-reviewer") for _ in range(2)]
    for window in windows:
        window.open(f"/rosters/{roster.pk}/publish/")
    for window in windows:
        window.page.evaluate(PRESS)
    for window in windows:
        expect(window.page).not_to_have_title(re.compile("公示这份清册"))
    told = sorted(
        (window.page.locator("main").inner_text() for window in windows), key=lambda words: "已公示" not in words
    )
    assert "已公示" in told[0]
    assert "清册现在是“公示中”，不能办这一步" in told[1] and "可能已有人办理" in told[1] and "刷新" in told[1]
    posted = Notice.objects.using("maintenance").filter(subject=f"roster:{roster.pk}")
    assert sum(posted.values_list("rows_count", flat=True)) == roster.lines_count
    assert posted.values("division").distinct().count() == posted.count()
    windows[1].open(f"/rosters/{roster.pk}/publish/")
    expect(windows[1].page.locator("main")).to_contain_text("清册现在是“公示中”，不能再办这一步")
    expect(windows[1].page.locator("main button")).to_have_count(0)
