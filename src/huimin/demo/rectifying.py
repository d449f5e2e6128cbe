"""A rectification campaign under way, so that its pages have rows: opened, partly visited, reviewed, drawn, reported (CASE-10).

in    the county after its quarter
out   one campaign over rural 低保; in its first township some items visited, judged and reviewed; a draw; a case; two reports

Through the rooms' commands, with the days they would have had; repeating it adds nothing. Nothing here touches an entitlement.
The document, the leading group and the case are invented and say so.
"""

from datetime import date

from huimin.database.bulk import fetch_one
from huimin.demo import dates
from huimin.demo.actors import COUNTY, actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County, Figures
from huimin.demo.visiting import drawn
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rectification import checking, finding, planning, reporting
from huimin.rectification.finding import Finding
from huimin.rectification.models import Campaign, Item
from huimin.rectification.planning import Member, Plan
from huimin.visits.findings import Found
from huimin.visits.models import Visit, VisitPaper
from huimin.visits.recording import add_paper, record_visit, sign_visit

PROGRAMME = "dibao-rural"
PLANNED, OPENED, VISITED, REVIEWED = date(2021, 7, 5), date(2021, 7, 6), date(2021, 8, 12), date(2021, 8, 16)
FROZEN, DRAWN = date(2021, 9, 1), date(2021, 9, 2)
ON = dates.CLOSED
PHASES = (
    (date(2021, 7, 5), date(2021, 7, 15)), (date(2021, 7, 16), date(2021, 8, 31)), (date(2021, 9, 1), date(2021, 10, 15)),
    (date(2021, 10, 16), date(2021, 11, 15)),
)  # fmt: skip
VISITED_MAX = 5


def rectify(county: County) -> Figures:
    """Plan, open, visit, judge, review, draw, report."""
    business_day(ON)
    officer, approver = (
        actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS),
        actor(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS),
    )
    with reading(officer):
        found = Campaign.objects.first()
    campaign = found or _begin(officer, approver)
    if not found:
        _judge(campaign)
        _draw(campaign, officer, approver)
        _report(campaign, officer, approver)
    with reading(officer):
        items, reviewed = fetch_one(
            "SELECT count(*)::int, count(*) FILTER (WHERE state = 'reviewed')::int FROM rectification_item"
        )
    return {"items": items, "reviewed": reviewed}


def _begin(officer: Actor, approver: Actor) -> Campaign:
    plan = Plan(
        title="2021 年农村低保政策执行专项整治（演示）", document_no="演示〔2021〕15 号", basis="以日政办发〔2018〕95号为样式，演示用",
        aim="对象认定准确，程序规范，应保尽保、应退尽退。", programmes=[PROGRAMME], phases=PHASES, interim_on=date(2021, 8, 31),
        summary_on=date(2021, 11, 5), sent_to="六安市民政局（演示）",
        group=[Member("leader", "演示组长", "县人民政府"), Member("deputy", "演示副组长", "县人民政府"), Member("office", "演示主任", "县民政局")],
    )  # fmt: skip
    made = planning.plan_campaign(by=officer, on=PLANNED, division=COUNTY, plan=plan)
    return planning.open_campaign(by=approver, on=OPENED, campaign_id=made.pk)


def _judge(campaign: Campaign) -> None:
    """The township with most on the list has been to some homes: most keep, one is to leave, one was sent back."""
    with reading(county_officer()):
        [township] = fetch_one(
            "SELECT left(division, 9) || '000' FROM rectification_item WHERE campaign_id = %s GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
            [campaign.pk],
        )
        rows = list(
            Item.objects.filter(campaign=campaign, division__startswith=township[:9]).order_by("-risk_count", "id")[
                :VISITED_MAX
            ]
        )
    clerk, reviewer = actor(Post.CLERK, township), actor(Post.REVIEWER, township)
    for at, item in enumerate(rows):
        _visit(item, (clerk, actor(Post.INFORMATION_OFFICER, item.division[:12])))
        finding.record_result(by=clerk, on=VISITED, item_id=item.pk, finding=_found(item, at))
        if at < len(rows) - 1:
            finding.review_results(by=reviewer, on=REVIEWED, items=[item.pk])
    if len(rows) > 2:
        finding.return_result(by=reviewer, on=REVIEWED, item_id=rows[1].pk, reason="收入证明没有附，请补查")


def _found(item: Item, at: int) -> Finding:
    if item.origin != Item.Origin.HELD:
        return Finding("enter", "入户核实，收入低于标准，符合条件", "核对报告（演示）")
    if at == 0:
        return Finding("leave", "子女有固定工资，人均收入超过标准", "工资证明、核对报告（演示）")
    return Finding("keep", "入户核实，收入和人口没有变化", "核对报告（演示）" if item.risks else "")


def _visit(item: Item, who: tuple[Actor, Actor]) -> None:
    made = record_visit(
        by=who[0], on=VISITED, household=item.household_id, purpose=Visit.Purpose.RECTIFICATION, subject=item.subject, visited_on=VISITED,
        investigators=[each.appointment for each in who], met="applicant",
        found=Found(topics={"living": "砖瓦房三间", "work": "务农"}), round=item.round,
    )  # fmt: skip
    add_paper(
        by=who[0],
        on=VISITED,
        visit_id=made.pk,
        kind=VisitPaper.Kind.FORM,
        content=drawn(made.pk),
        file_name="调查表.png",
    )
    sign_visit(by=who[0], on=VISITED, visit_id=made.pk)


def _draw(campaign: Campaign, officer: Actor, approver: Actor) -> None:
    checking.freeze_draw(by=officer, on=FROZEN, campaign_id=campaign.pk, event="pl5", event_on=DRAWN)
    for by in (officer, approver):
        checking.type_number(by=by, on=DRAWN, campaign_id=campaign.pk, number="40917")


def _report(campaign: Campaign, officer: Actor, approver: Actor) -> None:
    """July without a case, August with one; the first was received, the second is on its way; September is due."""
    told = reporting.Told(
        "relation", COUNTY, date(2021, 8, 10), "入户核查", "王某（虚构）", "某村会计（虚构）", "隐瞒亲属工资收入，为其办理农村低保（演示，虚构）",
    )  # fmt: skip
    case = reporting.enter_case(by=officer, on=VISITED, campaign_id=campaign.pk, told=told)
    reporting.handle_case(by=officer, on=REVIEWED, case=case.pk, handling="停发并追回，责令检查（演示，虚构）")
    reporting.hand_to_discipline(
        by=officer, on=REVIEWED, case=case.pk, handed_to="县纪委监委", handed_no="演示 1 号", handed_on=REVIEWED
    )
    july = reporting.submit(
        by=approver, on=date(2021, 7, 23), campaign_id=campaign.pk, kind="monthly", month=date(2021, 7, 1)
    )
    reporting.enter_receipt(
        by=officer,
        on=date(2021, 7, 26),
        submission=july.pk,
        receiver="六安市民政局（演示）",
        received_on=date(2021, 7, 26),
    )
    reporting.submit(by=approver, on=date(2021, 8, 25), campaign_id=campaign.pk, kind="monthly", month=date(2021, 8, 1))
