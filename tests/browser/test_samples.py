"""Spot checks and many cases at once in the browser: every page passes axe, fits 320 px, and speaks as people do (CASE-08)."""

import os
from datetime import timedelta

from huimin.cases import many
from huimin.demo.clock import business_day
from huimin.organisation.posts import Post
from huimin.samples.agencies import add_agency
from huimin.samples.checking import Told, record_check
from huimin.samples.models import DrawCase
from tests.browser.test_pages import faults_of
from tests.cases.people import ask, entering, people, records, walk
from tests.samples.people import copies, households
from tests.samples.test_draws import STEP, drawn, frozen, visited


def test_the_pages_of_a_draw_are_accessible_and_narrow_case_08(site, cluster):
    county = site("screened")
    house = entering()
    who = people(house)
    with records("入户调查", "民主评议"):
        case, on = walk(ask(house, who[Post.CLERK]), who, until=STEP)
    numbers = [case.pk, *copies(cluster.url(os.environ["HUIMIN_DB_NAME"]), case, households(8)[1:])]
    business_day(on)
    officer, approver, watcher = (
        county.sign_in(name) for name in ("civil-officer", "civil-approver", "audit-supervisor")
    )
    faults: dict[str, list[str]] = {}

    def look(window, *paths):
        for path in paths:
            window.open(path)
            faults[f"{path} {len(faults)}"] = faults_of(window)

    look(officer, "/samples/freeze/", "/samples/", "/samples/freeze-month/")
    look(approver, f"/cases/many/pass/?step={STEP}", "/samples/rate/")
    draw = frozen(who, on)
    look(officer, f"/samples/{draw.pk}/")
    business_day(draw.event_on)
    look(officer, f"/samples/{draw.pk}/number/", "/")
    drawn(who, draw)
    on = draw.event_on
    business_day(on + timedelta(days=1))
    agency(who, on)
    lines = list(DrawCase.objects.using("maintenance").filter(draw=draw, picked=True))
    look(officer, f"/samples/{draw.pk}/entrust/", "/samples/agencies/", "/samples/agencies/1/end/")
    visit = visited(who, lines[0], on)
    look(watcher, f"/samples/{draw.pk}/", f"/samples/cases/{lines[0].pk}/", "/samples/waiting/", f"/cases/{case.pk}/")
    told = Told("visit", "differs", "家有轿车一辆，申报时没有", visit.pk)
    record_check(by=who[Post.SUPERVISOR], on=on, line_id=lines[0].pk, told=told)
    look(
        watcher,
        f"/samples/{draw.pk}/?show=list",
        f"/samples/cases/{lines[0].pk}/",
        "/samples/ratings/",
        "/samples/orders/",
    )
    job = many.request_many(
        by=who[Post.SUPERVISOR], on=on, act=many.SIGN, step=STEP, wanted=[(number, 1) for number in numbers]
    )
    look(watcher, "/cases/many/sign/", f"/cases/many/jobs/{job.pk}/", f"/cases/many/jobs/{job.pk}/stop/")
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}
    for window in (officer, approver, watcher):
        assert window.errors == [] and window.elsewhere == []


def agency(who, on):
    add_agency(
        by=who[Post.DEPARTMENT_OFFICER], on=on, name="信诚社会工作服务中心", contract_no="2021-08", valid_from=on,
        valid_to=on + timedelta(days=30), scope="审批前入户核查", fee_fen=12000, quality="错查一件不付费",
    )  # fmt: skip
