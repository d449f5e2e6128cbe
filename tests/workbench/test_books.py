"""The books at the desk: reviewed, corrected, closed and proved from pages; the auditor's path in both directions (LED-01, LED-02, LED-03)."""

import html
import io
import re

import pypdf
from django.core.files.uploadedfile import SimpleUploadedFile

from huimin.audit.models import Event
from huimin.demo import dates
from huimin.demo.clock import business_day
from huimin.funds.models import MoneyMove
from huimin.ledger.models import ManualVoucher, MonthClose, QuarterProof, Voucher, VoucherReview, VoucherScan
from huimin.organisation.posts import OfficeKind, Post
from huimin.payment.models import RosterLine
from tests.workbench.people import client_of

MEISHAN = "341524100000"
PERIOD = "since=2021-07&until=2021-09"
SCAN = b"%PDF-1.4 a bank slip"


def text(answer):
    return html.unescape(answer.content.decode())


def token_of(page):
    return re.search(r'name="token" value="([0-9a-f]{32})"', page)[1]


def links(page):
    return re.findall(r'href="([^"]+)"', page)


def sent(client, path, data, **files):
    """The page's own token with the POST, and the page it led to."""
    answer = client.post(path, {"token": token_of(text(client.get(path))), **data, **files})
    return text(client.get(answer["Location"])) if answer.status_code == 302 else text(answer)


def test_the_books_of_a_quarter_are_reviewed_corrected_closed_and_proved_led_01_led_02_led_03(county):
    county("closed")
    accountant, officer = (client_of(post, OfficeKind.FINANCE) for post in (Post.ACCOUNTANT, Post.FINANCE_OFFICER))
    vouchers = Voucher.objects.using("maintenance")
    _auditors_path(accountant)
    assert "审核凭证" in text(accountant.get("/"))
    own = text(officer.get("/ledger/reviews/?month=2021-09"))
    assert "您自己制单或办理的业务" in own  # what finance took in is reviewed by the accountant
    done = sent(accountant, "/ledger/reviews/?month=2021-09", {"month": "2021-09", "place": ""})
    assert f"已审核 {vouchers.count():,} 张" in done
    assert VoucherReview.objects.using("maintenance").filter(matched=True).count() == vouchers.count()
    _correction(accountant, officer, vouchers.filter(event="funds_received", division=MEISHAN).first())
    _papers(accountant)
    business_day(dates.BOOKED)
    _close_and_prove(accountant, officer)
    _not_into_a_closed_month(officer)


def _auditors_path(client):
    """From a total to the law in seven clicks, and back from the household to the voucher."""
    total = text(client.get(f"/ledger/?{PERIOD}"))
    assert "在途发放（元）" in total and "—" not in total.split("合计</td>")[1].split("</tr>")[0]
    [account] = {each for each in links(total) if "code=5001" in each}
    [place] = {each for each in links(text(client.get(account))) if f"place={MEISHAN}" in each and "detail" in each}
    book = text(client.get(place))
    voucher = next(each for each in links(book) if each.startswith("/ledger/vouchers/"))
    papers = links(text(client.get(voucher)))
    batch = next(each for each in papers if re.fullmatch(r"/batches/\d+/", each))
    assert any(re.fullmatch(r"/rosters/\d+/", each) for each in papers)
    trace = next(each for each in links(text(client.get(batch))) if each.startswith("/trace/"))
    page = text(client.get(trace))
    assert "民发〔2021〕57号" in page or "满足" in page
    assert {"/policies/", "/proposals/", "/notices/", "/rosters/"} <= {
        re.match(r"/\w*/?", each)[0] for each in links(page) if each.startswith("/")
    }
    home = next(each for each in links(page) if re.fullmatch(r"/households/\d+/", each))
    assert trace in links(text(client.get(home))) and voucher in links(page)
    seen = client_of(Post.CLERK, MEISHAN).get(trace)
    assert seen.status_code == 200, "the township's own line, signed at the county"
    assert "签名人和摘要由县级部门和审计机关查看" in text(seen) and "，，" not in text(seen) and "签名摘要" in page
    # A period turned round is said to be so; no month is chosen by 全部.
    turned = client.get("/ledger/?since=2021-09&until=2021-07")
    assert turned.status_code == 409 and "起始月 2021年09月晚于截止月" in text(turned)
    assert '<option value="">' not in total.split('name="until"')[0].split('name="since"')[1]


