"""Policies adopted, everybody screened, proposals decided: from facts to entitlements.

in    the registered county; out entitlements from July on. Each step may be repeated: what is done is left alone.
"""

from django.conf import settings

from huimin.casework.commands import StillUnknown, decide_proposals
from huimin.casework.screening import screen
from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.quarter import County, Figures
from huimin.demo.refusing import must_refuse
from huimin.organisation.acting import Actor, NotYourPost, NotYourProgramme, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.policy.commands import adopt_policies, read_folder
from huimin.policy.models import Programme
from huimin.screening.models import Proposal, Run

DEPARTMENTS = {
    "dibao-rural": OfficeKind.CIVIL_AFFAIRS,
    "grain-one-off": OfficeKind.AGRICULTURE,
    "reservoir-migrant": OfficeKind.WATER,
}


def county_officer() -> Actor:
    return actor(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)


def adopt(county: County) -> Figures:
    """The policy texts of this checkout come into use."""
    business_day(dates.ADOPTED)
    by = county_officer()
    adopt_policies(by=by, on=dates.ADOPTED, texts=read_folder(settings.POLICY_FOLDER))
    with reading(by):
        return {"programmes": Programme.objects.count()}


def determine(county: County) -> Figures:
    """One screening of the whole county for 1 July; not again when it is there."""
    business_day(dates.SCREENED)
    by = county_officer()
    with reading(by):
        done = Run.objects.filter(state=Run.State.FINISHED, determination_date=dates.DETERMINED_FOR).exists()
    if not done:
        screen(by=by, on=dates.SCREENED, division=county.code, determination_date=dates.DETERMINED_FOR)
    with reading(by):
        counted = dict(fetch("SELECT programme, count(*) FROM screening_proposal WHERE kind = 'enter' GROUP BY 1"))
        total, unknown, amount = fetch_one(
            "SELECT count(*), count(*) FILTER (WHERE kind = 'unknown'), sum(amount_fen)::bigint FROM screening_proposal"
        )
    return {"proposals": total, "unknown": unknown, "enter": counted, "amount_fen": amount}


def decide(county: County) -> Figures:
    """Each department decides its own programme at one stroke; what is unknown cannot be granted."""
    business_day(dates.DECIDED)
    _refused_decisions(county)
    for programme, office in DEPARTMENTS.items():
        by = actor(Post.DEPARTMENT_APPROVER, office)
        with reading(by):
            waiting = Proposal.objects.filter(programme=programme, state="open").exclude(kind="unknown").exists()
        if waiting:
            decide_proposals(by=by, on=dates.DECIDED, programme=programme, division=county.code, grant=True)
    with reading(county_officer()):
        [count, amount] = fetch_one("SELECT count(*), sum(amount_fen)::bigint FROM casework_entitlement")
    return {"entitlements": count, "amount_fen": amount}


def _refused_decisions(county: County) -> None:
    everything = {"on": dates.DECIDED, "division": county.code, "grant": True}
    must_refuse(decide_proposals, NotYourPost, by=county_officer(), programme="dibao-rural", **everything)
    farmers = actor(Post.DEPARTMENT_APPROVER, OfficeKind.AGRICULTURE)
    must_refuse(decide_proposals, NotYourProgramme, by=farmers, programme="dibao-rural", **everything)
    with reading(farmers):
        unknown = Proposal.objects.filter(kind="unknown", programme="grain-one-off").values_list("pk", flat=True)[:1]
        ids = list(unknown)
    if ids:
        must_refuse(
            decide_proposals, StillUnknown, by=farmers, programme="grain-one-off", proposal_ids=ids, **everything
        )
