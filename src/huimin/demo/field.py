"""Nearly last step: work in the villages, so that its pages have rows: a survey under way, warnings, notes, letters (REG-06, REG-09, ORG-03, ORG-04).

in    the closed quarter; the county's villages
out   a campaign with every eighth village surveyed, a few changes of facts and what they warn of, a report, letters

Through the rooms' commands, in sets where there are many; the county's numbers are assumptions of the demonstration and say
so. Repeating it adds nothing. Of the changes none touches what the quarter decided or paid: they hold from September on.
"""

from datetime import date
from typing import Any

from huimin.database.bulk import fetch, fetch_one
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.quarter import County, Figures
from huimin.fieldwork import campaigns, following, letters, points, watching
from huimin.fieldwork.letters import Holder
from huimin.fieldwork.models import Assignment, Campaign, PointNote, PointReport, Signal, Visit
from huimin.fieldwork.rules import Code, set_field_rule
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post
from huimin.registry.commands.facts import record_household_facts, record_person_facts

OPENED, CHANGED, DEADLINE = date(2021, 7, 5), date(2021, 9, 20), date(2021, 10, 31)
ON = dates.CLOSED
ASSUMED = "演示假设，不是文件规定"
RULES = {
    Code.ANSWER_DAYS: 15,
    Code.URGENT_DAYS: 3,
    Code.VISIT_DAYS: 10,
    Code.MEDICAL_FEN: 1_000_000,
    Code.INCOME_PERCENT: 30,
}
EVERY_VILLAGE = 8
HOMES_CHANGED = 6

_HOMES = """
SELECT left(division, 9) || '000', array_agg(id ORDER BY id) FROM registry_household
WHERE closed_on IS NULL AND right(left(division, 12), 3)::int %% %s = 1 GROUP BY 1 ORDER BY 1
"""
# Grown-ups of the first township who hold no entitlement, so that nothing paid depends on what changes.
_PEOPLE = """
SELECT m.household_id, m.person_id FROM registry_membership m JOIN registry_person p ON p.id = m.person_id
WHERE m.valid_to IS NULL AND m.recorded_to IS NULL AND m.relation = '户主' AND p.birth_date > '1965-01-01'
AND m.division >= %(low)s AND m.division < %(high)s
AND NOT EXISTS (SELECT 1 FROM casework_entitlement e WHERE e.household_id = m.household_id)
ORDER BY m.household_id LIMIT %(most)s
"""


def visit(county: County) -> Figures:
    """Survey, watch, note, assign."""
    business_day(ON)
    officer = county_officer()
    for code, value in RULES.items():
        set_field_rule(by=officer, on=OPENED, code=code, value=value, basis=ASSUMED)
    _survey(officer)
    _warn(officer)
    _note(officer)
    _answer_for(officer)
    with reading(officer):
        forms, signals = fetch_one(
            "SELECT (SELECT count(*) FROM fieldwork_surveyform), (SELECT count(*) FROM fieldwork_signal)"
        )
    return {"forms": forms, "signals": signals}


def _survey(officer: Actor) -> None:
    """The campaign is open; clerks entered the forms of every eighth village, none of which found a change."""
    with reading(officer):
        there = Campaign.objects.exists()
        homes = fetch(_HOMES, [EVERY_VILLAGE])
    if there:
        return
    campaigns.open_campaign(by=officer, on=OPENED, year=2021, starts_on=date(2021, 7, 1), deadline=DEADLINE)
    for township, ids in homes:
        by = actor(Post.CLERK, township)
        for start in range(0, len(ids), campaigns.FORMS_MAX):
            campaigns.record_forms(
                by=by, on=ON, households=ids[start : start + campaigns.FORMS_MAX], surveyed_on=CHANGED, surveyors="村信息员、驻村干部", evidence="基本信息表存村",
            )  # fmt: skip


