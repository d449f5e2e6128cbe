"""A village with representatives and supervisors, and a meeting over cases, for tests of community review."""

from datetime import timedelta

from huimin.cases.models import Case
from huimin.cases.taking import take_step
from huimin.demo.actors import actor
from huimin.meetings.convening import convene
from huimin.meetings.delegates import (
    appoint_supervisor,
    check_list,
    enter_number,
    enter_representative,
)
from huimin.meetings.holding import Came, cadres_of, hold_meeting
from huimin.meetings.judging import Result, Votes, record_minutes, record_result
from huimin.meetings.models import Item, Participant
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post
from tests.cases.people import DAY, ask, entering, people, records

NUMBER = 6
BEFORE = DAY - timedelta(days=30)


def informant(house):
    return actor(Post.INFORMATION_OFFICER, house.division[:12])


def listed(house, number=NUMBER, names=NUMBER, supervisors=1, relative=False, by=None):
    """The village's list, checked; with `relative` the first representative lives in the household."""
    village, who = house.division[:12], people(house)
    keeper = by or who[Post.INFORMATION_OFFICER]
    enter_number(by=keeper, on=DAY, village=village, number=number, basis="推选结果报告单", valid_from=BEFORE)
    for at in range(names):
        told = {"name": f"代表{at:02d}", "group_name": f"{at % 3 + 1} 组"}
        if relative and at == 0:
            told |= own_name(house)
        enter_representative(by=keeper, on=DAY, village=village, valid_from=BEFORE, phone="160 1234 5678", **told)
    check_list(by=who[Post.REVIEWER], on=DAY, village=village, agreed=True)
    for at in range(supervisors):
        appoint_supervisor(
            by=who[Post.CLERK], on=DAY, village=village, name=f"监督{at}", kind="party", valid_from=BEFORE
        )
    return village


def own_name(house):
    """Name and household of somebody who lives in it."""
    from huimin.demo.granting import county_officer
    from huimin.registry.models import Membership

    with reading(county_officer()):
        first = (
            Membership.objects.filter(household=house, recorded_to=None, valid_to=None).select_related("person").first()
        )
    return {"name": first.person.name, "household_no": house.household_no}


def to_review(house, who=None):
    """An application of the household that waits for its meeting."""
    who = who or people(house)
    case = ask(house, who[Post.CLERK])
    with records("入户调查"):
        return take_step(by=who[Post.CLERK], on=DAY, case_id=case.pk, step="调查", outcome="passed")


def called(house, cases, meets_on=DAY):
    return convene(
        by=informant(house), on=DAY, village=house.division[:12], cases=[case.pk for case in cases], meets_on=meets_on,
        meets_at="15:00", location="村委会会议室", chair="李明 村委会主任",
    )  # fmt: skip


def came(meeting, house, reps=None, supervisors=True, cadres=True):
    """So many representatives, and who watches."""
    with reading(informant(house)):
        rows = list(Participant.objects.filter(meeting=meeting, role="rep").order_by("id").values_list("id", flat=True))
        watching = list(Participant.objects.filter(meeting=meeting, role="supervisor").values_list("id", flat=True))
        officers = list(cadres_of(meeting.division, meeting.meets_on).filter(post="clerk").values_list("id", flat=True))
    ticked = rows if reps is None else rows[:reps]
    return Came([*ticked, *(watching if supervisors else [])], officers[:1] if cadres else [])


def held(house, cases, **who):
    meeting = called(house, cases)
    return hold_meeting(by=informant(house), on=DAY, meeting=meeting.pk, came=came(meeting, house, **who))


def items_of(meeting, house):
    with reading(informant(house)):
        return list(Item.objects.filter(meeting=meeting).order_by("number"))


def seats(meeting, house):
    """Participants who were there: representatives and supervisors, by id."""
    with reading(informant(house)):
        rows = Participant.objects.filter(meeting=meeting, present=True).order_by("id")
        return [p.pk for p in rows if p.role == "rep"], [p.pk for p in rows if p.role == "supervisor"]


def votes(meeting, house, in_favour, against=0, abstained=0, ballots=None, skip=0, **more):
    reps, watching = seats(meeting, house)
    told = {
        "ballots": in_favour + against + abstained if ballots is None else ballots, "in_favour": in_favour,
        "against": against, "abstained": abstained, "scrutineer": reps[skip], "caller": reps[skip + 1],
        "counter": reps[skip + 2], "overseer": watching[0],
    }  # fmt: skip
    return Votes(**(told | more))


def agreed(**more):
    return Result(**{"how": "consensus", "words": "家里确实困难，同意", "outcome": "agreed", **more})


def judged(house, cases, result=None):
    """Held, every case judged alike, minutes signed."""
    meeting = held(house, cases)
    for item in items_of(meeting, house):
        record_result(by=informant(house), on=DAY, item=item.pk, result=result or agreed())
    return record_minutes(
        by=informant(house), on=DAY, meeting=meeting.pk, words="逐户宣读后评议。", recorder="王芳 村文书"
    )


__all__ = ["Case", "entering"]
