"""Households that draw rural 低保, and who re-checks them."""

from datetime import date

from huimin.casework.changes import confirm_change, enter_change
from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rechecks.beginning import begin_rechecks, record_means
from huimin.rechecks.models import Recheck
from huimin.registry.models import Household
from tests.casework.test_changes import told
from tests.registry.people import officer, staff

PROGRAMME = "dibao-rural"
BEGUN = date(2021, 8, 2)
RICH = {"household": {"deposits": 99_999_900, "vehicles": 3}, "people": {}}


def civil(post):
    return actor(post, OfficeKind.CIVIL_AFFAIRS)


def drawing(nth=0):
    """The nth household that draws it."""
    with reading(officer()):
        rows = Entitlement.objects.filter(programme=PROGRAMME, household__closed_on=None).order_by("id")
        return Household.objects.get(pk=rows[nth].household_id)


def informant(of):
    return actor(Post.INFORMATION_OFFICER, of.division[:12])


def begun(of, on=BEGUN):
    begin_rechecks(by=staff(Post.CLERK, of), on=on, households=[of.pk])
    with reading(officer()):
        return Recheck.objects.select_related("household").filter(household=of).order_by("-id")[0]


def looked(row, on=BEGUN, **more):
    said = {
        "kind": "compared",
        "done_on": on,
        "people": "信息核对员李明",
        "words": "社保、车辆、不动产比对没有新增",
    } | more
    return record_means(by=staff(Post.CLERK, row.household), on=on, recheck=row.pk, **said)


def change(of, payload, on=BEGUN):
    """Entered by the clerk, and confirmed by another where money hangs on it."""
    row = enter_change(by=staff(Post.CLERK, of), on=on, told=told(of, "facts", payload, on=on))
    return confirm_change(by=staff(Post.REVIEWER, of), on=on, change=row.pk) if row.state == "entered" else row


def reread(row):
    with reading(officer()):
        return Recheck.objects.select_related("household", "run").get(pk=row.pk)
