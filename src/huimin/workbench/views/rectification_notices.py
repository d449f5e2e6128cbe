"""What the campaign found, before the villages: who is ready to be published, what hangs, what has ended (CASE-10, CASE-06)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.divisions.queries import names_of
from huimin.organisation.acting import may, reading
from huimin.policy.queries import programme_names
from huimin.rectification import publishing
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, shortened
from huimin.workbench.views.rectifications import campaign_of, nav
from huimin.workbench.views.reliefs import _answer as answer_form

STANDINGS = {
    "ready": ("可以公示", "soon"), "open": ("公示中", "plain"), "ended": ("公示期满", "done"), "left": ("还没有查完", "plain"),
    "none": ("没有要公示的", "plain"),
}  # fmt: skip
ACTS = {
    "publish": ("公示这个村的结果？", "张贴公示", publishing.publish_village, "已公示",
                "只公示隐去中间的姓名、人数和金额，7 天；期满、异议都已答复后再结束公示。"),
    "end": ("结束这个村的公示？", "结束公示", publishing.end_village, "公示已结束", "期满以后、没有未答复的异议才能结束。"),
}  # fmt: skip


@require_safe
@page(guard.RECTIFIERS, reads=False)
def listing(request: Any, number: int) -> HttpResponse:
    """Village by village."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        campaign, place = campaign_of(by, number), chosen_place(request)
        state = one_of(request.GET, "state", STANDINGS)
        found = publishing.list_villages(campaign, max(place.prefix, campaign.prefix, key=len))
        rows, note = shortened([row for row in found if not state or row.standing == state], whole)
        names, programmes = names_of({row.village for row in rows[:2000]}, on), programme_names()
        acts = campaign.state == "open" and may(by, publishing.publish_village)
        return Listing(
            f"{campaign.title}：村级公示", "一个村的户都复核以后，保留和新纳入的在村里公示 7 天，接受群众监督。", "rectifications",
            [Head("村"), Head("项目", paper=44), Head("名单（户）", "count", 24), Head("没有查完", "count", 24), Head("应公示", "count", 24),
             Head("公示", paper=44), Head("到", "date", 24), Head("状态", paper=28)],
            [_village(campaign.pk, row, names, programmes, acts) for row in rows], "没有这样的村。", note,
            nav=nav(by, campaign, "rectification-notices"), seats=["填表人", "负责人"],
            filters=[Filter("state", "状态", [(key, words) for key, (words, _) in STANDINGS.items()], state),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _village(
    campaign: int, row: publishing.VillageList, names: dict[str, str], programmes: dict[str, str], acts: bool
) -> list[Any]:
    words, tone = STANDINGS[row.standing]
    key = {"ready": "publish", "ended": "publish", "open": "end"}.get(row.standing)
    where = reverse("rectification-notice-act", args=[campaign, row.village, row.programme, key]) if key else ""
    offered = acts and row.standing in ("ready", "open")
    notice = Cell(f"第 {row.notice.pk} 号", reverse("notice", args=[row.notice.pk])) if row.notice else None
    return [
        names.get(row.village, row.village), programmes.get(row.programme, row.programme), row.items, row.left, row.rows, notice,
        row.notice.ends_on if row.notice else None, Cell(words, where if offered else "", tone=tone),
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(frozenset(publishing.publish_village.posts))  # type: ignore[attr-defined]
def act(request: Any, number: int, village: str, programme: str, key: str) -> HttpResponse:
    """Put a village's list up, or end its notice."""
    if key not in ACTS:
        raise Http404
    title, button, command, done, effect = ACTS[key]
    by, on = request.actor, request.business_date
    with reading(by):
        campaign = campaign_of(by, number)
        names, programmes = names_of({village}, on), programme_names()

    def run() -> Outcome:
        command(by=by, on=on, campaign_id=number, village=village, programme=programme)
        return Outcome(done, reverse("rectification-notices", args=[number]))

    context = {
        "section": "rectifications", "title": title, "button": button, "back": reverse("rectification-notices", args=[number]),
        "lead": f"{campaign.title}，{names.get(village, village)}，{programmes.get(programme, programme)}。{effect}",
    }  # fmt: skip
    return answer_form(request, None, run, "workbench/rectification_form.html", context)
