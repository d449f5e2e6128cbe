"""Letters to employers and entrusted visits at the desk: sent, due, answered, taken (CASE-02, SEC-03)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from huimin.database.personal import ADDRESS, plain
from huimin.divisions.queries import chain_names, list_beneath, names_of
from huimin.kernel.errors import BadInput
from huimin.kernel.masking import mask_address
from huimin.kernel.places import Level
from huimin.organisation.acting import Actor, may, reading
from huimin.payment.papers.visits import entrustment_pdf, proof_letter_pdf
from huimin.visits import entrusting, letters, queries
from huimin.visits.findings import TOPICS, read
from huimin.visits.models import Entrustment, ProofLetter
from huimin.visits.recording import VISITORS
from huimin.workbench.acts import Outcome
from huimin.workbench.exporting import printed_by
from huimin.workbench.forms import Purpose
from huimin.workbench.guard import page
from huimin.workbench.listing import chosen_place, one_of, programmes_seen, require_seen
from huimin.workbench.registers import Cell, Filter, Head, Listing, answer_listing, pdf_answer
from huimin.workbench.views.doubts import row_of
from huimin.workbench.views.reliefs import _answer as answer_form
from huimin.workbench.views.visits import matter_of, people_for
from huimin.workbench.visit_forms import (
    Entrust,
    LetterAnswer,
    NewLetter,
    Reply,
    WhyNot,
    Withdraw,
    content_of,
    file_of,
    people_choices,
)
from huimin.workbench.visit_side import nav

READERS = frozenset(VISITORS)
ISSUERS = frozenset(entrusting.ISSUERS)
DAYS = 15
"""Proposed to whoever writes a letter; the law names none."""
LATE = ("late", "超期未回")
SIDES = [("ours", "我们发出的"), ("here", "委托我们的")]


def _due(row: ProofLetter | Entrustment, on: Any) -> Cell:
    return Cell(
        row.due_on,
        sub=f"超期 {(on - row.due_on).days} 天" if row.overdue(on) else "",
        tone="late" if row.overdue(on) else "",
    )


# Letters to employers.


@require_safe
@page(READERS, reads=False)
def proof_letters(request: Any) -> HttpResponse:
    """By the day they are due."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        states = [LATE, *ProofLetter.State.choices]
        place, state = chosen_place(request), one_of(request.GET, "state", dict(states))
        size, seen = 1000 if whole else 50, programmes_seen(request.actor)
        found = queries.page_letters(place.prefix, state, on, request.GET.get("at", ""), size, seen)
        names = names_of({row.division for row in found}, on)
        return Listing(
            "信函索证", "向工作单位、学校等去函询问，到期没有回函的要催。", "visits",
            [Head("回函期限", "date", 26), Head("单位"), Head("问谁", paper=26), Head("户编码", paper=36), Head("村（组）", paper=34),
             Head("状态", paper=24)],
            [[_due(row, on), Cell(row.addressee, reverse("proof-letter", args=[row.pk])), row.person.name,
              row.household.household_no, names.get(row.division, row.division), _letter_state(row, on)] for row in found],
            "没有这样的信函。在申请或入户调查的页面上点“发函”。", nav=nav("proof-letters"), page=found,
            filters=[Filter("state", "状态", states, state), Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _letter_state(row: ProofLetter, on: Any) -> Cell:
    if row.overdue(on):
        return Cell(LATE[1], tone="late")
    return Cell(row.get_state_display(), tone={"sent": "soon", "answered": "done"}.get(row.state, "plain"))


@require_http_methods(["GET", "POST"])
@page(READERS)
def new_letter(request: Any, household: int) -> HttpResponse:
    """Ask an employer about a member."""
    by, on = request.actor, request.business_date
    with reading(by):
        matter = matter_of(request, household)
        trail = chain_names(matter.state.household.division, on)
    people = [(str(each.person.pk), each.person.name) for each in matter.state.members]
    first = {"due_on": _in_days(on), "question": "该职工的岗位、用工时间，今年以来每月实发工资。"}
    form = NewLetter(request.POST or None, people=people, initial=first)

    def act() -> Outcome:
        told = dict(form.cleaned_data) | {"person": int(form.cleaned_data["person"])}
        made = letters.issue_letter(by=by, on=on, **matter.told, **told)
        return Outcome(
            "已发函", reverse("proof-letter", args=[made.pk]), "打印信函盖章寄出，或当面送达；回执随函附上。"
        )

    return _asked(request, form, act, matter, trail, "向单位发函", "发函", "信函附回执，单位盖章后寄回或拍照带回。")


def _in_days(on: Any) -> str:
    return type(on).fromordinal(on.toordinal() + DAYS).isoformat()


def _asked(
    request: Any, form: Any, act: Any, matter: Any, trail: Any, title: str, button: str, effect: str
) -> HttpResponse:
    home = matter.state.household
    context = {
        "section": "visits", "title": title, "button": button, "effect": effect, "trail": trail, "lead": f"{home.household_no}，{matter.label}",
        "back": reverse("case", args=[matter.case.pk]) if matter.case else reverse("household", args=[home.pk]),
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/visit_act.html", context)


@require_safe
@page(READERS)
def proof_letter(request: Any, number: int) -> HttpResponse:
    """One letter, what it asked, what came back."""
    by, on = request.actor, request.business_date
    row = ProofLetter.objects.select_related("household", "person", "case", "attachment").get(pk=number)
    if row.case:
        require_seen(by, row.case.programme)
    doubts = [row_of(by, each) for each in row.doubts.select_related("person", "change")]
    context = {
        "section": "visits", "row": row, "trail": chain_names(row.division, on), "late": row.overdue(on), "doubts": doubts,
        "open": row.state == ProofLetter.State.SENT,
    }  # fmt: skip
    return render(request, "workbench/proof_letter.html", context)


@require_http_methods(["GET", "POST"])
@page(READERS)
def letter_act(request: Any, number: int, key: str) -> HttpResponse:
    """The answer, or that nobody waits for it any more."""
    by, on = request.actor, request.business_date
    if key not in ("answer", "withdraw"):
        raise Http404
    with reading(by):
        row = ProofLetter.objects.select_related("household", "person").get(pk=number)
        trail = chain_names(row.division, on)
    form = LetterAnswer(request.POST or None) if key == "answer" else Withdraw(request.POST or None)
    where = reverse("proof-letter", args=[number])

    def act() -> Outcome:
        told, sent = form.cleaned_data, file_of(request)
        if key == "withdraw":
            letters.withdraw_letter(by=by, on=on, letter_id=number, reason=told["reason"])
            return Outcome("已撤回", where)
        letters.answer_letter(
            by=by, on=on, letter_id=number, answered_on=told["answered_on"], answer=told["answer"], wage_fen=told["wage"],
            content=content_of(sent, "回函"), file_name=sent.name if sent else "",
        )  # fmt: skip
        with reading(by):
            doubts = row.doubts.exists()
        return Outcome("已登记回函", where, "回函的工资和登记的不一样，请向申请人核实。" if doubts else "")

    context = {
        "section": "visits", "title": "登记回函" if key == "answer" else "撤回信函", "button": "登记回函" if key == "answer" else "撤回",
        "effect": "", "trail": trail, "file": "盖章的回函（扫描件或照片）" if key == "answer" else "", "back": where,
        "lead": f"{row.addressee}，关于{row.person.name}", "warning": key == "withdraw",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/visit_act.html", context)


@require_safe
@page(READERS, reads=False)
def letter_pdf(request: Any, number: int) -> HttpResponse:
    """The letter with its return slip."""
    content = proof_letter_pdf(
        by=request.actor, on=request.business_date, letter=number, mark=printed_by(request, "信函索证"),
        address=request.build_absolute_uri(reverse("proof-letter", args=[number])),
    )  # fmt: skip
    return pdf_answer(content, f"信函{number}")


# Entrusted visits.


@require_safe
@page(READERS, reads=False)
def entrustments(request: Any) -> HttpResponse:
    """Ours, or those that came to us, by the day they are due."""
    on = request.business_date

    def build(whole: bool) -> Listing:
        states = [LATE, *Entrustment.State.choices]
        place, state = chosen_place(request), one_of(request.GET, "state", dict(states))
        side = one_of(request.GET, "side", dict(SIDES), "ours") or "ours"
        found = queries.page_entrusted(
            place.prefix, side, state, on, request.GET.get("at", ""), size=1000 if whole else 50
        )
        names = names_of({row.division for row in found} | {row.to_division for row in found if row.to_division}, on)
        return Listing(
            "委托调查", "住在外地的，委托居住地入户调查；本县的直接到对方工作台，外县的发函。", "visits",
            [Head("回复期限", "date", 26), Head("编号", paper=26), Head("调查谁"), Head("居住地", paper=40), Head("发函", paper=50),
             Head("状态", paper=30)],
            [[_due(row, on), Cell(row.number, reverse("entrustment", args=[row.pk])), row.who, row.to_office,
              Cell(names.get(row.division, row.issuer.split()[0]), sub=str(row.issued_on)), _entrusted_state(row, on)] for row in found],
            "没有这样的委托。在申请的页面上点“委托调查”。", nav=nav("entrustments"), page=found,
            filters=[Filter("side", "哪一方", SIDES, side), Filter("state", "状态", states, state),
                     Filter("place", "地方", place.options, place.code)],
        )  # fmt: skip

    return answer_listing(request, build)


def _entrusted_state(row: Entrustment, on: Any) -> Cell:
    if row.overdue(on):
        return Cell(LATE[1], tone="late")
    return Cell(
        row.get_state_display(), tone={"taken": "done", "withdrawn": "plain", "returned": "late"}.get(row.state, "soon")
    )


@require_http_methods(["GET", "POST"])
@page(ISSUERS)
def new_entrustment(request: Any, household: int) -> HttpResponse:
    """Ask the place where they live to visit them."""
    by, on = request.actor, request.business_date
    with reading(by):
        matter = matter_of(request, household)
        home = matter.state.household
        trail = chain_names(home.division, on)
        places = _villages_elsewhere(home.division, on)
    first = {"due_on": _in_days(on), "asks": "居住和生活条件、身体状况、就业和收支情况，并访问邻里。"}
    form = Entrust(request.POST or None, places=places, initial=first)

    def act() -> Outcome:
        made = entrusting.issue_entrustment(by=by, on=on, round=matter.round, **matter.told, **form.cleaned_data)
        then = "对方的工作台已经看到。" if made.to_division else "打印委托调查函盖章寄出；回函到了在这里登记。"
        return Outcome("已发委托调查函", reverse("entrustment", args=[made.pk]), then)

    effect = "对方只看到这封函：调查谁、住在哪里、调查什么；看不到申请的其他内容。"
    return _asked(request, form, act, matter, trail, "委托居住地调查", "发委托调查函", effect)


def _villages_elsewhere(division: str, on: Any) -> list[tuple[str, str]]:
    """Villages of the other townships of the county, under their township's name."""
    county = division[:6].ljust(12, "0")
    towns = {each.code[:9]: each.name for each in list_beneath(county, Level.COUNTY, Level.TOWNSHIP, on)}
    villages = list_beneath(county, Level.COUNTY, Level.VILLAGE, on)
    return [
        (each.code, f"{towns.get(each.code[:9], '')} {each.name}") for each in villages if each.code[:9] != division[:9]
    ]


@require_safe
@page(READERS)
def entrustment(request: Any, number: int) -> HttpResponse:
    """One letter, from either side: what is asked, by when, what was answered, what comes next."""
    by, on = request.actor, request.business_date
    row = Entrustment.objects.get(pk=number)
    found = read(row.payload_enc) if row.payload_enc else None
    names = names_of({row.division, row.to_division}, on)
    context = {
        "section": "visits", "row": row, "ours": row.division.startswith(by.prefix), "late": row.overdue(on),
        "here": bool(row.to_division) and row.to_division.startswith(by.prefix), "found": found,
        "topics": [(label, found.topics[code]) for code, label in TOPICS.items() if code in found.topics] if found else [],
        "address": mask_address(plain(row.address_enc, ADDRESS)), "acts": _entrusted_acts(by, row),
        "from_place": names.get(row.division, ""), "to_place": names.get(row.to_division, row.to_office),
        "visit": getattr(row, "visit", None) if row.division.startswith(by.prefix) else None,
    }  # fmt: skip
    return render(request, "workbench/entrustment.html", context)


def _entrusted_acts(by: Actor, row: Entrustment) -> list[tuple[str, str]]:
    """(key, button) of what this side may do now."""
    ours = row.division.startswith(by.prefix) and may(by, entrusting.issue_entrustment)
    here = bool(row.to_division) and row.to_division.startswith(by.prefix)
    if row.state == Entrustment.State.ANSWERED:
        return [("take", "收下，作为入户调查")] if ours else []
    if row.state != Entrustment.State.SENT:
        return []
    found = [("reply", "登记调查结果，回复"), ("return", "不能调查，退回")] if here else []
    found += [("reply", "登记回函"), ("return", "登记未能调查")] if ours and not row.to_division else []
    return found + ([("withdraw", "撤回")] if ours else [])


@require_http_methods(["GET", "POST"])
@page(READERS)
def entrusted_act(request: Any, number: int, key: str) -> HttpResponse:
    """The step of either side that its page offers."""
    by, on = request.actor, request.business_date
    with reading(by):
        row = Entrustment.objects.get(pk=number)
        offered = dict(_entrusted_acts(by, row))
        outside = not row.to_division
        people = None if outside else people_choices(people_for(by, row.to_division, on))
    if key not in ("take", "reply", "return", "withdraw"):
        raise Http404
    first = {"visited_on": on.isoformat(), "investigators": [str(by.appointment)]}
    form: Any = {
        "reply": lambda: Reply(request.POST or None, people=people, initial=first, blocks=(3, 0, 0)),
        "return": lambda: WhyNot(request.POST or None),
    }.get(key, lambda: None)()

    def act() -> Outcome:
        return _entrusted_done(request, row, key, form)

    context = {
        "section": "visits", "title": offered.get(key, "委托调查"), "button": offered.get(key, "办理"), "back": reverse("entrustment", args=[number]),
        "lead": f"{row.number}，{row.who}，现住{row.to_office}", "file": "双方签字的调查表（扫描件或照片）" if key == "reply" else "",
        "effect": "", "warning": key in ("return", "withdraw"), "found_form": key == "reply",
    }  # fmt: skip
    return answer_form(request, form, act, "workbench/visit_act.html", context)


def _entrusted_done(request: Any, row: Entrustment, key: str, form: Any) -> Outcome:
    by, on, where = request.actor, request.business_date, reverse("entrustment", args=[row.pk])
    if key == "take":
        made = entrusting.take_reply(by=by, on=on, entrustment_id=row.pk)
        return Outcome("已收下，作为入户调查", reverse("visit", args=[made.pk]))
    if key == "withdraw":
        entrusting.withdraw_entrustment(by=by, on=on, entrustment_id=row.pk)
        return Outcome("已撤回", where)
    if key == "return":
        act = entrusting.return_entrustment if row.to_division else entrusting.enter_return
        act(by=by, on=on, entrustment_id=row.pk, why=form.cleaned_data["why"])
        return Outcome("已登记未能调查", where)
    data, sent = form.cleaned_data, file_of(request)
    if sent is None:
        raise BadInput("没有选文件", where="签字的调查表", remedy="请上传双方签字的调查表")
    told = {
        "by": by, "on": on, "entrustment_id": row.pk, "visited_on": data["visited_on"], "met": data["met"],
        "met_name": data["met_name"], "found": form.found(), "form": content_of(sent, "签字的调查表"),
    }  # fmt: skip
    if row.to_division:
        entrusting.reply_entrustment(**told, investigators=[int(each) for each in data["investigators"]])
        return Outcome("已回复", where, "委托方收下后作为他们的入户调查。")
    made = entrusting.enter_reply(**told, investigators=data["names"].splitlines())
    return Outcome("已登记回函，作为入户调查", reverse("visit", args=[made.pk]))


@never_cache
@require_http_methods(["GET", "POST"])
@page(READERS)
def address(request: Any, number: int) -> HttpResponse:
    """Where they live, in plain, for a purpose that is recorded. Never repeated from a kept outcome."""
    form, value = Purpose(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        value = entrusting.look_at_residence(
            by=request.actor, on=request.business_date, entrustment_id=number, purpose=form.cleaned_data["purpose"]
        )
    context = {
        "section": "visits", "form": form, "what": "居住地址", "value": value, "back": reverse("entrustment", args=[number]),
    }  # fmt: skip
    return render(request, "workbench/look.html", context, status=422 if form.errors else 200)


@require_safe
@page(READERS, reads=False)
def entrusted_pdf(request: Any, number: int) -> HttpResponse:
    """The letter to a place outside, with what is to be answered."""
    content = entrustment_pdf(
        by=request.actor, on=request.business_date, entrustment=number, mark=printed_by(request, "委托调查"),
        address=request.build_absolute_uri(reverse("entrustment", args=[number])),
    )  # fmt: skip
    return pdf_answer(content, f"委托调查函{number}")
