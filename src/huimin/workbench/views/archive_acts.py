"""What is done with papers at the desk: lent and returned, moved and destroyed by two, counted (REG-08)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.archives import disposing, lending, queries, stocktaking
from huimin.archives.models import Disposal, Loan, Paper, Stocktake
from huimin.organisation.acting import may, reading
from huimin.workbench import archive_forms, guard
from huimin.workbench.acts import Outcome, once
from huimin.workbench.forms import DeskForm
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.archives import boxes_offered, chosen_papers, nav, submitted

ACTS = {
    "lend": ("借出这些材料", "借出", Paper.State.KEPT), "return": ("登记归还", "登记归还", Paper.State.LENT),
    "move": ("提出移交", "提出移交", Paper.State.KEPT), "destroy": ("提出销毁", "提出销毁", Paper.State.KEPT),
}  # fmt: skip
LOANS = [("open", "借出未还"), ("overdue", "超期未还"), ("returned", "已归还")]
LINES_MAX = 100
TONES = {"proposed": "soon", "done": "done", "refused": "late"}


@require_http_methods(["GET", "POST"])
@page(frozenset(lending.lend_papers.posts))  # type: ignore[attr-defined]
def act_on(request: Any, key: str) -> HttpResponse:
    """One act on ticked papers: what they are stands above, what the act needs below."""
    if key not in ACTS:
        raise Http404
    by, on = request.actor, request.business_date
    ids = chosen_papers(request.POST if request.method == "POST" else request.GET)
    with reading(by):
        rows = list(Paper.objects.filter(pk__in=ids).select_related("household", "box__store").order_by("pk"))
        offered = boxes_offered(by, rows[0].household.division) if key == "move" and rows else []
    form = _form(request, key, offered)

    def act() -> Outcome:
        done = _done(by, on, key, ids, form.cleaned_data)
        where = reverse("archive-loans") if key in ("lend", "return") else reverse("archive-disposals")
        return Outcome(done, where, "" if key in ("lend", "return") else "由另一人审批后办理。")

    title, button, state = ACTS[key]
    context = {
        "section": "archives", "form": form, "rows": rows, "title": title, "button": button, "nav": nav(by, ""),
        "wrong": [row for row in rows if row.state != state],
    }  # fmt: skip
    return submitted(request, form, act) or render(
        request, "workbench/archive_act.html", context, status=422 if form.errors else 200
    )


def _form(request: Any, key: str, offered: list[tuple[str, str]]) -> DeskForm:
    data = request.POST or None
    if key == "move":
        return archive_forms.Move(data, boxes=offered)
    return {"lend": archive_forms.Lend, "return": archive_forms.Return, "destroy": archive_forms.Destroy}[key](data)


def _done(by: Any, on: Any, key: str, ids: list[int], told: dict[str, Any]) -> str:
    common = {"by": by, "on": on, "papers": ids}
    if key == "lend":
        return f"已借出 {len(ids)} 件，借阅单 {lending.lend_papers(**common, **told)}"
    if key == "return":
        return f"已归还 {lending.return_papers(**common, **told)} 件"
    target = int(told["target"]) if key == "move" else None
    made = disposing.propose_disposal(**common, act=key, reason=told["reason"], target=target)
    return f"已提出{made.get_act_display()} {made.papers_count} 件"


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def loans(request: Any) -> HttpResponse:
    """Who has what, until when; overdue in front."""
    by, on = request.actor, request.business_date

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", dict(LOANS), "open")
        rows = queries.page_loans(
            place.prefix, state, on, "" if whole else request.GET.get("at", ""), 1000 if whole else 50
        )
        late = queries.count_overdue(place.prefix, on)
        return Listing(
            "档案借阅登记", "借出有登记，归还有核销；超期的在前。", "archives",
            [Head("借阅单", paper=34), Head("材料"), Head("户编码", paper=38), Head("借阅人", paper=24), Head("单位", paper=34), Head("用途", paper=34),
             Head("借出", "date", 22), Head("期限", "date", 22), Head("归还", paper=26)],
            [_loan(row, on) for row in rows], "没有符合条件的借阅。在户档目录或盒里勾选材料即可借出。", nav=nav(by, "archive-loans"), page=rows,
            filters=[Filter("state", "状态", LOANS, state), Filter("place", "地方", place.options, place.code)],
            figures=[("超期未还", f"{late:,}", "late" if late else "")], across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _loan(row: Loan, on: Any) -> list[Any]:
    back = Cell("借出", tone="soon")
    if row.returned_on:
        back = Cell(row.returned_on, sub=row.remark)
    elif row.due_on < on:
        back = Cell(f"超期 {(on - row.due_on).days} 天", tone="late")
    home = row.paper.household
    return [
        row.slip, row.paper.title, Cell(home.household_no, reverse("archive-household", args=[home.pk])), row.borrower, row.office,
        row.purpose, row.lent_on, row.due_on, back,
    ]  # fmt: skip


@require_safe
@page(guard.ARCHIVE_READERS, reads=False)
def disposals(request: Any) -> HttpResponse:
    """Moves and destructions: proposed, done, refused."""
    by = request.actor

    def build(whole: bool) -> Listing:
        place, state = chosen_place(request), one_of(request.GET, "state", Disposal.State.values)
        rows = queries.page_disposals(
            place.prefix, state, "" if whole else request.GET.get("at", ""), 1000 if whole else 50
        )
        return Listing(
            "档案移交和销毁", "一人提出，另一人审批；销毁的须期满。", "archives",
            [Head("事项", paper=18), Head("件数", "count", 14), Head("移到", paper=50), Head("原因"), Head("提出人", paper=50),
             Head("提出", "date", 22), Head("状态", paper=22)],
            [[Cell(row.get_act_display(), reverse("archive-disposal", args=[row.pk])), row.papers_count,
              f"{row.target.store.name} {row.target.place}" if row.target else "", row.reason, row.proposer, row.proposed_on,
              Cell(row.get_state_display(), tone=TONES[row.state], sub=row.refusal)] for row in rows],
            "没有移交或销毁。在户档目录或盒里勾选材料即可提出。", nav=nav(by, "archive-disposals"), page=rows, across=True,
            filters=[Filter("state", "状态", Disposal.State.choices, state), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS)
def disposal(request: Any, number: int) -> HttpResponse:
    """One of them, with its papers; another person decides."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Disposal.objects.select_related("target__store", "signature").get(pk=number)
        papers = list(row.papers.select_related("paper__household").order_by("paper_id")[:500])
    form = archive_forms.Verdict(request.POST or None)

    def act() -> Outcome:
        agreed = form.cleaned_data["outcome"] == "agree"
        disposing.decide_disposal(by=by, on=on, disposal=number, agreed=agreed, refusal=form.cleaned_data["refusal"])
        return Outcome("已办理" if agreed else "已退回", reverse("archive-disposal", args=[number]))

    context = {
        "section": "archives", "row": row, "papers": papers, "form": form, "nav": nav(by, "archive-disposals"), "tone": TONES[row.state],
        "may_decide": may(by, disposing.decide_disposal) and row.state == "proposed" and row.proposed_by != by.appointment,
    }  # fmt: skip
    return submitted(request, form, act) or render(
        request, "workbench/archive_disposal.html", context, status=422 if form.errors else 200
    )


