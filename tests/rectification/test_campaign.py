"""A campaign from its plan to its closing: frozen list, visits, results, checks, reports; refused and repeated (CASE-10, REG-10, SEC-02)."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from huimin.demo.actors import COUNTY, actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.kernel.places import Level
from huimin.notices.commands import NoticeStillOpen
from huimin.notices.models import NoticeRow
from huimin.organisation.acting import AlreadyDone, NotYourPlace, NotYourPost, SamePerson, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.rectification.checking import NotYet, freeze_draw, record_check, retype_number, type_number
from huimin.rectification.finding import (
    Finding,
    NeedsEvidence,
    NotVisited,
    add_item,
    record_kept,
    record_result,
    return_result,
    review_results,
)
from huimin.rectification.marking import DIGEST, RISKS
from huimin.rectification.models import Campaign, CountyCheck, Item, ItemAct, Pick, Submission
from huimin.rectification.planning import (
    NotFinished,
    close_campaign,
    open_campaign,
    plan_campaign,
    postpone_phase,
    revise_plan,
)
from huimin.rectification.publishing import NotYetReviewed, end_village, find_notice, list_villages, publish_village
from huimin.rectification.queries import ItemFilter, list_carrying, page_items, standing_of
from huimin.rectification.reporting import (
    Told,
    enter_case,
    enter_receipt,
    hand_to_discipline,
    handle_case,
    list_due,
    submit,
)
from huimin.rectification.standing import count_by_place, phase_lines, total_of
from huimin.rectification.summing import summary_table
from huimin.samples.seeding import Entry, list_text, seed_of
from huimin.samples.seeding import draw as drawn_by_hand
from huimin.visits.wanted import list_wanted
from tests.database.acting import maintenance
from tests.rectification.people import (
    GROUP,
    OPENED,
    PHASES,
    PROGRAMME,
    granted_but,
    items,
    judged,
    of_township,
    opened,
    opener,
    plan,
    planner,
    visit,
    went,
)

FOUND = date(2021, 7, 20)


def test_a_plan_is_whole_and_another_person_opens_it_case_10(county):
    county("screened")
    township = granted_but()
    by = planner()
    first = PHASES[0]
    for changed, words in (
        ({"percent": 29}, "不低于 30%"), ({"phases": PHASES[:3]}, "四个阶段"), ({"group": ()}, "组长"), ({"group": GROUP + GROUP}, "只能有一人"),
        ({"phases": (first, (first[1], first[1]), *PHASES[2:])}, "日期不成立"), ({"summary_on": date(2022, 1, 1)}, "不在整治期间"),
        ({"programmes": ["nothing"]}, "没有“nothing”"), ({"sent_to": ""}, "报送单位"), ({"report_day": 31}, "每月报送日"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            plan_campaign(by=by, on=OPENED, division=township, plan=plan(**changed))
    with pytest.raises(BadInput, match="全县或一个乡镇"):
        plan_campaign(by=by, on=OPENED, division=items_village(township), plan=plan())
    clerk = actor(Post.CLERK, township)
    with pytest.raises(NotYourPost):
        plan_campaign(by=clerk, on=OPENED, division=township, plan=plan())
    made = plan_campaign(by=by, on=OPENED, division=township, plan=plan())
    with pytest.raises(AlreadyDone, match="文号"):
        plan_campaign(by=by, on=OPENED, division=township, plan=plan())
    revise_plan(by=by, on=OPENED, campaign_id=made.pk, plan=plan(title="2021 年农村低保专项整治（修订）"))
    with pytest.raises(SamePerson):
        open_campaign(by=replace(opener(), account=by.account), on=OPENED, campaign_id=made.pk)
    campaign = open_campaign(by=opener(), on=OPENED, campaign_id=made.pk)
    with pytest.raises(AlreadyDone):
        open_campaign(by=opener(), on=OPENED, campaign_id=made.pk)
    with pytest.raises(AlreadyDone):
        revise_plan(by=by, on=OPENED, campaign_id=made.pk, plan=plan())
    listed = items(campaign)
    assert {row.origin for row in listed} == {"held", "missed"} and len(listed) == campaign.items_count
    held = [row for row in listed if row.origin == "held"]
    assert all(row.entitlement_id and row.amount_fen > 0 and row.people > 0 for row in held)
    with reading(clerk):  # seen from below; the list is that of the digest
        assert Campaign.objects.get(pk=campaign.pk).title.endswith("（修订）")
    assert maintenance(DIGEST, campaign.pk) == [(campaign.items_count, campaign.items_digest)]
    other = plan_campaign(
        by=by, on=OPENED, division=township[:6] + "000000", plan=plan(document_no="示例民发〔2021〕10 号")
    )
    with pytest.raises(AlreadyDone, match="已有进行中"):
        open_campaign(by=opener(), on=OPENED, campaign_id=other.pk)
    with pytest.raises(BadInput, match="原因"):
        postpone_phase(by=by, on=OPENED, campaign_id=campaign.pk, number=2, ends_on=date(2021, 9, 10), reason="")
    moved = postpone_phase(
        by=by, on=OPENED, campaign_id=campaign.pk, number=2, ends_on=date(2021, 9, 10), reason="汛期入户困难"
    )
    assert moved.ends_on == date(2021, 9, 10)
    with reading(by):
        assert campaign.phases.get(number=3).starts_on == date(2021, 9, 11)
    with pytest.raises(IntegrityError), reading(by):
        Campaign.objects.filter(pk=campaign.pk).update(programmes=["grain-one-off"])


def asked_to_visit(by, on):
    """What the list of visits and the telephone's round show of the campaign."""
    with reading(by):
        return [row for row in list_wanted(by, on, by.prefix, 200) if row.purpose == "rectification"]


