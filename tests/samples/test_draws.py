"""Lists frozen, drawn by a public number, checked on the spot, and what a result does to a case (CASE-08, REG-10, SEC-02)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg import IntegrityError

from huimin.cases.models import Case, CaseEvidence
from huimin.cases.queries import slots
from huimin.cases.taking import EvidenceMissing, countersign, take_step
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import Recused
from huimin.organisation.acting import AlreadyDone, NotYourPost, NotYourProgramme, Refusal, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household
from huimin.samples.agencies import add_agency, end_agency, entrust
from huimin.samples.checking import OnTheSpot, Told, record_check
from huimin.samples.drawing import (
    Named,
    NothingToDraw,
    NotYet,
    NumbersDiffer,
    draw_list,
    freeze_cases,
    read_number,
    set_rate,
    skip_event,
)
from huimin.samples.models import Draw, DrawCase
from huimin.samples.queries import list_agencies, list_undrawn, published
from huimin.samples.seeding import faults_of
from huimin.visits.recording import add_paper, record_visit, sign_visit, void_visit
from tests.cases.people import PROGRAMME, ask, entering, people, records, reread, walk
from tests.database.acting import superuser
from tests.kinship.people import declare
from tests.registry.people import members
from tests.samples.people import NUMBER, copies, households
from tests.visits.people import PNG, found

STEP = "县联合审批"
PL5 = "pl5"


@pytest.fixture
def url(county, cluster):
    return cluster.url(county("screened"))


@pytest.fixture
def owner(url):
    """As whoever has the database's own password would try it: the triggers stand in the way."""

    def run(statement, values=()):
        with superuser(url, triggers=True) as database:
            database.execute(statement, values)

    return run


@pytest.fixture
def waiting(url):
    """Eleven cases that wait for the county's joint approval; who acts, and the day."""
    house = entering()
    who = people(house)
    with records("入户调查", "民主评议"):
        case, on = walk(ask(house, who[Post.CLERK]), who, until=STEP)
    numbers = [case.pk, *copies(url, case, households(11)[1:])]
    return numbers, who, on


def frozen(who, on, **more):
    asked = {"programme": PROGRAMME, "step": STEP, "named": Named(PL5, on + timedelta(days=1))} | more
    return freeze_cases(by=who[Post.DEPARTMENT_OFFICER], on=on, **asked)


def drawn(who, draw, number=NUMBER):
    day = draw.event_on
    read_number(by=who[Post.DEPARTMENT_OFFICER], on=day, draw_id=draw.pk, number=number, where="中国体彩网 第 21180 期")
    return draw_list(by=who[Post.SUPERVISOR], on=day, draw_id=draw.pk, number=number)


def lines_of(draw, **which):
    with reading(county_officer()):
        return list(DrawCase.objects.filter(draw=draw, **which).select_related("case").order_by("key"))


def visited(who, line, on, went=(Post.SUPERVISOR, Post.FINANCE_OFFICER)):
    """The county's people went there, and both sides signed."""
    by = who[went[0]]
    made = record_visit(
        by=by, on=on, household=line.household_id, purpose="sample", subject=line.subject, case_id=line.case_id, visited_on=on,
        investigators=[who[post].appointment for post in went], met="applicant", met_name="本人", found=found(),
    )  # fmt: skip
    add_paper(by=by, on=on, visit_id=made.pk, kind="form", content=PNG + b"%d" % made.pk, file_name="form.png")
    return sign_visit(by=by, on=on, visit_id=made.pk)


def checked(who, line, on, result="true", **more):
    visit = visited(who, line, on)
    return record_check(
        by=who[Post.SUPERVISOR], on=on, line_id=line.pk, told=Told("visit", result, visit=visit.pk, **more)
    )


