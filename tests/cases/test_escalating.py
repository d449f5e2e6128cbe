"""What is late is told above once a day and level, answered by who is late, and seen on the case (CASE-05)."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from huimin.cases.escalating import (
    KIND,
    answer_overdue,
    escalate_overdue,
    find_time_rule,
    set_time_rule,
)
from huimin.cases.lateness import EscalationFilter, count_open, count_to_answer, page_escalations
from huimin.cases.models import Case, Escalation
from huimin.cases.queries import load_of
from huimin.cases.taking import take_step
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.jobs.daily import ask_for_daily_work
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.kernel.errors import BadInput
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from tests.cases.people import ALL_RECORDS, ask, entering, people, records, walk
from tests.workbench.people import client_of
from tests.workbench.test_acts import text
from tests.workbench.test_reliefs import post_twice


def told(case):
    with reading(county_officer()):
        return list(Escalation.objects.filter(case=case).order_by("id").values_list("above", "due_on", "promised_on"))


def test_a_late_step_is_told_to_the_head_then_to_the_county_and_answered_case_05(county):
    county("screened")
    house = entering()
    who, officer = people(house), county_officer()
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, _ = walk(case, who, until="乡镇审核")
    due, head, reviewer = case.step_due_on, who[Post.TOWNSHIP_HEAD], who[Post.REVIEWER]
    with pytest.raises(NotYourPost):
        escalate_overdue(by=reviewer, on=due)
    assert escalate_overdue(by=head, on=due).heads == 0  # the last day is not late
    late = due + timedelta(days=1)
    raised = escalate_overdue(by=head, on=late)
    assert (raised.heads, raised.county) == (1, 0)
    assert escalate_overdue(by=officer, on=late).heads == escalate_overdue(by=head, on=late).heads == 0
    assert told(case) == [("head", due, None)]
    # 5 working days where the county has set nothing; with its own number of 1 the county hears a day later.
    with pytest.raises(BadInput, match="依据"):
        set_time_rule(by=officer, on=late, county_days=1, basis="")
    rule = set_time_rule(by=officer, on=late, county_days=1, basis="县民政局示例文件 3 号")
    assert set_time_rule(by=officer, on=late, county_days=1, basis="县民政局示例文件 3 号").pk == rule.pk
    with reading(reviewer):
        assert find_time_rule(reviewer.division) == rule  # seen from below
        assert count_to_answer(reviewer) == (1, late)
        assert count_to_answer(who[Post.CLERK]) == (0, None)
    with pytest.raises(AlreadyDone, match="没有等您答复"):
        answer_overdue(by=who[Post.CLERK], on=late, case_id=case.pk, reason="人手不够，明天办", promised_on=late)
    for reason, day, words in (
        ("", late, "没有写"),
        ("材料正在核对", due, "新的期限"),
        ("材料正在核对", date(2023, 1, 1), "新的期限"),
    ):
        with pytest.raises(BadInput, match=words):
            answer_overdue(by=reviewer, on=late, case_id=case.pk, reason=reason, promised_on=day)
    promised = late + timedelta(days=1)
    answered = {"by": reviewer, "on": late, "case_id": case.pk, "reason": "等县里核对报告", "promised_on": promised}
    assert answer_overdue(**answered) == 1
    with pytest.raises(AlreadyDone):
        answer_overdue(**answered)
    with reading(head):
        assert count_open(head.prefix, late, "head") == (0, 0)
        assert count_open(head.prefix, promised + timedelta(days=1), "head") == (0, 1)
    # Some working days later, and the promised day missed: the county hears of both, once.
    later = promised + timedelta(days=6)
    assert escalate_overdue(by=officer, on=later).county == 2
    assert escalate_overdue(by=officer, on=later + timedelta(days=1)).county == 0
    assert sorted(told(case)) == [("county", due, None), ("county", promised, None), ("head", due, promised)]
    assert answer_overdue(**answered | {"on": later, "promised_on": later}) == 2
    take_step(
        by=reviewer, on=later, case_id=case.pk, step="乡镇审核", outcome="returned", to="评议", reason="评议记录不全"
    )
    assert escalate_overdue(by=officer, on=later).heads == 0  # sent back: another step, another day
    with reading(officer):
        rows = page_escalations(EscalationFilter("341524", later, standing="over")).rows
        assert len(rows) == 3 and not any(row.standing for row in rows)
        assert count_open("341524", later, "county") == (0, 0)
    with records(*ALL_RECORDS):
        again, _ = walk(case, who, later, until="乡镇审核")
    assert again.round == 2 and escalate_overdue(by=officer, on=again.step_due_on + timedelta(days=1)).heads == 1
    _guarded(case, due, late)


def _guarded(case, due, late):
    """The database refuses what was not late there, and a second answer, whoever writes."""
    made = {
        "case_id": case.pk, "division": case.division, "matter": "step", "step": "乡镇审核", "round": 1, "due_on": due, "above": "head",
        "told": "", "raised_by": 1, "raised_on": late, "programme": case.programme, "process_number": case.process_id,
    }  # fmt: skip
    for changed in (
        {"round": 7}, {"due_on": date(2020, 1, 1)}, {"raised_on": due}, {"programme": "wubao"}, {"process_number": 0},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), reading(county_officer()):
            Escalation.objects.create(**made | changed)
    with pytest.raises(IntegrityError), reading(county_officer()):
        Escalation.objects.filter(case=case, reason="等县里核对报告").update(reason="另一个原因")
    with pytest.raises(IntegrityError), reading(county_officer()):
        Escalation.objects.filter(case=case, standing=False).update(standing=True)


def test_every_deadline_is_watched_and_the_day_begins_by_itself_case_05(county):
    """An extension has another day; a refusal not told in writing is late too; the working process asks once a day."""
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="乡镇审核")
        take_step(
            by=who[Post.REVIEWER], on=on, case_id=case.pk, step="乡镇审核", outcome="refused", reason="家庭财产超过规定"
        )
    case = Case.objects.using("maintenance").get(pk=case.pk)
    business_day(case.answer_due_on + timedelta(days=1))
    assert ask_for_daily_work() == 1 and ask_for_daily_work() == 0
    job = work_one()
    assert job.kind == KIND and work_one() is None and ask_for_daily_work() == 0
    job = Job.objects.using("maintenance").get(pk=job.pk)
    assert (job.state, job.outcome) == ("finished", "提醒乡镇 1 件，报县 0 件")
    assert [(row[0], row[1]) for row in told(case)] == [("head", case.answer_due_on)]
    business_day(case.answer_due_on + timedelta(days=2))
    assert ask_for_daily_work() == 1
    assert work_one().kind == KIND and len(told(case)) == 1


def test_what_is_late_and_who_was_told_stand_on_the_pages_case_05(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, _ = walk(case, who, until="乡镇审核")
    township = house.division[:9] + "000"
    business_day(case.step_due_on + timedelta(days=1))
    head, officer = client_of(Post.TOWNSHIP_HEAD, township), client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    assert "提醒乡镇负责人 1 件" in post_twice(officer, "/cases/escalations/run/", {})
    assert "督办：超期没有答复" in text(head.get("/"))
    shown = text(head.get("/cases/escalations/"))
    assert case.number in shown and "乡镇审核" in shown and who[Post.TOWNSHIP_HEAD].name in shown
    reviewer = client_of(Post.REVIEWER, township)
    assert "答复督办" in text(reviewer.get("/")) and f"/cases/{case.pk}/answer/" in text(
        reviewer.get(f"/cases/{case.pk}/")
    )
    wrong = reviewer.post(f"/cases/{case.pk}/answer/", {"reason": "", "promised_on": "不知道", "token": "0" * 32})
    assert wrong.status_code == 422 and "2021-07-01 的样子" in text(wrong)
    day = (case.step_due_on + timedelta(days=4)).isoformat()
    shown = post_twice(reviewer, f"/cases/{case.pk}/answer/", {"reason": "等县里的核对报告", "promised_on": day})
    assert "等县里的核对报告" in shown and f"{day} 前办完" in shown
    assert "督办：超期没有答复" not in text(head.get("/"))
    assert case.number in text(officer.get("/cases/escalations/?standing=answered&above=head"))
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    assert case.number not in text(farmers.get("/cases/escalations/?standing=answered"))
    assert case.number not in text(farmers.get("/cases/times/"))
    assert "5 个工作日" in text(reviewer.get("/cases/escalations/rule/"))
    saved = post_twice(officer, "/cases/escalations/rule/", {"county_days": "3", "basis": "县民政局示例文件 3 号"})
    assert "3 个工作日" in saved
    book = officer.get("/cases/times/?export=xlsx&purpose=核对")
    assert book.status_code == 200 and "spreadsheet" in book["Content-Type"]
    assert officer.get("/cases/escalations/?standing=answered&print=pdf").content.startswith(b"%PDF")
    with reading(county_officer()):
        [step] = load_of("341524", case.step_due_on + timedelta(days=1)).steps
        assert (step.name, step.count, step.late) == ("乡镇审核", 1, 1)
    times = text(officer.get("/cases/times/"))
    assert "各步骤在办的" in times and "九成在（天）内" in times