def items_village(township):
    [(village,)] = maintenance(
        "SELECT min(left(division, 12)) FROM registry_household WHERE left(division, 9) = %s", township[:9]
    )
    return village


def test_items_are_visited_judged_and_reviewed_and_the_campaign_closed_case_10(county):
    county("screened")
    granted_but()
    campaign = opened(COUNTY)
    held, missed = items(campaign, origin="held"), items(campaign, origin="missed")
    assert len(held) >= 3 and len(missed) == 1
    first, second, *others = held
    who, there = of_township(first.division), of_township(second.division)
    clerk, reviewer = who[Post.CLERK], who[Post.REVIEWER]
    keep = Finding("keep", "入户核实，收入低于标准", "核对报告 1 号")
    with pytest.raises(NotVisited, match="签字的入户核查"):
        record_result(by=clerk, on=FOUND, item_id=first.pk, finding=keep)
    wanted = [row.subject for row in asked_to_visit(clerk, FOUND)]
    assert first.subject in wanted and asked_to_visit(planner(), FOUND) == []
    unsigned = visit(first, went(first), on=FOUND, sign=False)
    with pytest.raises(NotVisited):
        record_result(by=clerk, on=FOUND, item_id=first.pk, finding=keep)
    assert unsigned.state == "recorded"
    for item in (first, second):
        visit(item, went(item), on=FOUND + timedelta(days=1))
    on = FOUND + timedelta(days=1)
    assert first.subject not in [row.subject for row in asked_to_visit(clerk, on)]
    for finding, kind, words in (
        (Finding("enter", "理由充分", "凭据充分"), BadInput, "不能是这个结果"), (Finding("keep", ""), BadInput, "理由"),
        (Finding("leave", "家里买了车"), NeedsEvidence, "凭什么认定"),
        (Finding("increase", "收入减少", "核对报告 2 号", first.amount_fen), BadInput, "金额不成立"),
    ):  # fmt: skip
        with pytest.raises(kind, match=words):
            record_result(by=clerk, on=on, item_id=first.pk, finding=finding)
    elsewhere = actor(Post.CLERK, other_township(first.division[:9] + "000"))
    with pytest.raises((BadInput, NotYourPlace)):
        record_result(by=elsewhere, on=on, item_id=first.pk, finding=keep)
    leave = Finding("leave", "儿子有固定工资，人均收入超过标准", "核对报告 3 号")
    done = record_result(by=clerk, on=on, item_id=first.pk, finding=leave)
    assert (
        record_result(by=clerk, on=on, item_id=first.pk, finding=leave).finding_id == done.finding_id
    )  # the same again
    with pytest.raises(SamePerson):
        review_results(by=replace(reviewer, account=clerk.account), on=on, items=[first.pk])
    _many(there[Post.CLERK], there[Post.REVIEWER], second, on)
    with pytest.raises(AlreadyDone, match="已不在这一步"):
        review_results(by=there[Post.REVIEWER], on=on, items=[second.pk])
    assert review_results(by=reviewer, on=on, items=[first.pk]) == 1
    with pytest.raises(BadInput, match="退回的理由"):
        return_result(by=reviewer, on=on, item_id=first.pk, reason="")
    back = return_result(by=reviewer, on=on, item_id=first.pk, reason="工资证明没有附")
    assert (back.state, back.round, back.result) == ("open", 2, "")
    with pytest.raises(NotVisited):  # the round before does not count
        record_result(by=clerk, on=on, item_id=first.pk, finding=leave)
    again = Item.objects.using("maintenance").get(pk=first.pk)
    visit(again, went(again), on=on + timedelta(days=1))
    record_result(by=clerk, on=on + timedelta(days=1), item_id=first.pk, finding=leave)
    assert review_results(by=who[Post.TOWNSHIP_HEAD], on=on + timedelta(days=1), items=[first.pk]) == 1
    for item in others:
        judged(item, on)
    judged(missed[0], on, "enter")
    told = _found_on_the_spot(campaign, clerk, first, on)
    judged(told, on, "declined")
    on = _published(campaign, on)
    _progress(campaign, planner(), first, on)
    _checked_and_closed(campaign, held, first, on + timedelta(days=2))


