"""CASE-11, CASE-05: every refusal, reduction and stop has its letter from the decision on; numbered, as it was decided, delivered; certificates."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError

from huimin.archives.queries import catalogue_of
from huimin.audit.models import Event
from huimin.cases.answering import InWriting, tell_result
from huimin.cases.determining import determine
from huimin.cases.models import Case
from huimin.cases.taking import take_step
from huimin.casework.commands import decide_proposals
from huimin.casework.models import Entitlement
from huimin.database.personal import PAYLOAD, plain
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.jobs.working import work_until_done
from huimin.kernel.errors import BadInput
from huimin.kernel.working_days import OFFICIAL
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.papers.certificates import certificates_pdf
from huimin.payment.papers.notifying import LetterChanged, letters_pdf, parts_of
from huimin.registry.models import Household
from huimin.screening.models import Proposal
from huimin.telling import certificates as cards
from huimin.telling.letters import (
    Delivery,
    LetterFilter,
    NotYourLetter,
    deliver_letters,
    request_letters,
    write_letters,
)
from huimin.telling.models import Certificate, Letter
from huimin.telling.queries import list_owed, list_undelivered
from tests.cases.people import ALL_RECORDS, DAY, PROGRAMME, ask, people, records, reread, walk
from tests.papers.conftest import joined, texts

COUNTY = "341524000000"


def civil(post=Post.DEPARTMENT_OFFICER):
    return actor(post, OfficeKind.CIVIL_AFFAIRS)


def letters(**where):
    return Letter.objects.using("maintenance").filter(**where).order_by("id")


def proposals(kind="enter"):
    with reading(county_officer()):
        rows = Proposal.objects.filter(programme=PROGRAMME, kind=kind, state="open").order_by("division", "id")
        return list(rows)


def decide(ids, grant=True, on=DAY, reason=""):
    return decide_proposals(
        by=civil(Post.DEPARTMENT_APPROVER),
        on=on,
        programme=PROGRAMME,
        division=COUNTY,
        grant=grant,
        proposal_ids=ids,
        reason=reason,
    )


def content(letter):
    return json.loads(plain(letters(pk=letter.pk).get().payload_enc, PAYLOAD))


def unlucky(by):
    """A household the law does not help, with a condition that can be told."""
    taken = {each.household_id for each in proposals()}
    with reading(by):
        for house in Household.objects.filter(closed_on=None).exclude(pk__in=taken).order_by("id")[:60]:
            found = determine(by, DAY, Case(pk=0, household=house, programme=PROGRAMME))
            if found and found.eligible is False and any(each["met"] is False for each in found.conditions):
                return house
    raise AssertionError("everybody is helped")


def test_letters_of_bulk_decisions_and_of_a_refused_case_case_11(county):
    county("screened")
    enters = proposals()
    refused, granted = enters[:2], enters[2:]
    decide([each.pk for each in refused], grant=False, reason="入户核实，家庭实际收入超过标准")
    decide([each.pk for each in granted])
    officer, clerk = civil(), actor(Post.CLERK, refused[0].division[:9] + "000")
    assert letters(kind="refused").count() == 2 and letters(kind="granted").count() == len(granted) >= 8
    with reading(officer):
        owed = {row.kind: row for row in list_owed(officer)}
        assert (owed["refused"].count, owed["refused"].due_on) == (2, OFFICIAL.add(DAY, 3))
        assert owed["granted"].due_on is None
    with reading(clerk):
        assert list_owed(clerk) == []
    first = letters(kind="refused")[0]
    with pytest.raises(NotYourLetter):
        write_letters(by=clerk, on=DAY, letter_ids=[first.pk])
    with pytest.raises(NotYourPost):
        write_letters(by=actor(Post.SETTLEMENT, clerk.division), on=DAY, letter_ids=[first.pk])
    with pytest.raises(BadInput, match="还没有制作"):
        deliver_letters(by=clerk, on=DAY, letter_ids=[first.pk], delivery=Delivery("signed", DAY))
    assert (
        write_letters(by=officer, on=DAY, letter_ids=[first.pk]),
        write_letters(by=officer, on=DAY, letter_ids=[first.pk]),
    ) == (1, 0)
    first = letters(pk=first.pk).get()
    assert first.number.endswith("〔2021〕1 号") and first.due_on == OFFICIAL.add(DAY, 3) and first.state == "issued"
    assert content(first)["reason"] == "入户核实，家庭实际收入超过标准"
    said = joined("".join(texts(letters_pdf(by=officer, on=DAY, ids=[first.pk]))))
    for words in (
        "不予批准告知书",
        first.number.replace(" ", ""),
        "理由：入户核实",
        "60日内依法申请行政复议",
        "六个月内",
        "申诉",
        "送达回证",
    ):
        assert words in said, words
    # The rest by the job, each piece in a transaction of its own, numbered without gaps.
    job = request_letters(by=officer, on=DAY)
    assert request_letters(by=officer, on=DAY).pk == job.pk
    done = work_until_done(job.pk, officer)
    assert done.state == "finished" and f"{len(enters) - 1:,}" in done.outcome
    serials = sorted(letters().values_list("serial", flat=True))
    assert serials == list(range(1, len(enters) + 1)) and not letters(state="owed").exists()
    with pytest.raises(BadInput, match="没有待制作的"):
        request_letters(by=officer, on=DAY)
    many = texts(letters_pdf(by=officer, on=DAY, wanted=LetterFilter(officer.prefix, DAY, kind="granted")))
    assert len(many) == len(granted)
    villages = list(
        letters(kind="granted").order_by("division", "household__household_no", "id").values_list("number", flat=True)
    )
    assert [number.replace(" ", "") in joined(page) for number, page in zip(villages, many, strict=True)] == [
        True
    ] * len(many)
    with reading(officer):
        assert Event.objects.filter(kind="exported", subject="告知书").count() == 2
    delivered(clerk, refused, granted)


def delivered(clerk, refused, granted):
    """Delivered once, with how and to whom; final; only in one's place."""
    here = [each for each in letters(state="issued") if each.division.startswith(clerk.prefix)]
    ids = [each.pk for each in here]
    late = DAY + timedelta(days=1)
    for wrong in (
        Delivery("pigeon", late), Delivery("signed", DAY - timedelta(1)), Delivery("signed", late + timedelta(1)),
        Delivery("family", late), Delivery("mailed", late), Delivery("left", late, note="短"),
    ):  # fmt: skip
        with pytest.raises(BadInput):
            deliver_letters(by=clerk, on=late, letter_ids=ids, delivery=wrong)
    elsewhere = next(each for each in letters(state="issued") if not each.division.startswith(clerk.prefix))
    with pytest.raises(BadInput, match="不在您的辖区内"):
        deliver_letters(by=clerk, on=late, letter_ids=[elsewhere.pk], delivery=Delivery("signed", late))
    assert deliver_letters(by=clerk, on=late, letter_ids=ids, delivery=Delivery("signed", late)) == len(ids) >= 1
    assert deliver_letters(by=clerk, on=late, letter_ids=ids, delivery=Delivery("mailed", late, note="单号 12345")) == 0
    row = letters(pk=ids[0]).get()
    assert (row.state, row.delivered_on, row.receiver) == ("delivered", late, row.name)
    with reading(clerk):
        assert list_undelivered(clerk.prefix) == []
    for change in (
        {"number": "伪造"},
        {"delivered_on": DAY},
        {"state": "owed", "serial": None, "payload_enc": None, "issued_on": None},
    ):
        with pytest.raises(IntegrityError, match="is written"):
            letters(pk=row.pk).update(**change)
    letters(pk=row.pk).update(
        payload_enc=letters(pk=elsewhere.pk).get().payload_enc
    )  # as rotation may, and a forger would
    with pytest.raises(LetterChanged):
        letters_pdf(by=clerk, on=late, ids=[row.pk])


