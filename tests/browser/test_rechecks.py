"""Re-checks, refusals of work and appeals in the browser: every page passes axe, fits 320 px, and speaks as people do (CASE-09)."""

from datetime import date

from huimin.appeals.models import Appeal
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.rechecking import recheck
from huimin.organisation.models import Account
from huimin.rechecks.models import JobOffer, Recheck
from tests.browser.test_pages import faults_of

DAY = date(2022, 2, 10)


def test_the_pages_of_living_with_a_grant_are_accessible_and_narrow_case_09(site):
    county = site("decided")
    business_day(DAY)
    told = recheck(DAY)
    assert told == recheck(DAY), "repeating the demonstration adds nothing"
    rows = Recheck.objects.using("maintenance")
    live, ready = rows.filter(state="open").first(), rows.filter(state="concluded").first()
    offer, appeal = JobOffer.objects.using("maintenance").get(), Appeal.objects.using("maintenance").get()
    paths = [
        (_user(live, "clerk"), [
            "/", "/rechecks/", "/rechecks/places/", "/rechecks/list/", "/rechecks/round/", "/rechecks/rules/", f"/rechecks/{live.pk}/",
            f"/rechecks/{live.pk}/means/", f"/rechecks/{live.pk}/conclude/", f"/households/{live.household_id}/", "/work/", "/work/cuts/",
            f"/work/new/{live.household_id}/", "/deaths/", "/appeals/?state=", "/appeals/rules/",
        ]),
        (_user(appeal, "clerk"), [f"/appeals/{appeal.pk}/", f"/appeals/new/decision/{appeal.decision_id}/"]),
        (_user(ready, "reviewer"), [f"/rechecks/{ready.pk}/confirm/", "/rechecks/list/?state=concluded"]),
        (_user(offer, "reviewer"), [f"/work/{offer.pk}/"]),
        ("civil-officer", [f"/appeals/{appeal.pk}/rule/", f"/appeals/{appeal.pk}/suspend/", "/rechecks/rules/new/"]),
        ("county-officer", ["/appeals/rules/new/"]),
    ]  # fmt: skip
    faults = {}
    for who, pages in paths:
        window = county.sign_in(who)
        for path in pages:
            window.open(path)
            faults[path] = faults_of(window)
        assert window.errors == [] and window.elsewhere == []
    assert {path: wrong for path, wrong in faults.items() if wrong} == {}


def _user(row, post):
    """The sign-in name of whoever holds the post in the township of a row."""
    acting = actor(post, row.division[:9] + "000")
    return Account.objects.using("maintenance").get(pk=acting.account).username