def other_township(township):
    [(code,)] = maintenance(
        "SELECT max(division) FROM organisation_appointment WHERE post = 'clerk' AND division <> %s", township
    )
    return code


def _many(clerk, reviewer, second, on):
    """Kept at a stroke: visited, without a mark; the repeated one is refused and changes nothing."""
    risky = Item.objects.using("maintenance").get(pk=second.pk).risk_count
    if risky:
        with pytest.raises(NotVisited, match="疑点"):
            record_kept(by=clerk, on=on, items=[second.pk], grounds="入户核实，情况没有变化")
        record_result(by=clerk, on=on, item_id=second.pk, finding=Finding("keep", "车是三轮农用车", "行驶证"))
    else:
        assert record_kept(by=clerk, on=on, items=[second.pk], grounds="入户核实，情况没有变化") == 1
        with pytest.raises(AlreadyDone):
            record_kept(by=clerk, on=on, items=[second.pk], grounds="入户核实，情况没有变化")
    assert review_results(by=reviewer, on=on, items=[second.pk]) == 1
    acts = ItemAct.objects.using("maintenance").filter(item=second.pk).order_by("id")
    assert list(acts.values_list("act", flat=True)) == ["found", "reviewed"]


def _found_on_the_spot(campaign, clerk, first, on):
    """A household nobody proposed, found going from door to door."""
    [(home,)] = maintenance(
        "SELECT min(h.id) FROM registry_household h WHERE left(h.division, 9) = %s AND h.closed_on IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM rectification_item i WHERE i.household_id = h.id)",
        first.division[:9],
    )
    asked = {"by": clerk, "on": on, "campaign_id": campaign.pk, "household": home, "programme": PROGRAMME}
    with pytest.raises(BadInput, match="怎么发现的"):
        add_item(**asked, note="")
    made = add_item(**asked, note="驻村工作队走访，户主患病半年")
    with pytest.raises(AlreadyDone, match="已在整治名单上"):
        add_item(**asked, note="驻村工作队走访，户主患病半年")
    return made