def test_a_refused_case_is_told_by_its_letter_with_the_conditions_it_does_not_meet_case_05(county):
    county("screened")
    by = county_officer()
    house = unlucky(by)
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="乡镇审核")
        take_step(
            by=who[Post.REVIEWER], on=on, case_id=case.pk, step="乡镇审核", outcome="refused", reason="家庭收入超过标准"
        )
    clerk = who[Post.CLERK]
    with pytest.raises(InWriting, match="书面"):
        tell_result(by=clerk, on=on, case_id=case.pk)
    letter = letters().get()
    assert letter.kind == "refused" and letter.household_id == house.pk
    with reading(clerk):
        [owed] = list_owed(clerk)
        assert owed.due_on == reread(case).answer_due_on
    write_letters(by=clerk, on=on, letter_ids=[letter.pk])
    told = content(letter)
    with reading(by):
        found = determine(by, DAY, case)
    unmet = [each for each in found.conditions if each["met"] is False]
    assert [each["text"] for each in told["conditions"]] == [each["text"] for each in unmet]
    assert all(each["detail"] and each["basis"] for each in told["conditions"])
    said = dict(parts_of(told))["不符合的条件"]
    assert said and all("”不成立（" in each for each in said), "a comparison that does not hold is not told as a fact"
    said = joined("".join(texts(letters_pdf(by=clerk, on=on, ids=[letter.pk]))))
    assert "不符合的条件" in said and joined(unmet[0]["detail"])[:20] in said
    informant = who[Post.INFORMATION_OFFICER]
    handed = Delivery("left", on + timedelta(1), note="本人拒收，村民组长王某见证")
    assert deliver_letters(by=informant, on=on + timedelta(1), letter_ids=[letter.pk], delivery=handed) == 1
    assert reread(case).answered_on == on + timedelta(1)
    with pytest.raises(AlreadyDone):
        tell_result(by=clerk, on=on, case_id=case.pk)


