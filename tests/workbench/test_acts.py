"""Acts from pages: checked first, done once, refused in words; looks recorded; files only to whom they are for."""

import hashlib
import re
import threading

import pytest
from django.db import connections

from huimin.audit.models import Event
from huimin.casework.models import Decision
from huimin.demo.actors import actor
from huimin.jobs.models import Job
from huimin.jobs.working import work_one
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import Batch, Instruction, Roster
from huimin.registry.models import CardCorrection, Person, WorkItem
from huimin.screening.models import Run
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', page)[1]


def seen_of(page):
    return re.search(r'name="seen" value="([^"]*)"', page)[1]


def approver():
    return client_of(Post.DEPARTMENT_APPROVER, OfficeKind.CIVIL_AFFAIRS)


def test_two_senders_of_one_page_decide_once_and_see_the_same_pay_06(county):
    """A double click that reaches the server twice at the same moment."""
    county("screened")
    client = approver()
    page = text(client.get("/proposals/decide/?programme=dibao-rural&kind=enter"))
    data = {
        "token": token_of(page), "seen": seen_of(page), "outcome": "grant", "programme": "dibao-rural", "kind": "enter",
        "place": "", "reason": "",
    }  # fmt: skip
    answers = []

    def send():
        again = approver()
        again.cookies = client.cookies
        answers.append(again.post("/proposals/decide/", data))
        connections.close_all()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {answer["Location"] for answer in answers} == {answers[0]["Location"]}
    assert "done=" in answers[0]["Location"]
    decided = Decision.objects.using("maintenance")
    assert decided.count() == len(set(decided.values_list("proposal", flat=True))) > 0
    assert len(set(decided.values_list("signature", flat=True))) == 1
    assert "已确认" in text(client.get(answers[0]["Location"]))


def test_nothing_is_decided_when_the_list_changed_after_it_was_seen(county):
    county("screened")
    client = approver()
    page = text(client.get("/proposals/decide/?programme=dibao-rural&kind=enter"))
    data = {
        "token": token_of(page),
        "seen": "1-1",
        "outcome": "grant",
        "programme": "dibao-rural",
        "kind": "enter",
        "reason": "",
    }
    answer = client.post("/proposals/decide/", data)
    assert answer.status_code == 409 and "名单刚刚有变化" in text(answer)
    assert not Decision.objects.using("maintenance").exists()


def test_a_form_without_a_token_of_ours_does_nothing(county):
    county("compiled")
    client = client_of(Post.REVIEWER, "341524100000")
    roster = Roster.objects.using("maintenance").filter(division="341524100000").first()
    answer = client.post(f"/rosters/{roster.pk}/publish/", {"token": "x"})
    assert answer.status_code == 409 and "这一页已过期" in text(answer)
    assert Roster.objects.using("maintenance").get(pk=roster.pk).state == "compiled"


def test_a_step_of_another_post_is_refused_and_recorded_sec_02(county):
    county("compiled")
    roster = Roster.objects.using("maintenance").filter(division="341524100000").first()
    client = client_of(Post.CLERK, "341524100000")
    page = text(client.get(f"/rosters/{roster.pk}/withdraw/"))
    answer = client.post(f"/rosters/{roster.pk}/publish/", {"token": token_of(page)})
    assert answer.status_code == 409 and "这一步由审核员办理" in text(answer)
    assert Event.objects.using("maintenance").filter(kind="refused", subject="publish_roster").exists()