def _published(campaign, on):
    """Every village sees who goes on, for its seven days; the day after."""
    with reading(planner()):
        villages = list_villages(campaign, campaign.prefix)
    ready = [row for row in villages if row.standing == "ready"]
    assert {row.standing for row in villages} <= {"ready", "none"} and len(ready) > 2
    with pytest.raises(NotFinished, match="还没有在村里公示期满"):
        close_campaign(by=opener(), on=on, campaign_id=campaign.pk, summary="核查全部完成，清退一户，新纳入一户")
    for row in ready:
        reviewer = of_township(row.village)[Post.REVIEWER]
        asked = {"by": reviewer, "campaign_id": campaign.pk, "village": row.village, "programme": PROGRAMME}
        assert publish_village(**asked, on=on) == row.rows
    with pytest.raises(AlreadyDone, match="公示中"):
        publish_village(**asked, on=on)
    with pytest.raises(NotYourPlace):
        publish_village(**asked | {"by": of_township(other_township(row.village[:9] + "000"))[Post.REVIEWER]}, on=on)
    with pytest.raises(NoticeStillOpen):
        end_village(**asked, on=on)
    _taken_down(asked, campaign, on)
    shown = NoticeRow.objects.using("maintenance").filter(notice__subject__startswith=f"rectification:{campaign.pk}:")
    shown = shown.exclude(notice__state="withdrawn")
    assert shown.count() == sum(row.rows for row in ready) and all("*" in row.masked_name for row in shown)
    later = on + timedelta(days=8)
    for row in ready:
        end_village(**asked | {"by": of_township(row.village)[Post.REVIEWER], "village": row.village}, on=later)
    with pytest.raises(AlreadyDone, match="公示结束"):
        publish_village(**asked, on=later)
    with reading(planner()):
        total = total_of(count_by_place(campaign, campaign.prefix, Level.TOWNSHIP, later))
        assert total["to_show"] == total["shown"] == shown.count()
    return later


def _taken_down(asked, campaign, on):
    """One that is sent back takes the village's notice down; looked at again, it is put up anew."""
    item = items(campaign, division__startswith=asked["village"], state="reviewed")[0]
    return_result(by=asked["by"], on=on, item_id=item.pk, reason="群众反映收入没有查清")
    with reading(asked["by"]):
        assert find_notice(campaign, asked["village"], PROGRAMME) is None
    with pytest.raises(NotYetReviewed):
        publish_village(**asked, on=on)
    item.refresh_from_db(using="maintenance")
    judged(item, on, "keep" if item.origin == "held" else "enter")
    assert publish_village(**asked, on=on) >= 1


def _progress(campaign, clerk, first, on):
    """Counts from below and above agree; what leaves waits to be carried out by the ordinary way."""
    with reading(clerk):
        row = total_of(count_by_place(campaign, campaign.prefix, Level.TOWNSHIP, on))
        assert (row["all"], row.left, row.percent) == (len(items(campaign)), 0, 100)
        assert (row["visited"], row["leave_count"], row["enter_count"], row["declined_count"]) == (row["all"], 1, 1, 1)
        assert (row["waiting"], row["carried"], row["picked"]) == (2, 0, 0)
        [left] = list_carrying(campaign, campaign.prefix, on, ("leave", "dead"))
        assert (left.item, left.carried, left.evidence) == (first.pk, "waiting", "核对报告 3 号")
        page = page_items(ItemFilter(campaign, campaign.prefix, result="leave"), on)
        assert [item.pk for item in page] == [first.pk] and page.rows[0].visited and page.rows[0].head_name
    first.refresh_from_db(using="maintenance")
    maintenance(
        "UPDATE casework_entitlement SET valid_to = '2021-08-01' WHERE id = %s RETURNING id", first.entitlement_id
    )
    with reading(clerk):
        item = Item.objects.select_related("campaign").get(pk=first.pk)
        assert standing_of(item, on) == "done"
        assert total_of(count_by_place(campaign, campaign.prefix, Level.VILLAGE, on))["carried"] == 1


