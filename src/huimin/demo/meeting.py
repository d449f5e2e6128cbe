"""Community review, so that its pages have rows: lists of representatives, and a meeting wherever an application waits for one (CASE-03).

in    applications that stand at a step which demands 民主评议
out   checked lists in their villages and in some others; a meeting in each, recorded: judged by consensus or by vote, and where three
      or more wait, one against the determination, which then waits on the township's desk

Through the rooms' commands; repeating it adds nothing. The people listed are heads of households of the village, and invented
neighbours where there are too few. Numbers are assumptions of the demonstration and say so.
"""

from datetime import date

from huimin.cases.models import Case
from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.meetings.convening import convene, word_hardship
from huimin.meetings.delegates import appoint_supervisor, check_list, enter_number, enter_representative
from huimin.meetings.holding import Came, cadres_of, hold_meeting
from huimin.meetings.judging import Result, Votes, record_minutes, record_result
from huimin.meetings.models import Item, Meeting, Participant, StatutoryNumber
from huimin.meetings.queries import count_waiting_by_village, list_waiting
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post

ON, ELECTED = dates.CLOSED, date(2021, 1, 10)
ASSUMED = "演示假设：村民代表推选结果报告单"
NUMBER = 9
LISTED_TOO = 4
NEIGHBOURS = ("汪立新", "储德兰", "余长春", "江玉梅", "漆正明", "林少华", "曾凡英", "熊启发", "廖桂芳")
WATCHING = (("程守田", "old_cadre"), ("陈秀珍", "party"))

_HEADS = """
SELECT p.name, h.household_no FROM registry_membership m JOIN registry_person p ON p.id = m.person_id
JOIN registry_household h ON h.id = m.household_id
WHERE m.division >= %(low)s AND m.division < %(low)s || '~' AND m.relation = '户主' AND m.recorded_to IS NULL AND m.valid_to IS NULL
  AND h.closed_on IS NULL
  AND NOT EXISTS (SELECT 1 FROM cases_case c WHERE c.household_id = h.id AND c.step <> '')
ORDER BY h.id LIMIT %(most)s
"""


def review(county: County) -> Figures:
    """Lists, then meetings where something waits."""
    business_day(ON)
    township = townships()[0]
    clerk = actor(Post.CLERK, township)
    with reading(clerk):
        waiting = [row.village for row in count_waiting_by_village(clerk.prefix)]
        rows = fetch(
            "SELECT code FROM divisions_division WHERE level = 12 AND parent = %s ORDER BY code LIMIT %s",
            [township, LISTED_TOO],
        )
    for village in dict.fromkeys([*waiting, *(code for (code,) in rows)]):
        _list(village, clerk)
    for village in waiting:
        _meet(village)
    with reading(clerk):
        return {"meetings": Meeting.objects.count(), "villages": StatutoryNumber.objects.count()}


def _list(village: str, clerk: Actor) -> None:
    """As elected, checked by the township; two supervisors."""
    informant, reviewer = actor(Post.INFORMATION_OFFICER, village), actor(Post.REVIEWER, clerk.division)
    with reading(informant):
        if StatutoryNumber.objects.filter(division=village).exists():
            return
        heads = [row for row in fetch(_HEADS, {"low": village, "most": NUMBER}) if len(row[0]) > 1]
    enter_number(by=informant, on=ON, village=village, number=NUMBER, basis=ASSUMED, valid_from=ELECTED)
    listed = [*heads, *((name, "") for name in NEIGHBOURS)][:NUMBER]
    for at, (name, household_no) in enumerate(listed):
        enter_representative(
            by=informant, on=ON, village=village, name=name, group_name=f"{at % 3 + 1} 组", valid_from=ELECTED,
            household_no=household_no,
        )  # fmt: skip
    check_list(by=reviewer, on=ON, village=village, agreed=True)
    for name, kind in WATCHING:
        appoint_supervisor(by=clerk, on=ON, village=village, name=name, kind=kind, valid_from=ELECTED)


def _meet(village: str) -> None:
    """One meeting over everything that waits in the village; nearly everybody came."""
    by = actor(Post.INFORMATION_OFFICER, village)
    with reading(by):
        cases = [case.pk for case in list_waiting(village)][:20]
    meeting = convene(
        by=by,
        on=ON,
        village=village,
        cases=cases,
        meets_on=ON,
        meets_at="15:00",
        location="村委会会议室",
        chair="村委会主任（演示）",
    )
    with reading(by):
        reps = list(Participant.objects.filter(meeting=meeting, role="rep").order_by("id").values_list("id", flat=True))
        watching = list(Participant.objects.filter(meeting=meeting, role="supervisor").values_list("id", flat=True))
        cadres = list(cadres_of(village, ON).filter(post=Post.CLERK).values_list("id", flat=True)[:1])
        items = list(Item.objects.filter(meeting=meeting).select_related("case").order_by("number"))
    for item in items:
        if item.case.channel != Case.Channel.LIST:
            word_hardship(by=by, on=ON, item=item.pk, text="家里劳动力少，收入不稳定")
    there = reps[: NUMBER - 1]
    hold_meeting(by=by, on=ON, meeting=meeting.pk, came=Came([*there, *watching], cadres))
    for number, item in enumerate(items):
        record_result(by=by, on=ON, item=item.pk, result=_result(item, number, there, watching))
    record_minutes(
        by=by,
        on=ON,
        meeting=meeting.pk,
        words="主持人逐户宣读基本情况和政策条件，代表发言后评议。",
        recorder="村文书（演示）",
    )


def _result(item: Item, number: int, there: list[int], watching: list[int]) -> Result:
    """As the law says, the first by vote; of three or more the third against it."""
    agrees = item.eligible is not False
    if number == 2 and item.eligible is not None:
        reasons = "代表反映的家庭情况与登记不同，要求乡镇核实"
        return Result("consensus", "代表意见与登记不同", "disagreed" if agrees else "agreed", reasons)
    if number == 0:
        yes = len(there) - 2 if agrees else 1
        votes = Votes(len(there), yes, len(there) - yes, 0, there[0], there[1], there[2], watching[0])
        return Result("vote", "多数同意" if agrees else "多数不同意，与登记相符", votes=votes)
    return Result(
        "consensus", "情况属实，同意" if agrees else "不符合条件，代表没有异议", "agreed" if agrees else "disagreed"
    )
