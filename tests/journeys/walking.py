"""Taking a case along its way with real records of every room: visits, meetings, samples, notices, reports (journeys of cases).

`Walker.fill` makes what the step the case stands at must hold, as the posts of the place would; `Walker.to` goes on to a
step. Nothing is stood in for.
"""

import struct
import uuid
import zlib
from datetime import date, timedelta

from huimin.cases.asking import Asked, open_case, papers_of
from huimin.cases.models import Case
from huimin.cases.taking import countersign, publish_case, take_step, write_report
from huimin.meetings.convening import convene
from huimin.meetings.delegates import appoint_supervisor, check_list, enter_number, enter_representative
from huimin.meetings.holding import Came, hold_meeting
from huimin.meetings.judging import Result, record_minutes, record_result
from huimin.meetings.models import Item, Participant
from huimin.organisation.acting import Actor, reading
from huimin.organisation.posts import Post
from huimin.processes.language import Demand, Step
from huimin.processes.queries import way_of
from huimin.samples.checking import Told, record_check
from huimin.samples.drawing import Named, draw_list, freeze_cases, read_number
from huimin.samples.models import DrawCase
from huimin.visits.findings import Found, Neighbour
from huimin.visits.models import Visit
from huimin.visits.recording import add_paper, record_visit, sign_visit
from tests.journeys.places import County

SEEN = {
    "health": "长期患病，在家休养",
    "living": "砖瓦房三间，无电器",
    "work": "无业，无固定收入",
    "spending": "药费每月二百余元",
}


def picture() -> bytes:
    """A PNG of one grey pixel that is like no other."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    text = b"Comment\0" + uuid.uuid4().hex.encode()
    parts = ((b"IHDR", head), (b"tEXt", text), (b"IDAT", zlib.compress(b"\0\x80")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def elect(village: str, who: dict[Post, Actor], on: date, number: int = 6) -> None:
    """The village's representatives and its volunteer supervisor, checked by the township."""
    keeper, since = who[Post.INFORMATION_OFFICER], on - timedelta(days=30)
    enter_number(by=keeper, on=on, village=village, number=number, basis="推选结果报告单", valid_from=since)
    for at in range(number):
        name = "代表" + "甲乙丙丁戊己庚辛壬癸"[at]
        enter_representative(
            by=keeper, on=on, village=village, name=name, group_name=f"{at % 3 + 1} 组", valid_from=since
        )
    check_list(by=who[Post.REVIEWER], on=on, village=village, agreed=True)
    appoint_supervisor(by=who[Post.CLERK], on=on, village=village, name="监督甲", kind="party", valid_from=since)


