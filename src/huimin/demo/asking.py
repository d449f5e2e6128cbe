"""People who come to the desk, so that applications are seen on their way (CASE-01, SVC-01).

in    the closed quarter; households that hold nothing of 低保
out   seven applications in the first township: accepted, waiting for papers, not accepted, taken back

Through the rooms' commands; repeating it adds nothing. They go on in `going_on`. None of it is decided, so that no figure of the
quarter changes.
"""

from huimin.cases.asking import Asked, decline_case, open_case, papers_of, withdraw_case
from huimin.cases.models import Case
from huimin.database.bulk import fetch
from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.organisation.acting import reading
from huimin.organisation.posts import Post

PROGRAMME = "dibao-rural"
ON = dates.CLOSED
_HOUSES = """
SELECT h.id, h.division FROM registry_household h
WHERE h.closed_on IS NULL AND h.division >= %(low)s AND h.division < %(high)s
  AND NOT EXISTS (SELECT 1 FROM casework_entitlement e WHERE e.household_id = h.id AND e.programme = %(programme)s)
ORDER BY h.id DESC LIMIT 7
"""
CAME = (
    Asked(Case.Channel.DESK, "丈夫去世，两个孩子上学"),
    Asked(Case.Channel.VILLAGE, "本人残疾，无法外出务工"),
    Asked(Case.Channel.DISCOVERY, "网格员走访发现老人独居、生病无人照料"),
    Asked(Case.Channel.PROXY, "老人行动不便", "邻居代办", "2021年9月委托书"),
    Asked(Case.Channel.DESK, "今年大病住院，花费较大"),
    Asked(Case.Channel.DESK, "户口在外地，暂住本村"),
    Asked(Case.Channel.DESK, "家里收成不好"),
)
WITHOUT_PAPERS = (3, 4, 5)


def ask(county: County) -> Figures:
    """Come, be told, be accepted."""
    business_day(ON)
    township = townships()[0]
    clerk = actor(Post.CLERK, township)
    with reading(clerk):
        done = Case.objects.exists()
        houses = fetch(_HOUSES, {"low": clerk.prefix, "high": clerk.prefix + "~", "programme": PROGRAMME})
        papers = papers_of(PROGRAMME, township, ON)
    for number, ((house, _), came) in enumerate([] if done else zip(houses, CAME, strict=False)):
        present = papers[:1] if number in WITHOUT_PAPERS else papers
        signed = None if number in WITHOUT_PAPERS else ON
        made = open_case(
            by=clerk, on=ON, household=house, programme=PROGRAMME, asked=came, present=present, declared_on=signed
        )
        if number == 5:
            decline_case(by=clerk, on=ON, case_id=made.pk, reason="户籍不在本县", where_to="户籍地乡镇政府")
        if number == 6:
            withdraw_case(by=clerk, on=ON, case_id=made.pk, reason="申请人已外出务工")
    with reading(clerk):
        return {"asked": Case.objects.count()}
