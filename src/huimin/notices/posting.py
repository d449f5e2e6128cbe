"""The papers on the boards: photographed where they hang, and taken down when their time is over (CASE-06, PUB-04, PUB-05).

in    a sheet; a photo with its day, the spot and who took it; that the paper was taken down
out   photos, encrypted under their digest; the day a sheet came down

Always true: a photo is an image, dated between the posting and today, and the same file for a sheet is one photo; a sheet
hangs as long as one of its notices is open (also by a trigger); what was taken down stays so.
"""

import hashlib
from datetime import date

from huimin.audit.models import Event
from huimin.kernel.errors import BadInput, Refusal
from huimin.notices.commands import NotPublished
from huimin.notices.models import Notice, Sheet, SheetPhoto
from huimin.organisation.acting import Actor, AlreadyDone, command, record_event, refused_by_constraint
from huimin.organisation.posts import Post
from huimin.registry.commands.attachments import keep_scan, open_scan

POSTERS = (Post.INFORMATION_OFFICER, Post.CLERK, Post.REVIEWER, Post.COUNTY_OFFICER, Post.DEPARTMENT_OFFICER)
"""Who puts papers on a board and takes them down: of the village, the township, the county."""
PHOTOS_MAX = 20
Occasion = SheetPhoto.Occasion


class StillHanging(Refusal):
    """A notice on the sheet is not over."""


refused_by_constraint("sheet_hangs_while_open", StillHanging, "公示还没有结束，不能撤下", "请等公示结束后再撤")
refused_by_constraint("sheet_down_once", AlreadyDone, "这张公示已经撤下", "请刷新后查看")
refused_by_constraint("sheet_photo_once", AlreadyDone, "这张照片已经上传", "请刷新后查看")


def image_of(content: bytes) -> tuple[str, str]:
    """Keep a photo: its digest and kind. BadInput for what is no image or too large."""
    if content.startswith(b"%PDF-"):
        raise BadInput("照片不是 JPG 或 PNG", where="照片", why="按文件内容判断", remedy="请直接上传手机拍的照片")
    return keep_scan(content)


@command(*POSTERS)
def add_photo(
    *, by: Actor, on: date, sheet_id: int, occasion: str, taken_on: date, spot: str, photographer: str, content: bytes
) -> SheetPhoto:
    """Keep a photo of a sheet on its board; the same photo again is the one that is there."""
    sheet = _locked(sheet_id)
    if occasion not in Occasion.values:
        raise BadInput("没有选什么时候拍的", where="时机", remedy="请选择张贴时、公示期间或撤下时")
    require_told(taken_on, sheet.posted_on, on, spot, photographer)
    sha256 = hashlib.sha256(content).hexdigest()
    if earlier := sheet.photos.filter(sha256=sha256).first():
        return earlier
    if sheet.photos.count() >= PHOTOS_MAX:
        raise BadInput(f"照片超过 {PHOTOS_MAX} 张", where="照片", remedy="每张公示留几张看得清的就够")
    kept, media_type = image_of(content)
    return SheetPhoto.objects.create(
        sheet=sheet, division=sheet.division, occasion=occasion, taken_on=taken_on, spot=spot.strip()[:80],
        photographer=photographer.strip()[:40], sha256=kept, media_type=media_type, size_bytes=len(content),
        added_by=by.appointment, added_on=on,
    )  # fmt: skip


def require_told(taken_on: date, posted_on: date, on: date, spot: str, photographer: str) -> None:
    """A photo says when, where and by whom it was taken."""
    if not posted_on <= taken_on <= on:
        raise BadInput(
            f"拍摄日期 {taken_on} 不成立",
            where="拍摄日期",
            why=f"应在 {posted_on} 张贴之后、今天之前",
            remedy="请核对日期",
        )
    if len(spot.strip()) < 2:
        raise BadInput("没有写在哪里拍的", where="地点", remedy="如：村委会门口公开栏")
    if len(photographer.strip()) < 2:
        raise BadInput("没有写谁拍的", where="拍摄人", remedy="请写拍摄人姓名")


@command(*POSTERS)
def take_down(*, by: Actor, on: date, sheet_id: int) -> Sheet:
    """The paper was taken off the board; not before all its notices are over."""
    sheet = _locked(sheet_id)
    if sheet.taken_down_on:
        return sheet
    if still := Notice.objects.filter(sheet=sheet, state=Notice.State.OPEN).order_by("-ends_on").first():
        raise StillHanging(
            "公示还没有结束，不能撤下", why=f"公示期到 {still.ends_on} 止", remedy="公示结束（或撤回）后再登记撤下"
        )
    sheet.taken_down_on, sheet.taken_down_by = on, by.appointment
    sheet.save(update_fields=["taken_down_on", "taken_down_by"])
    return sheet


def _locked(sheet_id: int) -> Sheet:
    sheet = Sheet.objects.select_for_update().filter(pk=sheet_id).first()
    if sheet is None:
        raise NotPublished("没有找到这张公示", why="它不在您的辖区内，或不存在", remedy="请从公示列表进入")
    return sheet


READERS = (*POSTERS, Post.TOWNSHIP_HEAD, Post.DEPARTMENT_APPROVER, Post.SUPERVISOR)


@command(*READERS)
def read_photo(*, by: Actor, on: date, photo_id: int) -> tuple[SheetPhoto, bytes]:
    """The photo in plain; people may be on it, so the look is recorded. ScanMissing when the file is lost or changed."""
    row = SheetPhoto.objects.filter(pk=photo_id).first()
    if row is None:
        raise NotPublished("没有找到这张照片", why="它不在您的辖区内，或不存在", remedy="请从公示页面进入")
    content = open_scan(row.sha256)
    record_event(by, Event.Kind.LOOKED, f"sheetphoto:{row.pk}", {"on": on.isoformat()})
    return row, content