def test_a_list_is_frozen_whole_with_registered_relatives_and_changed_by_nobody_case_08_reg_10(waiting, url, owner):
    numbers, who, on = waiting
    tomorrow = on + timedelta(days=1)
    cousin = Case.objects.using("maintenance").select_related("household").get(pk=numbers[5])
    declare(actor(Post.REVIEWER, cousin.division[:9] + "000"), members(cousin.household)[0].person)
    with pytest.raises(NotYourPost):
        freeze_cases(by=who[Post.SUPERVISOR], on=on, programme=PROGRAMME, step=STEP, named=Named(PL5, tomorrow))
    farmer = actor(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    with pytest.raises(NotYourProgramme):
        freeze_cases(by=farmer, on=on, programme=PROGRAMME, step=STEP, named=Named(PL5, tomorrow))
    for named, words in (
        (Named(PL5, on), "不在今天之后"), (Named("dice", tomorrow), "没有选用"), (Named(PL5, on + timedelta(days=40)), "太远"),
        (Named("dlt", on + timedelta(days=(2 - on.isoweekday()) % 7 or 7)), "每周一、三、六"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            frozen(who, on, named=named)
    with pytest.raises(BadInput, match="不用抽查"):
        frozen(who, on, step="乡镇审核")
    with reading(who[Post.DEPARTMENT_OFFICER]):
        [row] = list_undrawn(who[Post.DEPARTMENT_OFFICER])
        assert (row.programme, row.step, row.count) == (PROGRAMME, STEP, 11)
    draw = frozen(who, on)
    assert (draw.size, draw.must, draw.quota, draw.percent) == (11, 1, 2, 10)
    with reading(who[Post.DEPARTMENT_OFFICER]):
        assert list_undrawn(who[Post.DEPARTMENT_OFFICER]) == []
        case = Case.objects.select_related("process").get(pk=numbers[0])
        held = next(held for demand, held in slots(case, on) if demand.kind == "抽查")
    assert "名单已冻结" in held.missing
    with pytest.raises(NothingToDraw):
        frozen(who, on)
    copies(url, reread(case), households(12)[11:])
    second = frozen(who, on)  # new cases come into the next
    assert second.size == second.quota == 1
    for statement in (
        "UPDATE samples_draw SET digest = repeat('0', 64)", "UPDATE samples_draw SET percent = 1, quota = 1",
        "UPDATE samples_draw SET event_on = event_on + 1", "UPDATE samples_draw SET event = 'sse'",
        "UPDATE samples_drawcase SET picked = true WHERE id = (SELECT min(id) FROM samples_drawcase)",
        "UPDATE samples_drawcase SET must = true", "UPDATE samples_drawcase SET number = '20210000001' WHERE must",
        "UPDATE samples_draw SET state = 'drawn', number = '40917', first_number = '40917', drawn_on = event_on, seed ="
        " repeat('a', 64), first_account = 1, drawn_account = 2",
        "INSERT INTO samples_drawcase (draw_id, case_id, division, household_id, number, round, step, must, key, picked)"
        " SELECT draw_id, case_id, division, household_id, '20219999999', round + 1, step, must, key, picked"
        " FROM samples_drawcase LIMIT 1",
    ):  # fmt: skip
        with pytest.raises(IntegrityError):
            owner(statement)


def test_two_people_type_the_number_once_after_its_day_case_08(waiting, owner):
    _numbers, who, on = waiting
    draw = frozen(who, on)
    day = draw.event_on
    first, other = who[Post.DEPARTMENT_OFFICER], who[Post.SUPERVISOR]
    with pytest.raises(NotYet, match="还没有公布"):
        read_number(by=first, on=on, draw_id=draw.pk, number=NUMBER, where="体彩网")
    with pytest.raises(NotYet, match="还没有人录入"):
        draw_list(by=other, on=day, draw_id=draw.pk, number=NUMBER)
    with pytest.raises(SamePerson):
        skip_event(
            by=first,
            on=day + timedelta(days=1),
            draw_id=draw.pk,
            reason="当日停售",
            named=Named(PL5, day + timedelta(days=2)),
        )
    with pytest.raises(NotYet, match="还没有过"):
        skip_event(by=other, on=day, draw_id=draw.pk, reason="当日停售", named=Named(PL5, day + timedelta(days=2)))
    late = day + timedelta(days=1)
    moved = skip_event(
        by=other, on=late, draw_id=draw.pk, reason="当日停售", named=Named(PL5, late + timedelta(days=1))
    )
    assert moved.event_on == late + timedelta(days=1)
    day = moved.event_on
    with pytest.raises(BadInput, match="不是体彩排列五的结果"):
        read_number(by=first, on=day, draw_id=draw.pk, number="409", where="体彩网")
    read_number(by=first, on=day, draw_id=draw.pk, number="40918", where="体彩网")
    with pytest.raises(SamePerson, match="两个人"):
        draw_list(by=first, on=day, draw_id=draw.pk, number="40918")
    with pytest.raises(NumbersDiffer):
        draw_list(by=other, on=day, draw_id=draw.pk, number=NUMBER)
    with pytest.raises(AlreadyDone, match="已有人录入"):
        read_number(by=other, on=day, draw_id=draw.pk, number=NUMBER, where="体彩网")
    read_number(by=first, on=day, draw_id=draw.pk, number="4 0 9 1 7", where="体彩网 第 21180 期")
    made = draw_list(by=other, on=day, draw_id=draw.pk, number="４０９１７")
    assert (made.state, made.number, made.drawn_count) == ("drawn", NUMBER, 2)
    with pytest.raises(AlreadyDone):
        draw_list(by=other, on=day, draw_id=draw.pk, number=NUMBER)
    with reading(county_officer()):
        told = published(Draw.objects.get(pk=draw.pk))
    assert faults_of(told) == [] and len(told.picked) == 2  # the database drew as the published steps do
    picked = set(told.picked)
    for statement in (
        "UPDATE samples_drawcase SET picked = NOT picked", "UPDATE samples_drawcase SET key = repeat('f', 64) WHERE picked",
        "UPDATE samples_draw SET number = '11111', first_number = '11111'", "UPDATE samples_draw SET state = 'frozen'",
        "UPDATE samples_draw SET state = 'done'",
        "UPDATE samples_drawcase SET picked = false WHERE id = (SELECT id FROM samples_drawcase WHERE picked LIMIT 1)",
    ):  # fmt: skip
        with pytest.raises(IntegrityError):
            owner(statement)
    assert {line.number for line in lines_of(draw, picked=True)} == picked


def test_a_result_is_by_others_on_the_spot_and_stops_or_frees_the_batch_case_08(waiting, owner):
    _numbers, who, on = waiting
    set_rate(by=who[Post.DEPARTMENT_APPROVER], on=on, programme=PROGRAMME, percent=20, basis="金民〔2021〕1 号")
    draw = drawn(who, frozen(who, on))
    assert (draw.percent, draw.quota) == (20, 3)
    on = draw.drawn_on
    approver, supervisor = who[Post.DEPARTMENT_APPROVER], who[Post.SUPERVISOR]
    bad, good, third = lines_of(draw, picked=True)
    free = lines_of(draw, picked=False)[0]

    signed = set()

    def approve(line, day=on):
        if line.pk not in signed:
            signed.add(line.pk)
            for post in (Post.FINANCE_OFFICER, Post.SUPERVISOR):
                countersign(by=who[post], on=day, case_id=line.case_id, agreed=True, text="")
        return take_step(by=approver, on=day, case_id=line.case_id, step=STEP, outcome="passed")

    for line in (free, good):
        with pytest.raises(EvidenceMissing, match=r"没有(检查)?结果"):
            approve(line)
    tell = {"by": supervisor, "on": on, "line_id": bad.pk}
    for told, error, words in (
        (Told("papers", "true", checkers="张三、李四", checked_on=on, paper="档案"), OnTheSpot, "不能只查阅"),
        (Told("agency", "true", checkers="张三、李四", checked_on=on, paper="报告"), BadInput, "没有委托"),
        (Told("visit", "true"), BadInput, "入户记录"), (Told("drone", "true"), BadInput, "检查方式"),
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            record_check(**tell, told=told)
    with pytest.raises(Refusal, match="没有抽中"):
        record_check(by=supervisor, on=on, line_id=free.pk, told=Told("visit", "true"))
    with pytest.raises(NotYourPost):
        record_check(by=approver, on=on, line_id=bad.pk, told=Told("visit", "true"))
    below = {**who, Post.SETTLEMENT: actor(Post.SETTLEMENT, bad.division[:9] + "000")}
    townsman = visited(below, bad, on, went=(Post.SUPERVISOR, Post.SETTLEMENT))
    with pytest.raises(NotYourPost, match="由县里的人入户"):
        record_check(**tell, told=Told("visit", "true", visit=townsman.pk))
    void_visit(by=supervisor, on=on, visit_id=townsman.pk, reason="有乡镇的人")
    with pytest.raises(SamePerson, match="办过这件事"):
        cunning = replace(supervisor, account=who[Post.REVIEWER].account)
        record_check(by=cunning, on=on, line_id=bad.pk, told=Told("visit", "true", visit=visited(who, bad, on).pk))
    visit = visited_again(who, bad, on)
    with pytest.raises(BadInput, match="没有写哪里不对"):
        record_check(**tell, told=Told("visit", "differs", visit=visit))
    made = record_check(**tell, told=Told("visit", "differs", "家有轿车一辆，申报时没有", visit=visit))
    with pytest.raises(AlreadyDone):
        record_check(**tell, told=Told("visit", "true", visit=visit))
    with pytest.raises(AlreadyDone, match="以这次入户为据"):
        void_visit(by=supervisor, on=on, visit_id=made.visit_id, reason="写错了人")
    with pytest.raises(EvidenceMissing, match="有出入（家有轿车"):
        approve(bad)
    checked(who, good, on)
    with pytest.raises(EvidenceMissing, match="还有 1 件"):
        approve(free)
    # The last one is withdrawn by its applicant: nobody waits for it any more.
    owner("UPDATE cases_case SET state = 'withdrawn', step = '', reason = '申请人撤回' WHERE id = %s", [third.case_id])
    assert approve(free).step == approve(good).step == "批后公示"
    with reading(county_officer()):
        assert Draw.objects.get(pk=draw.pk).state == "done"
        evidence = CaseEvidence.objects.get(case=free.case_id, kind="抽查")
        assert (evidence.reference, evidence.held_on) == (f"samples_drawcase:{free.pk}", draw.drawn_on)
    with pytest.raises(IntegrityError):
        owner(
            "INSERT INTO cases_caseevidence (case_id, division, step, round, kind, reference, digest, held_on)"
            " SELECT case_id, division, step, round, '抽查', 'samples_drawcase:' || id, '', current_date"
            " FROM samples_drawcase WHERE id = %s",
            [bad.pk],
        )
    sent_back(who, bad, on)


def visited_again(who, line, on):
    """The visit there already is of the line."""
    from huimin.visits.queries import signed_of

    with reading(who[Post.SUPERVISOR]):
        return signed_of(line.subject)[0].pk


def sent_back(who, bad, on):
    """A case found wrong goes back, comes again in a new round, and is checked in any case."""
    approver = who[Post.DEPARTMENT_APPROVER]
    take_step(
        by=approver, on=on, case_id=bad.case_id, step=STEP, outcome="returned", reason="轿车须核实", to="乡镇审核"
    )
    case, on = walk(bad.case, people(Household(division=bad.division)), on, until=STEP)
    assert (case.step, case.round) == (STEP, 2)
    draw = freeze_cases(
        by=who[Post.DEPARTMENT_OFFICER], on=on, programme=PROGRAMME, step=STEP, named=Named(PL5, on + timedelta(days=1))
    )
    [again] = lines_of(draw)
    assert (draw.size, draw.must, draw.quota, again.must, again.round) == (1, 1, 0, True, 2)


def test_an_agency_checks_under_contract_and_the_county_enters_it_case_08(waiting):
    _numbers, who, on = waiting
    draw = drawn(who, frozen(who, on))
    on = draw.drawn_on
    officer = who[Post.DEPARTMENT_OFFICER]
    contract = {
        "by": officer, "on": on, "name": "信诚社会工作服务中心", "contract_no": "2021-08", "valid_from": on,
        "valid_to": on + timedelta(days=30), "scope": "低保审批前入户核查", "fee_fen": 12000, "quality": "错查一件不付费",
    }  # fmt: skip
    with pytest.raises(BadInput, match="到期早于"):
        add_agency(**{**contract, "valid_to": on - timedelta(days=1)})
    agency = add_agency(**contract)
    with pytest.raises(AlreadyDone):
        add_agency(**contract)
    first, second = lines_of(draw, picked=True)
    given = {"by": officer, "on": on, "draw_id": draw.pk, "agency_id": agency.pk, "due_on": on + timedelta(days=5)}
    with pytest.raises(Refusal, match="不在有效期"):
        entrust(**{**given, "lines": [first.pk], "due_on": on + timedelta(days=60)})
    with pytest.raises(AlreadyDone):
        entrust(**given, lines=[first.pk, lines_of(draw, picked=False)[0].pk])
    assert entrust(**given, lines=[first.pk, second.pk]) == 2
    told = Told(
        "agency", "false", "户主常年在外，房屋空置", checkers="周明、吴静（信诚）", checked_on=on, paper="核查报告 01"
    )
    made = record_check(by=officer, on=on, line_id=first.pk, told=told)
    assert (made.agency_id, made.wrong) == (agency.pk, True)
    with pytest.raises(Recused):
        declare(who[Post.FINANCE_OFFICER], members(Household(pk=second.household_id))[0].person)
        record_check(by=who[Post.FINANCE_OFFICER], on=on, line_id=second.pk, told=told)
    with reading(county_officer()):
        [work] = list_agencies("341524", on + timedelta(days=6))
    assert (work.given, work.done, work.late, work.wrong, work.fee_fen) == (2, 1, 1, 1, 12000)
    end_agency(by=officer, on=on, agency_id=agency.pk, reason="人员不足，协商终止")
    assert [line.agency_id for line in lines_of(draw, picked=True)] == [agency.pk, None]
