"""Home visits from the doorstep to a step's evidence, and everything that is no visit (CASE-02, REG-10, SEC-02, SEC-04)."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections

from huimin.cases.models import CaseEvidence
from huimin.cases.taking import EvidenceMissing, take_step
from huimin.demo.actors import actor
from huimin.demo.granting import county_officer
from huimin.kernel.errors import BadInput
from huimin.kinship.recusal import Recused
from huimin.organisation.acting import AlreadyDone, NotYourPost, reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.snapshots import NotRegistered
from huimin.visits.findings import Found, Neighbour, Position, read
from huimin.visits.models import Doubt, Investigator, Visit, VisitPaper
from huimin.visits.queries import signed_of
from huimin.visits.recording import NotAnInvestigator, NotSigned, RestsOn, add_paper, sign_visit, void_visit
from tests.cases.people import DAY, ask, entering, people, reread
from tests.registry.people import members, other_staff
from tests.visits.people import PNG, TOPICS, Differs, found, sign, two, visit


@pytest.fixture
def story(county):
    county("screened")
    house = entering()
    who = people(house)
    return house, who, ask(house, who[Post.CLERK])


def passed(who, case, on=DAY):
    return take_step(by=who[Post.CLERK], on=on, case_id=case.pk, step="调查", outcome="passed")


def test_two_go_both_sides_sign_and_the_step_passes_on_it_case_02(story):
    house, who, case = story
    clerk = who[Post.CLERK]
    nobody = visit(case, who, met="nobody", found=Found(), met_name="")
    with pytest.raises(EvidenceMissing, match="去过 1 次，家中都没有人"):
        passed(who, case)
    with pytest.raises(NotSigned, match="家中无人"):
        sign_visit(by=clerk, on=DAY, visit_id=nobody.pk)
    key = uuid.uuid4()
    spot = found(position=Position(31.7312345, 115.9312345, 12))
    made = visit(case, who, client_id=key, found=spot)
    assert visit(case, who, client_id=key, found=spot).pk == made.pk  # the same sending is the same visit
    with pytest.raises(AlreadyDone, match="已由别人登记"):
        visit(case, who, by=who[Post.INFORMATION_OFFICER], client_id=key)
    with pytest.raises(AlreadyDone, match="这一天的入户调查已经登记过"):
        visit(case, who)
    with pytest.raises(EvidenceMissing, match="还没有双方签字"):
        passed(who, case)
    with pytest.raises(NotSigned, match="没有签名"):
        sign_visit(by=clerk, on=DAY, visit_id=made.pk)
    photo = {"by": clerk, "on": DAY, "visit_id": made.pk, "kind": "photo", "content": PNG + b"room", "title": "堂屋"}
    assert add_paper(**photo, position=Position(31.73, 115.93)).pk == add_paper(**photo).pk
    for signer in two(who):
        drawn = {"kind": "investigator", "signer": signer, "content": PNG + str(signer).encode()}
        add_paper(by=clerk, on=DAY, visit_id=made.pk, **drawn)
    with pytest.raises(NotSigned, match="被调查人没有签名"):
        sign_visit(by=clerk, on=DAY, visit_id=made.pk)
    with pytest.raises(BadInput, match="同一张图"):
        add_paper(by=clerk, on=DAY, visit_id=made.pk, kind="household", content=PNG + str(signer).encode())
    add_paper(by=clerk, on=DAY, visit_id=made.pk, kind="household", content=PNG + b"hand")
    with pytest.raises(NotAnInvestigator, match="谁调查"):
        sign_visit(by=who[Post.REVIEWER], on=DAY, visit_id=made.pk)
    signed = sign_visit(by=clerk, on=DAY, visit_id=made.pk)
    assert sign_visit(by=clerk, on=DAY, visit_id=made.pk).digest == signed.digest
    with pytest.raises(AlreadyDone, match="不能再改"):
        add_paper(by=clerk, on=DAY, visit_id=made.pk, kind="photo", content=PNG + b"late")
    assert passed(who, case).step == "评议"
    with reading(county_officer()):
        [evidence] = CaseEvidence.objects.filter(case=case, kind="入户调查")
        assert (evidence.reference, evidence.digest) == (f"visits_visit:{made.pk}", signed.digest)
        assert [row.pk for row in signed_of(case.subject)] == [made.pk]
        told = read(Visit.objects.get(pk=made.pk).payload_enc)
        assert told.topics == TOPICS and told.position == Position(31.7312, 115.9312, 12)
        photo = VisitPaper.objects.get(visit=made, kind="photo")
        assert "31.73" not in str(bytes(photo.payload_enc)) and photo.attachment.household_id == house.pk
    with pytest.raises(RestsOn):
        void_visit(by=clerk, on=DAY, visit_id=made.pk, reason="登记错了一户")


def test_who_may_not_go_and_what_is_no_visit_is_refused_by_name_case_02(story):
    from tests.kinship.people import declare

    house, who, case = story
    clerk, village = (who[Post.CLERK].appointment, who[Post.INFORMATION_OFFICER].appointment)
    for investigators, words in (
        ([clerk], "须二人以上"), ([clerk, clerk], "不能去|同一个人算了两次"), ([], "须二人以上"),
        ([clerk, other_staff(Post.CLERK, house).appointment], "不能去这一户"), ([clerk, 10**9], "不能去这一户"),
        ([clerk, who[Post.REVIEWER].appointment], "不能当调查人"),
    ):  # fmt: skip
        with pytest.raises((BadInput, NotAnInvestigator), match=words):
            visit(case, who, investigators=investigators)
    for on, visited_on, words in (
        (DAY, DAY + timedelta(days=1), "还没有到"),
        (DAY, DAY - timedelta(days=1), "早于申请"),
    ):
        with pytest.raises(BadInput, match=words):
            visit(case, who, on=on, visited_on=visited_on)
    wrong = {"topics": {**TOPICS, "health": "长" * 1001}}, {"topics": {"living": "三间房"}}, {"neighbours": ()}
    for each, words in zip(wrong, ("超过 1000 字", "没有写身体状况", "没有走访邻居"), strict=True):
        with pytest.raises(BadInput, match=words):
            visit(case, who, found=found(**each))
    with pytest.raises(BadInput, match="邻居没有写全"):
        visit(case, who, found=found(neighbours=(Neighbour("王", "", "好"),)))
    with pytest.raises(BadInput, match="没有写清为什么调查"):
        visit(case, who, subject="sample:1")
    with pytest.raises(NotYourPost):
        visit(case, who, by=replace(who[Post.CLERK], post=Post.ACCOUNTANT))
    with pytest.raises(NotRegistered):
        visit(case, who, by=other_staff(Post.CLERK, house))
    declare(who[Post.INFORMATION_OFFICER], members(house)[0].person)
    with pytest.raises(Recused, match="须回避"):
        visit(case, who)  # the clerk cannot read the file of the other, and yet it holds
    with pytest.raises(Recused):
        visit(case, who, by=who[Post.INFORMATION_OFFICER])
    assert not Visit.objects.using("maintenance").exists()
    # Whoever writes: the database refuses a relative, an absent signature, a second life.
    with reading(who[Post.CLERK]), pytest.raises(IntegrityError, match="a relative lives there"):
        made = Visit.objects.create(
            division=house.division, household=house, case=case, subject=case.subject, purpose="application", visited_on=DAY,
            met="family", payload_enc=b"", payload_hash=b"", recorded_by=clerk, recorded_on=DAY,
        )  # fmt: skip
        Investigator.objects.create(
            visit=made, division=made.division, appointment=village, account=who[Post.INFORMATION_OFFICER].account
        )
    connections["default"].close()


def test_a_refusal_to_sign_is_witnessed_and_a_mistake_struck_out_case_02(story):
    _, who, case = story
    clerk = who[Post.CLERK]
    made = visit(case, who)
    for signer in two(who):
        add_paper(
            by=clerk, on=DAY, visit_id=made.pk, kind="investigator", signer=signer, content=PNG + str(signer).encode()
        )
    for refused, witness, words in (
        ("不签", "", "见证人"), ("不同意调查结论", "", "见证人"), ("不同意调查结论", clerk.name, "见证人不能是调查人"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            sign_visit(by=clerk, on=DAY, visit_id=made.pk, refused=refused, witness=witness)
    with pytest.raises(BadInput, match="作废的原因"):
        void_visit(by=clerk, on=DAY, visit_id=made.pk, reason="错")
    with pytest.raises(NotAnInvestigator):
        void_visit(by=who[Post.REVIEWER], on=DAY, visit_id=made.pk, reason="登记错了一户")
    assert void_visit(by=clerk, on=DAY, visit_id=made.pk, reason="登记错了一户").state == "void"
    with pytest.raises(AlreadyDone, match="已作废"):
        sign_visit(by=clerk, on=DAY, visit_id=made.pk)
    again = visit(case, who)
    for signer in two(who):
        add_paper(
            by=clerk, on=DAY, visit_id=again.pk, kind="investigator", signer=signer, content=PNG + str(signer).encode()
        )
    signed = sign_visit(by=clerk, on=DAY, visit_id=again.pk, refused="不同意调查结论", witness="李二，村民组长")
    assert (signed.state, signed.witness) == ("signed", "李二，村民组长")
    assert passed(who, case).step == "评议"


def test_a_doubt_stops_the_step_until_it_is_settled_ver_02(story):
    house, who, case = story
    head = members(house)[0].person
    differs = (
        Differs(2, "vehicles"),
        Differs(what="门口停着一辆面包车，说是借的"),
        Differs("小学", "education", head.pk),
    )
    for wrong, words in (
        (Differs("两辆", "vehicles"), "不是整数"), (Differs(1, "planes"), "没有“planes”"), (Differs(1, "vehicles", head.pk), "谁的"),
        (Differs("小学", "education", 10**9), "不在这一户"), (Differs(what="车"), "没有写有什么疑点"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=words):
            visit(case, who, found=found(wrong))
    made = sign(visit(case, who, found=found(*differs)), who)
    with reading(county_officer()):
        rows = list(Doubt.objects.filter(visit=made).order_by("id").values_list("fact", "found", "state"))
    assert ("vehicles", 2, "open") in rows and len(rows) >= 2
    with pytest.raises(EvidenceMissing, match="条疑点没有向申请人核实"):
        passed(who, case)
    assert reread(case).step == "调查"


def test_visits_of_other_matters_stand_beside_those_of_applications_case_02(story):
    """A re-check or a sample takes county people along; it is evidence of its own subject only."""
    _, who, case = story

    officer = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    went = [officer.appointment, who[Post.REVIEWER].appointment]
    made = visit(
        case, who, by=officer, purpose="sample", subject="sample:9", investigators=went,
        found=Found({"living": "与材料一致"}),
    )  # fmt: skip
    sign(made, who, by=officer)
    with reading(officer):
        assert [row.pk for row in signed_of("sample:9")] == [made.pk] and signed_of(case.subject) == []
    with pytest.raises(EvidenceMissing):
        passed(who, case)