def test_many_batches_are_released_at_once_and_the_preparers_own_is_left_out_pay_03(county):
    county("prepared")
    releaser = actor(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    batches = list(Batch.objects.using("maintenance").order_by("id"))
    mine = [batch.pk for batch in batches if batch.prepared_by == releaser.appointment]
    client = client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    listed = text(client.get("/batches/"))
    assert all(f'name="id" value="{pk}"' not in listed for pk in mine)
    ids = "&".join(f"id={batch.pk}" for batch in batches)
    page = text(client.get(f"/batches/many/release/?{ids}"))
    assert f"另 {len(mine)} 份现在不能办这一步" in page and "您编制的由另一位放行" in page
    wanted = re.findall(r'name="id" value="(\d+)"', page)
    answer = client.post("/batches/many/release/", {"token": token_of(page), "id": wanted})
    shown = text(client.get(answer["Location"]))
    assert f"已放行 {len(wanted)} 份" in shown
    released = Batch.objects.using("maintenance").filter(state="released")
    assert set(released.values_list("pk", flat=True)) == {int(each) for each in wanted}
    assert Instruction.objects.using("maintenance").count() == sum(released.values_list("lines_count", flat=True))
    opened = client.get("/batches/write/")
    assert opened.status_code == 405 and opened["Allow"] == "POST" and "只在按下按钮时使用" in text(opened)


def test_one_refused_among_many_leaves_the_others_done(county):
    """The page is sent with a roster that is not at this step: it says so, and the rest is published."""
    county("compiled")
    client = client_of(Post.REVIEWER, "341524100000")
    rosters = list(Roster.objects.using("maintenance").filter(division="341524100000").order_by("id"))
    ids = "&".join(f"id={roster.pk}" for roster in rosters)
    page = text(client.get(f"/rosters/many/publish/?{ids}"))
    Roster.objects.using("maintenance").filter(pk=rosters[0].pk).update(state="withdrawn")
    answer = client.post("/rosters/many/publish/", {"token": token_of(page), "id": [each.pk for each in rosters]})
    shown = text(client.get(answer["Location"]))
    assert "1 份没有办" in shown and "没有办：" in shown
    states = Roster.objects.using("maintenance").filter(pk__in=[each.pk for each in rosters[1:]])
    assert set(states.values_list("state", flat=True)) == {"published"}


def test_a_look_needs_a_purpose_shows_once_and_is_recorded_sec_04(county):
    county("registered")
    client = client_of(Post.CLERK, "341524100000")
    person = Person.objects.using("maintenance").filter(division__startswith="341524100").first()
    path = f"/look/id_number/{person.pk}/"
    empty = client.post(path, {"purpose": ""})
    assert empty.status_code == 422 and "请写明为什么要看" in text(empty)
    shown = client.post(path, {"purpose": "核对银行退回的账号"})
    assert re.search(r"341599\d{11}[\dX]", text(shown)) and "no-store" in shown["Cache-Control"]
    event = Event.objects.using("maintenance").get(kind="looked")
    assert event.subject == f"id_number:{person.pk}" and event.detail["purpose"] == "核对银行退回的账号"
    elsewhere = Person.objects.using("maintenance").exclude(division__startswith="341524100").first()
    answer = client.post(f"/look/id_number/{elsewhere.pk}/", {"purpose": "核对"})
    assert answer.status_code == 409 and "没有可看的" in text(answer)


def test_no_page_of_a_household_shows_a_plain_number(shared_county):
    """SEC-04: identity numbers, accounts and phones are masked unless looked at."""
    shared_county("closed")
    client = client_of(Post.CLERK, "341524100000")
    with_lines = Roster.objects.using("maintenance").filter(division="341524100000").first()
    household = with_lines.lines.using("maintenance").first().household_id
    pages = [
        f"/households/{household}/",
        "/households/",
        f"/rosters/{with_lines.pk}/",
        "/exceptions/",
        "/search/?q=3415",
    ]
    for path in pages:
        page = text(client.get(path))
        assert not re.search(r"(?<!\d)\d{17}[\dX](?!\d)", page), path
        assert not re.search(r"(?<![\d*])1[3-9]\d{9}(?!\d)", page), path


@pytest.mark.parametrize(
    ("post", "office"), [(Post.BANK_OPERATOR, OfficeKind.BANK), (Post.FINANCE_RELEASER, OfficeKind.FINANCE)]
)
def test_the_bank_file_is_what_was_written_and_each_download_is_recorded_pay_04(shared_county, post, office):
    shared_county("released")
    batch = Batch.objects.using("maintenance").filter(state="written").first()
    answer = client_of(post, office).get(f"/batches/{batch.pk}/file/")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == batch.file_sha256
    assert Event.objects.using("maintenance").filter(kind="exported", subject=f"batch:{batch.pk}").exists()


def test_the_bank_file_is_for_nobody_else(shared_county):
    shared_county("released")
    batch = Batch.objects.using("maintenance").filter(state="written").first()
    answer = client_of(Post.CLERK, batch.division).get(f"/batches/{batch.pk}/file/")
    assert answer.status_code == 409 and "不能下载银行文件" in text(answer)


def test_the_bank_sees_no_names_and_no_households(shared_county):
    """SEC-03: a bank's login sees its batches and nothing of the registry."""
    shared_county("released")
    client = client_of(Post.BANK_OPERATOR, OfficeKind.BANK)
    batch = Batch.objects.using("maintenance").filter(state="written").first()
    page = text(client.get(f"/batches/{batch.pk}/"))
    assert "户编码" not in page and "姓名" not in page
    for path in ("/households/", "/rosters/", "/notices/", "/proposals/", "/ledger/", "/search/?q=李"):
        assert client.get(path).status_code == 403, path


def test_a_wrong_answer_file_changes_nothing_and_says_where(county):
    """PAY-05: cut in half, the page names the place and nothing is stored."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    county("released")
    client = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    page = text(client.get("/batches/answer/"))
    half = SimpleUploadedFile("DFR_B-1_1.txt", "半个文件".encode("gb18030"))
    answer = client.post("/batches/answer/", {"token": token_of(page), "file": half})
    assert answer.status_code == 422 and "错误：" in text(answer)
    renamed = SimpleUploadedFile("answer.txt", b"x")
    again = client.post("/batches/answer/", {"token": token_of(page), "file": renamed})
    assert "文件名不是约定的样式" in text(again)
    assert not Instruction.objects.using("maintenance").exclude(state="sent").exists()


def test_an_account_is_corrected_under_four_eyes_reg_07(county):
    """Typed with spaces and full-width digits; a wrong holder is told at the field; a reviewer approves."""
    county("answered")
    clerk = client_of(Post.CLERK, "341524100000")
    returned = (
        Person.objects.using("maintenance")
        .filter(division__startswith="341524100", memberships__relation="户主")
        .first()
    )
    household = returned.memberships.using("maintenance").get(recorded_to=None).household_id
    path = f"/households/{household}/cards/{returned.pk}/household/"
    page = text(clerk.get(path))
    data = {
        "token": token_of(page),
        "account": "６２２９ 8888 0000 1111 222",
        "account_name": "别人",
        "reason": "原卡已销户",
    }
    wrong = clerk.post(path, data)
    assert wrong.status_code == 422 and "户名与持卡人姓名不一致" in text(wrong) and "原卡已销户" in text(wrong)
    right = clerk.post(path, data | {"account_name": returned.name})
    assert right.status_code == 302, text(right)
    correction = CardCorrection.objects.using("maintenance").latest("id")
    assert correction.account_tail == "1222"
    reviewer = client_of(Post.REVIEWER, "341524100000")
    page = text(reviewer.get(f"/corrections/{correction.pk}/"))
    bare = reviewer.post(
        f"/corrections/{correction.pk}/", {"token": token_of(page), "outcome": "refuse", "refusal": ""}
    )
    assert bare.status_code == 422 and "请填写不予更正的原因" in text(bare)
    done = reviewer.post(
        f"/corrections/{correction.pk}/", {"token": token_of(page), "outcome": "approve", "refusal": ""}
    )
    assert done.status_code == 302
    assert CardCorrection.objects.using("maintenance").get(pk=correction.pk).state == "approved"


def test_a_work_item_is_settled_in_words_reg_04(county):
    county("registered")
    item = WorkItem.objects.using("maintenance").filter(state="open").first()
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    page = text(client.get(f"/work-items/{item.pk}/"))
    assert client.post(f"/work-items/{item.pk}/", {"token": token_of(page), "settlement": ""}).status_code == 422
    client.post(f"/work-items/{item.pk}/", {"token": token_of(page), "settlement": "已到户核对，以甲村登记为准"})
    assert WorkItem.objects.using("maintenance").get(pk=item.pk).state == "settled"


def test_screening_from_the_page_makes_a_run_det_01(county):
    county("adopted")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    page = text(client.get("/screenings/"))
    bad = client.post("/screenings/", {"token": token_of(page), "determination_date": "明天"})
    assert bad.status_code == 422 and "请按 2021-07-01 的样子填写认定日期" in text(bad)
    asked = {"token": token_of(page), "determination_date": "2021-7-1", "place": "341524000000"}
    assert client.post("/screenings/", {**asked, "place": "110000000000"}).status_code == 422
    answer = client.post("/screenings/", asked)
    assert answer["Location"].startswith("/screenings/jobs/")
    assert client.post("/screenings/", asked)["Location"] == answer["Location"]
    assert Job.objects.using("maintenance").count() == 1
    waiting = text(client.get(answer["Location"]))
    assert "data-polls" in waiting and "后台工作的进程没有在运行" in waiting
    assert work_one() is not None
    shown = text(client.get(answer["Location"]))
    run = Run.objects.using("maintenance").get()
    assert "data-polls" not in shown and f"/screenings/{run.pk}/" in shown
    assert "应进未进" in text(client.get(f"/screenings/{run.pk}/"))


def test_a_screening_is_refused_where_one_is_under_way_and_called_off_det_01(county):
    county("adopted")
    client = client_of(Post.COUNTY_OFFICER, OfficeKind.LEADING_OFFICE)
    asked = {"determination_date": "2021-7-1", "place": "341524000000"}
    job = client.post("/screenings/", {**asked, "token": token_of(text(client.get("/screenings/")))})["Location"]
    page = text(client.get("/screenings/"))
    assert "正在进行" in page
    refused = client.post("/screenings/", {**asked, "place": "341524100000", "token": token_of(page)})
    assert refused.status_code == 409 and "金寨县的筛查排队中" in text(refused)
    number = job.split("/")[3]
    page = text(client.get(f"/screenings/jobs/{number}/cancel/"))
    for _ in range(2):
        ended = client.post(f"/screenings/jobs/{number}/cancel/", {"token": token_of(page)})
        assert "已取消" in text(client.get(ended["Location"]))
    again = text(client.get(f"/screenings/jobs/{number}/cancel/"))
    late = client.post(f"/screenings/jobs/{number}/cancel/", {"token": token_of(again)})
    assert late.status_code == 409 and "已经结束" in text(late)
    clerk = client_of(Post.CLERK, "341524100000")
    assert clerk.get(f"/screenings/jobs/{number}/cancel/").status_code == 403
    assert "取消这次筛查" not in text(clerk.get(f"/screenings/jobs/{number}/"))


def test_the_desk_of_each_post_leads_to_its_own_next_step(county):
    """CASE-05: counts, sums and deadlines; nobody sees what another has to do."""
    county("compiled")
    reviewer = text(client_of(Post.REVIEWER, "341524100000").get("/"))
    assert "公示农村居民最低生活保障清册" in reviewer
    head = text(client_of(Post.TOWNSHIP_HEAD, "341524100000").get("/"))
    assert "申报近亲属" in head and "公示农村居民" not in head and "签批" not in head, (
        "his own duties and nothing of the roster yet"
    )