def test_reductions_and_stops_are_told_before_they_take_effect_case_11(county):
    county("decided")
    granted = Entitlement.objects.using("maintenance").filter(programme=PROGRAMME).order_by("id")[:2]
    before = letters().count()
    run = Proposal.objects.using("maintenance").filter(programme=PROGRAMME).first().run_id
    made = [
        Proposal.objects.using("maintenance").create(
            run_id=run, programme=PROGRAMME, version=held.version, division=held.division, household_id=held.household_id, kind=kind,
            amount_fen=amount, previous_fen=held.amount_fen, people=held.people,
            reasons=[{"of": "time", "name": "年龄", "before": "59", "after": "60", "person": 0}],
        )
        for held, kind, amount in zip(granted, ("leave", "decrease"), (0, 1000), strict=True)
    ]  # fmt: skip
    on = date(2021, 7, 20)
    decide([each.pk for each in made], on=on)
    assert letters().count() == before + 2
    stopped, decreased = letters(kind="stopped").get(), letters(kind="decreased").get()
    officer = civil()
    assert write_letters(by=officer, on=on, letter_ids=[stopped.pk, decreased.pk]) == 2
    assert letters(pk=stopped.pk).get().due_on == date(2021, 7, 31)
    said = joined("".join(texts(letters_pdf(by=officer, on=on, ids=[stopped.pk, decreased.pk]))))
    assert "自2021年8月1日起停止发放" in said and "减少到每月¥10.00" in said and "年龄：59→60" in said
    with reading(officer):
        kinds = {each.kind for each in catalogue_of(stopped.household_id)}
    assert "告知书" in kinds
    certified(officer, granted)


def certified(officer, ended):
    """Issued once to who holds, numbered by township; lost and replaced; taken back when the holding is over; printed."""
    on = date(2021, 7, 21)
    made = cards.issue_certificates(by=officer, on=on)
    assert made >= 8 and cards.issue_certificates(by=officer, on=on) == 0
    rows = Certificate.objects.using("maintenance")
    numbers = list(rows.order_by("number").values_list("number", flat=True))
    assert len(set(numbers)) == made and all(number[9:13] == "2021" and len(number) == 18 for number in numbers)
    row = rows.exclude(entitlement__in=[each.pk for each in ended]).order_by("id")[0]
    clerk = actor(Post.CLERK, row.division[:9] + "000")
    with reading(clerk):
        assert cards.count_to_issue(clerk.prefix, on, (PROGRAMME,)) == 0 == cards.count_to_withdraw(clerk.prefix, on)
    with pytest.raises(BadInput, match="还在享"):
        cards.withdraw_certificates(by=clerk, on=on, certificate_ids=[row.pk], reason="收回")
    new = cards.replace_lost(by=clerk, on=on, certificate_id=row.pk, reason="本人遗失")
    assert cards.replace_lost(by=clerk, on=on, certificate_id=row.pk, reason="本人遗失").pk == new.pk
    assert new.number[:13] == row.number[:13] and new.number > row.number and new.replaces_id == row.pk
    with pytest.raises(IntegrityError, match="is over"):
        rows.filter(pk=row.pk).update(state="valid", ended_on=None, ended_by=None)
    said = joined("".join(texts(certificates_pdf(by=clerk, on=on, ids=[row.pk, new.pk]))))
    assert new.number in said and row.number not in said and "341599" in said and "本县还没有公布监督电话" in said
    assert "第2次打印" in joined("".join(texts(certificates_pdf(by=clerk, on=on, ids=[new.pk]))))
    # One of the two that were decided on holds less from August; the other holds nothing then, and gives it back.
    august = date(2021, 8, 2)
    gone = rows.get(entitlement=ended[0].pk)
    its = actor(Post.CLERK, gone.division[:9] + "000")
    with reading(its):
        assert cards.count_to_withdraw(its.prefix, august) == 1
    with pytest.raises(cards.NoHolding):
        cards.replace_lost(by=its, on=august, certificate_id=gone.pk, reason="本人遗失")
    assert cards.withdraw_certificates(by=its, on=august, certificate_ids=[gone.pk], reason="待遇停发，本人交回") == 1
    assert cards.withdraw_certificates(by=its, on=august, certificate_ids=[gone.pk], reason="待遇停发，本人交回") == 0
    with reading(its):
        assert cards.count_to_withdraw(its.prefix, august) == 0
