"""One step, one countersignature on many cases: previewed, exceptions out, signed one by one, once (CASE-04, CASE-08, SEC-02)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from huimin.cases import many
from huimin.cases.models import Case, CaseAct, CaseReport
from huimin.cases.queries import CaseFilter
from huimin.casework.models import Entitlement
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.jobs.models import Job
from huimin.jobs.working import work_until_done
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household
from tests.cases.people import ALL_RECORDS, ask, entering, people, records, walk
from tests.kinship.people import declare
from tests.registry.people import members
from tests.samples.people import copies, households
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice

LAST = "列入"


@pytest.fixture
def url(county, cluster):
    return cluster.url(county("screened"))


def standing(url, step, count):
    """`count` cases of as many households that stand at a step, who acts, and the day."""
    house = entering()
    who = people(house)
    with records(*ALL_RECORDS):
        case, on = walk(ask(house, who[Post.CLERK]), who, until=step)
    numbers = [case.pk, *copies(url, case, households(count)[1:])]
    business_day(on)
    return numbers, who, on


def seen(by, on, act, step):
    with reading(by):
        steps = (many.steps_to_sign if act == many.SIGN else many.steps_to_take)(by)
        wanted = CaseFilter(prefix=by.prefix, on=on, step=step, mine=tuple(pair for pair in steps if pair[1] == step))
        return many.preview(by, on, act, wanted)


def test_many_are_granted_at_a_stroke_and_the_exceptions_are_left_sec_02(url):
    numbers, who, on = standing(url, LAST, 9)
    approver = who[Post.DEPARTMENT_APPROVER]
    lines, more = seen(approver, on, many.PASS, LAST)
    assert ([line.case.pk for line in lines], more) == (numbers, False)
    assert all(line.amount_fen and not line.obstacle for line in lines)
    with reading(county_officer()):
        houses = {case.pk: case.household_id for case in Case.objects.all()}
        mine = Case.objects.get(pk=numbers[2])
    declare(approver, members(Household(pk=houses[numbers[1]]))[0].person)
    lines = {line.case.pk: line for line in seen(approver, on, many.PASS, LAST)[0]}
    assert "近亲属" in lines[numbers[1]].obstacle and not lines[numbers[3]].obstacle
    wanted = [(number, 1) for number in numbers]
    with pytest.raises(NotYourPost):
        many.take_many(by=actor(Post.ACCOUNTANT, OfficeKind.FINANCE), on=on, act=many.PASS, step=LAST, wanted=wanted)
    with CaptureQueriesContext(
        connection,
    ) as spent:
        done = many.take_many(
            by=approver, on=on, act=many.PASS, step=LAST, wanted=[*wanted, (999_999, 1), (numbers[0], 7)]
        )
    print(f"{len(spent) / len(wanted):.1f} queries a case")
    failed = {line.case: line.why for line in done if not line.done}
    assert set(failed) == {numbers[1], 999_999, numbers[0]} and "近亲属" in failed[numbers[1]]
    with reading(county_officer()):
        granted = list(Case.objects.filter(state="granted").order_by("id"))
        assert [case.pk for case in granted] == [number for number in numbers if number != numbers[1]]
        signatures = CaseAct.objects.filter(step=LAST).values_list("signature", flat=True)
        assert len(set(signatures)) == 8
        given = dict(
            Entitlement.objects.filter(decision__case_number__in=numbers).values_list("household", "amount_fen")
        )
        assert given == {houses[case.pk]: case.amount_fen for case in granted}
        assert {line.case.pk: line.amount_fen for line in lines.values()}[mine.pk] == given[mine.household_id]
    again = many.take_many(by=approver, on=on, act=many.PASS, step=LAST, wanted=wanted)
    assert [line.done for line in again] == [number != numbers[1] for number in numbers]
    with reading(county_officer()):
        assert CaseAct.objects.filter(step=LAST).count() == 8  # sent twice is done once


def test_more_than_a_few_are_a_job_with_a_line_for_each_and_once_however_often_it_runs(url, monkeypatch):
    numbers, who, on = standing(url, LAST, 7)
    approver = who[Post.DEPARTMENT_APPROVER]
    declare(approver, members(Household(pk=households(7)[6][0]))[0].person)
    monkeypatch.setattr(many, "AT_ONCE_MAX", 2)
    monkeypatch.setattr(many, "CHUNK", 3)
    client = client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)
    page = text(client.get("/cases/many/pass/"))
    assert (
        "列出<strong>7 件" in page
        and "可以办<strong>6 件" in page
        and page.count('name="id"') == 6
        and "须回避" in page
    )
    empty = client.post("/cases/many/pass/", {"step": LAST, "token": token_of(page)})
    assert empty.status_code in (409, 422) and "没有勾选" in text(empty)
    ticked = [f"{number}.1" for number in numbers]  # the relative's too, as a forged page would
    shown = post_twice(client, "/cases/many/pass/", {"step": LAST, "id": [*ticked, "x", "9.9.9"]})
    assert "正在办理 7 件" in shown
    job = Job.objects.using("maintenance").get(kind__startswith="many-")
    path = f"/cases/many/jobs/{job.pk}/"
    assert "排队中" in text(client.get(path)) and "停下" in text(client.get(path))
    assert client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE).get(path).status_code == 404
    # Interrupted after the first chunk: whoever comes next goes on, and nothing is done twice.
    many.take_many(by=approver, on=on, act=many.PASS, step=LAST, wanted=[(number, 1) for number in numbers[:3]])
    ended = work_until_done(job.pk, approver)
    assert ended.outcome == "办了 6 件，1 件没有办"
    with reading(approver):
        lines = many.lines_of(approver, ended)
    assert [line.done for line in lines] == [True] * 6 + [False] and "近亲属" in lines[-1].why
    shown = text(client.get(path))
    assert "已办完 6 件，共 7 件" in shown and "没有办</span> 您须回避" in shown
    with pytest.raises(BadInput, match="一次不超过"):
        many.request_many(by=approver, on=on, act=many.PASS, step=LAST, wanted=[(n, 1) for n in range(501)])
    stopped = many.request_many(by=approver, on=on, act=many.PASS, step=LAST, wanted=[(numbers[-1], 1)])
    assert many.stop_many(by=approver, on=on, job_id=stopped.pk).stop_requested
    assert work_until_done(stopped.pk, approver).state == "cancelled"


def test_countersigned_many_at_once_and_a_sample_that_waits_stops_the_step_case_08(url):
    step = "县联合审批"
    numbers, who, on = standing(url, step, 5)
    finance, supervisor, approver = who[Post.FINANCE_OFFICER], who[Post.SUPERVISOR], who[Post.DEPARTMENT_APPROVER]
    with reading(finance):
        assert many.count_unsigned(finance)[0] == 5
    lines, _ = seen(approver, on, many.PASS, step)
    assert all("还没有抽签" in line.obstacle for line in lines)
    assert many.obstacles(finance, on, many.SIGN, [line.case for line in lines[:1]], {})[numbers[0]][1].endswith(
        "不同意的写明理由"  # who countersigns cannot return or refuse
    )
    client = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    assert "件等会签" in text(client.get("/")) and "批量会签 5 件" in text(client.get("/cases/"))
    page = text(client.get("/cases/many/sign/"))
    assert page.count('name="id"') == 5
    ticked = {"step": step, "id": [f"{number}.1" for number in numbers[:4]], "text": "同意，资金有保障"}
    shown = post_twice(client, "/cases/many/sign/", ticked)
    assert "已会签 4 件" in shown
    with reading(finance):
        assert many.count_unsigned(finance) == (1, on + timedelta(days=7))
    many.take_many(by=supervisor, on=on, act=many.SIGN, step=step, wanted=[(number, 1) for number in numbers])
    with reading(county_officer()):
        signed = CaseReport.objects.filter(countersigned=True)
        assert signed.count() == 9 and len(set(signed.values_list("signature", flat=True))) == 9
    with records("抽查"):
        lines, _ = seen(approver, on, many.PASS, step)
        assert [line.obstacle for line in lines][:4] == [""] * 4 and "财政经办会签" in lines[4].obstacle
        done = many.take_many(by=approver, on=on, act=many.PASS, step=step, wanted=[(number, 1) for number in numbers])
    assert [line.done for line in done] == [True] * 4 + [False]
