"""Who looked at a plain value and who took data out: when, whose, what for; for who supervises (SEC-04, SEC-05)."""

from typing import Any

from django.http import HttpResponse
from django.utils.timezone import localtime
from django.views.decorators.http import require_safe

from huimin.audit.models import Event
from huimin.database.paging import SIZE, cut
from huimin.divisions.queries import names_of
from huimin.organisation.models import Appointment
from huimin.registry.commands import Looked
from huimin.workbench import guard
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Filter, Head, Listing, answer_listing

KINDS = [(kind.value, kind.label) for kind in (Event.Kind.LOOKED, Event.Kind.EXPORTED)]
EXPORT_MAX = 1000
_SUBJECTS = dict(Looked.choices) | {
    "survey": "基本信息表", "visit": "入户调查表", "visit-form": "空白入户调查表", "proof-letter": "信函索证", "doubts": "疑点核实单",
    "entrustment": "委托调查函", "roster": "清册", "publicity": "长期公示表", "statements": "明白卡", "letter": "责任书",
    "notice": "公示表", "batch": "银行文件", "appeal": "申诉答复", "case": "申请材料", "meeting": "民主评议材料",
}  # fmt: skip


@require_safe
@page(guard.SUPERVISORS, reads=False)
def listing(request: Any) -> HttpResponse:
    """Newest first; the last thousand as a workbook or on paper."""

    def build(whole: bool) -> Listing:
        place, kind = chosen_place(request), one_of(request.GET, "kind", dict(KINDS))
        found = Event.objects.filter(kind__in=[kind] if kind else dict(KINDS))
        found = found.filter(division__gte=place.prefix, division__lt=place.prefix + "~")
        shown = cut(found, ("-id",), "" if whole else request.GET.get("at", ""), EXPORT_MAX if whole else SIZE)
        names = names_of({row.division for row in shown}, request.business_date)
        who = _who({row.appointment for row in shown if row.appointment})
        return Listing(
            "查看和导出记录", "谁看了完整的号码、住址，谁导出、打印了什么，用于什么。", "traces",
            [Head("时间", paper=32), Head("谁"), Head("地方", paper=34), Head("做了什么", paper=26), Head("内容"), Head("用途"),
             Head("行数", "count", 16)],
            [[f"{localtime(row.at):%Y-%m-%d %H:%M}", who.get(row.appointment, "系统"), names.get(row.division, row.division),
              row.get_kind_display(), _subject(row.subject), row.detail.get("purpose", ""), row.detail.get("rows")]
             for row in shown],
            "还没有人查看或导出过。", page=None if whole else shown, across=True, totals=False,
            filters=[Filter("kind", "做了什么", KINDS, kind), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _who(appointments: set[int]) -> dict[int, str]:
    held = Appointment.objects.filter(pk__in=appointments).select_related("office", "account")
    return {each.pk: f"{each.office.name} {each.get_post_display()} {each.account.full_name}" for each in held}


def _subject(text: str) -> str:
    """In the office's words: `id_number:19` is an identity number, `paper:记账凭证` is named by itself."""
    kind, found, number = text.partition(":")
    return (number if kind == "paper" else _SUBJECTS.get(kind, text)) if found else text