def _checked_and_closed(campaign, held, first, on):
    """30 % drawn by a number nobody chose, checked on the spot; what does not agree goes back; then it is closed for good."""
    officer, approver, other = planner(), opener(), county_officer()
    summary = "核查全部完成，清退一户，新纳入一户，档案同步更新"
    with pytest.raises(NotFinished, match="还没有抽签"):
        close_campaign(by=approver, on=on, campaign_id=campaign.pk, summary=summary)
    drawn_on = on + timedelta(days=1)
    with pytest.raises(BadInput, match="不成立"):
        freeze_draw(by=officer, on=on, campaign_id=campaign.pk, event="pl5", event_on=on)
    draw = freeze_draw(by=officer, on=on, campaign_id=campaign.pk, event="pl5", event_on=drawn_on)
    with pytest.raises(AlreadyDone):
        freeze_draw(by=officer, on=on, campaign_id=campaign.pk, event="pl5", event_on=drawn_on)
    with pytest.raises(NotYet):
        type_number(by=officer, on=on, campaign_id=campaign.pk, number="40917")
    on = drawn_on
    with pytest.raises(BadInput, match="40917"):
        type_number(by=officer, on=on, campaign_id=campaign.pk, number="x")
    type_number(by=officer, on=on, campaign_id=campaign.pk, number="40918")
    retype_number(by=officer, on=on, campaign_id=campaign.pk, number="4 0 9 1 7")
    with pytest.raises(SamePerson):
        type_number(by=officer, on=on, campaign_id=campaign.pk, number="40917")
    with pytest.raises(BadInput, match="不一样"):
        type_number(by=approver, on=on, campaign_id=campaign.pk, number="40918")
    draw = type_number(by=approver, on=on, campaign_id=campaign.pk, number="40917")
    picks = list(Pick.objects.using("maintenance").filter(campaign_id=campaign.pk).order_by("number"))
    entries = [Entry(row.number, row.must) for row in picks]
    assert hashlib.sha256(list_text(entries).encode()).hexdigest() == draw.digest and len(picks) == len(held)
    by_hand = {pick.number for pick in drawn_by_hand(entries, seed_of(draw.digest, "pl5", drawn_on, "40917"), 30)}
    assert {row.number for row in picks if row.picked} == by_hand and len(by_hand) >= 1
    with reading(of_township(first.division)[Post.CLERK]):
        assert not Pick.objects.exists()  # the county's own
    chosen = [row.item_id for row in picks if row.picked]
    assert {row.subject for row in asked_to_visit(officer, on)} == {
        f"rectification:{campaign.pk}:{number}:check" for number in chosen
    }
    for number in chosen:
        item = Item.objects.using("maintenance").get(pk=number)
        check = {"by": officer, "on": on, "item_id": number, "words": "实地查看，与乡镇结果一致"}
        with pytest.raises(NotVisited, match="县级入户抽查"):
            record_check(**check, agreed=True)
        visit(item, (officer, other), on=on, subject=item.check_subject)
        record_check(**check, agreed=number != chosen[0])
    item = Item.objects.using("maintenance").get(pk=chosen[0])
    assert (item.state, item.round) in (("open", 2), ("open", 3))
    with pytest.raises(NotFinished, match="1 户还没有核查结果；抽中的还有 1 户"):
        close_campaign(by=approver, on=on, campaign_id=campaign.pk, summary=summary)
    who = of_township(item.division)
    judged(item, on, "other")
    item.refresh_from_db(using="maintenance")
    visit(item, (officer, other), on=on, subject=item.check_subject)
    record_check(by=officer, on=on, item_id=item.pk, agreed=True, words="重查后一致")
    with pytest.raises(IntegrityError), reading(approver):
        CountyCheck.objects.filter(pk=0).count()
        CountyCheck.objects.create(
            pick=Pick.objects.get(item=item), division=campaign.county, round=item.round + 1, agreed=True, words="没有去", visit_id=item.visit_id,
            checked_by=1, account=1, checked_on=on, signature_id=item.finding_id,
        )  # fmt: skip
    with pytest.raises(BadInput, match="总结"):
        close_campaign(by=approver, on=on, campaign_id=campaign.pk, summary="")
    closed = close_campaign(by=approver, on=on, campaign_id=campaign.pk, summary=summary)
    assert closed.state == "closed"
    for table in (Campaign.objects.filter(pk=campaign.pk), Item.objects.filter(pk=item.pk)):
        with pytest.raises(IntegrityError), reading(approver):
            table.update(**({"summary": "改写"} if table.model is Campaign else {"state": "open", "round": 9}))
    with pytest.raises(AlreadyDone):
        return_result(by=who[Post.REVIEWER], on=on, item_id=item.pk, reason="还想再查一次")


