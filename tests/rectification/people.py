"""A campaign over rural 低保 in one township as tests make it: who acts, the plan, visits of its items."""

from datetime import date

from huimin.casework.commands import decide_proposals
from huimin.demo.actors import COUNTY, actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rectification.finding import Finding, record_result, review_results
from huimin.rectification.models import Item
from huimin.rectification.planning import Member, Plan, open_campaign, plan_campaign
from huimin.screening.models import Proposal
from huimin.visits.findings import Found
from huimin.visits.models import Visit, VisitPaper
from huimin.visits.recording import add_paper, record_visit, sign_visit
from tests.visits.people import PNG, TOPICS

PROGRAMME = "dibao-rural"
GRANTED, OPENED = date(2021, 6, 24), date(2021, 7, 5)
PHASES = (
    (date(2021, 7, 1), date(2021, 7, 15)), (date(2021, 7, 16), date(2021, 8, 31)), (date(2021, 9, 1), date(2021, 9, 30)),
    (date(2021, 10, 1), date(2021, 10, 31)),
)  # fmt: skip
GROUP = (Member("leader", "县长甲", "县人民政府"), Member("office", "局长乙", "县民政局"))


def planner():
    return actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)


def opener():
    return actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)


def plan(**changed):
    told = {
        "title": "2021 年农村低保专项整治", "document_no": "示例民发〔2021〕9 号", "basis": "日政办发〔2018〕95号（样式）",
        "programmes": [PROGRAMME], "phases": PHASES, "summary_on": date(2021, 10, 20), "interim_on": date(2021, 8, 31),
        "sent_to": "六安市民政局（示例）", "group": GROUP,
    }  # fmt: skip
    return Plan(**told | changed)


def granted_but(left_open=1):
    """Everybody the screening proposes for rural 低保 is granted, but some in the township that has most; its code."""
    with reading(county_officer()):
        rows = list(Proposal.objects.filter(programme=PROGRAMME, kind="enter", state="open").order_by("id"))
    places = [row.division[:9] for row in rows]
    township = max(sorted(set(places)), key=places.count)
    kept = [row.pk for row in rows if row.division.startswith(township)][:left_open]
    ids = [row.pk for row in rows if row.pk not in kept]
    decide_proposals(by=opener(), on=GRANTED, programme=PROGRAMME, division=COUNTY, grant=True, proposal_ids=ids)
    business_day(OPENED)
    return township + "000"


def opened(division, **changed):
    made = plan_campaign(by=planner(), on=OPENED, division=division, plan=plan(**changed))
    return open_campaign(by=opener(), on=OPENED, campaign_id=made.pk)


def items(campaign, **wanted):
    return list(Item.objects.using("maintenance").filter(campaign_id=campaign.pk, **wanted).order_by("number"))


def of_township(division):
    """Who judges there."""
    township = division[:9] + "000"
    return {post: actor(post, township) for post in (Post.CLERK, Post.REVIEWER, Post.TOWNSHIP_HEAD)}


def visit(item, who, *, on, subject="", sign=True):
    """A visit of an item by two people, signed on the form."""
    made = record_visit(
        by=who[0], on=on, household=item.household_id, purpose=Visit.Purpose.RECTIFICATION, subject=subject or item.subject,
        visited_on=on, investigators=[each.appointment for each in who], met="applicant", found=Found(topics=TOPICS),
        round=item.round,
    )  # fmt: skip
    if sign:
        add_paper(
            by=who[0],
            on=on,
            visit_id=made.pk,
            kind=VisitPaper.Kind.FORM,
            content=PNG + f"{made.pk}".encode(),
            file_name="表.png",
        )
        sign_visit(by=who[0], on=on, visit_id=made.pk)
    return made


def went(item):
    """The township's clerk and the village's officer go together."""
    return actor(Post.CLERK, item.division[:9] + "000"), actor(Post.INFORMATION_OFFICER, item.division[:12])


def judged(item, on, result="keep", **more):
    """Visited, found and reviewed."""
    who = of_township(item.division)
    visit(item, went(item), on=on)
    told = Finding(result, "入户核实，收入低于标准", more.pop("evidence", "核对报告 1 号"), **more)
    record_result(by=who[Post.CLERK], on=on, item_id=item.pk, finding=told)
    review_results(by=who[Post.REVIEWER], on=on, items=[item.pk])
