"""A notice on paper (公示): what the village's wall shows, with the same digest as the page and a code to it (PAY-02).

Names are printed as the notice froze them, masked; a notice holds no numbers of people or cards. No telephone is printed:
the system knows offices, not their telephones.
"""

import io
from datetime import date
from typing import Any

import segno
from django.conf import settings

from huimin.audit.models import Event
from huimin.divisions.queries import chain_names
from huimin.kernel.errors import Refusal
from huimin.kernel.money import in_words, yuan
from huimin.notices.models import Notice
from huimin.notices.queries import recompute_digest
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
    """The sheet for the wall. `site` is the address of the citizens' site (`https://host`), for the code on it.

    NoSuchNotice, NoticeChanged, NotYourPost, NoFonts. Without `site`, the first host the instance answers to.
    """
    content, on = gather_notice(by=by, notice_id=notice_id)
    address = f"{(site or _own_site()).rstrip('/')}/notices/{notice_id}"
    return typeset("notice", {**content, "address": address, "code": square_code(address)}, on=on, mark=mark)


def _own_site() -> str:
    return f"{'http' if settings.PLAIN_HTTP else 'https'}://{settings.ALLOWED_HOSTS[0]}"


def square_code(address: str) -> str:
    """The QR code of an address as SVG."""
    drawing = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawing, kind="svg", border=2, xmldecl=False)
    return drawing.getvalue().decode("ascii")


@command(Post.INFORMATION_OFFICER, *READERS)
def gather_notice(*, by: Actor, notice_id: int) -> tuple[dict[str, Any], date]:
    """What the sheet says, and the business date; remembers that it was taken."""
    notice = Notice.objects.filter(pk=notice_id).first()
    if notice is None:
        raise NoSuchNotice("没有这份公示，或它不在您的辖区内", remedy="请从公示列表进入")
    if recompute_digest(notice_id) != notice.digest:
        raise NoticeChanged("公示内容与张榜时的摘要不符", why="数据可能被改动", remedy="请停止张贴并报告监督员核查")
    on = business_date()
    record_event(by, Event.Kind.EXPORTED, f"notice:{notice_id}", {"rows": notice.rows_count})
    publisher = Appointment.objects.select_related("office").get(pk=notice.published_by)
    return _content(notice, publisher.office.name, on), on


def _content(notice: Notice, office: str, on: date) -> dict[str, Any]:
    place = "".join(chain_names(notice.division, notice.starts_on)[2:])
    rows = notice.rows.order_by("row_no")
    return {
        "title": notice.title,
        "title_lines": notice.title.split(" ", 1),
        "issuer": office,
        "place": place,
        "opening": f"现将{place}发放名单和金额公示如下。公示期自{day_in_words(notice.starts_on)}张榜起，"
        f"至{day_in_words(notice.ends_on)}止。对名单、数量、金额有异议的，请在公示期内向{office}提出。",
        "rows": [_cells(row) for row in rows],
        "total": f"合计 {notice.rows_count} 户（人），¥{yuan(notice.amount_fen)}（{in_words(notice.amount_fen)}）",
        "date": day_in_words(notice.starts_on),
        "state": "" if notice.state == Notice.State.OPEN else notice.get_state_display(),
        "digest": notice.digest,
    }


def _cells(row: Any) -> list[str]:
    return [
        str(row.row_no), wrappable(row.group_name), wrappable(row.masked_name), str(row.people),
        wrappable(row.quantity), yuan(row.amount_fen),
    ]  # fmt: skip