@require_http_methods(["GET", "POST"])
@page(guard.ARCHIVE_READERS, reads=False)
def stocktake(request: Any, number: int) -> HttpResponse:
    """Count a cabinet: a page of papers at a time, those there ticked; then close it."""
    by, on = request.actor, request.business_date
    where = reverse("stocktake", args=[number])
    if request.method == "POST":

        def act() -> Outcome:
            if request.POST.get("close"):
                row = stocktaking.close_stocktake(by=by, on=on, stocktake=number)
                return Outcome(f"清点完成：见到 {row.found:,} 件，未见 {row.missing:,} 件", where)
            seen, listed = set(request.POST.getlist("id")), request.POST.getlist("listed")[:LINES_MAX]
            numbers = [each for each in listed if each.isascii() and each.isdecimal() and len(each) < 19]
            found = [int(each) for each in numbers if each in seen]
            gone = [int(each) for each in numbers if each not in seen]
            total = stocktaking.record_stocktake(by=by, on=on, stocktake=number, found=found, missing=gone)
            return Outcome(f"已记下，见到 {total[0]:,} 件，未见 {total[1]:,} 件", where)

        return once(request, act)

    def build(whole: bool) -> Listing:
        row = Stocktake.objects.select_related("store").get(pk=number)
        closed = row.closed_on is not None
        lines = queries.list_lines(
            number, "" if whole else "missing" if closed else "waiting", 5000 if whole else LINES_MAX
        )
        words = {None: "", True: "在", False: "未见"}
        return Listing(
            f"{row.store.name}清点", f"{row.started_on} 开始，应有 {row.listed:,} 件。"
            + (f"{row.closed_on} 完成。" if closed else "不在的去掉勾，一页一页记下，最后完成。"), "archives",
            [Head("盒", paper=14), Head("序号", paper=14), Head("户编码", paper=42), Head("材料"), Head("日期", "date", 24), Head("结果", paper=24)],
            [[line.paper.box.number, line.paper.place_no,
              Cell(line.paper.household.household_no, reverse("archive-household", args=[line.paper.household_id])), line.paper.title,
              line.paper.dated_on, words[line.found]] for line in lines],
            "没有未见的材料。" if closed else "这一柜都已清点，可以完成。", nav=nav(by, "archives"), seats=["清点人", "监督人", "日期"],
            figures=[("应有", f"{row.listed:,}", ""), ("见到", f"{row.found:,}", ""), ("未见", f"{row.missing:,}", "late" if row.missing else "")]
            if closed else [], acts=[("返回柜", reverse("archive-store", args=[row.store_id]))],
            more={"lines": lines, "stocktake": row, "counts": may(by, stocktaking.record_stocktake) and not closed},
        )  # fmt: skip

    return answer_listing(request, build, "workbench/stocktake.html")
