"""Objections to notices: filed, looked into, answered, told; the register of all (CASE-06)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from huimin.cases.models import Case
from huimin.divisions.queries import chain_names, names_of
from huimin.notices import objections as room
from huimin.notices.models import NoticeRow, Objection
from huimin.notices.objections import Objector, Review
from huimin.notices.queries import OBJECTIONS, list_objections, page_objections
from huimin.organisation.acting import Actor, may, reading
from huimin.policy.queries import programme_names
from huimin.processes.queries import way_of
from huimin.workbench import guard
from huimin.workbench.acts import Outcome
from huimin.workbench.forms import Purpose
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, require_seen
from huimin.workbench.notice_forms import AnswerObjection, FileObjection, TellObjector
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing
from huimin.workbench.views.reliefs import _answer as answer_form

FILERS = frozenset(room.file_objection.posts)  # type: ignore[attr-defined]
ANSWERERS = frozenset(room.answer_objection.posts)  # type: ignore[attr-defined]
TELLERS = frozenset(room.tell_objector.posts)  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@page(FILERS)
def file(request: Any, number: int) -> HttpResponse:
    """Register an objection against a row."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = NoticeRow.objects.select_related("notice").get(pk=number)
        trail = chain_names(row.division, on)
        near = room.staff_near(by, on).select_related("account", "office").order_by("office", "post", "id")
        staff = [(each.pk, f"{each.account.full_name}（{each}）") for each in near[: room.STAFF_LISTED_MAX]]
    initial = {"channel": Objection.Channel.DESK}
    form = FileObjection(request.POST or None, staff=staff, initial=initial)

    def act() -> Outcome:
        told = form.cleaned_data
        made = room.file_objection(
            by=by, on=on, row_id=number, text=told["text"], channel=told["channel"], about=told["about"],
            objector=Objector(told["name"], told["phone"]),
        )  # fmt: skip
        then = f"须在 {made.due_on} 前核查答复；答复前这份名单不能往下办。"
        return Outcome(f"已登记异议，编号 {made.pk}", reverse("notice", args=[row.notice_id]), then)

    context = {"section": "notices", "row": row, "notice": row.notice, "trail": trail}
    return answer_form(request, form, act, "workbench/objection_file.html", context)