def test_marks_put_what_to_look_at_first_case_10(county):
    """Facts of the registry, what else is held, and the screening; each from its own source."""
    county("screened")
    granted_but()
    homes = maintenance("SELECT household_id FROM casework_entitlement WHERE programme = %s ORDER BY id", PROGRAMME)
    car, payroll, dead = (row[0] for row in homes[:3])
    maintenance(
        "UPDATE registry_householdfacts SET vehicles = 1, businesses = 1 WHERE household_id = %s RETURNING id", car
    )
    maintenance(
        "UPDATE registry_personfacts SET fiscal_payroll = true, village_cadre = true, staff_kin = true WHERE person_id IN"
        " (SELECT person_id FROM registry_membership WHERE household_id = %s LIMIT 1) RETURNING id", payroll,
    )  # fmt: skip
    maintenance(
        "UPDATE registry_personfacts SET death_date = '2021-06-30' WHERE person_id IN"
        " (SELECT person_id FROM registry_membership WHERE household_id = %s LIMIT 1) RETURNING id", dead,
    )  # fmt: skip
    campaign = opened(COUNTY)
    marks = {row.household_id: row.risks for row in items(campaign)}
    assert {"vehicle", "business"} <= set(marks[car]) and {"payroll", "cadre", "kin"} <= set(marks[payroll])
    assert "dead" in marks[dead] and all(set(each) <= set(RISKS) for each in marks.values())
    with reading(planner()):
        page = page_items(ItemFilter(campaign, campaign.prefix), OPENED)
        assert [row.risk_count for row in page] == sorted((row.risk_count for row in page), reverse=True)
        assert {row.household_id for row in page_items(ItemFilter(campaign, campaign.prefix, risk="kin"), OPENED)} == {
            payroll
        }
    freeze_draw(by=planner(), on=FOUND, campaign_id=campaign.pk, event="pl5", event_on=FOUND + timedelta(days=1))
    must = Pick.objects.using("maintenance").filter(campaign_id=campaign.pk, must=True)
    assert [row.item.household_id for row in must.select_related("item")] == [payroll]  # 100 % of registered relatives