class Walker:
    """One case and everybody who may act on it; `on` is today, and moves on."""

    def __init__(self, case: Case, who: dict[Post, Actor], on: date, second: Actor) -> None:
        self.case, self.who, self.on, self.second = case, who, on, second

    def now(self) -> Step:
        return way_of(self.reread().process).step(self.case.step)

    def reread(self) -> Case:
        with reading(self.who[Post.CLERK]):
            self.case = Case.objects.select_related("process", "household").get(pk=self.case.pk)
        return self.case

    def actor(self, step: Step) -> Actor:
        """Who answers for the case where his post may act, else the first post the step names."""
        able = [by for by in self.who.values() if step.may(by.post, by.level)]
        mine = [by for by in able if by.appointment == self.case.responsible]
        return (mine or [by for acting in step.acting for by in able if by.post == acting.post])[0]

    def fill(self) -> None:
        step = self.now()
        for demand in step.demands:
            fills = {
                "报告": self.report, "会签": self.countersigned, "公示": self.noticed, "入户调查": self.visited,
                "民主评议": self.reviewed, "抽查": self.sampled,
            }  # fmt: skip
            fills.get(demand.kind, lambda *_: None)(step, demand)

    def report(self, step: Step, demand: Demand) -> None:
        write_report(by=self.actor(step), on=self.on, case_id=self.case.pk, name=demand.name, text="经核实，情况属实。")

    def countersigned(self, step: Step, demand: Demand) -> None:
        for each in demand.acting:
            countersign(by=self.who[each.post], on=self.on, case_id=self.case.pk, agreed=True, text="")

    def noticed(self, step: Step, demand: Demand) -> None:
        publish_case(by=self.actor(step), on=self.on, case_id=self.case.pk)
        self.on += timedelta(days=demand.number + 1)

    def visited(self, step: Step, demand: Demand) -> Visit:
        by = self.who[Post.CLERK]
        made = record_visit(
            by=by, on=self.on, household=self.case.household_id, purpose=Visit.Purpose.APPLICATION,
            subject=self.case.subject, case_id=self.case.pk, visited_on=self.on, met=Visit.Met.APPLICANT,
            investigators=[by.appointment, self.second.appointment],
            found=Found(SEEN, neighbours=(Neighbour("邻居甲（演示）", "同组", "家里确实困难"),)),
        )  # fmt: skip
        add_paper(by=by, on=self.on, visit_id=made.pk, kind="form", content=picture(), file_name="form.png")
        return sign_visit(by=by, on=self.on, visit_id=made.pk)

    def reviewed(self, step: Step, demand: Demand) -> None:
        """A meeting today of everybody on the list, who agree."""
        by = self.who[Post.INFORMATION_OFFICER]
        meeting = convene(
            by=by, on=self.on, village=self.case.division[:12], cases=[self.case.pk], meets_on=self.on, meets_at="15:00",
            location="村委会会议室", chair="李明 村委会主任",
        )  # fmt: skip
        with reading(by):
            listed = list(Participant.objects.filter(meeting=meeting).values_list("id", flat=True))
        hold_meeting(by=by, on=self.on, meeting=meeting.pk, came=Came(listed, [self.who[Post.CLERK].appointment]))
        with reading(by):
            items = list(Item.objects.filter(meeting=meeting).values_list("id", flat=True))
        agreed = Result(how="consensus", words="家里确实困难，同意", outcome="agreed")
        for item in items:
            record_result(by=by, on=self.on, item=item, result=agreed)
        record_minutes(
            by=by, on=self.on, meeting=meeting.pk, words="逐户宣读后评议，没有不同意见。", recorder="王芳 村文书"
        )

    def sampled(self, step: Step, demand: Demand) -> None:
        """Frozen today, drawn by tomorrow's lottery number, which two people typed; who is drawn is visited by the county."""
        officer, other = self.who[Post.DEPARTMENT_OFFICER], self.who[Post.SUPERVISOR]
        next_day = self.on + timedelta(days=1)
        drawn = freeze_cases(
            by=officer, on=self.on, programme=self.case.programme, step=step.key, named=Named("pl5", next_day)
        )
        self.on = next_day
        read_number(by=officer, on=self.on, draw_id=drawn.pk, number="40917", where="测试号码")
        draw_list(by=other, on=self.on, draw_id=drawn.pk, number="40917")
        with reading(officer):
            lines = list(DrawCase.objects.filter(draw=drawn, picked=True).select_related("case"))
        for line in lines:
            visit = self.looked_again(line)
            record_check(by=other, on=self.on, line_id=line.pk, told=Told("visit", "true", "", visit.pk))

    def looked_again(self, line: DrawCase) -> Visit:
        by, second = self.who[Post.SUPERVISOR], self.who[Post.FINANCE_OFFICER]
        made = record_visit(
            by=by, on=self.on, household=line.household_id, purpose=Visit.Purpose.SAMPLE, subject=line.subject,
            case_id=line.case_id, visited_on=self.on, met=Visit.Met.APPLICANT,
            investigators=[by.appointment, second.appointment], found=Found(SEEN),
        )  # fmt: skip
        add_paper(by=by, on=self.on, visit_id=made.pk, kind="form", content=picture(), file_name="form.png")
        return sign_visit(by=by, on=self.on, visit_id=made.pk)

    def take(self, outcome: str = "passed", *, reason: str = "", to: str = "", by: Actor | None = None) -> Case:
        step = self.now()
        by = by or self.actor(step)
        take_step(by=by, on=self.on, case_id=self.case.pk, step=step.key, outcome=outcome, reason=reason, to=to)
        return self.reread()

    def to(self, step: str = "") -> Case:
        """Straight on until the case stands at `step`, or is over."""
        while self.reread().step and self.case.step != step:
            self.fill()
            self.take()
        return self.case


def ask(
    county: County, programme: str, household: int, on: date, *, person: int | None = None, missing: tuple[str, ...] = (),
    signed: bool = True, **asked: str,
) -> Case:  # fmt: skip
    """At the township's desk, with the papers the policy names but those `missing`."""
    by = county.actor(Post.CLERK)
    with reading(by):
        papers = papers_of(programme, county.village, on)
    return open_case(
        by=by, on=on, household=household, person=person, programme=programme,
        asked=Asked(**{"channel": Case.Channel.DESK, **asked}), present=[name for name in papers if name not in missing],
        declared_on=on if signed else None,
    )  # fmt: skip