def _warn(officer: Actor) -> None:
    """Some work was lost, somebody lay in hospital, a house was flooded; officers were sent and one was there."""
    with reading(officer):
        [township] = fetch_one("SELECT min(left(division, 9)) || '000' FROM registry_household WHERE closed_on IS NULL")
        scope = {"low": township[:9], "high": township[:9] + "~", "most": HOMES_CHANGED}
        people = fetch(_PEOPLE, scope)
        done = Signal.objects.exists()
    clerk = actor(Post.CLERK, township)
    if not done:
        for number, (home, person) in enumerate(people):
            _change(clerk, number, home, person)
    watching.watch_low_income(by=officer, on=ON)
    with reading(officer):
        waiting = list(Signal.objects.filter(state=Signal.State.OPEN, division__startswith=township[:9]).order_by("id"))
        visited = Visit.objects.exists()
    if waiting and not visited:
        following.assign_signals(by=clerk, on=ON, signals=[row.pk for row in waiting[:3]])
        following.record_visit(
            by=clerk, on=ON, signal=waiting[0].pk, visited_on=ON, visitors=[clerk.name], next_on=date(2021, 10, 20),
            result="在家附近打零工，暂能维持；下月再看",
        )  # fmt: skip


def _change(clerk: Actor, number: int, home: int, person: int) -> None:
    """One of three misfortunes, with what was known before it."""
    common: dict[str, Any] = {"by": clerk, "on": ON, "evidence": "入户核实（演示）"}
    if number % 3 == 2:
        told = {"disaster": "重", "disaster_date": CHANGED}
        record_household_facts(**common, household=home, facts=told, since=CHANGED)
        return
    before, after = (
        ({"employed": True}, {"employed": False, "wage_month": 0})
        if number % 3 == 0
        else (
            {"hospital_cost": 0, "hospital_reimbursed": 0},
            {"hospital_cost": 4_200_000, "hospital_reimbursed": 2_300_000},
        )
    )
    record_person_facts(**common, person=person, facts=before, since=date(2021, 9, 1))
    record_person_facts(**common, person=person, facts=after, since=CHANGED)


def _note(officer: Actor) -> None:
    """A village's notes: one answered, one that went up to the county; its report of the quarter."""
    with reading(officer):
        [village] = fetch_one("SELECT min(left(division, 12)) FROM registry_household WHERE closed_on IS NULL")
        done, reported = PointNote.objects.exists(), PointReport.objects.exists()
    informant, clerk = actor(Post.INFORMATION_OFFICER, village), actor(Post.CLERK, village[:9] + "000")
    if not done:
        told = {"by": informant, "on": CHANGED, "happened_on": CHANGED}
        points.record_note(
            **told, kind="income", text="今年茶叶价格比去年低两成，多数茶农减收", urgent=False, asks=False
        )
        road = points.record_note(**told, kind="other", text="通组路水毁三十米，校车绕行", urgent=True, asks=True)
        water = points.record_note(**told, kind="housing", text="高处八户秋季饮水困难", urgent=False, asks=True)
        points.answer_note(by=clerk, on=ON, note=road.pk, answer="已抢通便道，十月修复路面")
        points.escalate_note(by=clerk, on=ON, note=water.pk, reason="需新建蓄水池，乡镇没有资金")
    if not reported:
        points.submit_report(by=informant, on=ON, year=2021, number=3, text="茶叶减收，饮水一处待解决")


def _answer_for(officer: Actor) -> None:
    """Each township has somebody of the county, but the last, so that a gap shows."""
    with reading(officer):
        done = Assignment.objects.exists()
        codes = [
            code
            for (code,) in fetch(
                "SELECT code FROM divisions_division WHERE parent = %s ORDER BY code", [officer.division]
            )
        ]
    if done:
        return
    for number, code in enumerate(codes[:-1], 1):
        letters.assign(
            by=officer, on=OPENED, kind="letter", division=code, valid_from=date(2021, 1, 1), last_day=date(2021, 12, 31),
            holder=Holder(f"县干部{number}（演示）", "包乡镇县级干部", "县人民政府"), letter_no=f"演示〔2021〕{number} 号",
        )  # fmt: skip
