"""Long-term publicity (长期公示): who gets what, on the village's fixed board for as long as it is paid (CASE-07, PUB-05).

in    a village whose list was printed and hung up; a photo of its board; after a payment, what it came to
out   the posted list as a `PublicSheet` with its digest; a `PaidCheck`

Always true: the list is computed from the entitlements in force on the day (lists.py), never kept; what is posted is
what the page showed, or nothing is; the same list is posted once a month; a village without beneficiaries has nothing to
post, but a list that became empty is posted as empty, since the old one must come down. Names masked, members, programme and
amount, nothing else (民发〔2021〕57号 第24条). Law: 伊民规〔2022〕2号 二(二)1 (固定公示栏, 监督举报电话); 日政办发〔2018〕95号 四(三).
"""

from datetime import date

from huimin.audit.models import Event
from huimin.cases.evidence import Held, Reference, holds
from huimin.cases.models import Case
from huimin.casework.models import Entitlement
from huimin.divisions.queries import get_division
from huimin.kernel.errors import BadInput, Refusal
from huimin.kernel.periods import Period, month_start
from huimin.kernel.places import Level
from huimin.notices.posting import image_of, require_told
from huimin.notices.rules import rule_of
from huimin.organisation.acting import (
    Actor,
    AlreadyDone,
    command,
    record_event,
    refused_by_constraint,
    require_place,
)
from huimin.organisation.posts import Post
from huimin.processes.language import Demand, Step
from huimin.registry.commands.attachments import open_scan
from huimin.telling.lists import latest_sheet, list_of
from huimin.telling.models import PaidCheck, PublicSheet

POSTERS = (Post.INFORMATION_OFFICER, Post.CLERK)
READERS = (*POSTERS, Post.REVIEWER, Post.TOWNSHIP_HEAD, Post.COUNTY_OFFICER, Post.SUPERVISOR)
EXAMPLES_MAX = 20

refused_by_constraint("public_sheet_once", AlreadyDone, "这个月已经张贴过同一份名单", "请刷新后查看")


class NothingToPost(Refusal):
    """The village has nobody to publish, and nothing hangs there."""


@command(*POSTERS)
def post_list(*, by: Actor, on: date, village: str, seen: str) -> PublicSheet:
    """The list hangs on the fixed board of the village from today. `seen` is the digest that was printed.

    What hangs there already is not posted again; AlreadyDone when the list changed since it was printed.
    """
    require_place(by, village)
    if get_division(village, on).level != Level.VILLAGE:
        raise BadInput("长期公示按村张贴", where="村", remedy="请选择一个村")
    found, last = list_of(village, on), latest_sheet(village)
    if found.digest != seen:
        raise AlreadyDone("名单刚刚有变化，没有登记张贴", why="待遇或家庭成员有变更", remedy="请重新打印后再张贴、登记")
    if last is not None and last.digest == found.digest:
        return last
    if not found.rows and (last is None or not last.rows_count):
        raise NothingToPost("这个村没有要长期公示的对象", why="名单是空的", remedy="有人享受待遇后再张贴")
    return PublicSheet.objects.create(
        division=village, month=month_start(on), digest=found.digest, rows_count=len(found.rows),
        people_count=found.people, amount_fen=found.amount_fen, hotline=rule_of(village).hotline, posted_on=on,
        posted_by=by.appointment,
    )  # fmt: skip


@command(*POSTERS)
def add_list_photo(
    *, by: Actor, on: date, sheet_id: int, taken_on: date, spot: str, photographer: str, content: bytes
) -> PublicSheet:
    """The photo of a posted list; a new one takes the place of an earlier, whose file stays."""
    sheet = PublicSheet.objects.select_for_update().filter(pk=sheet_id).first()
    if sheet is None:
        raise BadInput("没有这次张贴", where="张贴", why="不存在，或不在您的辖区内", remedy="请从长期公示进入")
    require_told(taken_on, sheet.posted_on, on, spot, photographer)
    sheet.photo_sha256, sheet.photo_type = image_of(content)
    sheet.photo_on, sheet.photo_by = taken_on, by.appointment
    sheet.spot, sheet.photographer = spot.strip()[:80], photographer.strip()[:40]
    sheet.save(update_fields=["photo_sha256", "photo_type", "photo_on", "photo_by", "spot", "photographer"])
    return sheet


@command(*READERS)
def read_list_photo(*, by: Actor, on: date, sheet_id: int) -> tuple[PublicSheet, bytes]:
    """The photo in plain; the look is recorded. ScanMissing when the file is lost or changed."""
    sheet = PublicSheet.objects.filter(pk=sheet_id).first()
    if sheet is None or not sheet.photo_sha256:
        raise BadInput("没有照片", where="照片", remedy="请从长期公示进入")
    content = open_scan(sheet.photo_sha256)
    record_event(by, Event.Kind.LOOKED, f"publicsheet:{sheet.pk}", {"on": on.isoformat()})
    return sheet, content


def record_check(
    *, by: Actor, on: date, division: str, programme: str, subject: str, period: Period, listed: int, paid: int,
    waiting: int, differing: int, examples: list[list[str]],
) -> PaidCheck:  # fmt: skip
    """Remember how a payment and the list compared; a step of room payment's commands, in their transaction."""
    return PaidCheck.objects.create(
        division=division, programme=programme, subject=subject, period_from=period.start, period_until=period.until,
        listed=listed, paid=paid, waiting=waiting, differing=differing, examples=examples[:EXAMPLES_MAX], checked_on=on,
        checked_by=by.appointment,
    )  # fmt: skip


def posted(case: Case, step: Step, demand: Demand, on: date) -> Held:
    """Evidence 长期公示: the village's board shows a list that was posted since the entitlement began."""
    held = Entitlement.objects.filter(decision__case_number=case.pk).order_by("valid_from").first()
    if held is None:
        return Held(missing="还没有批准，不在长期公示的名单上", remedy="批准后、待遇起始月列入")
    if case.programme not in rule_of(case.division).programmes:
        return Held(missing="这个项目不在县里长期公示的项目中", remedy="请县惠民办在公示规则里加上")
    if on < held.valid_from:
        return Held(
            missing=f"待遇从 {held.valid_from} 起，还不在名单上", remedy=f"请在 {held.valid_from} 以后张贴新的名单"
        )
    sheet = latest_sheet(held.division[:12])
    if sheet is None or sheet.posted_on < held.valid_from:
        return Held(missing="村里的长期公示还没有换成有这一户的名单", remedy="请打印、张贴长期公示并登记")
    return Held((Reference(f"telling_publicsheet:{sheet.pk}", sheet.digest, sheet.posted_on),))


holds("长期公示", posted)
