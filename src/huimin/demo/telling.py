"""What is told, so that its pages have rows: boards photographed and cleared, long-term lists, letters, certificates (CASE-06, CASE-07, CASE-11).

in    the closed quarter; the first township, and the county's department
out   photos of its notices, the county's rule for notices, posted lists (the last village is left late), letters written for all
      that were decided and some delivered, certificates of the township, one lost and replaced

Through the rooms' commands; repeating it adds nothing. Photos are drawn here and show nobody. Of the quarter's figures none changes.
"""

import struct
import zlib
from datetime import date

from huimin.demo import dates
from huimin.demo.actors import actor
from huimin.demo.clock import business_day
from huimin.demo.granting import county_officer
from huimin.demo.listing import townships
from huimin.demo.quarter import County, Figures
from huimin.jobs.working import work_until_done
from huimin.notices.models import Notice, Sheet
from huimin.notices.posting import add_photo, take_down
from huimin.notices.rules import LONG_TERM, set_notice_rule
from huimin.organisation.acting import reading
from huimin.organisation.posts import OfficeKind, Post
from huimin.telling.certificates import issue_certificates, replace_lost
from huimin.telling.letters import Delivery, deliver_letters, owed_to, request_letters
from huimin.telling.lists import lists_of
from huimin.telling.models import Certificate, Letter, PublicSheet
from huimin.telling.publicity import add_list_photo, post_list

ON = dates.CLOSED
ASSUMED = "演示假设，不是文件规定"
HOTLINE = "0000-0000000"
PHOTOGRAPHED, DELIVERED = 12, 20


def tell(county: County) -> Figures:
    """Everything of this module, in its order."""
    business_day(ON)
    return {**boards(county), **lists(county), **letters(county), **certificates(county)}


def boards(county: County) -> Figures:
    """The first township's sheets: the first twelve photographed as they were put up, those of the first village taken down."""
    township = townships()[0]
    clerk = actor(Post.CLERK, township)
    with reading(clerk):
        sheets = list(Sheet.objects.order_by("id")[:PHOTOGRAPHED])
        still = set(Notice.objects.filter(state=Notice.State.OPEN).values_list("sheet_id", flat=True))
    for sheet in sheets:
        told = {"occasion": "posted", "taken_on": sheet.posted_on, "spot": "村务公开栏", "photographer": clerk.name}
        add_photo(by=clerk, on=ON, sheet_id=sheet.pk, content=drawn(sheet.pk), **told)
    for sheet in sheets:
        if sheet.division == sheets[0].division and sheet.pk not in still:
            take_down(by=clerk, on=ON, sheet_id=sheet.pk)
    return {"photos": len(sheets)}


def lists(county: County) -> Figures:
    """The county's rule; the lists of the first township's villages posted with a photo, but the last one's."""
    set_notice_rule(
        by=county_officer(), on=dates.DECIDED, programmes=LONG_TERM[:1], hotline=HOTLINE, due_day=10, photo_needed=False,
        basis=ASSUMED,
    )  # fmt: skip
    township = townships()[0]
    with reading(actor(Post.CLERK, township)):
        found = list(lists_of(township[:9], ON))
    for each in found[:-1]:
        by = actor(Post.INFORMATION_OFFICER, each.village)
        sheet = post_list(by=by, on=ON, village=each.village, seen=each.digest)
        if not sheet.photo_sha256:
            told = {"taken_on": ON, "spot": "社会救助固定公示栏", "photographer": by.name}
            add_list_photo(by=by, on=ON, sheet_id=sheet.pk, content=drawn(int(each.village)), **told)
    with reading(county_officer()):
        return {"lists": PublicSheet.objects.count()}


def letters(county: County) -> Figures:
    """All that the civil affairs office owes, by the job; the first of the first township are brought."""
    officer = actor(Post.DEPARTMENT_OFFICER, OfficeKind.CIVIL_AFFAIRS)
    with reading(officer):
        owed = owed_to(officer).exists()
    if owed:
        work_until_done(request_letters(by=officer, on=ON).pk, officer)
    clerk = actor(Post.CLERK, townships()[0])
    with reading(clerk):
        waiting = list(Letter.objects.filter(issued_on__lte=ON).order_by("id")[:DELIVERED])
    if waiting:
        deliver_letters(
            by=clerk,
            on=ON,
            letter_ids=[row.pk for row in waiting],
            delivery=Delivery(Letter.How.SIGNED, _after(waiting)),
        )
    with reading(county_officer()):
        written = Letter.objects.exclude(state=Letter.State.OWED)
        return {"letters": written.count(), "delivered": written.filter(state=Letter.State.DELIVERED).count()}


def _after(letters: list[Letter]) -> date:
    return max(row.issued_on for row in letters if row.issued_on)


def certificates(county: County) -> Figures:
    """The first township's, one of them lost."""
    clerk = actor(Post.CLERK, townships()[0])
    issue_certificates(by=clerk, on=ON)
    with reading(clerk):
        first = Certificate.objects.order_by("id").first()
    if first:
        replace_lost(by=clerk, on=ON, certificate_id=first.pk, reason="本人遗失")
    with reading(clerk):
        return {"certificates": Certificate.objects.count()}


WIDTH, HEIGHT = 320, 240


def drawn(seed: int) -> bytes:
    """A picture of a board with a sheet on it, as PNG; each seed another one."""
    left, top = 60 + seed % 40, 40 + seed % 30
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            on_sheet = left <= x < left + 150 and top <= y < top + 160
            line = on_sheet and (y - top) % 14 == 7 and left + 12 <= x < left + 138
            rows += bytes((40, 40, 40) if line else (250, 250, 245) if on_sheet else (120, 30 + seed % 20, 30))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(bytes(rows)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