@require_safe
@page(guard.STAFF, reads=False)
def listing(request: Any) -> HttpResponse:
    """Every objection of the place: what waits for an answer first, who waits to be told, what came of the others."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        place = chosen_place(request)
        standing = one_of(request.GET, "standing", OBJECTIONS, "" if whole else "open")
        found = page_objections(
            standing, prefix=place.prefix, place="" if whole else request.GET.get("at", ""), size=1000 if whole else 50
        )
        names, programmes = names_of({row.division for row in found}, on), programme_names()
        return Listing(
            "公示异议", "任何人都可以提，可以不署名。7 日内由另一人重新评议或核实后答复，没答复完不往下办。", "objections",
            [Head("反映的情况"), Head("公示", paper=40), Head("公开栏", paper=28), Head("行号", "count", 12), Head("姓名", paper=20),
             Head("登记", "date", 22), Head("期限", "date", 22), Head("办理", paper=28)],
            [_row(request, row, names, programmes) for row in found],
            "没有等着答复的异议。" if standing == "open" else "没有这样的异议。",
            filters=[Filter("standing", "办理", list(OBJECTIONS.items()), standing),
                     Filter("place", "地方", place.options, place.code)],
            page=found, across=True,
        )  # fmt: skip

    return answer_listing(request, build)


def _row(request: Any, row: Objection, names: dict[str, str], programmes: dict[str, str]) -> list[Any]:
    by, on = request.actor, request.business_date
    words = f"{row.text[:60]}…" if len(row.text) > 60 else row.text
    where = reverse("objection-answer", args=[row.pk]) if by.post in ANSWERERS | TELLERS else ""
    if row.state == Objection.State.OPEN:
        standing = Cell("超期" if on > row.due_on else "待答复", tone="late" if on > row.due_on else "soon")
    else:
        untold = not row.anonymous and row.told_on is None
        standing = Cell(row.get_state_display(), tone="done", sub="待告知反映人" if untold else "")
    return [
        Cell(words, where, row.get_channel_display() + ("，匿名" if row.anonymous else "")),
        Cell(programmes.get(row.notice.programme, row.notice.programme), reverse("notice", args=[row.notice_id])),
        names.get(row.division, row.division), row.row.row_no, row.row.masked_name, row.filed_on, row.due_on, standing,
    ]  # fmt: skip


@require_http_methods(["GET", "POST"])
@page(ANSWERERS | TELLERS)
def answer(request: Any, number: int) -> HttpResponse:
    """One objection: looked into and answered; afterwards who left a name is told."""
    by, on = request.actor, request.business_date
    with reading(by):
        objection = Objection.objects.select_related("row", "notice").get(pk=number)
        require_seen(by, objection.notice.programme)
        trail = chain_names(objection.division, on)
        earlier = [each for each in list_objections(objection.notice.subject) if each.row_id == objection.row_id]
        back = _leads(objection)
    waits = objection.state == Objection.State.OPEN
    upheld, dismissed = back
    initial = {"looked_on": on.isoformat(), "told_on": on.isoformat()}
    form: Any = (
        AnswerObjection(request.POST or None, upheld=upheld, dismissed=dismissed, initial=initial) if waits
        else TellObjector(request.POST or None, initial=initial)
    )  # fmt: skip

    def act() -> Outcome:
        told = dict(form.cleaned_data)
        where = reverse("objection-answer", args=[number])
        if not waits:
            room.tell_objector(by=by, on=on, objection_id=number, **told)
            return Outcome("已登记告知反映人", where)
        review = Review(told["how"], told["looked_on"], told["looked_by"], told["found"])
        is_upheld = told["upheld"] == "yes"
        room.answer_objection(by=by, on=on, objection_id=number, upheld=is_upheld, answer=told["answer"], review=review)
        then = f"{upheld}。" if is_upheld else f"{dismissed}。"
        return Outcome("已答复异议", where, then + ("" if objection.anonymous else "请把答复告知反映人。"))

    context = {
        "section": "objections", "objection": objection, "trail": trail, "earlier": earlier, "waits": waits,
        "may_answer": waits and _may_answer(by, objection), "may_tell": _may_tell(by, objection), "about": _staff(objection),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/objection_answer.html", context)


def _may_answer(by: Actor, objection: Objection) -> bool:
    return may(by, room.answer_objection) and (by.post not in room.ABOVE or objection.about_appointment is not None)


def _may_tell(by: Actor, objection: Objection) -> bool:
    over = objection.state != Objection.State.OPEN
    return may(by, room.tell_objector) and over and not objection.anonymous and objection.told_on is None


def _staff(objection: Objection) -> str:
    from huimin.organisation.models import Appointment

    rows = Appointment.objects.select_related("account", "office").filter(pk=objection.about_appointment or 0)
    found = rows.first()
    return f"{found.account.full_name}（{found}）" if found else ""


def _leads(objection: Objection) -> tuple[str, str]:
    """What comes of it when it is upheld, and when it is not."""
    kind, *rest = objection.notice.subject.split(":")
    if kind != "case":
        return "签批时这一行缓发，应发撤销", "这一行照常发放"
    case = Case.objects.select_related("process").filter(pk=rest[0]).first()
    step = next((each for each in way_of(case.process).steps if each.key == rest[2]), None) if case else None
    return f"退回“{step.objection if step else '前面的步骤'}”重新办理", "公示期满后照常往下办"


@require_http_methods(["GET", "POST"])
@page(TELLERS)
def objector(request: Any, number: int) -> HttpResponse:
    """Who objects, for a purpose that is recorded."""
    form = Purpose(request.POST or None)
    value = ""
    if request.method == "POST" and form.is_valid():
        found = room.look_at_objector(
            by=request.actor, on=request.business_date, objection_id=number, purpose=form.cleaned_data["purpose"]
        )
        value = " ".join(filter(None, (found.name, found.phone))) or "匿名"
    context = {
        "section": "objections", "form": form, "what": f"异议 {number} 的反映人", "value": value,
        "back": reverse("objection-answer", args=[number]),
    }  # fmt: skip
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)