def test_cases_and_reports_go_up_by_their_day_and_come_back_received_case_10(county):
    county("screened")
    campaign = opened(granted_but())
    officer, approver = planner(), opener()
    told = Told(
        "relation", campaign.division, date(2021, 7, 18), "群众举报", "赵某", "村会计", "隐瞒儿子工资，为侄子办理低保", 120_000,
        items(campaign)[0].pk,
    )  # fmt: skip
    entered = {"by": officer, "on": FOUND, "campaign_id": campaign.pk}
    for changed, words in (
        ({"kind": "x"}, "问题类型"), ({"involved": ""}, "涉及人员"), ({"found_on": date(2022, 1, 1)}, "还没有到"), ({"amount_fen": -1}, "金额"),
        ({"place": "340000000000"}, "不在整治范围"), ({"item": 10**9}, "不在整治名单"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            enter_case(**entered, told=replace(told, **changed))
    case = enter_case(**entered, told=told)
    with pytest.raises(AlreadyDone):
        enter_case(**entered, told=told)
    handle_case(by=officer, on=FOUND, case=case.pk, handling="责令退回，停职检查", exposed_on=FOUND)
    moved = {
        "by": officer,
        "on": FOUND,
        "case": case.pk,
        "handed_to": "县纪委监委",
        "handed_no": "线索 7 号",
        "handed_on": FOUND,
    }
    assert hand_to_discipline(**moved).to_discipline
    with pytest.raises(AlreadyDone):
        hand_to_discipline(**moved)
    with reading(actor(Post.TOWNSHIP_HEAD, campaign.division)):
        assert (
            not type(case).objects.exists() and not Submission.objects.exists()
        )  # names of office people stay at the county
    with reading(officer):
        due = list_due(campaign, date(2021, 7, 26))
        assert [(row.kind, row.due_on, row.sent) for row in due] == [
            ("monthly", date(2021, 7, 25), None),
            ("interim", date(2021, 8, 31), None),
        ]
    july = {
        "by": approver,
        "on": date(2021, 7, 24),
        "campaign_id": campaign.pk,
        "kind": "monthly",
        "month": date(2021, 7, 1),
    }
    with pytest.raises(NotYourPost):
        submit(**july | {"by": officer})
    sent = submit(**july)
    assert sent.content["cases"][0]["handed_to"] == "县纪委监委" and len(sent.digest) == 64
    with pytest.raises(AlreadyDone):
        submit(**july)
    with pytest.raises(BadInput, match="没有这份材料"):
        submit(**july | {"month": date(2021, 9, 1)})
    assert submit(**july | {"on": date(2021, 8, 25), "month": date(2021, 8, 1)}).content == {
        "cases": []
    }  # none is reported too
    with pytest.raises(BadInput, match="总结"):
        submit(**july | {"kind": "interim", "month": None, "on": date(2021, 8, 30)})
    interim = submit(
        **july | {"kind": "interim", "month": None, "on": date(2021, 8, 30), "text": "已入户核查过半，问题正在整改"}
    )
    table = interim.content
    assert len(table["total"]) == len(table["columns"]) and table["cases"] == {
        campaign.division: table["cases"][campaign.division]
    }
    assert table["cases"][campaign.division]["relation"] == 1
    with pytest.raises(BadInput, match="签收"):
        enter_receipt(by=officer, on=FOUND, submission=sent.pk, receiver="市民政局", received_on=FOUND)
    back = {
        "by": officer,
        "on": date(2021, 7, 28),
        "submission": sent.pk,
        "receiver": "市民政局",
        "received_on": date(2021, 7, 27),
    }
    assert enter_receipt(**back).received_on == date(2021, 7, 27)
    with pytest.raises(AlreadyDone):
        enter_receipt(**back)
    with pytest.raises(IntegrityError), reading(officer):
        Submission.objects.filter(pk=sent.pk).update(received_no="改写")
    with reading(officer):
        table = summary_table(campaign, FOUND)
        assert table.total["held"] == len(items(campaign, origin="held"))
        lines = phase_lines(campaign, table.total, (2, 3), date(2021, 10, 1))
        assert [line.standing for line in lines] == ["over", "over", "over", "now"] and lines[1].late
        assert officer.office_kind == OfficeKind.CIVIL_AFFAIRS
