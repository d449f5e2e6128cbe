"""Banks at the desk: proposed by one and approved by another, files listed, an exception closed in words (PAY-04, PAY-05)."""

import re

from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.demo.actors import actor
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import BankSetting, Batch, ExchangeFile, PaymentException
from huimin.policy.queries import programme_names
from tests.workbench.people import client_of


def text(answer):
    return answer.content.decode()


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', text(page))[1]


def test_a_setting_is_proposed_checked_and_approved_by_another_pay_04(county):
    county("answered")
    officer, releaser = (
        client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE),
        client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE),
    )
    assert "还没有设置" in text(officer.get("/banks/settings/"))
    page = officer.get("/banks/settings/new/")
    office = re.search(r'<option value="(\d+)">', text(page))[1]
    told = {
        "token": token_of(page), "bank_office": office, "valid_from": "2021-01-01", "format": "rural-bank-batch", "suite": "none",
        "name_check": "no", "route": "folder", "basis": "代发协议", "folder_out": "", "folder_in": "", "host": "", "port": "",
        "username": "", "host_key": "",
    }  # fmt: skip
    wrong = officer.post("/banks/settings/new/", told)
    assert wrong.status_code == 422 and "已经过去" in text(wrong) and "代发协议" in text(wrong)
    unsigned = officer.post("/banks/settings/new/", told | {"valid_from": "2021-12-01", "format": "fixed-gbk"})
    assert unsigned.status_code == 422 and "必须签名" in text(unsigned)
    made = officer.post("/banks/settings/new/", told | {"valid_from": "2021-12-01"})
    assert made.status_code == 302
    row = BankSetting.objects.using("maintenance").get()
    path = f"/banks/settings/{row.pk}/"
    assert "与协议和接口约定一致吗" not in text(officer.get(path))
    assert "复核银行设置" in text(releaser.get("/"))
    page = releaser.get(path)
    back = releaser.post(path, {"token": token_of(page), "outcome": "refuse", "refusal": ""})
    assert back.status_code == 422 and "没有写退回的原因" in text(back)
    assert releaser.post(path, {"token": token_of(page), "outcome": "approve", "refusal": ""}).status_code == 302
    assert BankSetting.objects.using("maintenance").get().state == "approved"
    assert "生效" in text(releaser.get("/banks/settings/"))
    assert client_of(Post.BANK_OPERATOR, OfficeKind.BANK).get("/banks/settings/").status_code == 403


def test_files_transfer_and_exceptions_are_shown_with_their_codes_pay_05(county):
    county("answered")
    officer = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    batch = Batch.objects.using("maintenance").order_by("pk").first()
    listed = text(officer.get("/banks/files/"))
    assert f"DF_{batch.batch_no}.txt" in listed and "已确认" in listed
    one = text(officer.get(f"/batches/{batch.pk}/"))
    assert "农村商业银行惠民补贴代发批量文件" in one and "不签名" in one and "试了 1 次" in one
    bank = client_of(Post.BANK_OPERATOR, OfficeKind.BANK)
    with reading(actor(Post.FINANCE_OFFICER, OfficeKind.FINANCE)):
        name = programme_names()[batch.programme]
    for path in ("/batches/", f"/batches/?programme={batch.programme}", f"/batches/{batch.pk}/"):
        shown = text(bank.get(path))
        assert name in shown and f">{batch.programme}<" not in shown and f" {batch.programme} " not in shown, path
    assert "送银行文件" not in text(officer.get("/banks/fetch/")) and officer.get("/banks/nothing/").status_code == 404
    assert officer.post("/banks/send/", {"token": "0" * 32}).status_code == 409
    PaymentException.objects.using("maintenance").create(
        division=batch.division, kind="unmatched", roster_id=batch.roster_id, batch=batch, row_no=7, reason="我方没有送过这一行",
        amount_fen=100, opened_on="2021-09-22", due_on="2021-09-24",
    )  # fmt: skip
    _accounts_are_the_clerks(officer)
    page = text(officer.get("/exceptions/?kind=returned"))
    assert "等乡镇统计员更正账户" in page and "E07" in page and "银行代码 F" in page and "第 0 行" not in page
    page = text(officer.get("/exceptions/?kind=unmatched"))
    assert "E01" in page and "与银行核对后了结" in page
    row = PaymentException.objects.using("maintenance").get(kind="unmatched")
    path = f"/exceptions/{row.pk}/close/"
    form = officer.get(path)
    assert officer.post(path, {"token": token_of(form), "resolution": "好"}).status_code == 422
    assert officer.post(path, {"token": token_of(form), "resolution": "银行书面说明：串户，已更正"}).status_code == 302
    row.refresh_from_db(using="maintenance")
    assert (row.state, row.closed_by is not None) == ("closed", True)
    returned = PaymentException.objects.using("maintenance").filter(kind="returned", state="open").first()
    refused = officer.post(
        f"/exceptions/{returned.pk}/close/", {"token": token_of(officer.get(path)), "resolution": "不管了吧"}
    )
    assert refused.status_code == 409 and "不用手工了结" in text(refused)
    assert client_of(Post.SETTLEMENT, batch.division).get(path).status_code == 403


def _accounts_are_the_clerks(officer):
    """PAY-05: who registers accounts has it on the desk and leads to the form; who waits is told so, and by whom."""
    row = PaymentException.objects.using("maintenance").filter(kind="no_card", state="open", line=None).first()
    clerk = client_of(Post.CLERK, f"{row.division[:9]}000")
    assert "登记收款账户" in text(clerk.get("/")) and "处理银行退回" not in text(clerk.get("/"))
    listed, household = text(clerk.get("/exceptions/?kind=no_card")), row.entitlement.household_id
    assert f'href="/households/{household}/#cards">登记账户' in listed
    assert "登记或更换账户" in text(clerk.get(f"/households/{household}/"))
    desk, listed = text(officer.get("/")), text(officer.get("/exceptions/?kind=no_card"))
    assert "没有可用账户，等乡镇统计员登记" in desk and "登记收款账户" not in desk
    assert "等乡镇统计员登记账户" in listed and "#cards" not in listed and "<td>—</td>" not in listed


def test_a_file_under_a_strange_name_or_too_large_is_told_at_the_field_pay_05(county, monkeypatch):
    county("closed")
    officer = client_of(Post.FINANCE_OFFICER, OfficeKind.FINANCE)
    page = officer.get("/batches/answer/")
    assert "签名文件" in text(page)
    wrong = officer.post("/batches/answer/", {"token": token_of(page), "file": SimpleUploadedFile("工资.xlsx", b"x")})
    assert wrong.status_code == 422 and "文件名不是约定的样式" in text(wrong)
    monkeypatch.setattr("huimin.workbench.uploads.BYTES_MAX", 100_000)
    for _ in range(2):
        large = SimpleUploadedFile("DFR_341524100_1.txt", b"x" * 300_000)
        wrong = text(officer.post("/batches/answer/", {"token": token_of(page), "file": large}))
        assert "文件超过" in wrong and "不完整" not in wrong and "取银行回盘" in wrong
    [entry] = ExchangeFile.objects.using("maintenance").filter(state="refused")
    assert (entry.file_name, entry.sha256, entry.tries, entry.bank_office_id) == ("DFR_341524100_1.txt", "", 2, None)
    assert "还没有对账单" in text(officer.get("/banks/statements/"))
