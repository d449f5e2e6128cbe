"""A household the law helps, the people who act on its case, and stand-ins for records that come from other rooms."""

from contextlib import contextmanager
from datetime import date, timedelta

from huimin.cases import evidence
from huimin.cases.asking import Asked, open_case, papers_of
from huimin.cases.evidence import Held, Reference
from huimin.cases.models import Case
from huimin.cases.taking import countersign, publish_case, take_step, write_report
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.processes.queries import way_of
from huimin.registry.models import Household
from huimin.screening.models import Proposal
from tests.samples.people import sampled_at_once

DAY = dates.SCREENED
PROGRAMME = "dibao-rural"


def entering(programme=PROGRAMME, nth=0):
    """A household that the screening proposes to enter."""
    with reading(county_officer()):
        rows = Proposal.objects.filter(programme=programme, kind="enter", state="open", person=None).order_by("id")
        return Household.objects.get(pk=rows[nth].household_id)


def people(house):
    """Who acts at which level for the place of the household."""
    township, village = house.division[:9] + "000", house.division[:12]
    return {
        Post.INFORMATION_OFFICER: actor(Post.INFORMATION_OFFICER, village),
        **{post: actor(post, township) for post in (Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.SETTLEMENT)},
        **{post: actor(post, OfficeKind.CIVIL_AFFAIRS) for post in (Post.DEPARTMENT_OFFICER, Post.DEPARTMENT_APPROVER)},
        Post.FINANCE_OFFICER: actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE),
        Post.SUPERVISOR: actor(Post.SUPERVISOR, OfficeKind.AUDIT),
    }


def ask(house, by, *, on=DAY, missing=(), signed=True, programme=PROGRAMME, **asked):
    with reading(by):
        papers = papers_of(programme, house.division, on)
    told = Asked(**{"channel": Case.Channel.DESK, **asked})
    present = [name for name in papers if name not in missing]
    return open_case(
        by=by, on=on, household=house.pk, programme=programme, asked=told, present=present,
        declared_on=on if signed else None,
    )  # fmt: skip


@contextmanager
def records(*kinds):
    """As if rooms that keep visits, meetings and samples were there and held a record for every step."""
    before = dict(evidence._KINDS)
    for kind in kinds:
        evidence.holds(
            kind,
            lambda case, step, demand, on: Held((Reference(f"test:{case.pk}:{case.round}:{step.key}", "0" * 64, on),)),
            sampled_at_once if kind == "抽查" else None,  # the database asks for a draw
        )
    try:
        yield
    finally:
        evidence._KINDS.clear()
        evidence._KINDS.update(before)


ALL_RECORDS = ("入户调查", "民主评议", "抽查")


def fill(case, by, on, everybody):
    """Write, publish, countersign what the step asks for; the day on which it can be passed."""
    step = way_of(case.process).step(case.step)
    for demand in step.demands:
        if demand.kind == "报告":
            write_report(by=by, on=on, case_id=case.pk, name=demand.name, text="经核实，情况属实。")
        if demand.kind == "会签":
            for each in demand.acting:
                countersign(by=everybody[each.post], on=on, case_id=case.pk, agreed=True, text="")
        if demand.kind == "公示":
            publish_case(by=by, on=on, case_id=case.pk)
            on += timedelta(days=demand.number + 1)
    return on


def reread(case):
    with reading(county_officer()):
        return Case.objects.select_related("process").get(pk=case.pk)


def walk(case, everybody, on=DAY, until=""):
    """Take the straight way to `until` (or the end), each step by the first post it names; the day it ends."""
    case = reread(case)
    while case.step and case.step != until:
        step = way_of(case.process).step(case.step)
        by = everybody[step.acting[0].post]
        if case.responsible != by.appointment and by.post in (Post.CLERK, Post.INFORMATION_OFFICER):
            by = next(
                each for each in everybody.values() if each.appointment == case.responsible or each.post == by.post
            )
        on = fill(case, by, on, everybody)
        take_step(by=by, on=on, case_id=case.pk, step=case.step, outcome="passed")
        case = reread(case)
    return case, on


FIRST = date(2021, 7, 1)
