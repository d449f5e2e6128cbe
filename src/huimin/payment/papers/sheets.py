"""A notice on paper (公示): what a board shows, with the same digest as the page and a code to it (PAY-02, PUB-05).

Printed is the sheet: one list, or those of several cases that were put up together. Names are printed as the notices froze
them, masked; a notice holds no numbers of people or cards. The telephone is the county's hotline; where it set none, the
paper says so. The code leads to the page with the digest of this paper in the address, so that the page compares the two.
"""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import segno
from django.conf import settings

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.notices.models import Notice, NoticeRow, Sheet
from huimin.notices.queries import recompute_digest, sheet_is_whole
from huimin.notices.rules import rule_of
from huimin.organisation.acting import Actor, command, record_event
from huimin.organisation.models import Appointment
from huimin.organisation.posts import Post
from huimin.organisation.queries import business_date
from huimin.payment.papers.listing import READERS
from huimin.payment.papers.typesetting import typeset
from huimin.payment.papers.words import day_in_words, wrappable


class NoSuchNotice(Refusal):
    """There is no such notice in the reader's place."""


class NoticeChanged(Refusal):
    """What is stored is not what was published."""


def notice_pdf(*, by: Actor, notice_id: int, site: str = "", mark: str = "") -> bytes:
    """The sheet a notice hangs on. `site` is the address of the site (`https://host`), for the code on it.

    NoSuchNotice, NoticeChanged, NotYourPost, NoFonts. Without `site`, the first host the instance answers to.
    """
    content, on = gather_notice(by=by, notice_id=notice_id)
    address = f"{(site or own_site()).rstrip('/')}{content['path']}"
    code = square_code(f"{address}?paper={content['digest']}")
    return typeset("notice", {**content, "address": address, "code": code}, on=on, mark=mark)


def own_site() -> str:
    return f"{'http' if settings.PLAIN_HTTP else 'https'}://{settings.ALLOWED_HOSTS[0]}"


def square_code(address: str) -> str:
    """The QR code of an address as SVG."""
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", border=2, xmldecl=False)
    return drawing.getvalue().decode("ascii")


@command(Post.INFORMATION_OFFICER, *READERS)
def gather_notice(*, by: Actor, notice_id: int) -> tuple[dict[str, Any], date]:
    """What the sheet of a notice says, and the business date; remembers that it was taken."""
    notice = Notice.objects.filter(pk=notice_id).select_related("sheet").first()
    if notice is None:
        raise NoSuchNotice("没有这份公示，或它不在您的辖区内", remedy="请从公示列表进入")
    sheet = notice.sheet
    whole = sheet_is_whole(sheet) if sheet else recompute_digest(notice_id) == notice.digest
    if not whole:
        raise NoticeChanged("公示内容与张榜时的摘要不符", why="数据可能被改动", remedy="请停止张贴并报告监督员核查")
    on = business_date()
    record_event(by, Event.Kind.EXPORTED, f"notice:{notice_id}", {"rows": (sheet or notice).rows_count})
    publisher = Appointment.objects.select_related("office").get(pk=notice.published_by)
    return _content(notice, sheet, publisher.office.name, on), on


def _content(notice: Notice, sheet: Sheet | None, office: str, on: date) -> dict[str, Any]:
    place = "".join(chain_names(notice.division, notice.starts_on)[2:])
    rows = NoticeRow.objects.filter(notice__sheet=sheet) if sheet else notice.rows.all()
    found = list(rows.order_by("notice", "row_no"))
    columns = columns_of(found)
    of = sheet or notice
    several = sheet is not None and sheet.notices_count > 1
    states = {notice.state} if sheet is None else set(sheet.notices.values_list("state", flat=True))
    return {
        "title": of.title,
        "title_lines": of.title.split(" ", 1),
        "issuer": office,
        "place": place,
        "opening": opening_of(notice, place, office),
        "hotline": hotline_words(rule_of(notice.division).hotline),
        "heads": [head for head, _, _ in columns],
        "widths": [width for _, width, _ in columns],
        "rights": [head in ("人口", "金额（元）") for head, _, _ in columns],
        "rows": [[cell(number, row) for _, _, cell in columns] for number, row in enumerate(found, 1)],
        "total": f"合计 {of.rows_count} 户（人），¥{yuan(of.amount_fen)}（{in_words(of.amount_fen)}）",
        "date": day_in_words(notice.starts_on),
        "state": notice.get_state_display() if states == {notice.state} and notice.state != Notice.State.OPEN else "",
        "digest": of.digest,
        "path": f"/notices/sheets/{of.pk}/" if several else f"/notices/{notice.pk}/",
    }


def opening_of(notice: Notice, place: str, office: str, say: Callable[[date], str] = day_in_words) -> str:
    """What is published, how long, and where to object: to a list of payment, or to applications and lists on their way."""
    what = "发放名单和金额" if notice.subject.startswith("roster:") else "办理名单"
    period = f"公示期自{say(notice.starts_on)}张榜起，至{say(notice.ends_on)}止"
    objecting = f"对{'名单、数量、金额' if notice.subject.startswith('roster:') else '名单、金额'}有异议的，请在公示期内向{office}提出"
    free = "" if notice.subject.startswith("roster:") else "，当面、电话、来信都可以，可以不署名"
    return f"现将{place}{what}公示如下。{period}。{objecting}{free}。"


def amount_words(amount_fen: int) -> str:
    """Of an application the law does not help as things stand, no amount: its refusal is a later step's."""
    return yuan(amount_fen) if amount_fen else "不符合"


def hotline_words(hotline: str) -> str:
    return f"监督电话：{hotline}" if hotline else "本县还没有公布监督电话。"


def columns_of(rows: list[NoticeRow]) -> list[tuple[str, float, Any]]:
    """(head, share of the width, cell) of the columns that say something; the law wants no more (民发〔2021〕57号 第24条)."""
    grouped, counted = any(row.group_name for row in rows), any(row.quantity for row in rows)
    every: list[tuple[str, float, Any, bool]] = [
        ("序号", 1.2, lambda number, row: str(number), True),
        ("村民组", 2.4, lambda number, row: wrappable(row.group_name), grouped),
        ("姓名", 2.4, lambda number, row: wrappable(row.masked_name), True),
        ("人口", 1.1, lambda number, row: str(row.people), True),
        ("数量", 1.8, lambda number, row: wrappable(row.quantity), counted),
        ("金额（元）", 2.4, lambda number, row: amount_words(row.amount_fen), True),
    ]
    return [(head, width, cell) for head, width, cell, shown in every if shown]