def _correction(accountant, officer, voucher):
    """Proposed by one, refused for the same, approved by the other: red and right, and the old one says so."""
    path = f"/ledger/vouchers/{voucher.pk}/correct/"
    lines = {"pair1": "1002/3001", "programme1": "dibao-rural", "reference1": "ZJ"}
    assert "更正原因" in sent(accountant, path, {"reason": ""})
    assert "这一条没有填全" in sent(accountant, path, {"reason": "银行回单金额不同", "pair1": "1002/3001"})
    page = sent(accountant, path, {"reason": "划款单号写错", **lines, "fen1": f"{voucher.amount_fen / 100:.2f}"})
    assert "由另一人审定" in page
    draft = ManualVoucher.objects.using("maintenance").get()
    own = text(accountant.get(f"/ledger/manual/{draft.pk}/"))
    assert "您提出的，由另一人审定" in own and "审定记账" not in own
    assert "不予记账的原因" in sent(officer, f"/ledger/manual/{draft.pk}/", {"act": "refuse", "refusal": ""})
    page = sent(officer, f"/ledger/manual/{draft.pk}/", {"act": "approve"})
    assert "已审定记账" in page and "−¥" in page
    assert "已红字冲销" in text(accountant.get(f"/ledger/vouchers/{voucher.pk}/"))
    assert "已冲销" in text(accountant.get(f"/ledger/days/?place={MEISHAN}"))


def _papers(accountant):
    """A scan is kept encrypted and looked at for a purpose; vouchers and statements print."""
    voucher = Voucher.objects.using("maintenance").order_by("id").first()
    path = f"/ledger/vouchers/{voucher.pk}/scans/"
    assert "没有选文件" in sent(accountant, path, {"title": "银行回单", "sheets": "1"})
    assert "已加附件" in sent(
        accountant, path, {"title": "银行回单", "sheets": "2"}, file=SimpleUploadedFile("回单.pdf", SCAN)
    )
    scan = VoucherScan.objects.using("maintenance").get()
    assert "附单据 6 张" in text(accountant.get(f"/ledger/vouchers/{voucher.pk}/"))
    assert accountant.post(f"/ledger/scans/{scan.pk}/", {"purpose": ""}).status_code == 422
    assert accountant.post(f"/ledger/scans/{scan.pk}/", {"purpose": "核对到账"}).content == SCAN
    assert Event.objects.using("maintenance").filter(kind="looked", subject=f"voucher_scan:{scan.pk}").exists()
    for address in (f"/ledger/vouchers/pdf/?month=2021-09&place={MEISHAN}", f"/ledger/sheet/?{PERIOD}&print=pdf"):
        assert accountant.get(address).content.startswith(b"%PDF-")
    book = accountant.get(f"/ledger/days/?month=2021-09&place={MEISHAN}&print=pdf").content
    printed = "".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(book)).pages)
    assert "序时账" in printed and "梅山镇" in printed and "2021年9月" in printed and "合计" in printed
    wrong = accountant.get("/ledger/days/?number=abc")
    assert wrong.status_code == 422 and "“abc”不是凭证号" in text(wrong)
    assert f"/ledger/vouchers/{voucher.pk}/" in links(
        text(accountant.get(f"/ledger/days/?number=第{voucher.number}号"))
    )
    for address in (
        "/ledger/days/?month=2021-09&",
        f"/ledger/programmes/?{PERIOD}&by=place&",
        f"/ledger/detail/?{PERIOD}&place={MEISHAN}&",
    ):
        assert b"".join(accountant.get(f"{address}export=xlsx").streaming_content).startswith(b"PK")


