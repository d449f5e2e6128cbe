"""Scans of papers (附件): signed forms, certificates; encrypted at rest, each look recorded (REG-02, SEC-04).

in    a file as it came; its kind is told from its content, never from its name
out   a row of Attachment and a file HOME/attachments/<SHA-256 of the content>.bin; the plain content, once, for a purpose

Always true: the same file for the same household is one attachment; a file is written before its row and never changed;
what is missing or is not what its digest says is told, never handed out.
"""

import hashlib
import os
from datetime import date
from pathlib import Path

from django.conf import settings

from huimin.audit.models import Event
from huimin.database.personal import PAYLOAD, keyring
from huimin.kernel.ciphers import Unreadable
from huimin.kernel.errors import BadInput, Refusal
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.posts import Post
from huimin.registry.commands.facts import locked_household
from huimin.registry.commands.looking import LOOKERS, PURPOSE_MAX, PURPOSE_MIN
from huimin.registry.models import Attachment, Household
from huimin.registry.snapshots import NotRegistered

SIZE_MAX = 10 * 1024 * 1024
OF_HOUSEHOLD_MAX = 200
_STARTS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}


class ScanMissing(Refusal):
    """The file is not there, or is not what was stored."""


def folder() -> Path:
    return Path(settings.HOME) / "attachments"


@command(Post.INFORMATION_OFFICER, Post.CLERK, Post.COUNTY_OFFICER)
def attach_scan(*, by: Actor, on: date, household: int, title: str, file_name: str, content: bytes) -> Attachment:
    """Keep a scan with the household; the same file again is the same attachment. BadInput names what is wrong."""
    return keep_attachment(by, on, locked_household(by, household), title=title, file_name=file_name, content=content)


def keep_attachment(by: Actor, on: date, found: Household, *, title: str, file_name: str, content: bytes) -> Attachment:
    """The step of `attach_scan` for commands that have locked the household."""
    title = title.strip()
    if not 2 <= len(title) <= 80:
        raise BadInput("没有写明是什么材料", where="材料名称", remedy="如：基本信息表签字页、残疾人证")
    media_type = _media_type(content)
    sha256 = hashlib.sha256(content).hexdigest()
    earlier = found.attachments.filter(sha256=sha256).first()
    if earlier is not None:
        return earlier
    if found.attachments.count() >= OF_HOUSEHOLD_MAX:
        raise BadInput(f"附件超过 {OF_HOUSEHOLD_MAX} 份", where="文件", remedy="请合并为 PDF 后再上传")
    _write(sha256, content)
    return Attachment.objects.create(
        household=found, division=found.division, title=title, file_name=Path(file_name).name[-120:],
        media_type=media_type, size_bytes=len(content), sha256=sha256, added_by=by.appointment, added_on=on,
    )  # fmt: skip


def keep_scan(content: bytes) -> tuple[str, str]:
    """Keep a paper that belongs to no household: its digest, which is all a row needs, and its kind. BadInput."""
    media_type, sha256 = _media_type(content), hashlib.sha256(content).hexdigest()
    _write(sha256, content)
    return sha256, media_type


def open_scan(sha256: str) -> bytes:
    """What `keep_scan` kept; ScanMissing. Whoever hands it out records the look."""
    return _read(sha256)


def _media_type(content: bytes) -> str:
    if len(content) > SIZE_MAX:
        raise BadInput("文件超过 10 MB", where="文件", remedy="请用较低的分辨率（如 200 dpi）重新扫描，或分成几个文件")
    found = next((kind for start, kind in _STARTS if content.startswith(start)), None)
    if found is None:
        raise BadInput("不是 JPG、PNG 或 PDF", where="文件", why="按文件内容判断", remedy="请扫描或拍照成这三种格式")
    return found


def _write(sha256: str, content: bytes) -> None:
    path = folder() / f"{sha256}.bin"
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(keyring().encrypt_bytes(content, PAYLOAD))
    part.replace(path)


@command(*LOOKERS)
def read_scan(*, by: Actor, on: date, attachment: int, purpose: str) -> tuple[Attachment, bytes]:
    """The scan in plain, for a purpose that is recorded; ScanMissing when the file is lost or changed."""
    purpose = purpose.strip()
    if not PURPOSE_MIN <= len(purpose) <= PURPOSE_MAX:
        raise BadInput("没有写明用途", where="用途", remedy=f"请用 {PURPOSE_MIN} 至 {PURPOSE_MAX} 个字写明为什么要看")
    row = Attachment.objects.filter(pk=attachment).first()
    if row is None:
        raise NotRegistered("没有这份附件", why="不存在，或不在您的辖区内", remedy="请从家庭页面进入")
    content = _read(row.sha256)
    record_event(by, Event.Kind.LOOKED, f"attachment:{row.pk}", {"purpose": purpose, "on": on.isoformat()})
    return row, content


def _read(sha256: str) -> bytes:
    path, remedy = folder() / f"{sha256}.bin", "请从备份恢复附件文件，或重新扫描"
    if not path.is_file():
        raise ScanMissing("附件文件不在", remedy=remedy)
    try:
        content = keyring().decrypt_bytes(path.read_bytes(), PAYLOAD)
    except Unreadable as unreadable:
        raise ScanMissing("附件文件打不开", why="文件被改动或密钥不对", remedy=remedy) from unreadable
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ScanMissing("附件与登记时的摘要不符", why="文件被改动", remedy=remedy)
    return content
