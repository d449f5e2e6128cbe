"""Notices, objections, letters and certificates on pages: from what waits at a desk to what came of it (CASE-05, CASE-06, CASE-11, PUB-05)."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError

from huimin.audit.models import Signature
from huimin.cases.models import CaseAct
from huimin.cases.queries import list_to_publish
from huimin.cases.taking import publish_case, take_step
from huimin.demo.clock import business_day
from huimin.kinship.recusal import Recused
from huimin.notices.models import Notice, NoticeRow, Objection, Sheet
from huimin.notices.objections import Review, answer_objection, file_objection
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.registry.models import Household, Membership
from huimin.telling.models import Certificate, Letter
from tests.cases.people import ALL_RECORDS, DAY, ask, entering, people, records, reread, walk
from tests.kinship.people import declare
from tests.telling.test_publicity import PNG
from tests.workbench.people import client_of
from tests.workbench.test_acts import text, token_of
from tests.workbench.test_reliefs import post_twice


def upload(client, path, data, name="file", content=PNG):
    page = text(client.get(path))
    sent = {**data, "token": token_of(page), name: SimpleUploadedFile("p.png", content, "image/png")}
    answer = client.post(path, sent)
    return answer if answer.status_code != 302 else client.get(answer["Location"])


def test_two_cases_on_one_sheet_photographed_objected_to_by_name_and_sent_back_case_06(county):
    county("screened")
    house = entering()
    who = people(house)
    near = Household.objects.using("maintenance").filter(division__startswith=house.division[:12], closed_on=None)
    cases = [ask(each, who[Post.CLERK]) for each in (house, near.exclude(pk=house.pk).order_by("id")[0])]
    with records(*ALL_RECORDS):
        for case in cases:
            _, on = walk(case, who, until="村公示")
        business_day(on)
        everything(house, who, [reread(case) for case in cases], on)


def everything(house, who, cases, on):
    village, township = house.division[:12], house.division[:9] + "000"
    informant, clerk = client_of(Post.INFORMATION_OFFICER, village), client_of(Post.CLERK, township)
    with reading(who[Post.INFORMATION_OFFICER]):
        mine = list_to_publish(who[Post.INFORMATION_OFFICER])
    assert {case.pk for case in cases} == {case.pk for case in mine}
    page = text(informant.get("/notices/waiting/"))
    assert cases[0].number in page and "村公示 7 天" in page
    ids = [case.pk for case in mine]
    shown = post_twice(informant, "/notices/waiting/", {"id": ids})
    assert f"已公示 {len(ids)} 件" in shown and "没有张贴照片" in shown
    assert "没有等着张贴的" in text(informant.get("/notices/waiting/"))
    sheet = Sheet.objects.using("maintenance").order_by("id")[0]
    assert sheet.notices_count == len(ids) == 2 and "上传公示照片" in text(informant.get("/"))
    notice = Notice.objects.using("maintenance").get(subject=reread(cases[0]).notice_subject())
    # The paper leads to its page with its digest, and the page compares three digests.
    assert "三者相同" in text(informant.get(f"/notices/{notice.pk}/?paper={sheet.digest}"))
    assert "不是同一份名单" in text(informant.get(f"/notices/sheets/{sheet.pk}/?paper={'a' * 64}"))
    printed = text(informant.get(f"/notices/{notice.pk}/sheet/"))
    assert "本县还没有公布监督电话" in printed and "可以不署名" in printed and "村民组" not in printed
    board = f"/notices/sheets/{sheet.pk}/"
    told = {"occasion": "posted", "taken_on": str(on), "spot": "村委会公开栏", "photographer": "王主任"}
    assert upload(informant, board, told, content=b"nothing").status_code == 422
    assert "已上传照片" in text(upload(informant, board, told)) and "上传公示照片" not in text(informant.get("/"))
    photo = sheet.photos.using("maintenance").get()
    assert informant.get(f"/notices/photos/{photo.pk}/").content == PNG
    objected(house, who, informant, clerk, notice, cases[0], on)
    # The other case's days run on; the paper comes down when both are over.
    assert informant.post(board, {"act": "down", "token": token_of(text(informant.get(board)))}).status_code == 409
    later = on + timedelta(days=8)
    business_day(later)
    take_step(by=who[Post.INFORMATION_OFFICER], on=later, case_id=cases[1].pk, step="村公示", outcome="passed")
    assert "撤下公示" in text(informant.get("/"))
    assert "已登记撤下" in post_twice(informant, board, {"act": "down"}) and "撤下公示" not in text(informant.get("/"))


def objected(house, who, informant, clerk, notice, case, on):
    """By name, about staff, by the phone; answered by the head, told; upheld: the case goes back, and the sheet comes down."""
    row = NoticeRow.objects.using("maintenance").get(notice=notice)
    path = f"/notices/rows/{row.pk}/objection/"
    about = who[Post.REVIEWER].appointment
    data = {
        "text": "他家有小汽车，审核员知道",
        "channel": "phone",
        "name": "赵六",
        "phone": "138-1234-5678",
        "about": about,
    }
    assert "反映人电话" in text(clerk.get(path))
    shown = post_twice(clerk, path, data)
    assert "已登记异议" in shown and "13812345678" not in shown and "赵六" not in shown
    found = Objection.objects.using("maintenance").get()
    answer = f"/objections/{found.pk}/"
    reviewer, head = (
        client_of(Post.REVIEWER, house.division[:9] + "000"),
        client_of(Post.TOWNSHIP_HEAD, house.division[:9] + "000"),
    )
    looked = {
        "how": "investigation", "looked_on": str(on), "looked_by": "乡镇负责人、驻村干部", "found": "车在户主名下", "upheld": "yes",
        "answer": "属实，重新评议",
    }  # fmt: skip
    refused = reviewer.post(answer, {**looked, "token": token_of(text(reviewer.get(answer)))})
    assert refused.status_code == 409 and "异议反映的人" in text(refused)
    who_page = reviewer.post(f"/objections/{found.pk}/who/", {"purpose": "想知道是谁"})
    assert who_page.status_code == 409
    assert "答复公示异议" in text(head.get("/"))
    shown = post_twice(head, answer, looked)
    assert "退回“评议”重新办理" in shown and "还没有告知反映人" in shown
    assert "赵六 13812345678" in text(head.post(f"/objections/{found.pk}/who/", {"purpose": "电话告知答复"}))
    assert "告知反映人" in text(clerk.get("/"))
    assert "已登记告知反映人" in post_twice(clerk, answer, {"told_on": str(on), "how": "电话"})
    assert "告知反映人" not in text(clerk.get("/"))
    assert "赵六" not in text(clerk.get("/objections/?standing=upheld")) and "属实" in text(
        clerk.get(f"/notices/{notice.pk}/")
    )
    desk = text(informant.get("/"))
    assert "退回重新办理" in desk and "公示异议成立" in desk
    take_step(
        by=who[Post.INFORMATION_OFFICER],
        on=on,
        case_id=case.pk,
        step="村公示",
        outcome="returned",
        reason="异议成立",
        to="评议",
    )
    shown = text(informant.get(f"/cases/{case.pk}/"))
    assert "已撤下" in shown and "车在户主名下" in shown and "他家有小汽车" in shown


def test_letters_from_the_decision_to_the_receipt_and_certificates_case_11(county):
    county("decided")
    officer = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    assert "制作审批结果告知书" in text(officer.get("/"))
    letter = Letter.objects.using("maintenance").order_by("division", "id")[0]
    page = text(officer.get("/told/letters/"))
    assert "全部制作" in page and "（待制作）" in page
    shown = post_twice(officer, "/told/letters/", {"act": "write", "id": [letter.pk]})
    assert "已制作 1 份" in shown and "〔2021〕1 号" in shown
    assert officer.get(f"/told/letters/{letter.pk}/pdf/").content.startswith(b"%PDF")
    shown = post_twice(officer, "/told/letters/", {"act": "all"})
    assert "已开始制作" in shown and "排队中" in shown
    clerk = client_of(Post.CLERK, letter.division[:9] + "000")
    assert "送达审批结果告知书" in text(clerk.get("/"))
    path = f"/told/letters/{letter.pk}/"
    bad = clerk.post(path, {"how": "mailed", "delivered_on": str(DAY), "token": token_of(text(clerk.get(path)))})
    assert bad.status_code == 422
    business_day(letter.decided_on + timedelta(days=2))
    today = letter.decided_on + timedelta(days=2)
    data = {"how": "family", "delivered_on": str(today), "receiver": "王小二", "note": ""}
    assert "已登记送达" in text(upload(clerk, path, data))
    stored = Letter.objects.using("maintenance").get(pk=letter.pk)
    assert (stored.state, stored.receiver, stored.scan_type) == ("delivered", "王小二", "image/png")
    assert clerk.get(f"/told/letters/{letter.pk}/receipt/").content == PNG
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/told/letters/").status_code == 403
    farmers = client_of(Post.DEPARTMENT_OFFICER, OfficeKind.AGRICULTURE)
    assert farmers.get(path).status_code == 409 and stored.number not in text(farmers.get("/told/letters/?state="))
    # Certificates: from July on.
    business_day(DAY.replace(month=7, day=5))
    assert "发救助证" in text(clerk.get("/"))
    shown = post_twice(clerk, "/told/certificates/", {"act": "issue"})
    assert "已发证" in shown and "发救助证" not in text(clerk.get("/"))
    row = Certificate.objects.using("maintenance").order_by("id")[0]
    page = text(clerk.get(f"/told/certificates/{row.pk}/"))
    paper = clerk.post("/told/certificates/pdf/", {"id": [row.pk], "token": token_of(page)})
    assert paper.content.startswith(b"%PDF") and Certificate.objects.using("maintenance").get(pk=row.pk).prints == 1
    assert "已挂失，补发了新证" in post_twice(clerk, f"/told/certificates/{row.pk}/", {"reason": "本人遗失"})
    assert "该收回" in text(clerk.get("/told/certificates/?standing=ended"))
    book = clerk.get("/told/certificates/?export=xlsx&purpose=核对")
    assert book.status_code == 200 and "spreadsheet" in book["Content-Type"]


def test_a_relative_of_the_household_does_not_answer_an_objection_to_it_reg_10(county):
    county("screened")
    house = entering()
    who = people(house)
    case = ask(house, who[Post.CLERK])
    with records(*ALL_RECORDS):
        case, on = walk(case, who, until="村公示")
    publish_case(by=who[Post.INFORMATION_OFFICER], on=on, case_id=case.pk)
    row = NoticeRow.objects.using("maintenance").get(notice__subject=case.notice_subject())
    assert row.household_id == house.pk
    objection = file_objection(by=who[Post.CLERK], on=on, row_id=row.pk, text="他家有车")
    member = Membership.objects.using("maintenance").filter(household=house, valid_to=None).select_related("person")[0]
    declare(who[Post.REVIEWER], member.person, on=on)
    with pytest.raises(Recused):
        answer_objection(
            by=who[Post.REVIEWER], on=on, objection_id=objection.pk, upheld=False, answer="不属实",
            review=Review("investigation", on, "审核员", "没有车"),
        )  # fmt: skip
    # Who would go around the commands meets the database: no act while the objection is open.
    with pytest.raises(IntegrityError, match="open objection"):
        CaseAct.objects.using("maintenance").create(
            case_id=case.pk, division=case.division, step=case.step, round=case.round, outcome="returned", to_step="评议", reason="绕过去",
            appointment=who[Post.INFORMATION_OFFICER].appointment, account=who[Post.INFORMATION_OFFICER].account, actor="甲",
            acted_on=on, since=on, due_on=on, signature_id=Signature.objects.using("maintenance").order_by("-id")[0].pk,
        )  # fmt: skip
