"""Scanned papers behind a voucher (附件): bank slips, approvals; encrypted at rest, each look recorded (LED-01, SEC-04).

in    a file as it came; its kind is told from its content (registry.commands.attachments keeps it)
out   a row of VoucherScan; the plain content, once, for a purpose

The business documents a voucher rests on (batch, roster, answer, application) are not scanned here: `sources` names them.
"""

from datetime import date
from pathlib import Path

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput
from huimin.ledger.models import Voucher, VoucherScan
from huimin.ledger.reviewing import NoSuchVoucher
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.registry.commands.attachments import ENDINGS, keep_scan, open_scan
from huimin.registry.commands.looking import PURPOSE_MAX, PURPOSE_MIN

OF_VOUCHER_MAX = 50
READERS = (
    Post.SETTLEMENT, Post.TOWNSHIP_HEAD, Post.FINANCE_OFFICER, Post.FINANCE_RELEASER, Post.ACCOUNTANT, Post.SUPERVISOR,
)  # fmt: skip


@command(Post.ACCOUNTANT, Post.FINANCE_OFFICER, Post.SETTLEMENT)
def attach_voucher_scan(
    *, by: Actor, on: date, voucher_id: int, title: str, sheets: int, file_name: str, content: bytes
) -> VoucherScan:
    """Keep a scan with the voucher; the same file again is the same attachment. BadInput names what is wrong."""
    voucher = Voucher.objects.filter(pk=voucher_id).first()
    if voucher is None:
        raise NoSuchVoucher("没有这张凭证，或它不在您的辖区内", remedy="请从序时账进入")
    title = " ".join(title.split())
    if not 2 <= len(title) <= 80:
        raise BadInput("没有写明是什么单据", where="单据名称", remedy="如：银行回单、批准文件")
    if not 0 < sheets <= 500:
        raise BadInput("张数要在 1 到 500 之间", where="张数", remedy="请填写单据的张数")
    if voucher.scans.count() >= OF_VOUCHER_MAX:
        raise BadInput(f"附件超过 {OF_VOUCHER_MAX} 份", where="文件", remedy="请合并为 PDF 后再上传")
    sha256, media_type = keep_scan(content)
    made, _ = VoucherScan.objects.get_or_create(
        voucher=voucher, sha256=sha256,
        defaults={
            "division": voucher.division, "title": title, "sheets": sheets, "file_name": Path(file_name).name[-120:],
            "media_type": media_type, "size_bytes": len(content), "added_by": by.appointment, "added_on": on,
        },
    )  # fmt: skip
    return made


@command(*READERS)
def read_voucher_scan(*, by: Actor, on: date, scan_id: int, purpose: str) -> tuple[str, str, bytes]:
    """(file name, media type, plain content) for a purpose that is recorded; ScanMissing when it is lost or changed."""
    purpose = purpose.strip()
    if not PURPOSE_MIN <= len(purpose) <= PURPOSE_MAX:
        raise BadInput("没有写明用途", where="用途", remedy=f"请用 {PURPOSE_MIN} 至 {PURPOSE_MAX} 个字写明为什么要看")
    row = VoucherScan.objects.filter(pk=scan_id).first()
    if row is None:
        raise NoSuchVoucher("没有这份附件，或它不在您的辖区内", remedy="请从凭证页面进入")
    content = open_scan(row.sha256)
    record_event(by, Event.Kind.LOOKED, f"voucher_scan:{row.pk}", {"purpose": purpose, "on": on.isoformat()})
    return f"附件{row.pk}{ENDINGS[row.media_type]}", row.media_type, content