def _close_and_prove(accountant, officer):
    """Not while a bank's balance differs, all together when it does not; then the three are compared and signed."""
    page = text(accountant.get("/ledger/close/?month=2021-09"))
    rows = re.findall(r'class="num">([\d,.]+)</td><td class="num">0\.00</td>.{0,300}?name="bank-(\d{12})"', page)
    assert len(rows) > 20 and "三方核对签字" not in text(officer.get("/"))
    banks = {"month": "2021-09"} | {f"bank-{code}": fen for fen, code in rows}
    typed = _more(banks[f"bank-{MEISHAN}"])
    refused = sent(accountant, "/ledger/close/?month=2021-09", banks | {f"bank-{MEISHAN}": typed})
    assert "梅山镇的银行余额与账面不符，差 0.01 元" in refused and f'name="bank-{MEISHAN}" value="{typed}"' in refused
    assert not MonthClose.objects.using("maintenance").exists()
    assert "没有结到" in sent(officer, "/ledger/proofs/sign/?quarter=2021Q3", {"quarter": "2021Q3", "note": ""})
    assert f"{len(rows)} 套账" in sent(accountant, "/ledger/close/?month=2021-09", banks)
    close = MonthClose.objects.using("maintenance").get(division=MEISHAN)
    report = accountant.get(f"/ledger/closes/{close.pk}/?print=pdf")
    assert report.content.startswith(b"%PDF-") and "调节后的余额" in text(accountant.get(f"/ledger/closes/{close.pk}/"))
    assert "没有差异" in text(officer.get("/ledger/proofs/?quarter=2021Q3"))
    _with_a_difference(officer)
    assert "三方核对签字" in text(officer.get("/"))
    assert "已签字" in sent(officer, "/ledger/proofs/sign/?quarter=2021Q3", {"quarter": "2021Q3", "note": ""})
    proof = QuarterProof.objects.using("maintenance").get()
    assert proof.differences_count == 0
    page = text(officer.get("/ledger/proofs/?quarter=2021Q3"))
    assert f"已由{proof.signature.signer} {dates.BOOKED} 签字" in page and "/ledger/proofs/sign/" not in page
    again = officer.get("/ledger/proofs/sign/?quarter=2021Q3")
    assert again.status_code == 409 and proof.signature.signer in text(again)
    assert "三方核对签字" not in text(officer.get("/"))


def _not_into_a_closed_month(officer):
    """FUND-02: what the bank booked is taken into a month that is open."""
    told = {"kind": "in", "division": MEISHAN, "programme": "dibao-rural", "amount": "1", "document_no": "拨 1"}
    assert "已登记拨入" in sent(officer, "/money/new/", told | {"reason": "追加资金"})
    path = f"/money/{MoneyMove.objects.using('maintenance').get().pk}/"
    releaser = client_of(Post.FINANCE_RELEASER, OfficeKind.FINANCE)
    slip = {"outcome": "agree", "receipt_no": "H-9", "refusal": ""}
    refused = sent(releaser, path, slip | {"booked_on": "2021-09-30"})
    assert "2021-09-30 在已经结账的月份" in refused and "账已经结到 2021-09-30" in refused and 'value="H-9"' in refused
    assert "已确认，凭证已记账" in sent(releaser, path, slip | {"booked_on": f"{dates.BOOKED}"})


def _more(yuan):
    return f"{float(yuan.replace(',', '')) + 0.01:.2f}"


def _with_a_difference(officer):
    """A line changed behind everybody's back is named, leads to its story, and is signed only with what is done about it."""
    line = RosterLine.objects.using("maintenance").filter(state="paid").first()
    RosterLine.objects.using("maintenance").filter(pk=line.pk).update(state="returned")
    page = text(officer.get("/ledger/proofs/?quarter=2021Q3"))
    assert "银行已入账，清册不是已发放" in page and f"/trace/{line.pk}/" in links(page)
    assert "没有写处理意见" in sent(officer, "/ledger/proofs/sign/?quarter=2021Q3", {"quarter": "2021Q3", "note": ""})
    RosterLine.objects.using("maintenance").filter(pk=line.pk).update(state="paid")
